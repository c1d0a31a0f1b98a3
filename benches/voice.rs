//! What the embedded voice costs: reading its files, speaking, finding what was spoken before; and how soon the first call
//! after a start is spoken to, measured on the wire against the release build.
//!
//! `cargo bench --bench voice`, after `tools/voice`. Speaking is the whole way of a prompt: words, sound, resampling,
//! level; its processor time is counted over all threads, so that a busy machine does not change it much. The calls are
//! those of the bench `night`: it is the trunk and the telephone, and reads the kernel's receive times.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "a bench is about the real world")]
#![allow(dead_code, reason = "the harness belongs to the bench `night`, and is not all needed here")]

#[path = "night/clock.rs"]
mod clock;
#[path = "night/daemon.rs"]
mod daemon;
#[path = "night/net.rs"]
mod net;
#[path = "night/phone.rs"]
mod phone;
#[path = "night/proc.rs"]
mod proc;
#[path = "night/stats.rs"]
mod stats;
#[path = "night/table.rs"]
mod table;
#[path = "night/trunk.rs"]
mod trunk;
#[path = "night/voice.rs"]
mod voice;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use hansho::base::Language;
use hansho::config::{Speech, Voice};
use hansho::shell::voice::{Speaker, SpeakerSettings};
use nix::time::{ClockId, clock_gettime};
use serde_json::json;

use clock::{MS, Nanos, now};
use daemon::{ANNA, BINARY, Daemon, LIMIT, is_end};
use phone::{Phones, Way};
use stats::Sorted;
use table::{Row, Table};
use trunk::{Heard, Town};
use voice::{has_sound, silent_frames_of_the_greeting};

/// What went wrong, for people.
pub type Result<T> = std::result::Result<T, String>;

/// How many sentences are spoken.
const SENTENCES: u32 = 40;
/// How often the daemon is started for a first call.
const STARTS: u32 = 8;

/// A sentence of a night, with a number so that none is like another.
fn sentence(number: u32) -> String {
    format!("10月3日13時20分、データベースサーバー{number}号機で障害が発生しました。ディスク使用率は95パーセントです。")
}

fn main() -> ExitCode {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("voice-{}", std::process::id()));
    let mut table = Table::default();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let spoken = runtime.map_err(|error| error.to_string()).and_then(|runtime| runtime.block_on(speaking(&folder)));
    table.keep("speaking", spoken);
    table.keep("the first call", first_calls(&folder.join("daemon")));
    print!("{table}");
    if table.has_failures() {
        println!("\nWhat the daemon said stands in {}", folder.join("daemon/daemon.log").display());
        return ExitCode::FAILURE;
    }
    let _ = std::fs::remove_dir_all(&folder);
    ExitCode::SUCCESS
}

/// A speaker with the embedded voice alone, which keeps what it spoke in this folder.
async fn speaker(folder: &Path) -> Speaker {
    let voices = BTreeMap::from([(Language::Ja, vec![Voice::Embedded])]);
    let speech = Speech { voices, ..Speech::default() };
    let speaker = Speaker::start(SpeakerSettings { speech, cache: folder.join("cache"), ..SpeakerSettings::default() });
    speaker.loaded().await;
    speaker
}

/// How many texts it spoke, and how many were kept.
fn counts(speaker: &Speaker) -> (u64, u64) {
    let voices = speaker.voices();
    let all = voices.values().flatten().map(|voice| (voice.counted.spoken, voice.counted.kept));
    all.fold((0, 0), |(spoken, kept), (more, again)| (spoken + more, kept + again))
}

async fn speaking(folder: &Path) -> Result<Vec<Row>> {
    let own = std::process::id();
    let before = proc::resident_kib(own)?;
    let began = Instant::now();
    let voice = speaker(folder).await;
    let loaded = began.elapsed();
    let say = |number: u32| {
        let voice = &voice;
        async move { voice.speak(Language::Ja, &sentence(number)).await.map_err(|error| error.to_string()) }
    };
    let first = say(0).await?;
    let memory = proc::resident_kib(own)?.saturating_sub(before);

    let (mut spoken, mut each) = (Duration::ZERO, Vec::new());
    let (wall, processor) = (Instant::now(), processor_time()?);
    for number in 1..=SENTENCES {
        let began = Instant::now();
        let made = say(number).await?;
        each.push(nanos(began.elapsed()));
        spoken += Duration::from_secs_f64(made.prompt.len() as f64 / 8_000.0);
    }
    let (wall, processor) = (wall.elapsed(), processor_time()? - processor);
    let factor = processor.as_secs_f64() / spoken.as_secs_f64();

    let counted = counts(&voice);
    let began = Instant::now();
    let again = say(0).await?;
    let remembered = began.elapsed();
    let other = speaker(folder).await;
    let began = Instant::now();
    let read = other.speak(Language::Ja, &sentence(SENTENCES)).await.map_err(|error| error.to_string())?;
    let from_disk = began.elapsed();
    let synthesised = counts(&voice).0 - counted.0 + counts(&other).0;
    if !again.kept || again.prompt != first.prompt || !read.kept {
        return Err("what was spoken before was not kept".to_owned());
    }
    Ok(vec![
        Row::new("embedded voice: real-time factor", format!("{factor:.4} of one core"))
            .beside(format!(
                "{:.0} s of speech in {SENTENCES} sentences; by the clock {:.4}",
                spoken.as_secs_f64(),
                wall.as_secs_f64() / spoken.as_secs_f64()
            ))
            .bar("< 0.03", factor < 0.03),
        Row::new("… a sentence", Sorted::new(each)?.whole())
            .beside(format!("{:.1} s of speech each", spoken.as_secs_f64() / f64::from(SENTENCES))),
        Row::new("… its files read, in the background", format!("{:.0} ms", loaded.as_secs_f64() * 1e3))
            .beside(format!("{:.1} MB of files", files(&hansho_voice()?)? as f64 / 1e6)),
        Row::new("… its memory", format!("{:.0} MiB resident", memory as f64 / 1024.0)),
        Row::new("spoken before: from memory", format!("{:.0} µs", remembered.as_secs_f64() * 1e6))
            .beside(format!("from the disk: {:.0} µs", from_disk.as_secs_f64() * 1e6))
            .bar("no synthesis", synthesised == 0),
    ])
}

/// The daemon is started anew each time, and called as soon as it listens; the callee picks up at once.
fn first_calls(folder: &Path) -> Result<Vec<Row>> {
    let head = silent_frames_of_the_greeting(Language::Ja)?;
    let (mut prompts, mut memory) = (Vec::new(), 0);
    for start in 0..STARTS {
        let called = first_call(folder, head, &sentence(start))?;
        prompts.push(called.prompt);
        memory = called.memory;
        if called.spoken == 0 || called.failed > 0 {
            return Err(format!("the embedded voice did not speak for itself: {called:?}"));
        }
    }
    // The last sentence again, in another life: it lies on the disk.
    let again = first_call(folder, head, &sentence(STARTS - 1))?;
    let prompts = Sorted::new(prompts)?;
    let binary = std::fs::metadata(BINARY).map_err(|error| error.to_string())?.len();
    Ok(vec![
        Row::new("first call after a start: ACK to the first prompt packet", prompts.whole())
            .beside("the callee picks up at once")
            .bar("< 40 ms", prompts.max() < 40 * MS),
        Row::new(
            "the same words in another life: ACK to the first prompt packet",
            format!("{} ms", stats::ms(again.prompt)),
        )
        .beside(format!("texts spoken {}, kept {}", again.spoken, again.kept))
        .bar("no synthesis", again.spoken == 0 && again.kept > 0),
        Row::new("daemon with the embedded voice: memory", format!("{:.0} MiB resident", memory as f64 / 1024.0)),
        Row::new("binary", format!("{:.1} MB", binary as f64 / 1e6)),
    ])
}

/// What one first call showed.
#[derive(Debug)]
struct Called {
    /// From the ACK to the first packet of the greeting.
    prompt: Nanos,
    spoken: u64,
    kept: u64,
    failed: usize,
    /// In KiB.
    memory: u64,
}

fn first_call(folder: &Path, head: usize, message: &str) -> Result<Called> {
    let mut town = Town::open()?;
    let mut daemon = Daemon::start_speaking(folder, &town, 4, ("ja", "voices.ja = [\"embedded\"]"))?;
    let phones = Phones::new(town.mouth()?);
    let raised = daemon.trigger_about("pair", message)?;
    let anna = town.is_called(ANNA)?;
    let (media, event_type) = (town.call(anna).media, town.call(anna).event_type);
    town.answer(anna)?;
    phones.speak(media, event_type)?;
    let (mut voices, mut acked, mut failed) = (Vec::new(), None, 0);
    let until = now() + LIMIT;
    let mut press_at = until;
    let mut over = false;
    while !over {
        if now() > until {
            return Err("the first call did not end".to_owned());
        }
        match town.next(now() + 2 * MS)? {
            Some(Heard::Ack(call, at)) if call == anna && acked.is_none() => {
                acked = Some(at);
                // Long enough for the greeting and the beginning of the message.
                press_at = at + 4_000 * MS;
            }
            Some(Heard::Voice(voice)) if voice.port == media.port() => voices.push(voice),
            _ => {}
        }
        if press_at <= now() {
            press_at = until;
            phones.press(media, '1', Way::Event)?;
        }
        while let Some(event) = daemon.event() {
            failed += usize::from(event["event"] == "voice.failed");
            over |= is_end(&event, &raised.incident);
        }
    }
    phones.hush(media)?;
    let memory = proc::resident_kib(daemon.pid())?;
    let status = daemon.ask(&json!({ "op": "status" }))?;
    let counted = |what: &str| {
        let voices = status["counts"]["voices"].as_array().map(Vec::as_slice).unwrap_or_default();
        let theirs = voices.iter().filter(|voice| voice["voice"] == "embedded");
        theirs.filter_map(|voice| voice[what].as_u64()).sum::<u64>()
    };
    // The words of the guidance's keys are among them.
    let (spoken, kept) = (counted("spoken"), counted("kept"));
    daemon.stop(&mut town)?;
    let acked = acked.ok_or("a call without an ACK")?;
    let sound = voices.iter().find(|voice| has_sound(&voice.frame)).ok_or("the greeting was never heard")?;
    let begins = sound.header.timestamp.wrapping_sub(head as u32 * 160);
    let prompt = voices.iter().find(|voice| voice.header.timestamp.wrapping_sub(begins).cast_signed() >= 0);
    let prompt = prompt.ok_or("the greeting has no beginning")?.at - acked;
    Ok(Called { prompt, spoken, kept, failed, memory })
}

/// Where the voice's files are, as hansho finds them.
fn hansho_voice() -> Result<PathBuf> {
    let own = std::env::var_os("HANSHO_VOICE").map(PathBuf::from);
    let built = Path::new(BINARY).ancestors().skip(1).take(3).map(|folder| folder.join("voice"));
    let found = own.into_iter().chain(built).find(|folder| folder.join("dictionary").exists());
    found.ok_or_else(|| "the voice's files are missing: tools/voice makes them".to_owned())
}

/// The bytes of all files in a folder.
fn files(folder: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?.flatten() {
        let about = entry.metadata().map_err(|error| error.to_string())?;
        bytes += if about.is_dir() { files(&entry.path())? } else { about.len() };
    }
    Ok(bytes)
}

fn nanos(time: Duration) -> Nanos {
    Nanos::try_from(time.as_nanos()).unwrap_or(Nanos::MAX)
}

/// What all threads used so far.
fn processor_time() -> Result<Duration> {
    clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID).map(Duration::from).map_err(|error| error.to_string())
}
