//! The doors of the alert tools: `/alert`, `/alertinfo`, `/in/NAME`, and the paths that PagerDuty, Opsgenie and GoAlert
//! have. What a request says is read in `src/intake`; here it is done, and answered as the tool expects.
//!
//! Easy to get wrong: a body is read before its sender is known only where it may hold the token, only a little of it,
//! and not from where too many came in vain.
//!
//! All that one request asks for is asked of the core before the first answer is awaited, so that a hundred alerts
//! share an fsync.

use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, DefaultBodyLimit, FromRequest, Request as Asked, State};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use super::alert::azure;
use super::door::Peer;
use super::reply::{Answer, Refused};
use super::{BODY_MAX, House, alert, auth, opsgenie, sns};
use crate::base::IncidentId;
use crate::incident::Token;
use crate::intake::{self, Became, Draft, Reply, Signal, Source};
use crate::shell::ask::{Raise, Settle};
use crate::shell::control::{Failure, Request};

/// The largest body that is read to find a token in it.
const UNKNOWN_MAX: usize = 64 << 10;

/// Where a path leads: the name of a source, and what stands behind its own path.
fn source_of(path: &str) -> (&str, &str) {
    match path {
        "/alert" => ("plain", ""),
        "/alertinfo" => ("alertinfo", ""),
        "/v2/enqueue" => ("pagerduty", ""),
        "/v2/change/enqueue" => ("pagerduty", "change"),
        "/api/v2/generic/incoming" => ("goalert", ""),
        _ => match (path.strip_prefix("/v2/alerts"), path.strip_prefix("/in/")) {
            (Some(rest), _) => ("opsgenie", rest.trim_start_matches('/')),
            (None, Some(name)) => name.split_once('/').unwrap_or((name, "")),
            (None, None) => ("", ""),
        },
    }
}

/// Any of them.
pub(super) async fn receive(State(house): State<House>, ConnectInfo(from): ConnectInfo<Peer>, asked: Asked) -> Answer {
    let source = house.source(source_of(asked.uri().path()).0)?;
    Ok(received(&house, from, &source, asked).await.unwrap_or_else(|refused| in_its_shape(&source, refused)))
}

/// Clients of PagerDuty and Opsgenie read their words alone; to all others hansho speaks as everywhere.
fn in_its_shape(source: &Source, refused: Refused) -> Response {
    if !matches!(source, Source::PagerDuty | Source::Opsgenie) {
        return refused.into_response();
    }
    let said = intake::reply(source, &[became(None, Err(refused.clone()))]);
    let mut response = refused.into_response();
    *response.body_mut() = Body::from(said.body);
    response
}

async fn received(house: &House, from: Peer, source: &Source, asked: Asked) -> Answer {
    let (parts, body) = asked.into_parts();
    let mut secrets = auth::presented(&parts.headers, parts.uri.query());
    let later = intake::holds_token(source) && !house.crowded(from) && !auth::opens(house, &secrets);
    let known = if later { None } else { Some(auth::admit(house, from, &secrets, "trigger")?) };
    let body = whole(house, &parts, body, if known.is_some() { BODY_MAX } else { UNKNOWN_MAX }).await;
    let body = match body {
        Err(_) if known.is_none() && house.strange(from) => {
            let why = "too many requests without a token that opens; try again in a minute";
            return Err(Refused::new(StatusCode::TOO_MANY_REQUESTS, "too_many", why));
        }
        body => body?,
    };
    let (_, path) = source_of(parts.uri.path());
    let raw = parts.uri.query().unwrap_or_default();
    // What is wrong with the letters is told to whoever has shown a token, which may stand among them.
    let (query, mut wrong) = match intake::charset::query(raw) {
        Ok(query) => (query, None),
        Err(wrong) => (form_urlencoded::parse(raw.as_bytes()).into_owned().collect(), Some(wrong)),
    };
    let headers: Vec<(String, String)> = parts
        .headers
        .iter()
        .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
        .collect();
    let content_type = headers.iter().find(|(name, _)| name == CONTENT_TYPE.as_str()).map(|(_, value)| value.as_str());
    let body = match intake::charset::body(content_type, &query, &body) {
        Ok(body) => body,
        Err(why) => {
            wrong = wrong.or(Some(why));
            body.as_ref().into()
        }
    };
    // An alert that is deleted is over.
    let path = if parts.method == Method::DELETE { &format!("{path}/close") } else { path };
    let method = if parts.method == Method::GET { intake::Method::Get } else { intake::Method::Post };
    let request = intake::Request { method, path, query: &query, headers: &headers, content_type, body: &body };
    let token = match known {
        Some(token) => token,
        None => {
            secrets.extend(intake::token(source, &request));
            auth::admit(house, from, &secrets, "trigger")?
        }
    };
    if let Some(wrong) = wrong {
        return Ok(sent(intake::refusal(source, &wrong)));
    }
    let signed = if *source == Source::Sns { Some(intake::sns::signed(&body)) } else { None };
    let signed = match signed {
        Some(Ok(signed)) => Some(sns::check(house, signed).await?),
        Some(Err(wrong)) => return Ok(sent(intake::refusal(source, &wrong))),
        None => None,
    };
    if let Some(signed) = &signed
        && sns::was_delivered(house, signed).await?
    {
        return Ok(sent(intake::reply(source, &[])));
    }
    let mut read = match intake::read(source, &request) {
        Ok(read) => read,
        Err(wrong) => return Ok(sent(intake::refusal(source, &wrong))),
    };
    if let Some(confirmation) = read.confirm {
        sns::confirm(house, confirmation).await?;
    }
    if let Some(signed) = &signed {
        sns::name_message(&mut read.signals, signed);
    }
    if *source == Source::Opsgenie {
        opsgenie::name_alerts(&mut read.signals);
    }
    let outcomes = carry_out(house, &token, source, read.signals).await;
    if *source == Source::Opsgenie
        && let Some(done) = outcomes.iter().find(|became| became.error.is_none())
        && let Some(alias) = &done.dedup
    {
        house.requests.note(intake::request_id(done), alias.clone());
    }
    let reply = intake::reply(source, &outcomes);
    if let Some(signed) = signed.filter(|_| reply.status < 300) {
        house.delivered.note(&signed, house.clock.calendar());
    }
    Ok(sent(reply))
}

/// The body, if it is not longer than this. What says beforehand that it is, is not read at all.
async fn whole(house: &House, parts: &Parts, body: Body, most: usize) -> Result<Bytes, Refused> {
    let told = || {
        let unit = if most == BODY_MAX { "1 MiB" } else { "64 KiB, where no token stands in a header or the URL" };
        Refused::from(Failure::new("too_long", format!("the body is longer than {unit}")))
    };
    let length = parts.headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if length.is_some_and(|length| length > most) {
        return Err(told());
    }
    let mut request = Asked::new(body);
    DefaultBodyLimit::max(most).apply(&mut request);
    Bytes::from_request(request, house).await.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => told(),
        _ => Refused::bad("the body broke off"),
    })
}

/// Does what is asked for; the outcomes are in the order of the signals.
async fn carry_out(house: &House, token: &Token, source: &Source, signals: Vec<Signal>) -> Vec<Became> {
    let mut under_way = Vec::with_capacity(signals.len());
    for signal in signals {
        let dedup = match &signal {
            Signal::Raise(draft) => draft.dedup.clone(),
            Signal::Resolve { dedup } | Signal::Acknowledge { dedup } => Some(dedup.clone()),
        };
        let asked = match wanted(house, token, source, signal) {
            Ok(request) => house.put(request, &token.name).await.map_err(Refused::from),
            Err(refused) => Err(house.kept(token, refused).await),
        };
        under_way.push((dedup, asked));
    }
    let mut outcomes = Vec::with_capacity(under_way.len());
    for (dedup, asked) in under_way {
        let answer = match asked {
            Ok(answer) => answer.await.unwrap_or_else(|_| Err(super::stopping())).map_err(Refused::from),
            Err(refused) => Err(refused),
        };
        outcomes.push(became(dedup, answer));
    }
    outcomes
}

fn wanted(house: &House, token: &Token, source: &Source, signal: Signal) -> Result<Request, Refused> {
    Ok(match signal {
        Signal::Raise(draft) if *source == Source::Azure => {
            let raise = azure::raise(&house.settings(), token, draft, house.call_flow_of(token));
            Request::Raise(Box::new(raise?))
        }
        Signal::Raise(draft) => Request::Raise(Box::new(raise(house, token, draft)?)),
        Signal::Resolve { dedup } => Request::Settle(Settle { dedup, taken: false }),
        Signal::Acknowledge { dedup } => Request::Settle(Settle { dedup, taken: true }),
    })
}

fn raise(house: &House, token: &Token, draft: Draft) -> Result<Raise, Refused> {
    let by = Some(token.name.clone());
    if !draft.to.is_empty() && draft.call_flow.is_none() {
        return alert::raise(&house.settings(), token, draft);
    }
    let room = alert::room_of(&house.settings(), token, &draft)?;
    let people = alert::phones(&house.settings(), &draft)?;
    let call_flow = match &draft.call_flow {
        Some(named) => named.clone(),
        None => house.call_flow_of(token)?,
    };
    let to = people.iter().map(|(phone, _)| phone.clone()).collect();
    let trigger = draft.trigger(Some(&call_flow), to, by).ok_or_else(|| Refused::bad("`call_flow`: which?"))?;
    let mut plan = alert::plan(&house.settings(), token, &trigger, &people)?;
    plan.guidance.room = room.or(plan.guidance.room);
    Ok(Raise { trigger, plan })
}

fn became(dedup: Option<String>, answer: Result<Value, Refused>) -> Became {
    match answer {
        Ok(answer) => {
            let incident: Option<IncidentId> = answer["incident"].as_str().and_then(|text| text.parse().ok());
            Became {
                incident,
                joined: answer["joined"] == true || answer["bundled"] == true,
                suppressed: answer["suppressed"] == true,
                resolved: answer["incidents"]
                    .as_u64()
                    .and_then(|count| usize::try_from(count).ok())
                    .unwrap_or_default(),
                name: answer["name"].as_str().map(str::to_owned),
                dedup,
                error: None,
            }
        }
        Err(Refused { status, failure, .. }) => {
            let error = Some(intake::Refused { status: status.as_u16(), message: failure.message });
            Became { dedup, error, ..Became::default() }
        }
    }
}

/// A reply of `src/intake` as a response.
pub(super) fn sent(reply: Reply) -> Response {
    let Reply { status, content_type, body } = reply;
    let empty = body.is_empty();
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if !empty {
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    }
    if matches!(status, 429 | 503) {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("5"));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_door_leads_to_its_source() {
        for (path, source) in [
            ("/alert", ("plain", "")),
            ("/alertinfo", ("alertinfo", "")),
            ("/in/azure", ("azure", "")),
            ("/in/opsgenie/a%2Fb/close", ("opsgenie", "a%2Fb/close")),
            ("/v2/alerts", ("opsgenie", "")),
            ("/v2/alerts/", ("opsgenie", "")),
            ("/v2/alerts/a/close", ("opsgenie", "a/close")),
            ("/v2/enqueue", ("pagerduty", "")),
            ("/v2/change/enqueue", ("pagerduty", "change")),
        ] {
            assert_eq!(source_of(path), source, "{path}");
        }
    }
}
