//! A message's words, made fit for a voice program.

/// As many characters of a message are spoken.
const LONGEST: usize = 600;

/// One line without control characters, doubled blanks or more than [`LONGEST`] characters.
pub(super) fn clean(text: &str) -> String {
    let blank = |c: char| c.is_whitespace() || c.is_control();
    let words: Vec<&str> = text.split(blank).filter(|word| !word.is_empty()).collect();
    words.join(" ").chars().take(LONGEST).collect()
}

/// The text in pieces of at most `bytes` bytes, cut behind a sentence where there is one, else behind a
/// comma or a blank, else between two characters. `bytes` is at least 4, the longest character.
pub(super) fn pieces(text: &str, bytes: usize) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while rest.len() > bytes {
        let (piece, after) = rest.split_at(cut(rest, bytes));
        pieces.push(piece);
        rest = after;
    }
    pieces.push(rest);
    pieces.retain(|piece| !piece.trim().is_empty());
    pieces
}

/// Where the next piece ends: at a character's edge, above 0, at most `bytes`.
fn cut(text: &str, bytes: usize) -> usize {
    let ends = || text.char_indices().map(|(at, c)| (at + c.len_utf8(), c)).take_while(|&(end, _)| end <= bytes);
    let last_of = |signs: &[char]| ends().filter(|(_, c)| signs.contains(c)).last();
    last_of(&['。', '！', '？', '!', '?'])
        .or_else(|| last_of(&['、', '，', ',', '.', ' ']))
        .or_else(|| ends().last())
        .map_or(text.len(), |(end, _)| end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_and_line_ends_become_single_blanks() {
        assert_eq!(clean("  disk\tfull\r\n\u{0}on\u{1b}[31m db1 \u{85}"), "disk full on [31m db1");
        assert_eq!(clean("\n\u{7f}\t"), "");
    }

    #[test]
    fn a_long_message_is_cut_between_characters() {
        assert_eq!(clean(&"障".repeat(5_000)), "障".repeat(600));
    }

    #[test]
    fn a_short_text_is_one_piece() {
        assert_eq!(pieces("障害です。確認してください。", 900), ["障害です。確認してください。"]);
        assert!(pieces(" ", 900).is_empty());
    }

    #[test]
    fn a_long_text_is_cut_behind_sentences_then_commas_then_anywhere() {
        assert_eq!(pieces("あい。うえ、お。かきく", 21), ["あい。", "うえ、お。", "かきく"]);
        assert_eq!(pieces("あい、うえおか", 15), ["あい、", "うえおか"]);
        assert_eq!(pieces("あいうえおか", 10), ["あいう", "えおか"]);
        for bytes in 4..40 {
            let text = "a障害、b。サーバー server1 🔔 で!";
            let words = |text: &str| text.replace(' ', "");
            assert_eq!(words(&pieces(text, bytes).concat()), words(text), "{bytes}");
            assert!(pieces(text, bytes).iter().all(|piece| piece.len() <= bytes), "{bytes}");
        }
    }
}
