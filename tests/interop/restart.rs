//! A power cut in the middle of a call, with SIPp on the other end of the line.

use crate::support::{Daemon, Scene, Settings, Sipp};

const NUMBER: &str = "+815011110001";

#[test]
fn a_call_that_was_up_when_the_power_went_is_ended_and_its_person_called_again() {
    let scene = Scene::new("restart_answered");
    let sipp = Sipp::scenario("answer_silent").calls(2).listens(&scene);
    let daemon = Daemon::start(&scene, &Settings::trunk_at(sipp.port).person("anna", NUMBER));
    let incident = daemon.trigger();
    daemon.events.until("attempt.prompt_started", &[]);
    let daemon = daemon.power_cut(&scene);
    daemon.events.until("attempt.ended", &[("incident", &incident), ("attempt", "2"), ("outcome", "ignored")]);
    daemon.events.until("incident.exhausted", &[("incident", &incident)]);
    sipp.passes();
}

#[test]
fn a_phone_that_rang_when_the_power_went_stops_ringing_and_rings_again() {
    let scene = Scene::new("restart_ringing");
    let sipp = Sipp::scenario("restart_ringing").patient().calls(2).listens(&scene);
    let settings = Settings::trunk_at(sipp.port).person("anna", NUMBER).flow("ring_timeout = \"3s\"");
    let daemon = Daemon::start(&scene, &settings);
    let incident = daemon.trigger();
    daemon.events.until("attempt.ringing", &[]);
    let daemon = daemon.power_cut(&scene);
    daemon.events.until("attempt.ended", &[("incident", &incident), ("attempt", "2"), ("outcome", "no_answer")]);
    daemon.events.until("incident.exhausted", &[("incident", &incident)]);
    sipp.passes();
}
