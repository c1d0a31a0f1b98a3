//! Quiet, asked for from outside: the words of a request into a scope and a moment, and promises into JSON.

use serde_json::{Value, json};

use super::control::{Failure, SuppressRequest};
use super::core::Core;
use super::events::rfc3339;
use crate::base::Stamp;
use crate::config::{KEY, parse_duration};
use crate::incident::{Scope, Suppression};
use crate::switch::NotQuiet;

impl Core {
    /// Nobody is called any more about this, until then.
    pub(super) fn suppress(&mut self, request: SuppressRequest, by: &str) -> Result<Value, Failure> {
        let until = until(self.clock.calendar(), request.duration.as_deref(), request.until.as_deref())?;
        let call_flow = request.call_flow.map(|text| text.parse()).transpose();
        let call_flow = call_flow.map_err(|error| Failure::new("bad_request", format!("`call_flow`: {error}")))?;
        if let Some(unknown) = call_flow.as_ref().filter(|id| !self.settings.call_flows.contains_key(id)) {
            return Err(Failure::new("unknown_call_flow", format!("there is no call flow `{unknown}`")));
        }
        let named = |text: Option<String>| text.filter(|text| !text.is_empty());
        let (dedup, host, service) = (named(request.dedup), named(request.host), named(request.service));
        for (field, text) in [("dedup", &dedup), ("host", &host), ("service", &service)] {
            short(field, text.as_deref().unwrap_or_default())?;
        }
        let scope = Scope { dedup, host, service, call_flow, message: None };
        let suppression = self.switch.suppress(self.clock.now(), scope, until, by).map_err(not_quiet)?;
        Ok(json!({ "suppression": suppression.id, "until": rfc3339(suppression.until) }))
    }

    /// The promises that hold.
    pub(super) fn suppressions(&self) -> Value {
        let all = self.switch.suppressions(self.clock.now()).map(suppression_json);
        json!({ "suppressions": all.collect::<Vec<_>>() })
    }

    /// Calls are made again.
    pub(super) fn lift(&mut self, suppression: u32, by: &str) -> Result<Value, Failure> {
        self.switch.lift(self.clock.now(), suppression, by).map_err(not_quiet)?;
        Ok(json!({}))
    }
}

/// A promise as an object.
pub(super) fn suppression_json(suppression: &Suppression) -> Value {
    let Suppression { id, scope, until, by } = suppression;
    json!({
        "suppression": id,
        "dedup": scope.dedup,
        "host": scope.host,
        "service": scope.service,
        "call_flow": scope.call_flow,
        "message": scope.message,
        "until": rfc3339(*until),
        "by": by,
    })
}

/// It is held until the promise ends, and no trigger has a longer one.
fn short(field: &str, text: &str) -> Result<(), Failure> {
    let found = text.chars().count();
    if found <= KEY {
        return Ok(());
    }
    Err(Failure::new("too_much", format!("`{field}` has {found} characters; accepted: at most {KEY}")))
}

/// The moment that a request names, one way or the other.
fn until(now: Stamp, duration: Option<&str>, until: Option<&str>) -> Result<Stamp, Failure> {
    let bad = |message: String| Failure::new("bad_request", message);
    match (duration, until) {
        (Some(text), None) => parse_duration(text)
            .map(|length| now + length)
            .ok_or_else(|| bad(format!("`for`: `{text}` is no duration such as \"2h\" or \"1h30m\""))),
        (None, Some(text)) => {
            let moment: Result<jiff::Timestamp, _> = text.parse();
            let moment = moment.map_err(|_| bad(format!("`until`: `{text}` is no RFC 3339 time")))?;
            Ok(Stamp::from_unix_micros(moment.as_microsecond()))
        }
        _ => Err(bad("either `for` (\"2h\") or `until` (an RFC 3339 time) is needed".to_owned())),
    }
}

fn not_quiet(error: NotQuiet) -> Failure {
    let code = match error {
        NotQuiet::AboutNothing | NotQuiet::Until => "bad_request",
        NotQuiet::TooMany => "too_much",
        NotQuiet::NoSuch(_) => "not_found",
    };
    Failure::new(code, error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_quiet_about_is_no_longer_than_what_a_trigger_says() {
        assert!(short("host", &"半".repeat(KEY)).is_ok());
        let failure = short("host", &"h".repeat(KEY + 1)).unwrap_err();
        assert!(failure.code == "too_much" && failure.message.contains("`host` has 201"), "{failure:?}");
    }

    #[test]
    fn a_moment_is_named_by_a_length_or_by_itself_and_never_by_both() {
        let now = Stamp::from_unix_micros(1_000_000);
        assert_eq!(until(now, Some("1h30m"), None), Ok(Stamp::from_unix_micros(5_401_000_000)));
        assert_eq!(until(now, None, Some("1970-01-01T01:00:00Z")), Ok(Stamp::from_unix_micros(3_600_000_000)));
        let wrong =
            [(None, None), (Some("2h"), Some("1970-01-01T01:00:00Z")), (Some("soon"), None), (None, Some("soon"))];
        for (length, moment) in wrong {
            assert_eq!(until(now, length, moment).map_err(|failure| failure.code), Err("bad_request".to_owned()));
        }
    }
}
