//! Writes session descriptions, in the order of lines that RFC 8866 §5 asks for.

use core::fmt;

use crate::base::Plain;

use super::{Address, Description, Direction, Media};

impl fmt::Display for Description<'_> {
    /// The whole text, with `s=-` and `t=0 0` for what nobody reads.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v=0\r\no={}\r\ns=-\r\n", self.origin)?;
        connection_line(f, self.connection)?;
        f.write_str("t=0 0\r\n")?;
        direction_line(f, self.direction)?;
        self.media.iter().try_for_each(|media| media.fmt(f))
    }
}

impl fmt::Display for Media<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "m={} {} {} {}\r\n", self.kind, self.port, self.proto, self.formats)?;
        connection_line(f, self.connection)?;
        for map in self.rtpmaps.iter() {
            write!(f, "a=rtpmap:{} {}/{}", map.payload_type, map.encoding, map.clock_hz)?;
            if map.channels != 1 {
                write!(f, "/{}", map.channels)?;
            }
            f.write_str("\r\n")?;
        }
        self.fmtps.iter().try_for_each(|(payload_type, text)| write!(f, "a=fmtp:{payload_type} {text}\r\n"))?;
        self.cryptos.iter().try_for_each(|crypto| write!(f, "a=crypto:{crypto}\r\n"))?;
        self.ptime_ms.map_or(Ok(()), |ms| write!(f, "a=ptime:{ms}\r\n"))?;
        self.maxptime_ms.map_or(Ok(()), |ms| write!(f, "a=maxptime:{ms}\r\n"))?;
        if self.rtcp_mux {
            f.write_str("a=rtcp-mux\r\n")?;
        }
        if let Some((port, address)) = self.rtcp {
            write!(f, "a=rtcp:{port}")?;
            address.map_or(Ok(()), |address| write!(f, " {address}"))?;
            f.write_str("\r\n")?;
        }
        direction_line(f, self.direction)
    }
}

impl fmt::Display for Address<'_> {
    /// `IN IP4 192.0.2.1`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Ip(ip) => write!(f, "IN {} {}", if ip.is_ipv4() { "IP4" } else { "IP6" }, Plain(*ip)),
            Address::Name(name) => write!(f, "IN IP4 {name}"),
        }
    }
}

fn connection_line(f: &mut fmt::Formatter<'_>, address: Option<Address<'_>>) -> fmt::Result {
    address.map_or(Ok(()), |address| write!(f, "c={address}\r\n"))
}

fn direction_line(f: &mut fmt::Formatter<'_>, direction: Option<Direction>) -> fmt::Result {
    direction.map_or(Ok(()), |direction| write!(f, "a={}\r\n", direction.as_str()))
}
