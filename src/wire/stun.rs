//! STUN: "from where do you see me?", and the answer (RFC 8489 §5, binding requests alone).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! |0 0|          type             |   length behind the header    |
//! |                     magic cookie, 0x2112a442                  |
//! |                   transaction id, 12 bytes                    |
//! |     attribute's type          |     its length, unpadded      | and its value, padded to a word
//! ```
//!
//! Phones behind a translator ask it every few seconds on the ports of SIP and of voice, to keep the way open. The two
//! zero bits at its head tell it from RTP, and no text begins with such a byte (RFC 7983 §7).
//!
//! Easy to get wrong: lengths leave the padding out, but the header's counts it; an attribute below 0x8000 that is not
//! known makes the answer a refusal (420); what stands behind the integrity does not count; a fingerprint is the last
//! attribute, and covers a header whose length counts it already.

use core::net::{IpAddr, SocketAddr};

/// The longest request that is read: what fits any path (RFC 8489 §6.1).
pub const REQUEST_MAX: usize = 548;
/// The longest answer.
pub const ANSWER_MAX: usize = HEADER + 28 + 4 + 2 * UNKNOWN_MAX + 8;

const HEADER: usize = 20;
/// Attributes not known that are named in an answer.
const UNKNOWN_MAX: usize = 8;

const COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
const BINDING_REQUEST: u16 = 0x0001;
const BINDING_SUCCESS: u16 = 0x0101;
const BINDING_ERROR: u16 = 0x0111;

const MESSAGE_INTEGRITY: u16 = 0x0008;
const MESSAGE_INTEGRITY_SHA256: u16 = 0x001c;
const ERROR_CODE: u16 = 0x0009;
const UNKNOWN_ATTRIBUTES: u16 = 0x000a;
const XOR_MAPPED_ADDRESS: u16 = 0x0020;
const FINGERPRINT: u16 = 0x8028;
/// What of RFC 8489 §18.3 may stand below 0x8000 in a request. Nobody is asked who they are here, so what says it is
/// read past.
const KNOWN: [u16; 11] = [0x0001, 0x0006, 0x0008, 0x0009, 0x000a, 0x0014, 0x0015, 0x001c, 0x001d, 0x001e, 0x0020];

/// A binding request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Request {
    transaction: [u8; 12],
    /// What must be understood and is not.
    unknown: [u16; UNKNOWN_MAX],
    unknown_count: usize,
    has_fingerprint: bool,
}

/// Why bytes are no binding request.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadStun {
    /// No header, or no cookie in it.
    #[error("no STUN message")]
    NoStun,
    /// Another length than its header says, or more than [`REQUEST_MAX`].
    #[error("a STUN message of {0} bytes")]
    Length(usize),
    /// A response, an indication (a keep-alive that wants no answer), or of another method than binding.
    #[error("STUN message type {0:#06x}")]
    Kind(u16),
    /// An attribute of this type is cut short.
    #[error("STUN attribute {0:#06x} is cut short")]
    Attribute(u16),
    /// The fingerprint is wrong, or not the last attribute.
    #[error("a STUN fingerprint that does not fit")]
    Fingerprint,
}

/// Could a datagram be STUN (RFC 8489 §5)?
pub fn is_stun(datagram: &[u8]) -> bool {
    matches!(datagram, [0..=3, _, _, _, c0, c1, c2, c3, ..] if [*c0, *c1, *c2, *c3] == COOKIE)
}

impl Request {
    /// Reads a datagram.
    pub fn read(datagram: &[u8]) -> Result<Request, BadStun> {
        if !is_stun(datagram) {
            return Err(BadStun::NoStun);
        }
        let (header, mut rest) = datagram.split_first_chunk::<HEADER>().ok_or(BadStun::NoStun)?;
        let [k0, k1, l0, l1, _, _, _, _, transaction @ ..] = *header;
        let fits = usize::from(u16::from_be_bytes([l0, l1])) == rest.len() && rest.len().is_multiple_of(4);
        if !fits || datagram.len() > REQUEST_MAX {
            return Err(BadStun::Length(datagram.len()));
        }
        let kind = u16::from_be_bytes([k0, k1]);
        if kind != BINDING_REQUEST {
            return Err(BadStun::Kind(kind));
        }
        let (unknown, unknown_count, has_fingerprint) = ([0; UNKNOWN_MAX], 0, false);
        let mut request = Request { transaction, unknown, unknown_count, has_fingerprint };
        let mut counts = true;
        while let Some((&[t0, t1, l0, l1], behind)) = rest.split_first_chunk::<4>() {
            let (kind, length) = (u16::from_be_bytes([t0, t1]), usize::from(u16::from_be_bytes([l0, l1])));
            let padded = behind.split_at_checked(length.next_multiple_of(4));
            let (value, behind) = padded.ok_or(BadStun::Attribute(kind))?;
            if kind == FINGERPRINT {
                let covered = datagram.len() - rest.len();
                let whole = behind.is_empty() && length == 4;
                let right = datagram.get(..covered).is_some_and(|covered| value == fingerprint(covered).to_be_bytes());
                if !whole || !right {
                    return Err(BadStun::Fingerprint);
                }
                request.has_fingerprint = true;
            } else if counts {
                request.note(kind);
            }
            counts &= !matches!(kind, MESSAGE_INTEGRITY | MESSAGE_INTEGRITY_SHA256);
            rest = behind;
        }
        Ok(request)
    }

    fn note(&mut self, kind: u16) {
        if kind >= 0x8000 || KNOWN.contains(&kind) {
            return;
        }
        if let Some(place) = self.unknown.get_mut(self.unknown_count) {
            *place = kind;
            self.unknown_count += 1;
        }
    }

    /// Writes the answer to whoever asked from `seen`, and says how long it is: where they are seen, or that there is
    /// something we do not understand.
    pub fn answer(&self, seen: SocketAddr, out: &mut [u8; ANSWER_MAX]) -> usize {
        let mut room = Room { out, used: 0 };
        let kind = if self.unknown_count == 0 { BINDING_SUCCESS } else { BINDING_ERROR };
        room.put(&kind.to_be_bytes());
        room.put(&[0; 2]);
        room.put(&COOKIE);
        room.put(&self.transaction);
        if self.unknown_count == 0 {
            self.put_address(seen, &mut room);
        } else {
            // Class and number of 420 stand in bytes of their own (RFC 8489 §14.8).
            room.attribute(ERROR_CODE, &[&[0, 0, 4, 20], b"Unknown Attribute"]);
            let bytes = self.unknown.map(u16::to_be_bytes);
            let bytes = bytes.get(..self.unknown_count).unwrap_or_default();
            room.attribute(UNKNOWN_ATTRIBUTES, &[bytes.as_flattened()]);
        }
        let length = room.used - HEADER + if self.has_fingerprint { 8 } else { 0 };
        if let Some(place) = room.out.get_mut(2..4) {
            place.copy_from_slice(&(length as u16).to_be_bytes());
        }
        if self.has_fingerprint {
            let print = fingerprint(room.out.get(..room.used).unwrap_or_default());
            room.attribute(FINGERPRINT, &[&print.to_be_bytes()]);
        }
        room.used
    }

    /// The address is mixed with the cookie, so that no clever translator on the way rewrites it (RFC 8489 §14.2).
    fn put_address(&self, seen: SocketAddr, room: &mut Room<'_>) {
        let [c0, c1, ..] = COOKIE;
        let port = (seen.port() ^ u16::from_be_bytes([c0, c1])).to_be_bytes();
        match seen.ip().to_canonical() {
            IpAddr::V4(ip) => {
                let mixed = ip.to_bits() ^ u32::from_be_bytes(COOKIE);
                room.attribute(XOR_MAPPED_ADDRESS, &[&[0, 1], &port, &mixed.to_be_bytes()]);
            }
            IpAddr::V6(ip) => {
                let mut mixed = ip.octets();
                for (byte, with) in mixed.iter_mut().zip(COOKIE.iter().chain(&self.transaction)) {
                    *byte ^= with;
                }
                room.attribute(XOR_MAPPED_ADDRESS, &[&[0, 2], &port, &mixed]);
            }
        }
    }
}

struct Room<'a> {
    out: &'a mut [u8; ANSWER_MAX],
    used: usize,
}

impl Room<'_> {
    fn attribute(&mut self, kind: u16, value: &[&[u8]]) {
        let length: usize = value.iter().map(|part| part.len()).sum();
        self.put(&kind.to_be_bytes());
        self.put(&(length as u16).to_be_bytes());
        value.iter().for_each(|part| self.put(part));
        let padding = [0u8; 4];
        self.put(padding.get(..length.next_multiple_of(4) - length).unwrap_or_default());
    }

    fn put(&mut self, bytes: &[u8]) {
        let end = self.used + bytes.len();
        if let Some(place) = self.out.get_mut(self.used..end) {
            place.copy_from_slice(bytes);
            self.used = end;
        }
    }
}

/// CRC-32 as Ethernet has it, mixed with `STUN` (RFC 8489 §14.7).
fn fingerprint(covered: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in covered {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            let over = crc & 1 != 0;
            crc >>= 1;
            if over {
                crc ^= 0xedb8_8320;
            }
        }
    }
    !crc ^ u32::from_be_bytes(*b"STUN")
}

#[cfg(test)]
mod tests;
