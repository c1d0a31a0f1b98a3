//! What a callout leaves behind: facts as lines of JSON, from which everything can be read again.

use core::time::Duration;

use crate::town::{Habit, Town, plan};
use hansho::base::{Outbox, Stamp, Time};
use hansho::incident::{Behaviour, Fact, Incident, Order, Record, State, Strategy};

const MENU: &[(char, Behaviour)] = &[('1', Behaviour::Take), ('2', Behaviour::Next), ('4', Behaviour::Repeat)];

fn a_night() -> Town {
    let habits = [Habit::Sleeps, Habit::Talks, Habit::Answers(3, "042"), Habit::Answers(4, "1")];
    let mut town = Town::alarmed(plan(Strategy::Sequential, 2, &["a", "b", "c", "d"], MENU), 3, &habits);
    town.wait(Duration::from_secs(3_600));
    town
}

#[test]
fn the_lines_of_a_journal_tell_the_same_night_again() {
    let town = a_night();
    assert_eq!(town.record.state, State::Acknowledged);
    let lines: Vec<String> = town.facts.iter().map(|line| serde_json::to_string(line).unwrap()).collect();
    let mut record = Record::new();
    for line in &lines {
        let (at, fact): (Stamp, Fact) = serde_json::from_str(line).unwrap();
        record.apply(at, &fact);
    }
    assert_eq!(record, town.record);
    let keys: Vec<char> = record.attempts[2].keys.iter().map(|pressed| pressed.digit.as_char()).collect();
    assert_eq!(keys, ['0', '4', '2']);
    assert!(record.attempts.iter().all(|it| it.ended_at >= Some(it.dialled_at)));
}

#[test]
fn every_beginning_of_a_journal_is_an_incident_that_can_go_on() {
    let town = a_night();
    for length in 1..=town.facts.len() {
        let facts = town.facts[..length].iter().map(|(_, fact)| fact.clone());
        let mut incident = Incident::replay(town.incident.id(), facts, 3).unwrap();
        let before = incident.state();
        let mut out = Outbox::new();
        incident.on_resumed(Time::ZERO, &mut out);
        let dials = out.iter().filter(|order| matches!(order, Order::Dial { .. })).count();
        let waits = incident.next_deadline().is_some();
        match incident.state() {
            State::Acknowledged => assert!(incident.is_over() && dials == 0, "fact {length}"),
            state => assert!(state == State::Calling && (dials == 1) == waits, "fact {length}: {before} to {state}"),
        }
    }
}

#[test]
fn a_journal_line_of_a_later_version_is_refused_rather_than_misread() {
    let line = r#"{"fact":"teleported","attempt":1}"#;
    assert!(serde_json::from_str::<Fact>(line).is_err());
    let line = r#"{"fact":"ringing","attempt":-1,"code":180}"#;
    assert!(serde_json::from_str::<Fact>(line).is_err());
}
