//! The sixteen keys of a telephone.

use core::fmt;
use serde::{Deserialize, Serialize};

/// One DTMF key, numbered as RFC 4733 §3.2 numbers its events: 0 to 9, `*`, `#`, A to D.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "char", into = "char")]
pub struct Digit(u8);

const KEYS: &[u8; 16] = b"0123456789*#ABCD";

impl Digit {
    /// The digit of an RFC 4733 event code; `None` for events that are not DTMF (16 and above).
    pub const fn from_event(code: u8) -> Option<Digit> {
        if code < 16 { Some(Digit(code)) } else { None }
    }

    /// The RFC 4733 event code, 0 to 15.
    pub const fn event(self) -> u8 {
        self.0
    }

    /// The digit written as `key`; letters in either case.
    pub fn from_char(key: char) -> Option<Digit> {
        let key = key.to_ascii_uppercase();
        let place = KEYS.iter().position(|&k| char::from(k) == key)?;
        u8::try_from(place).ok().map(Digit)
    }

    /// The digit as it stands on the key.
    pub fn as_char(self) -> char {
        char::from(KEYS[usize::from(self.0 & 15)])
    }
}

impl From<Digit> for char {
    fn from(digit: Digit) -> char {
        digit.as_char()
    }
}

impl TryFrom<char> for Digit {
    type Error = String;

    fn try_from(key: char) -> Result<Digit, String> {
        Digit::from_char(key).ok_or_else(|| format!("`{key}` is not a telephone key (0-9, *, #, A-D)"))
    }
}

impl fmt::Display for Digit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.as_char())
    }
}

impl fmt::Debug for Digit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digit({})", self.as_char())
    }
}
