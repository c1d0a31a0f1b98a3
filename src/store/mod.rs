//! Floor 4: the journal. Facts are durable here before their consequence leaves the house.
//!
//! One SQLite file, one writer ([`Journal`]), as many readers as wanted ([`Reader`]). Everything that waits is
//! written in one transaction, so that a burst shares one fsync ([`writer`]). What an incident is can only be
//! learnt by reading its facts; the two small tables beside them are an index to find those that must go on
//! after a restart, never a second truth.
//!
//! Easy to get wrong: SQLite's default `synchronous` in WAL mode does not survive a power cut (it must be
//! FULL); a batch that failed was not written at all, so its facts must not be acted on; and an incident that
//! was acknowledged may still have calls up, which a restart must end.

mod error;
mod journal;
mod query;
mod schema;
pub mod writer;

pub use error::StoreError;
pub use journal::{Journal, Reader};

pub use crate::incident::Entry;

use crate::base::Stamp;
use crate::incident::{Fact, HouseFact};

/// The facts of one incident, oldest first.
pub type History = Vec<(Stamp, Fact)>;

/// The facts of the house, oldest first.
pub type HouseHistory = Vec<(Stamp, HouseFact)>;

#[cfg(test)]
mod tests;
