//! People call hansho's number.

use crate::support::{Town, World, minutes};

#[test]
fn who_calls_while_nothing_is_wrong_is_turned_away() {
    let mut world = World::new(Town::of(&["sato"]));
    world.phone("sato").gets_turned_away(480);
    world.stays_quiet(minutes(5));
    assert!(world.journal.is_empty());
}
