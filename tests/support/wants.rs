//! What the media plane wants done, kept until somebody does it.

use core::net::SocketAddr;

use hansho::media::{Event, Recorded, Sink};

/// In the order in which it came.
#[derive(Default)]
pub struct Wants {
    /// Packets that are to leave, with the slot of their leg.
    pub packets: Vec<(usize, SocketAddr, Vec<u8>)>,
    pub events: Vec<Event>,
    pub recorded: Vec<Recorded>,
}

impl Sink for Wants {
    fn send(&mut self, slot: usize, to: SocketAddr, bytes: &[u8]) {
        self.packets.push((slot, to, bytes.to_vec()));
    }

    fn report(&mut self, slot: usize, to: SocketAddr, bytes: &[u8]) {
        self.packets.push((slot, to, bytes.to_vec()));
    }

    fn latch(&mut self, _slot: usize, _peer: SocketAddr) {}

    fn tell(&mut self, event: Event) -> Result<(), Event> {
        self.events.push(event);
        Ok(())
    }

    fn record(&mut self, frame: &Recorded) -> bool {
        self.recorded.push(*frame);
        true
    }
}
