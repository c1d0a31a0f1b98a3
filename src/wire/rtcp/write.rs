//! Writes the one compound that hansho sends: a report, its sender's name and, at the end of a call, a farewell.

use super::{BLOCK, Block, CNAME, DESCRIPTION, GOODBYE, RECEIVER_REPORT, SENDER_REPORT, Sent};

/// Letters of a name of ours: 96 random bits in base64 (RFC 7022 §4.2).
const NAME: usize = 16;

/// Bytes of the longest compound that is written.
pub const WRITTEN_MAX: usize = 28 + BLOCK + 28 + 8;

/// What is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Report<'a> {
    /// Who reports.
    pub ssrc: u32,
    /// What it sent of late; nothing makes an RR of it.
    pub sent: Option<Sent>,
    /// How well it hears, where it hears somebody.
    pub heard: Option<Block>,
    /// Its name.
    pub name: &'a [u8; NAME],
    /// It leaves.
    pub goodbye: bool,
}

impl Report<'_> {
    /// Writes the compound and says how long it is (RFC 3550 §6.1: report first, then the name, in every one).
    pub fn write(&self, out: &mut [u8; WRITTEN_MAX]) -> usize {
        let mut room = Room { out, used: 0 };
        let kind = if self.sent.is_some() { SENDER_REPORT } else { RECEIVER_REPORT };
        let words = 1 + if self.sent.is_some() { 5 } else { 0 } + if self.heard.is_some() { 6 } else { 0 };
        room.head(u8::from(self.heard.is_some()), kind, words, self.ssrc);
        if let Some(sent) = self.sent {
            room.put(&sent.ntp.to_be_bytes());
            room.words([sent.timestamp, sent.packets, sent.octets]);
        }
        if let Some(block) = self.heard {
            // As many as can be said: 24 bits with a sign.
            let lost = block.lost.clamp(-0x80_0000, 0x7f_ffff).cast_unsigned() & 0xff_ffff;
            let losses = u32::from(block.fraction_lost) << 24 | lost;
            room.words([block.ssrc, losses, block.highest, block.jitter, block.last_report, block.delay]);
        }
        // Item and length, the name, and two zeros: the end of the list, and what the last word lacks.
        room.head(1, DESCRIPTION, 6, self.ssrc);
        room.put(&[CNAME, NAME as u8]);
        room.put(self.name);
        room.put(&[0; 2]);
        if self.goodbye {
            room.head(1, GOODBYE, 1, self.ssrc);
        }
        room.used
    }
}

struct Room<'a> {
    out: &'a mut [u8; WRITTEN_MAX],
    used: usize,
}

impl Room<'_> {
    fn head(&mut self, count: u8, kind: u8, words: u8, ssrc: u32) {
        self.put(&[0x80 | count, kind, 0, words]);
        self.words([ssrc]);
    }

    fn words<const N: usize>(&mut self, words: [u32; N]) {
        for word in words {
            self.put(&word.to_be_bytes());
        }
    }

    fn put(&mut self, bytes: &[u8]) {
        let end = self.used + bytes.len();
        if let Some(place) = self.out.get_mut(self.used..end) {
            place.copy_from_slice(bytes);
            self.used = end;
        }
    }
}
