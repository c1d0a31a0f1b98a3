//! Whoever is muted in a room.

use super::{World, level_of, sine, voice};
use crate::base::{LegId, RoomId};
use crate::media::{Command, Event};

#[test]
fn who_is_muted_is_heard_by_nobody_until_they_are_heard_again() {
    let mut world = World::new(4);
    (1..=2).for_each(|leg| world.call(leg));
    (1..=2).for_each(|leg| world.command(Command::Join(LegId(leg), RoomId(1))));
    world.command(Command::Mute(LegId(1), true));
    for number in 0..100 {
        if number == 50 {
            assert!(world.heard(2).iter().all(|sample| *sample == 0));
            assert!(world.told(&Event::Talking { leg: LegId(1), talking: true }).is_empty());
            world.command(Command::Mute(LegId(1), false));
        }
        world.packet(1, &voice(number, &sine(697.0, 20)));
        world.run(20);
    }
    assert!(level_of(0, &world.heard(2)[12_000..15_000]) > -14.0);
}
