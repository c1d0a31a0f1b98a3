//! Reads the state table at the head of a machine's file, so that a test can compare it with the code.

/// The rows of the first table in the module head of `source`: cells joined with ` | `, in order. A row that
/// says nothing happens (`-` and the same state) is not to be written; the machines ignore what is not listed.
pub fn rows(source: &str) -> Vec<String> {
    source
        .lines()
        .take_while(|line| line.starts_with("//!"))
        .filter_map(|line| line.strip_prefix("//! | ")?.strip_suffix(" |"))
        .map(|row| row.split('|').map(str::trim).collect::<Vec<_>>().join(" | "))
        .skip(1)
        .filter(|row| !row.starts_with("---"))
        .collect()
}
