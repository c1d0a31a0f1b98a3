//! Those who come without a token that opens, counted by where they come from.
//!
//! Whoever has a right token is never held up, even behind the same address: a monitoring tool behind the proxy of
//! an attacker still raises its incidents. Tokens cannot be guessed (256 bits); this keeps the noise down and makes
//! it seen.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use crate::base::{Time, network};

/// Refusals within the window before it becomes "too many".
const TRIES: u32 = 20;
const WINDOW: Duration = Duration::from_secs(60);
/// Addresses that are remembered; more than that at once are one crowd.
const KNOWN_MAX: usize = 4_096;

/// How often each address came in vain.
#[derive(Debug, Default)]
pub struct Strangers {
    known: BTreeMap<IpAddr, (Time, u32)>,
}

impl Strangers {
    /// Has this address come in vain too often? It is not counted. Loopback never has: behind a proxy that is everybody.
    pub fn crowded(&self, from: IpAddr, now: Time) -> bool {
        let (key, crowd) = (network(from), IpAddr::V6(Ipv6Addr::UNSPECIFIED));
        let entry = self.known.get(&key).or_else(|| self.known.get(&crowd).filter(|_| self.known.len() >= KNOWN_MAX));
        let too_many = entry.is_some_and(|(since, tries)| *tries > TRIES && now.since(*since) < WINDOW);
        too_many && !key.is_loopback()
    }

    /// Somebody came in vain; true when they come too often.
    pub fn came(&mut self, from: IpAddr, now: Time) -> bool {
        if self.known.len() >= KNOWN_MAX {
            self.known.retain(|_, (since, _)| now.since(*since) < WINDOW);
        }
        let key = if self.known.len() >= KNOWN_MAX { IpAddr::V6(Ipv6Addr::UNSPECIFIED) } else { network(from) };
        let (since, tries) = self.known.entry(key).or_insert((now, 0));
        if now.since(*since) >= WINDOW {
            (*since, *tries) = (now, 0);
        }
        *tries = tries.saturating_add(1);
        if *tries == TRIES + 1 {
            tracing::warn!(target: "hansho::http", %from, "comes too often without a token that opens: no more is logged of it for a while");
        }
        *tries > TRIES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stranger_is_too_many_after_twenty_tries_and_is_none_a_minute_later() {
        let mut strangers = Strangers::default();
        let from: IpAddr = "192.0.2.7".parse().unwrap();
        assert!((0..20).all(|_| !strangers.came(from, Time::ZERO)));
        assert!(strangers.came(from, Time::ZERO));
        assert!(!strangers.came("192.0.2.8".parse().unwrap(), Time::ZERO), "somebody else");
        assert!(strangers.crowded(from, Time::ZERO) && !strangers.crowded(from, Time::ZERO + WINDOW));
        assert!(!strangers.came(from, Time::ZERO + WINDOW));
    }

    #[test]
    fn whoever_is_behind_a_proxy_on_this_machine_is_read_whatever_others_behind_it_do() {
        let mut strangers = Strangers::default();
        let proxy: IpAddr = "127.0.0.1".parse().unwrap();
        assert!((0..=TRIES).any(|_| strangers.came(proxy, Time::ZERO)));
        assert!(!strangers.crowded(proxy, Time::ZERO));
    }

    #[test]
    fn a_network_full_of_addresses_is_one_stranger_and_memory_is_bounded() {
        let mut strangers = Strangers::default();
        let of = |n: u64| IpAddr::V6(Ipv6Addr::from_bits(u128::from(n)));
        assert!((0..=TRIES).any(|n| strangers.came(of(n.into()), Time::ZERO)));
        for n in 0..10_000u64 {
            strangers.came(IpAddr::V6(Ipv6Addr::from_bits(u128::from(n) << 64)), Time::ZERO);
        }
        assert!(strangers.known.len() <= KNOWN_MAX + 1);
    }
}
