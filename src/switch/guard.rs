//! The dial guard: the last word before an INVITE leaves the house.
//!
//! Numbers of the rosters are held to the caps alone. A number that stands in no roster (a token with `dial:any` asked
//! for it) must lie in a country that is allowed, may use only what the caps leave over beside the rosters' reserve,
//! and is held to small caps where none are set: a door that dials any number is a machine for toll fraud. Every
//! refusal is a fact. Easy to get wrong: a cap that only delays a call (so many at once, so many a minute) is asked
//! again each second, and is told once.

use core::ops::RangeInclusive;
use core::time::Duration;
use std::collections::{BTreeSet, VecDeque};

use super::desk::Switch;
use super::tell::What;
use super::waiting::{For, Waiting};
use crate::base::{AttemptId, ContactId, LegId, Phone, Stamp, Time};
use crate::incident::{Contact, Entry, HouseFact};

/// The id of a person who stands in no roster begins so; behind it stand the digits of the number.
pub const STRANGER: &str = "any.";

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(86_400);
/// What strangers' numbers are held to where the configuration sets no cap.
const STRANGERS: Caps = Caps { concurrent: 10, minute: 30, day: 300 };

/// `[dial]`, as the corridor needs it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct DialRules {
    /// Where numbers that stand in no roster may lie; none where this is empty.
    pub countries: Vec<Country>,
    /// The most calls at once; no cap when absent.
    pub max_concurrent: Option<u32>,
    /// The most calls within a minute.
    pub max_per_minute: Option<u32>,
    /// The most calls within a day.
    pub max_per_day: Option<u32>,
    /// How much of each cap only the rosters' numbers may use, in percent.
    pub reserve_percent: u32,
}

/// Numbers that begin alike and are made alike.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Country {
    /// With its `+`.
    pub prefix: String,
    /// What begins so and still lies elsewhere, costs more than a call, or is no number there.
    pub except: Vec<String>,
    /// How many digits a whole number has.
    pub digits: RangeInclusive<usize>,
    /// How a whole number looks, its beginning as it is, `N` for 2 to 9 and `.` for any digit, where that is known.
    pub shape: Option<String>,
}

impl Country {
    fn has(&self, number: &str) -> bool {
        let looks = |shape: &String| {
            let fits = |(wanted, c): (char, char)| match wanted {
                'N' => ('2'..='9').contains(&c),
                '.' => c.is_ascii_digit(),
                wanted => wanted == c,
            };
            shape.len() == number.len() && shape.chars().zip(number.chars()).all(fits)
        };
        number.starts_with(&self.prefix)
            && self.digits.contains(&(number.len().saturating_sub(1)))
            && !self.except.iter().any(|prefix| number.starts_with(prefix))
            && self.shape.as_ref().is_none_or(looks)
    }
}

impl DialRules {
    /// True when the number lies in a country that is allowed. The error says why not.
    pub fn allows(&self, phone: &Phone) -> Result<(), String> {
        let Phone::Number(number) = phone else {
            return Err(format!("{phone} is no telephone number: only rosters hold SIP URIs"));
        };
        if self.countries.iter().any(|country| country.has(number)) {
            return Ok(());
        }
        Err(match self.countries.is_empty() {
            true => format!("{phone} stands in no roster, and `countries` in [dial] allows none"),
            false => {
                format!("{phone} stands in no roster, and is no number of a country that `countries` in [dial] allows")
            }
        })
    }

    /// What may be used: by everybody, or by strangers' numbers alone.
    fn caps(&self, stranger: bool) -> Caps {
        let left = |cap: Option<u32>, usual: u32| match cap {
            Some(cap) if stranger => share(cap, 100 - self.reserve_percent.min(100)),
            Some(cap) => cap,
            None if stranger => usual,
            None => u32::MAX,
        };
        Caps {
            concurrent: left(self.max_concurrent, STRANGERS.concurrent),
            minute: left(self.max_per_minute, STRANGERS.minute),
            day: left(self.max_per_day, STRANGERS.day),
        }
    }
}

fn share(cap: u32, percent: u32) -> u32 {
    u32::try_from(u64::from(cap) * u64::from(percent) / 100).unwrap_or(cap)
}

/// The most of each.
#[derive(Clone, Copy, Debug)]
struct Caps {
    concurrent: u32,
    minute: u32,
    day: u32,
}

/// Why a number is not dialled.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Refusal {
    /// In words.
    pub(super) why: String,
    /// In a moment it may be otherwise.
    pub(super) passes: bool,
}

/// Counts what was dialled. Its clock is a day ahead, so that there is room for what former lives dialled.
#[derive(Debug)]
pub(super) struct Guard {
    /// The numbers of those whom the configuration knows.
    known: BTreeSet<Phone>,
    /// Legs to numbers of no roster; those that are gone are let go of at the next one.
    strangers: BTreeSet<LegId>,
    minute: Window,
    day: Window,
}

impl Guard {
    /// Nothing was dialled; these are known.
    pub(super) fn new(contacts: &[Contact]) -> Guard {
        let known = contacts.iter().flat_map(|contact| &contact.phones).cloned().collect();
        let (minute, day) = (Window::new(MINUTE, 60), Window::new(DAY, 1_440));
        Guard { known, strangers: BTreeSet::new(), minute, day }
    }

    /// From now on these are known, and of the others those in whose `plans` they stand.
    fn know(&mut self, contacts: &[Contact], plans: &[&Contact]) {
        self.known.retain(|phone| plans.iter().any(|contact| contact.phones.contains(phone)));
        self.known.extend(contacts.iter().flat_map(|contact| &contact.phones).cloned());
    }

    fn is_stranger(&self, contact: &ContactId, phone: &Phone) -> bool {
        contact.as_str().starts_with(STRANGER) || !self.known.contains(phone)
    }

    /// May this number be dialled now, with so many calls up (of which so many to strangers)?
    fn check(&self, rules: &DialRules, now: Time, phone: &Phone, up: Count, stranger: bool) -> Result<(), Refusal> {
        let lasting = |why: String| Refusal { why, passes: false };
        if stranger {
            rules.allows(phone).map_err(lasting)?;
        }
        let (minute, day) = (self.minute.count(now + DAY), self.day.count(now + DAY));
        for (whose, strangers) in [("", false), (" to numbers of no roster", true)] {
            if strangers && !stranger {
                continue;
            }
            let caps = rules.caps(strangers);
            let of = |count: Count| if strangers { count.strangers } else { count.all };
            if of(day) >= caps.day {
                let why = format!("no more than {} calls{whose} within a day (max_per_day in [dial])", caps.day);
                return Err(lasting(why));
            }
            let why = if of(up) >= caps.concurrent {
                format!("no more than {} calls{whose} at once (max_concurrent in [dial])", caps.concurrent)
            } else if of(minute) >= caps.minute {
                format!("no more than {} calls{whose} within a minute (max_per_minute in [dial])", caps.minute)
            } else {
                continue;
            };
            return Err(Refusal { why, passes: true });
        }
        Ok(())
    }

    /// It was dialled.
    fn dialled(&mut self, now: Time, stranger: bool) {
        self.dialled_ago(now, Duration::ZERO, stranger);
    }

    /// It was dialled so long ago, in a former life perhaps; oldest first.
    fn dialled_ago(&mut self, now: Time, ago: Duration, stranger: bool) {
        if ago < DAY {
            let then = (now + DAY).since(Time::ZERO + ago);
            self.minute.add(Time::ZERO + then, stranger);
            self.day.add(Time::ZERO + then, stranger);
        }
    }
}

/// How many, and how many of them to numbers of no roster.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    all: u32,
    strangers: u32,
}

/// What was counted lately, in so many parts.
#[derive(Debug)]
struct Window {
    part_micros: u64,
    parts: u64,
    counts: VecDeque<(u64, Count)>,
}

impl Window {
    fn new(length: Duration, parts: u32) -> Window {
        let part = (length / parts).as_micros();
        Window {
            part_micros: u64::try_from(part).unwrap_or(u64::MAX).max(1),
            parts: parts.into(),
            counts: VecDeque::new(),
        }
    }

    fn add(&mut self, now: Time, stranger: bool) {
        let part = now.as_micros() / self.part_micros;
        while self.counts.front().is_some_and(|(old, _)| old.saturating_add(self.parts) <= part) {
            self.counts.pop_front();
        }
        if self.counts.back().is_none_or(|(last, _)| *last != part) {
            self.counts.push_back((part, Count::default()));
        }
        if let Some((_, count)) = self.counts.back_mut() {
            count.all = count.all.saturating_add(1);
            count.strangers = count.strangers.saturating_add(stranger.into());
        }
    }

    fn count(&self, now: Time) -> Count {
        let part = now.as_micros() / self.part_micros;
        let recent = self.counts.iter().filter(|(old, _)| old.saturating_add(self.parts) > part);
        recent.fold(Count::default(), |sum, (_, count)| Count {
            all: sum.all.saturating_add(count.all),
            strangers: sum.strangers.saturating_add(count.strangers),
        })
    }
}

impl Switch {
    /// The people are others from here on. An incident under way keeps those of its plan.
    pub fn set_contacts(&mut self, contacts: Vec<Contact>) {
        let plans = self.cases.values().flat_map(|case| {
            core::iter::successors(Some(&case.plan), |plan| plan.then.as_deref()).flat_map(|plan| &plan.contacts)
        });
        self.guard.know(&contacts, &plans.collect::<Vec<_>>());
        self.settings.contacts = contacts;
    }

    /// Asks the guard. A refusal is told and written down, once a call.
    pub(super) fn guarded(&mut self, now: Time, call: &Waiting) -> Result<(), Refusal> {
        let checked = self.ask_guard(now, &call.contact, &call.phone);
        if let Err(Refusal { why, passes }) = &checked
            && !(*passes && call.for_what == For::Cap)
        {
            let case = self.cases.get(&call.attempt.incident);
            let by = case.and_then(|case| case.trigger.by.clone()).unwrap_or_else(|| "control".to_owned());
            self.tell_refusal(now, Some(call.attempt), &call.contact, &call.phone, &by, why);
        }
        checked
    }

    /// The same for a call that belongs to no incident and is not tried again.
    pub(super) fn may_ring(&mut self, now: Time, contact: &ContactId, phone: &Phone, by: &str) -> Result<(), String> {
        let checked = self.ask_guard(now, contact, phone);
        if let Err(Refusal { why, .. }) = &checked {
            self.tell_refusal(now, None, contact, phone, by, why);
        }
        checked.map_err(|refusal| refusal.why)
    }

    /// A door refused a number before there was anything to call for: it is told and written down as the guard's own
    /// refusals are.
    pub fn refused_at_the_door(&mut self, now: Time, number: &str, by: &str, why: &str) {
        self.write_refusal(now, None, None, number, by, why);
        self.settle(now);
    }

    /// Counts a call that left the house.
    pub(super) fn count_dialled(&mut self, now: Time, leg: LegId, contact: &ContactId, phone: &Phone) {
        let stranger = self.guard.is_stranger(contact, phone);
        self.guard.dialled(now, stranger);
        if stranger {
            self.guard.strangers.retain(|leg| self.legs.get(*leg).is_some());
            self.guard.strangers.insert(leg);
        }
    }

    /// Counts what former lives dialled within the last day, oldest first: a restart lifts no cap.
    pub fn recall_dialled(&mut self, now: Time, calls: impl IntoIterator<Item = (Stamp, ContactId, Phone)>) {
        let today = self.stamp(now);
        let mut calls: Vec<_> = self.held.take_rang().chain(calls).collect();
        calls.sort_by_key(|(at, ..)| *at);
        for (at, contact, phone) in calls {
            let stranger = self.guard.is_stranger(&contact, &phone);
            self.guard.dialled_ago(now, today.since(at), stranger);
        }
    }

    fn ask_guard(&self, now: Time, contact: &ContactId, phone: &Phone) -> Result<(), Refusal> {
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let stranger = self.guard.is_stranger(contact, phone);
        let strangers = self.guard.strangers.iter().filter(|leg| self.legs.get(**leg).is_some()).count();
        let up = Count { all: number(self.legs.len()), strangers: number(strangers) };
        self.guard.check(&self.settings.dial, now, phone, up, stranger)
    }

    fn tell_refusal(
        &mut self,
        now: Time,
        attempt: Option<AttemptId>,
        contact: &ContactId,
        phone: &Phone,
        by: &str,
        why: &str,
    ) {
        self.write_refusal(now, attempt, Some(contact.clone()), phone.as_str(), by, why);
    }

    fn write_refusal(
        &mut self,
        now: Time,
        attempt: Option<AttemptId>,
        contact: Option<ContactId>,
        number: &str,
        by: &str,
        why: &str,
    ) {
        let (at, number) = (self.stamp(now), number.to_owned());
        let fact = HouseFact::DialRefused { number: number.clone(), by: by.to_owned(), why: why.to_owned() };
        self.batch.facts.push(Entry::House(at, fact));
        let what = What::DialRefused { number, by: by.to_owned(), reason: why.to_owned() };
        self.tell(attempt.map(|of| of.incident), attempt.map(|of| of.number), contact, what);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> DialRules {
        let except = vec!["+81990".to_owned()];
        let japan = Country { prefix: "+81".to_owned(), except, digits: 11..=12, shape: None };
        DialRules { countries: vec![japan], ..DialRules::default() }
    }

    fn phone(text: &str) -> Phone {
        Phone::parse(text).unwrap()
    }

    fn at(seconds: u64) -> Time {
        Time::from_micros(seconds * 1_000_000)
    }

    fn up(all: u32, strangers: u32) -> Count {
        Count { all, strangers }
    }

    #[test]
    fn a_strangers_number_lies_in_a_country_that_is_allowed_or_is_not_dialled() {
        let guard = Guard::new(&[]);
        let check = |number, stranger| guard.check(&rules(), at(0), &phone(number), up(0, 0), stranger);
        assert_eq!(check("+818012345678", true), Ok(()));
        for elsewhere in ["+18765550100", "+81990123456", "sip:anybody@192.0.2.1"] {
            assert!(check(elsewhere, true).is_err_and(|refusal| !refusal.passes), "{elsewhere}");
            assert_eq!(check(elsewhere, false), Ok(()), "a roster may hold it: {elsewhere}");
        }
        let nowhere = guard.check(&DialRules::default(), at(0), &phone("+818012345678"), up(0, 0), true);
        assert!(nowhere.unwrap_err().why.contains("allows none"));
    }

    #[test]
    fn the_rosters_keep_their_reserve_of_what_may_be_up_at_once() {
        let rules = DialRules { max_concurrent: Some(10), reserve_percent: 80, ..rules() };
        let guard = Guard::new(&[]);
        let check = |count, stranger| guard.check(&rules, at(0), &phone("+818012345678"), count, stranger);
        assert!(check(up(2, 1), true).is_ok());
        assert!(check(up(2, 2), true).is_err_and(|refusal| refusal.passes));
        assert!(check(up(9, 2), false).is_ok());
        assert!(check(up(10, 2), false).is_err_and(|refusal| refusal.passes));
    }

    #[test]
    fn a_minute_and_a_day_are_counted_and_pass() {
        let rules = DialRules { max_per_minute: Some(2), max_per_day: Some(3), ..rules() };
        let mut guard = Guard::new(&[]);
        let mut dials = |seconds| {
            let checked = guard.check(&rules, at(seconds), &phone("+818012345678"), up(0, 0), false);
            if checked.is_ok() {
                guard.dialled(at(seconds), false);
            }
            checked.map_err(|refusal| refusal.passes)
        };
        assert_eq!([dials(0), dials(1), dials(2)], [Ok(()), Ok(()), Err(true)]);
        assert_eq!([dials(61), dials(130), dials(3_600)], [Ok(()), Err(false), Err(false)]);
        assert_eq!(dials(86_400 + 61), Ok(()));
    }

    #[test]
    fn what_a_former_life_dialled_is_counted_until_its_time_is_over() {
        let rules = DialRules { max_per_minute: Some(2), max_per_day: Some(3), ..rules() };
        let mut guard = Guard::new(&[]);
        let ago = Duration::from_secs;
        for (seconds, stranger) in [(90_000, false), (3_600, false), (30, true), (10, true)] {
            guard.dialled_ago(at(0), ago(seconds), stranger);
        }
        let check = |seconds| {
            let checked = guard.check(&rules, at(seconds), &phone("+818012345678"), up(0, 0), false);
            checked.map_err(|refusal| refusal.passes)
        };
        assert_eq!(check(0), Err(false), "three within the day");
        assert_eq!(check(86_400 - 3_600), Ok(()));
        let minute = DialRules { max_per_day: None, ..rules.clone() };
        let check = |seconds| guard.check(&minute, at(seconds), &phone("+818012345678"), up(0, 0), false).is_ok();
        assert_eq!([check(0), check(29), check(30)], [false, false, true]);
    }

    #[test]
    fn strangers_are_held_to_small_caps_where_none_are_set() {
        let mut guard = Guard::new(&[]);
        let rules = rules();
        let number = phone("+818012345678");
        for second in 0..30 {
            assert!(guard.check(&rules, at(second), &number, up(0, 0), true).is_ok());
            guard.dialled(at(second), true);
        }
        assert!(guard.check(&rules, at(30), &number, up(0, 0), true).is_err());
        assert!(guard.check(&rules, at(30), &number, up(500, 0), false).is_ok(), "the rosters know no cap");
    }

    #[test]
    fn a_number_is_judged_by_itself_and_not_by_the_name_it_came_under() {
        let (id, phones) = (ContactId::parse("yamada").unwrap(), vec![phone("+818012345678")]);
        let yamada =
            Contact { name: String::new(), id, phones, language: Default::default(), hours: Default::default() };
        let guard = Guard::new(std::slice::from_ref(&yamada));
        assert!(!guard.is_stranger(&yamada.id, &phone("+818012345678")));
        assert!(guard.is_stranger(&yamada.id, &phone("+819099999999")), "a stranger's number under a known name");
        assert!(guard.is_stranger(&ContactId::parse("any.818012345678").unwrap(), &phone("+818012345678")));
    }
}
