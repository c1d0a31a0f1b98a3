//! The configuration's file, read again while the daemon runs.
//!
//! The whole file is checked as at a start. Of what is right, most changes at once: who is called, how and with what words,
//! over which trunks, who is told and by which voices ([`AT_ONCE`]). The other tables hold sockets, ports and files, and
//! keep what they began with until the next start, and so do single keys of those that change
//! ([`KEYS_LATER`]). So what is in force is the file with what waits as it was: it is written as one
//! text and read by the same readers, and settings that are half of one file and half of another and cannot be together
//! are refused as a whole.
//!
//! Easy to get wrong: what is named as waiting must be what the operator wrote, so a table is named key by key.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use toml::{Table, Value};

use super::file::{LoadError, read_small};
use super::{Complaint, Origin, Settings, load_with};

/// Tables that change while the daemon runs.
const AT_ONCE: [&str; 13] = [
    "contact",
    "roster",
    "call_flow",
    "guidance",
    "room",
    "hotline",
    "call_in",
    "dial",
    "intake",
    "trunk",
    "notify",
    "sms",
    "speech",
];
/// In a table that changes at once, the key that waits for the next start.
const KEYS_LATER: [(&str, &str); 1] = [("http", "listen")];

/// The file as far as it is in force.
#[derive(Debug)]
pub struct Reloaded {
    /// What is in force.
    pub settings: Settings,
    /// What of the file waits for the next start, by the names of its tables and keys.
    pub waiting: Vec<String>,
}

/// Why nothing changes.
#[derive(Debug, thiserror::Error)]
pub enum NotReloaded {
    /// The file cannot be read, or is wrong.
    #[error(transparent)]
    Wrong(#[from] LoadError),
    /// It is right, but what may change does not fit what may not.
    #[error("{} changed as well, which a running daemon does not take up, and the rest does not fit without: restart hansho\n{}",
        .waiting.join(", "), .complaints.iter().map(Complaint::to_string).collect::<Vec<_>>().join("\n"))]
    NeedsRestart {
        /// What waits for the next start.
        waiting: Vec<String>,
        /// What is wrong without it.
        complaints: Vec<Complaint>,
    },
}

/// Reads the file of `running` again; `sound` says what is wrong with a file of sound.
pub fn reload(running: &Settings, sound: &dyn Fn(&Path) -> Result<(), String>) -> Result<Reloaded, NotReloaded> {
    let (file, read) = load_with(Some(&running.source.file), sound)?;
    let (old, new) = (running.source.table(), read.source.table());
    let (together, waiting) = lay_together(&old, new);
    if waiting.is_empty() {
        return Ok(Reloaded { settings: read, waiting });
    }
    let folder = read.source.folder().to_owned();
    let origin = Origin { folder: &folder, read: &read_small, opens: sound };
    match Settings::read(&together.to_string(), &origin) {
        Ok(settings) => {
            let source = Arc::new(settings.source.named(&file));
            let settings = Settings { source, digest: read.digest, ..settings };
            Ok(Reloaded { settings, waiting })
        }
        Err(complaints) => {
            // Their lines are those of no file.
            let complaints = complaints.into_iter().map(|complaint| Complaint { line: None, ..complaint }).collect();
            Err(NotReloaded::NeedsRestart { waiting, complaints })
        }
    }
}

/// The new file with what waits for a start as the old one has it; and what that is, where it differs.
fn lay_together(old: &Table, mut new: Table) -> (Table, Vec<String>) {
    let mut waiting = Vec::new();
    let names: BTreeSet<String> = old.keys().chain(new.keys()).cloned().collect();
    for name in names.into_iter().filter(|name| !AT_ONCE.contains(&name.as_str())) {
        let (before, after) = (old.get(&name), new.get(&name));
        let table = |value: Option<&Value>| value.is_none_or(Value::is_table);
        if !(table(before) && table(after)) {
            if before != after {
                waiting.push(format!("[[{name}]]"));
            }
            put(&mut new, &name, before.cloned());
            continue;
        }
        let tables = [before, after].into_iter().flatten().filter_map(Value::as_table);
        for key in tables.flat_map(Table::keys).cloned().collect::<BTreeSet<String>>() {
            if !waits(&name, &key) {
                continue;
            }
            let kept = value_in(old, &name, &key);
            if kept != value_in(&new, &name, &key) {
                waiting.push(format!("{name}.{key}"));
            }
            put_key(&mut new, &name, &key, kept);
        }
        // A table that is not there may mean something else than an empty one.
        if old.get(&name).is_none() != new.get(&name).is_none() && waits(&name, "") {
            put(&mut new, &name, old.get(&name).cloned());
        }
    }
    (new, waiting)
}

/// Does this key of a table keep its value until the next start?
fn waits(table: &str, key: &str) -> bool {
    KEYS_LATER.iter().find(|(known, _)| *known == table).is_none_or(|(_, later)| *later == key)
}

fn value_in(table: &Table, name: &str, key: &str) -> Option<Value> {
    table.get(name)?.get(key).cloned()
}

fn put(table: &mut Table, name: &str, value: Option<Value>) {
    match value {
        Some(value) => table.insert(name.to_owned(), value),
        None => table.remove(name),
    };
}

fn put_key(table: &mut Table, name: &str, key: &str, value: Option<Value>) {
    if value.is_none() && !table.contains_key(name) {
        return;
    }
    let inner = table.entry(name).or_insert_with(|| Value::Table(Table::new()));
    if let Some(inner) = inner.as_table_mut() {
        put(inner, key, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn together(old: &str, new: &str) -> (String, Vec<String>) {
        let (table, waiting) = lay_together(&old.parse().unwrap(), new.parse().unwrap());
        (table.to_string(), waiting)
    }

    #[test]
    fn who_is_called_over_what_and_who_is_told_changes_at_once_and_what_holds_sockets_waits() {
        let old = "[sip]\nlisten = \"a\"\n[[contact]]\nid = \"ann\"\n[[trunk]]\nid = \"s\"\n";
        let new = "[sip]\nlisten = \"b\"\n[[contact]]\nid = \"bob\"\n[notify]\nx = 1\n[[trunk]]\nid = \"t\"\n[speech]\ny = 2\n";
        let (text, waiting) = together(old, new);
        assert_eq!(waiting, ["sip.listen"]);
        for kept in ["\"a\"", "bob", "x = 1", "\"t\"", "y = 2"] {
            assert!(text.contains(kept), "{kept}: {text}");
        }
        assert!(!text.contains("ann") && !text.contains("\"s\""), "{text}");
    }

    #[test]
    fn what_waits_is_named_key_by_key_and_lists_as_a_whole() {
        let old = "[node]\nname = \"a\"\ndata_dir = \"x\"\n[[user]]\nname = \"u\"\n[media]\nports = \"1-2\"\n";
        let new = "[node]\nname = \"b\"\ndata_dir = \"y\"\nlanguage = \"ja\"\n";
        let (text, waiting) = together(old, new);
        assert_eq!(waiting, ["media.ports", "node.data_dir", "node.language", "node.name", "[[user]]"]);
        assert_eq!(text.parse::<Table>().unwrap(), old.parse::<Table>().unwrap());
    }

    #[test]
    fn single_keys_go_another_way_than_their_table() {
        let old = "[http]\nlisten = \"a\"\n";
        let new = "[http]\nlisten = \"b\"\ncall_flow = \"x\"\n";
        let (text, waiting) = together(old, new);
        assert_eq!(waiting, ["http.listen"]);
        assert!(text.contains("listen = \"a\"") && text.contains("call_flow = \"x\""), "{text}");
        assert_eq!(together(old, "").1, ["http.listen"]);
    }

    #[test]
    fn the_same_file_changes_nothing_and_waits_for_nothing() {
        let text = include_str!("../../sip-trunk.example.toml");
        let (together, waiting) = together(text, text);
        assert!(waiting.is_empty() && together.parse::<Table>().unwrap() == text.parse::<Table>().unwrap());
    }
}
