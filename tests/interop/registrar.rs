//! Other people's phones that register at hansho itself, and others' tools that try what they may not.

use std::net::UdpSocket;
use std::path::{Path, PathBuf};

use hansho::sip::digest::{Session, strongest};
use hansho::wire::sip::{Builder, Message, Method, Name};

use crate::support::sound::{key, silence};
use crate::support::{Baresip, Daemon, LIMIT, Linphone, Scene, Settings, Sipp, until};

const PASSWORD: &str = "tigers-do-not-sleep";
const PHONE: &str = "sip:anna@house.test";

/// One user, anna. baresip 1.0 gives up when it is offered SHA-256 beside MD5, and SIPp knows MD5 alone.
fn at_home() -> Settings {
    Settings::at_home("anna", PASSWORD).person("anna", PHONE).registrar("algorithms = [\"MD5\"]")
}

#[test]
fn baresip_registers_with_a_digest_and_is_rung_without_a_trunk() {
    let scene = Scene::new("registrar_udp");
    let daemon = Daemon::start(&scene, &at_home());
    let mut phone = Baresip::start(&scene, "anna", "PCMU", &silence(60.0), Some((daemon.port, PASSWORD)));
    daemon.events.until("user.registered", &[("user", "anna"), ("contact", "anna")]);
    phone.takes_it(&daemon);
    daemon.stops();
}

#[test]
fn baresip_is_rung_over_the_tcp_connection_it_registered_over() {
    let scene = Scene::new("registrar_tcp");
    let door = scene.port();
    let daemon = Daemon::start(&scene, &at_home().takes_connections(door));
    let account = format!("<sip:anna@127.0.0.1:{door};transport=tcp>;auth_user=anna;auth_pass={PASSWORD};regint=60");
    let mut phone = Baresip::with_account(&scene, "anna", "PCMU", &silence(60.0), &account);
    let registered = daemon.events.until("user.registered", &[("user", "anna")]);
    assert!(registered["source"].as_str().is_some_and(|source| source.starts_with("tcp:")), "{registered}");
    phone.takes_it(&daemon);
    drop(phone);
    daemon.events.until("user.unregistered", &[("user", "anna")]);
}

#[test]
fn linphone_registers_where_sha_256_is_offered_as_well_and_takes_the_incident() {
    let scene = Scene::new("registrar_linphone");
    let daemon = Daemon::start(&scene, &Settings::at_home("anna", PASSWORD).person("anna", PHONE));
    let account = format!(
        "[proxy_0]\nreg_proxy=<sip:127.0.0.1:{}>\nreg_identity={PHONE}\nreg_expires=60\nreg_sendregister=1\npublish=0\n\
         [auth_info_0]\nusername=anna\nuserid=anna\npasswd={PASSWORD}\nrealm=house.test\n",
        daemon.port
    );
    let mut phone = Linphone::start(&scene, "anna", &account);
    daemon.events.until("user.registered", &[("user", "anna")]);
    daemon.trigger();
    daemon.events.until("attempt.prompt_started", &[("contact", "anna")]);
    phone.listens(2);
    phone.presses('1');
    assert_eq!(daemon.outcome("anna"), ("taken".to_owned(), Some(200)));
}

/// hansho's own certificate with its key, and the authority that vouches for it.
fn certificates() -> (PathBuf, PathBuf) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/shell/transport/tests");
    (folder.join("dns.pem"), folder.join("ca.pem"))
}

#[test]
fn baresip_is_rung_over_the_tls_connection_it_registered_over() {
    let scene = Scene::new("registrar_tls");
    let door = scene.port();
    let daemon = Daemon::start(&scene, &at_home().takes_tls(door, &certificates().0));
    let account = format!("<sip:anna@127.0.0.1:{door};transport=tls>;auth_user=anna;auth_pass={PASSWORD};regint=60");
    let mut phone = Baresip::with_account(&scene, "anna", "PCMU", &silence(60.0), &account);
    let registered = daemon.events.until("user.registered", &[("user", "anna")]);
    assert!(registered["source"].as_str().is_some_and(|source| source.starts_with("tls:")), "{registered}");
    phone.takes_it(&daemon);
    drop(phone);
    daemon.events.until("user.unregistered", &[("user", "anna")]);
    daemon.stops();
}

#[test]
fn linphone_believes_our_certificate_and_is_rung_over_tls() {
    let scene = Scene::new("registrar_linphone_tls");
    let (door, (own, ca)) = (scene.port(), certificates());
    let daemon =
        Daemon::start(&scene, &Settings::at_home("anna", PASSWORD).person("anna", PHONE).takes_tls(door, &own));
    // The certificate names a host that no name server knows, so its name alone is not looked at.
    let account = format!(
        "[sip]\nverify_server_certs=1\nverify_server_cn=0\nroot_ca={}\n\
         [proxy_0]\nreg_proxy=<sip:127.0.0.1:{door};transport=tls>\nreg_identity={PHONE}\nreg_expires=60\n\
         reg_sendregister=1\npublish=0\n\
         [auth_info_0]\nusername=anna\nuserid=anna\npasswd={PASSWORD}\nrealm=house.test\n",
        ca.display()
    );
    let mut phone = Linphone::start(&scene, "anna", &account);
    let registered = daemon.events.until("user.registered", &[("user", "anna")]);
    assert!(registered["source"].as_str().is_some_and(|source| source.starts_with("tls:")), "{registered}");
    daemon.trigger();
    daemon.events.until("attempt.prompt_started", &[("contact", "anna")]);
    phone.listens(2);
    phone.presses('1');
    assert_eq!(daemon.outcome("anna"), ("taken".to_owned(), Some(200)));
}

#[test]
fn both_phones_of_a_user_ring_and_the_other_stops_when_one_is_picked_up() {
    let scene = Scene::new("registrar_fork");
    let daemon = Daemon::start(&scene, &at_home());
    let account = format!("<sip:anna@127.0.0.1:{}>;auth_user=anna;auth_pass={PASSWORD};regint=60", daemon.port);
    let rings = format!("{account};answermode=manual");
    // Both may have registered before anybody hears of it from themselves.
    let registered = |phones| until("a phone", || (daemon.events.count("user.registered") == phones).then_some(()));
    let desk = Baresip::with_account(&scene, "desk", "PCMU", &silence(60.0), &rings);
    registered(1);
    let mut belt = Baresip::with_account(&scene, "belt", "PCMU", &silence(60.0), &account);
    registered(2);
    belt.takes_it(&daemon);
    desk.until("CALL_INCOMING");
    desk.until("CALL_CLOSED");
    assert_eq!(daemon.events.count("attempt.dialling"), 1, "for everybody else it was one call");
    daemon.stops();
}

#[test]
fn a_pin_may_come_as_tones_in_the_voice() {
    let scene = Scene::new("registrar_pin_in_band");
    let settings = at_home().more("[[room]]\nid = \"war-room\"\npin = \"2468\"");
    let daemon = Daemon::start(&scene, &settings);
    let tones = "2468".chars().flat_map(|digit| [key(digit), silence(0.4)].concat()).collect::<Vec<_>>();
    let says = [silence(3.0), tones, silence(30.0)].concat();
    let mut phone = Baresip::start(&scene, "anna", "PCMU", &says, Some((daemon.port, PASSWORD)));
    daemon.events.until("user.registered", &[("user", "anna")]);
    phone.dials(&format!("sip:hansho@127.0.0.1:{}", daemon.port));
    daemon.events.until("room.joined", &[("room", "war-room")]);
    assert_eq!(daemon.events.count("call_in.wrong_pin"), 0);
}

#[test]
fn whoever_is_not_registered_is_unreachable_and_says_why() {
    let scene = Scene::new("registrar_away");
    let daemon = Daemon::start(&scene, &at_home());
    daemon.trigger();
    let ended = daemon.events.until("attempt.ended", &[("contact", "anna")]);
    assert_eq!((ended["outcome"].as_str(), ended["code"].as_u64()), (Some("unreachable"), Some(480)), "{ended}");
    assert_eq!(ended["reason"], "no phone of this user is registered");
    daemon.stops();
}

#[test]
fn a_phone_over_udp_is_rung_after_a_power_cut_without_registering_again() {
    let scene = Scene::new("registrar_cut");
    let daemon = Daemon::start(&scene, &at_home());
    let mut phone = Baresip::start(&scene, "anna", "PCMU", &silence(60.0), Some((daemon.port, PASSWORD)));
    daemon.events.until("user.registered", &[("user", "anna")]);
    let daemon = daemon.power_cut(&scene);
    daemon.trigger();
    daemon.events.until("attempt.prompt_started", &[("contact", "anna")]);
    phone.listens(1);
    phone.presses('1');
    assert_eq!(daemon.outcome("anna"), ("taken".to_owned(), Some(200)));
    assert_eq!(daemon.events.count("user.registered"), 0, "what was known is no news");
}

#[test]
fn a_registered_phone_calls_in_under_the_name_it_signed_and_needs_the_pin_all_the_same() {
    let scene = Scene::new("registrar_calls_in");
    let settings = at_home().more("[[room]]\nid = \"war-room\"\npin = \"2468\"");
    let daemon = Daemon::start(&scene, &settings);
    let mut phone = Baresip::start(&scene, "anna", "PCMU", &silence(60.0), Some((daemon.port, PASSWORD)));
    daemon.events.until("user.registered", &[("user", "anna")]);
    phone.dials(&format!("sip:hansho@127.0.0.1:{}", daemon.port));
    daemon.events.until("call_in.received", &[("trunk", "registrar"), ("caller", PHONE), ("contact", "anna")]);
    phone.listens(1);
    assert_eq!(daemon.events.count("room.joined"), 0, "who calls is known, and that opens no room");
    for digit in "2468".chars() {
        phone.presses(digit);
        phone.listens(1);
    }
    daemon.events.until("room.joined", &[("room", "war-room")]);
    phone.hangs_up();
    daemon.events.until("room.ended", &[("room", "war-room")]);
}

#[test]
fn a_wrong_password_and_an_unknown_user_are_asked_again_and_hear_nothing_else() {
    let scene = Scene::new("registrar_wrong");
    let daemon = Daemon::start(&scene, &at_home());
    for user in ["anna", "nobody"] {
        let sipp = Sipp::scenario("register_wrong").with("username", user).with("password", "guessed");
        sipp.calls_on(&scene, scene.port(), daemon.port).passes();
    }
    assert_eq!(daemon.events.count("user.registered"), 0);
    let status = daemon.ask(&serde_json::json!({ "op": "status" }));
    assert_eq!(status["counts"]["sip"]["wrong_passwords"], 2, "{status}");
}

#[test]
fn sipp_registers_as_it_computes_the_digest() {
    let scene = Scene::new("registrar_right");
    let daemon = Daemon::start(&scene, &at_home());
    let sipp = Sipp::scenario("register").with("username", "anna").with("password", PASSWORD);
    sipp.calls_on(&scene, scene.port(), daemon.port).passes();
    daemon.events.until("user.registered", &[("user", "anna")]);
    daemon.events.until("user.unregistered", &[("user", "anna")]);
}

#[test]
fn a_stranger_s_invite_hears_nothing_though_phones_may_register_from_there() {
    let scene = Scene::new("registrar_stranger");
    let daemon = Daemon::start(&scene, &at_home());
    for method in ["INVITE", "OPTIONS"] {
        let stranger = Sipp::scenario("stranger").from("127.0.0.2").with("method", method);
        let stranger = stranger.with("caller", "anna").with("dialled", "hansho");
        stranger.calls_on(&scene, scene.port(), daemon.port).passes();
    }
    let status = daemon.ask(&serde_json::json!({ "op": "status" }));
    let strangers = status["counts"]["sip"]["strangers"].as_u64();
    assert!(strangers.is_some_and(|count| count >= 2), "{status}");
    assert_eq!(daemon.events.count("call_in.refused"), 0);
}

#[test]
fn what_was_overheard_and_is_sent_again_is_asked_for_a_fresh_signature() {
    let scene = Scene::new("registrar_replay");
    let daemon = Daemon::start(&scene, &Settings::at_home("anna", PASSWORD).person("anna", PHONE));
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port is free");
    socket.set_read_timeout(Some(LIMIT)).expect("a limit can be set");
    socket.connect(("127.0.0.1", daemon.port)).expect("a socket can be connected");
    let (here, uri) = (socket.local_addr().expect("it is bound"), format!("sip:127.0.0.1:{}", daemon.port));
    let ask = |number: u32, signature: Option<&str>| {
        let mut builder = Builder::request(Method::Register, &uri)
            .header(Name::Via, format!("SIP/2.0/UDP {here};branch=z9hG4bKreplay{number};rport"))
            .header(Name::MaxForwards, "70")
            .header(Name::From, format!("<{PHONE}>;tag=a"))
            .header(Name::To, format!("<{PHONE}>"))
            .header(Name::CallId, "replay")
            .header(Name::CSeq, format!("{number} REGISTER"))
            .header(Name::Contact, format!("<sip:anna@{here}>"));
        builder = signature.into_iter().fold(builder, |builder, text| builder.header(Name::Authorization, text));
        socket.send(&builder.finish()).expect("it is sent");
        let mut answer = [0; 4096];
        let length = socket.recv(&mut answer).expect("an answer comes");
        Message::parse(&answer[..length]).expect("the answer is SIP")
    };
    let challenge = strongest(ask(1, None).headers(&Name::WwwAuthenticate)).expect("it asks");
    let signature = Session::new(challenge, "overheard").authorize("anna", PASSWORD, &Method::Register, &uri);
    assert_eq!(ask(2, Some(&signature)).code(), Some(200));
    let again = ask(3, Some(&signature));
    let challenge = strongest(again.headers(&Name::WwwAuthenticate)).expect("it asks again");
    assert_eq!((again.code(), challenge.stale), (Some(401), true));
    let status = daemon.ask(&serde_json::json!({ "op": "status" }));
    assert_eq!(status["counts"]["sip"]["replays"], 1, "{status}");
}
