//! The page in a real browser: whoever manages hansho there needs no file, and sees the night as it happens.

use std::net::UdpSocket;

use serde_json::json;

use crate::support::sound::silence;
use crate::support::{Baresip, Browser, Curl, Daemon, Scene, Settings, Sipp};

/// Never picks up; see [`crate::systems`].
const SLEEPS: &str = "+815011110001";
const PASSES: &str = "+815011110003";
/// Presses 1.
const TAKES: &str = "+815011110004";
/// What a stranger would like to be markup.
const NAME: &str = "<img src=x onerror=alert(1)>";

struct House {
    daemon: Daemon,
    curl: Curl,
    url: String,
}

fn house(scene: &Scene, sipp_port: u16) -> House {
    let web = scene.port();
    let settings = Settings::trunk_at(sipp_port)
        .node("name = \"night watch\"")
        .person("passing", PASSES)
        .more(&format!("[http]\nlisten = \"127.0.0.1:{web}\"\n"));
    enter(Daemon::start(scene, &settings), web)
}

/// Somebody with a token that opens everything the page shows.
fn enter(daemon: Daemon, web: u16) -> House {
    let scopes = ["trigger", "read", "manage", "directory"];
    let answer = daemon.ask(&json!({ "op": "token.create", "name": "page", "scopes": scopes }));
    let token = answer["secret"].as_str().unwrap_or_else(|| panic!("a token: {answer}")).to_owned();
    House { daemon, curl: Curl::new(web, token), url: format!("http://127.0.0.1:{web}/") }
}

/// What every form of the page shares.
fn adds(browser: &Browser, kind: &str, id: &str, fill: impl FnOnce()) {
    // The views are in sight wherever the page stands; choosing one shows its beginning.
    browser.clicks("[data-view=directory]");
    browser.clicks(&format!("[data-kind={kind}]"));
    browser.clicks(&format!("[data-add={kind}]"));
    browser.types(&format!("[data-form={kind}] [data-key=id]"), id);
    fill();
    browser.clicks(&format!("[data-form={kind}] button.primary"));
    browser.shows(&format!("[data-id={id}]"), id);
}

#[test]
fn people_are_made_by_forms_and_the_page_shows_live_who_is_called_and_what_they_press() {
    let scene = Scene::new("page");
    let sipp = Sipp::scenario("night").for_ever().listens(&scene);
    let house = house(&scene, sipp.port);
    let browser = Browser::open(&scene, "en");
    browser.goes(&house.url);
    browser.keeps_picture("1-door");
    browser.types("#token", "hansho_nothing");
    browser.clicks("#door-form button");
    browser.shows("#door-error", "unknown");
    browser.types("#token", &house.curl.token);
    browser.clicks("#door-form button");
    browser.shows("#view", "All is calm");
    browser.shows("#link", "live");
    browser.shows("#node", "night watch");
    browser.keeps_picture("2-calm");

    browser.clicks("[data-view=directory]");
    browser.shows("[data-id=passing]", "file");
    browser.clicks("[data-add=contacts]");
    browser.types("[data-form=contacts] [data-key=id]", "x");
    browser.types("[data-form=contacts] [data-key=phones]", &format!("12\n{PASSES}"));
    browser.clicks("[data-form=contacts] button.primary");
    browser.shows("[data-form=contacts] .field", "phones[2]: +815011110003 stands at contact `passing` already");
    assert_eq!(browser.count("[data-key=phones][aria-invalid=true]"), 1);
    browser.keeps_picture("3-fault");
    adds(&browser, "contacts", "sleeper", || {
        browser.types("[data-form=contacts] [data-key=phones]", SLEEPS);
    });
    adds(&browser, "contacts", "x", || {
        browser.types("[data-form=contacts] [data-key=name]", NAME);
        browser.types("[data-form=contacts] [data-key=phones]", TAKES);
    });
    browser.shows("[data-id=x] h3", NAME);
    adds(&browser, "rosters", "night", || {
        for person in ["sleeper", "x"] {
            browser.chooses("[data-form=rosters] [data-key=contacts] select", person);
            browser.clicks("[data-form=rosters] [data-key=contacts] .row button");
        }
        browser.keeps_picture("4-roster");
    });
    adds(&browser, "guidances", "short", || {
        browser.types("[data-form=guidances] [data-key='message.ja']", "{{server}}で障害です。");
        for key in ["1", "2"] {
            browser.clicks("[data-form=guidances] [data-key=keys] > div button");
            browser.shows("[data-form=guidances] [data-key=keys]", key);
        }
        browser.types("[data-form=guidances] [data-key=first_key_timeout]", "2s");
        browser.keeps_picture("5-guidance");
    });
    adds(&browser, "call_flows", "nightly", || {
        browser.chooses("[data-form=call_flows] [data-key=roster]", "night");
        browser.chooses("[data-form=call_flows] [data-key=guidance]", "short");
        // Long enough for a slow browser to show that it rings.
        browser.types("[data-form=call_flows] [data-key=ring_timeout]", "15s");
        browser.keeps_picture("6-call-flow");
    });

    browser.clicks("[data-view=now]");
    browser.shows("#view", "All is calm");
    let params = json!({ "callflowId": "nightly", "guidanceId": "short", "parameters": { "server": "db-01" } });
    let told = house.curl.post("/api/apps/pigeon/chain/invoke", &json!({ "params": params }));
    let id = told["resultId"].as_str().unwrap_or_else(|| panic!("a result: {told}")).to_owned();
    let card = format!("[data-incident={id:?}]");
    browser.shows(&format!("{card} .timeline .now"), "sleeper's telephone rings");
    browser.keeps_picture("7-calling");
    browser.shows(&card, &format!("{NAME} pressed 1: takes it"));
    browser.shows(&format!("{card} .chip"), "taken");
    browser.keeps_picture("8-taken");
    assert_eq!((browser.count("#view img"), browser.is_asked()), (0, false), "a name is text and nothing else");
    assert_eq!(house.curl.json(&format!("/api/apps/pigeon/results/{id}"))["status"], "succeeded");

    browser.clicks("#test-call summary");
    browser.chooses("#test-person", "sleeper");
    browser.chooses("#test-flow", "nightly");
    browser.clicks("#test-ring");
    browser.clicks("#test-ring.sure");
    browser.shows("article.open .timeline", "Calling sleeper");
    browser.clicks("article.open button.danger");
    browser.clicks("article.open button.sure");
    browser.shows("article .chip", "called off");
    browser.clicks("[data-view=past]");
    browser.shows("#view .calls", TAKES);
    browser.clicks(&format!("details{card} summary"));
    browser.shows(&format!("details{card} .timeline"), "pressed 1: takes it");
    browser.clicks(&format!("details{card} .ladders summary"));
    browser.shows(&format!("details{card} pre.ladder"), "INVITE (SDP)");
    browser.keeps_picture("9-past");
    assert_eq!((browser.count("#view img"), browser.is_asked()), (0, false));

    let japanese = Browser::open(&scene, "ja");
    japanese.goes(&house.url);
    japanese.types("#token", &house.curl.token);
    japanese.clicks("#door-form button");
    japanese.shows("#view", "異常ありません");
    japanese.keeps_picture("10-japanese");
    drop((browser, japanese));
    house.daemon.stops();
    sipp.drains();
}

#[test]
fn what_others_made_is_shown_when_it_is_used_and_deleted_when_it_is_not() {
    let scene = Scene::new("page_delete");
    let sipp = Sipp::scenario("night").for_ever().listens(&scene);
    let house = house(&scene, sipp.port);
    let browser = Browser::open(&scene, "en");
    browser.goes(&house.url);
    browser.types("#token", &house.curl.token);
    browser.clicks("#door-form button");
    house.curl.put("/v1/contacts/sato", &json!({ "name": "佐藤", "phones": [TAKES] }));
    house.curl.put("/v1/rosters/night", &json!({ "contacts": ["sato", "passing"] }));
    let deletes = |kind: &str, id: &str| {
        browser.clicks("[data-view=directory]");
        browser.clicks(&format!("[data-kind={kind}]"));
        browser.clicks(&format!("[data-id={id}] button"));
        browser.clicks(&format!("[data-form={kind}] button.danger"));
        browser.clicks(&format!("[data-form={kind}] button.sure"));
    };
    deletes("contacts", "sato");
    browser.shows("[data-form=contacts]", "contact `sato` is used by roster `night`");
    deletes("rosters", "night");
    browser.shows("#told", "night is deleted");
    deletes("contacts", "sato");
    browser.shows("#told", "sato is deleted");
    browser.clicks("[data-id=passing] button");
    browser.shows("[data-form=contacts]", "Declared in the configuration's file");
    assert_eq!(browser.count("[data-form=contacts] button.primary"), 0, "the file's is only shown");

    house.curl.post("/v1/suppressions", &json!({ "host": "db-01", "for": "2h" }));
    browser.clicks("[data-view=now]");
    browser.shows("#view", "host: db-01");
    browser.clicks("#view li button.danger");
    browser.clicks("#view li button.sure");
    browser.shows("#view", "Nothing is kept quiet about");
    let token = house.daemon.ask(&json!({ "op": "token.revoke", "token": 1 }));
    assert_eq!(token["ok"], true, "{token}");
    browser.shows("#door-error", "opens nothing");
    drop(browser);
    house.daemon.stops();
    sipp.drains();
}

/// A registrar that lets nobody in, and would like its reason to be markup.
fn rude_registrar() -> u16 {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("loopback has ports");
    let port = socket.local_addr().expect("a bound socket has an address").port();
    std::thread::spawn(move || {
        let mut buffer = [0; 4_096];
        while let Ok((length, from)) = socket.recv_from(&mut buffer) {
            let request = String::from_utf8_lossy(&buffer[..length]).into_owned();
            let kept = |line: &&str| {
                ["Via", "From", "To", "Call-ID", "CSeq"].iter().any(|name| line.starts_with(&format!("{name}:")))
            };
            let kept: Vec<&str> = request.lines().filter(kept).collect();
            let answer = format!("SIP/2.0 403 {NAME}\r\n{}\r\nContent-Length: 0\r\n\r\n", kept.join("\r\n"));
            // Whoever asked may be gone.
            let _ = socket.send_to(answer.as_bytes(), from);
        }
    });
    port
}

#[test]
fn the_page_shows_who_is_muted_that_a_room_is_locked_how_a_voice_goes_and_why_a_trunk_is_away() {
    let scene = Scene::new("page_room");
    let mut phone = Baresip::start(&scene, TAKES, "PCMU", &silence(120.0), None);
    let (web, rude) = (scene.port(), rude_registrar());
    let away = format!(
        "[[trunk]]\nid = \"rude\"\nproxy = \"127.0.0.1:{rude}\"\nregistrar = \"127.0.0.1:{rude}\"\npriority = 9\nusername = \"bell\"\npassword = \"x\"\n"
    );
    let settings = Settings::trunk_at(phone.port)
        .with_room()
        .person("passing", PASSES)
        .more(&format!("{away}[http]\nlisten = \"127.0.0.1:{web}\"\n"));
    let house = enter(Daemon::start(&scene, &settings), web);
    house.curl.put("/v1/contacts/x", &json!({ "name": NAME, "phones": [TAKES] }));
    house.curl.put("/v1/rosters/one", &json!({ "contacts": ["x"] }));
    house.curl.put("/v1/call_flows/one", &json!({ "roster": "one", "guidance": "usual" }));
    let browser = Browser::open(&scene, "en");
    browser.goes(&house.url);
    browser.types("#token", &house.curl.token);
    browser.clicks("#door-form button");
    browser.shows("[data-trunk=rude]", "away");
    browser.shows("[data-trunk=rude] .fault", &format!("403 {NAME}"));

    let incident = house.daemon.ask(&json!({ "op": "trigger", "call_flow": "one", "message": NAME }));
    assert_eq!(incident["ok"], true, "{incident}");
    house.daemon.events.until("attempt.prompt_started", &[("contact", "x")]);
    phone.listens(1);
    phone.presses('1');
    let joined = house.daemon.events.until("room.joined", &[("contact", "x")]);
    let room = joined["room"].as_str().expect("a room has a name").to_owned();
    let card = format!("[data-room={room:?}]");
    browser.shows(&format!("{card} [data-member='1']"), NAME);
    browser.shows(".qualities", "heard here: ");
    for (op, word) in [("room.mute", "muted"), ("room.lock", "locked")] {
        let done = house.daemon.ask(&match op {
            "room.mute" => json!({ "op": op, "room": room, "member": 1 }),
            _ => json!({ "op": op, "room": room }),
        });
        assert_eq!(done["ok"], true, "{done}");
        browser.shows(&card, word);
    }
    browser.shows(".qualities", "there and back");
    browser.keeps_picture("11-room");
    assert_eq!((browser.count("#view img"), browser.is_asked()), (0, false), "a name is text and nothing else");
    drop(browser);
    phone.hangs_up();
    house.daemon.stops();
}
