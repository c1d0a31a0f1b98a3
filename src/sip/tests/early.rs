use core::net::SocketAddr;

use super::*;
use crate::sip::table;
use crate::sip::tests::bench::{Bench, SDP_G729, SDP_HELD, SDP_PCMU, asks};
use crate::sip::tests::peer;
use crate::sip::transactions::CallKey;
use crate::wire::sip::{Edit, Method};

const OWNER: Owner = Owner::Call(CallKey(1));
const STATES: [&str; 3] = ["Unknown", "Plain", "Acked 1"];
const EVENTS: [&str; 9] = [
    "180",
    "reliable 1",
    "reliable 2",
    "reliable 3",
    "401",
    "UPDATE",
    "UPDATE with offer",
    "UPDATE without common codec",
    "old number",
];

struct Call {
    early: Early,
    terms: Terms,
    invite: Request,
}

fn call(bench: &mut Bench) -> Call {
    let invite = Request {
        method: Method::Invite,
        uri: "sip:+818012345678@pbx.example".into(),
        hop: peer(),
        from: "<sip:hansho@pbx.example>;tag=ours".into(),
        to: "<sip:+818012345678@pbx.example>".into(),
        call_id: "call-1".into(),
        seq: 1,
        routes: Vec::new(),
        headers: Vec::new(),
        body: None,
    };
    Attempt::send(&mut bench.ctx(), OWNER, "secret".into(), invite.clone());
    bench.done();
    let terms = Terms::new(SocketAddr::from(([192, 0, 2, 10], 30_000)), &crate::base::Codec::ALL, 1);
    Call { early: Early::default(), terms, invite }
}

impl Call {
    /// A provisional response of the telephone `tag`; reliable where it has a number.
    fn rings(&mut self, bench: &mut Bench, tag: &str, rseq: Option<u32>) -> bool {
        let response = bench.response(&Method::Invite, 183, SDP_PCMU);
        let mut edit = Edit::of(&response).set(Name::To, format!("<sip:+818012345678@pbx.example>;tag={tag}"));
        if let Some(rseq) = rseq {
            edit = edit.set(Name::Require, "100rel").set(Name::RSeq, rseq.to_string());
        }
        let response = Message::parse(&edit.finish()).unwrap();
        self.early.on_provisional(&mut bench.ctx(), OWNER, &self.invite, &self.terms, &response)
    }

    fn state(&self) -> String {
        match self.early.phone("theirs") {
            None => "Unknown".into(),
            Some(Phone { acked: None, .. }) => "Plain".into(),
            Some(Phone { acked: Some(acked), .. }) => format!("Acked {}", acked.rseq),
        }
    }
}

fn row(state: &str, event: &str) -> Option<String> {
    let mut bench = Bench::new();
    let mut call = call(&mut bench);
    match state {
        "Plain" => drop(call.rings(&mut bench, "theirs", None)),
        "Acked 1" => drop(call.rings(&mut bench, "theirs", Some(1))),
        _ => {}
    }
    bench.done();
    match event {
        "180" => drop(call.rings(&mut bench, "theirs", None)),
        "401" if state == "Acked 1" => {
            let challenge = bench.response(&Method::Prack, 401, "");
            let tx = call.early.phones[0].acked.as_ref().unwrap().prack.tx();
            call.early.on_response(&mut bench.ctx(), tx, &challenge);
        }
        "401" => return None,
        _ if event.starts_with("reliable") => {
            let rseq = event.split(' ').nth(1).unwrap().parse().unwrap();
            // From whatever number the first one has; one is enough for the table.
            if state != "Acked 1" && rseq != 1 {
                return None;
            }
            call.rings(&mut bench, "theirs", Some(rseq));
        }
        _ => {
            let sdp = match event {
                "UPDATE with offer" => SDP_HELD,
                "UPDATE without common codec" => SDP_G729,
                _ => "",
            };
            if event == "old number" {
                call.early.phones.iter_mut().for_each(|phone| phone.dialog.remote_seq = Some(9));
            }
            if (event == "old number" || event == "UPDATE without common codec") && state != "Acked 1" {
                return None;
            }
            let (update, tx) = bench.request(asks(Method::Update, 2, "theirs", "ours", sdp));
            let asked = Asked { message: &update, tx, source: peer() };
            call.early.on_update(&mut bench.ctx(), &mut call.terms, asked);
        }
    }
    table::row(state, event, &call.state(), &bench.done())
}

#[test]
fn the_code_does_what_the_table_says() {
    table::compare(include_str!("../early.rs"), &STATES, &EVENTS, row);
}

#[test]
fn a_prack_names_the_response_and_the_invite_and_goes_to_who_rang() {
    let mut bench = Bench::new();
    let mut call = call(&mut bench);
    assert!(call.rings(&mut bench, "theirs", Some(4_711)));
    assert_eq!(bench.done(), ["PRACK"]);
    let prack = bench.last(&Method::Prack);
    assert_eq!(prack.header(&Name::RAck), Some("4711 1 INVITE"));
    assert_eq!((prack.uri(), prack.to().unwrap().tag()), (Some("sip:phone@192.0.2.1:5060"), Some("theirs")));
    assert_eq!(prack.cseq().unwrap().number, 2);
}

#[test]
fn what_comes_again_or_too_early_is_not_looked_at() {
    let mut bench = Bench::new();
    let mut call = call(&mut bench);
    for (rseq, looked_at) in [(7, true), (7, false), (9, false), (8, true), (7, false), (9, true)] {
        assert_eq!(call.rings(&mut bench, "theirs", Some(rseq)), looked_at, "{rseq}");
        assert_eq!(bench.done().len(), usize::from(looked_at), "{rseq}");
    }
}

#[test]
fn each_telephone_counts_for_itself_and_the_200_goes_on_behind_its_pracks() {
    let mut bench = Bench::new();
    let mut call = call(&mut bench);
    assert!(call.rings(&mut bench, "theirs", Some(7)) && call.rings(&mut bench, "other", Some(100)));
    assert!(call.rings(&mut bench, "theirs", Some(8)));
    bench.done();
    let answer = bench.response(&Method::Invite, 200, "");
    let mut dialog = call.early.confirmed(&call.invite, &answer);
    assert_eq!(dialog.request(Method::Bye).seq, 4, "INVITE 1, PRACK 2, PRACK 3");
    assert_eq!(dialog.ack(call.invite.seq).seq, 1);
}

#[test]
fn more_telephones_than_there_is_room_for_are_heard_all_the_same() {
    let mut bench = Bench::new();
    let mut call = call(&mut bench);
    for phone in 0..20 {
        assert!(call.rings(&mut bench, &phone.to_string(), None));
    }
    assert_eq!(call.early.phones.len(), MAX_EARLY);
}

#[test]
fn the_answer_that_came_for_certain_is_the_answer_whatever_the_200_says() {
    let other = SDP_PCMU.replace("40000", "50000");
    let agreed = |reliable: Option<u32>, content: Content<'_>| {
        let mut bench = Bench::new();
        let mut call = call(&mut bench);
        call.rings(&mut bench, "theirs", reliable);
        call.early.answered("theirs", &call.terms, content).map(|stream| stream.remote.port())
    };
    let session = Content::Session(other.as_bytes());
    assert_eq!(agreed(Some(1), session), Ok(40_000));
    assert_eq!(agreed(Some(1), Content::Nothing), Ok(40_000));
    assert_eq!(agreed(None, session), Ok(50_000));
    assert_eq!(agreed(None, Content::Nothing), Ok(40_000));
}

#[test]
fn an_answer_in_a_later_reliable_response_changes_nothing() {
    let mut bench = Bench::new();
    let mut call = call(&mut bench);
    call.rings(&mut bench, "theirs", Some(1));
    let response = bench.response(&Method::Invite, 183, &SDP_PCMU.replace("40000", "50000"));
    let response = Edit::of(&response).set(Name::Require, "100rel").set(Name::RSeq, "2").finish();
    let response = Message::parse(&response).unwrap();
    assert!(call.early.on_provisional(&mut bench.ctx(), OWNER, &call.invite, &call.terms, &response));
    let stream = call.early.answered("theirs", &call.terms, Content::Nothing).unwrap();
    assert_eq!(stream.remote.port(), 40_000);
}
