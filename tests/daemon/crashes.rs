//! `kill -9` at every point of a night.
//!
//! The laws: every call that was up is ended on the wire, an accepted incident comes to its end, nobody who
//! passed in a round is called again in it, and a stored acknowledgement stays one.

use std::collections::BTreeSet;
use std::time::Duration;

use hansho::base::{Rng, seeded};
use hansho::incident::{Behaviour, Fact};
use rand::RngExt;
use serde_json::json;

use crate::support::phones::{Stage, State};
use crate::support::{Habit, World, until};

const ANNA: &str = "+815000000001";
const BERT: &str = "+815000000002";
const CARL: &str = "+815000000003";

#[test]
fn a_phone_that_rang_is_cancelled_and_rung_again() {
    let world = World::new("kill-ringing").person(ANNA, Habit::Rings).person(BERT, Habit::Rings);
    let daemon = world.start();
    let incident = daemon.trigger();
    world.phones.reaches(ANNA, 1, Stage::Ringing);
    daemon.dies();
    let daemon = world.start();
    world.phones.reaches(ANNA, 1, Stage::Refused);
    assert!(world.phones.look(|state| state.calls[0].cancelled), "with CANCEL");
    world.phones.until("INVITE after the restart", |state| (state.calls.len() > 1).then_some(()));
    assert_eq!(daemon.status(&incident)["attempts"][0]["outcome"], "failed");
}

#[test]
fn a_200_that_crosses_the_cancel_of_the_next_life_is_acknowledged_and_ended() {
    let world = World::new("kill-crossing").person(ANNA, Habit::Crosses);
    let daemon = world.start();
    daemon.trigger();
    world.phones.reaches(ANNA, 1, Stage::Ringing);
    daemon.dies();
    let _daemon = world.start();
    world.phones.reaches(ANNA, 1, Stage::Ended);
    assert!(world.phones.look(|state| state.calls[0].cancelled));
}

#[test]
fn a_phone_that_was_picked_up_while_nobody_ran_is_acknowledged_and_ended() {
    // The 200 comes before the next life began, and its copies after.
    let world = World::new("kill-answering").person(ANNA, Habit::Rings);
    let daemon = world.start();
    daemon.trigger();
    world.phones.reaches(ANNA, 1, Stage::Ringing);
    daemon.dies();
    world.phones.pick_up(ANNA);
    let _daemon = world.start();
    world.phones.reaches(ANNA, 1, Stage::Ended);
}

#[test]
fn a_call_that_was_up_is_ended_with_bye_and_the_incident_goes_on() {
    let world = World::new("kill-up").person(ANNA, Habit::Answers).person(BERT, Habit::Answers);
    let daemon = world.start();
    let mut watch = daemon.watch();
    let incident = daemon.trigger();
    watch.until("attempt.prompt_started", &[]);
    daemon.dies();
    let daemon = world.start();
    world.phones.reaches(ANNA, 1, Stage::Ended);
    world.phones.until("a call after the restart", |state| {
        state.calls.get(1).filter(|call| call.stage == Stage::Up(true)).map(|_| ())
    });
    let number = world.phones.look(|state| state.calls[1].number.clone());
    world.phones.press(&number, 1);
    daemon.comes_to(&incident, "acknowledged");
    world.phones.fall_silent();
}

#[test]
fn people_in_the_room_are_hung_up_and_the_acknowledgement_stays() {
    let world = World::new("kill-room").person(ANNA, Habit::Answers).person(BERT, Habit::Rings);
    let daemon = world.start();
    let mut watch = daemon.watch();
    let incident = daemon.trigger();
    watch.until("attempt.prompt_started", &[]);
    world.phones.press(ANNA, 3);
    watch.until("room.joined", &[("incident", json!(incident))]);
    daemon.dies();
    let daemon = world.start();
    world.phones.reaches(ANNA, 1, Stage::Ended);
    let status = daemon.comes_to(&incident, "acknowledged");
    assert_eq!(status["taken_by"], json!(["p815000000001"]));
    // Longer than the pause in which a restarted hansho dials nobody.
    let called = world.phones.within(Duration::from_millis(2_500), |state| (state.calls.len() > 1).then_some(()));
    assert_eq!(called, None, "nobody is called for what somebody took");
}

#[test]
fn what_was_answered_to_the_sender_goes_on_although_the_power_went_in_that_moment() {
    let world = World::new("kill-accepted").person(ANNA, Habit::Dead);
    let daemon = world.start();
    let incident = daemon.trigger();
    daemon.dies();
    world.phones.habit(ANNA, Habit::Answers);
    let daemon = world.start();
    world.phones.until("the call", |state| state.calls.iter().find(|call| call.stage == Stage::Up(true)).map(|_| ()));
    world.phones.press(ANNA, 1);
    daemon.comes_to(&incident, "acknowledged");
}

#[test]
fn a_person_who_passed_is_not_called_again_in_this_round() {
    let world = World::new("kill-passed").person(ANNA, Habit::Answers).person(BERT, Habit::Rings);
    let daemon = world.start();
    let mut watch = daemon.watch();
    let incident = daemon.trigger();
    watch.until("attempt.prompt_started", &[]);
    world.phones.press(ANNA, 2);
    watch.until("attempt.key", &[("means", json!("next"))]);
    daemon.dies();
    let daemon = world.start();
    world.phones.reaches(ANNA, 1, Stage::Ended);
    // Bert may have been called in the former life: while Anna still hears that she passed.
    let ringing = |state: &State| state.calls.last().filter(|call| call.number == BERT).map(|call| call.stage);
    let dialled = || daemon.status(&incident)["attempts"].as_array().is_some_and(|all| all.len() > 1);
    until("Bert to be called in this life", || {
        let outcome = &daemon.status(&incident)["attempts"][0]["outcome"];
        (outcome == "passed" && dialled() && world.phones.look(ringing) == Some(Stage::Ringing)).then_some(())
    });
    assert_eq!(world.phones.calls_to(ANNA), 1);
}

/// What happens to the telephones during the long night, seen from one of their owners.
fn live(world: &World, rng: &mut Rng) {
    for number in [ANNA, BERT, CARL] {
        let up = world.phones.look(|state| is_up(state, number));
        if up && rng.random_bool(0.5) {
            // Mostly the next one: a night in which the first key ends everything is a short one.
            let key = [1, 2, 2, 2, 3, 7][rng.random_range(0..6)];
            world.phones.press_if_up(number, key);
        } else if up && rng.random_bool(0.1) {
            world.phones.hang_up_if_up(number);
        }
        let habits = [Habit::Rings, Habit::Crosses, Habit::Answers, Habit::Answers, Habit::Answers, Habit::Busy];
        world.phones.habit(number, habits[rng.random_range(0..habits.len())]);
    }
}

fn is_up(state: &State, number: &str) -> bool {
    state.calls.iter().rev().any(|call| call.number == number && call.stage == Stage::Up(true))
}

/// Twelve lives of one daemon, each cut off after so many messages on the wire; `HANSHO_KILLS=200` makes it a
/// long night, `HANSHO_SEED` makes it another one.
#[test]
fn a_night_of_many_power_cuts_keeps_the_laws() {
    let read = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let kills = read("HANSHO_KILLS").unwrap_or(12);
    let seed = read("HANSHO_SEED").unwrap_or(1);
    eprintln!("HANSHO_SEED={seed} HANSHO_KILLS={kills}");
    let mut rng = seeded(seed);
    let flow = "rounds = 2\nring_timeout = \"1s\"\nbetween_rounds = \"0s\"";
    let guidance = "first_key_timeout = \"1s\"\nreadings = 1\nrepeats = 1";
    let world = World::new("kills").flow(flow).guidance(guidance);
    let world = world.person(ANNA, Habit::Rings).person(BERT, Habit::Rings).person(CARL, Habit::Rings);
    let mut incidents = Vec::new();
    for _ in 0..kills {
        let daemon = world.start();
        if incidents.is_empty() || rng.random_bool(0.6) {
            incidents.push(daemon.trigger());
        }
        let messages = world.phones.look(|state| state.heard.len()) + rng.random_range(0..9);
        for _ in 0..rng.random_range(1..5) {
            live(&world, &mut rng);
            let step = Duration::from_millis(rng.random_range(20..700));
            if world.phones.within(step, |state| (state.heard.len() >= messages).then_some(())).is_some() {
                break;
            }
        }
        daemon.dies();
    }
    for number in [ANNA, BERT, CARL] {
        world.phones.habit(number, Habit::Busy);
    }
    let before: Vec<bool> = incidents.iter().map(|id| world.facts(id).iter().any(is_acknowledged)).collect();
    let daemon = world.start();
    for (incident, acknowledged) in incidents.iter().zip(before) {
        let status = until("every incident to end", || {
            let status = daemon.status(incident);
            let open = ["queued", "calling"].iter().any(|state| status["state"] == *state);
            (!open).then_some(status)
        });
        assert!(!acknowledged || status["state"] == "acknowledged", "an acknowledgement was lost: {status}");
        // What was cut off gets its end when its phone has had a second to fall silent.
        until("every call to have its end on disk", || is_whole(&world.facts(incident)).then_some(()));
        obeys(&world.facts(incident));
    }
    world.phones.fall_silent();
    let calls = world.phones.look(|state| state.calls.len());
    let taken = incidents.iter().filter(|id| world.facts(id).iter().any(is_acknowledged)).count();
    eprintln!("{kills} power cuts, {} incidents ({taken} taken), {calls} calls, all ended", incidents.len());
}

fn is_acknowledged(fact: &Fact) -> bool {
    matches!(fact, Fact::Acknowledged { .. })
}

/// It is over, and every call of it.
fn is_whole(facts: &[Fact]) -> bool {
    let count = |is: fn(&Fact) -> bool| facts.iter().filter(|fact| is(fact)).count();
    let calls = count(|fact| matches!(fact, Fact::Dialled { .. }));
    facts.iter().any(is_over) && calls == count(|fact| matches!(fact, Fact::Ended { .. }))
}

fn is_over(fact: &Fact) -> bool {
    matches!(fact, Fact::Acknowledged { .. } | Fact::Exhausted | Fact::Cancelled { .. } | Fact::Resolved { .. })
}

/// The laws that an incident's facts must keep.
fn obeys(facts: &[Fact]) {
    let mut passed = BTreeSet::new();
    let mut whose = std::collections::BTreeMap::new();
    let mut open = BTreeSet::new();
    let mut over = false;
    for fact in facts {
        match fact {
            Fact::RoundStarted { .. } => {
                assert!(!over, "a round after the end: {facts:#?}");
                passed.clear();
            }
            Fact::Dialled { attempt, contact, .. } => {
                assert!(!over, "dialled after the end: {facts:#?}");
                assert!(!passed.contains(contact), "{contact} passed and is called again: {facts:#?}");
                assert!(whose.values().all(|other| other != contact) || !open.iter().any(|a| whose[a] == *contact));
                whose.insert(*attempt, contact.clone());
                open.insert(*attempt);
            }
            Fact::Key { attempt, behaviour: Some(Behaviour::Next), .. } => {
                passed.insert(whose[attempt].clone());
            }
            fact if is_over(fact) => over = true,
            Fact::Ended { attempt, .. } => {
                assert!(open.remove(attempt), "attempt {attempt} ended twice: {facts:#?}");
            }
            _ => {}
        }
    }
    assert!(over && open.is_empty(), "every incident and every call ends: {facts:#?}");
}
