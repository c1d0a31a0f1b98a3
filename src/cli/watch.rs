//! `hansho watch`: what happens, as it happens.

use std::process::ExitCode;

use clap::Args;

use super::control::{complain, reach};
use super::shown::json_shown;
use super::timeline::{Timeline, colour_wanted};
use super::{Daemon, FAILED, print_line};
use crate::shell::control::Request;

/// `hansho watch`.
#[derive(Args, Debug)]
pub struct Options {
    /// Only this incident
    incident: Option<String>,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    daemon: Daemon,
}

/// Shows events until the daemon ends.
pub fn run(options: &Options) -> ExitCode {
    show(options).unwrap_or_else(|code| code)
}

fn show(options: &Options) -> Result<ExitCode, ExitCode> {
    let (mut client, zone) = reach(&options.daemon)?;
    let watch = Request::Watch { incident: options.incident.clone() };
    client.ask(&watch).map_err(|error| complain(&error))?;
    let mut timeline = Timeline::new(colour_wanted()).in_zone(zone).with_incidents();
    while let Some(event) = client.read().map_err(|error| complain(&error))? {
        let line = if options.json { json_shown(&event.to_string()) } else { timeline.line(&event) };
        if !print_line(&line) {
            return Ok(ExitCode::SUCCESS);
        }
    }
    eprintln!("hansho: the daemon ended");
    Ok(ExitCode::from(FAILED))
}
