//! Datadog's webhooks integration, with the payload of docs/intake.md or its default one.
//!
//! The default payload has no transition and no key; then both are read out of the title, `[Recovered on {host:a}] CPU`.
//! Easy to get wrong: a variable that does not apply stays in the text as `$HOSTNAME`, or becomes `null`.

use super::form;
use super::json::Node;
use super::limit::{self, Parameters};
use super::{Draft, IntakeError, Read, Request, Signal};
use serde_json::Value;

const TRANSITIONS: &str = "`Triggered`, `Recovered` or another of Datadog's transitions";

/// The payload, as JSON or as a form.
pub(super) fn read(request: &Request<'_>) -> Result<Read, IntakeError> {
    let mut fields = form::fields(request)?;
    fields.retain(|_, value| !value.as_str().is_some_and(unresolved));
    let fields = Value::Object(fields);
    let fields = Node::root(&fields)?;
    let title = fields.first(&["title", "alert_title", "event_title"]);
    let told = title.as_deref().map(Title::of).unwrap_or_default();
    let transition = fields.first(&["transition", "alert_transition"]).or_else(|| told.transition.map(str::to_owned));
    let place = fields.get("transition");
    let Some(transition) = transition.map(|said| said.to_lowercase()) else {
        // An event that somebody posted by hand has no transition: they want to be heard.
        let key = fields.first(&["id"]).and_then(|id| limit::dedup(&format!("datadog:event/{id}")));
        return match title {
            Some(_) => Ok(Signal::Raise(draft(&fields, &told, key)).into()),
            None => Err(place.wrong(TRANSITIONS)),
        };
    };
    let dedup = key(&fields, &told);
    let says = |word: &str| transition.contains(word);
    if says("recovered") {
        let dedup = dedup.ok_or_else(|| fields.get("alert_cycle_key").wrong("the key of what is over, or a title"))?;
        return Ok(Signal::Resolve { dedup }.into());
    }
    if ["triggered", "no data", "warn", "renotify", "alert", "error"].into_iter().any(says) {
        return Ok(Signal::Raise(draft(&fields, &told, dedup)).into());
    }
    Err(IntakeError::text(place.path(), &transition, TRANSITIONS))
}

/// What stays the same from the trigger to the recovery.
fn key(fields: &Node<'_>, told: &Title<'_>) -> Option<String> {
    let scope = || fields.first(&["scope", "alert_scope"]).unwrap_or_default();
    let text = fields
        .first(&["alert_cycle_key"])
        .or_else(|| fields.first(&["aggreg_key"]))
        .or_else(|| fields.first(&["alert_id"]).map(|id| format!("{id}/{}", scope())))
        .or_else(|| told.name.map(|name| format!("{name}/{}", told.scope.unwrap_or_default())))?;
    limit::dedup(&format!("datadog:{text}"))
}

fn draft(fields: &Node<'_>, told: &Title<'_>, dedup: Option<String>) -> Draft {
    let mut parameters = Parameters::default();
    for (name, member) in fields.members() {
        parameters.put_some(name, member.any().as_deref());
    }
    fields.get("org").put_named(&mut parameters, &[("name", "org")]);
    let of_scope = || tag(told.scope?, "host");
    let host = fields.first(&["host", "hostname"]).or_else(|| of_scope().map(str::to_owned));
    let tags = fields.first(&["tags", "scope"]).unwrap_or_default();
    let service = fields.first(&["service"]).or_else(|| tag(&tags, "service").map(str::to_owned));
    let message = told.name.map(|name| match told.scope.or(host.as_deref()) {
        Some(scope) => format!("{name}: {scope}"),
        None => name.to_owned(),
    });
    let message = message.or_else(|| fields.first(&["message", "body", "alert_status"]));
    Draft {
        message: message.as_deref().and_then(limit::spoken),
        host: host.as_deref().and_then(limit::name),
        service: service.as_deref().and_then(limit::name),
        parameters: parameters.done(),
        dedup,
        ..Draft::default()
    }
}

/// `[P1] [Triggered on {host:a}] CPU is high`: a transition, what it is about, and the monitor's name.
#[derive(Default)]
struct Title<'a> {
    transition: Option<&'a str>,
    scope: Option<&'a str>,
    name: Option<&'a str>,
}

impl Title<'_> {
    fn of(text: &str) -> Title<'_> {
        let mut title = Title { name: Some(text.trim()), ..Title::default() };
        let mut rest = text.trim();
        while let Some((inside, behind)) = rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            if !is_priority(inside) && !inside.trim().eq_ignore_ascii_case("test") {
                let (transition, scope) = inside.split_once(" on ").map_or((inside, None), |(t, s)| (t, Some(s)));
                title.transition = Some(transition.trim());
                title.scope = scope.map(|scope| scope.trim().trim_matches(['{', '}']));
                title.name = Some(behind.trim()).filter(|name| !name.is_empty());
                return title;
            }
            rest = behind.trim_start();
        }
        title
    }
}

fn is_priority(text: &str) -> bool {
    matches!(text.trim().as_bytes(), [b'P', b'1'..=b'5'])
}

/// `a` of `host:a,env:prod`.
fn tag<'a>(tags: &'a str, name: &str) -> Option<&'a str> {
    let value = |tag: &'a str| tag.trim().strip_prefix(name)?.strip_prefix(':').filter(|value| !value.is_empty());
    tags.split(',').find_map(value)
}

fn unresolved(text: &str) -> bool {
    let name = text.trim().strip_prefix('$');
    let is_name = |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
    name.is_some_and(is_name) || text.trim() == "null"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intake::tests::json;

    fn posted(body: &str) -> Result<Vec<Signal>, IntakeError> {
        read(&json(body)).map(|read| read.signals)
    }

    fn ours(transition: &str) -> String {
        format!(
            r#"{{"transition": "{transition}", "alert_cycle_key": "9bd4", "alert_id": "1234", "host": "$HOSTNAME",
                "title": "[{transition} on {{host:web-1}}] CPU is high", "tags": "env:prod,service:shop"}}"#
        )
    }

    #[test]
    fn a_trigger_raises_and_its_recovery_resolves_the_same() {
        let raised = posted(&ours("Triggered")).unwrap();
        let [Signal::Raise(draft)] = &raised[..] else { panic!("{raised:?}") };
        assert_eq!(draft.message.as_deref(), Some("CPU is high: host:web-1"));
        assert_eq!((draft.host.as_deref(), draft.service.as_deref()), (Some("web-1"), Some("shop")));
        assert_eq!(draft.dedup.as_deref(), Some("datadog:9bd4"));
        assert!(!draft.parameters.contains_key("host"), "an unresolved variable is no value");
        assert_eq!(posted(&ours("Recovered")).unwrap(), [Signal::Resolve { dedup: "datadog:9bd4".to_owned() }]);
        for again in ["Re-Triggered", "No Data", "Warn", "Renotify"] {
            assert!(matches!(posted(&ours(again)).unwrap()[..], [Signal::Raise(_)]), "{again}");
        }
    }

    #[test]
    fn the_default_payload_is_read_by_its_title() {
        let body =
            |title: &str| format!(r#"{{"id": "77", "title": "{title}", "body": "text", "org": {{"name": "x"}}}}"#);
        let raised = posted(&body("[P2] [Triggered on {host:a}] CPU")).unwrap();
        let [Signal::Raise(draft)] = &raised[..] else { panic!("{raised:?}") };
        let resolved = posted(&body("[P2] [Recovered on {host:a}] CPU")).unwrap();
        assert_eq!(resolved, [Signal::Resolve { dedup: draft.dedup.clone().unwrap() }]);
        let other = posted(&body("[Recovered on {host:b}] CPU")).unwrap();
        assert_ne!(resolved, other);
        let tested = posted(&body("[TEST] [Triggered on {host:a}] CPU")).unwrap();
        let [Signal::Raise(test)] = &tested[..] else { panic!("{tested:?}") };
        assert_eq!(test.dedup, draft.dedup, "a test of the notification rings, because that is what it is for");
        assert!(matches!(posted(&body("[Test] CPU")).unwrap()[..], [Signal::Raise(_)]));
        let by_hand = posted(&body("somebody look")).unwrap();
        let [Signal::Raise(draft)] = &by_hand[..] else { panic!("{by_hand:?}") };
        assert_eq!(draft.dedup.as_deref(), Some("datadog:event/77"));
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert_eq!(posted("{}").unwrap_err().field(), Some("transition"));
        assert_eq!(posted(r#"{"transition": "Danced"}"#).unwrap_err().field(), Some("transition"));
        assert_eq!(posted(r#"{"transition": "Recovered"}"#).unwrap_err().field(), Some("alert_cycle_key"));
    }
}
