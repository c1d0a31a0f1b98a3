//! The journal's thread: facts go in, and come back as durable.

use std::sync::mpsc::{Sender, channel};
use std::thread::{self, JoinHandle};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::store::writer::{self, Batch};
use crate::store::{Entry, Journal};

/// The number of a batch on its way to the disk.
pub type Ticket = u64;

/// How the batch of a ticket went: durable, or why not.
pub type Written = (Ticket, Result<(), String>);

/// The way to the thread that writes.
#[derive(Debug)]
pub struct JournalThread {
    told: UnboundedSender<Written>,
    batches: Option<Sender<Batch<Ticket>>>,
    thread: Option<JoinHandle<()>>,
}

impl JournalThread {
    /// Starts the thread. What it wrote is told on the receiver.
    pub fn start(mut journal: Journal) -> std::io::Result<(JournalThread, UnboundedReceiver<Written>)> {
        let (batches, waiting) = channel();
        let (told, written): (UnboundedSender<Written>, _) = unbounded_channel();
        let here = told.clone();
        let thread = thread::Builder::new().name("journal".into()).spawn(move || {
            writer::serve(&mut journal, &waiting, |ticket, result| {
                // Nobody listens any more only when the process ends.
                let _ = told.send((ticket, result.map_err(|error| error.to_string())));
            });
        })?;
        Ok((JournalThread { told: here, batches: Some(batches), thread: Some(thread) }, written))
    }

    /// Has these facts written. `knows`: every earlier ticket has been told of.
    pub fn write(&self, ticket: Ticket, entries: Vec<Entry>, knows: bool) {
        let sent = self.batches.as_ref().is_some_and(|batches| batches.send(Batch { ticket, entries, knows }).is_ok());
        if !sent {
            let _ = self.told.send((ticket, Err("the journal's thread is gone".into())));
        }
    }
}

impl Drop for JournalThread {
    /// Waits until everything is written.
    fn drop(&mut self) {
        drop(self.batches.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
