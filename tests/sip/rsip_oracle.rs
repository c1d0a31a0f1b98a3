//! rsip 0.4.0 as a witness: where it can read a message, it must read what we read.
//!
//! What it cannot do, and what [`its_known_defects`] holds it to so that this list stays true:
//! - it rejects folded lines, extension methods, `tel:` URIs and every IPv6 address;
//! - compact header names are left unrecognised, so their values vanish silently;
//! - of several Via values in one line it sees the first, and takes the next for parameters;
//! - it prints an IPv6 host without brackets, and reason phrases as the names of its enum;
//! - it fails on `algorithm=SHA-256` and on `qop="auth,auth-int"`, as trunks send them.

use hansho::wire::sip::{Builder, Message, Method, Name};
use proptest::prelude::*;
use rsip::prelude::*;

/// What both must agree on.
#[derive(PartialEq, Debug)]
struct Seen {
    method: String,
    uri: String,
    call_id: String,
    cseq: u32,
    from: (String, Option<String>),
    to: (String, Option<String>),
    via: (String, Option<u16>, Option<String>),
    body: Vec<u8>,
}

fn ours(bytes: &[u8]) -> Seen {
    let message = Message::parse(bytes).unwrap();
    let (from, to, via) = (message.from().unwrap(), message.to().unwrap(), message.via().unwrap());
    Seen {
        method: message.method().to_string(),
        uri: message.uri().unwrap_or_default().to_owned(),
        call_id: message.call_id().unwrap().to_owned(),
        cseq: message.cseq().unwrap().number,
        from: (from.uri.to_owned(), from.tag().map(str::to_owned)),
        to: (to.uri.to_owned(), to.tag().map(str::to_owned)),
        via: (via.host.to_owned(), via.port, via.branch().map(str::to_owned)),
        body: message.body().to_vec(),
    }
}

fn theirs(bytes: &[u8]) -> Seen {
    let message = rsip::SipMessage::try_from(bytes).unwrap();
    let (from, to) = (message.from_header().unwrap().typed().unwrap(), message.to_header().unwrap().typed().unwrap());
    let via = message.via_header().unwrap().typed().unwrap();
    let cseq = message.cseq_header().unwrap().typed().unwrap();
    let uri = if let rsip::SipMessage::Request(request) = &message { request.uri.to_string() } else { String::new() };
    Seen {
        method: cseq.method.to_string(),
        uri,
        call_id: message.call_id_header().unwrap().value().to_owned(),
        cseq: cseq.seq,
        from: (from.uri.to_string(), from.tag().map(|tag| tag.value().to_owned())),
        to: (to.uri.to_string(), to.tag().map(|tag| tag.value().to_owned())),
        via: (
            via.uri.host().to_string(),
            via.uri.port().map(|port| *port.value()),
            via.branch().map(|b| b.value().to_owned()),
        ),
        body: message.body().clone(),
    }
}

fn invite(body: &[u8], changed: &[(&str, &str)]) -> Vec<u8> {
    let built = Builder::request(Method::Invite, "sip:bob@biloxi.example")
        .header(Name::Via, "SIP/2.0/UDP pc33.example:5066;branch=z9hG4bK776")
        .header(Name::MaxForwards, "70")
        .header(Name::From, "\"Alice\" <sip:alice@atlanta.example>;tag=88sja8x")
        .header(Name::To, "Bob <sip:bob@biloxi.example>")
        .header(Name::CallId, "987asjd97y7atg")
        .header(Name::CSeq, "986759 INVITE")
        .header(Name::Contact, "<sip:alice@pc33.example>")
        .body("application/sdp", body)
        .finish();
    changed.iter().fold(built, |bytes, (from, to)| String::from_utf8(bytes).unwrap().replacen(from, to, 1).into_bytes())
}

#[test]
fn both_read_the_same_request_and_its_response() {
    let request = invite(b"v=0\r\n", &[]);
    assert_eq!(ours(&request), theirs(&request));
    let request = Message::parse(&request).unwrap();
    let response = Builder::response(&request, 180).to_tag("b1").header(Name::Contact, "<sip:bob@192.0.2.4>").finish();
    assert_eq!(ours(&response), theirs(&response));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn both_read_the_same_of_what_we_write(
        method in "(INVITE|ACK|BYE|CANCEL|REGISTER|OPTIONS|INFO|MESSAGE|UPDATE|PRACK|REFER|NOTIFY|SUBSCRIBE|PUBLISH)",
        user in "[a-z0-9][a-z0-9._-]{0,11}",
        host in "(([a-z][a-z0-9-]{0,6}[a-z0-9]\\.){1,2}example|192\\.0\\.2\\.[1-9])",
        port in prop::option::of(1u16..),
        tag in "[a-zA-Z0-9.-]{1,12}",
        branch in "[a-zA-Z0-9]{1,20}",
        cseq in any::<u32>(),
        body in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let at = port.map_or(host.clone(), |port| format!("{host}:{port}"));
        let bytes = Builder::request(Method::parse(&method).unwrap(), &format!("sip:{user}@{at}"))
            .header(Name::Via, format!("SIP/2.0/UDP {at};branch=z9hG4bK{branch}"))
            .header(Name::From, format!("<sip:{user}@{host}>;tag={tag}"))
            .header(Name::To, format!("{user} <sip:{user}@{at}>"))
            .header(Name::CallId, format!("{branch}@{host}"))
            .header(Name::CSeq, format!("{cseq} {method}"))
            .body("application/octet-stream", &body)
            .finish();
        prop_assert_eq!(ours(&bytes), theirs(&bytes));
    }
}

#[test]
fn its_known_defects() {
    let rejects = |changed: &[(&str, &str)]| {
        let bytes = invite(b"", changed);
        assert_eq!(Message::parse(&bytes).unwrap().check(), Ok(()));
        let read = rsip::SipMessage::try_from(bytes.as_slice());
        read.is_err() || std::panic::catch_unwind(|| theirs(&bytes)).is_err()
    };
    assert!(!rejects(&[]), "it reads the plain message");
    assert!(rejects(&[("Bob <", "Bob\r\n <")]), "a folded line");
    assert!(rejects(&[("INVITE sip", "FIRE sip"), ("986759 INVITE", "986759 FIRE")]), "an extension method");
    assert!(rejects(&[("sip:bob@biloxi.example SIP", "tel:+81312345678 SIP")]), "a tel URI");
    assert!(rejects(&[("<sip:bob@biloxi.example>", "<sip:bob@[2001:db8::1]>")]), "an IPv6 URI");
    assert!(rejects(&[("Call-ID", "i")]), "a compact name");

    let two = invite(b"", &[("z9hG4bK776", "z9hG4bK776, SIP/2.0/TCP proxy.example;branch=z9hG4bK2")]);
    let lines = |bytes: &[u8]| {
        let message = rsip::SipMessage::try_from(bytes).unwrap();
        message.headers().iter().filter(|header| matches!(header, rsip::Header::Via(_))).count()
    };
    assert_eq!((lines(&two), Message::parse(&two).unwrap().list(&Name::Via).count()), (1, 2));

    let v6 =
        rsip::Uri { host_with_port: "2001:db8::1".parse::<std::net::IpAddr>().unwrap().into(), ..Default::default() };
    assert!(!v6.to_string().contains('['), "{v6}");
    let ringing: rsip::Response = rsip::Response { status_code: rsip::StatusCode::BusyHere, ..Default::default() };
    assert!(ringing.to_string().contains("BusyHere"), "{ringing}");

    let challenge = |text: &str| rsip::headers::WwwAuthenticate::new(text).typed().is_err();
    assert!(!challenge("Digest realm=\"a\", nonce=\"b\", algorithm=MD5, qop=\"auth\""));
    assert!(challenge("Digest realm=\"a\", nonce=\"b\", algorithm=SHA-256"), "SHA-256");
    assert!(challenge("Digest realm=\"a\", nonce=\"b\", qop=\"auth,auth-int\""), "a list of qop");
}
