//! Who spoke, who did not, and why: for `status` and `/metrics`, and for asking a voice in trouble last.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::fault::Fault;

/// A voice that failed is asked after the others for so long: a call cannot wait for the same timeout twice.
const REST: Duration = Duration::from_secs(30);

/// What one voice did since the start.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Counted {
    /// Texts it spoke.
    pub spoken: u64,
    /// Texts of it that were there already.
    pub kept: u64,
    /// Texts it did not speak, by reason.
    pub failed: BTreeMap<&'static str, u64>,
}

/// One voice, for people.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VoiceState {
    /// As in the configuration.
    pub name: String,
    /// What it is, where there is more to say: a program's voice, a service's address.
    pub about: String,
    /// Why it does not speak at the moment.
    pub trouble: Option<String>,
    /// Is it still being read?
    pub loading: bool,
    /// What it did.
    pub counted: Counted,
}

/// The books of one voice.
#[derive(Debug, Default)]
pub(super) struct Tally(Mutex<Books>);

#[derive(Debug, Default)]
struct Books {
    counted: Counted,
    trouble: Option<(Instant, Fault)>,
}

impl Tally {
    pub(super) fn spoke(&self) {
        self.with(|books| {
            books.counted.spoken = books.counted.spoken.saturating_add(1);
            books.trouble = None;
        });
    }

    pub(super) fn was_kept(&self) {
        self.with(|books| books.counted.kept = books.counted.kept.saturating_add(1));
    }

    pub(super) fn failed(&self, now: Instant, fault: &Fault) {
        self.with(|books| {
            let count = books.counted.failed.entry(fault.word()).or_default();
            *count = count.saturating_add(1);
            if fault.lasts() {
                books.trouble = Some((now, fault.clone()));
            }
        });
    }

    /// Did it fail so lately that others are asked first?
    pub(super) fn rests(&self, now: Instant) -> bool {
        self.with(|books| books.trouble.as_ref().is_some_and(|(at, _)| now.saturating_duration_since(*at) < REST))
    }

    pub(super) fn look(&self) -> (Counted, Option<String>) {
        self.with(|books| (books.counted.clone(), books.trouble.as_ref().map(|(_, fault)| fault.to_string())))
    }

    fn with<T>(&self, look: impl FnOnce(&mut Books) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_voice_in_trouble_rests_until_it_speaks_again_or_half_a_minute_is_over() {
        let (tally, now) = (Tally::default(), Instant::now());
        tally.failed(now, &Fault::Unrecorded);
        assert!(!tally.rests(now), "recordings never hold everything");
        tally.failed(now, &Fault::TimedOut(REST));
        assert!(tally.rests(now) && !tally.rests(now + REST));
        tally.spoke();
        assert!(!tally.rests(now));
        let (counted, trouble) = tally.look();
        assert_eq!((counted.spoken, trouble), (1, None));
        assert_eq!(counted.failed, BTreeMap::from([("timeout", 1), ("unrecorded", 1)]));
    }
}
