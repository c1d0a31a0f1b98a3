//! Who we are on the wire: which address Via, Contact and SDP name, towards each trunk.
//!
//! What was given for a trunk holds; without it, what the trunk sees us as (Via `received` and `rport`, RFC 3581); without
//! that, the address of this machine on the way to it.
//!
//! Easy to get wrong: behind a NAT the port is another one as well, but only over UDP; the port of a connection that we
//! made is nobody's door. And an address that was bound for the media alone is no part of it.

use core::net::{IpAddr, SocketAddr};

use crate::sip::{Transport, Trunk};

/// Who we are on the wire.
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

/// What is known of our address towards one trunk.
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

    /// Does this name us, over this transport?
    pub fn is_at(&self, transport: Transport, address: SocketAddr) -> bool {
        self.local_for(transport) == address
    }
}

impl Outside {
    /// What the settings say.
    pub fn of(trunk: &Trunk) -> Outside {
        Outside { given: trunk.public_address, ..Outside::default() }
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
    fn media_at_an_address_of_their_own_stay_there_unless_another_one_is_given() {
        let routed = Outside { route: "10.1.1.1".parse().ok(), ..Outside::default() };
        assert_eq!(said("10.0.0.6", routed)[3], "10.0.0.6");
        let given = Outside { given: "203.0.113.5".parse().ok(), ..routed };
        assert_eq!(said("10.0.0.6", given)[3], "203.0.113.5");
    }
}
