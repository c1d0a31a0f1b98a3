//! What a packet holds is said by the number its codec was given.

use super::*;

#[test]
fn a_voice_under_the_number_that_was_agreed_on_is_heard_and_under_another_is_not() {
    for (payload_type, heard) in [(96, "5"), (97, "")] {
        let mut world = World::new(4);
        world.command(Command::Open(LegId(1)));
        world.command(Command::Connect(LegId(1), Stream { payload_type: 96, ..stream(1) }));
        for (number, samples) in (0..).zip(key('5', 120).chunks(FRAME)) {
            let mut packet = voice(number, samples);
            packet[1] = payload_type;
            world.packet(1, &packet);
            world.run(20);
        }
        world.run(200);
        assert_eq!(world.digits(), heard, "{payload_type}");
    }
}
