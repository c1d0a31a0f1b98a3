//! The chain over the audited facts: whoever touches the file is found out.

use super::*;
use crate::base::Digit;
use crate::incident::Behaviour;
use rusqlite::params;

fn key(attempt: u32) -> Fact {
    Fact::Key { attempt, digit: Digit::from_char('1').unwrap(), behaviour: Some(Behaviour::Take) }
}

fn taken(attempt: u32) -> Fact {
    Fact::Taken { attempt, contact: ContactId::parse("yamada").unwrap() }
}

/// Lines 1 to 7; `ringing`, in line 3, is not audited.
fn written(name: &str) -> (Folder, Journal) {
    let folder = Folder::new(name);
    let mut journal = folder.open();
    let facts = [accepted(), dialled(1), Fact::Ringing { attempt: 1, code: 180 }, key(1), taken(1)];
    let facts = facts.into_iter().zip(1..).map(|(fact, n)| Entry::Incident(incident(1), at(n), fact));
    journal.append(&facts.collect::<Vec<_>>()).unwrap();
    journal.append(&[Entry::Incident(incident(1), at(6), Fact::Resolved { by: "control".into() })]).unwrap();
    journal.append(&[configured("a")]).unwrap();
    (folder, journal)
}

fn verdict(journal: &Journal) -> Verdict {
    journal.reader().unwrap().verify(None).unwrap()
}

/// What is found after somebody did this to the file.
fn found_after(name: &str, sql: &str) -> Vec<Fault> {
    let (_folder, journal) = written(name);
    journal.connection().execute_batch(sql).unwrap();
    verdict(&journal).faults
}

#[test]
fn a_journal_nobody_touched_is_whole_and_its_head_is_that_of_the_last_audited_fact() {
    let (_folder, journal) = written("whole");
    let found = verdict(&journal);
    assert_eq!((found.faults.as_slice(), found.whole, found.gone), (&[][..], 6, 0));
    assert_eq!((found.from, found.to), (Some(at(1)), Some(at(5))));
    assert_eq!(found.head, journal.head().unwrap());
    assert_eq!(found.head.seq, 7);
    assert_eq!(found.head.to_string().len(), 64);
}

#[test]
fn an_empty_journal_is_whole() {
    let folder = Folder::new("nothing");
    let found = verdict(&folder.open());
    assert_eq!((found.faults.as_slice(), found.whole, found.head), (&[][..], 0, Head::default()));
}

#[test]
fn the_same_facts_give_the_same_head_and_another_order_another() {
    let head = |order: [i64; 2]| {
        let folder = Folder::new("order");
        let mut journal = folder.open();
        for n in order {
            journal.append(&[Entry::Incident(incident(n), at(n), accepted())]).unwrap();
        }
        journal.head().unwrap().digest
    };
    assert_eq!(head([1, 2]), head([1, 2]));
    assert_ne!(head([1, 2]), head([2, 1]));
}

#[test]
fn facts_of_one_transaction_and_of_many_are_chained_alike() {
    let facts: Vec<Entry> = (1..9).map(|n| Entry::Incident(incident(n), at(n), accepted())).collect();
    let (one, many) = (Folder::new("one"), Folder::new("many"));
    let (mut one, mut many) = (one.open(), many.open());
    one.append(&facts).unwrap();
    facts.chunks(3).for_each(|some| many.append(some).unwrap());
    assert_eq!(one.head().unwrap(), many.head().unwrap());
}

#[test]
fn a_failed_append_leaves_the_chain_where_it_was() {
    let (_folder, mut journal) = written("failed");
    let before = journal.head().unwrap();
    journal.connection().execute_batch("PRAGMA max_page_count = 1").unwrap();
    let many: Vec<Entry> = (2..400).map(|n| Entry::Incident(incident(n), at(n), accepted())).collect();
    journal.append(&many).unwrap_err();
    assert_eq!(journal.head().unwrap(), before);
    journal.connection().execute_batch("PRAGMA max_page_count = 100000").unwrap();
    journal.append(&many).unwrap();
    assert_eq!(verdict(&journal).faults, []);
}

#[test]
fn a_fact_that_was_changed_is_named() {
    let sql = "UPDATE facts SET body = replace(body, 'take', 'next') WHERE seq = 4";
    assert_eq!(found_after("changed", sql), [Fault::Changed(4)]);
    assert_eq!(found_after("later", "UPDATE facts SET at = at + 1 WHERE seq = 5"), [Fault::Changed(5)]);
    let sql = "UPDATE facts SET incident = '' WHERE seq = 2";
    assert_eq!(found_after("whose", sql), [Fault::Changed(2)]);
}

#[test]
fn a_fact_that_was_made_to_look_harmless_is_named() {
    let sql = "UPDATE facts SET body = '{\"fact\":\"ringing\",\"attempt\":1,\"code\":180}' WHERE seq = 5";
    assert_eq!(found_after("harmless", sql), [Fault::Changed(5)]);
}

#[test]
fn a_fact_that_was_taken_out_is_named() {
    assert_eq!(found_after("missing", "DELETE FROM facts WHERE seq = 5"), [Fault::Missing(5)]);
    let sql = "DELETE FROM facts WHERE seq = 5; DELETE FROM audit WHERE seq = 5";
    assert_eq!(found_after("both", sql), [Fault::Broken { after: 4, at: 6 }]);
}

#[test]
fn a_fact_that_was_put_in_is_named() {
    let insert = |body: &str| format!("INSERT INTO facts (seq, incident, at, body) VALUES (8, 'x', 1, '{body}')");
    let plain = insert("{\"fact\":\"taken\",\"attempt\":1,\"contact\":\"x\"}");
    assert_eq!(found_after("inserted", &plain), [Fault::Inserted(8)]);
    let in_another_order = insert("{\"attempt\":1,\"contact\":\"x\",\"fact\":\"taken\"}");
    assert_eq!(found_after("order-of-keys", &in_another_order), [Fault::Inserted(8)]);
    assert_eq!(found_after("nonsense", &insert("nonsense")), [Fault::Inserted(8)]);
}

#[test]
fn two_facts_that_changed_places_are_named() {
    let sql = "UPDATE facts SET seq = 99 WHERE seq = 4;
               UPDATE facts SET seq = 4 WHERE seq = 5;
               UPDATE facts SET seq = 5 WHERE seq = 99";
    assert_eq!(found_after("swapped", sql), [Fault::Changed(4), Fault::Changed(5)]);
    // With their lines in the chain.
    let both = format!("{sql}; {}", sql.replace("facts", "audit"));
    let found = found_after("swapped-both", &both);
    assert_eq!(found[..2], [Fault::Changed(4), Fault::Changed(5)]);
}

#[test]
fn an_end_that_was_cut_off_is_seen_as_long_as_the_head_is_there_and_afterwards_only_with_a_note_of_it() {
    let cut = "DELETE FROM facts WHERE seq > 5; DELETE FROM audit WHERE seq > 5";
    assert_eq!(found_after("cut", cut), [Fault::Cut { noted: 7, found: 5 }]);
    let (_folder, journal) = written("cut-well");
    let noted = journal.head().unwrap().to_string();
    journal.connection().execute_batch(cut).unwrap();
    let sql = "UPDATE audit_head SET seq = 5, digest = (SELECT digest FROM audit WHERE seq = 5)";
    journal.connection().execute_batch(sql).unwrap();
    let reader = journal.reader().unwrap();
    assert_eq!(reader.verify(None).unwrap().faults, [], "nothing in the file can show it");
    assert_eq!(reader.verify(Some(&noted)).unwrap().noted_at, None, "the note does");
}

#[test]
fn a_head_that_was_noted_is_found_again_when_the_chain_has_grown() {
    let (_folder, mut journal) = written("noted");
    let noted = journal.head().unwrap().to_string();
    journal.append(&[configured("b")]).unwrap();
    let reader = journal.reader().unwrap();
    assert_eq!(reader.verify(Some(&noted.to_uppercase())).unwrap().noted_at, Some(7));
}

#[test]
fn a_fact_marked_as_old_is_not_excused_unless_retention_said_so() {
    let sql = "DELETE FROM facts WHERE seq = 5; UPDATE audit SET gone = 1 WHERE seq = 5";
    assert_eq!(found_after("excused", sql), [Fault::Gone { said: 0, found: 1 }]);
}

#[test]
fn the_audited_facts_are_listed_from_a_moment_on() {
    let (_folder, journal) = written("list");
    let reader = journal.reader().unwrap();
    let mut lines = Vec::new();
    reader
        .audited(at(4), |seq, _| {
            lines.push(seq);
            lines.len() < 3
        })
        .unwrap();
    assert_eq!(lines, [4, 5, 6], "the fourth is not asked for");
}

#[test]
fn tokens_promises_and_refusals_of_the_house_are_chained() {
    let folder = Folder::new("house-chain");
    let mut journal = folder.open();
    let facts = [
        serde_json::json!({ "house": "token_revoked", "token": 1, "by": "control" }),
        serde_json::json!({ "house": "lifted", "suppression": 1, "by": "control" }),
        serde_json::json!({ "house": "dial_refused", "number": "+1900", "by": "x", "why": "country" }),
        serde_json::json!({ "house": "message_sent", "message": 1 }),
    ];
    for fact in facts {
        journal.append(&[Entry::House(at(1), serde_json::from_value(fact).unwrap())]).unwrap();
    }
    let chained: Vec<i64> = {
        let mut select = journal.connection().prepare("SELECT seq FROM audit").unwrap();
        select.query_map(params![], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
    };
    assert_eq!(chained, [1, 2, 3]);
}

#[test]
fn what_a_call_came_to_is_chained() {
    let (_folder, mut journal) = written("outcome");
    let answered = serde_json::from_value(serde_json::json!({ "fact": "answered", "attempt": 1, "call": "" })).unwrap();
    let facts = [answered, ended(1)].map(|fact| Entry::Incident(incident(1), at(8), fact));
    journal.append(&facts).unwrap();
    assert_eq!((verdict(&journal).faults, journal.head().unwrap().seq), (vec![], 9));
    let sql = "UPDATE facts SET body = replace(body, '\"outcome\":\"', '\"outcome\":\"x') WHERE seq = 9";
    journal.connection().execute_batch(sql).unwrap();
    assert_eq!(verdict(&journal).faults, [Fault::Changed(9)]);
}

#[test]
fn ends_that_an_older_program_did_not_chain_are_no_fault_and_none_may_stand_behind_one_that_is() {
    let (_folder, mut journal) = written("older-ends");
    let old = |seq: i64| {
        let body = serde_json::to_string(&ended(1)).unwrap();
        format!("INSERT INTO facts (seq, incident, at, body) VALUES ({seq}, '{}', 1, '{body}')", incident(1))
    };
    journal.connection().execute_batch(&old(8)).unwrap();
    assert_eq!(verdict(&journal).faults, []);
    journal.append(&[Entry::Incident(incident(1), at(9), ended(1))]).unwrap();
    assert_eq!(verdict(&journal).faults, []);
    journal.connection().execute_batch(&old(10)).unwrap();
    assert_eq!(verdict(&journal).faults, [Fault::Inserted(10)]);
}
