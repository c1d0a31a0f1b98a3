//! A text without what is not for ears: marks of HTML and Markdown, URLs, emoji, controls; in one width.
//!
//! Three passes over the text, each linear: one width and no stray characters; no markup and no URLs; one line. A
//! line's end becomes the end of a sentence, because a list read without pauses is noise.

use crate::base::Language;

/// Of a text, so many bytes are looked at: what comes behind would not be said anyway.
const LOOKED_AT: usize = 20_000;
/// The longest tag, and the longest text and target of a link.
const MARK_MAX: usize = 500;
const WIDE_KANA: &str = "。「」、・ヲァィゥェォャュョッーアイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワン゛゜";
const VOICED: (&str, &str) =
    ("カキクケコサシスセソタチツテトハヒフヘホウ", "ガギグゲゴザジズゼゾダヂヅデドバビブベボヴ");
const HALF_VOICED: (&str, &str) = ("ハヒフヘホ", "パピプペポ");

/// The text as one line, with half-width ASCII and full-width kana.
pub(super) fn clean(text: &str, language: Language) -> String {
    let text = &text[..text.floor_char_boundary(LOOKED_AT)];
    one_line(&unmarked(&one_width(text), language), language)
}

fn one_width(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            // A terminal's colours.
            '\u{1b}' => {
                if chars.next_if_eq(&'[').is_some() {
                    while chars.next_if(|c| c.is_ascii_digit() || *c == ';').is_some() {}
                    chars.next_if(char::is_ascii_alphabetic);
                }
            }
            '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => clean.push('\n'),
            '\u{a5}' | '\u{ffe5}' => clean.push('¥'),
            '\u{ff01}'..='\u{ff5e}' => clean.extend(char::from_u32(u32::from(c) - 0xfee0)),
            '\u{ff61}'..='\u{ff9f}' => push_kana(&mut clean, c),
            '①'..='⑳' => {
                // Two of them are two numbers.
                if clean.ends_with(|before: char| before.is_ascii_digit()) {
                    clean.push(' ');
                }
                clean.push_str(&(u32::from(c) - u32::from('①') + 1).to_string());
            }
            '〜' | '∼' => clean.push('~'),
            '−' | '‐' | '‑' | '‒' | '–' => clean.push('-'),
            '—' | '―' | '•' | '…' | '‥' => clean.push_str(", "),
            '“' | '”' | '„' => clean.push('"'),
            '‘' | '’' => clean.push('\''),
            '→' | '⇒' | '➡' | '⟶' => clean.push_str(" -> "),
            '㈱' => clean.push_str("株式会社"),
            '№' => clean.push('#'),
            '≥' | '≧' => clean.push_str(" >= "),
            '≤' | '≦' => clean.push_str(" <= "),
            '×' => clean.push_str(" x "),
            _ if c.is_whitespace() => clean.push(' '),
            _ if c.is_control() || is_silent(c) => {}
            _ => clean.push(c),
        }
    }
    clean
}

/// A half-width kana in full width; a voicing mark goes onto the kana before it.
fn push_kana(clean: &mut String, c: char) {
    let place = usize::try_from(u32::from(c) - 0xff61).unwrap_or(0);
    let Some(wide) = WIDE_KANA.chars().nth(place) else { return };
    let (plain, voiced) = match wide {
        '゛' => VOICED,
        '゜' => HALF_VOICED,
        _ => return clean.push(wide),
    };
    let with_mark = clean.chars().next_back().and_then(|last| plain.chars().position(|kana| kana == last));
    if let Some(kana) = with_mark.and_then(|place| voiced.chars().nth(place)) {
        clean.pop();
        clean.push(kana);
    }
}

/// Emoji, drawings, marks without a width, private characters.
fn is_silent(c: char) -> bool {
    matches!(u32::from(c),
        0xad | 0x200b..=0x200f | 0x202a..=0x202e | 0x2060..=0x206f | 0x20d0..=0x20ff | 0x2190..=0x21ff
        | 0x2300..=0x23ff | 0x2500..=0x27bf | 0x2900..=0x2bff | 0x3030 | 0x303d | 0x3297 | 0x3299
        | 0xe000..=0xf8ff | 0xfe00..=0xfe0f | 0xfeff | 0xfff0..=0xffff | 0x1f000..=0x1faff | 0xe0000..=0x10ffff)
}

/// Without HTML, Markdown and URLs.
fn unmarked(text: &str, language: Language) -> String {
    let link = match language {
        Language::Ja => "リンク",
        Language::En => "a link",
    };
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let starts_line = clean.trim_end_matches(' ').chars().next_back().is_none_or(|last| last == '\n');
        let eaten = match c {
            '<' => tag(rest, link, &mut clean),
            '&' => entity(rest, &mut clean),
            '[' => link_text(rest, &mut clean),
            '!' if rest.starts_with("![") => Some(1),
            '*' | '`' => Some(1),
            '~' if rest.starts_with("~~") => Some(2),
            '_' if rest.starts_with("__") => Some(2),
            '#' | '>' | '-' | '+' | '=' | '|' if starts_line => line_mark(rest),
            _ if c.is_ascii_alphabetic() && !clean.ends_with(|c: char| c.is_ascii_alphanumeric()) => {
                url(rest).inspect(|_| clean.push_str(link))
            }
            _ => None,
        };
        match eaten {
            Some(bytes) => rest = &rest[bytes..],
            None => {
                clean.push(c);
                rest = &rest[c.len_utf8()..];
            }
        }
    }
    clean
}

/// The first `most` bytes, cut between two characters.
fn head(text: &str, most: usize) -> &str {
    &text[..text.floor_char_boundary(most)]
}

/// `<b>`, `</p>`, `<!-- -->`, and Slack's `<https://…|text>`, `<@U1>` and `<!here>`.
fn tag(rest: &str, link: &str, clean: &mut String) -> Option<usize> {
    let inner = &rest[1..];
    let first = inner.trim_start_matches('/').chars().next()?;
    if !(first.is_ascii_alphabetic() || matches!(first, '!' | '@' | '#' | '?')) {
        return None;
    }
    let end = head(inner, MARK_MAX).find(['<', '>']).filter(|end| inner[*end..].starts_with('>'))?;
    let inside = &inner[..end];
    if inside.contains("://") && !inside.contains(' ') || inside.starts_with("mailto:") {
        clean.push_str(inside.split_once('|').map_or(link, |(_, text)| text));
    } else {
        let name = inside.trim_start_matches('/').split([' ', '/']).next().unwrap_or_default();
        let ends_line = ["br", "p", "div", "li", "tr", "h1", "h2", "h3", "ul", "ol", "table"];
        let is_block = ends_line.iter().any(|block| block.eq_ignore_ascii_case(name));
        if is_block {
            clean.push('\n');
        }
    }
    Some(end + 2)
}

fn entity(rest: &str, clean: &mut String) -> Option<usize> {
    const NAMED: [(&str, char); 7] =
        [("amp", '&'), ("lt", '<'), ("gt", '>'), ("quot", '"'), ("apos", '\''), ("nbsp", ' '), ("hellip", ' ')];
    let (name, _) = head(&rest[1..], 12).split_once(';')?;
    let numbered = || {
        let number = name.strip_prefix('#')?;
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        };
        char::from_u32(code).filter(|c| !c.is_control() && !is_silent(*c))
    };
    let c = NAMED.iter().find(|(known, _)| *known == name).map(|(_, c)| *c).or_else(numbered)?;
    clean.push(c);
    Some(name.len() + 2)
}

/// `[text](target)`: the text stays.
fn link_text(rest: &str, clean: &mut String) -> Option<usize> {
    let inner = &rest[1..];
    let end = head(inner, MARK_MAX).find(['[', ']', '\n']).filter(|end| inner[*end..].starts_with("]("))?;
    let target = &inner[end + 2..];
    let close = head(target, MARK_MAX).find([')', '(', '\n']).filter(|close| target[*close..].starts_with(')'))?;
    clean.push_str(&inner[..end]);
    Some(end + close + 4)
}

/// Signs of a heading, a list, a quotation or a rule at the beginning of a line.
fn line_mark(rest: &str) -> Option<usize> {
    let signs = rest.bytes().take_while(|b| b"#>-+=|".contains(b)).count();
    let behind = rest.as_bytes().get(signs);
    matches!(behind, None | Some(b' ' | b'\n')).then_some(signs)
}

/// `https://…`, `www.…`; a full stop or a bracket at its end does not belong to it.
fn url(rest: &str) -> Option<usize> {
    const SCHEMES: [&str; 12] = [
        "http://", "https://", "ftp://", "sftp://", "ssh://", "git://", "ws://", "wss://", "s3://", "file://", "www.",
        "mailto:",
    ];
    let fits = |scheme: &str| rest.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    SCHEMES.into_iter().find(|scheme| fits(scheme))?;
    let part_of = |c: char| c.is_ascii_graphic() && !"<>\"|`{}\\^".contains(c);
    let end = rest.find(|c| !part_of(c)).unwrap_or(rest.len());
    Some(rest[..end].trim_end_matches(['.', ',', ';', ':', '!', '?', ')', ']', '\'']).len())
}

/// Without line ends and doubled blanks.
fn one_line(text: &str, language: Language) -> String {
    let mut line = String::with_capacity(text.len());
    for part in text.split('\n') {
        let mut words = part.split(' ').filter(|word| !word.is_empty()).peekable();
        if words.peek().is_none() {
            continue;
        }
        if !line.is_empty() {
            let ended = line.ends_with(['。', '、', '.', ',', '!', '?', ':', ';', '!', '?']);
            line.push_str(match (ended, language) {
                (true, _) => " ",
                (false, Language::Ja) => "。",
                (false, Language::En) => ". ",
            });
        }
        let mut first = true;
        for word in words {
            if !first {
                line.push(' ');
            }
            first = false;
            line.push_str(word);
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ja(text: &str) -> String {
        clean(text, Language::Ja)
    }

    #[test]
    fn every_width_becomes_one() {
        assert_eq!(ja("ＣＰＵ　９５％"), "CPU 95%");
        assert_eq!(ja("ｻｰﾊﾞｰ ﾊﾟｹｯﾄ ｳﾞ｡"), "サーバー パケット ヴ。");
        assert_eq!(ja("ﾞｱ①"), "ア1");
    }

    #[test]
    fn controls_and_drawings_are_not_heard() {
        assert_eq!(ja("\u{1b}[31mdown\u{1b}[0m \u{7}🚨🚨 up\u{200b}!"), "down up!");
    }

    #[test]
    fn marks_of_html_are_left_out() {
        assert_eq!(ja("<b>disk</b> full<br>on &lt;db&gt; &amp; web"), "disk full。on <db> & web");
        assert_eq!(ja("a < b and c > d"), "a < b and c > d");
        assert_eq!(ja("<https://e.example/x|runbook> <@U123>"), "runbook");
    }

    #[test]
    fn marks_of_markdown_are_left_out() {
        assert_eq!(ja("# 障害\n\n- **disk** `full`\n- [手順](https://e.example/a)\n---"), "障害。disk full。手順");
        assert_eq!(ja("5 - 3 # 4"), "5 - 3 # 4");
    }

    #[test]
    fn an_address_of_the_web_is_a_link() {
        assert_eq!(ja("https://grafana.example/d/abc?x=1&y=2を参照"), "リンクを参照");
        assert_eq!(clean("See www.example.com.", Language::En), "See a link.");
        assert_eq!(clean("(http://a.example/)", Language::En), "(a link)");
    }
}
