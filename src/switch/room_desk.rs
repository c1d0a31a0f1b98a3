//! What operators ask of a room: who is in it, to say something in it, to mute somebody or to take them out, to lock it,
//! to ring somebody and ask them in.
//!
//! Who may ask is not known here. Whatever changes something is written down with who asked for it. Easy to get wrong: two
//! people may bear one name, so a name that fits two is refused and never guessed; and a lock holds as long as its room:
//! with the last one who leaves it is gone, or nobody could ever come in again.

use core::time::Duration;

use super::batch::Act;
use super::bridge::NotRung;
use super::desk::Switch;
use super::legs::Purpose;
use super::prompt_book::Clip;
use super::room_view::{Attendee, Invited, LISTED, NotDone, OpenRooms, RoomView};
use super::rooms::{Room, Seat};
use super::tell::What;
use crate::base::{ContactId, Language, LegId, Phone, RoomName, Time};
use crate::incident::{Contact, HouseFact, RoomOrder};
use crate::media::{Command, Prompt, SAMPLE_RATE};
use crate::sip::Cause;

/// So long words wait in a room until those before them were said.
const WAIT_MAX: Duration = Duration::from_secs(120);

impl Switch {
    /// The rooms with somebody inside, by name.
    pub fn room_views(&self) -> impl Iterator<Item = RoomView<'_>> {
        self.rooms.open().map(|(name, room)| RoomView {
            name,
            since: self.stamp(room.since),
            locked: room.locked,
            people: self.attendees(room).map(|(_, attendee)| attendee).collect(),
        })
    }

    /// A text as a voice is to say it in this room, and in which language: `language`, or the room's own.
    pub fn room_text(
        &self,
        room: &str,
        text: &str,
        language: Option<Language>,
    ) -> Result<(RoomName, Language, String), NotDone> {
        let (name, _) = self.open_room_named(room)?;
        let language = language.unwrap_or_else(|| self.language_of(name));
        Ok((name.clone(), language, self.settings.dictionary.spoken(text, language)))
    }

    /// Says something to everybody in a room, behind what is being said there; how many hear it, and how long it takes to
    /// be said.
    pub fn room_say(
        &mut self,
        now: Time,
        room: &RoomName,
        text: &str,
        prompt: &Prompt,
        by: &str,
    ) -> Result<(usize, Duration), NotDone> {
        let length = length_of(prompt);
        let (begins, people) = {
            let (_, room) = self.open_room_named(room.as_str())?;
            (room.said_until.max(now), room.seats.len())
        };
        let waits = begins.since(now);
        if waits > WAIT_MAX {
            return Err(NotDone::TalkedOver { room: room.clone(), waits });
        }
        if let Some(room) = self.rooms.get_mut(room) {
            room.said_until = begins + length;
        }
        self.ordered(now, room, RoomOrder::Say { text: text.to_owned() }, by);
        let (text, by) = (text.to_owned(), by.to_owned());
        self.tell(None, None, None, What::RoomSaid { room: room.clone(), text, by });
        self.doorman.says(begins, room.clone(), prompt.clone());
        self.doorman_wakes(now);
        self.settle(now);
        Ok((people, waits + length))
    }

    /// Has nobody hear somebody, who hears so; or has them heard again.
    pub fn room_mute(
        &mut self,
        now: Time,
        room: &str,
        member: &str,
        muted: bool,
        by: &str,
    ) -> Result<ContactId, NotDone> {
        let (name, leg) = self.member(room, member)?;
        let contact = self.contact_on(leg);
        let seats = self.rooms.get_mut(&name).into_iter().flat_map(|room| &mut room.seats);
        let Some(seat) = seats.into_iter().find(|seat| seat.leg == leg && seat.muted != muted) else {
            return Ok(contact);
        };
        seat.muted = muted;
        self.act(Act::Media(Command::Mute(leg, muted)));
        self.ordered(now, &name, RoomOrder::Mute { contact: contact.clone(), muted }, by);
        self.tell_leg(leg, What::RoomMuted { room: name, muted, by: by.to_owned() });
        if let Some(language) = self.legs.get(leg).map(|leg| leg.language) {
            let clip = self.book.clip(language, if muted { Clip::Muted } else { Clip::Unmuted });
            self.play_over(leg, clip);
        }
        self.settle(now);
        Ok(contact)
    }

    /// Takes somebody out: they hear so, and their call ends.
    pub fn room_kick(&mut self, now: Time, room: &str, member: &str, by: &str) -> Result<ContactId, NotDone> {
        let (name, leg) = self.member(room, member)?;
        let contact = self.contact_on(leg);
        self.ordered(now, &name, RoomOrder::Kick { contact: contact.clone() }, by);
        self.tell_leg(leg, What::RoomKicked { room: name, by: by.to_owned() });
        self.leave_room(leg);
        self.show_out(now, leg, Clip::ShownOut, Cause::Removed);
        self.settle(now);
        Ok(contact)
    }

    /// Lets nobody come in, as long as somebody is inside; or lets them come in again.
    pub fn room_lock(&mut self, now: Time, room: &str, locked: bool, by: &str) -> Result<RoomName, NotDone> {
        let name = self.open_room_named(room)?.0.clone();
        let changed =
            self.rooms.get_mut(&name).is_some_and(|room| core::mem::replace(&mut room.locked, locked) != locked);
        if changed {
            self.ordered(now, &name, RoomOrder::Lock { locked }, by);
            self.tell(None, None, None, What::RoomLocked { room: name.clone(), locked, by: by.to_owned() });
            self.settle(now);
        }
        Ok(name)
    }

    /// Rings somebody and asks them into a room, which may be empty. Who picks up comes in with a key.
    pub fn room_dial(
        &mut self,
        now: Time,
        room: &str,
        person: &Contact,
        phone: &Phone,
        by: &str,
    ) -> Result<Invited, NotDone> {
        let name = self.room_named(room)?;
        if self.rooms.get(&name).is_some_and(|room| room.locked) {
            return Err(NotDone::Locked(name));
        }
        let leg = self.ring_line(now, Purpose::Invited, person, phone, by).map_err(|why| match why {
            NotRung::OnThePhone => NotDone::OnThePhone(person.name.clone()),
            NotRung::Forbidden(why) => NotDone::Forbidden(why),
            NotRung::Fault(why) => NotDone::Fault(why),
        });
        if let Ok(leg) = leg {
            let order = RoomOrder::Dial { contact: person.id.clone(), phone: phone.clone() };
            self.ordered(now, &name, order, by);
            let (phone, by) = (phone.clone(), by.to_owned());
            self.tell_leg(leg, What::RoomDialled { room: name.clone(), phone, by });
            self.ask_in(now, leg, name);
        }
        self.settle(now);
        leg.map(|_| Invited { contact: person.id.clone(), phone: phone.clone() })
    }

    /// In which language something is said in this room where nobody says in which.
    pub fn language_of(&self, room: &RoomName) -> Language {
        self.room_settings(room).and_then(|room| room.language).unwrap_or(self.settings.language)
    }

    fn ordered(&mut self, now: Time, room: &RoomName, order: RoomOrder, by: &str) {
        self.keep_fact(now, HouseFact::RoomOrdered { room: room.clone(), order, by: by.to_owned() });
    }

    /// A room that is open, is configured, or is an open incident's.
    fn room_named(&self, text: &str) -> Result<RoomName, NotDone> {
        let configured = || self.settings.rooms.iter().map(|room| &room.name).find(|name| name.as_str() == text);
        let of_incident = || self.cases.values().map(|case| case.incident.room()).find(|name| name.as_str() == text);
        let open = self.rooms.names().find(|name| name.as_str() == text);
        let known = open.or_else(configured).or_else(of_incident);
        known.cloned().ok_or_else(|| NotDone::NoSuchRoom(text.to_owned(), self.open_rooms()))
    }

    fn open_room_named(&self, text: &str) -> Result<(&RoomName, &Room), NotDone> {
        match self.rooms.open().find(|(name, _)| name.as_str() == text) {
            Some(found) => Ok(found),
            None => Err(NotDone::Empty(self.room_named(text)?, self.open_rooms())),
        }
    }

    fn open_rooms(&self) -> OpenRooms {
        OpenRooms::new(self.rooms.names().cloned().collect())
    }

    /// Somebody in a room, by number, by id or by name.
    fn member(&self, room: &str, text: &str) -> Result<(RoomName, LegId), NotDone> {
        let (name, room) = self.open_room_named(room)?;
        let there: Vec<(&Seat, Attendee<'_>)> = self.attendees(room).collect();
        let by_number = there.iter().find(|(seat, _)| seat.number.to_string() == text);
        let named = |who: &Attendee<'_>| who.contact.as_str() == text || who.name == Some(text);
        let mut named = there.iter().filter(|(_, who)| named(who));
        let (first, second) = (named.next(), named.next());
        match (by_number.or(first), by_number.is_none() && second.is_some()) {
            (Some((seat, _)), false) => Ok((name.clone(), seat.leg)),
            (found, _) => {
                let (room, member) = (name.clone(), text.chars().take(64).collect());
                let there = there.iter().take(LISTED).map(|(_, who)| who.shown()).collect::<Vec<_>>().join(", ");
                Err(match found {
                    Some(_) => NotDone::Several { room, member, there },
                    None => NotDone::NobodyCalledSo { room, member, there },
                })
            }
        }
    }

    fn attendees<'a>(&'a self, room: &'a Room) -> impl Iterator<Item = (&'a Seat, Attendee<'a>)> {
        room.seats.iter().filter_map(|seat| {
            let leg = self.legs.get(seat.leg)?;
            let attempt = leg.attempt();
            let case = attempt.and_then(|attempt| self.cases.get(&attempt.incident));
            let known = || self.settings.contacts.iter().find(|known| known.id == leg.contact);
            let name = case.and_then(|case| case.contact(&leg.contact)).or_else(known);
            let (since, name) = (self.stamp(seat.since), name.map(|contact| contact.name.as_str()));
            let Seat { number: member, muted, talking, .. } = *seat;
            Some((seat, Attendee { member, contact: &leg.contact, name, since, muted, talking, attempt }))
        })
    }

    fn contact_on(&self, leg: LegId) -> ContactId {
        self.legs.get(leg).map(|leg| leg.contact.clone()).expect("who is in a room has a leg")
    }
}

/// How long it takes to be heard.
fn length_of(prompt: &Prompt) -> Duration {
    Duration::from_micros(prompt.len() as u64 * 1_000_000 / u64::from(SAMPLE_RATE))
}
