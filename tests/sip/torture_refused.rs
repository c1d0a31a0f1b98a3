//! Invalid: messages in the manner of RFC 4475 §3.1.2 and §3.3, each with the reason it is refused for.

use crate::{read, wire};
use hansho::wire::sip::{CSeq, MAX_HEADERS, MAX_MESSAGE, Malformed, Message, Name, NameAddr, Uri, Via};

const GOOD: &str = "INVITE sip:user@example.com SIP/2.0\n\
    Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKkdj\n\
    Max-Forwards: 70\n\
    To: \"J Rosenberg\" <sip:jdrosen@example.com>\n\
    From: <sip:caller@example.net>;tag=134161461246\n\
    Call-ID: 0ha0isndaksdj@192.0.2.1\n\
    CSeq: 8 INVITE\n\
    Contact: <sip:caller@192.0.2.1>\n\
    Content-Length: 0\n\n";

/// What is said of the good message after one replacement.
fn verdict(from: &str, to: &str) -> Result<(), Malformed> {
    assert!(GOOD.contains(from), "{from}");
    Message::parse(&wire(&GOOD.replacen(from, to, 1)))?.check()
}

fn parse(text: &str) -> Result<(), Malformed> {
    Message::parse(&wire(text)).map(|_| ())
}

#[test]
fn the_good_message_is_good() {
    assert_eq!(read(GOOD).check(), Ok(()));
}

#[test]
fn start_lines_that_are_none() {
    let start = |line: &str| verdict("INVITE sip:user@example.com SIP/2.0", line);
    for line in [
        "INVITE",
        "INVITE sip:user@example.com",
        "INVITE  sip:user@example.com SIP/2.0",
        "INVITE sip:user@example.com  SIP/2.0",
        "INVITE sip:user@example.com; lr SIP/2.0",
        "INV<ITE sip:user@example.com SIP/2.0",
        "INVITE sip:user@example.com HTTP/1.1",
        "GET / HTTP/1.1",
        "SIP/2.0 99 Low",
        "SIP/2.0 700 High",
        "SIP/2.0 4294967301 better not break the receiver",
        "SIP/2.0 +20 Signed",
        "SIP/2.0",
        "INVITE sip:user@example.com SIP/2.0\rX: 1",
    ] {
        assert!(matches!(start(line), Err(Malformed::StartLine(_))), "{line}: {:?}", start(line));
    }
    assert_eq!(start("INVITE sip:user@example.com SIP/7.0"), Err(Malformed::Version));
    assert_eq!(start("SIP/3.0 200 OK").map_err(|why| why.status()), Err(Some(505)));
}

#[test]
fn request_uris_that_cannot_be_read() {
    let uri = |uri: &str| verdict("sip:user@example.com", uri);
    for text in [
        "<sip:user@example.com>",
        "user",
        "sip:",
        "sip:@example.com",
        "sip:a@b@c",
        "sip:user@",
        "sip:user@host:port",
        "sip:user@host:99999",
        "sip:[2001:db8::1",
        "sip:[2001:db8::1]5060",
        "sip:2001:db8::10",
        "sip:[192.0.2.1]",
        "sip:[2001:db8:::1]",
        "sip:[2001:db8:::192.0.2.256]",
        "sip:ho(st",
        ":user",
        "1a:user",
        "tel:",
    ] {
        assert!(matches!(uri(text), Err(Malformed::Uri(_))), "{text}: {:?}", uri(text));
    }
}

#[test]
fn header_lines_that_are_none() {
    for line in ["no colon at all", ": no name", "na me: x", "n\u{e4}me: x", "X: 1\rY: 2", "Max-Forwards"] {
        let said = verdict("Max-Forwards: 70", line);
        assert!(matches!(said, Err(Malformed::HeaderLine { line: 2, .. })), "{line}: {said:?}");
    }
}

#[test]
fn a_head_without_an_end_is_refused() {
    assert_eq!(parse("OPTIONS sip:a SIP/2.0\nVia: SIP/2.0/UDP h\n"), Err(Malformed::NoEnd));
    assert_eq!(parse("OPTIONS sip:a SIP/2.0"), Err(Malformed::NoEnd));
}

#[test]
fn a_content_length_that_lies_is_refused() {
    assert_eq!(verdict("Length: 0", "Length: 9"), Err(Malformed::Truncated { declared: 9, found: 0 }));
    let bad = |why| matches!(why, Err(Malformed::Value { name: Name::ContentLength, .. }));
    assert!(bad(verdict("Length: 0", "Length: -999")) && bad(verdict("Length: 0", "Length: 99999999999999999999999")));
    assert!(bad(verdict("Length: 0", "Length:")) && bad(verdict("Length: 0", "Length: 0, 0")));
    assert_eq!(verdict("Length: 0", "Length: 0\nl: 1"), Err(Malformed::Repeated(Name::ContentLength)));
    assert_eq!(verdict("Length: 0", "Length: 0\nl: 0"), Ok(()));
}

#[test]
fn what_every_request_must_have_is_missed() {
    for (name, line) in [
        (Name::Via, "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKkdj\n"),
        (Name::To, "To: \"J Rosenberg\" <sip:jdrosen@example.com>\n"),
        (Name::From, "From: <sip:caller@example.net>;tag=134161461246\n"),
        (Name::CallId, "Call-ID: 0ha0isndaksdj@192.0.2.1\n"),
        (Name::CSeq, "CSeq: 8 INVITE\n"),
        (Name::Contact, "Contact: <sip:caller@192.0.2.1>\n"),
    ] {
        let said = verdict(line, "").unwrap_err();
        assert_eq!(said, Malformed::Missing(name));
        assert_eq!((said.to_string(), said.status()), (format!("Missing {name} header field"), Some(400)));
    }
}

#[test]
fn what_may_stand_once_is_refused_twice() {
    for (name, line) in [
        (Name::CallId, "i: other"),
        (Name::CSeq, "CSeq: 8 INVITE"),
        (Name::From, "f: <sip:x@y>"),
        (Name::To, "t: <sip:x@y>"),
    ] {
        assert_eq!(verdict("Max-Forwards: 70", line), Err(Malformed::Repeated(name)));
    }
}

#[test]
fn values_that_cannot_be_read_name_their_header() {
    for (name, from, to) in [
        (Name::CSeq, "CSeq: 8 INVITE", "CSeq: 36893488147419103232 INVITE"),
        (Name::CSeq, "CSeq: 8 INVITE", "CSeq: 8"),
        (Name::CSeq, "CSeq: 8 INVITE", "CSeq: INVITE 8"),
        (Name::CSeq, "CSeq: 8 INVITE", "CSeq: 8 OPTIONS"),
        (Name::MaxForwards, "Max-Forwards: 70", "Max-Forwards: 256"),
        (Name::MaxForwards, "Max-Forwards: 70", "Max-Forwards: many"),
        (Name::To, "<sip:jdrosen@example.com>", "<sip:jdrosen@example.com"),
        (Name::To, "\"J Rosenberg\"", "\"J Rosenberg"),
        (Name::From, "<sip:caller@example.net>;", "<sip:caller@example.net> what "),
        (Name::Contact, "<sip:caller@192.0.2.1>", "<>"),
        (Name::Via, "SIP/2.0/UDP 192.0.2.1", "SIP/7.0/UDP 192.0.2.1"),
        (Name::Via, "SIP/2.0/UDP 192.0.2.1", "SIP/2.0/UDP"),
        (Name::Via, "SIP/2.0/UDP 192.0.2.1", "SIP/2.0/UDP 192.0.2.1:x"),
        (Name::Via, "SIP/2.0/UDP 192.0.2.1", "SIP/2.0/UDP 2001:db8::9:1"),
    ] {
        let said = verdict(from, to);
        assert!(matches!(said, Err(Malformed::Value { name: n, .. }) if n == name), "{to}: {said:?}");
    }
}

#[test]
fn addresses_in_headers_are_looked_into() {
    assert!(matches!(verdict("<sip:caller@example.net>", "<sip:caller@exa mple.net>"), Err(Malformed::Uri(_))));
    assert!(matches!(verdict("<sip:caller@192.0.2.1>", "*"), Err(Malformed::Uri(_))));
    assert!(
        NameAddr::parse("").is_err() && Via::parse("").is_err() && CSeq::parse("").is_err() && Uri::parse("").is_err()
    );
}

#[test]
fn too_long_and_too_many_are_refused() {
    assert_eq!(Message::parse(&vec![b'A'; MAX_MESSAGE + 1]).unwrap_err(), Malformed::TooLong(MAX_MESSAGE + 1));
    let many = |count: usize| parse(&format!("OPTIONS sip:a SIP/2.0\n{}\n", "X: 1\n".repeat(count)));
    assert_eq!((many(MAX_HEADERS), many(MAX_HEADERS + 1)), (Ok(()), Err(Malformed::TooManyHeaders)));
}
