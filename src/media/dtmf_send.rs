//! Presses keys by RFC 4733 events: for the software phones, and for menus behind a number that is dialled.
//!
//! A press is an event packet every 20 ms with the timestamp of its beginning and a growing duration, the first
//! one marked, and three packets that say its end (RFC 4733 §2.5.1). Between two presses there is a pause, so
//! that two of the same key stay two.

use crate::audio::FRAME;
use crate::base::Digit;
use crate::wire::telephone_event::Event;

/// How long a key is held, in samples: 100 ms.
const HELD: u16 = 800;
/// How often the end is said.
const ENDS: u8 = 3;
/// Frames between two presses: 60 ms.
const PAUSE_FRAMES: u8 = 3;
/// Keys that may wait.
const WAITING: usize = 32;
/// The level that is announced: -10 dBm0.
const VOLUME: u8 = 10;

/// The keys one leg is to press.
#[derive(Clone, Debug)]
pub struct Presses {
    waiting: [Option<Digit>; WAITING],
    state: State,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Idle,
    Down { digit: Digit, began: i64 },
    Ending { digit: Digit, began: i64, duration: u16, left: u8 },
    Pause { left: u8 },
}

/// One packet of a press.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Report {
    /// The place of the press's beginning.
    pub began: i64,
    /// Its first packet.
    pub marker: bool,
    /// What it carries.
    pub event: Event,
}

impl Presses {
    /// Nothing to press.
    pub fn new() -> Presses {
        Presses { waiting: [None; WAITING], state: State::Idle }
    }

    /// Presses `digit` after those that wait; false when too many do.
    pub fn press(&mut self, digit: Digit) -> bool {
        let free = self.waiting.iter_mut().find(|waiting| waiting.is_none());
        free.map(|free| *free = Some(digit)).is_some()
    }

    /// What the frame at `place` carries instead of voice.
    pub fn frame(&mut self, place: i64) -> Option<Report> {
        match self.state {
            State::Idle => {
                let digit = self.waiting[0].take()?;
                self.waiting.rotate_left(1);
                self.state = State::Down { digit, began: place };
                Some(report(digit, place, true, false, 0))
            }
            State::Down { digit, began } => {
                // Real time decides, so a skipped frame does not stretch the press.
                let duration = u16::try_from(place - began).unwrap_or(u16::MAX).max(FRAME as u16);
                let end = duration >= HELD;
                if end {
                    self.state = State::Ending { digit, began, duration, left: ENDS - 1 };
                }
                Some(report(digit, began, false, end, duration))
            }
            State::Ending { digit, began, duration, left } => {
                let left = left - 1;
                self.state = match left {
                    0 => State::Pause { left: PAUSE_FRAMES },
                    left => State::Ending { digit, began, duration, left },
                };
                Some(report(digit, began, false, true, duration))
            }
            State::Pause { left } => {
                self.state = if left > 1 { State::Pause { left: left - 1 } } else { State::Idle };
                None
            }
        }
    }
}

impl Default for Presses {
    fn default() -> Self {
        Presses::new()
    }
}

fn report(digit: Digit, began: i64, marker: bool, end: bool, duration: u16) -> Report {
    Report { began, marker, event: Event { code: digit.event(), end, volume: VOLUME, duration } }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::dtmf::{Packet, Receiver};

    #[test]
    fn what_is_pressed_is_what_the_receiver_hears() {
        let mut presses = Presses::new();
        let mut receiver = Receiver::default();
        let keys = "5501*#";
        keys.chars().for_each(|key| assert!(presses.press(Digit::from_char(key).unwrap())));
        let mut heard = String::new();
        for place in (0..400).map(|frame| frame * 160) {
            let Some(report) = presses.frame(place) else { continue };
            let Report { began, marker, event } = report;
            let digit = event.digit().unwrap();
            let (timestamp, end, duration) = (began as u32, event.end, event.duration);
            if receiver.on_packet(place, Packet { ssrc: 1, timestamp, marker, digit, end, duration }) {
                heard.push(digit.as_char());
            }
        }
        assert_eq!(heard, keys);
    }

    #[test]
    fn a_press_is_marked_once_and_ended_three_times_with_one_duration() {
        let mut presses = Presses::new();
        presses.press(Digit::from_char('1').unwrap());
        let reports: Vec<Report> = (0..20).filter_map(|n| presses.frame(n * 160)).collect();
        let durations: Vec<u16> = reports.iter().map(|r| r.event.duration).collect();
        assert_eq!(durations, [0, 160, 320, 480, 640, 800, 800, 800]);
        assert_eq!(reports.iter().filter(|r| r.event.end).count(), 3);
        assert!(reports[0].marker && reports[1..].iter().all(|r| !r.marker && r.began == 0));
    }
}
