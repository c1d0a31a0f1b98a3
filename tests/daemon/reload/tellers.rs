//! Notifiers, gateways and voices that are swapped while they have something to do.

use serde_json::{Value, json};

use super::{ANNA, reload, rewrite};
use crate::notify::receiver::{Receiver, Reply, Request};
use crate::support::{Habit, Stage, World, until};

const SOON: &str = "[notify]\nretry_first = \"20ms\"\nretry_most = \"100ms\"\n";

fn hook(id: &str, receiver: &Receiver) -> String {
    format!("[[notify.webhook]]\nid = \"{id}\"\nurl = \"{}\"\nevents = [\"incident.*\"]\n", receiver.url("/hook"))
}

fn names(receiver: &Receiver) -> Vec<String> {
    receiver.requests().iter().map(|it| it.json()["event"].as_str().expect("an event's name").to_owned()).collect()
}

#[test]
fn what_one_notifier_could_not_tell_is_told_by_the_one_in_its_place_and_others_hear_nothing() {
    let (away, there) = (Receiver::that_answers(Reply::Status(503, String::new())), Receiver::new());
    let (other, late) = (Receiver::new(), Receiver::new());
    let tables = format!("{SOON}{}{}", hook("a", &away), hook("b", &other));
    let world = World::new("reload-hook").flow("rounds = 1").person(ANNA, Habit::Busy).more(&tables);
    let daemon = world.start();
    daemon.trigger();
    away.until("a try in vain", |requests| requests.first().map(|_| ()));
    other.event("incident.exhausted");
    rewrite(&world, &hook("a", &away), &format!("{}{}", hook("a", &there), hook("c", &late)));
    let answer = reload(&daemon);
    assert_eq!(answer["changed"], json!(["webhook.a: changed", "webhook.c: added"]), "{answer}");
    there.event("incident.exhausted");
    let night = ["incident.accepted", "incident.round", "incident.exhausted"];
    assert_eq!(names(&there), night, "all of it, in order, once");
    // What is new tells what happens from now on, from the very next incident.
    daemon.trigger();
    for (receiver, nights) in [(&late, 1), (&there, 2), (&other, 2)] {
        let is_last = |it: &&Request| it.json()["event"] == "incident.exhausted";
        receiver.until("a night", |requests| (requests.iter().filter(is_last).count() == nights).then_some(()));
    }
    assert_eq!(names(&late), night);
    assert_eq!(names(&other), [night, night].concat());
    let status = daemon.ask(&json!({ "op": "status" }));
    let told: Vec<&Value> = status["notifiers"].as_array().expect("a list").iter().map(|it| &it["notifier"]).collect();
    assert_eq!(told, ["webhook.a", "webhook.c", "webhook.b"]);

    rewrite(&world, &hook("c", &late), "");
    assert_eq!(reload(&daemon)["changed"], json!(["webhook.c: removed"]));
}

#[test]
fn a_short_message_that_waits_at_one_gateway_leaves_by_the_next() {
    let (away, there) = (Receiver::that_answers(Reply::Status(503, String::new())), Receiver::new());
    let table =
        |receiver: &Receiver| format!("url = \"{}\"\nbody = '{{\"to\": \"{{{{to}}}}\"}}'\n", receiver.url("/send"));
    let tables = format!("{SOON}[sms]\nvia = \"http\"\n{}events = [\"incident.exhausted\"]\n", table(&away));
    let world = World::new("reload-sms").flow("rounds = 1").person(ANNA, Habit::Busy);
    let world = world.contact("sms = \"+819011112222\"\n").more(&tables);
    let daemon = world.start();
    let mut watch = daemon.watch();
    daemon.trigger();
    away.until("a try in vain", |requests| requests.first().map(|_| ()));
    rewrite(&world, &table(&away), &table(&there));
    assert_eq!(reload(&daemon)["changed"], json!(["gateway: changed"]));
    let message = there.until("the message", |requests| requests.first().cloned());
    assert_eq!((message.key(), &message.json()["to"]), (away.requests()[0].key(), &json!("+819011112222")));
    watch.until("message.sent", &[("message", json!(1))]);
    assert_eq!(there.requests().len(), 1);
}

#[test]
fn other_voices_speak_from_the_next_call_on() {
    let world = World::new("reload-voice").person(ANNA, Habit::Answers);
    let daemon = world.start();
    let usual = "command.en = [\"/bin/false\", \"{out}\"]";
    let sound = concat!(env!("CARGO_MANIFEST_DIR"), "/prompts/en/general.wav");
    rewrite(&world, usual, &format!("command.en = [\"/bin/cp\", {sound:?}, \"{{out}}\"]"));
    let answer = reload(&daemon);
    assert_eq!((&answer["changed"], &answer["needs_restart"]), (&json!(["voices: changed"]), &json!([])), "{answer}");
    daemon.trigger();
    world.phones.reaches(ANNA, 1, Stage::Up(true));
    until("the words of the message", || {
        let status = daemon.ask(&json!({ "op": "status" }));
        let lines: Vec<String> = serde_json::from_value(status["voices"].clone()).expect("lines");
        lines
            .iter()
            .any(|line| line.starts_with("en: command") && line.contains("; spoke ") && !line.contains("spoke 0"))
            .then_some(())
    });
}
