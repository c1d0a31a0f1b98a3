//! What begins an incident: one event from outside, in our words. The event formats are read into it, incidents are
//! made of it.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use super::{CallFlowId, GuidanceId, Phone};

/// One event from outside.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Trigger {
    /// How to call.
    pub call_flow: CallFlowId,
    /// What to say and which keys count; the default guidance when absent.
    #[serde(default)]
    pub guidance: Option<GuidanceId>,
    /// The text to speak instead of the guidance's message.
    #[serde(default)]
    pub message: Option<String>,
    /// Values for the message's `{{parameter}}`s.
    #[serde(default)]
    pub parameters: BTreeMap<String, String>,
    /// The same key joins the open incident instead of opening another.
    #[serde(default)]
    pub dedup: Option<String>,
    /// Ring only these phones of the roster; all of them when empty.
    #[serde(default)]
    pub to: Vec<Phone>,
    /// The machine it is about, where the sender named one: suppressions may be about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The service it is about, where the sender named one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// Who raised it: `control`, or the display name of a token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}
