//! The core task: owns the corridor, hands it what happened, and does what it decides.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{broadcast, mpsc};

use super::ask::Ask;
use super::clock::Clock;
use super::directory::Shelf;
use super::events::{self, Told};
use super::gate::{Answer, Gate};
use super::history::HistoryHandle;
use super::inbox::Inbox;
use super::journal::Written;
use super::ladder::Witness;
use super::locate::Searches;
use super::log::sip_text;
use super::media::{MediaEvents, MediaHandle};
use super::messages::Messages;
use super::notify::{self, Letter, Notifiers};
use super::tokens::Tokens;
use super::transport::{Arrived, Streams};
use super::voice::{Passed, Speaker, Spoken, reasons};
use crate::base::{IncidentId, PerFamily, Stamp};
use crate::config::Settings;
use crate::incident::{Entry, HouseFact};
use crate::sip::{Hop, Transport};
use crate::switch::{Act, Batch, Event, Input, Switch, What};

/// Datagrams dealt with in one go before anything else gets its turn.
const BURST: usize = 64;
/// How often what the disk refused is tried again.
const RETRY: Duration = Duration::from_secs(5);
/// How long the far ends get to answer our goodbyes.
const GOODBYE: Duration = Duration::from_secs(4);

/// Everything the core task owns.
pub(super) struct Core {
    pub(super) switch: Switch,
    pub(super) settings: Arc<Settings>,
    pub(super) shelf: Shelf,
    pub(super) clock: Clock,
    pub(super) gate: Gate,
    pub(super) sip: Inbox,
    pub(super) streams: Streams,
    pub(super) witness: Witness,
    pub(super) media: MediaHandle,
    pub(super) speaker: Arc<Speaker>,
    pub(super) events: broadcast::Sender<Told>,
    pub(super) inputs: mpsc::Sender<Input>,
    pub(super) asks: mpsc::Sender<Ask>,
    pub(super) tokens: Tokens,
    pub(super) messages: Messages,
    pub(super) history: HistoryHandle,
    pub(super) notifiers: Notifiers,
    pub(super) ground: notify::House,
    pub(super) searches: Searches,
    /// Where we speak SIP, as long as the daemon runs.
    pub(super) own: PerFamily<IpAddr>,
}

/// What comes to it from other tasks and threads.
pub(super) struct Inlets {
    pub(super) asks: mpsc::Receiver<Ask>,
    pub(super) inputs: mpsc::Receiver<Input>,
    pub(super) media: MediaEvents,
    pub(super) written: mpsc::UnboundedReceiver<Written>,
    pub(super) stop: tokio::sync::oneshot::Receiver<()>,
}

impl Core {
    /// Runs until it is told to stop and everybody has been said goodbye. The error: it cannot go on.
    pub(super) async fn run(mut self, mut inlets: Inlets) -> Result<(), String> {
        let mut retry = tokio::time::interval(RETRY);
        let mut stopping: Option<tokio::time::Instant> = None;
        self.handle(Input::Start);
        loop {
            if stopping.is_some_and(|until| {
                let done = self.switch.is_idle() && self.gate.is_empty();
                done || until <= tokio::time::Instant::now()
            }) {
                break;
            }
            let wake = self.wake_at(stopping);
            let mut stop = false;
            tokio::select! {
                () = self.sip.arrived() => {
                    self.receive();
                    // Without this a flood of datagrams would have us for ever: the runtime lets a task that does not
                    // yield see nothing of its other sources after a while.
                    tokio::task::yield_now().await;
                }
                arrived = self.streams.arrived() => {
                    self.stream(arrived);
                    tokio::task::yield_now().await;
                }
                event = inlets.media.recv() => match event {
                    Some(event) => {
                        if let crate::media::Event::Closed { leg, counts } = &event {
                            tracing::debug!(leg = leg.0, ?counts, "the voice of a call ended");
                        }
                        self.handle(Input::Media(event));
                    }
                    // Calls without a voice are worse than none: whoever starts us again goes on with them.
                    None => return Err("the media thread has ended".to_owned()),
                },
                written = inlets.written.recv() => match written {
                    Some((ticket, result)) => self.written(ticket, result),
                    // Nothing would become durable any more: the next life goes on from what is on the disk.
                    None => return Err("the journal's thread has ended".to_owned()),
                },
                Some(ask) = inlets.asks.recv(), if stopping.is_none() => stop = self.serve(ask),
                Some(input) = inlets.inputs.recv() => self.handle(input),
                found = self.searches.found() => self.handle(found),
                _ = &mut inlets.stop, if stopping.is_none() => stop = true,
                _ = retry.tick() => self.tick(),
                () = tokio::time::sleep_until(wake) => self.handle(Input::Wake),
            }
            if stop && stopping.is_none() {
                stopping = Some(tokio::time::Instant::now() + GOODBYE);
                self.handle(Input::Stop);
            }
        }
        self.tokens.write_down();
        // The last chance of what the disk refused; the journal's thread ends when it has tried.
        self.gate.retry();
        Ok(())
    }

    fn wake_at(&self, stopping: Option<tokio::time::Instant>) -> tokio::time::Instant {
        let far = tokio::time::Instant::now() + Duration::from_secs(3_600);
        let next = self.switch.next_deadline().map_or(far, |at| self.clock.instant(at).into());
        stopping.map_or(next, |until| next.min(until))
    }

    fn receive(&mut self) {
        for _ in 0..BURST {
            let Some((from, bytes)) = self.sip.pop() else { break };
            self.message(from.into(), bytes);
        }
    }

    /// Deals with what came over connections, as many at a time as datagrams.
    fn stream(&mut self, first: Arrived) {
        let mut next = Some(first);
        for _ in 0..BURST {
            match next {
                None => return,
                Some(Arrived::Message { from, bytes }) => self.message(from, bytes),
                Some(Arrived::Lost { hop, why }) => self.handle(Input::Lost { hop, why }),
                // Whoever is no trunk has nothing to say over a connection either.
                Some(Arrived::Came(newcomer)) if self.switch.agent().knows(newcomer.ip()) => {
                    self.streams.admit(newcomer);
                }
                Some(Arrived::Came(newcomer)) => self.streams.turn_away(newcomer),
            }
            next = self.streams.pop();
        }
        if let Some(arrived) = next {
            self.streams.put_back(arrived);
        }
    }

    fn message(&mut self, from: Hop, bytes: Vec<u8>) {
        tracing::debug!(target: "hansho::sip", %from, "received\n{}", sip_text(&bytes));
        let trusted = self.switch.agent().knows(from.ip());
        self.witness.heard(from, self.streams.local_of(from), trusted, &bytes);
        self.handle(Input::Datagram { from, bytes });
    }

    fn handle(&mut self, input: Input) {
        self.switch.handle(self.clock.now(), input);
        self.flush(None);
    }

    /// Passes what was decided through the gate, and does what comes out of it.
    pub(super) fn flush(&mut self, answer: Option<Answer>) {
        let batch = self.switch.take();
        if !batch.is_empty() || answer.is_some() {
            self.gate.push(batch, answer);
        }
        while let Some(batch) = self.gate.pop() {
            self.perform(batch);
        }
    }

    fn written(&mut self, ticket: u64, result: Result<(), String>) {
        if let Err(why) = &result {
            let (file, hint) =
                (self.settings.journal.display(), "make room there; what waits is written by itself then");
            tracing::error!(%file, why, hint, "the journal cannot be written: no new incident is taken until it can");
        }
        if let Some(incident) = self.gate.written(ticket, result) {
            self.switch.handle(self.clock.now(), Input::NotStored(incident));
        }
        self.flush(None);
        self.settle_directory();
    }

    fn perform(&mut self, mut batch: Batch) {
        // The voice first: whoever hears that we acknowledged may speak, or press a key, in the same moment.
        batch.acts.sort_by_key(|act| matches!(act, Act::Send { .. }));
        for act in batch.acts {
            match act {
                Act::Send { to, bytes } => self.send(to, bytes),
                Act::Media(command) => self.media.command(command),
                Act::OpenLeg { leg, port } => {
                    if let Err(error) = self.media.open(leg, port) {
                        let why = format!("media port {port}: {error}");
                        self.switch.handle(self.clock.now(), Input::LegFailed { leg, why });
                        let batch = self.switch.take();
                        self.gate.push(batch, None);
                    }
                }
                Act::RecordRoom { room, name } => self.record(room, &name),
                Act::Message { number, to, text } => {
                    if !self.notifiers.send(Letter { number, to, text }) {
                        let result = Err("there is no gateway".to_owned());
                        self.switch.handle(self.clock.now(), Input::MessageDone { message: number, result });
                        self.gate.push(self.switch.take(), None);
                    }
                }
                Act::RecordLeg { leg, file } => self.messages.begin(&mut self.media, leg, &file),
                Act::StopRecord { leg, file, keep } => self.messages.end(&mut self.media, leg, &file, keep),
                Act::Replay { incident, language, text, file } => {
                    let (messages, inputs) = (self.messages.clone(), self.inputs.clone());
                    tokio::spawn(async move {
                        let prompt = messages.read(&file).await;
                        let _ = inputs.send(Input::Spoken { incident, language, text, prompt }).await;
                    });
                }
                Act::Speak { incident, language, text } => self.speak(incident, language, text),
            }
        }
        for event in batch.events {
            events::log(&event);
            self.witness.hear(&event);
            // Nobody watches: that is fine.
            let _ = self.events.send(Arc::new(event));
        }
    }

    fn send(&mut self, to: Hop, bytes: Vec<u8>) {
        tracing::debug!(target: "hansho::sip", %to, "sent\n{}", sip_text(&bytes));
        match to.transport {
            Transport::Udp => self.sip.send(to.address, &bytes),
            Transport::Tcp | Transport::Tls => self.streams.send(to, bytes.clone()),
        }
        self.witness.sent(to, self.streams.local_of(to), bytes);
    }

    fn speak(&self, incident: IncidentId, language: crate::base::Language, text: String) {
        let (speaker, inputs) = (self.speaker.clone(), self.inputs.clone());
        let (events, clock) = (self.events.clone(), self.clock);
        tokio::spawn(async move {
            let spoken = speaker.speak(language, &text).await;
            if let Some(what) = spoken.as_ref().ok().and_then(passed_over) {
                let event = in_incident(clock.calendar(), incident, what);
                events::log(&event);
                // Nobody watches: that is fine.
                let _ = events.send(Arc::new(event));
            }
            let prompt = spoken.map(|spoken| spoken.prompt).map_err(|error| error.to_string());
            let _ = inputs.send(Input::Spoken { incident, language, text, prompt }).await;
        });
    }

    fn tick(&mut self) {
        self.switch.set_calendar(self.clock.began());
        self.gate.retry();
        self.flush(None);
    }

    /// Facts about the house go the way of all facts; `told` hears when they are on disk.
    pub(super) fn keep(&mut self, facts: Vec<HouseFact>, told: Answer) {
        let at = self.clock.calendar();
        let facts = facts.into_iter().map(|fact| Entry::House(at, fact)).collect();
        self.gate.push(Batch { facts, ..Batch::default() }, Some(told));
        self.flush(None);
    }
}

/// An event of a voice that failed, where another one spoke.
fn passed_over(spoken: &Spoken) -> Option<What> {
    let failed: Vec<Passed> = spoken.passed.iter().filter(|it| it.fault.is_failure()).cloned().collect();
    (!failed.is_empty()).then(|| What::VoiceFailed { reason: reasons(&failed), spoken_by: Some(spoken.voice.clone()) })
}

fn in_incident(at: Stamp, incident: IncidentId, what: What) -> Event {
    Event { at, incident: Some(incident), attempt: None, call_id: None, contact: None, name: None, what }
}
