//! Connections: TCP and TLS with SIPp, baresip and Kamailio at the other end.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::support::sound::silence;
use crate::support::{Baresip, Daemon, Kamailio, Scene, Settings, Sipp, until};

const NUMBER: &str = "+815011110001";

/// A certificate for trunk.example with its key, and the authority that vouches for it.
fn certificates() -> (PathBuf, PathBuf) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/shell/transport/tests");
    (folder.join("dns.pem"), folder.join("ca.pem"))
}

fn trunk(daemon: &Daemon) -> Value {
    daemon.ask(&json!({ "op": "status" }))["trunks"][0].clone()
}

#[test]
fn a_call_over_tcp_is_made_and_taken_and_nothing_is_said_twice() {
    let scene = Scene::new("tcp_call");
    let sipp = Sipp::scenario("answer_key").over_tcp().sees_copies().listens(&scene);
    let settings = Settings::trunk_at(sipp.port).trunk("transport = \"tcp\"").person("anna", NUMBER);
    let daemon = Daemon::start(&scene, &settings);
    daemon.trigger();
    assert_eq!(daemon.outcome("anna"), ("taken".to_owned(), Some(200)));
    assert!(sipp.after("Via: SIP/2.0/TCP ").contains("alias"));
    sipp.passes();
}

#[test]
fn a_trunk_that_nobody_listens_at_fails_at_once_and_says_so() {
    let scene = Scene::new("tcp_nobody");
    let settings = Settings::trunk_at(scene.port()).trunk("transport = \"tcp\"").person("anna", NUMBER);
    let daemon = Daemon::start(&scene, &settings);
    daemon.trigger();
    assert_eq!(daemon.outcome("anna").0, "failed");
    let ended = daemon.events.until("attempt.ended", &[]);
    assert!(ended["reason"].as_str().is_some_and(|why| why.contains("nobody listens there")), "{ended}");
}

#[test]
fn whoever_calls_in_over_a_connection_of_his_own_is_answered_over_it() {
    let scene = Scene::new("tcp_calls_in");
    let (port, door) = (scene.port(), scene.port());
    let settings = Settings::trunk_at(port).trunk("transport = \"tcp\"").takes_connections(door).person("anna", NUMBER);
    let daemon = Daemon::start(&scene, &settings);
    Sipp::scenario("options")
        .with("dialled", "hansho")
        .with("caller", "anna")
        .over_tcp()
        .calls_on(&scene, port, door)
        .passes();
    drop(daemon);
}

#[test]
fn baresip_is_rung_over_tcp() {
    let scene = Scene::new("tcp_baresip");
    let mut phone = Baresip::start(&scene, NUMBER, "PCMU", &silence(60.0), None);
    let settings = Settings::trunk_at(phone.port).trunk("transport = \"tcp\"").person("anna", NUMBER);
    phone.takes_it(&Daemon::start(&scene, &settings));
}

#[test]
fn a_registration_and_a_call_go_through_kamailio_over_tls() {
    let scene = Scene::new("tls_kamailio");
    let (certificate, ca) = certificates();
    let mut kamailio = Kamailio::start_tls(&scene, &certificate);
    let mut phone = Baresip::start(&scene, NUMBER, "PCMU", &silence(60.0), Some((kamailio.port, Kamailio::PASSWORD)));
    kamailio.knows(NUMBER);
    let settings = Settings::trunk_at(kamailio.tls)
        .registers()
        .account("hansho", Kamailio::PASSWORD)
        .trunk(&format!("transport = \"tls\"\ndomain = \"trunk.example\"\nca_file = {ca:?}"))
        .person("anna", NUMBER);
    let daemon = Daemon::start(&scene, &settings);
    kamailio.knows("hansho");
    daemon.is_registered();
    phone.takes_it(&daemon);
    daemon.stops();
    kamailio.forgets("hansho");
}

#[test]
fn a_certificate_from_nowhere_or_for_somebody_else_is_told_in_a_sentence() {
    let scene = Scene::new("tls_refused");
    let (certificate, ca) = certificates();
    let kamailio = Kamailio::start_tls(&scene, &certificate);
    for (lines, sentence) in [
        ("domain = \"trunk.example\"".to_owned(), "comes from an unknown authority; name its file with ca_file"),
        (
            format!("domain = \"pbx.example\"\nca_file = {ca:?}"),
            "the certificate there is made out to trunk.example and not to pbx.example",
        ),
    ] {
        let settings = Settings::trunk_at(kamailio.tls)
            .registers()
            .account("hansho", Kamailio::PASSWORD)
            .trunk(&format!("transport = \"tls\"\n{lines}"))
            .person("anna", NUMBER);
        let daemon = Daemon::start(&scene, &settings);
        let failed = daemon.events.until("trunk.failed", &[]);
        assert!(failed["reason"].as_str().is_some_and(|why| why.contains(sentence)), "{failed}");
        until("status to say why", || {
            trunk(&daemon)["reason"].as_str().is_some_and(|why| why.contains(sentence)).then_some(())
        });
    }
}

#[test]
fn baresip_is_rung_over_tls_with_the_certificate_it_signed_itself() {
    let scene = Scene::new("tls_baresip");
    let mut phone = Baresip::start(&scene, NUMBER, "PCMU", &silence(60.0), None);
    let own = scene.path("baresip.pem");
    // Its port of TLS is the one behind that of UDP.
    let settings = Settings::trunk_at(phone.port + 1)
        .trunk(&format!("transport = \"tls\"\nca_file = {own:?}"))
        .person("anna", NUMBER);
    phone.takes_it(&Daemon::start(&scene, &settings));
}

/// A trunk over UDP whose names make an INVITE of more than 1,300 bytes.
fn long_winded(port: u16) -> Settings {
    let name = "b".repeat(128);
    let wants = "caller_id_in = [\"from\", \"p-asserted-identity\", \"p-preferred-identity\"]";
    Settings::trunk_at(port).account(&name, "s3cret").trunk(wants).person("anna", NUMBER)
}

#[test]
fn a_long_invite_goes_over_tcp_to_a_trunk_over_udp() {
    let scene = Scene::new("udp_to_tcp");
    let sipp = Sipp::scenario("answer_key").over_tcp().sees_copies().listens(&scene);
    let daemon = Daemon::start(&scene, &long_winded(sipp.port));
    daemon.trigger();
    assert_eq!(daemon.outcome("anna"), ("taken".to_owned(), Some(200)));
    sipp.after("Via: SIP/2.0/TCP ");
    sipp.passes();
}

#[test]
fn a_long_invite_goes_over_udp_where_nobody_takes_a_connection() {
    let scene = Scene::new("tcp_to_udp");
    let sipp = Sipp::scenario("answer_key").calls(2).listens(&scene);
    let daemon = Daemon::start(&scene, &long_winded(sipp.port));
    daemon.trigger();
    assert_eq!(daemon.outcome("anna"), ("taken".to_owned(), Some(200)));
    sipp.after("Via: SIP/2.0/UDP ");
    sipp.saw("CSeq: 2 INVITE");
    daemon.trigger();
    sipp.saw("CSeq: 1 INVITE");
    sipp.passes();
    assert_eq!(daemon.events.count("trunk.target_failed"), 0, "whoever takes no connection is there all the same");
}

#[test]
fn a_call_over_ipv6_is_made_and_a_key_is_heard() {
    let scene = Scene::new("ipv6_out");
    let sipp = Sipp::scenario("answer_key").over_ipv6().listens(&scene);
    let daemon = Daemon::start(&scene, &Settings::trunk_at(sipp.port).over_ipv6().person("anna", NUMBER));
    daemon.trigger();
    assert_eq!(daemon.outcome("anna"), ("taken".to_owned(), Some(200)));
    assert_eq!(sipp.after("c=IN IP6 "), "::1");
    sipp.passes();
}

#[test]
fn a_call_over_ipv6_comes_in_and_joins_the_room() {
    let scene = Scene::new("ipv6_in");
    let (port, second) = (scene.port(), scene.port());
    let settings = Settings::trunk_at(port).over_ipv6().with_room().flow("ring_timeout = \"30s\"");
    let settings = settings.person("anna", NUMBER).person("bert", "+815011110002");
    let daemon = Daemon::start(&scene, &settings);
    let rings = Sipp::scenario("no_answer").over_ipv6().listens_on(&scene, port);
    let incident = daemon.trigger();
    daemon.events.until("attempt.ringing", &[("contact", "anna")]);
    let calling = Sipp::scenario("call_in").over_ipv6().with("caller", "+815011110002").with("dialled", "hansho");
    let calling = calling.calls_on(&scene, second, daemon.port);
    daemon.events.until("room.joined", &[("contact", "bert"), ("incident", &incident)]);
    rings.passes();
    calling.passes();
}
