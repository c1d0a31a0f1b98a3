//! The small scanners everything else stands on: tokens, quoted strings, lists, parameters (RFC 3261 §25.1).
//!
//! They only ever cut at ASCII bytes, so that every piece of a `str` stays one.

use std::borrow::Cow;

pub(super) use crate::wire::ascii::{number, trim, trim_end, trim_start};

/// Is every byte of `text` a token's (RFC 3261 §25.1), and is there one?
pub(super) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| TOKEN[usize::from(byte)])
}

/// Which bytes are a token's.
static TOKEN: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = is_token_byte(byte as u8);
        byte += 1;
    }
    table
};

pub(super) const fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'!' | b'%' | b'*' | b'_' | b'+' | b'`' | b'\'' | b'~')
}

/// What stands between characters that count and characters that do not.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Skip {
    /// Quoted strings are skipped.
    Quotes,
    /// Quoted strings and everything between `<` and `>` are skipped.
    QuotesAndAngles,
}

/// Where `wanted` stands at or behind `from`.
pub(super) fn seek(bytes: &[u8], from: usize, wanted: u8) -> Option<usize> {
    memchr::memchr(wanted, bytes.get(from..)?).map(|place| from + place)
}

/// Where one of the two stands at or behind `from`.
pub(super) fn seek_either(bytes: &[u8], from: usize, one: u8, other: u8) -> Option<usize> {
    memchr::memchr2(one, other, bytes.get(from..)?).map(|place| from + place)
}

/// Where `wanted` first stands outside of what is skipped; nowhere behind a quote or a `<` that is left open.
pub(super) fn find(text: &str, wanted: u8, skip: Skip) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut from = 0;
    loop {
        let rest = bytes.get(from..)?;
        let place = match skip {
            Skip::Quotes => memchr::memchr2(wanted, b'"', rest),
            Skip::QuotesAndAngles => memchr::memchr3(wanted, b'"', b'<', rest),
        };
        let place = from + place?;
        from = match bytes.get(place)? {
            found if *found == wanted => return Some(place),
            b'"' => end_of_quote(bytes, place + 1)? + 1,
            _ => seek(bytes, place + 1, b'>')? + 1,
        };
    }
}

/// Where the quote stands that closes the one before `from`; a backslash takes its meaning from the byte behind it.
fn end_of_quote(bytes: &[u8], mut from: usize) -> Option<usize> {
    loop {
        let place = seek_either(bytes, from, b'"', b'\\')?;
        if bytes.get(place) == Some(&b'"') {
            return Some(place);
        }
        from = place + 2;
    }
}

/// The word at the head of `text` and what follows the blank behind it; `None` without a blank.
pub(super) fn word(text: &str) -> Option<(&str, &str)> {
    let place = text.bytes().position(|byte| matches!(byte, b' ' | b'\t'))?;
    Some((text.get(..place)?, text.get(place + 1..)?))
}

/// `text` cut in two at its first `wanted`, which is in neither part.
pub(super) fn split(text: &str, wanted: u8) -> Option<(&str, &str)> {
    let place = seek(text.as_bytes(), 0, wanted)?;
    Some((text.get(..place)?, text.get(place + 1..)?))
}

/// `text` cut in two at the first `wanted` outside of what is skipped; the separator is in neither part.
pub(super) fn cut(text: &str, wanted: u8, skip: Skip) -> (&str, Option<&str>) {
    match find(text, wanted, skip) {
        Some(place) => (text.get(..place).unwrap_or_default(), text.get(place + 1..)),
        None => (text, None),
    }
}

/// The values of one comma-separated header line; empty ones are left out.
#[derive(Clone, Debug)]
pub struct List<'a> {
    rest: Option<&'a str>,
}

impl<'a> List<'a> {
    /// The values of `line`. Do not use it on headers whose values hold commas of their own: Date, and the
    /// four of digest authentication.
    pub fn of(line: &'a str) -> List<'a> {
        List { rest: Some(line) }
    }
}

impl<'a> Iterator for List<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        loop {
            let (item, rest) = cut(self.rest?, b',', Skip::QuotesAndAngles);
            self.rest = rest;
            let item = trim(item);
            if !item.is_empty() {
                return Some(item);
            }
        }
    }
}

/// Parameters: `;a=1;b`. Names are compared without regard to case.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Params<'a>(&'a str);

impl<'a> Params<'a> {
    /// The parameters written in `text`, with or without the semicolon before the first; more than one are none.
    pub fn of(text: &'a str) -> Params<'a> {
        let mut text = trim(text);
        while let Some(rest) = text.strip_prefix(';') {
            text = trim_start(rest);
        }
        Params(text)
    }

    /// As written, without the first semicolon.
    pub fn as_str(&self) -> &'a str {
        self.0
    }

    /// Every parameter in order: its name, and its value where it has one (quotes kept).
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, Option<&'a str>)> + use<'a> {
        let mut rest = Some(self.0);
        core::iter::from_fn(move || {
            let (item, next) = cut(rest?, b';', Skip::Quotes);
            rest = next;
            // Names are short: byte by byte they are through sooner.
            let (name, value) = match item.bytes().position(|byte| matches!(byte, b'=' | b'"')) {
                Some(place) if item.as_bytes().get(place) == Some(&b'"') => cut(item, b'=', Skip::Quotes),
                Some(place) => (item.get(..place).unwrap_or_default(), item.get(place + 1..)),
                None => (item, None),
            };
            Some((trim(name), value.map(trim)))
        })
        .filter(|(name, _)| !name.is_empty())
    }

    /// The value of the first parameter called `name`: quotes kept, empty when it has none.
    pub fn get(&self, name: &str) -> Option<&'a str> {
        self.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.unwrap_or_default())
    }
}

impl core::fmt::Debug for Params<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

/// The text of a quoted string, escapes undone; anything else comes back as it is.
pub fn unquote(text: &str) -> Cow<'_, str> {
    let text = trim(text);
    let Some(inner) = text.strip_prefix('"').and_then(|t| t.strip_suffix('"')) else {
        return Cow::Borrowed(text);
    };
    if !inner.contains('\\') {
        return Cow::Borrowed(inner);
    }
    let mut plain = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        plain.extend(if c == '\\' { chars.next() } else { Some(c) });
    }
    Cow::Owned(plain)
}

/// `text` as a quoted string; line breaks and NUL are dropped.
pub fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars().filter(|c| !matches!(c, '\r' | '\n' | '\0')) {
        if matches!(c, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted.push('"');
    quoted
}

/// `text` on one line: line breaks and NUL are dropped, so that no value can bring a header of its own.
pub(super) fn one_line(text: &str) -> Cow<'_, str> {
    if memchr::memchr3(b'\r', b'\n', 0, text.as_bytes()).is_some() {
        Cow::Owned(text.chars().filter(|c| !matches!(c, '\r' | '\n' | '\0')).collect())
    } else {
        Cow::Borrowed(text)
    }
}

/// The number at the head of `text`, at most `u32::MAX`; `None` when there is none. RFC 4475 §3.1.2.4: a
/// number that is too large counts as the largest.
pub(super) fn leading_number(text: &str) -> Option<u32> {
    let text = trim(text);
    let digits = text.get(..text.bytes().take_while(u8::is_ascii_digit).count()).unwrap_or_default();
    let clean = text.get(digits.len()..).and_then(|rest| rest.bytes().next());
    let ends = clean.is_none_or(|b| matches!(b, b' ' | b'\t' | b';' | b'('));
    (ends && !digits.is_empty()).then(|| digits.parse().unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn semicolons_before_the_first_parameter_are_none_of_its_own() {
        for text in ["a=1;b", ";a=1;b", ";;;a=1;b", "; ;  a=1;b"] {
            assert_eq!(Params::of(text).as_str(), "a=1;b", "{text}");
        }
        assert_eq!(Params::of(";;").as_str(), "");
    }

    #[test]
    fn a_byte_is_found_wherever_it_stands() {
        for length in 0..40 {
            for place in 0..length {
                for other in [b'\t', 0x0b, 0x8a, 0, 0xff] {
                    let mut bytes = vec![other; length];
                    bytes[place] = b'\n';
                    for from in 0..=length {
                        let expected = (from <= place).then_some(place);
                        assert_eq!(seek(&bytes, from, b'\n'), expected, "{length} {place} {from} {other}");
                        assert_eq!(
                            seek_either(&bytes, from, b'\r', b'\n'),
                            expected,
                            "{length} {place} {from} {other}"
                        );
                        assert_eq!(
                            seek_either(&bytes, from, b'\n', b'\r'),
                            expected,
                            "{length} {place} {from} {other}"
                        );
                    }
                }
            }
        }
    }
}
