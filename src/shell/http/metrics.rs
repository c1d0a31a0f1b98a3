//! `/metrics`: numbers for Prometheus, in its text format 0.0.4.
//!
//! What happened is counted from the events, so a restart begins at zero, as counters may. Label values are words of
//! ours, never texts from outside.

use core::fmt::Write as _;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use axum::extract::State;
use axum::http::StatusCode;
use serde_json::Value;
use tokio::sync::broadcast::error::RecvError;

use super::House;
use super::auth::{May, ToRead};
use super::reply::{Answer, with_type};
use crate::shell::control::Request;
use crate::switch::{Event, What};

/// Counters by name and label; the label is written as it stands in the text.
#[derive(Debug, Default)]
pub(super) struct Counts(Mutex<BTreeMap<(&'static str, String), u64>>);

impl Counts {
    /// One more.
    pub(super) fn count(&self, name: &'static str, label: String) {
        self.add(name, label, 1);
    }

    fn add(&self, name: &'static str, label: String, more: u64) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry((name, label)).or_default();
        *count = count.saturating_add(more);
    }

    fn event(&self, event: &Event) {
        // Every event is an object whose `event` is its name.
        let name = serde_json::to_value(&event.what).unwrap_or_default();
        let name = name["event"].as_str().unwrap_or("unknown");
        self.count("hansho_events_total", format!("event=\"{name}\""));
        if let What::Ended { outcome, quality, .. } = &event.what {
            self.count("hansho_attempts_total", format!("outcome=\"{outcome}\""));
            let sides = quality.map(|quality| [("here", Some(quality.here)), ("there", quality.there)]);
            for (side, heard) in sides.into_iter().flatten() {
                let Some(heard) = heard else { continue };
                self.add("hansho_call_packets_total", format!("heard=\"{side}\""), heard.packets);
                self.add("hansho_call_packets_lost_total", format!("heard=\"{side}\""), heard.lost);
                self.add("hansho_calls_bad_total", format!("heard=\"{side}\""), heard.is_bad().into());
            }
        }
    }
}

/// Counts what happens until the daemon ends.
pub(super) async fn follow(house: House) {
    let mut events = house.events.subscribe();
    let mut ending = house.ending.clone();
    loop {
        let event = tokio::select! {
            event = events.recv() => event,
            _ = ending.wait_for(|end| *end) => return,
        };
        match event {
            Ok(event) => house.counts.event(&event),
            Err(RecvError::Lagged(missed)) => tracing::warn!(missed, "events that /metrics does not count"),
            Err(RecvError::Closed) => return,
        }
    }
}

/// `GET /metrics`.
pub(super) async fn metrics(State(house): State<House>, May(token, _): May<ToRead>) -> Answer {
    let status = house.ask(Request::Status { incident: None }, &token.name).await?;
    let counts = house.counts.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
    Ok(with_type(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", page(&status, &counts)))
}

/// What each counter is about.
const COUNTERS: [(&str, &str); 7] = [
    ("hansho_events_total", "Events since the start"),
    ("hansho_attempts_total", "Calls that ended, by outcome"),
    (
        "hansho_call_packets_total",
        "Packets of voice expected in calls that ended, by who heard them: we here, they there",
    ),
    ("hansho_call_packets_lost_total", "Packets of voice that never came, by who did not hear them"),
    ("hansho_calls_bad_total", "Calls that were hard to understand, by who heard it so"),
    ("hansho_http_requests_total", "HTTP requests, by status"),
    ("hansho_http_refused_total", "Requests without a token that opens"),
];

fn page(status: &Value, counts: &BTreeMap<(&'static str, String), u64>) -> String {
    let mut page = Page::default();
    let rows = |field: &str| status[field].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut states: BTreeMap<&str, u64> = BTreeMap::new();
    let open = |incident: &&Value| matches!(incident["state"].as_str(), Some("queued" | "calling"));
    for incident in rows("incidents").iter().filter(open) {
        *states.entry(incident["state"].as_str().unwrap_or_default()).or_default() += 1;
    }
    let open = ["queued", "calling"]
        .map(|state| (format!("state=\"{state}\""), states.get(state).copied().unwrap_or_default()));
    page.write("hansho_incidents_open", "gauge", "Incidents that are open", open);
    let trunks = rows("trunks").iter().map(|trunk| {
        let id = trunk["id"].as_str().unwrap_or_default();
        (format!("trunk=\"{id}\""), u64::from(trunk["registered"] == true))
    });
    page.write("hansho_trunk_registered", "gauge", "1 while the trunk is up", trunks);
    let calls = rows("trunks").iter().map(|trunk| {
        let id = trunk["id"].as_str().unwrap_or_default();
        (format!("trunk=\"{id}\""), trunk["calls"].as_u64().unwrap_or_default())
    });
    page.write("hansho_trunk_calls", "gauge", "Calls over the trunk", calls);
    let phones = rows("users").iter().map(|user| {
        let id = user["user"].as_str().unwrap_or_default();
        let phones = user["phones"].as_array().map_or(0, Vec::len);
        (format!("user=\"{id}\""), u64::try_from(phones).unwrap_or(u64::MAX))
    });
    page.write("hansho_user_phones", "gauge", "Phones of the user that are registered", phones);
    let single = |value: &Value| [(String::new(), value.as_u64().unwrap_or_default())];
    page.write("hansho_legs", "gauge", "Calls that are up or being made", single(&status["legs"]));
    let in_rooms = rows("rooms").iter().map(|room| room["people"].as_array().map_or(0, Vec::len)).sum::<usize>();
    let in_rooms = [(String::new(), u64::try_from(in_rooms).unwrap_or(u64::MAX))];
    page.write("hansho_room_people", "gauge", "People in rooms", in_rooms);
    let journal = |line: &Value| line.as_str().is_some_and(|line| line.starts_with("journal: "));
    let trouble = [(String::new(), u64::from(rows("trouble").iter().any(journal)))];
    page.write("hansho_journal_trouble", "gauge", "1 while the journal takes nothing", trouble);
    let media = &status["counts"]["media"];
    page.write("hansho_media_busy_permille", "gauge", "How busy the media thread is", single(&media["busy_permille"]));
    page.write("hansho_media_late_ticks_total", "counter", "Turns the media thread missed", single(&media["skipped"]));
    let sip = status["counts"]["sip"].as_object().into_iter().flatten();
    let sip = sip.map(|(why, count)| (format!("why=\"{why}\""), count.as_u64().unwrap_or_default()));
    page.write("hansho_sip_dropped_total", "counter", "SIP messages that were dropped or refused", sip);
    let notifiers = rows("notifiers").iter().flat_map(|notifier| {
        let name = notifier["notifier"].as_str().unwrap_or_default().to_owned();
        ["delivered", "failed", "retried"]
            .map(|how| (format!("notifier=\"{name}\",result=\"{how}\""), notifier[how].as_u64().unwrap_or_default()))
    });
    page.write("hansho_notifications_total", "counter", "What notifiers were told", notifiers);
    let voices = || status["counts"]["voices"].as_array().into_iter().flatten();
    let of = |voice: &Value| {
        let word = |key: &str| voice[key].as_str().unwrap_or_default().to_owned();
        format!("voice=\"{}\",language=\"{}\"", word("voice"), word("language"))
    };
    let spoken = voices().flat_map(|voice| {
        let label = of(voice);
        ["spoken", "kept"].map(|how| (format!("{label},from=\"{how}\""), voice[how].as_u64().unwrap_or_default()))
    });
    page.write("hansho_voice_texts_total", "counter", "Texts a voice spoke, and those it had spoken before", spoken);
    let failed = voices().flat_map(|voice| {
        let label = of(voice);
        let reasons = voice["failed"].as_object().into_iter().flatten();
        reasons.map(move |(why, count)| (format!("{label},reason=\"{why}\""), count.as_u64().unwrap_or_default()))
    });
    page.write("hansho_voice_failed_total", "counter", "Texts a voice was asked for and did not speak", failed);
    for (name, help) in COUNTERS {
        let values = counts.iter().filter(|((of, _), _)| *of == name);
        page.write(name, "counter", help, values.map(|((_, label), count)| (label.clone(), *count)));
    }
    page.0
}

#[derive(Default)]
struct Page(String);

impl Page {
    fn write(&mut self, name: &str, kind: &str, help: &str, values: impl IntoIterator<Item = (String, u64)>) {
        let mut values = values.into_iter().peekable();
        if values.peek().is_none() {
            return;
        }
        // Writing to a text does not fail.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
        for (label, value) in values {
            let label = if label.is_empty() { label } else { format!("{{{label}}}") };
            let _ = writeln!(self.0, "{name}{label} {value}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_page_is_what_prometheus_reads() {
        let status = json!({
            "incidents": [{ "state": "calling" }, { "state": "calling" }, { "state": "resolved" }],
            "trunks": [{ "id": "main", "registered": true, "calls": 3 }],
            "rooms": [{ "room": "war", "people": ["a", "b"] }],
            "legs": 4, "trouble": ["journal: full"],
            "counts": {
                "sip": { "malformed": 1 }, "media": { "busy_permille": 120, "skipped": 0 },
                "voices": [{ "voice": "embedded", "language": "ja", "spoken": 2, "kept": 1, "failed": { "timeout": 3 } }],
            },
        });
        let counts = Counts::default();
        counts.count("hansho_http_requests_total", "status=\"200\"".to_owned());
        counts.count("hansho_http_requests_total", "status=\"200\"".to_owned());
        let page = page(&status, &counts.0.into_inner().unwrap());
        for line in [
            "# TYPE hansho_incidents_open gauge",
            "hansho_incidents_open{state=\"calling\"} 2",
            "hansho_incidents_open{state=\"queued\"} 0",
            "hansho_trunk_registered{trunk=\"main\"} 1",
            "hansho_room_people 2",
            "hansho_journal_trouble 1",
            "hansho_voice_texts_total{voice=\"embedded\",language=\"ja\",from=\"kept\"} 1",
            "hansho_voice_failed_total{voice=\"embedded\",language=\"ja\",reason=\"timeout\"} 3",
            "hansho_http_requests_total{status=\"200\"} 2",
        ] {
            assert!(page.lines().any(|found| found == line), "{line} is missing:\n{page}");
        }
        assert!(!page.contains("hansho_attempts_total"), "no header without a value");
    }
}
