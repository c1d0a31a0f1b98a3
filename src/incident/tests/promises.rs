//! Keys beyond yes and no: leave me out, be quiet for some hours, a digit that is drawn.

use super::night::{Night, RING, id, plan, s};
use crate::base::{Digit, Stamp};
use crate::incident::{Answer, Behaviour, Fact, Incident, Line, Order, Outcome, Scope, State, Strategy};

fn sequential() -> Night {
    Night::begins(plan(Strategy::Sequential))
}

fn answered() -> Night {
    let mut night = sequential();
    night.answers("a");
    night
}

#[test]
fn who_leaves_is_called_in_no_round_again() {
    let mut calls = plan(Strategy::Sequential);
    calls.call_flow.rounds = 3;
    let mut night = Night::begins(calls);
    night.answers("a");
    night.presses("a", '5');
    assert_eq!((night.last_said("a"), night.dialled().as_str()), (vec![Line::Left], "a b"));
    night.hears_it_out("a");
    assert_eq!(night.outcome("a"), Some(Outcome::Left));
    night.wait(s(3_600));
    assert_eq!((night.dialled().as_str(), night.state()), ("a b c b c b c", State::Exhausted));
    assert_eq!(night.record.left, [id("a")]);
}

#[test]
fn when_everybody_has_left_it_is_exhausted() {
    let mut calls = plan(Strategy::Simultaneous);
    calls.call_flow.rounds = 9;
    let mut night = Night::begins(calls);
    for who in ["a", "b", "c"] {
        night.answers(who);
        night.presses(who, '5');
        night.hears_it_out(who);
    }
    assert_eq!(night.state(), State::Exhausted);
}

#[test]
fn who_left_is_not_waited_for_where_all_must_take_it() {
    let mut calls = plan(Strategy::Simultaneous);
    calls.call_flow.answer = Answer::All;
    let mut night = Night::begins(calls);
    for (who, key) in [("a", '1'), ("b", '1'), ("c", '5')] {
        night.answers(who);
        night.presses(who, key);
    }
    assert_eq!(night.state(), State::Acknowledged);
}

#[test]
fn who_left_stays_left_behind_a_crash() {
    let mut calls = plan(Strategy::Sequential);
    calls.call_flow.rounds = 2;
    let mut night = Night::begins(calls);
    night.answers("a");
    night.presses("a", '5');
    night.incident = Incident::replay(night.incident.id(), night.facts.clone(), 7).unwrap();
    night.act(|incident, now, out| incident.on_resumed(now, out));
    assert_eq!(night.record.attempts[0].outcome, Some(Outcome::Left));
    night.wait(s(3_600));
    assert!(!night.dialled()[1..].contains('a'), "{}", night.dialled());
}

#[test]
fn twelve_and_the_hash_key_promise_quiet_for_twelve_hours() {
    let mut night = answered();
    night.presses("a", '6');
    assert_eq!(night.last_said("a"), [Line::HowManyHours]);
    night.types("a", "12#");
    assert_eq!(night.last_said("a"), [Line::Hours(12), Line::Quieted]);
    let quieted = night.record.quieted.clone().unwrap();
    assert_eq!((quieted.contact, quieted.hours), (id("a"), 12));
    assert_eq!(quieted.until, Stamp::from_unix_micros(12 * 3_600_000_000));
    night.hears_it_out("a");
    assert_eq!((night.outcome("a"), night.state()), (Some(Outcome::Quieted), State::Suppressed));
    night.wait(s(3_600));
    assert_eq!(night.dialled(), "a");
    assert!(night.incident.is_over());
}

#[test]
fn what_is_promised_is_about_what_the_trigger_says() {
    let mut night = answered();
    night.types("a", "61#");
    let (trigger, guidance) = (night.incident.trigger().clone(), night.incident.plan().guidance.clone());
    let promised = night.facts.iter().find_map(|fact| match fact {
        Fact::Quieted { scope, .. } => Some(scope.clone()),
        _ => None,
    });
    assert_eq!(promised, Some(Scope::of(&trigger, &guidance)));
}

#[test]
fn a_pause_ends_the_number_as_well_as_the_hash_key() {
    let mut night = answered();
    night.types("a", "63");
    night.wait(s(14));
    assert_eq!(night.state(), State::Calling);
    night.wait(s(1));
    assert_eq!(night.last_said("a"), [Line::Hours(3), Line::Quieted]);
}

#[test]
fn a_number_that_is_none_leads_back_to_the_menu() {
    for wrong in ["#", "0#", "100#", "99999999999999#"] {
        let mut night = answered();
        night.presses("a", '6');
        night.types("a", wrong);
        assert!(matches!(night.last_said("a")[..], [Line::NotHours, Line::Menu(_)]), "{wrong}");
        // The key for quiet is that key again, and no figure.
        night.types("a", "699#");
        assert_eq!(night.last_said("a"), [Line::Hours(99), Line::Quieted]);
    }
}

#[test]
fn a_star_leads_back_to_the_menu() {
    let mut night = answered();
    night.types("a", "61*");
    assert!(matches!(night.last_said("a")[..], [Line::Menu(_)]));
    night.presses("a", '1');
    assert_eq!(night.state(), State::Acknowledged);
}

#[test]
fn who_is_asked_for_hours_and_says_nothing_is_asked_again_and_then_left_alone() {
    let mut night = answered();
    night.presses("a", '6');
    night.hears_it_out("a");
    night.wait(s(120));
    assert_eq!(night.last_said("a"), [Line::HowManyHours]);
    night.hears_it_out("a");
    night.wait(s(120));
    assert_eq!((night.last_said("a"), night.dialled().as_str()), (vec![Line::NoKey], "a"));
    night.hears_it_out("a");
    assert_eq!((night.outcome("a"), night.dialled().as_str()), (Some(Outcome::Ignored), "a b"));
}

#[test]
fn the_others_stop_ringing_and_hear_that_it_is_quiet_now() {
    let mut night = Night::begins(plan(Strategy::Simultaneous));
    night.answers("a");
    night.answers("b");
    night.types("b", "62#");
    assert_eq!(night.last_said("a"), [Line::Silenced]);
    assert_eq!(night.outcome("c"), Some(Outcome::Cancelled));
    night.hears_it_out("a");
    night.hears_it_out("b");
    assert!(night.incident.is_over());
}

#[test]
fn who_types_hours_while_another_takes_it_hears_who_it_was() {
    let mut night = Night::begins(plan(Strategy::Simultaneous));
    night.answers("a");
    night.answers("b");
    night.types("a", "61");
    night.presses("b", '1');
    assert!(matches!(night.last_said("a")[..], [Line::TakenByAnother(_)]));
    assert_eq!(night.state(), State::Acknowledged);
}

#[test]
fn what_was_promised_before_a_crash_is_promised() {
    let mut night = answered();
    night.types("a", "62#");
    let mut incident = Incident::replay(night.incident.id(), night.facts.clone(), 7).unwrap();
    assert_eq!(incident.state(), State::Suppressed);
    let mut out = Default::default();
    incident.on_resumed(night.now, &mut out);
    let ended =
        Fact::Ended { attempt: 1, outcome: Outcome::Quieted, code: None, reason: "restart".to_owned(), quality: None };
    assert_eq!(out.drain().collect::<Vec<_>>(), [Order::Store(ended)]);
}

/// The digits that take or join, as the menu of this person's call names them.
fn drawn(night: &Night, who: &str) -> Vec<char> {
    let said = night.last_said(who);
    let Some(Line::Menu(keys)) = said.last() else { panic!("no menu: {said:?}") };
    let takes = |behaviour: &Behaviour| matches!(behaviour, Behaviour::Take | Behaviour::Join);
    keys.iter().filter(|(_, behaviour)| takes(behaviour)).map(|(digit, _)| digit.as_char()).collect()
}

#[test]
fn the_digit_of_a_challenge_is_drawn_in_each_call_and_the_configured_one_means_nothing() {
    let mut calls = plan(Strategy::Sequential);
    calls.guidance.challenge = true;
    calls.call_flow.rounds = 20;
    let mut night = Night::begins(calls);
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..20 {
        for who in ["a", "b", "c"] {
            night.answers(who);
            let digits = drawn(&night, who);
            assert!(digits.len() == 2 && digits.iter().all(|digit| "0789".contains(*digit)), "{digits:?}");
            seen.insert(digits[0]);
            night.presses(who, '1');
            assert_eq!(night.last_said(who)[0], Line::NotAKey);
            night.presses(who, '2');
            night.hears_it_out(who);
        }
        night.wait(s(60));
    }
    assert!(seen.len() > 2, "{seen:?}");
    assert_eq!(night.state(), State::Exhausted);
}

#[test]
fn the_digit_that_was_spoken_takes_it() {
    let mut calls = plan(Strategy::Sequential);
    calls.guidance.challenge = true;
    calls.guidance.keys.remove(&Digit::from_char('3').unwrap());
    let mut night = Night::begins(calls);
    night.answers("a");
    let digits = drawn(&night, "a");
    night.presses("a", digits[0]);
    assert_eq!((night.last_said("a"), night.state()), (vec![Line::Taken], State::Acknowledged));
}

#[test]
fn taken_from_outside_the_ringing_stops_and_who_listens_hears_who_it_was() {
    let mut night = Night::begins(plan(Strategy::Simultaneous));
    night.answers("a");
    night.is_claimed("Mori");
    let mori = crate::incident::Taker::Outside("Mori".to_owned());
    assert_eq!(night.last_said("a"), [Line::TakenByAnother(mori)]);
    assert_eq!((night.outcome("b"), night.state()), (Some(Outcome::Cancelled), State::Acknowledged));
    assert_eq!(night.record.claimed_by.as_deref(), Some("Mori"));
    night.presses("a", '3');
    assert_eq!(night.last_said("a"), [Line::Joining], "who is late may join all the same");
    night.is_claimed("again");
    assert_eq!(night.record.claimed_by.as_deref(), Some("Mori"));
}

#[test]
fn what_is_quiet_when_it_is_raised_calls_nobody() {
    let mut night = Night::before(plan(Strategy::Simultaneous), super::any_trigger());
    night.act(|incident, _, out| incident.on_raised_quietly(4, out));
    night.wait(RING);
    assert_eq!((night.dialled().as_str(), night.state()), ("", State::Suppressed));
    assert_eq!(night.record.suppressed_by, Some(4));
    assert!(night.incident.is_over());
}

#[test]
fn a_promise_from_outside_stops_the_ringing() {
    let mut night = Night::begins(plan(Strategy::Simultaneous));
    night.answers("a");
    night.act(|incident, now, out| incident.on_suppressed(now, 4, out));
    assert_eq!((night.last_said("a"), night.outcome("b")), (vec![Line::Silenced], Some(Outcome::Cancelled)));
    assert_eq!(night.state(), State::Suppressed);
}
