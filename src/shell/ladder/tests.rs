use std::sync::mpsc::channel;
use std::time::Duration;

use super::*;
use crate::shell::clock::Clock;
use crate::sip::{Hop, Identity};
use crate::store::{Ladder, Ladders};

const LIMIT: Duration = Duration::from_secs(60);

/// A folder that goes with its test.
struct Folder(std::path::PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("hansho-ladder-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn start(&self) -> Witness {
        let local: std::net::SocketAddr = "192.0.2.1:5060".parse().unwrap();
        let us = Identity { local, doors: Vec::new(), media_address: local.ip(), user_agent: "hansho".into() };
        start(&Ladders::beside(&self.0.join("x.db")), us.into(), Clock::start()).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn message(first: &str, call_id: &str, number: u32) -> Vec<u8> {
    let method = if first.starts_with("SIP/") { "INVITE" } else { first.split(' ').next().unwrap() };
    format!("{first}\r\nCall-ID: {call_id}\r\nCSeq: {number} {method}\r\n\r\n").into_bytes()
}

fn invite(call_id: &str, number: u32) -> Vec<u8> {
    message("INVITE sip:a@b SIP/2.0", call_id, number)
}

/// What the keeper makes of a question.
fn asked<T: Send + 'static>(
    handle: &LadderHandle,
    question: impl FnOnce(&mut keeper::Keeper) -> T + Send + 'static,
) -> T {
    let (tell, told) = channel();
    handle.ask(move |keeper| {
        let _ = tell.send(question(keeper));
    });
    told.recv_timeout(LIMIT).unwrap()
}

fn of(handle: &LadderHandle, call_id: &'static str) -> Ladder {
    asked(handle, move |keeper| keeper.of(call_id).unwrap())
}

fn hop() -> Hop {
    "192.0.2.9:5060".parse().unwrap()
}

#[test]
fn whoever_asks_sees_what_went_by_before_and_so_does_the_next_life() {
    let folder = Folder::new("lives");
    let mut witness = folder.start();
    for number in 1..=700 {
        witness.sent(hop(), None, invite(if number % 7 == 0 { "a" } else { "b" }, number));
    }
    assert_eq!(of(&witness.handle(), "a").messages.len(), 100);
    witness.heard(hop(), None, true, &message("SIP/2.0 200 OK", "a", 7));
    drop(witness);
    let witness = folder.start();
    let ladder = of(&witness.handle(), "a");
    assert_eq!(ladder.messages.len(), 101);
    assert!(ladder.messages[0].sent && !ladder.messages[100].sent);
    assert_eq!(of(&witness.handle(), "b").gap, Some((400, 100)));
}

#[test]
fn over_a_connection_our_end_is_the_connection_s() {
    let folder = Folder::new("ends");
    let mut witness = folder.start();
    let (tls, ours) = ("tls:192.0.2.9:5061".parse().unwrap(), "192.0.2.1:40001".parse().ok());
    witness.sent(tls, ours, invite("a", 1));
    witness.heard(tls, ours, true, &message("SIP/2.0 200 OK", "a", 1));
    witness.sent(hop(), None, invite("a", 2));
    witness.heard(tls, ours, true, &[message("SIP/2.0 183 Long", "long", 1), vec![b'x'; 20_000]].concat());
    assert_eq!(of(&witness.handle(), "long").messages[0].bytes.len(), 16_384, "the beginning of what is too long");
    let locals: Vec<String> =
        of(&witness.handle(), "a").messages.iter().map(|passed| passed.local.to_string()).collect();
    assert_eq!(locals, ["192.0.2.1:40001", "192.0.2.1:40001", "192.0.2.1:5060"]);
}

#[test]
fn strangers_are_kept_only_in_calls_that_are_there_and_fill_no_ring() {
    let folder = Folder::new("strangers");
    let mut witness = folder.start();
    witness.heard(hop(), None, false, &invite("theirs", 1));
    witness.heard(hop(), None, false, &message("OPTIONS sip:a SIP/2.0", "scan", 1));
    witness.sent(hop(), None, invite("ours", 1));
    witness.heard(hop(), None, false, &message("BYE sip:a SIP/2.0", "ours", 2));
    let handle = witness.handle();
    assert_eq!((of(&handle, "theirs").messages.len(), of(&handle, "ours").messages.len()), (0, 2));
    assert_eq!(asked(&handle, |keeper| keeper.outside().count()), 0);
    // A flood of them leaves room for what is ours, whether the thread keeps up or not.
    let junk = [&invite("junk", 1)[..], &[b'x'; 16_000]].concat();
    (0..1_000).for_each(|_| witness.heard(hop(), None, false, &junk));
    witness.sent(hop(), None, invite("ours", 3));
    assert_eq!((of(&handle, "ours").messages.len(), asked(&handle, |keeper| keeper.lost())), (3, 0));
}

#[test]
fn registrations_are_remembered_a_few_for_each_far_end() {
    let folder = Folder::new("outside");
    let mut witness = folder.start();
    for number in 0..200u16 {
        let end = Hop::udp(([192, 0, 2, 9], 5_000 + number % 100).into());
        witness.sent(end, None, message("REGISTER sip:a SIP/2.0", &format!("r{}", number % 100), u32::from(number)));
    }
    (0..100).for_each(|number| witness.heard(hop(), None, true, &message("OPTIONS sip:a SIP/2.0", "o", number)));
    let handle = witness.handle();
    let counts = asked(&handle, |keeper| keeper.outside().map(|(_, messages)| messages.len()).collect::<Vec<_>>());
    assert_eq!((counts.len(), counts.iter().max()), (64, Some(&64)));
    let answer = asked(&handle, |keeper| answer::house(keeper, false));
    let with: Vec<&str> = answer["ladders"].as_array().unwrap().iter().filter_map(|it| it["with"].as_str()).collect();
    assert!(with.contains(&"192.0.2.9:5060"), "{with:?}");
}

#[test]
fn a_file_that_cannot_be_opened_costs_pictures_and_nothing_else() {
    let folder = Folder::new("broken");
    std::fs::write(Ladders::beside(&folder.0.join("x.db")), "this is no database, but somebody's notes about one")
        .unwrap();
    let mut witness = folder.start();
    witness.sent(hop(), None, invite("a", 1));
    witness.sent(hop(), None, message("REGISTER sip:a SIP/2.0", "r", 1));
    let handle = witness.handle();
    assert!(of(&handle, "a").messages.is_empty());
    let answer = asked(&handle, |keeper| answer::house(keeper, false));
    assert!(answer["trouble"].as_str().is_some_and(|why| why.contains("x.ladders.db")), "{answer}");
    assert_eq!(answer["ladders"][0]["messages"][0]["method"], "REGISTER");
}

#[test]
fn what_is_old_is_taken_away() {
    let folder = Folder::new("forgets");
    let mut witness = folder.start();
    witness.sent(hop(), None, invite("a", 1));
    let handle = witness.handle();
    let at = of(&handle, "a").messages[0].at;
    handle.forget(at);
    assert_eq!(of(&handle, "a").messages.len(), 1, "as old as that is not older");
    handle.forget(at + Duration::from_micros(1));
    assert_eq!(of(&handle, "a").messages.len(), 0);
}

#[test]
fn a_call_that_belongs_to_no_incident_is_listed_and_can_be_asked_for() {
    let folder = Folder::new("hotline");
    let mut witness = folder.start();
    let head = "From: <sip:anna@pbx>;tag=1\r\nTo: <sip:hotline@pbx>\r\nCall-ID: call-in@pbx\r\nCSeq: 1";
    witness.heard(hop(), None, true, format!("INVITE sip:hotline@us SIP/2.0\r\n{head} INVITE\r\n\r\n").as_bytes());
    witness.sent(hop(), None, format!("SIP/2.0 100 Trying\r\n{head} INVITE\r\n\r\n").into_bytes());
    witness.sent(hop(), None, format!("SIP/2.0 480 Temporarily Unavailable\r\n{head} INVITE\r\n\r\n").into_bytes());
    witness.heard(hop(), None, true, format!("ACK sip:hotline@us SIP/2.0\r\n{head} ACK\r\n\r\n").as_bytes());
    witness.sent(hop(), None, invite("later", 1));
    let handle = witness.handle();
    let listed = asked(&handle, |keeper| answer::house(keeper, false))["calls"].clone();
    let call_ids: Vec<&str> = listed.as_array().unwrap().iter().filter_map(|call| call["call_id"].as_str()).collect();
    assert_eq!(call_ids, ["later", "call-in@pbx"]);
    let call = &listed[1];
    assert_eq!(
        (&call["called_in"], &call["code"], &call["from"]),
        (&true.into(), &480.into(), &"<sip:anna@pbx>;tag=1".into())
    );
    assert_eq!(listed[0]["code"], Value::Null, "nothing has answered it");
    let answer = asked(&handle, |keeper| answer::one(keeper, "call-in@pbx", false)).unwrap();
    assert_eq!(answer["ladders"][0]["to"], "<sip:hotline@pbx>");
    assert_eq!(answer["ladders"][0]["messages"].as_array().unwrap().len(), 4);
    let file = asked(&handle, |keeper| answer::one(keeper, "call-in@pbx", true)).unwrap();
    assert_eq!(file["messages"], 4);
    let nobody = asked(&handle, |keeper| answer::one(keeper, "nobody", false)).unwrap_err();
    assert_eq!(nobody.code, "not_found");
}
