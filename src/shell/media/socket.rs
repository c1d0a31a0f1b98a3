//! The UDP sockets of a leg.

use std::io;
use std::net::{SocketAddr, UdpSocket};

use socket2::SockRef;

use crate::base::PerFamily;
use crate::shell::sockets;

/// Expedited forwarding, the class of voice (RFC 3246), as the byte of the IP header.
const EXPEDITED: u32 = 0xb8;

/// Binds a socket that never blocks.
pub(super) fn bind(address: SocketAddr) -> io::Result<UdpSocket> {
    let udp = sockets::udp(address)?;
    let socket = SockRef::from(&udp);
    // The mark is a wish: a system that refuses it carries the call all the same.
    let _ = if address.is_ipv4() { socket.set_tos_v4(EXPEDITED) } else { socket.set_tclass_v6(EXPEDITED) };
    Ok(udp)
}

/// The same at each of these addresses, or at none.
pub(super) fn bind_all(addresses: PerFamily<SocketAddr>) -> io::Result<PerFamily<UdpSocket>> {
    let of = |address: Option<SocketAddr>| address.map(bind).transpose();
    Ok(PerFamily { v4: of(addresses.v4)?, v6: of(addresses.v6)? })
}
