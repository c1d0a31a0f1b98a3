//! A phone and its registrar, both ours, on one virtual clock: registered, rung, called by, over a wire that loses,
//! doubles and reorders.

use core::time::Duration;

use super::world::{ALICE, BOB, Wire, World, address, agent, trunk};
use crate::base::{Codec, LegId};
use crate::sip::digest::Hash;
use crate::sip::{Cause, Event, HOUSE_LINE, House, IpRange, Trunk};

const LEG: LegId = LegId(1);
const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

fn world(wire: Wire, seed: u64) -> World {
    let mut world = World::new(wire, seed);
    world.agents[ALICE] = agent(ALICE, Trunk { proxy: None, allow_from: Vec::new(), ..trunk(address(BOB)) }, seed);
    world.agents[ALICE].keep_house(House {
        realm: "pbx.example".into(),
        users: [("hansho".to_owned(), "secret".to_owned())].into(),
        expires_s: (60, 300),
        phones_max: 2,
        allow_from: vec![IpRange::parse("192.0.2.0/24").unwrap()],
        hashes: vec![Hash::Sha256, Hash::Md5],
        codecs: Codec::ALL.to_vec(),
        address: Default::default(),
        srtp: crate::sip::Srtp::Off,
    });
    world.agents[BOB] = agent(BOB, Trunk { register: true, ..trunk(address(ALICE)) }, seed + 1);
    world.at(BOB, |bob, now, out| bob.start(now, out));
    world
}

fn is_registered(world: &World) -> bool {
    world.agents[ALICE].users().all(|user| user.phones.len() == 1)
}

fn dial(world: &mut World) {
    world.at(ALICE, |alice, now, out| drop(alice.dial_user(now, LEG, "hansho", 30_000, out).unwrap()));
}

#[test]
fn a_phone_registers_is_kept_and_rung_over_the_worst_of_wires() {
    for seed in 0..20 {
        let mut world = world(Wire::BAD, seed);
        world.wait(MINUTE);
        // Some seconds without a binding are no wonder where a fifth of everything is lost; an hour is.
        let mut up = 0;
        for _ in 0..60 {
            world.wait(MINUTE);
            up += u32::from(is_registered(&world));
        }
        assert!(up >= 58, "seed {seed}: registered in {up} of 60 minutes");
        assert!(is_registered(&world), "seed {seed}");
        dial(&mut world);
        world.wait(SECOND * 20);
        if world.answered(ALICE).is_none() {
            continue;
        }
        world.hang_up(ALICE, LEG);
        world.wait(MINUTE);
        assert_eq!(world.causes(ALICE)[0].0, Cause::Us, "seed {seed}");
    }
}

#[test]
fn a_phone_that_leaves_is_let_go_of_at_once_and_one_that_vanishes_when_its_time_is_over() {
    let mut leaves = world(Wire::GOOD, 1);
    leaves.wait(SECOND);
    assert!(is_registered(&leaves));
    leaves.at(BOB, |bob, now, out| bob.stop(now, out));
    leaves.wait(SECOND);
    assert!(!is_registered(&leaves));

    let mut vanishes = world(Wire::GOOD, 2);
    vanishes.wait(SECOND);
    vanishes.wire.loss = 1.0;
    vanishes.wait(SECOND * 290);
    assert!(is_registered(&vanishes));
    vanishes.wait(SECOND * 20);
    assert!(!is_registered(&vanishes));
    let told = vanishes.events[ALICE].last();
    assert!(matches!(told, Some(Event::UserUnregistered { lasting: true, .. })), "{told:?}");
}

#[test]
fn a_registered_phone_calls_in_and_is_challenged_once() {
    let mut world = world(Wire::GOOD, 3);
    world.wait(SECOND);
    let before = world.ladder().len();
    world.at(BOB, |bob, now, out| {
        bob.dial(now, LEG, &super::world::main_trunk(), &super::world::number(), 20_000, out).unwrap();
    });
    world.wait(SECOND);
    let Some(Event::Incoming { leg, trunk, caller, .. }) = world.events[ALICE].last().cloned() else {
        panic!("{:?}", world.events[ALICE]);
    };
    assert_eq!((trunk.as_str(), caller.as_str()), (HOUSE_LINE, "sip:hansho@pbx.example"));
    world.at(ALICE, |alice, now, out| alice.accept(now, leg, 30_000, out));
    world.wait(SECOND);
    world.hang_up(ALICE, leg);
    assert!(world.settles(MINUTE));
    let book = ["B: INVITE", "A: 401", "B: ACK", "B: INVITE", "A: 100", "A: 200", "B: ACK", "A: BYE", "B: 200"];
    assert_eq!(world.ladder()[before..], book);
}
