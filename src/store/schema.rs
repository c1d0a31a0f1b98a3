//! The tables, and how an older file becomes a newer one.
//!
//! `user_version` counts the steps that were applied; a step once released is never changed. The
//! `application_id` says that the file is ours, so that somebody else's database is left alone.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::error::StoreError;

/// "hans" in ASCII.
const APPLICATION: i64 = 0x6861_6e73;

/// Step n brings a file of version n to version n + 1.
const STEPS: [&str; 2] = [
    "
    CREATE TABLE facts (
        seq INTEGER PRIMARY KEY,
        incident TEXT NOT NULL,
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
    "
    -- How far those have come who follow the journal.
    CREATE TABLE cursors (
        name TEXT PRIMARY KEY,
        seq INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    ",
];

/// Brings the file to this program's version, or says why it must not be touched.
pub(super) fn prepare(db: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let known = STEPS.len() as i64;
    let read = |error: rusqlite::Error| StoreError::of(path, "read", &error);
    let pragma = |db: &Connection, name: &str| db.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
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
    let step = db.transaction_with_behavior(TransactionBehavior::Immediate).map_err(written)?;
    let waiting = usize::try_from(found).unwrap_or(0);
    STEPS.iter().skip(waiting).try_for_each(|sql| step.execute_batch(sql)).map_err(written)?;
    step.pragma_update(None, "application_id", APPLICATION).map_err(written)?;
    step.pragma_update(None, "user_version", known).map_err(written)?;
    step.commit().map_err(written)
}
