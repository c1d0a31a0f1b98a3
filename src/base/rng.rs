//! Randomness comes from a seed given at construction, so that a night can be replayed.

use rand::{RngExt, SeedableRng};

/// The one generator of the house: cryptographically strong, because tags, branches and Call-IDs must not
/// be guessable (RFC 3261 §19.3).
pub type Rng = rand::rngs::StdRng;

/// The generator that `seed` always gives again.
pub fn seeded(seed: u64) -> Rng {
    Rng::seed_from_u64(seed)
}

/// `length` random characters of `0-9a-z`, fit for a tag, a branch or a Call-ID.
pub fn token(rng: &mut Rng, length: usize) -> String {
    const LETTERS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    /// One random number is enough for so many.
    const AT_ONCE: usize = 12;
    let mut token = String::with_capacity(length);
    while token.len() < length {
        let mut number = rng.random_range(0..36u64.pow(AT_ONCE as u32));
        for _ in 0..AT_ONCE.min(length - token.len()) {
            token.push(char::from(LETTERS[(number % 36) as usize]));
            number /= 36;
        }
    }
    token
}
