//! How much of what comes from outside is kept, and how it is cut.
//!
//! A text that is spoken is cut, because a shorter alarm is better than none. A key is never cut: two keys that begin
//! alike would become one, so a long one ends in its digest instead.

use super::{Draft, Read, Signal};
use crate::base::hex;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// How many incidents one request may raise.
pub const RAISES_MAX: usize = 1_000;
/// How many incidents one request may resolve or acknowledge.
pub const SETTLES_MAX: usize = 1_000;

/// The longest spoken text and the longest parameter, in characters.
pub(super) const TEXT_MAX: usize = 2_000;
/// The longest key, name, host and service, in characters.
pub(super) const KEY_MAX: usize = 200;
/// The most parameters of one trigger.
pub(super) const PARAMETERS_MAX: usize = 100;
/// How much of a long key stays readable before its digest.
const KEY_HEAD: usize = 150;

/// Names whose values open doors: never parameters, wherever they stand in a body.
const SECRETS: &[&str] = &[
    "token",
    "accesstoken",
    "apitoken",
    "routingkey",
    "servicekey",
    "integrationkey",
    "apikey",
    "geniekey",
    "key",
    "password",
    "secret",
    "authorization",
    "xauthorization",
    "signature",
];

/// Is this the name of something that opens a door?
pub(super) fn is_secret(name: &str) -> bool {
    let bare: String = name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    SECRETS.contains(&bare.as_str())
}

/// A text to be spoken or shown: no control characters but the end of a line, not longer than we speak. Nothing when
/// it is blank.
pub(super) fn spoken(text: &str) -> Option<String> {
    cut(text, TEXT_MAX)
}

/// A name of something: one line.
pub(super) fn name(text: &str) -> Option<String> {
    cut(&text.replace(['\n', '\r'], " "), KEY_MAX)
}

/// A deduplication key of at most 200 characters; the same text always gives the same key. Nothing when it is blank.
pub(super) fn dedup(text: &str) -> Option<String> {
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    if text.chars().nth(KEY_MAX).is_none() {
        return Some(text.to_owned());
    }
    let head: String = text.chars().take(KEY_HEAD).collect();
    Some(format!("{head}#{}", digest(text)))
}

/// 32 hexadecimal digits that stand for a text.
pub(super) fn digest(text: &str) -> String {
    hex(&Sha256::digest(text)[..16])
}

/// Parameters as they are gathered: the first value of a name stays.
#[derive(Default)]
pub(super) struct Parameters(BTreeMap<String, String>);

impl Parameters {
    /// Keeps a value, unless it is blank, the name is taken, or there are enough.
    pub(super) fn put(&mut self, key: &str, text: &str) {
        let (Some(key), Some(text)) = (name(key), spoken(text)) else { return };
        if !is_secret(&key) && self.0.len() < PARAMETERS_MAX {
            self.0.entry(key).or_insert(text);
        }
    }

    /// The same, where there may be no value.
    pub(super) fn put_some(&mut self, key: &str, text: Option<&str>) {
        if let Some(text) = text {
            self.put(key, text);
        }
    }

    /// The value of a name.
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    /// All of them.
    pub(super) fn done(self) -> BTreeMap<String, String> {
        self.0
    }
}

/// Leaves out what is more than one request may ask for, and says so in the last raise that stays.
pub(super) fn within(mut read: Read) -> Read {
    let (mut raises, mut settles) = (0usize, 0usize);
    let all = read.signals.len();
    read.signals.retain(|signal| {
        let (count, most) = match signal {
            Signal::Raise(_) => (&mut raises, RAISES_MAX),
            Signal::Resolve { .. } | Signal::Acknowledge { .. } => (&mut settles, SETTLES_MAX),
        };
        *count += 1;
        *count <= most
    });
    read.left_out += all - read.signals.len();
    let more = raises.saturating_sub(RAISES_MAX);
    if more > 0 {
        let last = read.signals.iter_mut().rev().find_map(|signal| match signal {
            Signal::Raise(draft) => Some(draft),
            _ => None,
        });
        if let Some(Draft { parameters, .. }) = last {
            if parameters.len() >= PARAMETERS_MAX {
                parameters.pop_last();
            }
            parameters.insert("more".to_owned(), more.to_string());
        }
    }
    read
}

fn cut(text: &str, most: usize) -> Option<String> {
    let plain: String = text.chars().map(|c| if c.is_control() && c != '\n' { ' ' } else { c }).collect();
    let plain = plain.trim();
    if plain.is_empty() {
        return None;
    }
    if plain.chars().nth(most).is_none() {
        return Some(plain.to_owned());
    }
    let head: String = plain.chars().take(most - 1).collect();
    Some(format!("{}…", head.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_key_keeps_its_head_and_stays_apart_from_its_like() {
        let (one, two) = (format!("{}1", "k".repeat(300)), format!("{}2", "k".repeat(300)));
        let (one, two) = (dedup(&one).unwrap(), dedup(&two).unwrap());
        assert_ne!(one, two);
        assert_eq!(one.chars().count(), KEY_HEAD + 33);
        assert_eq!(dedup(&one).unwrap(), one, "a key that was shortened is its own key");
    }

    #[test]
    fn a_long_text_is_cut_and_shows_it() {
        let text = spoken(&"あ".repeat(3_000)).unwrap();
        assert_eq!(text.chars().count(), TEXT_MAX);
        assert!(text.ends_with('…'));
        assert_eq!(spoken(" \u{7} \t"), None);
    }

    #[test]
    fn a_secret_is_no_parameter_whatever_its_spelling() {
        let mut parameters = Parameters::default();
        for name in ["token", "Routing_Key", "api-key", "X-Authorization", "PASSWORD"] {
            parameters.put(name, "s3cret");
        }
        parameters.put("tokens_left", "3");
        assert_eq!(parameters.done().into_keys().collect::<Vec<_>>(), ["tokens_left"]);
    }

    #[test]
    fn of_a_storm_a_thousand_are_raised_and_the_last_one_says_how_many_more() {
        let mut signals = vec![Signal::Raise(Draft::default()); RAISES_MAX + 30];
        signals.extend(vec![Signal::Resolve { dedup: "a".to_owned() }; 5]);
        let read = within(signals.into());
        assert_eq!((read.signals.len(), read.left_out), (RAISES_MAX + 5, 30));
        let Signal::Raise(last) = &read.signals[RAISES_MAX - 1] else { panic!("a raise") };
        assert_eq!(last.parameters["more"], "30");
    }
}
