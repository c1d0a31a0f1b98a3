//! What holds in every night, whatever happens. Read from the journal, which is the truth.

use std::collections::{BTreeMap, BTreeSet};

use hansho::base::{IncidentId, Stamp};
use hansho::incident::{Fact, HouseFact, Record};
use hansho::switch::Entry;

/// The facts of each incident, in their order.
pub fn by_incident(journal: &[Entry]) -> BTreeMap<IncidentId, Vec<(Stamp, Fact)>> {
    let mut incidents: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (incident, at, fact) in journal.iter().filter_map(Entry::of_incident) {
        incidents.entry(incident).or_default().push((at, fact.clone()));
    }
    incidents
}

/// What happened to the house, in its order.
pub fn house(journal: &[Entry]) -> Vec<(Stamp, HouseFact)> {
    let of_house = |entry: &Entry| match entry {
        Entry::House(at, fact) => Some((*at, fact.clone())),
        Entry::Incident(..) => None,
    };
    journal.iter().filter_map(of_house).collect()
}

/// What hansho takes up again after a restart: incidents that are not decided, and those with calls up.
pub fn open_incidents(journal: &[Entry]) -> Vec<(IncidentId, Vec<(Stamp, Fact)>)> {
    let open = |facts: &[(Stamp, Fact)]| {
        let record = record(facts);
        !record.state.is_final() || record.attempts.iter().any(|attempt| attempt.ended_at.is_none())
    };
    by_incident(journal).into_iter().filter(|(_, facts)| open(facts)).collect()
}

/// The record that facts fold into.
pub fn record(facts: &[(Stamp, Fact)]) -> Record {
    let mut record = Record::new();
    facts.iter().for_each(|(at, fact)| record.apply(*at, fact));
    record
}

/// Is the calling decided by this?
pub fn is_end(fact: &Fact) -> bool {
    matches!(
        fact,
        Fact::Acknowledged { .. }
            | Fact::Claimed { .. }
            | Fact::Exhausted
            | Fact::Suppressed { .. }
            | Fact::Quieted { .. }
            | Fact::Cancelled { .. }
            | Fact::Resolved { .. }
    )
}

/// Laws that hold at every moment.
pub fn check(journal: &[Entry]) {
    for (incident, facts) in by_incident(journal) {
        let mut decided = None;
        let mut up: BTreeSet<u32> = BTreeSet::new();
        let mut people: BTreeMap<u32, String> = BTreeMap::new();
        for (_, fact) in &facts {
            match fact {
                Fact::Dialled { attempt, contact, call, .. } => {
                    assert!(decided.is_none() || call.0.is_empty(), "{incident}: {contact} called after {decided:?}");
                    let twice = up.iter().any(|other| people.get(other) == Some(&contact.to_string()));
                    assert!(!twice, "{incident}: {contact} has two calls at a time");
                    assert!(
                        people.insert(*attempt, contact.to_string()).is_none(),
                        "{incident}: attempt {attempt} twice"
                    );
                    up.insert(*attempt);
                }
                Fact::CalledIn { attempt, contact, .. } => {
                    people.insert(*attempt, contact.to_string());
                    up.insert(*attempt);
                }
                Fact::Ended { attempt, .. } => {
                    assert!(up.remove(attempt), "{incident}: attempt {attempt} ended and was not up");
                }
                fact if is_end(fact) => {
                    decided.get_or_insert_with(|| fact.clone());
                }
                _ => {}
            }
        }
    }
}

/// Every call that belongs to no incident has its end.
pub fn no_line_is_up(journal: &[Entry]) {
    let mut up = BTreeSet::new();
    for (_, fact) in house(journal) {
        match fact {
            HouseFact::LineUp { line, .. } => up.insert(line),
            HouseFact::LineDown { line } => up.remove(&line),
            _ => false,
        };
    }
    assert!(up.is_empty(), "lines without an end: {up:?}");
}

/// Laws that hold when the night is over.
pub fn check_end(journal: &[Entry]) {
    check(journal);
    for (incident, facts) in by_incident(journal) {
        let record = record(&facts);
        assert!(record.state.is_final(), "{incident} is still {}", record.state);
        for attempt in &record.attempts {
            assert!(attempt.ended_at.is_some(), "{incident}: the call {} has no end", attempt.number);
        }
    }
}
