//! A key is one key, in whichever ways it comes; and a short message finds its telephone.

use hansho::incident::{Entry, Fact, HouseFact, State};

use crate::support::{Town, World, millis, seconds};

fn keys(journal: &[Entry]) -> String {
    let key = |entry: &Entry| match entry.fact() {
        Some(Fact::Key { digit, .. }) => Some(digit.as_char()),
        _ => None,
    };
    journal.iter().filter_map(key).collect()
}

#[test]
fn one_press_that_is_sent_in_all_three_ways_is_one_key() {
    let mut world = World::new(Town::of(&["sato"]));
    let incident = world.trigger("the database is down");
    world.phone("sato").rings().answers().hears("message").presses_in_all_ways('8');
    world.wait(seconds(3));
    assert_eq!(keys(&world.journal), "8");
    world.phone("sato").presses_in_all_ways('8');
    world.wait(millis(400));
    world.phone("sato").presses_in_all_ways('8');
    world.wait(seconds(3));
    assert_eq!(keys(&world.journal), "888");
    world.phone("sato").presses_in_all_ways('1').gets_hung_up();
    assert_eq!((keys(&world.journal), world.state(incident)), ("8881".to_owned(), State::Acknowledged));
    world.ends();
}

#[test]
fn a_key_that_comes_by_info_alone_takes_the_incident() {
    let mut world = World::new(Town::of(&["sato"]));
    let incident = world.trigger("the database is down");
    world.phone("sato").rings().answers().hears("message").presses_by_info('1').gets_hung_up();
    assert_eq!(world.state(incident), State::Acknowledged);
    world.ends();
}

#[test]
fn a_short_message_finds_its_telephone_over_a_trunk_that_asks_for_a_password() {
    let mut world = World::new(Town::of(&["sato", "yamada"]));
    let number = world.sends_message("yamada", "通話できますか。");
    world.phone("yamada").gets_message("通話できますか。").gets_no_message();
    world.phone("sato").gets_no_message();
    world.wait(seconds(1));
    let sent =
        |entry: &Entry| matches!(entry, Entry::House(_, HouseFact::MessageSent { message }) if *message == number);
    assert_eq!(world.journal.iter().filter(|entry| sent(entry)).count(), 1);
}
