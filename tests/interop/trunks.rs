//! Several trunks: SIPp as one that fails and as the next one. What is asserted of every way that was not taken is that
//! whoever watches reads where it led and why it was left.

use serde_json::json;

use crate::support::{Daemon, Scene, Settings, Sipp, until};

const NUMBER: &str = "+815011110001";

/// One trunk at this port and a second one, named `spare`, at that.
fn two(first: u16, second: u16) -> Settings {
    let spare = format!("[[trunk]]\nid = \"spare\"\nproxy = \"127.0.0.1:{second}\"\npriority = 10");
    Settings::trunk_at(first).more(&spare).person("anna", NUMBER)
}

#[test]
fn a_trunk_out_of_service_passes_the_call_to_the_next_one() {
    let scene = Scene::new("trunk_503");
    let broken = Sipp::scenario("refuse").with("code", "503").with("phrase", "Service Unavailable").listens(&scene);
    let works = Sipp::scenario("answer_key").listens(&scene);
    let daemon = Daemon::start(&scene, &two(broken.port, works.port));
    daemon.trigger();
    assert_eq!(daemon.outcome("anna"), ("taken".to_owned(), Some(200)));
    let failed = daemon.events.until("trunk.target_failed", &[("trunk", "outside"), ("code", "503")]);
    assert_eq!(failed["target"], format!("127.0.0.1:{}", broken.port), "{failed}");
    let rerouted = daemon.events.until("attempt.rerouted", &[("from", "outside"), ("trunk", "spare"), ("code", "503")]);
    assert_eq!(rerouted["target"], format!("127.0.0.1:{}", works.port), "{rerouted}");
    assert_eq!(daemon.events.count("attempt.dialling"), 1, "another trunk is no attempt of its own");
    broken.passes();
    works.passes();
}

#[test]
fn a_trunk_that_forbids_the_call_passes_it_on_and_is_not_left_alone_for_it() {
    let scene = Scene::new("trunk_403");
    let broken = Sipp::scenario("refuse").with("code", "403").with("phrase", "Forbidden").listens(&scene);
    let works = Sipp::scenario("answer_key").listens(&scene);
    let daemon = Daemon::start(&scene, &two(broken.port, works.port));
    daemon.trigger();
    assert_eq!(daemon.outcome("anna"), ("taken".to_owned(), Some(200)));
    daemon.events.until("attempt.rerouted", &[("from", "outside"), ("code", "403")]);
    assert_eq!(daemon.events.count("trunk.target_failed"), 0, "whoever forbids is there");
    broken.passes();
    works.passes();
}

#[test]
fn a_trunk_that_takes_no_call_of_this_kind_leaves_it_to_the_next_one() {
    let scene = Scene::new("trunk_488");
    let picky = Sipp::scenario("refuse").with("code", "488").with("phrase", "Not Acceptable Here").listens(&scene);
    let works = Sipp::scenario("answer_key").listens(&scene);
    let daemon = Daemon::start(&scene, &two(picky.port, works.port));
    daemon.trigger();
    assert_eq!(daemon.outcome("anna"), ("taken".to_owned(), Some(200)));
    daemon.events.until("attempt.rerouted", &[("from", "outside"), ("code", "488")]);
    picky.passes();
    works.passes();
}

#[test]
fn a_trunk_that_says_nothing_until_the_ringing_is_over_has_failed_and_the_person_was_not_silent() {
    let scene = Scene::new("trunk_silent");
    let settings = Settings::trunk_at(scene.port()).flow("ring_timeout = \"2s\"").person("anna", NUMBER);
    let daemon = Daemon::start(&scene, &settings);
    daemon.trigger();
    assert_eq!(daemon.outcome("anna"), ("failed".to_owned(), None));
    let ended = daemon.events.until("attempt.ended", &[]);
    assert_eq!(ended["reason"], "the trunk did not answer", "{ended}");
}

#[test]
fn a_trunk_that_nobody_answers_at_is_left_for_the_next_one_after_five_seconds_and_then_left_alone() {
    let scene = Scene::new("trunk_dead");
    let nobody = scene.port();
    let works = Sipp::scenario("answer_key").calls(2).listens(&scene);
    let daemon = Daemon::start(&scene, &two(nobody, works.port));
    daemon.trigger();
    assert_eq!(daemon.outcome("anna"), ("taken".to_owned(), Some(200)));
    daemon.events.until("trunk.target_failed", &[("trunk", "outside"), ("rest", "60")]);
    assert_eq!(daemon.events.count("attempt.rerouted"), 1);
    // The second incident does not lose the five seconds again.
    daemon.trigger();
    works.passes();
    assert_eq!(daemon.events.count("attempt.rerouted"), 1);
}

#[test]
fn a_busy_callee_is_busy_however_many_trunks_there_are() {
    let scene = Scene::new("trunk_486");
    let busy = Sipp::scenario("refuse").with("code", "486").with("phrase", "Busy Here").listens(&scene);
    let other = Sipp::scenario("answer_key").for_ever().listens(&scene);
    let daemon = Daemon::start(&scene, &two(busy.port, other.port));
    daemon.trigger();
    assert_eq!(daemon.outcome("anna"), ("busy".to_owned(), Some(486)));
    daemon.events.until("incident.exhausted", &[]);
    busy.passes();
    assert_eq!((daemon.events.count("attempt.rerouted"), other.drains()), (0, 0));
}

#[test]
fn what_the_telephone_network_says_decides_where_the_status_leaves_it_open() {
    for (cause, outcome) in [("17", "busy"), ("1", "unreachable"), ("19", "no_answer"), ("34", "taken")] {
        let scene = Scene::new(&format!("trunk_cause_{cause}"));
        let gateway = Sipp::scenario("refuse").with("code", "500").with("phrase", "Server Internal Error");
        let gateway = gateway.with("cause", cause).listens(&scene);
        let other = Sipp::scenario("answer_key").for_ever().listens(&scene);
        let daemon = Daemon::start(&scene, &two(gateway.port, other.port));
        daemon.trigger();
        assert_eq!(daemon.outcome("anna").0, outcome, "cause {cause}");
        gateway.passes();
        let went_on = usize::from(outcome == "taken");
        assert_eq!((daemon.events.count("attempt.rerouted"), other.drains()), (went_on, went_on), "cause {cause}");
    }
}

#[test]
fn a_trunk_that_is_only_slow_is_cancelled_when_it_rings_after_all() {
    let scene = Scene::new("trunk_slow");
    let slow = Sipp::scenario("slow_trunk").listens(&scene);
    let works = Sipp::scenario("answer_silent").listens(&scene);
    let daemon = Daemon::start(&scene, &two(slow.port, works.port));
    daemon.trigger();
    daemon.events.until("attempt.rerouted", &[("from", "outside"), ("trunk", "spare")]);
    slow.passes();
    assert_eq!(daemon.outcome("anna").0, "ignored");
    works.passes();
}

#[test]
fn a_trunk_that_is_full_leaves_the_call_to_the_next_one() {
    let scene = Scene::new("trunk_full");
    let first = Sipp::scenario("no_answer").listens(&scene);
    let second = Sipp::scenario("no_answer").listens(&scene);
    let settings = two(first.port, second.port).trunk("max_calls = 1").person("bert", "+815011110002");
    let settings = settings.flow("strategy = \"simultaneous\"\nring_timeout = \"3s\"");
    let daemon = Daemon::start(&scene, &settings);
    daemon.trigger();
    assert_eq!((daemon.outcome("anna").0, daemon.outcome("bert").0), ("no_answer".to_owned(), "no_answer".to_owned()));
    first.passes();
    second.passes();
}

#[test]
fn a_trunk_is_asked_whether_it_is_there_and_believed() {
    let scene = Scene::new("trunk_health");
    let asked = Sipp::scenario("health").calls(3).listens(&scene);
    let settings = Settings::trunk_at(asked.port).trunk("options_every = \"5s\"").person("anna", NUMBER);
    let daemon = Daemon::start(&scene, &settings);
    daemon.events.until("trunk.failed", &[("trunk", "outside"), ("code", "503")]);
    asked.passes();
    until("status to say that the trunk is back", || {
        let trunk = daemon.ask(&json!({ "op": "status" }))["trunks"][0].clone();
        (trunk["registered"] == true).then_some(())
    });
}

#[test]
fn the_caller_id_stands_in_the_header_that_the_trunk_wants() {
    for (header, other) in
        [("P-Asserted-Identity", "P-Preferred-Identity"), ("P-Preferred-Identity", "P-Asserted-Identity")]
    {
        let scene = Scene::new(&header.to_lowercase());
        let sipp = Sipp::scenario("caller_identity").with("header", header).with("other", other).listens(&scene);
        let wants = format!("caller_id = \"+81312345678\"\ncaller_id_in = [\"{}\"]", header.to_lowercase());
        let settings = Settings::trunk_at(sipp.port).account("bell", "s3cret").trunk(&wants).person("anna", NUMBER);
        let daemon = Daemon::start(&scene, &settings);
        daemon.trigger();
        assert_eq!(daemon.outcome("anna"), ("busy".to_owned(), Some(486)));
        sipp.passes();
    }
}

#[test]
fn a_trunk_that_sees_hansho_behind_a_nat_is_told_that_address_from_then_on() {
    let scene = Scene::new("trunk_nat");
    let sipp = Sipp::scenario("nat").sees_copies().listens(&scene);
    let settings = Settings::trunk_at(sipp.port).registers().account("bell", "s3cret").person("anna", NUMBER);
    let daemon = Daemon::start(&scene, &settings);
    sipp.passes();
    let trunk = daemon.ask(&json!({ "op": "status" }))["trunks"][0].clone();
    assert_eq!((&trunk["registered"], &trunk["seen_as"]), (&json!(true), &json!("203.0.113.5:40123")), "{trunk}");
    // Nobody watched yet when the first came.
    assert!(daemon.events.count("trunk.registered") <= 1, "it is the same registration");
}

#[test]
fn the_address_that_is_given_for_a_trunk_stands_in_via_contact_and_sdp() {
    let scene = Scene::new("trunk_public");
    let sipp = Sipp::scenario("refuse").with("code", "486").with("phrase", "Busy Here").listens(&scene);
    let settings = Settings::trunk_at(sipp.port).trunk("public_address = \"203.0.113.5\"").person("anna", NUMBER);
    let daemon = Daemon::start(&scene, &settings);
    daemon.trigger();
    assert_eq!(daemon.outcome("anna"), ("busy".to_owned(), Some(486)));
    let port = daemon.port;
    assert!(sipp.after("Via: SIP/2.0/UDP ").starts_with(&format!("203.0.113.5:{port};")));
    assert_eq!(sipp.after("Contact: <sip:hansho@"), format!("203.0.113.5:{port}>"));
    assert_eq!(sipp.after("c=IN IP4 "), "203.0.113.5");
    sipp.passes();
}
