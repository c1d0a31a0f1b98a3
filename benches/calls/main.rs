//! Calls set up and torn down, a second and per processor second, beside SIPp doing the same in the same run.
//!
//! SIPp's `uas` is called, first by SIPp's own `uac`, then by hansho's user agent: the whole of `sip` behind one UDP socket,
//! without incidents and media, as SIPp has none either. The caller is a process of its own, this program started once
//! more, so that the kernel counts the processor time of both alike. A pace counts as held when every call ended as it
//! should and nothing was sent twice, by either side.
//!
//! Beside it: what an answered call needs in memory while nothing is said in it.
//!
//! `cargo bench --bench calls`, about a minute. It needs SIPp (Debian: sip-tester), and says so where it is missing.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "a bench is about the real world")]

mod caller;
mod heap;
mod sipp;
#[path = "../night/table.rs"]
mod table;

use std::net::SocketAddr;
use std::process::{Command, ExitCode};
use std::time::Duration;

use nix::sys::resource::{UsageWho, getrusage};

use sipp::Callee;
use table::{Row, Table};

/// What went wrong, for people.
pub type Result<T> = std::result::Result<T, String>;

#[global_allocator]
static HEAP: heap::Counting = heap::Counting;

/// Calls a second, one pace after the other.
const PACES: [u32; 5] = [500, 1_000, 2_000, 4_000, 8_000];
/// So long each is kept.
const SECONDS: u32 = 4;
/// The pace at which the processor time of both is compared.
const COMPARED: u32 = 1_000;
/// So much of SIPp's processor time a call may cost.
const TIMES_SIPP: f64 = 1.5;
/// Dialogs that are up at once.
const DIALOGS: u32 = 2_000;
const DIALOG_BYTES: f64 = 8_192.0;

/// One caller at one pace.
pub struct Run {
    /// Every call went as it should, and nothing was sent twice.
    clean: bool,
    /// Processor time of the caller, user and system, in microseconds a call.
    micros: f64,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        // The bench starts itself as the caller.
        ["--call", to, calls, pace] => caller::says(caller::call(to, calls, pace)),
        ["--hold", to, dialogs] => caller::says(caller::hold(to, dialogs)),
        [] => {
            let mut table = Table::default();
            table.keep("calls", calls());
            table.keep("dialogs", dialogs());
            print!("{table}");
            ExitCode::from(u8::from(table.has_failures()))
        }
        _ => {
            eprintln!("calls: usage: cargo bench --bench calls");
            ExitCode::from(2)
        }
    }
}

fn calls() -> Result<Vec<Row>> {
    let (mut ours, mut theirs) = (Held::default(), Held::default());
    for pace in PACES {
        theirs.keep(pace, sipp::calls(pace * SECONDS, pace)?);
        ours.keep(pace, run_ours(pace * SECONDS, pace)?);
    }
    let (our_cost, their_cost) = (ours.cost()?, theirs.cost()?);
    let times = our_cost / their_cost;
    Ok(vec![
        Row::new("calls a second, nothing sent twice", format!("{} held", ours.fastest))
            .beside(format!("SIPp: {} held; tried: {PACES:?}", theirs.fastest)),
        Row::new(
            format!("processor time a call, at {COMPARED} a second"),
            format!("{our_cost:.0} µs, {times:.2} of SIPp's"),
        )
        .beside(format!("SIPp: {their_cost:.0} µs"))
        .bar(&format!("< {TIMES_SIPP} of SIPp's"), times < TIMES_SIPP),
    ])
}

fn dialogs() -> Result<Vec<Row>> {
    let callee = Callee::start()?;
    let said = ourselves(&["--hold", &callee.at.to_string(), &DIALOGS.to_string()])?;
    let bytes = said.trim().parse::<f64>().map_err(|_| format!("the caller said {said:?}"))?;
    Ok(vec![
        Row::new("memory of an idle dialog", format!("{:.1} KiB", bytes / 1_024.0))
            .beside(format!("heap, {DIALOGS} answered calls after 40 s"))
            .bar("< 8 KiB", bytes < DIALOG_BYTES),
    ])
}

/// Which paces were held, and what a call cost.
#[derive(Default)]
struct Held {
    fastest: u32,
    cost: Option<f64>,
}

impl Held {
    fn keep(&mut self, pace: u32, run: Run) {
        if run.clean {
            self.fastest = self.fastest.max(pace);
        }
        if pace == COMPARED {
            self.cost = Some(run.micros);
        }
    }

    fn cost(&self) -> Result<f64> {
        self.cost.ok_or_else(|| format!("{COMPARED} calls a second were not tried"))
    }
}

fn run_ours(calls: u32, pace: u32) -> Result<Run> {
    let callee = Callee::start()?;
    let before = processor_time()?;
    let said = ourselves(&["--call", &callee.at.to_string(), &calls.to_string(), &pace.to_string()])?;
    let micros = (processor_time()? - before).as_secs_f64() * 1e6 / f64::from(calls);
    Ok(Run { clean: said.trim() == "clean", micros })
}

/// Starts this program once more and gives what it printed.
fn ourselves(words: &[&str]) -> Result<String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let done = Command::new(program).args(words).output().map_err(|error| error.to_string())?;
    if !done.status.success() {
        return Err(String::from_utf8_lossy(&done.stderr).trim().to_owned());
    }
    Ok(String::from_utf8_lossy(&done.stdout).into_owned())
}

/// Of all children that have ended.
pub fn processor_time() -> Result<Duration> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).map_err(|error| error.to_string())?;
    let micros = |time: nix::sys::time::TimeVal| {
        Duration::from_micros(u64::try_from(time.tv_sec() * 1_000_000 + time.tv_usec()).unwrap_or(0))
    };
    Ok(micros(usage.user_time()) + micros(usage.system_time()))
}

/// A free address on loopback.
pub fn free_address() -> Result<SocketAddr> {
    let port = hansho::rig::free_ports(1).ok_or("no free port")?;
    Ok(SocketAddr::from(([127, 0, 0, 1], port)))
}
