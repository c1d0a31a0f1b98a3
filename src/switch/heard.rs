//! What SIP and media report, each handed to the step of the night it belongs to.

use super::desk::Switch;
use super::notice::{contact_of, what_of};
use super::tell::{Heard, What, attempt_of};
use crate::base::{IncidentId, LegId, Time};
use crate::incident::{CallHandle, Detour, Fact};
use crate::media;
use crate::sip::{self, Agent};

impl Switch {
    pub(super) fn on_sip(&mut self, now: Time, event: sip::Event) {
        match event {
            sip::Event::Registered { trunk, expires_s } => {
                self.tell(None, None, None, What::TrunkRegistered { trunk, expires: expires_s });
                self.dial_those_who_wait(now);
            }
            sip::Event::RegistrationFailed { trunk, code, reason, retry_s } => {
                self.tell(None, None, None, What::TrunkFailed { trunk, code, reason, retry: retry_s });
            }
            sip::Event::Ringing { leg, code } => {
                if let Some(attempt) = self.legs.get(leg).and_then(super::legs::Leg::attempt) {
                    self.with_incident(attempt.incident, |incident, out| {
                        incident.on_ringing(now, attempt.number, code, out);
                    });
                }
            }
            sip::Event::Answered { leg, stream, handle } => self.answered(now, leg, stream, handle),
            sip::Event::Unwanted { leg, handle } => self.unwanted(now, leg, handle),
            sip::Event::Changed { leg, stream } => self.connect(leg, stream),
            sip::Event::Rerouted { leg, from, trunk, target, handle, code, reason } => {
                let target = target.map(|target| target.to_string());
                self.rerouted(now, leg, CallHandle(handle), Detour { from, trunk, target, code, reason });
            }
            sip::Event::TargetFailed { trunk, target, code, reason, rest_s, next } => {
                let (target, next) = (target.to_string(), next.map(|next| next.to_string()));
                self.tell(None, None, None, What::TargetFailed { trunk, target, code, reason, rest: rest_s, next });
            }
            sip::Event::Ended { leg, end } => self.ended(now, leg, end),
            sip::Event::Incoming { leg, trunk, caller, dialled, to } => {
                self.call_comes_in(now, leg, trunk, &caller, [&dialled, &to]);
            }
            event @ (sip::Event::UserRegistered { .. }
            | sip::Event::UserUnregistered { .. }
            | sip::Event::ShutOut { .. }) => self.on_user(now, event),
            sip::Event::Key { leg, digit } => self.key_heard(now, leg, digit, Heard::Info),
            sip::Event::MessageSent { message } => self.message_sent(now, message),
            sip::Event::MessageFailed { message, code, reason } => self.message_refused(now, message, code, reason),
            sip::Event::MessageReceived { trunk, from, text } => {
                self.tell(None, None, None, What::MessageReceived { trunk, from, text });
            }
        }
    }

    pub(super) fn on_media(&mut self, now: Time, event: media::Event) {
        match event {
            media::Event::Digit { leg, digit, way } => self.key_heard(now, leg, digit, way.into()),
            media::Event::PlayStarted { leg, .. } => self.prompt_started(leg),
            media::Event::PlayEnded { leg, play } => self.heard_out(now, leg, play),
            media::Event::Talking { leg, talking } => {
                if let Some(room) = self.legs.get(leg).and_then(|leg| leg.room.clone()) {
                    self.rooms.note_talking(&room, leg, talking);
                    self.tell_leg(leg, What::RoomTalking { room, talking });
                }
            }
            media::Event::Quality { leg, quality } => {
                if let Some(leg) = self.legs.get_mut(leg) {
                    leg.quality = Some(quality);
                }
            }
            media::Event::Refused(leg) => self.leg_failed(now, leg, "no place is free in the media plane".into()),
            media::Event::NoRoom(leg, _) => self.leg_failed(now, leg, "no more rooms can be opened".into()),
            media::Event::Closed { .. } | media::Event::Spent(_) | media::Event::SpentKeys(_) => {}
        }
    }

    /// Something of ours broke under a call: it ends, and says why.
    pub(super) fn leg_failed(&mut self, now: Time, id: LegId, why: String) {
        if let Some(leg) = self.legs.get_mut(id) {
            leg.fault = Some(why);
            self.agent.hang_up(now, id, &mut self.sip_out);
        }
    }

    /// Tells watchers of a fact.
    pub(super) fn tell_fact(&mut self, id: IncidentId, fact: &Fact) {
        let Some(case) = self.cases.get(&id) else { return };
        let (attempt, contact) = (attempt_of(fact), contact_of(fact, &case.record));
        let Some(mut what) = what_of(fact, &case.record) else { return };
        if let What::Key { way, .. } = &mut what {
            *way = self.heard.take();
        }
        self.tell(Some(id), attempt, contact, what);
    }

    /// The SIP side, for `status`.
    pub fn agent(&self) -> &Agent {
        &self.agent
    }
}
