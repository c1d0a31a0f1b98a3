use super::*;
use crate::sip::table;
use crate::sip::tests::{connected, peer, sent};

const EVENTS: [&str; 8] = ["1xx", "2xx", "2xx again", "3xx-6xx", "timer A", "timer B", "timer M", "timer D"];

fn in_state(name: &str) -> ClientInvite {
    let mut machine = ClientInvite::start(Time::ZERO, peer(), b"request".to_vec(), &mut Outbox::new());
    let out = &mut Outbox::new();
    match name {
        "Calling" => {}
        "Proceeding" => assert_eq!(machine.on_response(Time::ZERO, Answer::Provisional, out), Told::Tell),
        "Accepted" => {
            machine.on_response(Time::ZERO, Answer::Success("known"), out);
            machine.acknowledge("known", peer(), b"ack".to_vec(), out);
        }
        "Completed" => {
            machine.on_response(Time::ZERO, Answer::Refusal(b"ack"), out);
        }
        _ => machine.abandon(),
    }
    machine
}

fn name(machine: &ClientInvite) -> &'static str {
    match machine.state {
        State::Calling { .. } => "Calling",
        State::Proceeding => "Proceeding",
        State::Accepted { .. } => "Accepted",
        State::Completed { .. } => "Completed",
        State::Terminated => "Terminated",
    }
}

/// What the machine does, as a row of the table; none when nothing happens.
fn row(state: &str, event: &str) -> Option<String> {
    let mut machine = in_state(state);
    let out = &mut Outbox::new();
    let timer = match (state, event) {
        ("Calling", "timer A") => Some(Time::ZERO + crate::sip::timers::T1),
        ("Calling", "timer B") | ("Accepted", "timer M") => Some(Time::ZERO + GIVE_UP),
        ("Completed", "timer D") => Some(Time::ZERO + TIMER_D),
        _ => None,
    };
    let told = match event {
        "1xx" => machine.on_response(Time::ZERO, Answer::Provisional, out),
        "2xx" => machine.on_response(Time::ZERO, Answer::Success("new"), out),
        "2xx again" if state != "Accepted" => return None,
        "2xx again" => machine.on_response(Time::ZERO, Answer::Success("known"), out),
        "3xx-6xx" => machine.on_response(Time::ZERO, Answer::Refusal(b"ack"), out),
        _ => match timer {
            Some(due) => machine.on_deadline(due, out),
            None => return None,
        },
    };
    let does: Vec<String> = sent(out).chain(told.word()).collect();
    table::row(state, event, name(&machine), &does)
}

#[test]
fn the_code_does_what_the_table_says() {
    let states = ["Calling", "Proceeding", "Accepted", "Completed", "Terminated"];
    table::compare(include_str!("../client_invite.rs"), &states, &EVENTS, row);
}

#[test]
fn an_unanswered_invite_is_sent_seven_times_and_given_up_after_32_seconds() {
    let mut out = Outbox::new();
    let mut machine = ClientInvite::start(Time::ZERO, peer(), b"request".to_vec(), &mut out);
    let mut ended = None;
    while let Some(due) = machine.next_deadline() {
        if machine.on_deadline(due, &mut out) == Told::TimedOut {
            ended = Some(due);
        }
    }
    assert_eq!((sent(&mut out).count(), ended), (7, Some(Time::ZERO + GIVE_UP)));
}

#[test]
fn a_second_phones_200_is_told_and_not_acknowledged_with_the_first_ones_ack() {
    let mut machine = in_state("Accepted");
    let mut out = Outbox::new();
    assert_eq!(machine.on_response(Time::ZERO, Answer::Success("other"), &mut out), Told::Tell);
    assert!(out.is_empty());
}

#[test]
fn over_a_connection_nothing_is_sent_twice_and_a_refusal_ends_it_at_once() {
    let mut out = Outbox::new();
    let mut machine = ClientInvite::start(Time::ZERO, connected(), b"request".to_vec(), &mut out);
    assert_eq!(machine.next_deadline(), Some(Time::ZERO + GIVE_UP));
    machine.on_response(Time::ZERO, Answer::Refusal(b"ack"), &mut out);
    assert_eq!(sent(&mut out).collect::<Vec<_>>(), ["request", "ack"]);
    assert!(machine.is_over());
}

#[test]
fn a_connection_that_breaks_ends_the_waiting_unless_something_rings() {
    let mut calling = ClientInvite::start(Time::ZERO, connected(), b"request".to_vec(), &mut Outbox::new());
    assert_eq!((calling.on_lost(), calling.is_over()), (Told::TimedOut, true));
    let mut ringing = ClientInvite::start(Time::ZERO, connected(), b"request".to_vec(), &mut Outbox::new());
    ringing.on_response(Time::ZERO, Answer::Provisional, &mut Outbox::new());
    assert_eq!((ringing.on_lost(), ringing.is_waiting()), (Told::Nothing, true));
}
