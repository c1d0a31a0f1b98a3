//! SIPp as a trunk that wants to know who we are, asks after us, and brings calls; and as a stranger.

use crate::support::{Daemon, Scene, Settings, Sipp};

const NUMBER: &str = "+815011110001";

fn challenged(scenario: &str) {
    let scene = Scene::new(scenario);
    let sipp = Sipp::scenario(scenario).with("username", "bell").with("password", "s3:cret=1");
    let sipp = sipp.listens(&scene);
    let settings = Settings::trunk_at(sipp.port).account("bell", "s3:cret=1").person("anna", NUMBER);
    let daemon = Daemon::start(&scene, &settings);
    daemon.trigger();
    assert_eq!(daemon.outcome("anna"), ("taken".to_owned(), Some(200)));
    assert_eq!(daemon.events.count("attempt.dialling"), 1, "a challenge is no attempt of its own");
    sipp.passes();
}

#[test]
fn an_invite_that_is_challenged_by_a_proxy_is_sent_again_with_credentials() {
    challenged("proxy_challenge");
}

#[test]
fn an_invite_that_is_challenged_by_the_callee_is_answered_as_sipp_computes_it() {
    challenged("challenge");
}

#[test]
fn a_registration_is_kept_alive_and_taken_back_at_the_end() {
    let scene = Scene::new("registrar");
    let port = scene.port();
    let settings = Settings::trunk_at(port).registers().account("bell", "s3cret").person("anna", NUMBER);
    let daemon = Daemon::start(&scene, &settings);
    // Only now, so that whoever watches sees the registration.
    let sipp = Sipp::scenario("registrar").with("username", "bell").with("password", "s3cret");
    let sipp = sipp.listens_on(&scene, port);
    daemon.events.until("trunk.registered", &[("trunk", "outside"), ("expires", "4")]);
    sipp.saw("CSeq: 3 REGISTER");
    daemon.stops();
    sipp.passes();
}

#[test]
fn a_registrar_that_finds_the_expiry_too_brief_is_asked_for_longer() {
    let scene = Scene::new("registrar_brief");
    let sipp = Sipp::scenario("registrar_brief").listens(&scene);
    let settings = Settings::trunk_at(sipp.port).registers().account("bell", "s3cret").person("anna", NUMBER);
    let daemon = Daemon::start(&scene, &settings);
    daemon.is_registered();
    sipp.passes();
}

#[test]
fn a_trunk_that_asks_whether_we_are_there_is_told() {
    let scene = Scene::new("options");
    let port = scene.port();
    let daemon = Daemon::start(&scene, &Settings::trunk_at(port).person("anna", NUMBER));
    let asking = Sipp::scenario("options").with("caller", "trunk").with("dialled", "hansho");
    asking.calls_on(&scene, port, daemon.port).passes();
}

#[test]
fn a_call_in_that_we_cannot_speak_with_is_refused_with_488() {
    let scene = Scene::new("call_in_no_codec");
    let port = scene.port();
    let daemon = Daemon::start(&scene, &Settings::trunk_at(port).person("anna", NUMBER));
    let calling = Sipp::scenario("call_in_no_codec").with("caller", NUMBER).with("dialled", "hansho");
    calling.calls_on(&scene, port, daemon.port).passes();
}

#[test]
fn whoever_is_called_may_call_in_and_joins_the_room() {
    let scene = Scene::new("call_in");
    let (port, second) = (scene.port(), scene.port());
    let daemon = Daemon::start(
        &scene,
        &Settings::trunk_at(port)
            .with_room()
            .flow("ring_timeout = \"30s\"")
            .person("anna", NUMBER)
            .person("bert", "+815011110002"),
    );
    let rings = Sipp::scenario("no_answer").listens_on(&scene, port);
    let incident = daemon.trigger();
    daemon.events.until("attempt.ringing", &[("contact", "anna")]);
    let calling = Sipp::scenario("call_in").with("caller", "+815011110002").with("dialled", "hansho");
    let calling = calling.calls_on(&scene, second, daemon.port);
    daemon.events.until("room.joined", &[("contact", "bert"), ("incident", &incident)]);
    rings.passes();
    calling.passes();
}

#[test]
fn a_stranger_hears_nothing() {
    let scene = Scene::new("stranger");
    let port = scene.port();
    let daemon = Daemon::start(&scene, &Settings::trunk_at(port).person("anna", NUMBER));
    let knock = |method: &str| {
        let stranger = Sipp::scenario("stranger").from("127.0.0.2").with("method", method);
        stranger.with("caller", NUMBER).with("dialled", "hansho").calls_on(&scene, scene.port(), daemon.port)
    };
    let (invite, options) = (knock("INVITE"), knock("OPTIONS"));
    invite.passes();
    options.passes();
    assert_eq!(daemon.events.count("call_in.refused"), 0, "a stranger does not even reach the door");
    daemon.stops();
}
