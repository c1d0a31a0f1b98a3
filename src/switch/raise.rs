//! What is asked for from outside: a trigger comes, it was taken, it is over.
//!
//! | a trigger comes | what becomes of it |
//! | --- | --- |
//! | its key is an open incident's | it joins: nobody is called once more |
//! | somebody promised to stay quiet about it | an incident is on record as suppressed; nobody is called |
//! | its key is an incident's that was taken lately | it joins that: somebody deals with it |
//! | its call flow bundles, and a young incident of it is open | it joins that as one more alert |
//! | else | a new incident |
//!
//! Easy to get wrong: a key that is a bundled alert's, and not the one the incident was raised with, is the
//! incident's key as well; and when one alert of a bundle is over, the others are not.

use core::time::Duration;
use std::collections::BTreeMap;

use super::case::Case;
use super::desk::Switch;
use super::tell::What;
use crate::base::{IncidentId, Stamp, Time};
use crate::incident::{Entry, Fact, Plan, Record, State, Trigger};

/// Of so many incidents that were taken the keys are remembered.
const TAKEN_MAX: usize = 10_000;
/// So many alerts are bundled into one incident.
const BUNDLED_MAX: usize = 1_000;

/// What became of a trigger.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Raised {
    /// A new incident.
    New(IncidentId),
    /// An incident with the same deduplication key, open or taken lately: nobody is called again.
    Joined(IncidentId),
    /// A young incident of the same call flow took it in as one more alert.
    Bundled(IncidentId),
    /// A new incident for which nobody is called, because of the suppression of this number.
    Suppressed(IncidentId, u32),
}

impl Raised {
    /// The incident it belongs to now.
    pub const fn incident(self) -> IncidentId {
        match self {
            Raised::New(id) | Raised::Joined(id) | Raised::Bundled(id) | Raised::Suppressed(id, _) => id,
        }
    }
}

/// There is no open incident by that name.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("no open incident {0}: `hansho status` lists them")]
pub struct NotOpen(pub String);

/// The deduplication keys there are.
#[derive(Debug, Default)]
pub(super) struct Keys {
    /// Of incidents that are open, or have people on the line.
    open: BTreeMap<String, IncidentId>,
    /// Of incidents that were taken lately, with when they are forgotten.
    lately: BTreeMap<String, (Time, IncidentId)>,
}

impl Keys {
    /// The keys of an incident that was taken, for so long.
    fn lately(&mut self, now: Time, taken_for: Duration, id: IncidentId, record: &Record) {
        if taken_for > Duration::ZERO {
            let until = now + taken_for;
            if self.lately.len() >= TAKEN_MAX {
                self.lately.retain(|_, (until, _)| now < *until);
            }
            let room = TAKEN_MAX.saturating_sub(self.lately.len());
            let keys = record.alerts().filter_map(|alert| alert.dedup.clone()).take(room);
            self.lately.extend(keys.map(|key| (key, (until, id))));
        }
    }
}

impl Switch {
    /// A trigger, checked, with everything it will be run by.
    pub fn raise(&mut self, now: Time, trigger: Trigger, plan: Plan) -> Raised {
        let at = self.stamp(now);
        let raised = if let Some(id) = self.open_about(&trigger) {
            self.join(now, id, trigger);
            Raised::Joined(id)
        } else if let Some(number) = self.suppressions.about(at, &trigger, &plan.guidance).map(|it| it.id) {
            Raised::Suppressed(self.raised_quietly(now, trigger, plan, number), number)
        } else if let Some(id) = self.taken_lately(now, &trigger) {
            self.joins_what_was_taken(at, id, trigger);
            Raised::Joined(id)
        } else if let Some(id) = self.young_one_of(at, &trigger, &plan) {
            self.join(now, id, trigger);
            Raised::Bundled(id)
        } else {
            Raised::New(self.raised(now, trigger, plan))
        };
        self.settle(now);
        raised
    }

    /// Stops the calling; who is in a room may go on talking.
    pub fn cancel(&mut self, now: Time, id: IncidentId, by: &str) -> Result<(), NotOpen> {
        self.must_be_open(id)?;
        self.call_off(now, id, |incident, out| incident.on_cancel(now, by, out));
        self.settle(now);
        Ok(())
    }

    /// Somebody who is not on the phone takes it: the ringing stops, and who listens hears who it was.
    pub fn acknowledge(&mut self, now: Time, id: IncidentId, by: &str) -> Result<(), NotOpen> {
        self.must_be_open(id)?;
        self.call_off(now, id, |incident, out| incident.on_claimed(now, by, out));
        self.settle(now);
        Ok(())
    }

    /// What it was about is over: ends the incident with this deduplication key, open or taken, unless other alerts
    /// were bundled with it that go on. From then on the same key is a new incident.
    pub fn resolve(&mut self, now: Time, dedup: &str, by: &str) -> Result<Vec<IncidentId>, NotOpen> {
        let lately = self.keys.lately.remove(dedup).filter(|(until, _)| now < *until).map(|(_, id)| id);
        let known = |id: &IncidentId| {
            let state = self.cases.get(id).map(|case| case.record.state);
            state.is_some_and(|state| !state.is_final() || state == State::Acknowledged)
        };
        let Some(id) = self.keys.open.get(dedup).copied().filter(known).or(lately) else {
            return Err(NotOpen(format!("with the deduplication key `{dedup}`")));
        };
        let Some(case) = self.cases.get(&id) else {
            self.what_was_taken_is_over(now, id, dedup, by);
            return Ok(vec![id]);
        };
        if case.record.alerts().any(|alert| alert.dedup.as_deref() != Some(dedup)) {
            self.with_incident(id, |incident, out| incident.on_cleared(dedup, by, out));
        } else {
            self.forget_taken(id);
            self.call_off(now, id, |incident, out| incident.on_resolve(now, by, out));
        }
        self.settle(now);
        Ok(vec![id])
    }

    /// Notes the keys of an incident that is open.
    pub(super) fn note_keys(&mut self, id: IncidentId) {
        let Some(case) = self.cases.get(&id) else { return };
        let keys = case.record.trigger.iter().chain(&case.record.bundled).filter_map(|alert| alert.dedup.clone());
        self.keys.open.extend(keys.map(|key| (key, id)));
    }

    /// Forgets the keys of an incident; of one that was taken not yet.
    pub(super) fn forget_keys(&mut self, case: &Case) {
        for key in case.record.trigger.iter().chain(&case.record.bundled).filter_map(|alert| alert.dedup.as_ref()) {
            if self.keys.open.get(key) == Some(&case.incident.id()) {
                self.keys.open.remove(key);
            }
        }
    }

    /// An incident never was.
    pub(super) fn forget_taken(&mut self, id: IncidentId) {
        self.keys.lately.retain(|_, (_, taken)| *taken != id);
    }

    /// Somebody took it: for a while its keys are not called about.
    pub(super) fn keys_are_taken(&mut self, now: Time, id: IncidentId) {
        let Some(case) = self.cases.get(&id) else { return };
        let taken_for = case.incident.plan().call_flow.taken_for;
        self.keys.lately(now, taken_for, id, &case.record);
    }

    /// An incident that was taken in a former life, perhaps not long ago: its keys are not called about for the rest of
    /// their time.
    pub fn recall_taken(&mut self, now: Time, id: IncidentId, facts: &[(Stamp, Fact)]) {
        let mut record = Record::new();
        facts.iter().for_each(|(at, fact)| record.apply(*at, fact));
        let taken_at = record.ended_at.filter(|_| record.state == State::Acknowledged);
        let taken_for = record.plan_in_force().map(|plan| plan.call_flow.taken_for);
        if let (Some(taken_at), Some(taken_for)) = (taken_at, taken_for) {
            let left = taken_for.saturating_sub(self.stamp(now).since(taken_at));
            self.keys.lately(now, left, id, &record);
        }
    }

    fn must_be_open(&self, id: IncidentId) -> Result<(), NotOpen> {
        let open = self.cases.get(&id).is_some_and(|case| !case.record.state.is_final());
        if open { Ok(()) } else { Err(NotOpen(id.to_string())) }
    }

    fn open_about(&self, trigger: &Trigger) -> Option<IncidentId> {
        let id = *self.keys.open.get(trigger.dedup.as_ref()?)?;
        self.must_be_open(id).ok().map(|()| id)
    }

    fn taken_lately(&self, now: Time, trigger: &Trigger) -> Option<IncidentId> {
        let (until, id) = *self.keys.lately.get(trigger.dedup.as_ref()?)?;
        (now < until).then_some(id)
    }

    /// The incident that takes in the first alerts of a storm: of the same call flow and the same words, for the same
    /// telephones, taken by nobody.
    fn young_one_of(&self, at: Stamp, trigger: &Trigger, plan: &Plan) -> Option<IncidentId> {
        if plan.call_flow.bundle.is_zero() {
            return None;
        }
        let age = |case: &Case| case.record.accepted_at.map_or(Duration::MAX, |accepted| at.since(accepted));
        // The newest first: the ids sort by time.
        let young = self.cases.values().rev().take_while(|case| age(case) <= plan.call_flow.bundle);
        let mut fit = young.filter(|case| {
            case.plan.call_flow.id == plan.call_flow.id
                && !case.plan.call_flow.bundle.is_zero()
                && case.plan.guidance.id == plan.guidance.id
                && case.trigger.to == trigger.to
                && !case.record.state.is_final()
                && case.record.taken_by.is_empty()
                && case.record.bundled.len() < BUNDLED_MAX
        });
        fit.next().map(|case| case.incident.id())
    }

    fn join(&mut self, now: Time, id: IncidentId, trigger: Trigger) {
        self.with_incident(id, |incident, out| incident.on_again(trigger, out));
        self.settle(now);
        self.note_keys(id);
        self.prepare_voices(id);
    }

    /// One whose case may be closed already: what it was is in the journal, and this is added to it.
    fn joins_what_was_taken(&mut self, at: Stamp, id: IncidentId, trigger: Trigger) {
        let (message, dedup) = (trigger.message.clone(), trigger.dedup.clone());
        let fact = Fact::Again { trigger };
        if let Some(case) = self.cases.get_mut(&id) {
            case.apply(at, &fact);
        }
        self.batch.facts.push(Entry::Incident(id, at, fact));
        self.tell(Some(id), None, None, What::Again { message, dedup, alerts: 1 });
    }

    /// The same for what is over: the last of its keys resolves it.
    fn what_was_taken_is_over(&mut self, now: Time, id: IncidentId, dedup: &str, by: &str) {
        let others = self.keys.lately.values().any(|(until, other)| *other == id && now < *until);
        let (by, dedup) = (by.to_owned(), dedup.to_owned());
        let (fact, what) = if others {
            (Fact::Cleared { dedup: dedup.clone(), by: by.clone() }, What::Cleared { dedup, by })
        } else {
            (Fact::Resolved { by: by.clone() }, What::Resolved { by })
        };
        self.batch.facts.push(Entry::Incident(id, self.stamp(now), fact));
        self.tell(Some(id), None, None, what);
        self.settle(now);
    }

    fn raised_quietly(&mut self, now: Time, trigger: Trigger, plan: Plan, number: u32) -> IncidentId {
        let id = self.take_up(now, trigger, plan);
        self.with_incident(id, |incident, out| incident.on_raised_quietly(number, out));
        id
    }
}
