//! What happens to a datagram: whose it is, and what is answered when it is nobody's.
//!
//! Easy to get wrong: a request in a dialog we know may come from anywhere (its tags cannot be guessed), every
//! other one only from a trunk, or signed by a user of ours; an ACK is never answered, whatever is wrong with it; a 200 to
//! an INVITE we forgot is acknowledged and ended with BYE, or a phone that a former life rang stays up.

use core::net::{IpAddr, SocketAddr};

use crate::base::{LegId, Outbox, Time, token};
use crate::sip::agent::{Agent, MAX_CALLS};
use crate::sip::call::{Call, Phase};
use crate::sip::content::Content;
use crate::sip::context::{Asked, Line};
use crate::sip::dialog::Dialog;
use crate::sip::extension::unsupported;
use crate::sip::farewell::Farewell;
use crate::sip::incoming::Incoming;
use crate::sip::interval;
use crate::sip::message::{SDP, reply, reply_to};
use crate::sip::registrar::way;
use crate::sip::transactions::{Arrival, CallKey, Heard, Owner, TxId};
use crate::sip::{Cause, End, Event, Hop, Output, attempt, capabilities, letter, rates};
use crate::wire::sip::{Malformed, Message, Method, Name, NameAddr, Uri};
use crate::wire::stun::is_stun;

/// A longer datagram is answered 513 and forgotten: parts of each request are kept for half a minute, and real ones are a
/// tenth of this.
const MAX_DATAGRAM: usize = 16_384;
/// One INVITE was not acknowledged with more PRACKs than this.
const PRACKS_MAX: u32 = 1_000;

impl Agent {
    /// A message arrived.
    pub fn on_datagram(&mut self, now: Time, from: impl Into<Hop>, bytes: &[u8], out: &mut Outbox<Output>) {
        let from = from.into();
        if bytes.len() > MAX_DATAGRAM {
            return self.on_unreadable(from, bytes, Malformed::TooLong(bytes.len()), out);
        }
        if is_stun(bytes) {
            return self.on_stun(from, bytes, out);
        }
        let read = Message::parse(bytes);
        // What nobody can read says nothing for whoever sent it: the connection breaks for it.
        if from.is_reliable() && matches!(read, Ok(_) | Err(Malformed::KeepAlive)) {
            self.core.lines.iter_mut().for_each(|line| line.targets.hears(from));
        }
        match read {
            Err(Malformed::KeepAlive) => {}
            Err(fault) => self.on_unreadable(from, bytes, fault, out),
            Ok(message) if message.is_request() => self.on_request(now, from, &message, out),
            Ok(message) => self.on_response(now, from, &message, out),
        }
    }

    /// A trunk's request that cannot be read is told so, where there is enough of it for an answer.
    fn on_unreadable(&mut self, from: Hop, bytes: &[u8], fault: Malformed, out: &mut Outbox<Output>) {
        self.counts.malformed += 1;
        if self.trunk_at(from.ip(), &[]).is_some()
            && let Some(request) = Message::salvage(bytes)
        {
            self.refuse_malformed(from, &request, fault, out);
        }
    }

    fn refuse_malformed(&mut self, from: Hop, request: &Message, fault: Malformed, out: &mut Outbox<Output>) {
        let Some(code) = fault.status().filter(|_| request.method() != Method::Ack) else { return };
        let tag = token(&mut self.core.rng, 12);
        let builder = reply(request, from, code, &self.core.identity).reason(&fault.to_string()).to_tag(&tag);
        out.push(Output::Send { to: reply_to(request, from), bytes: builder.finish() });
    }

    fn on_response(&mut self, now: Time, from: Hop, response: &Message, out: &mut Outbox<Output>) {
        if response.check().is_err() {
            self.counts.malformed += 1;
            return;
        }
        let answer = matches!(response.code(), Some(200..300)) && response.method() == Method::Invite;
        let heard = self.core.transactions.on_response(now, response, out);
        if let Heard::For(owner, tx, hop) = heard {
            let its_own = self.speaks_for_trunk(owner, tx);
            self.note_health(now, hop, response, its_own, out);
        }
        match heard {
            Heard::Copy => self.counts.copies += 1,
            Heard::For(Owner::Registration(place), tx, hop) => {
                self.with_registration(now, place, out, |known, ctx| known.on_response(ctx, tx, response));
                self.note_seen(now, place, hop, response, out);
            }
            Heard::For(Owner::Call(key), tx, _) => {
                let waits = self.calls.get(key).is_some_and(|call| call.waits_for(tx));
                if answer && !waits {
                    self.end_other_phone(now, from, tx, response, out);
                } else {
                    self.with(now, key, out, |call, ctx| call.on_response(ctx, tx, response));
                }
            }
            Heard::For(Owner::Health(place), tx, hop) => {
                self.with_health(now, place, out, |health, ctx| health.on_response(ctx, tx, response));
                self.note_seen(now, place, hop, response, out);
            }
            Heard::For(Owner::Message(number), tx, _) => self.letter_answered(now, number, tx, response, out),
            Heard::For(Owner::Nobody, ..) => {}
            Heard::Unknown if answer && self.is_ours(from, response) && self.line_at(from).is_some() => {
                self.end_stray(now, from, response, out);
            }
            Heard::Unknown => self.counts.unknown += 1,
        }
    }

    /// A second phone answered an INVITE that one has answered already, or that we gave up.
    fn end_other_phone(&mut self, now: Time, from: Hop, tx: TxId, response: &Message, out: &mut Outbox<Output>) {
        let Some(dialog) = Dialog::of_stray(response, from) else { return };
        let line = self.line_at(from).unwrap_or(0);
        let Some(ctx) = self.core.ctx(now, line, None, out) else { return };
        let ack = dialog.ack(dialog.seq);
        let bytes = ack.bytes(ctx.identity, &attempt::branch(&token(ctx.rng, 16), 1), &[]);
        ctx.transactions.acknowledge(tx, dialog.remote_tag(), ack.hop, bytes, ctx.out);
        self.say_goodbye(now, line, dialog, out);
    }

    /// Was the request sent from here (RFC 3261 §8.1.3.3, §18.1.2)? The branch of one that we remember says enough;
    /// some routers on the way rewrite our address and forget to write it back.
    fn is_ours(&self, from: Hop, response: &Message) -> bool {
        let port = from.transport.port();
        let sent_by = response.via().ok().and_then(|via| {
            let ip: IpAddr = via.host_str().parse().ok()?;
            Some(SocketAddr::new(ip, via.port.unwrap_or(port)))
        });
        let is_ours = |address| {
            let mut all = self.core.identities.iter().chain([&self.core.identity]);
            all.any(|identity| identity.is_at(from.transport, address))
        };
        response.list(&Name::Via).count() == 1 && sent_by.is_some_and(is_ours)
    }

    /// A 200 to an INVITE of a former life.
    fn end_stray(&mut self, now: Time, from: Hop, response: &Message, out: &mut Outbox<Output>) {
        let line = self.line_at(from).unwrap_or(0);
        let Some(dialog) = Dialog::of_stray(response, from) else {
            self.counts.malformed += 1;
            return;
        };
        self.counts.strays += 1;
        let Some(ctx) = self.core.ctx(now, line, None, out) else { return };
        let ack = dialog.ack(dialog.seq);
        let bytes = ack.bytes(ctx.identity, &attempt::branch(&token(ctx.rng, 16), 1), &[]);
        ctx.out.push(Output::Send { to: ack.hop, bytes });
        // A copy of a 200 whose BYE is under way wants its ACK and no other BYE.
        if self.calls.of_dialog(&dialog.call_id, dialog.local_tag()).is_none() {
            self.say_goodbye(now, line, dialog, out);
        }
    }

    fn say_goodbye(&mut self, now: Time, line: usize, mut dialog: Dialog, out: &mut Outbox<Output>) {
        if self.calls.len() >= MAX_CALLS {
            self.counts.refused += 1;
            return;
        }
        let key = self.calls.new_key();
        let Some(mut ctx) = self.core.ctx(now, line, None, out) else { return };
        let name = (dialog.call_id.clone(), dialog.local_tag().to_owned());
        // PRACKs to this telephone have taken numbers that nobody counts any more.
        dialog.seq = dialog.seq.saturating_add(PRACKS_MAX);
        let end = End { cause: Cause::Us, code: Some(200), reason: "nobody waits for this call".to_owned() };
        let farewell = Farewell::start(&mut ctx, Owner::Call(key), &mut dialog, end);
        self.calls.put(key, Call::new(None, line, name, Phase::Leaving(farewell)));
    }

    fn on_request(&mut self, now: Time, from: Hop, request: &Message, out: &mut Outbox<Output>) {
        let tag = request.to().ok().and_then(|to| to.tag());
        let call = tag.and_then(|tag| self.calls.of_dialog(request.call_id().unwrap_or_default(), tag));
        // Some trunks dial the account, some the number that was dialled with the account in To.
        let whom = [request.uri().and_then(name_in), request.to().ok().and_then(|to| name_in(to.uri))];
        let whom = whom.map(Option::unwrap_or_default);
        let line = call.and_then(|key| self.calls.get(key)).map(|call| call.line);
        if line.is_none() && self.is_of_the_house(from, request) {
            return self.on_house_request(now, from, request, out);
        }
        // Who calls over a trunk that is gone meanwhile may still give it up.
        let retired = || self.retired_at(from.ip()).filter(|_| request.method() == Method::Cancel);
        let Some(line) = line.or_else(|| self.trunk_at(from.ip(), &whom)).or_else(retired) else {
            // The call may be over and the copy of its BYE still to be answered.
            if self.core.transactions.on_copy(request, out) {
                self.counts.copies += 1;
            } else {
                self.counts.strangers += 1;
            }
            return;
        };
        self.on_known_request(now, line, call, (from, request), out);
    }

    /// A request of somebody who may ask for something, over this line, in this call of ours or in none.
    pub(super) fn on_known_request(
        &mut self,
        now: Time,
        line: usize,
        call: Option<CallKey>,
        (from, request): (Hop, &Message),
        out: &mut Outbox<Output>,
    ) {
        let tag = request.to().ok().and_then(|to| to.tag());
        if let Err(fault) = request.check() {
            self.counts.malformed += 1;
            if request.header(&Name::Via).is_some() {
                self.refuse_malformed(from, request, fault, out);
            }
            return;
        }
        if request.method() == Method::Ack {
            return self.on_ack(now, call, request, out);
        }
        // Registrations have rules of their own, and whoever cancels asks for less.
        let is_held = call.is_none() && !matches!(request.method(), Method::Register | Method::Cancel);
        let rate = Some(if self.is_users(line) { rates::PHONES } else { rates::TRUNKS }).filter(|_| is_held);
        let is_spent = rate.is_some_and(|rate| self.rates.is_spent(now, from.ip(), rate));
        let (reply_to, transactions) = (reply_to(request, from), &mut self.core.transactions);
        let arrival = match call {
            Some(_) => transactions.on_request_of_call(request, reply_to, out),
            None if is_spent && !transactions.on_copy(request, out) => Arrival::Full,
            None if is_spent => Arrival::Copy,
            None => transactions.on_request(request, reply_to, out),
        };
        if let (Some(rate), Arrival::New(_)) = (rate, &arrival) {
            self.rates.count(now, from.ip(), rate);
        }
        let (tx, merged) = match arrival {
            Arrival::Copy => {
                self.counts.copies += 1;
                return;
            }
            Arrival::Full => {
                self.counts.refused += 1;
                let tag = token(&mut self.core.rng, 12);
                let builder = reply(request, from, 503, &self.core.identity).to_tag(&tag);
                let bytes = builder.header(Name::RetryAfter, "10").finish();
                out.push(Output::Send { to: reply_to, bytes });
                return;
            }
            Arrival::New(tx) => (tx, false),
            Arrival::Merged(tx) => (tx, true),
        };
        let asked = Asked { message: request, tx, source: from };
        if merged {
            return self.answer(now, line, asked, 482, out);
        }
        match call {
            _ if request.method() == Method::Cancel => self.on_cancel(now, line, asked, out),
            _ if unsupported(request).is_some() => self.answer(now, line, asked, 420, out),
            Some(key) => self.with(now, key, out, |call, ctx| call.on_request(ctx, asked)),
            None if tag.is_some() => self.answer(now, line, asked, 481, out),
            None => self.on_out_of_dialog(now, line, asked, out),
        }
    }

    fn on_ack(&mut self, now: Time, call: Option<CallKey>, ack: &Message, out: &mut Outbox<Output>) {
        if self.core.transactions.on_ack(now, ack) {
            return;
        }
        match call {
            Some(key) => self.with(now, key, out, |call, ctx| call.on_ack(ctx, ack)),
            None => self.counts.unknown += 1,
        }
    }

    fn on_cancel(&mut self, now: Time, line: usize, asked: Asked<'_>, out: &mut Outbox<Output>) {
        match self.core.transactions.cancelled_by(asked.message) {
            None => self.answer(now, line, asked, 481, out),
            Some((_, owner)) => {
                self.answer(now, line, asked, 200, out);
                if let Owner::Call(key) = owner {
                    self.with(now, key, out, |call, ctx| call.on_cancel(ctx, asked.message));
                }
            }
        }
    }

    fn on_out_of_dialog(&mut self, now: Time, line: usize, asked: Asked<'_>, out: &mut Outbox<Output>) {
        let scheme = asked.message.uri().and_then(|uri| Uri::parse(uri).ok()).map_or("", |uri| uri.scheme);
        // Max-Forwards is for proxies: whatever reached us needs no hop more (RFC 4475 §3.3.11).
        match asked.message.method() {
            // RFC 3261 §8.2.2.1.
            _ if !["sip", "sips", "tel"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) => {
                self.answer(now, line, asked, 416, out);
            }
            Method::Options => {
                let Some(mut ctx) = self.core.ctx(now, line, None, out) else { return };
                let tag = token(ctx.rng, 12);
                let builder = capabilities(ctx.reply(asked, 200)).to_tag(&tag);
                ctx.respond(asked, 200, builder);
            }
            Method::Register if self.is_users(line) => self.on_register(now, line, asked, out),
            // From is no proof of who writes.
            Method::Message if self.is_users(line) => self.answer(now, line, asked, 405, out),
            Method::Invite => self.on_invite(now, line, asked, out),
            Method::Bye | Method::Update | Method::Info | Method::Prack => self.answer(now, line, asked, 481, out),
            Method::Message => {
                if let Some(mut ctx) = self.core.ctx(now, line, None, out) {
                    letter::take(&mut ctx, asked);
                }
            }
            Method::Notify => self.answer(now, line, asked, 489, out),
            // RFC 3261 §8.2.1 knows methods that are not allowed, §21.5.2 those that nobody here has heard of.
            Method::Other(_) => self.answer(now, line, asked, 501, out),
            _ => self.answer(now, line, asked, 405, out),
        }
    }

    fn on_invite(&mut self, now: Time, line: usize, asked: Asked<'_>, out: &mut Outbox<Output>) {
        let invite = asked.message;
        if self.stopping {
            return self.answer(now, line, asked, 480, out);
        }
        if self.calls.len() >= MAX_CALLS {
            self.counts.refused += 1;
            return self.answer(now, line, asked, 503, out);
        }
        let content = Content::of(invite);
        if content == Content::Foreign {
            return self.answer(now, line, asked, 415, out);
        }
        // RFC 3261 §21.4.7: whoever calls must be able to read our answer.
        let reads = |kind: &str| {
            let kind = kind.split(';').next().unwrap_or(kind).trim();
            [SDP, "application/*", "*/*"].iter().any(|known| kind.eq_ignore_ascii_case(known))
        };
        let mut accepts = invite.list(&Name::Accept).peekable();
        if accepts.peek().is_some() && !accepts.any(reads) {
            return self.answer(now, line, asked, 406, out);
        }
        if interval::asked(invite) == interval::Asked::TooShort {
            return self.answer(now, line, asked, 422, out);
        }
        let tag = token(&mut self.core.rng, 12);
        let Some(mut dialog) = Dialog::of_invite(invite, &tag, asked.source) else {
            return self.answer(now, line, asked, 400, out);
        };
        let signed = self.signed_caller(line, invite);
        if signed.is_some() {
            (dialog.direct, dialog.fallback) = (true, way(asked.source, &dialog.target));
        }
        // The port is not known yet and does not matter for whether there is anything to agree on.
        let judged =
            content.session().map_or(Ok(()), |offer| self.terms(line, asked.source, 9).answer(offer).map(drop));
        if let Err(why) = judged {
            let Some(mut ctx) = self.core.ctx(now, line, None, out) else { return };
            return ctx.refuse_offer(asked, &why);
        }
        let key = self.calls.new_key();
        let leg = self.last_incoming;
        self.last_incoming = LegId(leg.0.saturating_sub(1));
        self.core.transactions.give(asked.tx, Owner::Call(key));
        let Some(mut ctx) = self.core.ctx(now, line, Some(leg), out) else { return };
        let trying = ctx.reply(asked, 100);
        ctx.respond(asked, 100, trying);
        let trunk = ctx.line.trunk.id.clone();
        let to = invite.to().ok().and_then(|to| user_of(to.uri)).unwrap_or_default();
        let caller = signed.unwrap_or_else(|| caller(invite));
        let event = Event::Incoming { leg, trunk, caller, dialled: dialled(invite), to };
        out.push(Output::Event(event));
        let incoming = Incoming::new(now, Owner::Call(key), asked, tag.clone(), dialog);
        let name = (invite.call_id().unwrap_or_default().to_owned(), tag);
        self.calls.put(key, Call::new(Some(leg), line, name, Phase::Incoming(incoming)));
    }

    /// Answers a request that belongs to no call.
    fn answer(&mut self, now: Time, line: usize, asked: Asked<'_>, code: u16, out: &mut Outbox<Output>) {
        if let Some(mut ctx) = self.core.ctx(now, line, None, out) {
            ctx.answer(asked, code);
        }
    }

    /// May somebody at this address have something to say to us?
    pub fn knows(&self, ip: IpAddr) -> bool {
        self.trunk_at(ip, &[]).is_some()
            || self.retired_at(ip).is_some()
            || self.registrar.as_ref().is_some_and(|registrar| registrar.allows(ip))
    }

    /// The trunk that may call us from this address; of several, the one whose account or number was dialled. Of these
    /// names the first counts that is one.
    pub(super) fn trunk_at(&self, ip: IpAddr, dialled: &[&str]) -> Option<usize> {
        let ip = ip.to_canonical();
        let found = self.core.lines.iter().enumerate().filter(|(_, line)| line.is_configured() && line.is_at(ip));
        let is_named = |line: &Line, name: &str| {
            line.trunk.username == name || line.trunk.caller_id.as_ref().is_some_and(|number| number == name)
        };
        let named = |line: &Line| dialled.iter().position(|name| is_named(line, name)).unwrap_or(dialled.len());
        found.min_by_key(|(_, line)| (named(line), line.rank)).map(|(place, _)| place)
    }
}

/// Who calls, as the trunk states it: P-Asserted-Identity (RFC 3325 §9.1) before From.
pub(super) fn caller(invite: &Message) -> String {
    let asserted = invite.list(&Name::PAssertedIdentity).find_map(|value| user_of(NameAddr::parse(value).ok()?.uri));
    let stated = || invite.from().ok().and_then(|from| user_of(from.uri));
    asserted.or_else(stated).unwrap_or_default()
}

/// The name before the `@`.
fn name_in(uri: &str) -> Option<&str> {
    Uri::parse(uri).ok()?.user
}

/// Whom they dialled.
fn dialled(invite: &Message) -> String {
    invite.uri().and_then(user_of).unwrap_or_default()
}

/// Never with a colon, which stands in what users of ours have signed and in nothing else: a URI of a scheme that we do
/// not know is a user part from its colon on, and could claim to be one of them.
fn user_of(uri: &str) -> Option<String> {
    let uri = Uri::parse(uri).ok()?;
    uri.user.filter(|user| !user.is_empty() && !user.contains(':')).map(str::to_owned)
}
