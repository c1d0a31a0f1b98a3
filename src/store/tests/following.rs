//! Those who follow the journal: in its order, from where they were, after a restart too.

use super::*;

#[test]
fn a_follower_reads_incidents_and_the_house_in_the_order_they_were_written() {
    let folder = Folder::new("after");
    let mut journal = folder.open();
    let written = [
        Entry::Incident(incident(2), at(1), accepted()),
        configured("a"),
        Entry::Incident(incident(1), at(2), dialled(1)),
        configured("b"),
    ];
    journal.append(&written).unwrap();
    let reader = journal.reader().unwrap();
    let read = reader.after(0, 100).unwrap();
    assert_eq!(read.iter().map(|(_, entry)| entry.clone()).collect::<Vec<_>>(), written);
    let (first, _) = read[0];
    assert_eq!(reader.after(first, 2).unwrap(), read[1..3]);
    assert_eq!(reader.after(reader.last().unwrap(), 100).unwrap(), []);
    assert_eq!(journal.last(), reader.last().unwrap());
}

#[test]
fn the_facts_of_the_house_are_read_apart_from_the_incidents() {
    let folder = Folder::new("house");
    let mut journal = folder.open();
    let entries = [configured("a"), Entry::Incident(incident(1), at(1), accepted()), configured("b")];
    journal.append(&entries).unwrap();
    let house = folder_again(journal, &folder).house().unwrap();
    let digests = house.iter().map(|(_, fact)| match fact {
        HouseFact::Configured { digest } => digest.as_str(),
        other => panic!("{other:?}"),
    });
    assert_eq!(digests.collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(house[0].0, at(5));
}

#[test]
fn a_cursor_is_where_it_was_left_after_a_restart() {
    let folder = Folder::new("cursor");
    let mut journal = folder.open();
    let (send, orders) = mpsc::channel();
    let come = |seq| Order::Cursor { name: "slack".into(), seq };
    let write = Batch { ticket: 1, entries: vec![configured("a")], knows: true };
    for order in [come(3), come(4), Order::Write(write), Order::End, come(5)] {
        send.send(order).unwrap();
    }
    let mut told = Vec::new();
    serve(&mut journal, &orders, |news| told.push(news));
    assert!(matches!(told[..], [News::Written(1, Ok(())), News::Durable(1)]), "{told:?}");
    let reader = folder_again(journal, &folder).reader().unwrap();
    assert_eq!(reader.cursor("slack").unwrap(), Some(4), "what stands behind the end is not written");
    assert_eq!(reader.cursor("email").unwrap(), None);
}

#[test]
fn a_cursor_that_comes_alone_is_written_and_is_no_line_of_the_journal() {
    let folder = Folder::new("idle");
    let mut journal = folder.open();
    let (send, orders) = mpsc::channel::<Order<()>>();
    send.send(Order::Cursor { name: "slack".into(), seq: 9 }).unwrap();
    drop(send);
    serve(&mut journal, &orders, |news| panic!("{news:?}"));
    assert_eq!(journal.reader().unwrap().cursor("slack").unwrap(), Some(9));
}

#[test]
fn facts_go_before_cursors_where_the_disk_has_room_for_one_of_them_only() {
    let folder = Folder::new("room");
    let mut journal = folder.open();
    journal.append(&[configured("a")]).unwrap();
    let pages: i64 = journal.connection().pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
    let limit = |journal: &Journal, pages: i64| {
        let sql = format!("PRAGMA max_page_count = {pages}");
        journal.connection().query_row(&sql, [], |row| row.get::<_, i64>(0)).unwrap();
    };
    limit(&journal, pages);
    let mut cursors: Cursors = (0..500).map(|n| (format!("a follower with a long name, number {n}"), 1)).collect();
    let group = |ticket| vec![Batch { ticket, entries: vec![configured("b")], knows: true }];
    let mut told = Vec::new();
    write_group(&mut journal, group('a'), &mut cursors, &mut Behind::new(), &mut |news| told.push(news));
    assert!(matches!(told[..], [News::Written('a', Ok(())), News::Durable(2)]), "{told:?}");
    assert_eq!(cursors.len(), 500, "they wait");
    limit(&journal, 1_000_000);
    write_group(&mut journal, group('b'), &mut cursors, &mut Behind::new(), &mut |_| ());
    assert!(cursors.is_empty(), "there is room again");
}

fn folder_again(journal: Journal, folder: &Folder) -> Journal {
    drop(journal);
    folder.open()
}
