//! A call from the trunk until our 200 is acknowledged (RFC 3261 §13.3).
//!
//! Easy to get wrong: whoever answered must not say BYE before the ACK came (§15), so a wish to hang up waits
//! for it; an INVITE without SDP asks us for the offer, and the answer comes with the ACK.
//!
//! | state | event | next | does |
//! | --- | --- | --- | --- |
//! | Offered | ring | Offered | 180 |
//! | Offered | accept | Answering | 200 |
//! | Offered | refuse | Over | 486, ended Us |
//! | Offered | hang up | Over | 480, ended Us |
//! | Offered | CANCEL | Over | 487, ended Them |
//! | Offered | BYE | Over | 200, 487, ended Them |
//! | Offered | UPDATE | Offered | 491 |
//! | Offered | INFO | Offered | 200 |
//! | Offered | patience | Over | 480, ended Timeout |
//! | Answering | hang up | Hanging | - |
//! | Answering | ACK | Up | answered |
//! | Answering | BYE | Over | 200, ended Them |
//! | Answering | UPDATE | Answering | 491 |
//! | Answering | INFO | Answering | 200 |
//! | Answering | no ACK | Leaving | BYE |
//! | Hanging | ACK | Leaving | BYE |
//! | Hanging | BYE | Over | 200, ended Them |
//! | Hanging | UPDATE | Hanging | 491 |
//! | Hanging | INFO | Hanging | 200 |
//! | Hanging | no ACK | Leaving | BYE |

use core::net::SocketAddr;
use core::time::Duration;

use crate::base::{Stream, Time};
use crate::sip::call::Next;
use crate::sip::context::{Asked, Ctx};
use crate::sip::dialog::Dialog;
use crate::sip::farewell::Farewell;
use crate::sip::message::{ALLOW, SDP, reply_to};
use crate::sip::session::{Session, hung_up};
use crate::sip::success::Success;
use crate::sip::terms::Terms;
use crate::sip::transactions::{Owner, TxId};
use crate::sip::{Cause, End, Event, handle};
use crate::wire::sip::{Message, Method, Name, reason_phrase};

/// A call nobody accepts or refuses is refused after this.
pub const PATIENCE: Duration = Duration::from_secs(180);

/// The INVITE and what we said to it.
#[derive(Debug)]
pub struct Incoming {
    owner: Owner,
    invite: Message,
    source: SocketAddr,
    tx: TxId,
    /// Our tag.
    tag: String,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Nobody has decided yet.
    Offered { dialog: Dialog, patience: Time },
    /// We said 200. `stream`: what was agreed on; none while the ACK is to bring it.
    Answering { success: Success, dialog: Dialog, terms: Terms, stream: Option<Stream> },
    /// We said 200 and want to hang up.
    Hanging { success: Success, dialog: Dialog, end: End },
    /// Left for another machine.
    Gone,
}

impl Incoming {
    /// An INVITE to be decided on; `dialog` is what it opens.
    pub fn new(now: Time, owner: Owner, asked: Asked<'_>, tag: String, dialog: Dialog) -> Incoming {
        let state = State::Offered { dialog, patience: now + PATIENCE };
        Incoming { owner, invite: asked.message.clone(), source: asked.source, tx: asked.tx, tag, state }
    }

    /// Tells the caller that it rings.
    pub fn ring(&mut self, ctx: &mut Ctx<'_>) {
        if let State::Offered { .. } = self.state {
            self.answer(ctx, 180, &[]);
        }
    }

    /// Takes the call; `terms` are ours.
    pub fn accept(&mut self, ctx: &mut Ctx<'_>, mut terms: Terms) -> Next {
        let State::Offered { dialog, .. } = &self.state else { return Next::Stay };
        let dialog = dialog.clone();
        let (sdp, stream) = if self.invite.body().is_empty() {
            (terms.offer(), None)
        } else {
            match terms.answer(self.invite.body()) {
                Ok((sdp, stream)) => (sdp, Some(stream)),
                Err(reason) => return self.turn_away(ctx, 488, Cause::NoCommonCodec, reason),
            }
        };
        let bytes = self.answer(ctx, 200, &sdp);
        let success = Success::sent(ctx.now, reply_to(&self.invite, self.source), bytes);
        self.state = State::Answering { success, dialog, terms, stream };
        Next::Stay
    }

    /// Turns the caller away.
    pub fn refuse(&mut self, ctx: &mut Ctx<'_>, code: u16) -> Next {
        let code = if (300..700).contains(&code) { code } else { 480 };
        match self.state {
            State::Offered { .. } => self.turn_away(ctx, code, Cause::Us, reason_phrase(code).to_owned()),
            _ => self.hang_up(ctx, End { cause: Cause::Us, code: Some(200), reason: "we hung up".into() }),
        }
    }

    /// Our wish to end it.
    pub fn hang_up(&mut self, ctx: &mut Ctx<'_>, end: End) -> Next {
        match core::mem::replace(&mut self.state, State::Gone) {
            State::Offered { .. } => self.turn_away(ctx, 480, end.cause, end.reason),
            State::Answering { success, dialog, .. } => {
                self.state = State::Hanging { success, dialog, end };
                Next::Stay
            }
            other => {
                self.state = other;
                Next::Stay
            }
        }
    }

    /// The caller cancelled; the CANCEL itself is answered.
    pub fn on_cancel(&mut self, ctx: &mut Ctx<'_>, cancel: &Message) -> Next {
        let State::Offered { .. } = self.state else { return Next::Stay };
        let reason = match cancel.header(&Name::Reason) {
            Some(_) => crate::sip::message::reason_of(cancel),
            None => "the caller hung up".to_owned(),
        };
        self.turn_away(ctx, 487, Cause::Them, reason)
    }

    /// An ACK in the dialog.
    pub fn on_ack(&mut self, ctx: &mut Ctx<'_>, ack: &Message) -> Next {
        let ours = self.invite.cseq().map(|cseq| cseq.number);
        if ack.cseq().map(|cseq| cseq.number) != ours {
            return Next::Stay;
        }
        match core::mem::replace(&mut self.state, State::Gone) {
            State::Answering { mut dialog, terms, stream, .. } => {
                let agreed = stream.map_or_else(|| terms.read_answer(ack.body()), Ok);
                match agreed {
                    Ok(stream) => {
                        let handle = handle::answered(&ctx.line.trunk.id, &dialog);
                        ctx.tell(|leg| Event::Answered { leg, stream, handle });
                        Next::Up(Session::new(ctx.now, self.owner, dialog, terms, stream))
                    }
                    Err(reason) => {
                        let end = End { cause: Cause::NoCommonCodec, code: Some(200), reason };
                        Next::Leaving(Farewell::start(ctx, self.owner, &mut dialog, end))
                    }
                }
            }
            State::Hanging { mut dialog, end, .. } => Next::Leaving(Farewell::start(ctx, self.owner, &mut dialog, end)),
            other => {
                self.state = other;
                Next::Stay
            }
        }
    }

    /// A request in the dialog.
    pub fn on_request(&mut self, ctx: &mut Ctx<'_>, asked: Asked<'_>) -> Next {
        match (&mut self.state, asked.message.method()) {
            (State::Offered { .. }, Method::Bye) => {
                ctx.answer(asked, 200);
                let end = hung_up(asked.message);
                self.turn_away(ctx, 487, end.cause, end.reason)
            }
            (_, Method::Bye) => {
                ctx.answer(asked, 200);
                Next::Over(hung_up(asked.message))
            }
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

    /// When to call [`Incoming::on_deadline`].
    pub fn next_deadline(&self) -> Option<Time> {
        match &self.state {
            State::Offered { patience, .. } => Some(*patience),
            State::Answering { success, .. } | State::Hanging { success, .. } => Some(success.next_deadline()),
            State::Gone => None,
        }
    }

    /// Nobody decided, or nobody acknowledged.
    pub fn on_deadline(&mut self, ctx: &mut Ctx<'_>) -> Next {
        match &mut self.state {
            State::Offered { patience, .. } if *patience <= ctx.now => {
                self.turn_away(ctx, 480, Cause::Timeout, "nobody took the call".into())
            }
            State::Answering { success, dialog, .. } => {
                if !success.on_deadline(ctx.now, ctx.out) {
                    return Next::Stay;
                }
                let end = End { cause: Cause::Timeout, code: Some(200), reason: "our 200 was not acknowledged".into() };
                Next::Leaving(Farewell::start(ctx, self.owner, dialog, end))
            }
            State::Hanging { success, dialog, end } => {
                if !success.on_deadline(ctx.now, ctx.out) {
                    return Next::Stay;
                }
                Next::Leaving(Farewell::start(ctx, self.owner, dialog, end.clone()))
            }
            State::Offered { .. } | State::Gone => Next::Stay,
        }
    }

    fn turn_away(&mut self, ctx: &mut Ctx<'_>, code: u16, cause: Cause, reason: String) -> Next {
        self.answer(ctx, code, &[]);
        Next::Over(End { cause, code: Some(code), reason })
    }

    /// Sends a response to the INVITE, with everything one that opens a dialog needs (RFC 3261 §12.1.1).
    fn answer(&mut self, ctx: &mut Ctx<'_>, code: u16, sdp: &[u8]) -> Vec<u8> {
        let asked = Asked { message: &self.invite, tx: self.tx, source: self.source };
        let mut builder = ctx.reply(asked, code).to_tag(&self.tag);
        if code < 300 {
            builder = builder
                .copy(&self.invite, Name::RecordRoute)
                .header(Name::Contact, ctx.contact())
                .header(Name::Allow, ALLOW);
        }
        if !sdp.is_empty() {
            builder = builder.body(SDP, sdp);
        }
        ctx.respond(asked, code, builder)
    }
}

#[cfg(test)]
#[path = "tests/incoming.rs"]
mod tests;
