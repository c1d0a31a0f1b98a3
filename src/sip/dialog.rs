//! A dialog: what two ends remember of each other between INVITE and BYE (RFC 3261 §12).
//!
//! It numbers our requests, judges theirs, and knows the way: the route set, the remote target, and the
//! address the next datagram goes to.
//!
//! Easy to get wrong: the caller reverses Record-Route, the callee does not; a first hop without `;lr` is a
//! strict router and takes the place of the Request-URI (§12.2.1.1); the remote target changes with each
//! re-INVITE, the route set never.

use core::net::{IpAddr, SocketAddr};

use crate::sip::message::Request;
use crate::sip::{Hop, Transport};
use crate::wire::sip::{Message, Method, Name, NameAddr, Params, Uri};

/// More hops than this are cut off; real route sets have one or two.
const MAX_ROUTES: usize = 16;

/// Our side of a dialog.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Dialog {
    /// Call-ID.
    pub call_id: String,
    /// From of our requests, with our tag.
    pub local: String,
    /// To of our requests, with their tag.
    pub remote: String,
    /// Their Contact: the Request-URI of our requests.
    pub target: String,
    /// Route of our requests, nearest hop first.
    pub routes: Vec<String>,
    /// CSeq of our last request.
    pub seq: u32,
    /// CSeq of their last request, once there was one.
    pub remote_seq: Option<u32>,
    /// Where requests go whose next hop is a name: nothing here looks names up.
    pub fallback: Hop,
    /// They all go there, whatever Contact says: the far end is a phone of ours, and we know where it is; or it did not
    /// say where it is.
    pub direct: bool,
}

impl Dialog {
    /// The dialog that a response with a To tag opens for the caller.
    pub fn of_response(invite: &Request, response: &Message) -> Dialog {
        let mut routes: Vec<String> = response.list(&Name::RecordRoute).map(str::to_owned).collect();
        routes.reverse();
        routes.truncate(MAX_ROUTES);
        let contact = contact_uri(response);
        Dialog {
            // Without any word on where it is, the far end is where the INVITE went, whatever its URI says.
            direct: contact.is_none() && routes.is_empty(),
            call_id: invite.call_id.clone(),
            local: invite.from.clone(),
            remote: response.header(&Name::To).unwrap_or(&invite.to).to_owned(),
            target: contact.unwrap_or_else(|| invite.uri.clone()),
            routes,
            seq: invite.seq,
            remote_seq: None,
            fallback: invite.hop,
        }
    }

    /// The dialog of a 200 to an INVITE nobody remembers: enough to acknowledge it and say BYE. `None` when
    /// the response lacks what that takes.
    pub fn of_stray(response: &Message, source: Hop) -> Option<Dialog> {
        response.check().ok()?;
        response.to().ok()?.tag()?;
        let mut routes: Vec<String> = response.list(&Name::RecordRoute).map(str::to_owned).collect();
        routes.reverse();
        routes.truncate(MAX_ROUTES);
        Some(Dialog {
            call_id: response.call_id()?.to_owned(),
            local: response.header(&Name::From)?.to_owned(),
            remote: response.header(&Name::To)?.to_owned(),
            target: contact_uri(response)?,
            routes,
            seq: response.cseq().ok()?.number,
            remote_seq: None,
            fallback: source,
            direct: false,
        })
    }

    /// The dialog that an INVITE from `source` opens for the callee, who calls himself `tag`.
    pub fn of_invite(invite: &Message, tag: &str, source: Hop) -> Option<Dialog> {
        Some(Dialog {
            call_id: invite.call_id()?.to_owned(),
            local: format!("{};tag={tag}", invite.header(&Name::To)?),
            remote: invite.header(&Name::From)?.to_owned(),
            // Software of RFC 2543 may be without a Contact.
            target: contact_uri(invite).or_else(|| Some(invite.from().ok()?.uri.to_owned()))?,
            routes: invite.list(&Name::RecordRoute).take(MAX_ROUTES).map(str::to_owned).collect(),
            seq: 0,
            remote_seq: invite.cseq().ok().map(|cseq| cseq.number),
            fallback: source,
            direct: false,
        })
    }

    /// Our tag.
    pub fn local_tag(&self) -> &str {
        tag_of(&self.local)
    }

    /// Their tag; empty when they have none (RFC 2543).
    pub fn remote_tag(&self) -> &str {
        tag_of(&self.remote)
    }

    /// The next request of ours. An ACK has the number of its INVITE; see [`Dialog::ack`].
    pub fn request(&mut self, method: Method) -> Request {
        self.seq = self.seq.saturating_add(1);
        self.numbered(method, self.seq)
    }

    /// The ACK to a 200 (RFC 3261 §13.2.2.4).
    pub fn ack(&self, invite_seq: u32) -> Request {
        self.numbered(Method::Ack, invite_seq)
    }

    /// Is a request of theirs in order (RFC 3261 §12.2.2)? If so its number is remembered; a lower one is to
    /// be answered 500. A copy never comes here, its transaction swallows it.
    pub fn takes(&mut self, number: u32) -> bool {
        let fits = self.remote_seq.is_none_or(|last| number > last);
        if fits {
            self.remote_seq = Some(number);
        }
        fits
    }

    /// Is a request, neither ACK nor CANCEL, one of this dialog and in order? Otherwise the status that refuses it.
    pub fn admits(&mut self, request: &Message) -> Result<(), u16> {
        if request.from().ok().and_then(|from| from.tag()).unwrap_or_default() != self.remote_tag() {
            return Err(481);
        }
        if request.cseq().is_ok_and(|cseq| self.takes(cseq.number)) { Ok(()) } else { Err(500) }
    }

    /// A re-INVITE or UPDATE moved the remote target.
    pub fn refresh_target(&mut self, message: &Message) {
        if let Some(target) = contact_uri(message) {
            self.target = target;
        }
    }

    fn numbered(&self, method: Method, seq: u32) -> Request {
        let strict = self.routes.first().and_then(|route| {
            let uri = NameAddr::parse(route).ok()?.uri;
            let loose = Uri::parse(uri).is_ok_and(|parsed| parsed.param("lr").is_some());
            (!loose).then(|| uri.to_owned())
        });
        let (uri, routes) = match strict {
            None => (request_uri(&self.target), self.routes.clone()),
            Some(first) => {
                let rest = self.routes.iter().skip(1).cloned();
                (request_uri(&first), rest.chain(core::iter::once(format!("<{}>", self.target))).collect())
            }
        };
        Request {
            method,
            uri,
            hop: self.hop(),
            from: self.local.clone(),
            to: self.remote.clone(),
            call_id: self.call_id.clone(),
            seq,
            routes,
            headers: Vec::new(),
            body: None,
        }
    }

    /// Where the next message goes: the first route's address, else the remote target's. Over TLS it is the trunk,
    /// because nobody else's certificate can be checked.
    fn hop(&self) -> Hop {
        let next = match self.routes.first() {
            Some(route) => NameAddr::parse(route).map(|route| route.uri).unwrap_or_default(),
            None => &self.target,
        };
        if self.direct || self.fallback.transport == Transport::Tls {
            return self.fallback;
        }
        let hop = hop_of(next).filter(|hop| reachable(hop.ip(), self.fallback.ip())).unwrap_or(self.fallback);
        // What comes from behind a NAT, or with a Contact that forgot its transport, is answered over the connection
        // that stands.
        let same = self.fallback.is_reliable() && hop.ip().to_canonical() == self.fallback.ip().to_canonical();
        if same { self.fallback } else { hop }
    }
}

/// A URI without what may not stand in a Request-URI: `;method=` and headers (RFC 3261 §19.1.1, §12.2.1.1).
fn request_uri(text: &str) -> String {
    match Uri::parse(text) {
        Ok(uri) if uri.is_sip() && (uri.headers.is_some() || uri.param("method").is_some()) => {
            let is_method = |param: &&str| param.split('=').next().is_some_and(|n| n.eq_ignore_ascii_case("method"));
            let params: Vec<&str> = uri.params.as_str().split(';').filter(|param| !is_method(param)).collect();
            Uri { headers: None, params: Params::of(&params.join(";")), ..uri }.to_string()
        }
        _ => text.to_owned(),
    }
}

/// The address of a URI, where it names one, and what it says is spoken there. What is to be safe on every hop
/// (`sips:`) is no matter for us to send, least of all as a datagram.
fn hop_of(uri: &str) -> Option<Hop> {
    let uri = Uri::parse(uri).ok().filter(|uri| uri.scheme.eq_ignore_ascii_case("sip"))?;
    let transport = uri.param("transport").map_or(Some(Transport::Udp), Transport::parse);
    let transport = transport.filter(|transport| *transport != Transport::Tls)?;
    let ip = match uri.param("maddr") {
        Some(maddr) => maddr.parse().ok(),
        None => uri.ip(),
    };
    let address = SocketAddr::new(ip?, uri.port.unwrap_or(5060));
    let usable = address.port() != 0 && !address.ip().is_unspecified();
    usable.then_some(Hop { transport, address, line: None })
}

/// A private address named by a trunk that is not in a private network itself is its view, not ours.
fn reachable(ip: IpAddr, seen: IpAddr) -> bool {
    let private = |ip: IpAddr| match ip.to_canonical() {
        IpAddr::V4(v4) => v4.is_private() || v4.is_loopback() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unique_local() || v6.is_loopback() || v6.is_unicast_link_local(),
    };
    ip.is_ipv4() == seen.is_ipv4() && (!private(ip) || private(seen))
}

fn contact_uri(message: &Message) -> Option<String> {
    let contact = message.contact()?.ok()?;
    contact.uri().ok().filter(Uri::is_sip).map(|_| contact.uri.to_owned())
}

fn tag_of(name_addr: &str) -> &str {
    NameAddr::parse(name_addr).ok().and_then(|name| name.tag()).unwrap_or_default()
}

#[cfg(test)]
#[path = "tests/dialog.rs"]
mod tests;
