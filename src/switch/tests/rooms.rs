//! What operators do to rooms.

use super::calls_in::number;
use super::world::{Ringing, World, contact, plan, seconds, trigger};
use crate::base::{ContactId, LegId, Phone, RoomName};
use crate::incident::{Contact, Entry, HouseFact, RoomOrder};
use crate::media::{Event, Prompt};
use crate::switch::{Country, Input, NotDone, RoomSettings, What};
use crate::wire::sip::Name;

const WAR: &str = "war-room";

/// ann took an incident and is in the room; bob called in.
fn two_in_a_room() -> (World, Ringing, LegId) {
    let mut world = World::new();
    world.raise(trigger(None), plan(&["ann", "bob", "cleo"], Some(WAR)));
    let ann = world.rings("ann");
    world.answers(&ann);
    world.presses(&ann, '1');
    world.hears_everything(ann.leg);
    let call = world.call_comes_in(&number("bob"));
    let bob = world.acknowledges(&call);
    world.hears_everything(bob);
    assert_eq!(inside(&world), ["1 ann", "2 bob"]);
    (world, ann, bob)
}

fn with_room(mut world: World, language: Option<crate::base::Language>) -> World {
    let name = RoomName::parse(WAR).unwrap();
    world.switch.settings.rooms.push(RoomSettings { name, music: None, record: false, language, pin: None });
    world
}

fn inside(world: &World) -> Vec<String> {
    let rooms = world.switch.room_views();
    rooms.flat_map(|room| room.people.into_iter().map(|who| format!("{} {}", who.member, who.contact))).collect()
}

fn orders(world: &World) -> Vec<&RoomOrder> {
    let of_rooms = world.facts.iter().filter_map(|entry| match entry {
        Entry::House(_, HouseFact::RoomOrdered { order, by, .. }) => Some((order, by)),
        _ => None,
    });
    of_rooms.inspect(|(_, by)| assert_eq!(by.as_str(), "op")).map(|(order, _)| order).collect()
}

fn dial(world: &mut World, room: &str, name: &str) -> Result<Phone, NotDone> {
    let person = contact(name);
    world.ask(|switch, now| switch.room_dial(now, room, &person, &person.phones[0], "op")).map(|invited| invited.phone)
}

#[test]
fn who_is_in_a_room_is_listed_with_how_they_are() {
    let (mut world, ann, _) = two_in_a_room();
    world.wait(seconds(5));
    world.input(Input::Media(Event::Talking { leg: ann.leg, talking: true }));
    let room = world.switch.room_views().next().unwrap();
    assert_eq!((room.name.as_str(), room.locked, room.people.len()), (WAR, false, 2));
    assert!(room.people[0].talking && !room.people[1].talking);
    assert_eq!((room.people[0].name, room.people[0].attempt.map(|of| of.number)), (Some("ann"), Some(1)));
    assert!(room.since == room.people[0].since && room.since < world.calendar());
}

#[test]
fn whoever_is_taken_out_hears_so_and_the_bye_says_why() {
    let (mut world, ann, bob) = two_in_a_room();
    assert_eq!(world.ask(|switch, now| switch.room_kick(now, WAR, "1", "op")), Ok(contact("ann").id));
    assert_eq!((inside(&world), world.hears(&ann)), (vec!["2 bob".to_owned()], vec!["shown-out"]));
    world.presses(&ann, '1');
    assert_eq!(world.hears(&ann), ["shown-out"], "no key helps");
    world.hears_out(&ann);
    let bye = world.is_let_go(&ann);
    assert_eq!(bye.header(&Name::Reason), Some("SIP;cause=403;text=\"Taken out of the room\""));
    assert!(world.rooms.contains_key(&bob), "the others stay");
    assert_eq!(orders(&world), [&RoomOrder::Kick { contact: contact("ann").id }]);
    assert_eq!(world.told(|what| matches!(what, What::RoomKicked { .. })), 1);
}

#[test]
fn whoever_hears_no_last_words_out_is_not_waited_for() {
    let (mut world, ann, _) = two_in_a_room();
    world.ask(|switch, now| switch.room_kick(now, WAR, "ann", "op")).unwrap();
    world.wait(seconds(16));
    world.is_let_go(&ann);
}

#[test]
fn nobody_comes_into_a_locked_room_and_who_tries_hears_why() {
    let (mut world, ann, _) = two_in_a_room();
    for _ in 0..2 {
        assert_eq!(
            world.ask(|switch, now| switch.room_lock(now, WAR, true, "op")).map(|name| name.to_string()),
            Ok(WAR.into())
        );
    }
    assert_eq!(orders(&world), [&RoomOrder::Lock { locked: true }], "once is enough");
    assert_eq!(dial(&mut world, WAR, "cleo"), Err(NotDone::Locked(RoomName::parse(WAR).unwrap())));
    let call = world.call_comes_in(&number("cleo"));
    let cleo = world.acknowledges(&call);
    world.hears_everything(cleo);
    assert_eq!((inside(&world).len(), world.told(|what| matches!(what, What::RoomTurnedAway { .. }))), (2, 1));
    assert!(!world.rooms.contains_key(&cleo));
    let bye = world.asked(&crate::wire::sip::Method::Bye);
    assert_eq!(bye.header(&Name::Reason), Some("SIP;cause=403;text=\"The room is locked\""));
    world.respond(&bye, 200);
    world.ask(|switch, now| switch.room_lock(now, WAR, false, "op")).unwrap();
    assert!(dial(&mut world, WAR, "cleo").is_ok());
    assert!(world.rooms.contains_key(&ann.leg), "who was inside stayed");
}

#[test]
fn whoever_is_muted_hears_so_and_can_be_heard_again() {
    let (mut world, ann, _) = two_in_a_room();
    let muted = |world: &World| world.switch.room_views().next().unwrap().people[0].muted;
    assert!(world.ask(|switch, now| switch.room_mute(now, WAR, "ann", true, "op")).is_ok());
    assert_eq!((muted(&world), world.hears(&ann)), (true, vec!["muted"]));
    assert!(world.ask(|switch, now| switch.room_mute(now, WAR, "ann", true, "op")).is_ok());
    assert!(world.ask(|switch, now| switch.room_mute(now, WAR, "ann", false, "op")).is_ok());
    assert_eq!((muted(&world), world.hears(&ann)), (false, vec!["unmuted"]));
    assert_eq!(orders(&world).len(), 2, "what was so already is not written down");
}

#[test]
fn what_is_said_in_a_room_is_said_to_all_of_them_one_text_after_the_other() {
    let (mut world, ann, bob) = two_in_a_room();
    let room = RoomName::parse(WAR).unwrap();
    let second = Prompt::from(vec![-2; 8_000]);
    let say = |world: &mut World, prompt: &Prompt| {
        world.ask(|switch, now| switch.room_say(now, &room, "rollback", prompt, "op")).unwrap()
    };
    assert_eq!(say(&mut world, &Prompt::from(vec![-1; 16_000])), (2, seconds(2)));
    assert_eq!((world.plays(bob), world.hears(&ann)), (vec!["sound"], vec!["spoken"]));
    assert_eq!(say(&mut world, &second), (2, seconds(3)));
    world.hears_out(&ann);
    assert!(world.hears(&ann).is_empty(), "the second waits for the end of the first");
    world.wait(seconds(2));
    assert_eq!(world.hears(&ann), ["spoken"]);
    assert_eq!(orders(&world).len(), 2);
}

#[test]
fn nobody_can_fill_a_room_with_words_for_hours() {
    let (mut world, ..) = two_in_a_room();
    let room = RoomName::parse(WAR).unwrap();
    let minute = Prompt::from(vec![-1; 60 * 8_000]);
    let say = |world: &mut World| world.ask(|switch, now| switch.room_say(now, &room, "on and on", &minute, "op"));
    let said: Vec<bool> = (0..4).map(|_| say(&mut world).is_ok()).collect();
    assert_eq!((said, orders(&world).len()), (vec![true, true, true, false], 3));
    assert_eq!(say(&mut world).unwrap_err().code(), "busy");
    world.wait(seconds(60));
    assert!(say(&mut world).is_ok(), "when the first is through, there is room for another");
}

#[test]
fn a_text_is_said_in_the_language_of_the_room_where_none_is_named() {
    use crate::base::Language::{En, Ja};
    let (world, ..) = two_in_a_room();
    let world = with_room(world, Some(Ja));
    let text = |language| world.switch.room_text(WAR, "障害", language).map(|(_, language, _)| language);
    assert_eq!((text(None), text(Some(En))), (Ok(Ja), Ok(En)));
}

#[test]
fn who_is_dialled_into_a_room_comes_in_with_a_key_and_a_voicemail_does_not() {
    let mut world = with_room(World::new(), None);
    dial(&mut world, WAR, "ann").unwrap();
    dial(&mut world, WAR, "bob").unwrap();
    assert_eq!(dial(&mut world, WAR, "ann"), Err(NotDone::OnThePhone("ann".into())));
    let (ann, bob) = (world.rings("ann"), world.rings("bob"));
    world.answers(&ann);
    world.answers(&bob);
    assert_eq!(world.hears(&ann), ["invited", "press-1", "do-join"]);
    world.presses(&ann, '7');
    assert!(inside(&world).is_empty());
    world.presses(&ann, '1');
    assert_eq!(inside(&world), ["1 ann"]);
    world.wait(seconds(61));
    world.is_let_go(&bob);
    assert!(world.rooms.contains_key(&ann.leg), "who came in stays as long as they like");
    let missed: Vec<&What> =
        world.events.iter().map(|event| &event.what).filter(|what| matches!(what, What::RoomMissed { .. })).collect();
    assert!(
        matches!(missed[..], [What::RoomMissed { reason, .. }] if reason == "no key was pressed in time"),
        "{missed:?}"
    );
    world.hangs_up(&ann);
    world.nothing_is_left();
}

#[test]
fn whoever_is_busy_is_told_to_have_missed_it() {
    let mut world = with_room(World::new(), None);
    dial(&mut world, WAR, "ann").unwrap();
    let ann = world.rings("ann");
    world.respond(&ann.invite.clone(), 486);
    assert_eq!(world.told(|what| matches!(what, What::RoomMissed { code: Some(486), .. })), 1);
    world.nothing_is_left();
}

#[test]
fn a_number_that_the_guard_forbids_is_not_dialled_into_a_room() {
    let mut world = with_room(World::new(), None);
    let japan = Country { prefix: "+81".to_owned(), except: Vec::new(), digits: 11..=12, shape: None };
    world.switch.settings.dial.countries = vec![japan];
    let phone = Phone::parse("+18765550100").unwrap();
    let id = ContactId::parse("any.18765550100").unwrap();
    let person = Contact { id, phones: vec![phone.clone()], ..contact("ann") };
    let refused = world.ask(|switch, now| switch.room_dial(now, WAR, &person, &phone, "op")).unwrap_err();
    assert_eq!(refused.code(), "dial_refused");
    assert_eq!(world.told(|what| matches!(what, What::DialRefused { .. })), 1);
    world.nobody_rings();
    assert!(orders(&world).is_empty());
}

#[test]
fn a_room_or_a_member_that_is_not_there_is_named_with_what_is() {
    let (mut world, ..) = two_in_a_room();
    let nowhere = world.ask(|switch, now| switch.room_lock(now, "attic", true, "op")).unwrap_err();
    assert_eq!(nowhere.code(), "not_found");
    assert_eq!(nowhere.to_string(), "there is no room `attic`; rooms with somebody inside: war-room");
    let nobody = world.ask(|switch, now| switch.room_kick(now, WAR, "cleo", "op")).unwrap_err();
    assert_eq!(nobody.to_string(), "nobody in the room `war-room` is `cleo`; in it: 1 (ann, ann), 2 (bob, bob)");
    let world = with_room(World::new(), None);
    let empty = world.switch.room_text(WAR, "x", None).unwrap_err();
    assert_eq!(
        (empty.code(), empty.to_string().as_str()),
        ("not_open", "nobody is in the room `war-room`; nobody is in any room")
    );
}

#[test]
fn of_two_with_one_name_neither_is_guessed() {
    let (mut world, ..) = two_in_a_room();
    let ids: Vec<_> = world.switch.cases.keys().copied().collect();
    let case = world.switch.cases.get_mut(&ids[0]).unwrap();
    case.plan.contacts.iter_mut().for_each(|contact| contact.name = "Sato".to_owned());
    let several = world.ask(|switch, now| switch.room_kick(now, WAR, "Sato", "op")).unwrap_err();
    assert_eq!(several.code(), "ambiguous");
    assert!(world.ask(|switch, now| switch.room_kick(now, WAR, "2", "op")).is_ok());
}
