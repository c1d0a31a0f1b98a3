//! What of the journal one notifier tells, and under which keys.
//!
//! Easy to get wrong: most lines concern nobody, so they are recognised before the incident they belong to is read.

use super::parcel::Parcel;
use crate::base::{IncidentId, Language, Stamp};
use crate::config::Topics;
use crate::incident::{Entry, Fact, Record};
use crate::store::{HouseHistory, Reader};
use crate::switch::{Event, Notice, What, event_of, house_event_of, house_topic, is_failed_attempt};

/// What a notifier is about.
pub(super) struct Pick {
    name: String,
    /// Begins every key.
    node: String,
    topics: Topics,
    language: Language,
}

impl Pick {
    pub(super) fn new(name: &str, node: &str, topics: Topics, language: Language) -> Pick {
        Pick { name: name.to_owned(), node: key_part(node), topics, language }
    }

    /// The name of the notifier, and of its cursor.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// What is to be delivered because of the line `seq`.
    pub(super) fn of_line(&self, seq: i64, entry: &Entry, reader: &Reader) -> Option<Parcel> {
        let notice = match entry {
            Entry::Incident(incident, at, fact) => {
                let event = event_of(*incident, *at, fact, &Record::new())?;
                if !self.wants(&event) {
                    return None;
                }
                let record = record(*incident, Some((*at, fact)), reader);
                Notice::of_fact(*incident, *at, fact, &record, self.language)?
            }
            Entry::House(at, fact) => {
                house_topic(fact).filter(|topic| self.topics.want(topic, false))?;
                let event = house_event_of(*at, fact, &house(reader))?;
                Notice::of_event(event, &Record::new(), self.language)
            }
        };
        Some(Parcel { key: format!("{}-{seq}", self.node), at: entry.at(), notice })
    }

    /// The same for an event that is no fact.
    pub(super) fn of_event(&self, event: &Event, reader: &Reader) -> Option<Parcel> {
        let own = matches!(&event.what, What::NotifyFailed { notifier, .. } if *notifier == self.name);
        if own || !self.wants(event) {
            return None;
        }
        let record = event.incident.map(|incident| record(incident, None, reader)).unwrap_or_default();
        let notice = Notice::of_event(event.clone(), &record, self.language);
        Some(Parcel { key: format!("{}-e{}", self.node, event.at.as_unix_micros()), at: event.at, notice })
    }

    fn wants(&self, event: &Event) -> bool {
        let name = serde_json::to_value(&event.what).ok().and_then(|what| Some(what["event"].as_str()?.to_owned()));
        name.is_some_and(|name| self.topics.want(&name, is_failed_attempt(&event.what)))
    }
}

/// What the journal knew of an incident when this fact had just been written; without one, everything it knows.
fn record(incident: IncidentId, until: Option<(Stamp, &Fact)>, reader: &Reader) -> Record {
    let mut record = Record::new();
    match reader.facts(incident) {
        Ok(facts) => {
            for (at, fact) in &facts {
                record.apply(*at, fact);
                if until == Some((*at, fact)) {
                    break;
                }
            }
        }
        Err(error) => tracing::warn!(%incident, %error, "an incident is told without its history"),
    }
    record
}

/// Everything the journal knows of the house.
fn house(reader: &Reader) -> HouseHistory {
    reader.house().unwrap_or_else(|error| {
        tracing::warn!(%error, "the house is told of without its history");
        HouseHistory::new()
    })
}

/// The node's name as it can stand in a header.
pub(super) fn key_part(node: &str) -> String {
    form_urlencoded::byte_serialize(node.as_bytes()).collect()
}
