//! The languages a person can be spoken to in.

use core::fmt;
use serde::{Deserialize, Serialize};

/// A language hansho has prompts in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// English, `en`.
    #[default]
    En,
    /// Japanese, `ja`.
    Ja,
}

impl Language {
    /// Every language, for tables and messages.
    pub const ALL: [Language; 2] = [Language::En, Language::Ja];

    /// The language of a BCP 47 tag: `ja`, `ja-JP`, `en`, `en-GB` and so on, in any case.
    pub fn from_tag(tag: &str) -> Option<Language> {
        let primary = tag.split(['-', '_']).next().unwrap_or(tag);
        Language::ALL.into_iter().find(|language| language.tag().eq_ignore_ascii_case(primary))
    }

    /// The primary subtag.
    pub const fn tag(self) -> &'static str {
        match self {
            Language::En => "en",
            Language::Ja => "ja",
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.tag())
    }
}
