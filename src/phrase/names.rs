//! Names that machines have: hosts, services, error codes, paths. Said as people say them over the phone.
//!
//! `db-01.tokyo` is "DB dash zero one dot tokyo"; `CPU_Load` and `HighErrorRate` are words with blanks between them;
//! the figures of `ORA-00600` are said one by one.

use super::readings::Readings;
use super::{en, ja, numbers};
use crate::base::Language;

/// Of a text that is spelled, so many letters are.
const SPELLED_MAX: usize = 80;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Piece<'a> {
    Letters(&'a str),
    Digits(&'a str),
    Sign(char),
}

/// A name in words.
pub(super) fn said(name: &str, language: Language, readings: &Readings) -> String {
    if let Some(reading) = whole(name, language, readings) {
        return reading;
    }
    let pieces = pieces(name);
    let dashes = says_dashes(name, &pieces);
    let mut said = Said { text: String::new(), language };
    for (place, piece) in pieces.iter().enumerate() {
        let neighbour = |step: isize| place.checked_add_signed(step).and_then(|place| pieces.get(place));
        match piece {
            Piece::Letters(letters) => said.word(&word(letters, language, readings)),
            Piece::Digits(digits) if digits.len() > 2 || (digits.len() > 1 && digits.starts_with('0')) => {
                said.word(&numbers::digits(digits, language));
            }
            Piece::Digits(digits) => said.number(digits),
            Piece::Sign('.') => said.sign("ドット", "dot"),
            Piece::Sign('/') => said.sign("スラッシュ", "slash"),
            Piece::Sign('@') => said.sign("アット", "at"),
            Piece::Sign(':') if matches!(neighbour(1), Some(Piece::Digits(_))) && neighbour(2).is_none() => {
                said.sign("ポート", "port");
            }
            Piece::Sign(':') => said.pause(),
            Piece::Sign('-') if dashes => said.sign("ハイフン", "dash"),
            Piece::Sign(_) => said.blank(),
        }
    }
    said.text
}

/// A name that has a reading as a whole; also one in the plural.
fn whole(name: &str, language: Language, readings: &Readings) -> Option<String> {
    if let Some(reading) = readings.of(name) {
        return Some(reading.to_owned());
    }
    match language {
        Language::Ja => ja::known(name).map(str::to_owned),
        Language::En => en::known(name).map(str::to_owned),
    }
}

fn word(letters: &str, language: Language, readings: &Readings) -> String {
    if let Some(reading) = whole(letters, language, readings) {
        return reading;
    }
    match language {
        Language::Ja => ja::word(letters),
        Language::En => en::word(letters),
    }
}

/// Letters and digits one by one.
pub(super) fn spelled(text: &str, language: Language) -> String {
    let mut said = Said { text: String::new(), language };
    let mut colons = 0;
    for c in text.chars().take(SPELLED_MAX) {
        colons = if c == ':' { colons + 1 } else { 0 };
        match c {
            'A'..='Z' | 'a'..='z' => said.word(&letter(c, language)),
            '0'..='9' => said.word(&numbers::digits(c.encode_utf8(&mut [0; 4]), language)),
            ':' if colons > 1 => said.sign("コロン", "colon"),
            ':' => said.sign("コロン", "colon"),
            '.' => said.sign("ドット", "dot"),
            '-' => said.sign("ハイフン", "dash"),
            '/' => said.sign("スラッシュ", "slash"),
            c if c.is_alphanumeric() => {
                said.blank();
                said.text.push(c);
            }
            _ => said.blank(),
        }
    }
    said.text
}

/// A letter's own name.
pub(super) fn letter(c: char, language: Language) -> String {
    match language {
        Language::Ja => ja::letter(c).to_owned(),
        Language::En => c.to_ascii_uppercase().to_string(),
    }
}

/// Host names and machine numbers have dashes that are said; words and error codes have not.
fn says_dashes(name: &str, pieces: &[Piece<'_>]) -> bool {
    if name.contains('.') || name.contains('/') {
        return true;
    }
    let beside_digits = pieces
        .windows(2)
        .any(|pair| matches!(pair, [Piece::Sign('-'), Piece::Digits(_)] | [Piece::Digits(_), Piece::Sign('-')]));
    beside_digits && name.bytes().any(|b| b.is_ascii_lowercase())
}

fn pieces(name: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = name;
    while let Some(first) = rest.bytes().next() {
        let end = match first {
            b'0'..=b'9' => {
                let end = rest.bytes().take_while(u8::is_ascii_digit).count();
                pieces.push(Piece::Digits(&rest[..end]));
                end
            }
            b'A'..=b'Z' | b'a'..=b'z' => {
                let end = word_end(rest.as_bytes());
                pieces.push(Piece::Letters(&rest[..end]));
                end
            }
            _ => {
                let sign = rest.chars().next().unwrap_or(' ');
                pieces.push(Piece::Sign(sign));
                sign.len_utf8()
            }
        };
        rest = &rest[end..];
    }
    pieces
}

/// Where the word at the beginning ends: `HTTPServer` is two, and so is `errorRate`; `don't` is one.
fn word_end(bytes: &[u8]) -> usize {
    let letters = bytes.iter().take_while(|b| b.is_ascii_alphabetic() || **b == b'\'').count();
    let upper = |at: usize| at < letters && bytes[at].is_ascii_uppercase();
    let lower = |at: usize| at < letters && bytes[at].is_ascii_lowercase();
    let between =
        |at: usize| (lower(at - 1) && upper(at)) || (upper(at - 1) && upper(at) && lower(at + 1) && lower(at + 2));
    (1..letters).find(|at| between(*at)).unwrap_or(letters)
}

/// Words put together as the language does it: Japanese without blanks, English with them.
struct Said {
    text: String,
    language: Language,
}

impl Said {
    fn word(&mut self, word: &str) {
        if self.language == Language::En {
            self.blank();
        }
        self.text.push_str(word);
    }

    fn number(&mut self, digits: &str) {
        match (self.language, digits) {
            (Language::Ja, "0") => self.word("ゼロ"),
            // Two numbers beside each other would be one.
            (Language::Ja, _) => self.word(digits),
            (Language::En, _) => self.word(&digits.parse().map_or_else(|_| digits.to_owned(), numbers::in_english)),
        }
    }

    fn sign(&mut self, ja: &str, en: &str) {
        match self.language {
            Language::Ja => self.text.push_str(ja),
            Language::En => self.word(en),
        }
    }

    fn pause(&mut self) {
        self.text.push_str(match self.language {
            Language::Ja => "、",
            Language::En => ",",
        });
    }

    fn blank(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with(' ') {
            self.text.push(' ');
        }
    }
}
