//! What one input led to, in the only order it may leave the house: store, then act, then tell.

use super::tell::Event;
use crate::base::{IncidentId, Language, LegId, Phone, RoomId, RoomName};
use crate::incident::{Entry, Fact};
use crate::media::Command;
use crate::sip::Hop;

/// Something that leaves the corridor.
#[derive(Debug)]
pub enum Act {
    /// Put this on the SIP wire.
    Send {
        /// Where to.
        to: Hop,
        /// The whole message.
        bytes: Vec<u8>,
    },
    /// Bind this RTP port for a new leg.
    OpenLeg {
        /// Which leg.
        leg: LegId,
        /// The even port of its pair.
        port: u16,
    },
    /// Tell the media plane.
    Media(Command),
    /// Write what is said in this room to a file.
    RecordRoom {
        /// Which.
        room: RoomId,
        /// What people call it.
        name: RoomName,
    },
    /// Write what is said on this leg to a file in the folder of recordings.
    RecordLeg {
        /// Which.
        leg: LegId,
        /// The name of the file.
        file: String,
    },
    /// The recording of this leg is over.
    StopRecord {
        /// Which.
        leg: LegId,
        /// The name of the file.
        file: String,
        /// False: the file is not wanted.
        keep: bool,
    },
    /// Read a recording that stands for a text; `Input::Spoken` follows as if it had been spoken.
    Replay {
        /// For which incident.
        incident: IncidentId,
        /// In which language the text is.
        language: Language,
        /// The text.
        text: String,
        /// The name of the file.
        file: String,
    },
    /// Send a short message through the gateway; `Input::MessageDone` follows.
    Message {
        /// Its number; the gateway's key for "once and not twice".
        number: u32,
        /// To whom.
        to: Phone,
        /// What it says.
        text: String,
    },
    /// Have a text spoken; `Input::Spoken` follows.
    Speak {
        /// For which incident.
        incident: IncidentId,
        /// In which language.
        language: Language,
        /// What to say.
        text: String,
    },
}

/// What one input led to.
#[derive(Debug, Default)]
pub struct Batch {
    /// Durable before anything below happens.
    pub facts: Vec<Entry>,
    /// In order.
    pub acts: Vec<Act>,
    /// For those who watch.
    pub events: Vec<Event>,
}

impl Batch {
    /// True when nothing is to be done.
    pub fn is_empty(&self) -> bool {
        self.facts.is_empty() && self.acts.is_empty() && self.events.is_empty()
    }

    /// The incident this batch would accept, if it does.
    pub fn accepts(&self) -> Option<IncidentId> {
        self.facts.iter().find(|entry| matches!(entry.fact(), Some(Fact::Accepted { .. }))).and_then(Entry::incident)
    }
}
