//! Whom a trunk can be asked to ring: an E.164 number or a SIP URI.

use core::fmt;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// One telephone: `+818012345678`, or `sip:yamada@pbx.example`.
///
/// A number is kept as `+` and up to 15 digits (E.164 §6); spaces, hyphens, dots and brackets that people
/// write are dropped when it is read.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Phone {
    /// An E.164 number with its `+`.
    Number(Arc<str>),
    /// A `sip:` or `sips:` URI, dialled as written.
    Uri(Arc<str>),
}

/// Why a text is no phone.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PhoneError {
    /// Not a number, and not a SIP URI either.
    #[error("`{0}` is neither an E.164 number (`+` and 3 to 15 digits) nor a SIP URI (`sip:user@host`)")]
    Neither(String),
    /// Longer than any number or URI hansho dials (255 bytes).
    #[error("a phone of {0} bytes is too long: 255 are accepted")]
    TooLong(usize),
}

impl Phone {
    /// Reads a number or a SIP URI.
    pub fn parse(text: &str) -> Result<Phone, PhoneError> {
        let text = text.trim();
        if text.len() > 255 {
            return Err(PhoneError::TooLong(text.len()));
        }
        let neither = || PhoneError::Neither(text.to_owned());
        if let Some((scheme, rest)) = text.split_once(':') {
            let sip = scheme.eq_ignore_ascii_case("sip") || scheme.eq_ignore_ascii_case("sips");
            let plain = rest.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'<' | b'>' | b'"' | b','));
            let host = rest.rsplit('@').next().unwrap_or_default();
            return if sip && plain && !host.is_empty() { Ok(Phone::Uri(text.into())) } else { Err(neither()) };
        }
        let digits = text.strip_prefix('+').ok_or_else(neither)?;
        let kept: String = digits.chars().filter(|c| !matches!(c, ' ' | '-' | '.' | '(' | ')')).collect();
        let fits = (3..=15).contains(&kept.len()) && kept.bytes().all(|b| b.is_ascii_digit());
        if fits { Ok(Phone::Number(format!("+{kept}").into())) } else { Err(neither()) }
    }

    /// The number or URI as it is dialled.
    pub fn as_str(&self) -> &str {
        match self {
            Phone::Number(text) | Phone::Uri(text) => text,
        }
    }
}

impl TryFrom<String> for Phone {
    type Error = PhoneError;

    fn try_from(text: String) -> Result<Phone, PhoneError> {
        Phone::parse(&text)
    }
}

impl From<Phone> for String {
    fn from(phone: Phone) -> String {
        phone.as_str().to_owned()
    }
}

impl fmt::Display for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_kept_without_what_people_write_between_its_digits() {
        assert_eq!(Phone::parse("+81 (80) 1234-5678").unwrap().as_str(), "+818012345678");
    }

    #[test]
    fn what_is_no_phone_is_refused() {
        for text in ["", "080-1234-5678", "+12345678901234567", "sip:", "sip:a b@c", "tel:+81312345678", "+8180１"] {
            let read = Phone::parse(text);
            assert!(read.is_err(), "{text}: {read:?}");
        }
    }
}
