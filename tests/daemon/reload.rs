//! The configuration's file read again while the daemon runs.

mod accounts;
mod tellers;

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use super::support::{Daemon, Habit, Stage, World, hansho, until};

const ANNA: &str = "+815000000001";
const BERT: &str = "+815000000002";

/// Writes the file with this in the place of that.
fn rewrite(world: &World, from: &str, to: &str) {
    let text = std::fs::read_to_string(&world.config).expect("the configuration can be read");
    assert!(text.contains(from), "{from}: {text}");
    std::fs::write(&world.config, text.replace(from, to)).expect("a configuration can be written");
}

fn reload(daemon: &Daemon) -> Value {
    daemon.ask(&json!({ "op": "reload" }))
}

#[test]
fn who_is_called_changes_for_the_next_incident_and_the_one_under_way_keeps_its_people() {
    let world = World::new("reload").person(ANNA, Habit::Rings).person(BERT, Habit::Rings).flow("rounds = 1");
    let daemon = world.start();
    let first = daemon.trigger();
    world.phones.reaches(ANNA, 1, Stage::Ringing);
    rewrite(&world, "contacts = [\"p815000000001\", \"p815000000002\"]", "contacts = [\"p815000000002\"]");
    let answer = reload(&daemon);
    assert_eq!((&answer["ok"], &answer["needs_restart"]), (&json!(true), &json!([])), "{answer}");
    let second = daemon.trigger();
    world.phones.reaches(BERT, 1, Stage::Ringing);
    assert_eq!(daemon.status(&second)["attempts"][0]["contact"], "p815000000002");
    assert_eq!(daemon.status(&first)["attempts"][0]["contact"], "p815000000001");
    let audit = hansho(&["audit", "list", "--config", world.config.to_str().expect("a path is text")]);
    let audit = String::from_utf8_lossy(&audit.stdout).into_owned();
    assert!(audit.contains("read again for control"), "{audit}");
}

#[test]
fn a_wrong_file_changes_nothing_and_every_complaint_is_told() {
    let world = World::new("reload-wrong").person(ANNA, Habit::Rings);
    let daemon = world.start();
    rewrite(&world, "roster = \"everybody\"", "roster = \"nobody\"\nround = 3");
    rewrite(&world, "phones = [\"+815000000001\"]", "phones = [\"+815000000002\"]");
    let error = &reload(&daemon)["error"];
    let message = error["message"].as_str().unwrap_or_default();
    assert_eq!(error["code"], "bad_configuration");
    assert!(message.contains("nobody") && message.contains("call_flow[1].round"), "{message}");
    assert_eq!(world.command(&["reload"]).status.code(), Some(2));
    daemon.trigger();
    world.phones.reaches(ANNA, 1, Stage::Ringing);
    assert_eq!(world.phones.calls_to(BERT), 0);
}

#[test]
fn what_waits_for_a_restart_is_named_and_the_rest_is_in_force() {
    let world = World::new("reload-later").person(ANNA, Habit::Rings);
    world.phones.habit(BERT, Habit::Rings);
    let daemon = world.start();
    rewrite(&world, "language = \"en\"", "language = \"en\"\nname = \"other\"");
    rewrite(&world, "phones = [\"+815000000001\"]", "phones = [\"+815000000002\"]");
    let done = world.command(&["reload"]);
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    assert_eq!(done.status.code(), Some(0), "{done:?}");
    assert!(said.contains("only after a restart: node.name"), "{said}");
    assert_ne!(daemon.ask(&json!({ "op": "status" }))["node"], "other");
    daemon.trigger();
    world.phones.reaches(BERT, 1, Stage::Ringing);
    assert_eq!(reload(&daemon)["needs_restart"], json!(["node.name"]), "it still waits");
}

#[test]
fn a_hang_up_signal_reads_the_file_again_and_stops_nothing() {
    let world = World::new("reload-signal").person(ANNA, Habit::Rings);
    let mut daemon = world.start();
    rewrite(&world, "[[roster]]", "[[contact]]\nid = \"new\"\nphones = [\"+815000000003\"]\n[[roster]]");
    daemon.signal(Signal::SIGHUP);
    until("the new contact", || {
        let status = daemon.ask(&json!({ "op": "status" }));
        (status["directory"]["contacts"]["file"] == 2).then_some(())
    });
    assert!(daemon.is_well());
}
