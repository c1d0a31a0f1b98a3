//! Floor 4: the journal. Facts are durable here before their consequence leaves the house.
//!
//! One SQLite file, one writer ([`Journal`]), as many readers as wanted ([`Reader`]). Everything that waits is
//! written in one transaction, so that a burst shares one fsync ([`writer`]). What an incident is can only be
//! learnt by reading its facts; the small tables beside them are an index to find those that must go on after a
//! restart, and to page through what was, never a second truth. The facts an auditor asks about are chained
//! ([`audit`]), and what is old enough is taken away ([`forget`]). The SIP messages of calls are beside it, in a file
//! that nothing depends on ([`ladders`]).
//!
//! Easy to get wrong: SQLite's default `synchronous` in WAL mode does not survive a power cut (it must be
//! FULL); a batch that failed was not written at all, so its facts must not be acted on; and an incident that
//! was acknowledged may still have calls up, which a restart must end.

mod audit;
mod error;
mod forget;
mod insert;
mod journal;
mod ladders;
mod query;
mod schema;
mod verify;
pub mod writer;

pub use audit::Head;
pub use error::StoreError;
pub use forget::Forgot;
pub use journal::{Journal, Reader};
pub use ladders::{Kept, Ladder, Ladders, Passed};
pub use verify::{Fault, Verdict};

pub use crate::incident::Entry;

use crate::base::{ContactId, IncidentId, Phone, Stamp};
use crate::incident::{Attempt, Fact, HouseFact, Record};

/// When somebody was dialled, who, and at which number.
pub type Dialled = (Stamp, ContactId, Phone);

/// The facts of one incident, oldest first.
pub type History = Vec<(Stamp, Fact)>;

/// The facts of the house, oldest first.
pub type HouseHistory = Vec<(Stamp, HouseFact)>;

/// One call to a person, or of one, and where it stands in the journal.
#[derive(Clone, PartialEq, Debug)]
pub struct Call {
    /// The line it began with.
    pub seq: i64,
    /// Whose incident's.
    pub incident: IncidentId,
    /// The call itself.
    pub attempt: Attempt,
}

/// What the facts of one incident come to.
pub fn record_of(history: &[(Stamp, Fact)]) -> Record {
    let mut record = Record::new();
    history.iter().for_each(|(at, fact)| record.apply(*at, fact));
    record
}

#[cfg(test)]
mod tests;
