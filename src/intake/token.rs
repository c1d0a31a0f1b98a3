//! Where each tool puts its key when it cannot set a header.
//!
//! Headers and the query are read by whoever serves HTTP; this reads what only a body holds. The text found here goes
//! nowhere but into the comparison with the stored hashes.

use super::form;
use super::{Request, Source};
use serde_json::Value;

/// Where the body of this source may hold the key; nowhere for most.
fn names(source: &Source) -> &'static [&'static str] {
    match source {
        Source::PagerDuty => &["routing_key"],
        Source::Plain | Source::GoAlert | Source::Nagios | Source::Zabbix | Source::Datadog => &["token"],
        _ => &[],
    }
}

/// May a body of this source hold the key?
pub fn holds_token(source: &Source) -> bool {
    !names(source).is_empty()
}

/// The key inside the body: PagerDuty's `routing_key`, or `token` of a form or a flat JSON object. Nothing where the
/// body has none or is not understood; reading it says then what is wrong.
pub fn token(source: &Source, request: &Request<'_>) -> Option<String> {
    let names = names(source);
    if names.is_empty() {
        return None;
    }
    let fields = form::fields(&Request { query: &[], ..*request }).ok()?;
    let text = |name: &&str| fields.get(*name).and_then(Value::as_str).map(str::to_owned);
    names.iter().find_map(text).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intake::Method;

    #[test]
    fn a_routing_key_is_found_in_the_body() {
        let (method, query, headers, content_type) = (Method::Post, &[][..], &[][..], None);
        let body = br#"{"routing_key": "hansho_abc", "event_action": "trigger"}"#;
        let request = Request { method, path: "", query, headers, content_type, body };
        assert_eq!(token(&Source::PagerDuty, &request).as_deref(), Some("hansho_abc"));
        assert_eq!(token(&Source::Alertmanager, &request), None);
        assert_eq!(token(&Source::GoAlert, &Request { body: b"token=t&summary=x", ..request }).as_deref(), Some("t"));
        assert_eq!(token(&Source::PagerDuty, &Request { body: b"{", ..request }), None);
    }
}
