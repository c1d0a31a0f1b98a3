//! Other trunks than before, while calls are up.
//!
//! A trunk that is gone keeps its line as long as something of it is up: its calls go on to their end, requests within
//! them are answered, the registration is taken back, and nothing new begins there. One that is new gets a line of its
//! own. One whose settings are others keeps its line, its registration and what is known of it; where the account or the
//! way to it is another one, it is a trunk that is gone and one that is new.
//!
//! It never ends a call, and never touches a trunk whose settings are the same.
//!
//! Easy to get wrong: a REGISTER that takes a binding back and another one that makes the same binding anew may overtake
//! each other on their way. So where the account is the same, the new line is silent until the old one is answered, or has
//! waited for [`FAREWELL`].

use core::net::IpAddr;
use core::time::Duration;

use crate::base::{Family, Outbox, Time, TrunkId, token};
use crate::sip::agent::Agent;
use crate::sip::context::Line;
use crate::sip::health::Health;
use crate::sip::register::Registration;
use crate::sip::transactions::Owner;
use crate::sip::{Output, Trunk};

/// So long a trunk that is replaced may take to answer our leave.
pub const FAREWELL: Duration = Duration::from_secs(2);

/// Whether a line takes part in what begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Standing {
    /// It does.
    #[default]
    InForce,
    /// It does, and registers when the line at this place has taken its leave.
    After(usize),
    /// Its trunk is not configured any more.
    Retired,
}

/// A trunk as it is to be from now on.
#[derive(Clone, Debug)]
pub struct NextTrunk {
    /// Its settings.
    pub trunk: Trunk,
    /// It is to be looked for anew, for a reason that its settings here do not show: another name, another transport,
    /// other authorities.
    pub moved: bool,
}

/// What became of a trunk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Renewed {
    /// It is as it was.
    Same,
    /// It was not there before.
    Added,
    /// It has other settings.
    Changed,
    /// It is another account, or lies elsewhere: its address is to be found anew.
    Moved,
    /// It is not there any more.
    Removed,
}

/// What became of one trunk, and where it stands now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TrunkRenewal {
    /// Which.
    pub id: TrunkId,
    /// Its place, by which its certificate is known.
    pub place: usize,
    /// What became of it.
    pub what: Renewed,
}

impl Agent {
    /// These are the trunks from now on, the one that is preferred first. What became of each, those that are gone at the
    /// front; whoever looks names up begins anew for what was added and what has moved.
    pub fn renew_trunks(&mut self, now: Time, next: Vec<NextTrunk>, out: &mut Outbox<Output>) -> Vec<TrunkRenewal> {
        let mut done = Vec::new();
        if self.stopping {
            return done;
        }
        for place in 0..self.core.lines.len() {
            let Some(line) = self.core.lines.get(place).filter(|line| line.is_configured()) else { continue };
            if next.iter().all(|next| next.trunk.id != line.trunk.id) {
                done.push(TrunkRenewal { id: line.trunk.id.clone(), place, what: Renewed::Removed });
                self.retire(now, place, None, out);
            }
        }
        for (rank, NextTrunk { trunk, moved }) in next.into_iter().enumerate() {
            let id = trunk.id.clone();
            let (place, what) = match self.line_of(&id) {
                None => (self.settle_in(now, trunk, out), Renewed::Added),
                Some(place) if moved || self.is_elsewhere(place, &trunk) => {
                    (self.replace(now, place, trunk, out), Renewed::Moved)
                }
                Some(place) => (place, self.adjust(now, place, trunk, out)),
            };
            if let Some(line) = self.core.lines.get_mut(place) {
                line.rank = rank;
            }
            done.push(TrunkRenewal { id, place, what });
        }
        done
    }

    /// Is a trunk that is gone still spoken with from this address?
    pub(super) fn retired_at(&self, ip: IpAddr) -> Option<usize> {
        let ip = ip.to_canonical();
        let is_there = |line: &Line| line.standing == Standing::Retired && line.is_at(ip);
        let mut places = self.core.lines.iter().enumerate().filter(|(_, line)| is_there(line)).map(|(place, _)| place);
        places.find(|place| !self.is_free(*place))
    }

    /// The registration at this place has taken its leave: who waited for it begins.
    pub(super) fn follow(&mut self, now: Time, place: usize, out: &mut Outbox<Output>) {
        let waits = |line: &Line| line.standing == Standing::After(place);
        let Some(next) = self.core.lines.iter().position(waits) else { return };
        if let Some(line) = self.core.lines.get_mut(next) {
            line.standing = Standing::InForce;
        }
        self.greet(now, next, out);
    }

    /// Puts a trunk where nobody is, or at the end.
    pub(super) fn put_trunk(&mut self, trunk: Trunk) -> usize {
        let place = (0..self.core.lines.len()).find(|place| self.is_free(*place)).unwrap_or(self.core.lines.len());
        let registration = trunk.register.then(|| {
            let (call_id, tag) = (token(&mut self.core.rng, 24), token(&mut self.core.rng, 12));
            Registration::new(Owner::Registration(place), trunk.expires_s, call_id, tag)
        });
        put(&mut self.registrations, place, registration);
        put(&mut self.healths, place, trunk.asked_every.map(|every| Health::new(Owner::Health(place), every)));
        self.core.put_line(place, Line { rank: place, ..Line::new(trunk) });
        place
    }

    fn settle_in(&mut self, now: Time, trunk: Trunk, out: &mut Outbox<Output>) -> usize {
        let place = self.put_trunk(trunk);
        self.greet(now, place, out);
        place
    }

    /// Nothing new begins there. `heir`: it gives way to another trunk, and is not waited for long.
    fn retire(&mut self, now: Time, place: usize, heir: Option<&Trunk>, out: &mut Outbox<Output>) {
        let Some(line) = self.core.lines.get_mut(place) else { return };
        line.standing = Standing::Retired;
        put(&mut self.healths, place, None);
        for key in self.calls.keys() {
            if let Some(spare) = self.calls.get_mut(key).and_then(|call| call.spare.as_mut()) {
                spare.lines.retain(|line| *line != place);
            }
        }
        let hurry = heir.map(|_| now + FAREWELL);
        self.with_registration(now, place, out, |known, ctx| {
            known.stop(ctx);
            if let Some((at, tx)) = hurry.zip(known.tx()) {
                ctx.transactions.hurry(tx, at);
            }
        });
    }

    /// Another account, or another way to it: a line of its own.
    fn replace(&mut self, now: Time, former: usize, trunk: Trunk, out: &mut Outbox<Output>) -> usize {
        let same = |line: &Line| line.trunk.username == trunk.username && line.trunk.domain == trunk.domain;
        let is_same = trunk.register && self.core.lines.get(former).is_some_and(same);
        self.retire(now, former, Some(&trunk).filter(|_| is_same), out);
        let is_bound = self.registrations.get(former).and_then(Option::as_ref).is_some_and(|known| !known.is_idle());
        let place = self.put_trunk(trunk);
        match self.core.lines.get_mut(place).filter(|_| is_same && is_bound) {
            Some(line) => line.standing = Standing::After(former),
            None => self.greet(now, place, out),
        }
        place
    }

    /// Is this another account than the one at this place, or one that lies elsewhere?
    fn is_elsewhere(&self, place: usize, next: &Trunk) -> bool {
        self.core.lines.get(place).is_none_or(|Line { trunk, .. }| {
            let same =
                (&trunk.username, &trunk.domain, trunk.register) == (&next.username, &next.domain, next.register);
            !same || next.proxy.is_some() && next.proxy != trunk.proxy
        })
    }

    /// The same account with other settings.
    fn adjust(&mut self, now: Time, place: usize, next: Trunk, out: &mut Outbox<Output>) -> Renewed {
        let Some(line) = self.core.lines.get_mut(place) else { return Renewed::Same };
        let next = Trunk { proxy: line.trunk.proxy, ..next };
        if line.trunk == next {
            return Renewed::Same;
        }
        let before = core::mem::replace(&mut line.trunk, next.clone());
        if before.password != next.password {
            line.keys = Default::default();
        }
        if before.asked_every != next.asked_every {
            put(&mut self.healths, place, next.asked_every.map(|every| Health::new(Owner::Health(place), every)));
        }
        let mut moved = false;
        for family in Family::ALL {
            let given = next.public_address.get(family).copied();
            moved |= self.core.note_outside(place, family, |outside| outside.given = given);
        }
        let is_other = (&before.password, before.expires_s) != (&next.password, next.expires_s);
        if is_other {
            self.with_registration(now, place, out, |known, ctx| known.on_settings(ctx));
        } else if moved {
            self.with_registration(now, place, out, |known, ctx| known.on_outside(ctx));
        }
        Renewed::Changed
    }

    /// Does nothing of a trunk that is gone stand at this place any more?
    fn is_free(&self, place: usize) -> bool {
        let retired = self.core.lines.get(place).is_some_and(|line| line.standing == Standing::Retired);
        let registration = self.registrations.get(place).and_then(Option::as_ref);
        retired
            && registration.is_none_or(Registration::is_idle)
            && self.letters.values().all(|letter| letter.line != place)
            && self.calls.none_on(place)
            && self.core.lines.iter().all(|line| line.standing != Standing::After(place))
    }
}

fn put<T>(list: &mut Vec<Option<T>>, place: usize, what: Option<T>) {
    if list.len() <= place {
        list.resize_with(place + 1, || None);
    }
    if let Some(slot) = list.get_mut(place) {
        *slot = what;
    }
}

#[cfg(test)]
#[path = "tests/renewal.rs"]
mod tests;
