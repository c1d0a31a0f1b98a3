//! Where the media thread's events come out.
//!
//! The thread writes a byte into a socket pair only when the taker has said that it sleeps, so a busy taker costs
//! the thread nothing and a sleeping one a single call.

use std::io::Read;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::{FromPlane, Shared};
use crate::media::Event;

/// The taking end; what the thread wants freed is freed here.
#[derive(Debug)]
pub struct MediaEvents {
    ring: rtrb::Consumer<FromPlane>,
    wake: Wake,
    shared: Arc<Shared>,
}

/// The socket belongs to the reactor only once somebody waits inside one.
#[derive(Debug)]
enum Wake {
    Idle(UnixStream),
    Watched(tokio::net::UnixStream),
    Gone,
}

impl MediaEvents {
    pub(super) fn new(ring: rtrb::Consumer<FromPlane>, wake: UnixStream, shared: Arc<Shared>) -> MediaEvents {
        MediaEvents { ring, wake: Wake::Idle(wake), shared }
    }

    /// The next event, if one is there.
    pub fn try_recv(&mut self) -> Option<Event> {
        loop {
            match self.ring.pop().ok()? {
                FromPlane::Event(Event::Spent(_) | Event::SpentKeys(_)) | FromPlane::Socket(_) => {}
                FromPlane::Event(event) => return Some(event),
            }
        }
    }

    /// The next event; `None` when the thread has ended. Needs tokio's reactor. Nothing is lost when the
    /// future is dropped half way.
    pub async fn recv(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.try_recv() {
                return Some(event);
            }
            self.shared.asleep.store(true, Ordering::SeqCst);
            // What came between looking and falling asleep would wake nobody.
            if let Some(event) = self.try_recv() {
                return Some(event);
            }
            if self.ring.is_abandoned() || !self.sleep().await {
                return self.try_recv();
            }
        }
    }

    /// Waits for the thread's byte; false when none will come.
    async fn sleep(&mut self) -> bool {
        if let Wake::Idle(_) = &self.wake
            && let Wake::Idle(stream) = core::mem::replace(&mut self.wake, Wake::Gone)
            && let Ok(stream) = tokio::net::UnixStream::from_std(stream)
        {
            self.wake = Wake::Watched(stream);
        }
        let Wake::Watched(stream) = &self.wake else { return false };
        if stream.readable().await.is_err() {
            return false;
        }
        match stream.try_read(&mut [0; 64]) {
            Ok(count) => count > 0,
            Err(error) => error.kind() == std::io::ErrorKind::WouldBlock,
        }
    }

    /// The next event for a caller without a reactor: waits at most `limit`.
    pub fn recv_timeout(&mut self, limit: std::time::Duration) -> Option<Event> {
        let end = std::time::Instant::now() + limit;
        loop {
            if let Some(event) = self.try_recv() {
                return Some(event);
            }
            self.shared.asleep.store(true, Ordering::SeqCst);
            if let Some(event) = self.try_recv() {
                return Some(event);
            }
            let Wake::Idle(stream) = &mut self.wake else { return None };
            let left = end.saturating_duration_since(std::time::Instant::now());
            if left.is_zero() || self.ring.is_abandoned() {
                return None;
            }
            let waits = stream.set_nonblocking(false).and_then(|()| stream.set_read_timeout(Some(left)));
            let read = waits.and_then(|()| stream.read(&mut [0; 64]));
            if stream.set_nonblocking(true).is_err() || matches!(read, Ok(0)) {
                return self.try_recv();
            }
        }
    }
}
