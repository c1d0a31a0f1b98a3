//! Uptime Kuma's webhook, in its three shapes: JSON, a multipart form with `data`, and a GET.
//!
//! A message without a heartbeat is a test or a notice (a certificate that expires): it raises, because a test that
//! rings is the only proof that the chain holds. Pending and maintenance ask for nothing.

use super::alertmanager::host_of;
use super::form;
use super::json::{self, Node};
use super::limit::{self, Parameters};
use super::{Draft, IntakeError, Read, Request, Signal};
use serde_json::{Map, Value};

const STATES: &str = "`0` (down), `1` (up), `2` (pending) or `3` (maintenance)";

/// The notification of a monitor.
pub(super) fn read(request: &Request<'_>) -> Result<Read, IntakeError> {
    let body = Value::Object(unfolded(form::fields(request)?)?);
    let body = Node::root(&body)?;
    let (heartbeat, monitor, msg) = (body.get("heartbeat"), body.get("monitor"), body.get("msg"));
    if !heartbeat.is_there() {
        msg.needed("a text, or a heartbeat")?;
        return Ok(Signal::Raise(draft(&heartbeat, &monitor, &msg, None)).into());
    }
    let id = monitor.first(&["id"]).or_else(|| heartbeat.first(&["monitorID"]));
    let id = id.ok_or_else(|| heartbeat.get("monitorID").wrong("the id of the monitor"))?;
    let key = limit::dedup(&format!("uptime-kuma:{id}"));
    let dedup = key.ok_or_else(|| heartbeat.get("monitorID").wrong("a text"))?;
    let state = heartbeat.get("status");
    match state.needed(STATES)?.as_str() {
        "0" => Ok(Signal::Raise(draft(&heartbeat, &monitor, &msg, Some(dedup))).into()),
        "1" => Ok(Signal::Resolve { dedup }.into()),
        "2" | "3" => Ok(Read::default()),
        other => Err(IntakeError::text(state.path(), other, STATES)),
    }
}

/// JSON that came inside a field: `data` of a form, `heartbeat` and `monitor` of a query.
fn unfolded(mut fields: Map<String, Value>) -> Result<Map<String, Value>, IntakeError> {
    let inner = |fields: &mut Map<String, Value>, name: &str| match fields.get(name) {
        Some(Value::String(text)) => json::parse(text.as_bytes(), "JSON").map(Some),
        _ => Ok(None),
    };
    if let Some(Value::Object(data)) = inner(&mut fields, "data")? {
        return Ok(data);
    }
    for name in ["heartbeat", "monitor"] {
        if let Some(value) = inner(&mut fields, name)? {
            fields.insert(name.to_owned(), value);
        }
    }
    Ok(fields)
}

fn draft(heartbeat: &Node<'_>, monitor: &Node<'_>, msg: &Node<'_>, dedup: Option<String>) -> Draft {
    let (name, reason) = (monitor.first(&["name"]), heartbeat.first(&["msg"]));
    let url = monitor.first(&["url"]).filter(|url| url.trim_end_matches('/') != "https:");
    let host = monitor.first(&["hostname"]).or_else(|| url.as_deref().and_then(authority).map(str::to_owned));
    let mut parameters = Parameters::default();
    parameters.put_some("name", name.as_deref());
    parameters.put_some("url", url.as_deref());
    parameters.put_some("host", host.as_deref());
    parameters.put_some("reason", reason.as_deref());
    heartbeat.put_named(&mut parameters, &[("time", "time"), ("duration", "duration"), ("ping", "ping")]);
    parameters.put_some("message", msg.any().as_deref());
    let told = name.as_deref().map(|name| match reason.as_deref() {
        Some(reason) => format!("{name}: {reason}"),
        None => name.to_owned(),
    });
    Draft {
        message: told.or_else(|| msg.any()).as_deref().and_then(limit::spoken),
        host: host.as_deref().and_then(limit::name),
        service: name.as_deref().and_then(limit::name),
        parameters: parameters.done(),
        dedup,
        ..Draft::default()
    }
}

/// `shop.example` of `https://shop.example:8443/health`.
fn authority(url: &str) -> Option<&str> {
    let rest = url.split_once("://")?.1;
    let authority = rest.split(['/', '?', '#']).next()?;
    Some(host_of(authority.rsplit('@').next()?)).filter(|host| !host.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intake::Method;

    fn body(status: u8) -> String {
        format!(
            r#"{{"heartbeat": {{"monitorID": 7, "status": {status}, "time": "2026-11-21 03:00:00.000",
                "msg": "connect ECONNREFUSED", "important": true, "duration": 60}},
              "monitor": {{"id": 7, "name": "Shop", "url": "https://user@shop.example:8443/health", "hostname": null}},
              "msg": "[Shop] [🔴 Down] connect ECONNREFUSED"}}"#
        )
    }

    fn sent(content_type: &str, body: &str) -> Result<Vec<Signal>, IntakeError> {
        let (query, headers, content_type) = (&[][..], &[][..], Some(content_type));
        let request = Request { method: Method::Post, path: "", query, headers, content_type, body: body.as_bytes() };
        read(&request).map(|read| read.signals)
    }

    #[test]
    fn a_monitor_that_is_down_raises_and_up_resolves() {
        let raised = sent("application/json", &body(0)).unwrap();
        let [Signal::Raise(draft)] = &raised[..] else { panic!("{raised:?}") };
        assert_eq!(draft.message.as_deref(), Some("Shop: connect ECONNREFUSED"));
        assert_eq!((draft.host.as_deref(), draft.service.as_deref()), (Some("shop.example"), Some("Shop")));
        let dedup = "uptime-kuma:7".to_owned();
        assert_eq!(sent("application/json", &body(1)).unwrap(), [Signal::Resolve { dedup }]);
        assert_eq!(sent("application/json", &body(2)).unwrap(), []);
        assert_eq!(sent("application/json", &body(9)).unwrap_err().field(), Some("heartbeat.status"));
    }

    #[test]
    fn a_form_and_a_get_say_the_same() {
        let form = format!("--x\r\nContent-Disposition: form-data; name=\"data\"\r\n\r\n{}\r\n--x--\r\n", body(0));
        let posted = sent("multipart/form-data; boundary=x", &form).unwrap();
        assert_eq!(posted, sent("application/json", &body(0)).unwrap());
        let whole: Value = serde_json::from_str(&body(0)).unwrap();
        let part = |name: &str| (name.to_owned(), whole[name].to_string());
        let query = [part("heartbeat"), part("monitor"), ("msg".to_owned(), "x".to_owned())];
        let (headers, content_type, body) = (&[][..], None, &b""[..]);
        let request = Request { method: Method::Get, path: "", query: &query, headers, content_type, body };
        let got = read(&request).unwrap().signals;
        let (Signal::Raise(got), Signal::Raise(posted)) = (&got[0], &posted[0]) else { panic!("{got:?}") };
        assert_eq!((&got.dedup, &got.message), (&posted.dedup, &posted.message));
    }

    #[test]
    fn a_test_rings() {
        let raised =
            sent("application/json", r#"{"heartbeat": null, "monitor": null, "msg": "hansho Testing"}"#).unwrap();
        let [Signal::Raise(draft)] = &raised[..] else { panic!("{raised:?}") };
        assert_eq!((draft.message.as_deref(), draft.dedup.as_deref()), (Some("hansho Testing"), None));
        assert_eq!(sent("application/json", "{}").unwrap_err().field(), Some("msg"));
    }
}
