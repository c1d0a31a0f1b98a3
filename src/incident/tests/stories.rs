//! What a person who waits for the phone would tell.

use super::night::{KEY_WAIT, Night, PAUSE, RING, id, phone, plan, s, trigger, war_room};
use crate::base::{ContactId, Digit, RoomName};
use crate::incident::{
    Answer, CallHandle, EndedBy, Fact, Incident, Line, Order, Outcome, State, Strategy, Taker, Trigger,
};

fn sequential() -> Night {
    Night::begins(plan(Strategy::Sequential))
}

fn everything() -> Vec<Line> {
    vec![Line::Intro, Line::Message, menu()]
}

fn menu() -> Line {
    let keys = plan(Strategy::Sequential).guidance.keys;
    Line::Menu(keys.iter().map(|(digit, key)| (*digit, key.behaviour)).collect())
}

fn taken_by(who: &str) -> Line {
    Line::TakenByAnother(Taker::Contact(id(who)))
}

#[test]
fn a_trigger_is_stored_before_anybody_is_dialled() {
    let night = sequential();
    assert!(matches!(night.log[0], Order::Store(Fact::Accepted { .. })));
    assert!(matches!(night.log[1], Order::Store(Fact::RoundStarted { round: 1, .. })));
    assert!(matches!(&night.log[2], Order::Dial { attempt: 1, contact, .. } if *contact == id("a")));
    assert_eq!(night.state(), State::Calling);
}

#[test]
fn the_next_person_is_called_when_the_first_does_not_pick_up_is_busy_or_refuses() {
    let mut night = sequential();
    night.rings("a");
    night.wait(RING);
    assert_eq!(night.outcome("a"), Some(Outcome::NoAnswer));
    night.refuses("b", 486);
    assert_eq!(night.outcome("b"), Some(Outcome::Busy));
    night.refuses("c", 603);
    assert_eq!((night.outcome("c"), night.state()), (Some(Outcome::Rejected), State::Exhausted));
    assert_eq!(night.dialled(), "a b c");
    assert!(night.incident.is_over());
}

#[test]
fn whoever_takes_it_hears_so_and_nobody_else_is_called() {
    let mut night = sequential();
    night.answers("a");
    assert_eq!(night.last_said("a"), everything());
    let before = night.log.len();
    night.presses("a", '1');
    let one = Digit::from_char('1').unwrap();
    let expected = [
        Order::Hush { attempt: 1 },
        Order::Store(Fact::Key { attempt: 1, digit: one, behaviour: Some(crate::incident::Behaviour::Take) }),
        Order::Store(Fact::Taken { attempt: 1, contact: id("a") }),
        Order::Store(Fact::Acknowledged { contact: id("a") }),
        Order::Say { attempt: 1, lines: vec![Line::Taken] },
    ];
    assert_eq!(night.since(before), expected);
    night.hears_it_out("a");
    assert_eq!((night.outcome("a"), night.state()), (Some(Outcome::Taken), State::Acknowledged));
    night.wait(s(3_600));
    assert_eq!(night.dialled(), "a");
    assert!(night.incident.is_over());
}

#[test]
fn the_message_is_read_as_often_as_the_guidance_says_and_then_the_keys_are_named() {
    let mut plan = plan(Strategy::Sequential);
    plan.guidance.readings = 2;
    let mut night = Night::begins(plan);
    night.answers("a");
    let twice = vec![Line::Intro, Line::Message, Line::Message, menu()];
    assert_eq!(night.last_said("a"), twice);
    night.hears_it_out("a");
    let before = night.log.len();
    night.wait(KEY_WAIT);
    assert_eq!(night.since(before), [Order::Say { attempt: 1, lines: twice }]);
    night.hears_it_out("a");
    night.wait(KEY_WAIT);
    assert_eq!(night.last_said("a"), [Line::NoKey], "two sets are all of this guidance");
}

#[test]
fn the_next_person_is_dialled_before_the_goodbye_of_the_one_who_passed_was_heard() {
    let mut night = sequential();
    night.answers("a");
    night.presses("a", '2');
    assert_eq!((night.dialled().as_str(), night.outcome("a")), ("a b", None));
    assert_eq!(night.last_said("a"), [Line::Passed]);
    night.hears_it_out("a");
    assert_eq!(night.outcome("a"), Some(Outcome::Passed));
}

#[test]
fn who_presses_nothing_hears_it_again_and_is_then_left_alone() {
    let mut night = sequential();
    night.answers("a");
    night.hears_it_out("a");
    night.wait(KEY_WAIT);
    assert_eq!(night.last_said("a"), everything());
    night.hears_it_out("a");
    night.wait(KEY_WAIT);
    assert_eq!((night.last_said("a"), night.dialled().as_str()), (vec![Line::NoKey], "a"));
    night.hears_it_out("a");
    assert_eq!((night.outcome("a"), night.dialled().as_str()), (Some(Outcome::Ignored), "a b"));
}

#[test]
fn hanging_up_without_a_key_is_ignoring() {
    let mut night = sequential();
    night.answers("a");
    night.hangs_up("a");
    assert_eq!((night.outcome("a"), night.dialled().as_str()), (Some(Outcome::Ignored), "a b"));
}

#[test]
fn the_rounds_are_called_with_a_pause_between_them_and_then_it_ends() {
    let mut calls = plan(Strategy::Sequential);
    calls.call_flow.rounds = 3;
    let mut night = Night::begins(calls);
    for round in 1..=3 {
        assert_eq!(night.record.round, round);
        night.wait(RING * 3);
        if round < 3 {
            assert_eq!(night.state(), State::Calling);
            night.wait(PAUSE);
        }
    }
    assert_eq!((night.dialled().as_str(), night.state()), ("a b c a b c a b c", State::Exhausted));
}

#[test]
fn a_shuffled_roster_calls_everybody_once_a_round_in_changing_orders() {
    let mut calls = plan(Strategy::Shuffled);
    calls.call_flow.rounds = 20;
    let mut night = Night::begins(calls);
    night.wait((RING * 3 + PAUSE) * 20);
    let mut orders = std::collections::BTreeSet::new();
    let mut rounds = 0;
    for fact in &night.facts {
        let Fact::RoundStarted { order, .. } = fact else { continue };
        let mut sorted: Vec<&ContactId> = order.iter().collect();
        sorted.sort();
        assert_eq!(sorted, [&id("a"), &id("b"), &id("c")]);
        orders.insert(order.clone());
        rounds += 1;
    }
    assert_eq!((rounds, night.state()), (20, State::Exhausted));
    assert!(orders.len() > 2, "{orders:?}");
}

#[test]
fn all_are_rung_at_once_and_the_first_who_takes_it_stops_the_others() {
    let mut night = Night::begins(plan(Strategy::Simultaneous));
    assert_eq!(night.dialled(), "a b c");
    night.answers("a");
    night.answers("b");
    night.presses("b", '1');
    assert_eq!(night.outcome("c"), Some(Outcome::Cancelled));
    assert_eq!(night.last_said("a"), [taken_by("b")]);
    night.hears_it_out("a");
    night.hears_it_out("b");
    assert_eq!((night.outcome("a"), night.outcome("b")), (Some(Outcome::Cancelled), Some(Outcome::Taken)));
    assert_eq!(night.record.taken_by, [id("b")]);
    assert!(night.incident.is_over());
}

#[test]
fn who_takes_it_too_late_hears_who_took_it_and_who_joins_too_late_is_let_in() {
    let mut calls = plan(Strategy::Simultaneous);
    calls.guidance.room = Some(war_room());
    let mut night = Night::begins(calls);
    for who in ["a", "b", "c"] {
        night.answers(who);
    }
    night.presses("a", '1');
    night.presses("b", '1');
    night.presses("c", '3');
    assert_eq!(night.last_said("b"), [taken_by("a")]);
    assert_eq!(night.last_said("c"), [Line::Joining]);
    for who in ["a", "b", "c"] {
        night.hears_it_out(who);
    }
    assert_eq!(night.outcome("b"), Some(Outcome::Cancelled));
    let joined = |room: &RoomName, attempt: u32| Order::Join { attempt, room: room.clone() };
    assert!(night.log.contains(&joined(&war_room(), 1)) && night.log.contains(&joined(&war_room(), 3)));
    assert!(!night.incident.is_over());
    night.hangs_up("c");
    night.hangs_up("a");
    assert_eq!((night.outcome("a"), night.record.taken_by.len()), (Some(Outcome::Taken), 1));
    assert!(night.incident.is_over());
}

#[test]
fn everybody_is_called_until_everybody_took_it() {
    let mut calls = plan(Strategy::Sequential);
    calls.call_flow.answer = Answer::All;
    calls.call_flow.rounds = 2;
    let mut night = Night::begins(calls);
    night.answers("a");
    night.presses("a", '1');
    assert_eq!(night.dialled(), "a b");
    night.hears_it_out("a");
    night.refuses("b", 486);
    night.answers("c");
    night.presses("c", '1');
    night.hangs_up("c");
    night.wait(PAUSE);
    assert_eq!((night.dialled().as_str(), night.state()), ("a b c b", State::Calling));
    night.answers("b");
    night.presses("b", '1');
    assert_eq!((night.state(), night.record.taken_by.len()), (State::Acknowledged, 3));
}

#[test]
fn what_some_took_where_all_were_asked_is_taken_when_nobody_is_left_to_call() {
    let mut calls = plan(Strategy::Simultaneous);
    calls.call_flow.answer = Answer::All;
    calls.guidance.room = Some(war_room());
    let mut night = Night::begins(calls);
    night.answers("a");
    night.presses("a", '1');
    night.hears_it_out("a");
    night.wait(RING);
    assert_eq!((night.state(), night.record.taken_by.clone()), (State::Acknowledged, vec![id("a")]));
    let again = Incident::replay(night.incident.id(), night.facts.clone(), 7).unwrap();
    assert_eq!(again.state(), State::Acknowledged);
    assert!(!night.incident.is_over());
    night.hangs_up("a");
    assert_eq!(night.outcome("a"), Some(Outcome::Taken));
}

#[test]
fn a_key_that_means_nothing_is_never_a_success_and_costs_no_repeat() {
    let mut night = sequential();
    night.answers("a");
    for _ in 0..5 {
        night.presses("a", '0');
        assert_eq!(night.last_said("a"), [Line::NotAKey, menu()]);
        night.hears_it_out("a");
    }
    night.wait(KEY_WAIT);
    assert_eq!((night.last_said("a"), night.state()), (everything(), State::Calling));
}

#[test]
fn a_call_lasts_ten_minutes_at_most_until_it_is_taken() {
    let mut night = sequential();
    night.answers("a");
    for _ in 0..59 {
        night.wait(s(10));
        night.presses("a", '4');
    }
    assert_eq!(night.dialled(), "a");
    night.wait(s(10));
    assert_eq!((night.outcome("a"), night.dialled().as_str()), (Some(Outcome::Ignored), "a b"));
}

#[test]
fn somebody_who_presses_keys_without_end_is_given_up() {
    let mut night = sequential();
    night.answers("a");
    for _ in 0..1_000 {
        night.presses("a", '0');
    }
    night.hears_it_out("a");
    assert_eq!(night.outcome("a"), Some(Outcome::Ignored));
    assert!(night.facts.len() < 100);
}

#[test]
fn the_phones_of_a_person_are_tried_in_order_unless_the_person_said_no() {
    let mut calls = plan(Strategy::Sequential);
    for contact in &mut calls.contacts {
        contact.phones.push(phone("sip:second@pbx.example"));
    }
    let mut night = Night::begins(calls);
    night.refuses("a", 404);
    night.refuses("a", 486);
    night.refuses("b", 603);
    night.wait(RING);
    night.answers("c");
    night.hangs_up("c");
    assert_eq!((night.dialled().as_str(), night.state()), ("a a b c c", State::Exhausted));
    assert_eq!(night.record.attempts[1].phone, phone("sip:second@pbx.example"));
}

#[test]
fn a_trigger_can_name_the_phones_to_ring() {
    let to = vec![phone("+8110000003")];
    let mut night = Night::triggered(plan(Strategy::Sequential), Trigger { to, ..trigger() });
    night.wait(RING);
    assert_eq!((night.dialled().as_str(), night.state()), ("c", State::Exhausted));
}

#[test]
fn an_incident_that_can_ring_nobody_is_exhausted_at_once() {
    let to = vec![phone("+8199999999")];
    let night = Night::triggered(plan(Strategy::Sequential), Trigger { to, ..trigger() });
    assert_eq!((night.dialled().as_str(), night.state()), ("", State::Exhausted));
    assert!(night.incident.is_over());
}

#[test]
fn cancelling_stops_the_ringing_after_it_was_stored() {
    let mut night = sequential();
    night.rings("a");
    let before = night.log.len();
    night.is_cancelled();
    let expected = [Order::Store(Fact::Cancelled { by: "control".to_owned() }), Order::HangUp { attempt: 1 }];
    assert_eq!(night.since(before)[..2], expected);
    assert_eq!((night.outcome("a"), night.state()), (Some(Outcome::Cancelled), State::Cancelled));
    night.wait(s(3_600));
    assert_eq!(night.dialled(), "a");
}

#[test]
fn who_listens_when_it_is_resolved_hears_that_it_is_over() {
    let mut night = sequential();
    night.answers("a");
    night.is_resolved();
    assert_eq!(night.last_said("a"), [Line::Over]);
    night.presses("a", '1');
    night.hears_it_out("a");
    assert_eq!((night.outcome("a"), night.state()), (Some(Outcome::Cancelled), State::Resolved));
    assert_eq!(night.record.ended_by.as_deref(), Some("control"));
}

#[test]
fn cancelling_between_two_rounds_ends_the_calling() {
    let mut calls = plan(Strategy::Simultaneous);
    calls.call_flow.rounds = 2;
    let mut night = Night::begins(calls);
    night.wait(RING);
    assert!(night.incident.next_deadline().is_some());
    night.is_cancelled();
    assert_eq!(night.incident.next_deadline(), None);
    assert!(night.incident.is_over());
}

#[test]
fn what_has_come_to_its_end_keeps_it() {
    let mut night = sequential();
    night.answers("a");
    night.presses("a", '1');
    let before = night.log.len();
    night.is_cancelled();
    assert_eq!((night.log.len(), night.state()), (before, State::Acknowledged));
    night.is_resolved();
    let resolved = night.log.len();
    assert_eq!((night.state(), night.record.taken_by.len()), (State::Resolved, 1), "what was taken may be over later");
    night.is_cancelled();
    night.is_resolved();
    assert_eq!((night.log.len(), night.state()), (resolved, State::Resolved));
}

#[test]
fn people_in_the_room_stay_when_it_is_resolved() {
    let mut calls = plan(Strategy::Sequential);
    calls.call_flow.answer = Answer::All;
    let mut night = Night::begins(calls);
    night.answers("a");
    night.presses("a", '3');
    night.hears_it_out("a");
    let before = night.log.len();
    night.is_resolved();
    assert!(!night.since(before).iter().any(|order| matches!(order, Order::HangUp { attempt: 1 })));
    assert!(!night.incident.is_over());
}

#[test]
fn join_without_a_room_in_the_guidance_goes_into_the_incidents_own() {
    let mut night = sequential();
    night.answers("a");
    night.presses("a", '3');
    assert_eq!((night.last_said("a"), night.state()), (vec![Line::Joining], State::Acknowledged));
    let before = night.log.len();
    night.hears_it_out("a");
    let room = RoomName::parse(&night.incident.id().to_string()).unwrap();
    let expected =
        [Order::Store(Fact::Joined { attempt: 1, room: room.clone() }), Order::Join { attempt: 1, room: room.clone() }];
    assert_eq!((night.since(before), night.incident.room()), (&expected[..], &room));
}

#[test]
fn a_contact_who_calls_in_goes_straight_into_the_room_of_an_incident_that_is_open() {
    let mut calls = plan(Strategy::Sequential);
    calls.guidance.room = Some(war_room());
    let mut night = Night::begins(calls);
    assert_eq!(night.calls_in("nobody"), None);
    let attempt = night.calls_in("b").unwrap();
    assert_eq!(night.log.last(), Some(&Order::Join { attempt, room: war_room() }));
    assert_eq!(night.calls_in("b"), None, "one call at a time");
    night.answers("a");
    night.presses("a", '2');
    assert_eq!(night.dialled(), "a c", "who is in the room is not rung");
    night.act(|incident, now, out| incident.on_key(now, attempt, Digit::from_char('1').unwrap(), out));
    assert_eq!((night.state(), night.record.taken_by.clone()), (State::Acknowledged, vec![id("b")]));
    assert!(night.calls_in("c").is_some());
}

#[test]
fn nobody_is_let_into_the_empty_room_of_what_is_over() {
    let mut night = sequential();
    night.answers("a");
    night.presses("a", '1');
    night.hears_it_out("a");
    assert_eq!(night.calls_in("b"), None);
    let mut night = sequential();
    night.is_cancelled();
    assert_eq!(night.calls_in("b"), None);
}

#[test]
fn whoever_calls_in_while_we_ring_them_is_not_rung_any_longer() {
    let mut night = sequential();
    night.rings("a");
    assert!(night.calls_in("a").is_some());
    assert_eq!((night.outcome("a"), night.dialled().as_str()), (Some(Outcome::Cancelled), "a b"));
}

#[test]
fn a_call_that_cannot_be_made_is_on_record_and_the_next_person_is_called() {
    let mut night = Night::before(plan(Strategy::Sequential), trigger());
    night.no_line = true;
    night.act(|incident, now, out| incident.on_raised(now, out));
    night.ends("a", EndedBy::Failed, None);
    assert_eq!((night.outcome("a"), night.dialled().as_str()), (Some(Outcome::Failed), "a b"));
    assert!(matches!(&night.facts[2], Fact::Dialled { call, .. } if *call == CallHandle::default()));
}

#[test]
fn a_line_that_stays_busy_with_another_incident_does_not_hold_this_one_up() {
    let mut night = Night::before(plan(Strategy::Sequential), trigger());
    night.no_line = true;
    night.act(|incident, now, out| incident.on_raised(now, out));
    night.wait(s(780));
    assert_eq!((night.outcome("a"), night.dialled().as_str()), (Some(Outcome::Busy), "a b"));
    night.is_cancelled();
    assert_eq!(night.record.attempts.len(), 1, "what was withdrawn before it was dialled leaves nothing");
    assert!(night.incident.is_over());
}

#[test]
fn an_answer_that_crosses_our_hanging_up_is_stored_and_not_spoken_to() {
    let mut night = sequential();
    night.no_confirmation = true;
    night.wait(RING);
    night.answers("a");
    assert!(matches!(night.facts.last(), Some(Fact::Answered { attempt: 1, .. })));
    night.ends("a", EndedBy::Us, Some(200));
    assert_eq!((night.outcome("a"), night.last_said("a")), (Some(Outcome::NoAnswer), vec![]));
}

#[test]
fn a_call_whose_end_never_comes_is_recorded_as_failed_and_the_night_goes_on() {
    let mut night = sequential();
    night.no_confirmation = true;
    night.wait(RING + s(40));
    assert_eq!((night.outcome("a"), night.dialled().as_str()), (Some(Outcome::Failed), "a b"));
}

#[test]
fn a_trunk_that_says_nothing_until_we_hang_up_has_failed_and_the_person_was_not_silent() {
    let mut night = sequential();
    night.no_confirmation = true;
    night.wait(RING);
    night.ends("a", EndedBy::Timeout, None);
    assert_eq!(night.outcome("a"), Some(Outcome::Failed));
}

#[test]
fn last_words_that_are_never_heard_out_do_not_keep_the_call_up() {
    let mut night = sequential();
    night.answers("a");
    night.presses("a", '1');
    night.wait(s(60));
    assert_eq!(night.outcome("a"), Some(Outcome::Taken));
    assert!(night.incident.is_over());
}

#[test]
fn a_keys_own_words_replace_the_recorded_ones() {
    let mut calls = plan(Strategy::Sequential);
    for key in calls.guidance.keys.values_mut() {
        key.say = Some("Thank you.".to_owned());
    }
    let mut night = Night::begins(calls);
    night.answers("a");
    night.presses("a", '4');
    assert_eq!(night.last_said("a")[0], Line::Text("Thank you.".to_owned()));
    night.presses("a", '2');
    assert_eq!(night.last_said("a"), [Line::Text("Thank you.".to_owned())]);
}
