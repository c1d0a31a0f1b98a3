//! Writes new requests and responses.
//!
//! Nothing that is put in can bring a line of its own: line breaks and NUL are dropped from every value.
//! Content-Length is always written, and by nobody else.

use core::fmt::{self, Write};
use core::net::SocketAddr;
use core::ops::Range;
use std::borrow::Cow;

use super::scan::{self, one_line};
use super::{List, Message, Method, Name, NameAddr, Via, reason_phrase};

/// Most messages find room in it. The allocator has larger pieces in less handy places.
const ROOM: usize = 1_000;

/// A message being written.
#[derive(Clone, Debug)]
pub struct Builder {
    /// The start line, and every header line with a line end before it.
    head: String,
    /// The Content-Type of the body; empty without one.
    kind: String,
    body: Vec<u8>,
}

impl Builder {
    /// A request with no header yet.
    pub fn request(method: Method, uri: &str) -> Builder {
        let mut head = String::with_capacity(ROOM);
        head.extend(token_of(method.as_str()));
        head.push(' ');
        head.extend(uri.chars().filter(|c| !c.is_whitespace() && !c.is_control()));
        head.push_str(" SIP/2.0");
        Builder { head, kind: String::new(), body: Vec::new() }
    }

    /// A response to `request` with its Vias, From, To, Call-ID and CSeq (RFC 3261 §8.2.6.2), and its
    /// Timestamp in a 100.
    pub fn response(request: &Message, code: u16) -> Builder {
        let head = String::with_capacity(ROOM) + &format!("SIP/2.0 {code:03} {}", reason_phrase(code));
        let mut builder = Builder { head, kind: String::new(), body: Vec::new() };
        for name in [Name::Via, Name::From, Name::To, Name::CallId, Name::CSeq] {
            builder = builder.copy(request, name);
        }
        if code == 100 { builder.copy(request, Name::Timestamp) } else { builder }
    }

    /// Another reason phrase than the usual one; for responses.
    pub fn reason(mut self, phrase: &str) -> Builder {
        let end = self.head.find("\r\n").unwrap_or(self.head.len());
        let kept = self.head.match_indices(' ').nth(1).map_or(end, |(place, _)| place.min(end));
        self.head.replace_range(kept..end, &format!(" {}", one_line(phrase)));
        self
    }

    /// Adds `tag` to To, unless it has one already.
    pub fn to_tag(mut self, tag: &str) -> Builder {
        if let Some(place) = self.first("\r\nTo: ")
            && self.head.get(place.clone()).and_then(|to| NameAddr::parse(to).ok()).is_some_and(|to| to.tag().is_none())
        {
            let tag: String = ";tag=".chars().chain(token_of(tag)).collect();
            self.head.insert_str(place.end, &tag);
        }
        self
    }

    /// Fills in `received` and `rport` of the topmost Via for a request that came from `source`
    /// (RFC 3261 §18.2.1, RFC 3581 §4).
    pub fn received_from(mut self, source: SocketAddr) -> Builder {
        if let Some(place) = self.first("\r\nVia: ") {
            let stamped = stamp_first(self.head.get(place.clone()).unwrap_or_default(), source);
            self.head.replace_range(place, &stamped);
        }
        self
    }

    /// Copies every line called `name` from `message`; Record-Route, for a response that opens a dialog
    /// (RFC 3261 §12.1.1).
    pub fn copy(mut self, message: &Message, name: Name) -> Builder {
        for value in message.headers(&name) {
            self.begin(name);
            self.head.push_str(value);
        }
        self
    }

    /// Adds a header line. Content-Length is ignored here.
    pub fn header(mut self, name: Name, value: impl AsRef<str>) -> Builder {
        self.put(name, |head| head.push_str(value.as_ref()));
        self
    }

    /// The same with a value that is written here and nowhere before.
    pub fn line(mut self, name: Name, value: fmt::Arguments<'_>) -> Builder {
        // Writing to a String does not fail.
        self.put(name, |head| head.write_fmt(value).unwrap_or_default());
        self
    }

    /// Sets the body and its Content-Type.
    pub fn body(self, content_type: &str, bytes: &[u8]) -> Builder {
        Builder { kind: content_type.to_owned(), body: bytes.to_vec(), ..self }
    }

    /// The whole message.
    pub fn finish(mut self) -> Vec<u8> {
        if !self.kind.is_empty() {
            let kind = core::mem::take(&mut self.kind);
            self.put(Name::ContentType, |head| head.push_str(&kind));
        }
        self.begin(Name::ContentLength);
        self.head.push_str(&self.body.len().to_string());
        self.head.push_str("\r\n\r\n");
        let mut bytes = self.head.into_bytes();
        bytes.extend_from_slice(&self.body);
        bytes
    }

    /// Content-Length is written at the end; a name that is no token is left out with its value.
    fn put(&mut self, name: Name, write: impl FnOnce(&mut String)) {
        if name == Name::ContentLength || matches!(name, Name::Other(text) if !scan::is_token(text)) {
            return;
        }
        self.begin(name);
        let start = self.head.len();
        write(&mut self.head);
        if let Cow::Owned(clean) = one_line(self.head.get(start..).unwrap_or_default()) {
            self.head.truncate(start);
            self.head.push_str(&clean);
        }
    }

    fn begin(&mut self, name: Name) {
        for part in ["\r\n", name.as_str(), ": "] {
            self.head.push_str(part);
        }
    }

    /// Where the value stands of the first line that begins so. No value has a line end in it.
    fn first(&self, name: &str) -> Option<Range<usize>> {
        let start = memchr::memmem::find(self.head.as_bytes(), name.as_bytes())? + name.len();
        let rest = self.head.get(start..).unwrap_or_default();
        Some(start..start + scan::seek(rest.as_bytes(), 0, b'\r').unwrap_or(rest.len()))
    }
}

/// What is left of `text` when everything is dropped that no token may hold.
fn token_of(text: &str) -> impl Iterator<Item = char> + '_ {
    text.chars().filter(|c| u8::try_from(*c).is_ok_and(scan::is_token_byte))
}

/// A Via line whose first value is stamped with where it came from; unreadable ones stay as they are.
pub(super) fn stamp_first(line: &str, source: SocketAddr) -> String {
    let mut values = List::of(line);
    let Some(Ok(first)) = values.next().map(Via::parse) else { return line.to_owned() };
    core::iter::once(first.stamped(source)).chain(values.map(str::to_owned)).collect::<Vec<_>>().join(", ")
}
