//! Everybody's telephone rings at the same time; the first who takes it ends that.

use hansho::incident::State;

use crate::support::{Town, World, minutes, seconds};

#[test]
fn when_one_takes_it_the_others_stop_ringing_and_who_is_late_is_told() {
    let mut world = World::new(Town::of(&["sato", "suzuki", "tanaka"]).all_at_once());
    let night = world.trigger("disk full");
    world.phone("sato").rings();
    world.phone("suzuki").rings();
    world.phone("tanaka").rings();
    world.phone("sato").answers().hears("intro");
    world.phone("suzuki").answers().hears("intro");
    // The names are made meanwhile.
    world.wait(seconds(1));
    world.phone("suzuki").presses('1').hears("taken");
    world.phone("sato").hears("message").gets_hung_up();
    world.phone("tanaka").gets_hung_up();
    world.ends();
    world.stays_quiet(minutes(10));
    assert_eq!(world.state(night), State::Acknowledged);
    assert_eq!(world.record(night).taken_by[0].as_str(), "suzuki");
}

#[test]
fn everybody_who_joins_hears_all_the_others_and_not_themselves() {
    let mut world = World::new(Town::of(&["sato", "suzuki", "tanaka"]).all_at_once().with_room("war-room"));
    world.trigger("disk full");
    world.phone("sato").rings().answers().hears("intro").presses('1').hears("joining").hears("music");
    for late in ["suzuki", "tanaka"] {
        world.wait(seconds(1));
        world.phone(late).calls_in();
    }
    world.wait(seconds(6));
    let from = world.now;
    for person in ["sato", "suzuki", "tanaka"] {
        world.phone(person).talks(seconds(3));
    }
    world.wait(seconds(3));
    let from = from + seconds(1);
    world.phone("sato").heard_only(&["suzuki", "tanaka"], from);
    world.phone("suzuki").heard_only(&["sato", "tanaka"], from);
    world.phone("tanaka").heard_only(&["sato", "suzuki"], from);
    for person in ["sato", "suzuki", "tanaka"] {
        world.phone(person).hangs_up();
    }
    world.ends();
}
