//! What `GET …/results/{resultId}` answers, while a callout runs and after.
//!
//! `keyInput` and `status` at the top are those of the whole callout: the key that ended it, and `succeeded` when
//! somebody took it. An undefined key is never a success.

use crate::intake::Reply;
use serde_json::{Value, json};

/// How a call, or the whole callout, stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CallStatus {
    /// Not rung yet.
    Preparing,
    /// Ringing, or being spoken to.
    Calling,
    /// Being stopped.
    Aborting,
    /// Taken.
    Succeeded,
    /// Answered, and no key that counts.
    Ignored,
    /// Not answered: no answer, busy, declined.
    Missed,
    /// Stopped by us.
    Aborted,
    /// The number leads nowhere or is out of reach; or the trunk, the network or hansho itself failed.
    Failed,
}

impl CallStatus {
    /// The word of this API.
    pub const fn as_str(self) -> &'static str {
        match self {
            CallStatus::Preparing => "preparing",
            CallStatus::Calling => "calling",
            CallStatus::Aborting => "aborting",
            CallStatus::Succeeded => "succeeded",
            CallStatus::Ignored => "ignored",
            CallStatus::Missed => "missed",
            CallStatus::Aborted => "aborted",
            CallStatus::Failed => "failed",
        }
    }

    /// Is there more to come?
    pub const fn is_active(self) -> bool {
        matches!(self, CallStatus::Preparing | CallStatus::Calling | CallStatus::Aborting)
    }
}

/// A callout, as its caller polls it. Times are RFC 3339.
#[derive(Clone, PartialEq, Debug)]
pub struct Results {
    /// The id that the invocation was answered with.
    pub result_id: String,
    /// How the whole of it stands.
    pub status: CallStatus,
    /// The key that ended it.
    pub key_input: Option<char>,
    /// When it was requested.
    pub started_at: Option<String>,
    /// When it was over.
    pub ended_at: Option<String>,
    /// The call flow that was used, in the shape of `params.callflow`, with its id where it has one.
    pub callflow: Value,
    /// The guidance that was used, in the shape of `params.guidance`, with its id where it has one.
    pub guidance: Value,
    /// The values that were filled in.
    pub parameters: Value,
    /// Every call so far, in order.
    pub calls: Vec<Call>,
}

/// One call of a callout.
#[derive(Clone, PartialEq, Debug)]
pub struct Call {
    /// Who.
    pub display_name: String,
    /// Where.
    pub phone_number: String,
    /// How it stands.
    pub status: CallStatus,
    /// The last key pressed.
    pub key_input: Option<char>,
    /// When it was dialled.
    pub started_at: Option<String>,
    /// When it was answered.
    pub answered_at: Option<String>,
    /// When it was over.
    pub ended_at: Option<String>,
}

impl Results {
    /// The body and status.
    pub fn reply(&self) -> Reply {
        let calls: Vec<Value> = self.calls.iter().map(Call::value).collect();
        let body = json!({
            "resultId": self.result_id,
            "isActive": self.status.is_active(),
            "status": self.status.as_str(),
            "keyInput": self.key_input.map(String::from),
            "startedAt": self.started_at,
            "endedAt": self.ended_at,
            "callflow": self.callflow,
            "guidance": self.guidance,
            "parameters": self.parameters,
            "calls": calls,
        });
        Reply { status: 200, content_type: "application/json", body: body.to_string() }
    }
}

impl Call {
    fn value(&self) -> Value {
        json!({
            "displayName": self.display_name,
            "phoneNumber": self.phone_number,
            "status": self.status.as_str(),
            "keyInput": self.key_input.map(String::from),
            "startedAt": self.started_at,
            "answeredAt": self.answered_at,
            "endedAt": self.ended_at,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_callout_under_way_is_active_and_a_taken_one_shows_its_key() {
        let call = Call {
            display_name: "山田".to_owned(),
            phone_number: "+818012345678".to_owned(),
            status: CallStatus::Succeeded,
            key_input: Some('1'),
            started_at: Some("2026-11-21T03:00:00Z".to_owned()),
            answered_at: None,
            ended_at: None,
        };
        let mut results = Results {
            result_id: "0abc".to_owned(),
            status: CallStatus::Calling,
            key_input: None,
            started_at: None,
            ended_at: None,
            callflow: json!({ "loopLimit": 3 }),
            guidance: json!({}),
            parameters: json!({ "server": "db-01" }),
            calls: vec![call],
        };
        let told = |results: &Results| serde_json::from_str::<Value>(&results.reply().body).unwrap();
        assert_eq!((&told(&results)["isActive"], &told(&results)["keyInput"]), (&json!(true), &Value::Null));
        (results.status, results.key_input) = (CallStatus::Succeeded, Some('1'));
        let done = told(&results);
        assert_eq!(
            (&done["isActive"], &done["status"], &done["keyInput"]),
            (&json!(false), &json!("succeeded"), &json!("1"))
        );
        assert_eq!(done["calls"][0]["displayName"], "山田");
    }
}
