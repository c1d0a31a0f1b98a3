//! `hansho status --ladder` and `--pcap`: the SIP messages of an incident's calls, drawn or as a capture file.
//!
//! A column for hansho and one for each far end, a line a message: how long after the call's first message it went by,
//! what it says, how often it was sent again. Below it the headers that tell why.
//!
//! Easy to get wrong: every text comes from the network and goes to a terminal, so no control character gets through;
//! and a column is as wide as its terminal cells, not as its characters.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::ExitCode;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::control::asked;
use super::shown::{json_shown, list, moment, padded, shown, text, width};
use super::{Daemon, FAILED, print_line};
use crate::shell::control::{LadderRequest, Request};

/// Columns of the terminal between two parties.
const LANE: usize = 34;
/// As few there are at the least.
const LANE_LEAST: usize = 16;
/// Columns for what stands behind the last party.
const NOTES: usize = 12;
/// Columns of the time before the first party.
const CLOCK: usize = 10;
/// Far ends that get a column each; what goes to others is drawn to the last one.
const LANES: usize = 5;
/// How the beginning of a ladder is written.
const DATE: &str = "%Y-%m-%d %H:%M:%S%.3f %:z";
/// Characters of a header's value that are shown.
const VALUE: usize = 200;

/// Draws the ladders of an incident, of one call, or of what was said outside of calls.
pub(super) fn draw(daemon: &Daemon, wanted: LadderRequest, json: bool) -> ExitCode {
    match asked(daemon, &Request::Ladder(wanted)) {
        Err(code) => code,
        Ok((answer, zone)) => {
            let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
            print_line(&if json { json_shown(&format!("{answer:#}")) } else { page(&answer, &zone, columns) });
            ExitCode::SUCCESS
        }
    }
}

/// Writes the messages into a capture file.
pub(super) fn capture(daemon: &Daemon, wanted: LadderRequest, file: &Path) -> ExitCode {
    let answer = match asked(daemon, &Request::Ladder(wanted)) {
        Err(code) => return code,
        Ok((answer, _)) => answer,
    };
    let written = STANDARD.decode(answer["pcap"].as_str().unwrap_or_default()).map_err(std::io::Error::other);
    // It names people and their numbers.
    let private = || OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(file);
    match written.and_then(|bytes| private()?.write_all(&bytes)) {
        Err(error) => {
            eprintln!("hansho: {}: {error}", file.display());
            ExitCode::from(FAILED)
        }
        Ok(()) => {
            print_line(&format!("{} messages in {}", answer["messages"], file.display()));
            remarks(&answer).iter().for_each(|remark| eprintln!("hansho: {remark}"));
            ExitCode::SUCCESS
        }
    }
}

/// Everything that was answered, as a page for people, for a terminal of so many columns.
fn page(answer: &Value, zone: &TimeZone, columns: Option<usize>) -> String {
    let mut lines = Vec::new();
    for ladder in list(&answer["ladders"]) {
        lines.extend(one(ladder, zone, columns));
        lines.push(String::new());
    }
    let calls: Vec<&Value> = list(&answer["calls"]).collect();
    if !calls.is_empty() {
        lines.push("the latest calls: --call CALL-ID draws one".to_owned());
        lines.extend(calls.iter().map(|call| format!("  {}", title(call, None, zone))));
        lines.push(String::new());
    }
    if lines.is_empty() {
        lines.push("no SIP messages were kept".to_owned());
    }
    lines.extend(remarks(answer));
    lines.join("\n")
}

/// What is missing, in words.
fn remarks(answer: &Value) -> Vec<String> {
    let mut remarks = Vec::new();
    if let Some(calls) = answer["left_out"].as_u64().filter(|calls| *calls > 0) {
        remarks.push(format!("{calls} more calls have no room here: ask for one with --attempt N"));
    }
    if let Some(lost) = answer["lost"].as_u64().filter(|lost| *lost > 0) {
        remarks.push(format!("{lost} messages were lost since the daemon began: there was no time to keep them"));
    }
    if let Some(why) = answer["trouble"].as_str() {
        remarks.push(format!("nothing is kept at the moment: {}", shown(why)));
    }
    remarks
}

/// One call.
fn one(ladder: &Value, zone: &TimeZone, columns: Option<usize>) -> Vec<String> {
    let messages: Vec<&Value> = list(&ladder["messages"]).collect();
    let mut lines = vec![title(ladder, messages.first().and_then(|first| begin(first)), zone)];
    let Some(first) = messages.first() else {
        lines.push("           no messages were kept".to_owned());
        return lines;
    };
    let ends = ends(&messages);
    let wide = lane_of(columns, ends.len());
    let under = |word: String, words: Vec<String>| heads(wide, std::iter::once(word).chain(words));
    lines.push(under("hansho".to_owned(), ends.iter().map(|(end, _)| end.clone()).collect()));
    lines.push(under(text(&first["local"]), ends.iter().map(|(_, transport)| transport.clone()).collect()));
    let began = begin(first);
    let mut gap = ladder["gap"]["missing"].as_u64().zip(ladder["gap"]["after"].as_u64());
    for message in &messages {
        if let Some((missing, _)) = gap.take_if(|(_, after)| message["place"].as_u64() >= Some(*after)) {
            lines.push(format!("{:CLOCK$}  ... {missing} messages are left out ...", ""));
        }
        lines.extend(rung(message, &ends, began, wide));
    }
    lines
}

/// Whom it was with, and when it began.
fn title(ladder: &Value, began: Option<Timestamp>, zone: &TimeZone) -> String {
    if let Some(call_id) = ladder["call_id"].as_str().filter(|_| ladder["attempt"].is_null()) {
        let (from, to, way) =
            (text(&ladder["from"]), text(&ladder["to"]), if ladder["called_in"] == true { "in" } else { "out" });
        let code = ladder["code"].as_u64().map_or_else(|| "-".to_owned(), |code| code.to_string());
        let at = moment(&ladder["began_at"], zone, DATE);
        return format!("{at}  {way:<3}  {code:<3}  {from} -> {to}  Call-ID {}", shown(call_id));
    }
    let at = began.map(|at| at.to_zoned(zone.clone()).strftime(DATE).to_string()).unwrap_or_default();
    if ladder["attempt"].is_null() {
        return format!("outside of calls, with {}  {at}", text(&ladder["with"]));
    }
    let way = if ladder["called_in"] == true { "called in from" } else { "at" };
    let (name, phone, call_id) = (text(&ladder["name"]), text(&ladder["phone"]), text(&ladder["call_id"]));
    format!("attempt {}  {name} {way} {phone}  {at}  Call-ID {call_id}", ladder["attempt"])
}

/// The far ends in the order they appear, and over what they are reached.
fn ends(messages: &[&Value]) -> Vec<(String, String)> {
    let mut ends = Vec::new();
    for message in messages {
        let end = (text(&message["remote"]), text(&message["transport"]));
        if !ends.contains(&end) && ends.len() < LANES {
            ends.push(end);
        }
    }
    ends
}

/// How many columns lie between two parties: as many as usual, or fewer where the terminal is narrow.
fn lane_of(columns: Option<usize>, lanes: usize) -> usize {
    let room = columns.map_or(usize::MAX, |columns| columns.saturating_sub(CLOCK + 3 + NOTES));
    (room / lanes.max(1)).clamp(LANE_LEAST, LANE)
}

/// A line with a word over each column.
fn heads(wide: usize, words: impl Iterator<Item = String>) -> String {
    let words: Vec<String> = words.map(|word| padded(&clipped(&word, wide - 1), wide)).collect();
    format!("{:CLOCK$}  {}", "", words.concat()).trim_end().to_owned()
}

/// One message: its arrow, and below it what it tells.
fn rung(message: &Value, ends: &[(String, String)], began: Option<Timestamp>, wide: usize) -> Vec<String> {
    let end = (text(&message["remote"]), text(&message["transport"]));
    let known = ends.iter().position(|known| *known == end);
    let lane = known.unwrap_or(ends.len().saturating_sub(1));
    let since = seconds(began, begin(message));
    let mut label = what(message);
    if message["sdp"] == true {
        label.push_str(" (SDP)");
    }
    let times: Vec<&Value> = list(&message["at"]).collect();
    if times.len() > 1 {
        label.push_str(&format!(" x{}", times.len()));
    }
    let mut line = format!("{since:>CLOCK$}  {}", arrow(&label, (lane, ends.len(), wide), message["sent"] == true));
    let mut notes = vec![text(&message["cseq"])];
    if times.len() > 1 {
        let last = times.last().and_then(|at| at.as_str()).and_then(|at| at.parse().ok());
        notes.push(format!("last {}", seconds(began, last)));
    }
    if known.is_none() {
        notes.push(format!("{} {}", end.1, end.0));
    }
    line.push_str(&format!("  {}", notes.join("  ")));
    let mut lines = vec![line.trim_end().to_owned()];
    for header in list(&message["headers"]) {
        let rails = rails((ends.len(), wide), None, "");
        let value: String = text(&header["value"]).chars().take(VALUE).collect();
        lines.push(format!("{:CLOCK$}  {rails}  {}: {value}", "", text(&header["name"])).trim_end().to_owned());
    }
    lines
}

/// Request or response in its own words.
fn what(message: &Value) -> String {
    if let Some(code) = message["code"].as_u64() {
        return format!("{code} {}", text(&message["reason"])).trim_end().to_owned();
    }
    match message["method"].as_str() {
        Some(method) => shown(method),
        None => format!("? {}", text(&message["nonsense"])),
    }
}

/// An arrow between hansho and the far end `lane`, with its label.
fn arrow(label: &str, (lane, lanes, wide): (usize, usize, usize), out: bool) -> String {
    let room = wide * (lane + 1) - 1;
    let (before, behind) = if out { ("--", ">") } else { ("<-", "-") };
    let label = clipped(label, room - 3);
    let dashes = "-".repeat(room.saturating_sub(width(&label) + 3));
    rails((lanes, wide), Some(lane), &format!("{before}{label}{dashes}{behind}"))
}

/// The columns, with an arrow from the first one to `lane`.
fn rails((lanes, wide): (usize, usize), lane: Option<usize>, shaft: &str) -> String {
    let mut line = String::from("|");
    for place in 0..lanes {
        match lane {
            Some(lane) if place < lane => {}
            Some(lane) if place == lane => line.push_str(&format!("{shaft}|")),
            _ => line.push_str(&format!("{}|", " ".repeat(wide - 1))),
        }
    }
    line
}

/// As much of a text as fits.
fn clipped(label: &str, most: usize) -> String {
    if width(label) <= most {
        return label.to_owned();
    }
    let mut room = most.saturating_sub(2);
    let fits = |c: &char| {
        let wide = width(c.encode_utf8(&mut [0; 4]));
        room.checked_sub(wide).inspect(|left| room = *left).is_some()
    };
    label.chars().take_while(fits).collect::<String>() + ".."
}

fn begin(message: &Value) -> Option<Timestamp> {
    message["at"][0].as_str()?.parse().ok()
}

/// How long after the beginning, in seconds.
fn seconds(began: Option<Timestamp>, at: Option<Timestamp>) -> String {
    let micros = began.zip(at).map(|(began, at)| at.as_microsecond() - began.as_microsecond());
    micros.map(|micros| format!("{:+.3}", micros as f64 / 1e6)).unwrap_or_default()
}

#[cfg(test)]
mod tests;
