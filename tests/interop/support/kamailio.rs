//! Kamailio as the trunk: a registrar and proxy that challenges everything.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::{Process, Scene, until_bound, until_listening};

/// A running trunk.
pub struct Kamailio {
    /// Where it speaks SIP.
    pub port: u16,
    /// Where it speaks SIP over TLS, if it does.
    pub tls: u16,
    process: Process,
}

impl Kamailio {
    /// Everybody's password.
    pub const PASSWORD: &str = "bell";

    /// Starts it with `tests/interop/kamailio.cfg`.
    pub fn start(scene: &Scene) -> Kamailio {
        Kamailio::start_with(scene, 0, |text| text)
    }

    /// The same, which speaks TCP at the port of UDP as well, and TLS with this certificate and key.
    pub fn start_tls(scene: &Scene, certificate: &Path) -> Kamailio {
        let tls = scene.port();
        let file = certificate.display();
        let streams = format!(
            "tcp_children=1\nenable_tls=yes\nlisten=tcp:127.0.0.1:@PORT@\nlisten=tls:127.0.0.1:{tls}\n\
             loadmodule \"tls.so\"\nmodparam(\"tls\", \"certificate\", \"{file}\")\n\
             modparam(\"tls\", \"private_key\", \"{file}\")\nmodparam(\"tls\", \"tls_method\", \"TLSv1.2+\")\n"
        );
        Kamailio::start_with(scene, tls, |text| text.replace("disable_tcp=yes\n", &streams))
    }

    fn start_with(scene: &Scene, tls: u16, change: impl FnOnce(String) -> String) -> Kamailio {
        let port = scene.port();
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/kamailio.cfg");
        let text = change(fs::read_to_string(source).expect("kamailio.cfg can be read"));
        let text = text.replace("@PORT@", &port.to_string()).replace("@PASSWORD@", Kamailio::PASSWORD);
        let file = scene.write("kamailio.cfg", &text);
        let run = scene.path("");
        let program = ["/usr/sbin/kamailio", "kamailio"].into_iter().find(|path| Path::new(path).exists());
        let mut command = Command::new(program.unwrap_or("kamailio"));
        command.arg("-f").arg(file).args(["-DD", "-E", "-m", "32", "-M", "4", "-Y"]).arg(&run).arg("-w").arg(&run);
        let process = Process::start(scene, "kamailio", &mut command);
        until_bound(port);
        if tls != 0 {
            until_listening(tls);
        }
        Kamailio { port, tls, process }
    }

    /// Waits until this user has registered.
    pub fn knows(&mut self, user: &str) {
        self.process.says(&format!("registered {user} "));
    }

    /// Waits until a telephone at this port has registered.
    pub fn knows_phone_at(&mut self, port: u16) {
        self.process.says(&format!("127.0.0.1:{port}"));
    }

    /// Waits until this user has taken the registration back.
    pub fn forgets(&mut self, user: &str) {
        self.process.says(&format!("registered {user} expires 0"));
    }
}
