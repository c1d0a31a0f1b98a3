//! Floor 6: a trunk and telephones in software, for the demo, the tests and the benches.
//!
//! They speak real SIP and RTP. Like hansho's own machines they have three verbs and neither clock nor
//! socket, so the same [`SoftTrunk`] and [`Phone`] run over UDP on loopback in the demo and over a simulated
//! link in virtual time in the tests. Only `net` touches sockets.

mod doorman;
mod trunk;

pub use trunk::{Account, Settings, SoftTrunk};

use core::net::SocketAddr;

/// One UDP datagram on its way.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Datagram {
    /// Where to.
    pub to: SocketAddr,
    /// All of it.
    pub bytes: Vec<u8>,
}
