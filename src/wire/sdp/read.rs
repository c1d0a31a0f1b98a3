//! Reads session descriptions, line by line (RFC 8866 §5, §6).

use super::{Address, BadSdp, Description, Direction, MAX_CRYPTOS, MAX_FORMATS, MAX_MEDIA, MAX_SDP, Media, RtpMap};
use crate::wire::ascii::{leading_number, number, trim, trim_end, trim_start};

impl<'a> Description<'a> {
    /// Reads a description. Lines may end in LF alone; the last line end may be missing.
    pub fn parse(text: &'a str) -> Result<Description<'a>, BadSdp> {
        if text.len() > MAX_SDP {
            return Err(BadSdp::TooLong(text.len()));
        }
        let text = trim_start(text);
        // Most have one section.
        let mut read = Description { origin: "", connection: None, direction: None, media: Vec::with_capacity(1) };
        for (index, line) in lines(text).enumerate() {
            if index == 0 && line != "v=0" {
                return Err(BadSdp::Version);
            }
            // No line we look for has a longer name.
            if let ([key, b'=', ..], Some(value)) = (line.as_bytes(), line.get(2..)) {
                read.take(*key, value).map_err(|why| BadSdp::Line { line: index + 1, why })?;
            }
        }
        Ok(read)
    }

    fn take(&mut self, key: u8, value: &'a str) -> Result<(), &'static str> {
        let full = self.media.len() == MAX_MEDIA;
        match (key, self.media.last_mut()) {
            (b'm', _) if full => return Err("too many media sections"),
            (b'm', _) => self.media.push(Media::parse(value)?),
            (b'o', None) => self.origin = value,
            (b'c', None) => self.connection = Some(Address::parse(value)?),
            // Several `c=` of one section are layers of multicast; the first is the base.
            (b'c', Some(media)) if media.connection.is_none() => media.connection = Some(Address::parse(value)?),
            (b'a', None) => self.direction = Direction::parse(value).or(self.direction),
            (b'a', Some(media)) => media.attribute(value),
            _ => {}
        }
        Ok(())
    }
}

/// The lines of `text`, without the white space at their ends.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    let mut start = 0;
    memchr::memchr_iter(b'\n', text.as_bytes()).chain([text.len()]).map(move |end| {
        let line = text.get(start..end).unwrap_or_default();
        start = end + 1;
        trim_end(line)
    })
}

/// `text` cut in two at its first `at`, or all of it and nothing.
fn cut(text: &str, at: u8) -> (&str, &str) {
    let place = text.bytes().position(|byte| byte == at).unwrap_or(text.len());
    (text.get(..place).unwrap_or(text), text.get(place + 1..).unwrap_or_default())
}

/// The first word of `text`, empty where there is none, and what follows it.
fn word(text: &str) -> (&str, &str) {
    let text = trim_start(text);
    let end = text.bytes().position(|byte| byte.is_ascii_whitespace()).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

impl<'a> Media<'a> {
    fn parse(value: &'a str) -> Result<Media<'a>, &'static str> {
        let (kind, rest) = word(value);
        let (port, rest) = word(rest);
        let (proto, formats) = word(rest);
        let why = [(kind, "no media type"), (port, "no port"), (proto, "no transport")];
        if let Some((_, why)) = why.iter().find(|(word, _)| word.is_empty()) {
            return Err(why);
        }
        // `5004/2` stands for two port pairs; the first is taken.
        let (port, pairs) = leading_number(port).ok_or("no port number")?;
        if !(pairs.is_empty() || pairs.starts_with('/')) {
            return Err("no port number");
        }
        let formats = trim(formats);
        // A short text does not hold so many.
        if formats.len() >= 2 * MAX_FORMATS && formats.split_ascii_whitespace().count() > MAX_FORMATS {
            return Err("too many formats");
        }
        Ok(Media::new(kind, port, proto, formats))
    }

    fn attribute(&mut self, value: &'a str) {
        let (name, value) = cut(value, b':');
        match name.as_bytes() {
            b"rtpmap" if self.rtpmaps.len() < MAX_FORMATS => {
                if let Some(map) = RtpMap::parse(value) {
                    self.rtpmaps.push(map);
                }
            }
            b"fmtp" if self.fmtps.len() < MAX_FORMATS => {
                if let Some(fmtp) = fmtp(value) {
                    self.fmtps.push(fmtp);
                }
            }
            b"ptime" => self.ptime_ms = milliseconds(value).or(self.ptime_ms),
            b"maxptime" => self.maxptime_ms = milliseconds(value).or(self.maxptime_ms),
            b"rtcp-mux" => self.rtcp_mux = true,
            b"crypto" if self.cryptos.len() < MAX_CRYPTOS => self.cryptos.push(value),
            b"rtcp" => self.rtcp = rtcp(value).or(self.rtcp),
            _ => self.direction = Direction::parse(name).or(self.direction),
        }
    }
}

impl<'a> RtpMap<'a> {
    /// `101 telephone-event/8000`. An unreadable map is skipped: it may belong to a section that is refused anyway.
    fn parse(value: &'a str) -> Option<RtpMap<'a>> {
        let (payload_type, rest) = word(value);
        let payload_type = number(payload_type).filter(|p: &u8| *p < 128)?;
        let (encoding, rest) = cut(trim_start(rest), b'/');
        let (clock_hz, rest) = leading_number(rest).filter(|_| !encoding.is_empty())?;
        let channels = match rest.as_bytes() {
            [b'/', ..] => rest.get(1..).and_then(leading_number).map_or(1, |(channels, _)| channels),
            [b' ' | b'\t', ..] | [] => 1,
            _ => return None,
        };
        Some(RtpMap { payload_type, encoding, clock_hz, channels })
    }
}

impl<'a> Address<'a> {
    fn parse(value: &'a str) -> Result<Address<'a>, &'static str> {
        let rest = match value.strip_prefix("IN IP4 ") {
            Some(rest) => rest,
            None => {
                let (net, rest) = word(value);
                let (family, rest) = word(rest);
                if !net.eq_ignore_ascii_case("IN") || !matches!(family, "IP4" | "IP6") {
                    return Err("neither IN IP4 nor IN IP6");
                }
                rest
            }
        };
        let (address, _) = word(rest);
        // A multicast address has its TTL behind a slash.
        let (address, _) = cut(address, b'/');
        if address.is_empty() {
            return Err("no address");
        }
        Ok(address.parse().map_or(Address::Name(address), Address::Ip))
    }
}

impl Direction {
    fn parse(name: &str) -> Option<Direction> {
        match name.as_bytes() {
            b"sendrecv" => Some(Direction::SendRecv),
            b"sendonly" => Some(Direction::SendOnly),
            b"recvonly" => Some(Direction::RecvOnly),
            b"inactive" => Some(Direction::Inactive),
            _ => None,
        }
    }
}

/// `101 0-15`; a line that is not so is skipped, as nothing hangs on it.
fn fmtp(value: &str) -> Option<(u8, &str)> {
    let (payload_type, text) = word(value);
    let text = Some(trim(text)).filter(|text| !text.is_empty())?;
    Some((number(payload_type).filter(|p: &u8| *p < 128)?, text))
}

/// `53020`, or `53020 IN IP4 126.16.64.4` (RFC 3605 §2.1).
fn rtcp(value: &str) -> Option<(u16, Option<Address<'_>>)> {
    let (port, address) = cut(trim(value), b' ');
    Some((number(port)?, Address::parse(address).ok()))
}

/// Whole milliseconds; some write `20.0`.
fn milliseconds(value: &str) -> Option<u32> {
    number(cut(trim(value), b'.').0)
}
