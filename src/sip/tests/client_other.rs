use super::*;
use crate::sip::table;
use crate::sip::tests::{connected, peer, sent};
use crate::sip::timers::T1;

fn in_state(name: &str) -> ClientOther {
    let mut machine = ClientOther::start(Time::ZERO, peer(), b"request".to_vec(), &mut Outbox::new());
    match name {
        "Trying" => {}
        "Proceeding" => assert_eq!(machine.on_response(Time::ZERO, 100), Told::Tell),
        "Completed" => assert_eq!(machine.on_response(Time::ZERO, 200), Told::Tell),
        _ => machine.state = State::Terminated,
    }
    machine
}

fn name(machine: &ClientOther) -> &'static str {
    match machine.state {
        State::Trying { .. } => "Trying",
        State::Proceeding { .. } => "Proceeding",
        State::Completed { .. } => "Completed",
        State::Terminated => "Terminated",
    }
}

fn row(state: &str, event: &str) -> Option<String> {
    let mut machine = in_state(state);
    let out = &mut Outbox::new();
    let told = match (event, state) {
        ("1xx", _) => machine.on_response(Time::ZERO, 100),
        ("2xx-6xx", _) => machine.on_response(Time::ZERO, 486),
        ("timer E", "Trying") => machine.on_deadline(Time::ZERO + T1, out),
        ("timer E", "Proceeding") => machine.on_deadline(Time::ZERO + crate::sip::timers::T2, out),
        ("timer F", "Trying" | "Proceeding") => machine.on_deadline(Time::ZERO + GIVE_UP, out),
        ("timer K", "Completed") => machine.on_deadline(Time::ZERO + T4, out),
        _ => return None,
    };
    let does: Vec<String> = sent(out).chain(told.word()).collect();
    table::row(state, event, name(&machine), &does)
}

#[test]
fn the_code_does_what_the_table_says() {
    let events = ["1xx", "2xx-6xx", "timer E", "timer F", "timer K"];
    let states = ["Trying", "Proceeding", "Completed", "Terminated"];
    table::compare(include_str!("../client_other.rs"), &states, &events, row);
}

#[test]
fn an_unanswered_request_is_sent_eleven_times_in_32_seconds() {
    let mut out = Outbox::new();
    let mut machine = ClientOther::start(Time::ZERO, peer(), b"request".to_vec(), &mut out);
    let mut ended = None;
    while let Some(due) = machine.next_deadline() {
        if machine.on_deadline(due, &mut out) == Told::TimedOut {
            ended = Some(due);
        }
    }
    assert_eq!((sent(&mut out).count(), ended), (11, Some(Time::ZERO + GIVE_UP)));
}

#[test]
fn over_a_connection_nothing_is_sent_twice_and_the_answer_ends_it_at_once() {
    let mut out = Outbox::new();
    let mut machine = ClientOther::start(Time::ZERO, connected(), b"request".to_vec(), &mut out);
    machine.on_response(Time::ZERO, 100);
    assert_eq!(machine.next_deadline(), Some(Time::ZERO + GIVE_UP));
    machine.on_response(Time::ZERO, 200);
    assert_eq!((sent(&mut out).count(), machine.is_over()), (1, true));
    assert_eq!(machine.on_lost(), Told::Nothing);
}

#[test]
fn a_connection_that_breaks_ends_the_waiting() {
    let mut machine = ClientOther::start(Time::ZERO, connected(), b"request".to_vec(), &mut Outbox::new());
    machine.on_response(Time::ZERO, 100);
    assert_eq!((machine.on_lost(), machine.is_over()), (Told::TimedOut, true));
}
