//! hansho is killed in the middle of the night, and goes on where the incident stood.

use hansho::incident::State;

use crate::support::{Town, World, minutes, seconds};

#[test]
fn killed_while_a_telephone_rings_it_ends_that_call_and_calls_again() {
    let mut world = World::new(Town::of(&["sato", "suzuki"]));
    let night = world.trigger("disk full");
    world.phone("sato").rings();
    world.wait(seconds(3));
    world.crash();
    world.wait(seconds(2));
    world.restart();
    world.phone("sato").gets_hung_up();
    world.phone("sato").rings().answers().hears("intro").presses('1').hears("taken").gets_hung_up();
    world.ends();
    assert_eq!(world.state(night), State::Acknowledged);
}

#[test]
fn killed_after_somebody_passed_it_does_not_call_them_again() {
    let mut world = World::new(Town::of(&["sato", "suzuki"]));
    let night = world.trigger("disk full");
    world.phone("sato").rings().answers().hears("intro").presses('2').hears("passed").gets_hung_up();
    world.phone("suzuki").rings();
    world.crash();
    world.restart();
    world.phone("suzuki").gets_hung_up();
    world.phone("suzuki").rings().gets_hung_up();
    world.phone("sato").keeps_quiet();
    world.ends();
    assert_eq!(world.state(night), State::Exhausted);
    let sato = world.outcomes(night).into_iter().filter(|(who, ..)| who == "sato").count();
    assert_eq!(sato, 1);
}

#[test]
fn killed_while_people_talk_it_hangs_up_properly_and_calls_nobody() {
    let mut world = World::new(Town::of(&["sato", "suzuki"]).with_room("war-room"));
    let night = world.trigger("disk full");
    world.phone("sato").rings().answers().hears("intro").presses('1').hears("joining").hears("music");
    world.crash();
    world.wait(seconds(5));
    world.restart();
    world.phone("sato").gets_hung_up();
    world.stays_quiet(minutes(10));
    world.ends();
    assert_eq!(world.state(night), State::Acknowledged);
}
