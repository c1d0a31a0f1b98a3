//! The protection of a leg's packets, where signalling agreed on keys (SRTP, RFC 3711).
//!
//! Without keys nothing of this runs, and the leg is not larger. What arrives is copied once and decrypted in the copy;
//! what leaves is encrypted where it was written.
//!
//! Easy to get wrong: a leg that has keys sends nothing in the clear and takes nothing in the clear, whatever else fails;
//! a packet decides about its source only after its tag was found right; one from elsewhere is dropped before, or a
//! stranger's copy would make the true packet a copy.

use core::net::SocketAddr;

use super::Leg;
use crate::wire::rtp::{BadRtp, Packet};
use crate::wire::srtp::Protection;

/// Protected packets of more bytes are nobody's: 120 ms of voice and a header with everything in it.
pub(super) const GUARDED_MAX: usize = 1_500;

impl Leg {
    /// The keys of what is agreed on next. What is to be freed comes back.
    pub fn protect(&mut self, mut next: Box<Protection>) -> Option<Box<Protection>> {
        match &mut self.protection {
            None => {
                self.protection = Some(next);
                None
            }
            Some(held) => {
                held.renew(&mut next);
                Some(next)
            }
        }
    }

    /// The leg is over: its keys, to be freed.
    pub fn unprotect(&mut self) -> Option<Box<Protection>> {
        self.protection.take()
    }

    /// Were keys agreed on?
    pub(super) fn is_protected(&self) -> bool {
        self.link.is_some_and(|link| link.stream.keys.is_some())
    }

    /// What a protected datagram on the voice's port says: RTP or RTCP, in `room`.
    pub(super) fn voice_of<'a>(
        &mut self,
        from: SocketAddr,
        bytes: &[u8],
        room: &'a mut [u8; GUARDED_MAX],
    ) -> Option<&'a [u8]> {
        if !self.link.is_some_and(|link| link.latch.may_be(from)) {
            return None;
        }
        // RTCP is told apart by its second byte, which is not encrypted (RFC 5761 §4).
        if matches!(Packet::read(bytes), Err(BadRtp::Rtcp(_))) {
            return self.report_of(bytes, room);
        }
        let copy = copied(bytes, room)?;
        let length = self.protection.as_mut()?.unprotect(copy).ok()?;
        copy.get(..length)
    }

    /// What a protected report says.
    pub(super) fn report_of<'a>(&mut self, bytes: &[u8], room: &'a mut [u8; GUARDED_MAX]) -> Option<&'a [u8]> {
        let copy = copied(bytes, room)?;
        let length = self.protection.as_mut()?.unprotect_report(copy).ok()?;
        copy.get(..length)
    }

    /// The packet in the first bytes of `datagram` as it may leave.
    pub(super) fn guarded<'a>(&mut self, datagram: &'a mut [u8], length: usize) -> Option<&'a [u8]> {
        if !self.is_protected() {
            return datagram.get(..length);
        }
        let length = self.protection.as_mut()?.protect(datagram, length)?;
        datagram.get(..length)
    }

    /// The report in the first bytes of `datagram` as it may leave.
    pub(super) fn guarded_report<'a>(&mut self, datagram: &'a mut [u8], length: usize) -> Option<&'a [u8]> {
        if !self.is_protected() {
            return datagram.get(..length);
        }
        let length = self.protection.as_mut()?.protect_report(datagram, length)?;
        datagram.get(..length)
    }
}

fn copied<'a>(bytes: &[u8], room: &'a mut [u8; GUARDED_MAX]) -> Option<&'a mut [u8]> {
    let copy = room.get_mut(..bytes.len())?;
    copy.copy_from_slice(bytes);
    Some(copy)
}
