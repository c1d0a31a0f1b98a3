//! Calls that are to be made as soon as they can be, a queue a person.
//!
//! A person has one call at a time, so of thousands that wait for the same person one is worth trying: the one that
//! has waited longest. Easy to get wrong: trying all of them each second, or looking through all of them each time an
//! incident ends, costs more than all the calls of a night.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use super::desk::Switch;
use super::flow::fault;
use crate::base::{AttemptId, ContactId, IncidentId, Phone, Stamp, Time};
use crate::incident::{CallEnd, CallHandle};

/// How long a call waits for its person to be off the phone: ten minutes and the last words, no call lasts longer.
const ON_THE_PHONE: Duration = Duration::from_secs(660);
/// How long a call waits for a trunk to come back.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a call waits for the caps of `[dial]`: a full minute costs nobody their turn.
const HELD: Duration = Duration::from_secs(600);
/// How often those who wait are tried again: not all that they wait for is told.
const TRY_AGAIN: Duration = Duration::from_secs(1);

/// A call that is to be made as soon as it can be.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    pub(super) attempt: AttemptId,
    pub(super) contact: ContactId,
    pub(super) phone: Phone,
    /// When it was asked for.
    pub(super) since: Time,
    pub(super) for_what: For,
    pub(super) until: Time,
    /// How it ends if it cannot be made in time.
    pub(super) end: CallEnd,
}

/// What a call waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum For {
    /// Us: a trunk, a port.
    Us,
    /// Its person, to be off the phone.
    Person,
    /// The caps of `[dial]`.
    Cap,
    /// Its message, to be made.
    Message,
}

/// Somebody whose telephone is to be rung as soon as it can be.
#[derive(Clone, Copy, Debug)]
pub struct Waited<'a> {
    /// Who.
    pub contact: &'a ContactId,
    /// Where.
    pub phone: &'a Phone,
    /// Since when.
    pub since: Stamp,
    /// For what, in words.
    pub reason: &'a str,
}

impl Waiting {
    pub(super) fn new(now: Time, attempt: AttemptId, contact: ContactId, phone: Phone) -> Waiting {
        let end = fault(String::new());
        Waiting { attempt, contact, phone, since: now, for_what: For::Us, until: now + PATIENCE, end }
    }
}

/// Why an INVITE was not sent.
pub(super) enum NotNow {
    /// The person is on the phone about another incident.
    Occupied(CallEnd),
    /// The caps of `[dial]` are used up for the moment.
    Held(CallEnd),
    /// It may be in a moment; if not, this is how the attempt ends.
    Later(CallEnd),
    /// It will not be, and this is how the attempt ended.
    Never(CallEnd),
}

/// Everybody who waits.
#[derive(Debug, Default)]
pub(super) struct WaitingList {
    calls: BTreeMap<AttemptId, Waiting>,
    /// The calls to each person, by how long they wait.
    queues: BTreeMap<ContactId, BTreeSet<(Time, AttemptId)>>,
    /// By when they are given up.
    ends: BTreeSet<(Time, AttemptId)>,
}

impl WaitingList {
    pub(super) fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    pub(super) fn push(&mut self, call: Waiting) {
        self.remove(call.attempt);
        self.ends.insert((call.until, call.attempt));
        self.queues.entry(call.contact.clone()).or_default().insert((call.since, call.attempt));
        self.calls.insert(call.attempt, call);
    }

    pub(super) fn contains(&self, attempt: AttemptId) -> bool {
        self.calls.contains_key(&attempt)
    }

    pub(super) fn remove(&mut self, attempt: AttemptId) -> Option<Waiting> {
        let call = self.calls.remove(&attempt)?;
        self.ends.remove(&(call.until, attempt));
        if let Some(queue) = self.queues.get_mut(&call.contact) {
            queue.remove(&(call.since, attempt));
            if queue.is_empty() {
                self.queues.remove(&call.contact);
            }
        }
        Some(call)
    }

    /// The calls that are wanted for an incident.
    pub(super) fn of(&self, incident: IncidentId) -> impl Iterator<Item = &Waiting> {
        let all = AttemptId { incident, number: 0 }..=AttemptId { incident, number: u32::MAX };
        self.calls.range(all).map(|(_, call)| call)
    }

    /// Nobody is called any more for this incident.
    pub(super) fn forget(&mut self, incident: IncidentId) {
        let theirs: Vec<AttemptId> = self.of(incident).map(|call| call.attempt).collect();
        for attempt in theirs {
            self.remove(attempt);
        }
    }

    /// Those who are to be called, whoever waits longest first.
    pub(super) fn people(&self) -> Vec<ContactId> {
        let first = |queue: &BTreeSet<(Time, AttemptId)>| queue.first().copied();
        let mut people: Vec<_> = self.queues.iter().map(|(person, queue)| (first(queue), person)).collect();
        people.sort();
        people.into_iter().map(|(_, person)| person.clone()).collect()
    }

    /// Takes out the call that has waited longest for this person.
    pub(super) fn take_first(&mut self, person: &ContactId) -> Option<Waiting> {
        let (_, attempt) = *self.queues.get(person)?.first()?;
        self.remove(attempt)
    }

    /// When the next one is given up.
    pub(super) fn next_end(&self) -> Option<Time> {
        self.ends.first().map(|(until, _)| *until)
    }

    /// Takes out one that has waited too long.
    pub(super) fn take_late(&mut self, now: Time) -> Option<Waiting> {
        let (_, attempt) = *self.ends.first().filter(|(until, _)| *until <= now)?;
        self.remove(attempt)
    }
}

impl Switch {
    /// Who waits to be dialled for this incident, the first first.
    pub fn waiting(&self, incident: IncidentId) -> impl Iterator<Item = Waited<'_>> {
        self.waiting.of(incident).map(|call| Waited {
            contact: &call.contact,
            phone: &call.phone,
            since: self.stamp(call.since),
            reason: &call.end.reason,
        })
    }

    /// A call cannot be made now: it waits for what is in the way, or leaves its trace.
    pub(super) fn put_off(&mut self, now: Time, mut call: Waiting, why: NotNow) {
        let AttemptId { incident, number } = call.attempt;
        match why {
            NotNow::Occupied(end) => {
                let mut another = false;
                self.with_incident(incident, |incident, out| another = incident.on_occupied(now, number, out));
                if !another {
                    (call.for_what, call.until) = (For::Person, call.since + ON_THE_PHONE);
                    self.wait_for(now, Waiting { end, ..call });
                }
            }
            NotNow::Held(end) => {
                if core::mem::replace(&mut call.for_what, For::Cap) != For::Cap {
                    call.until = (call.since + HELD).max(now + PATIENCE);
                }
                self.wait_for(now, Waiting { end, ..call });
            }
            NotNow::Later(end) => {
                if core::mem::replace(&mut call.for_what, For::Us) != For::Us {
                    call.until = now + PATIENCE;
                }
                self.wait_for(now, Waiting { end, ..call });
            }
            NotNow::Never(end) => self.not_dialled(now, call.attempt, end),
        }
    }

    pub(super) fn wait_for(&mut self, now: Time, call: Waiting) {
        if self.waiting.is_empty() {
            self.try_again_at = now + TRY_AGAIN;
        }
        self.waiting.push(call);
    }

    /// Tries again for everybody who waits: a person hung up, or a trunk came back.
    pub(super) fn dial_those_who_wait(&mut self, now: Time) {
        self.try_again_at = now + TRY_AGAIN;
        for person in self.waiting.people() {
            // Until one has to go on waiting: those behind it wait for the same person.
            while let Some(call) = self.waiting.take_first(&person) {
                let attempt = call.attempt;
                self.dial(now, call);
                if self.waiting.contains(attempt) {
                    break;
                }
            }
        }
    }

    /// When something is next to be done about those who wait.
    pub(super) fn waiting_wakes_at(&self) -> Option<Time> {
        self.waiting.next_end().map(|late| late.min(self.try_again_at))
    }

    /// Tries again for those who wait; whoever waited long enough is not called this time, and whoever waited for a
    /// message is called without it.
    pub(super) fn on_waiting_deadline(&mut self, now: Time) {
        if self.try_again_at <= now {
            self.dial_those_who_wait(now);
        }
        while let Some(call) = self.waiting.take_late(now) {
            match call.for_what {
                For::Message => self.dial(now, call),
                For::Us | For::Person | For::Cap => self.not_dialled(now, call.attempt, call.end),
            }
        }
    }

    /// Leaves a trace of a call that could not be made: an attempt with its end and its reason.
    fn not_dialled(&mut self, now: Time, attempt: AttemptId, end: CallEnd) {
        self.with_incident(attempt.incident, |incident, out| {
            incident.on_dialled(now, attempt.number, CallHandle::default(), out);
            incident.on_ended(now, attempt.number, end, out);
        });
    }
}
