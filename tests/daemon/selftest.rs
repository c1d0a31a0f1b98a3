//! `hansho selftest`: with a daemon and without one, on a machine where things are well and where they are not.

use std::collections::BTreeMap;
use std::process::Output;

use serde_json::Value;

use super::support::{Habit, World, hansho};
use crate::notify::receiver::{Receiver, Reply};

/// What each check found, and the exit code.
fn selftest(world: &World) -> (BTreeMap<String, (String, String)>, Option<i32>) {
    let done = hansho(&["selftest", "--json", "--config", world.config.to_str().expect("a path is text")]);
    read(&done)
}

fn read(done: &Output) -> (BTreeMap<String, (String, String)>, Option<i32>) {
    let text = String::from_utf8_lossy(&done.stdout).into_owned();
    let read = |line: &str| {
        let found: Value = serde_json::from_str(line).unwrap_or_else(|why| panic!("{why}: {line}"));
        let of = |key: &str| found[key].as_str().unwrap_or_default().to_owned();
        (of("check"), (of("result"), of("found")))
    };
    (text.lines().map(read).collect(), done.status.code())
}

#[test]
fn an_installation_is_checked_before_its_daemon_runs_and_beside_it() {
    let world = World::new("selftest").person("+815000000001", Habit::Rings);
    world.write_config();
    let (found, code) = selftest(&world);
    let result = |check: &str| found.get(check).map(|(result, _)| result.as_str());
    assert_eq!(code, Some(0), "{found:?}");
    for check in ["configuration", "disk", "recordings", "ports", "voice ports", "call"] {
        assert_eq!(result(check), Some("ok"), "{check}: {found:?}");
    }
    assert_eq!(result("voice en"), Some("warning"), "this voice cannot speak: {found:?}");
    assert!(!world.data.join("hansho.db").exists(), "the journal is the daemon's own");

    let daemon = world.start();
    let (found, code) = selftest(&world);
    assert_eq!((found["daemon"].0.as_str(), found.contains_key("ports"), code), ("ok", false, Some(0)), "{found:?}");
    assert_eq!(daemon.ask(&serde_json::json!({ "op": "status" }))["incidents"], serde_json::json!([]));
    assert_eq!(world.phones.calls_to("+815000000001"), 0, "nobody is rung");
}

#[test]
fn what_is_not_as_it_ought_to_be_is_named_and_the_exit_code_says_so() {
    let nobody = "[[notify.webhook]]\nid = \"away\"\nurl = \"http://127.0.0.1:1/secret-path\"\n";
    let world = World::new("selftest-away").person("+815000000001", Habit::Rings).more(nobody);
    world.write_config();
    let (found, code) = selftest(&world);
    assert_eq!(code, Some(1), "{found:?}");
    let (result, said) = &found["webhook away"];
    assert!(result == "failed" && !said.contains("secret-path"), "{said}");
    std::fs::write(&world.config, "[node]\nnam = 1\n").expect("a configuration can be written");
    assert_eq!(selftest(&world).1, Some(2));
}

/// What each way answered to a message that is a test.
fn tells(world: &World, more: &[&str]) -> (BTreeMap<String, (String, String)>, Option<i32>) {
    let config = world.config.to_str().expect("a path is text");
    read(&hansho(&[&["selftest", "--notify", "--json", "--config", config], more].concat()))
}

#[test]
fn everybody_who_is_told_is_told_that_it_is_a_test_and_what_they_answered_is_shown() {
    let (hook, deaf, slack, sms) = (Receiver::new(), Receiver::new(), Receiver::new(), Receiver::new());
    deaf.replies([Reply::Status(403, String::new())]);
    slack.replies([Reply::Body(r#"{"ok":false,"error":"invalid_auth"}"#.to_owned())]);
    let tables = format!(
        "[notify]\n[[notify.webhook]]\nid = \"good\"\nurl = \"{}\"\nevents = [\"incident.accepted\"]\n\
         [[notify.webhook]]\nid = \"deaf\"\nurl = \"{}\"\n\
         [notify.slack]\nwebhook_url = \"{}\"\nbot_token = \"xoxb-tiger\"\nchannel = \"C1\"\napi_url = \"{}\"\n\
         [sms]\nvia = \"http\"\nurl = \"{}\"\nbody = '{{\"to\": \"{{{{to}}}}\", \"text\": \"{{{{text}}}}\"}}'\n",
        hook.url("/hook"),
        deaf.url("/secret-path"),
        slack.url("/services/lion"),
        slack.url("/api"),
        sms.url("/send"),
    );
    let world = World::new("selftest-notify").person("+815000000001", Habit::Rings).more(&tables);
    world.write_config();
    let (found, code) = tells(&world, &["--sms", "+819011112222"]);
    let result = |way: &str| found.get(way).map_or("nothing", |(result, _)| result.as_str());
    assert_eq!(code, Some(1), "{found:?}");
    for (way, wanted) in [
        ("webhook good", "ok"),
        ("webhook deaf", "failed"),
        ("slack bot", "failed"),
        ("slack webhook", "ok"),
        ("gateway", "ok"),
    ] {
        assert_eq!(result(way), wanted, "{way}: {found:?}");
    }
    assert!(found["webhook deaf"].1.contains("403 Forbidden"), "{found:?}");
    assert!(found["slack bot"].1.contains("invalid_auth"), "{found:?}");
    let said = format!("{found:?}");
    assert!(!["tiger", "lion", "secret-path"].iter().any(|secret| said.contains(secret)), "{said}");
    let event = hook.event("notify.test");
    let text = event.json()["text"].as_str().expect("a line for people").to_owned();
    assert!(text.contains("This is a test from hansho"), "{text}");
    assert_eq!(sms.requests()[0].json(), serde_json::json!({ "to": "+819011112222", "text": text }));
    assert!(!world.data.join("hansho.db").exists() && world.phones.calls_to("+815000000001") == 0);

    // All is well, and nobody gets a short message whose number was not given.
    slack.replies([Reply::Body(r#"{"ok":true,"ts":"1.000001"}"#.to_owned())]);
    let (found, code) = tells(&world, &[]);
    assert_eq!(
        (found["gateway"].0.as_str(), found["slack bot"].0.as_str(), code),
        ("warning", "ok", Some(0)),
        "{found:?}"
    );
    assert_eq!((sms.requests().len(), hook.requests().len()), (1, 2));
    assert_ne!(hook.requests()[0].key(), hook.requests()[1].key());
    assert_eq!(hansho(&["selftest", "--sms", "+819011112222"]).status.code(), Some(2), "only with --notify");
}
