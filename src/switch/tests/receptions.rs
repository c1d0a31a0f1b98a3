//! People who call hansho's number and have no incident to join; and what those hear who have one.

use std::collections::BTreeMap;

use super::calls_in::number;
use super::world::{World, plan, seconds, trigger};
use crate::base::{LegId, RoomName};
use crate::incident::{Fact, Trigger};
use crate::media::{Event, Way};
use crate::switch::{CallInSettings, Input, RoomSettings, What};

const STRANGER: &str = "+15550100";

fn world(pin: bool, messages: bool) -> World {
    let mut world = World::new();
    if pin {
        let name = RoomName::parse("war-room").unwrap();
        let pin = Some("246810".to_owned());
        world.switch.settings.rooms.push(RoomSettings { name, music: None, record: false, language: None, pin });
    }
    if messages {
        let trigger = Trigger { message: None, ..trigger(None) };
        let call_in = CallInSettings { trigger, plan: plan(&["bob"], None), greeting: None, message_max: seconds(60) };
        world.switch.settings.call_in = Some(call_in);
    }
    world
}

/// hansho ends here, whichever way, and begins anew with the same configuration.
fn next_life(world: &World) -> World {
    world.crash_with(|settings| settings.call_in = world.switch.settings.call_in.clone())
}

/// Somebody calls and is answered; their leg.
fn calls(world: &mut World, caller: &str) -> LegId {
    let call = world.call_comes_in(caller);
    assert_eq!(world.answered(&call), Some(200), "{caller}");
    world.acknowledges(&call)
}

fn people(world: &World) -> usize {
    world.switch.room_views().map(|room| room.people.len()).sum()
}

#[test]
fn who_calls_in_hears_what_it_is_about_and_who_is_there() {
    let mut world = World::new();
    world.raise(trigger(None), plan(&["ann", "bob", "cleo"], Some("war-room")));
    world.spoken(Ok(()));
    world.rings("ann");
    let bob = calls(&mut world, &number("bob"));
    assert_eq!((world.plays(bob), people(&world)), (vec!["intro", "sound", "alone"], 0));
    world.hears_everything(bob);
    assert_eq!(people(&world), 1);
    let cleo = calls(&mut world, &number("cleo"));
    assert_eq!(world.texts.last().map(|(_, _, text)| text.as_str()), Some("In the room: bob."));
    world.spoken(Ok(()));
    assert_eq!(world.plays(cleo), ["intro", "sound"]);
    world.hears_everything(cleo);
    assert_eq!(people(&world), 2);
}

#[test]
fn a_key_skips_what_is_said_before_the_room() {
    let mut world = World::new();
    let id = world.raise(trigger(None), plan(&["ann", "bob"], Some("war-room")));
    world.rings("ann");
    let bob = calls(&mut world, &number("bob"));
    world.keys(bob, "2");
    assert_eq!((people(&world), world.plays(bob)), (1, vec![]));
    assert!(!world.story(id).iter().any(|fact| matches!(fact, Fact::Key { .. })), "it was no answer to anything");
}

#[test]
fn without_a_pin_and_without_messages_everybody_is_refused_as_before() {
    let mut world = world(false, false);
    for caller in [STRANGER, &number("ann")] {
        let call = world.call_comes_in(caller);
        assert_eq!(world.answered(&call), Some(480));
    }
}

#[test]
fn the_pin_opens_its_room_to_anybody_and_nothing_else_does() {
    let mut world = world(true, false);
    let leg = calls(&mut world, STRANGER);
    assert_eq!(world.plays(leg), ["pin"]);
    world.keys(leg, "1111");
    assert_eq!((people(&world), world.plays(leg)), (0, vec![]));
    world.keys(leg, "11");
    assert_eq!(world.plays(leg), ["wrong-pin", "pin"]);
    world.keys(leg, "246810");
    assert_eq!(people(&world), 1);
    assert_eq!(world.told(|what| matches!(what, What::CallInWrongPin { .. })), 1);
    assert_eq!(world.told(|what| matches!(what, What::RoomJoined { .. })), 1);
}

#[test]
fn a_contact_who_is_not_on_the_incident_needs_the_pin_and_one_who_is_does_not() {
    let mut world = world(true, false);
    world.raise(trigger(None), plan(&["ann", "bob"], Some("war-room")));
    world.rings("ann");
    let cleo = calls(&mut world, &number("cleo"));
    assert_eq!(world.plays(cleo), ["pin"]);
    let bob = calls(&mut world, &number("bob"));
    assert_eq!(world.plays(bob)[0], "intro");
    world.hears_everything(bob);
    world.keys(cleo, "246810");
    assert_eq!(people(&world), 2);
}

#[test]
fn where_the_pin_is_always_asked_for_the_people_of_the_incident_need_it_too() {
    let mut world = world(true, false);
    world.switch.settings.always_pin = true;
    world.raise(trigger(None), plan(&["ann", "bob"], Some("war-room")));
    world.rings("ann");
    let bob = calls(&mut world, &number("bob"));
    assert_eq!(world.plays(bob), ["pin"], "his number proves nothing");
    assert_eq!(people(&world), 0);
    world.keys(bob, "246810");
    assert_eq!(people(&world), 1);
}

#[test]
fn a_pin_counts_however_its_digits_come() {
    let mut world = world(true, false);
    let leg = calls(&mut world, STRANGER);
    for (key, way) in "246810".chars().zip([Way::Event, Way::Tone, Way::Event, Way::Tone, Way::Event, Way::Tone]) {
        let digit = crate::base::Digit::from_char(key).unwrap();
        world.input(Input::Media(Event::Digit { leg, digit, way }));
        world.switch.on_sip(world.now, crate::sip::Event::Key { leg, digit });
        world.input(Input::Wake);
    }
    assert_eq!(people(&world), 1);
}

#[test]
fn whoever_guesses_in_many_calls_at_once_has_no_more_tries_than_in_one_after_another() {
    let mut world = world(true, false);
    let legs: Vec<LegId> = (0..4).map(|_| calls(&mut world, STRANGER)).collect();
    for leg in &legs[..3] {
        world.keys(*leg, "111111");
        world.keys(*leg, "222222");
    }
    world.keys(legs[3], "246810");
    assert_eq!((people(&world), world.plays(legs[3])), (0, vec!["wrong-pin", "pin"]), "six were enough");
    let other = calls(&mut world, "+15550199");
    world.keys(other, "246810");
    assert_eq!(people(&world), 1);
}

#[test]
fn three_wrong_pins_end_the_call_and_two_such_calls_are_enough() {
    let mut world = world(true, false);
    for _ in 0..2 {
        let call = world.call_comes_in(STRANGER);
        let leg = world.acknowledges(&call);
        world.keys(leg, "111111222222333333");
        assert_eq!(world.plays(leg), ["wrong-pin"]);
        world.hears_everything(leg);
        world.asked(&crate::wire::sip::Method::Bye);
        world.caller_hangs_up(&call);
    }
    let call = world.call_comes_in(STRANGER);
    assert_eq!(world.answered(&call), Some(480));
    let other = world.call_comes_in("+15550199");
    assert_eq!(world.answered(&other), Some(200));
    world.wait(seconds(1_801));
    let call = world.call_comes_in(STRANGER);
    assert_eq!(world.answered(&call), Some(200), "half an hour later they may try again");
}

#[test]
fn silence_ends_the_call() {
    let mut world = world(true, false);
    let call = world.call_comes_in(STRANGER);
    let leg = world.acknowledges(&call);
    world.hears_everything(leg);
    world.wait(seconds(10));
    assert_eq!(world.plays(leg), ["no-key"]);
    world.hears_everything(leg);
    let bye = world.asked(&crate::wire::sip::Method::Bye);
    world.respond(&bye, 200);
    world.nothing_is_left();
}

#[test]
fn strangers_do_not_take_all_the_ports() {
    let mut world = world(true, false);
    for caller in 0..8 {
        calls(&mut world, &format!("+1555010{caller}"));
    }
    let call = world.call_comes_in("+15550199");
    assert_eq!(world.answered(&call), Some(480));
}

#[test]
fn a_message_raises_an_incident_whose_message_is_the_recording() {
    let mut world = world(false, true);
    let call = world.call_comes_in(&number("ann"));
    let leg = world.acknowledges(&call);
    assert_eq!(world.plays(leg), ["leave-message", "sound"]);
    world.hears_everything(leg);
    let (_, file, begun) = world.recordings[0].clone();
    assert_eq!(begun, None);
    world.wait(seconds(12));
    world.keys(leg, "#");
    assert_eq!(world.recordings[1], (leg, file.clone(), Some(true)));
    assert_eq!(world.plays(leg), ["message-taken"]);
    let (id, _, text, read) = world.replays[0].clone();
    assert_eq!((text.as_str(), &read), ("A recorded message from ann.", &file));
    let story = world.story(id);
    let Fact::Accepted { trigger, .. } = story[0] else { panic!("{story:?}") };
    assert_eq!(trigger.parameters.get("recording"), Some(&file));
    assert_eq!(world.told(|what| matches!(what, What::CallInMessage { .. })), 1);
    let bob = world.rings("bob");
    world.answers(&bob);
    assert_eq!(world.texts, [], "nothing is spoken: it was said already");
}

#[test]
fn whoever_hangs_up_after_speaking_has_left_a_message_and_whoever_said_nothing_has_not() {
    let mut world = world(false, true);
    let call = world.call_comes_in(&number("ann"));
    let leg = world.acknowledges(&call);
    world.hears_everything(leg);
    world.caller_hangs_up(&call);
    assert_eq!((world.recordings.last().unwrap().2, world.replays.len()), (Some(false), 0));
    let call = world.call_comes_in(&number("ann"));
    let leg = world.acknowledges(&call);
    world.hears_everything(leg);
    world.wait(seconds(5));
    world.caller_hangs_up(&call);
    assert_eq!((world.recordings.last().unwrap().2, world.replays.len()), (Some(true), 1));
    world.rings("bob");
}

#[test]
fn a_stranger_cannot_leave_a_message_and_a_contact_chooses_with_a_star() {
    let mut world = world(true, true);
    let stranger = calls(&mut world, STRANGER);
    assert_eq!(world.plays(stranger), ["pin"]);
    world.keys(stranger, "*");
    assert_eq!(world.plays(stranger), ["pin"]);
    let ann = calls(&mut world, &number("ann"));
    assert_eq!(world.plays(ann), ["leave-message", "sound"], "nothing is open: they want to raise something");
    world.keys(ann, "*");
    assert_eq!(world.plays(ann), ["pin"]);
    world.raise(trigger(None), plan(&["bob"], None));
    let cleo = calls(&mut world, &number("cleo"));
    assert_eq!(world.plays(cleo), ["pin"]);
    world.keys(cleo, "*");
    assert_eq!(world.plays(cleo), ["leave-message", "sound"]);
}

#[test]
fn a_trigger_from_outside_cannot_have_a_file_played() {
    let mut world = World::new();
    for file in ["/etc/passwd", "../message-aaaaaaaaaaaaaaaaaaaa.wav", "message-A.wav", "greeting.wav"] {
        let parameters = BTreeMap::from([("recording".to_owned(), file.to_owned())]);
        world.raise(Trigger { parameters, ..trigger(None) }, plan(&["ann"], None));
    }
    assert!(world.replays.is_empty() && !world.texts.is_empty());
}

#[test]
fn a_message_that_a_crash_cuts_off_is_raised_by_the_next_life_and_by_no_later_one() {
    for gently in [false, true] {
        let mut before = world(false, true);
        let leg = calls(&mut before, &number("ann"));
        before.hears_everything(leg);
        let (_, file, _) = before.recordings[0].clone();
        before.wait(seconds(5));
        if gently {
            before.input(Input::Stop);
        }
        let mut after = next_life(&before);
        let (id, _, text, read) = after.replays[0].clone();
        assert_eq!((text.as_str(), &read), ("A recorded message from ann, which was cut off.", &file), "{gently}");
        let Fact::Accepted { trigger, .. } = after.story(id)[0] else { panic!("{:?}", after.story(id)) };
        assert_eq!(trigger.parameters.get("recording"), Some(&file));
        assert_eq!(after.told(|what| matches!(what, What::CallInMessage { .. })), 1);
        after.wait(seconds(3));
        after.rings("bob");
        let later = next_life(&after);
        assert_eq!(later.told(|what| matches!(what, What::CallInMessage { .. })), 0, "it was raised already");
    }
}

#[test]
fn a_message_that_was_raised_or_was_nothing_is_not_raised_again_by_the_next_life() {
    let mut before = world(false, true);
    let leg = calls(&mut before, &number("ann"));
    before.hears_everything(leg);
    before.keys(leg, "#");
    assert_eq!(before.recordings.last().unwrap().2, Some(false), "it was too short");
    let call = before.call_comes_in(&number("cleo"));
    let leg = before.acknowledges(&call);
    before.hears_everything(leg);
    before.wait(seconds(5));
    before.caller_hangs_up(&call);
    assert_eq!(before.replays.len(), 1);
    let after = next_life(&before);
    assert_eq!(after.told(|what| matches!(what, What::CallInMessage { .. })), 0);
}
