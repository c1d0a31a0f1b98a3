use proptest::prelude::*;

use crate::base::Language;
use crate::phrase::{LONGEST, Readings, spoken};

fn said(text: &str, language: Language) -> String {
    spoken(text, language, &Readings::default())
}

fn language() -> impl Strategy<Value = Language> {
    prop_oneof![Just(Language::En), Just(Language::Ja)]
}

/// Pieces that tools write, in any order.
fn pieces() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "2023-10-03",
        "13:20",
        "192.168.0.1",
        "fe80::1",
        "v1.2.3",
        "0.5",
        "%",
        " ",
        "-",
        ".",
        ":",
        "/",
        "db-01",
        "<b>",
        "&amp;",
        "[a](b)",
        "https://x.example",
        "10 Gbps",
        "°C",
        "日",
        "月",
        "年",
        "障害",
        "ｶﾞ",
        "🚨",
        "+81",
        "090-1234-5678",
        "{{x}}",
        "\n",
        "\u{1b}[3",
        "'",
        "_",
        "(",
        "#",
        "1,000",
        "Oct",
        "e",
        "::",
        "[",
        "]",
        "１",
        "¥",
        "$",
        "@",
        "~",
    ]);
    prop::collection::vec(known, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn whatever_the_text_it_is_said_within_the_limit(text in any::<String>(), language in language()) {
        let words = said(&text, language);
        prop_assert!(words.chars().count() <= LONGEST);
        prop_assert!(!words.chars().any(char::is_control));
        prop_assert_eq!(said(&text, language), words);
    }

    #[test]
    fn whatever_tools_write_is_said_within_the_limit(text in pieces(), language in language()) {
        let words = said(&text, language);
        prop_assert!(words.chars().count() <= LONGEST);
        let silent = words.contains(['<', '>', '{', '\u{1b}', '🚨']);
        prop_assert!(!silent, "{}", words);
        if language == Language::En {
            prop_assert!(!words.bytes().any(|b| b.is_ascii_digit()), "{words}");
        }
    }

    #[test]
    fn no_address_keeps_its_dots(octets in any::<[u8; 4]>(), language in language()) {
        let [a, b, c, d] = octets;
        let words = said(&format!("{a}.{b}.{c}.{d}"), language);
        prop_assert!(!words.contains('.'), "{words}");
    }

    #[test]
    fn no_decimal_keeps_its_point(whole in 0u32..100_000, part in 0u32..1000, language in language()) {
        let words = said(&format!("{whole}.{part}%"), language);
        prop_assert!(!words.contains('.') && !words.bytes().any(|b| b.is_ascii_digit()), "{words}");
    }
}

#[test]
fn a_long_text_ends_with_the_word_that_there_is_more() {
    let japanese = said(&"ディスクの空きがありません。".repeat(100), Language::Ja);
    assert!(japanese.ends_with("ディスクの空きがありません。続きがあります。"), "{japanese}");
    let english = said(&"The disk is full. ".repeat(100), Language::En);
    assert!(english.ends_with("The disk is full. There is more."), "{english}");
    let unbroken = said(&"あ".repeat(5_000), Language::Ja);
    assert!(unbroken.ends_with("あ。続きがあります。") && unbroken.chars().count() > LONGEST / 2);
    let fits = "あ".repeat(LONGEST);
    assert_eq!(said(&fits, Language::Ja), fits);
}

#[test]
fn a_text_of_any_length_costs_no_more_than_its_beginning() {
    // Quadratic work would take minutes here.
    for piece in ["<a", "[", "&", "1,", "a.", "+1-", "::", "1:", "'", "\u{1b}[", "((", "障", "2023-", "{{"] {
        for language in Language::ALL {
            let words = said(&piece.repeat(100_000 / piece.len()), language);
            assert!(words.chars().count() <= LONGEST, "{piece}");
        }
    }
}

#[test]
fn a_reading_of_the_house_goes_before_ours_and_is_not_read_again() {
    let readings =
        Readings::new([("Kubernetes", "クーベ"), ("クーベ", "違う"), ("db-01", "本番ディービー"), ("tokyo", "東京")])
            .unwrap();
    let said = |text| spoken(text, Language::Ja, &readings);
    assert_eq!(said("KUBERNETESが停止"), "クーベが停止");
    assert_eq!(said("db-01が停止"), "本番ディービーが停止");
    assert_eq!(said("web-2.tokyoが停止"), "ウェブハイフン2ドット東京が停止");
    assert_eq!(said("Kubernetesの"), "クーベの");
}
