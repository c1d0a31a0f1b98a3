//! What is being recorded. The frames leave by the sink; the file is somebody else's.

use super::{Recorded, Sink, Source, Tap};
use crate::audio::{FRAME, Frame};

/// All recordings of a plane.
#[derive(Debug)]
pub(super) struct Taps {
    running: Vec<Running>,
    /// Over, and not yet told.
    ended: Vec<Recorded>,
    limit: usize,
    /// Frames that found no room outside.
    pub dropped: u64,
}

#[derive(Clone, Copy, Debug)]
struct Running {
    tap: Tap,
    source: Source,
    /// Where its first frame stands.
    began: Option<i64>,
}

impl Taps {
    /// Room for `limit` recordings at a time.
    pub fn new(limit: usize) -> Taps {
        Taps { running: Vec::with_capacity(limit), ended: Vec::with_capacity(limit), limit, dropped: 0 }
    }

    /// Is there room for one more, and for one that ends?
    pub fn has_room(&self) -> bool {
        self.ended.len() + self.running.len() < self.limit
    }

    /// Begins a recording.
    pub fn start(&mut self, source: Source, tap: Tap) {
        if self.has_room() {
            self.running.push(Running { tap, source, began: None });
        }
    }

    /// Ends the recordings that `ends` says.
    fn end(&mut self, ends: impl Fn(&Running) -> bool) {
        let ended = &mut self.ended;
        self.running.retain(|running| {
            let over = ends(running);
            if over {
                ended.push(Recorded { tap: running.tap, index: 0, last: true, samples: [0; FRAME] });
            }
            !over
        });
    }

    /// Ends a recording.
    pub fn stop(&mut self, tap: Tap) {
        self.end(|running| running.tap == tap);
    }

    /// Ends all recordings of a source, which is closing.
    pub fn close(&mut self, source: Source) {
        self.end(|running| running.source == source);
    }

    /// Is this source recorded?
    pub fn hears(&self, source: Source) -> bool {
        self.running.iter().any(|running| running.source == source)
    }

    /// A frame of this source, which stands at `place`.
    pub fn on_frame(&mut self, source: Source, place: i64, samples: &Frame, sink: &mut impl Sink) {
        for running in self.running.iter_mut().filter(|running| running.source == source) {
            let began = *running.began.get_or_insert(place);
            let index = u32::try_from((place - began) / FRAME as i64).unwrap_or(0);
            let frame = Recorded { tap: running.tap, index, last: false, samples: *samples };
            self.dropped += u64::from(!sink.record(&frame));
        }
    }

    /// Tells which recordings are over.
    pub fn flush(&mut self, sink: &mut impl Sink) {
        while let Some(ended) = self.ended.last() {
            if !sink.record(ended) {
                return;
            }
            self.ended.pop();
        }
    }
}
