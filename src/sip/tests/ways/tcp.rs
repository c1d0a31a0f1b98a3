//! A trunk over UDP whose requests grow too long for a datagram, and go over a connection.

use super::{LEG, Night, hop};
use crate::sip::{CallerIn, Hop, Trunk};
use crate::wire::sip::Method;

#[test]
fn what_belongs_to_a_call_over_tcp_goes_over_its_connection() {
    let long = "b".repeat(128);
    let both = CallerIn { from: true, asserted: true, preferred: true };
    let mut night = Night::new(|trunk| Trunk { username: long.clone(), caller_in: both, ..trunk });
    night.dials();
    night.hears(100);
    night.agent.hang_up(night.now, LEG, &mut night.out);
    night.done();
    let (to, cancel) = night.sent.last().cloned().unwrap();
    assert_eq!((to, cancel.method()), (Hop::tcp(hop(1).address), Method::Cancel));
}
