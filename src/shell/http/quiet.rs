//! `/v1/suppressions`: promises to stay quiet, shown, given and taken back.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;

use super::House;
use super::auth::{May, ToManage, ToRead};
use super::incidents::read;
use super::reply::{Answer, Refused, json};
use crate::shell::control::{Request, SuppressRequest};

/// `GET /v1/suppressions`.
pub(super) async fn all(State(house): State<House>, May(token, _): May<ToRead>) -> Answer {
    let answer = house.ask(Request::Suppressions, &token.name).await?;
    Ok(json(StatusCode::OK, &answer))
}

/// `POST /v1/suppressions`.
pub(super) async fn suppress(State(house): State<House>, May(token, _): May<ToManage>, body: Bytes) -> Answer {
    let wanted: SuppressRequest = read(&body)?;
    let answer = house.ask(Request::Suppress(wanted), &token.name).await?;
    Ok(json(StatusCode::CREATED, &answer))
}

/// `DELETE /v1/suppressions/N`.
pub(super) async fn lift(
    State(house): State<House>,
    May(token, _): May<ToManage>,
    Path(number): Path<String>,
) -> Answer {
    let suppression = number.parse().map_err(|_| Refused::bad(format!("`{number}` is no number of a suppression")))?;
    let answer = house.ask(Request::Lift { suppression }, &token.name).await?;
    Ok(json(StatusCode::OK, &answer))
}
