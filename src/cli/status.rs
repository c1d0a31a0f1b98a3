//! `hansho status`: open and past incidents, trunks, rooms, and what is in trouble.

use std::fmt::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::control::asked;
use super::shown::{json_shown, list, moment, padded, shown, text};
use super::{Daemon, ladder, print_line};
use crate::base::Quality;
use crate::shell::control::{LadderRequest, Request};

/// `hansho status`.
#[derive(Args, Debug)]
pub struct Options {
    /// Only this incident, with every call
    incident: Option<String>,
    /// As JSON
    #[arg(long)]
    json: bool,
    /// Draw the SIP messages of its calls; without an incident, of registrations and the like, and list the latest calls
    #[arg(long)]
    ladder: bool,
    /// Write the SIP messages of its calls into a file for Wireshark, tshark or sngrep
    #[arg(long, value_name = "FILE", conflicts_with = "ladder")]
    pcap: Option<PathBuf>,
    /// Only this call of the incident, in a ladder or a file
    #[arg(long, value_name = "N", requires = "incident")]
    attempt: Option<u32>,
    /// The call with this Call-ID, in a ladder or a file: one that was no incident's, say
    #[arg(long, value_name = "CALL-ID", conflicts_with_all = ["incident", "attempt"])]
    call: Option<String>,
    #[command(flatten)]
    daemon: Daemon,
}

/// Shows how things stand.
pub fn run(options: &Options) -> ExitCode {
    let wanted = || LadderRequest {
        incident: options.incident.clone(),
        attempt: options.attempt,
        call: options.call.clone(),
        pcap: options.pcap.is_some(),
    };
    if let Some(file) = &options.pcap {
        return ladder::capture(&options.daemon, wanted(), file);
    }
    if options.ladder || options.call.is_some() {
        return ladder::draw(&options.daemon, wanted(), options.json);
    }
    let ask = Request::Status { incident: options.incident.clone() };
    match asked(&options.daemon, &ask) {
        Err(code) => code,
        Ok((status, zone)) => {
            let page = Page { text: String::new(), zone };
            let text = if options.json {
                json_shown(&format!("{status:#}\n"))
            } else {
                page.of(&status, options.incident.is_some())
            };
            print_line(text.trim_end_matches('\n'));
            ExitCode::SUCCESS
        }
    }
}

/// The status as a page for people.
struct Page {
    text: String,
    zone: TimeZone,
}

impl Page {
    fn of(mut self, status: &Value, one: bool) -> String {
        // Writing to a String cannot fail.
        let _ = if one { self.incidents(status, true) } else { self.everything(status) };
        self.text
    }

    fn everything(&mut self, status: &Value) -> fmt::Result {
        writeln!(self.text, "hansho {} on {}", text(&status["version"]), text(&status["node"]))?;
        for trouble in list(&status["trouble"]) {
            writeln!(self.text, "  TROUBLE  {}", text(trouble))?;
        }
        for trunk in list(&status["trunks"]) {
            let (id, why) = (padded(&text(&trunk["id"]), 16), text(&trunk["reason"]));
            let state = match (trunk["registered"] == true, why.is_empty()) {
                (true, _) => "up",
                // Nothing was answered yet.
                (false, true) => "TRYING",
                (false, false) => "AWAY",
            };
            let resting = list(&trunk["resting"]).map(text).collect::<Vec<_>>().join(", ");
            let resting = if resting.is_empty() { resting } else { format!("  (fails at {resting})") };
            let (calls, at) = (&trunk["calls"], text(&trunk["target"]));
            writeln!(self.text, "  trunk {id} {state:<6}  {calls} calls  {at}{resting}  {why}")?;
        }
        for user in list(&status["users"]) {
            let name = padded(&text(&user["user"]), 16);
            if list(&user["phones"]).next().is_none() {
                writeln!(self.text, "  user  {name} AWAY    no phone is registered")?;
            }
            for phone in list(&user["phones"]) {
                let (at, agent, left) = (text(&phone["at"]), text(&phone["agent"]), &phone["expires"]);
                writeln!(self.text, "  user  {name} up      {at}, for {left} s more  {agent}")?;
            }
        }
        let sip = &status["counts"]["sip"];
        let seen = |key: &str| sip[key].as_u64().unwrap_or_default();
        let dropped = seen("strangers") + seen("wrong_passwords") + seen("shut_out");
        if dropped > 0 {
            let (strangers, wrong, shut) = (seen("strangers"), seen("wrong_passwords"), seen("shut_out"));
            let told =
                format!("{strangers} requests of strangers, {wrong} wrong passwords, {shut} of sources shut out");
            writeln!(self.text, "  dropped since the start: {told}")?;
        }
        for voice in list(&status["voices"]) {
            writeln!(self.text, "  voice {}", text(voice))?;
        }
        let kept: Vec<String> = ["contacts", "rosters", "call_flows", "guidances"]
            .into_iter()
            .filter_map(|kind| {
                let of = |origin: &str| status["directory"][kind][origin].as_u64();
                let (file, service) = (of("file")?, of("service")?);
                let kind = kind.replace('_', " ");
                Some(if service > 0 { format!("{file}+{service} {kind}") } else { format!("{file} {kind}") })
            })
            .collect();
        if !kept.is_empty() {
            writeln!(self.text, "  directory (file + HTTP)  {}", kept.join(", "))?;
        }
        for room in list(&status["rooms"]) {
            let people: Vec<_> = list(&room["people"]).map(text).collect();
            writeln!(self.text, "  room  {} {}", padded(&text(&room["room"]), 16), people.join(", "))?;
        }
        writeln!(self.text)?;
        if list(&status["incidents"]).next().is_none() {
            return writeln!(self.text, "no incidents so far");
        }
        self.incidents(status, false)
    }

    fn incidents(&mut self, status: &Value, calls: bool) -> fmt::Result {
        for incident in list(&status["incidents"]) {
            let taken: Vec<_> = list(&incident["taken_by"]).map(text).collect();
            let taken = if taken.is_empty() { String::new() } else { format!("  taken by {}", taken.join(", ")) };
            let (id, at) = (text(&incident["incident"]), self.time(&incident["accepted_at"]));
            let (state, flow) = (padded(&text(&incident["state"]), 12), text(&incident["call_flow"]));
            writeln!(self.text, "{id}  {at}  {state} {flow}{taken}")?;
            if incident["message"].is_string() {
                writeln!(self.text, "              {}", text(&incident["message"]))?;
            }
            self.remarks(incident)?;
            for waiting in list(&incident["waiting"]) {
                let (since, contact) = (self.time(&waiting["since"]), text(&waiting["contact"]));
                writeln!(self.text, "              {contact} waits since {since}: {}", text(&waiting["reason"]))?;
            }
            for attempt in list(&incident["attempts"]).filter(|_| calls) {
                self.call(attempt)?;
            }
            for skipped in list(&incident["skipped"]).filter(|_| calls) {
                let (at, contact) = (self.time(&skipped["at"]), padded(&text(&skipped["contact"]), 16));
                writeln!(self.text, "       {at}  {contact} skipped: {}", text(&skipped["reason"]))?;
            }
        }
        Ok(())
    }

    /// What is not ordinary about an incident.
    fn remarks(&mut self, incident: &Value) -> fmt::Result {
        let mut remarks = Vec::new();
        if let Some(by) = incident["claimed_by"].as_str() {
            remarks.push(format!("taken without a call by {}", shown(by)));
        }
        if let Some(alerts) = incident["alerts"].as_u64().filter(|alerts| *alerts > 1) {
            remarks.push(format!("{alerts} alerts"));
        }
        if let Some(again) = incident["again"].as_u64().filter(|again| *again > 0) {
            remarks.push(format!("came {again} more times"));
        }
        if let Some(number) = incident["suppression"].as_u64() {
            remarks.push(format!("quiet because of {number}"));
        }
        if incident["quieted"].is_object() {
            let (who, until) = (text(&incident["quieted"]["contact"]), self.time(&incident["quieted"]["until"]));
            remarks.push(format!("{who} promised quiet until {until}"));
        }
        let flows: Vec<_> = list(&incident["escalated"]).map(text).collect();
        if !flows.is_empty() {
            remarks.push(format!("went on with {}", flows.join(", ")));
        }
        if remarks.is_empty() { Ok(()) } else { writeln!(self.text, "              {}", remarks.join("; ")) }
    }

    fn call(&mut self, attempt: &Value) -> fmt::Result {
        let code = attempt["code"].as_u64().map(|code| code.to_string()).unwrap_or_default();
        let outcome =
            attempt["outcome"].as_str().unwrap_or(if attempt["answered_at"].is_string() { "up" } else { "calling" });
        let keys: String = list(&attempt["keys"]).map(|key| text(&key["digit"])).collect();
        let keys = if keys.is_empty() { keys } else { format!("  pressed {keys}") };
        let room = attempt["room"].as_str().map(|room| format!("  in room {}", shown(room))).unwrap_or_default();
        let encrypted = if attempt["encrypted"] == true { "  encrypted" } else { "" };
        let at = self.time(&attempt["dialled_at"]);
        let (name, phone) = (padded(&text(&attempt["name"]), 16), padded(&text(&attempt["phone"]), 18));
        let (number, reason) = (&attempt["attempt"], text(&attempt["reason"]));
        writeln!(
            self.text,
            "  {number:>3}  {at}  {name} {phone} {outcome:<12} {code:<4}{reason}{keys}{room}{encrypted}"
        )?;
        match serde_json::from_value::<Quality>(attempt["quality"].clone()) {
            Ok(quality) => writeln!(self.text, "              {quality}"),
            Err(_) => Ok(()),
        }
    }

    fn time(&self, at: &Value) -> String {
        moment(at, &self.zone, "%m-%d %H:%M:%S")
    }
}
