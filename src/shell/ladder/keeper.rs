//! The thread that keeps: takes what the witness saw, masks it, and writes it down in groups.
//!
//! Messages of calls go into the file; those of registrations and questions outside of calls into a small ring in
//! memory for each far end. What a stranger sends is kept only where it belongs to a call that is there.
//!
//! Easy to get wrong: whoever asks is shown everything that went by before he asked, so the ring is emptied first.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle, Thread};
use std::time::Duration;

use nix::sys::statvfs::statvfs;

use super::witness::{Seen, Shared};
use crate::base::{AttemptId, Stamp, Time};
use crate::shell::clock::Clock;
use crate::sip::rung::{masked, whose};
use crate::sip::{Hop, Identities, Transport};
use crate::store::{Kept, Ladder, Ladders, Passed, StoreError};

/// Messages in one transaction.
const GROUP: usize = 256;
/// How often it is looked for more while there is something to do.
const NAP: Duration = Duration::from_millis(200);
/// Messages that wait for a disk that takes nothing; beyond that the oldest are lost.
const WAITING: usize = 1_000;
/// After so many looks in vain the thread sleeps until it is woken.
const IN_VAIN: u32 = 5;
/// The longest sleep: a waking call that crossed the falling asleep is missed for so long at the most.
const SLEEP: Duration = Duration::from_secs(1);
/// Messages outside of calls that are remembered of one far end.
const OUTSIDE: usize = 64;
/// Far ends that are remembered so.
const ENDS: usize = 64;

/// With less room than this on its disk nothing is written: what is left is the journal's.
const JOURNALS_MIB: u64 = 32;

/// A question to the thread.
type Question = Box<dyn FnOnce(&mut Keeper) + Send>;

/// The way to the thread.
#[derive(Clone, Debug)]
pub struct LadderHandle {
    questions: Sender<Question>,
    thread: Thread,
}

impl LadderHandle {
    /// Has something done with what was kept.
    pub(super) fn ask(&self, question: impl FnOnce(&mut Keeper) + Send + 'static) {
        // The thread is gone only when the process ends; then nobody waits for the answer.
        let _ = self.questions.send(Box::new(question));
        self.wake();
    }

    /// This call is a way which an attempt took: its first message has gone by.
    pub(super) fn is_way_of(&self, call_id: String, of: AttemptId) {
        self.ask(move |keeper| keeper.is_way_of(&call_id, of));
    }

    /// Takes away what went by before, a little whenever nothing else is to be done.
    pub fn forget(&self, before: Stamp) {
        self.ask(move |keeper| keeper.old = Some(before));
    }

    pub(super) fn wake(&self) {
        self.thread.unpark();
    }
}

/// Everything that was kept.
#[derive(Debug)]
pub(super) struct Keeper {
    /// `None`: it cannot be opened.
    file: Option<Ladders>,
    path: PathBuf,
    /// What is not in the file yet: for a moment, or since the disk is full.
    waiting: Vec<Kept>,
    /// Whether each of these is from somebody who may have something to say to us.
    trusted: Vec<bool>,
    outside: BTreeMap<(Transport, SocketAddr), VecDeque<Passed>>,
    us: Identities,
    clock: Clock,
    shared: Arc<Shared>,
    /// What is older is to be taken away.
    old: Option<Stamp>,
}

/// Starts the thread.
pub(super) fn start(
    path: &Path,
    us: Identities,
    clock: Clock,
    ring: rtrb::Consumer<Seen>,
    shared: Arc<Shared>,
) -> io::Result<(LadderHandle, JoinHandle<()>)> {
    let (questions, asked) = channel();
    let mut keeper = Keeper::open(path, us, clock, shared);
    let thread = thread::Builder::new().name("ladder".into()).spawn(move || run(&mut keeper, ring, &asked))?;
    Ok((LadderHandle { questions, thread: thread.thread().clone() }, thread))
}

fn run(keeper: &mut Keeper, mut ring: rtrb::Consumer<Seen>, asked: &Receiver<Question>) {
    let mut in_vain = 0;
    loop {
        // Looked at before the ring is: what was seen before the end is in it then.
        let ended = keeper.shared.ended.load(Ordering::Acquire);
        let mut busy = keeper.take(&mut ring);
        for question in asked.try_iter() {
            // What went by before the question was asked.
            while keeper.take(&mut ring) {}
            question(keeper);
            // Here as well: whoever asks without a pause keeps nothing old.
            keeper.forget_some();
            busy = true;
        }
        busy |= keeper.forget_some();
        if ended && !busy {
            return;
        }
        in_vain = if busy { 0 } else { in_vain + 1 };
        if busy {
            thread::park_timeout(if ring.slots() >= GROUP { Duration::ZERO } else { NAP });
        } else if in_vain < IN_VAIN {
            thread::park_timeout(NAP);
        } else {
            keeper.shared.asleep.store(true, Ordering::Release);
            if ring.is_empty() {
                thread::park_timeout(SLEEP);
            }
        }
    }
}

impl Keeper {
    fn open(path: &Path, us: Identities, clock: Clock, shared: Arc<Shared>) -> Keeper {
        let file = Ladders::open(path);
        let trouble = file.as_ref().err().map(ToString::to_string);
        if let Some(why) = &trouble {
            tracing::error!(why, "the SIP messages of calls are not kept");
        }
        shared.is_in(trouble);
        let file = file.ok();
        let (waiting, trusted, outside) = (Vec::new(), Vec::new(), BTreeMap::new());
        Keeper { file, path: path.to_owned(), waiting, trusted, outside, us, clock, shared, old: None }
    }

    /// The messages of a call.
    pub(super) fn of(&self, call_id: &str) -> Result<Ladder, StoreError> {
        self.file.as_ref().map_or_else(|| Ok(Ladder::default()), |file| file.of(call_id))
    }

    /// The Call-IDs of the calls that began last, the latest first.
    pub(super) fn latest(&self, most: u32) -> Result<Vec<String>, StoreError> {
        self.file.as_ref().map_or_else(|| Ok(Vec::new()), |file| file.latest(most))
    }

    /// Notes that a call is a way which this attempt took.
    fn is_way_of(&mut self, call_id: &str, of: AttemptId) {
        if let Some(file) = &self.file
            && let Err(error) = file.is_way_of(call_id, of.incident, of.number)
        {
            tracing::error!(%error, call_id, "whose call this is will not be known to ladders");
        }
    }

    /// The Call-IDs of the ways that an attempt took beside those in the journal.
    pub(super) fn ways_of(&self, of: AttemptId) -> Result<Vec<String>, StoreError> {
        self.file.as_ref().map_or_else(|| Ok(Vec::new()), |file| file.ways_of(of.incident, of.number))
    }

    /// What went by outside of calls lately, a list for each far end.
    pub(super) fn outside(&self) -> impl Iterator<Item = (Hop, &VecDeque<Passed>)> {
        self.outside.iter().map(|((transport, address), messages)| {
            (Hop { transport: *transport, address: *address, line: None }, messages)
        })
    }

    /// Why nothing is kept at the moment.
    pub(super) fn trouble(&self) -> Option<String> {
        self.shared.trouble()
    }

    /// Messages that were lost since the start, because there was no time or no room for them.
    pub(super) fn lost(&self) -> u64 {
        self.shared.lost.load(Ordering::Relaxed)
    }

    /// Takes a group out of the ring; false when there was none.
    fn take(&mut self, ring: &mut rtrb::Consumer<Seen>) -> bool {
        let (began, mut bytes, mut taken) = (self.clock.began(), 0, 0);
        while taken < GROUP
            && let Ok(seen) = ring.pop()
        {
            taken += 1;
            bytes += seen.bytes.len();
            let Some(whose) = whose(&seen.bytes) else { continue };
            let local = seen.local.unwrap_or_else(|| self.us.local_for(seen.hop));
            let at = began + seen.at.since(Time::ZERO);
            let passed = Passed { at, sent: seen.sent, local, remote: seen.hop, bytes: masked(seen.bytes) };
            self.waiting.push(Kept { call_id: whose.call_id, begins: whose.of_call && seen.trusted, passed });
            self.trusted.push(seen.trusted);
        }
        self.shared.bytes.fetch_sub(bytes, Ordering::Relaxed);
        self.write();
        taken > 0
    }

    /// Writes what waits, all of it or nothing.
    fn write(&mut self) {
        if self.waiting.is_empty() {
            return;
        }
        let kept = match &mut self.file {
            Some(file) => {
                room_at(&self.path).and_then(|()| file.keep(&self.waiting).map_err(|error| error.to_string()))
            }
            None => Ok((0..self.waiting.len()).collect()),
        };
        match kept {
            Ok(nobodys) => {
                if self.file.is_some() && self.shared.is_in(None).is_some() {
                    tracing::info!("the SIP messages of calls are kept again");
                }
                let (written, trusted) = (core::mem::take(&mut self.waiting), core::mem::take(&mut self.trusted));
                let mut nobodys = nobodys.into_iter().peekable();
                for (place, (Kept { begins, passed, .. }, trusted)) in written.into_iter().zip(trusted).enumerate() {
                    if nobodys.next_if_eq(&place).is_some() && trusted && !begins {
                        self.remember(passed);
                    }
                }
            }
            Err(why) => {
                if self.shared.is_in(Some(why.clone())).is_none() {
                    tracing::error!(why, "the SIP messages of calls are not kept");
                }
                let lost = self.waiting.len().saturating_sub(WAITING);
                self.waiting.drain(..lost);
                self.trusted.drain(..lost);
                self.shared.lost.fetch_add(lost as u64, Ordering::Relaxed);
            }
        }
    }

    fn remember(&mut self, passed: Passed) {
        let end = (passed.remote.transport, passed.remote.address);
        if self.outside.len() >= ENDS && !self.outside.contains_key(&end) {
            let oldest = self.outside.iter().min_by_key(|(_, messages)| messages.back().map(|last| last.at));
            if let Some(oldest) = oldest.map(|(end, _)| *end) {
                self.outside.remove(&oldest);
            }
        }
        let messages = self.outside.entry(end).or_default();
        if messages.len() >= OUTSIDE {
            messages.pop_front();
        }
        messages.push_back(passed);
    }

    /// Takes away some of what is old; false when nothing is left of it.
    fn forget_some(&mut self) -> bool {
        let (Some(file), Some(before)) = (&mut self.file, self.old) else { return false };
        let some = match file.forget(before) {
            Ok(gone) => gone > 0,
            Err(error) => {
                tracing::error!(%error, "old SIP messages stay where they are");
                false
            }
        };
        self.old = self.old.filter(|_| some);
        some
    }
}

/// Is there more room on its disk than the journal may want? A disk that does not say is taken at its word when it is
/// written to.
fn room_at(path: &Path) -> Result<(), String> {
    let Ok(disk) = statvfs(path) else { return Ok(()) };
    let free = disk.blocks_available().saturating_mul(disk.fragment_size()) >> 20;
    if free >= JOURNALS_MIB {
        return Ok(());
    }
    Err(format!("{free} MiB are free on the disk of {}, and the last {JOURNALS_MIB} are the journal's", path.display()))
}
