//! `[registrar]` and `[[user]]`: phones that register at hansho itself. Without `[registrar]` there is no registrar.
//!
//! Easy to get wrong: a phone `sip:NAME@REALM` of a contact means a user of this file, and a slip in its name would ring
//! nobody in the night; so it is complained about when the file is read.

use core::net::IpAddr;
use core::time::Duration;
use std::collections::BTreeMap;

use super::reader::{Report, Section};
use super::value;
use super::{Origin, Secret, Sip};
use crate::base::{Codec, ContactId, PerFamily, Phone};
use crate::incident::Contact;
use crate::sip::digest::Hash;
use crate::sip::{HOUSE_LINE, House, IpRange, Srtp, Transport};

const MOST: usize = 10_000;
const NAME: &str = "1 to 64 letters, digits, `_`, `-`, `+` or `.`: what stands before the `@`";
const PASSWORD: &str = "password or password_file: 8 to 256 bytes on one line";
/// The shortest password: scanners find numbers of four digits in an hour.
const PASSWORD_MIN: usize = 8;
/// From where phones may come where the file does not say: networks that lead nowhere in the world,
/// and this machine.
const PRIVATE: [&str; 9] = [
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "::1",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "169.254.0.0/16",
    "fc00::/7",
    "fe80::/10",
];

/// hansho as a registrar.
#[derive(Clone, Debug)]
pub struct Registrar {
    /// What stands behind the `@` of its users.
    pub realm: String,
    /// Their passwords, by name; never empty.
    pub users: BTreeMap<String, Secret>,
    /// The shortest registration that is granted.
    pub expires_min: Duration,
    /// The longest.
    pub expires_max: Duration,
    /// Phones a user may have at once.
    pub phones: u32,
    /// From where phones may come.
    pub allow_from: Vec<IpRange>,
    /// What passwords may be signed with, the preferred one first.
    pub hashes: Vec<Hash>,
    /// In the order they are offered.
    pub codecs: Vec<Codec>,
    /// Is their voice encrypted?
    pub srtp: Srtp,
    /// Where phones find hansho; `None`: where the trunks do.
    pub address: PerFamily<IpAddr>,
}

impl Registrar {
    /// The registrar as the SIP agent wants it.
    pub fn sip(&self) -> House {
        let seconds = |long: Duration| u32::try_from(long.as_secs()).unwrap_or(u32::MAX);
        House {
            realm: self.realm.clone(),
            users: self.users.iter().map(|(name, password)| (name.clone(), password.reveal().to_owned())).collect(),
            expires_s: (seconds(self.expires_min), seconds(self.expires_max)),
            phones_max: usize::try_from(self.phones).unwrap_or(usize::MAX),
            allow_from: self.allow_from.clone(),
            hashes: self.hashes.clone(),
            codecs: self.codecs.clone(),
            srtp: self.srtp,
            address: self.address,
        }
    }
}

/// The registrar; `None` where it is switched off, or after a complaint.
pub(super) fn read(root: &mut Section<'_>, origin: &Origin<'_>, sip: &Sip) -> Option<Registrar> {
    let mut section = root.table("registrar");
    let blocks = root.blocks("user", MOST);
    if !section.exists() {
        if root.has("user") {
            root.complain("registrar", "missing, though there is a [[user]]", "[registrar] with a realm");
        }
        // The keys are asked for all the same, so that they are known.
    } else if !root.has("user") {
        root.complain("user", "missing, though there is a [registrar]", "at least one [[user]]");
    }
    let realm = "a domain (\"phones.example.com\") or an address: what stands behind the `@` of its users";
    let realm = if section.exists() { section.need("realm", realm, value::domain) } else { None };
    let times = Duration::from_secs(30)..=Duration::from_secs(86_400);
    let expires_min = value::duration(&mut section, "expires_min", times.clone()).unwrap_or(Duration::from_secs(60));
    let expires_max = value::duration(&mut section, "expires_max", times).unwrap_or(Duration::from_secs(3_600));
    if expires_min > expires_max {
        let found = format!("{} is longer than expires_max", value::spell(expires_min));
        section.complain("expires_min", found, format!("at most {}", value::spell(expires_max)));
    }
    let phones = value::number(&mut section, "phones", 1..=32);
    let range = "an IP address or a block of them: \"192.168.1.0/24\", \"10.8.0.0/16\"";
    let allowed = section.list("allow_from", 256, range, IpRange::parse);
    if section.empty_list("allow_from") {
        section.complain("allow_from", "found an empty list", "at least one: from nowhere no phone can register");
    }
    let hashes = section.list("algorithms", 2, "\"SHA-256\" or \"MD5\"", |text| match text {
        "SHA-256" => Some(Hash::Sha256),
        "MD5" => Some(Hash::Md5),
        _ => None,
    });
    let codecs = super::trunk::codecs(&mut section);
    let srtp = super::trunk::srtp(&mut section);
    if !sip.doors.iter().any(|(over, _)| *over == Transport::Tls) {
        super::trunk::warn_of_open_keys(&section, srtp, "a door for TLS: `tls://…` in sip.listen");
    }
    let address = "an address of this machine that phones reach: \"192.168.1.2\"";
    let address = super::daemon::addresses(&mut section, "address", address, &sip.own, value::public_address);
    section.finish();
    let (mut users, mut seen) = (BTreeMap::new(), BTreeMap::new());
    for mut block in blocks {
        let name = block.need("name", NAME, name);
        let password = password(&mut block, origin);
        let first = name.as_ref().and_then(|name| seen.insert(name.clone(), block.line()));
        if let (Some(name), Some(first)) = (&name, first) {
            let line = first.map(|line| format!(" in the block of line {line}")).unwrap_or_default();
            block.complain("name", format!("`{name}` is taken{line}"), "a name of its own for each [[user]]");
        }
        block.finish();
        users.extend(name.zip(password));
    }
    let hashes: Vec<Hash> = hashes.into_iter().flatten().map(|hash| hash.value).collect();
    let private = || PRIVATE.iter().filter_map(|range| IpRange::parse(range)).collect();
    Some(Registrar {
        realm: realm?,
        users,
        expires_min,
        expires_max,
        phones: phones.unwrap_or(8),
        allow_from: allowed.map_or_else(private, |ranges| ranges.into_iter().map(|range| range.value).collect()),
        hashes: if hashes.is_empty() { vec![Hash::Sha256, Hash::Md5] } else { hashes },
        codecs,
        srtp,
        address,
    })
}

/// Complains about phones of people who are meant to register here and are no users, and about a trunk that bears the
/// registrar's name.
pub(super) fn check(
    report: &Report,
    registrar: &Registrar,
    contacts: &BTreeMap<ContactId, Contact>,
    trunks: &[super::Trunk],
) {
    for (id, phone) in contacts.values().flat_map(|contact| contact.phones.iter().map(|phone| (&contact.id, phone))) {
        let Phone::Uri(uri) = phone else { continue };
        let address = uri.split_once(':').map_or(uri.as_ref(), |(_, address)| address);
        let Some((user, host)) = address.split_once('@') else { continue };
        let host = host.split([';', '?']).next().unwrap_or(host);
        if host.eq_ignore_ascii_case(&registrar.realm) && !registrar.users.contains_key(user) {
            let names = super::people::list("the name of a [[user]]", registrar.users.keys());
            report.complain(None, format!("contact {id}: {uri}"), format!("there is no user `{user}`"), names);
        }
    }
    if trunks.iter().any(|trunk| trunk.id.as_str() == HOUSE_LINE) {
        let found = format!("`{HOUSE_LINE}` is what calls of users are called");
        report.complain(None, "trunk.id", found, "another id for the trunk");
    }
}

fn name(text: &str) -> Option<String> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"_-+.".contains(&b);
    ((1..=64).contains(&text.len()) && text.bytes().all(plain)).then(|| text.to_owned())
}

fn password(block: &mut Section<'_>, origin: &Origin<'_>) -> Option<Secret> {
    if !block.has("password") && !block.has("password_file") {
        block.complain("password", "missing", PASSWORD);
    }
    let key = if block.has("password_file") { "password_file" } else { "password" };
    let both = block.has("password") && block.has("password_file");
    let password = super::trunk::password(block, origin, block.has(key))?;
    if !both && password.reveal().len() < PASSWORD_MIN {
        block.complain(key, format!("found {} bytes (not shown)", password.reveal().len()), PASSWORD);
    }
    Some(password)
}

#[cfg(test)]
#[path = "tests/registrar.rs"]
mod tests;
