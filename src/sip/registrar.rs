//! hansho as the registrar of its own users (RFC 3261 §10.3): who they are, where their phones are, until when.
//!
//! Switched off, it is not there. It never sends a call anywhere: it says which phones a user has. Requests are
//! [judged](Registrar::judge) first; only what a right password was signed for comes to
//! [`Registrar::on_register`].
//!
//! Easy to get wrong: an unknown user must look like a wrong password in what is answered and in what it costs; a
//! REGISTER changes all of its Contacts or none; a refresh has a higher number, or it is an old one that took a long way;
//! and a phone that comes again from the same place under another Contact is one phone, not two.
//!
//! | state | event | next | does |
//! | --- | --- | --- | --- |
//! | Away | no password | Away | 401 |
//! | Away | wrong password | Away | 401 |
//! | Away | unknown user | Away | 401 |
//! | Away | old nonce | Away | 401 stale |
//! | Away | replay | Away | 401 stale |
//! | Away | another's name | Away | 403 |
//! | Away | REGISTER | Bound | registered, 200 |
//! | Away | query | Away | 200 |
//! | Away | too brief | Away | 423 |
//! | Away | expires 0 | Away | 200 |
//! | Away | * | Away | 200 |
//! | Away | * and more | Away | 400 |
//! | Away | bad Contact | Away | 400 |
//! | Away | another domain | Away | 404 |
//! | Bound | no password | Bound | 401 |
//! | Bound | wrong password | Bound | 401 |
//! | Bound | unknown user | Bound | 401 |
//! | Bound | old nonce | Bound | 401 stale |
//! | Bound | replay | Bound | 401 stale |
//! | Bound | another's name | Bound | 403 |
//! | Bound | REGISTER | Bound | 200 |
//! | Bound | query | Bound | 200 |
//! | Bound | other Contact | Bound | unregistered, registered, 200 |
//! | Bound | second phone | Bound | registered, 200 |
//! | Bound | one too many | Bound | unregistered, registered, 200 |
//! | Bound | old number | Bound | 500 |
//! | Bound | too brief | Bound | 423 |
//! | Bound | expires 0 | Away | unregistered, 200 |
//! | Bound | * | Away | unregistered, 200 |
//! | Bound | * and more | Bound | 400 |
//! | Bound | bad Contact | Bound | 400 |
//! | Bound | another domain | Bound | 404 |
//! | Bound | time | Away | unregistered |
//! | Bound | lost | Away | unregistered |

mod binding;
mod judge;
mod nonces;
mod watch;

pub use binding::{Binding, way};
pub use judge::Verdict;

use core::fmt;
use core::net::IpAddr;
use core::time::Duration;
use std::collections::BTreeMap;

use crate::base::{Codec, Outbox, PerFamily, Time};
use crate::sip::digest::Hash;
use crate::sip::handle::plain;
use crate::sip::{Event, Hop, IpRange, Srtp};
use crate::wire::sip::{Message, Name, Uri};
use binding::{Wanted, same_phone, wanted};
use nonces::Nonces;
use watch::Watch;

/// What is granted where a phone does not say how long (RFC 3261 §10.2).
const USUAL_S: u32 = 3_600;
/// So much of what a phone calls itself is kept.
const AGENT_MAX: usize = 64;
/// A longer Call-ID than anybody makes.
const CALL_ID_MAX: usize = 255;

/// The users of this house, and the rules for their phones.
#[derive(Clone)]
pub struct House {
    /// The domain of the users: what stands behind the `@`, and what they are asked for a password for.
    pub realm: String,
    /// Their passwords, by their names.
    pub users: BTreeMap<String, String>,
    /// The shortest and the longest time a phone may register for, in seconds.
    pub expires_s: (u32, u32),
    /// So many phones a user may have; one more pushes out the one that was heard least lately.
    pub phones_max: usize,
    /// From where phones may come; everybody else gets no answer.
    pub allow_from: Vec<IpRange>,
    /// What is asked for, the first first.
    pub hashes: Vec<Hash>,
    /// What is offered in calls, in this order; never empty.
    pub codecs: Vec<Codec>,
    /// Is their voice encrypted?
    pub srtp: Srtp,
    /// Where phones of each family find us, for messages and voice, when it is not where trunks do.
    pub address: PerFamily<IpAddr>,
}

impl fmt::Debug for House {
    /// Without the passwords: what is printed ends in logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("House").field("realm", &self.realm).field("users", &self.users.len()).finish_non_exhaustive()
    }
}

/// What was refused since the start.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Denials {
    /// Wrong passwords, and names that are nobody's.
    pub wrong: u64,
    /// What was overheard and sent again.
    pub replayed: u64,
    /// What a source sent that was shut out.
    pub shut_out: u64,
}

/// What a REGISTER is answered with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// The status.
    pub code: u16,
    /// What stands in it.
    pub headers: Vec<(Name, String)>,
}

impl Answer {
    fn plain(code: u16) -> Answer {
        Answer { code, headers: Vec::new() }
    }
}

/// The registrar.
#[derive(Debug)]
pub struct Registrar {
    house: House,
    phones: BTreeMap<String, Vec<Binding>>,
    /// How many bindings lead to a hop or came from it.
    hops: BTreeMap<Hop, usize>,
    /// The same by address alone.
    addresses: BTreeMap<IpAddr, usize>,
    nonces: Nonces,
    watch: Watch,
    /// What nobody's password is compared with.
    decoy: String,
    denials: Denials,
    /// No binding lapses before.
    wake_at: Option<Time>,
}

impl Registrar {
    /// A registrar that knows of no phone; nobody may know or guess `key` and `decoy`.
    pub fn new(house: House, key: [u8; 32], decoy: String) -> Registrar {
        Registrar {
            house,
            phones: BTreeMap::new(),
            hops: BTreeMap::new(),
            addresses: BTreeMap::new(),
            nonces: Nonces::new(key),
            watch: Watch::default(),
            decoy,
            denials: Denials::default(),
            wake_at: None,
        }
    }

    /// The domain of the users.
    pub fn realm(&self) -> &str {
        &self.house.realm
    }

    /// May a phone be there?
    pub fn allows(&self, ip: IpAddr) -> bool {
        self.house.allow_from.iter().any(|range| range.contains(ip))
    }

    /// Is a phone of a user at this very hop?
    pub fn is_at(&self, hop: Hop) -> bool {
        self.hops.contains_key(&hop)
    }

    /// Is a phone of a user at this address?
    pub fn is_there(&self, ip: IpAddr) -> bool {
        self.addresses.contains_key(&ip.to_canonical())
    }

    /// Is a phone of this user at this very hop?
    fn is_phone_of(&self, user: &str, hop: Hop) -> bool {
        self.phones.get(user).into_iter().flatten().any(|phone| phone.source == hop || phone.hop == hop)
    }

    /// Is there such a user?
    pub fn has(&self, user: &str) -> bool {
        self.house.users.contains_key(user)
    }

    /// Where a user's phones are, the one with the highest weight first.
    pub fn phones(&self, user: &str) -> Vec<&Binding> {
        let mut phones: Vec<&Binding> = self.phones.get(user).into_iter().flatten().collect();
        phones.sort_by_key(|phone| core::cmp::Reverse(phone.q));
        phones
    }

    /// Every user, with where the phones are.
    pub fn users(&self) -> impl Iterator<Item = (&str, Vec<&Binding>)> {
        self.house.users.keys().map(|user| (user.as_str(), self.phones(user)))
    }

    /// What was refused so far.
    pub fn denials(&self) -> Denials {
        self.denials
    }

    /// A REGISTER that `user` signed came from `source`. What changes is told before it is answered.
    pub fn on_register(
        &mut self,
        now: Time,
        user: &str,
        source: Hop,
        register: &Message,
        out: &mut Outbox<Event>,
    ) -> Answer {
        // RFC 3261 §10.3: an address of record is a SIP URI.
        let Some(named) = register.to().ok().and_then(|to| to.uri().ok()).filter(|uri| uri.is_sip()) else {
            return Answer::plain(400);
        };
        // RFC 3261 §10.3, step 5. Phones that know this house by its address, or by another name for it, write that down twice.
        let asked = register.uri().and_then(|uri| Uri::parse(uri).ok());
        let is_here = named.ip().is_some() || named.host.eq_ignore_ascii_case(&self.house.realm);
        if !is_here && asked.is_none_or(|asked| !asked.host.eq_ignore_ascii_case(named.host)) {
            return Answer::plain(404);
        }
        // RFC 3261 §19.1.4: what is escaped without need is the same name.
        if named.user != Some(user) && named.user.and_then(plain).as_deref() != Some(user) {
            return Answer::plain(403);
        }
        let number = register.cseq().map_or(0, |cseq| cseq.number);
        let call_id = register.call_id().unwrap_or_default().to_owned();
        let (Some(path), true) = (binding::path(register), call_id.len() <= CALL_ID_MAX) else {
            return Answer::plain(400);
        };
        if register.list(&Name::Contact).any(|contact| contact == "*") {
            let alone = register.list(&Name::Contact).count() == 1;
            if !alone || register.expires() != Some(0) {
                return Answer::plain(400);
            }
            if self.phones(user).iter().any(|phone| phone.is_newer(&call_id, number)) {
                return Answer::plain(500);
            }
            self.drop_where(user, "the phone unregistered", |_| true, out);
            return self.granted(now, user, register);
        }
        let Ok(wanted) = wanted(register) else { return Answer::plain(400) };
        let known = self.phones.get(user).map(Vec::as_slice).unwrap_or_default();
        for one in &wanted {
            if one.expires_s.is_some_and(|asked| asked > 0 && asked < self.house.expires_s.0) {
                let least = (Name::MinExpires, self.house.expires_s.0.to_string());
                return Answer { code: 423, headers: vec![least] };
            }
            let same = known.iter().find(|phone| is_one(phone, one));
            if same.is_some_and(|phone| phone.is_newer(&call_id, number)) {
                return Answer::plain(500);
            }
        }
        let is_direct = register.list(&Name::Via).count() == 1;
        let agent = register.header(&Name::UserAgent).unwrap_or_default();
        let agent: String = agent.chars().filter(|c| !c.is_control()).take(AGENT_MAX).collect();
        for one in wanted {
            if one.expires_s == Some(0) {
                self.drop_where(user, "the phone unregistered", |phone| is_one(phone, &one), out);
                continue;
            }
            let expires_s = one.expires_s.unwrap_or(USUAL_S).min(self.house.expires_s.1);
            let hop = if path.is_empty() { way(source, one.contact) } else { source };
            self.bind(
                user,
                Binding {
                    contact: one.contact.to_owned(),
                    hop,
                    source,
                    path: path.clone(),
                    q: one.q,
                    expires_s,
                    until: now + Duration::from_secs(expires_s.into()),
                    flow: one.flow,
                    last: (call_id.clone(), number),
                    agent: agent.clone(),
                },
                is_direct,
                out,
            );
        }
        self.granted(now, user, register)
    }

    /// A binding of a former life, as [`Event::UserRegistered`] told it.
    pub fn restore(&mut self, now: Time, user: &str, text: &str) {
        let Some(binding) = Binding::read(now, text).filter(|binding| self.allows(binding.source.ip())) else { return };
        if self.has(user) {
            self.bind(user, binding, true, &mut Outbox::new());
        }
    }

    /// A binding of a former life had ended before that life did.
    pub fn forget(&mut self, user: &str, contact: &str) {
        self.drop_where(user, "", |phone| phone.contact == contact, &mut Outbox::new());
    }

    /// A connection broke: nothing leads to the phones behind it any more.
    pub fn on_lost(&mut self, hop: Hop, out: &mut Outbox<Event>) {
        if !hop.is_reliable() || !self.is_at(hop) {
            return;
        }
        let users: Vec<String> = self.phones.keys().cloned().collect();
        for user in users {
            self.drop_where(&user, "its connection is gone", |phone| phone.source == hop, out);
        }
    }

    /// When to call [`Registrar::on_deadline`].
    pub fn next_deadline(&self) -> Option<Time> {
        self.wake_at
    }

    /// Lets go of what has lapsed.
    pub fn on_deadline(&mut self, now: Time, out: &mut Outbox<Event>) {
        if self.wake_at.is_none_or(|at| at > now) {
            return;
        }
        let lapsed = |phones: &Vec<Binding>| phones.iter().any(|phone| phone.until <= now);
        let users = self.phones.iter().filter(|(_, phones)| lapsed(phones));
        let users: Vec<String> = users.map(|(user, _)| user.clone()).collect();
        for user in users {
            self.drop_where(&user, "the phone did not register again in time", |phone| phone.until <= now, out);
        }
        self.wake_at = self.phones.values().flatten().map(|phone| phone.until).min();
    }

    fn granted(&self, now: Time, user: &str, register: &Message) -> Answer {
        let contacts = self.phones(user).into_iter().map(|phone| (Name::Contact, phone.shown(now)));
        let path = register.headers(&Name::Path).map(|path| (Name::Path, path.to_owned()));
        let mut headers: Vec<(Name, String)> = contacts.chain(path).collect();
        headers.push((Name::Supported, "path".to_owned()));
        Answer { code: 200, headers }
    }

    /// Puts a binding in the place of the one it renews, or beside the others. `is_direct`: no proxy was on the way, and
    /// where it came from is one phone's place.
    fn bind(&mut self, user: &str, new: Binding, is_direct: bool, out: &mut Outbox<Event>) {
        self.wake_at = Some(self.wake_at.map_or(new.until, |at| at.min(new.until)));
        let one = Wanted { contact: &new.contact, expires_s: None, q: new.q, flow: new.flow.clone() };
        // The same place under another name, after a restart of the phone.
        let moved = |phone: &Binding| {
            let is_there = phone.source == new.source && phone.path.is_empty() && new.path.is_empty();
            is_direct && is_there && phone.last.0 != new.last.0
        };
        let phones = self.phones.get(user).map(Vec::as_slice).unwrap_or_default();
        let same = |phone: &Binding| phone.contact == new.contact && phone.hop == new.hop && phone.path == new.path;
        let news = !phones.iter().any(same);
        if news {
            let renames = |phone: &Binding| phone.contact != new.contact && (is_one(phone, &one) || moved(phone));
            self.drop_where(user, "the phone registered anew", renames, out);
        }
        self.take_out(user, |phone| is_one(phone, &one));
        if self.phones(user).len() >= self.house.phones_max {
            let phones = self.phones.get(user).map(Vec::as_slice).unwrap_or_default();
            let oldest = phones.iter().min_by_key(|phone| phone.refreshed()).map(|phone| phone.contact.clone());
            self.drop_where(user, "more phones than a user may have", |it| Some(&it.contact) == oldest.as_ref(), out);
        }
        for hop in [new.hop, new.source] {
            *self.hops.entry(hop).or_default() += 1;
            *self.addresses.entry(hop.ip().to_canonical()).or_default() += 1;
        }
        if news {
            out.push(Event::UserRegistered {
                user: user.to_owned(),
                contact: new.contact.clone(),
                source: new.source,
                expires_s: new.expires_s,
                binding: new.written(),
            });
        }
        self.phones.entry(user.to_owned()).or_default().push(new);
    }

    fn drop_where(&mut self, user: &str, why: &str, which: impl Fn(&Binding) -> bool, out: &mut Outbox<Event>) {
        for gone in self.take_out(user, which) {
            let lasting = gone.written().is_some();
            let (user, reason) = (user.to_owned(), why.to_owned());
            out.push(Event::UserUnregistered { user, contact: gone.contact, reason, lasting });
        }
    }

    fn take_out(&mut self, user: &str, which: impl Fn(&Binding) -> bool) -> Vec<Binding> {
        let Some(phones) = self.phones.get_mut(user) else { return Vec::new() };
        let gone: Vec<Binding> = phones.extract_if(.., |phone| which(phone)).collect();
        if phones.is_empty() {
            self.phones.remove(user);
        }
        for hop in gone.iter().flat_map(|phone| [phone.hop, phone.source]) {
            count_down(&mut self.hops, hop);
            count_down(&mut self.addresses, hop.ip().to_canonical());
        }
        gone
    }
}

/// Is it this phone that a Contact is about?
fn is_one(phone: &Binding, one: &Wanted<'_>) -> bool {
    same_phone(&phone.contact, one.contact) || one.flow.is_some() && phone.flow == one.flow
}

fn count_down<K: Ord>(counts: &mut BTreeMap<K, usize>, key: K) {
    if let Some(count) = counts.get_mut(&key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(&key);
        }
    }
}

#[cfg(test)]
#[path = "tests/registrar.rs"]
mod tests;
