use core::time::Duration;

use super::world::{World, plan, seconds, trigger};
use crate::incident::{Plan, Strategy};
use crate::switch::What;

/// A roster whose guidance wants the message first.
fn patient(people: &[&str]) -> Plan {
    let mut plan = plan(people, None);
    plan.guidance.voice_before_dialling = seconds(10);
    plan
}

fn late(world: &World) -> usize {
    world.told(|what| matches!(what, What::VoiceLate { .. }))
}

#[test]
fn a_telephone_is_not_rung_before_its_message_is_made_and_hears_it_at_once() {
    let mut world = World::new();
    let id = world.raise(trigger(None), patient(&["ann"]));
    world.wait(seconds(9));
    world.nobody_rings();
    let waits: Vec<String> = world.switch.waiting(id).map(|call| call.reason.to_owned()).collect();
    assert_eq!(waits, ["its message is being made"]);
    world.spoken(Ok(()));
    let ann = world.rings("ann");
    world.answers(&ann);
    assert_eq!(world.hears(&ann)[..2], ["intro", "spoken"]);
    assert_eq!(late(&world), 0);
}

#[test]
fn a_voice_that_fails_keeps_nobody_from_being_rung() {
    let mut world = World::new();
    world.raise(trigger(None), patient(&["ann"]));
    world.nobody_rings();
    world.spoken(Err("away"));
    let ann = world.rings("ann");
    world.answers(&ann);
    assert_eq!(world.hears(&ann)[..2], ["intro", "general"]);
}

#[test]
fn a_voice_that_hangs_costs_an_incident_one_wait_and_is_told() {
    let mut world = World::new();
    world.raise(trigger(None), patient(&["ann", "bob"]));
    world.wait(seconds(10) - Duration::from_millis(1));
    world.nobody_rings();
    world.wait(Duration::from_millis(1));
    let ann = world.rings("ann");
    assert_eq!(late(&world), 1);
    world.answers(&ann);
    world.presses(&ann, '2');
    world.rings("bob");
    assert_eq!(late(&world), 1, "who comes next is rung at once");
}

#[test]
fn everybody_waits_for_their_own_language_alone() {
    let mut world = World::new();
    let mut plan = patient(&["ann", "bob"]);
    plan.call_flow.strategy = Strategy::Simultaneous;
    plan.contacts[1].language = crate::base::Language::Ja;
    world.raise(crate::incident::Trigger { message: Some("緊急 DB".to_owned()), ..trigger(None) }, plan);
    let japanese = world.texts.pop().unwrap();
    assert_eq!(japanese.1, crate::base::Language::Ja);
    world.spoken(Ok(()));
    world.rings("ann");
    world.nobody_rings();
    world.texts.push(japanese);
    world.spoken(Ok(()));
    world.rings("bob");
}

#[test]
fn what_needs_no_voice_or_was_resolved_meanwhile_waits_for_none() {
    let mut world = World::new();
    world.raise(crate::incident::Trigger { message: None, ..trigger(None) }, patient(&["ann"]));
    world.rings("ann");
    let mut world = World::new();
    let id = world.raise(trigger(None), patient(&["ann"]));
    assert!(world.cancel(id));
    world.spoken(Ok(()));
    world.wait(seconds(60));
    world.nobody_rings();
}
