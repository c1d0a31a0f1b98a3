use super::*;
use crate::sip::tests::bench::{asks, us};
use crate::sip::tests::peer;
use crate::wire::sip::Edit;

fn changed(message: &Message, name: Name, value: &str) -> Message {
    Message::parse(&Edit::of(message).set(name, value).finish()).unwrap()
}

#[test]
fn who_asks_for_rport_is_answered_where_he_spoke_and_others_at_their_port() {
    let asked = asks(Method::Options, 1, "a", "", "");
    let source: Hop = "192.0.2.7:40000".parse().unwrap();
    assert_eq!(reply_to(&asked, source), source);
    let old = changed(&asked, Name::Via, "SIP/2.0/UDP 10.0.0.1:5070;branch=z9hG4bK1");
    assert_eq!(reply_to(&old, source), "192.0.2.7:5070".parse::<SocketAddr>().unwrap());
    let older = changed(&asked, Name::Via, "SIP/2.0/UDP pbx.example;branch=z9hG4bK1");
    assert_eq!(reply_to(&older, source), "192.0.2.7:5060".parse::<SocketAddr>().unwrap());
}

#[test]
fn a_reason_header_says_more_than_the_phrase() {
    let busy = Message::parse(&Builder::response(&asks(Method::Invite, 1, "a", "", ""), 486).finish()).unwrap();
    assert_eq!(reason_of(&busy), "Busy Here");
    assert_eq!(reason_of(&changed(&busy, Name::Reason, "Q.850;cause=17;text=\"User busy\"")), "User busy");
    assert_eq!(reason_of(&changed(&busy, Name::Reason, "Q.850;cause=17")), "Q.850;cause=17");
}

#[test]
fn whoever_is_hung_up_on_is_told_why_unless_it_is_our_own_wish() {
    let cause_of = |cause| reason_for(cause).map(|reason| reason.split(';').nth(1).unwrap_or_default());
    assert_eq!(cause_of(Cause::Elsewhere), Some("cause=200"));
    assert_eq!(cause_of(Cause::Timeout), Some("cause=408"));
    assert_eq!(cause_of(Cause::NoCommonCodec), Some("cause=488"));
    assert_eq!([Cause::Us, Cause::Them, Cause::Refused].map(reason_for), [None; 3]);
}

#[test]
fn the_ack_to_a_refusal_repeats_the_invite_but_for_to() {
    let request = Request {
        method: Method::Invite,
        uri: "sip:+81312345678@pbx.example".into(),
        hop: peer(),
        from: "<sip:hansho@pbx.example>;tag=ours".into(),
        to: "<sip:+81312345678@pbx.example>".into(),
        call_id: "call-1".into(),
        seq: 7,
        routes: vec!["<sip:192.0.2.1;lr>".into()],
        headers: Vec::new(),
        body: Some(Body { kind: SDP, bytes: b"v=0\r\n".to_vec() }),
    };
    let identity = crate::sip::Identity {
        local: us(),
        media_address: us().ip(),
        user_agent: "hansho-test".into(),
        doors: Vec::new(),
    };
    let bytes = request.bytes(&identity.into(), "z9hG4bKx.1", &[]);
    let invite = Message::parse(&bytes).unwrap();
    let busy = Message::parse(&Builder::response(&invite, 486).to_tag("theirs").finish()).unwrap();
    let ack = Message::parse(&ack_of_refusal(&bytes, &busy)).unwrap();
    assert_eq!(ack.check(), Ok(()));
    for name in [Name::Via, Name::From, Name::CallId, Name::Route] {
        assert_eq!(ack.header(&name), invite.header(&name));
    }
    assert_eq!((ack.uri(), ack.header(&Name::To)), (invite.uri(), busy.header(&Name::To)));
    assert_eq!((ack.cseq().unwrap().to_string(), ack.body()), ("7 ACK".to_owned(), &b""[..]));
}

#[test]
fn a_user_part_cannot_break_out_of_its_uri() {
    assert_eq!(user_part("+81312345678"), "+81312345678");
    assert_eq!(user_part("a@b>;x=1\r\n半"), "a%40b%3E;x=1%0D%0A%E5%8D%8A");
}
