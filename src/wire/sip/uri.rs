//! `sip:`, `sips:` and `tel:` URIs (RFC 3261 §19.1, RFC 3966); others are carried, not understood.
//!
//! The user part may hold semicolons and question marks, so the `@` is looked for first.

use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::Malformed;
use super::scan::{self, Params};

/// A URI, cut into its parts and not unescaped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Uri<'a> {
    /// As written: `sip`, `sips`, `tel`, …
    pub scheme: &'a str,
    /// The user part, without the password; the number of a `tel:` URI; all of any other scheme.
    pub user: Option<&'a str>,
    /// What follows the user part's first colon. Nobody should send one.
    pub password: Option<&'a str>,
    /// A name, an IPv4 address, or an IPv6 address in its brackets; empty where the scheme has no host.
    pub host: &'a str,
    /// The port, where it is written.
    pub port: Option<u16>,
    /// `;transport=udp;lr`
    pub params: Params<'a>,
    /// What follows the `?`, without it.
    pub headers: Option<&'a str>,
}

impl<'a> Uri<'a> {
    /// Reads a URI without `<>` around it.
    pub fn parse(text: &'a str) -> Result<Uri<'a>, Malformed> {
        if text.bytes().any(|b| b <= b' ' || matches!(b, b'<' | b'>' | b'"' | 127)) {
            return Err(Malformed::Uri("a character that must be escaped"));
        }
        let (scheme, rest) = scan::split(text, b':').ok_or(Malformed::Uri("no scheme"))?;
        if scheme.eq_ignore_ascii_case("sip") || scheme.eq_ignore_ascii_case("sips") {
            return Uri::parse_sip(scheme, rest);
        }
        let scheme_byte = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.');
        if !scheme.as_bytes().first().is_some_and(u8::is_ascii_alphabetic) || !scheme.bytes().all(scheme_byte) {
            return Err(Malformed::Uri("no scheme"));
        }
        let (user, params) =
            if scheme.eq_ignore_ascii_case("tel") { scan::split(rest, b';').unwrap_or((rest, "")) } else { (rest, "") };
        if user.is_empty() {
            return Err(Malformed::Uri("nothing behind the scheme"));
        }
        let params = Params::of(params);
        Ok(Uri { scheme, user: Some(user), password: None, host: "", port: None, params, headers: None })
    }

    fn parse_sip(scheme: &'a str, rest: &'a str) -> Result<Uri<'a>, Malformed> {
        let (userinfo, rest) = match scan::split(rest, b'@') {
            Some((userinfo, rest)) => (Some(userinfo), rest),
            None => (None, rest),
        };
        // Two of them would leave it open which host is meant.
        if scan::seek(rest.as_bytes(), 0, b'@').is_some() {
            return Err(Malformed::Uri("more than one @"));
        }
        let (user, password) = match userinfo.map(|u| scan::split(u, b':').map_or((u, None), |(u, p)| (u, Some(p)))) {
            Some(("", _)) => return Err(Malformed::Uri("an @ without a user")),
            Some((user, password)) => (Some(user), password),
            None => (None, None),
        };
        let (rest, headers) = scan::split(rest, b'?').map_or((rest, None), |(r, h)| (r, Some(h)));
        let (host_port, params) = scan::split(rest, b';').unwrap_or((rest, ""));
        let (host, port) = host_and_port(host_port).map_err(Malformed::Uri)?;
        Ok(Uri { scheme, user, password, host, port, params: Params::of(params), headers })
    }

    /// The value of a URI parameter, empty when it has none.
    pub fn param(&self, name: &str) -> Option<&'a str> {
        self.params.get(name)
    }

    /// The host without the brackets of an IPv6 address.
    pub fn host_str(&self) -> &'a str {
        without_brackets(self.host)
    }

    /// The host, when it is an address.
    pub fn ip(&self) -> Option<IpAddr> {
        let host = self.host_str();
        host.parse().ok().or_else(|| ipv6(host).map(IpAddr::V6))
    }

    /// Is it a `sip:` or `sips:` URI?
    pub fn is_sip(&self) -> bool {
        self.scheme.eq_ignore_ascii_case("sip") || self.scheme.eq_ignore_ascii_case("sips")
    }
}

impl fmt::Display for Uri<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.scheme, self.user.unwrap_or_default())?;
        if let Some(password) = self.password {
            write!(f, ":{password}")?;
        }
        if self.user.is_some() && self.is_sip() {
            f.write_str("@")?;
        }
        f.write_str(self.host)?;
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        if !self.params.as_str().is_empty() {
            write!(f, ";{}", self.params.as_str())?;
        }
        self.headers.map_or(Ok(()), |headers| write!(f, "?{headers}"))
    }
}

/// `host`, `host:port`, `[v6]` or `[v6]:port`; spaces are allowed around the colon (Via has them).
pub(super) fn host_and_port(text: &str) -> Result<(&str, Option<u16>), &'static str> {
    let text = scan::trim(text);
    let (host, port) = if text.starts_with('[') {
        let close = text.find(']').ok_or("an open bracket")?;
        let (host, rest) = text.split_at_checked(close + 1).ok_or("an open bracket")?;
        ipv6(without_brackets(host)).ok_or("no IPv6 address in the brackets")?;
        match scan::trim(rest) {
            "" => (host, None),
            rest => (host, Some(rest.strip_prefix(':').ok_or("something behind the bracket")?)),
        }
    } else {
        let (host, port) = scan::split(text, b':').map_or((text, None), |(h, p)| (h, Some(p)));
        let host = scan::trim(host);
        let host_byte = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
        if host.is_empty() || !host.bytes().all(host_byte) {
            return Err("no host");
        }
        (host, port)
    };
    match port {
        None => Ok((host, None)),
        Some(port) => scan::number(scan::trim(port)).map(|port| (host, Some(port))).ok_or("no port number"),
    }
}

/// An address as it is written, or with one colon too many before its IPv4 part: the grammar of RFC 3261 §25.1 lets
/// that pass, and who follows it must be understood (RFC 5118 §4.10).
fn ipv6(text: &str) -> Option<Ipv6Addr> {
    text.parse().ok().or_else(|| {
        let (groups, v4) = text.rsplit_once(":::")?;
        v4.parse::<Ipv4Addr>().ok()?;
        format!("{groups}::{v4}").parse().ok()
    })
}

pub(super) fn without_brackets(host: &str) -> &str {
    host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host)
}
