//! The doors of the alert tools, with what those tools really send, against the real binary.

use serde_json::json;

use super::http::{house, token};
use super::support::web::{Web, free_tcp_port};
use super::support::{Habit, Stage, World, until};

const FIRST: &str = "+818000000001";
const SECOND: &str = "+818000000002";
const STRANGER: &str = "+819000000009";

#[test]
fn a_tool_that_can_only_call_a_url_is_told_who_is_called() {
    let (world, daemon, web) = house("intake-azure");
    let token = token(&daemon, &["trigger"]);
    let told = web.get(&format!("/in/azure?token={token}"));
    assert_eq!(told.status, 200, "{told:?}");
    assert!(told.body.starts_with("緊急通報開始: p818000000001 に発信中 (Call ID: "), "{told:?}");
    world.phones.reaches(FIRST, 1, Stage::Ringing);
    let plain = web.get(&format!("/alert?token={token}"));
    assert_eq!((plain.status, plain.json()["signals"][0]["status"].clone()), (200, json!("accepted")));
    assert_eq!(web.get("/in/azure").status, 401);
    assert_eq!(web.get(&format!("/in/smoke?token={token}")).code(), "not_found");
}

#[test]
fn a_tool_that_speaks_pagerduty_needs_only_a_new_host() {
    let (world, daemon, web) = house("intake-pagerduty");
    let key = token(&daemon, &["trigger"]);
    let event = |action: &str| {
        json!({ "routing_key": key, "event_action": action, "dedup_key": "db-01/disk",
            "payload": { "summary": "Disk full", "source": "db-01", "severity": "critical" } })
    };
    let sent = web.post("/v2/enqueue", &event("trigger"));
    assert_eq!((sent.status, &sent.json()["dedup_key"]), (202, &json!("db-01/disk")), "{sent:?}");
    world.phones.reaches(FIRST, 1, Stage::Ringing);
    assert_eq!(web.post("/v2/enqueue", &event("resolve")).status, 202);
    world.phones.fall_silent();
    assert_eq!(web.post("/v2/enqueue", &event("resolve")).status, 202, "nothing is open: that is no error");
    assert_eq!(web.post("/v2/enqueue", &event("explode")).status, 400);
    let wrong = json!({ "routing_key": "hansho_no", "event_action": "trigger", "payload": { "summary": "x" } });
    assert_eq!(web.post("/v2/enqueue", &wrong).status, 401);
    let status = daemon.ask(&json!({ "op": "status" }));
    assert_eq!(status["incidents"][0]["state"], "resolved", "{status}");
}

#[test]
fn opsgenie_closes_and_acknowledges_by_the_alias() {
    let (world, daemon, web) = house("intake-opsgenie");
    let key = format!("Authorization: GenieKey {}", token(&daemon, &["trigger"]));
    let raise = |alias: &str| {
        let body = json!({ "message": "Disk full", "alias": alias });
        web.send("POST", "/v2/alerts", &[&key, "Content-Type: application/json"], &body.to_string())
    };
    let one = raise("a/1");
    assert_eq!(one.status, 202, "{one:?}");
    world.phones.reaches(FIRST, 1, Stage::Ringing);
    let acknowledged = web.send("POST", "/v2/alerts/a%2F1/acknowledge?identifierType=alias", &[&key], "{}");
    assert_eq!(acknowledged.status, 202, "{acknowledged:?}");
    let id = one.json()["incident"].as_str().expect("an incident").to_owned();
    daemon.comes_to(&id, "acknowledged");
    world.phones.fall_silent();
    // As Zabbix's own media type asks: with a slash behind the path, and for what became of the request.
    let body = json!({ "message": "Disk full", "alias": "a/1" }).to_string();
    let slashed = web.send("POST", "/v2/alerts/", &[&key, "Content-Type: application/json"], &body);
    assert_eq!(slashed.status, 202, "{slashed:?}");
    let request = slashed.json()["requestId"].as_str().expect("an id").to_owned();
    let done = web.send("GET", &format!("/v2/alerts/requests/{request}"), &[&key], "").json();
    assert_eq!((&done["data"]["success"], &done["data"]["alertId"]), (&json!(true), &json!("a/1")), "{done}");
    // One without an alias gets one, and is closed by it.
    let body = json!({ "message": "Disk full" }).to_string();
    let nameless = web.send("POST", "/v2/alerts", &[&key, "Content-Type: application/json"], &body).json();
    let request = nameless["requestId"].as_str().expect("an id").to_owned();
    let done = web.send("GET", &format!("/v2/alerts/requests/{request}"), &[&key], "").json();
    let alert = done["data"]["alertId"].as_str().unwrap_or_else(|| panic!("{done}")).to_owned();
    assert_eq!(web.send("POST", &format!("/v2/alerts/{alert}/close"), &[&key], "{}").status, 202);
    daemon.comes_to(nameless["incident"].as_str().expect("an incident"), "resolved");
    let refused = web.send("POST", "/v2/alerts", &["Authorization: GenieKey no"], &body);
    assert!(refused.status == 401 && refused.json()["message"].is_string(), "{refused:?}");
}

#[test]
fn opsgenie_s_alerts_are_looked_at_by_their_alias_and_deleted() {
    let (world, daemon, web) = house("intake-opsgenie-look");
    let web = web.with(&token(&daemon, &["trigger", "read"]));
    let body = json!({ "message": "Disk full", "alias": "a/1", "priority": "P1", "tags": ["db", "disk"] });
    assert_eq!(web.post("/v2/alerts", &body).status, 202);
    world.phones.reaches(FIRST, 1, Stage::Ringing);
    let alert = web.get("/v2/alerts/a%2F1?identifierType=alias").json();
    assert_eq!((&alert["data"]["status"], &alert["data"]["acknowledged"]), (&json!("open"), &json!(false)), "{alert}");
    assert_eq!((&alert["data"]["priority"], &alert["data"]["tags"]), (&json!("P1"), &json!(["db", "disk"])), "{alert}");
    assert_eq!(web.get("/v2/alerts?limit=5").json()["data"][0]["alias"], "a/1");
    assert_eq!(web.get("/v2/alerts?query=status%3Aopen").status, 422);
    assert_eq!(web.get("/v2/alerts/nothing").status, 404);
    let deleted = web.send("DELETE", "/v2/alerts/a%2F1?identifierType=alias", &[], "");
    assert_eq!(deleted.status, 202, "{deleted:?}");
    daemon.comes_to(alert["data"]["incident"].as_str().expect("an incident"), "resolved");
    world.phones.fall_silent();
    assert_eq!(web.get("/v2/alerts/a%2F1").json()["data"]["status"], "closed");
    let blind = web.with(&token(&daemon, &["trigger"]));
    assert_eq!(blind.get("/v2/alerts/a%2F1").status, 403, "who may only raise reads nothing");
}

#[test]
fn a_script_in_shift_jis_is_understood_where_it_says_so_and_told_where_it_does_not() {
    let (_world, daemon, web) = house("intake-charset");
    let web = web.with(&token(&daemon, &["trigger", "read"]));
    let understood = web.get("/alert?charset=Shift_JIS&message=%8F%E1%8AQ");
    assert_eq!(understood.status, 200, "{understood:?}");
    let id = understood.json()["incident"].as_str().expect("an incident").to_owned();
    assert_eq!(web.get(&format!("/v1/incidents/{id}")).json()["message"], "障害");
    let refused = web.get("/alert?message=%8F%E1%8AQ");
    let why = refused.json()["error"].clone();
    assert_eq!((refused.status, &why["field"]), (400, &json!("message")), "{refused:?}");
    assert!(why["message"].as_str().is_some_and(|why| why.contains("UTF-8")), "{why}");
    assert_eq!(Web::get(&web.with("no"), "/alert?message=%8F%E1%8AQ").status, 401);
}

#[test]
fn a_tool_may_put_and_what_sns_did_not_send_is_refused_with_its_field() {
    let (world, daemon, web) = house("intake-put");
    let web = web.with(&token(&daemon, &["trigger"]));
    let body = json!({ "alerts": [{ "status": "firing", "fingerprint": "a", "labels": { "alertname": "x" } }] });
    let put = web.send("PUT", "/in/grafana", &["Content-Type: application/json"], &body.to_string());
    assert_eq!((put.status, &put.json()["signals"][0]["status"]), (200, &json!("accepted")), "{put:?}");
    world.phones.reaches(FIRST, 1, Stage::Ringing);
    let changed = web.send("PUT", "/v2/alerts/a/message?identifierType=alias", &[], "{\"message\":\"y\"}");
    assert_eq!(changed.status, 202, "{changed:?}");
    let mut message = json!({ "Type": "Notification", "MessageId": "1", "TopicArn": "arn:aws:sns:a:1:x", "Message": "m",
        "Timestamp": "2026-11-21T03:00:00.000Z", "SignatureVersion": "2", "Signature": "c2lnbmF0dXJl" });
    for (field, value) in [
        ("SigningCertURL", "https://sns.a.amazonaws.com.evil.example/x.pem"),
        ("SigningCertURL", "http://sns.a.amazonaws.com/x.pem"),
        ("SignatureVersion", "3"),
        ("Type", "Rumour"),
    ] {
        message[field] = value.into();
        let refused = web.post("/in/sns", &message);
        assert_eq!((refused.status, &refused.json()["error"]["field"]), (400, &json!(field)), "{refused:?}");
        message["SigningCertURL"] = "https://sns.a.amazonaws.com/x.pem".into();
    }
}

#[test]
fn a_storm_in_one_request_is_durable_when_it_is_answered() {
    let (world, daemon, web) = house("intake-storm");
    let web = web.with(&token(&daemon, &["trigger", "read"]));
    let alerts: Vec<_> = (0..60)
        .map(|n| json!({ "status": "firing", "labels": { "alertname": format!("a{n}") }, "fingerprint": format!("{n}") }))
        .collect();
    let sent = web.post("/in/alertmanager", &json!({ "version": "4", "status": "firing", "alerts": alerts }));
    assert_eq!(sent.status, 200, "{sent:?}");
    let signals = sent.json()["signals"].as_array().expect("a list").clone();
    assert_eq!(signals.len(), 60);
    for signal in &signals {
        assert!(!world.facts(signal["incident"].as_str().expect("an incident")).is_empty());
    }
}

#[test]
fn an_alert_calls_all_the_numbers_of_its_url_at_once_and_a_key_joins_the_room() {
    let port = free_tcp_port();
    let world = World::new("intake-alert")
        .person(FIRST, Habit::Answers)
        .person(SECOND, Habit::Rings)
        .more(&format!("[http]\nlisten = \"127.0.0.1:{port}\"\n"));
    let daemon = world.start();
    let web = Web::new(port).with(&token(&daemon, &["trigger"]));
    let mut watch = daemon.watch();
    let sent = web.get(&format!("/alert?tels={FIRST},{SECOND}&message=test"));
    assert_eq!(sent.status, 200, "{sent:?}");
    let accepted = watch.until("incident.accepted", &[]);
    assert_eq!(accepted["message"], "Emergency, emergency, test");
    world.phones.reaches(SECOND, 1, Stage::Ringing);
    world.phones.reaches(FIRST, 1, Stage::Up(true));
    watch.until("attempt.prompt_started", &[]);
    world.phones.press(FIRST, 1);
    watch.until("room.joined", &[("room", json!("AlertRoom"))]);
    world.phones.pick_up(SECOND);
    world.phones.reaches(SECOND, 1, Stage::Up(true));
    world.phones.press(SECOND, 1);
    watch.until("room.joined", &[("people", json!(2))]);
}

#[test]
fn a_number_of_no_roster_is_dialled_for_a_token_that_may_where_the_country_is_allowed_and_nowhere_else() {
    let port = free_tcp_port();
    let world = World::new("intake-dial")
        .person(FIRST, Habit::Rings)
        .more(&format!("[http]\nlisten = \"127.0.0.1:{port}\"\n[dial]\ncountries = [\"JP\"]\nmax_per_day = 2\n"));
    world.phones.habit(STRANGER, Habit::Rings);
    let daemon = world.start();
    let (web, small) = (Web::new(port), token(&daemon, &["trigger"]));
    let any = web.with(&token(&daemon, &["trigger", "dial:any"]));
    let url = |number: &str| format!("/alert?tels={number}&message=x");
    let refused = web.with(&small).get(&url(STRANGER));
    assert!(refused.status == 403 && refused.body.contains("dial:any"), "{refused:?}");
    let abroad = any.get(&url("+18765550100"));
    assert!(abroad.status == 403 && abroad.body.contains("[dial]"), "{abroad:?}");
    let mut watch = daemon.watch();
    assert_eq!(any.get(&url(STRANGER)).status, 200);
    world.phones.reaches(STRANGER, 1, Stage::Ringing);
    // Half of the two a day is the rosters' own.
    let second = any.get(&url(STRANGER));
    assert_eq!(second.status, 200, "{second:?}");
    // Whoever is on the phone with the first is not called for the second; so the first is over.
    let first = watch.until("incident.accepted", &[])["incident"].clone();
    assert_eq!(daemon.ask(&json!({ "op": "cancel", "incident": first }))["ok"], true);
    let told = watch.until("dial.refused", &[("number", json!(STRANGER))]);
    assert!(told["reason"].as_str().is_some_and(|why| why.contains("max_per_day")), "{told}");
    assert_eq!(world.phones.calls_to(STRANGER), 1);
    daemon.trigger();
    world.phones.reaches(FIRST, 1, Stage::Ringing);
}

#[test]
fn json_of_ones_own_shape_is_read_by_the_mapping_of_the_configuration() {
    let port = free_tcp_port();
    let mapping = "[[intake]]\nid = \"ours\"\nmessage = \"{{name}} on {{host}}\"\ndedup = \"{{name}}\"\n\
                   resolve_when = { at = \"state\", is = [\"ok\"] }\n";
    let world = World::new("intake-own")
        .person(FIRST, Habit::Rings)
        .more(&format!("[http]\nlisten = \"127.0.0.1:{port}\"\n{mapping}"));
    let daemon = world.start();
    let web = Web::new(port).with(&token(&daemon, &["trigger", "read"]));
    let sent = web.post("/in/ours", &json!({ "name": "disk", "host": "db-01", "state": "bad" }));
    let id = sent.json()["incident"].as_str().unwrap_or_else(|| panic!("{sent:?}")).to_owned();
    assert_eq!(daemon.status(&id)["message"], "disk on db-01");
    assert_eq!(web.post("/in/ours", &json!({ "name": "disk", "host": "db-01", "state": "OK" })).status, 200);
    daemon.comes_to(&id, "resolved");
    // Counted when it is told, which is when it is on disk.
    until("the metrics to count it", || {
        web.get("/metrics").body.contains("hansho_events_total{event=\"incident.resolved\"} 1").then_some(())
    });
    world.phones.fall_silent();
    let calls = web.get("/v1/calls").json();
    assert_eq!((&calls["calls"][0]["phone"], &calls["calls"][0]["incident"]), (&json!(FIRST), &json!(id)), "{calls}");
    assert_eq!(web.get("/v1/rooms").json()["rooms"], json!([]));
    assert_eq!(web.get("/v1/incidents?state=resolved&limit=1").json()["incidents"][0]["incident"], json!(id));
    assert_eq!(web.get("/v1/incidents?state=calling").json()["incidents"], json!([]));
    assert_eq!(web.get("/v1/incidents?state=asleep").status, 400);
}
