//! `hansho selftest`: with a daemon and without one, on a machine where things are well and where they are not.

use std::collections::BTreeMap;

use serde_json::Value;

use super::support::{Habit, World, hansho};

/// What each check found, and the exit code.
fn selftest(world: &World) -> (BTreeMap<String, (String, String)>, Option<i32>) {
    let done = hansho(&["selftest", "--json", "--config", world.config.to_str().expect("a path is text")]);
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
