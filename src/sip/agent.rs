//! The user agent: every trunk, every call, every transaction behind one face.
//!
//! The shell puts datagrams, wishes and the time in, and does what comes out, in order. Nothing here decides
//! whom to call.
//!
//! Easy to get wrong: `Event::Answered` comes out before the ACK, and `dial` gives its handle back before its
//! INVITE leaves the outbox; whoever stores first and sends then loses no call to a crash.

use core::net::SocketAddr;
use std::collections::BTreeMap;

use rand::{RngExt, SeedableRng};

use crate::base::{Digit, Family, LegId, Outbox, Phone, Rng, Time, TrunkId, seeded};
use crate::sip::call::{Call, Phase};
use crate::sip::calls::Calls;
use crate::sip::context::{Ctx, Line};
use crate::sip::counts::Counts;
use crate::sip::farewell::Farewell;
use crate::sip::fork::Forks;
use crate::sip::handle::{self, Handle};
use crate::sip::health::Health;
use crate::sip::identity::{Identities, Outside};
use crate::sip::letter::Letter;
use crate::sip::lines::Why;
use crate::sip::message::Request;
use crate::sip::outgoing::Outgoing;
use crate::sip::rates::Rates;
use crate::sip::register::Registration;
use crate::sip::registrar::Registrar;
use crate::sip::reroute::Spare;
use crate::sip::srtp::{OurKeys, Srtp};
use crate::sip::targets::REST;
use crate::sip::terms::Terms;
use crate::sip::transactions::{Owner, Told, Transactions, TxId};
use crate::sip::{Cause, End, Hop, Output, Trunk, attempt};
use crate::wire::sip::{Method, NameAddr};

/// More calls than this at once are refused, in either direction.
pub const MAX_CALLS: usize = 4_096;
/// A former life may have numbered this many requests after the handle was written: a question every two minutes
/// for months.
const NUMBERS_SKIPPED: u32 = 100_000;
/// One handle ends no more calls than this.
const PHONES_MAX: usize = 64;

/// What is said of a request that nothing answered.
pub(super) const SILENCE: &str = "the trunk did not answer";

/// Why a call cannot even be tried.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DialError {
    /// No such trunk.
    #[error("no such trunk")]
    UnknownTrunk,
    /// The trunk's name was not looked up yet, or cannot be.
    #[error("the trunk's address is not known")]
    NoAddress,
    /// The trunk's `max_calls` are up.
    #[error("the trunk takes no more calls at once")]
    TrunkFull,
    /// [`MAX_CALLS`] are up.
    #[error("too many calls at once")]
    Full,
    /// The leg has a call already.
    #[error("the leg has a call already")]
    LegInUse,
    /// [`Agent::stop`] was called.
    #[error("hansho is stopping")]
    Stopping,
    /// No phone of the user is registered.
    #[error("no phone of this user is registered")]
    NotRegistered,
}

/// The user agent.
#[derive(Debug)]
pub struct Agent {
    pub(super) core: Core,
    pub(super) calls: Calls,
    pub(super) registrations: Vec<Option<Registration>>,
    pub(super) healths: Vec<Option<Health>>,
    /// Short messages on their way, by the number their sender gave them.
    pub(super) letters: BTreeMap<u32, Letter>,
    pub(super) counts: Counts,
    pub(super) rates: Rates,
    /// Where hansho is one.
    pub(super) registrar: Option<Registrar>,
    /// The first line of its users.
    pub(super) house_line: usize,
    pub(super) forks: Forks,
    pub(super) last_incoming: LegId,
    pub(super) stopping: bool,
}

/// What every machine needs beside itself.
#[derive(Debug)]
pub(super) struct Core {
    pub identity: Identities,
    /// Who we are towards each of the lines.
    pub identities: Vec<Identities>,
    pub lines: Vec<Line>,
    pub transactions: Transactions,
    pub rng: Rng,
    /// What keys of voice are drawn from, and nothing else: what leaves in the clear says nothing about it.
    pub keys: Rng,
}

impl Core {
    pub fn new(identity: impl Into<Identities>, rng: Rng, keys: Rng) -> Core {
        let (identity, identities, lines) = (identity.into(), Vec::new(), Vec::new());
        Core { identity, identities, lines, transactions: Transactions::default(), rng, keys }
    }

    /// One line more.
    pub fn add_line(&mut self, line: Line) {
        self.put_line(self.lines.len(), line);
    }

    /// A line at this place, in the place of the one that was there; at most one behind the last.
    pub fn put_line(&mut self, place: usize, line: Line) {
        let identity = self.identity.towards(&line.outside);
        match (self.lines.get_mut(place), self.identities.get_mut(place)) {
            (Some(old), Some(known)) => (*old, *known) = (line, identity),
            _ => {
                self.identities.push(identity);
                self.lines.push(line);
            }
        }
    }

    /// Something else is known of our address of this family towards a line. True: it is another one now.
    pub fn note_outside(&mut self, place: usize, family: Family, change: impl FnOnce(&mut Outside)) -> bool {
        let (Some(line), Some(identity)) = (self.lines.get_mut(place), self.identities.get_mut(place)) else {
            return false;
        };
        change(line.outside.slot(family).get_or_insert_default());
        let before = core::mem::replace(identity, self.identity.towards(&line.outside));
        !identity.is_where(&before)
    }

    pub fn ctx<'a>(
        &'a mut self,
        now: Time,
        place: usize,
        leg: Option<LegId>,
        out: &'a mut Outbox<Output>,
    ) -> Option<Ctx<'a>> {
        let line = self.lines.get_mut(place)?;
        line.proxy = line.targets.best(now).or(line.proxy);
        let (transactions, rng) = (&mut self.transactions, &mut self.rng);
        let identity = self.identities.get(place)?;
        Some(Ctx { now, identity, line, transactions, rng, out, leg })
    }
}

impl Agent {
    /// An agent for these trunks; `seed` makes its tags, branches and nonces, and as long as
    /// [`Agent::with_key_seed`] names nothing better, the keys of encrypted voice.
    pub fn new(identity: impl Into<Identities>, trunks: Vec<Trunk>, seed: u64) -> Agent {
        let mut agent = Agent {
            core: Core::new(identity, seeded(seed), seeded(!seed)),
            calls: Calls::default(),
            registrations: Vec::new(),
            healths: Vec::new(),
            letters: BTreeMap::new(),
            counts: Counts::default(),
            rates: Rates::default(),
            registrar: None,
            house_line: 0,
            forks: Forks::default(),
            last_incoming: LegId(u32::MAX),
            stopping: false,
        };
        for trunk in trunks {
            agent.put_trunk(trunk);
        }
        agent
    }

    /// The same with 256 random bits for the keys of encrypted voice, whose strength is not to hang on a smaller number.
    pub fn with_key_seed(mut self, seed: [u8; 32]) -> Agent {
        self.core.keys = Rng::from_seed(seed);
        self
    }

    /// Calls `to` over `trunk`. The text that comes back is what [`Agent::recover`] wants after a crash.
    pub fn dial(
        &mut self,
        now: Time,
        leg: LegId,
        trunk: &TrunkId,
        to: &Phone,
        media_port: u16,
        out: &mut Outbox<Output>,
    ) -> Result<String, DialError> {
        let line = self.line_of(trunk).ok_or(DialError::UnknownTrunk)?;
        if self.stopping {
            return Err(DialError::Stopping);
        } else if self.calls.of_leg(leg).is_some() {
            return Err(DialError::LegInUse);
        } else if self.calls.len() >= MAX_CALLS {
            return Err(DialError::Full);
        } else if self.is_full(line) {
            return Err(DialError::TrunkFull);
        }
        let spare = Spare { to: to.clone(), media_port, lines: Vec::new(), tried: Vec::new() };
        self.place(now, leg, line, spare, out)
    }

    /// Ends the call with CANCEL, BYE or a refusal, as its state demands;
    /// [`Event::Ended`](crate::sip::Event::Ended) follows.
    pub fn hang_up(&mut self, now: Time, leg: LegId, out: &mut Outbox<Output>) {
        self.with_leg_or_phones(now, leg, out, |call, ctx| call.hang_up(ctx));
    }

    /// The same, because somebody else has answered: the far end is told so (RFC 3326), and its telephone lists no
    /// missed call.
    pub fn answered_elsewhere(&mut self, now: Time, leg: LegId, out: &mut Outbox<Output>) {
        self.with_leg_or_phones(now, leg, out, |call, ctx| call.hang_up_because(ctx, Cause::Elsewhere));
    }

    /// The same, for another cause of ours, which the far end is told.
    pub fn hang_up_because(&mut self, now: Time, leg: LegId, cause: Cause, out: &mut Outbox<Output>) {
        self.with_leg_or_phones(now, leg, out, |call, ctx| call.hang_up_because(ctx, cause));
    }

    /// Presses a key towards the far end of an answered call, as INFO. A trunk that challenges it does not hear it.
    pub fn press(&mut self, now: Time, leg: LegId, digit: Digit, out: &mut Outbox<Output>) {
        self.with_leg(now, leg, out, |call, ctx| call.press(ctx, digit));
    }

    /// Tells an incoming caller that it rings.
    pub fn ring(&mut self, now: Time, leg: LegId, out: &mut Outbox<Output>) {
        self.with_leg(now, leg, out, |call, ctx| call.ring(ctx));
    }

    /// Takes an incoming call; we listen on `media_port`.
    pub fn accept(&mut self, now: Time, leg: LegId, media_port: u16, out: &mut Outbox<Output>) {
        let Some(call) = self.calls.of_leg(leg).and_then(|key| self.calls.get(key)) else { return };
        let Some(from) = call.came_from() else { return };
        let terms = self.terms(call.line, from, media_port);
        self.with_leg(now, leg, out, |call, ctx| call.accept(ctx, terms));
    }

    /// Turns an incoming call away with this status (300 to 699).
    pub fn refuse(&mut self, now: Time, leg: LegId, code: u16, out: &mut Outbox<Output>) {
        self.with_leg(now, leg, out, |call, ctx| call.refuse(ctx, code));
    }

    /// Ends the call that a former life left: CANCEL when it was not answered, BYE when it was. A text that is
    /// no handle, or names a trunk that is gone or has no address, is ignored.
    pub fn recover(&mut self, now: Time, handle: &str, out: &mut Outbox<Output>) {
        handle.lines().take(PHONES_MAX).for_each(|call| self.recover_one(now, call, out));
    }

    fn recover_one(&mut self, now: Time, handle: &str, out: &mut Outbox<Output>) {
        let end = End { cause: Cause::Us, code: None, reason: "left by a former life".to_owned() };
        match handle::read(handle) {
            None => {}
            Some(Handle::Answered { trunk, mut dialog }) => {
                let Some(line) = self.line_of(&trunk) else { return };
                let key = self.calls.new_key();
                let Some(mut ctx) = self.core.ctx(now, line, None, out) else { return };
                dialog.seq = dialog.seq.saturating_add(NUMBERS_SKIPPED);
                dialog.direct = ctx.line.house.is_some();
                let name = (dialog.call_id.clone(), dialog.local_tag().to_owned());
                let farewell = Farewell::start(&mut ctx, Owner::Call(key), &mut dialog, end);
                self.calls.put(key, Call::new(None, line, name, Phase::Leaving(farewell)));
            }
            Some(Handle::Unanswered { trunk, secret, hop, uri, from, to, call_id }) => {
                let Some(line) = self.line_of(&trunk) else { return };
                let tag = NameAddr::parse(&from).ok().and_then(|from| from.tag()).unwrap_or_default().to_owned();
                // Which of its tries was the last is not known; the others are answered 481.
                for number in 1..=attempt::MAX_TRIES {
                    let terms = self.terms(line, hop, 0);
                    let key = self.calls.new_key();
                    let Some(mut ctx) = self.core.ctx(now, line, None, out) else { return };
                    let request = Request {
                        method: Method::Invite,
                        uri: uri.clone(),
                        hop,
                        from: from.clone(),
                        to: to.clone(),
                        call_id: call_id.clone(),
                        seq: number,
                        routes: Vec::new(),
                        headers: Vec::new(),
                        body: None,
                    };
                    let owner = Owner::Call(key);
                    let outgoing = Outgoing::recover(&mut ctx, owner, secret.clone(), number, request, terms);
                    let name = (call_id.clone(), tag.clone());
                    self.calls.put(key, Call::new(None, line, name, Phase::Outgoing(outgoing)));
                }
            }
        }
    }

    /// Nothing of this call has left the house: drops it without a message and without an event. A call that is
    /// answered, or that somebody else began, is left alone.
    pub fn forget(&mut self, leg: LegId) {
        let nothing = &mut Outbox::new();
        self.with_leg_or_phones(Time::ZERO, leg, nothing, |call, ctx| call.forget(ctx));
        self.forks.forget(leg);
    }

    /// Hangs everything up and de-registers. New calls are refused from now on.
    pub fn stop(&mut self, now: Time, out: &mut Outbox<Output>) {
        self.stopping = true;
        for key in self.calls.keys() {
            self.with(now, key, out, |call, ctx| call.hang_up(ctx));
        }
        for (place, registration) in self.registrations.iter_mut().enumerate() {
            if let (Some(registration), Some(mut ctx)) = (registration, self.core.ctx(now, place, None, out)) {
                registration.stop(&mut ctx);
            }
        }
    }

    /// Nothing is left that waits for an answer.
    pub fn is_idle(&self) -> bool {
        let registrations = self.registrations.iter().flatten().all(Registration::is_idle);
        registrations && self.calls.len() == 0 && !self.core.transactions.is_waiting()
    }

    /// What [`Agent::recover`] wants after a crash for a call that was accepted and is not acknowledged yet.
    pub fn accepted(&self, leg: LegId) -> Option<String> {
        let call = self.calls.get(self.calls.of_leg(leg)?)?;
        Some(handle::answered(&self.core.lines.get(call.line)?.trunk.id, call.accepted()?))
    }

    /// The Call-ID of a leg's call, by which the trunk's operators find it in their logs.
    pub fn call_id(&self, leg: LegId) -> Option<&str> {
        let of_leg = || self.calls.of_leg(self.forks.phones(leg).first().copied().unwrap_or(leg));
        self.calls.get(of_leg()?).map(Call::call_id)
    }

    /// When to call [`Agent::on_deadline`].
    pub fn next_deadline(&self) -> Option<Time> {
        let registrations = self.registrations.iter().flatten().filter_map(Registration::next_deadline);
        let healths = self.healths.iter().flatten().filter_map(Health::next_deadline).filter(|_| !self.stopping);
        let house = self.registrar.as_ref().and_then(Registrar::next_deadline);
        registrations
            .chain(healths)
            .chain(house)
            .chain(self.calls.next_deadline())
            .chain(self.core.transactions.next_deadline())
            .min()
    }

    /// Does all that is due. Too early a call does nothing.
    pub fn on_deadline(&mut self, now: Time, out: &mut Outbox<Output>) {
        while let Some((told, owner, tx, hop)) = self.core.transactions.on_deadline(now, out) {
            if told == Told::TimedOut {
                if let Some(hop) = hop.filter(|_| self.speaks_for_trunk(owner, tx)) {
                    self.leave_alone(now, hop, Why { code: None, reason: SILENCE, long: REST }, out);
                }
                self.unheard(now, owner, tx, SILENCE, out);
            }
        }
        while let Some(key) = self.calls.due(now) {
            self.with(now, key, out, |call, ctx| call.on_deadline(ctx));
        }
        for place in 0..self.registrations.len() {
            self.with_registration(now, place, out, |known, ctx| known.on_deadline(ctx));
            if !self.stopping {
                self.with_health(now, place, out, |health, ctx| health.on_deadline(ctx));
            }
        }
        self.house_wakes(now, out);
    }

    /// Nothing answers this transaction any more.
    pub(super) fn unheard(&mut self, now: Time, owner: Owner, tx: TxId, why: &str, out: &mut Outbox<Output>) {
        match owner {
            Owner::Call(key) => self.with(now, key, out, |call, ctx| call.on_timeout(ctx, tx, why)),
            Owner::Registration(place) => {
                self.with_registration(now, place, out, |known, ctx| known.on_timeout(ctx, tx, why));
            }
            Owner::Health(place) => self.with_health(now, place, out, |health, ctx| health.on_timeout(ctx, tx, why)),
            Owner::Message(number) => self.letter_unheard(number, why, out),
            Owner::Nobody => {}
        }
    }

    pub(super) fn with(
        &mut self,
        now: Time,
        key: crate::sip::transactions::CallKey,
        out: &mut Outbox<Output>,
        handle: impl FnOnce(&mut Call, &mut Ctx<'_>),
    ) {
        let Some(call) = self.calls.get_mut(key) else { return };
        if call.leg.is_some_and(|leg| self.forks.leg_of(leg).is_some()) {
            return self.with_phone(now, key, out, handle);
        }
        if let Some(mut ctx) = self.core.ctx(now, call.line, call.leg, out) {
            handle(call, &mut ctx);
        }
        match call.take_failure() {
            None => self.calls.settle(key),
            Some(end) => self.reroute(now, key, end, out),
        }
    }

    /// Our side of a call with whoever is at this hop.
    pub(super) fn terms(&mut self, line: usize, hop: Hop, media_port: u16) -> Terms {
        // 62 bits: some readers of SDP take the number for a signed one.
        let session = self.core.rng.random_range(1..1u64 << 62);
        let codecs = self.core.lines.get(line).map_or(&[][..], |line| &line.trunk.codecs);
        let identity = self.core.identities.get(line).unwrap_or(&self.core.identity);
        let (ip, other) = identity.media(hop.ip());
        let other = other.map(|ip| SocketAddr::new(ip, media_port));
        let srtp = self.core.lines.get(line).map_or(Srtp::Off, |line| line.trunk.srtp);
        let keys = OurKeys::fresh(srtp, &mut self.core.keys);
        Terms::new(SocketAddr::new(ip, media_port), codecs, session).or_at(other).with_keys(keys)
    }

    pub(super) fn with_leg(
        &mut self,
        now: Time,
        leg: LegId,
        out: &mut Outbox<Output>,
        handle: impl FnOnce(&mut Call, &mut Ctx<'_>),
    ) {
        if let Some(key) = self.calls.of_leg(leg) {
            self.with(now, key, out, handle);
        }
    }
}
