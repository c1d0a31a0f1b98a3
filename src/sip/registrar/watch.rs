//! Who tries passwords, and how often: a source that was wrong too often hears nothing for a while, and nobody gets more
//! than so many questions a minute.
//!
//! Easy to get wrong: many phones may stand behind one address, so whoever is registered already is never shut out with
//! the others (the registrar sees to that); an IPv6 source has as many addresses as it likes, and counts as its /64; and
//! the memory of sources has an end.

use core::net::IpAddr;
use core::time::Duration;
use std::collections::BTreeMap;

use crate::base::{Time, network};

/// So many wrong passwords within [`SPAN`] are enough.
const WRONG_MAX: u32 = 10;
/// Over this wrong passwords are counted, and for so long a source is shut out.
pub const SPAN: Duration = Duration::from_secs(600);
/// So many questions a minute one source gets: more phones than stand behind one address after a power cut.
const ASKED_MAX: u32 = 3_000;
const MINUTE: Duration = Duration::from_secs(60);
/// So many sources are remembered.
const SOURCES: usize = 4_096;

/// What is known of sources.
#[derive(Debug, Default)]
pub struct Watch {
    sources: BTreeMap<IpAddr, Source>,
}

#[derive(Debug)]
struct Source {
    wrong: u32,
    wrong_since: Time,
    shut_until: Time,
    asked: u32,
    asked_since: Time,
}

impl Watch {
    /// May this source not even ask?
    pub fn is_shut(&self, now: Time, ip: IpAddr) -> bool {
        self.sources.get(&network(ip)).is_some_and(|source| source.shut_until > now)
    }

    /// It is to be asked for a password; false: it was asked too often of late.
    pub fn may_ask(&mut self, now: Time, ip: IpAddr) -> bool {
        let source = self.source(now, ip);
        if now.since(source.asked_since) >= MINUTE {
            (source.asked, source.asked_since) = (0, now);
        }
        source.asked = source.asked.saturating_add(1);
        source.asked <= ASKED_MAX
    }

    /// Its password was wrong; how many were, when it is shut out for that.
    pub fn wrong(&mut self, now: Time, ip: IpAddr) -> Option<u32> {
        let source = self.source(now, ip);
        if now.since(source.wrong_since) >= SPAN {
            (source.wrong, source.wrong_since) = (0, now);
        }
        source.wrong = source.wrong.saturating_add(1);
        let tries = source.wrong;
        if tries < WRONG_MAX {
            return None;
        }
        (source.shut_until, source.wrong) = (now + SPAN, 0);
        Some(tries)
    }

    fn source(&mut self, now: Time, ip: IpAddr) -> &mut Source {
        let key = network(ip);
        if self.sources.len() >= SOURCES && !self.sources.contains_key(&key) {
            self.make_room(now);
        }
        let new = || Source { wrong: 0, wrong_since: now, shut_until: Time::ZERO, asked: 0, asked_since: now };
        self.sources.entry(key).or_insert_with(new)
    }

    /// Forgets those of whom nothing matters any more; if there are none, whoever was seen least lately.
    fn make_room(&mut self, now: Time) {
        let matters = |source: &Source| {
            source.shut_until > now
                || now.since(source.wrong_since) < SPAN && source.wrong > 0
                || now.since(source.asked_since) < MINUTE
        };
        self.sources.retain(|_, source| matters(source));
        if self.sources.len() >= SOURCES {
            let oldest = self.sources.iter().min_by_key(|(_, source)| (source.shut_until, source.asked_since));
            if let Some(ip) = oldest.map(|(ip, _)| *ip) {
                self.sources.remove(&ip);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Time {
        Time::ZERO + Duration::from_secs(seconds)
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn ten_wrong_passwords_shut_a_source_out_for_ten_minutes() {
        let mut watch = Watch::default();
        for second in 1..10 {
            assert_eq!(watch.wrong(at(second), ip("192.0.2.1")), None);
        }
        assert!(!watch.is_shut(at(10), ip("192.0.2.1")));
        assert_eq!(watch.wrong(at(10), ip("::ffff:192.0.2.1")), Some(10));
        assert!(watch.is_shut(at(609), ip("192.0.2.1")) && !watch.is_shut(at(609), ip("192.0.2.2")));
        assert!(!watch.is_shut(at(610), ip("192.0.2.1")));
        assert_eq!(watch.wrong(at(611), ip("192.0.2.1")), None, "counted anew");
    }

    #[test]
    fn wrong_passwords_of_long_ago_do_not_count() {
        let mut watch = Watch::default();
        (0..9).for_each(|_| assert_eq!(watch.wrong(at(1), ip("192.0.2.1")), None));
        assert_eq!(watch.wrong(at(601), ip("192.0.2.1")), None);
    }

    #[test]
    fn a_source_of_ipv6_is_its_whole_net() {
        let mut watch = Watch::default();
        for n in 0..10 {
            watch.wrong(at(1), ip(&format!("2001:db8::{n}")));
        }
        assert!(watch.is_shut(at(2), ip("2001:db8::ffff")) && !watch.is_shut(at(2), ip("2001:db8:0:1::1")));
    }

    #[test]
    fn questions_have_an_end_within_a_minute() {
        let mut watch = Watch::default();
        assert!((0..ASKED_MAX).all(|_| watch.may_ask(at(1), ip("192.0.2.1"))));
        assert!(!watch.may_ask(at(60), ip("192.0.2.1")));
        assert!(watch.may_ask(at(61), ip("192.0.2.1")));
    }

    #[test]
    fn the_memory_of_sources_has_an_end_and_keeps_those_shut_out() {
        let mut watch = Watch::default();
        for _ in 0..WRONG_MAX {
            watch.wrong(at(1), ip("192.0.2.1"));
        }
        for n in 0..SOURCES as u32 + 50 {
            watch.may_ask(at(2), IpAddr::V4(core::net::Ipv4Addr::from_bits(0x0a00_0000 + n)));
        }
        assert!(watch.sources.len() <= SOURCES && watch.is_shut(at(3), ip("192.0.2.1")));
    }
}
