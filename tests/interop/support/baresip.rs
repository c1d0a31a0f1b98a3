//! baresip as a telephone: it picks up by itself, plays a file into the call, and records what it hears.

use std::collections::VecDeque;
use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};
use std::time::Instant;

use serde_json::{Value, json};

use super::{Daemon, LIMIT, Process, Scene, sound, until, until_bound};

/// A certificate of its own with the key behind it, made out to nobody.
pub fn certificate(scene: &Scene) -> std::path::PathBuf {
    scene.write("baresip.pem", include_str!("../../../src/shell/transport/tests/own.pem"))
}

/// A running telephone.
pub struct Baresip {
    /// Where it speaks SIP.
    pub port: u16,
    name: String,
    folder: std::path::PathBuf,
    control: TcpStream,
    events: Receiver<Value>,
    _process: Process,
}

impl Baresip {
    /// A telephone with this number that plays `says` (8,000 samples a second) from the moment it picks up.
    ///
    /// `codec` is PCMU or PCMA. With a registrar's port and password it registers there.
    pub fn start(scene: &Scene, number: &str, codec: &str, says: &[i16], registrar: Option<(u16, &str)>) -> Baresip {
        let account = match registrar {
            Some((at, password)) => {
                format!("<sip:{number}@127.0.0.1:{at}>;auth_user={number};auth_pass={password};regint=60")
            }
            None => format!("<sip:{number}@127.0.0.1:PORT>;regint=0"),
        };
        Baresip::with_account(scene, number, codec, says, &account)
    }

    /// The same with a whole line of baresip's accounts, in which `PORT` is where it speaks SIP.
    pub fn with_account(scene: &Scene, number: &str, codec: &str, says: &[i16], account: &str) -> Baresip {
        Baresip::at(scene, "127.0.0.1", number, (codec, says), account)
    }

    /// A telephone on IPv6, which registers nowhere.
    pub fn on_ipv6(scene: &Scene, number: &str, codec: &str, says: &[i16]) -> Baresip {
        Baresip::at(scene, "::1", number, (codec, says), &format!("<sip:{number}@[::1]:PORT>;regint=0"))
    }

    /// The same at this address of the loopback.
    pub fn at(scene: &Scene, ip: &str, number: &str, (codec, says): (&str, &[i16]), account: &str) -> Baresip {
        let six = ip.contains(':');
        let host = if six { format!("[{ip}]") } else { ip.to_owned() };
        let name = format!("baresip{number}");
        let folder = scene.path(&name);
        fs::create_dir_all(&folder).expect("a folder can be made");
        sound::write(&folder.join("says.wav"), says);
        // Unasked it listens for TLS as well, on the port behind.
        let (port, control, media) = (scene.ports(2), scene.port(), scene.ports(8));
        let own = |file: &str| folder.join(file).display().to_string();
        fs::write(
            folder.join("config"),
            format!(
                "sip_certificate {certificate}\npoll_method epoll\nnet_interface {ip}\nsip_listen {host}:{port}\ncall_max_calls 4\n\
                 audio_player aufile,{heard}\naudio_source aufile,{says}\naudio_alert aufile,/dev/null\n\
                 audio_level no\nausrc_format s16\nauplay_format s16\naudio_buffer 20-160\n\
                 rtp_ports {media}-{last}\nrtcp_mux no\njitter_buffer_delay 2-10\nrtp_stats no\n\
                 module_path /usr/lib/baresip/modules\nmodule g711.so\nmodule srtp.so\nmodule aufile.so\nmodule sndfile.so\n\
                 module uuid.so\nmodule_tmp account.so\nmodule_app menu.so\nmodule_app ctrl_tcp.so\n\
                 ctrl_tcp_listen 127.0.0.1:{control}\nsnd_path {folder}\n",
                heard = own("player.wav"),
                says = own("says.wav"),
                last = media + 7,
                certificate = certificate(scene).display(),
                folder = folder.display(),
            ),
        )
        .expect("a file can be written");
        let account = account.replace("PORT", &port.to_string());
        fs::write(folder.join("accounts"), format!("{account};answermode=auto;audio_codecs={codec}/8000/1;ptime=20\n"))
            .expect("a file can be written");
        fs::write(folder.join("contacts"), "").expect("a file can be written");
        let mut process =
            Process::start(scene, &name, Command::new("baresip").args(six.then_some("-6")).arg("-f").arg(&folder));
        until_bound(port);
        let control = until("baresip's control port", || {
            process.is_up();
            TcpStream::connect((Ipv4Addr::LOCALHOST, control)).ok()
        });
        let events = listen(control.try_clone().expect("a socket can be shared"));
        Baresip { port, name, folder, control, events, _process: process }
    }

    /// Waits for an event of baresip's own, `CALL_ESTABLISHED` for one.
    pub fn until(&self, kind: &str) {
        let end = Instant::now() + LIMIT;
        loop {
            match self.events.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(event) if event["type"] == kind => return,
                Ok(_) => {}
                Err(_) => panic!("{} never said {kind}", self.name),
            }
        }
    }

    /// Presses a key: baresip sends it as RFC 4733 events.
    pub fn presses(&mut self, digit: char) {
        self.command("sndcode", &digit.to_string());
    }

    /// Hangs up.
    pub fn hangs_up(&mut self) {
        self.command("hangup", "");
    }

    /// Calls somebody.
    pub fn dials(&mut self, uri: &str) {
        self.command("dial", uri);
    }

    /// An incident rings it, and its owner, who is `anna`, listens and takes it.
    pub fn takes_it(&mut self, daemon: &Daemon) {
        daemon.trigger();
        daemon.events.until("attempt.prompt_started", &[("contact", "anna")]);
        self.listens(1);
        self.presses('1');
        assert_eq!(daemon.outcome("anna"), ("taken".to_owned(), Some(200)));
        self.until("CALL_CLOSED");
    }

    /// Waits until it has heard this much more, in seconds, while the call goes on.
    pub fn listens(&self, seconds: u64) {
        let size = || self.recording().and_then(|file| fs::metadata(file).ok()).map_or(0, |file| file.len());
        let goal = size() + seconds * 16_000;
        until(&format!("{} to hear {seconds} s", self.name), || (size() >= goal).then_some(()));
    }

    /// What it heard in its call. The length stands in the file's head only when the call is over.
    pub fn heard(&self) -> Vec<i16> {
        until(&format!("{} to end its recording", self.name), || {
            self.recording().map(|file| sound::read(&file)).filter(|sound| !sound.is_empty())
        })
    }

    fn recording(&self) -> Option<std::path::PathBuf> {
        let files = fs::read_dir(&self.folder).expect("a folder can be listed");
        let files = files.map(|entry| entry.expect("a folder can be listed").path());
        files.filter(|file| file.to_string_lossy().ends_with("-dec.wav")).max()
    }

    fn command(&mut self, command: &str, parameters: &str) {
        let text = json!({ "command": command, "params": parameters, "token": "test" }).to_string();
        let framed = format!("{}:{text},", text.len());
        self.control.write_all(framed.as_bytes()).expect("baresip takes commands");
    }
}

/// Reads netstrings of JSON.
fn listen(mut stream: TcpStream) -> Receiver<Value> {
    let (send, receive) = channel();
    std::thread::spawn(move || {
        let (mut held, mut piece) = (VecDeque::new(), [0; 4096]);
        while let Ok(length @ 1..) = stream.read(&mut piece) {
            held.extend(&piece[..length]);
            while let Some(event) = next(&mut held) {
                let _ = send.send(event);
            }
        }
    });
    receive
}

fn next(held: &mut VecDeque<u8>) -> Option<Value> {
    let colon = held.iter().position(|b| *b == b':')?;
    let length: usize = held.iter().take(colon).map(|b| char::from(*b)).collect::<String>().parse().ok()?;
    if held.len() < colon + length + 2 {
        return None;
    }
    let whole: Vec<u8> = held.drain(..colon + length + 2).collect();
    serde_json::from_slice(&whole[colon + 1..=colon + length]).ok()
}
