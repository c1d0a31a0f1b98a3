//! What legs do with sound: the real plane, or a script that only knows how long things take.

use core::net::SocketAddr;
use core::time::Duration;
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use hansho::base::{Language, LegId, Time};
use hansho::media::{Command, Counts, Event, Limits, Plane, Prompt};
use hansho::switch::{Clip, PromptBook};

use crate::house::MediaKey;
use crate::support::sounds;
use crate::support::wants::Wants;

/// How long a sample lasts where nobody hears it: the script's prompts are short in memory.
const SAMPLE: Duration = Duration::from_millis(100);

static VOICES: LazyLock<Arc<PromptBook>> = LazyLock::new(sounds::book);

/// What can be said.
pub fn book(real: bool) -> Arc<PromptBook> {
    if real {
        return VOICES.clone();
    }
    let clip = |_: Language, clip: Clip| Ok::<_, String>(Prompt::from(vec![0; clip.name().len() + 2]));
    Arc::new(PromptBook::gather(clip, Prompt::from([0; 20])).unwrap())
}

/// A text that was spoken.
pub fn message(real: bool) -> Prompt {
    if real { sounds::message() } else { Prompt::from([0; 40]) }
}

pub enum Media {
    Real(Box<Real>),
    Script(Script),
}

pub struct Real {
    plane: Plane,
    tick: Time,
    open: Vec<LegId>,
    wants: Wants,
    /// The packets that left, with the leg each is of.
    sent: Vec<(LegId, SocketAddr, Vec<u8>)>,
}

#[derive(Default)]
pub struct Script {
    peers: BTreeMap<LegId, SocketAddr>,
    playing: BTreeMap<LegId, (Time, u32)>,
    told: Vec<Event>,
}

impl Media {
    pub fn new(real: bool, seed: u64) -> Media {
        if !real {
            return Media::Script(Script::default());
        }
        let plane = Plane::new(Limits { legs: 32, rooms: 8 }, seed);
        let (open, wants, sent) = (Vec::new(), Wants::default(), Vec::new());
        Media::Real(Box::new(Real { plane, tick: Time::ZERO, open, wants, sent }))
    }

    pub fn command(&mut self, now: Time, command: Command) {
        match self {
            Media::Real(real) => real.command(now, command),
            Media::Script(script) => script.command(now, command),
        }
    }

    pub fn on_packet(&mut self, now: Time, leg: LegId, from: SocketAddr, bytes: &[u8]) {
        if let Media::Real(real) = self
            && let Some(slot) = real.plane.slot(leg)
        {
            real.plane.on_packet(now, slot, from, bytes, &mut real.wants);
            real.gather();
        }
    }

    /// In the script a key arrives at once; in the plane it comes as packets.
    pub fn pressed(&mut self, address: SocketAddr, key: MediaKey) {
        if let Media::Script(script) = self {
            let there = script.peers.iter().filter(|(_, peer)| **peer == address);
            let digits = there.map(|(leg, _)| Event::Digit { leg: *leg, digit: key.digit, way: key.way });
            script.told.extend(digits.collect::<Vec<_>>());
        }
    }

    pub fn next_deadline(&self) -> Option<Time> {
        match self {
            Media::Real(real) => (!real.open.is_empty()).then_some(real.tick),
            Media::Script(script) => script.playing.values().map(|(at, _)| *at).min(),
        }
    }

    pub fn on_deadline(&mut self, now: Time) {
        match self {
            Media::Real(real) if !real.open.is_empty() && real.tick <= now => {
                real.tick = real.plane.next_tick(now);
                real.plane.tick(now, &mut real.wants);
                real.gather();
            }
            Media::Real(_) => {}
            Media::Script(script) => {
                let ended = script.playing.extract_if(.., |_, (at, _)| *at <= now);
                script.told.extend(ended.map(|(leg, (_, play))| Event::PlayEnded { leg, play }));
            }
        }
    }

    pub fn told(&mut self) -> Vec<Event> {
        match self {
            Media::Real(real) => core::mem::take(&mut real.wants.events),
            Media::Script(script) => core::mem::take(&mut script.told),
        }
    }

    /// The packets that leave, with the leg each is of.
    pub fn sent(&mut self) -> Vec<(LegId, SocketAddr, Vec<u8>)> {
        match self {
            Media::Real(real) => core::mem::take(&mut real.sent),
            Media::Script(_) => Vec::new(),
        }
    }
}

impl Real {
    fn command(&mut self, now: Time, command: Command) {
        match &command {
            Command::Open(leg) => self.open.push(*leg),
            Command::Close(leg) => self.open.retain(|other| other != leg),
            _ => {}
        }
        self.plane.on_command(now, command, &mut self.wants);
        self.gather();
    }

    fn gather(&mut self) {
        for (slot, to, bytes) in core::mem::take(&mut self.wants.packets) {
            let leg = self.open.iter().find(|leg| self.plane.slot(**leg) == Some(slot));
            self.sent.push((*leg.expect("a leg that sends is open"), to, bytes));
        }
    }
}

impl Script {
    fn command(&mut self, now: Time, command: Command) {
        match command {
            Command::Connect(leg, stream) => {
                self.peers.insert(leg, stream.remote);
            }
            Command::Play(leg, playlist) if !playlist.forever => {
                let samples: usize = playlist.prompts.iter().map(|prompt| prompt.len()).sum();
                let length = SAMPLE * samples as u32;
                self.told.push(Event::PlayStarted { leg, play: playlist.play });
                self.playing.insert(leg, (now + length, playlist.play));
            }
            Command::Hush(leg) | Command::Join(leg, _) => {
                self.playing.remove(&leg);
            }
            Command::Close(leg) => {
                self.playing.remove(&leg);
                self.peers.remove(&leg);
                self.told.push(Event::Closed { leg, counts: Counts::default() });
            }
            _ => {}
        }
    }
}
