//! `[speech]`: which voices speak, in which order, and how words are read.
//!
//! Easy to get wrong: a voice that is named nowhere still costs nothing, but a name that is no voice would be found out
//! at three in the morning. So every name in `voices` is looked up here, and what is left is an order of voices that
//! exist on paper; whether they exist on this machine is found out at start.

mod named;
mod readings;

pub use named::{HttpVoice, HttpWay, Key};
pub use readings::{Accent, UserWord};

use core::time::Duration;
use std::collections::BTreeMap;
use std::path::PathBuf;

use super::Origin;
use super::daemon::path;
use super::reader::Section;
use super::value;
use crate::base::Language;

/// How long one voice may take for one text, unless the file says otherwise.
const TIMEOUT: Duration = Duration::from_secs(10);
/// In mebibytes: some eight hours of speech.
const CACHE: u32 = 500;
/// Voices of one language.
const VOICES: usize = 16;

/// `[speech]`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Speech {
    /// The voices of each language, the one to be tried first at the front; an empty list speaks recordings only.
    pub voices: BTreeMap<Language, Vec<Voice>>,
    /// How long one voice may take for one text; then the next one speaks.
    pub timeout: Duration,
    /// How a word is said, in the letters its language reads: `Kubernetes` as `クバネティス`.
    pub readings: BTreeMap<Language, BTreeMap<String, String>>,
    /// Words of one's own for the embedded voice, by what is written.
    pub words: BTreeMap<String, UserWord>,
    /// The folder of the embedded voice's files; `None`: where they usually lie.
    pub data: Option<PathBuf>,
    /// A folder with recordings that take the place of hansho's own.
    pub prompts: Option<PathBuf>,
    /// How much of what was spoken is kept on the disk, in bytes; 0: nothing.
    pub cache_bytes: u64,
}

/// A voice that can be chosen.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Voice {
    /// Japanese, inside hansho.
    Embedded,
    /// A program that hansho knows how to run.
    Known(Known),
    /// A program of one's own: its name, then itself and its arguments, one of which holds `{out}`.
    Command(String, Vec<String>),
    /// A service on this machine or elsewhere.
    Http(HttpVoice),
    /// Recorded files: its name and its folder.
    Recorded(String, PathBuf),
}

/// The programs that hansho knows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Known {
    /// `open_jtalk`, Japanese.
    OpenJtalk,
    /// `flite`, English.
    Flite,
    /// `espeak-ng`, English: it cannot read kanji.
    EspeakNg,
}

impl Voice {
    /// What it is called in `voices`, in `status` and in `/metrics`.
    pub fn name(&self) -> &str {
        match self {
            Voice::Embedded => "embedded",
            Voice::Known(Known::OpenJtalk) => "open_jtalk",
            Voice::Known(Known::Flite) => "flite",
            Voice::Known(Known::EspeakNg) => "espeak-ng",
            Voice::Command(name, _) | Voice::Recorded(name, _) => name,
            Voice::Http(voice) => &voice.name,
        }
    }
}

/// What speaks a language without a word in the file, the best one first.
fn built_in(language: Language) -> Vec<Voice> {
    match language {
        Language::En => vec![Voice::Known(Known::Flite), Voice::Known(Known::EspeakNg)],
        Language::Ja => vec![Voice::Embedded, Voice::Known(Known::OpenJtalk)],
    }
}

impl Default for Speech {
    /// As without a word in the file.
    fn default() -> Speech {
        Speech {
            voices: Language::ALL.into_iter().map(|language| (language, built_in(language))).collect(),
            timeout: TIMEOUT,
            readings: BTreeMap::new(),
            words: BTreeMap::new(),
            data: None,
            prompts: None,
            cache_bytes: u64::from(CACHE) << 20,
        }
    }
}

pub(super) fn read(root: &mut Section<'_>, origin: &Origin<'_>) -> Speech {
    let mut speech = root.table("speech");
    let timeout = value::duration(&mut speech, "timeout", Duration::from_secs(1)..=Duration::from_secs(60));
    let commands = commands(&mut speech);
    let named = named::read(&mut speech, origin);
    let own = |language| {
        let named = named.iter().filter(move |(spoken, _)| *spoken == language).map(|(_, voice)| voice.clone());
        commands.get(&language).cloned().into_iter().chain(named).collect()
    };
    let voices = orders(&mut speech, own);
    let readings = readings::readings(&mut speech);
    let words = readings::words(&mut speech);
    let data = speech.text("data", "the path of a folder", path).map(|path| origin.folder.join(path));
    let prompts = speech.text("prompts", "the path of a folder", path).map(|path| origin.folder.join(path));
    let cache = value::number(&mut speech, "cache_mb", 0..=1_000_000).unwrap_or(CACHE);
    speech.finish();
    Speech {
        voices,
        timeout: timeout.unwrap_or(TIMEOUT),
        readings,
        words,
        data,
        prompts,
        cache_bytes: u64::from(cache) << 20,
    }
}

/// `command.LANGUAGE`: the voice `command`.
fn commands(speech: &mut Section<'_>) -> BTreeMap<Language, Voice> {
    let mut command = speech.table("command");
    let read = |language: Language| {
        let words = named::command(&mut command, language.tag())?;
        Some((language, Voice::Command("command".to_owned(), words)))
    };
    let commands = Language::ALL.into_iter().filter_map(read).collect();
    command.finish();
    commands
}

/// `voices.LANGUAGE`; without it the voices that the file describes, and behind them those that hansho brings or knows.
fn orders(speech: &mut Section<'_>, own: impl Fn(Language) -> Vec<Voice>) -> BTreeMap<Language, Vec<Voice>> {
    let mut voices = speech.table("voices");
    let order = |language: Language| {
        let all: Vec<Voice> = own(language).into_iter().chain(built_in(language)).collect();
        let names: Vec<&str> = all.iter().map(Voice::name).collect();
        let accepted = format!("a voice that speaks {language}: {}", names.join(", "));
        let find = |name: &str| all.iter().find(|voice| voice.name() == name).cloned();
        let Some(chosen) = voices.list(language.tag(), VOICES, &accepted, find) else { return (language, all) };
        for (place, voice) in chosen.iter().enumerate() {
            if chosen.iter().take(place).any(|earlier| earlier.value.name() == voice.value.name()) {
                let found = format!("{} stands there twice", voice.value.name());
                voices.report().complain(voice.line, &voice.key, found, "each voice once");
            }
        }
        (language, chosen.into_iter().map(|voice| voice.value).collect())
    };
    let orders = Language::ALL.into_iter().map(order).collect();
    voices.finish();
    orders
}

#[cfg(test)]
mod tests;
