//! The real binary: its configuration file, its process, its control socket.

use std::fmt::Write;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use super::control::{self, Watch};
use super::process::Process;
use super::{Scene, until};

/// The configuration file, as far as tests differ in it.
pub struct Settings {
    trunk: String,
    people: Vec<(String, String)>,
    flow: String,
    guidance: String,
    language: &'static str,
    ears: &'static str,
    more: String,
    node: String,
    doors: String,
    sip: String,
    ipv6: bool,
    both: bool,
}

impl Settings {
    /// One trunk without a registrar at this port, and nobody on the roster yet.
    pub fn trunk_at(port: u16) -> Settings {
        Settings {
            trunk: format!("proxy = \"127.0.0.1:{port}\"\n"),
            people: Vec::new(),
            flow: String::new(),
            guidance: "first_key_timeout = \"1s\"\nreadings = 1\nrepeats = 1\n".to_owned(),
            language: "en",
            ears: "en",
            more: String::new(),
            node: String::new(),
            doors: String::new(),
            sip: String::new(),
            ipv6: false,
            both: false,
        }
    }

    /// The same on IPv6, though hansho listens on both.
    pub fn trunk_on_ipv6(port: u16) -> Settings {
        Settings { trunk: format!("proxy = \"[::1]:{port}\"\n"), ..Settings::trunk_at(0) }.over_both()
    }

    /// No trunk: whoever is rung registers at hansho itself, as this user with this password.
    pub fn at_home(user: &str, password: &str) -> Settings {
        let mut settings = Settings::trunk_at(0);
        settings.trunk.clear();
        settings.more(&format!(
            "[registrar]\nrealm = \"house.test\"\n[[user]]\nname = \"{user}\"\npassword = \"{password}\""
        ))
    }

    /// Lines of the registrar.
    pub fn registrar(mut self, lines: &str) -> Settings {
        self.more = self.more.replacen("[registrar]\n", &format!("[registrar]\n{lines}\n"), 1);
        self
    }

    /// One trunk that is known by its name alone, which this name server on loopback knows.
    pub fn trunk_named(name: &str, name_server: u16) -> Settings {
        let sip = format!("resolver = \"127.0.0.1:{name_server}\"\n");
        Settings { trunk: format!("proxy = \"{name}\"\n"), sip, ..Settings::trunk_at(0) }
    }

    /// Everything is on IPv6.
    pub fn over_ipv6(self) -> Settings {
        Settings { ipv6: true, ..self }
    }

    /// hansho listens on IPv6 as well, at the same ports.
    pub fn over_both(self) -> Settings {
        Settings { both: true, ..self }
    }

    /// The trunk wants to know who we are.
    pub fn account(mut self, username: &str, password: &str) -> Settings {
        writeln!(self.trunk, "username = \"{username}\"\npassword = \"{password}\"").expect("a text can be written");
        self
    }

    /// Lines of the trunk.
    pub fn trunk(mut self, lines: &str) -> Settings {
        writeln!(self.trunk, "{lines}").expect("a text can be written");
        self
    }

    /// hansho takes connections, too, at this port.
    pub fn takes_connections(mut self, port: u16) -> Settings {
        self.doors.push_str(&format!(", \"tcp:127.0.0.1:{port}\""));
        self
    }

    /// The same over TLS, with this certificate and the key in one file.
    pub fn takes_tls(mut self, port: u16, certificate: &std::path::Path) -> Settings {
        self.doors.push_str(&format!(", \"tls:127.0.0.1:{port}\""));
        writeln!(self.sip, "tls_certificate = {certificate:?}\ntls_key = {certificate:?}")
            .expect("a text can be written");
        self
    }

    /// The trunk is registered with.
    pub fn registers(mut self) -> Settings {
        self.trunk.push_str("registrar = \"127.0.0.1\"\n");
        self
    }

    /// The next one on the roster.
    pub fn person(mut self, id: &str, phone: &str) -> Settings {
        self.people.push((id.to_owned(), phone.to_owned()));
        self
    }

    /// Lines of the call flow.
    pub fn flow(mut self, lines: &str) -> Settings {
        writeln!(self.flow, "{lines}").expect("a text can be written");
        self
    }

    /// The node speaks this language.
    pub fn speaks(mut self, language: &'static str) -> Settings {
        self.language = language;
        self
    }

    /// Everybody on the roster is spoken to in this language.
    pub fn hears(mut self, language: &'static str) -> Settings {
        self.ears = language;
        self
    }

    /// Lines of the node.
    pub fn node(mut self, lines: &str) -> Settings {
        writeln!(self.node, "{lines}").expect("a text can be written");
        self
    }

    /// More sections.
    pub fn more(mut self, lines: &str) -> Settings {
        writeln!(self.more, "{lines}").expect("a text can be written");
        self
    }

    /// Those who take it go into a room.
    pub fn with_room(mut self) -> Settings {
        self.guidance.push_str("room = \"bridge\"\n");
        self
    }

    /// The file, for commands that need no daemon.
    pub fn written(&self, scene: &Scene) -> PathBuf {
        scene.write("sip-trunk.toml", &self.text(scene, scene.port(), scene.ports(16)))
    }

    fn text(&self, scene: &Scene, sip: u16, media: u16) -> String {
        let Settings { trunk, people, flow, guidance, language, ears, more, node, doors, sip: sip_lines, ipv6, both } =
            self;
        let flow = if flow.contains("rounds") { flow.clone() } else { format!("rounds = 1\n{flow}") };
        let names: Vec<String> = people.iter().map(|(id, _)| format!("{id:?}")).collect();
        let (names, dir, socket) = (names.join(", "), scene.path("data"), scene.socket());
        let trunk = if trunk.is_empty() { String::new() } else { format!("[[trunk]]\nid = \"outside\"\n{trunk}") };
        let (mut listen, mut voice) = (format!("\"udp:127.0.0.1:{sip}\"{doors}"), "\"127.0.0.1\"".to_owned());
        if *both {
            listen = format!("{listen}, {}", listen.replace("127.0.0.1", "[::1]"));
            voice = format!("[{voice}, \"::1\"]");
        }
        let mut text = format!(
            r#"[node]
data_dir = {dir:?}
language = {language:?}
{node}[control]
socket = {socket:?}
[sip]
listen = [{listen}]
{sip_lines}[media]
address = {voice}
ports = "{media}-{last}"
max_legs = 8
{trunk}
[[roster]]
id = "everybody"
contacts = [{names}]
[[call_flow]]
id = "oncall"
roster = "everybody"
guidance = "usual"
{flow}
[[guidance]]
id = "usual"
{guidance}
[guidance.keys]
1 = {{ do = "take" }}
2 = {{ do = "next" }}
[[room]]
id = "bridge"
{more}"#,
            last = media + 15
        );
        for (id, phone) in people {
            let block = format!("[[contact]]\nid = {id:?}\nname = {id:?}\nphones = [{phone:?}]\nlanguage = {ears:?}\n");
            text.push_str(&block);
        }
        if *ipv6 { text.replace("\"127.0.0.1\"", "\"::1\"").replace("127.0.0.1:", "[::1]:") } else { text }
    }
}

/// A running `hansho run`.
pub struct Daemon {
    /// Where it speaks SIP.
    pub port: u16,
    /// Everything it tells.
    pub events: Watch,
    config: PathBuf,
    socket: PathBuf,
    process: Process,
}

impl Daemon {
    /// Writes the configuration, starts the daemon, and watches it.
    pub fn start(scene: &Scene, settings: &Settings) -> Daemon {
        let (port, media) = (scene.port(), scene.ports(16));
        let config = scene.write("sip-trunk.toml", &settings.text(scene, port, media));
        Daemon::run(scene, config, port, "hansho")
    }

    /// Takes it down as a power cut would, and starts it again on what it left.
    pub fn power_cut(mut self, scene: &Scene) -> Daemon {
        self.process.die();
        let (config, port) = (self.config.clone(), self.port);
        // It takes its socket's file with it, which must not be the next one's.
        drop(self);
        Daemon::run(scene, config, port, "hansho-again")
    }

    /// Goes on for that long: a power cut comes at no special moment.
    pub fn lives(&self, long: Duration) {
        std::thread::park_timeout(long);
    }

    fn run(scene: &Scene, config: PathBuf, port: u16, name: &str) -> Daemon {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hansho"));
        command.args(["run", "--config"]).arg(&config);
        let mut process = Process::start(scene, name, &mut command);
        let socket = scene.socket();
        until("the daemon to open its control socket", || {
            process.is_up();
            std::os::unix::net::UnixStream::connect(&socket).ok()
        });
        let events = Watch::start(&socket, &scene.path(&format!("{name}.events")));
        Daemon { port, events, config, socket, process }
    }

    /// Raises an incident; returns its id.
    pub fn trigger(&self) -> String {
        let answer = self.ask(&json!({ "op": "trigger", "call_flow": "oncall", "message": "The disk is full." }));
        assert_eq!(answer["ok"], true, "the trigger is accepted: {answer}");
        answer["incident"].as_str().unwrap_or_else(|| panic!("an incident's id: {answer}")).to_owned()
    }

    /// Sends one request to the control socket.
    pub fn ask(&self, request: &Value) -> Value {
        control::ask(&self.socket, request)
    }

    /// Waits until its first trunk is registered at. The event may have come before anybody watched.
    pub fn is_registered(&self) {
        until("the trunk to be registered at", || {
            let status = self.ask(&json!({ "op": "status" }));
            (status["trunks"][0]["registered"] == true).then_some(())
        });
    }

    /// What a command of the command line says about this daemon.
    pub fn command(&self, arguments: &[&str]) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hansho"));
        let said = command.args(arguments).arg("--socket").arg(&self.socket).output().expect("the binary runs");
        assert!(said.status.success(), "{said:?}");
        String::from_utf8(said.stdout).expect("a command writes text")
    }

    /// How the attempt ended: outcome and SIP code.
    pub fn outcome(&self, contact: &str) -> (String, Option<u64>) {
        let ended = self.events.until("attempt.ended", &[("contact", contact)]);
        (ended["outcome"].as_str().unwrap_or_default().to_owned(), ended["code"].as_u64())
    }

    /// Asks it to stop; it must do so properly.
    pub fn stops(mut self) {
        let status = self.process.stop();
        assert!(status.success(), "the daemon stops properly: {status}");
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.socket);
    }
}
