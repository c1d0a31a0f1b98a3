use super::*;
use crate::sip::table;
use crate::sip::tests::bench::{Bench, SDP_PCMU, asks};
use crate::sip::tests::peer;
use crate::sip::transactions::CallKey;
use crate::wire::sip::Edit;

const STATES: [&str; 3] = ["Offered", "Answering", "Hanging"];
const EVENTS: [&str; 16] = [
    "ring",
    "accept",
    "refuse",
    "hang up",
    "CANCEL",
    "ACK",
    "BYE",
    "UPDATE",
    "UPDATE with offer",
    "INVITE",
    "PRACK",
    "INFO",
    "old number",
    "other phone",
    "patience",
    "no ACK",
];

fn end() -> End {
    End { cause: Cause::Us, code: Some(200), reason: "test".into() }
}

fn terms() -> Terms {
    Terms::new(core::net::SocketAddr::from(([192, 0, 2, 10], 20_000)), &crate::base::Codec::ALL, 1)
}

fn called(bench: &mut Bench, sdp: &str) -> Incoming {
    let (invite, tx) = bench.request(asks(Method::Invite, 5, "theirs", "", sdp));
    let dialog = Dialog::of_invite(&invite, "ours", peer()).unwrap();
    let asked = Asked { message: &invite, tx, source: peer() };
    Incoming::new(bench.now, Owner::Call(CallKey(1)), asked, "ours".into(), dialog)
}

fn in_state(name: &str, bench: &mut Bench) -> Incoming {
    let mut incoming = called(bench, SDP_PCMU);
    if name != "Offered" {
        incoming.accept(&mut bench.ctx(), terms());
    }
    if name == "Hanging" {
        incoming.hang_up(&mut bench.ctx(), end());
    }
    bench.done();
    incoming
}

fn name(incoming: &Incoming) -> &'static str {
    match incoming.state {
        State::Offered { .. } => "Offered",
        State::Answering { .. } => "Answering",
        State::Hanging { .. } => "Hanging",
        State::Gone => "Gone",
    }
}

fn row(state: &str, event: &str) -> Option<String> {
    let mut bench = Bench::new();
    let mut incoming = in_state(state, &mut bench);
    let next = match event {
        "ring" => {
            incoming.ring(&mut bench.ctx());
            Next::Stay
        }
        "accept" => incoming.accept(&mut bench.ctx(), terms()),
        // Once it was accepted there is nothing left to refuse; the wish is a wish to hang up.
        "refuse" if state != "Offered" => return None,
        "refuse" => incoming.refuse(&mut bench.ctx(), 486),
        "hang up" => incoming.hang_up(&mut bench.ctx(), end()),
        "CANCEL" => incoming.on_cancel(&mut bench.ctx(), &asks(Method::Cancel, 5, "theirs", "", "")),
        "ACK" => incoming.on_ack(&mut bench.ctx(), &asks(Method::Ack, 5, "theirs", "ours", "")),
        "patience" | "no ACK" => {
            if (event == "patience") != (state == "Offered") {
                return None;
            }
            let pause = if event == "patience" { PATIENCE } else { crate::sip::timers::GIVE_UP };
            bench.now = bench.now + pause;
            incoming.on_deadline(&mut bench.ctx())
        }
        _ => {
            let (word, sdp) = match event {
                "UPDATE with offer" => ("UPDATE", SDP_PCMU),
                "old number" | "other phone" => ("INFO", ""),
                _ => (event, ""),
            };
            let seq = if event == "old number" { 4 } else { 6 };
            let tag = if event == "other phone" { "another" } else { "theirs" };
            let method = Method::parse(word).unwrap();
            let (message, tx) = bench.request(asks(method, seq, tag, "ours", sdp));
            incoming.on_request(&mut bench.ctx(), Asked { message: &message, tx, source: peer() })
        }
    };
    bench.row(state, event, &next, name(&incoming))
}

#[test]
fn the_code_does_what_the_table_says() {
    table::compare(include_str!("../incoming.rs"), &STATES, &EVENTS, row);
}

/// A call from somebody who demands that provisional responses are not lost, ringing.
fn demanding(bench: &mut Bench) -> Incoming {
    let invite = Edit::of(&asks(Method::Invite, 5, "theirs", "", SDP_PCMU)).set(Name::Require, "100rel").finish();
    let (invite, tx) = bench.request(Message::parse(&invite).unwrap());
    let dialog = Dialog::of_invite(&invite, "ours", peer()).unwrap();
    let asked = Asked { message: &invite, tx, source: peer() };
    let mut incoming = Incoming::new(bench.now, Owner::Call(CallKey(1)), asked, "ours".into(), dialog);
    incoming.ring(&mut bench.ctx());
    incoming.ring(&mut bench.ctx());
    assert_eq!(bench.done(), ["180"]);
    assert_eq!(bench.sent.last().unwrap().header(&Name::Require), Some("100rel"));
    incoming
}

fn prack(bench: &mut Bench, incoming: &mut Incoming, seq: u32, rack: &str) -> Vec<String> {
    let prack = Edit::of(&asks(Method::Prack, seq, "theirs", "ours", "")).set(Name::RAck, rack).finish();
    let (prack, tx) = bench.request(Message::parse(&prack).unwrap());
    incoming.on_request(&mut bench.ctx(), Asked { message: &prack, tx, source: peer() });
    bench.done()
}

#[test]
fn a_180_that_is_demanded_reliably_is_sent_until_the_prack_comes() {
    let mut bench = Bench::new();
    let mut incoming = demanding(&mut bench);
    let rseq = bench.sent.last().unwrap().header(&Name::RSeq).unwrap().to_owned();
    bench.now = incoming.next_deadline().unwrap();
    incoming.on_deadline(&mut bench.ctx());
    assert_eq!(bench.done(), ["180"]);
    assert_eq!(prack(&mut bench, &mut incoming, 6, "1 9 INVITE"), ["481"]);
    assert_eq!(prack(&mut bench, &mut incoming, 7, &format!("{rseq} 5 INVITE")), ["200"]);
    assert_eq!(incoming.next_deadline(), Some(Time::ZERO + PATIENCE));
    assert_eq!(prack(&mut bench, &mut incoming, 8, &format!("{rseq} 5 INVITE")), ["481"]);
}

#[test]
fn a_180_that_would_have_to_hold_an_offer_is_not_sent() {
    let mut bench = Bench::new();
    let invite = Edit::of(&asks(Method::Invite, 5, "theirs", "", "")).set(Name::Require, "100rel").finish();
    let (invite, tx) = bench.request(Message::parse(&invite).unwrap());
    let dialog = Dialog::of_invite(&invite, "ours", peer()).unwrap();
    let asked = Asked { message: &invite, tx, source: peer() };
    let mut incoming = Incoming::new(bench.now, Owner::Call(CallKey(1)), asked, "ours".into(), dialog);
    incoming.ring(&mut bench.ctx());
    assert_eq!(bench.done(), [""; 0]);
    incoming.accept(&mut bench.ctx(), terms());
    assert_eq!(bench.done(), ["200"]);
}

#[test]
fn whoever_is_told_to_come_again_is_told_when_and_not_always_the_same() {
    let mut bench = Bench::new();
    let mut incoming = in_state("Offered", &mut bench);
    let waits: std::collections::BTreeSet<u32> = (6..60)
        .map(|seq| {
            let (message, tx) = bench.request(asks(Method::Invite, seq, "theirs", "ours", SDP_PCMU));
            incoming.on_request(&mut bench.ctx(), Asked { message: &message, tx, source: peer() });
            assert_eq!(bench.done(), ["500"]);
            bench.sent.last().unwrap().retry_after().unwrap()
        })
        .collect();
    assert!(waits.len() > 5 && waits.iter().all(|wait| *wait <= 10), "{waits:?}");
}

#[test]
fn a_prack_that_crosses_the_200_is_answered() {
    let mut bench = Bench::new();
    let mut incoming = demanding(&mut bench);
    let rseq = bench.sent.last().unwrap().header(&Name::RSeq).unwrap().to_owned();
    incoming.accept(&mut bench.ctx(), terms());
    assert_eq!(bench.done(), ["200"]);
    assert_eq!(prack(&mut bench, &mut incoming, 6, &format!("{rseq} 5 INVITE")), ["200"]);
}

#[test]
fn a_180_that_nobody_acknowledges_ends_the_call() {
    let mut bench = Bench::new();
    let mut incoming = demanding(&mut bench);
    bench.now = Time::ZERO + crate::sip::timers::GIVE_UP;
    let next = incoming.on_deadline(&mut bench.ctx());
    assert!(matches!(&next, Next::Over(end) if end.cause == Cause::Timeout), "{next:?}");
    assert_eq!(bench.done(), ["504"]);
}

#[test]
fn a_session_timer_is_granted_and_the_caller_told_to_refresh() {
    for (supported, expires, require) in
        [("timer", "1800;refresher=uac", Some("timer")), ("100rel", "1800;refresher=uas", None)]
    {
        let mut bench = Bench::new();
        let invite = Edit::of(&asks(Method::Invite, 5, "theirs", "", SDP_PCMU))
            .set(Name::Supported, supported)
            .set(Name::SessionExpires, "1800")
            .finish();
        let (invite, tx) = bench.request(Message::parse(&invite).unwrap());
        let dialog = Dialog::of_invite(&invite, "ours", peer()).unwrap();
        let asked = Asked { message: &invite, tx, source: peer() };
        let mut incoming = Incoming::new(bench.now, Owner::Call(CallKey(1)), asked, "ours".into(), dialog);
        incoming.accept(&mut bench.ctx(), terms());
        assert_eq!(bench.done(), ["200"]);
        let answer = bench.sent.last().unwrap();
        assert_eq!((answer.header(&Name::SessionExpires), answer.header(&Name::Require)), (Some(expires), require));
    }
}

#[test]
fn an_invite_without_an_offer_gets_ours_and_the_ack_brings_the_answer() {
    let mut bench = Bench::new();
    let mut incoming = called(&mut bench, "");
    incoming.accept(&mut bench.ctx(), terms());
    assert_eq!(bench.done(), ["200"]);
    assert!(!bench.sent.last().unwrap().body().is_empty());
    let next = incoming.on_ack(&mut bench.ctx(), &asks(Method::Ack, 5, "theirs", "ours", SDP_PCMU));
    assert!(matches!(next, Next::Up(_)), "{next:?}");
}

#[test]
fn an_ack_without_the_answer_we_asked_for_ends_the_call() {
    let mut bench = Bench::new();
    let mut incoming = called(&mut bench, "");
    incoming.accept(&mut bench.ctx(), terms());
    let next = incoming.on_ack(&mut bench.ctx(), &asks(Method::Ack, 5, "theirs", "ours", ""));
    assert!(matches!(&next, Next::Leaving(farewell) if farewell.end().cause == Cause::NoCommonCodec), "{next:?}");
    assert_eq!(bench.done(), ["200", "BYE"]);
}

#[test]
fn every_answer_has_the_same_tag_and_the_route_of_the_invite() {
    let mut bench = Bench::new();
    let invite = Edit::of(&asks(Method::Invite, 5, "theirs", "", ""))
        .push_front(Name::RecordRoute, "<sip:192.0.2.1;lr>, <sip:192.0.2.2;lr>")
        .finish();
    let (invite, tx) = bench.request(Message::parse(&invite).unwrap());
    let dialog = Dialog::of_invite(&invite, "ours", peer()).unwrap();
    let asked = Asked { message: &invite, tx, source: peer() };
    let mut incoming = Incoming::new(bench.now, Owner::Call(CallKey(1)), asked, "ours".into(), dialog);
    incoming.ring(&mut bench.ctx());
    incoming.accept(&mut bench.ctx(), terms());
    assert_eq!(bench.done(), ["180", "200"]);
    for response in &bench.sent {
        assert_eq!(response.to().unwrap().tag(), Some("ours"));
        assert_eq!(response.header(&Name::RecordRoute), Some("<sip:192.0.2.1;lr>, <sip:192.0.2.2;lr>"));
    }
}

#[test]
fn another_offer_before_the_answer_to_ours_has_to_wait() {
    let mut bench = Bench::new();
    let mut incoming = called(&mut bench, "");
    incoming.accept(&mut bench.ctx(), terms());
    for (seq, method) in [(6, Method::Invite), (7, Method::Update)] {
        let (message, tx) = bench.request(asks(method, seq, "theirs", "ours", SDP_PCMU));
        let next = incoming.on_request(&mut bench.ctx(), Asked { message: &message, tx, source: peer() });
        assert!(matches!(next, Next::Stay), "{next:?}");
    }
    assert_eq!(bench.done(), ["200", "491", "491"]);
}
