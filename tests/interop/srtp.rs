//! Encrypted voice: baresip and linphone with keys in the SDP, as they offer and answer them by themselves.

use std::path::Path;

use serde_json::json;

use crate::support::sound::{self, RATE, key, silence};
use crate::support::{Baresip, Daemon, Linphone, Scene, Settings, until};

const NUMBER: &str = "+815011110001";
const PASSWORD: &str = "tigers-do-not-sleep";

/// A telephone that picks up by itself and does this about encryption: `;mediaenc=srtp-mand`, or nothing.
fn phone(scene: &Scene, says: &[i16], encryption: &str) -> Baresip {
    Baresip::with_account(scene, NUMBER, "PCMU", says, &format!("<sip:{NUMBER}@127.0.0.1:PORT>;regint=0{encryption}"))
}

fn settings(phone: &Baresip, srtp: &str) -> Settings {
    Settings::trunk_at(phone.port).trunk(&format!("srtp = {srtp:?}")).person("anna", NUMBER)
}

/// What `status` says of the one call that is up.
fn is_encrypted(daemon: &Daemon) -> bool {
    let status = daemon.ask(&json!({ "op": "status" }));
    let call = &status["incidents"][0]["attempts"][0];
    let said = call["encrypted"].as_bool().unwrap_or_else(|| panic!("a call that is up: {status}"));
    let id = status["incidents"][0]["incident"].as_str().expect("an incident has an id");
    assert_eq!(daemon.command(&["status", id]).contains("  encrypted"), said, "a person reads the same");
    said
}

/// The middle of the introduction is in what was heard, at the level it was recorded with.
fn heard_the_introduction(heard: &[i16]) {
    let intro = sound::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("prompts/en/intro.wav"));
    let (middle, length) = (intro.len() / 2, RATE / 4);
    let (likeness, at) = sound::find(&intro[middle..middle + length], heard);
    assert!(likeness > 0.9, "the introduction is heard: {likeness:.2} at {at}");
    let level = sound::speech_level(heard);
    assert!((-29.0..=-21.0).contains(&level), "speech at {level:.1} dBFS instead of -25");
}

#[test]
fn tones_in_encrypted_voice_take_the_incident_and_the_prompt_is_heard_as_it_was_recorded() {
    let scene = Scene::new("srtp_in_band");
    let says = [silence(4.0), key('1'), silence(30.0)].concat();
    let phone = phone(&scene, &says, ";mediaenc=srtp-mand");
    let daemon = Daemon::start(&scene, &settings(&phone, "required"));
    daemon.trigger();
    daemon.events.until("attempt.prompt_started", &[("contact", "anna")]);
    assert!(is_encrypted(&daemon));
    let pressed = daemon.events.until("attempt.key", &[("digit", "1"), ("means", "take")]);
    assert_eq!(pressed["way"], "in_band", "{pressed}");
    assert_eq!(daemon.outcome("anna"), ("taken".to_owned(), Some(200)));
    phone.until("CALL_CLOSED");
    heard_the_introduction(&phone.heard());
}

#[test]
fn keys_over_tls_are_required_and_a_key_is_pressed() {
    let scene = Scene::new("srtp_tls");
    let mut phone = phone(&scene, &silence(60.0), ";mediaenc=srtp-mand");
    let own = scene.path("baresip.pem");
    // Its port of TLS is the one behind that of UDP.
    let settings = Settings::trunk_at(phone.port + 1)
        .trunk(&format!("transport = \"tls\"\nca_file = {own:?}\nsrtp = \"required\""))
        .person("anna", NUMBER);
    let daemon = Daemon::start(&scene, &settings);
    daemon.trigger();
    daemon.events.until("attempt.prompt_started", &[("contact", "anna")]);
    phone.listens(3);
    assert!(is_encrypted(&daemon));
    phone.presses('1');
    assert_eq!(daemon.events.until("attempt.key", &[("digit", "1")])["way"], "rfc4733");
    assert_eq!(daemon.outcome("anna"), ("taken".to_owned(), Some(200)));
    phone.until("CALL_CLOSED");
    heard_the_introduction(&phone.heard());
}

#[test]
fn what_is_optional_is_encrypted_where_the_other_side_can_and_plain_where_it_cannot() {
    for (name, encryption, expected) in [("srtp_optional", ";mediaenc=srtp", true), ("srtp_optional_plain", "", false)]
    {
        let scene = Scene::new(name);
        let mut phone = phone(&scene, &silence(60.0), encryption);
        let daemon = Daemon::start(&scene, &settings(&phone, "optional"));
        daemon.trigger();
        daemon.events.until("attempt.prompt_started", &[("contact", "anna")]);
        phone.listens(3);
        assert_eq!(is_encrypted(&daemon), expected, "{name}");
        phone.presses('1');
        assert_eq!(daemon.outcome("anna"), ("taken".to_owned(), Some(200)), "{name}");
        phone.until("CALL_CLOSED");
        heard_the_introduction(&phone.heard());
    }
}

#[test]
fn a_call_that_must_be_encrypted_and_cannot_be_ends_and_says_why() {
    let scene = Scene::new("srtp_refused");
    let phone = phone(&scene, &silence(60.0), "");
    let daemon = Daemon::start(&scene, &settings(&phone, "required"));
    daemon.trigger();
    let ended = daemon.events.until("attempt.ended", &[("contact", "anna")]);
    assert_ne!(ended["outcome"], "taken", "{ended}");
    assert!(ended["code"] == 488 || ended["reason"].as_str().is_some_and(|why| why.contains("encrypted")), "{ended}");
}

/// A second out of the middle of the one recording there is, once it is whole.
fn recorded(scene: &Scene) -> Vec<i16> {
    let folder = scene.path("data").join("recordings");
    until("the recording of the room", || {
        let file = std::fs::read_dir(&folder).ok()?.find_map(|entry| Some(entry.ok()?.path()))?;
        file.metadata().ok().filter(|file| file.len() > 6 * RATE as u64)?;
        let sound = Some(sound::read(&file)).filter(|sound| sound.len() >= 3 * RATE)?;
        Some(sound[sound.len() / 2..][..RATE].to_vec())
    })
}

#[test]
fn whoever_calls_in_is_encrypted_or_turned_away() {
    let tones = "2468".chars().flat_map(|digit| [key(digit), silence(0.4)].concat()).collect::<Vec<_>>();
    let says = [silence(3.0), tones, sound::tone(1_000.0, -12.0, 40.0)].concat();
    for (name, encryption, joins) in [
        ("srtp_in_savp", ";mediaenc=srtp-mand", true),
        ("srtp_in_avp", ";mediaenc=srtp", true),
        ("srtp_in_plain", "", false),
    ] {
        let scene = Scene::new(name);
        let settings = Settings::at_home("anna", PASSWORD)
            .person("anna", "sip:anna@house.test")
            .registrar("algorithms = [\"MD5\"]\nsrtp = \"required\"")
            .more("[[room]]\nid = \"war-room\"\npin = \"2468\"\nrecord = true");
        let daemon = Daemon::start(&scene, &settings);
        let account =
            format!("<sip:anna@127.0.0.1:{}>;auth_user=anna;auth_pass={PASSWORD};regint=60{encryption}", daemon.port);
        let mut phone = Baresip::with_account(&scene, "anna", "PCMU", &says, &account);
        daemon.events.until("user.registered", &[("user", "anna")]);
        phone.dials(&format!("sip:hansho@127.0.0.1:{}", daemon.port));
        if joins {
            daemon.events.until("room.joined", &[("room", "war-room")]);
            assert_eq!(daemon.events.count("call_in.wrong_pin"), 0, "{name}");
            phone.listens(4);
            phone.hangs_up();
            let level = sound::level_of(1_000.0, &recorded(&scene));
            assert!((-13.0..=-11.0).contains(&level), "{name}: the tone of -12 dBFS is recorded at {level:.1}");
        } else {
            phone.until("CALL_CLOSED");
            assert_eq!(daemon.events.count("room.joined"), 0, "{name}");
        }
    }
}

#[test]
fn linphone_insists_on_encryption_and_takes_the_incident() {
    let scene = Scene::new("srtp_linphone");
    let mut phone = Linphone::start(&scene, "anna", "[sip]\nmedia_encryption=srtp\nmedia_encryption_mandatory=1\n");
    let settings = Settings::trunk_at(phone.port).trunk("srtp = \"required\"").person("anna", NUMBER);
    let daemon = Daemon::start(&scene, &settings);
    daemon.trigger();
    daemon.events.until("attempt.prompt_started", &[("contact", "anna")]);
    assert!(is_encrypted(&daemon));
    phone.listens(3);
    phone.presses('1');
    assert_eq!(daemon.outcome("anna"), ("taken".to_owned(), Some(200)));
    heard_the_introduction(&phone.heard());
}
