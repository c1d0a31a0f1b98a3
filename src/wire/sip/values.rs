//! Typed views of header values: addresses, Via, CSeq (RFC 3261 §20.10, §20.16, §20.42).

use core::fmt;
use core::net::{IpAddr, SocketAddr};
use std::borrow::Cow;

use super::scan::{self, Params, Skip};
use super::uri::{host_and_port, without_brackets};
use super::{Malformed, Method, Name, Uri, unquote};

/// The port of `sip:` over UDP and TCP (RFC 3261 §19.1.2).
const SIP_PORT: u16 = 5060;
/// Branches begin with it that are unlike all others (RFC 3261 §8.1.1.7).
pub const MAGIC_COOKIE: &str = "z9hG4bK";

/// `"Display" <sip:user@host;uri-param>;header-param`, or the bare URI form of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NameAddr<'a> {
    /// As written, quotes kept; empty when there is none.
    pub display: &'a str,
    /// The URI without its `<>`, or `*` (a Contact that means all).
    pub uri: &'a str,
    /// The header parameters.
    pub params: Params<'a>,
}

impl<'a> NameAddr<'a> {
    /// Reads one value of a From, To, Contact, Route, … header. The error says what is wrong with it.
    pub fn parse(text: &'a str) -> Result<NameAddr<'a>, &'static str> {
        let text = scan::trim(text);
        let read = match scan::cut(text, b'<', Skip::Quotes) {
            (display, Some(rest)) => {
                let (uri, rest) = scan::split(rest, b'>').ok_or("an open <")?;
                let params = scan::trim(rest);
                if !params.is_empty() && !params.starts_with(';') {
                    return Err("something behind the >");
                }
                NameAddr { display: scan::trim(display), uri: scan::trim(uri), params: Params::of(params) }
            }
            (bare, None) if bare.starts_with('"') => return Err("an open quote, or a name without an address"),
            // Without <> every parameter is the header's, none the URI's (RFC 3261 §20).
            (bare, None) => {
                let (uri, params) = scan::cut(bare, b';', Skip::Quotes);
                NameAddr { display: "", uri: scan::trim(uri), params: Params::of(params.unwrap_or_default()) }
            }
        };
        if read.uri.is_empty() { Err("no URI") } else { Ok(read) }
    }

    /// The display name without quotes and escapes.
    pub fn display_name(&self) -> Option<Cow<'a, str>> {
        (!self.display.is_empty()).then(|| unquote(self.display))
    }

    /// The URI, cut into its parts.
    pub fn uri(&self) -> Result<Uri<'a>, Malformed> {
        Uri::parse(self.uri)
    }

    /// The value of a header parameter, empty when it has none.
    pub fn param(&self, name: &str) -> Option<&'a str> {
        self.params.get(name)
    }

    /// The dialog tag; an empty one counts as none.
    pub fn tag(&self) -> Option<&'a str> {
        self.param("tag").filter(|tag| !tag.is_empty())
    }

    /// A Contact's own expiry in seconds.
    pub fn expires(&self) -> Option<u32> {
        self.param("expires").and_then(scan::leading_number)
    }
}

impl fmt::Display for NameAddr<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.uri == "*" {
            return f.write_str("*");
        }
        if !self.display.is_empty() {
            write!(f, "{} ", self.display)?;
        }
        write!(f, "<{}>", self.uri)?;
        if self.params.as_str().is_empty() { Ok(()) } else { write!(f, ";{}", self.params.as_str()) }
    }
}

/// One hop of a message's way: `SIP/2.0/UDP host:port;branch=…`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Via<'a> {
    /// `UDP`, `TCP`, `TLS`, … as written.
    pub transport: &'a str,
    /// The host of sent-by, an IPv6 address in its brackets.
    pub host: &'a str,
    /// The port of sent-by, where it is written.
    pub port: Option<u16>,
    /// branch, received, rport, …
    pub params: Params<'a>,
}

impl<'a> Via<'a> {
    /// Reads one Via value. The error says what is wrong with it.
    pub fn parse(text: &'a str) -> Result<Via<'a>, &'static str> {
        let (head, params) = scan::cut(text, b';', Skip::Quotes);
        let rest = scan::trim(behind_version(head)?);
        let (transport, sent_by) = scan::word(rest).ok_or("no host")?;
        if !scan::is_token(transport) {
            return Err("no transport");
        }
        let (host, port) = host_and_port(sent_by)?;
        let params = params.unwrap_or_default();
        // It would hold a list together that falls apart when its parameter is left out.
        if scan::find(params, b'<', Skip::Quotes).is_some() {
            return Err("a < in a parameter");
        }
        Ok(Via { transport, host, port, params: Params::of(params) })
    }

    /// The value of a parameter, empty when it has none.
    pub fn param(&self, name: &str) -> Option<&'a str> {
        self.params.get(name)
    }

    /// The transaction's branch; an empty one counts as none.
    pub fn branch(&self) -> Option<&'a str> {
        self.param("branch").filter(|branch| !branch.is_empty())
    }

    /// Does its branch name one transaction and no other? Then there is something behind the cookie
    /// (RFC 3261 §8.1.1.7, RFC 4475 §3.2.1).
    pub fn is_modern(&self) -> bool {
        self.branch().and_then(|branch| branch.strip_prefix(MAGIC_COOKIE)).is_some_and(|rest| !rest.is_empty())
    }

    /// The address the request came from, as the next hop saw it.
    pub fn received(&self) -> Option<IpAddr> {
        self.param("received").and_then(|text| without_brackets(text).parse().ok())
    }

    /// RFC 3581 §4: `None` when not asked for, `Some(None)` when asked for, `Some(Some(port))` when filled in.
    pub fn rport(&self) -> Option<Option<u16>> {
        self.param("rport").map(scan::number)
    }

    /// The host of sent-by without the brackets of an IPv6 address.
    pub fn host_str(&self) -> &'a str {
        without_brackets(self.host)
    }

    /// Where a response goes that has this Via on top (RFC 3261 §18.2.2, RFC 3581 §4); `None` when sent-by is
    /// a name and nobody filled in `received`.
    pub fn reply_address(&self) -> Option<SocketAddr> {
        let ip = self.received().or_else(|| self.host_str().parse().ok())?;
        let port = self.rport().flatten().or(self.port).unwrap_or(SIP_PORT);
        Some(SocketAddr::new(ip, port))
    }

    /// This value with `received` and, where it was asked for, `rport` filled in for a request that came from
    /// `source` (RFC 3261 §18.2.1, RFC 3581 §4).
    pub fn stamped(&self, source: SocketAddr) -> String {
        let mut value = format!("SIP/2.0/{} {}", self.transport, self.host);
        if let Some(port) = self.port {
            value.push_str(&format!(":{port}"));
        }
        let asked = self.rport().is_some();
        for (name, text) in self.params.iter() {
            // What the sender claims of itself is not believed.
            if name.eq_ignore_ascii_case("received") || name.eq_ignore_ascii_case("rport") {
                continue;
            }
            value.push_str(&text.map_or(format!(";{name}"), |text| format!(";{name}={text}")));
        }
        let ip = source.ip().to_canonical();
        if asked || self.host_str().parse() != Ok(ip) {
            value.push_str(&format!(";received={ip}"));
        }
        if asked {
            value.push_str(&format!(";rport={}", source.port()));
        }
        value
    }
}

impl fmt::Display for Via<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SIP/2.0/{} {}", self.transport, self.host)?;
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        if self.params.as_str().is_empty() { Ok(()) } else { write!(f, ";{}", self.params.as_str()) }
    }
}

/// What follows the `SIP/2.0/` of a Via: the transport and sent-by.
fn behind_version(head: &str) -> Result<&str, &'static str> {
    if let Some(rest) = head.strip_prefix("SIP/2.0/") {
        return Ok(rest);
    }
    let mut parts = head.splitn(3, '/').map(scan::trim);
    let (protocol, version) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    if !protocol.eq_ignore_ascii_case("SIP") || version != "2.0" {
        return Err("not SIP/2.0");
    }
    parts.next().ok_or("no transport")
}

/// A request's place in its dialog, and its method.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CSeq {
    /// The sequence number.
    pub number: u32,
    /// The method.
    pub method: Method,
}

impl CSeq {
    /// Reads a CSeq value.
    pub fn parse(text: &str) -> Result<CSeq, Malformed> {
        let bad = |why| Malformed::Value { name: Name::CSeq, why };
        let text = scan::trim(text);
        let (number, method) = scan::word(text).ok_or(bad("no method"))?;
        let number = scan::number(number).ok_or(bad("no number below 2^32"))?;
        let method = Method::parse(scan::trim(method)).ok_or(bad("no method"))?;
        Ok(CSeq { number, method })
    }
}

impl fmt::Display for CSeq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.number, self.method)
    }
}
