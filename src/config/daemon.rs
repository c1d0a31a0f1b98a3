//! The tables about the daemon itself: `[node]`, `[control]`, `[sip]`, `[media]`, `[store]`.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use core::ops::RangeInclusive;
use core::time::Duration;
use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use super::reader::{Placed, Section};
use super::value::{self, NAME_ACCEPTED};
use super::{Origin, Secret};
use crate::base::{Family, Language, PerFamily};
use crate::sip::Transport;

/// What `tls_certificate` and `ca_file` name.
pub(super) const PEM: &str = "the path of a PEM file with at least one certificate";
/// How many legs there are room for unless the file says otherwise.
const LEGS: u32 = 500;
/// How long what is over may be kept: what happened last night is wanted in the morning.
const KEEP: RangeInclusive<Duration> = Duration::from_secs(24 * 3_600)..=Duration::from_secs(36_500 * 24 * 3_600);
/// The longest path of a Unix socket on Linux, without its terminating zero (unix(7)).
const SOCKET_PATH: usize = 107;

/// `[node]`.
#[derive(Clone, Debug)]
pub struct Node {
    /// What this hansho is called in logs and messages.
    pub name: String,
    /// Where everything is kept that hansho writes.
    pub data_dir: PathBuf,
    /// What people are spoken to in unless their contact says otherwise.
    pub language: Language,
    /// Where people's browsers find hansho's pages: `https://host`, without a slash at the end.
    pub public_url: Option<String>,
    /// What times are shown in.
    pub time_zone: TimeZone,
}

/// `[sip]`.
#[derive(Clone, Debug)]
pub struct Sip {
    /// The UDP address to bind in each family, and there is one at least; where UDP is not wanted, one on loopback that
    /// nobody knows.
    pub listen: PerFamily<SocketAddr>,
    /// Where connections are accepted, in each family at most once for TCP and once for TLS.
    pub doors: Vec<(Transport, SocketAddr)>,
    /// Where we listen, over whatever, in the families in which we do.
    pub own: PerFamily<IpAddr>,
    /// Our certificate, with those behind it, as PEM; there is one where we listen for TLS.
    pub certificate: Option<String>,
    /// Its key, as PEM.
    pub key: Option<Secret>,
    /// What stands in Via, Contact and SDP towards every trunk that names no other; `None`: the address the system uses
    /// towards each trunk.
    pub public_address: PerFamily<IpAddr>,
    /// Who is asked for the names of trunks; `None`: whom the system asks.
    pub resolver: Option<SocketAddr>,
}

/// `[media]`.
#[derive(Clone, Debug)]
pub struct Media {
    /// The local addresses RTP is bound to, in the families in which we listen for SIP.
    pub address: PerFamily<IpAddr>,
    /// An even port first and an odd one last; a pair a leg.
    pub ports: RangeInclusive<u16>,
    /// Where recordings are written.
    pub record_dir: PathBuf,
    /// How many legs there are places for; there is a port pair for each.
    pub max_legs: u32,
}

pub(super) fn node(root: &mut Section<'_>, origin: &Origin<'_>) -> Node {
    let mut node = root.table("node");
    let name = node.text("name", NAME_ACCEPTED, value::name);
    let data_dir = node.text("data_dir", "the path of a folder", path);
    let language = language(&mut node);
    let time_zone = node.text("time_zone", zones(), |text| TimeZone::get(text).ok());
    let accepted = "an address such as \"https://hansho.example.com\", at most 120 characters, without a query";
    let public_url = node.text("public_url", accepted, super::hotline::public_url);
    node.finish();
    Node {
        name: name.unwrap_or_else(|| "hansho".to_owned()),
        data_dir: data_dir.map_or_else(|| data_dir_beside(origin.folder), |path| origin.folder.join(path)),
        language: language.unwrap_or_default(),
        public_url,
        time_zone: time_zone.unwrap_or_else(TimeZone::system),
    }
}

pub(super) fn control(root: &mut Section<'_>, data_dir: &Path) -> PathBuf {
    let mut control = root.table("control");
    let socket =
        data_dir.join(control.text("socket", "the path of a Unix socket", path).unwrap_or("control.sock".into()));
    if socket.as_os_str().len() > SOCKET_PATH {
        let found = format!("the path {} has {} bytes", socket.display(), socket.as_os_str().len());
        control.complain("socket", found, format!("at most {SOCKET_PATH} bytes: name a shorter path"));
    }
    control.finish();
    socket
}

/// Our certificate and its key, each as the text of its file.
fn certificate(sip: &mut Section<'_>, origin: &Origin<'_>) -> (Option<String>, Option<Secret>) {
    let certificate = pem_file(sip, origin, "tls_certificate", PEM, holds_certificates);
    let accepted = "the path of a PEM file with the key of tls_certificate";
    let key = pem_file(sip, origin, "tls_key", accepted, |text| PrivateKeyDer::from_pem_slice(text.as_bytes()).is_ok());
    for (one, other) in [("tls_certificate", "tls_key"), ("tls_key", "tls_certificate")] {
        if sip.has(one) && !sip.has(other) {
            sip.complain(other, format!("missing, though there is {one}"), "both or neither");
        }
    }
    (certificate, key.map(Secret::new))
}

/// The text of a PEM file that is named at `key`.
pub(super) fn pem_file(
    section: &mut Section<'_>,
    origin: &Origin<'_>,
    key: &'static str,
    accepted: &str,
    holds: impl Fn(&str) -> bool,
) -> Option<String> {
    let file = origin.folder.join(section.text(key, accepted, path)?);
    let found = match (origin.read)(&file) {
        Ok(text) if holds(&text) => return Some(text),
        Ok(_) => format!("nothing of the kind is in {}", file.display()),
        Err(problem) => format!("cannot read {}: {problem}", file.display()),
    };
    section.complain(key, found, accepted);
    None
}

/// Is it PEM, with at least one certificate?
pub(super) fn holds_certificates(text: &str) -> bool {
    let mut found = CertificateDer::pem_slice_iter(text.as_bytes()).peekable();
    found.peek().is_some() && found.all(|certificate| certificate.is_ok())
}

pub(super) fn sip(root: &mut Section<'_>, origin: &Origin<'_>) -> Sip {
    let mut sip = root.table("sip");
    let accepted = "\"udp:ADDRESS:PORT\", such as \"udp:0.0.0.0:5060\", and the same with tcp and tls";
    let found = sip.list("listen", 16, accepted, value::listen);
    // An empty list that had elements has complained about each of them already.
    if sip.empty_list("listen") {
        sip.complain("listen", "found an empty list", format!("at least one of {accepted}"));
    }
    let mut all: Vec<(Transport, SocketAddr)> = Vec::new();
    for (transport, address) in found.into_iter().flatten().map(|found| found.value) {
        let family = Family::of(address.ip());
        if all.iter().any(|(known, at)| *known == transport && Family::of(at.ip()) == family) {
            sip.complain("listen", format!("found {transport} twice for {family}"), "each transport once in a family");
        } else {
            all.push((transport, address));
        }
    }
    let is_doubtful = all.is_empty() && sip.has("listen");
    if all.is_empty() {
        all.push((Transport::Udp, SocketAddr::from(([0, 0, 0, 0], value::SIP_PORT))));
    }
    let (listen, mut own) = own(&all);
    if is_doubtful {
        // What stands there is complained about already, and nothing else is to be on its account.
        own = PerFamily { v4: Some(Ipv4Addr::UNSPECIFIED.into()), v6: Some(Ipv6Addr::UNSPECIFIED.into()) };
    }
    let doors: Vec<_> = all.into_iter().filter(|(transport, _)| *transport != Transport::Udp).collect();
    let (certificate, key) = certificate(&mut sip, origin);
    if doors.iter().any(|(transport, _)| *transport == Transport::Tls) && !sip.has("tls_certificate") {
        sip.complain("tls_certificate", "missing, though listen names tls", PEM);
    }
    let accepted = "the IP address under which the trunk reaches this machine";
    let public_address = addresses(&mut sip, "public_address", accepted, &own, value::public_address);
    let accepted = "the address of a name server, with a port where it is not 53: \"192.0.2.53\"";
    let resolver = sip.text("resolver", accepted, value::resolver);
    sip.finish();
    Sip { listen, doors, own, certificate, key, public_address, resolver }
}

/// The UDP address to bind in each family, and the address at which we are there.
fn own(listen: &[(Transport, SocketAddr)]) -> (PerFamily<SocketAddr>, PerFamily<IpAddr>) {
    let (mut udp, mut own) = (PerFamily::default(), PerFamily::default());
    for family in Family::ALL {
        let mut here = listen.iter().filter(|(_, at)| Family::of(at.ip()) == family).copied();
        let Some((_, first)) = here.clone().next() else { continue };
        let wanted = here.find(|(transport, _)| *transport == Transport::Udp).map(|(_, at)| at);
        *udp.slot(family) = Some(wanted.unwrap_or(match family {
            Family::V4 => (Ipv4Addr::LOCALHOST, 0).into(),
            Family::V6 => (Ipv6Addr::LOCALHOST, 0).into(),
        }));
        *own.slot(family) = Some(wanted.unwrap_or(first).ip());
    }
    (udp, own)
}

/// One address, or a list with one for each family; of families in which we listen (`own`).
pub(super) fn addresses(
    section: &mut Section<'_>,
    key: &'static str,
    accepted: &str,
    own: &PerFamily<IpAddr>,
    parse: impl Fn(&str) -> Option<IpAddr>,
) -> PerFamily<IpAddr> {
    let found = if section.is_list(key) {
        let found = section.list(key, 2, accepted, parse).unwrap_or_default();
        if section.empty_list(key) {
            section.complain(key, "found an empty list", accepted);
        }
        found
    } else {
        let (path, line) = (section.path(key), section.line_of(key));
        section.text(key, accepted, parse).map(|value| Placed { key: path, line, value }).into_iter().collect()
    };
    let mut addresses = PerFamily::default();
    for Placed { key, line, value: ip } in found {
        let family = Family::of(ip);
        let why = if own.get(family).is_none() {
            Some((format!("{ip} is {family}, and nothing listens on {family}"), listen_too(family)))
        } else if addresses.get(family).is_some() {
            Some((format!("found {family} twice"), "one address for each of IPv4 and IPv6".to_owned()))
        } else {
            None
        };
        match why {
            Some((found, accepted)) => section.report().complain(line, key, found, accepted),
            None => *addresses.slot(family) = Some(ip),
        }
    }
    addresses
}

/// What would make an address of this family right.
pub(super) fn listen_too(family: Family) -> String {
    let (known, example) = match family {
        Family::V4 => ("IPv6", "udp:0.0.0.0:5060"),
        Family::V6 => ("IPv4", "udp:[::]:5060"),
    };
    format!("an {known} address, or \"{example}\" in sip.listen as well")
}

pub(super) fn media(root: &mut Section<'_>, data_dir: &Path, sip: &Sip) -> Media {
    let mut media = root.table("media");
    let accepted = "a local IP address, or a list with one of IPv4 and one of IPv6";
    let address = addresses(&mut media, "address", accepted, &sip.own, |text| text.parse::<IpAddr>().ok());
    let accepted = "\"FIRST-LAST\", such as \"20000-29999\": FIRST even and at least 1024, LAST odd";
    let ports = media.text("ports", accepted, value::ports).unwrap_or(20_000..=29_999);
    if let Some(taken) = sip.listen.iter().map(SocketAddr::port).find(|port| ports.contains(port)) {
        let found = format!("{}-{} contains port {taken} of sip.listen", ports.start(), ports.end());
        media.complain("ports", found, "a range without it");
    }
    let pairs = (u32::from(*ports.end()) - u32::from(*ports.start())).div_ceil(2);
    let max_legs = value::number(&mut media, "max_legs", 1..=10_000);
    if let Some(legs) = max_legs.filter(|legs| *legs > pairs) {
        let found = format!("{legs} legs need {} ports, and media.ports has {}", legs * 2, pairs * 2);
        media.complain("max_legs", found, format!("at most {pairs}, or more ports"));
    }
    // The one number there is; a machine that needs more runs more of them.
    media.read("threads", "1 (one thread serves every call in this version)", |value| {
        value.as_integer().filter(|threads| threads.as_str() == "1").map(|_| ())
    });
    let record_dir = media.text("record_dir", "the path of a folder", path).unwrap_or("recordings".into());
    media.finish();
    Media {
        address: sip.own.filter_map(|family, own| Some(address.get(family).copied().unwrap_or(own))),
        ports,
        record_dir: data_dir.join(record_dir),
        max_legs: max_legs.unwrap_or(LEGS.min(pairs)),
    }
}

/// The journal's file (`None` after a complaint), and how long it keeps what is over.
pub(super) fn store(root: &mut Section<'_>, data_dir: &Path) -> (Option<PathBuf>, Option<Duration>) {
    let mut store = root.table("store");
    let accepted = "\"sqlite:FILE\" (postgres is not supported in this version)";
    let url = if store.has("url") {
        store.read_secret("url", accepted, |text| text.strip_prefix("sqlite:").and_then(path))
    } else {
        Some("hansho.db".into())
    };
    let keep = value::duration(&mut store, "keep", KEEP);
    store.finish();
    (url.map(|url| data_dir.join(url)), keep)
}

pub(super) fn language(section: &mut Section<'_>) -> Option<Language> {
    section.text("language", "\"en\" or \"ja\"", Language::from_tag)
}

pub(super) fn path(text: &str) -> Option<PathBuf> {
    (!text.trim().is_empty() && text.len() <= 1_000 && !text.contains('\0')).then(|| PathBuf::from(text))
}

/// A service keeps its data where services do; a file somebody tries out keeps it at its side.
fn data_dir_beside(folder: &Path) -> PathBuf {
    if folder.starts_with("/etc") { PathBuf::from("/var/lib/hansho") } else { folder.join("hansho-data") }
}

pub(super) fn zones() -> &'static str {
    if jiff::tz::db().is_definitively_empty() {
        "only \"UTC\", because this machine has no time zone database (install the package tzdata)"
    } else {
        "an IANA time zone such as \"Asia/Tokyo\" or \"Europe/London\""
    }
}
