//! The gate between deciding and doing: a batch leaves the house when its facts are durable, and not before
//! the batches in front of it.
//!
//! One fsync serves every batch that gathered while the last one ran, so the gate costs half a millisecond
//! and not a half a fact. When the disk takes nothing any more, a new incident is refused, but the calls of
//! an open one go on: waking a person is worth more than the record of it. Their facts are kept and written
//! again with the next ones.

use std::collections::VecDeque;

use super::journal::{JournalThread, Ticket};
use crate::base::IncidentId;
use crate::store::Entry;
use crate::switch::Batch;

/// Facts kept back at the most while the disk takes none.
const KEPT_MAX: usize = 100_000;

/// What a batch is answered with when it has left, or could not.
pub type Answer = Box<dyn FnOnce(Result<(), String>) + Send>;

struct Parked {
    /// Set while the disk has not reported.
    ticket: Option<Ticket>,
    /// The incident whose acceptance stands in `entries`.
    accepts: Option<IncidentId>,
    /// Given back to be written again if the disk refuses them.
    entries: Vec<Entry>,
    batch: Batch,
    answer: Option<Answer>,
}

/// Batches on their way out.
pub struct Gate {
    journal: JournalThread,
    parked: VecDeque<Parked>,
    unwritten: Vec<Entry>,
    last: Ticket,
    trouble: Option<String>,
}

impl Gate {
    /// A gate before this journal.
    pub fn new(journal: JournalThread) -> Gate {
        Gate { journal, parked: VecDeque::new(), unwritten: Vec::new(), last: 0, trouble: None }
    }

    /// Why the journal takes nothing at the moment.
    pub fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    /// True when nothing waits, on its way out or for the disk.
    pub fn is_empty(&self) -> bool {
        self.parked.is_empty() && self.unwritten.is_empty()
    }

    /// Lets a batch out in its turn; `answer` is told when it leaves, or why it never will.
    pub fn push(&mut self, mut batch: Batch, answer: Option<Answer>) {
        let accepts = batch.accepts();
        let mut entries = core::mem::take(&mut batch.facts);
        if accepts.is_none() && !entries.is_empty() {
            // What the disk refused before goes first: a history must not have a hole.
            entries.splice(0..0, core::mem::take(&mut self.unwritten));
        }
        let ticket = self.write(&entries);
        self.parked.push_back(Parked { ticket, accepts, entries, batch, answer });
    }

    /// Asks the disk again for the facts it refused.
    pub fn retry(&mut self) {
        let entries = core::mem::take(&mut self.unwritten);
        let ticket = self.write(&entries);
        if ticket.is_some() {
            self.parked.push_back(Parked { ticket, accepts: None, entries, batch: Batch::default(), answer: None });
        }
    }

    /// The journal reports. Returns the incident that was not accepted after all.
    pub fn written(&mut self, ticket: Ticket, result: Result<(), String>) -> Option<IncidentId> {
        let parked = self.parked.iter_mut().find(|parked| parked.ticket == Some(ticket))?;
        parked.ticket = None;
        let Err(why) = result else {
            self.trouble = None;
            return None;
        };
        self.trouble = Some(why.clone());
        let Some(incident) = parked.accepts else {
            self.unwritten.append(&mut parked.entries);
            let too_many = self.unwritten.len().saturating_sub(KEPT_MAX);
            self.unwritten.drain(..too_many);
            return None;
        };
        parked.batch = Batch::default();
        if let Some(answer) = parked.answer.take() {
            answer(Err(why));
        }
        Some(incident)
    }

    /// The next batch that may leave.
    pub fn pop(&mut self) -> Option<Batch> {
        if self.parked.front()?.ticket.is_some() {
            return None;
        }
        let parked = self.parked.pop_front()?;
        if let Some(answer) = parked.answer {
            answer(Ok(()));
        }
        Some(parked.batch)
    }

    fn write(&mut self, entries: &[Entry]) -> Option<Ticket> {
        if entries.is_empty() {
            return None;
        }
        self.last += 1;
        if self.journal.write(self.last, entries.to_vec()) {
            return Some(self.last);
        }
        self.trouble = Some("the journal's thread is gone".into());
        None
    }
}
