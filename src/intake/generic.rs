//! Any JSON, by a mapping that the configuration builds.
//!
//! A [`Path`] leads to a value, a [`Template`] puts values into a text, a [`Condition`] compares one with words. A path
//! is `alert.labels.host`, `alerts[0].name` or a JSON pointer (RFC 6901) `/alerts/0/name`; it is read once, when the
//! configuration is.

use super::json::{self, Node};
use super::limit::{self, Parameters};
use super::{Draft, IntakeError, Method, Read, Request, Signal};
use core::fmt;
use core::str::FromStr;
use serde_json::{Map, Value};

/// The longest path, in steps.
const STEPS_MAX: usize = 32;

/// How a body of one's own shape is read.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Mapping {
    /// The array with one element an alert; the whole body is one alert where it is absent. The other paths begin at
    /// the element.
    pub each: Option<Path>,
    /// The text to speak.
    pub message: Option<Template>,
    /// The deduplication key. Resolving needs it.
    pub dedup: Option<Template>,
    /// The machine.
    pub host: Option<Path>,
    /// The service.
    pub service: Option<Path>,
    /// The id of a call flow.
    pub call_flow: Option<Path>,
    /// The id of a guidance.
    pub guidance: Option<Path>,
    /// Parameters by name. Where there are none, every scalar at the top of the alert is a parameter.
    pub parameters: Vec<(String, Path)>,
    /// When it is over.
    pub resolve_when: Option<Condition>,
    /// When somebody deals with it already.
    pub acknowledge_when: Option<Condition>,
    /// When it asks for nothing.
    pub ignore_when: Option<Condition>,
}

/// Where in a body a value stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Path(Vec<String>);

/// Why a text is no path or no template.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("`{found}` is no {wanted}")]
pub struct PathError {
    found: String,
    wanted: &'static str,
}

/// A text with `{{path}}`s in it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Template(Vec<Part>);

#[derive(Clone, PartialEq, Eq, Debug)]
enum Part {
    Text(String),
    Value(Path),
}

/// True when the value at a place is one of these words, in any case; without words, when there is a value at all.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Condition {
    /// Where to look.
    pub at: Path,
    /// What to find there.
    pub is: Vec<String>,
}

/// The alerts of a body.
pub(super) fn read(mapping: &Mapping, request: &Request<'_>) -> Result<Read, IntakeError> {
    let body = match request.method {
        Method::Get => {
            let text = |(name, value): &(String, String)| (name.clone(), Value::String(value.clone()));
            Value::Object(request.query.iter().map(text).collect::<Map<_, _>>())
        }
        Method::Post => json::parse(request.body, "JSON")?,
    };
    let whole = Node::at(&body, "");
    let alerts = match &mapping.each {
        None => vec![whole],
        Some(each) => match each.find(&whole) {
            found if found.is_there() => found.items()?,
            missing => return Err(missing.wrong("an array of alerts")),
        },
    };
    let signals = alerts.iter().map(|alert| signal(mapping, alert)).collect::<Result<Vec<_>, _>>()?;
    Ok(signals.into_iter().flatten().collect::<Vec<_>>().into())
}

fn signal(mapping: &Mapping, alert: &Node<'_>) -> Result<Option<Signal>, IntakeError> {
    let holds = |condition: &Option<Condition>| condition.as_ref().is_some_and(|condition| condition.holds(alert));
    if holds(&mapping.ignore_when) {
        return Ok(None);
    }
    let dedup = mapping.dedup.as_ref().and_then(|template| template.fill(alert)).as_deref().and_then(limit::dedup);
    let settled = |dedup: Option<String>| {
        let first = mapping.dedup.as_ref().and_then(|template| template.paths().next());
        let field = first.map_or_else(|| "dedup".to_owned(), |path| path.find(alert).path().to_owned());
        dedup.ok_or_else(|| IntakeError::wrong(field, "nothing", "the deduplication key of what is over"))
    };
    if holds(&mapping.resolve_when) {
        return Ok(Some(Signal::Resolve { dedup: settled(dedup)? }));
    }
    if holds(&mapping.acknowledge_when) {
        return Ok(Some(Signal::Acknowledge { dedup: settled(dedup)? }));
    }
    let mut parameters = Parameters::default();
    match &mapping.parameters[..] {
        [] => alert.put_all(&mut parameters),
        named => named.iter().for_each(|(name, path)| parameters.put_some(name, path.find(alert).any().as_deref())),
    }
    let text = |path: &Option<Path>| path.as_ref().and_then(|path| path.find(alert).any());
    let id = |path: &Option<Path>| path.as_ref().map(|path| path.find(alert));
    Ok(Some(Signal::Raise(Draft {
        call_flow: id(&mapping.call_flow).map(|place| super::plain::id(&place)).transpose()?.flatten(),
        guidance: id(&mapping.guidance).map(|place| super::plain::id(&place)).transpose()?.flatten(),
        message: mapping.message.as_ref().and_then(|message| message.fill(alert)).as_deref().and_then(limit::spoken),
        host: text(&mapping.host).as_deref().and_then(limit::name),
        service: text(&mapping.service).as_deref().and_then(limit::name),
        parameters: parameters.done(),
        dedup,
        ..Draft::default()
    })))
}

impl Path {
    fn find<'a>(&self, from: &Node<'a>) -> Node<'a> {
        self.0.iter().fold(from.clone(), |node, step| match step.parse::<usize>() {
            Ok(n) if node.value().is_some_and(Value::is_array) => node.nth(n),
            _ => node.get(step),
        })
    }
}

impl FromStr for Path {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Path, PathError> {
        let error = || PathError { found: text.to_owned(), wanted: "path: `a.b`, `a[0].b` or `/a/0/b`" };
        let text = text.trim();
        let steps: Vec<String> = match text.strip_prefix('/') {
            Some(pointer) => pointer.split('/').map(|step| step.replace("~1", "/").replace("~0", "~")).collect(),
            None => {
                let opened = text.replace('[', ".");
                opened.split('.').map(|step| step.strip_suffix(']').unwrap_or(step).to_owned()).collect()
            }
        };
        let is_plain = steps.iter().all(|step| !step.is_empty() && !step.contains(['{', '}']));
        if is_plain && (1..=STEPS_MAX).contains(&steps.len()) { Ok(Path(steps)) } else { Err(error()) }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("."))
    }
}

impl Template {
    /// The text with every path's value; nothing where no path has one.
    fn fill(&self, alert: &Node<'_>) -> Option<String> {
        let mut found = self.paths().next().is_none();
        let filled = self.0.iter().fold(String::new(), |mut filled, part| {
            match part {
                Part::Text(text) => filled.push_str(text),
                Part::Value(path) => {
                    if let Some(value) = path.find(alert).any() {
                        filled.push_str(&value);
                        found = true;
                    }
                }
            }
            filled
        });
        found.then_some(filled)
    }

    fn paths(&self) -> impl Iterator<Item = &Path> {
        self.0.iter().filter_map(|part| match part {
            Part::Value(path) => Some(path),
            Part::Text(_) => None,
        })
    }
}

impl FromStr for Template {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Template, PathError> {
        let error = || PathError { found: text.to_owned(), wanted: "text in which every `{{path}}` is closed" };
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once("{{") {
            let (path, after) = behind.split_once("}}").ok_or_else(error)?;
            parts.push(Part::Text(before.to_owned()));
            parts.push(Part::Value(path.parse()?));
            rest = after;
        }
        parts.push(Part::Text(rest.to_owned()));
        parts.retain(|part| *part != Part::Text(String::new()));
        if parts.is_empty() { Err(error()) } else { Ok(Template(parts)) }
    }
}

impl Condition {
    fn holds(&self, alert: &Node<'_>) -> bool {
        let said = self.at.find(alert).any();
        said.is_some_and(|said| self.is.is_empty() || self.is.iter().any(|word| word.eq_ignore_ascii_case(&said)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mapping() -> Mapping {
        let path = |text: &str| text.parse::<Path>().unwrap();
        let when = |at: &str, word: &str| Some(Condition { at: path(at), is: vec![word.to_owned()] });
        Mapping {
            each: Some(path("events")),
            message: Some("{{ check.name }} on {{/host/name}} is {{state}}".parse().unwrap()),
            dedup: Some("{{host.name}}/{{check.name}}".parse().unwrap()),
            host: Some(path("host.name")),
            call_flow: Some(path("routes[0]")),
            parameters: vec![("load".to_owned(), path("values[1]"))],
            resolve_when: when("state", "ok"),
            acknowledge_when: when("state", "acked"),
            ignore_when: when("state", "test"),
            ..Mapping::default()
        }
    }

    fn posted(mapping: &Mapping, body: &str) -> Result<Vec<Signal>, IntakeError> {
        let (query, headers, content_type) = (&[][..], &[][..], None);
        let request = Request { method: Method::Post, path: "", query, headers, content_type, body: body.as_bytes() };
        read(mapping, &request).map(|read| read.signals)
    }

    fn event(state: &str) -> String {
        format!(
            r#"{{"state": "{state}", "host": {{"name": "db-01"}}, "check": {{"name": "disk"}}, "routes": ["night"],
                "values": [1, 97]}}"#
        )
    }

    #[test]
    fn a_body_of_ones_own_shape_is_read_by_its_mapping() {
        let all = ["critical", "OK", "acked", "test"].map(event).join(",");
        let signals = posted(&mapping(), &format!(r#"{{"events": [{all}]}}"#)).unwrap();
        let [Signal::Raise(draft), Signal::Resolve { dedup }, Signal::Acknowledge { .. }] = &signals[..] else {
            panic!("{signals:?}")
        };
        assert_eq!(draft.message.as_deref(), Some("disk on db-01 is critical"));
        assert_eq!((draft.dedup.as_deref(), dedup.as_str()), (Some("db-01/disk"), "db-01/disk"));
        assert_eq!(draft.call_flow.as_ref().unwrap().as_str(), "night");
        assert_eq!(draft.parameters.iter().collect::<Vec<_>>(), [(&"load".to_owned(), &"97".to_owned())]);
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert_eq!(posted(&mapping(), "{}").unwrap_err().field(), Some("events"));
        let over = posted(&mapping(), r#"{"events": [{"state": "ok"}]}"#).unwrap_err();
        assert_eq!(over.field(), Some("events[0].host.name"));
    }

    #[test]
    fn without_a_mapping_every_scalar_is_a_parameter() {
        let signals = posted(&Mapping::default(), r#"{"a": 1, "b": {"c": 2}, "token": "s3cret"}"#).unwrap();
        let [Signal::Raise(draft)] = &signals[..] else { panic!("{signals:?}") };
        assert_eq!(draft.parameters.iter().collect::<Vec<_>>(), [(&"a".to_owned(), &"1".to_owned())]);
    }

    #[test]
    fn paths_and_templates_that_are_none_are_refused() {
        for path in ["", "a..b", "a.{b}", "/a//b", "[0]"] {
            assert!(path.parse::<Path>().is_err(), "{path}");
        }
        for template in ["", "{{a", "{{}}", "{{a..b}}"] {
            assert!(template.parse::<Template>().is_err(), "{template}");
        }
        assert_eq!("/a~1b/0".parse::<Path>().unwrap().to_string(), "a/b.0");
    }
}
