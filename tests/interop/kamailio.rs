//! Kamailio as the trunk, with baresips registered at it: digest, record-routing, and a room of two.

use crate::support::sound::{self, RATE, key, silence, tone};
use crate::support::{Baresip, Daemon, Kamailio, Linphone, Scene, Settings};

const ANNA: &str = "+815011110001";
const BERT: &str = "+815011110002";

fn registered(kamailio: &mut Kamailio) -> Settings {
    kamailio.knows(ANNA);
    kamailio.knows(BERT);
    Settings::trunk_at(kamailio.port)
        .registers()
        .account("hansho", Kamailio::PASSWORD)
        .person("anna", ANNA)
        .person("bert", BERT)
}

#[test]
fn the_trunk_and_the_telephones_work_without_hansho() {
    let scene = Scene::new("kamailio_alone");
    let mut kamailio = Kamailio::start(&scene);
    let at = Some((kamailio.port, Kamailio::PASSWORD));
    let mut anna = Baresip::start(&scene, ANNA, "PCMU", &tone(440.0, -12.0, 60.0), at);
    let bert = Baresip::start(&scene, BERT, "PCMU", &tone(660.0, -12.0, 60.0), at);
    kamailio.knows(ANNA);
    kamailio.knows(BERT);
    anna.dials(&format!("sip:{BERT}@127.0.0.1:{}", kamailio.port));
    bert.until("CALL_ESTABLISHED");
    bert.listens(3);
    anna.hangs_up();
    bert.until("CALL_CLOSED");
    for (phone, other, own) in [(&anna, 660.0, 440.0), (&bert, 440.0, 660.0)] {
        let heard = phone.heard();
        let middle = &heard[RATE / 2..RATE * 2];
        let (other, own) = (sound::level_of(other, middle), sound::level_of(own, middle));
        assert!((other + 12.0).abs() < 1.0 && own < -60.0, "{other:.1} and {own:.1} dBFS");
    }
}

#[test]
fn two_who_take_it_hear_each_other_in_the_room_and_not_themselves() {
    let scene = Scene::new("kamailio_room");
    let mut kamailio = Kamailio::start(&scene);
    let at = Some((kamailio.port, Kamailio::PASSWORD));
    let mut anna = Baresip::start(&scene, ANNA, "PCMU", &tone(440.0, -12.0, 120.0), at);
    let mut bert = Baresip::start(&scene, BERT, "PCMA", &tone(660.0, -12.0, 120.0), at);
    let settings = registered(&mut kamailio).with_room().flow("strategy = \"simultaneous\"\nanswer = \"all\"");
    let daemon = Daemon::start(&scene, &settings);
    kamailio.knows("hansho");
    daemon.is_registered();
    daemon.trigger();
    for (phone, id) in [(&mut anna, "anna"), (&mut bert, "bert")] {
        daemon.events.until("attempt.prompt_started", &[("contact", id)]);
        phone.listens(1);
        phone.presses('1');
        daemon.events.until("attempt.key", &[("contact", id), ("means", "take")]);
    }
    daemon.events.until("room.joined", &[("people", "2")]);
    daemon.events.until("incident.acknowledged", &[]);
    // The confirmation and the way into the room are spoken first; then three seconds of each other.
    anna.listens(6);
    bert.listens(6);
    anna.hangs_up();
    daemon.events.until("room.left", &[("contact", "anna")]);
    bert.hangs_up();
    for id in ["anna", "bert"] {
        assert_eq!(daemon.outcome(id).0, "taken");
    }
    assert_eq!(daemon.events.count("attempt.key"), 2, "a tone is no key");

    for (phone, others, own) in [(&anna, 660.0, 440.0), (&bert, 440.0, 660.0)] {
        let heard = phone.heard();
        // The last half second may hold the end of the call.
        let end = heard.len() - RATE / 2;
        let together = &heard[end.saturating_sub(2 * RATE)..end];
        let (other, own) = (sound::level_of(others, together), sound::level_of(own, together));
        assert!((-15.0..=-9.0).contains(&other), "the other's tone comes at {other:.1} dBFS instead of -12");
        assert!(own < -50.0, "their own tone comes back at {own:.1} dBFS");
    }
    daemon.stops();
    kamailio.forgets("hansho");
}

#[test]
fn a_call_through_a_record_routing_proxy_ends_from_either_side() {
    let scene = Scene::new("kamailio_route");
    let mut kamailio = Kamailio::start(&scene);
    let at = Some((kamailio.port, Kamailio::PASSWORD));
    let mut anna = Baresip::start(&scene, ANNA, "PCMU", &silence(60.0), at);
    let mut bert = Baresip::start(&scene, BERT, "PCMU", &silence(60.0), at);
    let settings = registered(&mut kamailio);
    let daemon = Daemon::start(&scene, &settings);
    kamailio.knows("hansho");
    daemon.trigger();
    daemon.events.until("attempt.prompt_started", &[("contact", "anna")]);
    anna.listens(1);
    anna.hangs_up();
    assert_eq!(daemon.outcome("anna").0, "ignored");
    daemon.events.until("attempt.prompt_started", &[("contact", "bert")]);
    bert.listens(1);
    bert.presses('1');
    assert_eq!(daemon.outcome("bert"), ("taken".to_owned(), Some(200)));
    bert.until("CALL_CLOSED");
}

#[test]
fn a_number_the_proxy_does_not_know_is_unreachable() {
    let scene = Scene::new("kamailio_unknown");
    let mut kamailio = Kamailio::start(&scene);
    let settings =
        Settings::trunk_at(kamailio.port).registers().account("hansho", Kamailio::PASSWORD).person("anna", ANNA);
    let daemon = Daemon::start(&scene, &settings);
    kamailio.knows("hansho");
    daemon.trigger();
    assert_eq!(daemon.outcome("anna"), ("unreachable".to_owned(), Some(404)));
}

#[test]
fn one_who_calls_back_through_the_trunk_joins_the_room() {
    let scene = Scene::new("kamailio_calls_in");
    let mut kamailio = Kamailio::start(&scene);
    let at = Some((kamailio.port, Kamailio::PASSWORD));
    let mut anna = Baresip::start(&scene, ANNA, "PCMU", &tone(440.0, -12.0, 120.0), at);
    let mut bert = Baresip::start(&scene, BERT, "PCMU", &tone(660.0, -12.0, 120.0), at);
    let settings = registered(&mut kamailio).with_room();
    let daemon = Daemon::start(&scene, &settings);
    kamailio.knows("hansho");
    daemon.trigger();
    daemon.events.until("attempt.prompt_started", &[("contact", "anna")]);
    anna.listens(1);
    anna.presses('1');
    daemon.events.until("room.joined", &[("contact", "anna")]);
    bert.dials(&format!("sip:hansho@127.0.0.1:{}", kamailio.port));
    daemon.events.until("room.joined", &[("contact", "bert"), ("people", "2")]);
    bert.listens(5);
    bert.hangs_up();
    daemon.events.until("room.left", &[("contact", "bert")]);
    anna.hangs_up();
    daemon.events.until("room.ended", &[]);
    let heard = bert.heard();
    let end = heard.len() - RATE / 2;
    let level = sound::level_of(440.0, &heard[end - RATE..end]);
    assert!((-15.0..=-9.0).contains(&level), "the one who called in hears the other at {level:.1} dBFS");
}

#[test]
fn of_two_phones_that_the_proxy_forks_to_one_takes_it_and_both_are_let_go() {
    let scene = Scene::new("kamailio_fork");
    let mut kamailio = Kamailio::start(&scene);
    let at = Some((kamailio.port, Kamailio::PASSWORD));
    let desk = Baresip::start(&scene, ANNA, "PCMU", &[silence(4.0), key('1'), silence(60.0)].concat(), at);
    kamailio.knows(ANNA);
    let account = format!(
        "[proxy_0]\nreg_proxy=<sip:127.0.0.1:{port}>\nreg_identity=sip:{ANNA}@127.0.0.1:{port}\nreg_expires=60\n\
         reg_sendregister=1\npublish=0\n[auth_info_0]\nusername={ANNA}\nuserid={ANNA}\npasswd={}\nrealm=interop\n",
        Kamailio::PASSWORD,
        port = kamailio.port,
    );
    let mut mobile = Linphone::start(&scene, ANNA, &account);
    kamailio.knows_phone_at(mobile.port);
    let settings = Settings::trunk_at(kamailio.port).registers().account("hansho", Kamailio::PASSWORD);
    let daemon = Daemon::start(&scene, &settings.person("anna", ANNA));
    daemon.is_registered();
    daemon.trigger();
    // Both pick up at once. Whoever was later is let go, and a key there is nobody's.
    daemon.events.until("attempt.prompt_started", &[("contact", "anna")]);
    mobile.presses('1');
    assert_eq!(daemon.outcome("anna"), ("taken".to_owned(), Some(200)));
    desk.until("CALL_CLOSED");
    assert_eq!(daemon.events.count("attempt.answered"), 1, "two phones are one call");
    daemon.stops();
}
