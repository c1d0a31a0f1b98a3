//! Where a message's pieces lie: head and body, lines, names and values (RFC 3261 §7, §25.1).
//!
//! A message as most come is gone through once, by [`Index::of`]. Folds are undone by writing spaces over the line
//! ends, so that every piece can be kept as a place in one text. Nothing is looked into here but what tells the pieces
//! apart.
//!
//! Easy to get wrong: whether a line goes on in the next one is told by what follows its end, and so is where the head
//! ends; CR ends nothing without LF.

use super::name::Known;
use super::{MAX_HEADERS, Malformed, Method, scan};

/// A piece of a text, by its bytes: [`super::MAX_MESSAGE`] is the largest number that fits.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Span {
    start: u16,
    end: u16,
}

impl Span {
    /// Where `part`, a piece of `whole`, stands in it.
    fn of(whole: &str, part: &str) -> Span {
        let start = (part.as_ptr() as usize).wrapping_sub(whole.as_ptr() as usize);
        // No message is so long that its places would not fit.
        Span { start: start as u16, end: start.wrapping_add(part.len()) as u16 }
    }

    /// The piece of `whole` that stands there.
    pub(super) fn text(self, whole: &str) -> &str {
        whole.get(usize::from(self.start)..usize::from(self.end)).unwrap_or_default()
    }
}

/// The first line.
#[derive(Clone, Debug)]
pub(super) enum StartLine {
    Request { method: Method, uri: Span },
    Response { code: u16, reason: Span },
}

/// Where a header line's pieces stand: see [`Header`].
#[derive(Clone, Debug)]
pub(super) struct Field {
    pub(super) known: Option<Known>,
    pub(super) name: Span,
    pub(super) value: Span,
}

impl Field {
    /// Where the pieces of `header` stand in `head`.
    pub(super) fn of(head: &str, header: &Header<'_>) -> Field {
        Field { known: header.known, name: Span::of(head, header.name), value: Span::of(head, header.value) }
    }
}

/// The pieces of a message's head.
pub(super) struct Index {
    pub(super) start: StartLine,
    pub(super) fields: Vec<Field>,
    /// How long the head is, without its last line end.
    pub(super) head: usize,
    /// Where the body begins.
    pub(super) body: usize,
}

impl Index {
    /// Goes through `text` to the end of its head. `None` when a line is folded: see [`unfolded`].
    pub(super) fn of(text: &str) -> Result<Option<Index>, Malformed> {
        let mut lines = Lines::of(text);
        let first = lines.next().ok_or(Malformed::NoEnd)?;
        if lines.are_folded() {
            return Ok(None);
        }
        let start = start_line(text, first)?;
        let mut fields = Vec::with_capacity(16);
        while !lines.are_over() {
            let line = lines.next().ok_or(Malformed::NoEnd)?;
            if lines.are_folded() {
                return Ok(None);
            }
            if fields.len() == MAX_HEADERS {
                return Err(Malformed::TooManyHeaders);
            }
            let header = header_line(line).map_err(|why| Malformed::HeaderLine { line: fields.len() + 1, why })?;
            fields.push(Field::of(text, &header));
        }
        let body = lines.next + if lines.rest().starts_with(b"\r") { 2 } else { 1 };
        Ok(Some(Index { start, fields, head: lines.next - 1, body }))
    }
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

/// The whole lines of a head that has no end.
pub(super) fn endless_head(bytes: &[u8]) -> Cut<'_> {
    let end = bytes.iter().rposition(|b| *b == b'\n').unwrap_or(0);
    Cut { head: bytes.get(..end).unwrap_or_default(), folded: true, body: &[] }
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

/// A line, without its end.
#[derive(Clone, Copy)]
pub(super) struct Line<'a> {
    pub(super) text: &'a str,
    /// All that comes from its beginning on.
    from: &'a [u8],
    /// A CR stands in it that ends nothing.
    bare: bool,
}

/// The lines of a text.
pub(super) struct Lines<'a> {
    text: &'a str,
    next: usize,
}

impl<'a> Lines<'a> {
    pub(super) fn of(text: &'a str) -> Lines<'a> {
        Lines { text, next: 0 }
    }

    fn rest(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.next..).unwrap_or_default()
    }

    /// Does the last line go on in the next one (RFC 3261 §7.3.1)?
    fn are_folded(&self) -> bool {
        matches!(self.text.as_bytes().get(self.next), Some(b' ' | b'\t'))
    }

    /// Is the next line the empty one that ends a head?
    fn are_over(&self) -> bool {
        matches!(self.rest(), [b'\r', b'\n', ..] | [b'\n', ..])
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = Line<'a>;

    #[inline(always)]
    fn next(&mut self) -> Option<Line<'a>> {
        let (start, mut bare) = (self.next, false);
        let bytes = self.text.as_bytes();
        if start >= bytes.len() {
            return None;
        }
        let mut from = start;
        loop {
            let end = scan::seek_either(bytes, from, b'\r', b'\n').unwrap_or(bytes.len());
            self.next = match bytes.get(end..).unwrap_or_default() {
                [b'\r', b'\n', ..] => end + 2,
                // The last line of a head that was cut off ends with its CR.
                [b'\n', ..] | [b'\r'] | [] => end + 1,
                _ => {
                    (from, bare) = (end + 1, true);
                    continue;
                }
            };
            return Some(Line {
                text: self.text.get(start..end).unwrap_or_default(),
                from: bytes.get(start..).unwrap_or_default(),
                bare,
            });
        }
    }
}

/// Reads a request line or a status line, a piece of `head`.
fn start_line(head: &str, line: Line<'_>) -> Result<StartLine, Malformed> {
    if line.bare {
        return Err(Malformed::StartLine("a bare CR"));
    }
    let text = scan::trim(line.text);
    let (first, rest) = scan::split(text, b' ').map_or((text, None), |(first, rest)| (first, Some(rest)));
    let (second, third) = match rest.map(|rest| scan::split(rest, b' ').ok_or(rest)) {
        Some(Ok((second, third))) => (second, Some(third)),
        Some(Err(second)) => (second, None),
        None => ("", None),
    };
    if first.get(..4).is_some_and(|p| p.eq_ignore_ascii_case("SIP/")) {
        version(first)?;
        let three = second.len() == 3;
        let code = three.then(|| scan::number::<u16>(second)).flatten().filter(|code| (100..700).contains(code));
        let code = code.ok_or(Malformed::StartLine("no status from 100 to 699"))?;
        let reason = Span::of(head, scan::trim(third.unwrap_or_default()));
        return Ok(StartLine::Response { code, reason });
    }
    let method = Method::parse(first).ok_or(Malformed::StartLine("no method"))?;
    let third = third.ok_or(Malformed::StartLine("no version"))?;
    if second.is_empty() || scan::seek(third.as_bytes(), 0, b' ').is_some() {
        return Err(Malformed::StartLine("not three words with one space between"));
    }
    version(third)?;
    Ok(StartLine::Request { method, uri: Span::of(head, second) })
}

fn version(text: &str) -> Result<(), Malformed> {
    match scan::split(text, b'/') {
        Some((name, "2.0")) if name.eq_ignore_ascii_case("SIP") => Ok(()),
        Some((name, _)) if name.eq_ignore_ascii_case("SIP") => Err(Malformed::Version),
        _ => Err(Malformed::StartLine("no SIP version")),
    }
}

/// A header line's pieces.
pub(super) struct Header<'a> {
    /// `None` for a header without a variant of its own.
    pub(super) known: Option<Known>,
    name: &'a str,
    pub(super) value: &'a str,
}

/// Reads a header line. The error says what it lacks.
#[inline]
pub(super) fn header_line(line: Line<'_>) -> Result<Header<'_>, &'static str> {
    if line.bare {
        return Err("a bare CR");
    }
    // A name that ends behind its line is none of this line's.
    if let Some((known, length)) = Known::at_head(line.from)
        && let (Some(name), Some(value)) = (line.text.get(..length), line.text.get(length + 1..))
    {
        return Ok(Header { known: Some(known), name, value: scan::trim(value) });
    }
    let (name, value) = scan::split(line.text, b':').ok_or("no colon")?;
    let name = scan::trim_end(name);
    let known = Known::read(name);
    // Every name we know is a token.
    if known.is_none() && !scan::is_token(name) {
        return Err("no header name");
    }
    Ok(Header { known, name, value: scan::trim(value) })
}
