//! The messages the agent writes: requests, the ACK and the CANCEL that go with an INVITE, responses.
//!
//! It never decides which message is due.
//!
//! Easy to get wrong: ACK to a refusal and CANCEL repeat the topmost Via, the Request-URI, From, Call-ID, the
//! Route and the CSeq number of the INVITE; only the ACK takes the To of the response (RFC 3261 §9.1,
//! §17.1.1.3).

use core::net::SocketAddr;

use crate::base::Plain;
use crate::sip::{Cause, Hop, Identities};
use crate::wire::sip::{Builder, Message, Method, Name, Start, reason_phrase, unquote};

/// The methods we take.
pub const ALLOW: &str = "INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, UPDATE, PRACK, MESSAGE";
/// What an INVITE carries.
pub const SDP: &str = "application/sdp";
/// What an INVITE to us may carry.
pub const SESSIONS: &str = "application/sdp, multipart/mixed";

/// What a request carries.
#[derive(Clone, PartialEq, Debug)]
pub struct Body {
    /// Its Content-Type.
    pub kind: &'static str,
    /// As it is sent.
    pub bytes: Vec<u8>,
}

/// A request that can be sent again with another branch, number and credentials.
#[derive(Clone, PartialEq, Debug)]
pub struct Request {
    /// What is asked.
    pub method: Method,
    /// The Request-URI.
    pub uri: String,
    /// Where it goes.
    pub hop: Hop,
    /// From, with its tag.
    pub from: String,
    /// To.
    pub to: String,
    /// Call-ID.
    pub call_id: String,
    /// CSeq number.
    pub seq: u32,
    /// Route, one value each.
    pub routes: Vec<String>,
    /// Whatever else.
    pub headers: Vec<(Name, String)>,
    /// What it carries, if anything.
    pub body: Option<Body>,
}

impl Request {
    /// The whole message.
    pub fn bytes(&self, identity: &Identities, branch: &str, credentials: &[(Name, String)]) -> Vec<u8> {
        let (transport, local) = (self.hop.transport, Plain(identity.local_for(self.hop)));
        // RFC 5923 §5: what is sent to this address may come over the connection that carries this.
        let alias = if transport.is_reliable() { ";alias" } else { "" };
        let way = transport.in_via();
        let mut builder = Builder::request(self.method.clone(), &self.uri)
            .line(Name::Via, format_args!("SIP/2.0/{way} {local};branch={branch};rport{alias}"))
            .header(Name::MaxForwards, "70")
            .header(Name::From, &self.from)
            .header(Name::To, &self.to)
            .header(Name::CallId, &self.call_id)
            .line(Name::CSeq, format_args!("{} {}", self.seq, self.method));
        for route in &self.routes {
            builder = builder.header(Name::Route, route);
        }
        for (name, value) in self.headers.iter().chain(credentials) {
            builder = builder.header(*name, value);
        }
        builder = builder.header(Name::UserAgent, identity.user_agent());
        match &self.body {
            Some(body) => builder.body(body.kind, &body.bytes).finish(),
            None => builder.finish(),
        }
    }
}

/// The ACK to a refusal (RFC 3261 §17.1.1.3), made from the INVITE as it was sent.
pub fn ack_of_refusal(invite: &[u8], response: &Message) -> Vec<u8> {
    of_invite(invite, Method::Ack, response.header(&Name::To), None)
}

/// The CANCEL of an INVITE as it was sent (RFC 3261 §9.1), with what it says in Reason.
pub fn cancel_of(invite: &[u8], reason: Option<&str>) -> Vec<u8> {
    of_invite(invite, Method::Cancel, None, reason)
}

/// What Reason says when we end a call for this cause (RFC 3326 §2): somebody else having answered, telephones list no
/// missed call. Our own wish needs no words.
pub fn reason_for(cause: Cause) -> Option<&'static str> {
    match cause {
        Cause::Elsewhere => Some("SIP;cause=200;text=\"Call completed elsewhere\""),
        Cause::Removed => Some("SIP;cause=403;text=\"Taken out of the room\""),
        Cause::Locked => Some("SIP;cause=403;text=\"The room is locked\""),
        Cause::Timeout => Some("SIP;cause=408;text=\"Request Timeout\""),
        Cause::NoCommonCodec => Some("SIP;cause=488;text=\"Not Acceptable Here\""),
        Cause::Us | Cause::Them | Cause::Refused | Cause::Network(_) => None,
    }
}

/// The branch of a message of ours.
pub fn branch_of(bytes: &[u8]) -> Option<String> {
    Message::parse(bytes).ok()?.via().ok()?.branch().map(str::to_owned)
}

/// Empty only if `invite` is no message, and then nothing is worth sending.
fn of_invite(invite: &[u8], method: Method, to: Option<&str>, reason: Option<&str>) -> Vec<u8> {
    let Ok(invite) = Message::parse(invite) else { return Vec::new() };
    let Start::Request { uri, .. } = invite.start() else { return Vec::new() };
    let number = invite.cseq().map_or(1, |cseq| cseq.number);
    let mut builder = Builder::request(method.clone(), uri)
        .copy(&invite, Name::Via)
        .header(Name::MaxForwards, "70")
        .copy(&invite, Name::From);
    builder = match to {
        Some(to) => builder.header(Name::To, to),
        None => builder.copy(&invite, Name::To),
    };
    builder = builder
        .copy(&invite, Name::CallId)
        .line(Name::CSeq, format_args!("{number} {method}"))
        .copy(&invite, Name::Route);
    if let Some(reason) = reason {
        builder = builder.header(Name::Reason, reason);
    }
    builder.copy(&invite, Name::UserAgent).finish()
}

/// A response to a request that came from `source`, with everything every response of ours has.
pub fn reply(request: &Message, source: Hop, code: u16, identity: &Identities) -> Builder {
    Builder::response(request, code).received_from(source.address).header(Name::Server, identity.user_agent())
}

/// Where the answers to a request go that came from `source`: over the connection it came on; over UDP to the port
/// that its Via names (RFC 3261 §18.2.2, RFC 3581 §4).
pub fn reply_to(request: &Message, source: Hop) -> Hop {
    match request.via() {
        Ok(via) if !source.is_reliable() && via.rport().is_none() => {
            Hop::udp(SocketAddr::new(source.ip(), via.port.unwrap_or(5060)))
        }
        _ => source,
    }
}

/// Why, in the peer's words: the text of its Reason header (RFC 3326), else the reason phrase with the text of its Warning.
pub fn reason_of(message: &Message) -> String {
    let phrase = || match message.start() {
        Start::Response { code, reason: "" } => reason_phrase(code).to_owned(),
        Start::Response { reason, .. } => reason.to_owned(),
        Start::Request { method, .. } => method.as_str().to_owned(),
    };
    let Some(value) = message.list(&Name::Reason).next() else {
        let warning = message.list(&Name::Warning).find_map(warning);
        return warning.map_or_else(phrase, |warning| [&phrase(), ": ", &warning].concat());
    };
    let text = crate::wire::sip::Params::of(value.split_once(';').map_or("", |(_, params)| params)).get("text");
    match text.map(unquote) {
        Some(text) if !text.is_empty() => text.into_owned(),
        _ => value.to_owned(),
    }
}

/// What a Warning says (RFC 3261 §20.43): `305 pbx.example "Incompatible media format"`.
fn warning(value: &str) -> Option<String> {
    let text = unquote(value.splitn(3, ' ').nth(2)?);
    (!text.trim().is_empty()).then(|| text.trim().to_owned())
}

/// `text` as the user part of a SIP URI: what may not stand there is escaped (RFC 3261 §25.1).
pub fn user_part(text: &str) -> String {
    let mut user = String::with_capacity(text.len());
    for byte in text.bytes() {
        let plain = byte.is_ascii_alphanumeric() || b"-_.!~*'()&=+$,;?/".contains(&byte);
        if plain {
            user.push(char::from(byte));
        } else {
            user.push_str(&format!("%{byte:02X}"));
        }
    }
    user
}

#[cfg(test)]
#[path = "tests/message.rs"]
mod tests;
