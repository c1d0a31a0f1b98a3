//! Japanese: numbers with their counters stay figures, which every Japanese voice reads well; what such a voice
//! stumbles over is written in katakana.
//!
//! Figures stay in 「2023年10月3日」 and 「512メビバイト」. In katakana are decimals (レーテンゴ), the point of an
//! address or a version (テン), rows of digits (ゼロキューゼロ), Latin words and letters; and 1日 and 20日 of a month,
//! whose readings are their own.

mod latin;
mod lexicon;

use super::calendar::{Clock, Date, Moment, Zone};
use super::names;
use super::numbers::{self, in_katakana};
use super::scan::{Number, Token};
use super::speak::{Place, Speech};
use crate::base::Language;

pub(super) use latin::{letter, word};
pub(super) use lexicon::known;

/// A token in words.
pub(super) fn say(token: &Token<'_>, place: &Place<'_>, speech: &mut Speech) {
    match token {
        Token::Moment(moment) => speech.words(&spoken(moment)),
        Token::Ipv4 { octets, prefix, port } => {
            let octets: Vec<String> = octets.iter().map(|octet| part(&octet.to_string())).collect();
            speech.words(&octets.join("テン"));
            if let Some(prefix) = prefix {
                speech.words(&format!("スラッシュ{prefix}"));
            }
            if let Some(port) = port {
                speech.words(&format!("ポート{port}"));
            }
        }
        Token::Spelled(text) => speech.words(&names::spelled(text, Language::Ja)),
        Token::Ending(text) => {
            let end = text.len().saturating_sub(4);
            let ending = names::spelled(text.get(end..).unwrap_or(text), Language::Ja);
            speech.words(&format!("末尾が{ending}のアイディー"));
        }
        Token::Version { text, said } => {
            if *said {
                speech.words("バージョン");
            }
            speech.words(&version(text, place));
        }
        Token::Phone { groups, plus } => {
            if *plus {
                speech.words("プラス");
            }
            let groups: Vec<String> = groups.iter().map(|group| numbers::digits(group, Language::Ja)).collect();
            speech.words(&groups.join("の、"));
        }
        Token::Number(number) => speech.words(&in_words(number, place)),
        Token::Fraction(left, right) => speech.words(&format!("{left}スラッシュ{right}")),
        Token::Range(left, right) => speech.words(&format!("{left}から{right}")),
        Token::Name(name) => speech.words(&names::said(name, Language::Ja, place.readings)),
        Token::Other(c) => other(*c, place, speech),
    }
}

fn other(c: char, place: &Place<'_>, speech: &mut Speech) {
    let next = place.after.chars().next();
    match c {
        ' ' => {
            // Between Latin words it keeps them apart, between Japanese ones it is a pause; elsewhere it is for eyes.
            let sides = [place.before.chars().next_back(), next];
            if sides.iter().flatten().all(char::is_ascii_alphanumeric) {
                speech.blank();
            } else if !sides.iter().flatten().any(char::is_ascii) {
                speech.pause("、");
            }
        }
        '_' | '\\' | '^' | '"' | '\'' => {}
        '-' if next == Some('>') => speech.words("から"),
        '>' if place.before.ends_with('-') => {}
        '<' if next == Some('=') => speech.words("小なりイコール"),
        '>' if next == Some('=') => speech.words("大なりイコール"),
        '=' if place.before.ends_with(['<', '>', '=', '!']) => {}
        '!' if next == Some('=') => speech.words("ノットイコール"),
        '<' => speech.words("小なり"),
        '>' => speech.words("大なり"),
        '=' => speech.words("イコール"),
        '+' => speech.words("プラス"),
        '&' => speech.words("アンド"),
        '@' => speech.words("アット"),
        '#' => speech.words("ナンバー"),
        '%' => speech.words("パーセント"),
        '℃' | '°' => speech.words("度"),
        '$' => speech.words("ドル"),
        '¥' => speech.words("円"),
        '±' => speech.words("プラスマイナス"),
        '~' if next.is_some() && !place.before.is_empty() => speech.words("から"),
        '/' => speech.words("スラッシュ"),
        '.' | '。' => speech.pause("。"),
        '!' | '?' => speech.pause(if c == '!' { "！" } else { "？" }),
        ',' | ';' | ':' | '、' | '|' | '(' | ')' | '[' | ']' | '{' | '}' | '【' | '】' | '-' | '~' => {
            speech.pause("、")
        }
        '「' | '」' | '『' | '』' | '・' | 'ー' | '々' | '〇' => speech.push(c.encode_utf8(&mut [0; 4])),
        c if c.is_alphanumeric() => speech.push(c.encode_utf8(&mut [0; 4])),
        _ => speech.pause("、"),
    }
}

/// A date and time for a screen.
pub(super) fn written(moment: &Moment) -> String {
    let date = moment.date.map(|date| self::date(&date, |day| format!("{day}日"))).unwrap_or_default();
    let time = moment.time.map(|clock| time(&clock, false)).unwrap_or_default();
    format!("{date}{time}")
}

fn spoken(moment: &Moment) -> String {
    let day = |day: u8| match day {
        1 => "ついたち".to_owned(),
        20 => "はつか".to_owned(),
        day => format!("{day}日"),
    };
    let date = moment.date.map(|date| self::date(&date, day)).unwrap_or_default();
    // Behind a date nobody wants the seconds.
    let time = moment.time.map(|clock| time(&clock, moment.date.is_none())).unwrap_or_default();
    let zone = match moment.zone.filter(|_| !time.is_empty()) {
        None | Some(Zone::Japan) => String::new(),
        Some(Zone::Utc) => "協定世界時".to_owned(),
        Some(Zone::Offset(minutes)) => {
            let sign = if minutes < 0 { "マイナス" } else { "プラス" };
            let (hours, rest) = (minutes.abs() / 60, minutes.abs() % 60);
            let rest = if rest == 0 { String::new() } else { format!("{rest}分") };
            format!("時差{sign}{hours}時間{rest}の")
        }
    };
    format!("{zone}{date}{time}")
}

fn date(date: &Date, say_day: impl Fn(u8) -> String) -> String {
    let year = date.year.map(|year| format!("{year}年")).unwrap_or_default();
    format!("{year}{}月{}", date.month, date.day.map(say_day).unwrap_or_default())
}

fn time(clock: &Clock, seconds: bool) -> String {
    let mut said = format!("{}時", clock.hour);
    let second = clock.second.filter(|second| seconds && *second > 0);
    if clock.minute > 0 || second.is_some() {
        said.push_str(&format!("{}分", clock.minute));
    }
    if let Some(second) = second {
        said.push_str(&format!("{second}秒"));
    }
    said
}

fn in_words(number: &Number<'_>, place: &Place<'_>) -> String {
    let digits: String = number.whole.chars().filter(char::is_ascii_digit).collect();
    let mut said = match number.sign {
        Some('-') => "マイナス".to_owned(),
        Some(_) => "プラス".to_owned(),
        None => String::new(),
    };
    let unit = number.unit;
    if unit.is_some_and(|unit| unit.ja == "華氏度") {
        said.insert_str(0, "華氏");
    }
    let code = place.is_of_a_code() && digits.len() >= 3 && number.fraction.is_none() && unit.is_none();
    said.push_str(&match number.fraction {
        _ if code => numbers::digits(&digits, Language::Ja),
        Some(fraction) => decimal(&digits, fraction),
        None => counted(&digits, unit.is_none(), place),
    });
    if number.ordinal {
        said.push_str("番目");
    }
    if let Some(unit) = unit {
        // 1日間 is イチニチカン, and ついたち is a date.
        said.push_str(if unit.ja == "華氏度" { "度" } else { unit.ja });
    }
    match number.money {
        Some('$') => said.push_str("ドル"),
        Some(_) => said.push('円'),
        None => {}
    }
    said
}

fn decimal(digits: &str, fraction: &str) -> String {
    let whole = match digits.parse::<u64>() {
        Ok(whole) if digits.len() <= 15 => in_katakana(whole, true),
        _ => numbers::digits(digits, Language::Ja),
    };
    let fraction = match fraction {
        // Short where it stands alone, long in a row.
        "2" => "ニ".to_owned(),
        "5" => "ゴ".to_owned(),
        row => numbers::digits(row, Language::Ja),
    };
    format!("{whole}テン{fraction}")
}

/// A whole number with what is counted behind it.
fn counted(digits: &str, bare: bool, place: &Place<'_>) -> String {
    let counter = place.after.chars().next().filter(|_| bare);
    let of_a_clock = counter.is_some_and(|c| "年月日時分秒回件台人個本度".contains(c));
    let kept = if of_a_clock { digits.trim_start_matches('0') } else { digits };
    match kept {
        "" => "0".to_owned(),
        row if row.len() > 15 || (row.len() > 1 && row.starts_with('0')) => numbers::digits(row, Language::Ja),
        kept => kept.to_owned(),
    }
}

/// A part of an address or a version.
fn part(digits: &str) -> String {
    match digits {
        "0" => "ゼロ".to_owned(),
        row if row.len() > 1 && row.starts_with('0') => numbers::digits(row, Language::Ja),
        number => number.to_owned(),
    }
}

fn version(text: &str, place: &Place<'_>) -> String {
    let (core, rest) = text.split_at(text.find(['-', '_']).unwrap_or(text.len()));
    let parts: Vec<String> = core.split('.').map(part).collect();
    let rest = rest.trim_start_matches(['-', '_']);
    format!("{}{}", parts.join("テン"), names::said(rest, Language::Ja, place.readings))
}
