//! Which way a name leads: what DNS says, put in the order in which it is to be tried (RFC 3263 §4, RFC 2782).
//!
//! It never asks DNS anything; whoever has a network does, and hands the answers in.
//!
//! Easy to get wrong: a port that somebody wrote down means that nothing but the address is asked for; NAPTR is sorted by
//! order and then by preference, and what we do not speak is passed over; SRV is sorted by priority, and within one
//! priority drawn by weight without putting back, the weightless standing first in each draw so that they are drawn
//! seldom and not never; a single SRV for `.` says that there is no such service, which is an answer and not the lack of
//! one.

use rand::RngExt;

use crate::base::Rng;
use crate::sip::Transport;

/// A name with more services or hosts than this is not followed further.
pub const MOST: usize = 16;

/// A NAPTR record.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Naptr {
    /// The lowest comes first.
    pub order: u16,
    /// Among the same order, the lowest comes first.
    pub preference: u16,
    /// `s`: the replacement is the name of SRV records.
    pub flags: String,
    /// `SIP+D2U` and its kind.
    pub services: String,
    /// Where it leads.
    pub replacement: String,
}

/// An SRV record.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Srv {
    /// The lowest comes first.
    pub priority: u16,
    /// How often it is drawn among its like.
    pub weight: u16,
    /// The port.
    pub port: u16,
    /// The host.
    pub target: String,
}

/// What is asked first (RFC 3263 §4.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum First {
    /// NAPTR: neither port nor transport are known. Without an answer, the services of [`services`].
    Naptr,
    /// The services of [`services`]: the transport is known.
    Services,
    /// Nothing but addresses: the port is known.
    Address,
}

/// What is asked first for a name whose port was written down or not, over a transport that was named or not.
pub fn first(port_written: bool, transport: Option<Transport>) -> First {
    match (port_written, transport) {
        (true, _) => First::Address,
        (false, Some(_)) => First::Services,
        (false, None) => First::Naptr,
    }
}

/// The names of the SRV records of `domain`, each with its transport, the preferred one first: of this transport, or of
/// all that we speak.
pub fn services(domain: &str, transport: Option<Transport>) -> Vec<(Transport, String)> {
    let wanted = Transport::ALL.into_iter().filter(|known| transport.is_none_or(|transport| transport == *known));
    wanted.map(|transport| (transport, srv_name(transport, domain))).collect()
}

fn srv_name(transport: Transport, domain: &str) -> String {
    let service = match transport {
        Transport::Udp => "_sip._udp",
        Transport::Tcp => "_sip._tcp",
        Transport::Tls => "_sips._tcp",
    };
    format!("{service}.{domain}")
}

/// What NAPTR records offer, the first to be tried first: over what, and the name of its SRV records.
pub fn offered(mut records: Vec<Naptr>) -> Vec<(Transport, String)> {
    records.sort_by_key(|record| (record.order, record.preference));
    let way = |record: Naptr| {
        let transport = match record.services.to_ascii_uppercase().as_str() {
            "SIP+D2U" => Transport::Udp,
            "SIP+D2T" => Transport::Tcp,
            "SIPS+D2T" => Transport::Tls,
            _ => return None,
        };
        let leads = record.flags.eq_ignore_ascii_case("s") && !matches!(record.replacement.as_str(), "" | ".");
        leads.then_some((transport, record.replacement))
    };
    records.into_iter().filter_map(way).take(MOST).collect()
}

/// Hosts and ports of SRV records, the first to be tried first.
pub fn drawn(mut records: Vec<Srv>, rng: &mut Rng) -> Vec<(String, u16)> {
    records.retain(|record| !matches!(record.target.as_str(), "" | ".") && record.port != 0);
    records.sort_by_key(|record| (record.priority, record.weight));
    records.truncate(MOST);
    let mut order = Vec::with_capacity(records.len());
    while let Some(priority) = records.first().map(|record| record.priority) {
        let same = records.iter().take_while(|record| record.priority == priority);
        let sums = same.scan(0u32, |sum, record| {
            *sum += u32::from(record.weight);
            Some(*sum)
        });
        let sums: Vec<u32> = sums.collect();
        let lot = rng.random_range(0..=sums.last().copied().unwrap_or(0));
        let place = sums.iter().position(|sum| *sum >= lot).unwrap_or(0);
        let record = records.remove(place);
        order.push((record.target, record.port));
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::seeded;

    fn naptr(order: u16, preference: u16, flags: &str, services: &str, replacement: &str) -> Naptr {
        let (flags, services, replacement) = (flags.into(), services.into(), replacement.into());
        Naptr { order, preference, flags, services, replacement }
    }

    fn srv(priority: u16, weight: u16, target: &str) -> Srv {
        Srv { priority, weight, port: 5060, target: target.into() }
    }

    #[test]
    fn the_example_of_the_standard_leads_to_tls_then_tcp_then_udp() {
        let records = vec![
            naptr(100, 50, "s", "SIP+D2U", "_sip._udp.example.com"),
            naptr(50, 50, "S", "sips+d2t", "_sips._tcp.example.com"),
            naptr(90, 50, "s", "SIP+D2T", "_sip._tcp.example.com"),
            naptr(10, 1, "s", "SIP+D2S", "_sip._sctp.example.com"),
            naptr(10, 1, "u", "E2U+sip", "."),
        ];
        let transports: Vec<_> = offered(records).into_iter().map(|(transport, _)| transport).collect();
        assert_eq!(transports, [Transport::Tls, Transport::Tcp, Transport::Udp]);
    }

    #[test]
    fn weights_say_how_often_a_host_is_drawn_first_and_priorities_are_never_mixed() {
        let mut rng = seeded(1);
        let mut firsts = [0; 3];
        for _ in 0..10_000 {
            let order = drawn(vec![srv(2, 100, "last"), srv(1, 0, "c"), srv(1, 30, "b"), srv(1, 90, "a")], &mut rng);
            assert_eq!((order.len(), order[3].0.as_str()), (4, "last"));
            firsts[["a", "b", "c"].iter().position(|name| order[0].0 == *name).unwrap()] += 1;
        }
        let [a, b, c] = firsts;
        assert!((7_100..7_800).contains(&a) && (2_200..2_800).contains(&b) && (1..300).contains(&c), "{firsts:?}");
    }

    #[test]
    fn a_written_port_leaves_nothing_to_ask_but_the_address_and_a_known_transport_no_naptr() {
        assert_eq!(first(true, None), First::Address);
        assert_eq!(first(true, Some(Transport::Tls)), First::Address);
        assert_eq!(first(false, Some(Transport::Tcp)), First::Services);
        assert_eq!(first(false, None), First::Naptr);
        let names =
            |transport| services("example.com", transport).into_iter().map(|(_, name)| name).collect::<Vec<_>>();
        assert_eq!(names(Some(Transport::Tls)), ["_sips._tcp.example.com"]);
        assert_eq!(names(None), ["_sip._udp.example.com", "_sip._tcp.example.com", "_sips._tcp.example.com"]);
    }

    #[test]
    fn the_same_seed_draws_the_same_order_and_another_one_another() {
        let records = || (0..8).map(|host| srv(1, 1, &host.to_string())).collect::<Vec<_>>();
        let order = |seed| drawn(records(), &mut seeded(seed));
        assert_eq!(order(1), order(1));
        assert!((2..20).any(|seed| order(seed) != order(1)));
    }

    #[test]
    fn a_flood_of_records_is_cut_off() {
        let records = (0..1_000).map(|host| srv(0, 0, &host.to_string())).collect();
        assert_eq!(drawn(records, &mut seeded(1)).len(), MOST);
    }

    #[test]
    fn a_dot_is_no_host() {
        assert!(drawn(vec![srv(0, 0, ".")], &mut seeded(1)).is_empty());
    }
}
