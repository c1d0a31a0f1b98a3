//! The media thread: the plane of `media` with real sockets and a real clock.
//!
//! [`MediaHandle`] is held by one owner, who opens legs, gives commands and names recordings; [`MediaEvents`] is
//! where the answers come out. Between them and the thread are two bounded rings, so the thread never waits for
//! anybody. Sockets are made and closed on this side: only receiving and sending happens over there.
//!
//! A leg listens at the same port of IPv4 and of IPv6, where there are both: which of them the far end names is not known
//! beforehand, and may change in mid call.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "this is where threads and sockets are")]

mod events;
mod recorder;
mod socket;
mod thread;

pub use events::MediaEvents;

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;

use crate::base::{Family, LegId, PerFamily};
use crate::media::{Command, Event, Limits, Plane, Source, Tap};
use recorder::Recorder;

/// Commands that may wait for the thread's next turn.
const COMMANDS: usize = 4_096;

/// What the media thread is started with.
#[derive(Clone, Debug)]
pub struct MediaSettings {
    /// Which address RTP is received on and sent from, in each family; one at least.
    pub addresses: PerFamily<IpAddr>,
    /// Legs at a time.
    pub legs: usize,
    /// Rooms at a time.
    pub rooms: usize,
    /// Ask the system for real-time priority and locked memory; without the right to it, a note is logged.
    pub realtime: bool,
    /// The processor to stay on.
    pub core: Option<usize>,
    /// Gives the unpredictable parts of RTP headers.
    pub seed: u64,
}

/// How the thread does.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct MediaLoad {
    /// How busy it is, in thousandths of its time.
    pub busy_permille: u64,
    /// Turns skipped because it woke too late.
    pub skipped: u64,
    /// Keys and beginnings of talk nobody took in time.
    pub dropped_events: u64,
    /// Recorded frames nobody took in time.
    pub dropped_frames: u64,
}

/// Holds the media thread; the thread ends when this is dropped.
#[derive(Debug)]
pub struct MediaHandle {
    addresses: PerFamily<IpAddr>,
    ring: rtrb::Producer<ToPlane>,
    /// What found the ring full.
    waiting: VecDeque<ToPlane>,
    /// The ports at which legs listen that have none for reports (RTCP) yet.
    without_reports: BTreeMap<LegId, u16>,
    recorder: Recorder,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// What goes to the thread.
#[derive(Debug)]
enum ToPlane {
    Open(LegId, PerFamily<UdpSocket>),
    /// The port of its reports.
    Reports(LegId, PerFamily<UdpSocket>),
    Command(Command),
}

/// What comes from the thread.
#[derive(Debug)]
enum FromPlane {
    Event(Event),
    /// To be closed.
    Socket(#[allow(dead_code, reason = "it is held to be dropped on this side")] UdpSocket),
}

/// The few words that both sides read.
#[derive(Debug, Default)]
struct Shared {
    stop: AtomicBool,
    /// The taker of events sleeps and wants to be woken.
    asleep: AtomicBool,
    busy_permille: AtomicU64,
    skipped: AtomicU64,
    dropped_events: AtomicU64,
    dropped_frames: AtomicU64,
}

impl MediaHandle {
    /// Starts the thread and its recorder.
    pub fn start(settings: MediaSettings) -> io::Result<(MediaHandle, MediaEvents)> {
        let limits = Limits { legs: settings.legs, rooms: settings.rooms };
        let shared = Arc::new(Shared::default());
        let (ring, commands) = rtrb::RingBuffer::new(COMMANDS);
        let (told, events) = rtrb::RingBuffer::new(settings.legs * 8 + 1_024);
        let (waker, wake) = UnixStream::pair()?;
        waker.set_nonblocking(true)?;
        wake.set_nonblocking(true)?;
        let (recorder, frames) = Recorder::start(settings.legs + settings.rooms)?;
        let plane = Plane::new(limits, settings.seed);
        let addresses = settings.addresses;
        let outlet = thread::Outlet::new(settings.legs, told, frames, waker, Arc::clone(&shared))?;
        let work = thread::Work { plane, commands, outlet, shared: Arc::clone(&shared) };
        let thread = std::thread::Builder::new()
            .name("hansho-media".to_owned())
            .spawn(move || thread::run(work, settings.realtime, settings.core))?;
        let events = MediaEvents::new(events, wake, Arc::clone(&shared));
        let (waiting, without_reports) = (VecDeque::new(), BTreeMap::new());
        let thread = Some(thread);
        Ok((MediaHandle { addresses, ring, waiting, without_reports, recorder, shared, thread }, events))
    }

    /// Opens a leg on a port of ours, the same in each family (0: any free one of the first), and says where it listens.
    /// `Event::Refused` follows when no place is free.
    pub fn open(&mut self, leg: LegId, port: u16) -> io::Result<SocketAddr> {
        let (sockets, local) = self.bind(port)?;
        self.without_reports.insert(leg, local.port());
        self.give(ToPlane::Open(leg, sockets));
        Ok(local)
    }

    fn bind(&self, port: u16) -> io::Result<(PerFamily<UdpSocket>, SocketAddr)> {
        let first = self.addresses.iter().next().ok_or(io::ErrorKind::AddrNotAvailable)?;
        let socket = socket::bind(SocketAddr::new(*first, port))?;
        let (local, family) = (socket.local_addr()?, Family::of(*first));
        let others = self.addresses.filter_map(|other, ip| (other != family).then_some((ip, local.port()).into()));
        let mut sockets = socket::bind_all(others)?;
        *sockets.slot(family) = Some(socket);
        Ok((sockets, local))
    }

    /// Asks for something; [`Command::Open`] is what [`MediaHandle::open`] is for.
    pub fn command(&mut self, command: Command) {
        match &command {
            Command::Connect(leg, stream) if !stream.is_muxed() => self.open_reports(*leg),
            Command::Close(leg) => {
                self.without_reports.remove(leg);
            }
            _ => {}
        }
        self.give(ToPlane::Command(command));
    }

    /// Records what comes from `source` into a WAV file, until the source closes or
    /// [`MediaHandle::stop_record`].
    pub fn record(&mut self, source: Source, file: &Path) -> io::Result<Tap> {
        let tap = self.recorder.begin(file)?;
        self.command(Command::Record(source, tap));
        Ok(tap)
    }

    /// Ends a recording.
    pub fn stop_record(&mut self, tap: Tap) {
        self.command(Command::StopRecord(tap));
    }

    /// How the thread does.
    pub fn load(&self) -> MediaLoad {
        let read = |number: &AtomicU64| number.load(Ordering::Relaxed);
        MediaLoad {
            busy_permille: read(&self.shared.busy_permille),
            skipped: read(&self.shared.skipped),
            dropped_events: read(&self.shared.dropped_events),
            dropped_frames: read(&self.shared.dropped_frames),
        }
    }

    /// Opens the port behind the leg's own, for reports: only once a peer wants them there, and most calls that ring
    /// are never answered. Where it is taken, the call goes on without reports.
    fn open_reports(&mut self, leg: LegId) {
        let Some(port) = self.without_reports.remove(&leg).and_then(|voice| voice.checked_add(1)) else { return };
        if let Ok(sockets) = socket::bind_all(self.addresses.map(|ip| (ip, port).into())) {
            self.give(ToPlane::Reports(leg, sockets));
        }
    }

    fn give(&mut self, what: ToPlane) {
        self.waiting.push_back(what);
        while let Some(next) = self.waiting.pop_front() {
            if let Err(rtrb::PushError::Full(next)) = self.ring.push(next) {
                self.waiting.push_front(next);
                return;
            }
        }
    }
}

impl Drop for MediaHandle {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            // A panic over there has been reported by its own message; here is nothing left to save.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests;
