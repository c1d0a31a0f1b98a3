//! Reads the tables at the heads of the machines, so that tests can compare them with the code.

/// The header and the rows of the table whose first column is called `first`.
pub(in crate::incident) fn table(source: &str, first: &str) -> (Vec<String>, Vec<Vec<String>>) {
    let cells = |line: &str| -> Option<Vec<String>> {
        let inner = line.strip_prefix("//! |")?.trim_end().strip_suffix('|')?;
        Some(inner.split('|').map(|cell| cell.trim().to_owned()).collect())
    };
    let mut rows = source.lines().map_while(|line| line.starts_with("//!").then(|| cells(line))).flatten();
    let header = rows.find(|row| row[0] == first).unwrap_or_else(|| panic!("no table begins with `{first}`"));
    let rows: Vec<_> = rows.skip(1).take_while(|row| row.len() == header.len()).collect();
    assert!(!rows.is_empty(), "the table of `{first}` has no rows");
    (header, rows)
}
