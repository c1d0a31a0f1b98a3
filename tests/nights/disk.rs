//! The disk: takes its time, refuses for a while now and then, and keeps what it took.

use core::cell::RefCell;
use core::time::Duration;
use std::collections::VecDeque;
use std::rc::Rc;

use hansho::base::{Rng, Time};
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
    queue: VecDeque<(Time, u64, Vec<Entry>)>,
    taken: u64,
}

impl gate::Disk for Disk {
    fn write(&self, ticket: u64, entries: Vec<Entry>) -> bool {
        let mut state = self.0.borrow_mut();
        // Mostly a quick one, sometimes one that somebody else keeps busy.
        let micros = if state.rng.random_ratio(1, 30) { 20_000..400_000 } else { 200..4_000 };
        let took = Duration::from_micros(state.rng.random_range(micros));
        let before = state.queue.back().map_or(state.now, |(at, ..)| *at);
        let at = before.max(state.now) + took;
        state.queue.push_back((at, ticket, entries));
        state.taken += 1;
        true
    }
}

impl Disk {
    pub fn new(rng: Rng) -> Disk {
        let (now, refuses_until) = (Time::ZERO, Time::ZERO);
        Disk(Rc::new(RefCell::new(State { now, rng, refuses_until, queue: VecDeque::new(), taken: 0 })))
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
        self.0.borrow().queue.front().map(|(at, ..)| *at)
    }

    pub fn next_written(&self, now: Time) -> Option<(u64, Wrote)> {
        let mut state = self.0.borrow_mut();
        state.now = now;
        let (at, ticket, entries) = state.queue.pop_front_if(|(at, ..)| *at <= now)?;
        let refused = at < state.refuses_until;
        Some((ticket, if refused { Wrote::Refused } else { Wrote::Durable(entries) }))
    }

    /// The process is gone. What was on its way reached the disk up to some point.
    pub fn cut(&self) -> Vec<Entry> {
        let mut state = self.0.borrow_mut();
        let most = if state.now < state.refuses_until { 0 } else { state.queue.len() };
        let reached = state.rng.random_range(0..=most);
        core::mem::take(&mut state.queue).into_iter().take(reached).flat_map(|(.., entries)| entries).collect()
    }
}
