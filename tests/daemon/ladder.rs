//! The SIP messages of a call: kept, drawn, written as a file, and there again after a crash.

use serde_json::{Value, json};

use crate::http::{house, token};
use crate::support::phones::Stage;
use crate::support::{Habit, World, until};

const ANNA: &str = "+815000000001";
const BERT: &str = "+815000000002";

/// What the messages say, in their order: methods and statuses.
fn said(ladder: &Value) -> Vec<String> {
    let messages = ladder["messages"].as_array().expect("messages");
    let word = |it: &Value| it["method"].as_str().map_or_else(|| it["code"].to_string(), str::to_owned);
    messages.iter().map(word).collect()
}

#[test]
fn every_message_of_a_call_is_drawn_while_it_runs_and_after_a_crash() {
    let world = World::new("ladder").person(ANNA, Habit::Busy).person(BERT, Habit::Answers);
    let daemon = world.start();
    let mut watch = daemon.watch();
    let incident = daemon.trigger();
    watch.until("attempt.prompt_started", &[]);
    let ask = json!({ "op": "ladder", "incident": incident });
    let during = daemon.ask(&ask);
    assert_eq!(
        (during["ok"].clone(), during["lost"].clone(), during["trouble"].clone()),
        (json!(true), json!(0), Value::Null)
    );
    assert_eq!(said(&during["ladders"][0]).last().map(String::as_str), Some("ACK"), "{during}");
    assert!(said(&during["ladders"][0]).contains(&"486".to_owned()), "{during}");
    let up = said(&during["ladders"][1]);
    assert_eq!(
        (up.first().map(String::as_str), up.last().map(String::as_str)),
        (Some("INVITE"), Some("ACK")),
        "{during}"
    );
    // What the thread took has been written; the rest it takes within a moment.
    daemon.ask(&ask);
    daemon.dies();

    let daemon = world.start();
    world.phones.reaches(BERT, 1, Stage::Ended);
    let after = until("the BYE of the next life", || {
        Some(daemon.ask(&json!({ "op": "ladder", "incident": incident, "attempt": 2 })))
            .filter(|answer| said(&answer["ladders"][0]).contains(&"BYE".to_owned()))
    });
    let whole = said(&after["ladders"][0]);
    assert_eq!(whole[..up.len()], up, "what the former life saw stands before it");
    assert_eq!(after["ladders"].as_array().map(Vec::len), Some(1), "one attempt was asked for");

    let drawn = world.command(&["status", &incident, "--ladder", "--attempt", "1"]);
    let text = String::from_utf8(drawn.stdout).expect("a page is text");
    assert_eq!(drawn.status.code(), Some(0), "{text}");
    assert!(text.starts_with("attempt 1  p815000000001 at +815000000001  "), "{text}");
    assert!(text.contains("|--INVITE (SDP)---") && text.contains("|<-486 "), "{text}");

    let file = world.folder.path().join("night.pcap");
    let name = file.to_str().expect("a path is text");
    let written = world.command(&["status", &incident, "--pcap", name]);
    assert_eq!(written.status.code(), Some(0), "{written:?}");
    let bytes = std::fs::read(&file).expect("the file is there");
    assert_eq!(bytes[..4], [0xd4, 0xc3, 0xb2, 0xa1]);
    let invites = bytes.windows(7).filter(|it| *it == b"INVITE ").count();
    assert!(invites >= 2, "{invites} INVITEs");
}

#[test]
fn whoever_asks_for_what_is_not_there_is_told() {
    let world = World::new("no-ladder").person(ANNA, Habit::Rings);
    let daemon = world.start();
    let incident = daemon.trigger();
    world.phones.reaches(ANNA, 1, Stage::Ringing);
    for (ask, code) in [
        (json!({ "op": "ladder", "incident": "no" }), "bad_request"),
        (json!({ "op": "ladder", "incident": "d1xsb63t14gg" }), "not_found"),
        (json!({ "op": "ladder", "incident": incident, "attempt": 9 }), "not_found"),
        (json!({ "op": "ladder", "pcap": "yes" }), "bad_request"),
    ] {
        assert_eq!(daemon.ask(&ask)["error"]["code"], code, "{ask}");
    }
    let outside = daemon.ask(&json!({ "op": "ladder" }));
    assert_eq!((&outside["ok"], &outside["ladders"]), (&json!(true), &json!([])));
    let drawn = world.command(&["status", "--ladder"]);
    let text = String::from_utf8_lossy(&drawn.stdout).into_owned();
    assert!(text.starts_with("the latest calls: ") && text.contains(ANNA), "{text}");
}

#[test]
fn a_ladder_file_that_is_broken_or_gone_stops_no_call_and_is_said() {
    let world = World::new("broken-ladder").person(ANNA, Habit::Rings);
    std::fs::create_dir_all(&world.data).expect("a folder can be made");
    std::fs::write(world.data.join("hansho.ladders.db"), "no database at all, but long enough to look at")
        .expect("written");
    let daemon = world.start();
    let incident = daemon.trigger();
    world.phones.reaches(ANNA, 1, Stage::Ringing);
    let answer = daemon.ask(&json!({ "op": "ladder", "incident": incident }));
    assert!(answer["trouble"].as_str().is_some_and(|why| why.contains("hansho.ladders.db")), "{answer}");
    daemon.dies();
    std::fs::remove_file(world.data.join("hansho.ladders.db")).expect("removed");
    let daemon = world.start();
    let answer = until("the CANCEL", || {
        Some(daemon.ask(&json!({ "op": "ladder", "incident": incident })))
            .filter(|answer| answer["ladders"][0]["messages"].as_array().is_some_and(|all| !all.is_empty()))
    });
    assert_eq!(answer["trouble"], Value::Null);
}

#[test]
fn the_same_is_had_over_http_by_who_may_read_incidents() {
    let (world, daemon, web) = house("http-ladder");
    let incident = daemon.trigger();
    world.phones.reaches("+818000000001", 1, Stage::Ringing);
    let path = format!("/v1/incidents/{incident}/ladder");
    assert_eq!(web.with(&token(&daemon, &["trigger"])).get(&path).status, 403);
    let web = web.with(&token(&daemon, &["read"]));
    let shown = web.get(&path).json();
    assert_eq!(shown["ladders"][0]["messages"][0]["method"], "INVITE", "{shown}");
    let file = web.get(&format!("{path}.pcap?attempt=1"));
    assert_eq!(file.status, 200, "{}", file.head);
    assert!(file.head.contains("application/vnd.tcpdump.pcap") && file.body.contains("INVITE sip:"), "{}", file.head);
    assert_eq!(web.get(&format!("{path}?attempt=9")).code(), "not_found");
    assert_eq!(web.get(&format!("{path}?attempt=x")).code(), "bad_request");
    assert_eq!(web.get("/v1/incidents/no/ladder.pcap").code(), "bad_request");
    assert_eq!(web.get("/v1/ladder").json()["ladders"], json!([]));
}
