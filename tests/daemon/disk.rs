//! A disk that is full: nothing new is accepted, what runs goes on, and the journal is whole again afterwards.
//!
//! The disk is a tmpfs of a few hundred kilobytes, mounted in a name space of the daemon's own, so nothing is
//! left behind. Where that is not allowed, the journal's files are kept from growing by a limit on file sizes.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use hansho::incident::Fact;
use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::support::phones::Stage;
use crate::support::{Daemon, Habit, World, until};

const ANNA: &str = "+815000000001";
const BERT: &str = "+815000000002";

/// Starts the daemon with its data on a small disk of its own; `None` where nobody may mount one.
fn start_on_small_disk(world: &World) -> Option<(Daemon, PathBuf)> {
    fs::create_dir_all(&world.data).expect("a folder can be made");
    let mount = "mount -t tmpfs -o size=400k hansho \"$1\"";
    let may = Command::new("unshare").args(["-m", "sh", "-c", mount, "sh"]).arg(&world.data).output();
    if !may.is_ok_and(|tried| tried.status.success()) {
        return None;
    }
    world.write_config();
    let mut command = Command::new("unshare");
    let run = format!("{mount} && exec \"$2\" run --config \"$3\"");
    command.args(["-m", "sh", "-c", &run, "sh"]).arg(&world.data);
    command.arg(env!("CARGO_BIN_EXE_hansho")).arg(&world.config);
    let daemon = Daemon::run(command, &world.socket);
    // Seen from outside through the daemon's own root.
    let inside = PathBuf::from(format!("/proc/{}/root", daemon.pid())).join(world.data.strip_prefix("/").ok()?);
    Some((daemon, inside))
}

/// Fills the disk to the last byte.
fn fill(disk: &Path) {
    let mut file = OpenOptions::new().create(true).append(true).open(disk.join("filler")).expect("a file");
    let mut size = 64 * 1024;
    while size > 0 {
        if file.write_all(&vec![0; size]).is_err() {
            size /= 2;
        }
    }
}

fn trigger(daemon: &Daemon) -> Value {
    // Long enough that the write-ahead log must grow for it.
    let message = "The disk is full. ".repeat(100);
    daemon.ask(&json!({ "op": "trigger", "call_flow": "oncall", "message": message }))
}

#[test]
fn a_full_disk_refuses_new_incidents_keeps_calls_up_and_is_made_good_when_space_comes_back() {
    let world = World::new("full").person(ANNA, Habit::Answers).person(BERT, Habit::Rings);
    let world = world.flow("ring_timeout = \"60s\"").guidance("first_key_timeout = \"60s\"");
    let Some((daemon, disk)) = start_on_small_disk(&world) else {
        eprintln!("nobody may mount a disk here: tried with a limit on file sizes instead");
        return limited();
    };
    let mut watch = daemon.watch();
    let under_way = daemon.trigger();
    watch.until("attempt.prompt_started", &[]);
    assert_eq!(daemon.ask(&json!({ "op": "token.create", "name": "tool" }))["token"]["token"], 1);
    fill(&disk);

    // New ones are refused until the journal has really met the end of the disk; then all are.
    let mut accepted = 0;
    let refused = until("a trigger to be refused", || {
        let answer = trigger(&daemon);
        accepted += usize::from(answer["ok"] == true);
        Some(answer).filter(|answer| answer["ok"] == false)
    });
    assert_eq!(refused["error"]["code"], "not_stored", "{refused}");
    let why = refused["error"]["message"].as_str().expect("a sentence");
    assert!(why.contains("disk is full") && why.contains("hansho.db"), "{why}");
    let calls = world.phones.look(|state| state.calls.len());
    assert_eq!(trigger(&daemon)["error"]["code"], "not_stored");
    let trouble = daemon.ask(&json!({ "op": "status" }))["trouble"].to_string();
    assert!(trouble.contains("disk is full"), "{trouble}");

    // Whoever asks again for what is not stored yet is told so again, and not that it is gone.
    let revoke = json!({ "op": "token.revoke", "token": 1 });
    for again in [false, true] {
        let answer = daemon.ask(&revoke);
        let why = answer["error"]["message"].as_str().unwrap_or_default();
        assert!(answer["error"]["code"] == "not_stored" && why.contains("holds in this life"), "{again}: {answer}");
    }
    let quiet = json!({ "op": "suppress", "host": "db-01", "for": "2h" });
    for again in [false, true] {
        let answer = daemon.ask(&quiet);
        assert_eq!(answer["error"]["code"], "not_stored", "{again}: {answer}");
    }
    assert_eq!(daemon.ask(&json!({ "op": "token.create", "name": "x" }))["error"]["code"], "not_stored");
    assert_eq!(daemon.ask(&json!({ "op": "token.list" }))["tokens"], json!([]));

    // The call under way goes on: the key counts, and the next person is called.
    world.phones.press(ANNA, 2);
    world.phones.until("Bert's phone", |state| {
        state.calls.iter().find(|call| call.number == BERT && call.stage == Stage::Ringing).map(|_| ())
    });
    world.phones.reaches(ANNA, 1, Stage::Ended);
    let status = daemon.status(&under_way);
    assert_eq!(status["attempts"][0]["outcome"], "passed", "{status}");
    assert!(world.phones.look(|state| state.calls.len()) <= calls + 1 + accepted, "a refused one calls nobody");

    fs::remove_file(disk.join("filler")).expect("the filler can be removed");
    // What little there is on such a disk is the journal's: the pictures of calls want more, and leave it alone.
    until("the trouble to pass", || {
        let left = daemon.ask(&json!({ "op": "status" }))["trouble"].clone();
        let ladders = left.to_string().contains("the last 32 are the journal's");
        (ladders && left.as_array().is_some_and(|all| all.len() == 1)).then_some(())
    });
    assert_eq!(daemon.ask(&revoke)["error"]["code"], "not_found", "it is stored now");
    let promises = daemon.ask(&json!({ "op": "suppressions" }))["suppressions"].clone();
    assert_eq!(promises.as_array().map(Vec::len), Some(1), "what was said twice is one promise: {promises}");
    let accepted = daemon.ask(&json!({ "op": "trigger", "call_flow": "oncall", "dedup": "x" }));
    assert_eq!(accepted["ok"], true, "{accepted}");
    assert_eq!(daemon.ask(&json!({ "op": "cancel", "incident": under_way }))["ok"], true);
    world.phones.until("Bert left alone", |state| {
        state.calls.iter().find(|call| call.number == BERT && call.stage == Stage::Refused).map(|_| ())
    });
    daemon.comes_to(&under_way, "cancelled");

    // The whole story is in the journal, in its order.
    let facts = until("the last fact", || {
        let facts = facts_at(&daemon, &disk, &world, &under_way);
        matches!(facts.last(), Some(Fact::Ended { attempt: 2, .. })).then_some(facts)
    });
    let place = |is: fn(&Fact) -> bool| facts.iter().position(is).unwrap_or_else(|| panic!("missing: {facts:#?}"));
    let order = [
        place(|fact| matches!(fact, Fact::Accepted { .. })),
        place(|fact| matches!(fact, Fact::Answered { attempt: 1, .. })),
        place(|fact| matches!(fact, Fact::Key { attempt: 1, .. })),
        place(|fact| matches!(fact, Fact::Ended { attempt: 1, .. })),
        place(|fact| matches!(fact, Fact::Cancelled { .. })),
    ];
    assert!(order.is_sorted(), "{facts:#?}");
    place(|fact| matches!(fact, Fact::Dialled { attempt: 2, .. }));
}

/// Reads a copy, made while nobody writes: SQLite finds no way through another process's root.
fn facts_at(daemon: &Daemon, disk: &Path, world: &World, incident: &str) -> Vec<Fact> {
    daemon.signal(Signal::SIGSTOP);
    until("the daemon to stand still", || daemon.is_still().then_some(()));
    for name in ["hansho.db", "hansho.db-wal", "hansho.db-shm"] {
        fs::copy(disk.join(name), world.data.join(name)).expect("the journal can be copied");
    }
    daemon.signal(Signal::SIGCONT);
    world.facts(incident)
}

#[test]
fn a_journal_that_may_not_grow_refuses_with_a_reason_and_nobody_is_called() {
    limited();
}

/// The same refusal by a limit on the size of files, which needs no right.
fn limited() {
    let world = World::new("limit").person(ANNA, Habit::Rings).flow("rounds = 1");
    world.start().dies();
    let mut command = Command::new("sh");
    // 1 block is 512 bytes; ignoring SIGXFSZ makes the write fail instead of the process.
    command.args(["-c", "trap '' XFSZ; ulimit -f 120; exec \"$0\" run --config \"$1\""]);
    command.arg(env!("CARGO_BIN_EXE_hansho")).arg(&world.config);
    let mut daemon = Daemon::run(command, &world.socket);
    let refused = until("a trigger to be refused", || Some(trigger(&daemon)).filter(|answer| answer["ok"] == false));
    assert_eq!(refused["error"]["code"], "not_stored", "{refused}");
    assert!(refused["error"]["message"].as_str().is_some_and(|why| why.contains("hansho.db")), "{refused}");
    let trouble = daemon.ask(&json!({ "op": "status" }))["trouble"].to_string();
    assert!(trouble.contains("hansho.db"), "{trouble}");
    assert!(daemon.is_well());
}
