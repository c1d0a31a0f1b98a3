//! System E: `/alert?tels=…&message=…` calls all of them at once, and who presses the key goes into the room.
//!
//! Numbers of rosters are called as their people. Any other number needs a token with `dial:any` and a country that
//! `[dial]` allows, or this would be a machine for toll fraud. A key joins: a voicemail must not enter the room.
//! A `[[guidance]]` or `[[call_flow]]` with the id `alert` takes the place of what is built in.

use core::time::Duration;
use std::collections::BTreeMap;

use super::reply::Refused;
use crate::base::{CallFlowId, ContactId, Digit, GuidanceId, Language, Phone, RoomName, Trigger};
use crate::config::Settings;
use crate::incident::{Answer, Behaviour, CallFlow, Contact, Guidance, Key, Plan, Strategy, Token};
use crate::intake::Draft;
use crate::shell::ask::Raise;
use crate::shell::control::Failure;

/// The id of what is built in.
const ALERT: &str = "alert";
/// Where those who answer meet.
const ROOM: &str = "AlertRoom";

/// The incident that calls these numbers at once.
pub(super) fn raise(settings: &Settings, token: &Token, draft: Draft) -> Result<Raise, Refused> {
    let contacts = draft.to.iter().map(|phone| contact(settings, token, phone, None)).collect::<Result<Vec<_>, _>>()?;
    let contacts = merged(contacts);
    let (call_flow, guidance) = (built_in_flow(settings)?, guidance(settings, &draft)?);
    let plan = Plan { call_flow, contacts, guidance, then: None };
    let message = draft.message.as_deref().map(|text| spoken(settings, text));
    let call_flow = plan.call_flow.id.clone();
    let draft = Draft { message, ..draft };
    let trigger = draft.trigger(Some(&call_flow), Some(token.name.clone()));
    let mut trigger: Trigger = trigger.ok_or_else(|| Refused::bad("`call_flow`: which?"))?;
    trigger.guidance = Some(plan.guidance.id.clone());
    Ok(Raise { trigger, plan })
}

/// Numbers in a query as E.164, where they are written as people of the country in `[dial]` write them. What begins
/// with a plus, or with the space that it became, is left as it is.
pub(super) fn whole_numbers(settings: &Settings, (name, value): (String, String)) -> (String, String) {
    if !matches!(name.as_str(), "tels" | "tel" | "to") {
        return (name, value);
    }
    let whole = |text: &str| {
        let national = text.starts_with(['0', '０']);
        let phone = if national { settings.dial.phone(text) } else { None };
        phone.map_or_else(|| text.to_owned(), |phone| phone.to_string())
    };
    let numbers: Vec<String> = value.split(',').map(whole).collect();
    (name, numbers.join(","))
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
        let name = name.unwrap_or(&known.name).to_owned();
        return Ok(Contact { name, phones: vec![phone.clone()], ..known.clone() });
    }
    if !token.scopes.contains("dial:any") {
        let why = format!("{phone} is not a roster number: the token `{}` would need the scope `dial:any`", token.name);
        return Err(Refused::from(Failure::new("not_a_roster_number", why)));
    }
    settings.dial.allows(phone).map_err(|why| Refused::from(Failure::new("dial_refused", why)))?;
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

fn guidance(settings: &Settings, draft: &Draft) -> Result<Guidance, Refused> {
    let id: GuidanceId = own(ALERT)?;
    let id = draft.guidance.clone().unwrap_or(id);
    let room: RoomName = own(ROOM)?;
    let mut guidance = match settings.guidances.get(&id) {
        Some(configured) => configured.clone(),
        None if draft.guidance.is_some() => {
            let why = format!("there is no guidance `{id}`");
            return Err(Refused::from(Failure::new("unknown_guidance", why)));
        }
        None => Guidance {
            id,
            message: BTreeMap::new(),
            keys: keys(&[('1', Behaviour::Join), ('2', Behaviour::Next), ('3', Behaviour::Repeat)]),
            first_key_timeout: Duration::from_secs(10),
            inter_key_timeout: Duration::from_secs(15),
            challenge: false,
            repeats: 3,
            room: None,
        },
    };
    guidance.room = draft.room.clone().or(guidance.room).or(Some(room));
    Ok(guidance)
}

/// A key menu without words of its own.
pub(super) fn keys(menu: &[(char, Behaviour)]) -> BTreeMap<Digit, Key> {
    let key = |(key, behaviour): &(char, Behaviour)| {
        Some((Digit::from_char(*key)?, Key { behaviour: *behaviour, say: None }))
    };
    menu.iter().filter_map(key).collect()
}

/// What is said: in Japanese, unless hansho speaks English and the message is written so too.
fn spoken(settings: &Settings, message: &str) -> String {
    if settings.node.language == Language::En && message.is_ascii() {
        format!("Emergency, emergency, {message}")
    } else {
        format!("エマージェンシー、エマージェンシー、{message}")
    }
}

/// A name that is built in.
fn own<T: core::str::FromStr<Err: core::fmt::Display>>(name: &str) -> Result<T, Refused> {
    name.parse().map_err(|error: T::Err| Refused::from(Failure::new("internal", error.to_string())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Origin;

    fn settings(more: &str) -> Settings {
        let text = format!(
            "[[trunk]]\nid = \"main\"\nproxy = \"192.0.2.1\"\n[[contact]]\nid = \"yamada\"\nname = \"山田\"\n\
             phones = [\"+818012345678\"]\n[[roster]]\nid = \"r\"\ncontacts = [\"yamada\"]\n\
             [[call_flow]]\nid = \"oncall\"\nroster = \"r\"\n[dial]\ncountry = \"JP\"\ncountries = [\"JP\"]\n{more}"
        );
        let read = |_: &std::path::Path| Err(String::new());
        let origin = Origin { folder: std::path::Path::new("/etc"), read: &read, opens: &|_| Ok(()) };
        Settings::read(&text, &origin).unwrap()
    }

    fn token(scopes: &[&str]) -> Token {
        Token {
            id: 1,
            name: "tool".to_owned(),
            prefix: String::new(),
            digest: String::new(),
            scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
            expires: None,
            call_flow: None,
        }
    }

    fn raised(settings: &Settings, scopes: &[&str], tels: &str) -> Result<Raise, Refused> {
        let to = tels.split(',').map(|text| Phone::parse(text).unwrap()).collect();
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
    fn numbers_of_the_country_are_made_whole_and_a_lost_plus_is_left_to_the_reader() {
        let settings = settings("");
        let whole = |value: &str| whole_numbers(&settings, ("tels".to_owned(), value.to_owned())).1;
        assert_eq!(whole("080-1234-5678,+819000000001"), "+818012345678,+819000000001");
        assert_eq!(whole(" 818012345678"), " 818012345678");
        let other = whole_numbers(&settings, ("message".to_owned(), "080-1234-5678".to_owned()));
        assert_eq!(other.1, "080-1234-5678");
    }
}
