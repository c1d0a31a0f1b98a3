//! The voices, judged by others: the embedded Japanese one by open_jtalk, the English one by pocketsphinx.
//!
//! There is no recogniser of Japanese whose model comes in a package. So the embedded voice is compared with the program
//! it was made after, on the same dictionary and the same voice: every sound must be as long and as loud as there. An
//! English sentence is given to a recogniser, which has to find it among all that a small grammar allows.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::sound::{self, RATE, level_of, silence};
use crate::support::{Baresip, Daemon, Scene, Settings};

const NUMBER: &str = "+815011110009";

/// What a call at night may say, in Japanese.
const SENTENCES: [&str; 6] = [
    "データベースサーバーで障害が発生しました。ディスク使用率は95パーセントです。",
    "2023年10月3日13時20分、東京のウェブサーバーが応答しません。",
    "対応を開始するには1番を、次の担当者に転送するには2番を押してください。",
    "山田さんが対応を開始しました。会議室には3人います。",
    "復旧しました。ありがとうございました。",
    "アイピーアドレス192の168の0の1への通信に、失敗しています。",
];

/// A configuration in which a voice may take its time: a busy machine is no failure.
fn patient(scene: &Scene, more: &str) -> PathBuf {
    let lines = format!("[speech]\ntimeout = \"60s\"\n{more}");
    Settings::trunk_at(9).person("anna", NUMBER).more(&lines).written(scene)
}

/// Speaks a text with one voice; gives the sound, and what the command said.
fn speak(scene: &Scene, language: &str, voice: &str, text: &str) -> (Vec<i16>, String) {
    let file = scene.path(&format!("{voice}.wav"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_hansho"));
    command
        .current_dir(scene.path("."))
        .args(["speak", text, "--lang", language, "--voice", voice, "--config"])
        .arg(patient(scene, ""))
        .arg("--out")
        .arg(&file);
    let done = command.output().expect("the binary runs");
    let said = String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned();
    assert!(done.status.success(), "{said}");
    (sound::read(&file), said)
}

/// The loudness every 10 ms, in dB.
fn loudness(sound: &[i16]) -> Vec<f64> {
    sound.chunks_exact(RATE / 100).map(|frame| sound::level(frame).max(-80.0)).collect()
}

/// How alike two curves are, 1 for the same: the best of small shifts, for their beginnings may be cut differently.
fn likeness(one: &[f64], other: &[f64]) -> f64 {
    let shifted = |shift: isize| {
        let at = |curve: &[f64], place: isize| usize::try_from(place).ok().and_then(|place| curve.get(place).copied());
        let pairs = (0..one.len() as isize).filter_map(|place| Some((at(one, place)?, at(other, place + shift)?)));
        let pairs: Vec<(f64, f64)> = pairs.collect();
        let count = pairs.len() as f64;
        let (a, b) = pairs.iter().fold((0.0, 0.0), |(a, b), (x, y)| (a + x / count, b + y / count));
        let of = |f: &dyn Fn(f64, f64) -> f64| pairs.iter().map(|(x, y)| f(x - a, y - b)).sum::<f64>();
        of(&|x, y| x * y) / (of(&|x, _| x * x) * of(&|_, y| y * y)).sqrt()
    };
    (-6..=6).map(shifted).fold(-1.0, f64::max)
}

#[test]
fn the_embedded_voice_says_every_sound_as_long_and_as_loud_as_open_jtalk() {
    let scene = Scene::new("voice_japanese");
    for text in SENTENCES {
        let (ours, said) = speak(&scene, "ja", "embedded", text);
        let (theirs, _) = speak(&scene, "ja", "open_jtalk", text);
        assert!(said.contains("embedded spoke"), "{said}");
        let (long, wanted) = (ours.len() as f64, theirs.len() as f64);
        assert!((long / wanted - 1.0).abs() < 0.02, "{text}: {long} samples, open_jtalk {wanted}");
        let alike = likeness(&loudness(&ours), &loudness(&theirs));
        assert!(alike > 0.9, "{text}: the loudness is alike by {alike:.3}");
        let level = sound::speech_level(&ours);
        assert!((-27.0..=-23.0).contains(&level), "{text}: {level:.1} dBFS instead of -25");
        let rumble = level_of(60.0, &ours);
        assert!(rumble < level - 25.0, "{text}: {rumble:.1} dBFS at 60 Hz");
        let peak = ours.iter().map(|sample| sample.unsigned_abs()).max();
        assert!(peak <= Some(23_200), "{text}: a peak of {peak:?} is above -3 dBFS");
        let first = ours.iter().position(|sample| sample.unsigned_abs() > 300).expect("it is heard");
        let last = ours.iter().rposition(|sample| sample.unsigned_abs() > 300).expect("it is heard");
        assert!(first < RATE / 5, "{text}: {first} samples before the first sound");
        assert!((RATE / 4..RATE * 3 / 5).contains(&(ours.len() - last)), "{text}: {} behind", ours.len() - last);
    }
}

#[test]
fn another_sentence_is_not_taken_for_the_same() {
    let scene = Scene::new("voice_other");
    let (one, _) = speak(&scene, "ja", "embedded", SENTENCES[1]);
    let (other, _) = speak(&scene, "ja", "open_jtalk", SENTENCES[2]);
    let alike = likeness(&loudness(&one), &loudness(&other));
    assert!(alike < 0.6, "the measure tells nothing: {alike:.3}");
}

/// What pocketsphinx is told to expect: 120 sentences.
const GRAMMAR: &str = "#JSGF V1.0;
grammar night;
public <sentence> = the <what> <where> <does>;
<what> = disk | memory | network | printer | backup | certificate;
<where> = on the database server | on the web server | in the kitchen | of the mail gateway;
<does> = is full | is down | does not answer | has failed | will expire tomorrow;
";

#[test]
fn a_recogniser_understands_the_english_voice() {
    let scene = Scene::new("voice_english");
    let grammar = scene.path("night.gram");
    std::fs::write(&grammar, GRAMMAR).expect("a file can be written");
    for text in [
        "the disk on the database server is full",
        "the memory of the mail gateway has failed",
        "the backup on the web server does not answer",
        "the network in the kitchen is down",
    ] {
        let (sound, _) = speak(&scene, "en", "flite", &format!("{text}."));
        let wide = scene.path("wide.wav");
        write_twice_as_wide(&wide, &sound);
        assert_eq!(recognised(&wide, &grammar), text);
    }
}

/// At 16,000 samples a second, as the recogniser wants it: each second sample is the mean of its neighbours.
fn write_twice_as_wide(path: &Path, sound: &[i16]) {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 16_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(path, spec).expect("a file can be written");
    let padded = [silence(0.2), sound.to_vec(), silence(0.2)].concat();
    for pair in padded.windows(2) {
        let between = (i32::from(pair[0]) + i32::from(pair[1])) / 2;
        for sample in [i32::from(pair[0]), between] {
            writer.write_sample(sample as i16).expect("a file can be written");
        }
    }
    writer.finalize().expect("a file can be written");
}

fn recognised(wav: &Path, grammar: &Path) -> String {
    let mut command = Command::new("pocketsphinx_continuous");
    command.arg("-infile").arg(wav).arg("-jsgf").arg(grammar).args(["-logfn", "/dev/null", "-remove_silence", "no"]);
    let done = command.output().expect("pocketsphinx is installed");
    String::from_utf8_lossy(&done.stdout).trim().to_owned()
}

#[test]
fn the_first_call_after_the_start_is_spoken_to_by_the_embedded_voice_at_once() {
    let scene = Scene::new("voice_call");
    let phone = Baresip::start(&scene, NUMBER, "PCMU", &silence(60.0), None);
    let settings = Settings::trunk_at(phone.port).person("anna", NUMBER).hears("ja");
    let daemon = Daemon::start(&scene, &settings.more("[speech]\ntimeout = \"60s\"\nvoices.ja = [\"embedded\"]"));
    let message = SENTENCES[0];
    let answer = daemon.ask(&json!({ "op": "trigger", "call_flow": "oncall", "message": message }));
    assert_eq!(answer["ok"], true, "{answer}");
    let answered = daemon.events.until("attempt.answered", &[("contact", "anna")]);
    let began = daemon.events.until("attempt.prompt_started", &[("contact", "anna")]);
    let gap = (millis(&began["at"]) - millis(&answered["at"])).rem_euclid(3_600_000);
    // No voice is waited for; how fast it is to the millisecond is measured by tools/bench, on a calm machine.
    assert!((0..=5_000).contains(&gap), "the prompt began {gap} ms after the call was answered");
    daemon.events.until("attempt.ended", &[("contact", "anna")]);
    phone.until("CALL_CLOSED");
    assert_eq!(daemon.events.count("voice.failed"), 0);
    let status = daemon.ask(&json!({ "op": "status" }));
    let counts = status["counts"]["voices"].as_array().expect("the voices are counted").clone();
    let embedded = counts.iter().find(|it| it["voice"] == "embedded" && it["language"] == "ja");
    assert!(embedded.is_some_and(|it| it["spoken"].as_u64() > Some(0)), "{status}");

    // A quarter of a second here and there, and two of four: a machine that stands still for a moment tears a hole.
    let (wanted, _) = speak(&scene, "ja", "embedded", message);
    let heard = phone.heard();
    let found = [4, 6, 8, 10].map(|quarter| {
        let piece = wanted.get(RATE / 4 * quarter..RATE / 4 * (quarter + 1));
        sound::find(piece.expect("the sentence is longer than three seconds"), &heard)
    });
    assert!(found.iter().filter(|(alike, _)| *alike > 0.9).count() >= 2, "the message is heard: {found:.2?}");
}

/// The milliseconds of an event's time within its hour.
fn millis(at: &serde_json::Value) -> i64 {
    let at = at.as_str().expect("an event has its time");
    let number = |from: usize, to: usize| at[from..to].parse::<i64>().expect("RFC 3339");
    (number(14, 16) * 60 + number(17, 19)) * 1_000 + number(20, 23)
}

#[test]
fn a_text_without_end_is_cut_or_given_up_in_time() {
    let scene = Scene::new("voice_long");
    let file = scene.path("long.wav");
    let mut command = Command::new(env!("CARGO_BIN_EXE_hansho"));
    command.current_dir(scene.path(".")).args(["speak", &"障害が発生しました。".repeat(2_000), "--lang", "ja"]);
    let began = Instant::now();
    let done = command.args(["--voice", "embedded", "--out"]).arg(&file).output().expect("the binary runs");
    assert!(began.elapsed() < Duration::from_secs(60), "it took {:?}", began.elapsed());
    if done.status.success() {
        let spoken = Duration::from_secs_f64(sound::read(&file).len() as f64 / RATE as f64);
        assert!(spoken < Duration::from_secs(180), "no call is spoken to for {spoken:?}");
    } else {
        let why = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(why.contains("no voice within") || why.contains("too busy"), "{why}");
    }
}

#[test]
fn a_word_of_the_operators_own_is_said_as_they_say_it() {
    let scene = Scene::new("voice_words");
    let word = "[speech.words]\n\"半鐘\" = \"アイウエオカキクケコサシスセソ/0\"\n";
    let long = |more: &str| {
        let file = scene.path("word.wav");
        let mut command = Command::new(env!("CARGO_BIN_EXE_hansho"));
        // Not where the configuration lies.
        command.current_dir("/").args(["speak", "半鐘です。", "--lang", "ja", "--voice", "embedded"]);
        let done = command
            .arg("--config")
            .arg(patient(&scene, more))
            .arg("--out")
            .arg(&file)
            .output()
            .expect("the binary runs");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        sound::read(&file).len()
    };
    let (usual, own) = (long(""), long(word));
    assert!(own > usual * 3 / 2, "{own} samples, without the word {usual}");
}
