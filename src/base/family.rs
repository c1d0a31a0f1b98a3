//! IPv4 and IPv6, and one of a thing for each of them.
//!
//! Easy to get wrong: an IPv4 address may come in the clothes of an IPv6 one (`::ffff:192.0.2.1`); it counts as what it
//! is written as. Our sockets of IPv6 hear IPv6 alone, so none of them says such a thing.

use core::fmt;
use core::net::{IpAddr, SocketAddr};

/// A family of addresses.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl Family {
    /// Both.
    pub const ALL: [Family; 2] = [Family::V4, Family::V6];

    /// The one that this address is of.
    pub fn of(ip: IpAddr) -> Family {
        if ip.is_ipv4() { Family::V4 } else { Family::V6 }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Family::V4 => "IPv4",
            Family::V6 => "IPv6",
        })
    }
}

/// One of a thing for each family, where there is one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PerFamily<T> {
    /// For IPv4.
    pub v4: Option<T>,
    /// For IPv6.
    pub v6: Option<T>,
}

impl<T> Default for PerFamily<T> {
    /// For neither.
    fn default() -> PerFamily<T> {
        PerFamily { v4: None, v6: None }
    }
}

impl<T> PerFamily<T> {
    /// The one for this family.
    pub fn get(&self, family: Family) -> Option<&T> {
        match family {
            Family::V4 => self.v4.as_ref(),
            Family::V6 => self.v6.as_ref(),
        }
    }

    /// Where the one for this family stands.
    pub fn slot(&mut self, family: Family) -> &mut Option<T> {
        match family {
            Family::V4 => &mut self.v4,
            Family::V6 => &mut self.v6,
        }
    }

    /// The one for addresses like this one.
    pub fn like(&self, ip: IpAddr) -> Option<&T> {
        self.get(Family::of(ip))
    }

    /// Each that there is, that of IPv4 first.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.v4.iter().chain(&self.v6)
    }

    /// Each that there is turned into something else, which may be nothing.
    pub fn filter_map<U>(self, mut turn: impl FnMut(Family, T) -> Option<U>) -> PerFamily<U> {
        let v4 = self.v4.and_then(|it| turn(Family::V4, it));
        PerFamily { v4, v6: self.v6.and_then(|it| turn(Family::V6, it)) }
    }

    /// Each that there is turned into something else.
    pub fn map<U>(self, mut turn: impl FnMut(T) -> U) -> PerFamily<U> {
        self.filter_map(|_, it| Some(turn(it)))
    }

    /// What is missing here is taken from there.
    pub fn or(self, other: PerFamily<T>) -> PerFamily<T> {
        PerFamily { v4: self.v4.or(other.v4), v6: self.v6.or(other.v6) }
    }

    /// Is there none?
    pub fn is_empty(&self) -> bool {
        self.v4.is_none() && self.v6.is_none()
    }
}

impl From<IpAddr> for PerFamily<IpAddr> {
    /// This one alone.
    fn from(ip: IpAddr) -> PerFamily<IpAddr> {
        let mut alone = PerFamily::default();
        *alone.slot(Family::of(ip)) = Some(ip);
        alone
    }
}

impl From<SocketAddr> for PerFamily<SocketAddr> {
    /// This one alone.
    fn from(address: SocketAddr) -> PerFamily<SocketAddr> {
        let mut alone = PerFamily::default();
        *alone.slot(Family::of(address.ip())) = Some(address);
        alone
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_stands_where_its_family_does() {
        let (four, six): (IpAddr, IpAddr) = ("192.0.2.1".parse().unwrap(), "2001:db8::1".parse().unwrap());
        let mut both = PerFamily::from(six);
        assert_eq!((both.like(four), both.like(six)), (None, Some(&six)));
        *both.slot(Family::V4) = Some(four);
        assert_eq!(both.iter().copied().collect::<Vec<_>>(), [four, six]);
        assert_eq!(both.filter_map(|family, ip| (family == Family::V4).then_some(ip)), PerFamily::from(four));
    }
}
