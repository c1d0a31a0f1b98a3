//! Azure Monitor: a GET that may say nothing at all, the common alert schema, and the older metric schema.
//!
//! A GET, or a POST without a body, raises whatever the token or the URL knows: some tools can only call a URL. An
//! alert is known by its `alertId`, which its resolution repeats. A list of contacts instead of an alert is whom to ring.

use super::json::{self, Node};
use super::limit::{self, Parameters};
use super::{Draft, IntakeError, Method, Read, Request, Signal, plain};

const SCHEMAS: &str = "`azureMonitorCommonAlertSchema` or `AzureMonitorMetricAlert`";
const CONDITIONS: &str = "`Fired` or `Resolved`";
const STATUSES: &str = "`Activated` or `Deactivated`";

/// The request of an action group.
pub(super) fn read(request: &Request<'_>) -> Result<Read, IntakeError> {
    if request.method == Method::Get || request.body.iter().all(u8::is_ascii_whitespace) {
        return plain::read(request);
    }
    let body = json::parse(request.body, "the JSON of an Azure alert, or no body at all")?;
    if body.is_array() || (body.get("contacts").is_some() && body.get("schemaId").is_none()) {
        return plain::read(request);
    }
    let body = Node::root(&body)?;
    let (schema, data) = (body.get("schemaId"), body.get("data"));
    let signal = match schema.needed(SCHEMAS)?.as_str() {
        "azureMonitorCommonAlertSchema" => common(&data),
        "AzureMonitorMetricAlert" => metric(&data),
        other => Err(IntakeError::text(schema.path(), other, SCHEMAS)),
    };
    signal.map(Read::from)
}

fn common(data: &Node<'_>) -> Result<Signal, IntakeError> {
    let essentials = data.get("essentials");
    let (id, condition) = (essentials.get("alertId"), essentials.get("monitorCondition"));
    let dedup = key(&id, &id.needed("the id of the alert")?)?;
    match condition.needed(CONDITIONS)?.as_str() {
        "Resolved" => return Ok(Signal::Resolve { dedup }),
        "Fired" => {}
        other => return Err(IntakeError::text(condition.path(), other, CONDITIONS)),
    }
    let mut parameters = Parameters::default();
    essentials.put_named(
        &mut parameters,
        &[
            ("alertRule", "rule"),
            ("severity", "severity"),
            ("signalType", "signal_type"),
            ("monitoringService", "monitoring_service"),
            ("description", "description"),
            ("firedDateTime", "fired_at"),
            ("investigationLink", "url"),
        ],
    );
    let context = data.get("alertContext");
    let criterion = context.get("condition").get("allOf").nth(0);
    put_criterion(&criterion, &mut parameters);
    data.get("customProperties").put_all(&mut parameters);
    let target = essentials.get("configurationItems").nth(0).any();
    let target = target.or_else(|| essentials.get("alertTargetIDs").nth(0).any().map(|id| last(&id).to_owned()));
    Ok(Signal::Raise(draft(&essentials, "alertRule", target, dedup, parameters)))
}

fn metric(data: &Node<'_>) -> Result<Signal, IntakeError> {
    let (status, context) = (data.get("status"), data.get("context"));
    let id = context.get("id");
    let resource = context.first(&["resourceId", "resourceName"]).unwrap_or_default();
    let dedup = key(&id, &format!("{} {resource}", id.needed("the id of the alert rule")?))?;
    match status.needed(STATUSES)?.as_str() {
        "Deactivated" => return Ok(Signal::Resolve { dedup }),
        "Activated" => {}
        other => return Err(IntakeError::text(status.path(), other, STATUSES)),
    }
    let mut parameters = Parameters::default();
    context.put_named(
        &mut parameters,
        &[
            ("name", "rule"),
            ("severity", "severity"),
            ("description", "description"),
            ("timestamp", "fired_at"),
            ("resourceGroupName", "resource_group"),
            ("portalLink", "url"),
        ],
    );
    put_criterion(&context.get("condition").get("allOf").nth(0), &mut parameters);
    data.get("properties").put_all(&mut parameters);
    let target = context.first(&["resourceName"]);
    Ok(Signal::Raise(draft(&context, "name", target, dedup, parameters)))
}

fn draft(about: &Node<'_>, rule: &str, target: Option<String>, dedup: String, mut parameters: Parameters) -> Draft {
    let rule = about.get(rule).any();
    parameters.put_some("target", target.as_deref());
    let named = [rule.as_deref(), target.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(": ");
    Draft {
        message: about.first(&["description"]).as_deref().and_then(limit::spoken).or_else(|| limit::spoken(&named)),
        host: target.as_deref().and_then(limit::name),
        service: rule.as_deref().and_then(limit::name),
        parameters: parameters.done(),
        dedup: Some(dedup),
        ..Draft::default()
    }
}

fn put_criterion(criterion: &Node<'_>, parameters: &mut Parameters) {
    criterion.put_named(
        parameters,
        &[("metricName", "metric"), ("metricValue", "value"), ("threshold", "threshold"), ("operator", "operator")],
    );
}

fn key(place: &Node<'_>, text: &str) -> Result<String, IntakeError> {
    limit::dedup(&format!("azure:{}", text.trim())).ok_or_else(|| place.wrong("a text"))
}

/// The last part of a resource's path: its name.
fn last(id: &str) -> &str {
    id.rsplit('/').find(|part| !part.is_empty()).unwrap_or(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(method: Method, body: &str) -> Result<Vec<Signal>, IntakeError> {
        let (query, headers, content_type) = (&[][..], &[][..], None);
        let request = Request { method, path: "", query, headers, content_type, body: body.as_bytes() };
        read(&request).map(|read| read.signals)
    }

    fn common(condition: &str) -> String {
        format!(
            r#"{{"schemaId": "azureMonitorCommonAlertSchema", "data": {{"essentials": {{
                "alertId": "/subscriptions/1/providers/Microsoft.AlertsManagement/alerts/b956", "alertRule": "cpu",
                "severity": "Sev1", "monitorCondition": "{condition}", "description": "",
                "alertTargetIDs": ["/subscriptions/1/resourcegroups/g/providers/microsoft.compute/virtualmachines/vm-1"]}},
              "alertContext": {{"condition": {{"allOf": [{{"metricName": "Percentage CPU", "metricValue": 99.5,
                "threshold": "90", "operator": "GreaterThan"}}]}}}}, "customProperties": null}}}}"#
        )
    }

    #[test]
    fn a_get_that_says_nothing_raises() {
        assert_eq!(sent(Method::Get, "").unwrap(), [Signal::Raise(Draft::default())]);
        assert_eq!(sent(Method::Post, " ").unwrap(), [Signal::Raise(Draft::default())]);
    }

    #[test]
    fn the_common_schema_raises_and_resolves_under_one_key() {
        let (fired, resolved) =
            (sent(Method::Post, &common("Fired")).unwrap(), sent(Method::Post, &common("Resolved")).unwrap());
        let ([Signal::Raise(draft)], [Signal::Resolve { dedup }]) = (&fired[..], &resolved[..]) else {
            panic!("{fired:?} {resolved:?}")
        };
        assert_eq!(draft.dedup.as_ref(), Some(dedup));
        assert_eq!(draft.message.as_deref(), Some("cpu: vm-1"));
        assert_eq!((draft.host.as_deref(), draft.service.as_deref()), (Some("vm-1"), Some("cpu")));
        assert_eq!((draft.parameters["value"].as_str(), draft.parameters["severity"].as_str()), ("99.5", "Sev1"));
    }

    #[test]
    fn the_metric_schema_is_read_too() {
        let body = |status| {
            format!(
                r#"{{"schemaId": "AzureMonitorMetricAlert", "data": {{"status": "{status}", "context": {{
                    "id": "/subscriptions/1/metricAlerts/cpu", "name": "cpu", "description": "CPU is high",
                    "resourceName": "vm-1", "resourceId": "/subscriptions/1/vm-1"}}}}}}"#
            )
        };
        let fired = sent(Method::Post, &body("Activated")).unwrap();
        let [Signal::Raise(draft)] = &fired[..] else { panic!("{fired:?}") };
        assert_eq!(draft.message.as_deref(), Some("CPU is high"));
        let resolved = sent(Method::Post, &body("Deactivated")).unwrap();
        assert_eq!(resolved, [Signal::Resolve { dedup: draft.dedup.clone().unwrap() }]);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let wrong = |body: &str| sent(Method::Post, body).unwrap_err().field().map(str::to_owned);
        assert_eq!(wrong("{}").as_deref(), Some("schemaId"));
        assert_eq!(wrong(r#"{"schemaId": "x"}"#).as_deref(), Some("schemaId"));
        assert_eq!(wrong(&common("Smoking")).as_deref(), Some("data.essentials.monitorCondition"));
    }
}
