//! Medians and tails of what was measured.

use std::fmt::Write;

use crate::clock::Nanos;

/// Durations, sorted.
#[derive(Clone, Debug)]
pub struct Sorted(Vec<Nanos>);

impl Sorted {
    /// Fails when nothing was measured, because a figure of nothing looks like a good one.
    pub fn new(mut values: Vec<Nanos>) -> crate::Result<Sorted> {
        if values.is_empty() {
            return Err("nothing was measured".to_owned());
        }
        values.sort_unstable();
        Ok(Sorted(values))
    }

    /// The smallest value that `permille` of all do not exceed (nearest rank).
    pub fn at(&self, permille: usize) -> Nanos {
        let rank = (self.0.len() * permille).div_ceil(1_000).clamp(1, self.0.len());
        self.0[rank - 1]
    }

    pub fn median(&self) -> Nanos {
        self.at(500)
    }

    pub fn p99(&self) -> Nanos {
        self.at(990)
    }

    pub fn max(&self) -> Nanos {
        self.at(1_000)
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// `median 1.23, p99 4.56 ms`.
    pub fn middle_and_tail(&self) -> String {
        format!("median {}, p99 {} ms", ms(self.median()), ms(self.p99()))
    }

    /// The same with the worst and how many there were.
    pub fn whole(&self) -> String {
        let mut text = format!("median {}, p99 {}, max {} ms", ms(self.median()), ms(self.p99()), ms(self.max()));
        let _ = write!(text, " (n = {})", self.len());
        text
    }
}

/// Milliseconds with two digits behind the point.
pub fn ms(nanos: Nanos) -> String {
    format!("{:.2}", nanos as f64 / 1e6)
}
