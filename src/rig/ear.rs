//! What can be said of a recording: how loud, how long somebody spoke, whether a tone is in it.

use core::f64::consts::TAU;

use crate::audio::level;
use crate::media::{FRAME, SAMPLE_RATE};

/// Quieter frames are silence, in dBm0.
const SILENCE_DBM0: f32 = -45.0;
/// Samples of one look for a tone: 100 ms, which tells tones 10 Hz apart.
const WINDOW: usize = 800;

/// Seconds in which something was to be heard.
pub fn voice_seconds(samples: &[i16]) -> f64 {
    loud(samples).count() as f64 * FRAME as f64 / f64::from(SAMPLE_RATE)
}

/// The mean level of what was to be heard, pauses left out, in dBm0; about -130 when there was nothing.
pub fn voice_dbm0(samples: &[i16]) -> f32 {
    let (sum, frames) = loud(samples).fold((0f32, 0f32), |(sum, frames), power| (sum + power, frames + 1.0));
    level::dbm0(if frames > 0.0 { sum / frames } else { 0.0 })
}

/// The mean level of the tone of `hz` over all of `samples`, in dBm0. A sound of another pitch, 40 Hz and more
/// away, does not show; a voice shows where it happens to have that pitch.
pub fn tone_dbm0(samples: &[i16], hz: f64) -> f32 {
    let windows = samples.chunks_exact(WINDOW);
    let count = windows.len().max(1) as f64;
    level::dbm0((windows.map(|window| power(window, hz)).sum::<f64>() / count) as f32)
}

/// The mean squares of the frames that are no silence.
fn loud(samples: &[i16]) -> impl Iterator<Item = f32> + '_ {
    let least = level::from_dbm0(SILENCE_DBM0);
    samples.chunks_exact(FRAME).map(level::mean_square).filter(move |power| *power > least)
}

/// The mean square of the sine of `hz` in a window, by Goertzel's recurrence under a Hann window.
fn power(window: &[i16], hz: f64) -> f64 {
    let turn = TAU * hz / f64::from(SAMPLE_RATE);
    let (coefficient, length) = (2.0 * turn.cos(), window.len() as f64);
    let (mut last, mut before) = (0.0, 0.0);
    for (n, sample) in window.iter().enumerate() {
        let hann = 0.5 - 0.5 * (TAU * n as f64 / length).cos();
        (last, before) = (f64::from(*sample) * hann + coefficient * last - before, last);
    }
    let magnitude = last * last + before * before - coefficient * last * before;
    // A Hann window halves the amplitude; a sine's mean square is half its amplitude squared.
    8.0 * magnitude / (length * length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::tone::{Sine, sines};
    use core::time::Duration;

    #[test]
    fn a_tone_is_found_at_its_level_and_nowhere_else() {
        let tone = sines(&[Sine { hz: 345.0, dbm0: -16.0 }], Duration::from_secs(1));
        assert!((tone_dbm0(&tone, 345.0) + 16.0).abs() < 0.3, "{}", tone_dbm0(&tone, 345.0));
        assert!(tone_dbm0(&tone, 465.0) < -60.0, "{}", tone_dbm0(&tone, 465.0));
        assert!(tone_dbm0(&[], 345.0) < -100.0);
    }

    #[test]
    fn pauses_count_neither_as_voice_nor_into_its_level() {
        let mut samples = sines(&[Sine { hz: 500.0, dbm0: -20.0 }], Duration::from_secs(1));
        samples.resize(24_000, 0);
        assert!((voice_seconds(&samples) - 1.0).abs() < 0.03);
        assert!((voice_dbm0(&samples) + 20.0).abs() < 0.3);
    }
}
