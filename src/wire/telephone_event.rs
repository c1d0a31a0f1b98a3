//! The payload of a telephone-event packet: one key, four bytes (RFC 4733 §2.3).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! |     event     |E|R| volume    |          duration             |
//! ```
//!
//! Easy to get wrong: the packets of one key all carry the timestamp of its beginning, and the last one is
//! sent three times (§2.5.1.4), so a key is known by its timestamp and not by its end bits.

use crate::base::Digit;

/// One report about an event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Event {
    /// 0 to 15 are the telephone keys.
    pub code: u8,
    /// The key is up again.
    pub end: bool,
    /// 0 to 63: the level in dBm0 without its minus sign. Only keys have one.
    pub volume: u8,
    /// For how long so far, in timestamp units: 8 to the millisecond.
    pub duration: u16,
}

impl Event {
    /// Reads a payload; `None` when it is too short. What follows the first four bytes is not looked at.
    pub fn read(payload: &[u8]) -> Option<Event> {
        let &[code, flags, d0, d1] = payload.first_chunk()?;
        let duration = u16::from_be_bytes([d0, d1]);
        Some(Event { code, end: flags & 0x80 != 0, volume: flags & 0x3f, duration })
    }

    /// The payload.
    pub const fn to_bytes(self) -> [u8; 4] {
        let [d0, d1] = self.duration.to_be_bytes();
        [self.code, (self.end as u8) << 7 | (self.volume & 0x3f), d0, d1]
    }

    /// The key, when it is one.
    pub const fn digit(self) -> Option<Digit> {
        Digit::from_event(self.code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_read_bit_by_bit() {
        let pound = Event::read(&[11, 0b1100_1010, 0x03, 0x20, 99]).unwrap();
        assert_eq!(pound, Event { code: 11, end: true, volume: 10, duration: 800 });
        assert_eq!(pound.digit(), Digit::from_char('#'));
        assert_eq!(pound.to_bytes(), [11, 0b1000_1010, 0x03, 0x20], "the reserved bit is sent as zero");
    }

    #[test]
    fn a_short_payload_is_no_event_and_a_hook_flash_no_key() {
        assert_eq!(Event::read(&[1, 2, 3]), None);
        assert_eq!(Event::read(&[16, 0, 0, 0]).unwrap().digit(), None);
    }
}
