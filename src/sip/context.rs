//! What a machine may use while it handles one event: the time, the trunk, the transactions, the outbox.

use core::net::{IpAddr, Ipv6Addr};
use std::borrow::Cow;

use rand::RngExt;

use crate::base::{LegId, Outbox, PerFamily, Phone, Plain, Rng, Time, token};
use crate::sip::auth::Keys;
use crate::sip::content::is_coded;
use crate::sip::extension::unsupported;
use crate::sip::identity::Outside;
use crate::sip::interval::LEAST_S;
use crate::sip::message::{self, ALLOW};
use crate::sip::renewal::Standing;
use crate::sip::targets::Targets;
use crate::sip::transactions::{Transactions, TxId};
use crate::sip::{Event, Hop, Identities, Output, Transport, Trunk, capabilities, info, letter};
use crate::wire::sip::{Builder, Message, Method, Name};

/// A trunk as the calls see it.
#[derive(Debug)]
pub struct Line {
    /// Its settings.
    pub trunk: Trunk,
    /// Where requests go at this moment, once the name was looked up: the best of its targets.
    pub proxy: Option<Hop>,
    /// Everywhere they could go.
    pub targets: Targets,
    /// What it challenged us with.
    pub keys: Keys,
    /// For phones of our own users: what they speak over. Theirs is no trunk, and what is for them goes where they are.
    pub house: Option<Transport>,
    /// Where it reaches us, in each family.
    pub outside: PerFamily<Outside>,
    /// Why its name leads nowhere, in words.
    pub lost: Option<String>,
    /// Does anything new begin here?
    pub standing: Standing,
    /// The lowest is preferred.
    pub rank: usize,
    /// The proxies that requests are to go over, as the target said where it was registered at (RFC 3608 §5).
    pub service: Option<(Hop, Vec<String>)>,
}

impl Line {
    /// A trunk of which nothing was heard yet.
    pub fn new(trunk: Trunk) -> Line {
        let targets = Targets::new(trunk.proxy.into_iter().collect());
        let outside = Outside::of(&trunk);
        let (keys, standing) = (Keys::default(), Standing::InForce);
        Line {
            proxy: trunk.proxy,
            targets,
            trunk,
            keys,
            outside,
            house: None,
            lost: None,
            standing,
            rank: 0,
            service: None,
        }
    }

    /// Is it a trunk of the configuration?
    pub fn is_configured(&self) -> bool {
        self.house.is_none() && self.standing != Standing::Retired
    }

    /// May its trunk speak to us from this address?
    pub fn is_at(&self, ip: IpAddr) -> bool {
        self.targets.is_at(ip) || self.trunk.allow_from.iter().any(|range| range.contains(ip))
    }

    /// The URI by which this trunk reaches `to`.
    pub fn uri_of(&self, to: &Phone) -> String {
        match to {
            Phone::Number(number) => format!("sip:{number}@{}", self.host()),
            Phone::Uri(uri) => uri.to_string(),
        }
    }

    /// Route of what begins something at this target.
    pub fn service_route(&self, hop: Hop) -> Vec<String> {
        let known = self.service.as_ref().filter(|(at, _)| at.address == hop.address);
        known.map(|(_, routes)| routes.clone()).unwrap_or_default()
    }

    /// Who we are in From, still without a tag.
    pub fn caller(&self) -> String {
        let caller = self.trunk.caller_id.as_ref().filter(|_| self.trunk.caller_in.from);
        self.named(caller.unwrap_or(&self.trunk.username))
    }

    /// Who calls in the headers for networks of trust (RFC 3325 §9), where the trunk wants them.
    pub fn stated(&self) -> Vec<(Name, String)> {
        let caller = self.trunk.caller_id.as_ref().unwrap_or(&self.trunk.username);
        let wanted = self.trunk.caller_in;
        let headers = [(wanted.asserted, Name::PAssertedIdentity), (wanted.preferred, Name::PPreferredIdentity)];
        headers.into_iter().filter(|(wanted, _)| *wanted).map(|(_, name)| (name, self.named(caller))).collect()
    }

    fn named(&self, user: &str) -> String {
        ["<sip:", &message::user_part(user), "@", &self.host(), ">"].concat()
    }

    /// What requests travel over.
    pub fn transport(&self) -> Transport {
        self.house.or(self.proxy.map(|hop| hop.transport)).unwrap_or_default()
    }

    /// The trunk's domain as a URI writes it.
    pub fn host(&self) -> Cow<'_, str> {
        match self.trunk.domain.parse::<Ipv6Addr>() {
            Ok(address) => Cow::Owned(format!("[{address}]")),
            Err(_) => Cow::Borrowed(&self.trunk.domain),
        }
    }
}

/// A request from outside, and how to answer it.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The request.
    pub message: &'a Message,
    /// Its transaction.
    pub tx: TxId,
    /// Where it came from.
    pub source: Hop,
}

/// One event's surroundings.
pub struct Ctx<'a> {
    /// Now.
    pub now: Time,
    /// Who we are.
    pub identity: &'a Identities,
    /// The trunk of this call.
    pub line: &'a mut Line,
    /// Every transaction.
    pub transactions: &'a mut Transactions,
    /// Tags, branches, nonces.
    pub rng: &'a mut Rng,
    /// What is to be done.
    pub out: &'a mut Outbox<Output>,
    /// The leg that hears of it; none when nobody does any more.
    pub leg: Option<LegId>,
}

impl Ctx<'_> {
    /// Tells whoever follows this call.
    pub fn tell(&mut self, event: impl FnOnce(LegId) -> Event) {
        if let Some(leg) = self.leg {
            self.out.push(Output::Event(event(leg)));
        }
    }

    /// Begins a response.
    pub fn reply(&self, asked: Asked<'_>, code: u16) -> Builder {
        message::reply(asked.message, asked.source, code, self.identity)
    }

    /// Sends a response.
    pub fn respond(&mut self, asked: Asked<'_>, code: u16, builder: Builder) -> Vec<u8> {
        let bytes = builder.finish();
        self.transactions.respond(self.now, asked.tx, code, bytes.clone(), self.out);
        bytes
    }

    /// Answers with nothing but a status.
    pub fn answer(&mut self, asked: Asked<'_>, code: u16) {
        let tag = token(self.rng, 12);
        let builder = self.reply(asked, code).to_tag(&tag);
        let builder = match code {
            405 | 501 => builder.header(Name::Allow, ALLOW),
            420 => builder.header(Name::Unsupported, unsupported(asked.message).unwrap_or_default()),
            422 => builder.header(Name::MinSe, LEAST_S.to_string()),
            // Both ends must not come again at once (RFC 3261 §14.2).
            500 => builder.header(Name::RetryAfter, self.rng.random_range(0..=10).to_string()),
            503 => builder.header(Name::RetryAfter, "10"),
            // RFC 3261 §8.2.3: what of the two is wrong, is said.
            415 if is_coded(asked.message) => {
                builder.header(Name::Accept, readable(&asked.message.method())).header(Name::AcceptEncoding, "identity")
            }
            406 | 415 => builder.header(Name::Accept, readable(&asked.message.method())),
            _ => builder,
        };
        self.respond(asked, code, builder);
    }

    /// Answers an offer that cannot be agreed to, with what is wrong with it (RFC 3261 §20.43, §21.4.26).
    pub fn refuse_offer(&mut self, asked: Asked<'_>, why: &str) {
        let tag = token(self.rng, 12);
        let why: String = why.chars().filter(|c| !matches!(c, '"' | '\\')).collect();
        let warning = format!("399 {} \"{why}\"", self.identity.user_agent().split(['/', ' ']).next().unwrap_or("-"));
        let builder = self.reply(asked, 488).to_tag(&tag).header(Name::Warning, warning);
        self.respond(asked, 488, builder);
    }

    /// Answers what may be asked in any dialog without changing it: INFO, OPTIONS, MESSAGE, and what we do not do.
    pub fn answer_small_talk(&mut self, asked: Asked<'_>) {
        match asked.message.method() {
            Method::Info if asked.message.body().is_empty() || info::read(asked.message).is_some() => {
                self.answer(asked, 200);
            }
            Method::Info => self.answer(asked, 415),
            Method::Options => {
                let builder = capabilities(self.reply(asked, 200));
                self.respond(asked, 200, builder);
            }
            Method::Message => letter::take(self, asked),
            // Nothing of ours waits for it any more (RFC 3262 §3).
            Method::Prack => self.answer(asked, 481),
            Method::Other(_) => self.answer(asked, 501),
            _ => self.answer(asked, 405),
        }
    }

    /// Our Contact for whoever is at this hop.
    pub fn contact(&self, hop: Hop) -> String {
        contact(self.identity, self.line, hop)
    }
}

/// The bodies that we can read in a request with this method.
fn readable(method: &Method) -> &'static str {
    match method {
        Method::Info => info::KINDS,
        Method::Message => letter::PLAIN,
        _ => message::SESSIONS,
    }
}

/// The Contact we give this trunk at this hop of its: what we speak with the trunk, at our address of the hop's family.
pub fn contact(identity: &Identities, line: &Line, hop: Hop) -> String {
    let transport = line.transport();
    let local = Plain(identity.local_for(Hop { transport, ..hop })).to_string();
    let user = message::user_part(&line.trunk.username);
    match transport {
        Transport::Udp => ["<sip:", &user, "@", &local, ">"].concat(),
        other => ["<sip:", &user, "@", &local, ";transport=", other.as_str(), ">"].concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::TrunkId;
    use crate::sip::CallerIn;

    #[test]
    fn the_caller_id_stands_where_the_trunk_wants_it_and_from_always_says_something() {
        let said = |caller_in: CallerIn, caller_id: Option<&str>| {
            let (domain, username) = ("pbx.example".to_owned(), "bell".to_owned());
            let caller_id = caller_id.map(str::to_owned);
            let trunk = Trunk { domain, username, caller_id, caller_in, ..Trunk::new(TrunkId::parse("main").unwrap()) };
            let line = Line::new(trunk);
            let headers = line.stated().into_iter().map(|(name, value)| format!("{name}: {value}"));
            std::iter::once(format!("From: {}", line.caller())).chain(headers).collect::<Vec<_>>()
        };
        let number = Some("+81312345678");
        assert_eq!(said(CallerIn::default(), None), ["From: <sip:bell@pbx.example>"]);
        assert_eq!(said(CallerIn::default(), number), ["From: <sip:+81312345678@pbx.example>"]);
        let asserted = CallerIn { from: false, asserted: true, preferred: false };
        let stated = "P-Asserted-Identity: <sip:+81312345678@pbx.example>";
        assert_eq!(said(asserted, number), ["From: <sip:bell@pbx.example>", stated]);
        let preferred = CallerIn { preferred: true, ..CallerIn::default() };
        let stated = "P-Preferred-Identity: <sip:+81312345678@pbx.example>";
        assert_eq!(said(preferred, number), ["From: <sip:+81312345678@pbx.example>", stated]);
    }
}
