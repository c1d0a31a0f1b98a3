//! Is this certificate one of AWS SNS, and did it sign these bytes?
//!
//! The certificate was fetched over TLS from SNS itself, whose host was pinned before; that alone is what AWS's own
//! libraries rest on. Here it must moreover be valid now, be made out to SNS, and lead to a root that is trusted. Easy
//! to get wrong: SNS may serve its certificate without the one that issued it. Then no path can be built, and where it
//! comes from is the proof; a path that can be built and is wrong is refused.

use core::time::Duration;

use ring::signature::{RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName, TrustAnchor, UnixTime};
use webpki::{ALL_VERIFICATION_ALGS, EndEntityCert, Error, KeyUsage};

use crate::base::Stamp;
use crate::intake::sns::{Signed, Version};

/// The most certificates of one file.
const CHAIN_MAX: usize = 8;
/// What the certificates of every region of AWS proper are made out to.
const EVERYWHERE: &str = "sns.amazonaws.com";

/// True when the certificate (and those behind it in the file) may sign for `host`, and signed this. The error says
/// why not.
pub(super) fn check(
    pem: &[u8],
    host: &str,
    signed: &Signed,
    now: Stamp,
    roots: &[TrustAnchor<'_>],
) -> Result<(), String> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).take(CHAIN_MAX).collect();
    let chain = chain.map_err(|_| "the certificate is no PEM".to_owned())?;
    let (first, behind) = chain.split_first().ok_or("the file holds no certificate")?;
    let certificate = EndEntityCert::try_from(first).map_err(|error| format!("the certificate: {error}"))?;
    let seconds = u64::try_from(now.as_unix_micros()).unwrap_or_default() / 1_000_000;
    let time = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
    let path =
        certificate.verify_for_usage(ALL_VERIFICATION_ALGS, roots, behind, time, KeyUsage::server_auth(), None, None);
    match path {
        Ok(_) => {}
        Err(Error::UnknownIssuer) if behind.is_empty() => {}
        Err(error) => return Err(format!("the certificate: {error}")),
    }
    let made_out_to = |name: &str| {
        let name = ServerName::try_from(name).ok();
        name.is_some_and(|name| certificate.verify_is_valid_for_subject_name(&name).is_ok())
    };
    if !made_out_to(host) && !made_out_to(EVERYWHERE) {
        return Err(format!("the certificate is not made out to {host}"));
    }
    let key = certificate.subject_public_key_info();
    let key = rsa_key(&key).ok_or("the certificate holds no RSA key")?;
    let algorithm = match signed.version {
        Version::V1 => &RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY,
        Version::V2 => &RSA_PKCS1_2048_8192_SHA256,
    };
    let key = UnparsedPublicKey::new(algorithm, key);
    key.verify(&signed.bytes, &signed.signature).map_err(|_| "the signature is not right".to_owned())
}

/// The key inside a SubjectPublicKeyInfo: a sequence of its algorithm and a bit string.
fn rsa_key(info: &[u8]) -> Option<&[u8]> {
    let (whole, _) = element(info, 0x30)?;
    let (_, rest) = element(whole, 0x30)?;
    let (bits, _) = element(rest, 0x03)?;
    // The first byte says how many bits at the end are unused: none, in a key.
    bits.strip_prefix(&[0])
}

/// The content of a DER element with this tag, and what follows it.
fn element(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (first, rest) = bytes.split_first()?;
    let (short, rest) = rest.split_first().filter(|_| *first == tag)?;
    let (length, rest) = match short {
        0..=0x7f => (usize::from(*short), rest),
        0x81..=0x83 => {
            let (long, rest) = rest.split_at_checked(usize::from(short - 0x80))?;
            (long.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), rest)
        }
        _ => return None,
    };
    rest.split_at_checked(length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use webpki::anchor_from_trusted_cert;

    // Made for these tests alone, good until 2126; the keys were thrown away.
    const ROOT: &[u8] = include_bytes!("fixtures/root.pem");
    const CHAIN: &[u8] = include_bytes!("fixtures/chain.pem");
    const LEAF: &[u8] = include_bytes!("fixtures/leaf.pem");
    const SHA256: &str = include_str!("fixtures/sha256.b64");
    const SHA1: &str = include_str!("fixtures/sha1.b64");
    const NOW: Stamp = Stamp::from_unix_micros(1_900_000_000_000_000);
    const HOST: &str = "sns.ap-northeast-1.amazonaws.com";

    fn message(version: Version, signature: &str) -> Signed {
        Signed {
            bytes: b"Message\nthe disk is full\n".to_vec(),
            signature: STANDARD.decode(signature.trim()).unwrap(),
            cert_url: String::new(),
            version,
            topic: String::new(),
            id: String::new(),
            timestamp: String::new(),
        }
    }

    fn judged(pem: &[u8], signed: &Signed, now: Stamp, trusted: bool) -> Result<(), String> {
        let root = CertificateDer::from_pem_slice(ROOT).unwrap();
        let root = anchor_from_trusted_cert(&root).unwrap();
        let roots = if trusted { vec![root] } else { Vec::new() };
        check(pem, HOST, signed, now, &roots)
    }

    #[test]
    fn both_versions_of_a_right_signature_are_right_and_no_other_bytes_are() {
        let (one, two) = (message(Version::V1, SHA1), message(Version::V2, SHA256));
        assert_eq!(judged(CHAIN, &one, NOW, true), Ok(()));
        assert_eq!(judged(CHAIN, &two, NOW, true), Ok(()));
        assert!(judged(CHAIN, &message(Version::V2, SHA1), NOW, true).is_err(), "the other digest");
        let mut changed = two.clone();
        changed.bytes[0] ^= 1;
        assert_eq!(judged(CHAIN, &changed, NOW, true), Err("the signature is not right".to_owned()));
    }

    #[test]
    fn a_path_that_leads_to_no_trusted_root_is_refused() {
        let two = message(Version::V2, SHA256);
        assert!(judged(CHAIN, &two, NOW, false).is_err_and(|why| why.contains("UnknownIssuer")));
        assert_eq!(judged(LEAF, &two, NOW, true), Ok(()), "served alone, it is proved by where it came from");
    }

    #[test]
    fn a_certificate_of_another_time_or_name_signs_nothing() {
        let two = message(Version::V2, SHA256);
        let long_ago = Stamp::from_unix_micros(1_000_000_000_000_000);
        assert!(judged(LEAF, &two, long_ago, true).is_err(), "not valid yet");
        assert!(judged(ROOT, &two, NOW, true).is_err());
        assert!(judged(b"no certificate", &two, NOW, true).is_err());
    }

    #[test]
    fn damaged_keys_are_none() {
        let key = [0x30, 0x08, 0x30, 0x01, 0x00, 0x03, 0x03, 0x00, 0xab, 0xcd];
        assert_eq!(rsa_key(&key), Some(&[0xab, 0xcd][..]));
        for length in 0..key.len() {
            assert_eq!(rsa_key(&key[..length]), None, "{length}");
        }
        assert_eq!(element(&[0x30, 0x84, 1, 0, 0, 0], 0x30), None);
    }
}
