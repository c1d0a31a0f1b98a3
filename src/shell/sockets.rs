//! How sockets for voice and SIP are opened.
//!
//! Easy to get wrong: Linux gives a socket of IPv6 the IPv4 of the same port as well, unless it is told not to; then
//! `[::]` and `0.0.0.0` could not be listened at side by side, and IPv4 would come in the clothes of IPv6.

use std::io;
use std::net::{SocketAddr, UdpSocket};

use socket2::{Domain, Protocol, Socket, Type};

/// A UDP socket that never blocks.
pub(super) fn udp(address: SocketAddr) -> io::Result<UdpSocket> {
    bind(address, Type::DGRAM, Protocol::UDP).map(Into::into)
}

/// The same for connections, of which so many may wait to be accepted.
pub(super) fn listener(address: SocketAddr, backlog: i32) -> io::Result<std::net::TcpListener> {
    let socket = bind(address, Type::STREAM, Protocol::TCP)?;
    socket.listen(backlog)?;
    Ok(socket.into())
}

fn bind(address: SocketAddr, kind: Type, protocol: Protocol) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), kind, Some(protocol))?;
    socket.set_nonblocking(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    if kind == Type::STREAM {
        socket.set_reuse_address(true)?;
    }
    socket.bind(&address.into())?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The port of one that listens on IPv4, and another one that listens on the same port of IPv6. A port that is free
    /// for the one may be taken for the other, and then the next one is tried.
    fn side_by_side<T>(open: impl Fn(SocketAddr) -> io::Result<T>, at: impl Fn(&T) -> SocketAddr) -> bool {
        (0..50).any(|_| {
            let four = open("0.0.0.0:0".parse().unwrap()).unwrap();
            open(SocketAddr::new("::".parse().unwrap(), at(&four).port())).is_ok()
        })
    }

    #[test]
    fn both_families_are_listened_at_side_by_side() {
        if udp("[::1]:0".parse().unwrap()).is_err() {
            return;
        }
        assert!(side_by_side(udp, |socket| socket.local_addr().unwrap()));
        assert!(side_by_side(|address| listener(address, 1), |socket| socket.local_addr().unwrap()));
    }
}
