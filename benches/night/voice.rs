//! The voice maker of the daemon under test: a tone for every text, so that the bench knows a prompt when it hears
//! it.

use std::process::ExitCode;
use std::time::Duration;

use hansho::audio::tone::{Sine, sines};
use hansho::audio::{FRAME, RATE};

/// The text of every confirmation, and its tone in hertz: too high to be most of any 20 ms of the recordings.
pub const CONFIRMATION: &str = "confirmed";
const CONFIRMATION_HZ: f64 = 1_900.0;
/// Anything else, and long enough that nobody hears its end.
const MESSAGE_HZ: f64 = 450.0;
/// How much of a frame's energy must lie in the tone.
const SHARE: f64 = 0.8;

/// Writes the voice of `text` to the file `out`.
pub fn speak(text: &str, out: &str) -> ExitCode {
    let text = std::fs::read_to_string(text).unwrap_or_default();
    let (hz, length) = match text.trim() {
        CONFIRMATION => (CONFIRMATION_HZ, Duration::from_millis(100)),
        _ => (MESSAGE_HZ, Duration::from_secs(4)),
    };
    let sound = sines(&[Sine { hz, dbm0: -13.0 }], length);
    match hansho::shell::wav::write_wav(out.as_ref(), RATE, &sound) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Is this frame the beginning of a confirmation?
pub fn is_confirmation(frame: &[i16; FRAME]) -> bool {
    let step = CONFIRMATION_HZ * std::f64::consts::TAU / f64::from(RATE);
    let (mut cosine, mut sine, mut energy) = (0.0, 0.0, 0.0);
    for (n, sample) in frame.iter().enumerate() {
        let sample = f64::from(*sample);
        cosine += sample * (step * n as f64).cos();
        sine += sample * (step * n as f64).sin();
        energy += sample * sample;
    }
    let tone = (cosine * cosine + sine * sine) * 2.0 / FRAME as f64;
    has_sound(frame) && tone > SHARE * energy
}

/// Is there anything in it that can be heard?
pub fn has_sound(frame: &[i16; FRAME]) -> bool {
    frame.iter().any(|sample| sample.unsigned_abs() > AUDIBLE)
}

/// About -50 dBm0.
const AUDIBLE: u16 = 64;

/// How many silent frames the recorded greeting begins with: they are a part of the prompt.
pub fn silent_frames_of_the_greeting(language: hansho::base::Language) -> crate::Result<usize> {
    let book = hansho::shell::voice::load_prompts().map_err(|error| error.to_string())?;
    let greeting = book.clip(language, hansho::switch::Clip::Intro);
    let first = greeting.iter().position(|sample| sample.unsigned_abs() > AUDIBLE);
    first.map(|place| place / FRAME).ok_or_else(|| "the recorded greeting is silent".to_owned())
}
