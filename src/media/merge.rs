//! One press that was heard in two ways is one digit; two presses stay two.
//!
//! Both ways are laid on the same line of samples (an event's timestamp and the voice's come from one clock), so
//! the network's delay does not matter. A press heard in one way is held as unmatched for a while; when the
//! other way hears the same key about then, it is that press, and the two cancel out. Matching one to one is
//! what keeps quick presses apart: the second event of `5 5` finds no tone left to be the same as.

use crate::base::Digit;
use crate::media::Way;

/// How far apart the two ways may put the beginning of one press, in samples: a gateway notices a tone some
/// 40 ms after it began, and some stamp the event with the moment they noticed. 100 ms.
const APART_MAX: i64 = 800;
/// Presses remembered; a person makes at most a dozen a second.
const HELD: usize = 8;

/// The merge of one leg.
#[derive(Clone, Copy, Debug, Default)]
pub struct Merge {
    held: [Option<Held>; HELD],
    next: usize,
}

#[derive(Clone, Copy, Debug)]
struct Held {
    digit: Digit,
    way: Way,
    at: i64,
}

impl Merge {
    /// A press that began at place `at`; true when it has not been told yet.
    pub fn on_press(&mut self, digit: Digit, way: Way, at: i64) -> bool {
        let twin = |held: &Held| held.digit == digit && held.way != way && (held.at - at).abs() <= APART_MAX;
        let nearest = self
            .held
            .iter_mut()
            .filter(|held| held.as_ref().is_some_and(twin))
            .min_by_key(|held| held.as_ref().map_or(i64::MAX, |held| (held.at - at).abs()));
        if let Some(held) = nearest {
            *held = None;
            return false;
        }
        self.held[self.next % HELD] = Some(Held { digit, way, at });
        self.next = (self.next + 1) % HELD;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(presses: &[(char, Way, i64)]) -> String {
        let mut merge = Merge::default();
        let new = presses.iter().filter(|(k, way, at)| merge.on_press(Digit::from_char(*k).unwrap(), *way, *at));
        new.map(|(key, _, _)| *key).collect()
    }

    #[test]
    fn a_press_heard_in_both_ways_is_one_in_either_order() {
        assert_eq!(told(&[('1', Way::Event, 1_000), ('1', Way::Tone, 1_040)]), "1");
        assert_eq!(told(&[('1', Way::Tone, 1_040), ('1', Way::Event, 1_500)]), "1");
    }

    #[test]
    fn quick_presses_of_one_key_stay_two_when_both_ways_hear_both() {
        let both = [('5', Way::Event, 0), ('5', Way::Tone, 20), ('5', Way::Event, 700), ('5', Way::Tone, 720)];
        assert_eq!(told(&both), "55");
        let tones_late = [('5', Way::Event, 0), ('5', Way::Event, 700), ('5', Way::Tone, 20), ('5', Way::Tone, 720)];
        assert_eq!(told(&tones_late), "55");
    }

    #[test]
    fn presses_of_one_way_are_never_the_same() {
        assert_eq!(told(&[('5', Way::Tone, 0), ('5', Way::Tone, 640), ('5', Way::Tone, 1_280)]), "555");
    }

    #[test]
    fn another_key_and_another_time_are_another_press() {
        assert_eq!(told(&[('1', Way::Event, 0), ('2', Way::Tone, 0), ('1', Way::Tone, 2_000)]), "121");
    }
}
