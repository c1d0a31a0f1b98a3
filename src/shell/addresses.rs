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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Origin;
    use crate::sip::Hop;

    /// What is said on the way to each of these hops, and what SDP says there.
    fn said(lines: &str, udp: [&str; 2], doors: &[(Transport, &str)], hops: [&str; 2]) -> [(String, String); 2] {
        let text = format!(
            "[node]\ndata_dir = \"/tmp\"\n[http]\nlisten = \"127.0.0.1:8080\"\n{lines}\n[[trunk]]\nid = \"main\"\nproxy = \"pbx.test\"\n"
        );
        let origin = Origin { folder: Path::new("/"), read: &|_| Err(String::new()), opens: &|_| Err(String::new()) };
        let settings = Settings::read(&text, &origin).unwrap();
        let [v4, v6] = udp.map(|at| at.parse().ok());
        let doors: Vec<_> = doors.iter().map(|(over, door)| (*over, door.parse().unwrap())).collect();
        let identities = identities(&settings, PerFamily { v4, v6 }, &doors).unwrap();
        hops.map(|hop| {
            let hop: Hop = hop.parse().unwrap();
            (identities.local_for(hop).to_string(), identities.media(hop.ip()).0.to_string())
        })
    }

    #[test]
    fn each_family_says_what_was_given_for_it_or_where_it_is_bound() {
        let both = "[sip]\nlisten = [\"udp:10.0.0.5:5060\", \"udp:[2001:db8::5]:5060\", \"tcp:[2001:db8::5]:5062\"]\n";
        let (udp, doors) = (["10.0.0.5:5060", "[2001:db8::5]:5060"], [(Transport::Tcp, "[2001:db8::5]:5062")]);
        let hops = ["192.0.2.1:5060", "tcp:[2001:db8::1]:5060"];
        let expected = [("10.0.0.5:5060", "10.0.0.5"), ("[2001:db8::5]:5062", "2001:db8::5")];
        assert_eq!(said(both, udp, &doors, hops), expected.map(|(sip, voice)| (sip.into(), voice.into())));
        let given = format!("{both}public_address = \"203.0.113.5\"\n[media]\naddress = \"2001:db8::6\"\n");
        let expected = [("203.0.113.5:5060", "203.0.113.5"), ("[2001:db8::5]:5062", "2001:db8::6")];
        assert_eq!(said(&given, udp, &doors, hops), expected.map(|(sip, voice)| (sip.into(), voice.into())));
    }

    #[test]
    fn whoever_takes_connections_alone_is_at_their_door() {
        let doors = [(Transport::Tcp, "10.0.0.5:5062")];
        let told =
            said("[sip]\nlisten = [\"tcp:10.0.0.5:5062\"]", ["127.0.0.1:4711", ""], &doors, ["tcp:192.0.2.1:1"; 2]);
        assert_eq!(told[0], ("10.0.0.5:5062".to_owned(), "10.0.0.5".to_owned()));
    }
}
