//! The only place that reads a clock.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::base::{Stamp, Time};

/// Steady time since the process began, and the calendar beside it.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    started: Instant,
}

impl Clock {
    /// The clock at [`Time::ZERO`].
    pub fn start() -> Clock {
        Clock { started: Instant::now() }
    }

    /// How far we are.
    pub fn now(&self) -> Time {
        Time::ZERO + self.started.elapsed()
    }

    /// The calendar time of [`Time::ZERO`], as the system's calendar has it at this moment.
    pub fn began(&self) -> Stamp {
        let elapsed = self.started.elapsed();
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let micros = since_epoch.saturating_sub(elapsed).as_micros();
        Stamp::from_unix_micros(i64::try_from(micros).unwrap_or(i64::MAX))
    }

    /// The calendar time of this moment.
    pub fn calendar(&self) -> Stamp {
        self.began() + self.started.elapsed()
    }

    /// The moment `at`, as the runtime's timers want it.
    pub fn instant(&self, at: Time) -> Instant {
        self.started + Duration::from_micros(at.as_micros())
    }
}
