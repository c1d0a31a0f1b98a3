//! What the machine gives at this moment to a program that does the least: a write that is flushed to the disk, and
//! a thread that sends at fixed times.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::Result;
use crate::clock::{Beat, Nanos, SECOND, now};
use crate::net::{Port, wait};
use crate::stats::Sorted;

const BLOCK: usize = 4_096;
/// Blocks of the file; it is written in full first, so that the measured writes need no new blocks.
const BLOCKS: u64 = 256;

/// A file on the disk that the journal lies on.
pub struct Disk {
    file: File,
    next: u64,
}

impl Disk {
    pub fn new(folder: &Path) -> Result<Disk> {
        let text = |error: std::io::Error| format!("the file that measures the disk: {error}");
        let file = File::create(folder.join("disk")).map_err(text)?;
        file.write_all_at(&vec![0; BLOCK * BLOCKS as usize], 0).map_err(text)?;
        file.sync_all().map_err(text)?;
        Ok(Disk { file, next: 0 })
    }

    /// Writes 4 KiB and waits until they are on the disk.
    pub fn flush(&mut self) -> Result<Nanos> {
        let text = |error: std::io::Error| format!("the file that measures the disk: {error}");
        let block = [self.next as u8; BLOCK];
        let begin = Instant::now();
        self.file.write_all_at(&block, self.next % BLOCKS * BLOCK as u64).map_err(text)?;
        self.file.sync_data().map_err(text)?;
        self.next += 1;
        Ok(Nanos::try_from(begin.elapsed().as_nanos()).unwrap_or(Nanos::MAX))
    }
}

/// One thread, as many sockets as there are legs, a packet from each every 20 ms, and nothing else. Gives the
/// arrival times of each sender.
pub fn plain_sender(legs: usize, seconds: u64, realtime: bool) -> Result<Vec<Vec<Nanos>>> {
    let ear = Port::open()?;
    let to = SocketAddr::from(ear.at);
    let sockets: Vec<UdpSocket> = (0..legs).map(|_| connected(to)).collect::<Result<_>>()?;
    let first = |socket: &UdpSocket| socket.local_addr().map(|at| at.port()).map_err(|error| error.to_string());
    let places: std::collections::BTreeMap<u16, usize> =
        sockets.iter().enumerate().map(|(place, socket)| Ok((first(socket)?, place))).collect::<Result<_>>()?;
    let sender = std::thread::spawn(move || send(&sockets, seconds * 50, realtime));

    let mut arrivals = vec![Vec::new(); legs];
    let mut buffer = vec![0; 2_048];
    let until = now() + (seconds as Nanos + 1) * SECOND;
    while now() < until {
        match ear.receive(&mut buffer)? {
            Some(arrival) => {
                if let Some(&place) = places.get(&arrival.from.port()) {
                    arrivals[place].push(arrival.at);
                }
            }
            None => wait([&ear, &ear], until),
        }
    }
    sender.join().map_err(|_| "the plain sender failed".to_owned())?;
    Ok(arrivals)
}

/// The times between packets, all senders together.
pub fn gaps(arrivals: &[Vec<Nanos>]) -> Result<Sorted> {
    Sorted::new(arrivals.iter().flat_map(|times| times.windows(2).map(|pair| pair[1] - pair[0])).collect())
}

fn connected(to: SocketAddr) -> Result<UdpSocket> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).map_err(|error| error.to_string())?;
    socket.connect(to).map_err(|error| error.to_string())?;
    Ok(socket)
}

fn send(sockets: &[UdpSocket], beats: u64, realtime: bool) {
    if realtime {
        use thread_priority::unix::{set_thread_priority_and_policy, thread_native_id};
        use thread_priority::{RealtimeThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy};
        let policy = ThreadSchedulePolicy::Realtime(RealtimeThreadSchedulePolicy::Fifo);
        // The daemon was allowed to; where the bench is not, the reference is the plainer one.
        let _ = set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Min, policy);
    }
    let packet = [0xff; 172];
    let mut beat = Beat::new(Duration::from_millis(20));
    for _ in 0..beats {
        beat.wait();
        for socket in sockets {
            // A lost packet shows as a gap.
            let _ = socket.send(&packet);
        }
    }
}
