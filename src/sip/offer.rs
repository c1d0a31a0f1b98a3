//! Offer and answer: what both ends of a call agree to send each other (RFC 3264).
//!
//! Pure functions: [`offer`] writes what we propose, [`offer_again`] does it in the middle of a call, [`read_answer`]
//! reads what came back, [`answer`] does both at once for an offer from outside. An INVITE without a body is answered with
//! [`offer`] in the 200, and the ACK's body goes through [`read_answer`] (RFC 3261 §13.2.1). PCMU, PCMA and
//! telephone-event are all that is ever agreed on, over RTP that is plain or, where a trunk is set so, encrypted
//! ([`srtp`]).
//!
//! Easy to get wrong: payload types in a description are those its writer wants to *receive*; the answer must
//! have as many `m=` lines as the offer, the refused ones with port 0; `sendonly` is answered with `recvonly`;
//! `c=0.0.0.0` is the old way to hold, and nothing may be sent there (RFC 3264 §8.4). RTCP on the port of RTP is
//! offered, and agreed to where it is offered (RFC 5761 §5.1.1); else it goes to the next port, or to where `a=rtcp` wants
//! it (RFC 3605). ICE candidates are not answered.

use core::fmt::Write;
use core::net::{IpAddr, Ipv4Addr, SocketAddr};
use core::time::Duration;

use crate::base::{Codec, EVENT_PAYLOAD_TYPE, Keys, Stream};
use crate::sip::srtp::{self, OurKeys, Unprotected};
use crate::wire::sdp::{Address, BadSdp, Crypto, Description, Direction, MAX_SDP, Media, RtpMap};

/// What a packet carries when nobody asks for anything else (RFC 3551 §4.2).
const PTIME_MS: u32 = 20;
const PTIME_MS_MIN: u32 = 10;
const PTIME_MS_MAX: u32 = 60;

/// The telephone keys (RFC 4733 §2.4.1).
const EVENTS: &str = "0-15";
const VOICE_HZ: u32 = 8_000;
/// Most descriptions of ours find room in it.
const ROOM: usize = 384;

/// Our side of a session.
#[derive(Clone, Copy, Debug)]
pub struct Local<'a> {
    /// The same for the whole call; nobody else's (RFC 8866 §5.2).
    pub session: u64,
    /// One more whenever our description changes (RFC 3264 §8).
    pub version: u64,
    /// Where we want to receive.
    pub media: SocketAddr,
    /// What we encode with, the best first.
    pub codecs: &'a [Codec],
    /// What we encrypt with; `None`: voice is plain.
    pub keys: Option<&'a OurKeys>,
}

/// Why there is no agreement. An INVITE with such an offer is answered with 488, which says this in Warning (RFC 3261
/// §21.4.26).
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refusal {
    /// The body is no session description.
    #[error(transparent)]
    Unreadable(#[from] BadSdp),
    /// No audio over RTP with PCMU or PCMA.
    #[error("no codec in common")]
    NoCommonCodec,
    /// It would have to be encrypted, or must not be.
    #[error(transparent)]
    Unprotected(#[from] Unprotected),
    /// The audio's address is missing or a host name, which would have to be looked up first.
    #[error("the session description names no address to send to")]
    NoAddress,
    /// IPv6 for us and IPv4 for them, or the other way round.
    #[error("the session description names {0}, which cannot be reached from here")]
    OtherFamily(IpAddr),
    /// A group, or everybody on a network: a call has one far end.
    #[error("the session description names {0}, which is no single machine")]
    ManyMachines(IpAddr),
}

/// The description we propose.
pub fn offer(local: &Local<'_>) -> String {
    let codecs = local.codecs.iter().map(|codec| (codec.payload_type(), *codec));
    let event = Some((EVENT_PAYLOAD_TYPE, VOICE_HZ));
    let cryptos = local.keys.into_iter().flat_map(OurKeys::offered).map(|crypto| crypto.to_string()).collect();
    let proto = local.keys.map_or("RTP/AVP", OurKeys::proto);
    let audio = Section { codecs: codecs.collect(), event, ptime_ms: PTIME_MS, rtcp_mux: true, cryptos };
    describe(local, |origin| {
        let formats = audio.formats();
        let media = audio.media(proto, local.media.port(), Direction::SendRecv, &formats);
        written(origin, local.media.ip(), vec![media])
    })
}

/// The description we propose in the middle of a call, where `said` is what we said last: as many sections as there were,
/// each in its place, and every payload type for what it stood for (RFC 3264 §8). What holds is offered first.
pub fn offer_again(local: &Local<'_>, said: &str) -> String {
    let Ok(before) = Description::parse(said) else { return offer(local) };
    let Some(place) = before.media.iter().position(|media| media.port != 0) else { return offer(local) };
    let Some(held) = before.media.get(place) else { return offer(local) };
    let of = |payload_type| voice_of(held, payload_type, local.codecs).map(|codec| (payload_type, codec));
    let mut codecs: Vec<(u8, Codec)> = held.payload_types().filter_map(of).collect();
    let missing = local.codecs.iter().filter(|codec| !codecs.iter().any(|(_, held)| held == *codec));
    let missing: Vec<(u8, Codec)> = missing.map(|codec| (codec.payload_type(), *codec)).collect();
    codecs.extend(missing);
    let ptime_ms = held.ptime_ms.unwrap_or(PTIME_MS);
    let cryptos = local.keys.map_or_else(Vec::new, |keys| keys.offered_again(held));
    let ours = Section { codecs, event: event(held), ptime_ms, rtcp_mux: held.rtcp_mux, cryptos };
    describe(local, |origin| {
        let formats = ours.formats();
        let sections = before.media.iter().enumerate().map(|(at, section)| {
            if at == place {
                ours.media(section.proto, local.media.port(), Direction::SendRecv, &formats)
            } else {
                Media::new(section.kind, 0, section.proto, section.formats)
            }
        });
        written(origin, local.media.ip(), sections.collect())
    })
}

/// What `body`, the answer to our [`offer`], agrees to.
pub fn read_answer(local: &Local<'_>, body: &[u8]) -> Result<Stream, Refusal> {
    let text = text_of(body)?;
    let theirs = Description::parse(&text)?;
    stream(local, &theirs, &choose(local, &theirs, true)?)
}

/// Our answer to the offer `body`, and what it agrees to: the first audio section that will do, with the
/// first codec of it that is ours too; every other section is refused.
pub fn answer(local: &Local<'_>, body: &[u8]) -> Result<(String, Stream), Refusal> {
    let text = text_of(body)?;
    let theirs = Description::parse(&text)?;
    let chosen = choose(local, &theirs, false)?;
    let stream = stream(local, &theirs, &chosen)?;
    let ptime_ms = u32::try_from(stream.packet_time.as_millis()).unwrap_or(PTIME_MS);
    let codecs = vec![(stream.payload_type, stream.codec)];
    let line = chosen.crypto.zip(local.keys).map(|(theirs, keys)| keys.line(theirs.tag, theirs.suite).to_string());
    let (cryptos, rtcp_mux) = (line.into_iter().collect(), chosen.audio.rtcp_mux);
    let ours = Section { codecs, event: event(chosen.audio), ptime_ms, rtcp_mux, cryptos };
    let body = describe(local, |origin| {
        let formats = ours.formats();
        let direction = Direction::of(stream.send, stream.receive);
        let sections = theirs.media.iter().enumerate().map(|(place, section)| {
            if place == chosen.place {
                ours.media(section.proto, local.media.port(), direction, &formats)
            } else {
                Media::new(section.kind, 0, section.proto, section.formats)
            }
        });
        written(origin, local.media.ip(), sections.collect())
    });
    Ok((body, stream))
}

/// One audio section as we write it.
struct Section {
    codecs: Vec<(u8, Codec)>,
    /// The payload type of telephone-event, and its clock rate.
    event: Option<(u8, u32)>,
    ptime_ms: u32,
    rtcp_mux: bool,
    /// Our keys.
    cryptos: Vec<String>,
}

impl Section {
    /// The payload types as they are written.
    fn formats(&self) -> String {
        let event = self.event.map(|(payload_type, _)| payload_type);
        let payload_types = self.codecs.iter().map(|(payload_type, _)| *payload_type).chain(event);
        payload_types.map(|p| p.to_string()).collect::<Vec<_>>().join(" ")
    }

    fn media<'a>(&'a self, proto: &'a str, port: u16, direction: Direction, formats: &'a str) -> Media<'a> {
        let mut media = Media::new("audio", port, proto, formats);
        let map = |payload_type, encoding, clock_hz| RtpMap { payload_type, encoding, clock_hz, channels: 1 };
        let voices = self.codecs.iter().map(|(payload_type, codec)| map(*payload_type, codec.name(), VOICE_HZ));
        media.rtpmaps.extend(voices);
        media.rtpmaps.extend(self.event.map(|(payload_type, clock_hz)| map(payload_type, "telephone-event", clock_hz)));
        media.fmtps.extend(self.event.map(|(payload_type, _)| (payload_type, EVENTS)));
        media.cryptos.extend(self.cryptos.iter().map(String::as_str));
        media.rtcp_mux = self.rtcp_mux;
        media.ptime_ms = Some(self.ptime_ms);
        media.direction = Some(direction);
        media
    }
}

fn describe(local: &Local<'_>, write: impl FnOnce(&str) -> String) -> String {
    write(&format!("- {} {} {}", local.session, local.version, Address::Ip(local.media.ip())))
}

fn written(origin: &str, ip: IpAddr, media: Vec<Media<'_>>) -> String {
    let mut text = String::with_capacity(ROOM);
    // Writing to a String does not fail.
    let _ = write!(text, "{}", Description { origin, connection: Some(Address::Ip(ip)), direction: None, media });
    text
}

/// The text of a body; session names in other encodings than UTF-8 do no harm.
fn text_of(body: &[u8]) -> Result<std::borrow::Cow<'_, str>, Refusal> {
    if body.len() > MAX_SDP {
        return Err(BadSdp::TooLong(body.len()).into());
    }
    Ok(core::str::from_utf8(body).map_or_else(|_| String::from_utf8_lossy(body), Into::into))
}

/// A section of theirs that will do.
struct Chosen<'a, 'd> {
    /// Which of their sections it is.
    place: usize,
    audio: &'d Media<'a>,
    /// The codec both have, and its payload type.
    voice: (u8, Codec),
    /// The key of theirs that is agreed to.
    crypto: Option<Crypto>,
}

/// The first audio section with a codec of ours; one that is encrypted, where we encrypt and there is one.
fn choose<'a, 'd>(local: &Local<'_>, theirs: &'d Description<'a>, answer: bool) -> Result<Chosen<'a, 'd>, Refusal> {
    let (mut plain, mut refusal) = (None, Refusal::NoCommonCodec);
    for (place, audio) in theirs.media.iter().enumerate() {
        let secure = match audio.proto {
            "RTP/AVP" | "RTP/AVPF" => false,
            "RTP/SAVP" | "RTP/SAVPF" => true,
            _ => continue,
        };
        let voice = (audio.kind == "audio" && audio.port != 0).then(|| voice(audio, local.codecs)).flatten();
        let Some(voice) = voice else { continue };
        match srtp::agreed(local.keys, audio, secure, answer) {
            Ok(None) if local.keys.is_some() => plain = plain.or(Some(Chosen { place, audio, voice, crypto: None })),
            Ok(crypto) => return Ok(Chosen { place, audio, voice, crypto }),
            Err(why) => refusal = why.into(),
        }
    }
    plain.ok_or(refusal)
}

/// What a section of theirs means for our sending and receiving.
fn stream(local: &Local<'_>, theirs: &Description<'_>, chosen: &Chosen<'_, '_>) -> Result<Stream, Refusal> {
    let Chosen { audio, voice: (payload_type, codec), crypto, .. } = *chosen;
    let Some(Address::Ip(ip)) = theirs.address_of(audio) else { return Err(Refusal::NoAddress) };
    // An IPv4 address in the clothes of IPv6 is one (RFC 5118 §4.9).
    let ip = ip.to_canonical();
    let held = ip.is_unspecified();
    if !held && ip.is_ipv4() != local.media.is_ipv4() {
        return Err(Refusal::OtherFamily(ip));
    }
    if ip.is_multicast() || ip == IpAddr::V4(Ipv4Addr::BROADCAST) {
        return Err(Refusal::ManyMachines(ip));
    }
    let direction = theirs.direction_of(audio).mirrored();
    let remote = SocketAddr::new(ip, audio.port);
    Ok(Stream {
        remote,
        reports: reports(audio, remote).filter(|_| !held),
        codec,
        payload_type,
        event_payload_type: event(audio).map(|(payload_type, _)| payload_type),
        packet_time: Duration::from_millis(packet_ms(audio).into()),
        send: direction.sends() && !held,
        receive: direction.receives(),
        keys: crypto.zip(local.keys).map(|(theirs, ours)| Keys {
            suite: theirs.suite,
            ours: ours.key(theirs.suite),
            theirs: theirs.key,
            name_bytes: theirs.name_bytes,
        }),
    })
}

/// Where they want our reports: on the port of voice, where they say so, or else on the next one.
fn reports(audio: &Media<'_>, remote: SocketAddr) -> Option<SocketAddr> {
    if audio.rtcp_mux {
        return Some(remote);
    }
    let Some((port, address)) = audio.rtcp else {
        return remote.port().checked_add(1).map(|port| SocketAddr::new(remote.ip(), port));
    };
    let ip = match address {
        None => remote.ip(),
        Some(Address::Ip(ip)) => ip.to_canonical(),
        Some(Address::Name(_)) => return None,
    };
    let one = !ip.is_unspecified() && !ip.is_multicast() && ip != IpAddr::V4(Ipv4Addr::BROADCAST);
    (port != 0 && one && ip.is_ipv4() == remote.is_ipv4()).then_some(SocketAddr::new(ip, port))
}

/// The first format that is a codec of ours.
fn voice(media: &Media<'_>, ours: &[Codec]) -> Option<(u8, Codec)> {
    let of = |payload_type| voice_of(media, payload_type, ours).map(|codec| (payload_type, codec));
    media.payload_types().find_map(of)
}

/// The codec of ours that this payload type stands for, by its `a=rtpmap` or else because it is its static one.
fn voice_of(media: &Media<'_>, payload_type: u8, ours: &[Codec]) -> Option<Codec> {
    let is = |codec: &&Codec| match media.rtpmap(payload_type) {
        Some(map) => map.encoding.eq_ignore_ascii_case(codec.name()) && map.clock_hz == VOICE_HZ && map.channels == 1,
        None => payload_type == codec.payload_type(),
    };
    ours.iter().find(is).copied()
}

/// The payload type of telephone-event and its clock rate: the voice's, or else the two timestamps do not fit together
/// (RFC 4733 §2.1). Some name only another rate; their keys are heard all the same, as a key is known by its timestamp
/// being its own, whatever it counts.
fn event(media: &Media<'_>) -> Option<(u8, u32)> {
    let events = || {
        let maps = media.payload_types().filter_map(|payload_type| media.rtpmap(payload_type));
        maps.filter(|map| map.encoding.eq_ignore_ascii_case("telephone-event"))
    };
    let fits = events().find(|map| map.clock_hz == VOICE_HZ).or_else(|| events().next())?;
    Some((fits.payload_type, fits.clock_hz))
}

/// The packet time they ask for, in whole tens of milliseconds; ours when it is out of bounds.
fn packet_ms(media: &Media<'_>) -> u32 {
    let fits = |ms: &u32| (PTIME_MS_MIN..=PTIME_MS_MAX).contains(ms) && ms.is_multiple_of(10);
    let wanted = media.ptime_ms.filter(fits).unwrap_or(PTIME_MS);
    let longest = media.maxptime_ms.unwrap_or(PTIME_MS_MAX).max(PTIME_MS_MIN);
    wanted.min(longest / 10 * 10)
}

#[cfg(test)]
mod tests;
