//! A leg to which nothing is sent, because the other side put us on hold or answered like that.
//!
//! What is to be said waits for whoever comes back soon. For longer it does not: a telephone that never takes us off hold
//! again would keep everybody waiting who is to be called after it. Then it is said to nobody, and the call goes on as for a
//! person who hears it and presses no key.

use crate::audio::FRAME;
use crate::media::Event;
use crate::media::player::Played;
use crate::media::told::Told;

use super::Leg;

/// Frames for which what is to be said waits: a minute of them.
const WAITS: u32 = 3_000;

impl Leg {
    /// A frame that is not sent.
    pub(super) fn pass_unheard(&mut self, told: &mut Told) {
        self.unheard = self.unheard.saturating_add(1);
        if self.unheard <= WAITS {
            return;
        }
        if let Played::Ended(list) = self.player.frame(&mut [0; FRAME]) {
            told.push(Event::PlayEnded { leg: self.id, play: list.play });
            told.push(Event::Spent(list));
        }
    }
}
