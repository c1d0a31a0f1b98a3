//! Waiting in the real world, for the tests of the real binary: until something is there, and never for a guess.

use std::time::{Duration, Instant};

/// How long anything may take that must happen. Long, because a busy machine is no failure.
pub const LIMIT: Duration = Duration::from_secs(120);

/// Looks again and again until something is there; fails after [`LIMIT`] and says what was waited for.
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + LIMIT;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "waited {} s in vain for {what}", LIMIT.as_secs());
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

/// The first of `count` neighbouring ports that nobody else has before this process ends, an even one: for who must be
/// told beforehand where to listen, or must come back to the same place.
pub fn free_ports(count: u16) -> u16 {
    until("free ports", || hansho::rig::free_ports(count))
}
