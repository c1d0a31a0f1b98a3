//! The plane: all legs and rooms of one thread, and the tick that drives them.
//!
//! Time is cut into ticks of 5 ms. A leg or a room has one of four phases and its turn every fourth tick, so
//! that the packets of many legs do not leave at once; those in one room share its phase. A tick that
//! comes late runs each phase once, for the newest turn it missed, and the places of samples move on
//! with the clock: nobody is sent two packets where one was due.
//!
//! Everything is allocated in [`Plane::new`]. After that there is no allocation, no lock, no log and no system
//! call here: what leaves goes through the [`Sink`].

use core::net::SocketAddr;
use rand::RngExt;

use super::leg::{Below, Leg};
use super::reports::Reports;
use super::room::{Member, Room, Round};
use super::sender::Sender;
use super::taps::Taps;
use super::told::Told;
use super::{Command, Event, Playlist, Sink, Source};
use crate::audio::goertzel::Bank;
use crate::base::{LegId, Rng, RoomId, Time, seeded};
use crate::wire::srtp::Protection;

/// One tick, in microseconds.
const TICK_MICROS: u64 = 5_000;
/// One tick, in samples.
const TICK_SAMPLES: i64 = 40;
/// Ticks between two turns of a phase.
const PHASES: usize = 4;
const MICROS_PER_SAMPLE: u64 = 125;

/// How much a plane holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Legs at a time.
    pub legs: usize,
    /// Rooms at a time.
    pub rooms: usize,
}

/// What went not as it should.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Stats {
    /// Turns of a phase that were skipped because a tick came late.
    pub skipped: u64,
    /// Keys and beginnings of talk that nobody took in time.
    pub dropped_events: u64,
    /// Frames of recordings that nobody took in time.
    pub dropped_frames: u64,
}

/// The plane.
#[derive(Debug)]
pub struct Plane {
    legs: Vec<Leg>,
    /// By slot: who is there, and where it runs.
    places: Vec<Option<Place>>,
    rooms: Vec<Option<Room>>,
    members: Vec<Member>,
    /// Legs outside any room, by phase.
    alone: [Vec<usize>; PHASES],
    /// Legs whose packets leave in another rhythm than their frames.
    odd: Vec<usize>,
    /// Legs that run in each phase.
    load: [usize; PHASES],
    /// The next turn of each phase, in ticks.
    turns: Option<[u64; PHASES]>,
    bank: Bank,
    taps: Taps,
    told: Told,
    rng: Rng,
    full: bool,
    skipped: u64,
}

/// A slot that is taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Place {
    id: LegId,
    runs: Runs,
}

/// Where a leg's 20 ms are made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Runs {
    /// Nowhere: it is not connected.
    Not,
    /// By itself, in this phase.
    Alone(usize),
    /// In this room.
    Room(usize),
}

impl Plane {
    /// Allocates everything. `seed` gives the unpredictable parts of RTP headers.
    pub fn new(limits: Limits, seed: u64) -> Plane {
        let Limits { legs, rooms } = limits;
        Plane {
            legs: (0..legs).map(Leg::new).collect(),
            places: vec![None; legs],
            rooms: (0..rooms).map(|_| None).collect(),
            members: Vec::with_capacity(legs),
            alone: core::array::from_fn(|_| Vec::with_capacity(legs)),
            odd: Vec::with_capacity(legs),
            load: [0; PHASES],
            turns: None,
            bank: Bank::new(),
            taps: Taps::new(legs + rooms),
            told: Told::new(legs),
            rng: seeded(seed),
            full: false,
            skipped: 0,
        }
    }

    /// Which slot the leg has; packets are handed in by slot.
    pub fn slot(&self, leg: LegId) -> Option<usize> {
        self.places.iter().position(|place| place.is_some_and(|place| place.id == leg))
    }

    /// Has anything been agreed on for the leg in `slot`? Until then its packets are refused.
    pub fn is_connected(&self, slot: usize) -> bool {
        self.legs.get(slot).is_some_and(Leg::is_connected)
    }

    /// May a command be handed in? Not while so many events wait that the answer might not find room.
    pub fn takes_commands(&self) -> bool {
        self.told.has_room()
    }

    /// While true, no new leg is let in: the thread is too busy.
    pub fn set_full(&mut self, full: bool) {
        self.full = full;
    }

    /// What went not as it should.
    pub fn stats(&self) -> Stats {
        Stats { skipped: self.skipped, dropped_events: self.told.dropped, dropped_frames: self.taps.dropped }
    }

    /// When the next tick is due.
    pub fn next_tick(&self, now: Time) -> Time {
        Time::from_micros((now.as_micros() / TICK_MICROS + 1) * TICK_MICROS)
    }

    /// Does what is asked for. Unknown legs and rooms are passed over: they closed meanwhile.
    pub fn on_command(&mut self, now: Time, command: Command, sink: &mut impl Sink) {
        match command {
            Command::Open(leg) => self.open(now, leg),
            Command::Protect(leg, protection) => {
                let before = match self.slot(leg) {
                    Some(slot) => self.legs[slot].protect(protection),
                    None => Some(protection),
                };
                self.spend_keys(before);
            }
            Command::Connect(leg, stream) => {
                if let Some(slot) = self.slot(leg) {
                    self.odd.retain(|odd| *odd != slot);
                    self.legs[slot].connect(samples(now), stream);
                    if self.legs[slot].is_odd() {
                        self.odd.push(slot);
                    }
                    self.run_alone_if_nowhere(now, slot);
                }
            }
            Command::Play(leg, list) => {
                let before = match self.slot(leg) {
                    Some(slot) => self.legs[slot].play(list),
                    None => Some(list),
                };
                self.spend(before);
            }
            Command::Hush(leg) => {
                let before = self.slot(leg).and_then(|slot| self.legs[slot].hush());
                self.spend(before);
            }
            Command::Join(leg, room) => self.join(now, leg, room),
            Command::Leave(leg) => {
                if let Some(slot) = self.slot(leg) {
                    self.leave(slot);
                    self.run_alone_if_nowhere(now, slot);
                }
            }
            Command::Mute(leg, muted) => {
                if let Some(slot) = self.slot(leg) {
                    self.legs[slot].mute(muted);
                }
            }
            Command::Close(leg) => self.close(leg),
            Command::Music(room, list) => {
                let before = match self.room(now, room) {
                    Some(room) => room.play(list),
                    None => Some(list),
                };
                self.spend(before);
            }
            Command::CloseRoom(room) => self.close_room(now, room),
            Command::Press(leg, digit) => {
                if let Some(slot) = self.slot(leg) {
                    self.legs[slot].press(digit);
                }
            }
            Command::Record(source, tap) => self.taps.start(source, tap),
            Command::StopRecord(tap) => self.taps.stop(tap),
        }
        self.flush(sink);
    }

    /// A datagram came for the leg in `slot`.
    pub fn on_packet(&mut self, now: Time, slot: usize, from: SocketAddr, bytes: &[u8], sink: &mut impl Sink) {
        if !self.places.get(slot).is_some_and(Option::is_some) {
            return;
        }
        let at = samples(now);
        self.legs[slot].on_packet(at, from, bytes, &self.bank, &mut self.told, sink);
        self.flush(sink);
    }

    /// A datagram came to the port that is for the reports of the leg in `slot` alone.
    pub fn on_report(&mut self, now: Time, slot: usize, from: SocketAddr, bytes: &[u8], sink: &mut impl Sink) {
        if self.places.get(slot).is_some_and(Option::is_some) {
            self.legs[slot].on_report_port(samples(now), from, bytes, &mut self.told, sink);
            self.flush(sink);
        }
    }

    /// The leg is about to be closed: says so to its peer while it still can.
    pub fn farewell(&mut self, now: Time, leg: LegId, sink: &mut impl Sink) {
        if let Some(slot) = self.slot(leg) {
            self.legs[slot].farewell(samples(now), sink);
        }
    }

    /// Does what is due. Call it every 5 ms.
    pub fn tick(&mut self, now: Time, sink: &mut impl Sink) {
        let tick = now.as_micros() / TICK_MICROS;
        let first = self.turns.is_none();
        let mut turns = self.turns.unwrap_or_else(|| core::array::from_fn(|phase| turn_from(tick, phase)));
        for (phase, turn) in turns.iter_mut().enumerate() {
            if *turn > tick {
                continue;
            }
            let newest = turn_from(tick + 1, phase) - PHASES as u64;
            if !first && self.load[phase] > 0 {
                self.skipped += (newest - *turn) / PHASES as u64;
            }
            *turn = newest + PHASES as u64;
            let place = i64::try_from(newest).unwrap_or(i64::MAX / TICK_SAMPLES) * TICK_SAMPLES;
            self.run(phase, samples(now), place, sink);
        }
        self.turns = Some(turns);
        for &slot in &self.odd {
            self.legs[slot].send_due(samples(now), sink);
        }
        self.flush(sink);
    }

    fn run(&mut self, phase: usize, at: i64, place: i64, sink: &mut impl Sink) {
        let Plane { legs, rooms, members, alone, bank, taps, told, .. } = self;
        for &slot in &alone[phase] {
            let leg = &mut legs[slot];
            let source = Source::Leg(leg.id);
            let recorded = taps.hears(source);
            leg.hear(place, recorded, bank, told);
            if recorded {
                taps.on_frame(source, place, &leg.said, sink);
            }
            leg.speak(at, place, Below::Silence, told, sink);
        }
        let mut round = Round { at, place, bank, taps, told, sink };
        let mut rest = &members[..];
        while let Some(first) = rest.first() {
            let (own, others) = rest.split_at(rest.partition_point(|member| member.room == first.room));
            rest = others;
            if let Some(room) = rooms[first.room].as_mut().filter(|room| room.phase == phase) {
                room.round(own, legs, &mut round);
            }
        }
    }

    fn open(&mut self, now: Time, id: LegId) {
        let free = self.places.iter().position(Option::is_none).filter(|_| !self.full && self.slot(id).is_none());
        let Some(slot) = free else {
            self.told.push(Event::Refused(id));
            return;
        };
        // The number begins in its lower half, so that who misses the first packets still knows that it has not wrapped
        // (RFC 4568 §6.4).
        let first = self.rng.random::<u16>() >> 1;
        let sender = Sender::new(self.rng.random(), first, self.rng.random());
        let reports = Reports::new(self.name(), self.rng.random());
        self.legs[slot].open(id, samples(now), sender, reports);
        self.places[slot] = Some(Place { id, runs: Runs::Not });
    }

    /// A name for a leg's reports: 96 random bits in base64 (RFC 7022 §4.2).
    fn name(&mut self) -> [u8; 16] {
        const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        core::array::from_fn(|_| LETTERS[self.rng.random_range(0..LETTERS.len())])
    }

    fn close(&mut self, id: LegId) {
        let Some(slot) = self.slot(id) else { return };
        self.leave(slot);
        self.stop_running(slot);
        self.odd.retain(|odd| *odd != slot);
        let before = self.legs[slot].hush();
        self.spend(before);
        let keys = self.legs[slot].unprotect();
        self.spend_keys(keys);
        self.taps.close(Source::Leg(id));
        self.places[slot] = None;
        self.told.push(Event::Closed { leg: id, counts: self.legs[slot].counts() });
    }

    fn join(&mut self, now: Time, leg: LegId, id: RoomId) {
        let Some(slot) = self.slot(leg) else { return };
        if self.room(now, id).is_none() {
            self.told.push(Event::NoRoom(leg, id));
            return;
        }
        let Some(room) = self.room_index(id) else { return };
        if self.runs(slot) == Runs::Room(room) {
            return;
        }
        self.leave(slot);
        self.stop_running(slot);
        let member = Member { room, slot };
        let place = self.members.partition_point(|other| *other < member);
        self.members.insert(place, member);
        self.set_runs(slot, Runs::Room(room));
        if let Some(room) = &self.rooms[room] {
            self.load[room.phase] += 1;
        }
    }

    /// Takes a leg out of its room, if it is in one; it then runs nowhere.
    fn leave(&mut self, slot: usize) {
        let Runs::Room(room) = self.runs(slot) else { return };
        if let Ok(place) = self.members.binary_search(&Member { room, slot }) {
            self.members.remove(place);
        }
        if let Some(room) = &self.rooms[room] {
            self.load[room.phase] -= 1;
        }
        let leg = &mut self.legs[slot];
        if leg.is_talking() {
            self.told.push(Event::Talking { leg: leg.id, talking: false });
        }
        leg.fall_silent();
        self.set_runs(slot, Runs::Not);
    }

    fn stop_running(&mut self, slot: usize) {
        let Runs::Alone(phase) = self.runs(slot) else { return };
        if let Some(place) = self.alone[phase].iter().position(|other| *other == slot) {
            self.alone[phase].swap_remove(place);
            self.load[phase] -= 1;
        }
        self.set_runs(slot, Runs::Not);
    }

    fn run_alone_if_nowhere(&mut self, now: Time, slot: usize) {
        if self.runs(slot) != Runs::Not || !self.legs[slot].is_connected() {
            return;
        }
        let phase = self.quietest_phase(now);
        self.alone[phase].push(slot);
        self.load[phase] += 1;
        self.set_runs(slot, Runs::Alone(phase));
    }

    fn close_room(&mut self, now: Time, id: RoomId) {
        let Some(index) = self.room_index(id) else { return };
        while let Some(member) = self.members.iter().copied().find(|member| member.room == index) {
            self.leave(member.slot);
            self.run_alone_if_nowhere(now, member.slot);
        }
        let before = self.rooms[index].as_mut().and_then(Room::hush);
        self.spend(before);
        self.taps.close(Source::Room(id));
        self.rooms[index] = None;
    }

    /// The room, opened when it is not there yet and there is a place for it.
    fn room(&mut self, now: Time, id: RoomId) -> Option<&mut Room> {
        let phase = self.quietest_phase(now);
        let index = self.room_index(id).or_else(|| self.rooms.iter().position(Option::is_none))?;
        Some(self.rooms[index].get_or_insert_with(|| Room::new(id, phase)))
    }

    fn room_index(&self, id: RoomId) -> Option<usize> {
        self.rooms.iter().position(|room| room.as_ref().is_some_and(|room| room.id == id))
    }

    /// The phase that has least to do; among equals the one whose turn comes soonest.
    fn quietest_phase(&self, now: Time) -> usize {
        let tick = now.as_micros() / TICK_MICROS;
        (1..=PHASES).map(|ahead| (tick + ahead as u64) as usize % PHASES).min_by_key(|p| self.load[*p]).unwrap_or(0)
    }

    fn runs(&self, slot: usize) -> Runs {
        self.places[slot].map_or(Runs::Not, |place| place.runs)
    }

    fn set_runs(&mut self, slot: usize, runs: Runs) {
        if let Some(place) = &mut self.places[slot] {
            place.runs = runs;
        }
    }

    fn spend(&mut self, list: Option<Box<Playlist>>) {
        if let Some(list) = list {
            self.told.push(Event::Spent(list));
        }
    }

    fn spend_keys(&mut self, keys: Option<Box<Protection>>) {
        if let Some(keys) = keys {
            self.told.push(Event::SpentKeys(keys));
        }
    }

    fn flush(&mut self, sink: &mut impl Sink) {
        self.told.flush(sink);
        self.taps.flush(sink);
    }
}

/// The first turn of `phase` at or after `tick`.
fn turn_from(tick: u64, phase: usize) -> u64 {
    let phases = PHASES as u64;
    tick + (phase as u64 + phases - tick % phases) % phases
}

fn samples(now: Time) -> i64 {
    i64::try_from(now.as_micros() / MICROS_PER_SAMPLE).unwrap_or(i64::MAX)
}
