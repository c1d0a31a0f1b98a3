//! Whether voice is encrypted towards a trunk, and the keys we bring to one call (RFC 4568).
//!
//! Easy to get wrong: each line that we offer has a key of its own (RFC 4568 §6.1), and the same line has the same key for as
//! long as the call lasts, so that a hold or a session timer does not begin the stream anew; the tags stay the same, too, so
//! that an answer names its line whenever it comes.

use rand::Rng as _;

use crate::base::{MASTER, MasterKey, Rng, Suite};
use crate::wire::sdp::{BadCrypto, Crypto, Media};

/// Is voice encrypted?
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Srtp {
    /// No; who demands it is refused.
    #[default]
    Off,
    /// Where the other side can do it, too: it is offered beside plain RTP, in one section (RFC 8643 §3.1).
    Optional,
    /// Yes, or there is no call.
    Required,
}

impl Srtp {
    /// What a configuration says.
    pub fn parse(text: &str) -> Option<Srtp> {
        [Srtp::Off, Srtp::Optional, Srtp::Required].into_iter().find(|srtp| srtp.as_str() == text)
    }

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Srtp::Off => "off",
            Srtp::Optional => "optional",
            Srtp::Required => "required",
        }
    }
}

/// Our keys for one call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OurKeys {
    required: bool,
    /// One for each of [`Suite::ALL`].
    keys: [MasterKey; Suite::ALL.len()],
}

/// Why the voice of a section cannot be encrypted as it must be.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Unprotected {
    /// They demand it, and we do not do it.
    #[error("only encrypted voice is offered, and srtp is off here")]
    Off,
    /// We demand it, or they do, and they name no key.
    #[error("encrypted voice is required, and the session description names no key for it (a=crypto)")]
    NoKey,
    /// What they name cannot be used.
    #[error("the voice cannot be encrypted: {0}")]
    BadKey(BadCrypto),
    /// They answer to what was not offered.
    #[error("the voice cannot be encrypted: the answer's a=crypto is none of those offered")]
    NotOffered,
}

impl OurKeys {
    /// Fresh keys for a call, where it is to have some.
    pub fn fresh(srtp: Srtp, rng: &mut Rng) -> Option<OurKeys> {
        let mut key = || {
            let mut key = [0; MASTER];
            rng.fill_bytes(&mut key);
            MasterKey(key)
        };
        let keys = [key(), key()];
        (srtp != Srtp::Off).then_some(OurKeys { required: srtp == Srtp::Required, keys })
    }

    /// The transport that an offer names. With plain RTP in it a peer that knows no encryption answers as ever.
    pub fn proto(&self) -> &'static str {
        if self.required { "RTP/SAVP" } else { "RTP/AVP" }
    }

    /// The lines of an offer, the best first.
    pub fn offered(&self) -> impl Iterator<Item = Crypto> {
        Suite::ALL.into_iter().map(|suite| self.line(tag(suite), suite))
    }

    /// The lines of an offer in the middle of a call, where `said` is what we said of this section last: for the same
    /// suites.
    pub fn offered_again(&self, said: &Media<'_>) -> Vec<String> {
        let suites = said.cryptos.iter().filter_map(|line| Crypto::parse(line).ok()).map(|crypto| crypto.suite);
        suites.map(|suite| self.line(tag(suite), suite).to_string()).collect()
    }

    /// The line of ours for this suite.
    pub fn line(&self, tag: u32, suite: Suite) -> Crypto {
        Crypto { tag, suite, key: self.key(suite), name_bytes: 0 }
    }

    /// What we send with.
    pub fn key(&self, suite: Suite) -> MasterKey {
        self.keys[suite as usize]
    }
}

/// The line of `theirs` that is agreed to, if the section is to be encrypted. `secure`: its transport demands that.
/// `answer`: it answers an offer of ours.
pub fn agreed(
    ours: Option<&OurKeys>,
    theirs: &Media<'_>,
    secure: bool,
    answer: bool,
) -> Result<Option<Crypto>, Unprotected> {
    let Some(ours) = ours else { return if secure { Err(Unprotected::Off) } else { Ok(None) } };
    let mut why = None;
    for line in &theirs.cryptos {
        match Crypto::parse(line) {
            Ok(crypto) if !answer || crypto.tag == tag(crypto.suite) => return Ok(Some(crypto)),
            Ok(_) => why = why.or(Some(Unprotected::NotOffered)),
            Err(bad) => why = why.or(Some(Unprotected::BadKey(bad))),
        }
    }
    // Who answers with a key means to use it.
    let meant = secure || ours.required || answer && why.is_some();
    if meant { Err(why.unwrap_or(Unprotected::NoKey)) } else { Ok(None) }
}

/// What our offers call a suite.
const fn tag(suite: Suite) -> u32 {
    suite as u32 + 1
}

#[cfg(test)]
#[path = "tests/srtp.rs"]
mod tests;
