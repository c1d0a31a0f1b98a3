//! `/v1/status` and `/v1/calls`: what was called and what is up, read from the journal and from the core.

use axum::extract::{Query, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::House;
use super::auth::{May, ToRead};
use super::reply::{Answer, json};
use crate::shell::control::{Request, attempt_json};

/// How much is shown where nobody says how much.
pub(super) const PAGE: u32 = 50;

/// `?before=SEQ&limit=N`.
#[derive(Deserialize)]
pub(super) struct Page {
    before: Option<i64>,
    limit: Option<u32>,
}

/// `GET /v1/calls`.
pub(super) async fn calls(State(house): State<House>, _: May<ToRead>, Query(page): Query<Page>) -> Answer {
    let calls = house.history.calls(page.before, page.limit.unwrap_or(PAGE)).await?;
    let calls: Vec<Value> = calls
        .iter()
        .map(|call| {
            let mut value = attempt_json(&call.attempt);
            value["incident"] = call.incident.to_string().into();
            value["seq"] = call.seq.into();
            value
        })
        .collect();
    Ok(json(StatusCode::OK, &json!({ "calls": calls })))
}

/// `GET /v1/status`.
pub(super) async fn status(State(house): State<House>, May(token, _): May<ToRead>) -> Answer {
    let status = house.ask(Request::Status { incident: None }, &token.name).await?;
    Ok(json(StatusCode::OK, &status))
}
