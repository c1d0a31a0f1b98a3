//! A call that we end with BYE (RFC 3261 §15.1.1).
//!
//! Whatever answers the BYE, or nothing at all, the call is over; only a challenge is answered.
//!
//! Easy to get wrong: both ends may hang up at once, so a BYE may arrive while ours is under way.
//!
//! | state | event | next | does |
//! | --- | --- | --- | --- |
//! | Leaving | 401 | Leaving | BYE |
//! | Leaving | 200 | Over | ended Us |
//! | Leaving | 408 | Over | ended Us |
//! | Leaving | 481 | Over | ended Us |
//! | Leaving | timeout | Over | ended Us |
//! | Leaving | BYE | Over | 200, ended Us |
//! | Leaving | other request | Leaving | 481 |

use crate::base::token;
use crate::sip::End;
use crate::sip::attempt::Attempt;
use crate::sip::call::Next;
use crate::sip::context::{Asked, Ctx};
use crate::sip::dialog::Dialog;
use crate::sip::message::reason_for;
use crate::sip::transactions::{Owner, TxId};
use crate::wire::sip::{Message, Method, Name};

/// A BYE under way, and what is told when it is done.
#[derive(Debug)]
pub struct Farewell {
    attempt: Attempt,
    end: End,
}

impl Farewell {
    /// Sends the BYE.
    pub fn start(ctx: &mut Ctx<'_>, owner: Owner, dialog: &mut Dialog, end: End) -> Farewell {
        let mut request = dialog.request(Method::Bye);
        request.headers.extend(reason_for(end.cause).map(|reason| (Name::Reason, reason.to_owned())));
        let secret = token(ctx.rng, 16);
        Farewell { attempt: Attempt::send(ctx, owner, secret, request), end }
    }

    /// The BYE's transaction.
    pub fn tx(&self) -> TxId {
        self.attempt.tx()
    }

    /// What is told when it is done.
    pub fn end(&self) -> &End {
        &self.end
    }

    /// The connection that the BYE was to go over because it is long cannot be had: it goes as a datagram. False: that is
    /// not how it was.
    pub fn fall_back(&mut self, ctx: &mut Ctx<'_>, tx: TxId) -> bool {
        tx == self.attempt.tx() && self.attempt.fall_back(ctx)
    }

    /// A response to the BYE.
    pub fn on_response(&mut self, ctx: &mut Ctx<'_>, tx: TxId, response: &Message) -> Next {
        match response.code() {
            _ if tx != self.attempt.tx() => Next::Stay,
            None | Some(0..200) => Next::Stay,
            Some(401 | 407) => match self.attempt.on_challenge(ctx, response) {
                Ok(()) => Next::Stay,
                Err(_) => Next::Over(self.end.clone()),
            },
            Some(_) => Next::Over(self.end.clone()),
        }
    }

    /// Nothing answered the BYE.
    pub fn on_timeout(&mut self, tx: TxId) -> Next {
        if tx == self.attempt.tx() { Next::Over(self.end.clone()) } else { Next::Stay }
    }

    /// A request in the dialog.
    pub fn on_request(&mut self, ctx: &mut Ctx<'_>, asked: Asked<'_>) -> Next {
        if asked.message.method() == Method::Bye {
            ctx.answer(asked, 200);
            return Next::Over(self.end.clone());
        }
        ctx.answer(asked, 481);
        Next::Stay
    }
}

#[cfg(test)]
#[path = "tests/farewell.rs"]
mod tests;
