//! Calls that belong to no incident, as the journal knows them: of a hotline's bridge, of the reception, of guests.
//!
//! The incidents' calls are in the incidents' facts. Each of these has a number of its own there, and how to end it, so
//! that the next life ends what a crash left up. It never decides about a call.
//!
//! Easy to get wrong: a call has one handle while it rings and another when it is answered, under the same number. And
//! the end of a cut call is written only when its BYE had time to leave: a second crash before that ends it again.

use core::time::Duration;
use std::collections::BTreeMap;

use super::desk::Switch;
use crate::base::{LegId, Time};
use crate::incident::{CallHandle, HouseFact};

/// So long a cut call's BYE or CANCEL has to get through before it counts as ended.
const LEAVING: Duration = Duration::from_secs(2);

/// The numbers of the calls that are up, and those that a former life left up.
#[derive(Debug, Default)]
pub(super) struct Held {
    up: BTreeMap<LegId, u32>,
    /// The highest number so far.
    last: u32,
    /// What a former life left up.
    cut: BTreeMap<u32, CallHandle>,
    /// When those count as ended.
    cut_until: Option<Time>,
}

impl Held {
    pub(super) fn next_deadline(&self) -> Option<Time> {
        self.cut_until
    }

    /// A fact of a former life.
    pub(super) fn restore(&mut self, fact: &HouseFact) {
        match fact {
            HouseFact::LineUp { line, call } => {
                self.last = self.last.max(*line);
                self.cut.insert(*line, call.clone());
            }
            HouseFact::LineDown { line } => {
                self.last = self.last.max(*line);
                self.cut.remove(line);
            }
            _ => {}
        }
    }
}

impl Switch {
    /// A call that belongs to no incident is dialled or answered, and this is how to end it.
    pub(super) fn line_up(&mut self, now: Time, id: LegId, call: CallHandle) {
        let last = &mut self.held.last;
        let line = *self.held.up.entry(id).or_insert_with(|| {
            *last = last.saturating_add(1);
            *last
        });
        self.keep_fact(now, HouseFact::LineUp { line, call });
    }

    /// A call is over; nothing is written of one that belongs to an incident.
    pub(super) fn line_down(&mut self, now: Time, id: LegId) {
        if let Some(line) = self.held.up.remove(&id) {
            self.keep_fact(now, HouseFact::LineDown { line });
        }
    }

    /// Ends what the former life left up.
    pub(super) fn end_cut_lines(&mut self, now: Time) {
        for call in self.held.cut.values() {
            self.agent.recover(now, &call.0, &mut self.sip_out);
        }
        self.held.cut_until = (!self.held.cut.is_empty()).then(|| now + LEAVING);
    }

    /// What was left up is ended by now.
    pub(super) fn held_wakes(&mut self, now: Time) {
        self.held.cut_until = None;
        for line in core::mem::take(&mut self.held.cut).into_keys() {
            self.keep_fact(now, HouseFact::LineDown { line });
        }
    }
}
