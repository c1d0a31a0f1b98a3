//! dnsmasq as the name server of a carrier, on loopback.

use std::process::Command;

use super::process::Process;
use super::{Scene, until_bound};

/// A name server that knows what it was started with, and nothing else.
pub struct Dnsmasq {
    /// Where it listens.
    pub port: u16,
    _process: Process,
}

impl Dnsmasq {
    /// Starts it with these records, each an option of dnsmasq without its dashes: `srv-host=…`.
    pub fn start(scene: &Scene, records: &[String]) -> Dnsmasq {
        let port = scene.port();
        let mut command = Command::new("dnsmasq");
        command.env("PATH", "/usr/sbin:/sbin:/usr/bin:/bin");
        command.args(["--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--pid-file="]);
        command.args(["--listen-address=127.0.0.1", "--bind-interfaces", "--user=root", "--log-queries"]);
        command.args(["--log-facility=-", "--local-ttl=120"]).arg(format!("--port={port}"));
        command.args(records.iter().map(|record| format!("--{record}")));
        let process = Process::start(scene, "dnsmasq", &mut command);
        until_bound(port);
        Dnsmasq { port, _process: process }
    }
}
