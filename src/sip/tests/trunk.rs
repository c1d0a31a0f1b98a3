//! An agent and a trunk that says what the test makes it say.

use core::net::SocketAddr;
use core::time::Duration;

use super::bench::{SDP_PCMU, asks, left, us, word};
use super::peer;
use super::world::{agent, main_trunk, number, trunk};
use crate::base::{LegId, Outbox, Time};
use crate::sip::{Agent, Cause, Event, Hop, Output, Trunk};
use crate::wire::sip::{Builder, Edit, Message, Method, Name};

struct Night {
    agent: Agent,
    now: Time,
    out: Outbox<Output>,
    sent: Vec<Message>,
    events: Vec<Event>,
}

const LEG: LegId = LegId(1);

impl Night {
    fn new() -> Night {
        Night::with(Trunk { allow_from: Vec::new(), ..trunk(peer()) }, 1)
    }

    fn with(trunk: Trunk, seed: u64) -> Night {
        Night {
            agent: agent(0, trunk, seed),
            now: Time::ZERO,
            out: Outbox::new(),
            sent: Vec::new(),
            events: Vec::new(),
        }
    }

    /// What came out since the last time, in words.
    fn done(&mut self) -> Vec<String> {
        let sent = left(&mut self.out, &mut self.events);
        let words = sent.iter().map(|(_, message)| word(message)).collect();
        self.sent.extend(sent.into_iter().map(|(_, message)| message));
        words
    }

    fn dial(&mut self) -> String {
        let handle = self.agent.dial(self.now, LEG, &main_trunk(), &number(), 30_000, &mut self.out).unwrap();
        assert_eq!(self.done(), ["INVITE"]);
        handle
    }

    fn hears(&mut self, message: &Message) -> Vec<String> {
        self.hears_from(peer(), message)
    }

    fn hears_from(&mut self, from: impl Into<Hop>, message: &Message) -> Vec<String> {
        let bytes = Edit::of(message).finish();
        self.agent.on_datagram(self.now, from, &bytes, &mut self.out);
        self.done()
    }

    fn last(&self, method: &Method) -> &Message {
        self.sent.iter().rev().find(|m| m.is_request() && m.method() == *method).unwrap()
    }

    /// The trunk's answer to our last request with this method.
    fn answer(&self, method: &Method, code: u16, tag: &str, sdp: &str) -> Message {
        let mut builder = Builder::response(self.last(method), code).to_tag(tag);
        builder = match code {
            401 => builder.header(Name::WwwAuthenticate, "Digest realm=\"pbx\", nonce=\"n401\", qop=\"auth\""),
            407 => builder.header(Name::ProxyAuthenticate, "Digest realm=\"proxy\", nonce=\"n407\", qop=\"auth\""),
            _ => builder.header(Name::Contact, "<sip:phone@192.0.2.1:5060>"),
        };
        if !sdp.is_empty() {
            builder = builder.body("application/sdp", sdp.as_bytes());
        }
        Message::parse(&builder.finish()).unwrap()
    }

    fn wait(&mut self, pause: Duration) -> Vec<String> {
        let until = self.now + pause;
        while let Some(due) = self.agent.next_deadline().filter(|due| *due <= until) {
            self.now = due;
            self.agent.on_deadline(due, &mut self.out);
        }
        self.now = until;
        self.done()
    }

    fn up(&mut self) {
        self.dial();
        let answer = self.answer(&Method::Invite, 200, "phone", SDP_PCMU);
        assert_eq!(self.hears(&answer), ["ACK"]);
    }

    fn end(&self) -> Option<(Cause, Option<u16>)> {
        self.events.iter().find_map(|event| match event {
            Event::Ended { end, .. } => Some((end.cause, end.code)),
            _ => None,
        })
    }

    fn handle(&self) -> String {
        let handle = |event: &Event| match event {
            Event::Answered { handle, .. } => Some(handle.clone()),
            _ => None,
        };
        self.events.iter().find_map(handle).unwrap()
    }
}

#[test]
fn every_copy_of_a_200_gets_its_ack_even_after_the_call() {
    let mut night = Night::new();
    night.up();
    let copy = night.answer(&Method::Invite, 200, "phone", SDP_PCMU);
    assert_eq!(night.hears(&copy), ["ACK"]);
    night.agent.hang_up(night.now, LEG, &mut night.out);
    assert_eq!(night.done(), ["BYE"]);
    let gone = night.answer(&Method::Bye, 200, "phone", "");
    night.hears(&gone);
    assert_eq!(night.end(), Some((Cause::Us, Some(200))));
    assert_eq!(night.hears(&copy), ["ACK"]);
}

#[test]
fn a_second_phone_that_answers_is_acknowledged_and_hung_up() {
    let mut night = Night::new();
    night.up();
    let other = night.answer(&Method::Invite, 200, "other", SDP_PCMU);
    assert_eq!(night.hears(&other), ["ACK", "BYE"]);
    assert_eq!(night.last(&Method::Bye).to().unwrap().tag(), Some("other"));
    assert_eq!(night.hears(&other), ["ACK"]);
    assert_eq!(night.end(), None);
}

#[test]
fn proxy_and_far_end_may_both_ask_who_we_are() {
    let mut night = Night::new();
    night.dial();
    let proxy = night.answer(&Method::Invite, 407, "p", "");
    assert_eq!(night.hears(&proxy), ["ACK", "INVITE"]);
    let far_end = night.answer(&Method::Invite, 401, "f", "");
    assert_eq!(night.hears(&far_end), ["ACK", "INVITE"]);
    let invite = night.last(&Method::Invite);
    assert!(invite.header(&Name::ProxyAuthorization).is_some() && invite.header(&Name::Authorization).is_some());
    assert_eq!(invite.cseq().unwrap().number, 3);
    let answer = night.answer(&Method::Invite, 200, "phone", SDP_PCMU);
    assert_eq!(night.hears(&answer), ["ACK"]);
    // What served goes along at once the next time.
    night.agent.hang_up(night.now, LEG, &mut night.out);
    night.done();
    let bye = night.last(&Method::Bye).header(&Name::ProxyAuthorization).unwrap();
    assert!(bye.contains("nc=00000003"), "{bye}");
}

#[test]
fn all_who_ask_at_once_who_we_are_are_answered_at_once() {
    let mut night = Night::new();
    night.dial();
    let asks = |realm: &str, hash: &str, nonce: &str| {
        format!("Digest realm=\"{realm}\", nonce=\"{nonce}\", algorithm={hash}, qop=\"auth\"")
    };
    let question = |night: &Night| {
        let question = Builder::response(night.last(&Method::Invite), 407)
            .to_tag("p")
            .header(Name::ProxyAuthenticate, asks("one", "MD5", "1"))
            .header(Name::ProxyAuthenticate, asks("one", "SHA-256", "2"))
            .header(Name::ProxyAuthenticate, asks("two", "MD5", "3"))
            .header(Name::WwwAuthenticate, asks("phone", "MD5", "4"));
        Message::parse(&question.finish()).unwrap()
    };
    let first = question(&night);
    assert_eq!(night.hears(&first), ["ACK", "INVITE"]);
    let invite = night.last(&Method::Invite);
    let signed = |name: &Name| invite.headers(name).map(str::to_owned).collect::<Vec<_>>();
    let (proxies, phones) = (signed(&Name::ProxyAuthorization), signed(&Name::Authorization));
    assert_eq!((proxies.len(), phones.len()), (2, 1));
    assert!(proxies[0].contains("realm=\"one\", nonce=\"2\"") && proxies[1].contains("realm=\"two\""), "{proxies:?}");
    // Nothing new in it: that was the wrong password.
    let again = question(&night);
    assert_eq!(night.hears(&again), ["ACK"]);
    assert_eq!(night.end(), Some((Cause::Refused, Some(407))));
}

#[test]
fn a_challenged_bye_is_sent_again_with_credentials() {
    let mut night = Night::new();
    night.up();
    night.agent.hang_up(night.now, LEG, &mut night.out);
    night.done();
    let challenge = night.answer(&Method::Bye, 401, "phone", "");
    assert_eq!(night.hears(&challenge), ["BYE"]);
    assert!(night.last(&Method::Bye).header(&Name::Authorization).is_some());
    let challenge = night.answer(&Method::Bye, 401, "phone", "");
    assert_eq!(night.hears(&challenge), Vec::<String>::new());
    assert_eq!(night.end(), Some((Cause::Us, Some(200))));
}

#[test]
fn a_wrong_password_ends_the_call_with_a_clear_reason() {
    let mut night = Night::new();
    night.dial();
    for words in [vec!["ACK", "INVITE"], vec!["ACK"]] {
        let challenge = night.answer(&Method::Invite, 407, "p", "");
        assert_eq!(night.hears(&challenge), words);
    }
    assert_eq!(night.end(), Some((Cause::Refused, Some(407))));
}

#[test]
fn an_unanswered_call_of_a_former_life_is_cancelled_whichever_try_it_was_in() {
    let mut night = Night::new();
    let handle = night.dial();
    let challenge = night.answer(&Method::Invite, 407, "p", "");
    assert_eq!(night.hears(&challenge), ["ACK", "INVITE"]);
    let invite = night.last(&Method::Invite).clone();

    let mut next = Night::with(Trunk { allow_from: Vec::new(), ..trunk(peer()) }, 2);
    next.agent.recover(next.now, &handle, &mut next.out);
    assert_eq!(next.done(), ["CANCEL"; 4]);
    let cancel = next.sent.iter().find(|m| m.via().unwrap().branch() == invite.via().unwrap().branch()).unwrap();
    assert_eq!((cancel.uri(), cancel.cseq().unwrap().number), (invite.uri(), 2));
    for name in [Name::Via, Name::From, Name::To, Name::CallId] {
        assert_eq!(cancel.header(&name), invite.header(&name));
    }
    // The INVITE's own answer is acknowledged, though this life never sent it.
    let terminated = Message::parse(&Builder::response(&invite, 487).to_tag("phone").finish()).unwrap();
    assert_eq!(next.hears(&terminated), ["ACK"]);
    next.wait(Duration::from_secs(60));
    assert!(next.agent.is_idle());
    assert_eq!(next.events, []);
}

#[test]
fn a_call_that_was_answered_while_we_were_dead_is_ended() {
    let mut night = Night::new();
    let handle = night.dial();
    let answer = night.answer(&Method::Invite, 200, "phone", SDP_PCMU);

    let mut next = Night::with(Trunk { allow_from: Vec::new(), ..trunk(peer()) }, 2);
    next.agent.recover(next.now, &handle, &mut next.out);
    next.done();
    assert_eq!(next.hears(&answer), ["ACK", "BYE"]);

    // Without a handle too, as long as it comes from the trunk.
    let mut next = Night::with(Trunk { allow_from: Vec::new(), ..trunk(peer()) }, 3);
    assert_eq!(next.hears(&answer), ["ACK", "BYE"]);
    assert_eq!(next.hears(&answer), ["ACK"]);
    let stranger = SocketAddr::from(([203, 0, 113, 1], 5060));
    let mut next = Night::with(Trunk { allow_from: Vec::new(), ..trunk(peer()) }, 4);
    assert_eq!(next.hears_from(stranger, &answer), Vec::<String>::new());
}

#[test]
fn an_answered_call_of_a_former_life_gets_its_bye() {
    let mut night = Night::new();
    night.up();
    let mut next = Night::with(Trunk { allow_from: Vec::new(), ..trunk(peer()) }, 2);
    next.agent.recover(next.now, &night.handle(), &mut next.out);
    assert_eq!(next.done(), ["BYE"]);
    let (bye, ack) = (next.last(&Method::Bye), night.last(&Method::Ack));
    for name in [Name::From, Name::To, Name::CallId] {
        assert_eq!(bye.header(&name), ack.header(&name));
    }
    assert!(bye.cseq().unwrap().number > ack.cseq().unwrap().number);
    for nonsense in ["", "i1", "d1 main x", "🔔"] {
        next.agent.recover(next.now, nonsense, &mut next.out);
    }
    assert_eq!(next.done(), Vec::<String>::new());
}

#[test]
fn in_the_dialog_requests_follow_the_route_set_to_the_remote_target() {
    let mut night = Night::new();
    night.dial();
    let answer = Edit::of(&night.answer(&Method::Invite, 200, "phone", SDP_PCMU))
        .push_front(Name::RecordRoute, "<sip:192.0.2.3;lr>, <sip:192.0.2.2:5070;lr>")
        .set(Name::Contact, "<sip:phone@192.0.2.9:5062>")
        .finish();
    night.agent.on_datagram(night.now, peer(), &answer, &mut night.out);
    let sent: Vec<Output> = night.out.drain().filter(|output| matches!(output, Output::Send { .. })).collect();
    let [Output::Send { to, bytes }] = sent.as_slice() else { panic!("{sent:?}") };
    let ack = Message::parse(bytes).unwrap();
    assert_eq!(*to, SocketAddr::from(([192, 0, 2, 2], 5070)));
    assert_eq!(ack.uri(), Some("sip:phone@192.0.2.9:5062"));
    assert_eq!(ack.list(&Name::Route).collect::<Vec<_>>(), ["<sip:192.0.2.2:5070;lr>", "<sip:192.0.2.3;lr>"]);
}

#[test]
fn an_outside_caller_is_announced_with_the_asserted_number() {
    let mut night = Night::new();
    let invite = Edit::of(&asks(Method::Invite, 1, "caller", "", SDP_PCMU))
        .set(Name::PAssertedIdentity, "\"Yamada\" <sip:+818011112222@pbx.example>, <tel:+818011112222>")
        .finish();
    let words = night.hears(&Message::parse(&invite).unwrap());
    assert_eq!(words, ["100"]);
    let [Event::Incoming { leg, caller, dialled, .. }] = night.events.as_slice() else { panic!("{:?}", night.events) };
    assert_eq!((leg.0, caller.as_str(), dialled.as_str()), (u32::MAX, "+818011112222", "hansho"));
}

#[test]
fn a_stranger_gets_no_answer_and_is_counted() {
    let mut night = Night::new();
    let stranger = SocketAddr::from(([203, 0, 113, 1], 5060));
    // Nobody registers here either, where no registrar is configured.
    for method in [Method::Invite, Method::Options, Method::Bye, Method::Cancel, Method::Ack, Method::Register] {
        let request = asks(method, 1, "caller", "", "");
        assert_eq!(night.hears_from(stranger, &request), Vec::<String>::new());
    }
    assert_eq!(night.agent.counts().strangers, 6);
    assert!(night.events.is_empty() && night.agent.is_idle());
}

#[test]
fn what_we_do_not_do_is_refused_in_the_proper_way() {
    let changed = |request: Message, name: Name, value: &str| {
        Message::parse(&Edit::of(&request).set(name, value).finish()).unwrap()
    };
    let invite = || asks(Method::Invite, 1, "caller", "", SDP_PCMU);
    let wrong_body = asks(Method::Invite, 1, "caller", "", "hello");
    let cases = [
        ("an unknown extension", changed(invite(), Name::Require, "100rel, x, y"), "420"),
        ("a body of another kind", changed(wrong_body, Name::ContentType, "text/plain"), "415"),
        ("no codec in common", asks(Method::Invite, 1, "caller", "", super::bench::SDP_G729), "488"),
        ("no dialog of ours", asks(Method::Invite, 1, "caller", "nobody", SDP_PCMU), "481"),
        ("a BYE out of nowhere", asks(Method::Bye, 1, "caller", "nobody", ""), "481"),
        ("a CANCEL of nothing", asks(Method::Cancel, 1, "caller", "", ""), "481"),
        ("a transfer", asks(Method::Refer, 1, "caller", "", ""), "405"),
        ("an event nobody asked for", asks(Method::Notify, 1, "caller", "", ""), "489"),
        ("a method of tomorrow", asks(Method::Other("DANCE".into()), 1, "caller", "", ""), "501"),
        ("no CSeq", changed(invite(), Name::CSeq, "x"), "400"),
        ("capabilities", asks(Method::Options, 1, "caller", "", ""), "200"),
        ("capabilities of this hop", changed(asks(Method::Options, 1, "c", "", ""), Name::MaxForwards, "0"), "200"),
        ("its last hop", changed(asks(Method::Refer, 1, "caller", "", ""), Name::MaxForwards, "0"), "405"),
    ];
    for (what, request, code) in cases {
        let mut night = Night::new();
        assert_eq!(night.hears(&request), [code], "{what}");
        assert!(night.events.is_empty(), "{what}");
        let response = night.sent.last().unwrap();
        assert!(response.to().unwrap().tag().is_some(), "{what}");
        match code {
            "405" | "501" => assert!(response.header(&Name::Allow).is_some()),
            "420" => assert_eq!(response.header(&Name::Unsupported), Some("x, y")),
            "415" => assert_eq!(response.header(&Name::Accept), Some("application/sdp, multipart/mixed")),
            _ => {}
        }
    }
}

#[test]
fn a_request_that_came_two_ways_is_taken_once() {
    let mut night = Night::new();
    let first = asks(Method::Invite, 1, "caller", "", SDP_PCMU);
    let via = "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKother;rport";
    let second = Message::parse(&Edit::of(&first).set(Name::Via, via).finish()).unwrap();
    assert_eq!(night.hears(&first), ["100"]);
    assert_eq!(night.hears(&second), ["482"]);
    assert_eq!(night.hears(&first), ["100"]);
    assert_eq!(night.events.len(), 1);
    assert_eq!(night.agent.counts().copies, 1);
}

#[test]
fn a_caller_who_never_acknowledges_is_hung_up_after_32_seconds() {
    let mut night = Night::new();
    night.hears(&asks(Method::Invite, 1, "caller", "", SDP_PCMU));
    night.agent.accept(night.now, LegId(u32::MAX), 20_000, &mut night.out);
    assert_eq!(night.done(), ["200"]);
    let words = night.wait(Duration::from_secs(33));
    assert_eq!(words.iter().filter(|word| *word == "200").count(), 10);
    assert_eq!(words.iter().find(|word| *word != "200").map(String::as_str), Some("BYE"));
    night.wait(Duration::from_secs(40));
    assert_eq!(night.end(), Some((Cause::Timeout, Some(200))));
    assert!(night.agent.is_idle());
}

#[test]
fn a_caller_nobody_answers_is_turned_away_in_the_end() {
    let mut night = Night::new();
    night.hears(&asks(Method::Invite, 1, "caller", "", SDP_PCMU));
    let words = night.wait(Duration::from_secs(181));
    assert_eq!(words.first().map(String::as_str), Some("480"));
    assert_eq!(night.end(), Some((Cause::Timeout, Some(480))));
}

#[test]
fn the_words_of_a_reason_header_are_kept() {
    let mut night = Night::new();
    night.up();
    let ours = night.last(&Method::Invite).from().unwrap().tag().unwrap().to_owned();
    let call_id = night.last(&Method::Invite).call_id().unwrap().to_owned();
    let bye = Edit::of(&asks(Method::Bye, 9, "phone", &ours, ""))
        .set(Name::CallId, call_id)
        .set(Name::Reason, "Q.850;cause=16;text=\"Normal call clearing\"")
        .finish();
    assert_eq!(night.hears(&Message::parse(&bye).unwrap()), ["200"]);
    let Some(Event::Ended { end, .. }) = night.events.last() else { panic!("{:?}", night.events) };
    assert_eq!(end.reason, "Normal call clearing");
    // Its 200 may be lost; the copy is answered although the call is over.
    assert_eq!(night.hears(&Message::parse(&bye).unwrap()), ["200"]);
}

#[test]
fn at_the_end_everything_is_hung_up_and_nobody_is_let_in() {
    let mut night = Night::with(Trunk { register: true, allow_from: Vec::new(), ..trunk(peer()) }, 1);
    night.agent.start(night.now, &mut night.out);
    assert_eq!(night.done(), ["REGISTER"]);
    let yes = night.answer(&Method::Register, 200, "r", "");
    night.hears(&yes);
    assert!(night.agent.trunks().next().unwrap().registered);
    night.up();
    night.agent.stop(night.now, &mut night.out);
    assert_eq!(night.done(), ["BYE", "REGISTER"]);
    assert!(!night.agent.is_idle());
    let (bye, leave) = (night.answer(&Method::Bye, 200, "phone", ""), night.answer(&Method::Register, 200, "r", ""));
    night.hears(&bye);
    night.hears(&leave);
    assert!(night.agent.is_idle());
    assert!(!night.agent.trunks().next().unwrap().registered);
    assert_eq!(night.hears(&asks(Method::Invite, 1, "caller", "", SDP_PCMU)), ["480"]);
    let refused = night.agent.dial(night.now, LegId(2), &main_trunk(), &number(), 1, &mut night.out);
    assert_eq!(refused, Err(crate::sip::DialError::Stopping));
}

#[test]
fn a_trunk_that_is_not_registered_at_is_ready_when_its_address_is_known() {
    let mut night = Night::with(Trunk { proxy: None, ..trunk(peer()) }, 1);
    night.agent.start(night.now, &mut night.out);
    night.done();
    assert!(night.events.is_empty() && !night.agent.trunks().next().unwrap().registered);
    let refused = night.agent.dial(night.now, LEG, &main_trunk(), &number(), 1, &mut night.out);
    assert_eq!(refused, Err(crate::sip::DialError::NoAddress));
    let nowhere = || Err("there is no such name".to_owned());
    night.agent.on_trunk_address(night.now, &main_trunk(), nowhere(), &mut night.out);
    night.done();
    let said = |night: &Night| night.agent.trunks().next().unwrap().last_reason;
    assert_eq!((night.events.drain(..).count(), said(&night).as_str()), (1, "there is no such name"));
    night.agent.on_trunk_address(night.now, &main_trunk(), Ok(vec![peer()].into()), &mut night.out);
    night.done();
    assert_eq!(said(&night), "");
    assert_eq!(night.events, [Event::Registered { trunk: main_trunk(), expires_s: 0 }]);
    night.dial();
    assert_eq!(night.last(&Method::Invite).uri(), Some("sip:+818012345678@pbx.example"));
    assert_eq!(night.last(&Method::Invite).via().unwrap().host_str(), us().ip().to_string());
}

#[test]
fn a_trunk_is_asked_whether_it_is_there_as_soon_as_its_address_is_known() {
    let every = Some(Duration::from_secs(60));
    let mut night = Night::with(Trunk { proxy: None, asked_every: every, ..trunk(peer()) }, 1);
    night.agent.start(night.now, &mut night.out);
    assert_eq!(night.wait(Duration::from_millis(5)), [""; 0]);
    night.agent.on_trunk_address(night.now, &main_trunk(), Ok(vec![peer()].into()), &mut night.out);
    assert_eq!(night.done(), ["OPTIONS"]);
}

#[test]
fn a_flood_of_invites_is_turned_away_when_the_house_is_full() {
    let mut night = Night::new();
    for seq in 0..crate::sip::MAX_CALLS {
        let seq = u32::try_from(seq).unwrap();
        night.agent.on_datagram(
            night.now,
            peer(),
            &Edit::of(&asks(Method::Invite, seq, "caller", "", SDP_PCMU)).finish(),
            &mut night.out,
        );
    }
    night.done();
    assert_eq!(night.events.len(), crate::sip::MAX_CALLS);
    assert_eq!(night.hears(&asks(Method::Invite, 9_999, "caller", "", SDP_PCMU)), ["503"]);
    assert_eq!(night.agent.counts().refused, 1);
    let refused = night.agent.dial(night.now, LEG, &main_trunk(), &number(), 1, &mut night.out);
    assert_eq!(refused, Err(crate::sip::DialError::Full));
}

#[test]
fn a_datagram_no_trunk_would_send_is_dropped() {
    let mut night = Night::new();
    let huge = Edit::of(&asks(Method::Options, 1, "a", "", "")).set(Name::Subject, "x".repeat(20_000)).finish();
    let stranger: core::net::SocketAddr = ([203, 0, 113, 1], 5060).into();
    night.agent.on_datagram(night.now, stranger, &huge, &mut night.out);
    night.agent.on_datagram(night.now, peer(), b"\r\n\r\n", &mut night.out);
    night.agent.on_datagram(night.now, peer(), b"hello", &mut night.out);
    assert_eq!(night.done(), Vec::<String>::new());
    assert_eq!(night.agent.counts().malformed, 2);
    // The trunk itself is told what was wrong with it.
    night.agent.on_datagram(night.now, peer(), &huge, &mut night.out);
    assert_eq!((night.done(), night.agent.counts().malformed), (vec!["513".to_owned()], 3));
}
