//! `POST /in/slack`: the button of a Slack message that takes an incident. Slack's signature is the token.
//!
//! The signature is over the body, so the body has to be read before it is known who sends it: only where the headers
//! could be Slack's, and only as much as a press has.

use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use super::House;
use super::door::Peer;
use super::reply::Refused;
use crate::shell::control::Request;
use crate::shell::notify::{NotPressed, pressed, seems_signed};

/// The largest body: the message with the button comes back in it, each of its letters as up to eight.
const PRESS_MAX: usize = 128 << 10;

/// Slack wants an answer within three seconds and shows none of it, so what came of the press is seen in the message.
pub(super) async fn take(
    State(house): State<House>,
    ConnectInfo(from): ConnectInfo<Peer>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let settings = house.settings();
    let secret = settings.notify.slack.as_ref().and_then(|slack| slack.signing_secret.as_ref());
    let Some(secret) = secret else {
        return Refused::new(StatusCode::NOT_FOUND, "not_found", "[notify.slack] has no signing_secret")
            .into_response();
    };
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let now = house.clock.calendar().as_unix_micros() / 1_000_000;
    let (time, signature) = (header("X-Slack-Request-Timestamp"), header("X-Slack-Signature"));
    let refused = |why: NotPressed| {
        let status = if house.strange(from) { StatusCode::TOO_MANY_REQUESTS } else { StatusCode::UNAUTHORIZED };
        Refused::new(status, "unauthorized", why.to_string()).into_response()
    };
    if !seems_signed(time, signature, now) {
        return refused(NotPressed::NotSlack);
    }
    let Ok(body) = to_bytes(body, PRESS_MAX).await else {
        return Refused::new(StatusCode::PAYLOAD_TOO_LARGE, "too_long", "the body is longer than 128 KiB")
            .into_response();
    };
    match pressed(secret.reveal(), time, signature, &body, now) {
        Ok(press) => {
            house.welcome(from);
            let ask = Request::Acknowledge { incident: press.incident.to_string(), by: Some(press.by) };
            if let Err(failure) = house.ask(ask, "slack").await {
                tracing::info!(incident = %press.incident, why = failure.message, "a press in Slack came to nothing");
            }
            StatusCode::OK.into_response()
        }
        Err(why @ NotPressed::NotSlack) => refused(why),
        Err(why @ NotPressed::NoButton) => Refused::bad(why.to_string()).into_response(),
    }
}
