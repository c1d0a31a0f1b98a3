//! Who is called, how, and what they hear: the settings an incident is run by.

use core::time::Duration;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use super::fact::Behaviour;
use crate::base::{CallFlowId, ContactId, Digit, GuidanceId, Language, Phone, RoomName};

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
    /// What each key does.
    pub keys: BTreeMap<Digit, Key>,
    /// How long hansho waits for a key after it has said everything.
    pub first_key_timeout: Duration,
    /// How often everything is said before hansho gives up, at least 1.
    pub repeats: u32,
    /// Where those who took it go; without a room their call ends.
    #[serde(default)]
    pub room: Option<RoomName>,
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
}
