//! Short messages over a trunk: MESSAGE outside any dialog (RFC 3428), out and in.
//!
//! Out: sent until it is answered, with credentials where the trunk asks for them, and then told as sent or failed. It
//! never tries another trunk or another time; whoever sends knows whether that helps. In: answered, told, forgotten.
//!
//! Easy to get wrong: a 202 is as good as a 200, the message is in somebody's hands; a MESSAGE carries no Contact and
//! opens no dialog (RFC 3428 §4); and it must fit into one datagram of 1,300 bytes (§8), so a text has an end.
//!
//! | state | event | next | does |
//! | --- | --- | --- | --- |
//! | Sending | 200 | Gone | sent |
//! | Sending | 202 | Gone | sent |
//! | Sending | 401 | Sending | MESSAGE |
//! | Sending | 407 | Sending | MESSAGE |
//! | Sending | 403 | Gone | failed |
//! | Sending | 503 | Gone | failed |
//! | Sending | no answer | Gone | failed |

use crate::base::{Outbox, Phone, Time, TrunkId, token};
use crate::sip::agent::Agent;
use crate::sip::arrivals::caller;
use crate::sip::attempt::Attempt;
use crate::sip::context::{Asked, Ctx};
use crate::sip::message::{Body, Request, reason_of};
use crate::sip::transactions::{Owner, TxId};
use crate::sip::{Event, Hop, Output};
use crate::wire::sip::{Message, Method, Name};

/// The longest text, in bytes: with the longest headers of ours it stays within 1,300 (RFC 3428 §8).
pub const TEXT_MAX: usize = 600;
/// The type of the texts we read.
pub const PLAIN: &str = "text/plain";
/// The type of the texts we send.
const PLAIN_UTF8: &str = "text/plain;charset=UTF-8";
/// So many may be on their way at once.
const LETTERS_MAX: usize = 256;

/// Why a message cannot even be tried.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum MessageError {
    /// No such trunk.
    #[error("no such trunk")]
    UnknownTrunk,
    /// The trunk's name was not looked up yet, or cannot be.
    #[error("the trunk's address is not known")]
    NoAddress,
    /// As many as may be are on their way.
    #[error("too many messages at once")]
    Full,
    /// One with this number is on its way.
    #[error("this message is on its way already")]
    UnderWay,
    /// The text is longer than [`TEXT_MAX`].
    #[error("the text has {0} bytes, and {TEXT_MAX} fit")]
    TooLong(usize),
    /// No phone of the user is registered.
    #[error("no phone of this user is registered")]
    NotRegistered,
    /// [`Agent::stop`] was called.
    #[error("hansho is stopping")]
    Stopping,
}

/// A message on its way.
#[derive(Debug)]
pub struct Letter {
    /// Over which line.
    pub(super) line: usize,
    attempt: Attempt,
}

/// Where a message goes.
pub struct Address {
    /// Over this line.
    pub line: usize,
    /// To this hop.
    pub hop: Hop,
    /// The Request-URI.
    pub uri: String,
    /// The proxies in between.
    pub routes: Vec<String>,
}

/// What became of a message after a response.
enum Fate {
    Sending,
    Sent,
    Failed(Option<u16>, String),
}

impl Letter {
    fn on_response(&mut self, ctx: &mut Ctx<'_>, tx: TxId, response: &Message) -> Fate {
        match response.code() {
            _ if tx != self.attempt.tx() => Fate::Sending,
            None | Some(0..200) => Fate::Sending,
            Some(200..300) => Fate::Sent,
            Some(code @ (401 | 407)) => match self.attempt.on_challenge(ctx, response) {
                Ok(()) => Fate::Sending,
                Err(reason) => Fate::Failed(Some(code), reason),
            },
            Some(code) => Fate::Failed(Some(code), reason_of(response)),
        }
    }
}

impl Agent {
    /// Sends `text` to `to` over `trunk`. [`Event::MessageSent`] or [`Event::MessageFailed`] follows, with `number`.
    pub fn send_message(
        &mut self,
        now: Time,
        number: u32,
        trunk: &TrunkId,
        to: &Phone,
        text: &str,
        out: &mut Outbox<Output>,
    ) -> Result<(), MessageError> {
        let line = self.line_of(trunk).ok_or(MessageError::UnknownTrunk)?;
        let known = self.core.lines.get(line).ok_or(MessageError::UnknownTrunk)?;
        let (hop, uri) = (known.proxy.ok_or(MessageError::NoAddress)?, known.uri_of(to));
        let routes = known.service_route(hop);
        self.post(now, number, Address { line, hop, uri, routes }, text, out)
    }

    /// Sends `text` to the phone of a user of ours that is rung first. What follows is the same.
    pub fn write_to_user(
        &mut self,
        now: Time,
        number: u32,
        user: &str,
        text: &str,
        out: &mut Outbox<Output>,
    ) -> Result<(), MessageError> {
        let way = self.first_phone(user).ok_or(MessageError::NotRegistered)?;
        self.post(now, number, way, text, out)
    }

    /// Sends it over this line, to this hop, for this URI.
    fn post(
        &mut self,
        now: Time,
        number: u32,
        to: Address,
        text: &str,
        out: &mut Outbox<Output>,
    ) -> Result<(), MessageError> {
        if self.stopping {
            return Err(MessageError::Stopping);
        } else if text.len() > TEXT_MAX {
            return Err(MessageError::TooLong(text.len()));
        } else if self.letters.contains_key(&number) {
            return Err(MessageError::UnderWay);
        } else if self.letters.len() >= LETTERS_MAX {
            return Err(MessageError::Full);
        }
        let Address { line, hop, uri, routes } = to;
        let mut ctx = self.core.ctx(now, line, None, out).ok_or(MessageError::UnknownTrunk)?;
        let request = Request {
            method: Method::Message,
            hop,
            from: format!("{};tag={}", ctx.line.caller(), token(ctx.rng, 12)),
            to: format!("<{uri}>"),
            uri,
            call_id: token(ctx.rng, 24),
            seq: 1,
            routes,
            headers: ctx.line.stated(),
            body: Some(Body { kind: PLAIN_UTF8, bytes: text.as_bytes().to_vec() }),
        };
        let secret = token(ctx.rng, 16);
        let attempt = Attempt::send(&mut ctx, Owner::Message(number), secret, request);
        self.letters.insert(number, Letter { line, attempt });
        Ok(())
    }

    /// A response to a message of ours.
    pub(super) fn letter_answered(
        &mut self,
        now: Time,
        number: u32,
        tx: TxId,
        response: &Message,
        out: &mut Outbox<Output>,
    ) {
        let Some(letter) = self.letters.get_mut(&number) else { return };
        let Some(mut ctx) = self.core.ctx(now, letter.line, None, out) else { return };
        let event = match letter.on_response(&mut ctx, tx, response) {
            Fate::Sending => return,
            Fate::Sent => Event::MessageSent { message: number },
            Fate::Failed(code, reason) => Event::MessageFailed { message: number, code, reason },
        };
        self.letters.remove(&number);
        out.push(Output::Event(event));
    }

    /// A message of ours was to go over a connection, because it is long, and nobody takes one. True: it went as a datagram.
    pub(super) fn letter_falls_back(&mut self, now: Time, number: u32, tx: TxId, out: &mut Outbox<Output>) -> bool {
        let Some(letter) = self.letters.get_mut(&number).filter(|letter| letter.attempt.tx() == tx) else {
            return false;
        };
        let ctx = self.core.ctx(now, letter.line, None, out);
        ctx.is_some_and(|mut ctx| letter.attempt.fall_back(&mut ctx))
    }

    /// Nothing answered a message of ours.
    pub(super) fn letter_unheard(&mut self, number: u32, why: &str, out: &mut Outbox<Output>) {
        if self.letters.remove(&number).is_some() {
            let reason = why.to_owned();
            out.push(Output::Event(Event::MessageFailed { message: number, code: None, reason }));
        }
    }
}

/// A message came: answers it (RFC 3428 §7) and tells it.
pub fn take(ctx: &mut Ctx<'_>, asked: Asked<'_>) {
    let message = asked.message;
    let plain = message.content_type().is_some_and(|kind| kind.eq_ignore_ascii_case(PLAIN));
    let encoded = message.header(&Name::ContentEncoding).is_some_and(|coding| !coding.eq_ignore_ascii_case("identity"));
    if !plain || encoded {
        return ctx.answer(asked, 415);
    }
    ctx.answer(asked, 200);
    let (trunk, from) = (ctx.line.trunk.id.clone(), caller(message));
    let text = String::from_utf8_lossy(message.body()).into_owned();
    ctx.out.push(Output::Event(Event::MessageReceived { trunk, from, text }));
}

#[cfg(test)]
#[path = "tests/letter.rs"]
mod tests;
