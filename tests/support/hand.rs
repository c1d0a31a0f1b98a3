//! A person with a telephone: does things with it and says what it hears.
//!
//! What is expected is waited for, a minute at most, and the story goes on at that moment.

use core::time::Duration;

use hansho::base::{Digit, Time};
use hansho::media::Way;
use hansho::rig::{Noted, Phone, Script, ear};
use hansho::sip::Cause;

use super::millis;
use super::sounds::{find, hz_of, voice_hz};
use super::town::HANSHO_NUMBER;
use super::world::World;

/// How much of a recording is left behind when nothing was found in it; longer than any clip.
const SEARCHED: Duration = Duration::from_secs(1);

pub struct Hand<'a> {
    world: &'a mut World,
    place: usize,
}

impl<'a> Hand<'a> {
    pub fn new(world: &'a mut World, place: usize) -> Hand<'a> {
        Hand { world, place }
    }

    /// The telephone rings, or begins to within five minutes.
    pub fn rings(self) -> Self {
        let place = self.place;
        self.world.wait_until(&format!("{} rings", self.name()), |world| world.phones[place].is_ringing());
        self
    }

    /// It does not ring.
    pub fn keeps_quiet(self) -> Self {
        assert!(self.phone().is_idle(), "{} is in a call", self.name());
        self
    }

    /// Picks up.
    pub fn answers(self) -> Self {
        let place = self.place;
        assert!(self.phone().is_ringing(), "{} does not ring", self.name());
        self.world.with(place, |phone, now, out| phone.pick_up(now, out));
        self.world.wait_until(&format!("{} is connected", self.name()), |world| world.phones[place].is_up());
        self.world.listened[place] = self.world.now;
        self
    }

    /// Does this whenever it is called, without being told.
    pub fn follows(self, script: Script) -> Self {
        self.world.with(self.place, |phone, _, _| phone.follow(script));
        self
    }

    /// Turns the call away with this status.
    pub fn refuses(self, code: u16) -> Self {
        self.world.with(self.place, |phone, now, out| phone.refuse(now, code, out));
        self
    }

    /// Is listening, and hears this clip (or `message`, or `music`) after what was heard before.
    pub fn hears(self, what: &str) -> Self {
        let (place, hz) = (self.place, hz_of(what));
        let mut from = self.world.listened[place];
        self.world.look_every(millis(100), &format!("{} hears {what}", self.name()), |world| {
            if let Some(behind) = find(world.heard(place, from), hz) {
                from = from + millis(behind as u64 / 8);
                return true;
            }
            // What was searched is not searched again, but for its end.
            if world.now.since(from) > 3 * SEARCHED {
                from = from + SEARCHED;
            }
            false
        });
        self.world.listened[place] = from;
        self
    }

    /// Is listening, and hears one of these clips; which.
    pub fn hears_one_of(self, what: &[&str]) -> String {
        let (place, from) = (self.place, self.world.listened[self.place]);
        let mut heard = None;
        self.world.look_every(millis(100), &format!("{} hears one of {what:?}", self.name()), |world| {
            heard = what.iter().copied().find(|clip| find(world.heard(place, from), hz_of(clip)).is_some());
            heard.is_some()
        });
        heard.expect("it was waited for").to_owned()
    }

    /// Presses a key, as an event.
    pub fn presses(self, key: char) -> Self {
        self.press(key, Way::Event)
    }

    /// Presses a key that is sent as two tones.
    pub fn presses_in_band(self, key: char) -> Self {
        self.press(key, Way::Tone)
    }

    /// Presses a key in this way.
    pub fn presses_in(self, key: char, way: Way) -> Self {
        self.press(key, way)
    }

    /// Presses a key that is told by INFO and not heard in the media.
    pub fn presses_by_info(self, key: char) -> Self {
        let digit = Digit::from_char(key).expect("a key");
        assert!(self.phone().is_up(), "{} is in no call", self.name());
        self.world.with(self.place, |phone, now, out| phone.press_by_info(now, digit, out));
        self
    }

    /// Presses a key that their telephone sends in every way there is.
    pub fn presses_in_all_ways(self, key: char) -> Self {
        self.press(key, Way::Tone).presses_by_info(key).press(key, Way::Event)
    }

    /// Gets a short message that says this, the next one that comes or came.
    pub fn gets_message(self, text: &str) -> Self {
        let (place, got) = (self.place, Hand { world: &mut *self.world, place: self.place }.reads());
        assert_eq!(got, text);
        Hand { world: self.world, place }
    }

    /// The next short message, which comes within five minutes or came already.
    pub fn reads(self) -> String {
        let place = self.place;
        let read = self.world.read[place];
        self.world.wait_until(&format!("{} gets a message", self.name()), |world| {
            world.phones[place].messages().count() > read
        });
        self.world.read[place] += 1;
        self.world.phones[place].messages().nth(read).expect("it came").to_owned()
    }

    /// Is there a message that was not read?
    pub fn has_mail(self) -> bool {
        self.phone().messages().count() > self.world.read[self.place]
    }

    /// Calls hansho's number and does not wait for what comes of it.
    pub fn calls_and_hangs_up(mut self) -> Self {
        self.dial();
        self.hangs_up()
    }

    /// No message came that was not read.
    pub fn gets_no_message(self) -> Self {
        let left: Vec<&str> = self.phone().messages().skip(self.world.read[self.place]).collect();
        assert!(left.is_empty(), "{left:?}");
        self
    }

    fn press(self, key: char, way: Way) -> Self {
        let digit = Digit::from_char(key).expect("a key");
        assert!(self.phone().is_up(), "{} is in no call", self.name());
        self.world.with(self.place, |phone, now, _| phone.press(now, digit, way));
        self
    }

    /// Hums for so long, in a pitch of their own.
    pub fn talks(self, length: Duration) -> Self {
        let hz = voice_hz(self.place);
        self.world.with(self.place, |phone, now, _| phone.talk(now, hz, length));
        self
    }

    /// Heard these people since `from`, and neither themselves nor anybody else.
    pub fn heard_only(self, people: &[&str], from: Time) -> Self {
        let heard = self.world.heard(self.place, from).to_vec();
        for (place, name) in self.world.town.people.iter().enumerate() {
            let level = ear::tone_dbm0(&heard, voice_hz(place));
            let wanted = people.contains(&name.as_str());
            assert_eq!(level > -32.0, wanted, "{} hears {name} at {level:.0} dBm0", self.name());
            assert!(wanted || level < -50.0, "{} hears {name} at {level:.0} dBm0", self.name());
        }
        self
    }

    /// hansho hangs up, or ceases to ring.
    pub fn gets_hung_up(self) -> Self {
        let place = self.place;
        self.world.wait_until(&format!("{} is hung up", self.name()), |world| world.phones[place].is_idle());
        let end = self.phone().log().iter().rev().find_map(|(_, noted)| match noted {
            Noted::Ended(end) => Some(end.cause),
            _ => None,
        });
        assert_eq!(end, Some(Cause::Them), "{} hung up by themselves", self.name());
        self
    }

    /// Hangs up.
    pub fn hangs_up(self) -> Self {
        self.world.with(self.place, |phone, now, out| phone.hang_up(now, out));
        self
    }

    /// Calls hansho's number; the call is answered.
    pub fn calls_in(mut self) -> Self {
        let place = self.place;
        self.dial();
        self.world.wait_until("the call in is answered", |world| world.phones[place].is_up());
        self.world.listened[place] = self.world.now;
        self
    }

    /// Calls hansho's number and is turned away with this status.
    pub fn gets_turned_away(mut self, code: u16) -> Self {
        let place = self.place;
        self.dial();
        self.world.wait_until("the call in is turned away", |world| world.phones[place].is_idle());
        let last = self.phone().log().last().map(|(_, noted)| noted.clone());
        assert!(matches!(&last, Some(Noted::Ended(end)) if end.code == Some(code)), "{last:?}");
        self
    }

    fn dial(&mut self) {
        let dialled = self.world.with(self.place, |phone, now, out| phone.call_in(now, HANSHO_NUMBER, vec![], out));
        assert_eq!(dialled, Ok(()), "{} cannot call", self.name());
    }

    fn name(&self) -> String {
        self.world.town.people[self.place].clone()
    }

    fn phone(&self) -> &Phone {
        &self.world.phones[self.place]
    }
}

impl World {
    /// What a telephone heard in its call since `from`.
    pub(super) fn heard(&self, place: usize, from: Time) -> &[i16] {
        self.phones[place].heard().map_or(&[], |recording| recording.between(from, self.now))
    }
}
