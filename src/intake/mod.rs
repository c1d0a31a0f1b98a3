//! Floor 2: what alert tools send, read into what hansho understands.
//!
//! One pure file a source: a request in, [`Signal`]s out. Nothing here opens a socket, reads a clock or knows the
//! configuration; whether a call flow exists, whether a token may raise it and what a signature is worth is decided
//! above. Read [`read`] first, then `alertmanager.rs` as the example of all others.
//!
//! A sender's error is a value that says which field, what was found and what is accepted; it is answered, never
//! thrown. What a body holds beyond what we read is ignored, so that a tool's next version still raises its alerts.
//!
//! Easy to get wrong:
//! - A resolve must make the very key that its raise made: every key goes through [`limit::dedup`], and it is made of
//!   what both events carry.
//! - An alert is worth more than its details: a detail of the wrong type is left out, and only what decides (a status,
//!   a key) is refused.
//! - Tokens and routing keys are read by [`token()`] alone. They are no parameters, and no error shows them.

mod alertinfo;
mod alertmanager;
mod azure;
pub mod charset;
mod cloudevents;
mod cloudwatch;
mod datadog;
mod error;
mod form;
mod generic;
mod goalert;
mod grafana;
mod json;
mod limit;
mod nagios;
mod opsgenie;
mod pagerduty;
pub mod pigeon;
mod plain;
mod reply;
mod sentry;
pub mod sns;
mod source;
#[cfg(test)]
mod tests;
mod token;
mod uptime_kuma;
mod zabbix;

pub use error::IntakeError;
pub use generic::{Condition, Mapping, Path, PathError, Template};
pub use limit::{RAISES_MAX, SETTLES_MAX};
pub use opsgenie::alias;
pub use reply::{Became, Refused, Reply, any_request_id, processed, refusal, reply, request_id};
pub use source::{Source, read};
pub use token::{holds_token, token};

use crate::base::{CallFlowId, GuidanceId, Phone, RoomName, Trigger};
use std::collections::BTreeMap;

/// The HTTP method of a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Method {
    /// `GET`: everything is in the query.
    Get,
    /// `POST`.
    Post,
}

/// One HTTP request as the readers see it.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// How it was sent.
    pub method: Method,
    /// What stands behind the source's own path, still percent-encoded: `my-alias/close` of
    /// `/in/opsgenie/my-alias/close`. Mostly empty.
    pub path: &'a str,
    /// The query, decoded, in its order.
    pub query: &'a [(String, String)],
    /// The headers, their names in lower case.
    pub headers: &'a [(String, String)],
    /// The `Content-Type`, with its parameters.
    pub content_type: Option<&'a str>,
    /// The body, as it came.
    pub body: &'a [u8],
}

impl<'a> Request<'a> {
    /// The last value of this name in the query.
    pub(super) fn query(&self, name: &str) -> Option<&'a str> {
        let of = |pair: &&(String, String)| pair.0 == name;
        self.query.iter().rev().find(of).map(|(_, value)| value.as_str())
    }

    /// The first header of this name (lower case).
    pub(super) fn header(&self, name: &str) -> Option<&'a str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }
}

/// What a sender wants.
#[derive(Clone, PartialEq, Debug)]
#[allow(clippy::large_enum_variant, reason = "a request holds a hundred of them for a moment")]
pub enum Signal {
    /// Call somebody.
    Raise(Draft),
    /// What it was about is over.
    Resolve {
        /// The key of the incident.
        dedup: String,
    },
    /// Somebody deals with it already, and said so elsewhere.
    Acknowledge {
        /// The key of the incident.
        dedup: String,
    },
}

/// A trigger that may lack its call flow: then the token or the configuration names it.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Draft {
    /// How to call, where the sender or its URL says so.
    pub call_flow: Option<CallFlowId>,
    /// What to say and which keys count.
    pub guidance: Option<GuidanceId>,
    /// The text to speak; at most 2,000 characters.
    pub message: Option<String>,
    /// Values for `{{parameter}}`s; at most 100 of at most 2,000 characters.
    pub parameters: BTreeMap<String, String>,
    /// The same key joins the open incident; at most 200 characters.
    pub dedup: Option<String>,
    /// Ring only these.
    pub to: Vec<Callee>,
    /// The machine it is about.
    pub host: Option<String>,
    /// The service it is about.
    pub service: Option<String>,
    /// The room that those who answer go into.
    pub room: Option<RoomName>,
}

/// The name of a person whose name is not known.
pub const UNKNOWN: &str = "不明";

/// One to ring. Which number it is depends on the country that the configuration names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Callee {
    /// As it was written; a plus that became a space is a plus again.
    pub number: String,
    /// Their name, [`UNKNOWN`] where a list of contacts has none; the configuration's where only numbers came.
    pub name: Option<String>,
}

impl Draft {
    /// The trigger of this draft that rings `to`, called by `otherwise` where it names no call flow itself; nothing when
    /// neither does.
    pub fn trigger(self, otherwise: Option<&CallFlowId>, to: Vec<Phone>, by: Option<String>) -> Option<Trigger> {
        let call_flow = self.call_flow.or_else(|| otherwise.cloned())?;
        let Draft { guidance, message, parameters, dedup, host, service, .. } = self;
        Some(Trigger { call_flow, guidance, message, parameters, dedup, to, host, service, by })
    }
}

/// What a request said.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Read {
    /// In the order of the body; empty where the event asks for nothing (a test of the connection, a state that is
    /// neither a problem nor its end).
    pub signals: Vec<Signal>,
    /// A subscription that waits for us to visit a link.
    pub confirm: Option<sns::Confirmation>,
    /// How many more raises or settlings the body held than are taken at once ([`RAISES_MAX`], [`SETTLES_MAX`]).
    pub left_out: usize,
}

impl From<Vec<Signal>> for Read {
    fn from(signals: Vec<Signal>) -> Read {
        Read { signals, ..Read::default() }
    }
}

impl From<Signal> for Read {
    fn from(signal: Signal) -> Read {
        vec![signal].into()
    }
}
