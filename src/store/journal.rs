//! The journal file: its one writer, and readers beside it.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::audit::{self, Head};
use super::error::StoreError;
use super::forget::{self, Forgot};
use super::verify::{self, Verdict};
use super::writer::Cursors;
use super::{Call, Dialled, Entry, History, HouseHistory, insert, query, schema};
use crate::base::{IncidentId, Stamp};
use crate::incident::State;

/// How long a reader that starts up may hold the writer back before that is an error.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often a lock that somebody holds is tried again, and how long after: half a second in all.
const LOCK_TRIES: u32 = 20;
const LOCK_PAUSE: Duration = Duration::from_millis(25);

/// The journal, opened for writing. While it lives nobody else can open the same file for writing.
#[derive(Debug)]
pub struct Journal {
    db: Connection,
    path: PathBuf,
    /// The `seq` of the newest line; 0 before the first.
    last: i64,
    /// Locked for as long as this journal lives; the kernel lets go of it even after `kill -9`.
    _held: File,
}

/// A read-only view of a journal that somebody else may be writing; for another thread.
#[derive(Debug)]
pub struct Reader {
    db: Connection,
    path: PathBuf,
}

impl Journal {
    /// Opens the journal, making it (and its folder) where there is none, readable for its owner alone: it
    /// holds names and telephone numbers.
    pub fn open(path: &Path) -> Result<Journal, StoreError> {
        let failed = |problem: std::io::Error| StoreError::Open { path: path.to_owned(), problem: problem.to_string() };
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
        }
        let private =
            |path: &Path| OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path);
        // A file beside it: locks on the database itself would disturb SQLite's own (and its readers).
        let held = private(&lock_path(path)).map_err(failed)?;
        hold(&held).map_err(|error| match error {
            TryLockError::WouldBlock => StoreError::Held(path.to_owned()),
            TryLockError::Error(problem) => failed(problem),
        })?;
        private(path).map_err(failed)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut db = connect(path, flags)?;
        schema::prepare(&mut db, path)?;
        let last = query::last(&db, path)?;
        Ok(Journal { db, path: path.to_owned(), last, _held: held })
    }

    /// Writes all of `entries` or none, in order. When it returns they survive a power cut.
    pub fn append(&mut self, entries: &[Entry]) -> Result<(), StoreError> {
        self.append_with(entries, &Cursors::new())
    }

    /// The same, and how far readers have come: all of it or nothing.
    pub(super) fn append_with<'a>(
        &mut self,
        entries: impl IntoIterator<Item = &'a Entry>,
        cursors: &Cursors,
    ) -> Result<(), StoreError> {
        let written = insert::write(&mut self.db, entries, cursors);
        self.last = written.map_err(|error| StoreError::of(&self.path, "written", &error))?.unwrap_or(self.last);
        Ok(())
    }

    /// Takes away some of what is older than `before`, and returns what that was: nothing when nothing is left to
    /// take away. One call is one small transaction, so that facts need not wait long behind it.
    pub fn forget(&mut self, now: Stamp, before: Stamp) -> Result<Forgot, StoreError> {
        let (forgot, last) =
            forget::forget(&mut self.db, now, before).map_err(|error| StoreError::of(&self.path, "written", &error))?;
        self.last = last.unwrap_or(self.last);
        Ok(forgot)
    }

    /// The `seq` of the newest line, which is on the disk; 0 before the first.
    pub fn last(&self) -> i64 {
        self.last
    }

    /// The incidents that must go on after a restart, oldest first: those without a final fact, and those
    /// with calls that have not ended (an acknowledged one whose people are still in its room, say).
    pub fn open_ids(&self) -> Result<Vec<IncidentId>, StoreError> {
        query::open(&self.db, &self.path)
    }

    /// All facts of one incident, oldest first; empty when there is no such incident.
    pub fn facts(&self, incident: IncidentId) -> Result<History, StoreError> {
        query::facts(&self.db, &self.path, incident)
    }

    /// All facts of the house, oldest first.
    pub fn house(&self) -> Result<HouseHistory, StoreError> {
        query::house(&self.db, &self.path)
    }

    /// Where the chain over the audited facts ends.
    pub fn head(&self) -> Result<Head, StoreError> {
        audit::head(&self.db).map_err(|error| StoreError::of(&self.path, "read", &error))
    }

    /// A second connection to the same file, for reading from another thread.
    pub fn reader(&self) -> Result<Reader, StoreError> {
        Reader::open(&self.path)
    }

    #[cfg(test)]
    pub(super) fn connection(&self) -> &Connection {
        &self.db
    }
}

impl Reader {
    /// Opens an existing journal for reading; it works while a [`Journal`] writes the same file.
    pub fn open(path: &Path) -> Result<Reader, StoreError> {
        let db = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        schema::check(&db, path)?;
        Ok(Reader { db, path: path.to_owned() })
    }

    /// All facts of one incident, oldest first; empty when there is no such incident.
    pub fn facts(&self, incident: IncidentId) -> Result<History, StoreError> {
        query::facts(&self.db, &self.path, incident)
    }

    /// All facts of the house, oldest first.
    pub fn house(&self) -> Result<HouseHistory, StoreError> {
        query::house(&self.db, &self.path)
    }

    /// The newest incidents first, at most `limit`; those older than `before`, and those that stand at `state`,
    /// where that is asked for.
    pub fn incidents(
        &self,
        before: Option<IncidentId>,
        state: Option<State>,
        limit: u32,
    ) -> Result<Vec<IncidentId>, StoreError> {
        query::incidents(&self.db, &self.path, before, state, limit)
    }

    /// Calls of all incidents, the one that began last first, at most `limit`; those that began before the line
    /// `before`, where that is asked for.
    pub fn calls(&self, before: Option<i64>, limit: u32) -> Result<Vec<Call>, StoreError> {
        query::calls(&self.db, &self.path, before, limit)
    }

    /// Incidents that somebody took and to which something happened from `since` on, oldest first, at most `limit`.
    pub fn taken(&self, since: Stamp, limit: u32) -> Result<Vec<IncidentId>, StoreError> {
        query::taken(&self.db, &self.path, since, limit)
    }

    /// Whom we dialled from `since` on, oldest first, at most `limit` of them, the last ones.
    pub fn dialled(&self, since: Stamp, limit: u32) -> Result<Vec<Dialled>, StoreError> {
        query::dialled(&self.db, &self.path, since, limit)
    }

    /// The audited facts from `since` on, in the order of the journal, handed over one by one until `take` says
    /// false.
    pub fn audited(&self, since: Stamp, take: impl FnMut(i64, Entry) -> bool) -> Result<(), StoreError> {
        query::audited(&self.db, &self.path, since, take)
    }

    /// Walks the chain over the audited facts. `noted`: a head that was noted elsewhere, in hexadecimal.
    pub fn verify(&self, noted: Option<&str>) -> Result<Verdict, StoreError> {
        verify::verify(&self.db, &self.path, noted)
    }

    /// What happened after the line `seq`, to incidents and to the house, in the order of the journal: at most
    /// `limit` lines, each with its own `seq`. Whoever follows the journal goes on behind the last one they got; a
    /// line once there keeps its number, and no number is used again.
    pub fn after(&self, seq: i64, limit: u32) -> Result<Vec<(i64, Entry)>, StoreError> {
        query::after(&self.db, &self.path, seq, limit)
    }

    /// The `seq` of the newest line; 0 before the first. Who follows for the first time begins here.
    pub fn last(&self) -> Result<i64, StoreError> {
        query::last(&self.db, &self.path)
    }

    /// How far a follower had come; `None` when there never was one of that name.
    pub fn cursor(&self, name: &str) -> Result<Option<i64>, StoreError> {
        query::cursor(&self.db, &self.path, name)
    }
}

fn connect(path: &Path, flags: OpenFlags) -> Result<Connection, StoreError> {
    let failed = |error: rusqlite::Error| StoreError::of(path, "read", &error);
    let db = Connection::open_with_flags(path, flags).map_err(failed)?;
    db.busy_timeout(PATIENCE).map_err(failed)?;
    Ok(db)
}

/// Locks the file for us alone. A hansho that was killed while it started a voice maker leaves the lock with that
/// child until it has become the other program, so a lock that is held is tried again for a moment.
#[allow(clippy::disallowed_methods, reason = "at start only, before anything runs")]
fn hold(file: &File) -> Result<(), TryLockError> {
    for _ in 0..LOCK_TRIES {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => std::thread::sleep(LOCK_PAUSE),
            done => return done,
        }
    }
    file.try_lock()
}

fn lock_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    PathBuf::from(name)
}
