//! `hansho token`: makes, lists and revokes the tokens that HTTP wants.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::Value;

use super::control::asked;
use super::shown::{json_shown, list as members, shown, text};
use super::{BAD, Daemon, print_line};
use crate::shell::control::{Request, TokenRequest};

/// `hansho token`.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Make a token and show it, once
    Create(Create),
    /// Show every token, with when it was last used
    List {
        /// JSON instead of a table
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        daemon: Daemon,
    },
    /// Take a token back: it opens nothing any more
    Revoke {
        /// Its number, as `hansho token list` shows it
        token: u32,
        #[command(flatten)]
        daemon: Daemon,
    },
}

/// `hansho token create`.
#[derive(Args, Debug)]
pub struct Create {
    /// What people call it: who uses it
    #[arg(long)]
    name: String,
    /// What it opens: trigger, read, manage, directory or dial:any [default: trigger and read]
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,
    /// How long it is good, such as 90d, 12h or 8w; or its last day, such as 2027-03-31; or an RFC 3339 time [default:
    /// until it is revoked]
    #[arg(long, value_name = "TIME")]
    expires: Option<String>,
    /// The call flow of its triggers, where they name none
    #[arg(long, value_name = "ID")]
    call_flow: Option<String>,
    #[command(flatten)]
    daemon: Daemon,
}

/// Runs one of them.
pub fn run(command: Command) -> ExitCode {
    let done = match command {
        Command::Create(options) => create(options),
        Command::List { json, daemon } => list(&daemon, json),
        Command::Revoke { token, daemon } => ask(&daemon, &Request::TokenRevoke { token }).map(|_| ()),
    };
    done.map_or_else(|code| code, |()| ExitCode::SUCCESS)
}

fn create(options: Create) -> Result<(), ExitCode> {
    let (expires_in_s, expires) = match options.expires.map(|text| (seconds(&text), text)) {
        None => (None, None),
        Some((Some(length), _)) => (Some(length), None),
        // What is neither, the daemon refuses: it knows where people live.
        Some((None, text)) if text.contains('-') => (None, Some(text)),
        Some((None, text)) => {
            eprintln!("hansho: --expires `{text}`: a time such as 90d, 12h or 8w, or a date is accepted");
            return Err(ExitCode::from(BAD));
        }
    };
    let wanted = TokenRequest {
        name: options.name,
        scopes: options.scopes,
        expires_in_s,
        expires,
        call_flow: options.call_flow,
    };
    let answer = ask(&options.daemon, &Request::TokenCreate(wanted))?;
    let token = &answer["token"];
    eprintln!(
        "token {} `{}` opens {}; it is shown now and never again:",
        token["token"],
        text(&token["name"]),
        scopes(token)
    );
    print_line(answer["secret"].as_str().unwrap_or_default());
    Ok(())
}

fn list(daemon: &Daemon, json: bool) -> Result<(), ExitCode> {
    let answer = ask(daemon, &Request::TokenList)?;
    for token in members(&answer["tokens"]) {
        let line = if json { json_shown(&token.to_string()) } else { line(token) };
        if !print_line(&line) {
            break;
        }
    }
    Ok(())
}

fn line(token: &Value) -> String {
    let or = |field: &str, absent: &str| shown(token[field].as_str().unwrap_or(absent));
    format!(
        "{:>4}  {}…  {}  [{}]  expires {}  last used {}",
        token["token"].as_u64().unwrap_or_default(),
        text(&token["prefix"]),
        text(&token["name"]),
        scopes(token),
        or("expires", "never"),
        or("last_used", "never"),
    )
}

fn scopes(token: &Value) -> String {
    members(&token["scopes"]).map(text).collect::<Vec<_>>().join(", ")
}

fn ask(daemon: &Daemon, request: &Request) -> Result<Value, ExitCode> {
    asked(daemon, request).map(|(answer, _)| answer)
}

/// `90d`, `12h`, `30m`, `45s` or `8w`.
fn seconds(text: &str) -> Option<u64> {
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit())?);
    let unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        "w" => 604_800,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_number_and_one_unit() {
        assert_eq!((seconds("90d"), seconds("12h"), seconds("8w")), (Some(7_776_000), Some(43_200), Some(4_838_400)));
        for wrong in ["", "90", "d", "1d2h", "-1d", "99999999999999999999d", "1.5h"] {
            assert_eq!(seconds(wrong), None, "{wrong}");
        }
    }
}
