use super::*;
use core::net::SocketAddr;

use crate::sip::table;
use crate::sip::tests::bench::{Bench, SDP_G729, SDP_HELD, SDP_PCMU, asks};
use crate::sip::tests::peer;
use crate::sip::transactions::CallKey;
use crate::wire::sip::Edit;

const EVENTS: [&str; 19] = [
    "BYE",
    "INVITE",
    "INVITE without offer",
    "INVITE without common codec",
    "INVITE of another kind",
    "UPDATE",
    "UPDATE without offer",
    "INFO",
    "INFO with a key",
    "INFO with body",
    "OPTIONS",
    "MESSAGE",
    "other",
    "old number",
    "other phone",
    "ACK",
    "no ACK",
    "press",
    "hang up",
];

fn up(bench: &mut Bench) -> Session {
    let invite = asks(Method::Invite, 5, "theirs", "", SDP_PCMU);
    let dialog = Dialog::of_invite(&invite, "ours", peer()).unwrap();
    let mut terms = Terms::new(SocketAddr::from(([192, 0, 2, 10], 20_000)), &crate::base::Codec::ALL, 1);
    let (_, stream) = terms.answer(invite.body()).unwrap();
    bench.done();
    let refresh = Refresh::of_invite(bench.now, &invite, None);
    Session::new(bench.now, Owner::Call(CallKey(1)), dialog, terms, stream, refresh)
}

fn ask(bench: &mut Bench, session: &mut Session, message: Message) -> Next {
    let (message, tx) = bench.request(message);
    session.on_request(&mut bench.ctx(), Asked { message: &message, tx, source: peer() })
}

fn in_state(name: &str, bench: &mut Bench) -> Session {
    let mut session = up(bench);
    if name != "Steady" {
        let offer = if name == "Offering" { "" } else { SDP_PCMU };
        ask(bench, &mut session, asks(Method::Invite, 6, "theirs", "ours", offer));
        bench.done();
    }
    session
}

fn name(session: &Session) -> &'static str {
    match session.state {
        State::Steady => "Steady",
        State::Unacknowledged { .. } => "Unacknowledged",
        State::Offering { .. } => "Offering",
    }
}

fn row(state: &str, event: &str) -> Option<String> {
    let mut bench = Bench::new();
    let mut session = in_state(state, &mut bench);
    let (method, seq, tag, sdp) = match event {
        "BYE" => (Method::Bye, 7, "theirs", ""),
        "INVITE" => (Method::Invite, 7, "theirs", SDP_HELD),
        "INVITE without offer" => (Method::Invite, 7, "theirs", ""),
        "INVITE without common codec" => (Method::Invite, 7, "theirs", SDP_G729),
        "UPDATE" => (Method::Update, 7, "theirs", SDP_HELD),
        "UPDATE without offer" => (Method::Update, 7, "theirs", ""),
        "INFO" => (Method::Info, 7, "theirs", ""),
        "INFO with body" => (Method::Info, 7, "theirs", "Signal=1"),
        "OPTIONS" => (Method::Options, 7, "theirs", ""),
        "other" => (Method::Refer, 7, "theirs", ""),
        "old number" => (Method::Info, 4, "theirs", ""),
        "other phone" => (Method::Bye, 7, "another", ""),
        "ACK" => (Method::Ack, 6, "theirs", ""),
        _ => (Method::Options, 0, "", ""),
    };
    let next = match event {
        "ACK" => {
            session.on_ack(&mut bench.ctx(), &asks(method, seq, tag, "ours", sdp));
            Next::Stay
        }
        "press" => {
            session.press(&mut bench.ctx(), Digit::from_char('5').unwrap());
            Next::Stay
        }
        "INFO with a key" | "MESSAGE" | "INVITE of another kind" => {
            let (method, kind) = match event {
                "MESSAGE" => (Method::Message, "text/plain"),
                "INFO with a key" => (Method::Info, "application/dtmf-relay"),
                _ => (Method::Invite, "multipart/mixed;boundary=b"),
            };
            let asked = Edit::of(&asks(method, 7, "theirs", "ours", "Signal=1")).set(Name::ContentType, kind).finish();
            ask(&mut bench, &mut session, Message::parse(&asked).unwrap())
        }
        "no ACK" => {
            bench.now = bench.now + crate::sip::timers::GIVE_UP;
            session.on_deadline(&mut bench.ctx())
        }
        "hang up" => {
            let end = End { cause: Cause::Us, code: Some(200), reason: "test".into() };
            session.hang_up(&mut bench.ctx(), end)
        }
        _ => ask(&mut bench, &mut session, asks(method, seq, tag, "ours", sdp)),
    };
    bench.row(state, event, &next, name(&session))
}

#[test]
fn the_code_does_what_the_table_says() {
    table::compare(include_str!("../session.rs"), &["Steady", "Unacknowledged", "Offering"], &EVENTS, row);
}

#[test]
fn hold_and_resume_change_what_we_may_send() {
    let mut bench = Bench::new();
    let mut session = up(&mut bench);
    ask(&mut bench, &mut session, asks(Method::Invite, 6, "theirs", "ours", SDP_HELD));
    assert!(!session.stream.send && session.stream.receive);
    session.on_ack(&mut bench.ctx(), &asks(Method::Ack, 6, "theirs", "ours", ""));
    ask(&mut bench, &mut session, asks(Method::Invite, 7, "theirs", "ours", SDP_PCMU));
    assert!(session.stream.send && session.stream.receive);
    assert_eq!(bench.done(), ["200", "changed", "200", "changed"]);
    let body = |place: usize| String::from_utf8_lossy(bench.sent[place].body()).into_owned();
    assert!(body(0).contains("a=recvonly"), "{}", body(0));
}

#[test]
fn a_re_invite_moves_the_remote_target() {
    let mut bench = Bench::new();
    let mut session = up(&mut bench);
    let moved = Edit::of(&asks(Method::Invite, 6, "theirs", "ours", SDP_PCMU))
        .set(Name::Contact, "<sip:phone@192.0.2.77:5080>")
        .finish();
    let moved = Message::parse(&moved).unwrap();
    ask(&mut bench, &mut session, moved);
    let end = End { cause: Cause::Us, code: Some(200), reason: "test".into() };
    session.hang_up(&mut bench.ctx(), end);
    bench.done();
    assert_eq!(bench.last(&Method::Bye).uri(), Some("sip:phone@192.0.2.77:5080"));
}

#[test]
fn a_re_invite_without_offer_takes_the_answer_from_the_ack() {
    let mut bench = Bench::new();
    let mut session = up(&mut bench);
    ask(&mut bench, &mut session, asks(Method::Invite, 6, "theirs", "ours", ""));
    session.on_ack(&mut bench.ctx(), &asks(Method::Ack, 6, "theirs", "ours", SDP_HELD));
    assert_eq!(bench.done(), ["200", "changed"]);
}

#[test]
fn an_offer_that_is_refused_is_told_what_was_wrong_with_it() {
    let mut bench = Bench::new();
    let mut session = up(&mut bench);
    for (seq, method) in [(6, Method::Invite), (7, Method::Update)] {
        ask(&mut bench, &mut session, asks(method, seq, "theirs", "ours", SDP_G729));
        assert_eq!(bench.done(), ["488"]);
        let warning = bench.sent.last().unwrap().header(&Name::Warning);
        assert_eq!(warning, Some("399 hansho-test \"no codec in common\""));
    }
}

#[test]
fn a_re_invite_that_overtakes_an_ack_is_answered_and_the_late_ack_is_not_its_own() {
    let mut bench = Bench::new();
    let mut session = up(&mut bench);
    ask(&mut bench, &mut session, asks(Method::Invite, 6, "theirs", "ours", SDP_HELD));
    ask(&mut bench, &mut session, asks(Method::Invite, 7, "theirs", "ours", SDP_PCMU));
    assert_eq!(bench.done(), ["200", "changed", "200", "changed"]);
    session.on_ack(&mut bench.ctx(), &asks(Method::Ack, 6, "theirs", "ours", ""));
    assert_eq!(name(&session), "Unacknowledged");
    session.on_ack(&mut bench.ctx(), &asks(Method::Ack, 7, "theirs", "ours", ""));
    assert_eq!(name(&session), "Steady");
}

#[test]
fn an_offer_among_other_parts_is_answered_and_so_is_one_in_the_ack() {
    let mut bench = Bench::new();
    let mut session = up(&mut bench);
    let parted = |message: Message| {
        let body = format!("--b\r\nContent-Type: application/sdp\r\n\r\n{SDP_HELD}\r\n--b--\r\n");
        let head = Edit::of(&message).set(Name::ContentType, "multipart/mixed;boundary=b").finish();
        let head = String::from_utf8(head).unwrap().split("\r\n\r\n").next().unwrap().to_owned();
        let head = head.lines().filter(|line| !line.starts_with("Content-Length")).collect::<Vec<_>>().join("\r\n");
        Message::parse(format!("{head}\r\n\r\n{body}").as_bytes()).unwrap()
    };
    ask(&mut bench, &mut session, parted(asks(Method::Update, 6, "theirs", "ours", SDP_PCMU)));
    assert_eq!(bench.done(), ["200", "changed"]);
    ask(&mut bench, &mut session, asks(Method::Invite, 7, "theirs", "ours", SDP_PCMU));
    session.on_ack(&mut bench.ctx(), &asks(Method::Ack, 7, "theirs", "ours", ""));
    ask(&mut bench, &mut session, asks(Method::Invite, 8, "theirs", "ours", ""));
    session.on_ack(&mut bench.ctx(), &parted(asks(Method::Ack, 8, "theirs", "ours", SDP_PCMU)));
    assert_eq!(bench.done(), ["200", "changed", "200", "changed"]);
}
