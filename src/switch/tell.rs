//! Events: what those who watch are told, in one shape on every face.

use serde::Serialize;

use crate::base::{CallFlowId, ContactId, Digit, IncidentId, Phone, Quality, RoomName, Stamp, TrunkId};
use crate::incident::{Behaviour, Detour, Fact, Outcome, Suppression};
use crate::media::Way;

/// Something that happened, for people and programs that watch.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Event {
    /// When. Written as RFC 3339 by whoever serialises it.
    #[serde(skip)]
    pub at: Stamp,
    /// About which incident.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub incident: Option<IncidentId>,
    /// In which of its calls, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// The SIP Call-ID of that call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call_id: Option<String>,
    /// Who.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<ContactId>,
    /// The name people know them by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What happened.
    #[serde(flatten)]
    pub what: What,
}

/// What happened; the names are a contract with programs outside.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(tag = "event")]
#[allow(missing_docs, reason = "every variant and field is its own JSON name, explained in docs/control.md")]
pub enum What {
    #[serde(rename = "incident.accepted")]
    Accepted { call_flow: CallFlowId, message: Option<String> },
    #[serde(rename = "incident.again")]
    Again { message: Option<String>, dedup: Option<String>, alerts: usize },
    #[serde(rename = "incident.cleared")]
    Cleared { dedup: String, by: String },
    #[serde(rename = "incident.suppressed")]
    Suppressed { suppression: u32 },
    #[serde(rename = "incident.acknowledged")]
    Acknowledged {
        #[serde(skip_serializing_if = "Option::is_none")]
        by: Option<String>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        missing: Vec<ContactId>,
    },
    #[serde(rename = "incident.escalated")]
    Escalated { call_flow: CallFlowId },
    #[serde(rename = "incident.exhausted")]
    Exhausted,
    #[serde(rename = "incident.resolved")]
    Resolved { by: String },
    #[serde(rename = "incident.cancelled")]
    Cancelled { by: String },
    #[serde(rename = "incident.round")]
    Round { round: u32 },
    #[serde(rename = "attempt.skipped")]
    Skipped { reason: String },
    #[serde(rename = "attempt.dialling")]
    Dialling { phone: Phone },
    #[serde(rename = "attempt.rerouted")]
    Rerouted {
        #[serde(flatten)]
        detour: Detour,
    },
    #[serde(rename = "attempt.ringing")]
    Ringing { code: u16 },
    #[serde(rename = "attempt.answered")]
    Answered,
    #[serde(rename = "attempt.called_in")]
    CalledIn { phone: Phone },
    #[serde(rename = "attempt.prompt_started")]
    PromptStarted,
    #[serde(rename = "attempt.key")]
    Key {
        digit: Digit,
        means: Option<Behaviour>,
        #[serde(skip_serializing_if = "Option::is_none")]
        way: Option<Heard>,
    },
    #[serde(rename = "attempt.taken")]
    Taken,
    #[serde(rename = "attempt.left")]
    Left,
    #[serde(rename = "attempt.quieted")]
    Quieted {
        hours: u32,
        /// Written as RFC 3339 by whoever serialises it.
        until: Stamp,
    },
    #[serde(rename = "attempt.ended")]
    Ended {
        outcome: Outcome,
        code: Option<u16>,
        reason: String,
        seconds: f64,
        #[serde(skip_serializing_if = "Option::is_none")]
        quality: Option<Quality>,
    },
    #[serde(rename = "suppression.set")]
    Quiet {
        /// Its `until` is written as RFC 3339 by whoever serialises it.
        #[serde(flatten)]
        suppression: Suppression,
    },
    #[serde(rename = "suppression.lifted")]
    Lifted { suppression: u32, by: String },
    #[serde(rename = "room.created")]
    RoomCreated { room: RoomName },
    #[serde(rename = "room.joined")]
    RoomJoined { room: RoomName, people: usize },
    #[serde(rename = "room.talking")]
    RoomTalking { room: RoomName, talking: bool },
    #[serde(rename = "room.left")]
    RoomLeft { room: RoomName, people: usize },
    #[serde(rename = "room.ended")]
    RoomEnded { room: RoomName },
    #[serde(rename = "room.said")]
    RoomSaid { room: RoomName, text: String, by: String },
    #[serde(rename = "room.muted")]
    RoomMuted { room: RoomName, muted: bool, by: String },
    #[serde(rename = "room.kicked")]
    RoomKicked { room: RoomName, by: String },
    #[serde(rename = "room.locked")]
    RoomLocked { room: RoomName, locked: bool, by: String },
    #[serde(rename = "room.dialled")]
    RoomDialled { room: RoomName, phone: Phone, by: String },
    #[serde(rename = "room.missed")]
    RoomMissed {
        room: RoomName,
        #[serde(skip_serializing_if = "Option::is_none")]
        code: Option<u16>,
        reason: String,
    },
    #[serde(rename = "room.turned_away")]
    RoomTurnedAway { room: RoomName, reason: String },
    #[serde(rename = "trunk.registered")]
    TrunkRegistered { trunk: TrunkId, expires: u32 },
    #[serde(rename = "trunk.failed")]
    TrunkFailed { trunk: TrunkId, code: Option<u16>, reason: String, retry: u32 },
    #[serde(rename = "trunk.target_failed")]
    TargetFailed { trunk: TrunkId, target: String, code: Option<u16>, reason: String, rest: u32, next: Option<String> },
    #[serde(rename = "user.registered")]
    UserRegistered { user: String, phone: String, source: String, expires: u32 },
    #[serde(rename = "user.unregistered")]
    UserUnregistered { user: String, phone: String, reason: String },
    #[serde(rename = "registrar.shut_out")]
    ShutOut { source: String, tries: u32, seconds: u32 },
    #[serde(rename = "voice.failed")]
    VoiceFailed {
        reason: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        spoken_by: Option<String>,
    },
    #[serde(rename = "voice.late")]
    VoiceLate { seconds: f64 },
    #[serde(rename = "voice.incomplete")]
    VoiceIncomplete { missing: Vec<String> },
    #[serde(rename = "hotline.inquiry")]
    HotlineInquiry { hotline: String, inquiry: u32, caller: ContactId, callee: ContactId },
    #[serde(rename = "hotline.accepted")]
    HotlineAccepted { hotline: String, inquiry: u32, late: bool },
    #[serde(rename = "hotline.refused")]
    HotlineRefused { hotline: String, inquiry: u32 },
    #[serde(rename = "message.sent")]
    MessageSent { message: u32, to: Phone },
    #[serde(rename = "message.failed")]
    MessageFailed { message: u32, to: Phone, reason: String },
    #[serde(rename = "message.received")]
    MessageReceived { trunk: TrunkId, from: String, text: String },
    #[serde(rename = "dial.refused")]
    DialRefused { number: String, by: String, reason: String },
    #[serde(rename = "notify.failed")]
    NotifyFailed { notifier: String, key: String, reason: String },
    #[serde(rename = "notify.test")]
    NotifyTest { from: String },
    #[serde(rename = "call_in.received")]
    CallInReceived { trunk: TrunkId, caller: String },
    #[serde(rename = "call_in.wrong_pin")]
    CallInWrongPin { caller: String },
    #[serde(rename = "call_in.message")]
    CallInMessage { file: String },
    #[serde(rename = "call_in.refused")]
    CallInRefused { trunk: TrunkId, caller: String, reason: String },
}

/// How a key was heard.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub enum Heard {
    /// As an RFC 4733 event.
    #[serde(rename = "rfc4733")]
    Event,
    /// As two tones in the voice.
    #[serde(rename = "in_band")]
    Tone,
    /// As SIP INFO.
    #[serde(rename = "info")]
    Info,
}

impl From<Way> for Heard {
    fn from(way: Way) -> Heard {
        match way {
            Way::Event => Heard::Event,
            Way::Tone => Heard::Tone,
        }
    }
}

/// The attempt a fact is about.
pub(super) fn attempt_of(fact: &Fact) -> Option<u32> {
    match fact {
        Fact::Dialled { attempt, .. }
        | Fact::Rerouted { attempt, .. }
        | Fact::Ringing { attempt, .. }
        | Fact::Answered { attempt, .. }
        | Fact::CalledIn { attempt, .. }
        | Fact::Key { attempt, .. }
        | Fact::Taken { attempt, .. }
        | Fact::Left { attempt, .. }
        | Fact::Quieted { attempt, .. }
        | Fact::Joined { attempt, .. }
        | Fact::Ended { attempt, .. } => Some(*attempt),
        _ => None,
    }
}
