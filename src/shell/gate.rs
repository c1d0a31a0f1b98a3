//! The gate between deciding and doing: a batch leaves the house when its facts are durable, and not before
//! the batches in front of it.
//!
//! One fsync serves every batch that gathered while the last one ran, so the gate costs half a millisecond
//! and not a half a fact. When the disk takes nothing any more, a new incident is refused, but the calls of
//! an open one go on: waking a person is worth more than the record of it. Their facts are kept and written
//! again with the next ones.

use std::collections::{BTreeMap, VecDeque};

use super::journal::{JournalThread, Ticket};
use crate::base::IncidentId;
use crate::incident::Fact;
use crate::sip;
use crate::store::Entry;
use crate::switch::{Act, Batch};

/// Facts kept back at the most while the disk takes none.
const KEPT_MAX: usize = 100_000;

/// Somebody waits for a batch to leave, and is told so, or why it never will.
pub struct Answer {
    /// The incident that is answered with, where it may still come to nothing.
    about: Option<IncidentId>,
    tell: Box<dyn FnOnce(Result<(), String>) + Send>,
}

impl Answer {
    /// Calls `tell` when the batch has left.
    pub fn new(tell: impl FnOnce(Result<(), String>) + Send + 'static) -> Answer {
        Answer { about: None, tell: Box::new(tell) }
    }

    /// Says that `incident` is open: untrue when its acceptance, which may still be on its way, is refused.
    pub fn about(self, incident: IncidentId) -> Answer {
        Answer { about: Some(incident), ..self }
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

    /// Lets a batch out in its turn; `answer` is told when it leaves, or why it never will.
    pub fn push(&mut self, mut batch: Batch, answer: Option<Answer>) {
        let accepts = batch.accepts();
        let mut entries = core::mem::take(&mut batch.facts);
        let mut ticket = None;
        let in_trouble = !self.unwritten.is_empty() || (self.trouble.is_some() && self.in_flight > 0);
        if accepts.is_none() && !entries.is_empty() && in_trouble {
            // What the disk refused before goes first: a history must not have a hole.
            self.last += 1;
            self.keep(self.last, entries);
            entries = self.take_unwritten();
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
            self.keep(ticket, entries);
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
                (answer.tell)(Err(why.to_owned()));
            }
        }
        self.unwritten.values_mut().for_each(|entries| entries.retain(|entry| entry.incident() != Some(incident)));
        self.unwritten.retain(|_, entries| !entries.is_empty());
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
mod tests {
    use std::cell::RefCell;
    use std::sync::mpsc;

    use super::*;
    use crate::base::{Phone, Stamp};
    use crate::incident::{Answer as Must, CallFlow, CallHandle, Guidance, Plan, Strategy, Trigger};
    use crate::switch::{Event, What};

    /// Keeps what it was given to write.
    #[derive(Default)]
    struct Paper(RefCell<Vec<(Ticket, Vec<Entry>)>>);

    impl Disk for Paper {
        fn write(&self, ticket: Ticket, entries: Vec<Entry>, _knows: bool) {
            self.0.borrow_mut().push((ticket, entries));
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
        let facts = facts.into_iter().map(|fact| Entry::Incident(incident(), Stamp::default(), fact)).collect();
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
            host: None,
            service: None,
            by: None,
        };
        let seconds = core::time::Duration::from_secs;
        let call_flow = CallFlow {
            id: id.parse().unwrap(),
            strategy: Strategy::Sequential,
            answer: Must::One,
            rounds: 1,
            ring_timeout: seconds(30),
            between_rounds: seconds(1),
            bundle: seconds(0),
            taken_for: seconds(0),
        };
        let guidance = Guidance {
            id: id.parse().unwrap(),
            message: Default::default(),
            keys: Default::default(),
            first_key_timeout: seconds(1),
            inter_key_timeout: seconds(15),
            challenge: false,
            repeats: 1,
            room: None,
        };
        Fact::Accepted { trigger, plan: Plan { call_flow, contacts: Vec::new(), guidance, then: None } }
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
        gate.push(of(vec![accepted()], 1), Some(Answer::new(move |result| told.send(result).unwrap())));
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
        let facts: Vec<_> = gate.journal.0.borrow()[1].1.iter().filter_map(Entry::fact).cloned().collect();
        assert_eq!(facts, [Fact::Exhausted, Fact::Resolved { by: "x".into() }]);
        gate.written(3, Ok(()));
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
        let facts: Vec<_> = gate.journal.0.borrow()[2].1.iter().filter_map(Entry::fact).cloned().collect();
        assert_eq!(facts, [first, second]);
        gate.written(4, Ok(()));
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
        gate.written(4, Ok(()));
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

    fn written_by(gate: &Gate<Paper>) -> Vec<Vec<Fact>> {
        let facts = |entries: &Vec<Entry>| entries.iter().filter_map(Entry::fact).cloned().collect();
        gate.journal.0.borrow().iter().map(|(_, entries)| facts(entries)).collect()
    }

    fn by(name: &str) -> Fact {
        Fact::Resolved { by: name.into() }
    }

    #[test]
    fn facts_are_written_again_in_their_order_when_the_disk_refuses_several_at_once() {
        let mut gate = Gate::new(Paper::default());
        gate.push(of(vec![by("a")], 1), None);
        gate.push(of(vec![by("b")], 2), None);
        gate.written(1, Err("disk full".into()));
        gate.push(of(vec![by("c")], 3), None);
        assert_eq!(written_by(&gate).len(), 2, "`b` may still be refused");
        gate.written(2, Err("disk full".into()));
        gate.push(of(vec![by("d")], 4), None);
        assert_eq!(written_by(&gate).last(), Some(&vec![by("a"), by("b"), by("c"), by("d")]));
    }

    #[test]
    fn who_joined_an_incident_that_never_was_learns_why() {
        let mut gate = Gate::new(Paper::default());
        let (told, answer) = mpsc::channel();
        gate.push(of(vec![accepted()], 1), None);
        gate.push(Batch::default(), Some(Answer::new(move |result| told.send(result).unwrap()).about(incident())));
        gate.written(1, Err("disk full".into()));
        while gate.pop().is_some() {}
        assert_eq!(answer.recv().unwrap(), Err("disk full".to_owned()));
    }

    #[test]
    fn a_burst_goes_to_the_disk_without_waiting_for_it() {
        let mut gate = Gate::new(Paper::default());
        for mark in 0..1_000 {
            gate.push(of(vec![accepted()], mark), None);
        }
        assert_eq!(gate.journal.0.borrow().len(), 1_000, "so that they gather there");
        assert_eq!(mark(gate.pop()), None);
        for ticket in 1..=1_000 {
            gate.written(ticket, Ok(()));
        }
        assert_eq!((0..1_000).filter(|at| mark(gate.pop()) == Some(*at)).count(), 1_000);
    }

    fn dialled(attempt: u32, call_id: &str) -> Fact {
        let handle = format!("i1 main secret 192.0.2.1:5060 sip:x@192.0.2.1 from to {call_id}");
        assert_eq!(sip::call_id_of(&handle).as_deref(), Some(call_id));
        let contact = "yamada".parse().unwrap();
        Fact::Dialled { attempt, contact, phone: Phone::parse("+818012345678").unwrap(), call: CallHandle(handle) }
    }

    fn send(method: &str, call_id: &str) -> Act {
        let bytes = format!("{method} sip:x SIP/2.0\r\nCall-ID: {call_id}\r\n\r\n").into_bytes();
        Act::Send { to: std::net::SocketAddr::from(([192, 0, 2, 1], 5060)), bytes }
    }

    #[test]
    fn no_call_of_an_incident_that_never_was_leaves_not_even_its_second_one() {
        let mut gate = Gate::new(Paper::default());
        let mut first = of(vec![accepted(), dialled(1, "first@x")], 1);
        first.acts.push(send("INVITE", "first@x"));
        gate.push(first, None);
        let copies = vec![send("INVITE", "first@x"), send("OPTIONS", "other@x")];
        gate.push(Batch { acts: copies, ..Batch::default() }, None);
        // The disk stalls until the first call is given up.
        let mut second = of(vec![dialled(2, "second@x")], 3);
        second.acts.extend([send("INVITE", "second@x"), send("BYE", "other@x")]);
        gate.push(second, None);
        gate.push(Batch { acts: vec![send("INVITE", "second@x")], ..Batch::default() }, None);
        assert_eq!(gate.written(1, Err("disk full".into())), Some(incident()));
        gate.written(2, Err("an earlier fact is missing".into()));
        let mut left = Vec::new();
        while let Some(batch) = gate.pop() {
            left.extend(batch.acts);
        }
        let methods = left.iter().map(|act| match act {
            Act::Send { bytes, .. } => bytes.split(|byte| *byte == b' ').next().unwrap(),
            other => panic!("{other:?}"),
        });
        assert_eq!(methods.collect::<Vec<_>>(), [b"OPTIONS".as_slice(), b"BYE"]);
        assert!(gate.is_empty(), "nor are its facts kept");
    }
}
