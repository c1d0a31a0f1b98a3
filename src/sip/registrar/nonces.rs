//! What users sign: nonces that are ours without being remembered (RFC 7616 §3.3, §5.4), and how often each was used.
//!
//! A nonce is the moment it was made, a number, and a sum over both and the asker's address that only we can make. So
//! whoever asks and never answers costs nothing. Only a nonce that a right password was signed with is remembered, with
//! the highest count seen (RFC 7616 §3.4), so that what was overheard cannot be sent again.
//!
//! Easy to get wrong: where the memory is full the oldest nonce is let go, and with it every older one must be worth
//! nothing any more, or its counts could be used again. The key dies with the process: after a restart every nonce is
//! stale, which phones answer without asking anybody.

use core::net::IpAddr;
use core::time::Duration;
use std::collections::BTreeMap;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

use crate::base::{Time, hex};

/// So long a nonce serves.
const SERVES: Duration = Duration::from_secs(3_600);
/// So many nonces in use are remembered.
const REMEMBERED: usize = 8_192;

/// The nonces.
pub struct Nonces {
    key: [u8; 32],
    last: u32,
    /// The highest count of each nonce that was used, by when it was made.
    used: BTreeMap<(Time, u32), u32>,
    /// Nonces that were made before are worth nothing.
    since: Time,
}

impl core::fmt::Debug for Nonces {
    /// Without the key.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Nonces").field("used", &self.used.len()).finish_non_exhaustive()
    }
}

impl Nonces {
    /// Nonces under this key, which nobody may know or guess.
    pub fn new(key: [u8; 32]) -> Nonces {
        Nonces { key, last: 0, used: BTreeMap::new(), since: Time::ZERO }
    }

    /// A new one for somebody at this address.
    pub fn fresh(&mut self, now: Time, ip: IpAddr) -> String {
        self.last = self.last.wrapping_add(1);
        self.write(now, self.last, ip)
    }

    /// Was it made here, for this address, and not too long ago?
    pub fn is_good(&self, now: Time, ip: IpAddr, nonce: &str) -> bool {
        read(nonce).is_some_and(|(made, number)| {
            made >= self.since
                && made <= now
                && now.since(made) < SERVES
                && bool::from(self.write(made, number, ip).as_bytes().ct_eq(nonce.as_bytes()))
        })
    }

    /// The highest count that was used with a nonce that [is good](Nonces::is_good).
    pub fn count(&self, nonce: &str) -> u32 {
        read(nonce).and_then(|of| self.used.get(&of)).copied().unwrap_or(0)
    }

    /// A right password was signed with it, and this count.
    pub fn used(&mut self, now: Time, nonce: &str, count: u32) {
        let Some(of) = read(nonce) else { return };
        self.used.insert(of, count);
        while let Some((&(made, number), _)) = self.used.first_key_value() {
            let old = now.since(made) >= SERVES;
            if !old && self.used.len() <= REMEMBERED {
                break;
            }
            self.used.remove(&(made, number));
            self.since = self.since.max(made + Duration::from_micros(1));
        }
    }

    fn write(&self, made: Time, number: u32, ip: IpAddr) -> String {
        let micros = made.as_micros();
        let sum = self.sum(format!("{micros}.{number}.{}", ip.to_canonical()).as_bytes());
        format!("{micros:x}.{number:x}.{}", hex(&sum[..16]))
    }

    /// HMAC-SHA-256 (RFC 2104 §2).
    fn sum(&self, text: &[u8]) -> [u8; 32] {
        let mut sum = Hmac::<Sha256>::new_from_slice(&self.key).expect("a key may have any length");
        sum.update(text);
        sum.finalize().into_bytes().into()
    }

    /// A sum that nobody else can make, of a text that may be known: what stands for a tag where nothing is kept.
    pub fn seal(&self, text: &str) -> String {
        hex(&self.sum(text.as_bytes())[..6])
    }
}

/// When it was made, and its number.
fn read(nonce: &str) -> Option<(Time, u32)> {
    let mut parts = nonce.splitn(3, '.');
    let made = u64::from_str_radix(parts.next()?, 16).ok()?;
    Some((Time::from_micros(made), u32::from_str_radix(parts.next()?, 16).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(core::net::Ipv4Addr::new(192, 0, 2, 5));
    const THERE: IpAddr = IpAddr::V4(core::net::Ipv4Addr::new(192, 0, 2, 6));

    fn at(seconds: u64) -> Time {
        Time::ZERO + Duration::from_secs(seconds)
    }

    #[test]
    fn the_sum_is_the_hmac_that_others_make() {
        // The published figure for the key "Jefe", which padding fills up with zeros.
        let mut key = [0; 32];
        key[..4].copy_from_slice(b"Jefe");
        let sum = Nonces::new(key).sum(b"what do ya want for nothing?");
        assert_eq!(sum[..8], [0x5b, 0xdc, 0xc1, 0x46, 0xbf, 0x60, 0x75, 0x4e]);
    }

    #[test]
    fn a_nonce_is_good_for_whom_it_was_made_and_for_an_hour() {
        let mut nonces = Nonces::new([7; 32]);
        let nonce = nonces.fresh(at(10), HERE);
        assert!(nonces.is_good(at(10), HERE, &nonce) && nonces.is_good(at(3_609), HERE, &nonce));
        assert!(!nonces.is_good(at(3_610), HERE, &nonce), "too old");
        assert!(!nonces.is_good(at(9), HERE, &nonce), "of a time to come");
        assert!(!nonces.is_good(at(10), THERE, &nonce), "somebody else's");
        assert!(!Nonces::new([8; 32]).is_good(at(10), HERE, &nonce), "another life's");
        assert_ne!(nonces.fresh(at(10), HERE), nonce);
        for wrong in ["", "..", "a", "a.b", "a.b.c", &nonce.to_uppercase(), &format!("0{nonce}")] {
            assert!(!nonces.is_good(at(10), HERE, wrong), "{wrong}");
        }
    }

    #[test]
    fn a_nonce_that_is_let_go_is_worth_nothing_any_more() {
        let mut nonces = Nonces::new([7; 32]);
        let all: Vec<String> = (0..=REMEMBERED as u64).map(|n| nonces.fresh(Time::from_micros(n), HERE)).collect();
        for nonce in &all {
            nonces.used(at(1), nonce, 1);
        }
        assert!(!nonces.is_good(at(1), HERE, &all[0]), "its count is forgotten");
        assert!(nonces.is_good(at(1), HERE, &all[1]));
        assert_eq!((nonces.count(&all[1]), nonces.count(&all[0])), (1, 0));
    }
}
