//! What holds in every night, whatever happens. Each law is a function; it speaks when it is broken.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use hansho::base::{ContactId, IncidentId, LegId, Phone, Stamp, Time, Utc};
use hansho::incident::{Answer, Fact, Outcome, Plan, Suppressions};
use hansho::switch::Entry;
use hansho::wire::sip::{Message, Method};

use crate::house::Seen;
use crate::support::laws::is_end;
use crate::support::link::Flying;

/// How long two calls of one person may overlap while one of them is being ended.
const HANGING_UP: Duration = Duration::from_secs(41);

/// All that was decided, and what of it is on the disk.
#[derive(Default)]
pub struct Laws {
    cases: BTreeMap<IncidentId, Case>,
    /// Of each incident, how many facts are on the disk, and how many had their acts done in this life.
    stored: BTreeMap<IncidentId, usize>,
    left: BTreeMap<IncidentId, usize>,
    /// Incidents whose end left the house; and those whose end is leaving just now.
    over: BTreeSet<IncidentId>,
    ending: Vec<IncidentId>,
    /// The INVITEs that left, by Call-ID and number.
    invites: BTreeSet<(String, u32)>,
    ports: BTreeMap<LegId, u16>,
    refused: BTreeSet<IncidentId>,
    /// The promises to stay quiet.
    quiet: Suppressions,
    /// Somebody set the clock: stamps do not tell how long something lasted.
    clock_stepped: bool,
}

#[derive(Default)]
struct Case {
    facts: Vec<Fact>,
    end: Option<Fact>,
    plan: Option<Plan>,
    /// It was quiet when it was accepted.
    quiet: bool,
    left: BTreeSet<ContactId>,
    round: u32,
    answer: Option<Answer>,
    somebody_took_it: bool,
    calls: BTreeMap<u32, Call>,
}

struct Call {
    contact: ContactId,
    phone: Phone,
    round: u32,
    inbound: bool,
    /// The handles it was stored with; an empty one never left the house.
    handles: Vec<String>,
    answered: Option<Stamp>,
    joined: bool,
    end: Option<(Outcome, String)>,
}

impl Call {
    fn left_the_house(&self) -> bool {
        self.inbound || self.handles.iter().any(|handle| !handle.is_empty())
    }

    fn is_up(&self) -> bool {
        self.end.is_none() && self.left_the_house()
    }

    fn was_cut(&self) -> bool {
        self.end.as_ref().is_some_and(|(_, reason)| reason == "restart")
    }
}

impl Laws {
    pub fn see(&mut self, now: Time, seen: &Seen) {
        match seen {
            Seen::Decided(entries) => entries.iter().for_each(|entry| self.decided(entry)),
            Seen::Stored(entries) => entries.iter().for_each(|entry| self.stored(entry)),
            Seen::Refused => {}
            Seen::Leaves { facts, in_debt } => self.leaves(facts, *in_debt),
            Seen::Sent(flying) => self.sent(now, flying),
            Seen::Opened(leg, port) => self.a_port_serves_one_leg_at_a_time(*leg, *port),
            Seen::Closed(leg) => self.a_leg_is_closed_once(*leg),
            Seen::Answered(incident, true) => self.what_is_accepted_is_on_the_disk(*incident),
            Seen::Answered(incident, false) => {
                self.refused.insert(*incident);
                self.cases.remove(incident);
            }
        }
    }

    /// hansho died; what is not in the journal was never decided.
    pub fn forget_all_but(&mut self, journal: &[Entry]) {
        let (invites, refused) = (core::mem::take(&mut self.invites), core::mem::take(&mut self.refused));
        *self = Laws { invites, refused, clock_stepped: self.clock_stepped, ..Laws::default() };
        for entry in journal {
            if let Entry::House(at, fact) = entry {
                self.quiet.apply(*at, fact);
            }
            if let Some((incident, at, fact)) = entry.of_incident() {
                self.fold(incident, at, fact);
                *self.stored.entry(incident).or_default() += 1;
            }
        }
        self.left = self.stored.clone();
        self.over = self.cases.iter().filter(|(_, case)| case.end.is_some()).map(|(id, _)| *id).collect();
    }

    /// True while a call of this person went into a room and has not ended.
    pub fn is_in_a_room(&self, contact: &ContactId) -> bool {
        self.calls_of(contact).any(|(_, call)| call.joined && call.is_up())
    }

    /// Somebody sets hansho's clock.
    pub fn clock_steps(&mut self) {
        self.clock_stepped = true;
    }

    /// What holds when the night is over.
    pub fn at_the_end(&self) {
        self.every_incident_has_ended();
        self.every_attempt_has_an_end();
        self.every_port_was_given_back();
        self.everything_is_on_the_disk();
    }

    fn decided(&mut self, entry: &Entry) {
        if let Entry::House(at, fact) = entry {
            self.quiet.apply(*at, fact);
        }
        let Some((incident, at, fact)) = entry.of_incident() else { return };
        let (incident, at) = (&incident, &at);
        assert!(!self.refused.contains(incident), "{incident} was not accepted and goes on: {fact:?}");
        self.nothing_is_decided_twice(*incident, fact);
        self.who_took_it_is_not_forgotten(*incident, fact);
        match fact {
            Fact::Dialled { attempt, contact, phone, call } if !call.0.is_empty() => {
                self.nobody_is_dialled_after_it_was_taken(*incident, contact);
                self.nobody_is_dialled_while_on_the_phone(*incident, contact);
                self.nobody_is_called_twice_in_a_round(*incident, contact, phone);
                self.no_attempt_begins_twice(*incident, *attempt);
                self.nobody_is_called_who_left_or_sleeps(*incident, contact, *at);
                self.nobody_is_called_about_what_is_quiet(*incident);
            }
            Fact::CalledIn { attempt, contact, .. } => {
                self.no_attempt_begins_twice(*incident, *attempt);
                self.one_person_has_one_call(contact, None);
            }
            // Without a handle: asked in the room of another incident, on the call that is there.
            Fact::Answered { attempt, call } if !call.0.is_empty() => {
                let contact = self.cases[incident].calls[attempt].contact.clone();
                self.one_person_has_one_call(&contact, Some((*incident, *attempt)));
            }
            Fact::Ended { attempt, .. } => {
                self.an_attempt_ends_once(*incident, *attempt);
                self.the_second_call_of_a_person_ends_soon(*incident, *attempt, *at);
            }
            _ => {}
        }
        self.fold(*incident, *at, fact);
    }

    fn stored(&mut self, entry: &Entry) {
        let Some((incident, _, fact)) = entry.of_incident() else { return };
        let incident = &incident;
        assert!(!self.refused.contains(incident), "{incident} was not accepted and is stored: {fact:?}");
        let place = self.stored.entry(*incident).or_default();
        let decided = self.cases.get(incident).and_then(|case| case.facts.get(*place));
        assert_eq!(decided, Some(fact), "the history of {incident} has a hole at its fact {place}");
        *place += 1;
    }

    fn leaves(&mut self, facts: &[Entry], in_debt: bool) {
        self.over.extend(self.ending.drain(..));
        for (incident, _, fact) in facts.iter().filter_map(Entry::of_incident) {
            if is_end(fact) {
                self.ending.push(incident);
            }
            let left = self.left.entry(incident).or_default();
            *left += 1;
            self.facts_are_durable_before_their_consequences(incident, fact, in_debt);
        }
    }

    fn sent(&mut self, now: Time, flying: &Flying) {
        let Ok(message) = Message::parse(&flying.bytes) else { return };
        let opens = message.to().is_ok_and(|to| to.tag().is_none());
        if !message.is_request() || message.method() != Method::Invite || !opens {
            return;
        }
        let call_id = message.call_id().expect("hansho names its calls").to_owned();
        let number = message.cseq().map_or(0, |cseq| cseq.number);
        if self.invites.insert((call_id.clone(), number)) {
            self.an_invite_is_of_an_incident_that_goes_on(now, &call_id);
        }
    }

    fn fold(&mut self, incident: IncidentId, at: Stamp, fact: &Fact) {
        let case = self.cases.entry(incident).or_default();
        case.facts.push(fact.clone());
        let call = |contact: &ContactId, phone: &Phone, handle: &str, inbound| Call {
            contact: contact.clone(),
            phone: phone.clone(),
            round: case.round,
            inbound,
            handles: vec![handle.to_owned()],
            answered: None,
            joined: false,
            end: None,
        };
        match fact {
            Fact::Accepted { plan, trigger } => {
                case.answer = Some(plan.call_flow.answer);
                case.quiet = self.quiet.about(at, trigger, &plan.guidance).is_some();
                case.plan = Some(plan.clone());
            }
            Fact::Escalated { plan } => {
                case.answer = Some(plan.call_flow.answer);
                case.somebody_took_it = false;
            }
            Fact::Left { contact, .. } => {
                case.left.insert(contact.clone());
            }
            Fact::RoundStarted { round, .. } => case.round = *round,
            Fact::Dialled { attempt, contact, phone, call: handle } => {
                let call = call(contact, phone, &handle.0, false);
                case.calls.insert(*attempt, call);
            }
            Fact::CalledIn { attempt, contact, phone, call: handle } => {
                let call = Call { answered: Some(at), ..call(contact, phone, &handle.0, true) };
                case.calls.insert(*attempt, call);
            }
            Fact::Answered { attempt, call } if !call.0.is_empty() => {
                let known = case.calls.get_mut(attempt).expect("only what was dialled is answered");
                known.answered = Some(at);
                known.handles.push(call.0.clone());
            }
            Fact::Joined { attempt, .. } => {
                case.calls.get_mut(attempt).expect("only who was called joins").joined = true;
            }
            Fact::Taken { .. } => case.somebody_took_it = true,
            Fact::Ended { attempt, outcome, reason, .. } => {
                let known = case.calls.get_mut(attempt).expect("only what was dialled ends");
                known.end = Some((*outcome, reason.clone()));
            }
            fact if is_end(fact) => case.end = Some(fact.clone()),
            _ => {}
        }
    }

    fn calls_of(&self, contact: &ContactId) -> impl Iterator<Item = ((IncidentId, u32), &Call)> {
        let calls = self.cases.iter().flat_map(|(id, case)| case.calls.iter().map(|(at, call)| ((*id, *at), call)));
        calls.filter(move |(_, call)| call.contact == *contact)
    }

    fn nobody_is_dialled_after_it_was_taken(&self, incident: IncidentId, contact: &ContactId) {
        let end = self.cases.get(&incident).and_then(|case| case.end.as_ref());
        assert!(end.is_none(), "{incident}: {contact} is called after {end:?}");
    }

    fn nobody_is_dialled_while_on_the_phone(&self, incident: IncidentId, contact: &ContactId) {
        let other = self.calls_of(contact).find(|(_, call)| call.is_up());
        assert!(other.is_none(), "{incident}: {contact} is called and on the phone: {:?}", other.map(|(of, _)| of));
    }

    fn nobody_is_called_twice_in_a_round(&self, incident: IncidentId, contact: &ContactId, phone: &Phone) {
        let case = &self.cases[&incident];
        let earlier = case.calls.values().filter(|call| call.contact == *contact && call.round == case.round);
        let earlier: Vec<&Call> = earlier.filter(|call| !call.inbound && call.left_the_house()).collect();
        let cut = earlier.iter().filter(|call| call.was_cut()).count();
        assert!(cut <= 1, "{incident}: {contact} is called again after two cuts");
        for call in earlier.into_iter().filter(|call| !call.was_cut()) {
            assert!(call.phone != *phone, "{incident}: {contact} is called twice in round {}", case.round);
            let outcome = call.end.as_ref().map(|(outcome, _)| *outcome);
            let goes_on = [Outcome::NoAnswer, Outcome::Busy, Outcome::Unreachable, Outcome::Failed];
            let goes_on = outcome.is_some_and(|outcome| goes_on.contains(&outcome));
            assert!(goes_on, "{incident}: {contact} is called again in round {} after {outcome:?}", case.round);
        }
    }

    fn nobody_is_called_who_left_or_sleeps(&self, incident: IncidentId, contact: &ContactId, at: Stamp) {
        let case = &self.cases[&incident];
        assert!(!case.left.contains(contact), "{incident}: {contact} left and is called");
        let known = case.plan.as_ref().and_then(|plan| plan.contact(contact));
        assert!(known.is_some_and(|known| known.hours.accept(at, &Utc)), "{incident}: {contact} sleeps and is called");
    }

    fn nobody_is_called_about_what_is_quiet(&self, incident: IncidentId) {
        assert!(!self.cases[&incident].quiet, "{incident}: somebody is called, and quiet was promised");
    }

    fn no_attempt_begins_twice(&self, incident: IncidentId, attempt: u32) {
        assert!(!self.cases[&incident].calls.contains_key(&attempt), "{incident}: attempt {attempt} begins twice");
    }

    /// Answered calls; a call that came in may cross one that is being hung up for it.
    fn one_person_has_one_call(&self, contact: &ContactId, this: Option<(IncidentId, u32)>) {
        let inbound = this.is_none_or(|(incident, attempt)| self.cases[&incident].calls[&attempt].inbound);
        let answered = self.calls_of(contact).filter(|(of, call)| call.answered.is_some() && Some(*of) != this);
        for (of, call) in answered.filter(|(_, call)| call.is_up()) {
            assert!(inbound != call.inbound, "{contact} is in two calls: {of:?} and {this:?}");
        }
    }

    fn the_second_call_of_a_person_ends_soon(&self, incident: IncidentId, attempt: u32, at: Stamp) {
        let this = &self.cases[&incident].calls[&attempt];
        if self.clock_stepped {
            return;
        }
        let Some(answered) = this.answered else { return };
        for (of, call) in self.calls_of(&this.contact).filter(|(of, call)| *of != (incident, attempt) && call.is_up()) {
            let overlap = call.answered.map_or(Duration::ZERO, |other| at.since(other.max(answered)));
            assert!(overlap < HANGING_UP, "{} is in two calls for {overlap:?}, the other {of:?}", this.contact);
        }
    }

    fn an_attempt_ends_once(&self, incident: IncidentId, attempt: u32) {
        let end = self.cases[&incident].calls.get(&attempt).map(|call| &call.end);
        assert_eq!(end, Some(&None), "{incident}: attempt {attempt} ends and had this end");
    }

    fn nothing_is_decided_twice(&self, incident: IncidentId, fact: &Fact) {
        let end = self.cases.get(&incident).and_then(|case| case.end.as_ref());
        let again = is_end(fact) || matches!(fact, Fact::RoundStarted { .. } | Fact::Accepted { .. });
        // What was taken is over one day.
        let over = matches!(end, Some(Fact::Acknowledged { .. } | Fact::Claimed { .. }))
            && matches!(fact, Fact::Resolved { .. });
        assert!(end.is_none() || !again || over, "{incident}: {fact:?} after {end:?}");
    }

    fn who_took_it_is_not_forgotten(&self, incident: IncidentId, fact: &Fact) {
        let Some(case) = self.cases.get(&incident) else { return };
        let one = case.answer == Some(Answer::One) && case.somebody_took_it;
        assert!(!one || *fact != Fact::Exhausted, "{incident} was taken and is given up");
    }

    fn facts_are_durable_before_their_consequences(&self, incident: IncidentId, fact: &Fact, in_debt: bool) {
        let (left, stored) = (self.left[&incident], self.stored.get(&incident).copied().unwrap_or_default());
        assert!(in_debt || left <= stored, "{incident}: what follows from {fact:?} leaves before it is on the disk");
    }

    fn an_invite_is_of_an_incident_that_goes_on(&self, now: Time, call_id: &str) {
        let names = |call: &Call| call.handles.iter().any(|handle| handle.contains(call_id));
        let of = self.cases.iter().find(|(_, case)| case.calls.values().any(names));
        let Some((incident, _)) = of else { panic!("{now:?}: the INVITE of {call_id} leaves and no fact says so") };
        assert!(!self.over.contains(incident), "{now:?}: {incident} is over and the INVITE of {call_id} leaves");
    }

    fn a_port_serves_one_leg_at_a_time(&mut self, leg: LegId, port: u16) {
        assert!(!self.ports.values().any(|taken| *taken == port), "port {port} is opened for two legs");
        assert!(self.ports.insert(leg, port).is_none(), "leg {leg:?} is opened twice");
    }

    fn a_leg_is_closed_once(&mut self, leg: LegId) {
        // A call in that is turned away was never opened.
        self.ports.remove(&leg);
    }

    fn what_is_accepted_is_on_the_disk(&self, incident: IncidentId) {
        assert!(self.stored.contains_key(&incident), "{incident} was promised and is not on the disk");
    }

    fn every_incident_has_ended(&self) {
        for (incident, case) in &self.cases {
            assert!(case.end.is_some(), "{incident} has no end");
        }
    }

    fn every_attempt_has_an_end(&self) {
        for (incident, case) in &self.cases {
            for (attempt, call) in &case.calls {
                assert!(call.end.is_some(), "{incident}: attempt {attempt} has no end");
            }
        }
    }

    fn every_port_was_given_back(&self) {
        assert!(self.ports.is_empty(), "legs that were never closed: {:?}", self.ports);
    }

    fn everything_is_on_the_disk(&self) {
        for (incident, case) in &self.cases {
            assert_eq!(self.stored.get(incident), Some(&case.facts.len()), "facts of {incident} are missing");
        }
    }
}
