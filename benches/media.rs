//! What a tick costs: rooms of ten with every detector on, and one room of a hundred, without a network.
//!
//! `cargo bench --bench media`. Time is what the processor spent on this thread, so that a busy machine does not
//! change it much. The figures are of the plane alone: receiving and sending a datagram costs the
//! system some 6 µs more a leg and turn.

use std::net::SocketAddr;
use std::time::Duration;

use hansho::audio::{FRAME, g711, tone};
use hansho::base::{Codec, Keys, LegId, MasterKey, RoomId, Stream, Suite, Time};
use hansho::media::{Command, Event, Limits, Plane, Recorded, Sink};
use hansho::wire::rtp::Header;
use hansho::wire::srtp::{GROWTH_MAX, Protection};
use nix::time::{ClockId, clock_gettime};

/// Takes everything and keeps nothing.
#[derive(Default)]
struct Void {
    packets: u64,
}

impl Sink for Void {
    fn send(&mut self, _slot: usize, _to: SocketAddr, bytes: &[u8]) {
        self.packets += u64::from(!std::hint::black_box(bytes).is_empty());
    }

    fn report(&mut self, _slot: usize, _to: SocketAddr, bytes: &[u8]) {
        self.packets += u64::from(!std::hint::black_box(bytes).is_empty());
    }

    fn latch(&mut self, _slot: usize, _peer: SocketAddr) {}

    fn tell(&mut self, event: Event) -> Result<(), Event> {
        drop(std::hint::black_box(event));
        Ok(())
    }

    fn record(&mut self, _frame: &Recorded) -> bool {
        true
    }
}

/// What the legs' peers say.
#[derive(Clone, Copy, PartialEq)]
enum Voice {
    /// All of them talk, which no detector can pass over.
    All,
    /// One in ten talks, the others are silent: a telephone conference.
    Few,
}

fn stream(leg: u32) -> Stream {
    Stream {
        remote: SocketAddr::from(([127, 0, 0, 1], 4_000 + leg as u16)),
        reports: Some(SocketAddr::from(([127, 0, 0, 1], 4_000 + leg as u16))),
        codec: Codec::Pcmu,
        payload_type: 0,
        event_payload_type: Some(101),
        packet_time: Duration::from_millis(20),
        send: true,
        receive: true,
        keys: None,
    }
}

/// What this thread has had of the processor.
fn spent() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map_or(Duration::ZERO, Duration::from)
}

/// Nanoseconds a leg and 20 ms, for taking its packet and for the tick.
fn cost(legs: u32, room_of: u32, voice: Voice) -> (f64, f64) {
    const FRAMES: u32 = 400;
    let now = |micros: u64| Time::from_micros(1_000_000 + micros);
    let mut plane = Plane::new(Limits { legs: legs as usize, rooms: legs.div_ceil(room_of) as usize }, 1);
    let mut void = Void::default();
    for leg in 0..legs {
        let id = LegId(leg);
        let room = RoomId(leg / room_of);
        for command in [Command::Open(id), Command::Connect(id, stream(leg)), Command::Join(id, room)] {
            plane.on_command(now(0), command, &mut void);
        }
    }
    // A chord that is no key, with something of a voice's loudness.
    let hz = [180.0, 360.0, 540.0, 900.0, 1_440.0, 2_340.0];
    let sines: Vec<tone::Sine> = hz.iter().map(|&hz| tone::Sine { hz, dbm0: -22.0 }).collect();
    let samples = tone::sines(&sines, Duration::from_secs(8));
    let mut loud = vec![0; samples.len()];
    g711::encode_ulaw(&samples, &mut loud);
    let silent = [g711::ULAW_SILENCE; FRAME];
    let (mut taking, mut ticking) = (Duration::ZERO, Duration::ZERO);
    let mut datagram = [0; 172];
    for frame in 0..FRAMES {
        let header = Header { marker: false, payload_type: 0, sequence: frame as u16, timestamp: frame * 160, ssrc: 1 };
        let from = frame as usize % 399 * FRAME;
        let begun = spent();
        for leg in 0..legs {
            let talks = voice == Voice::All || leg % 10 == 0;
            let payload = if talks { &loud[from..from + FRAME] } else { &silent[..] };
            if let Some(room) = header.write(&mut datagram) {
                room.copy_from_slice(payload);
            }
            // Legs are numbered as their slots here.
            let at = now(u64::from(frame) * 20_000);
            plane.on_packet(at, leg as usize, stream(leg).remote, &datagram, &mut void);
        }
        taking += spent() - begun;
        for tick in 0..4u64 {
            let begun = spent();
            plane.tick(now(u64::from(frame) * 20_000 + tick * 5_000), &mut void);
            ticking += spent() - begun;
        }
    }
    let turns = f64::from(legs) * f64::from(FRAMES);
    assert!(void.packets as f64 > turns * 0.98, "every leg is sent to");
    (taking.as_nanos() as f64 / turns, ticking.as_nanos() as f64 / turns)
}

/// What it costs to protect a packet of 20 ms, and to take the protection off, in nanoseconds.
fn guarded(suite: Suite) -> (f64, f64) {
    const PACKETS: u32 = 50_000;
    let keys =
        |ours, theirs| Keys { suite, ours: MasterKey([ours; 30]), theirs: MasterKey([theirs; 30]), name_bytes: 0 };
    let (mut ours, mut theirs) = (Protection::new(&keys(1, 2)), Protection::new(&keys(2, 1)));
    let (mut sending, mut taking) = (Duration::ZERO, Duration::ZERO);
    for number in 0..PACKETS / 50 {
        let mut packets = [[0x55; 172 + GROWTH_MAX]; 50];
        for (packet, place) in packets.iter_mut().zip(number * 50..) {
            let header = Header { marker: false, payload_type: 0, sequence: place as u16, timestamp: place, ssrc: 1 };
            packet[..12].copy_from_slice(&header.to_bytes());
        }
        let mut length = 0;
        let begun = spent();
        for packet in &mut packets {
            length = std::hint::black_box(&mut ours).protect(packet, 172).expect("there is room");
        }
        sending += spent() - begun;
        let begun = spent();
        for packet in &mut packets {
            std::hint::black_box(&mut theirs).unprotect(&mut packet[..length]).expect("it is theirs");
        }
        taking += spent() - begun;
    }
    (sending.as_nanos() as f64 / f64::from(PACKETS), taking.as_nanos() as f64 / f64::from(PACKETS))
}

fn main() {
    println!("{:<36} {:>12} {:>12} {:>12} {:>14}", "", "packet in", "tick", "both", "of a core");
    println!("{:<36} {:>12} {:>12} {:>12} {:>14}", "", "ns a leg", "ns a leg", "ns a leg", "percent");
    for (name, room_of, voice, sizes) in [
        ("rooms of 10, all talk", 10, Voice::All, &[100, 1_000, 2_000][..]),
        ("rooms of 10, one in ten talks", 10, Voice::Few, &[100, 1_000, 2_000][..]),
        ("one room, all talk", u32::MAX, Voice::All, &[100][..]),
        ("one room, one in ten talks", u32::MAX, Voice::Few, &[100][..]),
    ] {
        for &legs in sizes {
            let (taking, ticking) = cost(legs, room_of.min(legs), voice);
            let both = taking + ticking;
            let core = both * f64::from(legs) / 20e6 * 100.0;
            let name = format!("{legs} legs, {name}");
            println!("{name:<36} {taking:>12.0} {ticking:>12.0} {both:>12.0} {core:>13.1} %");
        }
    }
    println!("{:<36} {:>12} {:>12}", "", "SRTP taken off", "put on");
    for suite in Suite::ALL {
        let (sending, taking) = guarded(suite);
        println!("{:<36} {taking:>12.0} {sending:>12.0}   ns a packet", suite.name());
    }
}
