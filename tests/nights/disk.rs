//! The disk: takes its time, refuses for a while now and then, and keeps what it took.

use core::cell::RefCell;
use core::time::Duration;
use std::collections::{BTreeSet, VecDeque};
use std::rc::Rc;

use hansho::base::{IncidentId, Rng, Time};
use hansho::shell::gate;
use hansho::switch::Entry;
use rand::RngExt;

/// How a write went.
pub enum Wrote {
    Durable(Vec<Entry>),
    Refused,
}

#[derive(Clone)]
pub struct Disk(Rc<RefCell<State>>);

struct State {
    now: Time,
    rng: Rng,
    /// It refuses until then.
    refuses_until: Time,
    queue: VecDeque<Write>,
    /// The incidents that lack a fact, until their sender knows.
    behind: BTreeSet<IncidentId>,
    taken: u64,
}

struct Write {
    at: Time,
    ticket: u64,
    entries: Vec<Entry>,
    knows: bool,
}

impl gate::Disk for Disk {
    fn write(&self, ticket: u64, entries: Vec<Entry>, knows: bool) {
        let mut state = self.0.borrow_mut();
        // Mostly a quick one, sometimes one that somebody else keeps busy.
        let micros = if state.rng.random_ratio(1, 30) { 20_000..400_000 } else { 200..4_000 };
        let took = Duration::from_micros(state.rng.random_range(micros));
        let before = state.queue.back().map_or(state.now, |write| write.at);
        let at = before.max(state.now) + took;
        state.queue.push_back(Write { at, ticket, entries, knows });
        state.taken += 1;
    }
}

impl Disk {
    pub fn new(rng: Rng) -> Disk {
        let (now, refuses_until) = (Time::ZERO, Time::ZERO);
        let (queue, behind) = (VecDeque::new(), BTreeSet::new());
        Disk(Rc::new(RefCell::new(State { now, rng, refuses_until, queue, behind, taken: 0 })))
    }

    pub fn clock(&self, now: Time) {
        self.0.borrow_mut().now = now;
    }

    pub fn refuse_until(&self, until: Time) {
        self.0.borrow_mut().refuses_until = until;
    }

    /// How many writes it was ever asked for.
    pub fn taken(&self) -> u64 {
        self.0.borrow().taken
    }

    pub fn next_deadline(&self) -> Option<Time> {
        self.0.borrow().queue.front().map(|write| write.at)
    }

    pub fn next_written(&self, now: Time) -> Option<(u64, Wrote)> {
        let mut state = self.0.borrow_mut();
        state.now = now;
        let write = state.queue.pop_front_if(|write| write.at <= now)?;
        Some((write.ticket, state.write(write)))
    }

    /// The process is gone. What was on its way reached the disk up to some point.
    pub fn cut(&self) -> Vec<Entry> {
        let mut state = self.0.borrow_mut();
        let queue = core::mem::take(&mut state.queue);
        let reached = state.rng.random_range(0..=queue.len());
        let mut durable = Vec::new();
        for write in queue.into_iter().take(reached) {
            if let Wrote::Durable(entries) = state.write(write) {
                durable.extend(entries);
            }
        }
        durable
    }
}

impl State {
    /// As the daemon's writer does it: behind a fact that was refused comes none of the same incident.
    fn write(&mut self, write: Write) -> Wrote {
        if write.knows {
            self.behind.clear();
        }
        let incidents = || write.entries.iter().filter_map(Entry::incident);
        if write.at < self.refuses_until || incidents().any(|incident| self.behind.contains(&incident)) {
            self.behind.extend(incidents());
            return Wrote::Refused;
        }
        Wrote::Durable(write.entries)
    }
}
