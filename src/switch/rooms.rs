//! Rooms by the names people know them by, and who is inside.

use std::collections::BTreeMap;

use super::batch::Act;
use super::desk::Switch;
use super::tell::What;
use crate::base::{LegId, RoomId, RoomName};
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
    people: Vec<LegId>,
}

/// The rooms with somebody inside.
#[derive(Debug, Default)]
pub(super) struct Rooms {
    open: BTreeMap<RoomName, Room>,
    last: u32,
}

impl Rooms {
    /// Who is in the room; nobody when it is not open.
    pub(super) fn people(&self, name: &RoomName) -> &[LegId] {
        self.open.get(name).map_or(&[], |room| room.people.as_slice())
    }

    /// The rooms with somebody inside.
    pub(super) fn names(&self) -> impl Iterator<Item = &RoomName> {
        self.open.keys()
    }
}

impl Switch {
    /// Puts a leg into a room, which opens when it is the first. `was_told`: who is there was said to them.
    pub(super) fn enter_room(&mut self, leg: LegId, name: &RoomName, was_told: bool) {
        if !self.rooms.open.contains_key(name) {
            self.open_room(leg, name);
        }
        let Some(room) = self.rooms.open.get_mut(name) else { return };
        room.people.push(leg);
        let (id, people) = (room.id, room.people.len());
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
        room.people.retain(|other| *other != leg);
        let (id, people) = (room.id, room.people.len());
        self.act(Act::Media(Command::Leave(leg)));
        self.tell_leg(leg, What::RoomLeft { room: name.clone(), people });
        if people == 0 {
            self.rooms.open.remove(&name);
            self.act(Act::Media(Command::CloseRoom(id)));
            self.tell_leg(leg, What::RoomEnded { room: name });
        }
    }

    fn open_room(&mut self, first: LegId, name: &RoomName) {
        self.rooms.last = self.rooms.last.wrapping_add(1);
        let id = RoomId(self.rooms.last);
        self.rooms.open.insert(name.clone(), Room { id, people: Vec::new() });
        let settings = self.settings.rooms.iter().find(|room| room.name == *name);
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
