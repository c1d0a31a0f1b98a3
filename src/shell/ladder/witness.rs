//! The core's end: sees every message in and out, and hands a copy to the keeper's thread.
//!
//! It never waits, never writes and takes no lock. What the thread cannot take in time is counted and lost; what
//! strangers send may use a small part of the room only.
//!
//! Easy to get wrong: waking a thread costs more than the copy. The thread looks by itself while there is something to
//! do, and is woken only after it has gone to sleep.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use super::keeper::{self, LadderHandle};
use crate::base::Time;
use crate::shell::clock::Clock;
use crate::sip::rung::KEPT_MAX;
use crate::sip::{Hop, Identities};
use crate::switch::Event;
use crate::wire::stun::is_stun;

/// Messages that may wait for the thread.
const WAITING: usize = 4_096;
/// Their bytes together.
const WAITING_BYTES: usize = 8 << 20;
/// The same of strangers.
const STRANGERS_BYTES: usize = 1 << 20;
/// Less is a keep-alive.
const LEAST: usize = 16;

/// A message on its way to the thread.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) at: Time,
    pub(super) sent: bool,
    /// By us, or by somebody who may have something to say to us.
    pub(super) trusted: bool,
    pub(super) hop: Hop,
    /// Our end, where it is the end of a connection.
    pub(super) local: Option<SocketAddr>,
    pub(super) bytes: Vec<u8>,
}

/// What both ends look at.
#[derive(Debug, Default)]
pub(super) struct Shared {
    /// The thread sleeps until it is woken.
    pub(super) asleep: AtomicBool,
    /// Nothing more comes.
    pub(super) ended: AtomicBool,
    /// Bytes that wait.
    pub(super) bytes: AtomicUsize,
    /// Messages that were lost since the start.
    pub(super) lost: AtomicU64,
    /// Why nothing is kept.
    pub(super) trouble: Mutex<Option<String>>,
}

impl Shared {
    pub(super) fn trouble(&self) -> Option<String> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Sets why nothing is kept; what it was before.
    pub(super) fn is_in(&self, trouble: Option<String>) -> Option<String> {
        core::mem::replace(&mut *self.trouble.lock().unwrap_or_else(PoisonError::into_inner), trouble)
    }
}

/// Sees messages.
#[derive(Debug)]
pub struct Witness {
    ring: rtrb::Producer<Seen>,
    shared: Arc<Shared>,
    clock: Clock,
    handle: LadderHandle,
    thread: Option<JoinHandle<()>>,
}

/// Starts the thread that keeps messages in the file at `path`. `us`: where we are, where a connection does not say it
/// better.
pub fn start(path: &Path, us: Identities, clock: Clock) -> io::Result<Witness> {
    let (ring, rest) = rtrb::RingBuffer::new(WAITING);
    let shared = Arc::new(Shared::default());
    let (handle, thread) = keeper::start(path, us, clock, rest, shared.clone())?;
    Ok(Witness { ring, shared, clock, handle, thread: Some(thread) })
}

impl Witness {
    /// A message came. `local`: our end, where it came over a connection. `trusted`: from somebody who may have something
    /// to say to us.
    pub fn heard(&mut self, from: Hop, local: Option<SocketAddr>, trusted: bool, bytes: &[u8]) {
        // Of what was refused as too long the beginning says whose it is.
        let bytes = bytes.get(..KEPT_MAX).unwrap_or(bytes);
        if !is_stun(bytes) && self.has_room(bytes.len(), if trusted { WAITING_BYTES } else { STRANGERS_BYTES }, trusted)
        {
            let at = self.clock.now();
            self.hand_over(Seen { at, sent: false, trusted, hop: from, local, bytes: bytes.to_vec() });
        }
    }

    /// We sent a message.
    pub fn sent(&mut self, to: Hop, local: Option<SocketAddr>, bytes: Vec<u8>) {
        if !is_stun(&bytes) && self.has_room(bytes.len(), WAITING_BYTES, true) {
            self.hand_over(Seen { at: self.clock.now(), sent: true, trusted: true, hop: to, local, bytes });
        }
    }

    /// Hears what is told to those who watch.
    pub fn hear(&self, event: &Event) {
        self.handle.hear(event);
    }

    /// Why nothing is kept at the moment.
    pub fn trouble(&self) -> Option<String> {
        self.shared.trouble()
    }

    /// The way to what was kept.
    pub fn handle(&self) -> LadderHandle {
        self.handle.clone()
    }

    fn has_room(&self, length: usize, most: usize, missed: bool) -> bool {
        if !(LEAST..=KEPT_MAX).contains(&length) {
            return false;
        }
        let room = self.shared.bytes.load(Ordering::Relaxed) + length <= most && !self.ring.is_full();
        if !room && missed {
            self.shared.lost.fetch_add(1, Ordering::Relaxed);
        }
        room
    }

    fn hand_over(&mut self, seen: Seen) {
        self.shared.bytes.fetch_add(seen.bytes.len(), Ordering::Relaxed);
        // There is room: it was looked, and nobody else pushes.
        let _ = self.ring.push(seen);
        if self.shared.asleep.load(Ordering::Relaxed) && self.shared.asleep.swap(false, Ordering::AcqRel) {
            self.handle.wake();
        }
    }
}

impl Drop for Witness {
    /// Waits until everything is written.
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::Release);
        self.handle.wake();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
