//! Kamailio as the trunk: a registrar and proxy that challenges everything.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::{Process, Scene, until_bound};

/// A running trunk.
pub struct Kamailio {
    /// Where it speaks SIP.
    pub port: u16,
    process: Process,
}

impl Kamailio {
    /// Everybody's password.
    pub const PASSWORD: &str = "bell";

    /// Starts it with `tests/interop/kamailio.cfg`.
    pub fn start(scene: &Scene) -> Kamailio {
        let port = scene.port();
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/kamailio.cfg");
        let text = fs::read_to_string(source).expect("kamailio.cfg can be read");
        let text = text.replace("@PORT@", &port.to_string()).replace("@PASSWORD@", Kamailio::PASSWORD);
        let file = scene.write("kamailio.cfg", &text);
        let run = scene.path("");
        let program = ["/usr/sbin/kamailio", "kamailio"].into_iter().find(|path| Path::new(path).exists());
        let mut command = Command::new(program.unwrap_or("kamailio"));
        command.arg("-f").arg(file).args(["-DD", "-E", "-m", "32", "-M", "4", "-Y"]).arg(&run).arg("-w").arg(&run);
        let process = Process::start(scene, "kamailio", &mut command);
        until_bound(port);
        Kamailio { port, process }
    }

    /// Waits until this user has registered.
    pub fn knows(&mut self, user: &str) {
        self.process.says(&format!("registered {user} "));
    }

    /// Waits until this user has taken the registration back.
    pub fn forgets(&mut self, user: &str) {
        self.process.says(&format!("registered {user} expires 0"));
    }
}
