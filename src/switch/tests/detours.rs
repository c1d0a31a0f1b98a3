//! Calls that go another way because their trunk could not carry them.

use super::world::{TRUNK, World, plan, trigger};
use crate::base::TrunkId;
use crate::incident::Fact;
use crate::sip::Hop;
use crate::switch::{Input, What};
use crate::wire::sip::Method;

/// The one trunk is at two addresses.
fn two_targets() -> World {
    let mut world = World::new();
    let targets = [TRUNK, "192.0.2.2:5060"].map(|at| at.parse::<Hop>().unwrap()).to_vec();
    let trunk = TrunkId::parse("main").unwrap();
    world.input(Input::TrunkAddress { trunk, found: Ok(targets.into()) });
    world
}

#[test]
fn a_detour_is_a_fact_and_is_told_and_the_attempt_is_the_same() {
    let mut world = two_targets();
    let id = world.raise(trigger(None), plan(&["ann"], None));
    let first = world.asked(&Method::Invite);
    world.respond(&first, 503);
    let second = world.rings("ann");
    assert_ne!(first.call_id(), second.invite.call_id());
    let detours = world.story(id).into_iter().filter(|fact| matches!(fact, Fact::Rerouted { attempt: 1, .. })).count();
    assert_eq!(detours, 1);
    let told = world.events.iter().find_map(|event| match &event.what {
        What::Rerouted { detour } => Some((event.attempt, event.call_id.clone(), detour.target.clone(), detour.code)),
        _ => None,
    });
    let call_id = second.invite.call_id().map(str::to_owned);
    assert_eq!(told, Some((Some(1), call_id, Some("192.0.2.2:5060".into()), Some(503))));
    assert!(world.events.iter().any(|event| matches!(&event.what, What::TargetFailed { next: Some(_), .. })));
    world.answers(&second);
    world.presses(&second, '1');
    assert_eq!(world.story(id).into_iter().filter(|fact| matches!(fact, Fact::Dialled { .. })).count(), 1);
    assert!(world.story(id).into_iter().any(|fact| matches!(fact, Fact::Taken { .. })));
}

#[test]
fn a_crash_during_a_detour_cancels_the_call_that_rings() {
    let mut world = two_targets();
    world.raise(trigger(None), plan(&["ann"], None));
    let first = world.asked(&Method::Invite);
    world.respond(&first, 503);
    let second = world.rings("ann");
    let mut next = world.crash();
    let mut cancelled = Vec::new();
    while next.asked_for(&Method::Cancel) > 0 {
        cancelled.push(next.asked(&Method::Cancel).call_id().map(str::to_owned));
    }
    let (first, second) = (first.call_id().map(str::to_owned), second.invite.call_id().map(str::to_owned));
    assert!(cancelled.contains(&second) && !cancelled.contains(&first), "{cancelled:?}");
}

#[test]
fn a_trunk_that_answered_nothing_before_a_detour_is_told_to_stop_by_the_next_life_as_well() {
    let mut world = two_targets();
    world.raise(trigger(None), plan(&["ann"], None));
    let first = world.asked(&Method::Invite);
    world.wait(core::time::Duration::from_secs(6));
    let second = world.asked(&Method::Invite);
    assert_ne!(first.call_id(), second.call_id());
    let mut next = world.crash();
    let mut cancelled = Vec::new();
    while next.asked_for(&Method::Cancel) > 0 {
        cancelled.push(next.asked(&Method::Cancel).call_id().map(str::to_owned));
    }
    let (first, second) = (first.call_id().map(str::to_owned), second.call_id().map(str::to_owned));
    assert!(cancelled.contains(&second) && cancelled.contains(&first), "{cancelled:?}");
}
