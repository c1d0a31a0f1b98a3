//! Promises to stay quiet, hours in which nobody is called, and taking it from outside.

use core::time::Duration;

use super::world::{World, plan, seconds, trigger};
use crate::base::{CallFlowId, Hours, Language, Stamp};
use crate::incident::{Entry, Fact, HouseFact, Outcome, Plan, Scope, State, Strategy, Trigger};
use crate::switch::{NotQuiet, Raised, What};
use crate::wire::sip::Name;

const HOUR: Duration = Duration::from_secs(3_600);

fn about(host: &str) -> Scope {
    Scope { host: Some(host.to_owned()), ..Scope::default() }
}

fn on(host: &str) -> Trigger {
    Trigger { host: Some(host.to_owned()), ..trigger(None) }
}

/// Everybody's telephone rings at once.
fn at_once(people: &[&str]) -> Plan {
    let mut plan = plan(people, None);
    plan.call_flow.strategy = Strategy::Simultaneous;
    plan
}

#[test]
fn what_is_quiet_is_on_record_and_calls_nobody_until_then() {
    let mut world = World::new();
    let until = world.calendar() + HOUR;
    let promise = world.ask(|switch, now| switch.suppress(now, about("db"), until, "control")).unwrap();
    assert!(matches!(world.facts[..], [Entry::House(_, HouseFact::Suppressed { .. })]));
    let Raised::Suppressed(id, 1) = world.comes(on("db"), plan(&["ann"], None)) else { panic!("it was called about") };
    world.nobody_rings();
    assert!(matches!(world.story(id)[..], [Fact::Accepted { .. }, Fact::Suppressed { suppression: 1 }]));
    assert_eq!(world.events_of(id), ["incident.accepted", "incident.suppressed"]);
    assert!(world.switch.record(id).is_none() && world.texts.is_empty());
    assert!(matches!(world.comes(on("web"), plan(&["bob"], None)), Raised::New(_)));
    world.wait(HOUR);
    assert!(matches!(world.comes(on("db"), plan(&["ann"], None)), Raised::New(_)));
    assert_eq!((promise.until, world.switch.suppressions(world.now).count()), (until, 0));
}

#[test]
fn what_is_lifted_is_called_about_again_and_its_number_is_gone_for_good() {
    let mut world = World::new();
    let until = world.calendar() + HOUR;
    world.ask(|switch, now| switch.suppress(now, about("db"), until, "control")).unwrap();
    world.ask(|switch, now| switch.lift(now, 1, "control")).unwrap();
    assert_eq!(world.ask(|switch, now| switch.lift(now, 1, "control")), Err(NotQuiet::NoSuch(1)));
    assert!(matches!(world.comes(on("db"), plan(&["ann"], None)), Raised::New(_)));
    let next = world.ask(|switch, now| switch.suppress(now, about("web"), until, "control")).unwrap();
    assert_eq!(next.id, 2);
}

#[test]
fn whoever_promises_the_same_again_has_promised_it_once_and_the_last_word_counts() {
    let mut world = World::new();
    let (sooner, soon) = (world.calendar() + seconds(60), world.calendar() + HOUR);
    let mut promise = |until, by: &str| world.ask(|switch, now| switch.suppress(now, about("db"), until, by)).unwrap();
    let first = promise(soon, "control");
    assert_eq!(promise(soon, "control"), first, "the very same");
    let (longer, other) = (promise(soon + HOUR, "control"), promise(soon, "tool"));
    let shorter = promise(sooner, "control");
    let hold: Vec<u32> = world.switch.suppressions(world.now).map(|it| it.id).collect();
    assert_eq!(hold, [other.id, shorter.id], "each has said it once");
    assert_eq!(world.told(|what| matches!(what, What::Lifted { suppression, .. } if *suppression == longer.id)), 1);
    let next = world.crash();
    assert_eq!(next.switch.suppressions(next.now).map(|it| it.id).collect::<Vec<_>>(), hold);
}

#[test]
fn nonsense_is_promised_by_nobody() {
    let mut world = World::new();
    let now = world.calendar();
    for (scope, until, why) in [
        (Scope::default(), now + HOUR, NotQuiet::AboutNothing),
        (about("db"), now, NotQuiet::Until),
        (about("db"), now + HOUR * 24 * 400, NotQuiet::Until),
    ] {
        assert_eq!(world.ask(|switch, now| switch.suppress(now, scope, until, "x")), Err(why));
    }
    assert!(world.facts.is_empty());
}

#[test]
fn a_promise_stops_what_is_being_called_about() {
    let mut world = World::new();
    let id = world.raise(on("db"), at_once(&["ann", "bob"]));
    let other = world.raise(on("web"), plan(&["cleo"], None));
    let (ann, bob) = (world.rings("ann"), world.rings("bob"));
    world.answers(&ann);
    let until = world.calendar() + HOUR;
    world.ask(|switch, now| switch.suppress(now, about("db"), until, "control")).unwrap();
    assert_eq!(world.hears(&ann), ["silenced"]);
    world.is_let_go(&bob);
    world.hears_out(&ann);
    world.is_let_go(&ann);
    assert_eq!(world.ends(id), [(2, Outcome::Cancelled), (1, Outcome::Cancelled)]);
    assert_eq!(world.switch.record(other).unwrap().state, State::Calling);
}

#[test]
fn a_key_and_a_number_promise_quiet_and_the_promise_survives_a_crash() {
    let mut world = World::new();
    let id = world.raise(trigger(Some("disk")), plan(&["ann", "bob"], None));
    let ann = world.rings("ann");
    world.answers(&ann);
    world.presses(&ann, '9');
    assert_eq!(world.hears(&ann), ["how-many-hours"]);
    for key in ['2', '4', '#'] {
        world.presses(&ann, key);
    }
    assert_eq!(world.hears(&ann), ["tens-2", "hours-4", "quieted"]);
    world.hears_out(&ann);
    world.is_let_go(&ann);
    assert_eq!(world.ends(id), [(1, Outcome::Quieted)]);
    let told = world.events_of(id);
    for event in ["attempt.quieted", "incident.suppressed"] {
        assert!(told.iter().any(|it| it == event), "{told:?}");
    }
    let at = world.calendar();
    let mut next = world.crash();
    let promise = next.switch.suppressions(next.now).next().unwrap().clone();
    assert_eq!((promise.by.as_str(), promise.scope.dedup.as_deref()), ("ann", Some("disk")));
    assert!(promise.until <= at + HOUR * 24 && promise.until > at + HOUR * 23);
    let again = next.comes(trigger(Some("disk")), plan(&["ann"], None));
    assert!(matches!(again, Raised::Suppressed(_, 1)), "{again:?}");
    next.nobody_rings();
}

#[test]
fn who_accepts_no_calls_now_is_passed_over_and_told_so() {
    let mut world = World::new();
    // The world's clock on the wall shows UTC, and it is Wednesday there.
    let mut calls = plan(&["ann", "bob"], None);
    calls.contacts[0].hours = Hours { spans: vec!["thu 09:00-18:00".parse().unwrap()], ..Hours::default() };
    let id = world.raise(trigger(None), calls.clone());
    world.rings("bob");
    let skipped = world.events.iter().find(|event| matches!(event.what, What::Skipped { .. })).unwrap();
    assert_eq!(skipped.contact.as_ref().map(|id| id.as_str()), Some("ann"));
    assert!(world.events_of(id).contains(&"attempt.skipped".to_owned()));
    world.wait(HOUR * 24);
    world.raise(trigger(None), calls);
    world.rings("ann");
}

#[test]
fn a_roster_that_sleeps_as_a_whole_comes_to_its_end_without_a_call() {
    let mut world = World::new();
    let mut calls = plan(&["ann", "bob"], None);
    for contact in &mut calls.contacts {
        contact.hours = Hours { spans: vec!["sun".parse().unwrap()], ..Hours::default() };
    }
    calls.call_flow.rounds = 100;
    calls.call_flow.between_rounds = Duration::ZERO;
    let id = world.raise(trigger(None), calls);
    assert_eq!(world.story(id).len(), 4);
    world.wait(seconds(1_000));
    assert_eq!(world.story(id).last(), Some(&&Fact::Exhausted));
    world.nothing_is_left();
}

#[test]
fn taken_from_outside_who_listens_hears_the_name_and_the_others_stop_ringing() {
    let mut world = World::new();
    let id = world.raise(trigger(None), at_once(&["ann", "bob"]));
    let (ann, bob) = (world.rings("ann"), world.rings("bob"));
    world.answers(&ann);
    world.spoken(Ok(()));
    world.ask(|switch, now| switch.acknowledge(now, id, "Mori")).unwrap();
    let reason = world.is_let_go(&bob).header(&Name::Reason).map(str::to_owned);
    assert_eq!(reason.as_deref(), Some("SIP;cause=200;text=\"Call completed elsewhere\""));
    assert_eq!(world.hears(&ann), ["taken-by-another"]);
    assert_eq!(world.texts.last().map(|(.., text)| text.as_str()), Some("It was taken without a call, by Mori."));
    world.spoken(Ok(()));
    world.hears_out(&ann);
    assert_eq!(world.hears(&ann), ["spoken"]);
    world.hears_out(&ann);
    assert_eq!(world.is_let_go(&ann).header(&Name::Reason), None, "who was on the line was told by voice");
    assert_eq!(world.ask(|switch, now| switch.acknowledge(now, id, "Mori")).map_err(|it| it.0), Err(id.to_string()));
    world.nothing_is_left();
}

#[test]
fn who_is_late_is_let_go_also_when_the_name_cannot_be_spoken() {
    let mut world = World::new();
    world.raise(trigger(None), at_once(&["ann", "bob"]));
    let (ann, bob) = (world.rings("ann"), world.rings("bob"));
    world.answers(&ann);
    world.answers(&bob);
    world.presses(&ann, '1');
    world.spoken(Err("no voice"));
    assert_eq!((world.hears(&ann), world.hears(&bob)), (vec!["taken"], vec!["taken-by-another"]));
    world.hears_out(&bob);
    world.is_let_go(&bob);
}

#[test]
fn a_call_flow_goes_on_where_another_gave_up_with_words_of_its_own() {
    let mut world = World::new();
    let mut calls = plan(&["ann"], None);
    let mut then = plan(&["bob"], None);
    then.call_flow.id = CallFlowId::parse("managers").unwrap();
    then.guidance.keys.retain(|digit, _| digit.as_char() != '8');
    then.guidance.message.insert(Language::En, "Nobody took it yet.".to_owned());
    calls.then = Some(Box::new(then));
    let id = world.raise(Trigger { message: None, ..trigger(None) }, calls);
    let ann = world.rings("ann");
    assert!(world.texts.is_empty());
    world.respond(&ann.invite.clone(), 486);
    let bob = world.rings("bob");
    assert_eq!(world.texts.last().map(|(.., text)| text.as_str()), Some("Nobody took it yet."));
    world.spoken(Ok(()));
    world.answers(&bob);
    let heard = world.hears(&bob);
    assert!(heard.contains(&"do-quiet") && !heard.contains(&"do-leave"), "{heard:?}");
    world.presses(&bob, '1');
    assert_eq!(world.switch.record(id).unwrap().state, State::Acknowledged);
    assert!(world.events_of(id).contains(&"incident.escalated".to_owned()));
}

#[test]
fn a_clock_that_was_set_back_brings_no_promise_back_too_early() {
    let mut world = World::new();
    let (now, until) = (world.calendar(), world.calendar() + HOUR);
    world.ask(|switch, now| switch.suppress(now, about("db"), until, "control")).unwrap();
    world.switch.set_calendar(now + HOUR * 2);
    assert!(matches!(world.comes(on("db"), plan(&["ann"], None)), Raised::New(_)));
    world.switch.set_calendar(Stamp::from_unix_micros(now.as_unix_micros() - 3_600_000_000));
    assert!(matches!(world.comes(on("db"), plan(&["bob"], None)), Raised::Suppressed(_, 1)));
}
