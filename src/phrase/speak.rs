//! A text in words that a voice of its language says right.
//!
//! Goes through the text once: a reading of the dictionary where one fits and is at least as long as the token there,
//! else the token in words. What is longer than a person listens to is cut behind a sentence, and the voice says that
//! there is more.

use super::clean::clean;
use super::readings::Readings;
use super::scan::{self, Token};
use super::{Listener, en, ja};
use crate::base::Language;

/// The longest text that is spoken, in characters: one and a half minutes.
pub const LONGEST: usize = 600;

/// The text as it is to be spoken. The same text gives the same words.
pub fn spoken(text: &str, language: Language, readings: &Readings) -> String {
    spoken_to(text, &Listener::from(language), readings)
}

/// The same for somebody who may have a clock of their own.
pub(super) fn spoken_to(text: &str, listener: &Listener<'_>, readings: &Readings) -> String {
    let language = listener.language;
    let text = clean(text, language);
    let mut speech = Speech::new(language);
    let (mut at, mut before) = (0, None);
    while at < text.len() && !speech.is_full() {
        let rest = &text[at..];
        let (token, mut length) = match scan::token(rest, before) {
            (Token::Moment(moment), length) => (Token::Moment(listener.here(moment)), length),
            other => other,
        };
        match readings.at(rest, before).filter(|(_, reading)| *reading >= length) {
            Some((reading, bytes)) => {
                length = bytes;
                speech.words(reading);
            }
            None => {
                let place = Place { before: &text[..at], after: &rest[length..], readings };
                match language {
                    Language::Ja => ja::say(&token, &place, &mut speech),
                    Language::En => en::say(&token, &place, &mut speech),
                }
            }
        }
        speech.token_ends();
        before = rest[..length].chars().next_back();
        at += length;
    }
    speech.finish()
}

/// Where a token stands.
pub(super) struct Place<'a> {
    /// What was read before it.
    pub(super) before: &'a str,
    /// What follows it.
    pub(super) after: &'a str,
    pub(super) readings: &'a Readings,
}

impl Place<'_> {
    /// True behind a word that tells that a code follows.
    pub(super) fn is_of_a_code(&self) -> bool {
        const WORDS: [&str; 10] =
            ["http", "status", "code", "error", "コード", "エラー", "ステータス", "exit", "errno", "err"];
        let before = self.before.trim_end_matches([' ', ':', '=', '#']);
        let tail = &before[before.ceil_char_boundary(before.len().saturating_sub(24))..];
        let tail = tail.to_lowercase();
        WORDS.iter().any(|word| tail.ends_with(word))
    }
}

/// What is said so far.
pub(super) struct Speech {
    text: String,
    language: Language,
    /// Characters of the text.
    characters: usize,
    /// In bytes: how far it may go where there is more behind.
    fits: usize,
    /// In bytes: behind the last sentence of what fits.
    sentence: usize,
}

impl Speech {
    fn new(language: Language) -> Speech {
        Speech { text: String::new(), language, characters: 0, fits: 0, sentence: 0 }
    }

    fn more(&self) -> &'static str {
        match self.language {
            Language::Ja => "続きがあります。",
            Language::En => " There is more.",
        }
    }

    fn is_full(&self) -> bool {
        self.characters > LONGEST
    }

    /// Words; English ones with a blank before them.
    pub(super) fn words(&mut self, words: &str) {
        let joined = |c: char| c.is_alphanumeric() || ",.!?:".contains(c);
        if self.language == Language::En && self.text.ends_with(joined) && words.starts_with(char::is_alphanumeric) {
            self.push(" ");
        }
        self.push(words);
    }

    /// As it stands.
    pub(super) fn push(&mut self, text: &str) {
        self.characters += text.chars().count();
        self.text.push_str(text);
    }

    /// A blank, where there is none.
    pub(super) fn blank(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with([' ', '、', '。']) {
            self.push(" ");
        }
    }

    /// A short pause or the end of a sentence: of several the first, and none at the beginning.
    pub(super) fn pause(&mut self, sign: &str) {
        if self.text.ends_with(' ') {
            self.text.pop();
            self.characters -= 1;
        }
        let ends = self.text.chars().next_back();
        let stronger = matches!(sign, "。" | ".") && matches!(ends, Some('、' | ','));
        if stronger {
            self.text.pop();
            self.characters -= 1;
        } else if ends.is_none_or(|c| "、。,.!?:;！？".contains(c)) {
            return;
        }
        self.push(sign);
    }

    fn token_ends(&mut self) {
        if self.characters + self.more().chars().count() < LONGEST {
            self.fits = self.text.len();
            if self.text.ends_with(['。', '.', '!', '?', '！', '？', '」']) {
                self.sentence = self.text.len();
            }
        }
    }

    fn finish(mut self) -> String {
        if self.is_full() {
            let end = if self.sentence * 3 > self.fits { self.sentence } else { self.fits };
            self.text.truncate(end);
            let ended = self.text.trim_end().ends_with(['。', '.', '!', '?', '！', '？', '」']);
            let kept = self.text.trim_end().trim_end_matches(['、', ',']).len();
            self.text.truncate(kept);
            if !ended && kept > 0 {
                self.text.push(match self.language {
                    Language::Ja => '。',
                    Language::En => '.',
                });
            }
            self.text.push_str(self.more());
        }
        let text = self.text.trim();
        text.to_owned()
    }
}
