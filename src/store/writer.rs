//! Group commit: whatever waits becomes durable together, and each sender learns of its own part.
//!
//! The shell runs [`serve`] on a thread of its own; nothing here starts one. While one group is being synced
//! the next one gathers in the channel, so the disk's own speed decides how large groups are.
//!
//! Easy to get wrong: when a group fails, one batch may be to blame for all, so each is tried alone; and when
//! a batch fails alone, a later batch of the same incident must fail with it, or the history would have a hole;
//! also one that was sent before its sender could know ([`Batch::knows`]).

use std::collections::BTreeSet;
use std::sync::mpsc::Receiver;

use super::Entry;
use super::error::StoreError;
use super::journal::Journal;
use crate::base::IncidentId;

/// The most batches in one transaction: bounds how long the first of them waits for the last.
const GROUP: usize = 256;

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

/// The incidents that lack a fact, until their sender knows.
pub type Behind = BTreeSet<IncidentId>;

/// Writes batches as they come until every sender is gone, and tells `done` how each went, in order.
pub fn serve<T>(journal: &mut Journal, batches: &Receiver<Batch<T>>, mut done: impl FnMut(T, Result<(), StoreError>)) {
    let mut behind = Behind::new();
    while let Ok(first) = batches.recv() {
        let group: Vec<Batch<T>> = std::iter::once(first).chain(batches.try_iter().take(GROUP - 1)).collect();
        write_group(journal, group, &mut behind, &mut done);
    }
}

/// Writes one group in one transaction; when that fails, or an incident of it is `behind`, each batch in its own.
pub fn write_group<T>(
    journal: &mut Journal,
    group: Vec<Batch<T>>,
    behind: &mut Behind,
    done: &mut impl FnMut(T, Result<(), StoreError>),
) {
    // Whoever knows of everything has nothing in the channel before it: it stands first.
    if group.first().is_some_and(|batch| batch.knows) {
        behind.clear();
    }
    if behind.is_empty() && group.len() > 1 {
        let all: Vec<Entry> = group.iter().flat_map(|batch| batch.entries.iter().cloned()).collect();
        if journal.append(&all).is_ok() {
            return group.into_iter().for_each(|batch| done(batch.ticket, Ok(())));
        }
    }
    for batch in group {
        let incidents = || batch.entries.iter().filter_map(Entry::incident);
        let result = match incidents().find(|incident| behind.contains(incident)) {
            Some(incident) => Err(StoreError::Behind(incident)),
            None => journal.append(&batch.entries),
        };
        if result.is_err() {
            behind.extend(incidents());
        }
        done(batch.ticket, result);
    }
}
