//! The detector against our own generator, then against what lines and people do.

use core::time::Duration;

use super::*;
use crate::audio::g711;
use crate::audio::tone::{self, KEYPAD, Sine, sines};
use crate::base::{Rng, seeded};
use rand::RngExt;

fn keys(samples: &[i16]) -> String {
    presses(samples).iter().map(|press| press.digit.as_char()).collect()
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// A key in silence, not aligned with anything.
fn press(key: char, length_ms: u64, dbm0: f32, twist_db: f32, shift: usize) -> Vec<i16> {
    let digit = Digit::from_char(key).unwrap();
    let mut samples = vec![0; 400 + shift];
    samples.extend(tone::key(digit, ms(length_ms), dbm0, twist_db));
    samples.extend([0; 400]);
    samples
}

/// A key whose low and high tone are this much off.
fn off(key: char, low: f64, high: f64) -> Vec<i16> {
    let (low_hz, high_hz) = tone::frequencies(Digit::from_char(key).unwrap());
    let tones = [Sine { hz: low_hz * (1.0 + low), dbm0: -12.0 }, Sine { hz: high_hz * (1.0 + high), dbm0: -12.0 }];
    let mut samples = vec![0; 423];
    samples.extend(sines(&tones, ms(80)));
    samples
}

fn noise(rng: &mut Rng, dbm0: f32) -> impl FnMut(i16) -> i16 {
    // Four uniform numbers make a good enough bell; the variance of their sum is 4/3 of one's range squared.
    let amplitude = (level::from_dbm0(dbm0) * 0.75).sqrt();
    move |sample| {
        let sum: f32 = (0..4).map(|_| rng.random_range(-1.0f32..1.0)).sum();
        (f32::from(sample) + sum * amplitude).clamp(-32_768.0, 32_767.0) as i16
    }
}

fn all_keys() -> impl Iterator<Item = char> + Clone {
    KEYPAD.iter().flatten().copied()
}

#[test]
fn every_key_is_heard_at_every_level_twist_and_shift() {
    for key in all_keys() {
        for (dbm0, twist) in [(-3.0, 0.0), (-8.0, 4.0), (-8.0, -8.0), (-20.0, 6.0), (-27.0, -8.0), (-33.0, 0.0)] {
            for shift in [0, 7, 19, 33] {
                let heard = keys(&press(key, 50, dbm0, twist, shift));
                assert_eq!(heard, key.to_string(), "{dbm0} dBm0, twist {twist} dB, shift {shift}");
            }
        }
    }
}

#[test]
fn what_is_told_of_a_press_is_what_it_was() {
    let heard = presses(&press('6', 100, -15.0, 3.0, 3));
    let press = heard[0];
    assert!((press.at - 403).abs() <= 40, "{press:?}");
    assert!((press.length - 800).abs() <= 60, "{press:?}");
    assert!((press.twist_db - 3.0).abs() < 0.5, "{press:?}");
    assert!((press.level_dbm0 - level::dbm0(level::from_dbm0(-15.0) + level::from_dbm0(-12.0))).abs() < 0.5);
}

#[test]
fn forty_milliseconds_are_a_press_and_twenty_three_are_not() {
    for key in all_keys() {
        for shift in 0..40 {
            assert_eq!(keys(&press(key, 40, -12.0, 0.0, shift)), key.to_string(), "shift {shift}");
            assert_eq!(keys(&press(key, 23, -12.0, 0.0, shift)), "", "shift {shift}");
        }
    }
}

#[test]
fn a_gap_of_ten_milliseconds_is_within_a_press_and_one_of_forty_is_between_two() {
    for shift in 0..40 {
        let mut samples = press('9', 80, -12.0, 0.0, shift);
        samples[400 + shift + 320..400 + shift + 400].fill(0);
        assert_eq!(keys(&samples), "9", "shift {shift}");
        let digit = Digit::from_char('9').unwrap();
        let mut samples = vec![0; 400 + shift];
        for _ in 0..3 {
            samples.extend(tone::key(digit, ms(50), -12.0, 0.0));
            samples.extend([0; 320]);
        }
        assert_eq!(keys(&samples), "999", "shift {shift}");
    }
}

#[test]
fn one_and_a_half_percent_off_is_heard_and_three_and_a_half_is_not() {
    for key in all_keys() {
        for off_low in [-0.015, 0.0, 0.015] {
            for off_high in [-0.015, 0.0, 0.015] {
                assert_eq!(keys(&off(key, off_low, off_high)), key.to_string(), "{off_low} {off_high}");
            }
        }
        for (off_low, off_high) in [(0.035, 0.0), (-0.035, 0.0), (0.0, 0.035), (0.0, -0.035), (0.035, -0.035)] {
            assert_eq!(keys(&off(key, off_low, off_high)), "", "{key} {off_low} {off_high}");
        }
    }
}

#[test]
fn too_much_twist_is_no_key() {
    assert_eq!(keys(&press('5', 80, -20.0, 12.0, 0)), "");
    assert_eq!(keys(&press('5', 80, -8.0, -14.0, 0)), "");
    assert_eq!(keys(&press('5', 80, -50.0, 0.0, 0)), "");
}

#[test]
fn keys_are_heard_through_noise_fifteen_decibels_below() {
    let mut rng = seeded(3);
    let mut heard = 0;
    for key in all_keys().cycle().take(160) {
        let mut samples = press(key, 50, -15.0, 0.0, 11);
        // Both tones together are 3 dB louder than each.
        let mut noisy = noise(&mut rng, -27.0);
        samples.iter_mut().for_each(|sample| *sample = noisy(*sample));
        heard += usize::from(keys(&samples) == key.to_string());
    }
    assert_eq!(heard, 160);
}

#[test]
fn keys_survive_clipping_and_both_laws() {
    for key in all_keys() {
        let clipped: Vec<i16> = press(key, 60, -1.0, 0.0, 5).iter().map(|s| (*s).clamp(-14_000, 14_000)).collect();
        assert_eq!(keys(&clipped), key.to_string(), "clipped");
        for dbm0 in [-5.0, -30.0] {
            let samples = press(key, 50, dbm0, 0.0, 5);
            let (mut bytes, mut ulaw, mut alaw) = (vec![0; samples.len()], samples.clone(), samples.clone());
            g711::encode_ulaw(&samples, &mut bytes);
            g711::decode_ulaw(&bytes, &mut ulaw);
            g711::encode_alaw(&samples, &mut bytes);
            g711::decode_alaw(&bytes, &mut alaw);
            assert_eq!((keys(&ulaw), keys(&alaw)), (key.to_string(), key.to_string()), "{dbm0} dBm0");
        }
    }
}

/// Something like a voice: a pitch that glides and trembles, its harmonics through the formants of changing
/// vowels, and breath.
fn babble(rng: &mut Rng, seconds: usize) -> Vec<i16> {
    let mut samples = Vec::with_capacity(seconds * 8_000);
    let (mut pitch, mut phase, mut tremble) = (120.0f32, 0.0f32, 0.0f32);
    while samples.len() < seconds * 8_000 {
        let target = rng.random_range(80.0f32..300.0);
        // Hertz, strength and half width of each formant, as in vowels.
        let formants = [
            (rng.random_range(250.0f32..950.0), 1.0f32, 80.0f32),
            (rng.random_range(850.0..2_400.0), rng.random_range(0.2..0.7), 110.0),
            (rng.random_range(2_300.0..3_200.0), 0.15, 150.0),
        ];
        let length = rng.random_range(400..2_400);
        for n in 0..length {
            // A voice trembles by a percent or so from one period to the next.
            if phase + pitch / 8_000.0 >= 1.0 {
                tremble = rng.random_range(-0.012..0.012);
            }
            pitch += (target - pitch) / 1_500.0;
            phase = (phase + pitch * (1.0 + tremble) / 8_000.0).fract();
            let mut sample = rng.random_range(-0.02f32..0.02);
            for harmonic in (1..20).map(|harmonic| harmonic as f32).take_while(|harmonic| harmonic * pitch < 3_500.0) {
                let resonance = |(hz, strength, width): (f32, f32, f32)| {
                    strength / (1.0 + ((pitch * harmonic - hz) / width).powi(2)).sqrt()
                };
                let gain: f32 = formants.into_iter().map(resonance).sum();
                sample += gain / harmonic.sqrt() * (core::f32::consts::TAU * phase * harmonic).sin();
            }
            let rise = (n.min(length - n) as f32 / 160.0).min(1.0);
            samples.push((sample * rise * 4_000.0).clamp(-32_768.0, 32_767.0) as i16);
        }
    }
    samples
}

#[test]
fn voices_are_not_keys() {
    let mut rng = seeded(11);
    let heard = presses(&babble(&mut rng, 45));
    assert!(heard.is_empty(), "{heard:?}");
}

#[test]
fn one_tone_three_tones_and_noise_are_not_keys() {
    let sine = |hz: f64| Sine { hz, dbm0: -12.0 };
    // A dial tone, a busy tone, ringing, a fax's calling tone, and half a key.
    for hz in [400.0, 425.0, 440.0, 697.0, 941.0, 1_100.0, 1_336.0, 2_100.0] {
        assert_eq!(keys(&sines(&[sine(hz)], ms(500))), "", "{hz} Hz");
    }
    assert_eq!(keys(&sines(&[sine(350.0), sine(440.0)], ms(500))), "");
    assert_eq!(keys(&sines(&[sine(697.0), sine(1_209.0), sine(2_418.0), sine(1_394.0)], ms(500))), "");
    assert_eq!(keys(&sines(&[sine(697.0), sine(770.0), sine(1_209.0)], ms(500))), "");
    let mut rng = seeded(5);
    let mut noisy = noise(&mut rng, -12.0);
    let samples: Vec<i16> = (0..160_000).map(|_| noisy(0)).collect();
    assert_eq!(keys(&samples), "");
}
