//! What can go wrong with the journal, as sentences for a person at three in the morning.

use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

/// Why the journal could not be opened, written or read.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process holds the journal.
    #[error("another hansho is using the journal {0}; stop it first, or give this one its own data_dir")]
    Held(PathBuf),
    /// The file or its folder could not be made or opened.
    #[error("cannot open the journal {path}: {problem}; check that the folder exists and that hansho may write there")]
    Open {
        /// The journal.
        path: PathBuf,
        /// In the operating system's words.
        problem: String,
    },
    /// The file is no journal of hansho.
    #[error("{0} is not a journal of hansho: another program made this file; give store.url another name")]
    Foreign(PathBuf),
    /// The file is damaged.
    #[error(
        "the journal {path} is damaged ({problem}); move it and its -wal file away (keep both: \
         `sqlite3 FILE .recover` may save the history) and start again with an empty one"
    )]
    Damaged {
        /// The journal.
        path: PathBuf,
        /// In SQLite's words.
        problem: String,
    },
    /// A newer hansho made it.
    #[error("the journal {path} has version {found}, and this hansho knows up to {known}; run the newer hansho again")]
    Newer {
        /// The journal.
        path: PathBuf,
        /// The version of the file.
        found: i64,
        /// The newest version this program reads.
        known: i64,
    },
    /// An older hansho made it, and only reading is allowed.
    #[error(
        "the journal {path} has version {found}, and this hansho reads version {known}: run `hansho run` once, which \
         brings it up to date"
    )]
    Older {
        /// The journal.
        path: PathBuf,
        /// The version of the file.
        found: i64,
        /// The version this program reads.
        known: i64,
    },
    /// The disk, or the quota, is full.
    #[error("cannot write the journal {0}: the disk is full (SQLITE_FULL); free space and hansho goes on by itself")]
    Full(PathBuf),
    /// A row says something this hansho does not understand.
    #[error("row {seq} of the journal {path} cannot be read: {problem}; was it written by a newer hansho?")]
    Row {
        /// The journal.
        path: PathBuf,
        /// The row's `seq` in the table `facts`.
        seq: i64,
        /// What is wrong with it.
        problem: String,
    },
    /// An earlier fact of the same incident, or of the house, is not stored, so this one must not be.
    #[error("not written: an earlier fact of {0} could not be stored")]
    Behind(String),
    /// Whatever else SQLite says.
    #[error("the journal {path} could not be {doing}: {problem}")]
    Failed {
        /// The journal.
        path: PathBuf,
        /// `read` or `written`.
        doing: &'static str,
        /// In SQLite's words.
        problem: String,
    },
}

impl StoreError {
    /// Turns SQLite's error into ours; `doing` is `read` or `written`.
    pub(super) fn of(path: &Path, doing: &'static str, error: &rusqlite::Error) -> StoreError {
        let (path, problem) = (path.to_owned(), error.to_string());
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => StoreError::Full(path),
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StoreError::Damaged { path, problem },
            Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => StoreError::Open { path, problem },
            _ => StoreError::Failed { path, doing, problem },
        }
    }
}
