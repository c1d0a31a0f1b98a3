//! May I call you now? Two people, one number, and a link.

use hansho::base::Time;
use hansho::incident::{Entry, HouseFact};
use hansho::rig::Noted;

use crate::support::laws::no_line_is_up;
use crate::support::{Town, World, minutes, seconds};

const PEOPLE: [&str; 3] = ["sato", "yamada", "tanaka"];

fn world(bridge: bool) -> World {
    World::new(Town::of(&PEOPLE).with_hotline(bridge))
}

/// sato calls the hotline, and the link that yamada gets.
fn sato_asks(world: &mut World) -> String {
    world.phone("sato").gets_turned_away(480);
    let text = world.phone("yamada").reads();
    let begin = "satoさんが電話で話したいそうです。通話できるならリンクをタップしてください。https://h.test/hotline/";
    text.strip_prefix(begin).unwrap_or_else(|| panic!("{text}")).to_owned()
}

#[test]
fn a_call_that_is_welcome_within_two_minutes_is_made() {
    let mut world = world(false);
    let link = sato_asks(&mut world);
    world.wait(seconds(60));
    let page = world.opens(&link).expect("the page");
    assert_eq!(page.button, Some("通話できます"));
    world.wait(seconds(50));
    world.phone("sato").gets_no_message();
    let page = world.taps(&link).expect("the page");
    assert_eq!((page.text.as_str(), page.button), ("satoさんから電話がきます。そのままお待ち下さい。", None));
    world.phone("sato").gets_message("yamadaさんは通話できます。+819000000001 に電話してください。");
    world.wait(minutes(10));
    for name in PEOPLE {
        world.phone(name).gets_no_message();
    }
    assert_eq!(rung(&world, "yamada"), 0, "hansho calls nobody");
}

#[test]
fn a_call_that_is_not_welcome_in_time_is_waited_for_and_late_is_not_too_late() {
    let mut world = world(false);
    let link = sato_asks(&mut world);
    world.wait(seconds(121));
    let refused = "yamadaさんは今は通話できないようです。折り返し電話が来るのを待ちましょう。";
    world.phone("sato").gets_message(refused);
    world.wait(minutes(30));
    let page = world.taps(&link).expect("the page");
    let late = "satoさんは今は別のことをしているかもしれません。+815000000000 に電話してください。";
    assert_eq!(page.text, late);
    world.phone("sato").gets_message("yamadaさんは通話できるようになりました。+819000000001 に電話してください。");
    let page = world.taps(&link).expect("the page");
    assert_eq!(page.text, "このリンクはもう使われています。何も変わりません。");
    world.wait(minutes(10));
    world.phone("sato").gets_no_message();
}

#[test]
fn the_one_who_was_asked_calls_back_and_the_roles_swap() {
    let mut world = world(false);
    sato_asks(&mut world);
    world.wait(seconds(121));
    world.phone("sato").reads();
    world.phone("yamada").gets_turned_away(480);
    let text = world.phone("sato").reads();
    assert!(text.starts_with("yamadaさんが電話で話したいそうです。"), "{text}");
    let link = text.rsplit_once('/').expect("a link").1.to_owned();
    world.taps(&link).expect("the page");
    world.phone("yamada").gets_message("satoさんは通話できます。+819000000000 に電話してください。");
}

#[test]
fn a_stranger_is_turned_away_as_one_of_the_two_is_and_nobody_hears_of_it() {
    let mut world = world(false);
    world.phone("tanaka").gets_turned_away(480);
    world.wait(minutes(5));
    for name in PEOPLE {
        world.phone(name).gets_no_message();
    }
    assert!(world.journal.is_empty());
    assert!(world.opens("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA").is_none());
}

#[test]
fn an_exchange_outlives_a_power_cut() {
    let mut world = world(false);
    let link = sato_asks(&mut world);
    world.wait(seconds(5));
    world.crash();
    world.wait(seconds(20));
    world.restart();
    world.wait(seconds(30));
    world.phone("yamada").gets_no_message();
    assert!(world.opens(&link).is_some(), "the link of the former life opens");
    world.taps(&link).expect("the page");
    world.phone("sato").gets_message("yamadaさんは通話できます。+819000000001 に電話してください。");
    world.wait(seconds(2));
    world.crash();
    world.restart();
    let page = world.taps(&link).expect("the page");
    assert_eq!(page.text, "このリンクはもう使われています。何も変わりません。");
    world.wait(minutes(5));
    world.phone("sato").gets_no_message();
}

#[test]
fn two_minutes_are_two_minutes_also_when_a_power_cut_lies_within_them() {
    let mut world = world(false);
    sato_asks(&mut world);
    world.wait(seconds(5));
    world.crash();
    world.wait(minutes(3));
    world.restart();
    world.phone("sato").gets_message("yamadaさんは今は通話できないようです。折り返し電話が来るのを待ちましょう。");
    let refused = |entry: &Entry| matches!(entry, Entry::House(_, HouseFact::InquiryRefused { .. }));
    assert_eq!(world.journal.iter().filter(|entry| refused(entry)).count(), 1);
}

#[test]
fn a_message_that_a_power_cut_held_back_leaves_with_a_link_that_opens() {
    let mut world = world(false);
    // The carrier cannot be reached when the message is to leave.
    world.phone("sato").calls_and_hangs_up();
    world.wait_until("the inquiry is on disk", |world| !world.journal.is_empty());
    world.crash();
    world.wait(seconds(2));
    world.restart();
    world.wait(seconds(10));
    let mut text = world.phone("yamada").reads();
    while world.phone("yamada").has_mail() {
        text = world.phone("yamada").reads();
    }
    let link = text.rsplit_once('/').expect("a link").1.to_owned();
    world.taps(&link).expect("the page");
    world.phone("sato").gets_message("yamadaさんは通話できます。+819000000001 に電話してください。");
}

#[test]
fn a_bridge_rings_both_and_joins_them_without_a_number() {
    let mut world = world(true);
    let link = sato_asks(&mut world);
    world.taps(&link).expect("the page");
    let text = world.phone("sato").reads();
    assert_eq!(text, "yamadaさんは通話できます。こちらから電話しますので、そのままお待ち下さい。");
    world.phone("sato").rings().answers().hears("press-1").presses('1').hears("music");
    world.phone("yamada").rings().answers().presses_in_band('1');
    world.wait(seconds(2));
    let from: Time = world.now;
    world.phone("sato").talks(seconds(2));
    world.phone("yamada").talks(seconds(2));
    world.wait(seconds(2));
    world.phone("sato").heard_only(&["yamada"], from + seconds(1));
    world.phone("yamada").heard_only(&["sato"], from + seconds(1));
    world.phone("sato").hangs_up();
    world.phone("yamada").gets_hung_up();
    world.ends();
}

#[test]
fn a_bridge_that_nobody_answers_at_its_other_end_says_so() {
    let mut world = world(true);
    let link = sato_asks(&mut world);
    world.taps(&link).expect("the page");
    world.phone("sato").reads();
    world.phone("yamada").rings();
    world.phone("sato").rings().answers().presses('1').gets_hung_up();
    let refused = "yamadaさんは今は通話できないようです。折り返し電話が来るのを待ちましょう。";
    world.phone("sato").gets_message(refused);
    world.ends();
}

#[test]
fn a_bridge_that_a_power_cut_finds_up_is_ended_by_the_next_life() {
    let mut world = world(true);
    let link = sato_asks(&mut world);
    world.taps(&link).expect("the page");
    world.phone("sato").reads();
    world.phone("sato").rings().answers().hears("press-1").presses('1').hears("music");
    world.phone("yamada").rings().answers().hears("press-1").presses('1');
    world.wait(seconds(2));
    world.crash();
    world.wait(seconds(3));
    world.restart();
    world.phone("sato").gets_hung_up();
    world.phone("yamada").gets_hung_up();
    world.wait(minutes(5));
    world.ends();
    no_line_is_up(&world.journal);
}

#[test]
fn a_phone_that_rings_for_a_bridge_at_a_power_cut_stops_ringing() {
    let mut world = world(true);
    let link = sato_asks(&mut world);
    world.taps(&link).expect("the page");
    world.phone("sato").reads();
    world.phone("yamada").rings();
    world.phone("sato").rings().answers().hears("press-1");
    world.wait(seconds(2));
    world.crash();
    world.restart();
    world.phone("yamada").gets_hung_up();
    world.phone("sato").gets_hung_up();
    world.wait(minutes(5));
    world.ends();
    no_line_is_up(&world.journal);
    assert_eq!(rung(&world, "yamada"), 1, "the next life does not ring again");
}

fn rung(world: &World, name: &str) -> usize {
    let log = world.log(name).iter();
    log.filter(|(_, noted)| matches!(noted, Noted::Rings | Noted::TurnedAway(_))).count()
}
