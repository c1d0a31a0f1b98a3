//! AWS SNS: its certificates are fetched and kept, its messages checked, its subscriptions confirmed.
//!
//! Nothing is visited but hosts of SNS itself (`src/intake/sns.rs` pins them), and a subscription is confirmed only for
//! a topic that `[http] sns.topics` lists: whoever holds a token could subscribe us to any topic otherwise. Where topics
//! are listed, nothing else of any other is heard either: everybody can have SNS sign something in a topic of their own.
//!
//! Easy to get wrong: a message counts as delivered when what it asked for is done, and not before, or the copy that
//! SNS sends after a failure would do nothing.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::http::StatusCode;
use jiff::Timestamp;

use super::reply::Refused;
use super::{House, certificate};
use crate::base::Stamp;
use crate::incident::Record;
use crate::intake::Signal;
use crate::intake::sns::{Confirmation, Signed};
use crate::shell::control::Failure;

/// How long SNS may take to give its certificate or to take a confirmation.
const PATIENCE: Duration = Duration::from_secs(8);
/// The largest certificate file, in bytes.
const PEM_MAX: u64 = 64 * 1024;
/// Certificates that are kept: one a region and year would be many.
const KEPT_MAX: usize = 32;
/// A message that was signed longer ago is a replay: SNS gives up within an hour.
const OLD: Duration = Duration::from_secs(3_600);

/// Messages that are remembered, so that a copy does nothing.
const DELIVERED_MAX: usize = 10_000;

/// The parameter of an incident that names the message it was raised by.
const MESSAGE: &str = "sns_message_id";
/// The most parameters that a trigger has.
const PARAMETERS_MAX: usize = 100;
/// So many incidents are read at once.
const PAGE: usize = 500;
/// How many incidents of a former life are looked through for their messages.
const LOOKED_THROUGH_MAX: usize = 10_000;

/// What was done already, by the message's id: until when a copy of it would be fresh.
#[derive(Debug, Default)]
pub(super) struct Delivered {
    known: Mutex<BTreeMap<String, Stamp>>,
    /// Were those of a former life taken up?
    recalled: tokio::sync::OnceCell<()>,
}

impl Delivered {
    /// Was it done already?
    pub(super) fn has(&self, signed: &Signed) -> bool {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).contains_key(&signed.id)
    }

    /// Notes what the incidents say that were raised lately; the first of them too old ends it. True: there may be more.
    fn recall<'a>(&self, records: impl IntoIterator<Item = &'a Record>, now: Stamp) -> bool {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        for record in records {
            let Some(at) = record.accepted_at.filter(|at| now.since(*at) <= OLD) else { return false };
            let triggers = record.trigger.iter().chain(&record.bundled);
            let ids = triggers.filter_map(|trigger| trigger.parameters.get(MESSAGE));
            // It was signed before it came.
            known.extend(ids.map(|id| (id.clone(), at + OLD)));
        }
        true
    }

    /// It is done.
    pub(super) fn note(&self, signed: &Signed, now: Stamp) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= DELIVERED_MAX {
            known.retain(|_, until| *until >= now);
        }
        if known.len() >= DELIVERED_MAX {
            let first = known.iter().min_by_key(|(_, until)| **until).map(|(id, _)| id.clone());
            first.and_then(|id| known.remove(&id));
        }
        known.insert(signed.id.clone(), signed_at(signed).unwrap_or(now) + OLD);
    }
}

/// Was this message dealt with, in this life or in the one before? What came just before a crash comes again, because
/// nobody answered it.
pub(super) async fn was_delivered(house: &House, signed: &Signed) -> Result<bool, Refused> {
    let recall = || async {
        let (now, mut before) = (house.clock.calendar(), None);
        for _ in 0..LOOKED_THROUGH_MAX / PAGE {
            let page = house.history.incidents(before, None, PAGE as u32).await?;
            before = page.last().map(|(id, _)| *id);
            if !house.delivered.recall(page.iter().map(|(_, record)| record), now) || page.len() < PAGE {
                break;
            }
        }
        Ok::<(), Failure>(())
    };
    house.delivered.recalled.get_or_try_init(recall).await?;
    Ok(house.delivered.has(signed))
}

/// Writes down with whatever a message raises which message it was.
pub(super) fn name_message(signals: &mut [Signal], signed: &Signed) {
    for signal in signals {
        if let Signal::Raise(draft) = signal
            && draft.parameters.len() < PARAMETERS_MAX
        {
            draft.parameters.insert(MESSAGE.to_owned(), signed.id.clone());
        }
    }
}

/// Certificates by the URL they were fetched from.
#[derive(Debug, Default)]
pub(super) struct Certificates(Mutex<BTreeMap<String, Arc<Vec<u8>>>>);

/// Refuses what SNS did not sign, and what is of a topic that nobody wants.
pub(super) async fn check(house: &House, signed: Signed) -> Result<Signed, Refused> {
    let settings = house.settings();
    let listed = &settings.http.sns_topics;
    if !listed.is_empty() {
        is_listed(listed, &signed.topic)?;
    }
    let now = house.clock.calendar();
    if !is_fresh(&signed, now) {
        return Err(Refused::bad("Timestamp: signed more than an hour ago, or in time to come"));
    }
    let pem = house.certificates.get(&signed.cert_url).await?;
    let host = signed.cert_url.strip_prefix("https://").and_then(|rest| rest.split('/').next()).unwrap_or_default();
    let proved = certificate::check(&pem, host, &signed, now, webpki_roots::TLS_SERVER_ROOTS).map_err(|why| {
        tracing::warn!(target: "hansho::http", topic = signed.topic, why, "a message that SNS did not sign");
        Refused::new(StatusCode::FORBIDDEN, "forbidden", format!("the message is not proved to be from SNS: {why}"))
    });
    proved.map(|()| signed)
}

/// Visits the link of a confirmation, for a topic that is listed.
pub(super) async fn confirm(house: &House, Confirmation { topic, url }: Confirmation) -> Result<(), Refused> {
    is_listed(&house.settings().http.sns_topics, &topic)?;
    fetch(url).await?;
    tracing::info!(target: "hansho::http", topic, "subscription confirmed");
    Ok(())
}

fn is_listed(listed: &[String], topic: &str) -> Result<(), Refused> {
    if listed.iter().any(|it| it == topic) {
        return Ok(());
    }
    tracing::warn!(target: "hansho::http", topic, "a message of a topic that is not listed");
    let why = format!("the topic {topic} does not stand in `sns.topics` of [http]");
    Err(Refused::new(StatusCode::FORBIDDEN, "forbidden", why))
}

impl Certificates {
    async fn get(&self, url: &str) -> Result<Arc<Vec<u8>>, Refused> {
        if let Some(known) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(url) {
            return Ok(known.clone());
        }
        let pem = Arc::new(fetch(url.to_owned()).await?);
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= KEPT_MAX {
            known.clear();
        }
        known.insert(url.to_owned(), pem.clone());
        Ok(pem)
    }
}

/// What an https URL gives. No redirect is followed: it could lead anywhere.
async fn fetch(url: String) -> Result<Vec<u8>, Refused> {
    let read = move || {
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(PATIENCE))
            .https_only(true)
            .max_redirects(0)
            // What the environment says is for other programs: a proxy would learn where we are.
            .proxy(None);
        let mut answer = config.build().new_agent().get(&url).call()?;
        answer.body_mut().with_config().limit(PEM_MAX).read_to_vec()
    };
    let fetched = tokio::task::spawn_blocking(read).await;
    let unreachable = |why: String| {
        // 503: SNS sends the message again.
        Refused::new(StatusCode::SERVICE_UNAVAILABLE, "unreachable", format!("SNS cannot be asked: {why}"))
    };
    fetched.map_err(|error| unreachable(error.to_string()))?.map_err(|error| unreachable(error.to_string()))
}

fn is_fresh(signed: &Signed, now: Stamp) -> bool {
    signed_at(signed).is_some_and(|at| now.since(at) <= OLD && at.since(now) <= OLD)
}

fn signed_at(signed: &Signed) -> Option<Stamp> {
    let at = signed.timestamp.parse::<Timestamp>().ok()?;
    Some(Stamp::from_unix_micros(at.as_microsecond()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intake::sns::Version;

    fn message(id: &str, timestamp: &str) -> Signed {
        Signed {
            bytes: Vec::new(),
            signature: Vec::new(),
            cert_url: String::new(),
            version: Version::V2,
            topic: String::new(),
            id: id.to_owned(),
            timestamp: timestamp.to_owned(),
        }
    }

    const NOW: Stamp = Stamp::from_unix_micros(1_700_000_000_000_000);

    #[test]
    fn a_message_of_yesterday_is_a_replay() {
        let fresh = |timestamp| is_fresh(&message("a", timestamp), NOW);
        assert!(fresh("2023-11-14T22:00:00.000Z"), "13 minutes ago");
        assert!(!fresh("2023-11-13T22:13:20.000Z"));
        assert!(!fresh("2024-11-13T22:13:20.000Z"));
        assert!(!fresh("yesterday"));
    }

    #[test]
    fn what_a_former_life_raised_names_its_message_and_is_not_raised_again() {
        let first = message("first", "2023-11-14T22:00:00.000Z");
        let mut signals = [Signal::Raise(crate::intake::Draft::default()), Signal::Resolve { dedup: "x".into() }];
        name_message(&mut signals, &first);
        let Signal::Raise(draft) = signals[0].clone() else { panic!("{signals:?}") };
        let trigger = draft.trigger("oncall".parse().ok().as_ref(), Vec::new(), None);
        let hour = Duration::from_secs(3_600);
        let record = Record { trigger, accepted_at: Some(NOW), ..Record::new() };
        let old = Record { accepted_at: Some(Stamp::from_unix_micros(0)), ..record.clone() };
        let delivered = Delivered::default();
        assert!(!delivered.recall([&old], NOW) && !delivered.has(&first), "a copy would be a replay");
        assert!(delivered.recall([&record], NOW + hour) && delivered.has(&first));
        assert!(!delivered.has(&message("other", "2023-11-14T22:00:00.000Z")));
    }

    #[test]
    fn a_message_that_was_delivered_is_known_as_long_as_a_copy_would_be_fresh() {
        let delivered = Delivered::default();
        let first = message("first", "2023-11-14T22:00:00.000Z");
        assert!(!delivered.has(&first));
        delivered.note(&first, NOW);
        assert!(delivered.has(&first));
        for n in 0..DELIVERED_MAX {
            delivered.note(&message(&n.to_string(), "2023-11-14T22:13:20.000Z"), NOW);
        }
        let known = || delivered.known.lock().unwrap().len();
        assert_eq!((known(), delivered.has(&first)), (DELIVERED_MAX, false), "the oldest goes first");
        delivered.note(&message("later", "2023-11-15T00:00:00.000Z"), NOW + OLD + OLD);
        assert_eq!(known(), 1);
    }

    #[test]
    fn a_topic_that_is_not_listed_is_refused() {
        let listed = ["arn:aws:sns:a:1:x".to_owned()];
        assert!(is_listed(&listed, "arn:aws:sns:a:1:x").is_ok());
        assert_eq!(is_listed(&listed, "arn:aws:sns:a:2:x").unwrap_err().status, StatusCode::FORBIDDEN);
    }
}
