//! The clockwork of SIP: how long things take and how a message is sent again.
//!
//! Values and names are those of RFC 3261 §17 (table 4) and RFC 6026 §7.

use core::time::Duration;

use crate::base::Time;

/// An estimate of the round trip; the first pause before a message is sent again.
pub const T1: Duration = Duration::from_millis(500);
/// The longest pause between two sendings.
pub const T2: Duration = Duration::from_secs(4);
/// The longest time a message stays in the network.
pub const T4: Duration = Duration::from_secs(5);
/// Timers B, F, H, J, L and M: 64 times T1.
pub const GIVE_UP: Duration = Duration::from_secs(32);
/// Timer D over UDP (over a connection it is zero): at least 32 seconds.
pub const TIMER_D: Duration = Duration::from_secs(32);

/// A message that is sent again at growing intervals.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Resend {
    /// When the next copy goes out.
    pub at: Time,
    interval: Duration,
    longest: Duration,
}

impl Resend {
    /// Timer A: doubles without a bound, because timer B ends it.
    pub fn doubling(now: Time) -> Resend {
        Resend { at: now + T1, interval: T1, longest: Duration::MAX }
    }

    /// Timers E and G, and the 200 to an INVITE: doubles up to T2.
    pub fn capped(now: Time) -> Resend {
        Resend { at: now + T1, interval: T1, longest: T2 }
    }

    /// A provisional response slows timer E down to T2.
    pub fn slowed(now: Time) -> Resend {
        Resend { at: now + T2, interval: T2, longest: T2 }
    }

    /// The one after this. Counts from `now`, so that a late wake-up is not made up for by a burst.
    pub fn next(self, now: Time) -> Resend {
        let interval = self.interval.saturating_mul(2).min(self.longest);
        Resend { at: now + interval, interval, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_capped_interval_stops_growing_at_four_seconds() {
        let mut resend = Resend::capped(Time::ZERO);
        let mut gaps = Vec::new();
        let mut last = Time::ZERO;
        for _ in 0..6 {
            gaps.push(resend.at.since(last).as_millis());
            last = resend.at;
            resend = resend.next(resend.at);
        }
        assert_eq!(gaps, [500, 1000, 2000, 4000, 4000, 4000]);
    }
}
