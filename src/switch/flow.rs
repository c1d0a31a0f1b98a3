//! One night, a function a step: raised, dialled, answered, pressed, acknowledged, joined.
//!
//! | step | what happens | for detail |
//! | --- | --- | --- |
//! | [`raised`](Switch::raised) | a trigger becomes an incident; its words are spoken | `incident/ladder.rs` |
//! | [`dialled`](Switch::dial) | a person's phone is rung over a trunk | `sip/call.rs` |
//! | [`answered`](Switch::answered) | somebody, or something, picked up: it is spoken to | `media/leg.rs` |
//! | [`pressed`](Switch::pressed) | a key proves that a person is there | `media/dtmf.rs` |
//! | [`acknowledged`](Switch::acknowledged) | somebody took it: nobody else is called | `incident/record.rs` |
//! | [`joined`](Switch::joined) | those who took it talk | `media/room.rs` |

use core::time::Duration;

use super::batch::Act;
use super::case::Case;
use super::desk::Switch;
use super::guard::Refusal;
use super::legs::{Leg, Purpose};
use super::tell::{Heard, What};
use super::waiting::{For, NotNow, Waiting};
use crate::base::{AttemptId, Digit, IncidentId, LegId, Quality, RoomName, Stamp, Stream, Time, TrunkId};
use crate::incident::{CallEnd, CallHandle, EndedBy, Incident, Plan, State, Taker, Trigger};
use crate::media::Command;
use crate::sip::{Cause, End};
use crate::wire::srtp::Protection;
use rand::Rng as _;

/// How long a call waits for a registration that is under way; then a trunk is tried that does not know us (yet).
const REGISTRATION: Duration = Duration::from_secs(5);

impl Switch {
    /// A trigger became an incident: its words are spoken while the first phone is dialled.
    pub(super) fn raised(&mut self, now: Time, trigger: Trigger, plan: Plan) -> IncidentId {
        let id = self.take_up(now, trigger, plan);
        self.prepare_voices(id);
        self.with_incident(id, |incident, out| incident.on_raised(now, out));
        id
    }

    /// A new case; nothing of it is decided yet.
    pub(super) fn take_up(&mut self, now: Time, trigger: Trigger, plan: Plan) -> IncidentId {
        let id = self.new_id(self.stamp(now));
        let incident = Incident::new(id, trigger.clone(), plan.clone(), self.rng.next_u64());
        self.cases.insert(id, Case::new(incident, trigger, plan, self.settings.dictionary.clone()));
        id
    }

    /// A name no open incident has: in a burst, the random part of two ids of one millisecond may be the same.
    fn new_id(&mut self, at: Stamp) -> IncidentId {
        loop {
            let id = IncidentId::new(at, &mut self.rng);
            if !self.cases.contains_key(&id) {
                return id;
            }
        }
    }

    /// Rings a person over the first trunk that takes the call, those first that hansho is registered at. A person
    /// has one call at a time: while they are on the phone with another incident, or while no trunk is up, the
    /// call waits a while.
    pub(super) fn dial(&mut self, now: Time, call: Waiting) {
        let Some(contact) = self.cases.get(&call.attempt.incident).and_then(|case| case.contact(&call.contact)) else {
            return;
        };
        let (AttemptId { incident, number }, language) = (call.attempt, contact.language);
        if !contact.hours.accept(self.stamp(now), self.calendar.as_ref()) {
            let reason = format!("accepts no calls now, but {}", contact.hours);
            return self.with_incident(incident, |incident, out| incident.on_skipped(now, number, &reason, out));
        }
        if let Some(until) = self.message_is_awaited(now, &call) {
            let end = fault("its message is being made".into());
            return self.wait_for(now, Waiting { for_what: For::Message, until, end, ..call });
        }
        let to_ask = self.legs.to_ask(&call.contact).filter(|leg| !self.is_being_shown_out(*leg));
        if let Some(leg) = to_ask {
            return self.ask_in_room(now, leg, call.attempt);
        }
        match self.place(now, &call) {
            Ok((leg, handle)) => {
                self.note_call_id(call.attempt, leg);
                let contact = call.contact.clone();
                let purpose = Purpose::Attempt(call.attempt);
                let call = CallHandle(handle.clone());
                self.legs.insert(leg, Leg { call, ..Leg::new(purpose, contact, language) });
                self.with_incident(incident, |incident, out| {
                    incident.on_dialled(now, number, CallHandle(handle), out);
                });
            }
            Err(why) => self.put_off(now, call, why),
        }
    }

    /// Offer and answer agreed on this stream, for the first time or anew.
    pub(super) fn connect(&mut self, id: LegId, stream: Stream) {
        if let Some(leg) = self.legs.get_mut(id) {
            leg.encrypted = stream.keys.is_some();
        }
        if let Some(keys) = &stream.keys {
            self.act(Act::Media(Command::Protect(id, Box::new(Protection::new(keys)))));
        }
        self.act(Act::Media(Command::Connect(id, stream)));
    }

    /// The phone was picked up: media flows, and the guidance is spoken.
    pub(super) fn answered(&mut self, now: Time, id: LegId, stream: Stream, handle: String) {
        self.connect(id, stream);
        let Some(leg) = self.legs.get_mut(id) else { return };
        leg.up = true;
        match leg.purpose {
            Purpose::Attempt(AttemptId { incident, number }) => {
                leg.call = CallHandle(handle.clone());
                self.with_incident(incident, |incident, out| {
                    incident.on_answered(now, number, CallHandle(handle), out);
                });
                self.names_are_made(incident);
            }
            Purpose::CallIn(incident) => self.called_in(now, id, incident, CallHandle(handle)),
            Purpose::Bridge(_) => {
                self.line_up(now, id, CallHandle(handle), None);
                self.bridge_answered(id);
            }
            Purpose::Reception => {
                self.line_up(now, id, CallHandle(handle), None);
                self.reception_answered(now, id);
            }
            Purpose::Invited => {
                self.line_up(now, id, CallHandle(handle), None);
                self.invited_answered(id);
            }
            // They were at the reception before.
            Purpose::Guest => {}
        }
    }

    /// The phone was picked up too late, or speaks no codec of ours: the call ends, and no media flows.
    pub(super) fn unwanted(&mut self, now: Time, id: LegId, handle: String) {
        let Some(leg) = self.legs.get_mut(id) else { return };
        let Some(AttemptId { incident, number }) = leg.attempt() else {
            return self.line_up(now, id, CallHandle(handle), None);
        };
        leg.call = CallHandle(handle.clone());
        self.with_incident(incident, |incident, out| incident.on_unwanted(now, number, CallHandle(handle), out));
    }

    /// A key was pressed: the only proof that a person is there.
    pub(super) fn pressed(&mut self, now: Time, id: LegId, digit: Digit, heard: Heard) {
        if self.is_being_shown_out(id) {
            return;
        }
        let Some(leg) = self.legs.get(id) else { return };
        match leg.purpose.clone() {
            _ if leg.asked.now.is_some() => {}
            Purpose::Bridge(inquiry) => return self.bridge_pressed(now, id, inquiry, digit),
            Purpose::Invited => return self.invited_pressed(now, id, digit),
            Purpose::Reception => return self.reception_key(now, id, digit),
            Purpose::Attempt(_) if self.briefed(now, id) => return,
            Purpose::Attempt(_) | Purpose::CallIn(_) | Purpose::Guest => {}
        }
        let Some(leg) = self.legs.get(id) else { return };
        let Some(AttemptId { incident, number }) = leg.asking() else { return };
        self.heard = Some(heard);
        self.with_incident(incident, |incident, out| incident.on_key(now, number, digit, out));
    }

    /// Somebody took it: whoever still waits to be called is not, and who is on the line hears the name.
    pub(super) fn acknowledged(&mut self, now: Time, incident: IncidentId, taker: Taker) {
        self.waiting.forget(incident);
        self.keys_are_taken(now, incident);
        let up = self.legs.of_incident(incident).into_iter().filter_map(|id| self.legs.get(id)).filter(|leg| leg.up);
        let others = up.count() > usize::from(matches!(taker, Taker::Contact(_)));
        if let Some(case) = self.cases.get_mut(&incident).filter(|_| others) {
            case.taker = Some(taker);
            self.prepare_voices(incident);
        }
    }

    /// Into the room; somebody who called in hears first what it is about.
    pub(super) fn joined(&mut self, now: Time, leg: LegId, room: &RoomName) {
        if !self.brief(now, leg, room) {
            self.enter_room(now, leg, room, false);
        }
    }

    /// A call is over, in whichever way.
    pub(super) fn ended(&mut self, now: Time, id: LegId, end: End) {
        self.leave_room(id);
        self.act(Act::Media(Command::Close(id)));
        self.ports.give_back(id);
        self.left_the_door(id);
        let leg = self.legs.remove(id);
        // We hung up, and nothing has answered that or even the INVITE.
        if end.code.is_none() && (is_ours(end.cause) || end.cause == Cause::Timeout) {
            self.line_lingers(now, id, leg.as_ref().map(|leg| leg.call.clone()).unwrap_or_default());
        } else {
            self.line_down(now, id);
        }
        let Some(leg) = leg else { return };
        // What we end because the process ends is no outcome: the next life goes on with it.
        if self.stopping {
            return;
        }
        match leg.purpose {
            Purpose::Bridge(inquiry) => self.bridge_ended(now, inquiry),
            Purpose::Reception => self.reception_ended(now, id, &leg),
            Purpose::Invited => self.invited_ended(id, &leg, &end),
            Purpose::Attempt(_) | Purpose::CallIn(_) | Purpose::Guest => {}
        }
        let end = call_end(end, leg.fault.clone(), leg.quality);
        self.asked_ended(now, &leg, &end);
        if let Some(AttemptId { incident, number }) = leg.attempt() {
            self.with_incident(incident, |incident, out| incident.on_ended(now, number, end, out));
        }
        self.dial_those_who_wait(now);
    }

    /// Is what is said in a call that is up encrypted?
    pub fn is_encrypted(&self, attempt: AttemptId) -> bool {
        self.legs.of(attempt).and_then(|leg| self.legs.get(leg)).is_some_and(|leg| leg.encrypted)
    }

    /// How well both sides of a call that is up hear each other, as far as is known.
    pub fn quality(&self, attempt: AttemptId) -> Option<Quality> {
        self.legs.of(attempt).and_then(|leg| self.legs.get(leg)).and_then(|leg| leg.quality)
    }

    /// Ends a call, or takes it off the waiting list when it was never made. A telephone that still rings although
    /// somebody took it is told so, and lists no missed call.
    pub(super) fn hang_up(&mut self, now: Time, attempt: AttemptId) {
        if let Some(leg) = self.legs.of(attempt) {
            if self.ends_asking(now, leg, attempt) {
                return;
            }
            let rings = self.legs.get(leg).is_some_and(|leg| !leg.up);
            if rings && self.record(attempt.incident).is_some_and(|record| record.state == State::Acknowledged) {
                self.agent.answered_elsewhere(now, leg, &mut self.sip_out);
            } else {
                self.agent.hang_up(now, leg, &mut self.sip_out);
            }
            return;
        }
        self.waiting.remove(attempt);
        let end = CallEnd { by: EndedBy::Us, code: None, reason: "not dialled any more".into(), quality: None };
        self.with_incident(attempt.incident, |incident, out| incident.on_ended(now, attempt.number, end, out));
    }

    /// Sends the INVITE, or says why it cannot be sent.
    fn place(&mut self, now: Time, call: &Waiting) -> Result<(LegId, String), NotNow> {
        if self.legs.of_contact(&call.contact).next().is_some() {
            // Busy as a telephone is, though no telephone said so.
            let reason = "on the phone with hansho about another incident".into();
            let busy = CallEnd { by: EndedBy::Refused, code: Some(486), reason, quality: None };
            return Err(NotNow::Occupied(busy));
        }
        if self.was_cut(&call.contact) {
            return Err(NotNow::Later(fault("a call that a restart cut is still being ended".into())));
        }
        if let Err(Refusal { why, passes }) = self.guarded(now, call) {
            return Err(if passes { NotNow::Held(fault(why)) } else { NotNow::Never(fault(why)) });
        }
        let leg = self.legs.next_id();
        let Some(port) = self.ports.take(leg) else {
            return Err(NotNow::Later(fault("every media port is in use: widen `ports` in [media]".into())));
        };
        if let Some(placed) = self.place_at_user(now, call, leg, port) {
            return placed;
        }
        let trunks = self.trunks_to_try(now, call);
        match self.dial_over(now, leg, &call.phone, port, &trunks) {
            Ok(handle) => {
                self.count_dialled(now, leg, &call.contact, &call.phone);
                self.batch.acts.push(Act::OpenLeg { leg, port });
                Ok((leg, handle))
            }
            Err(why) => {
                self.ports.give_back(leg);
                Err(NotNow::Later(fault(why)))
            }
        }
    }

    /// The trunks that are up, in the order they are preferred; behind them the others, when the call has waited
    /// for them: a trunk that refuses to register us may still take a call, and one that is gone costs half a
    /// minute.
    fn trunks_to_try(&self, now: Time, call: &Waiting) -> Vec<TrunkId> {
        if now.since(call.since) < REGISTRATION { self.trunks_up(now) } else { self.trunks_all(now) }
    }

    /// Keeps the Call-ID beside the attempt: it is told with everything that becomes of it.
    pub(super) fn note_call_id(&mut self, attempt: AttemptId, leg: LegId) {
        let call_id = self.agent.call_id(leg).map(str::to_owned);
        if let (Some(call_id), Some(case)) = (call_id, self.cases.get_mut(&attempt.incident)) {
            case.call_ids.insert(attempt.number, call_id);
        }
    }

    pub(super) fn prompt_started(&mut self, id: LegId) {
        let Some(leg) = self.legs.get_mut(id) else { return };
        if !core::mem::replace(&mut leg.spoken_to, true) {
            self.tell_leg(id, What::PromptStarted);
        }
    }
}

/// Something of ours is in the way.
pub(super) fn fault(reason: String) -> CallEnd {
    CallEnd { by: EndedBy::Failed, code: None, reason, quality: None }
}

/// Did we end it?
const fn is_ours(cause: Cause) -> bool {
    matches!(cause, Cause::Us | Cause::Elsewhere | Cause::Removed | Cause::Locked)
}

fn call_end(end: End, fault: Option<String>, quality: Option<Quality>) -> CallEnd {
    let by = match end.cause {
        _ if fault.is_some() => EndedBy::Failed,
        Cause::Us | Cause::Elsewhere | Cause::Removed | Cause::Locked => EndedBy::Us,
        Cause::Them => EndedBy::Them,
        Cause::Refused => EndedBy::Refused,
        Cause::Network(code) => EndedBy::Network(code),
        Cause::Timeout => EndedBy::Timeout,
        Cause::NoCommonCodec => EndedBy::Failed,
    };
    CallEnd { by, code: end.code, reason: fault.unwrap_or(end.reason), quality }
}
