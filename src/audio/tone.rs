//! Makes tones: for the software phones, for recorded prompts, and to test what detects them.
//!
//! This allocates and calls `sin`; it is not for the hot path.

use core::f64::consts::TAU;
use core::time::Duration;

use super::{RATE, level};
use crate::base::Digit;

/// The low tones of the four rows of keys, in hertz (ITU-T Q.23).
pub const LOW_HZ: [f64; 4] = [697.0, 770.0, 852.0, 941.0];
/// The high tones of the four columns of keys, in hertz (ITU-T Q.23).
pub const HIGH_HZ: [f64; 4] = [1209.0, 1336.0, 1477.0, 1633.0];
/// The keys by row and column.
pub const KEYPAD: [[char; 4]; 4] =
    [['1', '2', '3', 'A'], ['4', '5', '6', 'B'], ['7', '8', '9', 'C'], ['*', '0', '#', 'D']];

/// A sine.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Sine {
    /// Its frequency in hertz.
    pub hz: f64,
    /// Its level in dBm0.
    pub dbm0: f32,
}

/// The sum of `sines`, cut at the limits of 16 bits.
pub fn sines(sines: &[Sine], length: Duration) -> Vec<i16> {
    let count = (length.as_micros() * u128::from(RATE) / 1_000_000).min(u128::from(RATE) * 3_600) as usize;
    let parts: Vec<(f64, f64)> = sines
        .iter()
        .map(|sine| (sine.hz * TAU / f64::from(RATE), f64::from(2.0 * level::from_dbm0(sine.dbm0)).sqrt()))
        .collect();
    let sample = |n: usize| parts.iter().map(|(step, amplitude)| amplitude * (step * n as f64).sin()).sum::<f64>();
    (0..count).map(|n| sample(n).round().clamp(-32_768.0, 32_767.0) as i16).collect()
}

/// The two tones of a key, in hertz.
pub fn frequencies(digit: Digit) -> (f64, f64) {
    let key = digit.as_char();
    let place = KEYPAD.iter().flatten().position(|&k| k == key).unwrap_or(0);
    (LOW_HZ[place / 4], HIGH_HZ[place % 4])
}

/// A key as a telephone sends it: `dbm0` is the level of the low tone, `twist_db` how much louder the high one
/// is.
pub fn key(digit: Digit, length: Duration, dbm0: f32, twist_db: f32) -> Vec<i16> {
    let (low, high) = frequencies(digit);
    sines(&[Sine { hz: low, dbm0 }, Sine { hz: high, dbm0: dbm0 + twist_db }], length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_the_level_it_was_asked_for() {
        let samples = key(Digit::from_char('5').unwrap(), Duration::from_millis(500), -10.0, 3.0);
        let both = level::from_dbm0(-10.0) + level::from_dbm0(-7.0);
        assert_eq!(samples.len(), 4_000);
        assert!((level::mean_square(&samples) / both - 1.0).abs() < 0.02);
    }

    #[test]
    fn the_hash_key_is_941_and_1477_hertz() {
        assert_eq!(frequencies(Digit::from_char('#').unwrap()), (941.0, 1477.0));
    }
}
