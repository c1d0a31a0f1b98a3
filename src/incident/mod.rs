//! Floor 2: incidents. Call flows, rosters, guidances, attempts, and what became of them.
//!
//! An incident is its facts in order. The machine decides; what it decides is a [`Fact`], stored before
//! anything follows from it, and after a restart the same facts are replayed into the same state. This folder
//! knows neither SIP nor RTP: it asks for a call ([`Order::Dial`]) and is told how it went.
//!
//! Read [`Incident`] first: it owns the ladder (whom to call next) and one dialogue a call (what the callee
//! hears and what a key does). [`Record`] is what the facts say to a reader.

mod dialogue;
mod escalation;
mod fact;
mod hotline;
mod hotline_texts;
mod house;
mod ladder;
mod outcome;
mod plan;
mod record;
mod suppression;
#[cfg(test)]
mod tests;

pub use escalation::Incident;
pub use fact::{Behaviour, CallHandle, Detour, Fact, Outcome};
pub use hotline::{Called, Hotline, Hotlines, Inquiry, Standing, Wish};
pub use hotline_texts::{Letter, Names, Page as HotlinePage};
pub use house::{Entry, HouseFact, Kind, Rang, RoomOrder, Scope, Suppression, Token};
pub use ladder::ReplayError;
pub use outcome::{CallEnd, EndedBy};
pub use plan::{Answer, CallFlow, Contact, Guidance, Key, Plan, Strategy};
pub use record::{Attempt, Pressed, Quieted, RECORDING, Record, Skipped, State};
pub use suppression::Suppressions;

pub use crate::base::Trigger;

use crate::base::{ContactId, Digit, Phone, RoomName};

/// What an incident wants done, in order.
#[derive(Clone, PartialEq, Debug)]
#[allow(clippy::large_enum_variant, reason = "an outbox holds a handful of orders for a moment")]
pub enum Order {
    /// Make this fact durable before anything behind it leaves the house.
    Store(Fact),
    /// Ring this phone for the attempt. Answered by `on_dialled` (perhaps later: a person has one call at a
    /// time), or by `on_ended` when it cannot be.
    Dial {
        /// Which attempt of this incident.
        attempt: u32,
        /// Whom.
        contact: ContactId,
        /// Where.
        phone: Phone,
    },
    /// Play these lines one after another, instead of whatever is playing. `on_said` follows when the last
    /// one has been heard out; it does not follow when something else was played or the playing was hushed.
    Say {
        /// To whom.
        attempt: u32,
        /// What.
        lines: Vec<Line>,
    },
    /// Stop playing at once (a key was pressed).
    Hush {
        /// Whose prompt.
        attempt: u32,
    },
    /// End the call, in whatever state it is. `on_ended` follows.
    HangUp {
        /// Whose call.
        attempt: u32,
    },
    /// Put the call into the room. `on_ended` follows when the person leaves.
    Join {
        /// Whose call.
        attempt: u32,
        /// Which room.
        room: RoomName,
    },
}

/// One thing said to a callee; the corridor turns it into a prompt in the callee's language.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Line {
    /// Who is calling: "This is hansho, the incident alarm."
    Intro,
    /// What happened: the guidance's message with this incident's parameters, or the general prompt where it
    /// could not be spoken.
    Message,
    /// What each key does in this call.
    Menu(Vec<(Digit, Behaviour)>),
    /// The key just pressed does nothing.
    NotAKey,
    /// This person has taken the incident.
    Taken,
    /// The next person will be called.
    Passed,
    /// This person goes into the room.
    Joining,
    /// This person is not called again about it.
    Left,
    /// For how many hours is it to be quiet? Then the hash key.
    HowManyHours,
    /// That was no number of hours.
    NotHours,
    /// The number of hours that was given.
    Hours(u32),
    /// For that long nobody is called about it.
    Quieted,
    /// Somebody else took it first.
    TakenByAnother(Taker),
    /// Somebody promised to stay quiet about it.
    Silenced,
    /// No key was pressed; the next person will be called.
    NoKey,
    /// It was cancelled or resolved: nothing is left to do.
    Over,
    /// The text a key's `say` holds.
    Text(String),
}

/// Who took an incident.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Taker {
    /// A person on the phone.
    Contact(ContactId),
    /// Somebody at a keyboard: `control`, the display name of a token, a name in Slack.
    Outside(String),
}
