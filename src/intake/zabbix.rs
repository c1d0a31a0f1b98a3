//! Zabbix: what the script of our media type posts (docs/intake.md has the script).
//!
//! A problem is known by its event's id, which recovery and update messages repeat. Easy to get wrong: a macro that
//! Zabbix cannot resolve stays in the text as `{EVENT.…}` or becomes `*UNKNOWN*`; such a value is no value.

use super::form;
use super::json::Node;
use super::limit::{self, Parameters};
use super::{Draft, IntakeError, Read, Request, Signal};
use serde_json::Value;

const VALUES: &str = "`1` (problem) or `0` (recovery)";

/// The parameters of the media type, as JSON or as a form.
pub(super) fn read(request: &Request<'_>) -> Result<Read, IntakeError> {
    let mut fields = form::fields(request)?;
    fields.retain(|_, value| !value.as_str().is_some_and(unresolved));
    let fields = Value::Object(fields);
    let fields = Node::root(&fields)?;
    let (id, value) = (fields.get("event_id"), fields.get("event_value"));
    let event = id.needed("the id of the event, {EVENT.ID}")?;
    let dedup = limit::dedup(&format!("zabbix:{event}")).ok_or_else(|| id.wrong("a text"))?;
    if fields.get("event_update_status").any().as_deref() == Some("1") {
        return Ok(update(&fields, dedup));
    }
    match value.needed(VALUES)?.as_str() {
        "1" => Ok(Signal::Raise(draft(&fields, &event, dedup)).into()),
        "0" => Ok(Signal::Resolve { dedup }.into()),
        other => Err(IntakeError::text(value.path(), other, VALUES)),
    }
}

/// Somebody did something to the problem in Zabbix: only two of those things concern us.
fn update(fields: &Node<'_>, dedup: String) -> Read {
    let action = fields.get("event_update_action").any().unwrap_or_default().to_lowercase();
    let did = |what: &str| action.split(',').any(|each| each.trim() == what);
    if did("closed") {
        Signal::Resolve { dedup }.into()
    } else if did("acknowledged") {
        Signal::Acknowledge { dedup }.into()
    } else {
        Read::default()
    }
}

fn draft(fields: &Node<'_>, event: &str, dedup: String) -> Draft {
    let mut parameters = Parameters::default();
    tags(fields, &mut parameters);
    parameters.put("event_id", event);
    for (name, member) in fields.members().filter(|(name, _)| !matches!(*name, "event_tags" | "url")) {
        parameters.put_some(name, member.any().as_deref());
    }
    let (host, name) = (fields.first(&["host"]), fields.first(&["event_name", "subject"]));
    let named = || Some([host.as_deref()?, name.as_deref()?].join(": "));
    Draft {
        message: named()
            .or_else(|| fields.first(&["event_name", "subject", "message"]))
            .as_deref()
            .and_then(limit::spoken),
        service: fields.first(&["service", "item", "trigger_name"]).or(name.clone()).as_deref().and_then(limit::name),
        host: host.as_deref().and_then(limit::name),
        parameters: parameters.done(),
        dedup: Some(dedup),
        ..Draft::default()
    }
}

/// `{EVENT.TAGSJSON}`: an array of `{"tag", "value"}`, in the body as a text or as it is.
fn tags(fields: &Node<'_>, parameters: &mut Parameters) {
    let place = fields.get("event_tags");
    let read: Option<Value> = match place.value() {
        Some(Value::String(text)) => serde_json::from_str(text).ok(),
        other => other.cloned(),
    };
    for tag in read.as_ref().and_then(Value::as_array).into_iter().flatten() {
        let tag = Node::at(tag, "event_tags");
        if let (Some(name), Some(value)) = (tag.first(&["tag"]), tag.first(&["value"])) {
            parameters.put(&name, &value);
        }
    }
}

fn unresolved(text: &str) -> bool {
    let text = text.trim();
    let macro_name =
        |name: &str| name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b".#_".contains(&b));
    let is_macro = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).is_some_and(macro_name);
    is_macro && text.len() > 2 || text == "*UNKNOWN*"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intake::tests::json;

    fn posted(body: &str) -> Result<Vec<Signal>, IntakeError> {
        read(&json(body)).map(|read| read.signals)
    }

    #[test]
    fn a_problem_is_raised_with_its_tags() {
        let signals = posted(
            r#"{"event_id": "1234", "event_value": 1, "event_update_status": "{EVENT.UPDATE.STATUS}",
                "event_name": "Disk is full", "host": "db-01", "severity": "Disaster", "item": "*UNKNOWN*",
                "event_tags": "[{\"tag\": \"scope\", \"value\": \"capacity\"}]", "token": "s3cret"}"#,
        )
        .unwrap();
        let [Signal::Raise(draft)] = &signals[..] else { panic!("{signals:?}") };
        assert_eq!(draft.message.as_deref(), Some("db-01: Disk is full"));
        assert_eq!((draft.host.as_deref(), draft.service.as_deref()), (Some("db-01"), Some("Disk is full")));
        assert_eq!(draft.parameters["scope"], "capacity");
        assert_eq!(draft.dedup.as_deref(), Some("zabbix:1234"));
        assert!(!format!("{draft:?}").contains("s3cret"));
    }

    #[test]
    fn recovery_resolves_and_an_update_does_what_it_says() {
        let dedup = || "zabbix:1234".to_owned();
        let recovery = posted(r#"{"event_id": 1234, "event_value": "0"}"#).unwrap();
        assert_eq!(recovery, [Signal::Resolve { dedup: dedup() }]);
        let update = |action: &str| {
            let body = format!(
                r#"{{"event_id": 1234, "event_value": 1, "event_update_status": 1, "event_update_action": "{action}"}}"#
            );
            posted(&body).unwrap()
        };
        assert_eq!(update("acknowledged, commented"), [Signal::Acknowledge { dedup: dedup() }]);
        assert_eq!(update("closed"), [Signal::Resolve { dedup: dedup() }]);
        assert_eq!(update("commented"), []);
        assert_eq!(update("unacknowledged"), []);
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert_eq!(posted(r#"{"event_id": "{EVENT.ID}"}"#).unwrap_err().field(), Some("event_id"));
        assert_eq!(posted(r#"{"event_id": 1, "event_value": 2}"#).unwrap_err().field(), Some("event_value"));
    }
}
