//! Making sound and judging it: 8,000 samples a second, 16-bit, mono.

use std::f64::consts::TAU;
use std::path::Path;

pub const RATE: usize = 8_000;

/// A sine of this frequency and level (dB below full scale).
pub fn tone(hertz: f64, dbfs: f64, seconds: f64) -> Vec<i16> {
    mix(&[hertz], dbfs, seconds)
}

/// Silence.
pub fn silence(seconds: f64) -> Vec<i16> {
    mix(&[], 0.0, seconds)
}

/// The two tones of a key, as a telephone sends them for a fifth of a second.
pub fn key(digit: char) -> Vec<i16> {
    let place = "123A456B789C*0#D".find(digit).expect("a key of a telephone");
    let (row, column) = ([697.0, 770.0, 852.0, 941.0][place / 4], [1209.0, 1336.0, 1477.0, 1633.0][place % 4]);
    mix(&[row, column], -12.0, 0.2)
}

fn mix(frequencies: &[f64], dbfs: f64, seconds: f64) -> Vec<i16> {
    let peak = 32_767.0 * 10_f64.powf(dbfs / 20.0);
    let sample = |n: usize| frequencies.iter().map(|hertz| (TAU * hertz * n as f64 / RATE as f64).sin() * peak).sum();
    (0..(seconds * RATE as f64) as usize)
        .map(|n| {
            let sum: f64 = sample(n);
            sum as i16
        })
        .collect()
}

/// The level of a sine of this frequency within the sound, in dB below a full-scale sine.
pub fn level_of(hertz: f64, sound: &[i16]) -> f64 {
    let turn = TAU * hertz / RATE as f64;
    let (mut cosine, mut sine) = (0.0, 0.0);
    for (n, sample) in sound.iter().enumerate() {
        // A Hann window keeps a neighbour's tone from leaking in.
        let window = 1.0 - (TAU * n as f64 / sound.len() as f64).cos();
        cosine += f64::from(*sample) * window * (turn * n as f64).cos();
        sine += f64::from(*sample) * window * (turn * n as f64).sin();
    }
    let amplitude = 2.0 * cosine.hypot(sine) / sound.len() as f64;
    20.0 * (amplitude / 32_767.0).max(1e-9).log10()
}

/// The level of all that is in the sound, root mean square, in dB below full scale.
pub fn level(sound: &[i16]) -> f64 {
    let square: f64 = sound.iter().map(|sample| f64::from(*sample).powi(2)).sum();
    20.0 * ((square / sound.len().max(1) as f64).sqrt() / 32_767.0).max(1e-9).log10()
}

/// The level of the speech in it: of the 20 ms frames that are within 30 dB of the loudest.
pub fn speech_level(sound: &[i16]) -> f64 {
    let loudest = sound.chunks(160).map(level).fold(f64::MIN, f64::max);
    let loud: Vec<i16> = sound.chunks(160).filter(|frame| level(frame) > loudest - 30.0).flatten().copied().collect();
    level(&loud)
}

/// How well the sound contains the sample somewhere: 1 for a copy at any loudness, about 0 for anything else.
/// Gives the place (in samples) as well.
pub fn find(sample: &[i16], sound: &[i16]) -> (f64, usize) {
    if sample.len() > sound.len() {
        return (0.0, 0);
    }
    let sums: Vec<i64> = std::iter::once(0)
        .chain(sound.iter().scan(0, |sum, s| {
            *sum += i64::from(*s).pow(2);
            Some(*sum)
        }))
        .collect();
    let own: i64 = sample.iter().map(|s| i64::from(*s).pow(2)).sum();
    let likeness = |at: usize| {
        let energy = sums[at + sample.len()] - sums[at];
        let product: i64 = (0..sample.len()).map(|n| i64::from(sound[at + n]) * i64::from(sample[n])).sum();
        product as f64 / (own as f64 * energy as f64).sqrt().max(1.0)
    };
    let places = 0..=sound.len() - sample.len();
    places.map(|at| (likeness(at), at)).fold((0.0, 0), |best, found| if found.0 > best.0 { found } else { best })
}

/// Reads a WAV of 8,000 or 16,000 samples a second.
pub fn read(path: &Path) -> Vec<i16> {
    let mut wav = hound::WavReader::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let rate = wav.spec().sample_rate as usize;
    let samples: Vec<i16> = wav.samples::<i16>().map_while(Result::ok).collect();
    match rate / RATE {
        1 => samples,
        2 => samples.chunks_exact(2).map(|pair| ((i32::from(pair[0]) + i32::from(pair[1])) / 2) as i16).collect(),
        _ => panic!("{}: {rate} samples a second", path.display()),
    }
}

/// Writes a WAV.
pub fn write(path: &Path, sound: &[i16]) {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: RATE as u32,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut wav = hound::WavWriter::create(path, spec).expect("a WAV can be written");
    sound.iter().for_each(|sample| wav.write_sample(*sample).expect("a WAV can be written"));
    wav.finalize().expect("a WAV can be written");
}

#[test]
fn the_ears_hear_what_the_mouth_says() {
    let tone = tone(440.0, -12.0, 1.0);
    assert!((level_of(440.0, &tone) + 12.0).abs() < 0.2 && level_of(660.0, &tone) < -60.0);
    assert!((level(&tone) + 15.0).abs() < 0.2);
    let long = [silence(0.3), key('1'), silence(0.1), key('5')].concat();
    let (likeness, at) = find(&key('5'), &long);
    assert!(likeness > 0.99 && at == 4_800, "{likeness} at {at}");
}
