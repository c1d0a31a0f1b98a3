//! baresip is asked into a room and taken out of it again: what it hears, and what goes over the wire.

use std::path::Path;

use serde_json::json;

use crate::support::sound::{self, RATE, key, silence};
use crate::support::{Baresip, Daemon, Scene, Settings};

const NUMBER: &str = "+815011110001";

/// A piece of the middle of a prompt of ours, long enough not to be taken for another.
fn piece(name: &str) -> Vec<i16> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("prompts/en").join(name).with_extension("wav");
    let prompt = sound::read(&file);
    let length = (RATE / 4).min(prompt.len() / 2);
    let from = (prompt.len() - length) / 2;
    prompt[from..from + length].to_vec()
}

#[test]
fn whoever_is_asked_into_a_room_comes_in_with_a_key_and_hears_that_they_are_taken_out() {
    let scene = Scene::new("rooms_baresip");
    let says = [silence(5.0), key('1'), silence(60.0)].concat();
    let phone = Baresip::start(&scene, NUMBER, "PCMU", &says, None);
    let settings = Settings::trunk_at(phone.port).person("anna", NUMBER).more("[[room]]\nid = \"war\"\n");
    let daemon = Daemon::start(&scene, &settings);
    daemon.is_registered();
    let rung = daemon.ask(&json!({ "op": "room.dial", "room": "war", "to": "anna" }));
    assert_eq!((&rung["ok"], &rung["phone"]), (&json!(true), &json!(NUMBER)), "{rung}");
    daemon.events.until("room.dialled", &[("room", "war"), ("contact", "anna")]);
    daemon.events.until("room.joined", &[("room", "war"), ("contact", "anna")]);
    let taken = daemon.ask(&json!({ "op": "room.kick", "room": "war", "member": 1 }));
    assert_eq!(taken["contact"], "anna", "{taken}");
    phone.until("CALL_CLOSED");
    daemon.events.until("room.ended", &[("room", "war")]);
    let heard = phone.heard();
    let (likeness, asked) = sound::find(&piece("invited"), &heard);
    assert!(likeness > 0.9, "the question is heard: {likeness:.2} at {asked}");
    let (likeness, last) = sound::find(&piece("shown-out"), &heard);
    assert!(likeness > 0.9 && last > asked, "the last words are heard: {likeness:.2} at {last}");
    assert_eq!(daemon.events.count("room.missed"), 0);
}
