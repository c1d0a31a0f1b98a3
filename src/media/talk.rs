//! Is somebody talking? For those who watch a room, and so that a silent line adds no noise to it.

use crate::audio::level;

/// Louder than this is speech, in dBm0.
const SPEECH_DBM0: f32 = -38.0;
/// Quieter than this adds nothing to a room, in dBm0.
const NOISE_DBM0: f32 = -52.0;
/// Loud frames in a row that begin talking: 60 ms, longer than a click.
const BEGIN_FRAMES: u16 = 3;
/// Quiet frames in a row that end it: 600 ms, longer than the pauses within a sentence.
const END_FRAMES: u16 = 30;

/// One leg's voice.
#[derive(Clone, Copy, Debug, Default)]
pub struct Talk {
    talking: bool,
    /// Frames in a row that speak against the present state.
    against: u16,
    /// Frames for which the voice is still mixed after its last sound.
    open: u16,
}

impl Talk {
    /// A frame with this mean square was heard; tells when talking begins or ends.
    pub fn on_frame(&mut self, mean_square: f32) -> Option<bool> {
        let level = level::dbm0(mean_square);
        self.open = if level > NOISE_DBM0 { END_FRAMES } else { self.open.saturating_sub(1) };
        if (level > SPEECH_DBM0) == self.talking {
            self.against = 0;
            return None;
        }
        self.against += 1;
        let needed = if self.talking { END_FRAMES } else { BEGIN_FRAMES };
        if self.against < needed {
            return None;
        }
        self.against = 0;
        self.talking = !self.talking;
        Some(self.talking)
    }

    /// Should this voice be mixed?
    pub fn is_open(&self) -> bool {
        self.open > 0
    }

    /// Is somebody talking?
    pub fn is_talking(&self) -> bool {
        self.talking
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn talking_begins_after_a_click_would_have_ended_and_outlasts_a_pause() {
        let (loud, quiet) = (level::from_dbm0(-20.0), level::from_dbm0(-60.0));
        let mut talk = Talk::default();
        let told: Vec<Option<bool>> = [loud, loud, quiet, loud, loud, loud].map(|level| talk.on_frame(level)).into();
        assert_eq!(told, [None, None, None, None, None, Some(true)]);
        assert!((0..29).all(|_| talk.on_frame(quiet).is_none()));
        assert!(talk.is_open());
        assert_eq!(talk.on_frame(quiet), Some(false));
        assert!(!talk.is_open());
    }
}
