//! The requests, and what can be wrong with one.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

use crate::base::Phone;
use crate::incident::Trigger;
use crate::shell::ask::{NotDialled, Raise, Ring, Settle, Spoken, Write};
use crate::shell::directory::Change;

/// One line of a client.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// Raise an incident. Answered with `{"ok":true,"incident":…}` when it is durable.
    Trigger(TriggerRequest),
    /// What is going on; of one incident, or of everything.
    Status {
        /// An open or a past incident.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        incident: Option<String>,
    },
    /// The SIP messages of an incident's calls, or those outside of calls.
    Ladder(LadderRequest),
    /// Answered with `{"ok":true}`, then with an event a line.
    Watch {
        /// Only this incident's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        incident: Option<String>,
    },
    /// Somebody who is not on the phone takes it: stop calling.
    Acknowledge {
        /// Which.
        incident: String,
        /// Who; `control` when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
    },
    /// Nobody is called any more about something, until a moment.
    Suppress(SuppressRequest),
    /// What is quiet.
    Suppressions,
    /// Calls are made again.
    Lift {
        /// The number of the suppression.
        suppression: u32,
    },
    /// Stop calling.
    Cancel {
        /// Which.
        incident: String,
    },
    /// What it was about is over.
    Resolve {
        /// The deduplication key it was raised with.
        dedup: String,
    },
    /// Make a token for HTTP. The answer shows it, once.
    #[serde(rename = "token.create")]
    TokenCreate(TokenRequest),
    /// Every token, with when it was last used.
    #[serde(rename = "token.list")]
    TokenList,
    /// A token opens nothing any more.
    #[serde(rename = "token.revoke")]
    TokenRevoke {
        /// Its number.
        token: u32,
    },
    /// What a door of HTTP made of a request; not for the control socket.
    #[serde(skip)]
    Raise(Box<Raise>),
    /// The same.
    #[serde(skip)]
    Settle(Settle),
    /// The same.
    #[serde(skip)]
    NotDialled(NotDialled),
    /// A change of the directory, asked for over HTTP; the same.
    #[serde(skip)]
    Directory(Box<Change>),
    /// What the page of a hotline's link says; it changes nothing.
    #[serde(rename = "hotline.page")]
    HotlinePage {
        /// The secret behind the last slash of the link.
        link: String,
    },
    /// The button of that page was pressed.
    #[serde(rename = "hotline.accept")]
    HotlineAccept {
        /// The secret behind the last slash of the link.
        link: String,
    },
    /// The rooms with somebody inside.
    #[serde(rename = "room.list")]
    RoomList,
    /// Have something said to everybody in a room.
    #[serde(rename = "room.say")]
    RoomSay(SayRequest),
    /// Have nobody in a room hear somebody.
    #[serde(rename = "room.mute")]
    RoomMute {
        /// Which room.
        room: String,
        /// Who: their number in the room, their id or their name.
        #[serde(deserialize_with = "member")]
        member: String,
        /// Have everybody hear them again.
        #[serde(default)]
        off: bool,
    },
    /// Take somebody out of a room.
    #[serde(rename = "room.kick")]
    RoomKick {
        /// Which room.
        room: String,
        /// Who: their number in the room, their id or their name.
        #[serde(deserialize_with = "member")]
        member: String,
    },
    /// Let nobody come into a room.
    #[serde(rename = "room.lock")]
    RoomLock {
        /// Which room.
        room: String,
        /// Let them come in again.
        #[serde(default)]
        off: bool,
    },
    /// Ring somebody and ask them into a room.
    #[serde(rename = "room.dial")]
    RoomDial {
        /// Which room.
        room: String,
        /// Whom: a contact's id, name or number.
        to: String,
    },
    /// The same, with the person whom a door found; not for the control socket.
    #[serde(skip)]
    RoomRing(Box<Ring>),
    /// What is to be said in a room was made; not for the control socket.
    #[serde(skip)]
    RoomSpoken(Spoken),
    /// Read the configuration's file again.
    Reload,
    /// A short message of a notifier; not for the control socket.
    #[serde(skip)]
    Write(Write),
    /// End the daemon.
    Shutdown,
}

/// The operations, for messages.
pub const OPERATIONS: &str = "trigger, status, ladder, watch, acknowledge, cancel, resolve, suppress, suppressions, lift, \
    token.create, token.list, token.revoke, hotline.page, hotline.accept, room.list, room.say, room.mute, room.kick, \
    room.lock, room.dial, reload, shutdown";

/// `{"op":"trigger", …}`.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TriggerRequest {
    /// Which call flow.
    pub call_flow: String,
    /// Which guidance; the call flow's own when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guidance: Option<String>,
    /// Values for the message's `{{parameter}}`s.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, String>,
    /// Spoken instead of the guidance's message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The same key joins the open incident.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dedup: Option<String>,
    /// Ring only these numbers of the roster.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub to: Vec<String>,
    /// The machine it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The service it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
}

/// `{"op":"ladder", …}`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LadderRequest {
    /// Whose calls; without it, what was said outside of calls lately.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<String>,
    /// Only this attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// The call with this Call-ID, whatever it was for; not together with an incident.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<String>,
    /// As a capture file, in base64.
    #[serde(default)]
    pub pcap: bool,
}

/// `{"op":"token.create", …}`.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenRequest {
    /// What people call it.
    pub name: String,
    /// What it opens: `trigger`, `read`, `manage`, `directory`, `dial:any`; the first two when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
    /// In seconds, how long it is good; for ever when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in_s: Option<u64>,
    /// Until when it is good instead: an RFC 3339 time, or a date, whose end it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    /// The call flow of its triggers, where they name none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call_flow: Option<String>,
}

/// `{"op":"room.say", …}`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SayRequest {
    /// Which room.
    pub room: String,
    /// What to say.
    pub text: String,
    /// In which language: `en` or `ja`; the room's own when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
}

/// `{"op":"suppress", …}`: at least one of the first four, and one of the last two.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SuppressRequest {
    /// Triggers with this deduplication key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dedup: Option<String>,
    /// Triggers about this host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// Triggers about this service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// Triggers of this call flow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call_flow: Option<String>,
    /// For so long: `2h`, `1h30m`.
    #[serde(default, rename = "for", skip_serializing_if = "Option::is_none")]
    pub duration: Option<String>,
    /// Until this moment, as RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

/// What a client is told when its request failed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Failure {
    /// For programs: `bad_request`, `unknown_call_flow`, `not_open`, `not_stored`, …
    pub code: String,
    /// For people.
    pub message: String,
}

impl Failure {
    /// A failure with its code and its sentence.
    pub fn new(code: &str, message: impl Into<String>) -> Failure {
        Failure { code: code.into(), message: message.into() }
    }
}

impl TriggerRequest {
    /// The trigger this asks for. Its sizes are checked with its plan.
    pub fn trigger(self) -> Result<Trigger, Failure> {
        let bad = |message: String| Failure::new("bad_request", message);
        let id = |field: &str, error: crate::base::IdError| bad(format!("`{field}`: {error}"));
        let phones = self.to.iter().map(|text| Phone::parse(text).map_err(|error| bad(format!("`to`: {error}"))));
        Ok(Trigger {
            call_flow: self.call_flow.parse().map_err(|error| id("call_flow", error))?,
            guidance: self.guidance.map(|text| text.parse().map_err(|error| id("guidance", error))).transpose()?,
            message: self.message.filter(|text| !text.trim().is_empty()),
            parameters: self.parameters,
            dedup: self.dedup,
            to: phones.collect::<Result<_, _>>()?,
            host: self.host,
            service: self.service,
            by: None,
        })
    }
}

/// Somebody in a room: text, or the bare number.
pub(in crate::shell) fn member<'a, D: Deserializer<'a>>(from: D) -> Result<String, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "a number in the room, an id or a name")]
    enum Either {
        Number(u32),
        Text(String),
    }
    Ok(match Either::deserialize(from)? {
        Either::Number(number) => number.to_string(),
        Either::Text(text) => text,
    })
}

/// Reads one line.
pub fn read(line: &[u8]) -> Result<Request, Failure> {
    let value: serde_json::Value = serde_json::from_slice(line)
        .map_err(|error| Failure::new("not_json", format!("not a JSON object a line: {error}")))?;
    let known = value.get("op").and_then(serde_json::Value::as_str);
    let known = known.is_some_and(|op| OPERATIONS.split(", ").any(|other| other == op));
    serde_json::from_value(value).map_err(|error| {
        let code = if known { "bad_request" } else { "unknown_op" };
        let message = if known { error.to_string() } else { format!("`op` is one of {OPERATIONS}") };
        Failure::new(code, message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_request_is_refused_with_what_is_accepted() {
        for (line, code, says) in [
            ("nonsense", "not_json", "not a JSON object"),
            ("{\"op\":\"dance\"}", "unknown_op", OPERATIONS),
            ("{}", "unknown_op", OPERATIONS),
            ("[1]", "unknown_op", OPERATIONS),
            ("{\"op\":\"trigger\"}", "bad_request", "call_flow"),
            ("{\"op\":\"trigger\",\"call_flow\":\"x\",\"mesage\":\"y\"}", "bad_request", "mesage"),
        ] {
            let failure = read(line.as_bytes()).unwrap_err();
            assert_eq!(failure.code, code, "{line}: {failure:?}");
            assert!(failure.message.contains(says), "{line}: {failure:?}");
        }
    }

    #[test]
    fn a_trigger_with_a_number_that_is_none_is_refused() {
        let request = TriggerRequest { call_flow: "oncall".into(), to: vec!["12".into()], ..Default::default() };
        let failure = request.trigger().unwrap_err();
        assert!(failure.message.contains("`to`") && failure.message.contains("12"), "{failure:?}");
    }
}
