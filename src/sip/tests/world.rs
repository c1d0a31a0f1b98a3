//! Two agents on one virtual clock, and a wire between them that loses, doubles and reorders.

use std::collections::{BTreeMap, BTreeSet};

use core::net::SocketAddr;
use core::time::Duration;

use rand::RngExt;

use crate::base::{LegId, Outbox, Phone, Rng, Time, TrunkId, seeded};
use crate::sip::{Agent, Cause, End, Event, Hop, Identity, IpRange, Output, Trunk};

/// The one who dials in these tests.
pub const ALICE: usize = 0;
/// The one who is called.
pub const BOB: usize = 1;

/// What the wire does to a datagram.
#[derive(Clone, Copy)]
pub struct Wire {
    pub loss: f64,
    pub doubled: f64,
    pub slowest_ms: u64,
}

impl Wire {
    pub const GOOD: Wire = Wire { loss: 0.0, doubled: 0.0, slowest_ms: 10 };
    pub const BAD: Wire = Wire { loss: 0.2, doubled: 0.1, slowest_ms: 700 };
}

pub struct World {
    pub now: Time,
    pub agents: [Agent; 2],
    pub events: [Vec<Event>; 2],
    pub outs: [Outbox<Output>; 2],
    /// Start lines of everything that was put on the wire, with who sent it.
    pub ladder: Vec<(usize, String)>,
    /// Whole messages, in the same order.
    pub said: Vec<String>,
    /// What Bob does when he is called.
    pub bob: fn(&mut Agent, Time, LegId, &mut Outbox<Output>),
    /// What becomes of a message on its way, as if another program had written it.
    pub rewrites: fn(String) -> String,
    pub wire: Wire,
    /// What every event made of either end's call: machine, state, event, next state.
    pub seen: Option<BTreeSet<String>>,
    flying: BTreeMap<(Time, u64), (usize, Vec<u8>)>,
    sent: u64,
    rng: Rng,
}

pub fn address(who: usize) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 10 + u8::try_from(who).unwrap()], 5060))
}

pub fn trunk(proxy: impl Into<Hop>) -> Trunk {
    Trunk {
        proxy: Some(proxy.into()),
        domain: "pbx.example".into(),
        expires_s: 300,
        username: "hansho".into(),
        password: "secret".into(),
        allow_from: vec![IpRange::parse("192.0.2.0/24").unwrap()],
        ..Trunk::new(TrunkId::parse("main").unwrap())
    }
}

pub fn agent(who: usize, trunk: Trunk, seed: u64) -> Agent {
    let local = address(who);
    let identity = Identity { local, media_address: local.ip(), user_agent: "hansho-test".into(), doors: Vec::new() };
    Agent::new(identity, vec![trunk], seed)
}

pub fn number() -> Phone {
    Phone::parse("+818012345678").unwrap()
}

pub fn main_trunk() -> TrunkId {
    TrunkId::parse("main").unwrap()
}

impl World {
    pub fn new(wire: Wire, seed: u64) -> World {
        let agents = [agent(ALICE, trunk(address(BOB)), seed), agent(BOB, trunk(address(ALICE)), seed + 1_000_003)];
        World {
            now: Time::ZERO,
            agents,
            events: Default::default(),
            outs: Default::default(),
            ladder: Vec::new(),
            said: Vec::new(),
            bob: |agent, now, leg, out| {
                agent.ring(now, leg, out);
                agent.accept(now, leg, 20_000, out);
            },
            rewrites: |text| text,
            wire,
            seen: None,
            flying: BTreeMap::new(),
            sent: 0,
            rng: seeded(seed),
        }
    }

    /// Alice calls Bob; the handle.
    pub fn dial(&mut self) -> String {
        let [alice, _] = &mut self.agents;
        let handle = alice.dial(self.now, LegId(1), &main_trunk(), &number(), 30_000, &mut self.outs[ALICE]).unwrap();
        self.flush();
        handle
    }

    /// `what` happens at `who`'s, now.
    pub fn at(&mut self, who: usize, what: impl FnOnce(&mut Agent, Time, &mut Outbox<Output>)) {
        let before = self.look(who);
        what(&mut self.agents[who], self.now, &mut self.outs[who]);
        self.note(who, before, "wish");
        self.flush();
    }

    /// Somebody who knows their dialog says this to `who`, as if it came from the other end.
    pub fn whispers(&mut self, who: usize, event: &str, bytes: &[u8]) {
        let before = self.look(who);
        self.agents[who].on_datagram(self.now, address(1 - who), bytes, &mut self.outs[who]);
        self.note(who, before, event);
        self.flush();
    }

    pub fn hang_up(&mut self, who: usize, leg: LegId) {
        self.at(who, |agent, now, out| agent.hang_up(now, leg, out));
    }

    /// Time passes.
    pub fn wait(&mut self, pause: Duration) {
        let until = self.now + pause;
        while let Some(next) = self.next().filter(|next| *next <= until) {
            self.step(next);
        }
        self.now = until;
    }

    /// Time passes until both agents are idle; false when they are not within `at_most`.
    pub fn settles(&mut self, at_most: Duration) -> bool {
        let until = self.now + at_most;
        while !(self.agents.iter().all(Agent::is_idle) && self.flying.is_empty()) {
            match self.next().filter(|next| *next <= until) {
                Some(next) => self.step(next),
                None => return false,
            }
        }
        true
    }

    pub fn answered(&self, who: usize) -> Option<LegId> {
        self.events[who].iter().find_map(|event| match event {
            Event::Answered { leg, .. } => Some(*leg),
            _ => None,
        })
    }

    pub fn ends(&self, who: usize) -> Vec<End> {
        let ends = self.events[who].iter().filter_map(|event| match event {
            Event::Ended { end, .. } => Some(end.clone()),
            _ => None,
        });
        ends.collect()
    }

    pub fn causes(&self, who: usize) -> Vec<(Cause, Option<u16>)> {
        self.ends(who).into_iter().map(|end| (end.cause, end.code)).collect()
    }

    /// `A: INVITE`, `B: 180`, … in the order they were put on the wire.
    pub fn ladder(&self) -> Vec<String> {
        let line = |(who, line): &(usize, String)| {
            let mut words = line.split(' ');
            let first = words.next().unwrap_or_default();
            let word = if first == "SIP/2.0" { words.next().unwrap_or_default() } else { first };
            format!("{}: {word}", if *who == ALICE { "A" } else { "B" })
        };
        self.ladder.iter().map(line).collect()
    }

    /// How often `who` sent messages that begin with `word`.
    pub fn count(&self, who: usize, word: &str) -> usize {
        self.ladder()
            .iter()
            .filter(|line| **line == format!("{}: {word}", if who == ALICE { "A" } else { "B" }))
            .count()
    }

    fn next(&self) -> Option<Time> {
        let wire = self.flying.keys().next().map(|(at, _)| *at);
        self.agents.iter().filter_map(Agent::next_deadline).chain(wire).min().map(|next| next.max(self.now))
    }

    fn step(&mut self, next: Time) {
        self.now = next;
        while let Some(entry) = self.flying.first_entry().filter(|entry| entry.key().0 <= next) {
            let (to, bytes) = entry.remove();
            let before = self.look(to);
            self.agents[to].on_datagram(next, address(1 - to), &bytes, &mut self.outs[to]);
            let text = String::from_utf8_lossy(&bytes);
            let mut words = text.split(' ');
            let first = words.next().unwrap_or_default();
            self.note(to, before, if first == "SIP/2.0" { words.next().unwrap_or_default() } else { first });
            self.flush();
        }
        for who in [ALICE, BOB] {
            let before = self.look(who);
            self.agents[who].on_deadline(next, &mut self.outs[who]);
            self.note(who, before, "time");
            let late = self.agents[who].next_deadline().is_some_and(|due| due <= next);
            assert!(!late, "a deadline that is due stays due");
        }
        self.flush();
    }

    fn flush(&mut self) {
        for who in [ALICE, BOB] {
            while let Some(output) = self.outs[who].pop() {
                match output {
                    Output::Send { to, bytes } => self.send(who, to, bytes),
                    Output::Event(event) => {
                        if let (BOB, Event::Incoming { leg, .. }) = (who, &event) {
                            let leg = *leg;
                            let before = self.look(BOB);
                            (self.bob)(&mut self.agents[BOB], self.now, leg, &mut self.outs[BOB]);
                            self.note(BOB, before, "wish");
                        }
                        self.events[who].push(event);
                    }
                }
            }
        }
    }

    /// The machines of `who`'s oldest call and their states, as the code calls them; none where nobody wants to know.
    fn look(&self, who: usize) -> Vec<(&'static str, String)> {
        let agent = &self.agents[who];
        let Some(call) = self.seen.as_ref().and_then(|_| agent.calls.get(*agent.calls.keys().first()?)) else {
            return Vec::new();
        };
        let text = format!("{call:?}");
        let word = |text: &str| text.chars().take_while(char::is_ascii_alphanumeric).collect::<String>();
        let states: Vec<String> = text.split("state: ").skip(1).map(word).collect();
        match word(text.split("phase: ").nth(1).unwrap_or_default()).as_str() {
            "Outgoing" => vec![("outgoing", states.last().cloned().unwrap_or_default())],
            "Incoming" => vec![("incoming", states.last().cloned().unwrap_or_default())],
            "Up" => ["session", "pulse", "refresh"].into_iter().zip(states).collect(),
            "Leaving" => vec![("farewell", "Leaving".to_owned())],
            other => panic!("{other}"),
        }
    }

    /// Notes what an event made of a call.
    fn note(&mut self, who: usize, before: Vec<(&'static str, String)>, event: &str) {
        let after = self.look(who);
        let otherwise = match after.first() {
            None => "Over",
            Some(("farewell", _)) => "Leaving",
            Some(_) => "Up",
        };
        for (machine, state) in before {
            let same = after.iter().find(|(other, _)| *other == machine);
            let next = same.map_or(otherwise, |(_, next)| next);
            self.seen.get_or_insert_default().insert(format!("{machine} | {state} | {event} | {next}"));
        }
    }

    fn send(&mut self, who: usize, to: Hop, bytes: Vec<u8>) {
        let text = (self.rewrites)(String::from_utf8_lossy(&bytes).into_owned());
        let bytes = text.clone().into_bytes();
        assert_eq!(to, address(1 - who), "{text}");
        self.ladder.push((who, text.lines().next().unwrap_or_default().to_owned()));
        self.said.push(text);
        let copies = if self.rng.random_bool(self.wire.doubled) { 2 } else { 1 };
        for _ in 0..copies {
            if self.rng.random_bool(self.wire.loss) {
                continue;
            }
            let at = self.now + Duration::from_millis(self.rng.random_range(1..=self.wire.slowest_ms));
            self.sent += 1;
            self.flying.insert((at, self.sent), (1 - who, bytes.clone()));
        }
    }
}
