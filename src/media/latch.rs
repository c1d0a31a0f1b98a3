//! From where a leg takes packets: decided once, so that a stranger cannot talk into a call.
//!
//! The SDP names an address, but a peer behind a translator sends from another. So: a packet from the very
//! address the SDP named decides at once; one from its IP with another port after two good packets; one from
//! elsewhere after four, if nobody better came. Good means RTP of one sender in sequence. After that
//! nothing else is taken, and what we send goes where the packets come from.

use core::net::SocketAddr;

/// Good packets that a known IP with another port must show.
const SAME_IP: u32 = 2;
/// Good packets that an unknown address must show.
const ELSEWHERE: u32 = 4;

/// The source of one leg.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Latch {
    /// Not decided.
    Open {
        /// What the SDP named.
        named: SocketAddr,
        /// Who has been seen meanwhile.
        candidate: Option<Candidate>,
    },
    /// Decided.
    Closed {
        /// What the SDP named.
        named: SocketAddr,
        /// Whose packets are taken.
        source: SocketAddr,
    },
}

/// Somebody who sends what looks like the call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Candidate {
    from: SocketAddr,
    ssrc: u32,
    number: u16,
    good: u32,
}

/// What to do with a packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Take it.
    Take,
    /// Take it, and from now on nothing from elsewhere.
    TakeAndClose,
    /// A stranger's, or nobody's yet.
    Refuse,
}

impl Latch {
    /// Offer and answer named `named`.
    pub fn new(named: SocketAddr) -> Latch {
        Latch::Open { named: canonical(named), candidate: None }
    }

    /// Offer and answer were exchanged again; a decision stands unless the address changed.
    pub fn renew(&mut self, named: SocketAddr) {
        let now = canonical(named);
        if !matches!(self, Latch::Open { named, .. } | Latch::Closed { named, .. } if *named == now) {
            *self = Latch::new(now);
        }
    }

    /// Where our packets go.
    pub fn destination(&self) -> SocketAddr {
        match *self {
            Latch::Open { named, .. } => named,
            Latch::Closed { source, .. } => source,
        }
    }

    /// Whose packets are taken, once that is decided.
    pub fn source(&self) -> Option<SocketAddr> {
        match *self {
            Latch::Open { .. } => None,
            Latch::Closed { source, .. } => Some(source),
        }
    }

    /// Is this the peer's address, as far as is known? What is asked is not what decides: only RTP does.
    pub fn knows(&self, from: SocketAddr) -> bool {
        self.destination() == canonical(from)
    }

    /// May a packet from there be taken now or later? A closed latch takes from one address alone.
    pub fn may_be(&self, from: SocketAddr) -> bool {
        self.source().is_none_or(|source| source == canonical(from))
    }

    /// An RTP packet of sender `ssrc` with sequence number `number` came from `from`.
    pub fn on_packet(&mut self, from: SocketAddr, ssrc: u32, number: u16) -> Verdict {
        let from = canonical(from);
        match *self {
            Latch::Closed { source, .. } if source == from => Verdict::Take,
            Latch::Closed { .. } => Verdict::Refuse,
            Latch::Open { named, .. } if named == from => self.close(named, from),
            Latch::Open { named, candidate } => {
                let good = candidate
                    .filter(|c| c.from == from && c.ssrc == ssrc && c.number.wrapping_add(1) == number)
                    .map_or(1, |c| c.good + 1);
                let needed = if from.ip() == named.ip() { SAME_IP } else { ELSEWHERE };
                if good >= needed {
                    return self.close(named, from);
                }
                *self = Latch::Open { named, candidate: Some(Candidate { from, ssrc, number, good }) };
                Verdict::Refuse
            }
        }
    }

    fn close(&mut self, named: SocketAddr, source: SocketAddr) -> Verdict {
        *self = Latch::Closed { named, source };
        Verdict::TakeAndClose
    }
}

/// An IPv4 address that came in IPv6's clothes is the same address.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn the_named_address_decides_at_once_and_for_good() {
        let mut latch = Latch::new(address("192.0.2.1:4000"));
        assert_eq!(latch.on_packet(address("[::ffff:192.0.2.1]:4000"), 1, 1), Verdict::TakeAndClose);
        assert_eq!(latch.on_packet(address("192.0.2.1:4002"), 1, 2), Verdict::Refuse);
        assert_eq!(latch.on_packet(address("192.0.2.1:4000"), 9, 9), Verdict::Take);
    }

    #[test]
    fn a_translated_port_is_believed_at_its_second_packet() {
        let mut latch = Latch::new(address("192.0.2.1:4000"));
        let from = address("192.0.2.1:61000");
        assert_eq!(latch.on_packet(from, 1, 65_535), Verdict::Refuse);
        assert_eq!(latch.on_packet(from, 1, 0), Verdict::TakeAndClose);
        assert_eq!(latch.destination(), from);
    }

    #[test]
    fn a_stranger_who_sprays_does_not_get_in_before_the_peer() {
        let mut latch = Latch::new(address("192.0.2.1:4000"));
        let stranger = address("198.51.100.7:7");
        for number in [5, 9, 13, 2, 3, 4] {
            assert_eq!(latch.on_packet(stranger, 1, number), Verdict::Refuse);
        }
        assert_eq!(latch.on_packet(address("192.0.2.1:4000"), 1, 1), Verdict::TakeAndClose);
    }

    #[test]
    fn a_re_invite_opens_the_latch_only_when_the_address_changed() {
        let mut latch = Latch::new(address("192.0.2.1:4000"));
        latch.on_packet(address("192.0.2.1:4000"), 1, 1);
        latch.renew(address("192.0.2.1:4000"));
        assert_eq!(latch.on_packet(address("192.0.2.9:4000"), 1, 1), Verdict::Refuse);
        latch.renew(address("192.0.2.9:4000"));
        assert_eq!(latch.on_packet(address("192.0.2.9:4000"), 1, 1), Verdict::TakeAndClose);
    }
}
