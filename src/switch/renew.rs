//! The configuration is another one from here on: for what begins now. What is under way keeps what it began with: an
//! incident its people, its words and its keys; a room its recording; a call that is being answered its greeting.

use std::sync::Arc;

use super::Settings;
use super::desk::Switch;
use super::guard::DialRules;
use super::post::SmsWay;
use super::prompt_book::PromptBook;
use super::reception_desk::CallInSettings;
use super::rooms::RoomSettings;
use crate::base::Time;
use crate::incident::{Contact, Hotline};
use crate::phrase::Dictionary;
use crate::sip::{NextTrunk, TrunkRenewal};

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
    /// The accounts that are called over, the one that is preferred first.
    pub trunks: Vec<NextTrunk>,
    /// By which way short messages leave.
    pub sms: SmsWay,
    /// The recorded sentences, where they are others.
    pub book: Option<Arc<PromptBook>>,
}

impl Switch {
    /// Takes all of it. What became of the trunks: whoever looks their names up begins anew for some.
    pub fn renew(&mut self, now: Time, renewal: Renewal) -> Vec<TrunkRenewal> {
        let Renewal { contacts, rooms, dial, call_in, always_pin, hotlines, dictionary, trunks, sms, book } = renewal;
        let ids = trunks.iter().map(|next| next.trunk.id.clone()).collect();
        let renewed = self.agent.renew_trunks(now, trunks, &mut self.sip_out);
        self.book = book.unwrap_or_else(|| self.book.clone());
        self.set_contacts(contacts);
        self.renew_hotlines(now, hotlines.clone());
        let before = core::mem::take(&mut self.settings);
        self.settings = Settings { rooms, dial, call_in, always_pin, hotlines, dictionary, trunks: ids, sms, ..before };
        self.settle(now);
        renewed
    }
}
