//! Past incidents, read from the journal on a thread of their own: a slow disk does not hold up a call.

use std::io;
use std::sync::mpsc::{Sender, channel};
use std::thread;

use serde_json::Value;
use tokio::sync::oneshot;

use super::control::{Failure, Status, incident_json};
use crate::base::IncidentId;
use crate::incident::{Record, State};
use crate::store::{Call, History, Reader, StoreError, record_of};

/// How many past incidents `status` shows.
const RECENT: u32 = 20;
/// The most that is read in one go.
const PAGE: u32 = 500;

/// A status that lacks what only the journal knows.
#[derive(Debug)]
pub struct Unfinished {
    /// What the core knows.
    pub status: Status,
    /// The one that is asked for, or all.
    pub incident: Option<IncidentId>,
    /// Where the answer goes.
    pub reply: oneshot::Sender<Result<Value, Failure>>,
}

/// Something to be done with the journal.
type Task = Box<dyn FnOnce(&Reader) + Send>;

/// The way to the thread, which ends with the last of them.
#[derive(Clone, Debug)]
pub struct HistoryHandle {
    tasks: Sender<Task>,
}

/// Starts the thread.
pub fn start(reader: Reader) -> io::Result<HistoryHandle> {
    let (tasks, waiting) = channel::<Task>();
    thread::Builder::new().name("history".into()).spawn(move || {
        while let Ok(task) = waiting.recv() {
            task(&reader);
        }
    })?;
    Ok(HistoryHandle { tasks })
}

impl HistoryHandle {
    /// What became of an incident, open or past; `None` when there is none of that name.
    pub async fn incident(&self, id: IncidentId) -> Result<Option<Record>, Failure> {
        self.read(move |reader| {
            let facts = reader.facts(id)?;
            Ok((!facts.is_empty()).then(|| record_of(&facts)))
        })
        .await
    }

    /// The newest incidents first, at most `limit` and 500; those older than `before`, and those that stand at
    /// `state`, where that is asked for.
    pub async fn incidents(
        &self,
        before: Option<IncidentId>,
        state: Option<State>,
        limit: u32,
    ) -> Result<Vec<(IncidentId, Record)>, Failure> {
        self.read(move |reader| {
            let ids = reader.incidents(before, state, limit.min(PAGE))?;
            ids.into_iter().map(|id| Ok((id, record_of(&reader.facts(id)?)))).collect()
        })
        .await
    }

    /// The calls that began last first, at most `limit` and 500; those before the line `before`, where that is asked
    /// for: the `seq` of the last one that was got.
    pub async fn calls(&self, before: Option<i64>, limit: u32) -> Result<Vec<Call>, Failure> {
        self.read(move |reader| reader.calls(before, limit.min(PAGE))).await
    }

    /// Has something done with the facts of an incident; they are empty when there is none of that name.
    pub(super) fn with_facts(&self, id: IncidentId, task: impl FnOnce(Result<History, Failure>) + Send + 'static) {
        // The thread is gone only when the process ends; then nobody waits for the answer.
        let _ = self.tasks.send(Box::new(move |reader| task(reader.facts(id).map_err(unreadable))));
    }

    /// Puts what the journal knows into a status, and answers with it.
    pub fn finish(&self, Unfinished { status, incident, reply }: Unfinished) {
        let task = move |reader: &Reader| {
            // A client that went away needs no answer.
            let _ = reply.send(finished(reader, status, incident));
        };
        // The thread is gone only when the process ends; then nobody waits for the answer.
        let _ = self.tasks.send(Box::new(task));
    }

    async fn read<T: Send + 'static>(
        &self,
        task: impl FnOnce(&Reader) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Failure> {
        let (reply, answer) = oneshot::channel();
        let task = move |reader: &Reader| {
            let _ = reply.send(task(reader).map_err(unreadable));
        };
        let gone = || Failure::new("stopping", "the daemon is stopping");
        self.tasks.send(Box::new(task)).map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

fn unreadable(error: StoreError) -> Failure {
    Failure::new("journal", error.to_string())
}

fn finished(reader: &Reader, mut status: Status, incident: Option<IncidentId>) -> Result<Value, Failure> {
    let wanted = match incident {
        Some(id) => vec![id],
        None => reader.incidents(None, None, RECENT).map_err(unreadable)?,
    };
    for id in wanted {
        if status.incidents.iter().any(|open| open["incident"] == id.to_string()) {
            continue;
        }
        let facts = reader.facts(id).map_err(unreadable)?;
        if facts.is_empty() {
            return Err(Failure::new("not_found", format!("no incident {id}: `hansho status` lists them")));
        }
        status.incidents.push(incident_json(id, &record_of(&facts)));
    }
    status.incidents.sort_by(|a, b| b["incident"].as_str().cmp(&a["incident"].as_str()));
    serde_json::to_value(status).map_err(|error| Failure::new("internal", error.to_string()))
}
