//! What a hotline writes to its two people, and what its page says, in their languages.
//!
//! The Japanese is what the people of such a hotline knew before; a changed word is another product to them.

use crate::base::Language;

/// What is written to one of the two.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Letter {
    /// To the one who is asked: the link.
    Asks,
    /// To the one who called: call this number.
    Accepted,
    /// To the one who called: hansho calls.
    Bridged,
    /// To the one who called: not now.
    Refused,
    /// To the one who called: it works now.
    Late,
}

/// What the page says to the one who is asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Page {
    /// The question, with a button.
    Asks,
    /// Accepted: stay where you are.
    Accepted,
    /// Accepted late: the caller may have gone on.
    Late,
    /// It was accepted before; nothing changed.
    Already,
}

/// What stands in a text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Names<'a> {
    /// Who called.
    pub caller: &'a str,
    /// Who is asked.
    pub callee: &'a str,
    /// The number to call.
    pub number: &'a str,
    /// The link to the page.
    pub link: &'a str,
}

impl Letter {
    /// The text.
    pub fn text(self, language: Language, names: Names<'_>) -> String {
        let Names { caller, callee, number, link } = names;
        match (language, self) {
            (Language::Ja, Letter::Asks) => {
                format!("{caller}さんが電話で話したいそうです。通話できるならリンクをタップしてください。{link}")
            }
            (Language::Ja, Letter::Accepted) => format!("{callee}さんは通話できます。{number} に電話してください。"),
            (Language::Ja, Letter::Bridged) => {
                format!("{callee}さんは通話できます。こちらから電話しますので、そのままお待ち下さい。")
            }
            (Language::Ja, Letter::Refused) => {
                format!("{callee}さんは今は通話できないようです。折り返し電話が来るのを待ちましょう。")
            }
            (Language::Ja, Letter::Late) => {
                format!("{callee}さんは通話できるようになりました。{number} に電話してください。")
            }
            (Language::En, Letter::Asks) => {
                format!("{caller} would like to talk to you on the phone. If you can talk now, tap the link. {link}")
            }
            (Language::En, Letter::Accepted) => format!("{callee} can talk now. Please call {number}."),
            (Language::En, Letter::Bridged) => format!("{callee} can talk now. Your phone will ring in a moment."),
            (Language::En, Letter::Refused) => {
                format!("{callee} does not seem to be able to talk now. Let us wait for a call back.")
            }
            (Language::En, Letter::Late) => format!("{callee} is able to talk now. Please call {number}."),
        }
    }
}

impl Page {
    /// What it says.
    pub fn text(self, language: Language, names: Names<'_>) -> String {
        let Names { caller, number, .. } = names;
        match (language, self) {
            (Language::Ja, Page::Asks) => format!("{caller}さんが電話で話したいそうです。今、通話できますか。"),
            (Language::Ja, Page::Accepted) => {
                format!("{caller}さんから電話がきます。そのままお待ち下さい。")
            }
            (Language::Ja, Page::Late) => {
                format!("{caller}さんは今は別のことをしているかもしれません。{number} に電話してください。")
            }
            (Language::Ja, Page::Already) => "このリンクはもう使われています。何も変わりません。".to_owned(),
            (Language::En, Page::Asks) => format!("{caller} would like to talk to you on the phone. Can you talk now?"),
            (Language::En, Page::Accepted) => format!("{caller} will call you. Please wait where you are."),
            (Language::En, Page::Late) => {
                format!("{caller} may be doing something else by now. Please call {number}.")
            }
            (Language::En, Page::Already) => "This link has been used already. Nothing has changed.".to_owned(),
        }
    }

    /// What stands on the button.
    pub const fn button(language: Language) -> &'static str {
        match language {
            Language::Ja => "通話できます",
            Language::En => "I can talk now",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: Names<'_> =
        Names { caller: "山田", callee: "佐藤", number: "+815012345678", link: "https://h.example/hotline/x" };

    #[test]
    fn the_japanese_texts_are_word_for_word_those_of_the_mission() {
        let texts = [
            (
                Letter::Asks,
                "山田さんが電話で話したいそうです。通話できるならリンクをタップしてください。https://h.example/hotline/x",
            ),
            (Letter::Accepted, "佐藤さんは通話できます。+815012345678 に電話してください。"),
            (Letter::Refused, "佐藤さんは今は通話できないようです。折り返し電話が来るのを待ちましょう。"),
            (Letter::Late, "佐藤さんは通話できるようになりました。+815012345678 に電話してください。"),
        ];
        for (letter, text) in texts {
            assert_eq!(letter.text(Language::Ja, NAMES), text);
        }
        assert_eq!(Page::Accepted.text(Language::Ja, NAMES), "山田さんから電話がきます。そのままお待ち下さい。");
    }

    #[test]
    fn where_hansho_rings_both_no_text_shows_a_number() {
        for language in Language::ALL {
            assert!(!Letter::Bridged.text(language, NAMES).contains("50"));
            assert!(!Letter::Asks.text(language, Names { link: "L", ..NAMES }).contains("50"));
        }
    }
}
