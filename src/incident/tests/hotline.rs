use super::*;
use crate::base::{ContactId, Phone};
use crate::incident::tests::table::table;

const STATES: [&str; 5] = ["Idle", "Asked", "Accepted", "Refused", "Late"];
const EVENTS: [&str; 5] = ["call", "other calls", "accept", "time", "another link"];
const TIMEOUT: Duration = Duration::from_secs(120);

fn person(name: &str) -> Contact {
    let mut contact = crate::incident::tests::any_plan().contacts.swap_remove(0);
    contact.id = ContactId::parse(name).unwrap();
    contact.name = name.to_owned();
    contact.phones = vec![Phone::parse("+818012345678").unwrap()];
    contact
}

fn line(bridge: bool) -> Hotline {
    let people = [person("ann"), person("bob")];
    Hotline { id: "duty".into(), number: "+8150".into(), people, timeout: TIMEOUT, bridge, language: None }
}

struct Bench {
    lines: Hotlines,
    now: Time,
    out: Outbox<Wish>,
    facts: Vec<(Time, HouseFact)>,
    links: u32,
}

impl Bench {
    fn new(bridge: bool) -> Bench {
        let lines = Hotlines::new(vec![line(bridge)]);
        Bench { lines, now: Time::ZERO, out: Outbox::new(), facts: Vec::new(), links: 0 }
    }

    fn call(&mut self, caller: usize) -> Called {
        self.links += 1;
        self.lines.on_call(self.now, 0, caller, format!("link-{}", self.links), &mut self.out)
    }

    fn wait(&mut self, pause: Duration) {
        self.now = self.now + pause;
        self.lines.on_deadline(self.now, &mut self.out);
    }

    /// What came out, in the words of the table.
    fn done(&mut self) -> String {
        let mut words = Vec::new();
        for wish in self.out.drain() {
            words.push(match wish {
                Wish::Store(fact) => {
                    let word = match &fact {
                        HouseFact::Inquired { .. } => "inquired",
                        HouseFact::InquiryAccepted { late: false, .. } => "accepted",
                        HouseFact::InquiryAccepted { late: true, .. } => "accepted late",
                        HouseFact::InquiryRefused { .. } => "refused",
                        other => panic!("{other:?}"),
                    };
                    self.facts.push((self.now, fact));
                    word
                }
                Wish::Write { letter: Letter::Asks, .. } => "asks the other",
                Wish::Write { .. } => "writes to the caller",
                Wish::Bridge { .. } => "rings both",
            });
        }
        if words.is_empty() { "-".to_owned() } else { words.join(", ") }
    }

    /// How the inquiry of the first person stands, or the last one.
    fn state(&self) -> &'static str {
        match self.lines.inquiries.values().next_back().map(Inquiry::standing) {
            None => "Idle",
            Some(Standing::Asked) => "Asked",
            Some(Standing::Accepted) => "Accepted",
            Some(Standing::Refused) => "Refused",
            Some(Standing::Late) => "Late",
        }
    }

    /// A new life with the facts of this one.
    fn crash(&self, away: Duration) -> Bench {
        let mut next = Bench { now: Time::ZERO, ..Bench::new(self.lines.lines[0].bridge) };
        for (at, fact) in &self.facts {
            next.lines.restore(next.now, self.now.since(*at) + away, fact);
        }
        next.links = self.links;
        next
    }
}

fn in_state(name: &str) -> Bench {
    let mut bench = Bench::new(false);
    if name != "Idle" {
        bench.call(0);
    }
    if matches!(name, "Refused" | "Late") {
        bench.wait(TIMEOUT);
    }
    if matches!(name, "Accepted" | "Late") {
        bench.lines.on_accept(1, &mut bench.out);
    }
    bench.done();
    assert_eq!(bench.state(), name);
    bench
}

#[test]
fn the_code_does_what_the_table_says() {
    let (_, rows) = table(include_str!("../hotline.rs"), "state");
    for state in STATES {
        for event in EVENTS {
            if state == "Idle" && event == "other calls" {
                continue; // The first to call is nobody's other.
            }
            let mut bench = in_state(state);
            match event {
                "call" => {
                    bench.call(0);
                }
                "other calls" => {
                    bench.call(1);
                }
                "accept" => {
                    bench.lines.on_accept(1, &mut bench.out);
                }
                "time" => bench.wait(TIMEOUT),
                _ => assert_eq!(bench.lines.of_link("somebody guesses"), None),
            }
            let found = [state.to_owned(), event.to_owned(), String::new(), bench.done()];
            let row = rows.iter().find(|row| row[0] == state && row[1] == event);
            match row {
                Some(row) => assert_eq!((bench.state(), &found[3]), (row[2].as_str(), &row[3]), "{state} {event}"),
                None => assert_eq!((bench.state(), found[3].as_str()), (state, "-"), "{state} {event}"),
            }
        }
    }
}

#[test]
fn who_asks_and_who_is_asked_swap_when_the_other_calls() {
    let mut bench = Bench::new(false);
    bench.call(0);
    bench.done();
    assert_eq!(bench.call(1), Called::Asked(2));
    let wishes: Vec<Wish> = bench.out.drain().collect();
    assert!(matches!(&wishes[1], Wish::Store(HouseFact::Inquired { caller, callee, .. })
        if caller.as_str() == "bob" && callee.as_str() == "ann"));
    assert_eq!(wishes[2], Wish::Write { inquiry: 2, to: 0, letter: Letter::Asks });
    bench.lines.on_accept(2, &mut bench.out);
    let wishes: Vec<Wish> = bench.out.drain().collect();
    assert_eq!(wishes[1], Wish::Write { inquiry: 2, to: 1, letter: Letter::Accepted });
}

#[test]
fn a_link_accepts_once_and_says_how_it_stood() {
    let mut bench = Bench::new(false);
    bench.call(0);
    assert_eq!(bench.lines.of_link("link-1"), Some(1));
    let accept = |bench: &mut Bench| bench.lines.on_accept(1, &mut bench.out);
    assert_eq!(accept(&mut bench), Some(Standing::Asked));
    bench.done();
    assert_eq!(accept(&mut bench), Some(Standing::Accepted));
    assert_eq!(bench.done(), "-");
    assert_eq!(bench.lines.on_accept(9, &mut bench.out), None);
}

#[test]
fn a_bridge_rings_both_when_it_is_accepted_in_time_and_not_late() {
    let mut bench = Bench::new(true);
    bench.call(0);
    bench.done();
    bench.lines.on_accept(1, &mut bench.out);
    assert_eq!(bench.done(), "accepted, writes to the caller, rings both");
    bench.call(0);
    bench.wait(TIMEOUT);
    bench.done();
    bench.lines.on_accept(2, &mut bench.out);
    assert_eq!(bench.done(), "accepted late, writes to the caller");
}

#[test]
fn whoever_asks_too_often_is_no_news_for_the_rest_of_the_hour() {
    let mut bench = Bench::new(false);
    for _ in 0..CALLS_MAX {
        assert!(matches!(bench.call(0), Called::Asked(_)));
        bench.wait(TIMEOUT);
    }
    assert_eq!(bench.call(0), Called::TooOften);
    assert!(matches!(bench.call(1), Called::Asked(_)), "the other may ask");
    bench.wait(COUNTED);
    assert!(matches!(bench.call(0), Called::Asked(_)));
}

#[test]
fn a_restart_changes_nothing_but_that_time_went_by() {
    let mut bench = Bench::new(false);
    bench.call(0);
    bench.done();
    bench.now = bench.now + Duration::from_secs(50);
    let mut next = bench.crash(Duration::from_secs(10));
    assert_eq!(next.lines.next_deadline(), Some(Time::ZERO + Duration::from_secs(60)));
    assert_eq!(next.call(0), Called::Open);
    next.wait(Duration::from_secs(60));
    assert_eq!(next.done(), "refused, writes to the caller");
    let mut late = bench.crash(Duration::from_secs(3_600));
    late.wait(Duration::ZERO);
    assert_eq!(late.done(), "refused, writes to the caller");
    let mut accepted = Bench::new(false);
    accepted.call(0);
    accepted.lines.on_accept(1, &mut accepted.out);
    accepted.done();
    let mut next = accepted.crash(Duration::from_secs(10));
    assert_eq!(next.lines.on_accept(1, &mut next.out), Some(Standing::Accepted));
    assert!(matches!(next.call(0), Called::Asked(2)), "numbers are never used again");
}

#[test]
fn an_inquiry_of_yesterday_is_forgotten() {
    let mut bench = Bench::new(false);
    bench.call(0);
    bench.done();
    assert!(bench.crash(KNOWN).lines.of_link("link-1").is_none());
    bench.wait(KNOWN);
    assert_eq!(bench.lines.of_link("link-1"), None);
    assert_eq!(bench.lines.next_deadline(), None);
}

#[test]
fn a_new_link_opens_the_same_inquiry_and_the_old_one_still_does() {
    let mut bench = Bench::new(false);
    bench.call(0);
    bench.lines.on_new_link(1, "second".into(), &mut bench.out);
    bench.done();
    let next = bench.crash(Duration::from_secs(1));
    assert_eq!((next.lines.of_link("link-1"), next.lines.of_link("second")), (Some(1), Some(1)));
    assert_eq!(next.lines.next_deadline(), Some(Time::ZERO + Duration::from_secs(119)));
}
