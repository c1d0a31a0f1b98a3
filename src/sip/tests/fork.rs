use core::net::SocketAddr;
use core::time::Duration;

use super::*;
use crate::base::{Codec, Stream};
use crate::sip::table::rows;

const LEG: LegId = LegId(7);

fn open(phones: usize) -> (Forks, Vec<LegId>) {
    let mut forks = Forks::default();
    let legs: Vec<LegId> = (0..phones).map(|_| forks.new_leg()).collect();
    let rung = legs.iter().map(|leg| (*leg, format!("i{}", leg.0 - FIRST))).collect();
    forks.open(LEG, rung);
    (forks, legs)
}

fn end(cause: Cause, code: Option<u16>) -> End {
    End { cause, code, reason: String::new() }
}

fn event(name: &str, leg: LegId) -> Event {
    let stream = Stream {
        remote: SocketAddr::from(([192, 0, 2, 1], 40_000)),
        reports: None,
        codec: Codec::Pcmu,
        payload_type: 0,
        event_payload_type: None,
        packet_time: Duration::from_millis(20),
        send: true,
        receive: true,
        keys: None,
    };
    match name {
        "180" => Event::Ringing { leg, code: 180 },
        "answered" => Event::Answered { leg, stream, handle: "d".into() },
        "unwanted" => Event::Unwanted { leg, handle: "d".into() },
        "refused for all" => Event::Ended { leg, end: end(Cause::Refused, Some(603)) },
        _ => Event::Ended { leg, end: end(Cause::Refused, Some(486)) },
    }
}

fn row(phones: usize, name: &str) -> String {
    let (mut forks, legs) = open(phones);
    let mut out = Outbox::new();
    let won = forks.on_output(legs[0], Output::Event(event(name, legs[0])), &mut out);
    let mut words: Vec<String> = out.drain().map(|output| told(&output)).collect();
    words.extend(won.filter(|won| !won.losers.is_empty()).map(|won| format!("{} loses", won.losers.len())));
    let next = match forks.phones(LEG).len() {
        0 => "Over".to_owned(),
        left => format!("Ringing {left}"),
    };
    let words = if words.is_empty() { "-".to_owned() } else { words.join(", ") };
    format!("Ringing {phones} | {name} | {next} | {words}")
}

fn told(output: &Output) -> String {
    let (leg, word) = match output {
        Output::Event(Event::Ringing { leg, .. }) => (leg, "ringing"),
        Output::Event(Event::Answered { leg, .. }) => (leg, "answered"),
        Output::Event(Event::Unwanted { leg, .. }) => (leg, "unwanted"),
        Output::Event(Event::Ended { leg, .. }) => (leg, "ended"),
        other => panic!("{other:?}"),
    };
    assert_eq!(*leg, LEG, "{word} is told in the name of the one leg");
    word.to_owned()
}

#[test]
fn every_row_of_the_table_is_what_the_machine_does() {
    let events = ["180", "answered", "unwanted", "ended", "refused for all"];
    let done: Vec<String> = [2, 1].into_iter().flat_map(|phones| events.map(|name| row(phones, name))).collect();
    assert_eq!(done, rows(include_str!("../fork.rs")));
}

#[test]
fn that_it_rings_is_told_once_however_many_phones_ring() {
    let (mut forks, legs) = open(2);
    let mut out = Outbox::new();
    for leg in legs {
        forks.on_output(leg, Output::Event(event("180", leg)), &mut out);
    }
    assert_eq!(out.len(), 1);
}

#[test]
fn the_handle_ends_the_winner_and_those_that_may_still_ring() {
    let (mut forks, legs) = open(3);
    let mut out = Outbox::new();
    forks.on_output(legs[2], Output::Event(event("ended", legs[2])), &mut out);
    let won = forks.on_output(legs[1], Output::Event(event("answered", legs[1])), &mut out);
    assert_eq!(won, Some(Won { leg: Some(LEG), losers: vec![legs[0]] }));
    let Some(Output::Event(Event::Answered { handle, .. })) = out.pop() else { panic!("no answer") };
    assert_eq!(handle, "d\ni1");
    assert_eq!(forks.leg_of(legs[0]), None, "what the loser tells is told to nobody");
}

#[test]
fn of_several_ends_the_one_that_tells_most_is_told() {
    let silence = end(Cause::Timeout, None);
    for (ends, expected) in [
        (vec![silence.clone(), end(Cause::Refused, Some(480))], Some(480)),
        (vec![end(Cause::Refused, Some(486)), end(Cause::Refused, Some(480))], Some(486)),
        (vec![end(Cause::Refused, Some(486)), end(Cause::Refused, Some(603)), silence.clone()], Some(603)),
        (vec![end(Cause::Refused, Some(404)), end(Cause::Refused, Some(480))], Some(404)),
        (vec![end(Cause::Us, Some(487)), end(Cause::Refused, Some(603))], Some(487)),
    ] {
        let (mut forks, legs) = open(ends.len());
        let mut out = Outbox::new();
        for (leg, end) in legs.into_iter().zip(ends) {
            forks.on_output(leg, Output::Event(Event::Ended { leg, end }), &mut out);
        }
        assert_eq!(out.len(), 1);
        let Some(Output::Event(Event::Ended { end, .. })) = out.pop() else { panic!("no end") };
        assert_eq!(end.code, expected);
    }
}

#[test]
fn whoever_refuses_wherever_they_are_rung_is_rung_nowhere_any_more() {
    for code in [600, 603, 607] {
        let (mut forks, legs) = open(3);
        let mut out = Outbox::new();
        forks.on_output(legs[0], Output::Event(event("ended", legs[0])), &mut out);
        let refused = Event::Ended { leg: legs[1], end: end(Cause::Refused, Some(code)) };
        let won = forks.on_output(legs[1], Output::Event(refused), &mut out);
        assert_eq!(won, Some(Won { leg: None, losers: vec![legs[2]] }), "{code}");
        let Some(Output::Event(Event::Ended { leg: LEG, end })) = out.pop() else { panic!("no end") };
        assert_eq!((end.code, forks.leg_of(legs[2]), forks.phones(LEG).len()), (Some(code), None, 0));
    }
}
