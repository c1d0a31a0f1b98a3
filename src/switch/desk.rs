//! The desk in the corridor: takes what happened, hands it to the one it concerns, and gathers what is to be
//! done. The night itself is in [`super::flow`].
//!
//! Nothing here calls itself: what a machine answers is queued and worked off in [`Switch::settle`], so a
//! roster whose every phone fails at once does not grow the stack.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use super::batch::{Act, Batch};
use super::bridge::Bridges;
use super::case::{Case, Voice};
use super::doorman::Doorman;
use super::guard::Guard;
use super::held::Held;
use super::hotline::HotlineDesk;
use super::legs::{Leg, Legs, Purpose};
use super::ports::Ports;
use super::post::Post;
use super::prompt_book::PromptBook;
use super::raise::Keys;
use super::reception_desk::Receptions;
use super::rooms::Rooms;
use super::tell::{Event, Heard, What};
use super::waiting::{Waiting, WaitingList};
use super::{Input, Settings};
use crate::base::{AttemptId, Calendar, ContactId, IncidentId, Language, LegId, Outbox, Rng, Stamp, Time, Utc, seeded};
use crate::incident::{Entry, Fact, Incident, Order, Record, Suppressions, Taker};
use crate::media;
use crate::sip::{self, Agent};

/// The corridor: every open incident, every call, every room.
#[derive(Debug)]
pub struct Switch {
    pub(super) settings: Settings,
    pub(super) agent: Agent,
    pub(super) book: Arc<PromptBook>,
    pub(super) cases: BTreeMap<IncidentId, Case>,
    pub(super) legs: Legs,
    pub(super) rooms: Rooms,
    pub(super) doorman: Doorman,
    pub(super) ports: Ports,
    pub(super) post: Post,
    pub(super) waiting: WaitingList,
    /// Whose calls of a former life are being ended, and for which incident.
    pub(super) cut: BTreeSet<(ContactId, IncidentId)>,
    pub(super) hotlines: HotlineDesk,
    pub(super) bridges: Bridges,
    pub(super) receptions: Receptions,
    /// Calls that belong to no incident, as the journal knows them.
    pub(super) held: Held,
    /// When those who wait are tried again.
    pub(super) try_again_at: Time,
    pub(super) rng: Rng,
    pub(super) batch: Batch,
    pub(super) sip_out: Outbox<sip::Output>,
    /// How the key that is being dealt with was heard.
    pub(super) heard: Option<Heard>,
    pub(super) suppressions: Suppressions,
    pub(super) keys: Keys,
    pub(super) guard: Guard,
    /// Who knows what the clocks on people's walls show.
    pub(super) calendar: Box<dyn Calendar>,
    orders: VecDeque<(IncidentId, Order)>,
    /// Those that were told something: they may be over.
    touched: Vec<IncidentId>,
    deadlines: BTreeSet<(Time, IncidentId)>,
    began: Stamp,
    /// The process ends: nothing is decided any more.
    pub(super) stopping: bool,
}

impl Switch {
    /// An idle corridor. `began` is the calendar time of [`Time::ZERO`].
    pub fn new(settings: Settings, agent: Agent, book: Arc<PromptBook>, began: Stamp, seed: u64) -> Switch {
        Switch {
            ports: Ports::new(settings.ports),
            hotlines: HotlineDesk::new(settings.hotlines.clone()),
            bridges: Bridges::default(),
            receptions: Receptions::default(),
            held: Held::default(),
            guard: Guard::new(&settings.contacts),
            settings,
            agent,
            book,
            cases: BTreeMap::new(),
            legs: Legs::default(),
            rooms: Rooms::default(),
            doorman: Doorman::default(),
            post: Post::default(),
            waiting: WaitingList::default(),
            cut: BTreeSet::new(),
            try_again_at: Time::ZERO,
            rng: seeded(seed),
            batch: Batch::default(),
            sip_out: Outbox::new(),
            heard: None,
            suppressions: Suppressions::default(),
            keys: Keys::default(),
            calendar: Box::new(Utc),
            orders: VecDeque::new(),
            touched: Vec::new(),
            deadlines: BTreeSet::new(),
            began,
            stopping: false,
        }
    }

    /// Takes note of what happened. What is to be done stands in [`Switch::take`] afterwards.
    pub fn handle(&mut self, now: Time, input: Input) {
        match input {
            Input::Datagram { from, bytes } => self.agent.on_datagram(now, from, &bytes, &mut self.sip_out),
            Input::Lost { hop, why } => self.agent.on_lost(now, hop, &why, &mut self.sip_out),
            Input::Media(event) => self.on_media(now, event),
            Input::LegFailed { leg, why } => self.leg_failed(now, leg, why),
            Input::NotStored(incident) => self.never_was(now, incident),
            Input::Spoken { incident, language, text, prompt } => {
                self.spoken(now, incident, (language, text), prompt);
            }
            Input::MessageDone { message, result } => self.message_done(now, message, result),
            Input::MessageBack { message } => self.message_back(now, message),
            Input::TrunkAddress { trunk, found } => {
                self.agent.on_trunk_address(now, &trunk, found, &mut self.sip_out);
                self.dial_those_who_wait(now);
            }
            Input::RestoreHouse(facts) => self.restore_house(now, &facts),
            Input::Restore { incident, facts } => self.restore(now, incident, facts),
            Input::Start => {
                self.agent.start(now, &mut self.sip_out);
                self.held_starts(now);
            }
            Input::Stop => {
                self.stopping = true;
                self.agent.stop(now, &mut self.sip_out);
            }
            Input::Wake => {}
        }
        self.wake(now);
        self.settle(now);
    }

    /// Gives the corridor a calendar of the world; without one every clock on a wall shows UTC.
    pub fn keep_calendar(&mut self, calendar: Box<dyn Calendar>) {
        self.calendar = calendar;
    }

    /// What is to be done, since this was last asked: in the order of the fields.
    pub fn take(&mut self) -> Batch {
        core::mem::take(&mut self.batch)
    }

    /// When [`Input::Wake`] is next worth handing in.
    pub fn next_deadline(&self) -> Option<Time> {
        if self.stopping {
            return self.agent.next_deadline();
        }
        let incidents = self.deadlines.first().map(|(at, _)| *at);
        let others = [self.waiting_wakes_at(), self.post.next_deadline(), self.hotlines.next_deadline()];
        let others = others.into_iter().chain([self.bridges.next_deadline(), self.receptions.next_deadline()]);
        let others = others.chain([self.held.next_deadline(), self.doorman.next_deadline()]);
        [self.agent.next_deadline(), incidents].into_iter().chain(others).flatten().min()
    }

    /// The calendar was set: `began` is the calendar time of [`Time::ZERO`] as it looks now.
    pub fn set_calendar(&mut self, began: Stamp) {
        self.began = began;
    }

    /// What became of an open incident so far.
    pub fn record(&self, id: IncidentId) -> Option<&Record> {
        self.cases.get(&id).map(|case| &case.record)
    }

    /// The open incidents, oldest first.
    pub fn open(&self) -> impl Iterator<Item = (IncidentId, &Record)> {
        self.cases.iter().map(|(id, case)| (*id, &case.record))
    }

    /// How many legs are up.
    pub fn legs(&self) -> usize {
        self.legs.len()
    }

    /// True when nothing waits for the far end any more: the process may end.
    pub fn is_idle(&self) -> bool {
        self.agent.is_idle()
    }

    /// Tells an incident something and queues what it wants.
    pub(super) fn with_incident(&mut self, id: IncidentId, tell: impl FnOnce(&mut Incident, &mut Outbox<Order>)) {
        let Some(case) = self.cases.get_mut(&id) else { return };
        self.touched.push(id);
        let mut out = Outbox::new();
        tell(&mut case.incident, &mut out);
        self.orders.extend(out.drain().map(|order| (id, order)));
        self.schedule(id);
    }

    /// Puts an incident where its deadline belongs.
    pub(super) fn schedule(&mut self, id: IncidentId) {
        let Some(case) = self.cases.get_mut(&id) else { return };
        let next = case.resumes_at.or(case.incident.next_deadline());
        if next != case.deadline {
            if let Some(old) = case.deadline {
                self.deadlines.remove(&(old, id));
            }
            self.deadlines.extend(next.map(|at| (at, id)));
            case.deadline = next;
        }
    }

    /// Forgets an incident; what it was is in the journal.
    pub(super) fn close(&mut self, id: IncidentId) {
        if let Some(case) = self.cases.remove(&id) {
            self.forget_keys(&case);
            if let Some(at) = case.deadline {
                self.deadlines.remove(&(at, id));
            }
        }
        self.waiting.forget(id);
    }

    pub(super) fn act(&mut self, act: Act) {
        self.batch.acts.push(act);
    }

    pub(super) fn stamp(&self, now: Time) -> Stamp {
        self.began + now.since(Time::ZERO)
    }

    /// Tells watchers something about a leg's person.
    pub(super) fn tell_leg(&mut self, leg: LegId, what: What) {
        let Some(leg) = self.legs.get(leg) else { return };
        let (attempt, contact) = (leg.attempt(), leg.contact.clone());
        self.tell(attempt.map(|of| of.incident), attempt.map(|of| of.number), Some(contact), what);
    }

    pub(super) fn tell(
        &mut self,
        incident: Option<IncidentId>,
        attempt: Option<u32>,
        contact: Option<ContactId>,
        what: What,
    ) {
        let case = incident.and_then(|id| self.cases.get(&id));
        let in_case = contact.as_ref().and_then(|id| case?.contact(id));
        let known = contact.as_ref().and_then(|id| self.settings.contacts.iter().find(|known| known.id == *id));
        let name = in_case.or(known).map(|contact| contact.name.clone());
        let call_id = attempt.and_then(|number| case?.call_ids.get(&number).cloned());
        let at = Stamp::default();
        self.batch.events.push(Event { at, incident, attempt, call_id, contact, name, what });
    }

    /// Works off everything the machines want, until nothing is left.
    pub(super) fn settle(&mut self, now: Time) {
        loop {
            while let Some(output) = self.sip_out.pop() {
                match output {
                    sip::Output::Send { to, bytes } => self.act(Act::Send { to, bytes }),
                    sip::Output::Event(event) => self.on_sip(now, event),
                }
            }
            let Some((id, order)) = self.orders.pop_front() else { break };
            self.carry_out(now, id, order);
        }
        self.close_what_is_over();
        let at = self.stamp(now);
        for event in &mut self.batch.events {
            event.at = if event.at == Stamp::default() { at } else { event.at };
        }
    }

    fn carry_out(&mut self, now: Time, id: IncidentId, order: Order) {
        let leg_of = |switch: &Switch, number| switch.legs.of(AttemptId { incident: id, number });
        match order {
            Order::Store(fact) => self.store(now, id, fact),
            Order::Dial { attempt, contact, phone } => {
                self.dial(now, Waiting::new(now, AttemptId { incident: id, number: attempt }, contact, phone));
            }
            Order::Say { attempt, lines } => {
                let speaker = Some(AttemptId { incident: id, number: attempt });
                let leg = leg_of(self, attempt).filter(|leg| self.legs.get(*leg).and_then(Leg::asking) == speaker);
                // Whoever is asked about another incident is not interrupted by the first.
                if let Some(leg) = leg {
                    self.say(now, id, leg, &lines);
                }
            }
            Order::Hush { attempt } => {
                if let Some(leg) = leg_of(self, attempt) {
                    self.act(Act::Media(media::Command::Hush(leg)));
                }
            }
            Order::HangUp { attempt } => self.hang_up(now, AttemptId { incident: id, number: attempt }),
            Order::Join { attempt, room } => {
                if let Some(leg) = leg_of(self, attempt)
                    && !self.moves_on(now, leg, AttemptId { incident: id, number: attempt }, &room)
                {
                    self.joined(now, leg, &room);
                }
            }
        }
    }

    /// A fact goes into the record, into the journal, and to those who watch.
    fn store(&mut self, now: Time, id: IncidentId, fact: Fact) {
        let at = self.stamp(now);
        let fact = fact.dated(at);
        if let Some(case) = self.cases.get_mut(&id) {
            case.apply(at, &fact);
        }
        self.tell_fact(id, &fact);
        self.batch.facts.push(Entry::Incident(id, at, fact.clone()));
        match fact {
            Fact::Accepted { .. } => self.note_keys(id),
            Fact::Acknowledged { contact } => self.acknowledged(now, id, Taker::Contact(contact)),
            Fact::Claimed { by } => self.acknowledged(now, id, Taker::Outside(by)),
            Fact::Quieted { .. } => self.quieted(at, id, &fact),
            // Its guidance has words of its own.
            Fact::Escalated { .. } => self.prepare_voices(id),
            _ => {}
        }
    }

    fn wake(&mut self, now: Time) {
        if self.agent.next_deadline().is_some_and(|at| at <= now) {
            self.agent.on_deadline(now, &mut self.sip_out);
        }
        if self.stopping {
            return;
        }
        // Taken out first: a machine that does not move its deadline wakes once a call, not for ever.
        let still_to_come = self.deadlines.split_off(&(now + Duration::from_micros(1), IncidentId::FIRST));
        for (_, id) in core::mem::replace(&mut self.deadlines, still_to_come) {
            if let Some(case) = self.cases.get_mut(&id) {
                case.deadline = None;
            }
            self.incident_wakes(now, id);
        }
        if self.post.next_deadline().is_some_and(|at| at <= now) {
            self.post_wakes(now);
        }
        if self.hotlines.next_deadline().is_some_and(|at| at <= now) {
            self.hotline_wakes(now);
        }
        if self.receptions.next_deadline().is_some_and(|at| at <= now) {
            self.receptions_wake(now);
        }
        if self.bridges.next_deadline().is_some_and(|at| at <= now) {
            self.bridges_wake(now);
        }
        if self.held.next_deadline().is_some_and(|at| at <= now) {
            self.held_wakes(now);
        }
        if self.doorman.next_deadline().is_some_and(|at| at <= now) {
            self.doorman_wakes(now);
        }
        if self.waiting_wakes_at().is_some_and(|at| at <= now) {
            self.on_waiting_deadline(now);
        }
    }

    fn close_what_is_over(&mut self) {
        for id in core::mem::take(&mut self.touched) {
            if self.cases.get(&id).is_some_and(|case| case.incident.is_over()) {
                self.close(id);
            }
        }
    }

    fn spoken(
        &mut self,
        now: Time,
        incident: IncidentId,
        text: (Language, String),
        prompt: Result<media::Prompt, String>,
    ) {
        let Some(case) = self.cases.get_mut(&incident) else { return };
        // Of a voice that is away one word is enough, however much it was to say.
        let failed = prompt.as_ref().err().filter(|reason| case.told_failed.insert((*reason).clone())).cloned();
        let made = prompt.as_ref().ok().cloned();
        let (language, words) = text;
        case.voices.insert((language, words.clone()), prompt.map_or(Voice::Failed, Voice::Ready));
        self.awaited(incident, &words, made.as_ref());
        if let Some(reason) = failed {
            self.tell(Some(incident), None, None, What::VoiceFailed { reason, spoken_by: None });
        }
        self.dial_those_who_awaited(now, incident);
    }

    fn never_was(&mut self, now: Time, incident: IncidentId) {
        self.forget_taken(incident);
        self.legs.forget_asked(incident);
        for leg in self.legs.of_incident(incident) {
            // Who called in for it meanwhile was answered, and hears that we hang up.
            if self.legs.get(leg).is_some_and(|leg| matches!(leg.purpose, Purpose::CallIn(_))) {
                self.agent.hang_up(now, leg, &mut self.sip_out);
                continue;
            }
            self.act(Act::Media(media::Command::Close(leg)));
            self.agent.forget(leg);
            self.legs.remove(leg);
            self.ports.give_back(leg);
        }
        self.close(incident);
    }
}
