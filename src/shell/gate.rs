//! The gate between deciding and doing: a batch leaves the house when its facts are durable, and not before
//! the batches in front of it.
//!
//! One fsync serves every batch that gathered while the last one ran, so the gate costs half a millisecond
//! and not a half a fact. When the disk takes nothing any more, a new incident is refused, but the calls of
//! an open one go on: waking a person is worth more than the record of it. Their facts are kept and written
//! again with the next ones.
//!
//! Easy to get wrong: that calls go on is no reason to tell somebody that their order is done. Whoever waits hears
//! "done" when everything that was decided up to it is durable, and at once that it is not when the disk refuses.

use std::collections::{BTreeMap, VecDeque};

use super::journal::{JournalThread, Ticket};
use crate::base::IncidentId;
use crate::incident::Fact;
use crate::sip;
use crate::store::Entry;
use crate::switch::{Act, Batch};

/// Facts kept back at the most while the disk takes none.
const KEPT_MAX: usize = 100_000;

/// Why something is not on the disk.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Unstored {
    /// Nothing of it holds.
    Never(String),
    /// It holds in this life, and is written when the disk takes it again.
    NotYet(String),
}

/// Somebody waits for a batch to be durable, and is told so, or that it is not.
pub struct Answer {
    /// The incident that is answered with, where it may still come to nothing.
    about: Option<IncidentId>,
    /// The facts are worth nothing without the answer: what the disk refuses is not kept.
    or_never: bool,
    tell: Box<dyn FnOnce(Result<(), Unstored>) + Send>,
}

impl Answer {
    /// Calls `tell` when the batch is durable, or when the disk refuses it.
    pub fn new(tell: impl FnOnce(Result<(), Unstored>) + Send + 'static) -> Answer {
        Answer { about: None, or_never: false, tell: Box::new(tell) }
    }

    /// Says that `incident` is open: untrue when its acceptance, which may still be on its way, is refused.
    pub fn about(self, incident: IncidentId) -> Answer {
        Answer { about: Some(incident), ..self }
    }

    /// The facts of its batch are written now or never.
    pub fn or_never(self) -> Answer {
        Answer { or_never: true, ..self }
    }
}

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

/// Where facts go to become durable. [`Gate::written`] is told of every ticket.
pub trait Disk {
    /// Takes these facts. `knows`: [`Gate::written`] was told of every earlier ticket.
    fn write(&self, ticket: Ticket, entries: Vec<Entry>, knows: bool);
}

impl Disk for JournalThread {
    fn write(&self, ticket: Ticket, entries: Vec<Entry>, knows: bool) {
        JournalThread::write(self, ticket, entries, knows);
    }
}

/// Batches on their way out.
pub struct Gate<D = JournalThread> {
    journal: D,
    parked: VecDeque<Parked>,
    /// What the disk refused, and what must not be written before it, in order.
    unwritten: BTreeMap<Ticket, Vec<Entry>>,
    /// Tickets the disk has not reported.
    in_flight: usize,
    last: Ticket,
    trouble: Option<String>,
}

impl<D: Disk> Gate<D> {
    /// A gate before this journal.
    pub fn new(journal: D) -> Gate<D> {
        let (parked, unwritten) = (VecDeque::new(), BTreeMap::new());
        Gate { journal, parked, unwritten, in_flight: 0, last: 0, trouble: None }
    }

    /// Why the journal takes nothing at the moment.
    pub fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    /// True when nothing waits, on its way out or for the disk.
    pub fn is_empty(&self) -> bool {
        self.parked.is_empty() && self.unwritten.is_empty()
    }

    /// Lets a batch out in its turn; `answer` is told when it is durable, or at once that it is not.
    pub fn push(&mut self, mut batch: Batch, mut answer: Option<Answer>) {
        let accepts = batch.accepts();
        let mut entries = core::mem::take(&mut batch.facts);
        let mut ticket = None;
        let in_trouble = !self.unwritten.is_empty() || (self.trouble.is_some() && self.in_flight > 0);
        if in_trouble && let Some(answer) = answer.take_if(|answer| answer.or_never) {
            (answer.tell)(Err(Unstored::Never(self.why())));
            return;
        }
        if accepts.is_none() && !entries.is_empty() && in_trouble {
            // What the disk refused before goes first: a history must not have a hole.
            self.last += 1;
            self.keep(self.last, entries);
            entries = self.take_unwritten();
        }
        // Also one that changes nothing, asked again perhaps, is true only when what it found is durable.
        if entries.is_empty()
            && !self.unwritten.is_empty()
            && let Some(answer) = answer.take()
        {
            (answer.tell)(Err(Unstored::NotYet(self.why())));
        }
        if !entries.is_empty() {
            ticket = Some(self.write(&entries));
        }
        self.parked.push_back(Parked { ticket, accepts, entries, batch, answer });
    }

    /// Asks the disk again for the facts it refused.
    pub fn retry(&mut self) {
        let entries = self.take_unwritten();
        if !entries.is_empty() {
            let ticket = Some(self.write(&entries));
            self.parked.push_back(Parked { ticket, accepts: None, entries, batch: Batch::default(), answer: None });
        }
    }

    /// The journal reports. Returns the incident that was not accepted after all.
    pub fn written(&mut self, ticket: Ticket, result: Result<(), String>) -> Option<IncidentId> {
        let place = self.parked.iter().position(|parked| parked.ticket == Some(ticket))?;
        let parked = self.parked.get_mut(place)?;
        parked.ticket = None;
        self.in_flight = self.in_flight.saturating_sub(1);
        let Err(why) = result else {
            self.trouble = None;
            self.retry();
            return None;
        };
        self.trouble = Some(why.clone());
        let entries = core::mem::take(&mut parked.entries);
        let Some(incident) = parked.accepts else {
            match parked.answer.take() {
                Some(answer) if answer.or_never => {
                    parked.batch = Batch::default();
                    (answer.tell)(Err(Unstored::Never(why)));
                }
                answer => {
                    self.keep(ticket, entries);
                    answer.into_iter().for_each(|answer| (answer.tell)(Err(Unstored::NotYet(why.clone()))));
                    self.answers_behind(place, &why);
                }
            }
            return None;
        };
        self.never_was(place, &entries, incident, &why);
        Some(incident)
    }

    /// The next batch that may leave.
    pub fn pop(&mut self) -> Option<Batch> {
        if self.parked.front()?.ticket.is_some() {
            return None;
        }
        let parked = self.parked.pop_front()?;
        if let Some(answer) = parked.answer {
            (answer.tell)(Ok(()));
        }
        Some(parked.batch)
    }

    /// Nothing of the batch at `place`, which accepts `incident`, leaves the house, nor anything of the same
    /// incident behind it: facts, datagrams of its calls (a disk that stalls for long fails when the first call is
    /// given up and the next one dialled), answers that name it.
    fn never_was(&mut self, place: usize, entries: &[Entry], incident: IncidentId, why: &str) {
        let Some(parked) = self.parked.get_mut(place) else { return };
        parked.batch = Batch::default();
        parked.answer = parked.answer.take().map(|answer| answer.about(incident));
        let behind = self.parked.iter().skip(place).flat_map(|parked| &parked.entries);
        let facts = entries.iter().chain(behind).chain(self.unwritten.values().flatten());
        let calls: Vec<String> = facts.filter_map(|entry| call_of(entry, incident)).collect();
        for parked in self.parked.iter_mut().skip(place) {
            let theirs = |act: &Act| matches!(act, Act::Send { bytes, .. } if calls.iter().any(|id| names(bytes, id)));
            parked.batch.acts.retain(|act| !theirs(act));
            parked.batch.events.retain(|event| event.incident != Some(incident));
            parked.entries.retain(|entry| entry.incident() != Some(incident));
            if let Some(answer) = parked.answer.take_if(|answer| answer.about == Some(incident)) {
                (answer.tell)(Err(Unstored::Never(why.to_owned())));
            }
        }
        self.unwritten.values_mut().for_each(|entries| entries.retain(|entry| entry.incident() != Some(incident)));
        self.unwritten.retain(|_, entries| !entries.is_empty());
    }

    /// Tells those who wait behind the batch at `place` with nothing of their own for the disk.
    fn answers_behind(&mut self, place: usize, why: &str) {
        for parked in self.parked.iter_mut().skip(place).filter(|parked| parked.ticket.is_none()) {
            if let Some(answer) = parked.answer.take() {
                (answer.tell)(Err(Unstored::NotYet(why.to_owned())));
            }
        }
    }

    fn why(&self) -> String {
        self.trouble.clone().unwrap_or_else(|| "the disk took nothing lately".to_owned())
    }

    fn keep(&mut self, ticket: Ticket, entries: Vec<Entry>) {
        if !entries.is_empty() {
            self.unwritten.insert(ticket, entries);
        }
        while self.unwritten.values().map(Vec::len).sum::<usize>() > KEPT_MAX {
            self.unwritten.pop_first();
        }
    }

    /// What the disk refused, to be written again; nothing while it may still refuse what stands between.
    fn take_unwritten(&mut self) -> Vec<Entry> {
        if self.in_flight > 0 {
            return Vec::new();
        }
        core::mem::take(&mut self.unwritten).into_values().flatten().collect()
    }

    fn write(&mut self, entries: &[Entry]) -> Ticket {
        self.last += 1;
        self.journal.write(self.last, entries.to_vec(), self.in_flight == 0);
        self.in_flight += 1;
        self.last
    }
}

/// The Call-ID of a call that this entry says was made for `incident`.
fn call_of(entry: &Entry, incident: IncidentId) -> Option<String> {
    match entry {
        Entry::Incident(of, _, Fact::Dialled { call, .. }) if *of == incident => sip::call_id_of(&call.0),
        _ => None,
    }
    .filter(|id| !id.is_empty())
}

fn names(datagram: &[u8], call_id: &str) -> bool {
    datagram.windows(call_id.len()).any(|part| part == call_id.as_bytes())
}

#[cfg(test)]
mod tests;
