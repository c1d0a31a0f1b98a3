//! Two people ask each other for a call.

use super::calls_in::number;
use super::world::{World, contact, plan, seconds, trigger};
use crate::base::{Language, Time};
use crate::incident::{Entry, Hotline, HouseFact};
use crate::switch::What;
use crate::switch::hotline::HotlineDesk;
use crate::wire::sip::Method;

fn world(bridge: bool) -> World {
    let mut world = World::new();
    let people = [contact("ann"), contact("bob")];
    let (timeout, language) = (seconds(120), Some(Language::En));
    let line = Hotline { id: "pair".into(), number: "hansho".into(), people, timeout, bridge, language };
    world.switch.hotlines = HotlineDesk::new(vec![line]);
    world.switch.settings.public_url = "https://h.test".to_owned();
    world
}

/// The text of the next short message on the wire, which the trunk takes.
fn message(world: &mut World) -> String {
    let message = world.asked(&Method::Message);
    world.respond(&message, 200);
    String::from_utf8(message.body().to_vec()).unwrap()
}

/// ann calls, and the link in the message to bob.
fn ann_asks(world: &mut World) -> String {
    world.call_comes_in(&number("ann"));
    world.wait(seconds(1));
    let text = message(world);
    text.rsplit_once("https://h.test/hotline/").unwrap_or_else(|| panic!("{text}")).1.to_owned()
}

fn story(world: &World) -> Vec<&'static str> {
    let word = |entry: &Entry| match entry {
        Entry::House(_, HouseFact::Inquired { .. }) => Some("inquired"),
        Entry::House(_, HouseFact::InquiryAccepted { late: false, .. }) => Some("accepted"),
        Entry::House(_, HouseFact::InquiryAccepted { late: true, .. }) => Some("late"),
        Entry::House(_, HouseFact::InquiryRefused { .. }) => Some("refused"),
        _ => None,
    };
    world.facts.iter().filter_map(word).collect()
}

#[test]
fn a_stranger_and_one_of_the_two_are_refused_alike_and_before_anything_is_stored() {
    let mut world = world(false);
    let known = world.call_comes_in(&number("ann"));
    assert_eq!((world.answered(&known), story(&world).len()), (Some(480), 0));
    let stranger = world.call_comes_in("+15550100");
    assert_eq!(world.answered(&stranger), Some(480));
    let other = world.call_comes_in(&number("cleo"));
    assert_eq!(world.answered(&other), Some(480));
    world.wait(seconds(1));
    assert_eq!(story(&world), ["inquired"]);
    assert_eq!(world.told(|what| matches!(what, What::CallInRefused { .. })), 2);
    assert_eq!(world.switch.legs(), 0);
}

#[test]
fn looking_accepts_nothing_and_the_button_accepts_once() {
    let mut world = world(false);
    let link = ann_asks(&mut world);
    for _ in 0..3 {
        let page = world.switch.hotline_page(&link).unwrap();
        assert!(page.text.contains("ann") && page.button.is_some(), "{page:?}");
    }
    assert_eq!(story(&world), ["inquired"]);
    let page = world.taps(&link).unwrap();
    assert_eq!((page.text.as_str(), page.button), ("ann will call you. Please wait where you are.", None));
    assert_eq!(message(&mut world), format!("bob can talk now. Please call {}.", number("bob")));
    let again = world.taps(&link).unwrap();
    assert!(again.text.contains("already"), "{again:?}");
    assert_eq!(world.switch.hotline_page(&link).unwrap().button, None);
    assert_eq!(story(&world), ["inquired", "accepted"]);
    world.wait(seconds(200));
    assert_eq!(world.on_the_wire(), Vec::<String>::new());
}

#[test]
fn a_link_cannot_be_guessed_and_the_journal_does_not_hold_it() {
    let mut world = world(false);
    let link = ann_asks(&mut world);
    assert_eq!(link.len(), 43, "256 bits");
    for guess in ["", "x", &link[..42], &format!("{link}x"), &"x".repeat(10_000)] {
        assert!(world.switch.hotline_page(guess).is_none() && world.taps(guess).is_none(), "{guess}");
    }
    let journal = format!("{:?}", world.facts);
    assert!(!journal.contains(&link) && journal.contains("{link 1}"), "{journal}");
}

#[test]
fn who_is_not_accepted_in_time_hears_so_and_later_that_it_works_now() {
    let mut world = world(false);
    let link = ann_asks(&mut world);
    world.wait(seconds(121));
    assert!(message(&mut world).starts_with("bob does not seem to be able to talk now."));
    let page = world.taps(&link).unwrap();
    assert!(page.text.contains("something else") && page.text.contains("hansho"), "{page:?}");
    assert_eq!(message(&mut world), format!("bob is able to talk now. Please call {}.", number("bob")));
    assert_eq!(story(&world), ["inquired", "refused", "late"]);
    assert_eq!(world.told(|what| matches!(what, What::HotlineAccepted { late: true, .. })), 1);
}

#[test]
fn the_roles_swap_when_the_other_calls() {
    let mut world = world(false);
    ann_asks(&mut world);
    world.call_comes_in(&number("bob"));
    world.wait(seconds(1));
    let text = message(&mut world);
    assert!(text.starts_with("bob would like to talk"), "{text}");
    let link = text.rsplit_once('/').unwrap().1.to_owned();
    world.taps(&link);
    assert_eq!(message(&mut world), format!("ann can talk now. Please call {}.", number("ann")));
    assert_eq!(story(&world), ["inquired", "refused", "inquired", "accepted"]);
    world.wait(seconds(200));
    assert_eq!(world.on_the_wire(), Vec::<String>::new());
}

#[test]
fn calling_again_and_again_sends_one_message() {
    let mut world = world(false);
    for _ in 0..10 {
        let call = world.call_comes_in(&number("ann"));
        assert_eq!(world.answered(&call), Some(480));
        world.wait(seconds(1));
    }
    message(&mut world);
    assert_eq!(world.on_the_wire(), Vec::<String>::new());
    assert_eq!(story(&world), ["inquired"]);
}

#[test]
fn a_bridge_lets_in_with_a_key_and_ends_when_one_hangs_up() {
    let mut world = world(true);
    let link = ann_asks(&mut world);
    world.taps(&link);
    let text = message(&mut world);
    assert!(!text.contains("8190"), "no number is shown: {text}");
    let (ann, bob) = (world.rings("ann"), world.rings("bob"));
    world.answers(&ann);
    world.answers(&bob);
    assert_eq!(world.hears(&ann), ["press-1", "do-join"]);
    world.presses(&ann, '7');
    world.presses(&ann, '1');
    assert!(world.rooms.contains_key(&ann.leg) && !world.rooms.contains_key(&bob.leg));
    world.presses(&bob, '1');
    assert!(world.rooms.contains_key(&bob.leg));
    world.wait(seconds(100));
    world.hangs_up(&bob);
    world.is_let_go(&ann);
    world.nothing_is_left();
    assert_eq!(world.asked_for(&Method::Message), 0);
}

#[test]
fn a_bridge_whose_one_end_is_a_voicemail_is_no_bridge() {
    let mut world = world(true);
    let link = ann_asks(&mut world);
    world.taps(&link);
    message(&mut world);
    let (ann, bob) = (world.rings("ann"), world.rings("bob"));
    world.answers(&ann);
    world.presses(&ann, '1');
    world.answers(&bob);
    world.wait(seconds(61));
    world.is_let_go(&bob);
    world.is_let_go(&ann);
    assert!(message(&mut world).starts_with("bob does not seem to be able"));
    world.nothing_is_left();
}

#[test]
fn a_bridge_to_somebody_who_is_busy_ends_at_once() {
    let mut world = world(true);
    let link = ann_asks(&mut world);
    world.taps(&link);
    message(&mut world);
    let (ann, bob) = (world.rings("ann"), world.rings("bob"));
    world.respond(&bob.invite.clone(), 486);
    world.is_let_go(&ann);
    assert!(message(&mut world).starts_with("bob does not seem to be able"));
    world.nothing_is_left();
    assert!(world.switch.next_deadline() > Some(Time::ZERO));
}

#[test]
fn the_calls_of_a_bridge_count_towards_the_caps_of_the_next_life() {
    let mut before = world(true);
    let link = ann_asks(&mut before);
    before.taps(&link);
    before.rings("ann");
    before.rings("bob");
    let capped = |most: u32| {
        let mut after = before.crash_with(|settings| settings.dial.max_per_day = Some(most));
        after.ask(|switch, now| switch.recall_dialled(now, []));
        after.raise(trigger(None), plan(&["cleo"], None));
        after.told(|what| matches!(what, What::DialRefused { .. }))
    };
    assert_eq!((capped(2), capped(3)), (1, 0), "ann and bob were rung");
}
