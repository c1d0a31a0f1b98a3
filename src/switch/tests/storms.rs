//! Triggers that come again, and many that come at once.

use core::time::Duration;

use super::world::{World, plan, seconds, trigger};
use crate::incident::{Fact, Outcome, Plan, Scope, State, Strategy, Trigger};
use crate::switch::Raised;

/// A call flow that bundles for two minutes.
fn bundling(people: &[&str]) -> Plan {
    let mut plan = plan(people, None);
    plan.call_flow.bundle = seconds(120);
    plan
}

fn alert(dedup: Option<&str>, message: &str) -> Trigger {
    Trigger { message: Some(message.to_owned()), ..trigger(dedup) }
}

#[test]
fn a_key_that_comes_again_is_a_fact_of_the_open_incident_and_is_told() {
    let mut world = World::new();
    let id = world.raise(trigger(Some("db")), plan(&["ann"], None));
    assert_eq!(world.comes(trigger(Some("db")), plan(&["ann"], None)), Raised::Joined(id));
    assert!(matches!(world.story(id).last(), Some(Fact::Again { .. })));
    assert_eq!(world.events_of(id).last().map(String::as_str), Some("incident.again"));
    assert_eq!(world.switch.record(id).unwrap().again, 1);
    world.rings("ann");
    world.nobody_rings();
}

#[test]
fn a_key_is_known_again_after_a_crash() {
    let mut world = World::new();
    let id = world.raise(alert(Some("db"), "one"), bundling(&["ann"]));
    assert_eq!(world.comes(alert(Some("web"), "two"), bundling(&["ann"])), Raised::Bundled(id));
    let mut next = world.crash();
    assert_eq!(next.comes(trigger(Some("web")), plan(&["ann"], None)), Raised::Joined(id));
}

#[test]
fn what_was_taken_is_joined_by_its_key_for_a_while_and_then_raised_anew() {
    let mut world = World::new();
    let mut calls = plan(&["ann"], None);
    calls.call_flow.taken_for = seconds(600);
    let id = world.raise(trigger(Some("db")), calls.clone());
    let ann = world.rings("ann");
    world.answers(&ann);
    world.presses(&ann, '1');
    assert_eq!(world.comes(trigger(Some("db")), calls.clone()), Raised::Joined(id));
    world.hears_out(&ann);
    world.is_let_go(&ann);
    assert!(world.switch.record(id).is_none());
    world.wait(seconds(500));
    assert_eq!(world.comes(trigger(Some("db")), calls.clone()), Raised::Joined(id));
    assert_eq!(world.story(id).iter().filter(|fact| matches!(fact, Fact::Again { .. })).count(), 2);
    world.wait(seconds(100));
    assert!(matches!(world.comes(trigger(Some("db")), calls), Raised::New(_)));
}

#[test]
fn what_was_taken_and_resolved_is_raised_anew_at_once() {
    let mut world = World::new();
    let mut calls = plan(&["ann"], None);
    calls.call_flow.taken_for = seconds(600);
    let id = world.raise(trigger(Some("db")), calls.clone());
    world.ask(|switch, now| switch.acknowledge(now, id, "Mori")).unwrap();
    assert_eq!(world.ask(|switch, now| switch.resolve(now, "db", "tool")), Ok(vec![id]));
    assert!(world.ask(|switch, now| switch.resolve(now, "db", "tool")).is_err());
    assert_eq!(world.story(id).last(), Some(&&Fact::Resolved { by: "tool".to_owned() }));
    assert_eq!(world.events_of(id).last().map(String::as_str), Some("incident.resolved"));
    assert!(matches!(world.comes(trigger(Some("db")), calls), Raised::New(_)));
}

#[test]
fn who_talks_about_what_is_resolved_hears_so_and_stays() {
    let mut world = World::new();
    let id = world.raise(trigger(Some("db")), plan(&["ann"], Some("war-room")));
    let ann = world.rings("ann");
    world.answers(&ann);
    world.presses(&ann, '1');
    world.hears_out(&ann);
    assert_eq!(world.ask(|switch, now| switch.resolve(now, "db", "tool")), Ok(vec![id]));
    assert_eq!(world.hears(&ann), ["resolved"]);
    assert!(world.rooms.contains_key(&ann.leg));
    let record = world.switch.record(id).unwrap();
    assert_eq!((record.state, record.taken_by.len()), (State::Resolved, 1));
    assert!(matches!(world.comes(trigger(Some("db")), plan(&["bob"], None)), Raised::New(_)));
    world.hears_out(&ann);
    world.hangs_up(&ann);
    assert_eq!(world.ends(id), [(1, Outcome::Taken)]);
    assert!(world.switch.record(id).is_none());
}

#[test]
fn the_alerts_of_a_storm_are_one_call_that_says_how_many_there_are() {
    let mut world = World::new();
    let id = world.raise(alert(Some("a"), "one"), bundling(&["ann"]));
    let ann = world.rings("ann");
    for (key, message) in [(Some("b"), "two"), (None, "three"), (Some("d"), "four"), (Some("e"), "one")] {
        assert_eq!(world.comes(alert(key, message), bundling(&["ann"])), Raised::Bundled(id));
    }
    assert_eq!(world.comes(alert(Some("d"), "four"), bundling(&["ann"])), Raised::Joined(id));
    world.spoken(Ok(()));
    world.answers(&ann);
    assert_eq!(world.hears(&ann)[..6], ["intro", "alerts-5", "spoken", "spoken", "spoken", "press-1"]);
    world.nobody_rings();
    let record = world.switch.record(id).unwrap();
    assert_eq!((record.bundled.len(), record.again), (4, 1));
}

#[test]
fn what_is_over_of_a_bundle_is_not_spoken_and_the_last_one_ends_it() {
    let mut world = World::new();
    let id = world.raise(alert(Some("a"), "one"), bundling(&["ann"]));
    world.raise(alert(Some("b"), "two"), bundling(&["ann"]));
    let ann = world.rings("ann");
    assert_eq!(world.ask(|switch, now| switch.resolve(now, "a", "tool")), Ok(vec![id]));
    assert!(world.events_of(id).contains(&"incident.cleared".to_owned()));
    world.spoken(Ok(()));
    world.answers(&ann);
    assert_eq!(world.hears(&ann)[..3], ["intro", "spoken", "press-1"]);
    assert_eq!(world.ask(|switch, now| switch.resolve(now, "b", "tool")), Ok(vec![id]));
    assert_eq!((world.switch.record(id).unwrap().state, world.hears(&ann)), (State::Resolved, vec!["resolved"]));
}

#[test]
fn what_is_old_or_taken_or_said_in_other_words_bundles_nothing() {
    let mut world = World::new();
    let id = world.raise(alert(Some("a"), "one"), bundling(&["ann"]));
    let mut others = bundling(&["bob"]);
    others.guidance.id = "other".parse().unwrap();
    assert!(matches!(world.comes(alert(None, "two"), others), Raised::New(_)));
    assert!(matches!(world.comes(alert(None, "two"), plan(&["bob"], None)), Raised::New(_)), "it does not bundle");
    world.wait(seconds(10));
    let ann = world.rings("ann");
    world.answers(&ann);
    world.presses(&ann, '1');
    let Raised::New(second) = world.comes(alert(None, "two"), bundling(&["cleo"])) else { panic!("{id} is taken") };
    world.wait(seconds(121));
    assert!(matches!(world.comes(alert(None, "three"), bundling(&["cleo"])), Raised::New(_)), "{second} is old");
}

#[test]
fn ten_alerts_and_more_are_many() {
    let mut world = World::new();
    let id = world.raise(alert(None, "one"), bundling(&["ann"]));
    for number in 0..1_100 {
        world.comes(alert(None, &format!("more {number}")), bundling(&["ann"]));
    }
    assert_eq!(world.switch.record(id).unwrap().bundled.len(), 1_000);
    let ann = world.rings("ann");
    world.answers(&ann);
    assert_eq!(world.hears(&ann)[..2], ["intro", "alerts-many"]);
    let asked: std::collections::BTreeSet<_> = world.texts.iter().filter(|(of, ..)| *of == id).collect();
    assert_eq!(asked.len(), 3, "only what can be heard is spoken");
}

#[test]
fn in_a_shuffled_roster_the_second_incident_calls_another_meanwhile() {
    let mut world = World::new();
    world.raise(trigger(None), plan(&["ann"], None));
    let ann = world.rings("ann");
    world.answers(&ann);
    let mut calls = plan(&["ann", "bob"], None);
    calls.call_flow.strategy = Strategy::Shuffled;
    let second = world.raise(trigger(None), calls);
    let bob = world.rings("bob");
    world.respond(&bob.invite.clone(), 486);
    world.presses(&ann, '2');
    world.hears_out(&ann);
    world.is_let_go(&ann);
    world.wait(seconds(2));
    let again = world.rings("ann");
    world.respond(&again.invite.clone(), 486);
    let ends: Vec<Outcome> = world.ends(second).into_iter().map(|(_, outcome)| outcome).collect();
    assert_eq!(ends, [Outcome::Busy, Outcome::Busy]);
    assert_eq!(world.story(second).last(), Some(&&Fact::Exhausted));
}

#[test]
fn who_waits_behind_a_person_and_then_for_a_trunk_has_patience_for_both() {
    let mut world = World::new();
    world.raise(trigger(None), plan(&["ann"], None));
    let ann = world.rings("ann");
    world.answers(&ann);
    let second = world.raise(trigger(None), plan(&["ann"], None));
    world.wait(Duration::from_secs(400));
    world.presses(&ann, '2');
    world.hears_out(&ann);
    world.is_let_go(&ann);
    assert!(world.ends(second).is_empty());
    world.rings("ann");
}

#[test]
fn who_is_quiet_about_a_storm_is_quiet_about_all_of_its_alerts() {
    let mut world = World::new();
    let id = world.raise(alert(Some("a"), "one"), bundling(&["ann"]));
    for (key, message) in [(Some("b"), "two"), (None, "three"), (None, "three")] {
        world.raise(alert(key, message), bundling(&["ann"]));
    }
    let ann = world.rings("ann");
    world.answers(&ann);
    for key in ['9', '1', '#'] {
        world.presses(&ann, key);
    }
    assert_eq!(world.switch.record(id).unwrap().state, State::Suppressed);
    assert_eq!(world.switch.suppressions(world.now).count(), 3);
    for (key, message) in [(Some("b"), "again"), (None, "three")] {
        assert!(matches!(world.comes(alert(key, message), bundling(&["bob"])), Raised::Suppressed(..)), "{message}");
    }
    assert!(matches!(world.comes(alert(None, "four"), bundling(&["bob"])), Raised::New(_)));
}

#[test]
fn a_promise_about_one_alert_of_a_storm_leaves_the_others_ringing() {
    let mut world = World::new();
    let id = world.raise(alert(Some("a"), "one"), bundling(&["ann"]));
    world.raise(alert(Some("b"), "two"), bundling(&["ann"]));
    let until = world.calendar() + seconds(600);
    let about = |key: &str| Scope { dedup: Some(key.to_owned()), ..Scope::default() };
    world.ask(|switch, now| switch.suppress(now, about("a"), until, "control")).unwrap();
    assert_eq!(world.switch.record(id).unwrap().state, State::Calling);
    world.ask(|switch, now| switch.suppress(now, about("b"), until, "control")).unwrap();
    assert_eq!(world.switch.record(id).unwrap().state, State::Calling, "neither promise is about both");
}

#[test]
fn without_a_voice_it_is_said_once_that_there_is_none() {
    let mut world = World::new();
    world.raise(alert(Some("a"), "one"), bundling(&["ann"]));
    world.raise(alert(Some("b"), "two"), bundling(&["ann"]));
    let ann = world.rings("ann");
    world.spoken(Err("no voice"));
    world.answers(&ann);
    assert_eq!(world.hears(&ann)[..4], ["intro", "alerts-2", "general", "press-1"]);
}
