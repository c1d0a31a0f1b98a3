//! The whole trade in one night: from the trigger to the room.

use hansho::incident::State;

use crate::support::{Town, World, millis, minutes, seconds};

#[test]
fn an_incident_finds_the_person_who_takes_it_and_they_meet_in_a_room() {
    let mut world = World::new(Town::of(&["sato", "suzuki", "tanaka", "yamada"]).with_room("war-room"));
    let night = world.trigger("The disk of server db 1 is full.");

    world.phone("sato").rings();
    world.wait(seconds(15));
    world.phone("sato").rings();
    world.phone("suzuki").keeps_quiet();
    world.phone("sato").gets_hung_up();

    world.phone("suzuki").rings().refuses(486);

    world.phone("tanaka").rings().answers().hears("intro").hears("message").presses_in_band('2').hears("passed");
    world.phone("yamada").rings().answers().hears("intro").hears("message").hears("press-1").hears("do-join");
    world.phone("tanaka").gets_hung_up();
    world.phone("yamada").presses('1').hears("joining").hears("music");
    assert_eq!(world.state(night), State::Acknowledged);

    world.phone("tanaka").calls_in().hears("intro").hears("message").hears("message");
    world.wait(seconds(2));
    let from = world.now;
    world.phone("tanaka").talks(seconds(3));
    world.phone("yamada").talks(seconds(3));
    world.wait(seconds(3));
    world.phone("tanaka").heard_only(&["yamada"], from + millis(200));
    world.phone("yamada").heard_only(&["tanaka"], from + millis(200));

    world.stays_quiet(minutes(5));
    world.phone("yamada").hangs_up();
    world.phone("tanaka").hangs_up();
    world.ends();
    world.stays_quiet(minutes(60));
    let told = |who: &str, outcome: &str, code| (who.to_owned(), outcome.to_owned(), Some(code));
    let expected = [
        told("sato", "no_answer", 487),
        told("suzuki", "busy", 486),
        told("tanaka", "passed", 200),
        told("yamada", "taken", 200),
    ];
    assert_eq!(world.outcomes(night)[..4], expected);
}
