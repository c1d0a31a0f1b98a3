//! What becomes of the REGISTERs of RFC 4475 and RFC 5118 where hansho is the registrar.

use std::net::SocketAddr;

use crate::torture_files::{agent, bytes};
use hansho::base::{Codec, Outbox, Time};
use hansho::sip::digest::{self, Hash, Session};
use hansho::sip::{Agent, Event, House, IpRange, Output};
use hansho::wire::sip::{Message, Method, Name};

const PASSWORD: &str = "torture";

fn house() -> Agent {
    let users = ["watson", "user", "j.user", "null-%00-null"];
    let mut agent = agent();
    agent.keep_house(House {
        realm: "example.com".into(),
        users: users.map(|user| (user.to_owned(), PASSWORD.to_owned())).into(),
        expires_s: (60, 7_200),
        phones_max: 5,
        allow_from: IpRange::parse("0.0.0.0/0").into_iter().collect(),
        hashes: vec![Hash::Sha256],
        codecs: vec![Codec::Pcmu],
        address: Default::default(),
        srtp: hansho::sip::Srtp::Off,
    });
    agent
}

/// Gives the agent a datagram: its answer, and the Contacts that are bound now.
fn give(agent: &mut Agent, datagram: &[u8]) -> (Message, Vec<(String, u32)>) {
    let from: SocketAddr = ([192, 0, 2, 99], 5060).into();
    let (mut said, mut bound, mut out) = (Vec::new(), Vec::new(), Outbox::new());
    agent.on_datagram(Time::ZERO, from, datagram, &mut out);
    while let Some(output) = out.pop() {
        match output {
            Output::Send { bytes, .. } => said.push(Message::parse(&bytes).unwrap()),
            Output::Event(Event::UserRegistered { contact, expires_s, .. }) => bound.push((contact, expires_s)),
            Output::Event(other) => panic!("{other:?}"),
        }
    }
    assert_eq!(said.len(), 1, "{said:?}");
    (said.remove(0), bound)
}

/// The same once more, signed as this user: the status, and the Contacts that are bound then.
fn signed(user: &str, datagram: &[u8]) -> (u16, Vec<(String, u32)>) {
    let mut agent = house();
    let (question, bound) = give(&mut agent, datagram);
    assert_eq!((question.code(), bound.len()), (Some(401), 0), "nobody is taken at their word");
    let challenge = digest::strongest(question.headers(&Name::WwwAuthenticate)).unwrap();
    let uri = Message::parse(datagram).unwrap().uri().unwrap().to_owned();
    let line = Session::new(challenge, "0a4f113b").authorize(user, PASSWORD, &Method::Register, &uri);
    let text = String::from_utf8(datagram.to_vec()).unwrap();
    let text = text.replacen("\r\nCSeq:", &format!("\r\nAuthorization: {line}\r\nCSeq:"), 1);
    let (answer, bound) = give(&mut agent, text.as_bytes());
    (answer.code().unwrap(), bound)
}

#[test]
fn a_contact_is_bound_with_the_parameters_of_its_uri_and_without_those_of_its_header() {
    let bound = |contact: &str| (200, vec![(contact.to_owned(), 3_600)]);
    assert_eq!(signed("watson", &bytes("cparam01")), bound("sip:+19725552222@gw1.example.net"));
    assert_eq!(signed("watson", &bytes("cparam02")), bound("sip:+19725552222@gw1.example.net;unknownparam"));
    assert_eq!(signed("j.user", &bytes("dblreq")), bound("sip:j.user@host.example.com"));
    assert_eq!(signed("user", &bytes("ipv6-good")), bound("sip:caller@[2001:db8::1]"));
}

#[test]
fn a_route_that_is_escaped_within_a_contact_is_kept() {
    let bound = vec![("sip:user@example.com?Route=%3Csip:sip.example.com%3E".to_owned(), 3_600)];
    assert_eq!(signed("user", &bytes("regescrt")), (200, bound));
}

#[test]
fn two_contacts_that_differ_by_an_escaped_null_are_two() {
    let (code, bound) = signed("null-%00-null", &bytes("escnull"));
    let contacts: Vec<&str> = bound.iter().map(|(contact, _)| contact.as_str()).collect();
    assert_eq!((code, contacts), (200, vec!["sip:%00@host5.example.com", "sip:%00%00@host5.example.com"]));
}

#[test]
fn a_scheme_nobody_knows_counts_as_no_authorization() {
    assert_eq!(signed("j.user", &bytes("regaut01")), (200, Vec::new()));
}

#[test]
fn contacts_that_hold_nonsense_and_addresses_of_other_schemes_are_refused() {
    assert_eq!(signed("user", &bytes("regbadct")), (400, Vec::new()));
    assert_eq!(signed("user", &bytes("unksm2")), (400, Vec::new()));
}

#[test]
fn what_asks_for_too_long_is_granted_the_longest() {
    let text = String::from_utf8(bytes("scalar02")).unwrap();
    let text = text.replace("36893488147419103232", "1").replace("Max-Forwards: 300", "Max-Forwards: 70");
    assert_eq!(signed("user", text.as_bytes()), (200, vec![("sip:user@host129.example.com".into(), 7_200)]));
}
