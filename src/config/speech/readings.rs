//! `[speech.readings.LANGUAGE]` and `[speech.words]`: how words are said.
//!
//! A reading takes a word's place in the text before any voice sees it. A word of `[speech.words]` is one more entry
//! in the dictionary of the embedded voice, with the place where its melody falls.

use std::collections::BTreeMap;

use crate::base::Language;
use crate::config::reader::Section;

/// Entries of one table.
const ENTRIES: usize = 10_000;
/// The longest word and the longest reading, in characters.
const WORD: usize = 100;

/// One more word of the embedded voice.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UserWord {
    /// How it is said, in katakana.
    pub reading: String,
    /// Where its melody falls.
    pub accent: Accent,
}

/// The mora after which the melody of a Japanese word falls, from 1; 0: it does not fall.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Accent(pub u8);

impl UserWord {
    /// How many morae it has: small letters belong to the one before them.
    pub fn morae(&self) -> usize {
        self.reading.chars().filter(|letter| !"ァィゥェォャュョヮ".contains(*letter)).count()
    }
}

/// `[speech.readings]`.
pub(super) fn readings(speech: &mut Section<'_>) -> BTreeMap<Language, BTreeMap<String, String>> {
    let accepted = "a word and how it is said: \"Kubernetes\" = \"クバネティス\", each 1 to 100 characters on one line";
    let mut readings = speech.table("readings");
    let read = |language: Language| {
        let entries = entries(readings.table(language.tag()), accepted, |reading| line(reading).map(str::to_owned));
        (language, entries)
    };
    let found = Language::ALL.into_iter().map(read).collect();
    readings.finish();
    found
}

/// `[speech.words]`.
pub(super) fn words(speech: &mut Section<'_>) -> BTreeMap<String, UserWord> {
    let accepted = "a word with its reading in katakana, and behind a slash the mora after which the melody falls (0: \
                    nowhere): \"半鐘\" = \"ハンショウ/0\"";
    entries(speech.table("words"), accepted, word)
}

fn entries<T>(table: Section<'_>, accepted: &'static str, parse: impl Fn(&str) -> Option<T>) -> BTreeMap<String, T> {
    let mut found = BTreeMap::new();
    let (report, path) = (table.report(), table.path(""));
    for (written, line_number, said) in table.texts() {
        let value = said.and_then(&parse).filter(|_| line(written).is_some() && found.len() < ENTRIES);
        match value {
            Some(value) => {
                found.insert(written.to_owned(), value);
            }
            None => {
                let short: String = written.chars().take(60).filter(|letter| !letter.is_control()).collect();
                report.complain(line_number, format!("{path}{short}"), "this is not how a word is said", accepted);
            }
        }
    }
    found
}

fn line(text: &str) -> Option<&str> {
    let fits = !text.trim().is_empty() && text.chars().count() <= WORD && !text.chars().any(char::is_control);
    fits.then_some(text)
}

fn word(text: &str) -> Option<UserWord> {
    let (reading, accent) = text.split_once('/').unwrap_or((text, "0"));
    let katakana = |letter: char| ('ァ'..='ヴ').contains(&letter) || letter == 'ー';
    if line(reading).is_none() || !reading.chars().all(katakana) {
        return None;
    }
    let word = UserWord { reading: reading.to_owned(), accent: Accent(accent.parse().ok()?) };
    (usize::from(word.accent.0) <= word.morae()).then_some(word)
}
