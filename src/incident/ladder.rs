//! Whom to call next: the order, the rounds, the phones of each person. Folded from facts alone, so that a
//! restart finds everybody where they stood; it never asks for a call and knows no time.
//!
//! Easy to get wrong: a person who was called has had their turn even when the call is still saying goodbye;
//! a call cut by a restart is tried again, but only once a round, or a crash that our own call provokes
//! would ring the same person for ever.
//!
//! What the end of a call makes of the person's turn in this round:
//!
//! | ended | another phone left | last phone |
//! | --- | --- | --- |
//! | taken | done | done |
//! | passed | done | done |
//! | left | done | done |
//! | quieted | done | done |
//! | ignored | done | done |
//! | no_answer | next phone | done |
//! | busy | next phone | done |
//! | rejected | done | done |
//! | unreachable | next phone | done |
//! | failed | next phone | done |
//! | cancelled | done | done |
//! | busy, never left the house | done | done |
//! | cut by a restart | same phone | same phone |
//! | cut by a restart again | done | done |

use std::collections::{BTreeMap, BTreeSet};

use rand::seq::SliceRandom;

use super::fact::{Behaviour, CallHandle, Fact, Outcome};
use super::plan::{Answer, Plan, Strategy};
use super::record::State;
use crate::base::{ContactId, Phone, Trigger, seeded};

/// The reason written where a restart cut a call.
pub(super) const RESTART: &str = "restart";

/// Why stored facts do not make an incident.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ReplayError {
    /// The first fact is missing, or is not `accepted`.
    #[error("the first fact of an incident is `accepted`; this one begins otherwise")]
    NotAccepted,
    /// `accepted` stands a second time.
    #[error("an incident is accepted once; here it is accepted again")]
    AcceptedAgain,
    /// A fact about a call that was not begun, or has ended.
    #[error("a fact about attempt {0}, which is not under way")]
    NoSuchAttempt(u32),
    /// A call that was begun twice.
    #[error("attempt {0} begins twice")]
    AttemptAgain(u32),
    /// A person the plan does not name.
    #[error("`{0}` is not in this incident's plan")]
    NoSuchContact(ContactId),
}

/// Everything about one incident that survives a crash.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Ladder {
    pub(super) trigger: Trigger,
    pub(super) plan: Plan,
    /// The phones that may be rung, of those who have any.
    phones: BTreeMap<ContactId, Vec<Phone>>,
    state: State,
    round: u32,
    /// The round before the present plan's first.
    rounds_before: u32,
    order: Vec<ContactId>,
    turns: BTreeMap<ContactId, Turn>,
    open: BTreeMap<u32, Open>,
    last_attempt: u32,
    /// Everybody who may come to be called, by whichever call flow.
    people: BTreeSet<ContactId>,
    taken: BTreeSet<ContactId>,
    /// Those who are not called again, in no round.
    left: BTreeSet<ContactId>,
    last_taker: Option<ContactId>,
    /// Did somebody take it since the present plan began?
    taken_in_plan: bool,
    acknowledged: bool,
}

/// One person in the present round.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Turn {
    phones_tried: usize,
    cut_once: bool,
    called: bool,
    skipped: bool,
    done: bool,
}

/// A call that has begun and not ended.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Open {
    pub(super) contact: ContactId,
    inbound: bool,
    left_the_house: bool,
    /// How it would end if it were cut now, where a key has said so.
    said: Option<Outcome>,
    joined: bool,
}

impl Ladder {
    pub(super) fn new(trigger: Trigger, plan: Plan) -> Ladder {
        Ladder {
            phones: phones_of(&trigger, &plan),
            people: people_of(&plan).collect(),
            trigger,
            plan,
            state: State::Queued,
            round: 0,
            rounds_before: 0,
            order: Vec::new(),
            turns: BTreeMap::new(),
            open: BTreeMap::new(),
            last_attempt: 0,
            taken: BTreeSet::new(),
            left: BTreeSet::new(),
            last_taker: None,
            taken_in_plan: false,
            acknowledged: false,
        }
    }

    pub(super) fn state(&self) -> State {
        self.state
    }

    pub(super) fn round(&self) -> u32 {
        self.round
    }

    pub(super) fn last_attempt(&self) -> u32 {
        self.last_attempt
    }

    /// The calls that have begun and not ended, with how each would end if it were cut now.
    pub(super) fn open(&self) -> impl Iterator<Item = (u32, Outcome)> + '_ {
        self.open.iter().map(|(attempt, open)| (*attempt, self.outcome_when_cut(open)))
    }

    pub(super) fn is_acknowledged(&self) -> bool {
        self.acknowledged
    }

    pub(super) fn has_taken(&self, contact: &ContactId) -> bool {
        self.taken.contains(contact)
    }

    /// True while the person's turn in this round is not over.
    pub(super) fn has_turn(&self, contact: &ContactId) -> bool {
        self.turns.get(contact).is_some_and(|turn| !turn.done)
    }

    /// Who is still to be called in this round and on which phone, in the round's order.
    pub(super) fn to_call(&self) -> impl Iterator<Item = (&ContactId, &Phone)> {
        self.order.iter().filter_map(|contact| {
            let turn = self.turns.get(contact).filter(|turn| !turn.done)?;
            Some((contact, self.phones.get(contact)?.get(turn.phones_tried)?))
        })
    }

    /// True when as many as must have taken it, and it is not written down yet. Who left or sleeps is not waited for.
    pub(super) fn enough(&self) -> bool {
        let answered = match self.plan.call_flow.answer {
            Answer::One => self.taken_in_plan,
            Answer::All => {
                let sleeps = |contact| self.turns.get(contact).is_some_and(|turn| turn.skipped);
                !self.taken.is_empty() && self.callable().all(sleeps)
            }
        };
        answered && !self.state.is_final()
    }

    /// True for everybody who may come to be called.
    pub(super) fn names(&self, contact: &ContactId) -> bool {
        self.people.contains(contact)
    }

    /// Who took it last.
    pub(super) fn last_taker(&self) -> Option<&ContactId> {
        self.last_taker.as_ref()
    }

    /// True when no further round of the present plan may begin.
    pub(super) fn is_last_round(&self) -> bool {
        let rounds = self.round.saturating_sub(self.rounds_before);
        rounds >= self.plan.call_flow.rounds.max(1) || self.callable().next().is_none()
    }

    /// True when the present plan has not begun a round yet.
    pub(super) fn is_fresh(&self) -> bool {
        self.round == self.rounds_before
    }

    /// True when nobody was called in the present round.
    pub(super) fn is_empty_round(&self) -> bool {
        !self.turns.values().any(|turn| turn.called)
    }

    /// The order of the round to come. The same seed and round give the same order.
    pub(super) fn next_order(&self, seed: u64) -> Vec<ContactId> {
        let mut order: Vec<ContactId> = self.callable().cloned().collect();
        if self.plan.call_flow.strategy == Strategy::Shuffled {
            order.shuffle(&mut seeded(seed.wrapping_add(u64::from(self.round) + 1)));
        }
        order
    }

    /// True when the fact can stand behind those taken in so far.
    pub(super) fn check(&self, fact: &Fact) -> Result<(), ReplayError> {
        let known = |contact: &ContactId| {
            if self.names(contact) { Ok(()) } else { Err(ReplayError::NoSuchContact(contact.clone())) }
        };
        let under_way = |attempt: &u32| {
            if self.open.contains_key(attempt) { Ok(()) } else { Err(ReplayError::NoSuchAttempt(*attempt)) }
        };
        match fact {
            Fact::Accepted { .. } => Err(ReplayError::AcceptedAgain),
            Fact::RoundStarted { order, .. } => order.iter().try_for_each(known),
            Fact::Dialled { attempt, contact, .. } | Fact::CalledIn { attempt, contact, .. } => {
                if self.open.contains_key(attempt) { Err(ReplayError::AttemptAgain(*attempt)) } else { known(contact) }
            }
            Fact::Ringing { attempt, .. }
            | Fact::Rerouted { attempt, .. }
            | Fact::Answered { attempt, .. }
            | Fact::Key { attempt, .. }
            | Fact::Joined { attempt, .. }
            | Fact::Ended { attempt, .. } => under_way(attempt),
            Fact::Taken { attempt, contact }
            | Fact::Left { attempt, contact }
            | Fact::Quieted { attempt, contact, .. } => under_way(attempt).and_then(|()| known(contact)),
            Fact::Acknowledged { contact } | Fact::Skipped { contact, .. } => known(contact),
            Fact::Again { .. }
            | Fact::Cleared { .. }
            | Fact::Suppressed { .. }
            | Fact::Claimed { .. }
            | Fact::Escalated { .. }
            | Fact::Exhausted
            | Fact::Cancelled { .. }
            | Fact::Resolved { .. } => Ok(()),
        }
    }

    /// Takes in the next fact.
    pub(super) fn apply(&mut self, fact: &Fact) {
        self.state = self.state.after(fact);
        match fact {
            Fact::RoundStarted { round, order } => {
                self.round = *round;
                self.order.clone_from(order);
                self.turns = order.iter().map(|contact| (contact.clone(), Turn::default())).collect();
            }
            Fact::Dialled { attempt, contact, call, .. } => {
                self.begin(*attempt, contact, false, *call != CallHandle::default());
            }
            Fact::CalledIn { attempt, contact, .. } => self.begin(*attempt, contact, true, true),
            Fact::Skipped { contact, .. } => {
                if let Some(turn) = self.turns.get_mut(contact) {
                    (turn.skipped, turn.done) = (true, true);
                }
            }
            Fact::Key { attempt, behaviour: Some(Behaviour::Next), .. } => {
                if let Some(contact) = self.says(*attempt, Outcome::Passed) {
                    self.is_done(&contact);
                }
            }
            Fact::Left { attempt, contact } => {
                self.says(*attempt, Outcome::Left);
                self.left.insert(contact.clone());
                self.is_done(contact);
            }
            Fact::Quieted { attempt, contact, .. } => {
                self.says(*attempt, Outcome::Quieted);
                self.is_done(contact);
            }
            Fact::Taken { attempt, contact } => {
                self.says(*attempt, Outcome::Taken);
                self.taken.insert(contact.clone());
                self.last_taker = Some(contact.clone());
                self.taken_in_plan = true;
                self.is_done(contact);
            }
            Fact::Joined { attempt, .. } => {
                if let Some(open) = self.open.get_mut(attempt) {
                    open.joined = true;
                }
            }
            Fact::Ended { attempt, outcome, reason, .. } => {
                if let Some(open) = self.open.remove(attempt) {
                    self.end(&open, *outcome, reason);
                }
            }
            Fact::Acknowledged { .. } | Fact::Claimed { .. } => self.acknowledged = true,
            Fact::Escalated { plan } => {
                self.phones = phones_of(&self.trigger, plan);
                self.people.extend(people_of(plan));
                self.plan = plan.clone();
                self.rounds_before = self.round;
                self.order.clear();
                self.turns.clear();
                self.taken_in_plan = false;
            }
            Fact::Accepted { .. }
            | Fact::Again { .. }
            | Fact::Cleared { .. }
            | Fact::Suppressed { .. }
            | Fact::Rerouted { .. }
            | Fact::Ringing { .. }
            | Fact::Answered { .. }
            | Fact::Key { .. }
            | Fact::Exhausted
            | Fact::Cancelled { .. }
            | Fact::Resolved { .. } => {}
        }
    }

    /// Those who can be called, have not taken it and have not left, in the roster's order.
    fn callable(&self) -> impl Iterator<Item = &ContactId> {
        let ids = self.plan.contacts.iter().map(|contact| &contact.id);
        ids.filter(|id| self.phones.contains_key(id) && !self.taken.contains(id) && !self.left.contains(id))
    }

    /// The person's turn in this round is over.
    fn is_done(&mut self, contact: &ContactId) {
        if let Some(turn) = self.turns.get_mut(contact) {
            turn.done = true;
        }
    }

    /// A key has said how this call will end. Gives whose call it is.
    fn says(&mut self, attempt: u32, outcome: Outcome) -> Option<ContactId> {
        let open = self.open.get_mut(&attempt)?;
        open.said = Some(outcome);
        Some(open.contact.clone())
    }

    fn begin(&mut self, attempt: u32, contact: &ContactId, inbound: bool, left_the_house: bool) {
        let contact = contact.clone();
        if let Some(turn) = self.turns.get_mut(&contact).filter(|_| !inbound) {
            turn.called = true;
        }
        let open = Open { contact, inbound, left_the_house, said: None, joined: false };
        self.open.insert(attempt, open);
        self.last_attempt = self.last_attempt.max(attempt);
    }

    fn end(&mut self, open: &Open, outcome: Outcome, reason: &str) {
        let phones = self.phones.get(&open.contact).map_or(0, Vec::len);
        let Some(turn) = self.turns.get_mut(&open.contact).filter(|_| !open.inbound) else { return };
        turn.end(outcome, reason == RESTART, open.left_the_house, phones);
    }

    fn outcome_when_cut(&self, open: &Open) -> Outcome {
        let joined = (open.joined && self.acknowledged).then_some(Outcome::Taken);
        open.said.or(joined).unwrap_or(Outcome::Failed)
    }
}

fn people_of(plan: &Plan) -> impl Iterator<Item = ContactId> {
    plan.chain().flat_map(|plan| &plan.contacts).map(|contact| contact.id.clone())
}

/// The phones that may be rung, of those who have any.
fn phones_of(trigger: &Trigger, plan: &Plan) -> BTreeMap<ContactId, Vec<Phone>> {
    let mut phones = BTreeMap::new();
    for contact in &plan.contacts {
        let mut own: Vec<Phone> = Vec::new();
        for phone in &contact.phones {
            let wanted = trigger.to.is_empty() || trigger.to.contains(phone);
            if wanted && !own.contains(phone) {
                own.push(phone.clone());
            }
        }
        if !own.is_empty() {
            phones.insert(contact.id.clone(), own);
        }
    }
    phones
}

impl Turn {
    /// The table at the head of the file.
    fn end(&mut self, outcome: Outcome, restart: bool, left_the_house: bool, phones: usize) {
        match outcome {
            Outcome::Failed if restart => {
                self.done |= self.cut_once;
                self.cut_once = true;
            }
            Outcome::Busy if !left_the_house => self.done = true,
            Outcome::NoAnswer | Outcome::Busy | Outcome::Unreachable | Outcome::Failed => {
                self.phones_tried += 1;
                self.done |= self.phones_tried >= phones;
            }
            Outcome::Taken
            | Outcome::Passed
            | Outcome::Left
            | Outcome::Quieted
            | Outcome::Ignored
            | Outcome::Rejected
            | Outcome::Cancelled => self.done = true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::tests::table::table;

    #[test]
    fn the_end_of_a_call_makes_of_a_turn_what_the_table_at_the_head_says() {
        let outcomes = [
            Outcome::Taken,
            Outcome::Passed,
            Outcome::Left,
            Outcome::Quieted,
            Outcome::Ignored,
            Outcome::NoAnswer,
            Outcome::Busy,
            Outcome::Rejected,
            Outcome::Unreachable,
            Outcome::Failed,
            Outcome::Cancelled,
        ];
        let mut cases: Vec<_> = outcomes.iter().map(|it| (it.as_str(), *it, false, true, false)).collect();
        cases.push(("busy, never left the house", Outcome::Busy, false, false, false));
        cases.push(("cut by a restart", Outcome::Failed, true, true, false));
        cases.push(("cut by a restart again", Outcome::Failed, true, true, true));
        let (header, rows) = table(include_str!("ladder.rs"), "ended");
        assert_eq!(rows.len(), cases.len());
        for (row, outcome, restart, left_the_house, cut_once) in cases {
            for (place, phones) in [(1, 2), (2, 1)] {
                let mut turn = Turn { cut_once, ..Turn::default() };
                turn.end(outcome, restart, left_the_house, phones);
                let became = match turn {
                    Turn { done: true, .. } => "done",
                    Turn { phones_tried: 1, .. } => "next phone",
                    Turn { .. } => "same phone",
                };
                let said = rows.iter().find(|cells| cells[0] == row).map(|cells| cells[place].as_str());
                assert_eq!(said, Some(became), "{row}, {}", header[place]);
            }
        }
    }
}
