//! `hansho tones`: the keys that can be heard in a recording, by the detector that listens on every call.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use crate::media::SAMPLE_RATE;
use crate::media::tones::{Press, presses};
use crate::shell::wav::{WavLimits, read_wav};

/// A recording of four hours, in any shape that is read.
const LIMITS: WavLimits = WavLimits { bytes: 4 << 30, seconds: 4 * 3_600 };

/// What `hansho tones` takes.
#[derive(Args, Debug)]
pub(super) struct Options {
    /// A WAV file: 8 to 48 kHz, one or two channels
    #[arg(value_name = "FILE.wav")]
    file: PathBuf,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

/// Lists the keys heard in a file, one a line.
pub(super) fn run(options: &Options) -> ExitCode {
    let samples = match read_wav(&options.file, LIMITS) {
        Ok(samples) => samples,
        Err(error) => {
            eprintln!("hansho tones: {error}");
            return ExitCode::FAILURE;
        }
    };
    let mut out = io::stdout().lock();
    let written = presses(&samples).iter().try_for_each(|press| writeln!(out, "{}", line(press, options.json)));
    // Nobody reads on (`| head`): that is no failure.
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            eprintln!("hansho tones: {error}");
            ExitCode::FAILURE
        }
        _ => ExitCode::SUCCESS,
    }
}

fn line(press: &Press, json: bool) -> String {
    let millis = |samples: i64| samples * 1_000 / i64::from(SAMPLE_RATE);
    // Adding zero takes the minus sign from a zero.
    let tenths = |value: f32| f64::from((value * 10.0).round()) / 10.0 + 0.0;
    let (start, duration) = (millis(press.at.max(0)), millis(press.length));
    let (level, twist) = (tenths(press.level_dbm0), tenths(press.twist_db));
    if json {
        return serde_json::json!({
            "digit": press.digit,
            "start_ms": start,
            "duration_ms": duration,
            "level_dbm0": level,
            "twist_db": twist,
        })
        .to_string();
    }
    format!("{}  at {start:>8} ms  for {duration:>5} ms  {level:>6.1} dBm0  twist {twist:>5.1} dB", press.digit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Digit;

    #[test]
    fn a_line_of_json_has_the_names_that_others_rely_on() {
        let digit = Digit::from_char('#').unwrap();
        let press = Press { digit, at: 8_004, length: 804, level_dbm0: -9.04, twist_db: 1.96 };
        let read: serde_json::Value = serde_json::from_str(&line(&press, true)).unwrap();
        let wanted = serde_json::json!({
            "digit": "#", "start_ms": 1_000, "duration_ms": 100, "level_dbm0": -9.0, "twist_db": 2.0,
        });
        assert_eq!(read, wanted);
    }
}
