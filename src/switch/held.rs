//! Calls that belong to no incident, as the journal knows them: of a hotline's bridge, of the reception, of guests, and
//! those of a call-in until the caller has acknowledged our answer. And those of incidents that count as over although
//! nothing has answered our CANCEL or BYE, or no CANCEL may be sent yet: their phones may still ring, or begin to.
//!
//! The incidents' calls are in the incidents' facts. Each of these has a number of its own there, and how to end it, so
//! that the next life ends what a crash left up; and what was being recorded on it, so that the next life raises the
//! incident that it was to become. It never decides about a call.
//!
//! Easy to get wrong: a call has one handle while it rings and another when it is answered, under the same number. And
//! the end of a cut call is written only when its BYE had time to leave: a second crash before that ends it again.

use core::time::Duration;
use std::collections::{BTreeMap, VecDeque};

use super::desk::Switch;
use crate::base::{ContactId, LegId, Phone, Stamp, Time};
use crate::incident::{CallHandle, HouseFact, Rang};

/// So long a cut call's BYE or CANCEL has to get through before it counts as ended.
const LEAVING: Duration = Duration::from_secs(2);

/// So long something may still come of a call that ended without an answer: the INVITE is answered within 32 s, and the
/// CANCEL behind it within as many.
const LINGERS: Duration = Duration::from_secs(64);

/// The numbers of the calls that are up, and those that a former life left up.
#[derive(Debug, Default)]
pub(super) struct Held {
    up: BTreeMap<LegId, (u32, CallHandle)>,
    /// The highest number so far.
    last: u32,
    /// Calls that nobody waits for any more and that may not be over, and when they are.
    lingering: VecDeque<(Time, u32)>,
    /// What a former life left up.
    cut: BTreeMap<u32, CallHandle>,
    /// When those count as ended.
    cut_until: Option<Time>,
    /// Messages that were being recorded when a former life ended.
    messages: BTreeMap<u32, CutMessage>,
    /// The next of them is raised then.
    raise_at: Option<Time>,
    /// Whom former lives rang, oldest first.
    rang: VecDeque<(Stamp, Rang)>,
}

/// A message whose end nobody heard.
#[derive(Clone, Debug)]
pub(super) struct CutMessage {
    pub(super) contact: ContactId,
    pub(super) file: String,
}

impl Held {
    pub(super) fn next_deadline(&self) -> Option<Time> {
        let lingering = self.lingering.front().map(|(until, _)| *until);
        self.cut_until.into_iter().chain(self.raise_at).chain(lingering).min()
    }

    /// A fact of a former life.
    pub(super) fn restore(&mut self, at: Stamp, fact: &HouseFact) {
        match fact {
            HouseFact::LineUp { line, call, rang } => {
                self.last = self.last.max(*line);
                self.cut.insert(*line, call.clone());
                self.rang.extend(rang.clone().map(|rang| (at, rang)));
            }
            HouseFact::LineDown { line } => {
                self.last = self.last.max(*line);
                self.cut.remove(line);
            }
            HouseFact::LineRecords { line, file, contact } => {
                self.messages.insert(*line, CutMessage { contact: contact.clone(), file: file.clone() });
            }
            HouseFact::LineRecorded { line } => {
                self.messages.remove(line);
            }
            _ => {}
        }
    }

    /// Whom former lives rang without an incident.
    pub(super) fn take_rang(&mut self) -> impl Iterator<Item = (Stamp, ContactId, Phone)> {
        core::mem::take(&mut self.rang).into_iter().map(|(at, rang)| (at, rang.contact, rang.phone))
    }
}

impl Switch {
    /// A call that belongs to no incident is dialled or answered, and this is how to end it.
    pub(super) fn line_up(&mut self, now: Time, id: LegId, call: CallHandle, rang: Option<Rang>) {
        let line = match self.held.up.get_mut(&id) {
            // Acknowledged; it was written down when our answer left.
            Some((_, known)) if *known == call => return,
            Some((line, known)) => {
                known.clone_from(&call);
                *line
            }
            None => {
                self.held.last = self.held.last.saturating_add(1);
                self.held.up.insert(id, (self.held.last, call.clone()));
                self.held.last
            }
        };
        self.keep_fact(now, HouseFact::LineUp { line, call, rang });
    }

    /// We take this call: from the moment in which our 200 may have left, it is to be ended after a crash.
    pub(super) fn line_taken(&mut self, now: Time, id: LegId) {
        if let Some(handle) = self.agent.accepted(id) {
            self.line_up(now, id, CallHandle(handle), None);
        }
    }

    /// A call is over, or belongs to an incident from here on.
    pub(super) fn line_down(&mut self, now: Time, id: LegId) {
        if let Some((line, _)) = self.held.up.remove(&id) {
            self.keep_fact(now, HouseFact::LineDown { line });
        }
    }

    /// The call on this leg counts as over, and nothing has said so: the next life ends it again, if it comes soon.
    pub(super) fn line_lingers(&mut self, now: Time, id: LegId, call: CallHandle) {
        if let Some((line, _)) = self.held.up.remove(&id) {
            self.held.lingering.push_back((now + LINGERS, line));
        } else if !call.0.is_empty() {
            self.call_lingers(now, call);
        }
    }

    /// The same for a call that was given up for another one.
    pub(super) fn call_lingers(&mut self, now: Time, call: CallHandle) {
        self.held.last = self.held.last.saturating_add(1);
        let line = self.held.last;
        self.held.lingering.push_back((now + LINGERS, line));
        self.keep_fact(now, HouseFact::LineUp { line, call, rang: None });
    }

    /// How a call of no incident is ended after a crash.
    pub(super) fn held_call(&self, id: LegId) -> CallHandle {
        self.held.up.get(&id).map(|(_, call)| call.clone()).unwrap_or_default()
    }

    /// A message is being recorded on this line.
    pub(super) fn line_records(&mut self, now: Time, id: LegId, contact: &ContactId, file: &str) -> Option<u32> {
        let (line, _) = self.held.up.get(&id)?;
        let (line, file, contact) = (*line, file.to_owned(), contact.clone());
        self.keep_fact(now, HouseFact::LineRecords { line, file, contact });
        Some(line)
    }

    /// Ends what the former life left up.
    pub(super) fn end_cut_lines(&mut self, now: Time) {
        for call in self.held.cut.values() {
            self.agent.recover(now, &call.0, &mut self.sip_out);
        }
        self.held.cut_until = (!self.held.cut.is_empty()).then(|| now + LEAVING);
    }

    /// Everything of the former life is taken up: what was being said when it was cut may be raised.
    pub(super) fn held_starts(&mut self, now: Time) {
        self.held.raise_at = (!self.held.messages.is_empty()).then_some(now);
    }

    /// What was left up is ended by now; what was being said when it was cut is raised, one message at a time: the disk
    /// takes or refuses each by itself.
    pub(super) fn held_wakes(&mut self, now: Time) {
        if self.held.raise_at.is_some_and(|at| at <= now) {
            if let Some((line, message)) = self.held.messages.pop_first() {
                self.raise_cut_message(now, message);
                self.keep_fact(now, HouseFact::LineRecorded { line });
            }
            self.held.raise_at = (!self.held.messages.is_empty()).then_some(now);
        }
        while let Some((_, line)) = self.held.lingering.pop_front_if(|(until, _)| *until <= now) {
            self.keep_fact(now, HouseFact::LineDown { line });
        }
        if self.held.cut_until.is_some_and(|at| at <= now) {
            self.held.cut_until = None;
            for line in core::mem::take(&mut self.held.cut).into_keys() {
                self.keep_fact(now, HouseFact::LineDown { line });
            }
        }
    }
}
