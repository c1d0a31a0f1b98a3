//! The codec read and written from inside; torture messages are in `tests/sip`.

use super::*;

const INVITE: &str = "INVITE sip:+81312345678@trunk.example;user=phone SIP/2.0\r\n\
    v: SIP/2.0/UDP [2001:db8::9]:5062;branch=z9hG4bK1;rport, SIP/2.0/TCP proxy.example ; branch=z9hG4bK0\r\n\
    Via: SIP / 2.0 / UDP first.example.com: 4000;ttl=16;branch=z9hG4bKa7c6\r\n\
    f: \"Fire, <Bell>\" <sip:hansho@192.0.2.1;transport=udp>;tag=a1\r\n\
    To: sip:+81312345678@trunk.example;x=1\r\n\
    i: abc@192.0.2.1\r\n\
    CSeq: 7\r\n\tINVITE\r\n\
    m: <sip:hansho@192.0.2.1:5060>\r\n\
    Max-Forwards: 70\r\n\
    X-Ticket: 12\r\n\
    c: application/sdp;charset=utf-8\r\n\
    l: 3\r\n\r\nabcdef";

fn read(text: &str) -> Message {
    Message::parse(text.as_bytes()).unwrap()
}

#[test]
fn a_request_is_read_with_compact_names_folds_and_several_vias_in_a_line() {
    let message = read(INVITE);
    assert_eq!(message.check(), Ok(()));
    let uri = "sip:+81312345678@trunk.example;user=phone";
    assert_eq!(message.start(), Start::Request { method: Method::Invite, uri });
    assert_eq!(message.list(&Name::Via).count(), 3);
    let via = message.via().unwrap();
    assert_eq!((via.transport, via.host, via.host_str()), ("UDP", "[2001:db8::9]", "2001:db8::9"));
    assert_eq!((via.port, via.branch(), via.rport()), (Some(5062), Some("z9hG4bK1"), Some(None)));
    let third = Via::parse(message.list(&Name::Via).nth(2).unwrap()).unwrap();
    assert_eq!((third.transport, third.host, third.port), ("UDP", "first.example.com", Some(4000)));
    let from = message.from().unwrap();
    assert_eq!(from.display_name().unwrap(), "Fire, <Bell>");
    assert_eq!((from.uri, from.tag()), ("sip:hansho@192.0.2.1;transport=udp", Some("a1")));
    assert_eq!(
        (message.to().unwrap().uri, message.to().unwrap().param("x")),
        ("sip:+81312345678@trunk.example", Some("1"))
    );
    assert_eq!(message.cseq(), Ok(CSeq { number: 7, method: Method::Invite }));
    assert_eq!(message.header(&Name::Other("x-ticket")), Some("12"));
    assert_eq!(message.header(&Name::Other("call-id")), Some("abc@192.0.2.1"));
    assert_eq!((message.content_type(), message.body()), (Some("application/sdp"), &b"abc"[..]));
}

#[test]
fn a_via_that_would_fall_apart_is_none() {
    let text = "SIP/2.0/UDP h;received=<1;x=a,b";
    assert_eq!(List::of(text).count(), 1);
    assert_eq!(Via::parse(text), Err("a < in a parameter"));
    assert_eq!(Via::parse("SIP/2.0/UDP h;x=\"<\"").map(|via| via.param("x")), Ok(Some("\"<\"")));
}

#[test]
fn a_body_may_end_in_the_middle_of_a_character() {
    let message = read(&INVITE.replace("l: 3\r\n\r\nabcdef", "l: 3\r\n\r\nabé"));
    assert_eq!((message.check(), message.call_id()), (Ok(()), Some("abc@192.0.2.1")));
    assert_eq!(message.body(), b"ab\xc3");
}

#[test]
fn a_content_length_beyond_the_datagram_is_an_error() {
    let text = INVITE.replace("l: 3", "l: 7");
    assert_eq!(Message::parse(text.as_bytes()).unwrap_err(), Malformed::Truncated { declared: 7, found: 6 });
}

#[test]
fn a_blank_datagram_is_a_keep_alive() {
    for bytes in [&b""[..], b"\r\n\r\n", b"\0\0\0\0"] {
        assert_eq!(Message::parse(bytes).unwrap_err(), Malformed::KeepAlive);
    }
}

#[test]
fn a_response_copies_what_it_must_and_takes_a_tag() {
    let request = read(INVITE);
    let source = "198.51.100.7:40000".parse().unwrap();
    let bytes = Builder::response(&request, 486).to_tag("t1").to_tag("t2").received_from(source).finish();
    let response = Message::parse(&bytes).unwrap();
    assert_eq!(response.start(), Start::Response { code: 486, reason: "Busy Here" });
    assert_eq!((response.method(), response.code()), (Method::Invite, Some(486)));
    assert_eq!(response.list(&Name::Via).count(), 3);
    assert_eq!(response.via().unwrap().reply_address(), Some(source));
    assert_eq!(response.to().unwrap().tag(), Some("t1"));
    assert_eq!((response.call_id(), response.cseq()), (request.call_id(), request.cseq()));
    assert_eq!(response.check(), Ok(()));
}

#[test]
fn no_value_can_bring_a_header_of_its_own() {
    let method = Method::Other("EVIL sip:x SIP/2.0\r\nX: 1\r\n".into());
    let bytes = Builder::request(method, "sip:a@b SIP/2.0\r\nX: 2")
        .header(Name::Subject, "hello\r\nX: 3")
        .header(Name::Other("X: 4\r\nY"), "5")
        .header(Name::ContentLength, "99")
        .body("text/plain\r\nX: 6", b"\r\nX: 7")
        .finish();
    let message = Message::parse(&bytes).unwrap();
    assert_eq!(message.header(&Name::Other("X")), None);
    assert_eq!(message.fields().count(), 3);
    assert_eq!(message.body(), b"\r\nX: 7");
}

#[test]
fn a_proxy_pushes_and_pops_its_via_and_leaves_the_rest_alone() {
    let request = read(INVITE);
    let source = "[2001:db8::7]:5062".parse().unwrap();
    let passed = Edit::of(&request)
        .received_from(source)
        .push_front(Name::Via, "SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bKp")
        .push_front(Name::RecordRoute, "<sip:192.0.2.9;lr>")
        .set(Name::MaxForwards, "69")
        .set_uri("sip:a@192.0.2.3")
        .finish();
    let passed = Message::parse(&passed).unwrap();
    assert_eq!((passed.uri(), passed.max_forwards()), (Some("sip:a@192.0.2.3"), Some(69)));
    assert_eq!(passed.via().unwrap().branch(), Some("z9hG4bKp"));
    assert_eq!(passed.header(&Name::RecordRoute), Some("<sip:192.0.2.9;lr>"));
    let back = Message::parse(&Edit::of(&passed).remove_first(Name::Via).finish()).unwrap();
    assert_eq!(back.via().unwrap().reply_address(), Some(source));
    assert_eq!(back.list(&Name::Via).count(), 3);
    let popped = Message::parse(&Edit::of(&back).remove_first(Name::Via).finish()).unwrap();
    assert_eq!(popped.via().unwrap().host, "proxy.example");
    assert_eq!(popped.body(), request.body());
}
