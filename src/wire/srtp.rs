//! SRTP: puts protection on packets that leave and takes it off packets that come, in place (RFC 3711).
//!
//! ```text
//!  SRTP    | header, sources, extension | payload, encrypted |                     key's name | tag |
//!  SRTCP   | the first 8 bytes          | rest, encrypted    | E | index, 31 bits | key's name | tag |
//! ```
//!
//! The tag vouches for everything before the key's name, and for how often the sequence number has wrapped, which stands in
//! no packet: each side counts it (the roll-over counter, ROC). Nothing is allocated, and nothing is believed before its
//! tag was checked.
//!
//! Easy to get wrong: the receiver guesses the count from the distance to the highest number it has seen, and keeps the
//! guess only once the tag says that it was right; two packets with the same key and the same index give each other away,
//! so a sender keeps its count for as long as it keeps its key; the tag of a report has 80 bits in either suite; reports
//! count an index of their own, which does stand in the packet.

mod replay;
mod session;

use crate::base::{Keys, MasterKey, Suite};
use replay::Sources;
use session::{Session, Use};

use super::rtp::HEADER;

/// Bytes a packet grows by at the most.
pub const GROWTH_MAX: usize = WORD + REPORT_TAG;

/// Bytes of the tag of a report.
const REPORT_TAG: usize = 10;
/// Bytes of the word behind a report: a bit that says whether it is encrypted, and its index.
const WORD: usize = 4;
const ENCRYPTED: u32 = 1 << 31;
/// Bytes of a report that are not encrypted (RFC 3711 §3.4).
const REPORT_HEAD: usize = 8;
/// Sequence numbers before they wrap.
const ROUND: u64 = 1 << 16;

/// Why a packet is not taken; it is dropped and counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadSrtp {
    /// Too short for what it says it holds.
    #[error("{0} bytes are too short for SRTP")]
    Short(usize),
    /// Another version than 2.
    #[error("SRTP version {0}")]
    Version(u8),
    /// It was taken before, or is so old that nobody knows.
    #[error("SRTP that was taken before or is too old")]
    Replayed,
    /// Its tag is not one of this key.
    #[error("SRTP with a wrong tag")]
    Forged,
}

/// Both directions of one leg.
#[derive(Debug)]
pub struct Protection {
    sending: Sending,
    /// What was sent with before: a key that is taken up again goes on counting where it stopped.
    parked: Sending,
    receiving: Receiving,
}

impl Protection {
    /// Nothing was sent and nothing received with these keys.
    pub fn new(keys: &Keys) -> Protection {
        let sending = Sending::new(keys.ours, keys.suite);
        Protection { parked: sending.clone(), sending, receiving: Receiving::new(keys) }
    }

    /// Takes up what `next` begins, each direction by itself: where the key is still the same, all that was counted with it
    /// holds. What is not needed any more is in `next` afterwards.
    pub fn renew(&mut self, next: &mut Protection) {
        if !self.receiving.is_same(&next.receiving) {
            core::mem::swap(&mut self.receiving, &mut next.receiving);
        }
        if self.sending.is_same(&next.sending) {
            return;
        }
        if self.parked.is_same(&next.sending) {
            core::mem::swap(&mut self.sending, &mut self.parked);
        } else {
            core::mem::swap(&mut self.sending, &mut next.sending);
            core::mem::swap(&mut self.parked, &mut next.sending);
        }
    }

    /// Protects the RTP packet that the first `length` bytes hold, and says how long it is then; `None` where that is no RTP
    /// or finds no room.
    pub fn protect(&mut self, packet: &mut [u8], length: usize) -> Option<usize> {
        self.sending.protect(packet, length)
    }

    /// The same for a compound of RTCP.
    pub fn protect_report(&mut self, packet: &mut [u8], length: usize) -> Option<usize> {
        self.sending.protect_report(packet, length)
    }

    /// Checks an SRTP packet and makes RTP of it: as many bytes at its front as come back.
    pub fn unprotect(&mut self, packet: &mut [u8]) -> Result<usize, BadSrtp> {
        self.receiving.unprotect(packet)
    }

    /// The same for SRTCP.
    pub fn unprotect_report(&mut self, packet: &mut [u8]) -> Result<usize, BadSrtp> {
        self.receiving.unprotect_report(packet)
    }
}

impl PartialEq for Protection {
    /// With the same keys, whatever was counted with them.
    fn eq(&self, other: &Protection) -> bool {
        self.sending.is_same(&other.sending) && self.receiving.is_same(&other.receiving)
    }
}

/// What we send.
#[derive(Clone, Debug)]
struct Sending {
    key: MasterKey,
    suite: Suite,
    voice: Session,
    reports: Session,
    /// The index of the last packet: how often the sequence number wrapped, and the number.
    last: Option<u64>,
    /// The index of the next report.
    next_report: u32,
}

impl Sending {
    fn new(key: MasterKey, suite: Suite) -> Sending {
        let (voice, reports) = (Session::new(&key, Use::Voice), Session::new(&key, Use::Reports));
        Sending { key, suite, voice, reports, last: None, next_report: 0 }
    }

    fn is_same(&self, other: &Sending) -> bool {
        (self.key, self.suite) == (other.key, other.suite)
    }

    fn protect(&mut self, packet: &mut [u8], length: usize) -> Option<usize> {
        let tag = tag_bytes(self.suite);
        let whole = packet.get_mut(..length + tag)?;
        let (clear, room) = whole.split_at_mut_checked(length)?;
        let head = Head::read(clear).ok()?;
        let number = u64::from(head.sequence);
        let index = self.last.map_or(number, |last| {
            let wrapped = if number < last % ROUND { ROUND } else { 0 };
            last / ROUND * ROUND + wrapped + number
        });
        self.last = Some(index);
        self.voice.crypt(head.ssrc, index, clear.get_mut(head.length..)?);
        room.copy_from_slice(self.voice.tag(clear, &rounds(index)).get(..tag)?);
        Some(length + tag)
    }

    fn protect_report(&mut self, packet: &mut [u8], length: usize) -> Option<usize> {
        let whole = packet.get_mut(..length + WORD + REPORT_TAG)?;
        let (said, tag) = whole.split_at_mut_checked(length + WORD)?;
        let (clear, word) = said.split_at_mut_checked(length)?;
        let index = self.next_report;
        self.next_report = (index + 1) % ENCRYPTED;
        self.reports.crypt(ssrc_of_report(clear)?, index.into(), clear.get_mut(REPORT_HEAD..)?);
        word.copy_from_slice(&(index | ENCRYPTED).to_be_bytes());
        tag.copy_from_slice(self.reports.tag(said, &[]).get(..REPORT_TAG)?);
        Some(length + WORD + REPORT_TAG)
    }
}

/// What we are sent.
#[derive(Debug)]
struct Receiving {
    key: MasterKey,
    suite: Suite,
    /// Bytes that name the key.
    name: usize,
    voice: Session,
    reports: Session,
    speakers: Sources,
    reporters: Sources,
}

impl Receiving {
    fn new(keys: &Keys) -> Receiving {
        Receiving {
            key: keys.theirs,
            suite: keys.suite,
            name: usize::from(keys.name_bytes),
            voice: Session::new(&keys.theirs, Use::Voice),
            reports: Session::new(&keys.theirs, Use::Reports),
            speakers: Sources::default(),
            reporters: Sources::default(),
        }
    }

    fn is_same(&self, other: &Receiving) -> bool {
        (self.key, self.suite, self.name) == (other.key, other.suite, other.name)
    }

    fn unprotect(&mut self, packet: &mut [u8]) -> Result<usize, BadSrtp> {
        let (said, tag) = self.split(packet, tag_bytes(self.suite))?;
        let head = Head::read(said)?;
        let known = self.speakers.of(head.ssrc);
        let index = match known {
            Some(window) => {
                let index = guess(window.highest, head.sequence).filter(|index| window.admits(*index));
                let index = index.ok_or(BadSrtp::Replayed)?;
                Some(index).filter(|index| self.voice.is_tag(said, &rounds(*index), tag))
            }
            // Whom we come to hear late, after early media say, may have wrapped once already.
            None => {
                let first = u64::from(head.sequence);
                [first, first + ROUND].into_iter().find(|index| self.voice.is_tag(said, &rounds(*index), tag))
            }
        };
        let index = index.ok_or(BadSrtp::Forged)?;
        self.speakers.take(head.ssrc, index);
        let length = said.len();
        self.voice.crypt(head.ssrc, index, said.get_mut(head.length..).unwrap_or_default());
        Ok(length)
    }

    fn unprotect_report(&mut self, packet: &mut [u8]) -> Result<usize, BadSrtp> {
        let short = BadSrtp::Short(packet.len());
        let (said, tag) = self.split(packet, REPORT_TAG)?;
        let (clear, word) = said.split_last_chunk::<WORD>().ok_or(short)?;
        let (length, word) = (clear.len(), u32::from_be_bytes(*word));
        let ssrc = ssrc_of_report(clear).ok_or(short)?;
        let index = u64::from(word % ENCRYPTED);
        if !self.reporters.of(ssrc).is_none_or(|window| window.admits(index)) {
            return Err(BadSrtp::Replayed);
        }
        if !self.reports.is_tag(said, &[], tag) {
            return Err(BadSrtp::Forged);
        }
        self.reporters.take(ssrc, index);
        if word & ENCRYPTED != 0 {
            self.reports.crypt(ssrc, index, said.get_mut(REPORT_HEAD..length).unwrap_or_default());
        }
        Ok(length)
    }

    /// What a tag of so many bytes vouches for, and the tag.
    fn split<'a>(&self, packet: &'a mut [u8], tag: usize) -> Result<(&'a mut [u8], &'a [u8]), BadSrtp> {
        let short = BadSrtp::Short(packet.len());
        let end = packet.len().checked_sub(tag).ok_or(short)?;
        let said = end.checked_sub(self.name).ok_or(short)?;
        let (rest, tag) = packet.split_at_mut_checked(end).ok_or(short)?;
        Ok((rest.get_mut(..said).ok_or(short)?, tag))
    }
}

/// What is not encrypted of an RTP packet.
#[derive(Clone, Copy)]
struct Head {
    ssrc: u32,
    sequence: u16,
    /// Bytes, with sources and extension.
    length: usize,
}

impl Head {
    fn read(packet: &[u8]) -> Result<Head, BadSrtp> {
        let short = BadSrtp::Short(packet.len());
        let (&[first, _, s0, s1, _, _, _, _, i0, i1, i2, i3], _) = packet.split_first_chunk::<HEADER>().ok_or(short)?;
        if first >> 6 != 2 {
            return Err(BadSrtp::Version(first >> 6));
        }
        let mut length = HEADER + usize::from(first & 0x0f) * 4;
        if first & 0x10 != 0 {
            let (&[_, _, w0, w1], _) = packet.get(length..).and_then(<[u8]>::split_first_chunk::<4>).ok_or(short)?;
            length += 4 + usize::from(u16::from_be_bytes([w0, w1])) * 4;
        }
        if length > packet.len() {
            return Err(short);
        }
        Ok(Head { ssrc: u32::from_be_bytes([i0, i1, i2, i3]), sequence: u16::from_be_bytes([s0, s1]), length })
    }
}

/// The index that a packet with this number most likely has (RFC 3711 §3.3.1); `None`: it would be from before the first.
fn guess(highest: u64, sequence: u16) -> Option<u64> {
    let apart = i64::from(sequence.wrapping_sub((highest % ROUND) as u16).cast_signed());
    highest.checked_add_signed(apart)
}

/// How often the number has wrapped, as the tag is told.
fn rounds(index: u64) -> [u8; 4] {
    ((index / ROUND) as u32).to_be_bytes()
}

fn ssrc_of_report(report: &[u8]) -> Option<u32> {
    let (&[_, _, _, _, i0, i1, i2, i3], _) = report.split_first_chunk::<REPORT_HEAD>()?;
    Some(u32::from_be_bytes([i0, i1, i2, i3]))
}

const fn tag_bytes(suite: Suite) -> usize {
    match suite {
        Suite::Tag80 => 10,
        Suite::Tag32 => 4,
    }
}

#[cfg(test)]
mod tests;
