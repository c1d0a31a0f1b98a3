//! `[[notify.webhook]]`: every event as JSON to a web address, signed.
//!
//! The signature covers the time and the body as they travel, so that neither can be changed nor sent again later
//! by somebody who does not know the secret.

use ring::hmac;
use serde_json::Value;
use ureq::http::{Request, header};

use super::http::Http;
use super::parcel::{Deliver, Parcel, Trouble};
use crate::base::hex;
use crate::config::{Patience, Webhook};
use crate::shell::clock::Clock;
use crate::shell::events;

/// The header with the signature.
const SIGNATURE: &str = "X-Hansho-Signature";

/// One receiver of events.
pub(super) struct WebhookPost {
    http: Http,
    webhook: Webhook,
    node: String,
    clock: Clock,
}

impl WebhookPost {
    pub(super) fn new(
        webhook: Webhook,
        node: String,
        patience: &Patience,
        ca: Option<&str>,
        clock: Clock,
    ) -> WebhookPost {
        WebhookPost { http: Http::new(patience, ca), webhook, node, clock }
    }
}

impl Deliver for WebhookPost {
    fn deliver(&mut self, parcel: &Parcel) -> Result<(), Trouble> {
        let body = body(parcel, &self.node);
        let mut request = Request::post(self.webhook.url.reveal())
            .header(header::CONTENT_TYPE, "application/json")
            .header("Idempotency-Key", &parcel.key);
        for (name, value) in &self.webhook.headers {
            request = request.header(name, value.reveal());
        }
        if let Some(secret) = &self.webhook.secret {
            let now = self.clock.calendar().as_unix_micros() / 1_000_000;
            request = request.header(SIGNATURE, signature(secret.reveal(), now, &body));
        }
        let request = request.body(body).map_err(|_| Trouble::never("the request cannot be made"))?;
        self.http.send(request, false)?.judge()
    }
}

/// The event as those who watch see it, with the key, the node and the line for people.
fn body(parcel: &Parcel, node: &str) -> Vec<u8> {
    let mut event = events::line(&parcel.notice.event);
    event["id"] = Value::from(parcel.key.as_str());
    event["node"] = Value::from(node);
    event["text"] = Value::from(parcel.notice.text.as_str());
    event.to_string().into_bytes()
}

/// `t=UNIX,v1=HEX`, where HEX is HMAC-SHA256 of `UNIX.BODY`.
pub(super) fn signature(secret: &str, unix: i64, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let mut context = hmac::Context::with_key(&key);
    context.update(format!("{unix}.").as_bytes());
    context.update(body);
    format!("t={unix},v1={}", hex(context.sign().as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed with Python's `hmac`: the documents show how.
    #[test]
    fn a_signature_is_the_one_that_others_compute() {
        let signed = signature("tiger", 1_795_000_000, br#"{"event":"incident.accepted"}"#);
        assert_eq!(signed, "t=1795000000,v1=8c3126a452307797b10b038c385ead36bad875e5022694b1f6b2295f36b09f1c");
    }
}
