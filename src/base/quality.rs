//! How well the two sides of a call heard each other. Media measures it, the record of a call keeps it.

use core::fmt;
use serde::{Deserialize, Serialize};

/// From here on a loss is heard: words have holes.
const LOSS_BAD: f64 = 3.0;
/// From here on packets come too late to be played, whatever plays them.
const JITTER_BAD_MS: u32 = 60;
/// From here on people talk into each other's words (half of it is one way; ITU-T G.114 plans with 400 ms at most).
const ROUND_TRIP_BAD_MS: u32 = 600;

/// How well the two sides of a call heard each other, so far.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Quality {
    /// What we heard of the other side.
    pub here: Heard,
    /// What the other side says it heard of us; many never say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub there: Option<Heard>,
    /// There and back, by the other side's reports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub round_trip_ms: Option<u32>,
}

/// What one side heard of the other.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Heard {
    /// Packets that should have come.
    pub packets: u64,
    /// Those that did not.
    pub lost: u64,
    /// How unevenly they came (RFC 3550 §6.4.1), in milliseconds.
    pub jitter_ms: u32,
}

impl Heard {
    /// Of what should have come, so much did not.
    pub fn loss_percent(&self) -> f64 {
        if self.packets == 0 { 0.0 } else { self.lost as f64 / self.packets as f64 * 100.0 }
    }

    /// Was it bad enough for somebody to notice?
    pub fn is_bad(&self) -> bool {
        self.loss_percent() >= LOSS_BAD || self.jitter_ms >= JITTER_BAD_MS
    }
}

impl Quality {
    /// Was it bad enough for somebody to notice, on either side?
    pub fn is_bad(&self) -> bool {
        let slow = self.round_trip_ms.is_some_and(|ms| ms >= ROUND_TRIP_BAD_MS);
        self.here.is_bad() || self.there.is_some_and(|there| there.is_bad()) || slow
    }
}

impl fmt::Display for Heard {
    /// `12 % loss, jitter 4 ms`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let loss = self.loss_percent();
        let digits = usize::from(loss > 0.0 && loss < 10.0);
        write!(f, "{loss:.digits$} % loss, jitter {} ms", self.jitter_ms)
    }
}

impl fmt::Display for Quality {
    /// `we heard 0 % loss, jitter 4 ms; the other side heard 12 % loss, jitter 20 ms; round trip 35 ms`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "we heard {}", self.here)?;
        self.there.map_or(Ok(()), |there| write!(f, "; the other side heard {there}"))?;
        self.round_trip_ms.map_or(Ok(()), |ms| write!(f, "; round trip {ms} ms"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FINE: Heard = Heard { packets: 1_000, lost: 4, jitter_ms: 5 };

    #[test]
    fn it_is_said_in_words_who_heard_what() {
        let there = Heard { packets: 500, lost: 60, jitter_ms: 20 };
        let quality = Quality { here: FINE, there: Some(there), round_trip_ms: Some(35) };
        let said = "we heard 0.4 % loss, jitter 5 ms; the other side heard 12 % loss, jitter 20 ms; round trip 35 ms";
        assert_eq!(quality.to_string(), said);
        let silent = Quality { here: Heard::default(), ..Quality::default() };
        assert_eq!(silent.to_string(), "we heard 0 % loss, jitter 0 ms");
    }

    #[test]
    fn loss_jitter_and_delay_make_it_bad_on_either_side() {
        let fine = Quality { here: FINE, there: Some(FINE), round_trip_ms: Some(80) };
        let lossy = Heard { lost: 30, ..FINE };
        let uneven = Heard { jitter_ms: 60, ..FINE };
        assert!(!fine.is_bad());
        assert!(Quality { here: lossy, ..fine }.is_bad());
        assert!(Quality { there: Some(uneven), ..fine }.is_bad());
        assert!(Quality { round_trip_ms: Some(600), ..fine }.is_bad());
    }

    #[test]
    fn it_is_written_without_what_is_not_known_and_read_again() {
        let quality = Quality { here: FINE, ..Quality::default() };
        let written = serde_json::to_string(&quality).unwrap();
        assert_eq!(written, r#"{"here":{"packets":1000,"lost":4,"jitter_ms":5}}"#);
        assert_eq!(serde_json::from_str::<Quality>(&written).unwrap(), quality);
    }
}
