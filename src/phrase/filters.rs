//! The filters of templates: what stands behind `|`.
//!
//! | filter | what becomes of the value |
//! | --- | --- |
//! | `date`, `time`, `datetime` | that part of a date, however it was written; a value that is none stays as it is |
//! | `digits` | for the voice: its digits one by one; what is no digit stays |
//! | `spell` | for the voice: letters and digits one by one |
//! | `count` | for the voice: one number, whatever it looks like: `080` is eighty |
//! | `upper`, `lower` | letters of that case |
//! | `default("…")` | this instead of a parameter that is missing or empty |
//!
//! The filters for the voice change nothing in the written form.

use minijinja::value::Value;
use minijinja::{Environment, State};

use super::calendar::{self, Moment};
use super::template::Form;
use super::{en, ja, names, numbers};
use crate::base::Language;

/// Every filter.
pub(super) const NAMES: [&str; 9] =
    ["date", "time", "datetime", "digits", "spell", "count", "upper", "lower", "default"];

pub(super) fn add(environment: &mut Environment<'_>, form: Form, language: Language) {
    let moment = move |part: fn(Moment) -> Option<Moment>| {
        move |value: &Value| with_text(value, |text| written(text, language, part))
    };
    environment.add_filter("date", moment(Moment::date_alone));
    environment.add_filter("time", moment(Moment::time_alone));
    environment.add_filter("datetime", moment(Some));
    let voice = move |read: fn(&str, Language) -> String| {
        move |value: &Value| {
            with_text(value, |text| if form == Form::Spoken { read(text, language) } else { text.to_owned() })
        }
    };
    environment.add_filter("digits", voice(digits));
    environment.add_filter("spell", voice(names::spelled));
    environment.add_filter("count", voice(count));
    environment.add_filter("upper", |value: &Value| with_text(value, str::to_uppercase));
    environment.add_filter("lower", |value: &Value| with_text(value, str::to_lowercase));
    environment.add_test("defined", |value: &Value| !value.is_undefined());
    environment.add_filter("default", |_: &State<'_, '_>, value: Value, instead: Value| {
        let is_empty = value.is_undefined() || value.as_str().is_some_and(|text| text.trim().is_empty());
        if is_empty { instead } else { value }
    });
}

/// A hole stays a hole, so that it is seen.
fn with_text(value: &Value, change: impl Fn(&str) -> String) -> Value {
    if value.is_undefined() {
        return Value::UNDEFINED;
    }
    Value::from(change(&value.to_string()))
}

fn written(text: &str, language: Language, part: fn(Moment) -> Option<Moment>) -> String {
    let text = text.trim();
    match calendar::read(text).and_then(|(moment, _)| part(moment)) {
        Some(moment) => match language {
            Language::Ja => ja::written(&moment),
            Language::En => en::written(&moment),
        },
        None => text.to_owned(),
    }
}

fn digits(text: &str, language: Language) -> String {
    let mut said = String::new();
    for c in text.chars() {
        match c.to_digit(10).and_then(|digit| u8::try_from(digit).ok()) {
            Some(digit) => numbers::push_digit(&mut said, digit, language),
            None => said.push(c),
        }
    }
    said
}

fn count(text: &str, language: Language) -> String {
    let kept: String = text.trim().chars().filter(|c| *c != ',').collect();
    let whole = kept.bytes().all(|b| b.is_ascii_digit()).then(|| kept.parse::<u64>().ok()).flatten();
    match (whole, language) {
        (None, _) => text.to_owned(),
        (Some(number), Language::Ja) => number.to_string(),
        (Some(number), Language::En) => numbers::in_english(number),
    }
}
