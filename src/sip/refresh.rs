//! Keeps an answered call from lapsing where a session timer was agreed on (RFC 4028).
//!
//! Either side may be the one who refreshes. We do it half-way through the interval, with an UPDATE without a body
//! (RFC 3311) where the far end takes UPDATE, else with a re-INVITE that offers what holds. Whoever waits for a refresh
//! in vain ends the call with BYE a little before the interval is over (§10).
//!
//! Easy to get wrong: each 2xx to a refresh agrees anew, and one without Session-Expires ends the timer; 491 means that
//! both asked at once, and whoever made the Call-ID waits longer (RFC 3261 §14.1); a re-INVITE under way wants its ACK
//! whatever happens meanwhile.
//!
//! | state | event | next | does |
//! | --- | --- | --- | --- |
//! | Theirs | refreshed | Theirs | - |
//! | Theirs | lapse | Leaving | BYE |
//! | Ours | refreshed | Theirs | - |
//! | Ours | due | Asking | UPDATE |
//! | Ours | due, without UPDATE | Asking | INVITE |
//! | Ours | lapse | Leaving | BYE |
//! | Asking | refreshed | Asking | - |
//! | Asking | 200 | Ours | - |
//! | Asking | 200 without timer | Off | - |
//! | Asking | 200 to INVITE | Ours | ACK |
//! | Asking | 401 | Asking | UPDATE |
//! | Asking | 405 | Asking | INVITE |
//! | Asking | 408 | Leaving | BYE |
//! | Asking | 422 | Asking | UPDATE |
//! | Asking | 481 | Leaving | BYE |
//! | Asking | 491 | Ours | - |
//! | Asking | 503 | Ours | - |
//! | Asking | timeout | Leaving | BYE |
//! | Asking | lapse | Leaving | BYE |

use core::time::Duration;

use rand::RngExt;

use crate::base::{Time, token};
use crate::sip::attempt::{self, Attempt};
use crate::sip::call::Next;
use crate::sip::context::Ctx;
use crate::sip::dialog::Dialog;
use crate::sip::extension::SUPPORTED;
use crate::sip::farewell::Farewell;
use crate::sip::interval::{self, Interval, LEAST_S, Refresher, WANTED_S};
use crate::sip::message::{ALLOW, Body, Request, SDP};
use crate::sip::terms::Terms;
use crate::sip::transactions::{Owner, TxId};
use crate::sip::{Cause, End};
use crate::wire::sip::{Message, Method, Name};

/// After a refusal that says nothing about the call we ask again, unless the far end names a time.
const AGAIN: Duration = Duration::from_secs(10);
/// The call ends this much before the interval is over, or a third of the interval where that is less (RFC 4028 §10).
const BEFORE_LAPSE_S: u32 = 32;

/// The session timer of one call.
#[derive(Debug)]
pub struct Refresh {
    state: State,
    /// We made the Call-ID: we wait longer after a 491.
    caller: bool,
    /// The far end takes UPDATE.
    update: bool,
    /// The least interval that was demanded of us.
    least_s: u32,
}

#[derive(Debug)]
enum State {
    /// No timer was agreed on.
    Off,
    /// The far end refreshes; without a refresh the session lapses.
    Theirs { lapse: Time },
    /// We refresh when it is due.
    Ours { seconds: u32, due: Time, lapse: Time },
    /// Our refresh is under way.
    Asking { seconds: u32, lapse: Time, attempt: Box<Attempt> },
}

impl Refresh {
    /// The timer of a call of ours that this 2xx answers.
    pub fn of_answer(now: Time, response: &Message, least_s: u32) -> Refresh {
        let state = State::agreed(now, interval::granted(response));
        Refresh { state, caller: true, update: takes_update(response), least_s }
    }

    /// The timer of a call from outside that this INVITE opened and we have just answered.
    pub fn of_invite(now: Time, invite: &Message, granted: Option<Interval>) -> Refresh {
        Refresh { state: State::agreed(now, granted), caller: false, update: takes_update(invite), least_s: LEAST_S }
    }

    /// A re-INVITE or UPDATE of theirs was answered, and this granted.
    pub fn refreshed(&mut self, now: Time, request: &Message, granted: Option<Interval>) {
        if request.headers(&Name::Allow).next().is_some() {
            self.update = takes_update(request);
        }
        match (&mut self.state, granted) {
            // Ours must still be heard to its end; what was agreed on meanwhile holds until then.
            (State::Asking { seconds, lapse, .. }, Some(granted)) => {
                *seconds = granted.seconds;
                *lapse = lapse_of(now, granted.seconds);
            }
            (State::Asking { .. }, None) => {}
            (state, granted) => *state = State::agreed(now, granted),
        }
    }

    /// Is this the transaction of our refresh?
    pub fn carries(&self, tx: TxId) -> bool {
        matches!(&self.state, State::Asking { attempt, .. } if attempt.tx() == tx)
    }

    /// Have we made an offer that is not answered yet?
    pub fn is_offering(&self) -> bool {
        matches!(&self.state, State::Asking { attempt, .. } if attempt.request().method == Method::Invite)
    }

    /// The call ends: nobody waits for the answer any more.
    pub fn give_up(&mut self, ctx: &mut Ctx<'_>) {
        if let State::Asking { attempt, .. } = &self.state {
            ctx.transactions.abandon(attempt.tx());
        }
        self.state = State::Off;
    }

    /// When to call [`Refresh::on_deadline`].
    pub fn next_deadline(&self) -> Option<Time> {
        match &self.state {
            State::Off => None,
            State::Ours { due, lapse, .. } => Some(*due.min(lapse)),
            State::Theirs { lapse } | State::Asking { lapse, .. } => Some(*lapse),
        }
    }

    /// It is time for a refresh, or too late for one.
    pub fn on_deadline(&mut self, ctx: &mut Ctx<'_>, owner: Owner, dialog: &mut Dialog, terms: &mut Terms) -> Next {
        match &self.state {
            State::Theirs { lapse } | State::Ours { lapse, .. } | State::Asking { lapse, .. } if *lapse <= ctx.now => {
                self.lapsed(ctx, owner, dialog)
            }
            State::Ours { seconds, due, lapse } if *due <= ctx.now => {
                let (seconds, lapse, update) = (*seconds, *lapse, self.update);
                self.ask(ctx, owner, dialog, terms, (seconds, lapse, update));
                Next::Stay
            }
            _ => Next::Stay,
        }
    }

    /// A response to our refresh came.
    pub fn on_response(
        &mut self,
        ctx: &mut Ctx<'_>,
        owner: Owner,
        dialog: &mut Dialog,
        terms: &mut Terms,
        response: &Message,
    ) -> Next {
        let State::Asking { seconds, lapse, attempt } = &mut self.state else { return Next::Stay };
        let (seconds, lapse) = (*seconds, *lapse);
        match response.code() {
            None | Some(0..200) => {}
            Some(200..300) => {
                if attempt.request().method == Method::Invite {
                    acknowledge(ctx, attempt, dialog, response);
                }
                dialog.refresh_target(response);
                self.state = State::agreed(ctx.now, interval::granted(response));
            }
            Some(401 | 407) if attempt.on_challenge_in(ctx, dialog, response).is_ok() => {}
            Some(408 | 481) => return self.lapsed(ctx, owner, dialog),
            Some(405 | 501) if self.update => {
                self.update = false;
                self.ask(ctx, owner, dialog, terms, (seconds, lapse, false));
            }
            // Asked as often as they wish, this would be a flood.
            Some(422) if self.least_s < interval::least(response).unwrap_or(0) => {
                self.least_s = interval::least(response).unwrap_or(LEAST_S);
                self.ask(ctx, owner, dialog, terms, (seconds.max(self.least_s), lapse, self.update));
            }
            Some(491) => {
                let tens = if self.caller { ctx.rng.random_range(210..=400) } else { ctx.rng.random_range(0..=200) };
                self.state = State::Ours { seconds, due: ctx.now + Duration::from_millis(tens * 10), lapse };
            }
            Some(_) => {
                let pause = response.retry_after().map_or(AGAIN, |s| Duration::from_secs(u64::from(s)));
                self.state = State::Ours { seconds, due: ctx.now + pause.max(Duration::from_secs(1)), lapse };
            }
        }
        Next::Stay
    }

    /// Nothing answered our refresh: nobody is there.
    pub fn on_timeout(&mut self, ctx: &mut Ctx<'_>, owner: Owner, dialog: &mut Dialog) -> Next {
        self.lapsed(ctx, owner, dialog)
    }

    fn ask(
        &mut self,
        ctx: &mut Ctx<'_>,
        owner: Owner,
        dialog: &mut Dialog,
        terms: &mut Terms,
        (seconds, lapse, update): (u32, Time, bool),
    ) {
        let method = if update { Method::Update } else { Method::Invite };
        let mut request = dialog.request(method);
        request.headers = vec![
            (Name::Contact, ctx.contact(request.hop)),
            (Name::Allow, ALLOW.to_owned()),
            (Name::Supported, SUPPORTED.to_owned()),
            (Name::SessionExpires, format!("{seconds};refresher=uac")),
            (Name::MinSe, self.least_s.to_string()),
        ];
        if !update {
            request.body = Some(Body { kind: SDP, bytes: terms.offer() });
        }
        let secret = token(ctx.rng, 16);
        let attempt = Box::new(Attempt::send(ctx, owner, secret, request));
        self.state = State::Asking { seconds, lapse, attempt };
    }

    fn lapsed(&mut self, ctx: &mut Ctx<'_>, owner: Owner, dialog: &mut Dialog) -> Next {
        self.give_up(ctx);
        let reason = "the session was not refreshed".to_owned();
        Next::Leaving(Farewell::start(ctx, owner, dialog, End { cause: Cause::Timeout, code: Some(408), reason }))
    }
}

impl State {
    fn agreed(now: Time, granted: Option<Interval>) -> State {
        let Some(Interval { seconds, refresher }) = granted else { return State::Off };
        let lapse = lapse_of(now, seconds);
        match refresher {
            Refresher::Them => State::Theirs { lapse },
            Refresher::Us => State::Ours { seconds, due: now + Duration::from_secs(u64::from(seconds)) / 2, lapse },
        }
    }
}

/// Asks for a session timer in an INVITE of ours.
pub fn ask_in(invite: &mut Request, least_s: u32) {
    invite.headers.retain(|(name, _)| !matches!(name, Name::SessionExpires | Name::MinSe));
    invite.headers.push((Name::SessionExpires, WANTED_S.max(least_s).to_string()));
    if least_s > LEAST_S {
        invite.headers.push((Name::MinSe, least_s.to_string()));
    }
}

fn acknowledge(ctx: &mut Ctx<'_>, attempt: &Attempt, dialog: &Dialog, response: &Message) {
    let tag = response.to().ok().and_then(|to| to.tag()).unwrap_or_default();
    let ack = dialog.ack(attempt.request().seq);
    let branch = attempt::branch(&token(ctx.rng, 16), 1);
    let bytes = ack.bytes(ctx.identity, &branch, attempt.credentials());
    ctx.transactions.acknowledge(attempt.tx(), tag, ack.hop, bytes, ctx.out);
}

fn takes_update(message: &Message) -> bool {
    message.list(&Name::Allow).any(|method| method == Method::Update.as_str())
}

fn lapse_of(now: Time, seconds: u32) -> Time {
    now + Duration::from_secs(u64::from(seconds - BEFORE_LAPSE_S.min(seconds / 3)))
}

#[cfg(test)]
#[path = "tests/refresh.rs"]
mod tests;
