//! The registration at one trunk (RFC 3261 §10.2): won, kept, won back, given up at the end.
//!
//! It never gives up by itself: a trunk that is away is tried again, later and later, at most a minute
//! apart; one that refuses us, at most five minutes apart.
//!
//! Easy to get wrong: a registrar answers with every binding of the account, and only our own expiry counts;
//! it may grant less than was asked; where it grants more, we come again as if it had not, because nobody else hears that
//! a registrar lost its memory; 423 names the least it grants; all REGISTERs of one life share a Call-ID and their CSeq
//! only rises.
//!
//! | state | event | next | does |
//! | --- | --- | --- | --- |
//! | Away | address | Trying | REGISTER |
//! | Away | no address | Away | failed |
//! | Away | stop | Left | - |
//! | Trying | 200 | Registered | registered |
//! | Trying | 401 | Trying | REGISTER |
//! | Trying | 423 | Trying | REGISTER |
//! | Trying | 503 | Waiting | failed |
//! | Trying | no answer | Waiting | failed |
//! | Trying | settings | Trying | REGISTER |
//! | Trying | stop | Leaving | REGISTER |
//! | Registered | address | Trying | REGISTER |
//! | Registered | time | Trying | REGISTER |
//! | Registered | lost | Waiting | - |
//! | Registered | settings | Trying | REGISTER |
//! | Registered | stop | Leaving | REGISTER |
//! | Waiting | address | Trying | REGISTER |
//! | Waiting | time | Trying | REGISTER |
//! | Waiting | settings | Trying | REGISTER |
//! | Waiting | stop | Left | - |
//! | Leaving | 200 | Left | - |
//! | Leaving | 401 | Leaving | REGISTER |
//! | Leaving | 423 | Left | - |
//! | Leaving | 503 | Left | - |
//! | Leaving | no answer | Left | - |

use core::net::SocketAddr;
use core::time::Duration;

use rand::RngExt;

use crate::base::{Time, token};
use crate::sip::attempt::Attempt;
use crate::sip::context::Ctx;
use crate::sip::message::{Request, reason_of, user_part};
use crate::sip::reroute::HASTE;
use crate::sip::transactions::{Owner, TxId};
use crate::sip::{Event, Hop, Output};
use crate::wire::sip::{Message, Method, Name, NameAddr, Uri};

/// A trunk that asks us to stay away longer than this is asked again all the same.
const LONGEST_RETRY_AFTER_S: u32 = 3_600;
/// The least time between two registrations that only say that we are elsewhere.
const MOVES_APART: Duration = Duration::from_secs(60);
/// What a registrar may demand at least; more is nonsense.
const LONGEST_MIN_EXPIRES_S: u32 = 86_400;
/// More proxies on the way out than this, or one with a longer URI, are not asked to pass our requests on.
const ROUTES_MAX: usize = 8;
const ROUTE_MAX: usize = 255;

/// A registration.
#[derive(Debug)]
pub struct Registration {
    owner: Owner,
    call_id: String,
    tag: String,
    seq: u32,
    expires_s: u32,
    failures: u32,
    /// Until when the trunk will ring us. It outlives states: a refresh that fails does not end it.
    granted_until: Option<Time>,
    last: Option<(Option<u16>, String)>,
    /// The target that granted it.
    at: Option<Hop>,
    /// The Contact that is bound there.
    bound: Option<String>,
    /// When that became another one last.
    moved: Option<Time>,
    seen_as: Option<SocketAddr>,
    state: State,
}

#[derive(Debug)]
enum State {
    /// The trunk's address is not known.
    Away,
    /// REGISTER is under way.
    Trying(Attempt),
    /// Registered; the refresh is due then.
    Registered { refresh: Time },
    /// Refused, or unheard; tried again then.
    Waiting { retry: Time },
    /// We take our leave.
    Leaving(Attempt),
    /// We are gone.
    Left,
}

impl Registration {
    /// A registration that waits for the trunk's address.
    pub fn new(owner: Owner, expires_s: u32, call_id: String, tag: String) -> Registration {
        Registration {
            owner,
            call_id,
            tag,
            seq: 0,
            expires_s: expires_s.max(1),
            failures: 0,
            granted_until: None,
            last: None,
            at: None,
            bound: None,
            moved: None,
            seen_as: None,
            state: State::Away,
        }
    }

    /// The trunk's address is known, or has changed.
    pub fn on_address(&mut self, ctx: &mut Ctx<'_>) {
        match self.state {
            State::Away | State::Registered { .. } | State::Waiting { .. } => self.try_now(ctx),
            State::Trying(_) | State::Leaving(_) | State::Left => {}
        }
    }

    /// The trunk's name could not be looked up.
    pub fn on_no_address(&mut self, ctx: &mut Ctx<'_>, reason: String) {
        if let State::Away = self.state {
            self.fail(ctx, None, reason, 0);
            self.state = State::Away;
        }
    }

    /// The account has another password, or another expiry is wanted. What is under way was asked with the old ones, and
    /// its answer counts no more.
    pub fn on_settings(&mut self, ctx: &mut Ctx<'_>) {
        self.expires_s = ctx.line.trunk.expires_s.max(1);
        self.failures = 0;
        match self.state {
            State::Trying(_) | State::Registered { .. } | State::Waiting { .. } => self.try_now(ctx),
            State::Away | State::Leaving(_) | State::Left => {}
        }
    }

    /// De-registers.
    pub fn stop(&mut self, ctx: &mut Ctx<'_>) {
        match self.state {
            State::Trying(_) | State::Registered { .. } => {
                let attempt = self.register(ctx, 0);
                self.state = State::Leaving(attempt);
            }
            State::Away | State::Waiting { .. } => self.state = State::Left,
            State::Leaving(_) | State::Left => {}
        }
    }

    /// A response to our REGISTER.
    pub fn on_response(&mut self, ctx: &mut Ctx<'_>, tx: TxId, response: &Message) {
        let Some(code) = response.code().filter(|code| *code >= 200) else { return };
        match &mut self.state {
            State::Trying(attempt) if attempt.tx() == tx => match code {
                200..300 => self.on_success(ctx, response),
                401 | 407 => {
                    if let Err(reason) = attempt.on_challenge(ctx, response) {
                        self.fail(ctx, Some(code), reason, 0);
                    }
                }
                423 => self.on_too_brief(ctx, response),
                300..=399 => self.fail(ctx, Some(code), elsewhere(response), 0),
                _ => {
                    let retry_after = response.retry_after().unwrap_or(0);
                    self.fail(ctx, Some(code), reason_of(response), retry_after);
                }
            },
            State::Leaving(attempt) if attempt.tx() == tx => {
                let again = matches!(code, 401 | 407) && attempt.on_challenge(ctx, response).is_ok();
                if !again {
                    self.leave();
                }
            }
            _ => {}
        }
    }

    /// The connection that the REGISTER was to go over because it is long cannot be had: it goes as a datagram. False: that
    /// is not how it was.
    pub fn fall_back(&mut self, ctx: &mut Ctx<'_>, tx: TxId) -> bool {
        match &mut self.state {
            State::Trying(attempt) | State::Leaving(attempt) => attempt.tx() == tx && attempt.fall_back(ctx),
            _ => false,
        }
    }

    /// Nothing answered our REGISTER.
    pub fn on_timeout(&mut self, ctx: &mut Ctx<'_>, tx: TxId, why: &str) {
        match &self.state {
            State::Trying(attempt) if attempt.tx() == tx => {
                self.fail(ctx, None, why.to_owned(), 0);
            }
            State::Leaving(attempt) if attempt.tx() == tx => self.leave(),
            _ => {}
        }
    }

    /// The connection we registered over is gone, and with it the way the trunk rings us: registers again, over a new
    /// one.
    pub fn on_lost(&mut self, ctx: &mut Ctx<'_>, hop: Hop) {
        if let State::Registered { .. } = self.state
            && self.at == Some(hop)
        {
            let wait = back_off(None, 0, ctx.rng.random_range(500..=1_000));
            self.state = State::Waiting { retry: ctx.now + wait };
        }
    }

    /// The trunk sees us elsewhere than we said: it is told where, at most once a minute, because a NAT that gives us
    /// another port each time would have us register for ever.
    pub fn on_outside(&mut self, ctx: &mut Ctx<'_>) {
        if let (State::Registered { refresh }, Some(at)) = (&mut self.state, self.at)
            && self.bound.as_ref().is_some_and(|bound| *bound != ctx.contact(at))
        {
            let soonest = self.moved.map_or(ctx.now, |moved| moved + MOVES_APART);
            *refresh = (*refresh).min(soonest.max(ctx.now));
            self.moved = Some(ctx.now);
        }
    }

    /// When to call [`Registration::on_deadline`].
    pub fn next_deadline(&self) -> Option<Time> {
        let due = match &self.state {
            State::Registered { refresh } => Some(*refresh),
            State::Waiting { retry } => Some(*retry),
            State::Away | State::Trying(_) | State::Leaving(_) | State::Left => None,
        };
        due.into_iter().chain(self.granted_until).min()
    }

    /// A refresh or another try is due, or the binding lapsed.
    pub fn on_deadline(&mut self, ctx: &mut Ctx<'_>) {
        self.granted_until.take_if(|until| *until <= ctx.now);
        match &self.state {
            State::Registered { refresh: due } | State::Waiting { retry: due } if *due <= ctx.now => self.try_now(ctx),
            _ => {}
        }
    }

    /// Does the trunk ring us?
    pub fn is_registered(&self) -> bool {
        self.granted_until.is_some()
    }

    /// The request that is under way.
    pub fn tx(&self) -> Option<TxId> {
        match &self.state {
            State::Trying(attempt) | State::Leaving(attempt) => Some(attempt.tx()),
            State::Away | State::Registered { .. } | State::Waiting { .. } | State::Left => None,
        }
    }

    /// Nothing is under way.
    pub fn is_idle(&self) -> bool {
        !matches!(self.state, State::Trying(_) | State::Leaving(_))
    }

    /// The last answer: its status, where there was one, and its words.
    pub fn last(&self) -> Option<&(Option<u16>, String)> {
        self.last.as_ref()
    }

    /// Our own address as the trunk sees it, when it says so (RFC 3581 §4).
    pub fn seen_as(&self) -> Option<SocketAddr> {
        self.seen_as
    }

    fn try_now(&mut self, ctx: &mut Ctx<'_>) {
        if ctx.line.proxy.is_none() {
            self.state = State::Away;
            return;
        }
        let attempt = self.register(ctx, self.expires_s);
        if ctx.line.targets.other(attempt.request().hop, ctx.now).is_some() {
            ctx.transactions.hurry(attempt.tx(), ctx.now + HASTE);
        }
        self.state = State::Trying(attempt);
    }

    fn register(&mut self, ctx: &mut Ctx<'_>, expires_s: u32) -> Attempt {
        if let State::Trying(attempt) = &self.state {
            self.seq = self.seq.max(attempt.request().seq);
        }
        self.seq = self.seq.saturating_add(1);
        let domain = ctx.line.host();
        // We take our leave where we are known; a trunk without an address is not registered at, nor left.
        let known = if expires_s == 0 { self.at } else { None };
        let hop = known.or(ctx.line.proxy).unwrap_or(ctx.identity.nowhere());
        let account = format!("<sip:{}@{domain}>", user_part(&ctx.line.trunk.username));
        let contact = ctx.contact(hop);
        // Where we were, nobody is to ring us any more.
        let former = self.bound.clone().filter(|bound| *bound != contact);
        let (stays, goes) = if expires_s == 0 { (former.unwrap_or(contact), None) } else { (contact, former) };
        let mut headers = vec![(Name::Contact, format!("{stays};expires={expires_s}"))];
        headers.extend(goes.map(|former| (Name::Contact, format!("{former};expires=0"))));
        headers.push((Name::Expires, expires_s.to_string()));
        let request = Request {
            method: Method::Register,
            uri: format!("sip:{domain}"),
            hop,
            from: format!("{account};tag={}", self.tag),
            to: account,
            call_id: self.call_id.clone(),
            seq: self.seq,
            routes: Vec::new(),
            headers,
            body: None,
        };
        let secret = token(ctx.rng, 16);
        Attempt::send(ctx, self.owner, secret, request)
    }

    fn on_success(&mut self, ctx: &mut Ctx<'_>, response: &Message) {
        self.keep_number();
        self.note_address(response);
        let State::Trying(attempt) = &self.state else { return };
        let hop = attempt.request().hop;
        let contact = sent_contact(attempt.request()).unwrap_or_else(|| ctx.contact(hop));
        let granted_s = granted(&contact, response).unwrap_or(self.expires_s);
        if granted_s == 0 {
            let reason = "the trunk said yes and granted no time".to_owned();
            return self.fail(ctx, response.code(), reason, 0);
        }
        self.at = Some(hop);
        ctx.line.service = service_route(response).map(|routes| (hop, routes));
        let news = !self.is_registered() || self.failures > 0;
        self.failures = 0;
        self.last = response.code().map(|code| (Some(code), reason_of(response)));
        self.granted_until = Some(ctx.now + Duration::from_secs(granted_s.into()));
        self.state = State::Registered { refresh: ctx.now + refresh_after(granted_s.min(self.expires_s)) };
        self.bound = Some(contact);
        // We may have learned meanwhile that we are elsewhere.
        self.on_outside(ctx);
        if news {
            let trunk = ctx.line.trunk.id.clone();
            ctx.out.push(Output::Event(Event::Registered { trunk, expires_s: granted_s }));
        }
    }

    fn on_too_brief(&mut self, ctx: &mut Ctx<'_>, response: &Message) {
        let State::Trying(attempt) = &mut self.state else { return };
        match response.min_expires().filter(|least| (self.expires_s + 1..=LONGEST_MIN_EXPIRES_S).contains(least)) {
            Some(least) => {
                self.expires_s = least;
                let contact = format!("{};expires={least}", ctx.contact(attempt.request().hop));
                let headers = vec![(Name::Contact, contact), (Name::Expires, least.to_string())];
                if let Err(reason) = attempt.retry(ctx, |request| request.headers = headers) {
                    self.fail(ctx, Some(423), reason, 0);
                }
            }
            None => {
                let reason = "the trunk wants a longer expiry and does not say which".to_owned();
                self.fail(ctx, Some(423), reason, 0);
            }
        }
    }

    fn fail(&mut self, ctx: &mut Ctx<'_>, code: Option<u16>, reason: String, retry_after_s: u32) {
        self.keep_number();
        // Another target may take us at once (RFC 3263 §4.3).
        if let State::Trying(attempt) = &self.state
            && matches!(code, None | Some(503))
            && ctx.line.proxy.is_some_and(|hop| hop != attempt.request().hop)
            && !ctx.line.targets.all_rest(ctx.now)
        {
            return self.try_now(ctx);
        }
        let wait = back_off(code, self.failures, ctx.rng.random_range(500..=1_000));
        let wait = wait.max(Duration::from_secs(retry_after_s.min(LONGEST_RETRY_AFTER_S).into()));
        self.failures = self.failures.saturating_add(1);
        self.last = Some((code, reason.clone()));
        self.state = State::Waiting { retry: ctx.now + wait };
        let retry_s = u32::try_from(wait.as_secs()).unwrap_or(u32::MAX).max(1);
        let trunk = ctx.line.trunk.id.clone();
        ctx.out.push(Output::Event(Event::RegistrationFailed { trunk, code, reason, retry_s }));
    }

    fn leave(&mut self) {
        self.granted_until = None;
        self.state = State::Left;
    }

    /// The CSeq of the tries counts for the next REGISTER too.
    fn keep_number(&mut self) {
        if let State::Trying(attempt) | State::Leaving(attempt) = &self.state {
            self.seq = self.seq.max(attempt.request().seq);
        }
    }

    fn note_address(&mut self, response: &Message) {
        let Ok(via) = response.via() else { return };
        if let (Some(ip), Some(Some(port))) = (via.received(), via.rport()) {
            self.seen_as = Some(SocketAddr::new(ip, port));
        }
    }
}

/// The Contact that a REGISTER said, without its expiry.
fn sent_contact(request: &Request) -> Option<String> {
    let (_, contact) = request.headers.iter().find(|(name, _)| *name == Name::Contact)?;
    contact.rsplit_once(";expires=").map(|(contact, _)| contact.to_owned())
}

/// Whoever is to be registered at somewhere else has that written down: nobody but the configuration says who gets to see
/// our signature.
fn elsewhere(response: &Message) -> String {
    let reason = reason_of(response);
    let there = response.list(&Name::Contact).find_map(|contact| NameAddr::parse(contact).ok());
    match there {
        Some(there) => format!("{reason}: the trunk wants to be asked at {}; write that as its proxy", there.uri),
        None => reason,
    }
}

/// The proxies that it wants our requests to go over (RFC 3608 §5); `None`: none, or such as are not kept.
fn service_route(response: &Message) -> Option<Vec<String>> {
    let routes: Vec<String> = response.list(&Name::ServiceRoute).take(ROUTES_MAX + 1).map(str::to_owned).collect();
    let is_loose = |route: &String| {
        let uri = NameAddr::parse(route).ok().filter(|_| route.len() <= ROUTE_MAX).and_then(|route| route.uri().ok());
        uri.is_some_and(|uri| uri.is_sip() && uri.param("lr").is_some())
    };
    ((1..=ROUTES_MAX).contains(&routes.len()) && routes.iter().all(is_loose)).then_some(routes)
}

/// How long our binding lives: what its own Contact says, else the Expires header. `None`: neither says.
fn granted(ours: &str, response: &Message) -> Option<u32> {
    let key = |text: &str| {
        let name = NameAddr::parse(text).ok()?;
        let uri = name.uri().ok()?;
        Some((uri.user.unwrap_or_default().to_owned(), uri.host.to_ascii_lowercase(), port(&uri), name.expires()))
    };
    let (user, host, number, _) = key(ours)?;
    let bindings: Vec<_> = response.list(&Name::Contact).filter_map(key).collect();
    let own = bindings.iter().find(|(u, h, p, _)| *u == user && *h == host && *p == number);
    // A registrar behind a NAT may have rewritten our address; a single binding can only be ours.
    let own = own.or(if bindings.len() == 1 { bindings.first() } else { None });
    own.and_then(|(_, _, _, expires)| *expires).or_else(|| response.expires())
}

fn port(uri: &Uri<'_>) -> u16 {
    uri.port.unwrap_or(5060)
}

/// Early enough that a lost refresh can be repeated before the binding lapses.
fn refresh_after(granted_s: u32) -> Duration {
    let margin = (granted_s / 4).max(40.min(granted_s / 2));
    Duration::from_secs((granted_s - margin).max(1).into())
}

/// Twice as long after each failure, up to a minute; up to five where we were refused, because asking often
/// does not help there and may lock the account. `permille` spreads those who failed together.
fn back_off(code: Option<u16>, failures: u32, permille: u32) -> Duration {
    let (first_s, longest_s) = match code {
        Some(400..500 | 600..) => (15u32, 300u32),
        _ => (2, 60),
    };
    let wait_s = first_s.saturating_mul(1u32.checked_shl(failures.min(16)).unwrap_or(u32::MAX)).min(longest_s);
    Duration::from_millis(u64::from(wait_s) * u64::from(permille))
}

#[cfg(test)]
#[path = "tests/register.rs"]
mod tests;
