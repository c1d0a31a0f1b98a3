use super::*;
use crate::wire::sip::{Builder, Method};

const SESSION: &str = "v=0\r\nm=audio 5004 RTP/AVP 0\r\n";
const ISUP: &str = "Content-Type: application/isup;version=itu\r\n";

fn message(headers: &[(Name, &str)], body: &str) -> Message {
    let builder = Builder::request(Method::Invite, "sip:us@192.0.2.10");
    let builder = headers.iter().fold(builder, |builder, (name, value)| builder.header(*name, value));
    let head = String::from_utf8(builder.finish()).unwrap();
    let head = head.replace("Content-Length: 0", &format!("Content-Length: {}", body.len()));
    Message::parse([head.as_str(), body].concat().as_bytes()).unwrap()
}

fn found(headers: &[(Name, &str)], body: &str) -> &'static str {
    match Content::of(&message(headers, body)) {
        Content::Nothing => "nothing",
        Content::Session(sdp) if sdp.trim_ascii() == SESSION.trim_ascii().as_bytes() => "session",
        Content::Session(_) => "another session",
        Content::Foreign => "foreign",
    }
}

fn mixed(parts: &[&str]) -> &'static str {
    let body: String = parts.iter().map(|part| format!("--b1\r\n{part}\r\n")).collect();
    found(&[(Name::ContentType, "multipart/mixed; boundary=\"b1\"")], &format!("preamble\r\n{body}--b1--\r\nepilogue"))
}

#[test]
fn a_whole_body_is_judged_by_what_it_says_of_itself() {
    for (headers, body, expected) in [
        (&[][..], "", "nothing"),
        (&[], SESSION, "session"),
        (&[(Name::ContentType, "Application/SDP; charset=utf-8")], SESSION, "session"),
        (&[(Name::ContentType, "application/sdp"), (Name::ContentEncoding, "identity")], SESSION, "session"),
        (&[(Name::ContentType, "application/sdp"), (Name::ContentEncoding, "gzip")], SESSION, "foreign"),
        (&[(Name::ContentType, "text/plain")], SESSION, "foreign"),
        (&[(Name::ContentType, "text/plain"), (Name::ContentDisposition, "render")], SESSION, "foreign"),
        (
            &[(Name::ContentType, "text/plain"), (Name::ContentDisposition, "render;handling=Optional")],
            SESSION,
            "nothing",
        ),
        (&[(Name::ContentType, "multipart/mixed")], SESSION, "foreign"),
    ] {
        assert_eq!(found(headers, body), expected, "{headers:?}");
    }
}

#[test]
fn the_description_is_found_among_other_parts_in_any_order() {
    let session = format!("Content-Type: application/sdp\r\n\r\n{SESSION}");
    let isup = format!("{ISUP}Content-Disposition: signal;handling=optional\r\n\r\n\u{1}\u{2}");
    assert_eq!(mixed(&[&session, &isup]), "session");
    assert_eq!(mixed(&[&isup, &session]), "session");
    assert_eq!(mixed(&[&format!("{ISUP}\r\n\u{1}"), &session]), "session", "it says nothing of itself");
    let shouted = format!("CONTENT-TYPE : Application/Sdp\r\nContent-ID: <x>\r\n\r\n{SESSION}");
    assert_eq!(mixed(&[&shouted]), "session");
    let marked = format!("Content-Type: application/sdp\r\n\r\n{SESSION}a=x:--b1\r\n");
    assert_eq!(mixed(&[&marked]), "another session", "a boundary stands at the beginning of a line alone");
}

#[test]
fn what_must_be_understood_refuses_the_whole_and_what_need_not_is_no_offer() {
    let session = format!("Content-Type: application/sdp\r\n\r\n{SESSION}");
    let demanded = format!("{ISUP}Content-Disposition: signal;handling=required\r\n\r\n\u{1}");
    let optional = format!("{ISUP}Content-Disposition: signal; handling=optional\r\n\r\n\u{1}");
    assert_eq!(mixed(&[&session, &demanded]), "foreign");
    assert_eq!(mixed(&[&optional]), "nothing");
    assert_eq!(mixed(&[&format!("{ISUP}\r\n\u{1}")]), "foreign");
    let coded = format!("Content-Type: application/sdp\r\nContent-Transfer-Encoding: base64\r\n\r\n{SESSION}");
    assert_eq!(mixed(&[&coded]), "foreign");
    assert_eq!(mixed(&[SESSION]), "foreign", "a part without a type is text");
}

#[test]
fn of_alternatives_the_last_that_is_understood_is_meant_and_parts_may_hold_parts() {
    let other = "Content-Type: application/sdp\r\n\r\nv=0\r\n";
    let session = format!("Content-Type: application/sdp\r\n\r\n{SESSION}");
    let html = "Content-Type: text/html\r\nContent-Disposition: render;handling=required\r\n\r\n<p>";
    let inner = format!("--b2\n{other}\n--b2\n{session}\n--b2\n{html}\n--b2--\n");
    assert_eq!(found(&[(Name::ContentType, "multipart/alternative;boundary=b2")], &inner), "session");
    assert_eq!(mixed(&[&format!("Content-Type: multipart/alternative;boundary=b2\r\n\r\n{inner}")]), "session");
    let deep = (0..9).fold(session, |part, depth| {
        format!("Content-Type: multipart/mixed;boundary=d{depth}\r\n\r\n--d{depth}\r\n{part}\r\n--d{depth}--")
    });
    assert_eq!(mixed(&[&deep]), "foreign");
}

#[test]
fn a_body_that_breaks_off_is_read_as_far_as_it_goes() {
    let kind = [(Name::ContentType, "multipart/mixed;boundary=b1")];
    for body in ["--b1", "--b1\r\n", "--b1\r\nContent-Type: application/sdp", "--b1--", "\r\n", "--b1\r\n\r\n--b1"] {
        assert!(["foreign", "another session"].contains(&found(&kind, body)), "{body:?}");
    }
    let whole = format!("--b1\r\nContent-Type: application/sdp\r\n\r\n{SESSION}\r\n--b1--");
    assert_eq!(found(&kind, &whole), "session");
}
