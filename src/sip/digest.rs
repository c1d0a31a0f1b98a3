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

use core::cmp::Reverse;
use core::fmt;

use md5::{Digest as _, Md5};
use sha2::{Sha256, Sha512_256};

use crate::wire::sip::{List, Method, Params, quote, unquote};

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
    response: String,
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

/// The best challenge among the values of all WWW-Authenticate (or all Proxy-Authenticate) lines of a
/// response: the strongest hash, then the earliest. `None` when none can be answered.
pub fn strongest<'a>(lines: impl Iterator<Item = &'a str>) -> Option<Challenge> {
    let all: Vec<Challenge> = lines.flat_map(Challenge::parse_all).collect();
    all.into_iter().enumerate().max_by_key(|(place, c)| (c.effective().hash, Reverse(*place))).map(|(_, c)| c)
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
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// All that a response depends on, apart from who asks for what.
struct Sum<'a> {
    algorithm: Algorithm,
    realm: &'a str,
    nonce: &'a str,
    cnonce: &'a str,
    count: Option<u32>,
}

impl Sum<'_> {
    /// RFC 7616 §3.4.1
    fn response(&self, username: &str, password: &str, method: &Method, uri: &str) -> String {
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

/// Equal, in any case of the hex digits, without telling by the time it takes where they differ.
fn same(ours: &str, theirs: &str) -> bool {
    let difference = |(a, b): (u8, u8)| a ^ b.to_ascii_lowercase();
    ours.len() == theirs.len() && ours.bytes().zip(theirs.bytes()).map(difference).fold(0, |all, one| all | one) == 0
}

#[cfg(test)]
mod tests;
