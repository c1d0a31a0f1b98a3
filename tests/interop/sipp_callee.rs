//! SIPp as the trunk and the callee at once: every way a call can go, seen by software that follows its
//! scenario to the letter. Each test has two witnesses: what hansho tells, and that SIPp saw what it expected.

use crate::support::{Daemon, Scene, Settings, Sipp};

const NUMBER: &str = "+815011110001";

/// Runs one call against a scenario; gives the outcome, the code and the daemon's whole story.
fn one_call(scenario: Sipp, name: &str, settings: impl FnOnce(Settings) -> Settings) -> (String, Option<u64>, Daemon) {
    let scene = Scene::new(name);
    let sipp = scenario.listens(&scene);
    let daemon = Daemon::start(&scene, &settings(Settings::trunk_at(sipp.port).person("anna", NUMBER)));
    daemon.trigger();
    let (outcome, code) = daemon.outcome("anna");
    sipp.passes();
    (outcome, code, daemon)
}

fn as_it_is(settings: Settings) -> Settings {
    settings
}

fn taken(scenario: Sipp, name: &str) -> Daemon {
    let (outcome, code, daemon) = one_call(scenario, name, as_it_is);
    assert_eq!((outcome.as_str(), code), ("taken", Some(200)));
    daemon.events.until("incident.acknowledged", &[]);
    daemon
}

fn refused(code: u16, phrase: &str, expected: &str) {
    let scenario = Sipp::scenario("refuse").with("code", &code.to_string()).with("phrase", phrase);
    let (outcome, told, daemon) = one_call(scenario, &format!("refused_{code}"), as_it_is);
    assert_eq!((outcome.as_str(), told), (expected, Some(u64::from(code))));
    let ended = daemon.events.until("attempt.ended", &[]);
    let reason = ended["reason"].as_str().unwrap_or_default();
    assert!(reason.contains("as SIPp says") || reason.contains(phrase), "the reason is the peer's: {ended}");
    daemon.events.until("incident.exhausted", &[]);
}

#[test]
fn a_key_as_rfc_4733_events_takes_the_incident_and_one_press_is_one_key() {
    let daemon = taken(Sipp::scenario("answer_key"), "answer_key");
    let key = daemon.events.until("attempt.key", &[("digit", "1"), ("means", "take")]);
    assert_eq!(key["way"], "rfc4733", "{key}");
    assert_eq!(daemon.events.count("attempt.key"), 1);
    assert_eq!(daemon.events.count("incident.acknowledged"), 1);
}

#[test]
fn a_prompt_begins_when_the_phone_is_picked_up() {
    let daemon = taken(Sipp::scenario("answer_key"), "prompt_started");
    for event in ["attempt.dialling", "attempt.ringing", "attempt.answered", "attempt.prompt_started"] {
        daemon.events.until(event, &[("contact", "anna")]);
    }
}

#[test]
fn whoever_answers_and_presses_nothing_is_ignored_after_everything_was_said() {
    let (outcome, _, daemon) = one_call(Sipp::scenario("answer_silent"), "answer_silent", as_it_is);
    assert_eq!(outcome, "ignored");
    daemon.events.until("incident.exhausted", &[]);
}

#[test]
fn hanging_up_without_a_key_takes_nothing() {
    let (outcome, _, daemon) = one_call(Sipp::scenario("answer_hangup"), "answer_hangup", as_it_is);
    assert_eq!(outcome, "ignored");
    daemon.events.until("incident.exhausted", &[]);
}

#[test]
fn a_busy_callee_is_busy() {
    refused(486, "Busy Here", "busy");
}

#[test]
fn a_callee_who_is_busy_everywhere_is_busy() {
    refused(600, "Busy Everywhere", "busy");
}

#[test]
fn a_number_that_leads_nowhere_is_unreachable() {
    refused(404, "Not Found", "unreachable");
}

#[test]
fn a_trunk_out_of_service_is_a_failure() {
    refused(503, "Service Unavailable", "failed");
}

#[test]
fn a_callee_who_declines_is_rejected() {
    refused(603, "Decline", "rejected");
}

#[test]
fn a_callee_the_trunk_cannot_find_in_time_is_no_answer() {
    refused(480, "Temporarily Unavailable", "no_answer");
}

#[test]
fn the_ring_timeout_cancels_the_call() {
    let brief = |settings: Settings| settings.flow("ring_timeout = \"1s\"");
    let (outcome, code, _) = one_call(Sipp::scenario("no_answer"), "no_answer", brief);
    assert_eq!((outcome.as_str(), code), ("no_answer", Some(487)));
}

#[test]
fn an_answer_that_crosses_the_cancel_is_acknowledged_and_ended() {
    let brief = |settings: Settings| settings.flow("ring_timeout = \"1s\"");
    let (outcome, _, daemon) = one_call(Sipp::scenario("cancel_race"), "cancel_race", brief);
    assert_eq!(outcome, "no_answer");
    daemon.events.until("incident.exhausted", &[]);
}

#[test]
fn early_media_is_no_answer_and_the_call_goes_on() {
    let daemon = taken(Sipp::scenario("early_media"), "early_media");
    daemon.events.until("attempt.ringing", &[("code", "183")]);
}

#[test]
fn a_200_that_comes_again_is_acknowledged_again() {
    let daemon = taken(Sipp::scenario("retransmitted_answer").sees_copies(), "retransmitted_answer");
    assert_eq!(daemon.events.count("attempt.answered"), 1);
}

#[test]
fn a_second_telephone_behind_a_fork_is_let_go_and_the_first_call_goes_on() {
    let daemon = taken(Sipp::scenario("fork").sees_copies(), "fork");
    assert_eq!(daemon.events.count("attempt.answered"), 1);
}

#[test]
fn an_answer_without_a_common_codec_is_acknowledged_and_ended() {
    let (outcome, _, daemon) = one_call(Sipp::scenario("no_codec"), "no_codec", as_it_is);
    assert_eq!(outcome, "failed");
    assert_eq!(daemon.events.count("attempt.key"), 0);
}

#[test]
fn a_callee_may_hold_and_come_back() {
    taken(Sipp::scenario("hold"), "hold");
}

#[test]
fn a_whole_night_goes_down_the_roster_until_somebody_takes_it() {
    let scene = Scene::new("night");
    let town = Sipp::scenario("night").calls(4).listens(&scene);
    let settings = Settings::trunk_at(town.port).flow("ring_timeout = \"1s\"");
    let people = [("anna", "01"), ("bert", "02"), ("carl", "03"), ("dora", "04"), ("emil", "05")];
    let settings =
        people.iter().fold(settings, |settings, (id, end)| settings.person(id, &format!("+8150111100{end}")));
    let daemon = Daemon::start(&scene, &settings);
    let incident = daemon.trigger();
    let told = |id| daemon.outcome(id);
    assert_eq!(told("anna"), ("no_answer".to_owned(), Some(487)));
    assert_eq!(told("bert"), ("busy".to_owned(), Some(486)));
    assert_eq!(told("carl"), ("passed".to_owned(), Some(200)));
    assert_eq!(told("dora"), ("taken".to_owned(), Some(200)));
    daemon.events.until("incident.acknowledged", &[("incident", &incident)]);
    town.passes();
    assert_eq!(daemon.events.count("attempt.dialling"), 4, "emil is never called");
    daemon.stops();
}
