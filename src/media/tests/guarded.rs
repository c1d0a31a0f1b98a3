//! Legs whose voice is protected.

use super::{World, key, level_of, sine, stream, voice};
use crate::audio::{FRAME, g711};
use crate::base::{Digit, Keys, LegId, MasterKey, Stream, Suite};
use crate::media::{Command, Event};
use crate::wire::rtp::Packet;
use crate::wire::srtp::{GROWTH_MAX, Protection};

/// What the house has, and the other side: the same with the keys the other way round.
fn keys(ours: u8, theirs: u8) -> Keys {
    Keys { suite: Suite::Tag80, ours: MasterKey([ours; 30]), theirs: MasterKey([theirs; 30]), name_bytes: 0 }
}

fn guarded(keys: Keys) -> Stream {
    Stream { keys: Some(keys), ..stream(1) }
}

fn connect(world: &mut World, keys: Keys) {
    world.command(Command::Protect(LegId(1), Box::new(Protection::new(&keys))));
    world.command(Command::Connect(LegId(1), guarded(keys)));
}

fn world() -> World {
    let mut world = World::new(1);
    world.command(Command::Open(LegId(1)));
    connect(&mut world, keys(1, 2));
    world
}

/// A packet as the other side sends it.
fn sealed(by: &mut Protection, packet: &[u8]) -> Vec<u8> {
    let mut room = [packet, &[0; GROWTH_MAX]].concat();
    let length = by.protect(&mut room, packet.len()).unwrap();
    room.truncate(length);
    room
}

fn refused(world: &mut World) -> (u64, u64) {
    world.command(Command::Close(LegId(1)));
    let counts = world.out.events.iter().find_map(|(_, event)| match event {
        Event::Closed { counts, .. } => Some(*counts),
        _ => None,
    });
    counts.map(|counts| (counts.received, counts.refused)).unwrap()
}

#[test]
fn two_planes_hear_each_other_s_keys_and_whoever_listens_hears_nothing() {
    let (mut phone, mut house) = (World::new(1), world());
    phone.command(Command::Open(LegId(1)));
    connect(&mut phone, keys(2, 1));
    "42#".chars().for_each(|key| phone.command(Command::Press(LegId(1), Digit::from_char(key).unwrap())));
    let mut overheard = 0;
    for _ in 0..200 {
        phone.run(5);
        house.run(5);
        for (_, _, _, bytes) in phone.out.sent.drain(..).collect::<Vec<_>>() {
            let payload = Packet::read(&bytes).unwrap().payload;
            overheard += usize::from(payload.iter().all(|byte| *byte == g711::ULAW_SILENCE));
            house.packet(1, &bytes);
        }
    }
    assert_eq!(house.digits(), "42#");
    assert_eq!(overheard, 0);
}

#[test]
fn voice_in_the_clear_and_forgeries_are_refused_and_decide_about_no_source() {
    let (mut house, mut theirs) = (world(), Protection::new(&keys(2, 1)));
    let stranger = "198.51.100.7:9000".parse().unwrap();
    for number in 0..10 {
        house.packet_from(1, stranger, &voice(number, &key('5', 20)));
        house.packet(1, &voice(number, &key('5', 20)));
        let mut forged = sealed(&mut theirs, &voice(number, &key('5', 20)));
        forged[100] ^= 1;
        house.packet(1, &forged);
        house.run(20);
    }
    assert!(house.out.latched.is_empty() && house.digits().is_empty());
    let packet = sealed(&mut theirs, &voice(10, &sine(440.0, 20)));
    house.packet(1, &packet);
    assert_eq!(house.out.latched, [stream(1).remote]);
    // Copies: from there again, and from elsewhere before the true one comes.
    house.packet(1, &packet);
    let next = sealed(&mut theirs, &voice(11, &sine(440.0, 20)));
    house.packet_from(1, stranger, &next);
    house.packet(1, &next);
    assert_eq!(refused(&mut house), (2, 32));
}

#[test]
fn what_is_said_on_a_protected_leg_arrives_at_its_level_through_a_hold_and_a_new_key() {
    let (mut house, mut theirs) = (world(), Protection::new(&keys(2, 1)));
    let samples = sine(697.0, 2_000);
    house.command(Command::Record(crate::media::Source::Leg(LegId(1)), crate::media::Tap(1)));
    for (number, frame) in (65_500u16..=65_535).chain(0..64).zip(samples.chunks(FRAME)) {
        match number {
            // Held and taken back with the same keys, after the numbers have wrapped.
            10 => {
                connect(&mut house, keys(1, 2));
                house.command(Command::Connect(LegId(1), Stream { send: false, ..guarded(keys(1, 2)) }));
            }
            20 => connect(&mut house, keys(1, 2)),
            // Another key, and the count of wraps begins anew.
            30 => {
                connect(&mut house, keys(1, 3));
                theirs.renew(&mut Protection::new(&keys(3, 1)));
            }
            _ => {}
        }
        let mut packet = voice(number, frame);
        let timestamp = u32::from(number.wrapping_sub(65_500)) * 160;
        packet[4..8].copy_from_slice(&timestamp.to_be_bytes());
        house.packet(1, &sealed(&mut theirs, &packet));
        house.run(20);
    }
    let heard: Vec<i16> = house.out.frames.iter().flat_map(|frame| frame.samples).collect();
    assert!((level_of(0, &heard[2_000..15_000]) + 12.0).abs() < 1.0);
    assert_eq!(refused(&mut house), (100, 0));
}

#[test]
fn a_leg_that_was_given_no_protection_for_its_keys_says_nothing() {
    let mut house = World::new(1);
    house.command(Command::Open(LegId(1)));
    house.command(Command::Connect(LegId(1), guarded(keys(1, 2))));
    house.run(100);
    house.packet(1, &voice(1, &[0; FRAME]));
    assert!(house.out.sent.is_empty() && house.out.latched.is_empty());
    assert_eq!(refused(&mut house), (0, 1));
}

#[test]
fn what_a_leg_reports_is_protected_and_its_keys_come_back_to_be_freed() {
    let mut house = World::new(1);
    house.command(Command::Open(LegId(1)));
    house.command(Command::Protect(LegId(1), Box::new(Protection::new(&keys(1, 2)))));
    let remote = stream(1).remote;
    house.command(Command::Connect(LegId(1), Stream { reports: Some(remote), ..guarded(keys(1, 2)) }));
    house.run(10_000);
    let mut theirs = Protection::new(&keys(2, 1));
    let reports: Vec<Vec<u8>> =
        house.out.sent.iter().map(|sent| sent.3.clone()).filter(|bytes| (192..224).contains(&bytes[1])).collect();
    assert!(!reports.is_empty());
    for report in reports {
        let mut clear = report.clone();
        let length = theirs.unprotect_report(&mut clear).unwrap();
        assert_eq!(report.len(), length + GROWTH_MAX);
        assert!(crate::wire::rtcp::Compound::read(&clear[..length]).is_ok());
        let sent_back = sealed_report(&mut theirs, &clear[..length]);
        house.packet(1, &sent_back);
    }
    house.command(Command::Close(LegId(1)));
    let spent = house.out.events.iter().filter(|(_, event)| matches!(event, Event::SpentKeys(_))).count();
    assert_eq!(spent, 1);
    let heard = |(_, event): &(u64, Event)| matches!(event, Event::Quality { .. });
    assert!(house.out.events.iter().any(heard));
}

fn sealed_report(by: &mut Protection, report: &[u8]) -> Vec<u8> {
    let mut room = [report, &[0; GROWTH_MAX]].concat();
    let length = by.protect_report(&mut room, report.len()).unwrap();
    room.truncate(length);
    room
}
