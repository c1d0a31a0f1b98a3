//! Session descriptions: what offer and answer need of them, and no more (RFC 8866).
//!
//! A [`Description`] borrows from the text it was read from. Lines hansho has no use for (bandwidth, keys,
//! times, ICE candidates, …) are skipped whatever they hold, because a call must not fail on a line nobody
//! reads; the lines it does use are read strictly, or the error names the line.
//!
//! Easy to get wrong: `c=` and the direction of the session hold for every media section without its own;
//! `a=rtpmap` may be missing for static payload types; the order of the formats is the order of preference.

use core::fmt;
use core::net::IpAddr;

/// The longest description that is read, in bytes.
pub const MAX_SDP: usize = 16_384;

/// The most media sections, and the most formats, `a=rtpmap` and `a=fmtp` lines in each.
pub const MAX_MEDIA: usize = 32;
/// See [`MAX_MEDIA`].
pub const MAX_FORMATS: usize = 64;

/// A session description.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Description<'a> {
    /// The value of `o=`; empty when there is none. Its third word grows with every change (RFC 3264 §8).
    pub origin: &'a str,
    /// The session's `c=`.
    pub connection: Option<Address<'a>>,
    /// The session's direction.
    pub direction: Option<Direction>,
    /// The media sections, in order: an answer has the same number in the same order.
    pub media: Vec<Media<'a>>,
}

/// One media section.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Media<'a> {
    /// `audio`, `video`, `image`, …
    pub kind: &'a str,
    /// The port; 0 for a refused section.
    pub port: u16,
    /// `RTP/AVP`, `RTP/SAVP`, `UDP/TLS/RTP/SAVPF`, …
    pub proto: &'a str,
    /// Payload types for RTP, in order of preference.
    pub formats: Vec<&'a str>,
    /// The section's own `c=`.
    pub connection: Option<Address<'a>>,
    /// `a=rtpmap`.
    pub rtpmaps: Vec<RtpMap<'a>>,
    /// `a=fmtp`: payload type and parameters.
    pub fmtps: Vec<(u8, &'a str)>,
    /// `a=ptime`, in milliseconds.
    pub ptime_ms: Option<u32>,
    /// `a=maxptime`, in milliseconds.
    pub maxptime_ms: Option<u32>,
    /// The section's own direction.
    pub direction: Option<Direction>,
}

/// `a=rtpmap`: what a payload type stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RtpMap<'a> {
    /// 0 to 127.
    pub payload_type: u8,
    /// `PCMU`, `telephone-event`, …; compare it without regard to case.
    pub encoding: &'a str,
    /// Timestamp units a second.
    pub clock_hz: u32,
    /// 1 unless it says otherwise.
    pub channels: u8,
}

/// The address of a `c=` line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Address<'a> {
    /// An address; the unspecified one means hold (RFC 3264 §8.4).
    Ip(IpAddr),
    /// A host name.
    Name(&'a str),
}

/// Who sends, seen from whoever wrote the description.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Direction {
    /// Both: what holds when nothing is written.
    #[default]
    SendRecv,
    /// The writer sends and does not listen: hold.
    SendOnly,
    /// The writer listens and does not send.
    RecvOnly,
    /// Neither.
    Inactive,
}

/// Why a text is no session description.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadSdp {
    /// More than [`MAX_SDP`] bytes.
    #[error("session description of {0} bytes is too long")]
    TooLong(usize),
    /// It does not begin with `v=0`.
    #[error("session description does not begin with v=0")]
    Version,
    /// A line that is needed cannot be read.
    #[error("line {line} of the session description: {why}")]
    Line {
        /// Counted from 1.
        line: usize,
        /// What is wrong with it.
        why: &'static str,
    },
}

impl<'a> Description<'a> {
    /// Reads a description. Lines may end in LF alone; the last line end may be missing.
    pub fn parse(text: &'a str) -> Result<Description<'a>, BadSdp> {
        if text.len() > MAX_SDP {
            return Err(BadSdp::TooLong(text.len()));
        }
        let text = text.trim_start_matches(['\r', '\n', ' ']);
        let mut read = Description { origin: "", connection: None, direction: None, media: Vec::new() };
        for (index, line) in text.split('\n').enumerate() {
            let line = line.trim_end_matches(['\r', ' ', '\t']);
            if index == 0 && line != "v=0" {
                return Err(BadSdp::Version);
            }
            if let Some((key, value)) = line.split_once('=') {
                read.take(key, value).map_err(|why| BadSdp::Line { line: index + 1, why })?;
            }
        }
        Ok(read)
    }

    /// Where the packets of `media` go: its own `c=`, else the session's.
    pub fn address_of(&self, media: &Media<'a>) -> Option<Address<'a>> {
        media.connection.or(self.connection)
    }

    /// The direction of `media`: its own, else the session's, else both ways.
    pub fn direction_of(&self, media: &Media<'a>) -> Direction {
        media.direction.or(self.direction).unwrap_or_default()
    }

    fn take(&mut self, key: &str, value: &'a str) -> Result<(), &'static str> {
        let full = self.media.len() == MAX_MEDIA;
        match (key, self.media.last_mut()) {
            ("m", _) if full => return Err("too many media sections"),
            ("m", _) => self.media.push(Media::parse(value)?),
            ("o", None) => self.origin = value,
            ("c", None) => self.connection = Some(Address::parse(value)?),
            // Several `c=` of one section are layers of multicast; the first is the base.
            ("c", Some(media)) if media.connection.is_none() => media.connection = Some(Address::parse(value)?),
            ("a", None) => self.direction = Direction::parse(value).or(self.direction),
            ("a", Some(media)) => media.attribute(value)?,
            _ => {}
        }
        Ok(())
    }
}

impl<'a> Media<'a> {
    /// A section without attributes.
    pub fn new(kind: &'a str, port: u16, proto: &'a str, formats: Vec<&'a str>) -> Media<'a> {
        let (rtpmaps, fmtps) = (Vec::new(), Vec::new());
        let (connection, ptime_ms, maxptime_ms, direction) = (None, None, None, None);
        Media { kind, port, proto, formats, connection, rtpmaps, fmtps, ptime_ms, maxptime_ms, direction }
    }

    /// What `payload_type` was said to stand for; the first `a=rtpmap` counts.
    pub fn rtpmap(&self, payload_type: u8) -> Option<&RtpMap<'a>> {
        self.rtpmaps.iter().find(|map| map.payload_type == payload_type)
    }

    /// The formats that are payload types, in order.
    pub fn payload_types(&self) -> impl Iterator<Item = u8> {
        self.formats.iter().filter_map(|format| number(format)).filter(|payload_type| *payload_type < 128)
    }

    fn parse(value: &'a str) -> Result<Media<'a>, &'static str> {
        let mut words = value.split_ascii_whitespace();
        let kind = words.next().ok_or("no media type")?;
        let port = words.next().ok_or("no port")?;
        // `5004/2` stands for two port pairs; the first is taken.
        let port = number(port.split('/').next().unwrap_or(port)).ok_or("no port number")?;
        let proto = words.next().ok_or("no transport")?;
        let formats: Vec<_> = words.take(MAX_FORMATS + 1).collect();
        if formats.len() > MAX_FORMATS {
            return Err("too many formats");
        }
        Ok(Media::new(kind, port, proto, formats))
    }

    fn attribute(&mut self, value: &'a str) -> Result<(), &'static str> {
        let (name, value) = value.split_once(':').unwrap_or((value, ""));
        match name {
            "rtpmap" if self.rtpmaps.len() < MAX_FORMATS => self.rtpmaps.push(RtpMap::parse(value)?),
            "fmtp" if self.fmtps.len() < MAX_FORMATS => self.fmtps.extend(fmtp(value)),
            "ptime" => self.ptime_ms = milliseconds(value).or(self.ptime_ms),
            "maxptime" => self.maxptime_ms = milliseconds(value).or(self.maxptime_ms),
            _ => self.direction = Direction::parse(name).or(self.direction),
        }
        Ok(())
    }
}

impl<'a> RtpMap<'a> {
    fn parse(value: &'a str) -> Result<RtpMap<'a>, &'static str> {
        let mut words = value.split_ascii_whitespace();
        let payload_type = words.next().and_then(number).filter(|p: &u8| *p < 128).ok_or("no payload type")?;
        let mut parts = words.next().ok_or("no encoding")?.split('/');
        let encoding = parts.next().filter(|name| !name.is_empty()).ok_or("no encoding")?;
        let clock_hz = parts.next().and_then(number).ok_or("no clock rate")?;
        let channels = parts.next().and_then(number).unwrap_or(1);
        Ok(RtpMap { payload_type, encoding, clock_hz, channels })
    }
}

impl<'a> Address<'a> {
    fn parse(value: &'a str) -> Result<Address<'a>, &'static str> {
        let mut words = value.split_ascii_whitespace();
        let (net, family) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let address = words.next().ok_or("no address")?;
        if !net.eq_ignore_ascii_case("IN") || !matches!(family, "IP4" | "IP6") {
            return Err("neither IN IP4 nor IN IP6");
        }
        // A multicast address has its TTL behind a slash.
        let address = address.split('/').next().unwrap_or(address);
        Ok(address.parse().map_or(Address::Name(address), Address::Ip))
    }
}

impl Direction {
    /// The direction seen from the other side: the right answer to an offer (RFC 3264 §6.1).
    pub const fn mirrored(self) -> Direction {
        match self {
            Direction::SendOnly => Direction::RecvOnly,
            Direction::RecvOnly => Direction::SendOnly,
            same => same,
        }
    }

    /// Does whoever wrote it send?
    pub const fn sends(self) -> bool {
        matches!(self, Direction::SendRecv | Direction::SendOnly)
    }

    /// Does whoever wrote it listen?
    pub const fn receives(self) -> bool {
        matches!(self, Direction::SendRecv | Direction::RecvOnly)
    }

    /// The direction that sends and receives like this.
    pub const fn of(sends: bool, receives: bool) -> Direction {
        match (sends, receives) {
            (true, true) => Direction::SendRecv,
            (true, false) => Direction::SendOnly,
            (false, true) => Direction::RecvOnly,
            (false, false) => Direction::Inactive,
        }
    }

    /// The attribute's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Direction::SendRecv => "sendrecv",
            Direction::SendOnly => "sendonly",
            Direction::RecvOnly => "recvonly",
            Direction::Inactive => "inactive",
        }
    }

    fn parse(name: &str) -> Option<Direction> {
        use Direction::{Inactive, RecvOnly, SendOnly, SendRecv};
        [SendRecv, SendOnly, RecvOnly, Inactive].into_iter().find(|direction| direction.as_str() == name)
    }
}

impl fmt::Display for Description<'_> {
    /// The whole text, with `s=-` and `t=0 0` for what nobody reads.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v=0\r\no={}\r\ns=-\r\n", self.origin)?;
        connection_line(f, self.connection)?;
        f.write_str("t=0 0\r\n")?;
        direction_line(f, self.direction)?;
        self.media.iter().try_for_each(|media| media.fmt(f))
    }
}

impl fmt::Display for Media<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "m={} {} {}", self.kind, self.port, self.proto)?;
        self.formats.iter().try_for_each(|format| write!(f, " {format}"))?;
        f.write_str("\r\n")?;
        connection_line(f, self.connection)?;
        for map in &self.rtpmaps {
            write!(f, "a=rtpmap:{} {}/{}", map.payload_type, map.encoding, map.clock_hz)?;
            if map.channels != 1 {
                write!(f, "/{}", map.channels)?;
            }
            f.write_str("\r\n")?;
        }
        self.fmtps.iter().try_for_each(|(payload_type, text)| write!(f, "a=fmtp:{payload_type} {text}\r\n"))?;
        self.ptime_ms.map_or(Ok(()), |ms| write!(f, "a=ptime:{ms}\r\n"))?;
        self.maxptime_ms.map_or(Ok(()), |ms| write!(f, "a=maxptime:{ms}\r\n"))?;
        direction_line(f, self.direction)
    }
}

impl fmt::Display for Address<'_> {
    /// `IN IP4 192.0.2.1`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Ip(IpAddr::V4(ip)) => write!(f, "IN IP4 {ip}"),
            Address::Ip(IpAddr::V6(ip)) => write!(f, "IN IP6 {ip}"),
            Address::Name(name) => write!(f, "IN IP4 {name}"),
        }
    }
}

fn connection_line(f: &mut fmt::Formatter<'_>, address: Option<Address<'_>>) -> fmt::Result {
    address.map_or(Ok(()), |address| write!(f, "c={address}\r\n"))
}

fn direction_line(f: &mut fmt::Formatter<'_>, direction: Option<Direction>) -> fmt::Result {
    direction.map_or(Ok(()), |direction| write!(f, "a={}\r\n", direction.as_str()))
}

/// `101 0-15`; a line that is not so is skipped, as nothing hangs on it.
fn fmtp(value: &str) -> Option<(u8, &str)> {
    let (payload_type, text) = value.trim_start().split_once(' ')?;
    Some((number(payload_type).filter(|p: &u8| *p < 128)?, text.trim()))
}

/// Whole milliseconds; some write `20.0`.
fn milliseconds(value: &str) -> Option<u32> {
    number(value.trim().split('.').next().unwrap_or_default())
}

fn number<T: core::str::FromStr>(text: &str) -> Option<T> {
    let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PHONE: &str = "v=0\r\no=My Phone 8000 8001.5 IN IP4 192.0.2.7\r\ns=\r\nb=AS:many\r\nt=0 0\r\n\
        a=sendonly\r\nc=IN IP4 192.0.2.7\r\n\
        m=audio 16384/2  RTP/AVP 8 0 101\r\na=rtpmap:8 pcma/8000\r\na=rtpmap:101 telephone-event/8000\r\n\
        a=fmtp:101 0-16\r\na=ptime:20.0\r\na=candidate:1 1 UDP 2130706431\r\n\
        m=video 0 RTP/AVP 31\nc=IN IP6 2001:db8::1\na=inactive";

    #[test]
    fn a_sloppy_phone_is_understood() {
        let read = Description::parse(PHONE).unwrap();
        let [audio, video] = read.media.as_slice() else { panic!("{read:?}") };
        assert_eq!((audio.kind, audio.port, audio.proto), ("audio", 16_384, "RTP/AVP"));
        assert_eq!(audio.payload_types().collect::<Vec<_>>(), [8, 0, 101]);
        assert_eq!(audio.rtpmap(101).unwrap().encoding, "telephone-event");
        assert_eq!((audio.rtpmap(0), audio.ptime_ms, audio.fmtps.as_slice()), (None, Some(20), &[(101, "0-16")][..]));
        assert_eq!(read.address_of(audio), Some(Address::Ip([192, 0, 2, 7].into())));
        assert_eq!((read.direction_of(audio), read.direction_of(video)), (Direction::SendOnly, Direction::Inactive));
        assert_eq!(read.address_of(video), Some(Address::Ip("2001:db8::1".parse().unwrap())));
    }

    #[test]
    fn what_is_written_is_read_again() {
        let read = Description::parse(PHONE).unwrap();
        assert_eq!(Description::parse(&read.to_string()), Ok(read));
    }

    #[test]
    fn a_line_that_matters_names_itself_when_it_cannot_be_read() {
        let line = |n: usize, text: &str| {
            let why = Description::parse(text).unwrap_err();
            assert!(matches!(why, BadSdp::Line { line, .. } if line == n), "{text}: {why}");
        };
        line(2, "v=0\nm=audio");
        line(2, "v=0\nm=audio 70000 RTP/AVP 0");
        line(2, "v=0\nc=IN IP5 1.2.3.4");
        line(3, "v=0\nm=audio 1 RTP/AVP 0\na=rtpmap:0");
        line(3, "v=0\nm=audio 1 RTP/AVP 0\na=rtpmap:200 PCMU/8000");
        line(2, &format!("v=0\nm=audio 1 RTP/AVP{}", " 0".repeat(MAX_FORMATS + 1)));
        line(MAX_MEDIA + 2, &format!("v=0{}", "\nm=audio 1 RTP/AVP 0".repeat(MAX_MEDIA + 1)));
        assert_eq!(Description::parse(""), Err(BadSdp::Version));
        assert_eq!(Description::parse(&" ".repeat(MAX_SDP + 1)), Err(BadSdp::TooLong(MAX_SDP + 1)));
    }
}
