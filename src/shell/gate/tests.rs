//! With a disk that says what the test wants.

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
        explains_keys: false,
        inter_key_timeout: seconds(15),
        challenge: false,
        readings: 1,
        repeats: 1,
        voice_before_dialling: seconds(0),
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
    assert_eq!(answer.recv().unwrap(), Err(Unstored::Never("disk full".to_owned())));
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
    assert_eq!(answer.recv().unwrap(), Err(Unstored::Never("disk full".to_owned())));
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
    Act::Send { to: "192.0.2.1:5060".parse().unwrap(), bytes }
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

fn asked() -> (Answer, mpsc::Receiver<Result<(), Unstored>>) {
    let (told, answer) = mpsc::channel();
    (Answer::new(move |result| told.send(result).unwrap()), answer)
}

fn not_yet() -> Result<(), Unstored> {
    Err(Unstored::NotYet("disk full".to_owned()))
}

#[test]
fn an_order_the_disk_refuses_is_never_answered_as_done_and_is_written_when_it_can_be() {
    let mut gate = Gate::new(Paper::default());
    let (order, answer) = asked();
    gate.push(of(vec![by("a")], 1), Some(order));
    assert!(answer.try_recv().is_err(), "not before the disk has said");
    gate.written(1, Err("disk full".into()));
    assert_eq!(answer.try_recv().unwrap(), not_yet());
    assert_eq!(mark(gate.pop()), Some(1), "the calls go on");
    // While what was refused is tried again, the next one cannot be written either.
    gate.retry();
    let (order, answer) = asked();
    gate.push(of(vec![by("b")], 2), Some(order));
    assert_eq!(answer.try_recv().unwrap(), not_yet());
    gate.written(2, Ok(()));
    assert_eq!(written_by(&gate), [vec![by("a")], vec![by("a")], vec![by("b")]]);
    gate.written(gate.last, Ok(()));
    while gate.pop().is_some() {}
    let (order, answer) = asked();
    gate.push(of(vec![by("c")], 3), Some(order));
    gate.written(gate.last, Ok(()));
    gate.pop();
    assert_eq!(answer.try_recv().unwrap(), Ok(()));
}

#[test]
fn the_same_order_again_is_not_done_either_while_the_first_is_only_remembered() {
    let mut gate = Gate::new(Paper::default());
    gate.push(of(vec![by("a")], 1), None);
    // The second finds nothing left to do: once while the disk is asked, once when it has refused.
    let ((again, first), (later, second)) = (asked(), asked());
    gate.push(Batch::default(), Some(again));
    gate.written(1, Err("disk full".into()));
    assert_eq!(first.try_recv().unwrap(), not_yet());
    gate.push(Batch::default(), Some(later));
    assert_eq!(second.try_recv().unwrap(), not_yet());
}

#[test]
fn what_is_written_now_or_never_is_not_written_later() {
    let never = || Err(Unstored::Never("disk full".to_owned()));
    let mut gate = Gate::new(Paper::default());
    let (order, answer) = asked();
    gate.push(of(vec![by("a token")], 1), Some(order.or_never()));
    gate.written(1, Err("disk full".into()));
    assert_eq!(answer.try_recv().unwrap(), never());
    assert_eq!(mark(gate.pop()), None);
    assert!(gate.is_empty(), "nothing is kept of it");
    gate.push(of(vec![by("kept")], 2), None);
    gate.written(2, Err("disk full".into()));
    let (order, answer) = asked();
    gate.push(of(vec![by("another token")], 3), Some(order.or_never()));
    assert_eq!(answer.try_recv().unwrap(), never(), "nothing overtakes what was refused");
    gate.retry();
    assert_eq!(written_by(&gate).last(), Some(&vec![by("kept")]));
}
