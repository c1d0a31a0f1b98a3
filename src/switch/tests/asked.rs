//! A second incident while those who could take it sit in the room of the first.

use super::world::{Ringing, World, plan, seconds, trigger};
use crate::base::IncidentId;
use crate::incident::{Behaviour, Outcome, State};
use crate::wire::sip::Method;

/// Ann has taken the first and is in its room.
fn in_the_room(world: &mut World, people: &[&str]) -> (IncidentId, Ringing) {
    let first = world.raise(trigger(None), plan(people, Some("war-room")));
    let ann = world.rings("ann");
    world.answers(&ann);
    world.presses(&ann, '1');
    world.hears_out(&ann);
    assert!(world.rooms.contains_key(&ann.leg));
    (first, ann)
}

fn state(world: &World, id: IncidentId) -> Option<State> {
    world.switch.record(id).map(|record| record.state)
}

#[test]
fn whoever_is_in_a_room_is_told_there_and_takes_the_second_incident_with_the_same_key() {
    let mut world = World::new();
    let (first, ann) = in_the_room(&mut world, &["ann"]);
    let second = world.raise(trigger(Some("second")), plan(&["ann", "bob"], None));
    world.nobody_rings();
    assert_eq!(world.hears(&ann).first(), Some(&"intro"), "{:?}", world.hears(&ann));
    world.presses(&ann, '1');
    let taken = world.switch.record(second).expect("it is open while she hears so").taken_by.clone();
    assert_eq!(taken.iter().map(ToString::to_string).collect::<Vec<_>>(), ["ann"]);
    assert_eq!(world.hears(&ann), ["taken"]);
    world.hears_out(&ann);
    assert_eq!((world.ends(second), state(&world, second)), (vec![(1, Outcome::Taken)], None), "it is over");
    assert!(world.rooms.contains_key(&ann.leg), "she is in the room as before");
    assert_eq!((world.asked_for(&Method::Bye), state(&world, first)), (0, Some(State::Acknowledged)));
    world.hangs_up(&ann);
    assert_eq!(world.ends(first), [(1, Outcome::Taken)]);
    world.nothing_is_left();
}

#[test]
fn whoever_passes_it_in_the_room_talks_on_and_the_next_person_is_rung() {
    let mut world = World::new();
    let (_, ann) = in_the_room(&mut world, &["ann"]);
    let second = world.raise(trigger(Some("second")), plan(&["ann", "bob"], None));
    world.presses(&ann, '2');
    world.hears_out(&ann);
    assert_eq!(world.ends(second), [(1, Outcome::Passed)]);
    let bob = world.rings("bob");
    world.answers(&bob);
    world.presses(&bob, '1');
    assert!(world.rooms.contains_key(&ann.leg));
}

#[test]
fn whoever_joins_the_second_goes_into_its_room_and_both_end_with_the_call() {
    let mut world = World::new();
    let (first, ann) = in_the_room(&mut world, &["ann"]);
    let second = world.raise(trigger(Some("second")), plan(&["ann", "bob"], Some("other-room")));
    world.presses(&ann, '3');
    world.hears_out(&ann);
    let rooms: Vec<String> = world.switch.room_views().map(|room| room.name.to_string()).collect();
    assert_eq!(rooms, ["other-room"]);
    world.hangs_up(&ann);
    assert_eq!((world.ends(first), world.ends(second)), (vec![(1, Outcome::Taken)], vec![(1, Outcome::Taken)]));
    world.nothing_is_left();
}

#[test]
fn a_third_incident_waits_until_the_second_was_answered_and_a_resolve_ends_the_asking() {
    let mut world = World::new();
    let (_, ann) = in_the_room(&mut world, &["ann"]);
    let second = world.raise(trigger(Some("second")), plan(&["ann"], None));
    let third = world.raise(trigger(Some("third")), plan(&["ann"], None));
    assert_eq!(world.ends(third), [], "it waits");
    world.ask(|switch, now| switch.resolve(now, "second", "test")).unwrap();
    while state(&world, second).is_some() {
        world.hears_out(&ann);
    }
    world.wait(seconds(3));
    world.presses(&ann, '1');
    assert_eq!(world.switch.record(third).expect("it is open").taken_by.len(), 1);
    assert!(world.rooms.contains_key(&ann.leg));
}

#[test]
fn whoever_hangs_up_while_they_are_asked_has_not_taken_it() {
    let mut world = World::new();
    let (_, ann) = in_the_room(&mut world, &["ann"]);
    let second = world.raise(trigger(Some("second")), plan(&["ann", "bob"], None));
    world.hangs_up(&ann);
    assert_eq!(world.ends(second), [(1, Outcome::Ignored)]);
    world.rings("bob");
}

#[test]
fn a_crash_while_somebody_is_asked_ends_one_call_and_calls_them_again() {
    let mut before = World::new();
    let (_, _ann) = in_the_room(&mut before, &["ann"]);
    let mut quiet = plan(&["ann", "bob"], None);
    quiet.guidance.keys.retain(|_, key| key.behaviour != Behaviour::Join);
    let second = before.raise(trigger(Some("second")), quiet);
    let mut after = before.crash();
    let byes = after.on_the_wire().iter().filter(|request| request.starts_with("BYE")).count();
    assert_eq!(byes, 1, "{:?}", after.on_the_wire());
    after.wait(seconds(3));
    assert_eq!(after.ends(second), [(1, Outcome::Failed)]);
    let ann = after.rings("ann");
    after.answers(&ann);
    after.presses(&ann, '1');
    assert_eq!(after.switch.record(second).expect("it is open").taken_by.len(), 1);
}
