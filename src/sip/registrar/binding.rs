//! Where one phone of a user is: a binding (RFC 3261 §10), how it is read out of a REGISTER, and the line of text that
//! brings it over a restart.
//!
//! Easy to get wrong: a Contact says where a phone believes to be. Behind a NAT that is nowhere, and a connection leads
//! only to whoever opened it; so requests go where the REGISTER came from, unless the phone names another port of the
//! very address we saw. A phone that comes through a proxy names it in Path (RFC 3327), and is reached over it. A Route
//! within a Contact is written into what is sent there, and moves it to no other place: where our calls go nobody says.

use core::net::SocketAddr;
use core::time::Duration;

use crate::base::Time;
use crate::sip::Hop;
use crate::sip::Transport;
use crate::sip::handle::{plain, words};
use crate::wire::sip::{Message, Name, NameAddr, Uri};

/// The longest URI, Call-ID or instance that is kept.
const TEXT_MAX: usize = 255;
/// So many proxies may stand between a phone and us.
const PATH_MAX: usize = 4;
/// A sign before the words of a binding that is written down, so that another format can follow one day.
const SIGN: &str = "b1";

/// One phone of a user.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Binding {
    /// The Contact's URI.
    pub contact: String,
    /// Where requests go.
    pub hop: Hop,
    /// Where its REGISTER came from.
    pub source: Hop,
    /// The proxies on the way, nearest to us first: Route of what we send.
    pub path: Vec<String>,
    /// The phone's own weight in thousandths; the highest is rung first.
    pub q: u16,
    /// What was granted last, in seconds.
    pub expires_s: u32,
    /// It holds until then.
    pub until: Time,
    /// Which device, and which of its flows (RFC 5626 §4.1), where it says so: as the parameters of its Contact.
    pub flow: Option<String>,
    /// Call-ID and CSeq number of its last REGISTER.
    pub last: (String, u32),
    /// What it calls itself.
    pub agent: String,
}

/// What one Contact of a REGISTER asks for.
#[derive(Clone, Debug)]
pub struct Wanted<'a> {
    /// The URI.
    pub contact: &'a str,
    /// For so many seconds; 0: not any more; `None`: as the registrar likes.
    pub expires_s: Option<u32>,
    /// The weight in thousandths.
    pub q: u16,
    /// Device and flow.
    pub flow: Option<String>,
}

/// The Contacts of a REGISTER; the error says what is wrong with one. A `*` is not among them.
pub fn wanted(register: &Message) -> Result<Vec<Wanted<'_>>, &'static str> {
    let read = |value| {
        let contact = NameAddr::parse(value)?;
        let uri = contact.uri().map_err(|_| "a Contact that is no URI")?;
        // Without <> a question mark belongs to nobody (RFC 3261 §20.10).
        if uri.headers.is_some() && !value.contains('<') {
            return Err("a Contact with headers and without <>");
        }
        if !uri.is_sip() || routes_in(contact.uri).is_none() || contact.uri.len() > TEXT_MAX {
            return Err("a Contact that cannot be called");
        }
        let flow = contact.param("+sip.instance").zip(contact.param("reg-id"));
        let flow = flow.map(|(instance, id)| format!("+sip.instance={instance};reg-id={id}"));
        Ok(Wanted {
            contact: contact.uri,
            expires_s: contact.expires().or_else(|| register.expires()),
            q: contact.param("q").map_or(1_000, thousandths),
            flow: flow.filter(|flow| flow.len() <= TEXT_MAX),
        })
    };
    register.list(&Name::Contact).map(read).collect()
}

/// The Routes that a Contact wants in what is sent to it (RFC 3261 §19.1.1, RFC 4475 §3.3.14); `None`: it wants other
/// headers, and nobody is let write those (RFC 3261 §19.1.5).
fn routes_in(contact: &str) -> Option<Vec<String>> {
    let uri = Uri::parse(contact).ok()?;
    let route = |header: &str| {
        let (name, value) = header.split_once('=')?;
        let value = plain(value).filter(|_| name.eq_ignore_ascii_case("Route"))?;
        NameAddr::parse(&value).ok()?.uri().ok().filter(Uri::is_sip)?;
        Some(value)
    };
    uri.headers.into_iter().flat_map(|headers| headers.split('&')).map(route).collect()
}

/// The proxies that a REGISTER came through; `None`: more or longer ones than are kept.
pub fn path(register: &Message) -> Option<Vec<String>> {
    let path: Vec<String> = register.list(&Name::Path).take(PATH_MAX + 1).map(str::to_owned).collect();
    (path.len() <= PATH_MAX && path.iter().all(|uri| uri.len() <= TEXT_MAX)).then_some(path)
}

/// Where requests for this Contact go that was named by somebody at `source`.
pub fn way(source: Hop, contact: &str) -> Hop {
    let Ok(uri) = Uri::parse(contact) else { return source };
    let same = uri.ip().is_some_and(|ip| ip.to_canonical() == source.ip().to_canonical());
    let datagrams = uri.param("transport").is_none_or(|word| Transport::parse(word) == Some(Transport::Udp));
    match uri.port.unwrap_or(Transport::Udp.port()) {
        port @ 1.. if same && datagrams && source.transport == Transport::Udp => {
            Hop::udp(SocketAddr::new(source.ip(), port))
        }
        _ => source,
    }
}

/// Do two Contacts name the same phone (RFC 3261 §19.1.4, as far as it tells phones apart)?
pub fn same_phone(one: &str, other: &str) -> bool {
    let (Ok(one), Ok(other)) = (Uri::parse(one), Uri::parse(other)) else { return one == other };
    let spoken = |uri: &Uri<'_>| uri.param("transport").and_then(Transport::parse).unwrap_or_default();
    one.user == other.user
        && one.host.eq_ignore_ascii_case(other.host)
        && one.port.unwrap_or(spoken(&one).port()) == other.port.unwrap_or(spoken(&other).port())
        && spoken(&one) == spoken(&other)
}

impl Binding {
    /// The Request-URI of what is sent to it: headers may not stand there.
    pub fn uri(&self) -> &str {
        let headers = Uri::parse(&self.contact).ok().and_then(|uri| uri.headers);
        let rest = headers.and_then(|headers| self.contact.strip_suffix(headers)?.strip_suffix('?'));
        rest.unwrap_or(&self.contact)
    }

    /// Route of what is sent to it: the proxies that it came through, then those that it named itself.
    pub fn routes(&self) -> Vec<String> {
        let named = routes_in(&self.contact).unwrap_or_default();
        self.path.iter().cloned().chain(named).collect()
    }

    /// The value of Contact that tells of it (RFC 3261 §10.3, step 8).
    pub fn shown(&self, now: Time) -> String {
        let mut text = format!("<{}>;expires={}", self.contact, self.until.since(now).as_secs());
        if self.q < 1_000 {
            text.push_str(&format!(";q=0.{:03}", self.q));
        }
        self.flow.iter().for_each(|flow| text.push_str(&format!(";{flow}")));
        text
    }

    /// Was it this REGISTER, or one before it, that was heard of last?
    pub fn is_newer(&self, call_id: &str, number: u32) -> bool {
        self.last.0 == call_id && self.last.1 >= number
    }

    /// When it was granted last.
    pub fn refreshed(&self) -> Duration {
        self.until.since(Time::ZERO).saturating_sub(Duration::from_secs(self.expires_s.into()))
    }

    /// The text that brings it over a restart; `None` for one that hangs on a connection, which does not survive us.
    pub fn written(&self) -> Option<String> {
        if self.source.is_reliable() {
            return None;
        }
        let (hop, source) = (self.hop.to_string(), self.source.to_string());
        let numbers = [u32::from(self.q), self.expires_s, self.last.1].map(|number| number.to_string());
        let [q, expires, seq] = &numbers;
        let flow = self.flow.as_deref().unwrap_or_default();
        let mut list = vec![SIGN, &self.contact, &hop, &source, q, expires, seq, &self.last.0, flow, &self.agent];
        list.extend(self.path.iter().map(String::as_str));
        Some(words(&list))
    }

    /// Reads such a text; the binding holds for as long as it was granted last, counted from now, because nobody wrote
    /// down when it was refreshed.
    pub fn read(now: Time, text: &str) -> Option<Binding> {
        if text.len() > 8 * 1_024 {
            return None;
        }
        let mut list = text.split(' ').map(plain);
        let mut next = || list.next().flatten();
        if next()? != SIGN {
            return None;
        }
        let contact = next()?;
        let (hop, source) = (next()?.parse().ok()?, next()?.parse().ok()?);
        let (q, expires_s, seq) = (next()?.parse().ok()?, next()?.parse().ok()?, next()?.parse().ok()?);
        let (call_id, flow, agent) = (next()?, next()?, next()?);
        let path = list.collect::<Option<Vec<String>>>()?;
        Uri::parse(&contact).ok().filter(Uri::is_sip)?;
        let until = now + Duration::from_secs(u64::from(expires_s));
        let flow = Some(flow).filter(|flow| !flow.is_empty());
        Some(Binding { contact, hop, source, path, q, expires_s, until, flow, last: (call_id, seq), agent })
    }
}

/// `0.25` as 250; 1000 for what is none.
fn thousandths(q: &str) -> u16 {
    let (whole, part) = q.split_once('.').unwrap_or((q, ""));
    let digits: String = part.bytes().filter(u8::is_ascii_digit).chain(*b"000").take(3).map(char::from).collect();
    match (whole, digits.parse::<u16>()) {
        ("0", Ok(part)) => part,
        _ => 1_000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::sip::{Builder, Method};

    fn at(text: &str) -> Hop {
        text.parse().unwrap()
    }

    #[test]
    fn requests_go_where_the_phone_was_seen_and_not_where_it_believes_to_be() {
        let nat = at("203.0.113.7:40001");
        assert_eq!(way(nat, "sip:ann@192.168.1.5:5060"), nat);
        assert_eq!(way(nat, "sip:ann@phone.local"), nat);
        assert_eq!(way(nat, "sip:ann@203.0.113.7:5070"), at("203.0.113.7:5070"));
        assert_eq!(way(nat, "sip:ann@203.0.113.7"), at("203.0.113.7:5060"));
        assert_eq!(way(nat, "sip:ann@203.0.113.7:0"), nat);
        assert_eq!(way(nat, "sip:ann@203.0.113.7:5070;transport=tcp"), nat);
        let connection = at("tcp:203.0.113.7:40001");
        assert_eq!(way(connection, "sip:ann@203.0.113.7:5060;transport=tcp"), connection);
    }

    #[test]
    fn a_phone_is_the_same_whatever_else_its_uri_says() {
        assert!(same_phone("sip:ann@192.0.2.5", "sip:ann@192.0.2.5:5060;ob"));
        assert!(same_phone("sip:ann@PHONE.example;transport=tcp", "sip:ann@phone.example:5060;transport=TCP"));
        assert!(!same_phone("sip:ann@192.0.2.5", "sip:ann@192.0.2.5:5062"));
        assert!(!same_phone("sip:ann@192.0.2.5", "sip:ann@192.0.2.5;transport=tcp"));
        assert!(!same_phone("sip:ann@192.0.2.5", "sip:bob@192.0.2.5"));
    }

    #[test]
    fn a_binding_survives_being_written_and_read() {
        let binding = Binding {
            contact: "sip:ann@192.0.2.5:5062;x=%20".into(),
            hop: at("192.0.2.5:5062"),
            source: at("192.0.2.5:5060"),
            path: vec!["<sip:192.0.2.9;lr>".into()],
            q: 250,
            expires_s: 300,
            until: Time::ZERO + Duration::from_secs(300),
            flow: Some("+sip.instance=\"<urn:uuid:1>\";reg-id=1".into()),
            last: ("call 1".into(), 7),
            agent: "半鐘 phone".into(),
        };
        assert_eq!(Binding::read(Time::ZERO, &binding.written().unwrap()), Some(binding.clone()));
        let without = Binding { flow: None, agent: String::new(), path: Vec::new(), ..binding.clone() };
        assert_eq!(Binding::read(Time::ZERO, &without.written().unwrap()), Some(without));
        assert_eq!(Binding { source: at("tcp:192.0.2.5:1"), ..binding }.written(), None);
        for wrong in ["", "b1", "b2 a b", "b1 sip:a@b nowhere x 1 1 1 c f a"] {
            assert_eq!(Binding::read(Time::ZERO, wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_is_asked_for_is_read_contact_by_contact() {
        let text = Builder::request(Method::Register, "sip:house.example")
            .header(Name::Contact, "<sip:a@192.0.2.5>;expires=60;q=0.5, <sip:b@192.0.2.5>;q=1.0")
            .header(Name::Contact, "<sip:c@192.0.2.5>;q=0.25;reg-id=1;+sip.instance=\"<urn:uuid:7>\"")
            .header(Name::Expires, "900")
            .finish();
        let message = Message::parse(&text).unwrap();
        let read = wanted(&message).unwrap();
        let seen: Vec<_> = read.iter().map(|one| (one.contact, one.expires_s, one.q, one.flow.is_some())).collect();
        let expected = [
            ("sip:a@192.0.2.5", Some(60), 500, false),
            ("sip:b@192.0.2.5", Some(900), 1_000, false),
            ("sip:c@192.0.2.5", Some(900), 250, true),
        ];
        assert_eq!(seen, expected);
        for wrong in ["<tel:+8131>", "<sip:a@b?Route=x>", "<sip:a b@c>"] {
            let text = Builder::request(Method::Register, "sip:x").header(Name::Contact, wrong).finish();
            assert!(wanted(&Message::parse(&text).unwrap()).is_err(), "{wrong}");
        }
    }
}
