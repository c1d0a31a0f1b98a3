//! One loudness for every voice, and the silence around it.
//!
//! Pure functions over samples. 0 dBm0 is the level of ITU-T G.711 §4: its full-scale sine is +3.14 dBm0, so a
//! full-scale square wave is +6.15 dBm0.

use crate::media::{Prompt, SAMPLE_RATE};

/// Where speech stands; `tools/make-prompts` brings the recordings to the same.
const SPEECH_DBM0: f32 = -19.0;
/// What a square wave of full scale would be.
const FULL_SCALE_DBM0: f32 = 6.15;
/// No sample louder than this share of full scale (-3 dB).
const PEAK: f32 = 0.708;
/// Samples of one measured frame, 20 ms.
const FRAME: usize = SAMPLE_RATE as usize / 50;
/// A frame this far below the loudest is a pause (30 dB, as a power).
const PAUSE: f32 = 1e-3;
/// A frame this far below the loudest is silence (45 dB, as a power).
const SILENCE: f32 = 3.2e-5;
/// Speech below this is a synthesiser's own noise, and is not made louder (-60 dB of full scale, as a power).
const NOISE: f32 = 1e-6;
/// Frames that are kept before the first sound and after the last one, where there are any.
const KEEP_BEFORE: usize = 2;
const KEEP_AFTER: usize = 4;
/// Silence put behind: the pause of a speaker between two sentences.
const GAP: usize = SAMPLE_RATE as usize / 4;
/// What a telephone does not carry begins here, in Hz; the recordings are filtered at the same.
const LOWEST: f64 = 180.0;

/// The level of the speech in dBm0; pauses do not count. Minus infinity for silence.
pub fn active_dbm0(samples: &[i16]) -> f32 {
    FULL_SCALE_DBM0 + 10.0 * active_power(&powers(samples)).log10()
}

/// Takes away what lies below the telephone's band (above it there is nothing at 8 kHz), trims what a synthesiser
/// leaves around its words, brings them to the level of the recordings and puts a pause behind. `None` when there is
/// nothing but silence.
pub fn finish(samples: &[i16]) -> Option<Prompt> {
    let samples = &high_pass(samples);
    let powers = powers(samples);
    let active = active_power(&powers);
    let floor = loudest(&powers) * SILENCE;
    if active < NOISE {
        return None;
    }
    let first = powers.iter().position(|&power| power > floor)?;
    let last = powers.iter().rposition(|&power| power > floor)?;
    let begin = first.saturating_sub(KEEP_BEFORE) * FRAME;
    let end = samples.len().min((last + 1 + KEEP_AFTER) * FRAME);
    let words = samples.get(begin..end)?;

    let wanted = 10f32.powf((SPEECH_DBM0 - FULL_SCALE_DBM0) / 20.0) / active.sqrt();
    let peak = words.iter().map(|&s| unit(s).abs()).fold(0.0, f32::max);
    let gain = wanted.min(PEAK / peak);
    let louder = words.iter().map(|&s| (f32::from(s) * gain).round() as i16);
    Some(louder.chain(std::iter::repeat_n(0, GAP)).collect())
}

/// A Butterworth high-pass of second order, 12 dB an octave.
fn high_pass(samples: &[i16]) -> Vec<i16> {
    let k = (std::f64::consts::PI * LOWEST / f64::from(SAMPLE_RATE)).tan();
    let norm = 1.0 / (1.0 + std::f64::consts::SQRT_2 * k + k * k);
    let (b1, a1, a2) = (-2.0 * norm, 2.0 * (k * k - 1.0) * norm, (1.0 - std::f64::consts::SQRT_2 * k + k * k) * norm);
    let (mut first, mut second) = (0.0, 0.0);
    let filter = |&sample: &i16| {
        let sample = f64::from(sample);
        let out = sample * norm + first;
        first = sample * b1 - out * a1 + second;
        second = sample * norm - out * a2;
        out.round() as i16
    };
    samples.iter().map(filter).collect()
}

fn unit(sample: i16) -> f32 {
    f32::from(sample) / 32_768.0
}

/// The mean power of every frame; 1 is a square wave of full scale.
fn powers(samples: &[i16]) -> Vec<f32> {
    let mean = |frame: &[i16]| frame.iter().map(|&s| unit(s).powi(2)).sum::<f32>() / FRAME as f32;
    samples.chunks(FRAME).map(mean).collect()
}

fn loudest(powers: &[f32]) -> f32 {
    powers.iter().copied().fold(0.0, f32::max)
}

/// The mean power of the frames that are not pauses.
fn active_power(powers: &[f32]) -> f32 {
    let floor = loudest(powers) * PAUSE;
    let (sum, count) =
        powers.iter().filter(|&&power| power > floor).fold((0.0, 0u32), |(sum, count), power| (sum + power, count + 1));
    if count == 0 { 0.0 } else { sum / count as f32 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(amplitude: f32, frames: usize) -> Vec<i16> {
        (0..frames * FRAME).map(|i| (amplitude * (i as f32 * 0.77).sin()).round() as i16).collect()
    }

    #[test]
    fn a_full_scale_sine_is_the_level_g711_gives_it() {
        assert!((active_dbm0(&tone(32_767.0, 50)) - 3.1).abs() < 0.1);
        assert_eq!(active_dbm0(&[0; 800]), f32::NEG_INFINITY);
    }

    #[test]
    fn quiet_and_loud_voices_come_out_alike_and_pauses_do_not_count() {
        for amplitude in [100.0, 3_000.0, 32_000.0] {
            let mut speech = tone(amplitude, 25);
            speech.extend([0; 50 * FRAME]);
            speech.extend(tone(amplitude, 25));
            let level = active_dbm0(&finish(&speech).unwrap());
            assert!((level - SPEECH_DBM0).abs() < 0.1, "{amplitude}: {level}");
        }
    }

    #[test]
    fn silence_around_is_trimmed_and_a_pause_put_behind() {
        let mut speech = vec![0; 100 * FRAME];
        speech.extend(tone(5_000.0, 50));
        speech.extend([0; 100 * FRAME]);
        let prompt = finish(&speech).unwrap();
        let kept = (KEEP_BEFORE + 50 + KEEP_AFTER) * FRAME + GAP;
        // The filter rings for a frame.
        assert!((kept..=kept + FRAME).contains(&prompt.len()), "{} samples", prompt.len());
    }

    #[test]
    fn a_peaky_voice_is_turned_down_and_not_clipped() {
        let mut speech = tone(300.0, 50);
        speech[4_000] = 20_000;
        let prompt = finish(&speech).unwrap();
        let peak = prompt.iter().max().copied().unwrap();
        assert!((23_100..=23_300).contains(&peak), "{peak}");
    }

    #[test]
    fn rumble_is_taken_away_and_speech_is_not() {
        let sine = |hz: f32| -> Vec<i16> {
            let step = hz * std::f32::consts::TAU / SAMPLE_RATE as f32;
            (0..16_000).map(|i| (8_000.0 * (i as f32 * step).sin()).round() as i16).collect()
        };
        let kept = |hz: f32| active_dbm0(&high_pass(&sine(hz))) - active_dbm0(&sine(hz));
        assert!(kept(50.0) < -20.0, "{} dB at 50 Hz", kept(50.0));
        assert!(kept(300.0) > -1.0 && kept(1_000.0) > -0.1, "{} dB at 300 Hz", kept(300.0));
    }

    #[test]
    fn silence_is_no_prompt() {
        assert_eq!(finish(&[0; 8_000]), None);
        assert_eq!(finish(&[]), None);
        assert_eq!(finish(&tone(20.0, 50)), None);
    }
}
