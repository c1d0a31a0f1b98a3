//! The Japanese voice inside hansho: words by jpreprocess, sound by jbonsai, both made after Open JTalk.
//!
//! The dictionary and the voice are files (`tools/voice` makes them). They are read once, on a thread of their own, so
//! that the start does not wait; a text that comes before they are there waits for them. Nothing is ever downloaded.
//!
//! Easy to get wrong: both libraries compute for as long as a text is long, and neither can be interrupted from
//! outside; so the length is limited, and between two frames of 5 ms the clock is looked at.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use jbonsai::engine::Engine;
use jpreprocess::{DefaultTokenizer, JPreprocess, SystemDictionaryConfig};
use jpreprocess_dictionary::dictionary::to_dict::JPreprocessDictionaryBuilder;
use tokio::sync::watch;

use super::fault::Fault;
use crate::config::UserWord;
use crate::shell::wav::to_plane;

/// The folder of the dictionary below the voice's own.
const DICTIONARY: &str = "dictionary";
/// Files without which there is no dictionary.
const NEEDED: [&str; 7] =
    ["char_def.bin", "dict.da", "dict.vals", "dict.words", "dict.wordsidx", "matrix.mtx", "unk.bin"];
/// The voice that is taken where there are several.
const MEI: &str = "mei_normal.htsvoice";
/// A little slower than the voice was trained, as the recordings are.
const SPEED: f64 = 0.97;
/// Sounds of one text: more is no sentence any more.
const SOUNDS: usize = 5_000;
/// Context numbers of a proper noun in the dictionary, and the cost that lets a user's word win.
const NOUN: &str = "1288";
const COST: &str = "-10000";

/// The voice, or a voice that is being read.
#[derive(Debug)]
pub(super) struct Embedded {
    /// What makes its sound what it is, known before anything is read: what was kept in a former life is found at once.
    identity: Option<String>,
    loaded: watch::Receiver<Option<Result<Arc<Mouth>, String>>>,
}

/// What is in memory.
pub(super) struct Mouth {
    words: JPreprocess<DefaultTokenizer>,
    voice: Engine,
    name: String,
}

impl std::fmt::Debug for Mouth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mouth").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Embedded {
    /// Begins to read the files, on a thread of its own.
    pub(super) fn load(folders: Vec<PathBuf>, words: BTreeMap<String, UserWord>) -> Embedded {
        let identity = identity(&folders, &words).ok();
        let (tell, loaded) = watch::channel(None);
        let work = move || {
            let read = std::panic::catch_unwind(|| Mouth::read(&folders, &words));
            let read = read.unwrap_or_else(|_| Err("its files are damaged: make them again with tools/voice".into()));
            let _ = tell.send(Some(read.map(Arc::new)));
        };
        // Without a thread the channel is dropped, and that is said below.
        let _ = std::thread::Builder::new().name("voice".to_owned()).spawn(work);
        Embedded { identity, loaded }
    }

    /// Waits until it can speak.
    pub(super) async fn mouth(&self) -> Result<Arc<Mouth>, Fault> {
        let mut loaded = self.loaded.clone();
        let there = loaded.wait_for(Option::is_some).await.map(|there| there.clone());
        match there {
            Ok(Some(read)) => read.map_err(Fault::Missing),
            Ok(None) | Err(_) => Err(Fault::Missing("the thread that reads its files did not start".to_owned())),
        }
    }

    /// What it is called, once it is there; why it is not; `None` while it is being read.
    pub(super) fn look(&self) -> Option<Result<String, String>> {
        let read = self.loaded.borrow().clone()?;
        Some(read.map(|mouth| mouth.name.clone()))
    }

    /// What makes its sound what it is; `None` where its files are missing.
    pub(super) fn identity(&self) -> Option<String> {
        self.identity.clone()
    }
}

/// Where the files may lie, the first that has them counts: as configured; as `HANSHO_VOICE` says; beside the program or
/// in one of the two folders above it; where systems keep such data.
pub(super) fn folders(configured: Option<&Path>) -> Vec<PathBuf> {
    if let Some(folder) = configured {
        return vec![folder.to_owned()];
    }
    if let Some(folder) = std::env::var_os("HANSHO_VOICE").filter(|folder| !folder.is_empty()) {
        return vec![folder.into()];
    }
    let program = std::env::current_exe().unwrap_or_default();
    let above = program.ancestors().skip(1).take(3).map(|folder| folder.join("voice"));
    above.chain(["/usr/local/share/hansho/voice", "/usr/share/hansho/voice"].map(PathBuf::from)).collect()
}

/// The first folder with everything in it: the dictionary's folder, and the voice's file.
fn find(folders: &[PathBuf]) -> Result<(PathBuf, PathBuf), String> {
    let mut found = None;
    for folder in folders {
        let dictionary = folder.join(DICTIONARY);
        let whole = NEEDED.iter().all(|file| dictionary.join(file).is_file());
        let voice = voice_in(folder);
        match (whole, voice) {
            (true, Some(voice)) => return Ok((dictionary, voice)),
            (false, None) => {}
            (true, None) => found = found.or(Some(format!("{} holds no *.htsvoice", folder.display()))),
            (false, Some(_)) => {
                found = found.or(Some(format!("{} holds no whole dictionary", dictionary.display())));
            }
        }
    }
    let looked: Vec<String> = folders.iter().map(|folder| folder.display().to_string()).collect();
    Err(found.unwrap_or_else(|| {
        format!("its files are not there (tools/voice makes them): looked in {}", looked.join(", "))
    }))
}

/// The lengths of the files and the words of one's own.
fn identity(folders: &[PathBuf], words: &BTreeMap<String, UserWord>) -> Result<String, String> {
    let (dictionary, voice) = find(folders)?;
    let mut identity = format!("embedded {SPEED}");
    for file in NEEDED.iter().map(|file| dictionary.join(file)).chain([voice]) {
        let length = fs::metadata(&file).map_err(|error| format!("{}: {error}", file.display()))?.len();
        identity.push_str(&format!(" {length}"));
    }
    for (written, word) in words {
        identity.push_str(&format!(" {written}={}/{}", word.reading, word.accent.0));
    }
    Ok(identity)
}

fn voice_in(folder: &Path) -> Option<PathBuf> {
    let mei = folder.join(MEI);
    if mei.is_file() {
        return Some(mei);
    }
    let entries = fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path());
    entries.filter(|path| path.extension().is_some_and(|end| end == "htsvoice") && path.is_file()).min()
}

impl Mouth {
    fn read(folders: &[PathBuf], words: &BTreeMap<String, UserWord>) -> Result<Mouth, String> {
        let (dictionary, voice) = find(folders)?;
        let say = |what: &Path, why: &dyn std::fmt::Display| format!("{} cannot be read: {why}", what.display());
        let system =
            SystemDictionaryConfig::File(dictionary.clone()).load().map_err(|error| say(&dictionary, &error))?;
        let rows: Vec<[String; 16]> = words.iter().map(|(written, word)| row(written, word)).collect();
        let own = if rows.is_empty() {
            None
        } else {
            let rows = rows.iter().map(|row| row.iter().map(String::as_str).collect()).collect();
            let built = JPreprocessDictionaryBuilder::default().build_user_dict_from_data(rows);
            Some(built.map_err(|error| format!("the words of speech.words cannot be used: {error}"))?)
        };
        let mut engine = Engine::load([&voice]).map_err(|error| say(&voice, &error))?;
        engine.condition.set_speed(SPEED);
        let name = voice.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Mouth { words: JPreprocess::with_dictionaries(system, own), voice: engine, name })
    }

    /// Speaks a text at the plane's rate. Computes for about a fiftieth of what it gives.
    pub(super) fn speak(&self, text: &str, until: Instant) -> Result<Vec<i16>, Fault> {
        let failed = |error: &dyn std::fmt::Display| Fault::Failed(error.to_string());
        let labels = self.words.extract_fullcontext(text).map_err(|error| failed(&error))?;
        if labels.len() <= 2 {
            return Err(Fault::NoSound("it finds no word in this text".to_owned()));
        }
        if labels.len() > SOUNDS {
            return Err(Fault::Failed(format!("the text has more than {SOUNDS} sounds")));
        }
        let mut generator = self.voice.generator(labels).map_err(|error| failed(&error))?;
        let mut frame = vec![0.0; generator.fperiod()];
        let mut samples = Vec::new();
        while generator.generate_step(&mut frame) > 0 {
            samples.extend(frame.iter().map(|sample| (sample / 32_768.0).clamp(-1.0, 1.0) as f32));
            if Instant::now() > until {
                return Err(Fault::Failed("the machine is too busy to speak in time".to_owned()));
            }
        }
        let rate = u32::try_from(self.voice.condition.get_sampling_frequency()).unwrap_or_default();
        to_plane(samples, rate).map_err(|fault| Fault::NoSound(fault.to_string()))
    }
}

/// A user's word as a line of the dictionary: a proper noun with its reading and its accent.
fn row(written: &str, word: &UserWord) -> [String; 16] {
    let accent = format!("{}/{}", word.accent.0, word.morae());
    [
        written,
        NOUN,
        NOUN,
        COST,
        "名詞",
        "固有名詞",
        "一般",
        "*",
        "*",
        "*",
        written,
        &word.reading,
        &word.reading,
        &accent,
        "*",
        "*",
    ]
    .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::voice::scratch::Scratch;

    fn missing(folder: &Path) -> String {
        find(&[folder.to_owned()]).unwrap_err()
    }

    #[test]
    fn what_is_missing_is_named() {
        let root = Scratch::new(&std::env::temp_dir()).unwrap();
        assert!(missing(root.path()).contains("tools/voice"), "{}", missing(root.path()));
        fs::write(root.path().join("a.htsvoice"), "").unwrap();
        assert!(missing(root.path()).contains("no whole dictionary"), "{}", missing(root.path()));
        fs::create_dir(root.path().join(DICTIONARY)).unwrap();
        for file in NEEDED {
            fs::write(root.path().join(DICTIONARY).join(file), "").unwrap();
        }
        assert!(find(&[root.path().to_owned()]).unwrap().1.ends_with("a.htsvoice"));
        fs::remove_file(root.path().join("a.htsvoice")).unwrap();
        assert!(missing(root.path()).contains("no *.htsvoice"), "{}", missing(root.path()));
    }

    #[tokio::test]
    async fn damaged_files_are_a_missing_voice_and_no_panic() {
        let root = Scratch::new(&std::env::temp_dir()).unwrap();
        fs::create_dir(root.path().join(DICTIONARY)).unwrap();
        for file in NEEDED {
            fs::write(root.path().join(DICTIONARY).join(file), "not a dictionary").unwrap();
        }
        fs::write(root.path().join(MEI), "not a voice").unwrap();
        let embedded = Embedded::load(vec![root.path().to_owned()], BTreeMap::new());
        assert!(matches!(embedded.mouth().await, Err(Fault::Missing(_))));
        assert!(matches!(embedded.look(), Some(Err(_))));
    }

    #[test]
    fn a_users_word_is_a_proper_noun_with_its_accent() {
        let word = UserWord { reading: "ハンショウ".to_owned(), accent: crate::config::Accent(1) };
        assert_eq!(row("半鐘", &word)[13], "1/4");
        assert_eq!((row("半鐘", &word)[0].as_str(), row("半鐘", &word)[11].as_str()), ("半鐘", "ハンショウ"));
    }
}
