//! `hansho trigger`: raises an incident, and with `--wait` shows it until it is decided.

use std::process::ExitCode;

use clap::Args;
use jiff::tz::TimeZone;

use super::control::{asked, complain, reach};
use super::shown::{list, shown};
use super::timeline::{Timeline, colour_wanted};
use super::{BAD, Daemon, FAILED, print_line};
use crate::shell::control::client::Client;
use crate::shell::control::{Request, TriggerRequest};

/// `hansho trigger`.
#[derive(Args, Debug)]
pub struct Options {
    /// How to call: the id of a `[[call_flow]]`
    #[arg(long, value_name = "ID")]
    call_flow: String,
    /// What to say and which keys count: the id of a `[[guidance]]`
    #[arg(long, value_name = "ID")]
    guidance: Option<String>,
    /// The text to speak
    #[arg(long, value_name = "TEXT")]
    message: Option<String>,
    /// A value for a {{parameter}} of the message
    #[arg(long = "param", value_name = "K=V")]
    params: Vec<String>,
    /// Ring only this number of the roster
    #[arg(long, value_name = "NUMBER")]
    to: Vec<String>,
    /// Join the open incident with the same key instead of raising another
    #[arg(long, value_name = "KEY")]
    dedup: Option<String>,
    /// The machine it is about; suppressions may be about it
    #[arg(long)]
    host: Option<String>,
    /// The service it is about
    #[arg(long)]
    service: Option<String>,
    /// Show what happens, and exit with 0 when somebody took it, with 1 when nobody did
    #[arg(long)]
    wait: bool,
    #[command(flatten)]
    daemon: Daemon,
}

/// Raises an incident.
pub fn run(options: Options) -> ExitCode {
    let wait = options.wait;
    let daemon = options.daemon.clone();
    let request = match request(options) {
        Ok(request) => request,
        Err(error) => {
            eprintln!("hansho: {error}");
            return ExitCode::from(BAD);
        }
    };
    raise(&daemon, &request, wait).unwrap_or_else(|code| code)
}

fn request(options: Options) -> Result<Request, String> {
    let parameters = options.params.iter().map(|text| {
        let (name, value) = text.split_once('=').ok_or_else(|| format!("--param `{text}`: NAME=VALUE is accepted"))?;
        Ok((name.to_owned(), value.to_owned()))
    });
    Ok(Request::Trigger(TriggerRequest {
        call_flow: options.call_flow,
        guidance: options.guidance,
        parameters: parameters.collect::<Result<_, String>>()?,
        message: options.message,
        dedup: options.dedup,
        to: options.to,
        host: options.host,
        service: options.service,
    }))
}

fn raise(daemon: &Daemon, request: &Request, wait: bool) -> Result<ExitCode, ExitCode> {
    // Watching begins first, so that nothing of the incident is missed.
    let mut watch = if wait { Some(reach(daemon)?) } else { None };
    if let Some((watch, _)) = &mut watch {
        watch.ask(&Request::Watch { incident: None }).map_err(|error| complain(&error))?;
    }
    let (answer, _) = asked(daemon, request)?;
    let incident = answer["incident"].as_str().unwrap_or_default().to_owned();
    if answer["suppressed"] == true {
        eprintln!(
            "hansho: nobody is called: quiet was promised (`hansho quiet --list` shows {})",
            answer["suppression"]
        );
    }
    // What it joined may have been taken before anybody watched.
    if let (Some(_), true) = (&watch, answer["joined"] == true)
        && let Some(code) = decided(daemon, &incident)?
    {
        return Ok(code);
    }
    match watch {
        None => {
            print_line(&incident);
            Ok(ExitCode::SUCCESS)
        }
        Some((watch, zone)) => follow(watch, zone, daemon, &incident),
    }
}

/// Shows an incident until it is decided.
fn follow(mut watch: Client, zone: TimeZone, daemon: &Daemon, incident: &str) -> Result<ExitCode, ExitCode> {
    let mut timeline = Timeline::new(colour_wanted()).in_zone(zone);
    while let Some(event) = watch.read().map_err(|error| complain(&error))? {
        if event["event"] == "watch.lagged" {
            match decided(daemon, incident)? {
                Some(code) => return Ok(code),
                None => continue,
            }
        }
        if event["incident"] != incident {
            continue;
        }
        // The exit code is wanted also where nobody reads the lines.
        print_line(&timeline.line(&event));
        match event["event"].as_str() {
            Some("incident.acknowledged") => return Ok(ExitCode::SUCCESS),
            Some("incident.exhausted" | "incident.suppressed" | "incident.cancelled" | "incident.resolved") => {
                return Ok(ExitCode::from(FAILED));
            }
            _ => {}
        }
    }
    eprintln!("hansho: the daemon ended; the incident goes on when it runs again");
    Ok(ExitCode::from(FAILED))
}

/// Some events were missed: asks how it stands. `None` while it is not decided.
fn decided(daemon: &Daemon, incident: &str) -> Result<Option<ExitCode>, ExitCode> {
    let ask = Request::Status { incident: Some(incident.to_owned()) };
    let (status, _) = asked(daemon, &ask)?;
    let state = status["incidents"][0]["state"].as_str().unwrap_or("unknown");
    print_line(&format!("{incident}: {}", shown(state)));
    let incident = &status["incidents"][0];
    let taken = list(&incident["taken_by"]).next().is_some() || incident["claimed_by"].is_string();
    Ok(match state {
        "acknowledged" => Some(ExitCode::SUCCESS),
        // It was taken, and over before this was asked.
        "resolved" if taken => Some(ExitCode::SUCCESS),
        "queued" | "calling" => None,
        _ => Some(ExitCode::from(FAILED)),
    })
}

#[allow(clippy::disallowed_methods, reason = "the client blocks, so its daemon stands on another thread")]
#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Write};
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn a_viewer_who_missed_something_waits_until_it_is_decided() {
        let path = std::env::temp_dir().join(format!("hansho-trigger-{}.sock", std::process::id()));
        let _ = std::fs::remove_file(&path);
        let listener = UnixListener::bind(&path).unwrap();
        let daemon = Daemon { socket: Some(path.clone()), ..Daemon::default() };
        let watch = Client::connect(&path).unwrap();
        let script = std::thread::spawn(move || {
            let (mut events, _) = listener.accept().unwrap();
            events.write_all(b"{\"event\":\"watch.lagged\",\"missed\":9}\n").unwrap();
            let (mut status, _) = listener.accept().unwrap();
            BufReader::new(status.try_clone().unwrap()).read_line(&mut String::new()).unwrap();
            status.write_all(b"{\"ok\":true,\"incidents\":[{\"state\":\"calling\"}]}\n").unwrap();
            events.write_all(b"{\"event\":\"incident.acknowledged\",\"incident\":\"x\"}\n").unwrap();
        });
        assert_eq!(follow(watch, TimeZone::UTC, &daemon, "x"), Ok(ExitCode::SUCCESS));
        script.join().unwrap();
        std::fs::remove_file(&path).unwrap();
    }
}
