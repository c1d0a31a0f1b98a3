//! What hansho knows of a trunk: the settings of one SIP account.

use core::fmt;
use core::net::IpAddr;
use core::time::Duration;

use crate::base::{Codec, PerFamily, TrunkId};
use crate::sip::{Hop, Srtp};

/// A SIP account at a carrier or a PBX.
#[derive(Clone, PartialEq, Eq)]
pub struct Trunk {
    /// The id of the configuration.
    pub id: TrunkId,
    /// Where requests go (the outbound proxy). `None` until the name has been looked up.
    pub proxy: Option<Hop>,
    /// How often it is asked whether it is there; `None`: never.
    pub asked_every: Option<Duration>,
    /// The domain of the account: host part of From, To and the Request-URI.
    pub domain: String,
    /// False: the trunk knows us by our address, and no REGISTER is sent.
    pub register: bool,
    /// The expiry asked for, in seconds.
    pub expires_s: u32,
    /// User part of From and Contact, and the digest username.
    pub username: String,
    /// The digest password; empty where the trunk asks for none.
    pub password: String,
    /// Who calls, when it is not the username.
    pub caller_id: Option<String>,
    /// Where that stands.
    pub caller_in: CallerIn,
    /// Our addresses as this trunk reaches them, where that is known beforehand.
    pub public_address: PerFamily<IpAddr>,
    /// In the order they are offered; never empty.
    pub codecs: Vec<Codec>,
    /// Is voice encrypted?
    pub srtp: Srtp,
    /// Simultaneous calls the trunk allows; 0: as many as there are legs.
    pub max_calls: u32,
    /// From where, besides the proxy's own address, the trunk may call us.
    pub allow_from: Vec<IpRange>,
}

impl Trunk {
    /// A trunk that knows us by our address, with nothing else set. Whoever makes one says what differs.
    pub fn new(id: TrunkId) -> Trunk {
        Trunk {
            id,
            proxy: None,
            asked_every: None,
            domain: String::new(),
            register: false,
            expires_s: 600,
            username: String::new(),
            password: String::new(),
            caller_id: None,
            caller_in: CallerIn::default(),
            public_address: PerFamily::default(),
            codecs: Codec::ALL.to_vec(),
            srtp: Srtp::Off,
            max_calls: 0,
            allow_from: Vec::new(),
        }
    }
}

impl fmt::Debug for Trunk {
    /// Without the password: what is printed ends in logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trunk")
            .field("id", &self.id)
            .field("proxy", &self.proxy)
            .field("domain", &self.domain)
            .field("register", &self.register)
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}

/// In which headers the caller ID stands. From always says something; where the caller ID is not to stand there, the
/// account does, as carriers want it that check who sends what.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CallerIn {
    /// From.
    pub from: bool,
    /// P-Asserted-Identity (RFC 3325 §9.1): for trunks that trust us.
    pub asserted: bool,
    /// P-Preferred-Identity (RFC 3325 §9.2): for trunks that choose among the identities they know us by.
    pub preferred: bool,
}

impl Default for CallerIn {
    /// In From alone.
    fn default() -> CallerIn {
        CallerIn { from: true, asserted: false, preferred: false }
    }
}

/// An address, or a block of addresses in CIDR notation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct IpRange {
    /// The first address.
    pub address: IpAddr,
    /// How many leading bits count.
    pub prefix: u8,
}

impl IpRange {
    /// Reads `192.0.2.7`, `192.0.2.0/24` or `2001:db8::/32`.
    pub fn parse(text: &str) -> Option<IpRange> {
        let (address, prefix) = text.split_once('/').map_or((text, None), |(a, p)| (a, Some(p)));
        let address: IpAddr = address.trim().parse().ok()?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.map_or(Some(longest), |p| p.parse().ok().filter(|p| *p <= longest))?;
        Some(IpRange { address, prefix })
    }

    /// Is `address` inside?
    pub fn contains(&self, address: IpAddr) -> bool {
        let bits = |ip: IpAddr| match ip.to_canonical() {
            IpAddr::V4(v4) => (u128::from(v4.to_bits()) << 96, 32),
            IpAddr::V6(v6) => (v6.to_bits(), 128),
        };
        let ((ours, width), (theirs, other)) = (bits(self.address), bits(address));
        let mask = u128::MAX.checked_shl(128 - u32::from(self.prefix)).unwrap_or(0);
        width == other && (ours ^ theirs) & mask == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_contains_its_addresses_and_no_others() {
        let block = IpRange::parse("192.0.2.0/24").unwrap();
        assert!(block.contains("192.0.2.255".parse().unwrap()));
        assert!(block.contains("::ffff:192.0.2.1".parse().unwrap()));
        assert!(!block.contains("192.0.3.0".parse().unwrap()));
        assert!(IpRange::parse("0.0.0.0/0").unwrap().contains("8.8.8.8".parse().unwrap()));
        assert!(IpRange::parse("192.0.2.0/33").is_none());
    }
}
