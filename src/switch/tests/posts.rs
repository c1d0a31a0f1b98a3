//! Short messages, and what is kept of them.

use super::world::{World, agent, agent_with, contact, seconds, trunk};
use crate::base::Phone;
use crate::incident::{Entry, HouseFact};
use crate::switch::{Input, PortRange, SmsWay, What};
use crate::wire::sip::Method;

fn ann() -> Phone {
    contact("ann").phones[0].clone()
}

/// What the journal says of messages: `queued`, `sent`, `failed`.
fn story(world: &World) -> Vec<&'static str> {
    let word = |entry: &Entry| match entry {
        Entry::House(_, HouseFact::MessageQueued { .. }) => Some("queued"),
        Entry::House(_, HouseFact::MessageSent { .. }) => Some("sent"),
        Entry::House(_, HouseFact::MessageFailed { .. }) => Some("failed"),
        _ => None,
    };
    world.facts.iter().filter_map(word).collect()
}

#[test]
fn a_message_is_stored_before_it_leaves_and_when_it_is_sent() {
    let mut world = World::new();
    world.send("ann", "hello");
    assert_eq!(story(&world), ["queued"]);
    let message = world.asked(&Method::Message);
    assert_eq!(message.body(), b"hello");
    world.respond(&message, 202);
    assert_eq!(story(&world), ["queued", "sent"]);
    assert_eq!(world.told(|what| matches!(what, What::MessageSent { message: 1, .. })), 1);
}

#[test]
fn a_message_that_the_trunk_does_not_take_now_is_tried_again_and_given_up_at_last() {
    let mut world = World::new();
    world.send("ann", "hello");
    for _ in 0..7 {
        let message = world.asked(&Method::Message);
        world.respond(&message, 503);
        assert_eq!(story(&world), ["queued"]);
        world.wait(seconds(61));
    }
    let message = world.asked(&Method::Message);
    world.respond(&message, 503);
    assert_eq!(story(&world), ["queued", "failed"]);
    world.wait(seconds(600));
    assert_eq!(world.told(|what| matches!(what, What::MessageFailed { reason, .. } if reason.contains("503"))), 1);
}

#[test]
fn a_refusal_goes_to_the_next_trunk_and_that_of_the_last_one_is_final() {
    let proxy = Some("192.0.2.1:5060".parse().unwrap());
    let trunks = vec![trunk("one", 0, false, proxy), trunk("two", 0, false, proxy)];
    let mut world = World::with(agent_with(trunks), PortRange::default());
    world.input(Input::Start);
    world.send("ann", "hello");
    for _ in 0..2 {
        let message = world.asked(&Method::Message);
        world.respond(&message, 404);
    }
    assert_eq!(story(&world), ["queued", "failed"]);
}

#[test]
fn a_message_waits_for_a_trunk() {
    let mut world = World::with(agent(0, true, Some("192.0.2.1:5060".parse().unwrap())), PortRange::default());
    world.input(Input::Start);
    world.send("ann", "hello");
    world.registers(200);
    world.wait(seconds(6));
    let message = world.asked(&Method::Message);
    world.respond(&message, 200);
    assert_eq!(story(&world), ["queued", "sent"]);
}

#[test]
fn the_gateway_gets_it_with_its_number_and_has_the_last_word() {
    let mut world = World::new();
    world.switch.settings.sms = SmsWay::Gateway;
    world.send("ann", "one");
    world.send("ann", "two");
    assert_eq!(world.messages, [(1, ann(), "one".to_owned()), (2, ann(), "two".to_owned())]);
    world.input(Input::MessageDone { message: 1, result: Ok(()) });
    world.input(Input::MessageDone { message: 2, result: Err("no credit".to_owned()) });
    world.input(Input::MessageDone { message: 2, result: Ok(()) });
    assert_eq!(story(&world), ["queued", "queued", "sent", "failed"]);
}

#[test]
fn what_a_gateway_gives_back_leaves_by_the_way_there_is_now() {
    let mut world = World::new();
    world.switch.settings.sms = SmsWay::Gateway;
    world.send("ann", "one");
    world.input(Input::MessageBack { message: 1 });
    assert_eq!(world.messages.len(), 2, "the next gateway has it");
    world.switch.settings.sms = SmsWay::Trunk;
    world.input(Input::MessageBack { message: 1 });
    let message = world.asked(&Method::Message);
    world.respond(&message, 200);
    world.input(Input::MessageBack { message: 1 });
    assert_eq!((story(&world), world.messages.len()), (vec!["queued", "sent"], 2), "it is sent once");
}

#[test]
fn a_text_from_outside_cannot_ask_for_a_link() {
    let mut world = World::new();
    world.send("ann", "look: {link 1}");
    assert_eq!(world.asked(&Method::Message).body(), b"look: (link 1}");
}

#[test]
fn a_text_too_long_for_a_datagram_is_cut_between_letters() {
    let mut world = World::new();
    world.send("ann", &"半".repeat(500));
    let message = world.asked(&Method::Message);
    assert_eq!(core::str::from_utf8(message.body()).unwrap(), "半".repeat(200));
}
