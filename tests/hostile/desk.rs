//! A corridor with one trunk, and by hand everything that comes to it and leaves it.

use core::net::SocketAddr;
use core::time::Duration;
use std::sync::Arc;

use hansho::base::{IncidentId, Stamp, Time, TrunkId};
use hansho::incident::{Fact, State};
use hansho::media::{Command, Prompt};
use hansho::sip::{Agent, Counts, Identity, Trunk};
use hansho::switch::{Act, Entry, Input, PromptBook, Raised, Switch};
use hansho::wire::sip::{Builder, Message, Method, Name};

use crate::support::Town;

pub struct Desk {
    pub switch: Switch,
    pub now: Time,
    /// Every request and response hansho sent, readable: whatever leaves the house must be.
    pub sent: Vec<(SocketAddr, Message)>,
    pub facts: Vec<Entry>,
    /// How often media was to flow.
    pub connected: usize,
    town: Town,
}

pub fn hansho() -> SocketAddr {
    ([192, 0, 2, 1], 5_060).into()
}

pub fn trunk() -> SocketAddr {
    ([192, 0, 2, 2], 5_060).into()
}

pub fn stranger() -> SocketAddr {
    ([198, 51, 100, 7], 5_060).into()
}

impl Desk {
    pub fn new(seed: u64, town: Town) -> Desk {
        let identity =
            Identity { local: hansho(), media_address: hansho().ip(), user_agent: "hansho".into(), doors: Vec::new() };
        let account = Trunk {
            proxy: Some(trunk().into()),
            domain: "carrier.test".into(),
            username: "hansho".into(),
            password: "secret".into(),
            ..Trunk::new(TrunkId::parse("carrier").expect("letters"))
        };
        let silence = || Prompt::from([0; 160]);
        let book = PromptBook::gather(|_, _| Ok::<_, String>(silence()), silence()).expect("silence can be read");
        let agent = Agent::new(identity, vec![account], seed);
        let switch = Switch::new(town.settings(), agent, Arc::new(book), Stamp::default(), seed);
        let mut desk = Desk { switch, now: Time::ZERO, sent: Vec::new(), facts: Vec::new(), connected: 0, town };
        desk.hands(Input::Start);
        desk
    }

    pub fn hands(&mut self, input: Input) {
        self.switch.handle(self.now, input);
        self.take();
    }

    pub fn comes(&mut self, from: SocketAddr, bytes: &[u8]) {
        self.hands(Input::Datagram { from: from.into(), bytes: bytes.to_vec() });
    }

    pub fn raises(&mut self) -> IncidentId {
        let (trigger, plan) = self.town.trigger("The disk is full.");
        let Raised::New(incident) = self.switch.raise(self.now, trigger, plan) else {
            panic!("no deduplication key was given")
        };
        self.take();
        incident
    }

    fn take(&mut self) {
        let batch = self.switch.take();
        self.facts.extend(batch.facts);
        for act in batch.acts {
            match act {
                Act::Send { to, bytes } => {
                    let message = Message::parse(&bytes).unwrap_or_else(|why| panic!("hansho sent nonsense: {why}"));
                    self.sent.push((to.address, message));
                }
                Act::Media(Command::Connect(..)) => self.connected += 1,
                _ => {}
            }
        }
    }

    /// Lets time go by, with everything that is due in it.
    pub fn waits(&mut self, length: Duration) {
        let until = self.now + length;
        while let Some(at) = self.switch.next_deadline().filter(|at| *at <= until) {
            self.now = self.now.max(at);
            self.hands(Input::Wake);
            assert!(self.switch.next_deadline() != Some(at), "a deadline that does not move wakes for ever");
        }
        self.now = until;
    }

    pub fn counts(&self) -> Counts {
        self.switch.agent().counts()
    }

    /// The last message hansho sent that fits.
    pub fn last(&self, method: Method) -> Option<&Message> {
        self.requests(method).last()
    }

    pub fn requests(&self, method: Method) -> impl Iterator<Item = &Message> {
        self.sent.iter().map(|(_, message)| message).filter(move |m| m.is_request() && m.method() == method)
    }

    /// The statuses hansho answered with so far.
    pub fn answers(&self) -> Vec<u16> {
        self.sent.iter().filter_map(|(_, message)| message.code()).collect()
    }

    /// Whoever is in a call hangs up, and nobody says anything any more: everything must come to its end.
    pub fn comes_to_rest(&mut self) {
        let invites: Vec<Message> = self.requests(Method::Invite).cloned().collect();
        for (invite, tag) in invites.iter().flat_map(|invite| [(invite, "a"), (invite, "b")]) {
            self.comes(trunk(), &in_dialog(invite, Method::Bye, tag, 1_000_000, None));
        }
        for _ in 0..40 {
            self.waits(Duration::from_secs(120));
            if self.switch.legs() == 0 && self.switch.open().count() == 0 && self.switch.is_idle() {
                break;
            }
        }
        assert_eq!(self.switch.legs(), 0, "a leg is left");
        let open: Vec<State> = self.switch.open().map(|(_, record)| record.state).collect();
        assert!(open.is_empty(), "incidents are left: {open:?}");
        assert!(self.switch.is_idle(), "a transaction or a call is left");
        let began = self
            .facts
            .iter()
            .filter_map(Entry::fact)
            .filter(|fact| matches!(fact, Fact::Dialled { .. } | Fact::CalledIn { .. }));
        let ended = self.facts.iter().filter_map(Entry::fact).filter(|fact| matches!(fact, Fact::Ended { .. }));
        assert_eq!(began.count(), ended.count(), "every call that began has its end");
    }
}

/// A description as a telephone would send it.
pub fn sdp() -> String {
    "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0 101\r\n\
     a=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\n"
        .to_owned()
}

/// The trunk's response to a request of hansho's.
pub fn response(request: &Message, code: u16, tag: &str, body: Option<&str>) -> Vec<u8> {
    let mut builder = Builder::response(request, code).to_tag(tag);
    if code == 401 || code == 407 {
        let name = if code == 401 { Name::WwwAuthenticate } else { Name::ProxyAuthenticate };
        builder = builder.header(name, format!("Digest realm=\"carrier.test\", nonce=\"{tag}\", qop=\"auth\""));
    }
    if matches!(code, 101..300) {
        builder = builder.header(Name::Contact, "<sip:phone@192.0.2.2:5060>");
    }
    match body {
        Some(body) => builder.body("application/sdp", body.as_bytes()).finish(),
        None => builder.finish(),
    }
}

/// A request of the trunk's in the dialog that `invite` of hansho's opened with this tag.
pub fn in_dialog(invite: &Message, method: Method, tag: &str, seq: u32, body: Option<&str>) -> Vec<u8> {
    let us = invite.header(&Name::To).unwrap_or_default().to_owned();
    let id = invite.call_id().unwrap_or_default();
    let mut builder = Builder::request(method.clone(), "sip:hansho@192.0.2.1:5060")
        .header(Name::Via, format!("SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bK{seq}{method}{tag}{id}"))
        .header(Name::MaxForwards, "70")
        .header(Name::From, format!("{us};tag={tag}"))
        .header(Name::To, invite.header(&Name::From).unwrap_or_default())
        .header(Name::CallId, id)
        .header(Name::Contact, "<sip:phone@192.0.2.2:5060>")
        .header(Name::CSeq, format!("{seq} {method}"));
    if let Some(body) = body {
        builder = builder.body("application/sdp", body.as_bytes());
    }
    builder.finish()
}

/// A request of the trunk's that opens something new.
pub fn fresh(method: Method, caller: &str, id: &str, body: Option<&str>) -> Vec<u8> {
    let mut builder = Builder::request(method.clone(), "sip:hansho@192.0.2.1:5060")
        .header(Name::Via, format!("SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bKnew{id}{method}"))
        .header(Name::MaxForwards, "70")
        .header(Name::From, format!("<sip:{caller}@carrier.test>;tag=c{id}"))
        .header(Name::To, "<sip:hansho@carrier.test>")
        .header(Name::CallId, format!("call-{id}"))
        .header(Name::Contact, "<sip:caller@192.0.2.2:5060>")
        .header(Name::CSeq, format!("1 {method}"));
    if let Some(body) = body {
        builder = builder.body("application/sdp", body.as_bytes());
    }
    builder.finish()
}
