//! Writes new requests and responses.
//!
//! Nothing that is put in can bring a line of its own: line breaks and NUL are dropped from every value.
//! Content-Length is always written, and by nobody else.

use core::net::SocketAddr;

use super::scan::{self, one_line};
use super::{List, Message, Method, Name, NameAddr, Via, reason_phrase};

/// A message being written.
#[derive(Clone, Debug)]
pub struct Builder {
    start: String,
    fields: Vec<(Name, String)>,
    body: Vec<u8>,
}

impl Builder {
    /// A request with no header yet.
    pub fn request(method: Method, uri: &str) -> Builder {
        let method = token_of(method.as_str());
        let uri: String = uri.chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect();
        Builder { start: format!("{method} {uri} SIP/2.0"), fields: Vec::with_capacity(12), body: Vec::new() }
    }

    /// A response to `request` with its Vias, From, To, Call-ID and CSeq (RFC 3261 §8.2.6.2), and its
    /// Timestamp in a 100.
    pub fn response(request: &Message, code: u16) -> Builder {
        let start = format!("SIP/2.0 {code:03} {}", reason_phrase(code));
        let mut builder = Builder { start, fields: Vec::with_capacity(12), body: Vec::new() };
        for name in [Name::Via, Name::From, Name::To, Name::CallId, Name::CSeq] {
            builder = builder.copy(request, name);
        }
        if code == 100 { builder.copy(request, Name::Timestamp) } else { builder }
    }

    /// Another reason phrase than the usual one; for responses.
    pub fn reason(mut self, phrase: &str) -> Builder {
        let kept = self.start.splitn(3, ' ').take(2).collect::<Vec<_>>().join(" ");
        self.start = format!("{kept} {}", one_line(phrase));
        self
    }

    /// Adds `tag` to To, unless it has one already.
    pub fn to_tag(mut self, tag: &str) -> Builder {
        if let Some((_, value)) = self.fields.iter_mut().find(|(name, _)| *name == Name::To)
            && NameAddr::parse(value).is_ok_and(|to| to.tag().is_none())
        {
            value.push_str(&format!(";tag={}", token_of(tag)));
        }
        self
    }

    /// Fills in `received` and `rport` of the topmost Via for a request that came from `source`
    /// (RFC 3261 §18.2.1, RFC 3581 §4).
    pub fn received_from(mut self, source: SocketAddr) -> Builder {
        if let Some((_, line)) = self.fields.iter_mut().find(|(name, _)| *name == Name::Via) {
            *line = stamp_first(line, source);
        }
        self
    }

    /// Copies every line called `name` from `message`; Record-Route, for a response that opens a dialog
    /// (RFC 3261 §12.1.1).
    pub fn copy(mut self, message: &Message, name: Name) -> Builder {
        self.fields.extend(message.headers(&name).map(|value| (name, value.to_owned())));
        self
    }

    /// Adds a header line. Content-Length is ignored here.
    pub fn header(mut self, name: Name, value: impl AsRef<str>) -> Builder {
        if name != Name::ContentLength {
            self.fields.push((name, one_line(value.as_ref()).into_owned()));
        }
        self
    }

    /// Sets the body and its Content-Type.
    pub fn body(mut self, content_type: &str, bytes: &[u8]) -> Builder {
        self.fields.retain(|(name, _)| *name != Name::ContentType);
        self.body = bytes.to_vec();
        self.header(Name::ContentType, content_type)
    }

    /// The whole message.
    pub fn finish(self) -> Vec<u8> {
        let fields = self.fields.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        write_message(&self.start, fields, &self.body)
    }
}

/// What is left of `text` when everything is dropped that no token may hold.
fn token_of(text: &str) -> String {
    text.chars().filter(|c| u8::try_from(*c).is_ok_and(scan::is_token_byte)).collect()
}

/// A message of these parts, Content-Length last. Names that are no token are left out with their value.
pub(super) fn write_message<'a>(start: &str, fields: impl Iterator<Item = (&'a str, &'a str)>, body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(512 + body.len());
    bytes.extend_from_slice(start.as_bytes());
    for (name, value) in fields.filter(|(name, _)| scan::is_token(name)) {
        for part in ["\r\n", name, ": ", value] {
            bytes.extend_from_slice(part.as_bytes());
        }
    }
    bytes.extend_from_slice(format!("\r\nContent-Length: {}\r\n\r\n", body.len()).as_bytes());
    bytes.extend_from_slice(body);
    bytes
}

/// A Via line whose first value is stamped with where it came from; unreadable ones stay as they are.
pub(super) fn stamp_first(line: &str, source: SocketAddr) -> String {
    let mut values = List::of(line);
    let Some(Ok(first)) = values.next().map(Via::parse) else { return line.to_owned() };
    core::iter::once(first.stamped(source)).chain(values.map(str::to_owned)).collect::<Vec<_>>().join(", ")
}
