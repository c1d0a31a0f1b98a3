//! `/v1/rooms`: who is in which, and what an operator may do to them.
//!
//! Easy to get wrong: to ask somebody into a room is to dial, so a number that is no contact's wants the scope `dial:any`,
//! and a refusal at this door is written down like all others.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::Value;

use super::House;
use super::auth::{May, ToManage, ToRead};
use super::incidents::read;
use super::reply::{Answer, Refused, json};
use crate::incident::Token;
use crate::shell::control::{Request, SayRequest, member};
use crate::shell::orders;

/// `GET /v1/rooms`.
pub(super) async fn all(State(house): State<House>, May(token, _): May<ToRead>) -> Answer {
    done(&house, &token, Request::RoomList).await
}

/// `{"text": …, "language": …}`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Say {
    text: String,
    #[serde(default)]
    language: Option<String>,
}

/// `POST /v1/rooms/ID/say`.
pub(super) async fn say(
    State(house): State<House>,
    May(token, _): May<ToManage>,
    Path(room): Path<String>,
    body: Bytes,
) -> Answer {
    let Say { text, language } = read(&body)?;
    done(&house, &token, Request::RoomSay(SayRequest { room, text, language })).await
}

/// `{"member": …, "off": …}`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Mute {
    #[serde(deserialize_with = "member")]
    member: String,
    #[serde(default)]
    off: bool,
}

/// `POST /v1/rooms/ID/mute`.
pub(super) async fn mute(
    State(house): State<House>,
    May(token, _): May<ToManage>,
    Path(room): Path<String>,
    body: Bytes,
) -> Answer {
    let Mute { member, off } = read(&body)?;
    done(&house, &token, Request::RoomMute { room, member, off }).await
}

/// `{"member": …}`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Kick {
    #[serde(deserialize_with = "member")]
    member: String,
}

/// `POST /v1/rooms/ID/kick`.
pub(super) async fn kick(
    State(house): State<House>,
    May(token, _): May<ToManage>,
    Path(room): Path<String>,
    body: Bytes,
) -> Answer {
    let Kick { member } = read(&body)?;
    done(&house, &token, Request::RoomKick { room, member }).await
}

/// `{"off": …}`, or nothing.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Lock {
    #[serde(default)]
    off: bool,
}

/// `POST /v1/rooms/ID/lock`.
pub(super) async fn lock(
    State(house): State<House>,
    May(token, _): May<ToManage>,
    Path(room): Path<String>,
    body: Bytes,
) -> Answer {
    let Lock { off } = if body.trim_ascii().is_empty() { Lock::default() } else { read(&body)? };
    done(&house, &token, Request::RoomLock { room, off }).await
}

/// `{"to": …}`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Dial {
    to: String,
}

/// `POST /v1/rooms/ID/dial`.
pub(super) async fn dial(
    State(house): State<House>,
    May(token, _): May<ToManage>,
    Path(room): Path<String>,
    body: Bytes,
) -> Answer {
    let Dial { to } = read(&body)?;
    let found = orders::invitee(&house.settings(), &to)?;
    if found.stranger && !token.scopes.contains("dial:any") {
        let refused = Refused::from(found.not_here()).about(&found.phone);
        return Err(house.kept(&token, refused).await);
    }
    done(&house, &token, orders::ring(room, found)).await
}

async fn done(house: &House, token: &Token, request: Request) -> Answer {
    let answer: Value = house.ask(request, &token.name).await?;
    Ok(json(StatusCode::OK, &answer))
}
