//! People say more than yes and no: leave me out, be quiet for some hours; and some sleep.

use hansho::base::{CallFlowId, Digit, Hours};
use hansho::incident::{Behaviour, Key, Plan, Scope, State, Trigger};
use hansho::switch::{Raised, What};

use crate::support::{Town, World, minutes, seconds};

/// The town's trigger with a key of its own, and 8 to leave and 9 to be quiet.
fn with_all_keys(town: &Town) -> (Trigger, Plan) {
    let (trigger, mut plan) = town.trigger("disk full");
    for (key, behaviour) in [('8', Behaviour::Leave), ('9', Behaviour::Quiet)] {
        plan.guidance.keys.insert(Digit::from_char(key).unwrap(), Key { behaviour, say: None });
    }
    (Trigger { dedup: Some("disk".to_owned()), ..trigger }, plan)
}

#[test]
fn twelve_hours_of_quiet_are_kept_over_a_crash_and_then_it_rings_again() {
    let mut world = World::new(Town::of(&["sato", "suzuki"]));
    let (trigger, plan) = with_all_keys(&world.town);
    let Raised::New(night) = world.comes(trigger.clone(), plan.clone()) else { panic!("it is new") };
    world.phone("sato").rings().answers().hears("do-quiet").presses('9').hears("how-many-hours");
    for key in ['1', '2', '#'] {
        world.phone("sato").presses(key);
        world.wait(seconds(1));
    }
    world.phone("sato").hears("hours-12").hears("quieted").gets_hung_up();
    world.ends();
    assert_eq!(world.state(night), State::Suppressed);
    let outcomes: Vec<String> = world.outcomes(night).into_iter().map(|(_, outcome, _)| outcome).collect();
    assert_eq!(outcomes, ["quieted"]);
    world.crash();
    world.restart();
    world.wait(minutes(11 * 60));
    let Raised::Suppressed(quiet, 1) = world.comes(trigger.clone(), plan.clone()) else { panic!("it is quiet") };
    world.stays_quiet(minutes(30));
    assert_eq!((world.state(quiet), world.record(quiet).suppressed_by), (State::Suppressed, Some(1)));
    world.wait(minutes(30));
    assert!(matches!(world.comes(trigger, plan), Raised::New(_)));
    world.phone("sato").rings().answers().hears("message").presses('1').gets_hung_up();
    world.ends();
}

#[test]
fn a_wrong_number_of_hours_leads_back_to_the_menu_and_a_pause_ends_the_right_one() {
    let mut world = World::new(Town::of(&["sato"]));
    let (trigger, plan) = with_all_keys(&world.town);
    let night = world.comes(trigger, plan).incident();
    world.phone("sato").rings().answers().hears("message").presses('9').hears("how-many-hours");
    world.phone("sato").presses('0');
    world.wait(seconds(1));
    world.phone("sato").presses('#').hears("not-hours").hears("do-quiet");
    world.phone("sato").presses('9').hears("how-many-hours").presses('3');
    world.wait(seconds(14));
    assert_eq!(world.state(night), State::Calling);
    world.phone("sato").hears("hours-3").hears("quieted").gets_hung_up();
    assert_eq!(world.state(night), State::Suppressed);
    world.ends();
}

#[test]
fn who_leaves_sleeps_on_while_the_others_are_called_round_after_round() {
    let mut world = World::new(Town::of(&["sato", "suzuki"]).rounds(3));
    let (trigger, plan) = with_all_keys(&world.town);
    let night = world.comes(trigger, plan).incident();
    world.phone("sato").rings().answers().hears("do-leave").presses('8').hears("left").gets_hung_up();
    for _ in 0..3 {
        world.phone("suzuki").rings().refuses(486);
    }
    world.ends();
    assert_eq!(world.state(night), State::Exhausted);
    let sato: Vec<String> =
        world.outcomes(night).into_iter().filter(|(who, ..)| who == "sato").map(|(_, outcome, _)| outcome).collect();
    assert_eq!(sato, ["left"]);
}

#[test]
fn only_the_digit_that_was_spoken_in_this_call_takes_it() {
    let mut world = World::new(Town::of(&["sato"]));
    let (trigger, mut plan) = world.town.trigger("disk full");
    plan.guidance.challenge = true;
    let night = world.comes(trigger, plan).incident();
    world.phone("sato").rings().answers().hears("message");
    let clips: Vec<String> = "0456789".chars().map(|digit| format!("press-{digit}")).collect();
    let clips: Vec<&str> = clips.iter().map(String::as_str).collect();
    let spoken = world.phone("sato").hears_one_of(&clips);
    world.phone("sato").presses('1').hears("not-a-key");
    assert_eq!(world.state(night), State::Calling);
    world.phone("sato").presses(spoken.chars().last().unwrap()).hears("taken").gets_hung_up();
    world.ends();
    assert_eq!(world.state(night), State::Acknowledged);
}

#[test]
fn who_accepts_no_calls_at_this_hour_is_passed_over() {
    let mut world = World::new(Town::of(&["sato", "suzuki"]));
    let (trigger, mut plan) = world.town.trigger("disk full");
    // It is two o'clock on a Saturday night.
    plan.contacts[0].hours = Hours { spans: vec!["business-days 09:00-18:00".parse().unwrap()], ..Hours::default() };
    let night = world.comes(trigger, plan).incident();
    world.phone("suzuki").rings().answers().hears("intro").presses('1').hears("taken").gets_hung_up();
    world.phone("sato").keeps_quiet();
    world.ends();
    let skipped = world.events.iter().filter(|event| matches!(event.what, What::Skipped { .. }));
    assert_eq!(skipped.map(|event| event.name.clone()).collect::<Vec<_>>(), [Some("sato".to_owned())]);
    assert_eq!(world.record(night).skipped.len(), 1);
}

#[test]
fn when_the_first_line_does_not_take_it_the_second_line_is_called() {
    let mut world = World::new(Town::of(&["sato", "mori"]));
    let (trigger, mut plan) = world.town.trigger("disk full");
    let mut then = plan.clone();
    plan.contacts.truncate(1);
    then.contacts.remove(0);
    then.call_flow.id = CallFlowId::parse("managers").unwrap();
    plan.then = Some(Box::new(then));
    let night = world.comes(trigger, plan).incident();
    world.phone("sato").rings().refuses(603);
    world.phone("mori").rings();
    world.crash();
    world.restart();
    world.phone("mori").gets_hung_up();
    world.phone("mori").rings().answers().hears("message").presses('1').hears("taken").gets_hung_up();
    world.ends();
    assert_eq!(world.state(night), State::Acknowledged);
    assert_eq!(world.record(night).escalated, [CallFlowId::parse("managers").unwrap()]);
}

#[test]
fn a_promise_from_the_command_line_ends_the_calling_and_whoever_listens_hears_so() {
    let mut world = World::new(Town::of(&["sato", "suzuki"]).all_at_once());
    let night = world.trigger("disk full");
    world.phone("sato").rings().answers().hears("intro");
    world.phone("suzuki").rings();
    let until = world.record(night).accepted_at.unwrap() + minutes(60);
    let scope = Scope { call_flow: CallFlowId::parse("oncall").ok(), ..Scope::default() };
    world.ask(|switch, now| switch.suppress(now, scope, until, "control")).unwrap();
    world.phone("suzuki").gets_hung_up();
    world.phone("sato").hears("silenced").gets_hung_up();
    world.ends();
    assert_eq!(world.state(night), State::Suppressed);
    world.ask(|switch, now| switch.lift(now, 1, "control")).unwrap();
    world.trigger("disk full");
    world.phone("sato").rings();
}

#[test]
fn taken_at_a_keyboard_the_telephones_stop_and_whoever_listens_hears_who_it_was() {
    let mut world = World::new(Town::of(&["sato", "suzuki"]).all_at_once());
    let night = world.trigger("disk full");
    world.phone("sato").rings().answers().hears("message");
    world.phone("suzuki").rings();
    world.ask(|switch, now| switch.acknowledge(now, night, "Mori")).unwrap();
    world.phone("suzuki").gets_hung_up();
    world.phone("sato").hears("taken-by-another").hears("message").gets_hung_up();
    world.stays_quiet(minutes(30));
    world.ends();
    assert_eq!((world.state(night), world.record(night).claimed_by.as_deref()), (State::Acknowledged, Some("Mori")));
}
