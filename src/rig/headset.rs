//! The voice of a telephone: sends a packet every 20 ms, records what comes.
//!
//! It speaks what it was given (a hum of its own pitch, the two tones of a key) and silence otherwise; keys
//! can also be pressed as RFC 4733 events, and while one is down no voice is sent. Packets that are late are
//! left out, never sent in a burst.

use core::f64::consts::TAU;
use core::net::SocketAddr;
use core::time::Duration;
use std::collections::VecDeque;

use rand::RngExt;

use super::Datagram;
use super::recording::Recording;
use crate::audio::g711::{encode_alaw, encode_ulaw};
use crate::audio::tone;
use crate::base::{Codec, Digit, Rng, Stream, Time};
use crate::media::{FRAME, Presses, SAMPLE_RATE, Way};
use crate::wire::rtp::{Header, Packet};

/// How much voice a packet carries.
const PACKET: Duration = Duration::from_millis(20);
/// A packet later than this is left out.
const LATE: Duration = Duration::from_millis(60);
/// What may wait to be spoken, in samples: a minute.
const WAITING: usize = 60 * SAMPLE_RATE as usize;
/// How long a key's tones sound, and the pause behind them.
const TONES: Duration = Duration::from_millis(100);
const PAUSE: usize = 80 * SAMPLE_RATE as usize / 1_000;
/// The level of a key's low tone, and how much louder its high one is.
const KEY_DBM0: f32 = -10.0;
const KEY_TWIST_DB: f32 = 2.0;
/// The level of a voice at the loudest point of a syllable.
const VOICE_DBM0: f32 = -12.0;
/// Syllables a second.
const SYLLABLES_HZ: f64 = 4.0;

/// One call's voice, both ways.
#[derive(Debug)]
pub struct Headset {
    stream: Stream,
    next: Time,
    /// Samples since the call was answered.
    place: i64,
    ssrc: u32,
    sequence: u16,
    offset: u32,
    presses: Presses,
    voice: VecDeque<i16>,
    heard: Recording,
}

impl Headset {
    /// Begins to send and to record.
    pub fn new(now: Time, stream: Stream, rng: &mut Rng) -> Headset {
        Headset {
            stream,
            next: now,
            place: 0,
            ssrc: rng.random(),
            sequence: rng.random(),
            offset: rng.random(),
            presses: Presses::new(),
            voice: VecDeque::new(),
            heard: Recording::new(now),
        }
    }

    /// The agreement changed.
    pub fn change(&mut self, stream: Stream) {
        self.stream = stream;
    }

    /// What was heard so far.
    pub fn heard(&self) -> &Recording {
        &self.heard
    }

    /// Hangs up: only what was heard remains.
    pub fn into_heard(self) -> Recording {
        self.heard
    }

    /// Presses a key. Where the far end takes no events, its tones sound instead, as with any telephone.
    pub fn press(&mut self, digit: Digit, way: Way) {
        match way {
            Way::Event if self.stream.event_payload_type.is_some() && self.presses.press(digit) => {}
            Way::Event | Way::Tone => {
                self.say(tone::key(digit, TONES, KEY_DBM0, KEY_TWIST_DB));
                self.say(vec![0; PAUSE]);
            }
        }
    }

    /// Hums at `hz` for so long, in syllables.
    pub fn talk(&mut self, hz: f64, length: Duration) {
        let mut hum = tone::sines(&[tone::Sine { hz, dbm0: VOICE_DBM0 }], length);
        for (n, sample) in hum.iter_mut().enumerate() {
            let syllable = 0.5 - 0.5 * (TAU * SYLLABLES_HZ * n as f64 / f64::from(SAMPLE_RATE)).cos();
            *sample = (f64::from(*sample) * syllable) as i16;
        }
        self.say(hum);
    }

    /// A datagram came to the RTP port.
    pub fn on_datagram(&mut self, now: Time, _from: SocketAddr, bytes: &[u8]) {
        if let Ok(packet) = Packet::read(bytes)
            && packet.header.payload_type == self.stream.codec.payload_type()
        {
            self.heard.on_packet(now, &packet, self.stream.codec);
        }
    }

    /// When the next packet leaves.
    pub fn next_deadline(&self) -> Time {
        self.next
    }

    /// Sends the packet that is due.
    pub fn on_deadline(&mut self, now: Time) -> Option<Datagram> {
        if now < self.next {
            return None;
        }
        while now.since(self.next) >= LATE {
            self.step();
        }
        let mut frame = [0; FRAME];
        frame.iter_mut().zip(self.voice.drain(..FRAME.min(self.voice.len()))).for_each(|(to, from)| *to = from);
        let place = self.place;
        let press = self.presses.frame(place);
        self.step();
        if !self.stream.send {
            return None;
        }
        let event = press.zip(self.stream.event_payload_type);
        let bytes = match event {
            Some((press, payload_type)) => {
                self.packet(press.marker, payload_type, press.began, &press.event.to_bytes())
            }
            None => {
                let mut payload = [0; FRAME];
                match self.stream.codec {
                    Codec::Pcmu => encode_ulaw(&frame, &mut payload),
                    Codec::Pcma => encode_alaw(&frame, &mut payload),
                }
                self.packet(place == 0, self.stream.payload_type, place, &payload)
            }
        };
        Some(Datagram { to: self.stream.remote, bytes })
    }

    fn say(&mut self, samples: Vec<i16>) {
        let free = WAITING.saturating_sub(self.voice.len());
        self.voice.extend(samples.into_iter().take(free));
    }

    fn step(&mut self) {
        self.next = self.next + PACKET;
        self.place += FRAME as i64;
    }

    fn packet(&mut self, marker: bool, payload_type: u8, place: i64, payload: &[u8]) -> Vec<u8> {
        let (sequence, ssrc) = (self.sequence, self.ssrc);
        self.sequence = sequence.wrapping_add(1);
        // Only the low 32 bits go on the wire, where timestamps wrap.
        let timestamp = self.offset.wrapping_add(place as u32);
        let mut bytes = Header { marker, payload_type, sequence, timestamp, ssrc }.to_bytes().to_vec();
        bytes.extend_from_slice(payload);
        bytes
    }
}
