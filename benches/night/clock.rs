//! Calendar time in nanoseconds, because that is what the kernel stamps datagrams with; and sleeping.

use std::thread::sleep;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nix::time::{ClockId, ClockNanosleepFlags, clock_gettime, clock_nanosleep};

/// Nanoseconds since 1970.
pub type Nanos = i64;

pub const MS: Nanos = 1_000_000;
pub const SECOND: Nanos = 1_000 * MS;

/// Now.
pub fn now() -> Nanos {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Nanos::try_from(since.as_nanos()).unwrap_or(Nanos::MAX)
}

/// Sleeps at least that long.
pub fn pause(length: Nanos) {
    sleep(Duration::from_nanos(u64::try_from(length).unwrap_or(0)));
}

/// Beats at a fixed rate: a late beat does not move the ones that follow.
pub struct Beat {
    next: Duration,
    every: Duration,
}

impl Beat {
    pub fn new(every: Duration) -> Beat {
        let now = clock_gettime(ClockId::CLOCK_MONOTONIC).expect("every Linux has a monotonic clock");
        Beat { next: Duration::from(now) + every, every }
    }

    /// Sleeps until the next beat.
    pub fn wait(&mut self) {
        // A signal wakes early, which costs one early beat.
        let _ = clock_nanosleep(ClockId::CLOCK_MONOTONIC, ClockNanosleepFlags::TIMER_ABSTIME, &self.next.into());
        self.next += self.every;
    }
}
