//! What is old is taken away, what holds stays, and the chain is whole afterwards.

use super::*;
use crate::incident::{Kind, Scope, Suppression, Token};

const DAY: i64 = 86_400_000_000;

fn on_day(day: i64) -> Stamp {
    at(day * DAY)
}

fn of_day(day: i64) -> IncidentId {
    IncidentId::new(on_day(day), &mut seeded(7))
}

fn forget_all(journal: &mut Journal, before: i64) -> (u32, u32) {
    let mut all = (0, 0);
    loop {
        let Forgot { incidents, lines } = journal.forget(on_day(500), on_day(before)).unwrap();
        if incidents + lines == 0 {
            return all;
        }
        all = (all.0 + incidents, all.1 + lines);
    }
}

fn house(day: i64, fact: HouseFact) -> Entry {
    Entry::House(on_day(day), fact)
}

#[test]
fn incidents_go_when_their_last_fact_is_old_and_open_ones_stay() {
    let folder = Folder::new("old");
    let mut journal = folder.open();
    let entry = |day, n, fact| Entry::Incident(of_day(n), on_day(day), fact);
    let entries = [
        entry(1, 1, accepted()),
        entry(1, 1, dialled(1)),
        entry(1, 1, ended(1)),
        entry(2, 1, Fact::Exhausted),
        // Still open.
        entry(3, 3, accepted()),
        // Over, but its room was left only lately.
        entry(4, 4, accepted()),
        entry(4, 4, dialled(1)),
        entry(4, 4, Fact::Acknowledged { contact: ContactId::parse("yamada").unwrap() }),
        // Over, and somebody is still in its room.
        entry(5, 5, accepted()),
        entry(5, 5, dialled(1)),
        entry(5, 5, Fact::Cancelled { by: "x".into() }),
        entry(90, 4, ended(1)),
        entry(99, 99, accepted()),
        entry(99, 99, Fact::Exhausted),
    ];
    journal.append(&entries).unwrap();
    assert_eq!(forget_all(&mut journal, 50), (1, 0));
    assert_eq!(recent(&journal, 9), [of_day(99), of_day(5), of_day(4), of_day(3)]);
    assert_eq!(journal.facts(of_day(1)).unwrap(), []);
    assert_eq!(journal.facts(of_day(3)).unwrap().len(), 1);
    let reader = journal.reader().unwrap();
    assert_eq!(reader.calls(None, 9).unwrap().len(), 2, "those of what is left");
    let verdict = reader.verify(None).unwrap();
    assert_eq!((verdict.faults.as_slice(), verdict.gone, verdict.whole), (&[][..], 3, 9));
    assert_eq!(forget_all(&mut journal, 95), (1, 0));
    assert_eq!(journal.reader().unwrap().verify(None).unwrap().faults, []);
}

#[test]
fn a_long_past_is_taken_away_in_small_pieces_and_no_number_is_given_twice() {
    let folder = Folder::new("pieces");
    let mut journal = folder.open();
    let facts = |n: i64| {
        let id = IncidentId::new(at(n * 1_000), &mut seeded(7));
        [Entry::Incident(id, at(n), accepted()), Entry::Incident(id, at(n), Fact::Exhausted)]
    };
    journal.append(&(0..120).flat_map(facts).collect::<Vec<_>>()).unwrap();
    let last = journal.last();
    assert_eq!(journal.forget(on_day(500), on_day(50)).unwrap(), Forgot { incidents: 50, lines: 0 });
    assert_eq!(forget_all(&mut journal, 50), (70, 0));
    assert_eq!(recent(&journal, 9), []);
    drop(journal);
    let mut journal = folder.open();
    assert!(journal.last() > last);
    journal.append(&[configured("a")]).unwrap();
    assert_eq!(journal.last(), last + 4, "three pieces were taken, each with a line that says so");
    let verdict = journal.reader().unwrap().verify(None).unwrap();
    assert_eq!((verdict.faults.as_slice(), verdict.gone), (&[][..], 120));
}

fn suppressed(id: u32, until: i64) -> HouseFact {
    let scope = Scope { dedup: Some("disk".into()), ..Scope::default() };
    HouseFact::Suppressed { suppression: Suppression { id, scope, until: on_day(until), by: "x".into() } }
}

fn token(id: u32, expires: Option<i64>) -> HouseFact {
    let token = Token {
        id,
        name: "x".into(),
        prefix: "x".into(),
        digest: "x".into(),
        scopes: Default::default(),
        expires: expires.map(on_day),
        call_flow: None,
    };
    HouseFact::TokenCreated { token, by: "x".into() }
}

fn queued(message: u32) -> HouseFact {
    HouseFact::MessageQueued { message, to: Phone::parse("+818012345678").unwrap(), text: "x".into() }
}

fn line_up(line: u32) -> HouseFact {
    HouseFact::LineUp { line, call: CallHandle("x".into()), rang: None }
}

#[test]
fn what_the_house_still_stands_by_stays_and_so_does_the_highest_number_of_each_kind() {
    let folder = Folder::new("holds");
    let mut journal = folder.open();
    let kept = [
        house(1, suppressed(2, 300)),
        house(1, token(1, None)),
        house(1, queued(1)),
        // Over, but the last of their kind.
        house(1, suppressed(4, 2)),
        house(1, token(9, Some(2))),
        house(1, line_up(2)),
        house(1, line_up(5)),
        house(2, HouseFact::LineDown { line: 5 }),
    ];
    let gone = [
        house(1, suppressed(1, 2)),
        house(1, suppressed(3, 400)),
        house(2, HouseFact::Lifted { suppression: 3, by: "x".into() }),
        house(1, token(2, Some(10))),
        house(1, token(3, None)),
        house(3, HouseFact::TokenRevoked { token: 3, by: "x".into() }),
        house(1, HouseFact::DialRefused { number: "1".into(), by: "x".into(), why: "x".into() }),
        house(1, HouseFact::Configured { digest: "old".into() }),
        house(1, queued(2)),
        house(1, HouseFact::MessageSent { message: 2 }),
        house(1, line_up(1)),
        house(1, line_up(1)),
        house(2, HouseFact::LineDown { line: 1 }),
    ];
    let last = [house(1, HouseFact::Configured { digest: "now".into() }), house(99, queued(3))];
    journal.append(&[&kept[..], &gone, &last].concat()).unwrap();
    assert_eq!(forget_all(&mut journal, 50), (0, 13));
    let left: Vec<HouseFact> = journal.house().unwrap().into_iter().map(|(_, fact)| fact).collect();
    let expected = kept.iter().chain(&last).map(|entry| match entry {
        Entry::House(_, fact) => fact.clone(),
        other => panic!("{other:?}"),
    });
    let (left, said) = left.split_at(left.len() - 1);
    assert_eq!(left, expected.collect::<Vec<_>>());
    assert!(matches!(said, [HouseFact::Forgotten { incidents: 0, chained: 8, .. }]), "{said:?}");
    assert_eq!(journal.reader().unwrap().verify(None).unwrap().faults, []);
}

#[test]
fn retention_works_while_nothing_else_is_to_be_written_and_facts_come_first() {
    let folder = Folder::new("idle-retention");
    let mut journal = folder.open();
    let facts = |n: i64| {
        let id = IncidentId::new(at(n * 1_000), &mut seeded(7));
        [Entry::Incident(id, at(n), accepted()), Entry::Incident(id, at(n), Fact::Exhausted)]
    };
    journal.append(&(0..60).flat_map(facts).collect::<Vec<_>>()).unwrap();
    let (send, orders) = mpsc::channel();
    send.send(Order::Forget { now: on_day(500), before: on_day(50) }).unwrap();
    send.send(Order::Write(Batch { ticket: 1, entries: vec![configured("a")], knows: true })).unwrap();
    let mut told = Vec::new();
    serve(&mut journal, &orders, |news| {
        told.push(match news {
            News::Written(1, Ok(())) => "written",
            News::Durable(_) => "durable",
            News::Forgot(Ok(_)) if told.last() == Some(&"durable") => "forgot",
            other => panic!("{other:?}"),
        });
        if told.iter().filter(|what| **what == "forgot").count() == 2 {
            let _ = send.send(Order::End);
        }
    });
    assert_eq!(told, ["written", "durable", "durable", "forgot", "durable", "forgot"]);
    assert_eq!(recent(&journal, 9), []);
}

#[test]
fn of_the_directory_what_holds_stays_and_what_was_deleted_never_comes_back() {
    let folder = Folder::new("directory");
    let mut journal = folder.open();
    let set = |day, id: &str, name: &str| {
        let object = serde_json::json!({ "name": name });
        house(day, HouseFact::DirectorySet { kind: Kind::Contact, id: id.into(), object, by: "page".into() })
    };
    let removed = |day, id: &str| {
        house(day, HouseFact::DirectoryRemoved { kind: Kind::Contact, id: id.into(), by: "page".into() })
    };
    let lines = [
        set(1, "yamada", "old"),
        set(2, "yamada", "new"),
        set(3, "gone", "x"),
        removed(4, "gone"),
        set(5, "lately", "x"),
        removed(60, "lately"),
    ];
    journal.append(&lines).unwrap();
    assert_eq!(forget_all(&mut journal, 50), (0, 3));
    let left: Vec<HouseFact> = journal.house().unwrap().into_iter().map(|(_, fact)| fact).collect();
    let of = |entry: &Entry| if let Entry::House(_, fact) = entry { fact.clone() } else { panic!("{entry:?}") };
    assert_eq!(left[..3], [of(&lines[1]), of(&lines[4]), of(&lines[5])]);
    assert!(matches!(left[3..], [HouseFact::Forgotten { chained: 3, .. }]), "{left:?}");
}
