//! Calls from an address at which several trunks are: over which of them they come in.

use super::{Night, hop};
use crate::sip::tests::bench::SDP_PCMU;
use crate::sip::{Event, Trunk};
use crate::wire::sip::{Builder, Method, Name};

/// The trunk that a call is told of which was dialled like this, where `main` and `spare` are at the same proxy.
fn comes_over(uri: &str, to: &str) -> String {
    let mut night = Night::new(|trunk| {
        let name = trunk.id.as_str().to_owned();
        let number = if name == "spare" { "+81300000002" } else { "+81300000001" };
        Trunk { proxy: Some(hop(1)), username: name, caller_id: Some(number.to_owned()), ..trunk }
    });
    night.done();
    let invite = Builder::request(Method::Invite, uri)
        .header(Name::Via, "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK-in")
        .header(Name::MaxForwards, "70")
        .header(Name::From, "<sip:+81399999999@trunk.example>;tag=theirs")
        .header(Name::To, to)
        .header(Name::CallId, "in-1")
        .header(Name::CSeq, "1 INVITE")
        .header(Name::Contact, "<sip:192.0.2.1>")
        .body("application/sdp", SDP_PCMU.as_bytes());
    night.agent.on_datagram(night.now, hop(1), &invite.finish(), &mut night.out);
    night.done();
    let trunk = night.events.iter().find_map(|event| match event {
        Event::Incoming { trunk, .. } => Some(trunk.to_string()),
        _ => None,
    });
    trunk.unwrap_or_default()
}

#[test]
fn of_several_accounts_at_one_proxy_the_one_that_was_dialled_has_the_call() {
    assert_eq!(comes_over("sip:spare@192.0.2.10", "<sip:spare@trunk.example>"), "spare");
    assert_eq!(comes_over("sip:main@192.0.2.10", "<sip:spare@trunk.example>"), "main", "the request's own URI counts");
    // Its number, or its account in To alone.
    assert_eq!(comes_over("sip:+81300000002@192.0.2.10", "<sip:+81300000002@trunk.example>"), "spare");
    assert_eq!(comes_over("sip:0300000009@192.0.2.10", "<sip:spare@trunk.example>"), "spare");
    assert_eq!(comes_over("sip:0300000009@192.0.2.10", "<sip:0300000009@trunk.example>"), "main", "nobody was named");
}
