//! What protects the voice of one leg, as two descriptions agreed on it (RFC 4568). The words that signalling and media
//! share.
//!
//! Easy to get wrong: each side protects what it sends with a key of its own, so there are two; and a key must end
//! neither in a log nor in a journal, so nothing here prints one by accident.

use core::fmt;

/// Bytes of a master key and its salt: 128 and 112 bits (RFC 4568 §6.2).
pub const MASTER: usize = 30;

/// A crypto-suite: AES in counter mode with 128 bits, and HMAC-SHA1 of this length.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Suite {
    /// 80 bits of every packet vouch for it (RFC 4568 §6.2.1).
    Tag80,
    /// 32 bits of every packet of voice, and 80 of every report (RFC 4568 §6.2.2).
    Tag32,
}

impl Suite {
    /// Every suite, in the order hansho offers them.
    pub const ALL: [Suite; 2] = [Suite::Tag80, Suite::Tag32];

    /// Its name in `a=crypto`.
    pub const fn name(self) -> &'static str {
        match self {
            Suite::Tag80 => "AES_CM_128_HMAC_SHA1_80",
            Suite::Tag32 => "AES_CM_128_HMAC_SHA1_32",
        }
    }

    /// The suite of this name.
    pub fn parse(name: &str) -> Option<Suite> {
        Suite::ALL.into_iter().find(|suite| suite.name().eq_ignore_ascii_case(name))
    }
}

/// A master key with its salt behind it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct MasterKey(pub [u8; MASTER]);

impl fmt::Debug for MasterKey {
    /// Without the key: what is printed ends in logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(..)")
    }
}

/// The keys of one leg.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Keys {
    /// How both sides protect what they send.
    pub suite: Suite,
    /// What we send.
    pub ours: MasterKey,
    /// What we are sent.
    pub theirs: MasterKey,
    /// Bytes that name the key in each packet we are sent (RFC 3711 §3.1, MKI); 0 as a rule.
    pub name_bytes: u8,
}
