//! The rooms of the configuration, with their own hold music read from its file.

use super::daemon::StartError;
use super::wav::{self, WavLimits};
use crate::config::Settings;
use crate::media::Prompt;
use crate::switch::RoomSettings;

/// Reads every room's music. A file that is no WAV stops the start: better now than at night.
pub(super) fn load(settings: &Settings) -> Result<Vec<RoomSettings>, StartError> {
    let rooms = settings.rooms.values().map(|room| {
        let music = room.hold_music.as_deref().map(|path| {
            let samples = wav::read_wav(path, WavLimits::FILE)
                .map_err(|error| StartError::Prompt(format!("room {}: {error}", room.name)))?;
            Ok::<Prompt, StartError>(samples.into())
        });
        Ok(RoomSettings { name: room.name.clone(), music: music.transpose()?, record: room.record })
    });
    rooms.collect()
}
