//! The commands that ask the daemon one thing, and the way to the daemon for the others.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::shown::{list, text};
use super::{BAD, Daemon, FAILED, NO_DAEMON, print_line};
use crate::config;
use crate::shell::control::Request;
use crate::shell::control::client::{Client, ClientError};

/// `hansho cancel`.
#[derive(Args, Debug)]
pub struct Cancel {
    /// The incident, as `hansho status` shows it
    incident: String,
    #[command(flatten)]
    daemon: Daemon,
}

/// `hansho resolve`.
#[derive(Args, Debug)]
pub struct Resolve {
    /// The deduplication key the incident was raised with
    #[arg(long)]
    dedup: String,
    #[command(flatten)]
    daemon: Daemon,
}

/// `hansho reload`.
#[derive(Args, Debug)]
pub struct Reload {
    #[command(flatten)]
    daemon: Daemon,
}

/// `hansho acknowledge`.
#[derive(Args, Debug)]
pub struct Acknowledge {
    /// The incident, as `hansho status` shows it
    incident: String,
    /// Who takes it, as those on the phone hear it
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    #[command(flatten)]
    daemon: Daemon,
}

/// Takes an incident without a call.
pub fn acknowledge(options: &Acknowledge) -> ExitCode {
    let (incident, by) = (options.incident.clone(), options.by.clone());
    one(&options.daemon, &Request::Acknowledge { incident, by })
}

/// Stops calling for an incident.
pub fn cancel(options: &Cancel) -> ExitCode {
    one(&options.daemon, &Request::Cancel { incident: options.incident.clone() })
}

/// Says that what an incident was about is over.
pub fn resolve(options: &Resolve) -> ExitCode {
    one(&options.daemon, &Request::Resolve { dedup: options.dedup.clone() })
}

/// Has the daemon read its configuration again, and says what of it waits for the next start.
pub fn reload(options: &Reload) -> ExitCode {
    let answer = match asked(&options.daemon, &Request::Reload) {
        Ok((answer, _)) => answer,
        Err(code) => return code,
    };
    let waiting: Vec<String> = list(&answer["needs_restart"]).map(text).collect();
    print_line("the configuration is in force for what begins from now on");
    for what in list(&answer["changed"]) {
        print_line(&format!("  {}", text(what)));
    }
    if !waiting.is_empty() {
        print_line(&format!("only after a restart: {}", waiting.join(", ")));
    }
    for what in list(&answer["left_out"]) {
        print_line(&format!("made over HTTP, and left out: {}", text(what)));
    }
    ExitCode::SUCCESS
}

fn one(daemon: &Daemon, request: &Request) -> ExitCode {
    asked(daemon, request).map_or_else(|code| code, |_| ExitCode::SUCCESS)
}

/// A connection to the daemon, and the time zone its times are shown in; or the exit code after saying what is wrong.
pub(super) fn reach(daemon: &Daemon) -> Result<(Client, TimeZone), ExitCode> {
    let (socket, zone) = place(daemon)?;
    let client = Client::connect(&socket).map_err(|error| complain(&error))?;
    Ok((client, zone))
}

/// What the daemon answers to one request, and the time zone its times are shown in.
pub(super) fn asked(daemon: &Daemon, request: &Request) -> Result<(Value, TimeZone), ExitCode> {
    let (mut client, zone) = reach(daemon)?;
    let answer = client.ask(request).map_err(|error| complain(&error))?;
    Ok((answer, zone))
}

/// Says what is wrong, and gives the exit code for it.
pub(super) fn complain(error: &ClientError) -> ExitCode {
    eprintln!("hansho: {error}");
    ExitCode::from(match error {
        ClientError::NoDaemon { .. } => NO_DAEMON,
        ClientError::Refused(failure) if ["bad_request", "bad_configuration"].contains(&failure.code.as_str()) => BAD,
        ClientError::Refused(_) | ClientError::Broken(_) => FAILED,
    })
}

fn place(daemon: &Daemon) -> Result<(PathBuf, TimeZone), ExitCode> {
    if let Some(path) = &daemon.socket {
        return Ok((path.clone(), TimeZone::system()));
    }
    match config::load(daemon.config.path.as_deref()) {
        Ok((_, settings)) => Ok((settings.control_socket, settings.node.time_zone)),
        Err(error) => {
            eprintln!("{error}");
            Err(ExitCode::from(BAD))
        }
    }
}
