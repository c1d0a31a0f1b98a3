//! What the facts of one incident say to a reader: status, call history, the summary of a night.
//!
//! A fold and nothing else: the same facts with the same stamps give the same record, whether they come one
//! by one from the machine or all at once from the store. It decides nothing and refuses nothing; a fact that
//! makes no sense changes nothing. Easy to get wrong: a final state is final, whatever comes behind it.
//!
//! | state | accepted | round_started | acknowledged | exhausted | cancelled | resolved | any other |
//! | --- | --- | --- | --- | --- | --- | --- | --- |
//! | queued | queued | calling | acknowledged | exhausted | cancelled | resolved | queued |
//! | calling | calling | calling | acknowledged | exhausted | cancelled | resolved | calling |
//! | acknowledged | acknowledged | acknowledged | acknowledged | acknowledged | acknowledged | acknowledged | acknowledged |
//! | exhausted | exhausted | exhausted | exhausted | exhausted | exhausted | exhausted | exhausted |
//! | suppressed | suppressed | suppressed | suppressed | suppressed | suppressed | suppressed | suppressed |
//! | resolved | resolved | resolved | resolved | resolved | resolved | resolved | resolved |
//! | cancelled | cancelled | cancelled | cancelled | cancelled | cancelled | cancelled | cancelled |

use core::fmt;
use serde::{Deserialize, Serialize};

use super::fact::{Behaviour, Fact, Outcome};
use super::plan::{Plan, Trigger};
use crate::base::{CallFlowId, ContactId, Digit, Phone, RoomName, Stamp};

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
    /// Everybody was called and nobody took it.
    Exhausted,
    /// No call was made, because somebody promised to stay quiet about it.
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
    pub(super) const fn after(self, fact: &Fact) -> State {
        match (self, fact) {
            (State::Queued | State::Calling, Fact::RoundStarted { .. }) => State::Calling,
            (State::Queued | State::Calling, Fact::Acknowledged { .. }) => State::Acknowledged,
            (State::Queued | State::Calling, Fact::Exhausted) => State::Exhausted,
            (State::Queued | State::Calling, Fact::Cancelled { .. }) => State::Cancelled,
            (State::Queued | State::Calling, Fact::Resolved { .. }) => State::Resolved,
            (state, _) => state,
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

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
    /// Who cancelled or resolved it.
    pub ended_by: Option<String>,
    /// When it was accepted.
    pub accepted_at: Option<Stamp>,
    /// When it came to its final state.
    pub ended_at: Option<Stamp>,
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

    /// The call of this number.
    pub fn attempt(&self, number: u32) -> Option<&Attempt> {
        self.attempts.iter().rev().find(|attempt| attempt.number == number)
    }

    /// Takes in the next fact, which happened at `at`.
    pub fn apply(&mut self, at: Stamp, fact: &Fact) {
        let before = self.state;
        self.state = before.after(fact);
        if self.state.is_final() && !before.is_final() {
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
            Fact::RoundStarted { round, .. } => self.round = *round,
            Fact::Dialled { attempt, contact, phone, .. } => self.begin(at, *attempt, contact, phone, false),
            Fact::CalledIn { attempt, contact, phone, .. } => self.begin(at, *attempt, contact, phone, true),
            Fact::Ringing { attempt, .. } => self.with(*attempt, |it| it.ringing_at = it.ringing_at.or(Some(at))),
            Fact::Answered { attempt, .. } => self.with(*attempt, |it| it.answered_at = it.answered_at.or(Some(at))),
            Fact::Key { attempt, digit, behaviour } => {
                let pressed = Pressed { at, digit: *digit, behaviour: *behaviour };
                self.with(*attempt, |it| it.keys.push(pressed));
            }
            Fact::Taken { contact, .. } => {
                if !self.taken_by.contains(contact) {
                    self.taken_by.push(contact.clone());
                }
            }
            Fact::Joined { attempt, room } => self.with(*attempt, |it| it.room = Some(room.clone())),
            Fact::Ended { attempt, outcome, code, reason } => self.with(*attempt, |it| {
                it.ended_at = Some(at);
                it.outcome = Some(*outcome);
                it.code = *code;
                it.reason = Some(reason.clone());
            }),
            Fact::Acknowledged { .. } | Fact::Exhausted | Fact::Cancelled { .. } | Fact::Resolved { .. } => {}
        }
    }

    fn begin(&mut self, at: Stamp, number: u32, contact: &ContactId, phone: &Phone, inbound: bool) {
        let known = self.plan.iter().flat_map(|plan| &plan.contacts).find(|known| known.id == *contact);
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
            room: None,
            ended_at: None,
            outcome: None,
            code: None,
            reason: None,
        });
    }

    fn with(&mut self, number: u32, change: impl FnOnce(&mut Attempt)) {
        if let Some(attempt) = self.attempts.iter_mut().rev().find(|attempt| attempt.number == number) {
            change(attempt);
        }
    }
}
