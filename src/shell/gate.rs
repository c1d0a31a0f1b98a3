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

/// Where facts go to become durable. [`Gate::written`] is told of every ticket, in any order.
pub trait Disk {
    /// Takes these facts; false when it never will.
    fn write(&self, ticket: Ticket, entries: Vec<Entry>) -> bool;
}

impl Disk for JournalThread {
    fn write(&self, ticket: Ticket, entries: Vec<Entry>) -> bool {
        JournalThread::write(self, ticket, entries)
    }
}

/// Batches on their way out.
pub struct Gate<D = JournalThread> {
    journal: D,
    parked: VecDeque<Parked>,
    unwritten: Vec<Entry>,
    /// What came while a second try was under way: behind `unwritten`, or a history would lose its order.
    untried: Vec<Entry>,
    last: Ticket,
    trouble: Option<String>,
}

impl<D: Disk> Gate<D> {
    /// A gate before this journal.
    pub fn new(journal: D) -> Gate<D> {
        Gate { journal, parked: VecDeque::new(), unwritten: Vec::new(), untried: Vec::new(), last: 0, trouble: None }
    }

    /// Why the journal takes nothing at the moment.
    pub fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    /// True when nothing waits, on its way out or for the disk.
    pub fn is_empty(&self) -> bool {
        self.parked.is_empty() && self.unwritten.is_empty() && self.untried.is_empty()
    }

    /// Lets a batch out in its turn; `answer` is told when it leaves, or why it never will.
    pub fn push(&mut self, mut batch: Batch, answer: Option<Answer>) {
        let accepts = batch.accepts();
        let mut entries = core::mem::take(&mut batch.facts);
        if accepts.is_none() && !entries.is_empty() {
            if self.trouble.is_some() && self.is_writing() {
                self.untried.append(&mut entries);
            } else {
                // What the disk refused before goes first: a history must not have a hole.
                entries.splice(0..0, self.kept());
            }
        }
        let ticket = self.write(&entries);
        self.parked.push_back(Parked { ticket, accepts, entries, batch, answer });
    }

    /// Asks the disk again for the facts it refused.
    pub fn retry(&mut self) {
        if self.is_writing() {
            return;
        }
        let entries = self.kept();
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
            if !self.untried.is_empty() {
                self.retry();
            }
            return None;
        };
        self.trouble = Some(why.clone());
        let Some(incident) = parked.accepts else {
            self.unwritten.append(&mut parked.entries);
            let too_many = (self.unwritten.len() + self.untried.len()).saturating_sub(KEPT_MAX);
            let too_many = too_many.min(self.unwritten.len());
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

    fn is_writing(&self) -> bool {
        self.parked.iter().any(|parked| parked.ticket.is_some())
    }

    /// Everything that was kept back, in its order.
    fn kept(&mut self) -> Vec<Entry> {
        let mut entries = core::mem::take(&mut self.unwritten);
        entries.append(&mut self.untried);
        entries
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

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::sync::mpsc;

    use super::*;
    use crate::base::Stamp;
    use crate::incident::{Answer as Must, CallFlow, Fact, Guidance, Plan, Strategy, Trigger};
    use crate::switch::{Event, What};

    /// Keeps what it was given to write.
    #[derive(Default)]
    struct Paper(RefCell<Vec<(Ticket, Vec<Entry>)>>);

    impl Disk for Paper {
        fn write(&self, ticket: Ticket, entries: Vec<Entry>) -> bool {
            self.0.borrow_mut().push((ticket, entries));
            true
        }
    }

    fn incident() -> IncidentId {
        IncidentId::new(Stamp::from_unix_micros(1), &mut crate::base::seeded(1))
    }

    fn of(facts: Vec<Fact>, mark: u32) -> Batch {
        let event = Event {
            at: Stamp::default(),
            incident: None,
            attempt: Some(mark),
            call_id: None,
            contact: None,
            name: None,
            what: What::Answered,
        };
        let facts = facts.into_iter().map(|fact| (incident(), Stamp::default(), fact)).collect();
        Batch { facts, acts: Vec::new(), events: vec![event] }
    }

    fn mark(batch: Option<Batch>) -> Option<u32> {
        batch?.events.first()?.attempt
    }

    fn accepted() -> Fact {
        let id = "x".to_owned();
        let trigger = Trigger {
            call_flow: id.parse().unwrap(),
            guidance: None,
            message: None,
            parameters: Default::default(),
            dedup: None,
            to: Vec::new(),
        };
        let seconds = core::time::Duration::from_secs;
        let call_flow = CallFlow {
            id: id.parse().unwrap(),
            strategy: Strategy::Sequential,
            answer: Must::One,
            rounds: 1,
            ring_timeout: seconds(30),
            between_rounds: seconds(1),
        };
        let guidance = Guidance {
            id: id.parse().unwrap(),
            message: Default::default(),
            keys: Default::default(),
            first_key_timeout: seconds(1),
            repeats: 1,
            room: None,
        };
        Fact::Accepted { trigger, plan: Plan { call_flow, contacts: Vec::new(), guidance } }
    }

    #[test]
    fn a_batch_waits_for_its_facts_and_those_behind_it_wait_with_it() {
        let mut gate = Gate::new(Paper::default());
        gate.push(of(vec![Fact::Exhausted], 1), None);
        gate.push(of(Vec::new(), 2), None);
        assert_eq!(mark(gate.pop()), None);
        gate.written(1, Ok(()));
        assert_eq!((mark(gate.pop()), mark(gate.pop())), (Some(1), Some(2)));
        assert!(gate.is_empty());
    }

    #[test]
    fn an_acceptance_that_is_not_on_disk_never_was_and_its_sender_learns_why() {
        let mut gate = Gate::new(Paper::default());
        let (told, answer) = mpsc::channel();
        gate.push(of(vec![accepted()], 1), Some(Box::new(move |result| told.send(result).unwrap())));
        assert_eq!(gate.written(1, Err("disk full".into())), Some(incident()));
        assert_eq!(answer.recv().unwrap(), Err("disk full".to_owned()));
        assert_eq!(mark(gate.pop()), None, "nothing of it leaves");
        assert_eq!(gate.trouble(), Some("disk full"));
    }

    #[test]
    fn a_call_goes_on_without_the_disk_and_its_facts_are_written_first_when_it_is_back() {
        let mut gate = Gate::new(Paper::default());
        gate.push(of(vec![Fact::Exhausted], 1), None);
        assert_eq!(gate.written(1, Err("disk full".into())), None);
        assert_eq!(mark(gate.pop()), Some(1), "the call goes on");
        assert!(!gate.is_empty(), "its fact is kept");
        gate.push(of(vec![Fact::Resolved { by: "x".into() }], 2), None);
        let facts: Vec<_> = gate.journal.0.borrow()[1].1.iter().map(|(_, _, fact)| fact.clone()).collect();
        assert_eq!(facts, [Fact::Exhausted, Fact::Resolved { by: "x".into() }]);
        gate.written(2, Ok(()));
        assert_eq!((mark(gate.pop()), gate.trouble(), gate.is_empty()), (Some(2), None, true));
    }

    #[test]
    fn a_small_fact_does_not_overtake_larger_ones_that_are_being_tried_again() {
        let mut gate = Gate::new(Paper::default());
        let (first, second) = (Fact::Exhausted, Fact::Resolved { by: "x".into() });
        gate.push(of(vec![first.clone()], 1), None);
        gate.written(1, Err("disk full".into()));
        gate.pop();
        gate.retry();
        gate.push(of(vec![second.clone()], 2), None);
        gate.retry();
        assert_eq!(gate.journal.0.borrow().len(), 2, "one try at a time");
        gate.written(2, Err("disk full".into()));
        assert_eq!((mark(gate.pop()), mark(gate.pop())), (None, Some(2)), "the call goes on meanwhile");
        gate.retry();
        let facts: Vec<_> = gate.journal.0.borrow()[2].1.iter().map(|(_, _, fact)| fact.clone()).collect();
        assert_eq!(facts, [first, second]);
        gate.written(3, Ok(()));
        gate.pop();
        assert!(gate.is_empty());
    }

    #[test]
    fn what_came_during_a_try_is_written_as_soon_as_the_try_succeeds() {
        let mut gate = Gate::new(Paper::default());
        gate.push(of(vec![Fact::Exhausted], 1), None);
        gate.written(1, Err("disk full".into()));
        gate.pop();
        gate.retry();
        gate.push(of(vec![Fact::Exhausted], 2), None);
        gate.written(2, Ok(()));
        assert_eq!(gate.journal.0.borrow().len(), 3);
        gate.written(3, Ok(()));
        while gate.pop().is_some() {}
        assert!(gate.is_empty());
    }

    #[test]
    fn facts_the_disk_refused_are_tried_again_without_anything_new() {
        let mut gate = Gate::new(Paper::default());
        gate.push(of(vec![Fact::Exhausted], 1), None);
        gate.written(1, Err("disk full".into()));
        gate.pop();
        gate.retry();
        assert_eq!(gate.journal.0.borrow()[1].1.len(), 1);
        gate.written(2, Ok(()));
        gate.pop();
        assert!(gate.is_empty());
    }
}
