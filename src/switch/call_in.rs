//! A contact calls hansho's own number: into the room of an incident they are on, and before that they hear what it is
//! about and who is there; a key skips that.
//!
//! Caller ID opens little: only somebody on an incident's roster gets in, and only while people are called for it or
//! talk about it; with `always_pin` nobody does by it. Everybody else goes to the [reception](super::reception_desk), or hears the same refusal,
//! whatever the reason was. Easy to get wrong: a person has one call at a time, so whoever calls in while hansho rings
//! them joins the incident they are rung for.

use super::batch::Act;
use super::case::{Case, Voice};
use super::desk::Switch;
use super::legs::{Brief, Leg, Purpose};
use super::lines::{Part, messages};
use super::prompt_book::Clip;
use super::tell::What;
use crate::base::{AttemptId, ContactId, IncidentId, Language, LegId, RoomName, Time, TrunkId};
use crate::incident::{CallHandle, Contact, State};
use crate::media::Command;
use crate::sip::HOUSE_LINE;

/// "Temporarily unavailable" (RFC 3261 §21.4.18): it tells a stranger nothing.
const UNAVAILABLE: u16 = 480;

impl Switch {
    /// Somebody calls one of `numbers`: what the request is for, and what To says.
    pub(super) fn call_comes_in(&mut self, now: Time, id: LegId, trunk: TrunkId, caller: &str, numbers: [&str; 2]) {
        if self.hotline_rung(now, id, &trunk, caller, numbers) {
            return;
        }
        match self.admit(id, &trunk, caller) {
            Ok((incident, contact, language, port)) => {
                self.legs.insert(id, Leg::new(Purpose::CallIn(incident), contact, language));
                self.act(Act::OpenLeg { leg: id, port });
                self.agent.accept(now, id, port, &mut self.sip_out);
                self.line_taken(now, id);
            }
            Err(_) if self.receive(now, id, &trunk, caller) => {}
            Err(reason) => {
                self.agent.refuse(now, id, UNAVAILABLE, &mut self.sip_out);
                let (caller, reason) = (caller.to_owned(), reason.to_owned());
                self.tell(None, None, None, What::CallInRefused { trunk, caller, reason });
            }
        }
    }

    /// The call in is up: it becomes an attempt of the incident, which puts it into the room.
    pub(super) fn called_in(&mut self, now: Time, id: LegId, incident: IncidentId, handle: CallHandle) {
        let contact = self.legs.get(id).map(|leg| leg.contact.clone());
        let phone = contact.as_ref().and_then(|contact| self.cases.get(&incident)?.phone_of(contact));
        let (Some(contact), Some(phone)) = (contact, phone) else {
            self.line_up(now, id, handle, None);
            self.agent.hang_up(now, id, &mut self.sip_out);
            return;
        };
        let call = handle.clone();
        let mut number = None;
        self.with_incident(incident, |incident, out| {
            number = incident.on_called_in(now, &contact, phone, handle, out);
        });
        match (number, self.legs.get_mut(id)) {
            (Some(number), Some(leg)) => {
                leg.purpose = Purpose::Attempt(AttemptId { incident, number });
                leg.brief = Brief::Due;
                leg.call = call;
                // It is the incident's from here on.
                self.line_down(now, id);
                self.note_call_id(AttemptId { incident, number }, id);
                self.names_are_made(incident);
            }
            _ => {
                self.line_up(now, id, call, None);
                self.agent.hang_up(now, id, &mut self.sip_out);
            }
        }
    }

    /// Tells somebody who called in what it is about and who is there, before they go into the room; false when
    /// they did not call in.
    pub(super) fn brief(&mut self, now: Time, id: LegId, room: &RoomName) -> bool {
        let Some(leg) = self.legs.get_mut(id) else { return false };
        let (Some(AttemptId { incident, .. }), Brief::Due) = (leg.attempt(), &leg.brief) else { return false };
        leg.brief = Brief::Before(room.clone());
        let (language, contact) = (leg.language, leg.contact.clone());
        let there = self.who_is_in(room, language);
        let Some(case) = self.cases.get_mut(&incident) else { return false };
        let mut parts = vec![Part::Clip(Clip::Intro)];
        let listener = case.listener(&contact, language, self.calendar.as_ref());
        parts.extend(messages(case, &listener));
        match there {
            None => parts.push(Part::Clip(Clip::Alone)),
            Some(text) => {
                let text = case.said(&text, language);
                case.voices.insert((language, text.clone()), Voice::Asked);
                self.batch.acts.push(Act::Speak { incident, language, text: text.clone() });
                parts.push(Part::Text(text, None));
            }
        }
        self.play(now, incident, id, parts);
        true
    }

    /// Everything was said to somebody who called in, or they do not want to hear it: into the room. False when
    /// nothing of the kind was being said.
    pub(super) fn briefed(&mut self, now: Time, id: LegId) -> bool {
        let Some(leg) = self.legs.get_mut(id) else { return false };
        let Brief::Before(room) = core::mem::take(&mut leg.brief) else { return false };
        self.act(Act::Media(Command::Hush(id)));
        self.enter_room(now, id, &room, true);
        true
    }

    /// Who is in a room, in words; `None`: nobody.
    fn who_is_in(&self, room: &RoomName, language: Language) -> Option<String> {
        let known = |id: &ContactId| self.settings.contacts.iter().find(|contact| contact.id == *id);
        let there = self.rooms.people(room).filter_map(|leg| self.legs.get(leg));
        let names: Vec<&str> = there.filter_map(|leg| known(&leg.contact)).map(|known| known.name.as_str()).collect();
        Some(match (names.is_empty(), language) {
            (true, _) => return None,
            (false, Language::Ja) => format!("会議室には、{}さんがいます。", names.join("さん、")),
            (false, Language::En) => format!("In the room: {}.", names.join(", ")),
        })
    }

    fn admit(
        &mut self,
        id: LegId,
        trunk: &TrunkId,
        caller: &str,
    ) -> Result<(IncidentId, ContactId, Language, u16), &'static str> {
        // Who calls as a user of ours has signed it.
        if self.settings.always_pin && trunk.as_str() != HOUSE_LINE {
            return Err("everybody needs the PIN of a room");
        }
        let who = self.who_is(caller).or_else(|| self.who_is_on_an_incident(caller));
        let who = who.ok_or("the caller is nobody on a roster")?;
        let mut rung_for = None;
        for leg in self.legs.of_contact(&who.0) {
            match leg.attempt() {
                Some(attempt) if !leg.up => rung_for = Some(attempt.incident),
                _ => return Err("that person is on the phone with hansho already"),
            }
        }
        let theirs = |case: &Case| case.contact(&who.0).is_some() && self.takes_calls(case);
        let rung_for = rung_for.filter(|id| self.cases.get(id).is_some_and(theirs));
        // Else the latest one: the ids sort by time.
        let latest = || self.cases.iter().rev().find(|(_, case)| theirs(case)).map(|(id, _)| *id);
        let incident = rung_for.or_else(latest).ok_or("no open incident is theirs")?;
        let port = self.ports.take(id).ok_or("every media port is in use")?;
        Ok((incident, who.0, who.1, port))
    }

    /// Who calls, of those whom an open incident calls though they stand in no roster; the latest incident first.
    fn who_is_on_an_incident(&self, caller: &str) -> Option<(ContactId, Language)> {
        let open = self.cases.values().rev().filter(|case| self.takes_calls(case));
        let mut people = open.flat_map(|case| case.plan.chain()).flat_map(|plan| &plan.contacts);
        let contact = people.find(|contact| contact.phones.iter().any(|phone| self.calls_from(phone, caller)))?;
        Some((contact.id.clone(), contact.language))
    }

    /// True while people are called for it or talk about it.
    fn takes_calls(&self, case: &Case) -> bool {
        match case.record.state {
            // After a restart it has to end the former life's calls first.
            State::Queued | State::Calling => case.resumes_at.is_none(),
            State::Acknowledged => self.rooms.is_open(case.incident.room()),
            State::Exhausted | State::Suppressed | State::Resolved | State::Cancelled => false,
        }
    }

    /// Who calls, by what a trunk shows of the caller: a number (its `+` or its country code may be missing), or
    /// the user part of a contact's SIP URI.
    pub(super) fn who_is(&self, caller: &str) -> Option<(ContactId, Language)> {
        let is = |contact: &&Contact| contact.phones.iter().any(|phone| self.calls_from(phone, caller));
        let contact = self.settings.contacts.iter().find(is)?;
        Some((contact.id.clone(), contact.language))
    }
}
