//! How entries become rows: the fact itself, its place in the chain, and the small tables that find it again.

use rusqlite::{Connection, Transaction, TransactionBehavior, params};
use serde::Serialize;

use super::Entry;
use super::audit::Chain;
use super::writer::Cursors;
use crate::base::Stamp;
use crate::incident::{Fact, State};

/// Writes everything or nothing, and returns the `seq` of the last line that was written.
pub(super) fn write<'a>(
    db: &mut Connection,
    entries: impl IntoIterator<Item = &'a Entry>,
    cursors: &Cursors,
) -> rusqlite::Result<Option<i64>> {
    // Dropped without `commit`, the transaction takes everything back.
    let all = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut chain = Chain::take_up(&all)?;
    let mut last = None;
    for entry in entries {
        last = Some(add(&all, &mut chain, entry)?);
    }
    chain.close()?;
    for (name, seq) in cursors {
        all.prepare_cached("INSERT OR REPLACE INTO cursors (name, seq) VALUES (?1, ?2)")?
            .execute(params![name, seq])?;
    }
    all.commit()?;
    Ok(last)
}

/// Writes one entry and returns its `seq`.
pub(super) fn add(all: &Transaction<'_>, chain: &mut Chain<'_>, entry: &Entry) -> rusqlite::Result<i64> {
    match entry {
        Entry::Incident(incident, at, fact) => {
            let incident = incident.to_string();
            let seq = add_fact(all, chain, &incident, *at, fact)?;
            index(all, seq, &incident, fact)?;
            Ok(seq)
        }
        // The house is nobody's incident: the empty text.
        Entry::House(at, fact) => add_fact(all, chain, "", *at, fact),
    }
}

/// Brings the small tables up to a fact that stands in line `seq`.
pub(super) fn index(all: &Transaction<'_>, seq: i64, incident: &str, fact: &Fact) -> rusqlite::Result<()> {
    match fact {
        Fact::Accepted { .. } => {
            all.prepare_cached("INSERT OR IGNORE INTO incidents (id) VALUES (?1)")?.execute([incident])?;
        }
        Fact::Dialled { attempt, .. } | Fact::CalledIn { attempt, .. } => {
            let sql = "INSERT OR IGNORE INTO calls_up (incident, attempt) VALUES (?1, ?2)";
            all.prepare_cached(sql)?.execute(params![incident, attempt])?;
            let sql = "INSERT INTO calls (seq, incident, attempt) VALUES (?1, ?2, ?3)";
            all.prepare_cached(sql)?.execute(params![seq, incident, attempt])?;
        }
        Fact::Ended { attempt, .. } => {
            let sql = "DELETE FROM calls_up WHERE incident = ?1 AND attempt = ?2";
            all.prepare_cached(sql)?.execute(params![incident, attempt])?;
        }
        _ => {}
    }
    // A final state is final: what comes behind it finds no open row. But what was taken may be over later.
    let state = State::Queued.after(fact);
    if state != State::Queued {
        let sql = "UPDATE incidents SET state = ?2, closed = ?3 WHERE id = ?1 \
                   AND (closed = 0 OR (state = 'acknowledged' AND ?2 = 'resolved'))";
        all.prepare_cached(sql)?.execute(params![incident, state.as_str(), state.is_final()])?;
    }
    Ok(())
}

fn add_fact(
    all: &Transaction<'_>,
    chain: &mut Chain<'_>,
    incident: &str,
    at: Stamp,
    fact: &impl Serialize,
) -> rusqlite::Result<i64> {
    let body = serde_json::to_string(fact).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
    let at = at.as_unix_micros();
    let mut insert = all.prepare_cached("INSERT INTO facts (incident, at, body) VALUES (?1, ?2, ?3)")?;
    let seq = insert.insert(params![incident, at, body])?;
    chain.add(seq, incident, at, &body)?;
    Ok(seq)
}
