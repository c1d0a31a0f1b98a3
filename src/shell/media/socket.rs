//! One UDP socket a leg.

use std::io;
use std::net::{SocketAddr, UdpSocket};

use socket2::{Domain, Protocol, Socket, Type};

/// Expedited forwarding, the class of voice (RFC 3246), as the byte of the IP header.
const EXPEDITED: u32 = 0xb8;

/// Binds a socket that never blocks.
pub(super) fn bind(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_nonblocking(true)?;
    // The mark is a wish: a system that refuses it carries the call all the same.
    let _ = if address.is_ipv4() { socket.set_tos_v4(EXPEDITED) } else { socket.set_tclass_v6(EXPEDITED) };
    socket.bind(&address.into())?;
    Ok(socket.into())
}
