//! What the embedded voice costs: reading its files, speaking a sentence, finding one that was spoken before.
//!
//! `cargo bench --bench voice`, after `tools/voice`. Speaking is the whole way of a prompt: words, sound, resampling,
//! level; its processor time is counted over all threads, so that a busy machine does not change it much.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "a bench is about the real world")]

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use hansho::base::Language;
use hansho::config::{Speech, Voice};
use hansho::shell::voice::{Speaker, SpeakerSettings};
use nix::time::{ClockId, clock_gettime};

/// A sentence of a night, with a number so that none is like another.
fn sentence(number: u32) -> String {
    format!("10月3日13時20分、データベースサーバー{number}号機で障害が発生しました。ディスク使用率は95パーセントです。")
}

const SENTENCES: u32 = 40;

fn main() -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.map_err(|error| error.to_string())?.block_on(measure())
}

async fn measure() -> Result<(), String> {
    let before = resident()?;
    let began = Instant::now();
    let voices = BTreeMap::from([(Language::Ja, vec![Voice::Embedded])]);
    let speech = Speech { voices, cache_bytes: 0, ..Speech::default() };
    let speaker = Speaker::start(SpeakerSettings { speech, ..SpeakerSettings::default() });
    speaker.loaded().await;
    let loaded = began.elapsed();
    let first = speaker.speak(Language::Ja, &sentence(0)).await.map_err(|error| error.to_string())?;
    let after = resident()?;
    println!("| files read, in the background | {:.0} ms |  |", millis(loaded));
    println!("| memory of the voice | {:.0} MiB resident |  |", (after - before) as f64 / 1024.0);

    let (mut spoken, mut longest) = (Duration::ZERO, Duration::ZERO);
    let (wall, processor) = (Instant::now(), processor_time()?);
    for number in 1..=SENTENCES {
        let began = Instant::now();
        let made = speaker.speak(Language::Ja, &sentence(number)).await.map_err(|error| error.to_string())?;
        longest = longest.max(began.elapsed());
        spoken += Duration::from_secs_f64(made.prompt.len() as f64 / 8_000.0);
    }
    let (wall, processor) = (wall.elapsed(), processor_time()? - processor);
    let factor = processor.as_secs_f64() / spoken.as_secs_f64();
    println!(
        "| {:.0} s of speech in {SENTENCES} sentences | real-time factor {factor:.4} of one core, {:.4} by the clock | \
         < 0.03: {} |",
        spoken.as_secs_f64(),
        wall.as_secs_f64() / spoken.as_secs_f64(),
        if factor < 0.03 { "within" } else { "BEYOND" },
    );
    println!(
        "| the slowest sentence | {:.0} ms for about {:.1} s |  |",
        millis(longest),
        spoken.as_secs_f64() / f64::from(SENTENCES)
    );

    let began = Instant::now();
    let again = speaker.speak(Language::Ja, &sentence(0)).await.map_err(|error| error.to_string())?;
    let kept = began.elapsed();
    if !again.kept || again.prompt != first.prompt {
        return Err("the first sentence was not kept".to_owned());
    }
    println!("| a sentence spoken before | {:.0} µs |  |", kept.as_secs_f64() * 1e6);
    Ok(())
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// What all threads used so far.
fn processor_time() -> Result<Duration, String> {
    clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID).map(Duration::from).map_err(|error| error.to_string())
}

/// In KiB.
fn resident() -> Result<i64, String> {
    let status = std::fs::read_to_string("/proc/self/status").map_err(|error| error.to_string())?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().split(' ').next()?.parse().ok()).ok_or_else(|| "no VmRSS".to_owned())
}
