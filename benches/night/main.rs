//! How fast hansho is and what it needs: the real binary, measured from outside, on the wire.
//!
//! The bench is the trunk and all the telephones. It raises incidents on the control socket, answers over SIP and
//! RTP on loopback, and reads the kernel's own receive times (`SO_TIMESTAMPNS`), so a bench that is late to look
//! does not make hansho look late. Every figure that depends on the machine stands beside a plain reference that
//! was measured in the same run. It judges nothing: the exit code is 0 unless something could not be measured.
//!
//! Started by `tools/bench`; `docs/performance.md` explains how to read what it prints.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a bench reads the clock, sleeps, and owns sockets and threads"
)]

mod calls;
mod clock;
mod daemon;
mod flood;
mod idle;
mod net;
mod phone;
mod proc;
mod reference;
mod room;
mod stats;
mod table;
mod trigger;
mod trunk;
mod voice;
mod witness;

use std::path::PathBuf;
use std::process::ExitCode;

use daemon::Daemon;
use table::Table;

/// What went wrong, for people.
pub type Result<T> = std::result::Result<T, String>;

/// How much is measured.
pub struct Effort {
    triggers: usize,
    /// For each of the two ways to press a key and each of the two keys.
    calls: usize,
    legs: usize,
    room_seconds: u64,
    idle_seconds: u64,
    /// Incidents before the strangers come, and as many while they are there.
    flood: usize,
}

const WHOLE: Effort = Effort { triggers: 300, calls: 40, legs: 100, room_seconds: 20, idle_seconds: 10, flood: 300 };
const QUICK: Effort = Effort { triggers: 50, calls: 6, legs: 100, room_seconds: 5, idle_seconds: 3, flood: 60 };

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        // The daemon starts the bench itself as its voice maker.
        ["--speak", text, out] => voice::speak(text, out),
        // The bench starts itself as the strangers.
        ["--flood", web, sip] => flood::strangers(web, sip),
        [] => bench(&WHOLE),
        ["--quick"] => bench(&QUICK),
        _ => {
            eprintln!("night: usage: tools/bench [--quick]");
            ExitCode::from(2)
        }
    }
}

fn bench(effort: &Effort) -> ExitCode {
    let mut table = Table::default();
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("night-{}", std::process::id()));
    let load_before = proc::load_average();
    measure(effort, &folder, &mut table);
    println!("{}", machine(&load_before));
    print!("{table}");
    if table.has_failures() {
        println!("\nWhat the daemon said stands in {}", folder.join("daemon.log").display());
        return ExitCode::FAILURE;
    }
    let _ = std::fs::remove_dir_all(&folder);
    ExitCode::SUCCESS
}

fn measure(effort: &Effort, folder: &std::path::Path, table: &mut Table) {
    let scene = trunk::Town::open().and_then(|town| Ok((Daemon::start(folder, &town, effort.legs)?, town)));
    let (mut daemon, mut town) = match scene {
        Ok(scene) => scene,
        Err(why) => return table.failed("start the daemon", &why),
    };
    step("idle");
    table.keep("idle", idle::measure(effort, &daemon));
    step("trigger to INVITE");
    table.keep("trigger to INVITE", trigger::measure(effort, &mut daemon, &mut town));
    step("answer to prompt, key to action");
    table.keep("answer to prompt, key to action", calls::measure(effort, &mut daemon, &mut town));
    step("room");
    table.keep("room", room::measure(effort, &mut daemon, &mut town));
    step("flood");
    table.keep("flood", flood::measure(effort, &mut daemon, &mut town));
    if let Err(why) = daemon.stop(&mut town) {
        table.failed("stop the daemon", &why);
    }
}

/// Says on stderr what goes on, because a whole run lasts minutes.
fn step(what: &str) {
    eprintln!("measuring: {what}");
}

fn machine(load_before: &str) -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let model = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = model.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or(": unknown processor");
    let model = model.trim_start_matches([' ', '\t', ':']);
    let load = proc::load_average();
    format!(
        "hansho {}, {cores} cores ({model}), Linux {}, load average {load_before} before and {load} after\n",
        env!("CARGO_PKG_VERSION"),
        kernel.trim(),
    )
}
