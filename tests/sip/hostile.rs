//! Bytes nobody sends on purpose: whatever comes in, no reader panics, and what is written can be read.

use hansho::base::Codec;
use hansho::sip::digest::{Challenge, Credentials};
use hansho::sip::offer::{Local, answer, read_answer};
use hansho::wire::rtp::Packet;
use hansho::wire::sdp::Description;
use hansho::wire::sip::{Builder, CSeq, Edit, List, Message, Method, Name, NameAddr, Params, Uri, Via, quote, unquote};
use hansho::wire::telephone_event::Event;
use proptest::prelude::*;

const SEED: &str = "INVITE sip:+81312345678@[2001:db8::1]:5060;user=phone?a=b SIP/2.0\r\n\
    Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1;rport, SIP/2.0/TCP [2001:db8::2];received=192.0.2.3\r\n\
    From: \"A \\\" B\" <sip:a@b>;tag=1\r\nt: sip:c@d;x\r\ni: 1@2\r\nCSeq: 1\r\n INVITE\r\nm: <sip:a@b>;expires=3, *\r\n\
    Max-Forwards: 70\r\nRetry-After: 5 (x)\r\nc: application/sdp;a=b\r\nl: 4\r\n\r\nv=0\n";

const SDP: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP6 2001:db8::9\r\nt=0 0\r\na=sendonly\r\n\
    m=video 1/2 RTP/AVP 31\r\nm=audio 5000 RTP/AVP 96 0 101\r\nc=IN IP4 192.0.2.7/127\r\na=rtpmap:96 PCMA/8000/1\r\n\
    a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:30\r\na=maxptime:60\r\na=recvonly\r\n";

const CHALLENGE: &str = "Digest realm=\"a, \\\"b\", nonce=\"c\", qop=\"auth,auth-int\", algorithm=SHA-256-sess, opaque=\"\", stale=TRUE, uri=\"x\", \
     username=\"u\", response=\"00\", nc=00000001, cnonce=\"d\", Digest realm=x";

/// Looks at everything a message can be asked.
fn look(bytes: &[u8]) {
    let Ok(message) = Message::parse(bytes) else { return };
    let _ = (message.start(), message.method(), message.check(), message.contact().map(|c| c.map(|c| c.expires())));
    let _ = (
        message.max_forwards(),
        message.expires(),
        message.min_expires(),
        message.retry_after(),
        message.content_type(),
    );
    for name in [Name::Via, Name::From, Name::To, Name::Contact, Name::Other("x")] {
        message.list(&name).for_each(look_at_text);
    }
    let source = "[2001:db8::7]:1".parse().unwrap();
    let response = Builder::response(&message, 486).to_tag("t").received_from(source).reason("a\r\nb").finish();
    Message::parse(&response).expect("a response to anything that can be read can be read");
    let passed =
        Edit::of(&message).received_from(source).push_front(Name::Via, "SIP/2.0/UDP h").set_uri("sip:x").finish();
    let passed = Message::parse(&passed).expect("a message passed on can be read");
    assert_eq!(passed.body(), message.body());
    let back = Message::parse(&Edit::of(&passed).remove_first(Name::Via).finish()).expect("and back");
    assert_eq!(back.list(&Name::Via).count(), message.list(&Name::Via).count());
}

fn look_at_text(text: &str) {
    let _ = (CSeq::parse(text), List::of(text).count(), Params::of(text).iter().count(), unquote(text));
    if let Ok(via) = Via::parse(text) {
        let _ = (via.reply_address(), via.rport(), via.stamped("192.0.2.1:1".parse().unwrap()));
        assert_eq!(Via::parse(&via.to_string()), Ok(via));
    }
    if let Ok(name) = NameAddr::parse(text) {
        let _ = (name.display_name(), name.tag(), name.expires());
    }
    if let Ok(uri) = Uri::parse(text) {
        assert_eq!(Uri::parse(&uri.to_string()), Ok(uri), "{text}");
    }
    let _ = (Challenge::parse_all(text), Credentials::parse(text), Description::parse(text));
}

/// A text with some of its bytes replaced, doubled or dropped.
fn damaged(seed: &'static str) -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![any::<u8>(), prop::sample::select(b"\r\n \t\"\\<>;,:@?=[]/*0".to_vec())];
    prop::collection::vec((any::<prop::sample::Index>(), byte, 0u8..4), 0..8).prop_map(move |edits| {
        edits.into_iter().fold(seed.as_bytes().to_vec(), |mut bytes, (place, byte, what)| {
            if bytes.is_empty() {
                return bytes;
            }
            let at = place.index(bytes.len());
            match what {
                0 => drop(bytes.remove(at)),
                1 => bytes[at] = byte,
                2 => bytes.insert(at, byte),
                _ => bytes.truncate(at.max(1)),
            }
            bytes
        })
    })
}

fn local() -> Local<'static> {
    Local { session: 1, version: 1, media: "192.0.2.1:9".parse().unwrap(), codecs: &Codec::ALL, keys: None }
}

#[test]
fn a_start_line_alone_can_be_passed_on() {
    look(b"OPTIONS sip:a SIP/2.0\r\n\r\n");
    look(b"SIP/2.0 200 OK\r\n\r\n");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    #[test]
    fn damaged_messages(bytes in damaged(SEED)) {
        look(&bytes);
    }

    #[test]
    fn damaged_descriptions(bytes in damaged(SDP)) {
        let _ = read_answer(&local(), &bytes);
        if let Ok((body, _)) = answer(&local(), &bytes) {
            Description::parse(&body).expect("our answer can be read");
        }
        if let Ok(read) = Description::parse(&String::from_utf8_lossy(&bytes)) {
            let text = read.to_string();
            prop_assert_eq!(Description::parse(&text), Ok(read));
        }
    }

    #[test]
    fn damaged_challenges(bytes in damaged(CHALLENGE)) {
        look_at_text(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        look(&bytes);
        look(&[b"BYE sip:a SIP/2.0\r\nVia: ", bytes.as_slice(), b"\r\n\r\n"].concat());
        let _ = (Packet::read(&bytes), Event::read(&bytes), answer(&local(), &bytes));
        look_at_text(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn text_of_the_grammar_s_own_characters(text in "[a1:;,@<>\"\\\\/?=\\[\\]*. \t]{0,40}") {
        look_at_text(&text);
        look_at_text(&format!("sip:{text}"));
        look_at_text(&format!("SIP/2.0/UDP {text}"));
    }

    #[test]
    fn a_message_survives_being_built_and_read(
        method in "[A-Z]{1,10}",
        value in "\\PC{0,40}",
        name in "\\PC{0,20}",
        body in prop::collection::vec(any::<u8>(), 0..60),
    ) {
        let bytes = Builder::request(Method::parse(&method).unwrap(), "sip:a@b")
            .header(Name::Subject, format!("x{value}x"))
            .header(Name::From, format!("{} <sip:a@b>;tag=1", quote(&name)))
            .body("text/plain", &body)
            .finish();
        let message = Message::parse(&bytes).unwrap();
        let subject = format!("x{value}x");
        prop_assert_eq!(message.method(), Method::parse(&method).unwrap());
        prop_assert_eq!(message.header(&Name::Subject), Some(subject.as_str()));
        let from = message.from().unwrap();
        prop_assert_eq!(from.display_name().unwrap(), name);
        prop_assert_eq!((from.tag(), message.body()), (Some("1"), body.as_slice()));
    }
}
