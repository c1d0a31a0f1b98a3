//! What clients of Opsgenie ask for beside alerts: what became of a request, and by which id an alert is known.
//!
//! Such a client may ask for its request after the 202, and go on with the `alertId` that it reads there. An alert is
//! known by its alias here; one that has none gets one of its own, or nobody could ever close it. Kept in memory: a client
//! asks within seconds. Easy to get wrong: what was asked before a restart was done as well, though its alias is forgotten.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};

use super::House;
use super::auth::{May, ToRead, ToTrigger};
use super::intake::sent;
use super::reply::{Answer, json as as_json};
use crate::base::{IncidentId, Trigger};
use crate::incident::{Record, State as Stands};
use crate::intake::{self, Signal};
use crate::shell::events::rfc3339;

/// So many requests are remembered.
const KEPT_MAX: usize = 10_000;
/// An alert is looked for among so many of the latest incidents.
const LOOKED_AT: u32 = 500;
/// So many alerts are listed where nobody says how many, and at the most.
const LISTED: usize = 20;
const LISTED_MAX: usize = 100;

/// The alias that each request was about, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Requests(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    aliases: BTreeMap<String, String>,
    order: VecDeque<String>,
}

impl Requests {
    /// Remembers what a request was about.
    pub(super) fn note(&self, id: String, alias: String) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.aliases.insert(id.clone(), alias).is_none() {
            kept.order.push_back(id);
        }
        if kept.order.len() > KEPT_MAX
            && let Some(oldest) = kept.order.pop_front()
        {
            kept.aliases.remove(&oldest);
        }
    }

    fn alias(&self, id: &str) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).aliases.get(id).cloned()
    }
}

/// `GET /v2/alerts/requests/ID`: it was done before it was answered.
pub(super) async fn processed(State(house): State<House>, _: May<ToTrigger>, Path(id): Path<String>) -> Response {
    sent(intake::processed(&id, house.requests.alias(&id).as_deref()))
}

/// `GET /v2/alerts/IDENTIFIER`: how the alert with this alias stands.
pub(super) async fn alert(State(house): State<House>, _: May<ToRead>, Path(identifier): Path<String>) -> Answer {
    let alias = intake::alias(identifier.trim_end_matches('/'));
    let latest = house.history.incidents(None, None, LOOKED_AT).await?;
    let mut all = latest.iter().flat_map(|(id, record)| alerts_of(*id, record));
    let found = alias.and_then(|alias| all.find(|alert| alert["alias"] == alias.as_str()));
    Ok(match found {
        Some(alert) => as_json(StatusCode::OK, &answer("data", alert)),
        None => as_json(StatusCode::NOT_FOUND, &answer("message", "no alert has this alias".into())),
    })
}

/// `?limit=N`.
#[derive(Deserialize)]
pub(super) struct Listed {
    limit: Option<usize>,
    offset: Option<usize>,
    query: Option<String>,
}

/// `GET /v2/alerts`: the latest ones.
pub(super) async fn alerts(State(house): State<House>, _: May<ToRead>, Query(asked): Query<Listed>) -> Answer {
    if asked.query.is_some_and(|query| !query.trim().is_empty()) {
        let why = "`query` is not understood here; ask for one alert by its alias: GET /v2/alerts/ALIAS";
        return Ok(as_json(StatusCode::UNPROCESSABLE_ENTITY, &answer("message", why.into())));
    }
    let latest = house.history.incidents(None, None, LOOKED_AT).await?;
    let all = latest.iter().flat_map(|(id, record)| alerts_of(*id, record));
    let some = all.skip(asked.offset.unwrap_or(0)).take(asked.limit.unwrap_or(LISTED).min(LISTED_MAX));
    Ok(as_json(StatusCode::OK, &answer("data", some.collect())))
}

fn answer(name: &str, what: Value) -> Value {
    json!({ name: what, "took": 0.001, "requestId": intake::any_request_id() })
}

/// The alerts of an incident, as that API shows them.
fn alerts_of(id: IncidentId, record: &Record) -> impl Iterator<Item = Value> {
    let raised = record.trigger.iter().chain(&record.bundled);
    raised.map(move |trigger| alert_of(id, record, trigger))
}

fn alert_of(id: IncidentId, record: &Record, trigger: &Trigger) -> Value {
    // One that has no key is known by its incident.
    let alias = trigger.dedup.clone().unwrap_or_else(|| id.to_string());
    let over = matches!(record.state, Stands::Resolved | Stands::Cancelled) || record.cleared.contains(&alias);
    let said = |name: &str| trigger.parameters.get(name).map(String::as_str).unwrap_or_default();
    let tags: Vec<&str> = said("tags").split(", ").filter(|tag| !tag.is_empty()).collect();
    let (created, updated) = (record.accepted_at.map(rfc3339), record.ended_at.or(record.accepted_at).map(rfc3339));
    let owner = record.taken_by.first().map(ToString::to_string).or_else(|| record.claimed_by.clone());
    json!({
        "id": alias,
        "alias": alias,
        "message": trigger.message.as_deref().or(record.message()).unwrap_or_default(),
        "description": said("description"),
        "entity": said("entity"),
        "source": said("source"),
        "priority": if said("priority").is_empty() { "P3" } else { said("priority") },
        "tags": tags,
        "status": if over { "closed" } else { "open" },
        "acknowledged": owner.is_some(),
        "owner": owner.unwrap_or_default(),
        "isSeen": record.attempts.iter().any(|attempt| attempt.answered_at.is_some()),
        "snoozed": record.state == Stands::Suppressed,
        "count": record.again.saturating_add(1),
        "createdAt": created,
        "lastOccurredAt": created,
        "updatedAt": updated,
        "incident": id,
        "details": trigger.parameters,
    })
}

/// Gives each alert without an alias one that no other has.
pub(super) fn name_alerts(signals: &mut [Signal]) {
    for signal in signals {
        if let Signal::Raise(draft) = signal {
            draft.dedup.get_or_insert_with(|| {
                let id: u128 = rand::random();
                let hex = format!("{id:032x}");
                let (head, rest) = hex.split_at(8);
                let (second, rest) = rest.split_at(4);
                let (third, rest) = rest.split_at(4);
                let (fourth, last) = rest.split_at(4);
                format!("{head}-{second}-{third}-{fourth}-{last}")
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intake::Draft;

    #[test]
    fn an_alert_without_an_alias_has_one_of_its_own_and_one_with_an_alias_keeps_it() {
        let named = Draft { dedup: Some("disk".to_owned()), ..Draft::default() };
        let mut signals = [Draft::default(), Draft::default(), named].map(Signal::Raise);
        name_alerts(&mut signals);
        let keys = signals.map(|signal| match signal {
            Signal::Raise(draft) => draft.dedup.unwrap(),
            other => panic!("{other:?}"),
        });
        assert!(keys[0] != keys[1] && keys[0].len() == 36, "{keys:?}");
        assert_eq!(keys[2], "disk");
    }

    #[test]
    fn the_oldest_request_is_forgotten_first_and_one_that_comes_again_is_one() {
        let requests = Requests::default();
        for n in 0..=KEPT_MAX {
            requests.note(n.to_string(), "alias".to_owned());
            requests.note(n.to_string(), "alias".to_owned());
        }
        assert_eq!((requests.alias("0"), requests.alias("1").as_deref()), (None, Some("alias")));
        let kept = requests.0.lock().unwrap();
        assert_eq!((kept.aliases.len(), kept.order.len()), (KEPT_MAX, KEPT_MAX));
    }
}
