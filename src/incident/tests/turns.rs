//! Whose turn it is: who is passed over, who is on the phone, which call flow goes on.

use super::night::{Night, PAUSE, RING, id, phone, plan, s};
use crate::base::CallFlowId;
use crate::incident::{
    Answer, CallEnd, CallHandle, Contact, EndedBy, Fact, Incident, Order, Outcome, Plan, State, Strategy,
};

/// The plan of a, b and c, and behind it another of c and d.
fn two_lines(strategy: Strategy) -> Plan {
    let (mut first, mut second) = (plan(strategy), plan(strategy));
    second.call_flow.id = CallFlowId::parse("managers").unwrap();
    second.contacts.drain(..2);
    let d =
        Contact { id: id("d"), name: "D".to_owned(), phones: vec![phone("+8110000004")], ..second.contacts[0].clone() };
    second.contacts.push(d);
    first.then = Some(Box::new(second));
    first
}

#[test]
fn another_call_flow_goes_on_when_nobody_took_it() {
    let mut calls = two_lines(Strategy::Sequential);
    calls.call_flow.rounds = 2;
    let mut night = Night::begins(calls);
    night.wait(s(3_600));
    assert_eq!((night.dialled().as_str(), night.state()), ("a b c a b c c d", State::Exhausted));
    assert_eq!(night.record.escalated, [CallFlowId::parse("managers").unwrap()]);
    let exhausted = night.facts.iter().filter(|fact| **fact == Fact::Exhausted).count();
    assert_eq!((exhausted, night.record.round), (1, 3));
    assert_eq!(night.record.attempts[7].name, "D");
}

#[test]
fn the_other_call_flow_begins_at_once_and_whoever_takes_it_ends_it() {
    let mut night = Night::begins(two_lines(Strategy::Simultaneous));
    night.wait(RING);
    assert_eq!(night.dialled(), "a b c c d");
    night.answers("d");
    night.presses("d", '1');
    assert_eq!((night.state(), night.record.taken_by.clone()), (State::Acknowledged, vec![id("d")]));
}

#[test]
fn who_left_the_first_call_flow_is_not_called_by_the_next() {
    let mut night = Night::begins(two_lines(Strategy::Simultaneous));
    night.answers("c");
    night.presses("c", '5');
    night.hears_it_out("c");
    night.wait(RING);
    assert_eq!(night.dialled(), "a b c d");
}

#[test]
fn who_took_the_first_call_flow_alone_does_not_take_the_next() {
    let mut calls = two_lines(Strategy::Simultaneous);
    calls.call_flow.answer = Answer::All;
    let mut night = Night::begins(calls);
    night.answers("c");
    night.presses("c", '1');
    night.wait(RING);
    assert_eq!((night.dialled().as_str(), night.state()), ("a b c d", State::Calling));
    night.answers("d");
    night.presses("d", '1');
    assert_eq!(night.state(), State::Acknowledged);
}

#[test]
fn a_crash_between_two_call_flows_goes_on_with_the_next() {
    let mut night = Night::begins(two_lines(Strategy::Simultaneous));
    night.wait(RING);
    let cut = night.facts.iter().position(|fact| matches!(fact, Fact::Escalated { .. })).unwrap();
    let mut incident = Incident::replay(night.incident.id(), night.facts[..=cut].to_vec(), 7).unwrap();
    let mut out = Default::default();
    incident.on_resumed(night.now, &mut out);
    let dialled = out.iter().filter(|order| matches!(order, Order::Dial { .. })).count();
    assert_eq!((dialled, incident.state(), incident.plan().call_flow.id.as_str()), (2, State::Calling, "managers"));
}

#[test]
fn who_accepts_no_calls_now_is_passed_over_and_on_record() {
    let mut night = Night::before(plan(Strategy::Sequential), super::any_trigger());
    night.asleep = vec![id("a"), id("b")];
    night.act(|incident, now, out| incident.on_raised(now, out));
    night.wait(RING);
    assert_eq!((night.record.attempts.len(), night.record.attempts[0].contact.clone()), (1, id("c")));
    let skipped: Vec<_> = night.record.skipped.iter().map(|it| (it.contact.as_str(), it.round)).collect();
    assert_eq!((skipped, night.state()), (vec![("a", 1), ("b", 1)], State::Exhausted));
}

#[test]
fn who_sleeps_in_one_round_is_asked_again_in_the_next() {
    let mut calls = plan(Strategy::Sequential);
    calls.call_flow.rounds = 2;
    let mut night = Night::before(calls, super::any_trigger());
    night.asleep = vec![id("a")];
    night.act(|incident, now, out| incident.on_raised(now, out));
    night.wait(RING * 2 + s(1));
    night.asleep.clear();
    night.wait(PAUSE);
    assert_eq!((night.record.round, night.record.attempts.last().unwrap().contact.clone()), (2, id("a")));
}

#[test]
fn rounds_in_which_everybody_sleeps_are_rounds_with_pauses_between_them() {
    for strategy in [Strategy::Sequential, Strategy::Shuffled, Strategy::Simultaneous] {
        let mut calls = plan(strategy);
        calls.call_flow.rounds = 3;
        calls.call_flow.between_rounds = s(0);
        let mut night = Night::before(calls, super::any_trigger());
        night.asleep = vec![id("a"), id("b"), id("c")];
        night.act(|incident, now, out| incident.on_raised(now, out));
        assert_eq!((night.record.round, night.record.skipped.len()), (1, 3), "{strategy:?}");
        night.wait(s(19));
        assert_eq!((night.record.round, night.state()), (2, State::Calling), "{strategy:?}");
        night.wait(s(1));
        assert_eq!((night.record.round, night.state()), (3, State::Exhausted), "{strategy:?}");
        assert_eq!(night.record.attempts.len(), 0);
    }
}

#[test]
fn in_a_shuffled_roster_another_is_called_while_somebody_is_on_the_phone() {
    let mut night = Night::before(plan(Strategy::Shuffled), super::any_trigger());
    night.no_line = true;
    night.act(|incident, now, out| incident.on_raised(now, out));
    let first = night.dialled();
    assert!(night.act(|incident, now, out| incident.on_occupied(now, 1, out)));
    let both = night.dialled();
    assert_ne!(both.split(' ').next_back(), Some(first.as_str()), "{both}");
    // The others are on the phone as well: then the last one is waited for.
    assert!(night.act(|incident, now, out| incident.on_occupied(now, 2, out)));
    assert!(!night.act(|incident, now, out| incident.on_occupied(now, 3, out)));
    for attempt in 3..6 {
        let end = CallEnd { by: EndedBy::Refused, code: Some(486), reason: String::new(), quality: None };
        night.act(|incident, now, out| incident.on_ended(now, attempt, end, out));
    }
    assert_eq!(night.state(), State::Exhausted);
    let called: std::collections::BTreeSet<_> = night.record.attempts.iter().map(|it| it.contact.clone()).collect();
    assert_eq!((called.len(), night.record.attempts.len()), (3, 3));
}

#[test]
fn in_a_listed_order_everybody_waits_for_who_is_on_the_phone() {
    let mut night = Night::before(plan(Strategy::Sequential), super::any_trigger());
    night.no_line = true;
    night.act(|incident, now, out| incident.on_raised(now, out));
    assert!(!night.act(|incident, now, out| incident.on_occupied(now, 1, out)));
    night.wait(s(600));
    assert_eq!(night.dialled(), "a");
}

#[test]
fn a_call_that_speaks_no_codec_of_ours_is_not_spoken_to() {
    let mut night = Night::begins(plan(Strategy::Sequential));
    night.rings("a");
    let before = night.log.len();
    night.act(|incident, now, out| incident.on_unwanted(now, 1, CallHandle("up".into()), out));
    let stored = Order::Store(Fact::Answered { attempt: 1, call: CallHandle("up".into()) });
    assert_eq!(night.since(before), [stored]);
    let end = CallEnd { by: EndedBy::Failed, code: Some(200), reason: "no common codec".into(), quality: None };
    night.act(|incident, now, out| incident.on_ended(now, 1, end, out));
    assert_eq!((night.outcome("a"), night.dialled().as_str()), (Some(Outcome::Failed), "a b"));
}

#[test]
fn where_all_must_take_it_nobody_waits_for_who_sleeps() {
    for strategy in [Strategy::Sequential, Strategy::Simultaneous] {
        for asleep in ["a", "c"] {
            let mut calls = plan(strategy);
            calls.call_flow.answer = Answer::All;
            calls.call_flow.rounds = 2;
            let mut night = Night::before(calls, super::any_trigger());
            night.asleep = vec![id(asleep)];
            night.act(|incident, now, out| incident.on_raised(now, out));
            for who in ["a", "b", "c"].into_iter().filter(|who| *who != asleep) {
                night.answers(who);
                night.presses(who, '1');
            }
            assert_eq!((night.state(), night.record.taken_by.len()), (State::Acknowledged, 2), "{strategy:?} {asleep}");
        }
    }
}

#[test]
fn who_is_of_the_second_line_may_call_in_before_they_are_called() {
    let mut night = Night::begins(two_lines(Strategy::Sequential));
    night.rings("a");
    let attempt = night.calls_in("d").unwrap();
    assert!(matches!(night.log.last(), Some(Order::Join { attempt: joined, .. }) if *joined == attempt));
    assert!(Incident::replay(night.incident.id(), night.facts.clone(), 7).is_ok());
    assert_eq!(night.record.attempt(attempt).map(|it| it.name.as_str()), Some("D"));
}
