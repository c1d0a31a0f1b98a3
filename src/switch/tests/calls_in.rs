//! People who call hansho's number.

use super::world::{World, contact, plan, seconds, trigger};
use crate::base::{ContactId, Phone};
use crate::incident::{Contact, Fact, Outcome};
use crate::switch::What;

pub fn number(name: &str) -> String {
    contact(name).phones[0].as_str().to_owned()
}

#[test]
fn a_stranger_and_a_person_without_an_incident_hear_the_same() {
    let mut world = World::new();
    let stranger = world.call_comes_in("+15550100");
    let ann = world.call_comes_in(&number("ann"));
    assert_eq!((world.answered(&stranger), world.answered(&ann)), (Some(480), Some(480)));
    assert_eq!(world.told(|what| matches!(what, What::CallInRefused { .. })), 2);
    world.wait(seconds(40));
    world.nothing_is_left();
}

#[test]
fn a_person_of_an_open_incident_joins_its_room() {
    let mut world = World::new();
    let id = world.raise(trigger(None), plan(&["ann", "bob"], Some("war-room")));
    world.rings("ann");
    let call = world.call_comes_in(&number("bob"));
    assert_eq!(world.answered(&call), Some(200));
    assert!(!world.story(id).iter().any(|fact| matches!(fact, Fact::CalledIn { .. })), "not before the ACK");
    let bob = world.acknowledges(&call);
    world.hears_everything(bob);
    assert!(world.rooms.contains_key(&bob));
    let of_bob = |what: &What| matches!(what, What::CalledIn { .. });
    let told = world.events.iter().find(|event| of_bob(&event.what)).unwrap();
    assert_eq!(told.call_id.as_deref(), call.call_id());
}

#[test]
fn who_is_called_for_an_incident_and_stands_in_no_roster_may_call_back_while_it_is_open() {
    let mut world = World::new();
    let mut plan = plan(&["ann"], None);
    let stranger = Contact {
        id: ContactId::parse("any.15550100").unwrap(),
        phones: vec![Phone::parse("+15550100").unwrap()],
        ..contact("ann")
    };
    plan.contacts.push(stranger);
    let id = world.raise(trigger(None), plan);
    world.rings("ann");
    let call = world.call_comes_in("+15550100");
    assert_eq!(world.answered(&call), Some(200));
    let leg = world.acknowledges(&call);
    world.hears_everything(leg);
    assert!(world.rooms.contains_key(&leg));
    world.caller_hangs_up(&call);
    world.cancel(id);
    let late = world.call_comes_in("+15550100");
    assert_eq!(world.answered(&late), Some(480), "nothing is open");
}

#[test]
fn who_calls_in_while_their_phone_rings_is_rung_no_longer() {
    let mut world = World::new();
    let id = world.raise(trigger(None), plan(&["ann", "bob"], None));
    let ann = world.rings("ann");
    let call = world.call_comes_in(&number("ann"));
    let leg = world.acknowledges(&call);
    world.is_let_go(&ann);
    assert_eq!(world.ends(id), [(1, Outcome::Cancelled)]);
    world.hears_everything(leg);
    assert!(world.rooms.contains_key(&leg));
    assert_eq!(world.switch.legs(), 2, "bob is called now");
    world.rings("bob");
}

#[test]
fn who_is_rung_for_one_incident_and_calls_in_joins_that_one() {
    let mut world = World::new();
    let first = world.raise(trigger(None), plan(&["ann"], None));
    let ann = world.rings("ann");
    world.wait(seconds(1));
    let second = world.raise(trigger(None), plan(&["bob", "ann"], None));
    world.rings("bob");
    let call = world.call_comes_in(&number("ann"));
    world.acknowledges(&call);
    assert!(world.story(first).iter().any(|fact| matches!(fact, Fact::CalledIn { .. })), "{:?}", world.story(second));
    world.is_let_go(&ann);
}

#[test]
fn who_is_on_the_phone_cannot_call_in_beside_it() {
    let mut world = World::new();
    world.raise(trigger(None), plan(&["ann"], None));
    let ann = world.rings("ann");
    world.answers(&ann);
    let call = world.call_comes_in(&number("ann"));
    assert_eq!(world.answered(&call), Some(480));
    assert_eq!(world.switch.legs(), 1);
}

#[test]
fn of_two_calls_of_one_person_one_stays() {
    let mut world = World::new();
    let id = world.raise(trigger(None), plan(&["bob", "ann"], Some("war-room")));
    world.rings("bob");
    let (one, two) = (world.call_comes_in(&number("ann")), world.call_comes_in(&number("ann")));
    assert_eq!((world.answered(&one), world.answered(&two)), (Some(200), Some(480)));
    world.acknowledges(&one);
    let in_story = world.story(id).iter().filter(|fact| matches!(fact, Fact::CalledIn { .. })).count();
    assert_eq!(in_story, 1);
}

#[test]
fn a_call_in_whose_incident_ends_before_the_ack_is_ended() {
    let mut world = World::new();
    let id = world.raise(trigger(None), plan(&["bob", "ann"], None));
    let bob = world.rings("bob");
    let call = world.call_comes_in(&number("ann"));
    world.cancel(id);
    world.is_let_go(&bob);
    world.acknowledges(&call);
    world.wait(seconds(60));
    world.nothing_is_left();
    assert!(!world.story(id).iter().any(|fact| matches!(fact, Fact::CalledIn { .. })));
}

#[test]
fn an_incident_on_its_way_out_does_not_hide_an_older_one_that_is_open() {
    let mut world = World::new();
    let first = world.raise(trigger(None), plan(&["bob", "ann"], None));
    world.rings("bob");
    world.wait(seconds(1));
    let second = world.raise(trigger(None), plan(&["cleo", "ann"], None));
    let cleo = world.rings("cleo");
    world.answers(&cleo);
    world.cancel(second);
    let call = world.call_comes_in(&number("ann"));
    world.acknowledges(&call);
    assert!(world.story(first).iter().any(|fact| matches!(fact, Fact::CalledIn { .. })));
}

#[test]
fn a_caller_who_never_acknowledges_leaves_nothing() {
    let mut world = World::new();
    let id = world.raise(trigger(None), plan(&["bob", "ann"], None));
    let bob = world.rings("bob");
    let call = world.call_comes_in(&number("ann"));
    assert_eq!(world.answered(&call), Some(200));
    world.respond(&bob.invite.clone(), 486);
    let ann = world.switch.legs();
    assert_eq!(ann, 1);
    world.wait(seconds(150));
    assert!(world.story(id).iter().any(|fact| matches!(fact, Fact::Exhausted)));
}
