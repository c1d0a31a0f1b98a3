//! Reading JSON that others wrote: every value knows the path it stands at, for the error that may follow.
//!
//! Numbers and booleans are taken where a text is wanted: one tool's `"3"` is the next one's `3`. `null` is nothing.

use super::IntakeError;
use super::error::shown;
use super::limit::Parameters;
use serde_json::{Map, Value};

/// The body as JSON; nested at most 128 deep, which is where the reader of JSON stops.
pub(super) fn parse(body: &[u8], accepted: &'static str) -> Result<Value, IntakeError> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err(IntakeError::Empty(accepted));
    }
    serde_json::from_slice(body).or_else(|error| match whole_letters(body) {
        Some(mended) => Ok(serde_json::from_slice(&mended)?),
        None => Err(error.into()),
    })
}

/// The body with a sign for each half of a letter. Tools that cut a text at so many units of UTF-16 cut emoji in two, and
/// write the half that is left as an escape that stands for no letter; nothing where there is none.
fn whole_letters(body: &[u8]) -> Option<Vec<u8>> {
    let mut mended = body.to_vec();
    let mut changed = false;
    let mut place = 0;
    while place < body.len() {
        let step = match (escaped(body, place), escaped(body, place + 6)) {
            (Some(0xd800..0xdc00), Some(0xdc00..0xe000)) => 12,
            (Some(0xd800..0xe000), _) => {
                mended.get_mut(place..place + 6)?.copy_from_slice(b"\\ufffd");
                changed = true;
                6
            }
            (Some(_), _) => 6,
            // Whatever stands behind a backslash is escaped, another backslash too.
            (None, _) if body.get(place) == Some(&b'\\') => 2,
            (None, _) => 1,
        };
        place += step;
    }
    changed.then_some(mended)
}

/// The number of the escape that begins here: `\u` and four hexadecimal digits.
fn escaped(body: &[u8], place: usize) -> Option<u32> {
    let digits = body.get(place..place + 6)?.strip_prefix(b"\\u")?;
    let digits = core::str::from_utf8(digits).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
    u32::from_str_radix(digits, 16).ok()
}

/// A place in a JSON document, and what stands there.
#[derive(Clone, Debug)]
pub(super) struct Node<'a> {
    value: Option<&'a Value>,
    path: String,
}

impl<'a> Node<'a> {
    /// The whole document, which must be an object.
    pub(super) fn root(value: &'a Value) -> Result<Node<'a>, IntakeError> {
        let node = Node { value: Some(value), path: "body".to_owned() };
        match value {
            Value::Object(_) => Ok(Node { path: String::new(), ..node }),
            _ => Err(node.wrong("a JSON object")),
        }
    }

    /// A value that stands for itself, under a name.
    pub(super) fn at(value: &'a Value, path: &str) -> Node<'a> {
        Node { value: Some(value), path: path.to_owned() }
    }

    /// Where it stands: `alerts[0].status`.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// The value, whatever it is; `null` counts as none.
    pub(super) fn value(&self) -> Option<&'a Value> {
        self.value.filter(|value| !value.is_null())
    }

    /// Is something here?
    pub(super) fn is_there(&self) -> bool {
        self.value().is_some()
    }

    /// The member of this name; nothing where this is no object.
    pub(super) fn get(&self, name: &str) -> Node<'a> {
        let path = if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) };
        Node { value: self.value.and_then(|value| value.get(name)), path }
    }

    /// The first of these members that holds a text.
    pub(super) fn first(&self, names: &[&str]) -> Option<String> {
        names.iter().find_map(|name| self.get(name).any())
    }

    /// The elements of an array; none where there is none. An error where something else stands.
    pub(super) fn items(&self) -> Result<Vec<Node<'a>>, IntakeError> {
        match self.value() {
            None => Ok(Vec::new()),
            Some(Value::Array(items)) => Ok(items.iter().enumerate().map(|(n, item)| self.item(n, item)).collect()),
            Some(_) => Err(self.wrong("an array")),
        }
    }

    /// The element of an array; nothing where there is none.
    pub(super) fn nth(&self, n: usize) -> Node<'a> {
        Node { value: self.value.and_then(|value| value.get(n)), path: format!("{}[{n}]", self.path) }
    }

    /// The members of an object; none where there is none or something else stands.
    pub(super) fn members(&self) -> impl Iterator<Item = (&'a str, Node<'a>)> + use<'a> {
        let object: Option<&'a Map<String, Value>> = self.value.and_then(Value::as_object);
        let path = self.path.clone();
        object.into_iter().flatten().map(move |(name, value)| {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            (name.as_str(), Node { value: Some(value), path })
        })
    }

    /// The text, number or truth that stands here, if one does and it is not blank: for details.
    pub(super) fn any(&self) -> Option<String> {
        self.value().and_then(text_of)
    }

    /// The same for what decides: a wrong type is refused.
    pub(super) fn text(&self, accepted: &str) -> Result<Option<String>, IntakeError> {
        match self.value() {
            Some(Value::Array(_) | Value::Object(_)) => Err(self.wrong(accepted)),
            _ => Ok(self.any()),
        }
    }

    /// The same for what must be there.
    pub(super) fn needed(&self, accepted: &str) -> Result<String, IntakeError> {
        self.text(accepted)?.ok_or_else(|| self.wrong(accepted))
    }

    /// The error that this place is not what we want.
    pub(super) fn wrong(&self, accepted: &str) -> IntakeError {
        IntakeError::wrong(self.path.clone(), shown(self.value), accepted)
    }

    /// Keeps every member that has a text, under its name.
    pub(super) fn put_all(&self, parameters: &mut Parameters) {
        for (name, member) in self.members() {
            parameters.put_some(name, member.any().as_deref());
        }
    }

    /// Keeps the members of these names: `(the sender's name, ours)`.
    pub(super) fn put_named(&self, parameters: &mut Parameters, names: &[(&str, &str)]) {
        for (theirs, ours) in names {
            parameters.put_some(ours, self.get(theirs).any().as_deref());
        }
    }

    fn item(&self, n: usize, value: &'a Value) -> Node<'a> {
        Node { value: Some(value), path: format!("{}[{n}]", self.path) }
    }
}

/// A scalar as a text; nothing for a blank one, `null`, an array or an object.
pub(super) fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => (!text.trim().is_empty()).then(|| text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn half_an_emoji_costs_a_letter_and_not_the_alert() {
        let said = |body: &str| parse(body.as_bytes(), "JSON").map(|body| body["m"].as_str().unwrap().to_owned());
        assert_eq!(said(r#"{"m": "disk full \ud83d"}"#).unwrap(), "disk full \u{fffd}");
        assert_eq!(said(r#"{"m": "\udd25\ud83d\udd25\ud83dx"}"#).unwrap(), "\u{fffd}🔥\u{fffd}x");
        assert_eq!(said(r#"{"m": "\\ud83d"}"#).unwrap(), r"\ud83d", "a path, not an escape");
        assert!(said(r#"{"m": "\ud83d" "#).is_err() && said(r#"{"m": "\ud8"}"#).is_err());
    }

    #[test]
    fn an_error_names_the_path_of_what_is_wrong() {
        let body = json!({ "alerts": [{ "status": {} }] });
        let alert = &Node::root(&body).unwrap().get("alerts").items().unwrap()[0];
        let error = alert.get("status").needed("`firing` or `resolved`").unwrap_err();
        assert_eq!(error.to_string(), "alerts[0].status: found an object; accepted: `firing` or `resolved`");
    }

    #[test]
    fn a_number_or_a_truth_is_a_text_and_null_is_nothing() {
        let body = json!({ "a": 3, "b": true, "c": null, "d": " x " });
        let node = Node::root(&body).unwrap();
        let texts: Vec<_> = ["a", "b", "c", "d", "e"].iter().map(|name| node.get(name).any()).collect();
        assert_eq!(texts, [Some("3".into()), Some("true".into()), None, Some("x".into()), None]);
    }

    #[test]
    fn a_document_nested_too_deep_is_an_error_and_no_crash() {
        let deep = "[".repeat(100_000);
        assert!(matches!(parse(deep.as_bytes(), "JSON"), Err(IntakeError::NotJson { .. })));
    }

    #[test]
    fn a_body_that_is_no_object_is_said_to_be_none() {
        let error = Node::root(&json!([1, 2])).unwrap_err();
        assert_eq!(error.to_string(), "body: found an array of 2; accepted: a JSON object");
    }
}
