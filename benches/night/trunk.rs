//! The town hansho calls: one SIP trunk, and one RTP socket on which all telephones listen.
//!
//! Every leg of hansho sends from a port of its own, so the port tells the telephones apart.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use hansho::audio::{FRAME, g711};
use hansho::wire::rtp::{Header, Packet};
use hansho::wire::sdp::{Address, Description};
use hansho::wire::sip::{Builder, Message, Method, Name, Uri};

use crate::Result;
use crate::clock::{MS, Nanos, now};
use crate::daemon::LIMIT;
use crate::net::{Arrival, Port, wait};

/// The trunk, the telephones, and their calls.
pub struct Town {
    sip: Port,
    rtp: Port,
    calls: Vec<Call>,
    by_id: BTreeMap<String, usize>,
    buffer: Vec<u8>,
    /// The earliest `again_at`.
    next_again: Nanos,
    repeated: usize,
}

/// One call from hansho.
pub struct Call {
    pub number: String,
    /// When the kernel received the INVITE.
    pub invited_at: Nanos,
    /// Where hansho listens for our voice.
    pub media: SocketAddr,
    /// The payload type hansho offered for keys.
    pub event_type: u8,
    invite: Message,
    from: SocketAddr,
    last_reply: Vec<u8>,
    /// An answer that has no ACK yet is sent again then (RFC 3261 §13.3.1.4).
    again_at: Option<Nanos>,
}

/// How long an answer waits for its ACK: T1.
const ACK_WITHIN: Nanos = 500 * MS;

/// What the town hears.
pub enum Heard {
    /// A new call.
    Invite(usize),
    /// The ACK of our answer, or of our refusal, and when it came.
    Ack(usize, Nanos),
    /// Hung up or cancelled by hansho.
    Ended(usize),
    /// A packet of voice.
    Voice(Box<Voice>),
    /// Something that was dealt with.
    Other,
}

/// One packet of 20 ms.
pub struct Voice {
    /// Which of hansho's ports it came from.
    pub port: u16,
    pub at: Nanos,
    pub header: Header,
    pub frame: [i16; FRAME],
}

impl Town {
    pub fn open() -> Result<Town> {
        let (calls, by_id, buffer) = (Vec::new(), BTreeMap::new(), vec![0; 65_536]);
        let (sip, rtp) = (Port::open()?, Port::open()?);
        Ok(Town { sip, rtp, calls, by_id, buffer, next_again: Nanos::MAX, repeated: 0 })
    }

    pub fn sip_address(&self) -> SocketAddr {
        self.sip.at.into()
    }

    /// Sends what telephones say.
    pub fn mouth(&self) -> Result<std::net::UdpSocket> {
        self.rtp.sender()
    }

    pub fn call(&self, call: usize) -> &Call {
        &self.calls[call]
    }

    /// The next thing that happens; `None` when nothing did until then.
    pub fn next(&mut self, until: Nanos) -> Result<Option<Heard>> {
        loop {
            self.answer_again()?;
            if let Some(arrival) = self.sip.receive(&mut self.buffer)? {
                return self.on_sip(&arrival).map(Some);
            }
            if let Some(arrival) = self.rtp.receive(&mut self.buffer)? {
                return Ok(Some(self.on_rtp(&arrival)));
            }
            if now() >= until {
                return Ok(None);
            }
            wait([&self.sip, &self.rtp], until.min(self.next_again));
        }
    }

    /// Lets time pass; whoever calls or speaks meanwhile is not noticed.
    pub fn rest(&mut self, length: Nanos) -> Result<()> {
        let until = now() + length;
        while now() < until {
            self.next(until)?;
        }
        Ok(())
    }

    /// Waits for a call to this number.
    pub fn is_called(&mut self, number: &str) -> Result<usize> {
        let until = now() + LIMIT;
        while now() < until {
            if let Some(Heard::Invite(call)) = self.next(now() + 5 * MS)?
                && self.calls[call].number == number
            {
                return Ok(call);
            }
        }
        Err(format!("no INVITE to {number}"))
    }

    /// Answers a call's INVITE without a body: 180, or a refusal.
    pub fn reply(&mut self, call: usize, code: u16) -> Result<()> {
        let bytes = self.response(call, code).finish();
        self.send_reply(call, bytes)
    }

    /// Picks up.
    pub fn answer(&mut self, call: usize) -> Result<()> {
        let (ip, port, event) = (self.rtp.at.ip(), self.rtp.at.port(), self.calls[call].event_type);
        let sdp = format!(
            "v=0\r\no=- 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio {port} RTP/AVP 0 {event}\r\n\
             a=rtpmap:0 PCMU/8000\r\na=rtpmap:{event} telephone-event/8000\r\na=fmtp:{event} 0-15\r\na=ptime:20\r\n"
        );
        let bytes = self.response(call, 200).body("application/sdp", sdp.as_bytes()).finish();
        self.send_reply(call, bytes)?;
        let again = now() + ACK_WITHIN;
        self.calls[call].again_at = Some(again);
        self.next_again = self.next_again.min(again);
        Ok(())
    }

    /// How many answers had to be sent twice: a datagram was lost, or hansho was slow.
    pub fn repeated(&self) -> usize {
        self.repeated
    }

    fn answer_again(&mut self) -> Result<()> {
        let at = now();
        if at < self.next_again {
            return Ok(());
        }
        self.next_again = Nanos::MAX;
        for call in &mut self.calls {
            if call.again_at.is_some_and(|again| again <= at) {
                self.sip.send(&call.last_reply, call.from)?;
                call.again_at = Some(at + ACK_WITHIN);
                self.repeated += 1;
            }
            self.next_again = self.next_again.min(call.again_at.unwrap_or(Nanos::MAX));
        }
        Ok(())
    }

    fn response(&self, call: usize, code: u16) -> Builder {
        let Call { invite, from, .. } = &self.calls[call];
        let contact = format!("<sip:town@{}>", self.sip.at);
        let tag = format!("town{call}");
        Builder::response(invite, code)
            .received_from(*from)
            .to_tag(&tag)
            .copy(invite, Name::RecordRoute)
            .header(Name::Contact, contact)
    }

    fn send_reply(&mut self, call: usize, bytes: Vec<u8>) -> Result<()> {
        self.sip.send(&bytes, self.calls[call].from)?;
        self.calls[call].last_reply = bytes;
        Ok(())
    }

    fn on_sip(&mut self, arrival: &Arrival) -> Result<Heard> {
        let bytes = &self.buffer[..arrival.length];
        let message = Message::parse(bytes).map_err(|error| format!("hansho sent no SIP: {error}"))?;
        if !message.is_request() {
            return Ok(Heard::Other);
        }
        let known = message.call_id().and_then(|id| self.by_id.get(id)).copied();
        match (message.method(), known) {
            (Method::Invite, None) => self.on_invite(message, arrival),
            (Method::Invite, Some(call)) => {
                self.sip.send(&self.calls[call].last_reply, arrival.from)?;
                Ok(Heard::Other)
            }
            (Method::Ack, Some(call)) => {
                self.calls[call].again_at = None;
                Ok(Heard::Ack(call, arrival.at))
            }
            (Method::Ack, None) => Ok(Heard::Other),
            (method, known) => {
                let done = Builder::response(&message, 200).received_from(arrival.from).to_tag("town");
                self.sip.send(&done.finish(), arrival.from)?;
                let Some(call) = known else { return Ok(Heard::Other) };
                self.calls[call].again_at = None;
                if method == Method::Cancel {
                    self.reply(call, 487)?;
                }
                Ok(if matches!(method, Method::Cancel | Method::Bye) { Heard::Ended(call) } else { Heard::Other })
            }
        }
    }

    fn on_invite(&mut self, invite: Message, arrival: &Arrival) -> Result<Heard> {
        let uri = invite.uri().and_then(|uri| Uri::parse(uri).ok()).ok_or("an INVITE to nobody")?;
        let number = uri.user.unwrap_or_default().to_owned();
        let body = std::str::from_utf8(invite.body()).map_err(|error| format!("the offer: {error}"))?;
        let offer = Description::parse(body).map_err(|error| format!("the offer: {error}"))?;
        let audio = offer.media.first().ok_or("an offer without a media section")?;
        let Some(Address::Ip(IpAddr::V4(ip))) = offer.address_of(audio) else {
            return Err("an offer without an address".to_owned());
        };
        let event = audio.rtpmaps.iter().find(|map| map.encoding.eq_ignore_ascii_case("telephone-event"));
        let event_type = event.ok_or("an offer without telephone-event")?.payload_type;
        let media = SocketAddr::new(ip.into(), audio.port);
        let id = invite.call_id().ok_or("an INVITE without a Call-ID")?.to_owned();
        let call = self.calls.len();
        self.by_id.insert(id, call);
        let (from, invited_at) = (arrival.from, arrival.at);
        let (last_reply, again_at) = (Vec::new(), None);
        self.calls.push(Call { number, invited_at, media, event_type, invite, from, last_reply, again_at });
        self.reply(call, 100)?;
        Ok(Heard::Invite(call))
    }

    fn on_rtp(&self, arrival: &Arrival) -> Heard {
        let Ok(packet) = Packet::read(&self.buffer[..arrival.length]) else { return Heard::Other };
        let Ok(payload) = <&[u8; FRAME]>::try_from(packet.payload) else { return Heard::Other };
        let mut frame = [0; FRAME];
        g711::decode_ulaw(payload, &mut frame);
        Heard::Voice(Box::new(Voice { port: arrival.from.port(), at: arrival.at, header: packet.header, frame }))
    }
}
