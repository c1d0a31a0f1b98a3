//! Where a message's pieces lie: head and body, lines, names and values (RFC 3261 §7, §25.1).
//!
//! Folds are undone by writing spaces over the line ends, so that every piece can be kept as a place in one
//! text. Nothing is looked into here but what tells the pieces apart.

use super::{Malformed, Method, Name, scan};

/// A piece of a head, by its bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) start: usize,
    pub(super) end: usize,
}

/// The first line.
#[derive(Clone, Debug)]
pub(super) enum StartLine {
    Request { method: Method, uri: Span },
    Response { code: u16, reason: Span },
}

/// One header line.
#[derive(Clone, Debug)]
pub(super) struct Field {
    /// `None` for a header without a variant of its own.
    pub(super) known: Option<Name>,
    pub(super) name: Span,
    pub(super) value: Span,
}

/// A datagram, cut where its head ends.
pub(super) struct Cut<'a> {
    /// Without its last line end.
    head: &'a [u8],
    /// Some of its lines are folded.
    folded: bool,
    /// What follows the empty line.
    pub(super) body: &'a [u8],
}

/// The head, and what follows the empty line.
pub(super) fn split_head(bytes: &[u8]) -> Result<Cut<'_>, Malformed> {
    let (mut from, mut folded) = (0, false);
    while let Some(end) = scan::seek(bytes, from, b'\n') {
        match bytes.get(end + 1..).unwrap_or_default() {
            [b'\r', b'\n', body @ ..] | [b'\n', body @ ..] => {
                return Ok(Cut { head: bytes.get(..end).unwrap_or_default(), folded, body });
            }
            [b' ' | b'\t', ..] => folded = true,
            _ => {}
        }
        from = end + 1;
    }
    Err(Malformed::NoEnd)
}

/// The head as text: line ends before white space become spaces, bytes that are not UTF-8 become `?`. Both
/// keep its length.
pub(super) fn unfolded(cut: &Cut<'_>) -> String {
    let mut text = match core::str::from_utf8(cut.head) {
        Ok(text) => text.to_owned(),
        Err(_) => readable(cut.head),
    };
    if !cut.folded {
        return text;
    }
    for (fold, blank) in [("\r\n ", "   "), ("\r\n\t", "  \t"), ("\n ", "  "), ("\n\t", " \t")] {
        text = text.replace(fold, blank);
    }
    text
}

fn readable(head: &[u8]) -> String {
    let mut text = String::with_capacity(head.len());
    for chunk in head.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| '?'));
    }
    text
}

/// The lines of a head, without their ends.
pub(super) struct Lines<'a> {
    text: &'a str,
    next: usize,
}

impl<'a> Lines<'a> {
    pub(super) fn of(text: &'a str) -> Lines<'a> {
        Lines { text, next: 0 }
    }
}

impl Iterator for Lines<'_> {
    type Item = Span;

    fn next(&mut self) -> Option<Span> {
        let start = self.next;
        let bytes = self.text.as_bytes();
        if start >= bytes.len() {
            return None;
        }
        let end = scan::seek(bytes, start, b'\n').unwrap_or(bytes.len());
        self.next = end + 1;
        let line = bytes.get(start..end).unwrap_or_default();
        Some(Span { start, end: if line.ends_with(b"\r") { end - 1 } else { end } })
    }
}

/// Reads a request line or a status line.
pub(super) fn start_line(head: &str, line: Span) -> Result<StartLine, Malformed> {
    let text = head.get(line.start..line.end).unwrap_or_default();
    if text.contains('\r') {
        return Err(Malformed::StartLine("a bare CR"));
    }
    let text = scan::trim(text);
    let mut parts = text.splitn(3, ' ');
    let (first, second) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let third = parts.next();
    if first.get(..4).is_some_and(|p| p.eq_ignore_ascii_case("SIP/")) {
        version(first)?;
        let three = second.len() == 3;
        let code = three.then(|| scan::number::<u16>(second)).flatten().filter(|code| (100..700).contains(code));
        let code = code.ok_or(Malformed::StartLine("no status from 100 to 699"))?;
        let reason = span_of(head, scan::trim(third.unwrap_or_default()));
        return Ok(StartLine::Response { code, reason });
    }
    let method = Method::parse(first).ok_or(Malformed::StartLine("no method"))?;
    let third = third.ok_or(Malformed::StartLine("no version"))?;
    if second.is_empty() || third.contains(' ') {
        return Err(Malformed::StartLine("not three words with one space between"));
    }
    version(third)?;
    Ok(StartLine::Request { method, uri: span_of(head, second) })
}

fn version(text: &str) -> Result<(), Malformed> {
    match text.split_once('/') {
        Some((name, "2.0")) if name.eq_ignore_ascii_case("SIP") => Ok(()),
        Some((name, _)) if name.eq_ignore_ascii_case("SIP") => Err(Malformed::Version),
        _ => Err(Malformed::StartLine("no SIP version")),
    }
}

/// Reads a header line. The error says what it lacks.
pub(super) fn header_line(head: &str, line: Span) -> Result<Field, &'static str> {
    let text = head.get(line.start..line.end).unwrap_or_default();
    if scan::seek(text.as_bytes(), 0, b'\r').is_some() {
        return Err("a bare CR");
    }
    let colon = scan::seek(text.as_bytes(), 0, b':').ok_or("no colon")?;
    let (name, value) = (text.get(..colon).unwrap_or_default(), text.get(colon + 1..).unwrap_or_default());
    let name = name.trim_ascii_end();
    if !scan::is_token(name) {
        return Err("no header name");
    }
    Ok(Field { known: Name::known(name), name: span_of(head, name), value: span_of(head, scan::trim(value)) })
}

/// Where `part`, a piece of `whole`, stands in it.
fn span_of(whole: &str, part: &str) -> Span {
    let start = (part.as_ptr() as usize).saturating_sub(whole.as_ptr() as usize);
    Span { start, end: start + part.len() }
}
