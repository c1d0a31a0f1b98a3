//! What is read back from the journal; the writer and the readers ask in the same words.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _, Row};
use serde::de::DeserializeOwned;

use super::error::StoreError;
use super::{Entry, History, HouseHistory};
use crate::base::{IdError, IncidentId, Stamp};

/// All facts of one incident, oldest first; empty when there is no such incident.
pub(super) fn facts(db: &Connection, path: &Path, incident: IncidentId) -> Result<History, StoreError> {
    about(db, path, &incident.to_string())
}

/// All facts of the house, oldest first.
pub(super) fn house(db: &Connection, path: &Path) -> Result<HouseHistory, StoreError> {
    about(db, path, "")
}

fn about<F: DeserializeOwned>(db: &Connection, path: &Path, whom: &str) -> Result<Vec<(Stamp, F)>, StoreError> {
    let failed = |error: rusqlite::Error| StoreError::of(path, "read", &error);
    let sql = "SELECT seq, at, body FROM facts WHERE incident = ?1 ORDER BY seq";
    let mut statement = db.prepare_cached(sql).map_err(failed)?;
    let mut rows = statement.query([whom]).map_err(failed)?;
    let mut history = Vec::new();
    while let Some(row) = rows.next().map_err(failed)? {
        let seq: i64 = row.get(0).map_err(failed)?;
        let fact = fact(row).map_err(|problem| StoreError::Row { path: path.to_owned(), seq, problem })?;
        history.push(fact);
    }
    Ok(history)
}

/// What stands behind the line `seq`, in order, at most `limit` lines.
pub(super) fn after(db: &Connection, path: &Path, seq: i64, limit: u32) -> Result<Vec<(i64, Entry)>, StoreError> {
    let failed = |error: rusqlite::Error| StoreError::of(path, "read", &error);
    let sql = "SELECT seq, at, body, incident FROM facts WHERE seq > ?1 ORDER BY seq LIMIT ?2";
    let mut statement = db.prepare_cached(sql).map_err(failed)?;
    let mut rows = statement.query([seq, i64::from(limit)]).map_err(failed)?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next().map_err(failed)? {
        let seq: i64 = row.get(0).map_err(failed)?;
        let entry = entry(row).map_err(|problem| StoreError::Row { path: path.to_owned(), seq, problem })?;
        entries.push((seq, entry));
    }
    Ok(entries)
}

/// The `seq` of the newest line; 0 before the first.
pub(super) fn last(db: &Connection, path: &Path) -> Result<i64, StoreError> {
    let newest = db.query_row("SELECT coalesce(max(seq), 0) FROM facts", [], |row| row.get(0));
    newest.map_err(|error| StoreError::of(path, "read", &error))
}

/// How far a follower had come.
pub(super) fn cursor(db: &Connection, path: &Path, name: &str) -> Result<Option<i64>, StoreError> {
    let seq = db.query_row("SELECT seq FROM cursors WHERE name = ?1", [name], |row| row.get(0)).optional();
    seq.map_err(|error| StoreError::of(path, "read", &error))
}

/// The newest incidents first, at most `limit`.
pub(super) fn recent(db: &Connection, path: &Path, limit: u32) -> Result<Vec<IncidentId>, StoreError> {
    ids(db, path, "SELECT id FROM incidents ORDER BY place DESC LIMIT ?1", limit)
}

/// Every incident that must go on after a restart, oldest first.
pub(super) fn open(db: &Connection, path: &Path) -> Result<Vec<(IncidentId, History)>, StoreError> {
    let sql = "SELECT id FROM incidents WHERE closed = 0 OR id IN (SELECT incident FROM calls_up) \
               ORDER BY place LIMIT ?1";
    let ids = ids(db, path, sql, u32::MAX)?;
    ids.into_iter().map(|id| Ok((id, facts(db, path, id)?))).collect()
}

fn ids(db: &Connection, path: &Path, sql: &str, limit: u32) -> Result<Vec<IncidentId>, StoreError> {
    let failed = |error: rusqlite::Error| StoreError::of(path, "read", &error);
    let mut statement = db.prepare_cached(sql).map_err(failed)?;
    let texts = statement.query_map([limit], |row| row.get::<_, String>(0)).map_err(failed)?;
    texts
        .map(|text| {
            let text = text.map_err(failed)?;
            let damaged = |problem| StoreError::Damaged { path: path.to_owned(), problem };
            text.parse().map_err(|_| damaged(format!("`{text}` in the table incidents is no incident")))
        })
        .collect()
}

fn entry(row: &Row<'_>) -> Result<Entry, String> {
    let whose = row.get_ref(3).and_then(|whose| Ok(whose.as_str()?)).map_err(|error| error.to_string())?;
    if whose.is_empty() {
        return fact(row).map(|(at, fact)| Entry::House(at, fact));
    }
    let incident = whose.parse().map_err(|error: IdError| error.to_string())?;
    fact(row).map(|(at, fact)| Entry::Incident(incident, at, fact))
}

fn fact<F: DeserializeOwned>(row: &Row<'_>) -> Result<(Stamp, F), String> {
    let at: i64 = row.get(1).map_err(|error| error.to_string())?;
    let body = row.get_ref(2).and_then(|body| Ok(body.as_str()?)).map_err(|error| error.to_string())?;
    let fact = serde_json::from_str(body).map_err(|error| error.to_string())?;
    Ok((Stamp::from_unix_micros(at), fact))
}
