//! Names for things: those a person writes in the configuration, and those hansho gives.

use core::fmt;
use core::str::FromStr;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

use super::{Rng, Stamp};
use rand::RngExt;

/// Why a text is no id.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("`{found}` is not {wanted}")]
pub struct IdError {
    found: String,
    wanted: &'static str,
}

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        ///
        /// 1 to 64 letters, digits, `_`, `-` or `.`: it is written in files, URLs and log lines.
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// Reads a name.
            pub fn parse(text: &str) -> Result<$name, IdError> {
                let fits = (1..=64).contains(&text.chars().count())
                    && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'));
                let wanted = "an id: 1 to 64 letters, digits, `_`, `-` or `.`";
                if fits { Ok($name(text.into())) } else { Err(IdError { found: text.to_owned(), wanted }) }
            }

            /// The name as it was written.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<$name, IdError> {
                $name::parse(&text)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<$name, IdError> {
                $name::parse(text)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0.as_ref().to_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", self.0)
            }
        }
    )*};
}

names! {
    /// A person in the configuration.
    ContactId
    /// An ordered list of contacts.
    RosterId
    /// How a roster is called.
    CallFlowId
    /// What the callee hears and what each key does.
    GuidanceId
    /// A SIP account at a carrier or a PBX.
    TrunkId
    /// A conference, by the name people know it by.
    RoomName
}

/// An incident: 12 characters that sort by the time it was accepted, safe to read out and to type.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct IncidentId(u64);

/// Crockford's base 32: no i, l, o or u to be misread.
const BASE32: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const INCIDENT_CHARS: usize = 12;
const RANDOM_BITS: u32 = 18;

impl IncidentId {
    /// Sorts before every other.
    pub const FIRST: IncidentId = IncidentId(0);

    /// A new id: 42 bits of milliseconds, then 18 random bits.
    pub fn new(at: Stamp, rng: &mut Rng) -> IncidentId {
        let millis = at.as_unix_micros().max(0).unsigned_abs() / 1_000;
        let random = rng.random_range(0..1u64 << RANDOM_BITS);
        IncidentId(((millis & ((1 << 42) - 1)) << RANDOM_BITS) | random)
    }
}

impl fmt::Display for IncidentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (0..INCIDENT_CHARS).rev().try_for_each(|place| {
            let five_bits = (self.0 >> (place * 5)) & 31;
            write!(f, "{}", char::from(BASE32[five_bits as usize]))
        })
    }
}

impl FromStr for IncidentId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<IncidentId, IdError> {
        let error =
            || IdError { found: text.to_owned(), wanted: "an incident: 12 characters, as `hansho status` shows them" };
        if text.len() != INCIDENT_CHARS {
            return Err(error());
        }
        text.bytes()
            .try_fold(0u64, |id, byte| {
                let place = BASE32.iter().position(|&b| b == byte.to_ascii_lowercase()).ok_or_else(error)?;
                Ok(id << 5 | place as u64)
            })
            .map(IncidentId)
    }
}

impl TryFrom<String> for IncidentId {
    type Error = IdError;

    fn try_from(text: String) -> Result<IncidentId, IdError> {
        text.parse()
    }
}

impl From<IncidentId> for String {
    fn from(id: IncidentId) -> String {
        id.to_string()
    }
}

impl fmt::Debug for IncidentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// One call to one contact for one incident: the incident, and the how-many-eth call of it (from 1).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttemptId {
    /// What the call is about.
    pub incident: IncidentId,
    /// 1 for the incident's first call.
    pub number: u32,
}

impl fmt::Display for AttemptId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.incident, self.number)
    }
}

impl fmt::Debug for AttemptId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// One SIP dialog with its RTP stream; never used twice while the process lives.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct LegId(pub u32);

/// A running room; never used twice while the process lives. People know it by its [`RoomName`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RoomId(pub u32);

impl fmt::Display for LegId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::seeded;

    #[test]
    fn an_incident_id_survives_being_written_and_read() {
        let id = IncidentId::new(Stamp::from_unix_micros(1_795_000_000_000_000), &mut seeded(7));
        assert_eq!(id.to_string().parse::<IncidentId>(), Ok(id));
        assert_eq!(id.to_string().len(), INCIDENT_CHARS);
    }

    #[test]
    fn incident_ids_sort_by_time() {
        let mut rng = seeded(7);
        let early = IncidentId::new(Stamp::from_unix_micros(1_795_000_000_000_000), &mut rng);
        let late = IncidentId::new(Stamp::from_unix_micros(1_795_000_000_001_000), &mut rng);
        assert!(early < late && early.to_string() < late.to_string());
    }

    #[test]
    fn a_name_with_a_slash_is_refused() {
        assert!(RosterId::parse("on/call").is_err());
        assert_eq!(RosterId::parse("当番-1").unwrap().as_str(), "当番-1");
    }
}
