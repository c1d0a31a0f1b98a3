//! Reports of both sides, through the plane.

use super::*;
use crate::base::{Heard, Quality};
use crate::wire::rtcp::{Block, Compound, Packet as Part, Report, WRITTEN_MAX};

/// The peer's port for reports.
fn report_port() -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 1], 4_444))
}

fn call(world: &mut World, reports: SocketAddr) {
    world.command(Command::Open(LegId(1)));
    world.command(Command::Connect(LegId(1), Stream { reports: Some(reports), ..stream(1) }));
}

/// What the peer says it heard of us.
fn from_peer(ssrc: u32, heard: Option<Block>) -> Vec<u8> {
    let report = Report { ssrc, sent: None, heard, name: b"ABCDEFGHIJKLMNOP", goodbye: false };
    let mut bytes = [0; WRITTEN_MAX];
    let length = report.write(&mut bytes);
    bytes[..length].to_vec()
}

fn heard(ssrc: u32, lost: i32) -> Option<Block> {
    Some(Block { ssrc, fraction_lost: 0, lost, highest: 0, jitter: 80, last_report: 0, delay: 0 })
}

fn comes_to_report_port(world: &mut World, from: SocketAddr, bytes: &[u8]) {
    let slot = world.plane.slot(LegId(1)).unwrap();
    let now = world.now();
    world.plane.on_report(now, slot, from, bytes, &mut world.out);
}

fn our_ssrc(world: &World) -> u32 {
    let (.., bytes) = world.out.sent.iter().find(|sent| Packet::read(&sent.3).is_ok()).unwrap();
    Packet::read(bytes).unwrap().header.ssrc
}

fn qualities(world: &World) -> Vec<Quality> {
    let quality = |event: &Event| if let Event::Quality { quality, .. } = event { Some(*quality) } else { None };
    world.out.events.iter().filter_map(|(_, event)| quality(event)).collect()
}

#[test]
fn what_was_heard_is_reported_every_few_seconds_with_the_loss_and_who_we_are() {
    let mut world = World::new(1);
    call(&mut world, report_port());
    for number in 0..1_000u16 {
        // Every tenth packet never comes.
        if number % 10 != 9 {
            world.packet(1, &voice(number, &[0; FRAME]));
        }
        world.run(20);
    }
    assert!((4..=10).contains(&world.out.reports.len()), "{} in 20 s", world.out.reports.len());
    let ssrc = our_ssrc(&world);
    let mut seen = Vec::new();
    for (at, _, to, bytes) in &world.out.reports {
        assert_eq!(*to, report_port());
        let parts: Vec<Part> = Compound::read(bytes).unwrap().packets().collect();
        let [Part::Report { ssrc: by, sent: Some(sent), blocks }, Part::Names(names)] = parts[..] else {
            panic!("{parts:?}")
        };
        assert_eq!((by, names.map(|(ssrc, name)| (ssrc, name.len())).collect::<Vec<_>>()), (ssrc, vec![(ssrc, 16)]));
        let packets = (at - 1_000) / 20;
        assert!(
            u64::from(sent.packets).abs_diff(packets) <= 1 && sent.octets == sent.packets * 160,
            "{sent:?} at {at}"
        );
        assert_eq!(sent.ntp >> 32, at / 1_000);
        seen.extend(blocks.map(|block| (block.ssrc, block.fraction_lost, block.lost.unsigned_abs(), block.highest)));
    }
    let (by, fraction, lost, highest) = *seen.last().unwrap();
    assert!(by == 5 && (22..=29).contains(&fraction) && lost.abs_diff(highest / 10) <= 1, "{seen:?}");
    let here = qualities(&world).last().unwrap().here;
    assert!(here.loss_percent() > 9.0 && here.loss_percent() < 11.0 && here.jitter_ms == 0, "{here:?}");
}

#[test]
fn reports_share_the_voice_s_port_where_that_was_agreed_and_go_on_while_the_peer_holds() {
    let mut world = World::new(1);
    call(&mut world, stream(1).remote);
    world.command(Command::Connect(LegId(1), Stream { send: false, reports: Some(stream(1).remote), ..stream(1) }));
    world.run(20_000);
    assert!(world.out.reports.is_empty());
    let kinds: Vec<u8> = world.out.sent.iter().map(|(.., bytes)| bytes[1]).collect();
    assert!((4..=10).contains(&kinds.len()) && kinds.iter().all(|kind| *kind == 201), "{kinds:?}");
}

#[test]
fn what_the_peer_reports_is_told_and_what_a_stranger_reports_is_not() {
    let mut world = World::new(1);
    call(&mut world, report_port());
    world.packet(1, &voice(0, &[0; FRAME]));
    world.run(2_000);
    let (ours, stranger) = (our_ssrc(&world), SocketAddr::from(([198, 51, 100, 7], 4_444)));
    let before = qualities(&world).len();
    comes_to_report_port(&mut world, stranger, &from_peer(5, heard(ours, 50)));
    world.packet_from(1, stranger, &from_peer(5, heard(ours, 50)));
    // From the peer's address, and under another's name.
    comes_to_report_port(&mut world, SocketAddr::from(([192, 0, 2, 1], 9)), &from_peer(6, heard(ours, 50)));
    comes_to_report_port(&mut world, report_port(), &[0x80, 201, 0, 9]);
    assert_eq!(qualities(&world).len(), before);
    comes_to_report_port(&mut world, report_port(), &from_peer(5, heard(ours, 12)));
    let there = qualities(&world).last().unwrap().there.unwrap();
    let packets = there.packets;
    assert_eq!(there, Heard { packets, lost: 12, jitter_ms: 10 });
    assert!((99..=101).contains(&packets), "{packets}");
    world.packet(1, &from_peer(5, heard(ours, 13)));
    assert_eq!(qualities(&world).last().unwrap().there.unwrap().lost, 13, "also by the port of the voice");
    world.command(Command::Close(LegId(1)));
    let Some(Event::Closed { counts, .. }) = world.out.events.pop().map(|(_, event)| event) else { panic!("open") };
    assert_eq!((counts.refused, counts.received), (4, 1));
}

#[test]
fn a_peer_behind_a_translator_is_known_by_its_voice() {
    let mut world = World::new(1);
    call(&mut world, report_port());
    let [voice_from, reports_from] = [61_000, 61_001].map(|port| SocketAddr::from(([203, 0, 113, 5], port)));
    comes_to_report_port(&mut world, reports_from, &from_peer(5, None));
    for number in 0..4 {
        world.packet_from(1, voice_from, &voice(number, &[0; FRAME]));
    }
    comes_to_report_port(&mut world, reports_from, &from_peer(5, None));
    world.run(4_000);
    assert!(!world.out.reports.is_empty() && world.out.reports.iter().all(|sent| sent.2 == reports_from));
}

#[test]
fn whoever_leaves_says_so_once_and_who_said_nothing_does_not() {
    let mut world = World::new(1);
    call(&mut world, report_port());
    let now = world.now();
    world.plane.farewell(now, LegId(1), &mut world.out);
    assert!(world.out.reports.is_empty());
    world.run(100);
    let now = world.now();
    world.plane.farewell(now, LegId(1), &mut world.out);
    let [(.., bytes)] = &world.out.reports[..] else { panic!("one farewell") };
    let Some(Part::Goodbye(sources)) = Compound::read(bytes).unwrap().packets().last() else { panic!("no farewell") };
    assert_eq!(sources.collect::<Vec<_>>(), [our_ssrc(&world)]);
}

#[test]
fn the_peer_is_told_where_it_is_seen_a_stranger_is_not_and_neither_counts_as_voice() {
    let mut world = World::new(1);
    call(&mut world, report_port());
    let asks = [0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
    let translated = SocketAddr::from(([192, 0, 2, 1], 61_000));
    for _ in 0..9 {
        world.packet_from(1, translated, &asks);
        world.packet_from(1, SocketAddr::from(([198, 51, 100, 7], 9)), &asks);
    }
    assert!(world.out.sent.is_empty() && world.out.latched.is_empty());
    world.packet(1, &asks);
    comes_to_report_port(&mut world, report_port(), &asks);
    comes_to_report_port(&mut world, translated, &asks);
    let [(_, _, to, answer)] = &world.out.reports[..] else { panic!("{:?}", world.out.reports) };
    assert_eq!((*to, &answer[..2], &answer[8..20]), (report_port(), &[1, 1][..], &asks[8..]));
    let [(_, _, to, answer)] = &world.out.sent[..] else { panic!("{:?}", world.out.sent) };
    assert_eq!((*to, &answer[..2], &answer[8..20]), (stream(1).remote, &[1, 1][..], &asks[8..]));
    assert!(world.out.latched.is_empty(), "only voice decides whose voice is taken");
    // Once the voice has come from elsewhere, questions from there are the peer's.
    for number in 0..2 {
        world.packet_from(1, translated, &voice(number, &[0; FRAME]));
    }
    world.packet_from(1, translated, &asks);
    assert_eq!(world.out.sent.last().unwrap().2, translated);
    world.command(Command::Close(LegId(1)));
    let Some(Event::Closed { counts, .. }) = world.out.events.pop().map(|(_, event)| event) else { panic!("open") };
    assert_eq!((counts.sent, counts.received, counts.refused), (0, 1, 20));
}
