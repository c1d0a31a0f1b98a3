//! A file of an earlier version becomes one of this, with everything in it.

use super::*;
use crate::store::schema;

/// A file as the first version wrote it.
fn old(folder: &Folder, facts: &[(i64, Fact)]) {
    std::fs::create_dir_all(&folder.0).unwrap();
    let db = rusqlite::Connection::open(folder.journal()).unwrap();
    db.execute_batch(schema::STEPS[0].tables).unwrap();
    db.execute_batch("PRAGMA user_version = 1; PRAGMA application_id = 0x68616e73").unwrap();
    for (n, fact) in facts {
        let sql = "INSERT INTO facts (incident, at, body) VALUES (?1, ?2, ?3)";
        let body = serde_json::to_string(fact).unwrap();
        db.execute(sql, (incident(*n).to_string(), at(*n).as_unix_micros(), body)).unwrap();
        if matches!(fact, Fact::Accepted { .. }) {
            db.execute("INSERT INTO incidents (id) VALUES (?1)", [incident(*n).to_string()]).unwrap();
        }
    }
    db.execute("UPDATE incidents SET closed = 1 WHERE id = ?1", [incident(1).to_string()]).unwrap();
    let sql = "INSERT INTO calls_up (incident, attempt) VALUES (?1, 1)";
    db.execute(sql, [incident(2).to_string()]).unwrap();
}

#[test]
fn an_older_file_is_chained_and_indexed_when_it_is_opened() {
    let folder = Folder::new("v1");
    let facts = [(1, accepted()), (2, accepted()), (1, dialled(1)), (1, Fact::Exhausted), (2, dialled(1))];
    let facts = [&facts[..], &[(1, ended(1))]].concat();
    old(&folder, &facts);
    let read_only = Reader::open(&folder.journal()).unwrap_err();
    assert!(matches!(read_only, StoreError::Older { found: 1, .. }), "{read_only}");

    let journal = folder.open();
    let reader = journal.reader().unwrap();
    let verdict = reader.verify(None).unwrap();
    assert_eq!((verdict.faults.as_slice(), verdict.whole), (&[][..], 5));
    assert_eq!(reader.incidents(None, Some(State::Exhausted), 9).unwrap(), [incident(1)]);
    assert_eq!(reader.incidents(None, Some(State::Queued), 9).unwrap(), [incident(2)]);
    assert_eq!(open_ids(&journal), [incident(2)]);
    let calls: Vec<_> = reader.calls(None, 9).unwrap().iter().map(|call| call.incident).collect();
    assert_eq!(calls, [incident(2), incident(1)]);

    // The same as if this version had written it.
    let fresh = Folder::new("v2");
    let mut fresh = fresh.open();
    let entries: Vec<Entry> =
        facts.iter().map(|(n, fact)| Entry::Incident(incident(*n), at(*n), fact.clone())).collect();
    fresh.append(&entries).unwrap();
    assert_eq!(journal.head().unwrap(), fresh.head().unwrap());
}
