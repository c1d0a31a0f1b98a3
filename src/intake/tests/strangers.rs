//! What strangers send: any bytes, any JSON, and what is documented with something in it changed.

use super::documented;
use crate::intake::pigeon::{Abort, Invoke};
use crate::intake::{
    Became, Condition, Draft, IntakeError, Mapping, Method, RAISES_MAX, Read, Request, SETTLES_MAX, Signal, Source,
    read, refusal, reply, sns, token,
};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Map, Value};
use std::sync::Arc;

/// What stands in a request where its key stands; it must never come out again.
const SECRET: &str = "hansho_s3cret";

/// Words that readers look for, so that chance comes further than the first field.
const WORDS: &[&str] = &[
    "alerts",
    "status",
    "labels",
    "annotations",
    "fingerprint",
    "firing",
    "resolved",
    "alertinfo",
    "host",
    "schemaId",
    "data",
    "essentials",
    "alertId",
    "monitorCondition",
    "Fired",
    "azureMonitorCommonAlertSchema",
    "Type",
    "Message",
    "Notification",
    "SubscribeURL",
    "TopicArn",
    "AlarmName",
    "NewStateValue",
    "ALARM",
    "detail",
    "alarmName",
    "ruleId",
    "state",
    "alerting",
    "event_id",
    "event_value",
    "1",
    "0",
    "event_tags",
    "HOSTNAME",
    "NOTIFICATIONTYPE",
    "PROBLEM",
    "transition",
    "Recovered",
    "title",
    "[P1] [Recovered on {a}] b",
    "action",
    "triggered",
    "event",
    "issue_id",
    "issue",
    "metric_alert",
    "id",
    "critical",
    "heartbeat",
    "monitor",
    "msg",
    "monitorID",
    "specversion",
    "1.0",
    "source",
    "type",
    "a.resolved",
    "subject",
    "dedup",
    "event_action",
    "trigger",
    "payload",
    "summary",
    "message",
    "alias",
    "tels",
    "params",
    "callflow",
    "loopLimit",
    "contacts",
    "phones",
    "guidance",
    "reactions",
    "behavior",
    "callflowId",
    "guidanceId",
    "call_flow",
    "parameters",
    "resolve",
    "tags",
    "[",
    "[]",
    "{}",
    "\"",
    "+81",
    " 81",
    "%",
    "a/b",
    "",
];

fn sources() -> Vec<Source> {
    let at = |text: &str| text.parse().expect("a path");
    let mapping = Mapping {
        message: Some("{{title}} {{data.message}}".parse().expect("a template")),
        dedup: Some("{{id}}{{alerts[0].fingerprint}}".parse().expect("a template")),
        call_flow: Some(at("call_flow")),
        resolve_when: Some(Condition { at: at("state"), is: Vec::new() }),
        ..Mapping::default()
    };
    let each = Mapping { each: Some(at("alerts")), ..mapping.clone() };
    let named = Source::names().map(|name| name.parse().expect("a name"));
    named.chain([Source::Generic(Arc::new(mapping)), Source::Generic(Arc::new(each))]).collect()
}

fn json() -> impl Strategy<Value = Value> {
    let word = prop_oneof![3 => prop::sample::select(WORDS).prop_map(str::to_owned), 1 => ".{0,12}"];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        word.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 64, 8, move |inner| {
        let members = vec((word.clone(), inner.clone()), 0..8);
        let object = members.prop_map(|members| Value::Object(Map::from_iter(members)));
        prop_oneof![2 => object, 1 => vec(inner, 0..4).prop_map(Value::from)]
    })
}

/// Every law that holds for whatever a reader says.
fn obeys(source: &Source, read: &Result<Read, IntakeError>) {
    let told = format!("{read:?}");
    assert!(!told.contains(SECRET), "{source:?} shows a secret: {told}");
    match read {
        Ok(read) => {
            let raises = read.signals.iter().filter(|signal| matches!(signal, Signal::Raise(_))).count();
            assert!(raises <= RAISES_MAX && read.signals.len() - raises <= SETTLES_MAX, "{source:?}");
            read.signals.iter().for_each(fits);
            let outcomes: Vec<Became> = read.signals.iter().map(|_| Became::default()).collect();
            let reply = reply(source, &outcomes);
            assert!((200..300).contains(&reply.status), "{reply:?}");
        }
        Err(error) => {
            let reply = refusal(source, error);
            assert!(matches!(reply.status, 400 | 422) && !reply.body.is_empty(), "{reply:?}");
            assert!(!reply.body.contains(SECRET) && error.to_string().chars().count() < 2_000, "{reply:?}");
            assert!(error.field() != Some(""), "{error:?} names its field");
        }
    }
}

fn fits(signal: &Signal) {
    let length = |text: &str| text.chars().count();
    match signal {
        Signal::Raise(Draft { message, parameters, dedup, to, host, service, .. }) => {
            assert!(message.as_deref().is_none_or(|text| (1..=2_000).contains(&length(text))));
            assert!(parameters.len() <= 100 && to.len() <= 100);
            assert!(parameters.iter().all(|(name, text)| length(name) <= 200 && length(text) <= 2_000));
            let names = [dedup, host, service].into_iter().flatten();
            names.for_each(|name| assert!((1..=200).contains(&length(name)), "{name}"));
        }
        Signal::Resolve { dedup } | Signal::Acknowledge { dedup } => assert!((1..=200).contains(&length(dedup))),
    }
}

/// Reads one body as every source, in every way it may be called.
fn read_as_all(body: &[u8], content_type: Option<&str>, path: &str) {
    let query = [("token".to_owned(), SECRET.to_owned())];
    let headers = [("authorization".to_owned(), format!("Bearer {SECRET}"))];
    for source in sources() {
        let (query, headers) = (&query[..], &headers[..]);
        let request = Request { method: Method::Post, path, query, headers, content_type, body };
        obeys(&source, &read(&source, &request));
        let _ = token(&source, &request);
    }
    let _ = (sns::signed(body), Invoke::read(body), Abort::read(body));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read_or_refused(
        body in vec(any::<u8>(), 0..400),
        kind in prop::sample::select(&[None, Some("application/json"), Some("multipart/form-data; boundary=x"),
            Some("application/x-www-form-urlencoded"), Some("text/plain")][..]),
        path in "[a-z/%0-9]{0,20}",
    ) {
        read_as_all(&body, kind, &path);
    }

    #[test]
    fn any_json_is_read_or_refused(body in json()) {
        read_as_all(body.to_string().as_bytes(), Some("application/json"), "");
    }

    #[test]
    fn any_query_and_any_headers_are_read_or_refused(
        query in vec((prop::sample::select(WORDS), ".{0,12}"), 0..6),
        headers in vec(("ce-[a-z]{1,11}|sentry-hook-resource", prop::sample::select(WORDS)), 0..6),
    ) {
        let query: Vec<_> = query.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let headers: Vec<_> = headers.into_iter().map(|(name, value)| (name, value.to_owned())).collect();
        for (source, method) in sources().iter().flat_map(|source| [(source, Method::Get), (source, Method::Post)]) {
            let request =
                Request { method, path: "", query: &query, headers: &headers, content_type: None, body: b"{}" };
            obeys(source, &read(source, &request));
        }
    }

    #[test]
    fn a_documented_body_with_something_changed_is_read_or_refused(at in any::<prop::sample::Index>(), to in json()) {
        for curl in documented::all() {
            let Ok(mut body) = serde_json::from_str::<Value>(&curl.body) else { continue };
            let mut places = Vec::new();
            paths(&body, String::new(), &mut places);
            let place = &places[at.index(places.len())];
            if let Some(value) = body.pointer_mut(place) {
                *value = to.clone();
            }
            read_as_all(body.to_string().as_bytes(), Some("application/json"), "");
            if let Some(source) = curl.source().0 {
                let changed = body.to_string();
                let request = Request { body: changed.as_bytes(), ..curl.request() };
                obeys(&source, &read(&source, &request));
            }
        }
    }
}

/// A pointer to every value of a document.
fn paths(value: &Value, here: String, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => members.iter().for_each(|(name, inner)| {
            let name = name.replace('~', "~0").replace('/', "~1");
            paths(inner, format!("{here}/{name}"), found);
        }),
        Value::Array(items) => items.iter().enumerate().for_each(|(n, item)| paths(item, format!("{here}/{n}"), found)),
        _ => {}
    }
    found.push(here);
}

#[test]
fn a_secret_in_a_documented_body_comes_out_nowhere() {
    for curl in documented::all() {
        let Some(source) = curl.source().0 else { continue };
        let body = curl.body.replace("TOKEN", SECRET);
        let query: Vec<_> = curl.query.iter().map(|(n, v)| (n.clone(), v.replace("TOKEN", SECRET))).collect();
        let request = Request { body: body.as_bytes(), query: &query, ..curl.request() };
        let said = read(&source, &request);
        assert!(said.is_ok() && !format!("{said:?}").contains(SECRET), "{}: {said:?}", curl.path);
    }
}

#[test]
fn an_alert_of_everything_too_long_is_cut_and_not_refused() {
    let long = "あ".repeat(20_000);
    for curl in documented::all() {
        let Some(source) = curl.source().0 else { continue };
        let body = curl.body.replace("db-01", &long).replace("server1", &long).replace("TOKEN", SECRET);
        let request = Request { body: body.as_bytes(), ..curl.request() };
        let said = read(&source, &request);
        assert!(said.is_ok(), "{}: {said:?}", curl.path);
        obeys(&source, &said);
    }
}
