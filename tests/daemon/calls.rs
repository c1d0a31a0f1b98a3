//! Real calls, raised over the socket and from the command line, with every exit code.

use nix::sys::signal::Signal;
use serde_json::json;
use std::time::{Duration, Instant};

use crate::support::phones::Stage;
use crate::support::{Habit, World, hansho, until};

const ANNA: &str = "+815000000001";
const BERT: &str = "+815000000002";
/// Less than a request goes on being repeated, which is 32 s, and more than a busy machine needs.
const IN_TIME: Duration = Duration::from_secs(20);

#[test]
fn a_call_is_answered_taken_and_told_live_and_again_after_a_restart() {
    let world = World::new("taken").person(ANNA, Habit::Busy).person(BERT, Habit::Answers);
    let daemon = world.start();
    let mut watch = daemon.watch();
    let incident = daemon.trigger();
    watch.until("attempt.ended", &[("outcome", json!("busy")), ("code", json!(486))]);
    watch.until("attempt.prompt_started", &[]);
    let during = daemon.status(&incident);
    assert_eq!((&during["state"], &during["attempts"][1]["ended_at"]), (&json!("calling"), &json!(null)));
    world.phones.press(BERT, 1);
    watch.until("attempt.key", &[("digit", json!("1")), ("means", json!("take")), ("way", json!("rfc4733"))]);
    watch.until("incident.acknowledged", &[("incident", json!(incident))]);
    watch.until("attempt.ended", &[("outcome", json!("taken"))]);
    world.phones.reaches(BERT, 1, Stage::Ended);
    let before = daemon.status(&incident);
    assert_eq!((&before["state"], &before["taken_by"]), (&json!("acknowledged"), &json!(["p815000000002"])));
    daemon.dies();
    let daemon = world.start();
    assert_eq!(daemon.status(&incident), before, "the record is the same after a restart");
    assert_eq!((world.phones.calls_to(ANNA), world.phones.calls_to(BERT)), (1, 1));
}

#[test]
fn a_cancel_stops_the_ringing_on_the_wire() {
    let world = World::new("cancel").person(ANNA, Habit::Rings).person(BERT, Habit::Rings);
    let daemon = world.start();
    let incident = daemon.trigger();
    world.phones.reaches(ANNA, 1, Stage::Ringing);
    assert_eq!(world.command(&["cancel", &incident]).status.code(), Some(0));
    world.phones.reaches(ANNA, 1, Stage::Refused);
    assert!(world.phones.look(|state| state.calls[0].cancelled));
    daemon.comes_to(&incident, "cancelled");
    until("the call's own end", || {
        Some(daemon.status(&incident)).filter(|status| status["attempts"][0]["outcome"] == "cancelled")
    });
    assert_eq!(world.phones.calls_to(BERT), 0, "nobody is called after a cancel");
    assert_eq!(world.command(&["cancel", &incident]).status.code(), Some(1), "it is not open any more");
}

#[test]
fn a_200_that_crosses_the_cancel_is_acknowledged_and_ended() {
    let world = World::new("crossing").person(ANNA, Habit::Crosses);
    let daemon = world.start();
    let incident = daemon.trigger();
    world.phones.reaches(ANNA, 1, Stage::Ringing);
    assert_eq!(daemon.ask(&json!({ "op": "cancel", "incident": incident }))["ok"], true);
    world.phones.reaches(ANNA, 1, Stage::Ended);
    let heard = world.phones.look(|state| state.heard.clone());
    let place = |what: &str| heard.iter().position(|line| line.starts_with(what)).unwrap_or(usize::MAX);
    assert!(place("CANCEL") < place("ACK") && place("ACK") < place("BYE"), "{heard:?}");
}

#[test]
fn an_answer_without_a_common_codec_is_acknowledged_and_ended_and_the_next_is_called() {
    let world = World::new("codec").person(ANNA, Habit::Strange).person(BERT, Habit::Rings);
    let daemon = world.start();
    let incident = daemon.trigger();
    world.phones.reaches(ANNA, 1, Stage::Ended);
    world.phones.reaches(BERT, 1, Stage::Ringing);
    assert_eq!(daemon.status(&incident)["attempts"][0]["outcome"], "failed");
}

#[test]
fn the_command_line_waits_and_says_with_its_exit_code_what_became_of_it() {
    let world = World::new("exit").person(ANNA, Habit::Answers).flow("rounds = 1");
    let trigger = ["trigger", "--call-flow", "oncall", "--message", "Fire.", "--wait"];
    assert_eq!(world.command(&trigger).status.code(), Some(3), "no daemon runs");
    let daemon = world.start();
    std::thread::scope(|scope| {
        let taken = scope.spawn(|| world.command(&trigger));
        world.phones.reaches(ANNA, 1, Stage::Up(true));
        world.phones.press(ANNA, 1);
        let taken = taken.join().expect("the command ends");
        let said = String::from_utf8_lossy(&taken.stdout).into_owned();
        assert_eq!(taken.status.code(), Some(0), "{said}");
    });
    world.phones.fall_silent();
    world.phones.habit(ANNA, Habit::Busy);
    assert_eq!(world.command(&trigger).status.code(), Some(1), "nobody took it");
    let wrong = world.command(&["trigger", "--call-flow", "oncall", "--param", "novalue"]);
    assert_eq!(wrong.status.code(), Some(2), "bad usage");
    let unknown = world.command(&["trigger", "--call-flow", "nothing"]);
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("nothing"), "{unknown:?}");
    assert_eq!(unknown.status.code(), Some(1));
    assert_eq!(hansho(&["status", "--config", "/nonexistent.toml"]).status.code(), Some(2));
    drop(daemon);
}

#[test]
fn the_same_dedup_key_joins_and_its_resolve_stops_the_ringing() {
    let world = World::new("dedup").person(ANNA, Habit::Rings);
    let daemon = world.start();
    let trigger = json!({ "op": "trigger", "call_flow": "oncall", "dedup": "db-01" });
    let first = daemon.ask(&trigger);
    world.phones.reaches(ANNA, 1, Stage::Ringing);
    let second = daemon.ask(&trigger);
    assert_eq!((&second["incident"], &second["joined"]), (&first["incident"], &json!(true)));
    assert_eq!(first["joined"], json!(null));
    assert_eq!(world.command(&["resolve", "--dedup", "db-01"]).status.code(), Some(0));
    world.phones.reaches(ANNA, 1, Stage::Refused);
    assert_eq!(daemon.ask(&json!({ "op": "resolve", "dedup": "db-01" }))["error"]["code"], "not_open");
    let third = daemon.ask(&trigger);
    assert_ne!(third["incident"], first["incident"], "what is over takes nothing in");
    assert_eq!(world.phones.look(|state| state.calls[0].stage), Stage::Refused);
}

#[test]
fn sigterm_hangs_up_deregisters_and_ends_in_time_and_the_incident_goes_on_afterwards() {
    let trunk = "registrar = \"127.0.0.1\"\nusername = \"hansho\"\npassword = \"x\"";
    let world = World::new("term").person(ANNA, Habit::Rings).person(BERT, Habit::Rings);
    let world = world.trunk(trunk).flow("rounds = 1\nring_timeout = \"60s\"");
    let mut daemon = world.start();
    world.phones.until("registration", |state| state.registered_s.filter(|s| *s > 0));
    let incident = daemon.trigger();
    world.phones.reaches(ANNA, 1, Stage::Ringing);
    let asked = Instant::now();
    daemon.signal(Signal::SIGTERM);
    let status = daemon.ends();
    assert!(asked.elapsed() < IN_TIME, "{:?}", asked.elapsed());
    assert_eq!(status.code(), Some(0), "{}", daemon.said());
    world.phones.reaches(ANNA, 1, Stage::Refused);
    world.phones.until("REGISTER that takes it off", |state| state.registered_s.filter(|s| *s == 0));
    assert_eq!(world.phones.calls_to(BERT), 0);
    let daemon = world.start();
    world.phones.reaches(ANNA, 2, Stage::Ringing);
    assert_eq!(daemon.status(&incident)["state"], "calling");
}

#[test]
fn sigterm_ends_in_time_although_nobody_answers_any_more() {
    let trunk = "registrar = \"127.0.0.1\"\nusername = \"hansho\"\npassword = \"x\"";
    let world = World::new("deaf").person(ANNA, Habit::Dead).trunk(trunk);
    let mut daemon = world.start();
    daemon.trigger();
    world.phones.until("INVITE", |state| state.heard.iter().any(|line| line.starts_with("INVITE")).then_some(()));
    let asked = Instant::now();
    daemon.signal(Signal::SIGTERM);
    assert_eq!(daemon.ends().code(), Some(0));
    assert!(asked.elapsed() < IN_TIME, "{:?}", asked.elapsed());
}
