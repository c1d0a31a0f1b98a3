//! The control socket and what nobody says to it on purpose.

use std::path::Path;

use serde_json::{Value, json};

use crate::support::phones::Stage;
use crate::support::{Habit, Line, World, until};

const ANNA: &str = "+815000000001";

#[test]
fn what_is_no_request_has_its_error_and_the_connection_stays() {
    let world = World::new("nonsense").person(ANNA, Habit::Rings);
    let mut daemon = world.start();
    let mut line = Line::open(&world.socket);
    for (request, code) in [
        (&b"nonsense\n"[..], "not_json"),
        (b"{\"op\":\n", "not_json"),
        (b"\xff\xfe\x00\n", "not_json"),
        (b"[]\n", "unknown_op"),
        (b"null\n", "unknown_op"),
        (b"{\"op\":\"dance\"}\n", "unknown_op"),
        (b"{\"op\":\"trigger\"}\n", "bad_request"),
        (b"{\"op\":\"trigger\",\"call_flow\":\"oncall\",\"mesage\":1}\n", "bad_request"),
        (b"{\"op\":\"trigger\",\"call_flow\":\"nothing\"}\n", "unknown_call_flow"),
        (b"{\"op\":\"trigger\",\"call_flow\":\"oncall\",\"guidance\":\"nothing\"}\n", "unknown_guidance"),
        (b"{\"op\":\"trigger\",\"call_flow\":\"oncall\",\"to\":[\"+815099999999\"]}\n", "not_a_roster_number"),
        (b"{\"op\":\"cancel\",\"incident\":\"..\"}\n", "bad_request"),
        (b"{\"op\":\"cancel\",\"incident\":\"000000000000\"}\n", "not_open"),
        (b"{\"op\":\"status\",\"incident\":\"000000000000\"}\n", "not_found"),
        (b"{\"op\":\"resolve\",\"dedup\":\"\"}\n", "not_open"),
        (b"{\"op\":\"acknowledge\",\"incident\":\"000000000000\"}\n", "not_open"),
        (b"{\"op\":\"suppress\",\"for\":\"2h\"}\n", "bad_request"),
        (b"{\"op\":\"suppress\",\"host\":\"db\"}\n", "bad_request"),
        (b"{\"op\":\"suppress\",\"host\":\"db\",\"for\":\"0s\"}\n", "bad_request"),
        (b"{\"op\":\"suppress\",\"call_flow\":\"nothing\",\"for\":\"2h\"}\n", "unknown_call_flow"),
        (b"{\"op\":\"lift\",\"suppression\":1}\n", "not_found"),
    ] {
        assert!(line.send(request));
        let answer = line.hears().expect("the connection stays");
        let shown = String::from_utf8_lossy(request);
        assert_eq!((&answer["ok"], &answer["error"]["code"]), (&json!(false), &json!(code)), "{shown} {answer}");
        assert!(answer["error"]["message"].as_str().is_some_and(|text| text.len() > 8), "{shown} {answer}");
    }
    let deep = [vec![b'['; 60_000], b"\n".to_vec()].concat();
    assert!(line.send(&deep));
    assert_eq!(line.hears().expect("the connection stays")["error"]["code"], "not_json");
    line.send(b"\n \n");
    assert_eq!(line.ask(&json!({ "op": "status" }))["ok"], true, "empty lines are passed over");
    assert_eq!(world.phones.calls_to(ANNA), 0);
    assert!(daemon.is_well());
}

#[test]
fn what_is_quiet_calls_nobody_until_it_is_lifted_also_after_a_restart() {
    let world = World::new("quiet").person(ANNA, Habit::Rings);
    let daemon = world.start();
    let mut line = Line::open(&world.socket);
    let quiet = line.ask(&json!({ "op": "suppress", "call_flow": "oncall", "for": "2h" }));
    assert_eq!((&quiet["ok"], &quiet["suppression"]), (&json!(true), &json!(1)), "{quiet}");
    drop(daemon);
    let mut daemon = world.start();
    let mut line = Line::open(&world.socket);
    let holds = line.ask(&json!({ "op": "suppressions" }));
    assert_eq!((&holds["suppressions"][0]["call_flow"], &holds["suppressions"][1]), (&json!("oncall"), &Value::Null));
    let raised = line.ask(&json!({ "op": "trigger", "call_flow": "oncall" }));
    assert_eq!((&raised["suppressed"], &raised["suppression"]), (&json!(true), &json!(1)), "{raised}");
    let status = line.ask(&json!({ "op": "status", "incident": raised["incident"] }));
    assert_eq!(status["incidents"][0]["state"], "suppressed");
    assert_eq!(line.ask(&json!({ "op": "lift", "suppression": 1 }))["ok"], true);
    let raised = line.ask(&json!({ "op": "trigger", "call_flow": "oncall", "dedup": "disk" }));
    until("Anna's telephone rings", || (world.phones.calls_to(ANNA) == 1).then_some(()));
    let again = line.ask(&json!({ "op": "trigger", "call_flow": "oncall", "dedup": "disk" }));
    assert_eq!((&again["joined"], &again["incident"]), (&json!(true), &raised["incident"]));
    let taken = line.ask(&json!({ "op": "acknowledge", "incident": raised["incident"], "by": "Mori" }));
    assert_eq!(taken["ok"], true);
    let status = line.ask(&json!({ "op": "status", "incident": raised["incident"] }));
    let incident = &status["incidents"][0];
    assert_eq!((&incident["state"], &incident["claimed_by"]), (&json!("acknowledged"), &json!("Mori")));
    assert!(daemon.is_well());
}

#[test]
fn a_line_that_is_too_long_is_answered_and_the_connection_closed() {
    let world = World::new("long").person(ANNA, Habit::Rings);
    let mut daemon = world.start();
    let mut line = Line::open(&world.socket);
    line.send(&vec![b'x'; 64 * 1024]);
    line.send(&vec![b'x'; 1024 * 1024]);
    assert_eq!(line.hears().expect("an answer")["error"]["code"], "too_long");
    assert!(line.is_closed());
    let mut fits = Line::open(&world.socket);
    fits.send(&[vec![b' '; 64 * 1024 - 16], b"{\"op\":\"status\"}\n".to_vec()].concat());
    assert_eq!(fits.hears().expect("an answer")["ok"], true, "64 KiB are accepted");
    assert!(daemon.is_well());
}

/// Connections until one is refused, which is told why.
fn fill(socket: &Path) -> (Vec<Line>, Value) {
    let mut open = Vec::new();
    loop {
        let mut line = Line::open(socket);
        // Told without having been asked when there is no place; else the answer to the question.
        let answer = line.ask(&json!({ "op": "watch" }));
        if answer["ok"] == true {
            open.push(line);
            assert!(open.len() <= 64, "there is a limit");
        } else {
            return (open, answer);
        }
    }
}

#[test]
fn the_65th_connection_is_told_so_and_places_come_back_when_watchers_go() {
    let world = World::new("crowd").person(ANNA, Habit::Rings);
    let mut daemon = world.start();
    // Whoever looked whether the daemon is up may not have been seen to leave yet.
    let all = || Some(fill(&world.socket)).filter(|(open, _)| open.len() == 64);
    let (open, refusal) = until("64 places", all);
    assert_eq!(refusal["error"]["code"], "too_many", "{refusal}");
    // They leave in a quiet night: no event is written that would find them gone.
    drop(open);
    until("a place to come free", || {
        let mut line = Line::open(&world.socket);
        line.send(b"{\"op\":\"status\"}\n");
        line.hears().filter(|answer| answer["ok"] == true)
    });
    let (open, _) = until("all places to come free", all);
    drop(open);
    until("a place to come free", || daemon.is_well().then_some(()));
}

#[test]
fn a_watcher_of_one_incident_hears_of_no_other_and_ones_who_do_not_read_hold_up_nobody() {
    let world = World::new("watch").person(ANNA, Habit::Busy).flow("rounds = 3\nbetween_rounds = \"0s\"");
    let daemon = world.start();
    let mut lazy: Vec<Line> = (0..8).map(|_| Line::open(&world.socket)).collect();
    lazy.iter_mut().for_each(|line| assert_eq!(line.ask(&json!({ "op": "watch" }))["ok"], true));
    let first = daemon.trigger();
    daemon.comes_to(&first, "exhausted");
    let mut own = Line::open(&world.socket);
    let mut all = daemon.watch();
    let blocked = daemon.ask(&json!({ "op": "trigger", "call_flow": "oncall", "dedup": "x" }));
    let second = blocked["incident"].as_str().expect("an incident's id").to_owned();
    assert_eq!(own.ask(&json!({ "op": "watch", "incident": second }))["ok"], true);
    all.until("incident.exhausted", &[("incident", json!(second))]);
    let third = daemon.trigger();
    all.until("incident.exhausted", &[("incident", json!(third))]);
    // Whatever was left of the second by the time it began to watch; of the third nothing.
    drop(daemon);
    while let Some(event) = own.hears() {
        assert_eq!(event["incident"], json!(second));
    }
    for line in all.heard() {
        assert!(line["at"].as_str().is_some_and(|at| at.len() == 24 && at.ends_with('Z')), "{line}");
    }
}

#[test]
fn shutdown_ends_the_daemon_as_sigterm_does() {
    let world = World::new("shutdown").person(ANNA, Habit::Rings);
    let mut daemon = world.start();
    daemon.trigger();
    world.phones.reaches(ANNA, 1, Stage::Ringing);
    assert_eq!(daemon.ask(&json!({ "op": "shutdown" }))["ok"], true);
    assert_eq!(daemon.ends().code(), Some(0));
    world.phones.reaches(ANNA, 1, Stage::Refused);
    assert!(!world.socket.exists(), "the socket file is gone");
}
