//! One leg: what is heard from it, and what it is sent.
//!
//! Packets are read where they lie, checked against the latch, and go into the playout buffer; keys are found
//! both in events and in the voice, and told once. Every 20 ms the leg is given out a frame of what it said, and
//! takes a frame of what it hears: a prompt, its room, or silence, because a callee who is sent nothing
//! takes the line for dead and translators forget the way.

use core::net::SocketAddr;

use super::dtmf::{self, Receiver};
use super::dtmf_send::Presses;
use super::jitter::{Hop, Jitter, Placed};
use super::latch::{Latch, Verdict};
use super::merge::Merge;
use super::player::{Played, Player};
use super::reports::Reports;
use super::sender::{DATAGRAM_MAX, Sender};
use super::sequence::Sequence;
use super::talk::Talk;
use super::told::Told;
use super::tones::{Detector, Tone};
use super::{Counts, Event, Playlist, Sink, Way};
use crate::audio::goertzel::{Bank, HOP};
use crate::audio::{FRAME, Frame, g711, level, mix};
use crate::base::{Codec, Digit, EVENT_PAYLOAD_TYPE, LegId, Stream};
use crate::wire::rtp::{self, BadRtp, Header};
use crate::wire::srtp::Protection;
use crate::wire::stun::{ANSWER_MAX, Request, is_stun};
use crate::wire::telephone_event;

mod guarded;
mod held;
mod reporting;

use guarded::GUARDED_MAX;

/// Samples of the longest packet that is taken: 120 ms.
const PAYLOAD_MAX: usize = 960;

/// One leg of the plane.
#[derive(Debug)]
pub(super) struct Leg {
    pub id: LegId,
    pub slot: usize,
    link: Option<Link>,
    /// What its packets are protected with, where it has keys.
    protection: Option<Box<Protection>>,
    jitter: Jitter,
    sequence: Sequence,
    /// Who sends the voice, and who may be taking over.
    ssrc: Option<u32>,
    ssrc_next: Option<u32>,
    receiver: Receiver,
    detector: Detector,
    merge: Merge,
    sender: Sender,
    player: Player,
    /// Frames since anything could be sent.
    unheard: u32,
    presses: Presses,
    talk: Talk,
    /// Nobody in its room hears it.
    muted: bool,
    counts: Counts,
    reports: Reports,
    /// What it said in the present frame, and whether that is worth mixing.
    pub said: Frame,
    pub voiced: bool,
}

/// What was agreed on, and with whom.
#[derive(Clone, Copy, Debug)]
struct Link {
    stream: Stream,
    latch: Latch,
}

/// What a leg hears below its own prompt.
#[derive(Clone, Copy, Debug)]
pub(super) enum Below<'a> {
    /// Nothing.
    Silence,
    /// This.
    Frame(&'a Frame),
    /// The same as others hear who say nothing either: encoded once, by codec.
    Shared(&'a Frame, &'a [[u8; FRAME]; 2]),
}

impl Leg {
    /// A place for a leg, with everything it will ever need.
    pub fn new(slot: usize) -> Leg {
        Leg {
            id: LegId(0),
            slot,
            link: None,
            protection: None,
            jitter: Jitter::new(),
            sequence: Sequence::default(),
            ssrc: None,
            ssrc_next: None,
            receiver: Receiver::default(),
            detector: Detector::new(),
            merge: Merge::default(),
            sender: Sender::new(0, 0, 0),
            player: Player::default(),
            unheard: 0,
            presses: Presses::new(),
            talk: Talk::default(),
            muted: false,
            counts: Counts::default(),
            reports: Reports::new([0; 16], 0),
            said: [0; FRAME],
            voiced: false,
        }
    }

    /// Begins to be leg `id`, at place `at`.
    pub fn open(&mut self, id: LegId, at: i64, sender: Sender, reports: Reports) {
        self.id = id;
        self.link = None;
        self.jitter.reset(at);
        self.sequence = Sequence::default();
        (self.ssrc, self.ssrc_next) = (None, None);
        self.receiver = Receiver::default();
        self.detector = Detector::new();
        self.merge = Merge::default();
        self.sender = sender;
        self.unheard = 0;
        self.presses = Presses::new();
        self.talk = Talk::default();
        self.muted = false;
        self.counts = Counts::default();
        self.reports = reports;
        self.voiced = false;
    }

    /// Offer and answer agreed, for the first time or anew.
    pub fn connect(&mut self, at: i64, stream: Stream) {
        if self.link.is_none() {
            self.reports.interval.restart(at);
        }
        let mut latch = self.link.map_or(Latch::new(stream.remote), |link| link.latch);
        latch.renew(stream.remote);
        if self.link.is_some_and(|link| link.stream.reports != stream.reports) {
            self.reports.renew();
        }
        let same = self.link.is_some_and(|link| {
            let old = link.stream;
            (old.codec, old.payload_type, old.packet_time) == (stream.codec, stream.payload_type, stream.packet_time)
        });
        if !same {
            self.sender.agree(stream.payload_type, stream.packet_time, silence(stream.codec));
        }
        self.link = Some(Link { stream, latch });
    }

    /// Has anything been agreed on?
    pub fn is_connected(&self) -> bool {
        self.link.is_some()
    }

    /// Do its packets leave in another rhythm than its frames?
    pub fn is_odd(&self) -> bool {
        self.link.is_some() && self.sender.is_odd()
    }

    /// Is somebody talking?
    pub fn is_talking(&self) -> bool {
        self.talk.is_talking()
    }

    /// Forgets how loud it was, and whether anybody heard it: it left its room.
    pub fn fall_silent(&mut self) {
        self.talk = Talk::default();
        self.muted = false;
    }

    /// Nobody in its room hears it any more, or everybody does again.
    pub fn mute(&mut self, muted: bool) {
        self.muted = muted;
    }

    /// What it counted.
    pub fn counts(&self) -> Counts {
        Counts { lost: self.sequence.lost(), ..self.counts }
    }

    /// Plays `list`; what it replaces comes back.
    pub fn play(&mut self, list: Box<Playlist>) -> Option<Box<Playlist>> {
        self.player.play(list)
    }

    /// Stops playing; what was played comes back.
    pub fn hush(&mut self) -> Option<Box<Playlist>> {
        self.player.hush()
    }

    /// Presses a key towards the peer, when the peer takes events.
    pub fn press(&mut self, digit: Digit) -> bool {
        let takes = self.link.is_some_and(|link| link.stream.event_payload_type.is_some());
        takes && self.presses.press(digit)
    }

    /// A datagram came for this leg. `at` is now.
    pub fn on_packet(
        &mut self,
        at: i64,
        from: SocketAddr,
        bytes: &[u8],
        bank: &Bank,
        told: &mut Told,
        sink: &mut impl Sink,
    ) {
        // What asks where it is seen is never protected.
        if !self.is_protected() || is_stun(bytes) {
            return self.on_clear(at, from, bytes, bank, told, sink);
        }
        let mut room = [0; GUARDED_MAX];
        match self.voice_of(from, bytes, &mut room) {
            Some(clear) => self.on_clear(at, from, clear, bank, told, sink),
            None => self.counts.refused += 1,
        }
    }

    /// The same without any protection, or after it was taken off.
    fn on_clear(
        &mut self,
        at: i64,
        from: SocketAddr,
        bytes: &[u8],
        bank: &Bank,
        told: &mut Told,
        sink: &mut impl Sink,
    ) {
        let packet = match rtp::Packet::read(bytes) {
            Ok(packet) => packet,
            Err(BadRtp::Rtcp(_)) => return self.on_report(at, from, bytes, told),
            Err(_) if is_stun(bytes) => return self.on_stun(from, bytes, sink),
            Err(_) => {
                self.counts.refused += 1;
                return;
            }
        };
        let head = packet.header;
        let verdict =
            self.link.as_mut().map_or(Verdict::Refuse, |link| link.latch.on_packet(from, head.ssrc, head.sequence));
        if verdict == Verdict::Refuse {
            self.counts.refused += 1;
            return;
        }
        if verdict == Verdict::TakeAndClose {
            sink.latch(self.slot, from);
        }
        let agreed = self.link.map(|link| (link.stream.payload_type, link.stream.codec));
        match (head.payload_type, telephone_event::Event::read(packet.payload)) {
            // The number that the peer gave the codec is the one it was answered with.
            (kind, _) if agreed.is_some_and(|(payload_type, _)| payload_type == kind) => {
                self.on_voice(at, &head, agreed.map_or(Codec::Pcmu, |(_, codec)| codec), packet.payload);
            }
            (0, _) => self.on_voice(at, &head, Codec::Pcmu, packet.payload),
            (8, _) => self.on_voice(at, &head, Codec::Pcma, packet.payload),
            (kind, Some(event)) if self.is_event(kind) => self.on_event(at, &head, event, told),
            // Comfort noise and what else may come keep the sequence whole.
            _ => {
                self.on_number(&head);
            }
        }
        // Holes before the player's place stay holes.
        self.detect(self.jitter.played(), bank, told);
    }

    /// Somebody asks on the voice's port where they are seen.
    fn on_stun(&mut self, from: SocketAddr, bytes: &[u8], sink: &mut impl Sink) {
        let known = self.link.is_some_and(|link| link.latch.knows(from));
        let mut answer = [0; ANSWER_MAX];
        let length = self.answer_stun(known, from, bytes, &mut answer);
        if let Some(answer) = length.and_then(|length| answer.get(..length)) {
            sink.send(self.slot, from, answer);
        }
    }

    /// The peer asks where it is seen, to keep its way open: that is no voice, and decides nothing about whose voice is
    /// taken (RFC 7983 §7). A stranger is not answered.
    fn answer_stun(
        &mut self,
        known: bool,
        from: SocketAddr,
        bytes: &[u8],
        answer: &mut [u8; ANSWER_MAX],
    ) -> Option<usize> {
        if !known {
            self.counts.refused += 1;
            return None;
        }
        Request::read(bytes).ok().map(|request| request.answer(from, answer))
    }

    /// Takes the frame at `place` out of the playout buffer: into `said` when somebody wants it.
    pub fn hear(&mut self, place: i64, wanted: bool, bank: &Bank, told: &mut Told) {
        self.detect(place + FRAME as i64, bank, told);
        if !wanted {
            self.jitter.pass(place);
            return;
        }
        self.jitter.take(place, &mut self.said);
    }

    /// Judges the frame just heard, for a room: keys are not for the others' ears.
    pub fn listen(&mut self, place: i64, told: &mut Told) {
        // Whoever is muted talks to nobody.
        let loudness = if self.muted { 0.0 } else { level::mean_square(&self.said) };
        if let Some(talking) = self.talk.on_frame(loudness) {
            told.push(Event::Talking { leg: self.id, talking });
        }
        let key = self.detector.hears_a_key() || self.receiver.is_down(place);
        self.voiced = self.talk.is_open() && !key && !self.muted;
    }

    /// Sends the frame at `place`: its own prompt over what lies below.
    pub fn speak(&mut self, at: i64, place: i64, below: Below<'_>, told: &mut Told, sink: &mut impl Sink) {
        let Some(Link { stream, .. }) = self.link else { return };
        self.report_if_due(at, told, sink);
        if !stream.send {
            return self.pass_unheard(told);
        }
        self.unheard = 0;
        if !self.sender.wants(place) {
            return;
        }
        if let (Some(payload_type), Some(report)) = (stream.event_payload_type, self.presses.frame(place)) {
            let mut datagram = [0; DATAGRAM_MAX];
            let payload = report.event.to_bytes();
            let length = self.sender.aside(payload_type, report.marker, report.began, &payload, &mut datagram);
            self.send(&mut datagram, length, sink);
            return;
        }
        let mut prompt = [0; FRAME];
        let played = self.player.frame(&mut prompt);
        let mut bytes = [silence(stream.codec); FRAME];
        match (&played, below) {
            (Played::Voice | Played::First(_), Below::Silence) => encode(stream.codec, &prompt, &mut bytes),
            (Played::Voice | Played::First(_), Below::Frame(frame) | Below::Shared(frame, _)) => {
                let mut both = *frame;
                mix::over(&prompt, &mut both);
                encode(stream.codec, &both, &mut bytes);
            }
            (_, Below::Silence) => {}
            (_, Below::Frame(frame)) => encode(stream.codec, frame, &mut bytes),
            (_, Below::Shared(_, encoded)) => bytes = encoded[usize::from(stream.codec == Codec::Pcma)],
        }
        self.sender.push(place, &bytes);
        self.send_due(at, sink);
        match played {
            Played::First(play) => told.push(Event::PlayStarted { leg: self.id, play }),
            Played::Ended(list) => {
                told.push(Event::PlayEnded { leg: self.id, play: list.play });
                told.push(Event::Spent(list));
            }
            Played::Nothing | Played::Voice => {}
        }
    }

    /// Sends the packet that is due, if one is.
    pub fn send_due(&mut self, at: i64, sink: &mut impl Sink) {
        if !self.link.is_some_and(|link| link.stream.send) {
            return;
        }
        let mut datagram = [0; DATAGRAM_MAX];
        let length = self.sender.packet(at, &mut datagram);
        self.send(&mut datagram, length, sink);
    }

    fn send(&mut self, datagram: &mut [u8; DATAGRAM_MAX], length: Option<usize>, sink: &mut impl Sink) {
        let (Some(link), Some(length)) = (self.link, length) else { return };
        let Some(bytes) = self.guarded(datagram, length) else { return };
        self.counts.sent += 1;
        self.reports.octets = self.reports.octets.wrapping_add(length.saturating_sub(rtp::HEADER) as u32);
        sink.send(self.slot, link.latch.destination(), bytes);
    }

    fn on_voice(&mut self, at: i64, head: &Header, codec: Codec, payload: &[u8]) {
        if !self.on_number(head) {
            return;
        }
        self.reports.on_voice(at, head.timestamp);
        if payload.is_empty() || payload.len() > PAYLOAD_MAX {
            return;
        }
        if !self.link.is_some_and(|link| link.stream.receive) {
            return;
        }
        let mut samples = [0; PAYLOAD_MAX];
        let samples = &mut samples[..payload.len()];
        match codec {
            Codec::Pcmu => g711::decode_ulaw(payload, samples),
            Codec::Pcma => g711::decode_alaw(payload, samples),
        }
        if self.jitter.insert(at, head.timestamp, samples) == Placed::Late {
            self.counts.late += 1;
        }
    }

    fn on_event(&mut self, at: i64, head: &Header, event: telephone_event::Event, told: &mut Told) {
        // Some send events under a name of their own, with numbers of their own.
        if self.ssrc.is_none_or(|ssrc| ssrc == head.ssrc) {
            self.on_number(head);
        } else {
            self.counts.received += 1;
        }
        let (Some(digit), Header { ssrc, timestamp, marker, .. }) = (event.digit(), *head) else { return };
        let telephone_event::Event { end, duration, .. } = event;
        let packet = dtmf::Packet { ssrc, timestamp, marker, digit, end, duration };
        if self.receiver.on_packet(at, packet) {
            let here = self.jitter.place(timestamp, at).filter(|_| self.ssrc == Some(ssrc));
            let began = here.unwrap_or(at + super::jitter::DEPTH - i64::from(duration));
            self.press_heard(digit, Way::Event, began, told);
        }
    }

    /// Is this a key? With the number the peer named, or with the one we offer ourselves; whatever else has a
    /// dynamic type was never agreed on, even where it looks like an event.
    fn is_event(&self, payload_type: u8) -> bool {
        let agreed = self.link.and_then(|link| link.stream.event_payload_type);
        agreed == Some(payload_type) || payload_type == EVENT_PAYLOAD_TYPE
    }

    /// Counts a packet; false when it is a duplicate, or of a sender not believed yet.
    fn on_number(&mut self, head: &Header) -> bool {
        if self.ssrc != Some(head.ssrc) {
            // A new sender is believed at its second packet, so that two at once do not tear the voice apart.
            if self.ssrc.is_some() && self.ssrc_next != Some(head.ssrc) {
                self.ssrc_next = Some(head.ssrc);
                self.counts.late += 1;
                return false;
            }
            self.ssrc = Some(head.ssrc);
            self.sequence.restart();
            self.jitter.restart();
            self.reports.on_other_voice();
        }
        self.ssrc_next = None;
        let fresh = self.sequence.on_packet(head.sequence);
        if fresh {
            self.counts.received += 1;
        } else {
            self.counts.late += 1;
        }
        fresh
    }

    fn detect(&mut self, limit: i64, bank: &Bank, told: &mut Told) {
        while let Some(hop) = self.jitter.next_hop(limit) {
            let heard = match hop {
                Hop::Voice(place, samples) => self.detector.on_voice(place, &samples, bank),
                Hop::Hole(place) => self.detector.on_silence(place),
            };
            if let Some(Tone::Began { digit, at }) = heard {
                self.press_heard(digit, Way::Tone, at, told);
            }
        }
    }

    fn press_heard(&mut self, digit: Digit, way: Way, at: i64, told: &mut Told) {
        if self.merge.on_press(digit, way, at) {
            told.push(Event::Digit { leg: self.id, digit, way });
        }
    }
}

/// A frame, encoded in each codec, by its place in [`Below::Shared`].
pub(super) fn encode_both(frame: &Frame) -> [[u8; FRAME]; 2] {
    let mut both = [[0; FRAME]; 2];
    g711::encode_ulaw(frame, &mut both[0]);
    g711::encode_alaw(frame, &mut both[1]);
    both
}

fn encode(codec: Codec, frame: &Frame, bytes: &mut [u8; FRAME]) {
    match codec {
        Codec::Pcmu => g711::encode_ulaw(frame, bytes),
        Codec::Pcma => g711::encode_alaw(frame, bytes),
    }
}

fn silence(codec: Codec) -> u8 {
    match codec {
        Codec::Pcmu => g711::ULAW_SILENCE,
        Codec::Pcma => g711::ALAW_SILENCE,
    }
}

const _: () = assert!(FRAME.is_multiple_of(HOP), "the detector's hops fill a frame");
