//! The systems that hansho replaces, a story each; the hotline has a file of its own.

use std::collections::BTreeSet;

use hansho::base::{Digit, IncidentId};
use hansho::incident::{Answer, Behaviour, Key, Plan, State, Trigger};
use hansho::intake::{self, Method, Request, Signal, Source};
use hansho::switch::Raised;

use crate::support::{Town, World, minutes, seconds};

/// Whose telephone rings for the call of this number, counted from 1.
fn rung(world: &mut World, night: IncidentId, number: usize) -> String {
    world.wait_until(&format!("call {number}"), |world| world.record(night).attempts.len() >= number);
    let name = world.record(night).attempts[number - 1].name.clone();
    world.phone(&name).rings();
    name
}

fn with_key(mut plan: Plan, key: char, behaviour: Behaviour) -> Plan {
    plan.guidance.keys.insert(Digit::from_char(key).unwrap(), Key { behaviour, say: None });
    plan
}

/// System A: random order, three rounds, nobody twice within one; every way of not taking it leads to the next.
#[test]
fn a_shuffled_roster_is_called_three_times_round_and_every_way_of_not_taking_it_calls_the_next() {
    let people = ["sato", "suzuki", "tanaka"];
    let mut world = World::new(Town::of(&people).shuffled().rounds(3));
    let (trigger, mut plan) = world.town.trigger("火災です");
    plan.guidance.first_key_timeout = seconds(120);
    let night = world.comes(trigger, plan).incident();
    let mut number = 0;
    for round in 0..3 {
        let mut called = BTreeSet::new();
        for turn in 0..people.len() {
            number += 1;
            let name = rung(&mut world, night, number);
            assert!(called.insert(name.clone()), "{name} is called twice in round {round}");
            match round * people.len() + turn {
                0 => drop(world.phone(&name).gets_hung_up()),
                1 => drop(world.phone(&name).refuses(486)),
                2 => drop(world.phone(&name).refuses(603)),
                3 => drop(world.phone(&name).answers().hears("intro").hangs_up()),
                4 => drop(world.phone(&name).answers().hears("message").presses('2').hears("passed").gets_hung_up()),
                5 => drop(world.phone(&name).answers().hears("press-1").hears("no-key").gets_hung_up()),
                // A key is taken while the prompt still plays.
                6 => drop(
                    world.phone(&name).answers().hears("intro").presses_in_band('2').hears("passed").gets_hung_up(),
                ),
                7 => drop(world.phone(&name).refuses(480)),
                _ => drop(world.phone(&name).answers().hears("intro").presses('1').hears("taken").gets_hung_up()),
            }
        }
    }
    world.ends();
    assert_eq!(world.state(night), State::Acknowledged);
    let outcomes: Vec<String> = world.outcomes(night).into_iter().map(|(_, outcome, _)| outcome).collect();
    let said = ["no_answer", "busy", "rejected", "ignored", "passed", "ignored", "passed", "no_answer", "taken"];
    assert_eq!(outcomes, said);
}

/// The triggers of an `alertinfo` array, as the door reads them.
fn alertinfo(town: &Town, body: &str) -> Vec<(Trigger, Plan)> {
    let source = "alertinfo".parse::<Source>().expect("a source");
    let request = Request {
        method: Method::Post,
        path: "",
        query: &[],
        headers: &[],
        content_type: Some("application/json"),
        body: body.as_bytes(),
    };
    let read = intake::read(&source, &request).expect("the array of the article");
    let raised = read.signals.into_iter().map(|signal| match signal {
        Signal::Raise(draft) => {
            let (usual, plan) = town.trigger("");
            let trigger =
                draft.trigger(Some(&usual.call_flow), vec![], Some("nagios".to_owned())).expect("a call flow is known");
            (trigger, with_key(plan, '9', Behaviour::Quiet))
        }
        other => panic!("{other:?}"),
    });
    raised.collect()
}

/// System B: a burst is queued, the order is 1, 2, 3 three times and then a forced end; 9 and the hours make it quiet
/// about the same thing and nothing else, until the hours are over.
#[test]
fn monitoring_events_call_in_order_and_stay_quiet_for_the_hours_that_were_keyed_in() {
    let mut world = World::new(Town::of(&["sato", "suzuki", "tanaka"]).rounds(3));
    let event = |service: &str| {
        format!(r#"{{"host":"server1","service":"{service}","lastcheck":"2023-10-03 13:20:52","systemname":"XYZ"}}"#)
    };
    let body = format!(r#"{{"alertinfo":[{}]}}"#, event("CPU Utilization"));
    let (trigger, plan) = alertinfo(&world.town, &body).remove(0);
    let spoken = "2023年10月3日にシステム名XYZのserver1でCPU Utilizationのアラートが発生しました";
    assert_eq!(trigger.message.as_deref(), Some(spoken));
    let first = world.comes(trigger, plan).incident();
    for _ in 0..3 {
        for name in ["sato", "suzuki", "tanaka"] {
            world.phone(name).rings().refuses(486);
        }
    }
    world.wait_until_decided(first);
    assert_eq!(world.state(first), State::Exhausted);
    world.stays_quiet(minutes(60));

    let (trigger, plan) = alertinfo(&world.town, &body).remove(0);
    let second = world.comes(trigger, plan).incident();
    world.phone("sato").rings().answers().hears("message").presses('9').hears("how-many-hours");
    for key in ['1', '2', '#'] {
        world.phone("sato").presses(key);
        world.wait(seconds(1));
    }
    world.phone("sato").hears("hours-12").hears("quieted").gets_hung_up();
    world.wait(seconds(1));
    assert_eq!(world.state(second), State::Suppressed);
    assert_eq!(world.outcomes(second)[0].1, "quieted");

    world.wait(minutes(11 * 60));
    let both = format!(r#"{{"alertinfo":[{},{}]}}"#, event("CPU Utilization"), event("Disk"));
    let raised: Vec<IncidentId> = alertinfo(&world.town, &both)
        .into_iter()
        .map(|(trigger, plan)| world.comes(trigger, plan).incident())
        .collect();
    world.phone("sato").rings().answers().hears("message").presses('1').hears("taken").gets_hung_up();
    assert_eq!(world.state(raised[0]), State::Suppressed);
    assert!(world.record(raised[0]).attempts.is_empty(), "the check comes before dialling");
    assert_eq!(world.state(raised[1]), State::Acknowledged, "another service is another thing");

    world.wait(minutes(61));
    let (trigger, plan) = alertinfo(&world.town, &body).remove(0);
    let loud = world.comes(trigger, plan).incident();
    world.phone("sato").rings().answers().hears("intro").presses('1').hears("taken").gets_hung_up();
    world.ends();
    assert_eq!(world.state(loud), State::Acknowledged, "the hours are over");
}

/// System C: terminate, continue, leave; an undefined key is never a success; read twice, three sets, then the next;
/// a second callout never cuts in; whoever left is not called again in this callout.
#[test]
fn a_callout_ends_by_terminate_alone_and_whoever_left_is_not_called_again() {
    let mut world = World::new(Town::of(&["sato", "suzuki"]).rounds(2));
    let (trigger, plan) = world.town.trigger("テスト用サーバーで軽度の障害です");
    let mut plan = with_key(plan, '3', Behaviour::Leave);
    plan.guidance.repeats = 3;
    let first = world.comes(trigger.clone(), plan.clone()).incident();
    world.phone("sato").rings().answers().hears("message").presses('0').hears("not-a-key");
    let second = world.comes(trigger, plan).incident();
    world.wait(seconds(3));
    let called: Vec<String> = world.outcomes(second).into_iter().map(|(name, ..)| name).collect();
    assert!(!called.contains(&"sato".to_owned()), "nobody cuts in on sato");
    world.phone("sato").presses('3').gets_hung_up();
    world.cancel(second);
    for _ in 0..2 {
        world.phone("suzuki").rings().answers().hears("message").presses('2').hears("passed").gets_hung_up();
    }
    world.wait_until_decided(first);
    world.stays_quiet(minutes(60));
    world.ends();
    assert_eq!((world.state(first), world.state(second)), (State::Exhausted, State::Cancelled));
    let outcomes = world.outcomes(first);
    assert_eq!(outcomes.iter().filter(|(name, ..)| name == "sato").count(), 1, "{outcomes:?}");
    assert_eq!(outcomes[0].1, "left");
}

/// System E: all at once, into the room; the first hears music until the second comes; a voicemail gets in nowhere.
#[test]
fn all_are_called_at_once_and_whoever_presses_a_key_meets_in_the_room() {
    let mut world = World::new(Town::of(&["sato", "suzuki", "machine"]).all_at_once().with_room("AlertRoom"));
    let (trigger, mut plan) = world.town.trigger("エマージェンシー、エマージェンシー、test");
    plan.call_flow.answer = Answer::All;
    let raised = world.comes(trigger, plan);
    assert!(matches!(raised, Raised::New(_)));
    let night = raised.incident();
    for name in ["sato", "suzuki", "machine"] {
        world.phone(name).rings();
    }
    world.phone("machine").answers();
    world.phone("sato").answers().hears("message").presses('1').hears("music");
    world.phone("suzuki").answers().hears("message").presses('1');
    world.wait_until("both are in the room", |world| {
        world.record(night).attempts.iter().filter(|attempt| attempt.room.is_some()).count() == 2
    });
    world.wait(seconds(1));
    let from = world.now + seconds(1);
    world.phone("suzuki").talks(seconds(4));
    world.wait(seconds(4));
    world.phone("sato").heard_only(&["suzuki"], from);
    world.phone("machine").gets_hung_up();
    world.phone("suzuki").hangs_up();
    world.phone("sato").hangs_up();
    world.ends();
    let record = world.record(night);
    let machine = record.attempts.iter().find(|attempt| attempt.name == "machine").unwrap();
    let missing: Vec<String> = record.missing.iter().map(ToString::to_string).collect();
    assert_eq!(missing, [machine.contact.to_string()], "who was wanted and did not come is named");
    assert_eq!((machine.room.is_none(), machine.outcome.map(|outcome| outcome.as_str())), (true, Some("ignored")));
}
