//! Nights of chance: people do what comes to their minds, the network is bad, hansho is killed now and then.
//! The laws of the house judge them. `HANSHO_SEED=7` plays the seventh; `HANSHO_NIGHTS=500` plays so many.

use core::time::Duration;

use hansho::base::{Digit, Rng, seeded};
use hansho::incident::State;
use hansho::media::Way;
use hansho::rig::{PickUp, Script, Step};
use rand::RngExt;

use crate::support::{Town, World, minutes, seconds};

const PEOPLE: [&str; 4] = ["sato", "suzuki", "tanaka", "yamada"];

#[test]
fn every_night_ends_and_keeps_the_laws() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seeds = match number("HANSHO_SEED") {
        Some(seed) => seed..seed + 1,
        None => 1..1 + number("HANSHO_NIGHTS").unwrap_or(40),
    };
    let mut taken = 0;
    let nights = seeds.end - seeds.start;
    for seed in seeds {
        taken += u64::from(night(seed) == State::Acknowledged);
    }
    assert!(nights == 1 || (taken > nights / 4 && taken < nights), "{taken} of {nights} were taken");
}

/// One night, and how its incident ended.
fn night(seed: u64) -> State {
    let rng = &mut seeded(seed ^ 0x5eed);
    let town = Town::of(&PEOPLE).rounds(rng.random_range(1..=2));
    let town = match rng.random_range(0..4) {
        0 => town.all_at_once(),
        1 => town.shuffled().with_room("war-room"),
        2 => town.with_room("war-room"),
        _ => town,
    };
    let mut world = World::seeded(town, seed);
    world.link.loses_one_in = [0, 0, 20, 8][rng.random_range(0..4)];
    world.link.doubles_one_in = [0, 10][rng.random_range(0..2)];
    for person in PEOPLE {
        world.phone(person).follows(script(rng));
    }
    world.wait(seconds(10));
    let incident = world.trigger("disk full");
    // Until the fact is on the disk nobody was promised anything.
    world.wait(Duration::from_millis(2));
    for _ in 0..rng.random_range(0..4) {
        world.wait(Duration::from_millis(rng.random_range(0..30_000)));
        world.crash();
        world.wait(Duration::from_millis(rng.random_range(0..5_000)));
        world.restart();
    }
    world.wait_until_decided(incident);
    let state = world.state(incident);
    world.wait(minutes(1));
    for person in PEOPLE {
        // Who is in a room stays there until they hang up.
        world.phone(person).hangs_up();
    }
    world.ends();
    world.stays_quiet(minutes(30));
    assert_eq!(world.state(incident), state);
    state
}

/// Whatever a person may do with a telephone.
fn script(rng: &mut Rng) -> Script {
    let pick_up = match rng.random_range(0..8) {
        0 | 1 => PickUp::Never,
        2 => PickUp::Busy,
        3 => PickUp::Reject([403, 404, 480, 500, 603][rng.random_range(0..5)]),
        _ => PickUp::After(Duration::from_millis(rng.random_range(0..25_000))),
    };
    let mut then = Vec::new();
    for _ in 0..rng.random_range(0..4) {
        then.push(Step::Hear(Duration::from_millis(rng.random_range(0..8_000))));
        let key = Digit::from_char(['1', '1', '2', '3', '7'][rng.random_range(0..5)]).unwrap();
        then.push(Step::Press(key, [Way::Event, Way::Tone][rng.random_range(0..2)]));
    }
    if rng.random_range(0..3) == 0 {
        then.push(Step::HangUp);
    }
    Script { pick_up, then }
}
