//! One voice made of a shell script at a time, and several of them in an order.

use super::*;
use crate::media::SAMPLE_RATE;
use crate::shell::voice::active_dbm0;
use crate::shell::voice::scratch::Scratch;
use crate::shell::wav::write_wav;
use std::fs;
use std::path::Path;
use std::time::Duration;

mod band;

/// A speaker whose English voices are shell scripts; `$1` is the file to write, `$2` the text's file, and `good.wav` in
/// the scripts' folder half a second of a tone.
fn speaker_of(scripts: &[&str], timeout_ms: u64) -> (Scratch, Speaker) {
    let folder = Scratch::new(&std::env::temp_dir()).unwrap();
    let tone: Vec<i16> = (0..8_000).map(|i| (6_000.0 * (i as f32 * 0.35).sin()) as i16).collect();
    write_wav(&folder.path().join("good.wav"), 16_000, &tone).unwrap();
    let voice = |(number, script): (usize, &&str)| {
        let path = folder.path().join(format!("voice{number}.sh"));
        fs::write(&path, format!("cd '{}'\n{script}\n", folder.path().display())).unwrap();
        let words = ["/bin/sh", &path.to_string_lossy(), "{out}", "{in}"];
        Voice::Command(format!("v{number}"), words.map(String::from).into())
    };
    let voices: Vec<Voice> = scripts.iter().enumerate().map(voice).collect();
    let speech = Speech {
        voices: BTreeMap::from([(Language::En, voices)]),
        timeout: Duration::from_millis(timeout_ms),
        cache_bytes: 1 << 20,
        ..Speech::default()
    };
    let cache = folder.path().join("cache.d");
    let mut speaker = Speaker::start(SpeakerSettings { speech, scratch: folder.path().to_owned(), cache });
    for entry in speaker.voices.values_mut().flatten() {
        entry.maker.limits = WavLimits { bytes: 1 << 20, seconds: 5 };
    }
    (folder, speaker)
}

fn speaker(script: &str, timeout_ms: u64) -> (Scratch, Speaker) {
    speaker_of(&[script], timeout_ms)
}

async fn fault(speaker: &Speaker) -> Fault {
    let Err(SpeakError::NoVoice { mut passed, .. }) = speaker.speak(Language::En, "words").await else {
        panic!("it spoke")
    };
    passed.remove(0).fault
}

async fn fails(script: &str) -> Fault {
    let (folder, speaker) = speaker(script, 20_000);
    let fault = fault(&speaker).await;
    assert_eq!(runs_left(folder.path()), 0, "{fault}");
    fault
}

/// Folders of runs that were not removed.
fn runs_left(folder: &Path) -> usize {
    let run = |entry: &fs::DirEntry| entry.path().is_dir() && entry.file_name() != "cache.d";
    fs::read_dir(folder).unwrap().flatten().filter(run).count()
}

#[tokio::test]
async fn a_message_becomes_a_prompt_at_the_level_of_the_recordings() {
    let (folder, speaker) = speaker("cp good.wav \"$1\"", 20_000);
    let spoken = speaker.speak(Language::En, "The disk is full.").await.unwrap();
    let level = active_dbm0(&spoken.prompt);
    assert!((level + 19.0).abs() < 0.5, "{level} dBm0");
    assert!(spoken.prompt.len() > SAMPLE_RATE as usize / 2);
    assert_eq!((spoken.voice.as_str(), spoken.kept, spoken.passed), ("v0", false, Vec::new()));
    assert_eq!(runs_left(folder.path()), 0);
}

#[tokio::test]
async fn the_text_comes_as_data_on_both_ways_and_is_never_a_command() {
    let (folder, speaker) = speaker("cat > heard; cp \"$2\" seen; cp good.wav \"$1\"", 20_000);
    let text = "-o x; $(touch broken) `touch broken` \"'\n日本";
    speaker.speak(Language::En, text).await.unwrap();
    let clean = "-o x; $(touch broken) `touch broken` \"' 日本\n";
    assert_eq!(fs::read_to_string(folder.path().join("heard")).unwrap(), clean);
    assert_eq!(fs::read_to_string(folder.path().join("seen")).unwrap(), clean);
    assert!(!folder.path().join("broken").exists());
}

#[tokio::test]
async fn a_hanging_voice_is_ended_with_everything_it_started() {
    // The grandchild holds the lock of a file as long as it lives. However long the machine needs to bring it to life:
    // it is given more time until it is there.
    for timeout_ms in [300, 3_000, 30_000] {
        let script = "flock lock -c 'echo up > up; sleep 600' & wait";
        let (folder, speaker) = speaker(script, timeout_ms);
        assert_eq!(fault(&speaker).await, Fault::TimedOut(Duration::from_millis(timeout_ms)));
        assert_eq!(runs_left(folder.path()), 0);
        if folder.path().join("up").exists() {
            let mut flock = tokio::process::Command::new("flock");
            let status = flock.args(["-w", "60"]).arg(folder.path().join("lock")).arg("true").status().await.unwrap();
            assert!(status.success(), "what the script started still lives");
            return;
        }
    }
    panic!("the script did not come that far");
}

#[tokio::test]
async fn a_voice_that_floods_is_ended() {
    assert_eq!(fails("while :; do head -c 100000 /dev/zero >> \"$1\"; done").await, Fault::TooMuch(1 << 20));
    assert_eq!(fails("while :; do echo complaint complaint complaint >&2; done").await, Fault::TooMuch(1 << 20));
}

#[tokio::test]
async fn a_failing_voice_is_quoted() {
    let quoted = fails("echo no such voice >&2; exit 3").await.to_string();
    assert_eq!(quoted, "exit status: 3: no such voice");
    assert_eq!(fails("true").await.to_string(), "it wrote no file");
}

#[tokio::test]
async fn what_is_no_sound_is_refused_with_its_reason() {
    let error = fails("echo no music > \"$1\"").await.to_string();
    assert!(error.contains("no WAV, MP3, Ogg Vorbis or FLAC: it starts with `no music`"), "{error}");
    let error = fails("head -c 1000 good.wav > \"$1\"").await.to_string();
    assert!(error.contains("a broken WAV file: it ends too early"), "{error}");
    let error = fails("head -c 44 good.wav > \"$1\"; head -c 16000 /dev/zero >> \"$1\"").await.to_string();
    assert!(error.ends_with("it holds nothing but silence"), "{error}");
}

#[tokio::test]
async fn who_waits_too_long_for_a_turn_is_told_so() {
    let (_folder, speaker) = speaker("cp good.wav \"$1\"", 50);
    let _others = speaker.voices[&Language::En][0].maker.turns.acquire_many(2).await.unwrap();
    assert_eq!(fault(&speaker).await, Fault::Busy(Duration::from_millis(50)));
}

#[tokio::test]
async fn a_missing_program_an_empty_text_and_a_missing_folder_each_have_their_words() {
    let command = Voice::Command("own".to_owned(), vec!["/nowhere/voice".into(), "{out}".into()]);
    let speech = Speech { voices: BTreeMap::from([(Language::Ja, vec![command])]), ..Speech::default() };
    let missing = Speaker::start(SpeakerSettings { speech, ..SpeakerSettings::default() });
    let error = missing.speak(Language::Ja, "障害").await.unwrap_err().to_string();
    assert_eq!(error, "no voice for ja: own: the configured program `/nowhere/voice` is not installed");
    let line = missing.voices()[&Language::Ja][0].line();
    assert!(line.starts_with("own: passed over: the configured program"), "{line}");
    let error = missing.speak(Language::En, "words").await.unwrap_err().to_string();
    assert_eq!(error, "no voice for en: none is configured");

    let (_folder, mut speaker) = speaker("cp good.wav \"$1\"", 20_000);
    let error = speaker.speak(Language::En, " \n\u{7} 。!🔔 ").await.unwrap_err();
    assert_eq!(error, SpeakError::NoWords);
    for entry in speaker.voices.values_mut().flatten() {
        entry.maker.scratch = "/nowhere".into();
    }
    let error = fault(&speaker).await.to_string();
    assert!(error.starts_with("no room for a voice file"), "{error}");
}

#[tokio::test]
async fn a_long_text_is_spoken_in_pieces_and_joined() {
    let (folder, mut speaker) = speaker("cat >> heard; cp good.wav \"$1\"", 20_000);
    let short = speaker.speak(Language::En, "One.").await.unwrap().prompt;
    if let Some(Kind::Program(program)) =
        speaker.voices.get_mut(&Language::En).and_then(|voices| voices.first_mut()).map(|entry| &mut entry.maker.kind)
    {
        program.piece_bytes = 10;
    }
    let long = speaker.speak(Language::En, "Two two! Three!").await.unwrap().prompt;
    assert_eq!(fs::read_to_string(folder.path().join("heard")).unwrap(), "One.\nTwo two!\n Three!\n");
    assert!(long.len() > short.len() + SAMPLE_RATE as usize / 3);
}

#[tokio::test]
async fn the_next_voice_speaks_and_the_one_in_trouble_is_asked_last_for_a_while() {
    let (folder, speaker) = speaker_of(&["echo asked >> first; exit 1", "cp good.wav \"$1\""], 20_000);
    let spoken = speaker.speak(Language::En, "One.").await.unwrap();
    assert_eq!((spoken.voice.as_str(), spoken.passed.len()), ("v1", 1));
    assert_eq!(reasons_of(&spoken), "v0: exit status: 1");
    let again = speaker.speak(Language::En, "Two.").await.unwrap();
    assert_eq!((again.voice.as_str(), again.passed.len()), ("v1", 0));
    assert_eq!(fs::read_to_string(folder.path().join("first")).unwrap(), "asked\n");
    let states = &speaker.voices()[&Language::En];
    assert_eq!(states[0].counted.failed, BTreeMap::from([("failed", 1)]));
    assert_eq!((states[0].trouble.as_deref(), states[1].counted.spoken), (Some("exit status: 1"), 2));
    let alone = speaker.speak_as("v0", Language::En, "Three.").await.unwrap_err();
    assert_eq!(alone.to_string(), "no voice for en: v0: exit status: 1");
}

fn reasons_of(spoken: &Spoken) -> String {
    crate::shell::voice::reasons(&spoken.passed)
}

#[tokio::test]
async fn what_was_spoken_once_costs_nothing_the_second_time() {
    let (folder, speaker) = speaker("echo asked >> asked; cp good.wav \"$1\"", 20_000);
    let first = speaker.speak(Language::En, "One.").await.unwrap();
    let second = speaker.speak(Language::En, " One.\n").await.unwrap();
    assert_eq!((second.kept, &second.prompt), (true, &first.prompt));
    assert_eq!(fs::read_to_string(folder.path().join("asked")).unwrap(), "asked\n");
    assert_eq!(speaker.voices()[&Language::En][0].counted.kept, 1);
}

#[tokio::test]
async fn what_was_kept_is_heard_whether_or_not_the_embedded_voice_is_read_yet() {
    let folder = Scratch::new(&std::env::temp_dir()).unwrap();
    fs::create_dir(folder.path().join("dictionary")).unwrap();
    for file in ["char_def.bin", "dict.da", "dict.vals", "dict.words", "dict.wordsidx", "matrix.mtx", "unk.bin"] {
        fs::write(folder.path().join("dictionary").join(file), "cannot be read").unwrap();
    }
    fs::write(folder.path().join("mei_normal.htsvoice"), "nor can this").unwrap();
    let voices = BTreeMap::from([(Language::Ja, vec![Voice::Embedded])]);
    let speech = Speech { voices, data: Some(folder.path().to_owned()), ..Speech::default() };
    let cache = folder.path().join("cache.d");
    let speaker = Speaker::start(SpeakerSettings { speech, scratch: folder.path().to_owned(), cache });
    let identity = speaker.voices[&Language::Ja][0].maker.identity().expect("the files are there");
    let prompt = Prompt::from([1_000; 800]);
    speaker.cache.remember(&Key::new(&identity, "ja", "障害です。"), &prompt);
    let spoken = speaker.speak(Language::Ja, "障害です。").await.unwrap();
    assert_eq!((spoken.kept, spoken.prompt), (true, prompt));
    assert!(speaker.speak(Language::Ja, "復旧しました。").await.is_err(), "it cannot be read");
}
