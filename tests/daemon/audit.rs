//! The audit on the real binary: the file is checked and listed while the daemon writes it, and who touches it is named.

use rusqlite::Connection;
use serde_json::Value;

use crate::support::{Habit, World, hansho};

const ANNA: &str = "+815000000001";

fn audit(world: &World, arguments: &[&str]) -> (Option<i32>, String) {
    let config = world.config.to_str().expect("a path is text");
    let output = hansho(&[&["audit"], arguments, &["--config", config]].concat());
    (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn the_journal_is_verified_while_the_daemon_runs_and_a_fact_that_was_changed_is_named() {
    let world = World::new("audit").person(ANNA, Habit::Answers);
    let daemon = world.start();
    let mut watch = daemon.watch();
    let incident = daemon.trigger();
    watch.until("attempt.prompt_started", &[]);
    world.phones.press(ANNA, 1);
    // Told when it is on disk; the status knows a moment earlier.
    watch.until("incident.acknowledged", &[("incident", incident.as_str().into())]);

    let (code, said) = audit(&world, &["verify"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("chain whole from "), "{said}");
    let head = said.trim().rsplit(' ').next().expect("a head").to_owned();
    let (code, said) = audit(&world, &["list", "--json"]);
    assert_eq!(code, Some(0), "{said}");
    let facts: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).expect("an object a line")).collect();
    assert_eq!(facts[0]["fact"]["house"], "configured");
    let line = |name: &str| facts.iter().find(|line| line["fact"]["fact"] == name).expect("it is listed");
    assert_eq!(line("accepted")["incident"], incident);
    let taken = line("taken")["seq"].as_i64().expect("a number");
    daemon.dies();

    // As it is left by a crash, and with a note of its head.
    let (code, said) = audit(&world, &["verify", "--head", &head]);
    assert_eq!(code, Some(0), "{said}");
    let file = Connection::open(world.data.join("hansho.db")).expect("the file opens");
    file.execute("UPDATE facts SET body = replace(body, 'taken', 'left') WHERE seq = ?1", [taken])
        .expect("it is changed");
    drop(file);
    let (code, said) = audit(&world, &["verify"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.starts_with(&format!("line {taken} was changed\n")) && said.contains("BROKEN"), "{said}");
}

#[test]
fn a_configuration_is_written_down_when_it_is_another_one() {
    let world = World::new("configured").person(ANNA, Habit::Rings);
    for _ in 0..2 {
        world.start().dies();
    }
    let configured = |world: &World| {
        let (_, said) = audit(world, &["list"]);
        said.lines().filter(|line| line.contains("runs with the configuration")).count()
    };
    assert_eq!(configured(&world), 1);
    let world = world.flow("rounds = 2");
    world.start().dies();
    assert_eq!(configured(&world), 2);
}
