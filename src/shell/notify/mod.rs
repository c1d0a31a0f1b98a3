//! Notifiers: who is told what happened, besides those who are called. Slack, webhooks, e-mail, short messages.
//!
//! Each follows the journal on a thread of its own, behind its own cursor, and delivers in order: again and again with
//! growing pauses while its receiver is away, until it is given up after a day. Nobody waits for a notifier: no call,
//! no other notifier, not the end of the daemon; what was not delivered is delivered in the next life.
//!
//! Easy to get wrong: a notifier that is new must not tell the past, so it begins behind the newest line of the
//! journal; and one that was away must tell what it missed.

mod backoff;
mod email;
mod gateway;
mod health;
mod http;
mod parcel;
mod pick;
mod slack;
mod slack_button;
mod sms;
mod webhook;
mod worker;

pub use gateway::{GatewayHandle, Letter};
pub use health::{Health, Notifiers};
pub use slack_button::{NotPressed, Pressed, pressed, seems_signed};

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use tokio::sync::{broadcast, mpsc, watch};
use tokio::task::JoinHandle;

use super::ask::Ask;
use super::clock::Clock;
use super::events::Told;
use super::journal::JournalHandle;
use crate::base::Stamp;
use crate::config::{Directory, Gateway, Patience, Settings, Topics};
use crate::store::{Reader, StoreError};
use crate::switch::{Input, is_of_a_fact};
use email::EmailPost;
use gateway::GatewayThread;
use http::Http;
use parcel::Deliver;
use pick::{Pick, key_part};
use slack::SlackPost;
use sms::SmsPost;
use webhook::WebhookPost;
use worker::{Nudge, Worker};

/// Lines read in one go.
const LINES: u32 = 1_000;
/// Nudges that may wait for a notifier that is busy.
const NUDGES: usize = 256;

/// What notifiers need of the house.
pub struct House<'a> {
    /// The configuration.
    pub settings: &'a Settings,
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

/// What has been started.
pub struct Started {
    /// For whoever asks how they do.
    pub notifiers: Notifiers,
    /// The way of short messages, where a gateway is configured.
    pub gateway: Option<GatewayHandle>,
    /// Wakes the notifiers; they end when it is aborted.
    pub waking: JoinHandle<()>,
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

/// Starts a thread for each notifier, and the task that wakes them.
pub fn start(house: &House<'_>) -> Result<Started, NotifyError> {
    let settings = &house.settings.notify;
    let (patience, ca) = (&settings.patience, settings.ca.as_deref());
    let node = || house.settings.node.name.clone();
    let mut crew = Crew { house, nudges: Vec::new(), health: Vec::new() };
    if let Some(slack) = &settings.slack {
        let reader = Reader::open(&house.settings.journal)?;
        let post = SlackPost::new(slack.clone(), patience, ca, reader, house.journal.clone());
        crew.add("slack", slack.topics.clone(), *patience, Box::new(post))?;
    }
    for webhook in &settings.webhooks {
        let post = WebhookPost::new(webhook.clone(), node(), patience, ca, house.clock);
        crew.add(&format!("webhook.{}", webhook.id), webhook.topics.clone(), *patience, Box::new(post))?;
    }
    if let Some(email) = &settings.email {
        let post = EmailPost::new(email.clone(), node(), patience, ca).map_err(NotifyError::Unfit)?;
        crew.add("email", email.topics.clone(), *patience, Box::new(post))?;
    }
    let sms = &house.settings.sms;
    if !sms.topics.is_empty() {
        let post = SmsPost { shelf: house.shelf.clone(), core: house.asks.clone() };
        crew.add("sms", sms.topics.clone(), *patience, Box::new(post))?;
    }
    let Crew { nudges, mut health, .. } = crew;
    let gateway = match &sms.gateway {
        Some(gateway) => Some(start_gateway(house, gateway, &mut health)?),
        None => None,
    };
    let waking = tokio::spawn(wake(nudges, house.journal.durable(), house.events.subscribe()));
    Ok(Started { notifiers: Notifiers(health), gateway, waking })
}

fn start_gateway(
    house: &House<'_>,
    gateway: &Gateway,
    health: &mut Vec<watch::Receiver<Health>>,
) -> Result<GatewayHandle, NotifyError> {
    let notify = &house.settings.notify;
    let (told, seen) = watch::channel(Health { notifier: "gateway".to_owned(), ..Health::default() });
    health.push(seen);
    let patience = Patience { give_up: house.settings.sms.give_up, ..notify.patience };
    let thread = GatewayThread {
        http: Http::new(&patience, notify.ca.as_deref()),
        gateway: gateway.clone(),
        patience,
        node: key_part(&house.settings.node.name),
        clock: house.clock,
        health: told,
        core: house.inputs.clone(),
    };
    Ok(thread.start()?)
}

/// The notifiers that have been started.
struct Crew<'a> {
    house: &'a House<'a>,
    nudges: Vec<SyncSender<Nudge>>,
    health: Vec<watch::Receiver<Health>>,
}

impl Crew<'_> {
    fn add(
        &mut self,
        name: &str,
        topics: Topics,
        patience: Patience,
        post: Box<dyn Deliver>,
    ) -> Result<(), NotifyError> {
        let House { settings, journal, events, clock, .. } = self.house;
        let reader = Reader::open(&settings.journal)?;
        let cursor = begin(&reader, name, journal, clock.calendar(), patience.give_up)?;
        let (health, seen) = watch::channel(Health { notifier: name.to_owned(), ..Health::default() });
        let (nudge, nudges) = sync_channel(NUDGES);
        let worker = Worker {
            reader,
            journal: journal.clone(),
            nudges,
            pick: Pick::new(name, &settings.node.name, topics, settings.node.language),
            post,
            patience,
            clock: *clock,
            health,
            events: events.clone(),
            cursor,
            noted: cursor,
            waiting: VecDeque::new(),
            grown: true,
        };
        thread::Builder::new().name(format!("tell {name}")).spawn(move || worker.run())?;
        self.nudges.push(nudge);
        self.health.push(seen);
        Ok(())
    }
}

/// Where a notifier goes on; a new one, behind the newest line.
fn begin(
    reader: &Reader,
    name: &str,
    journal: &JournalHandle,
    now: Stamp,
    give_up: Duration,
) -> Result<i64, StoreError> {
    let Some(cursor) = reader.cursor(name)? else {
        let newest = reader.last()?;
        tracing::info!(notifier = name, "tells what happens from now on");
        // Before any line of this life: whatever this life writes is told, also after a crash.
        journal.cursor(name, newest);
        return Ok(newest);
    };
    let (young, passed) = past_the_old(reader, cursor, now, give_up)?;
    if passed > 0 {
        tracing::warn!(notifier = name, lines = passed, "passes over what happened too long ago to be told");
        journal.cursor(name, young);
    }
    Ok(young)
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
    notifiers: Vec<SyncSender<Nudge>>,
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
        for notifier in &notifiers {
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
