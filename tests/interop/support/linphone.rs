//! linphone as a telephone without a screen: it picks up by itself, presses keys as RFC 4733 events, records what it
//! hears.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use super::{Process, Scene, sound, until, until_bound};

/// A running telephone.
pub struct Linphone {
    /// Where it speaks SIP.
    pub port: u16,
    heard: PathBuf,
    process: Process,
}

impl Linphone {
    /// A telephone of this user that registers at whatever `registrar` says, a section of linphone's own file.
    pub fn start(scene: &Scene, user: &str, registrar: &str) -> Linphone {
        let name = format!("linphone-{user}");
        let (folder, port, media) = (scene.path(&name), scene.port(), scene.ports(2));
        // Where it keeps its books; it makes the file, not the folder.
        fs::create_dir_all(folder.join(".local/share/linphone")).expect("a folder can be made");
        let (settings, heard) = (folder.join("linphonerc"), folder.join("heard.wav"));
        let text = format!(
            "[sip]\nsip_port={port}\nsip_tcp_port=-2\nsip_tls_port=-2\nguess_hostname=0\nuse_info=0\nuse_rfc2833=1\n\
             register_only_when_network_is_up=0\ncontact=sip:{user}@127.0.0.1\n[net]\nmtu=1300\n\
             [rtp]\naudio_rtp_port={media}\n[sound]\nechocancellation=0\n{registrar}"
        );
        fs::write(&settings, text).expect("a file can be written");
        let mut command = Command::new("linphonec");
        let mut process = Process::start(scene, &name, command.arg("-a").arg("-c").arg(&settings).env("HOME", &folder));
        process.types("soundcard use files");
        process.types(&format!("record {}", heard.display()));
        until_bound(port);
        Linphone { port, heard, process }
    }

    /// Presses a key.
    pub fn presses(&mut self, digit: char) {
        self.process.types(&digit.to_string());
    }

    /// Waits until it has heard this many seconds of its call.
    pub fn listens(&self, seconds: u64) {
        let size = || fs::metadata(&self.heard).map_or(0, |file| file.len());
        until(&format!("linphone to hear {seconds} s"), || (size() >= seconds * 16_000).then_some(()));
    }

    /// Goes home, and tells what it heard: the length stands in the file's head only then.
    pub fn heard(mut self) -> Vec<i16> {
        self.process.types("quit");
        self.process.ends();
        sound::read(&self.heard)
    }
}
