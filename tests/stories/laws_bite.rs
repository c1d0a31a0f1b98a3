//! The laws that judge the nights find fault with journals that break them.

use hansho::base::{ContactId, IncidentId, Phone, Stamp, seeded};
use hansho::incident::{CallHandle, Fact, Outcome};
use hansho::switch::Entry;

use crate::support::{Town, laws};

fn journal(facts: Vec<Fact>) -> Vec<Entry> {
    let at = Stamp::from_unix_micros(1_795_226_400_000_000);
    let incident = IncidentId::new(at, &mut seeded(1));
    let (trigger, plan) = Town::of(&["sato", "suzuki"]).trigger("disk full");
    let facts = [Fact::Accepted { trigger, plan }].into_iter().chain(facts);
    facts.map(|fact| Entry::Incident(incident, at, fact)).collect()
}

fn dialled(attempt: u32, contact: &str) -> Fact {
    let contact = ContactId::parse(contact).unwrap();
    let phone = Phone::parse("+819000000000").unwrap();
    Fact::Dialled { attempt, contact, phone, call: CallHandle("i1".into()) }
}

fn ended(attempt: u32) -> Fact {
    Fact::Ended { attempt, outcome: Outcome::Busy, code: Some(486), reason: "Busy Here".into(), quality: None }
}

fn acknowledged() -> Fact {
    Fact::Acknowledged { contact: ContactId::parse("sato").unwrap() }
}

#[test]
fn a_lawful_journal_is_let_through() {
    laws::check_end(&journal(vec![dialled(1, "sato"), ended(1), dialled(2, "suzuki"), acknowledged(), ended(2)]));
}

#[test]
#[should_panic(expected = "called after")]
fn nobody_is_called_after_it_was_taken() {
    laws::check(&journal(vec![acknowledged(), dialled(1, "sato")]));
}

#[test]
#[should_panic(expected = "two calls at a time")]
fn nobody_has_two_calls_at_a_time() {
    laws::check(&journal(vec![dialled(1, "sato"), dialled(2, "sato")]));
}

#[test]
#[should_panic(expected = "has no end")]
fn every_call_ends() {
    laws::check_end(&journal(vec![dialled(1, "sato"), acknowledged()]));
}

#[test]
#[should_panic(expected = "is still calling")]
fn every_incident_ends() {
    laws::check_end(&journal(vec![Fact::RoundStarted { round: 1, order: Vec::new() }]));
}
