//! Changes of the directory: durable first, then in force.
//!
//! Whoever asks for a change has made the new directory already (that takes a while, and is done far from the core); the
//! core sees to it that it was made from the one in force, writes its fact, and puts it in force when that is on disk.
//! One change at a time: a second one would be made from a directory that is gone.

use std::sync::Arc;

use serde_json::json;
use tokio::sync::{oneshot, watch};

use super::ask::{Reply, not_stored};
use super::control::Failure;
use super::core::Core;
use super::gate::{Answer, Unstored};
use super::reload::Renewed;
use crate::config::Directory;
use crate::incident::HouseFact;

/// A change on its way to the core.
#[derive(Clone, Debug)]
pub struct Change {
    /// What was asked for.
    pub fact: HouseFact,
    /// What the directory is then.
    pub directory: Arc<Directory>,
    /// The file is another one as well.
    pub renewed: Option<Renewed>,
}

impl PartialEq for Change {
    fn eq(&self, other: &Change) -> bool {
        self.fact == other.fact && self.directory.version() == other.directory.version()
    }
}

/// The directory as the core keeps it.
#[derive(Debug)]
pub struct Shelf {
    /// What is in force; everybody else reads it here.
    now: watch::Sender<Arc<Directory>>,
    under_way: Option<UnderWay>,
}

#[derive(Debug)]
struct UnderWay {
    stored: oneshot::Receiver<Result<(), Unstored>>,
    next: Arc<Directory>,
    renewed: Option<Renewed>,
    reply: Reply,
}

impl Shelf {
    /// This directory is in force.
    pub fn new(directory: Directory) -> Shelf {
        Shelf { now: watch::Sender::new(Arc::new(directory)), under_way: None }
    }

    /// What is in force.
    pub fn now(&self) -> Arc<Directory> {
        self.now.borrow().clone()
    }

    /// Where what is in force is read.
    pub fn reader(&self) -> watch::Receiver<Arc<Directory>> {
        self.now.subscribe()
    }
}

impl Core {
    /// Answers a change when it is in force.
    pub(super) fn change_directory(&mut self, Change { fact, directory, renewed }: Change, reply: Reply) {
        let follows = directory.version() == self.shelf.now.borrow().version() + 1;
        if self.shelf.under_way.is_some() || !follows {
            let why = "another change of the directory is under way: send it again";
            let _ = reply.send(Err(Failure::new("not_stored", why)));
            return;
        }
        let (told, stored) = oneshot::channel();
        self.shelf.under_way = Some(UnderWay { stored, next: directory, renewed, reply });
        let answer = Answer::new(move |stored| {
            let _ = told.send(stored);
        });
        // A change that somebody was told did not happen must not happen one day.
        self.keep(vec![fact], answer.or_never());
        self.settle_directory();
    }

    /// Puts a change in force whose fact is on disk. Asked for whenever the journal has reported.
    pub(super) fn settle_directory(&mut self) {
        let Some(mut under_way) = self.shelf.under_way.take() else { return };
        match under_way.stored.try_recv() {
            Ok(Ok(())) => {
                self.settings = under_way.next.settings().clone();
                self.shelf.now.send_replace(under_way.next);
                let answer = match under_way.renewed {
                    Some(renewed) => self.renew(renewed),
                    None => {
                        self.switch.set_contacts(self.settings.contacts.values().cloned().collect());
                        json!({})
                    }
                };
                let _ = under_way.reply.send(Ok(answer));
            }
            Ok(Err(unstored)) => {
                let _ = under_way.reply.send(Err(not_stored(unstored)));
            }
            Err(oneshot::error::TryRecvError::Empty) => self.shelf.under_way = Some(under_way),
            Err(oneshot::error::TryRecvError::Closed) => {}
        }
    }
}
