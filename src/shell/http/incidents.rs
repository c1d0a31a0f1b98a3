//! `/v1/incidents`: raise, look, take, call off.

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::House;
use super::auth::{May, ToManage, ToRead, ToTrigger};
use super::look::PAGE;
use super::reply::{Answer, Refused, json};
use crate::base::IdError;
use crate::incident::State as Stands;
use crate::shell::control::{Request, TriggerRequest, incident_json};

/// `POST /v1/incidents`.
pub(super) async fn raise(State(house): State<House>, May(token, _): May<ToTrigger>, body: Bytes) -> Answer {
    let mut body: Value = read(&body)?;
    if let Some(fields) = body.as_object_mut()
        && fields.get("call_flow").is_none_or(Value::is_null)
    {
        fields.insert("call_flow".to_owned(), house.call_flow_of(&token)?.to_string().into());
    }
    let wanted: TriggerRequest =
        serde_json::from_value(body).map_err(|error| Refused::bad(format!("the body: {error}")))?;
    let answer = house.ask(Request::Trigger(wanted), &token.name).await?;
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
    let answer = house.ask(Request::Acknowledge { incident: id, by }, &token.name).await?;
    Ok(json(StatusCode::OK, &answer))
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
    serde_json::from_slice(body).map_err(|error| Refused::bad(format!("the body: {error}")))
}
