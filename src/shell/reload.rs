//! `reload`: the configuration's file read again, and put in force when its fact is on the disk.
//!
//! Reading takes a while and is done far from the core, by the same code as at a start; the core is asked again when it is
//! done. Easy to get wrong: everything is made before anything changes, so that a file of music that is none changes
//! nothing either; and the directory may have changed meanwhile, so a reload goes the way of those changes: one at a time.

use std::sync::Arc;

use serde_json::json;
use tokio::sync::oneshot;

use super::ask::{Ask, Reply};
use super::control::{Failure, Request};
use super::core::Core;
use super::directory::Change;
use super::{rooms, voice, wav};
use crate::config::{Directory, NotReloaded, Reloaded, reload};
use crate::incident::HouseFact;
use crate::phrase::Dictionary;
use crate::switch::Renewal;

/// Everything that a new file comes to.
#[derive(Clone, Debug)]
pub struct Renewed {
    /// What the corridor is told.
    pub renewal: Renewal,
    /// What waits for the next start.
    pub waiting: Vec<String>,
}

impl Core {
    /// Reads the file again; the answer comes when it is in force, or says why nothing changed.
    pub(super) fn reload(&self, by: &str, reply: Reply) {
        let (directory, asks, by) = (self.shelf.now(), self.asks.clone(), by.to_owned());
        tokio::task::spawn_blocking(move || {
            let change = match prepare(&directory, &by) {
                Ok(change) => change,
                Err(failure) => {
                    let _ = reply.send(Err(failure));
                    return;
                }
            };
            // A daemon that ends answers nobody any more.
            let _ = asks.blocking_send(Ask { request: Request::Directory(Box::new(change)), by: Some(by), reply });
        });
    }

    /// A new file is in force: the corridor is told, and what is said again and again is spoken beforehand.
    pub(super) fn renew(&mut self, renewed: Renewed) -> serde_json::Value {
        let Renewed { renewal, waiting } = renewed;
        let dictionary = renewal.dictionary.clone();
        self.switch.renew(self.clock.now(), renewal);
        let texts = voice::fixed_texts(&self.settings, &dictionary);
        tokio::spawn(voice::make(self.speaker.clone(), texts));
        let shelf = self.shelf.now();
        let left_out: Vec<String> = shelf.unfit().map(|(what, why)| format!("{what}: {why}")).collect();
        tracing::info!(?waiting, "the configuration was read again");
        json!({ "needs_restart": waiting, "left_out": left_out })
    }
}

/// Asks for a reload from inside, as for a signal.
pub(super) async fn ask(asks: &tokio::sync::mpsc::Sender<Ask>, by: &str) -> Result<serde_json::Value, Failure> {
    let stopping = || Failure::new("stopping", "the daemon is stopping");
    let (reply, answer) = oneshot::channel();
    let ask = Ask { request: Request::Reload, by: Some(by.to_owned()), reply };
    asks.send(ask).await.map_err(|_| stopping())?;
    answer.await.unwrap_or_else(|_| Err(stopping()))
}

fn prepare(now: &Directory, by: &str) -> Result<Change, Failure> {
    let wrong = |why: String| Failure::new("bad_configuration", format!("nothing changed: {why}"));
    let Reloaded { settings, waiting } = reload(now.base(), &wav::is_wav).map_err(|why| match why {
        NotReloaded::NeedsRestart { .. } => Failure::new("needs_restart", format!("nothing changed: {why}")),
        NotReloaded::Wrong(_) => wrong(format!("the file is wrong\n{why}")),
    })?;
    let digest = settings.digest.clone();
    let directory = now.over(settings);
    let settings = directory.settings();
    let dictionary =
        Dictionary::new(&settings.speech.readings).map_err(|why| wrong(format!("[speech.readings]: {why}")))?;
    let renewal = Renewal {
        contacts: settings.contacts.values().cloned().collect(),
        rooms: rooms::load(settings).map_err(|why| wrong(why.to_string()))?,
        dial: settings.dial.rules.clone(),
        call_in: rooms::call_in(settings).map_err(|why| wrong(why.to_string()))?,
        always_pin: settings.call_in.always_pin,
        hotlines: settings.hotlines.clone(),
        dictionary: Arc::new(dictionary),
    };
    let fact = HouseFact::Reloaded { digest, waiting: waiting.clone(), by: by.to_owned() };
    let renewed = Renewed { renewal, waiting };
    Ok(Change { fact, directory: Arc::new(directory), renewed: Some(renewed) })
}
