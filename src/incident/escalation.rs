//! One incident: it calls people until as many as must have taken it, or nobody is left to call.
//!
//! It owns the ladder, which is folded from facts, and the calls, which are not: after a crash the facts are
//! replayed and the calls are gone. It never knows the calendar, a SIP message or a sample. Easy to get wrong:
//! facts leave before their consequences (store, then send, then tell), and nobody is dialled once the
//! incident's end was decided.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use rand::seq::SliceRandom;

use super::dialogue::{Call, Event, Scene, Stop};
use super::fact::{Behaviour, CallHandle, Detour, Fact};
use super::house::Scope;
use super::ladder::{Ladder, RESTART, ReplayError};
use super::outcome::CallEnd;
use super::plan::{Key, Plan, Strategy};
use super::record::State;
use super::{Order, Taker};
use crate::base::{ContactId, Digit, IncidentId, Outbox, Phone, RoomName, Time, Trigger, seeded};

/// The least pause behind a round in which nobody was called.
const EMPTY_ROUND: Duration = Duration::from_secs(10);
/// How many bytes of the name of who cancelled or resolved are kept.
const BY_BYTES_MAX: usize = 128;

/// An accepted trigger and what becomes of it. The first event of a new one is [`Incident::on_raised`], of a
/// replayed one [`Incident::on_resumed`].
#[derive(Debug)]
pub struct Incident {
    id: IncidentId,
    seed: u64,
    pub(super) ladder: Ladder,
    /// Every call that is wanted, up, or being ended.
    calls: BTreeMap<u32, Call>,
    last_attempt: u32,
    /// False until `on_raised` or `on_resumed`: nobody is dialled before.
    awake: bool,
    /// The next round begins then.
    pause: Option<Time>,
    /// Where those who join go.
    room: RoomName,
    /// What a promise to stay quiet is about.
    scope: Scope,
    /// Those of this round who were on the phone when their turn came: asked for again behind the others.
    deferred: BTreeSet<ContactId>,
}

impl Incident {
    /// A new incident; the same seed shuffles the same orders.
    pub fn new(id: IncidentId, trigger: Trigger, plan: Plan, seed: u64) -> Incident {
        let own_room = || RoomName::parse(&id.to_string()).expect("an incident's id is letters and digits");
        // One room, whichever call flow it comes to.
        let room = plan.chain().find_map(|plan| plan.guidance.room.clone()).unwrap_or_else(own_room);
        let scope = Scope::of(&trigger, &plan.guidance);
        Incident {
            id,
            seed,
            ladder: Ladder::new(trigger, plan),
            calls: BTreeMap::new(),
            last_attempt: 0,
            awake: false,
            pause: None,
            room,
            scope,
            deferred: BTreeSet::new(),
        }
    }

    /// The incident whose stored facts these are, oldest first. Nothing is done about it before
    /// [`Incident::on_resumed`].
    pub fn replay(id: IncidentId, facts: impl IntoIterator<Item = Fact>, seed: u64) -> Result<Incident, ReplayError> {
        let mut facts = facts.into_iter();
        let Some(Fact::Accepted { trigger, plan }) = facts.next() else { return Err(ReplayError::NotAccepted) };
        let mut incident = Incident::new(id, trigger, plan, seed);
        for fact in facts {
            incident.ladder.check(&fact)?;
            incident.ladder.apply(&fact);
        }
        incident.last_attempt = incident.ladder.last_attempt();
        Ok(incident)
    }

    /// Its name.
    pub fn id(&self) -> IncidentId {
        self.id
    }

    /// What came from outside.
    pub fn trigger(&self) -> &Trigger {
        &self.ladder.trigger
    }

    /// Who is called at present, how, and what they hear.
    pub fn plan(&self) -> &Plan {
        &self.ladder.plan
    }

    /// Where it stands.
    pub fn state(&self) -> State {
        self.ladder.state()
    }

    /// The room that those who join go into: the guidance's, else the incident's own.
    pub fn room(&self) -> &RoomName {
        &self.room
    }

    /// True when nothing can happen any more: the state is final and no call is up.
    pub fn is_over(&self) -> bool {
        self.state().is_final() && self.calls.is_empty()
    }

    /// The trigger was accepted: the incident is stored and the calling begins.
    pub fn on_raised(&mut self, now: Time, out: &mut Outbox<Order>) {
        self.awake = true;
        let (trigger, plan) = (self.ladder.trigger.clone(), self.ladder.plan.clone());
        self.store(Fact::Accepted { trigger, plan }, out);
        self.start_round(out);
        self.climb(now, out);
    }

    /// The trigger was accepted while there was a promise to stay quiet about it: nobody is called.
    pub fn on_raised_quietly(&mut self, suppression: u32, out: &mut Outbox<Order>) {
        let (trigger, plan) = (self.ladder.trigger.clone(), self.ladder.plan.clone());
        self.store(Fact::Accepted { trigger, plan }, out);
        self.store(Fact::Suppressed { suppression }, out);
    }

    /// hansho was restarted and the facts were replayed: what was cut gets its end, then the calling goes on
    /// where it stood.
    pub fn on_resumed(&mut self, now: Time, out: &mut Outbox<Order>) {
        self.awake = true;
        // Who called in since the restart is not cut.
        let cut: Vec<_> = self.ladder.open().filter(|(attempt, _)| !self.calls.contains_key(attempt)).collect();
        for (attempt, outcome) in cut {
            self.store(Fact::Ended { attempt, outcome, code: None, reason: RESTART.to_owned(), quality: None }, out);
        }
        self.conclude(now, None, out);
        if self.state() == State::Queued {
            self.start_round(out);
        }
        self.climb(now, out);
    }

    /// The INVITE is about to leave; the ring timeout starts.
    pub fn on_dialled(&mut self, now: Time, attempt: u32, call: CallHandle, out: &mut Outbox<Order>) {
        self.tell(now, attempt, Event::Dialled(call), out);
    }

    /// The far end says that it rings, with `code` 180 or 183.
    pub fn on_ringing(&mut self, now: Time, attempt: u32, code: u16, out: &mut Outbox<Order>) {
        self.tell(now, attempt, Event::Ringing(code), out);
    }

    /// Its trunk could not carry the call: it goes another way, and is ended in another way after a crash.
    pub fn on_rerouted(&mut self, attempt: u32, call: CallHandle, detour: Detour, out: &mut Outbox<Order>) {
        if self.calls.contains_key(&attempt) {
            self.store(Fact::Rerouted { attempt, call, detour }, out);
        }
    }

    /// The phone was picked up.
    pub fn on_answered(&mut self, now: Time, attempt: u32, call: CallHandle, out: &mut Outbox<Order>) {
        self.tell(now, attempt, Event::Answered(call), out);
    }

    /// The phone was picked up too late or speaks no codec of ours: whoever signals ends the call by himself.
    pub fn on_unwanted(&mut self, now: Time, attempt: u32, call: CallHandle, out: &mut Outbox<Order>) {
        self.tell(now, attempt, Event::Unwanted(call), out);
    }

    /// The person is not called in this round, because they do not accept calls now.
    pub fn on_skipped(&mut self, now: Time, attempt: u32, reason: &str, out: &mut Outbox<Order>) {
        // One that is wanted no more is given back by hanging up.
        if self.calls.get(&attempt).is_some_and(Call::is_waiting)
            && let Some(call) = self.calls.remove(&attempt)
        {
            self.store(Fact::Skipped { contact: call.contact, reason: reason.to_owned() }, out);
            self.conclude(now, None, out);
            self.climb(now, out);
        }
    }

    /// The person is on the phone about another incident. True where somebody else is called meanwhile: then this
    /// call is not made, and asked for again behind the others.
    pub fn on_occupied(&mut self, now: Time, attempt: u32, out: &mut Outbox<Order>) -> bool {
        let waits = |call: &&Call| call.is_waiting() && self.plan().call_flow.strategy == Strategy::Shuffled;
        let Some(contact) = self.calls.get(&attempt).filter(waits).map(|call| call.contact.clone()) else {
            return false;
        };
        let other = |who: &ContactId| *who != contact && !self.deferred.contains(who);
        if !self.ladder.to_call().any(|(who, _)| other(who) && !self.is_called(who)) {
            return false;
        }
        self.calls.remove(&attempt);
        self.deferred.insert(contact);
        self.climb(now, out);
        true
    }

    /// The last [`Order::Say`] was heard out.
    pub fn on_said(&mut self, now: Time, attempt: u32, out: &mut Outbox<Order>) {
        self.tell(now, attempt, Event::Said, out);
    }

    /// A key was pressed.
    pub fn on_key(&mut self, now: Time, attempt: u32, digit: Digit, out: &mut Outbox<Order>) {
        self.tell(now, attempt, Event::Key(digit), out);
    }

    /// The call ended, or could not be made.
    pub fn on_ended(&mut self, now: Time, attempt: u32, end: CallEnd, out: &mut Outbox<Order>) {
        self.tell(now, attempt, Event::Ended(end), out);
    }

    /// A contact called our own number and was answered. Gives the number of the new attempt, which goes
    /// straight into the room; `None` when this incident does not take this person: they are not in its plan,
    /// are on the line already, or nobody is in the room of what is over.
    pub fn on_called_in(
        &mut self,
        now: Time,
        contact: &ContactId,
        phone: Phone,
        call: CallHandle,
        out: &mut Outbox<Order>,
    ) -> Option<u32> {
        let open = match self.state() {
            State::Queued | State::Calling => true,
            State::Acknowledged => self.calls.values().any(Call::is_for_the_room),
            State::Exhausted | State::Suppressed | State::Resolved | State::Cancelled => false,
        };
        let named = self.ladder.names(contact);
        let own: Vec<_> = self.calls.values().filter(|call| call.contact == *contact).collect();
        let on_the_line = own.iter().any(|call| !call.is_unanswered() && !call.is_hanging_up());
        if !open || !named || on_the_line {
            return None;
        }
        let ringing: Vec<u32> = own.iter().filter(|call| call.is_unanswered()).map(|call| call.attempt).collect();
        let attempt = self.next_attempt();
        let room = self.room.clone();
        self.store(Fact::CalledIn { attempt, contact: contact.clone(), phone: phone.clone(), call }, out);
        self.store(Fact::Joined { attempt, room: room.clone() }, out);
        let menu = self.plan().guidance.keys.clone();
        self.calls.insert(attempt, Call::called_in(attempt, (contact.clone(), phone), menu));
        out.push(Order::Join { attempt, room });
        // A person has one call at a time, and this is the one they chose.
        for other in ringing {
            self.tell(now, other, Event::Stop(Stop::Over), out);
        }
        Some(attempt)
    }

    /// Another trigger joins it. Nobody is called once more for it.
    pub fn on_again(&mut self, trigger: Trigger, out: &mut Outbox<Order>) {
        self.store(Fact::Again { trigger }, out);
    }

    /// One of its alerts is over, and others are not.
    pub fn on_cleared(&mut self, dedup: &str, by: &str, out: &mut Outbox<Order>) {
        self.store(Fact::Cleared { dedup: dedup.to_owned(), by: bounded(by) }, out);
    }

    /// Somebody who is not on the phone takes it. Nothing happens when it has come to its end already.
    pub fn on_claimed(&mut self, now: Time, by: &str, out: &mut Outbox<Order>) {
        let by = bounded(by);
        self.call_off(now, Fact::Claimed { by: by.clone() }, &Stop::TakenBy(Taker::Outside(by)), out);
    }

    /// There is a promise to stay quiet about it now. Nothing happens when it has come to its end already.
    pub fn on_suppressed(&mut self, now: Time, suppression: u32, out: &mut Outbox<Order>) {
        self.call_off(now, Fact::Suppressed { suppression }, &Stop::Silenced, out);
    }

    /// An operator calls it off. Nothing happens when it has come to its end already.
    pub fn on_cancel(&mut self, now: Time, by: &str, out: &mut Outbox<Order>) {
        self.call_off(now, Fact::Cancelled { by: bounded(by) }, &Stop::Over, out);
    }

    /// What it was about is over, also where somebody has taken it. Nothing happens when it has come to another end.
    pub fn on_resolve(&mut self, now: Time, by: &str, out: &mut Outbox<Order>) {
        if !self.state().is_final() || self.state() == State::Acknowledged {
            self.store(Fact::Resolved { by: bounded(by) }, out);
            self.stop(now, &Stop::Over, None, out);
        }
    }

    /// When [`Incident::on_deadline`] is next due.
    pub fn next_deadline(&self) -> Option<Time> {
        self.calls.values().filter_map(Call::deadline).chain(self.pause).min()
    }

    /// Does what is due at `now`; nothing when it comes too early.
    pub fn on_deadline(&mut self, now: Time, out: &mut Outbox<Order>) {
        let due = |call: &&Call| call.deadline().is_some_and(|deadline| deadline <= now);
        let due: Vec<u32> = self.calls.values().filter(due).map(|call| call.attempt).collect();
        for attempt in due {
            // What one call did may have stopped or moved another.
            if self.calls.get(&attempt).and_then(Call::deadline).is_some_and(|deadline| deadline <= now) {
                self.tell(now, attempt, Event::Deadline, out);
            }
        }
        if self.pause.is_some_and(|pause| pause <= now) {
            self.pause = None;
            self.start_round(out);
            self.climb(now, out);
        }
    }

    /// Tells one call what happened, then draws the conclusions for all.
    fn tell(&mut self, now: Time, attempt: u32, event: Event, out: &mut Outbox<Order>) {
        let mut orders = Outbox::new();
        self.tell_only(now, attempt, event, &mut orders);
        let mut sends = Vec::new();
        // Somebody took it or left: they may have been the last who was waited for.
        let (mut moved, mut quieted) = (false, false);
        for order in orders.drain() {
            match order {
                Order::Store(fact) => {
                    moved |= matches!(fact, Fact::Taken { .. } | Fact::Left { .. });
                    quieted |= matches!(fact, Fact::Quieted { .. });
                    self.store(fact, out);
                }
                // Silence is no consequence of a fact, and a key must be felt at once.
                Order::Hush { .. } => out.push(order),
                _ => sends.push(order),
            }
        }
        if quieted {
            self.stop(now, &Stop::Silenced, Some(attempt), out);
        } else if moved {
            self.conclude(now, Some(attempt), out);
        }
        for order in sends {
            out.push(order);
        }
        self.climb(now, out);
    }

    fn tell_only(&mut self, now: Time, attempt: u32, event: Event, out: &mut Outbox<Order>) {
        let Some(call) = self.calls.get_mut(&attempt) else { return };
        let scene = Scene {
            guidance: &self.ladder.plan.guidance,
            ring_timeout: self.ladder.plan.call_flow.ring_timeout,
            room: &self.room,
            may_take: !self.ladder.state().is_final() && !self.ladder.has_taken(&call.contact),
            acknowledged: self.ladder.is_acknowledged(),
            scope: &self.scope,
        };
        call.on(now, event, &scene, out);
        if call.is_gone() {
            self.calls.remove(&attempt);
        }
    }

    /// Ends the calls of those who are no longer needed; who is in the room stays.
    fn stop(&mut self, now: Time, why: &Stop, except: Option<u32>, out: &mut Outbox<Order>) {
        self.pause = None;
        let others: Vec<u32> = self.calls.keys().copied().filter(|attempt| Some(*attempt) != except).collect();
        for attempt in others {
            self.tell_only(now, attempt, Event::Stop(why.clone()), out);
        }
    }

    fn call_off(&mut self, now: Time, fact: Fact, why: &Stop, out: &mut Outbox<Order>) {
        if !self.state().is_final() {
            self.store(fact, out);
            self.stop(now, why, None, out);
        }
    }

    fn is_called(&self, contact: &ContactId) -> bool {
        self.calls.values().any(|call| call.contact == *contact)
    }

    /// Dials whoever may be dialled now, and ends the round when nobody is left in it.
    fn climb(&mut self, now: Time, out: &mut Outbox<Order>) {
        while self.awake && self.state() == State::Calling && self.pause.is_none() {
            let free = self.ladder.to_call().filter(|(contact, _)| !self.is_called(contact));
            // Who was on the phone is called behind the others.
            let (later, first): (Vec<_>, Vec<_>) = free.partition(|(contact, _)| self.deferred.contains(*contact));
            let free = first.into_iter().chain(later);
            let one_at_a_time = self.plan().call_flow.strategy != Strategy::Simultaneous;
            if one_at_a_time && self.calls.values().any(|call| !call.inbound && self.ladder.has_turn(&call.contact)) {
                return;
            }
            let at_once = if one_at_a_time { 1 } else { usize::MAX };
            let next: Vec<_> = free.take(at_once).map(|(contact, phone)| (contact.clone(), phone.clone())).collect();
            if !next.is_empty() {
                return self.dial(now, next, out);
            }
            // Who took it or called in may stay on the line for hours; nobody waits for them.
            let settled = |call: &Call| call.inbound || self.ladder.has_taken(&call.contact);
            if !self.calls.values().all(settled) {
                return;
            }
            if self.ladder.is_last_round() {
                self.give_up(now, out);
            } else if self.ladder.is_fresh() {
                self.start_round(out);
            } else {
                // A round in which nobody was called is over at once, and may not become a spin.
                let least = if self.ladder.is_empty_round() { EMPTY_ROUND } else { Duration::ZERO };
                match self.plan().call_flow.between_rounds.max(least) {
                    Duration::ZERO => self.start_round(out),
                    pause => self.pause = Some(now + pause),
                }
            }
        }
    }

    /// The last round of the present call flow is over.
    fn give_up(&mut self, now: Time, out: &mut Outbox<Order>) {
        let Some(plan) = self.plan().then.as_deref().cloned() else {
            // Fewer took it than were asked for, and somebody deals with it.
            return match self.ladder.last_taker().cloned() {
                Some(contact) => self.taken_by(now, contact, None, out),
                None => self.store(Fact::Exhausted, out),
            };
        };
        self.store(Fact::Escalated { plan }, out);
        // Everybody who is asked for now may have taken it before.
        self.conclude(now, None, out);
    }

    /// The ringing stops when as many as must have taken it.
    fn conclude(&mut self, now: Time, except: Option<u32>, out: &mut Outbox<Order>) {
        if self.ladder.enough()
            && let Some(contact) = self.ladder.last_taker().cloned()
        {
            self.taken_by(now, contact, except, out);
        }
    }

    fn taken_by(&mut self, now: Time, contact: ContactId, except: Option<u32>, out: &mut Outbox<Order>) {
        self.store(Fact::Acknowledged { contact: contact.clone() }, out);
        self.stop(now, &Stop::TakenBy(Taker::Contact(contact)), except, out);
    }

    fn start_round(&mut self, out: &mut Outbox<Order>) {
        self.deferred.clear();
        let order = self.ladder.next_order(self.seed);
        self.store(Fact::RoundStarted { round: self.ladder.round() + 1, order }, out);
    }

    fn dial(&mut self, now: Time, next: Vec<(ContactId, Phone)>, out: &mut Outbox<Order>) {
        for (contact, phone) in next {
            let attempt = self.next_attempt();
            let menu = self.menu(attempt);
            self.calls.insert(attempt, Call::wanted(now, attempt, (contact.clone(), phone.clone()), menu));
            out.push(Order::Dial { attempt, contact, phone });
        }
    }

    /// What each key does in this call: as configured, or, for a challenge, with other digits to take it.
    fn menu(&self, attempt: u32) -> BTreeMap<Digit, Key> {
        let keys = &self.plan().guidance.keys;
        if !self.plan().guidance.challenge {
            return keys.clone();
        }
        let mut free: Vec<Digit> = (0..10).filter_map(Digit::from_event).filter(|it| !keys.contains_key(it)).collect();
        free.shuffle(&mut seeded(self.seed.rotate_left(17) ^ u64::from(attempt)));
        let drawn = |(digit, key): (&Digit, &Key)| {
            let takes = matches!(key.behaviour, Behaviour::Take | Behaviour::Join);
            (takes.then(|| free.pop()).flatten().unwrap_or(*digit), key.clone())
        };
        keys.iter().map(drawn).collect()
    }

    fn next_attempt(&mut self) -> u32 {
        self.last_attempt = self.last_attempt.saturating_add(1);
        self.last_attempt
    }

    fn store(&mut self, fact: Fact, out: &mut Outbox<Order>) {
        self.ladder.apply(&fact);
        out.push(Order::Store(fact));
    }
}

fn bounded(by: &str) -> String {
    by[..by.floor_char_boundary(BY_BYTES_MAX)].to_owned()
}
