use super::*;
use crate::sip::table;
use crate::sip::tests::{connected, peer, sent};

fn in_state(name: &str) -> ServerOther {
    let mut machine = ServerOther::new(peer());
    let out = &mut Outbox::new();
    match name {
        "Trying" => {}
        "Proceeding" => machine.respond(Time::ZERO, 100, b"response".to_vec(), out),
        "Completed" => machine.respond(Time::ZERO, 200, b"response".to_vec(), out),
        _ => machine.state = State::Terminated,
    }
    machine
}

fn name(machine: &ServerOther) -> &'static str {
    match machine.state {
        State::Trying => "Trying",
        State::Proceeding { .. } => "Proceeding",
        State::Completed { .. } => "Completed",
        State::Terminated => "Terminated",
    }
}

fn row(state: &str, event: &str) -> Option<String> {
    let mut machine = in_state(state);
    let out = &mut Outbox::new();
    match (event, state) {
        ("request", _) => machine.on_request(out),
        ("send 1xx", _) => machine.respond(Time::ZERO, 100, b"response".to_vec(), out),
        ("send 2xx-6xx", _) => machine.respond(Time::ZERO, 405, b"response".to_vec(), out),
        ("timer J", "Completed") => machine.on_deadline(Time::ZERO + GIVE_UP),
        _ => return None,
    };
    let does: Vec<String> = sent(out).collect();
    table::row(state, event, name(&machine), &does)
}

#[test]
fn the_code_does_what_the_table_says() {
    let events = ["request", "send 1xx", "send 2xx-6xx", "timer J"];
    let states = ["Trying", "Proceeding", "Completed", "Terminated"];
    table::compare(include_str!("../server_other.rs"), &states, &events, row);
}

#[test]
fn over_a_connection_the_answer_ends_it_at_once() {
    let mut machine = ServerOther::new(connected());
    machine.respond(Time::ZERO, 200, b"200".to_vec(), &mut Outbox::new());
    assert!(machine.is_over());
}
