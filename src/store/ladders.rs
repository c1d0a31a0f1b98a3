//! The SIP messages of calls, kept so that somebody can look at them afterwards.
//!
//! A file of its own beside the journal, because nothing depends on it: the journal's thread never waits for it, no
//! fact is behind it, and whoever throws it away loses pictures and no promise. It is written without an fsync of its own
//! (`synchronous = NORMAL`): a killed process loses nothing that was written, a power cut the last seconds.
//!
//! Bounded in every way: of one call the first messages and the last ones, of all calls together [`BYTES_MAX`]; what is
//! taken away first is the oldest call.
//!
//! Easy to get wrong: a call lives on after a restart, so a ladder goes on where the file ends.

use std::fs::OpenOptions;
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior, params};

use super::error::StoreError;
use crate::base::{IncidentId, Stamp};
use crate::sip::{Hop, Transport};

/// The first messages of a call that are kept.
pub const HEAD: i64 = 100;
/// The last ones.
pub const TAIL: i64 = 100;
/// All calls together, in bytes of the file.
const BYTES_MAX: i64 = 256 << 20;
/// Calls that are taken away in one go.
const AT_ONCE: u32 = 100;
/// How many groups are written before it is looked how large the file is.
const SELDOM: u32 = 64;

/// "hanl" in ASCII.
const APPLICATION: i64 = 0x6861_6e6c;
const VERSION: i64 = 1;
const TABLES: &str = "
    CREATE TABLE ladders (
        id INTEGER PRIMARY KEY,
        call_id TEXT NOT NULL UNIQUE,
        last INTEGER NOT NULL,       -- when its last message went by: microseconds since 1970-01-01T00:00:00Z
        seen INTEGER NOT NULL,       -- how many there were, kept or not
        incident TEXT,               -- where only these messages say so: a way that an attempt took later
        attempt INTEGER
    ) STRICT;
    CREATE INDEX ladders_of_incident ON ladders (incident, attempt) WHERE incident IS NOT NULL;
    CREATE TABLE messages (
        id INTEGER PRIMARY KEY,
        ladder INTEGER NOT NULL,
        place INTEGER NOT NULL,      -- from 1
        at INTEGER NOT NULL,
        sent INTEGER NOT NULL,       -- 1: by us
        transport TEXT NOT NULL,
        local TEXT NOT NULL,
        remote TEXT NOT NULL,
        bytes BLOB NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX messages_of_ladder ON messages (ladder, place);
";

/// One message that went by.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Passed {
    /// When.
    pub at: Stamp,
    /// By us; else it came.
    pub sent: bool,
    /// Our end.
    pub local: SocketAddr,
    /// The other end.
    pub remote: Hop,
    /// What is kept of it.
    pub bytes: Vec<u8>,
}

/// A message and the call it belongs to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Kept {
    /// Of which call.
    pub call_id: String,
    /// It may be the first of its call; else it is kept only where others of its call are.
    pub begins: bool,
    /// The message.
    pub passed: Passed,
}

/// The messages of a call.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Ladder {
    /// In the order they went by.
    pub messages: Vec<Passed>,
    /// How many are missing behind the first ones, and how many messages stand before them.
    pub gap: Option<(u64, usize)>,
}

/// The file, for writing and reading.
#[derive(Debug)]
pub struct Ladders {
    db: Connection,
    path: PathBuf,
    bytes_max: i64,
    /// Groups until it is looked how large the file is.
    until_look: u32,
}

impl Ladders {
    /// Where the file stands that belongs to this journal.
    pub fn beside(journal: &Path) -> PathBuf {
        journal.with_extension("ladders.db")
    }

    /// Opens the file, making it where there is none, readable for its owner alone.
    pub fn open(path: &Path) -> Result<Ladders, StoreError> {
        let made = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path);
        made.map_err(|problem| StoreError::Open { path: path.to_owned(), problem: problem.to_string() })?;
        let failed = |error: rusqlite::Error| StoreError::of(path, "read", &error);
        let mut db = Connection::open(path).map_err(failed)?;
        prepare(&mut db, path)?;
        Ok(Ladders { db, path: path.to_owned(), bytes_max: BYTES_MAX, until_look: 0 })
    }

    /// Keeps all of these or none, in order. Returns the places of those that belong to no call that is kept.
    pub fn keep(&mut self, all: &[Kept]) -> Result<Vec<usize>, StoreError> {
        self.make_room()?;
        let written = write(&mut self.db, all);
        written.map_err(|error| StoreError::of(&self.path, "written", &error))
    }

    /// The messages of a call; none when there are none.
    pub fn of(&self, call_id: &str) -> Result<Ladder, StoreError> {
        read(&self.db, call_id).map_err(|error| StoreError::of(&self.path, "read", &error))
    }

    /// Notes that a call is a way which this attempt took, where others did not lead to anybody.
    pub fn is_way_of(&self, call_id: &str, incident: IncidentId, attempt: u32) -> Result<(), StoreError> {
        let sql = "UPDATE ladders SET incident = ?2, attempt = ?3 WHERE call_id = ?1";
        let noted = self.db.execute(sql, params![call_id, incident.to_string(), attempt]);
        noted.map(drop).map_err(|error| StoreError::of(&self.path, "written", &error))
    }

    /// The Call-IDs of the ways that were noted so, in the order they were taken.
    pub fn ways_of(&self, incident: IncidentId, attempt: u32) -> Result<Vec<String>, StoreError> {
        let ways = || -> rusqlite::Result<Vec<String>> {
            let sql = "SELECT call_id FROM ladders WHERE incident = ?1 AND attempt = ?2 ORDER BY id";
            let mut statement = self.db.prepare_cached(sql)?;
            let ways = statement.query_map(params![incident.to_string(), attempt], |row| row.get(0))?;
            ways.collect()
        };
        ways().map_err(|error| StoreError::of(&self.path, "read", &error))
    }

    /// The Call-IDs of the calls that began last, the latest first.
    pub fn latest(&self, most: u32) -> Result<Vec<String>, StoreError> {
        let latest = || -> rusqlite::Result<Vec<String>> {
            let mut statement = self.db.prepare_cached("SELECT call_id FROM ladders ORDER BY id DESC LIMIT ?1")?;
            let latest = statement.query_map(params![most], |row| row.get(0))?;
            latest.collect()
        };
        latest().map_err(|error| StoreError::of(&self.path, "read", &error))
    }

    /// Takes away calls whose last message went by before; returns how many, [`AT_ONCE`] at the most.
    pub fn forget(&mut self, before: Stamp) -> Result<usize, StoreError> {
        let which = "SELECT id FROM ladders WHERE last < ?1 ORDER BY id LIMIT ?2";
        self.take_away(which, before.as_unix_micros())
    }

    /// Takes away the oldest calls while the file is too large.
    fn make_room(&mut self) -> Result<(), StoreError> {
        if self.until_look > 0 {
            self.until_look -= 1;
            return Ok(());
        }
        let size = |db: &Connection| -> rusqlite::Result<i64> {
            let pragma = |name| db.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
            Ok((pragma("page_count")? - pragma("freelist_count")?).saturating_mul(pragma("page_size")?))
        };
        let size = size(&self.db).map_err(|error| StoreError::of(&self.path, "read", &error))?;
        if size > self.bytes_max {
            // Every call is older than the end of time.
            self.take_away("SELECT id FROM ladders WHERE last <= ?1 ORDER BY id LIMIT ?2", i64::MAX)?;
        } else {
            self.until_look = SELDOM;
        }
        Ok(())
    }

    fn take_away(&mut self, which: &str, before: i64) -> Result<usize, StoreError> {
        let gone = take_away(&mut self.db, which, before);
        gone.map_err(|error| StoreError::of(&self.path, "written", &error))
    }
}

/// Makes the tables, or says why the file must not be touched.
fn prepare(db: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let failed = |error: rusqlite::Error| StoreError::of(path, "read", &error);
    let pragma = |db: &Connection, name: &str| db.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let application = pragma(db, "application_id").map_err(failed)?;
    let found = pragma(db, "user_version").map_err(failed)?;
    let tables: i64 = db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(failed)?;
    let fresh = application == 0 && found == 0 && tables == 0;
    if !fresh && application != APPLICATION {
        return Err(StoreError::Foreign(path.to_owned()));
    }
    if found > VERSION {
        return Err(StoreError::Newer { path: path.to_owned(), found, known: VERSION });
    }
    let written = |error: rusqlite::Error| StoreError::of(path, "written", &error);
    db.pragma_update(None, "journal_mode", "WAL").map_err(written)?;
    db.pragma_update(None, "synchronous", "NORMAL").map_err(written)?;
    if fresh {
        let all = db.transaction_with_behavior(TransactionBehavior::Immediate).map_err(written)?;
        all.execute_batch(TABLES).map_err(written)?;
        all.pragma_update(None, "application_id", APPLICATION).map_err(written)?;
        all.pragma_update(None, "user_version", VERSION).map_err(written)?;
        all.commit().map_err(written)?;
    }
    Ok(())
}

fn write(db: &mut Connection, messages: &[Kept]) -> rusqlite::Result<Vec<usize>> {
    let all = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut nobodys = Vec::new();
    for (number, message) in messages.iter().enumerate() {
        match place(&all, message)? {
            Some((ladder, place)) => add(&all, ladder, place, &message.passed)?,
            None => nobodys.push(number),
        }
    }
    all.commit()?;
    Ok(nobodys)
}

/// The ladder of a message and its place there.
fn place(all: &Transaction<'_>, message: &Kept) -> rusqlite::Result<Option<(i64, i64)>> {
    let at = message.passed.at.as_unix_micros();
    let sql = "UPDATE ladders SET seen = seen + 1, last = max(last, ?2) WHERE call_id = ?1 RETURNING id, seen";
    let known = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
    let found = all.prepare_cached(sql)?.query_row(params![message.call_id, at], known).optional()?;
    if found.is_some() || !message.begins {
        return Ok(found);
    }
    let sql = "INSERT INTO ladders (call_id, last, seen) VALUES (?1, ?2, 1)";
    Ok(Some((all.prepare_cached(sql)?.insert(params![message.call_id, at])?, 1)))
}

fn add(all: &Transaction<'_>, ladder: i64, place: i64, passed: &Passed) -> rusqlite::Result<()> {
    let sql = "INSERT INTO messages (ladder, place, at, sent, transport, local, remote, bytes)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    all.prepare_cached(sql)?.execute(params![
        ladder,
        place,
        passed.at.as_unix_micros(),
        passed.sent,
        passed.remote.transport.as_str(),
        passed.local.to_string(),
        passed.remote.address.to_string(),
        passed.bytes,
    ])?;
    let leaves = place - TAIL;
    if leaves > HEAD {
        let sql = "DELETE FROM messages WHERE ladder = ?1 AND place = ?2";
        all.prepare_cached(sql)?.execute(params![ladder, leaves])?;
    }
    Ok(())
}

fn read(db: &Connection, call_id: &str) -> rusqlite::Result<Ladder> {
    let sql = "SELECT m.place, m.at, m.sent, m.transport, m.local, m.remote, m.bytes
               FROM ladders l JOIN messages m ON m.ladder = l.id WHERE l.call_id = ?1 ORDER BY m.place";
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query([call_id])?;
    let (mut ladder, mut before) = (Ladder::default(), 0);
    while let Some(row) = rows.next()? {
        let place: i64 = row.get(0)?;
        let missing = u64::try_from(place - before - 1).unwrap_or(0);
        if missing > 0 {
            ladder.gap = Some((missing, ladder.messages.len()));
        }
        before = place;
        let text = |column| row.get::<_, String>(column);
        let (transport, local, remote) = (Transport::parse(&text(3)?), text(4)?.parse(), text(5)?.parse());
        // One that was written by nobody of us is left out.
        if let (Some(transport), Ok(local), Ok(address)) = (transport, local, remote) {
            let remote = Hop { transport, address, line: None };
            let at = Stamp::from_unix_micros(row.get(1)?);
            ladder.messages.push(Passed { at, sent: row.get(2)?, local, remote, bytes: row.get(6)? });
        }
    }
    Ok(ladder)
}

fn take_away(db: &mut Connection, which: &str, before: i64) -> rusqlite::Result<usize> {
    let all = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let ids: Vec<i64> = {
        let mut statement = all.prepare_cached(which)?;
        let ids = statement.query_map(params![before, AT_ONCE], |row| row.get(0))?;
        ids.collect::<rusqlite::Result<_>>()?
    };
    for id in &ids {
        all.prepare_cached("DELETE FROM messages WHERE ladder = ?1")?.execute([id])?;
        all.prepare_cached("DELETE FROM ladders WHERE id = ?1")?.execute([id])?;
    }
    all.commit()?;
    Ok(ids.len())
}

#[cfg(test)]
mod tests;
