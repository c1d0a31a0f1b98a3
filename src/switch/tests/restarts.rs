//! hansho ends, and another hansho reads what it left.

use super::calls_in::number;
use super::world::{World, plan, seconds, trigger};
use crate::incident::{Fact, Incident, Outcome};
use crate::switch::Raised;
use crate::wire::sip::{Message, Method};

#[test]
fn a_phone_that_rang_is_let_go_and_rung_again() {
    let mut before = World::new();
    let id = before.raise(trigger(None), plan(&["ann", "bob"], None));
    before.rings("ann");
    let mut after = before.crash();
    assert!(after.on_the_wire().iter().all(|request| request.starts_with(Method::Cancel.as_str())));
    assert!(!after.on_the_wire().is_empty(), "the call of the former life is cancelled");
    after.nobody_rings();
    assert_eq!(after.texts.len(), 1, "the voice is asked again");
    after.wait(seconds(2));
    assert_eq!(after.ends(id), [(1, Outcome::Failed)]);
    let ann = after.rings("ann");
    after.answers(&ann);
    after.presses(&ann, '1');
    assert_eq!(after.switch.record(id).unwrap().taken_by.len(), 1);
}

#[test]
fn a_call_that_was_picked_up_too_late_is_ended_by_the_next_life_as_well() {
    let mut before = World::new();
    let id = before.raise(trigger(None), plan(&["ann"], None));
    let ann = before.rings("ann");
    assert!(before.cancel(id));
    before.answers(&ann);
    assert!(before.story(id).iter().any(|fact| matches!(fact, Fact::Answered { .. })), "the handle is on disk");
    let after = before.crash();
    assert!(after.on_the_wire().iter().any(|request| request.starts_with("BYE")), "{:?}", after.on_the_wire());
}

/// What ends these calls is on the wire, in this order of asking.
fn ends_of(world: &mut World, invites: &[&Message], with: &Method) -> Vec<bool> {
    let mut ended = Vec::new();
    while world.asked_for(with) > 0 {
        ended.push(world.asked(with).call_id().map(str::to_owned));
    }
    invites.iter().map(|invite| ended.contains(&invite.call_id().map(str::to_owned))).collect()
}

#[test]
fn an_invite_that_was_given_up_before_anything_answered_is_cancelled_by_the_next_life_as_well() {
    let mut before = World::new();
    let id = before.raise(trigger(None), plan(&["ann"], None));
    let invite = before.asked(&Method::Invite);
    assert!(before.cancel(id));
    before.wait(seconds(5));
    assert_eq!(before.ends(id), [(1, Outcome::Cancelled)]);
    assert!(before.switch.record(id).is_none(), "the incident is over");
    assert_eq!(before.asked_for(&Method::Cancel), 0, "none may be sent before anything came");
    let mut after = before.crash();
    assert_eq!(ends_of(&mut after, &[&invite], &Method::Cancel), [true]);
    after.respond(&invite, 200);
    assert_eq!(ends_of(&mut after, &[&invite], &Method::Ack), [true]);
    assert_eq!(ends_of(&mut after, &[&invite], &Method::Bye), [true]);
    after.nobody_rings();
    before.wait(seconds(65));
    assert_eq!(ends_of(&mut before.crash(), &[&invite], &Method::Cancel), [false], "nothing can come of it any more");
}

#[test]
fn a_call_whose_bye_nobody_answered_is_ended_by_the_next_life_as_well() {
    let mut before = World::new();
    let id = before.raise(trigger(None), plan(&["ann"], None));
    let ann = before.rings("ann");
    before.answers(&ann);
    before.presses(&ann, '1');
    before.hears_out(&ann);
    assert!(before.asked_for(&Method::Bye) > 0);
    before.wait(seconds(6));
    assert_eq!(before.ends(id), [(1, Outcome::Taken)]);
    assert_eq!(ends_of(&mut before.crash(), &[&ann.invite], &Method::Bye), [true]);
}

#[test]
fn a_person_whose_call_was_cut_is_rung_for_another_incident_only_when_that_call_has_its_end() {
    let mut before = World::new();
    let old = before.raise(trigger(None), plan(&["ann"], None));
    before.rings("ann");
    let mut after = before.crash();
    let new = after.raise(trigger(None), plan(&["ann"], None));
    after.nobody_rings();
    after.wait(seconds(2));
    assert_eq!(after.ends(old), [(1, Outcome::Failed)]);
    after.rings("ann");
    let rung: Vec<usize> = [old, new].iter().filter_map(|id| Some(after.switch.record(*id)?.attempts.len())).collect();
    assert_eq!(rung.iter().sum::<usize>(), 2, "one call was cut, one rings: {rung:?}");
}

#[test]
fn the_end_of_a_call_that_was_cut_is_told_with_its_call_id() {
    let mut before = World::new();
    before.raise(trigger(None), plan(&["ann"], None));
    let ann = before.rings("ann");
    let mut after = before.crash();
    after.wait(seconds(2));
    let cut = after.events.iter().find(|event| event.attempt == Some(1)).unwrap();
    assert_eq!(cut.call_id.as_deref(), ann.invite.call_id());
}

#[test]
fn an_acknowledged_incident_with_people_in_its_room_ends_with_them() {
    let mut before = World::new();
    let id = before.raise(trigger(None), plan(&["ann", "bob"], Some("war-room")));
    let ann = before.rings("ann");
    before.answers(&ann);
    before.presses(&ann, '1');
    before.hears_out(&ann);
    let mut after = before.crash();
    assert!(after.on_the_wire().iter().any(|request| request.starts_with("BYE")), "{:?}", after.on_the_wire());
    after.wait(seconds(60));
    assert_eq!(after.ends(id), [(1, Outcome::Taken)]);
    assert!(after.switch.record(id).is_none());
    after.nobody_rings();
}

#[test]
fn an_incident_that_is_cancelled_right_after_a_restart_has_an_end_for_every_call() {
    let mut before = World::new();
    let id = before.raise(trigger(None), plan(&["ann", "bob"], None));
    before.rings("ann");
    let mut after = before.crash();
    assert!(after.cancel(id));
    after.wait(seconds(60));
    after.nobody_rings();
    assert_eq!(after.ends(id).len(), 1);
    assert!(after.switch.record(id).is_none());
}

#[test]
fn who_calls_in_right_after_a_restart_does_not_spoil_the_journal() {
    let mut before = World::new();
    let id = before.raise(trigger(None), plan(&["ann", "bob"], None));
    before.rings("ann");
    let mut after = before.crash();
    let call = after.call_comes_in(&number("bob"));
    if after.answered(&call) == Some(200) {
        after.acknowledges(&call);
    }
    after.wait(seconds(10));
    if after.answered(&call) == Some(200) {
        after.caller_hangs_up(&call);
    }
    let facts: Vec<Fact> = after.story(id).into_iter().cloned().collect();
    assert!(Incident::replay(id, facts, 1).is_ok());
    let mut ended: Vec<u32> = after.ends(id).iter().map(|(attempt, _)| *attempt).collect();
    ended.dedup();
    assert_eq!(ended.len(), after.ends(id).len(), "nothing ends twice");
}

#[test]
fn what_cannot_be_replayed_is_left_alone() {
    let mut before = World::new();
    let id = before.raise(trigger(None), plan(&["ann"], None));
    before.facts.remove(0);
    let mut after = before.crash();
    assert!(after.switch.record(id).is_none());
    after.wait(seconds(60));
    after.nobody_rings();
}

#[test]
fn a_caller_whose_call_was_taken_and_not_acknowledged_yet_is_hung_up_on_by_the_next_life() {
    let mut before = World::new();
    let id = before.raise(trigger(None), plan(&["ann", "bob"], Some("war-room")));
    before.rings("ann");
    let call = before.call_comes_in(&number("bob"));
    assert_eq!(before.answered(&call), Some(200));
    let byes = |world: &World| world.on_the_wire().iter().filter(|request| request.starts_with("BYE")).count();
    let mut after = before.crash();
    assert_eq!(byes(&after), 1, "{:?}", after.on_the_wire());
    after.wait(seconds(3));
    assert_eq!(byes(&after.crash()), 0, "it was ended");
    before.acknowledges(&call);
    let after = before.crash();
    assert_eq!(byes(&after), 1, "it is the incident's now, and is ended once: {:?}", after.on_the_wire());
    assert!(after.story(id).iter().any(|fact| matches!(fact, Fact::CalledIn { .. })));
}

#[test]
fn what_was_taken_lately_is_known_after_a_restart_for_the_rest_of_its_time() {
    let mut before = World::new();
    let mut plan = plan(&["ann"], None);
    plan.call_flow.taken_for = seconds(3_600);
    let id = before.raise(trigger(Some("disk")), plan.clone());
    let ann = before.rings("ann");
    before.answers(&ann);
    before.presses(&ann, '1');
    before.hangs_up(&ann);
    assert!(before.switch.record(id).is_none(), "it is over");
    before.wait(seconds(1_800));
    let recalled = |before: &World| {
        let mut after = before.crash();
        let facts: Vec<_> = before.facts.iter().filter_map(|it| Some((it.at(), it.fact()?.clone()))).collect();
        after.ask(|switch, now| switch.recall_taken(now, id, &facts));
        after
    };
    let mut after = recalled(&before);
    assert_eq!(after.comes(trigger(Some("disk")), plan.clone()), Raised::Joined(id));
    after.nobody_rings();
    after.wait(seconds(1_801));
    assert!(matches!(after.comes(trigger(Some("disk")), plan.clone()), Raised::New(_)), "an hour is over");
    before.ask(|switch, now| switch.resolve(now, "disk", "test")).unwrap();
    assert!(matches!(recalled(&before).comes(trigger(Some("disk")), plan), Raised::New(_)), "it was resolved");
}
