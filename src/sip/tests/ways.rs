//! Several ways to one telephone: the targets of a trunk, and several trunks.

use core::net::SocketAddr;
use core::time::Duration;

use super::bench::{SDP_PCMU, left, us};
use super::world::{number, trunk};
use crate::base::{LegId, Outbox, Time, TrunkId};
use crate::sip::{Agent, CallerIn, Cause, Event, Hop, Identity, Output, Trunk, Whereabouts};
use crate::wire::sip::{Builder, Message, Method, Name};

mod inbound;
mod silence;
mod tcp;

const LEG: LegId = LegId(1);

fn hop(last: u8) -> Hop {
    Hop::udp(SocketAddr::from(([192, 0, 2, last], 5060)))
}

fn last(hop: Hop) -> String {
    hop.to_string().replace("192.0.2.", "").replace(":5060", "")
}

fn id(name: &str) -> TrunkId {
    TrunkId::parse(name).unwrap()
}

struct Night {
    agent: Agent,
    now: Time,
    out: Outbox<Output>,
    sent: Vec<(Hop, Message)>,
    events: Vec<Event>,
}

impl Night {
    /// `main` at two targets, `spare` at one.
    fn new(change: impl Fn(Trunk) -> Trunk) -> Night {
        let of = |name: &str, proxy: Hop| change(Trunk { id: id(name), allow_from: Vec::new(), ..trunk(proxy) });
        let identity =
            Identity { local: us(), media_address: us().ip(), user_agent: "hansho-test".into(), doors: Vec::new() };
        let agent = Agent::new(identity, vec![of("main", hop(1)), of("spare", hop(3))], 1);
        let mut night = Night { agent, now: Time::ZERO, out: Outbox::new(), sent: Vec::new(), events: Vec::new() };
        night.agent.on_trunk_address(night.now, &id("main"), Ok(vec![hop(1), hop(2)].into()), &mut night.out);
        night.agent.start(night.now, &mut night.out);
        night
    }

    /// What left the house, and to whom: `1 INVITE`.
    fn done(&mut self) -> Vec<String> {
        let sent = left(&mut self.out, &mut self.events);
        let words = sent.iter().map(|(to, message)| format!("{} {}", last(*to), message.method())).collect();
        self.sent.extend(sent);
        words
    }

    fn dials(&mut self) -> Vec<String> {
        let (now, out) = (self.now, &mut self.out);
        self.agent.dial(now, LEG, &id("main"), &number(), 30_000, out).unwrap();
        self.agent.also_over(now, LEG, &[id("spare")]);
        self.done()
    }

    /// The last request is answered with this.
    fn hears(&mut self, code: u16) -> Vec<String> {
        let (from, request) = self.sent.iter().rev().find(|(_, m)| m.method() != Method::Ack).cloned().unwrap();
        self.says(from, &request, code)
    }

    /// The last request that went there is answered with this.
    fn hears_at(&mut self, there: Hop, code: u16) -> Vec<String> {
        let there = |(to, m): &&(Hop, Message)| *to == there && m.method() != Method::Ack;
        let (from, request) = self.sent.iter().rev().find(there).cloned().unwrap();
        self.says(from, &request, code)
    }

    fn says(&mut self, from: Hop, request: &Message, code: u16) -> Vec<String> {
        let answer = Builder::response(request, code).to_tag("there").header(Name::RetryAfter, "600");
        let answer = answer.header(Name::Contact, format!("<sip:phone@{}>", from.address)).finish();
        self.agent.on_datagram(self.now, from, &answer, &mut self.out);
        self.done()
    }

    fn waits(&mut self, pause: Duration) -> Vec<String> {
        let until = self.now + pause;
        while let Some(due) = self.agent.next_deadline().filter(|due| *due <= until) {
            self.now = due.max(self.now);
            self.agent.on_deadline(self.now, &mut self.out);
        }
        self.now = until;
        let mut words = self.done();
        words.dedup();
        words
    }

    /// Where the call went: `main 2`.
    fn ways(&self) -> Vec<String> {
        let ways = self.events.iter().filter_map(|event| match event {
            Event::Rerouted { trunk, target, .. } => Some(format!("{trunk} {}", last(target.unwrap()))),
            _ => None,
        });
        ways.collect()
    }

    /// Whose targets failed: `main 1 60 s, 2 next`.
    fn failed(&self) -> Vec<String> {
        let failed = self.events.iter().filter_map(|event| match event {
            Event::TargetFailed { trunk, target, rest_s, next, .. } => {
                let next = next.map(|next| format!(", {} next", last(next))).unwrap_or_default();
                Some(format!("{trunk} {} {rest_s} s{next}", last(*target)))
            }
            _ => None,
        });
        failed.collect()
    }

    fn end(&self) -> Option<(Cause, Option<u16>)> {
        self.events.iter().find_map(|event| match event {
            Event::Ended { end, .. } => Some((end.cause, end.code)),
            _ => None,
        })
    }
}

#[test]
fn a_call_goes_over_the_next_target_and_then_over_the_next_trunk_while_nothing_answers() {
    let mut night = Night::new(|trunk| trunk);
    assert_eq!(night.dials(), ["1 INVITE"]);
    assert_eq!(night.waits(Duration::from_secs(5)), ["1 INVITE", "2 INVITE"]);
    assert_eq!(night.waits(Duration::from_secs(5)), ["2 INVITE", "3 INVITE"]);
    assert_eq!(night.end(), None);
    assert_eq!(night.ways(), ["main 2", "spare 3"]);
    assert_eq!(night.failed(), ["main 1 60 s, 2 next", "main 2 60 s"]);
    // The last way has all the time there is.
    assert_eq!(night.waits(Duration::from_secs(31)), ["3 INVITE"]);
    assert_eq!(night.end(), None);
    night.waits(Duration::from_secs(2));
    assert_eq!(night.end(), Some((Cause::Timeout, None)));
}

#[test]
fn what_is_the_trunk_s_fault_leads_on_and_what_is_about_the_callee_does_not() {
    for code in [400, 403, 408, 415, 420, 483, 488, 500, 502, 504, 606, 600, 603, 486, 404, 480, 484, 410] {
        let mut night = Night::new(|trunk| trunk);
        night.dials();
        let done = night.hears(code);
        if matches!(code, 400..=403 | 408 | 415 | 420 | 483 | 488 | 500..600 | 606) {
            assert_eq!(done, ["1 ACK", "3 INVITE"], "{code}");
            assert_eq!(night.end(), None);
        } else {
            assert_eq!(done, ["1 ACK"], "{code}");
            assert_eq!(night.end(), Some((Cause::Refused, Some(code))));
        }
    }
}

#[test]
fn what_the_telephone_network_says_counts_where_the_status_leaves_it_open() {
    let ends = |code: u16, cause: u8| {
        let mut night = Night::new(|trunk| trunk);
        night.dials();
        let (from, invite) = night.sent.last().cloned().unwrap();
        let answer = Builder::response(&invite, code).to_tag("there");
        let answer = answer.header(Name::Reason, format!("Q.850;cause={cause}")).finish();
        night.agent.on_datagram(night.now, from, &answer, &mut night.out);
        night.done();
        (night.ways(), night.failed(), night.end())
    };
    // Busy: that is about the callee, and the gateway that says so is well.
    for code in [480, 500, 503] {
        assert_eq!(ends(code, 17), (vec![], vec![], Some((Cause::Network(486), Some(code)))));
    }
    // No line free: another trunk may have one, and nobody's telephone rang.
    for code in [480, 500] {
        assert_eq!(ends(code, 34), (vec!["spare 3".to_owned()], vec![], None));
    }
    assert_eq!(ends(480, 19), (vec![], vec![], Some((Cause::Refused, Some(480)))));
}

#[test]
fn what_rang_is_not_rung_again_over_another_trunk() {
    let mut night = Night::new(|trunk| trunk);
    night.dials();
    night.hears(180);
    assert_eq!(night.hears(408), ["1 ACK"]);
    assert_eq!(night.end(), Some((Cause::Refused, Some(408))));
}

#[test]
fn a_target_that_says_503_is_left_alone_for_as_long_as_it_wants() {
    let mut night = Night::new(|trunk| trunk);
    night.dials();
    assert_eq!(night.hears(503), ["1 ACK", "2 INVITE"]);
    night.hears(486);
    night.now = night.now + Duration::from_secs(599);
    assert_eq!(night.dials(), ["2 INVITE"]);
    night.hears(486);
    night.now = night.now + Duration::from_secs(2);
    assert_eq!(night.dials(), ["1 INVITE"]);
}

#[test]
fn a_trunk_whose_every_target_failed_is_known_to_rest_and_may_be_tried_all_the_same() {
    let mut night = Night::new(|trunk| trunk);
    night.dials();
    night.hears(503);
    assert!(!night.agent.rests(night.now, &id("main")));
    assert_eq!(night.hears(503), ["2 ACK", "3 INVITE"]);
    assert!(night.agent.rests(night.now, &id("main")) && !night.agent.rests(night.now, &id("spare")));
    night.hears(486);
    assert_eq!(night.dials(), ["1 INVITE"]);
    // Whatever it says but 503 shows that it is there.
    night.hears(100);
    assert!(!night.agent.rests(night.now, &id("main")));
}

#[test]
fn a_trunk_that_is_only_slow_rings_nobody_once_the_call_went_another_way() {
    let mut night = Night::new(|trunk| trunk);
    night.dials();
    night.waits(Duration::from_secs(5));
    let slow = night.sent.iter().find(|(to, _)| *to == hop(1)).map(|(_, invite)| invite.clone()).unwrap();
    assert_eq!(night.says(hop(1), &slow, 180), ["1 CANCEL"]);
    assert_eq!(night.end(), None, "the call goes on over the other target");
    // It was answered all the same: acknowledged, and ended.
    assert_eq!(night.says(hop(1), &slow, 200), ["1 ACK", "1 BYE"]);
    assert_eq!(night.hears_at(hop(2), 486), ["2 ACK"]);
    assert_eq!(night.end(), Some((Cause::Refused, Some(486))));
}

#[test]
fn where_there_is_no_other_way_an_invite_waits_as_long_as_the_standard_says() {
    let mut night = Night::new(|trunk| trunk);
    night.agent.dial(night.now, LEG, &id("spare"), &number(), 30_000, &mut night.out).unwrap();
    assert_eq!(night.waits(Duration::from_secs(31)), ["3 INVITE"]);
    assert_eq!(night.end(), None);
    night.waits(Duration::from_secs(2));
    assert_eq!(night.end(), Some((Cause::Timeout, None)));
    assert_eq!(night.failed(), ["spare 3 60 s"]);
}

#[test]
fn the_next_trunk_at_the_same_address_is_another_account_and_is_tried() {
    let mut night = Night::new(|trunk| trunk);
    night.agent.on_trunk_address(night.now, &id("spare"), Ok(vec![hop(1)].into()), &mut night.out);
    night.dials();
    assert_eq!(night.hears(403), ["1 ACK", "1 INVITE"]);
    assert_eq!(night.ways(), ["spare 1"]);
    assert_eq!(night.hears(403), ["1 ACK"]);
    assert_eq!(night.end(), Some((Cause::Refused, Some(403))));
}

#[test]
fn a_trunk_whose_calls_are_all_up_is_passed_over() {
    let mut night = Night::new(|trunk| Trunk { max_calls: if trunk.id == id("spare") { 1 } else { 0 }, ..trunk });
    night.agent.dial(night.now, LegId(7), &id("spare"), &number(), 30_000, &mut night.out).unwrap();
    night.done();
    night.dials();
    assert_eq!(night.hears(403), ["1 ACK"]);
    assert_eq!(night.end(), Some((Cause::Refused, Some(403))));
}

#[test]
fn a_call_that_somebody_ended_does_not_go_another_way() {
    let mut night = Night::new(|trunk| trunk);
    night.dials();
    night.hears(100);
    night.agent.hang_up(night.now, LEG, &mut night.out);
    assert_eq!(night.done(), ["1 CANCEL"]);
    night.waits(Duration::from_secs(40));
    assert_eq!((night.end().map(|(cause, _)| cause), night.ways().len()), (Some(Cause::Us), 0));
}

#[test]
fn a_telephone_that_is_gone_says_nothing_about_its_trunk() {
    let mut night = Night::new(|trunk| trunk);
    night.agent.send_message(night.now, 1, &id("main"), &number(), "hello", &mut night.out).unwrap();
    night.waits(Duration::from_secs(40));
    assert!(night.events.iter().any(|event| matches!(event, Event::MessageFailed { .. })));
    assert_eq!(night.failed(), [""; 0]);
}

#[test]
fn a_registration_goes_to_the_next_target_at_once() {
    let mut night = Night::new(|trunk| Trunk { register: true, ..trunk });
    night.done();
    let sent =
        |night: &Night| night.sent.iter().filter(|(to, m)| *to == hop(2) && m.method() == Method::Register).count();
    night.waits(Duration::from_secs(5));
    assert_eq!(sent(&night), 1);
}

#[test]
fn a_trunk_that_is_asked_and_does_not_answer_is_away_until_it_does() {
    let mut night = Night::new(|trunk| Trunk { asked_every: Some(Duration::from_secs(60)), ..trunk });
    night.done();
    let up = |night: &Night| night.agent.trunks().map(|trunk| trunk.registered).collect::<Vec<_>>();
    assert_eq!(up(&night), [true, true]);
    night.waits(Duration::from_secs(25));
    assert_eq!(up(&night), [false, false]);
    let (from, request) = night.sent.iter().rev().find(|(to, _)| *to == hop(3)).unwrap();
    let answer = Builder::response(request, 405).to_tag("there").finish();
    night.agent.on_datagram(night.now, *from, &answer, &mut night.out);
    night.done();
    assert_eq!(up(&night), [false, true]);
}

#[test]
fn a_trunk_that_wants_to_be_left_alone_is_not_asked_before() {
    let mut night = Night::new(|trunk| Trunk { asked_every: Some(Duration::from_secs(60)), ..trunk });
    night.agent.on_deadline(night.now, &mut night.out);
    night.done();
    // With a Retry-After of ten minutes.
    night.hears_at(hop(3), 503);
    let asked = |night: &Night| night.sent.iter().filter(|(to, _)| *to == hop(3)).count();
    let before = asked(&night);
    night.waits(Duration::from_secs(599));
    assert_eq!(asked(&night), before);
    night.waits(Duration::from_millis(1_200));
    assert_eq!(asked(&night), before + 1);
}

#[test]
fn each_trunk_is_told_our_address_on_the_way_to_it_in_via_contact_and_sdp() {
    let mut night = Night::new(|trunk| trunk);
    let local = core::net::IpAddr::from([198, 51, 100, 9]).into();
    let there = Whereabouts { targets: vec![hop(3)], local };
    night.agent.on_trunk_address(night.now, &id("spare"), Ok(there), &mut night.out);
    night.dials();
    night.hears(403);
    let said = |to: Hop| {
        let (_, invite) = night.sent.iter().find(|(at, m)| *at == to && m.method() == Method::Invite).unwrap();
        let sdp = String::from_utf8_lossy(invite.body()).into_owned();
        let media = sdp.lines().find_map(|line| line.strip_prefix("c=IN IP4 ")).unwrap().to_owned();
        let contact = invite.header(&Name::Contact).unwrap().to_owned();
        (invite.via().unwrap().host_str().to_owned(), contact, media)
    };
    let ours = us().ip().to_string();
    assert_eq!(said(hop(1)), (ours.clone(), format!("<sip:hansho@{ours}:5060>"), ours));
    let there = "198.51.100.9".to_owned();
    assert_eq!(said(hop(3)), (there.clone(), "<sip:hansho@198.51.100.9:5060>".to_owned(), there));
}

#[test]
fn a_trunk_that_sees_us_behind_a_nat_is_registered_at_anew_and_the_former_contact_is_taken_back() {
    let mut night = Night::new(|trunk| Trunk { register: trunk.id == id("main"), ..trunk });
    night.done();
    let contacts = |night: &Night| {
        let (_, register) = night.sent.iter().rev().find(|(_, m)| m.method() == Method::Register).unwrap();
        register.list(&Name::Contact).map(str::to_owned).collect::<Vec<_>>()
    };
    let ours = us();
    let granted = |contact: &str| format!("<sip:hansho@{contact}>;expires=300");
    assert_eq!(contacts(&night), [granted(&ours.to_string())]);
    let answers = |night: &mut Night, seen: &str, contact: &str| {
        let (from, register) = night.sent.iter().rev().find(|(_, m)| m.method() == Method::Register).cloned().unwrap();
        let answer = Builder::response(&register, 200).received_from(seen.parse().unwrap()).to_tag("there");
        let answer = answer.header(Name::Contact, granted(contact)).finish();
        night.agent.on_datagram(night.now, from, &answer, &mut night.out);
        night.done()
    };
    assert_eq!(answers(&mut night, "203.0.113.5:40123", &ours.to_string()), [""; 0]);
    assert_eq!(night.waits(Duration::from_millis(1)), ["1 REGISTER"]);
    assert_eq!(contacts(&night), [granted("203.0.113.5:40123"), format!("<sip:hansho@{ours}>;expires=0")]);
    // It sees us where we say now, and that is the end of it.
    answers(&mut night, "203.0.113.5:40123", "203.0.113.5:40123");
    assert_eq!(night.waits(Duration::from_secs(30)), [""; 0]);
    assert_eq!(night.agent.trunks().next().unwrap().seen_as, "203.0.113.5:40123".parse().ok());
    // A NAT that gives us another port each time does not make us register for ever.
    night.waits(Duration::from_secs(200));
    answers(&mut night, "203.0.113.5:40200", "203.0.113.5:40123");
    night.waits(Duration::from_millis(1));
    answers(&mut night, "203.0.113.5:40300", "203.0.113.5:40200");
    assert_eq!(night.waits(Duration::from_secs(50)), [""; 0]);
    assert_eq!(night.waits(Duration::from_secs(12)), ["1 REGISTER"]);
}

#[test]
fn a_request_that_is_too_long_for_a_datagram_goes_over_tcp_and_as_a_datagram_where_nobody_takes_a_connection() {
    let long = "b".repeat(128);
    let both = CallerIn { from: true, asserted: true, preferred: true };
    let mut night = Night::new(|trunk| Trunk { username: long.clone(), caller_in: both, ..trunk });
    night.dials();
    let (to, invite) = night.sent.last().cloned().unwrap();
    assert_eq!((to, invite.via().unwrap().transport), (Hop::tcp(hop(1).address), "TCP"));
    night.agent.on_lost(night.now, to, "nobody listens there", &mut night.out);
    assert_eq!(night.done(), ["1 INVITE"]);
    let (to, again) = night.sent.last().cloned().unwrap();
    assert_eq!((to, again.via().unwrap().transport), (hop(1), "UDP"));
    assert_eq!((again.call_id(), again.cseq().unwrap().number), (invite.call_id(), 2));
    assert_eq!((night.ways().len(), night.failed().len(), night.end()), (0, 0, None));
    night.hears(486);
    // It is known from now on, and a short request was never in question.
    night.dials();
    assert_eq!(night.sent.last().unwrap().0, hop(1));
    let mut short = Night::new(|trunk| trunk);
    short.dials();
    assert_eq!(short.sent.last().unwrap().0, hop(1));
}

#[test]
fn whatever_is_too_long_for_a_datagram_goes_as_one_where_nobody_takes_a_connection() {
    let long = "b".repeat(400);
    let all = |trunk: Trunk| Trunk { username: long.clone(), register: true, ..trunk };
    let mut night = Night::new(all);
    night.done();
    let over_tcp = |night: &Night, last: u8, method: Method| {
        let (to, message) = night.sent.last().unwrap();
        (*to, message.method()) == (Hop::tcp(hop(last).address), method)
    };
    assert!(over_tcp(&night, 3, Method::Register));
    night.agent.on_lost(night.now, Hop::tcp(hop(3).address), "nobody listens there", &mut night.out);
    assert_eq!(night.done(), ["3 REGISTER"]);
    assert_eq!((night.sent.last().unwrap().0, night.failed().len()), (hop(3), 0));

    let mut night = Night::new(|trunk| Trunk { username: "b".repeat(500), ..trunk });
    night.done();
    let text = "x".repeat(600);
    night.agent.send_message(night.now, 1, &id("spare"), &number(), &text, &mut night.out).unwrap();
    night.done();
    assert!(over_tcp(&night, 3, Method::Message));
    night.agent.on_lost(night.now, Hop::tcp(hop(3).address), "nobody listens there", &mut night.out);
    assert_eq!(night.done(), ["3 MESSAGE"]);
    assert_eq!(night.sent.last().unwrap().0, hop(3));
    assert!(!night.events.iter().any(|event| matches!(event, Event::MessageFailed { .. })));
}

#[test]
fn a_trunk_that_breaks_off_after_a_100_is_left_for_the_next_and_after_a_180_it_is_not() {
    let breaks_off = |code: u16| {
        let over_tcp = |hop: Hop| Some(Hop::tcp(hop.address));
        let mut night = Night::new(|trunk| Trunk { proxy: trunk.proxy.and_then(over_tcp).or(trunk.proxy), ..trunk });
        let there = Hop::tcp(hop(1).address);
        night.agent.on_trunk_address(night.now, &id("main"), Ok(vec![there].into()), &mut night.out);
        night.done();
        night.dials();
        assert_eq!(night.sent.last().unwrap().0, there);
        night.hears(code);
        night.agent.on_lost(night.now, there, "the far end broke the connection off", &mut night.out);
        let sent: Vec<Method> = std::iter::repeat_with(|| night.out.pop())
            .map_while(|output| output)
            .filter_map(|output| match output {
                Output::Send { bytes, .. } => Some(Message::parse(&bytes).unwrap().method()),
                Output::Event(event) => {
                    night.events.push(event);
                    None
                }
            })
            .collect();
        (sent, night.events.iter().filter(|event| matches!(event, Event::Rerouted { .. })).count(), night.end())
    };
    assert_eq!(breaks_off(100), (vec![Method::Cancel, Method::Invite], 1, None));
    assert_eq!(breaks_off(180), (vec![], 0, None));
}

#[test]
fn a_connection_that_ends_by_itself_says_nothing_about_the_next_one() {
    let long = "b".repeat(128);
    let both = CallerIn { from: true, asserted: true, preferred: true };
    let mut night = Night::new(|trunk| Trunk { username: long.clone(), caller_in: both, ..trunk });
    night.dials();
    let there = Hop::tcp(hop(1).address);
    night.hears(486);
    night.agent.on_lost(night.now, there, "the far end closed the connection", &mut night.out);
    night.dials();
    assert_eq!(night.sent.last().unwrap().0, there);
}

#[test]
fn a_long_bye_goes_as_a_datagram_where_nobody_takes_a_connection() {
    let mut night = Night::new(|trunk| trunk);
    night.dials();
    let (from, invite) = night.sent.last().cloned().unwrap();
    let there = format!("<sip:{}@192.0.2.1;lr>", "r".repeat(1_200));
    let answer = Builder::response(&invite, 200).to_tag("there").header(Name::RecordRoute, there);
    let answer = answer.header(Name::Contact, "<sip:phone@192.0.2.1>").body("application/sdp", SDP_PCMU.as_bytes());
    night.agent.on_datagram(night.now, from, &answer.finish(), &mut night.out);
    night.done();
    night.agent.hang_up(night.now, LEG, &mut night.out);
    assert_eq!(night.done().len(), 1);
    let (to, bye) = night.sent.last().cloned().unwrap();
    assert_eq!((to, bye.method()), (Hop::tcp(hop(1).address), Method::Bye));
    night.agent.on_lost(night.now, to, "nobody listens there", &mut night.out);
    assert_eq!(night.done(), ["1 BYE"]);
    let (to, again) = night.sent.last().cloned().unwrap();
    assert_eq!((to, again.cseq().unwrap().number), (hop(1), bye.cseq().unwrap().number + 1));
}
