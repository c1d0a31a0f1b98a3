//! `/alert` and `/in/plain`: whatever can call a URL or post a form.
//!
//! Every field may be absent; then the token or the configuration knows whom to call. Easy to get wrong: `tels=+81…`
//! in a URL is decoded to ` 81…`, because `+` means a space there; such a space is read as the plus it was. And a list of
//! numbers that is there and empty must not ring everybody.

use super::form;
use super::json::Node;
use super::limit::{self, Parameters};
use super::{Callee, Draft, IntakeError, Method, Read, Request, Signal, UNKNOWN};
use serde_json::{Map, Value};

const ACTIONS: &str = "`raise`, `acknowledge` or `resolve`";
const PHONES: &str = "phones with commas between them, each `+` and 3 to 15 digits, or a SIP URI";
/// The longest that may be one, in bytes.
const NUMBER_MAX: usize = 255;
/// The most phones one request may name.
const PHONES_MAX: usize = 100;

/// A query, a form, a JSON object, or a text that is the message.
pub(super) fn read(request: &Request<'_>) -> Result<Read, IntakeError> {
    let fields = match contacts_alone(request) {
        Some(contacts) => {
            let mut fields = form::fields(&Request { body: &[], ..*request })?;
            fields.insert("contacts".to_owned(), contacts);
            fields
        }
        None => form::fields(request)?,
    };
    let fields = Value::Object(fields);
    signal(&Node::root(&fields)?).map(Read::from)
}

/// A body that is nothing but an array of objects: whom to ring.
fn contacts_alone(request: &Request<'_>) -> Option<Value> {
    let first = request.body.iter().find(|byte| !byte.is_ascii_whitespace());
    let list = request.method == Method::Post && first == Some(&b'[');
    let objects: Vec<Map<String, Value>> = list.then(|| serde_json::from_slice(request.body).ok()).flatten()?;
    Some(objects.into_iter().map(Value::Object).collect())
}

/// What an object with our own field names asks for.
pub(super) fn signal(fields: &Node<'_>) -> Result<Signal, IntakeError> {
    let action = fields.get("action");
    let dedup = fields.get("dedup").text("a text")?.as_deref().and_then(limit::dedup);
    let settled = || dedup.clone().ok_or_else(|| fields.get("dedup").wrong("the deduplication key of what is over"));
    match action.text(ACTIONS)?.as_deref().unwrap_or("raise") {
        "raise" | "trigger" => draft(fields, dedup.clone()).map(Signal::Raise),
        "resolve" | "close" => settled().map(|dedup| Signal::Resolve { dedup }),
        "acknowledge" => settled().map(|dedup| Signal::Acknowledge { dedup }),
        other => Err(IntakeError::text(action.path(), other, ACTIONS)),
    }
}

fn draft(fields: &Node<'_>, dedup: Option<String>) -> Result<Draft, IntakeError> {
    let mut parameters = Parameters::default();
    fields.get("parameters").put_all(&mut parameters);
    for (name, member) in fields.members() {
        let inner = name.strip_prefix("parameters.").or_else(|| name.strip_prefix("param."));
        if let (Some(inner), Some(text)) = (inner, member.any()) {
            parameters.put(inner, &text);
        }
    }
    Ok(Draft {
        call_flow: id(&fields.get("call_flow"))?,
        guidance: id(&fields.get("guidance"))?,
        room: id(&fields.get("room"))?,
        message: fields.get("message").text("a text")?.as_deref().and_then(limit::spoken),
        parameters: parameters.done(),
        dedup,
        to: phones(fields)?,
        host: fields.get("host").any().as_deref().and_then(limit::name),
        service: fields.get("service").any().as_deref().and_then(limit::name),
    })
}

/// An id of the configuration, where one is named.
pub(super) fn id<T: core::str::FromStr>(node: &Node<'_>) -> Result<Option<T>, IntakeError> {
    let accepted = "an id: 1 to 64 letters, digits, `_`, `-` or `.`";
    let named = node.text(accepted)?;
    named.map(|text| text.parse().map_err(|_| IntakeError::text(node.path(), &text, accepted))).transpose()
}

fn phones(fields: &Node<'_>) -> Result<Vec<Callee>, IntakeError> {
    let mut found: Vec<Callee> = Vec::new();
    for name in ["tels", "tel", "to"] {
        let place = fields.get(name);
        let before = found.len();
        match place.value() {
            Some(Value::Array(_)) => {
                for item in place.items()? {
                    match item.value() {
                        Some(Value::String(text)) => found.extend(callee(item.path(), text)?),
                        _ => return Err(item.wrong("a phone: `+` and 3 to 15 digits, or a SIP URI")),
                    }
                }
            }
            // The raw text: a plus that became a space must not be trimmed away.
            Some(Value::String(text)) => {
                for each in text.split([',', '，', '、']) {
                    found.extend(callee(place.path(), each)?);
                }
            }
            None => {}
            Some(_) => return Err(place.wrong(PHONES)),
        }
        if place.is_there() && found.len() == before {
            return Err(place.wrong(PHONES));
        }
    }
    let contacts = fields.get("contacts");
    for contact in contacts.items()? {
        let number = contact.get("phone_number");
        let text = number.needed(PHONES)?;
        let named = contact.get("name").any().as_deref().and_then(limit::name);
        let name = Some(named.unwrap_or_else(|| UNKNOWN.to_owned()));
        found.extend(callee(number.path(), &text)?.map(|callee| Callee { name, ..callee }));
    }
    if contacts.is_there() && found.is_empty() {
        return Err(contacts.wrong("an array of objects with `phone_number` and `name`"));
    }
    if found.len() > PHONES_MAX {
        return Err(IntakeError::wrong("tels", format!("{} phones", found.len()), format!("at most {PHONES_MAX}")));
    }
    let mut seen = std::collections::BTreeSet::new();
    found.retain(|callee| seen.insert(callee.number.clone()));
    Ok(found)
}

/// What may be a number somewhere. Whether it is one here is known to those who know the country.
fn callee(place: &str, text: &str) -> Result<Option<Callee>, IntakeError> {
    let bare = text.trim();
    let lost_its_plus = text.starts_with(' ') && bare.starts_with(|c: char| c.is_ascii_digit());
    let number = if lost_its_plus { format!("+{bare}") } else { bare.to_owned() };
    if number.is_empty() {
        return Ok(None);
    }
    let is_one = number.len() <= NUMBER_MAX && (number.contains(':') || number.chars().any(char::is_numeric));
    let callee = is_one.then_some(Callee { number, name: None });
    callee.map(Some).ok_or_else(|| IntakeError::text(place, bare, PHONES))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intake::Method;

    fn get(url_query: &str) -> Result<Read, IntakeError> {
        let query: Vec<_> = form_urlencoded::parse(url_query.as_bytes()).into_owned().collect();
        let (headers, content_type, body) = (&[][..], None, &b""[..]);
        read(&Request { method: Method::Get, path: "", query: &query, headers, content_type, body })
    }

    fn post(body: &str) -> Result<Read, IntakeError> {
        let (headers, query, content_type) = (&[][..], &[][..], Some("application/json"));
        read(&Request { method: Method::Post, path: "", query, headers, content_type, body: body.as_bytes() })
    }

    fn raised(read: Result<Read, IntakeError>) -> Draft {
        match read.unwrap().signals.pop() {
            Some(Signal::Raise(draft)) => draft,
            other => panic!("no raise: {other:?}"),
        }
    }

    #[test]
    fn an_empty_query_raises_what_the_token_knows() {
        assert_eq!(raised(get("")), Draft::default());
    }

    #[test]
    fn a_plus_that_arrived_as_a_space_is_a_plus() {
        let draft = raised(get("tels=+818011112222,+818033334444&message=test"));
        let phones: Vec<&str> = draft.to.iter().map(|callee| callee.number.as_str()).collect();
        assert_eq!(phones, ["+818011112222", "+818033334444"]);
        assert_eq!(draft.message.as_deref(), Some("test"));
        let escaped = raised(get("tels=%2B818011112222,%20%2B818033334444"));
        assert_eq!(escaped.to, draft.to);
    }

    #[test]
    fn a_phone_that_is_none_is_named_with_its_field() {
        let error = get("tels=+818011112222,nobody").unwrap_err();
        assert!(error.to_string().starts_with("tels: found `nobody`; accepted: phones"), "{error}");
    }

    #[test]
    fn a_list_of_numbers_that_is_empty_rings_nobody_rather_than_everybody() {
        for (query, field) in [("tels=&message=x", "tels"), ("tel=,", "tel"), ("to=%20", "to")] {
            assert_eq!(get(query).unwrap_err().field(), Some(field), "{query}");
        }
        for (body, field) in [
            (r#"{"to":[]}"#, "to"),
            (r#"{"contacts":[]}"#, "contacts"),
            ("[]", "contacts"),
            (r#"{"contacts":7}"#, "contacts"),
        ] {
            assert_eq!(post(body).unwrap_err().field(), Some(field), "{body}");
        }
        assert!(raised(post(r#"{"tels":null}"#)).to.is_empty());
    }

    #[test]
    fn a_list_of_contacts_is_whom_to_ring() {
        let list = r#"[{"phone_number":"090-1111-2222","name":"山田"},{"phone_number":"+818011112222"}]"#;
        for body in [list.to_owned(), format!(r#"{{"contacts":{list}}}"#)] {
            let draft = raised(post(&body));
            let people: Vec<_> = draft.to.iter().map(|it| (it.number.as_str(), it.name.as_deref())).collect();
            assert_eq!(people, [("090-1111-2222", Some("山田")), ("+818011112222", Some("不明"))]);
        }
        let error = post(r#"[{"name":"山田"}]"#).unwrap_err();
        assert_eq!(error.field(), Some("contacts[0].phone_number"));
    }

    #[test]
    fn json_may_bring_numbers_arrays_and_parameters() {
        let draft = raised(post(
            r#"{"message": 42, "tels": ["+818011112222"], "call_flow": "night", "unknown": {"x": 1},
                "parameters": {"server": "db-01", "load": 9.5, "token": "s3cret"}}"#,
        ));
        assert_eq!(draft.message.as_deref(), Some("42"));
        assert_eq!(draft.call_flow.unwrap().as_str(), "night");
        let parameters: Vec<_> = draft.parameters.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        assert_eq!(parameters, [("load", "9.5"), ("server", "db-01")]);
    }

    #[test]
    fn an_end_needs_its_key() {
        assert_eq!(get("action=resolve&dedup=disk").unwrap().signals, [Signal::Resolve { dedup: "disk".to_owned() }]);
        let error = get("action=resolve").unwrap_err();
        assert_eq!(error.field(), Some("dedup"));
        let error = get("action=explode").unwrap_err();
        assert!(error.to_string().contains("`explode`") && error.to_string().contains("`acknowledge`"), "{error}");
    }

    #[test]
    fn an_id_with_a_slash_is_refused() {
        assert_eq!(get("call_flow=a/b").unwrap_err().field(), Some("call_flow"));
    }
}
