//! One incident: it calls people until as many as must have taken it, or nobody is left to call.
//!
//! It owns the ladder, which is folded from facts, and the calls, which are not: after a crash the facts are
//! replayed and the calls are gone. It never knows the calendar, a SIP message or a sample. Easy to get wrong:
//! facts leave before their consequences (store, then send, then tell), and nobody is dialled once the
//! incident's end was decided.

use std::collections::{BTreeMap, BTreeSet};

use super::Order;
use super::dialogue::{Call, Event, Scene, Stop};
use super::fact::{CallHandle, Fact};
use super::ladder::{Ladder, RESTART, ReplayError};
use super::outcome::CallEnd;
use super::plan::{Plan, Strategy};
use super::record::State;
use crate::base::{ContactId, Digit, IncidentId, Outbox, Phone, RoomName, Time, Trigger};

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
}

impl Incident {
    /// A new incident; the same seed shuffles the same orders.
    pub fn new(id: IncidentId, trigger: Trigger, plan: Plan, seed: u64) -> Incident {
        let own_room = || RoomName::parse(&id.to_string()).expect("an incident's id is letters and digits");
        let room = plan.guidance.room.clone().unwrap_or_else(own_room);
        let ladder = Ladder::new(trigger, plan);
        Incident { id, seed, ladder, calls: BTreeMap::new(), last_attempt: 0, awake: false, pause: None, room }
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

    /// Who is called, how, and what they hear.
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

    /// hansho was restarted and the facts were replayed: what was cut gets its end, then the calling goes on
    /// where it stood.
    pub fn on_resumed(&mut self, now: Time, out: &mut Outbox<Order>) {
        self.awake = true;
        // Who called in since the restart is not cut.
        let cut: Vec<_> = self.ladder.open().filter(|(attempt, _)| !self.calls.contains_key(attempt)).collect();
        for (attempt, outcome) in cut {
            self.store(Fact::Ended { attempt, outcome, code: None, reason: RESTART.to_owned() }, out);
        }
        if self.ladder.enough()
            && let Some(contact) = self.ladder.last_taker().cloned()
        {
            self.store(Fact::Acknowledged { contact }, out);
        }
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

    /// The phone was picked up.
    pub fn on_answered(&mut self, now: Time, attempt: u32, call: CallHandle, out: &mut Outbox<Order>) {
        self.tell(now, attempt, Event::Answered(call), out);
    }

    /// The last [`Order::Say`] was heard out.
    pub fn on_said(&mut self, now: Time, attempt: u32, out: &mut Outbox<Order>) {
        self.tell(now, attempt, Event::Said, out);
    }

    /// A key was pressed.
    pub fn on_key(&mut self, now: Time, attempt: u32, digit: Digit, out: &mut Outbox<Order>) {
        let key = self.ladder.plan.guidance.keys.get(&digit).cloned();
        self.tell(now, attempt, Event::Key(digit, key.as_ref()), out);
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
        let named = self.plan().contacts.iter().any(|known| known.id == *contact);
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
        self.calls.insert(attempt, Call::called_in(attempt, contact.clone(), phone));
        out.push(Order::Join { attempt, room });
        // A person has one call at a time, and this is the one they chose.
        for other in ringing {
            self.tell(now, other, Event::Stop(Stop::Over), out);
        }
        Some(attempt)
    }

    /// An operator calls it off. Nothing happens when it has come to its end already.
    pub fn on_cancel(&mut self, now: Time, by: &str, out: &mut Outbox<Order>) {
        self.call_off(now, Fact::Cancelled { by: bounded(by) }, out);
    }

    /// What it was about is over. Nothing happens when it has come to its end already.
    pub fn on_resolve(&mut self, now: Time, by: &str, out: &mut Outbox<Order>) {
        self.call_off(now, Fact::Resolved { by: bounded(by) }, out);
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
    fn tell(&mut self, now: Time, attempt: u32, event: Event<'_>, out: &mut Outbox<Order>) {
        let mut orders = Outbox::new();
        self.tell_only(now, attempt, event, &mut orders);
        let mut sends = Vec::new();
        let mut taker = None;
        for order in orders.drain() {
            match order {
                Order::Store(fact) => {
                    if let Fact::Taken { contact, .. } = &fact {
                        taker = Some(contact.clone());
                    }
                    self.store(fact, out);
                }
                // Silence is no consequence of a fact, and a key must be felt at once.
                Order::Hush { .. } => out.push(order),
                _ => sends.push(order),
            }
        }
        if let Some(contact) = taker.filter(|_| self.ladder.enough()) {
            self.store(Fact::Acknowledged { contact: contact.clone() }, out);
            self.stop(now, &Stop::TakenBy(contact), Some(attempt), out);
        }
        for order in sends {
            out.push(order);
        }
        self.climb(now, out);
    }

    fn tell_only(&mut self, now: Time, attempt: u32, event: Event<'_>, out: &mut Outbox<Order>) {
        let Some(call) = self.calls.get_mut(&attempt) else { return };
        let scene = Scene {
            guidance: &self.ladder.plan.guidance,
            ring_timeout: self.ladder.plan.call_flow.ring_timeout,
            room: &self.room,
            may_take: !self.ladder.state().is_final() && !self.ladder.has_taken(&call.contact),
            acknowledged: self.ladder.is_acknowledged(),
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

    fn call_off(&mut self, now: Time, fact: Fact, out: &mut Outbox<Order>) {
        if !self.state().is_final() {
            self.store(fact, out);
            self.stop(now, &Stop::Over, None, out);
        }
    }

    /// Dials whoever may be dialled now, and ends the round when nobody is left in it.
    fn climb(&mut self, now: Time, out: &mut Outbox<Order>) {
        while self.awake && self.state() == State::Calling && self.pause.is_none() {
            let called: BTreeSet<&ContactId> = self.calls.values().map(|call| &call.contact).collect();
            let free = self.ladder.to_call().filter(|(contact, _)| !called.contains(contact));
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
                self.store(Fact::Exhausted, out);
            } else if self.plan().call_flow.between_rounds.is_zero() {
                self.start_round(out);
            } else {
                self.pause = Some(now + self.plan().call_flow.between_rounds);
            }
        }
    }

    fn start_round(&mut self, out: &mut Outbox<Order>) {
        let order = self.ladder.next_order(self.seed);
        self.store(Fact::RoundStarted { round: self.ladder.round() + 1, order }, out);
    }

    fn dial(&mut self, now: Time, next: Vec<(ContactId, Phone)>, out: &mut Outbox<Order>) {
        for (contact, phone) in next {
            let attempt = self.next_attempt();
            self.calls.insert(attempt, Call::wanted(now, attempt, contact.clone(), phone.clone()));
            out.push(Order::Dial { attempt, contact, phone });
        }
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
