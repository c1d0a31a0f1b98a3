//! Whole calls between two agents.

use core::time::Duration;

use super::world::{ALICE, BOB, Wire, World, agent, trunk};
use crate::base::{LegId, Outbox, Time};
use crate::sip::{Cause, Event};

const LEG: LegId = LegId(1);
const SECOND: Duration = Duration::from_secs(1);

/// Bob's first incoming leg.
const BOBS: LegId = LegId(u32::MAX);

#[test]
fn a_call_is_set_up_and_ended_with_the_messages_of_the_book() {
    let mut world = World::new(Wire::GOOD, 1);
    world.dial();
    world.wait(SECOND);
    world.hang_up(ALICE, LEG);
    assert!(world.settles(SECOND * 60));
    let book = ["A: INVITE", "B: 100", "B: 180", "B: 200", "A: ACK", "A: BYE", "B: 200"];
    assert_eq!(world.ladder(), book);
    assert_eq!(world.causes(ALICE), [(Cause::Us, Some(200))]);
    assert_eq!(world.causes(BOB), [(Cause::Them, Some(200))]);
}

#[test]
fn both_ends_agree_on_a_codec_and_each_others_ports() {
    let mut world = World::new(Wire::GOOD, 2);
    world.dial();
    world.wait(SECOND);
    let streams = world.events.iter().flatten().filter_map(|event| match event {
        Event::Answered { stream, .. } => Some(stream.remote.to_string()),
        _ => None,
    });
    let streams: Vec<_> = streams.collect();
    assert_eq!(streams, ["192.0.2.11:20000", "192.0.2.10:30000"]);
}

#[test]
fn the_callee_can_hang_up_too() {
    let mut world = World::new(Wire::GOOD, 3);
    world.dial();
    world.wait(SECOND);
    world.hang_up(BOB, BOBS);
    assert!(world.settles(SECOND * 60));
    assert_eq!(world.causes(ALICE), [(Cause::Them, Some(200))]);
    assert_eq!(world.causes(BOB), [(Cause::Us, Some(200))]);
}

#[test]
fn a_cancelled_call_ends_with_487_at_both_ends() {
    let mut world = World::new(Wire::GOOD, 4);
    world.bob = |agent, now, leg, out| agent.ring(now, leg, out);
    world.dial();
    world.wait(SECOND * 5);
    world.hang_up(ALICE, LEG);
    assert!(world.settles(SECOND * 60));
    let book = ["A: INVITE", "B: 100", "B: 180", "A: CANCEL", "B: 200", "B: 487", "A: ACK"];
    assert_eq!(world.ladder(), book);
    assert_eq!(world.causes(ALICE), [(Cause::Us, Some(487))]);
    assert_eq!(world.causes(BOB), [(Cause::Them, Some(487))]);
}

#[test]
fn a_busy_phone_is_reported_with_its_status() {
    let mut world = World::new(Wire::GOOD, 5);
    world.bob = |agent, now, leg, out| agent.refuse(now, leg, 486, out);
    world.dial();
    assert!(world.settles(SECOND * 60));
    assert_eq!(world.ends(ALICE)[0].reason, "Busy Here");
    assert_eq!(world.causes(ALICE), [(Cause::Refused, Some(486))]);
}

#[test]
fn a_trunk_that_says_nothing_ends_the_call_after_32_seconds() {
    let mut world = World::new(Wire { loss: 1.0, ..Wire::GOOD }, 6);
    world.dial();
    world.wait(SECOND * 31);
    assert_eq!(world.ends(ALICE), []);
    world.wait(SECOND * 2);
    assert_eq!(world.causes(ALICE), [(Cause::Timeout, None)]);
    assert!(world.agents[ALICE].is_idle());
}

#[test]
fn nobody_waits_more_than_four_seconds_for_a_dead_peer_to_say_goodbye() {
    let mut world = World::new(Wire { loss: 1.0, ..Wire::GOOD }, 7);
    world.dial();
    world.hang_up(ALICE, LEG);
    world.wait(SECOND * 4);
    assert_eq!(world.causes(ALICE), [(Cause::Timeout, None)]);
    assert!(!world.agents[ALICE].is_idle());
    assert!(world.settles(SECOND * 60));
}

#[test]
fn a_cancel_waits_for_the_first_provisional_response() {
    let mut world = World::new(Wire::GOOD, 8);
    world.bob = |agent, now, leg, out| agent.ring(now, leg, out);
    world.dial();
    world.hang_up(ALICE, LEG);
    assert_eq!(world.ladder(), ["A: INVITE"]);
    assert!(world.settles(SECOND * 60));
    assert_eq!(world.count(ALICE, "CANCEL"), 1);
    assert_eq!(world.causes(ALICE), [(Cause::Us, Some(487))]);
}

#[test]
fn a_200_that_crosses_the_cancel_is_acknowledged_and_ended() {
    let mut world = World::new(Wire { slowest_ms: 1, ..Wire::GOOD }, 9);
    world.bob = |agent, now, leg, out| agent.ring(now, leg, out);
    world.dial();
    world.wait(SECOND);
    world.at(BOB, |agent, now, out| agent.accept(now, BOBS, 20_000, out));
    world.hang_up(ALICE, LEG);
    assert!(world.settles(SECOND * 60));
    assert_eq!((world.count(ALICE, "CANCEL"), world.count(ALICE, "ACK"), world.count(ALICE, "BYE")), (1, 1, 1));
    assert_eq!(world.causes(ALICE), [(Cause::Us, Some(200))]);
    assert_eq!(world.causes(BOB), [(Cause::Them, Some(200))]);
}

#[test]
fn both_may_hang_up_at_once() {
    let mut world = World::new(Wire::GOOD, 10);
    world.dial();
    world.wait(SECOND);
    world.hang_up(ALICE, LEG);
    world.hang_up(BOB, BOBS);
    assert!(world.settles(SECOND * 60));
    assert_eq!((world.ends(ALICE).len(), world.ends(BOB).len()), (1, 1));
}

#[test]
fn no_codec_in_common_is_488() {
    let mut world = World::new(Wire::GOOD, 11);
    let only_a = crate::sip::Trunk { codecs: vec![crate::base::Codec::Pcma], ..trunk(super::world::address(ALICE)) };
    let only_u = crate::sip::Trunk { codecs: vec![crate::base::Codec::Pcmu], ..trunk(super::world::address(BOB)) };
    world.agents = [agent(ALICE, only_u, 1), agent(BOB, only_a, 2)];
    world.dial();
    assert!(world.settles(SECOND * 60));
    assert_eq!(world.causes(ALICE), [(Cause::Refused, Some(488))]);
    assert!(world.events[BOB].is_empty());
}

#[test]
fn calls_survive_a_wire_that_loses_every_fifth_datagram() {
    for seed in 0..200 {
        let mut world = World::new(Wire::BAD, seed);
        world.dial();
        world.wait(SECOND * 40);
        let up = world.answered(ALICE).is_some();
        assert!(up, "seed {seed}: {:#?}", world.ladder());
        assert!(world.answered(BOB).is_some(), "seed {seed}: {:#?}", world.ladder());
        world.hang_up(ALICE, LEG);
        assert!(world.settles(SECOND * 80), "seed {seed}");
        assert_eq!((world.ends(ALICE).len(), world.ends(BOB).len()), (1, 1), "seed {seed}: {:#?}", world.ladder());
    }
}

#[test]
fn every_call_ends_however_early_anybody_hangs_up() {
    for seed in 0..200u64 {
        let mut world = World::new(Wire::BAD, seed);
        world.dial();
        world.wait(Duration::from_millis(seed * 37));
        let (first, leg) = if seed % 2 == 0 { (ALICE, LEG) } else { (BOB, BOBS) };
        world.hang_up(first, leg);
        world.wait(Duration::from_millis(seed % 7 * 100));
        world.hang_up(ALICE, LEG);
        world.at(BOB, |agent, now, out| agent.stop(now, out));
        assert!(world.settles(SECOND * 120), "seed {seed}: {:#?}", world.ladder());
        let dialled = world.ends(ALICE).len();
        let incoming = world.events[BOB].iter().filter(|event| matches!(event, Event::Incoming { .. })).count();
        assert_eq!((dialled, world.ends(BOB).len()), (1, incoming), "seed {seed}: {:#?}", world.ladder());
    }
}

#[test]
fn a_trunk_takes_as_many_calls_as_it_allows() {
    let mut alice = agent(ALICE, crate::sip::Trunk { max_calls: 1, ..trunk(super::world::address(BOB)) }, 1);
    let mut dial = |leg| {
        let (trunk, to) = (super::world::main_trunk(), super::world::number());
        alice.dial(Time::ZERO, LegId(leg), &trunk, &to, 30_000, &mut Outbox::new()).map(|_| ())
    };
    assert_eq!(dial(1), Ok(()));
    assert_eq!(dial(2), Err(crate::sip::DialError::TrunkFull));
}

#[test]
fn a_forgotten_call_sends_nothing_any_more() {
    let mut world = World::new(Wire::GOOD, 12);
    let mut out = Outbox::new();
    let (trunk, to) = (super::world::main_trunk(), super::world::number());
    world.agents[ALICE].dial(Time::ZERO, LEG, &trunk, &to, 30_000, &mut out).unwrap();
    world.agents[ALICE].forget(LEG);
    assert!(world.agents[ALICE].is_idle());
    assert_eq!(world.agents[ALICE].next_deadline(), None);
}
