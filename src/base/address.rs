//! Addresses as text, written in one go.
//!
//! Every message of ours names several addresses. The standard library sends each of the four numbers of an IPv4 address
//! through its formatter, which takes longer than all the rest of the line.

use core::fmt;
use core::net::{IpAddr, Ipv4Addr, SocketAddr};

/// An address that is written as the standard library writes it: `192.0.2.1`, `192.0.2.1:5060`, `[2001:db8::1]:5060`.
#[derive(Clone, Copy, Debug)]
pub struct Plain<T>(pub T);

impl fmt::Display for Plain<IpAddr> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            IpAddr::V4(ip) => f.write_str(Text::of(ip).as_str()),
            IpAddr::V6(ip) => write!(f, "{ip}"),
        }
    }
}

impl fmt::Display for Plain<SocketAddr> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let IpAddr::V4(ip) = self.0.ip() else { return write!(f, "{}", self.0) };
        let mut text = Text::of(ip);
        text.push(b':');
        text.push_number(self.0.port());
        f.write_str(text.as_str())
    }
}

/// The text of an IPv4 address and its port, which is never longer than this.
struct Text {
    bytes: [u8; "255.255.255.255:65535".len()],
    length: usize,
}

impl Text {
    fn of(ip: Ipv4Addr) -> Text {
        let mut text = Text { bytes: Default::default(), length: 0 };
        for (place, octet) in ip.octets().into_iter().enumerate() {
            if place > 0 {
                text.push(b'.');
            }
            text.push_number(octet.into());
        }
        text
    }

    fn push(&mut self, byte: u8) {
        if let Some(free) = self.bytes.get_mut(self.length) {
            *free = byte;
            self.length += 1;
        }
    }

    fn push_number(&mut self, number: u16) {
        for unit in [10_000, 1_000, 100, 10, 1] {
            if number >= unit || unit == 1 {
                self.push(b'0' + (number / unit % 10) as u8);
            }
        }
    }

    fn as_str(&self) -> &str {
        self.bytes.get(..self.length).and_then(|bytes| core::str::from_utf8(bytes).ok()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_written_as_the_standard_library_writes_it() {
        for text in ["0.0.0.0:0", "127.0.0.1:5060", "10.99.100.255:65535", "1.20.203.9:100", "[2001:db8::1]:5060"] {
            let address: SocketAddr = text.parse().unwrap();
            assert_eq!(Plain(address).to_string(), text);
            assert_eq!(Plain(address.ip()).to_string(), address.ip().to_string());
        }
    }
}
