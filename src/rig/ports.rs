//! Ports for programs that are told where to listen, and find nobody there.
//!
//! A program that is started with a port in its configuration, and started again on it later, needs one that nobody
//! takes meanwhile: no other test, no other process that asked here, and not the kernel, which hands out ports by
//! itself from a range of its own. Easy to get wrong: a port that was tried and let go is anybody's again, above all
//! within the kernel's range.
//!
//! So ports come from blocks of a hundred outside that range. The lock on a block is a TCP listener on a port of its
//! own: the kernel gives it to one process and takes it back when that process ends. A port is never given twice by
//! one process. Each is tried before it is given, since a program that knows nothing of this may sit there.

#![allow(clippy::disallowed_types, reason = "one list a process, of the ports that were given")]

use core::net::Ipv4Addr;
use std::fs;
use std::net::{TcpListener, UdpSocket};
use std::sync::{Mutex, PoisonError};

/// Ports in a block.
const SIZE: u16 = 100;
/// Below are the well-known ones, and many that people have chosen.
const LOWEST: u16 = 13_000;
/// From where on the kernel gives ports where it does not say so.
const KERNEL: (u16, u16) = (32_768, 60_999);
/// With fewer ports than this on one side of the kernel's range, there is no staying out of it.
const ENOUGH: u16 = 1_000;

/// Blocks that this process holds until it ends.
static HELD: Mutex<Vec<Row>> = Mutex::new(Vec::new());

/// Neighbouring blocks with their locks, and how far they are given away.
struct Row {
    next: u16,
    end: u16,
    _locks: Vec<TcpListener>,
}

/// `count` neighbouring ports on loopback, free for UDP and TCP, which are this process's until it ends: the first of
/// them, an even one where they are several. `None` when no room is left for them.
pub fn free_ports(count: u16) -> Option<u16> {
    let mut held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(first) = held.iter_mut().find_map(|row| row.take(count)) {
        return Some(first);
    }
    let (row, first) = reserve(count)?;
    held.push(row);
    Some(first)
}

/// The first row of blocks that nobody holds and that has so many ports in it. Where the search begins differs from
/// process to process, so that a late datagram of an earlier one meets nobody.
fn reserve(count: u16) -> Option<(Row, u16)> {
    let kernel = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range");
    let blocks = Blocks::outside(kernel.ok().and_then(|text| range(&text)).unwrap_or(KERNEL));
    let wanted = count.div_ceil(SIZE).max(1);
    let starts = blocks.count.checked_sub(wanted)? + 1;
    let begin = u16::try_from(std::process::id().wrapping_mul(7_919) % u32::from(starts)).unwrap_or(0);
    (begin..starts).chain(0..begin).find_map(|block| {
        let lock = |block| TcpListener::bind((Ipv4Addr::LOCALHOST, blocks.lock(block))).ok();
        let locks = (block..block + wanted).map(lock).collect::<Option<_>>()?;
        let mut row = Row { next: blocks.first(block), end: blocks.first(block + wanted), _locks: locks };
        row.take(count).map(|first| (row, first))
    })
}

impl Row {
    fn take(&mut self, count: u16) -> Option<u16> {
        loop {
            let first = if count > 1 { self.next.checked_next_multiple_of(2)? } else { self.next };
            let last = first.checked_add(count.saturating_sub(1)).filter(|last| *last < self.end)?;
            match (first..=last).rev().find(|port| !is_free(*port)) {
                None => {
                    self.next = last + 1;
                    return Some(first);
                }
                Some(taken) => self.next = taken + 1,
            }
        }
    }
}

fn is_free(port: u16) -> bool {
    let at = (Ipv4Addr::LOCALHOST, port);
    UdpSocket::bind(at).is_ok() && TcpListener::bind(at).is_ok()
}

/// Where the blocks lie: first the locks of all of them, then one block after the other.
#[derive(PartialEq, Eq, Debug)]
struct Blocks {
    from: u16,
    count: u16,
}

impl Blocks {
    /// Below the kernel's range or above it, where more room is; in the usual place when it leaves no room at all.
    fn outside((low, high): (u16, u16)) -> Blocks {
        let (below, above) = (low.saturating_sub(LOWEST), (u16::MAX - high).saturating_sub(1));
        let (from, room) = match (below, above) {
            _ if below.max(above) < ENOUGH => (LOWEST, KERNEL.0 - LOWEST),
            _ if below >= above => (LOWEST, below),
            _ => (high + 1, above),
        };
        // One is left over, for the first block to begin at an even port.
        Blocks { from, count: (room - 1) / (SIZE + 1) }
    }

    fn lock(&self, block: u16) -> u16 {
        self.from + block
    }

    /// An even port: a whole block would have no room for as many ports from an odd one.
    fn first(&self, block: u16) -> u16 {
        (self.from + self.count).next_multiple_of(2) + block * SIZE
    }
}

/// Two numbers, as the kernel writes them.
fn range(text: &str) -> Option<(u16, u16)> {
    let (low, high) = text.trim().split_once(char::is_whitespace)?;
    Some((low.parse().ok()?, high.trim().parse().ok()?)).filter(|(low, high)| low <= high)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_port_is_given_twice_and_none_is_one_of_the_kernels() {
        let kernel = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").ok();
        let (low, high) = kernel.and_then(|text| range(&text)).unwrap_or(KERNEL);
        let mut seen = BTreeSet::new();
        for count in [1, 16, 1, 16, 90, 1, 250, 2, SIZE, 3 * SIZE] {
            let first = free_ports(count).expect("there is room");
            assert!(count == 1 || first.is_multiple_of(2), "{first}");
            for port in first..first + count {
                assert!(seen.insert(port), "{port} is given twice");
                assert!(port < low || port > high || low <= LOWEST, "the kernel may give {port} to anybody");
            }
        }
    }

    #[test]
    fn a_port_somebody_sits_on_is_passed_over() {
        let mut row = reserve(8).expect("there is room").0;
        let (udp, tcp) = (row.next + 2, row.next + 5);
        let _udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, udp)).expect("a free port");
        let _tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, tcp)).expect("a free port");
        let first = row.take(4).expect("there is room");
        assert!(first > tcp && first.is_multiple_of(2), "{first} to {} holds {udp} or {tcp}", first + 3);
        assert_eq!(row.take(SIZE), None, "a row has its end");
    }

    #[test]
    fn a_block_is_one_holders_until_it_lets_go() {
        let (row, first) = reserve(1).expect("there is room");
        let (other, second) = reserve(1).expect("there is room");
        assert!(row.end <= second || other.end <= first, "two holders share a block: {first} and {second}");
    }

    #[test]
    fn blocks_keep_out_of_the_kernels_range_on_the_side_with_more_room() {
        for (kernel, from) in [((32_768, 60_999), LOWEST), ((15_000, 40_000), 40_001), ((1_024, 65_535), LOWEST)] {
            let blocks = Blocks::outside(kernel);
            assert_eq!(blocks.from, from, "{kernel:?}");
            assert!(blocks.lock(blocks.count - 1) < blocks.first(0));
            let end = u32::from(blocks.first(blocks.count - 1)) + u32::from(SIZE);
            assert!(from > kernel.1 || kernel.0 < LOWEST || end <= u32::from(kernel.0), "{kernel:?}: {blocks:?}");
            assert!(end <= 65_536, "{kernel:?}: {blocks:?}");
        }
        assert_eq!(range("32768\t60999\n"), Some((32_768, 60_999)));
        assert_eq!((range("9 8"), range("x 1"), range("1")), (None, None, None));
    }
}
