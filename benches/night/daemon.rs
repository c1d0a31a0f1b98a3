//! The real binary: its configuration, its process, its control socket.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write as _};
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

use crate::Result;
use crate::clock::{MS, Nanos, SECOND, now, pause};
use crate::trunk::Town;
use crate::voice::CONFIRMATION;

/// The binary under test.
pub const BINARY: &str = env!("CARGO_BIN_EXE_hansho");
/// How long anything may take.
pub const LIMIT: Nanos = 20 * SECOND;
/// Anna is called first, Bert after her.
pub const ANNA: &str = "+815011100001";
/// See [`ANNA`].
pub const BERT: &str = "+815011100002";

/// A running `hansho run`.
pub struct Daemon {
    child: Child,
    folder: PathBuf,
    sip: u16,
    web: SocketAddr,
    socket: PathBuf,
    control: BufReader<UnixStream>,
    events: Receiver<Value>,
}

/// An accepted trigger.
pub struct Raised {
    pub incident: String,
    /// When the request was written, and when its answer was read.
    pub sent: Nanos,
    pub answered: Nanos,
}

impl Daemon {
    /// Writes a configuration for `legs` people into `folder` and starts the daemon on it.
    pub fn start(folder: &Path, town: &Town, legs: usize) -> Result<Daemon> {
        let bench = std::env::current_exe().map_err(|error| error.to_string())?;
        let speech =
            format!("voices.en = [\"command\"]\ncommand.en = [{bench:?}, \"--speak\", \"{{in}}\", \"{{out}}\"]");
        Daemon::start_speaking(folder, town, legs, ("en", &speech))
    }

    /// The same for people of one language, with this in `[speech]`.
    pub fn start_speaking(folder: &Path, town: &Town, legs: usize, (language, speech): (&str, &str)) -> Result<Daemon> {
        fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        // A socket's path must be short, and the folder may be deep.
        let socket = std::env::temp_dir().join(format!("hansho-night-{}.sock", std::process::id()));
        let config = folder.join("sip-trunk.toml");
        let (sip, web) = (free_ports(1)?, SocketAddr::from(([127, 0, 0, 1], free_ports(1)?)));
        let text = configuration(folder, &socket, town.sip_address(), sip, legs, (language, speech))?;
        fs::write(&config, format!("{text}[http]\nlisten = \"{web}\"\n"))
            .map_err(|error| format!("{}: {error}", config.display()))?;
        let log = File::create(folder.join("daemon.log")).map_err(|error| error.to_string())?;
        let second = log.try_clone().map_err(|error| error.to_string())?;
        let mut command = Command::new(BINARY);
        command.args(["run", "--config"]).arg(&config);
        command.stdin(Stdio::null()).stdout(Stdio::from(log)).stderr(Stdio::from(second));
        let mut child = command.spawn().map_err(|error| format!("{BINARY}: {error}"))?;
        let opened = connect(&mut child, &socket).and_then(|control| Ok((control, watch(&socket)?)));
        match opened {
            Ok((control, events)) => Ok(Daemon { child, folder: folder.to_owned(), sip, web, socket, control, events }),
            Err(why) => {
                let _ = child.kill();
                let _ = child.wait();
                let said = fs::read_to_string(folder.join("daemon.log")).unwrap_or_default();
                Err(format!("{why}\n{}", said.trim()))
            }
        }
    }

    /// Where its journal lies.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where it speaks SIP.
    pub fn sip_port(&self) -> u16 {
        self.sip
    }

    /// Where it speaks HTTP.
    pub fn web(&self) -> SocketAddr {
        self.web
    }

    /// Makes a token for HTTP.
    pub fn token(&mut self) -> Result<String> {
        let answer = self.ask(&json!({ "op": "token.create", "name": "bench" }))?;
        answer["secret"].as_str().map(str::to_owned).ok_or_else(|| format!("no token: {answer}"))
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Asks something on the control socket.
    pub fn ask(&mut self, request: &Value) -> Result<Value> {
        self.control.get_mut().write_all(format!("{request}\n").as_bytes()).map_err(|error| error.to_string())?;
        read_line(&mut self.control)
    }

    /// Raises an incident.
    pub fn trigger(&mut self, call_flow: &str) -> Result<Raised> {
        self.trigger_about(call_flow, "The disk is full.")
    }

    /// The same with a message of its own.
    pub fn trigger_about(&mut self, call_flow: &str, message: &str) -> Result<Raised> {
        let request = json!({ "op": "trigger", "call_flow": call_flow, "message": message });
        let line = format!("{request}\n");
        let sent = now();
        self.control.get_mut().write_all(line.as_bytes()).map_err(|error| format!("trigger: {error}"))?;
        let answer = read_line(&mut self.control)?;
        let answered = now();
        let incident = answer["incident"].as_str().ok_or_else(|| format!("the trigger is refused: {answer}"))?;
        Ok(Raised { incident: incident.to_owned(), sent, answered })
    }

    /// The next event that has come, if any.
    pub fn event(&self) -> Option<Value> {
        self.events.try_recv().ok()
    }

    /// Waits until this incident is taken, or was taken by nobody, while the town goes on answering.
    pub fn ends(&self, incident: &str, town: &mut Town) -> Result<()> {
        let end = now() + LIMIT;
        while now() < end {
            while let Some(event) = self.event() {
                if is_end(&event, incident) {
                    return Ok(());
                }
            }
            town.next(now() + MS)?;
        }
        Err(format!("incident {incident} did not end within {} s", LIMIT / SECOND))
    }

    /// Asks it to stop, and answers its farewells.
    pub fn stop(&mut self, town: &mut Town) -> Result<()> {
        let pid = i32::try_from(self.child.id()).map_err(|error| error.to_string())?;
        kill(Pid::from_raw(pid), Signal::SIGTERM).map_err(|error| error.to_string())?;
        let end = now() + 2 * LIMIT;
        while now() < end {
            if let Some(status) = self.child.try_wait().map_err(|error| error.to_string())? {
                return if status.success() { Ok(()) } else { Err(format!("it ended with {status}")) };
            }
            town.next(now() + 5 * MS)?;
        }
        Err("it does not stop".to_owned())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may have ended already, and its socket may be gone: both is well.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_file(&self.socket);
    }
}

/// Does this event end the calling of this incident?
pub fn is_end(event: &Value, incident: &str) -> bool {
    let over = event["event"] == "incident.exhausted" || event["event"] == "incident.acknowledged";
    over && event["incident"] == incident
}

/// The number of somebody in the crowd.
pub fn number(place: usize) -> String {
    format!("+8150222{place:05}")
}

fn configuration(
    folder: &Path,
    socket: &Path,
    trunk: SocketAddr,
    sip: u16,
    legs: usize,
    (language, speech): (&str, &str),
) -> Result<String> {
    let data = folder.join("data");
    let places = u16::try_from(legs + 10).map_err(|error| error.to_string())?;
    let media = free_ports(places * 2)?;
    let last = media + places * 2 - 1;
    let crowd: Vec<String> = (0..legs).map(|place| format!("\"c{place}\"")).collect();
    let crowd = crowd.join(", ");
    let mut text = format!(
        r#"[node]
data_dir = {data:?}
language = {language:?}
[control]
socket = {socket:?}
[sip]
listen = ["udp:127.0.0.1:{sip}"]
[media]
address = "127.0.0.1"
ports = "{media}-{last}"
max_legs = {places}
[speech]
{speech}
[[trunk]]
id = "town"
proxy = "{trunk}"
codecs = ["PCMU"]
[[roster]]
id = "anna"
contacts = ["anna"]
[[roster]]
id = "pair"
contacts = ["anna", "bert"]
[[roster]]
id = "crowd"
contacts = [{crowd}]
[[call_flow]]
id = "busy"
roster = "anna"
guidance = "usual"
rounds = 1
[[call_flow]]
id = "pair"
roster = "pair"
guidance = "usual"
rounds = 1
[[call_flow]]
id = "crowd"
roster = "crowd"
guidance = "room"
strategy = "simultaneous"
answer = "all"
rounds = 1
[[guidance]]
id = "usual"
[guidance.keys]
1 = {{ do = "take", say = {CONFIRMATION:?} }}
2 = {{ do = "next", say = {CONFIRMATION:?} }}
[[guidance]]
id = "room"
room = "bridge"
[guidance.keys]
1 = {{ do = "join", say = {CONFIRMATION:?} }}
[[room]]
id = "bridge"
"#
    );
    let people = [("anna".to_owned(), ANNA.to_owned()), ("bert".to_owned(), BERT.to_owned())];
    let crowd = (0..legs).map(|place| (format!("c{place}"), number(place)));
    for (id, number) in people.into_iter().chain(crowd) {
        let _ = writeln!(text, "[[contact]]\nid = {id:?}\nphones = [{number:?}]");
    }
    Ok(text)
}

fn connect(child: &mut Child, socket: &Path) -> Result<BufReader<UnixStream>> {
    let end = now() + LIMIT;
    while now() < end {
        if let Some(status) = child.try_wait().map_err(|error| error.to_string())? {
            return Err(format!("the daemon ended early: {status}"));
        }
        if let Ok(stream) = UnixStream::connect(socket) {
            let limit = Duration::from_secs(20);
            stream.set_read_timeout(Some(limit)).map_err(|error| error.to_string())?;
            return Ok(BufReader::new(stream));
        }
        pause(5 * MS);
    }
    Err("the daemon opens no control socket".to_owned())
}

/// Everything the daemon tells from now on.
fn watch(socket: &Path) -> Result<Receiver<Value>> {
    let mut stream = UnixStream::connect(socket).map_err(|error| format!("watch: {error}"))?;
    stream.write_all(b"{\"op\":\"watch\"}\n").map_err(|error| format!("watch: {error}"))?;
    let mut lines = BufReader::new(stream);
    let answer = read_line(&mut lines)?;
    if answer["ok"] != true {
        return Err(format!("watch is refused: {answer}"));
    }
    let (send, events) = channel();
    std::thread::spawn(move || {
        // Ends with the daemon, whose end closes the connection, or with the bench.
        while let Ok(event) = read_line(&mut lines) {
            if send.send(event).is_err() {
                return;
            }
        }
    });
    Ok(events)
}

fn read_line(lines: &mut BufReader<UnixStream>) -> Result<Value> {
    let mut line = String::new();
    let length = lines.read_line(&mut line).map_err(|error| format!("control socket: {error}"))?;
    if length == 0 {
        return Err("the control socket was closed".to_owned());
    }
    serde_json::from_str(&line).map_err(|error| format!("{line}: {error}"))
}

/// The first of `count` neighbouring ports that are the bench's own, and none that the kernel gives to its telephones.
fn free_ports(count: u16) -> Result<u16> {
    hansho::rig::free_ports(count).ok_or_else(|| format!("no {count} free ports in a row"))
}
