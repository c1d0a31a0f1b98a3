//! The configuration's file, read again while the daemon runs.
//!
//! The whole file is checked as at a start. Of what is right, these tables change at once: who is called, how and with what
//! words, who may call in, what may be dialled, what comes in ([`AT_ONCE`], and single keys of [`KEYS_AT_ONCE`] and
//! [`KEYS_LATER`]). The others hold sockets, threads, accounts and files, and keep what they began with until the next
//! start. So what is in force is the file with those tables as they were: it is written as one text and read by the same
//! readers, and settings that are half of one file and half of another and cannot be together are refused as a whole.

use std::path::Path;
use std::sync::Arc;

use toml::{Table, Value};

use super::file::{LoadError, read_small};
use super::{Complaint, Origin, Settings, load_with};

/// Tables that change while the daemon runs.
const AT_ONCE: [&str; 9] =
    ["contact", "roster", "call_flow", "guidance", "room", "hotline", "call_in", "dial", "intake"];
/// In a table that waits for the next start, the key that does not.
const KEYS_AT_ONCE: [(&str, &str); 1] = [("speech", "readings")];
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
    let names: Vec<String> = old.keys().chain(new.keys()).cloned().collect();
    for name in names {
        if AT_ONCE.contains(&name.as_str()) {
            continue;
        }
        let split_at_once = KEYS_AT_ONCE.iter().find(|(table, _)| *table == name);
        let split_later = KEYS_LATER.iter().find(|(table, _)| *table == name);
        match (split_at_once, split_later) {
            (Some((_, key)), _) => {
                let fresh = value_in(&new, &name, key);
                let before = without(old.get(&name), key);
                if before != without(new.get(&name), key) {
                    waiting.push(format!("[{name}]"));
                }
                put(&mut new, &name, before);
                put_key(&mut new, &name, key, fresh);
            }
            (None, Some((_, key))) => {
                let kept = value_in(old, &name, key);
                if kept != value_in(&new, &name, key) {
                    waiting.push(format!("{name}.{key}"));
                }
                put_key(&mut new, &name, key, kept);
            }
            (None, None) => {
                if old.get(&name) != new.get(&name) {
                    waiting.push(if matches!(old.get(&name).or(new.get(&name)), Some(Value::Array(_))) {
                        format!("[[{name}]]")
                    } else {
                        format!("[{name}]")
                    });
                }
                put(&mut new, &name, old.get(&name).cloned());
            }
        }
    }
    waiting.sort();
    waiting.dedup();
    (new, waiting)
}

fn value_in(table: &Table, name: &str, key: &str) -> Option<Value> {
    table.get(name)?.get(key).cloned()
}

fn without(value: Option<&Value>, key: &str) -> Option<Value> {
    let mut value = value?.clone();
    if let Some(table) = value.as_table_mut() {
        table.remove(key);
        if table.is_empty() {
            return None;
        }
    }
    Some(value)
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
    fn who_is_called_changes_at_once_and_what_holds_sockets_waits() {
        let old = "[sip]\nlisten = \"a\"\n[[contact]]\nid = \"ann\"\n";
        let new = "[sip]\nlisten = \"b\"\n[[contact]]\nid = \"bob\"\n[notify]\nx = 1\n[[trunk]]\nid = \"t\"\n";
        let (text, waiting) = together(old, new);
        assert_eq!(waiting, ["[[trunk]]", "[notify]", "[sip]"]);
        assert!(
            text.contains("\"a\"") && text.contains("bob") && !text.contains("notify") && !text.contains("ann"),
            "{text}"
        );
    }

    #[test]
    fn single_keys_go_another_way_than_their_table() {
        let old = "[http]\nlisten = \"a\"\n[speech]\ntimeout = \"1s\"\n";
        let new = "[http]\nlisten = \"b\"\ncall_flow = \"x\"\n[speech]\ntimeout = \"2s\"\n[speech.readings.ja]\nk8s = \"y\"\n";
        let (text, waiting) = together(old, new);
        assert_eq!(waiting, ["[speech]", "http.listen"]);
        for kept in ["listen = \"a\"", "call_flow = \"x\"", "timeout = \"1s\"", "k8s = \"y\""] {
            assert!(text.contains(kept), "{kept}: {text}");
        }
        let readings = together("[node]\nname = \"a\"\n", "[node]\nname = \"a\"\n[speech.readings.ja]\nk8s = \"y\"\n");
        assert!(readings.1.is_empty() && readings.0.contains("k8s"), "{readings:?}");
        assert_eq!(together("[http]\nlisten = \"a\"\n", "").1, ["http.listen"]);
    }

    #[test]
    fn the_same_file_changes_nothing_and_waits_for_nothing() {
        let text = include_str!("../../sip-trunk.example.toml");
        let (together, waiting) = together(text, text);
        assert!(waiting.is_empty() && together.parse::<Table>().unwrap() == text.parse::<Table>().unwrap());
    }
}
