//! The SIP ports: datagrams in, datagrams out; one port for IPv4, one for IPv6, or both.
//!
//! Everything that came is taken from the kernel before any of it is dealt with: when a hundred phones answer at
//! once, the kernel's buffer would be full long before the first calls are dealt with.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;

use nix::sys::socket::{setsockopt, sockopt};
use tokio::net::UdpSocket;

use super::sockets;
use crate::base::{Family, PerFamily};

/// Bytes that may wait in the kernel.
const KERNEL_BYTES: usize = 4 << 20;
/// Datagrams that may wait here; what comes on top is lost, as on any network.
const WAITING: usize = 8_192;
/// Their bytes together: eight thousand of the longest would be half a gigabyte.
const WAITING_BYTES: usize = 16 << 20;
/// The longest datagram (RFC 768).
const DATAGRAM_MAX: usize = 65_535;

/// The bound SIP ports.
#[derive(Debug)]
pub struct Inbox {
    ports: PerFamily<Port>,
    buffer: Vec<u8>,
    waiting: VecDeque<(SocketAddr, Vec<u8>)>,
    waiting_bytes: usize,
}

/// One of them.
#[derive(Debug)]
struct Port {
    socket: UdpSocket,
    /// The same socket for sending: the runtime's would not send before it has seen that it may.
    out: std::net::UdpSocket,
}

impl Port {
    fn bind(listen: SocketAddr) -> io::Result<Port> {
        let socket = sockets::udp(listen)?;
        // Without the right to more than the system's limit, the limit it is.
        if setsockopt(&socket, sockopt::RcvBufForce, &KERNEL_BYTES).is_err() {
            let _ = setsockopt(&socket, sockopt::RcvBuf, &KERNEL_BYTES);
        }
        let out = socket.try_clone()?;
        Ok(Port { socket: UdpSocket::from_std(socket)?, out })
    }
}

impl Inbox {
    /// Binds all of these; what cannot be bound, and why.
    pub fn bind(listen: PerFamily<SocketAddr>) -> Result<Inbox, (SocketAddr, io::Error)> {
        let of = |at: Option<SocketAddr>| at.map(|at| Port::bind(at).map_err(|why| (at, why))).transpose();
        let ports = PerFamily { v4: of(listen.v4)?, v6: of(listen.v6)? };
        Ok(Inbox { ports, buffer: vec![0; DATAGRAM_MAX], waiting: VecDeque::new(), waiting_bytes: 0 })
    }

    /// Where it listens.
    pub fn local_addr(&self) -> io::Result<PerFamily<SocketAddr>> {
        let of = |port: &Option<Port>| port.as_ref().map(|port| port.socket.local_addr()).transpose();
        Ok(PerFamily { v4: of(&self.ports.v4)?, v6: of(&self.ports.v6)? })
    }

    /// Waits until there is something to take. Nothing is lost when the waiting is given up.
    pub async fn arrived(&mut self) {
        while self.waiting.is_empty() {
            let readable = match (&self.ports.v4, &self.ports.v6) {
                (Some(four), Some(six)) => tokio::select! {
                    readable = four.socket.readable() => readable,
                    readable = six.socket.readable() => readable,
                },
                (Some(port), None) | (None, Some(port)) => port.socket.readable().await,
                (None, None) => std::future::pending().await,
            };
            if readable.is_err() {
                return;
            }
            self.drain();
        }
    }

    /// The oldest datagram, after everything that came meanwhile was taken in behind it.
    pub fn pop(&mut self) -> Option<(SocketAddr, Vec<u8>)> {
        self.drain();
        let (from, bytes) = self.waiting.pop_front()?;
        self.waiting_bytes = self.waiting_bytes.saturating_sub(bytes.len());
        Some((from, bytes))
    }

    /// Sends a datagram, from the port of its family. One that the kernel does not take is a lost one: retransmission is
    /// for that (RFC 3261 §17).
    pub fn send(&self, to: SocketAddr, bytes: &[u8]) {
        let Some(port) = self.ports.like(to.ip()) else {
            tracing::debug!(%to, "nothing listens in this family of addresses: datagram not sent");
            return;
        };
        if let Err(error) = port.out.send_to(bytes, to) {
            tracing::debug!(%to, %error, "datagram not sent");
        }
    }

    fn drain(&mut self) {
        let mut open = Family::ALL.map(|family| self.ports.get(family).is_some());
        // Also what never becomes a datagram ends: nothing else has its turn meanwhile. One from each port in turn, so
        // that a flood on the one leaves room for the other.
        for _ in 0..WAITING {
            for (family, open) in Family::ALL.into_iter().zip(&mut open).filter(|(_, open)| **open) {
                *open = self.take_one(family);
            }
            if open == [false; 2] {
                return;
            }
        }
    }

    /// Takes a datagram out of the kernel; false when there is none, or no room.
    fn take_one(&mut self, family: Family) -> bool {
        let Some(port) = self.ports.get(family) else { return false };
        if self.waiting.len() >= WAITING || self.waiting_bytes >= WAITING_BYTES {
            return false;
        }
        match port.socket.try_recv_from(&mut self.buffer) {
            Ok((length, from)) => {
                let bytes = self.buffer.get(..length).unwrap_or_default().to_vec();
                self.waiting_bytes += bytes.len();
                self.waiting.push_back((from, bytes));
                true
            }
            // An ICMP error of an earlier datagram shows up here (RFC 3261 §18.4); what came may lie behind it, and the
            // timers deal with what did not arrive.
            Err(error) => error.kind() != io::ErrorKind::WouldBlock,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn pair() -> (Inbox, std::net::UdpSocket, SocketAddr) {
        let inbox = Inbox::bind(PerFamily::from(SocketAddr::from(([127, 0, 0, 1], 0)))).unwrap();
        let to = inbox.local_addr().unwrap().v4.unwrap();
        (inbox, std::net::UdpSocket::bind("127.0.0.1:0").unwrap(), to)
    }

    /// Takes what came out of the kernel until so many datagrams wait: a busy kernel brings them later.
    async fn until(inbox: &mut Inbox, count: usize) {
        while inbox.waiting.len() < count {
            readable(inbox).await.unwrap();
            inbox.drain();
        }
    }

    async fn readable(inbox: &Inbox) -> io::Result<()> {
        inbox.ports.v4.as_ref().unwrap().socket.readable().await
    }

    #[tokio::test]
    async fn what_came_is_given_in_its_order() {
        let (mut inbox, phone, to) = pair().await;
        for number in 0..300u16 {
            phone.send_to(&[&number.to_be_bytes()[..], &[0; 800]].concat(), to).unwrap();
            // Two that are under way at once may come in another order.
            until(&mut inbox, usize::from(number) + 1).await;
        }
        inbox.arrived().await;
        let taken: Vec<u16> =
            std::iter::from_fn(|| inbox.pop()).map(|(_, bytes)| u16::from_be_bytes([bytes[0], bytes[1]])).collect();
        assert_eq!(taken, (0..300).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn what_came_at_once_is_taken_whole() {
        let (mut inbox, phone, to) = pair().await;
        // So many as the kernel holds for everybody, also for who may not ask for more.
        (0..64).for_each(|_| assert!(phone.send_to(&[0; 800], to).is_ok()));
        until(&mut inbox, 64).await;
        assert_eq!((inbox.waiting.len(), inbox.waiting_bytes), (64, 64 * 800));
    }

    #[tokio::test]
    async fn the_longest_datagrams_of_a_flood_fill_no_memory() {
        let (mut inbox, stranger, to) = pair().await;
        let datagram = vec![b'x'; 60_000];
        while inbox.waiting_bytes < WAITING_BYTES {
            stranger.send_to(&datagram, to).unwrap();
            readable(&inbox).await.unwrap();
            inbox.drain();
        }
        for _ in 0..30 {
            stranger.send_to(&datagram, to).unwrap();
            inbox.drain();
        }
        assert!((WAITING_BYTES..=WAITING_BYTES + DATAGRAM_MAX).contains(&inbox.waiting_bytes));
        while inbox.pop().is_some() {}
        assert_eq!(inbox.waiting_bytes, 0);
    }

    #[tokio::test]
    async fn each_family_is_heard_and_answered_at_its_own_port() {
        let listen = PerFamily { v4: "127.0.0.1:0".parse().ok(), v6: "[::1]:0".parse().ok() };
        // A machine without IPv6 has nothing to show here.
        let Ok(mut inbox) = Inbox::bind(listen) else { return };
        let at = inbox.local_addr().unwrap();
        for (own, to) in [("127.0.0.1:0", at.v4.unwrap()), ("[::1]:0", at.v6.unwrap())] {
            let phone = std::net::UdpSocket::bind(own).unwrap();
            phone.send_to(b"OPTIONS", to).unwrap();
            inbox.arrived().await;
            let (from, bytes) = inbox.pop().unwrap();
            assert_eq!((from, &bytes[..]), (phone.local_addr().unwrap(), &b"OPTIONS"[..]));
            inbox.send(from, b"SIP/2.0 200 OK");
            let (length, source) = phone.recv_from(&mut [0; 100]).unwrap();
            assert_eq!((length, source), (14, to));
        }
    }
}
