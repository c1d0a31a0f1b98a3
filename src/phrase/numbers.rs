//! Numbers as words: English ones, and Japanese ones in katakana.
//!
//! Japanese voices read a whole number with its counter well (`10分`), so [`in_katakana`] is for places where they do
//! not: in front of a decimal point, where 1, 8 and the tens change their sound (イッテン, ハッテン, ジュッテン).

use crate::base::Language;

const KATAKANA: [&str; 10] = ["ゼロ", "イチ", "ニー", "サン", "ヨン", "ゴー", "ロク", "ナナ", "ハチ", "キュー"];
const ENGLISH: [&str; 20] = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];
const TENS: [&str; 10] = ["", "ten", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
const SCALES: [&str; 7] = ["", "thousand", "million", "billion", "trillion", "quadrillion", "quintillion"];

/// A digit as it is said in a row of digits.
pub(super) fn push_digit(said: &mut String, digit: u8, language: Language) {
    let place = usize::from(digit % 10);
    match language {
        Language::Ja => said.push_str(KATAKANA[place]),
        Language::En => {
            if said.ends_with(|c: char| c.is_alphanumeric()) {
                said.push(' ');
            }
            said.push_str(ENGLISH[place]);
        }
    }
}

/// Digits one by one; what is no digit is left out.
pub(super) fn digits(text: &str, language: Language) -> String {
    let mut said = String::new();
    for digit in text.bytes().filter(u8::is_ascii_digit) {
        push_digit(&mut said, digit - b'0', language);
    }
    said
}

/// `512` as "five hundred twelve".
pub(super) fn in_english(number: u64) -> String {
    if number == 0 {
        return ENGLISH[0].to_owned();
    }
    let mut groups = Vec::new();
    let mut rest = number;
    for scale in SCALES {
        let group = usize::try_from(rest % 1_000).unwrap_or(0);
        if group > 0 {
            let words = below_thousand(group);
            groups.push(if scale.is_empty() { words } else { format!("{words} {scale}") });
        }
        rest /= 1_000;
    }
    groups.reverse();
    groups.join(" ")
}

fn below_thousand(number: usize) -> String {
    let mut words = Vec::new();
    if number >= 100 {
        words.push(format!("{} hundred", ENGLISH[number / 100 % 10]));
    }
    match number % 100 {
        0 => {}
        small @ ..20 => words.push(ENGLISH[small].to_owned()),
        large if large % 10 == 0 => words.push(TENS[large / 10].to_owned()),
        large => words.push(format!("{}-{}", TENS[large / 10], ENGLISH[large % 10])),
    }
    words.join(" ")
}

/// `3` as "third".
pub(super) fn ordinal(number: u64) -> String {
    const ODD: [(&str, &str); 8] = [
        ("one", "first"),
        ("two", "second"),
        ("three", "third"),
        ("five", "fifth"),
        ("eight", "eighth"),
        ("nine", "ninth"),
        ("twelve", "twelfth"),
        ("ty", "tieth"),
    ];
    let words = in_english(number);
    for (ending, instead) in ODD {
        if let Some(before) = words.strip_suffix(ending) {
            return format!("{before}{instead}");
        }
    }
    format!("{words}th")
}

/// A year as two numbers: "twenty twenty-three", "two thousand five", "nineteen oh seven".
pub(super) fn year(year: u16) -> String {
    let (front, back) = (u64::from(year / 100), u64::from(year % 100));
    match (front % 10, back) {
        (0, 0..10) => in_english(u64::from(year)),
        (_, 0) => format!("{} hundred", in_english(front)),
        (_, 1..10) => format!("{} oh {}", in_english(front), in_english(back)),
        _ => format!("{} {}", in_english(front), in_english(back)),
    }
}

/// A number below 10^16 in katakana; `before_point`: with the sound it has in front of テン.
pub(super) fn in_katakana(number: u64, before_point: bool) -> String {
    const UNITS: [&str; 4] = ["", "マン", "オク", "チョー"];
    if number == 0 {
        return if before_point { "レー".to_owned() } else { "ゼロ".to_owned() };
    }
    let mut groups = Vec::new();
    let mut rest = number;
    for unit in UNITS {
        let group = usize::try_from(rest % 10_000).unwrap_or(0);
        if group > 0 {
            let said = below_ten_thousand(group, unit.is_empty());
            let said = if unit == "チョー" { clipped(&said) } else { said };
            groups.push(said + unit);
        }
        rest /= 10_000;
    }
    groups.reverse();
    let said = groups.concat();
    if before_point { clipped(&said) } else { said }
}

fn below_ten_thousand(number: usize, alone: bool) -> String {
    const ONES: [&str; 10] = ["", "イチ", "ニ", "サン", "ヨン", "ゴ", "ロク", "ナナ", "ハチ", "キュー"];
    let (thousands, hundreds, tens, ones) = (number / 1_000, number / 100 % 10, number / 10 % 10, number % 10);
    let mut said = String::new();
    match thousands {
        0 => {}
        1 if alone => said.push_str("セン"),
        1 => said.push_str("イッセン"),
        3 => said.push_str("サンゼン"),
        8 => said.push_str("ハッセン"),
        other => said.extend([ONES[other % 10], "セン"]),
    }
    match hundreds {
        0 => {}
        1 => said.push_str("ヒャク"),
        3 => said.push_str("サンビャク"),
        6 => said.push_str("ロッピャク"),
        8 => said.push_str("ハッピャク"),
        other => said.extend([ONES[other], "ヒャク"]),
    }
    match tens {
        0 => {}
        1 => said.push_str("ジュー"),
        other => said.extend([ONES[other], "ジュー"]),
    }
    said + ONES[ones]
}

/// 1, 8 and the tens as they sound in front of テン and チョー.
fn clipped(said: &str) -> String {
    for (ending, instead) in [("イチ", "イッ"), ("ハチ", "ハッ"), ("ジュー", "ジュッ")] {
        if let Some(before) = said.strip_suffix(ending) {
            return format!("{before}{instead}");
        }
    }
    said.to_owned()
}
