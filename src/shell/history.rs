//! Past incidents, read from the journal on a thread of their own: a slow disk does not hold up a call.

use std::io;
use std::sync::mpsc::{Sender, channel};
use std::thread;

use serde_json::Value;
use tokio::sync::oneshot;

use super::control::{Failure, Status, incident_json};
use crate::base::IncidentId;
use crate::incident::Record;
use crate::store::{Reader, StoreError};

/// How many past incidents `status` shows.
const RECENT: u32 = 20;

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

/// Starts the thread.
pub fn start(reader: Reader) -> io::Result<Sender<Unfinished>> {
    let (asks, waiting) = channel::<Unfinished>();
    thread::Builder::new().name("history".into()).spawn(move || {
        while let Ok(Unfinished { status, incident, reply }) = waiting.recv() {
            // A client that went away needs no answer.
            let _ = reply.send(finished(&reader, status, incident));
        }
    })?;
    Ok(asks)
}

fn finished(reader: &Reader, mut status: Status, incident: Option<IncidentId>) -> Result<Value, Failure> {
    let unreadable = |error: StoreError| Failure::new("journal", error.to_string());
    let wanted = match incident {
        Some(id) => vec![id],
        None => reader.recent(RECENT).map_err(unreadable)?,
    };
    for id in wanted {
        if status.incidents.iter().any(|open| open["incident"] == id.to_string()) {
            continue;
        }
        let facts = reader.facts(id).map_err(unreadable)?;
        if facts.is_empty() {
            return Err(Failure::new("not_found", format!("no incident {id}: `hansho status` lists them")));
        }
        let mut record = Record::new();
        for (at, fact) in &facts {
            record.apply(*at, fact);
        }
        status.incidents.push(incident_json(id, &record));
    }
    status.incidents.sort_by(|a, b| b["incident"].as_str().cmp(&a["incident"].as_str()));
    serde_json::to_value(status).map_err(|error| Failure::new("internal", error.to_string()))
}
