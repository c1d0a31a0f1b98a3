//! What the daemon needs while nothing happens, and how large it is.

use std::fs;

use crate::clock::{Nanos, SECOND, pause};
use crate::daemon::{BINARY, Daemon};
use crate::table::Row;
use crate::{Effort, Result, proc};

pub fn measure(effort: &Effort, daemon: &Daemon) -> Result<Vec<Row>> {
    // The work of starting is no idleness.
    pause(SECOND);
    let before = proc::cpu_seconds(daemon.pid())?;
    pause(effort.idle_seconds as Nanos * SECOND);
    let used = proc::cpu_seconds(daemon.pid())? - before;
    let share = used / effort.idle_seconds as f64 * 100.0;
    let resident = proc::resident_kib(daemon.pid())? as f64 / 1_024.0;
    let (loaded, file) = sizes()?;
    Ok(vec![
        Row::new("idle: memory", format!("{resident:.1} MiB resident"))
            .beside(format!("configured for {} legs", effort.legs + 10)),
        Row::new("idle: processor", format!("{share:.2} % of one core"))
            .beside(format!("over {} s, in steps of 10 ms", effort.idle_seconds)),
        Row::new("binary", format!("{loaded:.1} MiB loaded, voices and music within"))
            .beside(format!("{file:.1} MiB file, with line tables")),
    ])
}

/// MiB of what is loaded from the binary, and of the whole file.
fn sizes() -> Result<(f64, f64)> {
    const MIB: f64 = 1_048_576.0;
    let bytes = fs::read(BINARY).map_err(|error| format!("{BINARY}: {error}"))?;
    let loaded = loaded(&bytes).ok_or("the binary is no 64-bit little-endian ELF file")?;
    Ok((loaded as f64 / MIB, bytes.len() as f64 / MIB))
}

/// The file sizes of all PT_LOAD segments (elf(5)).
fn loaded(elf: &[u8]) -> Option<u64> {
    let u16_at = |place: usize| Some(u16::from_le_bytes(elf.get(place..place + 2)?.try_into().ok()?));
    let u32_at = |place: usize| Some(u32::from_le_bytes(elf.get(place..place + 4)?.try_into().ok()?));
    let u64_at = |place: usize| Some(u64::from_le_bytes(elf.get(place..place + 8)?.try_into().ok()?));
    if !elf.starts_with(b"\x7fELF\x02\x01") {
        return None;
    }
    let (table, size, count) = (usize::try_from(u64_at(32)?).ok()?, usize::from(u16_at(54)?), usize::from(u16_at(56)?));
    let mut sum = 0;
    for entry in (0..count).map(|number| table + number * size) {
        if u32_at(entry)? == 1 {
            sum += u64_at(entry + 32)?;
        }
    }
    Some(sum)
}
