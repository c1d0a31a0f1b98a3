//! Many lives of one daemon, each cut off, beside a receiver that fails as it likes: nothing is left untold.

use std::collections::BTreeMap;
use std::time::Duration;

use hansho::base::seeded;
use hansho::incident::{Entry, Record};
use hansho::store::Reader;
use hansho::switch::event_of;
use rand::RngExt;

use super::receiver::{Receiver, Reply, Request};
use crate::support::{Habit, World};

const ANNA: &str = "+815000000001";
const BERT: &str = "+815000000002";

/// The keys of everything in the journal that has to be told, in its order.
fn due(world: &World) -> Vec<String> {
    let reader = Reader::open(&world.data.join("hansho.db")).expect("the journal can be read");
    let lines = reader.after(0, 100_000).expect("the journal can be read");
    let told = |entry: &Entry| match entry {
        Entry::Incident(incident, at, fact) => event_of(*incident, *at, fact, &Record::new()).is_some(),
        Entry::House(..) => false,
    };
    lines.into_iter().filter(|(_, entry)| told(entry)).map(|(seq, _)| format!("hansho-{seq}")).collect()
}

/// The keys in the order in which they came for the first time.
fn heard(requests: &[Request]) -> Vec<String> {
    let mut bodies: BTreeMap<&str, &str> = BTreeMap::new();
    let mut keys = Vec::new();
    for request in requests {
        match bodies.insert(request.key(), &request.body) {
            None => keys.push(request.key().to_owned()),
            Some(before) => assert_eq!(before, request.body, "one key, one event"),
        }
    }
    keys
}

/// `HANSHO_KILLS=200` makes it a long night, `HANSHO_SEED` makes it another one.
#[test]
fn every_fact_is_told_at_least_once_and_in_order_through_many_power_cuts() {
    let read = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let kills = read("HANSHO_KILLS").unwrap_or(6);
    let seed = read("HANSHO_SEED").unwrap_or(1);
    eprintln!("HANSHO_SEED={seed} HANSHO_KILLS={kills}");
    let mut rng = seeded(seed);
    let receiver = Receiver::new();
    let tables = format!(
        "[notify]\nretry_first = \"10ms\"\nretry_most = \"50ms\"\n[[notify.webhook]]\nid = \"a\"\nurl = \"{}\"\n\
         events = [\"incident.*\", \"attempt.*\"]\n",
        receiver.url("/hook")
    );
    let world = World::new("notify-kills").flow("rounds = 1\nring_timeout = \"1s\"").more(&tables);
    let world = world.person(ANNA, Habit::Busy).person(BERT, Habit::Busy);
    for _ in 0..kills {
        let daemon = world.start();
        let failures = rng.random_range(0..4);
        receiver.replies((0..failures).map(|_| match rng.random_range(0..3) {
            0 => Reply::Status(503, String::new()),
            1 => Reply::Close,
            _ => Reply::Body(String::new()),
        }));
        for _ in 0..rng.random_range(1..4) {
            daemon.trigger();
        }
        let more = receiver.requests().len() + rng.random_range(0..12);
        receiver.within(Duration::from_millis(500), |requests| (requests.len() >= more).then_some(()));
        daemon.dies();
    }
    let daemon = world.start();
    let incident = daemon.trigger();
    daemon.comes_to(&incident, "exhausted");
    // Incidents of former lives may still be going on; the journal is at rest when everything is told.
    receiver.until("everything to be told", |requests| {
        let requests: Vec<Request> = requests.iter().filter(|request| is_fact(request)).cloned().collect();
        (heard(&requests) == due(&world)).then_some(())
    });
    eprintln!("{} requests for {} facts", receiver.requests().len(), due(&world).len());
}

/// `attempt.prompt_started` and the like are no facts; their keys say so.
fn is_fact(request: &Request) -> bool {
    !request.key().starts_with("hansho-e")
}
