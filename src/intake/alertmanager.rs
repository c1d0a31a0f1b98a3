//! Prometheus Alertmanager's webhook, version 4 of its format: one request a group, one signal an alert.
//!
//! An alert is known by its fingerprint, which stays the same while its labels do; `firing` raises, `resolved`
//! resolves. Grafana sends the same list with more around it, so it is read here for both.

use super::json::{self, Node};
use super::limit::{self, Parameters};
use super::{Draft, IntakeError, Read, Request, Signal};

const STATES: &str = "`firing` or `resolved`";

/// The webhook's body.
pub(super) fn read(request: &Request<'_>) -> Result<Read, IntakeError> {
    let body = json::parse(request.body, "the JSON of an Alertmanager webhook")?;
    group(&Node::root(&body)?, "alertmanager")
}

/// A group of alerts, its keys beginning with the tool's name.
pub(super) fn group(body: &Node<'_>, tool: &str) -> Result<Read, IntakeError> {
    let alerts = body.get("alerts");
    if !alerts.is_there() {
        return Err(alerts.wrong("an array of alerts"));
    }
    let signals = alerts.items()?.iter().map(|alert| signal(body, alert, tool)).collect::<Result<Vec<_>, _>>()?;
    Ok(signals.into())
}

fn signal(body: &Node<'_>, alert: &Node<'_>, tool: &str) -> Result<Signal, IntakeError> {
    let dedup = key(body, alert, tool)?;
    let state = alert.get("status");
    match state.needed(STATES)?.as_str() {
        "firing" => Ok(Signal::Raise(draft(body, alert, dedup))),
        "resolved" => Ok(Signal::Resolve { dedup }),
        other => Err(IntakeError::text(state.path(), other, STATES)),
    }
}

/// The fingerprint; where a proxy dropped it, what it is made of: all labels.
fn key(body: &Node<'_>, alert: &Node<'_>, tool: &str) -> Result<String, IntakeError> {
    let print = match alert.get("fingerprint").any() {
        Some(print) => print,
        None => {
            let labels = alert.get("labels");
            let text = |(name, value): (&str, Node<'_>)| value.any().map(|value| format!("{name}={value}"));
            let all: Vec<String> = labels.members().filter_map(text).collect();
            if all.is_empty() {
                return Err(alert.get("fingerprint").wrong("the alert's fingerprint, or labels"));
            }
            limit::digest(&format!("{}\n{}", body.get("groupKey").any().unwrap_or_default(), all.join("\n")))
        }
    };
    limit::dedup(&format!("{tool}:{print}")).ok_or_else(|| alert.get("fingerprint").wrong("a text"))
}

fn draft(body: &Node<'_>, alert: &Node<'_>, dedup: String) -> Draft {
    let (labels, annotations) = (alert.get("labels"), alert.get("annotations"));
    let mut parameters = Parameters::default();
    labels.put_all(&mut parameters);
    annotations.put_all(&mut parameters);
    alert
        .put_named(&mut parameters, &[("status", "status"), ("startsAt", "starts_at"), ("generatorURL", "source_url")]);
    alert.put_named(&mut parameters, &[("valueString", "values"), ("dashboardURL", "dashboard_url")]);
    body.put_named(&mut parameters, &[("receiver", "receiver"), ("externalURL", "external_url")]);
    if let Some(more) = body.get("truncatedAlerts").any().filter(|more| more != "0") {
        parameters.put("truncated_alerts", &more);
    }
    let host = labels.first(&["instance", "host", "hostname", "node"]).map(|named| host_of(&named).to_owned());
    let told = annotations.first(&["summary", "message", "title", "description"]);
    let named = || {
        let name = labels.first(&["alertname"])?;
        Some(host.as_deref().map_or(name.clone(), |host| format!("{name}: {host}")))
    };
    Draft {
        message: told.or_else(named).as_deref().and_then(limit::spoken),
        service: labels.first(&["service", "job"]).as_deref().and_then(limit::name),
        host: host.as_deref().and_then(limit::name),
        parameters: parameters.done(),
        dedup: Some(dedup),
        ..Draft::default()
    }
}

/// `db-01` of `db-01:9100`: the port of the exporter is no part of the machine's name.
pub(super) fn host_of(instance: &str) -> &str {
    let bare = |(host, port): &(&str, &str)| {
        !host.is_empty() && !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) && !host.ends_with(':')
    };
    let is_bare_v6 = instance.matches(':').count() > 1 && !instance.contains(']');
    let split = instance.rsplit_once(':').filter(bare).filter(|_| !is_bare_v6);
    split.map_or(instance, |(host, _)| host).trim_matches(['[', ']'])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intake::tests::json;

    const GROUP: &str = r#"{
        "version": "4", "groupKey": "{}:{alertname=\"DiskFull\"}", "truncatedAlerts": 2, "status": "firing",
        "receiver": "hansho", "groupLabels": {"alertname": "DiskFull"}, "commonLabels": {}, "commonAnnotations": {},
        "externalURL": "http://alertmanager.example:9093",
        "alerts": [
            {"status": "firing", "labels": {"alertname": "DiskFull", "instance": "db-01:9100", "job": "node"},
             "annotations": {"summary": "Disk of db-01 is full", "description": "97 % used"},
             "startsAt": "2026-11-21T03:00:00Z", "endsAt": "0001-01-01T00:00:00Z",
             "generatorURL": "http://prometheus.example/graph", "fingerprint": "c6eadffa33fcdf37"},
            {"status": "resolved", "labels": {"alertname": "DiskFull", "instance": "db-02:9100"}, "annotations": {},
             "startsAt": "2026-11-21T02:00:00Z", "endsAt": "2026-11-21T03:00:00Z", "fingerprint": "bc97ff14869b13e3"}
        ]}"#;

    fn posted(body: &str) -> Result<Read, IntakeError> {
        read(&json(body))
    }

    #[test]
    fn each_alert_of_a_group_is_a_signal_of_its_own() {
        let read = posted(GROUP).unwrap();
        let [Signal::Raise(raised), Signal::Resolve { dedup }] = &read.signals[..] else { panic!("{read:?}") };
        assert_eq!(raised.message.as_deref(), Some("Disk of db-01 is full"));
        assert_eq!((raised.host.as_deref(), raised.service.as_deref()), (Some("db-01"), Some("node")));
        assert_eq!(raised.dedup.as_deref(), Some("alertmanager:c6eadffa33fcdf37"));
        assert_eq!(raised.parameters["description"], "97 % used");
        assert_eq!(raised.parameters["truncated_alerts"], "2");
        assert_eq!(dedup, "alertmanager:bc97ff14869b13e3");
    }

    #[test]
    fn an_alert_without_a_fingerprint_is_known_by_its_labels() {
        let body = |status| {
            format!(r#"{{"alerts": [{{"status": "{status}", "labels": {{"alertname": "X", "instance": "a"}}}}]}}"#)
        };
        let key = |status| match posted(&body(status)).unwrap().signals.pop().unwrap() {
            Signal::Raise(draft) => (draft.dedup.unwrap(), draft.message),
            Signal::Resolve { dedup } | Signal::Acknowledge { dedup } => (dedup, None),
        };
        assert_eq!(key("firing").0, key("resolved").0);
        assert_eq!(key("firing").1.as_deref(), Some("X: a"));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let wrong = |body: &str| posted(body).unwrap_err().field().map(str::to_owned);
        assert_eq!(wrong("{}").as_deref(), Some("alerts"));
        assert_eq!(wrong(r#"{"alerts": 7}"#).as_deref(), Some("alerts"));
        let burning = r#"{"alerts": [{"status": "burning", "fingerprint": "a"}]}"#;
        assert_eq!(wrong(burning).as_deref(), Some("alerts[0].status"));
        assert_eq!(wrong(r#"{"alerts": [{"status": "firing"}]}"#).as_deref(), Some("alerts[0].fingerprint"));
        assert_eq!(posted(" ").unwrap_err().code(), "no_body");
    }

    #[test]
    fn a_port_is_no_part_of_a_host() {
        for (instance, host) in [
            ("db-01:9100", "db-01"),
            ("db-01", "db-01"),
            ("[2001:db8::1]:9100", "2001:db8::1"),
            ("2001:db8::1", "2001:db8::1"),
            ("https://example.com/x", "https://example.com/x"),
        ] {
            assert_eq!(host_of(instance), host);
        }
    }
}
