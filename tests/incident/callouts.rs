//! The callouts of the systems that hansho replaces.

use core::time::Duration;

use crate::town::{Habit, Town, plan};
use hansho::base::RoomName;
use hansho::incident::{Behaviour, State, Strategy};

const HOUR: Duration = Duration::from_secs(3_600);
const MENU: &[(char, Behaviour)] = &[('1', Behaviour::Take), ('2', Behaviour::Next), ('3', Behaviour::Join)];

#[test]
fn a_shuffled_roster_is_called_three_times_with_nobody_twice_in_a_round() {
    let people = ["山田", "佐藤", "鈴木", "高橋"];
    for seed in 0..50 {
        let mut town = Town::alarmed(plan(Strategy::Shuffled, 3, &people, MENU), seed, &[Habit::Sleeps; 4]);
        town.wait(HOUR);
        let rung = town.rung();
        assert_eq!((rung.len(), town.record.state), (12, State::Exhausted));
        for round in rung.chunks(4) {
            let mut round = round.to_vec();
            round.sort_unstable();
            round.dedup();
            assert_eq!(round.len(), 4, "seed {seed}: {rung:?}");
        }
        assert_eq!(town.outcomes(), ["no_answer"; 12]);
    }
}

#[test]
fn unattended_monitoring_calls_one_two_three_three_times_and_stops() {
    let habits = [Habit::Sleeps, Habit::Talks, Habit::Answers(5, "")];
    let mut town = Town::alarmed(plan(Strategy::Sequential, 3, &["1", "2", "3"], MENU), 1, &habits);
    town.wait(HOUR);
    assert_eq!(town.rung(), ["1", "2", "3", "1", "2", "3", "1", "2", "3"]);
    assert_eq!(town.outcomes()[..3], ["no_answer", "busy", "ignored"]);
    assert_eq!(town.record.state, State::Exhausted);
    assert!(town.incident.is_over());
}

#[test]
fn the_second_person_passes_and_the_third_confirms() {
    let habits = [Habit::Sleeps, Habit::Answers(3, "2"), Habit::Answers(4, "1")];
    let mut town = Town::alarmed(plan(Strategy::Sequential, 3, &["a", "b", "c"], MENU), 1, &habits);
    town.wait(HOUR);
    assert_eq!((town.rung(), town.outcomes()), (vec!["a", "b", "c"], vec!["no_answer", "passed", "taken"]));
    assert_eq!((town.record.state, town.record.taken_by[0].as_str()), (State::Acknowledged, "c"));
}

#[test]
fn a_key_that_the_guidance_does_not_name_confirms_nothing() {
    let habits = [Habit::Answers(3, "00000"), Habit::Answers(3, "01")];
    let mut town = Town::alarmed(plan(Strategy::Sequential, 1, &["a", "b"], MENU), 1, &habits);
    town.wait(HOUR);
    assert_eq!((town.outcomes(), town.record.taken_by[0].as_str()), (vec!["ignored", "taken"], "b"));
}

#[test]
fn an_alert_call_rings_all_and_a_voicemail_does_not_enter_the_room() {
    let mut alert = plan(Strategy::Simultaneous, 1, &["a", "voicemail", "c", "d"], &[('1', Behaviour::Join)]);
    alert.guidance.room = Some(RoomName::parse("AlertRoom").unwrap());
    alert.call_flow.answer = hansho::incident::Answer::All;
    let habits = [Habit::Answers(3, "1"), Habit::Answers(1, ""), Habit::Answers(20, "1"), Habit::Sleeps];
    let mut town = Town::alarmed(alert, 1, &habits);
    town.wait(HOUR);
    assert_eq!(town.in_room("AlertRoom"), ["a", "c"]);
    assert_eq!(town.outcomes(), ["up", "ignored", "up", "no_answer"]);
}

#[test]
fn of_all_who_are_rung_at_once_only_the_first_who_takes_it_goes_into_the_room() {
    let mut rush = plan(Strategy::Simultaneous, 1, &["a", "b", "c"], MENU);
    rush.guidance.room = Some(RoomName::parse("war-room").unwrap());
    let habits = [Habit::Answers(2, "1"), Habit::Answers(3, "1"), Habit::Sleeps];
    let mut town = Town::alarmed(rush, 1, &habits);
    town.wait(Duration::from_secs(29));
    assert_eq!((town.record.state, town.outcomes()), (State::Acknowledged, vec!["up", "cancelled", "cancelled"]));
    assert_eq!(town.in_room("war-room"), ["a"]);
}
