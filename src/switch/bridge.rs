//! hansho rings both of a hotline's people and joins them, so that neither learns the other's number.
//!
//! | state | event | next | does |
//! | --- | --- | --- | --- |
//! | | accepted | Ringing | rings both |
//! | Ringing | one picks up | Ringing | asks for a key |
//! | Ringing | one presses 1 | Ringing, Talking | into the room |
//! | Ringing | one cannot be rung, does not pick up, presses nothing | Over | hangs up on the other; tells the caller |
//! | Talking | one hangs up | Over | hangs up on the other |
//!
//! Easy to get wrong: a voicemail picks up too, so only a key lets anybody in.

use core::time::Duration;
use std::collections::BTreeMap;

use super::batch::Act;
use super::desk::Switch;
use super::hotline::phone_of;
use super::legs::{Leg, Purpose, Saying};
use super::prompt_book::Clip;
use crate::base::{Digit, LegId, Phone, RoomName, Time};
use crate::incident::{Behaviour, CallHandle, Contact, Letter, Rang};
use crate::media::{Command, Playlist, Prompt};

/// So long both have to pick up and press their key.
const PATIENCE: Duration = Duration::from_secs(60);
/// The key that lets in.
const KEY: char = '1';

/// Two calls that belong together.
#[derive(Debug)]
pub(super) struct Bridge {
    legs: [LegId; 2],
    /// Both are to be in the room by then.
    until: Option<Time>,
}

/// The bridges that stand or are being built, by their inquiry.
#[derive(Debug, Default)]
pub(super) struct Bridges(BTreeMap<u32, Bridge>);

impl Bridges {
    pub(super) fn next_deadline(&self) -> Option<Time> {
        self.0.values().filter_map(|bridge| bridge.until).min()
    }
}

impl Switch {
    /// Rings both people of an accepted inquiry.
    pub(super) fn bridge(&mut self, now: Time, inquiry: u32) {
        let Some((line, _)) = self.hotlines.exchange.inquiry(inquiry) else { return };
        let [one, two] = line.people.clone();
        let Some(first) = self.ring_for_bridge(now, inquiry, &one) else { return self.bridge_fails(now, inquiry) };
        match self.ring_for_bridge(now, inquiry, &two) {
            Some(second) => {
                let bridge = Bridge { legs: [first, second], until: Some(now + PATIENCE) };
                self.bridges.0.insert(inquiry, bridge);
            }
            None => {
                self.agent.hang_up(now, first, &mut self.sip_out);
                self.bridge_fails(now, inquiry);
            }
        }
    }

    /// One of the two picked up.
    pub(super) fn bridge_answered(&mut self, id: LegId) {
        let Some(language) = self.legs.get(id).map(|leg| leg.language) else { return };
        let clips = [Digit::from_char(KEY).map(Clip::Press), Some(Clip::Do(Behaviour::Join))];
        let once: Vec<Prompt> = clips.into_iter().flatten().map(|clip| self.book.clip(language, clip)).collect();
        let play = self.legs.next_play();
        if let Some(leg) = self.legs.get_mut(id) {
            leg.saying = Some(Saying { play, rest: Vec::new() });
        }
        // Until the key comes, or nobody waits for it any more.
        self.act(Act::Media(Command::Play(id, Box::new(Playlist { play, prompts: once, forever: true }))));
    }

    /// One of the two pressed a key.
    pub(super) fn bridge_pressed(&mut self, now: Time, id: LegId, inquiry: u32, digit: Digit) {
        let inside = self.legs.get(id).is_none_or(|leg| leg.room.is_some());
        let Ok(room) = RoomName::parse(&format!("hotline-{inquiry}")) else { return };
        if inside || digit.as_char() != KEY {
            return;
        }
        // The question would go on for ever.
        self.act(Act::Media(Command::Hush(id)));
        self.enter_room(now, id, &room, true);
        let both = self.rooms.people(&room).count() >= 2;
        if let Some(bridge) = self.bridges.0.get_mut(&inquiry).filter(|_| both) {
            bridge.until = None;
        }
    }

    /// One of the two is gone: so is the other.
    pub(super) fn bridge_ended(&mut self, now: Time, inquiry: u32) {
        let Some(bridge) = self.bridges.0.remove(&inquiry) else { return };
        for leg in bridge.legs {
            self.agent.hang_up(now, leg, &mut self.sip_out);
        }
        if bridge.until.is_some() {
            self.bridge_fails(now, inquiry);
        }
    }

    /// Whoever did not come in time is not waited for.
    pub(super) fn bridges_wake(&mut self, now: Time) {
        let late = |bridge: &Bridge| bridge.until.is_some_and(|until| until <= now);
        let late: Vec<u32> = self.bridges.0.iter().filter(|(_, it)| late(it)).map(|(inquiry, _)| *inquiry).collect();
        late.into_iter().for_each(|inquiry| self.bridge_ended(now, inquiry));
    }

    fn bridge_fails(&mut self, now: Time, inquiry: u32) {
        let Some((_, asked)) = self.hotlines.exchange.inquiry(inquiry) else { return };
        let caller = asked.caller;
        self.write_letter(now, inquiry, caller, Letter::Refused);
    }

    fn ring_for_bridge(&mut self, now: Time, inquiry: u32, person: &Contact) -> Option<LegId> {
        let phone = phone_of(person)?;
        self.ring_line(now, Purpose::Bridge(inquiry), person, phone, "hotline").ok()
    }

    /// Rings somebody without an incident, once; or says why not.
    pub(super) fn ring_line(
        &mut self,
        now: Time,
        purpose: Purpose,
        person: &Contact,
        phone: &Phone,
        by: &str,
    ) -> Result<LegId, NotRung> {
        if self.legs.of_contact(&person.id).next().is_some() {
            return Err(NotRung::OnThePhone);
        }
        self.may_ring(now, &person.id, phone, by).map_err(NotRung::Forbidden)?;
        let leg = self.legs.next_id();
        let Some(port) = self.ports.take(leg) else {
            return Err(NotRung::Fault("every media port is in use: widen `ports` in [media]".to_owned()));
        };
        let trunks = self.trunks_up(now);
        let rung = match self.ring_user(now, leg, phone, port) {
            Some(rung) => rung.map_err(|error| error.to_string()),
            None => self.dial_over(now, leg, phone, port, &trunks),
        };
        let handle = rung.map_err(|why| {
            self.ports.give_back(leg);
            NotRung::Fault(why)
        })?;
        let rang = Rang { contact: person.id.clone(), phone: phone.clone() };
        self.line_up(now, leg, CallHandle(handle), Some(rang));
        self.count_dialled(now, leg, &person.id, phone);
        self.legs.insert(leg, Leg::new(purpose, person.id.clone(), person.language));
        self.act(Act::OpenLeg { leg, port });
        Ok(leg)
    }
}

/// Why a telephone was not rung.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum NotRung {
    /// Their person is on another leg of ours.
    OnThePhone,
    /// The dial guard forbids it.
    Forbidden(String),
    /// Something of ours is in the way.
    Fault(String),
}
