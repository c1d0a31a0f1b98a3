//! What the kernel knows of the daemon: processor time, memory, scheduling.

use std::fs;

use crate::Result;

/// The unit of processor time in `/proc`, in seconds: `USER_HZ` is 100 on every Linux that hansho runs on.
const TICK_SECONDS: f64 = 0.01;

/// Seconds of processor time used so far: user and system, all threads.
pub fn cpu_seconds(pid: u32) -> Result<f64> {
    let fields = stat(&format!("/proc/{pid}/stat"))?;
    // Fields 14 and 15 of proc_pid_stat(5); the first here is the third there.
    let ticks = |place: usize| fields.get(place).and_then(|word| word.parse::<u32>().ok());
    match (ticks(11), ticks(12)) {
        (Some(user), Some(system)) => Ok(f64::from(user + system) * TICK_SECONDS),
        _ => Err(format!("/proc/{pid}/stat cannot be read")),
    }
}

/// Resident memory in KiB.
pub fn resident_kib(pid: u32) -> Result<u64> {
    let path = format!("/proc/{pid}/status");
    let text = fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let words = line.and_then(|line| line.split_whitespace().next());
    words.and_then(|word| word.parse().ok()).ok_or_else(|| format!("{path} has no VmRSS"))
}

/// Files and sockets that are open.
pub fn open_files(pid: u32) -> Result<usize> {
    let path = format!("/proc/{pid}/fd");
    fs::read_dir(&path).map(Iterator::count).map_err(|error| format!("{path}: {error}"))
}

/// How the media thread is scheduled: `SCHED_FIFO`, or `SCHED_OTHER` where it may not be.
pub fn media_is_realtime(pid: u32) -> bool {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    tasks.into_iter().any(|task| {
        let path = task.path();
        let is_media = fs::read_to_string(path.join("comm")).is_ok_and(|name| name.trim() == "hansho-media");
        // Field 41 is the policy; 1 is SCHED_FIFO.
        is_media
            && stat(&path.join("stat").to_string_lossy()).is_ok_and(|fields| fields.get(38).is_some_and(|p| p == "1"))
    })
}

/// Datagrams that the socket on this UDP port of loopback lost because nobody took the ones before in time.
pub fn dropped_datagrams(port: u16) -> Result<u64> {
    let path = "/proc/net/udp";
    let table = fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
    let local = format!("0100007F:{port:04X}");
    let line = table.lines().find(|line| line.split_whitespace().nth(1) == Some(&local));
    let drops = line.and_then(|line| line.split_whitespace().last()).and_then(|word| word.parse().ok());
    drops.ok_or_else(|| format!("{path} does not know port {port}"))
}

/// The three averages.
pub fn load_average() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().take(3).collect::<Vec<_>>().join(" ")
}

/// The fields of a stat file from the third on: the second is a name that may hold blanks and brackets.
fn stat(path: &str) -> Result<Vec<String>> {
    let text = fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
    let (_, behind) = text.rsplit_once(')').ok_or_else(|| format!("{path} cannot be read"))?;
    Ok(behind.split_whitespace().map(str::to_owned).collect())
}
