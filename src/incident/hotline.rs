//! The exchange between two people: may I call you now?
//!
//! [`Hotlines`] is every pair, and what they asked each other within the last day. A call of one of the two asks the
//! other; whoever is asked accepts by a link, in time or late; who called is told how it stands. It knows neither the
//! link nor how a text reaches anybody: it is given the link's hash, and says what is to be written to whom.
//!
//! Easy to get wrong: only a page's button accepts, so the verb is called for a POST alone; a link accepts once; when
//! the other of the two calls while a question is open, the roles swap and that question is over without a word, because
//! the one who asked it is being asked now.
//!
//! | state | event | next | does |
//! | --- | --- | --- | --- |
//! | Idle | call | Asked | inquired, asks the other |
//! | Asked | call | Asked | - |
//! | Asked | other calls | Asked | refused, inquired, asks the other |
//! | Asked | accept | Accepted | accepted, writes to the caller |
//! | Asked | time | Refused | refused, writes to the caller |
//! | Accepted | call | Asked | inquired, asks the other |
//! | Accepted | other calls | Asked | inquired, asks the other |
//! | Accepted | accept | Accepted | - |
//! | Refused | call | Asked | inquired, asks the other |
//! | Refused | other calls | Asked | inquired, asks the other |
//! | Refused | accept | Late | accepted late, writes to the caller |
//! | Late | call | Asked | inquired, asks the other |
//! | Late | other calls | Asked | inquired, asks the other |
//! | Late | accept | Late | - |

use core::time::Duration;
use std::collections::BTreeMap;

use super::hotline_texts::Letter;
use super::house::HouseFact;
use super::plan::Contact;
use crate::base::{Language, Outbox, Time};

/// A link is known for so long, and accepts late.
const KNOWN: Duration = Duration::from_secs(24 * 3_600);
/// The span over which a person's inquiries are counted.
const COUNTED: Duration = Duration::from_secs(3_600);
/// So many may a person make within it; more are no news to the other.
const CALLS_MAX: usize = 6;

/// Two people, and how they are brought together.
#[derive(Clone, PartialEq, Debug)]
pub struct Hotline {
    /// The name of the configuration.
    pub id: String,
    /// The number they call, as the trunk shows it.
    pub number: String,
    /// The two.
    pub people: [Contact; 2],
    /// How long the one who is asked has got before the caller is told that it does not work now.
    pub timeout: Duration,
    /// hansho rings both and joins them, and shows no number.
    pub bridge: bool,
    /// What the texts are written in; each person's own language when absent.
    pub language: Option<Language>,
}

/// What the exchange wants done, in order.
#[derive(Clone, PartialEq, Debug)]
pub enum Wish {
    /// Durable before anything behind it.
    Store(HouseFact),
    /// Write to the one of the two at this place.
    Write {
        /// Which inquiry it is about.
        inquiry: u32,
        /// 0 or 1.
        to: usize,
        /// What.
        letter: Letter,
    },
    /// Ring both and join them.
    Bridge {
        /// Which inquiry brought it about.
        inquiry: u32,
    },
}

/// What a call led to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Called {
    /// The other is asked: the number of the inquiry.
    Asked(u32),
    /// The same question is open already.
    Open,
    /// This person asked too often within an hour.
    TooOften,
}

/// How an inquiry stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// The other may accept in time.
    Asked,
    /// Accepted in time.
    Accepted,
    /// Nobody accepted in time; it may still be accepted late.
    Refused,
    /// Accepted late.
    Late,
}

/// One question of one of the two to the other.
#[derive(Clone, PartialEq, Debug)]
pub struct Inquiry {
    /// The place of its hotline.
    pub line: usize,
    /// Which of the two asked: 0 or 1.
    pub caller: usize,
    /// SHA-256 of its links' secrets; a restart may have made another.
    links: Vec<String>,
    state: State,
    /// It counts against its caller until then.
    counted_until: Time,
    /// It is forgotten then.
    known_until: Time,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Asked { until: Time },
    Accepted,
    Refused,
    Late,
}

/// Every hotline, and what is being asked.
#[derive(Debug, Default)]
pub struct Hotlines {
    lines: Vec<Hotline>,
    inquiries: BTreeMap<u32, Inquiry>,
    last: u32,
}

impl Inquiry {
    /// Which of the two is asked.
    pub const fn callee(&self) -> usize {
        1 - self.caller
    }

    /// How it stands.
    pub const fn standing(&self) -> Standing {
        match self.state {
            State::Asked { .. } => Standing::Asked,
            State::Accepted => Standing::Accepted,
            State::Refused => Standing::Refused,
            State::Late => Standing::Late,
        }
    }

    fn deadline(&self) -> Time {
        match self.state {
            State::Asked { until } => until,
            State::Accepted | State::Refused | State::Late => self.known_until,
        }
    }
}

impl Hotlines {
    /// These hotlines, and nothing asked yet.
    pub fn new(lines: Vec<Hotline>) -> Hotlines {
        Hotlines { lines, ..Hotlines::default() }
    }

    /// The hotlines, by their places.
    pub fn lines(&self) -> &[Hotline] {
        &self.lines
    }

    /// The pairs are others from here on. A question that one of the two asked stays open with its time; those of pairs
    /// that are gone are forgotten.
    pub fn renew(&mut self, lines: Vec<Hotline>) {
        let old = core::mem::replace(&mut self.lines, lines);
        let ids = |line: &Hotline| [line.people[0].id.clone(), line.people[1].id.clone()];
        self.inquiries.retain(|_, inquiry| {
            let Some(before) = old.get(inquiry.line) else { return false };
            let same = |line: &Hotline| line.id == before.id && ids(line) == ids(before);
            let place = self.lines.iter().position(same);
            inquiry.line = place.unwrap_or_default();
            place.is_some()
        });
    }

    /// An inquiry that is not forgotten.
    pub fn inquiry(&self, number: u32) -> Option<(&Hotline, &Inquiry)> {
        let inquiry = self.inquiries.get(&number)?;
        self.lines.get(inquiry.line).map(|line| (line, inquiry))
    }

    /// The inquiry whose link's secret has this SHA-256.
    pub fn of_link(&self, link: &str) -> Option<u32> {
        let holds = |inquiry: &Inquiry| inquiry.links.iter().any(|known| known == link);
        self.inquiries.iter().find(|(_, inquiry)| holds(inquiry)).map(|(number, _)| *number)
    }

    /// One of the two of the hotline at `line` called; `link` is the SHA-256 of the secret that the other is given.
    pub fn on_call(&mut self, now: Time, line: usize, caller: usize, link: String, out: &mut Outbox<Wish>) -> Called {
        let caller = caller.min(1);
        let Some(hotline) = self.lines.get(line) else { return Called::Open };
        let of_line = |inquiry: &Inquiry| inquiry.line == line;
        let open = self.inquiries.iter().find(|(_, it)| of_line(it) && it.standing() == Standing::Asked);
        let open = open.map(|(number, inquiry)| (*number, inquiry.caller));
        if open.is_some_and(|(_, asker)| asker == caller) {
            return Called::Open;
        }
        let counts = |it: &&Inquiry| of_line(it) && it.caller == caller && now < it.counted_until;
        if self.inquiries.values().filter(counts).count() >= CALLS_MAX {
            return Called::TooOften;
        }
        let number = self.last.saturating_add(1);
        let (asks, asked) = (hotline.people[caller].id.clone(), hotline.people[1 - caller].id.clone());
        let (hotline, timeout) = (hotline.id.clone(), hotline.timeout);
        if let Some((open, _)) = open {
            self.refuse(open, out);
        }
        self.last = number;
        let state = State::Asked { until: now + timeout };
        let (counted_until, known_until) = (now + COUNTED, now + KNOWN);
        let links = vec![link.clone()];
        self.inquiries.insert(number, Inquiry { line, caller, links, state, counted_until, known_until });
        out.push(Wish::Store(HouseFact::Inquired { inquiry: number, hotline, caller: asks, callee: asked, link }));
        out.push(Wish::Write { inquiry: number, to: 1 - caller, letter: Letter::Asks });
        Called::Asked(number)
    }

    /// The one who is asked pressed the page's button; how the inquiry stood before. `None`: there is no such inquiry.
    pub fn on_accept(&mut self, number: u32, out: &mut Outbox<Wish>) -> Option<Standing> {
        let inquiry = self.inquiries.get_mut(&number)?;
        let bridge = self.lines.get(inquiry.line)?.bridge;
        let (before, to) = (inquiry.standing(), inquiry.caller);
        let (state, letter, late) = match inquiry.state {
            State::Asked { .. } if bridge => (State::Accepted, Letter::Bridged, false),
            State::Asked { .. } => (State::Accepted, Letter::Accepted, false),
            State::Refused => (State::Late, Letter::Late, true),
            State::Accepted | State::Late => return Some(before),
        };
        inquiry.state = state;
        out.push(Wish::Store(HouseFact::InquiryAccepted { inquiry: number, late }));
        out.push(Wish::Write { inquiry: number, to, letter });
        if bridge && !late {
            out.push(Wish::Bridge { inquiry: number });
        }
        Some(before)
    }

    /// A new link for an inquiry whose first one was lost with a former life before it was sent.
    pub fn on_new_link(&mut self, number: u32, link: String, out: &mut Outbox<Wish>) {
        let Some(inquiry) = self.inquiries.get_mut(&number) else { return };
        let Some(hotline) = self.lines.get(inquiry.line) else { return };
        inquiry.links.push(link.clone());
        let (caller, callee) = (hotline.people[inquiry.caller].id.clone(), hotline.people[inquiry.callee()].id.clone());
        let hotline = hotline.id.clone();
        out.push(Wish::Store(HouseFact::Inquired { inquiry: number, hotline, caller, callee, link }));
    }

    /// A fact of a former life, which happened `age` ago.
    pub fn restore(&mut self, now: Time, age: Duration, fact: &HouseFact) {
        match fact {
            HouseFact::Inquired { inquiry, hotline, caller, callee, link } => {
                self.last = self.last.max(*inquiry);
                if let Some(known) = self.inquiries.get_mut(inquiry) {
                    known.links.push(link.clone());
                    return;
                }
                let same = |line: &Hotline| {
                    let [one, two] = [&line.people[0].id, &line.people[1].id];
                    line.id == *hotline && [(one, two), (two, one)].contains(&(caller, callee))
                };
                let Some(place) = self.lines.iter().position(same) else { return };
                let Some(line) = self.lines.get(place).filter(|_| age < KNOWN) else { return };
                let inquiry_of = Inquiry {
                    line: place,
                    caller: usize::from(line.people[1].id == *caller),
                    links: vec![link.clone()],
                    state: State::Asked { until: now + line.timeout.saturating_sub(age) },
                    counted_until: now + COUNTED.saturating_sub(age),
                    known_until: now + KNOWN.saturating_sub(age),
                };
                self.inquiries.insert(*inquiry, inquiry_of);
            }
            HouseFact::InquiryAccepted { inquiry, late } => {
                if let Some(known) = self.inquiries.get_mut(inquiry) {
                    known.state = if *late { State::Late } else { State::Accepted };
                }
            }
            HouseFact::InquiryRefused { inquiry } => {
                if let Some(known) = self.inquiries.get_mut(inquiry) {
                    known.state = State::Refused;
                }
            }
            _ => {}
        }
    }

    /// When to call [`Hotlines::on_deadline`].
    pub fn next_deadline(&self) -> Option<Time> {
        self.inquiries.values().map(Inquiry::deadline).min()
    }

    /// Time is over for a question, or for the memory of it.
    pub fn on_deadline(&mut self, now: Time, out: &mut Outbox<Wish>) {
        self.inquiries.retain(|_, inquiry| now < inquiry.known_until);
        let late = |(_, it): &(&u32, &Inquiry)| matches!(it.state, State::Asked { until } if until <= now);
        let late: Vec<(u32, usize)> = self.inquiries.iter().filter(late).map(|(n, it)| (*n, it.caller)).collect();
        for (number, caller) in late {
            self.refuse(number, out);
            out.push(Wish::Write { inquiry: number, to: caller, letter: Letter::Refused });
        }
    }

    fn refuse(&mut self, number: u32, out: &mut Outbox<Wish>) {
        if let Some(inquiry) = self.inquiries.get_mut(&number) {
            inquiry.state = State::Refused;
            out.push(Wish::Store(HouseFact::InquiryRefused { inquiry: number }));
        }
    }
}

#[cfg(test)]
#[path = "tests/hotline.rs"]
mod tests;
