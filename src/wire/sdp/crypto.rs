//! `a=crypto`: the keys that one side will protect its voice with, in the description itself (RFC 4568 §9).
//!
//! ```text
//! a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:<40 letters of base64>|2^31|1:4 WSH=64
//!          tag suite                 key and salt in one       lifetime name:its bytes  parameters
//! ```
//!
//! Easy to get wrong: a line with a suite, a parameter or several keys that we do not know is passed over, and no reason to
//! refuse the description (RFC 4568 §6.3, §5.1.2); a parameter that begins with `-` may be passed over by itself; the
//! lifetime says how much the *other* side sends with its key, and binds nobody else.

use core::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::wire::ascii::number;

use crate::base::{MASTER, MasterKey, Suite};

/// Digits of the longest tag (RFC 4568 §9.1).
const TAG_DIGITS: usize = 9;
/// Bytes of the longest name of a key that we look for in packets; RFC 4568 §6.1 allows 128.
const NAME_MAX: u8 = 16;
/// The smallest window of packets that are told apart (RFC 3711 §3.3.2).
const WINDOW_MIN: u32 = 64;

/// An `a=crypto` that can be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Crypto {
    /// What an answer names it by.
    pub tag: u32,
    /// How packets are protected.
    pub suite: Suite,
    /// The key of whoever wrote it.
    pub key: MasterKey,
    /// Bytes that name the key in each of their packets; 0 as a rule.
    pub name_bytes: u8,
}

/// Why an `a=crypto` cannot be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadCrypto {
    /// It has no tag of 1 to 9 digits.
    #[error("a=crypto has no tag")]
    Tag,
    /// Its suite is none of ours.
    #[error("a=crypto names a suite that is not known here")]
    Suite,
    /// Its key is not `inline:`, or not the base64 of 30 bytes.
    #[error("a=crypto has no inline key of 30 bytes")]
    Key,
    /// It has several keys, or a name for its key that is too long.
    #[error("a=crypto has several keys, or a name for its key that cannot be read")]
    Name,
    /// It has a parameter that we cannot keep to.
    #[error("a=crypto has a parameter that is not known here")]
    Parameter,
}

impl Crypto {
    /// Reads the value of an `a=crypto`.
    pub fn parse(value: &str) -> Result<Crypto, BadCrypto> {
        let mut words = value.split_ascii_whitespace();
        let tag = words.next().filter(|tag| tag.len() <= TAG_DIGITS).and_then(number).ok_or(BadCrypto::Tag)?;
        let suite = words.next().and_then(Suite::parse).ok_or(BadCrypto::Suite)?;
        let (key, name_bytes) = key(words.next().ok_or(BadCrypto::Key)?)?;
        if words.all(may_be_kept) { Ok(Crypto { tag, suite, key, name_bytes }) } else { Err(BadCrypto::Parameter) }
    }
}

impl fmt::Display for Crypto {
    /// The value of an `a=crypto`, with the key in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} inline:{}", self.tag, self.suite.name(), STANDARD.encode(self.key.0))
    }
}

/// `inline:KEY`, then `|lifetime` and `|name:bytes`, either of which may be missing.
fn key(word: &str) -> Result<(MasterKey, u8), BadCrypto> {
    if word.contains(';') {
        return Err(BadCrypto::Name);
    }
    let (method, info) = word.split_once(':').ok_or(BadCrypto::Key)?;
    let mut parts = info.split('|');
    let mut key = [0; MASTER];
    let written = parts.next().filter(|_| method.eq_ignore_ascii_case("inline")).ok_or(BadCrypto::Key)?;
    // The decoder wants to be sure of its room.
    let mut room = [0; MASTER + 3];
    match STANDARD.decode_slice(written, &mut room) {
        Ok(MASTER) => key.copy_from_slice(&room[..MASTER]),
        _ => return Err(BadCrypto::Key),
    }
    let mut name_bytes = 0;
    for part in parts {
        if let Some((_, length)) = part.split_once(':') {
            let length = number(length).filter(|length| (1..=NAME_MAX).contains(length));
            name_bytes = length.ok_or(BadCrypto::Name)?;
        }
    }
    Ok((MasterKey(key), name_bytes))
}

/// Is this a parameter that changes nothing about what we send and take?
fn may_be_kept(parameter: &str) -> bool {
    let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
    match name {
        // They promise to tell so many packets apart; we do, too.
        "WSH" => number(value).is_some_and(|packets: u32| packets >= WINDOW_MIN),
        "KDR" => value == "0",
        _ => name.starts_with('-'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz";

    fn read(value: &str) -> Result<Crypto, BadCrypto> {
        Crypto::parse(&value.replace("KEY", KEY))
    }

    #[test]
    fn a_line_is_read_and_written_again() {
        let line = format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}");
        let crypto = Crypto::parse(&line).unwrap();
        assert_eq!((crypto.tag, crypto.suite, crypto.name_bytes), (1, Suite::Tag80, 0));
        assert_eq!(crypto.key.0[..6], *b"YS___s");
        assert_eq!(crypto.to_string(), line);
    }

    #[test]
    fn lifetime_name_and_harmless_parameters_do_not_stand_in_the_way() {
        let whole = read("2 aes_cm_128_hmac_sha1_32 inline:KEY|2^20|1:4 WSH=128 KDR=0 -NEW=1").unwrap();
        assert_eq!((whole.tag, whole.suite, whole.name_bytes), (2, Suite::Tag32, 4));
        assert_eq!(read("2 AES_CM_128_HMAC_SHA1_32 inline:KEY|1:1").unwrap().name_bytes, 1);
        assert_eq!(read("2 AES_CM_128_HMAC_SHA1_32 INLINE:KEY|1048576").unwrap().name_bytes, 0);
    }

    #[test]
    fn a_line_that_cannot_be_used_says_why() {
        let suite = "AES_CM_128_HMAC_SHA1_80";
        for (line, why) in [
            ("", BadCrypto::Tag),
            ("x SUITE inline:KEY", BadCrypto::Tag),
            ("1234567890 SUITE inline:KEY", BadCrypto::Tag),
            ("1", BadCrypto::Suite),
            ("1 F8_128_HMAC_SHA1_80 inline:KEY", BadCrypto::Suite),
            ("1 AEAD_AES_256_GCM inline:KEY", BadCrypto::Suite),
            ("1 SUITE", BadCrypto::Key),
            ("1 SUITE uri:KEY", BadCrypto::Key),
            ("1 SUITE inline:", BadCrypto::Key),
            ("1 SUITE inline:KEYQUJD", BadCrypto::Key),
            ("1 SUITE inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGV", BadCrypto::Key),
            ("1 SUITE inline:WVNfX19zZW1jdGwg!CkgewkyMjA7fQp9CnVubGVz", BadCrypto::Key),
            ("1 SUITE inline:KEY|2^20|1:4;inline:KEY|2^20|2:4", BadCrypto::Name),
            ("1 SUITE inline:KEY|1:0", BadCrypto::Name),
            ("1 SUITE inline:KEY|1:129", BadCrypto::Name),
            ("1 SUITE inline:KEY|1:x", BadCrypto::Name),
            ("1 SUITE inline:KEY UNENCRYPTED_SRTP", BadCrypto::Parameter),
            ("1 SUITE inline:KEY UNENCRYPTED_SRTCP", BadCrypto::Parameter),
            ("1 SUITE inline:KEY KDR=3", BadCrypto::Parameter),
            ("1 SUITE inline:KEY WSH=8", BadCrypto::Parameter),
        ] {
            assert_eq!(read(&line.replace("SUITE", suite)), Err(why), "{line}");
        }
    }
}
