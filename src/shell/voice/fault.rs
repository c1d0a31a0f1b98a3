//! Why a voice did not speak.

use std::time::Duration;

use crate::base::Language;

/// Why one voice did not speak one text. The next voice is asked.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Fault {
    /// It is not on this machine, or cannot be used as it is configured.
    #[error("{0}")]
    Missing(String),
    /// Other texts kept it busy.
    #[error("other texts kept it busy for {0:?}")]
    Busy(Duration),
    /// It was stopped because it took too long.
    #[error("no voice within {0:?}")]
    TimedOut(Duration),
    /// It gave more than is taken.
    #[error("it gave more than {0} bytes")]
    TooMuch(u64),
    /// It failed, in its own words.
    #[error("{0}")]
    Failed(String),
    /// What it gave cannot be played.
    #[error("what it gave is no speech: {0}")]
    NoSound(String),
    /// Recorded files do not hold every text: this is no failure of theirs.
    #[error("there is no recording of this text")]
    Unrecorded,
}

impl Fault {
    /// One word, for counting.
    pub fn word(&self) -> &'static str {
        match self {
            Fault::Missing(_) => "missing",
            Fault::Busy(_) => "busy",
            Fault::TimedOut(_) => "timeout",
            Fault::TooMuch(_) => "too-much",
            Fault::Failed(_) => "failed",
            Fault::NoSound(_) => "no-sound",
            Fault::Unrecorded => "unrecorded",
        }
    }

    /// Is the next text likely to meet the same? Then others are asked first for a while.
    pub(super) fn lasts(&self) -> bool {
        !matches!(self, Fault::Busy(_) | Fault::Unrecorded)
    }

    /// Did something go wrong that an operator wants to know of?
    pub fn is_failure(&self) -> bool {
        *self != Fault::Unrecorded
    }
}

/// A voice that was asked and did not speak.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Passed {
    /// Its name.
    pub voice: String,
    /// Why.
    pub fault: Fault,
}

/// Why a text was not spoken at all. The recorded general prompt is played instead.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SpeakError {
    /// Nothing to say.
    #[error("the message has no words")]
    NoWords,
    /// Every voice of the language failed, each for a reason of its own.
    #[error("no voice for {language}: {}", reasons(passed))]
    NoVoice {
        /// The language.
        language: Language,
        /// Who was asked.
        passed: Vec<Passed>,
    },
}

/// `NAME: reason; NAME: reason`.
pub fn reasons(passed: &[Passed]) -> String {
    if passed.is_empty() {
        return "none is configured".to_owned();
    }
    let lines: Vec<String> = passed.iter().map(|it| format!("{}: {}", it.voice, it.fault)).collect();
    lines.join("; ")
}
