//! What each tool is told, in the body and with the status that it expects.
//!
//! A 5xx or a 429 among the outcomes is the answer to the whole request: tools send it again then, and what was taken
//! the first time joins itself by its key. Other refusals only answer the request when nothing in it was taken.

use super::{IntakeError, Source, UNKNOWN, limit};
use crate::base::IncidentId;
use serde_json::{Value, json};

const JSON: &str = "application/json";
const TEXT: &str = "text/plain; charset=utf-8";

/// What became of one signal.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Became {
    /// The incident it raised or joined, or that was recorded as suppressed.
    pub incident: Option<IncidentId>,
    /// An incident with this key was open already.
    pub joined: bool,
    /// Nobody is called: a suppression is in force.
    pub suppressed: bool,
    /// How many incidents a resolve or an acknowledgement settled.
    pub resolved: usize,
    /// Who is called first, by the name people know.
    pub name: Option<String>,
    /// The key that the signal carried.
    pub dedup: Option<String>,
    /// Why nothing became of it.
    pub error: Option<Refused>,
}

/// Why a signal was not taken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refused {
    /// The HTTP status of this refusal alone.
    pub status: u16,
    /// In a sentence.
    pub message: String,
}

/// An answer to send.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The `Content-Type`; to be left out where the body is empty.
    pub content_type: &'static str,
    /// The body.
    pub body: String,
}

/// The answer to a request that was read, when each of its signals has found its end. `outcomes` are in the order of
/// the signals.
pub fn reply(source: &Source, outcomes: &[Became]) -> Reply {
    if let Some(refused) = refused(outcomes) {
        return error(source, refused.status, &refused.message, &[refused.message.as_str()], None);
    }
    let first = outcomes.iter().find(|became| became.error.is_none());
    match source {
        Source::Azure => text(200, told(outcomes)),
        Source::PagerDuty => {
            let dedup = first.and_then(|became| became.dedup.as_deref());
            let body = json!({ "status": "success", "message": "Event processed", "dedup_key": dedup });
            as_json(202, &body)
        }
        Source::Opsgenie => {
            let (incident, id) = (first.and_then(|became| became.incident), first.map(request_id));
            let id = id.unwrap_or_else(any_request_id);
            let mut body = json!({ "result": "Request will be processed", "took": 0.001, "requestId": id });
            if let Some(incident) = incident {
                body["incident"] = incident.to_string().into();
            }
            as_json(202, &body)
        }
        Source::GoAlert => Reply { status: 204, content_type: TEXT, body: String::new() },
        _ => as_json(200, &house(outcomes)),
    }
}

/// The answer to a request that could not be read.
pub fn refusal(source: &Source, wrong: &IntakeError) -> Reply {
    let field = matches!(wrong, IntakeError::Field { .. });
    // Opsgenie's clients tell a body that is no JSON (400) from one that says the wrong thing (422).
    let status = if *source == Source::Opsgenie && field { 422 } else { 400 };
    error(source, status, &wrong.to_string(), &[&wrong.to_string()], Some(wrong))
}

/// What became of a request to Opsgenie's API, by the id that its answer gave: all is done before that is answered.
/// `alias`: that of its alert, where it is remembered; by it the alert is known.
pub fn processed(id: &str, alias: Option<&str>) -> Reply {
    let mut data = json!({ "success": true, "isSuccess": true, "status": "Request was processed" });
    if let Some(alias) = alias {
        data["alertId"] = alias.into();
        data["alias"] = alias.into();
    }
    as_json(200, &json!({ "data": data, "took": 0.001, "requestId": id }))
}

/// The refusal that answers the whole request, if one does.
fn refused(outcomes: &[Became]) -> Option<&Refused> {
    let all = || outcomes.iter().filter_map(|became| became.error.as_ref());
    let again = all().find(|refused| refused.status >= 500 || refused.status == 429);
    let nothing_taken = !outcomes.is_empty() && outcomes.iter().all(|became| became.error.is_some());
    again.or_else(|| all().next().filter(|_| nothing_taken))
}

fn error(source: &Source, status: u16, message: &str, errors: &[&str], wrong: Option<&IntakeError>) -> Reply {
    match source {
        Source::Azure | Source::GoAlert => text(status, format!("{message}\n")),
        Source::PagerDuty => {
            // Its clients know these words; a key that opens nothing is an event that is not taken.
            let what = match status {
                429 => "throttle exceeded",
                400..500 => "invalid event",
                _ => "error",
            };
            let told = if status == 400 { "Event object is invalid" } else { message };
            as_json(status, &json!({ "status": what, "message": told, "errors": errors }))
        }
        Source::Opsgenie => {
            let field = wrong.and_then(IntakeError::field);
            let mut body = json!({ "message": message, "took": 0.001, "requestId": any_request_id() });
            if let Some(field) = field {
                body["errors"] = json!({ field: message });
            }
            as_json(status, &body)
        }
        _ => {
            let code = wrong.map_or("refused", IntakeError::code);
            let mut told = json!({ "code": code, "message": message });
            if let Some(field) = wrong.and_then(IntakeError::field) {
                told["field"] = field.into();
            }
            as_json(status, &json!({ "ok": false, "error": told }))
        }
    }
}

/// The house's own body: one entry a signal.
fn house(outcomes: &[Became]) -> Value {
    let first = outcomes.iter().find_map(|became| became.incident).map(|id| id.to_string());
    let signals: Vec<Value> = outcomes
        .iter()
        .map(|became| {
            let mut told = json!({ "status": status(became) });
            let mut put = |name: &str, value: Option<Value>| {
                if let Some(value) = value {
                    told[name] = value;
                }
            };
            put("incident", became.incident.map(|id| id.to_string().into()));
            put("dedup", became.dedup.as_deref().map(Value::from));
            put("name", became.name.as_deref().map(Value::from));
            put("incidents", (became.incident.is_none() && became.error.is_none()).then(|| became.resolved.into()));
            put("error", became.error.as_ref().map(|refused| refused.message.as_str().into()));
            told
        })
        .collect();
    json!({ "ok": true, "incident": first, "signals": signals })
}

/// `accepted`, `joined`, `suppressed`, `settled` or `refused`.
fn status(became: &Became) -> &'static str {
    match became {
        Became { error: Some(_), .. } => "refused",
        Became { suppressed: true, .. } => "suppressed",
        Became { joined: true, .. } => "joined",
        Became { incident: Some(_), .. } => "accepted",
        _ => "settled",
    }
}

/// The line for a tool whose user reads it.
fn told(outcomes: &[Became]) -> String {
    let Some(became) = outcomes.iter().find(|became| became.incident.is_some()) else {
        let settled: usize = outcomes.iter().map(|became| became.resolved).sum();
        return format!("緊急通報終了: {settled}件");
    };
    let (name, id) = (became.name.as_deref().unwrap_or(UNKNOWN), became.incident.map(|id| id.to_string()));
    let id = id.unwrap_or_default();
    match became {
        Became { suppressed: true, .. } => format!("静観中: 発信しません (Call ID: {id})"),
        Became { joined: true, .. } => format!("緊急通報継続中 (Call ID: {id})"),
        _ => format!("緊急通報開始: {name} に発信中 (Call ID: {id})"),
    }
}

/// The id of a request to Opsgenie's API, made of what the request became; clients keep it as a text.
pub fn request_id(became: &Became) -> String {
    uuid(&format!("{:?}{:?}", became.incident, became.dedup))
}

/// The id of a request that asks for nothing to be done.
pub fn any_request_id() -> String {
    uuid("")
}

/// What stands for a text, in the shape of a UUID.
fn uuid(text: &str) -> String {
    let hex = limit::digest(text);
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    format!("{}-{}-{}-{}-{}", part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32))
}

fn text(status: u16, body: String) -> Reply {
    Reply { status, content_type: TEXT, body }
}

fn as_json(status: u16, body: &Value) -> Reply {
    Reply { status, content_type: JSON, body: body.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: IncidentId = IncidentId::FIRST;

    fn accepted() -> Became {
        Became { incident: Some(ID), name: Some("山田".to_owned()), dedup: Some("k".to_owned()), ..Became::default() }
    }

    fn refusing(status: u16) -> Became {
        let error = Some(Refused { status, message: "there is no call flow `x`".to_owned() });
        Became { error, ..Became::default() }
    }

    #[test]
    fn azure_is_told_who_is_called() {
        let told = reply(&Source::Azure, &[accepted()]);
        assert_eq!(told.body, format!("緊急通報開始: 山田 に発信中 (Call ID: {ID})"));
        let nameless = Became { name: None, ..accepted() };
        assert!(reply(&Source::Azure, &[nameless]).body.contains("不明"));
    }

    #[test]
    fn pagerduty_gets_its_202_with_the_key_and_its_400() {
        let told = reply(&Source::PagerDuty, &[accepted()]);
        assert_eq!(told.status, 202);
        let body: Value = serde_json::from_str(&told.body).unwrap();
        assert_eq!(body, json!({ "status": "success", "message": "Event processed", "dedup_key": "k" }));
        let wrong = IntakeError::wrong("event_action", "nothing", "`trigger`");
        let told = refusal(&Source::PagerDuty, &wrong);
        let body: Value = serde_json::from_str(&told.body).unwrap();
        assert_eq!((told.status, &body["status"]), (400, &json!("invalid event")));
        assert_eq!(body["errors"][0], wrong.to_string());
        let told = reply(&Source::PagerDuty, &[refusing(401)]);
        let body: Value = serde_json::from_str(&told.body).unwrap();
        assert_eq!((told.status, &body["status"]), (401, &json!("invalid event")));
        assert!(body["errors"].is_array(), "{body}");
        let told =
            |status| -> Value { serde_json::from_str(&reply(&Source::PagerDuty, &[refusing(status)]).body).unwrap() };
        assert_eq!((&told(429)["status"], &told(503)["status"]), (&json!("throttle exceeded"), &json!("error")));
    }

    #[test]
    fn opsgenie_gets_its_202_with_a_request_id_and_goalert_an_empty_204() {
        let told = reply(&Source::Opsgenie, &[accepted()]);
        let body: Value = serde_json::from_str(&told.body).unwrap();
        assert_eq!((told.status, body["requestId"].as_str().map(str::len)), (202, Some(36)));
        assert_eq!(refusal(&Source::Opsgenie, &IntakeError::wrong("message", "nothing", "a text")).status, 422);
        let done: Value = serde_json::from_str(&processed("43a29c5c", Some("disk")).body).unwrap();
        assert_eq!((&done["data"]["isSuccess"], &done["requestId"]), (&json!(true), &json!("43a29c5c")));
        assert_eq!((&done["data"]["alertId"], &done["data"]["alias"]), (&json!("disk"), &json!("disk")));
        let told = reply(&Source::GoAlert, &[accepted()]);
        assert_eq!((told.status, told.body.as_str()), (204, ""));
    }

    #[test]
    fn a_refusal_answers_the_request_when_nothing_was_taken_or_the_tool_shall_try_again() {
        let status = |outcomes: &[Became]| reply(&Source::Alertmanager, outcomes).status;
        assert_eq!(status(&[accepted(), refusing(404)]), 200);
        assert_eq!(status(&[refusing(404), refusing(404)]), 404);
        assert_eq!(status(&[accepted(), refusing(503)]), 503);
        assert_eq!(status(&[accepted(), refusing(429)]), 429);
        assert_eq!(status(&[]), 200);
    }

    #[test]
    fn the_houses_body_has_an_entry_a_signal() {
        let settled = Became { resolved: 2, ..Became::default() };
        let told = reply(&Source::Alertmanager, &[accepted(), settled, refusing(404)]);
        let body: Value = serde_json::from_str(&told.body).unwrap();
        let statuses: Vec<_> = body["signals"].as_array().unwrap().iter().map(|s| s["status"].as_str()).collect();
        assert_eq!(statuses, [Some("accepted"), Some("settled"), Some("refused")]);
        assert_eq!(body["incident"], ID.to_string());
        assert_eq!(body["signals"][1]["incidents"], 2);
    }
}
