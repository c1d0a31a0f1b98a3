//! Wrong PINs are counted: by caller, and all together, because a caller's number can be forged.
//!
//! Whoever had too many is refused as everybody is who may not call in, for a while; when too many came from
//! everywhere, nobody is asked for a PIN for a while. Those who are on an incident need none and are not affected.

use core::time::Duration;
use std::collections::{BTreeMap, VecDeque};

use subtle::ConstantTimeEq;

use crate::base::Time;

/// Over this span wrong PINs are counted.
const SPAN: Duration = Duration::from_secs(1_800);
/// So many of one caller within it are enough: two calls.
const OF_ONE: usize = 6;
/// So many of all callers are enough. A PIN of four digits is guessed with a chance of 1 in 500 a span at the most.
const OF_ALL: usize = 20;

/// The wrong PINs of late.
#[derive(Debug, Default)]
pub(super) struct WrongPins {
    all: VecDeque<Time>,
    by_caller: BTreeMap<String, VecDeque<Time>>,
}

impl WrongPins {
    /// A wrong one of this caller.
    pub(super) fn note(&mut self, now: Time, caller: &str) {
        self.forget(now);
        self.all.push_back(now);
        self.by_caller.entry(caller.to_owned()).or_default().push_back(now);
    }

    /// Is this caller asked for a PIN at all?
    pub(super) fn may_try(&mut self, now: Time, caller: &str) -> bool {
        self.forget(now);
        self.all.len() < OF_ALL && self.by_caller.get(caller).is_none_or(|own| own.len() < OF_ONE)
    }

    fn forget(&mut self, now: Time) {
        let old = |at: &mut Time| now.since(*at) > SPAN;
        while self.all.pop_front_if(old).is_some() {}
        self.by_caller.retain(|_, own| {
            while own.pop_front_if(old).is_some() {}
            !own.is_empty()
        });
    }
}

/// Are these digits the PIN? It takes as long for every answer.
pub(super) fn is_pin(pin: &str, digits: &str) -> bool {
    pin.as_bytes().ct_eq(digits.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Time {
        Time::ZERO + Duration::from_secs(seconds)
    }

    #[test]
    fn one_caller_has_six_tries_in_half_an_hour() {
        let mut pins = WrongPins::default();
        for second in 0..6 {
            assert!(pins.may_try(at(second), "+81"));
            pins.note(at(second), "+81");
        }
        assert!(!pins.may_try(at(6), "+81") && pins.may_try(at(6), "+82"));
        assert!(pins.may_try(at(1_801), "+81"), "the oldest is forgotten");
    }

    #[test]
    fn many_callers_together_have_twenty() {
        let mut pins = WrongPins::default();
        (0..20).for_each(|caller| pins.note(at(0), &caller.to_string()));
        assert!(!pins.may_try(at(1), "somebody else"));
        assert!(pins.may_try(at(1_801), "somebody else"));
        assert!(pins.by_caller.is_empty());
    }

    #[test]
    fn only_the_whole_pin_is_the_pin() {
        assert!(is_pin("24680", "24680"));
        assert!(!is_pin("24680", "2468") && !is_pin("24680", "24681") && !is_pin("24680", ""));
    }
}
