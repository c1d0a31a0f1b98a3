//! Texts of the configuration that mean something: durations, ports, hosts, addresses, templates.

use core::net::{IpAddr, Ipv4Addr, SocketAddr};
use core::ops::RangeInclusive;
use core::time::Duration;

use toml::de::DeValue;

use super::reader::Section;
use crate::phrase::Template;
use crate::sip::Transport;

/// The longest name shown to people, in characters.
const NAME: usize = 200;
/// The longest text that is spoken, in characters: about five minutes.
pub(super) const SPOKEN: usize = 2_000;
/// In seconds.
const DAY: u64 = 86_400;

/// The port of SIP over UDP where none is written (RFC 3261 §19.1.2).
pub(super) const SIP_PORT: u16 = 5060;
/// The port of a name server where none is written.
const DNS_PORT: u16 = 53;

pub(super) fn duration(
    section: &mut Section<'_>,
    key: &'static str,
    range: RangeInclusive<Duration>,
) -> Option<Duration> {
    let (least, most) = (spell(*range.start()), spell(*range.end()));
    let accepted =
        format!("a duration such as \"30s\", \"2m\" or \"1m30s\" (or a number of seconds), from {least} to {most}");
    let read = |value: &DeValue<'_>| match value.as_integer() {
        Some(seconds) => u64::from_str_radix(seconds.as_str(), seconds.radix()).ok().map(Duration::from_secs),
        None => value.as_str().and_then(parse_duration),
    };
    section.read(key, &accepted, |value| read(value).filter(|found| range.contains(found)))
}

pub(super) fn number(section: &mut Section<'_>, key: &'static str, range: RangeInclusive<u32>) -> Option<u32> {
    let accepted = format!("a whole number from {} to {}", range.start(), range.end());
    section.read(key, &accepted, |value| {
        let number = value.as_integer()?;
        u32::from_str_radix(number.as_str(), number.radix()).ok().filter(|found| range.contains(found))
    })
}

pub(super) fn flag(section: &mut Section<'_>, key: &'static str) -> Option<bool> {
    section.read(key, "true or false", |value| value.as_bool())
}

/// A name for people: one line.
pub(super) fn name(text: &str) -> Option<String> {
    let fits = !text.trim().is_empty() && text.chars().count() <= NAME && !text.chars().any(char::is_control);
    fits.then(|| text.trim().to_owned())
}

pub(super) const NAME_ACCEPTED: &str = "a name of 1 to 200 characters on one line";

/// A text to be spoken.
pub(super) fn spoken(text: &str) -> Option<String> {
    let fits = !text.trim().is_empty() && text.chars().count() <= SPOKEN;
    fits.then(|| text.trim().to_owned())
}

pub(super) const SPOKEN_ACCEPTED: &str = "a text of 1 to 2000 characters in which every parameter is written {{name}}";

/// A template to be spoken. What is wrong with one that is a text at all is told where it stands; of `parameters`, where
/// there are any, each of its names has to be one.
pub(super) fn template(section: &mut Section<'_>, key: &'static str, parameters: Option<&[String]>) -> Option<String> {
    let text = section.text(key, SPOKEN_ACCEPTED, spoken)?;
    let template = match Template::parse(&text) {
        Ok(template) => template,
        Err(fault) => {
            section.complain(key, fault.to_string(), SPOKEN_ACCEPTED);
            return None;
        }
    };
    let known = |name: &&str| parameters.is_none_or(|known| known.iter().any(|known| known == name));
    let unknown: Vec<String> = template.names().filter(|name| !known(name)).map(|name| format!("`{name}`")).collect();
    if !unknown.is_empty() {
        let found = format!("{} is none of this guidance's parameters", unknown.join(", "));
        section.complain(key, found, format!("those in `parameters`: {}", parameters.unwrap_or_default().join(", ")));
        return None;
    }
    Some(text)
}

/// `7d`, `1h`, `1m30s`, `500ms`: numbers with their units, the large ones first.
pub fn parse_duration(text: &str) -> Option<Duration> {
    const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];
    let (mut rest, mut total, mut smallest) = (text.trim(), 0u64, u64::MAX);
    while !rest.is_empty() {
        let (digits, tail) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit())?);
        let end = tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(end);
        let (_, millis) = UNITS.into_iter().find(|(name, _)| *name == unit)?;
        if millis >= smallest {
            return None;
        }
        total = digits.parse::<u64>().ok()?.checked_mul(millis)?.checked_add(total)?;
        (rest, smallest) = (tail, millis);
    }
    (smallest != u64::MAX).then(|| Duration::from_millis(total))
}

/// A duration as it is written in the file.
pub(super) fn spell(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0 if duration.is_zero() => "0s".to_owned(),
        0 => format!("{}ms", duration.as_millis()),
        _ if seconds > DAY && seconds.is_multiple_of(DAY) => format!("{}d", seconds / DAY),
        _ if seconds.is_multiple_of(3_600) => format!("{}h", seconds / 3_600),
        _ if seconds.is_multiple_of(60) => format!("{}m", seconds / 60),
        _ => format!("{seconds}s"),
    }
}

/// Where requests to a trunk go; the name is looked up by whoever has a network.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Host {
    /// A host name, or an address (IPv6 without its brackets).
    pub name: String,
    /// The port.
    pub port: u16,
    /// False: nobody wrote the port, and DNS may name another one.
    pub written: bool,
}

impl Host {
    /// The host as it stands in a URI: IPv6 in brackets, no port.
    pub(super) fn in_uri(&self) -> String {
        if self.name.contains(':') { format!("[{}]", self.name) } else { self.name.clone() }
    }
}

impl Host {
    /// Is it a name, which is to be looked up?
    pub fn is_name(&self) -> bool {
        self.name.parse::<IpAddr>().is_err()
    }
}

impl core::fmt::Display for Host {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}:{}", self.in_uri(), self.port)
    }
}

/// `host`, `host:port`, `192.0.2.1:5062` or `[2001:db8::1]:5060`; a `sip:` in front is forgiven.
pub(super) fn host(text: &str) -> Option<Host> {
    let text = text.strip_prefix("sip:").unwrap_or(text);
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(Host { name: address.to_canonical().to_string(), port: SIP_PORT, written: false });
    }
    let (name, port) = match text.rsplit_once(':') {
        Some((name, port)) if !name.contains(':') || name.ends_with(']') => (name, Some(port.parse().ok()?)),
        _ => (text, None),
    };
    let name = domain(name)?.trim_matches(['[', ']']).to_owned();
    let host = Host { name, port: port.unwrap_or(SIP_PORT), written: port.is_some() };
    Some(host).filter(|host| host.port != 0)
}

/// A name server: `127.0.0.1`, `127.0.0.1:5353`, `[::1]:53`.
pub(super) fn resolver(text: &str) -> Option<SocketAddr> {
    let address = text.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, DNS_PORT)).or_else(|_| text.parse());
    address.ok().filter(|address| address.port() != 0 && !address.ip().is_unspecified())
}

/// The host part of a SIP URI: a name, an IPv4 address or an IPv6 address in brackets.
pub(super) fn domain(text: &str) -> Option<String> {
    if let Some(inner) = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
        return inner.parse::<core::net::Ipv6Addr>().ok().map(|address| format!("[{address}]"));
    }
    // Digits and dots alone are an address, and then it must be a right one.
    if text.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return text.parse::<Ipv4Addr>().ok().map(|address| address.to_string());
    }
    let label = |label: &str| {
        (1..=63).contains(&label.len()) && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    let fits = text.len() <= 253 && text.strip_suffix('.').unwrap_or(text).split('.').all(label);
    fits.then(|| text.to_owned())
}

/// The user part of a SIP URI that needs no escaping (RFC 3261 §25.1 `user`).
pub(super) fn user(text: &str) -> Option<String> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.!~*'()&=+$,;?/".contains(&b);
    ((1..=128).contains(&text.len()) && text.bytes().all(plain)).then(|| text.to_owned())
}

pub(super) const USER_ACCEPTED: &str = "1 to 128 letters, digits and -_.!~*'()&=+$,;?/";

/// A secret that can stand in a header: one line, not empty unless it says so itself.
pub(super) fn secret(text: &str) -> Option<String> {
    (text.len() <= 256 && !text.chars().any(char::is_control)).then(|| text.to_owned())
}

/// `udp:ADDRESS:PORT`, and the same with tcp and tls.
pub(super) fn listen(text: &str) -> Option<(Transport, SocketAddr)> {
    let (transport, address) = text.split_once(':')?;
    let address: SocketAddr = address.parse().ok()?;
    // An IPv4 address in the clothes of IPv6 cannot be bound as one.
    let plain = !matches!(address, SocketAddr::V6(v6) if v6.ip().to_ipv4_mapped().is_some());
    plain.then_some((Transport::parse(transport)?, address))
}

/// An address somebody else can send to.
pub(super) fn public_address(text: &str) -> Option<IpAddr> {
    text.parse::<IpAddr>().ok().filter(|address| !address.is_unspecified() && !address.is_multicast())
}

/// `20000-29999`: at least one even port (RTP) with the odd one behind it (its RTCP), RFC 3550 §11.
pub(super) fn ports(text: &str) -> Option<RangeInclusive<u16>> {
    let (first, last) = text.split_once('-')?;
    let (first, last): (u16, u16) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
    let pairs = |first: u16| last.saturating_sub(first).saturating_add(1) / 2;
    (first >= 1_024 && last < u16::MAX && pairs(first.next_multiple_of(2)) > 0).then_some(first..=last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_numbers_with_units_large_ones_first() {
        let read = |text| parse_duration(text).map(|found| found.as_millis());
        assert_eq!(read("30s"), Some(30_000));
        assert_eq!(read("1m30s"), Some(90_000));
        assert_eq!(read("1h500ms"), Some(3_600_500));
        assert_eq!(read("1d12h"), Some(36 * 3_600_000));
        for wrong in ["", "30", "s", "30s1m", "1s1s", "1.5s", "-1s", "99999999999999999999h", "1w", "１s"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_duration_is_spelled_as_it_is_read() {
        for text in ["0s", "500ms", "45s", "2m", "24h", "400d"] {
            assert_eq!(parse_duration(text).map(spell).as_deref(), Some(text));
        }
    }

    #[test]
    fn hosts_may_carry_a_port() {
        let read = |text| host(text).map(|host| host.to_string());
        assert_eq!(read("sip.example.com").as_deref(), Some("sip.example.com:5060"));
        assert_eq!(read("sip:host").as_deref(), Some("host:5060"));
        assert_eq!(read("192.0.2.1:5062").as_deref(), Some("192.0.2.1:5062"));
        assert_eq!(read("[2001:db8::1]:5061").as_deref(), Some("[2001:db8::1]:5061"));
        assert_eq!(read("2001:db8::1").as_deref(), Some("[2001:db8::1]:5060"));
        for wrong in
            ["", "sips:host", "a b", "host:0", "host:70000", "192.0.2.300", "[::1", "host/x", "a..b", "udp:h:1"]
        {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn port_ranges_hold_whole_pairs() {
        assert_eq!(ports("20000-29999"), Some(20_000..=29_999));
        assert_eq!(ports("20001-20004"), Some(20_001..=20_004));
        for wrong in ["20001-20002", "20000-20000", "80-1023", "29999-20000", "20000", "20000-70001"] {
            assert_eq!(ports(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn nothing_and_too_much_are_not_spoken() {
        assert!(spoken("{{server}} で {{ incident }} が発生しました").is_some());
        assert_eq!(spoken(" "), None);
        assert_eq!(spoken(&"障".repeat(2_001)), None);
    }
}
