//! What holds when a night is over.

use hansho::base::Time;
use hansho::rig::ear;

use super::Night;
use crate::phone::{Line, Phone};
use crate::support::sounds::voice_hz;

impl Night {
    pub(super) fn at_the_end(&self) {
        self.laws.at_the_end();
        self.every_call_has_ended();
        self.hansho_remembers_nothing();
        self.hansho_is_registered();
        self.nobody_heard_themselves();
    }

    /// Who waits for hansho to end a call waits in vain only in bad weather, or in a room.
    pub(super) fn hansho_ends_every_call(&self, place: usize) {
        let contact = &self.people.contacts[self.people.owners[place]].id;
        let line = self.phones[place].line();
        let in_vain = line == Line::Ringing || !self.laws.is_in_a_room(contact);
        assert!(self.voice || !self.weather.is_fair() || !in_vain, "nobody ends the call of {contact}: {line:?}");
    }

    fn every_call_has_ended(&self) {
        assert!(self.phones.iter().all(Phone::has_no_dialog), "a telephone is in a call: {}", self.what_is_left());
        let house = self.house.as_ref().expect("it was restarted");
        assert!(house.switch.agent().trunks().all(|trunk| trunk.calls == 0), "hansho has a call without a leg");
    }

    fn hansho_remembers_nothing(&self) {
        let house = self.house.as_ref().expect("it was restarted");
        assert_eq!(house.switch.open().count() + house.switch.legs() + house.switch.room_views().count(), 0);
        let memory = format!("{:?}", house.switch);
        for empty in [
            "waiting: WaitingList { calls: {}, queues: {}, ends: {} }",
            "taken: {}",
            "deadlines: {}",
            "cases: {}",
            "keys: Keys { open: {}",
        ] {
            assert!(memory.contains(empty), "hansho does not forget: no `{empty}`");
        }
    }

    fn hansho_is_registered(&self) {
        assert!(self.trunk_away || self.carrier.is_registered(self.now), "hansho is not registered any more");
    }

    fn nobody_heard_themselves(&self) {
        for (place, phone) in self.phones.iter().enumerate() {
            for heard in phone.recordings() {
                let heard = heard.between(Time::ZERO, self.now);
                for window in heard.chunks(4_000).filter(|window| window.len() == 4_000) {
                    // A voice has -16 dBm0; what leaks of other pitches where packets are lost has less than -38.
                    let level = ear::tone_dbm0(window, voice_hz(place));
                    assert!(level < -30.0, "telephone {place} hears itself at {level:.0} dBm0");
                }
            }
        }
    }
}
