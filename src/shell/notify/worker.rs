//! The thread of one notifier: it follows the journal behind its own cursor and delivers in order.
//!
//! The cursor moves after the delivery, so a crash in between delivers again, under the same key: at least once.
//! What is no fact (a trunk that went away, a voice that failed) is told as it happens and lost in a crash. Easy to
//! get wrong: the thread must notice at every pause that the daemon ends, for nobody waits for it; and a nudge that
//! comes while something is delivered must not be forgotten with the others.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use tokio::sync::{broadcast, watch};

use super::backoff;
use super::health::Health;
use super::parcel::{Deliver, Parcel, Trouble};
use super::pick::Pick;
use crate::config::Patience;
use crate::shell::clock::Clock;
use crate::shell::events::{self, Told};
use crate::shell::journal::JournalHandle;
use crate::store::{Reader, StoreError};
use crate::switch::{Event, What};

/// Lines read in one go.
const LINES: u32 = 256;
/// Lines passed over before that is worth a note: reading them again after a crash costs nothing.
const PASSED_OVER: i64 = 1_000;
/// Events that are no facts and wait here while a receiver is away; the oldest are lost.
const WAITING: usize = 256;
/// How often an idle notifier looks by itself.
const IDLE: Duration = Duration::from_secs(60);
/// How long to wait when the journal cannot be read.
const UNREADABLE: Duration = Duration::from_secs(5);

/// What wakes a notifier.
#[derive(Clone, Debug)]
pub(super) enum Nudge {
    /// The journal has grown.
    Journal,
    /// Something happened that is no fact.
    Event(Told),
}

/// The daemon ends, or another notifier takes the place of this one.
pub(super) struct Ends;

/// What a notifier leaves to the one in its place.
#[derive(Debug)]
pub(super) struct Remains {
    /// The last line it dealt with.
    pub(super) cursor: i64,
    /// What is no fact, and was not told yet.
    pub(super) waiting: VecDeque<Told>,
}

/// Everything one notifier has.
pub(super) struct Worker {
    pub(super) reader: Reader,
    pub(super) journal: JournalHandle,
    pub(super) nudges: Receiver<Nudge>,
    pub(super) pick: Pick,
    pub(super) post: Box<dyn Deliver>,
    pub(super) patience: Patience,
    pub(super) clock: Clock,
    pub(super) health: watch::Sender<Health>,
    /// Where `notify.failed` is told.
    pub(super) events: broadcast::Sender<Told>,
    /// The last line dealt with, and the last one noted durably.
    pub(super) cursor: i64,
    pub(super) noted: i64,
    /// Events that are no facts.
    pub(super) waiting: VecDeque<Told>,
    /// There may be lines that have not been read.
    pub(super) grown: bool,
}

impl Worker {
    /// Runs until nobody can wake it any more; what it has not told.
    pub(super) fn run(mut self) -> Remains {
        while self.turn().is_ok() {}
        Remains { cursor: self.cursor, waiting: self.waiting }
    }

    fn turn(&mut self) -> Result<(), Ends> {
        let mut whole = true;
        self.grown = false;
        match self.lines() {
            Ok(lines) => {
                whole = lines.len() < LINES as usize;
                for (seq, entry) in lines {
                    let parcel = self.pick.of_line(seq, &entry, &self.reader);
                    if let Some(parcel) = &parcel {
                        self.hand_over(parcel)?;
                    }
                    self.pass(seq, parcel.is_some());
                }
            }
            Err(error) => {
                tracing::error!(notifier = self.pick.name(), %error, "a notifier cannot read the journal");
                self.wait(UNREADABLE)?;
            }
        }
        while let Some(told) = self.waiting.pop_front() {
            let parcel = self.pick.of_event(&told, &self.reader);
            if let Some(Err(ends)) = parcel.map(|parcel| self.hand_over(&parcel)) {
                self.waiting.push_front(told);
                return Err(ends);
            }
        }
        // What was written while something was delivered has woken nobody else.
        if whole && !self.grown { self.idle() } else { Ok(()) }
    }

    /// The next lines. One that cannot be read is passed over when its turn has come.
    fn lines(&mut self) -> Result<Vec<(i64, crate::store::Entry)>, StoreError> {
        match self.reader.after(self.cursor, LINES) {
            Err(StoreError::Row { .. }) => {}
            read => return read,
        }
        match self.reader.after(self.cursor, 1) {
            Err(StoreError::Row { seq, problem, .. }) => {
                tracing::error!(notifier = self.pick.name(), seq, problem, "a line of the journal is not told");
                self.pass(seq, true);
                Ok(Vec::new())
            }
            read => read,
        }
    }

    /// The line `seq` is dealt with.
    fn pass(&mut self, seq: i64, delivered: bool) {
        self.cursor = seq;
        if delivered || self.cursor - self.noted >= PASSED_OVER {
            self.journal.cursor(self.pick.name(), seq);
            self.noted = seq;
        }
    }

    /// Delivers a parcel, or gives it up; however long that takes.
    fn hand_over(&mut self, parcel: &Parcel) -> Result<(), Ends> {
        let mut tries = 0;
        loop {
            // Whatever came meanwhile; above all, that the daemon ends.
            self.wait(Duration::ZERO)?;
            match self.post.deliver(parcel) {
                Ok(()) => {
                    self.delivered(parcel);
                    return Ok(());
                }
                Err(Trouble::Never { why }) => {
                    // It has answered: whoever refuses is not away.
                    self.health.send_modify(|health| health.away_since = None);
                    self.give_up(parcel, why);
                    return Ok(());
                }
                Err(Trouble::Later { why, after }) => {
                    tries += 1;
                    let age = self.clock.calendar().since(parcel.at);
                    if age >= self.patience.give_up {
                        self.give_up(parcel, format!("given up after {} s: {why}", age.as_secs()));
                        return Ok(());
                    }
                    let pause = backoff::pause(&self.patience, tries, rand::random());
                    let pause = backoff::asked(pause, after).min(self.patience.give_up.saturating_sub(age));
                    self.failed_once(parcel, &why, tries);
                    self.wait(pause)?;
                }
            }
        }
    }

    fn delivered(&mut self, parcel: &Parcel) {
        tracing::debug!(notifier = self.pick.name(), key = parcel.key, "told");
        let mut back = false;
        self.health.send_modify(|health| {
            health.delivered += 1;
            back = health.away_since.take().is_some();
            health.trouble = None;
        });
        if back {
            tracing::info!(notifier = self.pick.name(), "a notifier gets through again");
        }
    }

    fn failed_once(&mut self, parcel: &Parcel, why: &str, tries: u32) {
        if tries == 1 {
            tracing::warn!(notifier = self.pick.name(), key = parcel.key, why, "not told; hansho tries again");
        } else {
            tracing::debug!(notifier = self.pick.name(), key = parcel.key, why, tries, "not told");
        }
        let now = events::rfc3339(self.clock.calendar());
        self.health.send_modify(|health| {
            health.retried += 1;
            health.away_since.get_or_insert(now);
            health.trouble = Some(why.to_owned());
        });
    }

    fn give_up(&mut self, parcel: &Parcel, why: String) {
        self.health.send_modify(|health| {
            health.failed += 1;
            health.trouble = Some(why.clone());
        });
        let about = &parcel.notice.event;
        if matches!(about.what, What::NotifyFailed { .. }) {
            // Two notifiers that are both away would tell each other for ever.
            tracing::warn!(notifier = self.pick.name(), why, "the failure of another notifier is not told");
            return;
        }
        let (incident, attempt) = (about.incident, about.attempt);
        let what = What::NotifyFailed { notifier: self.pick.name().to_owned(), key: parcel.key.clone(), reason: why };
        let at = self.clock.calendar();
        let event = Event { at, incident, attempt, call_id: None, contact: None, name: None, what };
        events::log(&event);
        // Nobody watches: that is fine.
        let _ = self.events.send(event.into());
    }

    /// Waits for so long, taking in what comes meanwhile.
    fn wait(&mut self, pause: Duration) -> Result<(), Ends> {
        let until = Instant::now() + pause;
        loop {
            match self.nudges.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(nudge) => self.take(nudge),
                Err(RecvTimeoutError::Timeout) => return Ok(()),
                Err(RecvTimeoutError::Disconnected) => return Err(Ends),
            }
        }
    }

    /// Waits until there may be something to do.
    fn idle(&mut self) -> Result<(), Ends> {
        match self.nudges.recv_timeout(IDLE) {
            Ok(nudge) => self.take(nudge),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Err(Ends),
        }
        // A burst is one reason to look, not many.
        self.wait(Duration::ZERO)
    }

    fn take(&mut self, nudge: Nudge) {
        let Nudge::Event(told) = nudge else {
            self.grown = true;
            return;
        };
        if self.waiting.len() == WAITING {
            self.waiting.pop_front();
        }
        self.waiting.push_back(told);
    }
}
