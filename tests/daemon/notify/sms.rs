//! Short messages through a gateway: the people of an incident are told, and nothing is lost on the way.

use serde_json::json;

use super::receiver::{Receiver, Reply, Request};
use crate::support::{Habit, World};

const ANNA: &str = "+815000000001";
const SOON: &str = "[notify]\nretry_first = \"20ms\"\nretry_most = \"100ms\"\n";

/// Anna is busy tonight, and wants to be told by short message.
fn world(name: &str, sms: &str) -> World {
    let events = "events = [\"incident.exhausted\"]\n";
    let world = World::new(name).flow("rounds = 1").person(ANNA, Habit::Busy);
    world.contact("sms = \"+819011112222\"\n").more(&format!("{SOON}[sms]\nvia = \"http\"\n{sms}{events}"))
}

fn one(requests: &[Request]) -> Option<Request> {
    requests.first().cloned()
}

#[test]
fn the_people_of_an_incident_are_told_in_twilio_s_shape() {
    let gateway = Receiver::that_answers(Reply::Status(201, String::new()));
    let table = format!(
        "preset = \"twilio\"\naccount = \"AC1\"\ntoken = \"tiger\"\nfrom = \"+15005550006\"\napi_url = \"{}\"\n",
        gateway.url("")
    );
    let world = world("sms-twilio", &table);
    let daemon = world.start();
    let mut watch = daemon.watch();
    daemon.trigger();
    let request = gateway.until("a message", one);
    assert_eq!(request.path, "/2010-04-01/Accounts/AC1/Messages.json");
    assert_eq!(request.header("Authorization"), "Basic QUMxOnRpZ2Vy");
    assert!(
        request.body.starts_with("To=%2B819011112222&From=%2B15005550006&Body=%F0%9F%86%98%20Nobody"),
        "{}",
        request.body
    );
    assert_eq!(request.key(), "hansho-m1");
    watch.until("message.sent", &[("to", json!("+819011112222"))]);
    assert!(!daemon.said().contains("tiger"));
}

#[test]
fn a_gateway_that_is_away_gets_it_again_after_a_power_cut_under_the_same_key() {
    let gateway = Receiver::new();
    gateway.replies([Reply::Status(503, String::new()), Reply::Close, Reply::Silence]);
    let table = format!(
        "url = \"{}\"\nbody = '{{\"to\": \"{{{{to}}}}\", \"text\": \"{{{{text}}}}\"}}'\n",
        gateway.url("/send")
    );
    let world = world("sms-cut", &table);
    let daemon = world.start();
    daemon.trigger();
    gateway.until("three tries", |requests| requests.get(2).map(|_| ()));
    daemon.dies();
    let daemon = world.start();
    let fourth = gateway.until("another", |requests| requests.get(3).cloned());
    let mut watch = daemon.watch();
    assert_eq!((fourth.key(), fourth.header("Content-Type")), (gateway.requests()[0].key(), "application/json"));
    assert_eq!(fourth.json()["to"], "+819011112222");
    // The next night has the next number.
    daemon.trigger();
    watch.until("message.sent", &[("message", json!(2))]);
}

#[test]
fn what_a_gateway_refuses_is_given_up_at_once_with_its_words() {
    let refusal = json!({ "messages": [{ "status": "6", "error-text": "Unroutable" }] }).to_string();
    let gateway = Receiver::that_answers(Reply::Body(refusal));
    let table = format!(
        "preset = \"vonage\"\naccount = \"key\"\ntoken = \"tiger\"\nfrom = \"hansho\"\napi_url = \"{}\"\n",
        gateway.url("")
    );
    let world = world("sms-vonage", &table);
    let daemon = world.start();
    let mut watch = daemon.watch();
    daemon.trigger();
    let failed = watch.until("message.failed", &[]);
    assert_eq!(failed["reason"], "Vonage says 6 Unroutable");
    let request = gateway.until("a message", one);
    assert!(request.body.contains("&to=819011112222&from=hansho&"), "{}", request.body);
    assert_eq!(gateway.requests().len(), 1);
    assert!(!daemon.said().contains("tiger"));
}
