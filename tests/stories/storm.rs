//! Many triggers in one night.

use hansho::incident::{Plan, State, Trigger};
use hansho::switch::Raised;

use crate::support::{Town, World, minutes, seconds};

fn alert(town: &Town, key: &str) -> (Trigger, Plan) {
    let (trigger, mut plan) = town.trigger(&format!("{key} is down"));
    plan.call_flow.bundle = minutes(2);
    plan.call_flow.taken_for = minutes(60);
    (Trigger { dedup: Some(key.to_owned()), ..trigger }, plan)
}

#[test]
fn a_storm_is_one_call_that_tells_of_all_also_of_what_comes_while_it_rings() {
    let mut world = World::new(Town::of(&["sato"]));
    let (trigger, plan) = alert(&world.town, "db");
    let night = world.comes(trigger, plan).incident();
    world.phone("sato").rings();
    for key in ["web", "mail", "dns"] {
        let (trigger, plan) = alert(&world.town, key);
        assert_eq!(world.comes(trigger, plan), Raised::Bundled(night));
    }
    world.wait(seconds(2));
    world.phone("sato").answers().hears("intro").hears("alerts-4").hears("message").hears("press-1");
    world.phone("sato").presses('1').hears("taken").gets_hung_up();
    let (trigger, plan) = alert(&world.town, "mail");
    assert_eq!(world.comes(trigger, plan), Raised::Joined(night), "somebody deals with it");
    world.stays_quiet(minutes(59));
    let (trigger, plan) = alert(&world.town, "mail");
    world.wait(minutes(2));
    assert!(matches!(world.comes(trigger, plan), Raised::New(_)));
    world.phone("sato").rings().refuses(603);
    world.ends();
    assert_eq!((world.state(night), world.record(night).bundled.len()), (State::Acknowledged, 3));
}

#[test]
fn a_storm_ends_when_the_last_of_its_alerts_is_over() {
    let mut world = World::new(Town::of(&["sato"]));
    for key in ["db", "web"] {
        let (trigger, plan) = alert(&world.town, key);
        world.comes(trigger, plan);
    }
    world.phone("sato").rings();
    world.crash();
    world.restart();
    world.phone("sato").gets_hung_up();
    world.phone("sato").rings().answers().hears("alerts-2");
    let night = world.ask(|switch, now| switch.resolve(now, "db", "tool")).unwrap()[0];
    assert_eq!(world.state(night), State::Calling);
    assert_eq!(world.ask(|switch, now| switch.resolve(now, "web", "tool")), Ok(vec![night]));
    world.phone("sato").hears("resolved").gets_hung_up();
    world.ends();
    assert_eq!(world.state(night), State::Resolved);
}

#[test]
fn a_second_incident_does_not_cut_in_on_who_is_on_the_phone_with_the_first() {
    let mut world = World::new(Town::of(&["sato"]));
    let first = world.trigger("disk full");
    world.phone("sato").rings().answers().hears("intro");
    let second = world.trigger("web is down");
    world.wait(seconds(5));
    assert!(world.record(second).attempts.is_empty());
    world.phone("sato").presses('1').hears("taken").gets_hung_up();
    world.phone("sato").rings().answers().hears("message").presses('2').hears("passed").gets_hung_up();
    world.ends();
    assert_eq!((world.state(first), world.state(second)), (State::Acknowledged, State::Exhausted));
}
