//! The plane from outside, in virtual time: packets and commands in, packets and events out.

use core::net::SocketAddr;
use core::time::Duration;

use super::*;
use crate::audio::goertzel::{Bank, HOP};
use crate::audio::tone::{self, Sine};
use crate::audio::{FRAME, g711, level};
use crate::base::{Codec, EVENT_PAYLOAD_TYPE, Time};
use crate::wire::rtp::{Header, Packet};
use crate::wire::telephone_event;

mod guarded;
mod held;
mod muted;
mod numbers;
mod reports;

/// Everything the plane gave out, with the moment in ms.
#[derive(Default)]
struct Out {
    now_ms: u64,
    sent: Vec<(u64, usize, SocketAddr, Vec<u8>)>,
    reports: Vec<(u64, usize, SocketAddr, Vec<u8>)>,
    latched: Vec<SocketAddr>,
    events: Vec<(u64, Event)>,
    frames: Vec<Recorded>,
    /// As if the ring were full.
    deaf: bool,
}

impl Sink for Out {
    fn send(&mut self, slot: usize, to: SocketAddr, bytes: &[u8]) {
        self.sent.push((self.now_ms, slot, to, bytes.to_vec()));
    }

    fn report(&mut self, slot: usize, to: SocketAddr, bytes: &[u8]) {
        self.reports.push((self.now_ms, slot, to, bytes.to_vec()));
    }

    fn latch(&mut self, _slot: usize, peer: SocketAddr) {
        self.latched.push(peer);
    }

    fn tell(&mut self, event: Event) -> Result<(), Event> {
        if self.deaf {
            return Err(event);
        }
        self.events.push((self.now_ms, event));
        Ok(())
    }

    fn record(&mut self, frame: &Recorded) -> bool {
        self.frames.push(*frame);
        !self.deaf
    }
}

struct World {
    plane: Plane,
    out: Out,
    micros: u64,
}

impl World {
    fn new(legs: usize) -> World {
        World { plane: Plane::new(Limits { legs, rooms: 4 }, 7), out: Out::default(), micros: 1_000_000 }
    }

    fn now(&self) -> Time {
        Time::from_micros(self.micros)
    }

    fn command(&mut self, command: Command) {
        let now = self.now();
        self.plane.on_command(now, command, &mut self.out);
    }

    /// Opens a leg and connects it.
    fn call(&mut self, leg: u32) {
        self.command(Command::Open(LegId(leg)));
        self.command(Command::Connect(LegId(leg), stream(leg)));
    }

    fn run(&mut self, ms: u64) {
        for _ in 0..ms / 5 {
            self.micros += 5_000;
            self.out.now_ms = self.micros / 1_000;
            let now = self.now();
            self.plane.tick(now, &mut self.out);
        }
    }

    fn packet(&mut self, leg: u32, bytes: &[u8]) {
        self.packet_from(leg, stream(leg).remote, bytes);
    }

    fn packet_from(&mut self, leg: u32, from: SocketAddr, bytes: &[u8]) {
        let slot = self.plane.slot(LegId(leg)).unwrap();
        let now = self.now();
        self.plane.on_packet(now, slot, from, bytes, &mut self.out);
    }

    /// The leg's peer says this, in packets of 20 ms, while time goes on.
    fn says(&mut self, leg: u32, from_packet: u16, samples: &[i16]) {
        for (number, frame) in (from_packet..).zip(samples.chunks(FRAME)) {
            self.packet(leg, &voice(number, frame));
            self.run(20);
        }
    }

    fn digits(&self) -> String {
        let digit = |event: &Event| if let Event::Digit { digit, .. } = event { Some(digit.as_char()) } else { None };
        self.out.events.iter().filter_map(|(_, event)| digit(event)).collect()
    }

    /// What was sent to a leg's peer, as samples.
    fn heard(&self, leg: u32) -> Vec<i16> {
        let slot = self.plane.slot(LegId(leg)).unwrap();
        let mut samples = Vec::new();
        for (_, _, _, bytes) in self.out.sent.iter().filter(|sent| sent.1 == slot) {
            let payload = Packet::read(bytes).unwrap().payload;
            let mut decoded = vec![0; payload.len()];
            g711::decode_ulaw(payload, &mut decoded);
            samples.extend(decoded);
        }
        samples
    }

    fn sent_at(&self) -> Vec<u64> {
        self.out.sent.iter().map(|sent| sent.0).collect()
    }

    fn told(&self, wanted: &Event) -> Vec<u64> {
        self.out.events.iter().filter(|(_, event)| event == wanted).map(|(at, _)| *at).collect()
    }
}

fn stream(leg: u32) -> Stream {
    Stream {
        remote: SocketAddr::from(([192, 0, 2, 1], 4_000 + leg as u16)),
        reports: None,
        codec: Codec::Pcmu,
        payload_type: 0,
        event_payload_type: Some(101),
        packet_time: Duration::from_millis(20),
        send: true,
        receive: true,
        keys: None,
    }
}

fn voice(number: u16, samples: &[i16]) -> Vec<u8> {
    let timestamp = u32::from(number) * 160;
    let header = Header { marker: false, payload_type: 0, sequence: number, timestamp, ssrc: 5 };
    let mut bytes = header.to_bytes().to_vec();
    let mut encoded = vec![0; samples.len()];
    g711::encode_ulaw(samples, &mut encoded);
    bytes.extend(encoded);
    bytes
}

fn event(number: u16, timestamp: u32, key: char, end: bool, duration: u16) -> Vec<u8> {
    let header = Header { marker: duration == 0, payload_type: 101, sequence: number, timestamp, ssrc: 5 };
    let code = Digit::from_char(key).unwrap().event();
    let mut bytes = header.to_bytes().to_vec();
    bytes.extend(telephone_event::Event { code, end, volume: 10, duration }.to_bytes());
    bytes
}

fn sine(hz: f64, ms: u64) -> Vec<i16> {
    tone::sines(&[Sine { hz, dbm0: -12.0 }], Duration::from_millis(ms))
}

fn key(key: char, ms: u64) -> Vec<i16> {
    tone::key(Digit::from_char(key).unwrap(), Duration::from_millis(ms), -12.0, 2.0)
}

fn list(play: u32, prompt: &[i16]) -> Box<Playlist> {
    Box::new(Playlist { play, prompts: vec![prompt.into()], forever: false })
}

/// The level of one DTMF frequency within samples, by its place in the bank.
fn level_of(bank_tone: usize, samples: &[i16]) -> f32 {
    let bank = Bank::new();
    let hops: Vec<_> = samples.as_chunks::<HOP>().0.iter().map(|hop| bank.hop(hop)).collect();
    let windows = hops.windows(4).map(|w| bank.window([&w[0], &w[1], &w[2], &w[3]]).power(bank_tone, 0.0));
    level::dbm0(windows.fold(0.0, f32::max))
}

#[test]
fn a_connected_leg_is_sent_a_packet_every_20_ms_though_nothing_is_to_be_said() {
    let mut world = World::new(4);
    world.call(1);
    world.run(1_000);
    let sent = world.sent_at();
    assert!(sent[0] - 1_000 <= 20, "{sent:?}");
    assert!(sent.windows(2).all(|pair| pair[1] - pair[0] == 20));
    assert_eq!(world.out.sent[0].2, stream(1).remote);
    assert!(world.heard(1).iter().all(|sample| *sample == 0));
    let head = |n: usize| Packet::read(&world.out.sent[n].3).unwrap().header;
    assert!(head(0).marker && !head(1).marker);
    assert_eq!(head(2).timestamp.wrapping_sub(head(0).timestamp), 320);
}

#[test]
fn the_first_words_leave_within_20_ms_of_the_answer_and_their_end_is_told_when_it_was_heard() {
    let mut world = World::new(4);
    world.command(Command::Open(LegId(1)));
    world.run(500);
    assert!(world.out.sent.is_empty());
    world.command(Command::Connect(LegId(1), stream(1)));
    world.command(Command::Play(LegId(1), list(3, &sine(697.0, 400))));
    world.run(1_000);
    let started = world.told(&Event::PlayStarted { leg: LegId(1), play: 3 });
    let ended = world.told(&Event::PlayEnded { leg: LegId(1), play: 3 });
    assert!(started[0] <= 1_520);
    assert!((480..=520).contains(&(ended[0] - started[0])), "{}", ended[0] - started[0]);
    assert!((level_of(0, &world.heard(1)[..3_200]) + 12.0).abs() < 1.0);
}

#[test]
fn a_prompt_that_was_replaced_or_hushed_is_freed_elsewhere_and_never_ends() {
    let mut world = World::new(4);
    world.call(1);
    world.command(Command::Play(LegId(1), list(1, &sine(697.0, 400))));
    world.run(100);
    world.command(Command::Play(LegId(1), list(2, &sine(697.0, 400))));
    world.run(100);
    world.command(Command::Hush(LegId(1)));
    world.run(1_000);
    let spent = world.out.events.iter().filter(|(_, e)| matches!(e, Event::Spent(_))).count();
    assert_eq!(spent, 2);
    assert!(!world.out.events.iter().any(|(_, e)| matches!(e, Event::PlayEnded { .. })));
    assert!(world.heard(1)[2_000..].iter().all(|sample| *sample == 0));
}

#[test]
fn while_the_peer_holds_us_nothing_is_sent_and_the_prompt_waits() {
    let mut world = World::new(4);
    world.call(1);
    world.command(Command::Connect(LegId(1), Stream { send: false, ..stream(1) }));
    world.command(Command::Play(LegId(1), list(1, &sine(697.0, 100))));
    world.run(500);
    assert!(world.out.sent.is_empty() && world.out.events.is_empty());
    world.command(Command::Connect(LegId(1), stream(1)));
    world.run(500);
    assert!(level_of(0, &world.heard(1)) > -14.0);
}

#[test]
fn a_key_is_told_once_whether_it_comes_as_event_as_tone_or_as_both() {
    let mut world = World::new(4);
    world.call(1);
    for (number, (end, duration)) in (0..).zip([(false, 0), (false, 160), (true, 320), (true, 320), (true, 320)]) {
        world.packet(1, &event(number, 0, '1', end, duration));
        world.run(20);
    }
    assert_eq!(world.digits(), "1");
    let mut said = key('2', 100);
    said.extend(vec![0; 800]);
    world.says(1, 10, &said);
    assert_eq!(world.digits(), "12");
    // The tone leaks until the gateway has noticed it, and then goes on as an event.
    let mut number = 40;
    for frame in key('3', 60).chunks(FRAME) {
        world.packet(1, &voice(number, frame));
        world.run(20);
        number += 1;
    }
    for duration in [0, 160, 320] {
        world.packet(1, &event(number, 42 * 160, '3', duration == 320, duration));
        world.run(20);
        number += 1;
    }
    world.says(1, number + 10, &[0; 3_200]);
    assert_eq!(world.digits(), "123");
}

#[test]
fn a_key_is_told_soon_after_it_went_down() {
    let mut world = World::new(4);
    world.call(1);
    world.says(1, 0, &[0; 1_600]);
    let began = world.micros / 1_000;
    world.says(1, 10, &key('5', 80));
    let (at, told) = &world.out.events[0];
    assert!(matches!(told, Event::Digit { way: Way::Tone, .. }));
    assert!(at - began <= 45, "{} ms after it went down", at - began);
}

#[test]
fn a_packet_lost_within_a_tone_does_not_make_two_presses_of_it() {
    let mut world = World::new(4);
    world.call(1);
    world.says(1, 0, &[0; 800]);
    for (number, frame) in (5..).zip(key('7', 200).chunks(FRAME)) {
        if number != 10 {
            world.packet(1, &voice(number, frame));
        }
        world.run(20);
    }
    world.says(1, 15, &[0; 1_600]);
    assert_eq!(world.digits(), "7");
    world.command(Command::Close(LegId(1)));
    let closed = world.out.events.last().unwrap();
    assert!(matches!(closed.1, Event::Closed { counts: Counts { lost: 1, late: 0, .. }, .. }), "{closed:?}");
}

#[test]
fn strangers_and_noise_are_counted_and_change_nothing() {
    let mut world = World::new(4);
    world.call(1);
    world.packet(1, &voice(1, &[0; FRAME]));
    assert_eq!(world.out.latched, [stream(1).remote]);
    let stranger = SocketAddr::from(([203, 0, 113, 9], 9));
    for number in 0..20 {
        world.packet_from(1, stranger, &event(number, 0, '1', false, 0));
    }
    for noise in [&[][..], &[0x80], &[0xff; 600], b"OPTIONS sip:x SIP/2.0\r\n\r\n", &[0x80; 12]] {
        world.packet(1, noise);
    }
    assert_eq!(world.digits(), "");
    world.command(Command::Close(LegId(1)));
    let Event::Closed { counts, .. } = world.out.events.last().unwrap().1 else { panic!("not closed") };
    assert!(counts.refused >= 23, "{counts:?}");
}

#[test]
fn a_voice_in_a_codec_we_do_not_know_is_no_key() {
    let mut world = World::new(4);
    world.call(1);
    for number in 0..20 {
        let header = Header { marker: true, payload_type: 111, sequence: number, timestamp: 0, ssrc: 5 };
        world.packet(1, &[&header.to_bytes()[..], &[7; 60]].concat());
    }
    assert_eq!(world.digits(), "");
    let header = Header { marker: true, payload_type: EVENT_PAYLOAD_TYPE, sequence: 20, timestamp: 0, ssrc: 5 };
    world.packet(1, &[&header.to_bytes()[..], &[7, 10, 0, 160]].concat());
    assert_eq!(world.digits(), "7", "an event under the number that we offered");
}

#[test]
fn in_a_room_everybody_hears_the_others_and_nobody_hears_themselves() {
    let mut world = World::new(4);
    let tones = [697.0, 852.0, 1_209.0];
    for leg in 1..=3 {
        world.call(leg);
        world.command(Command::Join(LegId(leg), RoomId(1)));
    }
    let voices: Vec<Vec<i16>> = tones.iter().map(|hz| sine(*hz, 2_000)).collect();
    for number in 0..100u16 {
        for leg in 1..=3u32 {
            let from = usize::from(number) * FRAME;
            world.packet(leg, &voice(number, &voices[leg as usize - 1][from..from + FRAME]));
        }
        world.run(20);
    }
    for (leg, own, others) in [(1, 0, [2, 4]), (2, 2, [0, 4]), (3, 4, [0, 2])] {
        let heard = &world.heard(leg)[4_000..12_000];
        assert!(level_of(own, heard) < -35.0, "leg {leg} hears itself: {}", level_of(own, heard));
        others.iter().for_each(|other| assert!((level_of(*other, heard) + 12.0).abs() < 1.5, "leg {leg}"));
    }
    assert_eq!(world.told(&Event::Talking { leg: LegId(2), talking: true }).len(), 1);
}

#[test]
fn who_is_alone_hears_the_music_until_the_second_comes() {
    let mut world = World::new(4);
    world.command(Command::Music(
        RoomId(9),
        Box::new(Playlist { play: 0, prompts: vec![sine(697.0, 100).into()], forever: true }),
    ));
    world.call(1);
    world.command(Command::Join(LegId(1), RoomId(9)));
    world.run(1_000);
    assert!(level_of(0, &world.heard(1)) > -14.0);
    world.call(2);
    world.command(Command::Join(LegId(2), RoomId(9)));
    world.run(500);
    let before = world.heard(1).len();
    world.run(500);
    assert!(world.heard(1)[before..].iter().all(|sample| *sample == 0));
    assert!(world.heard(2).iter().all(|sample| *sample == 0));
    world.command(Command::CloseRoom(RoomId(9)));
    let gone = |(_, e): &(u64, Event)| matches!(e, Event::Spent(list) if list.forever);
    assert!(world.out.events.iter().any(gone), "the music rides back");
    let before = world.out.sent.len();
    world.run(100);
    assert_eq!(world.out.sent.len() - before, 10, "both are still sent to");
}

#[test]
fn joining_a_room_keeps_the_packets_coming_and_their_timestamps_true() {
    let mut world = World::new(8);
    for leg in 1..=5 {
        world.call(leg);
        world.run(35);
        world.command(Command::Join(LegId(leg), RoomId(1)));
        world.run(135);
        world.command(Command::Leave(LegId(leg)));
    }
    world.run(200);
    for slot in 0..5 {
        let sent: Vec<_> = world.out.sent.iter().filter(|sent| sent.1 == slot).collect();
        let stamp = |n: usize| Packet::read(&sent[n].3).unwrap().header.timestamp;
        for n in 1..sent.len() {
            let (gap, samples) = (sent[n].0 - sent[n - 1].0, stamp(n).wrapping_sub(stamp(n - 1)));
            assert!((20..=35).contains(&gap), "slot {slot}: {gap} ms");
            assert_eq!(u64::from(samples), gap * 8, "slot {slot}");
        }
    }
}

#[test]
fn a_late_tick_skips_and_never_bursts() {
    let mut world = World::new(8);
    (1..=8).for_each(|leg| world.call(leg));
    world.run(100);
    let before = world.out.sent.len();
    world.micros += 130_000;
    world.run(5);
    assert_eq!(world.out.sent.len() - before, 8, "one packet a leg");
    assert!(world.plane.stats().skipped >= 20);
    let stamps: Vec<u32> = world
        .out
        .sent
        .iter()
        .filter(|sent| sent.1 == 0)
        .map(|sent| Packet::read(&sent.3).unwrap().header.timestamp)
        .collect();
    let jump = stamps.windows(2).map(|pair| pair[1].wrapping_sub(pair[0])).max();
    assert!((900..=1_300).contains(&jump.unwrap()), "{jump:?}");
}

#[test]
fn events_that_nobody_takes_wait_and_keep_their_order() {
    let mut world = World::new(4);
    world.call(1);
    world.out.deaf = true;
    world.packet(1, &event(1, 0, '1', false, 0));
    world.packet(1, &event(2, 2_000, '2', false, 0));
    world.command(Command::Close(LegId(1)));
    assert!(world.out.events.is_empty());
    world.out.deaf = false;
    world.run(5);
    assert_eq!(world.digits(), "12");
    assert!(matches!(world.out.events[2].1, Event::Closed { .. }));
}

#[test]
fn a_full_plane_refuses_and_a_closed_leg_makes_room() {
    let mut world = World::new(1);
    world.call(1);
    world.call(2);
    assert_eq!(world.out.events[0].1, Event::Refused(LegId(2)));
    world.command(Command::Close(LegId(1)));
    world.call(3);
    assert!(world.plane.slot(LegId(3)).is_some());
    world.plane.set_full(true);
    world.command(Command::Close(LegId(3)));
    world.call(4);
    assert_eq!(world.out.events.last().unwrap().1, Event::Refused(LegId(4)));
}

#[test]
fn a_recording_holds_what_was_said_and_tells_its_end() {
    let mut world = World::new(4);
    world.call(1);
    world.command(Command::Record(Source::Leg(LegId(1)), Tap(5)));
    world.says(1, 0, &sine(697.0, 1_000));
    world.command(Command::Close(LegId(1)));
    let frames = &world.out.frames;
    assert!(frames.last().unwrap().last && frames.iter().all(|frame| frame.tap == Tap(5)));
    let samples: Vec<i16> = frames.iter().flat_map(|frame| frame.samples).collect();
    assert!((level_of(0, &samples) + 12.0).abs() < 1.0);
    assert!(frames.windows(2).all(|pair| pair[1].last || pair[1].index == pair[0].index + 1));
}

#[test]
fn keys_pressed_on_one_plane_are_heard_on_another() {
    let (mut phone, mut house) = (World::new(1), World::new(1));
    phone.call(1);
    house.call(1);
    "42#".chars().for_each(|key| phone.command(Command::Press(LegId(1), Digit::from_char(key).unwrap())));
    for _ in 0..200 {
        phone.run(5);
        house.run(5);
        for (_, _, _, bytes) in phone.out.sent.drain(..).collect::<Vec<_>>() {
            house.packet(1, &bytes);
        }
    }
    assert_eq!(house.digits(), "42#");
}
