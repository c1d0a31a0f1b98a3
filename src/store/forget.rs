//! Retention: what is old enough is taken away, a little at a time.
//!
//! An incident goes as a whole, when its last fact is old and nobody is called for it any more. A fact of the house
//! goes when it says nothing about now: a promise that has run out, a token that opens nothing, a message that was
//! sent. The highest number of each kind stays, because numbers are never used again. What was chained for the audit
//! leaves its hashes, so that the chain stays whole, and a fact that says how much was taken is written before
//! anything goes: it also keeps the newest line of the journal from being one that goes, whose number would then be
//! given to another.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use super::Entry;
use super::audit::Chain;
use super::insert;
use crate::base::{IncidentId, Stamp, seeded};
use crate::incident::{HouseFact, Kind};

/// Incidents in one transaction.
const INCIDENTS: u32 = 50;
/// Facts of the house in one transaction.
const LINES: usize = 1_000;

/// What was taken away.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Forgot {
    /// Whole incidents.
    pub incidents: u32,
    /// Facts of the house.
    pub lines: u32,
}

impl Forgot {
    /// True when nothing was left to take.
    pub fn is_nothing(&self) -> bool {
        *self == Forgot::default()
    }
}

/// Takes away some of what is older than `before`; returns the `seq` of the line that says so.
pub(super) fn forget(db: &mut Connection, now: Stamp, before: Stamp) -> rusqlite::Result<(Forgot, Option<i64>)> {
    let all = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let incidents = old_incidents(&all, before)?;
    let lines = if incidents.is_empty() { old_lines(&all, before)? } else { Vec::new() };
    let forgot = Forgot { incidents: count(incidents.len()), lines: count(lines.len()) };
    if forgot.is_nothing() {
        return Ok((forgot, None));
    }
    let mut chained = 0;
    for incident in &incidents {
        let sql = "UPDATE audit SET gone = 1 WHERE seq IN (SELECT seq FROM facts WHERE incident = ?1)";
        chained += all.prepare_cached(sql)?.execute([incident])?;
    }
    for seq in &lines {
        chained += all.prepare_cached("UPDATE audit SET gone = 1 WHERE seq = ?1")?.execute([seq])?;
    }
    let fact = HouseFact::Forgotten { before, incidents: forgot.incidents, chained: count(chained) };
    let mut chain = Chain::take_up(&all)?;
    let last = insert::add(&all, &mut chain, &Entry::House(now, fact))?;
    chain.close()?;
    for incident in &incidents {
        for sql in [
            "DELETE FROM calls WHERE seq IN (SELECT seq FROM facts WHERE incident = ?1)",
            "DELETE FROM facts WHERE incident = ?1",
            "DELETE FROM incidents WHERE id = ?1",
        ] {
            all.prepare_cached(sql)?.execute([incident])?;
        }
    }
    for seq in &lines {
        all.prepare_cached("DELETE FROM facts WHERE seq = ?1")?.execute([seq])?;
    }
    all.commit()?;
    Ok((forgot, Some(last)))
}

/// Incidents that are over, with no call up, whose last fact is older than `before`.
fn old_incidents(all: &Transaction<'_>, before: Stamp) -> rusqlite::Result<Vec<String>> {
    // Their names sort by when they began, so nothing younger is looked at.
    let youngest = IncidentId::new(before, &mut seeded(0)).to_string();
    let sql = "SELECT id FROM incidents WHERE id <= ?1 AND closed = 1
                 AND NOT EXISTS (SELECT 1 FROM calls_up WHERE incident = id)
                 AND (SELECT at FROM facts WHERE incident = id ORDER BY seq DESC LIMIT 1) < ?2
               ORDER BY id LIMIT ?3";
    let mut statement = all.prepare_cached(sql)?;
    let ids = statement.query_map(params![youngest, before.as_unix_micros(), INCIDENTS], |row| row.get(0))?;
    ids.collect()
}

/// Facts of the house that are older than `before` and say nothing about now.
fn old_lines(all: &Transaction<'_>, before: Stamp) -> rusqlite::Result<Vec<i64>> {
    let mut statement = all.prepare_cached("SELECT seq, at, body FROM facts WHERE incident = '' ORDER BY seq")?;
    let mut rows = statement.query([])?;
    let mut sheets = Sheets::default();
    while let Some(row) = rows.next()? {
        // One that cannot be read is left alone.
        if let Ok(fact) = serde_json::from_str(row.get_ref(2)?.as_str()?) {
            sheets.enter(row.get(0)?, Stamp::from_unix_micros(row.get(1)?), &fact);
        }
    }
    Ok(sheets.old(before))
}

/// The facts of the house by what they are about.
#[derive(Default)]
struct Sheets {
    sheets: BTreeMap<(&'static str, u32), Sheet>,
    /// Those that stand for themselves.
    single: Vec<(i64, Stamp)>,
    /// Configurations, the last of which holds.
    configured: Vec<(i64, Stamp)>,
    /// What the directory held, by its kind and its id; the last line holds, unless it says that it was deleted.
    directory: BTreeMap<(Kind, String), Vec<Shelved>>,
    /// Where users' phones were, by the user and the phone, in the same way.
    phones: BTreeMap<(String, String), Vec<Shelved>>,
}

/// A line about something of the directory, when it was written, and whether it says that it is there.
type Shelved = (i64, Stamp, bool);

/// What the journal has about one number.
#[derive(Default)]
struct Sheet {
    lines: Vec<i64>,
    /// When it stopped, or will stop, to mean anything; never while this is `None`.
    over: Option<Stamp>,
}

impl Sheets {
    fn enter(&mut self, seq: i64, at: Stamp, fact: &HouseFact) {
        let (kind, number, over) = match fact {
            HouseFact::Suppressed { suppression } => ("suppression", suppression.id, Some(suppression.until.max(at))),
            HouseFact::Lifted { suppression, .. } => ("suppression", *suppression, Some(at)),
            HouseFact::TokenCreated { token, .. } => ("token", token.id, token.expires.map(|until| until.max(at))),
            HouseFact::TokenRevoked { token, .. } => ("token", *token, Some(at)),
            HouseFact::Inquired { inquiry, .. } => ("inquiry", *inquiry, None),
            HouseFact::InquiryAccepted { inquiry, .. } => ("inquiry", *inquiry, Some(at)),
            HouseFact::InquiryRefused { inquiry } => ("inquiry", *inquiry, Some(at)),
            HouseFact::MessageQueued { message, .. } => ("message", *message, None),
            HouseFact::MessageSent { message } | HouseFact::MessageFailed { message, .. } => {
                ("message", *message, Some(at))
            }
            HouseFact::LineUp { line, .. } | HouseFact::LineRecords { line, .. } | HouseFact::LineRecorded { line } => {
                ("line", *line, None)
            }
            HouseFact::LineDown { line } => ("line", *line, Some(at)),
            HouseFact::DialRefused { .. } | HouseFact::RoomOrdered { .. } => return self.single.push((seq, at)),
            HouseFact::Configured { .. } | HouseFact::Reloaded { .. } => return self.configured.push((seq, at)),
            HouseFact::DirectorySet { kind, id, .. } => return self.shelve(*kind, id, (seq, at, true)),
            HouseFact::DirectoryRemoved { kind, id, .. } => return self.shelve(*kind, id, (seq, at, false)),
            HouseFact::UserRegistered { user, phone, .. } => return self.phone(user, phone, (seq, at, true)),
            HouseFact::UserUnregistered { user, phone } => return self.phone(user, phone, (seq, at, false)),
            // They vouch for what is gone.
            HouseFact::Forgotten { .. } => return,
        };
        let sheet = self.sheets.entry((kind, number)).or_default();
        sheet.lines.push(seq);
        sheet.over = over.or(sheet.over);
    }

    fn shelve(&mut self, kind: Kind, id: &str, line: Shelved) {
        self.directory.entry((kind, id.to_owned())).or_default().push(line);
    }

    fn phone(&mut self, user: &str, phone: &str, line: Shelved) {
        self.phones.entry((user.to_owned(), phone.to_owned())).or_default().push(line);
    }

    fn old(mut self, before: Stamp) -> Vec<i64> {
        self.configured.pop();
        let single = self.single.into_iter().chain(self.configured);
        let mut old: Vec<i64> = single.filter(|(_, at)| *at < before).map(|(seq, _)| seq).collect();
        let highest: BTreeMap<&str, u32> = self.sheets.keys().copied().collect();
        let highest: BTreeSet<_> = highest.into_iter().collect();
        old.truncate(LINES);
        for mut lines in self.directory.into_values().chain(self.phones.into_values()) {
            // What holds stays. What was deleted goes as a whole, or an older line would hold again.
            let holds = lines.pop_if(|(_, _, set)| *set).is_some();
            let last = lines.last().map(|(_, at, _)| *at);
            if old.len() < LINES && (holds || last.is_some_and(|at| at < before)) {
                old.extend(lines.into_iter().filter(|(_, at, _)| *at < before).map(|(seq, ..)| seq));
            }
        }
        for (of, sheet) in self.sheets {
            // A sheet goes as a whole: a message without the line that it was sent would be sent again.
            if old.len() < LINES && sheet.over.is_some_and(|over| over < before) && !highest.contains(&of) {
                old.extend(sheet.lines);
            }
        }
        old
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
