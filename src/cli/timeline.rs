//! Events as lines for people: when, how long after the incident was accepted, who, what.
//!
//! Used by `demo`, `trigger --wait` and `watch`, so that one night looks the same everywhere. It prints nothing itself.
//! Easy to get wrong: every field of an event may come from the network, so it goes through [`shown`].

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::shown::{padded, shown};

/// Columns that a name takes.
const NAME_WIDTH: usize = 14;
/// The longest text of one event that is shown, in characters.
const LONGEST: usize = 160;
/// Open incidents whose beginning is remembered; beyond that the oldest are shown without relative time.
const REMEMBERED: usize = 1_000;

/// Turns events into lines. One a viewer: it remembers when each incident began.
#[derive(Debug)]
pub struct Timeline {
    colour: bool,
    show_incident: bool,
    zone: TimeZone,
    began: BTreeMap<String, Timestamp>,
}

/// What a line looks like: a sign that also reads without colour, and a colour (ANSI SGR parameters).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Look {
    Alarm,
    Calling,
    Ringing,
    Answered,
    Key,
    Good,
    Bad,
    Over,
    Room,
    Quiet,
}

impl Look {
    const fn sign(self) -> &'static str {
        match self {
            Look::Alarm => "!!",
            Look::Calling => "->",
            Look::Ringing => "~~",
            Look::Answered => "<-",
            Look::Key => " #",
            Look::Good => "OK",
            Look::Bad => " x",
            Look::Over => " .",
            Look::Room => "()",
            Look::Quiet => "  ",
        }
    }

    const fn sgr(self) -> &'static str {
        match self {
            Look::Alarm => "1;35",
            Look::Calling => "36",
            Look::Ringing | Look::Quiet => "2",
            Look::Answered => "1",
            Look::Key => "1;33",
            Look::Good => "1;32",
            Look::Bad => "31",
            Look::Over => "0",
            Look::Room => "34",
        }
    }
}

impl Timeline {
    /// A timeline in the machine's time zone, for one incident.
    pub fn new(colour: bool) -> Timeline {
        Timeline { colour, show_incident: false, zone: TimeZone::system(), began: BTreeMap::new() }
    }

    /// Shows the incident's id on every line, for a viewer of many.
    pub fn with_incidents(mut self) -> Timeline {
        self.show_incident = true;
        self
    }

    /// Shows the time of day in `zone`.
    pub fn in_zone(mut self, zone: TimeZone) -> Timeline {
        self.zone = zone;
        self
    }

    /// One event as one line, without a line end. Events that are not known are shown with all they carry.
    pub fn line(&mut self, event: &Value) -> String {
        let at = text(event, "at").parse::<Timestamp>().ok();
        let incident = text(event, "incident");
        let kind = text(event, "event");
        if let (true, Some(at)) = (kind == "incident.accepted", at) {
            if self.began.len() >= REMEMBERED {
                self.began.pop_first();
            }
            self.began.insert(incident.to_owned(), at);
        }
        let clock = at.map_or(String::new(), |at| at.to_zoned(self.zone.clone()).strftime("%H:%M:%S%.3f").to_string());
        let since = at.zip(self.began.get(incident)).map_or(String::new(), |(at, began)| {
            format!("{:+.2} s", (at.as_microsecond() - began.as_microsecond()) as f64 / 1e6)
        });
        let (look, said) = describe(kind, event);
        let who = shown(if text(event, "name").is_empty() { text(event, "contact") } else { text(event, "name") });
        let incident = if self.show_incident { format!("{:12}  ", shown(incident)) } else { String::new() };
        let (sign, who, said) = (look.sign(), padded(&who, NAME_WIDTH), clipped(&said));
        let line = if self.colour {
            let sgr = look.sgr();
            format!("\x1b[2m{clock:12} {since:>10}\x1b[0m  {incident}\x1b[{sgr}m{sign}  {who}  {said}\x1b[0m")
        } else {
            format!("{clock:12} {since:>10}  {incident}{sign}  {who}  {said}")
        };
        line.trim_end().to_owned()
    }
}

/// May colours be used on standard output? Not in a pipe, and not where `NO_COLOR` is set to anything.
pub fn colour_wanted() -> bool {
    use std::io::IsTerminal;
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    std::io::stdout().is_terminal() && !refused && !dumb
}

fn describe(kind: &str, event: &Value) -> (Look, String) {
    let of = |key: &str| shown(&plain(event, key));
    let room = || of("room");
    match kind {
        "incident.accepted" => {
            let message = of("message");
            let message = if message.is_empty() { String::new() } else { format!(": {message}") };
            (Look::Alarm, format!("incident {} accepted, call flow {}{message}", of("incident"), of("call_flow")))
        }
        "incident.round" => (Look::Quiet, format!("round {}", of("round"))),
        "incident.again" => (Look::Quiet, format!("came again: {}", of("message"))),
        "incident.cleared" => (Look::Good, format!("one alert is over: {}", of("dedup"))),
        "incident.suppressed" => (Look::Over, format!("suppressed by promise {}: nobody is called", of("suppression"))),
        "incident.acknowledged" if event["by"].is_string() => (Look::Good, format!("INCIDENT TAKEN by {}", of("by"))),
        "incident.acknowledged" => (Look::Good, "INCIDENT TAKEN".to_owned()),
        "incident.escalated" => (Look::Alarm, format!("too few took it: call flow {} goes on", of("call_flow"))),
        "incident.exhausted" => (Look::Bad, "NOBODY TOOK IT: nobody is left to call".to_owned()),
        "incident.resolved" => (Look::Good, format!("resolved by {}", of("by"))),
        "incident.cancelled" => (Look::Over, format!("cancelled by {}", of("by"))),
        "attempt.skipped" => (Look::Quiet, format!("is not called: {}", of("reason"))),
        "attempt.dialling" => (Look::Calling, format!("calling {}", of("phone"))),
        "attempt.ringing" => (Look::Ringing, format!("rings ({})", of("code"))),
        "attempt.answered" => (Look::Answered, "picked up".to_owned()),
        "attempt.called_in" => (Look::Answered, format!("called in from {}", of("phone"))),
        "attempt.prompt_started" => (Look::Quiet, "hears the guidance".to_owned()),
        "attempt.key" => (Look::Key, key(event)),
        "attempt.taken" => (Look::Good, "takes it".to_owned()),
        "attempt.left" => (Look::Over, "is not called again about it".to_owned()),
        "attempt.quieted" => (Look::Over, format!("promised quiet for {} h", of("hours"))),
        "attempt.ended" => ended(event),
        "suppression.set" => (Look::Over, format!("quiet {} until {}, by {}", of("id"), of("until"), of("by"))),
        "suppression.lifted" => (Look::Over, format!("quiet {} is lifted by {}", of("suppression"), of("by"))),
        "room.created" => (Look::Room, format!("room {} opened", room())),
        "room.joined" => (Look::Room, format!("joined room {} ({} in it)", room(), of("people"))),
        "room.talking" if event["talking"] == Value::Bool(true) => (Look::Room, "talks".to_owned()),
        "room.talking" => (Look::Quiet, "is silent again".to_owned()),
        "room.left" => (Look::Room, format!("left room {} ({} in it)", room(), of("people"))),
        "room.ended" => (Look::Room, format!("room {} closed", room())),
        "trunk.registered" if event["expires"] == 0 => {
            (Look::Good, format!("trunk {} is there; it wants no registration", of("trunk")))
        }
        "trunk.registered" => (Look::Good, format!("trunk {} is registered for {} s", of("trunk"), of("expires"))),
        "trunk.failed" => {
            let code = of("code");
            let code = if code.is_empty() { code } else { format!("{code} ") };
            (Look::Bad, format!("trunk {}: {code}{}; next try in {} s", of("trunk"), of("reason"), of("retry")))
        }
        "trunk.target_failed" => {
            let code = of("code");
            let code = if code.is_empty() { code } else { format!("{code} ") };
            let next = of("next");
            let next = if next.is_empty() { "there is no other".to_owned() } else { format!("{next} is next") };
            let (trunk, target, reason, rest) = (of("trunk"), of("target"), of("reason"), of("rest"));
            (Look::Bad, format!("trunk {trunk} at {target}: {code}{reason}; left alone for {rest} s, {next}"))
        }
        "attempt.rerouted" => {
            let code = of("code");
            let code = if code.is_empty() { code } else { format!("{code} ") };
            let (from, trunk, target) = (of("from"), of("trunk"), of("target"));
            (Look::Bad, format!("trunk {from}: {code}{}; the call goes over {trunk} at {target}", of("reason")))
        }
        "user.registered" => (Look::Good, format!("phone of {} is registered at {}", of("user"), of("source"))),
        "user.unregistered" => (Look::Bad, format!("phone of {} is registered no more: {}", of("user"), of("reason"))),
        "registrar.shut_out" => {
            (Look::Bad, format!("{} is shut out after {} wrong passwords", of("source"), of("tries")))
        }
        "voice.failed" if !of("spoken_by").is_empty() => {
            (Look::Bad, format!("the voice {} stands in: {}", of("spoken_by"), of("reason")))
        }
        "voice.failed" => (Look::Bad, format!("no voice, the recorded prompt stands in: {}", of("reason"))),
        "voice.late" => {
            (Look::Bad, format!("the message was not made within {} s; dialled all the same", of("seconds")))
        }
        "voice.incomplete" => (Look::Bad, format!("said without parameters that are missing: {}", of("missing"))),
        "call_in.refused" => (Look::Bad, format!("call from {} refused: {}", of("caller"), of("reason"))),
        other => (Look::Quiet, format!("{} {}", shown(other), rest(event))),
    }
}

fn key(event: &Value) -> String {
    let way = match text(event, "way") {
        "in_band" => " (in-band tones)",
        "rfc4733" => " (RFC 4733)",
        _ => "",
    };
    let means = match text(event, "means") {
        "" => "no key of this guidance".to_owned(),
        means => shown(means),
    };
    format!("pressed {}{way}: {means}", shown(&plain(event, "digit")))
}

fn ended(event: &Value) -> (Look, String) {
    let outcome = text(event, "outcome");
    let look = match outcome {
        "taken" => Look::Good,
        "passed" | "left" | "quieted" | "cancelled" => Look::Over,
        _ => Look::Bad,
    };
    let why = [plain(event, "code"), plain(event, "reason")].join(" ");
    let seconds = event["seconds"].as_f64().map_or(String::new(), |s| format!(", {s:.1} s"));
    (look, format!("{:11} {}{seconds}", shown(outcome), shown(why.trim())))
}

/// All an unknown event carries, apart from what stands elsewhere on the line.
fn rest(event: &Value) -> String {
    let elsewhere = ["at", "event", "incident", "name", "contact"];
    let Some(fields) = event.as_object() else { return String::new() };
    let fields = fields.iter().filter(|(key, _)| !elsewhere.contains(&key.as_str()));
    fields.map(|(key, _)| format!("{}={}", shown(key), shown(&plain(event, key)))).collect::<Vec<_>>().join(" ")
}

fn text<'a>(event: &'a Value, key: &str) -> &'a str {
    event[key].as_str().unwrap_or_default()
}

/// A value without quotes; nothing for null.
fn plain(event: &Value, key: &str) -> String {
    match &event[key] {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn clipped(words: &str) -> String {
    if words.chars().count() <= LONGEST {
        return words.to_owned();
    }
    words.chars().take(LONGEST).chain("...".chars()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn timeline() -> Timeline {
        Timeline::new(false).in_zone(TimeZone::UTC)
    }

    fn accepted() -> Value {
        json!({"at": "2026-11-21T18:03:20.500Z", "event": "incident.accepted", "incident": "01h", "call_flow": "oncall",
               "message": "disk full"})
    }

    #[test]
    fn a_line_says_how_long_after_the_trigger_something_happened() {
        let mut timeline = timeline();
        let first = timeline.line(&accepted());
        let second = timeline.line(&json!({"at": "2026-11-21T18:03:24.750Z", "event": "attempt.ended",
            "incident": "01h", "name": "Sato", "outcome": "no_answer", "code": 487, "reason": "Request Terminated",
            "seconds": 4.25}));
        assert_eq!(
            first,
            "18:03:20.500    +0.00 s  !!                  incident 01h accepted, call flow oncall: disk full"
        );
        assert_eq!(second, "18:03:24.750    +4.25 s   x  Sato            no_answer   487 Request Terminated, 4.2 s");
    }

    #[test]
    fn a_name_from_the_network_cannot_drive_the_terminal() {
        let event = json!({"at": "x", "event": "call_in.refused", "caller": "\u{1b}[2J\u{202e}", "reason": "a\nb"});
        let line = Timeline::new(true).line(&event);
        assert!(!line.contains("\u{1b}[2J") && !line.contains('\u{202e}') && !line.contains('\n'), "{line:?}");
    }

    #[test]
    fn colour_appears_only_where_it_was_asked_for() {
        assert!(Timeline::new(true).line(&accepted()).contains('\x1b'));
        assert!(!timeline().line(&accepted()).contains('\x1b'));
    }

    #[test]
    fn a_call_in_is_told_in_words() {
        let line = timeline().line(&json!({"event": "attempt.called_in", "name": "Sato", "phone": "+8190"}));
        assert!(line.ends_with("<-  Sato            called in from +8190"), "{line}");
    }

    #[test]
    fn an_event_that_is_not_known_is_shown_whole() {
        let line = timeline().line(&json!({"at": "", "event": "moon.risen", "phase": 3, "name": "Sato"}));
        assert!(line.contains("moon.risen phase=3") && line.contains("Sato"), "{line}");
    }

    #[test]
    fn what_is_no_event_at_all_makes_a_line_and_no_panic() {
        for odd in [json!(null), json!([1]), json!({"at": 7, "event": ["x"]})] {
            assert!(!timeline().line(&odd).contains('\n'));
        }
    }
}
