//! One call, from the wish to make it to its end: how long it may ring, what is said, what a key does.
//!
//! It never looks at the other calls of the incident and never decides that the incident is over; it says
//! `taken`, and the incident draws the conclusions. Easy to get wrong: a key counts while the prompt still
//! plays; what we hung up ourselves ends with the outcome for which we hung up, whatever status the far end
//! sends; a 200 may cross our CANCEL, and a call that was withdrawn before it was dialled leaves no fact.
//!
//! `.` is no change. A call ends from every phase; in `gone` nothing follows.
//!
//! | phase | dialled | ringing | answered | unwanted | said | take | next | join | repeat | leave | quiet | hash | other key | deadline | taken by another | silenced | over | ended |
//! | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
//! | waiting | ringing | . | . | . | . | . | . | . | . | . | . | . | . | hanging up | hanging up | hanging up | hanging up | gone |
//! | ringing | . | ringing | speaking | hanging up | . | . | . | . | . | . | . | . | . | hanging up | hanging up | hanging up | hanging up | gone |
//! | speaking | . | . | . | . | listening | leaving | leaving | joining | speaking | leaving | asked | speaking | speaking | hanging up | late | leaving | leaving | gone |
//! | listening | . | . | . | . | . | leaving | leaving | joining | speaking | leaving | asked | speaking | speaking | speaking | late | leaving | leaving | gone |
//! | asked | . | . | . | . | asked | typed | typed | typed | typed | typed | typed | speaking | typed | asked | late | leaving | leaving | gone |
//! | typed | . | . | . | . | . | typed | typed | typed | typed | typed | typed | leaving | typed | leaving | late | leaving | leaving | gone |
//! | leaving | . | . | . | . | hanging up | . | . | . | . | . | . | . | . | hanging up | . | . | . | gone |
//! | late | . | . | . | . | hanging up | late | . | joining | . | . | . | . | . | hanging up | . | . | . | gone |
//! | joining | . | . | . | . | in room | . | . | . | . | . | . | . | . | in room | . | . | . | gone |
//! | in room | . | . | . | . | . | in room | . | in room | . | . | . | . | . | . | . | . | in room | gone |
//! | hanging up | hanging up | . | hanging up | hanging up | . | . | . | . | . | . | . | . | . | gone | . | . | . | gone |
//!
//! `take` leads to `joining` where the guidance names a room; `listening` and `asked` end in `leaving` when everything
//! has been said as often as the guidance wants; in the room a key counts for a person who has not taken an
//! incident that is still being called. `asked` and `typed` are the number of hours behind the key for quiet: the
//! hash key or a pause ends it; a star and a number that is none lead back to the menu. Over a room is said that it is
//! over, and whoever is in it stays.

use core::mem;
use core::time::Duration;
use std::collections::BTreeMap;

use super::fact::{Behaviour, CallHandle, Fact, Outcome};
use super::house::Scope;
use super::outcome::{CallEnd, EndedBy, answered, unanswered};
use super::plan::{Guidance, Key};
use super::{Line, Order, Taker};
use crate::base::{ContactId, Digit, Outbox, Phone, RoomName, Stamp, Time};

/// How long a call may last until somebody took the incident in it.
pub(super) const CALL_MAX: Duration = Duration::from_secs(600);
/// How long the corridor may wait for a line to this person before their turn goes by: longer than the call lasts
/// that they are in.
pub(super) const LINE_WAIT_MAX: Duration = Duration::from_secs(780);
/// How long the last words of a call may take before we go on without having heard that they were said.
pub(super) const LAST_WORDS_MAX: Duration = Duration::from_secs(60);
/// How long the end of a call that we hang up may take: longer than 32 s, after which SIP gives up itself.
pub(super) const HANG_UP_MAX: Duration = Duration::from_secs(40);
/// How many keys are taken in one call; whoever presses more is not trying to answer.
const KEYS_MAX: u32 = 64;
/// For how many hours quiet can be promised on the phone.
const HOURS_MAX: u32 = 99;
/// How many bytes of a peer's reason are kept.
const REASON_BYTES_MAX: usize = 256;

/// One call of an incident.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) attempt: u32,
    pub(super) contact: ContactId,
    pub(super) phone: Phone,
    pub(super) inbound: bool,
    has_dialled: bool,
    keys: u32,
    /// What each key does in this call.
    menu: BTreeMap<Digit, Key>,
    phase: Phase,
}

/// Where a call stands.
#[derive(Clone, PartialEq, Debug)]
enum Phase {
    /// A line is wanted; the corridor has not dialled yet.
    Waiting { until: Time },
    /// Dialled.
    Ringing { until: Time, heard: bool },
    /// Something is being said and a key counts.
    Speaking(Asked),
    /// Everything was said; a key counts.
    Listening { asked: Asked, until: Time },
    /// For how many hours? `until` is when the waiting for the next digit ends; `key` is the one that asked.
    Hours { asked: Asked, key: Key, typed: Option<u32>, until: Time },
    /// The last words are being said. `late` names who took it, where this person did not.
    Leaving { outcome: Outcome, late: Option<Taker>, until: Time },
    /// On the way into the room, hearing so.
    Joining { room: RoomName, until: Time },
    /// In the room.
    InRoom,
    /// We hung up.
    HangingUp { outcome: Outcome, until: Time },
    /// Over.
    Gone,
}

/// How far the asking has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Asked {
    /// How often everything has been said.
    times: u32,
    /// The call ends then.
    cap: Time,
}

/// What happens to a call.
#[derive(Clone, Debug)]
pub(super) enum Event {
    Dialled(CallHandle),
    Ringing(u16),
    Answered(CallHandle),
    /// Picked up too late, or without a codec of ours: whoever signals ends it by himself, and nothing is said.
    Unwanted(CallHandle),
    Said,
    Key(Digit),
    Deadline,
    /// Nobody needs to be called any more.
    Stop(Stop),
    Ended(CallEnd),
}

/// Why nobody needs to be called any more.
#[derive(Clone, Debug)]
pub(super) enum Stop {
    TakenBy(Taker),
    /// Somebody promised to stay quiet about it.
    Silenced,
    Over,
}

/// What a call must know of its incident.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scene<'a> {
    pub(super) guidance: &'a Guidance,
    pub(super) ring_timeout: Duration,
    /// The guidance's room, or the incident's own.
    pub(super) room: &'a RoomName,
    /// True while a key of somebody in the room still takes it.
    pub(super) may_take: bool,
    pub(super) acknowledged: bool,
    /// What a promise to stay quiet is about.
    pub(super) scope: &'a Scope,
}

impl Call {
    /// A call that the corridor was just asked for.
    pub(super) fn wanted(
        now: Time,
        attempt: u32,
        (contact, phone): (ContactId, Phone),
        menu: BTreeMap<Digit, Key>,
    ) -> Call {
        let phase = Phase::Waiting { until: now + LINE_WAIT_MAX };
        Call { attempt, contact, phone, inbound: false, has_dialled: false, keys: 0, menu, phase }
    }

    /// A call that came in and goes into the room.
    pub(super) fn called_in(attempt: u32, (contact, phone): (ContactId, Phone), menu: BTreeMap<Digit, Key>) -> Call {
        Call { attempt, contact, phone, inbound: true, has_dialled: true, keys: 0, menu, phase: Phase::InRoom }
    }

    pub(super) fn deadline(&self) -> Option<Time> {
        match &self.phase {
            Phase::Waiting { until }
            | Phase::Ringing { until, .. }
            | Phase::Leaving { until, .. }
            | Phase::Joining { until, .. }
            | Phase::HangingUp { until, .. } => Some(*until),
            Phase::Speaking(asked) => Some(asked.cap),
            Phase::Listening { asked, until } | Phase::Hours { asked, until, .. } => Some((*until).min(asked.cap)),
            Phase::InRoom | Phase::Gone => None,
        }
    }

    /// True when the phone was not dialled yet, and nobody wants to end the call either.
    pub(super) fn is_waiting(&self) -> bool {
        matches!(self.phase, Phase::Waiting { .. })
    }

    /// True when nothing was heard from the person yet.
    pub(super) fn is_unanswered(&self) -> bool {
        matches!(self.phase, Phase::Waiting { .. } | Phase::Ringing { .. })
    }

    pub(super) fn is_hanging_up(&self) -> bool {
        matches!(self.phase, Phase::HangingUp { .. })
    }

    pub(super) fn is_for_the_room(&self) -> bool {
        matches!(self.phase, Phase::Joining { .. } | Phase::InRoom)
    }

    pub(super) fn is_gone(&self) -> bool {
        self.phase == Phase::Gone
    }

    /// The table at the head of the file.
    pub(super) fn on(&mut self, now: Time, event: Event, scene: &Scene<'_>, out: &mut Outbox<Order>) {
        let attempt = self.attempt;
        let key = if let Event::Key(digit) = &event { self.menu.get(digit).cloned() } else { None };
        self.phase = match (mem::replace(&mut self.phase, Phase::Gone), event) {
            (Phase::Waiting { .. }, Event::Dialled(call)) => {
                self.dialled(call, out);
                Phase::Ringing { until: now + scene.ring_timeout, heard: false }
            }
            (Phase::HangingUp { outcome, until }, Event::Dialled(call)) if !self.has_dialled => {
                self.dialled(call, out);
                out.push(Order::HangUp { attempt });
                Phase::HangingUp { outcome, until }
            }
            (Phase::Ringing { until, heard: false }, Event::Ringing(code)) => {
                out.push(Order::Store(Fact::Ringing { attempt, code }));
                Phase::Ringing { until, heard: true }
            }
            (Phase::Ringing { .. }, Event::Answered(call)) => {
                out.push(Order::Store(Fact::Answered { attempt, call }));
                self.say_all(None, scene, out);
                Phase::Speaking(Asked { times: 1, cap: now + CALL_MAX })
            }
            // A 200 crossed our CANCEL. The fact is kept, because the call could outlive a crash now.
            (Phase::HangingUp { outcome, until }, Event::Answered(call) | Event::Unwanted(call))
                if self.has_dialled =>
            {
                out.push(Order::Store(Fact::Answered { attempt, call }));
                Phase::HangingUp { outcome, until }
            }
            (Phase::Ringing { .. }, Event::Unwanted(call)) => {
                out.push(Order::Store(Fact::Answered { attempt, call }));
                Phase::HangingUp { outcome: Outcome::Failed, until: now + HANG_UP_MAX }
            }
            (Phase::Speaking(asked), Event::Said) => {
                Phase::Listening { asked, until: now + scene.guidance.first_key_timeout }
            }
            (Phase::Speaking(asked), Event::Key(digit)) => {
                out.push(Order::Hush { attempt });
                self.pressed(now, (digit, key), asked, scene, out)
            }
            (Phase::Listening { asked, .. }, Event::Key(digit)) => self.pressed(now, (digit, key), asked, scene, out),
            (Phase::Hours { asked, key, typed: None, .. }, Event::Said) => {
                Phase::Hours { asked, key, typed: None, until: now + scene.guidance.first_key_timeout }
            }
            (Phase::Hours { asked, key, typed, .. }, Event::Key(digit)) => {
                out.push(Order::Hush { attempt });
                self.typed(now, digit, (asked, key, typed), scene, out)
            }
            (Phase::Leaving { outcome, late: Some(who), until }, Event::Key(digit)) => match key {
                Some(key) if key.behaviour == Behaviour::Join => {
                    self.store_key(digit, Some(key.behaviour), out);
                    self.joining(now, &key, scene, out)
                }
                Some(key) if key.behaviour == Behaviour::Take && self.count_key() => {
                    self.store_key(digit, Some(key.behaviour), out);
                    self.say(vec![Line::TakenByAnother(who.clone())], out);
                    Phase::Leaving { outcome, late: Some(who), until }
                }
                _ => Phase::Leaving { outcome, late: Some(who), until },
            },
            (Phase::InRoom, Event::Key(digit)) => {
                let behaviour = key.map(|key| key.behaviour);
                if scene.may_take && matches!(behaviour, Some(Behaviour::Take | Behaviour::Join)) {
                    self.store_key(digit, behaviour, out);
                    out.push(Order::Store(Fact::Taken { attempt, contact: self.contact.clone() }));
                }
                Phase::InRoom
            }
            (Phase::Joining { room, .. }, Event::Said | Event::Deadline) => {
                out.push(Order::Store(Fact::Joined { attempt, room: room.clone() }));
                out.push(Order::Join { attempt, room });
                Phase::InRoom
            }
            (Phase::Leaving { outcome, .. }, Event::Said | Event::Deadline) => self.hang_up(now, outcome, out),
            (Phase::Waiting { .. }, Event::Deadline) => self.hang_up(now, Outcome::Busy, out),
            (Phase::Ringing { .. }, Event::Deadline) => self.hang_up(now, Outcome::NoAnswer, out),
            (Phase::Speaking(_), Event::Deadline) => self.hang_up(now, Outcome::Ignored, out),
            (Phase::Listening { asked, .. } | Phase::Hours { asked, .. }, Event::Deadline) if asked.cap <= now => {
                self.hang_up(now, Outcome::Ignored, out)
            }
            (Phase::Hours { asked, key, typed: Some(hours), .. }, Event::Deadline) => {
                self.hours_given(now, hours, (asked, key), scene, out)
            }
            (Phase::Hours { asked, key, .. }, Event::Deadline) if asked.times < scene.guidance.repeats => {
                self.how_many_hours(Asked { times: asked.times + 1, ..asked }, key, out)
            }
            (Phase::Listening { asked, .. }, Event::Deadline) if asked.times < scene.guidance.repeats => {
                self.say_all(None, scene, out);
                Phase::Speaking(Asked { times: asked.times + 1, ..asked })
            }
            (Phase::Listening { .. } | Phase::Hours { .. }, Event::Deadline) => self.no_key(now, out),
            (Phase::HangingUp { outcome, .. }, Event::Deadline) => {
                let known = matches!(outcome, Outcome::Taken | Outcome::Passed | Outcome::Left | Outcome::Quieted);
                let outcome = if known { outcome } else { Outcome::Failed };
                let reason = format!("no end within {} s of hanging up", HANG_UP_MAX.as_secs());
                self.store_end(outcome, CallEnd { by: EndedBy::Us, code: None, reason, quality: None }, out);
                Phase::Gone
            }
            (Phase::Waiting { .. } | Phase::Ringing { .. }, Event::Stop(_)) => {
                self.hang_up(now, Outcome::Cancelled, out)
            }
            (Phase::Speaking(_) | Phase::Listening { .. } | Phase::Hours { .. }, Event::Stop(stop)) => {
                let (line, late) = match stop {
                    Stop::TakenBy(who) => (Line::TakenByAnother(who.clone()), Some(who)),
                    Stop::Silenced => (Line::Silenced, None),
                    Stop::Over => (Line::Over, None),
                };
                self.say(vec![line], out);
                Phase::Leaving { outcome: Outcome::Cancelled, late, until: now + LAST_WORDS_MAX }
            }
            (Phase::InRoom, Event::Stop(Stop::Over)) => {
                self.say(vec![Line::Over], out);
                Phase::InRoom
            }
            (Phase::Gone, _) => Phase::Gone,
            (phase, Event::Ended(end)) => {
                let outcome = self.outcome_of(&phase, &end, scene);
                self.store_end(outcome, end, out);
                Phase::Gone
            }
            (phase, _) => phase,
        };
    }

    /// A key while keys count.
    fn pressed(
        &mut self,
        now: Time,
        (digit, key): (Digit, Option<Key>),
        asked: Asked,
        scene: &Scene<'_>,
        out: &mut Outbox<Order>,
    ) -> Phase {
        if !self.count_key() {
            return self.no_key(now, out);
        }
        self.store_key(digit, key.as_ref().map(|key| key.behaviour), out);
        let Some(key) = key else {
            self.say(vec![Line::NotAKey, self.menu_line()], out);
            return Phase::Speaking(asked);
        };
        let (attempt, contact) = (self.attempt, self.contact.clone());
        match key.behaviour {
            Behaviour::Repeat => {
                self.say_all(key.say.as_deref(), scene, out);
                Phase::Speaking(asked)
            }
            Behaviour::Next => {
                self.say(vec![key.confirmation(Line::Passed)], out);
                leaving(now, Outcome::Passed)
            }
            Behaviour::Leave => {
                out.push(Order::Store(Fact::Left { attempt, contact }));
                self.say(vec![key.confirmation(Line::Left)], out);
                leaving(now, Outcome::Left)
            }
            Behaviour::Quiet => self.how_many_hours(asked, key, out),
            Behaviour::Take | Behaviour::Join => {
                out.push(Order::Store(Fact::Taken { attempt, contact }));
                if key.behaviour == Behaviour::Join || scene.guidance.room.is_some() {
                    return self.joining(now, &key, scene, out);
                }
                self.say(vec![key.confirmation(Line::Taken)], out);
                leaving(now, Outcome::Taken)
            }
        }
    }

    /// A key while a number of hours is expected.
    fn typed(
        &mut self,
        now: Time,
        digit: Digit,
        (asked, key, typed): (Asked, Key, Option<u32>),
        scene: &Scene<'_>,
        out: &mut Outbox<Order>,
    ) -> Phase {
        if !self.count_key() {
            return self.no_key(now, out);
        }
        self.store_key(digit, Some(key.behaviour), out);
        match (digit.as_char().to_digit(10), digit.as_char()) {
            (Some(figure), _) => {
                // A number that is too large stays so.
                let typed = (typed.unwrap_or(0) * 10 + figure).min(HOURS_MAX + 1);
                Phase::Hours { asked, key, typed: Some(typed), until: now + scene.guidance.inter_key_timeout }
            }
            (None, '#') => self.hours_given(now, typed.unwrap_or(0), (asked, key), scene, out),
            _ => {
                self.say(vec![self.menu_line()], out);
                Phase::Speaking(asked)
            }
        }
    }

    fn hours_given(
        &mut self,
        now: Time,
        hours: u32,
        (asked, key): (Asked, Key),
        scene: &Scene<'_>,
        out: &mut Outbox<Order>,
    ) -> Phase {
        if !(1..=HOURS_MAX).contains(&hours) {
            // Whoever begins again may press the key for quiet first: its digit must not count as hours.
            self.say(vec![Line::NotHours, self.menu_line()], out);
            return Phase::Speaking(asked);
        }
        let (attempt, contact, scope) = (self.attempt, self.contact.clone(), scene.scope.clone());
        out.push(Order::Store(Fact::Quieted { attempt, contact, hours, until: Stamp::default(), scope }));
        self.say(vec![Line::Hours(hours), key.confirmation(Line::Quieted)], out);
        leaving(now, Outcome::Quieted)
    }

    fn how_many_hours(&self, asked: Asked, key: Key, out: &mut Outbox<Order>) -> Phase {
        self.say(vec![Line::HowManyHours], out);
        Phase::Hours { asked, key, typed: None, until: asked.cap }
    }

    fn joining(&mut self, now: Time, key: &Key, scene: &Scene<'_>, out: &mut Outbox<Order>) -> Phase {
        self.say(vec![key.confirmation(Line::Joining)], out);
        Phase::Joining { room: scene.room.clone(), until: now + LAST_WORDS_MAX }
    }

    fn no_key(&self, now: Time, out: &mut Outbox<Order>) -> Phase {
        self.say(vec![Line::NoKey], out);
        Phase::Leaving { outcome: Outcome::Ignored, late: None, until: now + LAST_WORDS_MAX }
    }

    fn hang_up(&self, now: Time, outcome: Outcome, out: &mut Outbox<Order>) -> Phase {
        out.push(Order::HangUp { attempt: self.attempt });
        Phase::HangingUp { outcome, until: now + HANG_UP_MAX }
    }

    fn say(&self, lines: Vec<Line>, out: &mut Outbox<Order>) {
        out.push(Order::Say { attempt: self.attempt, lines });
    }

    fn say_all(&self, first: Option<&str>, scene: &Scene<'_>, out: &mut Outbox<Order>) {
        let first = first.map(|text| Line::Text(text.to_owned())).into_iter().chain([Line::Intro]);
        let readings = (0..scene.guidance.readings.max(1)).map(|_| Line::Message);
        self.say(first.chain(readings).chain([self.menu_line()]).collect(), out);
    }

    fn menu_line(&self) -> Line {
        Line::Menu(self.menu.iter().map(|(digit, key)| (*digit, key.behaviour)).collect())
    }

    fn dialled(&mut self, call: CallHandle, out: &mut Outbox<Order>) {
        self.has_dialled = true;
        let (contact, phone) = (self.contact.clone(), self.phone.clone());
        out.push(Order::Store(Fact::Dialled { attempt: self.attempt, contact, phone, call }));
    }

    /// Counts a key; false when there were too many.
    fn count_key(&mut self) -> bool {
        self.keys = self.keys.saturating_add(1);
        self.keys <= KEYS_MAX
    }

    fn store_key(&self, digit: Digit, behaviour: Option<Behaviour>, out: &mut Outbox<Order>) {
        out.push(Order::Store(Fact::Key { attempt: self.attempt, digit, behaviour }));
    }

    /// An attempt begins with `dialled`, so one that ends before it gets an empty one; what we withdrew before
    /// anything happened leaves nothing behind.
    fn store_end(&mut self, outcome: Outcome, end: CallEnd, out: &mut Outbox<Order>) {
        let CallEnd { code, mut reason, quality, .. } = end;
        if !self.has_dialled {
            if outcome == Outcome::Cancelled {
                return;
            }
            self.dialled(CallHandle::default(), out);
        }
        reason.truncate(reason.floor_char_boundary(REASON_BYTES_MAX));
        out.push(Order::Store(Fact::Ended { attempt: self.attempt, outcome, code, reason, quality }));
    }

    fn outcome_of(&self, phase: &Phase, end: &CallEnd, scene: &Scene<'_>) -> Outcome {
        match phase {
            Phase::Waiting { .. } | Phase::Ringing { .. } | Phase::Gone => unanswered(end),
            Phase::Speaking(_) | Phase::Listening { .. } | Phase::Hours { .. } => answered(end),
            // Nobody's phone rang where the trunk said nothing: that is no silence of theirs.
            Phase::HangingUp { outcome: Outcome::NoAnswer, .. } if end.by == EndedBy::Timeout => Outcome::Failed,
            Phase::Leaving { outcome, .. } | Phase::HangingUp { outcome, .. } => *outcome,
            // Who called in and pressed nothing took part in an incident that is taken, and in no other.
            Phase::Joining { .. } | Phase::InRoom if self.inbound && !scene.acknowledged => Outcome::Ignored,
            Phase::Joining { .. } | Phase::InRoom => Outcome::Taken,
        }
    }
}

fn leaving(now: Time, outcome: Outcome) -> Phase {
    Phase::Leaving { outcome, late: None, until: now + LAST_WORDS_MAX }
}

#[cfg(test)]
#[path = "tests/dialogue.rs"]
mod tests;
