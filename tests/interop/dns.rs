//! A trunk known by its name alone: dnsmasq says where it is, SIPp is there, or not.

use serde_json::json;

use crate::support::{Daemon, Dnsmasq, Scene, Settings, Sipp, until};

const NUMBER: &str = "+815011110001";

#[test]
fn srv_names_two_hosts_and_the_second_is_taken_where_the_first_is_dead_and_found_without_dns_afterwards() {
    let scene = Scene::new("dns_srv");
    let dead = scene.port();
    let works = Sipp::scenario("answer_key").calls(2).listens(&scene);
    let server = Dnsmasq::start(
        &scene,
        &[
            format!("srv-host=_sip._udp.carrier.test,dead.carrier.test,{dead},10,0"),
            format!("srv-host=_sip._udp.carrier.test,works.carrier.test,{},20,0", works.port),
            "host-record=dead.carrier.test,127.0.0.1".to_owned(),
            "host-record=works.carrier.test,127.0.0.1".to_owned(),
        ],
    );
    let daemon = Daemon::start(&scene, &Settings::trunk_named("carrier.test", server.port).person("anna", NUMBER));
    daemon.trigger();
    assert_eq!(daemon.outcome("anna"), ("taken".to_owned(), Some(200)));
    let (dead, alive) = (format!("127.0.0.1:{dead}"), format!("127.0.0.1:{}", works.port));
    daemon.events.until("trunk.target_failed", &[("target", &dead), ("next", &alive)]);
    daemon.events.until("attempt.rerouted", &[("from", "outside"), ("trunk", "outside"), ("target", &alive)]);
    drop(server);
    daemon.trigger();
    works.passes();
    assert_eq!(daemon.events.count("attempt.rerouted"), 1, "the dead one is left alone");
}

#[test]
fn naptr_says_what_is_spoken() {
    let scene = Scene::new("dns_naptr");
    let works = Sipp::scenario("answer_key").over_tcp().listens(&scene);
    let server = Dnsmasq::start(
        &scene,
        &[
            "naptr-record=carrier.test,20,0,s,SIP+D2U,,_sip._udp.carrier.test".to_owned(),
            "naptr-record=carrier.test,10,0,s,SIP+D2T,,_sip._tcp.carrier.test".to_owned(),
            format!("srv-host=_sip._tcp.carrier.test,works.carrier.test,{}", works.port),
            format!("srv-host=_sip._udp.carrier.test,works.carrier.test,{}", scene.port()),
            "host-record=works.carrier.test,127.0.0.1".to_owned(),
        ],
    );
    let daemon = Daemon::start(&scene, &Settings::trunk_named("carrier.test", server.port).person("anna", NUMBER));
    daemon.trigger();
    assert_eq!(daemon.outcome("anna"), ("taken".to_owned(), Some(200)));
    works.after("Via: SIP/2.0/TCP ");
    works.passes();
}

#[test]
fn a_name_that_nobody_knows_is_told_in_a_sentence() {
    let scene = Scene::new("dns_nobody");
    let server = Dnsmasq::start(&scene, &["local=/carrier.test/".to_owned()]);
    let settings = Settings::trunk_named("carrier.test", server.port).registers().account("bell", "s3cret");
    let daemon = Daemon::start(&scene, &settings.person("anna", NUMBER));
    // Whoever asks at night reads it, whether the event was seen or not.
    until("status to say why", || {
        let trunk = daemon.ask(&json!({ "op": "status" }))["trunks"][0].clone();
        (trunk["reason"] == "there is no IPv4 address behind the name `carrier.test`").then_some(())
    });
}
