//! AWS SNS over HTTP: notifications, confirmations, and what their signature covers.
//!
//! Nothing here trusts the sender. [`signed`] says which bytes the signature must cover, where its certificate may come
//! from, and which topic speaks; whoever fetches and checks does so before acting on [`super::read`]. Easy to get wrong:
//! - A certificate from anywhere else proves nothing, so its URL is pinned to `sns.REGION.amazonaws.com`; so is the link
//!   that confirms a subscription, or we could be made to visit any URL.
//! - `UnsubscribeConfirmation` carries a `SubscribeURL` too: visiting it would subscribe again.
//! - The fields differ by type, and `Subject` is signed only where there is one.

use super::json::{self, Node};
use super::limit::{self, Parameters};
use super::{Draft, IntakeError, Read, Request, Signal, alertinfo, cloudwatch};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

const BODY: &str = "the JSON of an SNS message";
const TYPES: &str = "`Notification`, `SubscriptionConfirmation` or `UnsubscribeConfirmation`";
const AWS: &str = "an https URL of sns.REGION.amazonaws.com";

/// A subscription that waits for somebody to visit a link. Only for topics the configuration lists.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Confirmation {
    /// The topic's ARN.
    pub topic: String,
    /// The link to visit, at SNS itself.
    pub url: String,
}

/// How a message is signed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Version {
    /// RSA (PKCS #1 v1.5) over SHA-1.
    V1,
    /// RSA (PKCS #1 v1.5) over SHA-256.
    V2,
}

/// What has to be checked before a message counts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Signed {
    /// What the signature covers.
    pub bytes: Vec<u8>,
    /// The signature.
    pub signature: Vec<u8>,
    /// Where the certificate is: a `.pem` at SNS itself.
    pub cert_url: String,
    /// By which digest.
    pub version: Version,
    /// The topic's ARN.
    pub topic: String,
    /// The message's own id: the same in every copy that SNS sends.
    pub id: String,
    /// When it was signed, RFC 3339 in UTC, as it stands in the message.
    pub timestamp: String,
}

/// What the message asks for. `insufficient_data=raise` in the query makes CloudWatch's third state a problem too.
pub(super) fn read(request: &Request<'_>) -> Result<Read, IntakeError> {
    let body = json::parse(request.body, BODY)?;
    let body = Node::root(&body)?;
    match kind(&body)? {
        Kind::Notification => notification(&body, request.query("insufficient_data") == Some("raise")),
        Kind::Unsubscribed => Ok(Read::default()),
        Kind::Subscription => {
            let place = body.get("SubscribeURL");
            let url = place.needed(AWS)?;
            if !is_sns(&url) {
                return Err(IntakeError::text(place.path(), &url, AWS));
            }
            let topic = body.get("TopicArn").needed("the ARN of the topic")?;
            Ok(Read { confirm: Some(Confirmation { topic, url }), ..Read::default() })
        }
    }
}

/// What the message's signature covers, and whose certificate proves it.
pub fn signed(body: &[u8]) -> Result<Signed, IntakeError> {
    let body = json::parse(body, BODY)?;
    let body = Node::root(&body)?;
    let fields: &[&str] = match kind(&body)? {
        Kind::Notification => &["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"],
        Kind::Subscription | Kind::Unsubscribed => {
            &["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
        }
    };
    let mut bytes = Vec::new();
    for name in fields {
        match (raw(&body, name), *name) {
            (Some(value), _) => bytes.extend_from_slice(format!("{name}\n{value}\n").as_bytes()),
            (None, "Subject") => {}
            (None, _) => return Err(body.get(name).wrong("a text")),
        }
    }
    let place = body.get("SignatureVersion");
    let version = match place.needed("`1` or `2`")?.as_str() {
        "1" => Version::V1,
        "2" => Version::V2,
        other => return Err(IntakeError::text(place.path(), other, "`1` or `2`")),
    };
    let place = body.get("Signature");
    let coded = place.needed("base64")?;
    let signature =
        STANDARD.decode(coded.as_bytes()).map_err(|_| IntakeError::wrong(place.path(), "a text", "base64"))?;
    let place = body.get("SigningCertURL");
    let cert_url = place.needed(AWS)?;
    if !is_certificate(&cert_url) {
        return Err(IntakeError::text(place.path(), &cert_url, "an https URL of a .pem at sns.REGION.amazonaws.com"));
    }
    let text = |name: &str| body.get(name).needed("a text");
    let (topic, id, timestamp) = (text("TopicArn")?, text("MessageId")?, text("Timestamp")?);
    Ok(Signed { bytes, signature, cert_url, version, topic, id, timestamp })
}

enum Kind {
    Notification,
    Subscription,
    Unsubscribed,
}

fn kind(body: &Node<'_>) -> Result<Kind, IntakeError> {
    let place = body.get("Type");
    match place.needed(TYPES)?.as_str() {
        "Notification" => Ok(Kind::Notification),
        "SubscriptionConfirmation" => Ok(Kind::Subscription),
        "UnsubscribeConfirmation" => Ok(Kind::Unsubscribed),
        other => Err(IntakeError::text(place.path(), other, TYPES)),
    }
}

/// A text with its blanks, as it was signed.
fn raw<'a>(body: &Node<'a>, name: &str) -> Option<&'a str> {
    body.get(name).value().and_then(Value::as_str)
}

fn notification(body: &Node<'_>, insufficient_raises: bool) -> Result<Read, IntakeError> {
    let place = body.get("Message");
    let message = place.needed("the text of the message")?;
    let inner: Option<Value> = serde_json::from_str(&message).ok().filter(Value::is_object);
    if let Some(inner) = &inner {
        let inner = Node::at(inner, place.path());
        if let Some(read) = cloudwatch::read(&inner, insufficient_raises) {
            return read;
        }
        if inner.get("alertinfo").is_there() {
            return alertinfo::signals(&inner);
        }
    }
    let subject = body.first(&["Subject"]);
    let mut parameters = Parameters::default();
    parameters.put_some("subject", subject.as_deref());
    body.put_named(&mut parameters, &[("TopicArn", "topic"), ("Timestamp", "time")]);
    if let Some(inner) = &inner {
        Node::at(inner, place.path()).put_all(&mut parameters);
    }
    // JSON that we do not know is not read out; its subject is.
    let told = if inner.is_some() { subject.unwrap_or_else(|| "SNS".to_owned()) } else { message };
    let draft = Draft {
        message: limit::spoken(&told),
        // SNS delivers at least once; the same message is the same incident.
        dedup: body.first(&["MessageId"]).and_then(|id| limit::dedup(&format!("sns:{id}"))),
        parameters: parameters.done(),
        ..Draft::default()
    };
    Ok(Signal::Raise(draft).into())
}

/// A certificate of SNS: `https://sns.REGION.amazonaws.com/….pem`.
fn is_certificate(url: &str) -> bool {
    let plain = !url.contains(['?', '#']);
    plain && is_sns(url) && url.ends_with(".pem")
}

/// Does this URL lead to SNS? `https`, no user, no port, and a host of which nothing is free but the region.
fn is_sns(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("https://") else { return false };
    let Some((host, _)) = rest.split_once('/') else { return false };
    let plain = url.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
    let tail = |host: &'_ str| {
        let region = host.strip_suffix(".amazonaws.com").or_else(|| host.strip_suffix(".amazonaws.com.cn"))?;
        Some(region.strip_prefix("sns.")?.to_owned())
    };
    let is_region = |region: String| {
        let ends = region.starts_with(|c: char| c.is_ascii_lowercase()) && !region.ends_with('-');
        ends && region.len() <= 32 && region.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    plain && tail(host).is_some_and(is_region)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intake::Method;

    fn sent(query: &[(String, String)], body: &str) -> Result<Read, IntakeError> {
        let (headers, content_type) = (&[][..], Some("text/plain; charset=UTF-8"));
        read(&Request { method: Method::Post, path: "", query, headers, content_type, body: body.as_bytes() })
    }

    fn message(kind: &str, rest: &str) -> String {
        format!(
            r#"{{"Type": "{kind}", "MessageId": "22b8", "TopicArn": "arn:aws:sns:us-west-2:123456789012:alarms",
                "Message": " It is\nburning ", "Timestamp": "2026-11-21T03:00:00.000Z", "SignatureVersion": "1",
                "Signature": "AQID", "SigningCertURL": "https://sns.us-west-2.amazonaws.com/Simple-0.pem"{rest}}}"#
        )
    }

    #[test]
    fn a_plain_message_is_spoken() {
        let read = sent(&[], &message("Notification", r#", "Subject": "Fire""#)).unwrap();
        let [Signal::Raise(draft)] = &read.signals[..] else { panic!("{read:?}") };
        assert_eq!((draft.message.as_deref(), draft.dedup.as_deref()), (Some("It is\nburning"), Some("sns:22b8")));
        assert_eq!(draft.parameters["subject"], "Fire");
    }

    #[test]
    fn a_subscription_is_confirmed_at_sns_and_nowhere_else() {
        let url = "https://sns.us-west-2.amazonaws.com/?Action=ConfirmSubscription&Token=2336412f37";
        let rest = format!(r#", "Token": "t", "SubscribeURL": "{url}""#);
        let read = sent(&[], &message("SubscriptionConfirmation", &rest)).unwrap();
        let topic = "arn:aws:sns:us-west-2:123456789012:alarms".to_owned();
        assert_eq!(read.confirm, Some(Confirmation { topic, url: url.to_owned() }));
        assert_eq!(sent(&[], &message("UnsubscribeConfirmation", &rest)).unwrap(), Read::default());
        let evil = r#", "SubscribeURL": "https://sns.evil.example/x""#;
        assert_eq!(sent(&[], &message("SubscriptionConfirmation", evil)).unwrap_err().field(), Some("SubscribeURL"));
    }

    #[test]
    fn the_signed_bytes_are_the_fields_in_their_order_with_their_blanks() {
        let with = signed(message("Notification", r#", "Subject": "Fire""#).as_bytes()).unwrap();
        let expected = "Message\n It is\nburning \nMessageId\n22b8\nSubject\nFire\nTimestamp\n2026-11-21T03:00:00.000Z\n\
                        TopicArn\narn:aws:sns:us-west-2:123456789012:alarms\nType\nNotification\n";
        assert_eq!(String::from_utf8(with.bytes).unwrap(), expected);
        assert_eq!((with.signature, with.version), (vec![1, 2, 3], Version::V1));
        let without = signed(message("Notification", "").as_bytes()).unwrap();
        assert_eq!(String::from_utf8(without.bytes).unwrap(), expected.replace("Subject\nFire\n", ""));
        let confirm = message("SubscriptionConfirmation", r#", "Token": "t", "SubscribeURL": "u""#);
        let confirm = String::from_utf8(signed(confirm.as_bytes()).unwrap().bytes).unwrap();
        assert!(
            confirm.contains("\nSubscribeURL\nu\nTimestamp\n") && confirm.contains("\nToken\nt\nTopicArn\n"),
            "{confirm}"
        );
    }

    #[test]
    fn a_certificate_from_elsewhere_is_refused() {
        for url in ["https://sns.us-west-2.amazonaws.com/a.pem", "https://sns.cn-north-1.amazonaws.com.cn/b/c.pem"] {
            assert!(is_certificate(url), "{url}");
        }
        for url in [
            "http://sns.us-west-2.amazonaws.com/a.pem",
            "https://sns.us-west-2.amazonaws.com.evil.example/a.pem",
            "https://sns.us-west-2.amazonaws.com@evil.example/a.pem",
            "https://evil.example/sns.us-west-2.amazonaws.com/a.pem",
            "https://sns.us-west-2.amazonaws.com:8443/a.pem",
            "https://sns.evil.us-west-2.amazonaws.com/a.pem",
            "https://s3.amazonaws.com/a.pem",
            "https://sns..amazonaws.com/a.pem",
            "https://sns.us-west-2.amazonaws.com/a.pem?x",
            "https://sns.us-west-2.amazonaws.com/x?y=a.pem",
            "https://sns.us-west-2.amazonaws.com/x#a.pem",
            "https://sns.us-west-2.amazonaws.com/a.txt",
            "https://SNS.us-west-2.amazonaws.com\\@evil/a.pem",
            "https://sns.us-west-2.amazonaws.com",
        ] {
            assert!(!is_certificate(url), "{url}");
        }
        let body = message("Notification", "").replace("sns.us-west-2.amazonaws.com", "evil.example");
        assert_eq!(signed(body.as_bytes()).unwrap_err().field(), Some("SigningCertURL"));
    }

    #[test]
    fn alertinfo_inside_a_message_is_read_as_such() {
        let body = serde_json::json!({ "Type": "Notification", "Message": r#"{"alertinfo": [{"host": "a"}, {"host": "b"}]}"# });
        assert_eq!(sent(&[], &body.to_string()).unwrap().signals.len(), 2);
    }

    #[test]
    fn cloudwatchs_third_state_is_a_problem_when_the_url_says_so() {
        let alarm = r#"{"AlarmName": "cpu", "NewStateValue": "INSUFFICIENT_DATA"}"#;
        let body = serde_json::json!({ "Type": "Notification", "Message": alarm }).to_string();
        assert_eq!(sent(&[], &body).unwrap().signals, []);
        let query = [("insufficient_data".to_owned(), "raise".to_owned())];
        assert!(matches!(sent(&query, &body).unwrap().signals[..], [Signal::Raise(_)]));
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert_eq!(sent(&[], "{}").unwrap_err().field(), Some("Type"));
        assert_eq!(sent(&[], r#"{"Type": "Notification"}"#).unwrap_err().field(), Some("Message"));
        let unsigned = signed(br#"{"Type": "Notification", "Message": "a"}"#).unwrap_err();
        assert_eq!(unsigned.field(), Some("MessageId"));
    }
}
