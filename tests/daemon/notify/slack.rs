//! A Slack channel: by its webhook, and by a bot that keeps one message an incident.

use std::io::{Read, Write};

use ring::hmac;
use serde_json::{Value, json};

use super::receiver::{Receiver, Reply, Request};
use crate::support::web::{Web, free_tcp_port};
use crate::support::{Habit, World};

const ANNA: &str = "+815000000001";
const SOON: &str = "[notify]\nretry_first = \"20ms\"\nretry_most = \"100ms\"\n";

fn ok(ts: &str) -> Reply {
    Reply::Body(json!({ "ok": true, "channel": "C1", "ts": ts }).to_string())
}

fn refusal(error: &str) -> Reply {
    Reply::Body(json!({ "ok": false, "error": error }).to_string())
}

fn bot(api: &Receiver, more: &str) -> String {
    format!(
        "{SOON}[notify.slack]\nbot_token = \"xoxb-tiger\"\nchannel = \"C1\"\napi_url = \"{}\"\n{more}",
        api.url("/api")
    )
}

fn world(name: &str, tables: &str) -> World {
    World::new(name).flow("rounds = 1").person(ANNA, Habit::Busy).more(tables)
}

fn text(request: &Request) -> String {
    request.json()["text"].as_str().expect("a text").to_owned()
}

#[test]
fn the_channel_hears_who_took_it_and_the_webhook_s_address_stays_secret() {
    let hook = Receiver::new();
    let tables = format!("[notify.slack]\nwebhook_url = \"{}\"\n", hook.url("/services/tiger"));
    let world = World::new("slack").person(ANNA, Habit::Answers).more(&tables);
    let daemon = world.start();
    let mut watch = daemon.watch();
    daemon.trigger();
    watch.until("attempt.prompt_started", &[]);
    world.phones.press(ANNA, 1);
    let taken = "🚨🚨 Incident: p815000000001 has taken it 🚨🚨";
    let found = |requests: &[Request]| requests.iter().find(|request| text(request) == taken).cloned();
    assert_eq!(hook.until("who took it", found).path, "/services/tiger");
    let texts: Vec<String> = hook.requests().iter().map(text).collect();
    assert_eq!(texts[0], "🔔 New incident, calling oncall: The disk is full.");
    // Nothing that somebody writes becomes a link, a mention or a heading.
    let first = hook.requests()[0].json();
    assert_eq!((&first["mrkdwn"], &first["parse"]), (&json!(false), &json!("none")), "{first}");
    let blocks = first["blocks"].as_array().expect("blocks").clone();
    assert!(
        blocks.iter().all(|block| {
            let text = block.get("text").or_else(|| block["elements"].get(0));
            text.is_some_and(|text| text["verbatim"] == true)
        }),
        "{first}"
    );
    assert!(!daemon.said().contains("tiger"));
}

#[test]
fn a_bot_keeps_one_message_an_incident_also_after_a_power_cut() {
    let api = Receiver::that_answers(ok("1795000000.000100"));
    let world = world("slack-bot", &bot(&api, ""));
    let daemon = world.start();
    // The message is made; nobody learns of what comes behind it.
    api.replies([ok("1795000000.000100"), Reply::Silence]);
    let mut watch = daemon.watch();
    daemon.trigger();
    watch.until("incident.exhausted", &[]);
    api.until("the second call", |requests| requests.get(1).map(|_| ()));
    daemon.dies();
    let _daemon = world.start();
    let last = |requests: &[Request]| {
        requests.iter().find(|request| request.json()["reply_broadcast"] == true).map(|request| request.json())
    };
    let thread = api.until("the end in the thread", last);
    assert_eq!(thread["thread_ts"], "1795000000.000100");
    assert!(thread["text"].as_str().is_some_and(|text| text.contains("Nobody took the incident")), "{thread}");
    let requests = api.requests();
    assert_eq!(requests[0].path, "/api/chat.postMessage");
    assert_eq!(
        (requests[0].header("Authorization"), &requests[0].json()["channel"]),
        ("Bearer xoxb-tiger", &json!("C1"))
    );
    let begun = requests
        .iter()
        .filter(|request| request.path.ends_with("postMessage") && request.json()["thread_ts"].is_null());
    assert_eq!(begun.count(), 1, "one message an incident");
    let edits: Vec<&Request> = requests.iter().filter(|request| request.path.ends_with("chat.update")).collect();
    assert!(!edits.is_empty() && edits.iter().all(|edit| edit.json()["ts"] == "1795000000.000100"));
}

#[test]
fn slack_s_own_pauses_are_kept_and_a_refusal_falls_back_to_the_webhook() {
    let (api, hook) = (Receiver::that_answers(refusal("channel_not_found")), Receiver::new());
    api.replies([refusal("ratelimited"), Reply::Status(429, "Retry-After: 1\r\n".to_owned())]);
    let more = format!("webhook_url = \"{}\"\nevents = [\"incident.exhausted\"]\n", hook.url("/hook"));
    let world = world("slack-refused", &bot(&api, &more));
    let daemon = world.start();
    daemon.trigger();
    hook.until("the webhook", |requests| requests.first().map(|_| ()));
    let keys: Vec<String> = api.requests().iter().map(|request| request.key().to_owned()).collect();
    assert_eq!(keys.len(), 3, "{keys:?}");
    assert!(keys.iter().all(|key| *key == keys[0]) && hook.requests()[0].key() == keys[0]);
    assert!(!daemon.said().contains("tiger"));
}

#[test]
fn the_button_takes_the_incident_when_slack_has_signed_the_press() {
    let (api, port) = (Receiver::that_answers(ok("1795000000.000100")), free_tcp_port());
    let tables = bot(&api, &format!("signing_secret = \"tiger\"\n[http]\nlisten = \"127.0.0.1:{port}\"\n"));
    let world = World::new("slack-button").person(ANNA, Habit::Rings).more(&tables);
    let daemon = world.start();
    let incident = daemon.trigger();
    let button = |requests: &[Request]| {
        let block = requests.iter().find_map(|request| request.json()["blocks"].as_array()?.last().cloned())?;
        Some(block["elements"][0].clone()).filter(|button| button["type"] == "button")
    };
    let button = api.until("a button", button);
    assert_eq!(button["value"], json!(incident));
    let press = json!({ "user": { "name": "山田" }, "actions": [button] });
    assert_eq!(slack_sends(&Web::new(port), "lion", &press), 401);
    assert_eq!(daemon.status(&incident)["state"], "calling");
    // What cannot be Slack's is refused by its head: the body is not waited for.
    let mut stranger = Web::new(port).connect();
    let head = b"POST /in/slack HTTP/1.1\r\nHost: hansho\r\nContent-Length: 100000\r\n\r\n";
    let mut status = [0; 12];
    stranger.write_all(head).and_then(|()| stranger.read_exact(&mut status)).expect("an answer");
    assert_eq!(&status, b"HTTP/1.1 401");
    let long = json!({ "user": { "name": "x".repeat(200_000) } });
    assert_eq!(slack_sends(&Web::new(port), "tiger", &long), 413);
    assert_eq!(slack_sends(&Web::new(port), "tiger", &press), 200);
    daemon.comes_to(&incident, "acknowledged");
    let taken = "🚨🚨 Incident: taken without a call (by 山田) 🚨🚨";
    let edited = |requests: &[Request]| {
        let edit = requests.iter().find(|request| request.path.ends_with("chat.update") && text(request) == taken)?;
        Some(edit.json()["blocks"].clone())
    };
    let blocks = api.until("who took it", edited);
    let buttons = blocks.as_array().expect("blocks").iter().filter(|block| block["type"] == "actions");
    assert_eq!(buttons.count(), 0, "nothing is left to be taken");
    world.phones.fall_silent();
}

/// Sends a press as Slack does, signed with this secret; the status of the answer.
fn slack_sends(web: &Web, secret: &str, press: &Value) -> u16 {
    let encoded: String = form_urlencoded::byte_serialize(press.to_string().as_bytes()).collect();
    let body = format!("payload={encoded}");
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("it is past 1970").as_secs();
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let tag = hmac::sign(&key, format!("v0:{now}:{body}").as_bytes());
    let hex: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let time = format!("X-Slack-Request-Timestamp: {now}");
    let signature = format!("X-Slack-Signature: v0={hex}");
    let kind = "Content-Type: application/x-www-form-urlencoded";
    web.send("POST", "/in/slack", &[time.as_str(), signature.as_str(), kind], &body).status
}
