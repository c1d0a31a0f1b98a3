//! Codecs, and what both ends of a leg agreed on. The words that signalling and media share.

use core::net::SocketAddr;
use core::time::Duration;

use super::Keys;

/// A narrow-band voice codec: 8,000 samples a second, one byte a sample.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Codec {
    /// G.711 µ-law.
    Pcmu,
    /// G.711 A-law.
    Pcma,
}

impl Codec {
    /// Every codec, in the order hansho offers them.
    pub const ALL: [Codec; 2] = [Codec::Pcmu, Codec::Pcma];

    /// The static payload type (RFC 3551 §6).
    pub const fn payload_type(self) -> u8 {
        match self {
            Codec::Pcmu => 0,
            Codec::Pcma => 8,
        }
    }

    /// The encoding name of `a=rtpmap` (RFC 3551 §6); compare it without regard to case.
    pub const fn name(self) -> &'static str {
        match self {
            Codec::Pcmu => "PCMU",
            Codec::Pcma => "PCMA",
        }
    }
}

/// The payload type hansho names for telephone-event in its own offers (RFC 4733 §2.1: a dynamic one). Peers send
/// their keys with it, or with the number they named themselves.
pub const EVENT_PAYLOAD_TYPE: u8 = 101;

/// What offer and answer agreed on for one leg: all that media needs to know of signalling.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stream {
    /// Where our packets go: the address the peer's SDP named.
    pub remote: SocketAddr,
    /// Where our reports go (RTCP): the same as `remote` where one port carries both (RFC 5761); nowhere when the peer
    /// wants none.
    pub reports: Option<SocketAddr>,
    /// What both sides encode with.
    pub codec: Codec,
    /// The payload type of voice in what we send.
    pub payload_type: u8,
    /// The payload type of telephone-event, when the peer takes it.
    pub event_payload_type: Option<u8>,
    /// How much voice one packet carries: 20 ms unless the peer asked otherwise, 10 to 60 ms.
    pub packet_time: Duration,
    /// False while the peer holds us (`sendonly`, `inactive`): then we send nothing.
    pub send: bool,
    /// False while we are not to be sent anything (`recvonly` peer, `inactive`).
    pub receive: bool,
    /// What protects both directions (SRTP); `None`: nothing does.
    pub keys: Option<Keys>,
}

impl Stream {
    /// Do voice and reports share one port on each side?
    pub fn is_muxed(&self) -> bool {
        self.reports == Some(self.remote)
    }
}
