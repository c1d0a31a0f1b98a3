//! Media ports: an even port a leg, its odd neighbour left for RTCP (RFC 3550 §11).
//!
//! Ports are handed out in turn, so that a late packet of a call that just ended does not reach the next one.

use std::collections::BTreeMap;

use crate::base::LegId;

/// The ports media may use, both ends included.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PortRange {
    /// The first.
    pub first: u16,
    /// The last.
    pub last: u16,
}

impl Default for PortRange {
    fn default() -> Self {
        PortRange { first: 20_000, last: 29_999 }
    }
}

impl PortRange {
    /// How many legs fit.
    pub fn pairs(self) -> usize {
        usize::from(self.last.saturating_sub(self.first).saturating_add(1)) / 2
    }
}

/// Which leg has which port.
#[derive(Debug)]
pub(super) struct Ports {
    first_even: u16,
    pairs: u16,
    next: u16,
    taken: BTreeMap<u16, LegId>,
}

impl Ports {
    pub(super) fn new(range: PortRange) -> Ports {
        let first_even = range.first.saturating_add(range.first % 2);
        let span = u32::from(range.last).saturating_sub(u32::from(first_even)).saturating_add(1);
        let pairs = u16::try_from(span / 2).unwrap_or(u16::MAX);
        Ports { first_even, pairs, next: 0, taken: BTreeMap::new() }
    }

    /// The next free port, or `None` when every pair is in use.
    pub(super) fn take(&mut self, leg: LegId) -> Option<u16> {
        for _ in 0..self.pairs {
            let port = self.first_even.saturating_add(self.next.saturating_mul(2));
            self.next = (self.next + 1) % self.pairs;
            if let std::collections::btree_map::Entry::Vacant(free) = self.taken.entry(port) {
                free.insert(leg);
                return Some(port);
            }
        }
        None
    }

    pub(super) fn give_back(&mut self, leg: LegId) {
        self.taken.retain(|_, holder| *holder != leg);
    }

    /// How many are in use.
    #[cfg(test)]
    pub(super) fn in_use(&self) -> usize {
        self.taken.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_even_and_run_out() {
        let mut ports = Ports::new(PortRange { first: 20_001, last: 20_005 });
        assert_eq!(ports.take(LegId(1)), Some(20_002));
        assert_eq!(ports.take(LegId(2)), Some(20_004));
        assert_eq!(ports.take(LegId(3)), None);
        ports.give_back(LegId(1));
        assert_eq!(ports.take(LegId(3)), Some(20_002));
    }

    #[test]
    fn a_port_that_was_just_given_back_is_not_the_next_one() {
        let mut ports = Ports::new(PortRange { first: 20_000, last: 20_007 });
        assert_eq!(ports.take(LegId(1)), Some(20_000));
        ports.give_back(LegId(1));
        assert_eq!(ports.take(LegId(2)), Some(20_002));
    }
}
