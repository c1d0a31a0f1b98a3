//! Every transaction of the agent, found by branch, sent-by and method (RFC 3261 §17.1.3, §17.2.3).
//!
//! It owns the four machines, drives their timers, and says to whom a response or a timeout belongs. It
//! never decides what a message means.
//!
//! Easy to get wrong: a CANCEL has the branch of the INVITE it cancels but is a transaction of its own, and an
//! ACK to a refusal belongs to the INVITE's. A request without the magic cookie (RFC 2543) gets a key made of
//! what that old standard compared.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::base::{Outbox, Time};
use crate::sip::client_invite::{Answer, ClientInvite};
use crate::sip::client_other::ClientOther;
use crate::sip::message::ack_of_refusal;
use crate::sip::server_invite::ServerInvite;
use crate::sip::server_other::ServerOther;
use crate::sip::{Hop, Output};
use crate::wire::sip::{Message, Method};

/// With more transactions than this, requests from outside are answered 503 and forgotten.
pub const MAX_TRANSACTIONS: usize = 16_384;
/// So many more have room where they belong to a call that is up: a flood must not keep its key presses and its BYE out.
pub const RESERVE: usize = 4_096;

/// What the owner of a transaction is to be told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Told {
    /// Nothing.
    Nothing,
    /// The message.
    Tell,
    /// That no answer came in time.
    TimedOut,
}

/// A transaction; never used twice.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct TxId(u64);

/// A call inside the agent; never used twice.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct CallKey(pub u64);

/// Whose transaction it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Owner {
    /// A trunk's registration, by the trunk's place.
    Registration(usize),
    /// Asking a trunk whether it is there, by its place.
    Health(usize),
    /// A call.
    Call(CallKey),
    /// A short message, by its sender's number.
    Message(u32),
    /// Nobody waits for it.
    Nobody,
}

/// Where a response belongs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Heard {
    /// To this owner, who had sent its request there.
    For(Owner, TxId, Hop),
    /// A copy; it was dealt with.
    Copy,
    /// To no request of ours.
    Unknown,
}

/// What a request from outside is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Arrival {
    /// A new one: answer it.
    New(TxId),
    /// A copy; it was dealt with.
    Copy,
    /// The same request came over another way (RFC 3261 §8.2.2.2): 482.
    Merged(TxId),
    /// There is no room for it.
    Full,
}

/// Every transaction.
#[derive(Debug, Default)]
pub struct Transactions {
    last: u64,
    slots: BTreeMap<TxId, Slot>,
    /// By [`client_key`].
    clients: HashMap<Arc<str>, TxId>,
    /// By [`server_key`].
    servers: HashMap<Arc<str>, TxId>,
    /// By [`origin`].
    origins: HashMap<Arc<str>, TxId>,
    due: BTreeSet<(Time, TxId)>,
}

#[derive(Debug)]
struct Slot {
    owner: Owner,
    machine: Machine,
    due: Option<Time>,
}

#[derive(Debug)]
enum Machine {
    ClientInvite(Arc<str>, ClientInvite),
    ClientOther(Arc<str>, Method, ClientOther),
    ServerInvite(Server, ServerInvite),
    ServerOther(Server, ServerOther),
}

/// How a request from outside is found.
#[derive(Debug)]
struct Server {
    key: Arc<str>,
    origin: Arc<str>,
}

impl Machine {
    /// Where our request went.
    fn sent_to(&self) -> Option<Hop> {
        match self {
            Machine::ClientInvite(_, invite) => Some(invite.to()),
            Machine::ClientOther(_, _, other) => Some(other.to()),
            Machine::ServerInvite(..) | Machine::ServerOther(..) => None,
        }
    }
}

impl Transactions {
    /// Sends an INVITE.
    pub fn invite(
        &mut self,
        now: Time,
        owner: Owner,
        branch: &str,
        to: Hop,
        bytes: Vec<u8>,
        out: &mut Outbox<Output>,
    ) -> TxId {
        self.insert(owner, Machine::ClientInvite(branch.into(), ClientInvite::start(now, to, bytes, out)))
    }

    /// Takes over an INVITE that a former life of the process sent.
    pub fn resume_invite(&mut self, owner: Owner, branch: &str, to: Hop, bytes: Vec<u8>) -> TxId {
        self.insert(owner, Machine::ClientInvite(branch.into(), ClientInvite::resume(to, bytes)))
    }

    /// Sends any other request; ACK is no transaction and does not go this way.
    #[expect(clippy::too_many_arguments)] // A request is what it is.
    pub fn request(
        &mut self,
        now: Time,
        owner: Owner,
        branch: &str,
        method: &Method,
        to: Hop,
        bytes: Vec<u8>,
        out: &mut Outbox<Output>,
    ) -> TxId {
        let key = client_key(branch, method).into();
        self.insert(owner, Machine::ClientOther(key, method.clone(), ClientOther::start(now, to, bytes, out)))
    }

    /// A response arrived.
    pub fn on_response(&mut self, now: Time, message: &Message, out: &mut Outbox<Output>) -> Heard {
        let Some(code) = message.code() else { return Heard::Unknown };
        let (Ok(via), Ok(cseq)) = (message.via(), message.cseq()) else { return Heard::Unknown };
        let key = client_key(via.branch().unwrap_or_default(), &cseq.method);
        let Some(&id) = self.clients.get(&*key) else { return Heard::Unknown };
        let Some(slot) = self.slots.get_mut(&id) else { return Heard::Unknown };
        let told = match &mut slot.machine {
            Machine::ClientInvite(_, invite) if cseq.method == Method::Invite => {
                let tag = message.to().ok().and_then(|to| to.tag()).unwrap_or_default();
                match code {
                    0..200 => invite.on_response(now, Answer::Provisional, out),
                    200..300 => invite.on_response(now, Answer::Success(tag), out),
                    _ => {
                        let ack = ack_of_refusal(invite.request(), message);
                        invite.on_response(now, Answer::Refusal(&ack), out)
                    }
                }
            }
            Machine::ClientOther(_, method, other) if cseq.method == *method => other.on_response(now, code),
            _ => return Heard::Unknown,
        };
        let (owner, hop) = (slot.owner, slot.machine.sent_to());
        self.settle(id);
        match hop {
            Some(hop) if told == Told::Tell => Heard::For(owner, id, hop),
            _ => Heard::Copy,
        }
    }

    /// Answers a copy of a request; false when it is none.
    pub fn on_copy(&mut self, message: &Message, out: &mut Outbox<Output>) -> bool {
        self.on_copy_of(&server_key(message, &message.method()), out)
    }

    fn on_copy_of(&mut self, key: &str, out: &mut Outbox<Output>) -> bool {
        let Some(slot) = self.servers.get(key).and_then(|id| self.slots.get_mut(id)) else { return false };
        match &mut slot.machine {
            Machine::ServerInvite(_, invite) => invite.on_request(out),
            Machine::ServerOther(_, other) => other.on_request(out),
            Machine::ClientInvite(..) | Machine::ClientOther(..) => {}
        }
        true
    }

    /// A request that is no ACK arrived; answers to it go to `reply_to`.
    pub fn on_request(&mut self, message: &Message, reply_to: Hop, out: &mut Outbox<Output>) -> Arrival {
        self.admit(message, reply_to, MAX_TRANSACTIONS, out)
    }

    /// The same of a request within a call that is ours: it has room where others have none.
    pub fn on_request_of_call(&mut self, message: &Message, reply_to: Hop, out: &mut Outbox<Output>) -> Arrival {
        self.admit(message, reply_to, MAX_TRANSACTIONS + RESERVE, out)
    }

    fn admit(&mut self, message: &Message, reply_to: Hop, most: usize, out: &mut Outbox<Output>) -> Arrival {
        let method = message.method();
        let key = server_key(message, &method);
        if self.on_copy_of(&key, out) {
            return Arrival::Copy;
        }
        if self.slots.len() >= most {
            return Arrival::Full;
        }
        let origin = origin(message, &method);
        let in_dialog = message.to().is_ok_and(|to| to.tag().is_some());
        let merged = method != Method::Cancel && !in_dialog && self.origins.contains_key(&*origin);
        let server = Server { key: key.into(), origin: origin.into() };
        let machine = match method {
            Method::Invite => Machine::ServerInvite(server, ServerInvite::new(reply_to)),
            _ => Machine::ServerOther(server, ServerOther::new(reply_to)),
        };
        let id = self.insert(Owner::Nobody, machine);
        if merged { Arrival::Merged(id) } else { Arrival::New(id) }
    }

    /// An ACK arrived; true when it is dealt with: it acknowledged a refusal of ours.
    pub fn on_ack(&mut self, now: Time, message: &Message) -> bool {
        let Some(&id) = self.servers.get(&*server_key(message, &Method::Invite)) else { return false };
        let Some(Slot { machine: Machine::ServerInvite(_, invite), .. }) = self.slots.get_mut(&id) else {
            return false;
        };
        let told = invite.on_ack(now);
        self.settle(id);
        told == Told::Nothing
    }

    /// The INVITE that this CANCEL means, and whose it is.
    pub fn cancelled_by(&self, message: &Message) -> Option<(TxId, Owner)> {
        let id = *self.servers.get(&*server_key(message, &Method::Invite))?;
        self.slots.get(&id).map(|slot| (id, slot.owner))
    }

    /// Answers a request.
    pub fn respond(&mut self, now: Time, id: TxId, code: u16, bytes: Vec<u8>, out: &mut Outbox<Output>) {
        match self.slots.get_mut(&id).map(|slot| &mut slot.machine) {
            Some(Machine::ServerInvite(_, invite)) => invite.respond(now, code, bytes, out),
            Some(Machine::ServerOther(_, other)) => other.respond(now, code, bytes, out),
            _ => {}
        }
        self.settle(id);
    }

    /// From now on the transaction is this owner's.
    pub fn give(&mut self, id: TxId, owner: Owner) {
        if let Some(slot) = self.slots.get_mut(&id) {
            slot.owner = owner;
        }
    }

    /// Sends the ACK to a 200 with this To tag, and again for each copy of it.
    pub fn acknowledge(&mut self, id: TxId, tag: &str, to: Hop, bytes: Vec<u8>, out: &mut Outbox<Output>) {
        match self.client_invite(id) {
            Some(invite) => invite.acknowledge(tag, to, bytes, out),
            None => out.push(Output::Send { to, bytes }),
        }
    }

    /// The INVITE transaction `id`, while it lives.
    pub fn client_invite(&mut self, id: TxId) -> Option<&mut ClientInvite> {
        match self.slots.get_mut(&id).map(|slot| &mut slot.machine) {
            Some(Machine::ClientInvite(_, invite)) => Some(invite),
            _ => None,
        }
    }

    /// A request that is no INVITE does not wait longer than until `at` for a first answer.
    pub fn hurry(&mut self, id: TxId, at: Time) {
        if let Some(Slot { machine: Machine::ClientOther(_, _, other), .. }) = self.slots.get_mut(&id) {
            other.hurry(at);
            self.settle(id);
        }
    }

    /// Sends no more copies of an INVITE.
    pub fn hush(&mut self, id: TxId) {
        if let Some(invite) = self.client_invite(id) {
            invite.hush();
            self.settle(id);
        }
    }

    /// Gives up waiting for the answer to an INVITE.
    pub fn abandon(&mut self, id: TxId) {
        if let Some(invite) = self.client_invite(id)
            && invite.is_waiting()
        {
            invite.abandon();
            self.settle(id);
        }
    }

    /// A connection broke, or could not be made: those who wait for an answer that would have come over it, and are
    /// done with waiting now.
    pub fn on_lost(&mut self, hop: Hop) -> Vec<(Owner, TxId)> {
        let mut gone = Vec::new();
        for (id, slot) in &mut self.slots {
            let told = match &mut slot.machine {
                Machine::ClientInvite(_, invite) if invite.to() == hop => invite.on_lost(),
                Machine::ClientOther(_, _, other) if other.to() == hop => other.on_lost(),
                _ => Told::Nothing,
            };
            if told == Told::TimedOut {
                gone.push((slot.owner, *id));
            }
        }
        gone.iter().for_each(|(_, id)| self.settle(*id));
        gone
    }

    /// Is there a request that waits for an answer, on either side? Whether a trunk is there matters to nobody who leaves.
    pub fn is_waiting(&self) -> bool {
        let others = self.slots.values().filter(|slot| !matches!(slot.owner, Owner::Health(_)));
        others.map(|slot| &slot.machine).any(|machine| match machine {
            Machine::ClientInvite(_, invite) => invite.is_waiting(),
            Machine::ClientOther(_, _, other) => other.is_waiting(),
            Machine::ServerInvite(_, invite) => invite.is_waiting(),
            Machine::ServerOther(..) => false,
        })
    }

    /// When to call [`Transactions::on_deadline`].
    pub fn next_deadline(&self) -> Option<Time> {
        self.due.first().map(|(at, _)| *at)
    }

    /// Drives one due transaction; call again until `None`. Tells who waits in vain for which
    /// transaction, and where it had been sent.
    pub fn on_deadline(&mut self, now: Time, out: &mut Outbox<Output>) -> Option<(Told, Owner, TxId, Option<Hop>)> {
        let &(at, id) = self.due.first()?;
        if at > now {
            return None;
        }
        let Some(slot) = self.slots.get_mut(&id) else {
            self.due.remove(&(at, id));
            return Some((Told::Nothing, Owner::Nobody, id, None));
        };
        let told = match &mut slot.machine {
            Machine::ClientInvite(_, invite) => invite.on_deadline(now, out),
            Machine::ClientOther(_, _, other) => other.on_deadline(now, out),
            Machine::ServerInvite(_, invite) => invite.on_deadline(now, out),
            Machine::ServerOther(_, other) => {
                other.on_deadline(now);
                Told::Nothing
            }
        };
        let owner = slot.owner;
        let hop = slot.machine.sent_to();
        self.settle(id);
        Some((told, owner, id, hop))
    }

    fn insert(&mut self, owner: Owner, machine: Machine) -> TxId {
        self.last += 1;
        let id = TxId(self.last);
        match &machine {
            Machine::ClientInvite(key, _) | Machine::ClientOther(key, ..) => {
                self.clients.insert(key.clone(), id);
            }
            Machine::ServerInvite(server, _) | Machine::ServerOther(server, _) => {
                self.servers.insert(server.key.clone(), id);
                self.origins.entry(server.origin.clone()).or_insert(id);
            }
        }
        self.slots.insert(id, Slot { owner, machine, due: None });
        self.settle(id);
        id
    }

    /// Puts the deadline of `id` where it belongs, and drops what is over.
    fn settle(&mut self, id: TxId) {
        let Some(slot) = self.slots.get_mut(&id) else { return };
        let (over, due) = match &slot.machine {
            Machine::ClientInvite(_, invite) => (invite.is_over(), invite.next_deadline()),
            Machine::ClientOther(_, _, other) => (other.is_over(), other.next_deadline()),
            Machine::ServerInvite(_, invite) => (invite.is_over(), invite.next_deadline()),
            Machine::ServerOther(_, other) => (other.is_over(), other.next_deadline()),
        };
        let before = core::mem::replace(&mut slot.due, due);
        if before != due {
            self.due.extend(due.map(|at| (at, id)));
            before.map(|at| self.due.remove(&(at, id)));
        }
        if !over {
            return;
        }
        match self.slots.remove(&id).map(|slot| slot.machine) {
            Some(Machine::ClientInvite(key, _) | Machine::ClientOther(key, ..)) => {
                self.clients.remove(&key);
            }
            Some(Machine::ServerInvite(server, _) | Machine::ServerOther(server, _)) => {
                self.servers.remove(&server.key);
                if self.origins.get(&server.origin) == Some(&id) {
                    self.origins.remove(&server.origin);
                }
            }
            None => {}
        }
    }
}

/// Branch and method. Only a CANCEL has another's branch; of any other method it is the branch alone.
fn client_key<'a>(branch: &'a str, method: &Method) -> Cow<'a, str> {
    if *method == Method::Cancel { Cow::Owned(format!("{branch} {method}")) } else { Cow::Borrowed(branch) }
}

/// Call-ID, From tag and CSeq: what two ways of one request have in common. No value has a line end in it.
fn origin(message: &Message, method: &Method) -> String {
    let tag = message.from().ok().and_then(|from| from.tag()).unwrap_or_default();
    let number = message.cseq().map_or(0, |cseq| cseq.number);
    format!("{}\n{tag}\n{number} {method}", message.call_id().unwrap_or_default())
}

/// Branch, sent-by and method; an ACK has the key of its INVITE. A request without the cookie has what RFC 3261 §17.2.3
/// compares of it in place of the branch: Call-ID, From tag and CSeq number.
fn server_key(message: &Message, method: &Method) -> String {
    let via = message.via().ok();
    let (host, port) = via.map_or(("", 0), |via| (via.host, via.port.unwrap_or(5060)));
    match via.filter(|via| via.is_modern()).and_then(|via| via.branch()) {
        Some(branch) => format!("{branch}\n{}:{port}\n{method}", host.to_ascii_lowercase()),
        None => {
            let tag = message.from().ok().and_then(|from| from.tag()).unwrap_or_default();
            let (call_id, number) =
                (message.call_id().unwrap_or_default(), message.cseq().map_or(0, |cseq| cseq.number));
            format!("{call_id}\n{tag}\n{number}\n{}:{port}\n{method}", host.to_ascii_lowercase())
        }
    }
}

#[cfg(test)]
impl Told {
    /// The word that stands for it in the tables.
    pub fn word(self) -> Option<String> {
        match self {
            Told::Nothing => None,
            Told::Tell => Some("tell".to_owned()),
            Told::TimedOut => Some("timeout".to_owned()),
        }
    }
}

#[cfg(test)]
#[path = "tests/transactions.rs"]
mod tests;
