//! One call, from the wish to make it to its end: how long it may ring, what is said, what a key does.
//!
//! It never looks at the other calls of the incident and never decides that the incident is over; it says
//! `taken`, and the incident draws the conclusions. Easy to get wrong: a key counts while the prompt still
//! plays; what we hung up ourselves ends with the outcome for which we hung up, whatever status the far end
//! sends; a 200 may cross our CANCEL, and a call that was withdrawn before it was dialled leaves no fact.
//!
//! `.` is no change. A call ends from every phase; in `gone` nothing follows.
//!
//! | phase | dialled | ringing | answered | said | take | next | join | repeat | other key | deadline | taken by another | over | ended |
//! | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
//! | waiting | ringing | . | . | . | . | . | . | . | . | hanging up | hanging up | hanging up | gone |
//! | ringing | . | ringing | speaking | . | . | . | . | . | . | hanging up | hanging up | hanging up | gone |
//! | speaking | . | . | . | listening | leaving | leaving | joining | speaking | speaking | hanging up | late | leaving | gone |
//! | listening | . | . | . | . | leaving | leaving | joining | speaking | speaking | speaking | late | leaving | gone |
//! | leaving | . | . | . | hanging up | . | . | . | . | . | hanging up | . | . | gone |
//! | late | . | . | . | hanging up | late | . | joining | . | . | hanging up | . | . | gone |
//! | joining | . | . | . | in room | . | . | . | . | . | in room | . | . | gone |
//! | in room | . | . | . | . | in room | . | in room | . | . | . | . | . | gone |
//! | hanging up | hanging up | . | hanging up | . | . | . | . | . | . | gone | . | . | gone |
//!
//! `take` leads to `joining` where the guidance names a room; `listening` ends in `leaving` when everything
//! has been said as often as the guidance wants; in the room a key counts for a person who has not taken an
//! incident that is still being called.

use core::mem;
use core::time::Duration;

use super::fact::{Behaviour, CallHandle, Fact, Outcome};
use super::outcome::{CallEnd, answered, unanswered};
use super::plan::{Guidance, Key};
use super::{Line, Order};
use crate::base::{ContactId, Digit, Outbox, Phone, RoomName, Time};

/// How long a call may last until somebody took the incident in it.
pub(super) const CALL_MAX: Duration = Duration::from_secs(600);
/// How long the corridor may wait for a line to this person before their turn goes by.
pub(super) const LINE_WAIT_MAX: Duration = Duration::from_secs(120);
/// How long the last words of a call may take before we go on without having heard that they were said.
pub(super) const LAST_WORDS_MAX: Duration = Duration::from_secs(60);
/// How long the end of a call that we hang up may take: longer than 32 s, after which SIP gives up itself.
pub(super) const HANG_UP_MAX: Duration = Duration::from_secs(40);
/// How many keys are taken in one call; whoever presses more is not trying to answer.
const KEYS_MAX: u32 = 64;
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
    /// The last words are being said. `late` names who took it, where this person did not.
    Leaving { outcome: Outcome, late: Option<ContactId>, until: Time },
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
pub(super) enum Event<'a> {
    Dialled(CallHandle),
    Ringing(u16),
    Answered(CallHandle),
    Said,
    Key(Digit, Option<&'a Key>),
    Deadline,
    /// Nobody needs to be called any more.
    Stop(Stop),
    Ended(CallEnd),
}

/// Why nobody needs to be called any more.
#[derive(Clone, Debug)]
pub(super) enum Stop {
    TakenBy(ContactId),
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
}

impl Call {
    /// A call that the corridor was just asked for.
    pub(super) fn wanted(now: Time, attempt: u32, contact: ContactId, phone: Phone) -> Call {
        let phase = Phase::Waiting { until: now + LINE_WAIT_MAX };
        Call { attempt, contact, phone, inbound: false, has_dialled: false, keys: 0, phase }
    }

    /// A call that came in and goes into the room.
    pub(super) fn called_in(attempt: u32, contact: ContactId, phone: Phone) -> Call {
        Call { attempt, contact, phone, inbound: true, has_dialled: true, keys: 0, phase: Phase::InRoom }
    }

    pub(super) fn deadline(&self) -> Option<Time> {
        match &self.phase {
            Phase::Waiting { until }
            | Phase::Ringing { until, .. }
            | Phase::Leaving { until, .. }
            | Phase::Joining { until, .. }
            | Phase::HangingUp { until, .. } => Some(*until),
            Phase::Speaking(asked) => Some(asked.cap),
            Phase::Listening { asked, until } => Some((*until).min(asked.cap)),
            Phase::InRoom | Phase::Gone => None,
        }
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
    pub(super) fn on(&mut self, now: Time, event: Event<'_>, scene: &Scene<'_>, out: &mut Outbox<Order>) {
        let attempt = self.attempt;
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
                self.say_all(None, out);
                Phase::Speaking(Asked { times: 1, cap: now + CALL_MAX })
            }
            // A 200 crossed our CANCEL. The fact is kept, because the call could outlive a crash now.
            (Phase::HangingUp { outcome, until }, Event::Answered(call)) if self.has_dialled => {
                out.push(Order::Store(Fact::Answered { attempt, call }));
                Phase::HangingUp { outcome, until }
            }
            (Phase::Speaking(asked), Event::Said) => {
                Phase::Listening { asked, until: now + scene.guidance.first_key_timeout }
            }
            (Phase::Speaking(asked), Event::Key(digit, key)) => {
                out.push(Order::Hush { attempt });
                self.pressed(now, (digit, key), asked, scene, out)
            }
            (Phase::Listening { asked, .. }, Event::Key(digit, key)) => {
                self.pressed(now, (digit, key), asked, scene, out)
            }
            (Phase::Leaving { outcome, late: Some(who), until }, Event::Key(digit, Some(key))) => match key.behaviour {
                Behaviour::Join => {
                    self.store_key(digit, Some(key), out);
                    self.joining(now, key, scene, out)
                }
                Behaviour::Take if self.count_key() => {
                    self.store_key(digit, Some(key), out);
                    self.say(vec![Line::TakenByAnother(who.clone())], out);
                    Phase::Leaving { outcome, late: Some(who), until }
                }
                _ => Phase::Leaving { outcome, late: Some(who), until },
            },
            (Phase::InRoom, Event::Key(digit, Some(key))) => {
                if scene.may_take && matches!(key.behaviour, Behaviour::Take | Behaviour::Join) {
                    self.store_key(digit, Some(key), out);
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
            (Phase::Listening { asked, .. }, Event::Deadline) if asked.cap <= now => {
                self.hang_up(now, Outcome::Ignored, out)
            }
            (Phase::Listening { asked, .. }, Event::Deadline) if asked.times < scene.guidance.repeats => {
                self.say_all(None, out);
                Phase::Speaking(Asked { times: asked.times + 1, ..asked })
            }
            (Phase::Listening { .. }, Event::Deadline) => self.no_key(now, out),
            (Phase::HangingUp { outcome, .. }, Event::Deadline) => {
                let known = matches!(outcome, Outcome::Taken | Outcome::Passed);
                let outcome = if known { outcome } else { Outcome::Failed };
                let reason = format!("no end within {} s of hanging up", HANG_UP_MAX.as_secs());
                self.store_end(outcome, None, reason, out);
                Phase::Gone
            }
            (Phase::Waiting { .. } | Phase::Ringing { .. }, Event::Stop(_)) => {
                self.hang_up(now, Outcome::Cancelled, out)
            }
            (Phase::Speaking(_) | Phase::Listening { .. }, Event::Stop(stop)) => {
                let (line, late) = match stop {
                    Stop::TakenBy(who) => (Line::TakenByAnother(who.clone()), Some(who)),
                    Stop::Over => (Line::Over, None),
                };
                self.say(vec![line], out);
                Phase::Leaving { outcome: Outcome::Cancelled, late, until: now + LAST_WORDS_MAX }
            }
            (Phase::Gone, _) => Phase::Gone,
            (phase, Event::Ended(end)) => {
                self.store_end(self.outcome_of(&phase, &end, scene), end.code, end.reason, out);
                Phase::Gone
            }
            (phase, _) => phase,
        };
    }

    /// A key while keys count.
    fn pressed(
        &mut self,
        now: Time,
        (digit, key): (Digit, Option<&Key>),
        asked: Asked,
        scene: &Scene<'_>,
        out: &mut Outbox<Order>,
    ) -> Phase {
        if !self.count_key() {
            return self.no_key(now, out);
        }
        self.store_key(digit, key, out);
        let Some(key) = key else {
            self.say(vec![Line::NotAKey, Line::Menu], out);
            return Phase::Speaking(asked);
        };
        let leaving = |outcome| Phase::Leaving { outcome, late: None, until: now + LAST_WORDS_MAX };
        match key.behaviour {
            Behaviour::Repeat => {
                self.say_all(key.say.as_deref(), out);
                Phase::Speaking(asked)
            }
            Behaviour::Next => {
                self.say(vec![confirmation(key, Line::Passed)], out);
                leaving(Outcome::Passed)
            }
            Behaviour::Take | Behaviour::Join => {
                out.push(Order::Store(Fact::Taken { attempt: self.attempt, contact: self.contact.clone() }));
                if key.behaviour == Behaviour::Join || scene.guidance.room.is_some() {
                    return self.joining(now, key, scene, out);
                }
                self.say(vec![confirmation(key, Line::Taken)], out);
                leaving(Outcome::Taken)
            }
        }
    }

    fn joining(&mut self, now: Time, key: &Key, scene: &Scene<'_>, out: &mut Outbox<Order>) -> Phase {
        self.say(vec![confirmation(key, Line::Joining)], out);
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

    fn say_all(&self, first: Option<&str>, out: &mut Outbox<Order>) {
        let first = first.map(|text| Line::Text(text.to_owned()));
        self.say(first.into_iter().chain([Line::Intro, Line::Message, Line::Menu]).collect(), out);
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

    fn store_key(&self, digit: Digit, key: Option<&Key>, out: &mut Outbox<Order>) {
        let behaviour = key.map(|key| key.behaviour);
        out.push(Order::Store(Fact::Key { attempt: self.attempt, digit, behaviour }));
    }

    /// An attempt begins with `dialled`, so one that ends before it gets an empty one; what we withdrew before
    /// anything happened leaves nothing behind.
    fn store_end(&mut self, outcome: Outcome, code: Option<u16>, mut reason: String, out: &mut Outbox<Order>) {
        if !self.has_dialled {
            if outcome == Outcome::Cancelled {
                return;
            }
            self.dialled(CallHandle::default(), out);
        }
        reason.truncate(reason.floor_char_boundary(REASON_BYTES_MAX));
        out.push(Order::Store(Fact::Ended { attempt: self.attempt, outcome, code, reason }));
    }

    fn outcome_of(&self, phase: &Phase, end: &CallEnd, scene: &Scene<'_>) -> Outcome {
        match phase {
            Phase::Waiting { .. } | Phase::Ringing { .. } | Phase::Gone => unanswered(end),
            Phase::Speaking(_) | Phase::Listening { .. } => answered(end),
            Phase::Leaving { outcome, .. } | Phase::HangingUp { outcome, .. } => *outcome,
            // Who called in and pressed nothing took part in an incident that is taken, and in no other.
            Phase::Joining { .. } | Phase::InRoom => {
                if self.inbound && !scene.acknowledged {
                    Outcome::Ignored
                } else {
                    Outcome::Taken
                }
            }
        }
    }
}

fn confirmation(key: &Key, recorded: Line) -> Line {
    key.say.clone().map_or(recorded, Line::Text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::EndedBy;
    use crate::incident::tests::{any_plan, table::table};

    const NOW: Time = Time::from_micros(1_000_000_000);

    fn phase(name: &str) -> Phase {
        let asked = Asked { times: 1, cap: NOW + CALL_MAX };
        let outcome = Outcome::Cancelled;
        match name {
            "waiting" => Phase::Waiting { until: NOW },
            "ringing" => Phase::Ringing { until: NOW, heard: false },
            "speaking" => Phase::Speaking(asked),
            "listening" => Phase::Listening { asked, until: NOW },
            "leaving" => Phase::Leaving { outcome, late: None, until: NOW },
            "late" => Phase::Leaving { outcome, late: Some(ContactId::parse("b").unwrap()), until: NOW },
            "joining" => Phase::Joining { room: RoomName::parse("room").unwrap(), until: NOW },
            "in room" => Phase::InRoom,
            "hanging up" => Phase::HangingUp { outcome, until: NOW },
            _ => panic!("no phase is called {name}"),
        }
    }

    fn name(phase: &Phase) -> &'static str {
        match phase {
            Phase::Waiting { .. } => "waiting",
            Phase::Ringing { .. } => "ringing",
            Phase::Speaking(_) => "speaking",
            Phase::Listening { .. } => "listening",
            Phase::Leaving { late: None, .. } => "leaving",
            Phase::Leaving { late: Some(_), .. } => "late",
            Phase::Joining { .. } => "joining",
            Phase::InRoom => "in room",
            Phase::HangingUp { .. } => "hanging up",
            Phase::Gone => "gone",
        }
    }

    fn event<'a>(name: &str, guidance: &'a Guidance) -> Event<'a> {
        let handle = CallHandle("call".to_owned());
        let key = |key| {
            let digit = Digit::from_char(key).unwrap();
            Event::Key(digit, guidance.keys.get(&digit))
        };
        match name {
            "dialled" => Event::Dialled(handle),
            "ringing" => Event::Ringing(180),
            "answered" => Event::Answered(handle),
            "said" => Event::Said,
            "take" => key('1'),
            "next" => key('2'),
            "join" => key('3'),
            "repeat" => key('4'),
            "other key" => key('0'),
            "deadline" => Event::Deadline,
            "taken by another" => Event::Stop(Stop::TakenBy(ContactId::parse("b").unwrap())),
            "over" => Event::Stop(Stop::Over),
            "ended" => Event::Ended(CallEnd { by: EndedBy::Them, code: None, reason: String::new() }),
            _ => panic!("no event is called {name}"),
        }
    }

    #[test]
    fn every_phase_answers_every_event_as_the_table_at_the_head_says() {
        let guidance = any_plan().guidance;
        let room = RoomName::parse("room").unwrap();
        let ring_timeout = Duration::from_secs(25);
        let scene = Scene { guidance: &guidance, ring_timeout, room: &room, may_take: true, acknowledged: false };
        let (header, rows) = table(include_str!("dialogue.rs"), "phase");
        assert_eq!((header.len(), rows.len()), (14, 9));
        for row in &rows {
            for (event_name, cell) in header.iter().zip(row).skip(1) {
                let mut call =
                    Call::wanted(NOW, 1, ContactId::parse("a").unwrap(), Phone::parse("+8110000001").unwrap());
                call.phase = phase(&row[0]);
                call.has_dialled = row[0] != "waiting" && event_name != "dialled";
                let mut out = Outbox::new();
                call.on(NOW, event(event_name, &guidance), &scene, &mut out);
                let where_it_is = format!("{} at {event_name}: {:?} {out:?}", row[0], call.phase);
                if cell == "." {
                    assert_eq!(call.phase, phase(&row[0]), "{where_it_is}");
                    assert!(out.is_empty(), "{where_it_is}");
                } else {
                    assert_eq!(name(&call.phase), cell, "{where_it_is}");
                    let is_quiet = (row[0].as_str(), event_name.as_str()) == ("speaking", "said");
                    assert_eq!(out.is_empty(), is_quiet, "{where_it_is}");
                }
            }
        }
    }

    #[test]
    fn the_reason_of_a_peer_is_kept_within_bounds_and_between_characters() {
        let guidance = any_plan().guidance;
        let room = RoomName::parse("room").unwrap();
        let scene = Scene {
            guidance: &guidance,
            ring_timeout: Duration::ZERO,
            room: &room,
            may_take: true,
            acknowledged: false,
        };
        let mut call = Call::called_in(1, ContactId::parse("a").unwrap(), Phone::parse("+8110000001").unwrap());
        let mut out = Outbox::new();
        let end = CallEnd { by: EndedBy::Them, code: None, reason: "鐘".repeat(1_000) };
        call.on(NOW, Event::Ended(end), &scene, &mut out);
        let Some(Order::Store(Fact::Ended { reason, .. })) = out.pop() else { panic!("no end was stored") };
        assert_eq!(reason, "鐘".repeat(85));
    }
}
