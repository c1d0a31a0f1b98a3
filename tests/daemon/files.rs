//! Files that are not what they should be: each a sentence that names the file, and an exit code.

use std::fs;

use crate::support::{Folder, Habit, World, hansho};

/// What somebody might take for a WAV file.
fn no_wavs() -> Vec<(&'static str, Vec<u8>)> {
    let mut header = b"RIFF\xff\xff\xff\x7fWAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0".to_vec();
    let mut strange = header.clone();
    strange[22] = 0;
    header.extend_from_slice(b"data\xff\xff\xff\x7f\x01");
    strange.extend_from_slice(b"data\x04\0\0\0\x01\0\x01\0");
    vec![
        ("empty", Vec::new()),
        ("a text", b"this is no music\n".repeat(100)),
        ("a header without an end", header),
        ("no channel", strange),
        ("cut off", b"RIFF\x24\0\0\0WAVEfmt ".to_vec()),
        ("an mp3", [b"ID3\x04\0\0".as_slice(), &[0xff; 4_000]].concat()),
    ]
}

#[test]
fn hold_music_that_is_no_wav_is_a_complaint_with_its_line() {
    let world = World::new("music").person("+815000000001", Habit::Rings);
    let music = world.folder.path().join("music.wav");
    let config = world.folder.path().join("with-music.toml");
    fs::write(&config, format!("{}[[room]]\nid = \"bridge\"\nhold_music = \"music.wav\"\n", world.text())).unwrap();
    for (what, bytes) in no_wavs() {
        fs::write(&music, bytes).unwrap();
        for command in ["check", "run"] {
            let output = hansho(&[command, "--config", config.to_str().unwrap()]);
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(2), "{command}, {what}: {said}");
            assert!(said.contains("room[1].hold_music") && said.contains("music.wav"), "{command}, {what}: {said}");
        }
    }
    fs::remove_file(&music).unwrap();
    let output = hansho(&["check", "--config", config.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2), "one that is missing is a complaint of `check`");
}

#[test]
fn tones_of_what_is_no_wav_is_a_sentence_and_no_panic() {
    let folder = Folder::new("tones");
    let file = folder.path().join("call.wav");
    let path = file.to_str().unwrap();
    for (what, bytes) in no_wavs() {
        fs::write(&file, bytes).unwrap();
        let output = hansho(&["tones", path]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(matches!(output.status.code(), Some(1 | 2)), "{what}: {:?} {said}", output.status);
        assert!(said.contains("call.wav") && !said.contains("panicked"), "{what}: {said}");
    }
    let output = hansho(&["tones", "/nonexistent.wav"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("/nonexistent.wav"), "{output:?}");
    assert!(matches!(output.status.code(), Some(1 | 2)));
}

#[test]
fn a_journal_that_is_none_is_left_alone() {
    let world = World::new("foreign").person("+815000000001", Habit::Rings);
    fs::create_dir_all(&world.data).unwrap();
    let journal = world.data.join("hansho.db");
    world.write_config();
    for bytes in [b"my diary, in which I write every day".repeat(100), vec![0; 4_096], b"SQLite format 3\0".repeat(9)] {
        fs::write(&journal, &bytes).unwrap();
        let output = hansho(&["run", "--config", world.config.to_str().unwrap()]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("hansho.db"), "{said}");
        assert_eq!(fs::read(&journal).unwrap(), bytes, "not a byte of it was changed");
    }
}
