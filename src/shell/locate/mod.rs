//! Finds a trunk by its name, and goes on looking: at night a name server may be what broke.
//!
//! Each trunk has a task of its own, so that no question holds up a call. What a name led to is asked for again when its
//! time to live is over, and serves on while nobody answers. Which of several addresses comes first was drawn once
//! (`sip/locate.rs`) and does not change while the records are the same, or the trunk would be registered at anew each
//! time. Of a host with addresses of both families, IPv6 comes first; what there is no way to from here comes last.
//!
//! It never decides where a call goes: it tells the core everywhere a trunk is.

mod ask;
mod memory;
mod searches;

pub(super) use ask::NameServers;
pub(super) use searches::Searches;

use memory::{Memory, Verdict};

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use tokio::sync::mpsc;

use crate::base::{Family, PerFamily, TrunkId, seeded};
use crate::config::Host;
use crate::sip::{Hop, Transport, Whereabouts};
use crate::switch::Input;

/// All questions about one name together.
const PATIENCE: Duration = Duration::from_secs(20);

/// What is looked for.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    /// Which trunk.
    pub(super) trunk: TrunkId,
    /// Its name or address.
    pub(super) host: Host,
    /// What is spoken with it; `None`: what its name says, else UDP.
    pub(super) transport: Option<Transport>,
    /// Its place, by which its certificate is known.
    pub(super) line: Option<u8>,
    /// Where hansho itself listens, in the families in which it does; addresses of others are of no use. Where it
    /// listens everywhere, its own address towards the trunk is found as well.
    pub(super) own: PerFamily<IpAddr>,
}

/// What was found.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Found {
    /// Everywhere it is, the first to be tried first.
    targets: Vec<(Transport, SocketAddr)>,
    /// The records that led there, in an order of their own: as long as they stay, the targets keep their order.
    records: Vec<String>,
    /// For how long that holds.
    valid: Duration,
    /// A question on the way was not answered, and something better may be behind it.
    doubt: Option<String>,
}

impl Wanted {
    fn hop(&self, (transport, address): (Transport, SocketAddr)) -> Hop {
        Hop { transport, address, line: self.line.filter(|_| transport == Transport::Tls) }
    }

    fn whereabouts(&self, found: &Found, route_to: impl Fn(SocketAddr) -> Option<IpAddr>) -> Whereabouts {
        let mut targets: Vec<Hop> = found.targets.iter().map(|target| self.hop(*target)).collect();
        // A machine without IPv6 to the outside would wait for nothing at each call (RFC 6724 §6, rule 1).
        targets.sort_by_cached_key(|hop| route_to(hop.address).is_none());
        let everywhere = self.own.filter_map(|family, own| own.is_unspecified().then_some(family));
        let local = everywhere.filter_map(|family, _| {
            let first = targets.iter().find(|hop| Family::of(hop.ip()) == family)?;
            route_to(first.address)
        });
        Whereabouts { targets, local }
    }
}

/// Tells the core where a trunk is, at first and whenever that changes.
pub(super) async fn keep_looking(wanted: Wanted, servers: NameServers, core: mpsc::Sender<Input>) {
    let (mut memory, mut rng) = (Memory::new(), seeded(rand::random()));
    let mut told: Option<Result<Whereabouts, String>> = None;
    while !core.is_closed() {
        let found = match tokio::time::timeout(PATIENCE, servers.find(&wanted, &mut rng)).await {
            Ok(found) => found,
            Err(_) => Err(format!("`{}` cannot be looked up: no name server answers", wanted.host.name)),
        };
        let Verdict { wait, trouble } = memory.hear(found);
        if let (Some(why), Some(Ok(_))) = (trouble, memory.known()) {
            tracing::warn!(trunk = %wanted.trunk, why, again_s = wait.as_secs(), "calls go where the trunk was found before");
        }
        // The way to the trunk may change though its address does not.
        let news =
            memory.known().map(|known| known.as_ref().map(|it| wanted.whereabouts(it, route_to)).map_err(Clone::clone));
        if news != told {
            if let Some(Ok(found)) = news.as_ref().filter(|_| wanted.host.is_name()) {
                let targets = found.targets.iter().map(Hop::to_string).collect::<Vec<_>>().join(", ");
                tracing::info!(trunk = %wanted.trunk, name = %wanted.host.name, targets, "the trunk was found");
            }
            told.clone_from(&news);
            if let Some(found) = news {
                let _ = core.send(Input::TrunkAddress { trunk: wanted.trunk.clone(), found }).await;
            }
        }
        tokio::time::sleep(wait).await;
    }
}

/// The address of the interface on the way there. Connecting a UDP socket sends nothing.
pub(super) fn route_to(there: SocketAddr) -> Option<IpAddr> {
    let any: IpAddr = if there.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0)).ok()?;
    socket.connect(there).ok()?;
    socket.local_addr().ok().map(|address| address.ip())
}

#[cfg(test)]
mod tests;
