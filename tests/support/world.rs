//! Everything on one clock.

use core::time::Duration;

use hansho::base::{IncidentId, Outbox, Stamp, Time, seeded};
use hansho::incident::{Plan, Record, State, Trigger};
use hansho::rig::{Noted, Output, Phone, PickUp, Script, Socket, SoftTrunk};
use hansho::switch::{Entry, Event, HotlineAnswer, Raised, Switch};
use rand::RngExt;

use super::hand::Hand;
use super::laws;
use super::link::{Flying, Link};
use super::node::{Left, Node};
use super::town::{Town, carrier, phone_rtp, phone_sip, trunk_sip};
use super::{millis, minutes};

/// 2026-11-21T02:00:00Z: the night begins.
const NIGHT: Stamp = Stamp::from_unix_micros(1_795_226_400_000_000);
const SEED: &str = "HANSHO_SEED";

pub struct World {
    pub town: Town,
    pub now: Time,
    pub link: Link,
    /// Everything durable.
    pub journal: Vec<Entry>,
    /// Everything that was told.
    pub events: Vec<Event>,
    pub(super) phones: Vec<Phone>,
    /// Up to which moment each telephone's sound was listened to.
    pub(super) listened: Vec<Time>,
    /// How many of its short messages were read, of each telephone.
    pub(super) read: Vec<usize>,
    node: Option<Node>,
    trunk: SoftTrunk,
    rng: hansho::base::Rng,
    seed: u64,
    lives: u64,
}

/// Says which seed it was when a story fails.
impl Drop for World {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the night of {SEED}={}, at {:.3} s:", self.seed, self.now.as_micros() as f64 / 1e6);
            for (_, at, fact) in self.journal.iter().filter_map(Entry::of_incident) {
                eprintln!("  {:9.3} {fact:?}", at.since(NIGHT).as_secs_f64());
            }
        }
    }
}

impl World {
    /// A night with hansho registered. `HANSHO_SEED` gives it another course.
    pub fn new(town: Town) -> World {
        let seed = std::env::var(SEED).ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
        let mut world = World::seeded(town, seed);
        world.wait(minutes(1));
        assert!(world.trunk.is_registered(world.now), "hansho registers");
        world
    }

    /// The same with this seed, at its very beginning.
    pub fn seeded(town: Town, seed: u64) -> World {
        let mut rng = seeded(seed);
        let mut trunk = SoftTrunk::new(carrier(rng.random()));
        let mut phone = |place: usize| {
            let number = Town::number(place);
            trunk.connect(&number, phone_sip(place));
            let media_port = phone_rtp(place).port();
            let realm = "carrier.test".to_owned();
            let socket = Socket { number, sip: phone_sip(place), media_port, trunk: trunk_sip(), realm };
            Phone::new(socket, Script { pick_up: PickUp::Never, then: Vec::new() }, rng.random())
        };
        let phones: Vec<Phone> = (0..town.people.len()).map(&mut phone).collect();
        let link = Link::new(seeded(rng.random()));
        let (listened, read) = (vec![Time::ZERO; phones.len()], vec![0; phones.len()]);
        let (journal, events) = (Vec::new(), Vec::new());
        let now = Time::ZERO;
        let mut world =
            World { town, now, link, journal, events, phones, listened, read, node: None, trunk, rng, seed, lives: 0 };
        world.restart();
        world
    }

    /// The person of this name, to be told what to do and asked what happens.
    pub fn phone(&mut self, name: &str) -> Hand<'_> {
        let place = self.town.place(name);
        Hand::new(self, place)
    }

    /// Raises an incident.
    pub fn trigger(&mut self, message: &str) -> IncidentId {
        let (trigger, plan) = self.town.trigger(message);
        let now = self.now;
        let mut left = Left::default();
        let node = self.node.as_mut().expect("hansho runs");
        let Raised::New(incident) = node.switch.raise(now, trigger, plan) else {
            panic!("no deduplication key was given")
        };
        node.work(now, &mut left);
        self.take(left);
        incident
    }

    /// A trigger comes with everything it is run by; what became of it.
    pub fn comes(&mut self, trigger: Trigger, plan: Plan) -> Raised {
        self.told(|node, now| node.switch.raise(now, trigger, plan))
    }

    /// Something is asked of hansho from outside.
    pub fn ask<R>(&mut self, what: impl FnOnce(&mut Switch, Time) -> R) -> R {
        self.told(|node, now| what(&mut node.switch, now))
    }

    /// hansho sends a short message to a person; its number.
    pub fn sends_message(&mut self, name: &str, text: &str) -> u32 {
        let place = self.town.place(name);
        let to = self.town.contacts()[place].phones[0].clone();
        self.told(|node, now| node.switch.send_message(now, to, text))
    }

    /// Somebody opens a hotline's link; the page.
    pub fn opens(&mut self, link: &str) -> Option<HotlineAnswer> {
        self.told(|node, _| node.switch.hotline_page(link))
    }

    /// Somebody presses the button of that page; what it says then.
    pub fn taps(&mut self, link: &str) -> Option<HotlineAnswer> {
        self.told(|node, now| node.switch.hotline_accept(now, link))
    }

    /// All a telephone went through.
    pub fn log(&self, name: &str) -> &[(Time, Noted)] {
        self.phones[self.town.place(name)].log()
    }

    /// hansho is told something from outside.
    pub(super) fn told<R>(&mut self, tell: impl FnOnce(&mut Node, Time) -> R) -> R {
        let now = self.now;
        let mut left = Left::default();
        let node = self.node.as_mut().expect("hansho runs");
        let result = tell(node, now);
        node.work(now, &mut left);
        self.take(left);
        result
    }

    /// An operator calls it off.
    pub fn cancel(&mut self, incident: IncidentId) {
        let now = self.now;
        let mut left = Left::default();
        let node = self.node.as_mut().expect("hansho runs");
        node.switch.cancel(now, incident, "story").expect("it is open");
        node.work(now, &mut left);
        self.take(left);
    }

    /// `kill -9`. What was on its way to the disk may have reached it or not; nothing else is left.
    pub fn crash(&mut self) {
        let Some(node) = self.node.take() else { return };
        let pending = node.kill();
        let reached = self.rng.random_range(0..=pending.len());
        self.journal.extend(pending.into_iter().take(reached).flatten());
    }

    /// Starts again from the journal.
    pub fn restart(&mut self) {
        self.lives += 1;
        let seed = self.rng.random();
        let (node, left) = Node::start(&self.town, NIGHT, self.now, seed, &self.journal);
        self.node = Some(node);
        self.take(left);
    }

    /// What the journal says of an incident.
    pub fn record(&self, incident: IncidentId) -> Record {
        laws::by_incident(&self.journal).get(&incident).map(|facts| laws::record(facts)).unwrap_or_default()
    }

    pub fn state(&self, incident: IncidentId) -> State {
        self.record(incident).state
    }

    /// Who was called, how it ended, and with which status.
    pub fn outcomes(&self, incident: IncidentId) -> Vec<(String, String, Option<u16>)> {
        let attempts = self.record(incident).attempts.into_iter();
        let said = |outcome: Option<hansho::incident::Outcome>| outcome.map_or("up", |outcome| outcome.as_str());
        attempts.map(|it| (it.name.clone(), said(it.outcome).to_owned(), it.code)).collect()
    }

    /// Lets time go by.
    pub fn wait(&mut self, length: Duration) {
        let until = self.now + length;
        while let Some(at) = self.next().filter(|at| *at <= until) {
            self.step(at);
        }
        self.now = until;
    }

    /// Lets time go by until this is so; panics after five minutes.
    pub fn wait_until(&mut self, what: &str, is: impl FnMut(&World) -> bool) {
        self.look_every(millis(20), what, is);
    }

    /// The same, looking less often.
    pub fn look_every(&mut self, pause: Duration, what: &str, mut is: impl FnMut(&World) -> bool) {
        let patience = self.now + minutes(5);
        while !is(self) {
            assert!(self.now < patience, "in vain: {what}");
            self.wait(pause);
        }
    }

    /// Lets time go by until an incident is decided; an hour must be enough.
    pub fn wait_until_decided(&mut self, incident: IncidentId) {
        let patience = self.now + minutes(60);
        while !self.state(incident).is_final() {
            assert!(self.now < patience, "in vain: the incident is decided");
            self.wait(millis(500));
        }
    }

    /// Nobody's telephone rings for so long.
    pub fn stays_quiet(&mut self, length: Duration) {
        let calls = |world: &World| -> usize { world.phones.iter().map(rung).sum() };
        let before = calls(self);
        self.wait(length);
        assert_eq!(calls(self), before, "a telephone rang");
    }

    /// Lets everything come to its end and checks the laws of a whole night.
    pub fn ends(&mut self) {
        self.wait_until("every call ends", |world| {
            world.phones.iter().all(Phone::is_idle) && world.node.as_ref().is_some_and(|node| node.switch.legs() == 0)
        });
        laws::check_end(&self.journal);
    }

    /// Does something with a telephone.
    pub(super) fn with<R>(&mut self, place: usize, act: impl FnOnce(&mut Phone, Time, &mut Outbox<Output>) -> R) -> R {
        let mut out = Outbox::new();
        let result = act(&mut self.phones[place], self.now, &mut out);
        for output in out.drain() {
            let (from, datagram) = match output {
                Output::Sip(datagram) => (phone_sip(place), datagram),
                Output::Rtp(datagram) => (phone_rtp(place), datagram),
            };
            self.link.send(self.now, Flying { from, to: datagram.to, bytes: datagram.bytes });
        }
        result
    }

    fn next(&self) -> Option<Time> {
        let phones = self.phones.iter().filter_map(Phone::next_deadline).min();
        let node = self.node.as_ref().and_then(Node::next_deadline);
        [self.link.next(), phones, node, self.trunk.next_deadline()].into_iter().flatten().min()
    }

    fn step(&mut self, at: Time) {
        self.now = self.now.max(at);
        while let Some(flying) = self.link.arrived(self.now) {
            self.deliver(flying);
        }
        for place in 0..self.phones.len() {
            if self.phones[place].next_deadline().is_some_and(|at| at <= self.now) {
                self.with(place, |phone, now, out| phone.on_deadline(now, out));
            }
        }
        self.trunk.on_deadline(self.now, &mut Outbox::new());
        let now = self.now;
        if let Some(node) = &mut self.node
            && node.next_deadline().is_some_and(|at| at <= now)
        {
            let mut left = Left::default();
            node.on_deadline(now, &mut left);
            self.take(left);
        }
    }

    fn deliver(&mut self, flying: Flying) {
        let now = self.now;
        if flying.to == trunk_sip() {
            let mut out = Outbox::new();
            self.trunk.on_datagram(now, flying.from, &flying.bytes, &mut out);
            for datagram in out.drain() {
                self.link.send(now, Flying { from: trunk_sip(), to: datagram.to, bytes: datagram.bytes });
            }
        } else if let Some(place) = (0..self.phones.len()).find(|place| phone_sip(*place) == flying.to) {
            self.with(place, |phone, now, out| phone.on_sip(now, flying.from, &flying.bytes, out));
        } else if let Some(place) = (0..self.phones.len()).find(|place| phone_rtp(*place) == flying.to) {
            self.phones[place].on_rtp(now, flying.from, &flying.bytes);
        } else if let Some(node) = &mut self.node {
            let mut left = Left::default();
            node.on_datagram(now, flying, &mut left);
            self.take(left);
        }
    }

    fn take(&mut self, left: Left) {
        if !left.stored.is_empty() {
            self.journal.extend(left.stored);
            laws::check(&self.journal);
        }
        for flying in left.sent {
            self.link.send(self.now, flying);
        }
        self.events.extend(left.told);
    }
}

/// How often a telephone was called.
fn rung(phone: &Phone) -> usize {
    phone.log().iter().filter(|(_, noted)| matches!(noted, Noted::Rings | Noted::TurnedAway(_))).count()
}
