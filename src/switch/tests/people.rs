use super::town::{contact, plan, trigger};
use super::world::{Ringing, World, seconds};
use crate::base::Language;
use crate::incident::{Behaviour, Plan, State, Strategy, Trigger};
use crate::switch::guard::Guard;

/// Everybody at once, and whoever takes it goes into the room, where there is one.
fn at_once(people: &[&str], room: Option<&str>) -> Plan {
    let mut plan = plan(people, room);
    plan.call_flow.strategy = Strategy::Simultaneous;
    plan
}

fn quiet_message() -> Trigger {
    Trigger { message: None, ..trigger(None) }
}

fn texts(world: &World) -> Vec<&str> {
    world.texts.iter().map(|(.., text)| text.as_str()).collect()
}

/// Takes it with a key that joins, and is in the room.
fn joins(world: &mut World, phone: &Ringing) {
    world.presses(phone, '3');
    assert_eq!(world.hears(phone), ["joining"]);
    world.hears_out(phone);
    assert!(world.rooms.contains_key(&phone.leg));
}

#[test]
fn whoever_is_late_hears_the_name_that_was_made_before() {
    let mut world = World::new();
    let mut plan = at_once(&["ann", "bob"], None);
    plan.guidance.keys.retain(|_, key| key.behaviour != Behaviour::Join);
    plan.contacts[1].language = Language::Ja;
    plan.contacts[0].name = "田中".to_owned();
    world.raise(quiet_message(), plan);
    let (ann, bob) = (world.rings("ann"), world.rings("bob"));
    world.answers(&ann);
    assert_eq!(texts(&world), [] as [&str; 0], "nobody is there to hear it");
    world.answers(&bob);
    // An English voice cannot say the other name.
    let made = ["bob has taken it. Thank you.", "田中さんが対応中です。ありがとうございました。"];
    assert_eq!(texts(&world)[..2], made);
    world.spoken(Ok(()));
    world.presses(&ann, '1');
    assert_eq!((world.hears(&ann), world.hears(&bob)), (vec!["taken"], vec!["spoken"]));
    assert!(world.texts.is_empty(), "it was ready");
    world.hears_out(&bob);
    world.is_let_go(&bob);
}

#[test]
fn whoever_is_late_hears_the_recorded_words_where_no_voice_made_the_name() {
    let mut world = World::new();
    world.raise(quiet_message(), at_once(&["ann", "bob"], None));
    let (ann, bob) = (world.rings("ann"), world.rings("bob"));
    world.answers(&ann);
    world.answers(&bob);
    world.spoken(Err("no voice"));
    world.presses(&ann, '1');
    assert_eq!(world.hears(&bob), ["taken-by-another"]);
}

#[test]
fn a_crowd_costs_a_few_sentences_and_not_one_a_person() {
    let names: Vec<String> = (0..60).map(|n| format!("p{}", "x".repeat(n))).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut world = World::new();
    let people: Vec<_> = names.iter().map(|name| contact(name)).collect();
    world.switch.guard = Guard::new(&people);
    world.raise(quiet_message(), at_once(&names, Some("war-room")));
    let phones: Vec<Ringing> = names.iter().map(|name| world.rings(name)).collect();
    phones.iter().for_each(|phone| world.answers(phone));
    phones.iter().for_each(|phone| joins(&mut world, phone));
    let mut made: Vec<&str> = texts(&world);
    assert!(made.contains(&"There are more than ten people in the room."), "{made:?}");
    made.sort_unstable();
    made.dedup();
    assert!(made.len() <= 31, "{}: {made:?}", made.len());
}

#[test]
fn the_room_hears_who_came_and_who_came_hears_how_many_there_are() {
    let mut world = World::new();
    world.raise(quiet_message(), at_once(&["ann", "bob"], Some("war-room")));
    let (ann, bob) = (world.rings("ann"), world.rings("bob"));
    world.answers(&ann);
    world.answers(&bob);
    assert!(texts(&world).contains(&"bob has joined."));
    world.spoken(Ok(()));
    joins(&mut world, &ann);
    assert_eq!(world.hears(&ann), [] as [&str; 0], "nobody came yet");
    joins(&mut world, &bob);
    assert_eq!(world.hears(&ann), ["spoken"]);
    assert_eq!(texts(&world), ["There are two people in the room, you among them."]);
    assert_eq!(world.hears(&bob), [] as [&str; 0], "it is not made yet");
    world.spoken(Ok(()));
    assert_eq!(world.hears(&bob), ["spoken"]);
}

#[test]
fn a_japanese_room_hears_who_came_and_how_many_there_are_in_its_own_words() {
    let mut world = World::new();
    let mut plan = at_once(&["ann", "bob"], Some("war-room"));
    for (contact, name) in plan.contacts.iter_mut().zip(["安藤", "馬場"]) {
        (contact.language, contact.name) = (Language::Ja, name.to_owned());
    }
    world.raise(quiet_message(), plan);
    let (ann, bob) = (world.rings("ann"), world.rings("bob"));
    world.answers(&ann);
    world.answers(&bob);
    assert!(texts(&world).contains(&"馬場さんが参加しました。"), "{:?}", texts(&world));
    world.spoken(Ok(()));
    for phone in [&ann, &bob] {
        world.presses(phone, '3');
        world.hears_out(phone);
    }
    assert_eq!(world.hears(&ann), ["spoken"]);
    assert_eq!(texts(&world), ["会議室には、あなたを含めて2人います。"]);
    world.spoken(Ok(()));
    assert_eq!(world.hears(&bob), ["spoken"]);
}

#[test]
fn the_room_hears_that_somebody_came_where_no_voice_made_the_name() {
    let mut world = World::new();
    world.raise(quiet_message(), at_once(&["ann", "bob"], Some("war-room")));
    let (ann, bob) = (world.rings("ann"), world.rings("bob"));
    world.answers(&ann);
    world.answers(&bob);
    world.spoken(Err("no voice"));
    joins(&mut world, &ann);
    joins(&mut world, &bob);
    assert_eq!(world.hears(&ann), ["somebody-joined"]);
    world.spoken(Err("no voice"));
    assert_eq!(world.hears(&bob), [] as [&str; 0]);
}

#[test]
fn whoever_listens_hears_that_it_is_resolved_and_of_a_cancelled_one_that_it_is_over() {
    let mut world = World::new();
    let id = world.raise(trigger(Some("db")), plan(&["ann"], None));
    let ann = world.rings("ann");
    world.answers(&ann);
    assert_eq!(world.ask(|switch, now| switch.resolve(now, "db", "tool")), Ok(vec![id]));
    assert_eq!((world.switch.record(id).unwrap().state, world.hears(&ann)), (State::Resolved, vec!["resolved"]));
    world.hears_out(&ann);
    world.is_let_go(&ann);
    world.wait(seconds(60));

    let id = world.raise(trigger(Some("web")), plan(&["ann"], None));
    let ann = world.rings("ann");
    world.answers(&ann);
    assert!(world.cancel(id));
    assert_eq!(world.hears(&ann), ["over"]);
}
