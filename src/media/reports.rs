//! What a leg measures for its reports, and what it learns from the other side's (RFC 3550 §6.4).
//!
//! Easy to get wrong: jitter is counted in voice alone, because the packets of a key share one timestamp; the loss of an
//! interval is never less than none, though that of all time may be; the way there and back is measured by the other
//! side's clock for the time it kept our report, and by ours for the rest, so no two clocks need to agree.
//!
//! Packets are read every 5 ms, so no figure here is finer than that.

use core::net::SocketAddr;

use super::SAMPLE_RATE;
use super::interval::Interval;
use super::sequence::Progress;
use crate::base::Heard;
use crate::wire::rtcp::{Block, Compound, Packet, middle};

/// A timestamp that goes astray by more than this is another clock, and no jitter: a second.
const ASTRAY: u32 = SAMPLE_RATE;
/// Longer than this no report of ours was on its way: 30 s, in 65,536ths of a second.
const ROUND_TRIP_MAX: u32 = 30 << 16;
/// More than this is no jitter that anybody could have measured in a call: a minute.
const JITTER_MS_MAX: u32 = 60_000;

/// The reports of one leg.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reports {
    /// What we are called in them: random, and so nobody's secret (RFC 7022 §4.2).
    pub name: [u8; 16],
    pub interval: Interval,
    /// Whose reports are taken on the port of their own.
    source: Option<SocketAddr>,
    arrivals: Arrivals,
    /// How far the voice had come at the last report.
    before: Progress,
    /// What we had sent when we reported last, and the time before.
    sent_before: [u64; 2],
    /// Bytes of payload we sent.
    pub octets: u32,
    theirs: Option<Theirs>,
    /// What the other side heard, and the way there and back in milliseconds.
    pub there: Option<Heard>,
    pub round_trip_ms: Option<u32>,
}

/// The last sender report of the other side.
#[derive(Clone, Copy, Debug)]
struct Theirs {
    ssrc: u32,
    middle: u32,
    at: i64,
}

/// Interarrival jitter (RFC 3550 appendix A.8).
#[derive(Clone, Copy, Debug, Default)]
struct Arrivals {
    transit: Option<u32>,
    /// In sixteenths of a sample.
    jitter: u32,
}

impl Reports {
    /// Nothing heard and nothing said. `seed` gives the random part of the intervals.
    pub fn new(name: [u8; 16], seed: u32) -> Reports {
        Reports {
            name,
            interval: Interval::new(seed),
            source: None,
            arrivals: Arrivals::default(),
            before: Progress::default(),
            sent_before: [0; 2],
            octets: 0,
            theirs: None,
            there: None,
            round_trip_ms: None,
        }
    }

    /// Where our reports go when they have a port of their own: where theirs come from, else where the SDP `named`.
    pub fn destination(&self, named: SocketAddr) -> SocketAddr {
        self.source.unwrap_or(named)
    }

    /// May a report be taken that came to its own port? Decided once, as for voice: it comes from where the SDP named,
    /// or from where the voice comes from and under the voice's name.
    pub fn admits(&mut self, from: SocketAddr, named: bool, voice: bool) -> bool {
        let known = self.source.map_or(named || voice, |source| source == from);
        if known {
            self.source = Some(from);
        }
        known
    }

    /// Another session was agreed on: whose reports are taken is to be decided anew.
    pub fn renew(&mut self) {
        self.source = None;
    }

    /// A packet of voice came.
    pub fn on_voice(&mut self, at: i64, timestamp: u32) {
        let transit = (at as u32).wrapping_sub(timestamp);
        let Some(before) = self.arrivals.transit.replace(transit) else { return };
        let apart = transit.wrapping_sub(before).cast_signed().unsigned_abs();
        if apart <= ASTRAY {
            let jitter = &mut self.arrivals.jitter;
            *jitter = (*jitter + apart).saturating_sub((*jitter + 8) >> 4);
        }
    }

    /// Somebody else speaks now.
    pub fn on_other_voice(&mut self) {
        self.arrivals = Arrivals::default();
        self.before = Progress::default();
    }

    /// Jitter so far, in milliseconds.
    pub fn jitter_ms(&self) -> u32 {
        const SIXTEENTHS_OF_A_MS: u32 = 16 * SAMPLE_RATE / 1_000;
        (self.arrivals.jitter + SIXTEENTHS_OF_A_MS / 2) / SIXTEENTHS_OF_A_MS
    }

    /// Did we send voice since the report before the last? Then it is a sender's report (RFC 3550 §6.4).
    pub fn sends(&mut self, sent: u64) -> bool {
        let [last, before] = self.sent_before;
        self.sent_before = [sent, last];
        sent != before
    }

    /// How well `ssrc` was heard since the last report (RFC 3550 appendix A.3); nothing when nothing came.
    pub fn block(&mut self, ssrc: u32, now: Progress, at: i64) -> Option<Block> {
        let mut before = core::mem::replace(&mut self.before, now);
        if now.expected < before.expected {
            before = Progress::default();
        }
        let expected = now.expected - before.expected;
        let received = now.received.saturating_sub(before.received);
        if received == 0 {
            return None;
        }
        let lost = (expected.saturating_sub(received) << 8).checked_div(expected).unwrap_or(0);
        let all = i64::try_from(now.expected).unwrap_or(i64::MAX) - i64::try_from(now.received).unwrap_or(i64::MAX);
        let theirs = self.theirs.filter(|theirs| theirs.ssrc == ssrc);
        Some(Block {
            ssrc,
            fraction_lost: u8::try_from(lost).unwrap_or(u8::MAX),
            lost: i32::try_from(all.clamp(i32::MIN.into(), i32::MAX.into())).unwrap_or(0),
            highest: now.highest,
            jitter: self.arrivals.jitter / 16,
            last_report: theirs.map_or(0, |theirs| theirs.middle),
            delay: theirs.map_or(0, |theirs| middle(ntp(at - theirs.at))),
        })
    }

    /// The other side reports. We are `ours`, and have sent it so many packets; true when it says what it heard.
    pub fn on_compound(&mut self, at: i64, compound: Compound<'_>, ours: u32, packets: u64) -> bool {
        let mut told = false;
        for packet in compound.packets() {
            let Packet::Report { ssrc, sent, blocks } = packet else { continue };
            if let Some(sent) = sent {
                self.theirs = Some(Theirs { ssrc, middle: middle(sent.ntp), at });
            }
            for block in blocks.filter(|block| block.ssrc == ours) {
                self.on_block(at, &block, packets);
                told = true;
            }
        }
        told
    }

    fn on_block(&mut self, at: i64, block: &Block, packets: u64) {
        let lost = u64::try_from(block.lost).unwrap_or(0).min(packets);
        let jitter_ms = (block.jitter / (SAMPLE_RATE / 1_000)).min(JITTER_MS_MAX);
        self.there = Some(Heard { packets, lost, jitter_ms });
        if block.last_report == 0 {
            return;
        }
        let away = middle(ntp(at)).wrapping_sub(block.last_report).wrapping_sub(block.delay);
        if away < ROUND_TRIP_MAX {
            self.round_trip_ms = Some(((u64::from(away) * 1_000) >> 16) as u32);
        }
    }
}

/// A moment as reports write it. Ours count from when the plane began, as they may (RFC 3550 §4).
pub(super) fn ntp(at: i64) -> u64 {
    let (at, rate) = (u64::try_from(at).unwrap_or(0), u64::from(SAMPLE_RATE));
    ((at / rate) << 32) | (((at % rate) << 32) / rate)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::rtcp::{Report, Sent, WRITTEN_MAX};

    fn reports() -> Reports {
        Reports::new(*b"0123456789abcdef", 1)
    }

    fn progress(highest: u32, expected: u64, received: u64) -> Progress {
        Progress { highest, expected, received }
    }

    /// What `report` makes of a compound with these parts, sent by 9 at the moment `at`.
    fn hears(ours: &mut Reports, at: i64, sent: Option<Sent>, heard: Option<Block>) -> bool {
        let mut bytes = [0; WRITTEN_MAX];
        let report = Report { ssrc: 9, sent, heard, name: b"abcdefghijklmnop", goodbye: false };
        let length = report.write(&mut bytes);
        ours.on_compound(at, Compound::read(&bytes[..length]).unwrap(), 5, 200)
    }

    #[test]
    fn the_loss_of_an_interval_and_of_all_time_are_two_numbers() {
        let mut ours = reports();
        let first = ours.block(9, progress(100, 100, 75), 0).unwrap();
        assert_eq!((first.fraction_lost, first.lost, first.highest), (64, 25, 100));
        let second = ours.block(9, progress(200, 200, 175), 0).unwrap();
        assert_eq!((second.fraction_lost, second.lost), (0, 25));
        // More than were expected: some came twice.
        let third = ours.block(9, progress(210, 210, 240), 0).unwrap();
        assert_eq!((third.fraction_lost, third.lost), (0, -30));
        assert_eq!(ours.block(9, progress(210, 210, 240), 0), None, "nothing came");
        // The sender began anew.
        let anew = ours.block(9, progress(4, 4, 2), 0).unwrap();
        assert_eq!((anew.fraction_lost, anew.lost), (128, 2));
    }

    #[test]
    fn jitter_is_the_running_mean_of_how_much_arrivals_differ() {
        let mut ours = reports();
        for n in 0..1_000i64 {
            // Every other packet is 10 ms late: arrivals differ by 80 samples.
            ours.on_voice(n * 160 + n % 2 * 80, (n as u32).wrapping_mul(160).wrapping_sub(50_000));
        }
        assert_eq!(ours.jitter_ms(), 10);
        ours.on_voice(161_000, 3_000_000_000);
        assert_eq!(ours.jitter_ms(), 10, "another clock is no jitter");
        ours.on_other_voice();
        assert_eq!(ours.jitter_ms(), 0);
    }

    #[test]
    fn the_way_there_and_back_is_measured_without_a_common_clock() {
        let (mut ours, second) = (reports(), 8_000);
        // They kept our report of 10 s for a second and a quarter, and theirs came 100 ms after that.
        let heard = |last_report, delay| Block {
            ssrc: 5,
            fraction_lost: 0,
            lost: 24,
            highest: 0,
            jitter: 160,
            last_report,
            delay,
        };
        let ours_was = middle(ntp(10 * second));
        assert!(hears(&mut ours, 11 * second + 2_800, None, Some(heard(ours_was, 5 << 14))));
        assert_eq!(ours.there, Some(Heard { packets: 200, lost: 24, jitter_ms: 20 }));
        assert_eq!(ours.round_trip_ms, Some(99), "100 less what the division leaves");
        // A delay longer than the time since, and a report nobody sent, are nonsense.
        hears(&mut ours, 11 * second, None, Some(heard(ours_was, 5 << 16)));
        hears(&mut ours, 11 * second, None, Some(heard(middle(ntp(20 * second)), 0)));
        hears(&mut ours, 11 * second, None, Some(heard(0, 0)));
        assert_eq!(ours.round_trip_ms, Some(99));
        assert!(!hears(&mut ours, 11 * second, None, Some(Block { ssrc: 6, ..heard(0, 0) })), "it is about another");
        // And they can measure the same by what we tell them.
        let sent = Sent { ntp: 0x1122_3344_5566_7788, timestamp: 0, packets: 1, octets: 160 };
        assert!(!hears(&mut ours, 20 * second, Some(sent), None));
        let block = ours.block(9, progress(2, 2, 2), 20 * second + 4_000).unwrap();
        assert_eq!((block.last_report, block.delay), (0x3344_5566, 1 << 15));
    }

    #[test]
    fn whose_reports_are_taken_is_decided_once() {
        let [named, other]: [SocketAddr; 2] = ["192.0.2.1:4001", "192.0.2.1:61001"].map(|text| text.parse().unwrap());
        let mut ours = reports();
        assert!(!ours.admits(other, false, false));
        assert_eq!(ours.destination(named), named);
        assert!(ours.admits(other, false, true), "from where the voice comes from");
        assert!(!ours.admits(named, true, true) && ours.admits(other, false, false));
        assert_eq!(ours.destination(named), other);
        ours.renew();
        assert!(ours.admits(named, true, false));
    }

    #[test]
    fn who_sent_nothing_since_the_report_before_the_last_is_no_sender() {
        let mut ours = reports();
        let said: Vec<bool> = [0, 5, 5, 5, 9].map(|sent| ours.sends(sent)).into();
        assert_eq!(said, [false, true, true, false, true]);
    }
}
