//! `hansho quiet`: nobody is called about something for a while; shown, and taken back.

use std::process::ExitCode;

use clap::Args;
use serde_json::Value;

use super::control::asked;
use super::shown::{list, moment, padded, shown, text};
use super::{Daemon, print_line};
use crate::shell::control::{Request, SuppressRequest};

/// `hansho quiet`.
#[derive(Args, Debug)]
pub struct Options {
    /// About triggers with this deduplication key
    #[arg(long, value_name = "KEY")]
    dedup: Option<String>,
    /// About this host
    #[arg(long)]
    host: Option<String>,
    /// About this service
    #[arg(long)]
    service: Option<String>,
    /// About everything this call flow would be used for
    #[arg(long, value_name = "ID")]
    call_flow: Option<String>,
    /// For so long: 30m, 2h
    #[arg(long = "for", value_name = "DURATION", conflicts_with = "until")]
    duration: Option<String>,
    /// Until this moment (RFC 3339)
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Show what holds
    #[arg(long, conflicts_with_all = ["dedup", "host", "service", "call_flow", "duration", "until", "lift"])]
    list: bool,
    /// Take the promise of this number back
    #[arg(long, value_name = "N", conflicts_with_all = ["dedup", "host", "service", "call_flow", "duration", "until"])]
    lift: Option<u32>,
    #[command(flatten)]
    daemon: Daemon,
}

/// Promises quiet, shows what was promised, or takes it back.
pub fn run(options: Options) -> ExitCode {
    let daemon = options.daemon.clone();
    let request = match options {
        Options { list: true, .. } => Request::Suppressions,
        Options { lift: Some(suppression), .. } => Request::Lift { suppression },
        Options { dedup, host, service, call_flow, duration, until, .. } => {
            Request::Suppress(SuppressRequest { dedup, host, service, call_flow, duration, until })
        }
    };
    let (answer, zone) = match asked(&daemon, &request) {
        Ok(answer) => answer,
        Err(code) => return code,
    };
    let time = |value: &Value| moment(value, &zone, "%m-%d %H:%M");
    match &request {
        Request::Suppressions => {
            let promises: Vec<&Value> = list(&answer["suppressions"]).collect();
            if promises.is_empty() {
                print_line("nothing is quiet");
            }
            for promise in promises {
                print_line(&line(promise, &time(&promise["until"])));
            }
        }
        Request::Suppress(_) => {
            print_line(&format!("quiet {} until {}", answer["suppression"], time(&answer["until"])));
        }
        _ => {}
    }
    ExitCode::SUCCESS
}

/// A promise on one line.
fn line(promise: &Value, until: &str) -> String {
    let named = ["dedup", "host", "service", "call_flow", "message"].into_iter();
    let about = named.filter_map(|key| Some(format!("{key}={}", shown(promise[key].as_str()?))));
    let about = about.collect::<Vec<_>>().join(" ");
    let number = padded(&promise["suppression"].to_string(), 6);
    format!("{number} until {until}  by {}  {about}", padded(&text(&promise["by"]), 16))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_promise_is_shown_with_all_it_is_about() {
        let promise = json!({"suppression": 3, "host": "db\u{1b}", "service": "cpu", "dedup": null, "by": "control"});
        assert_eq!(
            line(&promise, "11-21 18:00"),
            "3      until 11-21 18:00  by control           host=db? service=cpu"
        );
    }
}
