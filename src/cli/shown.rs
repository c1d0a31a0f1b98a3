//! Texts on a terminal: what may be shown of them, and how wide they are.
//!
//! Easy to get wrong: names and reasons come from the network, so control characters never get through; and a Japanese
//! letter is two columns wide.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

/// What may be shown of a text from outside: no control characters, nothing that turns the line around.
pub fn shown(words: &str) -> String {
    words.chars().map(|c| if is_harmful(c) { '?' } else { c }).collect()
}

/// A text in JSON that may go to a terminal: what JSON itself leaves alone of such characters is escaped, so that it
/// still means the same.
pub fn json_shown(json: &str) -> String {
    let mut shown = String::with_capacity(json.len());
    for c in json.chars() {
        if is_harmful(c) && c > ' ' {
            shown.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            shown.push(c);
        }
    }
    shown
}

/// What may be shown of a field of an answer; nothing where it is no text.
pub fn text(value: &Value) -> String {
    shown(value.as_str().unwrap_or_default())
}

/// The members of a list in an answer; none where it is no list.
pub fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// A moment in an answer (RFC 3339) on the clocks of `zone`, written as `format` says; nothing where it is none.
pub fn moment(value: &Value, zone: &TimeZone, format: &str) -> String {
    let at: Option<Timestamp> = value.as_str().and_then(|at| at.parse().ok());
    at.map(|at| at.to_zoned(zone.clone()).strftime(format).to_string()).unwrap_or_default()
}

/// `words` followed by blanks up to `width` columns. Never cut.
pub fn padded(words: &str, width: usize) -> String {
    format!("{words}{}", " ".repeat(width.saturating_sub(self::width(words))))
}

/// How many columns a terminal gives a text.
pub fn width(words: &str) -> usize {
    words.chars().map(columns).sum()
}

fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// How many columns a terminal gives a character: two for East Asian wide ones.
const fn columns(c: char) -> usize {
    match c as u32 {
        0x1100..=0x115f | 0x2e80..=0xa4cf | 0xac00..=0xd7a3 | 0xf900..=0xfaff => 2,
        0xfe30..=0xfe6f | 0xff01..=0xff60 | 0xffe0..=0xffe6 | 0x1f300..=0x1faff | 0x20000..=0x3fffd => 2,
        0x300..=0x36f | 0x200b..=0x200d | 0xfe00..=0xfe0f => 0,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn json_for_a_terminal_means_the_same_and_moves_no_cursor() {
        let told = json!({ "reason": "\u{1b}[2J \u{9b}31m \u{7f} \u{202e} \u{61c} 山田" });
        let text = json_shown(&format!("{told:#}"));
        assert!(text.chars().all(|c| c == '\n' || !is_harmful(c)), "{text:?}");
        assert!(text.contains("山田"));
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), told);
    }

    #[test]
    fn japanese_names_are_aligned_by_columns() {
        assert_eq!(padded("山田", 6), "山田  ");
        assert_eq!(padded("Yamada-Taro", 6), "Yamada-Taro");
    }
}
