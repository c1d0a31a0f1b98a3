//! What a leg sends: frames of 20 ms go in, RTP packets of the agreed length come out.
//!
//! The timestamp of a packet is its place on the plane's line of samples plus a random offset, so a frame that
//! was skipped needs no bookkeeping: the next one simply stands further on, with the marker set (RFC 3550 §5.1).
//! Never more than one packet leaves at a time; who was late does not catch up.

use core::time::Duration;

use crate::audio::FRAME;
use crate::wire::rtp::{HEADER, Header};
use crate::wire::srtp::GROWTH_MAX;

/// Samples of the longest packet: 60 ms.
const PACKET_MAX: usize = 480;
/// The longest packet, what makes odd lengths even, and one frame.
const QUEUE: usize = PACKET_MAX + 80 + FRAME;
/// The largest datagram written here, and what protection adds to it.
pub const DATAGRAM_MAX: usize = HEADER + PACKET_MAX + GROWTH_MAX;
/// What an odd packet length needs in hand so that frames of 20 ms never come too late for it.
const ODD_RESERVE: usize = 80;

/// The sending half of one leg.
#[derive(Clone, Debug)]
pub struct Sender {
    ssrc: u32,
    sequence: u16,
    /// The timestamp of place 0.
    offset: u32,
    payload_type: u8,
    silence: u8,
    /// Samples of one packet.
    length: usize,
    queue: [u8; QUEUE],
    queued: usize,
    /// The place of the first queued byte.
    place: i64,
    /// No packet leaves before this moment.
    due: i64,
    marker: bool,
}

impl Sender {
    /// A sender with random names (RFC 3550 §5.1 wants all three unpredictable).
    pub fn new(ssrc: u32, sequence: u16, offset: u32) -> Sender {
        Sender {
            ssrc,
            sequence,
            offset,
            payload_type: 0,
            silence: 0,
            length: FRAME,
            queue: [0; QUEUE],
            queued: 0,
            place: 0,
            due: 0,
            marker: true,
        }
    }

    /// What was agreed on; `silence` is the codec's byte for it.
    pub fn agree(&mut self, payload_type: u8, packet_time: Duration, silence: u8) {
        let samples = usize::try_from(packet_time.as_millis()).unwrap_or(20) * 8;
        self.payload_type = payload_type;
        self.silence = silence;
        self.length = samples.clamp(80, PACKET_MAX);
        self.queued = 0;
    }

    /// Must [`Sender::packet`] be called every 5 ms, rather than after each frame?
    pub fn is_odd(&self) -> bool {
        !self.length.is_multiple_of(FRAME)
    }

    /// May a frame be put at `place`? Not when a shorter step was made than a frame is long.
    pub fn wants(&self, place: i64) -> bool {
        place >= self.place + self.queued as i64
    }

    /// Queues a frame that stands at `place`.
    pub fn push(&mut self, place: i64, frame: &[u8; FRAME]) {
        let gap = usize::try_from(place - self.place - self.queued as i64).unwrap_or(0);
        if gap > 0 {
            self.marker = true;
        }
        if self.queued > 0 && self.queued + gap + FRAME <= QUEUE {
            self.queue[self.queued..self.queued + gap].fill(self.silence);
            self.queued += gap;
        } else if gap > 0 {
            // A long packet begins with silence rather than keeping the first words back.
            let reserve = if self.is_odd() { ODD_RESERVE } else { 0 };
            self.queued = if self.length > FRAME { self.length - FRAME + reserve } else { 0 };
            self.queue[..self.queued].fill(self.silence);
            self.place = place - self.queued as i64;
            self.due = place;
        }
        let end = (self.queued + FRAME).min(QUEUE);
        let room = &mut self.queue[self.queued..end];
        room.copy_from_slice(&frame[..room.len()]);
        self.queued = end;
    }

    /// The packet that is due at `at`, if one is; its length.
    pub fn packet(&mut self, at: i64, datagram: &mut [u8; DATAGRAM_MAX]) -> Option<usize> {
        let length = self.length;
        if self.queued < length || at < self.due {
            return None;
        }
        let timestamp = self.timestamp(self.place);
        let payload = self.header(self.payload_type, self.marker, timestamp).write(datagram)?;
        payload[..length].copy_from_slice(&self.queue[..length]);
        self.marker = false;
        self.queue.copy_within(length..self.queued, 0);
        self.queued -= length;
        self.place += length as i64;
        self.due = (self.due + length as i64).max(at - length as i64);
        Some(HEADER + length)
    }

    /// A packet that is not voice, a key say, which began at `place`; its length. Voice that waits is dropped.
    pub fn aside(
        &mut self,
        payload_type: u8,
        marker: bool,
        place: i64,
        payload: &[u8],
        datagram: &mut [u8; DATAGRAM_MAX],
    ) -> Option<usize> {
        self.queued = 0;
        let timestamp = self.timestamp(place);
        let room = self.header(payload_type, marker, timestamp).write(datagram)?;
        room.get_mut(..payload.len())?.copy_from_slice(payload);
        Some(HEADER + payload.len())
    }

    /// Its own name in RTP.
    pub fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// The timestamp of a place.
    pub fn timestamp(&self, place: i64) -> u32 {
        self.offset.wrapping_add(place as u32)
    }

    fn header(&mut self, payload_type: u8, marker: bool, timestamp: u32) -> Header {
        let sequence = self.sequence;
        self.sequence = sequence.wrapping_add(1);
        Header { marker, payload_type, sequence, timestamp, ssrc: self.ssrc }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::rtp::Packet;

    /// Sends frames for a second and gives the packets with the moment, in ms, at which each left.
    fn packets(packet_ms: u64) -> Vec<(i64, usize, u32)> {
        let mut sender = Sender::new(1, 65_530, 0);
        sender.agree(0, Duration::from_millis(packet_ms), 0xff);
        let mut datagram = [0; DATAGRAM_MAX];
        let mut sent = Vec::new();
        for tick in 100..300i64 {
            if tick % 4 == 0 && sender.wants(tick * 40) {
                sender.push(tick * 40, &[7; FRAME]);
            }
            if let Some(length) = sender.packet(tick * 40, &mut datagram) {
                let packet = Packet::read(&datagram[..length]).unwrap();
                sent.push((tick * 5 - 500, packet.payload.len(), packet.header.timestamp));
            }
        }
        sent
    }

    #[test]
    fn every_packet_length_leaves_at_once_and_then_in_its_own_rhythm() {
        for ms in [10, 20, 30, 40, 50, 60] {
            let sent = packets(ms as u64);
            assert_eq!(sent[0].0, 0, "{ms} ms");
            for pair in sent.windows(2) {
                assert_eq!(pair[1].0 - pair[0].0, ms, "{ms} ms: {pair:?}");
                assert_eq!(i64::from(pair[1].2) - i64::from(pair[0].2), ms * 8, "{ms} ms");
                assert_eq!(pair[0].1 as i64, ms * 8);
            }
        }
    }

    #[test]
    fn a_skipped_frame_moves_the_timestamp_on_and_sets_the_marker() {
        let mut sender = Sender::new(1, 0, 0);
        sender.agree(0, Duration::from_millis(20), 0xff);
        let mut datagram = [0; DATAGRAM_MAX];
        let mut heads = Vec::new();
        for place in [0, 160, 480, 640] {
            sender.push(place, &[7; FRAME]);
            let length = sender.packet(place, &mut datagram).unwrap();
            let head = Packet::read(&datagram[..length]).unwrap().header;
            heads.push((head.timestamp, head.sequence, head.marker));
            assert_eq!(sender.packet(place, &mut datagram), None, "no burst");
        }
        assert_eq!(heads, [(0, 0, true), (160, 1, false), (480, 2, true), (640, 3, false)]);
    }
}
