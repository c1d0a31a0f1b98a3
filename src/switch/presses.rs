//! One press that was heard in the media and by INFO is one digit; two presses stay two.
//!
//! The media plane has merged tones and events already, sample by sample; an INFO comes over another way, with another
//! delay, and its telephone may send it only when the key comes up again. So here a press is known by when it was heard.
//! What was heard in one way alone is held for a while; when the other way hears the same key, it is that press, the
//! oldest one first, and the two cancel out. Easy to get wrong: matching one to one is what keeps `5 5` two presses,
//! in whatever order the four messages come; a window alone would make one of them.

use core::time::Duration;
use std::collections::VecDeque;

use super::desk::Switch;
use super::tell::Heard;
use crate::base::{Digit, LegId, Time};

/// How far apart the two ways may tell one press: a long press told at its end, or an INFO that was lost once or twice.
const APART_MAX: Duration = Duration::from_secs(2);
/// Presses held; a person makes at most a dozen a second.
const HELD: usize = 32;

/// The presses of one leg that were heard in one of the two ways so far.
#[derive(Debug, Default)]
pub(super) struct Presses {
    held: VecDeque<Held>,
}

#[derive(Debug)]
struct Held {
    digit: Digit,
    by_info: bool,
    at: Time,
}

impl Presses {
    /// A key was heard; true when this press has not been told yet.
    fn on_press(&mut self, now: Time, digit: Digit, by_info: bool) -> bool {
        self.held.retain(|held| now.since(held.at) <= APART_MAX);
        let twin = self.held.iter().position(|held| held.digit == digit && held.by_info != by_info);
        if let Some(place) = twin {
            self.held.remove(place);
            return false;
        }
        if self.held.len() >= HELD {
            self.held.pop_front();
        }
        self.held.push_back(Held { digit, by_info, at: now });
        true
    }
}

impl Switch {
    /// A key was heard on a leg, in whichever way.
    pub(super) fn key_heard(&mut self, now: Time, id: LegId, digit: Digit, heard: Heard) {
        let Some(leg) = self.legs.get_mut(id) else { return };
        if leg.presses.on_press(now, digit, heard == Heard::Info) {
            self.pressed(now, id, digit, heard);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEDIA: bool = false;
    const INFO: bool = true;

    fn told(presses: &[(char, bool, u64)]) -> String {
        let mut merge = Presses::default();
        let at = |millis| Time::ZERO + Duration::from_millis(millis);
        let new = presses
            .iter()
            .filter(|(key, way, millis)| merge.on_press(at(*millis), Digit::from_char(*key).unwrap(), *way));
        new.map(|(key, _, _)| *key).collect()
    }

    #[test]
    fn a_press_heard_both_ways_is_one_in_either_order() {
        assert_eq!(told(&[('1', MEDIA, 0), ('1', INFO, 30)]), "1");
        assert_eq!(told(&[('1', INFO, 0), ('1', MEDIA, 60)]), "1");
        assert_eq!(told(&[('1', MEDIA, 0), ('1', INFO, 1_900)]), "1");
    }

    #[test]
    fn two_quick_presses_of_one_key_are_two_in_every_order_of_what_is_heard() {
        for order in [
            [MEDIA, INFO, MEDIA, INFO],
            [MEDIA, MEDIA, INFO, INFO],
            [INFO, MEDIA, INFO, MEDIA],
            [INFO, INFO, MEDIA, MEDIA],
            [MEDIA, INFO, INFO, MEDIA],
            [INFO, MEDIA, MEDIA, INFO],
        ] {
            let presses: Vec<_> = order.iter().zip([0, 90, 180, 270]).map(|(way, at)| ('5', *way, at)).collect();
            assert_eq!(told(&presses), "55", "{order:?}");
        }
    }

    #[test]
    fn presses_of_one_way_are_never_the_same() {
        assert_eq!(told(&[('5', INFO, 0), ('5', INFO, 80), ('5', INFO, 160)]), "555");
        assert_eq!(told(&[('5', MEDIA, 0), ('5', MEDIA, 80), ('5', MEDIA, 160)]), "555");
    }

    #[test]
    fn another_key_and_another_time_are_another_press() {
        assert_eq!(told(&[('1', MEDIA, 0), ('2', INFO, 0), ('1', INFO, 2_100)]), "121");
    }

    #[test]
    fn a_leg_holds_a_bounded_number_of_presses() {
        let mut merge = Presses::default();
        (0..1_000).for_each(|_| {
            merge.on_press(Time::ZERO, Digit::from_char('1').unwrap(), INFO);
        });
        assert_eq!(merge.held.len(), HELD);
    }
}
