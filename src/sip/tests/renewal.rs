use core::net::SocketAddr;

use super::*;
use crate::base::{LegId, Phone};
use crate::sip::tests::bench::{SDP_PCMU, left, word};
use crate::sip::tests::world::number;
use crate::sip::{DialError, Event, Hop, Identity};
use crate::wire::sip::{Builder, Message, Method, Name};

const SECOND: Duration = Duration::from_secs(1);

/// An agent, and trunks that answer what they are told to.
struct House {
    agent: Agent,
    now: Time,
    out: Outbox<Output>,
    /// What was sent, and where to.
    sent: Vec<(Hop, Message)>,
    events: Vec<Event>,
}

fn at(last: u8) -> Hop {
    Hop::udp(SocketAddr::from(([192, 0, 2, last], 5060)))
}

fn id(name: &str) -> TrunkId {
    TrunkId::parse(name).unwrap()
}

fn ranges(text: &str) -> Vec<crate::sip::IpRange> {
    vec![crate::sip::IpRange::parse(text).unwrap()]
}

/// A trunk at 192.0.2.`last` with an account.
fn account(name: &str, last: u8) -> Trunk {
    Trunk {
        proxy: Some(at(last)),
        domain: "pbx.example".into(),
        register: true,
        expires_s: 300,
        username: name.into(),
        password: "secret".into(),
        ..Trunk::new(id(name))
    }
}

impl House {
    /// Every trunk of these has granted its registration.
    fn with(trunks: &[Trunk]) -> House {
        let local = SocketAddr::from(([192, 0, 2, 10], 5060));
        let identity = Identity { local, media_address: local.ip(), user_agent: "hansho".into(), doors: Vec::new() };
        let agent = Agent::new(identity, trunks.to_vec(), 1);
        let mut house = House { agent, now: Time::ZERO, out: Outbox::new(), sent: Vec::new(), events: Vec::new() };
        house.agent.start(house.now, &mut house.out);
        house.done();
        house.everyone_says_yes();
        house.events.clear();
        house
    }

    /// What left since the last time: the method or the status, and the last number of the address.
    fn done(&mut self) -> Vec<String> {
        let sent = left(&mut self.out, &mut self.events);
        let said = |(to, message): &(Hop, Message)| {
            let gone = message.header(&Name::Contact).is_some_and(|contact| contact.contains("expires=0"));
            let gone = if gone { " gone" } else { "" };
            format!("{}{gone} {}", word(message), to.address.ip().to_string().rsplit('.').next().unwrap())
        };
        let words = sent.iter().map(said).collect();
        self.sent.extend(sent);
        words
    }

    fn last(&self, method: &Method, to: u8) -> &Message {
        let asked =
            |(hop, message): &&(Hop, Message)| *hop == at(to) && message.is_request() && message.method() == *method;
        &self.sent.iter().rev().find(asked).unwrap().1
    }

    /// The trunk there answers our last request of this kind.
    fn answers(&mut self, method: &Method, from: u8, code: u16, sdp: &str) -> Vec<String> {
        let request = self.last(method, from);
        let contact = format!("<sip:phone@192.0.2.{from}:5060>");
        let own = request.header(&Name::Contact).unwrap_or_default().to_owned();
        let mut builder = Builder::response(request, code).to_tag("theirs");
        builder = match (code, method) {
            (401, _) => builder.header(Name::WwwAuthenticate, "Digest realm=\"pbx\", nonce=\"n\", qop=\"auth\""),
            (_, Method::Register) => builder.header(Name::Contact, own),
            _ => builder.header(Name::Contact, contact),
        };
        if !sdp.is_empty() {
            builder = builder.body("application/sdp", sdp.as_bytes());
        }
        let bytes = builder.finish();
        self.agent.on_datagram(self.now, at(from), &bytes, &mut self.out);
        self.done()
    }

    fn everyone_says_yes(&mut self) {
        let open: Vec<u8> = (1..10).filter(|last| self.sent.iter().any(|(hop, _)| *hop == at(*last))).collect();
        for from in open {
            self.answers(&Method::Register, from, 200, "");
        }
    }

    fn reload(&mut self, trunks: &[Trunk]) -> Vec<(String, Renewed)> {
        self.reload_moved(trunks, &[])
    }

    fn reload_moved(&mut self, trunks: &[Trunk], moved: &[&str]) -> Vec<(String, Renewed)> {
        let next =
            trunks.iter().map(|trunk| NextTrunk { trunk: trunk.clone(), moved: moved.contains(&trunk.id.as_str()) });
        let done = self.agent.renew_trunks(self.now, next.collect(), &mut self.out);
        done.into_iter().map(|it| (it.id.to_string(), it.what)).collect()
    }

    fn dial(&mut self, leg: u32, over: &str) -> Result<(), DialError> {
        self.agent.dial(self.now, LegId(leg), &id(over), &number(), 30_000, &mut self.out).map(drop)
    }

    fn call_up(&mut self, leg: u32, over: &str, last: u8) {
        self.dial(leg, over).unwrap();
        assert_eq!(self.done(), [format!("INVITE {last}")]);
        assert_eq!(self.answers(&Method::Invite, last, 200, SDP_PCMU), [format!("ACK {last}")]);
    }

    fn wait(&mut self, pause: Duration) -> Vec<String> {
        let until = self.now + pause;
        while let Some(due) = self.agent.next_deadline().filter(|due| *due <= until) {
            self.now = due.max(self.now);
            self.agent.on_deadline(self.now, &mut self.out);
        }
        self.now = until;
        self.done()
    }

    /// Somebody at this address says this.
    fn hears(&mut self, from: u8, bytes: &[u8]) -> Vec<String> {
        self.agent.on_datagram(self.now, at(from), bytes, &mut self.out);
        self.done()
    }

    fn ended(&self) -> usize {
        self.events.iter().filter(|event| matches!(event, Event::Ended { .. })).count()
    }

    fn states(&self) -> Vec<(String, bool, usize)> {
        self.agent.trunks().map(|trunk| (trunk.id.to_string(), trunk.registered, trunk.calls)).collect()
    }
}

/// Somebody behind the trunk at 192.0.2.2 calls, or gives it up.
fn asks(method: &str, sdp: &str) -> Vec<u8> {
    let length = sdp.len();
    format!(
        "{method} sip:two@192.0.2.10:5060 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bKin\r\n\
         Max-Forwards: 70\r\nFrom: <sip:+81312345678@pbx.example>;tag=in\r\nTo: <sip:two@pbx.example>\r\n\
         Call-ID: in\r\nCSeq: 1 {method}\r\nContact: <sip:phone@192.0.2.2:5060>\r\n\
         Content-Type: application/sdp\r\nContent-Length: {length}\r\n\r\n{sdp}"
    )
    .into_bytes()
}

/// The far end of the call that was dialled over the trunk there hangs up.
fn bye(house: &House, from: u8) -> Vec<u8> {
    let invite = house.last(&Method::Invite, from);
    let ours = invite.from().unwrap().tag().unwrap().to_owned();
    let call = invite.call_id().unwrap();
    format!(
        "BYE sip:x@192.0.2.10:5060 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.{from}:5060;branch=z9hG4bKbye\r\n\
         Max-Forwards: 70\r\nFrom: <sip:phone@pbx.example>;tag=theirs\r\nTo: <sip:x@pbx.example>;tag={ours}\r\n\
         Call-ID: {call}\r\nCSeq: 1 BYE\r\nContent-Length: 0\r\n\r\n"
    )
    .into_bytes()
}

#[test]
fn a_trunk_that_is_added_registers_and_is_called_over() {
    let mut house = House::with(&[account("one", 1)]);
    let done = house.reload(&[account("two", 2), account("one", 1)]);
    assert_eq!(done, [("two".to_owned(), Renewed::Added), ("one".to_owned(), Renewed::Same)]);
    assert_eq!(house.done(), ["REGISTER 2"]);
    house.answers(&Method::Register, 2, 200, "");
    assert_eq!(house.states(), [("two".to_owned(), true, 0), ("one".to_owned(), true, 0)], "in the order of the file");
    house.call_up(1, "two", 2);
}

#[test]
fn a_trunk_that_is_the_same_hears_nothing_and_keeps_what_is_known_of_it() {
    let trunks = [account("one", 1), account("two", 2)];
    let mut house = House::with(&trunks);
    house.call_up(1, "one", 1);
    house.agent.leave_alone(
        house.now,
        at(2),
        crate::sip::lines::Why { code: Some(503), reason: "busy", long: SECOND * 60 },
        &mut house.out,
    );
    house.done();
    let before: Vec<_> = house.agent.trunks().collect();
    assert!(house.reload(&trunks).iter().all(|(_, what)| *what == Renewed::Same));
    assert!(house.done().is_empty());
    assert_eq!(house.agent.trunks().collect::<Vec<_>>(), before);
    assert!(house.agent.rests(house.now, &id("two")));
}

#[test]
fn a_trunk_that_is_removed_is_left_and_its_calls_go_on_to_their_end() {
    let mut house = House::with(&[account("one", 1), account("two", 2)]);
    house.call_up(1, "two", 2);
    house.dial(2, "two").unwrap();
    assert_eq!(house.done(), ["INVITE 2"]);
    let done = house.reload(&[account("one", 1)]);
    assert_eq!(done, [("two".to_owned(), Renewed::Removed), ("one".to_owned(), Renewed::Same)]);
    assert_eq!(house.done(), ["REGISTER gone 2"]);
    assert_eq!(house.answers(&Method::Register, 2, 401, ""), ["REGISTER gone 2"], "with the credentials it had");
    house.answers(&Method::Register, 2, 200, "");
    assert_eq!(house.states(), [("one".to_owned(), true, 0)]);
    assert_eq!(house.dial(3, "two"), Err(DialError::UnknownTrunk));
    // One that only rang is answered all the same.
    assert_eq!(house.answers(&Method::Invite, 2, 200, SDP_PCMU), ["ACK 2"]);
    assert!(house.agent.knows(at(2).ip()), "its connections are taken while something is up");
    house.agent.hang_up(house.now, LegId(2), &mut house.out);
    assert_eq!(house.done(), ["BYE 2"]);
    house.answers(&Method::Bye, 2, 200, "");
    assert_eq!(house.ended(), 1);
}

#[test]
fn the_far_end_of_a_removed_trunk_may_hang_up_and_may_not_call() {
    let mut house = House::with(&[account("one", 1), account("two", 2)]);
    house.call_up(1, "two", 2);
    house.reload(&[account("one", 1)]);
    house.done();
    house.answers(&Method::Register, 2, 200, "");
    assert!(house.hears(2, &asks("INVITE", SDP_PCMU)).is_empty(), "a stranger now");
    let goodbye = bye(&house, 2);
    assert_eq!(house.hears(2, &goodbye), ["200 2"]);
    assert_eq!(house.ended(), 1);
    house.wait(SECOND * 60);
    assert!(!house.agent.knows(at(2).ip()));
}

#[test]
fn a_caller_over_a_trunk_that_is_gone_meanwhile_may_still_give_up() {
    let mut house = House::with(&[account("one", 1), account("two", 2)]);
    assert_eq!(house.hears(2, &asks("INVITE", SDP_PCMU)), ["100 2"]);
    house.reload(&[account("one", 1)]);
    house.done();
    assert_eq!(house.hears(2, &asks("CANCEL", "")), ["200 2", "487 2"]);
    assert_eq!(house.ended(), 1);
}

#[test]
fn another_password_registers_anew_at_once_and_no_call_hears_of_it() {
    let mut house = House::with(&[account("one", 1)]);
    house.call_up(1, "one", 1);
    let before = house.last(&Method::Register, 1).clone();
    let other = Trunk { password: "other".into(), ..account("one", 1) };
    assert_eq!(house.reload(&[other]), [("one".to_owned(), Renewed::Changed)]);
    assert_eq!(house.done(), ["REGISTER 1"]);
    let after = house.last(&Method::Register, 1);
    assert_eq!(after.call_id(), before.call_id());
    assert_eq!(after.cseq().unwrap().number, before.cseq().unwrap().number + 1);
    assert!(after.header(&Name::Authorization).is_none(), "nothing signed with the former one");
    assert_eq!(house.states(), [("one".to_owned(), true, 1)], "bound all the while");
    // The answer to what the former password asked for counts no more.
    let bytes = Builder::response(&before, 403).to_tag("late").finish();
    assert!(house.hears(1, &bytes).is_empty());
    house.answers(&Method::Register, 1, 200, "");
    assert_eq!(house.ended(), 0);
}

#[test]
fn a_wrong_password_that_is_mended_does_not_wait_for_the_next_try() {
    let mut house = House::with(&[account("one", 1)]);
    house.wait(SECOND * 280);
    house.answers(&Method::Register, 1, 403, "");
    assert!(house.wait(SECOND).is_empty(), "one who refuses is not asked again at once");
    house.reload(&[Trunk { password: "right".into(), ..account("one", 1) }]);
    assert_eq!(house.done(), ["REGISTER 1"]);
}

#[test]
fn what_a_registrar_does_not_see_changes_without_a_register() {
    let mut house = House::with(&[account("one", 1)]);
    house.call_up(1, "one", 1);
    let next = Trunk {
        caller_id: Some("+81312345678".into()),
        max_calls: 1,
        allow_from: ranges("192.0.2.77"),
        ..account("one", 1)
    };
    assert_eq!(house.reload(core::slice::from_ref(&next)), [("one".to_owned(), Renewed::Changed)]);
    assert!(house.done().is_empty());
    assert_eq!(house.dial(2, "one"), Err(DialError::TrunkFull), "the call that is up counts");
    assert!(house.agent.knows("192.0.2.77".parse().unwrap()));
    house.reload(&[Trunk { max_calls: 2, ..next }]);
    house.dial(2, "one").unwrap();
    house.done();
    assert!(house.last(&Method::Invite, 1).from().unwrap().uri.contains("+81312345678"));
}

#[test]
fn the_same_account_elsewhere_registers_there_when_it_has_left_here() {
    let mut house = House::with(&[account("one", 1)]);
    house.call_up(1, "one", 1);
    let next = Trunk { proxy: Some(at(3)), ..account("one", 1) };
    assert_eq!(house.reload(&[next]), [("one".to_owned(), Renewed::Moved)]);
    assert_eq!(house.done(), ["REGISTER gone 1"]);
    house.call_up(2, "one", 3);
    assert_eq!(house.answers(&Method::Register, 1, 200, ""), ["REGISTER 3"]);
    house.answers(&Method::Register, 3, 200, "");
    assert_eq!(house.states(), [("one".to_owned(), true, 1)]);
    house.agent.hang_up(house.now, LegId(1), &mut house.out);
    assert_eq!(house.done(), ["BYE 1"], "where it was");
}

#[test]
fn a_trunk_that_is_dead_does_not_hold_up_the_one_in_its_place() {
    let mut house = House::with(&[account("one", 1)]);
    house.reload(&[Trunk { proxy: Some(at(3)), ..account("one", 1) }]);
    let sent = house.wait(FAREWELL * 2);
    let place = sent.iter().position(|word| word == "REGISTER 3").unwrap();
    assert!(sent[place..].iter().all(|word| word != "REGISTER gone 1"), "the leave is given up first: {sent:?}");
}

#[test]
fn another_account_at_once_takes_the_place_of_the_first() {
    let mut house = House::with(&[account("one", 1)]);
    let next = Trunk { username: "other".into(), ..account("one", 1) };
    assert_eq!(house.reload(&[next]), [("one".to_owned(), Renewed::Moved)]);
    assert_eq!(house.done(), ["REGISTER gone 1", "REGISTER 1"]);
    assert!(house.last(&Method::Register, 1).header(&Name::Contact).unwrap().contains("sip:other@"));
}

#[test]
fn a_call_that_its_trunk_cannot_carry_does_not_go_on_over_one_that_is_gone() {
    let mut house = House::with(&[account("one", 1), account("two", 2)]);
    house.dial(1, "one").unwrap();
    house.agent.also_over(house.now, LegId(1), &[id("two")]);
    house.done();
    house.reload(&[account("one", 1), account("three", 3)]);
    house.done();
    house.answers(&Method::Register, 2, 200, "");
    house.answers(&Method::Invite, 1, 403, "");
    assert_eq!(house.ended(), 1, "{:?}", house.events);
}

#[test]
fn trunks_that_come_and_go_for_years_take_no_more_room() {
    let mut house = House::with(&[account("one", 1)]);
    for day in 0..200u8 {
        let name = format!("day-{day}");
        house.reload(&[account("one", 1), account(&name, 2)]);
        house.done();
        house.answers(&Method::Register, 2, 200, "");
        house.reload(&[account("one", 1)]);
        house.done();
        house.answers(&Method::Register, 2, 200, "");
    }
    assert_eq!(house.agent.core.lines.len(), 2);
}

#[test]
fn what_is_asked_about_a_trunk_begins_and_ends_with_its_setting() {
    let mut house = House::with(&[account("one", 1)]);
    let asked = Trunk { asked_every: Some(SECOND * 30), ..account("one", 1) };
    house.reload(&[asked]);
    assert_eq!(house.wait(SECOND / 10), ["OPTIONS 1"]);
    house.answers(&Method::Options, 1, 503, "");
    assert_eq!(house.states(), [("one".to_owned(), false, 0)]);
    house.reload(&[account("one", 1)]);
    assert!(house.wait(SECOND * 60).iter().all(|word| word != "OPTIONS 1"));
    assert_eq!(house.states(), [("one".to_owned(), true, 0)]);
}

#[test]
fn a_phone_of_our_own_users_does_not_notice() {
    let mut house = House::with(&[account("one", 1)]);
    let uri = Phone::parse("sip:anna@pbx.example").unwrap();
    house.agent.keep_house(crate::sip::House {
        realm: "pbx.example".into(),
        users: [("anna".to_owned(), "secret".to_owned())].into(),
        expires_s: (60, 300),
        phones_max: 2,
        allow_from: ranges("192.0.2.0/24"),
        hashes: vec![crate::sip::digest::Hash::Sha256],
        codecs: crate::base::Codec::ALL.to_vec(),
        address: Default::default(),
        srtp: crate::sip::Srtp::Off,
    });
    house.reload(&[account("two", 2), account("three", 3)]);
    house.done();
    assert_eq!(house.agent.user_of(&uri).as_deref(), Some("anna"));
    assert_eq!(house.states().len(), 2);
}
