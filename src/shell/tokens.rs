//! Tokens: who may do what over HTTP.
//!
//! A token is shown once, when it is made; what is kept is its SHA-256, in the journal, as a fact like any other. The
//! core task owns the book and everybody else reads the latest issue of it. A token is good when its fact is on
//! disk (one that the disk refused is withdrawn, and never was), and opens nothing from the moment somebody asks to
//! revoke it. When each was last used is kept beside the journal and written seldom: a fact a use would be more writing
//! than all the rest.

mod asked;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rand::RngExt;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tokio::sync::watch;

use super::clock::Clock;
use super::control::Failure;
use super::events::rfc3339;
use crate::base::{CallFlowId, Stamp, hex};
use crate::incident::{HouseFact, Token};

/// What every token begins with, so that one that leaked is recognised (by people, and by scanners of repositories).
const PREFIX: &str = "hansho_";
/// Random letters behind it: 62^43 is more than 2^256.
const LETTERS: usize = 43;
/// How many of them are shown in lists.
const SHOWN: usize = 5;
/// The most tokens that are good at once, and the longest name in characters.
const TOKENS_MAX: usize = 1_000;
const NAME_MAX: usize = 100;
/// How long a token may be good where an end is given: ten years.
const EXPIRES_MAX: Duration = Duration::from_secs(10 * 366 * 86_400);

/// How long after the clock was set it is seen at the latest that a token has expired.
const LOOK: Duration = Duration::from_secs(60);

/// What a token may be good for.
pub const SCOPES: [&str; 5] = ["trigger", "read", "manage", "directory", "dial:any"];

/// Why a token does not open.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Denied {
    /// Nobody ever made it, or it was revoked.
    Unknown,
    /// Its time is over.
    Expired,
}

/// Every token that was made and not revoked.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct TokenBook {
    tokens: BTreeMap<u32, Token>,
    /// The highest number that was ever given.
    last: u32,
}

impl TokenBook {
    /// Takes in what happened to the house; most of it is about something else.
    pub fn apply(&mut self, fact: &HouseFact) {
        match fact {
            HouseFact::TokenCreated { token, .. } => {
                self.last = self.last.max(token.id);
                self.tokens.insert(token.id, token.clone());
            }
            HouseFact::TokenRevoked { token, .. } => {
                self.tokens.remove(token);
            }
            _ => {}
        }
    }

    /// The token that this is, if it opens anything at `now`.
    ///
    /// Digests are compared, each in a time that says nothing about them, and always all.
    pub fn find(&self, secret: &str, now: Stamp) -> Result<&Token, Denied> {
        let digest = digest(secret);
        let mut found = None;
        for token in self.tokens.values() {
            if bool::from(token.digest.as_bytes().ct_eq(digest.as_bytes())) {
                found = Some(token);
            }
        }
        let token = found.ok_or(Denied::Unknown)?;
        if token.expires.is_some_and(|end| end <= now) { Err(Denied::Expired) } else { Ok(token) }
    }

    /// The token of this number.
    pub fn get(&self, id: u32) -> Option<&Token> {
        self.tokens.get(&id)
    }

    /// Every token, the oldest first.
    pub fn all(&self) -> impl Iterator<Item = &Token> {
        self.tokens.values()
    }
}

/// What a new token shall be.
#[derive(Clone, PartialEq, Debug)]
pub struct NewToken {
    /// What people call it.
    pub name: String,
    /// What it opens; `trigger` and `read` where nothing is named.
    pub scopes: Vec<String>,
    /// How long it is good; for ever when absent.
    pub expires_in: Option<Duration>,
    /// The call flow of its triggers.
    pub call_flow: Option<CallFlowId>,
}

/// The book of tokens, as every task sees it.
#[derive(Clone, Debug)]
pub struct Tokens {
    book: Arc<watch::Sender<TokenBook>>,
    used: Arc<Mutex<Used>>,
}

/// When each token was last used.
#[derive(Debug)]
struct Used {
    at: BTreeMap<u32, Stamp>,
    file: PathBuf,
    /// Something changed since it was written.
    changed: bool,
}

impl Tokens {
    /// The book as the house's facts tell it; `folder` keeps when each was last used.
    pub fn new<'a>(facts: impl Iterator<Item = &'a HouseFact>, folder: &Path) -> Tokens {
        let mut book = TokenBook::default();
        facts.for_each(|fact| book.apply(fact));
        let file = folder.join("tokens-used.json");
        // It is no truth: without it a list says "never", until the next use.
        let at = fs::read(&file).ok().and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default();
        let used = Arc::new(Mutex::new(Used { at, file, changed: false }));
        Tokens { book: Arc::new(watch::Sender::new(book)), used }
    }

    /// Looks a token up, and notes that it was used.
    pub fn open(&self, secret: &str, now: Stamp) -> Result<Token, Denied> {
        let token = self.book.borrow().find(secret, now).cloned()?;
        let mut used = self.used();
        used.at.insert(token.id, now);
        used.changed = true;
        Ok(token)
    }

    /// The name of a token whose triggers go to this call flow.
    pub fn with_call_flow(&self, id: &str) -> Option<String> {
        let book = self.book.borrow();
        let of = |token: &&Token| token.call_flow.as_ref().is_some_and(|flow| flow.as_str() == id);
        book.all().find(of).map(|token| token.name.clone())
    }

    /// Makes a token: its fact, which is to be stored and then told to [`Tokens::note`], and the token itself, which
    /// is shown once.
    pub fn create(&self, new: NewToken, by: &str, now: Stamp) -> Result<(HouseFact, String), Failure> {
        let bad = |message: String| Failure::new("bad_request", message);
        let name = new.name.trim();
        if name.is_empty() || name.chars().count() > NAME_MAX || name.chars().any(char::is_control) {
            return Err(bad(format!("`name`: 1 to {NAME_MAX} characters on one line")));
        }
        if let Some(unknown) = new.scopes.iter().find(|scope| !SCOPES.contains(&scope.as_str())) {
            return Err(bad(format!("`scopes`: `{unknown}` is none of {}", SCOPES.join(", "))));
        }
        if new.expires_in.is_some_and(|time| time.is_zero() || time > EXPIRES_MAX) {
            return Err(bad("`expires_in_s`: 1 second to ten years".to_owned()));
        }
        let book = self.book.borrow();
        let good = book.tokens.values().filter(|token| token.expires.is_none_or(|end| end > now)).count();
        if good >= TOKENS_MAX {
            return Err(Failure::new("too_many", format!("there are {TOKENS_MAX} tokens: revoke some")));
        }
        let scopes: BTreeSet<String> = if new.scopes.is_empty() {
            ["trigger", "read"].map(str::to_owned).into()
        } else {
            new.scopes.into_iter().collect()
        };
        let secret = secret();
        let token = Token {
            id: book.last.saturating_add(1),
            name: name.to_owned(),
            prefix: secret.chars().take(PREFIX.len() + SHOWN).collect(),
            digest: digest(&secret),
            scopes,
            expires: new.expires_in.map(|time| now + time),
            call_flow: new.call_flow,
        };
        drop(book);
        // The number is taken from now on, also while the disk is asked.
        self.book.send_modify(|book| book.last = token.id);
        Ok((HouseFact::TokenCreated { token, by: by.to_owned() }, secret))
    }

    /// The fact that takes a token back. It opens nothing from now on.
    pub fn revoke(&self, id: u32, by: &str) -> Result<HouseFact, Failure> {
        if self.book.borrow().get(id).is_none() {
            return Err(Failure::new("not_found", format!("no token {id}: `hansho token list` lists them")));
        }
        let fact = HouseFact::TokenRevoked { token: id, by: by.to_owned() };
        self.note(&fact);
        Ok(fact)
    }

    /// A fact is on disk: it is in the book from here on.
    pub fn note(&self, fact: &HouseFact) {
        self.book.send_modify(|book| book.apply(fact));
    }

    /// Waits until this token opens nothing any more.
    pub async fn closed(&self, id: u32, clock: &Clock) {
        let mut book = self.book.subscribe();
        loop {
            let now = clock.calendar();
            let left = match book.borrow_and_update().get(id).map(|token| token.expires) {
                None => return,
                Some(Some(end)) if end <= now => return,
                // The clock may be set in between.
                Some(Some(end)) => end.since(now).min(LOOK),
                Some(None) => LOOK,
            };
            let _ = tokio::time::timeout(left, book.changed()).await;
        }
    }

    /// Every token as an object, without its digest.
    pub fn list(&self) -> Vec<Value> {
        let used = self.used();
        self.book.borrow().all().map(|token| shown(token, used.at.get(&token.id).copied())).collect()
    }

    /// Writes down when each was last used, where that changed.
    pub fn write_down(&self) {
        let (file, at) = {
            let mut used = self.used();
            if !core::mem::take(&mut used.changed) {
                return;
            }
            let book = self.book.borrow();
            used.at.retain(|id, _| book.get(*id).is_some());
            (used.file.clone(), used.at.clone())
        };
        // Nobody waits for the disk: the core task lists tokens between two calls.
        if let Err(error) = write(&file, &at) {
            self.used().changed = true;
            tracing::warn!(file = %file.display(), %error, "when tokens were used is not written down");
        }
    }

    fn used(&self) -> MutexGuard<'_, Used> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A token as lists show it.
fn shown(token: &Token, used: Option<Stamp>) -> Value {
    json!({
        "token": token.id,
        "name": token.name,
        "prefix": token.prefix,
        "scopes": token.scopes,
        "expires": token.expires.map(rfc3339),
        "call_flow": token.call_flow,
        "last_used": used.map(rfc3339),
    })
}

/// 256 bits from the system's own randomness.
fn secret() -> String {
    const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut rng = rand::rng();
    let letters = (0..LETTERS).map(|_| char::from(ALPHABET[rng.random_range(0..ALPHABET.len())]));
    PREFIX.chars().chain(letters).collect()
}

fn digest(secret: &str) -> String {
    hex(&Sha256::digest(secret))
}

/// Whole or not at all, for its owner alone.
fn write(file: &Path, at: &BTreeMap<u32, Stamp>) -> std::io::Result<()> {
    let new = file.with_extension("new");
    let mut open = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
    open.write_all(&serde_json::to_vec(at)?)?;
    fs::rename(&new, file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens() -> Tokens {
        Tokens::new(std::iter::empty(), Path::new("/nonexistent"))
    }

    fn new(name: &str) -> NewToken {
        NewToken { name: name.to_owned(), scopes: Vec::new(), expires_in: None, call_flow: None }
    }

    const NOW: Stamp = Stamp::from_unix_micros(1_000_000);

    #[tokio::test]
    async fn whoever_waits_for_the_end_of_a_token_hears_of_it_when_it_is_revoked_or_expires() {
        let (tokens, clock) = (tokens(), Clock::start());
        for expires_in in [None, Some(Duration::from_millis(50))] {
            let wanted = NewToken { expires_in, ..new("tool") };
            let (fact, _) = tokens.create(wanted, "control", clock.calendar()).unwrap();
            let HouseFact::TokenCreated { token, .. } = &fact else { panic!("{fact:?}") };
            tokens.note(&fact);
            let closed = tokens.closed(token.id, &clock);
            tokio::pin!(closed);
            if expires_in.is_none() {
                let early = tokio::time::timeout(Duration::from_millis(10), &mut closed).await;
                assert!(early.is_err(), "it is good");
                tokens.revoke(token.id, "control").unwrap();
            }
            tokio::time::timeout(Duration::from_secs(30), closed).await.expect("its end is told");
        }
    }

    #[test]
    fn a_token_opens_when_its_fact_is_stored_and_not_when_it_is_revoked() {
        let tokens = tokens();
        let (fact, secret) = tokens.create(new("zabbix"), "control", NOW).unwrap();
        assert_eq!(tokens.open(&secret, NOW), Err(Denied::Unknown), "not on disk yet");
        tokens.note(&fact);
        assert_eq!(tokens.open(&secret, NOW).unwrap().name, "zabbix");
        assert_eq!(tokens.open(&secret[..secret.len() - 1], NOW), Err(Denied::Unknown));
        assert_eq!(tokens.open("", NOW), Err(Denied::Unknown));
        tokens.revoke(1, "control").unwrap();
        assert_eq!(tokens.open(&secret, NOW), Err(Denied::Unknown));
        assert!(tokens.revoke(1, "control").is_err());
    }

    #[test]
    fn a_number_is_never_given_twice_also_after_a_restart() {
        let first = tokens();
        let (created, _) = first.create(new("a"), "control", NOW).unwrap();
        first.note(&created);
        let revoked = first.revoke(1, "control").unwrap();
        let again = Tokens::new([&created, &revoked].into_iter(), Path::new("/nonexistent"));
        let (fact, _) = again.create(new("b"), "control", NOW).unwrap();
        assert!(matches!(fact, HouseFact::TokenCreated { token: Token { id: 2, .. }, .. }));
    }

    #[test]
    fn a_token_ends_at_its_time_and_what_is_kept_of_it_does_not_hold_it() {
        let tokens = tokens();
        let wanted = NewToken { expires_in: Some(Duration::from_secs(60)), ..new("short") };
        let (fact, secret) = tokens.create(wanted, "control", NOW).unwrap();
        tokens.note(&fact);
        assert!(tokens.open(&secret, NOW + Duration::from_secs(59)).is_ok());
        assert_eq!(tokens.open(&secret, NOW + Duration::from_secs(60)), Err(Denied::Expired));
        assert!(!serde_json::to_string(&fact).unwrap().contains(&secret));
        assert!(secret.starts_with("hansho_") && secret.len() == 50, "{secret}");
        let listed = tokens.list()[0].to_string();
        assert!(!listed.contains("digest") && listed.contains("1970-01-01T00:01:00"), "{listed}");
    }

    #[test]
    fn a_scope_that_is_none_and_a_name_that_is_none_are_refused_with_what_is_accepted() {
        let wrong = NewToken { scopes: vec!["triger".to_owned()], ..new("x") };
        let failure = tokens().create(wrong, "control", NOW).unwrap_err();
        assert!(failure.message.contains("triger") && failure.message.contains("dial:any"), "{failure:?}");
        assert!(tokens().create(new(" "), "control", NOW).is_err());
    }
}
