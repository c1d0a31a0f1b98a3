//! Nagios and Icinga: a notification command that posts its macros, by HTTP.
//!
//! The names are the macros' own, in any case and with or without `NAGIOS_` before them: `HOSTNAME`, `SERVICEDESC`,
//! `NAGIOS_SERVICESTATE`, Icinga's `host.name`. What is about a service carries its name; what is about a host does not.

use super::form;
use super::json::{Node, text_of};
use super::limit::{self, Parameters};
use super::{Draft, IntakeError, Read, Request, Signal};
use serde_json::{Map, Value};

const TYPES: &str = "`PROBLEM`, `RECOVERY`, `ACKNOWLEDGEMENT` or another of Nagios's types";
const STATES: &str = "`UP`, `DOWN`, `UNREACHABLE`, `OK`, `WARNING`, `CRITICAL` or `UNKNOWN`";

/// A form, JSON, or a query of macros.
pub(super) fn read(request: &Request<'_>) -> Result<Read, IntakeError> {
    let macros = Macros::of(form::fields(request)?);
    let fields = Node::root(&macros.0)?;
    let host = fields.first(&["HOSTNAME", "HOSTDISPLAYNAME", "HOSTALIAS", "HOST"]);
    let host = host.map_or_else(|| fields.get("HOSTNAME").needed("the name of the host"), Ok)?;
    let service = fields.first(&["SERVICEDESC", "SERVICENAME", "SERVICEDISPLAYNAME", "SERVICE"]);
    let about = service.as_deref().map_or(host.clone(), |service| format!("{host}/{service}"));
    let dedup = limit::dedup(&format!("nagios:{about}")).ok_or_else(|| fields.get("HOSTNAME").wrong("a text"))?;
    let state = fields.first(if service.is_some() { &["SERVICESTATE", "STATE"] } else { &["HOSTSTATE", "STATE"] });
    let state = state.map(|state| state.to_uppercase());
    let raise = || Signal::Raise(draft(&fields, &host, service.as_deref(), state.as_deref(), &dedup)).into();
    let kind = fields.get("NOTIFICATIONTYPE");
    let Some(said) = fields.first(&["NOTIFICATIONTYPE", "TYPE"]) else {
        // Without a type the state decides; without either nothing does.
        return match state.as_deref() {
            Some("OK" | "UP") => Ok(Signal::Resolve { dedup }.into()),
            Some("WARNING" | "CRITICAL" | "UNKNOWN" | "DOWN" | "UNREACHABLE") => Ok(raise()),
            Some(other) => Err(IntakeError::text("STATE", other, STATES)),
            None => Err(kind.wrong(TYPES)),
        };
    };
    match said.to_uppercase().as_str() {
        "PROBLEM" | "CUSTOM" => Ok(raise()),
        "RECOVERY" => Ok(Signal::Resolve { dedup }.into()),
        "ACKNOWLEDGEMENT" => Ok(Signal::Acknowledge { dedup }.into()),
        other if other.starts_with("FLAPPING") || other.starts_with("DOWNTIME") => Ok(Read::default()),
        _ => Err(IntakeError::text(kind.path(), &said, TYPES)),
    }
}

fn draft(fields: &Node<'_>, host: &str, service: Option<&str>, state: Option<&str>, dedup: &str) -> Draft {
    let mut parameters = Parameters::default();
    parameters.put("host", host);
    parameters.put_some("service", service);
    parameters.put_some("state", state);
    let output = fields.first(if service.is_some() { &["SERVICEOUTPUT", "OUTPUT"] } else { &["HOSTOUTPUT", "OUTPUT"] });
    parameters.put_some("output", output.as_deref());
    for (name, member) in fields.members() {
        parameters.put_some(&name.to_lowercase(), member.any().as_deref());
    }
    let about: Vec<&str> = [Some(host), service, state].into_iter().flatten().collect();
    let told = match output.as_deref() {
        Some(output) => format!("{}: {output}", about.join(" ")),
        None => about.join(" "),
    };
    Draft {
        message: limit::spoken(&told),
        host: limit::name(host),
        service: service.and_then(limit::name),
        parameters: parameters.done(),
        dedup: Some(dedup.to_owned()),
        ..Draft::default()
    }
}

/// The fields under the macros' names: upper case, no prefix, no dots.
struct Macros(Value);

impl Macros {
    fn of(fields: Map<String, Value>) -> Macros {
        let known = |(name, value): (String, Value)| {
            let text = text_of(&value).filter(|text| !unresolved(text))?;
            (!limit::is_secret(&name)).then(|| (macro_name(&name), Value::String(text)))
        };
        Macros(Value::Object(fields.into_iter().filter_map(known).collect()))
    }
}

/// A macro that meant nothing where the command ran, such as a service's in a notification about a host.
fn unresolved(text: &str) -> bool {
    let inside = text.strip_prefix('$').and_then(|rest| rest.strip_suffix('$'));
    inside.is_some_and(|name| name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._:".contains(&b)))
}

fn macro_name(name: &str) -> String {
    let upper = name.to_uppercase();
    let bare = ["NAGIOS_", "ICINGA_"].iter().find_map(|prefix| upper.strip_prefix(prefix)).unwrap_or(&upper);
    bare.chars().filter(|c| c.is_alphanumeric()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intake::Method;

    fn form(body: &str) -> Result<Vec<Signal>, IntakeError> {
        sent(Some("application/x-www-form-urlencoded"), body)
    }

    fn sent(content_type: Option<&str>, body: &str) -> Result<Vec<Signal>, IntakeError> {
        let (query, headers) = (&[][..], &[][..]);
        let request = Request { method: Method::Post, path: "", query, headers, content_type, body: body.as_bytes() };
        read(&request).map(|read| read.signals)
    }

    const SERVICE: &str = "HOSTNAME=db-01&SERVICEDESC=Disk+%2F&SERVICESTATE=CRITICAL&SERVICEOUTPUT=97%25+used";

    #[test]
    fn a_problem_of_a_service_is_raised() {
        let signals = form(&format!("NOTIFICATIONTYPE=PROBLEM&{SERVICE}&token=s3cret")).unwrap();
        let [Signal::Raise(draft)] = &signals[..] else { panic!("{signals:?}") };
        assert_eq!(draft.message.as_deref(), Some("db-01 Disk / CRITICAL: 97% used"));
        assert_eq!((draft.host.as_deref(), draft.service.as_deref()), (Some("db-01"), Some("Disk /")));
        assert_eq!(draft.dedup.as_deref(), Some("nagios:db-01/Disk /"));
        assert!(!format!("{draft:?}").contains("s3cret"));
    }

    #[test]
    fn recovery_resolves_and_an_acknowledgement_acknowledges() {
        let dedup = || "nagios:db-01/Disk /".to_owned();
        let sent = |kind| form(&format!("NOTIFICATIONTYPE={kind}&{SERVICE}")).unwrap();
        assert_eq!(sent("RECOVERY"), [Signal::Resolve { dedup: dedup() }]);
        assert_eq!(sent("ACKNOWLEDGEMENT"), [Signal::Acknowledge { dedup: dedup() }]);
        assert_eq!(sent("FLAPPINGSTART"), []);
        assert_eq!(sent("DOWNTIMEEND"), []);
    }

    #[test]
    fn a_host_and_icingas_names_are_read_from_json_too() {
        let body =
            r#"{"notification.type": "Problem", "host.name": "db-01", "host.state": "DOWN", "host.output": "no ping"}"#;
        let signals = sent(Some("application/json"), body).unwrap();
        let [Signal::Raise(draft)] = &signals[..] else { panic!("{signals:?}") };
        assert_eq!(draft.message.as_deref(), Some("db-01 DOWN: no ping"));
        assert_eq!((draft.service.as_deref(), draft.dedup.as_deref()), (None, Some("nagios:db-01")));
    }

    #[test]
    fn a_macro_that_was_not_resolved_is_none() {
        let service = "SERVICEDESC=$SERVICEDESC$&SERVICESTATE=&service.name=$service.name$";
        let signals = form(&format!("NOTIFICATIONTYPE=RECOVERY&HOSTNAME=a&{service}")).unwrap();
        assert_eq!(signals, [Signal::Resolve { dedup: "nagios:a".to_owned() }]);
        assert!(!unresolved("$5 left") && unresolved("$$"));
    }

    #[test]
    fn without_a_type_the_state_decides() {
        assert_eq!(
            form("NAGIOS_HOSTNAME=a&NAGIOS_STATE=up").unwrap(),
            [Signal::Resolve { dedup: "nagios:a".to_owned() }]
        );
        assert!(matches!(form("hostname=a&hoststate=DOWN").unwrap()[..], [Signal::Raise(_)]));
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert_eq!(form("NOTIFICATIONTYPE=PROBLEM").unwrap_err().field(), Some("HOSTNAME"));
        assert_eq!(form("HOSTNAME=a").unwrap_err().field(), Some("NOTIFICATIONTYPE"));
        assert_eq!(form("HOSTNAME=a&NOTIFICATIONTYPE=PARTY").unwrap_err().field(), Some("NOTIFICATIONTYPE"));
        assert_eq!(form("HOSTNAME=a&STATE=FINE").unwrap_err().field(), Some("STATE"));
    }
}
