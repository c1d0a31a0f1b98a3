//! G.711, µ-law and A-law (ITU-T G.711, tables 1a and 2a).
//!
//! Encoding finds the segment of a sample by converting its magnitude to a float: the exponent is the
//! segment and the top four mantissa bits are the interval, so there is neither a search nor a branch and
//! sixteen samples go through at once. Easy to get wrong: µ-law sends every bit inverted, A-law every other
//! bit, and the silence byte of each is not zero.

/// What a silent µ-law stream is made of.
pub const ULAW_SILENCE: u8 = 0xff;
/// What a silent A-law stream is made of.
pub const ALAW_SILENCE: u8 = 0xd5;

/// Encodes as many samples as both slices hold.
pub fn encode_ulaw(samples: &[i16], bytes: &mut [u8]) {
    for (byte, &sample) in bytes.iter_mut().zip(samples) {
        *byte = ulaw(sample);
    }
}

/// Encodes as many samples as both slices hold.
pub fn encode_alaw(samples: &[i16], bytes: &mut [u8]) {
    for (byte, &sample) in bytes.iter_mut().zip(samples) {
        *byte = alaw(sample);
    }
}

/// Decodes as many samples as both slices hold.
pub fn decode_ulaw(bytes: &[u8], samples: &mut [i16]) {
    for (sample, &byte) in samples.iter_mut().zip(bytes) {
        *sample = FROM_ULAW[usize::from(byte)];
    }
}

/// Decodes as many samples as both slices hold.
pub fn decode_alaw(bytes: &[u8], samples: &mut [i16]) {
    for (sample, &byte) in samples.iter_mut().zip(bytes) {
        *sample = FROM_ALAW[usize::from(byte)];
    }
}

/// Mantissa bits of an `f32` below the four that name the interval.
const BELOW_INTERVAL: u32 = 23 - 4;
/// The biased exponent of 32..64, the lowest segment of µ-law once its bias of 33 is added.
const LOWEST: u32 = (127 + 5) << 4;

#[inline(always)]
fn ulaw(sample: i16) -> u8 {
    let sample = i32::from(sample);
    let magnitude = (sample.abs() >> 2).min(8_158) + 33;
    let code = ((magnitude as f32).to_bits() >> BELOW_INTERVAL) - LOWEST;
    let sign = (sample < 0) as u32 * 0x80;
    !(code | sign) as u8
}

#[inline(always)]
fn alaw(sample: i16) -> u8 {
    // The negative half is one step off, so that 0 and -1 lie on either side of the middle.
    let sample = i32::from(sample);
    let magnitude = (sample ^ (sample >> 31)) >> 3;
    let curved = ((magnitude as f32).to_bits() >> BELOW_INTERVAL).wrapping_sub(LOWEST - 16);
    let straight = (magnitude >> 1) as u32;
    let code = if magnitude < 32 { straight } else { curved };
    let sign = (sample >= 0) as u32 * 0x80;
    ((code | sign) ^ 0x55) as u8
}

static FROM_ULAW: [i16; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let code = !(byte as u8);
        let magnitude = (((((code & 15) as i16) << 3) + 132) << ((code >> 4) & 7)) - 132;
        table[byte] = if code & 0x80 != 0 { -magnitude } else { magnitude };
        byte += 1;
    }
    table
};

static FROM_ALAW: [i16; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let code = byte as u8 ^ 0x55;
        let interval = ((code & 15) as i16) << 4;
        let segment = (code >> 4) & 7;
        let magnitude = if segment == 0 { interval + 8 } else { (interval + 264) << (segment - 1) };
        table[byte] = if code & 0x80 != 0 { magnitude } else { -magnitude };
        byte += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_survives_decoding_and_encoding() {
        for byte in 0..=255u8 {
            // 0x7f is the negative zero of µ-law.
            if byte != 0x7f {
                assert_eq!(ulaw(FROM_ULAW[usize::from(byte)]), byte, "µ {byte:#x}");
            }
            assert_eq!(alaw(FROM_ALAW[usize::from(byte)]), byte, "A {byte:#x}");
        }
    }

    #[test]
    fn every_sample_becomes_a_value_within_half_an_interval() {
        for sample in i16::MIN..=i16::MAX {
            let off = |value: i16| (i32::from(value) - i32::from(sample)).abs();
            let (u, a) = (off(FROM_ULAW[usize::from(ulaw(sample))]), off(FROM_ALAW[usize::from(alaw(sample))]));
            let magnitude = i32::from(sample).abs();
            assert!(u <= (magnitude + 132) / 32 + 4, "µ {sample}: off by {u}");
            assert!(a <= magnitude / 32 + 9, "A {sample}: off by {a}");
        }
    }

    #[test]
    fn the_values_of_the_standard_are_met() {
        assert_eq!((ulaw(0), alaw(0)), (ULAW_SILENCE, ALAW_SILENCE));
        assert_eq!((FROM_ULAW[0x80], FROM_ULAW[0x00], FROM_ULAW[0xff]), (32_124, -32_124, 0));
        assert_eq!((FROM_ALAW[0xd5], FROM_ALAW[0xaa], FROM_ALAW[0x2a]), (8, 32_256, -32_256));
    }
}
