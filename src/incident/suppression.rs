//! Promises to stay quiet: the book of those that hold, and what one is about.
//!
//! Folded from the house's facts alone. A promise given on the phone is an incident's fact ([`Fact::Quieted`]) and,
//! written down together with it, a fact of the house, because the incident is closed and is not read again after a
//! restart. The book never acts: whoever raises an incident asks it first. Easy to get wrong: whether a promise
//! holds is asked with the calendar of now, which may step back; so what has run out is kept for a day.
//!
//! [`Fact::Quieted`]: super::Fact::Quieted

use core::time::Duration;
use std::collections::BTreeMap;

use super::house::{HouseFact, Scope, Suppression};
use super::plan::Guidance;
use crate::base::{Stamp, Trigger};

/// What has run out is forgotten after this.
const KEPT: Duration = Duration::from_secs(24 * 3_600);

/// The suppressions that hold, and the number of the last one.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Suppressions {
    open: BTreeMap<u32, Suppression>,
    last: u32,
}

impl Suppressions {
    /// Takes in the next fact of the house, which happened at `at`.
    pub fn apply(&mut self, at: Stamp, fact: &HouseFact) {
        match fact {
            HouseFact::Suppressed { suppression } => {
                self.open.retain(|_, old| at.since(old.until) < KEPT);
                self.last = self.last.max(suppression.id);
                self.open.insert(suppression.id, suppression.clone());
            }
            HouseFact::Lifted { suppression, .. } => {
                self.open.remove(suppression);
            }
            _ => {}
        }
    }

    /// The number of the next one.
    pub fn next(&self) -> u32 {
        self.last.saturating_add(1)
    }

    /// Those that hold at `at`, the oldest first.
    pub fn at(&self, at: Stamp) -> impl Iterator<Item = &Suppression> {
        self.open.values().filter(move |suppression| at < suppression.until)
    }

    /// The one because of which nobody is called for this trigger: of several, the one that holds longest.
    pub fn about(&self, at: Stamp, trigger: &Trigger, guidance: &Guidance) -> Option<&Suppression> {
        self.at(at).filter(|it| it.scope.fits(trigger, guidance)).max_by_key(|it| it.until)
    }
}

impl Scope {
    /// What a trigger is about, as closely as it says: its deduplication key, else its host and service, else its
    /// very message in its call flow.
    pub fn of(trigger: &Trigger, guidance: &Guidance) -> Scope {
        if trigger.dedup.is_some() {
            return Scope { dedup: trigger.dedup.clone(), ..Scope::default() };
        }
        let (host, service) = (trigger.host.clone(), trigger.service.clone());
        if host.is_some() && service.is_some() {
            return Scope { host, service, ..Scope::default() };
        }
        let (call_flow, message) = (Some(trigger.call_flow.clone()), text(trigger, guidance));
        Scope { host, service, call_flow, message, ..Scope::default() }
    }

    /// True when it names nothing, and so fits nothing.
    pub fn is_empty(&self) -> bool {
        *self == Scope::default()
    }

    /// True when the trigger has all that is named here.
    pub fn fits(&self, trigger: &Trigger, guidance: &Guidance) -> bool {
        fn named<T: PartialEq>(wanted: Option<&T>, found: Option<&T>) -> bool {
            wanted.is_none() || wanted == found
        }
        let message = || self.message.is_none() || self.message == text(trigger, guidance);
        !self.is_empty()
            && named(self.dedup.as_ref(), trigger.dedup.as_ref())
            && named(self.host.as_ref(), trigger.host.as_ref())
            && named(self.service.as_ref(), trigger.service.as_ref())
            && named(self.call_flow.as_ref(), Some(&trigger.call_flow))
            && message()
    }
}

/// What two alerts have to have in common to be about the same thing: the message with its parameters; that of the
/// guidance's first language, where the trigger brings none.
fn text(trigger: &Trigger, guidance: &Guidance) -> Option<String> {
    let text = trigger.message.as_ref().or_else(|| guidance.message.values().next())?;
    Some(filled(text, &trigger.parameters))
}

/// `text` with every `{{name}}` replaced by the parameter of that name, whatever a filter would make of it: what people
/// are told may be less than what tells two alerts apart.
fn filled(text: &str, parameters: &BTreeMap<String, String>) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        filled.push_str(before);
        let Some((name, behind)) = after.split_once("}}") else {
            filled.push_str("{{");
            rest = after;
            continue;
        };
        let name = name.split('|').next().unwrap_or(name).trim();
        filled.push_str(parameters.get(name).map_or("", String::as_str));
        rest = behind;
    }
    filled.push_str(rest);
    filled
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::tests::{any_plan, any_trigger};

    fn guidance() -> Guidance {
        any_plan().guidance
    }

    #[test]
    fn what_a_filter_says_less_of_is_still_told_apart() {
        let parameters = BTreeMap::from([("host".to_owned(), "db-01".to_owned())]);
        assert_eq!(filled("{{ host }} is down, {{host|upper}}{{x}}.", &parameters), "db-01 is down, db-01.");
        assert_eq!(filled("{{host", &parameters), "{{host");
    }

    fn hour(hour: i64) -> Stamp {
        Stamp::from_unix_micros(hour * 3_600_000_000)
    }

    fn about(host: &str) -> Scope {
        Scope { host: Some(host.to_owned()), ..Scope::default() }
    }

    fn book(suppressions: &[(u32, &str, i64)]) -> Suppressions {
        let mut book = Suppressions::default();
        for (id, host, until) in suppressions {
            let suppression =
                Suppression { id: *id, scope: about(host), until: hour(*until), by: "control".to_owned() };
            book.apply(hour(0), &HouseFact::Suppressed { suppression });
        }
        book
    }

    #[test]
    fn a_promise_holds_until_its_moment_and_no_longer() {
        let book = book(&[(1, "db", 2)]);
        let trigger = Trigger { host: Some("db".to_owned()), ..any_trigger() };
        assert_eq!(book.about(hour(1), &trigger, &guidance()).map(|it| it.id), Some(1));
        assert_eq!(book.about(hour(2), &trigger, &guidance()), None);
        assert_eq!(book.about(hour(1), &any_trigger(), &guidance()), None);
    }

    #[test]
    fn of_several_promises_the_one_that_holds_longest_is_named() {
        let book = book(&[(1, "db", 2), (2, "db", 9), (3, "db", 5)]);
        let trigger = Trigger { host: Some("db".to_owned()), ..any_trigger() };
        assert_eq!(book.about(hour(1), &trigger, &guidance()).map(|it| it.id), Some(2));
    }

    #[test]
    fn what_is_lifted_is_gone_and_its_number_is_not_given_again() {
        let mut book = book(&[(1, "db", 2), (2, "web", 2)]);
        book.apply(hour(1), &HouseFact::Lifted { suppression: 2, by: "control".to_owned() });
        assert_eq!((book.at(hour(1)).count(), book.next()), (1, 3));
    }

    #[test]
    fn what_ran_out_is_forgotten_a_day_later() {
        let mut book = book(&[(1, "db", 2)]);
        let late = Suppression { id: 2, scope: about("web"), until: hour(90), by: String::new() };
        book.apply(hour(25), &HouseFact::Suppressed { suppression: late.clone() });
        assert_eq!(book.open.len(), 2);
        book.apply(hour(26), &HouseFact::Suppressed { suppression: Suppression { id: 3, ..late } });
        assert_eq!(book.open.keys().copied().collect::<Vec<_>>(), [2, 3]);
    }

    #[test]
    fn a_trigger_is_about_its_key_else_its_host_and_service_else_its_message() {
        let some = |text: &str| Some(text.to_owned());
        let plain = any_trigger();
        let scope = Scope::of(&plain, &guidance());
        assert_eq!((scope.call_flow.as_ref(), &scope.message), (Some(&plain.call_flow), &plain.message));
        let check = Trigger { host: some("db"), service: some("cpu"), ..plain.clone() };
        let scope = Scope::of(&check, &guidance());
        assert_eq!(scope, Scope { host: some("db"), service: some("cpu"), ..Scope::default() });
        let keyed = Trigger { dedup: some("key"), ..check.clone() };
        assert_eq!(Scope::of(&keyed, &guidance()), Scope { dedup: some("key"), ..Scope::default() });
        for trigger in [plain, check, keyed] {
            let other = Trigger { message: some("another"), host: None, dedup: some("other"), ..trigger.clone() };
            let scope = Scope::of(&trigger, &guidance());
            assert!(scope.fits(&trigger, &guidance()) && !scope.fits(&other, &guidance()), "{scope:?}");
        }
    }

    #[test]
    fn a_promise_about_a_call_flow_is_about_whatever_it_calls_for() {
        let about = |flow: &str| Scope { call_flow: flow.parse().ok(), ..Scope::default() };
        let night = Trigger { call_flow: "night".parse().unwrap(), ..any_trigger() };
        let keyed = Trigger { dedup: Some("disk".to_owned()), message: None, ..night.clone() };
        for trigger in [night, keyed] {
            let fits = |flow| about(flow).fits(&trigger, &guidance());
            assert_eq!((fits("night"), fits("day")), (true, false), "{trigger:?}");
        }
    }

    #[test]
    fn messages_that_differ_in_a_parameter_are_not_the_same() {
        let mut guidance = guidance();
        guidance.message.insert(crate::base::Language::En, "{{host}} is down".to_owned());
        let down = |host: &str| Trigger {
            message: None,
            parameters: [("host".to_owned(), host.to_owned())].into(),
            ..any_trigger()
        };
        let scope = Scope::of(&down("db"), &guidance);
        assert_eq!(scope.message.as_deref(), Some("db is down"));
        assert!(scope.fits(&down("db"), &guidance) && !scope.fits(&down("web"), &guidance));
    }

    #[test]
    fn a_scope_that_names_nothing_fits_nothing() {
        assert!(!Scope::default().fits(&any_trigger(), &guidance()));
    }
}
