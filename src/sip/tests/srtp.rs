//! Offers and answers with keys, as telephones and exchanges write them.

use core::net::SocketAddr;

use super::*;
use crate::base::{Codec, Keys, Stream, seeded};
use crate::sip::offer::{Local, Refusal, answer, offer, offer_again, read_answer};
use crate::sip::terms::Terms;

const HEAD: &str = "v=0\r\no=- 1 1 IN IP4 198.51.100.9\r\ns=-\r\nc=IN IP4 198.51.100.9\r\nt=0 0\r\n";
const KEY: &str = "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz";
const STRONG: &str = "AES_CM_128_HMAC_SHA1_80";
const SHORT: &str = "AES_CM_128_HMAC_SHA1_32";

fn keys(srtp: Srtp) -> Option<OurKeys> {
    OurKeys::fresh(srtp, &mut seeded(5))
}

fn local(keys: Option<&OurKeys>) -> Local<'_> {
    let media = SocketAddr::from(([192, 0, 2, 1], 20_000));
    Local { session: 7, version: 1, media, codecs: &Codec::ALL, keys }
}

/// One audio section of theirs: its transport, and the `a=crypto` lines of it.
fn section(proto: &str, cryptos: &[&str]) -> String {
    let lines: String = cryptos.iter().map(|line| format!("a=crypto:{}\r\n", line.replace("KEY", KEY))).collect();
    format!("m=audio 5004 {proto} 0 101\r\na=rtpmap:101 telephone-event/8000\r\n{lines}")
}

/// What we answer to these sections, and what that agrees to.
fn answered(srtp: Srtp, sections: &str) -> Result<(String, Stream), Refusal> {
    answer(&local(keys(srtp).as_ref()), format!("{HEAD}{sections}").as_bytes())
}

/// What these sections agree to as the answer to our offer.
fn understood(srtp: Srtp, sections: &str) -> Result<Option<Keys>, Refusal> {
    let agreed = read_answer(&local(keys(srtp).as_ref()), format!("{HEAD}{sections}").as_bytes());
    agreed.map(|stream| stream.keys)
}

fn lines<'a>(sdp: &'a str, begin: &str) -> Vec<&'a str> {
    sdp.lines().filter(|line| line.starts_with(begin)).collect()
}

#[test]
fn what_is_required_is_offered_as_savp_and_what_is_optional_beside_plain_rtp() {
    for (srtp, media, count) in [
        (Srtp::Off, "m=audio 20000 RTP/AVP 0 8 101", 0),
        (Srtp::Optional, "m=audio 20000 RTP/AVP 0 8 101", 2),
        (Srtp::Required, "m=audio 20000 RTP/SAVP 0 8 101", 2),
    ] {
        let keys = keys(srtp);
        let sdp = offer(&local(keys.as_ref()));
        assert_eq!(lines(&sdp, "m="), [media]);
        let cryptos = lines(&sdp, "a=crypto:");
        assert_eq!(cryptos.len(), count);
        let parts: Vec<Vec<&str>> = cryptos.iter().map(|line| line.split([':', ' ']).collect()).collect();
        if let [strong, short] = &parts[..] {
            assert_eq!((strong[1], strong[2], short[1], short[2]), ("1", STRONG, "2", SHORT));
            assert_ne!(strong[4], short[4], "each has a key of its own");
        }
    }
}

#[test]
fn both_sides_end_up_with_each_others_keys() {
    for srtp in [Srtp::Optional, Srtp::Required] {
        let [ours, theirs] = [1, 2].map(|seed| OurKeys::fresh(srtp, &mut seeded(seed)));
        let (body, there) = answer(&local(theirs.as_ref()), offer(&local(ours.as_ref())).as_bytes()).unwrap();
        let here = read_answer(&local(ours.as_ref()), body.as_bytes()).unwrap();
        let (here, there) = (here.keys.unwrap(), there.keys.unwrap());
        assert_eq!((here.suite, here.ours, here.theirs), (Suite::Tag80, there.theirs, there.ours));
        assert_eq!(here.ours, ours.unwrap().key(Suite::Tag80));
        assert_eq!(lines(&body, "m="), [format!("m=audio 20000 {} 0 101", ours.unwrap().proto())]);
    }
}

#[test]
fn the_answer_names_the_line_it_takes_by_its_tag_and_brings_our_own_key() {
    let theirs = section("RTP/SAVPF", &["4 AEAD_AES_256_GCM inline:KEY", &format!("7 {SHORT} inline:KEY|2^31|1:1")]);
    let (body, stream) = answered(Srtp::Optional, &theirs).unwrap();
    let ours = keys(Srtp::Optional).unwrap();
    assert_eq!(lines(&body, "a=crypto:"), [format!("a=crypto:{}", ours.line(7, Suite::Tag32))]);
    assert_eq!(lines(&body, "m="), ["m=audio 20000 RTP/SAVPF 0 101"]);
    let agreed = stream.keys.unwrap();
    assert_eq!((agreed.suite, agreed.ours, agreed.name_bytes), (Suite::Tag32, ours.key(Suite::Tag32), 1));
    assert_eq!(agreed.theirs, Crypto::parse(&format!("1 {SHORT} inline:{KEY}")).unwrap().key);
}

#[test]
fn of_two_sections_the_encrypted_one_is_taken_whichever_comes_first() {
    let line = format!("1 {STRONG} inline:KEY");
    let (secure, plain) = (section("RTP/SAVP", &[&line]), section("RTP/AVP", &[]));
    for (sections, expected) in [
        ([&secure, &plain], ["m=audio 20000 RTP/SAVP 0 101", "m=audio 0 RTP/AVP 0 101"]),
        ([&plain, &secure], ["m=audio 0 RTP/AVP 0 101", "m=audio 20000 RTP/SAVP 0 101"]),
    ] {
        let both = sections.map(String::as_str).concat();
        let (body, stream) = answered(Srtp::Optional, &both).unwrap();
        assert_eq!(lines(&body, "m="), expected);
        assert!(stream.keys.is_some());
        let (body, stream) = answered(Srtp::Off, &both).unwrap();
        assert!(body.contains("m=audio 0 RTP/SAVP") && body.contains("m=audio 20000 RTP/AVP") && stream.keys.is_none());
    }
}

#[test]
fn an_offer_is_encrypted_or_refused_as_the_trunk_is_set() {
    let line = format!("1 {STRONG} inline:KEY");
    let (usable, useless) = ([line.as_str()], ["1 F8_128_HMAC_SHA1_80 inline:KEY"]);
    let unknown = || Refusal::from(Unprotected::BadKey(BadCrypto::Suite));
    let none = || Refusal::from(Unprotected::NoKey);
    let off = || Refusal::from(Unprotected::Off);
    for (srtp, proto, cryptos, expected) in [
        (Srtp::Off, "RTP/AVP", &usable[..], Ok(false)),
        (Srtp::Off, "RTP/SAVP", &usable, Err(off())),
        (Srtp::Optional, "RTP/AVP", &[], Ok(false)),
        (Srtp::Optional, "RTP/AVP", &useless, Ok(false)),
        (Srtp::Optional, "RTP/AVP", &usable, Ok(true)),
        (Srtp::Optional, "RTP/SAVP", &usable, Ok(true)),
        (Srtp::Optional, "RTP/SAVP", &useless, Err(unknown())),
        (Srtp::Optional, "RTP/SAVP", &[], Err(none())),
        (Srtp::Required, "RTP/AVP", &[], Err(none())),
        (Srtp::Required, "RTP/AVP", &useless, Err(unknown())),
        (Srtp::Required, "RTP/AVP", &usable, Ok(true)),
        (Srtp::Required, "RTP/SAVP", &usable, Ok(true)),
        (Srtp::Required, "UDP/TLS/RTP/SAVP", &usable, Err(Refusal::NoCommonCodec)),
    ] {
        let heard = answered(srtp, &section(proto, cryptos)).map(|(body, stream)| {
            assert_eq!(body.contains("a=crypto:"), stream.keys.is_some());
            stream.keys.is_some()
        });
        assert_eq!(heard, expected, "{srtp:?} {proto} {cryptos:?}");
    }
}

#[test]
fn an_answer_must_name_a_line_of_ours_and_what_it_means_to_encrypt_is_never_sent_in_the_clear() {
    let line = |tag: u32, suite: &str| format!("{tag} {suite} inline:KEY");
    let (first, second) = (line(1, STRONG), line(2, SHORT));
    let not_offered = || Err(Refusal::from(Unprotected::NotOffered));
    let suite = |srtp, proto: &str, cryptos: &[&str]| {
        understood(srtp, &section(proto, cryptos)).map(|keys| keys.map(|keys| keys.suite))
    };
    for srtp in [Srtp::Optional, Srtp::Required] {
        assert_eq!(suite(srtp, "RTP/SAVP", &[&first]), Ok(Some(Suite::Tag80)));
        assert_eq!(suite(srtp, "RTP/AVP", &[&second]), Ok(Some(Suite::Tag32)));
        assert_eq!(suite(srtp, "RTP/SAVP", &[&line(1, SHORT)]), not_offered());
        assert_eq!(suite(srtp, "RTP/AVP", &[&line(9, STRONG)]), not_offered());
        assert_eq!(suite(srtp, "RTP/SAVP", &[]), Err(Unprotected::NoKey.into()));
    }
    assert_eq!(suite(Srtp::Optional, "RTP/AVP", &[]), Ok(None));
    assert_eq!(suite(Srtp::Required, "RTP/AVP", &[]), Err(Unprotected::NoKey.into()));
    assert_eq!(suite(Srtp::Off, "RTP/AVP", &[&first]), Ok(None), "we did not offer it");
}

#[test]
fn in_the_middle_of_a_call_the_same_line_has_the_same_key() {
    let mut terms = Terms::new("192.0.2.1:20000".parse().unwrap(), &Codec::ALL, 7).with_keys(keys(Srtp::Required));
    let theirs = format!("{HEAD}{}", section("RTP/SAVP", &[&format!("3 {SHORT} inline:KEY")]));
    let (first, before) = terms.answer(theirs.as_bytes()).unwrap();
    // They hold, and then a session timer of ours asks.
    let (held, during) = terms.answer(format!("{theirs}a=sendonly\r\n").as_bytes()).unwrap();
    assert_eq!(before.keys, during.keys);
    let ours = |sdp: &[u8]| lines(std::str::from_utf8(sdp).unwrap(), "a=crypto:").join("");
    assert_eq!(ours(&first), ours(&held));
    let again = terms.offer();
    assert_eq!(ours(&again), ours(&first).replace("crypto:3", "crypto:2"), "with our own tag");
    let answer = format!("{HEAD}{}", section("RTP/SAVP", &[&format!("2 {SHORT} inline:KEY")]));
    assert_eq!(terms.read_answer(answer.as_bytes()).unwrap().keys, before.keys);
    let keys = keys(Srtp::Required);
    let whole = local(keys.as_ref());
    assert_eq!(lines(&offer_again(&whole, &offer(&whole)), "a=crypto:").len(), 2);
}

#[test]
fn no_two_calls_share_a_key_and_none_is_ever_printed() {
    let mut rng = seeded(9);
    let all: Vec<MasterKey> = (0..20)
        .filter_map(|_| OurKeys::fresh(Srtp::Optional, &mut rng))
        .flat_map(|keys| Suite::ALL.map(|suite| keys.key(suite)))
        .collect();
    assert!(all.iter().enumerate().all(|(at, key)| !all[..at].contains(key)) && all.len() == 40);
    let terms = Terms::new("192.0.2.1:20000".parse().unwrap(), &Codec::ALL, 7).with_keys(keys(Srtp::Required));
    assert!(format!("{terms:?}").contains("MasterKey(..)"));
}
