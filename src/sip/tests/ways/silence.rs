//! Calls that are given up while nothing was heard of them.

use core::time::Duration;

use super::{LEG, Night, id};
use crate::sip::Cause;
use crate::sip::tests::world::number;

/// How a call over a trunk with one target ends that is hung up after so long, where the trunk said this or nothing.
fn ends(after: Duration, says: Option<u16>) -> Option<(Cause, Option<u16>)> {
    let mut night = Night::new(|trunk| trunk);
    night.agent.dial(night.now, LEG, &id("spare"), &number(), 30_000, &mut night.out).unwrap();
    night.done();
    if let Some(code) = says {
        night.hears(code);
    }
    night.waits(after);
    night.agent.hang_up(night.now, LEG, &mut night.out);
    night.waits(Duration::from_secs(5));
    night.end()
}

#[test]
fn a_call_that_is_given_up_while_the_trunk_says_nothing_ends_for_that_and_not_for_us() {
    // Before the trunk has used up its time (RFC 3261 §17.1.1.2, timer B), and while it does.
    for seconds in [10, 29, 30] {
        assert_eq!(ends(Duration::from_secs(seconds), None), Some((Cause::Timeout, None)), "{seconds} s");
    }
    for code in [100, 180] {
        assert_eq!(ends(Duration::from_secs(20), Some(code)), Some((Cause::Us, None)), "{code}");
    }
}
