use super::*;

const DOOR: Door = Door { may_enter: true, may_speak: true, pin_length: 4, message_max: Duration::from_secs(60) };
const STATES: [&str; 5] = ["Asking", "Greeting", "Recording", "Confirming", "Leaving"];
const EVENTS: [&str; 10] =
    ["digit", "PIN", "wrong PIN", "third wrong PIN", "*", "#", "early #", "time", "said", "hung up"];

struct Bench {
    reception: Reception,
    now: Time,
    out: Outbox<Wish>,
}

impl Bench {
    fn new(door: Door, speak_first: bool) -> Bench {
        let mut out = Outbox::new();
        Bench { reception: Reception::start(door, speak_first, &mut out), now: Time::ZERO, out }
    }

    fn press(&mut self, keys: &str) {
        for key in keys.chars() {
            let digit = Digit::from_char(key).unwrap();
            self.reception.on_key(self.now, digit, |pin| pin == "2468" || pin == "99", &mut self.out);
        }
    }

    fn said(&mut self) {
        self.reception.on_said(self.now, &mut self.out);
    }

    fn wait(&mut self, seconds: u64) {
        self.now = self.now + Duration::from_secs(seconds);
        self.reception.on_deadline(self.now, &mut self.out);
    }

    fn done(&mut self) -> String {
        let word = |word: &Word| match word {
            Word::Pin => "ask",
            Word::WrongPin => "say wrong",
            Word::LeaveMessage => "say how",
            Word::Tone => "tone",
            Word::MessageTaken => "say taken",
            Word::NoMessage => "say nothing",
            Word::NoKey => "say no key",
        };
        let mut words = Vec::new();
        for wish in self.out.drain() {
            match wish {
                Wish::Say(all) => words.extend(all.iter().map(word)),
                Wish::Hush => words.push("hush"),
                Wish::Wrong => {}
                Wish::Join(_) => words.push("join"),
                Wish::Record => words.push("record"),
                Wish::Raise => words.push("raise"),
                Wish::Forget => words.push("forget"),
                Wish::HangUp => words.push("hang up"),
            }
        }
        if words.is_empty() { "-".to_owned() } else { words.join(", ") }
    }

    fn state(&self) -> &'static str {
        match self.reception.state {
            State::Asking { .. } => "Asking",
            State::Greeting => "Greeting",
            State::Recording { .. } => "Recording",
            State::Confirming => "Confirming",
            State::Leaving => "Leaving",
            State::Gone => "Gone",
        }
    }
}

fn in_state(name: &str) -> Bench {
    let mut bench = Bench::new(DOOR, name != "Asking");
    if matches!(name, "Recording" | "Confirming" | "Leaving") {
        bench.said();
    }
    if name == "Confirming" {
        bench.wait(5);
        bench.press("#");
    }
    if name == "Leaving" {
        bench.press("#");
    }
    bench.done();
    assert_eq!(bench.state(), name);
    bench
}

fn row(state: &str, event: &str) -> Option<String> {
    let mut bench = in_state(state);
    match event {
        "digit" => bench.press("7"),
        // The last digit of it: what the ones before did is another row.
        "PIN" | "wrong PIN" | "third wrong PIN" => {
            if state != "Asking" {
                return None;
            }
            bench.reception.wrong = if event == "third wrong PIN" { 2 } else { 0 };
            bench.press("246");
            bench.done();
            bench.press(if event == "PIN" { "8" } else { "9" });
        }
        "#" => {
            bench.wait(if state == "Recording" { 2 } else { 0 });
            bench.press("#");
        }
        "*" | "early #" => bench.press(&event[event.len() - 1..]),
        "time" => {
            if state == "Asking" {
                bench.said();
            }
            bench.wait(60);
        }
        "said" => bench.said(),
        _ => {
            bench.wait(if state == "Recording" { 2 } else { 0 });
            bench.reception.on_ended(bench.now, &mut bench.out);
        }
    }
    let done = bench.done();
    let nothing = done == "-" && bench.state() == state;
    (!nothing).then(|| format!("{state} | {event} | {} | {done}", bench.state()))
}

#[test]
fn the_code_does_what_the_table_says() {
    let table =
        include_str!("../reception.rs").lines().filter_map(|line| line.strip_prefix("//! | ")?.strip_suffix(" |"));
    let mut table: Vec<String> = table.skip(2).map(str::to_owned).collect();
    let mut done: Vec<String> =
        STATES.iter().flat_map(|state| EVENTS.iter().filter_map(|event| row(state, event))).collect();
    table.sort();
    done.sort();
    assert_eq!(done, table);
}

#[test]
fn a_short_pin_needs_its_pound_and_a_lone_pound_is_no_try() {
    let mut bench = Bench::new(DOOR, false);
    bench.press("##99");
    assert_eq!(bench.state(), "Asking");
    bench.press("#");
    assert_eq!((bench.state(), bench.reception.wrong), ("Gone", 0));
}

#[test]
fn three_wrong_pins_end_the_call_and_the_fourth_is_not_tried() {
    let mut bench = Bench::new(DOOR, false);
    bench.press("111122223333");
    assert_eq!((bench.state(), bench.reception.wrong), ("Leaving", 3));
    bench.press("2468");
    assert_eq!(bench.state(), "Leaving");
    bench.said();
    assert!(bench.done().ends_with("hang up"));
}

#[test]
fn who_may_not_speak_cannot_and_who_may_not_enter_cannot() {
    let mut silent = Bench::new(Door { may_speak: false, ..DOOR }, true);
    assert_eq!(silent.done(), "ask");
    silent.press("*");
    assert_eq!(silent.state(), "Asking");
    let mut outside = Bench::new(Door { may_enter: false, ..DOOR }, false);
    assert_eq!(outside.done(), "say how, tone");
    outside.press("*");
    assert_eq!(outside.state(), "Greeting");
}

#[test]
fn a_message_ends_at_its_longest() {
    let mut bench = Bench::new(DOOR, true);
    bench.said();
    bench.wait(59);
    assert_eq!(bench.state(), "Recording");
    bench.wait(1);
    assert_eq!(bench.done(), "say how, tone, record, raise, say taken");
}

#[test]
fn who_hangs_up_after_a_breath_has_said_nothing() {
    let mut bench = Bench::new(DOOR, true);
    bench.said();
    bench.done();
    bench.reception.on_ended(bench.now, &mut bench.out);
    assert_eq!(bench.done(), "forget");
}

#[test]
fn keys_that_bring_nobody_further_hold_no_place() {
    let mut bench = Bench::new(Door { may_speak: false, ..DOOR }, false);
    bench.said();
    bench.done();
    for key in ["*", "#", "A"] {
        bench.wait(3);
        bench.press(key);
    }
    bench.wait(1);
    assert_eq!((bench.done().as_str(), bench.state()), ("say no key", "Leaving"));
    let mut turning = Bench::new(DOOR, false);
    turning.press(&"*".repeat(9));
    assert_eq!(turning.state(), "Asking");
    turning.said();
    turning.press("*");
    turning.wait(10);
    assert_eq!(turning.state(), "Leaving");
}
