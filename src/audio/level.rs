//! How loud samples are, in dBm0 (ITU-T G.711 §1: a sine at the digital limit is +3.14 dBm0).

/// Mean square of a full-scale sine, 32,768² / 2, in decibels.
const FULL_SINE_DB: f32 = 87.30;
/// What a full-scale sine has, in dBm0.
#[allow(clippy::approx_constant, reason = "decibels, not the circle's number")]
const FULL_SINE_DBM0: f32 = 3.14;
const LANES: usize = 8;

/// The sum of the squares of `samples`.
#[inline]
pub fn energy(samples: &[i16]) -> f32 {
    // Eight sums side by side: floats may not be reordered, so one sum would be one long chain.
    let mut sums = [0f32; LANES];
    let (eights, rest) = samples.as_chunks::<LANES>();
    for eight in eights {
        for (sum, &sample) in sums.iter_mut().zip(eight) {
            *sum += f32::from(sample) * f32::from(sample);
        }
    }
    sums.iter().sum::<f32>() + rest.iter().map(|&s| f32::from(s) * f32::from(s)).sum::<f32>()
}

/// The mean of the squares of `samples`; zero when there are none.
#[inline]
pub fn mean_square(samples: &[i16]) -> f32 {
    energy(samples) / samples.len().max(1) as f32
}

/// Mean square to dBm0; silence is about -130.
pub fn dbm0(mean_square: f32) -> f32 {
    10.0 * mean_square.max(1e-4).log10() - FULL_SINE_DB + FULL_SINE_DBM0
}

/// dBm0 to mean square.
pub fn from_dbm0(dbm0: f32) -> f32 {
    10f32.powf((dbm0 + FULL_SINE_DB - FULL_SINE_DBM0) / 10.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_square_wave_is_three_decibels_above_a_full_sine() {
        let level = dbm0(mean_square(&[32_767; 163]));
        assert!((level - 6.15).abs() < 0.05, "{level}");
    }

    #[test]
    fn a_level_survives_being_turned_into_a_mean_square() {
        assert!((dbm0(from_dbm0(-20.0)) + 20.0).abs() < 1e-3);
    }
}
