//! PagerDuty's Events API v2, `POST /v2/enqueue`: every tool that speaks it needs only a new host name.
//!
//! `trigger`, `acknowledge` and `resolve` of one `dedup_key`. A trigger without a key gets one made of what it says, so
//! that the reply can name it and a second sending of the same event joins the first. The `routing_key` is a token and
//! is read by [`super::token()`] alone.

use super::json::{self, Node};
use super::limit::{self, Parameters};
use super::{Draft, IntakeError, Read, Request, Signal};

const ACTIONS: &str = "`trigger`, `acknowledge` or `resolve`";

/// The event of the body. A change event (`/v2/change/enqueue`) says what was deployed, and calls nobody there either.
pub(super) fn read(request: &Request<'_>) -> Result<Read, IntakeError> {
    if request.path == "change" {
        return Ok(Read::default());
    }
    let body = json::parse(request.body, "the JSON of a PagerDuty event")?;
    let body = Node::root(&body)?;
    let (action, key) = (body.get("event_action"), body.get("dedup_key"));
    let dedup = key.text("a text")?.as_deref().and_then(limit::dedup);
    let settled = || dedup.clone().ok_or_else(|| key.wrong("the dedup_key of the event that triggered"));
    let signal = match action.needed(ACTIONS)?.as_str() {
        "trigger" => Signal::Raise(draft(&body, dedup)?),
        "acknowledge" => Signal::Acknowledge { dedup: settled()? },
        "resolve" => Signal::Resolve { dedup: settled()? },
        other => return Err(IntakeError::text(action.path(), other, ACTIONS)),
    };
    Ok(signal.into())
}

fn draft(body: &Node<'_>, dedup: Option<String>) -> Result<Draft, IntakeError> {
    let payload = body.get("payload");
    let summary = payload.get("summary").needed("the text that says what happened")?;
    let made = || limit::digest(&payload.value().map(ToString::to_string).unwrap_or_default());
    let mut parameters = Parameters::default();
    for name in ["source", "severity", "component", "group", "class", "timestamp"] {
        parameters.put_some(name, payload.get(name).any().as_deref());
    }
    match payload.get("custom_details") {
        details if details.any().is_some() => parameters.put_some("custom_details", details.any().as_deref()),
        details => details.put_all(&mut parameters),
    }
    body.put_named(&mut parameters, &[("client", "client"), ("client_url", "client_url")]);
    Ok(Draft {
        message: limit::spoken(&summary),
        host: payload.first(&["source"]).as_deref().and_then(limit::name),
        service: payload.first(&["component", "class"]).as_deref().and_then(limit::name),
        parameters: parameters.done(),
        dedup: dedup.or_else(|| Some(made())),
        ..Draft::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intake::tests::json;

    fn posted(body: &str) -> Result<Read, IntakeError> {
        read(&json(body))
    }

    fn raised(body: &str) -> Draft {
        match posted(body).unwrap().signals.pop() {
            Some(Signal::Raise(draft)) => draft,
            other => panic!("no raise: {other:?}"),
        }
    }

    #[test]
    fn a_trigger_brings_its_summary_its_source_and_its_details() {
        let draft = raised(
            r#"{"routing_key": "s3cret", "event_action": "trigger", "dedup_key": "disk-db-01", "client": "cron",
                "payload": {"summary": "Disk full on db-01", "source": "db-01", "severity": "critical",
                            "component": "mysql", "group": "prod", "class": "disk",
                            "custom_details": {"free": "1%", "routing_key": "s3cret", "list": [1, 2]}}}"#,
        );
        assert_eq!(draft.message.as_deref(), Some("Disk full on db-01"));
        assert_eq!((draft.host.as_deref(), draft.service.as_deref()), (Some("db-01"), Some("mysql")));
        assert_eq!(draft.dedup.as_deref(), Some("disk-db-01"));
        assert_eq!(draft.parameters["free"], "1%");
        assert!(!format!("{draft:?}").contains("s3cret"), "{draft:?}");
    }

    #[test]
    fn a_key_is_made_where_there_is_none_and_the_same_event_gets_the_same() {
        let body = |summary| format!(r#"{{"event_action": "trigger", "payload": {{"summary": "{summary}"}}}}"#);
        assert_eq!(raised(&body("a")).dedup, raised(&body("a")).dedup);
        assert_ne!(raised(&body("a")).dedup, raised(&body("b")).dedup);
    }

    #[test]
    fn acknowledge_and_resolve_go_by_the_key() {
        let body = |action| format!(r#"{{"event_action": "{action}", "dedup_key": "k"}}"#);
        let dedup = || "k".to_owned();
        assert_eq!(posted(&body("acknowledge")).unwrap().signals, [Signal::Acknowledge { dedup: dedup() }]);
        assert_eq!(posted(&body("resolve")).unwrap().signals, [Signal::Resolve { dedup: dedup() }]);
        let error = posted(r#"{"event_action": "resolve"}"#).unwrap_err();
        assert_eq!(error.field(), Some("dedup_key"));
    }

    #[test]
    fn what_is_missing_is_named() {
        assert_eq!(posted(r#"{"payload": {}}"#).unwrap_err().field(), Some("event_action"));
        assert_eq!(posted(r#"{"event_action": "trigger"}"#).unwrap_err().field(), Some("payload.summary"));
    }
}
