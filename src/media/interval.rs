//! When a leg reports: every few seconds, at random, so that many do not do it at once (RFC 3550 §6.2, §6.3).
//!
//! A call has two members and much room for reports, so of the rules for the interval the least of five seconds is
//! what counts; the first comes after half of it. What is left of the rest is the draw between half and
//! one and a half of that, and that it is drawn once more when it is over (§6.3.6), which is why it is divided.

use super::SAMPLE_RATE;

/// The least interval, in samples (RFC 3550 §6.2).
const LEAST: i64 = 5 * SAMPLE_RATE as i64;
/// What drawing twice makes up for: e less 3/2, in hundred thousandths (RFC 3550 §6.3.1).
const COMPENSATION: i64 = 121_828;

/// The rhythm of one leg's reports.
#[derive(Clone, Copy, Debug)]
pub(super) struct Interval {
    /// The last report, or the beginning.
    last: i64,
    due: i64,
    first: bool,
    /// The last number drawn; never 0.
    drawn: u32,
}

impl Interval {
    /// From `seed` come all draws. It begins with [`Interval::restart`].
    pub fn new(seed: u32) -> Interval {
        Interval { last: 0, due: 0, first: true, drawn: seed.max(1) }
    }

    /// Begins at `at`: somebody is there to report to.
    pub fn restart(&mut self, at: i64) {
        (self.last, self.first) = (at, true);
        self.due = at + self.draw();
    }

    /// Is it time for a report? Then the next interval begins.
    pub fn is_over(&mut self, at: i64) -> bool {
        if at < self.due {
            return false;
        }
        self.due = self.last + self.draw();
        if at < self.due {
            return false;
        }
        (self.last, self.first) = (at, false);
        self.due = at + self.draw();
        true
    }

    fn draw(&mut self) -> i64 {
        // Marsaglia's xorshift: plenty for moments that nobody has to guess wrong.
        self.drawn ^= self.drawn << 13;
        self.drawn ^= self.drawn >> 17;
        self.drawn ^= self.drawn << 5;
        let least = if self.first { LEAST / 2 } else { LEAST };
        let drawn = least / 2 + ((least * i64::from(self.drawn >> 12)) >> 20);
        drawn * 100_000 / COMPENSATION
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_come_every_two_to_six_seconds_and_the_first_sooner() {
        let mut gaps = Vec::new();
        for seed in 0..50 {
            let mut interval = Interval::new(seed * 77_777);
            interval.restart(7);
            let mut last = 7;
            let reports: Vec<i64> = (1..30_000)
                .map(|frame| 7 + frame * 160)
                .filter(|at| interval.is_over(*at))
                .map(|at| at - core::mem::replace(&mut last, at))
                .collect();
            // 20 ms are the frames' own; what is drawn twice may be longer than half and a half.
            assert!((8_200..=24_800).contains(&reports[0]), "the first after {} samples", reports[0]);
            gaps.extend_from_slice(&reports[1..]);
        }
        assert!(gaps.iter().all(|gap| (16_400..=49_600).contains(gap)), "{gaps:?}");
        let mean = gaps.iter().sum::<i64>() / gaps.len() as i64;
        assert!((38_000..=42_000).contains(&mean), "five seconds in the mean, not {mean} samples");
        assert!(gaps.iter().max() > gaps.iter().min().map(|least| least + 20_000).as_ref());
    }
}
