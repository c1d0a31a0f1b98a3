//! What is said in this world: every clip is half a second of a pitch of its own, so that an ear can tell them
//! apart. The message that a trigger brings has one too, and every person's voice.

use core::time::Duration;
use std::sync::Arc;

use hansho::audio::{level, tone};
use hansho::base::Language;
use hansho::media::Prompt;
use hansho::rig::ear;
use hansho::switch::{Clip, PromptBook};

/// What every pitch is a multiple of: an ear tells them apart in 100 ms.
const STEP_HZ: f64 = 40.0;
const FIRST_HZ: f64 = 520.0;
const MESSAGE_HZ: f64 = 480.0;
const MUSIC_HZ: f64 = 440.0;
const WINDOW: usize = 800;
/// How loud everything is.
const DBM0: f32 = -16.0;
/// How much of what is heard must be that pitch.
const SHARE: f32 = 0.7;
/// How many windows in a row.
const WINDOWS: usize = 3;

fn pitch(hz: f64, length: Duration) -> Prompt {
    tone::sines(&[tone::Sine { hz, dbm0: DBM0 }], length).into()
}

/// The voice of the person at this place.
pub fn voice_hz(place: usize) -> f64 {
    200.0 + STEP_HZ * place as f64
}

/// Everything that can be said, without the languages: they share their pitches.
pub fn book() -> Arc<PromptBook> {
    let clip = |_: Language, clip: Clip| Ok::<_, String>(pitch(hz_of(clip.name()), Duration::from_millis(500)));
    Arc::new(PromptBook::gather(clip, pitch(MUSIC_HZ, Duration::from_secs(2))).unwrap())
}

/// The spoken message.
pub fn message() -> Prompt {
    pitch(MESSAGE_HZ, Duration::from_millis(800))
}

/// The pitch of a clip by its name, of `message` and of `music`.
pub fn hz_of(name: &str) -> f64 {
    match name {
        "message" => MESSAGE_HZ,
        "music" => MUSIC_HZ,
        name => {
            let place = Clip::all().position(|clip| clip.name() == name);
            FIRST_HZ + STEP_HZ * place.unwrap_or_else(|| panic!("nothing is called {name}")) as f64
        }
    }
}

/// Behind which sample of `heard` a pitch has been heard for a while; none when it has not.
pub fn find(heard: &[i16], hz: f64) -> Option<usize> {
    let mut row = 0;
    for start in (0..heard.len().saturating_sub(WINDOW - 1)).step_by(WINDOW / 2) {
        let window = &heard[start..start + WINDOW];
        let power = level::mean_square(window);
        let share = level::from_dbm0(ear::tone_dbm0(window, hz)) / power.max(1.0);
        row = if level::dbm0(power) > DBM0 - 12.0 && share > SHARE { row + 1 } else { 0 };
        if row == WINDOWS {
            return Some(start + WINDOW);
        }
    }
    None
}
