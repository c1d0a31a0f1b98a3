//! RTP packets, read and written in place (RFC 3550 §5.1).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! |V=2|P|X|  CC   |M|     PT      |        sequence number        |
//! |                           timestamp                           |
//! |                              SSRC                             |
//! |                    CSRC, CC times 4 bytes                     |
//! |  extension profile, 2 bytes   | its length in 4 byte words, 2 | when X is set
//! ```
//!
//! Nothing is copied and nothing allocated. Easy to get wrong: the padding's last byte counts itself, so 0 is
//! nonsense; sequence numbers and timestamps wrap, so they are compared by distance and never by `<`; RTCP may
//! come in on the same port (RFC 5761 §4) and looks like RTP with the marker set.

/// The length of a header without CSRC and extension: all that hansho writes.
pub const HEADER: usize = 12;

/// The fixed part of a header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
    /// For voice: the first packet after silence (RFC 3551 §4.1); for an event: its first packet.
    pub marker: bool,
    /// 0 to 127.
    pub payload_type: u8,
    /// One more for every packet, wrapping.
    pub sequence: u16,
    /// In samples, wrapping.
    pub timestamp: u32,
    /// Who sends.
    pub ssrc: u32,
}

/// A packet, looked at where it lies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Packet<'a> {
    /// The fixed part of its header.
    pub header: Header,
    /// What it carries, without extension and padding.
    pub payload: &'a [u8],
}

/// Why bytes are no RTP packet; they are dropped and counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadRtp {
    /// Shorter than its header says.
    #[error("{0} bytes are too short for the RTP header")]
    Short(usize),
    /// Another version than 2: STUN, DTLS, noise.
    #[error("RTP version {0}")]
    Version(u8),
    /// An RTCP packet of this type, 192 to 223.
    #[error("RTCP packet type {0}")]
    Rtcp(u8),
    /// Padding of no byte, or of more than there are.
    #[error("padding of {0} bytes")]
    Padding(u8),
}

impl<'a> Packet<'a> {
    /// Reads a datagram.
    pub fn read(datagram: &'a [u8]) -> Result<Packet<'a>, BadRtp> {
        let short = BadRtp::Short(datagram.len());
        let (fixed, mut rest) = datagram.split_first_chunk::<HEADER>().ok_or(short)?;
        let [first, second, s0, s1, t0, t1, t2, t3, i0, i1, i2, i3] = *fixed;
        if first >> 6 != 2 {
            return Err(BadRtp::Version(first >> 6));
        }
        if (192..=223).contains(&second) {
            return Err(BadRtp::Rtcp(second));
        }
        let sources = usize::from(first & 0x0f) * 4;
        rest = rest.get(sources..).ok_or(short)?;
        if first & 0x10 != 0 {
            let (&[_, _, l0, l1], behind) = rest.split_first_chunk::<4>().ok_or(short)?;
            let words = usize::from(u16::from_be_bytes([l0, l1]));
            rest = behind.get(words * 4..).ok_or(short)?;
        }
        if first & 0x20 != 0 {
            let &padding = rest.last().ok_or(BadRtp::Padding(0))?;
            let kept = rest.len().checked_sub(usize::from(padding)).filter(|_| padding != 0);
            rest = kept.and_then(|kept| rest.get(..kept)).ok_or(BadRtp::Padding(padding))?;
        }
        let header = Header {
            marker: second & 0x80 != 0,
            payload_type: second & 0x7f,
            sequence: u16::from_be_bytes([s0, s1]),
            timestamp: u32::from_be_bytes([t0, t1, t2, t3]),
            ssrc: u32::from_be_bytes([i0, i1, i2, i3]),
        };
        Ok(Packet { header, payload: rest })
    }
}

impl Header {
    /// The header as bytes: version 2, no padding, no extension, no CSRC.
    pub const fn to_bytes(self) -> [u8; HEADER] {
        let [s0, s1] = self.sequence.to_be_bytes();
        let [t0, t1, t2, t3] = self.timestamp.to_be_bytes();
        let [i0, i1, i2, i3] = self.ssrc.to_be_bytes();
        let second = (self.marker as u8) << 7 | (self.payload_type & 0x7f);
        [0x80, second, s0, s1, t0, t1, t2, t3, i0, i1, i2, i3]
    }

    /// Writes the header to the front of `packet` and hands out the place for the payload; `None` when the
    /// buffer cannot hold a header.
    pub fn write(self, packet: &mut [u8]) -> Option<&mut [u8]> {
        let (front, payload) = packet.split_first_chunk_mut::<HEADER>()?;
        *front = self.to_bytes();
        Some(payload)
    }
}

/// How many samples `later` comes after `earlier`; negative when it comes before (RFC 1982 §3.2).
pub const fn timestamp_distance(earlier: u32, later: u32) -> i32 {
    later.wrapping_sub(earlier) as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: Header =
        Header { marker: true, payload_type: 101, sequence: 65_535, timestamp: 0x0102_0304, ssrc: 0xdead_beef };

    #[test]
    fn a_header_survives_being_written_and_read() {
        let mut packet = [7; 172];
        HEAD.write(&mut packet).unwrap().fill(9);
        assert_eq!(Packet::read(&packet), Ok(Packet { header: HEAD, payload: &[9; 160] }));
        assert_eq!(HEAD.write(&mut [0; 11]), None);
    }

    #[test]
    fn extension_sources_and_padding_are_no_payload() {
        let mut packet = HEAD.to_bytes().to_vec();
        packet[0] |= 0x20 | 0x10 | 0x02;
        packet.extend([1; 8]); // two sources
        packet.extend([0xbe, 0xde, 0, 1, 5, 5, 5, 5]); // one word of extension
        packet.extend([42, 43]);
        packet.extend([0, 0, 3]);
        assert_eq!(Packet::read(&packet).unwrap().payload, &[42, 43]);
    }

    #[test]
    fn lengths_that_lie_are_refused() {
        let with = |first: u8, rest: &[u8]| {
            let mut packet = HEAD.to_bytes().to_vec();
            packet[0] = first;
            packet.extend(rest);
            Packet::read(&packet).map(|p| p.payload.len())
        };
        assert_eq!(with(0x40, &[]), Err(BadRtp::Version(1)));
        assert_eq!(with(0x81, &[0, 0, 0]), Err(BadRtp::Short(15)));
        assert_eq!(with(0x90, &[0, 0, 0]), Err(BadRtp::Short(15)));
        assert_eq!(with(0x90, &[0, 0, 0, 2, 0, 0, 0, 0]), Err(BadRtp::Short(20)));
        assert_eq!(with(0xa0, &[]), Err(BadRtp::Padding(0)));
        assert_eq!(with(0xa0, &[1, 2, 0]), Err(BadRtp::Padding(0)));
        assert_eq!(with(0xa0, &[1, 2, 4]), Err(BadRtp::Padding(4)));
        assert_eq!(with(0xa0, &[1, 2, 3]), Ok(0));
        let mut rtcp = HEAD.to_bytes();
        rtcp[1] = 200;
        assert_eq!(Packet::read(&rtcp), Err(BadRtp::Rtcp(200)));
    }

    #[test]
    fn timestamps_are_compared_across_the_wrap() {
        assert_eq!(timestamp_distance(u32::MAX, 159), 160);
        assert_eq!(timestamp_distance(159, u32::MAX), -160);
    }
}
