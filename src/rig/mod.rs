//! Floor 6: a trunk and telephones in software, for the demo, the tests and the benches.
//!
//! They speak real SIP and RTP. Like hansho's own machines they have three verbs and neither clock nor
//! socket, so the same [`SoftTrunk`] and [`Phone`] run over UDP on loopback in the demo and over a simulated
//! link in virtual time in the tests. Only `net` and `ports` touch sockets.

mod doorman;
pub mod ear;
mod headset;
mod net;
mod phone;
mod ports;
mod recording;
mod trunk;

pub use headset::Headset;
pub use net::Exchange;
pub use phone::{Noted, Phone, PickUp, Script, Socket, Step};
pub use ports::free_ports;
pub use recording::Recording;
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

/// What a telephone wants sent, in order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Output {
    /// From its SIP port.
    Sip(Datagram),
    /// From its RTP port.
    Rtp(Datagram),
}
