//! Hotlines, short messages, keys by INFO, and people who call in, with SIPp as the trunk and curl as the browser.

use crate::support::{Curl, Daemon, Scene, Settings, Sipp, until};

const YAMADA: &str = "+815011110001";
const SATO: &str = "+815011110002";

#[test]
fn a_key_that_comes_as_info_takes_the_incident() {
    let scene = Scene::new("answer_info");
    let sipp = Sipp::scenario("answer_info").listens(&scene);
    let daemon = Daemon::start(&scene, &Settings::trunk_at(sipp.port).person("anna", YAMADA));
    daemon.trigger();
    assert_eq!(daemon.outcome("anna"), ("taken".to_owned(), Some(200)));
    let key = daemon.events.until("attempt.key", &[("digit", "1")]);
    assert_eq!(key["way"], "info", "{key}");
    sipp.passes();
}

#[test]
fn a_press_that_comes_as_events_and_as_info_is_one_key_and_two_presses_are_two() {
    let scene = Scene::new("answer_both_ways");
    let sipp = Sipp::scenario("answer_both_ways").listens(&scene);
    let settings = Settings::trunk_at(sipp.port).person("anna", YAMADA);
    let daemon = Daemon::start(&scene, &settings);
    daemon.trigger();
    assert_eq!(daemon.outcome("anna"), ("taken".to_owned(), Some(200)));
    assert_eq!(daemon.events.count("attempt.key"), 3, "7, 7 and 1");
    sipp.passes();
}

#[test]
fn a_short_message_from_the_trunk_is_answered_and_told() {
    let scene = Scene::new("letter_in");
    let port = scene.port();
    let daemon = Daemon::start(&scene, &Settings::trunk_at(port).person("anna", YAMADA));
    let sending = Sipp::scenario("letter_in").with("caller", YAMADA).with("dialled", "hansho");
    sending.calls_on(&scene, port, daemon.port).passes();
    let told = daemon.events.until("message.received", &[("trunk", "outside")]);
    let text = told["text"].as_str().map(str::trim_end);
    assert_eq!((told["from"].as_str(), text), (Some(YAMADA), Some("I am on my way.")), "{told}");
}

#[test]
fn a_hotline_asks_by_message_and_its_page_accepts_by_its_button_alone() {
    let scene = Scene::new("hotline");
    let town = Sipp::scenario("letter").calls(2).listens(&scene);
    let web = scene.port();
    let hotline = "[[hotline]]\nid = \"pair\"\nnumber = \"duty\"\npeople = [\"yamada\", \"sato\"]\nlanguage = \"ja\"";
    let settings = Settings::trunk_at(town.port)
        .account("bell", "s3cret")
        .node("public_url = \"https://h.example\"")
        .more(&format!("[http]\nlisten = \"127.0.0.1:{web}\"\n{hotline}"))
        .person("yamada", YAMADA)
        .person("sato", SATO);
    let daemon = Daemon::start(&scene, &settings);
    let curl = Curl::new(web, String::new());
    for caller in ["+815011119999", YAMADA] {
        let call = Sipp::scenario("call_refused").with("caller", caller).with("dialled", "duty");
        call.calls_on(&scene, scene.port(), daemon.port).passes();
    }
    daemon.events.until("hotline.inquiry", &[("caller", "yamada"), ("callee", "sato")]);
    let link =
        town.after("yamadaさんが電話で話したいそうです。通話できるならリンクをタップしてください。https://h.example");
    for _ in 0..2 {
        assert!(curl.get(&link).contains("<form method=\"post\"><button>通話できます</button></form>"));
    }
    assert_eq!(daemon.events.count("hotline.accepted"), 0, "looking accepts nothing");
    assert!(curl.press(&link).contains("yamadaさんから電話がきます。そのままお待ち下さい。"));
    daemon.events.until("hotline.accepted", &[("hotline", "pair")]);
    town.after(&format!("satoさんは通話できます。{SATO} に電話してください。"));
    assert!(curl.press(&link).contains("このリンクはもう使われています。"));
    assert_eq!(daemon.events.count("hotline.accepted"), 1);
    assert_eq!((curl.status("/hotline/"), curl.status("/hotline/nothing")), ("400".to_owned(), "404".to_owned()));
    town.passes();
    daemon.events.until("message.sent", &[("to", YAMADA)]);
}

#[test]
fn a_pin_opens_its_room_to_somebody_nobody_knows() {
    let scene = Scene::new("call_in_pin");
    let port = scene.port();
    let settings = Settings::trunk_at(port).person("anna", YAMADA).more("[[room]]\nid = \"war-room\"\npin = \"2468\"");
    let daemon = Daemon::start(&scene, &settings);
    let calling = Sipp::scenario("call_in_pin").with("caller", "+15550100").with("dialled", "hansho");
    let calling = calling.calls_on(&scene, port, daemon.port);
    daemon.events.until("room.joined", &[("room", "war-room")]);
    calling.passes();
    daemon.events.until("room.ended", &[("room", "war-room")]);
    assert_eq!(daemon.events.count("call_in.wrong_pin"), 0);
}

#[test]
fn a_message_that_is_left_raises_an_incident_and_is_in_the_folder_of_recordings() {
    let scene = Scene::new("call_in_message");
    let town = Sipp::scenario("answer_key").listens(&scene);
    let settings = Settings::trunk_at(town.port)
        .person("anna", YAMADA)
        .person("bert", SATO)
        .more("[call_in]\ncall_flow = \"oncall\"");
    let daemon = Daemon::start(&scene, &settings);
    let calling = Sipp::scenario("call_in_message").with("caller", SATO).with("dialled", "hansho");
    let calling = calling.calls_on(&scene, scene.port(), daemon.port);
    let told = daemon.events.until("call_in.message", &[("contact", "bert")]);
    assert_eq!(daemon.outcome("anna"), ("taken".to_owned(), Some(200)));
    calling.passes();
    town.passes();
    let file = scene.path("data").join("recordings").join(told["file"].as_str().unwrap_or_default());
    until("the recording to be whole", || {
        let bytes = std::fs::read(&file).ok()?;
        // Some seconds of 8,000 samples of two bytes each.
        (bytes.len() > 40_000).then_some(())
    });
    assert_eq!(daemon.events.count("voice.failed"), 0, "the recording was played");
}
