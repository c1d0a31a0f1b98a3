//! Half a second of a tone of 1 kHz in every shape that is taken, whole and damaged.

use super::*;
use crate::shell::voice::scratch::Scratch;
use crate::shell::wav::write_wav;

const LIMITS: WavLimits = WavLimits { bytes: 1 << 20, seconds: 5 };
const FILES: [(&str, &[u8]); 3] =
    [("flac", include_bytes!("tone.flac")), ("ogg", include_bytes!("tone.ogg")), ("mp3", include_bytes!("tone.mp3"))];

fn wav() -> Vec<u8> {
    let folder = Scratch::new(&std::env::temp_dir()).unwrap();
    let path = folder.path().join("tone.wav");
    let step = 1_000.0 * std::f32::consts::TAU / 16_000.0;
    let tone: Vec<i16> = (0..8_000).map(|i| (16_384.0 * (i as f32 * step).sin()) as i16).collect();
    write_wav(&path, 16_000, &tone).unwrap();
    std::fs::read(&path).unwrap()
}

/// How often the sound rises through zero in a second: its pitch.
fn pitch(samples: &[i16]) -> f32 {
    let middle = &samples[800..samples.len() - 800];
    let rises = middle.windows(2).filter(|pair| pair[0] < 0 && pair[1] >= 0).count();
    rises as f32 * 8_000.0 / middle.len() as f32
}

#[test]
fn every_shape_comes_out_as_the_same_tone_at_the_planes_rate() {
    let wav = wav();
    for (kind, bytes) in FILES.into_iter().chain([("wav", wav.as_slice())]) {
        let samples = decode(bytes.to_vec(), LIMITS).unwrap_or_else(|fault| panic!("{kind}: {fault}"));
        let (pitch, peak) = (pitch(&samples), samples.iter().max().copied().unwrap());
        assert!((3_900..=4_800).contains(&samples.len()), "{kind}: {} samples", samples.len());
        assert!((pitch - 1_000.0).abs() < 15.0, "{kind}: {pitch} Hz");
        assert!((15_000..=18_500).contains(&peak), "{kind}: peak {peak}");
    }
}

#[test]
fn a_header_written_before_the_end_was_known_is_no_damage() {
    for unknown in [[0xff; 4], [0; 4]] {
        let mut streamed = wav();
        let at = streamed.windows(4).position(|four| four == b"data").unwrap() + 4;
        streamed[at..at + 4].copy_from_slice(&unknown);
        streamed[4..8].copy_from_slice(&unknown);
        assert_eq!(decode(streamed, LIMITS), decode(wav(), LIMITS));
    }
}

#[test]
fn what_ends_too_early_is_refused_and_not_played_half() {
    let half = |bytes: &[u8]| decode(bytes[..bytes.len() / 2].to_vec(), LIMITS);
    assert!(matches!(half(&wav()), Err(Fault::NoSound(_))));
    assert!(matches!(half(FILES[0].1), Err(Fault::NoSound(_))), "flac says how long it is");
}

#[test]
fn limits_hold_and_other_files_are_named_by_their_beginning() {
    assert_eq!(decode(wav(), WavLimits { bytes: 100, seconds: 5 }), Err(Fault::TooMuch(100)));
    for (kind, bytes) in FILES {
        let short = WavLimits { bytes: 1 << 20, seconds: 0 };
        assert!(matches!(decode(bytes.to_vec(), short), Err(Fault::NoSound(_))), "{kind}");
    }
    let html = decode(b"<html><body>503</body></html>".to_vec(), LIMITS).unwrap_err().to_string();
    assert!(html.contains("starts with `<html><b`"), "{html}");
    assert!(decode(Vec::new(), LIMITS).is_err());
}

proptest::proptest! {
    #[test]
    fn damage_is_a_fault_and_never_a_panic(
        which in 0..4usize,
        places in proptest::collection::vec((0..6_000usize, proptest::num::u8::ANY), 1..20),
        cut in 0..6_000usize,
    ) {
        let mut bytes = FILES.get(which).map_or_else(wav, |(_, bytes)| bytes.to_vec());
        for (at, value) in places {
            let length = bytes.len();
            bytes[at % length] = value;
        }
        bytes.truncate(cut.max(1));
        let _ = decode(bytes, LIMITS);
    }
}
