//! Flat fields, however they came: query, form, multipart form, or a JSON object.
//!
//! For tools that let their user choose the shape, all of them become one JSON object, so that a reader reads one
//! thing. The body wins over the query; a name that comes twice in a form is one list with commas.

use super::error::IntakeError;
use super::json;
use super::{Method, Request};
use serde_json::{Map, Value};

/// The most fields of a form that are looked at.
const FIELDS_MAX: usize = 1_000;

/// Everything the request says, as one object; empty where it says nothing.
pub(super) fn fields(request: &Request<'_>) -> Result<Map<String, Value>, IntakeError> {
    let mut all = Map::new();
    request.query.iter().take(FIELDS_MAX).for_each(|(name, value)| add(&mut all, name, value));
    let said = body(request)?;
    all.extend(said);
    Ok(all)
}

fn body(request: &Request<'_>) -> Result<Map<String, Value>, IntakeError> {
    let bytes = request.body;
    if request.method == Method::Get || bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(Map::new());
    }
    match kind(request) {
        Kind::Json => match json::parse(bytes, "a JSON object")? {
            Value::Object(object) => Ok(object),
            other => Err(json::Node::at(&other, "body").wrong("a JSON object")),
        },
        Kind::Form => {
            let mut all = Map::new();
            form_urlencoded::parse(bytes).take(FIELDS_MAX).for_each(|(name, value)| add(&mut all, &name, &value));
            Ok(all)
        }
        Kind::Multipart(boundary) => {
            let mut all = Map::new();
            parts(bytes, boundary)?.iter().for_each(|(name, value)| add(&mut all, name, value));
            Ok(all)
        }
        Kind::Text => {
            let text = String::from_utf8_lossy(bytes).trim().to_owned();
            Ok(Map::from_iter([("message".to_owned(), Value::String(text))]))
        }
    }
}

enum Kind<'a> {
    Json,
    Form,
    Multipart(&'a str),
    Text,
}

/// What the body is: what its type says, else what it looks like. Tools that send JSON as text are common, so a body
/// that begins with a brace is JSON whatever it is called.
fn kind<'a>(request: &Request<'a>) -> Kind<'a> {
    let told = request.content_type.unwrap_or_default();
    let kind = told.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if kind == "multipart/form-data" {
        let boundary = told.split(';').skip(1).find_map(|part| part.trim().strip_prefix("boundary="));
        return Kind::Multipart(boundary.unwrap_or_default().trim_matches('"'));
    }
    let first = request.body.iter().find(|byte| !byte.is_ascii_whitespace());
    if first == Some(&b'{') || kind.ends_with("json") {
        Kind::Json
    } else if kind == "application/x-www-form-urlencoded" || (kind.is_empty() && request.body.contains(&b'=')) {
        Kind::Form
    } else {
        Kind::Text
    }
}

fn add(all: &mut Map<String, Value>, name: &str, value: &str) {
    match all.get_mut(name) {
        Some(Value::String(said)) => {
            said.push(',');
            said.push_str(value);
        }
        _ => drop(all.insert(name.to_owned(), Value::String(value.to_owned()))),
    }
}

/// The fields of a multipart form (RFC 7578), names and texts; files are fields like others.
fn parts(body: &[u8], boundary: &str) -> Result<Vec<(String, String)>, IntakeError> {
    if boundary.is_empty() {
        return Err(IntakeError::NotForm("its type names no boundary"));
    }
    let text = String::from_utf8_lossy(body);
    let mark = format!("--{boundary}");
    let mut found = Vec::new();
    for part in text.split(mark.as_str()).skip(1).take(FIELDS_MAX) {
        if part.starts_with("--") {
            return Ok(found);
        }
        let part = part.strip_prefix("\r\n").or_else(|| part.strip_prefix('\n')).unwrap_or(part);
        let split = part.split_once("\r\n\r\n").or_else(|| part.split_once("\n\n"));
        let Some((head, value)) = split else { return Err(IntakeError::NotForm("a part has no end of its head")) };
        let value = value.strip_suffix("\r\n").or_else(|| value.strip_suffix('\n')).unwrap_or(value);
        // A file may hold anything, and is nothing to be said.
        if let Some(name) = part_name(head).filter(|_| !value.contains(char::REPLACEMENT_CHARACTER)) {
            found.push((name, value.to_owned()));
        }
    }
    Err(IntakeError::NotForm("its last boundary is missing"))
}

fn part_name(head: &str) -> Option<String> {
    let is_it = |line: &&str| line.to_ascii_lowercase().starts_with("content-disposition:");
    let line = head.lines().find(is_it)?;
    let named = line.split(';').find_map(|item| item.trim().strip_prefix("name="))?;
    Some(named.trim_matches('"').to_owned())
}

/// Undoes percent-encoding (RFC 3986 §2.1); what is no escape stays as it is.
pub(super) fn decoded(text: &str) -> String {
    String::from_utf8_lossy(&unescaped(text.as_bytes())).into_owned()
}

/// The same for bytes, in whatever charset.
pub(super) fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, tail @ ..] = rest {
        match tail {
            [high, low, behind @ ..] if *first == b'%' => match (digit(*high), digit(*low)) {
                (Some(high), Some(low)) => {
                    bytes.push(high << 4 | low);
                    rest = behind;
                }
                _ => {
                    bytes.push(*first);
                    rest = tail;
                }
            },
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    bytes
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn posted<'a>(content_type: Option<&'a str>, body: &'a str) -> Request<'a> {
        Request { method: Method::Post, path: "", query: &[], headers: &[], content_type, body: body.as_bytes() }
    }

    #[test]
    fn a_form_json_and_multipart_say_the_same() {
        let multipart = "--X\r\nContent-Disposition: form-data; name=\"message\"\r\n\r\ndb is down\r\n--X--\r\n";
        let said = [
            fields(&posted(Some("application/x-www-form-urlencoded"), "message=db+is%20down")),
            fields(&posted(Some("application/json; charset=utf-8"), r#"{"message":"db is down"}"#)),
            fields(&posted(Some("multipart/form-data; boundary=X"), multipart)),
            fields(&posted(Some("text/plain"), "db is down\n")),
            fields(&posted(None, "message=db is down")),
        ];
        for said in said {
            assert_eq!(said.unwrap()["message"], "db is down");
        }
    }

    #[test]
    fn the_body_wins_over_the_query_and_a_repeated_name_is_a_list() {
        let query = [("tels".to_owned(), "a".to_owned()), ("x".to_owned(), "1".to_owned())];
        let request = Request { query: &query, ..posted(Some("application/x-www-form-urlencoded"), "tels=b&tels=c") };
        let said = fields(&request).unwrap();
        assert_eq!((said["tels"].as_str(), said["x"].as_str()), (Some("b,c"), Some("1")));
    }

    #[test]
    fn a_multipart_form_that_breaks_off_is_refused() {
        let request =
            posted(Some("multipart/form-data; boundary=X"), "--X\r\nContent-Disposition: form-data\r\n\r\nab");
        assert_eq!(fields(&request), Err(IntakeError::NotForm("its last boundary is missing")));
    }

    #[test]
    fn percent_signs_that_are_no_escapes_stay() {
        assert_eq!(decoded("a%2Fb%2"), "a/b%2");
        assert_eq!(decoded("%E5%8D%8A%zz%"), "半%zz%");
    }
}
