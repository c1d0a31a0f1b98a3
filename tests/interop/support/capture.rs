//! What went over the wire, written down by whoever sent and received it, and read by tshark.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

/// LINKTYPE_RAW: packets begin with their IP header.
const LINK_RAW: u32 = 101;
const UDP: u8 = 17;

/// A capture file of libpcap's classic format, being written. Datagrams of IPv4 alone.
pub struct Capture {
    path: PathBuf,
    file: BufWriter<File>,
}

impl Capture {
    /// An empty one.
    pub fn begin(path: PathBuf) -> Capture {
        let mut file = BufWriter::new(File::create(&path).expect("a file can be written"));
        let head = [0xa1b2_c3d4, 2 | 4 << 16, 0, 0, 65_535, LINK_RAW].map(u32::to_le_bytes).concat();
        file.write_all(&head).expect("a file can be written");
        Capture { path, file }
    }

    /// A datagram went by, now.
    pub fn add(&mut self, from: SocketAddr, to: SocketAddr, payload: &[u8]) {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("it is later than 1970");
        let seconds = u32::try_from(now.as_secs()).expect("it is earlier than 2106");
        let length = u16::try_from(payload.len()).expect("a datagram is short");
        let octets = |at: SocketAddr| match at.ip() {
            IpAddr::V4(ip) => ip.octets(),
            IpAddr::V6(_) => panic!("{at} is no address of IPv4"),
        };
        // Without checksums: nobody has to make any (RFC 768), and tshark asks for none.
        let mut packet = vec![0x45, 0];
        packet.extend((length + 28).to_be_bytes());
        packet.extend([0, 0, 0x40, 0, 64, UDP, 0, 0]);
        packet.extend([octets(from), octets(to)].concat());
        packet.extend([from.port(), to.port(), length + 8, 0].map(u16::to_be_bytes).concat());
        packet.extend(payload);
        let whole = u32::from(length) + 28;
        let head = [seconds, now.subsec_micros(), whole, whole].map(u32::to_le_bytes).concat();
        self.file.write_all(&[head, packet].concat()).expect("a file can be written");
    }

    /// The file.
    pub fn end(mut self) -> PathBuf {
        self.file.flush().expect("a file can be written");
        self.path
    }
}

/// What tshark says of a file when it is asked like this.
pub fn tshark(file: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new("tshark");
    command.arg("-r").arg(file).args(["-o", "ip.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE"]);
    let read = command.args(arguments).output().expect("tshark runs");
    assert!(read.status.success(), "{read:?}");
    String::from_utf8(read.stdout).expect("tshark writes text")
}

/// What tshark reads of a file when it is asked like this: a line a packet, with these fields.
pub fn tshark_fields(file: &Path, arguments: &[&str], fields: &[&str]) -> Vec<Vec<String>> {
    let fields = fields.iter().flat_map(|field| ["-e", field]);
    let all: Vec<&str> = arguments.iter().copied().chain(["-T", "fields", "-E", "separator=|"]).chain(fields).collect();
    tshark(file, &all).lines().map(|line| line.split('|').map(str::to_owned).collect()).collect()
}
