//! The table at the head of the dialogue, and what stands in no table.

use super::*;
use crate::incident::EndedBy;
use crate::incident::tests::{any_plan, table::table};

const NOW: Time = Time::from_micros(1_000_000_000);

fn phase(name: &str) -> Phase {
    let asked = Asked { times: 1, cap: NOW + CALL_MAX };
    let outcome = Outcome::Cancelled;
    match name {
        "waiting" => Phase::Waiting { until: NOW },
        "ringing" => Phase::Ringing { until: NOW, heard: false },
        "speaking" => Phase::Speaking(asked),
        "listening" => Phase::Listening { asked, until: NOW },
        "asked" => Phase::Hours { asked, key: quiet(), typed: None, until: NOW },
        "typed" => Phase::Hours { asked, key: quiet(), typed: Some(12), until: NOW },
        "leaving" => Phase::Leaving { outcome, late: None, until: NOW },
        "late" => Phase::Leaving { outcome, late: Some(other()), until: NOW },
        "joining" => Phase::Joining { room: RoomName::parse("room").unwrap(), until: NOW },
        "in room" => Phase::InRoom,
        "hanging up" => Phase::HangingUp { outcome, until: NOW },
        _ => panic!("no phase is called {name}"),
    }
}

fn name(phase: &Phase) -> &'static str {
    match phase {
        Phase::Waiting { .. } => "waiting",
        Phase::Ringing { .. } => "ringing",
        Phase::Speaking(_) => "speaking",
        Phase::Listening { .. } => "listening",
        Phase::Hours { typed: None, .. } => "asked",
        Phase::Hours { typed: Some(_), .. } => "typed",
        Phase::Leaving { late: None, .. } => "leaving",
        Phase::Leaving { late: Some(_), .. } => "late",
        Phase::Joining { .. } => "joining",
        Phase::InRoom => "in room",
        Phase::HangingUp { .. } => "hanging up",
        Phase::Gone => "gone",
    }
}

fn event(name: &str) -> Event {
    let handle = CallHandle("call".to_owned());
    let key = |key| Event::Key(Digit::from_char(key).unwrap());
    match name {
        "dialled" => Event::Dialled(handle),
        "ringing" => Event::Ringing(180),
        "answered" => Event::Answered(handle),
        "unwanted" => Event::Unwanted(handle),
        "said" => Event::Said,
        "take" => key('1'),
        "next" => key('2'),
        "join" => key('3'),
        "repeat" => key('4'),
        "leave" => key('5'),
        "quiet" => key('6'),
        "hash" => key('#'),
        "other key" => key('0'),
        "deadline" => Event::Deadline,
        "taken by another" => Event::Stop(Stop::TakenBy(other())),
        "silenced" => Event::Stop(Stop::Silenced),
        "over" => Event::Stop(Stop::Over),
        "ended" => Event::Ended(CallEnd { by: EndedBy::Them, code: None, reason: String::new(), quality: None }),
        _ => panic!("no event is called {name}"),
    }
}

fn other() -> Taker {
    Taker::Contact(ContactId::parse("b").unwrap())
}

fn quiet() -> Key {
    Key { behaviour: Behaviour::Quiet, say: None }
}

fn person() -> (ContactId, Phone) {
    (ContactId::parse("a").unwrap(), Phone::parse("+8110000001").unwrap())
}

#[test]
fn every_phase_answers_every_event_as_the_table_at_the_head_says() {
    let (guidance, scope) = (any_plan().guidance, Scope::default());
    let room = RoomName::parse("room").unwrap();
    let ring_timeout = Duration::from_secs(25);
    let scene =
        Scene { guidance: &guidance, ring_timeout, room: &room, may_take: true, acknowledged: false, scope: &scope };
    let (header, rows) = table(include_str!("../dialogue.rs"), "phase");
    assert_eq!((header.len(), rows.len()), (19, 11));
    for row in &rows {
        for (event_name, cell) in header.iter().zip(row).skip(1) {
            let mut call = Call::wanted(NOW, 1, person(), guidance.keys.clone());
            call.phase = phase(&row[0]);
            call.has_dialled = row[0] != "waiting" && event_name != "dialled";
            let mut out = Outbox::new();
            call.on(NOW, event(event_name), &scene, &mut out);
            let where_it_is = format!("{} at {event_name}: {:?} {out:?}", row[0], call.phase);
            if cell == "." {
                assert_eq!(call.phase, phase(&row[0]), "{where_it_is}");
                assert!(out.is_empty(), "{where_it_is}");
            } else {
                assert_eq!(name(&call.phase), cell, "{where_it_is}");
                let is_quiet = event_name == "said" && ["speaking", "asked"].contains(&row[0].as_str());
                assert_eq!(out.is_empty(), is_quiet, "{where_it_is}");
            }
        }
    }
}

#[test]
fn the_reason_of_a_peer_is_kept_within_bounds_and_between_characters() {
    let (guidance, scope) = (any_plan().guidance, Scope::default());
    let room = RoomName::parse("room").unwrap();
    let scene = Scene {
        guidance: &guidance,
        ring_timeout: Duration::ZERO,
        room: &room,
        may_take: true,
        acknowledged: false,
        scope: &scope,
    };
    let mut call = Call::called_in(1, person(), guidance.keys.clone());
    let mut out = Outbox::new();
    let end = CallEnd { by: EndedBy::Them, code: None, reason: "鐘".repeat(1_000), quality: None };
    call.on(NOW, Event::Ended(end), &scene, &mut out);
    let Some(Order::Store(Fact::Ended { reason, .. })) = out.pop() else { panic!("no end was stored") };
    assert_eq!(reason, "鐘".repeat(85));
}
