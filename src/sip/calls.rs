//! Every call of the agent, found by its key, its leg, its dialog, or its deadline.

use core::mem::replace;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::base::{LegId, Time};
use crate::sip::call::Call;
use crate::sip::transactions::CallKey;

/// The calls. Whoever changes a call settles it.
#[derive(Debug, Default)]
pub struct Calls {
    last: u64,
    slots: BTreeMap<CallKey, Slot>,
    legs: BTreeMap<LegId, CallKey>,
    dialogs: HashMap<(String, String), CallKey>,
    due: BTreeSet<(Time, CallKey)>,
}

#[derive(Debug)]
struct Slot {
    call: Box<Call>,
    leg: Option<LegId>,
    due: Option<Time>,
}

impl Calls {
    /// A key nobody has.
    pub fn new_key(&mut self) -> CallKey {
        self.last += 1;
        CallKey(self.last)
    }

    /// Takes a call out.
    pub fn take(&mut self, key: CallKey) -> Option<Call> {
        let slot = self.slots.remove(&key)?;
        slot.due.map(|at| self.due.remove(&(at, key)));
        slot.leg.map(|leg| self.legs.remove(&leg));
        Some(*slot.call)
    }

    /// Puts a call in, or back. One that is over is dropped.
    pub fn put(&mut self, key: CallKey, call: Call) {
        self.slots.insert(key, Slot { call: Box::new(call), leg: None, due: None });
        self.settle(key);
    }

    /// The call with this key, to be changed; [`Calls::settle`] follows.
    pub fn get_mut(&mut self, key: CallKey) -> Option<&mut Call> {
        self.slots.get_mut(&key).map(|slot| &mut *slot.call)
    }

    /// Finds a call that was changed by what it is now. One that is over is dropped.
    pub fn settle(&mut self, key: CallKey) {
        let Some(slot) = self.slots.get_mut(&key) else { return };
        let is_over = slot.call.is_over();
        let (leg, due) = if is_over { (None, None) } else { (slot.call.leg, slot.call.next_deadline()) };
        let before = (replace(&mut slot.leg, leg), replace(&mut slot.due, due));
        if before.0 != leg {
            before.0.map(|leg| self.legs.remove(&leg));
            self.legs.extend(leg.map(|leg| (leg, key)));
        }
        if before.1 != due {
            before.1.map(|at| self.due.remove(&(at, key)));
            self.due.extend(due.map(|at| (at, key)));
        }
        let known = self.dialogs.get(&slot.call.dialog);
        if is_over {
            if known == Some(&key) {
                self.dialogs.remove(&slot.call.dialog);
            }
            self.slots.remove(&key);
        } else if known.is_none() {
            self.dialogs.insert(slot.call.dialog.clone(), key);
        }
    }

    /// The call with this key.
    pub fn get(&self, key: CallKey) -> Option<&Call> {
        self.slots.get(&key).map(|slot| &*slot.call)
    }

    /// The call of this leg.
    pub fn of_leg(&self, leg: LegId) -> Option<CallKey> {
        self.legs.get(&leg).copied()
    }

    /// The call with this Call-ID and this tag of ours.
    pub fn of_dialog(&self, call_id: &str, tag: &str) -> Option<CallKey> {
        self.dialogs.get(&(call_id.to_owned(), tag.to_owned())).copied()
    }

    /// When the first of them wants to be woken.
    pub fn next_deadline(&self) -> Option<Time> {
        self.due.first().map(|(at, _)| *at)
    }

    /// One that is to be woken now.
    pub fn due(&self, now: Time) -> Option<CallKey> {
        self.due.first().filter(|(at, _)| *at <= now).map(|(_, key)| *key)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// How many legs a trunk has up.
    pub fn on_line(&self, line: usize) -> usize {
        self.slots.values().filter(|slot| slot.call.line == line && slot.leg.is_some()).count()
    }

    /// Is there no call of this trunk, not even one that only takes its leave?
    pub fn none_on(&self, line: usize) -> bool {
        self.slots.values().all(|slot| slot.call.line != line)
    }

    /// Every key, oldest first.
    pub fn keys(&self) -> Vec<CallKey> {
        self.slots.keys().copied().collect()
    }
}
