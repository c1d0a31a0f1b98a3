//! What `[notify]` takes and refuses.

use std::path::Path;

use super::*;
use crate::config::Settings;

/// A certificate authority nobody trusts.
pub(in crate::config) const CERTIFICATE: &str = "\
-----BEGIN CERTIFICATE-----
MIIBiTCCAS+gAwIBAgIULCzS/kPpeR2JZ+K0t+O3e+YonlUwCgYIKoZIzj0EAwIw
GTEXMBUGA1UEAwwOaGFuc2hvIHRlc3QgQ0EwIBcNMjYxMTIxMTIyODQzWhgPMjEy
NjEwMjgxMjI4NDNaMBkxFzAVBgNVBAMMDmhhbnNobyB0ZXN0IENBMFkwEwYHKoZI
zj0CAQYIKoZIzj0DAQcDQgAEWR5Ky4iviOM1DDbvWiC9hx4K+crGi+d6lWG7obVq
7HG6lRfNbgHhmCgJakuyE2GuElg81pEPnfa1rYbsys0CeaNTMFEwHQYDVR0OBBYE
FD0ddYXXz5qeMYlKj9dZnPtdWFXpMB8GA1UdIwQYMBaAFD0ddYXXz5qeMYlKj9dZ
nPtdWFXpMA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIhAKXv3yuH
tLAAF41OTri80mo4iRcMon0IvoHx8xrKpDv5AiAZY8eqMgs2uafShdg2/90EEKwn
L6HaY7+R3lGicZZ4og==
-----END CERTIFICATE-----
";

/// A file that is complete without any notifier.
pub(in crate::config) const SMALLEST: &str = r#"
[[trunk]]
id = "main"
proxy = "192.0.2.1"
[[contact]]
id = "a"
phones = ["+81312345678"]
[[roster]]
id = "r"
contacts = ["a"]
[[call_flow]]
id = "f"
roster = "r"
"#;

fn settings(more: &str) -> Result<Settings, Vec<String>> {
    let file = |path: &Path| match path.file_name().and_then(|name| name.to_str()) {
        Some("ca.pem") => Ok(CERTIFICATE.to_owned()),
        Some("secret") => Ok("tiger\n".to_owned()),
        Some("no-secret") => Ok("two\nlines\n".to_owned()),
        _ => Err("No such file".to_owned()),
    };
    let origin = Origin { folder: Path::new("/home/hansho"), read: &file, opens: &|_| Ok(()) };
    let read = Settings::read(&format!("{SMALLEST}{more}"), &origin);
    read.map_err(|complaints| complaints.iter().map(ToString::to_string).collect())
}

#[test]
fn without_a_table_nobody_is_told() {
    let notify = settings("").unwrap().notify;
    assert!(notify.slack.is_none() && notify.webhooks.is_empty() && notify.email.is_none());
    assert_eq!(notify.patience.give_up, Duration::from_secs(86_400));
}

#[test]
fn slack_is_told_by_a_webhook_or_by_a_bot() {
    let by_webhook = settings("[notify.slack]\nwebhook_url = \"https://hooks.slack.com/services/T/B/X\"\n").unwrap();
    let slack = by_webhook.notify.slack.unwrap();
    assert!(slack.bot.is_none() && slack.webhook_url.is_some());
    assert!(slack.topics.want("incident.acknowledged", false) && !slack.topics.want("attempt.ringing", false));
    let bot =
        settings("[notify.slack]\nbot_token_file = \"secret\"\nchannel = \"C1\"\n").unwrap().notify.slack.unwrap();
    let bot = bot.bot.unwrap();
    assert_eq!((bot.token.reveal(), bot.api_url.as_str()), ("tiger", "https://slack.com/api"));
}

#[test]
fn each_way_to_protect_mail_has_its_port() {
    let email = |more: &str| {
        let text = format!(
            "[notify.email]\nserver = \"127.0.0.1\"\nfrom = \"a@example.com\"\nto = [\"b@example.com\"]\n{more}"
        );
        settings(&text).unwrap().notify.email.unwrap()
    };
    assert_eq!((email("").server.port, email("").tls), (587, Tls::StartTls));
    assert_eq!(email("tls = \"implicit\"\n").server.port, 465);
    assert_eq!(email("tls = \"off\"\nport = 25\n").server.port, 25);
}

/// Each of these is one mistake: one complaint that names the key, and never shows what may be a secret.
#[test]
fn one_mistake_gives_one_complaint_that_keeps_secrets() {
    let hook = "[[notify.webhook]]\nid = \"a\"\nurl = \"http://192.0.2.1/x\"\n";
    let mail = "[notify.email]\nserver = \"mail.example.com\"\nfrom = \"a@example.com\"\n";
    for (more, key) in [
        ("[notify]\ntimeout = \"1h\"\n".to_owned(), "notify.timeout"),
        ("[notify]\nretry_first = \"2m\"\nretry_most = \"1m\"\n".to_owned(), "notify.retry_most"),
        ("[notify]\nca_file = \"absent.pem\"\n".to_owned(), "notify.ca_file"),
        ("[notify]\nca_file = \"secret\"\n".to_owned(), "notify.ca_file"),
        ("[notify]\nslak = 1\n".to_owned(), "notify.slak"),
        ("[notify.slack]\n".to_owned(), "notify.slack.webhook_url"),
        ("[notify.slack]\nwebhook_url = \"http://hooks.slack.com/tiger\"\n".to_owned(), "notify.slack.webhook_url"),
        ("[notify.slack]\nwebhook_url = \"tiger\"\n".to_owned(), "notify.slack.webhook_url"),
        ("[notify.slack]\nbot_token = \"tiger\"\n".to_owned(), "notify.slack.channel"),
        ("[notify.slack]\nbot_token = \"ti ger\"\nchannel = \"C1\"\n".to_owned(), "notify.slack.bot_token"),
        (
            "[notify.slack]\nbot_token = \"tiger\"\nbot_token_file = \"secret\"\nchannel = \"C1\"\n".to_owned(),
            "notify.slack.bot_token_file",
        ),
        ("[notify.slack]\nwebhook_url = \"https://h/tiger\"\nchannel = \"C1\"\n".to_owned(), "notify.slack.channel"),
        (
            "[notify.slack]\nwebhook_url = \"https://h/tiger\"\nevents = [\"incident.tiger\"]\n".to_owned(),
            "notify.slack.events[1]",
        ),
        ("[[notify.webhook]]\nurl = \"https://h/tiger\"\n".to_owned(), "notify.webhook[1].id"),
        ("[[notify.webhook]]\nid = \"a\"\n".to_owned(), "notify.webhook[1].url"),
        ("[[notify.webhook]]\nid = \"a\"\nurl = \"ftp://h/tiger\"\n".to_owned(), "notify.webhook[1].url"),
        ("[[notify.webhook]]\nid = \"a\"\nurl = \"https://me:tiger@h/x\"\n".to_owned(), "notify.webhook[1].url"),
        (format!("{hook}{hook}"), "notify.webhook[2].id"),
        (format!("{hook}secret_file = \"no-secret\"\n"), "notify.webhook[1].secret_file"),
        (format!("{hook}secret_file = \"absent\"\n"), "notify.webhook[1].secret_file"),
        (format!("{hook}headers = {{ \"X Y\" = \"tiger\" }}\n"), "notify.webhook[1].headers.X Y"),
        (format!("{hook}headers = {{ Host = \"tiger\" }}\n"), "notify.webhook[1].headers.Host"),
        (format!("{hook}headers = {{ X-A = \"tiger\\n\" }}\n"), "notify.webhook[1].headers.X-A"),
        (format!("{hook}headers = {{ X-A = 7 }}\n"), "notify.webhook[1].headers.X-A"),
        (mail.to_owned(), "notify.email.to"),
        (format!("{mail}to = []\n"), "notify.email.to"),
        (format!("{mail}to = [\"nobody\"]\n"), "notify.email.to[1]"),
        (format!("{mail}to = [\"b@example.com\"]\ntls = \"off\"\n"), "notify.email.tls"),
        (format!("{mail}to = [\"b@example.com\"]\ntls = \"ssl\"\n"), "notify.email.tls"),
        (format!("{mail}to = [\"b@example.com\"]\nusername = \"a\"\n"), "notify.email.password"),
        (format!("{mail}to = [\"b@example.com\"]\npassword = \"tiger\"\n"), "notify.email.username"),
    ] {
        let complaints = settings(&more).map(|_| "no complaint").expect_err(&more);
        let shows_it =
            complaints.iter().any(|complaint| complaint.contains("tiger") && !more.contains("incident.tiger"));
        assert!(!shows_it, "{more}: {complaints:?}");
        assert_eq!(complaints.len(), 1, "{more}: {complaints:?}");
        assert!(complaints[0].starts_with(&format!("{key}: ")), "{more}: {complaints:?}");
    }
}

#[test]
fn a_header_of_a_webhook_is_kept_and_never_shown() {
    let hook = "[[notify.webhook]]\nid = \"a\"\nurl = \"https://h/tiger\"\nsecret = \"tiger\"\nheaders = { X-Key = \"tiger\" }\n";
    let settings = settings(hook).unwrap();
    assert_eq!(settings.notify.webhooks[0].headers["X-Key"].reveal(), "tiger");
    assert!(!format!("{:?}", settings.notify).contains("tiger"));
}
