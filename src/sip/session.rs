//! An answered call: both ends have said yes, and until one says BYE they may change the terms.
//!
//! Easy to get wrong: a re-INVITE that we refuse changes nothing (RFC 3261 §14.2), the call goes on as it was;
//! one without SDP asks us for an offer, and the answer comes with the ACK, before which nothing else is agreed on; but an
//! ACK that was lost, or overtaken by the next re-INVITE, keeps nobody waiting (RFC 5407 §3.1.4). A key by INFO counts here and nowhere else:
//! before the answer nobody was asked for one. Whether the call still stands is asked in
//! [`pulse`](crate::sip::pulse); what keeps it from lapsing is in [`refresh`](crate::sip::refresh), and while that offers
//! anew, an offer of theirs is answered 491.
//!
//! | state | event | next | does |
//! | --- | --- | --- | --- |
//! | Steady | BYE | Over | 200, ended Them |
//! | Steady | INVITE | Unacknowledged | 200, changed |
//! | Steady | INVITE without offer | Offering | 200 |
//! | Steady | INVITE without common codec | Steady | 488 |
//! | Steady | INVITE of another kind | Steady | 415 |
//! | Steady | UPDATE | Steady | 200, changed |
//! | Steady | UPDATE without offer | Steady | 200 |
//! | Steady | INFO | Steady | 200 |
//! | Steady | INFO with a key | Steady | 200, key |
//! | Steady | INFO with body | Steady | 415 |
//! | Steady | OPTIONS | Steady | 200 |
//! | Steady | MESSAGE | Steady | 200, message |
//! | Steady | other | Steady | 405 |
//! | Steady | old number | Steady | 500 |
//! | Steady | other phone | Steady | 481 |
//! | Steady | press | Steady | INFO |
//! | Steady | hang up | Leaving | BYE |
//! | Unacknowledged | BYE | Over | 200, ended Them |
//! | Unacknowledged | INVITE | Unacknowledged | 200, changed |
//! | Unacknowledged | INVITE without offer | Offering | 200 |
//! | Unacknowledged | INVITE without common codec | Unacknowledged | 488 |
//! | Unacknowledged | INVITE of another kind | Unacknowledged | 415 |
//! | Unacknowledged | UPDATE | Unacknowledged | 200, changed |
//! | Unacknowledged | UPDATE without offer | Unacknowledged | 200 |
//! | Unacknowledged | INFO | Unacknowledged | 200 |
//! | Unacknowledged | INFO with a key | Unacknowledged | 200, key |
//! | Unacknowledged | INFO with body | Unacknowledged | 415 |
//! | Unacknowledged | OPTIONS | Unacknowledged | 200 |
//! | Unacknowledged | MESSAGE | Unacknowledged | 200, message |
//! | Unacknowledged | other | Unacknowledged | 405 |
//! | Unacknowledged | old number | Unacknowledged | 500 |
//! | Unacknowledged | other phone | Unacknowledged | 481 |
//! | Unacknowledged | ACK | Steady | - |
//! | Unacknowledged | no ACK | Leaving | BYE |
//! | Unacknowledged | press | Unacknowledged | INFO |
//! | Unacknowledged | hang up | Leaving | BYE |
//! | Offering | BYE | Over | 200, ended Them |
//! | Offering | INVITE | Offering | 491 |
//! | Offering | INVITE without offer | Offering | 491 |
//! | Offering | INVITE without common codec | Offering | 491 |
//! | Offering | INVITE of another kind | Offering | 491 |
//! | Offering | UPDATE | Offering | 491 |
//! | Offering | UPDATE without offer | Offering | 200 |
//! | Offering | INFO | Offering | 200 |
//! | Offering | INFO with a key | Offering | 200, key |
//! | Offering | INFO with body | Offering | 415 |
//! | Offering | OPTIONS | Offering | 200 |
//! | Offering | MESSAGE | Offering | 200, message |
//! | Offering | other | Offering | 405 |
//! | Offering | old number | Offering | 500 |
//! | Offering | other phone | Offering | 481 |
//! | Offering | ACK | Steady | - |
//! | Offering | no ACK | Leaving | BYE |
//! | Offering | press | Offering | INFO |
//! | Offering | hang up | Leaving | BYE |

use crate::base::{Digit, Stream, Time, token};
use crate::sip::attempt::Attempt;
use crate::sip::call::Next;
use crate::sip::content::Content;
use crate::sip::context::{Asked, Ctx};
use crate::sip::dialog::Dialog;
use crate::sip::extension::{SUPPORTED, TIMER};
use crate::sip::farewell::Farewell;
use crate::sip::interval::{self, Asked as Timer, Interval, Refresher};
use crate::sip::message::{ALLOW, SDP, reply_to};
use crate::sip::pulse::Pulse;
use crate::sip::refresh::Refresh;
use crate::sip::repeat::Repeat;
use crate::sip::terms::Terms;
use crate::sip::transactions::{Owner, TxId};
use crate::sip::{Cause, End, Event, info};
use crate::wire::sip::{Builder, Message, Method, Name};

/// The answered call.
#[derive(Debug)]
pub struct Session {
    owner: Owner,
    dialog: Dialog,
    terms: Terms,
    stream: Stream,
    state: State,
    pulse: Pulse,
    refresh: Refresh,
}

#[derive(Debug)]
enum State {
    /// Nothing is open.
    Steady,
    /// We said 200 to a re-INVITE with this CSeq number.
    Unacknowledged { success: Repeat, seq: u32 },
    /// The same, and the 200 holds our offer.
    Offering { success: Repeat, seq: u32 },
}

impl Session {
    /// The call was just answered and acknowledged.
    pub fn new(now: Time, owner: Owner, dialog: Dialog, terms: Terms, stream: Stream, refresh: Refresh) -> Session {
        Session { owner, dialog, terms, stream, state: State::Steady, pulse: Pulse::new(now), refresh }
    }

    /// Our wish to end it.
    pub fn hang_up(&mut self, ctx: &mut Ctx<'_>, end: End) -> Next {
        self.refresh.give_up(ctx);
        Next::Leaving(Farewell::start(ctx, self.owner, &mut self.dialog, end))
    }

    /// Is it our re-INVITE that this transaction carries?
    pub fn waits_for(&self, tx: TxId) -> bool {
        self.refresh.carries(tx)
    }

    /// A request in the dialog; no ACK, no CANCEL.
    pub fn on_request(&mut self, ctx: &mut Ctx<'_>, asked: Asked<'_>) -> Next {
        if let Err(code) = self.dialog.admits(asked.message) {
            ctx.answer(asked, code);
            return Next::Stay;
        }
        self.on_admitted(ctx, asked)
    }

    /// A request of which the dialog has taken note.
    pub fn on_admitted(&mut self, ctx: &mut Ctx<'_>, asked: Asked<'_>) -> Next {
        let offering = matches!(self.state, State::Offering { .. }) || self.refresh.is_offering();
        match (asked.message.method(), Content::of(asked.message)) {
            (Method::Bye, _) => {
                ctx.answer(asked, 200);
                self.refresh.give_up(ctx);
                return Next::Over(hung_up(asked.message));
            }
            // Both asked at once (RFC 3261 §14.2); an UPDATE that offers nothing is in nobody's way (RFC 3311 §5.2).
            (Method::Invite, _) if offering => ctx.answer(asked, 491),
            (Method::Update, content) if offering && content != Content::Nothing => ctx.answer(asked, 491),
            (Method::Invite | Method::Update, _) if interval::asked(asked.message) == Timer::TooShort => {
                ctx.answer(asked, 422);
            }
            (Method::Invite | Method::Update, Content::Foreign) => ctx.answer(asked, 415),
            (Method::Invite, content) => self.renegotiate(ctx, asked, content.session()),
            (Method::Update, content) => self.update(ctx, asked, content.session()),
            _ => {
                ctx.answer_small_talk(asked);
                if let Some(digit) = info::read(asked.message) {
                    ctx.tell(|leg| Event::Key { leg, digit });
                }
            }
        }
        Next::Stay
    }

    /// Presses a key towards the far end.
    pub fn press(&mut self, ctx: &mut Ctx<'_>, digit: Digit) {
        let mut request = self.dialog.request(Method::Info);
        request.body = Some(info::write(digit));
        let secret = token(ctx.rng, 16);
        Attempt::send(ctx, Owner::Nobody, secret, request);
    }

    /// An ACK in the dialog: ours to a re-INVITE, or a late copy.
    pub fn on_ack(&mut self, ctx: &mut Ctx<'_>, ack: &Message) {
        let offered = match &self.state {
            State::Unacknowledged { seq, .. } if is_numbered(ack, *seq) => false,
            State::Offering { seq, .. } if is_numbered(ack, *seq) => true,
            _ => return,
        };
        self.state = State::Steady;
        if offered {
            self.take_answer(ctx, ack);
        }
    }

    /// A response to a question of ours.
    pub fn on_response(&mut self, ctx: &mut Ctx<'_>, tx: TxId, response: &Message) -> Next {
        if self.refresh.carries(tx) {
            let (dialog, terms) = (&mut self.dialog, &mut self.terms);
            let offered = self.refresh.is_offering();
            let next = self.refresh.on_response(ctx, self.owner, dialog, terms, response);
            if offered && matches!(response.code(), Some(200..300)) {
                self.take_answer(ctx, response);
            }
            return next;
        }
        self.pulse.on_response(ctx, &mut self.dialog, tx, response)
    }

    /// Nothing answered a question of ours.
    pub fn on_timeout(&mut self, ctx: &mut Ctx<'_>, tx: TxId) -> Next {
        if self.refresh.carries(tx) {
            return self.refresh.on_timeout(ctx, self.owner, &mut self.dialog);
        }
        self.pulse.on_timeout(ctx, self.owner, &mut self.dialog, tx)
    }

    /// When to call [`Session::on_deadline`].
    pub fn next_deadline(&self) -> Option<Time> {
        let success = match &self.state {
            State::Steady => None,
            State::Unacknowledged { success, .. } | State::Offering { success, .. } => Some(success.next_deadline()),
        };
        success.into_iter().chain(self.pulse.next_deadline()).chain(self.refresh.next_deadline()).min()
    }

    /// The 200 to a re-INVITE is sent again, or given up; or it is time to ask whether the call still stands.
    pub fn on_deadline(&mut self, ctx: &mut Ctx<'_>) -> Next {
        self.pulse.on_deadline(ctx, self.owner, &mut self.dialog);
        let next = self.refresh.on_deadline(ctx, self.owner, &mut self.dialog, &mut self.terms);
        if !matches!(next, Next::Stay) {
            return next;
        }
        let (State::Unacknowledged { success, .. } | State::Offering { success, .. }) = &mut self.state else {
            return Next::Stay;
        };
        if !success.on_deadline(ctx.now, ctx.out) {
            return Next::Stay;
        }
        let end = End { cause: Cause::Timeout, code: Some(200), reason: "a re-INVITE was never acknowledged".into() };
        self.hang_up(ctx, end)
    }

    /// A re-INVITE. Whoever sends one has our answer to the last: that the ACK to it is still to come is no matter.
    fn renegotiate(&mut self, ctx: &mut Ctx<'_>, asked: Asked<'_>, offer: Option<&[u8]>) {
        let (sdp, stream) = match offer.map(|offer| self.terms.answer(offer)) {
            None => (self.terms.offer(), None),
            Some(Ok((sdp, stream))) => (sdp, Some(stream)),
            Some(Err(why)) => return ctx.refuse_offer(asked, &why),
        };
        self.dialog.refresh_target(asked.message);
        let builder = self.accepts(ctx, asked);
        let bytes = ctx.respond(asked, 200, builder.body(SDP, &sdp));
        let seq = asked.message.cseq().map_or(0, |cseq| cseq.number);
        let success = Repeat::success(ctx.now, reply_to(asked.message, asked.source), bytes);
        match stream {
            None => self.state = State::Offering { success, seq },
            Some(stream) => {
                self.state = State::Unacknowledged { success, seq };
                self.change(ctx, stream);
            }
        }
    }

    /// RFC 3311 §5.2: like a re-INVITE, without an ACK.
    fn update(&mut self, ctx: &mut Ctx<'_>, asked: Asked<'_>, offer: Option<&[u8]>) {
        let Some(offer) = offer else {
            self.dialog.refresh_target(asked.message);
            let builder = self.accepts(ctx, asked);
            ctx.respond(asked, 200, builder);
            return;
        };
        match self.terms.answer(offer) {
            Ok((sdp, stream)) => {
                self.dialog.refresh_target(asked.message);
                let builder = self.accepts(ctx, asked);
                ctx.respond(asked, 200, builder.body(SDP, &sdp));
                self.change(ctx, stream);
            }
            Err(why) => ctx.refuse_offer(asked, &why),
        }
    }

    /// The 200 to a request that refreshes the session, which holds anew from now on.
    fn accepts(&mut self, ctx: &Ctx<'_>, asked: Asked<'_>) -> Builder {
        let granted = granted(asked.message);
        self.refresh.refreshed(ctx.now, asked.message, granted);
        let builder = ctx.reply(asked, 200).header(Name::Contact, ctx.contact(asked.source)).header(Name::Allow, ALLOW);
        grant(builder, granted)
    }

    /// The answer to our offer. One that cannot be read leaves the terms as they were.
    fn take_answer(&mut self, ctx: &mut Ctx<'_>, message: &Message) {
        let answer = Content::of(message).session().map(|answer| self.terms.read_answer(answer));
        if let Some(Ok(stream)) = answer {
            self.change(ctx, stream);
        }
    }

    fn change(&mut self, ctx: &mut Ctx<'_>, stream: Stream) {
        if self.stream != stream {
            self.stream = stream;
            ctx.tell(|leg| Event::Changed { leg, stream });
        }
    }
}

fn is_numbered(ack: &Message, seq: u32) -> bool {
    ack.cseq().is_ok_and(|cseq| cseq.number == seq)
}

/// The session timer that a request asks for and we grant.
pub fn granted(request: &Message) -> Option<Interval> {
    match interval::asked(request) {
        Timer::Granted(interval) => Some(interval),
        Timer::Nothing | Timer::TooShort => None,
    }
}

/// A 200 that grants a session timer: who asked must know it where he is to refresh (RFC 4028 §9).
pub fn grant(builder: Builder, granted: Option<Interval>) -> Builder {
    let builder = builder.header(Name::Supported, SUPPORTED);
    match granted {
        None => builder,
        Some(interval) if interval.refresher == Refresher::Them => {
            builder.header(Name::Require, TIMER).header(Name::SessionExpires, interval.answer())
        }
        Some(interval) => builder.header(Name::SessionExpires, interval.answer()),
    }
}

/// How a call ended that the far end hung up: the words of its Reason header (RFC 3326), where it has one.
pub fn hung_up(bye: &Message) -> End {
    let reason = match bye.header(&Name::Reason) {
        Some(_) => crate::sip::message::reason_of(bye),
        None => "the far end hung up".to_owned(),
    };
    End { cause: Cause::Them, code: Some(200), reason }
}

#[cfg(test)]
#[path = "tests/session.rs"]
mod tests;
