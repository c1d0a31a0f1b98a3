//! `hansho room`: who is in which room, and what an operator does to them.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use jiff::tz::TimeZone;
use serde_json::Value;

use super::control::asked;
use super::shown::{json_shown, list, moment, padded, text};
use super::{Daemon, print_line};
use crate::shell::control::{Request, SayRequest};

/// `hansho room`.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Show who is in which room, since when, who talks, who is muted, what is locked
    List {
        /// One JSON object a room
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        daemon: Daemon,
    },
    /// Have a text spoken to everybody in a room
    Say {
        #[command(flatten)]
        of: Of,
        /// What is to be said
        text: String,
        /// The language, ja or en [default: the room's]
        #[arg(long = "lang", value_name = "LANGUAGE")]
        language: Option<String>,
    },
    /// Have nobody in the room hear somebody; they hear the others, and that they are muted
    Mute {
        #[command(flatten)]
        of: Of,
        /// Who: their number in the room, their id or their name
        member: String,
        /// Have everybody hear them again
        #[arg(long)]
        off: bool,
    },
    /// Take somebody out of a room: they hear so, and their call ends
    Kick {
        #[command(flatten)]
        of: Of,
        /// Who: their number in the room, their id or their name
        member: String,
    },
    /// Let nobody come in, as long as somebody is inside; who tries hears why
    Lock {
        #[command(flatten)]
        of: Of,
        /// Let them come in again
        #[arg(long)]
        off: bool,
    },
    /// Ring somebody and ask them into a room; a key lets them in
    Dial {
        #[command(flatten)]
        of: Of,
        /// Whom: a contact's id, name or number
        #[arg(value_name = "CONTACT|NUMBER")]
        to: String,
    },
}

/// Which room, of which daemon.
#[derive(Args, Debug)]
pub struct Of {
    /// The room, as `hansho room list` shows it
    room: String,
    #[command(flatten)]
    daemon: Daemon,
}

/// Does one of them.
pub fn run(command: Command) -> ExitCode {
    let (daemon, request, json) = match command {
        Command::List { json, daemon } => (daemon, Request::RoomList, json),
        Command::Say { of: Of { room, daemon }, text, language } => {
            (daemon, Request::RoomSay(SayRequest { room, text, language }), false)
        }
        Command::Mute { of: Of { room, daemon }, member, off } => {
            (daemon, Request::RoomMute { room, member, off }, false)
        }
        Command::Kick { of: Of { room, daemon }, member } => (daemon, Request::RoomKick { room, member }, false),
        Command::Lock { of: Of { room, daemon }, off } => (daemon, Request::RoomLock { room, off }, false),
        Command::Dial { of: Of { room, daemon }, to } => (daemon, Request::RoomDial { room, to }, false),
    };
    let (answer, zone) = match asked(&daemon, &request) {
        Ok(answer) => answer,
        Err(code) => return code,
    };
    for line in lines(&request, &answer, &zone, json) {
        if !print_line(&line) {
            break;
        }
    }
    ExitCode::SUCCESS
}

fn lines(request: &Request, answer: &Value, zone: &TimeZone, json: bool) -> Vec<String> {
    match request {
        Request::RoomList => {
            let rooms: Vec<&Value> = list(&answer["rooms"]).collect();
            if json {
                return rooms.iter().map(|room| json_shown(&room.to_string())).collect();
            }
            if rooms.is_empty() {
                return vec!["nobody is in any room".to_owned()];
            }
            rooms.iter().flat_map(|room| room_lines(room, zone)).collect()
        }
        Request::RoomSay(_) => vec![format!("{} people hear it, for {} s", answer["people"], answer["seconds"])],
        Request::RoomDial { .. } => {
            vec![format!("{} is being rung at {}", text(&answer["contact"]), text(&answer["phone"]))]
        }
        _ => Vec::new(),
    }
}

fn room_lines(room: &Value, zone: &TimeZone) -> Vec<String> {
    let time = |value: &Value| moment(value, zone, "%m-%d %H:%M:%S");
    let members: Vec<&Value> = list(&room["members"]).collect();
    let locked = if room["locked"] == true { "  LOCKED" } else { "" };
    let head = format!("{}  {} inside, since {}{locked}", text(&room["room"]), members.len(), time(&room["since"]));
    let member = |who: &Value| {
        let (contact, name) = (padded(&text(&who["contact"]), 20), padded(&text(&who["name"]), 20));
        let states = [("talking", "talking"), ("muted", "MUTED")].into_iter();
        let states: Vec<&str> = states.filter(|(key, _)| who[*key] == true).map(|(_, word)| word).collect();
        // A number, which is padded: a value of JSON is not.
        let (number, since) = (who["member"].as_u64().unwrap_or_default(), time(&who["since"]));
        let line = format!("{number:>4}  {contact}  {name}  since {since}  {}", states.join(" "));
        line.trim_end().to_owned()
    };
    [head].into_iter().chain(members.into_iter().map(member)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_room_is_shown_with_who_is_in_it_and_how() {
        let member = |number: u32, name: &str, muted: bool, talking: bool| {
            let since = "2026-11-21T18:00:05.000Z";
            json!({ "member": number, "contact": format!("p{number}"), "name": name, "since": since, "muted": muted,
                "talking": talking })
        };
        let members = [member(1, "山田", false, true), member(3, "a\u{1b}b", true, false)];
        let room = json!({ "room": "war", "since": "2026-11-21T18:00:00.000Z", "locked": true, "members": members });
        let answer = json!({ "rooms": [room] });
        assert_eq!(
            lines(&Request::RoomList, &answer, &TimeZone::UTC, false),
            [
                "war  2 inside, since 11-21 18:00:00  LOCKED",
                "   1  p1                    山田                  since 11-21 18:00:05  talking",
                "   3  p3                    a?b                   since 11-21 18:00:05  MUTED",
            ]
        );
        assert_eq!(lines(&Request::RoomList, &json!({"rooms": []}), &TimeZone::UTC, false), ["nobody is in any room"]);
    }
}
