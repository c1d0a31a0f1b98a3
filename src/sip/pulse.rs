//! Asks now and then whether an answered call still stands, with OPTIONS in its dialog (RFC 3261 §11, RFC 5057 §5.1).
//!
//! The BYE of the far end may be lost while the trunk is away, or the far end may lose its power. Without a question
//! the call would be up for ever, and its person would count as being on the phone. It never ends a call for an
//! answer that only says that the trunk does not like the question.
//!
//! Easy to get wrong: a trunk that is away says nothing about a call whose voice goes on, so one unanswered question
//! ends nothing; a challenge takes a number of the dialog, like every request.
//!
//! | state | event | next | does |
//! | --- | --- | --- | --- |
//! | Resting | due | Asking | OPTIONS |
//! | Asking | 200 | Resting | - |
//! | Asking | 401 | Asking | OPTIONS |
//! | Asking | 404 | Over | ended Timeout |
//! | Asking | 405 | Resting | - |
//! | Asking | 410 | Over | ended Timeout |
//! | Asking | 481 | Over | ended Timeout |
//! | Asking | 503 | Resting | - |
//! | Asking | timeout | Resting | - |
//! | Asking | timeout, as often as allowed | Leaving | BYE |

use core::time::Duration;

use crate::base::{Time, token};
use crate::sip::attempt::Attempt;
use crate::sip::call::Next;
use crate::sip::context::Ctx;
use crate::sip::dialog::Dialog;
use crate::sip::farewell::Farewell;
use crate::sip::transactions::{Owner, TxId};
use crate::sip::{Cause, End};
use crate::wire::sip::{Message, Method};

/// The pause between an answer and the next question.
pub const PAUSE: Duration = Duration::from_secs(120);
/// So many questions in a row without any answer end the call: about a quarter of an hour.
const UNANSWERED_MAX: u32 = 6;

/// The questions of one call.
#[derive(Debug)]
pub struct Pulse {
    state: State,
    /// Questions in a row that nothing answered.
    unanswered: u32,
}

#[derive(Debug)]
enum State {
    /// The next question is due then.
    Resting { due: Time },
    /// One is under way.
    Asking(Box<Attempt>),
}

impl Pulse {
    /// The call was just answered.
    pub fn new(now: Time) -> Pulse {
        Pulse { state: State::Resting { due: now + PAUSE }, unanswered: 0 }
    }

    /// When to call [`Pulse::on_deadline`].
    pub fn next_deadline(&self) -> Option<Time> {
        match &self.state {
            State::Resting { due } => Some(*due),
            State::Asking(_) => None,
        }
    }

    /// Asks, if it is time.
    pub fn on_deadline(&mut self, ctx: &mut Ctx<'_>, owner: Owner, dialog: &mut Dialog) {
        if self.next_deadline().is_some_and(|due| due <= ctx.now) {
            let secret = token(ctx.rng, 16);
            let question = Attempt::send(ctx, owner, secret, dialog.request(Method::Options));
            self.state = State::Asking(Box::new(question));
        }
    }

    /// A response came.
    pub fn on_response(&mut self, ctx: &mut Ctx<'_>, dialog: &mut Dialog, tx: TxId, response: &Message) -> Next {
        let State::Asking(attempt) = &mut self.state else { return Next::Stay };
        match response.code() {
            _ if tx != attempt.tx() => return Next::Stay,
            None | Some(0..200) => return Next::Stay,
            // The far end, or the trunk, does not know this call any more.
            Some(404 | 410 | 481) => {
                let reason = "the far end does not know this call any more".to_owned();
                return Next::Over(End { cause: Cause::Timeout, code: response.code(), reason });
            }
            Some(401 | 407) if attempt.on_challenge_in(ctx, dialog, response).is_ok() => return Next::Stay,
            Some(_) => {}
        }
        self.unanswered = 0;
        self.state = State::Resting { due: ctx.now + PAUSE };
        Next::Stay
    }

    /// Nothing answered.
    pub fn on_timeout(&mut self, ctx: &mut Ctx<'_>, owner: Owner, dialog: &mut Dialog, tx: TxId) -> Next {
        if !matches!(&self.state, State::Asking(attempt) if attempt.tx() == tx) {
            return Next::Stay;
        }
        self.unanswered += 1;
        self.state = State::Resting { due: ctx.now + PAUSE };
        if self.unanswered < UNANSWERED_MAX {
            return Next::Stay;
        }
        let reason = "nothing was heard of the far end any more".to_owned();
        Next::Leaving(Farewell::start(ctx, owner, dialog, End { cause: Cause::Timeout, code: Some(408), reason }))
    }
}

#[cfg(test)]
#[path = "tests/pulse.rs"]
mod tests;
