//! Everybody is called as often as the call flow says, and nobody takes it; or it is called off.

use hansho::incident::State;

use crate::support::{Town, World, minutes, seconds};

#[test]
fn after_the_last_round_hansho_gives_up_and_says_so() {
    let mut world = World::new(Town::of(&["sato", "suzuki"]).rounds(3));
    let night = world.trigger("disk full");
    for _ in 0..3 {
        world.phone("sato").rings().refuses(603);
        world.phone("suzuki").rings().gets_hung_up();
    }
    world.ends();
    world.stays_quiet(minutes(60));
    assert_eq!(world.state(night), State::Exhausted);
    let outcomes: Vec<String> = world.outcomes(night).into_iter().map(|(_, outcome, _)| outcome).collect();
    assert_eq!(outcomes, ["rejected", "no_answer"].repeat(3));
}

#[test]
fn whoever_picks_up_and_presses_nothing_has_not_taken_it() {
    let mut world = World::new(Town::of(&["sato", "suzuki"]));
    let night = world.trigger("disk full");
    world.phone("sato").rings().answers().hears("intro").hears("no-key").gets_hung_up();
    world.phone("suzuki").rings().answers().hears("intro").hangs_up();
    world.ends();
    assert_eq!(world.state(night), State::Exhausted);
    let outcomes: Vec<String> = world.outcomes(night).into_iter().map(|(_, outcome, _)| outcome).collect();
    assert_eq!(outcomes, ["ignored", "ignored"]);
}

#[test]
fn a_key_that_means_nothing_takes_nothing_and_is_told() {
    let mut world = World::new(Town::of(&["sato"]));
    let night = world.trigger("disk full");
    world.phone("sato").rings().answers().hears("message").presses('7').hears("not-a-key").hears("press-1");
    assert_eq!(world.state(night), State::Calling);
    world.phone("sato").presses('1').hears("taken").gets_hung_up();
    world.ends();
    assert_eq!(world.state(night), State::Acknowledged);
}

#[test]
fn an_incident_that_is_called_off_stops_ringing_at_once() {
    let mut world = World::new(Town::of(&["sato", "suzuki"]).rounds(3));
    let night = world.trigger("disk full");
    world.phone("sato").rings();
    world.cancel(night);
    world.wait(seconds(1));
    world.phone("sato").keeps_quiet();
    world.stays_quiet(minutes(60));
    world.ends();
    assert_eq!(world.state(night), State::Cancelled);
}
