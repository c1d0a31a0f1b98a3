//! Asks for the password of the trunk's one account (RFC 3261 §22, RFC 7616).
//!
//! Every challenge brings a nonce of its own; it holds for a while, and each count once. Easy to get wrong: a
//! request that is sent again because its answer was lost carries the same count and must be let in again,
//! so a count is remembered together with the branch it came in.

use core::time::Duration;
use std::collections::VecDeque;

use crate::base::{Rng, Time, token};
use crate::sip::digest::{Challenge, Credentials, Denied, Hash};
use crate::wire::sip::{Message, Name};

/// Nonces that are remembered; beyond that the oldest are stale.
const NONCES: usize = 256;
/// Uses of one nonce that are remembered; beyond that it is stale.
const USES: usize = 1_000;

/// Whose password is asked for, and how.
#[derive(Debug)]
pub struct Doorman {
    /// The account's name and password.
    pub account: (String, String),
    /// The digest realm.
    pub realm: String,
    /// The hash that is asked for.
    pub hash: Hash,
    /// For how long a nonce holds.
    pub nonce_life: Duration,
    /// Makes nonces.
    pub rng: Rng,
    nonces: VecDeque<Nonce>,
}

#[derive(Debug)]
struct Nonce {
    challenge: Challenge,
    until: Time,
    /// Each count, and the branch of the request that used it.
    used: Vec<(u32, String)>,
}

impl Doorman {
    /// A doorman who knows one account and has asked nobody yet.
    pub fn new(account: (String, String), realm: &str, hash: Hash, nonce_life: Duration, rng: Rng) -> Doorman {
        Doorman { account, realm: realm.to_owned(), hash, nonce_life, rng, nonces: VecDeque::new() }
    }

    /// Lets `request` in, or says what to ask its sender. `header` is where the credentials stand.
    pub fn admit(&mut self, now: Time, request: &Message, header: Name) -> Result<(), Challenge> {
        let realm = &self.realm;
        let mut all = request.headers(&header).filter_map(Credentials::parse);
        match all.find(|credentials| credentials.realm == *realm) {
            None => Err(self.challenge(now)),
            Some(credentials) => match self.check(now, request, &credentials) {
                Ok(()) => Ok(()),
                Err(Denied::Stale | Denied::Replayed) => Err(self.challenge(now).stale()),
                Err(Denied::Unfit | Denied::Wrong) => Err(self.challenge(now)),
            },
        }
    }

    fn check(&mut self, now: Time, request: &Message, credentials: &Credentials) -> Result<(), Denied> {
        let (username, password) = &self.account;
        let known = self.nonces.iter_mut().find(|nonce| nonce.challenge.nonce == credentials.nonce);
        let nonce = known.filter(|nonce| now < nonce.until && nonce.used.len() < USES).ok_or(Denied::Stale)?;
        let count = credentials.check(&nonce.challenge, 0, password, &request.method())?;
        if credentials.username != *username || Some(credentials.uri.as_str()) != request.uri() {
            return Err(Denied::Wrong);
        }
        let branch = request.via().ok().and_then(|via| via.branch()).unwrap_or_default();
        match nonce.used.iter().find(|(used, _)| *used == count) {
            Some((_, by)) if by == branch => Ok(()),
            Some(_) => Err(Denied::Replayed),
            None => {
                nonce.used.push((count, branch.to_owned()));
                Ok(())
            }
        }
    }

    fn challenge(&mut self, now: Time) -> Challenge {
        let challenge = Challenge::new(&self.realm, &token(&mut self.rng, 24), self.hash);
        if self.nonces.len() >= NONCES {
            self.nonces.pop_front();
        }
        let until = now + self.nonce_life;
        self.nonces.push_back(Nonce { challenge: challenge.clone(), until, used: Vec::new() });
        challenge
    }
}
