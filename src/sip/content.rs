//! The session description that a message carries: its whole body, or one part of several (RFC 3261 §7.4, RFC 5621).
//!
//! ```text
//! Content-Type: multipart/mixed;boundary=b
//!
//! --b
//! Content-Type: application/sdp
//!
//! v=0 ...
//! --b
//! Content-Type: application/isup              what the telephone network said, for those who understand it
//! Content-Disposition: signal;handling=optional
//! ...
//! --b--
//! ```
//!
//! Nothing here reads the description itself.
//!
//! Easy to get wrong: a body that may be passed over is no offer, so an INVITE with nothing else asks for ours; a part
//! that must be understood and is not refuses the whole; of alternatives the last that is understood is meant (RFC 2046
//! §5.1.4); and the boundary's line begins with the line end before it.

use crate::sip::message::SDP;
use crate::wire::sip::{Message, Name, Params, unquote};

/// Parts that are looked at.
const PARTS_MAX: usize = 16;
/// Parts within parts within parts.
const DEPTH_MAX: usize = 3;

/// What a message brings, as far as offer and answer go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Content<'a> {
    /// No session description.
    Nothing,
    /// This one.
    Session(&'a [u8]),
    /// Something that must be understood, and is not: 415.
    Foreign,
}

impl<'a> Content<'a> {
    /// What this message brings. Without a word on what it is, a body is taken for a description.
    pub fn of(message: &'a Message) -> Content<'a> {
        let body = message.body();
        if body.is_empty() {
            return Content::Nothing;
        }
        let header = |name| message.header(&name);
        let about = About {
            kind: header(Name::ContentType).unwrap_or(SDP),
            disposition: header(Name::ContentDisposition),
            coding: header(Name::ContentEncoding),
        };
        about.content(body, DEPTH_MAX)
    }

    /// The description, where there is one that can be read.
    pub fn session(self) -> Option<&'a [u8]> {
        match self {
            Content::Session(sdp) => Some(sdp),
            Content::Nothing | Content::Foreign => None,
        }
    }
}

/// Is the body coded in a way that we do not undo?
pub fn is_coded(message: &Message) -> bool {
    message.header(&Name::ContentEncoding).is_some_and(|coding| !coding.eq_ignore_ascii_case("identity"))
}

/// What is said of a body, or of a part of one.
struct About<'t> {
    kind: &'t str,
    disposition: Option<&'t str>,
    coding: Option<&'t str>,
}

impl About<'_> {
    fn content<'a>(&self, body: &'a [u8], depth: usize) -> Content<'a> {
        let (kind, params) = self.kind.split_once(';').unwrap_or((self.kind, ""));
        let kind = kind.trim();
        let plain = self.coding.is_none_or(|coding| {
            ["identity", "7bit", "8bit", "binary"].iter().any(|known| coding.trim().eq_ignore_ascii_case(known))
        });
        let found = match kind.split_once('/') {
            _ if !plain => Content::Foreign,
            _ if kind.eq_ignore_ascii_case(SDP) => Content::Session(body),
            Some((whole, sort)) if whole.eq_ignore_ascii_case("multipart") && depth > 0 => {
                let boundary = Params::of(params).get("boundary").map(unquote).unwrap_or_default();
                parts(body, &boundary, sort.eq_ignore_ascii_case("alternative"), depth - 1)
            }
            _ => Content::Foreign,
        };
        if found == Content::Foreign && self.handling().is_some_and(|handling| handling == "optional") {
            return Content::Nothing;
        }
        found
    }

    /// `required` or `optional`, where it says so (RFC 3261 §20.11).
    fn handling(&self) -> Option<String> {
        let (_, params) = self.disposition?.split_once(';')?;
        Params::of(params).get("handling").map(|handling| unquote(handling).to_ascii_lowercase())
    }
}

/// The description among the parts of `body`.
fn parts<'a>(body: &'a [u8], boundary: &str, alternative: bool, depth: usize) -> Content<'a> {
    let mut found = Content::Foreign;
    let mut demanded = false;
    for part in Parts::of(body, boundary).take(PARTS_MAX) {
        let (head, body) = split_head(part);
        let head = String::from_utf8_lossy(head);
        let field = |name: &str| {
            head.lines().find_map(|line| {
                let (known, value) = line.split_once(':')?;
                known.trim().eq_ignore_ascii_case(name).then(|| value.trim())
            })
        };
        let about = About {
            kind: field("content-type").or(field("c")).unwrap_or("text/plain"),
            disposition: field("content-disposition"),
            coding: field("content-transfer-encoding").or(field("content-encoding")),
        };
        match about.content(body, depth) {
            session @ Content::Session(_) if alternative || found.session().is_none() => found = session,
            Content::Nothing if found == Content::Foreign => found = Content::Nothing,
            // What says nothing of itself is passed over beside a description, as those do who send it for others.
            Content::Foreign => demanded |= about.handling().is_some_and(|handling| handling == "required"),
            _ => {}
        }
    }
    if demanded && !alternative { Content::Foreign } else { found }
}

/// The parts of a body, between the lines that are its boundary. What is before the first and behind the last is nothing.
struct Parts<'a> {
    rest: Option<&'a [u8]>,
    mark: Vec<u8>,
}

impl<'a> Parts<'a> {
    fn of(body: &'a [u8], boundary: &str) -> Parts<'a> {
        let mark = [b"--", boundary.as_bytes()].concat();
        let mut parts = Parts { rest: Some(body).filter(|_| !boundary.is_empty()), mark };
        parts.next_to_mark();
        parts
    }

    /// Goes behind the next boundary; what was before it.
    fn next_to_mark(&mut self) -> Option<&'a [u8]> {
        let rest = self.rest.take()?;
        let begins = |place: &usize| *place == 0 || rest.get(place - 1) == Some(&b'\n');
        let place = memchr::memmem::find_iter(rest, &self.mark).find(begins)?;
        let behind = rest.get(place + self.mark.len()..).unwrap_or_default();
        if !behind.starts_with(b"--") {
            let line_end = memchr::memchr(b'\n', behind).map_or(behind.len(), |end| end + 1);
            self.rest = behind.get(line_end..);
        }
        let before = rest.get(..place).unwrap_or_default();
        let before = before.strip_suffix(b"\n").unwrap_or(before);
        Some(before.strip_suffix(b"\r").unwrap_or(before))
    }
}

impl<'a> Iterator for Parts<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        self.next_to_mark()
    }
}

/// A part's head, and what is behind the empty line that ends it. A part may have no head at all.
fn split_head(part: &[u8]) -> (&[u8], &[u8]) {
    let mut from = 0;
    while let Some(end) = part.get(from..).and_then(|rest| memchr::memchr(b'\n', rest)) {
        let line = part.get(from..from + end).unwrap_or_default();
        if line.iter().all(|byte| *byte == b'\r') {
            return (part.get(..from).unwrap_or_default(), part.get(from + end + 1..).unwrap_or_default());
        }
        from += end + 1;
    }
    (part, &[])
}

#[cfg(test)]
#[path = "tests/content.rs"]
mod tests;
