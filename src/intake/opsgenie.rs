//! Opsgenie's Alert API: `POST /v2/alerts`, and `…/{identifier}/close` or `/acknowledge`. What is deleted there is closed.
//!
//! An alert is known by its `alias`. What has none opens an incident each time, as it does there, and can only be
//! closed in hansho. Actions that change no ringing (notes, tags, snooze, assign) are taken and do nothing.

use super::form::decoded;
use super::json::{self, Node};
use super::limit::{self, Parameters};
use super::{Draft, IntakeError, Read, Request, Signal};

/// Actions on an alert that ask for nothing here.
const NOTHING: &[&str] = &[
    "unacknowledge",
    "snooze",
    "escalate",
    "assign",
    "notes",
    "tags",
    "details",
    "actions",
    "teams",
    "responders",
    "priority",
    "message",
    "description",
];

/// The alert of the body, or the action of the path.
pub(super) fn read(request: &Request<'_>) -> Result<Read, IntakeError> {
    let mut path = request.path.split('/').filter(|part| !part.is_empty() && !matches!(*part, "v2" | "alerts"));
    let (Some(identifier), action) = (path.next(), path.next()) else { return create(request) };
    let key = || {
        let key = limit::dedup(&decoded(identifier));
        key.ok_or_else(|| IntakeError::text("identifier", identifier, "the alias of an alert"))
    };
    match action {
        Some("close") => Ok(Signal::Resolve { dedup: key()? }.into()),
        Some("acknowledge") => Ok(Signal::Acknowledge { dedup: key()? }.into()),
        Some(action) if NOTHING.contains(&action) => Ok(Read::default()),
        other => Err(IntakeError::text("path", other.unwrap_or_default(), "`ALIAS/close` or `ALIAS/acknowledge`")),
    }
}

/// The key of an alert by its identifier, which is decoded already.
pub fn alias(identifier: &str) -> Option<String> {
    limit::dedup(identifier)
}

fn create(request: &Request<'_>) -> Result<Read, IntakeError> {
    let body = json::parse(request.body, "the JSON of an Opsgenie alert")?;
    let body = Node::root(&body)?;
    let message = body.get("message").needed("the text that says what happened")?;
    let mut parameters = Parameters::default();
    for name in ["alias", "description", "entity", "source", "priority", "user", "note"] {
        parameters.put_some(name, body.get(name).any().as_deref());
    }
    let tags: Vec<String> = body.get("tags").items().unwrap_or_default().iter().filter_map(Node::any).collect();
    parameters.put("tags", &tags.join(", "));
    let details = body.get("details");
    details.put_all(&mut parameters);
    let draft = Draft {
        message: limit::spoken(&message),
        host: details.first(&["host"]).or_else(|| body.first(&["entity"])).as_deref().and_then(limit::name),
        service: details.first(&["service"]).as_deref().and_then(limit::name),
        dedup: body.get("alias").text("a text")?.as_deref().and_then(limit::dedup),
        parameters: parameters.done(),
        ..Draft::default()
    };
    Ok(Signal::Raise(draft).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intake::Method;

    fn sent(path: &str, body: &str) -> Result<Vec<Signal>, IntakeError> {
        let (query, headers, content_type) = (&[][..], &[][..], Some("application/json"));
        let request = Request { method: Method::Post, path, query, headers, content_type, body: body.as_bytes() };
        read(&request).map(|read| read.signals)
    }

    #[test]
    fn an_alert_is_raised_under_its_alias() {
        let body = r#"{"message": "Disk full", "alias": "disk/db-01", "entity": "db-01", "priority": "P1",
                       "tags": ["prod", "disk"], "details": {"service": "mysql", "free": 1}}"#;
        for path in ["", "v2/alerts", "/v2/alerts/"] {
            let signals = sent(path, body).unwrap();
            let [Signal::Raise(draft)] = &signals[..] else { panic!("{signals:?}") };
            assert_eq!(draft.message.as_deref(), Some("Disk full"));
            assert_eq!(draft.dedup.as_deref(), Some("disk/db-01"));
            assert_eq!((draft.host.as_deref(), draft.service.as_deref()), (Some("db-01"), Some("mysql")));
            assert_eq!((draft.parameters["tags"].as_str(), draft.parameters["free"].as_str()), ("prod, disk", "1"));
        }
    }

    #[test]
    fn closing_and_acknowledging_go_by_the_path() {
        let dedup = || "disk/db-01".to_owned();
        assert_eq!(sent("disk%2Fdb-01/close", "{}").unwrap(), [Signal::Resolve { dedup: dedup() }]);
        let acknowledged = sent("v2/alerts/disk%2Fdb-01/acknowledge", "").unwrap();
        assert_eq!(acknowledged, [Signal::Acknowledge { dedup: dedup() }]);
        assert_eq!(sent("a/notes", "{}").unwrap(), []);
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert_eq!(sent("", "{}").unwrap_err().field(), Some("message"));
        assert_eq!(sent("a/dance", "{}").unwrap_err().field(), Some("path"));
    }
}
