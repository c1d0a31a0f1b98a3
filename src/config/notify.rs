//! `[notify]`: who is told what happened, besides those who are called. Slack, webhooks, e-mail.
//!
//! Easy to get wrong: a web address may hold a secret (Slack's incoming webhook is one), so a wrong one is never
//! shown in a complaint.

use core::time::Duration;
use std::collections::BTreeMap;

use lettre::message::Mailbox;
use ureq::http::Uri;

use super::reader::Section;
use super::topics::{self, Topics};
use super::value::{self, Host};
use super::{Origin, Secret};

const WEBHOOKS: usize = 64;
const RECIPIENTS: usize = 100;
const HEADERS: usize = 32;
const URL: usize = 2_000;
const SLACK_API: &str = "https://slack.com/api";
/// The ports of mail submission: with STARTTLS, and inside TLS from the start.
const SUBMISSION: u16 = 587;
const SUBMISSIONS: u16 = 465;
/// What Slack and e-mail hear unless the file says otherwise: what a person wants to know, a line each. Rounds, and
/// what joins an open incident, are left out: a storm would bury the line that counts.
const TO_PEOPLE: [&str; 12] = [
    "incident.accepted",
    "incident.suppressed",
    "incident.acknowledged",
    "incident.escalated",
    "incident.exhausted",
    "incident.resolved",
    "incident.cancelled",
    "attempt.failed",
    "trunk.failed",
    "voice.failed",
    "voice.incomplete",
    "notify.failed",
];
/// What programs hear: everything that is told at all.
const TO_PROGRAMS: [&str; 1] = ["*"];

/// `[notify]` and the tables below it.
#[derive(Clone, Debug)]
pub struct Notify {
    /// How long one delivery may take, and how a failed one is tried again.
    pub patience: Patience,
    /// PEM: the certificate authorities that are trusted instead of the public ones.
    pub ca: Option<String>,
    /// `[notify.slack]`.
    pub slack: Option<Slack>,
    /// `[[notify.webhook]]`.
    pub webhooks: Vec<Webhook>,
    /// `[notify.email]`.
    pub email: Option<Email>,
}

/// How a delivery is tried.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Patience {
    /// How long one try may take.
    pub timeout: Duration,
    /// The pause after the first failure; it doubles.
    pub retry_first: Duration,
    /// The longest pause.
    pub retry_most: Duration,
    /// What is older than this after a failed try is given up.
    pub give_up: Duration,
}

/// `[notify.slack]`: a bot, an incoming webhook, or both.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Slack {
    /// The incoming webhook's address; with a bot it takes what the bot is refused.
    pub webhook_url: Option<Secret>,
    /// The bot.
    pub bot: Option<SlackBot>,
    /// What checks requests that claim to come from Slack.
    pub signing_secret: Option<Secret>,
    /// What is told.
    pub topics: Topics,
}

/// A Slack app's bot: one message an incident, its details in the thread.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SlackBot {
    /// `xoxb-…`.
    pub token: Secret,
    /// The channel's id.
    pub channel: String,
    /// Without the method and its `/`.
    pub api_url: String,
}

/// `[[notify.webhook]]`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Webhook {
    /// Its name, unique among webhooks.
    pub id: String,
    /// Where events are posted.
    pub url: Secret,
    /// The key of the signature; `None`: none is sent.
    pub secret: Option<Secret>,
    /// Sent with each event.
    pub headers: BTreeMap<String, Secret>,
    /// What is told.
    pub topics: Topics,
}

/// `[notify.email]`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Email {
    /// The mail server.
    pub server: Host,
    /// How the way to it is protected.
    pub tls: Tls,
    /// Name and password, where the server asks for them.
    pub account: Option<(String, Secret)>,
    /// Who writes.
    pub from: Mailbox,
    /// Who reads; at least one.
    pub to: Vec<Mailbox>,
    /// What is told.
    pub topics: Topics,
}

/// How the way to a mail server is protected.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tls {
    /// In the clear first, then TLS or nothing.
    StartTls,
    /// TLS from the first byte.
    Implicit,
    /// None; only to this machine itself.
    Off,
}

pub(super) fn read(root: &mut Section<'_>, origin: &Origin<'_>) -> Notify {
    let mut notify = root.table("notify");
    let patience = patience(&mut notify, Duration::from_secs(24 * 3_600));
    let ca = ca(&mut notify, origin);
    let slack = notify.table("slack");
    let slack = slack.exists().then(|| self::slack(slack, origin)).flatten();
    let mut seen = BTreeMap::new();
    let webhooks = notify.blocks("webhook", WEBHOOKS).into_iter();
    let webhooks = webhooks.filter_map(|block| webhook(block, origin, &mut seen)).collect();
    let email = notify.table("email");
    let email = email.exists().then(|| self::email(email, origin)).flatten();
    notify.finish();
    Notify { patience, ca, slack, webhooks, email }
}

fn patience(notify: &mut Section<'_>, usual: Duration) -> Patience {
    const MS: Duration = Duration::from_millis(1);
    const S: Duration = Duration::from_secs(1);
    let timeout = value::duration(notify, "timeout", MS * 100..=S * 120);
    let retry_first = value::duration(notify, "retry_first", MS * 10..=S * 3_600).unwrap_or(S);
    let retry_most = value::duration(notify, "retry_most", MS * 10..=S * 3_600).unwrap_or((S * 300).max(retry_first));
    if retry_most < retry_first {
        notify.complain("retry_most", "shorter than retry_first", "at least as long as retry_first");
    }
    let give_up = value::duration(notify, "give_up", MS * 10..=S * 3_600 * 24 * 30);
    Patience { timeout: timeout.unwrap_or(S * 10), retry_first, retry_most, give_up: give_up.unwrap_or(usual) }
}

/// The text of `ca_file`, which holds at least one certificate.
fn ca(notify: &mut Section<'_>, origin: &Origin<'_>) -> Option<String> {
    const ACCEPTED: &str = "the path of a PEM file with at least one certificate";
    let file = origin.folder.join(notify.text("ca_file", ACCEPTED, super::daemon::path)?);
    let text = match (origin.read)(&file) {
        Ok(text) => text,
        Err(problem) => {
            notify.complain("ca_file", format!("cannot read {}: {problem}", file.display()), ACCEPTED);
            return None;
        }
    };
    if ureq::tls::Certificate::from_pem(text.as_bytes()).is_err() {
        notify.complain("ca_file", format!("{} holds no certificate", file.display()), ACCEPTED);
        return None;
    }
    Some(text)
}

fn slack(mut slack: Section<'_>, origin: &Origin<'_>) -> Option<Slack> {
    let webhook_url = secret(&mut slack, origin, "webhook_url", "webhook_url_file", URL_ACCEPTED, protected_url);
    let token = secret(&mut slack, origin, "bot_token", "bot_token_file", TOKEN_ACCEPTED, token);
    let channel = slack.text("channel", "a channel's id, such as \"C0123456789\"", value::name);
    let api_url = slack.text("api_url", URL_ACCEPTED, protected_url);
    let signing_secret =
        secret(&mut slack, origin, "signing_secret", "signing_secret_file", TOKEN_ACCEPTED, token_text);
    let topics = topics::read(&mut slack, "events", &TO_PEOPLE);
    let has_bot = slack.has("bot_token") || slack.has("bot_token_file");
    if has_bot && !slack.has("channel") {
        slack.complain("channel", "missing", "the id of the channel the bot writes into");
    }
    if !has_bot && !slack.has("webhook_url") && !slack.has("webhook_url_file") {
        slack.complain("webhook_url", "missing", "webhook_url or webhook_url_file, or a bot_token with a channel");
    }
    if !has_bot && slack.has("channel") {
        slack.complain("channel", "there is no bot_token", "a channel with a bot_token only: a webhook has its own");
    }
    slack.finish();
    let api_url = api_url.map_or_else(|| SLACK_API.to_owned(), |url| url.trim_end_matches('/').to_owned());
    let bot = token.zip(channel).map(|(token, channel)| SlackBot { token, channel, api_url });
    (bot.is_some() || webhook_url.is_some()).then_some(Slack { webhook_url, bot, signing_secret, topics })
}

fn webhook(mut block: Section<'_>, origin: &Origin<'_>, seen: &mut BTreeMap<String, Option<usize>>) -> Option<Webhook> {
    let id = super::people::id(&mut block, seen, id);
    if !block.has("url") {
        block.complain("url", "missing", URL_ACCEPTED);
    }
    let url = block.read_secret("url", URL_ACCEPTED, url);
    let secret = secret(&mut block, origin, "secret", "secret_file", TOKEN_ACCEPTED, token_text);
    let headers = headers(&mut block);
    let topics = topics::read(&mut block, "events", &TO_PROGRAMS);
    block.finish();
    Some(Webhook { id: id?, url: Secret::new(url?), secret, headers, topics })
}

fn email(mut email: Section<'_>, origin: &Origin<'_>) -> Option<Email> {
    const ADDRESS: &str = "an address: \"oncall@example.com\" or \"On call <oncall@example.com>\"";
    let accepted = "\"starttls\", \"implicit\", or \"off\" (to this machine itself only)";
    let tls = email.text("tls", accepted, |text| match text {
        "starttls" => Some(Tls::StartTls),
        "implicit" => Some(Tls::Implicit),
        "off" => Some(Tls::Off),
        _ => None,
    });
    let tls = tls.unwrap_or(Tls::StartTls);
    let port = value::number(&mut email, "port", 1..=65_535).and_then(|port| u16::try_from(port).ok());
    let port = port.unwrap_or(if tls == Tls::Implicit { SUBMISSIONS } else { SUBMISSION });
    let name = email.need("server", "the mail server's host name or address, without a port", value::domain);
    if tls == Tls::Off && name.as_deref().is_some_and(|name| !is_loopback(name)) {
        email.complain("tls", "the server is another machine", "\"starttls\" or \"implicit\"");
    }
    let username = email.text("username", value::NAME_ACCEPTED, value::name);
    let password = secret(&mut email, origin, "password", "password_file", TOKEN_ACCEPTED, token_text);
    if email.has("username") != (email.has("password") || email.has("password_file")) {
        let (missing, there) =
            if email.has("username") { ("password", "a username") } else { ("username", "a password") };
        email.complain(missing, format!("missing, though there is {there}"), "username and password, or neither");
    }
    let from = email.need("from", ADDRESS, |text| text.parse::<Mailbox>().ok());
    if !email.has("to") {
        email.complain("to", "missing", format!("a list of at least one: {ADDRESS}"));
    }
    let to = email.list("to", RECIPIENTS, ADDRESS, |text| text.parse::<Mailbox>().ok());
    if email.empty_list("to") {
        email.complain("to", "found an empty list", format!("at least one: {ADDRESS}"));
    }
    let topics = topics::read(&mut email, "events", &TO_PEOPLE);
    email.finish();
    let to: Vec<Mailbox> = to.into_iter().flatten().map(|found| found.value).collect();
    if to.is_empty() {
        return None;
    }
    let server = Host { name: name?, port, written: true };
    Some(Email { server, tls, account: username.zip(password), from: from?, to, topics })
}

/// A secret that stands in the file itself or in one of its own.
pub(super) fn secret(
    block: &mut Section<'_>,
    origin: &Origin<'_>,
    key: &'static str,
    file_key: &'static str,
    accepted: &str,
    parse: impl Fn(&str) -> Option<String>,
) -> Option<Secret> {
    let written = block.read_secret(key, accepted, &parse);
    let file = block.text(file_key, "the path of a file", super::daemon::path);
    if block.has(key) && block.has(file_key) {
        block.complain(file_key, format!("there is {key} as well"), format!("one of {key} and {file_key}"));
    }
    let Some(file) = file else { return written.map(Secret::new) };
    let file = origin.folder.join(file);
    let read = match (origin.read)(&file) {
        Ok(text) => parse(text.trim_end_matches(['\r', '\n'])),
        Err(problem) => {
            block.complain(file_key, format!("cannot read {}: {problem}", file.display()), "a readable file");
            return None;
        }
    };
    if read.is_none() {
        block.complain(file_key, format!("what {} holds is not fit (not shown)", file.display()), accepted);
    }
    read.map(Secret::new)
}

/// `headers`: more of them for each request; what they hold may be secret.
pub(super) fn headers(block: &mut Section<'_>) -> BTreeMap<String, Secret> {
    const ACCEPTED: &str = "a header's name with one line of text: { X-Api-Key = \"…\" }";
    let mut headers = BTreeMap::new();
    let table = block.table("headers");
    let taken = ["host", "content-length", "transfer-encoding", "connection", "idempotency-key"];
    for (name, line, text) in table.texts() {
        let fits = ureq::http::HeaderName::from_bytes(name.as_bytes()).is_ok()
            && !taken.contains(&name.to_ascii_lowercase().as_str());
        match text.and_then(value::secret).filter(|_| fits && headers.len() < HEADERS) {
            Some(text) => {
                headers.insert(name.to_owned(), Secret::new(text));
            }
            None => {
                let key = format!("{}.{name}", block.path("headers"));
                block.report().complain(line, key, "this is no header hansho can send (not shown)", ACCEPTED);
            }
        }
    }
    headers
}

pub(super) const URL_ACCEPTED: &str = "a web address that begins with https:// (http:// on this machine only)";
pub(super) const TOKEN_ACCEPTED: &str = "one line of 1 to 256 letters, digits and signs";

/// A web address: http or https, without a name and password in it.
pub(super) fn url(text: &str) -> Option<String> {
    let uri: Uri = text.parse().ok().filter(|_| text.len() <= URL)?;
    let scheme = uri.scheme_str().is_some_and(|scheme| matches!(scheme, "http" | "https"));
    let authority = uri.authority().is_some_and(|authority| !authority.as_str().contains('@'));
    (scheme && authority && !text.contains('#')).then(|| text.to_owned())
}

/// The same where the address or what goes there is a secret: https, or this machine.
pub(super) fn protected_url(text: &str) -> Option<String> {
    let found = url(text)?;
    let uri: Uri = found.parse().ok()?;
    (uri.scheme_str() == Some("https") || uri.host().is_some_and(is_loopback)).then_some(found)
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_matches(['[', ']']);
    bare == "localhost" || bare.parse::<core::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// A token as it stands in a header.
fn token(text: &str) -> Option<String> {
    token_text(text).filter(|text| text.bytes().all(|byte| byte.is_ascii_graphic()))
}

pub(super) fn token_text(text: &str) -> Option<String> {
    value::secret(text).filter(|text| !text.is_empty())
}

fn id(text: &str) -> Option<String> {
    crate::base::ContactId::parse(text).ok().map(|id| id.to_string())
}

#[cfg(test)]
pub(in crate::config) mod tests;
