//! Two people and their hotline: a call that is ended at once, a link by short message, a page with a button.
//!
//! What the exchange is stands in `incident/hotline.rs`; here it meets calls, messages and pages. Whoever calls the
//! number of a hotline gets the same refusal in the same moment, known or not: the refusal leaves first, and what a
//! known caller set off is thought about afterwards, so that neither the status nor the time tells them apart.
//!
//! Easy to get wrong: the secret of a link is in memory and in the message, and nowhere else. The journal has its hash,
//! and the text with `{link 7}` in its place. A message that a restart left unsent gets a new secret.

use core::time::Duration;
use std::collections::{BTreeMap, VecDeque};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::Rng as _;
use sha2::{Digest as _, Sha256};

use super::desk::Switch;
use super::tell::What;
use crate::base::{Language, LegId, Outbox, Phone, Stamp, Time, TrunkId, hex};
use crate::incident::{Contact, Hotline, HotlinePage, Hotlines, HouseFact, Inquiry, Letter, Names, Standing, Wish};

/// "Temporarily unavailable" (RFC 3261 §21.4.18).
const UNAVAILABLE: u16 = 480;
/// How long after the refusal a call is thought about.
const AFTERWARDS: Duration = Duration::from_millis(1);
/// So many calls may wait to be thought about; a person makes one.
const RUNG_MAX: usize = 64;
/// A longer secret is none of ours.
const SECRET_MAX: usize = 64;
/// Names are cut here in messages, so that the link fits behind them.
const NAME_MAX: usize = 40;
/// What stands for a link in a text.
const MARK: &str = "{link ";

/// The hotlines, and what they need beside their exchange.
#[derive(Debug, Default)]
pub(super) struct HotlineDesk {
    pub(super) exchange: Hotlines,
    /// Calls that were ended and are to be thought about.
    rung: VecDeque<Rung>,
    /// The secrets of the links that this life made, by their inquiry.
    secrets: BTreeMap<u32, String>,
    /// How many were made.
    made: u64,
}

/// A call of one of a hotline's two people.
#[derive(Debug)]
struct Rung {
    due: Time,
    line: usize,
    person: usize,
}

/// The key that links are made from; it is not shown.
#[derive(Clone, Copy, Default)]
pub struct LinkKey(pub [u8; 32]);

impl core::fmt::Debug for LinkKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("(secret)")
    }
}

/// What the page of a link says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HotlineAnswer {
    /// In which language.
    pub language: Language,
    /// What it says.
    pub text: String,
    /// What stands on its button; a page without a question has none.
    pub button: Option<&'static str>,
}

impl HotlineDesk {
    pub(super) fn new(lines: Vec<Hotline>) -> HotlineDesk {
        HotlineDesk { exchange: Hotlines::new(lines), ..HotlineDesk::default() }
    }

    pub(super) fn next_deadline(&self) -> Option<Time> {
        self.rung.front().map(|rung| rung.due).into_iter().chain(self.exchange.next_deadline()).min()
    }
}

impl Switch {
    /// Ends a call to a hotline's number; false when the number is no hotline's.
    pub(super) fn hotline_rung(
        &mut self,
        now: Time,
        id: LegId,
        trunk: &TrunkId,
        caller: &str,
        numbers: [&str; 2],
    ) -> bool {
        let lines = self.hotlines.exchange.lines();
        let rung = |line: &Hotline| numbers.iter().any(|number| same_number(&line.number, number));
        let Some(line) = lines.iter().position(rung) else { return false };
        let is = |contact: &Contact| contact.phones.iter().any(|phone| self.calls_from(phone, caller));
        // Several hotlines may share a number: the caller is looked for in all of them.
        let known = lines
            .iter()
            .enumerate()
            .filter(|(_, line)| rung(line))
            .find_map(|(place, line)| line.people.iter().position(is).map(|person| (place, person)));
        self.agent.refuse(now, id, UNAVAILABLE, &mut self.sip_out);
        match known {
            Some((line, person)) if self.hotlines.rung.len() < RUNG_MAX => {
                self.hotlines.rung.push_back(Rung { due: now + AFTERWARDS, line, person });
            }
            _ => {
                let hotline = self.hotlines.exchange.lines().get(line).map(|line| line.id.clone());
                let reason = format!("none of the two of hotline {}", hotline.unwrap_or_default());
                self.tell(
                    None,
                    None,
                    None,
                    What::CallInRefused { trunk: trunk.clone(), caller: caller.into(), reason },
                );
            }
        }
        true
    }

    /// What the page of this link says; `None`: there is no such link (any more). It changes nothing.
    pub fn hotline_page(&self, secret: &str) -> Option<HotlineAnswer> {
        let number = self.of_secret(secret)?;
        let (_, inquiry) = self.hotlines.exchange.inquiry(number)?;
        let page = match inquiry.standing() {
            Standing::Asked | Standing::Refused => HotlinePage::Asks,
            Standing::Accepted | Standing::Late => HotlinePage::Already,
        };
        self.answer_of(number, page)
    }

    /// The page's button was pressed; what the page says then.
    pub fn hotline_accept(&mut self, now: Time, secret: &str) -> Option<HotlineAnswer> {
        let number = self.of_secret(secret)?;
        let mut out = Outbox::new();
        let before = self.hotlines.exchange.on_accept(number, &mut out)?;
        self.hotline_does(now, out);
        self.settle(now);
        let page = match before {
            Standing::Asked => HotlinePage::Accepted,
            Standing::Refused => HotlinePage::Late,
            Standing::Accepted | Standing::Late => HotlinePage::Already,
        };
        self.answer_of(number, page)
    }

    /// Thinks about the calls that were ended, and about questions whose time is over.
    pub(super) fn hotline_wakes(&mut self, now: Time) {
        while let Some(rung) = self.hotlines.rung.pop_front_if(|rung| rung.due <= now) {
            let secret = self.new_secret();
            let mut out = Outbox::new();
            let called = self.hotlines.exchange.on_call(now, rung.line, rung.person, digest(&secret), &mut out);
            if let crate::incident::Called::Asked(inquiry) = called {
                self.hotlines.secrets.insert(inquiry, secret);
            }
            self.hotline_does(now, out);
        }
        let mut out = Outbox::new();
        self.hotlines.exchange.on_deadline(now, &mut out);
        self.hotline_does(now, out);
        let exchange = &self.hotlines.exchange;
        self.hotlines.secrets.retain(|inquiry, _| exchange.inquiry(*inquiry).is_some());
    }

    /// The pairs are others from here on. Calls that were ended a moment ago are thought about first: they name places.
    pub(super) fn renew_hotlines(&mut self, now: Time, lines: Vec<Hotline>) {
        self.hotline_wakes(now + AFTERWARDS);
        self.hotlines.exchange.renew(lines);
    }

    /// A fact of a former life.
    pub(super) fn restore_hotline(&mut self, now: Time, at: Stamp, fact: &HouseFact) {
        let age = self.stamp(now).since(at);
        self.hotlines.exchange.restore(now, age, fact);
    }

    /// A text as it leaves: with the link itself in the place of its mark.
    pub(super) fn with_link(&mut self, now: Time, text: String) -> String {
        let Some((before, rest)) = text.split_once(MARK) else { return text };
        let Some((number, behind)) = rest.split_once('}') else { return text };
        let Some(inquiry) = number.parse().ok().filter(|it| self.hotlines.exchange.inquiry(*it).is_some()) else {
            return text;
        };
        let secret = match self.hotlines.secrets.get(&inquiry) {
            Some(secret) => secret.clone(),
            None => {
                let secret = self.new_secret();
                self.hotlines.secrets.insert(inquiry, secret.clone());
                let mut out = Outbox::new();
                self.hotlines.exchange.on_new_link(inquiry, digest(&secret), &mut out);
                for wish in out.drain() {
                    if let Wish::Store(fact) = wish {
                        self.keep_fact(now, fact);
                    }
                }
                secret
            }
        };
        format!("{before}{}/hotline/{secret}{behind}", self.settings.public_url)
    }

    fn hotline_does(&mut self, now: Time, mut out: Outbox<Wish>) {
        for wish in out.drain() {
            match wish {
                Wish::Store(fact) => {
                    self.tell_hotline(&fact);
                    self.keep_fact(now, fact);
                }
                Wish::Write { inquiry, to, letter } => self.write_letter(now, inquiry, to, letter),
                Wish::Bridge { inquiry } => self.bridge(now, inquiry),
            }
        }
    }

    pub(super) fn write_letter(&mut self, now: Time, inquiry: u32, to: usize, letter: Letter) {
        let Some((line, asked)) = self.hotlines.exchange.inquiry(inquiry) else { return };
        let link = format!("{MARK}{inquiry}}}");
        let Some(person) = line.people.get(to) else { return };
        let (caller, callee) = (name_of(line, asked.caller), name_of(line, asked.callee()));
        let number = number_of(line, asked);
        let names = Names { caller: &caller, callee: &callee, number: &number, link: &link };
        let text = letter.text(line.language.unwrap_or(person.language), names);
        if let Some(phone) = phone_of(person).cloned() {
            self.post_message(now, phone, text);
        }
    }

    fn answer_of(&self, number: u32, page: HotlinePage) -> Option<HotlineAnswer> {
        let (line, asked) = self.hotlines.exchange.inquiry(number)?;
        let language = line.language.unwrap_or(line.people.get(asked.callee())?.language);
        let (caller, callee) = (name_of(line, asked.caller), name_of(line, asked.callee()));
        let names = Names { caller: &caller, callee: &callee, number: &line.number, link: "" };
        let button = (page == HotlinePage::Asks).then(|| HotlinePage::button(language));
        Some(HotlineAnswer { language, text: page.text(language, names), button })
    }

    fn tell_hotline(&mut self, fact: &HouseFact) {
        let of = |number: u32| self.hotlines.exchange.inquiry(number).map(|(line, _)| line.id.clone());
        let what = match fact {
            HouseFact::Inquired { inquiry, hotline, caller, callee, .. } => {
                let (hotline, caller, callee) = (hotline.clone(), caller.clone(), callee.clone());
                What::HotlineInquiry { hotline, inquiry: *inquiry, caller, callee }
            }
            HouseFact::InquiryAccepted { inquiry, late } => {
                What::HotlineAccepted { hotline: of(*inquiry).unwrap_or_default(), inquiry: *inquiry, late: *late }
            }
            HouseFact::InquiryRefused { inquiry } => {
                What::HotlineRefused { hotline: of(*inquiry).unwrap_or_default(), inquiry: *inquiry }
            }
            _ => return,
        };
        self.tell(None, None, None, what);
    }

    fn of_secret(&self, secret: &str) -> Option<u32> {
        let fits = !secret.is_empty() && secret.len() <= SECRET_MAX;
        fits.then(|| self.hotlines.exchange.of_link(&digest(secret))).flatten()
    }

    /// 256 bits that nobody can guess: out of the key of this life, and never the same twice.
    fn new_secret(&mut self) -> String {
        self.hotlines.made += 1;
        let mut hash = Sha256::new();
        hash.update(self.settings.link_key.0);
        hash.update(self.hotlines.made.to_be_bytes());
        hash.update(self.rng.next_u64().to_be_bytes());
        URL_SAFE_NO_PAD.encode(hash.finalize())
    }
}

/// A number as we know it, and as a trunk shows it: with or without its `+`, or with a 0 in the place of the country
/// code.
pub(super) fn same_number(ours: &str, shown: &str) -> bool {
    let (ours, shown) = (ours.trim_start_matches('+'), shown.trim_start_matches('+'));
    let national = |rest: &str| rest.len() >= 8 && rest.bytes().all(|b| b.is_ascii_digit()) && ours.ends_with(rest);
    !shown.is_empty() && (ours == shown || shown.strip_prefix('0').is_some_and(national))
}

/// Is it this phone that a trunk shows as the caller?
pub(super) fn rings_from(phone: &Phone, caller: &str) -> bool {
    match phone {
        Phone::Number(number) => same_number(number, caller),
        Phone::Uri(uri) => {
            let address = uri.split_once(':').map_or(uri.as_ref(), |(_, address)| address);
            address.split_once('@').is_some_and(|(user, _)| user == caller)
        }
    }
}

/// The phone that short messages go to and that is called: a number before a SIP URI.
pub(super) fn phone_of(person: &Contact) -> Option<&Phone> {
    let number = person.phones.iter().find(|phone| matches!(phone, Phone::Number(_)));
    number.or(person.phones.first())
}

/// The number that the caller is told: the other's own, or the hotline's where no number is to be shown.
fn number_of(line: &Hotline, asked: &Inquiry) -> String {
    let own = line.people.get(asked.callee()).and_then(phone_of).filter(|_| !line.bridge);
    own.map_or_else(|| line.number.clone(), |phone| phone.as_str().to_owned())
}

fn name_of(line: &Hotline, place: usize) -> String {
    let name = line.people.get(place).map(|person| person.name.as_str()).unwrap_or_default();
    name.chars().take(NAME_MAX).collect::<String>().replace('{', "(")
}

fn digest(secret: &str) -> String {
    hex(&Sha256::digest(secret))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_the_same_however_a_trunk_shows_it() {
        for shown in ["+818012345678", "818012345678", "08012345678"] {
            assert!(same_number("+818012345678", shown), "{shown}");
        }
        for shown in ["", "+", "0", "12345678", "+8180123456789", "09012345678", "0012345678x", "anonymous"] {
            assert!(!same_number("+818012345678", shown), "{shown}");
        }
        assert!(same_number("duty", "duty"));
    }
}
