//! The machine itself: its disk and its clock.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use jiff::{Timestamp, Zoned};
use nix::sys::statvfs::statvfs;

use super::Finding;
use crate::config::Settings;

/// What is written to try a disk.
const PROBE: usize = 256 * 1024;
/// A commit that takes longer makes everybody wait.
const SLOW: Duration = Duration::from_millis(200);
/// Less is free: a busy night's journal and recordings may not fit.
const SPACE_MIN: u64 = 200 << 20;
/// No clock of a machine that runs this program is before it: 2026-01-01.
const EPOCH: i64 = 1_767_225_600;
/// What tells that a time service has set the clock, by those that most systems have.
const SYNCHRONISED: [&str; 3] = ["/run/systemd/timesync/synchronized", "/run/chrony/chronyd.pid", "/run/ntpd.pid"];

/// Looks at both.
pub(super) fn check(settings: &Settings) -> Vec<Finding> {
    let folders = [("disk", &settings.node.data_dir), ("recordings", &settings.media.record_dir)];
    let mut findings: Vec<Finding> = folders.into_iter().map(|(check, folder)| disk(check, folder)).collect();
    findings.push(clock(settings));
    findings
}

fn disk(check: &str, folder: &Path) -> Finding {
    let shown = folder.display();
    let took = match written(folder) {
        Ok(took) => took,
        Err(error) => {
            let why = format!("nothing can be written to {shown}: {error}");
            return Finding::failed(check, why, "give the user that runs hansho this folder, or free some space");
        }
    };
    let free = statvfs(folder).map(|disk| disk.blocks_available().saturating_mul(disk.fragment_size()));
    let free = free.unwrap_or(u64::MAX);
    let found = format!("{shown}: written and on the disk in {} ms", took.as_millis());
    if free < SPACE_MIN {
        return Finding::warning(check, format!("{found}, {} MB free", free >> 20), "free some space");
    }
    if took > SLOW {
        return Finding::warning(check, found, "a slow disk delays every answer: put data_dir on another one");
    }
    Finding::ok(check, found)
}

/// How long it takes until something is on the disk and not only on its way.
fn written(folder: &Path) -> io::Result<Duration> {
    fs::create_dir_all(folder)?;
    let path = folder.join(format!(".selftest-{}", std::process::id()));
    let began = now();
    let done = File::create(&path).and_then(|mut file| {
        file.write_all(&[0x5a; PROBE])?;
        file.sync_all()
    });
    let took = began.elapsed();
    let removed = fs::remove_file(&path);
    done.and(removed).map(|()| took)
}

fn clock(settings: &Settings) -> Finding {
    let now = Timestamp::now();
    let shown = now.to_zoned(settings.node.time_zone.clone());
    let found = format!("it is {}", words(&shown));
    if now.as_second() < EPOCH {
        return Finding::failed("clock", found, "set this machine's clock: accepting hours and the record need it");
    }
    if SYNCHRONISED.iter().any(|file| Path::new(file).exists()) {
        return Finding::ok("clock", format!("{found}, and a time service keeps it"));
    }
    Finding::warning(
        "clock",
        found,
        "no time service was found (systemd-timesyncd, chrony): see that something sets it",
    )
}

fn words(at: &Zoned) -> String {
    let zone = at.time_zone().iana_name().map_or_else(String::new, |name| format!(" ({name})"));
    format!("{}{zone}", at.strftime("%Y-%m-%d %H:%M:%S %:z"))
}

#[allow(clippy::disallowed_methods, reason = "how long the disk takes is measured")]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::selftest::Verdict;

    #[test]
    fn a_folder_that_cannot_be_written_is_named() {
        let found = disk("disk", Path::new("/proc/hansho"));
        assert_eq!(found.verdict, Verdict::Failed);
        assert!(found.found.contains("/proc/hansho"), "{found:?}");
    }

    #[test]
    fn nothing_is_left_of_the_probe() {
        let folder = std::env::temp_dir().join(format!("hansho-selftest-probe-{}", std::process::id()));
        written(&folder).unwrap();
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
        fs::remove_dir_all(folder).unwrap();
    }
}
