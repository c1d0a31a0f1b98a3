//! Ports that two tests never share, even when they run in different processes.
//!
//! A test owns a block of a hundred. The lock on a block is a TCP listener on its last port: the kernel gives it to
//! one process only and takes it back when that process dies. The blocks lie below the range from which the
//! kernel hands out ports by itself. Each port is tried before it is given away.

use std::cell::Cell;
use std::net::{Ipv4Addr, TcpListener, UdpSocket};

const FIRST: u16 = 12_000;
const BLOCKS: u16 = 200;
const SIZE: u16 = 100;

pub struct Ports {
    first: u16,
    next: Cell<u16>,
    _lock: TcpListener,
}

impl Ports {
    /// The first block that nobody holds.
    pub fn reserve() -> Ports {
        let lock =
            |first: u16| TcpListener::bind((Ipv4Addr::LOCALHOST, first + SIZE - 1)).ok().map(|lock| (first, lock));
        let (first, lock) = (0..BLOCKS).find_map(|n| lock(FIRST + n * SIZE)).expect("a block of ports is free");
        Ports { first, next: Cell::new(first), _lock: lock }
    }

    pub fn first(&self) -> u16 {
        self.first
    }

    /// The first of `count` ports in a row, an even one, all free for UDP.
    pub fn take(&self, count: u16) -> u16 {
        loop {
            let from = self.next.get().next_multiple_of(2);
            assert!(from + count < self.first + SIZE, "a test takes at most {SIZE} ports");
            self.next.set(from + count);
            if (from..from + count).all(|port| UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).is_ok()) {
                return from;
            }
        }
    }
}
