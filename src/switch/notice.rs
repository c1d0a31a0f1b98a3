//! What is told to those who do not watch: an event, with a line about it for people.
//!
//! A watcher hears an event in the moment it happens, and only then. A notifier reads the journal, perhaps hours
//! later, so here the same event is made from its fact and what the incident's facts say of it. Pure: who is
//! told, how and when is the shell's business. Easy to get wrong: a record read back later knows more than the
//! fact did; whoever tells of a fact brings the record as it was then.

mod house;
mod text;

pub use house::{house_event_of, house_topic};

use super::tell::{Event, What, attempt_of};
use crate::base::{ContactId, IncidentId, Language, Stamp};
use crate::incident::{Attempt, Fact, Outcome, Record};
use crate::phrase::{Form, fill};

/// The name that stands for those `attempt.ended` in which hansho, the trunk or the network failed.
pub const FAILED_ATTEMPT: &str = "attempt.failed";

/// The name of every event that can be told, and [`FAILED_ATTEMPT`]; explained in docs/control.md.
pub const TOPICS: [&str; 59] = [
    "incident.accepted",
    "incident.again",
    "incident.cleared",
    "incident.suppressed",
    "incident.round",
    "incident.acknowledged",
    "incident.escalated",
    "incident.exhausted",
    "incident.resolved",
    "incident.cancelled",
    "attempt.skipped",
    "attempt.dialling",
    "attempt.rerouted",
    "attempt.ringing",
    "attempt.answered",
    "attempt.called_in",
    "attempt.prompt_started",
    "attempt.key",
    "attempt.taken",
    "attempt.left",
    "attempt.quieted",
    "attempt.ended",
    FAILED_ATTEMPT,
    "suppression.set",
    "suppression.lifted",
    "room.created",
    "room.joined",
    "room.talking",
    "room.left",
    "room.ended",
    "room.said",
    "room.muted",
    "room.kicked",
    "room.locked",
    "room.dialled",
    "room.missed",
    "room.turned_away",
    "trunk.registered",
    "trunk.failed",
    "trunk.target_failed",
    "user.registered",
    "user.unregistered",
    "registrar.shut_out",
    "voice.failed",
    "voice.late",
    "voice.incomplete",
    "message.sent",
    "message.failed",
    "message.received",
    "hotline.inquiry",
    "hotline.accepted",
    "hotline.refused",
    "notify.failed",
    "notify.test",
    "dial.refused",
    "call_in.received",
    "call_in.wrong_pin",
    "call_in.message",
    "call_in.refused",
];

/// Something to tell.
#[derive(Clone, PartialEq, Debug)]
pub struct Notice {
    /// What happened, as those who watch were told.
    pub event: Event,
    /// One line for people.
    pub text: String,
    /// What the incident is about, as it was spoken.
    pub subject: Option<String>,
    /// Whom the incident may call.
    pub people: Vec<ContactId>,
}

impl Notice {
    /// The notice of an incident's fact, in `language`; `None` where nobody is told of such a fact.
    pub fn of_fact(
        incident: IncidentId,
        at: Stamp,
        fact: &Fact,
        record: &Record,
        language: Language,
    ) -> Option<Notice> {
        Some(Notice::of_event(event_of(incident, at, fact, record)?, record, language))
    }

    /// The notice of an event; `record` is that of its incident, or an empty one.
    pub fn of_event(event: Event, record: &Record, language: Language) -> Notice {
        let subject = subject(record, language);
        let text = one_line(&text::of(&event, subject.as_deref(), record, language));
        let plans = record.plan.iter().flat_map(|plan| plan.chain());
        let people = plans.flat_map(|plan| &plan.contacts).map(|contact| contact.id.clone()).collect();
        Notice { event, text, subject, people }
    }
}

/// Is it the end of a call that hansho, the trunk or the network failed to make?
pub fn is_failed_attempt(what: &What) -> bool {
    matches!(what, What::Ended { outcome: Outcome::Failed, .. })
}

/// Is it told because of a fact? Everything else is told as it happens, and only then.
pub fn is_of_a_fact(what: &What) -> bool {
    matches!(
        what,
        What::Accepted { .. }
            | What::Again { .. }
            | What::Cleared { .. }
            | What::Suppressed { .. }
            | What::Acknowledged { .. }
            | What::Escalated { .. }
            | What::Exhausted
            | What::Resolved { .. }
            | What::Cancelled { .. }
            | What::Round { .. }
            | What::Skipped { .. }
            | What::Dialling { .. }
            | What::Rerouted { .. }
            | What::Ringing { .. }
            | What::Answered
            | What::CalledIn { .. }
            | What::Key { .. }
            | What::Taken
            | What::Left
            | What::Quieted { .. }
            | What::Ended { .. }
            | What::Quiet { .. }
            | What::Lifted { .. }
            | What::DialRefused { .. }
            | What::HotlineInquiry { .. }
            | What::HotlineAccepted { .. }
            | What::HotlineRefused { .. }
            | What::MessageSent { .. }
            | What::MessageFailed { .. }
    )
}

/// The event that those who watched were told of this fact; `record` is what is known of its incident by now.
/// `None` where nobody was told.
pub fn event_of(incident: IncidentId, at: Stamp, fact: &Fact, record: &Record) -> Option<Event> {
    let what = what_of(fact, record)?;
    let (attempt, contact) = (attempt_of(fact), contact_of(fact, record));
    let name = contact.as_ref().map(|contact| name_of(contact, record));
    Some(Event { at, incident: Some(incident), attempt, call_id: None, contact, name, what })
}

/// What a fact is as an event; how a key was heard is not in the fact.
pub(super) fn what_of(fact: &Fact, record: &Record) -> Option<What> {
    let what = match fact {
        Fact::Accepted { trigger, .. } => {
            What::Accepted { call_flow: trigger.call_flow.clone(), message: trigger.message.clone() }
        }
        Fact::Again { trigger } => {
            let (message, dedup) = (trigger.message.clone(), trigger.dedup.clone());
            What::Again { message, dedup, alerts: record.alerts().count() }
        }
        Fact::Cleared { dedup, by } => What::Cleared { dedup: dedup.clone(), by: by.clone() },
        Fact::Suppressed { suppression } => What::Suppressed { suppression: *suppression },
        Fact::RoundStarted { round, .. } => What::Round { round: *round },
        Fact::Skipped { reason, .. } => What::Skipped { reason: reason.clone() },
        Fact::Dialled { phone, .. } => What::Dialling { phone: phone.clone() },
        Fact::Rerouted { detour, .. } => What::Rerouted { detour: detour.clone() },
        Fact::Ringing { code, .. } => What::Ringing { code: *code },
        Fact::Answered { .. } => What::Answered,
        Fact::CalledIn { phone, .. } => What::CalledIn { phone: phone.clone() },
        Fact::Key { digit, behaviour, .. } => What::Key { digit: *digit, means: *behaviour, way: None },
        Fact::Taken { .. } => What::Taken,
        Fact::Left { .. } => What::Left,
        Fact::Quieted { hours, until, .. } => What::Quieted { hours: *hours, until: *until },
        Fact::Acknowledged { .. } => What::Acknowledged { by: None, missing: record.missing.clone() },
        Fact::Claimed { by } => What::Acknowledged { by: Some(by.clone()), missing: Vec::new() },
        Fact::Escalated { plan } => What::Escalated { call_flow: plan.call_flow.id.clone() },
        // Told when the room has let them in.
        Fact::Joined { .. } => return None,
        Fact::Ended { attempt, outcome, code, reason, quality } => {
            let seconds = record.attempt(*attempt).map_or(0.0, seconds);
            What::Ended { outcome: *outcome, code: *code, reason: reason.clone(), seconds, quality: *quality }
        }
        Fact::Exhausted => What::Exhausted,
        Fact::Cancelled { by } => What::Cancelled { by: by.clone() },
        Fact::Resolved { by } => What::Resolved { by: by.clone() },
    };
    Some(what)
}

/// The person a fact is about.
pub(super) fn contact_of(fact: &Fact, record: &Record) -> Option<ContactId> {
    match fact {
        Fact::Acknowledged { contact } | Fact::Skipped { contact, .. } => Some(contact.clone()),
        _ => attempt_of(fact).and_then(|number| record.attempt(number)).map(|attempt| attempt.contact.clone()),
    }
}

/// How long a call lasted from when it was answered, or how long it was tried; to the millisecond.
fn seconds(attempt: &Attempt) -> f64 {
    let began = attempt.answered_at.unwrap_or(attempt.dialled_at);
    attempt.ended_at.map_or(0.0, |ended| (ended.since(began).as_secs_f64() * 1_000.0).round() / 1_000.0)
}

/// The name people know a contact of this incident by.
pub(super) fn name_of(contact: &ContactId, record: &Record) -> String {
    let planned = record.plan.as_ref().and_then(|plan| plan.contact(contact));
    planned.map_or_else(|| contact.to_string(), |known| known.name.clone())
}

/// What the incident is about, as somebody of this language hears it; else as anybody does.
fn subject(record: &Record, language: Language) -> Option<String> {
    let (trigger, plan) = (record.trigger.as_ref()?, record.plan.as_ref()?);
    let messages = &plan.guidance.message;
    let template = messages.get(&language).or_else(|| messages.values().next());
    let text = fill(trigger.message.as_ref().or(template)?, Form::Written, language, &trigger.parameters).text;
    Some(one_line(said_once(text.trim()))).filter(|text| !text.is_empty())
}

/// What comes from outside stays on its line and in its direction: nobody writes a line of ours into a message.
fn one_line(text: &str) -> String {
    let plain = |c: char| match c {
        c if c.is_control() => ' ',
        '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => ' ',
        c => c,
    };
    text.chars().map(plain).collect()
}

/// A text that is spoken twice is read once.
fn said_once(text: &str) -> &str {
    let halves = text.split_at_checked(text.len() / 2);
    let halves = halves.and_then(|(first, rest)| Some((first, rest.strip_prefix('\n')?)));
    halves.filter(|(first, second)| first == second).map_or(text, |(first, _)| first)
}

#[cfg(test)]
mod tests;
