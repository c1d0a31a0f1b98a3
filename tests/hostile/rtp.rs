//! Packets nobody sends on purpose, against the media plane: before the answer, of strangers, of no sense.

use core::net::SocketAddr;
use core::time::Duration;

use hansho::base::{Codec, LegId, RoomId, Stream, Time, seeded};
use hansho::media::{Command, Counts, Event, Limits, Plane, Recorded, Sink};
use hansho::wire::rtp::Header;
use rand::RngExt;

use crate::{Seed, seeds};

#[derive(Default)]
struct Out {
    sent: Vec<SocketAddr>,
    reports: Vec<Vec<u8>>,
    events: Vec<Event>,
}

impl Sink for Out {
    fn send(&mut self, _slot: usize, to: SocketAddr, bytes: &[u8]) {
        assert!(bytes.len() <= 12 + 480, "no packet is longer than 60 ms");
        self.sent.push(to);
    }

    fn report(&mut self, _slot: usize, to: SocketAddr, bytes: &[u8]) {
        assert_eq!(to.ip(), peer().ip(), "reports go to the peer");
        self.reports.push(bytes.to_vec());
    }

    fn latch(&mut self, _slot: usize, _peer: SocketAddr) {}

    fn tell(&mut self, event: Event) -> Result<(), Event> {
        self.events.push(event);
        Ok(())
    }

    fn record(&mut self, _frame: &Recorded) -> bool {
        true
    }
}

const LEG: LegId = LegId(1);

fn peer() -> SocketAddr {
    ([192, 0, 2, 9], 40_000).into()
}

fn stranger() -> SocketAddr {
    ([198, 51, 100, 7], 6_000).into()
}

fn stream() -> Stream {
    Stream {
        remote: peer(),
        reports: Some(SocketAddr::new(peer().ip(), 40_001)),
        codec: Codec::Pcmu,
        payload_type: 0,
        event_payload_type: Some(101),
        packet_time: Duration::from_millis(20),
        send: true,
        receive: true,
        keys: None,
    }
}

fn packet(payload_type: u8, sequence: u16, timestamp: u32, ssrc: u32, payload: &[u8]) -> Vec<u8> {
    let header = Header { marker: false, payload_type, sequence, timestamp, ssrc };
    [&header.to_bytes()[..], payload].concat()
}

struct World {
    plane: Plane,
    out: Out,
    now: Time,
}

impl World {
    fn new() -> World {
        World {
            plane: Plane::new(Limits { legs: 4, rooms: 2 }, 1),
            out: Out::default(),
            now: Time::from_micros(1_000_000),
        }
    }

    fn asks(&mut self, command: Command) {
        self.plane.on_command(self.now, command, &mut self.out);
    }

    fn comes(&mut self, from: SocketAddr, bytes: &[u8]) {
        let slot = self.plane.slot(LEG).expect("the leg is open");
        self.plane.on_packet(self.now, slot, from, bytes, &mut self.out);
    }

    fn ticks(&mut self, count: u32) {
        for _ in 0..count {
            self.now = self.now + Duration::from_millis(5);
            self.plane.tick(self.now, &mut self.out);
        }
    }

    fn closes(mut self) -> (Counts, Out) {
        self.asks(Command::Close(LEG));
        self.ticks(4);
        let counts = self.out.events.iter().find_map(|event| match event {
            Event::Closed { counts, .. } => Some(*counts),
            _ => None,
        });
        (counts.expect("a leg that closes says what it saw"), self.out)
    }
}

#[test]
fn packets_before_the_answer_are_not_listened_to_and_nothing_is_sent() {
    let mut world = World::new();
    world.asks(Command::Open(LEG));
    for n in 0..500u16 {
        world.comes(peer(), &packet(0, n, u32::from(n) * 160, 7, &[0x55; 160]));
        world.comes(stranger(), &packet(101, n, 0, 7, &[1, 0x8a, 3, 0x20]));
        world.ticks(4);
    }
    assert!(world.out.sent.is_empty() && world.out.events.is_empty(), "{:?}", world.out.events);
    world.asks(Command::Connect(LEG, stream()));
    world.ticks(100);
    let (counts, out) = world.closes();
    assert_eq!(counts.received, 0);
    assert!(out.sent.iter().all(|to| *to == peer()), "what came before names nobody");
}

#[test]
fn a_stranger_can_neither_talk_into_a_call_nor_press_its_keys_nor_be_sent_its_voice() {
    let mut world = World::new();
    world.asks(Command::Open(LEG));
    world.asks(Command::Connect(LEG, stream()));
    world.comes(peer(), &packet(0, 0, 0, 7, &[0xff; 160]));
    for n in 1..2_000u16 {
        let at = u32::from(n) * 160;
        world.comes(stranger(), &packet(101, n, at, 9, &[1, 0x8a, 3, 0x20]));
        world.comes(stranger(), &packet(0, n, at, 7, &[0x12; 160]));
        world.comes(SocketAddr::new(peer().ip(), 1_234), &packet(101, n, at, 7, &[2, 0x8a, 3, 0x20]));
        world.comes(peer(), &packet(0, n, at, 7, &[0xff; 160]));
        world.ticks(4);
    }
    let (counts, out) = world.closes();
    assert_eq!((counts.received, counts.refused), (2_000, 1_999 * 3));
    assert!(out.sent.iter().all(|to| *to == peer()));
    assert!(!out.events.iter().any(|event| matches!(event, Event::Digit { .. })), "{:?}", out.events);
}

#[test]
fn whatever_the_peer_itself_sends_breaks_nothing_and_is_counted() {
    for seed in seeds(20) {
        let _seed = Seed(seed);
        let mut rng = seeded(seed);
        let mut world = World::new();
        world.asks(Command::Open(LEG));
        world.asks(Command::Connect(LEG, stream()));
        world.asks(Command::Join(LEG, RoomId(1)));
        let mut sent = 0u64;
        let (mut sequence, mut timestamp) = (rng.random::<u16>(), rng.random::<u32>());
        for _ in 0..4_000 {
            let length = [0, 1, 3, 4, 20, 80, 160, 160, 160, 240, 480, 960, 961, 1_400][rng.random_range(0..14)];
            let payload: Vec<u8> = (0..length).map(|_| rng.random()).collect();
            let ssrc = if rng.random_bool(0.9) { 7 } else { rng.random() };
            let payload_type = [0, 0, 0, 8, 13, 101, 101, 127][rng.random_range(0..8)];
            (sequence, timestamp) = match rng.random_range(0..10) {
                0 => (rng.random(), rng.random()),
                1 => (sequence.wrapping_sub(rng.random_range(0..200)), timestamp),
                2 => (sequence.wrapping_add(rng.random_range(0..3_000)), timestamp.wrapping_sub(160)),
                _ => (sequence.wrapping_add(1), timestamp.wrapping_add(160)),
            };
            let mut bytes = packet(payload_type, sequence, timestamp, ssrc, &payload);
            if rng.random_bool(0.2) {
                let at = rng.random_range(0..bytes.len().min(16));
                bytes[at] = rng.random();
            }
            if rng.random_bool(0.05) {
                bytes.truncate(rng.random_range(0..=bytes.len()));
            }
            world.comes(peer(), &bytes);
            sent += 1;
            world.ticks(rng.random_range(0..6));
            if rng.random_bool(0.002) {
                // A pause as long as a laptop's sleep.
                world.now = world.now + Duration::from_secs(rng.random_range(1..100_000));
            }
        }
        let keys = world.out.events.iter().filter(|event| matches!(event, Event::Digit { .. })).count();
        let (counts, out) = world.closes();
        // What is taken can still be too late to be heard, so these two overlap.
        assert!(counts.received + counts.refused <= sent && counts.late <= sent, "{counts:?} of {sent}");
        assert!(counts.received > 1_000 && counts.refused > 10, "{counts:?}");
        assert!(keys < 2_000, "{keys} keys");
        assert!(out.sent.iter().all(|to| *to == peer()));
    }
}
