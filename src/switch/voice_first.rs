//! Whose guidance says so is not rung before the message that they will hear is made.
//!
//! Easy to get wrong: nothing may keep a telephone from ringing for ever. A voice that hangs costs an incident one wait
//! and not one a call: after it, everybody is rung at once and the message is made meanwhile.

use super::case::{Case, Voice};
use super::desk::Switch;
use super::tell::What;
use super::waiting::{For, Waiting};
use crate::base::{AttemptId, Calendar, ContactId, IncidentId, Time};

impl Switch {
    /// Until when this call has to wait for its message; `None`: it may be dialled, and where it waited in vain this is
    /// told.
    pub(super) fn message_is_awaited(&mut self, now: Time, call: &Waiting) -> Option<Time> {
        let AttemptId { incident, number } = call.attempt;
        let case = self.cases.get_mut(&incident)?;
        let wait = case.incident.plan().guidance.voice_before_dialling;
        if wait.is_zero() || case.voice_was_late || !case.makes_a_message_for(&call.contact, self.calendar.as_ref()) {
            return None;
        }
        let until = call.since + wait;
        if now < until {
            return Some(until);
        }
        case.voice_was_late = true;
        let seconds = now.since(call.since).as_secs_f64();
        self.tell(Some(incident), Some(number), Some(call.contact.clone()), What::VoiceLate { seconds });
        None
    }

    /// A text of this incident was made, or will not be: whoever waited for it is dialled.
    pub(super) fn dial_those_who_awaited(&mut self, now: Time, incident: IncidentId) {
        let awaits = |call: &&Waiting| call.for_what == For::Message;
        let calls: Vec<AttemptId> = self.waiting.of(incident).filter(awaits).map(|call| call.attempt).collect();
        for attempt in calls {
            if let Some(call) = self.waiting.remove(attempt) {
                self.dial(now, call);
            }
        }
    }
}

impl Case {
    /// True while a voice works on what this person will hear first.
    fn makes_a_message_for(&self, contact: &ContactId, calendar: &dyn Calendar) -> bool {
        let Some(language) = self.contact(contact).map(|contact| contact.language) else { return false };
        let is_asked = |text| matches!(self.voices.get(&(language, text)), Some(Voice::Asked));
        self.messages(&self.listener(contact, language, calendar)).into_iter().any(is_asked)
    }
}
