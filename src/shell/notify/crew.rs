//! Which notifiers there are: begun at the start, and others when the file is read again.
//!
//! One whose settings are the same goes on and hears nothing of it. Where another one takes its name, that waits until the
//! first has ended, and goes on behind the last line it dealt with and with what it had not told yet. A gateway that is
//! one no more gives back to the corridor what it has not sent.
//!
//! Everything that may fail is made beforehand ([`prepare`]), threads included, so that nothing fails once it is in force;
//! what is prepared and never put in force ends by itself. Easy to get wrong: a notifier that is new begins behind the
//! line that was the newest when it was put in force, which is later than when it was prepared.

use std::collections::{BTreeMap, VecDeque};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::{self, JoinHandle};

use tokio::sync::watch;

use super::email::EmailPost;
use super::gateway::{GatewayHandle, GatewayThread, Letter};
use super::health::Health;
use super::http::Http;
use super::parcel::Deliver;
use super::pick::{Pick, key_part};
use super::slack::SlackPost;
use super::sms::SmsPost;
use super::webhook::WebhookPost;
use super::worker::{Nudge, Remains, Worker};
use super::{House, NotifyError, known_cursor};
use crate::config::{Email, Gateway, Patience, Settings, Slack, Topics, Webhook};
use crate::shell::events::Told;
use crate::shell::journal::JournalHandle;
use crate::store::Reader;

/// Nudges that may wait for a notifier that is busy.
const NUDGES: usize = 256;

/// What makes a notifier the one it is.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Spec {
    pub(super) name: String,
    pub(super) errand: Errand,
    pub(super) patience: Patience,
    /// PEM of the authorities that are trusted instead of the public ones.
    pub(super) ca: Option<String>,
}

/// Whom it tells.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Errand {
    Slack(Slack),
    Webhook(Webhook),
    Email(Email),
    /// The people of an incident, by short message.
    Sms(Topics),
}

/// What makes a gateway the one it is.
#[derive(Clone, PartialEq, Debug)]
struct Way {
    gateway: Gateway,
    patience: Patience,
    ca: Option<String>,
}

/// The way to a gateway's thread, and how it does.
type Gate = (GatewayHandle, watch::Receiver<Health>);

/// Everything that runs at the moment, by what it was made from.
#[derive(Clone, Debug, Default)]
pub struct Running {
    notifiers: BTreeMap<String, Spec>,
    way: Option<Way>,
}

/// The notifiers that run, and the gateway of short messages where there is one.
#[derive(Debug)]
pub struct Notifiers {
    slots: Vec<Slot>,
    gateway: Option<GatewaySlot>,
    /// Who is woken when the journal has grown.
    nudged: watch::Sender<Vec<SyncSender<Nudge>>>,
}

/// What is to run, made and waiting to be put in force.
#[derive(Debug)]
pub struct Next {
    /// Nothing is made for one that runs already.
    slots: Vec<(Spec, Option<Ready>)>,
    gateway: Option<(Way, Option<Gate>)>,
}

#[derive(Debug)]
struct Slot {
    spec: Spec,
    nudge: SyncSender<Nudge>,
    health: watch::Receiver<Health>,
    thread: JoinHandle<Option<Remains>>,
}

#[derive(Debug)]
struct GatewaySlot {
    way: Way,
    letters: GatewayHandle,
    health: watch::Receiver<Health>,
}

/// A notifier whose thread waits for the word.
#[derive(Debug)]
struct Ready {
    go: Sender<Go>,
    nudge: SyncSender<Nudge>,
    health: watch::Receiver<Health>,
    thread: JoinHandle<Option<Remains>>,
    /// Where it stopped in a former life.
    known: Option<i64>,
}

/// The word.
struct Go {
    /// The one whose place it takes.
    former: Option<JoinHandle<Option<Remains>>>,
    /// Where it begins otherwise.
    cursor: i64,
}

/// Makes what `settings` want and does not run yet.
pub fn prepare(house: &House, settings: &Settings, running: &Running) -> Result<Next, NotifyError> {
    let ready = |spec: Spec| {
        let runs = running.notifiers.get(&spec.name) == Some(&spec);
        let ready = if runs { None } else { Some(ready(house, settings, &spec)?) };
        Ok((spec, ready))
    };
    let slots = specs(settings).into_iter().map(ready).collect::<Result<_, NotifyError>>()?;
    let gateway = way(settings).map(|way| {
        let runs = running.way.as_ref() == Some(&way);
        let begun = if runs { None } else { Some(start_gateway(house, settings, &way)?) };
        Ok::<_, NotifyError>((way, begun))
    });
    Ok(Next { slots, gateway: gateway.transpose()? })
}

impl Notifiers {
    /// None yet. Whoever wakes them reads on the receiver whom to wake.
    pub(super) fn none() -> (Notifiers, watch::Receiver<Vec<SyncSender<Nudge>>>) {
        let (nudged, wake) = watch::channel(Vec::new());
        (Notifiers { slots: Vec::new(), gateway: None, nudged }, wake)
    }

    /// How each of them does, in the order of the configuration.
    pub fn health(&self) -> Vec<Health> {
        let gateway = self.gateway.iter().map(|gateway| &gateway.health);
        self.slots.iter().map(|slot| &slot.health).chain(gateway).map(|health| health.borrow().clone()).collect()
    }

    /// What runs, for whoever prepares what is next.
    pub fn running(&self) -> Running {
        let notifiers = self.slots.iter().map(|slot| (slot.spec.name.clone(), slot.spec.clone())).collect();
        Running { notifiers, way: self.gateway.as_ref().map(|gateway| gateway.way.clone()) }
    }

    /// Hands a short message to the gateway; false: there is none.
    pub fn send(&self, letter: Letter) -> bool {
        self.gateway.as_ref().is_some_and(|gateway| gateway.letters.send(letter).is_ok())
    }

    /// Puts this in force, which was prepared for what runs now. What became of whom, a sentence each.
    pub fn swap(&mut self, next: Next, journal: &JournalHandle) -> Vec<String> {
        let mut said = Vec::new();
        let mut former: BTreeMap<String, Slot> =
            core::mem::take(&mut self.slots).into_iter().map(|slot| (slot.spec.name.clone(), slot)).collect();
        for (spec, ready) in next.slots {
            let before = former.remove(&spec.name);
            let Some(Ready { go, nudge, health, thread, known }) = ready else {
                self.slots.extend(before);
                continue;
            };
            said.push(format!("{}: {}", spec.name, if before.is_some() { "changed" } else { "added" }));
            let newest = *journal.durable().borrow();
            let cursor = known.unwrap_or(newest);
            if known.is_none() && before.is_none() {
                tracing::info!(notifier = spec.name, "tells what happens from now on");
                // Before any line that is told: whatever comes now is told also after a crash.
                journal.cursor(&spec.name, newest);
            }
            // Its thread waits for nothing else, and cannot be gone.
            let _ = go.send(Go { former: before.map(|slot| slot.thread), cursor });
            self.slots.push(Slot { spec, nudge, health, thread });
        }
        said.extend(former.keys().map(|name| format!("{name}: removed")));
        self.nudged.send_replace(self.slots.iter().map(|slot| slot.nudge.clone()).collect());
        let before = self.gateway.take();
        self.gateway = match (next.gateway, before) {
            (Some((_, None)), before) => before,
            (Some((way, Some((letters, health)))), before) => {
                said.push(format!("gateway: {}", if before.is_some() { "changed" } else { "added" }));
                Some(GatewaySlot { way, letters, health })
            }
            (None, before) => {
                said.extend(before.map(|_| "gateway: removed".to_owned()));
                None
            }
        };
        said
    }
}

/// The notifiers of the configuration, in its order.
pub(super) fn specs(settings: &Settings) -> Vec<Spec> {
    let notify = &settings.notify;
    let spec = |name: String, errand| Spec { name, errand, patience: notify.patience, ca: notify.ca.clone() };
    let slack = notify.slack.iter().map(|slack| spec("slack".to_owned(), Errand::Slack(slack.clone())));
    let webhooks =
        notify.webhooks.iter().map(|hook| spec(format!("webhook.{}", hook.id), Errand::Webhook(hook.clone())));
    let email = notify.email.iter().map(|email| spec("email".to_owned(), Errand::Email(email.clone())));
    let topics = Some(&settings.sms.topics).filter(|topics| !topics.is_empty());
    let sms = topics.map(|topics| spec("sms".to_owned(), Errand::Sms(topics.clone())));
    slack.chain(webhooks).chain(email).chain(sms).collect()
}

fn way(settings: &Settings) -> Option<Way> {
    let notify = &settings.notify;
    let patience = Patience { give_up: settings.sms.give_up, ..notify.patience };
    settings.sms.gateway.clone().map(|gateway| Way { gateway, patience, ca: notify.ca.clone() })
}

fn post(house: &House, settings: &Settings, spec: &Spec) -> Result<Box<dyn Deliver>, NotifyError> {
    let (patience, ca, node) = (&spec.patience, spec.ca.as_deref(), settings.node.name.clone());
    Ok(match &spec.errand {
        Errand::Slack(slack) => {
            let reader = Reader::open(&settings.journal)?;
            Box::new(SlackPost::new(slack.clone(), patience, ca, reader, house.journal.clone()))
        }
        Errand::Webhook(hook) => Box::new(WebhookPost::new(hook.clone(), node, patience, ca, house.clock)),
        Errand::Email(email) => {
            Box::new(EmailPost::new(email.clone(), node, patience, ca).map_err(NotifyError::Unfit)?)
        }
        Errand::Sms(_) => Box::new(SmsPost { shelf: house.shelf.clone(), core: house.asks.clone() }),
    })
}

impl Errand {
    fn topics(&self) -> Topics {
        match self {
            Errand::Slack(slack) => slack.topics.clone(),
            Errand::Webhook(hook) => hook.topics.clone(),
            Errand::Email(email) => email.topics.clone(),
            Errand::Sms(topics) => topics.clone(),
        }
    }
}

fn ready(house: &House, settings: &Settings, spec: &Spec) -> Result<Ready, NotifyError> {
    let reader = Reader::open(&settings.journal)?;
    let known = known_cursor(&reader, &spec.name, &house.journal, house.clock.calendar(), spec.patience.give_up)?;
    let (told, health) = watch::channel(Health { notifier: spec.name.clone(), ..Health::default() });
    let (nudge, nudges) = sync_channel(NUDGES);
    let worker = Worker {
        reader,
        journal: house.journal.clone(),
        nudges,
        pick: Pick::new(&spec.name, &settings.node.name, spec.errand.topics(), settings.node.language),
        post: post(house, settings, spec)?,
        patience: spec.patience,
        clock: house.clock,
        health: told,
        events: house.events.clone(),
        cursor: 0,
        noted: 0,
        waiting: VecDeque::new(),
        grown: true,
    };
    let (go, begun) = channel();
    let thread = thread::Builder::new().name(format!("tell {}", spec.name)).spawn(move || work(worker, &begun))?;
    Ok(Ready { go, nudge, health, thread, known })
}

/// The life of a notifier's thread. None remains of one that was never put in force.
fn work(mut worker: Worker, begun: &Receiver<Go>) -> Option<Remains> {
    let Go { former, cursor } = begun.recv().ok()?;
    // One that broke down left what the journal holds.
    let remains = former.and_then(|former| former.join().ok().flatten());
    let Remains { cursor, waiting } = remains.unwrap_or(Remains { cursor, waiting: VecDeque::<Told>::new() });
    (worker.cursor, worker.noted, worker.waiting) = (cursor, cursor, waiting);
    Some(worker.run())
}

fn start_gateway(house: &House, settings: &Settings, Way { gateway, patience, ca }: &Way) -> Result<Gate, NotifyError> {
    let (told, seen) = watch::channel(Health { notifier: "gateway".to_owned(), ..Health::default() });
    let thread = GatewayThread {
        http: Http::new(patience, ca.as_deref()),
        gateway: gateway.clone(),
        patience: *patience,
        node: key_part(&settings.node.name),
        clock: house.clock,
        health: told,
        core: house.inputs.clone(),
    };
    Ok((thread.start()?, seen))
}
