//! What a night is made of, thrown from its seed: people, their telephones, the weather, what is raised.

use core::time::Duration;
use std::collections::BTreeMap;

use hansho::base::{CallFlowId, ContactId, Digit, GuidanceId, Hours, Language, Phone, Rng, RoomName};
use hansho::incident::{Answer, Behaviour, CallFlow, Contact, Guidance, Key, Plan, Scope, Strategy, Trigger};
use rand::RngExt;
use rand::seq::SliceRandom;

use crate::support::{Town, millis, seconds};

/// What may go wrong tonight.
#[derive(Clone, Copy, Debug)]
pub struct Weather {
    pub loss: bool,
    pub outages: bool,
    pub crashes: bool,
    pub full_disk: bool,
    pub clock: bool,
}

impl Weather {
    pub fn any(rng: &mut Rng) -> Weather {
        let mut one_in = |n| rng.random_ratio(1, n);
        Weather { loss: one_in(2), outages: one_in(4), crashes: one_in(2), full_disk: one_in(4), clock: one_in(4) }
    }

    /// True when every message arrives and every call that was made is known: then hansho ends every call itself.
    pub fn is_fair(self) -> bool {
        !(self.loss || self.outages || self.crashes && self.full_disk)
    }
}

/// The people; `owners` says whose each telephone is.
pub struct People {
    pub contacts: Vec<Contact>,
    pub owners: Vec<usize>,
}

impl People {
    pub fn any(rng: &mut Rng, most: usize) -> People {
        let (mut contacts, mut owners) = (Vec::new(), Vec::new());
        for person in 0..rng.random_range(1..=most) {
            let mut phones = Vec::new();
            for _ in 0..if rng.random_ratio(1, 4) { 2 } else { 1 } {
                phones.push(Phone::parse(&Town::number(owners.len())).unwrap());
                owners.push(person);
            }
            contacts.push(Contact {
                id: ContactId::parse(&format!("person-{person}")).unwrap(),
                name: format!("Person {person}"),
                phones,
                language: if person % 2 == 0 { Language::Ja } else { Language::En },
                hours: hours(rng),
            });
        }
        People { contacts, owners }
    }

    /// Something to be quiet about.
    pub fn scope(rng: &mut Rng) -> Scope {
        match rng.random_range(0..3) {
            0 => Scope { dedup: Some(format!("about {}", rng.random_range(0..2))), ..Scope::default() },
            1 => Scope { host: Some(host(rng)), ..Scope::default() },
            _ => Scope { call_flow: CallFlowId::parse("any").ok(), ..Scope::default() },
        }
    }

    /// Something is raised for some of them, and perhaps for others when they do not take it.
    pub fn trigger(&self, rng: &mut Rng, hasty: bool) -> (Trigger, Plan) {
        let then = rng.random_ratio(1, 4).then(|| Box::new(self.one_trigger(rng, hasty).1));
        let (trigger, plan) = self.one_trigger(rng, hasty);
        (trigger, Plan { then, ..plan })
    }

    fn one_trigger(&self, rng: &mut Rng, hasty: bool) -> (Trigger, Plan) {
        let mut contacts = self.contacts.clone();
        contacts.shuffle(rng);
        contacts.truncate(rng.random_range(1..=contacts.len()));
        let id = || "any".to_owned();
        let trigger = Trigger {
            call_flow: CallFlowId::parse(&id()).unwrap(),
            guidance: None,
            message: rng.random_ratio(1, 2).then(|| "disk full".to_owned()),
            parameters: BTreeMap::new(),
            dedup: rng.random_ratio(1, 2).then(|| format!("about {}", rng.random_range(0..2))),
            to: Vec::new(),
            host: rng.random_ratio(1, 3).then(|| host(rng)),
            service: None,
            by: None,
        };
        let strategies = [Strategy::Sequential, Strategy::Shuffled, Strategy::Simultaneous];
        let call_flow = CallFlow {
            id: CallFlowId::parse(&id()).unwrap(),
            strategy: strategies[rng.random_range(0..3)],
            answer: if rng.random_ratio(1, 4) { Answer::All } else { Answer::One },
            rounds: rng.random_range(1..=3),
            ring_timeout: seconds(rng.random_range(4..if hasty { 10 } else { 40 })),
            between_rounds: seconds(rng.random_range(0..if hasty { 3 } else { 60 })),
            bundle: if rng.random_ratio(1, 3) { seconds(120) } else { Duration::ZERO },
            taken_for: seconds([0, 60, 600][rng.random_range(0..3)]),
        };
        (trigger, Plan { call_flow, contacts, guidance: guidance(rng), then: None })
    }
}

fn guidance(rng: &mut Rng) -> Guidance {
    let mut keys = BTreeMap::new();
    for (key, behaviour) in ['1', '2', '3', '4', '5', '6'].into_iter().zip(Behaviour::ALL) {
        if key == '1' || rng.random_ratio(2, 3) {
            let say = rng.random_ratio(1, 4).then(|| format!("{behaviour:?} it is"));
            keys.insert(Digit::from_char(key).unwrap(), Key { behaviour, say });
        }
    }
    let room = rng.random_ratio(1, 2).then(|| ["north", "south"][rng.random_range(0..2)]);
    Guidance {
        id: GuidanceId::parse("any").unwrap(),
        message: BTreeMap::new(),
        keys,
        first_key_timeout: millis(rng.random_range(1_000..15_000)),
        explains_keys: false,
        inter_key_timeout: Duration::from_secs(15),
        challenge: rng.random_ratio(1, 5),
        readings: rng.random_range(1..=2),
        repeats: rng.random_range(1..=3),
        voice_before_dialling: if rng.random_ratio(1, 3) { seconds(5) } else { Duration::ZERO },
        room: room.map(|room| RoomName::parse(room).unwrap()),
    }
}

/// Most people accept calls always, some at certain hours of the night, some never tonight.
fn hours(rng: &mut Rng) -> Hours {
    let span = match rng.random_range(0..12) {
        0 => "every-day 02:10-02:20",
        1 => "sat 00:00-02:15",
        2 => "sun",
        _ => return Hours::default(),
    };
    Hours { spans: vec![span.parse().unwrap()], ..Hours::default() }
}

fn host(rng: &mut Rng) -> String {
    ["db", "web"][rng.random_range(0..2)].to_owned()
}

/// A time of up to so many seconds.
pub fn up_to(rng: &mut Rng, most: u64) -> Duration {
    millis(rng.random_range(1..most * 1_000))
}
