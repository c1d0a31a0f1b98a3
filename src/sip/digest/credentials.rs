//! The server's side: what clients claim, and whether it is true (RFC 7616 §3.4, §3.4.6).

use super::sum::{Algorithm, Sum};
use super::{Challenge, Fields, scheme_of};
use crate::wire::sip::{List, Method};

/// What a client sent: one Authorization or Proxy-Authorization value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Credentials {
    /// Who it claims to be.
    pub username: String,
    /// For whose sake.
    pub realm: String,
    /// The server's nonce.
    pub nonce: String,
    /// The Request-URI that was signed. Compare it with the request's own.
    pub uri: String,
    /// 1 for the first request with this nonce; `None` in the form of RFC 2069.
    pub count: Option<u32>,
    algorithm: Algorithm,
    cnonce: String,
    pub(super) response: String,
}

/// Why credentials are not accepted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Denied {
    /// Another realm or algorithm than was asked for, or no qop where one was.
    #[error("credentials do not fit the challenge")]
    Unfit,
    /// The response is right, but for a nonce that is no longer ours: challenge again, `stale`.
    #[error("the nonce is too old")]
    Stale,
    /// This count was seen before with this nonce.
    #[error("replayed credentials")]
    Replayed,
    /// Wrong user, password or method.
    #[error("wrong credentials")]
    Wrong,
}

impl Credentials {
    /// Reads a header value; `None` for other schemes, unknown algorithms, `auth-int`, or missing fields.
    pub fn parse(value: &str) -> Option<Credentials> {
        let mut items = List::of(value);
        let first = items.next()?;
        let scheme = scheme_of(first)?;
        let parts: Vec<&str> = [scheme, first.get(scheme.len()..)?].into_iter().chain(items).collect();
        let fields = Fields::of(&parts)?;
        let count = match fields.get("qop").filter(|qop| !qop.is_empty()) {
            Some(qop) if qop.eq_ignore_ascii_case("auth") => Some(u32::from_str_radix(&fields.get("nc")?, 16).ok()?),
            Some(_) => return None,
            None => None,
        };
        Some(Credentials {
            username: fields.get("username")?,
            realm: fields.get("realm")?,
            nonce: fields.get("nonce")?,
            uri: fields.get("uri")?,
            count,
            algorithm: Algorithm::parse(&fields.get("algorithm").unwrap_or_else(|| "MD5".into()))?,
            cnonce: fields.get("cnonce").unwrap_or_default(),
            response: fields.get("response")?,
        })
    }

    /// How they were computed.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Do they answer `challenge` for a request with this method, by somebody who knows `password`?
    /// `last_count` is the highest count accepted for this nonce so far, 0 at first; the new one comes back.
    pub fn check(
        &self,
        challenge: &Challenge,
        last_count: u32,
        password: &str,
        method: &Method,
    ) -> Result<u32, Denied> {
        let fits = self.realm == challenge.realm && self.algorithm == challenge.effective();
        if !fits || challenge.qop != self.count.is_some() {
            return Err(Denied::Unfit);
        }
        let sum = Sum {
            algorithm: self.algorithm,
            realm: &self.realm,
            nonce: &self.nonce,
            cnonce: &self.cnonce,
            count: self.count,
        };
        if !same(&sum.response(&self.username, password, method, &self.uri), &self.response) {
            return Err(Denied::Wrong);
        }
        if self.nonce != challenge.nonce {
            return Err(Denied::Stale);
        }
        match self.count {
            Some(count) if count <= last_count => Err(Denied::Replayed),
            Some(count) => Ok(count),
            None => Ok(last_count),
        }
    }
}

/// Equal, in any case of the hex digits, without telling by the time it takes where they differ.
fn same(ours: &str, theirs: &str) -> bool {
    let difference = |(a, b): (u8, u8)| a ^ b.to_ascii_lowercase();
    ours.len() == theirs.len() && ours.bytes().zip(theirs.bytes()).map(difference).fold(0, |all, one| all | one) == 0
}
