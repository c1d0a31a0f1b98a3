use super::*;
use core::time::Duration;

use crate::base::Phone;
use crate::sip::table;
use crate::sip::tests::bench::word;
use crate::sip::tests::peer;
use crate::sip::tests::world::{ALICE, BOB, Wire, World, agent, main_trunk, number, trunk};
use crate::sip::timers::GIVE_UP;
use crate::wire::sip::{Builder, Edit};

const TEXT: &str = "山田さんが電話で話したいそうです。";

/// One agent, one message, and what came out.
struct Desk {
    agent: Agent,
    now: Time,
    out: Outbox<Output>,
    sent: Vec<Message>,
    events: Vec<Event>,
}

impl Desk {
    fn new() -> Desk {
        let agent = agent(0, trunk(peer()), 1);
        let mut desk = Desk { agent, now: Time::ZERO, out: Outbox::new(), sent: Vec::new(), events: Vec::new() };
        assert_eq!(desk.send(7, TEXT), Ok(()));
        assert_eq!(desk.done(), ["MESSAGE"]);
        desk
    }

    fn send(&mut self, message: u32, text: &str) -> Result<(), MessageError> {
        self.agent.send_message(self.now, message, &main_trunk(), &number(), text, &mut self.out)
    }

    fn done(&mut self) -> Vec<String> {
        let mut words = Vec::new();
        while let Some(output) = self.out.pop() {
            match output {
                Output::Send { bytes, .. } => {
                    let message = Message::parse(&bytes).unwrap();
                    words.push(word(&message));
                    self.sent.push(message);
                }
                Output::Event(event) => {
                    words.push(
                        match &event {
                            Event::MessageSent { message: 7 } => "sent",
                            Event::MessageFailed { message: 7, .. } => "failed",
                            Event::MessageReceived { .. } => "message",
                            other => panic!("{other:?}"),
                        }
                        .to_owned(),
                    );
                    self.events.push(event);
                }
            }
        }
        words
    }

    fn hears(&mut self, bytes: &[u8]) {
        self.agent.on_datagram(self.now, peer(), bytes, &mut self.out);
    }

    fn answers(&mut self, code: u16) {
        let challenge = "Digest realm=\"pbx\", nonce=\"abc\", qop=\"auth\"";
        let mut answer = Builder::response(self.sent.last().unwrap(), code).to_tag("theirs");
        if code == 401 {
            answer = answer.header(Name::WwwAuthenticate, challenge);
        } else if code == 407 {
            answer = answer.header(Name::ProxyAuthenticate, challenge);
        }
        self.hears(&answer.finish());
    }
}

fn row(event: &str) -> Option<String> {
    let mut desk = Desk::new();
    match event.parse() {
        Ok(code) => desk.answers(code),
        Err(_) => {
            desk.now = desk.now + GIVE_UP;
            desk.agent.on_deadline(desk.now, &mut desk.out);
        }
    }
    let state = if desk.agent.letters.is_empty() { "Gone" } else { "Sending" };
    table::row("Sending", event, state, &desk.done())
}

#[test]
fn the_code_does_what_the_table_says() {
    let events = ["100", "200", "202", "401", "407", "403", "503", "no answer"];
    table::compare(include_str!("../letter.rs"), &["Sending"], &events, |_, event| row(event));
}

#[test]
fn a_message_is_what_its_standard_asks_for() {
    let desk = Desk::new();
    let message = &desk.sent[0];
    assert_eq!(message.check(), Ok(()));
    assert_eq!(message.uri(), Some("sip:+818012345678@pbx.example"));
    assert_eq!(message.header(&Name::ContentType), Some("text/plain;charset=UTF-8"));
    assert_eq!(message.header(&Name::Contact), None);
    assert_eq!(message.body(), TEXT.as_bytes());
    assert!(message.to().unwrap().tag().is_none() && message.from().unwrap().tag().is_some());
}

#[test]
fn the_longest_message_fits_into_1300_bytes_with_credentials_and_a_longer_one_is_refused() {
    let mut desk = Desk::new();
    desk.answers(200);
    desk.done();
    assert_eq!(desk.send(8, &"x".repeat(TEXT_MAX + 1)), Err(MessageError::TooLong(TEXT_MAX + 1)));
    assert_eq!(desk.send(7, &"x".repeat(TEXT_MAX)), Ok(()));
    desk.done();
    desk.answers(407);
    assert_eq!(desk.done(), ["MESSAGE"]);
    let bytes = Edit::of(desk.sent.last().unwrap()).finish();
    assert!(bytes.len() <= 1_300, "{}", bytes.len());
    assert!(desk.sent.last().unwrap().header(&Name::ProxyAuthorization).is_some());
}

#[test]
fn a_wrong_password_and_a_refusal_say_so() {
    let mut desk = Desk::new();
    desk.answers(401);
    desk.done();
    desk.answers(401);
    assert_eq!(desk.done(), ["failed"]);
    let failed = desk.events.last().unwrap();
    assert!(matches!(failed, Event::MessageFailed { code: Some(401), reason, .. } if reason.contains("password")));
}

#[test]
fn what_cannot_be_tried_is_refused_at_once() {
    let mut desk = Desk::new();
    assert_eq!(desk.send(7, TEXT), Err(MessageError::UnderWay));
    let nowhere = TrunkId::parse("nowhere").unwrap();
    let sent = desk.agent.send_message(desk.now, 9, &nowhere, &number(), TEXT, &mut desk.out);
    assert_eq!(sent, Err(MessageError::UnknownTrunk));
    for message in 100..100 + LETTERS_MAX as u32 - 1 {
        assert_eq!(desk.send(message, TEXT), Ok(()));
    }
    assert_eq!(desk.send(9_999, TEXT), Err(MessageError::Full));
    desk.agent.stop(desk.now, &mut desk.out);
    assert_eq!(desk.send(10_000, TEXT), Err(MessageError::Stopping));
}

#[test]
fn a_message_crosses_a_bad_wire_and_is_told_once() {
    for seed in 0..20 {
        let mut world = World::new(Wire::BAD, seed);
        world.at(ALICE, |alice, now, out| {
            let to = Phone::parse("sip:bob@pbx.example").unwrap();
            alice.send_message(now, 3, &main_trunk(), &to, TEXT, out).unwrap();
        });
        assert!(world.settles(Duration::from_secs(60)), "seed {seed}");
        assert_eq!(world.events[ALICE], [Event::MessageSent { message: 3 }], "seed {seed}");
        let got = Event::MessageReceived { trunk: main_trunk(), from: "hansho".into(), text: TEXT.into() };
        assert_eq!(world.events[BOB], [got], "seed {seed}");
    }
}

fn comes(kind: &str, body: &[u8]) -> Vec<u8> {
    Builder::request(Method::Message, "sip:hansho@192.0.2.10:5060")
        .header(Name::Via, "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKm1;rport")
        .header(Name::MaxForwards, "70")
        .header(Name::From, "<sip:+81312345678@pbx.example>;tag=t")
        .header(Name::To, "<sip:hansho@pbx.example>")
        .header(Name::CallId, "m-1")
        .header(Name::CSeq, "1 MESSAGE")
        .body(kind, body)
        .finish()
}

#[test]
fn a_message_from_the_trunk_is_answered_and_told_once() {
    let mut desk = Desk::new();
    desk.hears(&comes("text/plain; charset=utf-8", "はい".as_bytes()));
    desk.hears(&comes("text/plain; charset=utf-8", "はい".as_bytes()));
    assert_eq!(desk.done(), ["200", "message", "200"]);
    let got = Event::MessageReceived { trunk: main_trunk(), from: "+81312345678".into(), text: "はい".into() };
    assert_eq!(desk.events, [got]);
}

#[test]
fn what_is_no_plain_text_is_refused_and_a_stranger_hears_nothing() {
    let mut desk = Desk::new();
    desk.hears(&comes("message/cpim", b"x"));
    assert_eq!(desk.done(), ["415"]);
    assert_eq!(desk.sent.last().unwrap().header(&Name::Accept), Some("text/plain"));
    let mut desk = Desk::new();
    let stranger: crate::sip::Hop = "203.0.113.9:5060".parse().unwrap();
    desk.agent.on_datagram(desk.now, stranger, &comes("text/plain", b"x"), &mut desk.out);
    assert!(desk.done().is_empty());
}
