//! A whole call over loopback: a throw-away daemon registers at a software trunk, an incident rings a telephone, and the
//! key that it presses in its voice is heard by the detector.

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use tokio::time::sleep;

use super::Finding;
use crate::base::Digit;
use crate::cli::loopback;
use crate::media::Way;
use crate::rig::{Exchange, PickUp, Script, Step, ear};
use crate::shell::control::{Request, TriggerRequest, client};

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
    let exchange = loopback::exchange(vec![(PERSON.to_owned(), script)]).await?;
    let text = configuration(&exchange, &loopback::voice_ports(PORTS)?);
    let (daemon, socket) = loopback::daemon(folder, &text).await?;
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
    client::ask(socket.to_owned(), request).await.map_err(|error| error.to_string())
}

fn configuration(exchange: &Exchange, ports: &str) -> String {
    let trunk = loopback::trunk(exchange);
    format!(
        r#"[node]
data_dir = "."
language = "en"
[sip]
listen = ["udp:127.0.0.1:0"]
[media]
ports = "{ports}"
[speech]
voices.en = []
{trunk}
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
"#
    )
}
