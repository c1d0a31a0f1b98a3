//! `reload`: the configuration's file read again, and put in force when its fact is on the disk.
//!
//! Reading takes a while and is done far from the core, by the same code as at a start; the core is asked again when it is
//! done. Whatever can fail is made then: certificates, voices, notifiers with their threads. Easy to get wrong: everything
//! is made before anything changes, so that a file of music that is none changes nothing either; and the directory may
//! have changed meanwhile, so a reload goes the way of those changes: one at a time.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::json;
use tokio::sync::oneshot;

use super::ask::{Ask, Reply};
use super::control::{Failure, Request};
use super::core::Core;
use super::directory::Change;
use super::notify::{self, House, Running};
use super::transport::Tls;
use super::voice::{self, Speaker, SpeakerSettings, load_prompts_from};
use super::{rooms, trunks, wav};
use crate::config::{Directory, NotReloaded, Reloaded, Settings, Speech, reload};
use crate::incident::HouseFact;
use crate::phrase::Dictionary;
use crate::switch::{Renewal, SmsWay};

/// Everything that a new file comes to.
#[derive(Clone, Debug)]
pub struct Renewed {
    /// What the corridor is told.
    pub renewal: Renewal,
    /// What waits for the next start.
    pub waiting: Vec<String>,
    /// What was made for the shell.
    pub parts: Once<Parts>,
}

/// What holds sockets and threads, made and waiting.
#[derive(Debug)]
pub struct Parts {
    /// The certificates of the trunks, in their order, and our own.
    tls: Tls,
    /// The voices, where others are wanted.
    speaker: Option<Arc<Speaker>>,
    /// Who is told.
    notify: notify::Next,
}

/// What is taken out once, though whatever carries it may be cloned.
#[derive(Debug)]
pub struct Once<T>(Arc<Mutex<Option<T>>>);

impl<T> Once<T> {
    fn new(inner: T) -> Once<T> {
        Once(Arc::new(Mutex::new(Some(inner))))
    }

    fn take(&self) -> Option<T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl<T> Clone for Once<T> {
    fn clone(&self) -> Once<T> {
        Once(self.0.clone())
    }
}

impl Core {
    /// Reads the file again; the answer comes when it is in force, or says why nothing changed.
    pub(super) fn reload(&self, by: &str, reply: Reply) {
        let (directory, asks, by) = (self.shelf.now(), self.asks.clone(), by.to_owned());
        let (house, running) = (self.ground.clone(), self.notifiers.running());
        tokio::spawn(async move {
            let whose = by.clone();
            let prepared = tokio::task::spawn_blocking(move || prepare(&directory, &whose, &house, &running)).await;
            let (change, speaker) = match prepared.unwrap_or_else(|broken| Err(wrong(broken.to_string()))) {
                Ok(prepared) => prepared,
                Err(failure) => {
                    let _ = reply.send(Err(failure));
                    return;
                }
            };
            if let Some(speaker) = speaker {
                // Until its files are read, the voice that is in force speaks.
                speaker.loaded().await;
            }
            // A daemon that ends answers nobody any more.
            let _ = asks.send(Ask { request: Request::Directory(Box::new(change)), by: Some(by), reply }).await;
        });
    }

    /// A new file is in force: the corridor is told, and what is said again and again is spoken beforehand.
    pub(super) fn renew(&mut self, renewed: Renewed) -> serde_json::Value {
        let Renewed { renewal, waiting, parts } = renewed;
        let dictionary = renewal.dictionary.clone();
        let trunks = self.switch.renew(self.clock.now(), renewal);
        let mut changed = Vec::new();
        if let Some(Parts { tls, speaker, notify }) = parts.take() {
            changed.extend(self.take_trunks(&trunks, &tls));
            changed.extend(self.notifiers.swap(notify, &self.ground.journal));
            if let Some(speaker) = speaker {
                changed.push("voices: changed".to_owned());
                self.speaker = speaker;
            }
        }
        let texts = voice::fixed_texts(&self.settings, &dictionary);
        tokio::spawn(voice::make(self.speaker.clone(), texts));
        let shelf = self.shelf.now();
        let left_out: Vec<String> = shelf.unfit().map(|(what, why)| format!("{what}: {why}")).collect();
        tracing::info!(?changed, ?waiting, "the configuration was read again");
        self.flush(None);
        json!({ "changed": changed, "needs_restart": waiting, "left_out": left_out })
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

fn wrong(why: impl std::fmt::Display) -> Failure {
    Failure::new("bad_configuration", format!("nothing changed: {why}"))
}

/// Everything that the file wants; and the voices that are to be waited for.
fn prepare(
    now: &Directory,
    by: &str,
    house: &House,
    running: &Running,
) -> Result<(Change, Option<Arc<Speaker>>), Failure> {
    let Reloaded { settings, waiting } = reload(now.base(), &wav::is_wav).map_err(|why| match why {
        NotReloaded::NeedsRestart { .. } => Failure::new("needs_restart", format!("nothing changed: {why}")),
        NotReloaded::Wrong(_) => wrong(format!("the file is wrong\n{why}")),
    })?;
    let digest = settings.digest.clone();
    let directory = now.over(settings);
    let settings = directory.settings();
    let dictionary =
        Dictionary::new(&settings.speech.readings).map_err(|why| wrong(format!("[speech.readings]: {why}")))?;
    let book = load_prompts_from(settings.speech.prompts.as_deref()).map_err(wrong)?;
    let renewal = Renewal {
        contacts: settings.contacts.values().cloned().collect(),
        rooms: rooms::load(settings).map_err(wrong)?,
        dial: settings.dial.rules.clone(),
        call_in: rooms::call_in(settings).map_err(wrong)?,
        always_pin: settings.call_in.always_pin,
        hotlines: settings.hotlines.clone(),
        dictionary: Arc::new(dictionary),
        trunks: trunks::next(now.settings(), settings),
        sms: sms_way(settings),
        book: Some(Arc::new(book)),
    };
    let is_new = spoken_with(&settings.speech) != spoken_with(&now.settings().speech);
    let speaker = is_new.then(|| Arc::new(Speaker::start(speaker_settings(settings))));
    let parts = Parts {
        tls: trunks::tls(settings).map_err(|why| wrong(format!("SIP over TLS: {why}")))?,
        speaker: speaker.clone(),
        notify: notify::prepare(house, settings, running).map_err(wrong)?,
    };
    let fact = HouseFact::Reloaded { digest, waiting: waiting.clone(), by: by.to_owned() };
    let renewed = Renewed { renewal, waiting, parts: Once::new(parts) };
    Ok((Change { fact, directory: Arc::new(directory), renewed: Some(renewed) }, speaker))
}

/// What of `[speech]` makes the voices what they are.
fn spoken_with(speech: &Speech) -> Speech {
    Speech { readings: Default::default(), prompts: None, ..speech.clone() }
}

/// How messages are spoken.
pub(super) fn speaker_settings(settings: &Settings) -> SpeakerSettings {
    SpeakerSettings {
        speech: settings.speech.clone(),
        scratch: settings.node.data_dir.clone(),
        cache: settings.node.data_dir.join("voice-cache"),
    }
}

/// By which way short messages leave.
pub(super) fn sms_way(settings: &Settings) -> SmsWay {
    if settings.sms.gateway.is_some() { SmsWay::Gateway } else { SmsWay::Trunk }
}
