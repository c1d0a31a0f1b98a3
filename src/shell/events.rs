//! Events on their way to those who watch, and into the log.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::base::{Quality, Stamp};
use crate::incident::{Detour, Suppression};
use crate::switch::{Event, What};

/// An event shared by everybody who watches.
pub type Told = Arc<Event>;

/// The event as one JSON object, with its time as RFC 3339 in UTC.
pub fn line(event: &Event) -> Value {
    let mut value =
        serde_json::to_value(event).unwrap_or_else(|error| json!({ "event": "unreadable", "why": error.to_string() }));
    value["at"] = rfc3339(event.at).into();
    if let What::Quieted { until, .. } | What::Quiet { suppression: Suppression { until, .. } } = &event.what {
        value["until"] = rfc3339(*until).into();
    }
    value
}

/// A stamp as RFC 3339 in UTC, to the millisecond.
pub fn rfc3339(at: Stamp) -> String {
    Timestamp::from_microsecond(at.as_unix_micros())
        .map(|at| at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string())
        .unwrap_or_default()
}

/// One line a step a person would care about.
pub fn log(event: &Event) {
    let incident = event.incident.map(|id| id.to_string()).unwrap_or_default();
    let attempt = event.attempt.unwrap_or_default();
    let call_id = event.call_id.as_deref().unwrap_or_default();
    let who = event.name.as_deref().unwrap_or_default();
    macro_rules! say {
        ($level:ident, $($rest:tt)+) => {
            match (event.incident, event.attempt) {
                (Some(_), Some(_)) => tracing::$level!(%incident, attempt, call_id, $($rest)+),
                (Some(_), None) => tracing::$level!(%incident, $($rest)+),
                (None, _) => tracing::$level!($($rest)+),
            }
        };
    }
    match &event.what {
        What::Accepted { call_flow, message } => {
            say!(info, %call_flow, "incident accepted: {}", message.as_deref().unwrap_or("(no message)"));
        }
        What::Again { message, alerts, .. } => {
            say!(info, alerts, "joined by another trigger: {}", message.as_deref().unwrap_or("(no message)"));
        }
        What::Cleared { dedup, by } => say!(info, dedup, %by, "one of its alerts is over"),
        What::Suppressed { suppression } => say!(info, suppression, "nobody is called: quiet was promised"),
        What::Acknowledged { by: Some(by), .. } => say!(info, %by, "the incident was taken without a call"),
        What::Acknowledged { by: None, missing } if missing.is_empty() => say!(info, "{who} took the incident"),
        What::Acknowledged { by: None, missing } => {
            let missing = missing.iter().map(|contact| contact.as_str()).collect::<Vec<_>>().join(", ");
            say!(info, %missing, "{who} took the incident")
        }
        What::Escalated { call_flow } => say!(warn, %call_flow, "too few took it: another call flow goes on"),
        What::Exhausted => say!(error, "nobody took the incident, and nobody is left to call"),
        What::Resolved { by } => say!(info, %by, "incident resolved"),
        What::Cancelled { by } => say!(info, %by, "incident cancelled"),
        What::Round { round } => say!(info, round, "calling round"),
        What::Skipped { reason } => say!(info, reason, "{who} is not called in this round"),
        What::Dialling { phone } => say!(info, %phone, "calling {who}"),
        What::Rerouted { detour: Detour { from, trunk, target, code, reason } } => {
            let target = target.as_deref().unwrap_or_default();
            say!(warn, code, reason, target, "trunk {from} did not carry the call to {who}; it goes over {trunk} now");
        }
        What::Ringing { code } => say!(info, code, "{who}'s phone rings"),
        What::Answered => say!(info, "{who}'s phone was picked up"),
        What::CalledIn { phone } => say!(info, %phone, "{who} called in"),
        What::PromptStarted => say!(debug, "the prompt plays"),
        What::Key { digit, means, .. } => {
            let means = means.map_or("nothing", crate::incident::Behaviour::as_str);
            say!(info, %digit, means, "{who} pressed a key");
        }
        What::Taken => say!(debug, "{who} is there"),
        What::Left => say!(info, "{who} is not called again about it"),
        What::Quieted { hours, until } => say!(info, hours, until = rfc3339(*until), "{who} promised to stay quiet"),
        What::Ended { outcome, code, reason, seconds, quality } => {
            say!(info, %outcome, code, reason, seconds, "the call to {who} ended");
            if let Some(quality) = quality.filter(Quality::is_bad) {
                say!(warn, "the call to {who} was hard to understand: {quality}");
            }
        }
        What::Quiet { suppression } => {
            let Suppression { id, scope, until, by } = suppression;
            say!(info, suppression = id, %by, until = rfc3339(*until), ?scope, "quiet is promised");
        }
        What::Lifted { suppression, by } => say!(info, suppression, %by, "a promise to stay quiet is taken back"),
        What::RoomCreated { room } => say!(info, %room, "room opened"),
        What::RoomJoined { room, people } => say!(info, %room, people, "{who} joined the room"),
        What::RoomTalking { room, talking } => say!(debug, %room, talking, "{who} talks"),
        What::RoomLeft { room, people } => say!(info, %room, people, "{who} left the room"),
        What::RoomEnded { room } => say!(info, %room, "room closed"),
        What::RoomSaid { room, text, by } => say!(info, %room, %by, "said in the room: {text}"),
        What::RoomMuted { room, muted, by } => say!(info, %room, %by, muted, "{who}: whether the room hears them"),
        What::RoomKicked { room, by } => say!(info, %room, %by, "{who} is taken out of the room"),
        What::RoomLocked { room, locked, by } => say!(info, %room, %by, locked, "whether the room takes nobody in"),
        What::RoomDialled { room, phone, by } => say!(info, %room, %by, %phone, "{who} is asked into the room"),
        What::RoomMissed { room, code, reason } => say!(info, %room, code, reason, "{who} did not come into the room"),
        What::RoomTurnedAway { room, reason } => say!(info, %room, reason, "{who} is turned away from the room"),
        What::TrunkRegistered { trunk, expires: 0 } => say!(info, %trunk, "trunk is there; it wants no registration"),
        What::TrunkRegistered { trunk, expires } => say!(info, %trunk, expires, "trunk registered"),
        What::TrunkFailed { trunk, code, reason, retry } => {
            let hint = of_trunk(*code);
            say!(warn, %trunk, code, reason, retry_s = retry, hint, "trunk is away; hansho tries again");
        }
        What::TargetFailed { trunk, target, code, reason, rest, next: None } => {
            say!(warn, %trunk, target, code, reason, rest_s = rest, "the trunk fails, and is nowhere else; other trunks come first for a while");
        }
        What::TargetFailed { trunk, target, code, reason, rest, next: Some(next) } => {
            say!(warn, %trunk, target, code, reason, rest_s = rest, next, "the trunk fails there and is left alone; requests go to its next address");
        }
        What::UserRegistered { user, phone, source, expires } => {
            say!(info, user, phone, source, expires, "a phone is registered");
        }
        What::UserUnregistered { user, phone, reason } => {
            say!(info, user, phone, reason, "a phone is registered no more");
        }
        What::ShutOut { source, tries, seconds } => {
            say!(warn, source, tries, seconds, "too many wrong passwords: shut out for a while");
        }
        What::VoiceFailed { reason, spoken_by: None } => {
            let hint = "try the voices with `hansho selftest`; `hansho status` says why each is passed over";
            say!(warn, reason, hint, "the message could not be spoken; the recorded prompt stands in")
        }
        What::VoiceFailed { reason, spoken_by: Some(voice) } => say!(warn, reason, "the voice {voice} stands in"),
        What::VoiceLate { seconds } => {
            say!(warn, waited_s = seconds, "the message is not made yet; dialled all the same")
        }
        What::VoiceIncomplete { missing } => {
            say!(warn, missing = missing.join(", "), "parameters of the message are missing; it is spoken without them")
        }
        What::HotlineInquiry { hotline, inquiry, caller, callee } => {
            say!(info, hotline, inquiry, %caller, %callee, "may I call you now?");
        }
        What::HotlineAccepted { hotline, inquiry, late } => say!(info, hotline, inquiry, late, "hotline accepted"),
        What::HotlineRefused { hotline, inquiry } => say!(info, hotline, inquiry, "hotline not accepted"),
        What::MessageSent { message, to } => say!(info, message, %to, "short message sent"),
        What::MessageFailed { message, to, reason } => say!(error, message, %to, reason, "short message not sent"),
        What::MessageReceived { trunk, from, .. } => say!(info, %trunk, from, "short message came"),
        What::DialRefused { number, by, reason } => say!(warn, number, by, reason, "not dialled"),
        What::NotifyFailed { notifier, key, reason } => say!(error, %notifier, key, reason, "not told, and given up"),
        What::NotifyTest { from } => say!(info, from, "everybody who is told is told that this is a test"),
        What::CallInReceived { trunk, caller } => say!(info, %trunk, caller, "somebody calls in"),
        What::CallInWrongPin { caller } => say!(warn, caller, "a wrong PIN"),
        What::CallInMessage { file } => say!(info, file, "a message was left"),
        What::CallInRefused { trunk, caller, reason } => say!(warn, %trunk, caller, reason, "call in refused"),
    }
}

/// What whoever reads that a trunk is away can do about it.
const fn of_trunk(code: Option<u16>) -> &'static str {
    match code {
        None => "nothing came back: check `proxy`, its name in DNS, the network and the firewall",
        Some(401 | 403 | 407) => {
            "it refuses the account: check `username`, `password` and `domain`, then `hansho reload`"
        }
        Some(404) => "it does not know the account: check `username` and `domain`, then `hansho reload`",
        Some(408 | 500..=599) => "it says that it is in trouble itself: ask whoever runs it",
        Some(_) => "it wants something else than it is sent: `hansho status --ladder` shows its answer",
    }
}
