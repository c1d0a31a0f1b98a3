//! The trunks of the agent: where they are, whether they are there, and which of their targets is left alone.
//!
//! Easy to get wrong: only what a trunk itself has to answer says anything about it. Silence after a request within a
//! call may be a telephone that is gone, because a proxy on the way says nothing in its place (RFC 4320 §4.2).

use core::net::{IpAddr, SocketAddr};
use core::time::Duration;

use crate::base::{Family, Outbox, PerFamily, Time, TrunkId};
use crate::sip::agent::Agent;
use crate::sip::context::Ctx;
use crate::sip::health::Health;
use crate::sip::register::Registration;
use crate::sip::renewal::Standing;
use crate::sip::targets::REST;
use crate::sip::transactions::{CallKey, Owner, TxId};
use crate::sip::{Event, Hop, Output, isdn};
use crate::wire::sip::Message;

/// A trunk that is not registered at and whose name is not found is looked up again after this.
const LOOK_UP_AGAIN_S: u32 = 30;

/// How a trunk stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TrunkState {
    /// Which.
    pub id: TrunkId,
    /// It rings us: registered, or in no need of it; and it answers, where it is asked.
    pub registered: bool,
    /// The status it answered last to a REGISTER, or to an OPTIONS that found it away.
    pub last_code: Option<u16>,
    /// In words; or why its name leads nowhere.
    pub last_reason: String,
    /// Our address as it sees us, when it says so.
    pub seen_as: Option<SocketAddr>,
    /// Calls up, in either direction.
    pub calls: usize,
    /// Where requests went last.
    pub target: Option<Hop>,
    /// Targets that failed, and until when they are left alone.
    pub resting: Vec<(Hop, Time)>,
}

/// Where a trunk was found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Whereabouts {
    /// Everywhere it is, the first to be tried first.
    pub targets: Vec<Hop>,
    /// Our own addresses on the way there, where they were not bound to one.
    pub local: PerFamily<IpAddr>,
}

impl From<Vec<Hop>> for Whereabouts {
    fn from(targets: Vec<Hop>) -> Whereabouts {
        Whereabouts { targets, local: PerFamily::default() }
    }
}

/// Why a target is left alone, and for how long.
#[derive(Clone, Copy, Debug)]
pub(super) struct Why<'a> {
    /// The status, where there was one.
    pub code: Option<u16>,
    /// In words.
    pub reason: &'a str,
    /// How long.
    pub long: Duration,
}

impl Agent {
    /// Registers where a trunk wants it and its address is known.
    pub fn start(&mut self, now: Time, out: &mut Outbox<Output>) {
        for place in 0..self.core.lines.len() {
            self.greet(now, place, out);
        }
    }

    /// The shell looked the proxy's name up: everywhere it leads, the first to be tried first. After a failure it is to
    /// look again when the time that [`Event::RegistrationFailed`] names is over.
    pub fn on_trunk_address(
        &mut self,
        now: Time,
        trunk: &TrunkId,
        found: Result<Whereabouts, String>,
        out: &mut Outbox<Output>,
    ) {
        let Some(place) = self.line_of(trunk) else { return };
        let Some(line) = self.core.lines.get_mut(place) else { return };
        match found {
            // An address that served goes on serving while the name cannot be looked up.
            Err(_) if line.proxy.is_some() => {}
            Ok(Whereabouts { targets, local }) => {
                line.lost = None;
                let before = line.proxy;
                line.targets.replace(targets);
                line.proxy = line.targets.best(now);
                let (is_elsewhere, is_known) = (line.proxy != before, line.proxy.is_some());
                let mut moved = false;
                for family in Family::ALL {
                    moved |= self.core.note_outside(place, family, |outside| {
                        let route = local.get(family).copied();
                        // On another way the trunk sees another address, too.
                        if outside.route != route {
                            outside.seen = None;
                        }
                        outside.route = route;
                    });
                }
                if is_known && (is_elsewhere || moved) {
                    self.greet(now, place, out);
                }
            }
            Err(reason) => {
                line.lost = Some(reason.clone());
                let registration = self.registrations.get_mut(place).and_then(Option::as_mut);
                match (registration, self.core.ctx(now, place, None, out)) {
                    (Some(registration), Some(mut ctx)) => registration.on_no_address(&mut ctx, reason),
                    (_, _) => {
                        let (trunk, code, retry_s) = (trunk.clone(), None, LOOK_UP_AGAIN_S);
                        out.push(Output::Event(Event::RegistrationFailed { trunk, code, reason, retry_s }));
                    }
                }
            }
        }
    }

    /// A connection broke, or could not be made. `why` is a sentence for people.
    pub fn on_lost(&mut self, now: Time, hop: Hop, why: &str, out: &mut Outbox<Output>) {
        let mut gone = self.core.transactions.on_lost(hop);
        let calls = self.calls.keys();
        let answered: Vec<CallKey> =
            calls.into_iter().filter(|key| !gone.iter().any(|(owner, _)| *owner == Owner::Call(*key))).collect();
        // A connection that ends by itself, and that nobody waits at, says nothing about who is there; nor does one that
        // served say that none would be taken the next time.
        let had_served = self.core.lines.iter().any(|line| line.targets.has_served(hop));
        let is_refused = !gone.is_empty() && !had_served;
        let datagram = Some(Hop::udp(hop.address)).filter(|_| is_refused && hop == Hop::tcp(hop.address));
        for line in &mut self.core.lines {
            if let Some(datagram) = datagram.filter(|datagram| line.targets.has(*datagram)) {
                line.targets.takes_no_connections(datagram, now);
            }
        }
        if is_refused {
            self.leave_alone(now, hop, Why { code: None, reason: why, long: REST }, out);
        }
        gone.retain(|(owner, tx)| !self.falls_back(now, *owner, *tx, out));
        self.core.lines.iter_mut().for_each(|line| line.targets.is_lost(hop));
        for (owner, tx) in gone {
            self.unheard(now, owner, tx, why, out);
        }
        // Whoever had said no more than "trying" has forgotten it, if it was not the connection alone that ended.
        for key in answered {
            if self.calls.get(key).is_some_and(|call| call.waits_at(hop)) {
                self.with(now, key, out, |call, _| call.lose(why));
            }
        }
        for place in 0..self.core.lines.len() {
            self.with_registration(now, place, out, |known, ctx| known.on_lost(ctx, hop));
        }
        self.house_loses(hop, out);
    }

    /// The connection that this request went over is gone. True: it goes another way.
    fn falls_back(&mut self, now: Time, owner: Owner, tx: TxId, out: &mut Outbox<Output>) -> bool {
        let mut done = false;
        match owner {
            Owner::Call(key) => self.with(now, key, out, |call, ctx| done = call.fall_back(ctx, tx)),
            Owner::Registration(place) => {
                self.with_registration(now, place, out, |known, ctx| done = known.fall_back(ctx, tx));
            }
            Owner::Health(place) => {
                self.with_health(now, place, out, |health, ctx| done = health.fall_back(ctx, tx));
            }
            Owner::Message(number) => done = self.letter_falls_back(now, number, tx, out),
            Owner::Nobody => {}
        }
        done
    }

    /// How the trunks stand, the one that is preferred first.
    pub fn trunks(&self) -> impl Iterator<Item = TrunkState> + '_ {
        let known = self.registrations.iter().zip(&self.healths);
        let lines = self.core.lines.iter().zip(known).enumerate();
        let mut lines: Vec<_> = lines.filter(|(_, (line, _))| line.is_configured()).collect();
        lines.sort_by_key(|(_, (line, _))| line.rank);
        lines.into_iter().map(|(place, (line, (registration, health)))| {
            let away = health.as_ref().and_then(Health::away);
            let last = away.or(registration.as_ref().and_then(Registration::last));
            let (code, words) = last.map_or((None, None), |(code, words)| (*code, Some(words)));
            let registered = registration.as_ref().map_or(line.proxy.is_some(), Registration::is_registered);
            TrunkState {
                id: line.trunk.id.clone(),
                registered: registered && away.is_none(),
                last_code: code,
                last_reason: words.or(line.lost.as_ref()).cloned().unwrap_or_default(),
                seen_as: registration.as_ref().and_then(Registration::seen_as),
                calls: self.calls.on_line(place),
                target: line.proxy,
                resting: line.targets.resting().to_vec(),
            }
        })
    }

    /// Does every target of this trunk rest?
    pub fn rests(&self, now: Time, trunk: &TrunkId) -> bool {
        self.line_of(trunk).and_then(|place| self.core.lines.get(place)).is_some_and(|line| line.targets.all_rest(now))
    }

    /// A target answered. One that says 503 is left alone for as long as it wants (RFC 3261 §21.5.4, RFC 3263 §4.3); any
    /// other answer shows that it is there. `its_own`: the trunk itself has to answer this, and no telephone behind it. A
    /// gateway that says 503 and means its callee is well, too.
    pub(super) fn note_health(
        &mut self,
        now: Time,
        hop: Hop,
        response: &Message,
        its_own: bool,
        out: &mut Outbox<Output>,
    ) {
        if response.code() == Some(503) {
            if !its_own || isdn::status(response).is_some() {
                return;
            }
            let long = response.retry_after().map_or(REST, |seconds| Duration::from_secs(seconds.into()));
            let reason = crate::sip::message::reason_of(response);
            self.leave_alone(now, hop, Why { code: Some(503), reason: &reason, long }, out);
        } else {
            self.core.lines.iter_mut().for_each(|line| line.targets.is_well(hop));
        }
    }

    /// A target failed: it rests, and whoever watches reads why, and where requests go now.
    pub(super) fn leave_alone(&mut self, now: Time, hop: Hop, why: Why<'_>, out: &mut Outbox<Output>) {
        for line in &mut self.core.lines {
            let Some(long) = line.targets.rest(hop, now, why.long).filter(|_| line.is_configured()) else { continue };
            out.push(Output::Event(Event::TargetFailed {
                trunk: line.trunk.id.clone(),
                target: hop,
                code: why.code,
                reason: why.reason.to_owned(),
                rest_s: u32::try_from(long.as_secs()).unwrap_or(u32::MAX),
                next: line.targets.other(hop, now),
            }));
        }
    }

    /// Is silence after this request, or a 503, the trunk's own?
    pub(super) fn speaks_for_trunk(&self, owner: Owner, tx: TxId) -> bool {
        match owner {
            Owner::Registration(_) | Owner::Health(_) => true,
            Owner::Call(key) => self.calls.get(key).and_then(crate::sip::call::Call::invite_tx) == Some(tx),
            Owner::Message(_) | Owner::Nobody => false,
        }
    }

    /// The trunk says where it sees us (RFC 3581 §4). If that is not where we said we are, there is a NAT between us, and
    /// we are there from now on: it is registered at anew. Nothing is learned over a connection, whose port is no door.
    pub(super) fn note_seen(
        &mut self,
        now: Time,
        place: usize,
        hop: Hop,
        response: &Message,
        out: &mut Outbox<Output>,
    ) {
        let Ok(via) = response.via() else { return };
        let (Some(ip), Some(Some(port))) = (via.received(), via.rport()) else { return };
        let seen = SocketAddr::new(ip, port);
        let said = via.host_str().parse().ok().map(|ip: IpAddr| SocketAddr::new(ip, via.port.unwrap_or(5060)));
        // Where a translator between the families stands between us, what the trunk sees is the translator's.
        let is_like = ip.is_ipv4() == hop.address.is_ipv4();
        let is_mine = self.core.lines.get(place).is_some_and(|line| line.targets.is_at(hop.ip().to_canonical()));
        let is_mine = is_mine && is_like;
        if hop.is_reliable() || response.code().is_none_or(|code| code < 200) || said == Some(seen) || !is_mine {
            return;
        }
        if self.core.note_outside(place, Family::of(ip), |outside| outside.seen = Some(seen)) {
            self.with_registration(now, place, out, |known, ctx| known.on_outside(ctx));
        }
    }

    pub(super) fn with_registration(
        &mut self,
        now: Time,
        place: usize,
        out: &mut Outbox<Output>,
        handle: impl FnOnce(&mut Registration, &mut Ctx<'_>),
    ) {
        let registration = self.registrations.get_mut(place).and_then(Option::as_mut);
        if let (Some(registration), Some(mut ctx)) = (registration, self.core.ctx(now, place, None, out)) {
            handle(registration, &mut ctx);
            if registration.is_idle() {
                self.follow(now, place, out);
            }
        }
    }

    pub(super) fn with_health(
        &mut self,
        now: Time,
        place: usize,
        out: &mut Outbox<Output>,
        handle: impl FnOnce(&mut Health, &mut Ctx<'_>),
    ) {
        let health = self.healths.get_mut(place).and_then(Option::as_mut);
        if let (Some(health), Some(mut ctx)) = (health, self.core.ctx(now, place, None, out)) {
            handle(health, &mut ctx);
        }
    }

    pub(super) fn line_of(&self, trunk: &TrunkId) -> Option<usize> {
        self.core.lines.iter().position(|line| line.trunk.id == *trunk && line.standing != Standing::Retired)
    }

    pub(super) fn greet(&mut self, now: Time, place: usize, out: &mut Outbox<Output>) {
        let Some(line) = self.core.lines.get(place).filter(|line| line.proxy.is_some()) else { return };
        if line.standing != Standing::InForce {
            return;
        }
        match self.registrations.get(place) {
            Some(Some(_)) => self.with_registration(now, place, out, |known, ctx| known.on_address(ctx)),
            _ => out.push(Output::Event(Event::Registered { trunk: line.trunk.id.clone(), expires_s: 0 })),
        }
        self.with_health(now, place, out, |health, ctx| health.on_address(ctx));
    }
}
