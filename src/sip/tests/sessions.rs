//! Long calls between two agents: session timers, and provisional responses that must not be lost.

use core::time::Duration;

use super::world::{ALICE, BOB, Wire, World};
use crate::sip::Cause;

const HOUR: Duration = Duration::from_secs(3_600);
const MINUTE: Duration = Duration::from_secs(60);

/// The first call of a world is up.
fn up(mut world: World) -> World {
    world.dial();
    world.wait(MINUTE);
    assert!(world.answered(ALICE).is_some() && world.answered(BOB).is_some(), "{:#?}", world.ladder());
    world
}

/// A far end that does not take UPDATE.
fn without_update(text: String) -> String {
    text.replace("INFO, UPDATE, PRACK", "INFO, PRACK")
}

/// A caller that does not know session timers, behind a proxy that does.
fn without_timer(text: String) -> String {
    if text.starts_with("INVITE") { text.replace("Supported: 100rel, timer", "Supported: 100rel") } else { text }
}

/// A caller that demands that no provisional response is lost.
fn demanding(text: String) -> String {
    if text.starts_with("INVITE") { text.replace("Supported: 100rel, timer", "Require: 100rel") } else { text }
}

#[test]
fn a_call_of_three_hours_is_refreshed_every_quarter_of_an_hour_by_the_caller() {
    let mut world = up(World::new(Wire::GOOD, 1));
    world.wait(HOUR * 3);
    assert_eq!((world.count(ALICE, "UPDATE"), world.count(BOB, "UPDATE")), (12, 0));
    assert_eq!((world.ends(ALICE), world.ends(BOB)), (vec![], vec![]));
}

#[test]
fn a_caller_that_knows_no_timer_is_refreshed_by_us() {
    let mut world = World::new(Wire::GOOD, 2);
    world.rewrites = without_timer;
    let mut world = up(world);
    world.wait(HOUR);
    assert_eq!((world.count(ALICE, "UPDATE"), world.count(BOB, "UPDATE")), (0, 4));
}

#[test]
fn without_update_the_call_is_refreshed_by_a_re_invite_and_its_terms_stay() {
    let mut world = World::new(Wire::GOOD, 3);
    world.rewrites = without_update;
    let mut world = up(world);
    world.wait(HOUR);
    assert_eq!((world.count(ALICE, "UPDATE"), world.count(ALICE, "INVITE"), world.count(ALICE, "ACK")), (0, 5, 5));
    assert!(!world.events.iter().flatten().any(|event| matches!(event, crate::sip::Event::Changed { .. })));
    assert_eq!((world.ends(ALICE), world.ends(BOB)), (vec![], vec![]));
}

#[test]
fn a_call_over_a_wire_that_loses_every_fifth_datagram_does_not_lapse() {
    for seed in 0..6 {
        let mut world = World::new(Wire::BAD, seed);
        world.rewrites = if seed % 2 == 0 { without_update } else { |text| text };
        let mut world = up(world);
        world.wait(HOUR);
        assert_eq!((world.ends(ALICE), world.ends(BOB)), (vec![], vec![]), "seed {seed}");
    }
}

#[test]
fn both_ends_end_a_call_that_nobody_can_refresh() {
    for rewrites in [without_update, |text| text] {
        let mut world = World::new(Wire::GOOD, 4);
        world.rewrites = rewrites;
        let mut world = up(world);
        world.wire = Wire { loss: 1.0, ..Wire::GOOD };
        world.wait(HOUR);
        assert_eq!(world.causes(ALICE), [(Cause::Timeout, Some(408))]);
        assert_eq!(world.causes(BOB), [(Cause::Timeout, Some(408))]);
        assert!(world.agents.iter().all(crate::sip::Agent::is_idle), "nothing is left of it");
    }
}

#[test]
fn hanging_up_in_the_middle_of_a_re_invite_leaves_nothing_behind() {
    for seed in 0..20u32 {
        let mut world = World::new(Wire::BAD, u64::from(seed));
        world.rewrites = without_update;
        let mut world = up(world);
        world.wait(Duration::from_secs(839) + Duration::from_millis(120) * seed);
        world.hang_up(ALICE, crate::base::LegId(1));
        assert!(world.settles(MINUTE * 5), "seed {seed}: {:#?}", world.ladder());
        assert_eq!((world.ends(ALICE).len(), world.ends(BOB).len()), (1, 1), "seed {seed}");
    }
}

#[test]
fn a_ringing_that_must_not_be_lost_is_acknowledged_over_a_bad_wire() {
    let mut acknowledged = 0;
    for seed in 0..40 {
        let mut world = World::new(Wire::BAD, seed);
        world.rewrites = demanding;
        world.bob = |agent, now, leg, out| agent.ring(now, leg, out);
        world.dial();
        world.wait(MINUTE / 2);
        acknowledged += usize::from(world.count(ALICE, "PRACK") > 0);
        let leg = crate::base::LegId(u32::MAX);
        world.at(BOB, |agent, now, out| agent.accept(now, leg, 20_000, out));
        world.wait(MINUTE / 2);
        assert!(world.answered(ALICE).is_some(), "seed {seed}: {:#?}", world.ladder());
        world.hang_up(ALICE, crate::base::LegId(1));
        assert!(world.settles(MINUTE * 5), "seed {seed}");
        assert_eq!((world.ends(ALICE).len(), world.ends(BOB).len()), (1, 1), "seed {seed}: {:#?}", world.ladder());
    }
    assert_eq!(acknowledged, 40);
}
