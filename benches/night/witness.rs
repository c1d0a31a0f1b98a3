//! When does the machine itself stand still? A thread on every core, at the highest real-time priority, does nothing
//! but wake every 5 ms, as hansho's media thread does; where it wakes late, nothing else ran on that core's time either.
//!
//! On a virtual machine the host takes a core away now and then, and no program in it can do anything about it.
//! Whoever finds a figure beyond its bar wants to know whether such a moment lies in it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use nix::sched::{CpuSet, sched_setaffinity};
use nix::unistd::Pid;
use thread_priority::unix::{set_thread_priority_and_policy, thread_native_id};
use thread_priority::{RealtimeThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy};

use crate::clock::{Beat, MS, Nanos, now};

/// Longer between two awakenings than this is kept.
const LATE: Nanos = 8 * MS;

/// The threads.
pub struct Witness {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<Vec<Stall>>>,
}

/// A core did nothing for anybody from here to there.
#[derive(Clone, Copy, Debug)]
struct Stall {
    from: Nanos,
    to: Nanos,
}

/// All moments in which a core stood still.
#[derive(Debug, Default)]
pub struct Stalls(Vec<Stall>);

impl Witness {
    pub fn start() -> Witness {
        let stop = Arc::new(AtomicBool::new(false));
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let watch = |core: usize| {
            let stop = Arc::clone(&stop);
            std::thread::spawn(move || watch(core, &stop))
        };
        let threads = (0..cores).map(watch).collect();
        Witness { stop, threads }
    }

    /// What was seen since the start.
    pub fn stop(self) -> Stalls {
        self.stop.store(true, Ordering::Relaxed);
        Stalls(self.threads.into_iter().flat_map(|thread| thread.join().unwrap_or_default()).collect())
    }
}

impl Stalls {
    /// The longest time that one core stood still between two moments, as far as it lies between them.
    pub fn longest_within(&self, from: Nanos, to: Nanos) -> Nanos {
        let within = |stall: &Stall| stall.to.min(to) - stall.from.max(from);
        self.0.iter().map(within).max().unwrap_or(0).max(0)
    }

    /// How often, and for how long at most: `3 times, 51.20 ms at most`.
    pub fn summary(&self) -> String {
        let longest = self.0.iter().map(|stall| stall.to - stall.from).max().unwrap_or(0);
        format!("{} times, {} ms at most", self.0.len(), crate::stats::ms(longest))
    }
}

fn watch(core: usize, stop: &AtomicBool) -> Vec<Stall> {
    let mut set = CpuSet::new();
    // Where the core or the priority is not given, the thread sees more stalls than there are, and the table says so
    // by their number.
    let _ = set.set(core).and_then(|()| sched_setaffinity(Pid::from_raw(0), &set));
    let policy = ThreadSchedulePolicy::Realtime(RealtimeThreadSchedulePolicy::Fifo);
    let _ = set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Max, policy);
    let mut stalls = Vec::new();
    let mut beat = Beat::new(Duration::from_millis(5));
    let mut last = now();
    while !stop.load(Ordering::Relaxed) {
        beat.wait();
        let woken = now();
        if woken - last > LATE {
            stalls.push(Stall { from: last, to: woken });
        }
        last = woken;
    }
    stalls
}
