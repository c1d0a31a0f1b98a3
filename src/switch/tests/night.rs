//! The ordinary night: raised, dialled, answered, pressed, acknowledged, joined.

use super::world::{World, plan, seconds, trigger};
use crate::base::Time;
use crate::incident::{Fact, Outcome, State};
use crate::switch::What;

#[test]
fn a_night_from_the_trigger_to_the_room() {
    let mut world = World::new();
    let id = world.raise(trigger(None), plan(&["ann", "bob"], Some("war-room")));
    assert!(matches!(world.story(id)[..], [Fact::Accepted { .. }, Fact::RoundStarted { .. }, Fact::Dialled { .. }]));
    world.spoken(Ok(()));
    let ann = world.rings("ann");
    world.respond(&ann.invite.clone(), 486);
    let bob = world.rings("bob");
    world.answers(&bob);
    assert_eq!(world.hears(&bob)[..2], ["intro", "spoken"]);
    world.presses(&bob, '1');
    assert_eq!(world.switch.record(id).unwrap().state, State::Acknowledged);
    assert_eq!(world.hears(&bob), ["joining"]);
    world.hears_out(&bob);
    assert!(world.rooms.contains_key(&bob.leg));
    world.hangs_up(&bob);
    assert_eq!(world.ends(id), [(1, Outcome::Busy), (2, Outcome::Taken)]);
    assert!(world.switch.record(id).is_none(), "what is over is forgotten");
    world.nothing_is_left();
    world.wait(seconds(600));
    world.nobody_rings();
}

#[test]
fn every_step_of_a_call_is_told_with_its_call_id() {
    let mut world = World::new();
    world.raise(trigger(None), plan(&["ann"], None));
    let ann = world.rings("ann");
    world.answers(&ann);
    world.presses(&ann, '1');
    world.hears_out(&ann);
    world.is_let_go(&ann);
    let of_calls: Vec<_> = world.events.iter().filter(|event| event.attempt.is_some()).collect();
    assert!(of_calls.len() >= 6, "{of_calls:?}");
    for event in of_calls {
        assert_eq!(event.call_id.as_deref(), ann.invite.call_id(), "{event:?}");
    }
    world.nothing_is_left();
}

#[test]
fn a_person_on_the_phone_waits_and_is_dialled_when_they_are_free() {
    let mut world = World::new();
    let first = world.raise(trigger(None), plan(&["ann"], None));
    let second = world.raise(trigger(None), plan(&["ann"], None));
    let ann = world.rings("ann");
    world.nobody_rings();
    world.answers(&ann);
    world.presses(&ann, '2');
    world.hears_out(&ann);
    world.nobody_rings();
    world.is_let_go(&ann);
    assert_eq!(world.ends(first), [(1, Outcome::Passed)]);
    let again = world.rings("ann");
    world.answers(&again);
    world.presses(&again, '1');
    assert_eq!(world.switch.record(second).unwrap().taken_by.len(), 1);
}

#[test]
fn an_incident_waits_for_a_person_as_long_as_a_call_may_last() {
    let mut world = World::new();
    world.raise(trigger(None), plan(&["ann"], None));
    let ann = world.rings("ann");
    world.wait(seconds(5));
    world.answers(&ann);
    let second = world.raise(trigger(None), plan(&["ann", "bob"], None));
    world.wait(seconds(590));
    world.nobody_rings();
    world.wait(seconds(15));
    world.is_let_go(&ann);
    world.wait(seconds(2));
    let again = world.rings("ann");
    world.answers(&again);
    world.presses(&again, '1');
    assert_eq!(world.switch.record(second).unwrap().state, State::Acknowledged);
}

#[test]
fn an_incident_that_is_cancelled_while_it_waits_dials_nobody() {
    let mut world = World::new();
    world.raise(trigger(None), plan(&["ann"], None));
    let ann = world.rings("ann");
    let second = world.raise(trigger(None), plan(&["ann"], None));
    assert!(world.cancel(second));
    world.respond(&ann.invite.clone(), 486);
    world.wait(seconds(120));
    world.nobody_rings();
    world.nothing_is_left();
    assert!(matches!(world.story(second).last(), Some(Fact::Cancelled { .. })));
}

#[test]
fn a_cancelled_incident_stops_the_ringing() {
    let mut world = World::new();
    let id = world.raise(trigger(None), plan(&["ann", "bob"], None));
    let ann = world.rings("ann");
    assert!(world.cancel(id));
    world.is_let_go(&ann);
    assert_eq!(world.ends(id), [(1, Outcome::Cancelled)]);
    world.nobody_rings();
    world.nothing_is_left();
}

#[test]
fn the_same_deduplication_key_joins_the_open_incident_and_no_other() {
    let mut world = World::new();
    let first = world.raise(trigger(Some("db")), plan(&["ann"], None));
    assert_eq!(world.raise(trigger(Some("db")), plan(&["ann"], None)), first);
    assert_ne!(world.raise(trigger(Some("web")), plan(&["ann"], None)), first);
    assert_ne!(world.raise(trigger(None), plan(&["ann"], None)), first);
    world.cancel(first);
    assert_ne!(world.raise(trigger(Some("db")), plan(&["ann"], None)), first, "that one is over");
}

#[test]
fn what_is_not_spoken_yet_follows_the_words_that_are_there() {
    let mut world = World::new();
    world.raise(trigger(None), plan(&["ann"], None));
    let ann = world.rings("ann");
    world.answers(&ann);
    assert_eq!(world.hears(&ann), ["intro"]);
    world.spoken(Ok(()));
    world.hears_out(&ann);
    assert_eq!(world.hears(&ann)[..2], ["spoken", "press-1"]);
}

#[test]
fn a_message_that_no_voice_can_speak_is_said_in_general_words() {
    let mut world = World::new();
    world.raise(trigger(None), plan(&["ann"], None));
    world.spoken(Err("no voice"));
    assert_eq!(world.told(|what| matches!(what, What::VoiceFailed { .. })), 1);
    let ann = world.rings("ann");
    world.answers(&ann);
    assert_eq!(world.hears(&ann)[..3], ["intro", "general", "press-1"]);
}

#[test]
fn a_voice_that_is_never_ready_leaves_nobody_in_silence() {
    let mut world = World::new();
    world.raise(trigger(None), plan(&["ann"], None));
    let ann = world.rings("ann");
    world.answers(&ann);
    world.hears_out(&ann);
    assert_eq!(world.hears(&ann)[..2], ["general", "press-1"]);
}

#[test]
fn a_burst_of_triggers_within_a_millisecond_loses_none() {
    let mut world = World::new();
    let mut ids = std::collections::BTreeSet::new();
    for _ in 0..2_000 {
        ids.insert(world.raise(trigger(None), plan(&["ann"], None)));
    }
    assert_eq!(world.now, Time::ZERO);
    assert_eq!(ids.len(), 2_000);
    assert_eq!(world.switch.open().count(), 2_000);
}
