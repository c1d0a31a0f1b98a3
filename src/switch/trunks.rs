//! Over which trunks a call goes, in which order.
//!
//! Easy to get wrong: a trunk that is registered may still be one that answers nobody, so those whose every target
//! failed a moment ago stand behind those that are well, and never before.

use super::desk::Switch;
use super::tell::What;
use crate::base::{LegId, Phone, Time, TrunkId};
use crate::incident::{CallHandle, Detour};

impl Switch {
    /// The trunks that are up, in the order they are preferred; at the end those that are left alone at the moment.
    pub(super) fn trunks_up(&self, now: Time) -> Vec<TrunkId> {
        let up: Vec<TrunkId> = self.agent.trunks().filter(|trunk| trunk.registered).map(|trunk| trunk.id).collect();
        let up = self.settings.trunks.iter().filter(|id| up.contains(id)).cloned();
        let (resting, well): (Vec<_>, Vec<_>) = up.partition(|id| self.agent.rests(now, id));
        well.into_iter().chain(resting).collect()
    }

    /// The same, and behind them those that are away.
    pub(super) fn trunks_all(&self, now: Time) -> Vec<TrunkId> {
        let mut all = self.trunks_up(now);
        let away = self.settings.trunks.iter().filter(|id| !all.contains(id)).cloned().collect::<Vec<_>>();
        all.extend(away);
        all
    }

    /// Sends the INVITE over the first of these trunks that takes it, with the others behind it; what ends the call after
    /// a crash. Or says why none of them takes it.
    pub(super) fn dial_over(
        &mut self,
        now: Time,
        leg: LegId,
        phone: &Phone,
        port: u16,
        trunks: &[TrunkId],
    ) -> Result<String, String> {
        let mut why = "no trunk is registered".to_owned();
        for (place, trunk) in trunks.iter().enumerate() {
            match self.agent.dial(now, leg, trunk, phone, port, &mut self.sip_out) {
                Ok(handle) => {
                    self.agent.also_over(now, leg, trunks.get(place + 1..).unwrap_or_default());
                    return Ok(handle);
                }
                Err(error) => why = format!("trunk {trunk}: {error}"),
            }
        }
        Err(why)
    }

    /// A call goes another way: it has another Call-ID now, and is ended in another way after a crash.
    pub(super) fn rerouted(&mut self, now: Time, leg: LegId, call: CallHandle, detour: Detour) {
        let known = self.legs.get_mut(leg);
        let attempt = known.as_ref().and_then(|leg| leg.attempt());
        let before = match known {
            Some(leg) if attempt.is_some() => core::mem::replace(&mut leg.call, call.clone()),
            _ => self.held_call(leg),
        };
        // A trunk that answered nothing may still ring the phone.
        if detour.code.is_none() && !before.0.is_empty() {
            self.call_lingers(now, before);
        }
        match attempt {
            Some(attempt) => {
                self.note_call_id(attempt, leg);
                self.with_incident(attempt.incident, |incident, out| {
                    incident.on_rerouted(attempt.number, call, detour, out);
                });
            }
            None => {
                self.line_up(now, leg, call, None);
                self.tell_leg(leg, What::Rerouted { detour });
            }
        }
    }
}
