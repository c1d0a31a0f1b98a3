//! The configuration is another one from here on: for what begins now. What is under way keeps what it began with: an
//! incident its people, its words and its keys; a room its recording; a call that is being answered its greeting.

use std::sync::Arc;

use super::Settings;
use super::desk::Switch;
use super::guard::DialRules;
use super::reception_desk::CallInSettings;
use super::rooms::RoomSettings;
use crate::base::Time;
use crate::incident::{Contact, Hotline};
use crate::phrase::Dictionary;

/// What of the settings may change while the corridor is open.
#[derive(Clone, Debug)]
pub struct Renewal {
    /// Everybody who may call in.
    pub contacts: Vec<Contact>,
    /// The rooms that are configured.
    pub rooms: Vec<RoomSettings>,
    /// What may be dialled, and how often; what was dialled so far counts.
    pub dial: DialRules,
    /// How a caller's message becomes an incident.
    pub call_in: Option<CallInSettings>,
    /// Whoever calls over a trunk needs a room's PIN.
    pub always_pin: bool,
    /// Pairs of people who may ask each other for a call.
    pub hotlines: Vec<Hotline>,
    /// How words are said.
    pub dictionary: Arc<Dictionary>,
}

impl Switch {
    /// Takes all of it.
    pub fn renew(&mut self, now: Time, renewal: Renewal) {
        let Renewal { contacts, rooms, dial, call_in, always_pin, hotlines, dictionary } = renewal;
        self.set_contacts(contacts);
        self.renew_hotlines(now, hotlines.clone());
        let before = core::mem::take(&mut self.settings);
        self.settings = Settings { rooms, dial, call_in, always_pin, hotlines, dictionary, ..before };
        self.settle(now);
    }
}
