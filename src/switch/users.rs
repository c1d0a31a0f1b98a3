//! People whose phones register here: they are rung without a trunk, and known for certain when they call.
//!
//! Where the phones are is the agent's knowledge; what a restart must bring back of it is written down here. Easy to get
//! wrong: what a user signed is proof of who calls, and what a trunk shows of a caller is none, so the two never stand
//! for each other; a phone that is not registered is nobody's fault and gets better by itself, but not while we wait.

use super::batch::Act;
use super::desk::Switch;
use super::flow::fault;
use super::hotline::rings_from;
use super::tell::What;
use super::waiting::{NotNow, Waiting};
use crate::base::{ContactId, LegId, Phone, Time};
use crate::incident::{CallEnd, EndedBy, HouseFact};
use crate::sip::{DialError, Event};

impl Switch {
    /// Rings the phones of one of our users; `None` where the call is for a trunk.
    pub(super) fn ring_user(
        &mut self,
        now: Time,
        leg: LegId,
        phone: &Phone,
        port: u16,
    ) -> Option<Result<String, DialError>> {
        let user = self.agent.user_of(phone)?;
        Some(self.agent.dial_user(now, leg, &user, port, &mut self.sip_out))
    }

    /// The same for a call of an incident that waits to be made.
    pub(super) fn place_at_user(
        &mut self,
        now: Time,
        call: &Waiting,
        leg: LegId,
        port: u16,
    ) -> Option<Result<(LegId, String), NotNow>> {
        let rung = self.ring_user(now, leg, &call.phone, port)?;
        Some(match rung {
            Ok(handle) => {
                self.count_dialled(now, leg, &call.contact, &call.phone);
                self.act(Act::OpenLeg { leg, port });
                Ok((leg, handle))
            }
            Err(error) => {
                self.ports.give_back(leg);
                let away = || CallEnd { by: EndedBy::Away, code: Some(480), reason: error.to_string(), quality: None };
                let never = error == DialError::NotRegistered;
                Err(if never { NotNow::Never(away()) } else { NotNow::Later(fault(error.to_string())) })
            }
        })
    }

    /// What a user's phone did.
    pub(super) fn on_user(&mut self, now: Time, event: Event) {
        match event {
            Event::UserRegistered { user, contact: phone, source, expires_s, binding } => {
                if let Some(binding) = binding {
                    let (user, phone) = (user.clone(), phone.clone());
                    self.keep_fact(now, HouseFact::UserRegistered { user, phone, binding });
                }
                let (whose, source) = (self.person_of(&user), source.to_string());
                self.tell(None, None, whose, What::UserRegistered { user, phone, source, expires: expires_s });
                self.dial_those_who_wait(now);
            }
            Event::UserUnregistered { user, contact: phone, reason, lasting } => {
                if lasting {
                    let (user, phone) = (user.clone(), phone.clone());
                    self.keep_fact(now, HouseFact::UserUnregistered { user, phone });
                }
                let whose = self.person_of(&user);
                self.tell(None, None, whose, What::UserUnregistered { user, phone, reason });
            }
            Event::ShutOut { source, tries, seconds } => {
                self.tell(None, None, None, What::ShutOut { source: source.to_string(), tries, seconds });
            }
            _ => {}
        }
    }

    /// What a former life knew of users' phones.
    pub(super) fn restore_user(&mut self, now: Time, fact: &HouseFact) {
        match fact {
            HouseFact::UserRegistered { user, binding, .. } => self.agent.restore_phone(now, user, binding),
            HouseFact::UserUnregistered { user, phone } => self.agent.forget_phone(user, phone),
            _ => {}
        }
    }

    /// Is it this phone that calls? A user of ours is known by the whole address, which was signed.
    pub(super) fn calls_from(&self, phone: &Phone, caller: &str) -> bool {
        match (self.agent.user_of(phone), caller.split_once(':')) {
            // Only what was signed holds a colon: a trunk shows a number or the part before the `@`.
            (Some(user), Some((_, address))) => address.split_once('@').is_some_and(|(signed, _)| signed == user),
            (None, None) => rings_from(phone, caller),
            (_, _) => false,
        }
    }

    /// Whose phones are those of this user?
    fn person_of(&self, user: &str) -> Option<ContactId> {
        let theirs = |phone: &Phone| self.agent.user_of(phone).as_deref() == Some(user);
        let person = self.settings.contacts.iter().find(|contact| contact.phones.iter().any(theirs));
        person.map(|contact| contact.id.clone())
    }
}
