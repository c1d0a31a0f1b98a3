use super::*;
use hound::{SampleFormat, WavSpec, WavWriter};
use proptest::prelude::*;

fn sine(rate: u32, hertz: f32, seconds: f32) -> Vec<f32> {
    let step = std::f32::consts::TAU * hertz / rate as f32;
    (0..(rate as f32 * seconds) as usize).map(|i| 0.5 * (step * i as f32).sin()).collect()
}

fn wav(channels: u16, rate: u32, bits: u16, samples: &[f32]) -> Vec<u8> {
    let spec = WavSpec { channels, sample_rate: rate, bits_per_sample: bits, sample_format: SampleFormat::Int };
    let mut bytes = Cursor::new(Vec::new());
    let mut writer = WavWriter::new(&mut bytes, spec).unwrap();
    let full = 2f64.powi(i32::from(bits) - 1) - 1.0;
    for &sample in samples {
        writer.write_sample((f64::from(sample) * full).round() as i32).unwrap();
    }
    writer.finalize().unwrap();
    bytes.into_inner()
}

fn wav_float(rate: u32, samples: &[f32]) -> Vec<u8> {
    let spec = WavSpec { channels: 1, sample_rate: rate, bits_per_sample: 32, sample_format: SampleFormat::Float };
    let mut bytes = Cursor::new(Vec::new());
    let mut writer = WavWriter::new(&mut bytes, spec).unwrap();
    samples.iter().for_each(|&sample| writer.write_sample(sample).unwrap());
    writer.finalize().unwrap();
    bytes.into_inner()
}

/// Of the middle half, so that the edges of the filter do not count; full scale is 1.
fn rms(samples: &[i16]) -> f64 {
    let middle = &samples[samples.len() / 4..samples.len() * 3 / 4];
    let sum: f64 = middle.iter().map(|&s| (f64::from(s) / 32_768.0).powi(2)).sum();
    (sum / middle.len() as f64).sqrt()
}

const HALF_SINE_RMS: f64 = 0.353_55;

#[test]
fn every_usual_width_and_rate_keeps_its_level_and_length() {
    for rate in [8_000, 11_025, 16_000, 22_050, 44_100, 48_000] {
        let tone = sine(rate, 1_000.0, 0.5);
        let mut files: Vec<Vec<u8>> = [8, 16, 24, 32].map(|bits| wav(1, rate, bits, &tone)).into();
        files.push(wav_float(rate, &tone));
        for (which, file) in files.iter().enumerate() {
            let samples = decode_wav(file, WavLimits::FILE).unwrap();
            assert!(samples.len().abs_diff(4_000) <= 1, "{rate} Hz, file {which}: {} samples", samples.len());
            let level = rms(&samples);
            assert!((level / HALF_SINE_RMS - 1.0).abs() < 0.02, "{rate} Hz, file {which}: level {level}");
        }
    }
}

#[test]
fn the_right_format_passes_bit_for_bit() {
    let path = std::env::temp_dir().join(format!("hansho-wav-{}.wav", std::process::id()));
    let samples: Vec<i16> = (0..1_000).map(|i: i32| (i * 7_919 % 65_536 - 32_768) as i16).collect();
    write_wav(&path, 8_000, &samples).unwrap();
    let read = read_wav(&path, WavLimits::FILE);
    std::fs::remove_file(&path).unwrap();
    assert_eq!(read.unwrap(), samples);
}

#[test]
fn what_a_telephone_cannot_carry_is_filtered_and_does_not_fold() {
    for rate in [16_000, 44_100, 48_000] {
        let folded = decode_wav(&wav(1, rate, 16, &sine(rate, 5_000.0, 0.5)), WavLimits::FILE).unwrap();
        assert!(rms(&folded) < 0.001, "{rate} Hz: 5 kHz came back with {}", rms(&folded));
        let kept = decode_wav(&wav(1, rate, 16, &sine(rate, 3_400.0, 0.5)), WavLimits::FILE).unwrap();
        assert!((rms(&kept) / HALF_SINE_RMS - 1.0).abs() < 0.03, "{rate} Hz: 3.4 kHz has {}", rms(&kept));
    }
}

#[test]
fn two_channels_become_their_mean() {
    let samples: Vec<f32> = sine(8_000, 500.0, 0.2).into_iter().flat_map(|s| [s, -s]).collect();
    let silence = decode_wav(&wav(2, 8_000, 16, &samples), WavLimits::FILE).unwrap();
    assert_eq!(silence.len(), 1_600);
    assert!(silence.iter().all(|s| s.abs() <= 1));
}

#[test]
fn a_float_that_is_too_loud_or_no_number_is_clipped_or_silent() {
    let file = wav_float(8_000, &[2.0, -2.0, f32::NAN, f32::INFINITY, 0.0]);
    assert_eq!(decode_wav(&file, WavLimits::FILE).unwrap(), [i16::MAX, i16::MIN, 0, 0, 0]);
}

#[test]
fn a_file_that_is_no_wav_is_named_with_what_it_is_and_what_is_accepted() {
    let path = std::env::temp_dir().join(format!("hansho-wav-{}.mp3", std::process::id()));
    std::fs::write(&path, b"ID3\x04 and so on").unwrap();
    let error = read_wav(&path, WavLimits::FILE).unwrap_err().to_string();
    std::fs::remove_file(&path).unwrap();
    assert!(
        error.starts_with(&format!("{}: not a WAV file: starts with `ID3\\x04`; accepted: ", path.display())),
        "{error}"
    );
}

#[test]
fn a_missing_file_is_said_to_be_missing() {
    let error = read_wav(Path::new("/nowhere/hold.wav"), WavLimits::FILE).unwrap_err().to_string();
    assert!(error.starts_with("/nowhere/hold.wav: ") && error.contains("No such file"), "{error}");
}

#[test]
fn limits_of_size_and_length_hold() {
    let file = wav(1, 8_000, 16, &sine(8_000, 440.0, 3.0));
    let small = WavLimits { bytes: 1_000, seconds: 600 };
    assert!(matches!(decode_wav(&file, small), Err(WavFault::TooLarge(1_000))));
    let short = WavLimits { bytes: 1 << 20, seconds: 2 };
    assert!(matches!(decode_wav(&file, short), Err(WavFault::TooLong(2))));
    assert!(decode_wav(&file, WavLimits { bytes: 1 << 20, seconds: 4 }).is_ok());
}

#[test]
fn an_empty_wav_a_wrong_rate_and_six_channels_are_refused_in_words() {
    let said = |file: &[u8]| decode_wav(file, WavLimits::FILE).unwrap_err().to_string();
    assert_eq!(said(&wav(1, 8_000, 16, &[])), "holds no sound");
    assert!(said(&wav(1, 96_000, 16, &[0.0; 6])).starts_with("96000 samples a second; accepted: "));
    assert!(said(&wav(6, 48_000, 16, &[0.0; 6])).starts_with("6 channels; accepted: "));
    assert!(said(b"").starts_with("not a WAV file: starts with ``"));
}

#[test]
fn a_truncated_wav_is_called_broken() {
    let file = wav(1, 16_000, 16, &sine(16_000, 440.0, 0.1));
    for end in 4..file.len() {
        let fault = decode_wav(&file[..end], WavLimits::FILE).unwrap_err();
        assert!(matches!(fault, WavFault::Broken(_)), "cut at {end}: {fault:?}");
    }
}

proptest! {
    #[test]
    fn a_mutated_wav_never_panics_and_never_grows(
        layout in (1u16..=2, prop::sample::select(vec![8_000u32, 16_000, 44_100]), prop::sample::select(vec![8u16, 16, 24, 32])),
        changes in prop::collection::vec((0usize..120, any::<u8>()), 0..12),
        cut in 0usize..600,
    ) {
        let (channels, rate, bits) = layout;
        let mut file = wav(channels, rate, bits, &sine(rate, 440.0, 0.004 * f32::from(channels))[..32]);
        for (place, byte) in changes {
            let len = file.len();
            file[place % len] = byte;
        }
        file.truncate(cut.max(4));
        if let Ok(samples) = decode_wav(&file, WavLimits::FILE) {
            prop_assert!(samples.len() <= file.len() + 1);
        }
    }

    #[test]
    fn any_bytes_after_the_magic_never_panic(tail in prop::collection::vec(any::<u8>(), 0..300)) {
        let mut file = b"RIFF\x00\x01\x00\x00WAVEfmt \x10\x00\x00\x00".to_vec();
        file.extend(tail);
        let _ = decode_wav(&file, WavLimits::FILE);
    }
}
