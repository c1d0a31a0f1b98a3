//! hansho itself without its shell: corridor, media plane, the gate before the disk, the voice maker.
//!
//! A batch leaves when its facts are on the disk, and not before the batches in front of it. Killed, it loses
//! everything but the journal.

use core::net::SocketAddr;
use core::time::Duration;
use std::collections::{BTreeMap, VecDeque};

use hansho::base::{LegId, Stamp, Time};
use hansho::media::{Command, Event as MediaEvent, Limits, Plane, Source, Tap};
use hansho::sip::{Agent, Identity};
use hansho::switch::{Act, Batch, Entry, Event, Input, Switch};

use super::link::Flying;
use super::sounds;
use super::town::{Town, account, hansho_sip};
use super::wants::Wants;

/// How long the disk takes to make facts durable.
const DISK: Duration = Duration::from_millis(1);
/// How long the voice maker takes for a text.
const VOICE: Duration = Duration::from_millis(400);

/// What left the house.
#[derive(Default)]
pub struct Left {
    pub sent: Vec<Flying>,
    pub stored: Vec<Entry>,
    pub told: Vec<Event>,
}

pub struct Node {
    pub switch: Switch,
    plane: Plane,
    /// When the plane's next tick is due, while a leg is open.
    tick: Time,
    /// The port of every leg that is open.
    ports: BTreeMap<LegId, u16>,
    gate: VecDeque<(Time, Batch)>,
    speaking: VecDeque<(Time, Input)>,
    /// What is being recorded, and what was.
    taps: BTreeMap<Tap, (LegId, String)>,
    recordings: BTreeMap<String, Vec<i16>>,
}

impl Node {
    /// Starts at `now`; `began` is the calendar time of [`Time::ZERO`].
    pub fn start(town: &Town, began: Stamp, now: Time, seed: u64, journal: &[Entry]) -> (Node, Left) {
        let identity = Identity {
            local: hansho_sip(),
            media_address: hansho_sip().ip(),
            user_agent: "hansho".to_owned(),
            doors: Vec::new(),
        };
        let agent = Agent::new(identity, vec![account()], seed);
        let switch = Switch::new(town.settings(), agent, sounds::book(), began, seed ^ 1);
        let plane = Plane::new(Limits { legs: 32, rooms: 8 }, seed ^ 2);
        let (ports, gate, speaking) = (BTreeMap::new(), VecDeque::new(), VecDeque::new());
        let (taps, recordings) = (BTreeMap::new(), BTreeMap::new());
        let mut node = Node { switch, plane, tick: now, ports, gate, speaking, taps, recordings };
        let mut left = Left::default();
        let house = journal.iter().filter_map(|entry| match entry {
            Entry::House(at, fact) => Some((*at, fact.clone())),
            Entry::Incident(..) => None,
        });
        node.switch.handle(now, Input::RestoreHouse(house.collect()));
        for (incident, facts) in super::laws::open_incidents(journal) {
            node.switch.handle(now, Input::Restore { incident, facts });
        }
        node.handle(now, Input::Start, &mut left);
        (node, left)
    }

    /// The facts that were on their way to the disk when hansho was killed.
    pub fn kill(self) -> Vec<Vec<Entry>> {
        self.gate.into_iter().map(|(_, batch)| batch.facts).filter(|facts| !facts.is_empty()).collect()
    }

    pub fn handle(&mut self, now: Time, input: Input, left: &mut Left) {
        self.switch.handle(now, input);
        self.work(now, left);
    }

    /// A datagram reached hansho's machine.
    pub fn on_datagram(&mut self, now: Time, flying: Flying, left: &mut Left) {
        let Flying { from, to, bytes } = flying;
        if to == hansho_sip() {
            return self.handle(now, Input::Datagram { from: from.into(), bytes }, left);
        }
        let leg = self.ports.iter().find(|(_, port)| **port == to.port()).map(|(leg, _)| *leg);
        if let Some(slot) = leg.and_then(|leg| self.plane.slot(leg)) {
            self.media(now, left, |plane, wants| plane.on_packet(now, slot, from, &bytes, wants));
        }
        self.work(now, left);
    }

    pub fn next_deadline(&self) -> Option<Time> {
        let tick = (!self.ports.is_empty()).then_some(self.tick);
        let waiting = [self.gate.front().map(|(at, _)| *at), self.speaking.front().map(|(at, _)| *at), tick];
        waiting.into_iter().chain([self.switch.next_deadline()]).flatten().min()
    }

    pub fn on_deadline(&mut self, now: Time, left: &mut Left) {
        while self.speaking.front().is_some_and(|(at, _)| *at <= now) {
            if let Some((_, spoken)) = self.speaking.pop_front() {
                self.switch.handle(now, spoken);
            }
        }
        if !self.ports.is_empty() && self.tick <= now {
            self.tick = self.plane.next_tick(now);
            self.media(now, left, |plane, wants| plane.tick(now, wants));
        }
        self.handle(now, Input::Wake, left);
    }

    /// Lets out what may go.
    pub fn work(&mut self, now: Time, left: &mut Left) {
        loop {
            let batch = self.switch.take();
            if !batch.is_empty() {
                let durable = if batch.facts.is_empty() { now } else { now + DISK };
                self.gate.push_back((durable, batch));
            }
            if self.gate.front().is_none_or(|(at, _)| *at > now) {
                return;
            }
            if let Some((_, batch)) = self.gate.pop_front() {
                left.stored.extend(batch.facts);
                batch.acts.into_iter().for_each(|act| self.perform(now, act, left));
                left.told.extend(batch.events);
            }
        }
    }

    fn perform(&mut self, now: Time, act: Act, left: &mut Left) {
        match act {
            Act::Send { to, bytes } => left.sent.push(Flying { from: hansho_sip(), to: to.address, bytes }),
            Act::OpenLeg { leg, port } => {
                self.ports.insert(leg, port);
                self.media(now, left, |plane, wants| plane.on_command(now, Command::Open(leg), wants));
            }
            Act::Media(command) => self.media(now, left, |plane, wants| plane.on_command(now, command, wants)),
            Act::RecordRoom { .. } | Act::Message { .. } => {}
            Act::RecordLeg { leg, file } => {
                let tap = Tap(u32::try_from(self.taps.len()).unwrap());
                self.taps.insert(tap, (leg, file));
                self.media(now, left, |plane, wants| {
                    plane.on_command(now, Command::Record(Source::Leg(leg), tap), wants)
                });
            }
            Act::StopRecord { leg, .. } => {
                let taps: Vec<Tap> = self.taps.iter().filter(|(_, (of, _))| *of == leg).map(|(tap, _)| *tap).collect();
                for tap in taps {
                    self.media(now, left, |plane, wants| plane.on_command(now, Command::StopRecord(tap), wants));
                }
            }
            Act::Replay { incident, language, text, file } => {
                let samples = self.recordings.get(&file).cloned().filter(|samples| !samples.is_empty());
                let prompt = samples.map(Into::into).ok_or_else(|| "no such file".to_owned());
                self.speaking.push_back((now + VOICE, Input::Spoken { incident, language, text, prompt }));
            }
            Act::Speak { incident, language, text } => {
                let prompt = Ok(sounds::message());
                self.speaking.push_back((now + VOICE, Input::Spoken { incident, language, text, prompt }));
            }
        }
    }

    fn media(&mut self, now: Time, left: &mut Left, act: impl FnOnce(&mut Plane, &mut Wants)) {
        let mut wants = Wants::default();
        act(&mut self.plane, &mut wants);
        for (slot, to, bytes) in wants.packets {
            let port = self.ports.iter().find(|(leg, _)| self.plane.slot(**leg) == Some(slot)).map(|(_, port)| *port);
            let from = SocketAddr::new(hansho_sip().ip(), port.expect("a leg that sends has a port"));
            left.sent.push(Flying { from, to, bytes });
        }
        for frame in wants.recorded.iter().filter(|frame| !frame.last) {
            if let Some((_, file)) = self.taps.get(&frame.tap) {
                self.recordings.entry(file.clone()).or_default().extend(frame.samples);
            }
        }
        for event in wants.events {
            if let MediaEvent::Closed { leg, .. } = &event {
                self.ports.remove(leg);
            }
            self.switch.handle(now, Input::Media(event));
        }
    }
}
