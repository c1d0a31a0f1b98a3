//! The rooms of the configuration, with their own hold music read from its file; and what callers hear who leave a
//! message.

use std::collections::BTreeMap;

use super::core::Core;
use super::daemon::StartError;
use super::events;
use super::wav::{self, WavLimits};
use crate::base::{RoomId, RoomName};
use crate::config::Settings;
use crate::incident::Trigger;
use crate::media::{Prompt, Source};
use crate::switch::{CallInSettings, RoomSettings};

/// Reads every room's music. A file that is no WAV stops the start: better now than at night.
pub(super) fn load(settings: &Settings) -> Result<Vec<RoomSettings>, StartError> {
    let rooms = settings.rooms.values().map(|room| {
        let music = room.hold_music.as_deref().map(|path| {
            let samples = wav::read_wav(path, WavLimits::FILE)
                .map_err(|error| StartError::Prompt(format!("room {}: {error}", room.name)))?;
            Ok::<Prompt, StartError>(samples.into())
        });
        let pin = room.pin.as_ref().map(|pin| pin.reveal().to_owned());
        let (name, record, language) = (room.name.clone(), room.record, room.language);
        Ok(RoomSettings { name, music: music.transpose()?, record, language, pin })
    });
    rooms.collect()
}

/// What becomes of messages that callers leave, where they may.
pub(super) fn call_in(settings: &Settings) -> Result<Option<CallInSettings>, StartError> {
    let Some(call_flow) = settings.call_in.call_flow.clone() else { return Ok(None) };
    let trigger = Trigger {
        call_flow,
        guidance: settings.call_in.guidance.clone(),
        message: None,
        parameters: BTreeMap::new(),
        dedup: None,
        to: Vec::new(),
        host: None,
        service: None,
        by: Some("call-in".to_owned()),
    };
    let plan = settings.plan(&trigger).map_err(|refusal| StartError::Prompt(format!("[call_in]: {refusal}")))?;
    let greeting = settings.call_in.greeting.as_deref().map(|path| {
        let samples = wav::read_wav(path, WavLimits::FILE);
        samples.map(Prompt::from).map_err(|error| StartError::Prompt(format!("[call_in] greeting: {error}")))
    });
    let message_max = settings.call_in.max_length;
    Ok(Some(CallInSettings { trigger, plan, greeting: greeting.transpose()?, message_max }))
}

impl Core {
    /// A room is recorded into a file that bears its name and the moment it opened.
    pub(super) fn record(&mut self, room: RoomId, name: &RoomName) {
        let opened = events::rfc3339(self.clock.calendar()).replace(':', "-");
        let folder = &self.settings.media.record_dir;
        let file = folder.join(format!("{name}-{opened}.wav"));
        let begun = std::fs::create_dir_all(folder).and_then(|()| self.media.record(Source::Room(room), &file));
        match begun {
            Ok(_) => tracing::info!(room = %name, file = %file.display(), "recording"),
            Err(error) => tracing::error!(room = %name, file = %file.display(), %error, "the room is not recorded"),
        }
    }
}
