//! The systems that hansho replaces, read from outside: what their users see without configuring anything.

use serde_json::json;

use super::http::token;
use super::support::web::{Web, free_tcp_port};
use super::support::{Daemon, Habit, Stage, World, until};

const FIRST: &str = "+818000000001";
const YAMADA: &str = "+818012345678";
const NAMELESS: &str = "+818012345679";

/// Whom the answer of system A names, and its incident.
fn told(body: &str) -> (String, String) {
    let told = body.strip_prefix("緊急通報開始: ").and_then(|rest| rest.trim_end().strip_suffix(')'));
    let told = told.and_then(|rest| rest.split_once(" に発信中 (Call ID: "));
    let (name, id) = told.unwrap_or_else(|| panic!("the answer of the article: {body}"));
    (name.to_owned(), id.to_owned())
}

#[test]
fn a_url_with_nothing_behind_it_calls_a_list_of_contacts_with_the_guidance_of_the_article() {
    let port = free_tcp_port();
    let roster = "[[roster]]\nid = \"list\"\ncontacts_file = \"contacts.json\"\n";
    let flow = "[[call_flow]]\nid = \"azure\"\nroster = \"list\"\n";
    let world = World::new("system-a")
        .person(FIRST, Habit::Busy)
        .more(&format!("[http]\nlisten = \"127.0.0.1:{port}\"\n{roster}{flow}"));
    let list = json!([{ "phone_number": YAMADA, "name": "山田" }, { "phone_number": NAMELESS }]);
    std::fs::write(world.folder.path().join("contacts.json"), list.to_string()).expect("a file can be written");
    let people = [("山田", YAMADA), ("不明", NAMELESS)];
    people.iter().for_each(|(_, number)| world.phones.habit(number, Habit::Answers));
    let japanese = world.text().replace("language = \"en\"", "language = \"ja\"");
    std::fs::write(&world.config, japanese).expect("a configuration can be written");
    let daemon = Daemon::start(&world.config, &world.socket);
    let web = Web::new(port).with(&token(&daemon, &["trigger", "read"]));
    let mut watch = daemon.watch();
    let (first, id) = told(&web.get("/in/azure").body);
    let used = web.get(&format!("/api/apps/pigeon/results/{id}")).json();
    let spoken = "障害通知システムです。1番で対応開始、2番で次の担当者に転送します。";
    assert_eq!(used["guidance"]["messageTemplate"], spoken, "{used}");
    assert_eq!(
        (&used["guidance"]["reactions"]["1"]["behavior"], &used["guidance"]["reactions"]["2"]["behavior"]),
        (&json!("terminate"), &json!("continue"))
    );
    assert_eq!(used["callflow"]["loopLimit"], 3);
    // Whoever it is: the first passes, and the other one takes it.
    let (passes, takes) = if first == "山田" { (people[0], people[1]) } else { (people[1], people[0]) };
    assert_eq!(first, passes.0);
    for (attempt, (_, number), key) in [(1, passes, 2), (2, takes, 1)] {
        world.phones.reaches(number, 1, Stage::Up(true));
        watch.until("attempt.prompt_started", &[("attempt", json!(attempt))]);
        world.phones.press(number, key);
    }
    let taken = watch.until("incident.acknowledged", &[("incident", json!(id))]);
    assert_eq!(taken["name"], takes.0);
    world.phones.fall_silent();
    let calls = until("both calls to have their ends", || {
        let calls = web.get("/v1/calls").json();
        calls["calls"].as_array()?.iter().all(|call| call["ended_at"].is_string()).then_some(calls.clone())
    });
    let shown: Vec<(&str, bool)> = calls["calls"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|call| Some((call["name"].as_str()?, call["confirmed"].as_bool()?)))
        .collect();
    assert_eq!(shown, [(takes.0, true), (passes.0, false)], "{calls}");
    for call in calls["calls"].as_array().into_iter().flatten() {
        assert!(call["reason"].as_str().is_some_and(|why| !why.is_empty()) && call["code"].is_u64(), "{call}");
    }
}

#[test]
fn contacts_that_come_with_the_request_are_called_and_an_empty_list_is_a_clear_error() {
    let port = free_tcp_port();
    let world = World::new("system-a-list")
        .person(FIRST, Habit::Rings)
        .more(&format!("[http]\nlisten = \"127.0.0.1:{port}\"\n"));
    let daemon = world.start();
    let web = Web::new(port).with(&token(&daemon, &["trigger", "read"]));
    let empty = web.post("/in/azure", &json!([]));
    assert!(empty.status == 400 && empty.body.contains("phone_number"), "{empty:?}");
    assert_eq!(daemon.ask(&json!({ "op": "status" }))["incidents"], json!([]), "nobody is called");
    let (name, id) = told(&web.post("/in/azure", &json!([{ "phone_number": FIRST, "name": "山田" }])).body);
    assert_eq!(name, "山田");
    world.phones.reaches(FIRST, 1, Stage::Ringing);
    let shown = web.get(&format!("/api/apps/pigeon/results/{id}")).json();
    assert_eq!(shown["callflow"]["contacts"][0]["displayName"], "山田", "{shown}");
}

#[test]
fn what_was_taken_before_a_power_cut_calls_nobody_about_the_same_thing_afterwards() {
    let port = free_tcp_port();
    let world = World::new("system-taken")
        .person(FIRST, Habit::Answers)
        .more(&format!("[http]\nlisten = \"127.0.0.1:{port}\"\n"));
    let daemon = world.start();
    let web = Web::new(port).with(&token(&daemon, &["trigger", "read"]));
    let mut watch = daemon.watch();
    let raised = web.post("/v1/incidents", &json!({ "dedup": "disk" })).json();
    watch.until("attempt.prompt_started", &[]);
    world.phones.press(FIRST, 1);
    watch.until("attempt.ended", &[("outcome", json!("taken"))]);
    daemon.dies();
    let _daemon = world.start();
    let again = web.post("/v1/incidents", &json!({ "dedup": "disk" })).json();
    assert_eq!((&again["joined"], &again["incident"]), (&json!(true), &raised["incident"]), "{again}");
    assert_eq!(world.phones.calls_to(FIRST), 1);
}
