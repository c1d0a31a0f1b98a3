//! AWS SNS: its certificates are fetched and kept, its messages checked, its subscriptions confirmed.
//!
//! Nothing is visited but hosts of SNS itself (`src/intake/sns.rs` pins them), and a subscription is confirmed only for
//! a topic that `[http] sns.topics` lists: whoever holds a token could subscribe us to any topic otherwise.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::http::StatusCode;
use jiff::Timestamp;

use super::reply::Refused;
use super::{House, certificate};
use crate::base::Stamp;
use crate::intake::sns::{self, Confirmation, Signed};

/// How long SNS may take to give its certificate or to take a confirmation.
const PATIENCE: Duration = Duration::from_secs(8);
/// The largest certificate file, in bytes.
const PEM_MAX: u64 = 64 * 1024;
/// Certificates that are kept: one a region and year would be many.
const KEPT_MAX: usize = 32;
/// A message that was signed longer ago is a replay: SNS gives up within an hour.
const OLD: Duration = Duration::from_secs(3_600);

/// Certificates by the URL they were fetched from.
#[derive(Debug, Default)]
pub(super) struct Certificates(Mutex<BTreeMap<String, Arc<Vec<u8>>>>);

/// Refuses what SNS did not sign.
pub(super) async fn check(house: &House, body: &[u8]) -> Result<(), Refused> {
    let signed = sns::signed(body).map_err(|wrong| Refused::bad(wrong.to_string()))?;
    let now = house.clock.calendar();
    if !is_fresh(&signed, now) {
        return Err(Refused::bad("Timestamp: signed more than an hour ago, or in time to come"));
    }
    let pem = house.certificates.get(&signed.cert_url).await?;
    let host = signed.cert_url.strip_prefix("https://").and_then(|rest| rest.split('/').next()).unwrap_or_default();
    certificate::check(&pem, host, &signed, now, webpki_roots::TLS_SERVER_ROOTS).map_err(|why| {
        tracing::warn!(target: "hansho::http", topic = signed.topic, why, "a message that SNS did not sign");
        Refused::new(StatusCode::FORBIDDEN, "forbidden", format!("the message is not proved to be from SNS: {why}"))
    })
}

/// Visits the link of a confirmation, for a topic that is listed.
pub(super) async fn confirm(house: &House, Confirmation { topic, url }: Confirmation) -> Result<(), Refused> {
    if !house.settings.http.sns_topics.contains(&topic) {
        tracing::warn!(target: "hansho::http", topic, "a topic that is not listed wants to be confirmed");
        let why = format!("the topic {topic} does not stand in `sns.topics` of [http]");
        return Err(Refused::new(StatusCode::FORBIDDEN, "forbidden", why));
    }
    fetch(url).await?;
    tracing::info!(target: "hansho::http", topic, "subscription confirmed");
    Ok(())
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
        let config = ureq::Agent::config_builder().timeout_global(Some(PATIENCE)).https_only(true).max_redirects(0);
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
    let Ok(at) = signed.timestamp.parse::<Timestamp>() else { return false };
    let at = Stamp::from_unix_micros(at.as_microsecond());
    now.since(at) <= OLD && at.since(now) <= OLD
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intake::sns::Version;

    #[test]
    fn a_message_of_yesterday_is_a_replay() {
        let (bytes, signature, cert_url, topic) = (Vec::new(), Vec::new(), String::new(), String::new());
        let of = |timestamp: &str| Signed {
            bytes: bytes.clone(),
            signature: signature.clone(),
            cert_url: cert_url.clone(),
            version: Version::V2,
            topic: topic.clone(),
            timestamp: timestamp.to_owned(),
        };
        let now = Stamp::from_unix_micros(1_700_000_000_000_000);
        assert!(is_fresh(&of("2023-11-14T22:00:00.000Z"), now), "13 minutes ago");
        assert!(!is_fresh(&of("2023-11-13T22:13:20.000Z"), now));
        assert!(!is_fresh(&of("2024-11-13T22:13:20.000Z"), now));
        assert!(!is_fresh(&of("yesterday"), now));
    }
}
