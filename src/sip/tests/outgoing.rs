use super::*;
use core::net::SocketAddr;

use crate::base::LegId;
use crate::sip::table;
use crate::sip::tests::bench::{Bench, SDP_G729, SDP_PCMU, asks};
use crate::sip::tests::peer;
use crate::sip::transactions::CallKey;
use crate::wire::sip::{Edit, Name};

const STATES: [&str; 4] = ["Calling", "Ringing", "CancelWanted", "Cancelling"];
const EVENTS: [&str; 18] = [
    "100",
    "180",
    "reliable 180",
    "200",
    "200 without common codec",
    "401",
    "420",
    "422",
    "302",
    "302 to the same number",
    "486",
    "no answer",
    "no sign",
    "BYE",
    "UPDATE",
    "INFO",
    "hang up",
    "patience",
];

fn end() -> End {
    End { cause: Cause::Us, code: None, reason: "test".into() }
}

fn dialled(bench: &mut Bench) -> Outgoing {
    let terms = Terms::new(SocketAddr::from(([192, 0, 2, 10], 30_000)), &crate::base::Codec::ALL, 1);
    let request = Request {
        method: Method::Invite,
        uri: "sip:+818012345678@pbx.example".into(),
        hop: peer(),
        from: "<sip:hansho@pbx.example>;tag=ours".into(),
        to: "<sip:+818012345678@pbx.example>".into(),
        call_id: "call-1".into(),
        seq: 1,
        routes: Vec::new(),
        headers: vec![(Name::Supported, SUPPORTED.into()), (Name::SessionExpires, "1800".into())],
        body: None,
    };
    let outgoing = Outgoing::start(&mut bench.ctx(), Owner::Call(CallKey(1)), "secret".into(), request, terms);
    assert_eq!(bench.done(), ["INVITE"]);
    outgoing
}

fn in_state(name: &str, bench: &mut Bench) -> Outgoing {
    let mut outgoing = dialled(bench);
    let tx = outgoing.tx();
    let trying = bench.response(&Method::Invite, 100, "");
    if matches!(name, "Ringing" | "Cancelling") {
        outgoing.on_response(&mut bench.ctx(), tx, &trying);
    }
    if matches!(name, "CancelWanted" | "Cancelling") {
        outgoing.hang_up(&mut bench.ctx(), end());
    }
    bench.done();
    outgoing
}

fn name(outgoing: &Outgoing) -> &'static str {
    match outgoing.state {
        State::Calling { .. } => "Calling",
        State::Ringing { .. } => "Ringing",
        State::CancelWanted { .. } => "CancelWanted",
        State::Cancelling { .. } => "Cancelling",
    }
}

fn row(state: &str, event: &str) -> Option<String> {
    let mut bench = Bench::new();
    let mut outgoing = in_state(state, &mut bench);
    let tx = outgoing.tx();
    let next = match event {
        "no answer" => outgoing.on_timeout(tx, "silence"),
        "no sign" => {
            outgoing.hurry(bench.now);
            outgoing.on_deadline(&mut bench.ctx())
        }
        "hang up" => outgoing.hang_up(&mut bench.ctx(), end()),
        "patience" => {
            bench.now = outgoing.next_deadline()?;
            outgoing.on_deadline(&mut bench.ctx())
        }
        "BYE" | "UPDATE" | "INFO" => {
            let method = Method::parse(event).unwrap();
            let (bye, tx) = bench.request(asks(method, 1, "theirs", "ours", ""));
            outgoing.on_request(&mut bench.ctx(), Asked { message: &bye, tx, source: peer() })
        }
        _ => {
            let sdp = match event {
                "200" => SDP_PCMU,
                "200 without common codec" => SDP_G729,
                _ => "",
            };
            let code = event.trim_start_matches("reliable ").get(..3).unwrap().parse().unwrap();
            let response = bench.response(&Method::Invite, code, sdp);
            let response = match event {
                "reliable 180" => Edit::of(&response).set(Name::Require, "100rel").set(Name::RSeq, "1").finish(),
                "420" => Edit::of(&response).set(Name::Unsupported, "timer").finish(),
                "302 to the same number" => {
                    Edit::of(&response).set(Name::Contact, "<sip:+818012345678@pbx.example:5070>").finish()
                }
                _ => Edit::of(&response).finish(),
            };
            let response = Message::parse(&response).unwrap();
            outgoing.on_response(&mut bench.ctx(), tx, &response)
        }
    };
    bench.row(state, event, &next, name(&outgoing))
}

#[test]
fn the_code_does_what_the_table_says() {
    table::compare(include_str!("../outgoing.rs"), &STATES, &EVENTS, row);
}

#[test]
fn an_answer_in_a_183_holds_when_the_200_has_none() {
    let mut bench = Bench::new();
    let mut outgoing = dialled(&mut bench);
    let tx = outgoing.tx();
    let early = bench.response(&Method::Invite, 183, SDP_PCMU);
    let answer = bench.response(&Method::Invite, 200, "");
    outgoing.on_response(&mut bench.ctx(), tx, &early);
    let next = outgoing.on_response(&mut bench.ctx(), tx, &answer);
    assert!(matches!(next, Next::Up(_)), "{next:?}");
    assert_eq!(bench.done(), ["ringing", "answered", "ACK"]);
}

#[test]
fn a_200_without_any_answer_is_acknowledged_and_ended() {
    let mut bench = Bench::new();
    let mut outgoing = dialled(&mut bench);
    let tx = outgoing.tx();
    let answer = bench.response(&Method::Invite, 200, "");
    let next = outgoing.on_response(&mut bench.ctx(), tx, &answer);
    assert!(matches!(&next, Next::Leaving(farewell) if farewell.end().cause == Cause::NoCommonCodec), "{next:?}");
}

#[test]
fn a_session_timer_that_is_too_short_is_lengthened_once() {
    let mut bench = Bench::new();
    let mut outgoing = dialled(&mut bench);
    for expected in [&["INVITE"][..], &[]] {
        let short = bench.response(&Method::Invite, 422, "");
        let tx = outgoing.tx();
        let next = outgoing.on_response(&mut bench.ctx(), tx, &short);
        assert_eq!(matches!(next, Next::Over(_)), expected.is_empty(), "{next:?}");
        assert_eq!(bench.done(), expected);
    }
    let invite = bench.last(&Method::Invite);
    assert_eq!((invite.header(&Name::SessionExpires), invite.header(&Name::MinSe)), (Some("3600"), Some("3600")));
    assert_eq!(invite.cseq().unwrap().number, 2);
}

#[test]
fn a_redirect_that_is_followed_keeps_the_call_and_changes_the_address() {
    let mut bench = Bench::new();
    let mut outgoing = dialled(&mut bench);
    let moved = |bench: &Bench, to: &str| {
        let moved = bench.response(&Method::Invite, 302, "");
        Message::parse(&Edit::of(&moved).set(Name::Contact, to).finish()).unwrap()
    };
    let first = bench.last(&Method::Invite).clone();
    let response = moved(&bench, "<sip:+818012345678@pbx.example;gw=2>");
    let tx = outgoing.tx();
    outgoing.on_response(&mut bench.ctx(), tx, &response);
    assert_eq!(bench.done(), ["INVITE"]);
    let second = bench.last(&Method::Invite);
    assert_eq!(second.uri(), Some("sip:+818012345678@pbx.example;gw=2"));
    assert_eq!((second.call_id(), second.header(&Name::To)), (first.call_id(), first.header(&Name::To)));
    assert_eq!((second.cseq().unwrap().number, second.body()), (2, first.body()));
    // Back to the first address would be a circle.
    let response = moved(&bench, "<sip:+818012345678@pbx.example>");
    let tx = outgoing.tx();
    let next = outgoing.on_response(&mut bench.ctx(), tx, &response);
    assert!(matches!(&next, Next::Over(end) if end.reason.ends_with("it leads in a circle")), "{next:?}");
}

#[test]
fn whoever_answers_elsewhere_is_named_in_the_cancel_and_in_the_bye() {
    let mut bench = Bench::new();
    let elsewhere = End { cause: Cause::Elsewhere, ..end() };
    let mut outgoing = in_state("Ringing", &mut bench);
    outgoing.hang_up(&mut bench.ctx(), elsewhere);
    assert_eq!(bench.done(), ["CANCEL"]);
    let told = Some("SIP;cause=200;text=\"Call completed elsewhere\"");
    assert_eq!(bench.last(&Method::Cancel).header(&Name::Reason), told);
    // The 200 crosses it.
    let answer = bench.response(&Method::Invite, 200, SDP_PCMU);
    let tx = outgoing.tx();
    outgoing.on_response(&mut bench.ctx(), tx, &answer);
    assert_eq!(bench.done(), ["unwanted", "ACK", "BYE"]);
    assert_eq!(bench.last(&Method::Bye).header(&Name::Reason), told);
    assert_eq!(bench.last(&Method::Ack).header(&Name::Reason), None);
}

#[test]
fn the_same_180_is_told_once() {
    let mut bench = Bench::new();
    let mut outgoing = dialled(&mut bench);
    let tx = outgoing.tx();
    let ringing = bench.response(&Method::Invite, 180, "");
    let forwarded = bench.response(&Method::Invite, 181, "");
    for response in [&ringing, &ringing, &forwarded] {
        outgoing.on_response(&mut bench.ctx(), tx, response);
    }
    assert_eq!(bench.done(), ["ringing", "ringing"]);
}

#[test]
fn the_cancel_repeats_branch_and_number_of_the_invite() {
    let mut bench = Bench::new();
    let outgoing = in_state("Cancelling", &mut bench);
    let (invite, cancel) = (bench.last(&Method::Invite), bench.last(&Method::Cancel));
    assert_eq!(invite.header(&crate::wire::sip::Name::Via), cancel.header(&crate::wire::sip::Name::Via));
    assert_eq!(invite.uri(), cancel.uri());
    assert_eq!(cancel.cseq().unwrap().number, invite.cseq().unwrap().number);
    assert!(outgoing.next_deadline().is_some() && bench.ctx().leg == Some(LegId(1)));
}

#[test]
fn the_ack_to_a_200_carries_the_credentials_of_its_invite() {
    let mut bench = Bench::new();
    let mut outgoing = dialled(&mut bench);
    let challenge = bench.response(&Method::Invite, 401, "");
    let tx = outgoing.tx();
    outgoing.on_response(&mut bench.ctx(), tx, &challenge);
    assert_eq!(bench.done(), ["INVITE"]);
    let invite = bench.last(&Method::Invite).clone();
    assert_eq!(invite.cseq().unwrap().number, 2);
    let answer = bench.response(&Method::Invite, 200, SDP_PCMU);
    let tx = outgoing.tx();
    outgoing.on_response(&mut bench.ctx(), tx, &answer);
    bench.done();
    let ack = bench.last(&Method::Ack);
    let name = crate::wire::sip::Name::Authorization;
    assert!(ack.header(&name).is_some());
    assert_eq!((ack.header(&name), ack.cseq().unwrap().number), (invite.header(&name), 2));
    assert_ne!(ack.via().unwrap().branch(), invite.via().unwrap().branch());
}

#[test]
fn an_extension_that_is_not_liked_is_left_out_once() {
    let mut bench = Bench::new();
    let mut outgoing = dialled(&mut bench);
    let bad = Edit::of(&bench.response(&Method::Invite, 420, "")).set(Name::Unsupported, "timer, x").finish();
    let bad = Message::parse(&bad).unwrap();
    let tx = outgoing.tx();
    outgoing.on_response(&mut bench.ctx(), tx, &bad);
    assert_eq!(bench.done(), ["INVITE"]);
    let invite = bench.last(&Method::Invite);
    assert_eq!((invite.header(&Name::Supported), invite.header(&Name::SessionExpires)), (Some("100rel"), None));
    let tx = outgoing.tx();
    let next = outgoing.on_response(&mut bench.ctx(), tx, &bad);
    assert!(matches!(&next, Next::Over(end) if end.code == Some(420)), "{next:?}");
}

#[test]
fn a_telephone_that_is_out_of_the_race_does_not_ring() {
    let mut bench = Bench::new();
    let mut outgoing = dialled(&mut bench);
    let tx = outgoing.tx();
    let out = bench.response(&Method::Invite, 199, "");
    outgoing.on_response(&mut bench.ctx(), tx, &out);
    assert!(outgoing.is_unheard() && bench.done().is_empty());
    let ringing = bench.response(&Method::Invite, 180, "");
    outgoing.on_response(&mut bench.ctx(), tx, &ringing);
    for code in [199, 100] {
        let response = bench.response(&Method::Invite, code, "");
        outgoing.on_response(&mut bench.ctx(), tx, &response);
    }
    assert!(!outgoing.is_unheard(), "what rang has rung");
    assert_eq!(bench.done(), ["ringing"]);
}

#[test]
fn a_refusal_says_what_its_warning_says() {
    let mut bench = Bench::new();
    let mut outgoing = dialled(&mut bench);
    let refused = Edit::of(&bench.response(&Method::Invite, 488, ""))
        .set(Name::Warning, "305 pbx.example:5060 \"Incompatible media format\", 399 pbx \"and more\"")
        .finish();
    let tx = outgoing.tx();
    let next = outgoing.on_response(&mut bench.ctx(), tx, &Message::parse(&refused).unwrap());
    assert!(
        matches!(&next, Next::Over(end) if end.reason == "Not Acceptable Here: Incompatible media format"),
        "{next:?}"
    );
}
