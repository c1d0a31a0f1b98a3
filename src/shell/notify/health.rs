//! How a notifier does, for `status` and the metrics: published by its thread, read by whoever asks.

use serde::Serialize;

/// What one notifier says of itself.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct Health {
    /// `slack`, `webhook.ID`, `email` or `sms`.
    pub notifier: String,
    /// Delivered since the start.
    pub delivered: u64,
    /// Given up since the start.
    pub failed: u64,
    /// Tried in vain since the start; tried again since then.
    pub retried: u64,
    /// Since when (RFC 3339) nothing gets through; `None` while all is well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub away_since: Option<String>,
    /// Why the last try failed, until one succeeds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
}
