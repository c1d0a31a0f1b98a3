//! WAV files in and out: any usual PCM becomes the plane's 8 kHz mono, and samples become a file.
//!
//! A WAV is outside data: it is read within limits, and nothing in it can make hansho panic or take memory
//! that the file does not have. This never plays or records by itself.
//!
//! Easy to get wrong: taking 48 kHz down to 8 kHz by leaving samples out folds everything above 4 kHz into
//! the speech. The resampler filters first.

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};

use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Fft, FixedSync, Resampler, WindowFunction};

use crate::media::SAMPLE_RATE;

/// What is said of a file that was not understood.
const ACCEPTED: &str =
    "RIFF/WAVE with 8, 16, 24 or 32-bit integer or 32-bit float PCM, 8 to 48 kHz, one or two channels";

/// What the plane plays as it is, and what our own recordings are.
const PLANE: hound::WavSpec = hound::WavSpec {
    channels: 1,
    sample_rate: SAMPLE_RATE,
    bits_per_sample: 16,
    sample_format: hound::SampleFormat::Int,
};

/// How much of a WAV is taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WavLimits {
    /// The file's size in bytes.
    pub bytes: u64,
    /// How long it plays, in seconds.
    pub seconds: u32,
}

impl WavLimits {
    /// For files an operator names: 64 MiB and ten minutes.
    pub const FILE: WavLimits = WavLimits { bytes: 64 << 20, seconds: 600 };
}

/// A WAV file that could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("{}: {fault}", path.display())]
pub struct WavError {
    /// Which file.
    pub path: PathBuf,
    /// What is wrong with it.
    #[source]
    pub fault: WavFault,
}

/// What is wrong with a WAV.
#[derive(Debug, thiserror::Error)]
pub enum WavFault {
    /// The system would not let us.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The first bytes are not those of a WAV file.
    #[error("not a WAV file: starts with `{0}`; accepted: {ACCEPTED}")]
    NotWav(String),
    /// It begins like one, and then goes wrong.
    #[error("a broken WAV file: {0}; accepted: {ACCEPTED}")]
    Broken(String),
    /// A WAV we do not read.
    #[error("{0}; accepted: {ACCEPTED}")]
    Unsupported(String),
    /// No samples at all.
    #[error("holds no sound")]
    Empty,
    /// More bytes than the limit.
    #[error("larger than {0} bytes")]
    TooLarge(u64),
    /// Plays longer than the limit.
    #[error("plays longer than {0} s")]
    TooLong(u32),
}

/// The samples of a WAV file at 8 kHz, mono.
pub fn read_wav(path: &Path, limits: WavLimits) -> Result<Vec<i16>, WavError> {
    read_limited(path, limits.bytes)
        .and_then(|bytes| decode_wav(&bytes, limits))
        .map_err(|fault| WavError { path: path.to_owned(), fault })
}

/// What is wrong with a file that an operator names, if anything.
pub fn is_wav(path: &Path) -> Result<(), String> {
    read_wav(path, WavLimits::FILE).map(drop).map_err(|error| error.fault.to_string())
}

/// As [`read_wav`], of a file that is in memory already.
pub fn decode_wav(bytes: &[u8], limits: WavLimits) -> Result<Vec<i16>, WavFault> {
    if u64::try_from(bytes.len()).is_ok_and(|len| len > limits.bytes) {
        return Err(WavFault::TooLarge(limits.bytes));
    }
    if !bytes.starts_with(b"RIFF") {
        return Err(WavFault::NotWav(bytes.iter().take(4).copied().collect::<Vec<u8>>().escape_ascii().to_string()));
    }
    let mut reader = hound::WavReader::new(Cursor::new(bytes)).map_err(broken)?;
    let spec = reader.spec();
    if !(1..=2).contains(&spec.channels) {
        return Err(WavFault::Unsupported(format!("{} channels", spec.channels)));
    }
    if !(8_000..=48_000).contains(&spec.sample_rate) {
        return Err(WavFault::Unsupported(format!("{} samples a second", spec.sample_rate)));
    }
    if reader.duration() / spec.sample_rate >= limits.seconds {
        return Err(WavFault::TooLong(limits.seconds));
    }
    if spec == PLANE {
        return as_it_is(bytes, reader);
    }
    let mono = mix_down(&read_samples(&mut reader)?, usize::from(spec.channels));
    if mono.is_empty() {
        return Err(WavFault::Empty);
    }
    Ok(to_i16(&to_plane_rate(mono, spec.sample_rate)?))
}

/// Mono samples from -1 to 1 at `rate`, as the plane has them.
pub(super) fn to_plane(samples: Vec<f32>, rate: u32) -> Result<Vec<i16>, WavFault> {
    to_plane_rate(samples, rate).map(|samples| to_i16(&samples))
}

/// Writes 16-bit mono at `rate` samples a second, replacing what was there.
pub fn write_wav(path: &Path, rate: u32, samples: &[i16]) -> Result<(), WavError> {
    let spec =
        hound::WavSpec { channels: 1, sample_rate: rate, bits_per_sample: 16, sample_format: hound::SampleFormat::Int };
    let write = || {
        let mut writer = hound::WavWriter::create(path, spec)?;
        samples.iter().try_for_each(|&sample| writer.write_sample(sample))?;
        writer.finalize()
    };
    let fault = |error| match error {
        hound::Error::IoError(error) => WavFault::Io(error),
        other => WavFault::Io(io::Error::other(other)),
    };
    write().map_err(|error| WavError { path: path.to_owned(), fault: fault(error) })
}

/// The file, if it is not larger than the limit; it may grow while it is read.
fn read_limited(path: &Path, limit: u64) -> Result<Vec<u8>, WavFault> {
    let mut bytes = Vec::new();
    File::open(path)?.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).is_ok_and(|len| len > limit) {
        return Err(WavFault::TooLarge(limit));
    }
    Ok(bytes)
}

/// The samples of a [`PLANE`] file, straight from its bytes: a start reads five minutes of our own recordings.
fn as_it_is(bytes: &[u8], reader: hound::WavReader<Cursor<&[u8]>>) -> Result<Vec<i16>, WavFault> {
    let length = usize::try_from(reader.len()).unwrap_or(usize::MAX).saturating_mul(2);
    let begin = usize::try_from(reader.into_inner().position()).unwrap_or(usize::MAX);
    let samples = bytes.get(begin..begin.saturating_add(length)).ok_or(WavFault::Broken("it ends too early".into()))?;
    let samples: Vec<i16> = samples.as_chunks().0.iter().map(|pair| i16::from_le_bytes(*pair)).collect();
    if samples.is_empty() { Err(WavFault::Empty) } else { Ok(samples) }
}

/// Every sample of every channel, from -1 to 1.
fn read_samples(reader: &mut hound::WavReader<Cursor<&[u8]>>) -> Result<Vec<f32>, WavFault> {
    let spec = reader.spec();
    match spec.sample_format {
        hound::SampleFormat::Float => reader.samples::<f32>().map(|sample| sample.map_err(broken)).collect(),
        hound::SampleFormat::Int => {
            let full = 2f32.powi(i32::from(spec.bits_per_sample.clamp(1, 32)) - 1);
            reader.samples::<i32>().map(|sample| Ok(sample.map_err(broken)? as f32 / full)).collect()
        }
    }
}

/// The mean of the channels; what is no number is silence.
fn mix_down(samples: &[f32], channels: usize) -> Vec<f32> {
    let mean = |frame: &[f32]| frame.iter().sum::<f32>() / channels as f32;
    samples.chunks_exact(channels).map(mean).map(|s| if s.is_finite() { s.clamp(-1.0, 1.0) } else { 0.0 }).collect()
}

/// Filtered and resampled; untouched where the rate is right already.
fn to_plane_rate(samples: Vec<f32>, rate: u32) -> Result<Vec<f32>, WavFault> {
    if rate == SAMPLE_RATE {
        return Ok(samples);
    }
    let refused = |what: &dyn std::fmt::Display| WavFault::Unsupported(format!("cannot resample {rate} Hz: {what}"));
    // One large block makes the filter steep: speech up to 3.8 kHz stays, what would fold goes.
    let mut resampler = Fft::<f32>::new_custom(
        rate as usize,
        SAMPLE_RATE as usize,
        4_096,
        1,
        1,
        WindowFunction::BlackmanHarris2,
        FixedSync::Input,
    )
    .map_err(|error| refused(&error))?;
    let input = InterleavedSlice::new(&samples, 1, samples.len()).map_err(|error| refused(&error))?;
    let output = resampler.process_all(&input, samples.len(), None).map_err(|error| refused(&error))?;
    Ok(output.take_data())
}

/// To 16 bits; what is too loud is clipped, never wrapped.
fn to_i16(samples: &[f32]) -> Vec<i16> {
    samples.iter().map(|sample| (sample * 32_768.0).round() as i16).collect()
}

/// hound's words in ours. What it reads is in memory, so a read that fails is a file that ends.
fn broken(error: hound::Error) -> WavFault {
    match error {
        hound::Error::IoError(_) => WavFault::Broken("it ends too early".into()),
        hound::Error::FormatError(what) => WavFault::Broken(what.into()),
        hound::Error::Unsupported | hound::Error::TooWide => WavFault::Unsupported("not a plain PCM WAV file".into()),
        other => WavFault::Broken(other.to_string()),
    }
}

#[cfg(test)]
mod tests;
