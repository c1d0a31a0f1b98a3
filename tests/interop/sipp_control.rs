//! SIPp as a far end that uses what the later RFCs allow: reliable provisional responses, session timers, UPDATE,
//! redirects, REFER, offers of many sections, and calls without an offer.

use crate::support::{Daemon, Scene, Settings, Sipp};

const NUMBER: &str = "+815011110001";
const SECOND: &str = "+815011110002";

/// Runs one call against a scenario, which must go as written; gives the outcome and its status.
fn one_call(scenario: Sipp, name: &str) -> (String, Option<u64>) {
    let scene = Scene::new(name);
    let sipp = scenario.listens(&scene);
    let daemon = Daemon::start(&scene, &Settings::trunk_at(sipp.port).person("anna", NUMBER));
    daemon.trigger();
    let told = daemon.outcome("anna");
    sipp.passes();
    assert_eq!(daemon.events.count("attempt.dialling"), 1, "whatever comes in between, it is one attempt");
    told
}

fn taken(name: &str) {
    assert_eq!(one_call(Sipp::scenario(name), name), ("taken".to_owned(), Some(200)));
}

/// Runs a call that comes in while a person is rung, and ends in the room.
fn joins(name: &str) {
    let scene = Scene::new(name);
    let (port, second) = (scene.port(), scene.port());
    let settings = Settings::trunk_at(port).with_room().flow("ring_timeout = \"30s\"");
    let daemon = Daemon::start(&scene, &settings.person("anna", NUMBER).person("bert", SECOND));
    let rings = Sipp::scenario("no_answer").listens_on(&scene, port);
    let incident = daemon.trigger();
    daemon.events.until("attempt.ringing", &[("contact", "anna")]);
    let calling = Sipp::scenario(name).with("caller", SECOND).with("dialled", "hansho");
    let calling = calling.calls_on(&scene, second, daemon.port);
    daemon.events.until("room.joined", &[("contact", "bert"), ("incident", &incident)]);
    rings.passes();
    calling.passes();
}

#[test]
fn a_ringing_that_must_not_be_lost_is_acknowledged_with_prack() {
    taken("prack");
}

#[test]
fn a_session_timer_is_lengthened_on_demand_and_the_session_refreshed_by_update() {
    taken("session_timer");
}

#[test]
fn a_re_invite_that_meets_another_is_answered_491_and_the_call_goes_on() {
    taken("session_glare");
}

#[test]
fn a_session_that_nobody_refreshes_is_ended() {
    assert_eq!(one_call(Sipp::scenario("session_lapse"), "session_lapse"), ("failed".to_owned(), Some(408)));
}

#[test]
fn update_holds_and_takes_up_and_refreshes() {
    taken("update");
}

#[test]
fn a_redirect_to_the_same_number_at_the_trunk_is_followed() {
    taken("redirect");
}

#[test]
fn a_redirect_to_anybody_else_is_not_followed() {
    for (name, target) in [
        ("redirect_premium", "sip:+881600000000@127.0.0.1"),
        ("redirect_elsewhere", "sip:+815011110001@192.0.2.66"),
        ("redirect_tel", "tel:+881600000000"),
    ] {
        let scenario = Sipp::scenario("redirect_away").with("target", target);
        assert_eq!(one_call(scenario, name), ("unreachable".to_owned(), Some(302)), "{target}");
    }
}

#[test]
fn refer_is_refused_and_the_call_goes_on() {
    taken("refer");
}

#[test]
fn a_call_in_without_an_offer_is_offered_one() {
    joins("call_in_late_offer");
}

#[test]
fn a_call_in_of_many_sections_is_answered_section_by_section() {
    joins("call_in_many_sections");
}
