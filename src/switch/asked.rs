//! Another incident while somebody is in a room: they are told in the call they are in, and their keys answer it.
//!
//! Nobody who sits in a room for hours hears their telephone, and to the incident they would be busy: it would call
//! round after round and give up while those who could take it talk to each other. So its attempt is made on the leg that
//! is there: no INVITE, no end of the call, and nobody else in the room hears it.
//!
//! Easy to get wrong: the leg stays that of its own incident. What ends such an attempt ends the asking and never the
//! call; what ends the call ends every attempt that was made on it; and one question at a time is asked.

use super::batch::Act;
use super::desk::Switch;
use super::legs::{Brief, Leg, Legs};
use crate::base::{AttemptId, ContactId, IncidentId, LegId, RoomName, Time};
use crate::incident::{CallEnd, CallHandle, EndedBy};
use crate::media::Command;

/// What somebody in a room is asked, and was.
#[derive(Debug, Default)]
pub(super) struct Asked {
    /// Whose keys they press now.
    pub(super) now: Option<AttemptId>,
    /// Every attempt of another incident that has no end yet.
    all: Vec<AttemptId>,
}

impl Asked {
    /// Is this attempt made on the leg?
    pub(super) fn has(&self, attempt: AttemptId) -> bool {
        self.all.contains(&attempt)
    }

    fn forget(&mut self, gone: impl Fn(&AttemptId) -> bool) {
        self.all.retain(|attempt| !gone(attempt));
        self.now.take_if(|attempt| gone(attempt));
    }
}

impl Legs {
    /// The leg on which this person can be asked about another incident: in a room, and asked nothing yet.
    pub(super) fn to_ask(&self, contact: &ContactId) -> Option<LegId> {
        let free = |leg: &Leg| leg.up && leg.room.is_some() && leg.brief == Brief::Done && leg.asked.now.is_none();
        self.iter().find(|(_, leg)| leg.contact == *contact && free(leg)).map(|(id, _)| id)
    }

    /// This incident asks nobody any more: it never was.
    pub(super) fn forget_asked(&mut self, incident: IncidentId) {
        for leg in self.iter_mut() {
            leg.asked.forget(|attempt| attempt.incident == incident);
        }
    }
}

impl Switch {
    /// Makes an attempt on the leg of somebody in a room.
    pub(super) fn ask_in_room(&mut self, now: Time, id: LegId, attempt: AttemptId) {
        let Some(leg) = self.legs.get_mut(id) else { return };
        leg.asked.now = Some(attempt);
        leg.asked.all.push(attempt);
        self.note_call_id(attempt, id);
        // Nothing of it is to be ended after a crash: the call is the other incident's.
        self.with_incident(attempt.incident, |incident, out| {
            incident.on_dialled(now, attempt.number, CallHandle::default(), out);
            incident.on_answered(now, attempt.number, CallHandle::default(), out);
        });
    }

    /// The asking is over, and they talk on. False when the leg is the attempt's own.
    pub(super) fn ends_asking(&mut self, now: Time, id: LegId, attempt: AttemptId) -> bool {
        let Some(leg) = self.legs.get_mut(id).filter(|leg| leg.asked.has(attempt)) else { return false };
        if leg.asked.now == Some(attempt) {
            leg.saying = None;
            self.act(Act::Media(Command::Hush(id)));
        }
        let Some(leg) = self.legs.get_mut(id) else { return false };
        leg.asked.forget(|other| *other == attempt);
        let reason = "asked in the room of another incident".into();
        let end = CallEnd { by: EndedBy::Us, code: None, reason, quality: None };
        self.with_incident(attempt.incident, |incident, out| incident.on_ended(now, attempt.number, end, out));
        self.dial_those_who_wait(now);
        true
    }

    /// Whoever was asked wants to talk about the other incident: into its room, where that is another one. False when
    /// the leg is the attempt's own.
    pub(super) fn moves_on(&mut self, now: Time, id: LegId, attempt: AttemptId, room: &RoomName) -> bool {
        let Some(leg) = self.legs.get_mut(id).filter(|leg| leg.asked.has(attempt)) else { return false };
        leg.asked.now = None;
        leg.saying = None;
        // Nobody is turned away at a locked door who is in a room already.
        if leg.room.as_ref() != Some(room) && !self.rooms.get(room).is_some_and(|room| room.locked) {
            self.leave_room(id);
            self.enter_room(now, id, room, false);
        }
        true
    }

    /// The call is over: so is what was asked on it.
    pub(super) fn asked_ended(&mut self, now: Time, leg: &Leg, end: &CallEnd) {
        for attempt in leg.asked.all.iter().copied() {
            let end = end.clone();
            self.with_incident(attempt.incident, |incident, out| incident.on_ended(now, attempt.number, end, out));
        }
    }
}
