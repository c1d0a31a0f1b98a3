//! Mixing: one sum a room, and each listener gets it less their own voice.
//!
//! The sum is kept in 32 bits (two thousand full-scale voices fit) and cut to 16 only at the end; cutting
//! while adding would make a listener hear their own voice where the sum had been cut.

use super::{FRAME, Frame};

/// Adds a voice to a sum.
#[inline]
pub fn add(sum: &mut [i32; FRAME], voice: &Frame) {
    for (sum, &sample) in sum.iter_mut().zip(voice) {
        *sum += i32::from(sample);
    }
}

/// What a listener hears who is part of the sum.
#[inline]
pub fn without(sum: &[i32; FRAME], own: &Frame, out: &mut Frame) {
    for ((out, &sum), &own) in out.iter_mut().zip(sum).zip(own) {
        *out = saturate(sum - i32::from(own));
    }
}

/// What a listener hears who is no part of the sum.
#[inline]
pub fn whole(sum: &[i32; FRAME], out: &mut Frame) {
    for (out, &sum) in out.iter_mut().zip(sum) {
        *out = saturate(sum);
    }
}

/// Lays `above` over `below`, which becomes 12 dB quieter so that words stay clear.
#[inline]
pub fn over(above: &Frame, below: &mut Frame) {
    for (below, &above) in below.iter_mut().zip(above) {
        *below = saturate(i32::from(above) + i32::from(*below >> 2));
    }
}

#[inline(always)]
fn saturate(sum: i32) -> i16 {
    sum.clamp(i32::from(i16::MIN), i32::from(i16::MAX)) as i16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_hears_the_others_and_not_themselves_even_when_the_sum_is_too_loud() {
        let voices = [[30_000i16; FRAME], [30_000; FRAME], [-100; FRAME]];
        let mut sum = [0; FRAME];
        voices.iter().for_each(|voice| add(&mut sum, voice));
        let mut heard = [0; FRAME];
        without(&sum, &voices[0], &mut heard);
        assert_eq!(heard[7], 29_900);
        without(&sum, &voices[2], &mut heard);
        assert_eq!(heard[7], i16::MAX);
        whole(&sum, &mut heard);
        assert_eq!(heard[0], i16::MAX);
    }
}
