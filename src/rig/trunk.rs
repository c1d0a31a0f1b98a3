//! A carrier in software: a registrar for one account, hansho's, and a stateless proxy between it and the
//! telephones it knows (RFC 3261 §10.3, §16.11).
//!
//! Hansho has to say who it is: REGISTER is challenged with 401, an INVITE or a MESSAGE with 407. A telephone is known by
//! its address. Who calls hansho's number is named in P-Asserted-Identity.
//!
//! | request | from | goes to |
//! | --- | --- | --- |
//! | REGISTER | anybody with the password | here |
//! | in a dialog (To has a tag) | anybody | the next Route, else the Request-URI, if we know that address |
//! | ACK of a refusal of ours | anybody | nowhere |
//! | OPTIONS without a user | anybody | here: 200 |
//! | INVITE, ACK, CANCEL, MESSAGE, … to a telephone's number | the account, another telephone | that telephone |
//! | the same to the account's number | a telephone | where the account is registered, else 480 |
//! | the same to anybody else | | 404 |
//!
//! Easy to get wrong: a stateless proxy sees a request again when it is sent again, and its CANCEL and its ACK
//! as well, and all of them need the same branch; so the branch is a hash of the one it came in with.

use core::net::SocketAddr;
use core::time::Duration;
use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use super::Datagram;
use super::doorman::Doorman;
use crate::base::{Outbox, Time, hex, seeded};
use crate::sip::digest::{Challenge, Hash};
use crate::wire::sip::{Builder, Edit, Message, Method, Name, NameAddr, Uri, Via};

/// The tags of our own answers begin with this; no telephone's do.
const TAG: &str = "carrier-";
/// What a request may still be forwarded when it does not say (RFC 3261 §16.3).
const MAX_FORWARDS: u8 = 70;

/// How a trunk behaves.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where it listens.
    pub local: SocketAddr,
    /// Its domain, and its digest realm.
    pub realm: String,
    /// Its customer.
    pub account: Account,
    /// The hash it asks for.
    pub hash: Hash,
    /// For how long a nonce holds.
    pub nonce_life: Duration,
    /// The shortest registration it grants, in seconds; less gets a 423.
    pub expires_min_s: u32,
    /// The longest, in seconds.
    pub expires_max_s: u32,
    /// Makes its nonces.
    pub seed: u64,
}

/// The trunk's customer.
#[derive(Clone, Debug)]
pub struct Account {
    /// The digest username.
    pub username: String,
    /// The digest password.
    pub password: String,
    /// The number the telephones dial to reach it.
    pub number: String,
}

/// The trunk.
#[derive(Debug)]
pub struct SoftTrunk {
    settings: Settings,
    doorman: Doorman,
    phones: BTreeMap<String, SocketAddr>,
    binding: Option<Binding>,
    refused: u64,
}

/// Where the account is registered.
#[derive(Debug)]
struct Binding {
    contact: String,
    source: SocketAddr,
    until: Time,
}

/// Where a request goes.
enum Way {
    /// To this address with this Request-URI; `Some` caller is asserted.
    Onwards { to: SocketAddr, uri: Option<String>, caller: Option<String> },
    /// Back, with this status.
    Back(u16),
    /// Back, with a question.
    Ask(Challenge),
    /// Nowhere.
    Drop,
}

impl SoftTrunk {
    /// A trunk nobody is registered at.
    pub fn new(settings: Settings) -> SoftTrunk {
        let Account { username, password, .. } = settings.account.clone();
        let (hash, life, rng) = (settings.hash, settings.nonce_life, seeded(settings.seed));
        let doorman = Doorman::new((username, password), &settings.realm, hash, life, rng);
        SoftTrunk { settings, doorman, phones: BTreeMap::new(), binding: None, refused: 0 }
    }

    /// Where it listens.
    pub fn local(&self) -> SocketAddr {
        self.settings.local
    }

    /// Connects a telephone: calls to `number` go to `address`.
    pub fn connect(&mut self, number: &str, address: SocketAddr) {
        self.phones.insert(number.to_owned(), address);
    }

    /// Is the account registered?
    pub fn is_registered(&self, now: Time) -> bool {
        self.binding.as_ref().is_some_and(|binding| now < binding.until)
    }

    /// Datagrams that led nowhere: no SIP, responses to nothing of ours, replies nobody waits for.
    pub fn refused(&self) -> u64 {
        self.refused
    }

    /// Something arrived.
    pub fn on_datagram(&mut self, now: Time, from: SocketAddr, bytes: &[u8], out: &mut Outbox<Datagram>) {
        let done = match Message::parse(bytes) {
            Ok(message) if message.is_request() => self.on_request(now, from, &message, out),
            Ok(message) => self.on_response(&message, out),
            Err(_) => None,
        };
        if done.is_none() {
            self.refused += 1;
        }
    }

    /// When a registration runs out.
    pub fn next_deadline(&self) -> Option<Time> {
        self.binding.as_ref().map(|binding| binding.until)
    }

    /// Time went by.
    pub fn on_deadline(&mut self, now: Time, _out: &mut Outbox<Datagram>) {
        if !self.is_registered(now) {
            self.binding = None;
        }
    }

    /// Passes a response back to where its request came from; `None` when that cannot be told.
    fn on_response(&self, response: &Message, out: &mut Outbox<Datagram>) -> Option<()> {
        let top = response.via().ok()?;
        if top.host_str().parse() != Ok(self.settings.local.ip()) || top.port != Some(self.settings.local.port()) {
            return None;
        }
        let next = response.list(&Name::Via).nth(1)?;
        let to = Via::parse(next).ok()?.reply_address()?;
        out.push(Datagram { to, bytes: Edit::of(response).remove_first(Name::Via).finish() });
        Some(())
    }

    fn on_request(&mut self, now: Time, from: SocketAddr, request: &Message, out: &mut Outbox<Datagram>) -> Option<()> {
        if request.check().is_err() {
            return self.reply(from, request, 400, |reply| reply, out);
        }
        if request.method() == Method::Register {
            return self.register(now, from, request, out);
        }
        match self.route(now, from, request) {
            Way::Onwards { to, uri, caller } => {
                self.forward(from, request, to, uri, caller, out);
                Some(())
            }
            Way::Back(_) | Way::Ask(_) if request.method() == Method::Ack => None,
            Way::Back(code) => self.reply(from, request, code, |reply| reply, out),
            Way::Ask(challenge) => {
                let ask = |reply: Builder| reply.header(Name::ProxyAuthenticate, challenge.to_string());
                self.reply(from, request, 407, ask, out)
            }
            Way::Drop => None,
        }
    }

    fn route(&mut self, now: Time, from: SocketAddr, request: &Message) -> Way {
        if request.max_forwards() == Some(0) {
            return Way::Back(483);
        }
        let Some(Ok(uri)) = request.uri().map(Uri::parse) else { return Way::Back(416) };
        match request.to().ok().and_then(|to| to.tag()) {
            Some(tag) if tag.starts_with(TAG) => return Way::Drop,
            // The ACK of a telephone's refusal has its tag and no Route: it takes the INVITE's way.
            Some(_) if request.method() != Method::Ack || self.is_routed(request) => {
                return self.within_dialog(request, &uri);
            }
            _ => {}
        }
        let Some(number) = uri.user else {
            return Way::Back(if request.method() == Method::Options { 200 } else { 404 });
        };
        let caller = self.phones.iter().find(|(_, address)| **address == from).map(|(number, _)| number.clone());
        if caller.is_none()
            && matches!(request.method(), Method::Invite | Method::Message)
            && let Err(challenge) = self.doorman.admit(now, request, Name::ProxyAuthorization)
        {
            return Way::Ask(challenge);
        }
        if let Some(&to) = self.phones.get(number) {
            return Way::Onwards { to, uri: Some(format!("sip:{number}@{to}")), caller };
        }
        match &self.binding {
            _ if number != self.settings.account.number && number != self.settings.account.username => Way::Back(404),
            Some(binding) if now < binding.until => {
                Way::Onwards { to: binding.source, uri: Some(binding.contact.clone()), caller }
            }
            _ => Way::Back(480),
        }
    }

    /// A request in a dialog goes along its route set (RFC 3261 §16.4, §16.6), but to nobody we do not know.
    fn within_dialog(&self, request: &Message, uri: &Uri<'_>) -> Way {
        let mut routes = request.list(&Name::Route).filter_map(|route| NameAddr::parse(route).ok());
        let beyond =
            routes.find_map(|route| route.uri().ok().and_then(|uri| address(&uri)).filter(|a| *a != self.local()));
        let known = |to: &SocketAddr| {
            self.phones.values().any(|phone| phone == to)
                || self.binding.as_ref().is_some_and(|binding| binding.source == *to)
        };
        match beyond.or_else(|| address(uri)).filter(known) {
            Some(to) => Way::Onwards { to, uri: None, caller: None },
            None => Way::Back(404),
        }
    }

    /// Is the topmost Route ours?
    fn is_routed(&self, request: &Message) -> bool {
        let top = request.list(&Name::Route).next();
        let top = top.and_then(|route| NameAddr::parse(route).ok());
        top.and_then(|route| route.uri().ok()).and_then(|uri| address(&uri)) == Some(self.local())
    }

    fn forward(
        &self,
        from: SocketAddr,
        request: &Message,
        to: SocketAddr,
        uri: Option<String>,
        caller: Option<String>,
        out: &mut Outbox<Datagram>,
    ) {
        let local = self.settings.local;
        let left = request.max_forwards().unwrap_or(MAX_FORWARDS).saturating_sub(1);
        let via = format!("SIP/2.0/UDP {local};branch={}", branch(request));
        let mut edit = Edit::of(request)
            .received_from(from)
            .push_front(Name::Via, via)
            .set(Name::MaxForwards, left.to_string())
            .remove_all(Name::ProxyAuthorization)
            .remove_all(Name::PAssertedIdentity);
        if self.is_routed(request) {
            edit = edit.remove_first(Name::Route);
        }
        let opens = request.method() == Method::Invite && request.to().is_ok_and(|to| to.tag().is_none());
        if opens {
            edit = edit.push_front(Name::RecordRoute, format!("<sip:{local};lr>"));
        }
        if let Some(uri) = uri {
            edit = edit.set_uri(&uri);
        }
        if let Some(caller) = caller.filter(|_| opens) {
            edit = edit.set(Name::PAssertedIdentity, format!("<sip:{caller}@{}>", self.settings.realm));
        }
        out.push(Datagram { to, bytes: edit.finish() });
    }

    fn register(&mut self, now: Time, from: SocketAddr, request: &Message, out: &mut Outbox<Datagram>) -> Option<()> {
        if let Err(challenge) = self.doorman.admit(now, request, Name::Authorization) {
            let ask = |reply: Builder| reply.header(Name::WwwAuthenticate, challenge.to_string());
            return self.reply(from, request, 401, ask, out);
        }
        let (least, most) = (self.settings.expires_min_s, self.settings.expires_max_s);
        if let Some(contact) = request.contact() {
            let Ok(contact) = contact else { return self.reply(from, request, 400, |reply| reply, out) };
            let wanted = contact.expires().or(request.expires()).unwrap_or(most);
            if wanted != 0 && wanted < least {
                let least = |reply: Builder| reply.header(Name::MinExpires, least.to_string());
                return self.reply(from, request, 423, least, out);
            }
            let until = now + Duration::from_secs(u64::from(wanted.min(most)));
            let binding = Binding { contact: contact.uri.to_owned(), source: from, until };
            self.binding = (wanted != 0).then_some(binding);
        }
        let bound = self.binding.as_ref().map(|binding| {
            // Rounded up: a grant of 60 s is answered as 60 also when it is told a moment later.
            let left = binding.until.since(now).as_micros().div_ceil(1_000_000);
            format!("<{}>;expires={left}", binding.contact)
        });
        let list = |reply: Builder| match &bound {
            Some(bound) => reply.header(Name::Contact, bound),
            None => reply,
        };
        self.reply(from, request, 200, list, out)
    }

    /// Answers a request ourselves.
    fn reply(
        &self,
        from: SocketAddr,
        request: &Message,
        code: u16,
        more: impl FnOnce(Builder) -> Builder,
        out: &mut Outbox<Datagram>,
    ) -> Option<()> {
        if request.method() == Method::Ack {
            return None;
        }
        let mut via = request.via().ok()?.stamped(from);
        via.truncate(1_000);
        let to = Via::parse(&via).ok()?.reply_address()?;
        let tag = format!("{TAG}{}", short_hash(request.call_id()?));
        let reply = Builder::response(request, code).received_from(from).to_tag(&tag);
        out.push(Datagram { to, bytes: more(reply).finish() });
        Some(())
    }
}

/// The address a URI names, when it names one.
fn address(uri: &Uri<'_>) -> Option<SocketAddr> {
    Some(SocketAddr::new(uri.ip()?, uri.port.unwrap_or(5060)))
}

/// The same for a request, for its retransmission, its CANCEL and the ACK of its refusal (RFC 3261 §16.11).
fn branch(request: &Message) -> String {
    let theirs = request.via().ok().and_then(|via| via.branch()).unwrap_or_default();
    let number = request.cseq().map_or(0, |cseq| cseq.number);
    format!("z9hG4bK{}", short_hash(&format!("{theirs} {} {number}", request.call_id().unwrap_or_default())))
}

fn short_hash(text: &str) -> String {
    hex(&Sha256::digest(text)[..10])
}

#[cfg(test)]
mod tests;
