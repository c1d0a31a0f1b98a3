//! SIPp as a far end that uses what the later RFCs allow: reliable provisional responses, session timers, UPDATE,
//! redirects, REFER, offers of many sections, and calls without an offer.

use std::net::UdpSocket;

use crate::support::{Daemon, LIMIT, Scene, Settings, Sipp};

const NUMBER: &str = "+815011110001";
const SECOND: &str = "+815011110002";

/// Runs one call against a scenario, which must go as written; gives the outcome and its status.
fn one_call(scenario: Sipp, name: &str) -> (String, Option<u64>) {
    call_of(scenario, name, |settings| settings)
}

/// The same with other settings.
fn call_of(scenario: Sipp, name: &str, settings: impl FnOnce(Settings) -> Settings) -> (String, Option<u64>) {
    let scene = Scene::new(name);
    let sipp = scenario.listens(&scene);
    let daemon = Daemon::start(&scene, &settings(Settings::trunk_at(sipp.port).person("anna", NUMBER)));
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
fn a_redirect_is_followed_three_times_and_never_in_a_circle() {
    for name in ["redirect_chain", "redirect_circle"] {
        assert_eq!(one_call(Sipp::scenario(name), name), ("unreachable".to_owned(), Some(302)), "{name}");
    }
}

#[test]
fn a_refresh_of_the_far_end_keeps_the_session() {
    taken("session_theirs");
}

#[test]
fn a_refresh_that_is_refused_for_the_moment_comes_again() {
    let told = call_of(Sipp::scenario("session_again"), "session_again", Settings::with_room);
    assert_eq!(told, ("taken".to_owned(), Some(200)));
}

#[test]
fn a_telephone_that_stops_ringing_because_another_answered_is_told_so() {
    let scene = Scene::new("elsewhere");
    let sipp = Sipp::scenario("elsewhere").calls(2).listens(&scene);
    let settings = Settings::trunk_at(sipp.port).flow("strategy = \"simultaneous\"");
    let daemon = Daemon::start(&scene, &settings.person("anna", NUMBER).person("bert", SECOND));
    daemon.trigger();
    assert_eq!(daemon.outcome("anna"), ("taken".to_owned(), Some(200)));
    assert_eq!(daemon.outcome("bert"), ("cancelled".to_owned(), Some(487)));
    sipp.passes();
}

#[test]
fn of_two_telephones_that_ring_the_one_that_is_picked_up_first_has_the_call() {
    let scenario = Sipp::scenario("fork_early").sees_copies();
    assert_eq!(one_call(scenario, "fork_early"), ("taken".to_owned(), Some(200)));
}

/// Waits until a voice packet of this type comes, whose payload has this many bytes.
fn hears(at: &UdpSocket, payload_type: u8, bytes: usize) {
    at.set_read_timeout(Some(LIMIT)).expect("a socket takes a time limit");
    let mut packet = [0; 2_048];
    loop {
        let length = at.recv(&mut packet).expect("a voice packet comes");
        if packet[1] & 127 == payload_type && length == 12 + bytes {
            return;
        }
    }
}

#[test]
fn the_voice_follows_a_call_to_another_port_codec_and_packet_time() {
    let [next, last] = [(); 2].map(|()| UdpSocket::bind("127.0.0.1:0").expect("a port"));
    let port = |socket: &UdpSocket| socket.local_addr().expect("an address").port().to_string();
    let scenario = Sipp::scenario("codec_change").with("next_port", &port(&next)).with("last_port", &port(&last));
    let ears = std::thread::spawn(move || {
        hears(&next, 8, 320);
        hears(&last, 0, 160);
    });
    assert_eq!(one_call(scenario, "codec_change"), ("taken".to_owned(), Some(200)));
    ears.join().expect("both were heard");
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
fn a_caller_who_demands_reliable_provisional_responses_is_taken() {
    joins("call_in_reliable");
}

#[test]
fn a_session_timer_of_a_caller_is_lengthened_granted_and_refreshed() {
    joins("call_in_session");
}

#[test]
fn a_call_in_of_many_sections_is_answered_section_by_section() {
    joins("call_in_many_sections");
}

#[test]
fn the_voice_goes_where_the_answer_that_came_for_certain_wants_it() {
    let [first, other] = [(); 2].map(|()| UdpSocket::bind("127.0.0.1:0").expect("a port"));
    let port = |socket: &UdpSocket| socket.local_addr().expect("an address").port().to_string();
    let scenario = Sipp::scenario("reliable_answer").with("first_port", &port(&first));
    let scenario = scenario.with("other_port", &port(&other));
    let ears = std::thread::spawn(move || hears(&first, 0, 160));
    assert_eq!(one_call(scenario, "reliable_answer"), ("taken".to_owned(), Some(200)));
    ears.join().expect("it was heard");
}

#[test]
fn a_re_invite_that_overtakes_an_ack_is_answered() {
    taken("reinvite_race");
}

#[test]
fn a_trunk_that_takes_no_extension_and_answers_in_parts_is_understood() {
    taken("parts");
}

#[test]
fn whoever_answers_behind_a_refusal_is_not_left_with_a_dead_line() {
    assert_eq!(one_call(Sipp::scenario("late_answer"), "late_answer"), ("busy".to_owned(), Some(486)));
}
