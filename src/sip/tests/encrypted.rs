//! Whole calls whose voice is, or has to be, encrypted.

use core::time::Duration;

use super::world::{ALICE, BOB, Wire, World, address, agent, trunk};
use crate::base::{Keys, LegId, Suite};
use crate::sip::{Cause, Event, Srtp, Trunk};

const SECOND: Duration = Duration::from_secs(1);

fn world(alice: Srtp, bob: Srtp) -> World {
    let mut world = World::new(Wire::GOOD, 11);
    let one = |who: usize, srtp| agent(who, Trunk { srtp, ..trunk(address(1 - who)) }, 20 + who as u64);
    world.agents = [one(ALICE, alice), one(BOB, bob)];
    world
}

/// The keys each end was told of, in order.
fn keys(world: &World, who: usize) -> Vec<Option<Keys>> {
    let of = |event: &Event| match event {
        Event::Answered { stream, .. } | Event::Changed { stream, .. } => Some(stream.keys),
        _ => None,
    };
    world.events[who].iter().filter_map(of).collect()
}

#[test]
fn a_call_is_encrypted_plain_or_refused_as_both_ends_are_set() {
    use Srtp::{Off, Optional, Required};
    for (alice, bob, expected) in [
        (Off, Off, Some(false)),
        (Off, Optional, Some(false)),
        (Off, Required, None),
        (Optional, Off, Some(false)),
        (Optional, Optional, Some(true)),
        (Optional, Required, Some(true)),
        (Required, Off, None),
        (Required, Optional, Some(true)),
        (Required, Required, Some(true)),
    ] {
        let mut world = world(alice, bob);
        world.dial();
        world.wait(SECOND);
        let (here, there) = (keys(&world, ALICE), keys(&world, BOB));
        match (&here[..], &there[..], expected) {
            ([], [], None) => {
                assert_eq!(world.causes(ALICE), [(Cause::Refused, Some(488))]);
                assert!(
                    world.events[BOB].iter().all(|event| !matches!(event, Event::Incoming { .. })),
                    "nobody is told"
                );
                let refusal = world.said.iter().find(|text| text.starts_with("SIP/2.0 488")).unwrap();
                assert!(refusal.contains("Warning: 399 hansho-test \"") && refusal.contains("encrypted voice is"));
            }
            ([None], [None], Some(false)) => {}
            ([Some(here)], [Some(there)], Some(true)) => {
                assert_eq!((here.suite, here.ours, here.theirs), (Suite::Tag80, there.theirs, there.ours));
                assert_ne!(here.ours, here.theirs);
            }
            other => panic!("{alice:?} calls {bob:?}: {other:?}"),
        }
    }
}

#[test]
fn an_answer_that_leaves_the_key_out_ends_the_call_that_had_to_be_encrypted() {
    let mut world = world(Srtp::Required, Srtp::Required);
    world.rewrites = |text| if text.starts_with("SIP/2.0 200") { text.replace("a=crypto:", "a=crypta:") } else { text };
    world.dial();
    assert!(world.settles(SECOND * 60));
    assert_eq!(world.ladder(), ["A: INVITE", "B: 100", "B: 180", "B: 200", "A: ACK", "A: BYE", "B: 200"]);
    assert_eq!(world.causes(ALICE), [(Cause::NoCommonCodec, Some(200))]);
    assert!(keys(&world, ALICE).is_empty(), "no media ever flowed");
    let why = world.events[ALICE].iter().find_map(|event| match event {
        Event::Ended { end, .. } => Some(end.reason.clone()),
        _ => None,
    });
    assert!(why.is_some_and(|why| why.contains("names no key")));
}

#[test]
fn two_calls_never_have_the_same_key() {
    let mut world = world(Srtp::Required, Srtp::Required);
    for _ in 0..2 {
        world.dial();
        world.wait(SECOND);
        world.hang_up(ALICE, LegId(1));
        assert!(world.settles(SECOND * 60));
    }
    let all: Vec<_> = keys(&world, ALICE).into_iter().flatten().flat_map(|keys| [keys.ours, keys.theirs]).collect();
    assert_eq!(all.len(), 4);
    assert!(all.iter().enumerate().all(|(at, key)| !all[..at].contains(key)));
}
