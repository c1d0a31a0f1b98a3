//! The users of this house at the agent's door: their requests, their phones, the calls to them.
//!
//! Their calls have lines of their own behind the trunks', one a transport, so that a phone reads in our Contact what it
//! is to speak. Nothing of theirs goes over a trunk and nothing of a trunk over them.
//!
//! Easy to get wrong: a question to a stranger is answered from nothing that is kept, or whoever asks often enough would
//! fill the table of transactions; who calls is the name that was signed, never what From says; and what is in a dialog
//! goes where the phone was seen, as the REGISTER did.

use crate::base::{LegId, Outbox, Phone, Time, TrunkId, token};
use crate::sip::agent::{Agent, DialError, MAX_CALLS};
use crate::sip::call::{Call, Phase};
use crate::sip::context::{Asked, Ctx, Line};
use crate::sip::counts::Counts;
use crate::sip::identity::Outside;
use crate::sip::letter::Address;
use crate::sip::message::{reply, reply_to};
use crate::sip::outgoing::{self, Outgoing};
use crate::sip::registrar::{Binding, Denials, House, Registrar, Verdict};
use crate::sip::transactions::{CallKey, Owner};
use crate::sip::{Cause, Event, Hop, Output, Transport, Trunk, handle};
use crate::wire::sip::{Message, Method, Name, Uri};

use rand::Rng as _;

/// The name under which calls of users stand where a trunk's would; no trunk may bear it.
pub const HOUSE_LINE: &str = "registrar";

/// A user, and where the phones are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UserState {
    /// The name.
    pub name: String,
    /// Its phones, the one that is rung first at the front.
    pub phones: Vec<PhoneState>,
}

/// A phone of a user.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PhoneState {
    /// Its Contact.
    pub contact: String,
    /// Where requests to it go.
    pub hop: Hop,
    /// What it calls itself; may be empty.
    pub agent: String,
    /// The registration holds until then.
    pub until: Time,
}

/// A line for the phones that speak over this transport.
fn line(house: &House, over: Transport) -> Option<Line> {
    let id = TrunkId::parse(HOUSE_LINE).ok()?;
    let (domain, username) = (house.realm.clone(), "hansho".to_owned());
    let trunk = Trunk { domain, codecs: house.codecs.clone(), srtp: house.srtp, username, ..Trunk::new(id) };
    Some(Line { house: Some(over), ..Line::new(trunk) })
}

impl Agent {
    /// Makes the agent the registrar of these users.
    pub fn keep_house(&mut self, house: House) {
        self.house_line = self.core.lines.len();
        let outside = Outside::given(house.address);
        let lines = Transport::ALL.into_iter().filter_map(|over| line(&house, over));
        lines.for_each(|line| self.core.add_line(Line { outside, ..line }));
        let mut key = [0; 32];
        self.core.rng.fill_bytes(&mut key);
        let decoy = token(&mut self.core.rng, 32);
        self.registrar = Some(Registrar::new(house, key, decoy));
    }

    /// The user whose phones this address means; `None` where it is for a trunk.
    pub fn user_of(&self, phone: &Phone) -> Option<String> {
        let (registrar, Phone::Uri(uri)) = (self.registrar.as_ref()?, phone) else { return None };
        let uri = Uri::parse(uri).ok().filter(|uri| uri.host.eq_ignore_ascii_case(registrar.realm()))?;
        uri.user.filter(|user| registrar.has(user)).map(str::to_owned)
    }

    /// How the users stand.
    pub fn users(&self) -> impl Iterator<Item = UserState> + '_ {
        let phone = |binding: &Binding| PhoneState {
            contact: binding.contact.clone(),
            hop: binding.hop,
            agent: binding.agent.clone(),
            until: binding.until,
        };
        self.registrar.iter().flat_map(Registrar::users).map(move |(name, phones)| UserState {
            name: name.to_owned(),
            phones: phones.into_iter().map(phone).collect(),
        })
    }

    /// A phone of a former life, as [`Event::UserRegistered`] told it.
    pub fn restore_phone(&mut self, now: Time, user: &str, binding: &str) {
        if let Some(registrar) = &mut self.registrar {
            registrar.restore(now, user, binding);
        }
    }

    /// That phone had gone before the former life ended.
    pub fn forget_phone(&mut self, user: &str, contact: &str) {
        if let Some(registrar) = &mut self.registrar {
            registrar.forget(user, contact);
        }
    }

    /// Rings every phone of a user at once. The text that comes back is what [`Agent::recover`] wants after a crash.
    pub fn dial_user(
        &mut self,
        now: Time,
        leg: LegId,
        user: &str,
        media_port: u16,
        out: &mut Outbox<Output>,
    ) -> Result<String, DialError> {
        let registrar = self.registrar.as_ref().ok_or(DialError::UnknownTrunk)?;
        let phones: Vec<Binding> = registrar.phones(user).into_iter().cloned().collect();
        let to = format!("<sip:{user}@{}>", registrar.realm());
        if self.stopping {
            return Err(DialError::Stopping);
        } else if phones.is_empty() {
            return Err(DialError::NotRegistered);
        } else if self.calls.of_leg(leg).is_some() || !self.forks.phones(leg).is_empty() {
            return Err(DialError::LegInUse);
        } else if self.calls.len() + phones.len() > MAX_CALLS {
            return Err(DialError::Full);
        }
        let (call_id, alone) = (token(&mut self.core.rng, 24), phones.len() == 1);
        let mut rung = Vec::new();
        for phone in phones {
            let own = if alone { leg } else { self.forks.new_leg() };
            let line = self.line_over(phone.hop.transport);
            let terms = self.terms(line, phone.hop, media_port);
            let key = self.calls.new_key();
            let mut ctx = self.core.ctx(now, line, Some(own), out).ok_or(DialError::UnknownTrunk)?;
            let (tag, secret) = (token(ctx.rng, 12), token(ctx.rng, 20));
            let uri = Phone::Uri(phone.uri().into());
            let mut request = outgoing::invite(&ctx, &uri, phone.hop, call_id.clone(), &tag);
            (request.to, request.routes) = (to.clone(), phone.routes());
            let handle = handle::unanswered(&ctx.line.trunk.id, &secret, &request);
            let outgoing = Outgoing::start(&mut ctx, Owner::Call(key), secret, request, terms);
            self.calls.put(key, Call::new(Some(own), line, (call_id.clone(), tag), Phase::Outgoing(outgoing)));
            rung.push((own, handle));
        }
        match rung.pop() {
            Some((_, handle)) if alone => Ok(handle),
            last => {
                rung.extend(last);
                Ok(self.forks.open(leg, rung))
            }
        }
    }

    /// How the phone of a user is reached that is rung first.
    pub(super) fn first_phone(&self, user: &str) -> Option<Address> {
        let phone = self.registrar.as_ref()?.phones(user).into_iter().next()?;
        let (line, uri, routes) = (self.line_over(phone.hop.transport), phone.uri().to_owned(), phone.routes());
        Some(Address { line, hop: phone.hop, uri, routes })
    }

    /// What was counted so far.
    pub fn counts(&self) -> Counts {
        let denials = self.registrar.as_ref().map(Registrar::denials).unwrap_or_default();
        let Denials { wrong: wrong_passwords, replayed: replays, shut_out } = denials;
        Counts { wrong_passwords, replays, shut_out, ..self.counts }
    }

    /// Is it the line of users?
    pub(super) fn is_users(&self, line: usize) -> bool {
        self.core.lines.get(line).is_some_and(|line| line.house.is_some())
    }

    /// A connection is gone, and the phones behind it with it.
    pub(super) fn house_loses(&mut self, hop: Hop, out: &mut Outbox<Output>) {
        self.with_registrar(out, |registrar, told| registrar.on_lost(hop, told));
    }

    /// Phones that did not register again are let go of.
    pub(super) fn house_wakes(&mut self, now: Time, out: &mut Outbox<Output>) {
        self.with_registrar(out, |registrar, told| registrar.on_deadline(now, told));
    }

    fn with_registrar<T>(
        &mut self,
        out: &mut Outbox<Output>,
        tell: impl FnOnce(&mut Registrar, &mut Outbox<Event>) -> T,
    ) -> Option<T> {
        let mut told = Outbox::new();
        let done = self.registrar.as_mut().map(|registrar| tell(registrar, &mut told));
        told.drain().for_each(|event| out.push(Output::Event(event)));
        done
    }

    /// Something happens to one of several phones that ring for a leg: what it tells is told in the leg's name.
    pub(super) fn with_phone(
        &mut self,
        now: Time,
        key: CallKey,
        out: &mut Outbox<Output>,
        handle: impl FnOnce(&mut Call, &mut Ctx<'_>),
    ) {
        let Some(mut call) = self.calls.take(key) else { return };
        let Some(phone) = call.leg else { return self.calls.put(key, call) };
        let mut own = Outbox::new();
        if let Some(mut ctx) = self.core.ctx(now, call.line, call.leg, &mut own) {
            handle(&mut call, &mut ctx);
        }
        let (mut losers, mut why) = (Vec::new(), Cause::Elsewhere);
        for output in own.drain() {
            if let Some(won) = self.forks.on_output(phone, output, out) {
                (call.leg, losers) = (won.leg, won.losers);
                why = if call.leg.is_some() { Cause::Elsewhere } else { Cause::Us };
            }
        }
        self.calls.put(key, call);
        for loser in losers {
            let Some((key, mut call)) = self.calls.of_leg(loser).and_then(|key| Some((key, self.calls.take(key)?)))
            else {
                continue;
            };
            // Nobody hears of it any more.
            call.leg = None;
            if let Some(mut ctx) = self.core.ctx(now, call.line, None, out) {
                call.hang_up_because(&mut ctx, why);
            }
            self.calls.put(key, call);
        }
    }

    /// Does something to the call of a leg, or to those of all the phones that ring for it.
    pub(super) fn with_leg_or_phones(
        &mut self,
        now: Time,
        leg: LegId,
        out: &mut Outbox<Output>,
        handle: impl Fn(&mut Call, &mut Ctx<'_>),
    ) {
        for phone in self.forks.phones(leg) {
            self.with_leg(now, phone, out, &handle);
        }
        self.with_leg(now, leg, out, &handle);
    }

    /// Is this request for the registrar to judge? It belongs to no call.
    pub(super) fn is_of_the_house(&self, from: Hop, request: &Message) -> bool {
        self.registrar.as_ref().is_some_and(|registrar| {
            let there = || registrar.is_there(from.ip()) && self.trunk_at(from.ip(), &[]).is_none();
            request.method() == Method::Register && registrar.allows(from.ip()) || registrar.is_at(from) || there()
        })
    }

    /// A request that belongs to no call, and to none of the trunks.
    pub(super) fn on_house_request(&mut self, now: Time, from: Hop, request: &Message, out: &mut Outbox<Output>) {
        let line = self.line_over(from.transport);
        if request.check().is_err() {
            self.counts.malformed += 1;
            return;
        }
        match request.method() {
            // What was answered belongs to somebody we judged.
            Method::Ack => return self.on_known_request(now, line, None, (from, request), out),
            _ if self.core.transactions.on_copy(request, out) => {
                self.counts.copies += 1;
                return;
            }
            Method::Cancel if self.core.transactions.cancelled_by(request).is_some() => {
                return self.on_known_request(now, line, None, (from, request), out);
            }
            _ => {}
        }
        let judged = self
            .with_registrar(out, |registrar, told| (registrar.judge(now, from, request, told), registrar.tag(request)));
        let Some((verdict, tag)) = judged else { return };
        match verdict {
            Verdict::Silence => self.counts.strangers += 1,
            Verdict::Is(_) => self.on_known_request(now, line, None, (from, request), out),
            Verdict::Ask(questions) => {
                let mut builder = reply(request, from, 401, &self.core.identity).to_tag(&tag);
                for question in questions {
                    builder = builder.header(Name::WwwAuthenticate, question);
                }
                out.push(Output::Send { to: reply_to(request, from), bytes: builder.finish() });
            }
        }
    }

    /// A REGISTER whose signature was right.
    pub(super) fn on_register(&mut self, now: Time, line: usize, asked: Asked<'_>, out: &mut Outbox<Output>) {
        let answer = self.with_registrar(out, |registrar, told| {
            let user = registrar.signed_by(asked.message).unwrap_or_default();
            registrar.on_register(now, &user, asked.source, asked.message, told)
        });
        let Some(answer) = answer else { return };
        let Some(mut ctx) = self.core.ctx(now, line, None, out) else { return };
        let tag = token(ctx.rng, 12);
        let mut builder = ctx.reply(asked, answer.code).to_tag(&tag);
        for (name, value) in answer.headers {
            builder = builder.header(name, value);
        }
        ctx.respond(asked, answer.code, builder);
    }

    /// Who calls over this line, where it is a user's: the address that the request was signed for.
    pub(super) fn signed_caller(&self, line: usize, invite: &Message) -> Option<String> {
        self.core.lines.get(line)?.house?;
        let registrar = self.registrar.as_ref()?;
        Some(format!("sip:{}@{}", registrar.signed_by(invite)?, registrar.realm()))
    }

    /// The line that somebody at this hop would be spoken to over: a trunk's, or the users'.
    pub(super) fn line_at(&self, from: Hop) -> Option<usize> {
        let ours = || self.registrar.as_ref().is_some_and(|registrar| registrar.is_there(from.ip()));
        self.trunk_at(from.ip(), &[]).or_else(|| ours().then(|| self.line_over(from.transport)))
    }

    /// The users' line for this transport.
    fn line_over(&self, over: Transport) -> usize {
        self.house_line + Transport::ALL.iter().position(|known| *known == over).unwrap_or(0)
    }
}

#[cfg(test)]
#[path = "tests/users.rs"]
mod tests;
