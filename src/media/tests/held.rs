//! Legs on hold for longer than anybody waits.

use super::*;

fn held() -> Command {
    Command::Connect(LegId(1), Stream { send: false, ..stream(1) })
}

#[test]
fn after_a_minute_on_hold_what_is_said_goes_by_unheard_and_its_end_is_told() {
    let mut world = World::new(4);
    world.call(1);
    world.command(held());
    world.command(Command::Play(LegId(1), list(7, &sine(697.0, 400))));
    world.run(70_000);
    let ended = world.told(&Event::PlayEnded { leg: LegId(1), play: 7 });
    // The world begins at its first second.
    assert!((61_400..=61_520).contains(&ended[0]), "{ended:?}");
    assert!(world.out.sent.is_empty());
    assert!(world.told(&Event::PlayStarted { leg: LegId(1), play: 7 }).is_empty(), "nobody heard it");
}

#[test]
fn whoever_comes_back_is_waited_for_anew() {
    let mut world = World::new(4);
    world.call(1);
    world.command(held());
    world.run(59_000);
    world.command(Command::Connect(LegId(1), stream(1)));
    world.run(100);
    world.command(held());
    world.command(Command::Play(LegId(1), list(8, &sine(697.0, 400))));
    world.run(59_000);
    assert!(world.told(&Event::PlayEnded { leg: LegId(1), play: 8 }).is_empty());
    world.out.sent.clear();
    world.command(Command::Connect(LegId(1), stream(1)));
    world.run(1_000);
    assert!((level_of(0, &world.heard(1)[..3_200]) + 12.0).abs() < 1.0);
}
