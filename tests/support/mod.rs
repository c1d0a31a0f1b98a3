//! The simulated world: hansho's corridor and media plane, a trunk, telephones and a network between them, on
//! one virtual clock. Nothing here sleeps, opens a socket or reads a clock; an hour takes milliseconds.
//!
//! The machines are the real ones. What is simulated is what lies between them: the network, which delays,
//! reorders and loses; the disk, which takes its time and keeps what it took when hansho is killed; and the
//! voice maker. A story failing by chance prints its seed; `HANSHO_SEED=` plays it again.

#![allow(dead_code, unused_imports, reason = "each test binary uses its part of the world")]

mod hand;
pub mod laws;
pub mod link;
mod node;
pub mod sounds;
pub mod town;
pub mod wants;
mod world;

pub use town::Town;
pub use world::World;

use core::time::Duration;

/// So many milliseconds.
pub const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// So many seconds.
pub const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// So many minutes.
pub const fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(60 * minutes)
}
