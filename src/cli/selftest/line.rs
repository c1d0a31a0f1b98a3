//! Ports and trunks: those of the daemon that runs, or of one that is started for a moment.
//!
//! Easy to get wrong: a second daemon must not touch the first one's journal and must tell nobody anything, so it has a
//! folder of its own, no notifiers and no people to call; and who calls in meanwhile finds no open incident.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::{sleep, timeout};

use super::Finding;
use crate::cli::shown::list;
use crate::config::{Notify, Settings, Sms, Trunk};
use crate::shell::Daemon;
use crate::shell::control::Request;
use crate::shell::control::client::{self, ClientError};
use crate::wire::sip::{Builder, Message, Method, Name};

/// So long a trunk has to take us: a name server that is slow, a challenge, an answer.
const PATIENCE: Duration = Duration::from_secs(8);
/// How often it is looked.
const LOOK: Duration = Duration::from_millis(100);
/// How long an answer to OPTIONS is waited for, and how often it is asked.
const ANSWER: Duration = Duration::from_millis(1_000);
const ASKED: usize = 3;
/// The longest answer that is read.
const DATAGRAM: usize = 16_384;

/// Looks at all of them.
pub(super) async fn check(settings: &Settings, scratch: &Path) -> Vec<Finding> {
    match status(&settings.control_socket).await {
        Ok(status) => {
            let found = format!("hansho {} runs: its ports are its own", text(&status["version"]));
            let mut findings = vec![Finding::ok("daemon", found)];
            findings.extend(
                list(&status["trouble"]).map(|why| Finding::warning("daemon", text(why), "see `hansho status`")),
            );
            findings.extend(trunks(settings, &status).await);
            findings
        }
        Err(ClientError::NoDaemon { .. }) => for_a_moment(settings, scratch).await,
        Err(error) => vec![Finding::failed("daemon", error.to_string(), "see its log, and whose the socket is")],
    }
}

/// Opens the ports and registers at the trunks, with a throw-away journal.
async fn for_a_moment(settings: &Settings, scratch: &Path) -> Vec<Finding> {
    let folder = scratch.join("moment");
    let mut own = settings.clone();
    own.node.data_dir.clone_from(&folder);
    own.journal = folder.join("hansho.db");
    own.control_socket = folder.join("control.sock");
    own.media.record_dir = folder.join("recordings");
    own.notify = Notify { slack: None, webhooks: Vec::new(), email: None, ..own.notify };
    own.sms = Sms { gateway: None, topics: Default::default(), ..own.sms };
    own.keep = None;
    let socket = own.control_socket.clone();
    let made = std::fs::create_dir_all(&folder).map_err(|error| error.to_string());
    let started = match made {
        Ok(()) => Daemon::start(own).await.map_err(|error| error.to_string()),
        Err(error) => Err(error),
    };
    let daemon = match started {
        Ok(daemon) => daemon,
        Err(why) => return vec![Finding::failed("ports", why, "end what holds the port, or name another one")],
    };
    let addresses: Vec<String> = daemon.sip_addresses().iter().map(ToString::to_string).collect();
    let mut ports = format!("SIP on {}", addresses.join(" and "));
    if let Some(http) = daemon.http_address() {
        ports.push_str(&format!(", HTTP on {http}"));
    }
    let mut findings = vec![Finding::ok("ports", format!("can be opened: {ports}")), media(settings).await];
    findings.extend(settled(settings, &socket).await);
    daemon.stop().await;
    findings
}

/// The first and the last of the ports for voice.
async fn media(settings: &Settings) -> Finding {
    let (first, last) = (*settings.media.ports.start(), *settings.media.ports.end());
    let addresses = settings.media.address.iter();
    for (ip, port) in addresses.flat_map(|ip| [(*ip, first), (*ip, last)]) {
        if let Err(error) = UdpSocket::bind((ip, port)).await {
            let found = format!("port {port} on {ip} cannot be opened: {error}");
            return Finding::failed(
                "voice ports",
                found,
                "end what holds it, or change `ports` or `address` in [media]",
            );
        }
    }
    let addresses: Vec<String> = settings.media.address.iter().map(ToString::to_string).collect();
    Finding::ok("voice ports", format!("{first}-{last} on {} can be opened", addresses.join(" and ")))
}

/// Waits until every trunk has taken us or has said why not.
async fn settled(settings: &Settings, socket: &Path) -> Vec<Finding> {
    let mut status = Err("the daemon says nothing".to_owned());
    for _ in 0..PATIENCE.as_millis() / LOOK.as_millis() {
        status = self::status(socket).await.map_err(|error| error.to_string());
        let done = status.as_ref().is_ok_and(|status| {
            list(&status["trunks"]).all(|trunk| trunk["registered"] == true || !text(&trunk["reason"]).is_empty())
        });
        if done {
            break;
        }
        sleep(LOOK).await;
    }
    match status {
        Ok(status) => trunks(settings, &status).await,
        Err(why) => vec![Finding::failed("trunks", why, "run `hansho run` and see its log")],
    }
}

async fn trunks(settings: &Settings, status: &Value) -> Vec<Finding> {
    let mut findings = Vec::new();
    for trunk in &settings.trunks {
        let stands = list(&status["trunks"]).find(|it| it["id"] == trunk.id.as_str());
        findings.push(match stands {
            Some(stands) => one(trunk, stands).await,
            None => Finding::warning(
                format!("trunk {}", trunk.id),
                "the daemon that runs does not know it",
                "it was started with another file: restart it",
            ),
        });
    }
    if settings.trunks.is_empty() {
        findings.push(Finding::ok("trunks", "there is none: the registrar's own telephones are rung alone"));
    }
    findings
}

async fn one(trunk: &Trunk, stands: &Value) -> Finding {
    let check = format!("trunk {}", trunk.id);
    let target = text(&stands["target"]);
    let why = text(&stands["reason"]);
    if stands["registered"] != true {
        let found = if target.is_empty() { why } else { format!("{target} does not take us: {why}") };
        let found = if found.is_empty() { "nothing was answered in time".to_owned() } else { found };
        let remedy = match stands["code"].as_u64() {
            Some(401 | 403 | 407) => "check username, password and registrar of this [[trunk]]",
            Some(404) => "check username and domain of this [[trunk]]",
            _ => "check proxy, transport, and the firewall between",
        };
        return Finding::failed(check, found, remedy);
    }
    if trunk.register {
        return Finding::ok(check, format!("registered at {target}"));
    }
    match answers(&target).await {
        Ok(said) => Finding::ok(check, format!("{target} answers: {said}")),
        Err(Silence::Closed(why)) => Finding::failed(
            check,
            format!("{target}: {why}"),
            "nobody listens there: check proxy and transport of this [[trunk]], and the firewall between",
        ),
        Err(Silence::Quiet(why)) => Finding::warning(
            check,
            format!("{target}: {why}"),
            "some trunks answer no OPTIONS of strangers; else check proxy, transport and the firewall between",
        ),
    }
}

/// Nobody answers.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Silence {
    /// The system says that nobody can be reached.
    Closed(String),
    /// Nothing came.
    Quiet(String),
}

/// Asks an address whether somebody is there: OPTIONS over UDP, a connection else.
async fn answers(target: &str) -> Result<String, Silence> {
    let closed = |error: std::io::Error| Silence::Closed(error.to_string());
    let (transport, address) = target
        .split_once(':')
        .filter(|(word, _)| word.chars().all(char::is_alphabetic))
        .map_or(("udp", target), |(transport, address)| (transport, address));
    if transport != "udp" {
        let connected = timeout(ANSWER * 3, TcpStream::connect(address)).await;
        return match connected {
            Ok(Ok(_)) => Ok("it takes connections".to_owned()),
            Ok(Err(error)) => Err(closed(error)),
            Err(_) => Err(Silence::Quiet("no connection in time".to_owned())),
        };
    }
    let any = if address.starts_with('[') { "[::]:0" } else { "0.0.0.0:0" };
    let socket = UdpSocket::bind(any).await.map_err(closed)?;
    socket.connect(address).await.map_err(closed)?;
    let local = socket.local_addr().map_err(closed)?;
    let call: u64 = rand::random();
    let request = Builder::request(Method::Options, &format!("sip:{address}"))
        .header(Name::Via, format!("SIP/2.0/UDP {local};branch=z9hG4bK{call:x};rport"))
        .header(Name::MaxForwards, "70")
        .header(Name::From, format!("<sip:selftest@{local}>;tag={call:x}"))
        .header(Name::To, format!("<sip:{address}>"))
        .header(Name::CallId, format!("{call:x}@selftest"))
        .header(Name::CSeq, "1 OPTIONS")
        .finish();
    let mut bytes = vec![0; DATAGRAM];
    for _ in 0..ASKED {
        socket.send(&request).await.map_err(closed)?;
        match timeout(ANSWER, socket.recv(&mut bytes)).await {
            Ok(Ok(length)) => {
                let answer = Message::parse(bytes.get(..length).unwrap_or_default()).ok();
                let code = answer
                    .as_ref()
                    .and_then(Message::code)
                    .ok_or_else(|| Silence::Quiet("what it answers is no SIP".to_owned()))?;
                return Ok(format!("{code} to OPTIONS"));
            }
            Ok(Err(error)) => return Err(closed(error)),
            Err(_) => {}
        }
    }
    Err(Silence::Quiet("no answer to OPTIONS".to_owned()))
}

async fn status(socket: &Path) -> Result<Value, ClientError> {
    client::ask(socket.to_owned(), Request::Status { incident: None }).await
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_answers_options_in_whichever_way_is_there() {
        let trunk = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let target = trunk.local_addr().unwrap().to_string();
        let answering = tokio::spawn(async move {
            let mut bytes = vec![0; DATAGRAM];
            let (length, from) = trunk.recv_from(&mut bytes).await.unwrap();
            let request = Message::parse(&bytes[..length]).unwrap();
            assert_eq!(request.method(), Method::Options);
            trunk.send_to(&Builder::response(&request, 405).finish(), from).await.unwrap();
        });
        assert_eq!(answers(&target).await, Ok("405 to OPTIONS".to_owned()));
        answering.await.unwrap();
    }
}
