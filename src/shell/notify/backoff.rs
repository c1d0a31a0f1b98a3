//! How long to wait before a failed delivery is tried again.

use std::time::Duration;

use crate::config::Patience;

/// The longest pause a receiver may ask for.
const ASKED_MAX: Duration = Duration::from_secs(15 * 60);

/// The pause after the `tries`-th failure (from 1): doubled each time up to the longest, and shortened by up to a
/// half by `chance` (0 to 1), so that notifiers do not come back all at once.
pub(super) fn pause(patience: &Patience, tries: u32, chance: f64) -> Duration {
    let doubled = 2u32.checked_pow(tries.saturating_sub(1)).unwrap_or(u32::MAX);
    let whole = patience.retry_first.saturating_mul(doubled).min(patience.retry_most);
    whole.mul_f64(1.0 - chance.clamp(0.0, 1.0) / 2.0)
}

/// The same where the receiver said how long it wants to be left alone.
pub(super) fn asked(pause: Duration, asked: Option<Duration>) -> Duration {
    asked.map_or(pause, |asked| asked.min(ASKED_MAX).max(pause))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn patience() -> Patience {
        Patience { timeout: SECOND, retry_first: SECOND, retry_most: SECOND * 300, give_up: SECOND * 86_400 }
    }

    #[test]
    fn a_pause_doubles_until_it_is_the_longest() {
        let pauses: Vec<u64> = (1..=11).map(|tries| pause(&patience(), tries, 0.0).as_secs()).collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
        assert_eq!(pause(&patience(), u32::MAX, 0.0), SECOND * 300);
    }

    #[test]
    fn chance_shortens_a_pause_by_half_at_the_most() {
        assert_eq!(pause(&patience(), 2, 1.0), SECOND);
        assert_eq!(pause(&patience(), 2, 0.5), Duration::from_millis(1_500));
    }

    #[test]
    fn a_receiver_may_ask_for_a_longer_pause_but_not_for_silence() {
        assert_eq!(asked(SECOND, Some(SECOND * 30)), SECOND * 30);
        assert_eq!(asked(SECOND * 60, Some(SECOND * 30)), SECOND * 60);
        assert_eq!(asked(SECOND, Some(SECOND * 1_000_000)), ASKED_MAX);
        assert_eq!(asked(SECOND, None), SECOND);
    }
}
