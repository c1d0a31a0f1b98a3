//! Tables of readings, and laws that every text obeys.

mod english;
mod japanese;
mod laws;
mod templates;

use super::{Readings, spoken};
use crate::base::Language;

/// Every row says what it should; all that do not are shown.
fn reads(language: Language, table: &[(&str, &str)]) {
    let none = Readings::default();
    let said = |text: &str| spoken(text, language, &none);
    let wrong: Vec<String> = table
        .iter()
        .filter(|(text, words)| said(text) != *words)
        .map(|(text, words)| format!("{text:?}\n  wanted {words:?}\n  said   {:?}", said(text)))
        .collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), table.len(), wrong.join("\n"));
}
