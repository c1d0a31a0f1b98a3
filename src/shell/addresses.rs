//! Our own addresses at start: what we say that we are, in each family of addresses that we listen on.
//!
//! As configured, else as bound, else as this machine reaches the world; what a trunk sees and the way to it make it more
//! exact later (`sip/identity.rs`).
//!
//! Easy to get wrong: where nothing but connections is accepted, the address is that of their door, and not that of the
//! UDP socket on loopback that nobody knows.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::locate::route_to;
use crate::base::{Family, PerFamily};
use crate::config::Settings;
use crate::sip::{Identities, Identity, Transport};

/// Addresses for documents, which nobody has, so they lie behind the default route.
const WORLD_V4: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 9);
const WORLD_V6: SocketAddr = SocketAddr::new(IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)), 9);

/// Who we are: at these UDP addresses, and at these doors. `None`: nothing listens.
pub(super) fn identities(
    settings: &Settings,
    local: PerFamily<SocketAddr>,
    doors: &[(Transport, SocketAddr)],
) -> Option<Identities> {
    let all = local.filter_map(|family, at| Some(identity(settings, family, at, doors)));
    let mut all = [all.v4, all.v6].into_iter().flatten();
    let first = Identities::from(all.next()?);
    Some(all.fold(first, Identities::and))
}

fn identity(settings: &Settings, family: Family, at: SocketAddr, doors: &[(Transport, SocketAddr)]) -> Identity {
    let sip = &settings.sip;
    let given = sip.public_address.get(family).copied();
    let own = sip.own.get(family).copied().unwrap_or(at.ip());
    let public = given.or_else(|| reached(family, own)).unwrap_or(own);
    let voice = settings.media.address.get(family).copied().filter(|ip| !ip.is_unspecified());
    // A door as others see it.
    let announced = |door: SocketAddr| match given.is_some() || door.ip().is_unspecified() {
        true => SocketAddr::new(public, door.port()),
        false => door,
    };
    let doors = doors.iter().filter(|(_, door)| Family::of(door.ip()) == family);
    Identity {
        local: SocketAddr::new(public, at.port()),
        media_address: given.or(voice).unwrap_or(public),
        user_agent: format!("hansho/{}", env!("CARGO_PKG_VERSION")),
        doors: doors.map(|(over, door)| (*over, announced(*door))).collect(),
    }
}

/// The addresses of this machine in its own network, in families in which another one is given for the world.
pub(super) fn at_home(settings: &Settings) -> PerFamily<IpAddr> {
    let sip = &settings.sip;
    sip.own.filter_map(|family, own| sip.public_address.get(family).and_then(|_| reached(family, own)))
}

/// Where we listen, or else whence this machine reaches the world.
fn reached(family: Family, own: IpAddr) -> Option<IpAddr> {
    let world = if family == Family::V4 { WORLD_V4 } else { WORLD_V6 };
    Some(own).filter(|ip| !ip.is_unspecified()).or_else(|| route_to(world))
}
