//! Who we are on the wire: which address Via, Contact and SDP name, towards each trunk.
//!
//! What was given for a trunk holds; without it, what the trunk sees us as (Via `received` and `rport`, RFC 3581); without
//! that, the address of this machine on the way to it.
//!
//! Easy to get wrong: behind a NAT the port is another one as well, but only over UDP; the port of a connection that we
//! made is nobody's door. And an address that was bound for the media alone is no part of it. Whoever listens on IPv4 and
//! on IPv6 is somebody else in each, and what a message names is of the family that it travels over.

use core::fmt;
use core::net::{IpAddr, SocketAddr};

use crate::base::{Family, PerFamily};
use crate::sip::{Hop, Transport, Trunk};

/// Who we are on the wire, in one family of addresses.
#[derive(Clone, Debug)]
pub struct Identity {
    /// What Via and Contact say.
    pub local: SocketAddr,
    /// What they say instead over these; whoever listens nowhere for connections is reached over those that stand.
    pub doors: Vec<(Transport, SocketAddr)>,
    /// What SDP says.
    pub media_address: IpAddr,
    /// What User-Agent and Server say.
    pub user_agent: String,
}

/// Who we are in each family of addresses that we listen on.
#[derive(Clone, Debug)]
pub struct Identities {
    main: Identity,
    other: Option<Identity>,
}

/// What is known of our address towards one trunk, in one family.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Outside {
    /// It was given.
    pub given: Option<IpAddr>,
    /// As the trunk sees us over UDP.
    pub seen: Option<SocketAddr>,
    /// This machine's on the way there.
    pub route: Option<IpAddr>,
}

impl Identity {
    /// What Via and Contact say over this transport.
    pub fn local_for(&self, transport: Transport) -> SocketAddr {
        let door = self.doors.iter().find(|(over, _)| *over == transport);
        door.map_or(self.local, |(_, address)| *address)
    }

    /// The same towards a trunk: whatever stood at our own address stands where the trunk reaches it.
    pub fn towards(&self, outside: &Outside) -> Identity {
        let own = self.local.ip();
        let seen = outside.seen.filter(|_| outside.given.is_none());
        let ip = outside.given.or(seen.map(|seen| seen.ip())).or(outside.route).unwrap_or(own);
        let move_ip = |ip_before: IpAddr| if ip_before == own { ip } else { ip_before };
        Identity {
            local: SocketAddr::new(ip, seen.map_or(self.local.port(), |seen| seen.port())),
            doors: self.doors.iter().map(|(over, at)| (*over, SocketAddr::new(move_ip(at.ip()), at.port()))).collect(),
            // Whoever gives an address means the whole call.
            media_address: outside.given.unwrap_or_else(|| move_ip(self.media_address)),
            user_agent: self.user_agent.clone(),
        }
    }

    fn family(&self) -> Family {
        Family::of(self.local.ip())
    }
}

impl From<Identity> for Identities {
    /// Of this family alone.
    fn from(main: Identity) -> Identities {
        Identities { main, other: None }
    }
}

impl Identities {
    /// With one more, of the other family.
    pub fn and(self, other: Identity) -> Identities {
        Identities { other: Some(other), ..self }
    }

    /// Who we are to whoever is at this address. Where we have nothing of its family, nothing reaches it anyway.
    pub fn to(&self, ip: IpAddr) -> &Identity {
        let other = self.other.as_ref().filter(|other| other.family() == Family::of(ip));
        other.filter(|_| self.main.family() != Family::of(ip)).unwrap_or(&self.main)
    }

    /// What Via and Contact say on the way to this hop.
    pub fn local_for(&self, hop: Hop) -> SocketAddr {
        self.to(hop.ip()).local_for(hop.transport)
    }

    /// What SDP says to whoever is at this address, and what of the other family it could say instead.
    pub fn media(&self, ip: IpAddr) -> (IpAddr, Option<IpAddr>) {
        let first = self.to(ip).media_address;
        let mut all = [Some(&self.main), self.other.as_ref()].into_iter().flatten().map(|it| it.media_address);
        (first, all.find(|it| it.is_ipv4() != first.is_ipv4() && !it.is_unspecified()))
    }

    /// Somewhere to send what has no way: ourselves.
    pub fn nowhere(&self) -> Hop {
        Hop::udp(self.main.local)
    }

    /// What User-Agent and Server say.
    pub fn user_agent(&self) -> &str {
        &self.main.user_agent
    }

    /// The same towards a trunk.
    pub fn towards(&self, outside: &PerFamily<Outside>) -> Identities {
        let moved = |identity: &Identity| match outside.get(identity.family()) {
            Some(outside) => identity.towards(outside),
            None => identity.clone(),
        };
        Identities { main: moved(&self.main), other: self.other.as_ref().map(moved) }
    }

    /// Is it at the addresses that the other says?
    pub fn is_where(&self, other: &Identities) -> bool {
        let all = |it: &Identities| {
            let says = |it: &Identity| (it.local, it.media_address);
            (says(&it.main), it.other.as_ref().map(says))
        };
        all(self) == all(other)
    }

    /// Does this name us, over this transport?
    pub fn is_at(&self, transport: Transport, address: SocketAddr) -> bool {
        self.to(address.ip()).local_for(transport) == address
    }
}

impl fmt::Display for Identities {
    /// Where we are over UDP: `192.0.2.1:5060, [2001:db8::1]:5060`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.main.local)?;
        self.other.as_ref().map_or(Ok(()), |other| write!(f, ", {}", other.local))
    }
}

impl Outside {
    /// What the settings say.
    pub fn of(trunk: &Trunk) -> PerFamily<Outside> {
        Outside::given(trunk.public_address)
    }

    /// These were given.
    pub fn given(addresses: PerFamily<IpAddr>) -> PerFamily<Outside> {
        addresses.map(|ip| Outside { given: Some(ip), ..Outside::default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(media: &str) -> Identity {
        Identity {
            local: "10.0.0.5:5060".parse().unwrap(),
            doors: vec![
                (Transport::Tcp, "10.0.0.5:5062".parse().unwrap()),
                (Transport::Tls, "10.9.9.9:5061".parse().unwrap()),
            ],
            media_address: media.parse().unwrap(),
            user_agent: "hansho".into(),
        }
    }

    fn said(media: &str, outside: Outside) -> [String; 4] {
        let identity = identity(media).towards(&outside);
        let [udp, tcp, tls] = Transport::ALL.map(|transport| identity.local_for(transport).to_string());
        [udp, tcp, tls, identity.media_address.to_string()]
    }

    #[test]
    fn the_address_that_was_given_holds_then_what_the_trunk_sees_then_the_way_there() {
        let (given, seen, route) =
            ("203.0.113.5".parse().ok(), "198.51.100.7:40123".parse().ok(), "10.1.1.1".parse().ok());
        let all = Outside { given, seen, route };
        assert_eq!(said("10.0.0.5", all), ["203.0.113.5:5060", "203.0.113.5:5062", "10.9.9.9:5061", "203.0.113.5"]);
        let learned = Outside { given: None, ..all };
        let expected = ["198.51.100.7:40123", "198.51.100.7:5062", "10.9.9.9:5061", "198.51.100.7"];
        assert_eq!(said("10.0.0.5", learned), expected);
        let routed = Outside { seen: None, ..learned };
        assert_eq!(said("10.0.0.5", routed), ["10.1.1.1:5060", "10.1.1.1:5062", "10.9.9.9:5061", "10.1.1.1"]);
        let nothing = Outside::default();
        assert_eq!(said("10.0.0.5", nothing), ["10.0.0.5:5060", "10.0.0.5:5062", "10.9.9.9:5061", "10.0.0.5"]);
    }

    #[test]
    fn each_family_has_addresses_of_its_own_and_one_that_is_moved_leaves_the_other() {
        let six = Identity {
            local: "[2001:db8::5]:5060".parse().unwrap(),
            doors: Vec::new(),
            media_address: "2001:db8::6".parse().unwrap(),
            user_agent: "hansho".into(),
        };
        let given = Outside::given(PerFamily { v4: "203.0.113.5".parse().ok(), v6: None });
        let both = Identities::from(identity("10.0.0.5")).and(six).towards(&given);
        let hop = |text: &str| text.parse::<Hop>().unwrap();
        let said = |text: &str| both.local_for(hop(text)).to_string();
        assert_eq!([said("192.0.2.1:5060"), said("tcp:192.0.2.1:5060")], ["203.0.113.5:5060", "203.0.113.5:5062"]);
        assert_eq!([said("[2001:db8::9]:1"), said("tcp:[2001:db8::9]:1")], ["[2001:db8::5]:5060"; 2]);
        let (four, six) = ("203.0.113.5".parse().unwrap(), "2001:db8::6".parse().unwrap());
        assert_eq!(both.media(hop("192.0.2.1:1").ip()), (four, Some(six)));
        assert_eq!(both.media(hop("[2001:db8::9]:1").ip()), (six, Some(four)));
        assert!(both.is_at(Transport::Udp, hop("[2001:db8::5]:5060").address));
        assert!(!both.is_at(Transport::Udp, hop("10.0.0.5:5060").address));
    }

    #[test]
    fn media_at_an_address_of_their_own_stay_there_unless_another_one_is_given() {
        let routed = Outside { route: "10.1.1.1".parse().ok(), ..Outside::default() };
        assert_eq!(said("10.0.0.6", routed)[3], "10.0.0.6");
        let given = Outside { given: "203.0.113.5".parse().ok(), ..routed };
        assert_eq!(said("10.0.0.6", given)[3], "203.0.113.5");
    }
}
