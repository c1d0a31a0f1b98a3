//! Floor 1: samples to samples. G.711, levels, tones and their detection, mixing.
//!
//! Inner loops are free functions over arrays, written so that the compiler turns them into vector
//! instructions: no branch on a sample, no bounds check in the loop. Nothing here allocates except
//! [`tone`], which makes whole recordings and is not called while a call is up. Samples are 8,000 a second,
//! 16-bit linear, mono.

pub mod g711;
pub mod goertzel;
pub mod level;
pub mod mix;
pub mod tone;

/// Samples a second.
pub const RATE: u32 = 8_000;
/// Samples of one 20 ms frame.
pub const FRAME: usize = 160;
/// One frame of 20 ms.
pub type Frame = [i16; FRAME];
