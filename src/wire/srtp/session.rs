//! The keys of one direction, derived from its master key, and what is done with them (RFC 3711 §4).
//!
//! Easy to get wrong: voice and reports have keys of their own, told apart by labels; the counter of AES takes up the
//! lowest 16 bits of the initial value, under the salt; the master salt is xored before it is shifted.

use aes::Aes128;
use aes::cipher::{Array, BlockCipherEncrypt, KeyInit};
use hmac::{Hmac, Mac};
use sha1::Sha1;
use subtle::ConstantTimeEq;

use crate::base::MasterKey;

/// Bytes of a block of AES.
const BLOCK: usize = 16;
/// Blocks that are encrypted at once: a processor that knows AES does so many side by side.
const AT_ONCE: usize = 8;
/// Bytes of the key that tags are made with (RFC 3711 §5.2).
const TAG_KEY: usize = 20;

/// For what keys are derived: the first of three labels (RFC 3711 §4.3.2).
#[derive(Clone, Copy, Debug)]
pub enum Use {
    /// Voice.
    Voice = 0,
    /// Reports.
    Reports = 3,
}

/// The keys for packets of one kind in one direction.
#[derive(Clone)]
pub struct Session {
    cipher: Aes128,
    /// 112 bits of salt, 16 bits up.
    salt: u128,
    mac: Hmac<Sha1>,
}

impl core::fmt::Debug for Session {
    /// Without the keys: what is printed ends in logs.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Session(..)")
    }
}

impl Session {
    /// Derives the keys (RFC 3711 §4.3.1, with a derivation rate of zero).
    pub fn new(MasterKey(master): &MasterKey, what: Use) -> Session {
        let (key, salt) = master.split_first_chunk::<BLOCK>().expect("a master key is longer than a block");
        let cipher = Aes128::new(&Array::from(*key));
        let salt = salt.iter().fold(0, |sum, byte| sum << 8 | u128::from(*byte));
        let derive = |label: u128, derived: &mut [u8]| {
            let label = what as u128 + label;
            keystream(&cipher, (salt ^ label << 48) << 16, derived);
        };
        let (mut key, mut tag_key, mut salt) = ([0; BLOCK], [0; TAG_KEY], [0; BLOCK]);
        derive(0, &mut key);
        derive(1, &mut tag_key);
        derive(2, &mut salt[..BLOCK - 2]);
        Session {
            cipher: Aes128::new(&Array::from(key)),
            salt: u128::from_be_bytes(salt),
            mac: Hmac::new_from_slice(&tag_key).expect("HMAC takes keys of any length"),
        }
    }

    /// Encrypts, or decrypts, what `ssrc` sends as packet `index` (RFC 3711 §4.1.1).
    pub fn crypt(&self, ssrc: u32, index: u64, bytes: &mut [u8]) {
        keystream(&self.cipher, self.salt ^ u128::from(ssrc) << 64 ^ u128::from(index) << 16, bytes);
    }

    /// The tag of `bytes` with `behind` behind them; whoever wants a shorter one takes its front (RFC 3711 §4.2.1).
    pub fn tag(&self, bytes: &[u8], behind: &[u8]) -> [u8; 20] {
        let mut mac = self.mac.clone();
        mac.update(bytes);
        mac.update(behind);
        mac.finalize().into_bytes().into()
    }

    /// Is `tag` theirs? The time this takes does not depend on where it is wrong.
    pub fn is_tag(&self, bytes: &[u8], behind: &[u8], tag: &[u8]) -> bool {
        self.tag(bytes, behind).get(..tag.len()).is_some_and(|ours| bool::from(ours.ct_eq(tag)))
    }
}

/// Xors the key stream that begins with the counter `first` over `bytes`.
fn keystream(cipher: &Aes128, first: u128, bytes: &mut [u8]) {
    let mut counter = first;
    for part in bytes.chunks_mut(BLOCK * AT_ONCE) {
        let mut blocks = [Array::from([0; BLOCK]); AT_ONCE];
        let wanted = part.len().div_ceil(BLOCK);
        for block in &mut blocks[..wanted] {
            *block = Array::from(counter.to_be_bytes());
            counter = counter.wrapping_add(1);
        }
        cipher.encrypt_blocks(&mut blocks[..wanted]);
        for (bytes, block) in part.chunks_mut(BLOCK).zip(&blocks) {
            bytes.iter_mut().zip(block).for_each(|(byte, key)| *byte ^= key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
    }

    /// RFC 3711 appendix B.2.
    #[test]
    fn the_key_stream_is_that_of_the_standard() {
        let key: [u8; BLOCK] = hex("2B7E151628AED2A6ABF7158809CF4F3C").try_into().unwrap();
        let cipher = Aes128::new(&Array::from(key));
        let first = u128::from_be_bytes(hex("F0F1F2F3F4F5F6F7F8F9FAFBFCFD0000").try_into().unwrap());
        let mut stream = vec![0; 0xff02 * BLOCK];
        keystream(&cipher, first, &mut stream);
        let block = |number: usize| stream[number * BLOCK..][..BLOCK].to_vec();
        assert_eq!(block(0), hex("E03EAD0935C95E80E166B16DD92B4EB4"));
        assert_eq!(block(1), hex("D23513162B02D0F72A43A2FE4A5F97AB"));
        assert_eq!(block(2), hex("41E95B3BB0A2E8DD477901E4FCA894C0"));
        assert_eq!(block(0xfeff), hex("EC8CDF7398607CB0F2D21675EA9EA1E4"));
        assert_eq!(block(0xff00), hex("362B7C3C6773516318A077D7FC5073AE"));
        assert_eq!(block(0xff01), hex("6A2CC3787889374FBEB4C81B17BA6C44"));
    }

    /// RFC 3711 appendix B.3.
    #[test]
    fn the_keys_of_a_session_are_those_of_the_standard() {
        let master = hex("E1F97A0D3E018BE0D64FA32C06DE41390EC675AD498AFEEBB6960B3AABE6");
        let session = Session::new(&MasterKey(master.try_into().unwrap()), Use::Voice);
        assert_eq!(session.salt, u128::from_be_bytes(hex("30CBBC08863D8C85D49DB34A9AE10000").try_into().unwrap()));
        let mut block = Array::from([0; BLOCK]);
        session.cipher.encrypt_block(&mut block);
        let key: [u8; BLOCK] = hex("C61E7A93744F39EE10734AFE3FF7A087").try_into().unwrap();
        let mut expected = Array::from([0; BLOCK]);
        Aes128::new(&Array::from(key)).encrypt_block(&mut expected);
        assert_eq!(block, expected);
        let tag_key = hex("CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4");
        let mac = Hmac::<Sha1>::new_from_slice(&tag_key).unwrap().chain_update(b"bell").finalize().into_bytes();
        assert_eq!(session.tag(b"be", b"ll"), <[u8; 20]>::from(mac));
    }

    #[test]
    fn voice_and_reports_do_not_share_a_key() {
        let master = MasterKey([7; 30]);
        let (voice, reports) = (Session::new(&master, Use::Voice), Session::new(&master, Use::Reports));
        let (mut one, mut other) = ([0; 40], [0; 40]);
        voice.crypt(1, 1, &mut one);
        reports.crypt(1, 1, &mut other);
        assert_ne!(one, other);
        assert_ne!(voice.tag(b"", b""), reports.tag(b"", b""));
    }
}
