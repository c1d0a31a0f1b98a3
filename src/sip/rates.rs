//! How often one source may begin something new: a call, a short message, a question outside any call.
//!
//! Strangers are not counted here, because they get no answer at all; what is held to a rate is who may ask: a trunk whose
//! dialler runs wild, a user's phone that somebody else has. What is within a call, and registrations (which have rules of
//! their own), are not held up.
//!
//! Easy to get wrong: a trunk is one address for a whole town that calls in at once, a phone is not; an IPv6 source has as
//! many addresses as it likes, and counts as its /64; and the memory of sources has an end.

use core::net::IpAddr;
use core::time::Duration;
use std::collections::BTreeMap;

use crate::base::{Time, network};

/// So many sources are remembered.
const SOURCES: usize = 1_024;

/// What somebody may do: so much at once, and again one after each such time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Rate {
    most: u32,
    each: Duration,
}

/// Of a trunk: as many as there may be calls, and two hundred a second.
pub const TRUNKS: Rate = Rate { most: 4_096, each: Duration::from_millis(5) };
/// Of the phones of users behind one address: sixty, and two a second.
pub const PHONES: Rate = Rate { most: 60, each: Duration::from_millis(500) };

/// What sources did of late, each under its rate: when it will have used up nothing any more.
#[derive(Debug, Default)]
pub struct Rates {
    free_at: BTreeMap<(IpAddr, Rate), Time>,
}

impl Rates {
    /// May this source begin nothing more at the moment?
    pub fn is_spent(&self, now: Time, ip: IpAddr, rate: Rate) -> bool {
        let free_at = self.free_at.get(&(network(ip), rate)).copied().unwrap_or(now);
        free_at.since(now) > rate.each * (rate.most - 1)
    }

    /// It began something.
    pub fn count(&mut self, now: Time, ip: IpAddr, rate: Rate) {
        let key = (network(ip), rate);
        if self.free_at.len() >= SOURCES && !self.free_at.contains_key(&key) {
            self.free_at.retain(|_, free_at| *free_at > now);
            if self.free_at.len() >= SOURCES {
                let least = self.free_at.iter().min_by_key(|(_, free_at)| **free_at).map(|(key, _)| *key);
                least.map(|key| self.free_at.remove(&key));
            }
        }
        let free_at = self.free_at.entry(key).or_insert(now);
        *free_at = (*free_at).max(now) + rate.each;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_source_that_used_up_its_share_gets_it_back_bit_by_bit_and_no_other_source_suffers() {
        let (mut rates, mut now) = (Rates::default(), Time::ZERO);
        for _ in 0..60 {
            assert!(!rates.is_spent(now, ip("2001:db8::1"), PHONES));
            rates.count(now, ip("2001:db8::1"), PHONES);
        }
        assert!(rates.is_spent(now, ip("2001:db8::2"), PHONES), "it is the same network");
        assert!(!rates.is_spent(now, ip("192.0.2.1"), PHONES) && !rates.is_spent(now, ip("2001:db8::1"), TRUNKS));
        now = now + PHONES.each;
        assert!(!rates.is_spent(now, ip("2001:db8::1"), PHONES));
        rates.count(now, ip("2001:db8::1"), PHONES);
        assert!(rates.is_spent(now, ip("2001:db8::1"), PHONES));
        now = now + PHONES.each * 60;
        (0..60).for_each(|_| rates.count(now, ip("2001:db8::1"), PHONES));
        assert!(rates.is_spent(now, ip("2001:db8::1"), PHONES), "nobody saves up more than that");
    }

    #[test]
    fn the_memory_of_sources_has_an_end() {
        let mut rates = Rates::default();
        (0..60).for_each(|_| rates.count(Time::ZERO, ip("192.0.2.1"), PHONES));
        for n in 0..3_000u32 {
            rates.count(Time::ZERO, IpAddr::V4(core::net::Ipv4Addr::from_bits(0x0a00_0000 + n)), PHONES);
        }
        assert!(rates.free_at.len() <= SOURCES && rates.is_spent(Time::ZERO, ip("192.0.2.1"), PHONES));
    }
}
