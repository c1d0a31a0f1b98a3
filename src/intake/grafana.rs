//! Grafana's webhook contact point, and the webhook of its legacy alerting.
//!
//! Unified alerting sends a list as Alertmanager does. Legacy alerting sends one rule and its `state`; `no_data` is a
//! problem, because whoever is not measured may be on fire, and `paused` and `pending` are none.

use super::alertmanager::group;
use super::json::{self, Node};
use super::limit::{self, Parameters};
use super::{Draft, IntakeError, Read, Request, Signal};

const STATES: &str = "`alerting`, `ok`, `no_data`, `paused` or `pending`";

/// The body of either webhook.
pub(super) fn read(request: &Request<'_>) -> Result<Read, IntakeError> {
    let body = json::parse(request.body, "the JSON of a Grafana webhook")?;
    let body = Node::root(&body)?;
    let is_legacy =
        !body.get("alerts").is_there() && (body.get("ruleId").is_there() || body.get("ruleName").is_there());
    if is_legacy { legacy(&body) } else { group(&body, "grafana") }
}

fn legacy(body: &Node<'_>) -> Result<Read, IntakeError> {
    let rule = body.get("ruleName");
    let id = body.first(&["ruleId"]).map_or_else(|| rule.needed("the name of the rule"), Ok)?;
    let organisation = body.first(&["orgId"]).unwrap_or_default();
    let dedup = limit::dedup(&format!("grafana:rule/{organisation}/{id}")).ok_or_else(|| rule.wrong("a text"))?;
    let state = body.get("state");
    match state.needed(STATES)?.as_str() {
        "alerting" | "no_data" => Ok(Signal::Raise(draft(body, dedup)).into()),
        "ok" => Ok(Signal::Resolve { dedup }.into()),
        "paused" | "pending" | "unknown" => Ok(Read::default()),
        other => Err(IntakeError::text(state.path(), other, STATES)),
    }
}

fn draft(body: &Node<'_>, dedup: String) -> Draft {
    let mut parameters = Parameters::default();
    body.put_named(
        &mut parameters,
        &[("ruleName", "rule"), ("state", "state"), ("message", "message"), ("title", "title"), ("ruleUrl", "url")],
    );
    let tags = body.get("tags");
    tags.put_all(&mut parameters);
    let matched = body.get("evalMatches").nth(0);
    matched.put_named(&mut parameters, &[("metric", "metric"), ("value", "value")]);
    matched.get("tags").put_all(&mut parameters);
    let host = ["instance", "host", "hostname"].iter().find_map(|name| parameters.get(name).and_then(limit::name));
    Draft {
        message: body.first(&["message", "ruleName", "title"]).as_deref().and_then(limit::spoken),
        service: body.first(&["ruleName"]).as_deref().and_then(limit::name),
        host,
        parameters: parameters.done(),
        dedup: Some(dedup),
        ..Draft::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intake::tests::json;

    fn posted(body: &str) -> Result<Vec<Signal>, IntakeError> {
        read(&json(body)).map(|read| read.signals)
    }

    #[test]
    fn unified_alerting_is_read_alert_by_alert() {
        let signals = posted(
            r#"{"receiver": "hansho", "status": "firing", "orgId": 1, "version": "1", "groupKey": "{}:{}",
                "title": "[FIRING:1]", "state": "alerting", "message": "**Firing**",
                "alerts": [
                  {"status": "firing", "labels": {"alertname": "High memory", "instance": "app-1:3000"},
                   "annotations": {"summary": "Memory of app-1 is high"}, "values": {"B": 44.2},
                   "valueString": "[ var='B' value=44.2 ]", "fingerprint": "c6eadffa33fcdf37"},
                  {"status": "resolved", "labels": {"alertname": "High memory"}, "fingerprint": "bc97ff14869b13e3"}]}"#,
        )
        .unwrap();
        let [Signal::Raise(draft), Signal::Resolve { dedup }] = &signals[..] else { panic!("{signals:?}") };
        assert_eq!(draft.message.as_deref(), Some("Memory of app-1 is high"));
        assert_eq!(draft.host.as_deref(), Some("app-1"));
        assert_eq!(draft.parameters["values"], "[ var='B' value=44.2 ]");
        assert_eq!(dedup, "grafana:bc97ff14869b13e3");
    }

    #[test]
    fn legacy_alerting_goes_by_its_state() {
        let body = |state| {
            format!(
                r#"{{"dashboardId": 1, "orgId": 1, "ruleId": 7, "ruleName": "CPU", "state": "{state}",
                    "message": "CPU is high", "evalMatches": [{{"value": 97, "metric": "cpu", "tags": {{"host": "a"}}}}]}}"#
            )
        };
        let raised = posted(&body("alerting")).unwrap();
        let [Signal::Raise(draft)] = &raised[..] else { panic!("{raised:?}") };
        assert_eq!((draft.message.as_deref(), draft.host.as_deref()), (Some("CPU is high"), Some("a")));
        assert_eq!(posted(&body("ok")).unwrap(), [Signal::Resolve { dedup: "grafana:rule/1/7".to_owned() }]);
        assert_eq!(posted(&body("paused")).unwrap(), []);
        assert_eq!(posted(&body("dancing")).unwrap_err().field(), Some("state"));
    }

    #[test]
    fn a_body_of_neither_is_refused() {
        assert_eq!(posted("{}").unwrap_err().field(), Some("alerts"));
    }
}
