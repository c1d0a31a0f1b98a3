//! Keys in the body of an INFO (RFC 6086 §9 calls it the legacy usage): what telephones and gateways send that cannot,
//! or will not, send keys in the media.
//!
//! ```text
//! Content-Type: application/dtmf-relay        Content-Type: application/dtmf
//!
//! Signal=5                                    5
//! Duration=160
//! ```
//!
//! No standard fixes these bodies (RFC 2976 left them open). Easy to get wrong: `*` and `#` may be written as the
//! numbers of their events, 10 and 11; a flash is no key; the duration says how long the key was down, and a key that
//! is told when it comes up has been pressed all the same.

use crate::base::Digit;
use crate::sip::message::Body;
use crate::wire::sip::{Message, Name};

/// The bodies that are read.
pub const KINDS: &str = "application/dtmf-relay, application/dtmf";
/// A body with its signal and its duration on lines of their own.
const RELAY: &str = "application/dtmf-relay";
/// A body that is the key, or the same as above.
const PLAIN: &str = "application/dtmf";
/// A longer body is no key.
const BYTES_MAX: usize = 256;
/// How long we say that a key was down, in milliseconds.
const DURATION_MS: u32 = 160;

/// The key that this INFO tells, if it tells one.
pub fn read(info: &Message) -> Option<Digit> {
    let kind = info.content_type()?;
    let encoded = info.header(&Name::ContentEncoding).is_some_and(|coding| !coding.eq_ignore_ascii_case("identity"));
    if encoded || info.body().len() > BYTES_MAX {
        return None;
    }
    let text = core::str::from_utf8(info.body()).ok()?;
    let signal = text.lines().find_map(|line| {
        let (name, value) = line.split_once(['=', ':'])?;
        name.trim().eq_ignore_ascii_case("signal").then(|| value.trim())
    });
    match signal {
        Some(signal) if kind.eq_ignore_ascii_case(RELAY) || kind.eq_ignore_ascii_case(PLAIN) => key(signal),
        None if kind.eq_ignore_ascii_case(PLAIN) => key(text.trim()),
        _ => None,
    }
}

/// The body that presses `digit`.
pub fn write(digit: Digit) -> Body {
    Body { kind: RELAY, bytes: format!("Signal={digit}\r\nDuration={DURATION_MS}\r\n").into_bytes() }
}

/// `5`, `*`, `a`, or the number of an event in two figures.
fn key(text: &str) -> Option<Digit> {
    let mut letters = text.chars();
    match (letters.next(), letters.next()) {
        (Some(letter), None) => Digit::from_char(letter),
        (Some('1'), Some(_)) => text.parse().ok().and_then(Digit::from_event),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::sip::{Builder, Method};

    fn reads(kind: &str, body: &str) -> Option<char> {
        let message = Builder::request(Method::Info, "sip:us@192.0.2.10").body(kind, body.as_bytes()).finish();
        read(&Message::parse(&message).unwrap()).map(Digit::as_char)
    }

    #[test]
    fn keys_are_read_in_every_way_they_are_written() {
        for (kind, body, key) in [
            ("application/dtmf-relay", "Signal=5\r\nDuration=160\r\n", '5'),
            ("application/dtmf-relay", "signal= #\nduration= 250", '#'),
            ("Application/DTMF-Relay", "Signal=*\r\n", '*'),
            ("application/dtmf-relay;charset=x", "Duration=160\r\nSignal=0", '0'),
            ("application/dtmf-relay", "Signal=10\r\n", '*'),
            ("application/dtmf-relay", "Signal=11\r\n", '#'),
            ("application/dtmf-relay", "Signal=a\r\n", 'A'),
            ("application/dtmf", "7", '7'),
            ("application/dtmf", " 8\r\n", '8'),
            ("application/dtmf", "Signal=9", '9'),
        ] {
            assert_eq!(reads(kind, body), Some(key), "{kind}: {body:?}");
        }
    }

    #[test]
    fn what_is_no_key_is_none() {
        let long = format!("Signal=5\r\nDuration=1{}", "0".repeat(300));
        for (kind, body) in [
            ("application/dtmf-relay", "Signal=16\r\nDuration=160"),
            ("application/dtmf-relay", "Signal=!\r\n"),
            ("application/dtmf-relay", "Signal=\r\n"),
            ("application/dtmf-relay", "Duration=160"),
            ("application/dtmf-relay", "5"),
            ("application/dtmf-relay", "Signal=55"),
            ("application/dtmf-relay", "Signal=+5"),
            ("application/dtmf-relay", &long),
            ("application/dtmf", ""),
            ("application/sdp", "Signal=5"),
            ("application/media_control+xml", "5"),
        ] {
            assert_eq!(reads(kind, body), None, "{kind}: {body:?}");
        }
    }

    #[test]
    fn what_is_written_is_read() {
        for digit in (0..16).filter_map(Digit::from_event) {
            let body = write(digit);
            assert_eq!(reads(body.kind, &String::from_utf8(body.bytes).unwrap()), Some(digit.as_char()));
        }
    }
}
