//! Reports of how well a call is heard (RTCP), to and from other people's telephones: on a port of their own and on the
//! port of the voice. On loopback nothing is lost, and both sides have to say so.

use serde_json::{Value, json};

use crate::support::sound::silence;
use crate::support::{Baresip, Daemon, Linphone, Scene, Settings, until};

const NUMBER: &str = "+815011110001";

/// What is known of the only call, once the telephone has reported, and there are two seconds and more to report of.
fn reported(daemon: &Daemon, incident: &str, sides: &[&str]) -> Value {
    until("the telephone's report", || {
        let status = daemon.ask(&json!({ "op": "status", "incident": incident }));
        let quality = status["incidents"][0]["attempts"][0]["quality"].clone();
        let long = sides.iter().all(|side| quality[*side]["packets"].as_u64() >= Some(100));
        (quality["round_trip_ms"].is_u64() && long).then_some(quality)
    })
}

fn nothing_is_lost(quality: &Value, sides: &[&str]) {
    for side in sides {
        let packets = quality[*side]["packets"].as_u64().unwrap_or_default();
        let lost = quality[*side]["lost"].as_u64().unwrap_or(u64::MAX);
        // The last packets may be under way while they are counted.
        assert!(packets >= 100 && lost * 50 <= packets, "{side}: {quality}");
    }
    assert!(quality["round_trip_ms"].as_u64().is_some_and(|ms| ms < 10_000), "{quality}");
}

fn baresip_reports(name: &str, account: &str) {
    let scene = Scene::new(name);
    let account = format!("<sip:{NUMBER}@127.0.0.1:PORT>;regint=0{account}");
    let mut phone = Baresip::with_account(&scene, NUMBER, "PCMU", &silence(60.0), &account);
    let daemon = Daemon::start(&scene, &Settings::trunk_at(phone.port).with_room().person("anna", NUMBER));
    let incident = daemon.trigger();
    daemon.events.until("attempt.prompt_started", &[("contact", "anna")]);
    phone.listens(1);
    phone.presses('1');
    daemon.events.until("room.joined", &[]);
    let sides = ["here", "there"];
    nothing_is_lost(&reported(&daemon, &incident, &sides), &sides);
    phone.hangs_up();
    let ended = daemon.events.until("attempt.ended", &[]);
    nothing_is_lost(&ended["quality"], &sides);
    let said = daemon.command(&["status", &incident]);
    assert!(said.contains("the other side heard 0"), "{said}");
}

#[test]
fn baresip_and_we_hear_each_other_s_reports_on_ports_of_their_own() {
    baresip_reports("reports_apart", "");
}

#[test]
fn baresip_and_we_hear_each_other_s_reports_on_the_port_of_the_voice() {
    baresip_reports("reports_muxed", ";rtcp_mux=yes");
}

#[test]
fn linphone_and_we_hear_each_other_s_reports() {
    let scene = Scene::new("reports_linphone");
    let mut phone = Linphone::start(&scene, "anna", "");
    let daemon = Daemon::start(&scene, &Settings::trunk_at(phone.port).with_room().person("anna", NUMBER));
    let incident = daemon.trigger();
    daemon.events.until("attempt.prompt_started", &[("contact", "anna")]);
    phone.listens(1);
    phone.presses('1');
    daemon.events.until("room.joined", &[]);
    // It has no microphone here, and sends no more than its key.
    nothing_is_lost(&reported(&daemon, &incident, &["there"]), &["there"]);
}
