//! From a trigger to a plan: the only way in which somebody comes to be called.
//!
//! Whatever is dialled stands in a roster of the file. A trigger can choose among its phones (`to`), never add
//! one: a door that dials any number is a machine for toll fraud.

use super::{CallFlow, Settings, value};
use crate::base::{CallFlowId, GuidanceId, Phone};
use crate::incident::{Contact, Plan, Trigger};

/// The most parameters a trigger may carry.
pub(super) const PARAMETERS: usize = 100;
/// The longest deduplication key, host, service and name of a parameter, in characters.
pub const KEY: usize = 200;

/// Why a trigger is not accepted.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refusal {
    /// No call flow has this id.
    #[error("there is no call flow `{asked}`; known: {known}")]
    UnknownCallFlow {
        /// What the trigger named.
        asked: CallFlowId,
        /// The ids there are, with commas.
        known: String,
    },
    /// No guidance has this id.
    #[error("there is no guidance `{asked}`; known: {known}")]
    UnknownGuidance {
        /// What the trigger named.
        asked: GuidanceId,
        /// The ids there are, with commas.
        known: String,
    },
    /// A phone that stands in no place of the roster.
    #[error("{phone} is not a roster number: call flow `{call_flow}` calls only the phones of its roster")]
    NotARosterNumber {
        /// What the trigger wanted rung.
        phone: Phone,
        /// Whose roster was looked into.
        call_flow: CallFlowId,
    },
    /// More than hansho keeps.
    #[error("{what} has {found} {unit}; accepted: at most {most}")]
    TooMuch {
        /// Which part of the trigger.
        what: String,
        /// How much it holds.
        found: usize,
        /// Of what.
        unit: &'static str,
        /// The limit.
        most: usize,
    },
}

impl Refusal {
    /// The word that programs compare: `unknown_call_flow`, `unknown_guidance`, `not_a_roster_number`,
    /// `too_much`.
    pub const fn code(&self) -> &'static str {
        match self {
            Refusal::UnknownCallFlow { .. } => "unknown_call_flow",
            Refusal::UnknownGuidance { .. } => "unknown_guidance",
            Refusal::NotARosterNumber { .. } => "not_a_roster_number",
            Refusal::TooMuch { .. } => "too_much",
        }
    }
}

impl Settings {
    /// Whom to call for `trigger`, how, and what they hear.
    pub fn plan(&self, trigger: &Trigger) -> Result<Plan, Refusal> {
        check_size(trigger)?;
        let asked = &trigger.call_flow;
        let unknown = || Refusal::UnknownCallFlow { asked: asked.clone(), known: names(self.call_flows.keys()) };
        let call_flow = self.call_flows.get(asked).ok_or_else(unknown)?;
        let asked = trigger.guidance.as_ref().unwrap_or(&call_flow.guidance);
        let unknown = || Refusal::UnknownGuidance { asked: asked.clone(), known: names(self.guidances.keys()) };
        let guidance = self.guidances.get(asked).ok_or_else(unknown)?;
        let roster = self.rosters.get(&call_flow.roster).into_iter().flatten();
        let mut contacts: Vec<Contact> = roster.filter_map(|id| self.contacts.get(id)).cloned().collect();
        if !trigger.to.is_empty() {
            let on_call = |phone: &Phone| contacts.iter().any(|contact| contact.phones.contains(phone));
            if let Some(stranger) = trigger.to.iter().find(|phone| !on_call(phone)) {
                let call_flow = trigger.call_flow.clone();
                return Err(Refusal::NotARosterNumber { phone: stranger.clone(), call_flow });
            }
            contacts.iter_mut().for_each(|contact| contact.phones.retain(|phone| trigger.to.contains(phone)));
            contacts.retain(|contact| !contact.phones.is_empty());
        }
        // Whoever asks for certain telephones wants no others.
        let then = if trigger.to.is_empty() { self.then(trigger, call_flow) } else { None };
        Ok(Plan { call_flow: call_flow.flow.clone(), contacts, guidance: guidance.clone(), then })
    }

    /// What goes on when nobody took it. Call flows lead back to none, so this comes to an end.
    fn then(&self, trigger: &Trigger, call_flow: &CallFlow) -> Option<Box<Plan>> {
        let next = self.call_flows.get(call_flow.then.as_ref()?)?;
        let guidance = self.guidances.get(trigger.guidance.as_ref().unwrap_or(&next.guidance))?;
        let roster = self.rosters.get(&next.roster)?;
        let contacts = roster.iter().filter_map(|id| self.contacts.get(id)).cloned().collect();
        let then = self.then(trigger, next);
        Some(Box::new(Plan { call_flow: next.flow.clone(), contacts, guidance: guidance.clone(), then }))
    }
}

fn check_size(trigger: &Trigger) -> Result<(), Refusal> {
    let within = |what: &str, found: usize, unit, most| {
        let refusal = || Refusal::TooMuch { what: what.to_owned(), found, unit, most };
        if found <= most { Ok(()) } else { Err(refusal()) }
    };
    let letters = |what: &str, text: &str, most| within(what, text.chars().count(), "characters", most);
    letters("message", trigger.message.as_deref().unwrap_or_default(), value::SPOKEN)?;
    letters("dedup", trigger.dedup.as_deref().unwrap_or_default(), KEY)?;
    letters("host", trigger.host.as_deref().unwrap_or_default(), KEY)?;
    letters("service", trigger.service.as_deref().unwrap_or_default(), KEY)?;
    within("parameters", trigger.parameters.len(), "entries", PARAMETERS)?;
    trigger.parameters.iter().try_for_each(|(name, text)| {
        letters("the name of a parameter", name, KEY)?;
        letters(&format!("parameters.{name}"), text, value::SPOKEN)
    })
}

fn names<T: core::fmt::Display>(names: impl Iterator<Item = T>) -> String {
    let mut names: Vec<String> = names.take(21).map(|name| name.to_string()).collect();
    if names.len() > 20 {
        names.truncate(20);
        names.push("…".to_owned());
    }
    names.join(", ")
}
