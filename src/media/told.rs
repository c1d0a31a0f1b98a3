//! What the plane has to tell and could not yet: a queue that never grows.
//!
//! The ring to the outside is bounded, so it can be full. Events then wait here, in order. What answers a command
//! always finds room, because commands are taken only while there is; what people do (keys, voices) is told
//! while it fits, and counted when it does not.

use std::collections::VecDeque;

use super::{Event, Sink};

/// Events that wait to be taken.
#[derive(Debug)]
pub(super) struct Told {
    waiting: VecDeque<Event>,
    limit: usize,
    /// Events that found no room.
    pub dropped: u64,
}

impl Told {
    /// Room for what `legs` legs can have to say while nobody listens.
    pub fn new(legs: usize) -> Told {
        let limit = legs * 32 + 1_024;
        Told { waiting: VecDeque::with_capacity(limit), limit, dropped: 0 }
    }

    /// Is there room for all that one more command, and what goes on meanwhile, can give rise to?
    pub fn has_room(&self) -> bool {
        self.waiting.len() < self.limit / 4
    }

    /// Queues an event.
    pub fn push(&mut self, event: Event) {
        let limit = match event {
            Event::Talking { .. } | Event::Quality { .. } => self.limit / 4,
            Event::Digit { .. } => self.limit / 2,
            _ => self.limit,
        };
        if self.waiting.len() >= limit {
            self.dropped += 1;
            return;
        }
        self.waiting.push_back(event);
    }

    /// Gives the sink what it can take.
    pub fn flush(&mut self, sink: &mut impl Sink) {
        while let Some(event) = self.waiting.pop_front() {
            if let Err(event) = sink.tell(event) {
                self.waiting.push_front(event);
                return;
            }
        }
    }
}
