//! A request on its way to the core task, and the way back.

use serde_json::Value;
use tokio::sync::oneshot;

use super::control::{Failure, Request};
use super::gate::Unstored;
use crate::base::{Phone, RoomName, Trigger};
use crate::incident::{Contact, Plan};
use crate::media::Prompt;

/// Where an answer goes.
pub type Reply = oneshot::Sender<Result<Value, Failure>>;

/// One question to the core task.
#[derive(Debug)]
pub struct Ask {
    /// What is wanted.
    pub request: Request,
    /// The display name of the token that asks; `None` on the control socket.
    pub by: Option<String>,
    /// Where the answer goes.
    pub reply: Reply,
}

/// A trigger with its plan, made by a door that knows more than the configuration: numbers that only its token may
/// call, a guidance that came with the request.
#[derive(Clone, PartialEq, Debug)]
pub struct Raise {
    /// What came from outside.
    pub trigger: Trigger,
    /// Who is called, how, and what they hear.
    pub plan: Plan,
}

/// A short message to some phones.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Write {
    /// To whom.
    pub to: Vec<Phone>,
    /// What it says.
    pub text: String,
}

/// A number that a door refused to dial.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NotDialled {
    /// As it was asked for.
    pub number: String,
    /// In words.
    pub why: String,
}

/// Somebody to be rung and asked into a room.
#[derive(Clone, PartialEq, Debug)]
pub struct Ring {
    /// Which room.
    pub room: String,
    /// Whom.
    pub person: Contact,
    /// Where.
    pub phone: Phone,
}

/// What a voice made of what is to be said in a room.
#[derive(Clone, PartialEq, Debug)]
pub struct Spoken {
    /// Which room.
    pub room: RoomName,
    /// As it was asked for.
    pub text: String,
    /// As it sounds.
    pub prompt: Prompt,
}

/// What a key was about is over, or somebody deals with it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settle {
    /// The deduplication key.
    pub dedup: String,
    /// Somebody took it elsewhere, instead of its being over.
    pub taken: bool,
}

/// Why an order is not answered as done.
pub(super) fn not_stored(unstored: Unstored) -> Failure {
    let message = match unstored {
        Unstored::Never(why) => format!("not stored, and nothing of it holds: {why}"),
        Unstored::NotYet(why) => {
            format!("not stored yet: it holds in this life and is written when the disk takes it again: {why}")
        }
    };
    Failure::new("not_stored", message)
}
