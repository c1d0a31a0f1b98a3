//! English: every number in words, so that any voice reads it alike.

use super::calendar::{Clock, Date, Moment, Zone};
use super::names;
use super::numbers::{self, in_english, ordinal};
use super::scan::{Number, Token};
use super::speak::{Place, Speech};
use crate::base::Language;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
/// Names that are not said as they are written.
const KNOWN: [(&str, &str); 24] = [
    ("amd64", "A M D sixty-four"),
    ("apache2", "apache two"),
    ("ec2", "E C two"),
    ("grpc", "G R P C"),
    ("h2", "H two"),
    ("http", "H T T P"),
    ("https", "H T T P S"),
    ("http2", "H T T P two"),
    ("ipv4", "I P version four"),
    ("ipv6", "I P version six"),
    ("k8s", "kubernetes"),
    ("kubectl", "kube control"),
    ("mysql", "my S Q L"),
    ("nginx", "engine X"),
    ("oom", "out of memory"),
    ("p50", "p fifty"),
    ("p95", "p ninety-five"),
    ("p99", "p ninety-nine"),
    ("postgresql", "postgres Q L"),
    ("s3", "S three"),
    ("sha256", "shah two fifty-six"),
    ("sqlite", "S Q light"),
    ("utf-8", "U T F eight"),
    ("x86", "X eighty-six"),
];

/// A token in words.
pub(super) fn say(token: &Token<'_>, place: &Place<'_>, speech: &mut Speech) {
    match token {
        Token::Moment(moment) => speech.words(&spoken(moment)),
        Token::Ipv4 { octets, prefix, port } => {
            let octets: Vec<String> = octets.iter().map(|octet| in_english(u64::from(*octet))).collect();
            speech.words(&octets.join(" dot "));
            for (word, number) in [("slash", prefix.map(u64::from)), ("port", None)] {
                if let Some(number) = number {
                    speech.words(&format!("{word} {}", in_english(number)));
                }
            }
            if let Some(port) = port {
                speech.words(&format!("port {}", numbers::digits(&port.to_string(), Language::En)));
            }
        }
        Token::Spelled(text) => speech.words(&names::spelled(text, Language::En)),
        Token::Ending(text) => {
            let end = text.len().saturating_sub(4);
            speech.words(&format!("an ID ending in {}", names::spelled(text.get(end..).unwrap_or(text), Language::En)));
        }
        Token::Version { text, said } => {
            if *said {
                speech.words("version");
            }
            speech.words(&version(text, place));
        }
        Token::Phone { groups, plus } => {
            if *plus {
                speech.words("plus");
            }
            let groups: Vec<String> = groups.iter().map(|group| numbers::digits(group, Language::En)).collect();
            speech.words(&groups.join(", "));
        }
        Token::Number(number) => speech.words(&in_words(number, place.is_of_a_code())),
        Token::Fraction(left, right) => speech.words(&format!("{} of {}", whole(left), whole(right))),
        Token::Range(left, right) => speech.words(&format!("{} to {}", whole(left), whole(right))),
        Token::Name(name) => speech.words(&names::said(name, Language::En, place.readings)),
        Token::Other(c) => other(*c, place, speech),
    }
}

fn other(c: char, place: &Place<'_>, speech: &mut Speech) {
    let next = place.after.chars().next();
    match c {
        ' ' | '_' | '・' | '\\' | '^' => speech.blank(),
        '-' if next == Some('>') => speech.words("to"),
        '>' if place.before.ends_with('-') => {}
        '<' | '>' if next == Some('=') => speech.words(if c == '<' { "at most" } else { "at least" }),
        '=' if place.before.ends_with(['<', '>', '=', '!']) => {}
        '!' if next == Some('=') => speech.words("not"),
        '<' => speech.words("below"),
        '>' => speech.words("above"),
        '=' => speech.words("equals"),
        '+' => speech.words("plus"),
        '&' => speech.words("and"),
        '@' => speech.words("at"),
        '#' => speech.words("number"),
        '%' => speech.words("percent"),
        '°' => speech.words("degrees"),
        '$' => speech.words("dollar"),
        '¥' => speech.words("yen"),
        '±' => speech.words("plus or minus"),
        '~' if next.is_some_and(|c| c.is_ascii_digit()) => {
            let between = place.before.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '%');
            speech.words(if between { "to" } else { "about" });
        }
        '/' => speech.words("slash"),
        '。' | '！' | '？' => speech.pause("."),
        '.' | '!' | '?' | ':' => speech.pause(c.encode_utf8(&mut [0; 4])),
        ',' | ';' | '、' | '|' | '(' | ')' | '[' | ']' | '{' | '}' | '【' | '】' | '（' | '）' | '-' => {
            speech.pause(",")
        }
        '\'' if place.before.ends_with(char::is_alphabetic) && next.is_some_and(char::is_alphabetic) => {
            speech.push("'")
        }
        'ぁ'..='ヿ' => speech.push(&romaji(c)),
        c if c.is_alphanumeric() && is_latin(c) => speech.push(c.encode_utf8(&mut [0; 4])),
        _ => speech.blank(),
    }
}

/// Letters that an English voice knows what to do with.
fn is_latin(c: char) -> bool {
    u32::from(c) < 0x250
}

/// A kana in Latin letters, roughly: names in kana can be said so.
fn romaji(c: char) -> String {
    const VOWELS: [&str; 5] = ["a", "i", "u", "e", "o"];
    const ROWS: [(&str, &str); 16] = [
        ("アイウエオ", ""),
        ("カキクケコ", "k"),
        ("サシスセソ", "s"),
        ("タチツテト", "t"),
        ("ナニヌネノ", "n"),
        ("ハヒフヘホ", "h"),
        ("マミムメモ", "m"),
        ("ラリルレロ", "r"),
        ("ガギグゲゴ", "g"),
        ("ザジズゼゾ", "z"),
        ("ダヂヅデド", "d"),
        ("バビブベボ", "b"),
        ("パピプペポ", "p"),
        ("ァィゥェォ", ""),
        ("ヤ　ユ　ヨ", "y"),
        ("ワ　　　ヲ", "w"),
    ];
    let kana = match u32::from(c) {
        hiragana @ 0x3041..=0x3096 => char::from_u32(hiragana + 0x60).unwrap_or(c),
        _ => c,
    };
    match kana {
        'シ' => return "shi".into(),
        'チ' => return "chi".into(),
        'ツ' => return "tsu".into(),
        'フ' => return "fu".into(),
        'ジ' | 'ヂ' => return "ji".into(),
        'ャ' => return "ya".into(),
        'ュ' => return "yu".into(),
        'ョ' => return "yo".into(),
        'ン' => return "n".into(),
        'ヴ' => return "v".into(),
        _ => {}
    }
    let found = ROWS.iter().find_map(|(row, onset)| Some((row.chars().position(|known| known == kana)?, onset)));
    found.map(|(place, onset)| format!("{onset}{}", VOWELS[place % 5])).unwrap_or_default()
}

/// A date and time for a screen.
pub(super) fn written(moment: &Moment) -> String {
    let date = moment.date.map(|Date { year, month, day }| match (year, day) {
        (Some(year), Some(day)) => format!("{year:04}-{month:02}-{day:02}"),
        (Some(year), None) => format!("{year:04}-{month:02}"),
        (None, day) => format!("{} {}", MONTHS[usize::from(month.clamp(1, 12) - 1)], day.unwrap_or(1)),
    });
    let time = moment.time.map(|Clock { hour, minute, .. }| format!("{hour:02}:{minute:02}"));
    let zone = moment.zone.filter(|_| time.is_some()).map(|zone| match zone {
        Zone::Utc => "UTC".to_owned(),
        Zone::Japan => "JST".to_owned(),
        Zone::Offset(minutes) => {
            let sign = if minutes < 0 { '-' } else { '+' };
            format!("{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60)
        }
    });
    date.into_iter().chain(time).chain(zone).collect::<Vec<_>>().join(" ")
}

fn spoken(moment: &Moment) -> String {
    let date = moment.date.map(|Date { year, month, day }| {
        let day = day.map(|day| format!(" {}", ordinal(u64::from(day)))).unwrap_or_default();
        let year = year.map(|year| format!(", {}", numbers::year(year))).unwrap_or_default();
        format!("{}{day}{year}", MONTHS[usize::from(month.clamp(1, 12) - 1)])
    });
    // Behind a date nobody wants the seconds.
    let seconds = moment.date.is_none();
    let time = moment.time.map(|clock| time(&clock, seconds));
    let zone = moment.zone.filter(|_| time.is_some()).map(|zone| match zone {
        Zone::Utc => "U T C".to_owned(),
        Zone::Japan => "Japan time".to_owned(),
        Zone::Offset(minutes) => {
            let sign = if minutes < 0 { "minus" } else { "plus" };
            let (hours, rest) = (u64::from(minutes.unsigned_abs() / 60), u64::from(minutes.unsigned_abs() % 60));
            let rest = if rest == 0 { String::new() } else { format!(" {}", in_english(rest)) };
            format!("U T C {sign} {}{rest}", in_english(hours))
        }
    });
    let time = time.map(|time| zone.map_or(time.clone(), |zone| format!("{time} {zone}")));
    date.into_iter().chain(time).collect::<Vec<_>>().join(", ")
}

fn time(clock: &Clock, seconds: bool) -> String {
    let (hour, minute) = (u64::from(clock.hour), u64::from(clock.minute));
    let second = clock.second.filter(|second| seconds && *second > 0).map(u64::from);
    let mut said = match (hour, minute, second) {
        (0, 0, None) => return "midnight".into(),
        (12, 0, None) => return "noon".into(),
        (1..12, 0, None) => return format!("{} o'clock", in_english(hour)),
        (_, 0, _) => format!("{} hundred", in_english(hour)),
        (_, 1..10, _) => format!("{} oh {}", in_english(hour), in_english(minute)),
        _ => format!("{} {}", in_english(hour), in_english(minute)),
    };
    if let Some(second) = second {
        said.push_str(&format!(" and {} seconds", in_english(second)));
    }
    said
}

fn in_words(number: &Number<'_>, of_a_code: bool) -> String {
    let one = number.whole == "1" && number.fraction.is_none();
    let mut said = String::new();
    match number.sign {
        Some('-') => said.push_str("minus "),
        Some(_) => said.push_str("plus "),
        None => {}
    }
    if number.ordinal {
        let digits: String = number.whole.chars().filter(char::is_ascii_digit).collect();
        return said + &digits.parse().map_or_else(|_| digits.clone(), ordinal);
    }
    let code = of_a_code && number.whole.len() >= 3 && number.fraction.is_none() && number.unit.is_none();
    said.push_str(&if code { numbers::digits(number.whole, Language::En) } else { whole(number.whole) });
    if let Some(fraction) = number.fraction {
        said.push_str(" point ");
        said.push_str(&numbers::digits(fraction, Language::En));
    }
    if let Some(unit) = number.unit {
        said.push(' ');
        said.push_str(if one { unit.one } else { unit.many });
    }
    match number.money {
        Some('$') => said.push_str(if one { " dollar" } else { " dollars" }),
        Some(_) => said.push_str(" yen"),
        None => {}
    }
    said
}

/// A whole number; with a zero in front, or too long, its digits.
fn whole(text: &str) -> String {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let row = (digits.len() > 1 && digits.starts_with('0')) || digits.len() > 15;
    if row {
        return numbers::digits(&digits, Language::En);
    }
    digits.parse().map_or_else(|_| numbers::digits(&digits, Language::En), in_english)
}

fn version(text: &str, place: &Place<'_>) -> String {
    let (core, rest) = text.split_at(text.find(['-', '_']).unwrap_or(text.len()));
    let parts: Vec<String> = core.split('.').map(whole).collect();
    let rest = rest.trim_start_matches(['-', '_']);
    let mut said = parts.join(" point ");
    if !rest.is_empty() {
        said.push(' ');
        said.push_str(&names::said(rest, Language::En, place.readings));
    }
    said
}

/// What is not said as it is written.
pub(super) fn known(name: &str) -> Option<&'static str> {
    KNOWN.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, said)| *said)
}

/// A word; what nobody could pronounce is spelled.
pub(super) fn word(letters: &str) -> String {
    let pronounced = letters.bytes().any(|b| b"aeiouyAEIOUY".contains(&b));
    let acronym = letters.len() <= 3
        && letters.bytes().all(|b| b.is_ascii_uppercase())
        && !["OK", "NO", "ON", "OFF", "UP"].contains(&letters);
    let short = letters.len() == 1 && !matches!(letters, "a" | "I" | "A");
    if (pronounced && !acronym && !short) || letters.contains('\'') || letters.len() > 6 {
        return letters.to_owned();
    }
    names::spelled(letters, Language::En)
}
