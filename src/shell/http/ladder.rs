//! `/v1/incidents/ID/ladder`, `/v1/ladder`, and both as `.pcap`: what was said in SIP.

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_DISPOSITION, HeaderValue};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::Value;

use super::House;
use super::auth::{May, ToRead};
use super::reply::{Answer, Refused, json, with_type};
use crate::shell::control::{Failure, LadderRequest, Request};

/// What libpcap's files are called (by IANA).
const CAPTURE: &str = "application/vnd.tcpdump.pcap";

/// `?attempt=N`.
#[derive(Deserialize)]
pub(super) struct Which {
    attempt: Option<u32>,
}

/// `?call=CALL-ID`.
#[derive(Deserialize)]
pub(super) struct OfCall {
    call: Option<String>,
}

/// `GET /v1/incidents/ID/ladder`.
pub(super) async fn shown(
    State(house): State<House>,
    May(token, _): May<ToRead>,
    Path(id): Path<String>,
    Query(Which { attempt }): Query<Which>,
) -> Answer {
    let wanted = LadderRequest { incident: Some(id), attempt, ..LadderRequest::default() };
    Ok(json(StatusCode::OK, &asked(&house, wanted, &token.name).await?))
}

/// `GET /v1/incidents/ID/ladder.pcap`.
pub(super) async fn captured(
    State(house): State<House>,
    May(token, _): May<ToRead>,
    Path(id): Path<String>,
    Query(Which { attempt }): Query<Which>,
) -> Answer {
    let wanted = LadderRequest { incident: Some(id), attempt, pcap: true, call: None };
    as_file(&asked(&house, wanted, &token.name).await?)
}

/// `GET /v1/ladder`.
pub(super) async fn outside(
    State(house): State<House>,
    May(token, _): May<ToRead>,
    Query(OfCall { call }): Query<OfCall>,
) -> Answer {
    let wanted = LadderRequest { call, ..LadderRequest::default() };
    Ok(json(StatusCode::OK, &asked(&house, wanted, &token.name).await?))
}

/// `GET /v1/ladder.pcap`.
pub(super) async fn outside_captured(
    State(house): State<House>,
    May(token, _): May<ToRead>,
    Query(OfCall { call }): Query<OfCall>,
) -> Answer {
    let wanted = LadderRequest { call, pcap: true, ..LadderRequest::default() };
    as_file(&asked(&house, wanted, &token.name).await?)
}

fn as_file(answer: &Value) -> Answer {
    let file = STANDARD.decode(answer["pcap"].as_str().unwrap_or_default());
    let file = file.map_err(|error| Refused::from(Failure::new("internal", error.to_string())))?;
    let mut response = with_type(StatusCode::OK, CAPTURE, file);
    response
        .headers_mut()
        .insert(CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"ladder.pcap\""));
    Ok(response)
}

async fn asked(house: &House, wanted: LadderRequest, by: &str) -> Result<Value, Refused> {
    Ok(house.ask(Request::Ladder(wanted), by).await?)
}
