//! One voice, whatever it is made of: a text in, samples out, within its time and its turn.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

use super::decode::decode;
use super::embedded::Embedded;
use super::fault::Fault;
use super::program::run;
use super::recorded::Recorded;
use super::service::Service;
use super::text::pieces;
use crate::shell::wav::WavLimits;

/// The longest text of one piece for the embedded voice, in bytes: a few sentences.
const PIECE_BYTES: usize = 900;

/// A program that speaks one language.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Program {
    /// For people.
    pub about: String,
    /// The program and its arguments.
    pub command: Vec<String>,
    /// The longest text it takes in one run.
    pub piece_bytes: usize,
}

/// What a voice is made of.
#[derive(Debug)]
pub(super) enum Kind {
    Embedded(Arc<Embedded>),
    Program(Program),
    Service(Arc<Service>),
    Recorded(Arc<Recorded>),
    /// It cannot speak, and this is why.
    Missing(String),
}

/// One voice of one language.
#[derive(Debug)]
pub(super) struct Maker {
    /// As in the configuration.
    pub name: String,
    pub kind: Kind,
    /// How long it may take for one text, the wait for its turn included.
    pub timeout: Duration,
    /// How many texts it speaks at once.
    pub turns: Semaphore,
    /// Where the private folders of programs are made.
    pub scratch: PathBuf,
    pub limits: WavLimits,
}

impl Maker {
    /// What makes its sound what it is; `None`: it cannot speak.
    pub(super) fn identity(&self) -> Option<String> {
        match &self.kind {
            Kind::Embedded(embedded) => embedded.identity(),
            Kind::Program(program) => Some(program_identity(program)),
            Kind::Service(service) => Some(service.identity()),
            // They are in memory already.
            Kind::Recorded(_) | Kind::Missing(_) => None,
        }
    }

    /// Makes the samples of a text, at the plane's rate and as loud as they come.
    pub(super) async fn make(&self, text: &str) -> Result<Vec<i16>, Fault> {
        let deadline = Instant::now() + self.timeout;
        let turn = timeout_at(deadline, self.turns.acquire()).await.map_err(|_| Fault::Busy(self.timeout))?;
        let made = match &self.kind {
            Kind::Missing(why) => Err(Fault::Missing(why.clone())),
            Kind::Embedded(embedded) => self.compute(embedded, text, deadline).await,
            Kind::Program(program) => self.run(program, text, deadline).await,
            Kind::Service(service) => self.ask(service, text, deadline).await,
            Kind::Recorded(recorded) => {
                let (recorded, text) = (recorded.clone(), text.to_owned());
                self.blocking(deadline, move || recorded.speak(&text)).await
            }
        };
        drop(turn);
        made
    }

    async fn compute(&self, embedded: &Embedded, text: &str, deadline: Instant) -> Result<Vec<i16>, Fault> {
        let mouth = timeout_at(deadline, embedded.mouth()).await.map_err(|_| Fault::TimedOut(self.timeout))??;
        let (text, until) = (text.to_owned(), deadline.into_std());
        let speak = move || {
            let spoken: Result<Vec<_>, Fault> =
                pieces(&text, PIECE_BYTES).into_iter().map(|piece| mouth.speak(piece, until)).collect();
            spoken.map(|pieces| pieces.concat())
        };
        self.blocking(deadline, speak).await
    }

    async fn run(&self, program: &Program, text: &str, deadline: Instant) -> Result<Vec<i16>, Fault> {
        let limits = self.limits;
        let mut outputs = Vec::new();
        for piece in pieces(text, program.piece_bytes) {
            let times = (deadline, self.timeout);
            outputs.push(run(&program.command, piece, &self.scratch, times, limits.bytes).await?);
        }
        let read = move || {
            let mut samples = Vec::new();
            for output in &outputs {
                let bytes = std::fs::read(&output.path).map_err(|error| Fault::NoSound(error.to_string()))?;
                samples.extend(decode(bytes, limits)?);
            }
            Ok(samples)
        };
        self.blocking(deadline, read).await
    }

    async fn ask(&self, service: &Arc<Service>, text: &str, deadline: Instant) -> Result<Vec<i16>, Fault> {
        let (service, text, limits) = (service.clone(), text.to_owned(), self.limits);
        let left = deadline.saturating_duration_since(Instant::now());
        self.blocking(deadline, move || decode(service.fetch(&text, left, limits.bytes)?, limits)).await
    }

    /// On a thread where computing and waiting hold up nobody. A panic there is a voice that fails.
    async fn blocking<F>(&self, deadline: Instant, work: F) -> Result<Vec<i16>, Fault>
    where
        F: FnOnce() -> Result<Vec<i16>, Fault> + Send + 'static,
    {
        let done = timeout_at(deadline, tokio::task::spawn_blocking(work)).await;
        let done = done.map_err(|_| Fault::TimedOut(self.timeout))?;
        done.unwrap_or_else(|_| Err(Fault::Failed("it broke down over this text".to_owned())))
    }
}

/// The command, and which program it is: another version speaks differently.
fn program_identity(program: &Program) -> String {
    let about = program.command.first().and_then(|path| std::fs::metadata(path).ok());
    let (length, changed) = about.map_or((0, None), |about| (about.len(), about.modified().ok()));
    let changed = changed.and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok()).unwrap_or_default().as_secs();
    format!("program {:?} {length} {changed}", program.command)
}
