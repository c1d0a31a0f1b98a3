//! Latin words in katakana: letters of an abbreviation, Japanese names in Latin letters, and English words by rule.
//!
//! The rules are a guess, and a word that people say otherwise belongs into the dictionary of the configuration. A
//! guess is still better than eleven letters one by one.

use super::lexicon::known;

const LETTERS: [&str; 26] = [
    "エー",
    "ビー",
    "シー",
    "ディー",
    "イー",
    "エフ",
    "ジー",
    "エイチ",
    "アイ",
    "ジェー",
    "ケー",
    "エル",
    "エム",
    "エヌ",
    "オー",
    "ピー",
    "キュー",
    "アール",
    "エス",
    "ティー",
    "ユー",
    "ブイ",
    "ダブリュー",
    "エックス",
    "ワイ",
    "ゼット",
];
const VOWELS: &[u8] = b"aiueo";
/// Beginnings of syllables and their five kana.
const ROWS: &[(&str, [&str; 5])] = &[
    ("", ["ア", "イ", "ウ", "エ", "オ"]),
    ("b", ["バ", "ビ", "ブ", "ベ", "ボ"]),
    ("c", ["カ", "シ", "ク", "セ", "コ"]),
    ("ch", ["チャ", "チ", "チュ", "チェ", "チョ"]),
    ("ck", ["カ", "キ", "ク", "ケ", "コ"]),
    ("d", ["ダ", "ディ", "ドゥ", "デ", "ド"]),
    ("f", ["ファ", "フィ", "フ", "フェ", "フォ"]),
    ("g", ["ガ", "ギ", "グ", "ゲ", "ゴ"]),
    ("gh", ["ガ", "ギ", "グ", "ゲ", "ゴ"]),
    ("h", ["ハ", "ヒ", "フ", "ヘ", "ホ"]),
    ("j", ["ジャ", "ジ", "ジュ", "ジェ", "ジョ"]),
    ("k", ["カ", "キ", "ク", "ケ", "コ"]),
    ("kn", ["ナ", "ニ", "ヌ", "ネ", "ノ"]),
    ("l", ["ラ", "リ", "ル", "レ", "ロ"]),
    ("m", ["マ", "ミ", "ム", "メ", "モ"]),
    ("n", ["ナ", "ニ", "ヌ", "ネ", "ノ"]),
    ("p", ["パ", "ピ", "プ", "ペ", "ポ"]),
    ("ph", ["ファ", "フィ", "フ", "フェ", "フォ"]),
    ("qu", ["クア", "クイ", "ク", "クエ", "クオ"]),
    ("r", ["ラ", "リ", "ル", "レ", "ロ"]),
    ("s", ["サ", "シ", "ス", "セ", "ソ"]),
    ("sc", ["スカ", "シ", "スク", "セ", "スコ"]),
    ("sch", ["スカ", "スキ", "スク", "スケ", "スコ"]),
    ("sh", ["シャ", "シ", "シュ", "シェ", "ショ"]),
    ("t", ["タ", "ティ", "トゥ", "テ", "ト"]),
    ("tch", ["ッチャ", "ッチ", "ッチュ", "ッチェ", "ッチョ"]),
    ("th", ["サ", "シ", "ス", "セ", "ソ"]),
    ("v", ["バ", "ビ", "ブ", "ベ", "ボ"]),
    ("w", ["ワ", "ウィ", "ウ", "ウェ", "ウォ"]),
    ("wh", ["ワ", "ウィ", "フ", "ウェ", "ホ"]),
    ("wr", ["ラ", "リ", "ル", "レ", "ロ"]),
    ("x", ["クサ", "クシ", "クス", "クセ", "クソ"]),
    ("y", ["ヤ", "イ", "ユ", "イエ", "ヨ"]),
    ("z", ["ザ", "ジ", "ズ", "ゼ", "ゾ"]),
];
/// Consonants with no vowel behind them.
const CODAS: &[(&str, &str)] = &[
    ("b", "ブ"),
    ("c", "ク"),
    ("ch", "チ"),
    ("ck", "ック"),
    ("d", "ド"),
    ("dge", "ッジ"),
    ("f", "フ"),
    ("g", "グ"),
    ("gh", ""),
    ("h", ""),
    ("j", "ジ"),
    ("k", "ク"),
    ("l", "ル"),
    ("m", "ム"),
    ("n", "ン"),
    ("ng", "ング"),
    ("p", "プ"),
    ("ph", "フ"),
    ("q", "ク"),
    ("r", "ー"),
    ("s", "ス"),
    ("sh", "シュ"),
    ("t", "ト"),
    ("tch", "ッチ"),
    ("th", "ス"),
    ("v", "ブ"),
    ("w", "ウ"),
    ("x", "クス"),
    ("y", "イ"),
    ("z", "ズ"),
];
/// Vowels of several letters: which of the five, and what is added.
const TEAMS: &[(&str, usize, &str)] = &[
    ("ai", 3, "イ"),
    ("ar", 0, "ー"),
    ("au", 4, "ー"),
    ("aw", 4, "ー"),
    ("ay", 3, "イ"),
    ("ea", 1, "ー"),
    ("ee", 1, "ー"),
    ("er", 0, "ー"),
    ("ew", 2, "ー"),
    ("ey", 1, "ー"),
    ("ie", 1, "ー"),
    ("ir", 0, "ー"),
    ("oa", 4, "ー"),
    ("oi", 4, "イ"),
    ("oo", 2, "ー"),
    ("or", 4, "ー"),
    ("ou", 0, "ウ"),
    ("ow", 0, "ウ"),
    ("oy", 4, "イ"),
    ("ur", 0, "ー"),
];
/// Endings that are said as one.
const ENDINGS: &[(&str, &str)] = &[
    ("tion", "ション"),
    ("tions", "ションズ"),
    ("sion", "ジョン"),
    ("ssion", "ッション"),
    ("ture", "チャー"),
    ("ment", "メント"),
    ("ble", "ブル"),
    ("tle", "トル"),
    ("ple", "プル"),
    ("ous", "アス"),
    ("gue", "グ"),
    ("que", "ク"),
];

/// A letter's own name.
pub(in crate::phrase) fn letter(c: char) -> &'static str {
    let place = u32::from(c.to_ascii_lowercase()).saturating_sub(u32::from('a'));
    usize::try_from(place).ok().and_then(|place| LETTERS.get(place)).copied().unwrap_or_default()
}

/// A word of Latin letters as a Japanese person says it.
pub(in crate::phrase) fn word(letters: &str) -> String {
    let lower: String = letters.chars().filter(char::is_ascii_alphabetic).collect::<String>().to_ascii_lowercase();
    let acronym = letters.len() <= 5 && letters.bytes().all(|b| b.is_ascii_uppercase());
    if acronym || lower.len() < 2 || !lower.bytes().any(|b| b"aeiouy".contains(&b)) {
        return lower.chars().map(letter).collect();
    }
    if let Some(base) = lower.strip_suffix('s').and_then(known) {
        return base.to_owned();
    }
    romaji(&lower).unwrap_or_else(|| english(&lower))
}

/// Japanese in Latin letters; `None` where a syllable is none.
fn romaji(word: &str) -> Option<String> {
    const SYLLABLES: &[(&str, [&str; 5])] = &[
        ("ky", ["キャ", "", "キュ", "", "キョ"]),
        ("gy", ["ギャ", "", "ギュ", "", "ギョ"]),
        ("ny", ["ニャ", "", "ニュ", "", "ニョ"]),
        ("hy", ["ヒャ", "", "ヒュ", "", "ヒョ"]),
        ("my", ["ミャ", "", "ミュ", "", "ミョ"]),
        ("ry", ["リャ", "", "リュ", "", "リョ"]),
        ("by", ["ビャ", "", "ビュ", "", "ビョ"]),
        ("py", ["ピャ", "", "ピュ", "", "ピョ"]),
        ("sh", ["シャ", "シ", "シュ", "", "ショ"]),
        ("ch", ["チャ", "チ", "チュ", "", "チョ"]),
        ("ts", ["", "", "ツ", "", ""]),
        ("j", ["ジャ", "ジ", "ジュ", "", "ジョ"]),
        ("k", ["カ", "キ", "ク", "ケ", "コ"]),
        ("s", ["サ", "", "ス", "セ", "ソ"]),
        ("t", ["タ", "", "", "テ", "ト"]),
        ("n", ["ナ", "ニ", "ヌ", "ネ", "ノ"]),
        ("h", ["ハ", "ヒ", "", "ヘ", "ホ"]),
        ("f", ["", "", "フ", "", ""]),
        ("m", ["マ", "ミ", "ム", "メ", "モ"]),
        ("y", ["ヤ", "", "ユ", "", "ヨ"]),
        ("r", ["ラ", "リ", "ル", "レ", "ロ"]),
        ("w", ["ワ", "", "", "", ""]),
        ("g", ["ガ", "ギ", "グ", "ゲ", "ゴ"]),
        ("z", ["ザ", "", "ズ", "ゼ", "ゾ"]),
        ("d", ["ダ", "", "", "デ", "ド"]),
        ("b", ["バ", "ビ", "ブ", "ベ", "ボ"]),
        ("p", ["パ", "ピ", "プ", "ペ", "ポ"]),
        ("", ["ア", "イ", "ウ", "エ", "オ"]),
    ];
    let mut kana = String::new();
    let mut rest = word;
    while !rest.is_empty() {
        let bytes = rest.as_bytes();
        let next = bytes.get(1).copied();
        if bytes[0] == b'n' && next.is_none_or(|next| !VOWELS.contains(&next) && next != b'y') {
            kana.push('ン');
            rest = &rest[1..];
            continue;
        }
        if next == Some(bytes[0]) && b"kstpcg".contains(&bytes[0]) {
            kana.push('ッ');
            rest = &rest[1..];
            continue;
        }
        let syllable = |(onset, row): &(&str, [&'static str; 5])| {
            let vowel = rest.strip_prefix(onset)?.bytes().next()?;
            let place = VOWELS.iter().position(|known| *known == vowel)?;
            Some((row[place], onset.len() + 1)).filter(|(kana, _)| !kana.is_empty())
        };
        let (said, length) = SYLLABLES.iter().find_map(syllable)?;
        // トウキョウ and オオサカ are said with long vowels.
        let long = matches!((said.chars().next_back()?, kana.chars().next_back()), ('ウ', Some(last)) if "コソトノホモヨロゴゾドボポョオ".contains(last));
        kana.push_str(if long { "ー" } else { said });
        rest = &rest[length..];
    }
    Some(kana)
}

/// An English word by rule.
fn english(word: &str) -> String {
    let mut kana = String::new();
    let mut rest = word;
    while !rest.is_empty() {
        if let Some((_, said)) = ENDINGS.iter().find(|(ending, _)| *ending == rest).filter(|_| !kana.is_empty()) {
            kana.push_str(said);
            break;
        }
        rest = &rest[syllable(rest, &mut kana)..];
    }
    kana
}

/// One syllable, or a consonant without a vowel; its length, at least 1.
fn syllable(rest: &str, kana: &mut String) -> usize {
    let bytes = rest.as_bytes();
    let onset = ROWS.iter().filter(|(onset, _)| rest.starts_with(onset)).max_by_key(|(onset, _)| onset.len());
    let (onset, row) = onset.map_or(("", ROWS[0].1), |(onset, row)| (*onset, *row));
    let behind = &rest[onset.len()..];
    if let Some((place, more, length)) = vowel(behind) {
        let soft = behind.starts_with(['e', 'i', 'y']);
        let row = match onset {
            "g" if soft && !kana.is_empty() => ["ジャ", "ジ", "ジュ", "ジェ", "ジョ"],
            _ => row,
        };
        kana.push_str(row[place]);
        // アー and エイ begin with the vowel, and オー of `or` too.
        kana.push_str(more);
        return onset.len() + length;
    }
    // An `e` at the end is not said.
    if rest == "e" {
        return 1;
    }
    let doubled = bytes.len() > 1 && bytes[0] == bytes[1];
    if doubled && b"kptdgb".contains(&bytes[0]) && bytes.len() > 2 {
        kana.push('ッ');
        return 1;
    }
    if doubled && bytes.len() > 1 {
        return 1;
    }
    let coda = CODAS.iter().filter(|(coda, _)| rest.starts_with(coda)).max_by_key(|(coda, _)| coda.len());
    let Some((coda, said)) = coda else { return rest.chars().next().map_or(1, char::len_utf8) };
    let said = match *coda {
        "m" if matches!(bytes.get(1), Some(b'b' | b'p')) => "ン",
        "c" if matches!(bytes.get(1..), Some(b"e")) => "ス",
        "g" if matches!(bytes.get(1..), Some(b"e")) => "ジ",
        "r" if kana.ends_with('ー') => "ル",
        _ => said,
    };
    kana.push_str(said);
    coda.len()
}

/// The vowel at the beginning: which of the five, what is added, and its length.
fn vowel(rest: &str) -> Option<(usize, &'static str, usize)> {
    let bytes = rest.as_bytes();
    let is_vowel = |byte: &u8| b"aeiouy".contains(byte);
    if let Some((team, place, more)) = TEAMS.iter().find(|(team, _, _)| rest.starts_with(team)) {
        // `er` in front of a vowel is `e` and `r`.
        let splits = team.ends_with('r') && bytes.get(2).is_some_and(is_vowel);
        if !splits {
            return Some((*place, more, 2));
        }
    }
    // A vowel, a consonant and an `e` at the end: the vowel has its name.
    let magic = bytes.len() == 3 && bytes[2] == b'e' && !is_vowel(&bytes[1]) && bytes[1] != b'r';
    match bytes.first()? {
        b'a' if magic => Some((3, "ー", 1)),
        b'i' if magic => Some((0, "イ", 1)),
        b'o' if magic => Some((4, "ー", 1)),
        b'u' if magic => Some((2, "ー", 1)),
        b'y' if bytes.len() == 1 => Some((1, "ー", 1)),
        b'e' if bytes.len() == 1 => None,
        b'a' => Some((0, "", 1)),
        b'i' | b'y' => Some((1, "", 1)),
        b'u' if bytes.get(1).is_none_or(|next| !is_vowel(next)) && bytes.len() > 1 => Some((0, "", 1)),
        b'u' => Some((2, "", 1)),
        b'e' => Some((3, "", 1)),
        b'o' => Some((4, "", 1)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_latin_letters_are_said_as_the_names() {
        assert_eq!(romaji("yamada").as_deref(), Some("ヤマダ"));
        assert_eq!(romaji("shinjuku").as_deref(), Some("シンジュク"));
        assert_eq!(romaji("sapporo").as_deref(), Some("サッポロ"));
        assert_eq!(romaji("kyoto").as_deref(), Some("キョト"));
        assert_eq!(romaji("disk"), None);
    }

    #[test]
    fn a_word_that_nobody_wrote_down_is_guessed() {
        for (word, said) in
            [("printer", "プリンター"), ("button", "バットン"), ("spoon", "スプーン"), ("garden", "ガーデン")]
        {
            assert_eq!(english(word), said, "{word}");
        }
    }

    #[test]
    fn abbreviations_are_spelled() {
        assert_eq!(word("CPU"), "シーピーユー");
        assert_eq!(word("db"), "ディービー");
        assert_eq!(word("x"), "エックス");
    }
}
