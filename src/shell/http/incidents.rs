//! `/v1/incidents`: raise, look, take, call off.

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::auth::{May, ToManage, ToRead, ToTrigger};
use super::look::PAGE;
use super::reply::{Answer, Refused, json};
use super::{House, alert};
use crate::base::{IdError, Phone, Trigger};
use crate::incident::State as Stands;
use crate::shell::ask::Raise;
use crate::shell::control::{Request, TriggerRequest, incident_json};

/// `POST /v1/incidents`.
pub(super) async fn raise(State(house): State<House>, May(token, _): May<ToTrigger>, body: Bytes) -> Answer {
    let mut body = parsed(&body)?;
    if let Some(fields) = body.as_object_mut()
        && fields.get("call_flow").is_none_or(Value::is_null)
    {
        fields.insert("call_flow".to_owned(), house.call_flow_of(&token)?.to_string().into());
    }
    if body.get("to").and_then(Value::as_array).is_some_and(Vec::is_empty) {
        return Err(Refused::bad("`to`: found an array of 0; accepted: whom to ring, or no `to` at all"));
    }
    let mut wanted: TriggerRequest = named(&body)?;
    for text in &mut wanted.to {
        *text = alert::number(&house.settings(), text).ok_or_else(|| alert::not_a_number(text))?.to_string();
    }
    let trigger = Trigger { by: Some(token.name.clone()), ..wanted.trigger()? };
    let people: Vec<(Phone, Option<String>)> = trigger.to.iter().map(|phone| (phone.clone(), None)).collect();
    let plan = match alert::plan(&house.settings(), &token, &trigger, &people) {
        Ok(plan) => plan,
        Err(refused) => return Err(house.kept(&token, refused).await),
    };
    let answer = house.ask(Request::Raise(Box::new(Raise { trigger, plan })), &token.name).await?;
    Ok(raised(&answer))
}

/// 201 for an incident that was not there before, 200 for one that was joined or is kept quiet about.
pub(super) fn raised(answer: &Value) -> axum::response::Response {
    let old = ["joined", "bundled", "suppressed"].iter().any(|how| answer[*how] == true);
    json(if old { StatusCode::OK } else { StatusCode::CREATED }, answer)
}

/// `GET /v1/incidents`.
pub(super) async fn all(State(house): State<House>, _: May<ToRead>, Query(page): Query<Page>) -> Answer {
    let before = page.before.map(|text| text.parse()).transpose();
    let before = before.map_err(|error: IdError| Refused::bad(format!("`before`: {error}")))?;
    let state = page.state.map(|text| {
        let known = Stands::ALL.into_iter().find(|state| state.as_str() == text);
        known.ok_or_else(|| Refused::bad(format!("`state`: `{text}` is none")))
    });
    let found = house.history.incidents(before, state.transpose()?, page.limit.unwrap_or(PAGE)).await?;
    let incidents: Vec<Value> = found.iter().map(|(id, record)| incident_json(*id, record)).collect();
    Ok(json(StatusCode::OK, &json!({ "incidents": incidents })))
}

/// `?before=ID&state=STATE&limit=N`.
#[derive(Deserialize)]
pub(super) struct Page {
    before: Option<String>,
    state: Option<String>,
    limit: Option<u32>,
}

/// `GET /v1/incidents/ID`.
pub(super) async fn one(State(house): State<House>, May(token, _): May<ToRead>, Path(id): Path<String>) -> Answer {
    let status = house.ask(Request::Status { incident: Some(id) }, &token.name).await?;
    Ok(json(StatusCode::OK, &status["incidents"][0]))
}

/// `POST /v1/incidents/ID/cancel`.
pub(super) async fn cancel(State(house): State<House>, May(token, _): May<ToManage>, Path(id): Path<String>) -> Answer {
    let answer = house.ask(Request::Cancel { incident: id }, &token.name).await?;
    Ok(json(StatusCode::OK, &answer))
}

/// `{"by": …}`, or nothing.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Claim {
    by: Option<String>,
}

/// `POST /v1/incidents/ID/acknowledge`.
pub(super) async fn acknowledge(
    State(house): State<House>,
    May(token, _): May<ToTrigger>,
    Path(id): Path<String>,
    body: Bytes,
) -> Answer {
    let Claim { by } = if body.trim_ascii().is_empty() { Claim::default() } else { read(&body)? };
    let by = by.and_then(|name| claimed(&name, &token.name));
    let answer = house.ask(Request::Acknowledge { incident: id, by }, &token.name).await?;
    Ok(json(StatusCode::OK, &answer))
}

/// The longest name that is kept, in characters.
const NAME_MAX: usize = 100;

/// A name that somebody gives is kept beside that of the token that vouches for it. Nothing where it is blank.
fn claimed(name: &str, token: &str) -> Option<String> {
    let name: String = name.chars().filter(|letter| !letter.is_control()).take(NAME_MAX).collect();
    let name = name.trim();
    (!name.is_empty()).then(|| format!("{name} (token {token})"))
}

/// `{"dedup": …}`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Resolve {
    dedup: String,
}

/// `POST /v1/resolve`.
pub(super) async fn resolve(State(house): State<House>, May(token, _): May<ToTrigger>, body: Bytes) -> Answer {
    let Resolve { dedup } = read(&body)?;
    let answer = house.ask(Request::Resolve { dedup }, &token.name).await?;
    Ok(json(StatusCode::OK, &answer))
}

/// Reads a body as JSON, or says where it is none.
pub(super) fn read<T: for<'a> Deserialize<'a>>(body: &[u8]) -> Result<T, Refused> {
    named(&parsed(body)?)
}

/// A body that is JSON, whatever it says.
pub(super) fn parsed(body: &[u8]) -> Result<Value, Refused> {
    serde_json::from_slice(body).map_err(|error| Refused::bad(format!("the body is not JSON: {error}")))
}

/// What it says; the error names the field.
fn named<T: for<'a> Deserialize<'a>>(whole: &Value) -> Result<T, Refused> {
    let Value::Object(fields) = whole else {
        return Err(Refused::bad("the body: found no object; accepted: a JSON object"));
    };
    T::deserialize(whole).map_err(|error| match culprit::<T>(fields, &error) {
        Some(name) => Refused::bad(format!("`{name}`: {error}")),
        None => Refused::bad(format!("the body: {error}")),
    })
}

/// The field that an error is about: without it the body has another error, or none.
fn culprit<T: for<'a> Deserialize<'a>>(fields: &Map<String, Value>, error: &serde_json::Error) -> Option<String> {
    let error = error.to_string();
    let is_other = |name: &&String| {
        let rest: Map<String, Value> = fields
            .iter()
            .filter(|(other, _)| other != name)
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        T::deserialize(Value::Object(rest)).err().is_none_or(|without| without.to_string() != error)
    };
    fields.keys().filter(|_| fields.len() <= FIELDS_MAX).find(is_other).cloned()
}

/// In an object of more fields, the wrong one is not looked for.
const FIELDS_MAX: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_in_a_body_is_named_with_its_field() {
        let said =
            |body: &str| read::<crate::shell::control::TriggerRequest>(body.as_bytes()).unwrap_err().failure.message;
        let wrong = said(r#"{"call_flow":"night","dedup":7,"message":"m"}"#);
        assert!(wrong.starts_with("`dedup`: ") && wrong.contains("`7`"), "{wrong}");
        assert!(said(r#"{"call_flow":"night","parameters":{"a":1}}"#).starts_with("`parameters`: "));
        assert!(said(r#"{"message":"m"}"#).contains("call_flow"));
        for none in ["[]", "\"text\"", "[\"night\",null,{},null,null,[],null,null]"] {
            assert!(said(none).contains("a JSON object"), "{none}");
        }
        let many: Map<String, Value> = (0..100_000).map(|n| (n.to_string(), n.into())).collect();
        assert!(said(&Value::Object(many).to_string()).contains("unknown field"));
    }

    #[test]
    fn whoever_takes_it_by_a_name_of_their_own_is_kept_beside_the_token() {
        assert_eq!(claimed("山田\u{1b}[2J\n", "console").as_deref(), Some("山田[2J (token console)"));
        assert_eq!(claimed(" \n", "console"), None);
        assert!(claimed(&"x".repeat(1 << 20), "console").is_some_and(|name| name.len() < 200));
    }
}
