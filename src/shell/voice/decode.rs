//! Sound of any usual kind becomes the plane's 8 kHz mono: WAV, MP3, Ogg Vorbis, FLAC, at any rate.
//!
//! It is outside data: it is read within limits of bytes and seconds, and what ends too early is refused rather than
//! played half. Easy to get wrong: services that stream write a WAV header before they know how long it gets, with
//! all ones in the lengths; that is no damage.

use std::io::Cursor;

use symphonia::core::codecs::audio::AudioDecoderOptions;
use symphonia::core::errors::Error;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, TrackType};
use symphonia::core::io::MediaSourceStream;
use symphonia::core::meta::MetadataOptions;

use super::fault::Fault;
use crate::shell::wav::{WavLimits, decode_wav, to_plane};

/// The rates that are taken.
const RATES: std::ops::RangeInclusive<u32> = 8_000..=192_000;
/// The most channels that are mixed down.
const CHANNELS: usize = 8;

/// The samples of a file in memory at 8 kHz, mono.
pub(super) fn decode(bytes: Vec<u8>, limits: WavLimits) -> Result<Vec<i16>, Fault> {
    if u64::try_from(bytes.len()).is_ok_and(|len| len > limits.bytes) {
        return Err(Fault::TooMuch(limits.bytes));
    }
    if bytes.starts_with(b"RIFF") {
        return decode_wav(&with_lengths(bytes), limits).map_err(|fault| Fault::NoSound(fault.to_string()));
    }
    let (samples, rate) = read(bytes, limits).map_err(Fault::NoSound)?;
    if samples.is_empty() {
        return Err(Fault::NoSound("it holds no sound".to_owned()));
    }
    to_plane(samples, rate).map_err(|fault| Fault::NoSound(fault.to_string()))
}

/// Mono samples at their own rate.
fn read(bytes: Vec<u8>, limits: WavLimits) -> Result<(Vec<f32>, u32), String> {
    let start = bytes.iter().take(8).copied().collect::<Vec<u8>>().escape_ascii().to_string();
    let unknown = |_| format!("it is no WAV, MP3, Ogg Vorbis or FLAC: it starts with `{start}`");
    let source = MediaSourceStream::new(Box::new(Cursor::new(bytes)), Default::default());
    let mut format = symphonia::default::get_probe()
        .probe(&Hint::new(), source, FormatOptions::default(), MetadataOptions::default())
        .map_err(unknown)?;
    let track = format.default_track(TrackType::Audio).ok_or("it has no sound in it")?;
    let (id, promised) = (track.id, track.num_frames);
    let parameters = track.codec_params.as_ref().and_then(|parameters| parameters.audio());
    let parameters = parameters.ok_or("its codec is not known")?;
    let mut decoder = symphonia::default::get_codecs()
        .make_audio_decoder(parameters, &AudioDecoderOptions::default())
        .map_err(|error| error.to_string())?;
    let (mut mono, mut rate, mut frames): (Vec<f32>, u32, Vec<f32>) = (Vec::new(), 0, Vec::new());
    loop {
        let packet = match format.next_packet() {
            Ok(Some(packet)) => packet,
            Ok(None) => break,
            Err(Error::IoError(_)) => return Err("it ends too early".to_owned()),
            Err(error) => return Err(error.to_string()),
        };
        if packet.track_id != id {
            continue;
        }
        let sound = decoder.decode(&packet).map_err(|error| format!("it is damaged: {error}"))?;
        let (this_rate, channels) = (sound.spec().rate(), sound.num_planes());
        if !RATES.contains(&this_rate) || (rate != 0 && rate != this_rate) || !(1..=CHANNELS).contains(&channels) {
            return Err(format!("{this_rate} samples a second in {channels} channels are not taken"));
        }
        rate = this_rate;
        sound.copy_to_vec_interleaved(&mut frames);
        let mean = |frame: &[f32]| frame.iter().sum::<f32>() / channels as f32;
        mono.extend(
            frames.chunks_exact(channels).map(mean).map(|s| if s.is_finite() { s.clamp(-1.0, 1.0) } else { 0.0 }),
        );
        if mono.len() / rate as usize >= limits.seconds as usize {
            return Err(format!("it plays longer than {} s", limits.seconds));
        }
    }
    // A few frames are lost at the ends of lossy codecs; a tenth of the sound is not.
    let promised = promised.and_then(|frames| usize::try_from(frames).ok()).unwrap_or_default();
    if promised / 10 * 9 > mono.len() {
        return Err("it ends too early".to_owned());
    }
    Ok((mono, rate))
}

/// A WAV with its real lengths where a stream's header has all ones or nothing in their place.
fn with_lengths(mut bytes: Vec<u8>) -> Vec<u8> {
    let Ok(total) = u32::try_from(bytes.len()) else { return bytes };
    let unknown = |length: &[u8]| matches!(length, [0xff, 0xff, 0xff, 0xff] | [0, 0, 0, 0]);
    let mut at = 12usize;
    while let Some(head) = bytes.get(at..at.saturating_add(8)) {
        let (name, length) = head.split_at(4);
        if name == b"data" {
            if unknown(length) {
                let rest = total.saturating_sub(8).saturating_sub(u32::try_from(at).unwrap_or(u32::MAX));
                let whole = total.saturating_sub(8);
                for (place, value) in [(4, whole), (at + 4, rest)] {
                    if let Some(field) = bytes.get_mut(place..place + 4) {
                        field.copy_from_slice(&value.to_le_bytes());
                    }
                }
            }
            break;
        }
        let length = u32::from_le_bytes(length.try_into().unwrap_or_default());
        at = at
            .saturating_add(8)
            .saturating_add(usize::try_from(length.saturating_add(length % 2)).unwrap_or(usize::MAX));
    }
    bytes
}

#[cfg(test)]
mod tests;
