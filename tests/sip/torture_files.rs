//! The messages of RFC 4475 and RFC 5118 as bytes, one file each under the RFC's own name, and what becomes of them:
//! in the reader, and in a running agent that takes the sender for its trunk.
//!
//! hansho is a callee and no registrar: a REGISTER that a registrar would take, or refuse with a reason of its own, is
//! answered 405 here, which says that it was understood. A request in a dialog that nobody knows is answered 481.
//! Responses to nothing get no answer whatever they hold.

use std::net::SocketAddr;
use std::path::Path;

use hansho::base::{LegId, Outbox, Time, TrunkId};
use hansho::sip::{Agent, Event, Identity, Output, Trunk};
use hansho::wire::sip::{Malformed, Message, Method, Name, NameAddr, Uri, Via};

/// What the agent does with a message.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Fate {
    /// A call that rings: 100, and somebody is asked whether to take it.
    Rings,
    /// This final answer.
    Answered(u16),
    /// Nothing leaves the house.
    Silence,
}

use Fate::{Answered, Rings, Silence};

/// Name, section, and what is demanded; where the RFC leaves a choice, the one that was taken.
const RFC_4475: [(&str, &str, Fate); 49] = [
    ("wsinv", "3.1.1.1 well formed; in a dialog of which nothing is known", Answered(481)),
    ("intmeth", "3.1.1.2 well formed; a method nobody knows", Answered(405)),
    ("esc01", "3.1.1.3 a well formed call", Rings),
    ("escnull", "3.1.1.4 well formed", Answered(405)),
    ("esc02", "3.1.1.5 an escaped method is another method, not REGISTER", Answered(405)),
    ("lwsdisp", "3.1.1.6 well formed", Answered(200)),
    ("longreq", "3.1.1.7 a well formed call", Rings),
    ("dblreq", "3.1.1.8 what follows the first request is discarded", Answered(405)),
    ("semiuri", "3.1.1.9 well formed", Answered(200)),
    ("transports", "3.1.1.10 well formed", Answered(200)),
    ("mpart01", "3.1.1.11 well formed; bodies in parts are not read here", Answered(415)),
    ("unreason", "3.1.1.12 a well formed response", Silence),
    ("noreason", "3.1.1.13 a well formed response", Silence),
    ("badinv01", "3.1.2.1 400", Answered(400)),
    ("clerr", "3.1.2.2 400", Answered(400)),
    ("ncl", "3.1.2.3 400", Answered(400)),
    ("scalar02", "3.1.2.4 400", Answered(400)),
    ("scalarlg", "3.1.2.5 a response that is discarded", Silence),
    ("quotbal", "3.1.2.6 400", Answered(400)),
    ("ltgtruri", "3.1.2.7 400", Answered(400)),
    ("lwsruri", "3.1.2.8 400", Answered(400)),
    ("lwsstart", "3.1.2.9 400", Answered(400)),
    ("trws", "3.1.2.10 400, or spaces at the end forgiven, as here", Answered(200)),
    ("escruri", "3.1.2.11 400", Answered(400)),
    ("baddate", "3.1.2.12 may be forgiven, as nobody here needs the date", Rings),
    ("regbadct", "3.1.2.13 400 of a registrar", Answered(405)),
    ("badaspec", "3.1.2.14 400, or the spaces forgiven, as here", Answered(200)),
    ("baddn", "3.1.2.15 400, or the quotes imagined, as here", Answered(200)),
    ("badvers", "3.1.2.16 505", Answered(505)),
    ("mismatch01", "3.1.2.17 400", Answered(400)),
    ("mismatch02", "3.1.2.18 400 or 501", Answered(400)),
    ("bigcode", "3.1.2.19 a response that is discarded", Silence),
    ("badbranch", "3.2.1 the branch is none, the request is good", Answered(200)),
    ("insuf", "3.3.1 400", Answered(400)),
    ("unkscm", "3.3.2 416", Answered(416)),
    ("novelsc", "3.3.3 416", Answered(416)),
    ("unksm2", "3.3.4 well formed; 404 or the like of a registrar", Answered(405)),
    ("bext01", "3.3.5 420", Answered(420)),
    ("invut", "3.3.6 415", Answered(415)),
    ("regaut01", "3.3.7 401 or the like of a registrar", Answered(405)),
    ("multi01", "3.3.8 400", Answered(400)),
    ("mcl01", "3.3.9 400", Answered(400)),
    ("bcast", "3.3.10 a response that is not for us is discarded", Silence),
    ("zeromf", "3.3.11 answered as if it had come to its end", Answered(200)),
    ("cparam01", "3.3.12 well formed", Answered(405)),
    ("cparam02", "3.3.13 well formed", Answered(405)),
    ("regescrt", "3.3.14 well formed", Answered(405)),
    ("sdp01", "3.3.15 406", Answered(406)),
    ("inv2543", "3.4.1 a call of the first SIP, taken for compatibility", Rings),
];

const RFC_5118: [(&str, &str, Fate); 11] = [
    ("ipv6-good", "4.1 well formed", Answered(405)),
    ("ipv6-bad", "4.2 400", Answered(400)),
    ("port-ambiguous", "4.3 well formed, the port being a part of the address", Answered(405)),
    ("port-unambiguous", "4.4 well formed", Answered(405)),
    ("via-received-param-with-delim", "4.5 taken with brackets as well", Answered(481)),
    ("via-received-param-no-delim", "4.5 well formed", Answered(481)),
    ("ipv6-in-sdp", "4.6 well formed; it offers no codec of ours", Answered(488)),
    ("mult-ip-in-header", "4.7 well formed", Answered(481)),
    ("mult-ip-in-sdp", "4.8 the section that can be reached is taken", Rings),
    ("ipv4-mapped-ipv6", "4.9 the address is one of IPv4", Rings),
    ("ipv6-bug-abnf-3-colons", "4.10 may be refused; three colons are no address", Answered(400)),
];

fn all() -> impl Iterator<Item = (&'static str, &'static str, Fate)> {
    RFC_4475.into_iter().chain(RFC_5118)
}

fn bytes(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sip/torture").join(name).with_extension("sip");
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn read(name: &str) -> Message {
    Message::parse(&bytes(name)).unwrap_or_else(|why| panic!("{name}: {why}"))
}

fn trunk() -> SocketAddr {
    ([192, 0, 2, 2], 5060).into()
}

fn agent() -> Agent {
    let local: SocketAddr = ([192, 0, 2, 10], 5060).into();
    let account = Trunk {
        proxy: Some(trunk().into()),
        domain: "example.com".into(),
        username: "user".into(),
        ..Trunk::new(TrunkId::parse("main").unwrap())
    };
    let identity = Identity { local, media_address: local.ip(), user_agent: "hansho".into(), doors: Vec::new() };
    Agent::new(identity, vec![account], 1)
}

/// Gives the agent a datagram from its trunk: the responses it makes, and the call that came of it.
fn give(agent: &mut Agent, datagram: &[u8]) -> (Vec<Message>, Option<LegId>) {
    let (mut said, mut rings) = (Vec::new(), None);
    let mut out = Outbox::new();
    agent.on_datagram(Time::ZERO, trunk(), datagram, &mut out);
    while let Some(output) = out.pop() {
        match output {
            Output::Send { bytes, .. } => said.push(Message::parse(&bytes).expect("what is said can be read")),
            Output::Event(Event::Incoming { leg, .. }) => rings = Some(leg),
            Output::Event(other) => panic!("{other:?}"),
        }
    }
    (said, rings)
}

fn fate(agent: &mut Agent, datagram: &[u8]) -> Fate {
    let (said, rings) = give(agent, datagram);
    match (said.iter().map(|answer| answer.code()).collect::<Vec<_>>().as_slice(), rings) {
        ([], None) => Silence,
        ([Some(100)], Some(_)) => Rings,
        ([Some(code)], None) => Answered(*code),
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_message_meets_the_fate_that_the_rfc_demands() {
    let wrong: Vec<String> = all()
        .filter_map(|(name, demand, expected)| {
            let fate = fate(&mut agent(), &bytes(name));
            (fate != expected).then(|| format!("{name} ({demand}): {fate:?} and not {expected:?}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn an_agent_that_met_them_all_still_takes_a_call() {
    let mut agent = agent();
    for (name, _, _) in all() {
        give(&mut agent, &bytes(name));
    }
    let call = String::from_utf8(bytes("esc01")).unwrap().replace("bKkdjuw", "bKother").replace("esc01.", "after.");
    assert_eq!(fate(&mut agent, call.as_bytes()), Rings);
}

#[test]
fn the_folder_holds_these_messages_and_no_others() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sip/torture");
    let mut found: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    let mut listed: Vec<&str> = all().map(|(name, _, _)| name).collect();
    found.sort();
    listed.sort_unstable();
    assert_eq!(found, listed);
}

#[test]
fn what_is_refused_is_refused_with_what_the_status_wants() {
    let answer = |name: &str| give(&mut agent(), &bytes(name)).0.remove(0);
    let unsupported = answer("bext01");
    let tags = "nothingSupportsThis, nothingSupportsThisEither";
    assert_eq!(unsupported.header(&Name::Unsupported), Some(tags));
    assert!(answer("intmeth").header(&Name::Allow).is_some_and(|allow| allow.contains("INVITE")));
    assert_eq!(answer("invut").header(&Name::Accept), Some("application/sdp"));
    assert_eq!(answer("sdp01").header(&Name::Accept), Some("application/sdp"));
    let insufficient = answer("insuf");
    assert_eq!((insufficient.code(), insufficient.header(&Name::CallId)), (Some(400), None));
}

#[test]
fn two_requests_with_a_branch_that_is_none_are_two() {
    let mut agent = agent();
    let first = bytes("badbranch");
    let second = String::from_utf8(first.clone()).unwrap().replace("badbranch.", "another.");
    assert_eq!(fate(&mut agent, &first), Answered(200));
    assert_eq!(fate(&mut agent, second.as_bytes()), Answered(200));
    assert_eq!(agent.counts().copies, 0);
    assert_eq!(fate(&mut agent, &first), Answered(200));
    assert_eq!(agent.counts().copies, 1, "the same one again is a copy");
}

#[test]
fn white_space_is_nothing_where_the_grammar_allows_it() {
    let message = read("wsinv");
    assert_eq!(message.check(), Ok(()));
    assert_eq!(message.to().unwrap().tag(), Some("1918181833n"));
    let from = message.from().unwrap();
    assert_eq!((from.display_name().unwrap().as_ref(), from.tag()), ("J Rosenberg \\\"", Some("98asjd8")));
    assert_eq!((message.max_forwards(), message.cseq().unwrap().number), (Some(68), 9));
    let vias: Vec<Via<'_>> = message.list(&Name::Via).map(|via| Via::parse(via).unwrap()).collect();
    let hops: Vec<_> = vias.iter().map(|via| (via.transport, via.host, via.branch().unwrap())).collect();
    assert_eq!(
        hops,
        [
            ("UDP", "192.0.2.2", "390skdjuw"),
            ("TCP", "spindle.example.com", "z9hG4bK9ikj8"),
            ("UDP", "192.168.255.111", "z9hG4bK30239")
        ]
    );
    assert_eq!(message.header(&Name::Subject), Some(""));
    let contact = message.contact().unwrap().unwrap();
    assert_eq!((contact.param("newparam"), contact.param("q")), (Some("newvalue"), Some("0.33")));
}

#[test]
fn names_of_every_character_that_they_may_hold_are_read_whole() {
    let message = read("intmeth");
    assert_eq!(message.check(), Ok(()));
    assert_eq!(message.method().as_str(), "!interesting-Method0123456789_*+`.%indeed'~");
    let uri = Uri::parse(message.uri().unwrap()).unwrap();
    assert_eq!((uri.host, uri.password), ("example.com", Some("&it+has=1,weird!*pas$wo~d_too.(doesn't-it)")));
    assert_eq!(message.from().unwrap().tag(), Some("_token~1'+`*%!-."));
    assert_eq!(message.to().unwrap().display_name().unwrap(), "BEL:\x07 NUL:\0 DEL:\x7f");
    let extension = message.header(&Name::Other("extensionHeader-!.%*+_`'~"));
    assert_eq!(extension, Some("\u{feff}大停電"));
}

#[test]
fn escapes_are_kept_and_mean_no_structure() {
    let message = read("esc01");
    let uri = Uri::parse(message.uri().unwrap()).unwrap();
    assert_eq!((uri.user, uri.host), (Some("sips%3Auser%40example.com"), "example.net"));
    assert_eq!(message.contact().unwrap().unwrap().uri().unwrap().param("lr"), None);
    let contacts: Vec<&str> = ["escnull", "esc02"]
        .into_iter()
        .map(|name| {
            let message = read(name);
            assert_eq!(message.check(), Ok(()), "{name}");
            message.list(&Name::Contact).count()
        })
        .map(|count| if count == 2 { "two" } else { "another number of" })
        .collect();
    // `C%6Fntact` is a header of its own name, and no Contact.
    assert_eq!(contacts, ["two", "two"]);
    assert_eq!(read("esc02").method(), Method::parse("RE%47IST%45R").unwrap());
}

#[test]
fn a_long_request_is_read_to_its_last_value() {
    let message = read("longreq");
    assert_eq!(message.check(), Ok(()));
    assert_eq!(message.list(&Name::Via).count(), 33);
    let last = message.list(&Name::Via).last().map(|via| Via::parse(via).unwrap()).unwrap();
    assert_eq!((last.host, last.received()), ("sip1.example.com", "192.0.2.5".parse().ok()));
    assert!(last.branch().is_some_and(|branch| branch.len() > 200));
}

#[test]
fn the_first_of_two_requests_in_one_datagram_is_taken_alone() {
    let message = read("dblreq");
    assert_eq!((message.method(), message.body().len()), (Method::Register, 0));
    assert!(message.call_id().unwrap().starts_with("dblreq.0ha0isndaksdj99"));
}

#[test]
fn a_body_in_parts_is_kept_byte_by_byte() {
    let (message, whole) = (read("mpart01"), bytes("mpart01"));
    assert!(message.body().len() > 256 && whole.ends_with(message.body()));
    assert_eq!(message.content_type(), Some("multipart/mixed"));
}

#[test]
fn a_reason_phrase_is_any_text_or_none() {
    let message = read("unreason");
    assert_eq!(message.code(), Some(200));
    assert_eq!(message.reason(), "= 2**3 * 5**2 но сто девяносто девять - простое");
    assert_eq!((read("noreason").code(), read("noreason").reason().is_empty()), (Some(100), true));
}

#[test]
fn what_is_no_message_says_what_is_wrong_with_it() {
    let parse = |name: &str| Message::parse(&bytes(name)).map(drop);
    assert!(matches!(parse("clerr"), Err(Malformed::Truncated { declared: 9_999, .. })));
    assert!(matches!(parse("ncl"), Err(Malformed::Value { name: Name::ContentLength, .. })));
    assert!(matches!(parse("mcl01"), Err(Malformed::Repeated(Name::ContentLength))));
    assert!(matches!(parse("badvers"), Err(Malformed::Version)));
    for name in ["lwsruri", "lwsstart", "bigcode"] {
        assert!(matches!(parse(name), Err(Malformed::StartLine(_))), "{name}");
    }
    let check = |name: &str| read(name).check();
    assert!(matches!(check("scalar02"), Err(Malformed::Value { name: Name::CSeq, .. })));
    assert!(matches!(check("scalarlg"), Err(Malformed::Value { name: Name::CSeq, .. })));
    assert!(matches!(check("quotbal"), Err(Malformed::Value { name: Name::To, .. })));
    assert!(matches!(check("badinv01"), Err(Malformed::Value { name: Name::Via, .. })));
    assert!(matches!(check("mismatch01"), Err(Malformed::Value { name: Name::CSeq, .. })));
    assert!(matches!(check("ltgtruri"), Err(Malformed::Uri(_))) && matches!(check("escruri"), Err(Malformed::Uri(_))));
    assert!(matches!(check("multi01"), Err(Malformed::Repeated(_))) && check("insuf").is_err());
    assert_eq!(read("scalarlg").retry_after(), Some(u32::MAX), "too large counts as the largest");
}

#[test]
fn a_contact_s_parameters_are_the_header_s_or_the_uri_s_by_its_angles() {
    let contact = |name: &str| {
        let message = read(name);
        let contact = message.contact().unwrap().unwrap();
        (contact.param("unknownparam").is_some(), contact.uri().unwrap().param("unknownparam").is_some())
    };
    assert_eq!((contact("cparam01"), contact("cparam02")), ((true, false), (false, true)));
    let route = read("regescrt");
    let route = NameAddr::parse(route.header(&Name::Contact).unwrap()).unwrap().uri().unwrap();
    assert_eq!(route.headers, Some("Route=%3Csip:sip.example.com%3E"));
}

#[test]
fn addresses_of_ipv6_are_read_with_their_brackets_and_their_ports() {
    let uri = |name: &str| {
        let message = read(name);
        let uri = Uri::parse(message.uri().unwrap()).unwrap();
        (uri.ip().map(|ip| ip.to_string()), uri.port)
    };
    assert_eq!(uri("ipv6-good"), (Some("2001:db8::10".into()), None));
    assert_eq!(uri("port-ambiguous"), (Some("2001:db8::10:5070".into()), None));
    assert_eq!(uri("port-unambiguous"), (Some("2001:db8::10".into()), Some(5070)));
    assert!(read("ipv6-bad").check().is_err());
    for name in ["via-received-param-with-delim", "via-received-param-no-delim"] {
        assert_eq!(read(name).via().unwrap().received(), "2001:db8::9:255".parse().ok(), "{name}");
    }
    let mixed = read("mult-ip-in-header");
    let hosts: Vec<_> = mixed.list(&Name::Via).map(|via| Via::parse(via).unwrap().host_str().to_owned()).collect();
    assert_eq!(hosts, ["2001:db8::9:1", "192.0.2.1", "2001:db8::9:255"]);
}
