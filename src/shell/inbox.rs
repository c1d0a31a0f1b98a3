//! The SIP port: datagrams in, datagrams out.
//!
//! Everything that came is taken from the kernel before any of it is dealt with: when a hundred phones answer at
//! once, the kernel's buffer would be full long before the first calls are dealt with.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;

use nix::sys::socket::{setsockopt, sockopt};
use tokio::net::UdpSocket;

/// Bytes that may wait in the kernel.
const KERNEL_BYTES: usize = 4 << 20;
/// Datagrams that may wait here; what comes on top is lost, as on any network.
const WAITING: usize = 8_192;
/// Their bytes together: eight thousand of the longest would be half a gigabyte.
const WAITING_BYTES: usize = 16 << 20;
/// The longest datagram (RFC 768).
const DATAGRAM_MAX: usize = 65_535;

/// A bound SIP port.
#[derive(Debug)]
pub struct Inbox {
    socket: UdpSocket,
    /// The same socket for sending: the runtime's would not send before it has seen that it may.
    out: std::net::UdpSocket,
    buffer: Vec<u8>,
    waiting: VecDeque<(SocketAddr, Vec<u8>)>,
    waiting_bytes: usize,
}

impl Inbox {
    /// Binds `listen`.
    pub fn bind(listen: SocketAddr) -> io::Result<Inbox> {
        let socket = std::net::UdpSocket::bind(listen)?;
        socket.set_nonblocking(true)?;
        // Without the right to more than the system's limit, the limit it is.
        if setsockopt(&socket, sockopt::RcvBufForce, &KERNEL_BYTES).is_err() {
            let _ = setsockopt(&socket, sockopt::RcvBuf, &KERNEL_BYTES);
        }
        let out = socket.try_clone()?;
        let socket = UdpSocket::from_std(socket)?;
        Ok(Inbox { socket, out, buffer: vec![0; DATAGRAM_MAX], waiting: VecDeque::new(), waiting_bytes: 0 })
    }

    /// Where it listens.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Waits until there is something to take. Nothing is lost when the waiting is given up.
    pub async fn arrived(&mut self) {
        while self.waiting.is_empty() {
            if self.socket.readable().await.is_err() {
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

    /// Sends a datagram. One that the kernel does not take is a lost one: retransmission is for that (RFC 3261
    /// §17).
    pub fn send(&self, to: SocketAddr, bytes: &[u8]) {
        if let Err(error) = self.out.send_to(bytes, to) {
            tracing::debug!(%to, %error, "datagram not sent");
        }
    }

    fn drain(&mut self) {
        // Also what never becomes a datagram ends: nothing else has its turn meanwhile.
        for _ in 0..WAITING {
            if self.waiting.len() >= WAITING || self.waiting_bytes >= WAITING_BYTES {
                return;
            }
            match self.socket.try_recv_from(&mut self.buffer) {
                Ok((length, from)) => {
                    let bytes = self.buffer.get(..length).unwrap_or_default().to_vec();
                    self.waiting_bytes += bytes.len();
                    self.waiting.push_back((from, bytes));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                // An ICMP error of an earlier datagram shows up here (RFC 3261 §18.4); what came may lie behind
                // it, and the timers deal with what did not arrive.
                Err(_) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn pair() -> (Inbox, std::net::UdpSocket, SocketAddr) {
        let inbox = Inbox::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let to = inbox.local_addr().unwrap();
        (inbox, std::net::UdpSocket::bind("127.0.0.1:0").unwrap(), to)
    }

    /// Takes what came out of the kernel until so many datagrams wait: a busy kernel brings them later.
    async fn until(inbox: &mut Inbox, count: usize) {
        while inbox.waiting.len() < count {
            inbox.socket.readable().await.unwrap();
            inbox.drain();
        }
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
            inbox.socket.readable().await.unwrap();
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
}
