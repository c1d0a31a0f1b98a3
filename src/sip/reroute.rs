//! A call that its trunk could not carry goes another way: over the trunk's next target, then over the next trunk.
//!
//! For whoever dialled it is the same call all the while: the same leg, the same port of ours. For the trunks each way
//! is a call of its own, because none of them knows what another was told.
//!
//! Easy to get wrong: only what is the trunk's fault leads on, and only before a telephone rang. A 486 or a 404 is an
//! answer about the callee, and another trunk would ring the same telephone to hear it again; a 488 or a 483 is about what
//! was asked or the way it went, and another trunk may take what this one does not. After a 180, silence and 5xx are
//! about the callee as well, and so is a 5xx by which a gateway says that he is busy ([`isdn`](super::isdn)). A trunk
//! that is only slow may ring the telephone after all, so the INVITE that is given up for another way lives on without
//! its leg, to be cancelled as soon as that is allowed.

use core::time::Duration;

use crate::base::{LegId, Outbox, Phone, Time, TrunkId, token};
use crate::sip::agent::Agent;
use crate::sip::call::{Call, Phase};
use crate::sip::lines::Why;
use crate::sip::outgoing::{self, Outgoing};
use crate::sip::renewal::Standing;
use crate::sip::targets::REST;
use crate::sip::transactions::{CallKey, Owner};
use crate::sip::{Cause, DialError, End, Event, Hop, Output, handle};

/// So long a request waits for a first sign where there is another way; without one it is timer B.
pub const HASTE: Duration = Duration::from_secs(5);

/// The other ways of a call.
#[derive(Clone, Debug)]
pub struct Spare {
    /// Who is called.
    pub to: Phone,
    /// Where we listen.
    pub media_port: u16,
    /// The trunks that come next, by their places.
    pub lines: Vec<usize>,
    /// Where it was tried, and as which trunk; the last one last.
    pub tried: Vec<(usize, Hop)>,
}

/// Is this end, before anything rang, the trunk's fault? Whoever is called has not been asked by then: the trunk did
/// not answer, does not know us, lets us not call, takes no request of this kind, or is broken.
pub fn is_trunks_fault(end: &End) -> bool {
    match (end.cause, end.code) {
        (Cause::Timeout, _) => true,
        (Cause::Network(code), _) | (Cause::Refused, Some(code)) => is_about_the_trunk(code),
        _ => false,
    }
}

/// Every status but those that are about whoever is called (RFC 3261 §21; 433: RFC 5079), and redirects, which are
/// followed or lead nowhere.
fn is_about_the_trunk(code: u16) -> bool {
    match code {
        404 | 410 | 416 | 433 | 480 | 484..=487 => false,
        606 => true,
        _ => (400..600).contains(&code),
    }
}

impl Agent {
    /// If the call on this leg fails by its trunk, it goes over these, one after another. [`Event::Rerouted`] tells.
    pub fn also_over(&mut self, now: Time, leg: LegId, trunks: &[TrunkId]) {
        let lines: Vec<usize> = trunks.iter().filter_map(|trunk| self.line_of(trunk)).collect();
        let Some(key) = self.calls.of_leg(leg).filter(|_| !lines.is_empty()) else { return };
        let Some(call) = self.calls.get_mut(key) else { return };
        if let Some(spare) = &mut call.spare {
            spare.lines = lines;
            call.hurry(now + HASTE);
        }
        self.calls.settle(key);
    }

    /// The trunk takes no more calls at once, or none at all any more.
    pub(super) fn is_full(&self, line: usize) -> bool {
        let most = self.core.lines.get(line).map_or(0, |line| line.trunk.max_calls);
        let retired = self.core.lines.get(line).is_some_and(|line| line.standing == Standing::Retired);
        retired || most > 0 && self.calls.on_line(line) >= usize::try_from(most).unwrap_or(usize::MAX)
    }

    /// Sends the INVITE of a call over this line; what ends it after a crash.
    pub(super) fn place(
        &mut self,
        now: Time,
        leg: LegId,
        line: usize,
        mut spare: Spare,
        out: &mut Outbox<Output>,
    ) -> Result<String, DialError> {
        let there = self.core.ctx(now, line, None, out).ok_or(DialError::UnknownTrunk)?.line.proxy;
        let hop = there.ok_or(DialError::NoAddress)?;
        let terms = self.terms(line, hop, spare.media_port);
        let key = self.calls.new_key();
        let mut ctx = self.core.ctx(now, line, Some(leg), out).ok_or(DialError::UnknownTrunk)?;
        let (call_id, tag, secret) = (token(ctx.rng, 24), token(ctx.rng, 12), token(ctx.rng, 20));
        let request = outgoing::invite(&ctx, &spare.to, hop, call_id.clone(), &tag);
        let handle = handle::unanswered(&ctx.line.trunk.id, &secret, &request);
        let hasty = !spare.lines.is_empty() || ctx.line.targets.other(hop, now).is_some();
        let outgoing = Outgoing::start(&mut ctx, Owner::Call(key), secret, request, terms);
        spare.tried.push((line, hop));
        let mut call = Call::new(Some(leg), line, (call_id, tag), Phase::Outgoing(outgoing)).with_spare(spare);
        if hasty {
            call.hurry(now + HASTE);
        }
        self.calls.put(key, call);
        Ok(handle)
    }

    /// Sends a call whose trunk could not carry it over its next way. Without one it ends, if it is over, and goes on
    /// waiting if it is only late.
    pub(super) fn reroute(&mut self, now: Time, key: CallKey, end: End, out: &mut Outbox<Output>) {
        // Taken out, as the new way is found by the same leg.
        if let Some(call) = self.calls.take(key) {
            let call = self.next_call(now, call, end, out);
            self.calls.put(key, call);
        }
    }

    /// Gives back what is left of the old way.
    fn next_call(&mut self, now: Time, mut call: Call, end: End, out: &mut Outbox<Output>) -> Call {
        let (Some(spare), Some(leg)) = (call.spare.take(), call.leg) else { return call };
        let late = !call.is_over();
        let before = spare.tried.last().map(|(_, hop)| *hop).filter(|_| late);
        let Some((line, spare)) = self.next_way(now, call.line, spare.clone(), before) else {
            match late {
                true => call.spare = Some(spare),
                false => {
                    out.push(Output::Event(Event::Ended { leg, end }));
                    call.leg = None;
                }
            }
            return call;
        };
        if let Some(hop) = before {
            self.leave_alone(now, hop, Why { code: None, reason: &end.reason, long: REST }, out);
        }
        call.leg = None;
        if let Some(mut ctx) = self.core.ctx(now, call.line, None, out) {
            call.give_up(&mut ctx);
        }
        match self.place(now, leg, line, spare, out) {
            Ok(handle) => {
                let trunk_at = |place: usize| self.core.lines.get(place).map(|line| line.trunk.id.clone());
                if let (Some(from), Some(trunk)) = (trunk_at(call.line), trunk_at(line)) {
                    let target = self.core.lines.get(line).and_then(|line| line.proxy);
                    let (code, reason) = (end.code, end.reason);
                    out.push(Output::Event(Event::Rerouted { leg, from, trunk, target, handle, code, reason }));
                }
            }
            // The way was looked at a moment ago; if it is gone all the same, that is how the call ends.
            Err(_) => out.push(Output::Event(Event::Ended { leg, end })),
        }
        call
    }

    /// The next way of a call and what remains behind it. `late`: a target that has not answered and does not rest yet.
    fn next_way(&self, now: Time, line: usize, mut spare: Spare, late: Option<Hop>) -> Option<(usize, Spare)> {
        if self.stopping {
            return None;
        }
        let mut line = line;
        loop {
            let fresh = self.core.lines.get(line).and_then(|line| line.targets.best_but(late, now));
            if fresh.is_some_and(|hop| !spare.tried.contains(&(line, hop))) && !self.is_full(line) {
                return Some((line, spare));
            }
            if spare.lines.is_empty() {
                return None;
            }
            line = spare.lines.remove(0);
        }
    }
}
