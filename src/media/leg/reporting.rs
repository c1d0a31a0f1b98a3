//! The reports of a leg: ours every few seconds and at its end, theirs whenever they come (RFC 3550 §6).
//!
//! On the voice's port a report has to come from where the voice comes from. On a port of its own it has to come from
//! where the SDP said, or from the voice's address under the voice's name. What is neither is dropped and counted.

use core::net::SocketAddr;

use super::Leg;
use super::guarded::GUARDED_MAX;
use crate::base::{Heard, Quality};
use crate::media::reports::ntp;
use crate::media::told::Told;
use crate::media::{Event, Sink};
use crate::wire::rtcp::{Compound, Packet, Report, Sent, WRITTEN_MAX};
use crate::wire::srtp::GROWTH_MAX;
use crate::wire::stun::{ANSWER_MAX, is_stun};

impl Leg {
    /// How well both sides heard each other so far.
    pub fn quality(&self) -> Quality {
        let lost = self.sequence.lost();
        let here = Heard { packets: self.counts.received + lost, lost, jitter_ms: self.reports.jitter_ms() };
        Quality { here, there: self.reports.there, round_trip_ms: self.reports.round_trip_ms }
    }

    /// A datagram came to the port that is for reports alone.
    pub fn on_report_port(&mut self, at: i64, from: SocketAddr, bytes: &[u8], told: &mut Told, sink: &mut impl Sink) {
        let from = SocketAddr::new(from.ip().to_canonical(), from.port());
        if is_stun(bytes) {
            let named = self.link.and_then(|link| link.stream.reports);
            let known = named.is_some_and(|named| self.reports.destination(named) == from);
            let mut answer = [0; ANSWER_MAX];
            let length = self.answer_stun(known, from, bytes, &mut answer);
            if let Some(answer) = length.and_then(|length| answer.get(..length)) {
                sink.report(self.slot, from, answer);
            }
            return;
        }
        let mut room = [0; GUARDED_MAX];
        let bytes = if self.is_protected() { self.report_of(bytes, &mut room) } else { Some(bytes) };
        let compound = bytes.and_then(|bytes| Compound::read(bytes).ok());
        let taken = compound.filter(|compound| self.admits(from, *compound));
        self.take(at, taken, told);
    }

    /// A report came to the port of the voice.
    pub(super) fn on_report(&mut self, at: i64, from: SocketAddr, bytes: &[u8], told: &mut Told) {
        let known = self.link.is_some_and(|link| link.latch.knows(from));
        self.take(at, Compound::read(bytes).ok().filter(|_| known), told);
    }

    fn admits(&mut self, from: SocketAddr, compound: Compound<'_>) -> bool {
        let Some(link) = self.link else { return false };
        let by = match compound.packets().next() {
            Some(Packet::Report { ssrc, .. }) => Some(ssrc),
            _ => None,
        };
        let voice = link.latch.source().is_some_and(|source| source.ip() == from.ip()) && by == self.ssrc;
        self.reports.admits(from, link.stream.reports == Some(from), voice)
    }

    fn take(&mut self, at: i64, compound: Option<Compound<'_>>, told: &mut Told) {
        let Some(compound) = compound else {
            self.counts.refused += 1;
            return;
        };
        if self.reports.on_compound(at, compound, self.sender.ssrc(), self.counts.sent) {
            told.push(Event::Quality { leg: self.id, quality: self.quality() });
        }
    }

    /// Reports when it is time to.
    pub(super) fn report_if_due(&mut self, at: i64, told: &mut Told, sink: &mut impl Sink) {
        if self.reports.interval.is_over(at) {
            self.report(at, false, sink);
            told.push(Event::Quality { leg: self.id, quality: self.quality() });
        }
    }

    /// Says that it leaves, where it ever said anything (RFC 3550 §6.3.7).
    pub fn farewell(&mut self, at: i64, sink: &mut impl Sink) {
        if self.counts.sent > 0 {
            self.report(at, true, sink);
        }
    }

    fn report(&mut self, at: i64, goodbye: bool, sink: &mut impl Sink) {
        let Some(link) = self.link else { return };
        let Some(named) = link.stream.reports else { return };
        let sent = self.reports.sends(self.counts.sent).then(|| Sent {
            ntp: ntp(at),
            timestamp: self.sender.timestamp(at),
            packets: self.counts.sent as u32,
            octets: self.reports.octets,
        });
        let progress = self.ssrc.zip(self.sequence.progress());
        let heard = progress.and_then(|(ssrc, progress)| self.reports.block(ssrc, progress, at));
        let report = Report { ssrc: self.sender.ssrc(), sent, heard, name: &self.reports.name, goodbye };
        let mut bytes = [0; WRITTEN_MAX];
        let length = report.write(&mut bytes);
        let mut room = [0; WRITTEN_MAX + GROWTH_MAX];
        room[..WRITTEN_MAX].copy_from_slice(&bytes);
        let Some(bytes) = self.guarded_report(&mut room, length) else { return };
        if link.stream.is_muxed() {
            sink.send(self.slot, link.latch.destination(), bytes);
        } else {
            sink.report(self.slot, self.reports.destination(named), bytes);
        }
    }
}
