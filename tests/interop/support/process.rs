//! A program somebody else wrote (or ours), with its output kept, that never outlives its test.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Instant;

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;

use super::{LIMIT, Scene, until};

pub struct Process {
    name: String,
    child: Child,
    lines: Receiver<String>,
    heard: Vec<String>,
}

impl Process {
    /// Starts it in a process group of its own; what it says goes to `NAME.log` and can be waited for.
    pub fn start(scene: &Scene, name: &str, command: &mut Command) -> Process {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        let program = command.get_program().to_string_lossy().into_owned();
        let mut child = command
            .spawn()
            .unwrap_or_else(|error| panic!("{program} does not start ({error}): tools/test installs what is needed"));
        let log = File::create(scene.path(&format!("{name}.log"))).expect("a log can be written");
        let (send, lines) = channel();
        let second = log.try_clone().expect("a log can be shared");
        listen(child.stdout.take().expect("stdout is piped"), log, send.clone());
        listen(child.stderr.take().expect("stderr is piped"), second, send);
        Process { name: name.to_owned(), child, lines, heard: Vec::new() }
    }

    /// Waits until it says a line that contains `what`; said earlier counts as well.
    pub fn says(&mut self, what: &str) {
        let end = Instant::now() + LIMIT;
        while !self.heard.iter().any(|line| line.contains(what)) {
            match self.lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(line) => self.heard.push(line),
                Err(_) => panic!("{} never said `{what}`; it said:\n{}", self.name, self.heard.join("\n")),
            }
        }
    }

    /// Types a line.
    pub fn types(&mut self, line: &str) {
        let input = self.child.stdin.as_mut().expect("its input is piped");
        writeln!(input, "{line}").unwrap_or_else(|error| panic!("{} takes no input: {error}", self.name));
    }

    /// Fails when it has ended, with what it said.
    pub fn is_up(&mut self) {
        if let Some(status) = self.child.try_wait().expect("a child can be waited for") {
            let said: Vec<String> = self.lines.iter().collect();
            panic!("{} ended early ({status}); it said:\n{}", self.name, said.join("\n"));
        }
    }

    /// Waits until it ends by itself.
    pub fn ends(&mut self) -> ExitStatus {
        let what = format!("{} to end", self.name);
        until(&what, || self.child.try_wait().expect("a child can be waited for"))
    }

    /// Asks it to end, and waits.
    pub fn stop(&mut self) -> ExitStatus {
        self.signal(Signal::SIGTERM);
        self.ends()
    }

    /// Takes it down as a power cut would.
    pub fn die(&mut self) {
        self.signal(Signal::SIGKILL);
        self.ends();
    }

    /// Sends it a signal, when it is still there.
    pub fn signal(&mut self, signal: Signal) {
        if self.child.try_wait().is_ok_and(|ended| ended.is_none()) {
            kill(self.pid(), signal).expect("our own child can be signalled");
        }
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).expect("a process id is small"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The group is this program's own: its children go with it, and nobody else does.
        if self.child.try_wait().is_ok_and(|ended| ended.is_none()) {
            let _ = killpg(self.pid(), Signal::SIGKILL);
            let _ = self.child.wait();
        }
    }
}

fn listen(pipe: impl Read + Send + 'static, mut log: File, lines: Sender<String>) {
    std::thread::spawn(move || {
        let mut pipe = BufReader::new(pipe);
        let mut line = Vec::new();
        while pipe.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
            let _ = log.write_all(&line);
            let _ = lines.send(String::from_utf8_lossy(&line).trim_end().to_owned());
            line.clear();
        }
    });
}
