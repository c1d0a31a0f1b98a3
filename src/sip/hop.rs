//! Where a message goes, or where it came from: over what, and at which address.
//!
//! A hop is also the name of a connection: whatever is sent to the hop that a message came from goes back over the
//! connection it came on (RFC 3261 §18.2.2).
//!
//! Easy to get wrong: a certificate is checked against the name that was configured, never against an address or a
//! name that DNS gave (RFC 5922 §4); so a hop over TLS remembers which trunk it leads to.

use core::fmt;
use core::net::{IpAddr, SocketAddr};
use core::str::FromStr;

use crate::base::Plain;

/// What messages travel over.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Transport {
    /// A datagram a message.
    #[default]
    Udp,
    /// A connection.
    Tcp,
    /// A connection with a certificate at its end.
    Tls,
}

impl Transport {
    /// Everything that is spoken.
    pub const ALL: [Transport; 3] = [Transport::Udp, Transport::Tcp, Transport::Tls];

    /// The word in a URI, and in the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Transport::Udp => "udp",
            Transport::Tcp => "tcp",
            Transport::Tls => "tls",
        }
    }

    /// The word in Via (RFC 3261 §20.42).
    pub fn in_via(self) -> &'static str {
        match self {
            Transport::Udp => "UDP",
            Transport::Tcp => "TCP",
            Transport::Tls => "TLS",
        }
    }

    /// Reads the word of a URI, whatever its case.
    pub fn parse(text: &str) -> Option<Transport> {
        Transport::ALL.into_iter().find(|transport| transport.as_str().eq_ignore_ascii_case(text))
    }

    /// True: what is sent arrives, or the connection says that it does not; nothing is sent twice.
    pub fn is_reliable(self) -> bool {
        self != Transport::Udp
    }

    /// The port where none is written (RFC 3261 §19.1.2).
    pub fn port(self) -> u16 {
        if self == Transport::Tls { 5061 } else { 5060 }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where a message goes, or where it came from.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Hop {
    /// Over what.
    pub transport: Transport,
    /// The far end.
    pub address: SocketAddr,
    /// Over TLS: the place of the trunk whose name the certificate there must bear. `None`: they came to us.
    pub line: Option<u8>,
}

impl Hop {
    /// `address` over UDP.
    pub const fn udp(address: SocketAddr) -> Hop {
        Hop { transport: Transport::Udp, address, line: None }
    }

    /// `address` over TCP.
    pub const fn tcp(address: SocketAddr) -> Hop {
        Hop { transport: Transport::Tcp, address, line: None }
    }

    /// The address without its port.
    pub fn ip(&self) -> IpAddr {
        self.address.ip()
    }

    /// See [`Transport::is_reliable`].
    pub fn is_reliable(&self) -> bool {
        self.transport.is_reliable()
    }
}

impl From<SocketAddr> for Hop {
    fn from(address: SocketAddr) -> Hop {
        Hop::udp(address)
    }
}

impl PartialEq<SocketAddr> for Hop {
    /// That address, over UDP.
    fn eq(&self, other: &SocketAddr) -> bool {
        *self == Hop::udp(*other)
    }
}

impl fmt::Display for Hop {
    /// `192.0.2.1:5060` over UDP, `tcp:192.0.2.1:5060` over others.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.transport {
            Transport::Udp => Plain(self.address).fmt(f),
            other => write!(f, "{other}:{}", Plain(self.address)),
        }
    }
}

/// A text that is no hop.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("no address with a port, nor one with a transport before it")]
pub struct NoHop;

impl FromStr for Hop {
    type Err = NoHop;

    /// Reads what [`fmt::Display`] writes; the trunk is not in it.
    fn from_str(text: &str) -> Result<Hop, NoHop> {
        let (transport, address) = match text.split_once(':') {
            Some((word, rest)) if word.bytes().all(|b| b.is_ascii_alphabetic()) => {
                (Transport::parse(word).ok_or(NoHop)?, rest)
            }
            _ => (Transport::Udp, text),
        };
        let address = address.parse().map_err(|_| NoHop)?;
        Ok(Hop { transport, address, line: None })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hop_is_read_as_it_is_written() {
        for text in ["192.0.2.1:5060", "tcp:192.0.2.1:5060", "tls:[2001:db8::1]:5061", "[2001:db8::1]:5060"] {
            assert_eq!(text.parse::<Hop>().unwrap().to_string(), text);
        }
        for wrong in ["", "tcp:", "sctp:192.0.2.1:5060", "192.0.2.1", "example.com:5060"] {
            assert_eq!(wrong.parse::<Hop>(), Err(NoHop), "{wrong}");
        }
    }
}
