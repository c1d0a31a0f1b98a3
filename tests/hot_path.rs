//! A tick allocates nothing and frees nothing: this program's allocator stops it when the plane tries.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::net::SocketAddr;
use std::time::Duration;

use hansho::audio::{FRAME, g711, tone};
use hansho::base::{Codec, Digit, Keys, LegId, MasterKey, RoomId, Stream, Suite, Time};
use hansho::media::{Command, Event, Limits, Plane, Playlist, Recorded, Sink, Source, Tap};
use hansho::wire::rtcp::{Block, Report, Sent, WRITTEN_MAX};
use hansho::wire::rtp::Header;
use hansho::wire::srtp::{GROWTH_MAX, Protection};
use hansho::wire::telephone_event;

thread_local! {
    static FORBIDDEN: Cell<bool> = const { Cell::new(false) };
    static BROKEN: Cell<u64> = const { Cell::new(0) };
}

struct Guard;

fn note() {
    if FORBIDDEN.get() {
        BROKEN.set(BROKEN.get() + 1);
    }
}

// SAFETY: every call goes to the system's allocator unchanged; noting it neither allocates nor unwinds.
unsafe impl GlobalAlloc for Guard {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note();
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        note();
        unsafe { System.dealloc(place, layout) }
    }
}

#[global_allocator]
static GUARD: Guard = Guard;

/// Takes everything into places that are there already.
struct Taker {
    events: Vec<Event>,
    sent: usize,
    reports: usize,
    frames: usize,
    deaf: bool,
}

impl Sink for Taker {
    fn send(&mut self, _slot: usize, _to: SocketAddr, bytes: &[u8]) {
        self.sent += bytes.len();
    }

    fn report(&mut self, _slot: usize, _to: SocketAddr, bytes: &[u8]) {
        self.sent += bytes.len();
        self.reports += 1;
    }

    fn latch(&mut self, _slot: usize, _peer: SocketAddr) {}

    fn tell(&mut self, event: Event) -> Result<(), Event> {
        if self.deaf || self.events.len() == self.events.capacity() {
            return Err(event);
        }
        self.events.push(event);
        Ok(())
    }

    fn record(&mut self, frame: &Recorded) -> bool {
        self.frames += usize::from(!frame.last);
        true
    }
}

/// Runs `work` with allocation forbidden and says how often it was tried.
fn forbidden(work: impl FnOnce()) -> u64 {
    BROKEN.set(0);
    FORBIDDEN.set(true);
    work();
    FORBIDDEN.set(false);
    BROKEN.get()
}

fn packet(payload_type: u8, number: u16, timestamp: u32, payload: &[u8]) -> Vec<u8> {
    let header = Header { marker: false, payload_type, sequence: number, timestamp, ssrc: 1 };
    [&header.to_bytes(), payload].concat()
}

fn stream(leg: u32, packet_ms: u64) -> Stream {
    Stream {
        remote: SocketAddr::from(([192, 0, 2, 1], 4_000 + leg as u16)),
        reports: Some(SocketAddr::from(([192, 0, 2, 1], 4_000 + leg as u16 * (1 + leg as u16 % 2)))),
        codec: if leg.is_multiple_of(2) { Codec::Pcmu } else { Codec::Pcma },
        payload_type: if leg.is_multiple_of(2) { 0 } else { 8 },
        event_payload_type: Some(101),
        packet_time: Duration::from_millis(packet_ms),
        send: true,
        receive: true,
        keys: Some(KEYS).filter(|_| leg % 4 == 1),
    }
}

/// What protects some legs.
const KEYS: Keys = Keys { suite: Suite::Tag80, ours: MasterKey([1; 30]), theirs: MasterKey([2; 30]), name_bytes: 0 };

fn sealed(by: &mut Protection, packet: &[u8]) -> Vec<u8> {
    let mut room = [packet, &[0; GROWTH_MAX]].concat();
    let length = by.protect(&mut room, packet.len()).unwrap();
    room.truncate(length);
    room
}

#[test]
fn a_second_of_everything_at_once_allocates_nothing() {
    const LEGS: u32 = 16;
    let digit = Digit::from_char('5').unwrap();
    let now = |ms: u64| Time::from_micros(1_000_000 + ms * 1_000);
    let mut plane = Plane::new(Limits { legs: LEGS as usize, rooms: 4 }, 1);
    let mut taker = Taker { events: Vec::with_capacity(8_192), sent: 0, reports: 0, frames: 0, deaf: false };
    // Everything that is handed in is made before.
    let prompt = tone::key(digit, Duration::from_millis(300), -12.0, 0.0);
    let list = |play| Box::new(Playlist { play, prompts: vec![prompt.as_slice().into(); 2], forever: play % 2 == 0 });
    let mut lists: Vec<Box<Playlist>> = (0..400).map(list).collect();
    let mut voice = vec![0; 50 * FRAME];
    let said = [prompt.clone(), vec![0; 400], prompt.clone(), vec![0; 50 * FRAME]].concat();
    g711::encode_ulaw(&said, &mut voice);
    let voices: Vec<Vec<u8>> =
        voice.chunks(FRAME).zip(0u16..).map(|(bytes, n)| packet(0, n, u32::from(n) * 160, bytes)).collect();
    let press = |n: u16| telephone_event::Event { code: 7, end: n % 5 == 4, volume: 10, duration: n % 5 * 160 };
    let events: Vec<Vec<u8>> =
        (0u16..50).map(|n| packet(101, 1_000 + n, u32::from(n / 5) * 4_000, &press(n).to_bytes())).collect();
    let commands = |leg: u32| {
        let id = LegId(leg);
        let room = RoomId(leg % 3);
        [
            Command::Open(id),
            Command::Connect(id, stream(leg, [20, 20, 30, 60, 10][leg as usize % 5])),
            Command::Join(id, room),
        ]
    };
    let heard = Block { ssrc: 7, fraction_lost: 9, lost: 9, highest: 9, jitter: 9, last_report: 9, delay: 9 };
    let said = Sent { ntp: 1 << 33, timestamp: 9, packets: 9, octets: 9 };
    let mut report = [0; WRITTEN_MAX];
    let report_of = Report { ssrc: 1, sent: Some(said), heard: Some(heard), name: b"0123456789abcdef", goodbye: true };
    let length = report_of.write(&mut report);
    // Every fourth leg is protected, all with the same keys.
    let is_guarded = |leg: u32| leg % 4 == 1;
    let mut protections: Vec<Box<Protection>> = (0..LEGS * 2).map(|_| Box::new(Protection::new(&KEYS))).collect();
    let theirs = Keys { ours: KEYS.theirs, theirs: KEYS.ours, ..KEYS };
    let mut theirs = [Protection::new(&theirs), Protection::new(&theirs)];
    let sealed_voices: Vec<Vec<u8>> = voices.iter().map(|packet| sealed(&mut theirs[0], packet)).collect();
    let sealed_events: Vec<Vec<u8>> = events.iter().map(|packet| sealed(&mut theirs[1], packet)).collect();
    let asks = [0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
    let tried = forbidden(|| {
        for room in 0..3 {
            plane.on_command(now(0), Command::Music(RoomId(room), lists.pop().unwrap()), &mut taker);
            plane.on_command(now(0), Command::Record(Source::Room(RoomId(room)), Tap(room)), &mut taker);
        }
        for leg in 0..LEGS {
            if is_guarded(leg) {
                plane.on_command(now(0), Command::Open(LegId(leg)), &mut taker);
                plane.on_command(now(0), Command::Protect(LegId(leg), protections.pop().unwrap()), &mut taker);
            }
            for command in commands(leg).into_iter().take(if leg < 12 { 3 } else { 2 }) {
                plane.on_command(now(0), command, &mut taker);
            }
            plane.on_command(now(0), Command::Record(Source::Leg(LegId(leg)), Tap(100 + leg)), &mut taker);
        }
        for ms in (0..1_000u64).step_by(5) {
            // A consumer that sleeps for a while, and a thread that wakes too late.
            taker.deaf = (400..500).contains(&ms);
            if (600..650).contains(&ms) {
                continue;
            }
            for leg in 0..LEGS {
                let slot = plane.slot(LegId(leg)).unwrap();
                let n = ms as usize / 20;
                let from = stream(leg, 20).remote;
                if ms % 20 == 0 {
                    let bytes = match (leg % 3 == 0, is_guarded(leg)) {
                        (true, false) => &events[n],
                        (false, false) => &voices[n],
                        (true, true) => &sealed_events[n],
                        (false, true) => &sealed_voices[n],
                    };
                    plane.on_packet(now(ms), slot, from, bytes, &mut taker);
                    plane.on_packet(now(ms), slot, from, &bytes[..9], &mut taker);
                }
                if ms % 100 == 0 && plane.takes_commands() {
                    plane.on_command(now(ms), Command::Play(LegId(leg), lists.pop().unwrap()), &mut taker);
                }
                if ms % 500 == 0 {
                    plane.on_command(now(ms), Command::Press(LegId(leg), digit), &mut taker);
                }
                if ms == 800 && is_guarded(leg) {
                    plane.on_command(now(ms), Command::Protect(LegId(leg), protections.pop().unwrap()), &mut taker);
                }
                if ms == 800 {
                    plane.on_command(now(ms), Command::Leave(LegId(leg)), &mut taker);
                    plane.on_command(now(ms), Command::Join(LegId(leg), RoomId(9)), &mut taker);
                    plane.on_command(now(ms), Command::Connect(LegId(leg), stream(leg, 40)), &mut taker);
                }
            }
            plane.tick(now(ms), &mut taker);
        }
        // Long enough for both sides to report, by either port.
        for ms in (1_000..9_000).step_by(5) {
            for leg in 0..LEGS {
                let slot = plane.slot(LegId(leg)).unwrap();
                if ms % 500 == 0 {
                    let from = stream(leg, 20).remote;
                    plane.on_packet(now(ms), slot, from, &report[..length], &mut taker);
                    plane.on_packet(now(ms), slot, from, &asks, &mut taker);
                    plane.on_report(now(ms), slot, from, &report[..length], &mut taker);
                    plane.on_report(now(ms), slot, from, &report[..length - 1], &mut taker);
                }
            }
            plane.tick(now(ms), &mut taker);
        }
        for room in [0, 1, 2, 9] {
            plane.on_command(now(9_000), Command::CloseRoom(RoomId(room)), &mut taker);
        }
        for leg in 0..LEGS {
            plane.farewell(now(9_000), LegId(leg), &mut taker);
            plane.on_command(now(9_000), Command::Close(LegId(leg)), &mut taker);
        }
        plane.tick(now(9_005), &mut taker);
    });
    assert_eq!(tried, 0, "the hot path allocated or freed");
    // It was no idle second.
    let count = |wanted: fn(&Event) -> bool| taker.events.iter().filter(|event| wanted(event)).count();
    assert!(count(|e| matches!(e, Event::Digit { .. })) >= 12);
    assert_eq!(count(|e| matches!(e, Event::Closed { .. })), LEGS as usize);
    let spent = count(|e| matches!(e, Event::Spent(_)));
    assert_eq!(count(|e| matches!(e, Event::SpentKeys(_))), LEGS as usize / 4 * 2);
    assert!(count(|e| matches!(e, Event::Quality { quality, .. } if quality.there.is_none())) > 0);
    let Taker { sent, reports, frames, .. } = taker;
    assert!(reports > LEGS as usize, "{reports} reports");
    assert!(spent > 50 && sent > 80_000 && frames > 500, "{spent} playlists, {sent} bytes, {frames} frames");
}

#[test]
fn the_guard_notices_an_allocation() {
    assert_eq!(forbidden(|| drop(std::hint::black_box(Box::new(1)))), 2);
}
