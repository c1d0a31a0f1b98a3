//! Past incidents and calls, a page at a time.

use super::*;

#[test]
fn incidents_are_paged_from_the_newest_to_the_oldest() {
    let folder = Folder::new("pages");
    let mut journal = folder.open();
    let entries: Vec<Entry> = (1..=5).map(|n| Entry::Incident(incident(n), at(n), accepted())).collect();
    journal.append(&entries).unwrap();
    let reader = journal.reader().unwrap();
    let page = |before| reader.incidents(before, None, 2).unwrap();
    assert_eq!(page(None), [incident(5), incident(4)]);
    assert_eq!(page(Some(incident(4))), [incident(3), incident(2)]);
    assert_eq!(page(Some(incident(2))), [incident(1)]);
    assert_eq!(page(Some(incident(1))), []);
}

#[test]
fn a_page_behind_an_incident_that_was_taken_out_meanwhile_goes_on_where_it_stood() {
    let folder = Folder::new("hole");
    let mut journal = folder.open();
    let entries: Vec<Entry> = [1, 2, 4].map(|n| Entry::Incident(incident(n), at(n), accepted())).to_vec();
    journal.append(&entries).unwrap();
    let reader = journal.reader().unwrap();
    assert_eq!(reader.incidents(Some(incident(3)), None, 2).unwrap(), [incident(2), incident(1)]);
    assert_eq!(reader.incidents(Some(incident(0)), None, 2).unwrap(), []);
}

#[test]
fn incidents_are_found_by_where_they_stand() {
    let folder = Folder::new("states");
    let mut journal = folder.open();
    let contact = ContactId::parse("yamada").unwrap();
    let rounds = Fact::RoundStarted { round: 1, order: vec![contact.clone()] };
    let facts = [(1, rounds), (2, Fact::Acknowledged { contact }), (3, Fact::Resolved { by: "x".into() })];
    let accepted = (1..=4).map(|n| Entry::Incident(incident(n), at(n), accepted()));
    let facts = facts.into_iter().map(|(n, fact)| Entry::Incident(incident(n), at(9), fact));
    journal.append(&accepted.chain(facts).collect::<Vec<_>>()).unwrap();
    let reader = journal.reader().unwrap();
    let at = |state| reader.incidents(None, Some(state), 9).unwrap();
    assert_eq!(at(State::Queued), [incident(4)]);
    assert_eq!(at(State::Calling), [incident(1)]);
    assert_eq!(at(State::Acknowledged), [incident(2)]);
    assert_eq!(at(State::Resolved), [incident(3)]);
    // What comes behind a final fact changes nothing.
    journal.append(&[Entry::Incident(incident(2), super::at(10), Fact::Exhausted)]).unwrap();
    assert_eq!(at(State::Acknowledged), [incident(2)]);
    // But what was taken may be over later.
    journal.append(&[Entry::Incident(incident(2), super::at(11), Fact::Resolved { by: "x".into() })]).unwrap();
    assert_eq!((at(State::Acknowledged), at(State::Resolved).len()), (vec![], 2));
}

#[test]
fn calls_are_listed_with_their_ends_from_the_newest_to_the_oldest() {
    let folder = Folder::new("calls");
    let mut journal = folder.open();
    let mut tell = |n, fact| journal.append(&[Entry::Incident(incident(n), at(n), fact)]).unwrap();
    tell(1, accepted());
    tell(1, dialled(1));
    tell(2, accepted());
    tell(2, dialled(1));
    tell(1, ended(1));
    tell(1, dialled(2));
    let reader = journal.reader().unwrap();
    let calls = reader.calls(None, 2).unwrap();
    let shown: Vec<_> = calls.iter().map(|call| (call.incident, call.attempt.number, call.attempt.outcome)).collect();
    assert_eq!(shown, [(incident(1), 2, None), (incident(2), 1, None)]);
    let rest = reader.calls(calls.last().map(|call| call.seq), 2).unwrap();
    assert_eq!(rest.len(), 1);
    assert_eq!((rest[0].incident, rest[0].attempt.outcome), (incident(1), Some(Outcome::Taken)));
}

#[test]
fn what_was_dialled_lately_is_found_oldest_first_and_no_more_of_it_than_asked_for() {
    let folder = Folder::new("dialled");
    let mut journal = folder.open();
    let never = match dialled(3) {
        Fact::Dialled { attempt, contact, phone, .. } => {
            Fact::Dialled { attempt, contact, phone, call: crate::incident::CallHandle(String::new()) }
        }
        other => panic!("{other:?}"),
    };
    let facts = [(1, accepted()), (2, dialled(1)), (5, dialled(2)), (6, never), (7, dialled(4))];
    let entries: Vec<Entry> =
        facts.into_iter().map(|(when, fact)| Entry::Incident(incident(1), at(when), fact)).collect();
    journal.append(&entries).unwrap();
    let reader = journal.reader().unwrap();
    let found = |since, limit| {
        let dialled = reader.dialled(at(since), limit).unwrap();
        dialled.iter().map(|(when, ..)| when.as_unix_micros() - at(0).as_unix_micros()).collect::<Vec<_>>()
    };
    assert_eq!((found(0, 9), found(3, 9), found(0, 1)), (vec![2, 5, 7], vec![5, 7], vec![7]));
}
