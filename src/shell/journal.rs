//! The journal's thread: facts go in, and come back as durable.
//!
//! It ends when its owner lets go of it and everything is written. Easy to get wrong: when it ends by itself, by a
//! mistake of ours, whoever waits for facts to become durable would wait for ever. So it alone holds the sending
//! end of what is told: the receiver sees the end, and the daemon ends with it.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::sync::watch;

use super::clock::Clock;
use super::ladder::LadderHandle;
use crate::base::Stamp;
use crate::incident::HouseFact;
use crate::store::writer::{self, Batch, News, Order};
use crate::store::{Entry, Forgot, Journal, StoreError};

/// How often it is looked for what is old.
const RETENTION: Duration = Duration::from_secs(3_600);

/// The number of a batch on its way to the disk.
pub type Ticket = u64;

/// How the batch of a ticket went: durable, or why not.
pub type Written = (Ticket, Result<(), String>);

/// The thread that writes; it ends with this.
#[derive(Debug)]
pub struct JournalThread {
    way: JournalHandle,
    thread: Option<JoinHandle<()>>,
}

/// The way to the thread, for those who follow the journal.
#[derive(Clone, Debug)]
pub struct JournalHandle {
    orders: Sender<Order<Ticket>>,
    durable: watch::Receiver<i64>,
}

impl JournalThread {
    /// Starts the thread. What it wrote is told on the receiver, which ends when the thread does.
    pub fn start(mut journal: Journal) -> std::io::Result<(JournalThread, UnboundedReceiver<Written>)> {
        JournalThread::run(journal.last(), move |orders, tell| {
            writer::serve(&mut journal, orders, tell);
            match journal.head() {
                Ok(head) => tracing::info!(%head, seq = head.seq, "the journal is closed; its chain ends here"),
                Err(error) => tracing::error!(%error, "the end of the journal's chain cannot be read"),
            }
        })
    }

    fn run(
        last: i64,
        work: impl FnOnce(&Receiver<Order<Ticket>>, &mut dyn FnMut(News<Ticket>)) + Send + 'static,
    ) -> std::io::Result<(JournalThread, UnboundedReceiver<Written>)> {
        let (orders, waiting) = channel();
        let (told, written) = unbounded_channel();
        let (newest, durable) = watch::channel(last);
        let thread = thread::Builder::new().name("journal".into()).spawn(move || {
            work(&waiting, &mut |news| match news {
                News::Written(ticket, result) => {
                    // Nobody listens any more only when the process ends.
                    let _ = told.send((ticket, result.map_err(|error| error.to_string())));
                }
                News::Durable(seq) => {
                    newest.send_replace(seq);
                }
                News::Forgot(Ok(Forgot { incidents, lines })) => {
                    tracing::info!(incidents, lines, "what was old was taken out of the journal");
                }
                News::Forgot(Err(why)) => tracing::error!(%why, "what is old stays in the journal"),
            });
        })?;
        Ok((JournalThread { way: JournalHandle { orders, durable }, thread: Some(thread) }, written))
    }

    /// Has these facts written. `knows`: every earlier ticket has been told of.
    pub fn write(&self, ticket: Ticket, entries: Vec<Entry>, knows: bool) {
        // A thread that is gone is noticed where what it wrote is told.
        let _ = self.way.orders.send(Order::Write(Batch { ticket, entries, knows }));
    }

    /// A way to it for somebody else.
    pub fn handle(&self) -> JournalHandle {
        self.way.clone()
    }
}

impl JournalHandle {
    /// Notes durably how far a follower has come: with the next facts, or at once when there are none.
    pub fn cursor(&self, name: &str, seq: i64) {
        // Gone only when the process ends: the next life follows from the note before.
        let _ = self.orders.send(Order::Cursor { name: name.to_owned(), seq });
    }

    /// Has what is older than `before` taken away, a little whenever nothing else is to be written.
    pub fn forget(&self, now: Stamp, before: Stamp) {
        let _ = self.orders.send(Order::Forget { now, before });
    }

    /// Holds the `seq` of the newest line that is on the disk, and tells when it changes.
    pub fn durable(&self) -> watch::Receiver<i64> {
        self.durable.clone()
    }
}

/// Writes down which configuration holds from here on, where it is another one than before.
pub(super) fn note_configuration(journal: &mut Journal, at: Stamp, digest: &str) -> Result<(), StoreError> {
    let house = journal.house()?;
    let last = house.iter().rev().find_map(|(_, fact)| match fact {
        HouseFact::Configured { digest } => Some((digest, true)),
        HouseFact::Reloaded { digest, waiting, .. } => Some((digest, waiting.is_empty())),
        _ => None,
    });
    if last.is_some_and(|(last, whole)| whole && last == digest) {
        return Ok(());
    }
    journal.append(&[Entry::House(at, HouseFact::Configured { digest: digest.to_owned() })])
}

/// Has what is older than `keep` taken out of the journal, now and again.
pub(super) async fn retain(journal: JournalHandle, ladders: LadderHandle, clock: Clock, keep: Duration) {
    let mut turns = tokio::time::interval(RETENTION);
    loop {
        turns.tick().await;
        let now = clock.calendar();
        let keep = i64::try_from(keep.as_micros()).unwrap_or(i64::MAX);
        let before = Stamp::from_unix_micros(now.as_unix_micros().saturating_sub(keep));
        journal.forget(now, before);
        ladders.forget(before);
    }
}

impl Drop for JournalThread {
    /// Waits until everything is written.
    fn drop(&mut self) {
        let _ = self.way.orders.send(Order::End);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_breaks_down_is_seen_by_who_waits_for_it() {
        let (thread, mut written) = JournalThread::run(0, |orders, _| {
            let _ = orders.recv();
            panic!("a mistake of ours, which this test makes on purpose");
        })
        .unwrap();
        thread.write(1, Vec::new(), true);
        assert_eq!(written.blocking_recv(), None);
    }

    #[test]
    fn a_thread_whose_followers_stay_ends_all_the_same() {
        let (thread, mut written) = JournalThread::run(7, |orders, tell| {
            while !matches!(orders.recv(), Ok(Order::End)) {
                tell(News::Durable(8));
            }
        })
        .unwrap();
        let follower = thread.handle();
        follower.cursor("slack", 7);
        drop(thread);
        assert_eq!(written.blocking_recv(), None);
        assert_eq!(*follower.durable().borrow(), 8);
    }
}
