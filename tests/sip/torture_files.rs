//! The messages of RFC 4475 and RFC 5118 as bytes, one file each under the RFC's own name, and what becomes of them:
//! in the reader, and in a running agent that takes the sender for its trunk.
//!
//! The files are the archive of RFC 4475's appendix A byte for byte. Those of RFC 5118 have CRLF where its archive has LF
//! alone, and the empty line that the archive's last two have lost; the wrong Content-Length of three of them is kept.
//!
//! The agent here is a callee and no registrar: a REGISTER that a registrar would take, or refuse with a reason of its
//! own, is answered 405, which says that it was understood; what the registrar says is in `torture_registrar.rs`. A
//! request in a dialog that nobody knows is answered 481. Responses to nothing get no answer whatever they hold.

use std::net::SocketAddr;
use std::path::Path;

use hansho::base::{LegId, Outbox, Time, TrunkId};
use hansho::sip::{Agent, Event, Identity, Output, Transport, Trunk};
use hansho::wire::sip::{Message, Name};

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
    ("intmeth", "3.1.1.2 well formed; 501", Answered(501)),
    ("esc01", "3.1.1.3 a well formed call", Rings),
    ("escnull", "3.1.1.4 well formed", Answered(405)),
    ("esc02", "3.1.1.5 501: an escaped method is another one, not REGISTER", Answered(501)),
    ("lwsdisp", "3.1.1.6 well formed", Answered(200)),
    ("longreq", "3.1.1.7 a well formed call", Rings),
    ("dblreq", "3.1.1.8 what follows the first request is discarded", Answered(405)),
    ("semiuri", "3.1.1.9 well formed", Answered(200)),
    ("transports", "3.1.1.10 well formed", Answered(200)),
    ("mpart01", "3.1.1.11 well formed; a MESSAGE in parts is not read here", Answered(415)),
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
    ("baddn", "3.1.2.15 400; the archive has lost the end of its head", Answered(400)),
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

const RFC_5118: [(&str, &str, Fate); 12] = [
    ("ipv6-good", "4.1 well formed", Answered(405)),
    ("ipv6-bad", "4.2 400", Answered(400)),
    ("port-ambiguous", "4.3 well formed, the port being a part of the address", Answered(405)),
    ("port-unambiguous", "4.4 well formed", Answered(405)),
    ("via-received-param-with-delim", "4.5 taken with brackets as well", Answered(481)),
    ("via-received-param-no-delim", "4.5 well formed", Answered(200)),
    ("ipv6-in-sdp", "4.6 well formed, but for a Content-Length that is more than there is", Answered(400)),
    ("mult-ip-in-header", "4.7 well formed", Answered(481)),
    ("mult-ip-in-sdp", "4.8 the section that can be reached is taken", Rings),
    ("ipv4-mapped-ipv6", "4.9 well formed; it offers no codec of ours", Answered(488)),
    ("ipv6-bug-abnf-3-colons", "4.10 tolerated", Answered(200)),
    ("ipv6-correct-abnf-2-colons", "4.10 well formed", Answered(200)),
];

/// What a sender is told of what is wrong with its message.
const REASONS: [(&str, &str); 21] = [
    ("badinv01", "Bad Via header field: not SIP/2.0"),
    ("clerr", "Content-Length 9999 but 154 bytes of body"),
    ("ncl", "Bad Content-Length header field: no number"),
    ("scalar02", "Bad CSeq header field: no number below 2^32"),
    ("quotbal", "Bad To header field: an open quote, or a name without an address"),
    ("ltgtruri", "Bad URI: a character that must be escaped"),
    ("lwsruri", "Bad start line: not three words with one space between"),
    ("lwsstart", "Bad start line: not three words with one space between"),
    ("escruri", "Bad URI: headers in the Request-URI"),
    ("baddn", "Header fields without an end"),
    ("badvers", "SIP version not supported"),
    ("mismatch01", "Bad CSeq header field: not the method of the request"),
    ("mismatch02", "Bad CSeq header field: not the method of the request"),
    ("insuf", "Missing From header field"),
    ("multi01", "Repeated From header field"),
    ("mcl01", "Repeated Content-Length header field"),
    ("unkscm", "Unsupported URI Scheme"),
    ("bext01", "Bad Extension"),
    ("intmeth", "Not Implemented"),
    ("ipv6-bad", "Bad URI: no port number"),
    ("ipv6-in-sdp", "Content-Length 268 but 251 bytes of body"),
];

fn all() -> impl Iterator<Item = (&'static str, &'static str, Fate)> {
    RFC_4475.into_iter().chain(RFC_5118)
}

/// All of them in the order of their sections.
pub fn names() -> impl Iterator<Item = &'static str> {
    all().map(|(name, ..)| name)
}

/// The message of this name as it stands on the wire.
pub fn bytes(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sip/torture").join(name).with_extension("sip");
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The message of this name, which must be readable.
pub fn read(name: &str) -> Message {
    Message::parse(&bytes(name)).unwrap_or_else(|why| panic!("{name}: {why}"))
}

fn trunk() -> SocketAddr {
    ([192, 0, 2, 2], 5060).into()
}

/// An agent that takes the sender for its trunk.
pub fn agent() -> Agent {
    agent_at(([192, 0, 2, 10], 5060).into())
}

fn agent_at(local: SocketAddr) -> Agent {
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
    for name in ["intmeth", "esc02", "regaut01"] {
        let allow = "INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, UPDATE, PRACK, MESSAGE";
        assert_eq!(answer(name).header(&Name::Allow), Some(allow), "{name}");
    }
    for name in ["invut", "sdp01"] {
        assert_eq!(answer(name).header(&Name::Accept), Some("application/sdp, multipart/mixed"), "{name}");
    }
    assert_eq!(answer("mpart01").header(&Name::Accept), Some("text/plain"));
    let told = REASONS.map(|(name, _)| answer(name).reason().to_owned());
    assert_eq!(told, REASONS.map(|(_, reason)| reason));
    let insufficient = answer("insuf");
    assert_eq!((insufficient.code(), insufficient.header(&Name::CallId)), (Some(400), None));
}

#[test]
fn an_answer_goes_back_as_what_it_answers() {
    for (name, _, fate) in all().filter(|(.., fate)| *fate != Silence) {
        let request = Message::parse(&bytes(name)).ok().or_else(|| Message::salvage(&bytes(name))).unwrap();
        let answer = give(&mut agent(), &bytes(name)).0.remove(0);
        for header in [Name::From, Name::CallId, Name::CSeq] {
            assert_eq!(answer.header(&header), request.header(&header), "{name}");
        }
        let hops = |message: &Message| -> Vec<String> { message.list(&Name::Via).skip(1).map(String::from).collect() };
        assert_eq!(hops(&answer), hops(&request), "{name}: every other hop untouched");
        let branch = |message: &Message| message.via().ok().and_then(|via| via.branch().map(String::from));
        assert_eq!(branch(&answer), branch(&request), "{name}");
        if let (Answered(_), Ok(asked)) = (fate, request.to()) {
            let told = answer.to().unwrap();
            assert_eq!(told.uri, asked.uri, "{name}");
            assert!(asked.tag().map_or(told.tag().is_some(), |tag| told.tag() == Some(tag)), "{name}");
        }
    }
}

#[test]
fn an_answer_goes_where_via_says_at_the_address_that_the_request_came_from() {
    let mut ports = Vec::new();
    for (name, ..) in all().filter(|(.., fate)| *fate != Silence) {
        let (mut agent, mut out) = (agent(), Outbox::new());
        agent.on_datagram(Time::ZERO, trunk(), &bytes(name), &mut out);
        let Some(Output::Send { to, .. }) = out.pop() else { panic!("{name}: {out:?}") };
        assert_eq!((to.address.ip(), to.transport), (trunk().ip(), Transport::Udp), "{name}");
        ports.extend(Some((name, to.address.port())).filter(|(_, port)| *port != 5060));
    }
    let named = [("quotbal", 5050), ("mult-ip-in-header", 6050), ("ipv4-mapped-ipv6", 19823)];
    assert_eq!(ports, named, "others name none, and mpart01 asks for the port that it came from");
}

#[test]
fn what_gets_no_answer_is_counted_as_what_it_is() {
    let counts = |name: &str| {
        let mut agent = agent();
        assert_eq!(fate(&mut agent, &bytes(name)), Silence, "{name}");
        (agent.counts().malformed, agent.counts().unknown)
    };
    for name in ["scalarlg", "bigcode"] {
        assert_eq!(counts(name), (1, 0), "{name} is discarded");
    }
    for name in ["unreason", "noreason", "bcast"] {
        assert_eq!(counts(name), (0, 1), "{name} is read, and answers nothing of ours");
    }
}

#[test]
fn of_several_faults_each_is_judged_alone() {
    let mut text = String::from_utf8(bytes("scalar02")).unwrap();
    let mut mend = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
        (fate(&mut agent(), text.as_bytes()), Message::parse(text.as_bytes()).unwrap())
    };
    assert_eq!(mend("36893488147419103232", "2147483647").0, Answered(400), "the hops are too many still");
    let (fate, message) = mend("Max-Forwards: 300", "Max-Forwards: 255");
    assert_eq!(fate, Answered(405), "what lasts too long lasts as long as can be");
    let contact = message.contact().unwrap().unwrap();
    assert_eq!((message.expires(), contact.expires()), (Some(u32::MAX), Some(u32::MAX)));
}

#[test]
fn quotes_that_are_missing_are_imagined_once_the_head_has_an_end() {
    let mut whole = bytes("baddn");
    whole.extend(b"\r\n");
    assert_eq!(fate(&mut agent(), &whole), Answered(200));
    let message = Message::parse(&whole).unwrap();
    let from = message.from().unwrap();
    assert_eq!((from.display, from.uri, from.tag()), ("Bell, Alexander", "sip:a.g.bell@example.com", Some("43")));
    assert_eq!(message.to().unwrap().display, "Watson, Thomas");
}

#[test]
fn with_their_true_length_the_offers_of_ipv6_are_understood() {
    let with = |name: &str, changes: &[(&str, &str)]| {
        let text = changes.iter().fold(String::from_utf8(bytes(name)).unwrap(), |text, (from, to)| {
            assert!(text.contains(from), "{name}: {from}");
            text.replace(from, to)
        });
        text.into_bytes()
    };
    let six = || agent_at("[2001:db8::10]:5060".parse().unwrap());
    let pcmu = ("AVP 2\r\na=rtpmap:2 G726-32/8000", "AVP 0\r\na=rtpmap:0 PCMU/8000");
    let length = ("Length: 268", "Length: 251");
    assert_eq!(fate(&mut six(), &with("ipv6-in-sdp", &[length])), Answered(488), "no codec of ours");
    let shorter = ("Length: 268", "Length: 248");
    assert_eq!(fate(&mut six(), &with("ipv6-in-sdp", &[shorter, pcmu])), Rings);
    assert_eq!(fate(&mut agent(), &with("ipv6-in-sdp", &[shorter, pcmu])), Answered(488), "no IPv6 in this house");
    // What Content-Length cuts off is the end of the section that is not taken.
    assert_eq!(fate(&mut agent(), &with("ipv4-mapped-ipv6", &[pcmu])), Rings, "the address is one of IPv4");
    assert_eq!(fate(&mut agent(), &with("mult-ip-in-sdp", &[("Length: 181", "Length: 189")])), Rings);
}

#[test]
fn a_call_of_the_first_sip_is_answered_where_it_came_from() {
    let (mut agent, mut out) = (agent(), Outbox::new());
    let (_, leg) = give(&mut agent, &bytes("inv2543"));
    agent.accept(Time::ZERO, leg.unwrap(), 40_000, &mut out);
    let Some(Output::Send { to, bytes }) = out.pop() else { panic!("{out:?}") };
    let answer = Message::parse(&bytes).unwrap();
    assert_eq!((answer.code(), to.address), (Some(200), trunk()));
    assert_eq!((answer.from().unwrap().tag(), answer.to().unwrap().tag().is_some()), (None, true));
    assert_eq!(answer.header(&Name::RecordRoute), Some("<sip:UserB@example.com;maddr=ss1.example.com>"));
    assert!(String::from_utf8_lossy(answer.body()).contains("m=audio 40000 RTP/AVP 0"));
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
