//! After a restart: what a former life left up is ended, and every incident goes on where it stood.

use core::time::Duration;
use std::collections::BTreeMap;

use super::case::Case;
use super::desk::Switch;
use crate::base::{ContactId, IncidentId, Outbox, Stamp, Time};
use crate::incident::{Attempt, CallHandle, Fact, Incident, Order};
use crate::sip;
use rand::Rng as _;

/// A phone that still rings from the former life is given this long to stop before it is rung again.
const QUIET_BEFORE_DIALLING: Duration = Duration::from_secs(1);

impl Switch {
    /// Takes up an incident from its facts. Facts that cannot be an incident's are left in the journal.
    pub(super) fn restore(&mut self, now: Time, id: IncidentId, facts: Vec<(Stamp, Fact)>) {
        let Some((_, Fact::Accepted { trigger, plan })) = facts.first().cloned() else { return };
        let replayed = Incident::replay(id, facts.iter().map(|(_, fact)| fact.clone()), self.rng.next_u64());
        let Ok(incident) = replayed else { return };
        let mut case = Case::new(incident, trigger, plan, self.settings.dictionary.clone());
        for (at, fact) in &facts {
            case.apply(*at, fact);
            let known = fact.call().and_then(|(attempt, call)| Some((attempt, sip::call_id_of(&call.0)?)));
            case.call_ids.extend(known);
        }
        for handle in calls_left_up(&facts) {
            self.agent.recover(now, &handle, &mut self.sip_out);
        }
        case.resumes_at = Some(now + QUIET_BEFORE_DIALLING);
        self.cut.extend(people_on_the_line(&case).map(|contact| (contact, id)));
        self.cases.insert(id, case);
        self.note_keys(id);
        self.recall_taken(now, id, &facts);
        self.prepare_voices(id);
        self.schedule(id);
    }

    /// An incident's deadline passed: after a restart it goes on, else the machine knows why.
    pub(super) fn incident_wakes(&mut self, now: Time, id: IncidentId) {
        let resumes = self.resumes(id);
        self.with_incident(
            id,
            |incident, out| {
                if resumes { incident.on_resumed(now, out) } else { incident.on_deadline(now, out) }
            },
        );
        if resumes {
            self.dial_those_who_wait(now);
        }
    }

    /// True while a call of the former life to this person is being ended: no other incident rings them now.
    pub(super) fn was_cut(&self, contact: &ContactId) -> bool {
        let theirs = self.cut.range((contact.clone(), IncidentId::FIRST)..).next();
        theirs.is_some_and(|(cut, _)| cut == contact)
    }

    /// True when an incident that was taken up goes on now: its calls of the former life are gone.
    fn resumes(&mut self, id: IncidentId) -> bool {
        let Some(case) = self.cases.get_mut(&id) else { return false };
        if case.resumes_at.take().is_none() {
            return false;
        }
        for contact in people_on_the_line(case) {
            self.cut.remove(&(contact, id));
        }
        true
    }

    /// Tells an incident that nobody is to be called any more. One that has not gone on yet after a restart does
    /// so now, or the calls that were cut would never get their ends.
    pub(super) fn call_off(&mut self, now: Time, id: IncidentId, tell: impl FnOnce(&mut Incident, &mut Outbox<Order>)) {
        let resumes = self.resumes(id);
        self.with_incident(id, |incident, out| {
            tell(incident, out);
            if resumes {
                incident.on_resumed(now, out);
            }
        });
        if resumes {
            self.dial_those_who_wait(now);
        }
    }
}

/// Whom the former life's calls were to that have no end yet.
fn people_on_the_line(case: &Case) -> impl Iterator<Item = ContactId> + '_ {
    let up = |attempt: &&Attempt| attempt.ended_at.is_none();
    case.record.attempts.iter().filter(up).map(|attempt| attempt.contact.clone())
}

/// The calls that were up when the former life ended: the latest handle of every attempt without an end.
fn calls_left_up(facts: &[(Stamp, Fact)]) -> Vec<String> {
    let mut up: BTreeMap<u32, &CallHandle> = BTreeMap::new();
    for (_, fact) in facts {
        up.extend(fact.call());
        if let Fact::Ended { attempt, .. } = fact {
            up.remove(attempt);
        }
    }
    up.into_values().map(|call| call.0.clone()).filter(|handle| !handle.is_empty()).collect()
}
