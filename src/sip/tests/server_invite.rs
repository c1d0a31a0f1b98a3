use super::*;
use crate::sip::table;
use crate::sip::tests::{connected, peer, sent};
use crate::sip::timers::T1;

fn in_state(name: &str) -> ServerInvite {
    let mut machine = ServerInvite::new(peer());
    let out = &mut Outbox::new();
    match name {
        "Proceeding" => machine.respond(Time::ZERO, 100, b"response".to_vec(), out),
        "Accepted" => machine.respond(Time::ZERO, 200, b"response".to_vec(), out),
        "Completed" => machine.respond(Time::ZERO, 486, b"response".to_vec(), out),
        "Confirmed" => {
            machine.respond(Time::ZERO, 486, b"response".to_vec(), out);
            machine.on_ack(Time::ZERO);
        }
        _ => machine.state = State::Terminated,
    }
    machine
}

fn name(machine: &ServerInvite) -> &'static str {
    match machine.state {
        State::Proceeding { .. } => "Proceeding",
        State::Accepted { .. } => "Accepted",
        State::Completed { .. } => "Completed",
        State::Confirmed { .. } => "Confirmed",
        State::Terminated => "Terminated",
    }
}

fn row(state: &str, event: &str) -> Option<String> {
    let mut machine = in_state(state);
    let out = &mut Outbox::new();
    let mut told = Told::Nothing;
    match (event, state) {
        ("INVITE", _) => machine.on_request(out),
        ("ACK", _) => told = machine.on_ack(Time::ZERO),
        ("send 1xx", _) => machine.respond(Time::ZERO, 180, b"response".to_vec(), out),
        ("send 2xx", _) => machine.respond(Time::ZERO, 200, b"response".to_vec(), out),
        ("send 3xx-6xx", _) => machine.respond(Time::ZERO, 486, b"response".to_vec(), out),
        ("timer G", "Completed") => told = machine.on_deadline(Time::ZERO + T1, out),
        ("timer H", "Completed") | ("timer L", "Accepted") => told = machine.on_deadline(Time::ZERO + GIVE_UP, out),
        ("timer I", "Confirmed") => told = machine.on_deadline(Time::ZERO + T4, out),
        _ => return None,
    };
    let does: Vec<String> = sent(out).chain(told.word()).collect();
    table::row(state, event, name(&machine), &does)
}

#[test]
fn the_code_does_what_the_table_says() {
    let states = ["Proceeding", "Accepted", "Completed", "Confirmed", "Terminated"];
    let events = ["INVITE", "send 1xx", "send 2xx", "send 3xx-6xx", "ACK", "timer G", "timer H", "timer I", "timer L"];
    table::compare(include_str!("../server_invite.rs"), &states, &events, row);
}

#[test]
fn a_copy_before_anything_was_answered_gets_nothing() {
    let mut out = Outbox::new();
    ServerInvite::new(peer()).on_request(&mut out);
    assert!(out.is_empty());
}

#[test]
fn over_a_connection_a_refusal_is_sent_once_and_its_ack_ends_it_at_once() {
    let mut out = Outbox::new();
    let mut machine = ServerInvite::new(connected());
    machine.respond(Time::ZERO, 486, b"486".to_vec(), &mut out);
    assert_eq!(machine.next_deadline(), Some(Time::ZERO + GIVE_UP));
    machine.on_ack(Time::ZERO);
    assert_eq!((sent(&mut out).count(), machine.is_over()), (1, true));
}
