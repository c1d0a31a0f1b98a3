//! A call of ours until somebody answers it (RFC 3261 §13.2, §9.1).
//!
//! Easy to get wrong: a CANCEL before the first provisional response may overtake the INVITE, so it waits for
//! one; a 200 may cross the CANCEL, and then the call stands and is to be acknowledged and ended with BYE; a
//! 200 without SDP means what an earlier 18x said; a 420, a 422 and some redirects
//! ([`redirect`]) are no ends but send the INVITE once more.
//!
//! | state | event | next | does |
//! | --- | --- | --- | --- |
//! | Calling | 100 | Ringing | - |
//! | Calling | 180 | Ringing | ringing |
//! | Calling | reliable 180 | Ringing | PRACK, ringing |
//! | Calling | 200 | Up | answered, ACK |
//! | Calling | 200 without common codec | Leaving | unwanted, ACK, BYE |
//! | Calling | 401 | Calling | INVITE |
//! | Calling | 420 | Calling | INVITE |
//! | Calling | 422 | Calling | INVITE |
//! | Calling | 302 | Over | ended Refused |
//! | Calling | 302 to the same number | Calling | INVITE |
//! | Calling | 486 | Over | ended Refused |
//! | Calling | no answer | Over | ended Timeout |
//! | Calling | no sign | Calling | late |
//! | Calling | BYE | Calling | 481 |
//! | Calling | UPDATE | Calling | 491 |
//! | Calling | INFO | Calling | 200 |
//! | Calling | hang up | CancelWanted | - |
//! | Ringing | 180 | Ringing | ringing |
//! | Ringing | reliable 180 | Ringing | PRACK, ringing |
//! | Ringing | 200 | Up | answered, ACK |
//! | Ringing | 200 without common codec | Leaving | unwanted, ACK, BYE |
//! | Ringing | 401 | Calling | INVITE |
//! | Ringing | 420 | Calling | INVITE |
//! | Ringing | 422 | Calling | INVITE |
//! | Ringing | 302 | Over | ended Refused |
//! | Ringing | 302 to the same number | Calling | INVITE |
//! | Ringing | 486 | Over | ended Refused |
//! | Ringing | no answer | Over | ended Timeout |
//! | Ringing | BYE | Cancelling | 200, CANCEL |
//! | Ringing | UPDATE | Ringing | 491 |
//! | Ringing | INFO | Ringing | 200 |
//! | Ringing | hang up | Cancelling | CANCEL |
//! | Ringing | patience | Cancelling | CANCEL |
//! | CancelWanted | 100 | Cancelling | CANCEL |
//! | CancelWanted | 180 | Cancelling | CANCEL |
//! | CancelWanted | reliable 180 | Cancelling | CANCEL |
//! | CancelWanted | 200 | Leaving | unwanted, ACK, BYE |
//! | CancelWanted | 200 without common codec | Leaving | unwanted, ACK, BYE |
//! | CancelWanted | 401 | Over | ended Us |
//! | CancelWanted | 420 | Over | ended Us |
//! | CancelWanted | 422 | Over | ended Us |
//! | CancelWanted | 302 | Over | ended Us |
//! | CancelWanted | 302 to the same number | Over | ended Us |
//! | CancelWanted | 486 | Over | ended Us |
//! | CancelWanted | no answer | Over | ended Timeout |
//! | CancelWanted | BYE | CancelWanted | 481 |
//! | CancelWanted | UPDATE | CancelWanted | 491 |
//! | CancelWanted | INFO | CancelWanted | 200 |
//! | Cancelling | 200 | Leaving | unwanted, ACK, BYE |
//! | Cancelling | 200 without common codec | Leaving | unwanted, ACK, BYE |
//! | Cancelling | 401 | Over | ended Us |
//! | Cancelling | 420 | Over | ended Us |
//! | Cancelling | 422 | Over | ended Us |
//! | Cancelling | 302 | Over | ended Us |
//! | Cancelling | 302 to the same number | Over | ended Us |
//! | Cancelling | 486 | Over | ended Us |
//! | Cancelling | no answer | Over | ended Us |
//! | Cancelling | BYE | Cancelling | 200 |
//! | Cancelling | UPDATE | Cancelling | 491 |
//! | Cancelling | INFO | Cancelling | 200 |
//! | Cancelling | patience | Over | ended Us |

use core::time::Duration;

use crate::base::{Phone, Time, token};
use crate::sip::agent::SILENCE;
use crate::sip::attempt::Attempt;
use crate::sip::call::Next;
use crate::sip::content::Content;
use crate::sip::context::{Asked, Ctx};
use crate::sip::dialog::Dialog;
use crate::sip::early::Early;
use crate::sip::extension::SUPPORTED;
use crate::sip::farewell::Farewell;
use crate::sip::interval::{self, LEAST_S};
use crate::sip::message::{ALLOW, Body, Request, SDP, branch_of, cancel_of, reason_for, reason_of};
use crate::sip::redirect::{self, Home};
use crate::sip::refresh::{Refresh, ask_in};
use crate::sip::session::{Session, hung_up};
use crate::sip::terms::Terms;
use crate::sip::timers::GIVE_UP;
use crate::sip::transactions::{Owner, TxId};
use crate::sip::{Cause, End, Event, Hop, attempt, extension, handle, isdn};
use crate::wire::sip::{Message, Method, Name};

/// A call that rings longer than this is cancelled; whoever dials has a shorter patience of his own.
pub const PATIENCE: Duration = Duration::from_secs(300);

/// The INVITE and what was heard of it.
#[derive(Debug)]
pub struct Outgoing {
    owner: Owner,
    attempt: Attempt,
    terms: Terms,
    early: Early,
    /// The Request-URIs it was sent to.
    tried: Vec<String>,
    /// The least session timer that was demanded.
    least_s: u32,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Nothing but challenges heard; when that is too long, where there is another way.
    Calling { late: Option<Time> },
    /// A provisional response came; the last one told, and when we lose patience.
    Ringing { told: u16, patience: Time },
    /// We want to cancel and may not yet.
    CancelWanted { end: End },
    /// The CANCEL is sent; the INVITE is answered until then or never.
    Cancelling { end: End, until: Time },
}

impl Outgoing {
    /// Sends the INVITE; `secret` makes its branches.
    pub fn start(ctx: &mut Ctx<'_>, owner: Owner, secret: String, mut request: Request, mut terms: Terms) -> Outgoing {
        request.body = Some(Body { kind: SDP, bytes: terms.offer() });
        let attempt = Attempt::send(ctx, owner, secret, request);
        Outgoing::new(owner, attempt, terms, State::Calling { late: None })
    }

    fn new(owner: Owner, attempt: Attempt, terms: Terms, state: State) -> Outgoing {
        let tried = vec![attempt.request().uri.clone()];
        Outgoing { owner, attempt, terms, early: Early::default(), tried, least_s: LEAST_S, state }
    }

    /// Cancels the try `number` of an INVITE that a former life of the process sent.
    pub fn recover(
        ctx: &mut Ctx<'_>,
        owner: Owner,
        secret: String,
        number: u32,
        request: Request,
        terms: Terms,
    ) -> Outgoing {
        let attempt = Attempt::resume(ctx, owner, secret, number, request);
        let state = State::Ringing { told: 100, patience: ctx.now + PATIENCE };
        let mut outgoing = Outgoing::new(owner, attempt, terms, state);
        let reason = "left by a former life".to_owned();
        outgoing.hang_up(ctx, End { cause: Cause::Us, code: None, reason });
        outgoing
    }

    /// Waits for a first sign until `at` and no longer, where there is another way.
    pub fn hurry(&mut self, at: Time) {
        if let State::Calling { late } = &mut self.state {
            *late = Some(at);
        }
    }

    /// Where the INVITE went.
    pub fn hop(&self) -> Hop {
        self.attempt.request().hop
    }

    /// Nobody wants it to end, and no telephone rang.
    pub fn is_unheard(&self) -> bool {
        matches!(self.state, State::Calling { .. } | State::Ringing { told: ..=100, .. })
    }

    /// Nothing but challenges was heard of it.
    pub fn is_silent(&self) -> bool {
        matches!(self.state, State::Calling { .. } | State::CancelWanted { .. })
    }

    /// The INVITE's transaction.
    pub fn tx(&self) -> TxId {
        self.attempt.tx()
    }

    /// Drops the INVITE, which nobody saw.
    pub fn forget(&mut self, ctx: &mut Ctx<'_>) {
        ctx.transactions.abandon(self.attempt.tx());
    }

    /// Our wish to end it.
    pub fn hang_up(&mut self, ctx: &mut Ctx<'_>, end: End) -> Next {
        match &self.state {
            State::Calling { .. } => self.state = State::CancelWanted { end },
            State::Ringing { .. } => self.cancel(ctx, end),
            State::CancelWanted { .. } | State::Cancelling { .. } => {}
        }
        Next::Stay
    }

    /// A response to the INVITE, or to a PRACK (or to the CANCEL, which changes nothing: RFC 3261 §9.1).
    pub fn on_response(&mut self, ctx: &mut Ctx<'_>, tx: TxId, response: &Message) -> Next {
        if tx != self.attempt.tx() {
            self.early.on_response(ctx, tx, response);
            return Next::Stay;
        }
        let Some(code) = response.code() else { return Next::Stay };
        match (&mut self.state, code) {
            (State::Calling { .. } | State::Ringing { .. }, 0..200) => {
                self.on_ringing(ctx, code, response);
                Next::Stay
            }
            (State::CancelWanted { end }, 0..200) => {
                let end = end.clone();
                self.cancel(ctx, end);
                Next::Stay
            }
            (State::Cancelling { .. }, 0..200) => Next::Stay,
            (State::Calling { .. } | State::Ringing { .. }, 200..300) => self.on_answer(ctx, response),
            (State::CancelWanted { end } | State::Cancelling { end, .. }, 200..300) => {
                let end = End { code: Some(200), ..end.clone() };
                self.say_goodbye(ctx, response, end)
            }
            (State::Calling { .. } | State::Ringing { .. }, 401 | 407) => {
                match self.attempt.on_challenge(ctx, response) {
                    Ok(()) => {
                        self.early = Early::default();
                        self.state = State::Calling { late: None };
                        Next::Stay
                    }
                    Err(reason) => Next::Over(End { cause: Cause::Refused, code: Some(code), reason }),
                }
            }
            (State::Calling { .. } | State::Ringing { .. }, 420) => self.on_unsupported(ctx, response),
            (State::Calling { .. } | State::Ringing { .. }, 422) => self.on_too_short(ctx, response),
            (State::Calling { .. } | State::Ringing { .. }, 300..=399) => self.on_redirect(ctx, response),
            (State::Calling { .. } | State::Ringing { .. }, _) => {
                let cause = isdn::status(response).map_or(Cause::Refused, Cause::Network);
                Next::Over(End { cause, code: Some(code), reason: reason_of(response) })
            }
            (State::CancelWanted { end } | State::Cancelling { end, .. }, _) => {
                Next::Over(End { code: Some(code), ..end.clone() })
            }
        }
    }

    /// The connection that the INVITE was to go over because it is long cannot be had: it goes as a datagram. False: that
    /// is not how it was.
    pub fn fall_back(&mut self, ctx: &mut Ctx<'_>, tx: TxId) -> bool {
        tx == self.attempt.tx() && matches!(self.state, State::Calling { .. }) && self.attempt.fall_back(ctx)
    }

    /// Nothing answered the INVITE. (What nothing answers the CANCEL, `until` ends.)
    pub fn on_timeout(&mut self, tx: TxId, why: &str) -> Next {
        if tx != self.attempt.tx() {
            return Next::Stay;
        }
        let nothing = || End { cause: Cause::Timeout, code: None, reason: why.to_owned() };
        match &self.state {
            State::Calling { .. } | State::Ringing { .. } | State::CancelWanted { .. } => Next::Over(nothing()),
            State::Cancelling { end, .. } => Next::Over(end.clone()),
        }
    }

    /// A request of theirs before the call is answered. A BYE means they gave up.
    pub fn on_request(&mut self, ctx: &mut Ctx<'_>, asked: Asked<'_>) -> Next {
        match (&self.state, asked.message.method()) {
            (State::Calling { .. } | State::CancelWanted { .. }, Method::Bye) => {
                ctx.answer(asked, 481);
                Next::Stay
            }
            (State::Ringing { .. } | State::Cancelling { .. }, Method::Bye) => {
                ctx.answer(asked, 200);
                self.hang_up(ctx, hung_up(asked.message))
            }
            (State::Ringing { .. }, Method::Update) if self.early.on_update(ctx, &mut self.terms, asked) => Next::Stay,
            // Our offer is still open (RFC 3311 §5.2).
            (_, Method::Invite | Method::Update) => {
                ctx.answer(asked, 491);
                Next::Stay
            }
            (_, _) => {
                ctx.answer_small_talk(asked);
                Next::Stay
            }
        }
    }

    /// When to call [`Outgoing::on_deadline`].
    pub fn next_deadline(&self) -> Option<Time> {
        match &self.state {
            State::Calling { late } => *late,
            State::CancelWanted { .. } => None,
            State::Ringing { patience, .. } => Some(*patience),
            State::Cancelling { until, .. } => Some(*until),
        }
    }

    /// It is late, or patience is over.
    pub fn on_deadline(&mut self, ctx: &mut Ctx<'_>) -> Next {
        match &self.state {
            State::Calling { late: Some(late) } if *late <= ctx.now => {
                self.state = State::Calling { late: None };
                Next::Late(End { cause: Cause::Timeout, code: None, reason: SILENCE.to_owned() })
            }
            State::Ringing { patience, .. } if *patience <= ctx.now => {
                let reason = "it rang longer than any call may".to_owned();
                self.cancel(ctx, End { cause: Cause::Timeout, code: None, reason });
                Next::Stay
            }
            State::Cancelling { end, until } if *until <= ctx.now => {
                let end = end.clone();
                ctx.transactions.abandon(self.attempt.tx());
                Next::Over(end)
            }
            _ => Next::Stay,
        }
    }

    fn on_ringing(&mut self, ctx: &mut Ctx<'_>, code: u16, response: &Message) {
        let heard = self.early.on_provisional(ctx, self.owner, self.attempt.request(), &self.terms, response);
        // One of several telephones is out; nothing rings because of that (RFC 6228 §4).
        let code = if code == 199 { 100 } else { code };
        if !heard {
            return;
        }
        let told = match &self.state {
            State::Ringing { told, .. } => *told,
            _ => 100,
        };
        let patience = match &self.state {
            State::Ringing { patience, .. } => *patience,
            _ => ctx.now + PATIENCE,
        };
        self.state = State::Ringing { told: if code > 100 { code } else { told }, patience };
        if code > 100 && code != told {
            ctx.tell(|leg| Event::Ringing { leg, code });
        }
    }

    fn on_answer(&mut self, ctx: &mut Ctx<'_>, response: &Message) -> Next {
        let tag = response.to().ok().and_then(|to| to.tag()).unwrap_or_default();
        match self.early.answered(tag, &self.terms, Content::of(response)) {
            Ok(stream) => {
                let mut dialog = self.early.confirmed(self.attempt.request(), response);
                dialog.direct |= ctx.line.house.is_some();
                let handle = handle::answered(&ctx.line.trunk.id, &dialog);
                // Told before the ACK leaves: who stores what he hears first loses no call to a crash, because
                // a 200 that was never acknowledged comes again.
                ctx.tell(|leg| Event::Answered { leg, stream, handle });
                self.acknowledge(ctx, response, &dialog);
                let refresh = Refresh::of_answer(ctx.now, response, self.least_s);
                Next::Up(Session::new(ctx.now, self.owner, dialog, self.terms.clone(), stream, refresh))
            }
            Err(reason) => {
                self.say_goodbye(ctx, response, End { cause: Cause::NoCommonCodec, code: Some(200), reason })
            }
        }
    }

    /// RFC 4028 §7.4: the same call once more, with the interval that is demanded.
    fn on_too_short(&mut self, ctx: &mut Ctx<'_>, response: &Message) -> Next {
        let refused = |reason| Next::Over(End { cause: Cause::Refused, code: Some(422), reason });
        match interval::least(response) {
            Some(least_s) if least_s > self.least_s => self.least_s = least_s,
            _ => return refused(reason_of(response)),
        }
        let least_s = self.least_s;
        self.once_more(ctx, |request| ask_in(request, least_s)).unwrap_or_else(refused)
    }

    /// RFC 3261 §8.1.3.5: the same call once more, without the extensions that are not liked. None of them is demanded by us.
    fn on_unsupported(&mut self, ctx: &mut Ctx<'_>, response: &Message) -> Next {
        let refused = |reason| Next::Over(End { cause: Cause::Refused, code: Some(420), reason });
        let disliked: Vec<&str> = response.list(&Name::Unsupported).collect();
        let mut headers = self.attempt.request().headers.clone();
        if !extension::leave_out(&mut headers, &disliked) {
            return refused(reason_of(response));
        }
        self.once_more(ctx, |request| request.headers = headers).unwrap_or_else(refused)
    }

    fn on_redirect(&mut self, ctx: &mut Ctx<'_>, response: &Message) -> Next {
        let refused = |why: String| {
            let reason = format!("{}; the redirect was not followed: {why}", reason_of(response));
            Next::Over(End { cause: Cause::Refused, code: response.code(), reason })
        };
        let home = Home { domain: &ctx.line.trunk.domain, proxy: self.attempt.request().hop };
        match redirect::next(home, &self.tried, response) {
            Err(why) => refused(why.to_owned()),
            Ok(uri) => {
                self.tried.push(uri.clone());
                self.once_more(ctx, |request| request.uri = uri).unwrap_or_else(refused)
            }
        }
    }

    fn once_more(&mut self, ctx: &mut Ctx<'_>, change: impl FnOnce(&mut Request)) -> Result<Next, String> {
        self.attempt.retry(ctx, change)?;
        self.early = Early::default();
        self.state = State::Calling { late: None };
        Ok(Next::Stay)
    }

    fn say_goodbye(&mut self, ctx: &mut Ctx<'_>, response: &Message, end: End) -> Next {
        let mut dialog = self.early.confirmed(self.attempt.request(), response);
        dialog.direct |= ctx.line.house.is_some();
        // Told before the ACK leaves, as an answer is: between ACK and BYE only the handle knows this call.
        let handle = handle::answered(&ctx.line.trunk.id, &dialog);
        ctx.tell(|leg| Event::Unwanted { leg, handle });
        self.acknowledge(ctx, response, &dialog);
        Next::Leaving(Farewell::start(ctx, self.owner, &mut dialog, end))
    }

    fn acknowledge(&mut self, ctx: &mut Ctx<'_>, response: &Message, dialog: &Dialog) {
        let tag = response.to().ok().and_then(|to| to.tag()).unwrap_or_default();
        let ack = dialog.ack(self.attempt.request().seq);
        let branch = attempt::branch(&token(ctx.rng, 16), 1);
        let bytes = ack.bytes(ctx.identity, &branch, self.attempt.credentials());
        ctx.transactions.acknowledge(self.attempt.tx(), tag, ack.hop, bytes, ctx.out);
    }

    fn cancel(&mut self, ctx: &mut Ctx<'_>, end: End) {
        if let Some(invite) = ctx.transactions.client_invite(self.attempt.tx()) {
            let (to, bytes) = (invite.to(), cancel_of(invite.request(), reason_for(end.cause)));
            let branch = branch_of(&bytes).unwrap_or_default();
            ctx.transactions.request(ctx.now, self.owner, &branch, &Method::Cancel, to, bytes, ctx.out);
        }
        self.state = State::Cancelling { end, until: ctx.now + GIVE_UP };
    }
}

/// The INVITE to `to`, still without an offer.
pub fn invite(ctx: &Ctx<'_>, to: &Phone, hop: Hop, call_id: String, tag: &str) -> Request {
    let uri = ctx.line.uri_of(to);
    let mut invite = Request {
        method: Method::Invite,
        hop,
        from: [&ctx.line.caller(), ";tag=", tag].concat(),
        to: ["<", &uri, ">"].concat(),
        uri,
        call_id,
        seq: 1,
        routes: ctx.line.service_route(hop),
        headers: vec![
            (Name::Contact, ctx.contact(hop)),
            (Name::Allow, ALLOW.to_owned()),
            (Name::Supported, SUPPORTED.to_owned()),
        ],
        body: None,
    };
    invite.headers.extend(ctx.line.stated());
    ask_in(&mut invite, LEAST_S);
    invite
}

#[cfg(test)]
#[path = "tests/outgoing.rs"]
mod tests;
