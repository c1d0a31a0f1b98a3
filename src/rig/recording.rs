//! What a telephone heard, sample by sample.
//!
//! Every packet is placed by its timestamp, so the recording has the rhythm of the sender, whatever the
//! network did; what never came is silence. Easy to get wrong: a sender may begin anew with another SSRC or
//! timestamp, and is then placed by the moment it was heard.

use crate::audio::g711::{decode_alaw, decode_ulaw};
use crate::base::{Codec, Time};
use crate::media::SAMPLE_RATE;
use crate::wire::rtp::{Packet, timestamp_distance};

/// The longest recording, in samples: half an hour.
const LONGEST: usize = 30 * 60 * SAMPLE_RATE as usize;
/// A sender further away than this from where it ought to be has begun anew: one second.
const ASTRAY: i64 = SAMPLE_RATE as i64;

/// All that one call brought.
#[derive(Clone, Debug)]
pub struct Recording {
    began: Time,
    samples: Vec<i16>,
    packets: u64,
    anchor: Option<Anchor>,
}

/// Where one packet of a stream stands; all others stand relative to it.
#[derive(Clone, Copy, Debug)]
struct Anchor {
    ssrc: u32,
    timestamp: u32,
    place: i64,
}

impl Recording {
    /// Nothing heard yet; sample 0 stands at `began`.
    pub fn new(began: Time) -> Recording {
        Recording { began, samples: Vec::new(), packets: 0, anchor: None }
    }

    /// When sample 0 was heard.
    pub fn began(&self) -> Time {
        self.began
    }

    /// Everything heard, 8,000 samples a second, up to the last packet.
    pub fn samples(&self) -> &[i16] {
        &self.samples
    }

    /// What was heard from `from` on until `until`; shorter where nothing came any more.
    pub fn between(&self, from: Time, until: Time) -> &[i16] {
        let end = self.place(until).min(self.samples.len());
        self.samples.get(self.place(from).min(end)..end).unwrap_or_default()
    }

    /// Voice packets heard.
    pub fn packets(&self) -> u64 {
        self.packets
    }

    /// A voice packet came.
    pub fn on_packet(&mut self, now: Time, packet: &Packet<'_>, codec: Codec) {
        let here = i64::try_from(self.place(now)).unwrap_or(i64::MAX);
        let header = packet.header;
        let place = self.anchor.filter(|anchor| anchor.ssrc == header.ssrc).map(|anchor| {
            anchor.place.saturating_add(i64::from(timestamp_distance(anchor.timestamp, header.timestamp)))
        });
        let place = place.filter(|place| (place - here).abs() < ASTRAY).unwrap_or(here);
        self.anchor = Some(Anchor { ssrc: header.ssrc, timestamp: header.timestamp, place });
        let Ok(start) = usize::try_from(place) else { return };
        let end = start.saturating_add(packet.payload.len());
        if end > LONGEST {
            return;
        }
        if self.samples.len() < end {
            self.samples.resize(end, 0);
        }
        let Some(room) = self.samples.get_mut(start..end) else { return };
        match codec {
            Codec::Pcmu => decode_ulaw(packet.payload, room),
            Codec::Pcma => decode_alaw(packet.payload, room),
        }
        self.packets += 1;
    }

    fn place(&self, at: Time) -> usize {
        let samples = at.since(self.began).as_micros() * u128::from(SAMPLE_RATE) / 1_000_000;
        usize::try_from(samples).unwrap_or(usize::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::g711::encode_ulaw;
    use crate::wire::rtp::Header;
    use core::time::Duration;

    fn hear(recording: &mut Recording, at_ms: u64, ssrc: u32, timestamp: u32, sample: i16) {
        let mut payload = [0; 160];
        encode_ulaw(&[sample; 160], &mut payload);
        let header = Header { marker: false, payload_type: 0, sequence: 0, timestamp, ssrc };
        recording.on_packet(Time::from_micros(at_ms * 1_000), &Packet { header, payload: &payload }, Codec::Pcmu);
    }

    #[test]
    fn a_lost_packet_is_a_gap_of_silence_and_a_late_one_fills_it() {
        let mut recording = Recording::new(Time::ZERO);
        hear(&mut recording, 0, 7, 5_000, 1_000);
        hear(&mut recording, 45, 7, 5_320, 3_000);
        assert_eq!(recording.samples().len(), 480);
        assert!(recording.samples()[160..320].iter().all(|s| *s == 0));
        hear(&mut recording, 50, 7, 5_160, 2_000);
        assert!(recording.samples()[160..320].iter().all(|s| (1_900..2_100).contains(s)));
        assert_eq!(recording.packets(), 3);
    }

    #[test]
    fn a_sender_that_begins_anew_is_placed_by_the_clock() {
        let mut recording = Recording::new(Time::ZERO);
        hear(&mut recording, 0, 7, 5_000, 1_000);
        hear(&mut recording, 100, 8, 900_000, 2_000);
        hear(&mut recording, 5_000, 8, 1, 3_000);
        assert_eq!(recording.samples().len(), 40_160);
        let half_second = recording.between(Time::from_micros(100_000), Time::ZERO + Duration::from_millis(120));
        assert!(half_second.len() == 160 && half_second.iter().all(|s| (1_900..2_100).contains(s)));
    }
}
