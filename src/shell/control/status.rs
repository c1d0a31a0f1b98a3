//! What `status` shows: the open and the latest incidents, trunks, rooms, and what is in trouble.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use crate::base::{AttemptId, IncidentId, Language, Stamp, Time};
use crate::incident::{Attempt, Kind, Record};
use crate::shell::core::Core;
use crate::shell::events::rfc3339;
use crate::shell::media::MediaLoad;
use crate::shell::notify::Health;
use crate::shell::orders::rooms_json;
use crate::shell::voice::{Counted, VoiceState, voice_lines};
use crate::sip::{Counts, PhoneState, TrunkState, UserState};

/// Of the messages of a storm, so many are shown.
const MESSAGES: usize = 10;

/// The answer to `{"op":"status"}`.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Status {
    /// The node's name.
    pub node: String,
    /// hansho's version.
    pub version: &'static str,
    /// One object an incident, newest first.
    pub incidents: Vec<Value>,
    /// One a trunk.
    pub trunks: Vec<Value>,
    /// One a user of the registrar.
    pub users: Vec<Value>,
    /// Rooms with somebody inside.
    pub rooms: Vec<Value>,
    /// The voices of each language in the order they are asked, a line each.
    pub voices: Vec<String>,
    /// How many contacts, rosters, call flows and guidances are in force: of the file, and made over HTTP.
    pub directory: Value,
    /// One a notifier.
    pub notifiers: Vec<Health>,
    /// Legs that are up.
    pub legs: usize,
    /// What was dropped, refused or late since the start.
    pub counts: Value,
    /// What is wrong at the moment, in words.
    pub trouble: Vec<String>,
}

impl Status {
    /// What the core knows: open incidents only.
    pub(in crate::shell) fn of(core: &Core, incident: Option<IncidentId>) -> Status {
        let open = core.switch.open().filter(|(id, _)| incident.is_none_or(|wanted| wanted == *id));
        Status {
            node: core.settings.node.name.clone(),
            version: env!("CARGO_PKG_VERSION"),
            incidents: open.map(|(id, record)| open_json(core, id, record)).collect(),
            trunks: core.switch.agent().trunks().map(|trunk| trunk_json(trunk, core.clock.now())).collect(),
            users: core.switch.agent().users().map(|user| user_json(core.clock.now(), user)).collect(),
            rooms: rooms_json(core),
            voices: core
                .speaker
                .voices()
                .into_iter()
                .flat_map(|(language, voices)| voice_lines(language, &voices))
                .collect(),
            directory: directory(core),
            notifiers: core.notifiers.health(),
            legs: core.switch.legs(),
            counts: counts_json(sip_counts(core), core.media.load(), core.speaker.voices()),
            trouble: trouble(core),
        }
    }
}

/// What of the directory is in force, a kind each.
fn directory(core: &Core) -> Value {
    let directory = core.shelf.now();
    let count = |kind| {
        let (file, service) = directory.count(kind);
        json!({ "file": file, "service": service })
    };
    json!({
        "contacts": count(Kind::Contact),
        "rosters": count(Kind::Roster),
        "call_flows": count(Kind::CallFlow),
        "guidances": count(Kind::Guidance),
    })
}

/// What is wrong at the moment: the journal, what does not fit the file, and receivers that are away or refuse.
fn trouble(core: &Core) -> Vec<String> {
    let journal = core.gate.trouble().map(|why| format!("journal: the last write failed: {why}"));
    let away = core.notifiers.health().into_iter().filter_map(|it| {
        let (name, why) = (it.notifier, it.trouble?);
        Some(match it.away_since {
            Some(since) => format!("{name}: nothing gets through since {since}: {why}"),
            None => format!("{name}: the last notice was given up: {why}"),
        })
    });
    let shelf = core.shelf.now();
    let left_out = shelf.unfit().map(|(what, why)| format!("directory: {what} is left out: {why}"));
    let ladders = core.witness.trouble().map(|why| format!("ladders: SIP messages are not kept: {why}"));
    journal.into_iter().chain(ladders).chain(left_out).chain(away).collect()
}

/// An open incident, with those who wait to be dialled.
fn open_json(core: &Core, id: IncidentId, record: &Record) -> Value {
    let mut incident = incident_json(id, record);
    let waiting = core
        .switch
        .waiting(id)
        .map(|it| json!({ "contact": it.contact, "phone": it.phone, "since": rfc3339(it.since), "reason": it.reason }));
    incident["waiting"] = waiting.collect();
    let calls = record.attempts.iter().zip(incident["attempts"].as_array_mut().into_iter().flatten());
    for (attempt, shown) in calls.filter(|(attempt, _)| attempt.ended_at.is_none()) {
        let attempt = AttemptId { incident: id, number: attempt.number };
        shown["quality"] = json!(core.switch.quality(attempt));
        shown["encrypted"] = json!(core.switch.is_encrypted(attempt));
    }
    incident
}

/// One incident as an object: its state, and every attempt with its times and its end.
pub(in crate::shell) fn incident_json(id: IncidentId, record: &Record) -> Value {
    let time = |at: Option<Stamp>| at.map(rfc3339);
    let attempts = record.attempts.iter().map(attempt_json);
    let skipped = record
        .skipped
        .iter()
        .map(|it| json!({ "at": rfc3339(it.at), "round": it.round, "contact": it.contact, "reason": it.reason }));
    let quieted = record
        .quieted
        .as_ref()
        .map(|it| json!({ "contact": it.contact, "hours": it.hours, "until": rfc3339(it.until) }));
    json!({
        "incident": id,
        "state": record.state.as_str(),
        "call_flow": record.call_flow(),
        "message": record.message(),
        "recording": record.recording(),
        "accepted_at": time(record.accepted_at),
        "ended_at": time(record.ended_at),
        "ended_by": record.ended_by,
        "taken_by": record.taken_by,
        "missing": record.missing,
        "claimed_by": record.claimed_by,
        "left": record.left,
        "skipped": skipped.collect::<Vec<_>>(),
        "escalated": record.escalated,
        "again": record.again,
        "alerts": record.alerts().count(),
        "messages": record.alerts().filter_map(|alert| alert.message.as_deref()).take(MESSAGES).collect::<Vec<_>>(),
        "suppression": record.suppressed_by,
        "quieted": quieted,
        "round": record.round,
        "attempts": attempts.collect::<Vec<_>>(),
    })
}

/// One call as an object: its times, its keys and its end.
pub(in crate::shell) fn attempt_json(attempt: &Attempt) -> Value {
    let time = |at: Option<Stamp>| at.map(rfc3339);
    let keys =
        attempt.keys.iter().map(|key| json!({ "at": rfc3339(key.at), "digit": key.digit, "means": key.behaviour }));
    json!({
        "attempt": attempt.number,
        "round": attempt.round,
        "contact": attempt.contact,
        "name": attempt.name,
        "phone": attempt.phone,
        "called_in": attempt.inbound,
        "dialled_at": rfc3339(attempt.dialled_at),
        "ringing_at": time(attempt.ringing_at),
        "answered_at": time(attempt.answered_at),
        "keys": keys.collect::<Vec<_>>(),
        "room": attempt.room,
        "ended_at": time(attempt.ended_at),
        "outcome": attempt.outcome,
        "confirmed": attempt.confirmed,
        "code": attempt.code,
        "reason": attempt.reason,
        "quality": attempt.quality,
    })
}

/// What was dropped of datagrams, and of connections.
fn sip_counts(core: &Core) -> Counts {
    let counts = core.switch.agent().counts();
    Counts { strangers: counts.strangers.saturating_add(core.streams.turned_away()), ..counts }
}

fn counts_json(sip: Counts, media: MediaLoad, voices: BTreeMap<Language, Vec<VoiceState>>) -> Value {
    let voices = voices.into_iter().flat_map(|(language, voices)| {
        voices.into_iter().map(move |voice| {
            let Counted { spoken, kept, failed } = voice.counted;
            json!({ "language": language, "voice": voice.name, "spoken": spoken, "kept": kept, "failed": failed })
        })
    });
    json!({
        "voices": voices.collect::<Vec<_>>(),
        "sip": {
            "malformed": sip.malformed,
            "strangers": sip.strangers,
            "unknown": sip.unknown,
            "copies": sip.copies,
            "strays": sip.strays,
            "refused": sip.refused,
            "wrong_passwords": sip.wrong_passwords,
            "replays": sip.replays,
            "shut_out": sip.shut_out,
        },
        "media": {
            "busy_permille": media.busy_permille,
            "skipped": media.skipped,
            "dropped_events": media.dropped_events,
            "dropped_frames": media.dropped_frames,
        },
    })
}

fn user_json(now: Time, user: UserState) -> Value {
    let phone = |phone: PhoneState| {
        json!({
            "phone": phone.contact,
            "at": phone.hop.to_string(),
            "agent": phone.agent,
            "expires": phone.until.since(now).as_secs(),
        })
    };
    json!({ "user": user.name, "phones": user.phones.into_iter().map(phone).collect::<Vec<_>>() })
}

fn trunk_json(trunk: TrunkState, now: Time) -> Value {
    let rests = trunk.resting.iter().filter(|(_, until)| *until > now);
    json!({
        "id": trunk.id,
        "registered": trunk.registered,
        "target": trunk.target.map(|target| target.to_string()),
        "resting": rests.map(|(target, _)| target.to_string()).collect::<Vec<_>>(),
        "code": trunk.last_code,
        "reason": trunk.last_reason,
        "seen_as": trunk.seen_as,
        "calls": trunk.calls,
    })
}
