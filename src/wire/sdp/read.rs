//! Reads session descriptions, line by line (RFC 8866 §5, §6).

use super::{Address, BadSdp, Description, Direction, MAX_FORMATS, MAX_MEDIA, MAX_SDP, Media, RtpMap};

impl<'a> Description<'a> {
    /// Reads a description. Lines may end in LF alone; the last line end may be missing.
    pub fn parse(text: &'a str) -> Result<Description<'a>, BadSdp> {
        if text.len() > MAX_SDP {
            return Err(BadSdp::TooLong(text.len()));
        }
        let text = text.trim_start_matches(['\r', '\n', ' ']);
        let mut read = Description { origin: "", connection: None, direction: None, media: Vec::new() };
        for (index, line) in text.split('\n').enumerate() {
            let line = line.trim_ascii_end();
            if index == 0 && line != "v=0" {
                return Err(BadSdp::Version);
            }
            if let Some((key, value)) = line.split_once('=') {
                read.take(key, value).map_err(|why| BadSdp::Line { line: index + 1, why })?;
            }
        }
        Ok(read)
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
            ("a", Some(media)) => media.attribute(value),
            _ => {}
        }
        Ok(())
    }
}

impl<'a> Media<'a> {
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

    fn attribute(&mut self, value: &'a str) {
        let (name, value) = value.split_once(':').unwrap_or((value, ""));
        match name {
            "rtpmap" if self.rtpmaps.len() < MAX_FORMATS => self.rtpmaps.extend(RtpMap::parse(value)),
            "fmtp" if self.fmtps.len() < MAX_FORMATS => self.fmtps.extend(fmtp(value)),
            "ptime" => self.ptime_ms = milliseconds(value).or(self.ptime_ms),
            "maxptime" => self.maxptime_ms = milliseconds(value).or(self.maxptime_ms),
            "rtcp-mux" => self.rtcp_mux = true,
            _ => self.direction = Direction::parse(name).or(self.direction),
        }
    }
}

impl<'a> RtpMap<'a> {
    /// An unreadable map is skipped: it may belong to a section that is refused anyway.
    fn parse(value: &'a str) -> Option<RtpMap<'a>> {
        let mut words = value.split_ascii_whitespace();
        let payload_type = words.next().and_then(number).filter(|p: &u8| *p < 128)?;
        let mut parts = words.next()?.split('/');
        let encoding = parts.next().filter(|name| !name.is_empty())?;
        let clock_hz = parts.next().and_then(number)?;
        let channels = parts.next().and_then(number).unwrap_or(1);
        Some(RtpMap { payload_type, encoding, clock_hz, channels })
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
        if address.is_empty() {
            return Err("no address");
        }
        Ok(address.parse().map_or(Address::Name(address), Address::Ip))
    }
}

impl Direction {
    fn parse(name: &str) -> Option<Direction> {
        use Direction::{Inactive, RecvOnly, SendOnly, SendRecv};
        [SendRecv, SendOnly, RecvOnly, Inactive].into_iter().find(|direction| direction.as_str() == name)
    }
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

pub(super) fn number<T: core::str::FromStr>(text: &str) -> Option<T> {
    let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}
