//! `[sms] via = "http"`: short messages through somebody's gateway.
//!
//! The corridor keeps the queue and hands a message over when its fact is on disk; this thread tries it until the
//! gateway takes it, refuses it, or it is too old, and says so once. After a restart the corridor hands over again
//! what it had not heard of, so a message carries a key by which a gateway can know it again.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::sync::{mpsc, watch};
use ureq::http::Request;

use super::backoff;
use super::health::Health;
use super::http::{Answer, Http};
use super::parcel::Trouble;
use crate::base::Phone;
use crate::config::{Gateway, Patience, Place, Preset, body_place, filled};
use crate::shell::clock::Clock;
use crate::shell::events::rfc3339;
use crate::switch::Input;

/// Refusals of Vonage's that pass by themselves: too fast, its own fault, too many connections.
const PASSING: [&str; 3] = ["1", "5", "10"];

/// A short message on its way.
#[derive(Clone, Debug)]
pub struct Letter {
    /// Its number in the journal.
    pub number: u32,
    /// To whom.
    pub to: Phone,
    /// What it says.
    pub text: String,
}

/// The way to the gateway's thread, which ends with it.
pub type GatewayHandle = Sender<Letter>;

/// Everything the thread has.
pub(super) struct GatewayThread {
    pub(super) http: Http,
    pub(super) gateway: Gateway,
    pub(super) patience: Patience,
    /// Begins every key.
    pub(super) node: String,
    pub(super) clock: Clock,
    pub(super) health: watch::Sender<Health>,
    /// Who hears what became of a message.
    pub(super) core: mpsc::Sender<Input>,
}

/// Nobody hands messages over any more: the daemon ends, or this gateway is one no more.
struct Ends;

impl GatewayThread {
    pub(super) fn start(self) -> std::io::Result<GatewayHandle> {
        let (letters, waiting) = channel();
        thread::Builder::new().name("tell sms".into()).spawn(move || self.run(&waiting))?;
        Ok(letters)
    }

    fn run(self, letters: &Receiver<Letter>) {
        let mut queue: VecDeque<(Instant, Letter)> = VecDeque::new();
        loop {
            if queue.is_empty() {
                let Ok(letter) = letters.recv() else { return };
                queue.push_back((Instant::now(), letter));
            }
            let Some((since, letter)) = queue.pop_front() else { continue };
            let Ok(result) = self.deliver(&letter, since, letters, &mut queue) else {
                queue.push_front((since, letter));
                return self.give_back(&queue);
            };
            self.note(result.as_ref().err());
            // The core is gone only when the daemon ends; it will hand the message over again.
            let _ = self.core.blocking_send(Input::MessageDone { message: letter.number, result });
        }
    }

    /// What was not sent leaves by another way, in its order.
    fn give_back(&self, queue: &VecDeque<(Instant, Letter)>) {
        for (_, letter) in queue {
            // The core is gone only when the daemon ends; it will hand the message over again.
            let _ = self.core.blocking_send(Input::MessageBack { message: letter.number });
        }
    }

    /// Tries until there is an end of it, one way or the other.
    fn deliver(
        &self,
        letter: &Letter,
        since: Instant,
        letters: &Receiver<Letter>,
        queue: &mut VecDeque<(Instant, Letter)>,
    ) -> Result<Result<(), String>, Ends> {
        let mut tries = 0;
        loop {
            // Whatever came meanwhile; above all, that this gateway is one no more.
            wait(Duration::ZERO, letters, queue)?;
            let (why, after) = match self.send(letter) {
                Ok(()) => return Ok(Ok(())),
                Err(Trouble::Never { why }) => return Ok(Err(why)),
                Err(Trouble::Later { why, after }) => (why, after),
            };
            tries += 1;
            let left = self.patience.give_up.saturating_sub(since.elapsed());
            if left.is_zero() {
                return Ok(Err(format!("given up after {} s: {why}", self.patience.give_up.as_secs())));
            }
            tracing::warn!(message = letter.number, why, tries, "a short message was not taken; hansho tries again");
            let now = rfc3339(self.clock.calendar());
            self.health.send_modify(|health| {
                health.retried += 1;
                health.away_since.get_or_insert(now);
                health.trouble = Some(why);
            });
            let pause = backoff::asked(backoff::pause(&self.patience, tries, rand::random()), after).min(left);
            wait(pause, letters, queue)?;
        }
    }

    /// Tries once.
    pub(super) fn send(&self, letter: &Letter) -> Result<(), Trouble> {
        let answer = self.http.send(self.request(letter)?, true)?;
        answer.judge()?;
        if self.gateway.preset == Some(Preset::Vonage) { vonage(&answer) } else { Ok(()) }
    }

    fn request(&self, letter: &Letter) -> Result<Request<Vec<u8>>, Trouble> {
        let Gateway { method, url, headers, body, from, account, token, .. } = &self.gateway;
        let key = format!("{}-m{}", self.node, letter.number);
        let value = |name: &str| match name {
            "to" => letter.to.as_str().to_owned(),
            "to_digits" => letter.to.as_str().trim_start_matches('+').to_owned(),
            "text" => letter.text.clone(),
            "from" => from.clone(),
            "id" => key.clone(),
            "account" => account.clone(),
            "token" => token.reveal().to_owned(),
            _ => String::new(),
        };
        let mut request = Request::builder()
            .method(method.as_str())
            .uri(filled(url.reveal(), Place::Form, value))
            .header("Idempotency-Key", &key);
        let typed = headers.keys().any(|name| name.eq_ignore_ascii_case("content-type"));
        for (name, text) in headers {
            request = request.header(name, filled(text.reveal(), Place::Line, value));
        }
        let place = body_place(body.reveal(), headers);
        if !typed && !body.reveal().is_empty() {
            let kind = if place == Place::Json { "application/json" } else { "application/x-www-form-urlencoded" };
            request = request.header("Content-Type", kind);
        }
        let body = filled(body.reveal(), place, value).into_bytes();
        request.body(body).map_err(|_| Trouble::never("the request cannot be made"))
    }

    fn note(&self, failure: Option<&String>) {
        self.health.send_modify(|health| match failure {
            None => {
                health.delivered += 1;
                health.away_since = None;
                health.trouble = None;
            }
            Some(why) => {
                health.failed += 1;
                health.trouble = Some(why.clone());
            }
        });
    }
}

/// Vonage answers 200 whatever it thinks of the message; each part of it has a status.
fn vonage(answer: &Answer) -> Result<(), Trouble> {
    let Ok(said) = serde_json::from_str::<Value>(&answer.body) else {
        return Err(Trouble::later("the answer is not Vonage's"));
    };
    let Some(parts) = said["messages"].as_array().filter(|parts| !parts.is_empty()) else {
        return Err(Trouble::later("the answer speaks of no message"));
    };
    let Some(refused) = parts.iter().find(|part| part["status"] != "0") else { return Ok(()) };
    let status = refused["status"].as_str().unwrap_or("?");
    let words: String = refused["error-text"].as_str().unwrap_or_default().chars().take(200).collect();
    let why = format!("Vonage says {status} {words}");
    Err(if PASSING.contains(&status) { Trouble::later(why) } else { Trouble::never(why) })
}

/// Waits for so long, taking in what is to be sent next.
fn wait(pause: Duration, letters: &Receiver<Letter>, queue: &mut VecDeque<(Instant, Letter)>) -> Result<(), Ends> {
    let until = Instant::now() + pause;
    loop {
        match letters.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(letter) => queue.push_back((Instant::now(), letter)),
            Err(RecvTimeoutError::Timeout) => return Ok(()),
            Err(RecvTimeoutError::Disconnected) => return Err(Ends),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(body: &str) -> Result<(), Trouble> {
        vonage(&Answer { status: ureq::http::StatusCode::OK, retry_after: None, body: body.to_owned() })
    }

    #[test]
    fn vonage_refuses_in_the_body_of_a_200() {
        assert_eq!(said(r#"{"message-count":"2","messages":[{"status":"0"},{"status":"0"}]}"#), Ok(()));
        let throttled = said(r#"{"messages":[{"status":"0"},{"status":"1","error-text":"Throttled"}]}"#);
        assert_eq!(throttled, Err(Trouble::later("Vonage says 1 Throttled")));
        let refused = said(r#"{"messages":[{"status":"4","error-text":"Bad Credentials"}]}"#);
        assert_eq!(refused, Err(Trouble::never("Vonage says 4 Bad Credentials")));
        assert!(matches!(said("<html>"), Err(Trouble::Later { .. })));
        assert!(matches!(said("{}"), Err(Trouble::Later { .. })));
    }
}
