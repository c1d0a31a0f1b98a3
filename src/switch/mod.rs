//! Floor 3: the corridor, the only folder that knows calls, media and incidents together.
//!
//! One night runs through [`flow`], a function a step: raised, dialled, answered, pressed, acknowledged,
//! joined. The shell hands in what happened ([`Input`]) and takes out what is to be done ([`Batch`]): facts to
//! store first, then what leaves the house, then what is told. Nothing of a batch may leave before its facts
//! are durable.

mod announce;
mod asked;
mod batch;
mod bridge;
mod call_in;
mod case;
mod desk;
mod doorman;
mod flow;
mod guard;
mod heard;
mod held;
mod hotline;
mod legs;
mod lines;
mod notice;
mod pins;
mod ports;
mod post;
mod presses;
mod prompt_book;
mod quiet;
mod raise;
mod reception;
mod reception_desk;
mod renew;
mod restart;
mod room_desk;
mod room_view;
mod rooms;
mod tell;
#[cfg(test)]
mod tests;
mod trunks;
mod users;
mod voice_first;
mod waiting;

pub use crate::incident::Entry;
pub use batch::{Act, Batch};
pub use desk::Switch;
pub use guard::{Country, DialRules, STRANGER};
pub use hotline::{HotlineAnswer, LinkKey};
pub use notice::{
    FAILED_ATTEMPT, Notice, TOPICS, event_of, house_event_of, house_topic, is_failed_attempt, is_of_a_fact,
};
pub use ports::PortRange;
pub use post::SmsWay;
pub use prompt_book::{Clip, PromptBook};
pub use quiet::NotQuiet;
pub use raise::{NotOpen, Raised};
pub use reception_desk::{CallInSettings, GUEST};
pub use renew::Renewal;
pub use room_view::{Attendee, Invited, NotDone, RoomView};
pub use rooms::RoomSettings;
pub use tell::{Event, Heard, What};
pub use waiting::Waited;

use std::sync::Arc;

use crate::base::{IncidentId, Language, LegId, Stamp, TrunkId};
use crate::incident::{Contact, Fact, Hotline, HouseFact};
use crate::media::{self, Prompt};
use crate::phrase::Dictionary;
use crate::sip::{Hop, Whereabouts};

/// Everything the corridor is told.
#[derive(Debug)]
pub enum Input {
    /// A message, on the SIP port or on a connection.
    Datagram {
        /// Who sent it.
        from: Hop,
        /// What came.
        bytes: Vec<u8>,
    },
    /// A connection to this hop broke, or could not be made.
    Lost {
        /// Which.
        hop: Hop,
        /// In words.
        why: String,
    },
    /// The media plane reports.
    Media(media::Event),
    /// No media port could be opened for this leg.
    LegFailed {
        /// Which.
        leg: LegId,
        /// In words.
        why: String,
    },
    /// The journal could not take the acceptance of this incident: it never was.
    NotStored(IncidentId),
    /// A text was spoken, or could not be.
    Spoken {
        /// For which incident.
        incident: IncidentId,
        /// In which language.
        language: Language,
        /// What was asked for.
        text: String,
        /// The prompt, or why there is none.
        prompt: Result<Prompt, String>,
    },
    /// The gateway did what [`Act::Message`] asked for.
    MessageDone {
        /// The message's number.
        message: u32,
        /// Whether it was taken; why not, and that is final.
        result: Result<(), String>,
    },
    /// A gateway that is one no more gives back what it has not sent.
    MessageBack {
        /// The message's number.
        message: u32,
    },
    /// A trunk's proxy was looked up.
    TrunkAddress {
        /// Which.
        trunk: TrunkId,
        /// Where it is, or why nobody knows.
        found: Result<Whereabouts, String>,
    },
    /// What happened to the house in former lives, oldest first; before any [`Input::Restore`].
    RestoreHouse(Vec<(Stamp, HouseFact)>),
    /// An incident of a former life, in the order of its facts.
    Restore {
        /// Which.
        incident: IncidentId,
        /// Everything the journal holds of it.
        facts: Vec<(Stamp, Fact)>,
    },
    /// Begin: register, and go on with what was restored.
    Start,
    /// End: hang up, de-register.
    Stop,
    /// A deadline may have passed.
    Wake,
}

/// What the corridor knows from the configuration.
#[derive(Debug, Default)]
pub struct Settings {
    /// Everybody who may call in.
    pub contacts: Vec<Contact>,
    /// The rooms that are configured; others come into being with defaults.
    pub rooms: Vec<RoomSettings>,
    /// The ports media may use.
    pub ports: PortRange,
    /// In the order they are preferred.
    pub trunks: Vec<TrunkId>,
    /// What may be dialled, and how often.
    pub dial: DialRules,
    /// By which way short messages leave.
    pub sms: SmsWay,
    /// How a caller's message becomes an incident; `None`: nobody may leave one.
    pub call_in: Option<CallInSettings>,
    /// Whoever calls over a trunk needs a room's PIN, on an incident or not: a caller ID can be forged.
    pub always_pin: bool,
    /// What callers are spoken to in whom nobody knows.
    pub language: Language,
    /// Pairs of people who may ask each other for a call.
    pub hotlines: Vec<Hotline>,
    /// How words are said.
    pub dictionary: Arc<Dictionary>,
    /// Where the world finds our pages, without a slash at its end.
    pub public_url: String,
    /// What links are made from: random, new in each life, told to nobody.
    pub link_key: LinkKey,
}
