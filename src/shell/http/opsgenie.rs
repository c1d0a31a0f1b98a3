//! What clients of Opsgenie ask for beside alerts: what became of a request, and by which id an alert is known.
//!
//! Such a client may ask for its request after the 202, and go on with the `alertId` that it reads there. An alert is
//! known by its alias here; one that has none gets one of its own, or nobody could ever close it. Kept in memory: a client
//! asks within seconds. Easy to get wrong: what was asked before a restart was done as well, though its alias is forgotten.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use axum::extract::{Path, State};
use axum::response::Response;

use super::House;
use super::auth::{May, ToTrigger};
use super::intake::sent;
use crate::intake::{self, Signal};

/// So many requests are remembered.
const KEPT_MAX: usize = 10_000;

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
