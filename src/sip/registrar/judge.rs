//! Whether a request is one of our users' (RFC 3261 §22, RFC 7616 §3.4.6, RFC 8760 §2.4).
//!
//! Easy to get wrong: whoever is nobody is asked as often and told as little as whoever forgot a password, and the sum is
//! computed for both; a REGISTER may come from anywhere that is allowed, everything else only from where a phone is
//! registered, and gets no answer elsewhere, not even a question; what was signed is the request's own URI.

use super::Registrar;
use crate::base::{Outbox, Time};
use crate::sip::digest::{Challenge, Credentials, Denied};
use crate::sip::{Event, Hop};
use crate::wire::sip::{Message, Method, Name};

/// What a request deserves.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It is this user's.
    Is(String),
    /// Ask who they are: a value of WWW-Authenticate each.
    Ask(Vec<String>),
    /// No answer.
    Silence,
}

impl Registrar {
    /// Whose request is this?
    pub fn judge(&mut self, now: Time, source: Hop, request: &Message, out: &mut Outbox<Event>) -> Verdict {
        let ip = source.ip();
        let credentials = request.headers(&Name::Authorization).filter_map(Credentials::parse);
        let claim = { credentials }.find(|claim| claim.realm == self.house.realm);
        // Whoever tries another's name is a stranger there, whatever phone he has of his own.
        let resident = claim.as_ref().map_or(self.is_at(source), |claim| self.is_phone_of(&claim.username, source));
        if !self.allows(ip) || request.method() != Method::Register && !self.is_there(ip) {
            return Verdict::Silence;
        }
        if !resident && self.watch.is_shut(now, ip) {
            self.denials.shut_out += 1;
            return Verdict::Silence;
        }
        let Some(claim) = claim else { return self.ask(now, source, false) };
        match self.check(now, source, request, &claim) {
            Ok(count) => {
                self.nonces.used(now, &claim.nonce, count);
                Verdict::Is(claim.username)
            }
            Err(Denied::Stale) => self.ask(now, source, true),
            Err(Denied::Replayed) => {
                self.denials.replayed += 1;
                self.ask(now, source, true)
            }
            Err(Denied::Unfit) => self.ask(now, source, false),
            Err(Denied::Wrong) => {
                self.denials.wrong += 1;
                let shut = if resident { None } else { self.watch.wrong(now, ip) };
                if let Some(tries) = shut {
                    let seconds = u32::try_from(super::watch::SPAN.as_secs()).unwrap_or(u32::MAX);
                    out.push(Event::ShutOut { source: ip, tries, seconds });
                }
                self.ask(now, source, false)
            }
        }
    }

    /// The name that a request was signed with which was judged already.
    pub fn signed_by(&self, request: &Message) -> Option<String> {
        let mut credentials = request.headers(&Name::Authorization).filter_map(Credentials::parse);
        credentials.find(|claim| claim.realm == self.house.realm).map(|claim| claim.username)
    }

    /// What stands for a tag in an answer that nobody remembers: the same for every copy of the request.
    pub fn tag(&self, request: &Message) -> String {
        let branch = request.via().ok().and_then(|via| via.branch().map(str::to_owned)).unwrap_or_default();
        self.nonces.seal(&format!("{} {branch}", request.call_id().unwrap_or_default()))
    }

    fn check(&self, now: Time, source: Hop, request: &Message, claim: &Credentials) -> Result<u32, Denied> {
        let asked =
            self.house.hashes.iter().find(|hash| !claim.algorithm().session && **hash == claim.algorithm().hash);
        let hash = *asked.ok_or(Denied::Unfit)?;
        if request.uri() != Some(&claim.uri) {
            return Err(Denied::Wrong);
        }
        let good = self.nonces.is_good(now, source.ip(), &claim.nonce);
        let (nonce, count) = if good { (claim.nonce.as_str(), self.nonces.count(&claim.nonce)) } else { ("", 0) };
        let challenge = Challenge::new(&self.house.realm, nonce, hash);
        let password = self.house.users.get(&claim.username);
        let checked = claim.check(&challenge, count, password.unwrap_or(&self.decoy), &request.method());
        if password.is_some() { checked } else { checked.and(Err(Denied::Wrong)) }
    }

    fn ask(&mut self, now: Time, source: Hop, stale: bool) -> Verdict {
        if !self.watch.may_ask(now, source.ip()) {
            self.denials.shut_out += 1;
            return Verdict::Silence;
        }
        let nonce = self.nonces.fresh(now, source.ip());
        let challenge = |hash| Challenge { stale, ..Challenge::new(&self.house.realm, &nonce, hash) };
        Verdict::Ask(self.house.hashes.iter().map(|hash| challenge(*hash).to_string()).collect())
    }
}
