//! One message over every way there is, marked as a test, to see beforehand that it arrives.
//!
//! It goes the way a real one goes, made by the same code, but is tried once and leaves nothing in the journal. Easy to get
//! wrong: a second way of the same receiver hides that the first is refused, so each is tried by itself; and a receiver
//! that knows messages again by their key must be given a new one each time.

use std::time::Duration;

use tokio::sync::{mpsc, watch};

use super::crew::{Errand, specs};
use super::email::EmailPost;
use super::gateway::{GatewayThread, Letter};
use super::health::Health;
use super::http::Http;
use super::parcel::{Deliver, Parcel, Trouble};
use super::pick::key_part;
use super::slack;
use super::webhook::WebhookPost;
use crate::base::{Phone, Stamp};
use crate::config::{Patience, Settings};
use crate::incident::Record;
use crate::shell::clock::Clock;
use crate::switch::{Event, Notice, What};

/// How one way did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Trial {
    /// `slack bot`, `slack webhook`, `webhook ID`, `email` or `gateway`.
    pub way: String,
    /// Why it did not take it, in words without secrets.
    pub result: Result<(), String>,
    /// How long that took.
    pub took: Duration,
}

/// Tells everybody who is told. Blocks until each has answered, or has had its time.
pub fn everyone(settings: &Settings, sms: Option<&Phone>) -> Vec<Trial> {
    let clock = Clock::start();
    let parcel = parcel(settings, clock.calendar());
    let mut trials = Vec::new();
    let mut note = |way: String, tell: &mut dyn FnMut() -> Result<(), Trouble>| {
        let began = clock.now();
        let result = tell().map_err(|trouble| match trouble {
            Trouble::Later { why, .. } | Trouble::Never { why } => why,
        });
        trials.push(Trial { way, result, took: clock.now().since(began) });
    };
    let node = &settings.node.name;
    for spec in specs(settings) {
        let (patience, ca) = (&spec.patience, spec.ca.as_deref());
        match &spec.errand {
            Errand::Slack(known) => {
                let http = Http::new(patience, ca);
                if let Some(bot) = &known.bot {
                    note("slack bot".to_owned(), &mut || slack::say_by_bot(&http, bot, &parcel));
                }
                if let Some(url) = &known.webhook_url {
                    note("slack webhook".to_owned(), &mut || slack::say_by_webhook(&http, url, &parcel));
                }
            }
            Errand::Webhook(hook) => {
                let mut post = WebhookPost::new(hook.clone(), node.clone(), patience, ca, clock);
                note(format!("webhook {}", hook.id), &mut || post.deliver(&parcel));
            }
            Errand::Email(email) => {
                let post = EmailPost::new(email.clone(), node.clone(), patience, ca);
                let mut post = post.map_err(Trouble::never);
                note("email".to_owned(), &mut || post.as_mut().map_err(|why| why.clone())?.deliver(&parcel));
            }
            // It has no receiver of its own: the gateway is tried with the number that was given.
            Errand::Sms(_) => {}
        }
    }
    if let Some((gateway, to)) = settings.sms.gateway.as_ref().zip(sms) {
        let patience = settings.notify.patience;
        let gateway = GatewayThread {
            http: Http::new(&patience, settings.notify.ca.as_deref()),
            gateway: gateway.clone(),
            patience: Patience { give_up: settings.sms.give_up, ..patience },
            node: key_part(node),
            clock,
            health: watch::channel(Health::default()).0,
            core: mpsc::channel(1).0,
        };
        // A number that no message of the journal has, and no other trial.
        let number = u32::try_from(parcel.at.as_unix_micros() / 1_000_000).unwrap_or(u32::MAX);
        let letter = Letter { number, to: to.clone(), text: parcel.notice.text.clone() };
        note("gateway".to_owned(), &mut || gateway.send(&letter));
    }
    trials
}

fn parcel(settings: &Settings, at: Stamp) -> Parcel {
    let what = What::NotifyTest { from: settings.node.name.clone() };
    let event = Event { at, incident: None, attempt: None, call_id: None, contact: None, name: None, what };
    let notice = Notice::of_event(event, &Record::new(), settings.node.language);
    Parcel { key: format!("{}-t{}", key_part(&settings.node.name), at.as_unix_micros()), at, notice }
}
