//! What came of the night: who was called and how it ended, what each telephone heard, where it can be
//! listened to. What was heard is measured; nothing is believed.

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use super::night::HUMS;
use super::stage::{PEOPLE, ROOM, Stage, TANAKA, YAMADA};
use crate::base::Time;
use crate::cli::print_line;
use crate::cli::shown::{padded, text};
use crate::media::SAMPLE_RATE;
use crate::rig::{Recording, ear};

/// A hum that is there is at least this loud, in dBm0.
const THERE_DBM0: f32 = -30.0;
/// A hum that takes up part of a recording has at least this level over all of it.
const IN_THE_ROOM_DBM0: f32 = -40.0;
/// One's own hum is at least so much quieter than the other's, in decibels.
const OWN_BELOW_DB: f32 = 25.0;
/// What is cut off both ends of the time in which both talk: the network's and the buffers' delay.
const EDGE: Duration = Duration::from_millis(500);

/// What the telephones heard.
pub struct Heard {
    /// By place, then by call.
    pub calls: Vec<Vec<Recording>>,
    /// When each one first pressed a key, by place.
    pub pressed: Vec<Option<Time>>,
    /// When somebody was in the room, if it came to that.
    pub talk: Option<Talk>,
    /// All that was told.
    pub events: Vec<Value>,
    /// hansho de-registered when it was stopped.
    pub left: bool,
}

/// From when until when, on the telephones' clock.
#[derive(Clone, Copy)]
pub struct Talk {
    /// Yamada was alone in the room.
    pub alone: (Time, Time),
    /// Both hummed.
    pub both: (Time, Time),
}

/// Shows everything and says what is not as it ought to be.
pub fn show(stage: &Stage, heard: &Heard, colour: bool) -> Result<(), String> {
    print_line(&format!("\nCalls\n  {}{}{}seconds", padded("who", 12), padded("outcome", 13), padded("SIP", 38)));
    for event in heard.events.iter().filter(|event| event["event"] == "attempt.ended") {
        print_line(&format!("  {}", call(event)));
    }
    let mut written = save(&stage.recordings, heard)?;
    written.extend(recordings(&stage.recordings).into_iter().filter(|(name, _)| !stage.older.contains(name)));
    written.sort_by(|a, b| a.0.cmp(&b.0));
    written.dedup_by(|a, b| a.0 == b.0);
    let mut checks = checks(heard);
    if heard.talk.is_some() {
        checks.push(room_has_both(&stage.recordings, &written));
    }
    print_line("\nHeard");
    for (said, found, fine) in &checks {
        let mark = match (fine, colour) {
            (true, true) => "\x1b[1;32mok\x1b[0m    ",
            (true, false) => "ok    ",
            (false, true) => "\x1b[1;31mFAILED\x1b[0m",
            (false, false) => "FAILED",
        };
        print_line(&format!("  {mark}  {}{found}", padded(said, 48)));
    }
    print_line(&format!("\nRecordings in {}", stage.recordings.display()));
    for (name, seconds) in written {
        print_line(&format!("  {}{seconds:5.1} s", padded(&name, 48)));
    }
    let failed: Vec<&str> = checks.iter().filter(|(.., fine)| !fine).map(|(said, ..)| said.as_str()).collect();
    if failed.is_empty() { Ok(()) } else { Err(failed.join("; ")) }
}

fn call(event: &Value) -> String {
    let sip = format!(
        "{} {}",
        event["code"].as_u64().map_or("-".to_owned(), |code| code.to_string()),
        text(&event["reason"])
    );
    let seconds = event["seconds"].as_f64().unwrap_or_default();
    format!(
        "{}{}{}{seconds:7.1}",
        padded(&text(&event["name"]), 12),
        padded(&text(&event["outcome"]), 13),
        padded(&sip, 38)
    )
}

/// What ought to be heard, what was, and whether that is fine.
fn checks(heard: &Heard) -> Vec<(String, String, bool)> {
    let call = |place: usize, number: usize| heard.calls.get(place).and_then(|calls| calls.get(number));
    let before_key = |place: usize| {
        let (call, pressed) = (call(place, 0), heard.pressed.get(place).copied().flatten());
        call.zip(pressed).map_or(&[][..], |(call, pressed)| call.between(call.began(), pressed))
    };
    let mut checks = Vec::new();
    let mut voice = |said: &str, samples: &[i16], least: f64| {
        let (seconds, level) = (ear::voice_seconds(samples), ear::voice_dbm0(samples));
        checks.push((said.to_owned(), format!("{seconds:.1} s of voice at {level:.0} dBm0"), seconds >= least));
    };
    let silent: usize = [0, 1].iter().map(|place| heard.calls.get(*place).map_or(0, Vec::len)).sum();
    voice("Tanaka hears who calls, then presses 2", before_key(TANAKA), 1.5);
    voice("Yamada hears the guidance, then presses 1", before_key(YAMADA), 6.0);
    if let Some(talk) = heard.talk {
        let (from, until) = talk.alone;
        let music = call(YAMADA, 0).map_or(&[][..], |recording| recording.between(from + EDGE, until));
        voice("Yamada hears music while alone", music, 1.0);
        for (place, other, number) in [(TANAKA, YAMADA, 1), (YAMADA, TANAKA, 0)] {
            checks.push(hears_the_other(place, other, call(place, number), talk));
        }
    }
    checks.push(("Sato and Suzuki hear nothing".to_owned(), format!("{silent} calls answered"), silent == 0));
    let left = if heard.left { "no registration is left" } else { "still registered" };
    checks.push(("hansho says goodbye to the trunk".to_owned(), left.to_owned(), heard.left));
    checks
}

fn hears_the_other(place: usize, other: usize, call: Option<&Recording>, talk: Talk) -> (String, String, bool) {
    let (from, until) = talk.both;
    let length = until.since(from).saturating_sub(EDGE);
    let samples = call.map_or(&[][..], |recording| recording.between(from + EDGE, from + length));
    let (theirs, own) = (ear::tone_dbm0(samples, HUMS[other]), ear::tone_dbm0(samples, HUMS[place]));
    let said = format!("{} hears {} and no echo", PEOPLE[place].0, PEOPLE[other].0);
    let found = format!("{theirs:.0} dBm0 at {} Hz, own {} Hz {own:.0} dBm0", HUMS[other], HUMS[place]);
    (said, found, theirs > THERE_DBM0 && own < theirs - OWN_BELOW_DB)
}

/// The room was recorded, and everybody's voice is in it.
fn room_has_both(folder: &Path, written: &[(String, f64)]) -> (String, String, bool) {
    let said = "the room's recording has both".to_owned();
    let room = written.iter().find(|(name, _)| name.starts_with(ROOM));
    let samples = room.and_then(|(name, _)| {
        let reader = hound::WavReader::open(folder.join(name)).ok()?;
        reader.into_samples::<i16>().collect::<Result<Vec<i16>, _>>().ok()
    });
    let Some(samples) = samples else { return (said, "there is none".to_owned(), false) };
    let levels = [TANAKA, YAMADA].map(|place| (HUMS[place], ear::tone_dbm0(&samples, HUMS[place])));
    let found: Vec<String> = levels.iter().map(|(hz, level)| format!("{hz} Hz {level:.0} dBm0")).collect();
    (said, found.join(", "), levels.iter().all(|(_, level)| *level > IN_THE_ROOM_DBM0))
}

/// Writes a WAV a call, 8,000 samples a second, 16 bits, mono; names and seconds.
fn save(folder: &Path, heard: &Heard) -> Result<Vec<(String, f64)>, String> {
    let mut written = Vec::new();
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: SAMPLE_RATE,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    for ((name, _), calls) in PEOPLE.iter().zip(&heard.calls) {
        for (number, recording) in calls.iter().enumerate() {
            let file_name = format!("{}-call-{}.wav", name.to_lowercase(), number + 1);
            let file = folder.join(&file_name);
            let write = || {
                let mut writer = hound::WavWriter::create(&file, spec)?;
                recording.samples().iter().try_for_each(|sample| writer.write_sample(*sample))?;
                writer.finalize()
            };
            write().map_err(|error| format!("cannot write {}: {error}", file.display()))?;
            written.push((file_name, recording.samples().len() as f64 / f64::from(SAMPLE_RATE)));
        }
    }
    Ok(written)
}

/// The WAV files of a folder with their length in seconds, by name.
pub fn recordings(folder: &Path) -> Vec<(String, f64)> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let wav = |path: &Path| {
        let name = path.file_name()?.to_str()?.to_owned();
        let reader = hound::WavReader::open(path).ok()?;
        let seconds = f64::from(reader.duration()) / f64::from(reader.spec().sample_rate.max(1));
        name.ends_with(".wav").then_some((name, seconds))
    };
    let mut files: Vec<(String, f64)> = entries.flatten().filter_map(|entry| wav(&entry.path())).collect();
    files.sort_by(|a, b| a.0.cmp(&b.0));
    files
}
