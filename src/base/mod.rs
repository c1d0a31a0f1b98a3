//! Floor 0: the words every other floor speaks.
//!
//! Time, ids, digits, phone numbers, languages, codecs, seeded randomness and the outbox. Nothing here
//! reads a clock, opens a file or takes a lock.

mod address;
mod codec;
mod digit;
mod family;
mod hex;
mod holidays;
mod hours;
mod ids;
mod language;
mod network;
mod outbox;
mod phone;
mod protection;
mod quality;
mod rng;
mod time;
mod trigger;

pub use address::Plain;
pub use codec::{Codec, EVENT_PAYLOAD_TYPE, Stream};
pub use digit::Digit;
pub use family::{Family, PerFamily};
pub use hex::hex;
pub use holidays::{Date, Holidays};
pub use hours::{Calendar, Hours, SPAN_ACCEPTED, Span, Utc, WallTime};
pub use ids::{
    AttemptId, CallFlowId, ContactId, GuidanceId, IdError, IncidentId, LegId, RoomId, RoomName, RosterId, TrunkId,
};
pub use language::Language;
pub use network::network;
pub use outbox::Outbox;
pub use phone::{Phone, PhoneError};
pub use protection::{Keys, MASTER, MasterKey, Suite};
pub use quality::{Heard, Quality};
pub use rng::{Rng, seeded, token};
pub use time::{Stamp, Time};
pub use trigger::Trigger;
