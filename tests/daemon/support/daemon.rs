//! The real binary: its configuration, its process, its end.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex};

use hansho::base::IncidentId;
use hansho::incident::Fact;
use hansho::store::Reader;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

use super::{Folder, Habit, Line, Phones, Watch, free_port, free_ports, until};

/// A place to test in: telephones, and the configuration of the daemon that will call them.
pub struct World {
    pub phones: Phones,
    pub sip: u16,
    pub media: u16,
    pub data: PathBuf,
    pub socket: PathBuf,
    pub config: PathBuf,
    pub folder: Folder,
    people: Vec<String>,
    flow: String,
    guidance: String,
    trunk: String,
    contact: String,
    more: String,
}

impl World {
    pub fn new(name: &str) -> World {
        let folder = Folder::new(name);
        let path = |file: &str| folder.path().join(file);
        World {
            phones: Phones::plug_in(),
            sip: free_port(),
            media: free_ports(16),
            data: path("data"),
            socket: path("control.sock"),
            config: path("sip-trunk.toml"),
            folder,
            people: Vec::new(),
            flow: String::new(),
            guidance: String::new(),
            trunk: String::new(),
            contact: String::new(),
            more: String::new(),
        }
    }

    /// The next one on the roster.
    pub fn person(mut self, number: &str, habit: Habit) -> World {
        self.phones.habit(number, habit);
        self.people.push(number.to_owned());
        self
    }

    /// More lines of the call flow.
    pub fn flow(mut self, lines: &str) -> World {
        self.flow = lines.to_owned();
        self
    }

    /// More lines of the guidance.
    pub fn guidance(mut self, lines: &str) -> World {
        self.guidance = lines.to_owned();
        self
    }

    /// More lines of the trunk.
    pub fn trunk(mut self, lines: &str) -> World {
        self.trunk = lines.to_owned();
        self
    }

    /// More lines of every contact.
    pub fn contact(mut self, lines: &str) -> World {
        self.contact = lines.to_owned();
        self
    }

    /// More tables.
    pub fn more(mut self, text: &str) -> World {
        self.more.push_str(text);
        self
    }

    pub fn write_config(&self) {
        std::fs::write(&self.config, self.text()).expect("a configuration can be written");
    }

    pub fn text(&self) -> String {
        let World { sip, media, data, socket, people, flow, guidance, trunk, contact, more, .. } = self;
        let last = media + 15;
        let proxy = self.phones.address();
        let name = |number: &String| format!("p{}", number.trim_start_matches('+'));
        let ids: Vec<String> = people.iter().map(|number| format!("\"{}\"", name(number))).collect();
        let ids = ids.join(", ");
        let contacts: String = people
            .iter()
            .map(|number| format!("[[contact]]\nid = \"{}\"\nphones = [\"{number}\"]\n{contact}", name(number)))
            .collect();
        format!(
            r#"[node]
data_dir = {data:?}
language = "en"
[control]
socket = {socket:?}
[sip]
listen = ["udp:127.0.0.1:{sip}"]
[media]
ports = "{media}-{last}"
max_legs = 8
[speech]
timeout = "60s"
voices.ja = ["command"]
command.ja = ["/bin/false", "{{out}}"]
voices.en = ["command"]
command.en = ["/bin/false", "{{out}}"]
[[trunk]]
id = "outside"
proxy = "{proxy}"
{trunk}
{contacts}
[[roster]]
id = "everybody"
contacts = [{ids}]
[[call_flow]]
id = "oncall"
roster = "everybody"
guidance = "usual"
{flow}
[[guidance]]
id = "usual"
{guidance}
keys.1 = {{ do = "take" }}
keys.2 = {{ do = "next" }}
keys.3 = {{ do = "join" }}
{more}"#
        )
    }

    /// Starts the daemon and waits until it is up.
    pub fn start(&self) -> Daemon {
        self.write_config();
        Daemon::start(&self.config, &self.socket)
    }

    /// Everything the journal holds of an incident.
    pub fn facts(&self, incident: &str) -> Vec<Fact> {
        let reader = Reader::open(&self.data.join("hansho.db")).expect("the journal can be read");
        let id: IncidentId = incident.parse().expect("an incident's id");
        reader.facts(id).expect("the facts can be read").into_iter().map(|(_, fact)| fact).collect()
    }

    /// A command of the command line against this daemon.
    pub fn command(&self, arguments: &[&str]) -> Output {
        let socket = self.socket.to_str().expect("a path is text");
        hansho(&[arguments, &["--socket", socket]].concat())
    }
}

/// Runs the binary to its end.
pub fn hansho(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_hansho")).args(arguments).output().expect("the binary runs")
}

/// A running `hansho run`; it does not outlive its test.
pub struct Daemon {
    child: Child,
    said: Arc<Mutex<String>>,
    pub socket: PathBuf,
}

impl Daemon {
    pub fn start(config: &Path, socket: &Path) -> Daemon {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hansho"));
        command.args(["run", "--config"]).arg(config);
        Daemon::run(command, socket)
    }

    /// Runs a command that becomes the daemon, and waits until it is up.
    pub fn run(mut command: Command, socket: &Path) -> Daemon {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).env_remove("RUST_LOG");
        let mut child = command.spawn().expect("the binary runs");
        let said = Arc::new(Mutex::new(String::new()));
        listen(child.stderr.take().expect("stderr is piped"), said.clone());
        let mut daemon = Daemon { child, said, socket: socket.to_owned() };
        until("the daemon to be up", || {
            let ended = daemon.child.try_wait().expect("a child can be waited for");
            assert!(ended.is_none(), "the daemon ended ({ended:?}): {}", daemon.said());
            let up = daemon.said().contains("hansho is up");
            (up && UnixStream::connect(&daemon.socket).is_ok()).then_some(())
        });
        daemon
    }

    /// What it logged.
    pub fn said(&self) -> String {
        self.said.lock().map(|said| said.clone()).unwrap_or_default()
    }

    pub fn ask(&self, request: &Value) -> Value {
        Line::open(&self.socket).ask(request)
    }

    pub fn watch(&self) -> Watch {
        Watch::start(&self.socket)
    }

    /// Raises an incident and gives its id.
    pub fn trigger(&self) -> String {
        let answer = self.ask(&json!({ "op": "trigger", "call_flow": "oncall", "message": "The disk is full." }));
        assert_eq!(answer["ok"], true, "{answer}");
        answer["incident"].as_str().expect("an incident's id").to_owned()
    }

    /// One incident of the status.
    pub fn status(&self, incident: &str) -> Value {
        let answer = self.ask(&json!({ "op": "status", "incident": incident }));
        assert_eq!(answer["ok"], true, "{answer}");
        answer["incidents"][0].clone()
    }

    /// Waits until an incident is in this state, and gives its status.
    pub fn comes_to(&self, incident: &str, state: &str) -> Value {
        until(&format!("{incident} to be {state}"), || {
            Some(self.status(incident)).filter(|status| status["state"] == state)
        })
    }

    pub fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).expect("a process id is small")
    }

    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.pid()), signal).expect("our own child can be signalled");
    }

    /// True when all its threads have been stopped by a signal.
    pub fn is_still(&self) -> bool {
        let threads = std::fs::read_dir(format!("/proc/{}/task", self.pid())).expect("the daemon is there");
        let stat = |thread: std::fs::DirEntry| std::fs::read_to_string(thread.path().join("stat")).unwrap_or_default();
        threads.flatten().map(stat).all(|stat| stat.rsplit_once(") ").is_none_or(|(_, rest)| rest.starts_with('T')))
    }

    /// Waits until it has ended.
    pub fn ends(&mut self) -> ExitStatus {
        until("the daemon to end", || self.child.try_wait().expect("a child can be waited for"))
    }

    /// A power cut.
    pub fn dies(mut self) {
        self.signal(Signal::SIGKILL);
        self.ends();
    }

    /// True while it runs and answers.
    pub fn is_well(&mut self) -> bool {
        self.child.try_wait().is_ok_and(|ended| ended.is_none()) && self.ask(&json!({ "op": "status" }))["ok"] == true
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if self.child.try_wait().is_ok_and(|ended| ended.is_none()) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        if std::thread::panicking() {
            eprintln!("the daemon said:\n{}", self.said());
        }
    }
}

fn listen(pipe: impl Read + Send + 'static, said: Arc<Mutex<String>>) {
    std::thread::spawn(move || {
        let mut pipe = BufReader::new(pipe);
        let mut line = Vec::new();
        while pipe.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
            if let Ok(mut said) = said.lock() {
                said.push_str(&String::from_utf8_lossy(&line));
            }
            line.clear();
        }
    });
}
