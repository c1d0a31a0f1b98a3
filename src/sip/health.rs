//! Asks a trunk now and then whether it is there (OPTIONS, RFC 3261 §11).
//!
//! Whatever it answers shows that it is there, but for 408 and 503: those are said in its name by somebody before it, or
//! by itself because it takes no calls. Silence and a connection that cannot be made show that it is not.
//! One that names a Retry-After is not asked again before (RFC 3261 §20.33).
//!
//! | state | event | next | does |
//! | --- | --- | --- | --- |
//! | Waiting | time | Asking | OPTIONS |
//! | Asking | 200 | Waiting | - |
//! | Asking | 200 after silence | Waiting | there |
//! | Asking | 503 | Waiting | away |
//! | Asking | silence | Waiting | away |

use core::time::Duration;

use crate::base::{Time, token};
use crate::sip::attempt::Attempt;
use crate::sip::context::Ctx;
use crate::sip::message::{Request, reason_of};
use crate::sip::transactions::{Owner, TxId};
use crate::sip::{Event, Output};
use crate::wire::sip::{Message, Method};

/// A trunk that is away is asked again after this, or sooner where it is asked more often.
const AGAIN: Duration = Duration::from_secs(10);
/// One that wants to be left alone for longer is asked again all the same.
const LATEST: Duration = Duration::from_secs(3_600);

/// What is known of a trunk's health.
#[derive(Debug)]
pub struct Health {
    owner: Owner,
    every: Duration,
    /// Why it is away: its status, and words.
    away: Option<(Option<u16>, String)>,
    state: State,
}

#[derive(Debug)]
enum State {
    /// It is asked then.
    Waiting { at: Time },
    /// It was asked.
    Asking(Box<Attempt>),
}

impl Health {
    /// A trunk that is asked so often, for the first time at once.
    pub fn new(owner: Owner, every: Duration) -> Health {
        Health { owner, every, away: None, state: State::Waiting { at: Time::ZERO } }
    }

    /// Why it is away, when it is: its status, and words.
    pub fn away(&self) -> Option<&(Option<u16>, String)> {
        self.away.as_ref()
    }

    /// When to call [`Health::on_deadline`].
    pub fn next_deadline(&self) -> Option<Time> {
        match self.state {
            State::Waiting { at } => Some(at),
            State::Asking(_) => None,
        }
    }

    /// Its address is known now, or is another one: it is asked at once.
    pub fn on_address(&mut self, ctx: &mut Ctx<'_>) {
        if let State::Waiting { .. } = self.state {
            self.state = State::Waiting { at: ctx.now };
            self.on_deadline(ctx);
        }
    }

    /// Asks, when it is time. A trunk whose address is not known is asked later.
    pub fn on_deadline(&mut self, ctx: &mut Ctx<'_>) {
        let State::Waiting { at } = self.state else { return };
        if at > ctx.now {
            return;
        }
        let Some(hop) = ctx.line.proxy else {
            self.state = State::Waiting { at: ctx.now + AGAIN };
            return;
        };
        let host = ctx.line.host();
        let request = Request {
            method: Method::Options,
            uri: format!("sip:{host}"),
            hop,
            from: format!("{};tag={}", ctx.line.caller(), token(ctx.rng, 12)),
            to: format!("<sip:{host}>"),
            call_id: token(ctx.rng, 24),
            seq: 1,
            routes: Vec::new(),
            headers: Vec::new(),
            body: None,
        };
        let secret = token(ctx.rng, 16);
        let attempt = Attempt::send(ctx, self.owner, secret, request);
        ctx.transactions.hurry(attempt.tx(), ctx.now + AGAIN);
        self.state = State::Asking(Box::new(attempt));
    }

    /// The connection that the question went over is gone. True: it goes over a new one.
    pub fn fall_back(&mut self, ctx: &mut Ctx<'_>, tx: TxId) -> bool {
        let State::Asking(attempt) = &mut self.state else { return false };
        let goes_on = attempt.tx() == tx && attempt.fall_back(ctx);
        if goes_on {
            ctx.transactions.hurry(attempt.tx(), ctx.now + AGAIN);
        }
        goes_on
    }

    /// It answered.
    pub fn on_response(&mut self, ctx: &mut Ctx<'_>, tx: TxId, response: &Message) {
        let code = response.code().filter(|code| *code >= 200);
        match (&self.state, code) {
            (State::Asking(attempt), Some(code)) if attempt.tx() == tx => match code {
                408 | 503 => {
                    let later = response.retry_after().map(|seconds| Duration::from_secs(seconds.into()));
                    self.fail(ctx, Some(code), reason_of(response), later);
                }
                _ => {
                    self.state = State::Waiting { at: ctx.now + self.every };
                    if self.away.take().is_some() {
                        let trunk = ctx.line.trunk.id.clone();
                        ctx.out.push(Output::Event(Event::Registered { trunk, expires_s: 0 }));
                    }
                }
            },
            _ => {}
        }
    }

    /// It did not.
    pub fn on_timeout(&mut self, ctx: &mut Ctx<'_>, tx: TxId, why: &str) {
        match &self.state {
            State::Asking(attempt) if attempt.tx() == tx => self.fail(ctx, None, why.to_owned(), None),
            _ => {}
        }
    }

    /// The next target is asked at once, because it may be well. `later`: it wants to be left alone for so long.
    fn fail(&mut self, ctx: &mut Ctx<'_>, code: Option<u16>, reason: String, later: Option<Duration>) {
        let State::Asking(attempt) = &self.state else { return };
        let other =
            ctx.line.proxy.is_some_and(|hop| hop != attempt.request().hop) && !ctx.line.targets.all_rest(ctx.now);
        if other {
            self.state = State::Waiting { at: ctx.now };
            return;
        }
        let wait = AGAIN.min(self.every).max(later.unwrap_or_default().min(LATEST));
        self.state = State::Waiting { at: ctx.now + wait };
        let news = self.away.replace((code, reason.clone())).is_none();
        if news {
            let retry_s = u32::try_from(wait.as_secs()).unwrap_or(u32::MAX).max(1);
            let trunk = ctx.line.trunk.id.clone();
            ctx.out.push(Output::Event(Event::RegistrationFailed { trunk, code, reason, retry_s }));
        }
    }
}
