//! The table that is printed at the end.

use std::fmt;

use crate::Result;

/// One line.
#[derive(Clone, Debug, Default)]
pub struct Row {
    pub what: String,
    pub figure: String,
    pub reference: String,
    pub bar: String,
    /// Is the figure within the bar? `None`: there is none.
    pub within: Option<bool>,
}

impl Row {
    pub fn new(what: impl Into<String>, figure: impl Into<String>) -> Row {
        Row { what: what.into(), figure: figure.into(), ..Row::default() }
    }

    pub fn beside(mut self, reference: impl Into<String>) -> Row {
        self.reference = reference.into();
        self
    }

    pub fn bar(mut self, bar: &str, within: bool) -> Row {
        self.bar = bar.to_owned();
        self.within = Some(within);
        self
    }
}

/// All lines, and what could not be measured.
#[derive(Debug, Default)]
pub struct Table {
    rows: Vec<Row>,
    failures: Vec<String>,
}

impl Table {
    pub fn keep(&mut self, what: &str, rows: Result<Vec<Row>>) {
        match rows {
            Ok(rows) => self.rows.extend(rows),
            Err(why) => self.failed(what, &why),
        }
    }

    pub fn failed(&mut self, what: &str, why: &str) {
        self.failures.push(format!("{what}: {why}"));
    }

    pub fn has_failures(&self) -> bool {
        !self.failures.is_empty()
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = |row: &Row| match row.within {
            Some(true) => "within",
            Some(false) => "BEYOND",
            None => "",
        };
        let mut lines = vec![["what", "figure", "reference", "bar", "verdict"].map(str::to_owned).to_vec()];
        lines.extend(self.rows.iter().map(|row| {
            let cells = [&row.what, &row.figure, &row.reference, &row.bar];
            cells.into_iter().cloned().chain([verdict(row).to_owned()]).collect()
        }));
        let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..5).map(width).collect();
        for (number, line) in lines.iter().enumerate() {
            let cells: Vec<String> = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
            writeln!(f, "| {} |", cells.join(" | "))?;
            if number == 0 {
                let rule: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
                writeln!(f, "| {} |", rule.join(" | "))?;
            }
        }
        self.failures.iter().try_for_each(|failure| writeln!(f, "\ncould not be measured: {failure}"))
    }
}
