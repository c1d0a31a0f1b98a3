//! Speaks a message's own words with the first voice that can.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::Semaphore;

use super::cache::{Cache, Key};
use super::detect::Places;
use super::embedded::{self, Embedded};
use super::fault::{Fault, Passed, SpeakError};
use super::level::finish;
use super::maker::{Kind, Maker};
use super::recorded::Recorded;
use super::service::Service;
use super::tally::{Counted, Tally, VoiceState};
use super::text::clean;
use crate::base::Language;
use crate::config::{Speech, UserWord, Voice};
use crate::media::Prompt;
use crate::shell::wav::WavLimits;

/// What is taken of any voice.
const LIMITS: WavLimits = WavLimits { bytes: 32 << 20, seconds: 180 };
/// Texts that one program, and one service, speaks at once.
const PROGRAMS: usize = 2;
const SERVICES: usize = 4;

/// How messages are spoken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SpeakerSettings {
    /// The voices, and what goes with them.
    pub speech: Speech,
    /// Where the private folders of programs are made.
    pub scratch: PathBuf,
    /// Where what was spoken is kept.
    pub cache: PathBuf,
}

/// A text that was spoken.
#[derive(Clone, PartialEq, Debug)]
pub struct Spoken {
    /// At the level of the recordings, with a pause behind.
    pub prompt: Prompt,
    /// The name of the voice.
    pub voice: String,
    /// Was it there already?
    pub kept: bool,
    /// Who was asked before, and did not speak.
    pub passed: Vec<Passed>,
}

/// Speaks messages, a few at once, each within its time.
#[derive(Debug)]
pub struct Speaker {
    voices: BTreeMap<Language, Vec<Entry>>,
    cache: Arc<Cache>,
}

#[derive(Debug)]
struct Entry {
    maker: Maker,
    tally: Tally,
}

impl Speaker {
    /// Finds out which of the voices are there. The embedded one is read on a thread of its own; nothing waits.
    pub fn start(settings: SpeakerSettings) -> Speaker {
        let SpeakerSettings { speech, scratch, cache } = settings;
        let folders = embedded::folders(speech.data.as_deref());
        let places = Places::usual(folders.clone());
        let words: BTreeMap<String, UserWord> = speech.words.clone();
        let wanted = speech.voices.values().flatten().any(|voice| *voice == Voice::Embedded);
        let embedded = wanted.then(|| Arc::new(Embedded::load(folders, words)));
        let entry = |language: Language, voice: &Voice| {
            let (kind, turns) = match voice {
                Voice::Embedded => (embedded.clone().map(Kind::Embedded).ok_or_else(String::new), cores()),
                Voice::Known(known) => (places.known(*known).map(Kind::Program), PROGRAMS),
                Voice::Command(_, words) => (places.configured(words).map(Kind::Program), PROGRAMS),
                Voice::Http(service) => {
                    let service = Service::new(service.clone(), language);
                    (service.map(|service| Kind::Service(Arc::new(service))), SERVICES)
                }
                Voice::Recorded(_, folder) => {
                    (Recorded::read(folder).map(|recorded| Kind::Recorded(Arc::new(recorded))), cores())
                }
            };
            let kind = kind.unwrap_or_else(Kind::Missing);
            let timeout = if let Kind::Service(service) = &kind { service.timeout() } else { speech.timeout };
            let (name, turns, scratch) = (voice.name().to_owned(), Semaphore::new(turns), scratch.clone());
            Entry { maker: Maker { name, kind, timeout, turns, scratch, limits: LIMITS }, tally: Tally::default() }
        };
        let order = |(language, voices): (&Language, &Vec<Voice>)| {
            (*language, voices.iter().map(|voice| entry(*language, voice)).collect())
        };
        let cache = Arc::new(Cache::open(&cache, speech.cache_bytes));
        Speaker { voices: speech.voices.iter().map(order).collect(), cache }
    }

    /// The voices of each language, in the order they are asked, and how each of them is.
    pub fn voices(&self) -> BTreeMap<Language, Vec<VoiceState>> {
        self.voices.iter().map(|(language, entries)| (*language, entries.iter().map(Entry::state).collect())).collect()
    }

    /// Waits until the embedded voice has been read, or has failed to be.
    pub async fn loaded(&self) {
        for entry in self.voices.values().flatten() {
            if let Kind::Embedded(embedded) = &entry.maker.kind {
                // Whether it can speak is shown by its state.
                let _ = embedded.mouth().await;
            }
        }
    }

    /// Speaks `text` with the first voice that can, at the level of the recordings and with a pause behind. Control
    /// characters are left out, and so is what comes after 600 characters.
    pub async fn speak(&self, language: Language, text: &str) -> Result<Spoken, SpeakError> {
        self.speak_with(language, text, None).await
    }

    /// The same by one voice alone.
    pub async fn speak_as(&self, voice: &str, language: Language, text: &str) -> Result<Spoken, SpeakError> {
        self.speak_with(language, text, Some(voice)).await
    }

    async fn speak_with(&self, language: Language, text: &str, only: Option<&str>) -> Result<Spoken, SpeakError> {
        let text = clean(text);
        if !text.contains(char::is_alphanumeric) {
            return Err(SpeakError::NoWords);
        }
        let entries = self.voices.get(&language).map(Vec::as_slice).unwrap_or_default();
        let mut order: Vec<&Entry> =
            entries.iter().filter(|entry| only.is_none_or(|name| name == entry.maker.name)).collect();
        let now = Instant::now();
        // Stable: those in trouble keep their order behind the others.
        order.sort_by_key(|entry| entry.tally.rests(now));
        let mut passed = Vec::new();
        for entry in order {
            match self.ask(entry, language, &text).await {
                Ok((prompt, kept)) => return Ok(Spoken { prompt, voice: entry.maker.name.clone(), kept, passed }),
                Err(fault) => {
                    entry.tally.failed(Instant::now(), &fault);
                    passed.push(Passed { voice: entry.maker.name.clone(), fault });
                }
            }
        }
        Err(SpeakError::NoVoice { language, passed })
    }

    /// One voice: what it said before, or what it says now.
    async fn ask(&self, entry: &Entry, language: Language, text: &str) -> Result<(Prompt, bool), Fault> {
        let key = |identity: String| Key::new(&identity, language.tag(), text);
        if let Some(key) = entry.maker.identity().map(key)
            && let Some(prompt) = self.kept(&key).await
        {
            entry.tally.was_kept();
            return Ok((prompt, true));
        }
        let samples = entry.maker.make(text).await?;
        let silent = || Fault::NoSound("it holds nothing but silence".to_owned());
        let prompt = finish(&samples).ok_or_else(silent)?;
        entry.tally.spoke();
        if let Some(key) = entry.maker.identity().map(key) {
            self.cache.remember(&key, &prompt);
            let (cache, prompt) = (self.cache.clone(), prompt.clone());
            tokio::task::spawn_blocking(move || {
                if let Err(error) = cache.keep(&key, &prompt) {
                    tracing::warn!(%error, "what was spoken is not kept on the disk");
                }
            });
        }
        Ok((prompt, false))
    }

    async fn kept(&self, key: &Key) -> Option<Prompt> {
        if let Some(prompt) = self.cache.remembered(key) {
            return Some(prompt);
        }
        let (cache, key) = (self.cache.clone(), key.clone());
        // A thread that breaks down over a file is a miss.
        tokio::task::spawn_blocking(move || cache.find(&key)).await.ok().flatten()
    }
}

impl Entry {
    fn state(&self) -> VoiceState {
        let (counted, trouble) = self.tally.look();
        let mut state =
            VoiceState { name: self.maker.name.clone(), about: String::new(), trouble, loading: false, counted };
        match &self.maker.kind {
            Kind::Missing(why) => state.trouble = Some(why.clone()),
            Kind::Program(program) => state.about.clone_from(&program.about),
            Kind::Embedded(embedded) => match embedded.look() {
                Some(Ok(name)) => state.about = format!("the voice {name}"),
                Some(Err(why)) => state.trouble = Some(why),
                None => state.loading = true,
            },
            Kind::Service(_) | Kind::Recorded(_) => {}
        }
        state
    }
}

impl VoiceState {
    /// One line for a person.
    pub fn line(&self) -> String {
        let VoiceState { name, about, trouble, loading, counted: Counted { spoken, kept, failed } } = self;
        let failures: u64 = failed.iter().filter(|(why, _)| **why != "unrecorded").map(|(_, count)| count).sum();
        let mut line = name.clone();
        if !about.is_empty() {
            line.push_str(&format!(" ({about})"));
        }
        match (loading, trouble) {
            (true, _) => line.push_str(": its files are being read"),
            (false, Some(why)) => line.push_str(&format!(": passed over: {why}")),
            (false, None) => {}
        }
        if spoken + kept + failures > 0 {
            line.push_str(&format!("; spoke {spoken}, kept {kept}, failed {failures}"));
        }
        line
    }
}

/// `ja: embedded (the voice mei_normal); spoke 3, kept 1, failed 0`.
pub fn voice_lines(language: Language, voices: &[VoiceState]) -> Vec<String> {
    let mut lines: Vec<String> = voices.iter().map(|voice| format!("{language}: {}", voice.line())).collect();
    if voices.iter().all(|voice| voice.trouble.is_some()) {
        lines.push(format!("{language}: recorded prompts only"));
    }
    lines
}

/// Texts that are computed at once: every core but one, for calls go on meanwhile.
fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, |cores| cores.get().saturating_sub(1).max(1))
}

impl Default for SpeakerSettings {
    /// The voices that hansho brings or knows; nothing is kept on the disk.
    fn default() -> SpeakerSettings {
        let temp = std::env::temp_dir();
        SpeakerSettings { speech: Speech { cache_bytes: 0, ..Speech::default() }, scratch: temp.clone(), cache: temp }
    }
}

#[cfg(test)]
mod tests;
