//! Session descriptions that name nothing we can do, or nowhere we should send.

use core::time::Duration;

use hansho::incident::{Entry, Fact, Outcome};
use hansho::wire::sip::Method;

use crate::desk::{Desk, fresh, response, sdp, trunk};
use crate::support::Town;

/// What cannot be agreed to.
fn bad() -> Vec<(&'static str, String)> {
    let good = sdp();
    vec![
        (
            "no codec of ours",
            good.replace("RTP/AVP 0 101", "RTP/AVP 18 101").replace("rtpmap:0 PCMU", "rtpmap:18 G729"),
        ),
        ("a codec by the name of another", good.replace("rtpmap:0 PCMU/8000", "rtpmap:0 opus/48000/2")),
        ("port 0", good.replace("m=audio 40000", "m=audio 0")),
        ("video alone", good.replace("m=audio", "m=video")),
        ("secured voice", good.replace("RTP/AVP", "RTP/SAVP")),
        ("a multicast address", good.replace("c=IN IP4 192.0.2.9", "c=IN IP4 224.2.1.1/127")),
        ("the broadcast address", good.replace("c=IN IP4 192.0.2.9", "c=IN IP4 255.255.255.255")),
        ("a host name", good.replace("c=IN IP4 192.0.2.9", "c=IN IP4 phone.example")),
        ("another family", good.replace("c=IN IP4 192.0.2.9", "c=IN IP6 2001:db8::9")),
        ("multicast in IPv6", good.replace("c=IN IP4 192.0.2.9", "c=IN IP6 ff02::1")),
        ("no address", good.replace("c=IN IP4 192.0.2.9\r\n", "")),
        ("no section", good[..good.find("m=").unwrap()].to_owned()),
        ("a port that is none", good.replace("40000", "400000")),
        ("no session description", "hello".to_owned()),
    ]
}

#[test]
fn as_the_caller_hansho_acknowledges_and_hangs_up_and_calls_the_next_one() {
    for (what, body) in bad() {
        let mut desk = Desk::new(1, Town::of(&["anna", "bert"]));
        desk.raises();
        let invite = desk.last(Method::Invite).unwrap().clone();
        desk.comes(trunk(), &response(&invite, 180, "phone", None));
        let before = desk.sent.len();
        desk.comes(trunk(), &response(&invite, 200, "phone", Some(&body)));
        let then: Vec<Method> = desk.sent[before..].iter().map(|(_, message)| message.method()).collect();
        assert_eq!(then[..2], [Method::Ack, Method::Bye], "{what}: {then:?}");
        let bye = desk.last(Method::Bye).unwrap().clone();
        desk.comes(trunk(), &response(&bye, 200, "phone", None));
        let ended = desk.facts.iter().filter_map(Entry::fact).find_map(|fact| match fact {
            Fact::Ended { outcome, reason, .. } => Some((*outcome, reason.clone())),
            _ => None,
        });
        let (outcome, reason) = ended.unwrap_or_else(|| panic!("{what}: the call has no end"));
        assert_eq!(outcome, Outcome::Failed, "{what}");
        assert!(!reason.is_empty(), "{what}");
        assert_eq!(desk.connected, 0, "{what}: nobody is spoken to");
        assert_eq!(desk.requests(Method::Invite).count(), 2, "{what}: the next one is called");
        desk.comes_to_rest();
    }
}

#[test]
fn as_the_callee_hansho_says_488_or_400_and_keeps_nothing() {
    for (what, body) in bad() {
        let mut desk = Desk::new(1, Town::of(&["anna"]));
        desk.raises();
        let before = desk.sent.len();
        desk.comes(trunk(), &fresh(Method::Invite, &Town::number(0), "in", Some(&body)));
        let codes: Vec<Option<u16>> = desk.sent[before..].iter().map(|(_, message)| message.code()).collect();
        assert!(matches!(codes[..], [Some(488 | 400)]), "{what}: {codes:?}");
        desk.waits(Duration::from_secs(60));
        desk.comes_to_rest();
    }
}

#[test]
fn the_unspecified_address_is_an_old_way_to_hold_and_nothing_is_sent_there() {
    let mut desk = Desk::new(1, Town::of(&["anna"]));
    desk.raises();
    let invite = desk.last(Method::Invite).unwrap().clone();
    let body = sdp().replace("c=IN IP4 192.0.2.9", "c=IN IP4 0.0.0.0");
    desk.comes(trunk(), &response(&invite, 200, "phone", Some(&body)));
    assert_eq!(desk.requests(Method::Ack).count(), 1);
    assert!(
        desk.facts.iter().filter_map(Entry::fact).any(|fact| matches!(fact, Fact::Answered { .. })),
        "the call is up"
    );
    desk.comes_to_rest();
}
