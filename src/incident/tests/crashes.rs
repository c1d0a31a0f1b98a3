//! Many random nights, with crashes at any fact. The events are ones the corridor could send, in orders nobody
//! would choose; laws judge what comes of it.

use std::collections::BTreeMap;

use rand::RngExt;

use super::night::{Night, PAUSE, RING, id, phone, plan, s, trigger, war_room};
use crate::base::{ContactId, Digit, Language, Outbox, Rng, Stamp, Time, seeded};
use crate::incident::{
    Answer, CallEnd, CallHandle, Contact, EndedBy, Fact, Incident, Order, Outcome, Plan, Record, ReplayError, State,
    Strategy,
};

const NIGHTS: u64 = 400;
const STEPS: u32 = 120;

#[test]
fn replayed_facts_give_the_same_durable_state_after_every_event_of_a_random_night() {
    for seed in 0..NIGHTS {
        let mut night = Wild::begins(seed);
        for _ in 0..STEPS {
            night.something_happens();
            let replayed = Incident::replay(night.incident.id(), night.facts.clone(), seed).unwrap();
            assert_eq!(replayed.ladder, night.incident.ladder, "seed {seed}");
        }
        night.comes_to_an_end();
    }
}

#[test]
fn a_night_cut_at_any_fact_goes_on_to_its_end_and_what_was_taken_stays_taken() {
    for seed in 0..NIGHTS {
        let mut night = Wild::begins(seed);
        for _ in 0..STEPS {
            night.something_happens();
            if night.rng.random_ratio(1, 12) {
                night.crashes();
            }
        }
        night.comes_to_an_end();
    }
}

#[test]
fn one_night_cut_at_each_of_its_facts_calls_nobody_again_who_ended_in_the_round() {
    for seed in 0..NIGHTS / 4 {
        let mut whole = Wild::begins(seed);
        for _ in 0..STEPS {
            whole.something_happens();
        }
        for cut in 1..=whole.facts.len() {
            let mut night = Wild::begins(seed);
            night.facts = whole.facts[..cut].to_vec();
            night.restarts();
            night.comes_to_an_end();
        }
    }
}

#[test]
fn a_person_whose_call_was_cut_is_called_once_more_and_then_not_again_in_the_round() {
    let mut night = Night::begins(plan(Strategy::Sequential));
    night.answers("a");
    for expected in ["a a", "a a b"] {
        let facts = night.facts.clone();
        night.incident = Incident::replay(night.incident.id(), facts, 7).unwrap();
        night.act(|incident, now, out| incident.on_resumed(now, out));
        assert_eq!(night.dialled(), expected);
    }
    let cut: Vec<_> = night.record.attempts.iter().filter_map(|it| it.reason.as_deref()).collect();
    assert_eq!(cut, ["restart", "restart"]);
}

#[test]
fn who_passed_before_the_crash_is_not_called_again_in_the_round() {
    let mut night = Night::begins(plan(Strategy::Sequential));
    night.answers("a");
    night.presses("a", '2');
    night.incident = Incident::replay(night.incident.id(), night.facts.clone(), 7).unwrap();
    night.act(|incident, now, out| incident.on_resumed(now, out));
    assert_eq!(night.dialled(), "a b b", "b's call was cut, a had passed");
    assert_eq!(night.record.attempts[0].outcome, Some(Outcome::Passed));
}

#[test]
fn a_crash_between_taken_and_acknowledged_is_made_good() {
    let mut night = Night::begins(plan(Strategy::Sequential));
    night.answers("a");
    night.presses("a", '1');
    let taken = night.facts.iter().position(|fact| matches!(fact, Fact::Taken { .. })).unwrap();
    let mut incident = Incident::replay(night.incident.id(), night.facts[..=taken].to_vec(), 7).unwrap();
    let mut out = Outbox::new();
    incident.on_resumed(Time::ZERO, &mut out);
    let ended =
        Fact::Ended { attempt: 1, outcome: Outcome::Taken, code: None, reason: "restart".to_owned(), quality: None };
    let expected = [Order::Store(ended), Order::Store(Fact::Acknowledged { contact: id("a") })];
    assert_eq!(out.drain().collect::<Vec<_>>(), expected);
    assert!(incident.is_over());
}

#[test]
fn a_crash_right_after_the_trigger_was_accepted_loses_nothing() {
    let night = Night::begins(plan(Strategy::Sequential));
    let mut incident = Incident::replay(night.incident.id(), night.facts[..1].to_vec(), 7).unwrap();
    assert_eq!(incident.state(), State::Queued);
    let mut out = Outbox::new();
    incident.on_resumed(Time::ZERO, &mut out);
    assert!(out.iter().any(|order| matches!(order, Order::Dial { attempt: 1, .. })));
}

#[test]
fn between_replaying_and_resuming_people_can_call_in_and_nobody_is_dialled() {
    let mut night = Night::begins(plan(Strategy::Sequential));
    night.rings("a");
    night.incident = Incident::replay(night.incident.id(), night.facts.clone(), 7).unwrap();
    let attempt = night.calls_in("b").unwrap();
    night.act(|incident, now, out| incident.on_key(now, attempt, Digit::from_char('4').unwrap(), out));
    assert_eq!(night.dialled(), "a");
    night.act(|incident, now, out| incident.on_resumed(now, out));
    assert_eq!((night.outcome("a"), night.dialled().as_str()), (None, "a a"));
    let ends: Vec<_> = night.record.attempts.iter().map(|it| (it.number, it.outcome)).collect();
    assert_eq!(ends, [(1, Some(Outcome::Failed)), (2, None), (3, None)]);
}

#[test]
fn facts_that_cannot_be_one_incident_are_refused() {
    let night = Night::begins(plan(Strategy::Sequential));
    let (incident, facts) = (night.incident.id(), night.facts);
    let replay = |facts: Vec<Fact>| Incident::replay(incident, facts, 7).map(|incident| incident.state());
    assert_eq!(replay(vec![]), Err(ReplayError::NotAccepted));
    assert_eq!(replay(facts[1..].to_vec()), Err(ReplayError::NotAccepted));
    assert_eq!(replay([&facts[..], &facts[..1]].concat()), Err(ReplayError::AcceptedAgain));
    assert_eq!(replay([&facts[..], &facts[2..3]].concat()), Err(ReplayError::AttemptAgain(1)));
    let stranger = Fact::Acknowledged { contact: id("stranger") };
    assert_eq!(replay([&facts[..], &[stranger]].concat()), Err(ReplayError::NoSuchContact(id("stranger"))));
    let other = Fact::Ringing { attempt: 9, code: 180 };
    assert_eq!(replay([&facts[..], &[other]].concat()), Err(ReplayError::NoSuchAttempt(9)));
}

/// A night in which anything may happen, and the laws it must keep.
struct Wild {
    seed: u64,
    rng: Rng,
    incident: Incident,
    now: Time,
    facts: Vec<Fact>,
    record: Record,
    /// Calls this process asked for or let in, with whether we were asked to end them.
    calls: BTreeMap<u32, bool>,
    /// How many facts there were before the last event.
    safe: usize,
}

impl Wild {
    fn begins(seed: u64) -> Wild {
        let mut rng = seeded(seed);
        let plan = wild_plan(&mut rng);
        let incident = Incident::new(night_id(), trigger(), plan, seed);
        let mut night = Wild {
            seed,
            rng,
            incident,
            now: Time::ZERO,
            facts: Vec::new(),
            record: Record::new(),
            calls: BTreeMap::new(),
            safe: 1,
        };
        night.act(|incident, now, out| incident.on_raised(now, out));
        night
    }

    fn something_happens(&mut self) {
        let attempt = match self.calls.len() {
            0 => 1,
            calls => *self.calls.keys().nth(self.rng.random_range(0..calls)).unwrap(),
        };
        let handle = CallHandle(format!("call-{attempt}"));
        match self.rng.random_range(0..100) {
            0..20 => self.act(|it, now, out| it.on_dialled(now, attempt, handle, out)),
            20..28 => self.act(|it, now, out| it.on_ringing(now, attempt, 180, out)),
            28..43 => self.act(|it, now, out| it.on_answered(now, attempt, handle, out)),
            43..58 => self.act(|it, now, out| it.on_said(now, attempt, out)),
            58..72 => {
                let digit = Digit::from_event(self.rng.random_range(0..12)).unwrap();
                self.act(|it, now, out| it.on_key(now, attempt, digit, out));
            }
            72..84 => self.ends(attempt),
            84..97 => self.time_goes_by(),
            97 if self.rng.random_ratio(1, 2) => {
                self.act(|it, now, out| it.on_skipped(now, attempt, "asleep", out));
            }
            97..99 => {
                let who = self.rng.random_range(0..6);
                let contact = id(&format!("p{who}"));
                let attempt = self.act(|it, now, out| it.on_called_in(now, &contact, phone("+819000"), handle, out));
                self.calls.extend(attempt.map(|attempt| (attempt, false)));
            }
            _ if self.rng.random_ratio(1, 4) => self.act(|it, now, out| it.on_cancel(now, "test", out)),
            _ if self.rng.random_ratio(1, 4) => self.act(|it, now, out| it.on_claimed(now, "test", out)),
            _ if self.rng.random_ratio(1, 4) => self.act(|it, now, out| it.on_suppressed(now, 1, out)),
            _ if self.rng.random_ratio(1, 4) => self.act(|it, _, out| it.on_again(trigger(), out)),
            _ if self.rng.random_ratio(1, 4) => self.act(|it, now, out| it.on_resolve(now, "test", out)),
            _ => {}
        }
    }

    fn time_goes_by(&mut self) {
        if self.rng.random_ratio(1, 3) {
            self.now = self.now + s(self.rng.random_range(0..30));
        } else if let Some(due) = self.incident.next_deadline() {
            self.now = self.now.max(due);
        }
        self.act(|it, now, out| it.on_deadline(now, out));
    }

    fn ends(&mut self, attempt: u32) {
        let by = [EndedBy::Them, EndedBy::Refused, EndedBy::Timeout, EndedBy::Failed, EndedBy::Us];
        let codes = [None, Some(200), Some(404), Some(408), Some(480), Some(486), Some(487), Some(503), Some(603)];
        let by = by[self.rng.random_range(0..by.len())];
        let code = codes[self.rng.random_range(0..codes.len())];
        self.calls.remove(&attempt);
        self.act(|it, now, out| {
            it.on_ended(now, attempt, CallEnd { by, code, reason: "wild".to_owned(), quality: None }, out)
        });
    }

    /// The process dies; of the last event's facts only some were durable.
    fn crashes(&mut self) {
        let kept = self.rng.random_range(self.safe.min(self.facts.len())..=self.facts.len());
        self.facts.truncate(kept);
        self.restarts();
    }

    fn restarts(&mut self) {
        let taken: Vec<ContactId> = takers(&self.facts);
        let state = fold(&self.facts).state;
        self.calls.clear();
        self.record = fold(&self.facts);
        self.incident = Incident::replay(night_id(), self.facts.clone(), self.seed).unwrap();
        self.act(|it, now, out| it.on_resumed(now, out));
        assert!(takers(&self.facts).starts_with(&taken), "seed {}: {:#?}", self.seed, self.facts);
        if state.is_final() {
            assert_eq!(self.incident.state(), state, "seed {}", self.seed);
        }
        assert!(self.record.attempts.iter().all(|attempt| attempt.ended_at.is_some()), "seed {}", self.seed);
    }

    /// Nobody does anything any more but leave the room: the incident must end by itself.
    fn comes_to_an_end(&mut self) {
        for _ in 0..10_000 {
            if self.incident.is_over() {
                let record = &self.record;
                assert!(record.attempts.iter().all(|attempt| attempt.outcome.is_some()), "seed {}", self.seed);
                return;
            }
            match self.incident.next_deadline() {
                Some(due) => {
                    self.now = self.now.max(due);
                    self.act(|it, now, out| it.on_deadline(now, out));
                }
                None => {
                    let attempt = *self.calls.keys().next().unwrap_or_else(|| {
                        panic!("seed {}: it hangs: {:#?} {:#?}", self.seed, self.incident, self.facts)
                    });
                    self.ends(attempt);
                }
            }
        }
        panic!("seed {}: it never ends: {:#?}", self.seed, self.incident);
    }

    fn act<R>(&mut self, event: impl FnOnce(&mut Incident, Time, &mut Outbox<Order>) -> R) -> R {
        let mut out = Outbox::new();
        self.safe = self.facts.len().max(1);
        let given = event(&mut self.incident, self.now, &mut out);
        for order in out.drain() {
            self.judge(&order);
            match order {
                Order::Store(fact) => {
                    self.record.apply(Stamp::default(), &fact);
                    self.facts.push(fact);
                }
                Order::Dial { attempt, .. } => {
                    assert!(self.calls.insert(attempt, false).is_none(), "seed {}: a number used twice", self.seed);
                }
                Order::HangUp { attempt } => {
                    self.calls.insert(attempt, true);
                }
                Order::Say { .. } | Order::Hush { .. } | Order::Join { .. } => {}
            }
        }
        assert_eq!(self.incident.state(), self.record.state, "seed {}", self.seed);
        given
    }

    /// The laws.
    fn judge(&self, order: &Order) {
        let seed = self.seed;
        let record = &self.record;
        match order {
            Order::Dial { contact, phone, .. } => {
                assert_eq!(record.state, State::Calling, "seed {seed}: {contact} is called after the end");
                assert!(!record.taken_by.contains(contact), "seed {seed}: {contact} took it and is called again");
                assert!(!record.left.contains(contact), "seed {seed}: {contact} left and is called again");
                let earlier: Vec<_> = record
                    .attempts
                    .iter()
                    .filter(|it| it.contact == *contact && it.round == record.round && !it.inbound)
                    .collect();
                let cut = |reason: &Option<String>| reason.as_deref() == Some("restart");
                let cuts = earlier.iter().filter(|it| cut(&it.reason)).count();
                assert!(cuts <= 1, "seed {seed}: {contact} is called after two cuts");
                let may_go_on = |outcome| {
                    matches!(outcome, Some(Outcome::NoAnswer | Outcome::Busy | Outcome::Unreachable | Outcome::Failed))
                };
                assert!(earlier.iter().all(|it| may_go_on(it.outcome)), "seed {seed}: {contact}: {earlier:#?}");
                let same_phone = earlier.iter().filter(|it| it.phone == *phone && !cut(&it.reason)).count();
                assert_eq!(same_phone, 0, "seed {seed}: {contact}'s phone rings twice in a round");
            }
            Order::Store(Fact::RoundStarted { round, order }) => {
                assert_eq!(*round, record.round + 1, "seed {seed}");
                let people: std::collections::BTreeSet<_> = order.iter().collect();
                assert_eq!(people.len(), order.len(), "seed {seed}: somebody stands in the round twice");
            }
            Order::Store(Fact::Ended { attempt, outcome: Outcome::Taken, .. }) => {
                let it = record.attempt(*attempt).unwrap();
                let took = record.taken_by.contains(&it.contact);
                // Who was on the way into the room of what is taken counts as well.
                assert!(took || record.state == State::Acknowledged, "seed {seed}: {attempt} took nothing");
            }
            Order::Store(Fact::Exhausted) => {
                assert!(record.taken_by.is_empty(), "seed {seed}: exhausted, and taken: {:?}", record.taken_by);
                let up = record.attempts.iter().filter(|it| it.ended_at.is_none());
                for it in up {
                    assert!(it.inbound || record.taken_by.contains(&it.contact), "seed {seed}: exhausted: {it:#?}");
                }
            }
            _ => {}
        }
    }
}

fn fold(facts: &[Fact]) -> Record {
    let mut record = Record::new();
    facts.iter().for_each(|fact| record.apply(Stamp::default(), fact));
    record
}

fn takers(facts: &[Fact]) -> Vec<ContactId> {
    fold(facts).taken_by
}

fn night_id() -> crate::base::IncidentId {
    crate::base::IncidentId::new(Stamp::default(), &mut seeded(1))
}

fn wild_plan(rng: &mut Rng) -> Plan {
    let mut plan = wild_line(rng);
    if rng.random_ratio(1, 3) {
        plan.then = Some(Box::new(wild_line(rng)));
    }
    plan
}

fn wild_line(rng: &mut Rng) -> Plan {
    let strategy = [Strategy::Sequential, Strategy::Shuffled, Strategy::Simultaneous][rng.random_range(0..3)];
    let mut plan = plan(strategy);
    plan.call_flow.answer = if rng.random() { Answer::One } else { Answer::All };
    plan.call_flow.rounds = rng.random_range(1..4);
    plan.call_flow.between_rounds = if rng.random() { PAUSE } else { s(0) };
    plan.call_flow.ring_timeout = RING;
    plan.guidance.room = rng.random::<bool>().then(war_room);
    plan.guidance.challenge = rng.random_ratio(1, 4);
    let people = rng.random_range(1..6);
    plan.contacts = (0..people)
        .map(|who| Contact {
            id: id(&format!("p{who}")),
            name: format!("Person {who}"),
            phones: (0..rng.random_range(1..4)).map(|place| phone(&format!("+81{who}00{place}"))).collect(),
            language: Language::Ja,
            hours: Default::default(),
        })
        .collect();
    plan
}
