//! What the tests of this folder share.

pub mod bench;
mod calls;
mod edges;
mod encrypted;
mod hostile;
mod house;
mod pairs;
mod sessions;
mod trunk;
mod ways;
pub mod world;

use crate::base::Outbox;
use crate::sip::{Hop, Output};

/// The other side, where one address is enough.
pub fn peer() -> Hop {
    Hop::udp(core::net::SocketAddr::from(([192, 0, 2, 1], 5060)))
}

/// The same over a connection.
pub fn connected() -> Hop {
    Hop::tcp(peer().address)
}

/// The texts that were sent, in order.
pub fn sent(out: &mut Outbox<Output>) -> impl Iterator<Item = String> + '_ {
    out.drain().filter_map(|output| match output {
        Output::Send { bytes, .. } => Some(String::from_utf8_lossy(&bytes).into_owned()),
        Output::Event(_) => None,
    })
}
