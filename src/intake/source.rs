//! Which reader reads a request, by the name in `/in/NAME`.

use super::json::Node;
use super::{Draft, IntakeError, Mapping, Read, Request, Signal, limit, plain};
use super::{alertinfo, alertmanager, azure, cloudevents, datadog, generic, goalert, grafana, nagios, opsgenie};
use super::{pagerduty, sentry, sns, uptime_kuma, zabbix};
use core::str::FromStr;
use serde_json::{Map, Value};
use std::sync::Arc;

/// A kind of sender.
#[derive(Clone, PartialEq, Debug)]
pub enum Source {
    /// Our own field names, in a query, a form or JSON.
    Plain,
    /// The array `alertinfo` of unattended monitoring.
    AlertInfo,
    /// Azure Monitor's action groups, or a GET that says nothing at all.
    Azure,
    /// AWS SNS, with CloudWatch's alarms in it.
    Sns,
    /// Prometheus Alertmanager, version 4 of its webhook.
    Alertmanager,
    /// Grafana's unified and legacy alerting.
    Grafana,
    /// A Zabbix media type of the kind webhook.
    Zabbix,
    /// Nagios and Icinga notification commands.
    Nagios,
    /// Datadog's webhooks integration.
    Datadog,
    /// Sentry's integration platform, and its older webhook plugin.
    Sentry,
    /// Uptime Kuma's webhook.
    UptimeKuma,
    /// CloudEvents 1.0: structured, binary, in batches.
    CloudEvents,
    /// PagerDuty's Events API v2.
    PagerDuty,
    /// Opsgenie's Alert API.
    Opsgenie,
    /// GoAlert's generic API.
    GoAlert,
    /// Any JSON, by a mapping of the configuration.
    Generic(Arc<Mapping>),
}

const NAMES: &[(&str, Source)] = &[
    ("plain", Source::Plain),
    ("alertinfo", Source::AlertInfo),
    ("azure", Source::Azure),
    ("sns", Source::Sns),
    ("alertmanager", Source::Alertmanager),
    ("grafana", Source::Grafana),
    ("zabbix", Source::Zabbix),
    ("nagios", Source::Nagios),
    ("icinga", Source::Nagios),
    ("datadog", Source::Datadog),
    ("sentry", Source::Sentry),
    ("uptime-kuma", Source::UptimeKuma),
    ("cloudevents", Source::CloudEvents),
    ("pagerduty", Source::PagerDuty),
    ("opsgenie", Source::Opsgenie),
    ("goalert", Source::GoAlert),
];

/// A name that no reader has.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("there is no reader `{0}`; known: {names}", names = Source::names().collect::<Vec<_>>().join(", "))]
pub struct UnknownSource(String);

impl Source {
    /// Every name that can stand in `/in/NAME` without any configuration.
    pub fn names() -> impl Iterator<Item = &'static str> {
        NAMES.iter().map(|(name, _)| *name)
    }

    /// The name, `generic` for a mapping of the configuration.
    pub fn name(&self) -> &'static str {
        NAMES.iter().find(|(_, source)| source == self).map_or("generic", |(name, _)| name)
    }
}

impl FromStr for Source {
    type Err = UnknownSource;

    fn from_str(text: &str) -> Result<Source, UnknownSource> {
        let found = NAMES.iter().find(|(name, _)| *name == text);
        found.map(|(_, source)| source.clone()).ok_or_else(|| UnknownSource(text.chars().take(64).collect()))
    }
}

/// Reads a request. `call_flow`, `guidance` and `room` in the query count for every source, wherever its body names
/// none itself: that is how a URL alone says whom to call.
pub fn read(source: &Source, request: &Request<'_>) -> Result<Read, IntakeError> {
    let read = match source {
        Source::Plain => plain::read(request),
        Source::AlertInfo => alertinfo::read(request),
        Source::Azure => azure::read(request),
        Source::Sns => sns::read(request),
        Source::Alertmanager => alertmanager::read(request),
        Source::Grafana => grafana::read(request),
        Source::Zabbix => zabbix::read(request),
        Source::Nagios => nagios::read(request),
        Source::Datadog => datadog::read(request),
        Source::Sentry => sentry::read(request),
        Source::UptimeKuma => uptime_kuma::read(request),
        Source::CloudEvents => cloudevents::read(request),
        Source::PagerDuty => pagerduty::read(request),
        Source::Opsgenie => opsgenie::read(request),
        Source::GoAlert => goalert::read(request),
        Source::Generic(mapping) => generic::read(mapping, request),
    }?;
    let url = url(request)?;
    let mut read = limit::within(read);
    read.signals.iter_mut().for_each(|signal| {
        if let Signal::Raise(draft) = signal {
            draft.call_flow = draft.call_flow.take().or_else(|| url.call_flow.clone());
            draft.guidance = draft.guidance.take().or_else(|| url.guidance.clone());
            draft.room = draft.room.take().or_else(|| url.room.clone());
        }
    });
    Ok(read)
}

/// What the query says about how to call.
fn url(request: &Request<'_>) -> Result<Draft, IntakeError> {
    let said = |name: &str| request.query(name).map(|text| (name.to_owned(), Value::String(text.to_owned())));
    let all: Map<String, Value> = ["call_flow", "guidance", "room"].into_iter().filter_map(said).collect();
    let all = Value::Object(all);
    let query = Node::root(&all)?;
    let (call_flow, guidance) = (plain::id(&query.get("call_flow"))?, plain::id(&query.get("guidance"))?);
    Ok(Draft { call_flow, guidance, room: plain::id(&query.get("room"))?, ..Draft::default() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intake::Method;

    #[test]
    fn every_name_is_read_and_written_alike() {
        for name in Source::names().filter(|name| *name != "icinga") {
            assert_eq!(name.parse::<Source>().unwrap().name(), name);
        }
        assert_eq!("icinga".parse::<Source>(), Ok(Source::Nagios));
        assert!("smoke".parse::<Source>().unwrap_err().to_string().contains("uptime-kuma"));
    }

    #[test]
    fn a_draft_is_a_trigger_once_somebody_names_the_call_flow() {
        let draft = Draft { message: Some("m".to_owned()), host: Some("a".to_owned()), ..Draft::default() };
        assert_eq!(draft.clone().trigger(None, vec![], None), None);
        let (night, day) = ("night".parse().unwrap(), "day".parse().unwrap());
        let trigger = draft.clone().trigger(Some(&night), vec![], Some("cron".to_owned())).unwrap();
        assert_eq!(
            (&trigger.call_flow, trigger.host.as_deref(), trigger.by.as_deref()),
            (&night, Some("a"), Some("cron"))
        );
        let own = Draft { call_flow: Some(day), ..draft };
        assert_eq!(own.trigger(Some(&night), vec![], None).unwrap().call_flow.as_str(), "day");
    }

    #[test]
    fn the_url_says_whom_to_call_where_the_body_does_not() {
        let query = [("call_flow".to_owned(), "night".to_owned())];
        let body = br#"{"alerts": [{"status": "firing", "fingerprint": "a"}]}"#;
        let (method, headers, content_type) = (Method::Post, &[][..], None);
        let request = Request { method, path: "", query: &query, headers, content_type, body };
        let read = read(&Source::Alertmanager, &request).unwrap();
        let Signal::Raise(draft) = &read.signals[0] else { panic!("{read:?}") };
        assert_eq!(draft.call_flow.as_ref().unwrap().as_str(), "night");
    }
}
