//! A whole call over loopback: a throw-away daemon registers at a software trunk, an incident rings a telephone, and the
//! key that it presses in its voice is heard by the detector.

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use tokio::time::sleep;

use super::Finding;
use crate::base::Digit;
use crate::config;
use crate::media::Way;
use crate::rig::{Account, Exchange, PickUp, Script, Settings, Step, ear, free_ports};
use crate::shell::Daemon;
use crate::shell::control::client::Client;
use crate::shell::control::{Request, TriggerRequest};
use crate::sip::digest::Hash;

/// The whole call takes no longer.
const PATIENCE: Duration = Duration::from_secs(20);
const LOOK: Duration = Duration::from_millis(100);
const PORTS: u16 = 8;
const PERSON: &str = "+819000000001";
/// What is heard before the key.
const HEARS: Duration = Duration::from_millis(1_500);
/// How often the key is pressed where it is not heard.
const PRESSES: usize = 6;
/// Less voice than this is silence, in seconds.
const VOICE_MIN: f64 = 0.5;

/// Makes the call.
pub(super) async fn check(scratch: &Path) -> Finding {
    match made(&scratch.join("call")).await {
        Ok(found) => Finding::ok("call", found),
        Err(why) => Finding::failed("call", why, "run `hansho demo`, which shows each step, and see its log"),
    }
}

async fn made(folder: &Path) -> Result<String, String> {
    fs::create_dir_all(folder).map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
    let key = Digit::from_char('1').ok_or("1 is a telephone key")?;
    // Again, as people do, where a machine is too busy to hear the first.
    let then = (0..PRESSES).flat_map(|_| [Step::Hear(HEARS), Step::Press(key, Way::Tone)]).collect();
    let script = Script { pick_up: PickUp::After(Duration::from_millis(200)), then };
    let exchange = Exchange::start(trunk(), vec![(PERSON.to_owned(), script)]).await;
    let exchange = exchange.map_err(|error| format!("the software trunk cannot start: {error}"))?;
    let file = folder.join("sip-trunk.toml");
    let first = free_ports(PORTS).ok_or("no free UDP ports for voice")?;
    fs::write(&file, configuration(&exchange, (first, first + PORTS - 1))).map_err(|error| error.to_string())?;
    let (_, settings) = config::load(Some(&file)).map_err(|error| error.to_string())?;
    let socket = settings.control_socket.clone();
    let daemon = Daemon::start(settings).await.map_err(|error| format!("the daemon cannot start: {error}"))?;
    let taken = match tokio::time::timeout(PATIENCE, called(&socket)).await {
        Ok(taken) => taken,
        Err(_) => Err(format!("nobody took the incident within {} s", PATIENCE.as_secs())),
    };
    daemon.stop().await;
    let heard = exchange.with(0, |phone, _, _| phone.recordings().next().map(|it| ear::voice_seconds(it.samples())));
    let heard = heard.await.flatten().unwrap_or_default();
    exchange.stop();
    let way = taken?;
    if heard < VOICE_MIN {
        return Err(format!("the telephone heard {heard:.1} s of voice"));
    }
    Ok(format!("registered, rang, was answered, spoke {heard:.1} s, and heard key 1 ({way})"))
}

/// Raises an incident when the trunk has taken us, and waits until it is taken; how the key was heard.
async fn called(socket: &Path) -> Result<&'static str, String> {
    while ask(socket, Request::Status { incident: None }).await?["trunks"][0]["registered"] != true {
        sleep(LOOK).await;
    }
    let trigger = TriggerRequest { call_flow: "selftest".into(), ..TriggerRequest::default() };
    let raised = ask(socket, Request::Trigger(trigger)).await?;
    let incident = raised["incident"].as_str().ok_or("no incident was raised")?.to_owned();
    loop {
        let status = ask(socket, Request::Status { incident: Some(incident.clone()) }).await?;
        let status = &status["incidents"][0];
        match status["state"].as_str() {
            Some("acknowledged") => return Ok("in the voice"),
            Some("queued" | "calling") => sleep(LOOK).await,
            _ => return Err(format!("the call ended without its key: {}", status["attempts"][0]["reason"])),
        }
    }
}

async fn ask(socket: &Path, request: Request) -> Result<Value, String> {
    let socket = socket.to_owned();
    let asked = tokio::task::spawn_blocking(move || Client::connect(&socket)?.ask(&request));
    asked.await.map_err(|error| error.to_string())?.map_err(|error| error.to_string())
}

fn trunk() -> Settings {
    Settings {
        local: ([127, 0, 0, 1], 0).into(),
        realm: "selftest.example".to_owned(),
        account: Account {
            username: "hansho".to_owned(),
            password: "the fire bell".to_owned(),
            number: "+815000000000".to_owned(),
        },
        hash: Hash::Sha256,
        nonce_life: Duration::from_secs(300),
        expires_min_s: 60,
        expires_max_s: 600,
        seed: u64::from(std::process::id()),
    }
}

fn configuration(exchange: &Exchange, (first, last): (u16, u16)) -> String {
    let (proxy, Settings { realm, account, .. }) = (exchange.trunk(), trunk());
    format!(
        r#"[node]
data_dir = "."
language = "en"
[sip]
listen = ["udp:127.0.0.1:0"]
[media]
ports = "{first}-{last}"
[speech]
voices.en = []
[[trunk]]
id = "rig"
proxy = "{proxy}"
registrar = "{realm}"
username = "{}"
password = "{}"
[[contact]]
id = "phone"
phones = ["{PERSON}"]
[[roster]]
id = "selftest"
contacts = ["phone"]
[[call_flow]]
id = "selftest"
roster = "selftest"
rounds = 1
"#,
        account.username, account.password,
    )
}
