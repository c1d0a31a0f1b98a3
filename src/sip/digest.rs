//! Digest authentication, both sides (RFC 7616, RFC 8760 for SIP, RFC 2069 where a server offers no qop).
//!
//! The client: [`strongest`] picks a challenge out of a 401 or 407, a [`Session`] answers it and goes on
//! answering with the same nonce. The server: a [`Challenge`] is written into a header, [`Credentials`] are
//! read out of one and [checked](Credentials::check). Passwords go in as arguments and are kept nowhere.
//!
//! Easy to get wrong: `qop` is a list in quotes in a challenge and a bare word in credentials; `nc` is eight
//! hex digits and never in quotes; `uri` is the Request-URI as it stands in the request line; `algorithm` is
//! only echoed when the challenge had one, because servers of 1999 do not know it; commas stand inside of
//! quotes. `auth-int` is never chosen: proxies change bodies.

mod credentials;
mod sum;

pub use credentials::{Credentials, Denied};
pub use sum::{Algorithm, Hash};

use core::cmp::Reverse;
use core::fmt;

use crate::wire::sip::{List, Method, Params, quote, unquote};
use sum::Sum;

/// What a server asks for: one WWW-Authenticate or Proxy-Authenticate value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Challenge {
    /// Whose password is wanted.
    pub realm: String,
    /// What makes every response another.
    pub nonce: String,
    /// Echoed unread.
    pub opaque: Option<String>,
    /// `None` stands for MD5 and is answered without naming an algorithm.
    pub algorithm: Option<Algorithm>,
    /// True for `qop=auth`, false for the form of RFC 2069.
    pub qop: bool,
    /// The credentials were right but the nonce is too old: answer again without asking anybody.
    pub stale: bool,
}

/// A nonce in use: answers request after request, counting.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Session {
    challenge: Challenge,
    cnonce: String,
    count: u32,
}

/// The best challenge among the values of all WWW-Authenticate (or all Proxy-Authenticate) lines of a
/// response: the strongest hash, then the earliest. `None` when none can be answered.
pub fn strongest<'a>(lines: impl Iterator<Item = &'a str>) -> Option<Challenge> {
    let all: Vec<Challenge> = lines.flat_map(Challenge::parse_all).collect();
    all.into_iter().enumerate().max_by_key(|(place, c)| (c.effective().hash, Reverse(*place))).map(|(_, c)| c)
}

/// The best challenge of each realm among these lines, in the order in which the realms come. Several who were asked at
/// once may each want to know who we are, and then one response brings the questions of all (RFC 3261 §22.3).
pub fn strongest_of_each<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<Challenge> {
    let mut best: Vec<Challenge> = Vec::new();
    for challenge in lines.flat_map(Challenge::parse_all) {
        match best.iter_mut().find(|known| known.realm == challenge.realm) {
            Some(known) if challenge.effective().hash > known.effective().hash => *known = challenge,
            Some(_) => {}
            None => best.push(challenge),
        }
    }
    best
}

impl Challenge {
    /// A challenge with `qop=auth`.
    pub fn new(realm: &str, nonce: &str, hash: Hash) -> Challenge {
        let algorithm = Some(Algorithm { hash, session: false });
        Challenge { realm: realm.into(), nonce: nonce.into(), opaque: None, algorithm, qop: true, stale: false }
    }

    /// The same, telling the client that only its nonce was wrong.
    pub fn stale(self) -> Challenge {
        Challenge { stale: true, ..self }
    }

    /// Reads the challenges of one header line that can be answered; several in one line are no SIP, but
    /// HTTP servers taught it to some. Left out: other schemes, unknown algorithms, `auth-int` alone.
    pub fn parse_all(line: &str) -> Vec<Challenge> {
        let mut challenges: Vec<Vec<&str>> = Vec::new();
        for item in List::of(line) {
            match scheme_of(item) {
                Some(scheme) => challenges.push(vec![scheme, item.get(scheme.len()..).unwrap_or_default()]),
                None => challenges.last_mut().into_iter().for_each(|parts| parts.push(item)),
            }
        }
        challenges.iter().filter_map(|parts| Challenge::from_parts(parts)).collect()
    }

    fn from_parts(parts: &[&str]) -> Option<Challenge> {
        let fields = Fields::of(parts)?;
        let qop = fields.get("qop");
        let auth = qop.as_deref().is_some_and(|qop| List::of(qop).any(|q| q.eq_ignore_ascii_case("auth")));
        if !auth && qop.is_some_and(|qop| !qop.is_empty()) {
            return None;
        }
        let algorithm = fields.get("algorithm").map(|name| Algorithm::parse(&name).ok_or(())).transpose().ok()?;
        Some(Challenge {
            realm: fields.get("realm")?,
            nonce: fields.get("nonce")?,
            opaque: fields.get("opaque"),
            algorithm,
            qop: auth,
            stale: fields.get("stale").is_some_and(|stale| stale.eq_ignore_ascii_case("true")),
        })
    }

    fn effective(&self) -> Algorithm {
        self.algorithm.unwrap_or(Algorithm { hash: Hash::Md5, session: false })
    }
}

impl fmt::Display for Challenge {
    /// The header value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest realm={}, nonce={}", quote(&self.realm), quote(&self.nonce))?;
        self.opaque.as_ref().map_or(Ok(()), |opaque| write!(f, ", opaque={}", quote(opaque)))?;
        self.algorithm.map_or(Ok(()), |algorithm| write!(f, ", algorithm={algorithm}"))?;
        f.write_str(if self.qop { ", qop=\"auth\"" } else { "" })?;
        f.write_str(if self.stale { ", stale=true" } else { "" })
    }
}

impl Session {
    /// Takes up `challenge` with a client nonce, which must be hard to guess.
    pub fn new(challenge: Challenge, cnonce: &str) -> Session {
        Session { challenge, cnonce: cnonce.into(), count: 0 }
    }

    /// What is being answered.
    pub fn challenge(&self) -> &Challenge {
        &self.challenge
    }

    /// The value of Authorization (for a 401) or Proxy-Authorization (for a 407) for one request; every request
    /// needs its own, as each counts.
    pub fn authorize(&mut self, username: &str, password: &str, method: &Method, uri: &str) -> String {
        self.count = self.count.saturating_add(1);
        let challenge = &self.challenge;
        let sum = Sum {
            algorithm: challenge.effective(),
            realm: &challenge.realm,
            nonce: &challenge.nonce,
            cnonce: &self.cnonce,
            count: challenge.qop.then_some(self.count),
        };
        let response = sum.response(username, password, method, uri);
        let mut value = format!("Digest username={}, realm={}", quote(username), quote(&challenge.realm));
        value += &format!(", nonce={}, uri={}, response=\"{response}\"", quote(&challenge.nonce), quote(uri));
        if let Some(algorithm) = challenge.algorithm {
            value += &format!(", algorithm={algorithm}");
        }
        if let Some(opaque) = &challenge.opaque {
            value += &format!(", opaque={}", quote(opaque));
        }
        if challenge.qop || sum.algorithm.session {
            value += &format!(", cnonce={}", quote(&self.cnonce));
        }
        if challenge.qop {
            value += &format!(", qop=auth, nc={:08x}", self.count);
        }
        value
    }
}

/// The `name=value` pairs of a Digest value.
struct Fields<'a>(Vec<Params<'a>>);

impl<'a> Fields<'a> {
    /// `parts` begins with the scheme; `None` when it is not Digest.
    fn of(parts: &[&'a str]) -> Option<Fields<'a>> {
        let (scheme, pairs) = parts.split_first()?;
        scheme.eq_ignore_ascii_case("Digest").then(|| Fields(pairs.iter().map(|pair| Params::of(pair)).collect()))
    }

    /// The first value called `name`, unquoted.
    fn get(&self, name: &str) -> Option<String> {
        self.0.iter().find_map(|pair| pair.get(name)).map(|value| unquote(value).into_owned())
    }
}

/// The scheme that `item` begins with: a word, then a space, then something that is no `=`.
fn scheme_of(item: &str) -> Option<&str> {
    let (scheme, rest) = item.split_once([' ', '\t'])?;
    let word = !scheme.is_empty() && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    (word && !rest.trim_start().starts_with('=')).then_some(scheme)
}

#[cfg(test)]
mod tests;
