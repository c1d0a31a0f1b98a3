//! Sentry: the webhooks of its integration platform (issue alerts, metric alerts, issues) and of its older plugin.
//!
//! The header `Sentry-Hook-Resource` says what the body is; where a proxy dropped it, the body's own shape does. An
//! issue is known by its id, so an issue alert is resolved by the issue's own webhook.

use super::json::{self, Node};
use super::limit::{self, Parameters};
use super::{Draft, IntakeError, Read, Request, Signal};

const METRIC: &str = "`critical`, `warning` or `resolved`";
const ISSUE: &str = "`created`, `unresolved`, `resolved`, `assigned`, `archived` or `ignored`";

/// The body of any of Sentry's webhooks; those that are about no alert ask for nothing.
pub(super) fn read(request: &Request<'_>) -> Result<Read, IntakeError> {
    let body = json::parse(request.body, "the JSON of a Sentry webhook")?;
    let body = Node::root(&body)?;
    let data = body.get("data");
    let shape = || ["event", "metric_alert", "issue"].into_iter().find(|name| data.get(name).is_there());
    match request.header("sentry-hook-resource").or_else(shape) {
        Some("event_alert" | "event") => issue_alert(&data),
        Some("metric_alert") => metric_alert(&body, &data),
        Some("issue") => issue(&body, &data),
        Some(_) => Ok(Read::default()),
        None if !data.is_there() => plugin(&body),
        None => Err(data.wrong("an object with `event`, `metric_alert` or `issue`")),
    }
}

fn issue_alert(data: &Node<'_>) -> Result<Read, IntakeError> {
    let event = data.get("event");
    let id = event.first(&["issue_id"]).or_else(|| event.first(&["issue_url"]).as_deref().and_then(last));
    let id = id.ok_or_else(|| event.get("issue_id").wrong("the id of the issue"))?;
    let mut parameters = Parameters::default();
    put_event(&event, &mut parameters);
    parameters.put_some("rule", data.first(&["triggered_rule"]).as_deref());
    Ok(Signal::Raise(draft(&event, issue_key(&event, &id)?, parameters)).into())
}

fn metric_alert(body: &Node<'_>, data: &Node<'_>) -> Result<Read, IntakeError> {
    let (action, alert) = (body.get("action"), data.get("metric_alert"));
    let id = alert.get("id");
    let named = alert.first(&["id", "identifier"]).ok_or_else(|| id.wrong("the id of the metric alert"))?;
    let dedup = limit::dedup(&format!("sentry:metric/{named}")).ok_or_else(|| id.wrong("a text"))?;
    match action.needed(METRIC)?.as_str() {
        "resolved" => return Ok(Signal::Resolve { dedup }.into()),
        "critical" | "warning" => {}
        "open" => return Ok(Read::default()),
        other => return Err(IntakeError::text(action.path(), other, METRIC)),
    }
    let rule = alert.get("alert_rule").first(&["name"]);
    let mut parameters = Parameters::default();
    body.put_named(&mut parameters, &[("action", "level")]);
    data.put_named(
        &mut parameters,
        &[("description_title", "title"), ("description_text", "description"), ("web_url", "url")],
    );
    parameters.put_some("rule", rule.as_deref());
    alert.get("alert_rule").put_named(&mut parameters, &[("aggregate", "aggregate"), ("environment", "environment")]);
    let message = data.first(&["description_title"]).or_else(|| alert.first(&["title"])).or_else(|| rule.clone());
    let draft = Draft {
        message: message.as_deref().and_then(limit::spoken),
        service: rule.as_deref().and_then(limit::name),
        parameters: parameters.done(),
        dedup: Some(dedup),
        ..Draft::default()
    };
    Ok(Signal::Raise(draft).into())
}

fn issue(body: &Node<'_>, data: &Node<'_>) -> Result<Read, IntakeError> {
    let (action, issue) = (body.get("action"), data.get("issue"));
    let dedup = issue_key(&issue, &issue.get("id").needed("the id of the issue")?)?;
    match action.needed(ISSUE)?.as_str() {
        "created" | "unresolved" => {
            let mut parameters = Parameters::default();
            put_event(&issue, &mut parameters);
            issue.put_named(&mut parameters, &[("shortId", "short_id"), ("permalink", "url"), ("count", "count")]);
            Ok(Signal::Raise(draft(&issue, dedup, parameters)).into())
        }
        // Archiving is Sentry's way of saying that nobody needs to look.
        "resolved" | "archived" | "ignored" => Ok(Signal::Resolve { dedup }.into()),
        "assigned" => Ok(Read::default()),
        other => Err(IntakeError::text(action.path(), other, ISSUE)),
    }
}

/// The webhook plugin that came before the integration platform: the issue's fields at the top.
fn plugin(body: &Node<'_>) -> Result<Read, IntakeError> {
    let id = body.get("id").needed("the id of the issue")?;
    let mut parameters = Parameters::default();
    put_event(body, &mut parameters);
    put_event(&body.get("event"), &mut parameters);
    body.put_named(&mut parameters, &[("project_name", "project"), ("url", "url")]);
    let mut draft = draft(body, issue_key(body, &id)?, parameters);
    if draft.message.is_none() {
        draft.message = body.get("event").first(&["title"]).as_deref().and_then(limit::spoken);
    }
    Ok(Signal::Raise(draft).into())
}

fn draft(about: &Node<'_>, dedup: String, parameters: Parameters) -> Draft {
    let project =
        about.first(&["project_name", "project_slug"]).or_else(|| about.get("project").first(&["name", "slug"]));
    Draft {
        message: about.first(&["title", "message", "culprit"]).as_deref().and_then(limit::spoken),
        host: parameters.get("server_name").and_then(limit::name),
        service: project.as_deref().and_then(limit::name),
        parameters: parameters.done(),
        dedup: Some(dedup),
        ..Draft::default()
    }
}

fn put_event(event: &Node<'_>, parameters: &mut Parameters) {
    for name in ["title", "message", "culprit", "level", "platform", "environment", "release", "datetime", "event_id"] {
        parameters.put_some(name, event.get(name).any().as_deref());
    }
    event.put_named(parameters, &[("web_url", "url"), ("project_slug", "project")]);
    let project = event.get("project");
    parameters.put_some("project", project.any().or_else(|| project.first(&["slug", "name"])).as_deref());
    for tag in event.get("tags").items().unwrap_or_default() {
        let (name, value) = match (tag.nth(0).any(), tag.nth(1).any()) {
            (Some(name), Some(value)) => (Some(name), Some(value)),
            _ => (tag.first(&["key"]), tag.first(&["value"])),
        };
        if let (Some(name), Some(value)) = (name, value) {
            parameters.put(&name, &value);
        }
    }
}

fn issue_key(place: &Node<'_>, id: &str) -> Result<String, IntakeError> {
    limit::dedup(&format!("sentry:issue/{id}")).ok_or_else(|| place.wrong("an issue"))
}

/// The number at the end of `…/api/0/issues/1170820242/`.
fn last(url: &str) -> Option<String> {
    url.rsplit('/').find(|part| !part.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intake::Method;

    fn sent(resource: &str, body: &str) -> Result<Vec<Signal>, IntakeError> {
        let headers: Vec<_> = [("sentry-hook-resource", resource)].into_iter().filter(|(_, v)| !v.is_empty()).collect();
        let headers: Vec<_> = headers.into_iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
        let (query, content_type) = (&[][..], Some("application/json"));
        let request =
            Request { method: Method::Post, path: "", query, headers: &headers, content_type, body: body.as_bytes() };
        read(&request).map(|read| read.signals)
    }

    const EVENT: &str = r#"{"action": "triggered", "data": {"triggered_rule": "Very important alert", "event": {
        "title": "ReferenceError: heck is not defined", "culprit": "?(<anonymous>)", "level": "error",
        "issue_url": "https://sentry.example/api/0/issues/1170820242/", "project": 1, "web_url": "https://sentry.example/1",
        "tags": [["server_name", "web-1"], ["browser", "Chrome"], {"key": "os", "value": "Mac"}]}}}"#;

    #[test]
    fn an_issue_alert_is_resolved_by_the_issues_own_webhook() {
        for resource in ["event_alert", ""] {
            let raised = sent(resource, EVENT).unwrap();
            let [Signal::Raise(draft)] = &raised[..] else { panic!("{raised:?}") };
            assert_eq!(draft.message.as_deref(), Some("ReferenceError: heck is not defined"));
            assert_eq!(draft.host.as_deref(), Some("web-1"));
            assert_eq!(
                (draft.parameters["rule"].as_str(), draft.parameters["os"].as_str()),
                ("Very important alert", "Mac")
            );
            let body = r#"{"action": "resolved", "data": {"issue": {"id": "1170820242", "title": "x"}}}"#;
            let dedup = draft.dedup.clone().unwrap();
            assert_eq!(sent("issue", body).unwrap(), [Signal::Resolve { dedup }]);
        }
    }

    #[test]
    fn a_metric_alert_goes_by_its_action() {
        let body = |action| {
            format!(
                r#"{{"action": "{action}", "data": {{"description_title": "Critical: Too many errors", "web_url": "u",
                    "description_text": "1000 events", "metric_alert": {{"id": "4", "alert_rule": {{"name": "Errors"}}}}}}}}"#
            )
        };
        let raised = sent("metric_alert", &body("critical")).unwrap();
        let [Signal::Raise(draft)] = &raised[..] else { panic!("{raised:?}") };
        assert_eq!(
            (draft.message.as_deref(), draft.service.as_deref()),
            (Some("Critical: Too many errors"), Some("Errors"))
        );
        let dedup = "sentry:metric/4".to_owned();
        assert_eq!(sent("", &body("resolved")).unwrap(), [Signal::Resolve { dedup }]);
        assert_eq!(sent("metric_alert", &body("danced")).unwrap_err().field(), Some("action"));
    }

    #[test]
    fn an_issue_that_is_new_or_back_raises_and_its_assignment_does_nothing() {
        let body = |action| {
            format!(
                r#"{{"action": "{action}", "data": {{"issue": {{"id": 7, "title": "T",
            "project": {{"slug": "shop", "name": "Shop"}}}}}}}}"#
            )
        };
        let raised = sent("issue", &body("unresolved")).unwrap();
        let [Signal::Raise(draft)] = &raised[..] else { panic!("{raised:?}") };
        assert_eq!((draft.service.as_deref(), draft.dedup.as_deref()), (Some("Shop"), Some("sentry:issue/7")));
        assert_eq!(sent("issue", &body("assigned")).unwrap(), []);
    }

    #[test]
    fn the_older_plugin_and_what_is_no_alert_are_read() {
        let body = r#"{"id": "27379932", "project": "x", "project_name": "Shop", "culprit": "raven.scripts", "level": "error",
                       "url": "https://sentry.example/27379932/", "event": {"title": "This is an example"}}"#;
        let raised = sent("", body).unwrap();
        let [Signal::Raise(draft)] = &raised[..] else { panic!("{raised:?}") };
        assert_eq!((draft.dedup.as_deref(), draft.service.as_deref()), (Some("sentry:issue/27379932"), Some("Shop")));
        assert_eq!(sent("installation", r#"{"action": "created", "data": {}}"#).unwrap(), []);
        assert_eq!(sent("", "{}").unwrap_err().field(), Some("id"));
    }
}
