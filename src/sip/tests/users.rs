use core::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::base::Digit;
use crate::sip::digest::{Hash, Session, strongest};
use crate::sip::tests::bench::SDP_PCMU;
use crate::sip::tests::world::agent as trunk_agent;
use crate::sip::tests::world::{main_trunk, number, trunk};
use crate::sip::{Cause, IpRange};
use crate::wire::sip::{Builder, Edit};

const REALM: &str = "house.example";

fn house() -> House {
    House {
        realm: REALM.into(),
        users: [("ann".to_owned(), "tiger".to_owned())].into(),
        expires_s: (60, 3_600),
        phones_max: 3,
        allow_from: vec![IpRange::parse("10.0.0.0/8").unwrap()],
        hashes: vec![Hash::Sha256],
        codecs: crate::base::Codec::ALL.to_vec(),
        address: Default::default(),
        srtp: crate::sip::Srtp::Off,
    }
}

/// An agent with a trunk and a house, and phones that speak to it by hand.
struct Room {
    agent: Agent,
    now: Time,
    out: Outbox<Output>,
    seq: u32,
    session: Option<Session>,
    sent: Vec<(Hop, Message)>,
    events: Vec<Event>,
}

fn at(text: &str) -> Hop {
    text.parse().unwrap()
}

impl Room {
    fn new() -> Room {
        let mut agent = trunk_agent(0, trunk(at("192.0.2.1:5060")), 7);
        agent.keep_house(house());
        let now = Time::ZERO + Duration::from_secs(10);
        Room { agent, now, out: Outbox::new(), seq: 0, session: None, sent: Vec::new(), events: Vec::new() }
    }

    fn flush(&mut self) {
        while let Some(output) = self.out.pop() {
            match output {
                Output::Send { to, bytes } => self.sent.push((to, Message::parse(&bytes).unwrap())),
                Output::Event(event) => self.events.push(event),
            }
        }
    }

    fn hears(&mut self, from: Hop, message: &[u8]) {
        self.agent.on_datagram(self.now, from, message, &mut self.out);
        self.flush();
    }

    /// A request of somebody at `from` who calls himself ann.
    fn asks(&mut self, from: Hop, method: Method, contact: &str, signed: Option<&str>) -> Vec<u8> {
        self.seq += 1;
        let uri = "sip:house.example";
        let mut builder = Builder::request(method.clone(), uri)
            .header(Name::Via, format!("SIP/2.0/UDP {};branch=z9hG4bK{};rport", from.address, self.seq))
            .header(Name::MaxForwards, "70")
            .header(Name::From, "<sip:ann@house.example>;tag=a")
            .header(Name::To, "<sip:ann@house.example>")
            .header(Name::CallId, format!("call-of-{}", from.address))
            .header(Name::CSeq, format!("{} {method}", self.seq))
            .header(Name::Contact, contact);
        if let (Some(password), Some(session)) = (signed, &mut self.session) {
            builder = builder.header(Name::Authorization, session.authorize("ann", password, &method, uri));
        }
        if method == Method::Invite {
            builder = builder.body("application/sdp", SDP_PCMU.as_bytes());
        }
        builder.finish()
    }

    /// Asks, answers the question, and gives the status of what comes then.
    fn signs(&mut self, from: Hop, method: Method, contact: &str) -> u16 {
        let first = self.asks(from, method.clone(), contact, None);
        self.hears(from, &first);
        let (_, question) = self.sent.last().unwrap();
        assert_eq!(question.code(), Some(401));
        self.session = Some(Session::new(strongest(question.headers(&Name::WwwAuthenticate)).unwrap(), "c"));
        let signed = self.asks(from, method, contact, Some("tiger"));
        self.hears(from, &signed);
        self.sent.last().unwrap().1.code().unwrap()
    }

    /// Time passes.
    fn waits(&mut self, seconds: u64) {
        let until = self.now + Duration::from_secs(seconds);
        while let Some(next) = self.agent.next_deadline().filter(|next| *next <= until) {
            self.now = self.now.max(next);
            self.agent.on_deadline(self.now, &mut self.out);
            self.flush();
        }
        self.now = until;
    }

    fn registers(&mut self, from: &str) -> Hop {
        let from = at(from);
        let contact = format!("<sip:ann@{}>", from.address);
        assert_eq!(self.signs(from, Method::Register, &contact), 200);
        from
    }

    fn dials(&mut self) -> Result<String, DialError> {
        let dialled = self.agent.dial_user(self.now, LegId(1), "ann", 30_000, &mut self.out);
        self.flush();
        dialled
    }

    /// The INVITEs that left, with where to.
    fn invites(&self) -> Vec<(Hop, Message)> {
        let invite = |message: &Message| message.is_request() && message.method() == Method::Invite;
        self.sent.iter().filter(|(_, message)| invite(message)).cloned().collect()
    }

    fn answers(&mut self, (from, invite): &(Hop, Message), code: u16) {
        let mut builder = Builder::response(invite, code)
            .to_tag(&format!("tag{}", from.address.port()))
            .header(Name::Contact, "<sip:ann@172.17.0.2:5060>");
        if code == 200 {
            builder = builder.body("application/sdp", SDP_PCMU.as_bytes());
        }
        self.hears(*from, &builder.finish());
    }

    /// Methods and statuses that left since the last time, each with its port.
    fn left(&mut self) -> Vec<String> {
        let word = |message: &Message| message.code().map_or(message.method().to_string(), |code| code.to_string());
        self.sent.drain(..).map(|(to, message)| format!("{} to {}", word(&message), to.address.port())).collect()
    }
}

#[test]
fn a_phone_registers_is_rung_where_it_was_seen_and_hung_up_there() {
    let mut room = Room::new();
    let phone = room.registers("10.0.0.5:40001");
    assert!(matches!(&room.events[0], Event::UserRegistered { user, .. } if user == "ann"));
    room.left();
    let handle = room.dials().unwrap();
    let invite = room.invites().remove(0);
    assert_eq!((invite.0, invite.1.uri()), (phone, Some("sip:ann@10.0.0.5:40001")));
    assert_eq!(invite.1.header(&Name::To), Some("<sip:ann@house.example>"));
    room.answers(&invite, 180);
    room.answers(&invite, 200);
    room.agent.hang_up(room.now, LegId(1), &mut room.out);
    room.flush();
    // Its Contact lies behind a NAT.
    assert_eq!(room.left(), ["INVITE to 40001", "ACK to 40001", "BYE to 40001"]);
    let mut next = Room::new();
    next.agent.recover(next.now, &handle, &mut next.out);
    next.flush();
    assert!(next.left().iter().any(|word| word == "CANCEL to 40001"));
}

#[test]
fn every_phone_of_a_user_rings_and_the_first_that_is_answered_has_the_call() {
    let mut room = Room::new();
    room.registers("10.0.0.5:40001");
    room.registers("10.0.0.6:40002");
    let handle = room.dials().unwrap();
    assert_eq!(handle.lines().count(), 2);
    let (events, invites) = (room.events.len(), room.invites());
    assert_eq!(invites.len(), 2);
    assert_eq!(invites[0].1.call_id(), room.agent.call_id(LegId(1)));
    invites.iter().for_each(|invite| room.answers(invite, 180));
    room.left();
    room.answers(&invites[1], 200);
    let other = if invites[0].0.address.port() == 40_001 { 40_001 } else { 40_002 };
    let winner = 80_003 - other;
    assert_eq!(room.left(), [format!("ACK to {winner}"), format!("CANCEL to {other}")]);
    room.answers(&invites[0], 487);
    let told = room.events.split_off(events);
    assert!(
        matches!(told[..], [Event::Ringing { leg: LegId(1), .. }, Event::Answered { leg: LegId(1), .. }]),
        "{told:?}"
    );
    room.left();
    let Event::Answered { handle, .. } = &told[1] else { panic!() };
    assert_eq!(handle.lines().count(), 2, "after a crash the loser is cancelled as well");
    room.agent.press(room.now, LegId(1), Digit::from_char('1').unwrap(), &mut room.out);
    room.agent.hang_up(room.now, LegId(1), &mut room.out);
    room.flush();
    assert_eq!(room.left(), [format!("INFO to {winner}"), format!("BYE to {winner}")]);
}

#[test]
fn one_phone_that_declines_leaves_the_others_ringing_and_the_last_end_is_the_end() {
    let mut room = Room::new();
    room.registers("10.0.0.5:40001");
    room.registers("10.0.0.6:40002");
    room.dials().unwrap();
    let (events, invites) = (room.events.len(), room.invites());
    room.answers(&invites[0], 486);
    assert_eq!(room.events.len(), events);
    room.answers(&invites[1], 480);
    let Event::Ended { leg: LegId(1), end } = room.events.last().unwrap() else { panic!("{:?}", room.events) };
    assert_eq!((end.cause, end.code), (Cause::Refused, Some(486)));
    room.dials().unwrap();
    room.agent.hang_up(room.now, LegId(1), &mut room.out);
    room.invites()[2..].iter().for_each(|invite| room.answers(invite, 180));
    assert_eq!(room.left().iter().filter(|word| word.starts_with("CANCEL")).count(), 2);
}

#[test]
fn one_phone_that_refuses_for_the_person_ends_the_ringing_of_the_others_and_names_nobody_who_answered() {
    let mut room = Room::new();
    room.registers("10.0.0.5:40001");
    room.registers("10.0.0.6:40002");
    room.dials().unwrap();
    let invites = room.invites();
    room.answers(&invites[1], 180);
    room.left();
    room.answers(&invites[0], 603);
    let Event::Ended { leg: LegId(1), end } = room.events.last().unwrap() else { panic!("{:?}", room.events) };
    assert_eq!((end.cause, end.code), (Cause::Refused, Some(603)));
    let left = room.left();
    assert_eq!(left.iter().filter(|word| word.starts_with("CANCEL")).count(), 1, "{left:?}");
}

#[test]
fn nothing_that_never_left_the_house_is_heard_of_again() {
    let mut room = Room::new();
    room.registers("10.0.0.5:40001");
    room.registers("10.0.0.6:40002");
    room.dials().unwrap();
    room.agent.forget(LegId(1));
    assert!(room.agent.is_idle() && room.agent.call_id(LegId(1)).is_none());
    assert!(room.dials().is_ok());
}

#[test]
fn a_user_without_a_phone_cannot_be_rung() {
    let mut room = Room::new();
    assert_eq!(room.dials(), Err(DialError::NotRegistered));
    let phone = |text: &str| Phone::parse(text).unwrap();
    assert_eq!(room.agent.user_of(&phone("sip:ann@HOUSE.example;x=1")).as_deref(), Some("ann"));
    for other in ["sip:bob@house.example", "sip:ann@pbx.example", "+818012345678"] {
        assert_eq!(room.agent.user_of(&phone(other)), None, "{other}");
    }
    room.agent.dial(room.now, LegId(2), &main_trunk(), &number(), 30_000, &mut room.out).unwrap();
    room.flush();
    assert_eq!(room.left(), ["INVITE to 5060"]);
}

#[test]
fn a_call_of_a_registered_user_comes_in_under_the_name_that_was_signed() {
    let mut room = Room::new();
    let phone = room.registers("10.0.0.5:40001");
    assert_eq!(room.signs(phone, Method::Invite, "<sip:x@10.0.0.5:40001>"), 100);
    let Some(Event::Incoming { trunk, caller, .. }) = room.events.last() else { panic!("{:?}", room.events) };
    assert_eq!((trunk.as_str(), caller.as_str()), (HOUSE_LINE, "sip:ann@house.example"));
}

#[test]
fn a_route_within_a_contact_is_written_into_what_is_sent_and_sends_it_nowhere_else() {
    let mut room = Room::new();
    let phone = at("10.0.0.5:40001");
    let contact = "<sip:ann@10.0.0.5:40001?Route=%3Csip:10.0.0.9%3E>";
    assert_eq!(room.signs(phone, Method::Register, contact), 200);
    assert!(room.sent.last().unwrap().1.header(&Name::Contact).is_some_and(|shown| shown.starts_with(contact)));
    room.dials().unwrap();
    room.agent.write_to_user(room.now, 1, "ann", "may I call?", &mut room.out).unwrap();
    room.flush();
    for (to, message) in room.sent.iter().rev().take(2) {
        assert_eq!((*to, message.uri()), (phone, Some("sip:ann@10.0.0.5:40001")), "{message:?}");
        assert_eq!(message.header(&Name::Route), Some("<sip:10.0.0.9>"));
    }
    let other = "<sip:ann@10.0.0.5:40001?Route=%3Csip:10.0.0.9%3E&Subject=x>";
    assert_eq!(room.signs(phone, Method::Register, other), 400);
}

#[test]
fn a_phone_that_calls_without_end_is_told_to_wait_and_others_are_not() {
    let mut room = Room::new();
    let (wild, other) = (room.registers("10.0.0.5:40001"), room.registers("10.0.0.6:40001"));
    let asks = |room: &mut Room, from: Hop| room.signs(from, Method::Options, "<sip:ann@10.0.0.5:40001>");
    for _ in 0..60 {
        assert_eq!(asks(&mut room, wild), 200);
    }
    assert_eq!(asks(&mut room, wild), 503);
    assert_eq!(room.sent.last().unwrap().1.retry_after(), Some(10));
    assert_eq!((asks(&mut room, other), room.agent.counts().refused), (200, 1));
    // Its registration is not held up, nor does it last.
    assert_eq!(room.signs(wild, Method::Register, "<sip:ann@10.0.0.5:40001>"), 200);
    room.waits(10);
    assert_eq!(asks(&mut room, wild), 200);
}

#[test]
fn what_a_trunk_shows_of_a_caller_never_looks_like_what_a_user_signed() {
    for forged in ["x:sip:ann@house.example", "tel:sip:ann@house.example", "urn:sip:ann@house.example"] {
        for name in [Name::From, Name::PAssertedIdentity] {
            let invite = crate::sip::tests::bench::asks(Method::Invite, 1, "caller", "", SDP_PCMU);
            let invite = Edit::of(&invite).set(name, format!("<{forged}>;tag=a")).finish();
            let caller = crate::sip::arrivals::caller(&Message::parse(&invite).unwrap());
            assert!(!caller.contains(':'), "{name}: {forged} is shown as {caller}");
        }
    }
}

#[test]
fn a_stranger_s_invite_gets_no_answer_and_is_counted() {
    let mut room = Room::new();
    for from in ["10.0.0.9:5060", "198.51.100.7:5060"] {
        let from = at(from);
        let invite = room.asks(from, Method::Invite, "<sip:x@10.0.0.9>", None);
        room.hears(from, &invite);
    }
    let register = room.asks(at("198.51.100.7:5060"), Method::Register, "<sip:x@198.51.100.7>", None);
    room.hears(at("198.51.100.7:5060"), &register);
    assert_eq!((room.left(), room.agent.counts().strangers), (Vec::<String>::new(), 3));
}

#[test]
fn a_question_is_forgotten_and_its_copy_gets_the_same_tag() {
    let mut room = Room::new();
    let register = room.asks(at("10.0.0.5:40001"), Method::Register, "<sip:ann@10.0.0.5>", None);
    room.hears(at("10.0.0.5:40001"), &register);
    room.hears(at("10.0.0.5:40001"), &register);
    let tags: Vec<_> = room.sent.iter().map(|(_, message)| message.to().unwrap().tag().unwrap().to_owned()).collect();
    assert_eq!((tags.len(), &tags[0]), (2, &tags[1]));
    assert!(room.agent.is_idle() && room.agent.next_deadline().is_none(), "nothing is kept");
}

#[test]
fn a_replayed_request_is_asked_again_and_counted() {
    let mut room = Room::new();
    let phone = at("10.0.0.5:40001");
    room.registers("10.0.0.5:40001");
    let signed = room.asks(phone, Method::Register, "<sip:ann@10.0.0.5:40001>", Some("tiger"));
    room.hears(phone, &signed);
    let again = String::from_utf8(signed).unwrap().replace("branch=z9hG4bK", "branch=z9hG4bKother");
    room.left();
    room.hears(phone, again.as_bytes());
    assert_eq!((room.left(), room.agent.counts().replays), (vec!["401 to 40001".to_owned()], 1));
}

/// What happens to one of the phones that ring, or to all of them.
#[derive(Clone, Debug)]
enum Step {
    Answer(usize, u16),
    HangUp,
    Elsewhere,
    Wait(u64),
    Lost,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let code = prop_oneof![Just(100u16), Just(180), Just(200), Just(302), Just(401), Just(486), Just(487), Just(603)];
    let step = prop_oneof![
        6 => (0..3usize, code).prop_map(|(phone, code)| Step::Answer(phone, code)),
        1 => Just(Step::HangUp),
        1 => Just(Step::Elsewhere),
        1 => (0..40u64).prop_map(Step::Wait),
        1 => Just(Step::Lost),
    ];
    proptest::collection::vec(step, 0..12)
}

proptest! {
    #[test]
    fn whatever_several_phones_do_their_leg_is_answered_once_at_most_and_ends_once(steps in steps()) {
        let mut room = Room::new();
        room.registers("10.0.0.5:40001");
        room.registers("10.0.0.6:40002");
        room.registers("tcp:10.0.0.7:40003");
        room.dials().unwrap();
        let (invites, before) = (room.invites(), room.events.len());
        for step in steps {
            match step {
                Step::Answer(phone, code) => room.answers(&invites[phone % invites.len()], code),
                Step::HangUp => room.agent.hang_up(room.now, LegId(1), &mut room.out),
                Step::Elsewhere => room.agent.answered_elsewhere(room.now, LegId(1), &mut room.out),
                Step::Wait(seconds) => room.waits(seconds),
                Step::Lost => room.agent.on_lost(room.now, at("tcp:10.0.0.7:40003"), "gone", &mut room.out),
            }
            room.flush();
        }
        room.agent.hang_up(room.now, LegId(1), &mut room.out);
        room.waits(400);
        let events = room.events.split_off(before);
        let of = |is: fn(&Event) -> bool| events.iter().filter(|event| is(event)).count();
        let answers = of(|event| matches!(event, Event::Answered { leg: LegId(1), .. }));
        prop_assert!(answers <= 1, "answered {} times", answers);
        let ends = of(|event| matches!(event, Event::Ended { leg: LegId(1), .. }));
        let others = of(|event| matches!(event, Event::Ended { leg, .. } if *leg != LegId(1)));
        prop_assert_eq!((ends, others), (1, 0), "{:?}", events);
        prop_assert!(room.agent.is_idle());
    }
}

#[test]
fn a_short_message_for_a_user_goes_to_the_phone_and_not_over_a_trunk() {
    let mut room = Room::new();
    let write = |room: &mut Room| {
        let written = room.agent.write_to_user(room.now, 1, "ann", "may I call?", &mut room.out);
        room.flush();
        written
    };
    assert_eq!(write(&mut room), Err(crate::sip::MessageError::NotRegistered));
    room.registers("10.0.0.5:40001");
    room.left();
    write(&mut room).unwrap();
    let (to, message) = room.sent.pop().unwrap();
    assert_eq!((to.address.port(), message.uri()), (40_001, Some("sip:ann@10.0.0.5:40001")));
    room.hears(to, &Builder::response(&message, 200).finish());
    assert_eq!(room.events.last(), Some(&Event::MessageSent { message: 1 }));
}

#[test]
fn a_phone_over_a_connection_is_rung_over_it_and_gone_with_it() {
    let mut room = Room::new();
    let phone = room.registers("tcp:10.0.0.5:40001");
    room.dials().unwrap();
    let (to, invite) = room.invites().remove(0);
    assert_eq!(to, phone);
    assert!(invite.header(&Name::Contact).unwrap().contains(";transport=tcp"), "{invite:?}");
    room.agent.on_lost(room.now, phone, "the far end hung up", &mut room.out);
    room.flush();
    let unregistered = |event: &Event| matches!(event, Event::UserUnregistered { lasting: false, .. });
    assert!(room.events.iter().any(unregistered), "{:?}", room.events);
    assert_eq!(room.dials(), Err(DialError::NotRegistered));
}
