//! The systems that hansho replaces, end to end over real sockets: curl is the alert tool, SIPp the telephones.
//!
//! Numbers that end in 01 never pick up, in 02 are busy, in 03 press 2; all others press 1.

use serde_json::{Value, json};

use crate::receiver::Receiver;
use crate::support::{Curl, Daemon, Scene, Settings, Sipp};

const SLEEPS: &str = "+815011110001";
const TALKS: &str = "+815011110002";
const PASSES: &str = "+815011110003";
const TAKES: &str = "+815011110004";
const TAKES_TOO: &str = "+815011110005";

/// A daemon with HTTP in front of a town that takes so many calls.
fn house(scene: &Scene, sipp_port: u16, people: &[(&str, &str)], flow: &str, more: &str) -> (Daemon, Curl) {
    let web = scene.port();
    let settings = Settings::trunk_at(sipp_port)
        .speaks("ja")
        .flow(&format!("ring_timeout = \"1s\"\nbetween_rounds = \"0s\"\n{flow}"))
        .more(&format!("[http]\nlisten = \"127.0.0.1:{web}\"\n{more}"));
    let settings = people.iter().fold(settings, |all, (id, phone)| all.person(id, phone));
    let daemon = Daemon::start(scene, &settings);
    let answer = daemon.ask(&json!({ "op": "token.create", "name": "curl", "scopes": ["trigger", "read", "manage"] }));
    let token = answer["secret"].as_str().unwrap_or_else(|| panic!("a token: {answer}")).to_owned();
    (daemon, Curl::new(web, token))
}

fn field<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("{pointer} in {value}"))
}

#[test]
fn a_url_calls_a_shuffled_roster_until_somebody_takes_it_and_slack_is_told_who() {
    let scene = Scene::new("system_a");
    let slack = Receiver::new();
    let sipp = Sipp::scenario("night").for_ever().listens(&scene);
    let people = [("busy", TALKS), ("passing", PASSES), ("taking", TAKES)];
    let flow = "strategy = \"shuffled\"\nrounds = 3";
    let more = format!("[notify.slack]\nwebhook_url = {:?}", slack.url("/slack"));
    let (daemon, curl) = house(&scene, sipp.port, &people, flow, &more);
    let told = curl.get(&format!("/in/azure?token={}", curl.token));
    let (name, id) = told
        .strip_prefix("緊急通報開始: ")
        .and_then(|told| told.split_once(" に発信中 (Call ID: "))
        .unwrap_or_else(|| panic!("the answer of the article: {told}"));
    assert!(people.iter().any(|(known, _)| *known == name), "{told}");
    let incident = id.trim_end_matches(')');
    let taken = daemon.events.until("incident.acknowledged", &[("incident", incident)]);
    assert_eq!(taken["contact"], "taking");
    let says = |text: &str| {
        slack.until(text, |all| all.iter().any(|one| one.body.contains(text)).then_some(()));
    };
    says("🚨🚨障害通知、takingさんが対応を開始されました🚨🚨");
    daemon.stops();
    sipp.drains();
}

#[test]
fn nobody_is_called_twice_in_a_round_and_slack_hears_that_nobody_took_it() {
    let scene = Scene::new("system_a_nobody");
    let slack = Receiver::new();
    let sipp = Sipp::scenario("night").for_ever().listens(&scene);
    let people = [("busy", TALKS), ("sleeping", SLEEPS), ("passing", PASSES)];
    let flow = "strategy = \"shuffled\"\nrounds = 3";
    let more = format!("[notify.slack]\nwebhook_url = {:?}", slack.url("/slack"));
    let (daemon, curl) = house(&scene, sipp.port, &people, flow, &more);
    let raised = curl.post("/v1/incidents", &json!({ "message": "火災です" }));
    let incident = field(&raised, "/incident").to_owned();
    daemon.events.until("incident.exhausted", &[("incident", &incident)]);
    let status = daemon.ask(&json!({ "op": "status", "incident": incident }));
    let attempts = status["incidents"][0]["attempts"].as_array().cloned().unwrap_or_default();
    for round in 1..=3 {
        let called = attempts.iter().filter(|attempt| attempt["round"] == round);
        let mut called: Vec<&str> = called.map(|attempt| field(attempt, "/contact")).collect();
        called.sort_unstable();
        assert_eq!(called, ["busy", "passing", "sleeping"], "in round {round}");
    }
    assert_eq!(attempts.len(), 9);
    slack.until("that nobody took it", |all| all.iter().any(|one| one.body.contains("対応者がいません")).then_some(()));
    daemon.stops();
    sipp.drains();
}

#[test]
fn monitoring_events_are_queued_called_in_order_and_quiet_when_somebody_said_so() {
    let scene = Scene::new("system_b");
    let sipp = Sipp::scenario("night").for_ever().listens(&scene);
    let people = [("first", TALKS), ("second", PASSES), ("third", "+815011120002")];
    let (daemon, curl) = house(&scene, sipp.port, &people, "rounds = 3", "");
    let event = |service: &str| json!({ "host": "server1", "service": service, "lastcheck": "2023-10-03 13:20:52", "systemname": "XYZ" });
    let answer = curl.post("/alertinfo", &json!({ "alertinfo": [event("CPU Utilization")] }));
    let incident = field(&answer, "/incident").to_owned();
    let accepted = daemon.events.until("incident.accepted", &[("incident", &incident)]);
    let spoken = "2023年10月3日にシステム名XYZのserver1でCPU Utilizationのアラートが発生しました";
    assert_eq!(accepted["message"], spoken);
    daemon.events.until("incident.exhausted", &[("incident", &incident)]);
    let status = daemon.ask(&json!({ "op": "status", "incident": incident }));
    let called: Vec<&str> =
        status["incidents"][0]["attempts"].as_array().into_iter().flatten().map(|one| field(one, "/contact")).collect();
    assert_eq!(called, ["first", "second", "third"].repeat(3), "three rounds in order, then a forced end");

    curl.post("/v1/suppressions", &json!({ "host": "server1", "service": "CPU Utilization", "for": "2h" }));
    let again = curl.post("/alertinfo", &json!({ "alertinfo": [event("CPU Utilization"), event("Disk")] }));
    let quiet = field(&again, "/signals/0/incident");
    daemon.events.until("incident.suppressed", &[("incident", quiet)]);
    let loud = field(&again, "/signals/1/incident");
    daemon.events.until("incident.exhausted", &[("incident", loud)]);
    let status = daemon.ask(&json!({ "op": "status", "incident": quiet }));
    assert_eq!(status["incidents"][0]["state"], "suppressed");
    assert_eq!(status["incidents"][0]["attempts"], json!([]), "nobody is called while it is quiet");
    daemon.stops();
    sipp.drains();
}

#[test]
fn a_script_of_the_notification_service_works_by_changing_its_host_name() {
    let scene = Scene::new("system_c");
    let sipp = Sipp::scenario("night").for_ever().listens(&scene);
    let (daemon, curl) = house(&scene, sipp.port, &[("passing", PASSES), ("taking", TAKES)], "", "");
    let curl = curl.with_header("X-Authorization: Token");
    let body = json!({ "params": {
        "callflow": { "loopLimit": 1, "contacts": [
            { "displayName": "一人目", "phones": [{ "phoneNumber": PASSES }] },
            { "displayName": "二人目", "phones": [{ "phoneNumber": TAKES }] },
        ] },
        "guidance": { "messageTemplate": "{{server}}で{{incident}}です。", "reactions": {
            "1": { "behavior": "terminate", "messageTemplate": "ありがとうございます。" },
            "2": { "behavior": "continue", "messageTemplate": "次の人に電話します。" },
        } },
        "parameters": { "server": "テスト用サーバー", "incident": "軽度の障害" },
    } });
    let requested = curl.post("/api/apps/pigeon/chain/invoke", &body);
    assert_eq!(requested["status"], "requested", "{requested}");
    let result = field(&requested, "/resultId").to_owned();
    daemon.events.until("incident.acknowledged", &[("incident", &result)]);
    daemon.events.until("attempt.ended", &[("incident", &result), ("outcome", "taken")]);
    let results: Value = curl.json(&format!("/api/apps/pigeon/results/{result}"));
    assert_eq!(
        (&results["isActive"], &results["keyInput"], &results["status"]),
        (&json!(false), &json!("1"), &json!("succeeded")),
        "{results}"
    );

    let rejected = curl.post(
        "/api/apps/pigeon/chain/invoke",
        &json!({ "params": { "callflowId": "nothing", "guidanceId": "usual" } }),
    );
    assert_eq!(rejected["status"], "rejected", "{rejected}");
    assert!(!field(&rejected, "/errorDescriptor/detail").is_empty(), "{rejected}");
    daemon.stops();
    sipp.drains();
}

#[test]
fn a_url_calls_numbers_at_once_and_whoever_presses_a_key_meets_in_the_room() {
    let scene = Scene::new("system_e");
    let sipp = Sipp::scenario("night").for_ever().listens(&scene);
    let (daemon, curl) = house(&scene, sipp.port, &[("one", TAKES), ("two", TAKES_TOO)], "", "");
    // A `+` that arrived as a space.
    let told =
        curl.get(&format!("/alert?token={}&tels=+{},%2B{}&message=test", curl.token, &TAKES[1..], &TAKES_TOO[1..]));
    let told: Value = serde_json::from_str(&told).unwrap_or_else(|error| panic!("{error}: {told}"));
    let incident = field(&told, "/incident");
    let accepted = daemon.events.until("incident.accepted", &[("incident", incident)]);
    assert_eq!(accepted["message"], "エマージェンシー、エマージェンシー、test");
    for person in ["one", "two"] {
        let joined = daemon.events.until("room.joined", &[("incident", incident), ("contact", person)]);
        assert_eq!(joined["room"], "AlertRoom");
    }
    let stranger = curl.get(&format!("/alert?token={}&tels=%2B819000000000&message=test", curl.token));
    assert!(stranger.contains("dial:any"), "a number of no roster is not dialled: {stranger}");
    daemon.stops();
    sipp.drains();
}
