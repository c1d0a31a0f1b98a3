//! What stands at a place of a text: a date, an address, a number with its unit, a name.
//!
//! Every reader looks at a bounded piece of the text, so a scan costs what the text's length says. Easy to get wrong:
//! where a token ends. `10.0.0.5` is no number `10.0`, and the full stop behind `10.5.` is none of its digits.

use core::net::{Ipv4Addr, Ipv6Addr};

use super::calendar::{self, Moment};
use super::units::{self, Unit};

/// The longest name that is said as one.
const NAME_MAX: usize = 80;

/// A piece of a text.
#[derive(Clone, Debug)]
pub(super) enum Token<'a> {
    Moment(Moment),
    Ipv4 {
        octets: [u8; 4],
        prefix: Option<u8>,
        port: Option<u16>,
    },
    /// Letter by letter: an IPv6 address, a hardware address, a hexadecimal number.
    Spelled(&'a str),
    /// Too long to be said: the end of it will do.
    Ending(&'a str),
    /// `1.2.3`, and whether a `v` stood before it.
    Version {
        text: &'a str,
        said: bool,
    },
    /// Groups of digits, and whether it begins with `+`.
    Phone {
        groups: Vec<&'a str>,
        plus: bool,
    },
    Number(Number<'a>),
    /// `3/5`.
    Fraction(&'a str, &'a str),
    /// `10-20`.
    Range(&'a str, &'a str),
    /// Letters and digits, and what joins them.
    Name(&'a str),
    /// Anything else.
    Other(char),
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Number<'a> {
    /// `-`, `+` or none.
    pub(super) sign: Option<char>,
    /// Digits and commas.
    pub(super) whole: &'a str,
    pub(super) fraction: Option<&'a str>,
    pub(super) unit: Option<&'static Unit>,
    /// `1st`.
    pub(super) ordinal: bool,
    /// `$` or `¥` before it.
    pub(super) money: Option<char>,
}

/// The token at the beginning of `text`, which is not empty, and its length in bytes; `before` stands in front of it.
pub(super) fn token(text: &str, before: Option<char>) -> (Token<'_>, usize) {
    let first = text.chars().next().unwrap_or(' ');
    let joined = before.is_some_and(|c| c.is_ascii_alphanumeric());
    read(text, first, joined, before).unwrap_or((Token::Other(first), first.len_utf8()))
}

fn read(text: &str, first: char, joined: bool, before: Option<char>) -> Option<(Token<'_>, usize)> {
    let starts = |c: char| c.is_ascii_digit() || c.is_ascii_uppercase();
    if starts(first)
        && !joined
        && let Some((moment, length)) = calendar::read(text)
    {
        return Some((Token::Moment(moment), length));
    }
    let digit_at = |at: usize| text.as_bytes().get(at).is_some_and(u8::is_ascii_digit);
    match first {
        '+' | '(' | '0'..='9' if !joined => phone(text).or_else(|| signed(text, first)).or_else(|| run(text)),
        '-' | '$' | '¥' if digit_at(first.len_utf8()) && !joined && before != Some(')') => signed(text, first),
        '[' => run(text).filter(|(token, _)| matches!(token, Token::Spelled(_))),
        '/' if !joined => path(text),
        ':' if text.starts_with("::") && !joined => run(text),
        _ if first.is_ascii_alphanumeric() => run(text),
        _ => None,
    }
}

/// A number that may have a sign or a currency in front of it.
fn signed(text: &str, first: char) -> Option<(Token<'_>, usize)> {
    let (sign, money) = match first {
        '-' | '+' => (Some(first), None),
        '$' | '¥' => (None, Some(first)),
        _ => return None,
    };
    let skipped = first.len_utf8();
    let (number, length) = number(&text[skipped..])?;
    Some((Token::Number(Number { sign, money, ..number }), length + skipped))
}

/// The longest row of letters, digits and what joins them, by what it is.
fn run(text: &str) -> Option<(Token<'_>, usize)> {
    let body = text.strip_prefix('[').unwrap_or(text);
    let part_of = |c: char| c.is_ascii_alphanumeric() || "_.-:/@".contains(c);
    let mut end = body.find(|c| !part_of(c)).unwrap_or(body.len());
    // `don't` is one word.
    if let Some(rest) = body[end..].strip_prefix('\'') {
        let more = rest.bytes().take(3).take_while(u8::is_ascii_alphabetic).count();
        let ends = !rest.as_bytes().get(more).is_some_and(u8::is_ascii_alphanumeric);
        if more > 0 && ends && body[..end].bytes().all(|b| b.is_ascii_alphabetic()) {
            end += 1 + more;
        }
    }
    let run = &body[..end];
    if text.starts_with('[') {
        let address: Ipv6Addr = run.parse().ok()?;
        let closed = body[end..].starts_with(']');
        return (closed && !address.is_unspecified()).then_some((Token::Spelled(run), end + 2));
    }
    let run = if run.ends_with("::") { run } else { run.trim_end_matches(['.', '-', ':', '/', '@']) };
    let number = || number(text).map(|(number, length)| (Token::Number(number), length));
    let whole = |token: Token<'static>| Some((token, run.len()));
    if let Some(address) = ipv4(run) {
        return whole(address);
    }
    let spelled =
        || (run.matches(':').count() > 1 && run.parse::<Ipv6Addr>().is_ok()) || is_hardware(run) || is_hex(run);
    if spelled() {
        return Some((Token::Spelled(run), run.len()));
    }
    if run.len() > NAME_MAX || is_hash(run) {
        return Some((Token::Ending(run), run.len()));
    }
    version(run)
        .or_else(|| pair(run, '/', Token::Fraction))
        .or_else(|| pair(run, '-', Token::Range).filter(|_| units::read(&text[run.len()..]).is_none()))
        .map(|token| (token, run.len()))
        .or_else(|| run.starts_with(|c: char| c.is_ascii_digit()).then(number).flatten())
        .or_else(|| (!run.is_empty()).then_some((Token::Name(run), run.len())))
}

fn ipv4(run: &str) -> Option<Token<'static>> {
    let (rest, port) = match run.rsplit_once(':') {
        Some((rest, port)) => (rest, Some(port.parse().ok()?)),
        None => (run, None),
    };
    let (address, prefix) = match rest.split_once('/') {
        Some((address, prefix)) => (address, Some(prefix.parse().ok().filter(|bits| *bits <= 32)?)),
        None => (rest, None),
    };
    let octets = address.parse::<Ipv4Addr>().ok()?.octets();
    Some(Token::Ipv4 { octets, prefix, port })
}

/// `v1.2`, `V1.2.3-rc1`, `1.2.3`.
fn version(run: &str) -> Option<Token<'_>> {
    let text = run.strip_prefix(['v', 'V']).unwrap_or(run);
    let said = text.len() < run.len();
    let core = &text[..text.find(['-', '_']).unwrap_or(text.len())];
    let parts =
        core.split('.').filter(|part| (1..=6).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit()));
    let (parts, dots) = (parts.count(), core.matches('.').count());
    (parts == dots + 1 && (parts >= 3 || (said && parts >= 1)) && parts <= 6).then_some(Token::Version { text, said })
}

/// Two numbers of a few digits, joined by a sign.
fn pair<'a>(run: &'a str, sign: char, token: fn(&'a str, &'a str) -> Token<'a>) -> Option<Token<'a>> {
    let (left, right) = run.split_once(sign)?;
    let few = |part: &str| {
        (1..=4).contains(&part.len())
            && part.bytes().all(|b| b.is_ascii_digit())
            && (part.len() == 1 || !part.starts_with('0'))
    };
    (few(left) && few(right)).then(|| token(left, right))
}

/// `00:1a:2b:3c:4d:5e`, also with hyphens.
fn is_hardware(run: &str) -> bool {
    let with = |sign: char| {
        let mut parts = 0;
        run.split(sign).all(|part| {
            parts += 1;
            part.len() == 2 && part.bytes().all(|b| b.is_ascii_hexdigit())
        }) && parts == 6
    };
    with(':') || with('-')
}

/// `0x80070005`.
fn is_hex(run: &str) -> bool {
    let digits = run.strip_prefix("0x").or_else(|| run.strip_prefix("0X"));
    digits.is_some_and(|digits| (1..=16).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// A UUID, or a long row of hexadecimal digits with letters among them.
fn is_hash(run: &str) -> bool {
    let hex = run.bytes().filter(|b| *b != b'-').all(|b| b.is_ascii_hexdigit());
    hex && run.len() >= 20 && run.bytes().any(|b| b.is_ascii_digit()) && run.bytes().any(|b| b.is_ascii_alphabetic())
}

/// `/var/log/messages`.
fn path(text: &str) -> Option<(Token<'_>, usize)> {
    let part_of = |c: char| c.is_ascii_alphanumeric() || "_.-/".contains(c);
    let end = text.find(|c| !part_of(c)).unwrap_or(text.len()).min(NAME_MAX);
    let path = text[..end].trim_end_matches(['.', '-', '/']);
    (path.len() > 1).then_some((Token::Name(path), path.len()))
}

/// `+81 90-1234-5678`, `03-1234-5678`, `(03) 1234-5678`, `0120-123-456`, `09012345678`.
fn phone(text: &str) -> Option<(Token<'_>, usize)> {
    let plus = text.starts_with('+');
    let start = usize::from(plus);
    let bytes = text.as_bytes();
    let (mut groups, mut digits, mut at) = (Vec::new(), 0usize, start);
    let mut end = 0;
    let mut bracket = false;
    loop {
        if bytes.get(at) == Some(&b'(') && groups.len() < 2 && !bracket {
            bracket = true;
            at += 1;
        }
        let have = bytes.get(at..)?.iter().take(16).take_while(|b| b.is_ascii_digit()).count();
        if have == 0 {
            break;
        }
        groups.push(&text[at..at + have]);
        digits += have;
        at += have;
        end = at;
        if bracket && bytes.get(at) == Some(&b')') {
            at += 1;
            bracket = false;
            end = at;
        }
        match bytes.get(at) {
            Some(b'-') => at += 1,
            Some(b' ')
                if plus || groups.first().is_some_and(|group| text[..end].ends_with(')') && group.starts_with('0')) =>
            {
                at += 1
            }
            Some(b'(') => {}
            Some(_) if text[..at].ends_with(')') => {}
            _ => break,
        }
        if groups.len() > 6 || digits > 16 {
            return None;
        }
    }
    let next = |at: usize| bytes.get(end + at).copied();
    let ends = match next(0) {
        Some(b'.' | b':' | b'/') => !next(1).is_some_and(|b| b.is_ascii_alphanumeric()),
        Some(byte) => !byte.is_ascii_alphanumeric() && byte != b'_',
        None => true,
    };
    let national = groups.first().is_some_and(|group| group.starts_with('0')) && (10..=11).contains(&digits);
    let grouped = groups.len() == 3 || (groups.len() == 1 && !text.starts_with("00"));
    let fits = if plus { (8..=15).contains(&digits) } else { national && grouped };
    (ends && fits && !bracket).then_some((Token::Phone { groups, plus }, end))
}

/// `1,234`, `0.5 %`, `512 MiB`, `3rd`.
fn number(text: &str) -> Option<(Number<'_>, usize)> {
    let digits = |from: &str| from.bytes().take(40).take_while(u8::is_ascii_digit).count();
    let mut end = digits(text);
    if end == 0 || end == 40 {
        return None;
    }
    if end <= 3 && !text.starts_with('0') {
        while text[end..].starts_with(',') && digits(&text[end + 1..]) == 3 && end < 40 {
            end += 4;
        }
    }
    let whole = &text[..end];
    let mut fraction = None;
    let after_point = text[end..].strip_prefix('.').map_or(0, digits);
    if after_point > 0 && after_point < 20 {
        fraction = Some(&text[end + 1..end + 1 + after_point]);
        end += 1 + after_point;
    }
    let mut number = Number { sign: None, whole, fraction, unit: None, ordinal: false, money: None };
    let rest = &text[end..];
    if ["st", "nd", "rd", "th"].iter().any(|ending| rest.starts_with(ending))
        && !rest[2..].starts_with(|c: char| c.is_ascii_alphanumeric())
        && fraction.is_none()
    {
        number.ordinal = true;
        return Some((number, end + 2));
    }
    let blank = usize::from(rest.starts_with(' '));
    if let Some((unit, length)) = units::read(&rest[blank..])
        && (blank == 0 || !unit.has_to_touch())
    {
        number.unit = Some(unit);
        return Some((number, end + blank + length));
    }
    let mut behind = rest.chars();
    let ends = match behind.next() {
        Some(c) if c.is_ascii_alphanumeric() || c == '_' => false,
        Some('.' | '-' | '/' | ':' | '@') => !behind.next().is_some_and(|c| c.is_ascii_alphanumeric()),
        _ => true,
    };
    ends.then_some((number, end))
}
