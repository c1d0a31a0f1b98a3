//! Finds the samples in a WAV file: `RIFF`, a length, `WAVE`, then chunks of (name, length, bytes).
//!
//! Lengths are what the file says, so every one is checked against what is there. A program that wrote into a
//! pipe could not know the length and left a huge one: then the samples go to the end of the file.

use super::WavFault;

/// A length from here on says that the writer did not know it.
const UNKNOWN_LENGTH: u32 = 0x7fff_0000;
/// The format tag of `WAVE_FORMAT_EXTENSIBLE`: the true tag stands further behind.
const EXTENSIBLE: u16 = 0xfffe;

/// The samples of a file as they lie in it.
pub(super) struct Sound<'a> {
    /// One or two.
    pub channels: u16,
    /// Samples a second and channel.
    pub rate: u32,
    coding: Coding,
    data: &'a [u8],
}

#[derive(Clone, Copy)]
enum Coding {
    U8,
    I16,
    I24,
    I32,
    F32,
}

impl Sound<'_> {
    /// How many samples each channel has.
    pub(super) fn frames(&self) -> usize {
        self.data.len() / (self.coding.width() * usize::from(self.channels))
    }

    /// Every sample of every channel, one frame after another, from -1 to 1.
    pub(super) fn samples(&self) -> Vec<f32> {
        match self.coding {
            Coding::U8 => self.data.iter().map(|&b| (f32::from(b) - 128.0) / 128.0).collect(),
            Coding::I16 => self.each(|b: [u8; 2]| f32::from(i16::from_le_bytes(b)) / 32_768.0),
            Coding::I24 => self.each(|[a, b, c]: [u8; 3]| i32::from_le_bytes([0, a, b, c]) as f32 / 2_147_483_648.0),
            Coding::I32 => self.each(|b: [u8; 4]| i32::from_le_bytes(b) as f32 / 2_147_483_648.0),
            Coding::F32 => self.each(f32::from_le_bytes),
        }
    }

    fn each<const WIDTH: usize>(&self, sample: impl Fn([u8; WIDTH]) -> f32) -> Vec<f32> {
        self.data.as_chunks::<WIDTH>().0.iter().map(|&bytes| sample(bytes)).collect()
    }
}

impl Coding {
    fn of(tag: u16, bits: u16) -> Option<Coding> {
        match (tag, bits) {
            (1, 8) => Some(Coding::U8),
            (1, 16) => Some(Coding::I16),
            (1, 24) => Some(Coding::I24),
            (1, 32) => Some(Coding::I32),
            (3, 32) => Some(Coding::F32),
            _ => None,
        }
    }

    fn width(self) -> usize {
        match self {
            Coding::U8 => 1,
            Coding::I16 => 2,
            Coding::I24 => 3,
            Coding::I32 | Coding::F32 => 4,
        }
    }
}

/// Reads the chunks up to the samples.
pub(super) fn find(file: &[u8]) -> Result<Sound<'_>, WavFault> {
    let Some((riff, after)) = file.split_first_chunk::<12>() else { return Err(start(file)) };
    let mut rest = after;
    if !riff.starts_with(b"RIFF") || !riff.ends_with(b"WAVE") {
        return Err(start(file));
    }
    let mut format = None;
    loop {
        let ([name @ .., a, b, c, d], body) = rest.split_first_chunk::<8>().ok_or_else(short)?;
        let length = u32::from_le_bytes([*a, *b, *c, *d]);
        if name == b"data" {
            let (coding, channels, rate) = format.ok_or_else(|| broken("its samples come before their format"))?;
            return Ok(Sound { channels, rate, coding, data: samples(body, length)? });
        }
        // A chunk of odd length is followed by one byte that does not count.
        let length = usize::try_from(length).map_err(|_| short())?;
        let chunk = body.get(..length).ok_or_else(short)?;
        if name == b"fmt " {
            format = Some(read_format(chunk)?);
        }
        rest = body.get(length + length % 2..).unwrap_or_default();
    }
}

/// The bytes of the data chunk.
fn samples(body: &[u8], length: u32) -> Result<&[u8], WavFault> {
    let known = usize::try_from(length).ok().and_then(|length| body.get(..length));
    match known {
        Some(data) => Ok(data),
        None if length >= UNKNOWN_LENGTH => Ok(body),
        None => Err(short()),
    }
}

/// How the samples are written, how many channels, samples a second.
fn read_format(chunk: &[u8]) -> Result<(Coding, u16, u32), WavFault> {
    let word = |at: usize| chunk.get(at..at + 2).map(|b| u16::from_le_bytes([b[0], b[1]])).ok_or_else(short);
    let (channels, block, bits) = (word(2)?, word(12)?, word(14)?);
    let rate = u32::from(word(4)?) | u32::from(word(6)?) << 16;
    let tag = match word(0)? {
        EXTENSIBLE => word(24)?,
        tag => tag,
    };
    let coding = Coding::of(tag, bits)
        .ok_or_else(|| WavFault::Unsupported(format!("samples of format {tag} with {bits} bits")))?;
    if !(1..=2).contains(&channels) {
        return Err(WavFault::Unsupported(format!("{channels} channels")));
    }
    if !(8_000..=48_000).contains(&rate) {
        return Err(WavFault::Unsupported(format!("{rate} samples a second")));
    }
    if usize::from(block) != coding.width() * usize::from(channels) {
        return Err(WavFault::Unsupported(format!("{bits}-bit samples in frames of {block} bytes")));
    }
    Ok((coding, channels, rate))
}

fn short() -> WavFault {
    broken("it ends too early")
}

fn broken(what: &'static str) -> WavFault {
    WavFault::Broken(what)
}

/// A file that does not begin like a WAV.
fn start(file: &[u8]) -> WavFault {
    if file.starts_with(b"RIFF") && file.len() < 12 {
        return short();
    }
    // A RIFF that is no WAVE tells what it is four bytes later.
    let what = if file.starts_with(b"RIFF") { file.get(8..12) } else { file.get(..4) };
    WavFault::NotWav(what.unwrap_or(file).escape_ascii().to_string())
}
