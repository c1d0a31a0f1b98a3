//! People whose phones register at hansho itself.

use super::world::{World, agent, contact, plan, seconds, trigger};
use crate::base::{Codec, Phone, Time};
use crate::incident::{Contact, Fact, HouseFact, Outcome, Plan};
use crate::sip::digest::{Hash, Session, strongest};
use crate::sip::{House, IpRange};
use crate::switch::{Entry, Input, PortRange, What};
use crate::wire::sip::{Builder, Message, Method, Name};

const AT: &str = "192.0.2.1:5060";
const PHONE: &str = "sip:ann@house.example";

/// A corridor in which ann is a user of ours; behind her phone there she has a number.
fn world() -> World {
    let mut agent = agent(0, false, Some(AT.parse().unwrap()));
    agent.keep_house(House {
        realm: "house.example".into(),
        users: [("ann".to_owned(), "tiger".to_owned())].into(),
        expires_s: (60, 3_600),
        phones_max: 3,
        allow_from: vec![IpRange::parse("192.0.2.0/24").unwrap()],
        hashes: vec![Hash::Sha256],
        codecs: Codec::ALL.to_vec(),
        address: Default::default(),
        srtp: crate::sip::Srtp::Off,
    });
    let mut world = World::with(agent, PortRange::default());
    world.switch.set_contacts(vec![ann()]);
    world.input(Input::Start);
    world
}

fn ann() -> Contact {
    let phones = [PHONE, "+8110000001"].map(|text| Phone::parse(text).unwrap());
    Contact { phones: phones.to_vec(), ..contact("ann") }
}

fn anns_plan() -> Plan {
    Plan { contacts: vec![ann()], ..plan(&["ann"], None) }
}

fn register(number: u32, session: Option<&mut Session>) -> Vec<u8> {
    let mut builder = Builder::request(Method::Register, "sip:house.example")
        .header(Name::Via, format!("SIP/2.0/UDP {AT};branch=z9hG4bKreg{number}"))
        .header(Name::From, format!("<{PHONE}>;tag=a"))
        .header(Name::To, format!("<{PHONE}>"))
        .header(Name::CallId, format!("reg-{number}"))
        .header(Name::CSeq, format!("{number} REGISTER"))
        .header(Name::Contact, format!("<sip:ann@{AT}>"));
    if let Some(session) = session {
        let signed = session.authorize("ann", "tiger", &Method::Register, "sip:house.example");
        builder = builder.header(Name::Authorization, signed);
    }
    builder.finish()
}

fn hears(world: &mut World, bytes: Vec<u8>) -> Message {
    world.input(Input::Datagram { from: AT.parse().unwrap(), bytes: bytes.clone() });
    Message::parse(&bytes).unwrap()
}

/// Ann's phone registers.
fn registers(world: &mut World) {
    let first = hears(world, register(1, None));
    let question = strongest(world.answer_to(&first).unwrap().headers(&Name::WwwAuthenticate)).unwrap();
    let signed = hears(world, register(2, Some(&mut Session::new(question, "c"))));
    assert_eq!(world.answered(&signed), Some(200));
}

#[test]
fn a_user_is_rung_where_the_phone_is() {
    let mut world = world();
    registers(&mut world);
    let told = |what: &What| matches!(what, What::UserRegistered { user, .. } if user == "ann");
    let event = world.events.iter().find(|event| told(&event.what)).unwrap();
    assert_eq!(event.contact.as_ref().map(|contact| contact.as_str()), Some("ann"));
    let id = world.raise(trigger(None), anns_plan());
    let invite = world.asked(&Method::Invite);
    assert_eq!(invite.uri(), Some("sip:ann@192.0.2.1:5060"));
    world.respond(&invite, 486);
    assert_eq!(world.ends(id), [(1, Outcome::Busy)]);
}

#[test]
fn a_user_without_a_phone_is_unreachable_at_once_and_the_next_phone_is_tried() {
    let mut world = world();
    let id = world.raise(trigger(None), anns_plan());
    assert_eq!(world.ends(id), [(1, Outcome::Unreachable)]);
    let ended = world.story(id).into_iter().find_map(|fact| match fact {
        Fact::Ended { code, reason, .. } => Some((*code, reason.clone())),
        _ => None,
    });
    assert_eq!(ended, Some((Some(480), "no phone of this user is registered".to_owned())));
    world.wait(seconds(5));
    let invite = world.asked(&Method::Invite);
    assert!(invite.uri().unwrap().contains("+8110000001"), "{:?}", invite.uri());
}

#[test]
fn a_trunk_that_shows_the_name_of_a_user_is_not_the_user() {
    let mut world = world();
    registers(&mut world);
    world.raise(trigger(None), anns_plan());
    for shown in ["ann", "sip%3Aann%40house.example"] {
        let call = world.call_comes_in(shown);
        // Whoever is at the trunk's address is asked to sign, because a phone of ours is there as well.
        assert_eq!(world.answered(&call), Some(401), "{shown}");
    }
    let number = Phone::parse("+8110000001").unwrap();
    let house = Phone::parse(PHONE).unwrap();
    for (phone, caller, is) in [
        (&house, "ann", false),
        (&house, "sip:ann@house.example", true),
        (&number, "sip:ann@house.example", false),
        (&number, "+8110000001", true),
    ] {
        assert_eq!(world.switch.calls_from(phone, caller), is, "{phone} {caller}");
    }
}

#[test]
fn a_restart_knows_where_the_phone_is() {
    let mut before = world();
    registers(&mut before);
    let house = |entry: &Entry| match entry {
        Entry::House(at, fact) => Some((*at, fact.clone())),
        Entry::Incident(..) => None,
    };
    let facts: Vec<_> = before.facts.iter().filter_map(house).collect();
    assert!(matches!(facts[..], [(_, HouseFact::UserRegistered { .. })]), "{facts:?}");
    let mut after = world();
    after.input(Input::RestoreHouse(facts.clone()));
    after.raise(trigger(None), anns_plan());
    assert_eq!(after.asked(&Method::Invite).uri(), Some("sip:ann@192.0.2.1:5060"));

    before.wait(Time::from_micros(3_700_000_000).since(Time::ZERO));
    let gone: Vec<_> = before.facts.iter().filter_map(house).collect();
    assert!(matches!(gone.last(), Some((_, HouseFact::UserUnregistered { .. }))), "{gone:?}");
    let mut late = world();
    late.input(Input::RestoreHouse(gone));
    let id = late.raise(trigger(None), anns_plan());
    assert_eq!(late.ends(id), [(1, Outcome::Unreachable)]);
}
