use super::*;
use crate::media::SAMPLE_RATE;
use crate::shell::voice::active_dbm0;
use crate::shell::voice::scratch::Scratch;
use crate::shell::wav::write_wav;
use std::fs;
use std::path::Path;

/// A speaker whose English voice is a shell script; `$1` is the file to write, `$2` the text's file, and
/// `good.wav` in the script's folder half a second of a tone.
fn speaker(script: &str, timeout_ms: u64) -> (Scratch, Speaker) {
    let folder = Scratch::new(&std::env::temp_dir()).unwrap();
    let tone: Vec<i16> = (0..8_000).map(|i| (6_000.0 * (i as f32 * 0.35).sin()) as i16).collect();
    write_wav(&folder.path().join("good.wav"), 16_000, &tone).unwrap();
    let path = folder.path().join("voice.sh");
    fs::write(&path, format!("cd '{}'\n{script}\n", folder.path().display())).unwrap();
    let words = ["/bin/sh", &path.to_string_lossy(), "{out}", "{in}"];
    let settings = SpeakerSettings {
        commands: BTreeMap::from([(Language::En, words.map(String::from).into())]),
        timeout: Duration::from_millis(timeout_ms),
        at_once: 1,
        scratch: folder.path().to_owned(),
        ..SpeakerSettings::default()
    };
    let mut speaker = Speaker::detect(settings);
    speaker.limits = WavLimits { bytes: 1 << 20, seconds: 5 };
    (folder, speaker)
}

async fn fails(script: &str) -> String {
    let (folder, speaker) = speaker(script, 20_000);
    let error = speaker.speak(Language::En, "words").await.unwrap_err().to_string();
    assert_eq!(runs_left(folder.path()), 0, "{error}");
    error
}

/// Folders of runs that were not removed.
fn runs_left(folder: &Path) -> usize {
    fs::read_dir(folder).unwrap().flatten().filter(|entry| entry.path().is_dir()).count()
}

#[tokio::test]
async fn a_message_becomes_a_prompt_at_the_level_of_the_recordings() {
    let (folder, speaker) = speaker("cp good.wav \"$1\"", 20_000);
    let prompt = speaker.speak(Language::En, "The disk is full.").await.unwrap();
    assert!((active_dbm0(&prompt) + 19.0).abs() < 0.5, "{} dBm0", active_dbm0(&prompt));
    assert!(prompt.len() > SAMPLE_RATE as usize / 2);
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
    // The grandchild holds the lock of a file as long as it lives.
    let (folder, speaker) = speaker("flock lock sleep 60 & echo up > up; wait", 300);
    let error = speaker.speak(Language::En, "words").await.unwrap_err();
    assert!(matches!(error, SpeakError::TimedOut { .. }), "{error}");
    assert!(folder.path().join("up").exists(), "the script did not come that far");
    let mut flock = tokio::process::Command::new("flock");
    let status = flock.args(["-w", "5"]).arg(folder.path().join("lock")).arg("true").status().await.unwrap();
    assert!(status.success(), "what the script started still lives");
    assert_eq!(runs_left(folder.path()), 0);
}

#[tokio::test]
async fn a_voice_that_floods_is_ended() {
    let error = fails("while :; do head -c 100000 /dev/zero >> \"$1\"; done").await;
    assert_eq!(error, "/bin/sh wrote more than 1048576 bytes");
    let error = fails("while :; do echo complaint complaint complaint >&2; done").await;
    assert_eq!(error, "/bin/sh wrote more than 1048576 bytes");
}

#[tokio::test]
async fn a_failing_voice_is_quoted() {
    assert_eq!(fails("echo no such voice >&2; exit 3").await, "/bin/sh failed: exit status: 3: no such voice");
    assert_eq!(fails("true").await, "/bin/sh failed: it wrote no file");
}

#[tokio::test]
async fn what_is_no_sound_is_refused_with_its_reason() {
    let error = fails("echo ID3 and more > \"$1\"").await;
    assert!(error.starts_with("/bin/sh wrote no voice: not a WAV file: starts with `ID3 `"), "{error}");
    let error = fails("head -c 1000 good.wav > \"$1\"").await;
    assert!(error.contains("a broken WAV file: it ends too early"), "{error}");
    let error = fails("head -c 44 good.wav > \"$1\"; head -c 16000 /dev/zero >> \"$1\"").await;
    assert_eq!(error, "/bin/sh wrote no voice: holds no sound");
}

#[tokio::test]
async fn who_waits_too_long_for_a_turn_is_told_so() {
    let (_folder, speaker) = speaker("cp good.wav \"$1\"", 50);
    let _other = speaker.turns.acquire().await.unwrap();
    let error = speaker.speak(Language::En, "words").await.unwrap_err();
    assert!(matches!(error, SpeakError::Busy(_)), "{error}");
}

#[tokio::test]
async fn a_missing_program_an_empty_text_and_a_missing_folder_each_have_their_words() {
    let settings = SpeakerSettings {
        commands: BTreeMap::from([(Language::Ja, vec!["/nowhere/voice".into(), "{out}".into()])]),
        ..SpeakerSettings::default()
    };
    let missing = Speaker::detect(settings);
    let error = missing.speak(Language::Ja, "障害").await.unwrap_err().to_string();
    assert_eq!(error, "no voice for ja: the configured program `/nowhere/voice` is not installed");
    assert_eq!(
        missing.describe()[&Language::Ja],
        Err("the configured program `/nowhere/voice` is not installed".into())
    );

    let (_folder, mut speaker) = speaker("cp good.wav \"$1\"", 20_000);
    let error = speaker.speak(Language::En, " \n\u{7} 。!🔔 ").await.unwrap_err();
    assert!(matches!(error, SpeakError::NoWords), "{error}");
    speaker.scratch = "/nowhere".into();
    let error = speaker.speak(Language::En, "words").await.unwrap_err();
    assert!(matches!(error, SpeakError::Scratch(_)), "{error}");
}

#[tokio::test]
async fn a_long_text_is_spoken_in_pieces_and_joined() {
    let (folder, mut speaker) = speaker("cat >> heard; cp good.wav \"$1\"", 20_000);
    let short = speaker.speak(Language::En, "One.").await.unwrap();
    if let Some(Ok(voice)) = speaker.voices.get_mut(&Language::En) {
        voice.piece_bytes = 10;
    }
    let long = speaker.speak(Language::En, "Two two! Three!").await.unwrap();
    assert_eq!(fs::read_to_string(folder.path().join("heard")).unwrap(), "One.\nTwo two!\n Three!\n");
    assert!(long.len() > short.len() + SAMPLE_RATE as usize / 3);
}
