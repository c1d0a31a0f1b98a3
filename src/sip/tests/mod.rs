//! What the tests of this folder share.

pub mod bench;
mod calls;
mod hostile;
mod sessions;
mod trunk;
pub mod world;

use core::net::SocketAddr;

use crate::base::Outbox;
use crate::sip::Output;

/// The other side, where one address is enough.
pub fn peer() -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 1], 5060))
}

/// The texts that were sent, in order.
pub fn sent(out: &mut Outbox<Output>) -> impl Iterator<Item = String> + '_ {
    out.drain().filter_map(|output| match output {
        Output::Send { bytes, .. } => Some(String::from_utf8_lossy(&bytes).into_owned()),
        Output::Event(_) => None,
    })
}
