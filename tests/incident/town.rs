//! A town of people with phones, and the corridor between them and one incident.

use core::time::Duration;
use std::collections::BTreeMap;

use hansho::base::{
    CallFlowId, ContactId, Digit, GuidanceId, IncidentId, Language, Outbox, Phone, RoomName, Stamp, Time, seeded,
};
use hansho::incident::{
    Answer, Behaviour, CallEnd, CallFlow, CallHandle, Contact, EndedBy, Fact, Guidance, Incident, Key, Line, Order,
    Plan, Record, Strategy, Trigger,
};

/// What a person does when the phone rings.
#[derive(Clone, Copy)]
pub enum Habit {
    /// Lets it ring.
    Sleeps,
    /// Is on another call.
    Talks,
    /// Answers after so many seconds and presses these keys, one each time everything was heard out.
    Answers(u64, &'static str),
}

/// How long the prompts of this town take.
const PROMPT: Duration = Duration::from_secs(8);

pub struct Town {
    pub incident: Incident,
    pub now: Time,
    pub facts: Vec<(Stamp, Fact)>,
    pub record: Record,
    habits: BTreeMap<String, Habit>,
    calls: BTreeMap<u32, Call>,
    rooms: BTreeMap<RoomName, Vec<String>>,
}

struct Call {
    who: String,
    keys: Vec<char>,
    answers: Option<Time>,
    said: Option<Time>,
    up: bool,
}

impl Town {
    /// The people of the plan, with their habits in the plan's order; the trigger comes at once.
    pub fn alarmed(plan: Plan, seed: u64, habits: &[Habit]) -> Town {
        let names = plan.contacts.iter().map(|contact| contact.id.to_string());
        let habits = names.zip(habits.iter().copied()).collect();
        let incident = Incident::new(IncidentId::new(Stamp::default(), &mut seeded(seed)), trigger(), plan, seed);
        let mut town = Town {
            incident,
            now: Time::ZERO,
            facts: Vec::new(),
            record: Record::new(),
            habits,
            calls: BTreeMap::new(),
            rooms: BTreeMap::new(),
        };
        town.tell(|incident, now, out| incident.on_raised(now, out));
        town
    }

    /// Lets `how_long` go by; everybody acts by their habits.
    pub fn wait(&mut self, how_long: Duration) {
        let until = self.now + how_long;
        while let Some(next) = self.next_moment().filter(|next| *next <= until) {
            self.now = self.now.max(next);
            self.people_act();
            self.tell(|incident, now, out| incident.on_deadline(now, out));
        }
        self.now = until;
    }

    /// Everybody who was rung, in order.
    pub fn rung(&self) -> Vec<&str> {
        self.record.attempts.iter().map(|attempt| attempt.contact.as_str()).collect()
    }

    /// Everybody in the room, in the order in which they came.
    pub fn in_room(&self, name: &str) -> &[String] {
        self.rooms.get(&RoomName::parse(name).unwrap()).map_or(&[], Vec::as_slice)
    }

    pub fn outcomes(&self) -> Vec<&str> {
        self.record.attempts.iter().map(|attempt| attempt.outcome.map_or("up", |outcome| outcome.as_str())).collect()
    }

    fn next_moment(&self) -> Option<Time> {
        let people = self.calls.values().flat_map(|call| [call.answers, call.said]).flatten();
        people.chain(self.incident.next_deadline()).min()
    }

    fn people_act(&mut self) {
        let numbers: Vec<u32> = self.calls.keys().copied().collect();
        for number in numbers {
            let now = self.now;
            let Some(call) = self.calls.get_mut(&number) else { continue };
            if call.answers.is_some_and(|at| at <= now) {
                (call.answers, call.up) = (None, true);
                self.tell(|incident, now, out| incident.on_answered(now, number, handle(number), out));
                continue;
            }
            if call.said.is_none_or(|at| at > now) {
                continue;
            }
            call.said = None;
            let key = if call.keys.is_empty() { None } else { Digit::from_char(call.keys.remove(0)) };
            self.tell(|incident, now, out| incident.on_said(now, number, out));
            if let Some(digit) = key {
                self.tell(|incident, now, out| incident.on_key(now, number, digit, out));
            }
        }
    }

    fn tell(&mut self, event: impl FnOnce(&mut Incident, Time, &mut Outbox<Order>)) {
        let mut out = Outbox::new();
        event(&mut self.incident, self.now, &mut out);
        while let Some(order) = out.pop() {
            self.obey(order, &mut out);
        }
    }

    fn obey(&mut self, order: Order, out: &mut Outbox<Order>) {
        let now = self.now;
        match order {
            Order::Store(fact) => {
                let at = Stamp::from_unix_micros(i64::try_from(now.as_micros()).unwrap());
                self.record.apply(at, &fact);
                self.facts.push((at, fact));
            }
            Order::Dial { attempt, contact, .. } => {
                self.incident.on_dialled(now, attempt, handle(attempt), out);
                let who = contact.to_string();
                let mut call = Call { who, keys: Vec::new(), answers: None, said: None, up: false };
                match self.habits.get(&call.who) {
                    Some(Habit::Answers(after, keys)) => {
                        call.answers = Some(now + Duration::from_secs(*after));
                        call.keys = keys.chars().collect();
                        self.incident.on_ringing(now, attempt, 180, out);
                    }
                    Some(Habit::Talks) => return self.ends(attempt, EndedBy::Refused, 486, out),
                    Some(Habit::Sleeps) | None => self.incident.on_ringing(now, attempt, 180, out),
                }
                self.calls.insert(attempt, call);
            }
            Order::Say { attempt, lines } => {
                if let Some(call) = self.calls.get_mut(&attempt) {
                    assert!(call.up && !lines.is_empty(), "{lines:?} are said to nobody");
                    assert!(!lines.contains(&Line::Text(String::new())));
                    call.said = Some(now + PROMPT);
                }
            }
            Order::Hush { attempt } => {
                if let Some(call) = self.calls.get_mut(&attempt) {
                    call.said = None;
                }
            }
            Order::HangUp { attempt } => {
                let code = if self.calls.get(&attempt).is_some_and(|call| call.up) { 200 } else { 487 };
                self.ends(attempt, EndedBy::Us, code, out);
            }
            Order::Join { attempt, room } => {
                let who = self.calls.get(&attempt).map(|call| call.who.clone());
                self.rooms.entry(room).or_default().extend(who);
            }
        }
    }

    fn ends(&mut self, attempt: u32, by: EndedBy, code: u16, out: &mut Outbox<Order>) {
        self.calls.remove(&attempt);
        let end = CallEnd { by, code: Some(code), reason: "as it happens".to_owned(), quality: None };
        self.incident.on_ended(self.now, attempt, end, out);
    }
}

/// A plan as an operator would write it.
pub fn plan(strategy: Strategy, rounds: u32, people: &[&str], keys: &[(char, Behaviour)]) -> Plan {
    let contact = |(place, name): (usize, &&str)| Contact {
        id: ContactId::parse(name).unwrap(),
        name: (*name).to_owned(),
        phones: vec![Phone::parse(&format!("+81801234567{place}")).unwrap()],
        language: Language::Ja,
        hours: Default::default(),
    };
    Plan {
        call_flow: CallFlow {
            id: CallFlowId::parse("oncall").unwrap(),
            strategy,
            answer: Answer::One,
            rounds,
            ring_timeout: Duration::from_secs(30),
            between_rounds: Duration::from_secs(10),
            bundle: Duration::ZERO,
            taken_for: Duration::ZERO,
        },
        contacts: people.iter().enumerate().map(contact).collect(),
        guidance: Guidance {
            id: GuidanceId::parse("standard").unwrap(),
            message: BTreeMap::new(),
            keys: keys
                .iter()
                .map(|(key, behaviour)| (Digit::from_char(*key).unwrap(), Key { behaviour: *behaviour, say: None }))
                .collect(),
            first_key_timeout: Duration::from_secs(15),
            explains_keys: false,
            inter_key_timeout: Duration::from_secs(15),
            challenge: false,
            readings: 1,
            repeats: 3,
            voice_before_dialling: Duration::ZERO,
            room: None,
        },
        then: None,
    }
}

fn trigger() -> Trigger {
    Trigger {
        call_flow: CallFlowId::parse("oncall").unwrap(),
        guidance: None,
        message: Some("server1でCPU Utilizationのアラートが発生しました".to_owned()),
        parameters: BTreeMap::new(),
        dedup: None,
        to: Vec::new(),
        host: None,
        service: None,
        by: None,
    }
}

fn handle(attempt: u32) -> CallHandle {
    CallHandle(format!("call-{attempt}"))
}
