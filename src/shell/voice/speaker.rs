//! Speaks a message's own words with a program that is installed or configured.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

use super::detect::Places;
use super::level::finish;
use super::program::{Output, run};
use super::text::{clean, pieces};
use crate::base::Language;
use crate::media::Prompt;
use crate::shell::wav::{WavFault, WavLimits, read_wav};

/// How messages are spoken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SpeakerSettings {
    /// A program and its arguments a language, used instead of what is found. `{out}` is the WAV file it must
    /// write, `{in}` a file with the text; the text is on its standard input too.
    pub commands: BTreeMap<Language, Vec<String>>,
    /// Folders with `*.htsvoice` files for open_jtalk, looked at before the system's.
    pub voice_folders: Vec<PathBuf>,
    /// How long one message may take, the wait for its turn included.
    pub timeout: Duration,
    /// How many programs run at once, at least 1.
    pub at_once: usize,
    /// Where the private folders of the runs are made.
    pub scratch: PathBuf,
}

impl Default for SpeakerSettings {
    fn default() -> SpeakerSettings {
        SpeakerSettings {
            commands: BTreeMap::new(),
            voice_folders: Vec::new(),
            timeout: Duration::from_secs(10),
            at_once: 2,
            scratch: std::env::temp_dir(),
        }
    }
}

/// Why a message was not spoken. The recorded general prompt is played instead.
#[derive(Debug, thiserror::Error)]
pub enum SpeakError {
    /// No program for this language.
    #[error("no voice for {language}: {reason}")]
    NoVoice {
        /// The language.
        language: Language,
        /// What was looked for.
        reason: String,
    },
    /// Nothing to say.
    #[error("the message has no words")]
    NoWords,
    /// Too many messages at once.
    #[error("other messages kept the voice programs busy for {0:?}")]
    Busy(Duration),
    /// The program does not start.
    #[error("{program} does not run: {error}")]
    Start {
        /// Which.
        program: String,
        /// What the system said.
        error: io::Error,
    },
    /// The program was killed because it took too long.
    #[error("{program} took too long and was ended")]
    TimedOut {
        /// Which.
        program: String,
    },
    /// The program was killed, or its file refused, because it wrote too much.
    #[error("{program} wrote more than {bytes} bytes")]
    TooMuch {
        /// Which.
        program: String,
        /// The limit.
        bytes: u64,
    },
    /// The program ended with an error or without a file.
    #[error("{program} failed: {how}")]
    Failed {
        /// Which.
        program: String,
        /// Its status and its last words.
        how: String,
    },
    /// What it wrote is no sound.
    #[error("{program} wrote no voice: {fault}")]
    NoSound {
        /// Which.
        program: String,
        /// What is wrong with the file.
        fault: WavFault,
    },
    /// The private folder failed us.
    #[error("no room for a voice file: {0}")]
    Scratch(io::Error),
}

/// A program that speaks one language.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Voice {
    /// For people.
    pub name: String,
    /// The program and its arguments.
    pub command: Vec<String>,
    /// The longest text it takes in one run.
    pub piece_bytes: usize,
}

/// Speaks messages, a few at once, each within its time.
#[derive(Debug)]
pub struct Speaker {
    voices: BTreeMap<Language, Result<Voice, String>>,
    turns: Semaphore,
    timeout: Duration,
    scratch: PathBuf,
    limits: WavLimits,
}

impl Speaker {
    /// Finds the voices: the configured ones, else what is installed.
    pub fn detect(settings: SpeakerSettings) -> Speaker {
        let places = Places::usual(settings.voice_folders);
        let find = |language| match settings.commands.get(&language) {
            Some(command) => places.configured(command),
            None => places.best(language),
        };
        Speaker {
            voices: Language::ALL.into_iter().map(|language| (language, find(language))).collect(),
            turns: Semaphore::new(settings.at_once.max(1)),
            timeout: settings.timeout,
            scratch: settings.scratch,
            limits: WavLimits { bytes: 32 << 20, seconds: 180 },
        }
    }

    /// Which voice speaks each language, or why none does.
    pub fn describe(&self) -> BTreeMap<Language, Result<String, String>> {
        let name = |voice: &Result<Voice, String>| voice.as_ref().map(|voice| voice.name.clone()).map_err(Clone::clone);
        self.voices.iter().map(|(&language, voice)| (language, name(voice))).collect()
    }

    /// Speaks `text`, at the level of the recordings and with a pause behind. Control characters are left out,
    /// and so is what comes after 600 characters.
    pub async fn speak(&self, language: Language, text: &str) -> Result<Prompt, SpeakError> {
        let voice = self.voice(language)?;
        let text = clean(text);
        if !text.contains(char::is_alphanumeric) {
            return Err(SpeakError::NoWords);
        }
        let deadline = Instant::now() + self.timeout;
        let turn = timeout_at(deadline, self.turns.acquire()).await.map_err(|_| SpeakError::Busy(self.timeout))?;
        let mut outputs = Vec::new();
        for piece in pieces(&text, voice.piece_bytes) {
            outputs.push(run(&voice.command, piece, &self.scratch, deadline, self.limits.bytes).await?);
        }
        drop(turn);
        let program = voice.command.first().cloned().unwrap_or_default();
        read(outputs, self.limits).await.map_err(|fault| SpeakError::NoSound { program, fault })
    }

    fn voice(&self, language: Language) -> Result<&Voice, SpeakError> {
        match self.voices.get(&language) {
            Some(Ok(voice)) => Ok(voice),
            Some(Err(reason)) => Err(SpeakError::NoVoice { language, reason: reason.clone() }),
            None => Err(SpeakError::NoVoice { language, reason: "not looked for".into() }),
        }
    }
}

/// One prompt of all the files. On a thread where computing holds up nobody.
async fn read(outputs: Vec<Output>, limits: WavLimits) -> Result<Prompt, WavFault> {
    let read_all = move || {
        let mut samples = Vec::new();
        for output in &outputs {
            samples.extend(read_wav(&output.path, limits).map_err(|error| error.fault)?);
        }
        finish(&samples).ok_or(WavFault::Empty)
    };
    match tokio::task::spawn_blocking(read_all).await {
        Ok(prompt) => prompt,
        Err(gone) => Err(WavFault::Io(io::Error::other(gone))),
    }
}

#[cfg(test)]
mod tests;
