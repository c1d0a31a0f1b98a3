//! One room: every leg hears all the others and not itself.
//!
//! The room's 20 ms: every member gives its frame, the frames are summed once, and each hears the sum less its
//! own. Whoever says nothing hears what all the silent ones hear, encoded once a codec. Somebody alone hears
//! the music.

use super::leg::{Below, Leg, encode_both};
use super::player::{Played, Player};
use super::taps::Taps;
use super::told::Told;
use super::{Event, Playlist, Sink, Source};
use crate::audio::goertzel::Bank;
use crate::audio::{FRAME, Frame, mix};
use crate::base::RoomId;

/// A running room.
#[derive(Debug)]
pub(super) struct Room {
    pub id: RoomId,
    /// Which quarter of the 20 ms it runs in.
    pub phase: usize,
    music: Player,
}

/// Who is in which room: places in the tables of the plane, in the order of rooms.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Member {
    pub room: usize,
    pub slot: usize,
}

/// One round of the plane: which 20 ms, and what everything works with.
pub(super) struct Round<'a, S> {
    /// Now.
    pub at: i64,
    /// Where this round's frames stand.
    pub place: i64,
    pub bank: &'a Bank,
    pub taps: &'a mut Taps,
    pub told: &'a mut Told,
    pub sink: &'a mut S,
}

impl Room {
    /// A room that begins to exist.
    pub fn new(id: RoomId, phase: usize) -> Room {
        Room { id, phase, music: Player::default() }
    }

    /// Plays this to whoever is alone; what it replaces comes back.
    pub fn play(&mut self, list: Box<Playlist>) -> Option<Box<Playlist>> {
        self.music.play(list)
    }

    /// Ends the music; it comes back.
    pub fn hush(&mut self) -> Option<Box<Playlist>> {
        self.music.hush()
    }

    /// The next 20 ms.
    pub fn round<S: Sink>(&mut self, members: &[Member], legs: &mut [Leg], round: &mut Round<'_, S>) {
        let mut sum = [0i32; FRAME];
        for member in members {
            let leg = &mut legs[member.slot];
            leg.hear(round.place, true, round.bank, round.told);
            leg.listen(round.place, round.told);
            round.taps.on_frame(Source::Leg(leg.id), round.place, &leg.said, round.sink);
            if leg.voiced {
                mix::add(&mut sum, &leg.said);
            }
        }
        let mut whole = [0; FRAME];
        mix::whole(&sum, &mut whole);
        round.taps.on_frame(Source::Room(self.id), round.place, &whole, round.sink);
        if let [only] = members {
            let mut music = [0; FRAME];
            self.play_on(&mut music, round.told);
            legs[only.slot].speak(round.at, round.place, Below::Frame(&music), round.told, round.sink);
            return;
        }
        let encoded = encode_both(&whole);
        for member in members {
            let leg = &mut legs[member.slot];
            if !leg.voiced {
                leg.speak(round.at, round.place, Below::Shared(&whole, &encoded), round.told, round.sink);
                continue;
            }
            let mut others = [0; FRAME];
            mix::without(&sum, &leg.said, &mut others);
            leg.speak(round.at, round.place, Below::Frame(&others), round.told, round.sink);
        }
    }

    fn play_on(&mut self, out: &mut Frame, told: &mut Told) {
        if let Played::Ended(list) = self.music.frame(out) {
            told.push(Event::Spent(list));
        }
    }
}
