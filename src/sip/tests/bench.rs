//! One machine on the bench: what it needs around it, and what it does in the words of the tables.

use core::net::SocketAddr;

use crate::base::{LegId, Outbox, Time, seeded};
use crate::sip::Identity;
use crate::sip::agent::Core;
use crate::sip::call::Next;
use crate::sip::context::{Ctx, Line};
use crate::sip::table;
use crate::sip::tests::peer;
use crate::sip::tests::world::trunk;
use crate::sip::transactions::{Arrival, TxId};
use crate::sip::{Event, Hop, Output};
use crate::wire::sip::{Builder, Message, Method, Name};

pub const SDP_PCMU: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n\
    m=audio 40000 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n";
pub const SDP_HELD: &str = "v=0\r\no=- 1 2 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n\
    m=audio 40000 RTP/AVP 0\r\na=sendonly\r\n";
pub const SDP_G729: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n\
    m=audio 40000 RTP/AVP 18\r\n";

pub struct Bench {
    pub core: Core,
    pub now: Time,
    pub out: Outbox<Output>,
    pub sent: Vec<Message>,
}

pub fn us() -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 10], 5060))
}

impl Bench {
    pub fn new() -> Bench {
        let identity =
            Identity { local: us(), media_address: us().ip(), user_agent: "hansho-test".into(), doors: Vec::new() };
        let line = Line::new(trunk(peer()));
        let mut core = Core::new(identity, seeded(7), seeded(8));
        core.add_line(line);
        Bench { core, now: Time::ZERO, out: Outbox::new(), sent: Vec::new() }
    }

    pub fn ctx(&mut self) -> Ctx<'_> {
        self.core.ctx(self.now, 0, Some(LegId(1)), &mut self.out).unwrap()
    }

    /// What came out since the last time: `200`, `BYE`, `answered`, …
    pub fn done(&mut self) -> Vec<String> {
        let mut words = Vec::new();
        while let Some(output) = self.out.pop() {
            words.push(match output {
                Output::Send { bytes, .. } => {
                    let message = Message::parse(&bytes).unwrap();
                    let word = word(&message);
                    self.sent.push(message);
                    word
                }
                Output::Event(Event::Ringing { .. }) => "ringing".into(),
                Output::Event(Event::Answered { .. }) => "answered".into(),
                Output::Event(Event::Unwanted { .. }) => "unwanted".into(),
                Output::Event(Event::Changed { .. }) => "changed".into(),
                Output::Event(Event::Registered { .. }) => "registered".into(),
                Output::Event(Event::RegistrationFailed { .. }) => "failed".into(),
                Output::Event(Event::Key { .. }) => "key".into(),
                Output::Event(Event::MessageReceived { .. }) => "message".into(),
                Output::Event(
                    Event::Incoming { .. }
                    | Event::Ended { .. }
                    | Event::Rerouted { .. }
                    | Event::TargetFailed { .. }
                    | Event::MessageSent { .. }
                    | Event::MessageFailed { .. }
                    | Event::UserRegistered { .. }
                    | Event::UserUnregistered { .. }
                    | Event::ShutOut { .. },
                ) => "unexpected".into(),
            });
        }
        words
    }

    /// The row that one event made, none when nothing happened.
    pub fn row(&mut self, state: &str, event: &str, next: &Next, stays: &str) -> Option<String> {
        let mut words = self.done();
        let next = match next {
            Next::Stay => stays,
            Next::Late(_) => {
                words.push("late".to_owned());
                stays
            }
            Next::Up(_) => "Up",
            Next::Leaving(_) => "Leaving",
            Next::Over(end) => {
                words.push(format!("ended {:?}", end.cause));
                "Over"
            }
        };
        table::row(state, event, next, &words)
    }

    /// The last request of ours with this method.
    pub fn last(&self, method: &Method) -> &Message {
        let ours = |message: &&Message| message.is_request() && message.method() == *method;
        self.sent.iter().rev().find(ours).unwrap()
    }

    /// A response of the peer.
    pub fn response(&self, method: &Method, code: u16, sdp: &str) -> Message {
        let mut builder = Builder::response(self.last(method), code)
            .to_tag("theirs")
            .header(Name::Contact, "<sip:phone@192.0.2.1:5060>");
        if matches!(code, 401 | 407) {
            builder = builder.header(Name::WwwAuthenticate, "Digest realm=\"pbx\", nonce=\"abc\", qop=\"auth\"");
        }
        if code == 422 {
            builder = builder.header(Name::MinSe, "3600");
        }
        if code == 423 {
            builder = builder.header(Name::MinExpires, "600");
        }
        if !sdp.is_empty() {
            builder = builder.body("application/sdp", sdp.as_bytes());
        }
        Message::parse(&builder.finish()).unwrap()
    }

    /// A request of the peer, and its transaction.
    pub fn request(&mut self, text: Message) -> (Message, TxId) {
        match self.core.transactions.on_request(&text, peer(), &mut self.out) {
            Arrival::New(tx) | Arrival::Merged(tx) => (text, tx),
            other => panic!("{other:?}"),
        }
    }
}

/// A request as the peer writes it; `tag` is its own, `ours` ours.
pub fn asks(method: Method, seq: u32, tag: &str, ours: &str, sdp: &str) -> Message {
    let to = if ours.is_empty() { "<sip:us@pbx.example>".into() } else { format!("<sip:us@pbx.example>;tag={ours}") };
    let mut builder = Builder::request(method.clone(), "sip:hansho@192.0.2.10:5060")
        .header(Name::Via, format!("SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK{method}{seq}{tag};rport"))
        .header(Name::MaxForwards, "70")
        .header(Name::From, format!("<sip:+81312345678@pbx.example>;tag={tag}"))
        .header(Name::To, to)
        .header(Name::CallId, "call-1")
        .header(Name::CSeq, format!("{seq} {method}"))
        .header(Name::Contact, "<sip:phone@192.0.2.1:5060>");
    if !sdp.is_empty() {
        builder = builder.body("application/sdp", sdp.as_bytes());
    }
    Message::parse(&builder.finish()).unwrap()
}

/// What left the house, in order, and to whom. What it told goes behind `events`.
pub fn left(out: &mut Outbox<Output>, events: &mut Vec<Event>) -> Vec<(Hop, Message)> {
    let mut sent = Vec::new();
    while let Some(output) = out.pop() {
        match output {
            Output::Send { to, bytes } => sent.push((to, Message::parse(&bytes).unwrap())),
            Output::Event(event) => events.push(event),
        }
    }
    sent
}

/// A message in a word: its method, or its status.
pub fn word(message: &Message) -> String {
    message.code().map_or_else(|| message.method().to_string(), |code| code.to_string())
}
