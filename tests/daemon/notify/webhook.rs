//! A program of the user's own hears everything, whatever it does to hansho.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::json;

use super::receiver::{Receiver, Reply, Request};
use crate::support::{Habit, World};

const ANNA: &str = "+815000000001";
const SOON: &str = "[notify]\nretry_first = \"20ms\"\nretry_most = \"100ms\"\n";

fn webhook(id: &str, receiver: &Receiver) -> String {
    format!("[[notify.webhook]]\nid = \"{id}\"\nurl = \"{}\"\n", receiver.url("/hook"))
}

/// A night with Anna, who is busy: accepted, round, dialling, ended, exhausted.
fn world(name: &str, tables: &str) -> World {
    World::new(name).flow("rounds = 1").person(ANNA, Habit::Busy).more(tables)
}

fn events(requests: &[Request]) -> Vec<String> {
    requests.iter().map(|request| request.json()["event"].as_str().expect("an event's name").to_owned()).collect()
}

/// The events of that night that are facts.
const NIGHT: [&str; 5] =
    ["incident.accepted", "incident.round", "attempt.dialling", "attempt.ended", "incident.exhausted"];

fn is_of_the_night(request: &&Request) -> bool {
    request.json()["incident"].is_string()
}

#[test]
fn every_event_comes_in_order_signed_and_under_a_key_of_its_own() {
    let receiver = Receiver::new();
    let more = "secret = \"tiger\"\nheaders = { X-Api-Key = \"lion\" }\nevents = [\"incident.*\", \"attempt.*\"]\n";
    let world = world("hook", &format!("{}{more}", webhook("a", &receiver)));
    let daemon = world.start();
    let incident = daemon.trigger();
    receiver.event("incident.exhausted");
    let requests = receiver.requests();
    assert_eq!(events(&requests), NIGHT);
    for request in &requests {
        let body = request.json();
        assert_eq!((request.path.as_str(), request.header("X-Api-Key")), ("/hook", "lion"));
        assert_eq!((&body["incident"], &body["id"]), (&json!(incident), &json!(request.key())));
        assert!(request.key().starts_with("hansho-"), "{}", request.key());
        assert!(body["text"].as_str().is_some_and(|text| !text.is_empty()), "{body}");
        let signature = request.header("X-Hansho-Signature");
        assert!(signature.starts_with("t=") && signature.contains(",v1="), "{signature}");
    }
    let mut keys: Vec<&str> = requests.iter().map(Request::key).collect();
    keys.dedup();
    assert_eq!(keys.len(), requests.len());
    let health = &daemon.ask(&json!({ "op": "status" }))["notifiers"][0];
    assert_eq!((&health["notifier"], &health["failed"]), (&json!("webhook.a"), &json!(0)));
    assert!(!daemon.said().contains("tiger") && !daemon.said().contains("lion"));
}

#[test]
fn a_broken_receiver_is_told_again_under_the_same_key_and_nothing_overtakes() {
    let receiver = Receiver::new();
    let wait = "Retry-After: 1\r\n".to_owned();
    let none = String::new;
    receiver.replies([
        Reply::Status(500, none()),
        Reply::Close,
        Reply::Status(429, wait),
        Reply::Status(503, none()),
        Reply::Body(String::new()),
        Reply::Status(500, none()),
    ]);
    let world = world("broken", &format!("{SOON}{}", webhook("a", &receiver)));
    let daemon = world.start();
    daemon.trigger();
    receiver.event("incident.exhausted");
    let requests: Vec<Request> = receiver.requests().into_iter().filter(|request| is_of_the_night(&request)).collect();
    let mut keys: Vec<&str> = requests.iter().map(Request::key).collect();
    keys.dedup();
    assert_eq!(keys.len(), NIGHT.len(), "{:?}", events(&requests));
    let mut told = events(&requests);
    told.dedup();
    assert_eq!(told, NIGHT);
    assert!(requests.len() > NIGHT.len());
}

#[test]
fn a_receiver_that_never_answers_holds_up_no_other_no_call_and_no_end() {
    let (dead, well) = (Receiver::that_answers(Reply::Silence), Receiver::new());
    // Far longer than the end may take, so that an end that waits for it is seen.
    let patient = "[notify]\ntimeout = \"100s\"\n";
    let tables = format!("{patient}{}{}", webhook("dead", &dead), webhook("well", &well));
    let world = world("silence", &tables);
    let mut daemon = world.start();
    let incident = daemon.trigger();
    daemon.comes_to(&incident, "exhausted");
    well.event("incident.exhausted");
    dead.until("one try", |requests| (!requests.is_empty()).then_some(()));
    let began = Instant::now();
    daemon.signal(nix::sys::signal::Signal::SIGTERM);
    assert!(daemon.ends().success());
    assert!(began.elapsed() < Duration::from_secs(30), "the end waited for a receiver: {:?}", began.elapsed());
}

#[test]
fn a_redirect_is_not_followed_and_what_is_given_up_is_seen() {
    let (elsewhere, well) = (Receiver::new(), Receiver::new());
    let to = format!("Location: {}\r\n", elsewhere.url("/steal"));
    let moved = Receiver::that_answers(Reply::Status(307, to));
    let only = "events = [\"incident.exhausted\"]\n";
    let tables = format!("{}{only}{}", webhook("moved", &moved), webhook("well", &well));
    let world = world("moved", &tables);
    let daemon = world.start();
    let mut watch = daemon.watch();
    daemon.trigger();
    let failed = watch.until("notify.failed", &[("notifier", json!("webhook.moved"))]);
    assert!(failed["reason"].as_str().is_some_and(|why| why.contains("redirects are not followed")), "{failed}");
    assert_eq!(well.event("notify.failed").json()["notifier"], "webhook.moved");
    assert_eq!(elsewhere.requests().len(), 0);
    let status = daemon.ask(&json!({ "op": "status" }));
    assert_eq!(status["notifiers"][0]["failed"], 1, "{status}");
}

#[test]
fn an_answer_without_end_is_not_read_to_its_end() {
    let receiver = Receiver::that_answers(Reply::Endless);
    let world = world("endless", &webhook("a", &receiver));
    let daemon = world.start();
    daemon.trigger();
    receiver.event("incident.exhausted");
}

#[test]
fn what_is_too_old_is_given_up_and_the_next_is_tried() {
    let receiver = Receiver::that_answers(Reply::Status(500, String::new()));
    let tables = format!("{SOON}give_up = \"50ms\"\n{}", webhook("a", &receiver));
    let world = world("old", &tables);
    let daemon = world.start();
    let mut watch = daemon.watch();
    daemon.trigger();
    let failed = watch.until("notify.failed", &[("notifier", json!("webhook.a"))]);
    assert!(failed["reason"].as_str().is_some_and(|why| why.contains("500")), "{failed}");
    // The last one is tried as well.
    receiver.event("incident.exhausted");
}

#[test]
fn a_power_cut_between_delivery_and_note_delivers_again_under_the_same_key() {
    let receiver = Receiver::new();
    let tables = format!("{}events = [\"incident.*\"]\n", webhook("a", &receiver));
    let world = world("cut", &tables);
    let daemon = world.start();
    let mut watch = daemon.watch();
    // The first is delivered, and nobody learns of it.
    receiver.replies([Reply::Silence]);
    daemon.trigger();
    let first = receiver.event("incident.accepted");
    watch.until("incident.exhausted", &[]);
    daemon.dies();
    let _daemon = world.start();
    receiver.event("incident.exhausted");
    let requests = receiver.requests();
    let expected =
        ["incident.accepted", "incident.accepted", "incident.round", "incident.exhausted"].map(str::to_owned);
    assert_eq!(events(&requests), expected);
    assert_eq!(requests[1].key(), first.key());
    assert_eq!(requests[1].json(), first.json(), "the very same event");
}

#[test]
fn a_receiver_that_is_new_is_not_told_the_past() {
    let (old, new) = (Receiver::new(), Receiver::new());
    let world = world("new", &webhook("old", &old));
    let daemon = world.start();
    let past = daemon.trigger();
    old.event("incident.exhausted");
    daemon.dies();
    let world = world.more(&webhook("new", &new));
    let daemon = world.start();
    let incident = daemon.trigger();
    new.event("incident.exhausted");
    assert_ne!(past, incident);
    assert!(new.requests().iter().filter(is_of_the_night).all(|request| request.json()["incident"] == json!(incident)));
    // The power cut may have told it twice of the first one.
    let both = |requests: &[Request]| {
        let ends = requests.iter().filter(|request| request.json()["event"] == "incident.exhausted");
        let keys: BTreeSet<&str> = ends.map(Request::key).collect();
        (keys.len() == 2).then_some(())
    };
    old.until("both nights", both);
}
