//! linphone as the callee: a second phone of other people's, with a media stack and manners of its own.

use std::path::Path;

use crate::support::{Daemon, Linphone, Scene, Settings, sound};

const NUMBER: &str = "+815011110001";

#[test]
fn a_key_of_linphone_takes_the_incident_and_it_heard_the_prompt() {
    let scene = Scene::new("linphone");
    let mut phone = Linphone::start(&scene, "anna", "");
    let daemon = Daemon::start(&scene, &Settings::trunk_at(phone.port).person("anna", NUMBER));
    daemon.trigger();
    daemon.events.until("attempt.prompt_started", &[("contact", "anna")]);
    phone.listens(3);
    phone.presses('1');
    let pressed = daemon.events.until("attempt.key", &[("digit", "1"), ("means", "take")]);
    assert_eq!(pressed["way"], "rfc4733", "{pressed}");
    assert_eq!(daemon.outcome("anna"), ("taken".to_owned(), Some(200)));
    assert_eq!(daemon.events.count("attempt.key"), 1, "one press is one key");

    let intro = sound::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("prompts/en/intro.wav"));
    let (middle, length) = (intro.len() / 2, sound::RATE / 4);
    let (likeness, at) = sound::find(&intro[middle..middle + length], &phone.heard());
    assert!(likeness > 0.9, "the introduction is heard: {likeness:.2} at {at}");
}
