//! One person, several phones: all of them ring for one leg, and the first that is answered has the call.
//!
//! Each phone is a call with a leg of its own that nobody outside hears of; what it tells is told in the name of the one
//! leg. When one is answered it becomes that leg's call, and the others are ended, being told that somebody else
//! answered.
//!
//! Easy to get wrong: the end of one phone is no end of the leg while another rings, but for a 6xx, by which the person
//! refuses wherever they are rung (RFC 3261 §16.7, §21.6); what is told in the end is what most
//! tells of the person (a refusal before a silence); and until the losers are gone the handle must end them as well.
//!
//! | state | event | next | does |
//! | --- | --- | --- | --- |
//! | Ringing 2 | 180 | Ringing 2 | ringing |
//! | Ringing 2 | answered | Over | answered, 1 loses |
//! | Ringing 2 | unwanted | Ringing 2 | unwanted |
//! | Ringing 2 | ended | Ringing 1 | - |
//! | Ringing 2 | refused for all | Over | ended, 1 loses |
//! | Ringing 1 | 180 | Ringing 1 | ringing |
//! | Ringing 1 | answered | Over | answered |
//! | Ringing 1 | unwanted | Ringing 1 | unwanted |
//! | Ringing 1 | ended | Over | ended |
//! | Ringing 1 | refused for all | Over | ended |

use core::cmp::Reverse;
use std::collections::BTreeMap;

use crate::base::{LegId, Outbox};
use crate::sip::{Cause, End, Event, Output};

/// Legs that nobody outside hears of are numbered from here: below are those that are dialled, far above those that come
/// in.
const FIRST: u32 = 1 << 31;
/// As many numbers there are for them.
const NUMBERS: u32 = 1 << 30;

/// Every leg that rings several phones.
#[derive(Debug, Default)]
pub struct Forks {
    last: u32,
    forks: BTreeMap<LegId, Fork>,
    legs: BTreeMap<LegId, LegId>,
}

/// The phones of one leg that ring.
#[derive(Debug)]
struct Fork {
    /// Each with what ends it after a crash.
    phones: BTreeMap<LegId, String>,
    /// The last provisional status that was told.
    told: Option<u16>,
    ends: Vec<End>,
}

/// One phone decided for all of them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Won {
    /// Whose call it is now; `None`: it was refused for all.
    pub leg: Option<LegId>,
    /// Whose calls are to be ended.
    pub losers: Vec<LegId>,
}

impl Forks {
    /// A leg for one phone.
    pub fn new_leg(&mut self) -> LegId {
        self.last = (self.last + 1) % NUMBERS;
        LegId(FIRST + self.last)
    }

    /// `leg` rings these phones, each with its handle; the text that ends them all.
    pub fn open(&mut self, leg: LegId, phones: Vec<(LegId, String)>) -> String {
        self.legs.extend(phones.iter().map(|(phone, _)| (*phone, leg)));
        let fork = Fork { phones: phones.into_iter().collect(), told: None, ends: Vec::new() };
        let handle = fork.handle(None);
        self.forks.insert(leg, fork);
        handle
    }

    /// Whose phone is it that has this leg?
    pub fn leg_of(&self, phone: LegId) -> Option<LegId> {
        self.legs.get(&phone).copied()
    }

    /// The phones that ring for a leg; none when it has a call, or none, of its own.
    pub fn phones(&self, leg: LegId) -> Vec<LegId> {
        self.forks.get(&leg).map(|fork| fork.phones.keys().copied().collect()).unwrap_or_default()
    }

    /// Nothing of this leg has left the house.
    pub fn forget(&mut self, leg: LegId) {
        for phone in self.forks.remove(&leg).into_iter().flat_map(|fork| fork.phones.into_keys()) {
            self.legs.remove(&phone);
        }
    }

    /// What the call of one phone tells is told in the name of its leg.
    pub fn on_output(&mut self, phone: LegId, output: Output, out: &mut Outbox<Output>) -> Option<Won> {
        let Output::Event(event) = output else {
            out.push(output);
            return None;
        };
        let leg = self.leg_of(phone)?;
        let fork = self.forks.get_mut(&leg)?;
        let event = match event {
            Event::Ringing { code, .. } if fork.told == Some(code) => return None,
            Event::Ringing { code, .. } => {
                fork.told = Some(code);
                Event::Ringing { leg, code }
            }
            Event::Answered { stream, handle, .. } => {
                fork.phones.remove(&phone);
                let handle = fork.handle(Some(handle));
                out.push(Output::Event(Event::Answered { leg, stream, handle }));
                let losers = self.phones(leg);
                self.legs.remove(&phone);
                self.forget(leg);
                return Some(Won { leg: Some(leg), losers });
            }
            Event::Unwanted { handle, .. } => {
                fork.phones.insert(phone, handle);
                Event::Unwanted { leg, handle: fork.handle(None) }
            }
            Event::Ended { end, .. } => {
                fork.phones.remove(&phone);
                fork.ends.push(end);
                let is_for_all = fork.ends.last().is_some_and(is_for_all);
                let end = fork.best();
                self.legs.remove(&phone);
                let losers = self.phones(leg);
                if !losers.is_empty() && !is_for_all {
                    return None;
                }
                self.forget(leg);
                out.push(Output::Event(Event::Ended { leg, end: end? }));
                return Some(Won { leg: None, losers }).filter(|won| !won.losers.is_empty());
            }
            // Before it is answered a phone tells nothing else of itself.
            other => other,
        };
        out.push(Output::Event(event));
        None
    }
}

/// Is the person refused wherever they are rung?
fn is_for_all(end: &End) -> bool {
    matches!((end.cause, end.code), (Cause::Refused, Some(600..)) | (Cause::Network(600..), _))
}

impl Fork {
    /// What ends them all; `first` is another call's that stands before them.
    fn handle(&self, first: Option<String>) -> String {
        first.into_iter().chain(self.phones.values().cloned()).collect::<Vec<_>>().join("\n")
    }

    /// The end that tells most.
    fn best(&self) -> Option<End> {
        let says = |end: &&End| match (end.cause, end.code) {
            (Cause::Us | Cause::Elsewhere | Cause::Removed | Cause::Locked, _) => 5,
            _ if is_for_all(end) => 4,
            (Cause::Refused, Some(486)) | (Cause::Network(486), _) => 3,
            (Cause::Refused | Cause::Network(_) | Cause::Them, _) => 2,
            (Cause::NoCommonCodec, _) => 1,
            (Cause::Timeout, _) => 0,
        };
        self.ends.iter().enumerate().max_by_key(|(place, end)| (says(end), Reverse(*place))).map(|(_, end)| end.clone())
    }
}

#[cfg(test)]
#[path = "tests/fork.rs"]
mod tests;
