//! Keys as RFC 4733 events: many packets, one press.
//!
//! ```text
//! timestamp  4000 4000 4000 4000 4000 4000      one press keeps the timestamp of its beginning,
//! duration      0  160  320  480  480  480      its duration grows,
//! end           -    -    -    E    E    E      its end is said three times
//! marker        M    -    -    -    -    -      and its first packet is marked
//! ```
//!
//! So the timestamp is the name of a press. Whichever packet of it comes first tells the press: the start may be
//! lost, and the end too (another timestamp is another press). Easy to get wrong: the two repeated ends counted
//! as presses; an old end that was overtaken by the next press; a long press, whose timestamp moves on by what its
//! duration has come to, 65,535 at the most (RFC 4733 §2.5.1.3); and senders that move the timestamp with every packet,
//! some of which mark every packet, and some move it in the repeated ends alone.

use crate::base::Digit;
use crate::wire::rtp::timestamp_distance;

/// Later than this a smaller timestamp is a new press rather than an old packet, in samples: 4 s.
const OLD_MAX: i32 = 32_000;
/// Without a packet for so long a press is over, in samples: 120 ms.
const SILENT_MAX: i64 = 960;
/// How far a sender that moves the timestamp moves it in one packet, in samples: 100 ms.
const CREEP_MAX: i32 = 800;
/// And in one of the ends it repeats: nobody presses a key anew within 60 ms.
const END_CREEP_MAX: i32 = 480;
/// As long as this a press is before a sender begins a further segment of it, with packets lost about there.
const LONG: u16 = 8_000;

/// One telephone-event packet, read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Packet {
    /// Who sent it.
    pub ssrc: u32,
    /// When the press began, in the sender's samples.
    pub timestamp: u32,
    /// First packet of a press.
    pub marker: bool,
    /// Which key.
    pub digit: Digit,
    /// The key is up again.
    pub end: bool,
    /// For how long it has been down, in samples.
    pub duration: u16,
}

/// The receiver of one leg.
#[derive(Clone, Copy, Debug, Default)]
pub struct Receiver {
    last: Option<Last>,
}

#[derive(Clone, Copy, Debug)]
struct Last {
    packet: Packet,
    /// When its last packet came.
    at: i64,
}

impl Receiver {
    /// A packet came at place `at`; true when it tells a new press.
    pub fn on_packet(&mut self, at: i64, packet: Packet) -> bool {
        let Some(last) = &mut self.last else {
            self.last = Some(Last { packet, at });
            return true;
        };
        let before = last.packet;
        let moved = timestamp_distance(before.timestamp, packet.timestamp);
        let same_sender = packet.ssrc == before.ssrc;
        if same_sender && moved < 0 && moved > -OLD_MAX {
            return false;
        }
        let same_press =
            same_sender && packet.digit == before.digit && (moved == 0 || goes_on(&before, &packet, moved));
        // An end, once said, is not taken back by a packet that it overtook.
        let end = packet.end || (same_press && before.end && moved == 0);
        *last = Last { packet: Packet { end, ..packet }, at };
        !same_press
    }

    /// Is a key down, as far as `at` can tell?
    pub fn is_down(&self, at: i64) -> bool {
        self.last.is_some_and(|last| !last.packet.end && at - last.at < SILENT_MAX)
    }
}

/// Is `now` the same press though its timestamp moved: a further segment, or a sender that moves it always?
fn goes_on(before: &Packet, now: &Packet, moved: i32) -> bool {
    if before.end {
        return now.end && moved <= END_CREEP_MAX && now.duration >= before.duration;
    }
    let grown = i32::from(now.duration) - i32::from(before.duration);
    if now.marker {
        return moved <= CREEP_MAX && grown == moved;
    }
    let behind = moved - i32::from(before.duration);
    let segment = behind == 0 || (before.duration >= LONG && (0..=CREEP_MAX).contains(&behind));
    segment || (moved <= CREEP_MAX && grown > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(key: char, timestamp: u32, duration: u16, end: bool) -> Packet {
        let digit = Digit::from_char(key).unwrap();
        Packet { ssrc: 1, timestamp, marker: duration == 0, digit, end, duration }
    }

    fn presses(packets: &[Packet]) -> String {
        let mut receiver = Receiver::default();
        let told = packets.iter().enumerate().filter(|(n, p)| receiver.on_packet(*n as i64 * 160, **p));
        told.map(|(_, p)| p.digit.as_char()).collect()
    }

    #[test]
    fn a_press_with_its_three_ends_is_one() {
        let mut all: Vec<Packet> = (0..4).map(|n| packet('5', 4_000, n * 160, false)).collect();
        all.extend([packet('5', 4_000, 640, true); 3]);
        assert_eq!(presses(&all), "5");
    }

    #[test]
    fn one_packet_of_a_press_is_enough_whichever_it_is() {
        assert_eq!(
            presses(&[packet('1', 0, 0, false), packet('1', 2_000, 480, true), packet('1', 4_000, 320, false)]),
            "111"
        );
    }

    #[test]
    fn an_end_that_the_next_press_overtook_is_no_press() {
        let (first, second) = (packet('2', 1_000, 480, true), packet('3', 3_000, 0, false));
        assert_eq!(presses(&[first, second, first, packet('3', 3_000, 160, false), first]), "23");
    }

    #[test]
    fn a_press_of_ten_seconds_is_one() {
        let first = (0..400u16).map(|n| packet('7', 500, n * 160, false));
        let first = first.chain([packet('7', 500, u16::MAX, false)]);
        let next = (1..100u16).map(|n| packet('7', 500 + 65_535, n * 160, n == 99));
        assert_eq!(presses(&first.chain(next).collect::<Vec<_>>()), "7");
    }

    #[test]
    fn a_press_may_be_cut_into_segments_anywhere_and_packets_be_lost_about_the_cut() {
        for (limit, lost) in [(65_520, 0), (32_000, 0), (9_600, 3)] {
            let segment = |number: u32| {
                let began = 500 + number * u32::from(limit);
                (1..=limit / 160 - lost).map(move |n| Packet {
                    marker: number == 0 && n == 1,
                    ..packet('7', began, n * 160, number == 2 && n * 160 == limit)
                })
            };
            let all: Vec<Packet> = (0..3).flat_map(segment).collect();
            assert_eq!(presses(&all), "7", "{limit}, {lost} lost");
        }
    }

    #[test]
    fn a_sender_that_moves_the_timestamp_with_every_packet_presses_once() {
        let all: Vec<Packet> = (0..6).map(|n| packet('9', 1_000 + u32::from(n) * 160, n * 160, n == 5)).collect();
        assert_eq!(presses(&all), "9");
        let marked: Vec<Packet> = all.iter().map(|packet| Packet { marker: true, ..*packet }).collect();
        assert_eq!(presses(&marked), "9");
    }

    #[test]
    fn repeated_ends_that_move_the_timestamp_are_one_press_and_two_presses_stay_two() {
        let ends = |from: u32| (0..3).map(move |n| packet('9', from + n * 160, 640, true));
        let press: Vec<Packet> = (0..4).map(|n| packet('9', 1_000, n * 160, false)).chain(ends(1_000)).collect();
        assert_eq!(presses(&press), "9");
        let again = press.iter().map(|packet| Packet { timestamp: packet.timestamp + 1_200, ..*packet });
        assert_eq!(presses(&press.iter().copied().chain(again).collect::<Vec<_>>()), "99");
    }

    #[test]
    fn quick_presses_whose_ends_are_lost_stay_two_with_and_without_a_mark() {
        for marker in [false, true] {
            let press = |from: u32| (1..4).map(move |n| Packet { marker, ..packet('4', from, n * 160, false) });
            assert_eq!(presses(&press(1_000).chain(press(1_720)).collect::<Vec<_>>()), "44", "{marker}");
        }
    }

    #[test]
    fn another_sender_begins_anew() {
        let other = Packet { ssrc: 2, ..packet('4', 10, 160, false) };
        assert_eq!(presses(&[packet('4', 900_000, 0, false), other]), "44");
    }

    #[test]
    fn a_press_whose_end_was_lost_is_over_after_a_while() {
        let mut receiver = Receiver::default();
        receiver.on_packet(0, packet('4', 10, 0, false));
        assert!(receiver.is_down(900) && !receiver.is_down(1_000));
    }
}
