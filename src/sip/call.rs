//! One call from its first message to its last: which machine it is in, and who hears of it.
//!
//! Easy to get wrong: whoever hangs up does not wait long. When the far end does not answer CANCEL or BYE
//! within [`HANG_UP_WITHIN`], the leg is told that it ended, and the messages go on without it.

use core::time::Duration;

use crate::base::{Digit, LegId, Time};
use crate::sip::agent::SILENCE;
use crate::sip::context::{Asked, Ctx};
use crate::sip::dialog::Dialog;
use crate::sip::farewell::Farewell;
use crate::sip::incoming::Incoming;
use crate::sip::outgoing::Outgoing;
use crate::sip::reroute::{Spare, is_trunks_fault};
use crate::sip::session::Session;
use crate::sip::terms::Terms;
use crate::sip::transactions::TxId;
use crate::sip::{Cause, End, Event, Hop};
use crate::wire::sip::Message;

/// As long an ending may take before the leg is told that it is over.
pub const HANG_UP_WITHIN: Duration = Duration::from_secs(4);

/// What a machine says about the call after an event.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "it is looked at and put in its place at once")]
pub enum Next {
    /// It goes on as it is.
    Stay,
    /// It goes on, but another way would be better: nothing was heard for a while.
    Late(End),
    /// It is answered.
    Up(Session),
    /// BYE is under way.
    Leaving(Farewell),
    /// It is over.
    Over(End),
}

/// A call.
#[derive(Debug)]
pub struct Call {
    /// Who hears of it; none when nobody does (any more).
    pub leg: Option<LegId>,
    /// The place of its trunk.
    pub line: usize,
    /// Call-ID and our tag: how requests in the dialog find it.
    pub dialog: (String, String),
    /// Its other ways, while it is not answered.
    pub spare: Option<Spare>,
    phase: Phase,
    /// Its trunk could not carry it, or does not answer, and nobody heard of it yet.
    failed: Option<End>,
    /// It is being ended; the leg hears of it at this time at the latest.
    told_by: Option<(Time, End)>,
}

/// The machine a call is in.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "a call has one, and calls are few")]
pub enum Phase {
    /// We call.
    Outgoing(Outgoing),
    /// They call.
    Incoming(Incoming),
    /// It is answered.
    Up(Session),
    /// BYE is under way.
    Leaving(Farewell),
    /// It is over.
    Over,
}

impl Call {
    /// A call in its first machine.
    pub fn new(leg: Option<LegId>, line: usize, dialog: (String, String), phase: Phase) -> Call {
        Call { leg, line, dialog, spare: None, phase, failed: None, told_by: None }
    }

    /// The Call-ID of its dialog.
    pub fn call_id(&self) -> &str {
        &self.dialog.0
    }

    /// The same, which may go other ways where its trunk fails.
    pub fn with_spare(self, spare: Spare) -> Call {
        Call { spare: Some(spare), ..self }
    }

    /// Where a call came from that we have not answered.
    pub fn came_from(&self) -> Option<Hop> {
        match &self.phase {
            Phase::Incoming(incoming) => Some(incoming.source()),
            Phase::Outgoing(_) | Phase::Up(_) | Phase::Leaving(_) | Phase::Over => None,
        }
    }

    /// The INVITE of ours that nobody answered yet.
    pub fn invite_tx(&self) -> Option<TxId> {
        match &self.phase {
            Phase::Outgoing(outgoing) => Some(outgoing.tx()),
            Phase::Incoming(_) | Phase::Up(_) | Phase::Leaving(_) | Phase::Over => None,
        }
    }

    /// The INVITE waits for a first sign until `at`, and then for as long as it must if there is no other way.
    pub fn hurry(&mut self, at: Time) {
        if let Phase::Outgoing(outgoing) = &mut self.phase {
            outgoing.hurry(at);
        }
    }

    /// Does it wait for somebody at this hop, who has not said that a telephone rings, and is there another way?
    pub fn waits_at(&self, hop: Hop) -> bool {
        let waits = matches!(&self.phase, Phase::Outgoing(outgoing) if outgoing.hop() == hop && outgoing.is_unheard());
        waits && self.spare.is_some() && self.leg.is_some()
    }

    /// The way to whoever it waits for is gone: it goes another one, or goes on waiting.
    pub fn lose(&mut self, why: &str) {
        self.failed = Some(End { cause: Cause::Timeout, code: None, reason: why.to_owned() });
    }

    /// Another way was taken: cancels what may still ring.
    pub fn give_up(&mut self, ctx: &mut Ctx<'_>) {
        if let Phase::Outgoing(outgoing) = &mut self.phase {
            let reason = "another way was taken".to_owned();
            ctx.transactions.hush(outgoing.tx());
            outgoing.hang_up(ctx, End { cause: Cause::Us, code: None, reason });
        }
    }

    /// Its trunk could not carry it, or does not answer, and nobody heard of it yet: why.
    pub fn take_failure(&mut self) -> Option<End> {
        self.failed.take()
    }

    /// Nothing more can happen.
    pub fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Over)
    }

    /// A response to a request of this call.
    pub fn on_response(&mut self, ctx: &mut Ctx<'_>, tx: TxId, response: &Message) {
        let next = match &mut self.phase {
            Phase::Outgoing(outgoing) => outgoing.on_response(ctx, tx, response),
            Phase::Up(session) => session.on_response(ctx, tx, response),
            Phase::Leaving(farewell) => farewell.on_response(ctx, tx, response),
            Phase::Incoming(_) | Phase::Over => Next::Stay,
        };
        self.go(ctx, next);
    }

    /// The connection that this request was to go over cannot be had. True: it goes another way.
    pub fn fall_back(&mut self, ctx: &mut Ctx<'_>, tx: TxId) -> bool {
        match &mut self.phase {
            Phase::Outgoing(outgoing) => outgoing.fall_back(ctx, tx),
            Phase::Leaving(farewell) => farewell.fall_back(ctx, tx),
            Phase::Incoming(_) | Phase::Up(_) | Phase::Over => false,
        }
    }

    /// A request of this call was not answered in time.
    pub fn on_timeout(&mut self, ctx: &mut Ctx<'_>, tx: TxId, why: &str) {
        let next = match &mut self.phase {
            Phase::Outgoing(outgoing) => outgoing.on_timeout(tx, why),
            Phase::Up(session) => session.on_timeout(ctx, tx),
            Phase::Leaving(farewell) => farewell.on_timeout(tx),
            Phase::Incoming(_) | Phase::Over => Next::Stay,
        };
        self.go(ctx, next);
    }

    /// A request in this dialog, neither ACK nor CANCEL.
    pub fn on_request(&mut self, ctx: &mut Ctx<'_>, asked: Asked<'_>) {
        let next = match &mut self.phase {
            Phase::Outgoing(outgoing) => outgoing.on_request(ctx, asked),
            Phase::Incoming(incoming) => incoming.on_request(ctx, asked),
            Phase::Up(session) => session.on_request(ctx, asked),
            Phase::Leaving(farewell) => farewell.on_request(ctx, asked),
            Phase::Over => {
                ctx.answer(asked, 481);
                Next::Stay
            }
        };
        self.go(ctx, next);
    }

    /// An ACK in this dialog.
    pub fn on_ack(&mut self, ctx: &mut Ctx<'_>, ack: &Message) {
        let next = match &mut self.phase {
            Phase::Incoming(incoming) => incoming.on_ack(ctx, ack),
            Phase::Up(session) => {
                session.on_ack(ctx, ack);
                Next::Stay
            }
            Phase::Outgoing(_) | Phase::Leaving(_) | Phase::Over => Next::Stay,
        };
        self.go(ctx, next);
    }

    /// The caller cancels.
    pub fn on_cancel(&mut self, ctx: &mut Ctx<'_>, cancel: &Message) {
        if let Phase::Incoming(incoming) = &mut self.phase {
            let next = incoming.on_cancel(ctx, cancel);
            self.go(ctx, next);
        }
    }

    /// Ends it in whichever way its state demands.
    pub fn hang_up(&mut self, ctx: &mut Ctx<'_>) {
        self.hang_up_because(ctx, Cause::Us);
    }

    /// The same, for a cause of ours.
    pub fn hang_up_because(&mut self, ctx: &mut Ctx<'_>, cause: Cause) {
        let reason = match cause {
            Cause::Elsewhere => "somebody else answered",
            Cause::Removed => "taken out of the room",
            Cause::Locked => "the room is locked",
            _ => "we hung up",
        };
        let end = End { cause, code: None, reason: reason.to_owned() };
        // Where nothing was heard till then, that is what is told: it is the trunk that is away, and not the person.
        let silent = matches!(&self.phase, Phase::Outgoing(outgoing) if outgoing.is_silent()) && cause == Cause::Us;
        let silence = || End { cause: Cause::Timeout, code: None, reason: SILENCE.to_owned() };
        self.told_by.get_or_insert((ctx.now + HANG_UP_WITHIN, if silent { silence() } else { end.clone() }));
        let next = match &mut self.phase {
            Phase::Outgoing(outgoing) => outgoing.hang_up(ctx, end),
            Phase::Incoming(incoming) => incoming.hang_up(ctx, End { code: Some(200), ..end }),
            Phase::Up(session) => session.hang_up(ctx, End { code: Some(200), ..end }),
            Phase::Leaving(_) | Phase::Over => Next::Stay,
        };
        self.go(ctx, next);
    }

    /// Presses a key towards the far end, where the call is answered.
    pub fn press(&mut self, ctx: &mut Ctx<'_>, digit: Digit) {
        if let Phase::Up(session) = &mut self.phase {
            session.press(ctx, digit);
        }
    }

    /// Tells the caller that it rings.
    pub fn ring(&mut self, ctx: &mut Ctx<'_>) {
        if let Phase::Incoming(incoming) = &mut self.phase {
            incoming.ring(ctx);
        }
    }

    /// Takes the call.
    pub fn accept(&mut self, ctx: &mut Ctx<'_>, terms: Terms) {
        if let Phase::Incoming(incoming) = &mut self.phase {
            let next = incoming.accept(ctx, terms);
            self.go(ctx, next);
        }
    }

    /// The dialog of a call that we took and that is not acknowledged yet.
    pub fn accepted(&self) -> Option<&Dialog> {
        match &self.phase {
            Phase::Incoming(incoming) => incoming.accepted(),
            _ => None,
        }
    }

    /// Turns the caller away.
    pub fn refuse(&mut self, ctx: &mut Ctx<'_>, code: u16) {
        if let Phase::Incoming(incoming) = &mut self.phase {
            let next = incoming.refuse(ctx, code);
            self.go(ctx, next);
        }
    }

    /// When to call [`Call::on_deadline`].
    pub fn next_deadline(&self) -> Option<Time> {
        let phase = match &self.phase {
            Phase::Outgoing(outgoing) => outgoing.next_deadline(),
            Phase::Incoming(incoming) => incoming.next_deadline(),
            Phase::Up(session) => session.next_deadline(),
            Phase::Leaving(_) | Phase::Over => None,
        };
        let told_by = self.told_by.as_ref().filter(|_| self.leg.is_some()).map(|(by, _)| *by);
        phase.into_iter().chain(told_by).min()
    }

    /// Nothing of this call has left the house: drops it without a message. Only a call of ours that nobody
    /// answered can be dropped so.
    pub fn forget(&mut self, ctx: &mut Ctx<'_>) {
        if let Phase::Outgoing(outgoing) = &mut self.phase {
            outgoing.forget(ctx);
            self.phase = Phase::Over;
            self.leg = None;
        }
    }

    /// Is it an INVITE of ours that this transaction carries?
    pub fn waits_for(&self, tx: TxId) -> bool {
        match &self.phase {
            Phase::Outgoing(outgoing) => outgoing.tx() == tx,
            Phase::Leaving(farewell) => farewell.tx() == tx,
            Phase::Up(session) => session.waits_for(tx),
            Phase::Incoming(_) | Phase::Over => false,
        }
    }

    /// Something is due.
    pub fn on_deadline(&mut self, ctx: &mut Ctx<'_>) {
        let next = match &mut self.phase {
            Phase::Outgoing(outgoing) => outgoing.on_deadline(ctx),
            Phase::Incoming(incoming) => incoming.on_deadline(ctx),
            Phase::Up(session) => session.on_deadline(ctx),
            Phase::Leaving(_) | Phase::Over => Next::Stay,
        };
        self.go(ctx, next);
        if let Some((_, end)) = self.told_by.take_if(|(by, _)| *by <= ctx.now) {
            self.end(ctx, end);
        }
    }

    fn go(&mut self, ctx: &mut Ctx<'_>, next: Next) {
        match next {
            Next::Stay => {}
            Next::Late(end) => self.failed = Some(end),
            Next::Up(session) => self.phase = Phase::Up(session),
            Next::Leaving(farewell) => {
                self.told_by.get_or_insert_with(|| (ctx.now + HANG_UP_WITHIN, farewell.end().clone()));
                self.phase = Phase::Leaving(farewell);
            }
            Next::Over(end) => {
                let unheard = matches!(&self.phase, Phase::Outgoing(outgoing) if outgoing.is_unheard());
                self.phase = Phase::Over;
                if self.spare.is_some() && unheard && self.leg.is_some() && is_trunks_fault(&end) {
                    self.failed = Some(end);
                    return;
                }
                self.end(ctx, end);
            }
        }
    }

    fn end(&mut self, ctx: &mut Ctx<'_>, end: End) {
        ctx.tell(|leg| Event::Ended { leg, end });
        self.leg = None;
        ctx.leg = None;
    }
}
