//! System C: the paths of Kompira Pigeon, so that a script works by changing its host name alone.
//!
//! Bodies and answers are read and written in `src/intake/pigeon`; here its objects become plans. The result's id is
//! the incident's. Easy to get wrong: a callout that cannot be made is no HTTP error there, but `rejected` with 200; only
//! a body that cannot be read is a 400.

use core::time::Duration;
use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::extract::{Path, State};
use serde_json::{Map, Value, json};

use super::auth::{May, ToRead, ToTrigger};
use super::intake::sent;
use super::reply::{Answer, Refused};
use super::{House, alert};
use crate::base::{ContactId, IncidentId, Language, Stamp, Trigger};
use crate::config::Settings;
use crate::incident::{
    self, Behaviour, Contact, Guidance, Key, Outcome, Plan, Record, State as Stands, Strategy, Token,
};
use crate::intake::pigeon::{self, Abort, Call, CallStatus, IdOr, Invoke, Results};
use crate::shell::ask::Raise;
use crate::shell::control::{Failure, Request};
use crate::shell::events::rfc3339;
use crate::switch::STRANGER;

/// The id of call flows and guidances that came with a request.
const INLINE: &str = "pigeon";

/// `POST …/chain/invoke`.
pub(super) async fn invoke(State(house): State<House>, May(token, _): May<ToTrigger>, body: Bytes) -> Answer {
    let invoke = match Invoke::read(&body) {
        Ok(invoke) => invoke,
        Err(wrong) => return Ok(sent(pigeon::refusal(&wrong))),
    };
    let params = invoke.params.clone();
    let raised = match raise(&house.settings(), &token, invoke) {
        Ok(raise) => house.ask(Request::Raise(Box::new(raise)), &token.name).await.map_err(Refused::from),
        Err(refused) => Err(house.kept(&token, refused).await),
    };
    match raised {
        Ok(answer) => Ok(sent(pigeon::requested(&params, answer["incident"].as_str().unwrap_or_default()))),
        // What may work in a moment is an error of HTTP: a script that tries again then does the right thing.
        Err(refused) if refused.status.is_server_error() => Err(refused),
        Err(Refused { failure: Failure { code, message }, .. }) => Ok(sent(pigeon::rejected(&params, &code, &message))),
    }
}

/// `POST …/chain/abort`.
pub(super) async fn abort(State(house): State<House>, May(token, _): May<ToTrigger>, body: Bytes) -> Answer {
    let abort = match Abort::read(&body) {
        Ok(abort) => abort,
        Err(wrong) => return Ok(sent(pigeon::refusal(&wrong))),
    };
    let request = Request::Cancel { incident: abort.result_id.clone() };
    match house.ask(request, &token.name).await {
        Ok(_) => Ok(sent(pigeon::requested(&abort.params, &abort.result_id))),
        Err(Failure { code, message }) if matches!(code.as_str(), "not_open" | "bad_request") => {
            Ok(sent(pigeon::rejected(&abort.params, &code, &message)))
        }
        Err(failure) => Err(failure.into()),
    }
}

/// `GET …/results/{id}`.
pub(super) async fn results(State(house): State<House>, May(token, _): May<ToRead>, Path(id): Path<String>) -> Answer {
    let incident: IncidentId = id.parse().map_err(|_| no_such(&id))?;
    let record = house.record(incident).await?.ok_or_else(|| no_such(&id))?;
    let mut results = result_of(incident, &record);
    if !record.state.is_final() {
        let status = house.ask(Request::Status { incident: Some(id) }, &token.name).await?;
        results.calls.extend(prepared(&record, &status["incidents"][0]["waiting"]));
    }
    Ok(sent(results.reply()))
}

/// Those who wait to be dialled: for a person who is on the phone with another callout, for a trunk.
fn prepared(record: &Record, waiting: &Value) -> Vec<Call> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let name = |id: &str| {
        let contact = ContactId::parse(id).ok().and_then(|id| record.plan.as_ref()?.contact(&id));
        contact.map_or_else(|| id.to_owned(), |contact| contact.name.clone())
    };
    let call = |it: &Value| Call {
        display_name: name(&text(&it["contact"])),
        phone_number: text(&it["phone"]),
        status: CallStatus::Preparing,
        key_input: None,
        started_at: None,
        answered_at: None,
        ended_at: None,
    };
    waiting.as_array().into_iter().flatten().map(call).collect()
}

fn no_such(id: &str) -> Refused {
    Refused::from(Failure::new("not_found", format!("there is no result `{id}`")))
}

/// The incident that a request asks for.
fn raise(settings: &Settings, token: &Token, invoke: Invoke) -> Result<Raise, Refused> {
    let Invoke { callflow, guidance, parameters, .. } = invoke;
    let unknown = |code: &str, message: String| Refused::from(Failure::new(code, message));
    let (guidance, inline) = match guidance {
        IdOr::Id(id) if settings.guidances.contains_key(&id) => (Some(id), None),
        IdOr::Id(id) => return Err(unknown("unknown_guidance", format!("there is no guidance `{id}`"))),
        IdOr::Inline(inline) => (None, Some(inline)),
    };
    let mut trigger = Trigger {
        call_flow: INLINE.parse().map_err(internal)?,
        guidance: guidance.clone(),
        message: None,
        parameters,
        dedup: None,
        to: Vec::new(),
        host: None,
        service: None,
        by: Some(token.name.clone()),
    };
    let mut plan = match callflow {
        IdOr::Id(id) => {
            trigger.call_flow = id;
            let plan = settings.plan(&trigger);
            plan.map_err(|refusal| unknown(refusal.code(), refusal.to_string()))?
        }
        IdOr::Inline(flow) => {
            let chosen = guidance.and_then(|id| settings.guidances.get(&id)).cloned();
            let guidance = chosen.map_or_else(|| built_in(None), Ok)?;
            let contacts = contacts(settings, token, flow.contacts)?;
            Plan { call_flow: call_flow(flow.loop_limit)?, contacts, guidance, then: None }
        }
    };
    match inline {
        Some(inline) => {
            plan.guidance = built_in(Some(inline))?;
            trigger.guidance = Some(plan.guidance.id.clone());
        }
        // Read twice and then asked again, whoever wrote the words.
        None => plan.guidance.readings = plan.guidance.readings.max(2),
    }
    Ok(Raise { trigger, plan })
}

fn call_flow(rounds: u32) -> Result<incident::CallFlow, Refused> {
    Ok(incident::CallFlow {
        id: INLINE.parse().map_err(internal)?,
        strategy: Strategy::Sequential,
        answer: incident::Answer::One,
        rounds,
        ring_timeout: Duration::from_secs(30),
        between_rounds: Duration::from_secs(10),
        bundle: Duration::ZERO,
        taken_for: Duration::ZERO,
    })
}

fn contacts(settings: &Settings, token: &Token, wanted: Vec<pigeon::Contact>) -> Result<Vec<Contact>, Refused> {
    let mut contacts = Vec::with_capacity(wanted.len());
    for person in wanted {
        // What stands on no roster is never called under the name of somebody who does.
        let mut parts: Vec<Contact> = Vec::new();
        let is_stranger = |contact: &Contact| contact.id.as_str().starts_with(STRANGER);
        for text in &person.phones {
            let phone = settings.dial.phone(text).ok_or_else(|| {
                let why =
                    "neither `+` and its country code, nor a number of the country that `country` in [dial] names";
                Refused::bad(format!("phoneNumber `{text}`: {why}"))
            })?;
            let contact = alert::contact(settings, token, &phone, Some(&person.display_name))?;
            let same = |part: &&mut Contact| part.id == contact.id || (is_stranger(part) && is_stranger(&contact));
            match parts.iter_mut().find(same) {
                Some(part) => part.phones.extend(contact.phones),
                None => parts.push(contact),
            }
        }
        contacts.extend(parts);
    }
    Ok(alert::merged(contacts))
}

/// An inline guidance: read twice, then asked again, three sets at most.
fn built_in(inline: Option<pigeon::Guidance>) -> Result<Guidance, Refused> {
    let (mut message, mut keys) = (BTreeMap::new(), BTreeMap::new());
    if let Some(inline) = inline {
        message.extend(Language::ALL.map(|language| (language, inline.message_template.clone())));
        keys.extend(inline.reactions.into_iter().map(|(digit, reaction)| {
            let behaviour = match reaction.behavior {
                pigeon::Behavior::Terminate => Behaviour::Take,
                pigeon::Behavior::Continue => Behaviour::Next,
                pigeon::Behavior::Leave => Behaviour::Leave,
            };
            (digit, Key { behaviour, say: reaction.message_template })
        }));
    }
    Ok(Guidance { message, keys, ..Guidance::usual(INLINE.parse().map_err(internal)?) })
}

fn internal(error: crate::base::IdError) -> Refused {
    Refused::from(Failure::new("internal", error.to_string()))
}

/// What became of a callout, in that service's words.
fn result_of(incident: IncidentId, record: &Record) -> Results {
    let time = |at: Option<Stamp>| at.map(rfc3339);
    let stopped = matches!(record.state, Stands::Cancelled | Stands::Resolved | Stands::Suppressed);
    let calls: Vec<Call> = record
        .attempts
        .iter()
        .map(|attempt| Call {
            display_name: attempt.name.clone(),
            phone_number: attempt.phone.to_string(),
            status: call_status(attempt, stopped),
            key_input: attempt.keys.last().map(|key| key.digit.as_char()),
            started_at: Some(rfc3339(attempt.dialled_at)),
            answered_at: time(attempt.answered_at),
            ended_at: time(attempt.ended_at),
        })
        .collect();
    let taken = record.attempts.iter().rev().find(|attempt| record.taken_by.contains(&attempt.contact));
    let decisive = taken.and_then(|attempt| attempt.keys.iter().rev().find(|key| takes(key.behaviour)));
    Results {
        result_id: incident.to_string(),
        status: status(record, &calls, stopped),
        key_input: decisive.map(|key| key.digit.as_char()),
        started_at: time(record.accepted_at),
        ended_at: time(record.ended_at),
        callflow: record.plan.as_ref().map_or(Value::Null, flow_json),
        guidance: record.plan.as_ref().map_or(Value::Null, guidance_of),
        parameters: record.trigger.as_ref().map_or(Value::Null, |trigger| json!(trigger.parameters)),
        calls,
    }
}

const fn takes(behaviour: Option<Behaviour>) -> bool {
    matches!(behaviour, Some(Behaviour::Take | Behaviour::Join))
}

fn call_status(attempt: &incident::Attempt, stopped: bool) -> CallStatus {
    let Some(outcome) = attempt.outcome else {
        return if stopped { CallStatus::Aborting } else { CallStatus::Calling };
    };
    word_of(outcome)
}

const fn word_of(outcome: Outcome) -> CallStatus {
    match outcome {
        Outcome::Taken => CallStatus::Succeeded,
        Outcome::Passed | Outcome::Left | Outcome::Quieted | Outcome::Ignored => CallStatus::Ignored,
        Outcome::NoAnswer | Outcome::Busy | Outcome::Rejected => CallStatus::Missed,
        // That service calls a wrong number, and a telephone out of reach, a call that could not be made.
        Outcome::Unreachable | Outcome::Failed => CallStatus::Failed,
        Outcome::Cancelled => CallStatus::Aborted,
    }
}

/// The whole: `succeeded` when somebody took it, else the best that any call came to.
fn status(record: &Record, calls: &[Call], stopped: bool) -> CallStatus {
    let any = |status: CallStatus| calls.iter().any(|call| call.status == status);
    match record.state {
        Stands::Queued => CallStatus::Preparing,
        Stands::Calling => CallStatus::Calling,
        Stands::Acknowledged => CallStatus::Succeeded,
        // It was over later.
        Stands::Resolved if !record.taken_by.is_empty() || record.claimed_by.is_some() => CallStatus::Succeeded,
        _ if stopped && any(CallStatus::Aborting) => CallStatus::Aborting,
        _ if stopped => CallStatus::Aborted,
        _ if any(CallStatus::Ignored) => CallStatus::Ignored,
        _ if any(CallStatus::Missed) => CallStatus::Missed,
        _ => CallStatus::Failed,
    }
}

fn flow_json(plan: &Plan) -> Value {
    let phones = |contact: &Contact| -> Vec<Value> {
        contact.phones.iter().map(|phone| json!({ "phoneNumber": phone })).collect()
    };
    let contact = |contact: &Contact| json!({ "displayName": contact.name, "phones": phones(contact) });
    let contacts: Vec<Value> = plan.contacts.iter().map(contact).collect();
    json!({ "id": plan.call_flow.id, "loopLimit": plan.call_flow.rounds, "contacts": contacts })
}

/// In the language of whoever is called first, where it has one for each.
fn guidance_of(plan: &Plan) -> Value {
    guidance_json(&plan.guidance, plan.contacts.first().map(|contact| contact.language))
}

fn guidance_json(guidance: &Guidance, language: Option<Language>) -> Value {
    let word = |behaviour: Behaviour| match behaviour {
        Behaviour::Take | Behaviour::Join => "terminate",
        Behaviour::Next => "continue",
        // That service has none of these: they are called what they are.
        Behaviour::Leave | Behaviour::Repeat | Behaviour::Quiet => behaviour.as_str(),
    };
    let reaction = |key: &Key| json!({ "behavior": word(key.behaviour), "messageTemplate": key.say });
    let reactions: Map<String, Value> =
        guidance.keys.iter().map(|(digit, key)| (digit.to_string(), reaction(key))).collect();
    let theirs = language.and_then(|language| guidance.message.get(&language));
    let message = theirs.or_else(|| guidance.message.values().next());
    json!({ "id": guidance.id, "messageTemplate": message, "reactions": reactions })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::http::bench;

    fn settings() -> Settings {
        let text = "[[trunk]]\nid = \"main\"\nproxy = \"192.0.2.1\"\n[[contact]]\nid = \"yamada\"\nname = \"山田\"\n\
                    phones = [\"+818012345678\", \"+81312345678\"]\n[[roster]]\nid = \"r\"\ncontacts = [\"yamada\"]\n\
                    [[call_flow]]\nid = \"oncall\"\nroster = \"r\"\n[dial]\ncountry = \"JP\"\ncountries = [\"JP\"]\n";
        bench::settings(text)
    }

    #[test]
    fn a_strangers_phone_is_never_called_under_the_name_of_somebody_of_a_roster() {
        let phones = ["080-1234-5678", "090-0000-0001", "03-1234-5678", "090-0000-0002"].map(str::to_owned).into();
        let person = pigeon::Contact { display_name: "田中".to_owned(), phones };
        let contacts = contacts(&settings(), &bench::token(&["dial:any"]), vec![person]).unwrap();
        let shown: Vec<(&str, Vec<&str>)> = contacts
            .iter()
            .map(|it| (it.id.as_str(), it.phones.iter().map(|phone| phone.as_str()).collect()))
            .collect();
        let known = ("yamada", vec!["+818012345678", "+81312345678"]);
        assert_eq!(shown, [known, ("any.819000000001", vec!["+819000000001", "+819000000002"])]);
    }

    #[test]
    fn a_telephone_that_is_out_of_reach_is_a_call_that_failed_as_in_that_service() {
        assert_eq!(word_of(Outcome::Unreachable).as_str(), "failed");
        for missed in [Outcome::NoAnswer, Outcome::Busy, Outcome::Rejected] {
            assert_eq!(word_of(missed).as_str(), "missed");
        }
    }

    #[test]
    fn a_guidance_is_shown_as_it_was_sent_and_each_key_as_what_it_does() {
        for text in ["{{server}}で障害です", "a\na", "x"] {
            let sent = pigeon::Guidance { message_template: text.to_owned(), reactions: BTreeMap::new() };
            let mut guidance = built_in(Some(sent)).unwrap();
            let key = Key { behaviour: Behaviour::Quiet, say: None };
            guidance.keys.insert(crate::base::Digit::from_char('9').unwrap(), key);
            let shown = guidance_json(&guidance, None);
            assert_eq!(
                (&shown["messageTemplate"], &shown["reactions"]["9"]["behavior"]),
                (&json!(text), &json!("quiet"))
            );
            assert_eq!(
                (guidance.readings, guidance.repeats),
                (2, 3),
                "read twice, then asked again, three sets at most"
            );
        }
    }
}
