//! `[notify.slack]`: an incoming webhook, or a bot that keeps one message an incident.
//!
//! The bot's message is edited as the incident goes on, and everything that happens is added to its thread; what a
//! person must not miss is shown in the channel as well. Easy to get wrong: Slack answers most refusals with 200 and
//! says so in the body; an edit wakes nobody; and `&`, `<` and `>` begin something in Slack's texts.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use ureq::http::{Request, header};

use super::http::{Answer, Http};
use super::parcel::{Deliver, Parcel, Trouble};
use crate::base::IncidentId;
use crate::config::{Patience, Secret, Slack, SlackBot};
use crate::shell::journal::JournalHandle;
use crate::store::Reader;
use crate::switch::{Notice, What};

/// Incidents whose message is remembered without asking the journal.
const REMEMBERED: usize = 1_000;
/// The longest text of a block, in characters: Slack refuses more than 3,000.
const TEXT: usize = 2_500;
/// What the button for taking an incident is called in the requests it makes.
pub const TAKE_ACTION: &str = "hansho.acknowledge";
/// Refusals that pass by themselves.
const PASSING: [&str; 7] = [
    "ratelimited",
    "rate_limited",
    "internal_error",
    "fatal_error",
    "service_unavailable",
    "request_timeout",
    "team_added_to_org",
];

/// A Slack channel.
pub(super) struct SlackPost {
    http: Http,
    slack: Slack,
    /// The message of each incident, by its `ts` in microseconds.
    messages: BTreeMap<IncidentId, i64>,
    /// Where that is kept: in a cursor for each incident.
    reader: Reader,
    journal: JournalHandle,
}

impl SlackPost {
    pub(super) fn new(
        slack: Slack,
        patience: &Patience,
        ca: Option<&str>,
        reader: Reader,
        journal: JournalHandle,
    ) -> SlackPost {
        SlackPost { http: Http::new(patience, ca), slack, messages: BTreeMap::new(), reader, journal }
    }

    fn by_bot(&mut self, bot: &SlackBot, parcel: &Parcel) -> Result<(), Trouble> {
        let notice = &parcel.notice;
        let Some(incident) = notice.event.incident else {
            return say_by_bot(&self.http, bot, parcel);
        };
        let takes = self.slack.signing_secret.is_some() && may_be_taken(&notice.event.what);
        let whole = message(notice, takes.then_some(incident));
        let Some(ts) = self.ts(incident) else { return self.begin(bot, incident, parcel, whole) };
        if is_about_the_whole(&notice.event.what) {
            let mut edit = whole.clone();
            edit["ts"] = ts_text(ts).into();
            match call(&self.http, bot, "chat.update", parcel, edit) {
                // Somebody deleted it: it begins anew.
                Err(Trouble::Never { why }) if why.contains("message_not_found") => {
                    return self.begin(bot, incident, parcel, whole);
                }
                done => done?,
            };
        }
        let mut line = json!({
            "text": escaped(&notice.text), "thread_ts": ts_text(ts),
            "mrkdwn": false, "parse": "none", "link_names": false,
        });
        if is_for_all(&notice.event.what) {
            line["reply_broadcast"] = true.into();
        }
        call(&self.http, bot, "chat.postMessage", parcel, line).map(|_| ())
    }

    /// The incident's own message.
    fn begin(&mut self, bot: &SlackBot, incident: IncidentId, parcel: &Parcel, message: Value) -> Result<(), Trouble> {
        let answer = call(&self.http, bot, "chat.postMessage", parcel, message)?;
        if let Some(ts) = answer["ts"].as_str().and_then(ts_micros) {
            self.journal.cursor(&ts_name(incident), ts);
            self.messages.insert(incident, ts);
            if self.messages.len() > REMEMBERED {
                self.messages.pop_first();
            }
        }
        Ok(())
    }

    fn ts(&self, incident: IncidentId) -> Option<i64> {
        let kept = || self.reader.cursor(&ts_name(incident)).ok().flatten();
        self.messages.get(&incident).copied().or_else(kept)
    }
}

impl Deliver for SlackPost {
    fn deliver(&mut self, parcel: &Parcel) -> Result<(), Trouble> {
        let (bot, webhook) = (self.slack.bot.clone(), self.slack.webhook_url.clone());
        match (bot, webhook) {
            (Some(bot), Some(url)) => match self.by_bot(&bot, parcel) {
                Err(Trouble::Never { why }) => {
                    tracing::warn!(why, "Slack refused the bot; the webhook takes its place");
                    say_by_webhook(&self.http, &url, parcel)
                }
                done => done,
            },
            (Some(bot), None) => self.by_bot(&bot, parcel),
            (None, Some(url)) => say_by_webhook(&self.http, &url, parcel),
            (None, None) => Ok(()),
        }
    }
}

/// Says it in the channel through an incoming webhook.
pub(super) fn say_by_webhook(http: &Http, url: &Secret, parcel: &Parcel) -> Result<(), Trouble> {
    let request = Request::post(url.reveal()).header("Idempotency-Key", &parcel.key);
    let body = message(&parcel.notice, None);
    http.send(with_json(request, &body)?, false)?.judge()
}

/// Says it in the channel as the bot, in no thread.
pub(super) fn say_by_bot(http: &Http, bot: &SlackBot, parcel: &Parcel) -> Result<(), Trouble> {
    call(http, bot, "chat.postMessage", parcel, message(&parcel.notice, None)).map(|_| ())
}

/// One method of Slack's API; its answer when that says `ok`.
fn call(http: &Http, bot: &SlackBot, method: &str, parcel: &Parcel, mut body: Value) -> Result<Value, Trouble> {
    body["channel"] = bot.channel.as_str().into();
    let request = Request::post(format!("{}/{method}", bot.api_url))
        .header(header::AUTHORIZATION, format!("Bearer {}", bot.token.reveal()))
        .header("Idempotency-Key", &parcel.key);
    let answer = http.send(with_json(request, &body)?, true)?;
    answer.judge()?;
    judged(method, &answer)
}

/// What Slack's API says in the body of a 200.
fn judged(method: &str, answer: &Answer) -> Result<Value, Trouble> {
    let Ok(said) = serde_json::from_str::<Value>(&answer.body) else {
        return Err(Trouble::later(format!("{method}: the answer is not Slack's")));
    };
    if said["ok"] == true {
        return Ok(said);
    }
    let error = said["error"].as_str().unwrap_or("no reason given");
    let why = format!("{method}: Slack says {error}");
    let passing = PASSING.contains(&error);
    Err(if passing { Trouble::Later { why, after: answer.retry_after } } else { Trouble::Never { why } })
}

fn with_json(request: ureq::http::request::Builder, body: &Value) -> Result<Request<Vec<u8>>, Trouble> {
    let request = request.header(header::CONTENT_TYPE, "application/json; charset=utf-8");
    request.body(body.to_string().into_bytes()).map_err(|_| Trouble::never("the request cannot be made"))
}

/// A text that Slack shows as it stands: no links of its own making, no mentions.
fn plain_mrkdwn(text: &str) -> Value {
    json!({ "type": "mrkdwn", "text": text, "verbatim": true })
}

/// The line, and below it in small letters what it is about. `takes`: with a button that takes this incident.
fn message(notice: &Notice, takes: Option<IncidentId>) -> Value {
    let line = escaped(&notice.text);
    let mut blocks = vec![json!({ "type": "section", "text": plain_mrkdwn(&line) })];
    let subject = notice.subject.as_ref().filter(|subject| !notice.text.contains(subject.as_str()));
    let incident = notice.event.incident.map(|incident| format!("`{incident}`"));
    let below: Vec<String> = subject.map(|subject| escaped(subject)).into_iter().chain(incident).collect();
    if !below.is_empty() {
        let text = cut(&below.join("  "));
        blocks.push(json!({ "type": "context", "elements": [plain_mrkdwn(&text)] }));
    }
    if let Some(incident) = takes {
        let label = json!({ "type": "plain_text", "text": "対応開始 / Take it", "emoji": true });
        let button = json!({ "type": "button", "action_id": TAKE_ACTION, "value": incident, "text": label });
        blocks.push(json!({ "type": "actions", "elements": [button] }));
    }
    json!({ "text": line, "blocks": blocks, "mrkdwn": false, "parse": "none", "link_names": false })
}

/// Does the incident's own message change with it?
fn is_about_the_whole(what: &What) -> bool {
    let over = matches!(what, What::Suppressed { .. } | What::Resolved { .. } | What::Cancelled { .. });
    over || may_be_taken(what) || is_for_all(what)
}

/// Must nobody in the channel miss it?
fn is_for_all(what: &What) -> bool {
    matches!(what, What::Acknowledged { .. } | What::Exhausted)
}

/// Is the incident still to be taken?
fn may_be_taken(what: &What) -> bool {
    matches!(what, What::Accepted { .. } | What::Again { .. } | What::Escalated { .. })
}

/// A text in which nothing means anything to Slack.
fn escaped(text: &str) -> String {
    cut(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(TEXT) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

fn ts_name(incident: IncidentId) -> String {
    format!("slack.ts.{incident}")
}

/// Slack's `ts` is a number of seconds with six decimals, and the message's id.
fn ts_micros(ts: &str) -> Option<i64> {
    let (seconds, micros) = ts.split_once('.').filter(|(_, micros)| micros.len() == 6)?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(seconds) || !digits(micros) {
        return None;
    }
    seconds.parse::<i64>().ok()?.checked_mul(1_000_000)?.checked_add(micros.parse().ok()?)
}

fn ts_text(micros: i64) -> String {
    format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ts_is_kept_as_a_number_and_given_back_as_it_was() {
        for ts in ["1503435956.000247", "1795000000.999999", "0.000001"] {
            assert_eq!(ts_micros(ts).map(ts_text).as_deref(), Some(ts));
        }
        for wrong in ["", "1", "1.5", "1.0000001", "a.000001", "-1.000001", "99999999999999999999.000001", "1.00000a"] {
            assert_eq!(ts_micros(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_name_cannot_mention_anybody() {
        assert_eq!(escaped("<!channel> & <@U1>"), "&lt;!channel&gt; &amp; &lt;@U1&gt;");
        assert_eq!(escaped(&"障".repeat(5_000)).chars().count(), TEXT + 1);
    }

    fn said(body: &str) -> Result<Value, Trouble> {
        let answer = Answer { status: ureq::http::StatusCode::OK, retry_after: None, body: body.to_owned() };
        judged("chat.postMessage", &answer)
    }

    #[test]
    fn a_refusal_in_the_body_is_one_unless_it_passes_by_itself() {
        assert_eq!(said(r#"{"ok":true,"ts":"1.000002"}"#).unwrap()["ts"], "1.000002");
        assert!(matches!(said(r#"{"ok":false,"error":"ratelimited"}"#), Err(Trouble::Later { .. })));
        assert!(matches!(said("<html>maintenance</html>"), Err(Trouble::Later { .. })));
        let refused = said(r#"{"ok":false,"error":"channel_not_found"}"#);
        assert_eq!(refused, Err(Trouble::never("chat.postMessage: Slack says channel_not_found")));
    }
}
