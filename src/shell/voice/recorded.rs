//! A voice of recorded files: whole texts, or their sentences joined.
//!
//! `texts.toml` in the folder names for each file what it says: `"disk-full.wav" = "ディスクがいっぱいです。"`. A text is
//! spoken when it is one of them, or when it can be laid out of them from its beginning to its end, the longest first.
//! Blanks do not count. Everything is read once, at start.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use super::decode::decode;
use super::fault::Fault;
use crate::shell::wav::WavLimits;

/// The table of what the files say.
const TABLE: &str = "texts.toml";
const TABLE_BYTES: u64 = 1 << 20;
/// Files of one folder.
const FILES: usize = 2_000;
const LIMITS: WavLimits = WavLimits { bytes: 32 << 20, seconds: 180 };
/// All of them together, in samples: an hour.
const SAMPLES: usize = 3_600 * crate::media::SAMPLE_RATE as usize;
/// Silence between two files, in samples.
const PAUSE: usize = crate::media::SAMPLE_RATE as usize / 5;

/// The files by what they say, without blanks.
#[derive(Debug)]
pub(super) struct Recorded {
    texts: BTreeMap<String, Vec<i16>>,
}

impl Recorded {
    /// Reads the folder. The error names what is wrong.
    pub(super) fn read(folder: &Path) -> Result<Recorded, String> {
        let table = folder.join(TABLE);
        let say = |path: &Path, why: &dyn std::fmt::Display| format!("{}: {why}", path.display());
        let text = read(&table, TABLE_BYTES).map_err(|error| say(&table, &error))?;
        let text = String::from_utf8(text).map_err(|error| say(&table, &error))?;
        let files: BTreeMap<String, String> = toml::from_str(&text).map_err(|error| say(&table, &error.message()))?;
        if files.len() > FILES {
            return Err(say(&table, &format!("more than {FILES} files")));
        }
        let (mut texts, mut total) = (BTreeMap::new(), 0usize);
        for (name, text) in files {
            let path = folder.join(&name);
            if Path::new(&name).file_name().is_none_or(|bare| bare != name.as_str()) {
                return Err(say(&table, &format!("`{name}` is no name of a file in this folder")));
            }
            let bytes = read(&path, LIMITS.bytes).map_err(|error| say(&path, &error))?;
            let samples = decode(bytes, LIMITS).map_err(|fault| say(&path, &fault))?;
            total = total.saturating_add(samples.len());
            if total > SAMPLES {
                return Err(say(folder, &"the recordings play longer than an hour"));
            }
            texts.insert(bare(&text), samples);
        }
        texts.remove("");
        Ok(Recorded { texts })
    }

    /// The recording of a text, or of its parts with a pause between them.
    pub(super) fn speak(&self, text: &str) -> Result<Vec<i16>, Fault> {
        let text = bare(text);
        let (mut rest, mut samples) = (text.as_str(), Vec::new());
        while !rest.is_empty() {
            let fits = |said: &&String| rest.starts_with(said.as_str());
            let longest = self.texts.keys().filter(fits).max_by_key(|said| said.len()).ok_or(Fault::Unrecorded)?;
            if !samples.is_empty() {
                samples.extend([0; PAUSE]);
            }
            samples.extend(self.texts.get(longest).into_iter().flatten());
            if samples.len() > SAMPLES {
                return Err(Fault::Unrecorded);
            }
            rest = rest.get(longest.len()..).unwrap_or_default();
        }
        if samples.is_empty() { Err(Fault::Unrecorded) } else { Ok(samples) }
    }
}

fn bare(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_whitespace() && !letter.is_control()).collect()
}

fn read(path: &Path, most: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > most) {
        return Err(std::io::Error::other(format!("larger than {most} bytes")));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::voice::scratch::Scratch;
    use crate::shell::wav::write_wav;

    fn folder(table: &str) -> (Scratch, Result<Recorded, String>) {
        let root = Scratch::new(&std::env::temp_dir()).unwrap();
        for (name, value) in [("a.wav", 1_000), ("ab.wav", 2_000), ("c.wav", 3_000)] {
            write_wav(&root.path().join(name), 8_000, &[value; 800]).unwrap();
        }
        std::fs::write(root.path().join(TABLE), table).unwrap();
        let read = Recorded::read(root.path());
        (root, read)
    }

    #[test]
    fn a_text_is_laid_out_of_its_parts_the_longest_first() {
        let (_root, read) = folder("\"a.wav\" = \"Disk.\"\n\"ab.wav\" = \"Disk. Full.\"\n\"c.wav\" = \"Look.\"\n");
        let voice = read.unwrap();
        assert_eq!(voice.speak("Disk.").unwrap(), vec![1_000; 800]);
        let both = voice.speak("Disk.  Full.\nLook.").unwrap();
        assert_eq!((both.len(), both[0], both[both.len() - 1]), (1_600 + PAUSE, 2_000, 3_000));
        assert_eq!(voice.speak("Disk. Broken."), Err(Fault::Unrecorded));
        assert_eq!(voice.speak(" "), Err(Fault::Unrecorded));
    }

    #[test]
    fn what_is_wrong_with_a_folder_is_named_with_its_file() {
        for (table, says) in [
            ("\"d.wav\" = \"x\"", "d.wav: No such file"),
            ("\"../a.wav\" = \"x\"", "no name of a file"),
            ("\"texts.toml\" = \"x\"", "texts.toml: what it gave is no speech"),
            ("a = ", "texts.toml: "),
        ] {
            let why = folder(table).1.unwrap_err();
            assert!(why.contains(says), "{why}");
        }
        assert!(Recorded::read(Path::new("/nowhere")).unwrap_err().contains("/nowhere/texts.toml"));
    }
}
