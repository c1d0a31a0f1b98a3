//! IPv4 and IPv6 in one daemon: a trunk in each, a room with somebody from each, voice in the other family than the
//! signalling, a name that leads to both, phones that register over either.

use std::net::{SocketAddr, UdpSocket};

use crate::support::sound::{self, RATE, silence, tone};
use crate::support::{Baresip, Daemon, Dnsmasq, LIMIT, Scene, Settings, Sipp};

const ANNA: &str = "+815011110001";
const BERT: &str = "+815011110002";

/// A trunk on IPv4 at this port that takes one call at once, and one on IPv6 at that for the second call.
fn two(four: u16, six: u16) -> Settings {
    let more = format!("[[trunk]]\nid = \"six\"\nproxy = \"[::1]:{six}\"\npriority = 10");
    let settings = Settings::trunk_at(four).over_both().trunk("max_calls = 1").more(&more);
    settings.flow("strategy = \"simultaneous\"\nanswer = \"all\"").person("anna", ANNA).person("bert", BERT)
}

#[test]
fn two_trunks_of_the_two_families_are_each_spoken_to_in_their_own() {
    let scene = Scene::new("dual_trunks");
    let four = Sipp::scenario("answer_key").listens(&scene);
    let six = Sipp::scenario("answer_key").over_ipv6().listens(&scene);
    let daemon = Daemon::start(&scene, &two(four.port, six.port));
    daemon.trigger();
    assert_eq!(daemon.outcome("anna"), ("taken".to_owned(), Some(200)));
    assert_eq!(daemon.outcome("bert"), ("taken".to_owned(), Some(200)));
    for (sipp, ip, said) in [(&four, "127.0.0.1", "127.0.0.1"), (&six, "[::1]", "::1")] {
        let family = if ip == said { "IP4" } else { "IP6" };
        assert!(sipp.after("Via: SIP/2.0/UDP ").starts_with(&format!("{ip}:{}", daemon.port)));
        sipp.saw(&format!("Contact: <sip:hansho@{ip}:{}>", daemon.port));
        sipp.saw(&format!("c=IN {family} {said}"));
        assert!(sipp.after("o=- ").ends_with(&format!(" IN {family} {said}")));
    }
    four.passes();
    six.passes();
}

#[test]
fn one_from_each_family_meet_in_a_room_and_hear_each_other() {
    let scene = Scene::new("dual_room");
    let mut anna = Baresip::start(&scene, ANNA, "PCMU", &tone(440.0, -12.0, 120.0), None);
    let mut bert = Baresip::on_ipv6(&scene, BERT, "PCMU", &tone(660.0, -12.0, 120.0));
    let daemon = Daemon::start(&scene, &two(anna.port, bert.port).with_room());
    daemon.trigger();
    for (name, phone) in [("anna", &mut anna), ("bert", &mut bert)] {
        daemon.events.until("attempt.prompt_started", &[("contact", name)]);
        phone.listens(1);
        phone.presses('1');
        daemon.events.until("room.joined", &[("contact", name)]);
    }
    anna.listens(5);
    bert.listens(5);
    anna.hangs_up();
    bert.hangs_up();
    for (phone, hertz) in [(anna, 660.0), (bert, 440.0)] {
        let heard = phone.heard();
        let levels = heard.chunks_exact(RATE / 2).map(|piece| sound::level_of(hertz, piece));
        let loudest = levels.fold(f64::NEG_INFINITY, f64::max);
        assert!((-15.0..=-9.0).contains(&loudest), "{hertz} Hz is heard at {loudest:.1} dBFS");
    }
}

/// Waits for a packet of voice, and whence it came.
fn hears(at: &UdpSocket) -> SocketAddr {
    at.set_read_timeout(Some(LIMIT)).expect("a socket takes a time limit");
    let mut packet = [0; 2_048];
    loop {
        let (length, from) = at.recv_from(&mut packet).expect("a voice packet comes");
        if packet[1] & 127 == 0 && length == 12 + 160 {
            return from;
        }
    }
}

#[test]
fn a_trunk_on_ipv6_that_answers_with_an_ipv4_address_is_sent_the_voice_there() {
    let scene = Scene::new("dual_mixed");
    let voice = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let media = voice.local_addr().expect("an address");
    let six = Sipp::scenario("answer_silent").over_ipv6().media_at(media).listens(&scene);
    let daemon = Daemon::start(&scene, &Settings::trunk_on_ipv6(six.port).person("anna", ANNA));
    daemon.trigger();
    assert_eq!(hears(&voice).ip(), media.ip());
    six.after("c=IN IP6 ");
    six.passes();
}

#[test]
fn a_call_over_ipv6_that_names_an_ipv4_address_is_answered_with_one() {
    let scene = Scene::new("dual_mixed_in");
    let (port, second) = (scene.port(), scene.port());
    let settings = Settings::trunk_on_ipv6(port).with_room().flow("ring_timeout = \"30s\"");
    let daemon = Daemon::start(&scene, &settings.person("anna", ANNA).person("bert", BERT));
    let rings = Sipp::scenario("no_answer").over_ipv6().listens_on(&scene, port);
    let incident = daemon.trigger();
    daemon.events.until("attempt.ringing", &[("contact", "anna")]);
    let voice = UdpSocket::bind("127.0.0.2:0").expect("a port");
    let calling = Sipp::scenario("call_in").over_ipv6().with("caller", BERT).with("dialled", "hansho");
    let calling = calling.media_at(voice.local_addr().expect("an address")).calls_on(&scene, second, daemon.port);
    daemon.events.until("room.joined", &[("contact", "bert"), ("incident", &incident)]);
    calling.saw("c=IN IP4 127.0.0.1");
    assert_eq!(hears(&voice).ip().to_string(), "127.0.0.1");
    rings.passes();
    calling.passes();
}

/// `carrier.test` is at this port of both families; IPv6 is tried first.
fn named(scene: &Scene, port: u16) -> (Dnsmasq, Settings) {
    let server = Dnsmasq::start(scene, &["host-record=carrier.test,127.0.0.1,::1".to_owned()]);
    let settings = Settings::trunk_named(&format!("carrier.test:{port}"), server.port).over_both();
    (server, settings.person("anna", ANNA))
}

#[test]
fn a_name_in_both_families_is_called_over_ipv4_where_nothing_answers_over_ipv6() {
    let scene = Scene::new("dual_name");
    let works = Sipp::scenario("answer_key").listens(&scene);
    let (_server, settings) = named(&scene, works.port);
    let daemon = Daemon::start(&scene, &settings);
    daemon.is_registered();
    daemon.trigger();
    assert_eq!(daemon.outcome("anna"), ("taken".to_owned(), Some(200)));
    let (six, four) = (format!("[::1]:{}", works.port), format!("127.0.0.1:{}", works.port));
    daemon.events.until("trunk.target_failed", &[("target", &six), ("next", &four)]);
    daemon.events.until("attempt.rerouted", &[("from", "outside"), ("trunk", "outside"), ("target", &four)]);
    works.saw("c=IN IP4 127.0.0.1");
    works.passes();
}

#[test]
fn a_name_in_both_families_is_called_over_ipv4_where_ipv6_is_refused_and_over_ipv6_where_it_works() {
    let scene = Scene::new("dual_name_tcp");
    let works = Sipp::scenario("answer_key").over_tcp().listens(&scene);
    let (_server, settings) = named(&scene, works.port);
    let daemon = Daemon::start(&scene, &settings.trunk("transport = \"tcp\""));
    daemon.is_registered();
    daemon.trigger();
    assert_eq!(daemon.outcome("anna"), ("taken".to_owned(), Some(200)));
    let six = format!("tcp:[::1]:{}", works.port);
    let failed = daemon.events.until("trunk.target_failed", &[("target", &six)]);
    assert!(failed["reason"].as_str().is_some_and(|why| why.contains("nobody listens there")), "{failed}");
    works.passes();
    drop(daemon);

    let scene = Scene::new("dual_name_six");
    let works = Sipp::scenario("answer_key").over_ipv6().listens(&scene);
    let (_server, settings) = named(&scene, works.port);
    let daemon = Daemon::start(&scene, &settings);
    daemon.is_registered();
    daemon.trigger();
    assert_eq!(daemon.outcome("anna"), ("taken".to_owned(), Some(200)));
    assert_eq!(daemon.events.count("attempt.rerouted"), 0);
    works.saw("c=IN IP6 ::1");
    works.passes();
}

#[test]
fn connections_are_taken_in_both_families_and_answered_over_themselves() {
    let scene = Scene::new("dual_doors");
    let (port, other, door) = (scene.port(), scene.port(), scene.port());
    let settings = Settings::trunk_on_ipv6(port).trunk("allow_from = [\"127.0.0.1\"]").takes_connections(door);
    let daemon = Daemon::start(&scene, &settings.person("anna", ANNA));
    let options = || Sipp::scenario("options").with("dialled", "hansho").with("caller", "anna").over_tcp();
    options().over_ipv6().calls_on(&scene, port, door).passes();
    options().calls_on(&scene, other, door).passes();
    drop(daemon);
}

#[test]
fn phones_register_over_either_family_and_are_rung_over_it() {
    let scene = Scene::new("dual_registrar");
    let password = "tigers-do-not-sleep";
    let settings = Settings::at_home("anna", password).registrar("algorithms = [\"MD5\"]").over_both();
    let settings = settings.more(&format!("[[user]]\nname = \"bert\"\npassword = \"{password}\""));
    let settings = settings.flow("strategy = \"simultaneous\"\nanswer = \"all\"");
    let settings = settings.person("anna", "sip:anna@house.test").person("bert", "sip:bert@house.test");
    let daemon = Daemon::start(&scene, &settings);
    let account = format!("<sip:anna@[::1]:{}>;auth_user=anna;auth_pass={password};regint=60", daemon.port);
    let mut anna = Baresip::at(&scene, "::1", "anna", ("PCMU", &silence(60.0)), &account);
    let registered = daemon.events.until("user.registered", &[("user", "anna")]);
    assert!(registered["source"].as_str().is_some_and(|source| source.starts_with("[::1]:")), "{registered}");
    let mut bert = Baresip::start(&scene, "bert", "PCMU", &silence(60.0), Some((daemon.port, password)));
    let registered = daemon.events.until("user.registered", &[("user", "bert")]);
    assert!(registered["source"].as_str().is_some_and(|source| source.starts_with("127.0.0.1:")), "{registered}");
    daemon.trigger();
    for (name, phone) in [("anna", &mut anna), ("bert", &mut bert)] {
        daemon.events.until("attempt.prompt_started", &[("contact", name)]);
        phone.listens(1);
        phone.presses('1');
        assert_eq!(daemon.outcome(name), ("taken".to_owned(), Some(200)));
    }
    daemon.stops();
}
