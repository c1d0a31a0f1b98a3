//! CloudEvents 1.0 over HTTP: structured, binary (`ce-` headers) and batched.
//!
//! CloudEvents say that something happened, not whether it is over. What the data says in our own field names counts
//! (`message`, `dedup`, `action`, `call_flow`, …); without it a type that ends in `.resolved`, `.recovered` or
//! `.closed` resolves. Events about the same thing share `source` and `subject`; that is their key.

use super::form::decoded;
use super::json::{self, Node, text_of};
use super::limit::{self, Parameters};
use super::{Draft, IntakeError, Read, Request, Signal, plain};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

const OVER: &[&str] = &["resolved", "recovered", "closed"];
/// What the specification calls the context, beside `data`.
const CONTEXT: &[&str] = &["id", "source", "type", "subject", "time"];

/// One event, or a batch of them.
pub(super) fn read(request: &Request<'_>) -> Result<Read, IntakeError> {
    if request.header("ce-specversion").is_some() {
        let event = Value::Object(binary(request)?);
        return signal(&Node::root(&event)?).map(Read::from);
    }
    match json::parse(request.body, "a CloudEvent, or an array of them")? {
        Value::Array(events) => {
            let each = |(n, event)| signal(&Node::at(event, &format!("events[{n}]")));
            Ok(events.iter().enumerate().map(each).collect::<Result<Vec<_>, _>>()?.into())
        }
        event => signal(&Node::root(&event)?).map(Read::from),
    }
}

/// The headers as attributes, the body as data (HTTP protocol binding §3.1).
fn binary(request: &Request<'_>) -> Result<Map<String, Value>, IntakeError> {
    let attribute = |(name, value): &(String, String)| {
        let name = name.strip_prefix("ce-")?;
        Some((name.to_owned(), Value::String(decoded(value))))
    };
    let mut event: Map<String, Value> = request.headers.iter().filter_map(attribute).collect();
    let kind = request.content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if !request.body.is_empty() {
        let is_json = kind.is_empty() || kind.eq_ignore_ascii_case("application/json") || kind.ends_with("+json");
        let data = match is_json {
            true => json::parse(request.body, "the data of the event")?,
            false => Value::String(String::from_utf8_lossy(request.body).into_owned()),
        };
        event.insert("data".to_owned(), data);
    }
    Ok(event)
}

fn signal(event: &Node<'_>) -> Result<Signal, IntakeError> {
    let version = event.get("specversion");
    match version.needed("`1.0`")?.as_str() {
        "1.0" => {}
        other => return Err(IntakeError::text(version.path(), other, "`1.0`")),
    }
    let needed = |name: &str| event.get(name).needed("a text, as CloudEvents demand");
    let (id, source, kind) = (needed("id")?, needed("source")?, needed("type")?);
    let subject = event.get("subject").text("a text")?;
    let data = data(event)?;
    let is_over = OVER.iter().any(|word| kind.rsplit(['.', '/', ':', '-']).next() == Some(word));
    let (empty, place) = (Value::Object(Map::new()), event.get("data"));
    let said = Node::at(data.as_ref().filter(|data| data.is_object()).unwrap_or(&empty), place.path());
    let own_key = said.first(&["dedup"]);
    let key = own_key.clone().or_else(|| subject.as_ref().map(|subject| format!("cloudevents:{source} {subject}")));
    let key = key.as_deref().and_then(limit::dedup);
    if is_over && !said.get("action").is_there() {
        let wrong = || event.get("subject").wrong("the subject that the first event had, or `dedup` in the data");
        return key.map(|dedup| Signal::Resolve { dedup }).ok_or_else(wrong);
    }
    let mut signal = match plain::signal(&said) {
        // The key of the event serves where the data says what to do but not with what.
        Err(error) if own_key.is_none() => match (key.clone(), said.first(&["action"]).as_deref()) {
            (Some(dedup), Some("resolve" | "close")) => Signal::Resolve { dedup },
            (Some(dedup), Some("acknowledge")) => Signal::Acknowledge { dedup },
            _ => return Err(error),
        },
        other => other?,
    };
    if let Signal::Raise(draft) = &mut signal {
        draft.dedup = key.or_else(|| limit::dedup(&format!("cloudevents:{source} {id}")));
        complete(draft, event, data.as_ref(), subject.as_deref().unwrap_or(&kind));
    }
    Ok(signal)
}

/// What the data does not say itself.
fn complete(draft: &mut Draft, event: &Node<'_>, data: Option<&Value>, about: &str) {
    let mut parameters = Parameters::default();
    draft.parameters.iter().for_each(|(name, text)| parameters.put(name, text));
    for name in CONTEXT {
        parameters.put_some(name, event.get(name).any().as_deref());
    }
    let data = data.map(|data| Node::at(data, "data"));
    if let Some(data) = &data {
        data.put_all(&mut parameters);
    }
    let told = data.and_then(|data| data.any().or_else(|| data.first(&["summary", "title", "description"])));
    draft.message = draft.message.take().or_else(|| limit::spoken(told.as_deref().unwrap_or(about)));
    draft.parameters = parameters.done();
}

/// The data as JSON where it is some; a text that is none stays a text.
fn data(event: &Node<'_>) -> Result<Option<Value>, IntakeError> {
    let coded = event.get("data_base64");
    let Some(text) = coded.value().and_then(text_of) else { return Ok(event.get("data").value().cloned()) };
    let bytes = STANDARD.decode(text.as_bytes()).map_err(|_| coded.wrong("base64"))?;
    let as_text = || Value::String(String::from_utf8_lossy(&bytes).into_owned());
    Ok(Some(serde_json::from_slice(&bytes).unwrap_or_else(|_| as_text())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intake::Method;

    fn sent(headers: &[(&str, &str)], content_type: &str, body: &str) -> Result<Vec<Signal>, IntakeError> {
        let headers: Vec<_> = headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        let (query, content_type) = (&[][..], Some(content_type));
        let request =
            Request { method: Method::Post, path: "", query, headers: &headers, content_type, body: body.as_bytes() };
        read(&request).map(|read| read.signals)
    }

    fn structured(body: &str) -> Result<Vec<Signal>, IntakeError> {
        sent(&[], "application/cloudevents+json", body)
    }

    fn event(kind: &str, rest: &str) -> String {
        format!(r#"{{"specversion": "1.0", "id": "A1", "source": "/disks", "type": "{kind}"{rest}}}"#)
    }

    #[test]
    fn a_structured_event_raises_and_its_end_resolves_by_source_and_subject() {
        let rest = r#", "subject": "db-01", "data": {"message": "Disk full", "host": "db-01", "free": 1}"#;
        let raised = structured(&event("com.example.disk.full", rest)).unwrap();
        let [Signal::Raise(draft)] = &raised[..] else { panic!("{raised:?}") };
        assert_eq!((draft.message.as_deref(), draft.host.as_deref()), (Some("Disk full"), Some("db-01")));
        assert_eq!(draft.parameters["free"], "1");
        let over = structured(&event("com.example.disk.resolved", r#", "subject": "db-01""#)).unwrap();
        assert_eq!(over, [Signal::Resolve { dedup: draft.dedup.clone().unwrap() }]);
    }

    #[test]
    fn a_binary_event_has_its_context_in_headers() {
        let headers = [
            ("ce-specversion", "1.0"),
            ("ce-id", "A1"),
            ("ce-source", "/disks"),
            ("ce-type", "com.example.disk.full"),
            ("ce-subject", "%E3%83%87%E3%82%A3%E3%82%B9%E3%82%AF"),
        ];
        let raised = sent(&headers, "text/plain", "disk is full").unwrap();
        let [Signal::Raise(draft)] = &raised[..] else { panic!("{raised:?}") };
        assert_eq!(draft.message.as_deref(), Some("disk is full"));
        assert_eq!(draft.parameters["subject"], "ディスク");
        let json = sent(&headers, "application/json", r#"{"message": "m", "dedup": "k"}"#).unwrap();
        let [Signal::Raise(draft)] = &json[..] else { panic!("{json:?}") };
        assert_eq!((draft.message.as_deref(), draft.dedup.as_deref()), (Some("m"), Some("k")));
    }

    #[test]
    fn a_batch_is_read_event_by_event() {
        let batch = format!("[{}, {}]", event("a", ""), event("b.resolved", r#", "data": {"dedup": "k"}"#));
        let signals = sent(&[], "application/cloudevents-batch+json", &batch).unwrap();
        let [Signal::Raise(draft), Signal::Resolve { dedup }] = &signals[..] else { panic!("{signals:?}") };
        assert_eq!((draft.message.as_deref(), dedup.as_str()), (Some("a"), "k"));
        assert_eq!(draft.dedup.as_deref(), Some("cloudevents:/disks A1"));
        assert_eq!(sent(&[], "application/cloudevents-batch+json", "[]").unwrap(), []);
    }

    #[test]
    fn data_in_base64_is_read_as_what_it_is() {
        let json = format!(r#", "data_base64": "{}""#, STANDARD.encode(r#"{"message": "m"}"#));
        let [Signal::Raise(draft)] = &structured(&event("a", &json)).unwrap()[..] else { panic!("a raise") };
        assert_eq!(draft.message.as_deref(), Some("m"));
        assert_eq!(structured(&event("a", r#", "data_base64": "%%""#)).unwrap_err().field(), Some("data_base64"));
    }

    #[test]
    fn the_data_may_say_what_to_do_and_the_event_with_what() {
        let rest = |action| format!(r#", "subject": "db-01", "data": {{"action": "{action}"}}"#);
        let dedup = || "cloudevents:/disks db-01".to_owned();
        assert_eq!(structured(&event("a", &rest("acknowledge"))).unwrap(), [Signal::Acknowledge { dedup: dedup() }]);
        assert_eq!(structured(&event("a", &rest("resolve"))).unwrap(), [Signal::Resolve { dedup: dedup() }]);
        assert_eq!(structured(&event("a", &rest("dance"))).unwrap_err().field(), Some("data.action"));
        let again = structured(&event("a.resolved", &rest("raise"))).unwrap();
        assert!(matches!(again[..], [Signal::Raise(_)]), "what the data says counts more than the type");
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert_eq!(structured("{}").unwrap_err().field(), Some("specversion"));
        assert_eq!(structured(r#"{"specversion": "0.3"}"#).unwrap_err().field(), Some("specversion"));
        assert_eq!(structured(r#"{"specversion": "1.0", "id": 1}"#).unwrap_err().field(), Some("source"));
        assert_eq!(structured(&event("a.resolved", "")).unwrap_err().field(), Some("subject"));
        assert_eq!(structured(r#"[{"specversion": "1.0"}]"#).unwrap_err().field(), Some("events[0].id"));
    }
}
