//! What is wrong with a configuration, said so that it can be put right without asking anybody.

use core::fmt;
use std::path::Path;

/// One thing that is wrong.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Complaint {
    /// From 1; `None` where it concerns the file as a whole.
    pub line: Option<usize>,
    /// The path of the key, blocks counted from 1: `trunk[1].proxy`. Empty where the file is no TOML.
    pub key: String,
    /// What was found.
    pub found: String,
    /// What would be accepted.
    pub accepted: String,
}

impl Complaint {
    /// The complaint as compilers print theirs, so that editors find the place: `FILE:LINE: key: …`.
    pub fn in_file(&self, file: &Path) -> String {
        let line = self.line.map(|line| format!(":{line}")).unwrap_or_default();
        format!("{}{line}: {self}", file.display())
    }
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        write!(f, "{}", self.found)?;
        if self.accepted.is_empty() { Ok(()) } else { write!(f, "; accepted: {}", self.accepted) }
    }
}

/// The name in `known` that somebody who wrote `wrote` most likely meant.
pub(super) fn nearest<'k>(wrote: &str, known: &[&'k str]) -> Option<&'k str> {
    let tolerated = if wrote.chars().count() < 5 { 1 } else { 2 };
    let near = |name: &&'k str| (distance(wrote, name), *name);
    known.iter().map(near).filter(|(far, _)| *far <= tolerated).min().map(|(_, name)| name)
}

/// How many letters must be added, dropped, changed or swapped with their neighbour.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().take(64).collect(), b.chars().take(64).collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for (i, left) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, right) in b.iter().enumerate() {
            let changed = rows[i][j] + usize::from(left != right);
            let mut best = changed.min(rows[i][j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && a[i - 1] == *right && *left == b[j - 1] {
                best = best.min(rows[i - 1][j - 1] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_is_recognised_and_another_word_is_not() {
        let known = ["proxy", "registrar", "password", "password_file", "id"];
        assert_eq!(nearest("porxy", &known), Some("proxy"));
        assert_eq!(nearest("passwrd", &known), Some("password"));
        assert_eq!(nearest("ids", &known), Some("id"));
        assert_eq!(nearest("colour", &known), None);
    }
}
