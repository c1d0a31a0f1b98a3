//! What nobody may read later: proofs of who somebody is, and what was written or pressed in confidence.
//!
//! Masked are, with as many asterisks as there were characters: every value of a digest's credentials but those that
//! are known to everybody on the way (RFC 7616 §3.4), other schemes' credentials as a whole, the body of a MESSAGE (the link
//! of a hotline) and of an INFO (the digits of a PIN), and the keys that SDP may bring.

use core::ops::Range;

use super::{Cut, Says, said, text};
use crate::wire::sip::Name;

/// The headers that hold credentials, or a proof computed with them.
const PROOFS: [Name; 4] =
    [Name::Authorization, Name::ProxyAuthorization, Name::AuthenticationInfo, Name::Other("Proxy-Authentication-Info")];
/// Parameters that prove nothing.
const OPEN: [&str; 9] = ["username", "realm", "nonce", "uri", "algorithm", "qop", "nc", "opaque", "userhash"];
/// Requests whose body is in confidence.
const IN_CONFIDENCE: [&str; 2] = ["MESSAGE", "INFO"];
/// Lines of SDP that hold keys.
const KEYS: [&[u8]; 2] = [b"a=crypto:", b"a=ice-pwd:"];
/// What stands before the key in the first of them (RFC 4568 §6.1).
const INLINE: &[u8] = b" inline:";

/// The message without its secrets, as long as before.
pub fn masked(mut bytes: Vec<u8>) -> Vec<u8> {
    let cut = Cut::of(&bytes);
    for field in &cut.fields {
        if let Some(place) = PROOFS.iter().position(|name| field.is(&bytes, name)) {
            // The last two have no scheme before their parameters.
            mask_credentials(&mut bytes, field.value.clone(), place < 2);
        }
    }
    let in_confidence = match said(&text(&bytes, cut.start.clone())) {
        Says::Request { method, .. } => IN_CONFIDENCE.iter().any(|it| method.eq_ignore_ascii_case(it)),
        Says::Response { .. } | Says::Nonsense(_) => false,
    };
    let end = bytes.len();
    if in_confidence {
        hide(&mut bytes, cut.body..end);
    } else {
        mask_keys(&mut bytes, cut.body);
    }
    bytes
}

fn mask_credentials(bytes: &mut [u8], value: Range<usize>, scheme: bool) {
    let mut at = value.start;
    if scheme {
        let word = word_at(bytes, at..value.end);
        let digest = bytes.get(word.clone()).is_some_and(|word| word.eq_ignore_ascii_case(b"Digest"));
        at = word.end;
        if !digest {
            return hide(bytes, at..value.end);
        }
    }
    while at < value.end {
        let end = parameter_end(bytes, at..value.end);
        let parameter = bytes.get(at..end).unwrap_or_default();
        let equals = parameter.iter().position(|b| *b == b'=');
        let open = equals.is_some_and(|equals| {
            let name = parameter.get(..equals).unwrap_or_default().trim_ascii();
            OPEN.iter().any(|known| known.as_bytes().eq_ignore_ascii_case(name))
        });
        if !open {
            hide(bytes, equals.map_or(at, |equals| at + equals + 1)..end);
        }
        at = end + 1;
    }
}

/// The first word in there.
fn word_at(bytes: &[u8], range: Range<usize>) -> Range<usize> {
    let part = bytes.get(range.clone()).unwrap_or_default();
    let start = range.start + part.iter().take_while(|b| b.is_ascii_whitespace()).count();
    let rest = bytes.get(start..range.end).unwrap_or_default();
    start..start + rest.iter().take_while(|b| !b.is_ascii_whitespace()).count()
}

/// The comma that ends the parameter that begins here, or the end; a comma in quotes ends nothing.
fn parameter_end(bytes: &[u8], range: Range<usize>) -> usize {
    let (mut quoted, mut escaped) = (false, false);
    let part = bytes.get(range.clone()).unwrap_or_default();
    let comma = part.iter().position(|b| {
        match b {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b',' if !quoted => return true,
            _ => {}
        }
        false
    });
    comma.map_or(range.end, |comma| range.start + comma)
}

fn mask_keys(bytes: &mut [u8], body: usize) {
    let mut at = body;
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        let length = rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len());
        let line = rest.get(..length).unwrap_or_default();
        let key = KEYS.iter().find(|key| line.get(..key.len()).is_some_and(|it| it.eq_ignore_ascii_case(key)));
        if let Some(key) = key {
            // Which suite was offered, and which was taken, is no secret.
            let inline = line.to_ascii_lowercase().windows(INLINE.len()).position(|part| part == INLINE);
            let from = inline.map_or(key.len(), |place| place + INLINE.len());
            hide(bytes, at + from..at + length);
        }
        at += length + 1;
    }
}

/// Asterisks for everything but quotes, white space and line ends.
fn hide(bytes: &mut [u8], range: Range<usize>) {
    for byte in bytes.get_mut(range).unwrap_or_default() {
        if !byte.is_ascii_whitespace() && *byte != b'"' {
            *byte = b'*';
        }
    }
}
