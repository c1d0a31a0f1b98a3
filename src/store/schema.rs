//! The tables, and how an older file becomes a newer one.
//!
//! `user_version` counts the steps that were applied; a step once released is never changed. The
//! `application_id` says that the file is ours, so that somebody else's database is left alone.

use std::path::Path;

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::audit::Chain;
use super::error::StoreError;
use super::insert;

/// "hans" in ASCII.
const APPLICATION: i64 = 0x6861_6e73;

/// Brings a file one version further.
pub(super) struct Step {
    pub(super) tables: &'static str,
    /// What they hold of older facts.
    fill: fn(&Transaction<'_>) -> rusqlite::Result<()>,
}

/// Step n brings a file of version n to version n + 1.
pub(super) const STEPS: [Step; 2] = [
    Step {
        tables: "
        CREATE TABLE facts (
            seq INTEGER PRIMARY KEY,
            incident TEXT NOT NULL, -- empty: the house
            at INTEGER NOT NULL,    -- microseconds since 1970-01-01T00:00:00Z
            body TEXT NOT NULL      -- the fact as JSON
        ) STRICT;
        CREATE INDEX facts_by_incident ON facts (incident, seq);

        -- Every incident in the order it came in; closed by its first final fact.
        CREATE TABLE incidents (
            place INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            closed INTEGER NOT NULL DEFAULT 0
        ) STRICT;
        CREATE INDEX incidents_open ON incidents (id) WHERE closed = 0;

        -- Calls that were dialled or came in, and have not ended; empty when hansho is idle.
        CREATE TABLE calls_up (
            incident TEXT NOT NULL,
            attempt INTEGER NOT NULL,
            PRIMARY KEY (incident, attempt)
        ) STRICT, WITHOUT ROWID;
        ",
        fill: |_| Ok(()),
    },
    Step {
        tables: "
        -- The chain over the facts an auditor asks about; `audit.rs` says what the hashes are of.
        CREATE TABLE audit (
            seq INTEGER PRIMARY KEY,
            content BLOB NOT NULL,
            digest BLOB NOT NULL,
            gone INTEGER NOT NULL DEFAULT 0  -- 1: the fact was taken away by retention
        ) STRICT;
        CREATE TABLE audit_head (
            place INTEGER PRIMARY KEY CHECK (place = 0),
            seq INTEGER NOT NULL,
            digest BLOB NOT NULL
        ) STRICT;

        -- How far those have come who follow the journal.
        CREATE TABLE cursors (
            name TEXT PRIMARY KEY,
            seq INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;

        -- Where an incident stands, so that it can be asked for.
        ALTER TABLE incidents ADD COLUMN state TEXT NOT NULL DEFAULT 'queued';
        CREATE INDEX incidents_by_state ON incidents (state, place);

        -- Every call by the line it began with.
        CREATE TABLE calls (
            seq INTEGER PRIMARY KEY,
            incident TEXT NOT NULL,
            attempt INTEGER NOT NULL
        ) STRICT;
        ",
        fill: chain_and_index,
    },
];

/// Brings the file to this program's version, or says why it must not be touched.
pub(super) fn prepare(db: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let known = STEPS.len() as i64;
    let read = |error: rusqlite::Error| StoreError::of(path, "read", &error);
    let application = pragma(db, "application_id").map_err(read)?;
    let found = pragma(db, "user_version").map_err(read)?;
    let tables: i64 = db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(read)?;
    let fresh = application == 0 && found == 0 && tables == 0;
    if !fresh && application != APPLICATION {
        return Err(StoreError::Foreign(path.to_owned()));
    }
    if found > known {
        return Err(StoreError::Newer { path: path.to_owned(), found, known });
    }
    let written = |error: rusqlite::Error| StoreError::of(path, "written", &error);
    // WAL: readers never wait for the writer. FULL: a commit is on the disk when it returns.
    db.pragma_update(None, "journal_mode", "WAL").map_err(written)?;
    db.pragma_update(None, "synchronous", "FULL").map_err(written)?;
    if found == known {
        return Ok(());
    }
    let all = db.transaction_with_behavior(TransactionBehavior::Immediate).map_err(written)?;
    for Step { tables, fill } in STEPS.iter().skip(usize::try_from(found).unwrap_or(0)) {
        all.execute_batch(tables).and_then(|()| fill(&all)).map_err(written)?;
    }
    all.pragma_update(None, "application_id", APPLICATION).map_err(written)?;
    all.pragma_update(None, "user_version", known).map_err(written)?;
    all.commit().map_err(written)
}

/// Is this file of this program's version? Whoever only reads cannot bring it there.
pub(super) fn check(db: &Connection, path: &Path) -> Result<(), StoreError> {
    let known = STEPS.len() as i64;
    let read = |error: rusqlite::Error| StoreError::of(path, "read", &error);
    if pragma(db, "application_id").map_err(read)? != APPLICATION {
        return Err(StoreError::Foreign(path.to_owned()));
    }
    match pragma(db, "user_version").map_err(read)? {
        found if found > known => Err(StoreError::Newer { path: path.to_owned(), found, known }),
        found if found < known => Err(StoreError::Older { path: path.to_owned(), found, known }),
        _ => Ok(()),
    }
}

fn pragma(db: &Connection, name: &str) -> rusqlite::Result<i64> {
    db.pragma_query_value(None, name, |row| row.get(0))
}

/// Chains the facts of a file that had no chain, and notes where its incidents stand and which calls there were.
fn chain_and_index(all: &Transaction<'_>) -> rusqlite::Result<()> {
    // Closed again by the same facts as before.
    all.execute("UPDATE incidents SET closed = 0", [])?;
    let mut chain = Chain::take_up(all)?;
    let mut facts = all.prepare("SELECT seq, incident, at, body FROM facts ORDER BY seq")?;
    let mut rows = facts.query([])?;
    while let Some(row) = rows.next()? {
        let (seq, at) = (row.get(0)?, row.get(2)?);
        let (incident, body) = (row.get_ref(1)?.as_str()?, row.get_ref(3)?.as_str()?);
        chain.add(seq, incident, at, body)?;
        // One that cannot be read is named when it is asked for.
        if let Ok(fact) = serde_json::from_str(body) {
            insert::index(all, seq, incident, &fact)?;
        }
    }
    chain.close()
}
