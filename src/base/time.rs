//! Two kinds of time that must never be mixed up.
//!
//! [`Time`] runs forward from zero at start and is what machines count with; a test starts at zero and
//! jumps. [`Stamp`] is calendar time and is only ever written down or shown: it may step backwards when
//! the clock is set.

use core::ops::Add;
use core::time::Duration;
use serde::{Deserialize, Serialize};

/// Microseconds since the process (or the test) began. Never goes back.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Time(u64);

impl Time {
    /// The moment everything began.
    pub const ZERO: Time = Time(0);

    /// The moment `micros` microseconds after the beginning.
    pub const fn from_micros(micros: u64) -> Time {
        Time(micros)
    }

    /// Microseconds since the beginning.
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// How long ago `earlier` was; zero when it is still to come.
    pub const fn since(self, earlier: Time) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Time {
    type Output = Time;

    fn add(self, later: Duration) -> Time {
        let micros = u64::try_from(later.as_micros()).unwrap_or(u64::MAX);
        Time(self.0.saturating_add(micros))
    }
}

/// Calendar time: microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Stamp(i64);

impl Stamp {
    /// The stamp `micros` microseconds after the Unix epoch.
    pub const fn from_unix_micros(micros: i64) -> Stamp {
        Stamp(micros)
    }

    /// Microseconds after the Unix epoch.
    pub const fn as_unix_micros(self) -> i64 {
        self.0
    }

    /// How long `earlier` lies back; zero when the clock was set back in between.
    pub const fn since(self, earlier: Stamp) -> Duration {
        let micros = self.0.saturating_sub(earlier.0);
        Duration::from_micros(if micros < 0 { 0 } else { micros.unsigned_abs() })
    }
}

impl Add<Duration> for Stamp {
    type Output = Stamp;

    fn add(self, later: Duration) -> Stamp {
        let micros = i64::try_from(later.as_micros()).unwrap_or(i64::MAX);
        Stamp(self.0.saturating_add(micros))
    }
}
