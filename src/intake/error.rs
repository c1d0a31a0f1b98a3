//! What was wrong with a request, in a sentence for whoever set up the sender.

use serde_json::Value;

/// How much of a wrong value is shown, in characters.
const SHOWN: usize = 60;

/// Why a request is not understood.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum IntakeError {
    /// A field is missing, of the wrong type, or says what we do not know.
    #[error("{field}: found {found}; accepted: {accepted}")]
    Field {
        /// Where: `alerts[0].status`, or the name of a header or a query parameter.
        field: String,
        /// What is there.
        found: String,
        /// What would be understood.
        accepted: String,
    },
    /// The body should be JSON and is not.
    #[error("the body is not JSON (line {line}, column {column}): {reason}")]
    NotJson {
        /// From 1.
        line: usize,
        /// From 1; 0 at the beginning of the line.
        column: usize,
        /// What the reader of JSON stumbled over.
        reason: String,
    },
    /// The body should be a form and is none.
    #[error("the body is not a form: {0}")]
    NotForm(&'static str),
    /// There is nothing to read.
    #[error("the request has no body; accepted: {0}")]
    Empty(&'static str),
}

impl IntakeError {
    /// The word that programs compare: `wrong_field`, `not_json`, `not_a_form`, `no_body`.
    pub const fn code(&self) -> &'static str {
        match self {
            IntakeError::Field { .. } => "wrong_field",
            IntakeError::NotJson { .. } => "not_json",
            IntakeError::NotForm(_) => "not_a_form",
            IntakeError::Empty(_) => "no_body",
        }
    }

    /// Which field is wrong, where it is one.
    pub fn field(&self) -> Option<&str> {
        match self {
            IntakeError::Field { field, .. } => Some(field),
            _ => None,
        }
    }

    pub(super) fn wrong(field: impl Into<String>, found: impl Into<String>, accepted: impl Into<String>) -> Self {
        IntakeError::Field { field: field.into(), found: found.into(), accepted: accepted.into() }
    }

    /// A field whose text is none of those we know.
    pub(super) fn text(field: impl Into<String>, found: &str, accepted: impl Into<String>) -> Self {
        IntakeError::wrong(field, quoted(found), accepted)
    }
}

impl From<serde_json::Error> for IntakeError {
    fn from(error: serde_json::Error) -> IntakeError {
        let told = error.to_string();
        let reason = told.split(" at line ").next().unwrap_or(&told).to_owned();
        IntakeError::NotJson { line: error.line(), column: error.column(), reason }
    }
}

/// A value as an error shows it: what kind it is, and a text's beginning.
pub(super) fn shown(value: Option<&Value>) -> String {
    match value {
        None => "nothing".to_owned(),
        Some(Value::Null) => "null".to_owned(),
        Some(Value::Bool(flag)) => flag.to_string(),
        Some(Value::Number(number)) => cut(&number.to_string()),
        Some(Value::String(text)) => quoted(text),
        Some(Value::Array(items)) => format!("an array of {}", items.len()),
        Some(Value::Object(_)) => "an object".to_owned(),
    }
}

fn quoted(text: &str) -> String {
    if text.trim().is_empty() { "an empty text".to_owned() } else { format!("`{}`", cut(text)) }
}

fn cut(text: &str) -> String {
    let mut shown: String = text.chars().take(SHOWN).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_where_what_was_found_and_what_is_accepted() {
        let error = IntakeError::text("alerts[0].status", "burning", "`firing` or `resolved`");
        assert_eq!(error.to_string(), "alerts[0].status: found `burning`; accepted: `firing` or `resolved`");
        assert_eq!(error.field(), Some("alerts[0].status"));
    }

    #[test]
    fn a_long_text_is_not_shown_whole() {
        let told = shown(Some(&Value::String("x".repeat(10_000))));
        assert!(told.chars().count() < 70, "{told}");
    }

    #[test]
    fn broken_json_is_told_with_its_place() {
        let error: IntakeError = serde_json::from_str::<Value>("{\n  \"a\": }").unwrap_err().into();
        let IntakeError::NotJson { line, column, ref reason } = error else { panic!("{error:?}") };
        assert_eq!((line, column), (2, 8));
        assert!(!reason.contains("line"), "{reason}");
    }
}
