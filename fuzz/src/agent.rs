//! The whole agent, played by a script: each few bytes are one thing that happens, from a wish of ours to a message of
//! the trunk's, valid or not, in any order.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use hansho::base::{Digit, LegId, Outbox, Phone, Time, TrunkId};
use hansho::sip::{Agent, Event, Identity, Output, Trunk};
use hansho::wire::sip::{Builder, Message, Method, Name};

const CODES: [u16; 24] = [
    100, 180, 181, 183, 199, 200, 200, 200, 202, 300, 302, 401, 404, 405, 407, 408, 422, 481, 486, 487, 491, 500, 503,
    603,
];
const METHODS: [&str; 14] = [
    "INVITE",
    "ACK",
    "BYE",
    "CANCEL",
    "UPDATE",
    "PRACK",
    "INFO",
    "OPTIONS",
    "MESSAGE",
    "REFER",
    "NOTIFY",
    "SUBSCRIBE",
    "REGISTER",
    "X",
];
const SDP: [&str; 5] = [
    "m=audio 4000 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n",
    "m=audio 4000 RTP/AVP 8\r\na=sendonly\r\n",
    "m=audio 4000 RTP/AVP 18\r\n",
    "m=video 4002 RTP/AVP 31\r\nm=audio 4000 RTP/AVP 0\r\na=inactive\r\n",
    "m=audio 0 RTP/AVP 0\r\n",
];

/// The bytes of a script, one after the other; zeros when they are at their end.
struct Script<'a>(std::slice::Iter<'a, u8>);

impl Script<'_> {
    fn next(&mut self) -> u8 {
        self.0.next().copied().unwrap_or(0)
    }

    fn of<T: Clone>(&mut self, list: &[T]) -> T {
        list[usize::from(self.next()) % list.len()].clone()
    }
}

struct Play {
    agent: Agent,
    now: Time,
    /// Requests of ours, the last ones.
    asked: Vec<Message>,
    /// What came in, to come in again.
    came: Vec<Vec<u8>>,
    legs: BTreeSet<LegId>,
    ends: BTreeMap<LegId, u32>,
}

/// Plays a script to its end and then lets everybody go.
pub fn agent(bytes: &[u8]) {
    let mut script = Script(bytes.iter());
    let mut play = Play::new(script.next());
    let mut round = 0u32;
    while script.0.len() > 0 {
        round += 1;
        play.step(&mut script, round);
    }
    play.goes_home();
}

impl Play {
    fn new(seed: u8) -> Play {
        let local: SocketAddr = ([192, 0, 2, 10], 5060).into();
        let account = |name: &str, proxy: SocketAddr| Trunk {
            proxy: Some(proxy.into()),
            asked_every: seed.is_multiple_of(3).then_some(Duration::from_secs(60)),
            domain: "pbx.example".into(),
            register: seed.is_multiple_of(4),
            expires_s: 300,
            username: "hansho".into(),
            password: "secret".into(),
            ..Trunk::new(TrunkId::parse(name).expect("letters"))
        };
        let accounts = vec![account("main", trunk()), account("spare", spare())];
        let identity = Identity { local, media_address: local.ip(), user_agent: "hansho".into(), doors: Vec::new() };
        let agent = Agent::new(identity, accounts, u64::from(seed));
        let (asked, came, legs, ends) = (Vec::new(), Vec::new(), BTreeSet::new(), BTreeMap::new());
        let mut play = Play { agent, now: Time::ZERO, asked, came, legs, ends };
        play.does(|agent, now, out| agent.start(now, out));
        play
    }

    fn step(&mut self, script: &mut Script<'_>, round: u32) {
        let leg = self.legs.iter().nth(usize::from(script.next()) % self.legs.len().max(1)).copied();
        match (script.next() % 24, leg) {
            (0, _) | (_, None) => self.dials(round),
            (1, Some(leg)) => self.does(|agent, now, out| agent.hang_up(now, leg, out)),
            (2, Some(leg)) => self.does(|agent, now, out| agent.answered_elsewhere(now, leg, out)),
            (3, Some(leg)) => self.does(|agent, now, out| {
                agent.press(now, leg, Digit::from_char('1').expect("a key"), out);
            }),
            (4, Some(leg)) => self.does(|agent, now, out| agent.ring(now, leg, out)),
            (5, Some(leg)) => self.does(|agent, now, out| agent.accept(now, leg, 20_000, out)),
            (6, Some(leg)) => {
                let code = u16::from(script.next()) * 3;
                self.does(|agent, now, out| agent.refuse(now, leg, code, out));
            }
            (7..=9, _) => self.waits(Duration::from_millis(u64::from(script.next()).pow(2))),
            (10, _) => self.waits(Duration::from_secs(u64::from(script.next()) * 10)),
            (11..=17, _) => {
                let response = self.response(script);
                response.into_iter().for_each(|bytes| self.comes(bytes));
            }
            (18..=20, _) => {
                let request = self.request(script, round);
                self.comes(request);
            }
            (21, _) => {
                let invite = fresh("INVITE", round, script);
                self.comes(invite);
            }
            (22, _) if !self.came.is_empty() => {
                let mut again = script.of(&self.came);
                let at = usize::from(script.next()) * 3 % again.len().max(1);
                let byte = script.next();
                if byte > 100
                    && let Some(place) = again.get_mut(at)
                {
                    *place = byte;
                }
                self.comes(again);
            }
            _ => {
                let rest: Vec<u8> = (0..script.next()).map(|_| script.next()).collect();
                self.comes(rest);
            }
        }
    }

    fn dials(&mut self, round: u32) {
        let leg = LegId(round);
        let (trunk, to) = (TrunkId::parse("main").expect("letters"), Phone::parse("+818012345678").expect("a number"));
        let mut out = Outbox::new();
        if self.agent.dial(self.now, leg, &trunk, &to, 30_000, &mut out).is_ok() {
            self.legs.insert(leg);
            if !round.is_multiple_of(4) {
                self.agent.also_over(self.now, leg, &[TrunkId::parse("spare").expect("letters")]);
            }
        }
        self.hears(out);
    }

    /// A response to one of our requests.
    fn response(&mut self, script: &mut Script<'_>) -> Option<Vec<u8>> {
        let place = self.asked.len().checked_sub(1 + usize::from(script.next()) % self.asked.len().clamp(1, 8))?;
        let request = self.asked.get(place)?;
        let code = script.of(&CODES);
        let mut response =
            Builder::response(request, code).to_tag(["a", "a", "a", "b"][usize::from(script.next()) % 4]);
        if !script.next().is_multiple_of(8) {
            response = response.header(Name::Contact, "<sip:phone@192.0.2.1:5060>");
        }
        if matches!(code, 300..400) && script.next().is_multiple_of(2) {
            response = response.header(Name::Contact, format!("<sip:+818012345678@pbx.example;n={}>", script.next()));
        }
        if matches!(code, 401 | 407) {
            let name = if code == 401 { Name::WwwAuthenticate } else { Name::ProxyAuthenticate };
            let challenge =
                format!("Digest realm=\"r{}\", nonce=\"n{}\", qop=\"auth\"", script.next() % 3, script.next());
            response = response.header(name, challenge);
        }
        if code == 422 {
            response = response.header(Name::MinSe, (u32::from(script.next()) * 60).to_string());
        }
        if script.next().is_multiple_of(3) {
            response = response.header(Name::Require, "100rel").header(Name::RSeq, (script.next() % 4).to_string());
        }
        if script.next().is_multiple_of(2) {
            let side = ["uac", "uas", "x"][usize::from(script.next()) % 3];
            response = response.header(Name::SessionExpires, format!("{};refresher={side}", script.next()));
        }
        if script.next().is_multiple_of(2) {
            response = response.header(Name::Allow, "INVITE, UPDATE");
        }
        if !script.next().is_multiple_of(4) {
            response = response.body("application/sdp", sdp(script).as_bytes());
        }
        Some(response.finish())
    }

    /// A request of theirs in the dialog of one of our requests.
    fn request(&mut self, script: &mut Script<'_>, round: u32) -> Vec<u8> {
        let method = script.of(&METHODS);
        let place = usize::from(script.next()) % self.asked.len().max(1);
        let Some(asked) = self.asked.get(place) else { return fresh(method, round, script) };
        let value = |name| asked.header(&name).unwrap_or_default().to_owned();
        let tag = ["a", "a", "a", "b"][usize::from(script.next()) % 4];
        let to = value(Name::To);
        let from = if to.contains(";tag=") { to } else { format!("{to};tag={tag}") };
        let seq = u32::from(script.next());
        let mut request = Builder::request(Method::parse(method).expect("a method"), "sip:hansho@192.0.2.10:5060")
            .header(Name::Via, format!("SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKin{round};rport"))
            .header(Name::From, from)
            .header(Name::To, value(Name::From))
            .header(Name::CallId, value(Name::CallId))
            .header(Name::CSeq, format!("{seq} {method}"))
            .header(Name::Contact, "<sip:phone@192.0.2.1:5060>");
        if script.next().is_multiple_of(3) {
            request = request.header(Name::Supported, "timer").header(Name::SessionExpires, script.next().to_string());
        }
        if !script.next().is_multiple_of(3) {
            request = request.body("application/sdp", sdp(script).as_bytes());
        }
        request.finish()
    }

    fn comes(&mut self, bytes: Vec<u8>) {
        self.does(|agent, now, out| agent.on_datagram(now, trunk(), &bytes, out));
        self.came.push(bytes);
        if self.came.len() > 16 {
            self.came.remove(0);
        }
    }

    fn waits(&mut self, pause: Duration) {
        let until = self.now + pause;
        while let Some(due) = self.agent.next_deadline().filter(|due| *due <= until) {
            self.now = due.max(self.now);
            self.does(|agent, now, out| agent.on_deadline(now, out));
            assert!(self.agent.next_deadline().is_none_or(|next| next > self.now), "what is due stays due");
        }
        self.now = until;
    }

    fn goes_home(mut self) {
        self.does(|agent, now, out| agent.stop(now, out));
        self.waits(Duration::from_secs(900));
        assert!(self.agent.is_idle(), "everybody has gone, and something waits");
        for leg in self.legs {
            assert_eq!(self.ends.get(&leg), Some(&1), "the call of leg {leg:?} ends once");
        }
    }

    fn does(&mut self, what: impl FnOnce(&mut Agent, Time, &mut Outbox<Output>)) {
        let mut out = Outbox::new();
        what(&mut self.agent, self.now, &mut out);
        self.hears(out);
    }

    fn hears(&mut self, mut out: Outbox<Output>) {
        let mut sent = 0;
        while let Some(output) = out.pop() {
            match output {
                Output::Send { bytes, .. } => {
                    sent += 1;
                    let message = Message::parse(&bytes).expect("what is sent can be read");
                    if message.is_request() && message.method() != Method::Ack {
                        self.asked.push(message);
                    }
                }
                Output::Event(event) => self.notes(event),
            }
        }
        assert!(sent < 64, "one event led to {sent} messages");
        let old = self.asked.len().saturating_sub(32);
        self.asked.drain(..old);
    }

    fn notes(&mut self, event: Event) {
        let leg = match event {
            Event::Incoming { leg, .. } => {
                self.legs.insert(leg);
                leg
            }
            Event::Ended { leg, .. } => {
                *self.ends.entry(leg).or_default() += 1;
                return;
            }
            Event::Ringing { leg, .. }
            | Event::Answered { leg, .. }
            | Event::Unwanted { leg, .. }
            | Event::Key { leg, .. }
            | Event::Changed { leg, .. }
            | Event::Rerouted { leg, .. } => leg,
            _ => return,
        };
        assert!(!self.ends.contains_key(&leg), "leg {leg:?} is over and goes on");
    }
}

fn trunk() -> SocketAddr {
    ([192, 0, 2, 1], 5060).into()
}

/// Where calls go that the first trunk does not carry; it answers from the address of the first.
fn spare() -> SocketAddr {
    ([192, 0, 2, 2], 5060).into()
}

fn sdp(script: &mut Script<'_>) -> String {
    format!(
        "v=0\r\no=- 1 {} IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n{}",
        script.next(),
        script.of(&SDP)
    )
}

/// A request of theirs that begins something.
fn fresh(method: &str, round: u32, script: &mut Script<'_>) -> Vec<u8> {
    let mut request = Builder::request(Method::parse(method).expect("a method"), "sip:hansho@192.0.2.10:5060")
        .header(Name::Via, format!("SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKnew{round};rport"))
        .header(Name::MaxForwards, "70")
        .header(Name::From, format!("<sip:+81312345678@pbx.example>;tag=in{round}"))
        .header(Name::To, "<sip:hansho@pbx.example>")
        .header(Name::CallId, format!("in-{}", script.next() % 8))
        .header(Name::CSeq, format!("{} {method}", script.next()))
        .header(Name::Contact, "<sip:phone@192.0.2.1:5060>");
    if script.next().is_multiple_of(3) {
        request = request.header(Name::Require, ["100rel", "timer", "x"][usize::from(script.next()) % 3]);
    }
    if script.next().is_multiple_of(3) {
        request = request.header(Name::Supported, "timer").header(Name::SessionExpires, script.next().to_string());
    }
    if !script.next().is_multiple_of(4) {
        request = request.body("application/sdp", sdp(script).as_bytes());
    }
    request.finish()
}
