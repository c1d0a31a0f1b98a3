//! SIPp, with a scenario of `tools/sipp`.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::sys::signal::Signal;

use super::{Process, Scene, until, until_bound, until_heard};

/// A scenario, and then the run of it.
pub struct Sipp {
    scenario: String,
    address: &'static str,
    /// Without a number it runs until it is told to end.
    calls: Option<u32>,
    blanks: Vec<(String, String)>,
    arguments: Vec<&'static str>,
    tcp: bool,
    media: Option<SocketAddr>,
}

/// A run under way.
pub struct Running {
    /// Where it listens.
    pub port: u16,
    name: String,
    errors: PathBuf,
    messages: PathBuf,
    process: Process,
}

impl Sipp {
    /// The scenario `tools/sipp/NAME.xml`, run for one call.
    pub fn scenario(name: &str) -> Sipp {
        Sipp {
            scenario: name.to_owned(),
            address: "127.0.0.1",
            calls: Some(1),
            blanks: Vec::new(),
            arguments: Vec::new(),
            tcp: false,
            media: None,
        }
    }

    /// Fills the blank `{{name}}` of the scenario.
    pub fn with(mut self, name: &str, value: &str) -> Sipp {
        self.blanks.push((format!("{{{{{name}}}}}"), value.to_owned()));
        self
    }

    /// Ends after this many calls.
    pub fn calls(mut self, calls: u32) -> Sipp {
        self.calls = Some(calls);
        self
    }

    /// Takes calls until [`Running::drains`].
    pub fn for_ever(mut self) -> Sipp {
        self.calls = None;
        self
    }

    /// Every copy of a message counts as a message.
    pub fn sees_copies(mut self) -> Sipp {
        self.arguments.push("-nr");
        self
    }

    /// Passes over messages that its scenario does not foresee, instead of failing.
    pub fn patient(mut self) -> Sipp {
        self.arguments.extend(["-default_behaviors", "none"]);
        self
    }

    /// Speaks TCP.
    pub fn over_tcp(mut self) -> Sipp {
        self.arguments.extend(["-t", "t1"]);
        self.tcp = true;
        self
    }

    /// Speaks from this address of the loopback.
    pub fn from(mut self, address: &'static str) -> Sipp {
        self.address = address;
        self
    }

    /// Is on IPv6.
    pub fn over_ipv6(self) -> Sipp {
        Sipp { address: "::1", ..self }
    }

    /// Names this as the address of its voice, which is somebody else's.
    pub fn media_at(mut self, media: SocketAddr) -> Sipp {
        self.media = Some(media);
        self
    }

    /// Waits for calls.
    pub fn listens(self, scene: &Scene) -> Running {
        let port = scene.port();
        self.run(scene, port, None)
    }

    /// Waits for calls on a port that somebody was told already.
    pub fn listens_on(self, scene: &Scene, port: u16) -> Running {
        self.run(scene, port, None)
    }

    /// Calls.
    pub fn calls_on(self, scene: &Scene, port: u16, target: u16) -> Running {
        self.run(scene, port, Some(target))
    }

    fn run(self, scene: &Scene, port: u16, target: Option<u16>) -> Running {
        let source =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("tools/sipp").join(&self.scenario).with_extension("xml");
        let text = fs::read_to_string(&source).unwrap_or_else(|error| panic!("{}: {error}", source.display()));
        let six = self.address.contains(':');
        let text = match self.media {
            Some(at) => {
                let family = if at.is_ipv4() { "IP4" } else { "IP6" };
                let text = text.replace("IN IP4 [media_ip]", &format!("IN {family} {}", at.ip()));
                text.replace("[media_port]", &at.port().to_string())
            }
            None if six => text.replace("IN IP4 [media_ip]", "IN IP6 [media_ip]"),
            None => text,
        };
        let text = if six { text.replace("IN IP4 [local_ip]", "IN IP6 [local_ip]") } else { text };
        let text = self.blanks.iter().fold(text, |text, (blank, value)| text.replace(blank, value));
        let text = text.replace("{{cause}}", "16");
        let name = format!("sipp-{}-{port}", self.scenario);
        assert!(!text.contains("{{c") && !text.contains("{{u"), "{name}: a blank is not filled");
        let file = scene.write(&format!("{name}.xml"), &text);
        let errors = scene.path(&format!("{name}.errors"));
        let media = scene.ports(8);
        let mut command = Command::new("sipp");
        command.arg("-sf").arg(file).args(["-nostdin", "-i", self.address, "-mi", self.address]);
        command.args(["-p", &port.to_string(), "-mp", &media.to_string(), "-cp", &scene.port().to_string()]);
        if let Some(calls) = self.calls {
            command.args(["-m", &calls.to_string(), "-timeout", "180s", "-timeout_error"]);
        }
        command.args(self.arguments);
        command.arg("-trace_err").arg("-error_file").arg(&errors);
        let messages = scene.path(&format!("{name}.messages"));
        command.arg("-trace_msg").arg("-message_file").arg(&messages);
        command.args(target.map(|port| format!("{}:{port}", if six { "[::1]" } else { "127.0.0.1" })));
        let process = Process::start(scene, &name, &mut command);
        match target {
            None if self.tcp => until_heard(port),
            None => until_bound(port),
            Some(_) => {}
        }
        Running { port, name, errors, messages, process }
    }
}

impl Running {
    /// Waits until a message that it sent or received holds this line.
    pub fn saw(&self, line: &str) {
        until(&format!("{} to see `{line}`", self.name), || {
            let messages = fs::read(&self.messages).unwrap_or_default();
            String::from_utf8_lossy(&messages).lines().any(|other| other.trim_end() == line).then_some(())
        });
    }

    /// Waits until a message that it sent or received holds this, and gives the rest of that line.
    pub fn after(&self, begin: &str) -> String {
        until(&format!("{} to see `{begin}`", self.name), || {
            let messages = fs::read(&self.messages).unwrap_or_default();
            let text = String::from_utf8_lossy(&messages).into_owned();
            text.lines().find_map(|line| line.split_once(begin)).map(|(_, rest)| rest.trim_end().to_owned())
        })
    }

    /// Takes no new calls and ends when those under way are over, which all must have gone as written. Gives their
    /// number.
    pub fn drains(mut self) -> usize {
        // SIGUSR1 is SIPp's word for it.
        self.process.signal(Signal::SIGUSR1);
        let status = self.process.ends();
        let errors = fs::read_to_string(&self.errors).unwrap_or_default();
        assert!(status.success(), "{} saw something else than its scenario ({status}): {errors}", self.name);
        let messages = fs::read(&self.messages).unwrap_or_default();
        String::from_utf8_lossy(&messages).lines().filter(|line| line.starts_with("SIP/2.0 180 ")).count()
    }

    /// Waits for the end of the scenario, which must have gone as written.
    pub fn passes(mut self) {
        let status = self.process.ends();
        let errors = fs::read_to_string(&self.errors).unwrap_or_default();
        assert!(status.success(), "{} saw something else than its scenario ({status}): {errors}", self.name);
    }
}
