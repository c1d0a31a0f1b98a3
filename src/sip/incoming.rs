//! A call from the trunk until our 200 is acknowledged (RFC 3261 §13.3).
//!
//! Easy to get wrong: whoever answered must not say BYE before the ACK came (§15), so a wish to hang up waits
//! for it; an INVITE without SDP asks us for the offer, and the answer comes with the ACK. A caller who demands `100rel`
//! has our 180 until he acknowledges it (RFC 3262 §3), and our 100 never needs it; it would have to hold the offer that he
//! left to us (RFC 3261 §13.2.1), so he hears none. An UPDATE without an offer is
//! answered at any time; one with an offer waits for the answer to the first. Whoever offers again has had our 200, so
//! that a lost ACK keeps nobody waiting.
//!
//! | state | event | next | does |
//! | --- | --- | --- | --- |
//! | Offered | ring | Offered | 180 |
//! | Offered | accept | Answering | 200 |
//! | Offered | refuse | Over | 486, ended Us |
//! | Offered | hang up | Over | 480, ended Us |
//! | Offered | CANCEL | Over | 487, ended Them |
//! | Offered | BYE | Over | 200, 487, ended Them |
//! | Offered | UPDATE | Offered | 200 |
//! | Offered | UPDATE with offer | Offered | 500 |
//! | Offered | INVITE | Offered | 500 |
//! | Offered | PRACK | Offered | 481 |
//! | Offered | INFO | Offered | 200 |
//! | Offered | old number | Offered | 500 |
//! | Offered | other phone | Offered | 481 |
//! | Offered | patience | Over | 480, ended Timeout |
//! | Answering | hang up | Hanging | - |
//! | Answering | ACK | Up | answered |
//! | Answering | BYE | Over | 200, ended Them |
//! | Answering | UPDATE | Answering | 200 |
//! | Answering | UPDATE with offer | Up | answered, 200 |
//! | Answering | INVITE | Up | answered, 200 |
//! | Answering | PRACK | Answering | 481 |
//! | Answering | INFO | Answering | 200 |
//! | Answering | old number | Answering | 500 |
//! | Answering | other phone | Answering | 481 |
//! | Answering | no ACK | Leaving | BYE |
//! | Hanging | ACK | Leaving | BYE |
//! | Hanging | BYE | Over | 200, ended Them |
//! | Hanging | UPDATE | Hanging | 200 |
//! | Hanging | UPDATE with offer | Hanging | 491 |
//! | Hanging | INVITE | Hanging | 491 |
//! | Hanging | PRACK | Hanging | 481 |
//! | Hanging | INFO | Hanging | 200 |
//! | Hanging | old number | Hanging | 500 |
//! | Hanging | other phone | Hanging | 481 |
//! | Hanging | no ACK | Leaving | BYE |

use core::time::Duration;

use rand::RngExt;

use crate::base::{Stream, Time};
use crate::sip::call::Next;
use crate::sip::content::Content;
use crate::sip::context::{Asked, Ctx};
use crate::sip::dialog::Dialog;
use crate::sip::extension::{RELIABLE, requires};
use crate::sip::farewell::Farewell;
use crate::sip::message::{ALLOW, SDP, reply_to};
use crate::sip::refresh::Refresh;
use crate::sip::reliable::Reliable;
use crate::sip::repeat::Repeat;
use crate::sip::session::{Session, grant, granted, hung_up};
use crate::sip::terms::Terms;
use crate::sip::transactions::{Owner, TxId};
use crate::sip::{Cause, End, Event, Hop, handle};
use crate::wire::sip::{Builder, Message, Method, Name, reason_phrase};

/// A call nobody accepts or refuses is refused after this.
pub const PATIENCE: Duration = Duration::from_secs(180);

/// The INVITE and what we said to it.
#[derive(Debug)]
pub struct Incoming {
    owner: Owner,
    invite: Message,
    source: Hop,
    tx: TxId,
    /// Our tag.
    tag: String,
    /// Our 180, where the caller wants to acknowledge it and has not done so yet.
    ringing: Option<Reliable>,
    state: State,
}

#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "a call has one, and calls are few")]
enum State {
    /// Nobody has decided yet.
    Offered { dialog: Dialog, patience: Time },
    /// We said 200. `stream`: what was agreed on; none while the ACK is to bring it.
    Answering { success: Repeat, dialog: Dialog, terms: Terms, stream: Option<Stream> },
    /// We said 200 and want to hang up.
    Hanging { success: Repeat, dialog: Dialog, end: End },
    /// Left for another machine.
    Gone,
}

impl Incoming {
    /// An INVITE to be decided on; `dialog` is what it opens.
    pub fn new(now: Time, owner: Owner, asked: Asked<'_>, tag: String, dialog: Dialog) -> Incoming {
        let state = State::Offered { dialog, patience: now + PATIENCE };
        Incoming { owner, invite: asked.message.clone(), source: asked.source, tx: asked.tx, tag, ringing: None, state }
    }

    /// Where the INVITE came from.
    pub fn source(&self) -> Hop {
        self.source
    }

    /// Tells the caller that it rings.
    pub fn ring(&mut self, ctx: &mut Ctx<'_>) {
        let State::Offered { .. } = self.state else { return };
        if !requires(&self.invite, RELIABLE) {
            self.answer(ctx, 180, &[]);
        } else if self.ringing.is_none() && Content::of(&self.invite) != Content::Nothing {
            // Not near the largest, so that there is room to count on (RFC 3262 §3).
            let rseq = ctx.rng.random_range(1..1_u32 << 31);
            let asked = Asked { message: &self.invite, tx: self.tx, source: self.source };
            let builder = self.opening(ctx, 180).header(Name::Require, RELIABLE).header(Name::RSeq, rseq.to_string());
            let bytes = ctx.respond(asked, 180, builder);
            let (to, seq) = (reply_to(&self.invite, self.source), self.invite.cseq().map_or(0, |cseq| cseq.number));
            self.ringing = Some(Reliable::sent(ctx.now, rseq, seq, to, bytes));
        }
    }

    /// Takes the call; `terms` are ours.
    pub fn accept(&mut self, ctx: &mut Ctx<'_>, mut terms: Terms) -> Next {
        let State::Offered { dialog, .. } = &self.state else { return Next::Stay };
        let dialog = dialog.clone();
        let (sdp, stream) = match Content::of(&self.invite).session().map(|offer| terms.answer(offer)) {
            None => (terms.offer(), None),
            Some(Ok((sdp, stream))) => (sdp, Some(stream)),
            Some(Err(reason)) => return self.turn_away(ctx, 488, Cause::NoCommonCodec, reason),
        };
        let bytes = self.answer(ctx, 200, &sdp);
        let success = Repeat::success(ctx.now, reply_to(&self.invite, self.source), bytes);
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
                let answer = || terms.read_answer(Content::of(ack).session().unwrap_or_default());
                match stream.map_or_else(answer, Ok) {
                    Ok(stream) => Next::Up(self.up(ctx, dialog, terms, stream)),
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
        if let State::Offered { dialog, .. } | State::Answering { dialog, .. } | State::Hanging { dialog, .. } =
            &mut self.state
            && let Err(code) = dialog.admits(asked.message)
        {
            ctx.answer(asked, code);
            return Next::Stay;
        }
        let content = Content::of(asked.message);
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
            (_, Method::Prack) => {
                let meant = self.ringing.take_if(|ringing| ringing.is_meant(asked.message)).is_some();
                ctx.answer(asked, if meant { 200 } else { 481 });
                Next::Stay
            }
            (
                State::Offered { dialog, .. } | State::Answering { dialog, .. } | State::Hanging { dialog, .. },
                Method::Update,
            ) if content == Content::Nothing => {
                dialog.refresh_target(asked.message);
                let builder =
                    ctx.reply(asked, 200).header(Name::Contact, ctx.contact(asked.source)).header(Name::Allow, ALLOW);
                ctx.respond(asked, 200, builder);
                Next::Stay
            }
            // Their own offer, or their own INVITE, has no answer yet (RFC 3311 §5.2, RFC 3261 §14.2).
            (State::Offered { .. }, Method::Invite | Method::Update) => {
                ctx.answer(asked, 500);
                Next::Stay
            }
            // Our 200 came, or there would be no other offer: its ACK was lost or overtaken (RFC 5407 §3.1.4).
            (State::Answering { dialog, terms, stream: Some(stream), .. }, Method::Invite | Method::Update) => {
                let (dialog, terms, stream) = (dialog.clone(), terms.clone(), *stream);
                let mut session = self.up(ctx, dialog, terms, stream);
                match session.on_admitted(ctx, asked) {
                    Next::Stay => Next::Up(session),
                    other => other,
                }
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

    /// What our 200 opened, while nobody has acknowledged it.
    pub fn accepted(&self) -> Option<&Dialog> {
        match &self.state {
            State::Answering { dialog, .. } => Some(dialog),
            State::Offered { .. } | State::Hanging { .. } | State::Gone => None,
        }
    }

    /// When to call [`Incoming::on_deadline`].
    pub fn next_deadline(&self) -> Option<Time> {
        match &self.state {
            State::Offered { patience, .. } => {
                self.ringing.iter().map(Reliable::next_deadline).chain([*patience]).min()
            }
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
            State::Offered { .. } => {
                if !self.ringing.as_mut().is_some_and(|ringing| ringing.on_deadline(ctx.now, ctx.out)) {
                    return Next::Stay;
                }
                self.turn_away(ctx, 504, Cause::Timeout, "our 180 was not acknowledged".into())
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
            State::Gone => Next::Stay,
        }
    }

    fn up(&self, ctx: &mut Ctx<'_>, dialog: Dialog, terms: Terms, stream: Stream) -> Session {
        let handle = handle::answered(&ctx.line.trunk.id, &dialog);
        ctx.tell(|leg| Event::Answered { leg, stream, handle });
        // The interval began with our 200; the way of the ACK is too short to matter.
        let refresh = Refresh::of_invite(ctx.now, &self.invite, granted(&self.invite));
        Session::new(ctx.now, self.owner, dialog, terms, stream, refresh)
    }

    fn turn_away(&mut self, ctx: &mut Ctx<'_>, code: u16, cause: Cause, reason: String) -> Next {
        self.answer(ctx, code, &[]);
        Next::Over(End { cause, code: Some(code), reason })
    }

    /// Sends a response to the INVITE, with everything one that opens a dialog needs (RFC 3261 §12.1.1).
    fn answer(&mut self, ctx: &mut Ctx<'_>, code: u16, sdp: &[u8]) -> Vec<u8> {
        let asked = Asked { message: &self.invite, tx: self.tx, source: self.source };
        let mut builder = self.opening(ctx, code);
        if (200..300).contains(&code) {
            builder = grant(builder, granted(&self.invite));
        }
        if !sdp.is_empty() {
            builder = builder.body(SDP, sdp);
        }
        ctx.respond(asked, code, builder)
    }

    fn opening(&self, ctx: &Ctx<'_>, code: u16) -> Builder {
        let asked = Asked { message: &self.invite, tx: self.tx, source: self.source };
        let builder = ctx.reply(asked, code).to_tag(&self.tag);
        if code >= 300 {
            return builder;
        }
        builder
            .copy(&self.invite, Name::RecordRoute)
            .header(Name::Contact, ctx.contact(self.source))
            .header(Name::Allow, ALLOW)
    }
}

#[cfg(test)]
#[path = "tests/incoming.rs"]
mod tests;
