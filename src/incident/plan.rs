//! Who is called, how, and what they hear: the settings an incident is run by.

use core::time::Duration;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use super::Line;
use super::fact::Behaviour;
use crate::base::{CallFlowId, ContactId, Digit, GuidanceId, Hours, Language, Phone, RoomName};

/// A person.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Contact {
    /// The id of the configuration.
    pub id: ContactId,
    /// The name people know.
    pub name: String,
    /// In the order they are tried; never empty.
    pub phones: Vec<Phone>,
    /// What this person is spoken to in.
    pub language: Language,
    /// When this person accepts calls.
    #[serde(default, skip_serializing_if = "Hours::is_always")]
    pub hours: Hours,
}

/// In which order a roster is called.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// One after another, as listed.
    Sequential,
    /// One after another, in a new random order each round.
    Shuffled,
    /// All at once.
    Simultaneous,
}

/// How many must take it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// The first who takes it ends the calling.
    One,
    /// Everybody is called until everybody took it.
    All,
}

/// How a roster is called.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct CallFlow {
    /// The id of the configuration.
    pub id: CallFlowId,
    /// In which order.
    pub strategy: Strategy,
    /// How many must take it.
    pub answer: Answer,
    /// How often the whole roster is called, at least 1.
    pub rounds: u32,
    /// How long one phone rings.
    pub ring_timeout: Duration,
    /// The pause between two rounds.
    pub between_rounds: Duration,
    /// For so long after it was accepted, an incident that nobody has taken takes in other triggers of its call
    /// flow. Zero: never.
    #[serde(default)]
    pub bundle: Duration,
    /// For so long after somebody took it, its deduplication key joins it instead of opening another. Zero: never.
    #[serde(default)]
    pub taken_for: Duration,
}

/// What one key does, and what is said when it was pressed.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Key {
    /// What it does.
    #[serde(rename = "do")]
    pub behaviour: Behaviour,
    /// Said instead of the recorded confirmation.
    #[serde(default)]
    pub say: Option<String>,
}

/// What the callee hears, and what each key does.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Guidance {
    /// The id of the configuration.
    pub id: GuidanceId,
    /// What happened, a template with `{{parameter}}`s a language. Empty: the trigger's message, or the
    /// general prompt.
    #[serde(default)]
    pub message: BTreeMap<Language, String>,
    /// True: this message says itself what the keys do, and no menu follows it, unless it cannot be spoken.
    #[serde(default)]
    pub explains_keys: bool,
    /// What each key does.
    pub keys: BTreeMap<Digit, Key>,
    /// How long hansho waits for a key after it has said everything.
    pub first_key_timeout: Duration,
    /// How long hansho waits for the next digit of a number.
    #[serde(default = "inter_key_timeout")]
    pub inter_key_timeout: Duration,
    /// True: the keys that take it are drawn at random in each call, and spoken; a machine does not hit them.
    #[serde(default)]
    pub challenge: bool,
    /// How often the message is read before the keys are named and one is waited for, at least 1.
    #[serde(default = "one_reading")]
    pub readings: u32,
    /// How often everything is said before hansho gives up, at least 1.
    pub repeats: u32,
    /// For so long a telephone is not rung while its message is still being made. Zero: it rings at once, and the
    /// message is made meanwhile.
    #[serde(default, skip_serializing_if = "Duration::is_zero")]
    pub voice_before_dialling: Duration,
    /// Where those who took it go; without a room their call ends.
    #[serde(default)]
    pub room: Option<RoomName>,
}

impl Key {
    /// What is said when it was pressed; `recorded` where it has no words of its own.
    pub(super) fn confirmation(&self, recorded: Line) -> Line {
        self.say.clone().map_or(recorded, Line::Text)
    }
}

impl Guidance {
    /// What is usual: no words and no keys of its own; the message is read twice, then a key is waited for, three
    /// times at most.
    pub fn usual(id: GuidanceId) -> Guidance {
        Guidance {
            id,
            message: BTreeMap::new(),
            explains_keys: false,
            keys: BTreeMap::new(),
            first_key_timeout: Duration::from_secs(10),
            inter_key_timeout: inter_key_timeout(),
            challenge: false,
            readings: 2,
            repeats: 3,
            voice_before_dialling: Duration::ZERO,
            room: None,
        }
    }
}

/// Everything one incident is run by.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Plan {
    /// How.
    pub call_flow: CallFlow,
    /// Whom, in the roster's order; never empty, nobody twice.
    pub contacts: Vec<Contact>,
    /// What they hear.
    pub guidance: Guidance,
    /// What goes on when nobody took it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub then: Option<Box<Plan>>,
}

impl Plan {
    /// This plan, and all that follow when nobody takes it, in order.
    pub fn chain(&self) -> impl Iterator<Item = &Plan> {
        core::iter::successors(Some(self), |plan| plan.then.as_deref())
    }

    /// The person of this id, of this plan or of one that follows.
    pub fn contact(&self, id: &ContactId) -> Option<&Contact> {
        self.chain().flat_map(|plan| &plan.contacts).find(|contact| contact.id == *id)
    }
}

/// What the plans of older journals were run by.
const fn inter_key_timeout() -> Duration {
    Duration::from_secs(15)
}

/// The same.
const fn one_reading() -> u32 {
    1
}
