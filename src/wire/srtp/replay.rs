//! Which packets were taken already, of whom (RFC 3711 §3.3.2).
//!
//! Easy to get wrong: a number enters the window only once its tag was found right, or anybody could push it on.

/// Packets behind the newest that are told apart; whatever is older is taken for a copy. RFC 3711 wants 64 or more.
const WINDOW: u64 = u128::BITS as u64;
/// Senders that are known in one direction: as a rule there is one, and a second while calls are handed on.
const SOURCES: usize = 4;

/// What was taken of one sender.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    /// The highest index.
    pub highest: u64,
    /// Bit n: the index n below the highest was taken.
    taken: u128,
}

impl Window {
    /// Of whom `index` is the first packet.
    pub fn new(index: u64) -> Window {
        Window { highest: index, taken: 1 }
    }

    /// Is this index new, and not too old?
    pub fn admits(&self, index: u64) -> bool {
        match self.highest.checked_sub(index) {
            None => true,
            Some(behind) => behind < WINDOW && self.taken >> behind & 1 == 0,
        }
    }

    /// The packet was taken.
    pub fn take(&mut self, index: u64) {
        match self.highest.checked_sub(index) {
            None => {
                let ahead = u32::try_from(index - self.highest).unwrap_or(u32::MAX);
                self.taken = self.taken.checked_shl(ahead).unwrap_or(0) | 1;
                self.highest = index;
            }
            Some(behind) if behind < WINDOW => self.taken |= 1 << behind,
            Some(_) => {}
        }
    }
}

/// Everybody who sends under one key, the latest to come first. The one who came first of all makes room when they are too
/// many.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sources([Option<(u32, Window)>; SOURCES]);

impl Sources {
    /// What was taken of `ssrc`; `None`: nothing.
    pub fn of(&self, ssrc: u32) -> Option<&Window> {
        self.0.iter().flatten().find(|(known, _)| *known == ssrc).map(|(_, window)| window)
    }

    /// A packet of `ssrc` was taken.
    pub fn take(&mut self, ssrc: u32, index: u64) {
        match self.0.iter_mut().flatten().find(|(known, _)| *known == ssrc) {
            Some((_, window)) => window.take(index),
            None => {
                self.0.rotate_right(1);
                self.0[0] = Some((ssrc, Window::new(index)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_packet_is_admitted_once_and_none_that_is_older_than_the_window() {
        let mut window = Window::new(1_000);
        assert!(!window.admits(1_000) && window.admits(999) && window.admits(873) && !window.admits(872));
        window.take(873);
        assert!(!window.admits(873) && window.admits(874));
        window.take(1_001);
        assert!(!window.admits(1_000) && !window.admits(1_001) && !window.admits(873), "it moved on");
        window.take(1_129);
        assert!(window.admits(1_128) && window.admits(1_002) && !window.admits(1_001));
        window.take(1 << 47);
        assert!(!window.admits(1 << 47) && window.admits((1 << 47) - 127));
    }

    #[test]
    fn the_first_sender_makes_room_when_they_are_too_many() {
        let mut sources = Sources::default();
        for ssrc in 1..=SOURCES as u32 + 1 {
            sources.take(ssrc, 7);
        }
        assert!(sources.of(1).is_none());
        assert!((2..=SOURCES as u32 + 1).all(|ssrc| sources.of(ssrc).is_some_and(|window| !window.admits(7))));
    }
}
