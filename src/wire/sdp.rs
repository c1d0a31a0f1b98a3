//! Session descriptions: what offer and answer need of them, and no more (RFC 8866).
//!
//! A [`Description`] borrows from the text it was read from. Lines hansho has no use for (bandwidth,
//! times, ICE candidates, …) are skipped whatever they hold, because a call must not fail on a line nobody
//! reads; `v=`, `m=` and `c=` are read strictly, and the error names the line.
//!
//! Easy to get wrong: `c=` and the direction of the session hold for every media section without its own;
//! `a=rtpmap` may be missing for static payload types; the order of the formats is the order of preference.

use core::net::IpAddr;

use super::ascii::number;
use super::few::Few;

mod crypto;
mod read;
mod write;

pub use crypto::{BadCrypto, Crypto};

/// The longest description that is read, in bytes.
pub const MAX_SDP: usize = 16_384;

/// The most media sections, and the most formats, `a=rtpmap` and `a=fmtp` lines in each.
pub const MAX_MEDIA: usize = 32;
/// See [`MAX_MEDIA`].
pub const MAX_FORMATS: usize = 64;
/// The most `a=crypto` lines of one section that are looked at.
pub const MAX_CRYPTOS: usize = 16;

/// A session description.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Description<'a> {
    /// The value of `o=`; empty when there is none. Its third word grows with every change (RFC 3264 §8).
    pub origin: &'a str,
    /// The session's `c=`.
    pub connection: Option<Address<'a>>,
    /// The session's direction.
    pub direction: Option<Direction>,
    /// The media sections, in order: an answer has the same number in the same order.
    pub media: Vec<Media<'a>>,
}

/// One media section.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Media<'a> {
    /// `audio`, `video`, `image`, …
    pub kind: &'a str,
    /// The port; 0 for a refused section.
    pub port: u16,
    /// `RTP/AVP`, `RTP/SAVP`, `UDP/TLS/RTP/SAVPF`, …
    pub proto: &'a str,
    /// The formats as they are written: for RTP its payload types, in order of preference.
    pub formats: &'a str,
    /// The section's own `c=`.
    pub connection: Option<Address<'a>>,
    /// `a=rtpmap`.
    pub rtpmaps: Few<RtpMap<'a>, 4>,
    /// `a=fmtp`: payload type and parameters.
    pub fmtps: Few<(u8, &'a str), 2>,
    /// `a=ptime`, in milliseconds.
    pub ptime_ms: Option<u32>,
    /// `a=maxptime`, in milliseconds.
    pub maxptime_ms: Option<u32>,
    /// The section's own direction.
    pub direction: Option<Direction>,
    /// `a=rtcp-mux`: RTCP on the port of RTP (RFC 5761 §5.1.1).
    pub rtcp_mux: bool,
    /// `a=rtcp`: the port of RTCP where it is not the next one, and its address where that is another (RFC 3605 §2.1).
    pub rtcp: Option<(u16, Option<Address<'a>>)>,
    /// `a=crypto`, each as it stands there ([`Crypto::parse`]).
    pub cryptos: Vec<&'a str>,
}

/// `a=rtpmap`: what a payload type stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct RtpMap<'a> {
    /// 0 to 127.
    pub payload_type: u8,
    /// `PCMU`, `telephone-event`, …; compare it without regard to case.
    pub encoding: &'a str,
    /// Timestamp units a second.
    pub clock_hz: u32,
    /// 1 unless it says otherwise.
    pub channels: u8,
}

/// The address of a `c=` line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Address<'a> {
    /// An address; the unspecified one means hold (RFC 3264 §8.4).
    Ip(IpAddr),
    /// A host name.
    Name(&'a str),
}

/// Who sends, seen from whoever wrote the description.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Direction {
    /// Both: what holds when nothing is written.
    #[default]
    SendRecv,
    /// The writer sends and does not listen: hold.
    SendOnly,
    /// The writer listens and does not send.
    RecvOnly,
    /// Neither.
    Inactive,
}

/// Why a text is no session description.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadSdp {
    /// More than [`MAX_SDP`] bytes.
    #[error("session description of {0} bytes is too long")]
    TooLong(usize),
    /// It does not begin with `v=0`.
    #[error("session description does not begin with v=0")]
    Version,
    /// A line that is needed cannot be read.
    #[error("line {line} of the session description: {why}")]
    Line {
        /// Counted from 1.
        line: usize,
        /// What is wrong with it.
        why: &'static str,
    },
}

impl<'a> Description<'a> {
    /// Where the packets of `media` go: its own `c=`, else the session's.
    pub fn address_of(&self, media: &Media<'a>) -> Option<Address<'a>> {
        media.connection.or(self.connection)
    }

    /// The direction of `media`: its own, else the session's, else both ways.
    pub fn direction_of(&self, media: &Media<'a>) -> Direction {
        media.direction.or(self.direction).unwrap_or_default()
    }
}

impl<'a> Media<'a> {
    /// A section without attributes.
    pub fn new(kind: &'a str, port: u16, proto: &'a str, formats: &'a str) -> Media<'a> {
        let (rtpmaps, fmtps) = (Few::default(), Few::default());
        let (connection, ptime_ms, maxptime_ms, direction) = (None, None, None, None);
        let (rtcp_mux, rtcp) = (false, None);
        Media {
            kind,
            port,
            proto,
            formats,
            connection,
            rtpmaps,
            fmtps,
            ptime_ms,
            maxptime_ms,
            direction,
            rtcp_mux,
            rtcp,
            cryptos: Vec::new(),
        }
    }

    /// What `payload_type` was said to stand for; the first `a=rtpmap` counts.
    pub fn rtpmap(&self, payload_type: u8) -> Option<&RtpMap<'a>> {
        self.rtpmaps.iter().find(|map| map.payload_type == payload_type)
    }

    /// The formats that are payload types, in order.
    pub fn payload_types(&self) -> impl Iterator<Item = u8> {
        self.formats.split_ascii_whitespace().filter_map(number).filter(|payload_type| *payload_type < 128)
    }
}

impl Direction {
    /// The direction seen from the other side: the right answer to an offer (RFC 3264 §6.1).
    pub const fn mirrored(self) -> Direction {
        match self {
            Direction::SendOnly => Direction::RecvOnly,
            Direction::RecvOnly => Direction::SendOnly,
            same => same,
        }
    }

    /// Does whoever wrote it send?
    pub const fn sends(self) -> bool {
        matches!(self, Direction::SendRecv | Direction::SendOnly)
    }

    /// Does whoever wrote it listen?
    pub const fn receives(self) -> bool {
        matches!(self, Direction::SendRecv | Direction::RecvOnly)
    }

    /// The direction that sends and receives like this.
    pub const fn of(sends: bool, receives: bool) -> Direction {
        match (sends, receives) {
            (true, true) => Direction::SendRecv,
            (true, false) => Direction::SendOnly,
            (false, true) => Direction::RecvOnly,
            (false, false) => Direction::Inactive,
        }
    }

    /// The attribute's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Direction::SendRecv => "sendrecv",
            Direction::SendOnly => "sendonly",
            Direction::RecvOnly => "recvonly",
            Direction::Inactive => "inactive",
        }
    }
}

#[cfg(test)]
mod tests;
