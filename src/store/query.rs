//! What is read back from the journal; the writer and the readers ask in the same words.

use std::collections::{BTreeMap, btree_map};
use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _, Params, Row, params};
use serde::de::DeserializeOwned;

use super::error::StoreError;
use super::{Call, Dialled, Entry, History, HouseHistory, record_of};
use crate::base::{IdError, IncidentId, Stamp};
use crate::incident::{Fact, Record, State};

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
pub(super) fn incidents(
    db: &Connection,
    path: &Path,
    before: Option<IncidentId>,
    state: Option<State>,
    limit: u32,
) -> Result<Vec<IncidentId>, StoreError> {
    // One that was taken away meanwhile stands where its name sorts.
    let place = "coalesce((SELECT place FROM incidents WHERE id = ?1),
                          (SELECT max(place) + 1 FROM incidents WHERE id < ?1), 0)";
    let older = if before.is_some() { format!("place < {place}") } else { "?1 IS NULL".to_owned() };
    let standing = if state.is_some() { "state = ?2" } else { "?2 IS NULL" };
    let sql = format!("SELECT id FROM incidents WHERE {older} AND {standing} ORDER BY place DESC LIMIT ?3");
    ids(db, path, &sql, params![before.map(|id| id.to_string()), state.map(State::as_str), limit])
}

/// Calls of all incidents, the one that began last first, at most `limit`.
pub(super) fn calls(db: &Connection, path: &Path, before: Option<i64>, limit: u32) -> Result<Vec<Call>, StoreError> {
    let failed = |error: rusqlite::Error| StoreError::of(path, "read", &error);
    let sql = "SELECT seq, incident, attempt FROM calls WHERE seq < ?1 ORDER BY seq DESC LIMIT ?2";
    let mut statement = db.prepare_cached(sql).map_err(failed)?;
    let place = |row: &Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?, row.get::<_, u32>(2)?));
    let places = statement.query_map(params![before.unwrap_or(i64::MAX), limit], place).map_err(failed)?;
    let mut records: BTreeMap<IncidentId, Record> = BTreeMap::new();
    let mut calls = Vec::new();
    for place in places {
        let (seq, incident, number) = place.map_err(failed)?;
        let incident = parsed(path, "calls", &incident)?;
        let record = match records.entry(incident) {
            btree_map::Entry::Occupied(known) => known.into_mut(),
            btree_map::Entry::Vacant(unknown) => unknown.insert(record_of(&facts(db, path, incident)?)),
        };
        calls.extend(record.attempt(number).map(|attempt| Call { seq, incident, attempt: attempt.clone() }));
    }
    Ok(calls)
}

/// Whom we dialled from `since` on, oldest first, at most `limit` of them, the last ones.
pub(super) fn dialled(db: &Connection, path: &Path, since: Stamp, limit: u32) -> Result<Vec<Dialled>, StoreError> {
    let failed = |error: rusqlite::Error| StoreError::of(path, "read", &error);
    let sql = "SELECT f.seq, f.at, f.body FROM calls c JOIN facts f ON f.seq = c.seq ORDER BY c.seq DESC LIMIT ?1";
    let mut statement = db.prepare_cached(sql).map_err(failed)?;
    let mut rows = statement.query([limit]).map_err(failed)?;
    let mut dialled = Vec::new();
    while let Some(row) = rows.next().map_err(failed)? {
        let seq: i64 = row.get(0).map_err(failed)?;
        match fact(row).map_err(|problem| StoreError::Row { path: path.to_owned(), seq, problem })? {
            (at, _) if at < since => break,
            // With an empty handle nothing left the house.
            (at, Fact::Dialled { contact, phone, call, .. }) if !call.0.is_empty() => {
                dialled.push((at, contact, phone));
            }
            _ => {}
        }
    }
    dialled.reverse();
    Ok(dialled)
}

/// Incidents that somebody took and to which something happened from `since` on, oldest first, at most `limit` of them.
pub(super) fn taken(db: &Connection, path: &Path, since: Stamp, limit: u32) -> Result<Vec<IncidentId>, StoreError> {
    // Of a long history the newest are looked at.
    let sql = "SELECT id FROM (SELECT id, place FROM incidents WHERE state = 'acknowledged'
                               ORDER BY place DESC LIMIT 2 * ?2) AS latest
               WHERE (SELECT at FROM facts WHERE incident = latest.id ORDER BY seq DESC LIMIT 1) >= ?1
               ORDER BY place DESC LIMIT ?2";
    let mut ids = ids(db, path, sql, params![since.as_unix_micros(), limit])?;
    ids.reverse();
    Ok(ids)
}

/// The audited facts, in the order of the journal, until `take` says false.
pub(super) fn audited(
    db: &Connection,
    path: &Path,
    since: Stamp,
    mut take: impl FnMut(i64, Entry) -> bool,
) -> Result<(), StoreError> {
    let failed = |error: rusqlite::Error| StoreError::of(path, "read", &error);
    let sql = "SELECT f.seq, f.at, f.body, f.incident FROM audit a JOIN facts f ON f.seq = a.seq
               WHERE f.at >= ?1 ORDER BY a.seq";
    let mut statement = db.prepare_cached(sql).map_err(failed)?;
    let mut rows = statement.query([since.as_unix_micros()]).map_err(failed)?;
    while let Some(row) = rows.next().map_err(failed)? {
        let seq: i64 = row.get(0).map_err(failed)?;
        let entry = entry(row).map_err(|problem| StoreError::Row { path: path.to_owned(), seq, problem })?;
        if !take(seq, entry) {
            break;
        }
    }
    Ok(())
}

/// Every incident that must go on after a restart, oldest first.
pub(super) fn open(db: &Connection, path: &Path) -> Result<Vec<IncidentId>, StoreError> {
    let sql = "SELECT id FROM incidents WHERE closed = 0 OR id IN (SELECT incident FROM calls_up) ORDER BY place";
    ids(db, path, sql, [])
}

fn ids(db: &Connection, path: &Path, sql: &str, with: impl Params) -> Result<Vec<IncidentId>, StoreError> {
    let failed = |error: rusqlite::Error| StoreError::of(path, "read", &error);
    let mut statement = db.prepare_cached(sql).map_err(failed)?;
    let texts = statement.query_map(with, |row| row.get::<_, String>(0)).map_err(failed)?;
    texts.map(|text| parsed(path, "incidents", &text.map_err(failed)?)).collect()
}

fn parsed(path: &Path, table: &str, text: &str) -> Result<IncidentId, StoreError> {
    let damaged = |problem| StoreError::Damaged { path: path.to_owned(), problem };
    text.parse().map_err(|_| damaged(format!("`{text}` in the table {table} is no incident")))
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
