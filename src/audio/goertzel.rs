//! How much of each of the eight DTMF tones a piece of voice holds.
//!
//! The voice is taken in hops of 5 ms. A hop is multiplied with the cosine and the sine of all eight tones
//! at once (sixteen lanes, four vector instructions a sample), which costs each sample once; a window of
//! several hops is then their sum, each turned by the phase that its tone has gone on meanwhile. Goertzel's
//! recurrence gives the same numbers, but every one of its steps waits for the one before.
//!
//! Two windows a hop apart also tell how far off a tone is: by how much its phase moved beyond what its
//! nominal frequency explains. That is what tells a key from a voice.

use core::f32::consts::TAU;

use super::RATE;
use super::tone::{HIGH_HZ, LOW_HZ};

/// Samples of one hop: 5 ms.
pub const HOP: usize = 40;
/// Hops of one window: 20 ms.
pub const HOPS: usize = 4;
/// Samples of one window.
pub const WINDOW: usize = HOP * HOPS;
/// The four low tones, then the four high ones.
pub const TONES: usize = 8;

/// A complex number a tone.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Spectrum {
    /// Along the cosine.
    pub re: [f32; TONES],
    /// Along the sine, negative.
    pub im: [f32; TONES],
}

/// The tables, shared by all detectors.
#[derive(Debug)]
pub struct Bank {
    /// For each sample of a hop: eight cosines, eight negative sines.
    waves: [[f32; 2 * TONES]; HOP],
    /// For each hop of a window: by how much each tone has turned since the window began, backwards.
    turns: [Spectrum; HOPS],
}

impl Default for Bank {
    fn default() -> Self {
        Bank::new()
    }
}

impl Bank {
    /// Computes the tables.
    pub fn new() -> Bank {
        let waves = core::array::from_fn(|n| {
            core::array::from_fn(|lane| {
                let angle = angle(lane % TONES, n);
                if lane < TONES { angle.cos() as f32 } else { -angle.sin() as f32 }
            })
        });
        let turns = core::array::from_fn(|hop| Spectrum {
            re: core::array::from_fn(|tone| angle(tone, hop * HOP).cos() as f32),
            im: core::array::from_fn(|tone| -angle(tone, hop * HOP).sin() as f32),
        });
        Bank { waves, turns }
    }

    /// One hop.
    #[inline]
    pub fn hop(&self, samples: &[i16; HOP]) -> Spectrum {
        let mut sums = [0f32; 2 * TONES];
        for (&sample, waves) in samples.iter().zip(&self.waves) {
            let sample = f32::from(sample);
            for (sum, wave) in sums.iter_mut().zip(waves) {
                *sum += sample * wave;
            }
        }
        Spectrum { re: core::array::from_fn(|t| sums[t]), im: core::array::from_fn(|t| sums[t + TONES]) }
    }

    /// One window, from its hops in the order of time.
    #[inline]
    pub fn window(&self, hops: [&Spectrum; HOPS]) -> Spectrum {
        let mut sum = Spectrum::default();
        for (hop, turn) in hops.iter().zip(&self.turns) {
            for t in 0..TONES {
                sum.re[t] += hop.re[t] * turn.re[t] - hop.im[t] * turn.im[t];
                sum.im[t] += hop.re[t] * turn.im[t] + hop.im[t] * turn.re[t];
            }
        }
        sum
    }

    /// How far off its nominal frequency `tone` is, in hertz: within ±100. `later` is the window one hop after
    /// `earlier`.
    pub fn offset_hz(&self, tone: usize, earlier: &Spectrum, later: &Spectrum) -> f32 {
        let tone = tone % TONES;
        // later * conj(earlier), turned back by what the nominal tone does in one hop.
        let re = later.re[tone] * earlier.re[tone] + later.im[tone] * earlier.im[tone];
        let im = later.im[tone] * earlier.re[tone] - later.re[tone] * earlier.im[tone];
        let turn = (self.turns[1].re[tone], self.turns[1].im[tone]);
        let (re, im) = (re * turn.0 - im * turn.1, re * turn.1 + im * turn.0);
        im.atan2(re) / TAU * (RATE as f32 / HOP as f32)
    }
}

impl Spectrum {
    /// The mean square of the sine that `tone` is, seen through one window; `offset_hz` off its frequency it
    /// is seen weaker, which is made up for.
    pub fn power(&self, tone: usize, offset_hz: f32) -> f32 {
        let tone = tone % TONES;
        let x = core::f32::consts::PI * offset_hz * WINDOW as f32 / RATE as f32;
        let seen = if x.abs() < 1e-3 { 1.0 } else { x.sin() / x };
        self.magnitude(tone) * (2.0 / (WINDOW * WINDOW) as f32) / (seen * seen).max(0.1)
    }

    /// The squared magnitude of `tone`.
    pub fn magnitude(&self, tone: usize) -> f32 {
        let tone = tone % TONES;
        self.re[tone] * self.re[tone] + self.im[tone] * self.im[tone]
    }
}

/// The nominal frequency of `tone`, in hertz.
pub fn nominal_hz(tone: usize) -> f64 {
    if tone % TONES < 4 { LOW_HZ[tone % 4] } else { HIGH_HZ[tone % 4] }
}

fn angle(tone: usize, samples: usize) -> f64 {
    core::f64::consts::TAU * nominal_hz(tone) * samples as f64 / f64::from(RATE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::level;
    use crate::audio::tone::{Sine, sines};
    use core::time::Duration;

    fn two_windows(hz: f64) -> (Bank, Spectrum, Spectrum) {
        let bank = Bank::new();
        let samples = sines(&[Sine { hz, dbm0: -12.0 }], Duration::from_millis(25));
        let hops: Vec<Spectrum> = samples.as_chunks::<HOP>().0.iter().map(|hop| bank.hop(hop)).collect();
        let window = |at: usize| bank.window([&hops[at], &hops[at + 1], &hops[at + 2], &hops[at + 3]]);
        let (earlier, later) = (window(0), window(1));
        (bank, earlier, later)
    }

    #[test]
    fn a_window_shows_the_level_of_its_tone_and_little_of_the_others() {
        for tone in 0..TONES {
            let (_, window, _) = two_windows(nominal_hz(tone));
            let level = level::dbm0(window.power(tone, 0.0));
            assert!((level + 12.0).abs() < 0.3, "tone {tone}: {level} dBm0");
            for other in (0..TONES).filter(|&other| other != tone) {
                let ratio = window.magnitude(other) / window.magnitude(tone);
                assert!(ratio < 0.06, "tone {tone} seen as {other}: {ratio}");
            }
        }
    }

    #[test]
    fn two_windows_tell_how_far_off_a_tone_is() {
        for off in [-30.0, -12.5, 0.0, 5.0, 24.0] {
            let (bank, earlier, later) = two_windows(nominal_hz(1) + off);
            let found = bank.offset_hz(1, &earlier, &later);
            assert!((f64::from(found) - off).abs() < 2.0, "{off}: {found}");
            let level = level::dbm0(later.power(1, found));
            assert!((level + 12.0).abs() < 0.5, "{off}: {level} dBm0");
        }
    }
}
