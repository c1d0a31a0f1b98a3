//! A trunk over UDP whose requests grow too long for a datagram, and go over a connection.

use core::time::Duration;

use super::{LEG, Night, hop, id};
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

/// `main` is there over TCP alone, and so is `spare`.
fn over_tcp(change: impl Fn(Trunk) -> Trunk) -> (Night, Hop) {
    let tcp = |hop: Hop| Hop::tcp(hop.address);
    let mut night = Night::new(|trunk| change(Trunk { proxy: trunk.proxy.map(tcp), ..trunk }));
    let there = tcp(hop(1));
    night.agent.on_trunk_address(night.now, &id("main"), Ok(vec![there].into()), &mut night.out);
    night.done();
    (night, there)
}

#[test]
fn a_connection_that_served_and_was_forgotten_on_the_way_is_made_anew_for_the_call() {
    let (mut night, there) = over_tcp(|trunk| trunk);
    night.dials();
    night.hears(486);
    night.events.clear();
    night.dials();
    let first = night.sent.last().cloned().unwrap().1;
    night.agent.on_lost(night.now, there, "nothing answers there", &mut night.out);
    assert_eq!(night.done(), ["tcp:1 INVITE"]);
    let again = night.sent.last().cloned().unwrap().1;
    assert_eq!((again.call_id(), again.cseq().unwrap().number), (first.call_id(), 2));
    assert_eq!((night.ways(), night.failed(), night.end()), (vec![], vec![], None), "nobody is to blame");
    // Now nobody takes a connection there: that is the trunk's fault.
    night.agent.on_lost(night.now, there, "nobody listens there", &mut night.out);
    assert_eq!((night.done(), night.ways().len()), (vec!["tcp:3 INVITE".to_owned()], 1));
    assert_eq!(night.failed(), ["main tcp:1 60 s"]);
}

#[test]
fn a_trunk_whose_connection_was_forgotten_on_the_way_is_asked_over_another_before_it_is_called_away() {
    let asks = |trunk: Trunk| Trunk { asked_every: Some(Duration::from_secs(30)), ..trunk };
    let (mut night, there) = over_tcp(asks);
    night.waits(Duration::from_secs(60));
    night.hears_at(there, 200);
    let asked = night.waits(Duration::from_secs(30));
    assert!(asked.contains(&"tcp:1 OPTIONS".to_owned()), "{asked:?}");
    night.events.clear();
    night.agent.on_lost(night.now, there, "nothing answers there", &mut night.out);
    assert_eq!((night.done(), night.events.len()), (vec!["tcp:1 OPTIONS".to_owned()], 0));
}

#[test]
fn a_connection_that_brought_nothing_but_what_nobody_can_read_is_not_made_anew() {
    let (mut night, there) = over_tcp(|trunk| trunk);
    night.dials();
    night.agent.on_datagram(night.now, there, &[b'x'; 17_000], &mut night.out);
    night.agent.on_lost(night.now, there, "a message is too long", &mut night.out);
    assert_eq!(night.done(), ["tcp:3 INVITE"]);
}
