//! Group commit: whatever waits becomes durable together, and each sender learns of its own part.
//!
//! The shell runs [`serve`] on a thread of its own; nothing here starts one. While one group is being synced
//! the next one gathers in the channel, so the disk's own speed decides how large groups are.
//!
//! Easy to get wrong: when a group fails, one batch may be to blame for all, so each is tried alone; and when
//! a batch fails alone, a later batch of the same incident (or of the house, which is one more of them) must fail
//! with it, or the history would have a hole; also one that was sent before its sender could know ([`Batch::knows`]). A cursor is nobody's reason to refuse
//! a fact: one that could not be stored waits for the next group.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc::{Receiver, TryRecvError};

use super::Entry;
use super::error::StoreError;
use super::forget::Forgot;
use super::journal::Journal;
use crate::base::{IncidentId, Stamp};

/// The most orders in one transaction: bounds how long the first of them waits for the last.
const GROUP: usize = 256;

/// What the thread is asked for.
#[derive(Clone, PartialEq, Debug)]
pub enum Order<T> {
    /// Write facts.
    Write(Batch<T>),
    /// A reader has come as far as the line `seq`.
    Cursor {
        /// Whose.
        name: String,
        /// The last line it has dealt with.
        seq: i64,
    },
    /// Take away what is older than `before`, a little whenever nothing else is to be done.
    Forget {
        /// The calendar now.
        now: Stamp,
        /// Nothing younger.
        before: Stamp,
    },
    /// What stands before this is written, and nothing behind it.
    End,
}

/// Facts that become durable together or not at all.
#[derive(Clone, PartialEq, Debug)]
pub struct Batch<T> {
    /// Given back with the result; the sender's own business.
    pub ticket: T,
    /// In order.
    pub entries: Vec<Entry>,
    /// The sender has been told of every batch before this one: what failed is its own business from here on.
    pub knows: bool,
}

/// What the thread reports.
#[derive(Debug)]
pub enum News<T> {
    /// How the batch of a ticket went.
    Written(T, Result<(), StoreError>),
    /// Every line up to this one is on the disk.
    Durable(i64),
    /// Something old was taken away, or could not be; in the latter case the rest waits for the next order.
    Forgot(Result<Forgot, StoreError>),
}

/// The incidents that lack a fact, until their sender knows; `None`: the house lacks one.
pub type Behind = BTreeSet<Option<IncidentId>>;

/// Cursors that are not on the disk yet.
pub type Cursors = BTreeMap<String, i64>;

/// Carries out orders as they come, until [`Order::End`] or until every sender is gone, and tells how each batch
/// went, in order.
pub fn serve<T>(journal: &mut Journal, orders: &Receiver<Order<T>>, mut tell: impl FnMut(News<T>)) {
    let (mut behind, mut cursors) = (Behind::new(), Cursors::new());
    let (mut ended, mut old) = (false, None);
    while !ended {
        let first = match (orders.try_recv(), old) {
            (Ok(order), _) => order,
            (Err(TryRecvError::Empty), Some((now, before))) => {
                old = old.filter(|_| forget(journal, now, before, &mut tell));
                continue;
            }
            (Err(TryRecvError::Empty), None) => match orders.recv() {
                Ok(order) => order,
                Err(_) => return,
            },
            (Err(TryRecvError::Disconnected), _) => return,
        };
        let mut group = Vec::new();
        for order in std::iter::once(first).chain(orders.try_iter()).take(GROUP) {
            match order {
                Order::Write(batch) => group.push(batch),
                Order::Cursor { name, seq } => {
                    cursors.insert(name, seq);
                }
                Order::Forget { now, before } => old = Some((now, before)),
                Order::End => {
                    ended = true;
                    break;
                }
            }
        }
        write_group(journal, group, &mut cursors, &mut behind, &mut tell);
    }
}

/// Writes one group in one transaction; when that fails, or an incident of it is `behind`, each batch in its own.
pub fn write_group<T>(
    journal: &mut Journal,
    group: Vec<Batch<T>>,
    cursors: &mut Cursors,
    behind: &mut Behind,
    tell: &mut impl FnMut(News<T>),
) {
    let before = journal.last();
    // Whoever knows of everything has nothing in the channel before it: it stands first.
    if group.first().is_some_and(|batch| batch.knows) {
        behind.clear();
    }
    let worth_it = group.len() > 1 || !cursors.is_empty();
    if behind.is_empty() && worth_it && write_together(journal, &group, cursors) {
        group.into_iter().for_each(|batch| tell(News::Written(batch.ticket, Ok(()))));
    } else {
        for batch in group {
            let result = write_alone(journal, &batch, behind);
            tell(News::Written(batch.ticket, result));
        }
        if !cursors.is_empty() && journal.append_with(&[], cursors).is_ok() {
            cursors.clear();
        }
    }
    if journal.last() != before {
        tell(News::Durable(journal.last()));
    }
}

/// Takes away a little; false when nothing is left.
fn forget<T>(journal: &mut Journal, now: Stamp, before: Stamp, tell: &mut impl FnMut(News<T>)) -> bool {
    let forgot = journal.forget(now, before);
    let more = forgot.as_ref().is_ok_and(|forgot| !forgot.is_nothing());
    if more {
        tell(News::Durable(journal.last()));
    }
    if more || forgot.is_err() {
        tell(News::Forgot(forgot));
    }
    more
}

fn write_together<T>(journal: &mut Journal, group: &[Batch<T>], cursors: &mut Cursors) -> bool {
    let entries = group.iter().flat_map(|batch| &batch.entries);
    let written = journal.append_with(entries, cursors).is_ok();
    if written {
        cursors.clear();
    }
    written
}

fn write_alone<T>(journal: &mut Journal, batch: &Batch<T>, behind: &mut Behind) -> Result<(), StoreError> {
    let subjects = || batch.entries.iter().map(Entry::incident);
    let result = match subjects().find(|subject| behind.contains(subject)) {
        Some(Some(incident)) => Err(StoreError::Behind(format!("incident {incident}"))),
        Some(None) => Err(StoreError::Behind("the house".to_owned())),
        None => journal.append(&batch.entries),
    };
    if result.is_err() {
        behind.extend(subjects());
    }
    result
}
