//! People call hansho's number.

use hansho::base::Time;
use hansho::incident::{Fact, State};
use hansho::media::Way;
use hansho::switch::Entry;

use crate::support::laws::no_line_is_up;
use crate::support::{Town, World, millis, minutes, seconds};

#[test]
fn who_calls_while_nothing_is_wrong_is_turned_away() {
    let mut world = World::new(Town::of(&["sato"]));
    world.phone("sato").gets_turned_away(480);
    world.stays_quiet(minutes(5));
    assert!(world.journal.is_empty());
}

#[test]
fn a_stranger_comes_into_the_room_with_its_pin_in_whichever_way_the_digits_come() {
    let town = Town::of(&["sato", "suzuki", "guest"]).with_room("war-room").with_pin("246810").with_strangers(1);
    let mut world = World::new(town);
    world.trigger("disk full");
    world.phone("sato").rings().answers().hears("intro").presses('1').hears("joining").hears("music");
    world.phone("guest").calls_in().hears("pin");
    for (key, way) in "2468".chars().zip([Way::Event, Way::Tone, Way::Event, Way::Tone]) {
        world.phone("guest").presses_in(key, way);
        world.wait(millis(400));
    }
    world.phone("guest").presses_by_info('1');
    world.wait(millis(400));
    world.phone("guest").presses_in_all_ways('0');
    world.wait(seconds(2));
    let from: Time = world.now;
    world.phone("guest").talks(seconds(2));
    world.phone("sato").talks(seconds(2));
    world.wait(seconds(2));
    world.phone("sato").heard_only(&["guest"], from + seconds(1));
    world.phone("guest").heard_only(&["sato"], from + seconds(1));
    world.phone("guest").hangs_up();
    world.phone("sato").hangs_up();
    world.ends();
}

#[test]
fn a_wrong_pin_opens_nothing_and_the_third_ends_the_call() {
    let town = Town::of(&["sato", "guest"]).with_room("war-room").with_pin("246810").with_strangers(1);
    let mut world = World::new(town);
    world.phone("guest").calls_in().hears("pin");
    for _ in 0..3 {
        for key in "111111".chars() {
            world.phone("guest").presses(key);
            world.wait(millis(300));
        }
        world.phone("guest").hears("wrong-pin");
    }
    world.phone("guest").gets_hung_up();
    world.ends();
    no_incident(&world);
}

#[test]
fn a_message_that_somebody_leaves_is_what_the_people_on_call_hear() {
    let mut world = World::new(Town::of(&["sato", "suzuki"]).with_messages());
    world.phone("sato").calls_in().hears("leave-message");
    // The tone.
    world.wait(seconds(1));
    world.phone("sato").talks(seconds(4));
    world.wait(seconds(4));
    world.phone("sato").presses('#').hears("message-taken").gets_hung_up();
    world.phone("suzuki").rings().answers().hears("intro");
    let from = world.now;
    world.wait(seconds(3));
    world.phone("suzuki").heard_only(&["sato"], from);
    world.phone("suzuki").presses('1').gets_hung_up();
    let accepted = world.journal.iter().find_map(|entry| match entry {
        Entry::Incident(id, _, Fact::Accepted { trigger, .. }) => Some((*id, trigger.clone())),
        _ => None,
    });
    let (incident, trigger) = accepted.expect("an incident");
    assert!(trigger.parameters["recording"].starts_with("message-"));
    assert_eq!(trigger.message.as_deref(), Some("satoさんからの、録音メッセージです。"));
    assert_eq!(world.state(incident), State::Acknowledged);
    world.ends();
}

#[test]
fn whoever_says_nothing_raises_nothing() {
    let mut world = World::new(Town::of(&["sato", "suzuki"]).with_messages());
    world.phone("sato").calls_in().hears("leave-message").hangs_up();
    world.stays_quiet(minutes(5));
    world.ends();
    no_incident(&world);
}

/// A power cut, and another life begins with what the journal holds.
fn power_cut(world: &mut World) {
    world.wait(seconds(2));
    world.crash();
    world.wait(seconds(3));
    world.restart();
}

#[test]
fn a_call_that_a_power_cut_finds_at_the_reception_is_ended_by_the_next_life_and_its_torn_message_is_told() {
    let town = Town::of(&["sato", "guest"]).with_room("war-room").with_pin("246810").with_messages().with_strangers(1);
    let mut world = World::new(town);
    world.phone("guest").calls_in().hears("pin");
    world.phone("sato").calls_in().hears("leave-message");
    // The tone, and a message that nobody ends.
    world.wait(seconds(1));
    world.phone("sato").talks(seconds(4));
    power_cut(&mut world);
    world.phone("guest").gets_hung_up();
    world.phone("sato").gets_hung_up();
    world.stays_quiet(minutes(5));
    world.ends();
    let raised = world.journal.iter().filter_map(|entry| match entry {
        Entry::Incident(_, _, Fact::Accepted { trigger, .. }) => trigger.message.as_deref(),
        _ => None,
    });
    assert_eq!(raised.collect::<Vec<_>>(), ["satoさんからの、途中で切れた録音メッセージです。"]);
    no_line_is_up(&world.journal);
}

#[test]
fn a_guest_whom_a_power_cut_finds_in_a_room_is_let_go_also_when_the_next_life_is_cut_at_once() {
    let town = Town::of(&["sato", "guest"]).with_room("war-room").with_pin("246810").with_strangers(1);
    let mut world = World::new(town);
    world.phone("guest").calls_in().hears("pin");
    for key in "246810".chars() {
        world.phone("guest").presses(key);
        world.wait(millis(300));
    }
    world.phone("guest").hears("music");
    power_cut(&mut world);
    world.crash();
    world.restart();
    world.phone("guest").gets_hung_up();
    world.wait(seconds(5));
    world.ends();
    no_line_is_up(&world.journal);
}

fn no_incident(world: &World) {
    assert!(world.journal.iter().all(|entry| entry.incident().is_none()), "{:?}", world.journal);
}
