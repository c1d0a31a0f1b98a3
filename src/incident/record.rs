//! What the facts of one incident say to a reader: status, call history, the summary of a night.
//!
//! A fold and nothing else: the same facts with the same stamps give the same record, whether they come one
//! by one from the machine or all at once from the store. It decides nothing and refuses nothing; a fact that
//! makes no sense changes nothing. Easy to get wrong: a final state is final, whatever comes behind it, but for
//! one: what was taken is over one day, and is resolved then. Who took it stays on record.
//!
//! | state | accepted | round_started | acknowledged | claimed | exhausted | suppressed | quieted | cancelled | resolved | any other |
//! | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
//! | queued | queued | calling | acknowledged | acknowledged | exhausted | suppressed | suppressed | cancelled | resolved | queued |
//! | calling | calling | calling | acknowledged | acknowledged | exhausted | suppressed | suppressed | cancelled | resolved | calling |
//! | acknowledged | acknowledged | acknowledged | acknowledged | acknowledged | acknowledged | acknowledged | acknowledged | acknowledged | resolved | acknowledged |
//! | exhausted | exhausted | exhausted | exhausted | exhausted | exhausted | exhausted | exhausted | exhausted | exhausted | exhausted |
//! | suppressed | suppressed | suppressed | suppressed | suppressed | suppressed | suppressed | suppressed | suppressed | suppressed | suppressed |
//! | resolved | resolved | resolved | resolved | resolved | resolved | resolved | resolved | resolved | resolved | resolved |
//! | cancelled | cancelled | cancelled | cancelled | cancelled | cancelled | cancelled | cancelled | cancelled | cancelled | cancelled |

use core::fmt;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

use super::fact::{Behaviour, Fact, Outcome};
use super::plan::{Answer, Plan};
use crate::base::{CallFlowId, ContactId, Digit, Phone, Quality, RoomName, Stamp, Trigger};

/// Where an incident stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Accepted; nobody has been called yet.
    #[default]
    Queued,
    /// The roster is being called.
    Calling,
    /// As many as must have taken it.
    Acknowledged,
    /// Everybody who could be was called, and nobody took it.
    Exhausted,
    /// Somebody promised to stay quiet about it: no call was made, or no further one.
    Suppressed,
    /// What it was about is over.
    Resolved,
    /// An operator called it off.
    Cancelled,
}

impl State {
    /// Every state, for tables and messages.
    pub const ALL: [State; 7] = [
        State::Queued,
        State::Calling,
        State::Acknowledged,
        State::Exhausted,
        State::Suppressed,
        State::Resolved,
        State::Cancelled,
    ];

    /// The word that events, tables and documents use.
    pub const fn as_str(self) -> &'static str {
        match self {
            State::Queued => "queued",
            State::Calling => "calling",
            State::Acknowledged => "acknowledged",
            State::Exhausted => "exhausted",
            State::Suppressed => "suppressed",
            State::Resolved => "resolved",
            State::Cancelled => "cancelled",
        }
    }

    /// True when nobody is called any more, now or ever.
    pub const fn is_final(self) -> bool {
        !matches!(self, State::Queued | State::Calling)
    }

    /// The state after `fact`.
    pub const fn after(self, fact: &Fact) -> State {
        match (self, fact) {
            (State::Queued | State::Calling, Fact::RoundStarted { .. }) => State::Calling,
            (State::Queued | State::Calling, Fact::Acknowledged { .. } | Fact::Claimed { .. }) => State::Acknowledged,
            (State::Queued | State::Calling, Fact::Exhausted) => State::Exhausted,
            (State::Queued | State::Calling, Fact::Suppressed { .. } | Fact::Quieted { .. }) => State::Suppressed,
            (State::Queued | State::Calling, Fact::Cancelled { .. }) => State::Cancelled,
            (State::Queued | State::Calling | State::Acknowledged, Fact::Resolved { .. }) => State::Resolved,
            (state, _) => state,
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The parameter of a trigger that names the recorded message it was raised by.
pub const RECORDING: &str = "recording";

/// One incident as its facts tell it.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct Record {
    /// Where it stands.
    pub state: State,
    /// What came from outside; `None` until the first fact.
    pub trigger: Option<Trigger>,
    /// Who is called, how, and what they hear; `None` until the first fact.
    pub plan: Option<Plan>,
    /// The round that began last; 0 before the first.
    pub round: u32,
    /// Every call, in the order in which they began.
    pub attempts: Vec<Attempt>,
    /// Who took it, the first first.
    pub taken_by: Vec<ContactId>,
    /// Who took it without being on the phone.
    pub claimed_by: Option<String>,
    /// Who was wanted and did not take it, where everybody was to and somebody did.
    pub missing: Vec<ContactId>,
    /// Who is not called again in it.
    pub left: Vec<ContactId>,
    /// Whose turn went by without a call, and why.
    pub skipped: Vec<Skipped>,
    /// The call flows that went on when nobody took it, in order.
    pub escalated: Vec<CallFlowId>,
    /// How often a trigger came again with a key it had.
    pub again: u32,
    /// The other alerts that joined it in the first moments of a storm.
    pub bundled: Vec<Trigger>,
    /// The keys of those that are over.
    pub cleared: BTreeSet<String>,
    /// The number of the suppression because of which nobody was called.
    pub suppressed_by: Option<u32>,
    /// Who ended it with a promise to stay quiet.
    pub quieted: Option<Quieted>,
    /// Who cancelled or resolved it.
    pub ended_by: Option<String>,
    /// When it was accepted.
    pub accepted_at: Option<Stamp>,
    /// When it came to its final state.
    pub ended_at: Option<Stamp>,
}

/// A turn that went by without a call.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Skipped {
    /// When.
    pub at: Stamp,
    /// In which round.
    pub round: u32,
    /// Whose.
    pub contact: ContactId,
    /// In words.
    pub reason: String,
}

/// A promise to stay quiet, given on the phone.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Quieted {
    /// By whom.
    pub contact: ContactId,
    /// For how many hours.
    pub hours: u32,
    /// Until then.
    pub until: Stamp,
}

/// One call as its facts tell it.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Attempt {
    /// From 1 within the incident; numbers may be missing, where a call was withdrawn before it was made.
    pub number: u32,
    /// In which round.
    pub round: u32,
    /// Who.
    pub contact: ContactId,
    /// The name people know.
    pub name: String,
    /// Where.
    pub phone: Phone,
    /// True when the contact called us.
    pub inbound: bool,
    /// When the phone was dialled, or called us.
    pub dialled_at: Stamp,
    /// When it began to ring.
    pub ringing_at: Option<Stamp>,
    /// When it was picked up.
    pub answered_at: Option<Stamp>,
    /// Every key, in order.
    pub keys: Vec<Pressed>,
    /// Did a key in it take the incident?
    pub confirmed: bool,
    /// Where the person went.
    pub room: Option<RoomName>,
    /// When the call ended.
    pub ended_at: Option<Stamp>,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// The SIP status that ended it.
    pub code: Option<u16>,
    /// The reason in words.
    pub reason: Option<String>,
    /// How well both sides heard each other.
    pub quality: Option<Quality>,
}

/// One key press.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Pressed {
    /// When.
    pub at: Stamp,
    /// Which key.
    pub digit: Digit,
    /// What the guidance makes of it.
    #[serde(rename = "means")]
    pub behaviour: Option<Behaviour>,
}

impl Record {
    /// The record of no facts.
    pub fn new() -> Record {
        Record::default()
    }

    /// How it is called; `None` until the first fact.
    pub fn call_flow(&self) -> Option<&CallFlowId> {
        self.plan.as_ref().map(|plan| &plan.call_flow.id)
    }

    /// The text of the trigger.
    pub fn message(&self) -> Option<&str> {
        self.trigger.as_ref()?.message.as_deref()
    }

    /// The alerts it is about that are not over: the one it was raised by, and those that were bundled with it.
    pub fn alerts(&self) -> impl Iterator<Item = &Trigger> {
        let over = |trigger: &Trigger| trigger.dedup.as_ref().is_some_and(|key| self.cleared.contains(key));
        self.trigger.iter().chain(&self.bundled).filter(move |trigger| !over(trigger))
    }

    /// True when one of its alerts has this deduplication key.
    pub fn has_key(&self, dedup: &str) -> bool {
        self.trigger.iter().chain(&self.bundled).any(|trigger| trigger.dedup.as_deref() == Some(dedup))
    }

    /// The recorded message that raised it, where somebody left one: the name of its file.
    pub fn recording(&self) -> Option<&str> {
        let file = self.trigger.as_ref()?.parameters.get(RECORDING)?;
        // A trigger from outside may have a parameter of that name.
        (file.starts_with("message-") && file.ends_with(".wav")).then_some(file)
    }

    /// The call of this number.
    pub fn attempt(&self, number: u32) -> Option<&Attempt> {
        self.attempts.iter().rev().find(|attempt| attempt.number == number)
    }

    /// Takes in the next fact, which happened at `at`.
    pub fn apply(&mut self, at: Stamp, fact: &Fact) {
        let before = self.state;
        self.state = before.after(fact);
        if self.state.is_final() && self.state != before {
            self.ended_at = Some(at);
            if let Fact::Cancelled { by } | Fact::Resolved { by } = fact {
                self.ended_by = Some(by.clone());
            }
        }
        match fact {
            Fact::Accepted { trigger, plan } => {
                self.trigger = Some(trigger.clone());
                self.plan = Some(plan.clone());
                self.accepted_at = Some(at);
            }
            Fact::Again { trigger } => self.joins(trigger),
            Fact::Cleared { dedup, .. } => {
                self.cleared.insert(dedup.clone());
            }
            Fact::Suppressed { suppression } => {
                self.suppressed_by.get_or_insert(*suppression);
            }
            Fact::RoundStarted { round, .. } => self.round = *round,
            Fact::Skipped { contact, reason } => {
                let (round, contact, reason) = (self.round, contact.clone(), reason.clone());
                self.skipped.push(Skipped { at, round, contact, reason });
            }
            Fact::Dialled { attempt, contact, phone, .. } => self.begin(at, *attempt, contact, phone, false),
            Fact::CalledIn { attempt, contact, phone, .. } => self.begin(at, *attempt, contact, phone, true),
            Fact::Ringing { attempt, .. } => self.with(*attempt, |it| it.ringing_at = it.ringing_at.or(Some(at))),
            Fact::Answered { attempt, .. } => self.with(*attempt, |it| it.answered_at = it.answered_at.or(Some(at))),
            Fact::Key { attempt, digit, behaviour } => {
                let pressed = Pressed { at, digit: *digit, behaviour: *behaviour };
                self.with(*attempt, |it| it.keys.push(pressed));
            }
            Fact::Taken { attempt, contact } => {
                self.with(*attempt, |it| it.confirmed = true);
                if !self.taken_by.contains(contact) {
                    self.taken_by.push(contact.clone());
                }
            }
            Fact::Left { contact, .. } => {
                if !self.left.contains(contact) {
                    self.left.push(contact.clone());
                }
            }
            Fact::Quieted { contact, hours, until, .. } => {
                let quieted = Quieted { contact: contact.clone(), hours: *hours, until: *until };
                self.quieted.get_or_insert(quieted);
            }
            Fact::Claimed { by } => {
                self.claimed_by.get_or_insert_with(|| by.clone());
            }
            Fact::Escalated { plan } => self.escalated.push(plan.call_flow.id.clone()),
            Fact::Joined { attempt, room } => self.with(*attempt, |it| it.room = Some(room.clone())),
            Fact::Ended { attempt, outcome, code, reason, quality } => self.with(*attempt, |it| {
                it.ended_at = Some(at);
                it.outcome = Some(*outcome);
                it.code = *code;
                it.reason = Some(reason.clone());
                it.quality = *quality;
            }),
            Fact::Acknowledged { .. } => self.missing = self.wanted_still(),
            Fact::Rerouted { .. } | Fact::Exhausted | Fact::Cancelled { .. } | Fact::Resolved { .. } => {}
        }
    }

    /// How it is called at present: by the last call flow that went on.
    pub fn plan_in_force(&self) -> Option<&Plan> {
        let last = self.escalated.last();
        self.plan.as_ref()?.chain().find(|plan| last.is_none_or(|id| plan.call_flow.id == *id))
    }

    /// Those of an `answer = "all"` who have not taken it.
    fn wanted_still(&self) -> Vec<ContactId> {
        let all = self.plan_in_force().filter(|plan| plan.call_flow.answer == Answer::All);
        let wanted = all.into_iter().flat_map(|plan| &plan.contacts).map(|contact| &contact.id);
        wanted.filter(|id| !self.taken_by.contains(id)).cloned().collect()
    }

    /// An alert of its own, or one of those it has once more; then also one that was over.
    fn joins(&mut self, trigger: &Trigger) {
        match &trigger.dedup {
            Some(key) if self.has_key(key) => {
                self.again = self.again.saturating_add(1);
                self.cleared.remove(key);
            }
            _ => self.bundled.push(trigger.clone()),
        }
    }

    fn begin(&mut self, at: Stamp, number: u32, contact: &ContactId, phone: &Phone, inbound: bool) {
        let known = self.plan.as_ref().and_then(|plan| plan.contact(contact));
        self.attempts.push(Attempt {
            number,
            round: self.round,
            contact: contact.clone(),
            name: known.map_or_else(|| contact.to_string(), |known| known.name.clone()),
            phone: phone.clone(),
            inbound,
            dialled_at: at,
            ringing_at: None,
            answered_at: inbound.then_some(at),
            keys: Vec::new(),
            confirmed: false,
            room: None,
            ended_at: None,
            outcome: None,
            code: None,
            reason: None,
            quality: None,
        });
    }

    fn with(&mut self, number: u32, change: impl FnOnce(&mut Attempt)) {
        if let Some(attempt) = self.attempts.iter_mut().rev().find(|attempt| attempt.number == number) {
            change(attempt);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::CallHandle;
    use crate::incident::tests::table::table;
    use crate::incident::tests::{any_plan, any_trigger};

    fn facts() -> Vec<(&'static str, Fact)> {
        let contact = ContactId::parse("a").unwrap();
        let by = "control".to_owned();
        let ended =
            Fact::Ended { attempt: 1, outcome: Outcome::Busy, code: Some(486), reason: String::new(), quality: None };
        let quieted = Fact::Quieted {
            attempt: 1,
            contact: contact.clone(),
            hours: 2,
            until: Stamp::default(),
            scope: Default::default(),
        };
        vec![
            ("accepted", Fact::Accepted { trigger: any_trigger(), plan: any_plan() }),
            ("round_started", Fact::RoundStarted { round: 1, order: vec![contact.clone()] }),
            ("acknowledged", Fact::Acknowledged { contact: contact.clone() }),
            ("claimed", Fact::Claimed { by: by.clone() }),
            ("exhausted", Fact::Exhausted),
            ("suppressed", Fact::Suppressed { suppression: 1 }),
            ("quieted", quieted),
            ("cancelled", Fact::Cancelled { by: by.clone() }),
            ("resolved", Fact::Resolved { by }),
            ("any other", Fact::Ringing { attempt: 1, code: 180 }),
            ("any other", Fact::Taken { attempt: 1, contact }),
            ("any other", ended),
            ("any other", Fact::Again { trigger: any_trigger() }),
            ("any other", Fact::Escalated { plan: any_plan() }),
        ]
    }

    #[test]
    fn every_state_follows_every_fact_as_the_table_at_the_head_says() {
        let (header, rows) = table(include_str!("record.rs"), "state");
        assert_eq!(rows.len(), State::ALL.len());
        for state in State::ALL {
            let row = rows.iter().find(|cells| cells[0] == state.as_str()).unwrap();
            for (name, fact) in facts() {
                let place = header.iter().position(|cell| cell == name).unwrap();
                let mut record = Record { state, ..Record::new() };
                record.apply(Stamp::default(), &fact);
                assert_eq!(record.state.as_str(), row[place], "{state} after {name}");
            }
        }
    }

    #[test]
    fn a_call_is_told_with_all_its_times() {
        let mut record = Record::new();
        let at = Stamp::from_unix_micros;
        let phone = Phone::parse("+8110000001").unwrap();
        let (contact, call) = (ContactId::parse("a").unwrap(), CallHandle::default());
        let digit = Digit::from_char('1').unwrap();
        let behaviour = Some(Behaviour::Take);
        record.apply(at(0), &Fact::Accepted { trigger: any_trigger(), plan: any_plan() });
        record.apply(at(1), &Fact::RoundStarted { round: 1, order: vec![contact.clone()] });
        record.apply(at(2), &Fact::Dialled { attempt: 1, contact: contact.clone(), phone, call: call.clone() });
        record.apply(at(3), &Fact::Ringing { attempt: 1, code: 180 });
        record.apply(at(4), &Fact::Answered { attempt: 1, call });
        record.apply(at(5), &Fact::Key { attempt: 1, digit, behaviour });
        record.apply(at(6), &Fact::Taken { attempt: 1, contact: contact.clone() });
        record.apply(at(7), &Fact::Acknowledged { contact: contact.clone() });
        let reason = "bye".to_owned();
        record
            .apply(at(8), &Fact::Ended { attempt: 1, outcome: Outcome::Taken, code: Some(200), reason, quality: None });
        let call = record.attempt(1).unwrap();
        assert_eq!((call.name.as_str(), call.round, call.dialled_at), ("A", 1, at(2)));
        assert_eq!((call.ringing_at, call.answered_at, call.ended_at), (Some(at(3)), Some(at(4)), Some(at(8))));
        assert_eq!(call.keys, [Pressed { at: at(5), digit, behaviour }]);
        assert_eq!((call.outcome, call.code), (Some(Outcome::Taken), Some(200)));
        assert_eq!((record.accepted_at, record.ended_at), (Some(at(0)), Some(at(7))));
        assert_eq!((record.taken_by.as_slice(), record.state), (&[contact][..], State::Acknowledged));
        assert_eq!(record.message(), Some("the database is down"));
    }

    #[test]
    fn a_fact_about_a_call_that_nobody_began_changes_nothing() {
        let mut record = Record::new();
        record.apply(Stamp::default(), &Fact::Answered { attempt: 9, call: Default::default() });
        assert_eq!(record, Record::new());
    }
}
