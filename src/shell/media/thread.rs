//! The thread itself: commands, packets, the tick, and sleep until the next one.
//!
//! It wakes on absolute deadlines 5 ms apart. In a turn it makes no system call but receive and send, one to
//! connect a socket when its peer is known, one to ask which legs have reports (RTCP) on a port of their own, one to wake a
//! sleeping taker of events, and two for the clock. Reports come every few seconds, so their sockets are not asked one
//! by one.

use std::io::Write;
use std::net::{SocketAddr, UdpSocket};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::time::TimeSpec;
use nix::time::{ClockId, ClockNanosleepFlags, clock_gettime, clock_nanosleep};

use super::{FromPlane, Shared, ToPlane};
use crate::base::{Family, PerFamily, Time};
use crate::media::{Command, Event, Plane, Recorded, Sink};

/// Datagrams taken from one socket in one turn; more is a flood.
const DATAGRAMS_MAX: usize = 16;
/// Reports taken from one socket in one turn, and sockets whose reports are; the rest waits for the next turn.
const REPORTS_MAX: usize = 16;
/// Larger datagrams are cut, and then are no RTP of ours.
const DATAGRAM_MAX: usize = 2_048;
/// Commands taken in one turn.
const COMMANDS_MAX: usize = 256;
/// With more legs than this, a socket is looked at every other turn, and so on.
const LEGS_A_TURN: usize = 500;
/// Above this no new leg is let in, in thousandths.
const BUSY_MAX: u64 = 750;
/// Turns over which the load is judged: a second.
const TURNS: u64 = 200;

/// Everything the thread owns.
pub(super) struct Work {
    pub plane: Plane,
    pub commands: rtrb::Consumer<ToPlane>,
    pub outlet: Outlet,
    pub shared: Arc<Shared>,
}

/// Where the plane's output goes.
pub(super) struct Outlet {
    sockets: Vec<Option<Sockets>>,
    events: rtrb::Producer<FromPlane>,
    frames: rtrb::Producer<Recorded>,
    waker: UnixStream,
    shared: Arc<Shared>,
    /// The sockets of reports, by slot.
    watch: Epoll,
    /// Sockets on their way to be closed.
    leaving: Vec<UdpSocket>,
    told: bool,
}

/// The sockets of a leg.
struct Sockets {
    voice: PerFamily<Socket>,
    /// For reports, where they do not share the port of the voice.
    reports: PerFamily<UdpSocket>,
}

struct Socket {
    udp: UdpSocket,
    /// Whom it is connected to.
    peer: Option<SocketAddr>,
}

impl Outlet {
    pub fn new(
        legs: usize,
        events: rtrb::Producer<FromPlane>,
        frames: rtrb::Producer<Recorded>,
        waker: UnixStream,
        shared: Arc<Shared>,
    ) -> std::io::Result<Outlet> {
        let sockets = (0..legs).map(|_| None).collect();
        let watch = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        // One command sends off four sockets at the most.
        let leaving = Vec::with_capacity(legs * 4 + 4);
        Ok(Outlet { sockets, events, frames, waker, shared, watch, leaving, told: false })
    }

    /// Takes in the port for the reports of the leg in `slot`.
    fn watch(&mut self, slot: usize, mut reports: PerFamily<UdpSocket>) {
        let event = EpollEvent::new(EpollFlags::EPOLLIN, slot as u64);
        for family in Family::ALL {
            let Some(udp) = reports.slot(family).take() else { continue };
            match self.sockets.get_mut(slot).and_then(Option::as_mut).map(|leg| leg.reports.slot(family)) {
                Some(free) if free.is_none() && self.watch.add(&udp, event).is_ok() => *free = Some(udp),
                _ => self.leaving.push(udp),
            }
        }
    }

    /// Sends off the sockets of a leg that closes.
    fn close(&mut self, slot: usize) {
        let Some(Sockets { voice, reports }) = self.sockets.get_mut(slot).and_then(Option::take) else { return };
        for reports in reports.iter() {
            // It would be known as ready until the other side has closed it.
            let _ = self.watch.delete(reports);
        }
        let voice = voice.map(|socket| socket.udp);
        self.leaving.extend([voice.v4, voice.v6, reports.v4, reports.v6].into_iter().flatten());
    }

    /// What the leg in `slot` speaks through to whoever is at this address.
    fn voice(&mut self, slot: usize, to: SocketAddr) -> Option<&mut Socket> {
        self.sockets.get_mut(slot)?.as_mut()?.voice.slot(Family::of(to.ip())).as_mut()
    }

    fn put(&mut self, what: FromPlane) -> Result<(), FromPlane> {
        self.events.push(what).map_err(|rtrb::PushError::Full(what)| what)?;
        self.told = true;
        Ok(())
    }

    /// Sends back what is to be closed.
    fn see_off(&mut self) {
        while let Some(socket) = self.leaving.pop() {
            if let Err(FromPlane::Socket(socket)) = self.put(FromPlane::Socket(socket)) {
                self.leaving.push(socket);
                return;
            }
        }
    }

    fn wake(&mut self) {
        if core::mem::take(&mut self.told) && self.shared.asleep.swap(false, Ordering::SeqCst) {
            // When the pair is full the taker has been woken often enough.
            let _ = self.waker.write(&[1]);
        }
    }
}

impl Sink for Outlet {
    fn send(&mut self, slot: usize, to: SocketAddr, bytes: &[u8]) {
        let Some(socket) = self.voice(slot, to) else { return };
        // A packet that cannot be sent is a lost packet; the peer's errors (port unreachable) come up here too.
        let _ = match socket.peer {
            None => socket.udp.send_to(bytes, to),
            Some(peer) if peer == to => socket.udp.send(bytes),
            Some(_) => {
                connect(socket, to);
                socket.udp.send(bytes)
            }
        };
    }

    fn report(&mut self, slot: usize, to: SocketAddr, bytes: &[u8]) {
        let leg = self.sockets.get(slot).and_then(Option::as_ref);
        if let Some(reports) = leg.and_then(|leg| leg.reports.like(to.ip())) {
            // A report that is lost is followed by another.
            let _ = reports.send_to(bytes, to);
        }
    }

    fn latch(&mut self, slot: usize, peer: SocketAddr) {
        if let Some(socket) = self.voice(slot, peer) {
            connect(socket, peer);
        }
    }

    fn tell(&mut self, event: Event) -> Result<(), Event> {
        self.put(FromPlane::Event(event)).map_err(|back| match back {
            FromPlane::Event(event) => event,
            FromPlane::Socket(_) => unreachable!("what comes back is what was given"),
        })
    }

    fn record(&mut self, frame: &Recorded) -> bool {
        self.frames.push(*frame).is_ok()
    }
}

/// Runs until told to stop.
pub(super) fn run(mut work: Work, realtime: bool, core: Option<usize>) {
    prepare(realtime, core);
    let epoch = monotonic();
    let mut buffer = [0; DATAGRAM_MAX];
    let (mut busy, mut turn) = (Duration::ZERO, 0u64);
    while !work.shared.stop.load(Ordering::Acquire) {
        let woken = monotonic();
        let now = since(epoch, woken);
        commands(&mut work, now);
        receive(&mut work, now, turn, &mut buffer);
        receive_reports(&mut work, now, &mut buffer);
        work.plane.tick(now, &mut work.outlet);
        work.outlet.see_off();
        work.outlet.wake();
        turn += 1;
        let done = monotonic();
        busy += done.saturating_sub(woken);
        if turn.is_multiple_of(TURNS) {
            judge(&mut work, core::mem::take(&mut busy));
        }
        let next = work.plane.next_tick(since(epoch, done));
        sleep_until(epoch + Duration::from_micros(next.as_micros()));
    }
}

fn commands(work: &mut Work, now: Time) {
    let Work { plane, commands, outlet, .. } = work;
    for _ in 0..COMMANDS_MAX {
        if !plane.takes_commands() || outlet.leaving.len() >= outlet.sockets.len() {
            return;
        }
        let Ok(what) = commands.pop() else { return };
        match what {
            ToPlane::Open(leg, udp) => {
                // A leg that is open already keeps its sockets.
                let before = plane.slot(leg);
                plane.on_command(now, Command::Open(leg), outlet);
                match plane.slot(leg).filter(|_| before.is_none()) {
                    Some(slot) => {
                        let voice = udp.map(|udp| Socket { udp, peer: None });
                        outlet.sockets[slot] = Some(Sockets { voice, reports: PerFamily::default() });
                    }
                    None => outlet.leaving.extend([udp.v4, udp.v6].into_iter().flatten()),
                }
            }
            ToPlane::Reports(leg, udp) => match plane.slot(leg) {
                Some(slot) => outlet.watch(slot, udp),
                None => outlet.leaving.extend([udp.v4, udp.v6].into_iter().flatten()),
            },
            // Without a socket a leg could neither hear nor speak.
            ToPlane::Command(Command::Open(leg)) => {
                let _ = outlet.tell(Event::Refused(leg));
            }
            ToPlane::Command(Command::Close(leg)) => {
                plane.farewell(now, leg, outlet);
                if let Some(slot) = plane.slot(leg) {
                    outlet.close(slot);
                }
                // Before the plane says that the leg is closed: whoever hears it may bind the port again.
                outlet.see_off();
                plane.on_command(now, Command::Close(leg), outlet);
            }
            ToPlane::Command(command) => plane.on_command(now, command, outlet),
        }
    }
}

fn receive(work: &mut Work, now: Time, turn: u64, buffer: &mut [u8; DATAGRAM_MAX]) {
    let stride = match work.outlet.sockets.len() / LEGS_A_TURN {
        0 => 1,
        1 => 2,
        _ => 4,
    };
    let first = usize::try_from(turn % stride).unwrap_or(0);
    for slot in (first..work.outlet.sockets.len()).step_by(stride as usize) {
        for family in Family::ALL {
            receive_voice(work, now, (slot, family), buffer);
        }
    }
}

fn receive_voice(work: &mut Work, now: Time, (slot, family): (usize, Family), buffer: &mut [u8; DATAGRAM_MAX]) {
    for _ in 0..DATAGRAMS_MAX {
        let Some(socket) = work.outlet.sockets[slot].as_ref().and_then(|leg| leg.voice.get(family)) else { return };
        match socket.udp.recv_from(buffer) {
            Ok((count, from)) => {
                // Whoever sends because we acknowledged sends to a leg that was connected before, maybe a moment ago.
                if !work.plane.is_connected(slot) {
                    commands(work, now);
                }
                work.plane.on_packet(now, slot, from, &buffer[..count], &mut work.outlet);
            }
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return,
            // An error of an earlier packet of ours (port unreachable); what came may lie behind it.
            Err(_) => {}
        }
    }
}

/// Takes reports that came to ports of their own.
fn receive_reports(work: &mut Work, now: Time, buffer: &mut [u8; DATAGRAM_MAX]) {
    let Work { plane, outlet, .. } = work;
    let mut ready = [EpollEvent::empty(); REPORTS_MAX];
    let count = outlet.watch.wait(&mut ready, EpollTimeout::ZERO).unwrap_or(0);
    for event in ready.iter().take(count) {
        let slot = usize::try_from(event.data()).unwrap_or(usize::MAX);
        for family in Family::ALL {
            for _ in 0..REPORTS_MAX {
                let leg = outlet.sockets.get(slot).and_then(Option::as_ref);
                let Some(reports) = leg.and_then(|leg| leg.reports.get(family)) else { break };
                match reports.recv_from(buffer) {
                    Ok((count, from)) => plane.on_report(now, slot, from, &buffer[..count], outlet),
                    Err(_) => break,
                }
            }
        }
    }
}

fn judge(work: &mut Work, busy: Duration) {
    let permille = u64::try_from(busy.as_micros() / 1_000).unwrap_or(u64::MAX);
    work.plane.set_full(permille > BUSY_MAX);
    let stats = work.plane.stats();
    let shared = &work.shared;
    shared.busy_permille.store(permille, Ordering::Relaxed);
    shared.skipped.store(stats.skipped, Ordering::Relaxed);
    shared.dropped_events.store(stats.dropped_events, Ordering::Relaxed);
    shared.dropped_frames.store(stats.dropped_frames, Ordering::Relaxed);
}

fn connect(socket: &mut Socket, peer: SocketAddr) {
    // Unconnected, the plane still drops what strangers send.
    socket.peer = socket.udp.connect(peer).is_ok().then_some(peer);
}

/// Real-time priority, locked memory and a processor of its own, as far as the system allows it.
fn prepare(realtime: bool, core: Option<usize>) {
    if let Some(core) = core {
        let mut cores = nix::sched::CpuSet::new();
        let pinned =
            cores.set(core).and_then(|()| nix::sched::sched_setaffinity(nix::unistd::Pid::from_raw(0), &cores));
        if let Err(error) = pinned {
            tracing::warn!(core, %error, "the media thread is not pinned");
        }
    }
    if !realtime {
        return;
    }
    if let Err(error) = fifo() {
        tracing::info!(?error, "the media thread runs without real-time priority (grant CAP_SYS_NICE for it)");
    }
    // Only what is there now: locking what is yet to come would make every later allocation able to fail.
    if let Err(error) = nix::sys::mman::mlockall(nix::sys::mman::MlockAllFlags::MCL_CURRENT) {
        tracing::info!(%error, "memory is not locked (grant CAP_IPC_LOCK for it)");
    }
}

fn fifo() -> Result<(), thread_priority::Error> {
    use thread_priority::unix::{set_thread_priority_and_policy, thread_native_id};
    use thread_priority::{RealtimeThreadSchedulePolicy, ThreadPriority, ThreadPriorityValue, ThreadSchedulePolicy};
    /// Above other real-time programs' default, below what drives the hardware.
    const PRIORITY: u8 = 20;
    let priority = ThreadPriorityValue::try_from(PRIORITY).map_or(ThreadPriority::Min, ThreadPriority::Crossplatform);
    let policy = ThreadSchedulePolicy::Realtime(RealtimeThreadSchedulePolicy::Fifo);
    set_thread_priority_and_policy(thread_native_id(), priority, policy)
}

fn monotonic() -> Duration {
    clock_gettime(ClockId::CLOCK_MONOTONIC).expect("every Linux has a monotonic clock").into()
}

fn since(epoch: Duration, now: Duration) -> Time {
    Time::from_micros(u64::try_from(now.saturating_sub(epoch).as_micros()).unwrap_or(u64::MAX))
}

fn sleep_until(deadline: Duration) {
    // A signal wakes early; the turn that follows then finds nothing due.
    let _ = clock_nanosleep(
        ClockId::CLOCK_MONOTONIC,
        ClockNanosleepFlags::TIMER_ABSTIME,
        &TimeSpec::from_duration(deadline),
    );
}
