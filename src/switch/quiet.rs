//! Promises to stay quiet: given, shown, taken back, and taken up again after a restart.
//!
//! Easy to get wrong: a promise is given for what is being called about as well, so the incidents it fits stop at
//! once; and it is written down in the same batch as what follows from it. Whoever promises the same thing again, because
//! the first answer was that it is not on disk yet, say, has promised it once: the later word takes the place of the
//! earlier one.

use core::time::Duration;

use super::case::Case;
use super::desk::Switch;
use super::tell::What;
use crate::base::{IncidentId, Stamp, Time};
use crate::incident::{Entry, Fact, HouseFact, Scope, Suppression};

/// For how long quiet can be promised.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 3_600);
/// How many promises hold at the same time.
const MOST: usize = 10_000;
/// How many bytes of the name of who promised are kept.
const BY_BYTES_MAX: usize = 128;

/// Why nobody stays quiet, or a promise is not taken back.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NotQuiet {
    /// The scope names nothing, and would fit nothing.
    #[error("quiet about what? Name a deduplication key, a host, a service or a call flow")]
    AboutNothing,
    /// That moment lies in the past, or too far ahead.
    #[error("quiet is promised until a moment to come, a year ahead at most")]
    Until,
    /// There are too many already.
    #[error("{MOST} suppressions hold already: lift some first")]
    TooMany,
    /// There is no such promise.
    #[error("no suppression {0} holds: `hansho quiet --list` shows them")]
    NoSuch(u32),
}

impl Switch {
    /// Nobody is called any more about what `scope` names, until that moment. Incidents that are being called about it
    /// end as suppressed.
    pub fn suppress(&mut self, now: Time, scope: Scope, until: Stamp, by: &str) -> Result<Suppression, NotQuiet> {
        let at = self.stamp(now);
        if scope.is_empty() {
            return Err(NotQuiet::AboutNothing);
        }
        if until <= at || until.since(at) > LONGEST {
            return Err(NotQuiet::Until);
        }
        if self.suppressions.at(at).count() >= MOST {
            return Err(NotQuiet::TooMany);
        }
        let by = by[..by.floor_char_boundary(BY_BYTES_MAX)].to_owned();
        let before = self.suppressions.at(at).filter(|it| it.scope == scope && it.by == by);
        let before: Vec<Suppression> = before.cloned().collect();
        if let Some(same) = before.iter().find(|it| it.until == until) {
            return Ok(same.clone());
        }
        let suppression = self.promise(at, scope, until, by.clone());
        before.into_iter().for_each(|it| self.take_back(at, it.id, by.clone()));
        // Of a bundle, all alerts must be meant.
        let fits = |case: &Case| {
            let guidance = &case.incident.plan().guidance;
            case.record.alerts().all(|alert| suppression.scope.fits(alert, guidance))
        };
        let open = self.cases.iter().filter(|(_, case)| !case.record.state.is_final() && fits(case));
        let open: Vec<IncidentId> = open.map(|(id, _)| *id).collect();
        for id in open {
            self.call_off(now, id, |incident, out| incident.on_suppressed(now, suppression.id, out));
        }
        self.settle(now);
        Ok(suppression)
    }

    /// Takes a promise back: from now on calls are made again.
    pub fn lift(&mut self, now: Time, suppression: u32, by: &str) -> Result<(), NotQuiet> {
        let at = self.stamp(now);
        if !self.suppressions.at(at).any(|it| it.id == suppression) {
            return Err(NotQuiet::NoSuch(suppression));
        }
        self.take_back(at, suppression, by[..by.floor_char_boundary(BY_BYTES_MAX)].to_owned());
        self.settle(now);
        Ok(())
    }

    /// The promises that hold, the oldest first.
    pub fn suppressions(&self, now: Time) -> impl Iterator<Item = &Suppression> {
        self.suppressions.at(self.stamp(now))
    }

    /// A person promised it on the phone: whoever waits to be called is not, and the house keeps the promise.
    pub(super) fn quieted(&mut self, at: Stamp, id: IncidentId, fact: &Fact) {
        let Fact::Quieted { contact, until, scope, .. } = fact else { return };
        self.waiting.forget(id);
        let suppression = self.promise(at, scope.clone(), *until, contact.to_string()).id;
        // Who heard of several alerts means all of them.
        let guidance = self.cases.get(&id).map(|case| (case, &case.incident.plan().guidance));
        let alerts =
            guidance.into_iter().flat_map(|(case, guidance)| case.record.alerts().map(move |it| (it, guidance)));
        let others: Vec<Scope> =
            alerts.filter(|(alert, guidance)| !scope.fits(alert, guidance)).map(|(it, of)| Scope::of(it, of)).collect();
        for (place, other) in others.iter().enumerate() {
            if !others[..place].contains(other) {
                self.promise(at, other.clone(), *until, contact.to_string());
            }
        }
        self.tell(Some(id), None, Some(contact.clone()), What::Suppressed { suppression });
    }

    /// What happened to the house in a former life.
    pub(super) fn restore_house(&mut self, now: Time, facts: &[(Stamp, HouseFact)]) {
        for (at, fact) in facts {
            self.suppressions.apply(*at, fact);
            self.post.restore(now, fact);
            self.restore_hotline(now, *at, fact);
            self.held.restore(*at, fact);
            self.restore_user(now, fact);
        }
        self.end_cut_lines(now);
    }

    fn promise(&mut self, at: Stamp, scope: Scope, until: Stamp, by: String) -> Suppression {
        let suppression = Suppression { id: self.suppressions.next(), scope, until, by };
        self.store_house(at, HouseFact::Suppressed { suppression: suppression.clone() });
        self.tell(None, None, None, What::Quiet { suppression: suppression.clone() });
        suppression
    }

    fn take_back(&mut self, at: Stamp, suppression: u32, by: String) {
        self.store_house(at, HouseFact::Lifted { suppression, by: by.clone() });
        self.tell(None, None, None, What::Lifted { suppression, by });
    }

    fn store_house(&mut self, at: Stamp, fact: HouseFact) {
        self.suppressions.apply(at, &fact);
        self.batch.facts.push(Entry::House(at, fact));
    }
}
