//! Who is on which leg, and what is being said to them.

use std::collections::BTreeMap;

use super::asked::Asked;
use super::lines::Part;
use super::presses::Presses;
use crate::base::{AttemptId, ContactId, IncidentId, Language, LegId, Quality, RoomName};
use crate::incident::CallHandle;

/// Why a leg exists.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Purpose {
    /// We rang this person.
    Attempt(AttemptId),
    /// This person rang us, and the call is not yet acknowledged.
    CallIn(IncidentId),
    /// One of the two people of a hotline whom we ring and join, by their inquiry.
    Bridge(u32),
    /// We rang this person because an operator wants them in a room.
    Invited,
    /// This person rang us and is asked what they want.
    Reception,
    /// This person rang us and is in a room by its PIN.
    Guest,
}

/// Whether somebody who called in was told what it is about.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) enum Brief {
    /// There is nothing to be told.
    #[default]
    Done,
    /// It is to be told.
    Due,
    /// It is being told, before they go into this room.
    Before(RoomName),
}

/// A playlist under way.
#[derive(Debug)]
pub(super) struct Saying {
    /// Its number in the media plane.
    pub(super) play: u32,
    /// What follows when it was heard out.
    pub(super) rest: Vec<Part>,
}

#[derive(Debug)]
pub(super) struct Leg {
    pub(super) purpose: Purpose,
    pub(super) contact: ContactId,
    pub(super) language: Language,
    /// How an incident's call is ended after a crash; empty for other calls, which are [`super::held`].
    pub(super) call: CallHandle,
    /// Picked up, by us or by them.
    pub(super) up: bool,
    pub(super) saying: Option<Saying>,
    pub(super) room: Option<RoomName>,
    pub(super) brief: Brief,
    /// What is said to them in the room as soon as a voice has made it.
    pub(super) awaits: Option<String>,
    /// What they are asked about other incidents, while they are in a room.
    pub(super) asked: Asked,
    /// Did anything play yet?
    pub(super) spoken_to: bool,
    /// Keys that were heard in one of two ways so far.
    pub(super) presses: Presses,
    /// Something of ours broke: the call failed, however it ends.
    pub(super) fault: Option<String>,
    /// How well both sides heard each other so far.
    pub(super) quality: Option<Quality>,
    /// What both sides say to each other is encrypted.
    pub(super) encrypted: bool,
}

impl Leg {
    pub(super) fn new(purpose: Purpose, contact: ContactId, language: Language) -> Leg {
        let (up, spoken_to, encrypted, presses) = (false, false, false, Presses::default());
        let (saying, room, brief, awaits, fault, quality) = (None, None, Brief::Done, None, None, None);
        let (call, asked) = (CallHandle::default(), Asked::default());
        Leg {
            purpose,
            contact,
            language,
            call,
            up,
            saying,
            room,
            brief,
            awaits,
            asked,
            spoken_to,
            presses,
            fault,
            quality,
            encrypted,
        }
    }

    pub(super) fn attempt(&self) -> Option<AttemptId> {
        match self.purpose {
            Purpose::Attempt(attempt) => Some(attempt),
            Purpose::CallIn(_) | Purpose::Bridge(_) | Purpose::Invited | Purpose::Reception | Purpose::Guest => None,
        }
    }

    /// Whose keys are pressed here and whose words are said: its own attempt, or the one they are asked about.
    pub(super) fn asking(&self) -> Option<AttemptId> {
        self.asked.now.or(self.attempt())
    }
}

/// All legs that are up.
#[derive(Debug, Default)]
pub(super) struct Legs {
    legs: BTreeMap<LegId, Leg>,
    last: u32,
    last_play: u32,
}

impl Legs {
    /// A number for a leg we dial: upwards, because the agent numbers incoming ones downwards.
    pub(super) fn next_id(&mut self) -> LegId {
        self.last = self.last.wrapping_add(1);
        LegId(self.last)
    }

    /// A number for a playlist.
    pub(super) fn next_play(&mut self) -> u32 {
        self.last_play = self.last_play.wrapping_add(1);
        self.last_play
    }

    pub(super) fn insert(&mut self, id: LegId, leg: Leg) {
        self.legs.insert(id, leg);
    }

    pub(super) fn remove(&mut self, id: LegId) -> Option<Leg> {
        self.legs.remove(&id)
    }

    pub(super) fn get(&self, id: LegId) -> Option<&Leg> {
        self.legs.get(&id)
    }

    pub(super) fn get_mut(&mut self, id: LegId) -> Option<&mut Leg> {
        self.legs.get_mut(&id)
    }

    /// The leg of an attempt.
    pub(super) fn of(&self, attempt: AttemptId) -> Option<LegId> {
        let is_it = |leg: &Leg| leg.attempt() == Some(attempt) || leg.asked.has(attempt);
        self.legs.iter().find(|(_, leg)| is_it(leg)).map(|(id, _)| *id)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (LegId, &Leg)> {
        self.legs.iter().map(|(id, leg)| (*id, leg))
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Leg> {
        self.legs.values_mut()
    }

    /// The legs that exist for an incident.
    pub(super) fn of_incident(&self, incident: IncidentId) -> Vec<LegId> {
        let about = |leg: &Leg| match leg.purpose {
            Purpose::Attempt(attempt) => attempt.incident == incident,
            Purpose::CallIn(of) => of == incident,
            Purpose::Bridge(_) | Purpose::Invited | Purpose::Reception | Purpose::Guest => false,
        };
        self.legs.iter().filter(|(_, leg)| about(leg)).map(|(id, _)| *id).collect()
    }

    /// The legs a person is on: one, but for the moment in which another one ends.
    pub(super) fn of_contact(&self, contact: &ContactId) -> impl Iterator<Item = &Leg> {
        self.legs.values().filter(move |leg| leg.contact == *contact)
    }

    pub(super) fn len(&self) -> usize {
        self.legs.len()
    }
}
