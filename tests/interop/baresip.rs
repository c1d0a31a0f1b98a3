//! baresip as the callee, straight on the other end: real voice both ways, and what arrived is listened to.

use std::path::Path;

use crate::support::sound::{self, RATE, key, silence};
use crate::support::{Baresip, Daemon, Scene, Settings};

const NUMBER: &str = "+815011110001";

/// A recorded prompt of ours, without the silence around it.
fn prompt(name: &str) -> Vec<i16> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("prompts/en").join(name).with_extension("wav");
    sound::read(&file)
}

/// A piece of the middle of a prompt, long enough not to be taken for another.
fn piece(prompt: &[i16]) -> &[i16] {
    let length = (RATE / 4).min(prompt.len() / 2);
    let from = (prompt.len() - length) / 2;
    &prompt[from..from + length]
}

#[test]
fn two_tones_in_the_voice_take_the_incident_and_the_prompt_is_heard_as_it_was_recorded() {
    let scene = Scene::new("baresip_in_band");
    let says = [silence(4.0), key('1'), silence(30.0)].concat();
    let phone = Baresip::start(&scene, NUMBER, "PCMU", &says, None);
    let daemon = Daemon::start(&scene, &Settings::trunk_at(phone.port).person("anna", NUMBER));
    daemon.trigger();
    let pressed = daemon.events.until("attempt.key", &[("digit", "1"), ("means", "take")]);
    assert_eq!(pressed["way"], "in_band", "{pressed}");
    assert_eq!(daemon.outcome("anna"), ("taken".to_owned(), Some(200)));
    phone.until("CALL_CLOSED");
    assert_eq!(daemon.events.count("attempt.key"), 1, "one press is one key");

    let heard = phone.heard();
    let intro = prompt("intro");
    let (likeness, at) = sound::find(piece(&intro), &heard);
    assert!(likeness > 0.9, "the introduction is heard: {likeness:.2} at {at}");
    let level = sound::speech_level(&heard);
    assert!((-29.0..=-21.0).contains(&level), "speech at {level:.1} dBFS instead of -25");
    let (likeness, confirmed) = sound::find(piece(&prompt("taken")), &heard);
    assert!(likeness > 0.9 && confirmed > at, "the key is confirmed: {likeness:.2} at {confirmed}");
}

#[test]
fn a_key_of_baresip_s_own_events_is_heard_in_a_call_in_a_law() {
    let scene = Scene::new("baresip_events");
    let mut phone = Baresip::start(&scene, NUMBER, "PCMA", &silence(60.0), None);
    let daemon = Daemon::start(&scene, &Settings::trunk_at(phone.port).person("anna", NUMBER));
    daemon.trigger();
    daemon.events.until("attempt.prompt_started", &[("contact", "anna")]);
    phone.listens(2);
    phone.presses('2');
    let pressed = daemon.events.until("attempt.key", &[("digit", "2"), ("means", "next")]);
    assert_eq!(pressed["way"], "rfc4733", "{pressed}");
    assert_eq!(daemon.outcome("anna"), ("passed".to_owned(), Some(200)));
    phone.until("CALL_CLOSED");
    let (likeness, at) = sound::find(piece(&prompt("intro")), &phone.heard());
    assert!(likeness > 0.9, "the introduction is heard: {likeness:.2} at {at}");
}

#[test]
fn whoever_hangs_up_baresip_in_the_middle_took_nothing() {
    let scene = Scene::new("baresip_hangs_up");
    let mut phone = Baresip::start(&scene, NUMBER, "PCMU", &silence(60.0), None);
    let daemon = Daemon::start(&scene, &Settings::trunk_at(phone.port).person("anna", NUMBER));
    daemon.trigger();
    daemon.events.until("attempt.prompt_started", &[("contact", "anna")]);
    phone.listens(1);
    phone.hangs_up();
    assert_eq!(daemon.outcome("anna").0, "ignored");
    daemon.events.until("incident.exhausted", &[]);
}
