//! Rooms by the names people know them by, and who is inside.

use std::collections::BTreeMap;

use super::batch::Act;
use super::desk::Switch;
use super::tell::What;
use crate::base::{Language, LegId, RoomId, RoomName, Time};
use crate::media::{Command, Playlist, Prompt};

/// A room of the configuration.
#[derive(Clone)]
pub struct RoomSettings {
    /// What people call it.
    pub name: RoomName,
    /// What the first one hears until the second comes; the built-in music when absent.
    pub music: Option<Prompt>,
    /// Write what is said in it to a WAV file.
    pub record: bool,
    /// What is said in it where nobody says in which language; the house's own when absent.
    pub language: Option<Language>,
    /// What lets somebody in who calls hansho's number and is not on an incident of this room.
    pub pin: Option<String>,
}

impl core::fmt::Debug for RoomSettings {
    /// Without the PIN: what is printed ends in logs.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("RoomSettings").field("name", &self.name).field("record", &self.record).finish_non_exhaustive()
    }
}

#[derive(Debug)]
pub(super) struct Room {
    id: RoomId,
    /// When the first came in.
    pub(super) since: Time,
    /// Nobody comes in.
    pub(super) locked: bool,
    /// Until when everything that is to be said in it will have been said.
    pub(super) said_until: Time,
    /// Those inside, in the order in which they came.
    pub(super) seats: Vec<Seat>,
    /// How many came so far.
    came: u32,
}

/// Somebody inside.
#[derive(Clone, Debug)]
pub(super) struct Seat {
    pub(super) leg: LegId,
    /// The how-many-eth to come in, from 1.
    pub(super) number: u32,
    pub(super) since: Time,
    pub(super) muted: bool,
    pub(super) talking: bool,
}

/// The rooms with somebody inside.
#[derive(Debug, Default)]
pub(super) struct Rooms {
    open: BTreeMap<RoomName, Room>,
    last: u32,
}

impl Rooms {
    /// Who is in the room; nobody when it is not open.
    pub(super) fn people(&self, name: &RoomName) -> impl Iterator<Item = LegId> {
        self.open.get(name).into_iter().flat_map(|room| &room.seats).map(|seat| seat.leg)
    }

    /// Is somebody inside?
    pub(super) fn is_open(&self, name: &RoomName) -> bool {
        self.open.contains_key(name)
    }

    /// The rooms with somebody inside.
    pub(super) fn names(&self) -> impl Iterator<Item = &RoomName> {
        self.open.keys()
    }

    /// The same, with what is known of them.
    pub(super) fn open(&self) -> impl Iterator<Item = (&RoomName, &Room)> {
        self.open.iter()
    }

    pub(super) fn get(&self, name: &RoomName) -> Option<&Room> {
        self.open.get(name)
    }

    pub(super) fn get_mut(&mut self, name: &RoomName) -> Option<&mut Room> {
        self.open.get_mut(name)
    }

    /// Somebody inside began to talk, or ceased to.
    pub(super) fn note_talking(&mut self, name: &RoomName, leg: LegId, talking: bool) {
        let seats = self.open.get_mut(name).into_iter().flat_map(|room| &mut room.seats);
        seats.filter(|seat| seat.leg == leg).for_each(|seat| seat.talking = talking);
    }
}

impl Switch {
    /// Puts a leg into a room, which opens when it is the first; a locked one takes nobody in. `was_told`: who is there
    /// was said to them.
    pub(super) fn enter_room(&mut self, now: Time, leg: LegId, name: &RoomName, was_told: bool) {
        if self.rooms.get(name).is_some_and(|room| room.locked) {
            return self.turn_away(now, leg, name);
        }
        if !self.rooms.is_open(name) {
            self.open_room(now, leg, name);
        }
        let Some(room) = self.rooms.open.get_mut(name) else { return };
        room.came = room.came.saturating_add(1);
        room.seats.push(Seat { leg, number: room.came, since: now, muted: false, talking: false });
        let (id, people) = (room.id, room.seats.len());
        if let Some(leg) = self.legs.get_mut(leg) {
            leg.room = Some(name.clone());
            leg.saying = None;
        }
        self.act(Act::Media(Command::Join(leg, id)));
        self.tell_leg(leg, What::RoomJoined { room: name.clone(), people });
        self.announce(leg, name, was_told);
    }

    /// Takes a leg out of its room, which ends with the last.
    pub(super) fn leave_room(&mut self, leg: LegId) {
        let Some(name) = self.legs.get_mut(leg).and_then(|leg| leg.room.take()) else { return };
        let Some(room) = self.rooms.open.get_mut(&name) else { return };
        room.seats.retain(|seat| seat.leg != leg);
        let (id, people) = (room.id, room.seats.len());
        self.act(Act::Media(Command::Leave(leg)));
        self.tell_leg(leg, What::RoomLeft { room: name.clone(), people });
        if people == 0 {
            self.rooms.open.remove(&name);
            self.act(Act::Media(Command::CloseRoom(id)));
            self.tell_leg(leg, What::RoomEnded { room: name });
        }
    }

    /// What the configuration says of this room, where it names it.
    pub(super) fn room_settings(&self, name: &RoomName) -> Option<&RoomSettings> {
        self.settings.rooms.iter().find(|room| room.name == *name)
    }

    fn open_room(&mut self, now: Time, first: LegId, name: &RoomName) {
        self.rooms.last = self.rooms.last.wrapping_add(1);
        let id = RoomId(self.rooms.last);
        let room = Room { id, since: now, locked: false, said_until: now, seats: Vec::new(), came: 0 };
        self.rooms.open.insert(name.clone(), room);
        let settings = self.room_settings(name);
        let record = settings.is_some_and(|room| room.record);
        let music = settings.and_then(|room| room.music.clone()).unwrap_or_else(|| self.book.hold_music());
        let play = self.legs.next_play();
        let playlist = Playlist { play, prompts: vec![music], forever: true };
        self.act(Act::Media(Command::Music(id, Box::new(playlist))));
        if record {
            self.act(Act::RecordRoom { room: id, name: name.clone() });
        }
        self.tell_leg(first, What::RoomCreated { room: name.clone() });
    }
}
