//! System E: `/alert?tels=…&message=…` calls all of them at once, and who presses the key goes into the room.
//!
//! Numbers of rosters are called as their people. Any other number needs a token with `dial:any` and a country that
//! `[dial]` allows, or this would be a machine for toll fraud. A key joins: a voicemail must not enter the room.
//! A `[[guidance]]` or `[[call_flow]]` with the id `alert` takes the place of what is built in.

pub(super) mod azure;

use core::time::Duration;

use super::reply::Refused;
use crate::base::{CallFlowId, ContactId, GuidanceId, Language, Phone, RoomName, Trigger};
use crate::config::{ALERT, ALERT_ROOM, Refusal, Settings, emergency};
use crate::incident::{Answer, CallFlow, Contact, Guidance, Plan, Strategy, Token};
use crate::intake::{Callee, Draft, UNKNOWN};
use crate::shell::ask::Raise;
use crate::shell::control::Failure;

/// The incident that calls these numbers at once.
pub(super) fn raise(settings: &Settings, token: &Token, draft: Draft) -> Result<Raise, Refused> {
    let people = phones(settings, &draft)?;
    let contacts = contacts(settings, token, &people)?;
    let (call_flow, guidance) = (built_in_flow(settings)?, guidance(settings, token, &draft)?);
    let plan = Plan { call_flow, contacts, guidance, then: None };
    let message = draft.message.as_deref().map(|text| spoken(settings, text));
    let call_flow = plan.call_flow.id.clone();
    let draft = Draft { message, ..draft };
    let to = people.into_iter().map(|(phone, _)| phone).collect();
    let trigger = draft.trigger(Some(&call_flow), to, Some(token.name.clone()));
    let mut trigger: Trigger = trigger.ok_or_else(|| Refused::bad("`call_flow`: which?"))?;
    trigger.guidance = Some(plan.guidance.id.clone());
    Ok(Raise { trigger, plan })
}

/// The plan of a trigger. Its numbers stand in the roster of its call flow, or its token may dial others.
pub(super) fn plan(
    settings: &Settings,
    token: &Token,
    trigger: &Trigger,
    people: &[(Phone, Option<String>)],
) -> Result<Plan, Refused> {
    let refused = |refusal: Refusal| {
        let failure = Refused::from(Failure::new(refusal.code(), refusal.to_string()));
        match &refusal {
            Refusal::NotARosterNumber { phone, .. } => failure.about(phone),
            _ => failure,
        }
    };
    match settings.plan(trigger) {
        Err(Refusal::NotARosterNumber { .. }) if token.scopes.contains("dial:any") => {
            let whole = Trigger { to: Vec::new(), ..trigger.clone() };
            let plan = settings.plan(&whole).map_err(refused)?;
            Ok(Plan { contacts: contacts(settings, token, people)?, then: None, ..plan })
        }
        plan => plan.map_err(refused),
    }
}

/// Whom a draft wants rung.
pub(super) fn phones(settings: &Settings, draft: &Draft) -> Result<Vec<(Phone, Option<String>)>, Refused> {
    let read = |callee: &Callee| {
        let phone = number(settings, &callee.number).ok_or_else(|| not_a_number(&callee.number))?;
        Ok((phone, callee.name.clone()))
    };
    draft.to.iter().map(read).collect()
}

/// A number as people of the country in `[dial]` write it. Without a plus it must be written as at home, from its zero
/// on (or its bracket): 81… without its plus would become another number.
pub(super) fn number(settings: &Settings, text: &str) -> Option<Phone> {
    let text = text.trim();
    let home = text.starts_with(['0', '０', '(', '（', '+', '＋']);
    Phone::parse(text).ok().or_else(|| settings.dial.phone(text).filter(|_| home))
}

/// The error for a text that is no number here.
pub(super) fn not_a_number(text: &str) -> Refused {
    let text: String = text.chars().take(40).collect();
    Refused::bad(format!(
        "`to`: found `{text}`; accepted: `+` and 3 to 15 digits, a SIP URI, or a number of the country that `country` in \
         [dial] names"
    ))
}

/// The room that a request names. A room with a PIN is not for everybody: the token needs `manage`.
pub(super) fn room_of(settings: &Settings, token: &Token, draft: &Draft) -> Result<Option<RoomName>, Refused> {
    let closed = |name: &&RoomName| settings.rooms.get(*name).is_some_and(|room| room.pin.is_some());
    if let Some(room) = draft.room.as_ref().filter(closed)
        && !token.scopes.contains("manage")
    {
        let why = format!("`room`: `{room}` has a PIN, so the token `{}` would need the scope `manage`", token.name);
        return Err(Refused::from(Failure::new("forbidden", why)));
    }
    Ok(draft.room.clone())
}

/// The people behind these numbers.
fn contacts(settings: &Settings, token: &Token, people: &[(Phone, Option<String>)]) -> Result<Vec<Contact>, Refused> {
    let one = |(phone, name): &(Phone, Option<String>)| contact(settings, token, phone, name.as_deref());
    Ok(merged(people.iter().map(one).collect::<Result<_, _>>()?))
}

/// The person behind a number: the one of the rosters, or a stranger whom this token may call.
pub(super) fn contact(
    settings: &Settings,
    token: &Token,
    phone: &Phone,
    name: Option<&str>,
) -> Result<Contact, Refused> {
    let of = |contact: &&Contact| contact.phones.contains(phone) && is_on_a_roster(settings, &contact.id);
    if let Some(known) = settings.contacts.values().find(of) {
        let name = name.filter(|name| *name != UNKNOWN);
        let name = name.unwrap_or(&known.name).to_owned();
        return Ok(Contact { name, phones: vec![phone.clone()], ..known.clone() });
    }
    if !token.scopes.contains("dial:any") {
        let why = format!("{phone} is not a roster number: the token `{}` would need the scope `dial:any`", token.name);
        return Err(Refused::from(Failure::new("not_a_roster_number", why)).about(phone));
    }
    settings.dial.allows(phone).map_err(|why| Refused::from(Failure::new("dial_refused", why)).about(phone))?;
    let digits: String = phone.as_str().chars().filter(char::is_ascii_digit).collect();
    let id = ContactId::parse(&format!("{}{digits}", crate::switch::STRANGER))
        .map_err(|error| Refused::bad(error.to_string()))?;
    let name = name.unwrap_or(phone.as_str()).to_owned();
    Ok(Contact { id, name, phones: vec![phone.clone()], language: settings.node.language, hours: Default::default() })
}

/// Each person once, with all the phones that were named for them.
pub(super) fn merged(contacts: Vec<Contact>) -> Vec<Contact> {
    let mut merged: Vec<Contact> = Vec::with_capacity(contacts.len());
    for contact in contacts {
        match merged.iter_mut().find(|known| known.id == contact.id) {
            Some(known) => {
                let new = contact.phones.into_iter().filter(|phone| !known.phones.contains(phone));
                let new: Vec<Phone> = new.collect();
                known.phones.extend(new);
            }
            None => merged.push(contact),
        }
    }
    merged
}

fn is_on_a_roster(settings: &Settings, id: &ContactId) -> bool {
    settings.rosters.values().any(|roster| roster.contains(id))
}

fn built_in_flow(settings: &Settings) -> Result<CallFlow, Refused> {
    let id: CallFlowId = own(ALERT)?;
    let configured = settings.call_flows.get(&id).map(|flow| flow.flow.clone());
    // Everybody is wanted in the room, so nobody's key stops the ringing of the others.
    Ok(CallFlow {
        strategy: Strategy::Simultaneous,
        answer: Answer::All,
        ..configured.unwrap_or(CallFlow {
            id,
            strategy: Strategy::Simultaneous,
            answer: Answer::All,
            rounds: 1,
            ring_timeout: Duration::from_secs(30),
            between_rounds: Duration::ZERO,
            bundle: Duration::ZERO,
            taken_for: Duration::ZERO,
        })
    })
}

fn guidance(settings: &Settings, token: &Token, draft: &Draft) -> Result<Guidance, Refused> {
    let id: GuidanceId = own(ALERT)?;
    let id = draft.guidance.clone().unwrap_or(id);
    let room: RoomName = own(ALERT_ROOM)?;
    let mut guidance = match settings.guidances.get(&id) {
        Some(configured) => configured.clone(),
        None => {
            let why = format!("there is no guidance `{id}`");
            return Err(Refused::from(Failure::new("unknown_guidance", why)));
        }
    };
    guidance.room = room_of(settings, token, draft)?.or(guidance.room).or(Some(room));
    Ok(guidance)
}

/// What is said: in Japanese, unless hansho speaks English and the message is written so too.
fn spoken(settings: &Settings, message: &str) -> String {
    let english = settings.node.language == Language::En && message.is_ascii();
    emergency(if english { Language::En } else { Language::Ja }, message)
}

/// A name that is built in.
fn own<T: core::str::FromStr<Err: core::fmt::Display>>(name: &str) -> Result<T, Refused> {
    name.parse().map_err(|error: T::Err| Refused::from(Failure::new("internal", error.to_string())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::Behaviour;
    use crate::shell::http::bench::{self, ONE_PERSON, token};

    fn settings(more: &str) -> Settings {
        let flow = "[[call_flow]]\nid = \"oncall\"\nroster = \"r\"\n[dial]\ncountry = \"JP\"\ncountries = [\"JP\"]\n";
        bench::settings(&[ONE_PERSON, flow, more].concat())
    }

    fn raised(settings: &Settings, scopes: &[&str], tels: &str) -> Result<Raise, Refused> {
        let to = tels.split(',').map(|text| Callee { number: text.to_owned(), name: None }).collect();
        let draft = Draft { to, message: Some("火事です".to_owned()), ..Draft::default() };
        raise(settings, &token(scopes), draft)
    }

    #[test]
    fn everybody_is_called_at_once_hears_the_emergency_and_joins_one_room_by_a_key() {
        let raise = raised(&settings(""), &["dial:any"], "+818012345678,+819000000001").unwrap();
        let people: Vec<_> = raise.plan.contacts.iter().map(|it| (it.id.as_str(), it.name.as_str())).collect();
        assert_eq!(people, [("yamada", "山田"), ("any.819000000001", "+819000000001")]);
        assert_eq!(raise.trigger.message.as_deref(), Some("エマージェンシー、エマージェンシー、火事です"));
        assert_eq!((raise.plan.call_flow.strategy, raise.plan.call_flow.answer), (Strategy::Simultaneous, Answer::All));
        assert_eq!(raise.plan.guidance.room.as_ref().map(RoomName::as_str), Some("AlertRoom"));
        let joins = raise.plan.guidance.keys.values().filter(|key| key.behaviour == Behaviour::Join).count();
        assert_eq!(joins, 1, "a voicemail presses no key");
    }

    #[test]
    fn a_stranger_needs_the_scope_and_a_country_that_is_allowed() {
        let settings = settings("");
        let code = |scopes: &[&str], tels: &str| raised(&settings, scopes, tels).unwrap_err().failure.code;
        assert_eq!(code(&["trigger"], "+819000000001"), "not_a_roster_number");
        assert_eq!(code(&["dial:any"], "+18765550100"), "dial_refused");
        assert_eq!(code(&["dial:any"], "sip:anybody@192.0.2.9"), "dial_refused");
        assert!(raised(&settings, &["trigger"], "+818012345678").is_ok());
    }

    #[test]
    fn a_guidance_and_a_call_flow_of_the_same_name_take_the_place_of_what_is_built_in() {
        let own = "[[guidance]]\nid = \"alert\"\nkeys.5 = { do = \"join\" }\nroom = \"war\"\n[[room]]\nid = \"war\"\n\
                   [[call_flow]]\nid = \"alert\"\nroster = \"r\"\nring_timeout = \"77s\"\n";
        let raise = raised(&settings(own), &[], "+818012345678").unwrap();
        assert_eq!(raise.plan.call_flow.ring_timeout, Duration::from_secs(77));
        assert_eq!(raise.plan.call_flow.strategy, Strategy::Simultaneous);
        assert_eq!(raise.plan.guidance.room.as_ref().map(RoomName::as_str), Some("war"));
    }

    #[test]
    fn numbers_are_read_as_the_country_writes_them_and_what_only_lost_its_plus_is_not_guessed() {
        let settings = settings("");
        let read = |text: &str| number(&settings, text).map(|phone| phone.to_string());
        for text in ["090-1111-2222", "０９０－１１１１－２２２２", "090 1111 2222", "+81 90 1111 2222"] {
            assert_eq!(read(text).as_deref(), Some("+819011112222"), "{text}");
        }
        assert_eq!((read("819011112222"), read("soon")), (None, None));
        let raise = raised(&settings, &["dial:any"], "090-1111-2222").unwrap();
        assert_eq!(raise.trigger.to[0].as_str(), "+819011112222");
        let refused = raised(&settings, &["dial:any"], "110x").unwrap_err();
        assert!(refused.failure.message.contains("`110x`"), "{refused:?}");
    }

    #[test]
    fn a_listed_contact_is_called_by_the_name_that_came_or_by_the_one_that_is_known() {
        let settings = settings("");
        let one = |number: &str, name: &str| Callee { number: number.to_owned(), name: Some(name.to_owned()) };
        let to = vec![one("+818012345678", UNKNOWN), one("090-1111-2222", UNKNOWN), one("090-1111-3333", "佐藤")];
        let raise = raise(&settings, &token(&["dial:any"]), Draft { to, ..Draft::default() }).unwrap();
        let names: Vec<_> = raise.plan.contacts.iter().map(|contact| contact.name.as_str()).collect();
        assert_eq!(names, ["山田", "不明", "佐藤"]);
    }

    #[test]
    fn a_call_flow_rings_numbers_of_no_roster_for_a_token_that_may() {
        let settings = settings("");
        let stranger = Phone::parse("+819000000001").unwrap();
        let flow = "oncall".parse().unwrap();
        let trigger = Draft::default().trigger(Some(&flow), vec![stranger.clone()], None).unwrap();
        let people = [(stranger, None)];
        let called = plan(&settings, &token(&["dial:any"]), &trigger, &people).unwrap();
        assert_eq!(called.contacts[0].id.as_str(), "any.819000000001");
        let refused = plan(&settings, &token(&["trigger"]), &trigger, &people).unwrap_err();
        assert_eq!(
            (refused.failure.code.as_str(), refused.number.as_deref()),
            ("not_a_roster_number", Some("+819000000001"))
        );
    }

    #[test]
    fn a_room_with_a_pin_is_named_by_a_token_that_manages() {
        let settings = settings("[[room]]\nid = \"closed\"\npin = \"4711\"\n[[room]]\nid = \"open\"\n");
        let named = |room: &str, scopes: &[&str]| {
            let draft = Draft { room: Some(room.parse().unwrap()), ..Draft::default() };
            room_of(&settings, &token(scopes), &draft).map_err(|refused| refused.failure.code)
        };
        assert_eq!(named("closed", &["trigger"]), Err("forbidden".to_owned()));
        assert!(named("closed", &["trigger", "manage"]).is_ok() && named("open", &["trigger"]).is_ok());
    }
}
