//! UDP sockets that know when the kernel received a datagram.

use std::io::IoSliceMut;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};
use std::os::fd::{AsFd, AsRawFd};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::socket::{ControlMessageOwned, MsgFlags, SockaddrIn, recvmsg, setsockopt, sockopt};
use nix::sys::time::{TimeSpec, TimeValLike};

use crate::Result;
use crate::clock::{Nanos, SECOND, now};

/// What the kernel may hold for us while we do something else: a second of 100 legs.
const BUFFER: usize = 8 << 20;

/// A socket on loopback.
pub struct Port {
    socket: UdpSocket,
    pub at: SocketAddrV4,
}

/// A datagram's length, sender, and the moment the kernel took it.
pub struct Arrival {
    pub length: usize,
    pub from: SocketAddr,
    pub at: Nanos,
}

impl Port {
    pub fn open() -> Result<Port> {
        let text = |error: &dyn std::fmt::Display| format!("a socket of the bench: {error}");
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).map_err(|error| text(&error))?;
        setsockopt(&socket, sockopt::ReceiveTimestampns, &true).map_err(|error| text(&error))?;
        // Beyond the system's limit only with the right to it; within it otherwise.
        if setsockopt(&socket, sockopt::RcvBufForce, &BUFFER).is_err() {
            setsockopt(&socket, sockopt::RcvBuf, &BUFFER).map_err(|error| text(&error))?;
        }
        match socket.local_addr() {
            Ok(SocketAddr::V4(at)) => Ok(Port { socket, at }),
            other => Err(format!("a socket of the bench: {other:?}")),
        }
    }

    /// The same socket for a thread that sends.
    pub fn sender(&self) -> Result<UdpSocket> {
        self.socket.try_clone().map_err(|error| format!("a socket of the bench: {error}"))
    }

    pub fn send(&self, bytes: &[u8], to: SocketAddr) -> Result<()> {
        self.socket.send_to(bytes, to).map(|_| ()).map_err(|error| format!("send to {to}: {error}"))
    }

    /// The next datagram that is there already.
    pub fn receive(&self, buffer: &mut [u8]) -> Result<Option<Arrival>> {
        let mut space = nix::cmsg_space!(TimeSpec);
        let mut parts = [IoSliceMut::new(buffer)];
        let flags = MsgFlags::MSG_DONTWAIT;
        let message = match recvmsg::<SockaddrIn>(self.socket.as_raw_fd(), &mut parts, Some(&mut space), flags) {
            Ok(message) => message,
            // A port that was closed meanwhile says so on loopback; that is no datagram.
            Err(Errno::EAGAIN | Errno::EINTR | Errno::ECONNREFUSED) => return Ok(None),
            Err(error) => return Err(format!("receive: {error}")),
        };
        let stamp = message.cmsgs().ok().and_then(|mut all| {
            all.find_map(|control| match control {
                ControlMessageOwned::ScmTimestampns(stamp) => Some(stamp.num_nanoseconds()),
                _ => None,
            })
        });
        let at = stamp.ok_or("the kernel stamps no datagrams (SO_TIMESTAMPNS)")?;
        let from = message.address.ok_or("a datagram without a sender")?;
        Ok(Some(Arrival { length: message.bytes, from: SocketAddrV4::from(from).into(), at }))
    }
}

/// Waits until one of the two has something, at most until then.
pub fn wait(ports: [&Port; 2], until: Nanos) {
    let left = (until - now()).clamp(0, SECOND);
    let mut fds = ports.map(|port| PollFd::new(port.socket.as_fd(), PollFlags::POLLIN));
    // Interrupted or timed out: whoever calls looks again and minds the time.
    let _ = ppoll(&mut fds, Some(TimeSpec::nanoseconds(left)), None);
}
