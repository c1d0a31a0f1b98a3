//! Messages as a capture file: the classic format of libpcap, times in microseconds, packets that begin with their IP
//! header (LINKTYPE_RAW, 101).
//!
//! What travelled over TCP or TLS is written as UDP datagrams between the same addresses and ports: a capture of the
//! stream would need numbers that nobody kept, and of TLS nothing could be read. Via says what it travelled over.
//!
//! Easy to get wrong: the checksum of UDP is never 0 on the wire (RFC 768), and over IPv6 it must be there (RFC 8200
//! §8.1); the kernel maps IPv4 into IPv6 on a socket that hears both.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use crate::store::Passed;

const MAGIC: u32 = 0xa1b2_c3d4;
const LONGEST: u32 = 65_535;
const LINK_RAW: u32 = 101;
const UDP: u8 = 17;
const HOPS: u8 = 64;

/// A file being written.
#[derive(Debug)]
pub(super) struct Pcap(Vec<u8>);

impl Pcap {
    /// A file without a packet.
    pub(super) fn new() -> Pcap {
        let mut bytes = Vec::new();
        bytes.extend(MAGIC.to_le_bytes());
        // Version 2.4.
        bytes.extend(2u16.to_le_bytes());
        bytes.extend(4u16.to_le_bytes());
        // Time zone and accuracy, which nobody uses.
        bytes.extend([0; 8]);
        bytes.extend(LONGEST.to_le_bytes());
        bytes.extend(LINK_RAW.to_le_bytes());
        Pcap(bytes)
    }

    /// Adds a message. One that no datagram could hold is left out; none is kept that long.
    pub(super) fn add(&mut self, passed: &Passed) {
        let (from, to) =
            if passed.sent { (passed.local, passed.remote.address) } else { (passed.remote.address, passed.local) };
        let Some(packet) = packet(from, to, &passed.bytes) else { return };
        let Ok(length) = u32::try_from(packet.len()) else { return };
        let micros = passed.at.as_unix_micros();
        let seconds = u32::try_from(micros.div_euclid(1_000_000)).unwrap_or_default();
        let rest = u32::try_from(micros.rem_euclid(1_000_000)).unwrap_or_default();
        for field in [seconds, rest, length, length] {
            self.0.extend(field.to_le_bytes());
        }
        self.0.extend(packet);
    }

    /// The file.
    pub(super) fn finish(self) -> Vec<u8> {
        self.0
    }
}

/// A datagram with its headers; `None` when it is too long.
fn packet(from: SocketAddr, to: SocketAddr, payload: &[u8]) -> Option<Vec<u8>> {
    let length = u16::try_from(payload.len() + 8).ok()?;
    let mut datagram = Vec::with_capacity(payload.len() + 8);
    datagram.extend(from.port().to_be_bytes());
    datagram.extend(to.port().to_be_bytes());
    datagram.extend(length.to_be_bytes());
    datagram.extend([0, 0]);
    datagram.extend(payload);
    match (from.ip().to_canonical(), to.ip().to_canonical()) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            let mut header = vec![0x45, 0];
            header.extend(length.checked_add(20)?.to_be_bytes());
            // No identification, not to be fragmented; the checksum follows.
            header.extend([0, 0, 0x40, 0, HOPS, UDP, 0, 0]);
            header.extend(from.octets());
            header.extend(to.octets());
            let sum = checksum(&[&header]);
            header.splice(10..12, sum.to_be_bytes());
            let pseudo = [&from.octets()[..], &to.octets(), &[0, UDP], &length.to_be_bytes()].concat();
            seal(&mut datagram, &pseudo);
            Some([header, datagram].concat())
        }
        (from, to) => {
            let (from, to) = (mapped(from).octets(), mapped(to).octets());
            let mut header = vec![0x60, 0, 0, 0];
            header.extend(length.to_be_bytes());
            header.extend([UDP, HOPS]);
            header.extend(from);
            header.extend(to);
            let pseudo = [&from[..], &to, &u32::from(length).to_be_bytes(), &[0, 0, 0, UDP]].concat();
            seal(&mut datagram, &pseudo);
            Some([header, datagram].concat())
        }
    }
}

fn mapped(ip: IpAddr) -> Ipv6Addr {
    match ip {
        IpAddr::V4(ip) => ip.to_ipv6_mapped(),
        IpAddr::V6(ip) => ip,
    }
}

/// Writes the checksum of UDP, computed with the addresses before it.
fn seal(datagram: &mut Vec<u8>, pseudo: &[u8]) {
    let sum = match checksum(&[pseudo, datagram]) {
        0 => 0xffff,
        sum => sum,
    };
    datagram.splice(6..8, sum.to_be_bytes());
}

/// The internet checksum (RFC 1071) of parts that have an even length each, but for the last.
fn checksum(parts: &[&[u8]]) -> u16 {
    let words = parts.iter().flat_map(|part| part.chunks(2));
    let word = |pair: &[u8]| match pair {
        [high, low] => u32::from(u16::from_be_bytes([*high, *low])),
        [high] => u32::from(*high) << 8,
        _ => 0,
    };
    let mut sum = words.map(word).fold(0u64, |sum, word| sum + u64::from(word));
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Stamp;

    fn passed(local: &str, remote: &str, sent: bool, bytes: &[u8]) -> Passed {
        let at = Stamp::from_unix_micros(1_700_000_000_000_042);
        Passed { at, sent, local: local.parse().unwrap(), remote: remote.parse().unwrap(), bytes: bytes.to_vec() }
    }

    #[test]
    fn a_packet_is_what_the_documents_say_byte_by_byte() {
        let mut pcap = Pcap::new();
        pcap.add(&passed("192.0.2.1:5060", "192.0.2.9:5070", true, b"hi!"));
        let bytes = pcap.finish();
        assert_eq!(bytes[..4], [0xd4, 0xc3, 0xb2, 0xa1]);
        assert_eq!((bytes[20], bytes.len()), (101, 24 + 16 + 31));
        assert_eq!(bytes[24..40], [0, 0xf1, 0x53, 0x65, 42, 0, 0, 0, 31, 0, 0, 0, 31, 0, 0, 0]);
        let ip = &bytes[40..60];
        assert_eq!(ip[..10], [0x45, 0, 0, 31, 0, 0, 0x40, 0, 64, 17]);
        assert_eq!(checksum(&[ip]), 0, "a header with its checksum sums up to nothing");
        assert_eq!(ip[12..], [192, 0, 2, 1, 192, 0, 2, 9]);
        let udp = &bytes[60..];
        assert_eq!(udp[..6], [0x13, 0xc4, 0x13, 0xce, 0, 11]);
        assert_eq!(checksum(&[&ip[12..], &[0, 17, 0, 11], udp]), 0);
        assert_eq!(udp[8..], *b"hi!");
    }

    #[test]
    fn what_came_has_its_ends_the_other_way_round_and_ipv6_its_own_header() {
        let mut pcap = Pcap::new();
        pcap.add(&passed("[2001:db8::1]:5061", "tls:[2001:db8::9]:5070", false, b"odd"));
        pcap.add(&passed("[::]:5060", "192.0.2.9:5070", true, b"x"));
        let bytes = pcap.finish();
        let ip = &bytes[40..80];
        assert_eq!(ip[..8], [0x60, 0, 0, 0, 0, 11, 17, 64]);
        assert_eq!((ip[23], ip[39]), (9, 1));
        assert_eq!(checksum(&[&ip[8..], &[0, 0, 0, 11, 0, 0, 0, 17], &bytes[80..91]]), 0);
        assert_eq!(bytes[91 + 16], 0x60, "one address of each kind: both as IPv6");
    }
}
