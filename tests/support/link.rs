//! The network: delays every datagram a little, each one differently, and loses some.

use core::net::SocketAddr;
use core::time::Duration;
use std::collections::BTreeMap;

use hansho::base::{Rng, Time};
use rand::RngExt;

/// A datagram on its way.
#[derive(Clone, Debug)]
pub struct Flying {
    pub from: SocketAddr,
    pub to: SocketAddr,
    pub bytes: Vec<u8>,
}

pub struct Link {
    rng: Rng,
    /// One in so many is lost; 0: none.
    pub loses_one_in: u32,
    /// One in so many comes twice; 0: none.
    pub doubles_one_in: u32,
    /// One in so many is overtaken by many others; 0: none.
    pub delays_one_in: u32,
    flying: BTreeMap<(Time, u64), Flying>,
    count: u64,
}

impl Link {
    pub fn new(rng: Rng) -> Link {
        Link { rng, loses_one_in: 0, doubles_one_in: 0, delays_one_in: 0, flying: BTreeMap::new(), count: 0 }
    }

    pub fn send(&mut self, now: Time, flying: Flying) {
        if self.happens(self.loses_one_in) {
            return;
        }
        let copies = if self.happens(self.doubles_one_in) { 2 } else { 1 };
        for _ in 0..copies {
            let most = if self.happens(self.delays_one_in) { 400_000 } else { 12_000 };
            let delay = Duration::from_micros(self.rng.random_range(5_000..most));
            self.count += 1;
            self.flying.insert((now + delay, self.count), flying.clone());
        }
    }

    pub fn next(&self) -> Option<Time> {
        self.flying.keys().next().map(|(at, _)| *at)
    }

    pub fn arrived(&mut self, now: Time) -> Option<Flying> {
        let first = self.flying.first_entry().filter(|entry| entry.key().0 <= now)?;
        Some(first.remove())
    }

    fn happens(&mut self, one_in: u32) -> bool {
        one_in > 0 && self.rng.random_range(0..one_in) == 0
    }
}
