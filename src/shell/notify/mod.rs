//! Notifiers: who is told what happened, besides those who are called. Slack, webhooks, e-mail, short messages.
//!
//! Each follows the journal on a thread of its own, behind its own cursor, and delivers in order: again and again with
//! growing pauses while its receiver is away, until it is given up after a day. Nobody waits for a notifier: no call,
//! no other notifier, not the end of the daemon; what was not delivered is delivered in the next life.
//!
//! Easy to get wrong: a notifier that is new must not tell the past, so it begins behind the newest line of the
//! journal; and one that was away must tell what it missed.

mod backoff;
mod crew;
mod email;
mod gateway;
mod health;
mod http;
mod parcel;
mod pick;
mod slack;
mod slack_button;
mod sms;
mod trial;
mod webhook;
mod worker;

pub use crew::{Next, Notifiers, Running, prepare};
pub use gateway::Letter;
pub use health::Health;
pub use slack_button::{NotPressed, Pressed, pressed, seems_signed};
pub use trial::{Trial, everyone};

use std::io;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use tokio::sync::{broadcast, mpsc, watch};
use tokio::task::JoinHandle;

use super::ask::Ask;
use super::clock::Clock;
use super::events::Told;
use super::journal::JournalHandle;
use crate::base::Stamp;
use crate::config::{Directory, Settings};
use crate::store::{Reader, StoreError};
use crate::switch::{Input, is_of_a_fact};
use worker::Nudge;

/// Lines read in one go.
const LINES: u32 = 1_000;

/// What notifiers need of the house.
#[derive(Clone)]
pub struct House {
    /// The directory that is in force.
    pub shelf: watch::Receiver<Arc<Directory>>,
    /// The journal that is followed.
    pub journal: JournalHandle,
    /// What those who watch are told.
    pub events: broadcast::Sender<Told>,
    /// The time.
    pub clock: Clock,
    /// The core, for what became of a short message, and for new ones.
    pub inputs: mpsc::Sender<Input>,
    /// The same.
    pub asks: mpsc::Sender<Ask>,
}

/// Why the notifiers did not start.
#[derive(Debug, thiserror::Error)]
pub enum NotifyError {
    /// The journal cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No thread can be started.
    #[error("cannot start a notifier's thread: {0}")]
    Thread(#[from] io::Error),
    /// What the configuration says cannot be used.
    #[error("{0}")]
    Unfit(String),
}

/// Starts a thread for each notifier, and the task that wakes them; they end when that is aborted.
pub fn start(house: &House, settings: &Settings) -> Result<(Notifiers, JoinHandle<()>), NotifyError> {
    let (mut notifiers, nudged) = Notifiers::none();
    notifiers.swap(prepare(house, settings, &Running::default())?, &house.journal);
    let waking = tokio::spawn(wake(nudged, house.journal.durable(), house.events.subscribe()));
    Ok((notifiers, waking))
}

/// Where a notifier goes on; `None`: it is new.
fn known_cursor(
    reader: &Reader,
    name: &str,
    journal: &JournalHandle,
    now: Stamp,
    give_up: Duration,
) -> Result<Option<i64>, StoreError> {
    let Some(cursor) = reader.cursor(name)? else { return Ok(None) };
    let (young, passed) = past_the_old(reader, cursor, now, give_up)?;
    if passed > 0 {
        tracing::warn!(notifier = name, lines = passed, "passes over what happened too long ago to be told");
        journal.cursor(name, young);
    }
    Ok(Some(young))
}

/// The last line behind `cursor` that is older than `give_up`, and how many are passed over on the way to it: a notifier
/// that comes back after months must not tell the months.
fn past_the_old(reader: &Reader, cursor: i64, now: Stamp, give_up: Duration) -> Result<(i64, usize), StoreError> {
    let (mut young, mut passed) = (cursor, 0);
    loop {
        let lines = match reader.after(young, LINES) {
            // Dealt with when its turn has come.
            Err(StoreError::Row { .. }) => return Ok((young, passed)),
            read => read?,
        };
        let old = lines.iter().take_while(|(_, entry)| now.since(entry.at()) > give_up);
        let whole = lines.len() < LINES as usize;
        let seqs: Vec<i64> = old.map(|(seq, _)| *seq).collect();
        passed += seqs.len();
        young = seqs.last().copied().unwrap_or(young);
        if whole || seqs.len() < lines.len() {
            return Ok((young, passed));
        }
    }
}

/// Wakes every notifier when the journal has grown, and hands on what is no fact. One that is busy is not waited
/// for: it looks into the journal by itself when it is done.
async fn wake(
    nudged: watch::Receiver<Vec<SyncSender<Nudge>>>,
    mut durable: watch::Receiver<i64>,
    mut events: broadcast::Receiver<Told>,
) {
    loop {
        let nudge = tokio::select! {
            grown = durable.changed() => match grown {
                Ok(()) => Nudge::Journal,
                Err(_) => return,
            },
            told = events.recv() => match told {
                Ok(told) if !is_of_a_fact(&told.what) => Nudge::Event(told),
                Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => continue,
                Err(broadcast::error::RecvError::Closed) => return,
            },
        };
        for notifier in nudged.borrow().iter() {
            let _ = notifier.try_send(nudge.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::{Entry, HouseFact};
    use crate::store::Journal;

    const HOUR: Duration = Duration::from_secs(3_600);

    #[test]
    fn a_notifier_that_comes_back_passes_over_what_is_too_old_and_nothing_else() {
        let folder = std::env::temp_dir().join(format!("hansho-{}-past-the-old", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        let mut journal = Journal::open(&folder.join("hansho.db")).unwrap();
        let at = |hour: u32| Stamp::default() + HOUR * hour;
        let line = |hour| Entry::House(at(hour), HouseFact::Lifted { suppression: 1, by: "x".to_owned() });
        // More than is read in one go.
        let mut lines: Vec<Entry> = (0..2_500).map(|_| line(1)).collect();
        lines.extend([line(50), line(1), line(60)]);
        journal.append(&lines).unwrap();
        let reader = journal.reader().unwrap();
        let read = |cursor, hour| past_the_old(&reader, cursor, at(hour), HOUR * 24).unwrap();
        // What stands behind a young line is told, however old it is: the clock was set back.
        assert_eq!(read(0, 60), (2_500, 2_500));
        assert_eq!(read(2_000, 60), (2_500, 500));
        assert_eq!(read(0, 20), (0, 0));
        assert_eq!(read(2_503, 60), (2_503, 0));
        std::fs::remove_dir_all(folder).unwrap();
    }
}
