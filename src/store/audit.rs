//! The chain over what an auditor asks about: who was dialled, who was not and why, what each call came to, which
//! keys were pressed, who took or ended an incident, promises to stay quiet, tokens, configurations, and what was
//! changed in the directory.
//!
//! Each such fact has a line in the table `audit`, written in one transaction with it:
//!
//! ```text
//! content = SHA-256( seq ‖ length of incident ‖ incident ‖ at ‖ body )      the fact alone, as it lies in the file
//! digest  = SHA-256( digest of the line before ‖ content )                  everything up to it
//! ```
//!
//! Numbers are 8 bytes, the most significant first; before the first line stand 32 zero bytes. What retention takes
//! away leaves its line here, marked as gone, so that the chain stays whole; a fact of the house says how many went
//! ([`HouseFact::Forgotten`]). Easy to get wrong: what is not chained may be anything, so whether a fact belongs
//! here is asked of the text in the file, never of what we meant to write.
//!
//! [`HouseFact::Forgotten`]: crate::incident::HouseFact::Forgotten

use core::fmt;
use std::borrow::Cow;

use rusqlite::{Connection, OptionalExtension as _, Transaction, params};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use crate::base::hex;

/// The facts of an incident that are chained, by the names they are stored under.
const OF_INCIDENTS: [&str; 17] = [
    "accepted",
    "again",
    "answered",
    "called_in",
    "cancelled",
    "claimed",
    "cleared",
    "dialled",
    "ended",
    "escalated",
    "key",
    "left",
    "quieted",
    "resolved",
    "skipped",
    "suppressed",
    "taken",
];
/// Those that were not chained at first: a journal may hold some that are not, before the first that is.
const SINCE_LATER: [&str; 2] = ["answered", "ended"];
/// The facts of the house that are chained.
const OF_THE_HOUSE: [&str; 11] = [
    "configured",
    "dial_refused",
    "directory_removed",
    "directory_set",
    "forgotten",
    "lifted",
    "reloaded",
    "room_ordered",
    "suppressed",
    "token_created",
    "token_revoked",
];

/// SHA-256.
pub(super) type Hash = [u8; 32];

/// The end of the chain: note it elsewhere, and nobody can change what lies before it unseen.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Head {
    /// The last line that is chained; 0 before the first.
    pub seq: i64,
    /// What everything up to it comes to.
    pub digest: [u8; 32],
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.digest))
    }
}

#[derive(Deserialize)]
struct Tag<'a> {
    #[serde(borrow, default)]
    fact: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    house: Option<Cow<'a, str>>,
}

/// Does a fact belong into the chain? `None`: nobody can read what it is.
pub(super) fn is_chained(incident: &str, body: &str) -> Option<bool> {
    let Tag { fact, house } = serde_json::from_str(body).ok()?;
    if incident.is_empty() {
        return Some(OF_THE_HOUSE.contains(&house?.as_ref()));
    }
    Some(OF_INCIDENTS.contains(&fact?.as_ref()))
}

/// Is it a fact of an incident that older programs did not chain?
pub(super) fn is_since_later(incident: &str, body: &str) -> bool {
    let fact = serde_json::from_str(body).ok().and_then(|Tag { fact, .. }| fact);
    !incident.is_empty() && fact.is_some_and(|fact| SINCE_LATER.contains(&fact.as_ref()))
}

/// A fact as it lies in the file.
pub(super) fn content(seq: i64, incident: &str, at: i64, body: &str) -> Hash {
    let length = u64::try_from(incident.len()).unwrap_or(u64::MAX);
    Sha256::new()
        .chain_update(seq.to_be_bytes())
        .chain_update(length.to_be_bytes())
        .chain_update(incident)
        .chain_update(at.to_be_bytes())
        .chain_update(body)
        .finalize()
        .into()
}

/// What everything up to a line comes to.
pub(super) fn link(before: &Hash, content: &Hash) -> Hash {
    Sha256::new().chain_update(before).chain_update(content).finalize().into()
}

/// The chain's end while a transaction adds to it.
pub(super) struct Chain<'a> {
    all: &'a Transaction<'a>,
    head: Head,
    moved: bool,
}

impl<'a> Chain<'a> {
    /// Takes up the chain where the file has it.
    pub(super) fn take_up(all: &'a Transaction<'a>) -> rusqlite::Result<Chain<'a>> {
        Ok(Chain { all, head: head(all)?, moved: false })
    }

    /// A fact was written: it is chained when it belongs here.
    pub(super) fn add(&mut self, seq: i64, incident: &str, at: i64, body: &str) -> rusqlite::Result<()> {
        if is_chained(incident, body) != Some(true) {
            return Ok(());
        }
        let content = content(seq, incident, at, body);
        let digest = link(&self.head.digest, &content);
        let mut insert = self.all.prepare_cached("INSERT INTO audit (seq, content, digest) VALUES (?1, ?2, ?3)")?;
        insert.execute(params![seq, content, digest])?;
        (self.head, self.moved) = (Head { seq, digest }, true);
        Ok(())
    }

    /// Notes where the chain ends now.
    pub(super) fn close(self) -> rusqlite::Result<()> {
        if self.moved {
            let sql = "INSERT OR REPLACE INTO audit_head (place, seq, digest) VALUES (0, ?1, ?2)";
            self.all.prepare_cached(sql)?.execute(params![self.head.seq, self.head.digest])?;
        }
        Ok(())
    }
}

/// Where the file says that the chain ends.
pub(super) fn head(db: &Connection) -> rusqlite::Result<Head> {
    let mut select = db.prepare_cached("SELECT seq, digest FROM audit_head")?;
    let head = select.query_row([], |row| Ok(Head { seq: row.get(0)?, digest: row.get(1)? })).optional()?;
    Ok(head.unwrap_or_default())
}
