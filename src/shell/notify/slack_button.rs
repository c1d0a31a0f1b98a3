//! The button of a bot's message, as Slack sends it when somebody presses it: whether it is Slack that asks, which
//! incident is meant, and who takes it.
//!
//! Slack signs each request with the app's signing secret, scheme `v0`: HMAC-SHA256 of `v0:TIME:BODY`. Easy to get
//! wrong: the body must be checked as it travelled, before anybody reads it; and an old request is a stolen one.

use ring::hmac;
use serde_json::Value;

use super::slack::TAKE_ACTION;
use crate::base::IncidentId;

/// How far the time of a request may lie from ours, in seconds.
const FRESH_S: u64 = 300;
/// Bytes of an HMAC-SHA256.
const TAG: usize = 32;
/// The longest name of a person that is kept, in characters.
const NAME: usize = 80;

/// Somebody takes an incident.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pressed {
    /// Which.
    pub incident: IncidentId,
    /// Who, as Slack knows them.
    pub by: String,
}

/// Why a request is not followed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NotPressed {
    /// It is not from Slack, or was sent again.
    #[error("the request is not signed by Slack just now")]
    NotSlack,
    /// It is from Slack, and about something else.
    #[error("the request is about no button of hansho's")]
    NoButton,
}

/// Reads the request whose headers `X-Slack-Request-Timestamp` and `X-Slack-Signature` are given; `now` is the time in
/// seconds since 1970.
pub fn pressed(
    signing_secret: &str,
    timestamp: &str,
    signature: &str,
    body: &[u8],
    now: i64,
) -> Result<Pressed, NotPressed> {
    verify(signing_secret, timestamp, signature, body, now)?;
    let payload = form_urlencoded::parse(body).find(|(name, _)| name == "payload");
    let payload = payload.and_then(|(_, text)| serde_json::from_str::<Value>(&text).ok());
    read(&payload.ok_or(NotPressed::NoButton)?).ok_or(NotPressed::NoButton)
}

/// Could these headers be Slack's, sent just now? What they sign is not looked at.
pub fn seems_signed(timestamp: &str, signature: &str, now: i64) -> bool {
    let fresh = timestamp.parse().is_ok_and(|sent: i64| now.abs_diff(sent) <= FRESH_S);
    fresh && tag_of(signature).is_some()
}

fn tag_of(signature: &str) -> Option<Vec<u8>> {
    signature.strip_prefix("v0=").and_then(unhex).filter(|tag| tag.len() == TAG)
}

fn verify(signing_secret: &str, timestamp: &str, signature: &str, body: &[u8], now: i64) -> Result<(), NotPressed> {
    if !seems_signed(timestamp, signature, now) {
        return Err(NotPressed::NotSlack);
    }
    let given = tag_of(signature).ok_or(NotPressed::NotSlack)?;
    let key = hmac::Key::new(hmac::HMAC_SHA256, signing_secret.as_bytes());
    let signed = [format!("v0:{timestamp}:").as_bytes(), body].concat();
    // The comparison takes the same time wherever the two differ.
    hmac::verify(&key, &signed, &given).map_err(|_| NotPressed::NotSlack)
}

fn read(payload: &Value) -> Option<Pressed> {
    let action = payload["actions"].as_array()?.iter().find(|action| action["action_id"] == TAKE_ACTION)?;
    let incident = action["value"].as_str()?.parse().ok()?;
    let user = &payload["user"];
    let by = ["name", "username", "id"].iter().find_map(|field| user[*field].as_str().filter(|text| !text.is_empty()));
    let plain = |c: &char| !c.is_control();
    Some(Pressed { incident, by: by.unwrap_or("Slack").chars().filter(plain).take(NAME).collect() })
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text.chars().map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok())).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    Some(digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";

    fn body(incident: &str, action: &str) -> Vec<u8> {
        let payload = serde_json::json!({
            "type": "block_actions",
            "user": { "id": "U1", "username": "yamada", "name": "yamada" },
            "actions": [{ "action_id": action, "value": incident }],
        });
        form_urlencoded::Serializer::new(String::new()).append_pair("payload", &payload.to_string()).finish().into()
    }

    fn signed(timestamp: &str, body: &[u8]) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
        let tag = hmac::sign(&key, &[format!("v0:{timestamp}:").as_bytes(), body].concat());
        format!("v0={}", crate::base::hex(tag.as_ref()))
    }

    #[test]
    fn a_press_names_the_incident_and_the_person() {
        let body = body("d1zrft2nkw9h", TAKE_ACTION);
        let read = pressed(SECRET, "1795000000", &signed("1795000000", &body), &body, 1_795_000_100).unwrap();
        assert_eq!((read.incident.to_string().as_str(), read.by.as_str()), ("d1zrft2nkw9h", "yamada"));
    }

    #[test]
    fn what_slack_did_not_sign_just_now_is_refused() {
        let body = body("d1zrft2nkw9h", TAKE_ACTION);
        let good = signed("1795000000", &body);
        let read =
            |timestamp: &str, signature: &str, body: &[u8], now| pressed(SECRET, timestamp, signature, body, now);
        for (timestamp, signature, now) in [
            ("1795000000", good.as_str(), 1_795_000_301),
            ("1795000000", good.as_str(), 1_794_999_699),
            ("1795000001", good.as_str(), 1_795_000_000),
            ("1795000000", "v0=00", 1_795_000_000),
            ("1795000000", "", 1_795_000_000),
            ("1795000000", "v0=zz", 1_795_000_000),
            ("", good.as_str(), 1_795_000_000),
            ("-9223372036854775808", good.as_str(), i64::MAX),
        ] {
            assert_eq!(read(timestamp, signature, &body, now), Err(NotPressed::NotSlack), "{timestamp} {signature}");
        }
        let mut changed = body.clone();
        changed.push(b'x');
        assert_eq!(read("1795000000", &good, &changed, 1_795_000_000), Err(NotPressed::NotSlack));
    }

    #[test]
    fn a_request_of_slack_s_about_something_else_is_no_press() {
        for body in [body("d1zrft2nkw9h", "other"), body("no incident", TAKE_ACTION), b"payload=x".to_vec(), Vec::new()]
        {
            let read = pressed(SECRET, "1795000000", &signed("1795000000", &body), &body, 1_795_000_000);
            assert_eq!(read, Err(NotPressed::NoButton));
        }
    }
}
