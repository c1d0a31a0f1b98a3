//! One SIP message as a ladder shows it: whose it is, what it says in a few words, and what of it may be kept.
//!
//! Read more loosely than [`Message`](crate::wire::sip::Message) reads: a message that was refused as nonsense is the
//! one somebody wants to see. Nothing here fails, and nothing changes the length of a message, so that what is kept still
//! reads as SIP.
//!
//! Easy to get wrong: a value goes on in the next line when that begins with a space (RFC 3261 §7.3.1), and so does a
//! secret in it; a ladder is looked at in a terminal, so whoever draws must expect any character in these texts.

mod mask;

pub use mask::masked;

use core::ops::Range;

use crate::wire::sip::Name;

/// Of longer messages no more than this is kept; the agent reads none of them.
pub const KEPT_MAX: usize = 16_384;
/// A Call-ID of more bytes is nobody's.
const CALL_ID_MAX: usize = 1_024;
/// Header lines that are looked at.
const FIELDS_MAX: usize = 256;
/// Characters of a value that are shown.
const VALUE_MAX: usize = 400;
/// Characters of CSeq that are shown: a number of ten digits, and a method.
const CSEQ_MAX: usize = 48;
/// Values that are shown of one message.
const VALUES_MAX: usize = 16;

/// The headers that tell why something happened or which way a call went: Reason (RFC 3326), Diversion (RFC 5806),
/// History-Info (RFC 7044) and what RFC 3261 §20 has of the kind.
const TELLING: [(Name, &str); 6] = [
    (Name::Reason, "Reason"),
    (Name::Warning, "Warning"),
    (Name::RetryAfter, "Retry-After"),
    (Name::Diversion, "Diversion"),
    (Name::Other("History-Info"), "History-Info"),
    (Name::ErrorInfo, "Error-Info"),
];
/// Methods that do not belong to a call, where nothing of their Call-ID was seen before.
const OF_NO_CALL: [&str; 6] = ["REGISTER", "OPTIONS", "MESSAGE", "SUBSCRIBE", "NOTIFY", "PUBLISH"];

/// Whose a message is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Whose {
    /// Its Call-ID.
    pub call_id: String,
    /// Its method is one of calls: a first message with it begins a call's ladder.
    pub of_call: bool,
}

/// What a message says, in a few words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rung {
    /// What it is.
    pub what: Says,
    /// CSeq as it stands there; empty when there is none.
    pub cseq: String,
    /// Its body is SDP.
    pub sdp: bool,
    /// The headers that tell something, in the order they stand in, by their names in full.
    pub headers: Vec<(&'static str, String)>,
}

/// A first line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Says {
    /// A request.
    Request {
        /// Its method.
        method: String,
        /// Its Request-URI.
        uri: String,
    },
    /// A response.
    Response {
        /// Its status.
        code: u16,
        /// Its reason phrase.
        reason: String,
    },
    /// Neither; the line itself.
    Nonsense(String),
}

/// Whose a message is; `None` for what names no call: keep-alives, and what is no SIP.
pub fn whose(bytes: &[u8]) -> Option<Whose> {
    let cut = Cut::of(bytes);
    let call_id = cut.value(bytes, &Name::CallId).filter(|id| !id.is_empty() && id.len() <= CALL_ID_MAX)?;
    let method = match said(&text(bytes, cut.start.clone())) {
        Says::Request { method, .. } => method,
        _ => cut.value(bytes, &Name::CSeq)?.split_ascii_whitespace().nth(1)?.to_owned(),
    };
    Some(Whose { call_id, of_call: !OF_NO_CALL.contains(&method.as_str()) })
}

/// What a message says, in a few words.
pub fn rung(bytes: &[u8]) -> Rung {
    let cut = Cut::of(bytes);
    let what = said(&text(bytes, cut.start.clone()));
    let cseq = cut.value(bytes, &Name::CSeq).unwrap_or_default().chars().take(CSEQ_MAX).collect();
    let body = bytes.get(cut.body..).unwrap_or_default();
    let kind = cut.value(bytes, &Name::ContentType).unwrap_or_default();
    let sdp = !body.is_empty() && kind.get(..15).is_some_and(|kind| kind.eq_ignore_ascii_case("application/sdp"));
    let moved = matches!(what, Says::Response { code: 300..400, .. });
    let mut headers = Vec::new();
    for field in &cut.fields {
        let told = TELLING.iter().find(|(name, _)| field.is(bytes, name)).map(|(_, name)| *name);
        // Where a redirect points to.
        let told = told.or_else(|| (moved && field.is(bytes, &Name::Contact)).then_some("Contact"));
        if let Some(name) = told.filter(|_| headers.len() < VALUES_MAX) {
            headers.push((name, text(bytes, field.value.clone()).chars().take(VALUE_MAX).collect()));
        }
    }
    Rung { what, cseq, sdp, headers }
}

/// From and To as they stand in a message; empty where they are missing.
pub fn parties(bytes: &[u8]) -> [String; 2] {
    let cut = Cut::of(bytes);
    let value = |name| cut.value(bytes, &name).unwrap_or_default().chars().take(VALUE_MAX).collect();
    [value(Name::From), value(Name::To)]
}

fn said(line: &str) -> Says {
    let mut words = line.splitn(3, ' ');
    match (words.next(), words.next(), words.next()) {
        (Some(version), Some(code), reason) if version.get(..4).is_some_and(|it| it.eq_ignore_ascii_case("SIP/")) => {
            match code.parse() {
                Ok(code) => {
                    let reason = reason.unwrap_or_default().trim().chars().take(VALUE_MAX).collect();
                    Says::Response { code, reason }
                }
                Err(_) => Says::Nonsense(line.chars().take(VALUE_MAX).collect()),
            }
        }
        (Some(method), Some(uri), Some(_)) if method.bytes().all(|b| b.is_ascii_graphic()) && !method.is_empty() => {
            let uri = uri.chars().take(VALUE_MAX).collect();
            Says::Request { method: method.chars().take(32).collect(), uri }
        }
        _ => Says::Nonsense(line.chars().take(VALUE_MAX).collect()),
    }
}

/// A message cut into its first line, its header lines and its body, whatever is wrong with it.
struct Cut {
    start: Range<usize>,
    fields: Vec<Field>,
    /// Where the body begins.
    body: usize,
}

/// A header line with the lines in which it goes on.
struct Field {
    name: Range<usize>,
    value: Range<usize>,
}

impl Cut {
    fn of(bytes: &[u8]) -> Cut {
        let mut at = bytes.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
        let mut start = None;
        let mut fields: Vec<Field> = Vec::new();
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            let length = rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len());
            let line = rest.get(..length).unwrap_or_default();
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            let (from, end) = (at, at + line.len());
            at += length + 1;
            if line.is_empty() {
                break;
            }
            if start.is_none() {
                start = Some(from..end);
            } else if matches!(line.first(), Some(b' ' | b'\t')) {
                if let Some(field) = fields.last_mut() {
                    field.value.end = end;
                }
            } else if let Some(colon) = line.iter().position(|b| *b == b':')
                && fields.len() < FIELDS_MAX
            {
                fields.push(Field { name: from..from + colon, value: from + colon + 1..end });
            }
        }
        Cut { start: start.unwrap_or_default(), fields, body: at.min(bytes.len()) }
    }

    /// The first value called `name`.
    fn value(&self, bytes: &[u8], name: &Name) -> Option<String> {
        let field = self.fields.iter().find(|field| field.is(bytes, name))?;
        Some(text(bytes, field.value.clone()))
    }
}

impl Field {
    fn is(&self, bytes: &[u8], name: &Name) -> bool {
        let written = bytes.get(self.name.clone()).unwrap_or_default().trim_ascii();
        let Ok(written) = core::str::from_utf8(written) else { return false };
        match (Name::known(written), name) {
            (Some(_), Name::Other(_)) => false,
            (Some(known), name) => known == *name,
            (None, name) => written.eq_ignore_ascii_case(name.as_str()),
        }
    }
}

/// A piece of a message as text, in one line, without white space at its ends.
fn text(bytes: &[u8], range: Range<usize>) -> String {
    let text = String::from_utf8_lossy(bytes.get(range).unwrap_or_default());
    if text.contains('\n') {
        text.split('\n').map(str::trim).collect::<Vec<_>>().join(" ")
    } else {
        text.trim().to_owned()
    }
}

#[cfg(test)]
mod tests;
