//! How people in this house say a word: the dictionary of the configuration.
//!
//! The longest entry that fits wins, in any case of its letters, and Latin words only as whole words. What an entry
//! gives is not looked up again.

use std::collections::{BTreeMap, BTreeSet};

use super::Listener;
use super::speak::spoken_to;
use crate::base::Language;

/// The most entries of a language.
const ENTRIES_MAX: usize = 10_000;
/// The longest word, in characters.
const WORD_MAX: usize = 100;
/// The longest reading, in characters.
const READING_MAX: usize = 200;

/// A dictionary of one language.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Readings {
    /// By words in lower case.
    entries: BTreeMap<String, String>,
    /// By its first character, how many characters an entry may have.
    lengths: BTreeMap<char, BTreeSet<usize>>,
}

/// The dictionaries of all languages.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Dictionary {
    languages: BTreeMap<Language, Readings>,
    none: Readings,
}

impl Dictionary {
    /// The dictionaries of these words, a language each.
    pub fn new(words: &BTreeMap<Language, BTreeMap<String, String>>) -> Result<Dictionary, ReadingFault> {
        let read = |(language, entries): (&Language, &BTreeMap<String, String>)| {
            let entries = entries.iter().map(|(word, reading)| (word.as_str(), reading.as_str()));
            Ok((*language, Readings::new(entries)?))
        };
        Ok(Dictionary { languages: words.iter().map(read).collect::<Result<_, _>>()?, none: Readings::default() })
    }

    /// The text as it is spoken in a language.
    pub fn spoken(&self, text: &str, language: Language) -> String {
        self.spoken_to(text, &Listener::from(language))
    }

    /// The text as it is spoken to somebody, times on their own clock.
    pub fn spoken_to(&self, text: &str, listener: &Listener<'_>) -> String {
        spoken_to(text, listener, self.languages.get(&listener.language).unwrap_or(&self.none))
    }
}

/// What is wrong with a dictionary.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ReadingFault {
    /// There are too many.
    #[error("more than {ENTRIES_MAX} readings")]
    TooMany,
    /// A word that cannot be one.
    #[error("`{0}` is no word of 1 to {WORD_MAX} characters on one line")]
    Word(String),
    /// A reading that cannot be one.
    #[error("the reading of `{0}` is no text of 1 to {READING_MAX} characters on one line")]
    Reading(String),
}

impl Readings {
    /// A dictionary of these entries; the first that is wrong is complained about.
    pub fn new<'a>(entries: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Readings, ReadingFault> {
        let fits = |text: &str, most| {
            !text.trim().is_empty() && text.chars().count() <= most && !text.chars().any(char::is_control)
        };
        let mut readings = Readings::default();
        for (word, reading) in entries {
            if !fits(word, WORD_MAX) {
                return Err(ReadingFault::Word(word.chars().take(WORD_MAX).collect()));
            }
            if !fits(reading, READING_MAX) {
                return Err(ReadingFault::Reading(word.to_owned()));
            }
            readings.add(word.trim(), reading.trim());
        }
        if readings.entries.len() > ENTRIES_MAX {
            return Err(ReadingFault::TooMany);
        }
        Ok(readings)
    }

    fn add(&mut self, word: &str, reading: &str) {
        let word: String = word.chars().map(lower).collect();
        if let Some(first) = word.chars().next() {
            self.lengths.entry(first).or_default().insert(word.chars().count());
            self.entries.insert(word, reading.to_owned());
        }
    }

    /// The reading of exactly this word.
    pub(super) fn of(&self, word: &str) -> Option<&str> {
        if self.entries.is_empty() {
            return None;
        }
        self.entries.get(&word.chars().map(lower).collect::<String>()).map(String::as_str)
    }

    /// The longest entry at the beginning of `text`, and its length in bytes; `before` stands in front of it.
    pub(super) fn at(&self, text: &str, before: Option<char>) -> Option<(&str, usize)> {
        let first = text.chars().next()?;
        let lengths = self.lengths.get(&lower(first))?;
        if in_word(first) && before.is_some_and(in_word) {
            return None;
        }
        lengths.iter().rev().find_map(|length| {
            let mut rest = text.char_indices();
            let (_, last) = rest.nth(length - 1)?;
            let end = rest.next().map_or(text.len(), |(end, _)| end);
            let behind = text[end..].chars().next();
            if in_word(last) && behind.is_some_and(in_word) {
                return None;
            }
            Some((self.of(&text[..end])?, end))
        })
    }
}

/// Of Latin words, part of one.
fn in_word(c: char) -> bool {
    c.is_ascii_alphanumeric()
}

/// In lower case, a character for a character.
fn lower(c: char) -> char {
    c.to_lowercase().next().unwrap_or(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_whole_word_wins_in_any_case() {
        let readings = Readings::new([("db", "ディービー"), ("db main", "本番"), ("東京", "とうきょう")]).unwrap();
        assert_eq!(readings.at("DB Main is down", None), Some(("本番", 7)));
        assert_eq!(readings.at("db is down", None), Some(("ディービー", 2)));
        assert_eq!(readings.at("dbs", None), None);
        assert_eq!(readings.at("db", Some('a')), None);
        assert_eq!(readings.at("東京都", Some('新')), Some(("とうきょう", 6)));
    }

    #[test]
    fn an_entry_has_a_word_and_a_reading() {
        assert!(matches!(Readings::new([("", "x")]), Err(ReadingFault::Word(_))));
        assert!(matches!(Readings::new([("x", "a\nb")]), Err(ReadingFault::Reading(_))));
        assert_eq!(Readings::new([]).unwrap(), Readings::default());
    }
}
