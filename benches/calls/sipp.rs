//! SIPp: who is called, and who calls for comparison. Both play the scenarios that SIPp brings along.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::{Result, Run, free_address, processor_time};

/// So long SIPp may take to listen.
const PATIENCE: Duration = Duration::from_secs(10);

/// SIPp's `uas`, which answers every call at once; ended when it is dropped.
pub struct Callee {
    /// Where it listens.
    pub at: SocketAddr,
    child: Child,
}

impl Callee {
    pub fn start() -> Result<Callee> {
        let at = free_address()?;
        let child = sipp("uas", at).spawn().map_err(missing)?;
        let callee = Callee { at, child };
        let (began, local) = (Instant::now(), format!("0100007F:{:04X}", at.port()));
        while !fs::read_to_string("/proc/net/udp").is_ok_and(|table| table.contains(&local)) {
            if began.elapsed() > PATIENCE {
                return Err("SIPp does not listen".to_owned());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(callee)
    }
}

impl Drop for Callee {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// SIPp calls SIPp.
pub fn calls(calls: u32, pace: u32) -> Result<Run> {
    let callee = Callee::start()?;
    let counts = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("sipp-{}.csv", std::process::id()));
    let mut caller = sipp("uac", free_address()?);
    caller.args(["-r", &pace.to_string(), "-m", &calls.to_string(), "-d", "0", "-trace_stat", "-fd", "1", "-stf"]);
    caller.arg(&counts).arg(callee.at.to_string());
    let before = processor_time()?;
    let done = caller.status().map_err(missing)?;
    let micros = (processor_time()? - before).as_secs_f64() * 1e6 / f64::from(calls);
    let table = fs::read_to_string(&counts).map_err(|error| format!("{}: {error}", counts.display()))?;
    let twice = last(&table, "Retransmissions(C)").ok_or("SIPp's counts have no retransmissions")?;
    // What stays is looked at by nobody.
    let _ = fs::remove_file(&counts);
    Ok(Run { clean: done.success() && twice == "0", micros })
}

fn sipp(scenario: &str, at: SocketAddr) -> Command {
    let mut command = Command::new("sipp");
    let (ip, port) = (at.ip().to_string(), at.port().to_string());
    command.args(["-sn", scenario, "-i", &ip, "-p", &port, "-nostdin", "-l", "100000"]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn missing(error: std::io::Error) -> String {
    format!("sipp (Debian: sip-tester): {error}")
}

/// What the last line of a table says in this column.
fn last<'a>(table: &'a str, column: &str) -> Option<&'a str> {
    let mut lines = table.lines();
    let place = lines.next()?.split(';').position(|name| name == column)?;
    lines.last()?.split(';').nth(place)
}
