//! The state table at the head of a machine's file, compared with what the code does.
//!
//! A row that says nothing happens (`-` and the same state) is not to be written; the machines ignore what is not listed.

/// Compares the table of `source` with what `row` tells of every event in every state, in this order.
pub fn compare(source: &str, states: &[&str], events: &[&str], row: impl Fn(&str, &str) -> Option<String>) {
    let done = states.iter().flat_map(|state| events.iter().filter_map(|event| row(state, event)));
    assert_eq!(done.collect::<Vec<_>>(), rows(source));
}

/// What a machine made of an event, as a row; none when nothing happened.
pub fn row(state: &str, event: &str, next: &str, does: &[String]) -> Option<String> {
    let nothing = does.is_empty() && next == state;
    let does = if does.is_empty() { "-".to_owned() } else { does.join(", ") };
    (!nothing).then(|| format!("{state} | {event} | {next} | {does}"))
}

/// The rows of the first table in the module head of `source`: cells joined with ` | `, in order.
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
