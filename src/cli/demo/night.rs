//! The night, step by step, as those who watch see it.
//!
//! Events come over the control socket and are shown as they come. A step waits for its event and compares
//! what it says; an event that came earlier than its step was asked for counts as well.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::{Instant, timeout_at};

use super::report::{Heard, Talk};
use super::stage::{PEOPLE, ROOM, Stage, TANAKA, YAMADA};
use crate::base::Time;
use crate::cli::loopback::HANSHO;
use crate::cli::print_line;
use crate::cli::timeline::Timeline;
use crate::rig::Noted;
use crate::shell::control::client::{Client, ClientError, ask};
use crate::shell::control::{Request, TriggerRequest};

/// No single step takes longer.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long Yamada is alone in the room.
const ALONE: Duration = Duration::from_secs(2);
/// From Tanaka's coming in until both talk.
const BREATH: Duration = Duration::from_millis(600);
/// How long both talk.
const TALK: Duration = Duration::from_secs(3);
/// The pitch each one hums at, by place; none is one of a key's.
pub const HUMS: [f64; 4] = [285.0, 405.0, 345.0, 465.0];

/// A night being played.
pub struct Night {
    stage: Stage,
    timeline: Timeline,
    step: &'static str,
    events: UnboundedReceiver<Value>,
    seen: Vec<Value>,
    talk: Option<Talk>,
}

impl Night {
    /// The curtain is still down.
    pub fn new(stage: Stage, colour: bool) -> Night {
        let (_, events) = unbounded_channel();
        Night { stage, timeline: Timeline::new(colour), step: "start", events, seen: Vec::new(), talk: None }
    }

    /// The step that is being played.
    pub fn step(&self) -> &'static str {
        self.step
    }

    /// Plays all of it. The error says what was not as it ought to be in the present step.
    pub async fn play(&mut self) -> Result<(), String> {
        self.step = "hansho registers at the trunk";
        self.events = watch(self.stage.control.clone()).await?;
        self.registered().await?;

        self.step = "an incident is raised through the control socket";
        let incident = raise(self.stage.control.clone()).await?;
        self.see("incident.accepted", None, &[("incident", json!(incident))]).await?;

        self.step = "Sato does not pick up: the call is cancelled";
        self.see("attempt.ended", Some(1), &[("outcome", json!("no_answer")), ("code", json!(487))]).await?;

        self.step = "Suzuki is busy";
        self.see("attempt.ended", Some(2), &[("outcome", json!("busy")), ("code", json!(486))]).await?;

        self.step = "Tanaka answers and presses 2 in the voice";
        self.see("attempt.answered", Some(3), &[]).await?;
        self.see("attempt.key", Some(3), &[("digit", json!("2")), ("means", json!("next")), ("way", json!("in_band"))])
            .await?;
        self.see("attempt.ended", Some(3), &[("outcome", json!("passed"))]).await?;

        self.step = "Yamada answers, hears the guidance and presses 1";
        self.see("attempt.answered", Some(4), &[]).await?;
        self.see("attempt.key", Some(4), &[("digit", json!("1")), ("means", json!("join")), ("way", json!("rfc4733"))])
            .await?;
        self.see("incident.acknowledged", None, &[]).await?;

        self.step = "Yamada joins the room";
        self.see("room.joined", Some(4), &[("room", json!(ROOM)), ("people", json!(1))]).await?;
        let alone = self.time(YAMADA).await?;
        self.pass(ALONE).await;

        self.step = "Tanaka calls in and joins";
        let until = self.time(YAMADA).await?;
        let calls = self.stage.exchange.with(TANAKA, |phone, now, out| phone.call_in(now, HANSHO, Vec::new(), out));
        calls.await.ok_or("the telephone is gone")??;
        self.see("room.joined", Some(5), &[("room", json!(ROOM)), ("people", json!(2))]).await?;
        self.pass(BREATH).await;

        self.step = "they hear each other";
        let mut from = Time::ZERO;
        for place in [TANAKA, YAMADA] {
            let hum = move |phone: &mut crate::rig::Phone, now: Time, _: &mut _| {
                phone.talk(now, HUMS[place], TALK);
                now
            };
            from = self.stage.exchange.with(place, hum).await.ok_or("the telephone is gone")?;
        }
        self.talk = Some(Talk { alone: (alone, until), both: (from, from + TALK) });
        self.pass(TALK + BREATH).await;

        self.step = "they hang up, and the room closes";
        for (place, attempt) in [(YAMADA, 4), (TANAKA, 5)] {
            self.stage.exchange.with(place, |phone, now, out| phone.hang_up(now, out)).await;
            self.see("attempt.ended", Some(attempt), &[]).await?;
        }
        self.see("room.ended", None, &[]).await?;
        Ok(())
    }

    /// Stops the daemon and collects what the telephones heard.
    pub async fn end(mut self) -> (Stage, Heard) {
        if let Some(daemon) = self.stage.daemon.take() {
            daemon.stop().await;
        }
        let mut calls = Vec::new();
        let mut pressed = Vec::new();
        for place in 0..PEOPLE.len() {
            let told = self.stage.exchange.with(place, |phone, _, _| {
                let press = phone.log().iter().find(|(_, noted)| matches!(noted, Noted::Pressed(..)));
                (phone.recordings().cloned().collect(), press.map(|(at, _)| *at))
            });
            let (recordings, press) = told.await.unwrap_or_default();
            calls.push(recordings);
            pressed.push(press);
        }
        let left = !self.stage.exchange.is_registered().await;
        (self.stage, Heard { calls, pressed, talk: self.talk, events: self.seen, left })
    }

    /// The time on the telephones' clock.
    async fn time(&self, place: usize) -> Result<Time, String> {
        self.stage.exchange.with(place, |_, now, _| now).await.ok_or_else(|| "the telephone is gone".to_owned())
    }

    async fn registered(&mut self) -> Result<(), String> {
        let until = Instant::now() + PATIENCE;
        while !self.stage.exchange.is_registered().await {
            if Instant::now() > until {
                return Err("the trunk knows nothing of it".to_owned());
            }
            self.pass(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    /// Lets time go by, showing what happens.
    async fn pass(&mut self, length: Duration) {
        let until = Instant::now() + length;
        while let Ok(Some(event)) = timeout_at(until, self.events.recv()).await {
            self.show(event);
        }
        tokio::time::sleep_until(until).await;
    }

    /// Waits for an event of this kind (of this call) and compares its fields.
    async fn see(&mut self, kind: &str, attempt: Option<u64>, fields: &[(&str, Value)]) -> Result<(), String> {
        let until = Instant::now() + PATIENCE;
        let is = |event: &&Value| event["event"] == kind && attempt.is_none_or(|number| event["attempt"] == number);
        loop {
            if let Some(event) = self.seen.iter().find(is) {
                let other = fields.iter().find(|(name, wanted)| event[*name] != *wanted);
                return other.map_or(Ok(()), |(name, wanted)| {
                    Err(format!("{kind} has {name} = {} instead of {wanted}", event[*name]))
                });
            }
            match timeout_at(until, self.events.recv()).await {
                Ok(Some(event)) => self.show(event),
                Ok(None) => return Err("the control socket was closed".to_owned()),
                Err(_) => return Err(format!("no {kind} within {} s", PATIENCE.as_secs())),
            }
        }
    }

    fn show(&mut self, event: Value) {
        print_line(&self.timeline.line(&event));
        self.seen.push(event);
    }
}

/// Follows the events, as `hansho watch` does.
async fn watch(control: PathBuf) -> Result<UnboundedReceiver<Value>, String> {
    let (tell, told) = unbounded_channel();
    let asked = tokio::task::spawn_blocking(move || {
        let mut client = Client::connect(&control)?;
        client.ask(&Request::Watch { incident: None })?;
        Ok::<_, ClientError>(client)
    });
    let client = asked.await.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
    tokio::task::spawn_blocking(move || {
        let mut client = client;
        while let Ok(Some(event)) = client.read() {
            if tell.send(event).is_err() {
                return;
            }
        }
    });
    Ok(told)
}

/// Raises the incident, as `hansho trigger` does, and gives its id.
async fn raise(control: PathBuf) -> Result<String, String> {
    let request = Request::Trigger(TriggerRequest {
        call_flow: "oncall".to_owned(),
        message: Some("The disk of server db 1 is full.".to_owned()),
        ..TriggerRequest::default()
    });
    let answer = ask(control, request).await.map_err(|error| error.to_string())?;
    answer["incident"].as_str().map(str::to_owned).ok_or_else(|| format!("the daemon answered {answer}"))
}
