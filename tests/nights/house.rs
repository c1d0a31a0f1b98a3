//! hansho in a night: the corridor behind the daemon's own gate, before a disk that may refuse, with media of one
//! kind or the other. It can die between any two things it does.

use core::net::SocketAddr;
use core::time::Duration;
use std::collections::{BTreeMap, VecDeque};
use std::sync::mpsc::{Receiver, channel};

use hansho::base::{IncidentId, LegId, Rng, Stamp, Time, seeded};
use hansho::incident::{Plan, Trigger};
use hansho::media::{Command, Event as MediaEvent};
use hansho::shell::gate::{Answer, Gate, Unstored};
use hansho::sip::{Agent, Identity, Trunk};
use hansho::switch::{Act, Batch, Entry, Input, Settings, Switch};
use rand::RngExt;

use crate::disk::{Disk, Wrote};
use crate::media::{self, Media};
use crate::support::link::Flying;
use crate::support::town::hansho_sip;

/// How often what the disk refused is written again.
const RETRY: Duration = Duration::from_secs(5);

/// Something that the laws look at, in the order in which it happened.
#[derive(Debug)]
pub enum Seen {
    /// The corridor decided on these facts.
    Decided(Vec<Entry>),
    /// These are on the disk.
    Stored(Vec<Entry>),
    /// The disk did not take something.
    Refused,
    /// The acts of the batch with these facts begin; `in_debt` while the disk owes something it refused.
    Leaves { facts: Vec<Entry>, in_debt: bool },
    /// A datagram left.
    Sent(Flying),
    /// A port was opened for a leg.
    Opened(LegId, u16),
    /// A leg was closed.
    Closed(LegId),
    /// Whoever raised it was told: accepted, or not.
    Answered(IncidentId, bool),
}

pub struct House {
    pub switch: Switch,
    pub seen: Vec<Seen>,
    /// How many more things it does before it dies.
    pub fuse: Option<u32>,
    pub dead: bool,
    media: Media,
    real_media: bool,
    ports: BTreeMap<LegId, u16>,
    gate: Gate<Disk>,
    disk: Disk,
    /// The facts of what is in the gate, batch by batch.
    parked: VecDeque<Vec<Entry>>,
    inbox: VecDeque<Input>,
    speaking: BTreeMap<(Time, u64), Input>,
    spoken: u64,
    raised: Vec<(IncidentId, Receiver<bool>)>,
    retry: Time,
    in_debt: bool,
    rng: Rng,
}

/// What a new life is made of.
pub struct Birth {
    pub settings: Settings,
    pub trunk: Trunk,
    pub began: Stamp,
    pub seed: u64,
    pub real_media: bool,
    pub fuse: Option<u32>,
    pub house: Vec<(Stamp, hansho::incident::HouseFact)>,
    pub open: Vec<(IncidentId, Vec<(Stamp, hansho::incident::Fact)>)>,
}

impl House {
    pub fn start(now: Time, birth: Birth, disk: Disk) -> House {
        let Birth { settings, trunk, began, seed, real_media, fuse, house: promised, open } = birth;
        let identity = Identity {
            local: hansho_sip(),
            media_address: hansho_sip().ip(),
            user_agent: "hansho".to_owned(),
            doors: Vec::new(),
        };
        let agent = Agent::new(identity, vec![trunk], seed);
        let mut house = House {
            switch: Switch::new(settings, agent, media::book(real_media), began, seed ^ 1),
            seen: Vec::new(),
            fuse,
            dead: false,
            media: Media::new(real_media, seed ^ 2),
            real_media,
            ports: BTreeMap::new(),
            gate: Gate::new(disk.clone()),
            disk,
            parked: VecDeque::new(),
            inbox: VecDeque::new(),
            speaking: BTreeMap::new(),
            spoken: 0,
            raised: Vec::new(),
            retry: now + RETRY,
            in_debt: false,
            rng: seeded(seed ^ 3),
        };
        house.switch.handle(now, Input::RestoreHouse(promised));
        for (incident, facts) in open {
            house.switch.handle(now, Input::Restore { incident, facts });
        }
        house.handle(now, Input::Start);
        house
    }

    pub fn handle(&mut self, now: Time, input: Input) {
        self.inbox.push_back(input);
        self.work(now);
    }

    pub fn raise(&mut self, now: Time, trigger: Trigger, plan: Plan) {
        let id = self.switch.raise(now, trigger, plan).incident();
        let (told, answer) = channel();
        self.raised.push((id, answer));
        let answered = move |stored: Result<(), Unstored>| told.send(stored.is_ok()).unwrap_or_default();
        self.flush(now, Some(Answer::new(answered).about(id)));
        self.work(now);
    }

    /// Does something that is asked for from outside, and what follows from it.
    pub fn ask(&mut self, now: Time, what: impl FnOnce(&mut Switch)) {
        what(&mut self.switch);
        self.flush(now, None);
        self.work(now);
    }

    pub fn on_datagram(&mut self, now: Time, flying: Flying) {
        let Flying { from, to, bytes } = flying;
        if to == hansho_sip() {
            return self.handle(now, Input::Datagram { from: from.into(), bytes });
        }
        if let Some(leg) = self.ports.iter().find(|(_, port)| **port == to.port()).map(|(leg, _)| *leg) {
            self.media.on_packet(now, leg, from, &bytes);
        }
        self.work(now);
    }

    /// Somebody presses a key on the telephone that hears at `address`.
    pub fn pressed(&mut self, now: Time, address: SocketAddr, key: MediaKey) {
        self.media.pressed(address, key);
        self.work(now);
    }

    pub fn next_deadline(&self) -> Option<Time> {
        let speaking = self.speaking.keys().next().map(|(at, _)| *at);
        let retry = (!self.gate.is_empty()).then_some(self.retry);
        let media = self.media.next_deadline();
        [speaking, retry, media, self.disk.next_deadline(), self.switch.next_deadline()].into_iter().flatten().min()
    }

    pub fn on_deadline(&mut self, now: Time) {
        while !self.dead
            && let Some((ticket, wrote)) = self.disk.next_written(now)
        {
            let result = match wrote {
                Wrote::Durable(entries) => {
                    self.seen.push(Seen::Stored(entries));
                    Ok(())
                }
                Wrote::Refused => {
                    self.in_debt = true;
                    self.seen.push(Seen::Refused);
                    Err("disk full".to_owned())
                }
            };
            if let Some(incident) = self.at_the_gate(|gate| gate.written(ticket, result)) {
                self.switch.handle(now, Input::NotStored(incident));
            }
            self.flush(now, None);
        }
        if self.retry <= now {
            self.retry = now + RETRY;
            self.at_the_gate(Gate::retry);
        }
        while let Some(entry) = self.speaking.first_entry().filter(|entry| entry.key().0 <= now) {
            self.inbox.push_back(entry.remove());
        }
        self.media.on_deadline(now);
        self.handle(now, Input::Wake);
        self.in_debt &= !self.gate.is_empty();
    }

    /// Everything that is to be done, the media's reports among it.
    fn work(&mut self, now: Time) {
        loop {
            for event in self.media.told() {
                if let MediaEvent::Closed { leg, .. } = &event {
                    self.ports.remove(leg);
                }
                self.inbox.push_back(Input::Media(event));
            }
            for (leg, to, bytes) in self.media.sent() {
                let port = self.ports.get(&leg).copied().expect("a leg that sends has a port");
                let from = SocketAddr::new(hansho_sip().ip(), port);
                self.seen.push(Seen::Sent(Flying { from, to, bytes }));
            }
            let seen = &mut self.seen;
            self.raised.retain(|(id, answer)| answer.try_recv().map(|ok| seen.push(Seen::Answered(*id, ok))).is_err());
            if self.dead {
                return;
            }
            let Some(input) = self.inbox.pop_front() else { return };
            self.switch.handle(now, input);
            self.flush(now, None);
        }
    }

    /// The daemon's order: what was decided goes into the gate, what comes out of it is done.
    fn flush(&mut self, now: Time, answer: Option<Answer>) {
        self.disk.clock(now);
        let batch = self.switch.take();
        if !batch.is_empty() || answer.is_some() {
            self.seen.push(Seen::Decided(batch.facts.clone()));
            self.parked.push_back(batch.facts.clone());
            self.gate.push(batch, answer);
        }
        while !self.burns()
            && let Some(batch) = self.gate.pop()
        {
            let facts = self.parked.pop_front().expect("every batch is noted");
            self.seen.push(Seen::Leaves { facts, in_debt: self.in_debt });
            self.perform(now, batch);
        }
    }

    /// Lets the gate write again what was refused: what it parks for that has no facts of its own.
    fn at_the_gate<R>(&mut self, act: impl FnOnce(&mut Gate<Disk>) -> R) -> R {
        let before = self.disk.taken();
        let result = act(&mut self.gate);
        self.parked.extend((before..self.disk.taken()).map(|_| Vec::new()));
        result
    }

    fn perform(&mut self, now: Time, batch: Batch) {
        for act in batch.acts {
            if self.burns() {
                return;
            }
            match act {
                Act::Send { to, bytes } => {
                    self.seen.push(Seen::Sent(Flying { from: hansho_sip(), to: to.address, bytes }))
                }
                Act::OpenLeg { leg, port } => {
                    self.seen.push(Seen::Opened(leg, port));
                    self.ports.insert(leg, port);
                    self.media.command(now, Command::Open(leg));
                }
                Act::Media(command) => {
                    if let Command::Close(leg) = &command {
                        self.seen.push(Seen::Closed(*leg));
                    }
                    self.media.command(now, command);
                }
                Act::RecordRoom { .. }
                | Act::RecordLeg { .. }
                | Act::StopRecord { .. }
                | Act::Replay { .. }
                | Act::Message { .. } => {}
                Act::Speak { incident, language, text } => {
                    let length = Duration::from_millis(self.rng.random_range(1..4_000));
                    let spoken = !self.rng.random_ratio(1, 8);
                    let prompt = if spoken { Ok(media::message(self.real_media)) } else { Err("no voice".to_owned()) };
                    self.spoken += 1;
                    let done = Input::Spoken { incident, language, text, prompt };
                    self.speaking.insert((now + length, self.spoken), done);
                }
            }
        }
    }

    /// True when it is dead; every question may be the one before its death.
    fn burns(&mut self) -> bool {
        if let Some(fuse) = &mut self.fuse {
            *fuse = fuse.saturating_sub(1);
            self.dead |= *fuse == 0;
        }
        self.dead
    }
}

/// A key, however it was pressed.
#[derive(Clone, Copy, Debug)]
pub struct MediaKey {
    pub digit: hansho::base::Digit,
    pub way: hansho::media::Way,
}
