//! What can go wrong around a call.

use core::net::SocketAddr;

use super::world::{World, agent, agent_with, plan, seconds, trigger, trunk};
use crate::base::TrunkId;
use crate::incident::{Entry, Fact, HouseFact, Outcome};
use crate::switch::{Input, PortRange, What};

fn found() -> Input {
    let trunk = TrunkId::parse("main").unwrap();
    Input::TrunkAddress { trunk, found: Ok(vec!["192.0.2.1:5060".parse().unwrap()].into()) }
}

#[test]
fn a_call_waits_for_a_trunk_that_is_away() {
    let mut world = World::with(agent(0, false, None), PortRange::default());
    world.input(Input::Start);
    let id = world.raise(trigger(None), plan(&["ann", "bob"], None));
    world.wait(seconds(20));
    world.nobody_rings();
    assert_eq!(world.story(id).len(), 2, "{:?}", world.story(id));
    world.input(found());
    world.rings("ann");
    world.nobody_rings();
}

#[test]
fn a_trunk_that_stays_away_leaves_a_trace_of_every_call() {
    let mut world = World::with(agent(0, false, None), PortRange::default());
    world.input(Input::Start);
    let id = world.raise(trigger(None), plan(&["ann", "bob"], None));
    world.wait(seconds(125));
    assert_eq!(world.ends(id), [(1, Outcome::Failed), (2, Outcome::Failed)]);
    assert_eq!(world.story(id).last(), Some(&&Fact::Exhausted));
    world.nothing_is_left();
}

#[test]
fn a_trunk_with_one_line_rings_the_next_person_when_the_line_is_free() {
    let mut world = World::with(agent(1, false, Some("192.0.2.1:5060".parse().unwrap())), PortRange::default());
    world.input(Input::Start);
    world.raise(trigger(None), plan(&["ann"], None));
    world.raise(trigger(None), plan(&["bob"], None));
    let ann = world.rings("ann");
    world.nobody_rings();
    world.respond(&ann.invite.clone(), 486);
    world.rings("bob");
}

#[test]
fn a_media_port_that_cannot_be_opened_ends_the_call_with_the_reason() {
    let mut world = World::new();
    let id = world.raise(trigger(None), plan(&["ann", "bob"], None));
    let ann = world.rings("ann");
    world.input(Input::LegFailed { leg: ann.leg, why: "media port 20000: in use".into() });
    world.is_let_go(&ann);
    assert_eq!(world.ends(id), [(1, Outcome::Failed)]);
    let ended = world.story(id).into_iter().find_map(|fact| match fact {
        Fact::Ended { reason, .. } => Some(reason.clone()),
        _ => None,
    });
    assert_eq!(ended.as_deref(), Some("media port 20000: in use"));
    world.rings("bob");
    assert_eq!(world.open.len(), 1);
}

#[test]
fn an_incident_that_was_not_stored_leaves_nothing_behind() {
    let mut world = World::new();
    let id = world.raise(trigger(Some("db")), plan(&["ann"], None));
    let ann = world.rings("ann");
    world.open.clear(); // its batch never left
    world.input(Input::NotStored(id));
    world.nothing_is_left();
    assert!(world.switch.record(id).is_none());
    world.wait(seconds(120));
    world.nobody_rings();
    assert!(world.on_the_wire().is_empty(), "{:?} {ann:?}", world.on_the_wire());
    assert_ne!(world.raise(trigger(Some("db")), plan(&["ann"], None)), id);
    world.rings("ann");
}

#[test]
fn a_stop_ends_the_calls_and_leaves_their_attempts_open() {
    let mut world = World::new();
    let id = world.raise(trigger(None), plan(&["ann", "bob"], None));
    let ann = world.rings("ann");
    world.input(Input::Stop);
    assert!(!world.switch.is_idle());
    world.is_let_go(&ann);
    world.wait(seconds(40));
    assert!(world.switch.is_idle());
    assert_eq!(world.ends(id), []);
    world.nobody_rings();
    world.nothing_is_left();
}

#[test]
fn a_key_after_the_stop_counts_and_nobody_is_dialled() {
    let mut world = World::new();
    let id = world.raise(trigger(None), plan(&["ann", "bob"], None));
    let ann = world.rings("ann");
    world.answers(&ann);
    world.input(Input::Stop);
    world.presses(&ann, '2');
    world.hears_out(&ann);
    world.is_let_go(&ann);
    world.wait(seconds(40));
    world.nobody_rings();
    assert!(world.story(id).iter().any(|fact| matches!(fact, Fact::Key { .. })));
    assert!(world.switch.is_idle());
}

#[test]
fn ports_come_back_from_every_call() {
    let proxy = Some("192.0.2.1:5060".parse().unwrap());
    let mut world = World::with(agent(0, false, proxy), PortRange { first: 20_000, last: 20_003 });
    world.input(Input::Start);
    for _ in 0..5 {
        world.raise(trigger(None), plan(&["ann", "bob"], None));
        let ann = world.rings("ann");
        world.respond(&ann.invite.clone(), 404);
        let bob = world.rings("bob");
        world.answers(&bob);
        world.hangs_up(&bob);
        world.nothing_is_left();
    }
}

#[test]
fn a_call_waits_for_a_registration_that_is_under_way() {
    let proxy = Some("192.0.2.1:5060".parse().unwrap());
    let mut world = World::with(agent(0, true, proxy), PortRange::default());
    world.input(Input::Start);
    world.raise(trigger(None), plan(&["ann"], None));
    world.nobody_rings();
    world.registers(200);
    world.rings("ann");
}

#[test]
fn a_trunk_that_refuses_to_register_us_is_tried_all_the_same() {
    let proxy = Some("192.0.2.1:5060".parse().unwrap());
    let mut world = World::with(agent(0, true, proxy), PortRange::default());
    world.input(Input::Start);
    world.registers(403);
    world.raise(trigger(None), plan(&["ann"], None));
    world.nobody_rings();
    world.wait(seconds(6));
    world.rings("ann");
}

#[test]
fn who_waits_for_a_person_whose_call_never_was_is_dialled_soon() {
    let mut world = World::new();
    let first = world.raise(trigger(None), plan(&["ann"], None));
    world.rings("ann");
    world.raise(trigger(None), plan(&["ann"], None));
    world.input(Input::NotStored(first));
    world.wait(seconds(2));
    world.rings("ann");
}

#[test]
fn a_trunk_that_is_up_is_preferred_to_a_better_one_that_is_away() {
    let (best, spare) = ("192.0.2.1:5060".parse::<SocketAddr>().unwrap(), "192.0.2.2:5060".parse().unwrap());
    let trunks = vec![trunk("best", 0, true, Some(best)), trunk("spare", 0, false, Some(spare))];
    let mut world = World::with(agent_with(trunks), PortRange::default());
    world.input(Input::Start);
    world.raise(trigger(None), plan(&["ann"], None));
    assert_eq!(world.last_sent_to, Some(spare));
    let ann = world.rings("ann");
    world.respond(&ann.invite.clone(), 486);
    world.registers(200);
    world.raise(trigger(None), plan(&["ann"], None));
    assert_eq!(world.last_sent_to, Some(best));
}

#[test]
fn a_full_minute_costs_nobody_their_turn_and_the_status_says_who_waits() {
    let mut world = World::new();
    world.switch.settings.dial.max_per_minute = Some(1);
    world.raise(trigger(None), plan(&["cleo"], None));
    world.rings("cleo");
    let id = world.raise(trigger(None), plan(&["ann", "bob"], None));
    let waits: Vec<_> = world.switch.waiting(id).map(|it| (it.contact.as_str(), it.reason.to_owned())).collect();
    assert!(waits.len() == 1 && waits[0].0 == "ann" && waits[0].1.contains("max_per_minute"), "{waits:?}");
    world.wait(seconds(61));
    assert_eq!(world.ends(id), [], "nobody was passed over");
    let ann = world.rings("ann");
    assert_eq!(world.switch.waiting(id).count(), 0);
    world.respond(&ann.invite.clone(), 486);
    world.wait(seconds(62));
    world.rings("bob");
    assert_eq!(world.told(|what| matches!(what, What::DialRefused { .. })), 2, "each is told once");
}

#[test]
fn who_is_held_back_by_a_cap_that_never_frees_is_given_up_after_ten_minutes() {
    let mut world = World::new();
    world.switch.settings.dial.max_concurrent = Some(0);
    let id = world.raise(trigger(None), plan(&["ann"], None));
    world.wait(seconds(595));
    assert_eq!(world.ends(id), []);
    world.wait(seconds(130));
    assert_eq!(world.ends(id), [(1, Outcome::Failed)]);
    world.nothing_is_left();
}

#[test]
fn who_called_in_for_an_incident_that_was_not_stored_is_hung_up_on() {
    let mut world = World::new();
    let id = world.raise(trigger(None), plan(&["bob", "ann"], None));
    world.rings("bob");
    let call = world.call_comes_in(super::calls_in::number("ann").as_str());
    assert_eq!(world.answered(&call), Some(200));
    world.input(Input::NotStored(id));
    world.acknowledges(&call);
    let bye = world.asked(&crate::wire::sip::Method::Bye);
    world.respond(&bye, 200);
    assert_eq!(world.switch.legs(), 0);
    let lines = |up: bool| {
        let is = |entry: &&Entry| match entry {
            Entry::House(_, HouseFact::LineUp { .. }) => up,
            Entry::House(_, HouseFact::LineDown { .. }) => !up,
            _ => false,
        };
        world.facts.iter().filter(is).count()
    };
    assert_eq!((lines(true), lines(false)), (1, 1), "what was taken has its end");
}
