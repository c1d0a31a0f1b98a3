//! The playout buffer: what came from the network in its own rhythm, given out in ours.
//!
//! Everything is a place on one line of samples, 8,000 a second since the plane began. A packet's RTP timestamp
//! is mapped to a place [`DEPTH`] after the moment the first packet came, and from then on the difference of
//! timestamps decides, not the order of arrival: reordering and packets of any length need no thought.
//! A hole is silence, because what is given out is wiped behind the reader.
//!
//! There are two readers. The player takes 20 ms at a time when they are due; the tone detector takes 5 ms hops
//! as soon as they are there, in order, and waits for a hole to be filled only as long as the player does.
//!
//! Easy to get wrong: a sender whose timestamps jump (a new announcement, a clock set) must be placed anew
//! rather than declared late for ever, and two clocks are never equally fast, so the mapping has to drift.

use crate::audio::goertzel::HOP;
use crate::audio::{FRAME, Frame};

/// How long voice waits before it is played, in samples: 40 ms.
pub const DEPTH: i64 = 320;
/// Hops the buffer holds: 480 ms.
const HOPS: usize = 96;
const SIZE: usize = HOPS * HOP;
/// Further ahead of its time than this a packet is taken for a jump: 360 ms.
const AHEAD_MAX: i64 = 2_880;
/// Later than this it is taken for a jump as well: 1 s.
const BEHIND_MAX: i64 = 8_000;
/// So many late packets in a row: the network's delay has grown for good.
const LATE_RUN: u32 = 5;
/// Packets over which the drift is judged.
const WATCHED: u32 = 50;
/// By how much a drift is corrected at a time: 20 ms.
const STEP: i64 = 160;

/// What became of a packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Placed {
    /// It will be heard.
    InTime,
    /// Its time has passed.
    Late,
}

/// What the detector hears next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Hop {
    /// Voice, beginning at this place.
    Voice(i64, [i16; HOP]),
    /// Nothing came for this place.
    Hole(i64),
}

/// One leg's playout buffer.
#[derive(Debug)]
pub struct Jitter {
    ring: Box<[i16]>,
    /// Which hops of the ring hold voice.
    filled: u128,
    /// An RTP timestamp and its place.
    anchor: Option<(u32, i64)>,
    /// Everything before this place was given to the player.
    played: i64,
    /// Everything before this place was given to the detector.
    detected: i64,
    late_run: u32,
    watched: u32,
    late_watched: u32,
    /// The least time a watched packet had left before it was due.
    slack_least: i64,
}

impl Jitter {
    /// Allocates the buffer of one leg.
    pub fn new() -> Jitter {
        Jitter {
            ring: vec![0; SIZE].into_boxed_slice(),
            filled: 0,
            anchor: None,
            played: 0,
            detected: 0,
            late_run: 0,
            watched: 0,
            late_watched: 0,
            slack_least: i64::MAX,
        }
    }

    /// Forgets everything: a new leg, from `at` on.
    pub fn reset(&mut self, at: i64) {
        self.ring.fill(0);
        self.filled = 0;
        self.played = whole_hops(at);
        self.detected = self.played;
        self.restart();
    }

    /// Forgets the mapping: the next packet is placed by the moment it comes (another SSRC).
    pub fn restart(&mut self) {
        self.anchor = None;
        self.late_run = 0;
        self.watch_anew();
    }

    /// The place of an RTP timestamp, when packets have come and it is not far from them.
    pub fn place(&self, timestamp: u32, at: i64) -> Option<i64> {
        let (anchor, place) = self.anchor?;
        let place = place + i64::from(timestamp.wrapping_sub(anchor).cast_signed());
        ((place - at).abs() < BEHIND_MAX).then_some(place)
    }

    /// Everything before this place was given to the player.
    pub fn played(&self) -> i64 {
        self.played
    }

    /// Puts a packet's voice in its place. `at` is now.
    pub fn insert(&mut self, at: i64, timestamp: u32, samples: &[i16]) -> Placed {
        let length = samples.len().min(SIZE / 2) as i64;
        let fresh = whole_hops(at + DEPTH).max(self.played);
        let mut place = match self.anchor {
            None => fresh,
            Some((anchor, place)) => place + i64::from(timestamp.wrapping_sub(anchor).cast_signed()),
        };
        if place > at + AHEAD_MAX || place < at - BEHIND_MAX {
            place = fresh;
            self.watch_anew();
        }
        let late = place + length <= self.played;
        self.late_run = if late { self.late_run + 1 } else { 0 };
        if self.late_run >= LATE_RUN {
            place = fresh;
            self.late_run = 0;
            self.watch_anew();
        } else if late {
            self.watch(place - at, true);
            return Placed::Late;
        }
        self.anchor = Some((timestamp, place));
        self.write(place, samples);
        self.watch(place - at, false);
        Placed::InTime
    }

    /// The next 20 ms, for the player. `place` is the frame's own; what lies before it unread is skipped.
    pub fn take(&mut self, place: i64, out: &mut Frame) {
        out.fill(0);
        self.skip_to(place);
        if place != self.played {
            return;
        }
        for hop in 0..(FRAME / HOP) {
            self.take_hop(place + (hop * HOP) as i64, &mut out[hop * HOP..(hop + 1) * HOP]);
        }
        self.played = place + FRAME as i64;
    }

    /// Lets 20 ms go unheard: nobody listens to this leg.
    pub fn pass(&mut self, place: i64) {
        self.skip_to(place + FRAME as i64);
    }

    /// The next hop for the detector: voice as soon as it is there, a hole once `limit` has passed it.
    pub fn next_hop(&mut self, limit: i64) -> Option<Hop> {
        // After a long sleep only the last buffer's worth can still mean anything.
        self.detected = self.detected.max(whole_hops(limit) - SIZE as i64);
        let place = self.detected;
        let slot = slot(place);
        let held = (self.played..self.played + SIZE as i64).contains(&place);
        if held && self.filled & (1 << slot) != 0 {
            self.detected += HOP as i64;
            let hop = self.ring[slot * HOP..].first_chunk::<HOP>()?;
            return Some(Hop::Voice(place, *hop));
        }
        (place + HOP as i64 <= limit).then(|| {
            self.detected += HOP as i64;
            Hop::Hole(place)
        })
    }

    fn write(&mut self, place: i64, samples: &[i16]) {
        let begin = place.max(self.played);
        let end = (place + samples.len() as i64).min(self.played + SIZE as i64);
        let kept = |at: i64| usize::try_from(at - place).ok();
        let (Some(from), Some(to)) = (kept(begin), kept(end)) else { return };
        let samples = samples.get(from..to).unwrap_or_default();
        let first = begin.rem_euclid(SIZE as i64) as usize;
        let (front, wrapped) = samples.split_at(samples.len().min(SIZE - first));
        self.ring[first..first + front.len()].copy_from_slice(front);
        self.ring[..wrapped.len()].copy_from_slice(wrapped);
        // A hop is there when its last sample is: a packet that ends within a hop is followed by one that
        // begins in it.
        let mut hop = whole_hops(begin);
        while hop + HOP as i64 <= end {
            self.filled |= 1 << slot(hop);
            hop += HOP as i64;
        }
    }

    fn take_hop(&mut self, place: i64, out: &mut [i16]) {
        let slot = slot(place);
        let hop = &mut self.ring[slot * HOP..(slot + 1) * HOP];
        out.copy_from_slice(hop);
        if self.filled & (1 << slot) != 0 {
            hop.fill(0);
            self.filled &= !(1 << slot);
        }
    }

    fn skip_to(&mut self, place: i64) {
        let mut unwanted = [0; HOP];
        if place - self.played > SIZE as i64 {
            self.ring.fill(0);
            self.filled = 0;
            self.played = place;
        }
        while self.played < place {
            self.take_hop(self.played, &mut unwanted);
            self.played += HOP as i64;
        }
    }

    /// Moves the mapping when packets have been coming too early or too late for a while.
    fn watch(&mut self, slack: i64, late: bool) {
        self.watched += 1;
        self.late_watched += u32::from(late);
        self.slack_least = self.slack_least.min(slack);
        if self.watched < WATCHED {
            return;
        }
        let step = if self.late_watched >= 2 {
            STEP
        } else if self.slack_least > DEPTH + STEP {
            -STEP
        } else {
            0
        };
        if let Some((_, place)) = &mut self.anchor {
            *place += step;
        }
        self.watch_anew();
    }

    fn watch_anew(&mut self) {
        (self.watched, self.late_watched, self.slack_least) = (0, 0, i64::MAX);
    }
}

impl Default for Jitter {
    fn default() -> Self {
        Jitter::new()
    }
}

fn slot(place: i64) -> usize {
    (place.div_euclid(HOP as i64)).rem_euclid(HOPS as i64) as usize
}

fn whole_hops(place: i64) -> i64 {
    place.div_euclid(HOP as i64) * HOP as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(value: i16) -> Frame {
        [value; FRAME]
    }

    /// Plays 20 ms frames from `place` on and gives the first sample of each.
    fn play(jitter: &mut Jitter, place: i64, frames: i64) -> Vec<i16> {
        let mut out = frame(0);
        let mut first = |n: i64| {
            jitter.take(place + n * 160, &mut out);
            out[0]
        };
        (0..frames).map(&mut first).collect()
    }

    #[test]
    fn packets_are_played_in_the_order_of_their_timestamps_40_ms_after_the_first_came() {
        let mut jitter = Jitter::new();
        jitter.reset(0);
        for (timestamp, value) in [(160, 1), (480, 3), (320, 2), (320, 2)] {
            assert_eq!(jitter.insert(0, timestamp, &frame(value)), Placed::InTime);
        }
        assert_eq!(play(&mut jitter, 0, 6), [0, 0, 1, 2, 3, 0]);
    }

    #[test]
    fn a_packet_whose_time_has_passed_is_late_and_a_slower_network_is_followed() {
        let mut jitter = Jitter::new();
        jitter.reset(0);
        jitter.insert(0, 0, &frame(9));
        let mut late = 0;
        // Every packet comes 100 ms later than the first one promised.
        for n in 1..20i64 {
            play(&mut jitter, n * 160, 1);
            let placed = jitter.insert(n * 160, (n as u32).wrapping_sub(5).wrapping_mul(160), &frame(9));
            late += u32::from(placed == Placed::Late);
        }
        assert_eq!(late, LATE_RUN - 1);
    }

    #[test]
    fn a_jump_of_the_timestamp_is_a_new_beginning() {
        let mut jitter = Jitter::new();
        jitter.reset(0);
        jitter.insert(0, 0, &frame(1));
        play(&mut jitter, 0, 3);
        for (timestamp, value) in [(900_000, 2), (7, 3)] {
            let at = jitter.played();
            assert_eq!(jitter.insert(at, timestamp, &frame(value)), Placed::InTime);
            assert_eq!(play(&mut jitter, at, 4), [0, 0, value, 0]);
        }
    }

    #[test]
    fn a_sender_whose_clock_runs_fast_does_not_pile_up() {
        let mut jitter = Jitter::new();
        jitter.reset(0);
        let mut ahead = 0;
        for n in 0..3_000i64 {
            // 1 % fast: a packet of 160 samples every 158.4.
            let at = n * 1_584 / 10;
            while jitter.played() + 160 <= at {
                let next = jitter.played();
                play(&mut jitter, next, 1);
            }
            jitter.insert(at, n as u32 * 160, &frame(1));
            ahead = jitter.place(n as u32 * 160, at).unwrap() - at;
            assert!(ahead < DEPTH + 4 * STEP, "{ahead} samples at packet {n}");
        }
        assert!(ahead > 0);
    }

    #[test]
    fn the_detector_hears_at_once_and_waits_for_a_hole_no_longer_than_the_player() {
        let mut jitter = Jitter::new();
        jitter.reset(0);
        jitter.insert(0, 0, &frame(1));
        jitter.insert(0, 320, &frame(3));
        let hear = |jitter: &mut Jitter, limit: i64| {
            let mut heard = Vec::new();
            while let Some(hop) = jitter.next_hop(limit) {
                heard.push(if let Hop::Voice(_, samples) = hop { samples[0] } else { 0 });
            }
            heard
        };
        assert_eq!(hear(&mut jitter, 320), [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1]);
        assert!(hear(&mut jitter, 480).is_empty());
        jitter.insert(0, 160, &frame(2));
        assert_eq!(hear(&mut jitter, 480), [2, 2, 2, 2, 3, 3, 3, 3]);
    }

    #[test]
    fn packets_of_any_length_and_of_none_are_taken() {
        let mut jitter = Jitter::new();
        jitter.reset(0);
        jitter.insert(0, 0, &[5; 240]);
        jitter.insert(0, 240, &[]);
        jitter.insert(0, 240, &[6; 80]);
        jitter.insert(0, 320, &[7; 960]);
        assert_eq!(play(&mut jitter, 320, 3), [5, 5, 7]);
        jitter.insert(i64::MAX / 4, u32::MAX, &[7; 5_000]);
        jitter.insert(0, 0, &frame(1));
    }
}
