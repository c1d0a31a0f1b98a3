//! What `[sms]` takes and refuses, and what a template becomes.

use std::path::Path;

use super::*;
use crate::config::Settings;
use crate::config::notify::tests::SMALLEST;

fn settings(more: &str) -> Result<Settings, Vec<String>> {
    let file = |_: &Path| Ok("tiger\n".to_owned());
    let origin = Origin { folder: Path::new("/home/hansho"), read: &file, opens: &|_| Ok(()) };
    let read = Settings::read(&format!("{SMALLEST}[sms]\n{more}"), &origin);
    read.map_err(|complaints| complaints.iter().map(ToString::to_string).collect())
}

const TWILIO: &str = "via = \"http\"\npreset = \"twilio\"\naccount = \"AC1\"\nfrom = \"+15005550006\"\n";

fn gateway(more: &str) -> Gateway {
    settings(more).unwrap().sms.gateway.unwrap()
}

#[test]
fn short_messages_go_over_the_trunks_unless_a_gateway_is_asked_for() {
    assert!(settings("").unwrap().sms.gateway.is_none());
    assert!(settings("via = \"sip\"\n").unwrap().sms.gateway.is_none());
    assert!(settings("").unwrap().sms.topics.is_empty());
}

#[test]
fn twilio_s_request_is_known() {
    let gateway = gateway(&format!("{TWILIO}token = \"tiger\"\n"));
    assert_eq!(gateway.url.reveal(), "https://api.twilio.com/2010-04-01/Accounts/{{account}}/Messages.json");
    assert_eq!(gateway.headers["Authorization"].reveal(), "Basic QUMxOnRpZ2Vy");
    assert_eq!(body_place(gateway.body.reveal(), &gateway.headers), Place::Form);
    assert!(!format!("{gateway:?}").contains("tiger") && !format!("{gateway:?}").contains("QUMx"));
}

#[test]
fn what_the_file_says_itself_wins_over_a_preset() {
    let gateway = gateway(&format!("{TWILIO}token_file = \"x\"\nurl = \"https://sms.example.com/send\"\n"));
    assert_eq!((gateway.url.reveal(), gateway.token.reveal()), ("https://sms.example.com/send", "tiger"));
    assert!(gateway.body.reveal().contains("Body={{text}}"));
}

#[test]
fn a_value_is_escaped_for_the_place_it_is_put_into() {
    let text = |name: &str| if name == "text" { "\"1\" & 2\n障害".to_owned() } else { String::new() };
    assert_eq!(filled(r#"{"m":"{{text}}"}"#, Place::Json, text), r#"{"m":"\"1\" & 2\n障害"}"#);
    assert_eq!(filled("m={{ text }}&x", Place::Form, text), "m=%221%22%20%26%202%0A%E9%9A%9C%E5%AE%B3&x");
    assert_eq!(filled("{{text}}{{to}}", Place::Line, text), "\"1\" & 2 障害");
    // A value that looks like a placeholder stays a value.
    assert_eq!(filled("{{text}}", Place::Line, |_| "{{token}}".to_owned()), "{{token}}");
}

#[test]
fn one_mistake_gives_one_complaint_that_keeps_secrets() {
    let own = "via = \"http\"\nurl = \"https://h/send\"\n";
    for (more, key) in [
        ("via = \"post\"\n".to_owned(), "sms.via"),
        ("account = \"a\"\n".to_owned(), "sms.account"),
        ("via = \"http\"\n".to_owned(), "sms.preset"),
        ("via = \"http\"\npreset = \"tiger\"\n".to_owned(), "sms.preset"),
        (TWILIO.to_owned(), "sms.token"),
        (format!("{TWILIO}token = \"tiger\"\ntoken_file = \"x\"\n"), "sms.token_file"),
        ("via = \"http\"\npreset = \"vonage\"\nfrom = \"h\"\ntoken = \"tiger\"\n".to_owned(), "sms.account"),
        ("via = \"http\"\nurl = \"https://h/{{tiger}}\"\n".to_owned(), "sms.url"),
        ("via = \"http\"\nurl = \"tiger\"\n".to_owned(), "sms.url"),
        (format!("{own}body = '{{\"to\":\"{{{{to}}}}\"'\n"), "sms.body"),
        (format!("{own}body = '{{\"to\":{{{{to}}}}}}'\n"), "sms.body"),
        (format!("{own}method = \"DELETE\"\n"), "sms.method"),
        (format!("{own}give_up = \"1ms\"\n"), "sms.give_up"),
        (format!("{own}events = [\"sms\"]\n"), "sms.events[1]"),
    ] {
        let complaints = settings(&more).map(|_| "no complaint").expect_err(&more);
        assert_eq!(complaints.len(), 1, "{more}: {complaints:?}");
        assert!(complaints[0].starts_with(&format!("{key}: ")), "{more}: {complaints:?}");
        let names_it = more.contains("preset = \"tiger\"");
        assert!(names_it || !complaints[0].contains("tiger"), "{more}: {complaints:?}");
    }
}
