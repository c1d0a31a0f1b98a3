//! `[[trunk]]`: the SIP accounts.

use core::net::IpAddr;
use core::time::Duration;
use std::collections::BTreeMap;

use super::reader::Section;
use super::value::{self, Host};
use super::{Origin, Secret, Sip};
use crate::base::{Codec, Family, PerFamily, TrunkId};
use crate::sip::{self, CallerIn, IpRange, Srtp, Transport};

const MOST: usize = 64;

/// A SIP account at a carrier or a PBX.
#[derive(Clone, Debug)]
pub struct Trunk {
    /// The id of the configuration.
    pub id: TrunkId,
    /// Where requests go; whoever has a network looks the name up.
    pub proxy: Host,
    /// What is spoken with it; `None`: what its name in DNS says, else UDP.
    pub transport: Option<Transport>,
    /// The authorities that may vouch for it over TLS, as PEM; `None`: Mozilla's.
    pub ca: Option<String>,
    /// How often it is asked whether it is there; `None`: never.
    pub asked_every: Option<Duration>,
    /// The domain of the account.
    pub domain: String,
    /// Does the trunk want a REGISTER?
    pub register: bool,
    /// The expiry asked for.
    pub expires: Duration,
    /// User part of From and Contact, and the digest username.
    pub username: String,
    /// Empty where the trunk asks for none.
    pub password: Secret,
    /// Who calls, when it is not the username.
    pub caller_id: Option<String>,
    /// In which headers that stands.
    pub caller_in: CallerIn,
    /// What stands in Via, Contact and SDP towards this trunk.
    pub public_address: PerFamily<IpAddr>,
    /// In the order they are offered; never empty, none twice.
    pub codecs: Vec<Codec>,
    /// Is voice encrypted?
    pub srtp: Srtp,
    /// The lowest is tried first.
    pub priority: u32,
    /// Simultaneous calls the trunk allows; 0: as many as there are legs.
    pub max_calls: u32,
    /// From where, besides the proxy, the trunk may call us.
    pub allow_from: Vec<IpRange>,
}

impl Trunk {
    /// The trunk as the SIP agent wants it; `proxy` is what the name was looked up to.
    pub fn sip(&self, proxy: Option<sip::Hop>) -> sip::Trunk {
        sip::Trunk {
            id: self.id.clone(),
            proxy,
            asked_every: self.asked_every,
            domain: self.domain.clone(),
            register: self.register,
            expires_s: u32::try_from(self.expires.as_secs()).unwrap_or(u32::MAX),
            username: self.username.clone(),
            password: self.password.reveal().to_owned(),
            caller_id: self.caller_id.clone(),
            caller_in: self.caller_in,
            public_address: self.public_address,
            codecs: self.codecs.clone(),
            srtp: self.srtp,
            max_calls: self.max_calls,
            allow_from: self.allow_from.clone(),
        }
    }
}

/// Every trunk, the one to be tried first at the front.
pub(super) fn read(root: &mut Section<'_>, origin: &Origin<'_>, sip: &Sip) -> Vec<Trunk> {
    let blocks = root.blocks("trunk", MOST);
    if !root.has("trunk") && !root.has("registrar") {
        root.complain("trunk", "missing", "at least one [[trunk]], the SIP account to call over");
    }
    let mut seen = BTreeMap::new();
    let read = |block| read_one(block, origin, sip, &mut seen);
    let mut trunks: Vec<Trunk> = blocks.into_iter().filter_map(read).collect();
    trunks.sort_by_key(|trunk| trunk.priority);
    trunks
}

fn read_one(
    mut block: Section<'_>,
    origin: &Origin<'_>,
    sip: &Sip,
    seen: &mut BTreeMap<TrunkId, Option<usize>>,
) -> Option<Trunk> {
    const HOST: &str = "a host name or an IP address, with a port where it is not 5060: \"sip.example.com:5062\"";
    let id = super::people::id(&mut block, seen, |text| TrunkId::parse(text).ok());
    let proxy = block.text("proxy", HOST, value::host);
    let registrar = block.text("registrar", HOST, value::host);
    let register = block.has("registrar");
    if !register && !block.has("proxy") {
        block.complain("proxy", "missing", HOST);
    }
    // Requests go to the proxy, and to the registrar where there is none.
    let (asked, key) = if proxy.is_some() { (&proxy, "proxy") } else { (&registrar, "registrar") };
    if let Some(ip) = asked.as_ref().and_then(|host| host.name.parse::<IpAddr>().ok()) {
        let family = Family::of(ip);
        if sip.own.get(family).is_none() {
            let found = format!("{ip} is {family}, and nothing listens on {family}");
            block.complain(key, found, super::daemon::listen_too(family));
        }
    }
    let domain = block.text("domain", "the domain of the account, without a port", value::domain);
    let transport = block.text("transport", "\"udp\", \"tcp\" or \"tls\"", Transport::parse);
    let ca =
        super::daemon::pem_file(&mut block, origin, "ca_file", super::daemon::PEM, super::daemon::holds_certificates);
    if block.has("ca_file") && transport.is_some_and(|transport| transport != Transport::Tls) {
        block.complain("ca_file", "there are no certificates without TLS", "transport = \"tls\" beside it");
    }
    let expires = value::duration(&mut block, "expires", Duration::from_secs(60)..=Duration::from_secs(86_400));
    let asked_every = value::duration(&mut block, "options_every", Duration::from_secs(5)..=Duration::from_secs(3_600));
    let username = block.text("username", value::USER_ACCEPTED, value::user);
    let password = password(&mut block, origin, register);
    if register && !block.has("username") {
        block.complain("username", "missing", format!("the account's name at the registrar: {}", value::USER_ACCEPTED));
    }
    let caller_id = block.text("caller_id", value::USER_ACCEPTED, value::user);
    let caller_in = caller_in(&mut block);
    let accepted = "the IP address under which this trunk reaches this machine";
    let public_address =
        super::daemon::addresses(&mut block, "public_address", accepted, &sip.own, value::public_address);
    let codecs = codecs(&mut block);
    let srtp = srtp(&mut block);
    if transport != Some(Transport::Tls) {
        warn_of_open_keys(&block, srtp, "transport = \"tls\" beside it");
    }
    let priority = value::number(&mut block, "priority", 0..=1_000);
    let max_calls = value::number(&mut block, "max_calls", 0..=10_000);
    let range = "an IP address or a block of them: \"192.0.2.7\", \"192.0.2.0/24\"";
    let allow_from = block.list("allow_from", 256, range, IpRange::parse);
    block.finish();
    let mut proxy = proxy.or_else(|| registrar.clone())?;
    if let Some(transport) = transport.filter(|_| !proxy.written) {
        proxy.port = transport.port();
    }
    let account = registrar.as_ref().unwrap_or(&proxy);
    Some(Trunk {
        id: id?,
        domain: domain.unwrap_or_else(|| account.in_uri()),
        proxy,
        transport,
        asked_every,
        ca,
        register,
        expires: expires.unwrap_or(Duration::from_secs(600)),
        username: username.unwrap_or_else(|| "hansho".to_owned()),
        password: password.unwrap_or_else(|| Secret::new("")),
        caller_id,
        caller_in,
        public_address,
        codecs,
        srtp,
        priority: priority.unwrap_or(0),
        max_calls: max_calls.unwrap_or(0),
        allow_from: allow_from.into_iter().flatten().map(|range| range.value).collect(),
    })
}

pub(super) fn password(block: &mut Section<'_>, origin: &Origin<'_>, register: bool) -> Option<Secret> {
    let accepted = "one line of at most 256 bytes";
    let written = block.read_secret("password", accepted, value::secret);
    let file = block.text("password_file", "the path of a file", super::daemon::path);
    match (block.has("password"), block.has("password_file")) {
        (true, true) => {
            block.complain("password_file", "there is a password as well", "one of password and password_file")
        }
        (false, false) if register => {
            let accepted = "password or password_file (`password = \"\"` for a registrar that asks for none)";
            block.complain("password", "missing", accepted);
        }
        (true, _) | (_, true) if !register && !block.has("username") => {
            block.complain("username", "missing, though there is a password", value::USER_ACCEPTED);
        }
        _ => {}
    }
    let Some(file) = file else { return written.map(Secret::new) };
    let file = origin.folder.join(file);
    let text = match (origin.read)(&file) {
        Ok(text) => text,
        Err(problem) => {
            block.complain("password_file", format!("cannot read {}: {problem}", file.display()), "a readable file");
            return None;
        }
    };
    let secret = value::secret(text.trim_end_matches(['\r', '\n'])).filter(|text| !text.is_empty());
    if secret.is_none() {
        block.complain("password_file", format!("{} holds no password", file.display()), accepted);
    }
    secret.map(Secret::new)
}

fn caller_in(block: &mut Section<'_>) -> CallerIn {
    const FROM: &str = "from";
    const ASSERTED: &str = "p-asserted-identity";
    const PREFERRED: &str = "p-preferred-identity";
    let accepted = "\"from\", \"p-asserted-identity\" or \"p-preferred-identity\"";
    let known = |text: &str| [FROM, ASSERTED, PREFERRED].into_iter().find(|it| it.eq_ignore_ascii_case(text));
    let found = block.list("caller_id_in", 3, accepted, known);
    if block.empty_list("caller_id_in") {
        block.complain("caller_id_in", "found an empty list", "[\"from\"], or another header");
    }
    let Some(found) = found.filter(|found| !found.is_empty()) else { return CallerIn::default() };
    let has = |name: &str| found.iter().any(|header| header.value == name);
    CallerIn { from: has(FROM), asserted: has(ASSERTED), preferred: has(PREFERRED) }
}

pub(super) fn srtp(block: &mut Section<'_>) -> Srtp {
    block.text("srtp", "\"off\", \"optional\" or \"required\"", Srtp::parse).unwrap_or_default()
}

/// Keys that travel in the clear keep nobody out who listens. It is no mistake in a network of one's own, so it is said and
/// not refused.
pub(super) fn warn_of_open_keys(block: &Section<'_>, srtp: Srtp, accepted: &str) {
    if srtp != Srtp::Off {
        let found =
            format!("\"{}\" sends the keys in SIP, which anybody on the way can read without TLS", srtp.as_str());
        block.warn("srtp", found, accepted);
    }
}

pub(super) fn codecs(block: &mut Section<'_>) -> Vec<Codec> {
    let named = |text: &str| Codec::ALL.into_iter().find(|codec| codec.name().eq_ignore_ascii_case(text));
    let found = block.list("codecs", 16, "\"PCMU\" or \"PCMA\"", named);
    if block.empty_list("codecs") {
        block.complain("codecs", "found an empty list", "[\"PCMU\", \"PCMA\"], the preferred one first");
    }
    let mut codecs = Vec::new();
    for codec in found.into_iter().flatten() {
        if codecs.contains(&codec.value) {
            block.report().complain(
                codec.line,
                codec.key,
                format!("{} stands here twice", codec.value.name()),
                "each once",
            );
        } else {
            codecs.push(codec.value);
        }
    }
    if codecs.is_empty() { Codec::ALL.to_vec() } else { codecs }
}

#[cfg(test)]
#[path = "tests/srtp.rs"]
mod tests;
