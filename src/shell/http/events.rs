//! `/v1/events`: what happens, as it happens, as server-sent events. The same objects as on the control socket.
//!
//! Easy to get wrong: a token that is revoked or expires opens nothing more, and a stream that it opened is still open.

use core::pin::Pin;
use core::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use futures_core::Stream;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc;

use super::House;
use super::auth::{May, ToRead};
use super::reply::{Answer, Refused};
use crate::base::IncidentId;
use crate::shell::events::line;

/// Something is sent at least so often, so that a connection that died is noticed and none is cut for its silence.
const ALIVE: Duration = Duration::from_secs(15);
/// Events that may wait for a slow client before it misses some.
const BEHIND: usize = 256;

/// `?incident=ID`.
#[derive(Deserialize)]
pub(super) struct Which {
    incident: Option<String>,
}

/// `GET /v1/events`.
pub(super) async fn watch(
    State(house): State<House>,
    May(token, _): May<ToRead>,
    Query(which): Query<Which>,
) -> Answer {
    let incident = which.incident.map(|text| text.parse::<IncidentId>()).transpose();
    let incident = incident.map_err(|error| Refused::bad(error.to_string()))?;
    let place = house.watchers.clone().try_acquire_owned().map_err(|_| {
        Refused::new(StatusCode::TOO_MANY_REQUESTS, "too_many", "too many watch already: end some that watch")
    })?;
    let (out, told) = mpsc::channel(BEHIND);
    tokio::spawn(async move {
        tokio::select! {
            () = feed(&house, incident, &out) => {}
            () = house.tokens.closed(token.id, &house.clock) => {}
        }
        drop(place);
    });
    let mut response = Response::new(Body::from_stream(Told(told)));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// Sends until the client is gone or the daemon ends.
async fn feed(house: &House, incident: Option<IncidentId>, out: &mpsc::Sender<Bytes>) {
    let mut events = house.events.subscribe();
    let mut ending = house.ending.clone();
    // Something at once: a client knows that it watches, and misses nothing from here on.
    let mut next = Bytes::from_static(b": watching\n\n");
    loop {
        if out.send(next).await.is_err() {
            return;
        }
        next = loop {
            tokio::select! {
                event = events.recv() => match event {
                    Ok(event) if incident.is_some() && event.incident != incident => {}
                    Ok(event) => break said(&line(&event)),
                    Err(RecvError::Lagged(missed)) => {
                        break said(&json!({ "event": "watch.lagged", "missed": missed }));
                    }
                    Err(RecvError::Closed) => return,
                },
                _ = ending.wait_for(|end| *end) => return,
                () = out.closed() => return,
                () = tokio::time::sleep(ALIVE) => break Bytes::from_static(b": still here\n\n"),
            }
        };
    }
}

/// One event in the format of the HTML standard, §9.2.
fn said(event: &Value) -> Bytes {
    format!("event: {}\ndata: {event}\n\n", event["event"].as_str().unwrap_or_default()).into()
}

/// What the feed sends, as a body wants it.
struct Told(mpsc::Receiver<Bytes>);

impl Stream for Told {
    type Item = Result<Bytes, core::convert::Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(context).map(|bytes| bytes.map(Ok))
    }
}
