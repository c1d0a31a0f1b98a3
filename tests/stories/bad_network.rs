//! Datagrams are lost, come twice and overtake each other; the night goes on.

use hansho::incident::State;

use crate::support::{Town, World, minutes};

#[test]
fn with_one_datagram_in_eight_lost_the_incident_is_taken_all_the_same() {
    for seed in 1..=5 {
        let mut world = World::seeded(Town::of(&["sato", "suzuki"]).rounds(3), seed);
        world.link.loses_one_in = 8;
        world.link.doubles_one_in = 10;
        world.wait(minutes(2));
        let night = world.trigger("disk full");
        world.phone("sato").rings().gets_hung_up();
        world.phone("suzuki").rings().answers();
        world.wait(core::time::Duration::from_secs(2));
        world.phone("suzuki").presses('1').gets_hung_up();
        world.ends();
        assert_eq!(world.state(night), State::Acknowledged, "seed {seed}");
    }
}
