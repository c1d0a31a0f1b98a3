//! Walks a TOML tree and gathers every complaint on the way, so that one run shows all that is wrong.
//!
//! A [`Section`] is one table. Whatever is asked for by name is known from then on; [`Section::finish`] refuses
//! the rest. An absent table is a section too, in which nothing is set, so that defaults stand in one place.
//! Easy to get wrong: a complaint must never show a secret, not even one that was written into the wrong key's
//! type.

use std::cell::RefCell;
#[cfg(test)]
use std::collections::BTreeSet;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::complaint::{Complaint, nearest};

/// More than anybody reads in one go; the rest is counted.
const COMPLAINTS: usize = 200;

/// Where complaints are gathered.
pub(super) struct Report {
    /// Where each line begins, in bytes.
    lines: Vec<usize>,
    complaints: RefCell<Vec<Complaint>>,
    warnings: RefCell<Vec<Complaint>>,
    /// Every key that was asked for, for the test that compares them with the example.
    #[cfg(test)]
    pub(super) asked: RefCell<BTreeSet<String>>,
}

impl Report {
    pub(super) fn new(text: &str) -> Report {
        let after_newlines = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        Report {
            lines: std::iter::once(0).chain(after_newlines).collect(),
            complaints: RefCell::default(),
            warnings: RefCell::default(),
            #[cfg(test)]
            asked: RefCell::default(),
        }
    }

    /// The line (from 1) of a byte.
    pub(super) fn line(&self, byte: usize) -> usize {
        self.lines.partition_point(|start| *start <= byte)
    }

    pub(super) fn complain(
        &self,
        line: Option<usize>,
        key: impl Into<String>,
        found: impl Into<String>,
        accepted: impl Into<String>,
    ) {
        let complaint = Complaint { line, key: key.into(), found: found.into(), accepted: accepted.into() };
        self.complaints.borrow_mut().push(complaint);
    }

    /// What is no mistake and may still not be meant, from the top of the file to its end.
    pub(super) fn warnings(&self) -> Vec<Complaint> {
        let mut warnings = self.warnings.borrow().clone();
        warnings.sort();
        warnings
    }

    /// Everything that is wrong, from the top of the file to its end.
    pub(super) fn into_complaints(self) -> Vec<Complaint> {
        let mut complaints = self.complaints.into_inner();
        complaints.sort();
        complaints.dedup();
        if let Some(more) = complaints.len().checked_sub(COMPLAINTS).filter(|more| *more > 0) {
            complaints.truncate(COMPLAINTS);
            let found = format!("{more} more complaints");
            complaints.push(Complaint { line: None, key: String::new(), found, accepted: String::new() });
        }
        complaints
    }
}

/// One table of the file, or one that is not there.
pub(super) struct Section<'a> {
    report: &'a Report,
    path: String,
    line: Option<usize>,
    table: Option<&'a DeTable<'a>>,
    known: Vec<&'static str>,
}

/// Something read, with its place for complaints that can only be made later.
pub(super) struct Placed<T> {
    pub(super) key: String,
    pub(super) line: Option<usize>,
    pub(super) value: T,
}

impl<'a> Section<'a> {
    pub(super) fn root(report: &'a Report, table: &'a DeTable<'a>) -> Section<'a> {
        Section { report, path: String::new(), line: None, table: Some(table), known: Vec::new() }
    }

    pub(super) fn report(&self) -> &'a Report {
        self.report
    }

    /// Where this section's own complaints point to.
    pub(super) fn line(&self) -> Option<usize> {
        self.line
    }

    /// The whole path of a key in this section.
    pub(super) fn path(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// Is the key there, whether right or wrong?
    pub(super) fn has(&self, key: &str) -> bool {
        self.table.is_some_and(|table| table.get(key).is_some())
    }

    /// Is there such a table in the file?
    pub(super) fn exists(&self) -> bool {
        self.table.is_some()
    }

    /// Is there a text?
    pub(super) fn is_text(&self, key: &str) -> bool {
        self.table.and_then(|table| table.get(key)).is_some_and(|value| value.get_ref().as_str().is_some())
    }

    /// Is there a list?
    pub(super) fn is_list(&self, key: &str) -> bool {
        self.table.and_then(|table| table.get(key)).is_some_and(|value| value.get_ref().as_array().is_some())
    }

    /// Is there a list with nothing in it?
    pub(super) fn empty_list(&self, key: &str) -> bool {
        let value = self.table.and_then(|table| table.get(key));
        value.and_then(|value| value.get_ref().as_array()).is_some_and(|list| list.is_empty())
    }

    /// Complains about a key of this section, at its line or else at the section's.
    pub(super) fn complain(&self, key: &str, found: impl Into<String>, accepted: impl Into<String>) {
        self.report.complain(self.line_of(key), self.path(key), found, accepted);
    }

    /// Says what is no mistake at `key` and may still not be meant, and what would be surer.
    pub(super) fn warn(&self, key: &str, found: impl Into<String>, surer: impl Into<String>) {
        let (line, key, found, accepted) = (self.line_of(key), self.path(key), found.into(), surer.into());
        self.report.warnings.borrow_mut().push(Complaint { line, key, found, accepted });
    }

    /// Complains about this section as a whole.
    pub(super) fn complain_here(&self, found: impl Into<String>, accepted: impl Into<String>) {
        self.report.complain(self.line, self.path.clone(), found, accepted);
    }

    /// What stands at `key`, read by `parse`; a complaint when it cannot be.
    pub(super) fn read<T>(
        &mut self,
        key: &'static str,
        accepted: &str,
        parse: impl FnOnce(&DeValue<'a>) -> Option<T>,
    ) -> Option<T> {
        let value = self.get(key)?.get_ref();
        let read = parse(value);
        if read.is_none() {
            self.complain(key, format!("found {}", show(value)), accepted);
        }
        read
    }

    /// The same for what must not be shown.
    pub(super) fn read_secret<T>(
        &mut self,
        key: &'static str,
        accepted: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let value = self.get(key)?.get_ref();
        let read = value.as_str().and_then(parse);
        if read.is_none() {
            self.complain(key, format!("found {} that is not fit (not shown)", kind(value)), accepted);
        }
        read
    }

    /// Text read by `parse`.
    pub(super) fn text<T>(
        &mut self,
        key: &'static str,
        accepted: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        self.read(key, accepted, |value| value.as_str().and_then(parse))
    }

    /// Text that must be there.
    pub(super) fn need<T>(
        &mut self,
        key: &'static str,
        accepted: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        if !self.has(key) {
            self.complain(key, "missing", accepted);
        }
        self.text(key, accepted, parse)
    }

    /// A list of texts; each element that is wrong is complained about and left out.
    pub(super) fn list<T>(
        &mut self,
        key: &'static str,
        most: usize,
        accepted: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<Vec<Placed<T>>> {
        let value = self.get(key)?.get_ref();
        let Some(elements) = value.as_array() else {
            self.complain(key, format!("found {}", show(value)), format!("a list in brackets of {accepted}"));
            return None;
        };
        if elements.len() > most {
            self.complain(key, format!("found {} elements", elements.len()), format!("at most {most}"));
            return None;
        }
        let read = |(place, element): (usize, &Spanned<DeValue<'a>>)| {
            let key = format!("{}[{}]", self.path(key), place + 1);
            let line = Some(self.report.line(element.span().start));
            let value = element.get_ref().as_str().and_then(&parse);
            if value.is_none() {
                self.report.complain(line, &key, format!("found {}", show(element.get_ref())), accepted);
            }
            value.map(|value| Placed { key, line, value })
        };
        Some(elements.iter().enumerate().filter_map(read).collect())
    }

    /// The table `[key]`, perhaps absent.
    pub(super) fn table(&mut self, key: &'static str) -> Section<'a> {
        let found = self.get(key);
        let table = found.and_then(|value| value.get_ref().as_table());
        if let (Some(value), None) = (found, table) {
            let accepted = format!("a table: [{}]", self.path(key));
            self.complain(key, format!("found {}", show(value.get_ref())), accepted);
        }
        let (path, line) = (self.path(key), self.line_of(key));
        Section { report: self.report, path, line, table, known: Vec::new() }
    }

    /// The blocks `[[key]]`, perhaps none.
    pub(super) fn blocks(&mut self, key: &'static str, most: usize) -> Vec<Section<'a>> {
        let Some(found) = self.get(key) else { return Vec::new() };
        let wrong = |found: &DeValue<'a>| {
            let accepted = format!("blocks with two brackets each: [[{}]]", self.path(key));
            self.complain(key, format!("found {}", show(found)), accepted);
        };
        let Some(elements) = found.get_ref().as_array() else {
            wrong(found.get_ref());
            return Vec::new();
        };
        if elements.len() > most {
            self.complain(key, format!("found {} blocks", elements.len()), format!("at most {most}"));
        }
        let block = |(place, element): (usize, &'a Spanned<DeValue<'a>>)| {
            let Some(table) = element.get_ref().as_table() else {
                wrong(element.get_ref());
                return None;
            };
            let line = Some(self.report.line(element.span().start));
            let path = format!("{}[{}]", self.path(key), place + 1);
            Some(Section { report: self.report, path, line, table: Some(table), known: Vec::new() })
        };
        elements.iter().take(most).enumerate().filter_map(block).collect()
    }

    /// Every table of this section, whatever its name: for names that the user chooses.
    ///
    /// `None` for one that is no table, after a complaint.
    pub(super) fn named(self) -> Vec<(&'a str, Option<Section<'a>>)> {
        let entries = self.table.into_iter().flat_map(|table| table.iter());
        let read = |(name, value): (&'a Spanned<_>, &'a Spanned<DeValue<'a>>)| {
            let name: &'a std::borrow::Cow<'a, str> = name.get_ref();
            #[cfg(test)]
            self.report.asked.borrow_mut().insert(pattern(&self.path("*")));
            let (path, line) = (self.path(name), Some(self.report.line(value.span().start)));
            let Some(table) = value.get_ref().as_table() else {
                self.report.complain(line, path, format!("found {}", show(value.get_ref())), "a table: { … }");
                return (name.as_ref(), None);
            };
            (name.as_ref(), Some(Section { report: self.report, path, line, table: Some(table), known: Vec::new() }))
        };
        entries.map(read).collect()
    }

    /// Every text of this section with its name and line: for names that the user chooses and texts that must not
    /// be shown. `None` for what is no text.
    pub(super) fn texts(self) -> Vec<(&'a str, Option<usize>, Option<&'a str>)> {
        let entries = self.table.into_iter().flat_map(|table| table.iter());
        let read = |(name, value): (&'a Spanned<_>, &'a Spanned<DeValue<'a>>)| {
            let name: &'a std::borrow::Cow<'a, str> = name.get_ref();
            (name.as_ref(), Some(self.report.line(value.span().start)), value.get_ref().as_str())
        };
        entries.map(read).collect()
    }

    /// Refuses every key nobody asked for.
    pub(super) fn finish(self) {
        let unknown = self.table.into_iter().flat_map(|table| table.keys());
        for key in unknown.filter(|key| !self.known.contains(&key.get_ref().as_ref())) {
            let meant = nearest(key.get_ref(), &self.known);
            let hint = meant.map(|meant| format!("; did you mean `{meant}`?")).unwrap_or_default();
            let line = Some(self.report.line(key.span().start));
            let accepted = self.known.join(", ");
            self.report.complain(line, self.path(&shorten(key.get_ref())), format!("unknown key{hint}"), accepted);
        }
    }

    fn get(&mut self, key: &'static str) -> Option<&'a Spanned<DeValue<'a>>> {
        if !self.known.contains(&key) {
            self.known.push(key);
        }
        #[cfg(test)]
        self.report.asked.borrow_mut().insert(pattern(&self.path(key)));
        self.table?.get(key)
    }

    /// Where a key stands; where it is away, where its section stands.
    pub(super) fn line_of(&self, key: &str) -> Option<usize> {
        let key = self.table.and_then(|table| table.get_key_value(key));
        key.map(|(key, _)| self.report.line(key.span().start)).or(self.line)
    }
}

/// A path without the places of its blocks and without names that users choose.
#[cfg(test)]
pub(super) fn pattern(path: &str) -> String {
    let part = |part: &str| part.split('[').next().unwrap_or(part).to_owned();
    let mut parts: Vec<String> = path.split('.').map(part).collect();
    if parts.len() > 2 && parts[1] == "keys" {
        parts[2] = "*".to_owned();
    }
    parts.join(".")
}

/// A value in a complaint, cut short.
fn show(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => format!("`{}`", shorten(text)),
        DeValue::Integer(number) => format!("the number {}", shorten(&number.to_string())),
        DeValue::Float(number) => format!("the number {}", shorten(number.as_str())),
        DeValue::Boolean(value) => format!("{value}"),
        DeValue::Array(list) if list.is_empty() => "an empty list".to_owned(),
        _ => kind(value).to_owned(),
    }
}

fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

fn shorten(text: &str) -> String {
    const SHOWN: usize = 60;
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    let mut short: String = text.chars().take(SHOWN).map(plain).collect();
    if text.chars().nth(SHOWN).is_some() {
        short.push('…');
    }
    short
}
