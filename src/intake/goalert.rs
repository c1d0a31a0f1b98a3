//! GoAlert's generic API, `/api/v2/generic/incoming`: `summary`, `details`, `action`, `dedup` in the query, a form or
//! JSON; the body wins.
//!
//! An alert without a key is known by its summary and details together, so that closing it needs no key either.

use super::form;
use super::json::Node;
use super::limit::{self, Parameters};
use super::{Draft, IntakeError, Read, Request, Signal};
use serde_json::Value;

/// The alert of the request.
pub(super) fn read(request: &Request<'_>) -> Result<Read, IntakeError> {
    let fields = Value::Object(form::fields(request)?);
    let fields = Node::root(&fields)?;
    let (summary, details) = (fields.get("summary").text("a text")?, fields.get("details").any());
    let named = fields.get("dedup").text("a text")?.as_deref().and_then(limit::dedup);
    let made = || {
        let details = details.as_deref().unwrap_or_default();
        summary.as_deref().map(|summary| limit::digest(&format!("{summary}\n{details}")))
    };
    let dedup = named.or_else(made);
    if fields.get("action").text("`close`, or nothing")?.as_deref() == Some("close") {
        let dedup = dedup.ok_or_else(|| fields.get("dedup").wrong("the key or the summary of the alert to close"))?;
        return Ok(Signal::Resolve { dedup }.into());
    }
    let summary = summary.ok_or_else(|| fields.get("summary").wrong("the text that says what happened"))?;
    let mut parameters = Parameters::default();
    parameters.put("summary", &summary);
    parameters.put_some("details", details.as_deref());
    let draft = Draft { message: limit::spoken(&summary), parameters: parameters.done(), dedup, ..Draft::default() };
    Ok(Signal::Raise(draft).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intake::Method;

    fn sent(query: &str, content_type: Option<&str>, body: &str) -> Result<Vec<Signal>, IntakeError> {
        let query: Vec<_> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let headers = &[][..];
        let request =
            Request { method: Method::Post, path: "", query: &query, headers, content_type, body: body.as_bytes() };
        read(&request).map(|read| read.signals)
    }

    #[test]
    fn a_summary_in_the_query_a_form_or_json_raises() {
        let all = [
            sent("token=s3cret&summary=disk", None, ""),
            sent("token=s3cret&summary=old", Some("application/x-www-form-urlencoded"), "summary=disk"),
            sent("", Some("application/json"), r#"{"summary": "disk"}"#),
        ];
        for signals in all {
            let [Signal::Raise(draft)] = &signals.unwrap()[..] else { panic!("one raise") };
            assert_eq!(draft.message.as_deref(), Some("disk"));
            assert!(!format!("{draft:?}").contains("s3cret"));
        }
    }

    #[test]
    fn a_close_finds_what_the_same_summary_raised() {
        let raised = sent("summary=disk&details=97", None, "").unwrap();
        let closed = sent("summary=disk&details=97&action=close", None, "").unwrap();
        let ([Signal::Raise(draft)], [Signal::Resolve { dedup }]) = (&raised[..], &closed[..]) else {
            panic!("{raised:?} {closed:?}")
        };
        assert_eq!(draft.dedup.as_ref(), Some(dedup));
        let by_key = sent("dedup=disk-check&action=close", None, "").unwrap();
        assert_eq!(by_key, [Signal::Resolve { dedup: "disk-check".to_owned() }]);
    }

    #[test]
    fn an_alert_without_a_summary_is_refused() {
        assert_eq!(sent("", None, "").unwrap_err().field(), Some("summary"));
        assert_eq!(sent("action=close", None, "").unwrap_err().field(), Some("dedup"));
    }
}
