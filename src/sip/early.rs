//! The telephones that ring for one INVITE of ours: an early dialog for each (RFC 3261 §12.1, RFC 3262 §4).
//!
//! A provisional response that demands it is acknowledged with PRACK, in the dialog it opens. What it answers to our
//! offer holds when the 200 of the same telephone says nothing.
//!
//! Easy to get wrong: each dialog counts RSeq for itself, from whatever its first response says; a number that is not
//! the next one is a copy or came too early, and is not looked at (the far end sends it again); the PRACKs take numbers
//! of the dialog, so the first request after the 200 goes on behind them; only the answer in a reliable response closes
//! offer and answer, so only then may an UPDATE bring another offer (RFC 3311 §5.2).
//!
//! | state | event | next | does |
//! | --- | --- | --- | --- |
//! | Unknown | 180 | Plain | - |
//! | Unknown | reliable 1 | Acked 1 | PRACK |
//! | Plain | reliable 1 | Acked 1 | PRACK |
//! | Plain | UPDATE | Plain | 200 |
//! | Plain | UPDATE with offer | Plain | 491 |
//! | Acked 1 | reliable 2 | Acked 2 | PRACK |
//! | Acked 1 | 401 | Acked 1 | PRACK |
//! | Acked 1 | UPDATE | Acked 1 | 200 |
//! | Acked 1 | UPDATE with offer | Acked 1 | 200 |
//! | Acked 1 | UPDATE without common codec | Acked 1 | 488 |
//! | Acked 1 | old number | Acked 1 | 500 |

use crate::base::{Stream, token};
use crate::sip::attempt::Attempt;
use crate::sip::content::Content;
use crate::sip::context::{Asked, Ctx};
use crate::sip::dialog::Dialog;
use crate::sip::extension::{RELIABLE, requires};
use crate::sip::message::{ALLOW, Request, SDP};
use crate::sip::terms::Terms;
use crate::sip::transactions::{Owner, TxId};
use crate::wire::sip::{Message, Name};

/// As many telephones behind one number may ring with a dialog of their own.
const MAX_EARLY: usize = 8;

/// Every early dialog of one INVITE.
#[derive(Debug, Default)]
pub struct Early {
    phones: Vec<Phone>,
}

#[derive(Debug)]
struct Phone {
    /// The tag in its To.
    tag: String,
    dialog: Dialog,
    /// What it answered to our offer.
    stream: Option<Stream>,
    /// The answer came reliably: offer and answer are complete.
    agreed: bool,
    acked: Option<Acked>,
}

/// The last reliable response, and our PRACK to it.
#[derive(Debug)]
struct Acked {
    rseq: u32,
    prack: Attempt,
}

impl Early {
    /// A provisional response came; false when it is not to be looked at.
    pub fn on_provisional(
        &mut self,
        ctx: &mut Ctx<'_>,
        owner: Owner,
        invite: &Request,
        terms: &Terms,
        response: &Message,
    ) -> bool {
        let tag = response.to().ok().and_then(|to| to.tag()).unwrap_or_default();
        if tag.is_empty() || response.code() == Some(100) {
            return true;
        }
        let place = match self.phones.iter().position(|phone| phone.tag == tag) {
            Some(place) => place,
            None if self.phones.len() >= MAX_EARLY => return true,
            None => {
                let mut dialog = Dialog::of_response(invite, response);
                dialog.direct |= ctx.line.house.is_some();
                // One telephone rings as a rule, and it is large.
                self.phones.reserve_exact(1);
                self.phones.push(Phone { tag: tag.to_owned(), dialog, stream: None, agreed: false, acked: None });
                self.phones.len() - 1
            }
        };
        let Some(phone) = self.phones.get_mut(place) else { return true };
        let reliable = requires(response, RELIABLE).then(|| number(response.header(&Name::RSeq)?)).flatten();
        if let Some(rseq) = reliable {
            let next = phone.acked.as_ref().is_none_or(|acked| acked.rseq.checked_add(1) == Some(rseq));
            if !next {
                return false;
            }
            phone.acknowledge(ctx, owner, invite.seq, rseq, response);
        }
        // What is agreed on is changed by another offer and by nothing else (RFC 3261 §13.2.1).
        if !phone.agreed
            && let Some(answer) = Content::of(response).session()
            && let Ok(stream) = terms.read_answer(answer)
        {
            phone.stream = Some(stream);
            phone.agreed |= reliable.is_some();
        }
        true
    }

    /// What the telephone with this tag has answered to our offer by its 200, which holds this.
    pub fn answered(&self, tag: &str, terms: &Terms, content: Content<'_>) -> Result<Stream, String> {
        match (self.phone(tag), content.session()) {
            // The first answer that came for certain is the answer, whatever is said behind it (RFC 3261 §13.2.1).
            (Some(Phone { stream: Some(stream), agreed: true, .. }), _)
            | (Some(Phone { stream: Some(stream), .. }), None) => Ok(*stream),
            (_, answer) => terms.read_answer(answer.unwrap_or_default()),
        }
    }

    /// The dialog that a 200 opens, behind the numbers that were used while it rang.
    pub fn confirmed(&self, invite: &Request, answer: &Message) -> Dialog {
        let dialog = Dialog::of_response(invite, answer);
        match self.phone(dialog.remote_tag()) {
            None => dialog,
            Some(phone) => {
                let seq = dialog.seq.max(phone.dialog.seq);
                Dialog { seq, remote_seq: phone.dialog.remote_seq, ..dialog }
            }
        }
    }

    /// A response that is none to the INVITE: to a PRACK, perhaps.
    pub fn on_response(&mut self, ctx: &mut Ctx<'_>, tx: TxId, response: &Message) {
        let Some(phone) = self.phones.iter_mut().find(|phone| phone.carries(tx)) else { return };
        if let (Some(401 | 407), Some(acked)) = (response.code(), &mut phone.acked) {
            // A PRACK that is refused for good is not heard; then the far end gives the call up.
            let _ = acked.prack.on_challenge_in(ctx, &mut phone.dialog, response);
        }
    }

    /// An UPDATE came; false when it is none of a telephone that rings.
    pub fn on_update(&mut self, ctx: &mut Ctx<'_>, terms: &mut Terms, asked: Asked<'_>) -> bool {
        let theirs = asked.message.from().ok().and_then(|from| from.tag()).unwrap_or_default();
        let Some(phone) = self.phones.iter_mut().find(|phone| phone.tag == theirs) else { return false };
        if !asked.message.cseq().is_ok_and(|cseq| phone.dialog.takes(cseq.number)) {
            ctx.answer(asked, 500);
            return true;
        }
        let builder = ctx.reply(asked, 200).header(Name::Contact, ctx.contact(asked.source)).header(Name::Allow, ALLOW);
        match Content::of(asked.message) {
            Content::Nothing => {
                phone.dialog.refresh_target(asked.message);
                ctx.respond(asked, 200, builder);
            }
            Content::Foreign => ctx.answer(asked, 415),
            Content::Session(_) if !phone.agreed => ctx.answer(asked, 491),
            Content::Session(offer) => match terms.answer(offer) {
                Ok((sdp, stream)) => {
                    phone.dialog.refresh_target(asked.message);
                    phone.stream = Some(stream);
                    ctx.respond(asked, 200, builder.body(SDP, &sdp));
                }
                Err(why) => ctx.refuse_offer(asked, &why),
            },
        }
        true
    }

    fn phone(&self, tag: &str) -> Option<&Phone> {
        self.phones.iter().find(|phone| phone.tag == tag)
    }
}

impl Phone {
    fn acknowledge(&mut self, ctx: &mut Ctx<'_>, owner: Owner, invite_seq: u32, rseq: u32, response: &Message) {
        self.dialog.refresh_target(response);
        let mut prack = self.dialog.request(crate::wire::sip::Method::Prack);
        prack.headers.push((Name::RAck, format!("{rseq} {invite_seq} INVITE")));
        let secret = token(ctx.rng, 16);
        self.acked = Some(Acked { rseq, prack: Attempt::send(ctx, owner, secret, prack) });
    }

    fn carries(&self, tx: TxId) -> bool {
        self.acked.as_ref().is_some_and(|acked| acked.prack.tx() == tx)
    }
}

fn number(text: &str) -> Option<u32> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten().filter(|number| *number > 0)
}

#[cfg(test)]
#[path = "tests/early.rs"]
mod tests;
