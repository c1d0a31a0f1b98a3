//! What the tests share: a scene with its folder and ports, the programs that play in it, and ears.

mod baresip;
mod browser;
mod capture;
mod control;
mod curl;
mod daemon;
mod dnsmasq;
pub mod hand;
mod kamailio;
mod linphone;
mod process;
mod sipp;
pub mod sound;
#[path = "../../support/wait.rs"]
mod wait;

pub use baresip::Baresip;
pub use browser::Browser;
pub use capture::{Capture, tshark, tshark_fields};
pub use curl::Curl;
pub use daemon::{Daemon, Settings};
pub use dnsmasq::Dnsmasq;
pub use kamailio::Kamailio;
pub use linphone::Linphone;
pub use sipp::Sipp;
pub use wait::{LIMIT, until};

use std::fs;
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};

use process::Process;
use wait::free_ports;

/// One test's folder, and ports for it.
pub struct Scene {
    dir: PathBuf,
    socket: PathBuf,
}

impl Scene {
    /// An empty folder, and ports that nobody else has.
    pub fn new(name: &str) -> Scene {
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("interop").join(name);
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir).expect("the folder of the test can be made");
        // A socket's path must be short, and the scene's folder may be deep.
        let unique = format!("hansho-interop-{}-{}.sock", std::process::id(), free_ports(1));
        Scene { dir, socket: std::env::temp_dir().join(unique) }
    }

    /// A port that nobody else has before this process ends.
    pub fn port(&self) -> u16 {
        free_ports(1)
    }

    /// The first of `count` neighbouring ones, an even one.
    pub fn ports(&self, count: u16) -> u16 {
        free_ports(count)
    }

    /// A path in the scene's folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        path
    }

    /// Where the control socket is.
    fn socket(&self) -> PathBuf {
        self.socket.clone()
    }
}

/// Waits until some process listens on the TCP port, without connecting: a scenario counts every caller.
fn until_heard(port: u16) {
    let mark = format!(":{port:04X}");
    until(&format!("TCP port {port} to be bound"), || {
        let table =
            ["/proc/net/tcp", "/proc/net/tcp6"].map(|path| fs::read_to_string(path).unwrap_or_default()).concat();
        let listens = |line: &str| {
            let mut words = line.split_whitespace().skip(1);
            words.next().is_some_and(|at| at.ends_with(&mark)) && words.nth(1) == Some("0A")
        };
        table.lines().any(listens).then_some(())
    });
}

/// Waits until somebody accepts connections at this port.
fn until_listening(port: u16) {
    until(&format!("TCP port {port} to be listened at"), || TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok());
}

/// Waits until some process listens on the UDP port.
fn until_bound(port: u16) {
    let mark = format!(":{port:04X} ");
    until(&format!("UDP port {port} to be bound"), || {
        let table = |name: &str| fs::read_to_string(Path::new("/proc/net").join(name)).unwrap_or_default();
        // A socket of IPv6 that takes IPv4 as well stands in the second.
        [table("udp"), table("udp6")]
            .concat()
            .lines()
            .any(|line| line.split_whitespace().nth(1).is_some_and(|at| format!("{at} ").ends_with(&mark)))
            .then_some(())
    });
}
