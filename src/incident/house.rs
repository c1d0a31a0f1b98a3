//! Facts that belong to no single incident: what the house promised, whom it trusts, what it refused, what it sent,
//! and which calls of its own are up.
//!
//! They stand in the same journal as the incidents' facts, in one order with them, and are replayed the same way.
//! Numbers (of a suppression, a token, an inquiry, a message, a line) count upwards from 1 and are never used again.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeSet;

use super::fact::{CallHandle, Fact};
use crate::base::{CallFlowId, ContactId, IncidentId, Phone, RoomName, Stamp};

/// One line of the journal.
#[derive(Clone, PartialEq, Debug)]
#[allow(clippy::large_enum_variant, reason = "facts are few and short-lived on their way to the disk")]
pub enum Entry {
    /// What happened to an incident.
    Incident(IncidentId, Stamp, Fact),
    /// What happened to the house.
    House(Stamp, HouseFact),
}

impl Entry {
    /// The incident it is about.
    pub const fn incident(&self) -> Option<IncidentId> {
        match self {
            Entry::Incident(incident, ..) => Some(*incident),
            Entry::House(..) => None,
        }
    }

    /// When it happened.
    pub const fn at(&self) -> Stamp {
        match self {
            Entry::Incident(_, at, _) | Entry::House(at, _) => *at,
        }
    }

    /// Which incident, when and what, where it is an incident's.
    pub const fn of_incident(&self) -> Option<(IncidentId, Stamp, &Fact)> {
        match self {
            Entry::Incident(incident, at, fact) => Some((*incident, *at, fact)),
            Entry::House(..) => None,
        }
    }

    /// The fact, where it is an incident's.
    pub const fn fact(&self) -> Option<&Fact> {
        match self {
            Entry::Incident(.., fact) => Some(fact),
            Entry::House(..) => None,
        }
    }
}

/// Something that happened to the house and stays so.
///
/// Serialised as JSON objects tagged by `house`; a name once used keeps its meaning for ever.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "house", rename_all = "snake_case")]
pub enum HouseFact {
    /// Somebody promised to stay quiet about something.
    Suppressed {
        /// About what, and until when.
        suppression: Suppression,
    },
    /// The promise was taken back before its time.
    Lifted {
        /// Its number.
        suppression: u32,
        /// Who asked.
        by: String,
    },
    /// A token was made.
    TokenCreated {
        /// Everything but the token itself, which is shown once and kept nowhere.
        token: Token,
        /// Who asked.
        by: String,
    },
    /// A token opens nothing any more.
    TokenRevoked {
        /// Its number.
        token: u32,
        /// Who asked.
        by: String,
    },
    /// A number was not dialled, because the dial guard forbids it.
    DialRefused {
        /// Which.
        number: String,
        /// Who asked for it.
        by: String,
        /// Which rule forbids it.
        why: String,
    },
    /// A person of a hotline called: may I call you now?
    Inquired {
        /// Its number.
        inquiry: u32,
        /// The hotline's id.
        hotline: String,
        /// Who called.
        caller: ContactId,
        /// Who is asked.
        callee: ContactId,
        /// SHA-256 of the link's secret, in hexadecimal.
        link: String,
    },
    /// The other person can talk.
    InquiryAccepted {
        /// Its number.
        inquiry: u32,
        /// After the caller was told that it does not work now.
        late: bool,
    },
    /// Nobody accepted in time.
    InquiryRefused {
        /// Its number.
        inquiry: u32,
    },
    /// A short message is to be sent.
    MessageQueued {
        /// Its number.
        message: u32,
        /// To whom.
        to: Phone,
        /// What it says.
        text: String,
    },
    /// It was handed over to the trunk or the gateway.
    MessageSent {
        /// Its number.
        message: u32,
    },
    /// It could not be sent, and is given up.
    MessageFailed {
        /// Its number.
        message: u32,
        /// In words.
        why: String,
    },
    /// A call that belongs to no incident is being dialled, or is answered: it is to be ended after a crash.
    LineUp {
        /// Its number; the same when it is answered as when it was dialled.
        line: u32,
        /// How to end it.
        call: CallHandle,
        /// Whom hansho rang, when it is dialled: the caps of `[dial]` count it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rang: Option<Rang>,
    },
    /// What the caller says on this line is being recorded.
    LineRecords {
        /// Its number.
        line: u32,
        /// The name of the file.
        file: String,
        /// Who speaks.
        contact: ContactId,
    },
    /// The recording became an incident, or was nothing.
    LineRecorded {
        /// Its number.
        line: u32,
    },
    /// An operator did something to a room.
    RoomOrdered {
        /// Which.
        room: RoomName,
        /// What.
        order: RoomOrder,
        /// Who asked.
        by: String,
    },
    /// That call is over.
    LineDown {
        /// Its number.
        line: u32,
    },
    /// The daemon runs with this configuration from here on.
    Configured {
        /// SHA-256 of the file, in hexadecimal.
        digest: String,
    },
    /// The file was read again while the daemon ran.
    Reloaded {
        /// SHA-256 of the file, in hexadecimal.
        digest: String,
        /// What of it waits for the next start, by the names of its tables.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        waiting: Vec<String>,
        /// Who asked.
        by: String,
    },
    /// Something of the directory was made or changed over HTTP.
    DirectorySet {
        /// What it is.
        kind: Kind,
        /// Its id.
        id: String,
        /// As it was asked for: what a block of the configuration's file would hold.
        object: Value,
        /// Who asked.
        by: String,
    },
    /// Something of the directory was deleted over HTTP.
    DirectoryRemoved {
        /// What it was.
        kind: Kind,
        /// Its id.
        id: String,
        /// Who asked.
        by: String,
    },
    /// A phone of a user of ours registered.
    UserRegistered {
        /// Whose.
        user: String,
        /// Its address, as it says.
        phone: String,
        /// What the registrar wants to know of it after a restart.
        binding: String,
    },
    /// It is registered no more.
    UserUnregistered {
        /// Whose.
        user: String,
        /// Its address, as it says.
        phone: String,
    },
    /// What was old was taken out of the journal, as the configuration says.
    Forgotten {
        /// Nothing younger.
        before: Stamp,
        /// How many incidents, with all their facts.
        incidents: u32,
        /// How many facts among what was taken are chained for the audit.
        chained: u32,
    },
}

/// What the directory holds: people, lists of them, how they are called, what they hear.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A person.
    Contact,
    /// A list of people.
    Roster,
    /// How a roster is called.
    CallFlow,
    /// What people hear, and what their keys do.
    Guidance,
}

impl Kind {
    /// All of them; what is named by others stands before those that name it.
    pub const ALL: [Kind; 4] = [Kind::Contact, Kind::Roster, Kind::Guidance, Kind::CallFlow];

    /// The name of its blocks in the configuration's file.
    pub const fn as_str(self) -> &'static str {
        match self {
            Kind::Contact => "contact",
            Kind::Roster => "roster",
            Kind::CallFlow => "call_flow",
            Kind::Guidance => "guidance",
        }
    }

    /// What people call it.
    pub const fn word(self) -> &'static str {
        match self {
            Kind::CallFlow => "call flow",
            other => other.as_str(),
        }
    }
}

/// What an operator may do to a room.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum RoomOrder {
    /// Have a text spoken to everybody in it.
    Say {
        /// What it says.
        text: String,
    },
    /// Have nobody hear somebody in it; or have everybody hear them again.
    Mute {
        /// Who.
        contact: ContactId,
        /// False: they are heard again.
        muted: bool,
    },
    /// Take somebody out of it.
    Kick {
        /// Who.
        contact: ContactId,
    },
    /// Let nobody come in; or let them come in again.
    Lock {
        /// False: they may come in.
        locked: bool,
    },
    /// Ring somebody and ask them in.
    Dial {
        /// Who.
        contact: ContactId,
        /// Where.
        phone: Phone,
    },
}

/// Somebody whose telephone was rung without an incident.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Rang {
    /// Who.
    pub contact: ContactId,
    /// Where.
    pub phone: Phone,
}

/// A promise to stay quiet about the same thing until a time.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Suppression {
    /// Its number.
    pub id: u32,
    /// About what.
    pub scope: Scope,
    /// Until then; from that moment on calls are made again.
    pub until: Stamp,
    /// Who promised: a contact's id, `control`, or the display name of a token.
    pub by: String,
}

/// What a suppression is about: a trigger that fits all that is named here. One that names nothing fits nothing.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Scope {
    /// The trigger's deduplication key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dedup: Option<String>,
    /// The machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// The call flow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call_flow: Option<CallFlowId>,
    /// The very same message: what is left where a trigger carries none of the others but its call flow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// What is known of a token; never the token itself.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Token {
    /// Its number.
    pub id: u32,
    /// What people call it.
    pub name: String,
    /// Its first characters, by which people tell tokens apart.
    pub prefix: String,
    /// SHA-256 of the whole, in hexadecimal.
    pub digest: String,
    /// What it opens: `trigger`, `read`, `manage`, `directory`, `dial:any`.
    pub scopes: BTreeSet<String>,
    /// It opens nothing from then on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Stamp>,
    /// The call flow of its triggers, where they name none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call_flow: Option<CallFlowId>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_made_over_http_is_read_back_as_it_was_asked_for() {
        let object = serde_json::json!({ "roster": "night", "rounds": 3, "then": "day" });
        let fact = HouseFact::DirectorySet { kind: Kind::CallFlow, id: "oncall".into(), object, by: "page".into() };
        let written = serde_json::to_value(&fact).unwrap();
        assert_eq!((written["house"].as_str(), written["kind"].as_str()), (Some("directory_set"), Some("call_flow")));
        assert_eq!(serde_json::from_value::<HouseFact>(written).unwrap(), fact);
    }

    #[test]
    fn a_line_is_read_back_as_it_was_written() {
        let (contact, phone) = (ContactId::parse("ann").unwrap(), Phone::parse("+8110000001").unwrap());
        let call = CallHandle("how to end it".into());
        let up = |rang| HouseFact::LineUp { line: 7, call: call.clone(), rang };
        for (fact, name) in [
            (up(None), "line_up"),
            (up(Some(Rang { contact: contact.clone(), phone })), "line_up"),
            (HouseFact::LineRecords { line: 7, file: "message.wav".into(), contact }, "line_records"),
            (HouseFact::LineRecorded { line: 7 }, "line_recorded"),
            (HouseFact::LineDown { line: 7 }, "line_down"),
        ] {
            let written = serde_json::to_value(&fact).unwrap();
            assert_eq!((written["house"].as_str(), written["line"].as_u64()), (Some(name), Some(7)));
            assert_eq!(serde_json::from_value::<HouseFact>(written).unwrap(), fact);
        }
    }
}
