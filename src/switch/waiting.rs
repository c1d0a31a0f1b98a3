//! Calls that are to be made as soon as they can be, a queue a person.
//!
//! A person has one call at a time, so of thousands that wait for the same person one is worth trying: the one that
//! has waited longest. Easy to get wrong: trying all of them each second, or looking through all of them each time an
//! incident ends, costs more than all the calls of a night.

use std::collections::{BTreeMap, BTreeSet};

use super::flow::Waiting;
use crate::base::{AttemptId, ContactId, IncidentId, Time};

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
