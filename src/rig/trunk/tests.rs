use super::*;
use crate::sip::digest::{Session, strongest};

const HANSHO: &str = "127.0.0.1:5070";
const PHONE: &str = "127.0.0.1:5081";
const STRANGER: &str = "127.0.0.1:6666";

fn at(address: &str) -> SocketAddr {
    address.parse().unwrap()
}

fn trunk(hash: Hash) -> SoftTrunk {
    let mut trunk = SoftTrunk::new(Settings {
        local: at("127.0.0.1:5060"),
        realm: "carrier.test".into(),
        account: Account { username: "hansho".into(), password: "secret".into(), number: "+815000000000".into() },
        hash,
        nonce_life: Duration::from_secs(60),
        expires_min_s: 60,
        expires_max_s: 600,
        seed: 7,
    });
    trunk.connect("+81901", at(PHONE));
    trunk
}

fn request(method: Method, uri: &str, from: &str, branch: &str) -> Builder {
    let cseq = format!("1 {method}");
    Builder::request(method, uri)
        .header(Name::Via, format!("SIP/2.0/UDP {from};rport;branch=z9hG4bK{branch}"))
        .header(Name::MaxForwards, "70")
        .header(Name::From, "<sip:hansho@carrier.test>;tag=ours")
        .header(Name::To, format!("<{uri}>"))
        .header(Name::CallId, "call-1")
        .header(Name::CSeq, cseq)
        .header(Name::Contact, format!("<sip:hansho@{from}>"))
}

/// Everything the trunk sends because of one datagram.
fn put(trunk: &mut SoftTrunk, now: Time, from: &str, bytes: &[u8]) -> Vec<(SocketAddr, Message)> {
    let mut out = Outbox::new();
    trunk.on_datagram(now, at(from), bytes, &mut out);
    out.drain().map(|sent| (sent.to, Message::parse(&sent.bytes).unwrap())).collect()
}

fn only(mut sent: Vec<(SocketAddr, Message)>) -> (SocketAddr, Message) {
    assert_eq!(sent.len(), 1);
    sent.remove(0)
}

/// Sends a request, answers the question that comes back, and gives what the second try led to.
fn ask_twice(trunk: &mut SoftTrunk, make: impl Fn(&str) -> Builder) -> (SocketAddr, Message) {
    let first = Message::parse(&make("a").finish()).unwrap();
    let (to, asked) = only(put(trunk, Time::ZERO, HANSHO, &make("a").finish()));
    let (question, answer) = match asked.code() {
        Some(401) => (Name::WwwAuthenticate, Name::Authorization),
        Some(407) => (Name::ProxyAuthenticate, Name::ProxyAuthorization),
        other => panic!("{other:?}"),
    };
    assert_eq!(to, at(HANSHO));
    let challenge = strongest(asked.headers(&question)).unwrap();
    let value = Session::new(challenge, "cnonce").authorize("hansho", "secret", &first.method(), first.uri().unwrap());
    only(put(trunk, Time::ZERO, HANSHO, &make("b").header(answer, value).finish()))
}

fn register(trunk: &mut SoftTrunk) {
    let make =
        |branch: &str| request(Method::Register, "sip:carrier.test", HANSHO, branch).header(Name::Expires, "300");
    let (_, granted) = ask_twice(trunk, make);
    assert_eq!(granted.code(), Some(200));
    assert_eq!(granted.contact().unwrap().unwrap().expires(), Some(300));
}

#[test]
fn a_registration_is_granted_for_the_password_and_runs_out() {
    for hash in [Hash::Md5, Hash::Sha256] {
        let mut trunk = trunk(hash);
        assert!(!trunk.is_registered(Time::ZERO));
        register(&mut trunk);
        assert!(trunk.is_registered(Time::ZERO));
        let end = trunk.next_deadline().unwrap();
        assert_eq!(end, Time::ZERO + Duration::from_secs(300));
        trunk.on_deadline(end, &mut Outbox::new());
        assert!(!trunk.is_registered(end) && trunk.next_deadline().is_none());
    }
}

#[test]
fn a_registration_that_is_too_short_is_told_the_shortest() {
    let make = |branch: &str| request(Method::Register, "sip:carrier.test", HANSHO, branch).header(Name::Expires, "5");
    let (_, reply) = ask_twice(&mut trunk(Hash::Md5), make);
    assert_eq!((reply.code(), reply.min_expires()), (Some(423), Some(60)));
}

#[test]
fn a_call_reaches_the_telephone_and_its_cancel_takes_the_same_way() {
    let mut trunk = trunk(Hash::Sha256);
    let uri = "sip:+81901@carrier.test";
    let (to, invite) = ask_twice(&mut trunk, |branch| request(Method::Invite, uri, HANSHO, branch));
    assert_eq!(to, at(PHONE));
    assert_eq!(invite.uri(), Some("sip:+81901@127.0.0.1:5081"));
    assert_eq!(invite.header(&Name::ProxyAuthorization), None);
    assert_eq!(invite.header(&Name::RecordRoute), Some("<sip:127.0.0.1:5060;lr>"));
    assert_eq!((invite.list(&Name::Via).count(), invite.max_forwards()), (2, Some(69)));
    let (to, cancel) = only(put(&mut trunk, Time::ZERO, HANSHO, &request(Method::Cancel, uri, HANSHO, "b").finish()));
    assert_eq!(to, at(PHONE));
    assert_eq!(cancel.via().unwrap().branch(), invite.via().unwrap().branch());
}

#[test]
fn an_answer_goes_back_the_way_the_request_came() {
    let mut trunk = trunk(Hash::Md5);
    let uri = "sip:+81901@carrier.test";
    let (_, invite) = ask_twice(&mut trunk, |branch| request(Method::Invite, uri, HANSHO, branch));
    let busy = Builder::response(&invite, 486).to_tag("theirs").finish();
    let (to, reply) = only(put(&mut trunk, Time::ZERO, PHONE, &busy));
    assert_eq!(to, at(HANSHO));
    assert_eq!((reply.code(), reply.list(&Name::Via).count()), (Some(486), 1));
    let astray = Builder::response(&reply, 486).finish();
    assert!(put(&mut trunk, Time::ZERO, PHONE, &astray).is_empty(), "its Via is not ours");
    assert_eq!(trunk.refused(), 1);
}

#[test]
fn a_request_sent_again_is_let_in_again_but_its_password_serves_nobody_else() {
    let mut trunk = trunk(Hash::Sha256);
    let uri = "sip:+81901@carrier.test";
    let asked = only(put(&mut trunk, Time::ZERO, HANSHO, &request(Method::Invite, uri, HANSHO, "a").finish())).1;
    let challenge = strongest(asked.headers(&Name::ProxyAuthenticate)).unwrap();
    let value = Session::new(challenge, "cnonce").authorize("hansho", "secret", &Method::Invite, uri);
    let mut send = |branch: &str, now: Time| {
        let invite = request(Method::Invite, uri, HANSHO, branch).header(Name::ProxyAuthorization, &value).finish();
        only(put(&mut trunk, now, HANSHO, &invite))
    };
    assert_eq!(send("b", Time::ZERO).0, at(PHONE));
    assert_eq!(send("b", Time::ZERO).0, at(PHONE));
    for (branch, now) in [("c", Time::ZERO), ("d", Time::ZERO + Duration::from_secs(61))] {
        let (_, again) = send(branch, now);
        assert_eq!(again.code(), Some(407));
        assert!(strongest(again.headers(&Name::ProxyAuthenticate)).unwrap().stale);
    }
}

#[test]
fn a_telephone_that_calls_in_is_named_to_hansho() {
    let mut trunk = trunk(Hash::Md5);
    let uri = "sip:+815000000000@carrier.test";
    let call = request(Method::Invite, uri, PHONE, "x").header(Name::PAssertedIdentity, "<sip:boss@carrier.test>");
    let (_, nobody) = only(put(&mut trunk, Time::ZERO, PHONE, &call.clone().finish()));
    assert_eq!(nobody.code(), Some(480));
    register(&mut trunk);
    let (to, invite) = only(put(&mut trunk, Time::ZERO, PHONE, &call.finish()));
    assert_eq!(to, at(HANSHO));
    assert_eq!(invite.uri(), Some("sip:hansho@127.0.0.1:5070"));
    let named: Vec<&str> = invite.headers(&Name::PAssertedIdentity).collect();
    assert_eq!(named, ["<sip:+81901@carrier.test>"]);
}

#[test]
fn a_request_in_a_dialog_goes_to_whom_we_know_and_nowhere_else() {
    let mut trunk = trunk(Hash::Md5);
    let bye = |target: &str| {
        let bye = request(Method::Bye, &format!("sip:x@{target}"), HANSHO, "y");
        bye.to_tag("theirs").header(Name::Route, "<sip:127.0.0.1:5060;lr>").finish()
    };
    let (to, onwards) = only(put(&mut trunk, Time::ZERO, HANSHO, &bye(PHONE)));
    assert_eq!(to, at(PHONE));
    assert_eq!((onwards.header(&Name::Route), onwards.header(&Name::RecordRoute)), (None, None));
    let (to, refused) = only(put(&mut trunk, Time::ZERO, HANSHO, &bye(STRANGER)));
    assert_eq!((to, refused.code()), (at(HANSHO), Some(404)));
}

#[test]
fn the_ack_of_our_own_refusal_ends_here() {
    let mut trunk = trunk(Hash::Md5);
    let uri = "sip:+81901@carrier.test";
    let (_, asked) = only(put(&mut trunk, Time::ZERO, HANSHO, &request(Method::Invite, uri, HANSHO, "a").finish()));
    let tag = asked.to().unwrap().tag().unwrap().to_owned();
    let ack = request(Method::Ack, uri, HANSHO, "a").to_tag(&tag).finish();
    assert!(put(&mut trunk, Time::ZERO, HANSHO, &ack).is_empty());
}
