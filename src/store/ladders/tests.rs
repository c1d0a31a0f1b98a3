use std::os::unix::fs::PermissionsExt;

use super::*;

/// A file that goes with its test.
struct File(PathBuf);

impl File {
    fn new(name: &str) -> File {
        let path = std::env::temp_dir().join(format!("hansho-ladders-{}-{name}.db", std::process::id()));
        remove(&path);
        File(path)
    }

    fn open(&self) -> Ladders {
        Ladders::open(&self.0).unwrap()
    }
}

impl Drop for File {
    fn drop(&mut self) {
        remove(&self.0);
    }
}

fn remove(path: &Path) {
    for end in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{end}", path.display()));
    }
}

fn kept(call_id: &str, number: i64) -> Kept {
    let at = Stamp::from_unix_micros(1_000_000 * number);
    let (local, remote) = ("192.0.2.1:5060".parse().unwrap(), "tcp:[2001:db8::1]:5070".parse().unwrap());
    let passed = Passed { at, sent: number % 2 == 1, local, remote, bytes: format!("message {number}").into_bytes() };
    Kept { call_id: call_id.to_owned(), begins: true, passed }
}

#[test]
fn what_was_kept_is_there_after_the_file_was_closed_and_goes_on() {
    let file = File::new("restart");
    let all = [kept("a", 1), kept("b", 2), kept("a", 3)];
    assert_eq!(file.open().keep(&all).unwrap(), [0; 0]);
    let mut ladders = file.open();
    ladders.keep(&[kept("a", 4)]).unwrap();
    let ladder = ladders.of("a").unwrap();
    let expected: Vec<Passed> = [1, 3, 4].map(|n| kept("a", n).passed).to_vec();
    assert_eq!((ladder.messages, ladder.gap), (expected, None));
    assert_eq!(ladders.of("nobody").unwrap(), Ladder::default());
    let mode = std::fs::metadata(&file.0).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "it names people");
}

#[test]
fn the_calls_that_began_last_are_named_first() {
    let file = File::new("latest");
    let mut ladders = file.open();
    assert_eq!(ladders.latest(2).unwrap(), [""; 0]);
    ladders.keep(&[kept("a", 1), kept("b", 2), kept("c", 3), kept("a", 4)]).unwrap();
    assert_eq!(ladders.latest(2).unwrap(), ["c", "b"]);
}

#[test]
fn what_may_begin_no_call_is_kept_only_in_one_that_is_there() {
    let file = File::new("begins");
    let mut ladders = file.open();
    let stray = |n| Kept { begins: false, ..kept("a", n) };
    assert_eq!(ladders.keep(&[stray(1), kept("a", 2), stray(3)]).unwrap(), [0]);
    assert_eq!(ladders.of("a").unwrap().messages.len(), 2);
}

#[test]
fn of_a_long_call_the_beginning_and_the_end_are_kept_and_the_gap_is_told() {
    let file = File::new("long");
    let mut ladders = file.open();
    let all: Vec<Kept> = (1..=1_000).map(|n| kept("a", n)).collect();
    all.chunks(64).for_each(|group| assert!(ladders.keep(group).unwrap().is_empty()));
    let ladder = ladders.of("a").unwrap();
    assert_eq!(ladder.messages.len(), 200);
    assert_eq!(ladder.gap, Some((800, 100)));
    assert_eq!(
        (&ladder.messages[99].bytes[..], &ladder.messages[100].bytes[..]),
        (&b"message 100"[..], &b"message 901"[..])
    );
}

#[test]
fn the_ways_that_an_attempt_took_are_found_again() {
    let file = File::new("ways");
    let mut ladders = file.open();
    let incident: IncidentId = "d1xsb63t14gg".parse().unwrap();
    ladders.keep(&[kept("first", 1), kept("second", 2), kept("third", 3), kept("other", 4)]).unwrap();
    for way in ["second", "third", "nobody's"] {
        ladders.is_way_of(way, incident, 1).unwrap();
    }
    ladders.is_way_of("other", incident, 2).unwrap();
    assert_eq!(file.open().ways_of(incident, 1).unwrap(), ["second", "third"]);
    assert_eq!(ladders.ways_of(incident, 3).unwrap(), [""; 0]);
}

#[test]
fn calls_of_long_ago_are_taken_away_and_others_stay() {
    let file = File::new("old");
    let mut ladders = file.open();
    ladders.keep(&[kept("a", 1), kept("b", 2), kept("a", 9)]).unwrap();
    assert_eq!(ladders.forget(Stamp::from_unix_micros(9_000_000)).unwrap(), 1);
    assert_eq!(ladders.forget(Stamp::from_unix_micros(9_000_000)).unwrap(), 0);
    assert_eq!((ladders.of("a").unwrap().messages.len(), ladders.of("b").unwrap().messages.len()), (2, 0));
}

#[test]
fn a_full_file_loses_its_oldest_calls_and_grows_no_further() {
    let file = File::new("full");
    let mut ladders = file.open();
    ladders.bytes_max = 1 << 20;
    for call in 0..3_000 {
        let mut one = kept(&format!("call-{call}"), call);
        one.passed.bytes = vec![b'x'; 2_000];
        ladders.keep(&[one]).unwrap();
    }
    assert_eq!(ladders.of("call-0").unwrap(), Ladder::default());
    assert_eq!(ladders.of("call-2999").unwrap().messages.len(), 1);
    let size = std::fs::metadata(&file.0).unwrap().len();
    assert!(size < 2 << 20, "{size} bytes");
}

#[test]
fn a_file_of_somebody_else_or_of_a_newer_hansho_is_left_alone() {
    let file = File::new("foreign");
    Connection::open(&file.0).unwrap().execute_batch("CREATE TABLE theirs (x)").unwrap();
    assert!(matches!(Ladders::open(&file.0), Err(StoreError::Foreign(_))));
    let file = File::new("newer");
    file.open().db.pragma_update(None, "user_version", 9).unwrap();
    assert!(matches!(Ladders::open(&file.0), Err(StoreError::Newer { found: 9, known: 1, .. })));
}

#[test]
fn it_stands_beside_its_journal() {
    assert_eq!(Ladders::beside(Path::new("/var/lib/hansho/hansho.db")), Path::new("/var/lib/hansho/hansho.ladders.db"));
}
