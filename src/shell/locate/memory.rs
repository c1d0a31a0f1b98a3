//! What is known of where one trunk is, and how far a new answer is believed.
//!
//! Easy to get wrong: an answer in doubt (NAPTR or SRV were not answered, the address was) may lead past the carrier's own
//! choice, so it does not replace one that was whole. But some name servers never answer SRV, and a trunk that moves is to
//! be followed there as well; so doubt replaces doubt, and replaces everything when it lasts.

use std::time::Duration;

use super::Found;

/// A name is asked for again after its time to live, within these.
const AGAIN_SOONEST: Duration = Duration::from_secs(30);
const AGAIN_LATEST: Duration = Duration::from_secs(3_600);
/// After a failure.
const FAILED_FIRST: Duration = Duration::from_secs(2);
const FAILED_LAST: Duration = Duration::from_secs(60);
/// Doubt that was heard so often without a break is how it is.
const DOUBTS_MAX: u32 = 10;

/// What is known.
#[derive(Debug)]
pub(super) struct Memory {
    known: Option<Result<Found, String>>,
    doubts: u32,
    pause: Duration,
    /// The last trouble that was told.
    trouble: Option<String>,
}

/// What follows from an answer.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct Verdict {
    /// When to ask again.
    pub(super) wait: Duration,
    /// Why what is known could not be confirmed, where that is news.
    pub(super) trouble: Option<String>,
}

impl Memory {
    /// Nothing is known.
    pub(super) fn new() -> Memory {
        Memory { known: None, doubts: 0, pause: FAILED_FIRST, trouble: None }
    }

    /// Where the trunk is, or why nobody knows; `None` before the first answer.
    pub(super) fn known(&self) -> Option<&Result<Found, String>> {
        self.known.as_ref()
    }

    /// An answer.
    pub(super) fn hear(&mut self, found: Result<Found, String>) -> Verdict {
        let trouble = match &found {
            Ok(found) => found.doubt.clone(),
            Err(why) => Some(why.clone()),
        };
        self.doubts = if trouble.is_some() { self.doubts.saturating_add(1) } else { 0 };
        let is_believed = match (&self.known, &found) {
            (None | Some(Err(_)), _) => true,
            (Some(Ok(_)), Err(_)) => false,
            (Some(Ok(before)), Ok(now)) => now.doubt.is_none() || before.doubt.is_some() || self.doubts >= DOUBTS_MAX,
        };
        let wait = match &found {
            // What is in doubt for good is asked for like everything else.
            Ok(found) if found.doubt.is_none() || self.doubts >= DOUBTS_MAX => {
                self.pause = FAILED_FIRST;
                found.valid.clamp(AGAIN_SOONEST, AGAIN_LATEST)
            }
            Ok(_) | Err(_) => {
                let wait = self.pause;
                self.pause = (self.pause * 2).min(FAILED_LAST);
                wait
            }
        };
        // The same records keep the order that was drawn for them.
        let is_same = matches!((&self.known, &found), (Some(Ok(before)), Ok(now)) if before.records == now.records);
        if is_believed && !is_same {
            self.known = Some(found);
        }
        let news = trouble.clone().filter(|_| trouble != self.trouble);
        self.trouble = trouble;
        Verdict { wait, trouble: news }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::Transport;

    fn at(last: u8, doubt: Option<&str>) -> Result<Found, String> {
        let targets = vec![(Transport::Udp, std::net::SocketAddr::from(([192, 0, 2, last], 5060)))];
        let valid = Duration::from_secs(120);
        Ok(Found { targets, records: vec![last.to_string()], valid, doubt: doubt.map(str::to_owned) })
    }

    fn last(memory: &Memory) -> u8 {
        let Some(Ok(found)) = memory.known() else { panic!("{memory:?}") };
        found.records[0].parse().unwrap()
    }

    fn seconds(verdict: &Verdict) -> u64 {
        verdict.wait.as_secs()
    }

    #[test]
    fn what_served_is_kept_while_nobody_says_anything_better_and_asked_for_more_and_more_seldom() {
        let mut memory = Memory::new();
        assert_eq!(seconds(&memory.hear(at(1, None))), 120);
        let silent = || Err("no name server answers".to_owned());
        let waits: Vec<u64> = (0..8).map(|_| seconds(&memory.hear(silent()))).collect();
        assert_eq!((waits, last(&memory)), (vec![2, 4, 8, 16, 32, 60, 60, 60], 1));
        assert_eq!(memory.hear(silent()).trouble, None, "it was told once");
        memory.hear(at(2, None));
        assert_eq!(last(&memory), 2);
        assert!(memory.hear(silent()).trouble.is_some(), "it was well meanwhile");
    }

    #[test]
    fn nothing_known_is_told_why_and_anything_is_better() {
        let mut memory = Memory::new();
        memory.hear(Err("no such name".to_owned()));
        assert_eq!(memory.known(), Some(&Err("no such name".to_owned())));
        assert_eq!(seconds(&memory.hear(at(1, Some("SRV was not answered")))), 4);
        assert_eq!(last(&memory), 1);
    }

    #[test]
    fn doubt_replaces_doubt_and_what_was_whole_only_when_it_lasts() {
        let mut memory = Memory::new();
        memory.hear(at(1, None));
        for _ in 1..DOUBTS_MAX {
            memory.hear(at(2, Some("SRV was not answered")));
            assert_eq!(last(&memory), 1);
        }
        assert_eq!(seconds(&memory.hear(at(2, Some("SRV was not answered")))), 120);
        assert_eq!(last(&memory), 2);
        memory.hear(at(3, Some("SRV was not answered")));
        assert_eq!(last(&memory), 3, "a trunk that moves is followed");
    }
}
