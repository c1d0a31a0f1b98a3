//! Can those be reached who are told? A connection is made, and nothing is said over it.

use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;

use super::Finding;
use crate::config::Settings;

/// How long a connection may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Connects to each of them.
pub(super) async fn check(settings: &Settings) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (check, place) in places(settings) {
        findings.push(match place {
            Some((host, port)) => one(check, &host, port).await,
            None => Finding::warning(check, "its address holds a template", "it cannot be tried beforehand"),
        });
    }
    findings
}

/// Who is told, and where they listen.
fn places(settings: &Settings) -> Vec<(String, Option<(String, u16)>)> {
    let notify = &settings.notify;
    let slack = notify.slack.iter().flat_map(|slack| {
        let hook = slack.webhook_url.iter().map(|url| url.reveal().to_owned());
        hook.chain(slack.bot.iter().map(|bot| bot.api_url.clone()))
    });
    let slack = slack.map(|url| ("slack".to_owned(), place(&url)));
    let webhooks = notify.webhooks.iter().map(|hook| (format!("webhook {}", hook.id), place(hook.url.reveal())));
    let email = notify.email.iter().map(|email| {
        let server = &email.server;
        ("email".to_owned(), Some((server.name.clone(), server.port)))
    });
    let gateway = settings.sms.gateway.iter().map(|gateway| ("sms".to_owned(), place(gateway.url.reveal())));
    slack.chain(webhooks).chain(email).chain(gateway).collect()
}

/// Host and port of a URL.
fn place(url: &str) -> Option<(String, u16)> {
    let (scheme, rest) = url.split_once("://")?;
    let usual = if scheme == "https" { 443 } else { 80 };
    let authority = rest.split(['/', '?', '#']).next()?;
    let authority = authority.rsplit('@').next()?;
    if authority.is_empty() || authority.contains('{') {
        return None;
    }
    match authority.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && !port.ends_with(']') => Some((bare(host), port.parse().ok()?)),
        _ => Some((bare(authority), usual)),
    }
}

fn bare(host: &str) -> String {
    host.trim_matches(['[', ']']).to_owned()
}

async fn one(check: String, host: &str, port: u16) -> Finding {
    // The path is left out: it may hold a secret.
    let shown = format!("{host}:{port}");
    match timeout(PATIENCE, TcpStream::connect((host, port))).await {
        Ok(Ok(_)) => Finding::ok(check, format!("{shown} takes connections; nothing was sent")),
        Ok(Err(error)) => {
            Finding::failed(check, format!("{shown}: {error}"), "check the address, DNS and the firewall")
        }
        Err(_) => Finding::failed(check, format!("{shown}: no connection in time"), "check the firewall and the proxy"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_out_of_an_address_and_its_secret_path_is_not() {
        let of = |url| place(url).map(|(host, port)| format!("{host} {port}"));
        assert_eq!(of("https://hooks.slack.com/services/T0/B0/secret").as_deref(), Some("hooks.slack.com 443"));
        assert_eq!(of("http://user:pw@127.0.0.1:8080?x=1").as_deref(), Some("127.0.0.1 8080"));
        assert_eq!(of("http://[::1]:9/").as_deref(), Some("::1 9"));
        assert_eq!(of("http://[::1]/").as_deref(), Some("::1 80"));
        assert_eq!((of("https://{{host}}/x"), of("nowhere")), (None, None));
    }
}
