//! Messages that callers left: recorded into files, and read back as prompts.
//!
//! A file is written by the recorder's thread, block by block; what is read before its end would be half a message. So
//! a file is read when it has not grown for a while. Nothing is ever opened but a name that the corridor made.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;

use super::media::MediaHandle;
use super::wav::{self, WavLimits};
use crate::base::LegId;
use crate::media::{Prompt, Source, Tap};

/// Between two looks at a file.
const PAUSE: Duration = Duration::from_millis(250);
/// So often a file is looked at before it is taken as it is.
const LOOKS: u32 = 40;

/// The recordings under way, and the folder they lie in.
#[derive(Clone, Debug)]
pub(super) struct Messages {
    folder: PathBuf,
    taps: HashMap<LegId, Tap>,
}

impl Messages {
    /// None yet.
    pub(super) fn new(folder: PathBuf) -> Messages {
        Messages { folder, taps: HashMap::new() }
    }

    /// Begins to record a leg.
    pub(super) fn begin(&mut self, media: &mut MediaHandle, leg: LegId, file: &str) {
        let path = self.folder.join(file);
        let begun = std::fs::create_dir_all(&self.folder).and_then(|()| media.record(Source::Leg(leg), &path));
        match begun {
            Ok(tap) => drop(self.taps.insert(leg, tap)),
            Err(error) => tracing::error!(file = %path.display(), %error, "a message is not recorded"),
        }
    }

    /// Ends it, and takes the file away where nobody wants it.
    pub(super) fn end(&mut self, media: &mut MediaHandle, leg: LegId, file: &str, keep: bool) {
        if let Some(tap) = self.taps.remove(&leg) {
            media.stop_record(tap);
        }
        let path = self.folder.join(file);
        if !keep && let Err(error) = std::fs::remove_file(&path) {
            tracing::debug!(file = %path.display(), %error, "not removed");
        }
    }

    /// Reads one that is whole.
    pub(super) async fn read(&self, file: &str) -> Result<Prompt, String> {
        let path = self.folder.join(file);
        let mut before = None;
        for _ in 0..LOOKS {
            let length = std::fs::metadata(&path).ok().map(|about| about.len());
            if length.is_some() && length == before {
                break;
            }
            before = length;
            tokio::time::sleep(PAUSE).await;
        }
        let read = tokio::task::spawn_blocking(move || wav::read_wav(&path, WavLimits::FILE));
        match read.await {
            Ok(Ok(samples)) if !samples.is_empty() => Ok(samples.into()),
            Ok(Ok(_)) => Err(format!("{file}: there is nothing in it")),
            Ok(Err(error)) => Err(error.to_string()),
            Err(error) => Err(error.to_string()),
        }
    }
}
