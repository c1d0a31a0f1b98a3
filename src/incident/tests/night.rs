//! A corridor in miniature: it dials what it is asked to dial, hangs up what it is asked to hang up, and keeps
//! the facts.

use core::time::Duration;

use crate::base::{
    CallFlowId, ContactId, Digit, GuidanceId, IncidentId, Language, Outbox, Phone, RoomName, Stamp, Time, seeded,
};
use crate::incident::{
    Answer, Behaviour, CallEnd, CallFlow, CallHandle, Contact, EndedBy, Fact, Guidance, Incident, Key, Line, Order,
    Outcome, Plan, Record, State, Strategy, Trigger,
};

pub(super) const RING: Duration = Duration::from_secs(25);
pub(super) const PAUSE: Duration = Duration::from_secs(60);
pub(super) const KEY_WAIT: Duration = Duration::from_secs(120);

/// Seconds, for stories.
pub(super) fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(super) fn id(text: &str) -> ContactId {
    ContactId::parse(text).unwrap()
}

pub(super) fn phone(text: &str) -> Phone {
    Phone::parse(text).unwrap()
}

pub(super) fn trigger() -> Trigger {
    Trigger {
        call_flow: CallFlowId::parse("oncall").unwrap(),
        guidance: None,
        message: Some("the database is down".to_owned()),
        parameters: Default::default(),
        dedup: None,
        to: Vec::new(),
        host: None,
        service: None,
        by: None,
    }
}

/// Three people with one phone each, one round, first who takes it ends it.
pub(super) fn plan(strategy: Strategy) -> Plan {
    let contact = |name: &str, number: &str| Contact {
        id: id(name),
        name: name.to_uppercase(),
        phones: vec![phone(number)],
        language: Language::En,
        hours: Default::default(),
    };
    let key = |digit, behaviour| (Digit::from_char(digit).unwrap(), Key { behaviour, say: None });
    Plan {
        call_flow: CallFlow {
            id: CallFlowId::parse("oncall").unwrap(),
            strategy,
            answer: Answer::One,
            rounds: 1,
            ring_timeout: RING,
            between_rounds: PAUSE,
            bundle: Duration::ZERO,
            taken_for: Duration::ZERO,
        },
        contacts: vec![contact("a", "+8110000001"), contact("b", "+8110000002"), contact("c", "+8110000003")],
        guidance: Guidance {
            id: GuidanceId::parse("standard").unwrap(),
            message: Default::default(),
            keys: [
                key('1', Behaviour::Take),
                key('2', Behaviour::Next),
                key('3', Behaviour::Join),
                key('4', Behaviour::Repeat),
                key('5', Behaviour::Leave),
                key('6', Behaviour::Quiet),
            ]
            .into(),
            first_key_timeout: KEY_WAIT,
            explains_keys: false,
            inter_key_timeout: Duration::from_secs(15),
            challenge: false,
            readings: 1,
            repeats: 2,
            voice_before_dialling: Duration::ZERO,
            room: None,
        },
        then: None,
    }
}

pub(super) fn war_room() -> RoomName {
    RoomName::parse("war-room").unwrap()
}

pub(super) struct Night {
    pub(super) incident: Incident,
    pub(super) now: Time,
    pub(super) facts: Vec<Fact>,
    pub(super) record: Record,
    /// What left the house, in order, facts included.
    pub(super) log: Vec<Order>,
    /// The corridor dials at once unless this is set.
    pub(super) no_line: bool,
    /// The far end confirms the end of a call at once unless this is set.
    pub(super) no_confirmation: bool,
    /// These accept no calls now.
    pub(super) asleep: Vec<ContactId>,
    answered: Vec<u32>,
}

impl Night {
    pub(super) fn begins(plan: Plan) -> Night {
        Night::triggered(plan, trigger())
    }

    pub(super) fn triggered(plan: Plan, trigger: Trigger) -> Night {
        let mut night = Night::before(plan, trigger);
        night.act(|incident, now, out| incident.on_raised(now, out));
        night
    }

    pub(super) fn before(plan: Plan, trigger: Trigger) -> Night {
        let id = IncidentId::new(Stamp::default(), &mut seeded(1));
        Night {
            incident: Incident::new(id, trigger, plan, 7),
            now: Time::ZERO,
            facts: Vec::new(),
            record: Record::new(),
            log: Vec::new(),
            no_line: false,
            no_confirmation: false,
            asleep: Vec::new(),
            answered: Vec::new(),
        }
    }

    /// Gives the incident one event and does what it asks for, until it asks for nothing more.
    pub(super) fn act<R>(&mut self, event: impl FnOnce(&mut Incident, Time, &mut Outbox<Order>) -> R) -> R {
        let mut out = Outbox::new();
        let given = event(&mut self.incident, self.now, &mut out);
        while let Some(order) = out.pop() {
            self.log.push(order.clone());
            match order {
                Order::Store(fact) => {
                    let at = Stamp::from_unix_micros(i64::try_from(self.now.as_micros()).unwrap());
                    let fact = fact.dated(at);
                    self.record.apply(at, &fact);
                    self.facts.push(fact);
                }
                Order::Dial { attempt, contact, .. } if !self.no_line && !self.asleep.contains(&contact) => {
                    self.incident.on_dialled(self.now, attempt, CallHandle(format!("call-{attempt}")), &mut out);
                }
                Order::HangUp { attempt } if !self.no_confirmation => {
                    let code = if self.answered.contains(&attempt) { 200 } else { 487 };
                    let end = CallEnd { by: EndedBy::Us, code: Some(code), reason: String::new(), quality: None };
                    self.incident.on_ended(self.now, attempt, end, &mut out);
                }
                Order::Dial { attempt, contact, .. } if self.asleep.contains(&contact) => {
                    self.incident.on_skipped(self.now, attempt, "asleep", &mut out);
                }
                _ => {}
            }
        }
        given
    }

    /// Time goes by; deadlines fire when they are due, each at its moment.
    pub(super) fn wait(&mut self, how_long: Duration) {
        let until = self.now + how_long;
        while let Some(due) = self.incident.next_deadline().filter(|due| *due <= until) {
            self.now = self.now.max(due);
            self.act(|incident, now, out| incident.on_deadline(now, out));
        }
        self.now = until;
    }

    /// The newest call to this person that was asked for.
    pub(super) fn call_to(&self, who: &str) -> u32 {
        let found = self.log.iter().rev().find_map(|order| match order {
            Order::Dial { attempt, contact, .. } if contact.as_str() == who => Some(*attempt),
            _ => None,
        });
        found.unwrap_or_else(|| panic!("nobody called {who}: {:#?}", self.log))
    }

    pub(super) fn rings(&mut self, who: &str) {
        let attempt = self.call_to(who);
        self.act(|incident, now, out| incident.on_ringing(now, attempt, 180, out));
    }

    pub(super) fn answers(&mut self, who: &str) {
        let attempt = self.call_to(who);
        self.answered.push(attempt);
        self.act(|incident, now, out| incident.on_answered(now, attempt, CallHandle(format!("up-{attempt}")), out));
    }

    pub(super) fn hears_it_out(&mut self, who: &str) {
        let attempt = self.call_to(who);
        self.act(|incident, now, out| incident.on_said(now, attempt, out));
    }

    pub(super) fn presses(&mut self, who: &str, key: char) {
        let attempt = self.call_to(who);
        let digit = Digit::from_char(key).unwrap();
        self.act(|incident, now, out| incident.on_key(now, attempt, digit, out));
    }

    pub(super) fn hangs_up(&mut self, who: &str) {
        self.ends(who, EndedBy::Them, Some(200));
    }

    pub(super) fn refuses(&mut self, who: &str, code: u16) {
        self.ends(who, EndedBy::Refused, Some(code));
    }

    pub(super) fn ends(&mut self, who: &str, by: EndedBy, code: Option<u16>) {
        let attempt = self.call_to(who);
        let end = CallEnd { by, code, reason: "as it happens".to_owned(), quality: None };
        self.act(|incident, now, out| incident.on_ended(now, attempt, end, out));
    }

    pub(super) fn calls_in(&mut self, who: &str) -> Option<u32> {
        let call = CallHandle("inbound".to_owned());
        self.act(|incident, now, out| incident.on_called_in(now, &id(who), phone("+8110000009"), call, out))
    }

    /// Presses these keys, one after another.
    pub(super) fn types(&mut self, who: &str, keys: &str) {
        keys.chars().for_each(|key| self.presses(who, key));
    }

    pub(super) fn is_claimed(&mut self, by: &str) {
        self.act(|incident, now, out| incident.on_claimed(now, by, out));
    }

    pub(super) fn is_cancelled(&mut self) {
        self.act(|incident, now, out| incident.on_cancel(now, "control", out));
    }

    pub(super) fn is_resolved(&mut self) {
        self.act(|incident, now, out| incident.on_resolve(now, "control", out));
    }

    /// Everybody who was dialled so far, in order.
    pub(super) fn dialled(&self) -> String {
        self.log
            .iter()
            .filter_map(|order| match order {
                Order::Dial { contact, .. } => Some(contact.as_str().to_owned()),
                _ => None,
            })
            .collect::<Vec<_>>()
            .join(" ")
    }

    /// What was said to this person last.
    pub(super) fn last_said(&self, who: &str) -> Vec<Line> {
        let call = self.call_to(who);
        let said = self.log.iter().rev().find_map(|order| match order {
            Order::Say { attempt, lines } if *attempt == call => Some(lines.clone()),
            _ => None,
        });
        said.unwrap_or_default()
    }

    /// How the newest call to this person ended.
    pub(super) fn outcome(&self, who: &str) -> Option<Outcome> {
        self.record.attempt(self.call_to(who)).and_then(|attempt| attempt.outcome)
    }

    pub(super) fn state(&self) -> State {
        assert_eq!(self.incident.state(), self.record.state, "the machine and its record disagree");
        self.incident.state()
    }

    /// What was asked for since the log had this length.
    pub(super) fn since(&self, length: usize) -> &[Order] {
        &self.log[length..]
    }
}
