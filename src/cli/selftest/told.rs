//! `--notify`: everybody who is told of a night is told once that this is a test, and what each answered is shown.

use super::Finding;
use crate::base::Phone;
use crate::config::Settings;
use crate::shell::notify::{Trial, everyone};

/// Tells everybody; short messages go to `sms` and to nobody else.
pub(super) fn check(settings: &Settings, sms: Option<&Phone>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = everyone(settings, sms).into_iter().map(finding).collect();
    match (settings.sms.gateway.is_some(), sms) {
        (true, None) => findings.push(Finding::warning(
            "gateway",
            "no short message was sent: no number was given",
            "name one that may get it: --sms +81…",
        )),
        (false, Some(_)) => findings.push(Finding::warning(
            "sms",
            "no short message was sent: they leave over the trunks, and only a daemon has those",
            "configure a gateway ([sms] via = \"http\"), or raise an incident whose people have an `sms`",
        )),
        (true, Some(_)) | (false, None) => {}
    }
    if findings.is_empty() {
        let remedy =
            "configure [notify.slack], [[notify.webhook]], [notify.email] or an [sms] gateway, if somebody is to be";
        findings.push(Finding::warning("notify", "nobody is told anything", remedy));
    }
    findings
}

fn finding(Trial { way, result, took }: Trial) -> Finding {
    let took = took.as_secs_f64();
    match result {
        Ok(()) => Finding::ok(way, format!("took the test message in {took:.1} s: see that it has arrived")),
        Err(why) => {
            let remedy = match way.split(' ').next() {
                Some("slack") => "check the token or the webhook's address, and that the app is in the channel",
                Some("email") => {
                    "check the server, its port and TLS, the account, and whether it relays for these addresses"
                }
                Some("gateway") => "check the account, the token and the number at the gateway",
                _ => "check the url, what the receiver logs, DNS and the firewall",
            };
            Finding::failed(way, format!("did not take the test message: {why}"), remedy)
        }
    }
}
