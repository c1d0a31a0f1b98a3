//! RTCP: reports of how well packets are heard, read and written in place (RFC 3550 §6).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! |V=2|P|  count  |  packet type  | length, 4 byte words, less one|
//! |                     SSRC of whoever sends                     |
//! ```
//!
//! Several packets make one datagram, a compound, whose first is a report (SR 200, RR 201); names (SDES 202), farewells
//! (BYE 203) and types we have no use for (204, 205, …) follow. Nothing is copied and nothing allocated. A compound
//! is checked whole before anything of it is believed (appendix A.2).
//!
//! Easy to get wrong: the length leaves its own word out; the padding is the last packet's alone; the number of lost
//! packets has 24 bits and a sign; what stands behind the blocks of a report belongs to a profile and is no error.

mod write;

pub use write::{Report, WRITTEN_MAX};

const SENDER_REPORT: u8 = 200;
const RECEIVER_REPORT: u8 = 201;
const DESCRIPTION: u8 = 202;
const GOODBYE: u8 = 203;

/// The item of a description that everybody has: the canonical name (RFC 3550 §6.5.1).
const CNAME: u8 = 1;
/// Bytes of one block.
const BLOCK: usize = 24;

/// A datagram of RTCP, checked from its first byte to its last.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Compound<'a>(&'a [u8]);

/// One packet of a compound.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Packet<'a> {
    /// SR or RR: what `ssrc` sent, when it sends, and what it heard.
    Report {
        /// Who reports.
        ssrc: u32,
        /// SR: what it sent.
        sent: Option<Sent>,
        /// Whom it heard, and how well.
        blocks: Blocks<'a>,
    },
    /// SDES: names.
    Names(Names<'a>),
    /// BYE: these leave.
    Goodbye(Sources<'a>),
    /// Of this type, which is none of the above.
    Other(u8),
}

/// What a sender report says of its sender (RFC 3550 §6.4.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sent {
    /// When it was sent: seconds, and 2^32 parts of one. The clock is the sender's own.
    pub ntp: u64,
    /// The same moment in the timestamps of its RTP.
    pub timestamp: u32,
    /// Packets since it began, wrapping.
    pub packets: u32,
    /// Bytes of payload in them, wrapping.
    pub octets: u32,
}

/// How well one source was heard (RFC 3550 §6.4.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Block {
    /// Who was heard.
    pub ssrc: u32,
    /// Of the packets expected since the report before, so many 256th were lost.
    pub fraction_lost: u8,
    /// Packets lost since the beginning; less than none where some came twice. 24 bits of it are written.
    pub lost: i32,
    /// The highest sequence number, and above its 16 bits how often they wrapped.
    pub highest: u32,
    /// Interarrival jitter, in units of the timestamp.
    pub jitter: u32,
    /// The middle 32 bits of `ntp` in the last sender report that came from there; 0 when none did.
    pub last_report: u32,
    /// How long ago that was, in 65,536ths of a second.
    pub delay: u32,
}

/// Why bytes are no RTCP; they are dropped and counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadRtcp {
    /// Shorter than a header, or than its length says.
    #[error("an RTCP packet is cut short at {0} bytes")]
    Short(usize),
    /// Another version than 2.
    #[error("RTCP version {0}")]
    Version(u8),
    /// A compound begins with a report.
    #[error("RTCP that begins with packet type {0}")]
    First(u8),
    /// Padding of no byte, of part of a word, of more than there is, or before the last packet.
    #[error("RTCP padding of {0} bytes")]
    Padding(u8),
    /// A packet of this type holds less than its count says.
    #[error("RTCP packet type {0} holds less than it says")]
    Count(u8),
}

impl<'a> Compound<'a> {
    /// Reads a datagram.
    pub fn read(datagram: &'a [u8]) -> Result<Compound<'a>, BadRtcp> {
        let compound = Compound(datagram);
        let first = compound.parts().next().ok_or(BadRtcp::Short(0))??;
        if !matches!(first, Packet::Report { .. }) {
            return Err(BadRtcp::First(datagram.get(1).copied().unwrap_or_default()));
        }
        compound.parts().try_for_each(|part| part.map(|_| ())).map(|()| compound)
    }

    /// Its packets, in order.
    pub fn packets(self) -> impl Iterator<Item = Packet<'a>> {
        self.parts().flatten()
    }

    fn parts(self) -> Parts<'a> {
        Parts(self.0)
    }
}

/// What has not been read of a compound.
struct Parts<'a>(&'a [u8]);

impl<'a> Iterator for Parts<'a> {
    type Item = Result<Packet<'a>, BadRtcp>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let part = cut(self.0).and_then(|(part, rest)| {
            self.0 = rest;
            Packet::read(part)
        });
        if part.is_err() {
            self.0 = &[];
        }
        Some(part)
    }
}

/// One packet without its padding, as the words of its header and the body behind them.
#[derive(Clone, Copy)]
struct Part<'a> {
    kind: u8,
    count: usize,
    body: &'a [u8],
}

fn cut(bytes: &[u8]) -> Result<(Part<'_>, &[u8]), BadRtcp> {
    let short = BadRtcp::Short(bytes.len());
    let (&[first, kind, l0, l1], behind) = bytes.split_first_chunk::<4>().ok_or(short)?;
    if first >> 6 != 2 {
        return Err(BadRtcp::Version(first >> 6));
    }
    let length = usize::from(u16::from_be_bytes([l0, l1])) * 4;
    let (mut body, rest) = behind.split_at_checked(length).ok_or(short)?;
    if first & 0x20 != 0 {
        let padding = body.last().copied().unwrap_or_default();
        let whole = rest.is_empty() && padding != 0 && padding.is_multiple_of(4);
        let kept = body.len().checked_sub(usize::from(padding)).filter(|_| whole);
        body = kept.and_then(|kept| body.get(..kept)).ok_or(BadRtcp::Padding(padding))?;
    }
    Ok((Part { kind, count: usize::from(first & 0x1f), body }, rest))
}

impl<'a> Packet<'a> {
    fn read(part: Part<'a>) -> Result<Packet<'a>, BadRtcp> {
        let Part { kind, count, body } = part;
        let few = BadRtcp::Count(kind);
        match kind {
            SENDER_REPORT | RECEIVER_REPORT => {
                let (ssrc, mut body) = body.split_first_chunk::<4>().ok_or(few)?;
                let mut sent = None;
                if kind == SENDER_REPORT {
                    let (info, behind) = body.split_first_chunk::<20>().ok_or(few)?;
                    (sent, body) = (Some(Sent::read(*info)), behind);
                }
                let blocks = Blocks(body.get(..count * BLOCK).ok_or(few)?);
                Ok(Packet::Report { ssrc: u32::from_be_bytes(*ssrc), sent, blocks })
            }
            DESCRIPTION => {
                let mut names = Names { left: count, rest: body };
                let whole = (0..count).all(|_| names.chunk().is_some());
                whole.then_some(Packet::Names(Names { left: count, rest: body })).ok_or(few)
            }
            GOODBYE => {
                let sources = body.get(..count * 4).ok_or(few)?;
                let reason = body.get(count * 4..).unwrap_or_default();
                let whole = reason.split_first().is_none_or(|(length, text)| usize::from(*length) <= text.len());
                whole.then_some(Packet::Goodbye(Sources(sources))).ok_or(few)
            }
            other => Ok(Packet::Other(other)),
        }
    }
}

/// The blocks of a report.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Blocks<'a>(&'a [u8]);

impl Iterator for Blocks<'_> {
    type Item = Block;

    fn next(&mut self) -> Option<Block> {
        let (block, rest) = self.0.split_first_chunk::<BLOCK>()?;
        self.0 = rest;
        Some(Block::read(*block))
    }
}

/// The sources of a farewell.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sources<'a>(&'a [u8]);

impl Iterator for Sources<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        let (ssrc, rest) = self.0.split_first_chunk::<4>()?;
        self.0 = rest;
        Some(u32::from_be_bytes(*ssrc))
    }
}

/// Sources and their canonical names, of those that have one (RFC 3550 §6.5).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Names<'a> {
    left: usize,
    rest: &'a [u8],
}

impl<'a> Names<'a> {
    /// One source and its name; `None` when what is left is no whole chunk.
    fn chunk(&mut self) -> Option<(u32, Option<&'a [u8]>)> {
        let (ssrc, mut rest) = self.rest.split_first_chunk::<4>()?;
        let mut name = None;
        loop {
            let (&item, behind) = rest.split_first()?;
            if item == 0 {
                // The list ends with one to four zeros, so that the next chunk begins at a word.
                let read = self.rest.len() - behind.len();
                self.rest = self.rest.get(read.next_multiple_of(4)..)?;
                return Some((u32::from_be_bytes(*ssrc), name));
            }
            let (&length, behind) = behind.split_first()?;
            let (text, behind) = behind.split_at_checked(usize::from(length))?;
            if item == CNAME {
                name = name.or(Some(text));
            }
            rest = behind;
        }
    }
}

impl<'a> Iterator for Names<'a> {
    type Item = (u32, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        while self.left > 0 {
            self.left -= 1;
            if let (ssrc, Some(name)) = self.chunk()? {
                return Some((ssrc, name));
            }
        }
        None
    }
}

impl Sent {
    fn read(bytes: [u8; 20]) -> Sent {
        let [n0, n1, n2, n3, n4, n5, n6, n7, t0, t1, t2, t3, p0, p1, p2, p3, o0, o1, o2, o3] = bytes;
        Sent {
            ntp: u64::from_be_bytes([n0, n1, n2, n3, n4, n5, n6, n7]),
            timestamp: u32::from_be_bytes([t0, t1, t2, t3]),
            packets: u32::from_be_bytes([p0, p1, p2, p3]),
            octets: u32::from_be_bytes([o0, o1, o2, o3]),
        }
    }
}

impl Block {
    fn read(bytes: [u8; BLOCK]) -> Block {
        let word = |at: usize| bytes[at..].first_chunk().map_or(0, |word| u32::from_be_bytes(*word));
        let losses = word(4);
        Block {
            ssrc: word(0),
            fraction_lost: (losses >> 24) as u8,
            // 24 bits with a sign.
            lost: (losses << 8).cast_signed() >> 8,
            highest: word(8),
            jitter: word(12),
            last_report: word(16),
            delay: word(20),
        }
    }
}

/// The 32 bits of a moment that reports name it by (RFC 3550 §4): 65,536ths of a second.
pub const fn middle(ntp: u64) -> u32 {
    (ntp >> 16) as u32
}

#[cfg(test)]
mod tests;
