//! A script of Kompira Pigeon against the real binary: only its host name is another.

use serde_json::{Value, json};

use super::http::token;
use super::support::web::{Reply, Web, free_tcp_port};
use super::support::{Daemon, Habit, Stage, World, until};

const FIRST: &str = "+818000000001";
const SECOND: &str = "+818000000002";

struct Script {
    web: Web,
    header: String,
}

impl Script {
    fn new(web: &Web, token: &str) -> Script {
        Script { web: web.clone(), header: format!("X-Authorization: Token {token}") }
    }

    fn post(&self, what: &str, params: &Value) -> Reply {
        let headers = [self.header.as_str(), "Content-Type: application/json"];
        let body = json!({ "params": params }).to_string();
        self.web.send("POST", &format!("/api/apps/pigeon/chain/{what}"), &headers, &body)
    }

    fn result(&self, id: &str) -> Value {
        self.web.send("GET", &format!("/api/apps/pigeon/results/{id}"), &[&self.header], "").json()
    }

    fn comes_to(&self, id: &str, status: &str) -> Value {
        until(&format!("{id} to be {status}"), || Some(self.result(id)).filter(|result| result["status"] == status))
    }
}

fn house(name: &str) -> (World, Daemon, Web) {
    let port = free_tcp_port();
    let world = World::new(name)
        .person(FIRST, Habit::Answers)
        .person(SECOND, Habit::Rings)
        .more(&format!("[http]\nlisten = \"127.0.0.1:{port}\"\n[dial]\ncountry = \"JP\"\n"));
    let daemon = world.start();
    (world, daemon, Web::new(port))
}

#[test]
fn a_callout_by_ids_is_requested_polled_and_aborted() {
    let (world, daemon, web) = house("pigeon-ids");
    let script = Script::new(&web, &token(&daemon, &["trigger", "read"]));
    world.phones.habit(FIRST, Habit::Rings);
    let params = json!({ "callflowId": "oncall", "guidanceId": "usual",
        "parameters": { "server": "テスト用サーバー", "incident": "軽度の障害" } });
    let told = script.post("invoke", &params).json();
    assert_eq!((&told["status"], &told["params"]), (&json!("requested"), &params), "{told}");
    let id = told["resultId"].as_str().expect("an id").to_owned();
    world.phones.reaches(FIRST, 1, Stage::Ringing);
    let result = script.result(&id);
    assert_eq!((&result["isActive"], &result["calls"][0]["status"]), (&json!(true), &json!("calling")), "{result}");
    assert_eq!(result["parameters"]["server"], "テスト用サーバー");
    assert_eq!(script.post("abort", &json!({ "resultId": id })).json()["status"], "requested");
    let over = script.comes_to(&id, "aborted");
    assert_eq!((&over["isActive"], &over["calls"][0]["status"]), (&json!(false), &json!("aborted")), "{over}");
    assert_eq!(script.post("abort", &json!({ "resultId": id })).json()["status"], "rejected");
    let unknown = script.post("invoke", &json!({ "callflowId": "nobody", "guidanceId": "usual" })).json();
    assert_eq!((&unknown["status"], unknown["errorDescriptor"]["detail"].is_string()), (&json!("rejected"), true));
}

#[test]
fn a_second_callout_waits_for_who_is_on_the_phone_with_the_first_and_says_that_it_is_being_prepared() {
    let (world, daemon, web) = house("pigeon-second");
    let script = Script::new(&web, &token(&daemon, &["trigger", "read"]));
    let params = json!({ "callflowId": "oncall", "guidanceId": "usual" });
    let mut watch = daemon.watch();
    let invoke = || script.post("invoke", &params).json()["resultId"].as_str().expect("an id").to_owned();
    let first = invoke();
    world.phones.reaches(FIRST, 1, Stage::Up(true));
    watch.until("attempt.prompt_started", &[]);
    let second = invoke();
    let result = script.result(&second);
    assert_eq!((&result["isActive"], &result["calls"][0]["status"]), (&json!(true), &json!("preparing")), "{result}");
    assert_eq!(result["calls"][0]["phoneNumber"], FIRST);
    assert_eq!(world.phones.calls_to(FIRST), 1, "nobody cuts in");
    world.phones.press(FIRST, 1);
    script.comes_to(&first, "succeeded");
    world.phones.reaches(FIRST, 2, Stage::Up(true));
    assert_eq!(script.result(&second)["calls"][0]["status"], "calling");
}

#[test]
fn a_callout_with_its_own_people_and_words_is_taken_by_the_key_that_terminates() {
    let (world, daemon, web) = house("pigeon-inline");
    let script = Script::new(&web, &token(&daemon, &["trigger", "read"]));
    let guidance = json!({ "messageTemplate": "{{server}}で障害です", "reactions": {
        "1": { "behavior": "terminate", "messageTemplate": "お願いします" }, "2": { "behavior": "continue" } } });
    let people = |numbers: &[&str]| {
        let contact = |number: &&str| json!({ "displayName": "田中さん", "phones": [{ "phoneNumber": number }] });
        json!({ "loopLimit": 1, "contacts": numbers.iter().map(contact).collect::<Vec<_>>() })
    };
    let stranger = json!({ "callflow": people(&["090-0000-0009"]), "guidance": guidance });
    let refused = script.post("invoke", &stranger).json();
    assert_eq!(refused["errorDescriptor"]["title"], "not_a_roster_number", "{refused}");
    // As that service's users write numbers: without the country.
    let params = json!({ "callflow": people(&["080-0000-0001"]), "guidance": guidance,
        "parameters": { "server": "db-01" } });
    let mut watch = daemon.watch();
    let told = script.post("invoke", &params).json();
    let id = told["resultId"].as_str().unwrap_or_else(|| panic!("{told}")).to_owned();
    world.phones.reaches(FIRST, 1, Stage::Up(true));
    watch.until("attempt.prompt_started", &[]);
    world.phones.press(FIRST, 0);
    watch.until("attempt.key", &[("digit", json!("0"))]);
    assert_eq!(script.result(&id)["status"], "calling", "a key without a meaning is no success");
    world.phones.press(FIRST, 1);
    let done = script.comes_to(&id, "succeeded");
    assert_eq!((&done["keyInput"], &done["calls"][0]["displayName"]), (&json!("1"), &json!("田中さん")), "{done}");
    assert_eq!(done["guidance"]["reactions"]["1"]["behavior"], "terminate");
    let wrong = script.post("invoke", &json!({ "callflow": { "loopLimit": 0 }, "guidance": guidance }));
    assert!(wrong.status == 400 && wrong.body.contains("loopLimit"), "{wrong:?}");
}
