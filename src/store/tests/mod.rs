//! The journal on a real file in a folder of its own.

mod audit;
mod following;
mod migration;
mod paging;
mod retention;

use std::path::PathBuf;
use std::sync::mpsc;

use super::writer::{Batch, Behind, Cursors, News, Order, serve, write_group};
use super::*;
use crate::base::{ContactId, IncidentId, Phone, seeded};
use crate::incident::{CallHandle, Outcome, State};

/// A folder that goes away with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("hansho-store-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        Folder(path)
    }

    fn journal(&self) -> PathBuf {
        self.0.join("hansho.db")
    }

    fn open(&self) -> Journal {
        Journal::open(&self.journal()).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn at(micros: i64) -> Stamp {
    Stamp::from_unix_micros(1_795_000_000_000_000 + micros)
}

fn incident(n: i64) -> IncidentId {
    IncidentId::new(at(n * 1_000), &mut seeded(7))
}

fn accepted() -> Fact {
    let fact = serde_json::json!({
        "fact": "accepted",
        "trigger": { "call_flow": "oncall", "message": "火災です" },
        "plan": {
            "call_flow": { "id": "oncall", "strategy": "sequential", "answer": "one", "rounds": 1,
                "ring_timeout": { "secs": 30, "nanos": 0 }, "between_rounds": { "secs": 0, "nanos": 0 } },
            "contacts": [{ "id": "yamada", "name": "山田", "phones": ["+818012345678"], "language": "ja" }],
            "guidance": { "id": "default", "keys": { "1": { "do": "take" } },
                "first_key_timeout": { "secs": 10, "nanos": 0 }, "repeats": 2 },
        },
    });
    serde_json::from_value(fact).unwrap()
}

fn dialled(attempt: u32) -> Fact {
    let contact = ContactId::parse("yamada").unwrap();
    Fact::Dialled { attempt, contact, phone: Phone::parse("+818012345678").unwrap(), call: CallHandle("c".into()) }
}

fn ended(attempt: u32) -> Fact {
    Fact::Ended { attempt, outcome: Outcome::Taken, code: Some(200), reason: String::new(), quality: None }
}

fn configured(digest: &str) -> Entry {
    Entry::House(at(5), HouseFact::Configured { digest: digest.into() })
}

fn recent(journal: &Journal, limit: u32) -> Vec<IncidentId> {
    journal.reader().unwrap().incidents(None, None, limit).unwrap()
}

fn open_ids(journal: &Journal) -> Vec<IncidentId> {
    journal.open_ids().unwrap()
}

#[test]
fn what_was_appended_is_there_after_a_reopen_in_its_order() {
    let folder = Folder::new("reopen");
    let entries =
        vec![Entry::Incident(incident(1), at(1), accepted()), Entry::Incident(incident(1), at(2), dialled(1))];
    folder.open().append(&entries).unwrap();
    let journal = folder.open();
    let expected: History = entries.iter().filter_map(|entry| Some((entry.at(), entry.fact()?.clone()))).collect();
    assert_eq!(journal.facts(incident(1)).unwrap(), expected);
    assert_eq!(open_ids(&journal), [incident(1)]);
    assert_eq!(journal.facts(incident(2)).unwrap(), vec![]);
}

#[test]
fn a_commit_is_synced_to_the_disk() {
    let folder = Folder::new("sync");
    let journal = folder.open();
    let pragma = |name: &str| journal.connection().pragma_query_value(None, name, |row| row.get::<_, String>(0));
    assert_eq!(pragma("journal_mode").unwrap(), "wal");
    let synchronous = |row: &rusqlite::Row<'_>| row.get::<_, i64>(0);
    assert_eq!(journal.connection().pragma_query_value(None, "synchronous", synchronous).unwrap(), 2);
}

#[test]
fn the_journal_is_readable_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new("mode");
    let mut journal = folder.open();
    journal.append(&[Entry::Incident(incident(1), at(1), accepted())]).unwrap();
    for file in std::fs::read_dir(&folder.0).unwrap() {
        let file = file.unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o077, 0, "{:?}", file.path());
    }
}

#[test]
fn an_incident_stays_open_until_it_is_final_and_its_calls_have_ended() {
    let folder = Folder::new("open");
    let mut journal = folder.open();
    let contact = ContactId::parse("yamada").unwrap();
    let mut tell = |fact| {
        journal.append(&[Entry::Incident(incident(1), at(1), fact)]).unwrap();
        open_ids(&journal)
    };
    assert_eq!(tell(accepted()), [incident(1)]);
    assert_eq!(tell(dialled(1)), [incident(1)]);
    assert_eq!(tell(Fact::Acknowledged { contact }), [incident(1)], "its call is still up");
    assert_eq!(tell(ended(1)), []);
    let (contact, phone) = (ContactId::parse("yamada").unwrap(), Phone::parse("+818012345678").unwrap());
    let called_in = Fact::CalledIn { attempt: 2, contact, phone, call: CallHandle("c".into()) };
    assert_eq!(tell(called_in), [incident(1)], "somebody came back into its room");
    assert_eq!(tell(ended(2)), []);
}

#[test]
fn recent_names_the_newest_incident_first() {
    let folder = Folder::new("recent");
    let mut journal = folder.open();
    // The clock was set back between the second and the third.
    let order = [incident(5), incident(9), incident(2)];
    let entries: Vec<Entry> = order.into_iter().map(|id| Entry::Incident(id, at(1), accepted())).collect();
    journal.append(&entries).unwrap();
    assert_eq!(recent(&journal, 2), [incident(2), incident(9)]);
}

#[test]
fn a_reader_sees_what_the_writer_wrote_meanwhile() {
    let folder = Folder::new("reader");
    let mut journal = folder.open();
    let reader = journal.reader().unwrap();
    assert_eq!(reader.incidents(None, None, 10).unwrap(), []);
    journal.append(&[Entry::Incident(incident(1), at(1), accepted())]).unwrap();
    assert_eq!(reader.incidents(None, None, 10).unwrap(), [incident(1)]);
    assert_eq!(reader.facts(incident(1)).unwrap(), [(at(1), accepted())]);
}

#[test]
fn what_append_has_returned_survives_a_crash_in_the_next_append() {
    let (folder, crashed) = (Folder::new("alive"), Folder::new("crashed"));
    let mut journal = folder.open();
    std::fs::create_dir_all(&crashed.0).unwrap();
    for n in 1..=20 {
        journal.append(&[Entry::Incident(incident(n), at(n), accepted())]).unwrap();
        // What a `kill -9` would leave on the disk at this moment; the log may even have a torn end.
        std::fs::copy(folder.journal(), crashed.journal()).unwrap();
        let mut log = std::fs::read(folder.0.join("hansho.db-wal")).unwrap();
        log.extend([0x5a; 1_000]);
        std::fs::write(crashed.0.join("hansho.db-wal"), log).unwrap();
        let _ = std::fs::remove_file(crashed.0.join("hansho.db-shm"));
        assert_eq!(recent(&crashed.open(), 100).len() as i64, n);
    }
}

#[test]
#[allow(clippy::disallowed_methods, reason = "two processes, as two threads")]
fn a_lock_that_is_let_go_of_a_moment_later_is_waited_for() {
    let folder = Folder::new("moment");
    let first = folder.open();
    let path = folder.journal();
    let second = std::thread::spawn(move || Journal::open(&path).map(|_| ()));
    drop(first);
    assert!(second.join().unwrap().is_ok());
}

#[test]
fn a_second_daemon_on_the_same_journal_is_told_so() {
    let folder = Folder::new("held");
    let first = folder.open();
    let second = Journal::open(&folder.journal()).unwrap_err();
    assert!(matches!(second, StoreError::Held(_)), "{second}");
    drop(first);
    folder.open();
}

#[test]
fn a_burst_is_written_as_one_transaction() {
    let folder = Folder::new("group");
    let mut journal = folder.open();
    let (send, batches) = mpsc::channel();
    for ticket in 0..100 {
        let entries = vec![Entry::Incident(incident(ticket), at(ticket), accepted())];
        send.send(Order::Write(Batch { ticket, entries, knows: false })).unwrap();
    }
    drop(send);
    let path = folder.journal();
    let mut seen = Vec::new();
    let mut told = Vec::new();
    serve(&mut journal, &batches, |news| {
        let News::Written(ticket, result) = news else { return };
        result.unwrap();
        told.push(ticket);
        seen.push(Reader::open(&path).unwrap().incidents(None, None, 1_000).unwrap().len());
    });
    assert_eq!(told, (0..100).collect::<Vec<_>>());
    assert_eq!(seen.first(), Some(&100), "all were durable before the first was told");
}

#[test]
fn a_thousand_batches_that_wait_share_four_transactions() {
    let folder = Folder::new("thousand");
    let mut journal = folder.open();
    let (send, orders) = mpsc::channel();
    for ticket in 0..1_000 {
        let entries = vec![Entry::Incident(incident(ticket), at(ticket), accepted())];
        send.send(Order::Write(Batch { ticket, entries, knows: false })).unwrap();
    }
    drop(send);
    let (mut transactions, mut written) = (0, 0);
    serve(&mut journal, &orders, |news| match news {
        News::Durable(_) => transactions += 1,
        News::Written(_, Ok(())) => written += 1,
        other => panic!("{other:?}"),
    });
    assert_eq!((transactions, written), (4, 1_000));
}

#[test]
fn a_full_disk_fails_the_append_and_the_next_one_works_when_there_is_room() {
    let folder = Folder::new("full");
    let mut journal = folder.open();
    journal.append(&[Entry::Incident(incident(1), at(1), accepted())]).unwrap();
    let limit = |journal: &Journal, pages: i64| {
        journal.connection().query_row(&format!("PRAGMA max_page_count = {pages}"), [], |row| row.get::<_, i64>(0))
    };
    limit(&journal, 1).unwrap();
    let many: Vec<Entry> = (2..200).map(|n| Entry::Incident(incident(n), at(n), accepted())).collect();
    let error = journal.append(&many).unwrap_err();
    assert!(matches!(error, StoreError::Full(_)), "{error}");
    assert!(error.to_string().contains("free space"), "{error}");
    assert_eq!(recent(&journal, 1_000), [incident(1)], "nothing of a failed append stays");
    limit(&journal, 1_000_000).unwrap();
    journal.append(&many).unwrap();
    assert_eq!(recent(&journal, 1_000).len(), 199);
}

#[test]
fn one_batch_too_large_for_the_disk_does_not_fail_the_others_of_its_group() {
    let folder = Folder::new("alone");
    let mut journal = folder.open();
    journal.append(&[Entry::Incident(incident(1), at(1), accepted())]).unwrap();
    let pages: i64 = journal.connection().pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
    let sql = format!("PRAGMA max_page_count = {}", pages + 2);
    journal.connection().query_row(&sql, [], |row| row.get::<_, i64>(0)).unwrap();
    let large: Vec<Entry> = (0..200).map(|n| Entry::Incident(incident(2), at(n), dialled(n as u32))).collect();
    let group = vec![
        Batch { ticket: 'a', entries: vec![Entry::Incident(incident(1), at(2), dialled(1))], knows: false },
        Batch { ticket: 'b', entries: large, knows: false },
        Batch { ticket: 'c', entries: vec![Entry::Incident(incident(2), at(3), ended(1))], knows: false },
        Batch { ticket: 'd', entries: vec![Entry::Incident(incident(1), at(4), ended(1))], knows: false },
    ];
    let mut told = Vec::new();
    let mut behind = Behind::new();
    write_group(&mut journal, group, &mut Cursors::new(), &mut behind, &mut |news| {
        if let News::Written(ticket, result) = news {
            told.push((ticket, result.map_err(|error| error.to_string())));
        }
    });
    assert_eq!(told[0], ('a', Ok(())));
    assert!(told[1].1.as_ref().unwrap_err().contains("SQLITE_FULL"), "{told:?}");
    assert!(told[2].1.as_ref().unwrap_err().contains("an earlier fact"), "{told:?}");
    assert_eq!(told[3], ('d', Ok(())));
    assert_eq!(journal.facts(incident(1)).unwrap().len(), 3);
    assert_eq!(journal.facts(incident(2)).unwrap().len(), 0);
    // Sent before anybody could know; then by somebody who does.
    let mut go = |ticket, knows| {
        let group = vec![Batch { ticket, entries: vec![Entry::Incident(incident(2), at(5), accepted())], knows }];
        let mut went = None;
        write_group(&mut journal, group, &mut Cursors::new(), &mut behind, &mut |news| {
            went = went.or(if let News::Written(_, result) = news { Some(result.is_ok()) } else { None });
        });
        went.unwrap()
    };
    assert_eq!((go('e', false), go('f', true)), (false, true));
}

#[test]
fn what_happened_to_the_house_is_not_overtaken_either() {
    let folder = Folder::new("house-behind");
    let mut journal = folder.open();
    let mut write = |behind: &mut Behind, knows, digest: &str| {
        let group = vec![Batch { ticket: (), entries: vec![configured(digest)], knows }];
        let mut went = None;
        write_group(&mut journal, group, &mut Cursors::new(), behind, &mut |news| {
            went = went.or(if let News::Written((), result) = news { Some(result.is_ok()) } else { None });
        });
        (went.unwrap(), journal.house().unwrap().len())
    };
    // The batch before this one was refused, and its sender does not know yet.
    let mut behind = Behind::from([None]);
    assert_eq!(write(&mut behind, false, "late"), (false, 0));
    assert_eq!(write(&mut Behind::from([Some(incident(1))]), false, "other"), (true, 1));
    assert_eq!(write(&mut behind, true, "again"), (true, 2));
}

#[test]
fn a_file_that_is_no_database_is_called_damaged() {
    let folder = Folder::new("damaged");
    std::fs::create_dir_all(&folder.0).unwrap();
    std::fs::write(folder.journal(), "not a database at all, but long enough to have a header\n".repeat(100)).unwrap();
    let error = Journal::open(&folder.journal()).unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
}

#[test]
fn a_page_of_nonsense_in_the_middle_is_called_damaged_when_it_is_read() {
    let folder = Folder::new("page");
    let entries: Vec<Entry> = (0..300).map(|n| Entry::Incident(incident(n), at(n), accepted())).collect();
    folder.open().append(&entries).unwrap();
    let mut bytes = std::fs::read(folder.journal()).unwrap();
    let length = bytes.len();
    bytes[8_192..length].fill(0xa5);
    std::fs::write(folder.journal(), bytes).unwrap();
    let error = Journal::open(&folder.journal()).and_then(|journal| journal.facts(incident(299))).unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
}

#[test]
fn another_programs_database_is_left_alone() {
    let folder = Folder::new("foreign");
    std::fs::create_dir_all(&folder.0).unwrap();
    let db = rusqlite::Connection::open(folder.journal()).unwrap();
    db.execute_batch("CREATE TABLE bookmarks (url TEXT)").unwrap();
    drop(db);
    let error = Journal::open(&folder.journal()).unwrap_err();
    assert!(matches!(error, StoreError::Foreign(_)), "{error}");
}

#[test]
fn a_journal_of_a_newer_version_is_refused() {
    let folder = Folder::new("newer");
    folder.open().connection().pragma_update(None, "user_version", 99).unwrap();
    let error = Journal::open(&folder.journal()).unwrap_err();
    assert!(matches!(error, StoreError::Newer { found: 99, .. }), "{error}");
}

#[test]
fn a_fact_nobody_knows_is_named_by_its_row() {
    let folder = Folder::new("unknown");
    let mut journal = folder.open();
    journal.append(&[Entry::Incident(incident(1), at(1), accepted())]).unwrap();
    let sql = "INSERT INTO facts (seq, incident, at, body) VALUES (7, ?1, 0, '{\"fact\":\"teleported\"}')";
    journal.connection().execute(sql, [incident(1).to_string()]).unwrap();
    let error = journal.facts(incident(1)).unwrap_err();
    let text = error.to_string();
    assert!(text.starts_with("row 7 of the journal") && text.contains("teleported"), "{text}");
}

#[test]
fn a_folder_that_cannot_be_made_is_a_clear_error() {
    let folder = Folder::new("nofolder");
    std::fs::write(&folder.0, "a file where the folder should be").unwrap();
    let error = Journal::open(&folder.journal()).unwrap_err();
    assert!(matches!(error, StoreError::Open { .. }), "{error}");
    let _ = std::fs::remove_file(&folder.0);
}
