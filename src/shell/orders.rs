//! What operators ask of rooms, from the socket's words to the corridor's and back.
//!
//! Easy to get wrong: a voice takes a while, and the core waits for none. So what is to be said is spoken in a task of its
//! own, which asks the core again when the samples are there; whoever asked first is answered then.

use core::time::Duration;

use serde_json::{Value, json};

use super::ask::{Ask, Reply, Ring, Spoken};
use super::control::{Failure, Request, SayRequest};
use super::core::Core;
use super::events::rfc3339;
use super::requests::at_once;
use crate::base::{ContactId, Language, Phone};
use crate::config::Settings;
use crate::incident::Contact;
use crate::switch::{Attendee, NotDone, RoomView, STRANGER};

/// The longest text that is said in a room, in characters.
const TEXT_MAX: usize = 1_000;

impl Core {
    /// Serves a request that is about rooms.
    pub(super) fn order(&mut self, request: Request, by: &str, reply: Reply) {
        let now = self.clock.now();
        let done = match request {
            Request::RoomList => return at_once(reply, json!({ "rooms": rooms_json(self) })),
            Request::RoomSay(wanted) => return self.room_say(wanted, by, reply),
            Request::RoomSpoken(Spoken { room, text, prompt }) => {
                let said = self.switch.room_say(now, &room, &text, &prompt, by);
                said.map(|(people, length)| json!({ "room": room, "people": people, "seconds": seconds(length) }))
            }
            Request::RoomMute { room, member, off } => {
                let muted = self.switch.room_mute(now, &room, &member, !off, by);
                muted.map(|contact| json!({ "room": room, "contact": contact, "muted": !off }))
            }
            Request::RoomKick { room, member } => {
                let kicked = self.switch.room_kick(now, &room, &member, by);
                kicked.map(|contact| json!({ "room": room, "contact": contact }))
            }
            Request::RoomLock { room, off } => {
                let locked = self.switch.room_lock(now, &room, !off, by);
                locked.map(|room| json!({ "room": room, "locked": !off }))
            }
            Request::RoomDial { room, to } => match invitee(&self.settings, &to) {
                Ok(found) if found.stranger => {
                    let failure = found.not_here();
                    self.switch.refused_at_the_door(now, found.phone.as_str(), by, &failure.message);
                    self.flush(None);
                    return self.refuse(failure, reply);
                }
                Ok(found) => self.room_ring(&room, &found.person, &found.phone, by),
                Err(failure) => return self.refuse(failure, reply),
            },
            Request::RoomRing(ring) => self.room_ring(&ring.room, &ring.person, &ring.phone, by),
            // The connection itself serves what is left.
            _ => Ok(json!({})),
        };
        self.answer(done.map_err(|why| Failure::new(why.code(), why.to_string())), reply);
    }

    fn room_ring(&mut self, room: &str, person: &Contact, phone: &Phone, by: &str) -> Result<Value, NotDone> {
        let rung = self.switch.room_dial(self.clock.now(), room, person, phone, by);
        rung.map(|who| json!({ "room": room, "contact": who.contact, "phone": who.phone }))
    }

    /// Has a text spoken; the core is asked again when it is.
    fn room_say(&self, wanted: SayRequest, by: &str, reply: Reply) {
        let SayRequest { room, text, language } = wanted;
        let planned = sayable(&text, language.as_deref()).and_then(|language| {
            let found = self.switch.room_text(&room, &text, language);
            found.map_err(|why| Failure::new(why.code(), why.to_string()))
        });
        let (room, language, words) = match planned {
            Ok(planned) => planned,
            Err(failure) => {
                let _ = reply.send(Err(failure));
                return;
            }
        };
        let (speaker, asks, by) = (self.speaker.clone(), self.asks.clone(), by.to_owned());
        tokio::spawn(async move {
            match speaker.speak(language, &words).await {
                Ok(spoken) => {
                    let request = Request::RoomSpoken(Spoken { room, text, prompt: spoken.prompt });
                    // A daemon that ends answers nobody any more.
                    let _ = asks.send(Ask { request, by: Some(by), reply }).await;
                }
                Err(why) => {
                    let _ = reply.send(Err(Failure::new("no_voice", format!("no voice could say it: {why}"))));
                }
            }
        });
    }
}

/// Somebody who can be asked into a room.
#[derive(Debug)]
pub(super) struct Invitee {
    /// Who.
    pub(super) person: Contact,
    /// Where they are rung.
    pub(super) phone: Phone,
    /// No contact has this number: whoever asks must be allowed to dial any.
    pub(super) stranger: bool,
}

impl Invitee {
    /// Why a number that is nobody's is not dialled for whoever has no token that may.
    pub(super) fn not_here(&self) -> Failure {
        let why =
            format!("{} is no contact's number: a token with the scope `dial:any` may have it dialled", self.phone);
        Failure::new("not_a_roster_number", why)
    }
}

/// Whom somebody means: a contact by id, by name or by number, or a number that is nobody's.
pub(super) fn invitee(settings: &Settings, to: &str) -> Result<Invitee, Failure> {
    let to = to.trim();
    let mut named = settings.contacts.values().filter(|contact| contact.name == to);
    let (first, second) = (named.next(), named.next());
    let by_id = settings.contacts.values().find(|contact| contact.id.as_str() == to);
    if let (None, Some(_)) = (by_id, second) {
        let ids: Vec<&str> =
            settings.contacts.values().filter(|it| it.name == to).take(10).map(|it| it.id.as_str()).collect();
        let why = format!("several contacts are called `{to}`: name one by id: {}", ids.join(", "));
        return Err(Failure::new("ambiguous", why));
    }
    if let Some(person) = by_id.or(first) {
        let phone = person.phones.first().cloned();
        let phone = phone.ok_or_else(|| Failure::new("bad_request", format!("`{to}` has no phone")))?;
        return Ok(Invitee { person: person.clone(), phone, stranger: false });
    }
    let home = to.starts_with(['0', '０', '(', '（', '+', '＋']);
    let phone = Phone::parse(to).ok().or_else(|| settings.dial.phone(to).filter(|_| home));
    let Some(phone) = phone else {
        let to: String = to.chars().take(64).collect();
        let why =
            format!("`to`: `{to}` is no contact's id or name, and no number (`+` and 3 to 15 digits, or a SIP URI)");
        return Err(Failure::new("not_found", why));
    };
    if let Some(person) = settings.contacts.values().find(|contact| contact.phones.contains(&phone)) {
        return Ok(Invitee { person: person.clone(), phone, stranger: false });
    }
    let letters: String = phone.as_str().chars().filter(char::is_ascii_alphanumeric).take(40).collect();
    let id = ContactId::parse(&format!("{STRANGER}{letters}"));
    let id = id.map_err(|error| Failure::new("bad_request", error.to_string()))?;
    let (name, language) = (phone.to_string(), settings.node.language);
    let person = Contact { id, name, phones: vec![phone.clone()], language, hours: Default::default() };
    Ok(Invitee { person, phone, stranger: true })
}

/// A person whom a door found.
pub(super) fn ring(room: String, Invitee { person, phone, .. }: Invitee) -> Request {
    Request::RoomRing(Box::new(Ring { room, person, phone }))
}

/// The rooms with somebody inside, as objects.
pub(super) fn rooms_json(core: &Core) -> Vec<Value> {
    core.switch.room_views().map(|room| room_json(&room)).collect()
}

fn room_json(room: &RoomView<'_>) -> Value {
    let people: Vec<&ContactId> = room.people.iter().map(|who| who.contact).collect();
    let members: Vec<Value> = room.people.iter().map(member_json).collect();
    json!({
        "room": room.name,
        "since": rfc3339(room.since),
        "locked": room.locked,
        "people": people,
        "members": members,
    })
}

fn member_json(who: &Attendee<'_>) -> Value {
    json!({
        "member": who.member,
        "contact": who.contact,
        "name": who.name,
        "since": rfc3339(who.since),
        "muted": who.muted,
        "talking": who.talking,
        "incident": who.attempt.map(|attempt| attempt.incident),
        "attempt": who.attempt.map(|attempt| attempt.number),
    })
}

/// The language that a text is to be said in, where one is named; or why it is not said.
fn sayable(text: &str, language: Option<&str>) -> Result<Option<Language>, Failure> {
    let found = text.chars().count();
    if text.trim().is_empty() {
        return Err(Failure::new("bad_request", "`text`: there is nothing to say"));
    }
    if found > TEXT_MAX {
        let why = format!("`text` has {found} characters; accepted: at most {TEXT_MAX}");
        return Err(Failure::new("too_much", why));
    }
    let language = language.map(|tag| Language::from_tag(tag).ok_or(tag)).transpose();
    language.map_err(|tag| {
        let tag: String = tag.chars().take(20).collect();
        Failure::new("bad_request", format!("`language`: found `{tag}`; accepted: \"en\" or \"ja\""))
    })
}

fn seconds(length: Duration) -> f64 {
    (length.as_secs_f64() * 10.0).round() / 10.0
}
