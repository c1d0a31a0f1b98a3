use core::net::SocketAddr;

use super::*;
use crate::sip::table;
use crate::sip::tests::bench::{Bench, SDP_PCMU, asks};
use crate::sip::tests::peer;
use crate::sip::transactions::CallKey;
use crate::wire::sip::Edit;

const OWNER: Owner = Owner::Call(CallKey(1));
const STATES: [&str; 3] = ["Theirs", "Ours", "Asking"];
const EVENTS: [&str; 16] = [
    "refreshed",
    "due",
    "due, without UPDATE",
    "200",
    "200 without timer",
    "200 to INVITE",
    "401",
    "405",
    "408",
    "422",
    "481",
    "491",
    "503",
    "timeout",
    "lapse",
    "hang up",
];

struct Call {
    dialog: Dialog,
    terms: Terms,
    refresh: Refresh,
}

fn call(bench: &Bench, refresher: Refresher, update: bool) -> Call {
    let invite = asks(Method::Invite, 5, "theirs", "", SDP_PCMU);
    let allow = if update { "INVITE, UPDATE" } else { "INVITE" };
    let invite = Message::parse(&Edit::of(&invite).set(Name::Allow, allow).finish()).unwrap();
    Call {
        dialog: Dialog::of_invite(&invite, "ours", peer()).unwrap(),
        terms: Terms::new(SocketAddr::from(([192, 0, 2, 10], 20_000)), &crate::base::Codec::ALL, 1),
        refresh: Refresh::of_invite(bench.now, &invite, Some(Interval { seconds: 1_800, refresher })),
    }
}

impl Call {
    fn due(&mut self, bench: &mut Bench) -> Next {
        bench.now = self.refresh.next_deadline().unwrap();
        self.refresh.on_deadline(&mut bench.ctx(), OWNER, &mut self.dialog, &mut self.terms)
    }

    fn hears(&mut self, bench: &mut Bench, response: &Message) -> Next {
        self.refresh.on_response(&mut bench.ctx(), OWNER, &mut self.dialog, &mut self.terms, response)
    }
}

fn answer(bench: &Bench, method: &Method, code: u16, expires: &str) -> Message {
    let response = bench.response(method, code, if *method == Method::Invite { SDP_PCMU } else { "" });
    let response = if expires.is_empty() {
        Edit::of(&response).finish()
    } else {
        Edit::of(&response).set(Name::SessionExpires, expires).finish()
    };
    Message::parse(&response).unwrap()
}

fn name(refresh: &Refresh) -> &'static str {
    match refresh.state {
        State::Off => "Off",
        State::Theirs { .. } => "Theirs",
        State::Ours { .. } => "Ours",
        State::Asking { .. } => "Asking",
    }
}

fn row(state: &str, event: &str) -> Option<String> {
    let mut bench = Bench::new();
    let refresher = if state == "Theirs" { Refresher::Them } else { Refresher::Us };
    let invite = event == "200 to INVITE" || event == "due, without UPDATE";
    let mut call = call(&bench, refresher, !invite);
    if state == "Asking" {
        call.due(&mut bench);
        bench.done();
    }
    let next = match event {
        "refreshed" => {
            let update = asks(Method::Update, 6, "theirs", "ours", "");
            let granted = Interval { seconds: 600, refresher: Refresher::Them };
            call.refresh.refreshed(bench.now, &update, Some(granted));
            Next::Stay
        }
        "due" | "due, without UPDATE" if state == "Ours" => call.due(&mut bench),
        "lapse" => {
            bench.now = Time::ZERO + Duration::from_secs(1_768);
            call.refresh.on_deadline(&mut bench.ctx(), OWNER, &mut call.dialog, &mut call.terms)
        }
        "timeout" if state == "Asking" => call.refresh.on_timeout(&mut bench.ctx(), OWNER, &mut call.dialog),
        "hang up" | "due" | "due, without UPDATE" | "timeout" => return None,
        _ if state != "Asking" => return None,
        _ => {
            let method = if invite { Method::Invite } else { Method::Update };
            let expires = if event == "200" || invite { "1800;refresher=uac" } else { "" };
            let response = answer(&bench, &method, event.get(..3).unwrap().parse().unwrap(), expires);
            call.hears(&mut bench, &response)
        }
    };
    // `Theirs` with nothing done is a row as well: the interval begins anew.
    let row = bench.row(state, event, &next, name(&call.refresh));
    row.or_else(|| (event == "refreshed").then(|| format!("{state} | {event} | {state} | -")))
}

#[test]
fn the_code_does_what_the_table_says() {
    table::compare(include_str!("../refresh.rs"), &STATES, &EVENTS, row);
}

#[test]
fn a_refresh_goes_out_at_half_time_and_names_what_was_agreed_on() {
    let mut bench = Bench::new();
    let mut call = call(&bench, Refresher::Us, true);
    call.due(&mut bench);
    assert_eq!((bench.now, bench.done()), (Time::ZERO + Duration::from_secs(900), vec!["UPDATE".to_owned()]));
    let update = bench.last(&Method::Update);
    assert_eq!(update.header(&Name::SessionExpires), Some("1800;refresher=uac"));
    assert_eq!((update.header(&Name::MinSe), update.body().is_empty()), (Some("90"), true));
    assert!(update.contact().is_some());
}

#[test]
fn a_re_invite_offers_what_holds_and_is_acknowledged_with_its_own_number() {
    let mut bench = Bench::new();
    let mut call = call(&bench, Refresher::Us, false);
    call.due(&mut bench);
    assert_eq!(bench.done(), ["INVITE"]);
    let response = answer(&bench, &Method::Invite, 200, "1800;refresher=uac");
    call.hears(&mut bench, &response);
    assert_eq!(bench.done(), ["ACK"]);
    let (invite, ack) = (bench.last(&Method::Invite), bench.last(&Method::Ack));
    assert!(!invite.body().is_empty());
    assert_eq!(ack.cseq().unwrap().number, invite.cseq().unwrap().number);
    assert_eq!(ack.to().unwrap().tag(), Some("theirs"));
}

#[test]
fn whoever_made_the_call_id_waits_longer_after_both_asked_at_once() {
    for (caller, least, most) in [(true, 2_100, 4_000), (false, 0, 2_000)] {
        let mut bench = Bench::new();
        let mut call = call(&bench, Refresher::Us, true);
        call.refresh.caller = caller;
        call.due(&mut bench);
        bench.done();
        let both = answer(&bench, &Method::Update, 491, "");
        call.hears(&mut bench, &both);
        let pause = call.refresh.next_deadline().unwrap().since(bench.now).as_millis();
        assert!((least..=most).contains(&pause) && pause.is_multiple_of(10), "{pause}");
    }
}

#[test]
fn a_demanded_interval_is_asked_for_and_a_second_demand_is_not_obeyed_for_ever() {
    let mut bench = Bench::new();
    let mut call = call(&bench, Refresher::Us, true);
    call.due(&mut bench);
    assert_eq!(bench.done(), ["UPDATE"]);
    for expected in [&["UPDATE"][..], &[]] {
        let short = answer(&bench, &Method::Update, 422, "");
        call.hears(&mut bench, &short);
        assert_eq!(bench.done(), expected);
        if !expected.is_empty() {
            let update = bench.last(&Method::Update);
            let asked = (update.header(&Name::SessionExpires), update.header(&Name::MinSe));
            assert_eq!(asked, (Some("3600;refresher=uac"), Some("3600")));
        }
    }
    assert_eq!(name(&call.refresh), "Ours");
}

#[test]
fn a_session_that_lapses_is_ended_with_its_reason() {
    let mut bench = Bench::new();
    let mut call = call(&bench, Refresher::Them, true);
    assert!(matches!(call.due(&mut bench), Next::Leaving(_)));
    assert_eq!(bench.done(), ["BYE"]);
    assert_eq!(bench.last(&Method::Bye).header(&Name::Reason), Some("SIP;cause=408;text=\"Request Timeout\""));
}

#[test]
fn a_refresh_of_theirs_moves_the_end_away() {
    let bench = Bench::new();
    let mut call = call(&bench, Refresher::Them, true);
    assert_eq!(call.refresh.next_deadline(), Some(Time::ZERO + Duration::from_secs(1_768)));
    let later = Time::ZERO + Duration::from_secs(1_700);
    let update = asks(Method::Update, 6, "theirs", "ours", "");
    call.refresh.refreshed(later, &update, Some(Interval { seconds: 90, refresher: Refresher::Them }));
    assert_eq!(call.refresh.next_deadline(), Some(later + Duration::from_secs(60)));
    call.refresh.refreshed(later, &update, None);
    assert_eq!(call.refresh.next_deadline(), None);
}
