//! The API of a notification service that scripts already speak: invoke, abort, results.
//!
//! Its words are not ours: `terminate` is to take, `continue` is the next one, `leave` is to be left out of this callout.
//! Call flow and guidance come as ids or as whole objects, mixed as one likes. Nothing here knows whether an id exists
//! or a number may be dialled; phones stay texts until the dial guard has normalised them, because this API's users
//! write them without their country.

mod invoke;
mod results;

pub use invoke::{Abort, Behavior, CallFlow, Contact, Guidance, IdOr, Invoke, Reaction};
pub use results::{Call, CallStatus, Results};

use super::{IntakeError, Reply};
use serde_json::{Value, json};

/// The answer to a request that was taken: `requested`, with what was asked and under which id its result is found.
pub fn requested(params: &Value, result_id: &str) -> Reply {
    answer(200, &json!({ "params": params, "resultId": result_id, "status": "requested" }))
}

/// The answer to a request that was understood and is not done: `rejected`, and why. 200, as scripts look at `status`.
pub fn rejected(params: &Value, title: &str, detail: &str) -> Reply {
    let why = json!({ "title": title, "detail": detail });
    answer(200, &json!({ "params": params, "status": "rejected", "errorDescriptor": why }))
}

/// The answer to a body that could not be read.
pub fn refusal(wrong: &IntakeError) -> Reply {
    let why = json!({ "title": "invalid parameters", "detail": wrong.to_string() });
    answer(400, &json!({ "status": "rejected", "errorDescriptor": why }))
}

fn answer(status: u16, body: &Value) -> Reply {
    Reply { status, content_type: "application/json", body: body.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_answered_with_its_own_parameters() {
        let params = json!({ "callflowId": "night" });
        let told: Value = serde_json::from_str(&requested(&params, "0abc").body).unwrap();
        assert_eq!(told, json!({ "params": params, "resultId": "0abc", "status": "requested" }));
        let told: Value = serde_json::from_str(&rejected(&params, "t", "d").body).unwrap();
        assert_eq!((&told["status"], &told["errorDescriptor"]["detail"]), (&json!("rejected"), &json!("d")));
        let reply = refusal(&IntakeError::Empty("JSON"));
        assert_eq!((reply.status, reply.body.contains("rejected")), (400, true));
    }
}
