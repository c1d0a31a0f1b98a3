//! The sums themselves: which hash over what (RFC 7616 §3.4.1 to §3.4.3).

use core::fmt;

use md5::{Digest as _, Md5};
use sha2::{Sha256, Sha512_256};

use crate::base::hex;
use crate::wire::sip::Method;

/// A hash function, the strongest last.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Hash {
    /// Broken in other uses, but what most trunks still ask for.
    Md5,
    /// RFC 8760's choice.
    Sha256,
    /// SHA-512 cut to 256 bits (FIPS 180-4), not the head of a SHA-512.
    Sha512t256,
}

/// How a response is computed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Algorithm {
    /// With which function.
    pub hash: Hash,
    /// `-sess`: the password's hash is mixed with the first nonces (RFC 7616 §3.4.2).
    pub session: bool,
}

impl Algorithm {
    /// Reads `MD5`, `SHA-256-sess`, … in any case.
    pub fn parse(name: &str) -> Option<Algorithm> {
        let all =
            [Hash::Md5, Hash::Sha256, Hash::Sha512t256].into_iter().flat_map(|hash| [false, true].map(|s| (hash, s)));
        let mut all = all.map(|(hash, session)| Algorithm { hash, session });
        all.find(|algorithm| algorithm.to_string().eq_ignore_ascii_case(name))
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.hash {
            Hash::Md5 => "MD5",
            Hash::Sha256 => "SHA-256",
            Hash::Sha512t256 => "SHA-512-256",
        })?;
        f.write_str(if self.session { "-sess" } else { "" })
    }
}

impl Hash {
    /// The hash of `text` in lower-case hex.
    fn hex(self, text: &str) -> String {
        let bytes = match self {
            Hash::Md5 => Md5::digest(text).to_vec(),
            Hash::Sha256 => Sha256::digest(text).to_vec(),
            Hash::Sha512t256 => Sha512_256::digest(text).to_vec(),
        };
        hex(&bytes)
    }
}

/// All that a response depends on, apart from who asks for what.
pub(super) struct Sum<'a> {
    pub(super) algorithm: Algorithm,
    pub(super) realm: &'a str,
    pub(super) nonce: &'a str,
    pub(super) cnonce: &'a str,
    pub(super) count: Option<u32>,
}

impl Sum<'_> {
    /// The response in hex (RFC 7616 §3.4.1, RFC 2069 §2.1.2 where nothing is counted).
    pub(super) fn response(&self, username: &str, password: &str, method: &Method, uri: &str) -> String {
        let Sum { algorithm: Algorithm { hash, session }, realm, nonce, cnonce, count } = self;
        let mut a1 = hash.hex(&format!("{username}:{realm}:{password}"));
        if *session {
            a1 = hash.hex(&format!("{a1}:{nonce}:{cnonce}"));
        }
        let a2 = hash.hex(&format!("{method}:{uri}"));
        match count {
            Some(count) => hash.hex(&format!("{a1}:{nonce}:{count:08x}:{cnonce}:auth:{a2}")),
            None => hash.hex(&format!("{a1}:{nonce}:{a2}")),
        }
    }
}
